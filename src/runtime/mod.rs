//! The seam to async runtimes: [`Async`] makes an async object out of a blocking one, whatever the runtime.
//!
//! The async types of this crate are aliases: `local_socket::tokio::Stream` is
//! `Async<local_socket::Stream, Tokio>`. What they can do is listed there, next to the blocking twin of each
//! method. This module is of use to code that is generic over the runtime.
//!
//! ```
//! # #[cfg(feature = "tokio")] {
//! use interprocess::{
//!     local_socket::{Listener, Stream},
//!     runtime::{Async, Runtime, Tokio},
//! };
//!
//! /// Sends each client its own words back, on whatever runtime it is called.
//! async fn serve<R: Runtime>(listener: &Async<Listener, R>) -> std::io::Result<()> {
//!     while let Some(client) = listener.incoming().next().await {
//!         let client = client?;
//!         let mut words = [0; 64];
//!         let len = client.recv(&mut words).await?;
//!         client.send(&words[..len]).await?;
//!         # listener.stop();
//!     }
//!     Ok(())
//! }
//!
//! # let name = format!("@interprocess-doc-generic-{}", std::process::id());
//! # let name = name.as_str();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let listener = Async::<Listener, Tokio>::bind(name)?;
//! # let asking = async {
//! # let client = Async::<Stream, Tokio>::connect(name).await?;
//! # client.send(b"hello").await?;
//! # assert_eq!(client.recv(&mut [0; 64]).await?, 5);
//! # Ok(())
//! # };
//! # tokio::try_join!(asking,
//! serve(&listener)
//! # )
//! # })?;
//! # }
//! # Ok::<(), std::io::Error>(())
//! ```

mod accept;
mod bytes;
#[cfg(any(feature = "smol", feature = "tokio_support"))]
mod futures_io;
pub(crate) mod halves;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(all(test, unix))]
mod toy;
mod wakers;
#[cfg(all(windows, any(feature = "smol", feature = "tokio")))]
mod windows;

#[cfg(any(feature = "smol", feature = "tokio_support"))]
pub use self::futures_io::FuturesIo;
#[cfg(feature = "smol")]
pub use self::smol::Smol;
#[cfg(feature = "tokio")]
pub use self::tokio::Tokio;
pub use self::{
    accept::{Accept, Incoming},
    bytes::{RecvBytes, SendBytes},
    halves::{Duplex, EndsWhenDropped, Halves, RecvHalf, SendHalf, Share},
};

#[cfg(windows)]
use std::task::{Context, Poll};
use std::{fmt::Debug, future::Future, io, time::Duration};

pub(crate) use self::wakers::WakerList;
#[cfg(windows)]
pub(crate) use self::wakers::on_thread;

/// What one waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interest {
    /// Reading, or accepting.
    Read,
    /// Writing.
    Write,
}

/// An async runtime that [`Async`] knows: `Tokio` or `Smol`.
///
/// What is created for Tokio has to be created within a runtime, or that is an error; one that has its I/O driver disabled
/// makes Tokio panic.
pub trait Runtime: private::Sealed + Copy + Debug + Send + Sync + Unpin + 'static {
    #[doc(hidden)]
    type Io<T: Source>: Registered<T>;

    /// For what the other end of may be closed, and then be opened again.
    #[doc(hidden)]
    type ReopenedIo<T: Source>: Registered<T>;

    /// Waits for that long.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;

    /// Polls, unless the runtime counts what a task gets done in one go and it is the turn of others. The task is woken then.
    #[cfg(windows)]
    #[doc(hidden)]
    fn poll_turn<X>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<X>) -> Poll<X> {
        poll(cx)
    }
}

/// A blocking object that can be made async: those of this crate, when they are nonblocking.
///
/// # Safety
/// On Unix, `as_fd` gives the same open descriptor for the object's whole life.
#[cfg(unix)]
pub unsafe trait Source:
    private::Sealed + std::os::fd::AsFd + Debug + Send + Sync + Unpin + Sized + 'static
{
    /// One of those that the runtime has.
    #[doc(hidden)]
    type Io<R: Runtime>: Registered<Self>;
}

/// A blocking object that can be made async: those of this crate, when they are nonblocking.
#[cfg(windows)]
pub trait Source: private::Sealed + Debug + Send + Sync + Unpin + Sized + 'static {
    /// One of those that the runtime has.
    #[doc(hidden)]
    type Io<R: Runtime>: Registered<Self>;

    #[doc(hidden)]
    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()>;
}

/// An object that is known to the runtime's reactor, if it has one.
#[doc(hidden)]
pub trait Registered<T>: Sized + Debug + Send + Sync + Unpin {
    /// Whether the reactor takes word from us that nothing is left, or no room.
    const TAKES_WORD: bool = false;

    fn new(io: T) -> io::Result<Self>;
    fn get_ref(&self) -> &T;
    fn get_mut(&mut self) -> &mut T;
    fn into_inner(self) -> io::Result<T>;

    /// Waits until an attempt may be worth it. Any number of tasks may wait.
    fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<()>> + Send;

