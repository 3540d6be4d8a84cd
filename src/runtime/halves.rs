//! Halves of streams that are async.

use super::{Async, RecvBytes, Runtime, SendBytes};
use crate::error::{ReuniteError, ReuniteResult};
use std::{
    io::{self, IoSlice, IoSliceMut},
    ops::Deref,
    sync::Arc,
};

/// A stream with two directions whose halves are [`RecvHalf`] and [`SendHalf`].
#[doc(hidden)]
pub trait Duplex: RecvBytes + SendBytes {}

/// Both halves of a stream, which own it together.
pub type Halves<T, R> = (RecvHalf<Arc<Async<T, R>>>, SendHalf<Arc<Async<T, R>>>);

pub(crate) fn split<T: Duplex, R: Runtime>(stream: Async<T, R>) -> Halves<T, R> {
    let stream = Arc::new(stream);
    (RecvHalf(Arc::clone(&stream)), SendHalf(stream))
}

/// The stream of both, if they are of one.
impl<T: Duplex, R: Runtime> Async<T, R> {
    /// The same as `split` of a local socket: a half that receives and a half that sends, for two tasks. (Interprocess 1.2 called
    /// it this.) Dropping one half closes nothing; the connection is closed when both are gone.
    ///
    /// Halves are not needed to read and write at the same time: `&Stream` does both, and so does a stream in an [`Arc`]. They are
    /// for code that wants to own one direction.
    pub fn into_split(self) -> Halves<T, R> {
        split(self)
    }

    /// Puts the two halves together again.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite(
        rh: RecvHalf<Arc<Self>>,
        sh: SendHalf<Arc<Self>>,
    ) -> ReuniteResult<Self, RecvHalf<Arc<Self>>, SendHalf<Arc<Self>>> {
        if !Arc::ptr_eq(&rh.0, &sh.0) {
            return Err(ReuniteError { rh, sh });
        }
        drop(rh);
        Arc::try_unwrap(sh.0)
            .map_err(|stream| ReuniteError { rh: RecvHalf(Arc::clone(&stream)), sh: SendHalf(stream) })
    }
}

/// The half of an async stream that receives: `P` is an [`Arc`] of the stream, or a reference to it.
///
/// It has the runtime's own trait for reading, as has a reference to it. The [stream](AsRef) that it is a half of has the rest.
#[derive(Debug)]
pub struct RecvHalf<P>(pub(crate) P);

impl<T: RecvBytes, R: Runtime, P: Deref<Target = Async<T, R>>> RecvHalf<P> {
    /// The same as [`Async::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf).await
    }

    /// The same as [`Async::recv_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.recv_vectored(bufs).await
    }

    /// The same as [`Async::try_recv`].
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is there.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_recv(buf)
    }
}

/// The half of an async stream that sends: `P` is an [`Arc`] of the stream, or a reference to it.
///
/// It has the runtime's own trait for writing, as has a reference to it; shutting it down ends the direction in which it sends,
/// where the system can do that, and dropping it does not. The [stream](AsRef) that it is a half of has the rest.
#[derive(Debug)]
pub struct SendHalf<P>(pub(crate) P);

impl<T: SendBytes, R: Runtime, P: Deref<Target = Async<T, R>>> SendHalf<P> {
    /// The same as [`Async::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf).await
    }

    /// The same as [`Async::send_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs).await
    }

    /// The same as [`Async::try_send`].
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_send(buf)
    }

    /// The same as [`Async::flush`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn flush(&self) -> io::Result<()> {
        self.0.flush().await
    }
}

/// The stream that it is a half of.
impl<P: Deref> AsRef<P::Target> for RecvHalf<P> {
    fn as_ref(&self) -> &P::Target {
        &self.0
    }
}

/// The stream that it is a half of.
impl<P: Deref> AsRef<P::Target> for SendHalf<P> {
    fn as_ref(&self) -> &P::Target {
        &self.0
    }
}
