//! Waiting for descriptors that are nonblocking, so that nobody who comes first can keep us past a deadline.

use crate::deadline::Deadline;
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    io::{Errno, retry_on_intr},
};
use std::{io, os::fd::BorrowedFd, time::Duration};

/// Makes `attempt` until it is not `EAGAIN`, and waits in between until `fd` is `ready`. The deadline is only asked for when
/// there is something to wait for, and may be that there is to be no waiting.
#[inline]
pub(crate) fn wait_with<T>(
    fd: BorrowedFd<'_>,
    ready: PollFlags,
    deadline: impl FnOnce() -> io::Result<Deadline>,
    mut attempt: impl FnMut() -> Result<T, Errno>,
) -> io::Result<T> {
    match attempt() {
        Ok(done) => Ok(done),
        Err(Errno::AGAIN) => wait_and_attempt(fd, ready, deadline, attempt),
        Err(error) => Err(error.into()),
    }
}

/// Apart, so that what need not wait does not carry it along.
#[cold]
fn wait_and_attempt<T>(
    fd: BorrowedFd<'_>,
    ready: PollFlags,
    deadline: impl FnOnce() -> io::Result<Deadline>,
    mut attempt: impl FnMut() -> Result<T, Errno>,
) -> io::Result<T> {
    let deadline = deadline()?;
    loop {
        until_ready(fd, ready, deadline)?;
        match attempt() {
            // Somebody else was faster, maybe again and again.
            Err(Errno::AGAIN) if deadline.has_passed() => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::AGAIN) => {}
            result => return Ok(result?),
        }
    }
}

/// Waits until `fd` is `ready`, or has an error to tell, and says which; `TimedOut` if it is not in time.
pub(crate) fn until_ready(fd: BorrowedFd<'_>, ready: PollFlags, deadline: Deadline) -> io::Result<PollFlags> {
    /// `poll` takes no more milliseconds than an `int` holds.
    const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

    let mut fds = [PollFd::from_borrowed_fd(fd, ready)];
    loop {
        let left = deadline.remaining().map(|left| timespec(left.min(LONGEST_WAIT)));
        match rustix::event::poll(&mut fds, left.as_ref()) {
            Ok(0) if deadline.has_passed() => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(fds[0].revents()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What of `ready` `fd` is at this moment, and what errors it has to tell.
pub(crate) fn ready_now(fd: BorrowedFd<'_>, ready: PollFlags) -> io::Result<PollFlags> {
    let mut fds = [PollFd::from_borrowed_fd(fd, ready)];
    retry_on_intr(|| rustix::event::poll(&mut fds, Some(&timespec(Duration::ZERO))))?;
    Ok(fds[0].revents())
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
