//! Functions that are called when a signal comes, as interprocess 1.2 has them.

use super::{Recipient, send_number};
use crate::{
    signal::Signal,
    sys::signal::{self as sys, hooks},
};
use std::{
    error::Error,
    fmt::{self, Binary, Display, Formatter, LowerHex, Octal, UpperExp, UpperHex},
    io,
};

/// How many real-time signals there are. They are counted from 0.
///
/// # Platform-specific behaviour
/// On Linux 31 with glibc and 30 with musl; on Android and illumos as many as every version has, and
/// [`Signal::real_time_count`] says how many there are; 31 on NetBSD, 62 on FreeBSD, 92 on DragonFly BSD; 0 on macOS and OpenBSD.
pub const NUM_REALTIME_SIGNALS: u32 = if cfg!(all(target_os = "linux", target_env = "musl")) {
    30
} else if cfg!(any(target_os = "linux", target_os = "netbsd")) {
    31
} else if cfg!(target_os = "android") {
    23
} else if cfg!(target_os = "freebsd") {
    62
} else if cfg!(target_os = "dragonfly") {
    92
} else if cfg!(any(target_os = "illumos", target_os = "solaris")) {
    8
} else {
    0
};

/// Whether there are real-time signals.
pub const REALTIME_SIGNALS_SUPPORTED: bool = NUM_REALTIME_SIGNALS != 0;

/// Whether there is a real-time signal of that number, counted from 0.
///
/// ```
/// use interprocess::os::unix::signal::{NUM_REALTIME_SIGNALS, is_valid_rtsignal};
///
/// assert!(!is_valid_rtsignal(NUM_REALTIME_SIGNALS));
/// ```
#[allow(clippy::absurd_extreme_comparisons, reason = "on some systems there are none")]
pub const fn is_valid_rtsignal(rtsignal: u32) -> bool {
    rtsignal < NUM_REALTIME_SIGNALS
}

/// Installs a handler, with the usual [options](HandlerOptions).
///
/// [`Signals`](crate::signal::Signals) is for who wants to be told of signals, and has none of the restrictions of handlers.
///
/// # Errors
/// See [`SetHandlerError`]. After any of them, nothing has changed.
///
/// ```
/// use interprocess::os::unix::signal::{Recipient, SignalHandler, SignalType, send, set_handler};
/// use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
///
/// static CAME: AtomicBool = AtomicBool::new(false);
/// // SAFETY: storing into an atomic is all that it does.
/// let handler = unsafe { SignalHandler::from_fn(|| CAME.store(true, SeqCst)) };
/// set_handler(SignalType::UserSignal1, handler)?;
/// send(SignalType::UserSignal1, std::process::id())?;
/// while !CAME.load(SeqCst) {
///     std::thread::yield_now();
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set_handler(signal_type: SignalType, handler: SignalHandler) -> Result<(), SetHandlerError> {
    HandlerOptions::for_signal(signal_type).set_new_handler(handler).set()
}

/// The same for signals that are [unsafe](SignalType::is_unsafe) to handle, too.
///
/// # Errors
/// See [`SetHandlerError`].
///
/// # Safety
/// See [`HandlerOptions::set_unsafe`].
pub unsafe fn set_unsafe_handler(
    signal_type: SignalType,
    handler: SignalHandler,
) -> Result<(), SetHandlerError> {
    // SAFETY: as the caller says.
    unsafe { HandlerOptions::for_signal(signal_type).set_new_handler(handler).set_unsafe() }
}

/// The same for a real-time signal, counted from 0.
///
/// # Errors
/// See [`SetHandlerError`].
pub fn set_rthandler(rtsignal: u32, handler: SignalHandler) -> Result<(), SetHandlerError> {
    let options = HandlerOptions::new(Which::RealTime(rtsignal));
    options.set_new_handler(handler).set()
}

/// A signal that is named here, or a real-time signal.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Which {
    Named(SignalType),
    RealTime(u32),
}

