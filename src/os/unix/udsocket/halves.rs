//! Halves of async streams, for two tasks.
//!
//! A task that has a reference to a stream needs no half: any number of tasks may receive and send by way of a
//! [`UdStream`](super::UdStream) in an [`Arc`]. What halves add is their types, which say what they are for, and that the peer learns
//! when the half that sends is gone.

use super::{Socket, kind::Stream};
use crate::{
    error::{ReuniteError, ReuniteResult},
    runtime::{Async, Runtime},
};
use std::{io, net::Shutdown, ops::Deref, sync::Arc};

/// The half of an async stream that receives: by a reference to the stream, or by a share of it. It has the runtime's own trait for
/// reading.
#[derive(Debug)]
pub struct RecvHalf<S>(pub(super) S);

/// The half of an async stream that sends: by a reference to the stream, or by a share of it. It has the runtime's own trait for
/// writing.
#[derive(Debug)]
pub struct SendHalf<S>(pub(super) S);

/// A share of a stream. Dropping it ends sending.
#[derive(Debug)]
pub struct EndsWhenDropped<R: Runtime> {
    stream: Arc<Async<Socket<Stream>, R>>,
    is_reunited: bool,
}

impl<R: Runtime> Deref for EndsWhenDropped<R> {
    type Target = Async<Socket<Stream>, R>;

    fn deref(&self) -> &Self::Target {
        &self.stream
    }
}

impl<R: Runtime> Drop for EndsWhenDropped<R> {
    fn drop(&mut self) {
        if !self.is_reunited {
            // Should that fail, it has ended already.
            let _ = self.stream.shut_down(Shutdown::Write);
        }
    }
}

/// The half that receives, for a task of its own.
pub type OwnedRecvHalf<R> = RecvHalf<Arc<Async<Socket<Stream>, R>>>;

/// The half that sends, for a task of its own. Dropping it ends sending: the peer reads what was sent, and then the end.
pub type OwnedSendHalf<R> = SendHalf<EndsWhenDropped<R>>;

/// Halves of a stream.
impl<R: Runtime> Async<Socket<Stream>, R> {
    /// Splits into halves that borrow the stream. Dropping them does nothing.
    pub fn split(&mut self) -> (RecvHalf<&Self>, SendHalf<&Self>) {
        (RecvHalf(self), SendHalf(self))
    }

    /// Splits into halves for tasks of their own. Dropping the one that sends ends sending; dropping the one that receives does
    /// nothing, and the connection is closed when both are gone.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use interprocess::os::unix::udsocket::tokio::UdStream;
    ///
    /// let (one, other) = UdStream::pair()?;
    /// let (recver, sender) = one.into_split();
    /// sender.send(b"a question").await?;
    /// drop(sender);
    /// assert_eq!(other.recv(&mut [0; 16]).await?, 10);
    /// assert_eq!(other.recv(&mut [0; 16]).await?, 0);
    /// other.send(b"an answer").await?;
    /// assert_eq!(recver.recv(&mut [0; 16]).await?, 9);
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_split(self) -> (OwnedRecvHalf<R>, OwnedSendHalf<R>) {
        let stream = Arc::new(self);
        (RecvHalf(Arc::clone(&stream)), SendHalf(EndsWhenDropped { stream, is_reunited: false }))
    }

    /// Puts the two halves together again.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite(
        rh: OwnedRecvHalf<R>,
        mut sh: OwnedSendHalf<R>,
    ) -> ReuniteResult<Self, OwnedRecvHalf<R>, OwnedSendHalf<R>> {
        if !Arc::ptr_eq(&rh.0, &sh.0.stream) {
            return Err(ReuniteError { rh, sh });
        }
        sh.0.is_reunited = true;
        drop(sh);
        Arc::try_unwrap(rh.0).map_err(|stream| {
            let sh = SendHalf(EndsWhenDropped { stream: Arc::clone(&stream), is_reunited: false });
            ReuniteError { rh: RecvHalf(stream), sh }
        })
    }
}

impl<R: Runtime> RecvHalf<Arc<Async<Socket<Stream>, R>>> {
    /// [`reunite`](Async::reunite)s the halves.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite_with(
        self,
        sh: OwnedSendHalf<R>,
    ) -> ReuniteResult<Async<Socket<Stream>, R>, Self, OwnedSendHalf<R>> {
        Async::reunite(self, sh)
    }
}

impl<R: Runtime> SendHalf<EndsWhenDropped<R>> {
    /// [`reunite`](Async::reunite)s the halves.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite_with(
        self,
        rh: OwnedRecvHalf<R>,
    ) -> ReuniteResult<Async<Socket<Stream>, R>, OwnedRecvHalf<R>, Self> {
        Async::reunite(rh, self)
    }
}

impl<S: Deref<Target = Async<Socket<Stream>, R>>, R: Runtime> RecvHalf<S> {
    /// Receives bytes. See [`UdStream::recv`](Socket#method.recv).
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf).await
    }

    /// Ends receiving. Does not wait.
    pub fn shut_down(&self) -> io::Result<()> {
        self.0.shut_down(Shutdown::Read)
    }
}

impl<S: Deref<Target = Async<Socket<Stream>, R>>, R: Runtime> SendHalf<S> {
    /// Sends bytes. See [`UdStream::send`](Socket#method.send).
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf).await
    }

    /// Ends sending. Does not wait. (The runtimes' own traits have `shutdown` or `close` for that.)
    pub fn shut_down(&self) -> io::Result<()> {
        self.0.shut_down(Shutdown::Write)
    }
}

/// The whole stream, with all that it can do.
impl<S: Deref<Target = Async<Socket<Stream>, R>>, R: Runtime> AsRef<Async<Socket<Stream>, R>>
    for RecvHalf<S>
{
    fn as_ref(&self) -> &Async<Socket<Stream>, R> {
        &self.0
    }
}

/// The whole stream, with all that it can do.
impl<S: Deref<Target = Async<Socket<Stream>, R>>, R: Runtime> AsRef<Async<Socket<Stream>, R>>
    for SendHalf<S>
{
    fn as_ref(&self) -> &Async<Socket<Stream>, R> {
        &self.0
    }
}
