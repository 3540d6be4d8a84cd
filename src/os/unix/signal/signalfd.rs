//! Signals as what is read from a descriptor.

#[cfg(feature = "async")]
use crate::runtime::{Async, Interest, Runtime, Source, limited, private::Sealed};
use crate::{deadline::Deadline, signal::Received, sys::signal::signalfd as sys};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use super::SignalSet;

/// Gives out signals that are blocked, of those that were sent to the process or to the thread that asks. Stands on `signalfd(2)`.
///
/// Nothing is queued but by the kernel, which keeps all real-time signals in order and refuses further ones to their sender.
/// In return, every thread has to block the signals: block them before any other thread is started. Children start with them
/// blocked, too. [`Signals`](crate::signal::Signals) has neither condition.
///
/// ```
/// use interprocess::os::unix::signal::{Recipient, SignalFd, SignalSet, send_signal, thread_id};
/// use interprocess::signal::Signal;
///
/// let set: SignalSet = [Signal::User1].into_iter().collect();
/// let _guard = set.block()?;
/// let signals = SignalFd::new(&set)?;
/// send_signal(Recipient::Thread { process: std::process::id(), thread: thread_id() }, Signal::User1)?;
/// assert_eq!(signals.wait()?.signal(), Signal::User1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SignalFd(sys::SignalFd);

impl SignalFd {
    /// For the signals of this set. Those that cannot be blocked are left out by the system.
    ///
    /// # Errors
    /// The system's, for want of descriptors or memory.
    pub fn new(set: &SignalSet) -> io::Result<Self> {
        sys::SignalFd::new(&set.0).map(Self)
    }

    /// Changes the set.
    pub fn set(&self, set: &SignalSet) -> io::Result<()> {
        self.0.set(&set.0)
    }

    /// Waits for a signal, and takes it.
    pub fn wait(&self) -> io::Result<Received> {
        self.0.wait(|| Deadline::NEVER)
    }

    /// Like [`wait`](Self::wait), but waits for no longer than `timeout`.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
        self.0.wait(|| Deadline::after(timeout))
    }

    /// Like [`wait`](Self::wait), but never waits.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): there is none.
    pub fn try_wait(&self) -> io::Result<Received> {
        self.0.try_wait()
    }
}

/// It is nonblocking, and has to stay so.
impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The descriptor is nonblocking.
impl From<SignalFd> for OwnedFd {
    fn from(fd: SignalFd) -> Self {
        fd.0.into()
    }
}

#[cfg(feature = "async")]
impl Sealed for SignalFd {}

// SAFETY: the descriptor is the one that the object owns, from when it is made until it is dropped or given away whole.
#[cfg(feature = "async")]
unsafe impl Source for SignalFd {
    type Io<R: Runtime> = R::Io<Self>;
}

/// The async face of a [`SignalFd`]. Reactors ask for what was sent to the process; what was sent to one thread may be
/// overlooked.
#[cfg(feature = "async")]
impl<R: Runtime> Async<SignalFd, R> {
    /// The twin of [`SignalFd::wait`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no signal is lost.
    pub async fn wait(&self) -> io::Result<Received> {
        self.read_with(SignalFd::try_wait).await
    }

    /// The twin of [`SignalFd::wait_timeout`].
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// # Cancel safety
    /// If the future is dropped, no signal is lost.
    pub async fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
        limited::<_, R>(timeout, self.wait()).await
    }

    /// The twin of [`SignalFd::try_wait`].
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): there is none.
    pub fn try_wait(&self) -> io::Result<Received> {
        self.try_io(Interest::Read, SignalFd::try_wait)
    }
}

/// To the async face, within the runtime.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<SignalFd> for Async<SignalFd, R> {
    type Error = io::Error;

    fn try_from(fd: SignalFd) -> io::Result<Self> {
        Self::new(fd)
    }
}

/// To the blocking face.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<Async<SignalFd, R>> for SignalFd {
    type Error = io::Error;

    fn try_from(fd: Async<SignalFd, R>) -> io::Result<Self> {
        fd.into_inner()
    }
}