/// How a handler is installed. Stands on `sigaction(2)`.
///
/// While [`Signals`](crate::signal::Signals) for the same signal exist, the handler is called after them, with their options instead of
/// these (calls are resumed, and the handler stays). It is alone again, with its own, when they are gone.
///
/// ```
/// use interprocess::os::unix::signal::{HandlerOptions, SignalHandler, SignalType};
///
/// HandlerOptions::for_signal(SignalType::UserSignal2)
///     .set_new_handler(SignalHandler::Ignore)
///     .system_call_restart(false)
///     .set()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the system")]
pub struct HandlerOptions {
    signal: Which,
    /// The handler; `None` leaves the one that is installed, and changes the options.
    pub handler: Option<SignalHandler>,
    /// Of [`SignalType::ChildProcessEvent`], leaves out children that were stopped or go on (`SA_NOCLDSTOP`). For other
    /// signals, builds with debug assertions panic, and others ignore it.
    pub ignore_child_stop_events: bool,
    /// Lets the signal interrupt its own handler (`SA_NODEFER`); else, it waits until that is through. Without a handler that is
    /// called, builds with debug assertions panic, and others ignore it.
    pub recursive_handler: bool,
    /// Has calls that the signal interrupts go on afterwards, where the system can do that (`SA_RESTART`), instead of failing with
    /// [`Interrupted`](io::ErrorKind::Interrupted). On by default.
    pub system_call_restart: bool,
    /// Has the default handling back when the handler is called (`SA_RESETHAND`).
    pub auto_reset_handler: bool,
    /// Calls the handler on the signal stack of the thread (`sigaltstack(2)`), if it has one (`SA_ONSTACK`).
    pub alternate_stack: bool,
}

impl HandlerOptions {
    fn new(signal: Which) -> Self {
        Self {
            signal,
            handler: None,
            ignore_child_stop_events: false,
            recursive_handler: false,
            system_call_restart: true,
            auto_reset_handler: false,
            alternate_stack: false,
        }
    }

    /// Options for a signal.
    pub fn for_signal(signal: SignalType) -> Self {
        Self::new(Which::Named(signal))
    }

    /// Options for a real-time signal, counted from 0.
    ///
    /// # Panics
    /// If there is none of that number. [`set_rthandler`] gives an error instead.
    pub fn for_rtsignal(rtsignal: u32) -> Self {
        assert!(is_valid_rtsignal(rtsignal), "there are {NUM_REALTIME_SIGNALS} real-time signals, from 0");
        Self::new(Which::RealTime(rtsignal))
    }

    /// Sets [`handler`](Self#structfield.handler).
    #[must_use]
    pub fn set_new_handler(mut self, handler: impl Into<Option<SignalHandler>>) -> Self {
        self.handler = handler.into();
        self
    }

    /// Sets [`ignore_child_stop_events`](Self#structfield.ignore_child_stop_events).
    #[must_use]
    pub fn ignore_child_stop_events(mut self, ignore: impl Into<bool>) -> Self {
        self.ignore_child_stop_events = ignore.into();
        self
    }

    /// Sets [`recursive_handler`](Self#structfield.recursive_handler).
    #[must_use]
    pub fn recursive_handler(mut self, recursive: impl Into<bool>) -> Self {
        self.recursive_handler = recursive.into();
        self
    }

    /// Sets [`system_call_restart`](Self#structfield.system_call_restart).
    #[must_use]
    pub fn system_call_restart(mut self, restart: impl Into<bool>) -> Self {
        self.system_call_restart = restart.into();
        self
    }

    /// Sets [`auto_reset_handler`](Self#structfield.auto_reset_handler).
    #[must_use]
    pub fn auto_reset_handler(mut self, reset: impl Into<bool>) -> Self {
        self.auto_reset_handler = reset.into();
        self
    }

    /// Sets [`alternate_stack`](Self#structfield.alternate_stack).
    #[must_use]
    pub fn alternate_stack(mut self, alternate: impl Into<bool>) -> Self {
        self.alternate_stack = alternate.into();
        self
    }

    /// Installs the handler.
    ///
    /// # Errors
    /// See [`SetHandlerError`]. After any of them, nothing has changed.
    pub fn set(self) -> Result<(), SetHandlerError> {
        if let Which::Named(signal) = self.signal {
            if signal.is_unsafe() {
                return Err(SetHandlerError::UnsafeSignal);
            }
        }
        // SAFETY: who made the handler vouches for what it calls, and no fault raises this signal.
        unsafe { self.set_unsafe() }
    }

