//! Counters of the kernel (`eventfd(2)`).

use super::{socket, wait};
use crate::deadline::Deadline;
use rustix::{
    event::{EventfdFlags, PollFlags},
    io::{Errno, retry_on_intr},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread,
    time::Duration,
};

/// A counter. The descriptor is always nonblocking; who wants to block polls.
#[derive(Debug)]
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    pub(crate) fn new(initial: u32, is_semaphore: bool) -> io::Result<Self> {
        let mut flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        flags.set(EventfdFlags::SEMAPHORE, is_semaphore);
        Ok(Self(rustix::event::eventfd(initial, flags)?))
    }

    /// Takes a descriptor that somebody else made, or hands it back.
    pub(crate) fn from_fd(fd: OwnedFd) -> Result<Self, (io::Error, OwnedFd)> {
        match check_type(fd.as_fd()).and_then(|()| socket::set_nonblocking(fd.as_fd(), true)) {
            Ok(()) => Ok(Self(fd)),
            Err(error) => Err((error, fd)),
        }
    }

    fn attempt_take(&self) -> Result<u64, Errno> {
        let mut taken = [0; 8];
        match retry_on_intr(|| rustix::io::read(&self.0, &mut taken))? {
            8 => Ok(u64::from_ne_bytes(taken)),
            // Something else, which could not be told when it was taken.
            _ => Err(Errno::INVAL),
        }
    }

    fn attempt_add(&self, value: u64) -> Result<(), Errno> {
        match retry_on_intr(|| rustix::io::write(&self.0, &value.to_ne_bytes()))? {
            8 => Ok(()),
            _ => Err(Errno::INVAL),
        }
    }

    pub(crate) fn try_take(&self) -> io::Result<u64> {
        Ok(self.attempt_take()?)
    }

    pub(crate) fn try_add(&self, value: u64) -> io::Result<()> {
        check_value(value)?;
        Ok(self.attempt_add(value)?)
    }

    pub(crate) fn take(&self, deadline: impl FnOnce() -> Deadline) -> io::Result<u64> {
        wait::wait_with(self.0.as_fd(), PollFlags::IN, || Ok(deadline()), || self.attempt_take())
    }

    pub(crate) fn add(&self, value: u64, deadline: impl FnOnce() -> Deadline) -> io::Result<()> {
        check_value(value)?;
        match self.attempt_add(value) {
            Err(Errno::AGAIN) => {}
            result => return Ok(result?),
        }
        let deadline = deadline();
        let mut pause = FIRST_PAUSE;
        loop {
            if deadline.has_passed() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.has_room()? {
                thread::sleep(deadline.remaining().map_or(pause, |left| left.min(pause)));
                pause = next_pause(pause);
            } else {
                wait::until_ready(self.0.as_fd(), PollFlags::OUT, deadline)?;
            }
            match self.attempt_add(value) {
                Err(Errno::AGAIN) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Whether 1 could be added. That is all that `poll` tells about room: who needs more has to ask from time to time.
    pub(crate) fn has_room(&self) -> io::Result<bool> {
        Ok(wait::ready_now(self.0.as_fd(), PollFlags::OUT)?.contains(PollFlags::OUT))
    }

    pub(crate) fn is_set(&self) -> io::Result<bool> {
        Ok(wait::ready_now(self.0.as_fd(), PollFlags::IN)?.contains(PollFlags::IN))
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        socket::duplicate(self.0.as_fd()).map(Self)
    }
}

/// How long who needs more room than there is waits before asking again.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_micros(200);

pub(crate) fn next_pause(pause: Duration) -> Duration {
    (pause * 2).min(Duration::from_millis(10))
}

/// What would be refused anyway, but maybe only after a wait.
pub(crate) fn check_value(value: u64) -> io::Result<()> {
    if value == u64::MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "u64::MAX cannot be added: the counter goes to u64::MAX - 1",
        ));
    }
    Ok(())
}

/// Only Linux tells, and only where /proc is mounted.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn check_type(fd: BorrowedFd<'_>) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    match rustix::fs::readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new()) {
        Ok(what) if what.as_bytes() != b"anon_inode:[eventfd]" => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not an eventfd"))
        }
        _ => Ok(()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(clippy::unnecessary_wraps, reason = "Linux can tell")]
fn check_type(_fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<EventFd> for OwnedFd {
    fn from(event: EventFd) -> Self {
        event.0
    }
}
