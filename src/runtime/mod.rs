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
    /// Whether the other end may be closed, and then be opened again.
    #[doc(hidden)]
    const IS_REOPENED: bool = false;
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

/// What has the runtime's own trait for reading.
#[doc(hidden)]
pub trait RecvBytes: Source {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
}

/// What has the runtime's own trait for writing.
#[doc(hidden)]
pub trait SendBytes: Source {
    fn send(&self, buf: &[u8]) -> io::Result<usize>;
    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    fn flush(&self) -> io::Result<()>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}

impl<T: SendBytes, R: Runtime> Async<T, R> {
    /// For the runtime's own trait. Does not wait for room to write unless there is something to wait for.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    fn poll_flushed(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_ref().flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.io.poll_with(Interest::Write, cx, T::flush)
            }
            result => Poll::Ready(result),
        }
    }

    /// For the runtime's own trait. Waits only where the system leaves it to us to send first what is on its way.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    fn poll_shut_down(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_ref().shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // What was not sent makes no difference to the end.
                let _ = std::task::ready!(self.poll_flushed(cx));
                Poll::Ready(self.get_ref().shutdown(Shutdown::Write))
            }
            result => Poll::Ready(result),
        }
    }
}

/// Tasks that wait for something that happens once.
#[derive(Debug, Default)]
pub(crate) struct WakerList(Mutex<Wakers>);

#[derive(Debug, Default)]
struct Wakers {
    tasks: Vec<Waker>,
    /// How many there may be before those that gave up, and did not say so, have to be sorted out.
    limit: usize,
}

impl WakerList {
    pub(crate) fn add(&self, waker: &Waker) {
        const LEAST_LIMIT: usize = 32;

        let mut wakers = self.lock();
        if wakers.tasks.iter().any(|other| other.will_wake(waker)) {
            return;
        }
        let mut woken = Vec::new();
        if wakers.tasks.len() >= wakers.limit.max(LEAST_LIMIT) {
            // All are woken to ask again. Should all still wait, the next time is twice as far.
            woken = mem::take(&mut wakers.tasks);
            wakers.limit = woken.len() * 2;
        }
        wakers.tasks.push(waker.clone());
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn wake(&self) {
        let woken = mem::take(&mut self.lock().tasks);
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Wakers> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
    };

    /// A task that asks again whenever it is woken.
    struct Task {
        list: Arc<WakerList>,
        woken: AtomicUsize,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.woken.fetch_add(1, Relaxed);
            // Only so often, for the test to end if they wake each other for ever.
            if self.woken.load(Relaxed) < 100 {
                let list = Arc::clone(&self.list);
                list.add(&self.into());
            }
        }
    }

    #[test]
    fn many_waiting_tasks_do_not_wake_each_other_for_ever() {
        let list = Arc::new(WakerList::default());
        let new = || Arc::new(Task { list: Arc::clone(&list), woken: AtomicUsize::new(0) });
        let tasks: Vec<_> = (0..200).map(|_| new()).collect();
        for task in &tasks {
            list.add(&Arc::clone(task).into());
        }
        assert!(tasks.iter().all(|task| task.woken.load(Relaxed) < 10));
        assert_eq!(list.lock().tasks.len(), tasks.len());
        let before: usize = tasks.iter().map(|task| task.woken.load(Relaxed)).sum();
        list.wake();
        let after: usize = tasks.iter().map(|task| task.woken.load(Relaxed)).sum();
        assert_eq!(after - before, tasks.len());
    }
}
