//! Sets of signals, which of them wait, and waiting for those that do.

use super::{details, empty_set, handlers::check};
use crate::{deadline::Deadline, signal::Received};
use libc::{c_int, sigset_t};
use std::{io, ptr::null};

/// A set.
#[derive(Copy, Clone)]
pub(crate) struct Set(sigset_t);

impl Set {
    pub(crate) fn empty() -> Self {
        Self(empty_set())
    }

    /// Every signal, but those that the C library keeps to itself.
    pub(crate) fn full() -> Self {
        let mut set = empty_set();
        // SAFETY: the set may be written to.
        unsafe { libc::sigfillset(&raw mut set) };
        Self(set)
    }

    pub(crate) fn insert(&mut self, signal: c_int) -> io::Result<()> {
        // SAFETY: the set is initialized. A number that is none is an error.
        check(unsafe { libc::sigaddset(&raw mut self.0, signal) })
    }

    pub(crate) fn remove(&mut self, signal: c_int) -> io::Result<()> {
        // SAFETY: as above.
        check(unsafe { libc::sigdelset(&raw mut self.0, signal) })
    }

    pub(crate) fn contains(&self, signal: c_int) -> bool {
        // SAFETY: as above.
        unsafe { libc::sigismember(&raw const self.0, signal) == 1 }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn as_ptr(&self) -> *const sigset_t {
        &raw const self.0
    }
}

/// How a mask is changed.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Change {
    Block,
    Unblock,
    Set,
}

/// Changes what this thread blocks, and gives what it blocked before.
pub(crate) fn change(how: Change, set: &Set) -> io::Result<Set> {
    let how = match how {
        Change::Block => libc::SIG_BLOCK,
        Change::Unblock => libc::SIG_UNBLOCK,
        Change::Set => libc::SIG_SETMASK,
    };
    let mut before = empty_set();
    // SAFETY: both sets are initialized, and the second one may be written to.
    match unsafe { libc::pthread_sigmask(how, &raw const set.0, &raw mut before) } {
        0 => Ok(Set(before)),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// What this thread blocks.
pub(crate) fn blocked() -> Set {
    let mut now = empty_set();
    // SAFETY: with no new set, this only writes the present one to where it may.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, null(), &raw mut now) };
    Set(now)
}

/// What waits for this thread or the process to let it through.
pub(crate) fn pending() -> io::Result<Set> {
    let mut set = empty_set();
    // SAFETY: the set may be written to.
    check(unsafe { libc::sigpending(&raw mut set) })?;
    Ok(Set(set))
}

/// Takes a signal of the set that waits, or waits for one.
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "dragonfly"
))]
pub(crate) fn wait(set: &Set, deadline: Deadline) -> io::Result<Received> {
    use std::{mem::MaybeUninit, time::Duration};

    /// No system has trouble with that.
    const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    loop {
        let left = deadline.remaining();
        let timeout = left.map(|left| {
            let left = left.min(LONGEST_WAIT);
            // SAFETY: a structure of integers, for which zero is a value.
            let mut timeout: libc::timespec = unsafe { MaybeUninit::zeroed().assume_init() };
            // A day fits into the field everywhere.
            timeout.tv_sec = left.as_secs().try_into().unwrap_or_default();
            #[allow(
                clippy::useless_conversion,
                clippy::unnecessary_fallible_conversions,
                reason = "the type differs between systems"
            )]
            {
                timeout.tv_nsec = left.subsec_nanos().try_into().unwrap_or(0);
            }
            timeout
        });
        let timeout = timeout.as_ref().map_or(null(), std::ptr::from_ref);
        // SAFETY: the set is initialized, the details may be written to, and the timeout is null or a valid one.
        let signal = unsafe { libc::sigtimedwait(&raw const set.0, info.as_mut_ptr(), timeout) };
        if signal > 0 {
            // SAFETY: all zeros is a valid value of this structure, and the system wrote another.
            let info = unsafe { info.assume_init_ref() };
            return Ok(details::received(details::record(signal, Some(info))));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN) if deadline.has_passed() => return Err(io::ErrorKind::TimedOut.into()),
            Some(libc::EAGAIN | libc::EINTR) => {}
            _ => return Err(error),
        }
    }
}

/// Without details and without a deadline, which these systems do not have.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "dragonfly"
)))]
pub(crate) fn wait(set: &Set, deadline: Deadline) -> io::Result<Received> {
    if deadline.remaining().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system waits for signals without a limit only",
        ));
    }
    let mut signal = 0;
    // SAFETY: the set is initialized, and the number may be written to.
    match unsafe { libc::sigwait(&raw const set.0, &raw mut signal) } {
        0 => Ok(details::received(details::record(signal, None))),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
