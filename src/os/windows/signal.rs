//! Signals of Windows: sending console events, and handling the six signals of C.
//!
//! To be told of Ctrl-C and other console events, start with [`crate::signal`]. This module has what goes with it.
//!
//! | to | use |
//! |---|---|
//! | wait for console events, blocking or async | [`Signals`](crate::signal::Signals) |
//! | send one to a group of processes | [`send_console_event`] |
//! | have a function called for a signal of C, by the names of interprocess 1.2 | [`set_handler`] |
//!
//! ```no_run
//! use interprocess::os::windows::signal::{ConsoleEvent, send_console_event};
//! use std::{os::windows::process::CommandExt, process::Command};
//!
//! // A server is asked to end, as by Ctrl-Break, and we are not.
//! const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
//! let mut server = Command::new("server.exe").creation_flags(CREATE_NEW_PROCESS_GROUP).spawn()?;
//! send_console_event(ConsoleEvent::CtrlBreak, server.id())?;
//! server.wait()?;
//! # Ok::<(), std::io::Error>(())
//! ```

use crate::{
    signal::Signal,
    sys::signal::{self as sys, c},
};
use std::{
    error::Error,
    fmt::{self, Binary, Display, Formatter, LowerHex, Octal, UpperExp, UpperHex},
    io,
};

/// A console event that can be sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConsoleEvent {
    /// Ctrl-C (`CTRL_C_EVENT`). Windows sends it to all processes of the console only. Processes that were started as a group of their
    /// own ignore it, unless they say otherwise.
    CtrlC,
    /// Ctrl-Break (`CTRL_BREAK_EVENT`).
    CtrlBreak,
}

/// Sends an event to a group of processes that shares our console; 0 is all of them, us included. A group has the number of its first
/// process, which was started with `CREATE_NEW_PROCESS_GROUP`. Stands on `GenerateConsoleCtrlEvent`.
///
/// # Errors
/// - [`NotFound`](io::ErrorKind::NotFound): there is no such group in this console, or no console.
/// - [`InvalidInput`](io::ErrorKind::InvalidInput): Ctrl-C for one group, which Windows does not send.
/// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): not allowed.
///
/// ```no_run
/// use interprocess::os::windows::signal::{ConsoleEvent, send_console_event};
/// use std::{os::windows::process::CommandExt, process::Command};
///
/// const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
/// let mut child = Command::new("server.exe").creation_flags(CREATE_NEW_PROCESS_GROUP).spawn()?;
/// send_console_event(ConsoleEvent::CtrlBreak, child.id())?;
/// child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn send_console_event(event: ConsoleEvent, group: u32) -> io::Result<()> {
    match event {
        ConsoleEvent::CtrlC if group != 0 => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "Ctrl-C can be sent to all processes of the console only; Ctrl-Break to a group",
        )),
        ConsoleEvent::CtrlC => sys::send_event(0, group),
        ConsoleEvent::CtrlBreak => sys::send_event(1, group),
    }
}

/// Installs a handler for a signal of C. Stands on `signal` of the C runtime. It stays when it is called.
///
/// [`Signals`](crate::signal::Signals) is for who wants to be told of signals, and has none of the restrictions of handlers. While there
/// are any for [`Terminate`](Signal::Terminate), a handler for that is called after them.
///
/// # Errors
/// See [`SetHandlerError`]. After any of them, nothing has changed.
///
/// ```
/// use interprocess::os::windows::signal::{SignalHandler, SignalType, set_handler};
///
/// set_handler(SignalType::Termination, SignalHandler::Ignore)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set_handler(signal_type: SignalType, handler: SignalHandler) -> Result<(), SetHandlerError> {
    if signal_type.is_unsafe() {
        return Err(SetHandlerError::UnsafeSignal);
    }
    // SAFETY: who made the handler vouches for what it calls, and no fault raises this signal.
    unsafe { set_unsafe_handler(signal_type, handler) }
}

/// The same for signals that are [unsafe](SignalType::is_unsafe) to handle, too.
///
/// # Errors
/// See [`SetHandlerError`].
///
/// # Safety
/// Faults are raised by something that went wrong in the thread that is interrupted, and that is done again when the handler
/// returns. The handler must not return then, so it has to be a [`NoReturnSignalHook`], and must not rely on anything that may be
/// broken by then.
pub unsafe fn set_unsafe_handler(
    signal_type: SignalType,
    handler: SignalHandler,
) -> Result<(), SetHandlerError> {
    let action = match handler {
        SignalHandler::Default => sys::Action::Default,
        SignalHandler::Ignore => sys::Action::Ignore,
        SignalHandler::Hook(hook) => sys::Action::Call(hook.0),
        SignalHandler::NoReturnHook(hook) => {
            // SAFETY: a function that never returns is called like one that returns nothing.
            let function = unsafe { std::mem::transmute::<fn() -> !, fn()>(hook.0) };
            sys::Action::Call(function)
        }
    };
    // SAFETY: as the caller says.
    unsafe { sys::set(signal_type.into(), action) }.map_err(|_| SetHandlerError::UnexpectedLibcCallFailure)
}

/// Why a handler was not installed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetHandlerError {
    /// The signal is [unsafe](SignalType::is_unsafe) to handle, and was to be handled by [`set_handler`].
    UnsafeSignal,
    /// The C runtime refused, and does not say why.
    UnexpectedLibcCallFailure,
}

