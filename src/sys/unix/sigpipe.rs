//! Writing to a pipe that nobody reads is an error, and not the end of the process by `SIGPIPE`.
//!
//! If the process ignores the signal, as Rust programs do if nobody changed that, nothing is to be done. Otherwise, there is no
//! flag for that everywhere, as there is for sockets. Linux has one for each write since 6.18 (`RWF_NOSIGNAL`), macOS and NetBSD one
//! for the open pipe (`F_SETNOSIGPIPE`). Elsewhere the signal is blocked in this thread for the time of the write, and taken out
//! again if it came of it.

use rustix::io::Errno;
use std::{
    io::IoSlice,
    mem::MaybeUninit,
    os::fd::BorrowedFd,
    ptr::{null, null_mut},
};

/// How writing to one pipe is kept from raising the signal.
#[derive(Copy, Clone, Debug)]
pub(super) struct Silencer {
    /// That a plain write would raise the signal. (Giving the flag all the same would make short writes slower by a third.)
    is_raised: bool,
}

impl Silencer {
    /// Finds out what is needed, and prepares the descriptor.
    pub(super) fn new(fd: BorrowedFd<'_>) -> Self {
        Self { is_raised: !is_silent(fd) && !is_ignored() }
    }

    /// One `write`.
    #[inline]
    pub(super) fn write(self, fd: BorrowedFd<'_>, buf: &[u8]) -> Result<usize, Errno> {
        self.write_or(&[IoSlice::new(buf)], fd, || rustix::io::write(fd, buf))
    }

    /// One `writev`.
    #[inline]
    pub(super) fn write_vectored(self, fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        self.write_or(bufs, fd, || rustix::io::writev(fd, bufs))
    }

    /// `write`, which writes `bufs`, unless the flag is needed and there.
    #[inline]
    fn write_or(
        self,
        bufs: &[IoSlice<'_>],
        fd: BorrowedFd<'_>,
        write: impl FnOnce() -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        if self.is_raised { Self::write_silently(bufs, fd, write) } else { write() }
    }

    /// Apart, as Rust programs do not need it.
    #[cold]
    fn write_silently(
        bufs: &[IoSlice<'_>],
        fd: BorrowedFd<'_>,
        write: impl FnOnce() -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        if let Some(result) = write_flagged(fd, bufs) {
            return result;
        }
        // The same buffer may be there many times.
        let len = bufs.iter().fold(0_usize, |len, buf| len.saturating_add(buf.len()));
        blocking_signal(len, write)
    }

    /// A call that is to move `len` bytes, and has no flag.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[inline]
    pub(super) fn silence(
        self,
        len: usize,
        call: impl FnOnce() -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        if self.is_raised { blocking_signal(len, call) } else { call() }
    }
}

/// That the kernel has said that it does not know the flag.
#[cfg(target_os = "linux")]
static FLAG_IS_UNKNOWN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// A write that raises no signal; `None` if the kernel cannot do that.
#[cfg(target_os = "linux")]
fn write_flagged(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Option<Result<usize, Errno>> {
    use rustix::io::ReadWriteFlags;
    use std::sync::atomic::Ordering::Relaxed;

    /// `RWF_NOSIGNAL`.
    const NO_SIGNAL: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x100);
    /// "Where we are", and a pipe is at no offset.
    const NO_OFFSET: u64 = u64::MAX;

    if FLAG_IS_UNKNOWN.load(Relaxed) {
        return None;
    }
    match rustix::io::pwritev2(fd, bufs, NO_OFFSET, NO_SIGNAL) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            FLAG_IS_UNKNOWN.store(true, Relaxed);
            None
        }
        result => Some(result),
    }
}

#[cfg(not(target_os = "linux"))]
fn write_flagged(_fd: BorrowedFd<'_>, _bufs: &[IoSlice<'_>]) -> Option<Result<usize, Errno>> {
    None
}

