//! Events of the console, and the signals of C.
//!
//! Console events come in a thread of their own, and C's signals by a call of `raise`, so that locks and memory can be used. Each
//! owner has a queue, and an event that is set while something is in it.

use super::overlapped;
use crate::{
    deadline::Deadline,
    signal::{Reason, Received, Signal},
};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    collections::VecDeque,
    io, mem,
    ops::Range,
    panic::catch_unwind,
    process::abort,
    ptr::null_mut,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicPtr, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread,
    time::Duration,
};
use windows_sys::{
    Win32::{
        Foundation::{ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER},
        System::Console::{
            CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
            GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
        },
    },
    core::BOOL,
};

/// The numbers that C has for signals on Windows.
pub(crate) mod c {
    pub(crate) const SIGINT: i32 = 2;
    pub(crate) const SIGILL: i32 = 4;
    pub(crate) const SIGFPE: i32 = 8;
    pub(crate) const SIGSEGV: i32 = 11;
    pub(crate) const SIGTERM: i32 = 15;
    pub(crate) const SIGBREAK: i32 = 21;
    pub(crate) const SIGABRT: i32 = 22;

    pub(super) const SIG_DFL: usize = 0;
    pub(super) const SIG_IGN: usize = 1;
    pub(super) const SIG_ERR: usize = usize::MAX;

    unsafe extern "C" {
        pub(super) fn signal(signal: i32, action: usize) -> usize;
    }
}

const NUMBERS: [(Signal, i32); 7] = [
    (Signal::Interrupt, c::SIGINT),
    (Signal::IllegalInstruction, c::SIGILL),
    (Signal::FloatingPoint, c::SIGFPE),
    (Signal::SegmentationFault, c::SIGSEGV),
    (Signal::Terminate, c::SIGTERM),
    (Signal::Quit, c::SIGBREAK),
    (Signal::Abort, c::SIGABRT),
];

/// There are no real-time signals.
pub(crate) fn real_time() -> Range<i32> {
    0..0
}

pub(crate) fn number(signal: Signal) -> Option<i32> {
    NUMBERS.iter().find(|(other, _)| *other == signal).map(|&(_, number)| number)
}

pub(crate) fn from_number(number: i32) -> Option<Signal> {
    NUMBERS.iter().find(|(_, other)| *other == number).map(|&(signal, _)| signal)
}

/// That a signal can be waited for, or why it cannot be.
fn check(signal: Signal) -> io::Result<Signal> {
    let why = match signal {
        Signal::Interrupt | Signal::Quit | Signal::HangUp | Signal::Terminate => return Ok(signal),
        Signal::Kill | Signal::Stop => "cannot be caught",
        Signal::IllegalInstruction | Signal::FloatingPoint | Signal::SegmentationFault | Signal::Bus => {
            "cannot be caught safely: what caused it would happen again"
        }
        Signal::RealTime(_) => "is beyond the real-time signals that this system has",
        _ => "is nothing that Windows tells of",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{signal} {why}")))
}

/// What waits for one owner.
#[derive(Debug)]
struct Queue {
    signals: Vec<Signal>,
    limit: usize,
    waiting: Mutex<Waiting>,
    lost: AtomicUsize,
    /// Set while something is waiting, or nothing will be any more.
    set: Arc<overlapped::Signal>,
}

#[derive(Debug, Default)]
struct Waiting {
    received: VecDeque<Received>,
    is_stopped: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, received: Received) {
        let mut waiting = self.lock();
        if waiting.is_stopped {
            return;
        }
        // One of each kind always has room, so that none goes entirely unnoticed.
        if waiting.received.len() < self.limit
            || waiting.received.iter().all(|other| other.signal != received.signal)
        {
            waiting.received.push_back(received);
        } else {
            self.lost.fetch_add(1, Relaxed);
        }
        self.set.event().set();
    }

    fn pop(&self) -> io::Result<Received> {
        let mut waiting = self.lock();
        if let Some(received) = waiting.received.pop_front() {
            return Ok(received);
        }
        if waiting.is_stopped {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "no longer waiting for signals"));
        }
        self.set.event().reset();
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn stop(&self) {
        self.lock().is_stopped = true;
        self.set.event().set();
    }
}