    /// Installs the handler, for a signal that is [unsafe](SignalType::is_unsafe), too.
    ///
    /// # Errors
    /// See [`SetHandlerError`]. After any of them, nothing has changed.
    ///
    /// # Safety
    /// Faults are raised by something that went wrong in the thread that is interrupted, and that is done again when the handler
    /// returns. The handler must not return then (ending the process is what it can do), and must not rely on anything
    /// that may be broken by then.
    pub unsafe fn set_unsafe(self) -> Result<(), SetHandlerError> {
        let number = match self.signal {
            Which::Named(signal) if signal.is_unblockable() => {
                return Err(SetHandlerError::UnblockableSignal(signal));
            }
            Which::Named(signal) => signal.into(),
            Which::RealTime(index) => {
                number_of_real_time(index).ok_or(SetHandlerError::RealTimeSignalOutOfBounds {
                    attempted: index,
                    max: NUM_REALTIME_SIGNALS,
                })?
            }
        };
        let action = match self.handler {
            None => hooks::Action::Keep,
            Some(SignalHandler::Default) => hooks::Action::Default,
            Some(SignalHandler::Ignore) => hooks::Action::Ignore,
            Some(SignalHandler::Hook(hook)) => hooks::Action::Call(hook.0),
        };
        let flags = self.flags(number);
        // SAFETY: as the caller says.
        unsafe { hooks::set(number, action, flags) }.map_err(SetHandlerError::UnexpectedSystemCallFailure)
    }

    fn flags(self, number: i32) -> i32 {
        debug_assert!(
            !(self.recursive_handler && matches!(self.handler, Some(SignalHandler::Default))),
            "recursive_handler is for handlers that are called"
        );
        debug_assert!(
            !self.ignore_child_stop_events || number == libc::SIGCHLD,
            "ignore_child_stop_events is for ChildProcessEvent"
        );
        [
            (self.ignore_child_stop_events, libc::SA_NOCLDSTOP),
            (self.recursive_handler, libc::SA_NODEFER),
            (self.system_call_restart, libc::SA_RESTART),
            (self.auto_reset_handler, libc::SA_RESETHAND),
            (self.alternate_stack, libc::SA_ONSTACK),
        ]
        .into_iter()
        .filter_map(|(is_set, flag)| is_set.then_some(flag))
        .fold(0, |flags, flag| flags | flag)
    }
}

fn number_of_real_time(index: u32) -> Option<i32> {
    is_valid_rtsignal(index).then(|| sys::number(Signal::RealTime(index)))?
}

/// Why a handler was not installed.
#[derive(Debug)]
pub enum SetHandlerError {
    /// The signal is [unsafe](SignalType::is_unsafe) to handle, and was to be handled by what is safe.
    UnsafeSignal,
    /// No process can handle this signal: [`Kill`](SignalType::Kill) or [`ForceSuspend`](SignalType::ForceSuspend).
    UnblockableSignal(SignalType),
    /// There is no such real-time signal.
    RealTimeSignalOutOfBounds {
        /// The number, from 0.
        attempted: u32,
        /// How many there are.
        max: u32,
    },
    /// The system refused.
    UnexpectedSystemCallFailure(io::Error),
}

impl Display for SetHandlerError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsafeSignal => {
                f.write_str("this signal is unsafe to handle, and was not handled by an unsafe call")
            }
            Self::UnblockableSignal(signal) => write!(f, "{} cannot be handled", Signal::from(*signal)),
            Self::RealTimeSignalOutOfBounds { attempted, max: 0 } => {
                write!(f, "there is no real-time signal {attempted}: this system has none")
            }
            Self::RealTimeSignalOutOfBounds { attempted, max } => {
                write!(f, "there is no real-time signal {attempted}: this system has {max}, from 0")
            }
            Self::UnexpectedSystemCallFailure(error) => error.fmt(f),
        }
    }
}