/// Makes the open pipe one that raises no signal, if the system can do that.
#[cfg(any(target_vendor = "apple", target_os = "netbsd"))]
fn is_silent(fd: BorrowedFd<'_>) -> bool {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open, and the argument of this command is a number.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETNOSIGPIPE, 1) != -1 }
}

#[cfg(not(any(target_vendor = "apple", target_os = "netbsd")))]
fn is_silent(_fd: BorrowedFd<'_>) -> bool {
    false
}

/// Whether the process ignores the signal.
fn is_ignored() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action, this only writes the present one to a pointer that is valid for it.
    let result = unsafe { libc::sigaction(libc::SIGPIPE, null(), action.as_mut_ptr()) };
    // SAFETY: all zeros is a valid value of this structure of numbers, and the call wrote another or none.
    result == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

/// Calls `write`, which is to write `len` bytes, with the signal blocked in this thread. A signal that comes of it is taken away:
/// this thread's writing raises it for this thread. (Its sets are not to burden the calls that need none.)
#[inline(never)]
fn blocking_signal(len: usize, write: impl FnOnce() -> Result<usize, Errno>) -> Result<usize, Errno> {
    let signal = only_sigpipe();
    let mut before = empty_set();
    // SAFETY: both sets are initialized, and the second one may be written to. The call cannot fail with this command.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signal, &raw mut before) };
    // One that was let through till now cannot have been pending.
    let was_pending = contains_sigpipe(&before) && is_pending();
    let result = write();
    // If a part was written before the last reader left, that is the result, and the signal has been raised all the same.
    let may_be_raised = result == Err(Errno::PIPE) || result.is_ok_and(|written| written < len);
    if may_be_raised && !was_pending && is_pending() {
        let mut taken = 0;
        // SAFETY: the set is initialized and the number may be written to. The signal is pending, and blocked, so it is there to
        // be taken without waiting.
        unsafe { libc::sigwait(&raw const signal, &raw mut taken) };
    }
    // SAFETY: the set is what the same function gave; null asks for nothing back.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, null_mut()) };
    result
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: all zeros is a valid value of a set, which is made of numbers, and the call makes it an empty one.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn only_sigpipe() -> libc::sigset_t {
    let mut set = empty_set();
    // SAFETY: the set is initialized, and the number is that of a signal.
    unsafe { libc::sigaddset(&raw mut set, libc::SIGPIPE) };
    set
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "on some systems it is a number, and on others an array"
)]
fn contains_sigpipe(set: &libc::sigset_t) -> bool {
    // SAFETY: the set is initialized, and the number is that of a signal.
    unsafe { libc::sigismember(set, libc::SIGPIPE) == 1 }
}