/// The owners, and what was done for them.
struct State {
    owners: Vec<Arc<Queue>>,
    /// What C would call if we did not, while something of ours is installed.
    previous: Option<usize>,
}

static STATE: Mutex<State> = Mutex::new(State { owners: Vec::new(), previous: None });

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a signal to all who want it; `false` if nobody does.
fn dispatch(received: Received) -> bool {
    let state = lock();
    let mut wanted = state.owners.iter().filter(|queue| queue.signals.contains(&received.signal)).peekable();
    let is_wanted = wanted.peek().is_some();
    wanted.for_each(|queue| queue.push(received));
    is_wanted
}

/// What the system calls in a thread of its own.
unsafe extern "system" fn on_event(event: u32) -> BOOL {
    let signal = match event {
        CTRL_C_EVENT => Signal::Interrupt,
        CTRL_BREAK_EVENT => Signal::Quit,
        CTRL_CLOSE_EVENT => Signal::HangUp,
        CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT => Signal::Terminate,
        _ => return 0,
    };
    let code = i32::try_from(event).ok();
    if !dispatch(Received { code, ..Received::new(signal, Reason::Console) }) {
        return 0;
    }
    if matches!(event, CTRL_CLOSE_EVENT | CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT) {
        // When this returns, the process is ended, whatever is returned. It shall end by itself, in the time that the system gives it.
        loop {
            thread::sleep(Duration::MAX);
        }
    }
    1
}

/// What C calls for SIGTERM.
extern "C" fn on_raise(signal: i32) {
    // C has installed the default by now.
    // SAFETY: a function of this type is what it takes.
    unsafe { c::signal(signal, on_raise as extern "C" fn(i32) as usize) };
    dispatch(Received::new(Signal::Terminate, Reason::Raised));
    let previous = lock().previous.unwrap_or(c::SIG_DFL);
    if previous != c::SIG_DFL && previous != c::SIG_IGN {
        let function = std::ptr::with_exposed_provenance::<()>(previous);
        // SAFETY: what was installed before is a function of this type.
        let function: extern "C" fn(i32) = unsafe { mem::transmute(function) };
        function(signal);
        if lock().previous.is_some() {
            // It may have installed itself again.
            // SAFETY: as above.
            unsafe { c::signal(signal, on_raise_action()) };
        }
    }
}

fn on_raise_action() -> usize {
    on_raise as extern "C" fn(i32) as usize
}

/// Installs an action of C, and gives the one before.
///
/// # Safety
/// It is the default, to ignore, or a function that may be called.
unsafe fn install(signal: i32, action: usize) -> io::Result<usize> {
    // SAFETY: as the caller says.
    match unsafe { c::signal(signal, action) } {
        c::SIG_ERR => Err(io::Error::new(io::ErrorKind::InvalidInput, "C refuses to handle this signal")),
        before => Ok(before),
    }
}

impl State {
    /// Installs our functions, if they are not.
    fn install(&mut self) -> io::Result<()> {
        if self.previous.is_some() {
            return Ok(());
        }
        // SAFETY: the function may be called at any time.
        let previous = unsafe { install(c::SIGTERM, on_raise_action()) }?;
        // SAFETY: as above.
        if unsafe { SetConsoleCtrlHandler(Some(on_event), 1) } == 0 {
            let error = io::Error::last_os_error();
            // SAFETY: it was installed before.
            let _ = unsafe { install(c::SIGTERM, previous) };
            return Err(error);
        }
        self.previous = Some(previous);
        Ok(())
    }

    /// Takes them out again.
    fn uninstall(&mut self) {
        let Some(previous) = self.previous.take() else { return };
        // SAFETY: it takes out what was put in.
        unsafe { SetConsoleCtrlHandler(Some(on_event), 0) };
        // SAFETY: it was installed before.
        if let Ok(replaced) = unsafe { install(c::SIGTERM, previous) } {
            if replaced != on_raise_action() {
                // Somebody else has come after us.
                // SAFETY: as above.
                let _ = unsafe { install(c::SIGTERM, replaced) };
            }
        }
    }
}

