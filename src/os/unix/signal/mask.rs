//! Which signals a thread lets through.

use crate::{
    deadline::Deadline,
    signal::{Received, Signal},
    sys::signal::{self as sys, mask::Change},
};
use std::{
    fmt::{self, Debug, Formatter},
    io,
    marker::PhantomData,
    time::Duration,
};

/// A set of signals.
///
/// ```
/// use interprocess::os::unix::signal::SignalSet;
/// use interprocess::signal::Signal;
///
/// let set: SignalSet = [Signal::User1, Signal::User2].into_iter().collect();
/// assert!(set.contains(Signal::User1) && !set.contains(Signal::Interrupt));
/// assert_eq!(set.iter().count(), 2);
/// ```
#[derive(Copy, Clone)]
pub struct SignalSet(pub(super) sys::mask::Set);

impl SignalSet {
    /// No signal.
    pub fn empty() -> Self {
        Self(sys::mask::Set::empty())
    }

    /// Every signal of this system.
    pub fn full() -> Self {
        Self(sys::mask::Set::full())
    }

    /// Adds a signal.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): this system has no such signal.
    pub fn insert(&mut self, signal: Signal) -> io::Result<()> {
        self.0.insert(super::number(signal)?)
    }

    /// Takes a signal out.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert).
    pub fn remove(&mut self, signal: Signal) -> io::Result<()> {
        self.0.remove(super::number(signal)?)
    }

    /// Whether the signal is in it.
    pub fn contains(&self, signal: Signal) -> bool {
        signal.number().is_some_and(|number| self.0.contains(number))
    }

    /// The signals in it, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Signal> + '_ {
        (1..128).filter(|&number| self.0.contains(number)).filter_map(sys::from_number)
    }

    /// The signals that this thread blocks. Stands on `pthread_sigmask(3)`.
    pub fn blocked() -> Self {
        Self(sys::mask::blocked())
    }

    /// The signals that were sent to this thread or to the process and that wait, as they are blocked. Stands on `sigpending(2)`.
    pub fn pending() -> io::Result<Self> {
        sys::mask::pending().map(Self)
    }

    /// Blocks these signals in this thread, in addition to what it blocks already, until the guard is dropped. What is blocked waits; if
    /// no thread lets it through, for as long as that takes. Threads that this one starts block the same signals, as do
    /// children. Stands on `pthread_sigmask(3)`.
    ///
    /// [`Signal::Kill`] and [`Signal::Stop`] cannot be blocked, which is no error.
    ///
    /// ```
    /// use interprocess::os::unix::signal::SignalSet;
    /// use interprocess::signal::Signal;
    ///
    /// let user1: SignalSet = [Signal::User1].into_iter().collect();
    /// let guard = user1.block()?;
    /// assert!(SignalSet::blocked().contains(Signal::User1));
    /// drop(guard);
    /// assert!(!SignalSet::blocked().contains(Signal::User1));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn block(&self) -> io::Result<MaskGuard> {
        MaskGuard::new(Change::Block, self)
    }

    /// Lets these signals through to this thread, until the guard is dropped. Those that were waiting for this come now.
    pub fn unblock(&self) -> io::Result<MaskGuard> {
        MaskGuard::new(Change::Unblock, self)
    }

    /// Has this thread block these signals and no others, until the guard is dropped.
    pub fn block_only(&self) -> io::Result<MaskGuard> {
        MaskGuard::new(Change::Set, self)
    }

    /// Waits for one of these signals, and takes it away: no handler is called. Every thread has to block them before, or they do
    /// what they would do otherwise. Stands on `sigwaitinfo(2)`.
    ///
    /// # Platform-specific behaviour
    /// On macOS, OpenBSD and illumos, it stands on `sigwait(3)`, and nothing more is known than which signal it was.
    ///
    /// ```
    /// # #[cfg(target_os = "linux")] {
    /// use interprocess::os::unix::signal::{Recipient, SignalSet, send_signal, thread_id};
    /// use interprocess::signal::Signal;
    ///
    /// let user1: SignalSet = [Signal::User1].into_iter().collect();
    /// let _guard = user1.block()?;
    /// send_signal(Recipient::Thread { process: std::process::id(), thread: thread_id() }, Signal::User1)?;
    /// assert_eq!(user1.wait()?.signal(), Signal::User1);
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait(&self) -> io::Result<Received> {
        sys::mask::wait(&self.0, Deadline::NEVER)
    }

    /// Like [`wait`](Self::wait), but waits for no longer than `timeout`. Stands on `sigtimedwait(2)`.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// # Platform-specific behaviour
    /// macOS, OpenBSD and illumos have no such call: [`Unsupported`](io::ErrorKind::Unsupported). [`Signals`](crate::signal::Signals) has
    /// deadlines everywhere.
    pub fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
        sys::mask::wait(&self.0, Deadline::after(timeout))
    }
}

/// Those that this system does not have are left out.
impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        let mut set = Self::empty();
        for signal in signals {
            let _ = set.insert(signal);
        }
        set
    }
}

impl Debug for SignalSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl PartialEq for SignalSet {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SignalSet {}

/// Puts back what a thread blocked before, when it is dropped. From [`SignalSet::block`] and its kin. It stays in its thread.
#[derive(Debug)]
#[must_use = "dropping it puts back what was blocked before"]
pub struct MaskGuard {
    before: SignalSet,
    /// It is about one thread.
    thread: PhantomData<*const ()>,
}

impl MaskGuard {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "on some systems it is a number, and on others an array"
    )]
    fn new(change: Change, set: &SignalSet) -> io::Result<Self> {
        let before = SignalSet(sys::mask::change(change, &set.0)?);
        Ok(Self { before, thread: PhantomData })
    }

    /// What the thread blocked before.
    pub fn before(&self) -> SignalSet {
        self.before
    }

    /// Leaves it as it is now, for good.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for MaskGuard {
    fn drop(&mut self) {
        let _ = sys::mask::change(Change::Set, &self.before.0);
    }
}
