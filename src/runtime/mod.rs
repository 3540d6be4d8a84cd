//! The seam to async runtimes: [`Async`] makes an async object out of a blocking one, whatever the runtime.
//!
//! The async types of this crate are aliases: `local_socket::tokio::Stream` is
//! `Async<local_socket::Stream, Tokio>`. What they can do is listed there, next to the blocking twin of each
//! method. This module is of use to code that is generic over the runtime.

#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(all(windows, any(feature = "smol", feature = "tokio")))]
mod windows;

#[cfg(feature = "smol")]
pub use self::smol::Smol;
#[cfg(feature = "tokio")]
pub use self::tokio::Tokio;

use std::{
    fmt::Debug,
    future::{Future, poll_fn},
    io::{self, IoSlice, IoSliceMut},
    mem,
    net::Shutdown,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

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

    /// Waits for that long.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;
}

/// A blocking object that can be made async: those of this crate, when they are nonblocking.
///
/// # Safety
/// On Unix, `as_fd` gives the same open descriptor for the object's whole life.
#[cfg(unix)]
pub unsafe trait Source:
    private::Sealed + std::os::fd::AsFd + Debug + Send + Sync + Unpin + 'static
{
}

/// A blocking object that can be made async: those of this crate, when they are nonblocking.
#[cfg(windows)]
pub trait Source: private::Sealed + Debug + Send + Sync + Unpin + 'static {
    #[doc(hidden)]
    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()>;
}

/// An object that is known to the runtime's reactor, if it has one.
#[doc(hidden)]
pub trait Registered<T>: Sized + Debug + Send + Sync + Unpin {
    fn new(io: T) -> io::Result<Self>;
    fn get_ref(&self) -> &T;
    fn into_inner(self) -> io::Result<T>;

    /// Tries `attempt` until it is not `WouldBlock`, waiting in between. Any number of tasks may wait.
    fn wait_with<X>(
        &self,
        interest: Interest,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send;

    /// The same for traits that poll. The last task that polled for an interest is the one that is woken.
    fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> Poll<io::Result<X>>;
}

/// A blocking object `T`, made async on the runtime `R`.
///
/// Any number of tasks may wait in its async methods. The runtime's own traits for reading and writing, which are there for
/// `&Async<T, R>` too, remember one task for each direction: the last one that polled.
#[derive(Debug)]
pub struct Async<T: Source, R: Runtime> {
    io: R::Io<T>,
}

impl<T: Source, R: Runtime> Async<T, R> {
    /// Takes an object that is nonblocking already.
    pub(crate) fn new(io: T) -> io::Result<Self> {
        R::Io::new(io).map(|io| Self { io })
    }

    /// The blocking object inside, which is in nonblocking mode. Taking it out of that mode makes async calls block.
    pub fn get_ref(&self) -> &T {
        self.io.get_ref()
    }

    pub(crate) fn into_inner(self) -> io::Result<T> {
        self.io.into_inner()
    }

    /// Tries until there is something to read.
    pub(crate) fn read_with<X>(
        &self,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send {
        self.io.wait_with(Interest::Read, attempt)
    }

    /// Tries until there is room to write.
    pub(crate) fn write_with<X>(
        &self,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send {
        self.io.wait_with(Interest::Write, attempt)
    }
}

/// What has the runtime's own traits for reading and writing.
#[doc(hidden)]
pub trait ByteStream: Source {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    fn send(&self, buf: &[u8]) -> io::Result<usize>;
    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}

/// Tasks that wait for something that happens once.
#[derive(Debug, Default)]
pub(crate) struct WakerList(Mutex<Vec<Waker>>);

impl WakerList {
    pub(crate) fn add(&self, waker: &Waker) {
        /// Tasks that gave up do not say so. When there are this many, all are woken to ask again.
        const MOST: usize = 32;

        let mut wakers = self.lock();
        if wakers.iter().any(|other| other.will_wake(waker)) {
            return;
        }
        let woken = if wakers.len() < MOST { Vec::new() } else { mem::take(&mut *wakers) };
        wakers.push(waker.clone());
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn wake(&self) {
        let woken = mem::take(&mut *self.lock());
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets other tasks run.
pub(crate) async fn yield_now() {
    let mut is_second = false;
    poll_fn(|cx| {
        if mem::replace(&mut is_second, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) mod private {
    /// Only types of this crate.
    pub trait Sealed {}
}