/// Signals that are queued as they come.
#[derive(Debug)]
pub(crate) struct Signals(Arc<Queue>);

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
        let signals = signals.into_iter().map(check).collect::<io::Result<Vec<_>>>()?;
        let queue = Arc::new(Queue {
            signals,
            limit,
            waiting: Mutex::default(),
            lost: AtomicUsize::new(0),
            set: overlapped::Signal::new()?,
        });
        let mut state = lock();
        state.install()?;
        state.owners.push(Arc::clone(&queue));
        Ok(Self(queue))
    }

    pub(crate) fn try_wait(&self) -> io::Result<Received> {
        self.0.pop()
    }

    pub(crate) fn wait(&self, deadline: impl FnOnce() -> Deadline) -> io::Result<Received> {
        let mut result = self.0.pop();
        let would_block =
            |result: &io::Result<_>| matches!(result, Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        if would_block(&result) {
            let deadline = deadline();
            while would_block(&result) {
                if !self.0.set.event().wait(deadline) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                result = self.0.pop();
            }
        }
        result
    }

    /// Has the task woken when there may be something.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let waiting = self.0.lock();
        if waiting.is_stopped || !waiting.received.is_empty() {
            return Poll::Ready(());
        }
        // A waker may run anything.
        drop(waiting);
        self.0.set.wake(cx.waker());
        Poll::Pending
    }

    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.0))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.lock().is_stopped
    }

    pub(crate) fn lost(&self) -> usize {
        self.0.lost.load(Relaxed)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let mut state = lock();
        state.owners.retain(|queue| !Arc::ptr_eq(queue, &self.0));
        if state.owners.is_empty() {
            state.uninstall();
        }
        drop(state);
        self.0.set.end();
    }
}

/// Sends an event to a group of processes of this console.
pub(crate) fn send_event(event: u32, group: u32) -> io::Result<()> {
    // SAFETY: a plain call on numbers.
    if unsafe { GenerateConsoleCtrlEvent(event, group) } != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    let nobody = [ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER];
    if nobody.iter().any(|&code| overlapped::has_code(&error, code)) {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("no group of this console to get the event ({error})"),
        ));
    }
    Err(error)
}

/// What is to be done about a signal of C.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Action {
    Default,
    Ignore,
    Call(fn()),
}

static HOOKS: [AtomicPtr<()>; 23] = [const { AtomicPtr::new(null_mut()) }; 23];

extern "C" fn call(signal: i32) {
    // C has installed the default by now.
    // SAFETY: a function of this type is what it takes.
    unsafe { c::signal(signal, call as extern "C" fn(i32) as usize) };
    let hook = usize::try_from(signal).ok().and_then(|signal| HOOKS.get(signal));
    let hook = hook.map_or(null_mut(), |hook| hook.load(Acquire));
    if hook.is_null() {
        return;
    }
    // SAFETY: nothing but functions of this type is put there.
    let hook: fn() = unsafe { mem::transmute(hook) };
    // What a panic would unwind through is not ours.
    if catch_unwind(hook).is_err() {
        abort();
    }
}

/// Installs an action for a signal of C; beneath ours, if ours is there.
///
/// # Safety
/// A function may be called in whatever the signal interrupts, and whatever raised a fault is not gone.
pub(crate) unsafe fn set(signal: i32, what: Action) -> io::Result<()> {
    let action = match what {
        Action::Default => c::SIG_DFL,
        Action::Ignore => c::SIG_IGN,
        Action::Call(hook) => {
            let at = usize::try_from(signal).ok().and_then(|signal| HOOKS.get(signal));
            at.ok_or(io::ErrorKind::InvalidInput)?.store(hook as *mut (), Release);
            call as extern "C" fn(i32) as usize
        }
    };
    let mut state = lock();
    if signal == c::SIGTERM && state.previous.is_some() {
        state.previous = Some(action);
        return Ok(());
    }
    // SAFETY: as the caller says.
    unsafe { install(signal, action) }.map(drop)
}
