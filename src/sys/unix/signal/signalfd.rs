//! Signals that are read from a descriptor (`signalfd(2)`).

use super::{details, handlers::check, mask::Set, queue::Record};
use crate::{deadline::Deadline, signal::Received, sys::unix::wait::wait_with};
use libc::c_int;
use rustix::{
    event::PollFlags,
    io::{Errno, retry_on_intr},
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

/// The descriptor is nonblocking; who wants to block polls.
#[derive(Debug)]
pub(crate) struct SignalFd(OwnedFd);

impl SignalFd {
    pub(crate) fn new(set: &Set) -> io::Result<Self> {
        // SAFETY: the set is initialized, and -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        check(fd)?;
        // SAFETY: the call succeeded, so the descriptor is open and ours.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn set(&self, set: &Set) -> io::Result<()> {
        // SAFETY: the set is initialized, and the descriptor is one of these.
        check(unsafe { libc::signalfd(self.0.as_raw_fd(), set.as_ptr(), 0) })
    }

    fn attempt(&self) -> Result<Received, Errno> {
        const LEN: usize = size_of::<libc::signalfd_siginfo>();

        let mut bytes = [0; LEN];
        if retry_on_intr(|| rustix::io::read(&self.0, &mut bytes))? != LEN {
            return Err(Errno::INVAL);
        }
        // SAFETY: a structure of numbers, of which the kernel wrote as many bytes as it has.
        let info: libc::signalfd_siginfo = unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) };
        Ok(details::received(Record {
            signal: number(info.ssi_signo),
            has_details: true,
            code: info.ssi_code,
            pid: number(info.ssi_pid),
            uid: info.ssi_uid,
            value: value(&info),
            status: info.ssi_status,
        }))
    }

    pub(crate) fn try_wait(&self) -> io::Result<Received> {
        Ok(self.attempt()?)
    }

    pub(crate) fn wait(&self, deadline: impl FnOnce() -> Deadline) -> io::Result<Received> {
        wait_with(self.0.as_fd(), PollFlags::IN, || Ok(deadline()), || self.attempt())
    }
}

fn number(number: u32) -> c_int {
    number.try_into().unwrap_or(0)
}

/// The bytes of a `sigval`, of which the number is a part.
#[allow(clippy::cast_possible_truncation, reason = "it was an address of this process")]
fn value(info: &libc::signalfd_siginfo) -> usize {
    info.ssi_ptr as usize
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<SignalFd> for OwnedFd {
    fn from(fd: SignalFd) -> Self {
        fd.0
    }
}
