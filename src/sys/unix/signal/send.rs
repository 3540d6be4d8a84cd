//! Sending signals.

use super::handlers::check;
use libc::{c_int, pid_t};
use std::{io, os::fd::BorrowedFd};

/// A process, or none if it is a number that no process has. Zero and negative numbers mean groups to the system.
fn process(pid: u32) -> io::Result<pid_t> {
    pid_t::try_from(pid).ok().filter(|&pid| pid > 0).ok_or_else(nobody)
}

/// The error for nobody being there.
fn nobody() -> io::Error {
    explain(io::Error::from_raw_os_error(libc::ESRCH))
}

/// std has no kind for `ESRCH`.
pub(super) fn explain(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::ESRCH) {
        return io::Error::new(io::ErrorKind::NotFound, NobodyThere(error));
    }
    error
}

/// Keeps the system's error as its source.
#[derive(Debug)]
struct NobodyThere(io::Error);

impl std::fmt::Display for NobodyThere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody is there to get the signal")
    }
}

impl std::error::Error for NobodyThere {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

pub(crate) fn to_process(pid: u32, signal: c_int) -> io::Result<()> {
    let pid = process(pid)?;
    // SAFETY: a plain system call on numbers.
    check(unsafe { libc::kill(pid, signal) }).map_err(explain)
}

pub(crate) fn to_group(group: u32, signal: c_int) -> io::Result<()> {
    let group = process(group)?;
    if group == 1 {
        // To the system, -1 is everybody.
        return Err(nobody());
    }
    // SAFETY: a plain system call on numbers.
    check(unsafe { libc::kill(-group, signal) }).map_err(explain)
}

pub(crate) fn to_own_group(signal: c_int) -> io::Result<()> {
    // SAFETY: a plain system call on numbers.
    check(unsafe { libc::kill(0, signal) }).map_err(explain)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn to_thread(process_id: u32, thread: u32, signal: c_int) -> io::Result<()> {
    let (process, thread) = (process(process_id)?, process(thread)?);
    // SAFETY: a plain system call on numbers. musl has no function for it.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
    check(c_int::try_from(result).unwrap_or(-1)).map_err(explain)
}

#[cfg(target_os = "freebsd")]
pub(crate) fn to_thread(process_id: u32, thread: u32, signal: c_int) -> io::Result<()> {
    let (process, thread) = (process(process_id)?, process(thread)?);
    let thread = libc::c_long::from(thread);
    // SAFETY: a plain system call on numbers.
    check(unsafe { libc::thr_kill2(process, thread, signal) }).map_err(explain)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn to_pidfd(pidfd: BorrowedFd<'_>, signal: c_int) -> io::Result<()> {
    use std::{os::fd::AsRawFd, ptr::null};
    // SAFETY: the descriptor is open, and with a null pointer, the system fills in who sends. There is no function for it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            null::<libc::siginfo_t>(),
            0_u32,
        )
    };
    check(c_int::try_from(result).unwrap_or(-1)).map_err(explain)
}

#[cfg(target_os = "freebsd")]
pub(crate) fn to_pidfd(descriptor: BorrowedFd<'_>, signal: c_int) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: a plain system call on an open descriptor and a number.
    check(unsafe { libc::pdkill(descriptor.as_raw_fd(), signal) }).map_err(explain)
}

/// Where the system has no such descriptors, nobody can have one.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) fn to_pidfd(_pidfd: BorrowedFd<'_>, _signal: c_int) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A value as `sigqueue` takes it.
#[cfg(not(any(target_vendor = "apple", target_os = "openbsd", target_os = "dragonfly")))]
pub(crate) fn value_to_process(pid: u32, signal: c_int, value: usize) -> io::Result<()> {
    let pid = process(pid)?;
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value) };
    // SAFETY: a plain system call on numbers: the pointer is passed on and not followed.
    check(unsafe { libc::sigqueue(pid, signal, value) }).map_err(explain)
}

#[cfg(any(target_vendor = "apple", target_os = "openbsd", target_os = "dragonfly"))]
pub(crate) fn value_to_process(pid: u32, _signal: c_int, _value: usize) -> io::Result<()> {
    process(pid)?;
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system sends no values along with signals"))
}

/// The number of this thread, as [`to_thread`] takes it.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) fn thread_id() -> u32 {
    #[cfg(target_os = "freebsd")]
    // SAFETY: no preconditions.
    let id = unsafe { libc::pthread_getthreadid_np() };
    #[cfg(not(target_os = "freebsd"))]
    // SAFETY: no preconditions.
    let id = unsafe { libc::gettid() };
    u32::try_from(id).unwrap_or(0)
}
