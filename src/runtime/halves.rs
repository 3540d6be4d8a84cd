//! Halves of streams that are async.

use super::{Async, RecvBytes, Runtime, SendBytes};
use crate::error::{ReuniteError, ReuniteResult};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsHandle, BorrowedHandle};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    ops::Deref,
    ptr,
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

/// The sending half's share of a stream, which ends sending when it is dropped. From [`into_split`](Async::into_split).
#[derive(Debug)]
pub struct EndsWhenDropped<T: Duplex, R: Runtime>(Option<Arc<Async<T, R>>>);

impl<T: Duplex, R: Runtime> Deref for EndsWhenDropped<T, R> {
    type Target = Async<T, R>;

    fn deref(&self) -> &Async<T, R> {
        self.0.as_deref().unwrap_or_else(|| unreachable!("it is taken out only to be put together"))
    }
}

impl<T: Duplex, R: Runtime> Drop for EndsWhenDropped<T, R> {
    fn drop(&mut self) {
        if let Some(stream) = &self.0 {
            stream.get_ref().end_when_sent();
        }
    }
}

/// What a sending half owns its stream by.
#[doc(hidden)]
pub trait Share: Deref<Target = Async<Self::Stream, Self::Runtime>> {
    type Stream: Duplex;
    type Runtime: Runtime;

    fn from_shared(stream: Arc<Self::Target>) -> Self;
    fn into_shared(self) -> Arc<Self::Target>;
}

impl<T: Duplex, R: Runtime> Share for Arc<Async<T, R>> {
    type Stream = T;
    type Runtime = R;

    fn from_shared(stream: Self) -> Self {
        stream
    }

    fn into_shared(self) -> Self {
        self
    }
}

impl<T: Duplex, R: Runtime> Share for EndsWhenDropped<T, R> {
    type Stream = T;
    type Runtime = R;

    fn from_shared(stream: Arc<Async<T, R>>) -> Self {
        Self(Some(stream))
    }

    fn into_shared(mut self) -> Arc<Async<T, R>> {
        self.0.take().unwrap_or_else(|| unreachable!("this is the one place where it is taken out"))
    }
}

/// Halves of any stream.
impl<T: Duplex, R: Runtime> Async<T, R> {
    /// Splits into halves for tasks of their own. Dropping the one that sends ends sending, where the stream can do that: the peer
    /// receives what was sent, and then the end. (It is how interprocess 1.2 split; `split` of a local socket has halves whose drop
    /// ends nothing.) The connection is closed when both are gone.
    ///
    /// Halves are not needed to read and write at the same time: `&Stream` does both, and so does a stream in an [`Arc`]. They are
    /// for code that wants to own one direction.
    ///
    /// # Platform-specific behaviour
    /// Named pipes on Windows have no such end: there, the connection ends as a whole.
    pub fn into_split(self) -> (RecvHalf<Arc<Self>>, SendHalf<EndsWhenDropped<T, R>>) {
        let (rh, sh) = split(self);
        (rh, SendHalf(EndsWhenDropped(Some(sh.0))))
    }

    /// Puts the two halves together again. That ends nothing.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite<S: Share<Stream = T, Runtime = R>>(
        rh: RecvHalf<Arc<Self>>,
        sh: SendHalf<S>,
    ) -> ReuniteResult<Self, RecvHalf<Arc<Self>>, SendHalf<S>> {
        reunite(rh, sh)
    }
}

fn reunite<S: Share>(
    rh: RecvHalf<Arc<S::Target>>,
    sh: SendHalf<S>,
) -> ReuniteResult<S::Target, RecvHalf<Arc<S::Target>>, SendHalf<S>> {
    if !ptr::eq(&raw const *rh.0, &raw const *sh.0) {
        return Err(ReuniteError { rh, sh });
    }
    drop(rh);
    Arc::try_unwrap(sh.0.into_shared()).map_err(|stream| ReuniteError {
        rh: RecvHalf(Arc::clone(&stream)),
        sh: SendHalf(S::from_shared(stream)),
    })
}

impl<T: Duplex, R: Runtime> RecvHalf<Arc<Async<T, R>>> {
    /// Puts the two halves together again. That ends nothing.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite_with<S: Share<Stream = T, Runtime = R>>(
        self,
        sh: SendHalf<S>,
    ) -> ReuniteResult<Async<T, R>, Self, SendHalf<S>> {
        reunite(self, sh)
    }
}

impl<S: Share> SendHalf<S> {
    /// Puts the two halves together again. That ends nothing.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite_with(
        self,
        rh: RecvHalf<Arc<S::Target>>,
    ) -> ReuniteResult<S::Target, RecvHalf<Arc<S::Target>>, Self> {
        reunite(rh, self)
    }
}

impl<T: Duplex, R: Runtime, P: Deref<Target = Async<T, R>>> RecvHalf<P> {
    /// Ends receiving. Does not wait.
    ///
    /// # Platform-specific behaviour
    /// [`Unsupported`](io::ErrorKind::Unsupported) for named pipes on Windows.
    pub fn shut_down(&self) -> io::Result<()> {
        self.0.get_ref().shutdown(Shutdown::Read)
    }
}

impl<T: Duplex, R: Runtime, P: Deref<Target = Async<T, R>>> SendHalf<P> {
    /// Ends sending. Does not wait. (The runtimes' own traits have `shutdown` or `close` for that.)
    ///
    /// # Platform-specific behaviour
    /// [`Unsupported`](io::ErrorKind::Unsupported) for named pipes on Windows.
    pub fn shut_down(&self) -> io::Result<()> {
        self.0.get_ref().shutdown(Shutdown::Write)
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
/// where the system can do that. Dropping it does not, unless it is from [`into_split`](Async::into_split) (then `P` is
/// [`EndsWhenDropped`]). The [stream](AsRef) that it is a half of has the rest.
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

/// What the system calls the stream that it is a half of.
macro_rules! as_os {
    ($($half:ident),+) => {$(
        #[cfg(unix)]
        impl<P: Deref<Target: AsFd>> AsFd for $half<P> {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        #[cfg(windows)]
        impl<P: Deref<Target: AsHandle>> AsHandle for $half<P> {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                self.0.as_handle()
            }
        }
    )+};
}
as_os!(RecvHalf, SendHalf);

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
