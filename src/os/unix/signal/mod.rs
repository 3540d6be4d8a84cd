//! Signals of Unix: sending them, blocking them, and handling them in ways that [`Signals`](crate::signal::Signals) does not.
//!
//! To be told of signals, start with [`crate::signal`]. This module has what goes with it.
//!
//! | to | use |
//! |---|---|
//! | wait for signals, blocking or async | [`Signals`](crate::signal::Signals) |
//! | send one to a process, a group, a thread, or by a pidfd | [`send_signal`] |
//! | send one with a value | [`send_value`] |
//! | keep signals from a thread, see what waits, wait for what is blocked | [`SignalSet`] |
//! | read signals that are blocked from a descriptor (Linux) | `SignalFd` |
//! | have a function called, by the names of interprocess 1.2 | [`set_handler`], [`HandlerOptions`] |
//! | send signals by the names of interprocess 1.2 | [`send`], [`send_rt`], [`send_to_group`], [`send_rt_to_group`] |
//!
//! ```
//! use interprocess::os::unix::signal::{Recipient, send_signal};
//! use interprocess::signal::Signal;
//! use std::{os::unix::process::ExitStatusExt, process::Command};
//!
//! // A child, until it has been waited for, is certain to be the process of that number.
//! let mut child = Command::new("sleep").arg("60").spawn()?;
//! send_signal(Recipient::Process(child.id()), Signal::Terminate)?;
//! assert_eq!(child.wait()?.signal(), Signal::Terminate.number());
//! # Ok::<(), std::io::Error>(())
//! ```

mod handlers;
mod mask;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod signalfd;

pub use self::{
    handlers::{
        HandlerOptions, NUM_REALTIME_SIGNALS, REALTIME_SIGNALS_SUPPORTED, SetHandlerError, SignalHandler,
        SignalHook, SignalType, UnknownSignalError, is_valid_rtsignal, send, send_rt, send_rt_to_group,
        send_to_group, set_handler, set_rthandler, set_unsafe_handler,
    },
    mask::{MaskGuard, SignalSet},
};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use self::signalfd::SignalFd;
use crate::{signal::Signal, sys::signal as sys};
use std::{io, os::fd::BorrowedFd};

/// Whom a signal is for.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub enum Recipient<'fd> {
    /// The process of that number. By the time the signal is sent, another process may have that number, unless it is a child of ours that
    /// was not waited for yet.
    Process(u32),
    /// Every process of the group of that number.
    Group(u32),
    /// Every process of our own group, us included.
    OwnGroup,
    /// One thread of a process; both by the system's numbers, as [`thread_id`] gives that of a thread of ours.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    Thread {
        /// The process.
        process: u32,
        /// The thread.
        thread: u32,
    },
    /// The process of that pidfd, and no other that may have its number later: from `pidfd_open(2)`,
    /// `std::os::linux::process::PidFd`, or [`PeerCreds`](crate::local_socket::PeerCreds). On FreeBSD, a process descriptor
    /// (`pdfork(2)`). Other systems have no such thing: [`Unsupported`](io::ErrorKind::Unsupported).
    Pidfd(BorrowedFd<'fd>),
}

/// Sends a signal. Stands on `kill(2)`, `tgkill(2)` and `pidfd_send_signal(2)`, on FreeBSD on `thr_kill2(2)` and
/// `pdkill(2)`.
///
/// # Errors
/// - [`NotFound`](io::ErrorKind::NotFound): nobody is there. A process that has ended and was not waited for yet still counts.
/// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): it belongs to somebody else.
/// - [`InvalidInput`](io::ErrorKind::InvalidInput): this system has no such signal.
/// - The system's `EAGAIN` ([`WouldBlock`](io::ErrorKind::WouldBlock)): too many real-time signals are on their way to that user's processes.
///
/// ```
/// use interprocess::os::unix::signal::{Recipient, send_signal};
/// use interprocess::signal::{Signal, Signals};
///
/// let signals = Signals::catch([Signal::User1])?;
/// send_signal(Recipient::Process(std::process::id()), Signal::User1)?;
/// assert_eq!(signals.wait()?.signal(), Signal::User1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn send_signal(recipient: Recipient<'_>, signal: Signal) -> io::Result<()> {
    send_number(recipient, number(signal)?)
}

/// Whether somebody is there, and may be sent signals. Sends nothing.
///
/// # Errors
/// Those of [`send_signal`].
///
/// ```
/// use interprocess::os::unix::signal::{Recipient, check_recipient};
///
/// check_recipient(Recipient::Process(std::process::id()))?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn check_recipient(recipient: Recipient<'_>) -> io::Result<()> {
    send_number(recipient, 0)
}

/// Sends a signal with a number that the receiver gets along with it. Stands on `sigqueue(3)`.
///
/// # Errors
/// Those of [`send_signal`].
///
/// # Platform-specific behaviour
/// macOS, OpenBSD and DragonFly BSD send no values: [`Unsupported`](io::ErrorKind::Unsupported).
///
/// ```
/// # #[cfg(target_os = "linux")] {
/// use interprocess::os::unix::signal::send_value;
/// use interprocess::signal::{Signal, Signals};
///
/// let signals = Signals::catch([Signal::RealTime(3)])?;
/// for value in 1..=3 {
///     send_value(std::process::id(), Signal::RealTime(3), value)?;
///     assert_eq!(signals.wait()?.value(), Some(value));
/// }
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn send_value(process: u32, signal: Signal, value: i32) -> io::Result<()> {
    let mut bytes = [0; size_of::<usize>()];
    bytes[..4].copy_from_slice(&value.to_ne_bytes());
    send_wide_value(process, signal, usize::from_ne_bytes(bytes))
}

/// The same with a value that is as wide as an address ([`Received::wide_value`](crate::signal::Received::wide_value)).
///
/// # Errors
/// Those of [`send_value`].
pub fn send_wide_value(process: u32, signal: Signal, value: usize) -> io::Result<()> {
    sys::send::value_to_process(process, number(signal)?, value)
}

/// The system's number of the calling thread, for [`Recipient::Thread`]. Stands on `gettid(2)`, on FreeBSD on
/// `pthread_getthreadid_np(3)`.
///
/// ```
/// use interprocess::os::unix::signal::{Recipient, check_recipient, thread_id};
///
/// check_recipient(Recipient::Thread { process: std::process::id(), thread: thread_id() })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn thread_id() -> u32 {
    sys::send::thread_id()
}

fn send_number(recipient: Recipient<'_>, number: i32) -> io::Result<()> {
    match recipient {
        Recipient::Process(process) => sys::send::to_process(process, number),
        Recipient::Group(group) => sys::send::to_group(group, number),
        Recipient::OwnGroup => sys::send::to_own_group(number),
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        Recipient::Thread { process, thread } => sys::send::to_thread(process, thread, number),
        Recipient::Pidfd(pidfd) => sys::send::to_pidfd(pidfd, number),
    }
}

/// The number of a signal, or that there is none.
fn number(signal: Signal) -> io::Result<i32> {
    signal.number().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{signal} is no signal on this system"))
    })
}
