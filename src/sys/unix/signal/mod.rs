//! Signals: their numbers, receiving them (`Signals`), sending them, and masks.

mod details;
pub(crate) mod handlers;
pub(crate) mod hooks;
pub(crate) mod mask;
mod queue;
pub(crate) mod send;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) mod signalfd;

use super::wait;
use crate::{
    deadline::Deadline,
    signal::{Received, Signal},
};
use libc::c_int;
use queue::Queue;
use rustix::{event::PollFlags, io::Errno};
use std::{
    io,
    mem::MaybeUninit,
    ops::Range,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
};

/// Those that every system has.
const NUMBERS: [(Signal, c_int); 29] = [
    (Signal::HangUp, libc::SIGHUP),
    (Signal::Interrupt, libc::SIGINT),
    (Signal::Quit, libc::SIGQUIT),
    (Signal::IllegalInstruction, libc::SIGILL),
    (Signal::Trap, libc::SIGTRAP),
    (Signal::Abort, libc::SIGABRT),
    (Signal::Bus, libc::SIGBUS),
    (Signal::FloatingPoint, libc::SIGFPE),
    (Signal::Kill, libc::SIGKILL),
    (Signal::User1, libc::SIGUSR1),
    (Signal::SegmentationFault, libc::SIGSEGV),
    (Signal::User2, libc::SIGUSR2),
    (Signal::BrokenPipe, libc::SIGPIPE),
    (Signal::Alarm, libc::SIGALRM),
    (Signal::Terminate, libc::SIGTERM),
    (Signal::Child, libc::SIGCHLD),
    (Signal::Continue, libc::SIGCONT),
    (Signal::Stop, libc::SIGSTOP),
    (Signal::TerminalStop, libc::SIGTSTP),
    (Signal::TerminalInput, libc::SIGTTIN),
    (Signal::TerminalOutput, libc::SIGTTOU),
    (Signal::Urgent, libc::SIGURG),
    (Signal::CpuTimeLimit, libc::SIGXCPU),
    (Signal::FileSizeLimit, libc::SIGXFSZ),
    (Signal::VirtualAlarm, libc::SIGVTALRM),
    (Signal::Profiling, libc::SIGPROF),
    (Signal::WindowChange, libc::SIGWINCH),
    (Signal::Io, libc::SIGIO),
    (Signal::BadSystemCall, libc::SIGSYS),
];

/// The real-time signals: numbers that the C library leaves to programs.
pub(crate) fn real_time() -> Range<c_int> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "illumos", target_os = "solaris"))]
    return libc::SIGRTMIN()..libc::SIGRTMAX() + 1;
    #[cfg(target_os = "freebsd")]
    return 65..127;
    #[cfg(target_os = "netbsd")]
    return 33..64;
    #[cfg(target_os = "dragonfly")]
    return 35..127;
    #[cfg(any(target_vendor = "apple", target_os = "openbsd"))]
    return 0..0;
}

pub(crate) fn is_real_time(signal: c_int) -> bool {
    real_time().contains(&signal)
}

/// The number, if the system has such a signal.
pub(crate) fn number(signal: Signal) -> Option<c_int> {
    match signal {
        Signal::RealTime(index) => {
            let Range { start, end } = real_time();
            c_int::try_from(index).ok()?.checked_add(start).filter(|&number| number < end)
        }
        Signal::Other(number) => exists(number).then_some(number),
        named => NUMBERS.iter().find(|(other, _)| *other == named).map(|&(_, number)| number),
    }
}

pub(crate) fn from_number(number: c_int) -> Option<Signal> {
    if let Some(&(signal, _)) = NUMBERS.iter().find(|&&(_, other)| other == number) {
        return Some(signal);
    }
    let real_time = real_time();
    if real_time.contains(&number) {
        return u32::try_from(number - real_time.start).ok().map(Signal::RealTime);
    }
    exists(number).then_some(Signal::Other(number))
}

/// Whether there is a signal of that number that the C library does not keep to itself.
fn exists(number: c_int) -> bool {
    let mut set = empty_set();
    // SAFETY: the set is initialized and may be written to. Any other number is an error.
    number > 0 && number < 128 && unsafe { libc::sigaddset(&raw mut set, number) } == 0
}

pub(crate) fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: all zeros is a valid value of a set, which is made of numbers, and the call makes it an empty one.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

/// The number of a signal that can be waited for, or why it cannot be.
fn number_to_catch(signal: Signal) -> io::Result<c_int> {
    let invalid = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{signal} {why}")));
    let Some(number) = number(signal) else {
        return invalid(match signal {
            Signal::RealTime(_) => "is beyond the real-time signals that this system has",
            _ => "is no signal on this system",
        });
    };
    match number {
        libc::SIGKILL | libc::SIGSTOP => invalid("cannot be caught"),
        libc::SIGSEGV | libc::SIGBUS | libc::SIGFPE | libc::SIGILL => {
            invalid("cannot be caught safely: what caused it would happen again")
        }
        number => Ok(number),
    }
}

/// Signals that are queued as they come.
#[derive(Debug)]
pub(crate) struct Signals(handlers::Registration);

/// Stops [`Signals`].
#[derive(Clone, Debug)]
pub(crate) struct Stopper(Arc<Queue>);

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.stop();
    }
}

impl Signals {
    pub(crate) fn new(signals: impl IntoIterator<Item = Signal>, limit: usize) -> io::Result<Self> {
        let numbers = signals.into_iter().map(number_to_catch).collect::<io::Result<Vec<_>>>()?;
        let queue = Arc::new(Queue::new(limit)?);
        handlers::Registration::new(queue, &numbers).map(Self)
    }

    fn attempt(&self) -> Result<Received, Errno> {
        self.0.queue().pop().map(details::received)
    }

    pub(crate) fn try_wait(&self) -> io::Result<Received> {
        self.attempt().map_err(explain)
    }

    pub(crate) fn wait(&self, deadline: impl FnOnce() -> Deadline) -> io::Result<Received> {
        wait::wait_with(self.as_fd(), PollFlags::IN, || Ok(deadline()), || self.attempt()).map_err(|error| {
            match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::PIPE) => explain(Errno::PIPE),
                _ => error,
            }
        })
    }

    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(self.0.queue()))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.queue().is_stopped()
    }

    pub(crate) fn lost(&self) -> usize {
        self.0.queue().lost()
    }
}

fn explain(error: Errno) -> io::Error {
    match error {
        Errno::PIPE => io::Error::new(io::ErrorKind::BrokenPipe, "no longer waiting for signals"),
        error => error.into(),
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.queue().as_fd()
    }
}