impl Display for SetHandlerError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnsafeSignal => "this signal is unsafe to handle, and was not handled by an unsafe call",
            Self::UnexpectedLibcCallFailure => "the C runtime refused to install the handler",
        })
    }
}

impl Error for SetHandlerError {}

impl From<SetHandlerError> for io::Error {
    fn from(error: SetHandlerError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// What is done about a signal.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum SignalHandler {
    /// What C does about it: it ends the process.
    #[default]
    Default,
    /// Nothing.
    Ignore,
    /// A function is called.
    Hook(SignalHook),
    /// A function is called that does not return.
    NoReturnHook(NoReturnSignalHook),
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

    /// Whether it is a [`Hook`](Self::Hook) or a [`NoReturnHook`](Self::NoReturnHook).
    pub const fn is_hook(self) -> bool {
        matches!(self, Self::Hook(_) | Self::NoReturnHook(_))
    }

    /// A function to be called.
    ///
    /// # Safety
    /// See [`SignalHook::from_fn`].
    pub unsafe fn from_fn(function: fn()) -> Self {
        // SAFETY: as the caller says.
        Self::Hook(unsafe { SignalHook::from_fn(function) })
    }

    /// A function to be called that does not return.
    ///
    /// # Safety
    /// See [`SignalHook::from_fn`].
    pub unsafe fn from_fn_noreturn(function: fn() -> !) -> Self {
        // SAFETY: as the caller says.
        Self::NoReturnHook(unsafe { NoReturnSignalHook::from_fn(function) })
    }
}

impl From<SignalHook> for SignalHandler {
    fn from(hook: SignalHook) -> Self {
        Self::Hook(hook)
    }
}

impl From<NoReturnSignalHook> for SignalHandler {
    fn from(hook: NoReturnSignalHook) -> Self {
        Self::NoReturnHook(hook)
    }
}

/// A function that may be called when a signal comes.
#[derive(Copy, Clone, Debug)]
pub struct SignalHook(fn());

impl SignalHook {
    /// A function that may be called by a signal.
    ///
    /// # Safety
    /// What it does has to be allowed in a handler: C allows atomics without locks, `abort`, and `signal` for the same signal. A function
    /// that panics ends the process.
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

/// A function that may be called when a signal comes, and does not return.
#[derive(Copy, Clone, Debug)]
pub struct NoReturnSignalHook(fn() -> !);

impl NoReturnSignalHook {
    /// A function that may be called by a signal.
    ///
    /// # Safety
    /// See [`SignalHook::from_fn`].
    pub unsafe fn from_fn(function: fn() -> !) -> Self {
        Self(function)
    }

    /// The function.
    pub fn inner(self) -> fn() -> ! {
        self.0
    }
}

/// By the function's address.
impl PartialEq for NoReturnSignalHook {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for NoReturnSignalHook {}

impl From<NoReturnSignalHook> for fn() -> ! {
    fn from(hook: NoReturnSignalHook) -> Self {
        hook.0
    }
}

/// The signals of C, under the names that interprocess 1.2 has for them.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum SignalType {
    /// `SIGINT`: Ctrl-C, or `raise`
    KeyboardInterrupt = c::SIGINT,
    /// `SIGILL`
    IllegalInstruction = c::SIGILL,
    /// `SIGABRT`: `abort`
    Abort = c::SIGABRT,
    /// `SIGFPE`
    MathException = c::SIGFPE,
    /// `SIGSEGV`
    SegmentationFault = c::SIGSEGV,
    /// `SIGTERM`: `raise`, and nothing else
    Termination = c::SIGTERM,
}

impl SignalType {
    const ALL: [Self; 6] = [
        Self::KeyboardInterrupt,
        Self::IllegalInstruction,
        Self::Abort,
        Self::MathException,
        Self::SegmentationFault,
        Self::Termination,
    ];

    /// Whether a handler must not return.
    pub const fn requires_diverging_hook(self) -> bool {
        matches!(self, Self::SegmentationFault | Self::IllegalInstruction | Self::MathException)
    }

    /// Whether handling it takes `unsafe`: it is raised by faults. (interprocess 1.2 has [`MathException`](Self::MathException) among the
    /// others.)
    pub const fn is_unsafe(self) -> bool {
        self.requires_diverging_hook()
    }
}

impl From<SignalType> for Signal {
    fn from(signal: SignalType) -> Self {
        match signal {
            SignalType::KeyboardInterrupt => Self::Interrupt,
            SignalType::IllegalInstruction => Self::IllegalInstruction,
            SignalType::Abort => Self::Abort,
            SignalType::MathException => Self::FloatingPoint,
            SignalType::SegmentationFault => Self::SegmentationFault,
            SignalType::Termination => Self::Terminate,
        }
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

impl TryFrom<i32> for SignalType {
    type Error = UnknownSignalError;

    fn try_from(value: i32) -> Result<Self, UnknownSignalError> {
        Self::ALL.into_iter().find(|&signal| signal as i32 == value).ok_or(UnknownSignalError { value })
    }
}

impl TryFrom<u32> for SignalType {
    type Error = UnknownSignalError;

    fn try_from(value: u32) -> Result<Self, UnknownSignalError> {
        i32::try_from(value).map_err(|_| UnknownSignalError { value: i32::MAX })?.try_into()
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