    /// Makes one attempt. After `WouldBlock`, [`ready`](Self::ready) waits.
    fn try_with<X>(&self, interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X>;

    /// Tries `attempt` until it is not `WouldBlock`, waiting in between. Any number of tasks may wait.
    fn wait_with<X>(
        &self,
        interest: Interest,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send;

    /// The same for an attempt that tells whether the next one would find nothing, so that it is not made.
    fn wait_and_tell(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&T) -> io::Result<Told> + Send,
    ) -> impl Future<Output = io::Result<usize>> + Send {
        self.wait_with(interest, move |io| attempt(io).map(Told::len))
    }

    /// The same for traits that poll.
    fn poll_and_tell(
        &self,
        interest: Interest,
        cx: &mut std::task::Context<'_>,
        mut attempt: impl FnMut(&T) -> io::Result<Told>,
    ) -> std::task::Poll<io::Result<usize>> {
        self.poll_with(interest, cx, |io| attempt(io).map(Told::len))
    }

    /// Like `wait_with`, for traits that poll. The last task that polled for an interest is the one that is woken.
    fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut std::task::Context<'_>,
        attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> std::task::Poll<io::Result<X>>;
}

/// How many bytes were received or sent, and whether it is known that the next attempt would find nothing, or no room. One number, so that
/// it is handed on in a register.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Told(usize);

impl Told {
    /// No buffer is so long that its length has this bit.
    const IS_LAST: usize = 1 << (usize::BITS - 1);

    #[inline]
    pub(crate) fn more_may_follow(len: usize) -> Self {
        Self(len)
    }

    #[inline]
    pub(crate) fn last(len: usize) -> Self {
        Self(len | Self::IS_LAST)
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.0 & !Self::IS_LAST
    }

    #[cfg(all(unix, feature = "tokio"))]
    #[inline]
    pub(crate) fn is_last(self) -> bool {
        self.0 & Self::IS_LAST != 0
    }
}

/// A blocking object `T`, made async on the runtime `R`.
///
/// Any number of tasks may wait in its async methods. The runtime's own traits for reading and writing, which are there for
/// `&Async<T, R>` too, remember one task for each direction: the last one that polled.
///
/// # Twins
/// An async method has the name and the meaning of the blocking method of `T` that it is the twin of. What does not wait is a
/// method here, too, or is reached by [`get_ref`](Self::get_ref). There are no timeouts to set: a future that takes too long is
/// dropped, which the runtimes have functions for, and what is lost by that is said under "Cancel safety". As a rule, nothing is.
///
/// # Threads and runtimes
/// Futures and objects can go to other threads. An object can be used by tasks of any runtime of the same kind, for as long as
/// the one that it was created in runs; it can be dropped anywhere, also when no runtime is left.
#[derive(Debug)]
pub struct Async<T: Source, R: Runtime> {
    io: T::Io<R>,
}

impl<T: Source, R: Runtime> Async<T, R> {
    /// Takes an object that is nonblocking already.
    pub(crate) fn new(io: T) -> io::Result<Self> {
        T::Io::new(io).map(|io| Self { io })
    }

    /// The blocking object inside, which is in nonblocking mode. Taking it out of that mode makes async calls block.
    pub fn get_ref(&self) -> &T {
        self.io.get_ref()
    }

    /// For what needs it, as long as the object stays the same.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.io.get_mut()
    }

    pub(crate) fn into_inner(self) -> io::Result<T> {
        self.io.into_inner()
    }

    /// Waits until receiving, accepting or sending may be possible without waiting: `try_recv`, `try_send` and `try_accept`
    /// try it. They may be [`WouldBlock`](io::ErrorKind::WouldBlock) all the same; then wait again. The end of a stream and
    /// errors count, too.
    ///
    /// # Platform-specific behaviour
    /// On Windows, it is the attempt that starts what is waited for. Before the first one, this does not wait.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.io.ready(interest).await
    }

    /// Makes one attempt, with the blocking object, at what has no `try_` method here: receiving ancillary data, say. After
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), [`ready`](Self::ready) waits. (An attempt by way of [`get_ref`](Self::get_ref) does
    /// not tell the reactor that there is something to wait for.)
    pub fn try_io<X>(&self, interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        self.io.try_with(interest, attempt)
    }

    /// Makes attempts, with the blocking object, until one is not [`WouldBlock`](io::ErrorKind::WouldBlock), and waits in between: the
    /// async twin of whatever the object can do.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, no attempt has succeeded.
    pub async fn async_io<X>(
        &self,
        interest: Interest,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> io::Result<X> {
        self.io.wait_with(interest, attempt).await
    }

    /// Tries until there is something to read.
    pub(crate) fn read_with<X>(
        &self,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send {
        self.io.wait_with(Interest::Read, attempt)
    }

    /// The same for traits that poll.
    #[cfg(any(feature = "signals", feature = "tokio"))]
    pub(crate) fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut std::task::Context<'_>,
        attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> std::task::Poll<io::Result<X>> {
        self.io.poll_with(interest, cx, attempt)
    }

    /// Tries until there is room to write.
    pub(crate) fn write_with<X>(
        &self,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send {
        self.io.wait_with(Interest::Write, attempt)
    }
}

/// Registering the descriptor elsewhere, or taking it out of nonblocking mode, breaks waiting.
#[cfg(unix)]
impl<T: Source, R: Runtime> std::os::fd::AsFd for Async<T, R> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

/// What the object has read ahead is not in the pipe any more.
#[cfg(windows)]
impl<T: Source + std::os::windows::io::AsHandle, R: Runtime> std::os::windows::io::AsHandle for Async<T, R> {
    fn as_handle(&self) -> std::os::windows::io::BorrowedHandle<'_> {
        self.get_ref().as_handle()
    }
}

/// The future's output, or [`TimedOut`](io::ErrorKind::TimedOut).
pub(crate) async fn limited<X, R: Runtime>(
    limit: Duration,
    future: impl Future<Output = io::Result<X>>,
) -> io::Result<X> {
    use std::{future::poll_fn, pin::pin, task::Poll};

    let (mut future, mut limit) = (pin!(future), pin!(R::sleep(limit)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Pending => limit.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
        result @ Poll::Ready(_) => result,
    })
    .await
}

pub(crate) mod private {
    /// Only types of this crate.
    pub trait Sealed {}
}
