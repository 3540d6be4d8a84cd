//! Moving bytes between a pipe and another descriptor, or into the pipe from memory, without copying them: on Linux.
//!
//! While the kernel waits for the other descriptor, it has the pipe locked. Then nobody can send or receive, however much is there; who
//! tries waits without a limit, and cannot even be killed. So waiting for the other one is done before the call, by `poll`.

use super::{End, Recver, Sender};
use crate::{
    deadline::Deadline,
    sys::unix::{sigpipe::Silencer, wait},
};
use rustix::{
    event::PollFlags,
    fs::OFlags,
    io::{Errno, retry_on_intr},
    pipe::{IoSliceRaw, SpliceFlags, splice, tee, vmsplice},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

impl End {
    /// `vmsplice` does not look at the mode of the pipe itself, nor do the others on old kernels.
    fn flags(&self) -> SpliceFlags {
        let is_nonblocking = self.is_nonblocking() || self.limit().polled;
        if is_nonblocking { SpliceFlags::NONBLOCK } else { SpliceFlags::empty() }
    }
}

/// Waiting within one call. The end of it is only asked for when there is something to wait for.
struct Waiting<'end> {
    end: &'end End,
    until: Option<Deadline>,
}

impl<'end> Waiting<'end> {
    fn new(end: &'end End) -> Self {
        Self { end, until: None }
    }

    fn until(&mut self) -> io::Result<Deadline> {
        match self.until {
            Some(until) => Ok(until),
            None => Ok(*self.until.insert(self.end.deadline()?)),
        }
    }

    /// Waits until the kernel will not have to wait for `other`, which is to be open for `access`.
    fn before_the_call(&mut self, other: BorrowedFd<'_>, ready: PollFlags, access: OFlags) -> io::Result<()> {
        if !wait::ready_now(other, ready)?.is_empty() {
            return Ok(());
        }
        // What is nonblocking is never waited for by the kernel, and may do more than `poll` says. What is the wrong way round is never
        // ready. For both, the call tells.
        let flags = rustix::fs::fcntl_getfl(other)?;
        let is_the_right_way = [access, OFlags::RDWR].contains(&(flags & OFlags::RWMODE));
        if is_the_right_way && !flags.contains(OFlags::NONBLOCK) {
            wait::until_ready(other, ready, self.until()?)?;
        }
        Ok(())
    }

    /// After `EAGAIN`, which does not tell who was not ready: waits for both, and says what there is to say of the first.
    fn for_both(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<PollFlags> {
        let until = self.until()?;
        if until.has_passed() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let ready = wait::until_ready(from, PollFlags::IN, until)?;
        wait::until_ready(to, PollFlags::OUT, until)?;
        Ok(ready)
    }
}

impl Recver {
    pub(crate) fn splice_to(&self, to: BorrowedFd<'_>, at: Option<u64>, len: usize) -> io::Result<usize> {
        // It may be a pipe or a socket.
        let silencer = *self.silencer.get_or_init(|| Silencer::new(to));
        // What has offsets is never waited for.
        self.pass_on(to, at.is_none(), len, |from, flags| {
            let mut at = at;
            silencer.silence(len, || splice(from, None, to, at.as_mut(), len, flags))
        })
    }

    pub(crate) fn tee_to(&self, to: &Sender, len: usize) -> io::Result<usize> {
        // For pipes, the kernel waits without a lock.
        self.pass_on(to.as_fd(), false, len, |from, flags| {
            to.silencer.silence(len, || tee(from, to.as_fd(), len, flags))
        })
    }

    /// With `polls_first` if the kernel must not be left to wait for `to`.
    fn pass_on(
        &self,
        to: BorrowedFd<'_>,
        polls_first: bool,
        len: usize,
        call: impl Fn(BorrowedFd<'_>, SpliceFlags) -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        if len == 0 {
            return Ok(0);
        }
        let (from, flags) = (self.end.fd.as_fd(), self.end.flags());
        let mut waiting = Waiting::new(&self.end);
        let mut have_left = false;
        loop {
            if polls_first {
                waiting.before_the_call(to, PollFlags::OUT, OFlags::WRONLY)?;
            }
            match retry_on_intr(|| call(from, flags)) {
                // The end; or nobody has come yet, or another thread has emptied this pipe or filled the other one, which `tee`
                // does not tell apart. It is the end if nothing is left after it was known that all have left.
                Ok(0) => {
                    let now = wait::ready_now(from, PollFlags::IN)?;
                    if have_left && !now.contains(PollFlags::IN) {
                        return Ok(0);
                    }
                    if now.contains(PollFlags::HUP) && !have_left {
                        have_left = true;
                        continue;
                    }
                }
                Ok(moved) => {
                    self.received(moved);
                    return Ok(moved);
                }
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
            have_left |= waiting.for_both(from, to)?.contains(PollFlags::HUP);
        }
    }
}

impl Sender {
    pub(crate) fn splice_from(&self, from: BorrowedFd<'_>, at: Option<u64>, len: usize) -> io::Result<usize> {
        if len == 0 {
            return Ok(0);
        }
        let (to, flags) = (self.end.fd.as_fd(), self.end.flags());
        let mut waiting = Waiting::new(&self.end);
        loop {
            // What has offsets is never waited for.
            if at.is_none() {
                waiting.before_the_call(from, PollFlags::IN, OFlags::RDONLY)?;
            }
            let call = || {
                let mut at = at;
                self.silencer.silence(len, || splice(from, at.as_mut(), to, None, len, flags))
            };
            match retry_on_intr(call) {
                Err(Errno::AGAIN) => {}
                result => return Ok(result?),
            }
            waiting.for_both(from, to)?;
        }
    }

    /// # Safety
    /// Nobody may write to the memory, or use it for anything else, as long as a pipe or socket holds what it was sent.
    pub(crate) unsafe fn send_mapped(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let (bufs, flags) = ([IoSliceRaw::from_slice(buf)], self.end.flags());
        self.send_with(|fd| {
            self.silencer.silence(buf.len(), || {
                // SAFETY: the descriptor is open for writing to a pipe, so that the kernel only reads the memory. The caller sees
                // to it that nobody changes it. It is not given to the kernel as a gift.
                unsafe { vmsplice(fd, &bufs, flags) }
            })
        })
    }
}
