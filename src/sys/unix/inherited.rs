//! Descriptors that were open before this program was executed: each gets an owner once.

use rustix::io::{Errno, FdFlags};
use std::{
    io,
    os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
    sync::{Mutex, PoisonError},
};

/// Those below have owners in the standard library.
pub(super) const FIRST: RawFd = 3;

/// Held while it is looked at who has an owner, for that to remain so.
static TAKING: Mutex<()> = Mutex::new(());

/// Why a descriptor cannot be taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nothing of that number is open.
    NotOpen,
    /// This process has opened it, or taken it before.
    Owned,
    /// What the check said.
    Wrong(io::Error),
}

/// Takes a descriptor that passes `check`, and sets close-on-exec.
///
/// What was inherited cannot have that flag, and what this crate and the standard library open has it: it tells who has an owner.
pub(super) fn take(
    number: RawFd,
    check: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
) -> Result<OwnedFd, Refusal> {
    if number < 0 {
        return Err(Refusal::NotOpen);
    }
    if number < FIRST {
        return Err(Refusal::Owned);
    }
    let _taking = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: it is only asked what it is, and errors are expected: it may not be open, or be closed meanwhile.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    match rustix::io::fcntl_getfd(fd) {
        Err(Errno::BADF) => return Err(Refusal::NotOpen),
        Err(error) => return Err(Refusal::Wrong(error.into())),
        Ok(flags) if flags.contains(FdFlags::CLOEXEC) => return Err(Refusal::Owned),
        Ok(_) => {}
    }
    check(fd).map_err(Refusal::Wrong)?;
    rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC).map_err(|error| Refusal::Wrong(error.into()))?;
    // SAFETY: it is open, and was inherited, since it had no close-on-exec. The environment says that it is for whoever asks first, and
    // from now on the flag sees to it that nobody gets it a second time.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