/// Whether the signal waits to be let through to this thread or to the process.
fn is_pending() -> bool {
    let mut set = empty_set();
    // SAFETY: the set may be written to.
    unsafe { libc::sigpending(&raw mut set) == 0 && contains_sigpipe(&set) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    /// Runs `test` in a process of its own, which has one thread and in which the signal kills. Each number that it gives is a
    /// failure of its own; 0 is none.
    #[track_caller]
    fn in_child(test: impl FnOnce() -> i32) {
        // SAFETY: until it ends by `_exit`, the child only makes system calls, which a copy of one of many threads may make.
        let child = unsafe { libc::fork() };
        assert_ne!(child, -1);
        if child == 0 {
            // SAFETY: plain system calls on numbers.
            unsafe {
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                libc::_exit(test());
            }
        }
        let mut status = 0;
        // SAFETY: the child is ours and not waited for yet; the status may be written to.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0, "what waitpid says");
    }

    /// A pipe that nobody reads.
    fn dead_pipe() -> std::os::fd::OwnedFd {
        super::super::socket::wake_pipe().unwrap().1
    }

    /// Writes in each way to a pipe that nobody reads.
    fn write_to_nobody(silencer: Silencer, pipe: BorrowedFd<'_>) -> i32 {
        if silencer.write(pipe, b"x") != Err(Errno::PIPE) {
            return 1;
        }
        if silencer.write_vectored(pipe, &[IoSlice::new(b"x"), IoSlice::new(b"y")]) != Err(Errno::PIPE) {
            return 2;
        }
        i32::from(is_pending()) * 3
    }

    #[test]
    fn nobody_to_read_is_an_error_where_the_signal_kills() {
        let pipe = dead_pipe();
        in_child(|| write_to_nobody(Silencer::new(pipe.as_fd()), pipe.as_fd()));
    }

    #[test]
    fn so_it_is_where_the_signal_has_to_be_blocked() {
        let pipe = dead_pipe();
        in_child(|| {
            #[cfg(target_os = "linux")]
            FLAG_IS_UNKNOWN.store(true, std::sync::atomic::Ordering::Relaxed);
            let silencer = Silencer { is_raised: !is_ignored() };
            match write_to_nobody(silencer, pipe.as_fd()) {
                0 if !silencer.is_raised => 4,
                failure => failure,
            }
        });
    }

    #[test]
    fn the_signal_is_let_through_again_afterwards() {
        let pipe = dead_pipe();
        in_child(|| {
            let _ = blocking_signal(1, || rustix::io::write(pipe.as_fd(), b"x"));
            let mut now = empty_set();
            // SAFETY: with no new set, this only writes the present one to where it may.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, null(), &raw mut now) };
            i32::from(contains_sigpipe(&now))
        });
    }

    #[test]
    fn a_signal_that_waited_before_goes_on_waiting() {
        let pipe = dead_pipe();
        in_child(|| {
            let signal = only_sigpipe();
            // SAFETY: the set is initialized; raising a blocked signal lets it wait.
            unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signal, null_mut());
                libc::raise(libc::SIGPIPE);
            }
            let result = blocking_signal(1, || rustix::io::write(pipe.as_fd(), b"x"));
            i32::from(result != Err(Errno::PIPE)) + 2 * i32::from(!is_pending())
        });
    }

    #[test]
    fn a_write_that_is_cut_short_by_the_last_reader_leaves_no_signal() {
        let more_than_fits = vec![0; 16 << 20];
        in_child(|| {
            let Ok((reader, writer)) = super::super::socket::wake_pipe() else { return 1 };
            // SAFETY: the grandchild is a copy of a process of one thread. It only makes system calls, and ends by `_exit`.
            let grandchild = unsafe { libc::fork() };
            if grandchild == 0 {
                // A byte is there when a part was written, and never is there room for the rest.
                return i32::from(rustix::io::read(&reader, &mut [0]) != Ok(1));
            }
            drop(reader);
            let write = || rustix::io::write(&writer, &more_than_fits);
            let result = blocking_signal(more_than_fits.len(), write);
            let mut status = 0;
            // SAFETY: the grandchild is ours and not waited for yet; the status may be written to.
            unsafe { libc::waitpid(grandchild, &raw mut status, 0) };
            if status == 0 && result != Ok(more_than_fits.len()) { 0 } else { 2 }
        });
    }

    #[test]
    fn bytes_arrive_whichever_way_they_are_written() {
        for is_raised in [false, true] {
            let (reader, writer) = super::super::socket::wake_pipe().unwrap();
            let silencer = Silencer { is_raised };
            assert_eq!(silencer.write(writer.as_fd(), b"ab"), Ok(2));
            assert_eq!(
                silencer.write_vectored(writer.as_fd(), &[IoSlice::new(b"c"), IoSlice::new(b"d")]),
                Ok(2)
            );
            assert_eq!(blocking_signal(1, || rustix::io::write(writer.as_fd(), b"e")), Ok(1));
            let mut buf = [0; 8];
            assert_eq!(rustix::io::read(&reader, &mut buf), Ok(5));
            assert_eq!(&buf[..5], b"abcde");
        }
    }
}