impl Error for SetHandlerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::UnexpectedSystemCallFailure(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for SetHandlerError {
    fn from(error: io::Error) -> Self {
        Self::UnexpectedSystemCallFailure(error)
    }
}

impl From<SetHandlerError> for io::Error {
    fn from(error: SetHandlerError) -> Self {
        match error {
            SetHandlerError::UnexpectedSystemCallFailure(error) => error,
            error => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}

/// What is done about a signal.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum SignalHandler {
    /// What the system does about it.
    #[default]
    Default,
    /// Nothing.
    Ignore,
    /// A function is called.
    Hook(SignalHook),
}

impl SignalHandler {
    /// Whether it is [`Default`](Self::Default).
    pub const fn is_default(self) -> bool {
        matches!(self, Self::Default)
    }

    /// Whether it is [`Ignore`](Self::Ignore).
    pub const fn is_ignore(self) -> bool {
        matches!(self, Self::Ignore)
    }

    /// Whether it is a [`Hook`](Self::Hook).
    pub const fn is_hook(self) -> bool {
        matches!(self, Self::Hook(_))
    }

    /// A function to be called.
    ///
    /// # Safety
    /// See [`SignalHook::from_fn`].
    pub unsafe fn from_fn(function: fn()) -> Self {
        // SAFETY: as the caller says.
        Self::Hook(unsafe { SignalHook::from_fn(function) })
    }
}

impl From<SignalHook> for SignalHandler {
    fn from(hook: SignalHook) -> Self {
        Self::Hook(hook)
    }
}

/// A function that may be called when a signal comes.
#[derive(Copy, Clone, Debug)]
pub struct SignalHook(fn());

impl SignalHook {
    /// A function that may be called by a signal, that is, at any moment of any thread.
    ///
    /// # Safety
    /// What it does has to be async-signal-safe: system calls from the list in `signal-safety(7)`, and atomics. Whatever takes a lock or
    /// allocates is not, which is most of the standard library, `println!` included: what is interrupted may hold that
    /// lock. A function that panics ends the process.
    pub unsafe fn from_fn(function: fn()) -> Self {
        Self(function)
    }

    /// The function.
    pub fn inner(self) -> fn() {
        self.0
    }
}

/// By the function's address.
impl PartialEq for SignalHook {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for SignalHook {}

impl From<SignalHook> for fn() {
    fn from(hook: SignalHook) -> Self {
        hook.0
    }
}

/// Sends a signal to a process; `None` only checks whether that would be possible. [`send_signal`](super::send_signal) does the same for more
/// recipients.
///
/// # Errors
/// Those of [`send_signal`](super::send_signal).
///
/// ```
/// use interprocess::os::unix::signal::send;
///
/// send(None, std::process::id())?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn send(signal: impl Into<Option<SignalType>>, pid: impl Into<u32>) -> io::Result<()> {
    send_number(Recipient::Process(pid.into()), signal.into().map_or(0, Into::into))
}

/// Sends a real-time signal, counted from 0, to a process; `None` only checks whether that would be possible.
///
/// # Errors
/// Those of [`send_signal`](super::send_signal).
pub fn send_rt(signal: impl Into<Option<u32>>, pid: impl Into<u32>) -> io::Result<()> {
    send_number(Recipient::Process(pid.into()), real_time_or_none(signal.into())?)
}

/// Sends a signal to a group of processes, by the number of the group; 0 is our own. `None` only checks whether that would
/// be possible.
///
/// # Errors
/// Those of [`send_signal`](super::send_signal).
pub fn send_to_group(signal: impl Into<Option<SignalType>>, pid: impl Into<u32>) -> io::Result<()> {
    send_number(group(pid.into()), signal.into().map_or(0, Into::into))
}

/// Sends a real-time signal, counted from 0, to a group of processes, by the number of the group; 0 is our own. `None` only
/// checks whether that would be possible.
///
/// # Errors
/// Those of [`send_signal`](super::send_signal).
pub fn send_rt_to_group(signal: impl Into<Option<u32>>, pid: impl Into<u32>) -> io::Result<()> {
    send_number(group(pid.into()), real_time_or_none(signal.into())?)
}

fn group(group: u32) -> Recipient<'static> {
    if group == 0 { Recipient::OwnGroup } else { Recipient::Group(group) }
}

fn real_time_or_none(signal: Option<u32>) -> io::Result<i32> {
    let Some(index) = signal else { return Ok(0) };
    number_of_real_time(index).ok_or_else(|| {
        SetHandlerError::RealTimeSignalOutOfBounds { attempted: index, max: NUM_REALTIME_SIGNALS }.into()
    })
}

macro_rules! signal_types {
    ($($(#[$doc:meta])* $name:ident = $number:ident, $signal:ident;)+) => {
        /// A signal, under the name that interprocess 1.2 has for it. [`Signal`] is the same on every OS, and each can be turned into
        /// the other.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum SignalType {
            $($(#[$doc])* $name = libc::$number,)+
        }

        impl TryFrom<i32> for SignalType {
            type Error = UnknownSignalError;

            fn try_from(value: i32) -> Result<Self, UnknownSignalError> {
                match value {
                    $(libc::$number => Ok(Self::$name),)+
                    value => Err(UnknownSignalError { value }),
                }
            }
        }

        impl From<SignalType> for Signal {
            fn from(signal: SignalType) -> Self {
                match signal {
                    $(SignalType::$name => Self::$signal,)+
                }
            }
        }
    };
}
signal_types! {
    /// `SIGHUP`
    Hangup = SIGHUP, HangUp;
    /// `SIGINT`
    KeyboardInterrupt = SIGINT, Interrupt;
    /// `SIGQUIT`
    QuitAndDump = SIGQUIT, Quit;
    /// `SIGILL`
    IllegalInstruction = SIGILL, IllegalInstruction;
    /// `SIGABRT`
    Abort = SIGABRT, Abort;
    /// `SIGFPE`
    MathException = SIGFPE, FloatingPoint;
    /// `SIGKILL`
    Kill = SIGKILL, Kill;
    /// `SIGSEGV`
    SegmentationFault = SIGSEGV, SegmentationFault;
    /// `SIGPIPE`
    BrokenPipe = SIGPIPE, BrokenPipe;
    /// `SIGALRM`
    AlarmClock = SIGALRM, Alarm;
    /// `SIGTERM`
    Termination = SIGTERM, Terminate;
    /// `SIGUSR1`
    UserSignal1 = SIGUSR1, User1;
    /// `SIGUSR2`
    UserSignal2 = SIGUSR2, User2;
    /// `SIGCHLD`
    ChildProcessEvent = SIGCHLD, Child;
    /// `SIGCONT`
    Continue = SIGCONT, Continue;
    /// `SIGSTOP`
    ForceSuspend = SIGSTOP, Stop;
    /// `SIGTSTP`
    Suspend = SIGTSTP, TerminalStop;
    /// `SIGTTIN`
    TerminalInputWhileInBackground = SIGTTIN, TerminalInput;
    /// `SIGTTOU`
    TerminalOutputWhileInBackground = SIGTTOU, TerminalOutput;
    /// `SIGIO`, which is `SIGPOLL` where there is one
    PollNotification = SIGIO, Io;
    /// `SIGBUS`
    MemoryBusError = SIGBUS, Bus;
    /// `SIGPROF`
    ProfilerClock = SIGPROF, Profiling;
    /// `SIGVTALRM`
    UserModeProfilerClock = SIGVTALRM, VirtualAlarm;
    /// `SIGSYS`
    InvalidSystemCall = SIGSYS, BadSystemCall;
    /// `SIGTRAP`
    Breakpoint = SIGTRAP, Trap;
    /// `SIGURG`
    OutOfBandDataAvailable = SIGURG, Urgent;
    /// `SIGXCPU`
    CpuTimeLimitExceeded = SIGXCPU, CpuTimeLimit;
    /// `SIGXFSZ`
    FileSizeLimitExceeded = SIGXFSZ, FileSizeLimit;
}

impl SignalType {
    /// Whether it can be neither handled nor blocked.
    pub const fn is_unblockable(self) -> bool {
        matches!(self, Self::Kill | Self::ForceSuspend)
    }

    /// Whether handling it takes `unsafe`: it is raised by faults. (interprocess 1.2 has [`MathException`](Self::MathException) among the
    /// others. A handler that returns from one has it raised again, for ever.)
    pub const fn is_unsafe(self) -> bool {
        matches!(
            self,
            Self::SegmentationFault | Self::MemoryBusError | Self::IllegalInstruction | Self::MathException
        )
    }
}

impl From<SignalType> for i32 {
    fn from(signal: SignalType) -> Self {
        signal as i32
    }
}

impl From<SignalType> for u32 {
    fn from(signal: SignalType) -> Self {
        (signal as i32).unsigned_abs()
    }
}

impl TryFrom<u32> for SignalType {
    type Error = UnknownSignalError;

    fn try_from(value: u32) -> Result<Self, UnknownSignalError> {
        i32::try_from(value).map_err(|_| UnknownSignalError { value: i32::MAX })?.try_into()
    }
}

/// # Errors
/// It is one that has no name here.
impl TryFrom<Signal> for SignalType {
    type Error = UnknownSignalError;

    fn try_from(signal: Signal) -> Result<Self, UnknownSignalError> {
        signal.number().unwrap_or(0).try_into()
    }
}

/// There is no [`SignalType`] of that number.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct UnknownSignalError {
    /// The number.
    pub value: i32,
}

impl Error for UnknownSignalError {}

macro_rules! with_number {
    ($($format:ident)+) => {$(
        impl $format for UnknownSignalError {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("no signal has the number ")?;
                $format::fmt(&self.value, f)
            }
        }
    )+};
}
with_number! { Display Binary LowerHex UpperHex UpperExp Octal }
