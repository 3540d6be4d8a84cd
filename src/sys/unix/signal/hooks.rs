//! One function for each signal, of those who asked for it by `set_handler`.

use super::handlers::{current, empty_action, flags, set_action, set_flags};
use libc::c_int;
use std::{
    io, mem,
    panic::catch_unwind,
    process::abort,
    ptr::null_mut,
    sync::atomic::{
        AtomicPtr,
        Ordering::{Acquire, Release},
    },
};

static HOOKS: [AtomicPtr<()>; 129] = [const { AtomicPtr::new(null_mut()) }; 129];

/// What is to be done about a signal.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Action {
    Default,
    Ignore,
    Call(fn()),
    /// As is.
    Keep,
}

extern "C" fn call(signal: c_int) {
    let hook = usize::try_from(signal).ok().and_then(|signal| HOOKS.get(signal));
    let hook = hook.map_or(null_mut(), |hook| hook.load(Acquire));
    if hook.is_null() {
        return;
    }
    // SAFETY: nothing but functions of this type is put there.
    let hook: fn() = unsafe { mem::transmute(hook) };
    // The message was printed by then. What a panic would unwind through is not ours.
    if catch_unwind(hook).is_err() {
        abort();
    }
}

/// Installs an action for a signal, with flags of `sigaction`.
///
/// # Safety
/// A function may be called in whatever the signal interrupts, and whatever made the system raise a fault is not gone.
#[allow(clippy::fn_to_numeric_cast_any, reason = "that is what sigaction takes")]
pub(crate) unsafe fn set(signal: c_int, what: Action, new_flags: c_int) -> io::Result<()> {
    let mut action = empty_action();
    let mut new_flags = new_flags;
    action.sa_sigaction = match what {
        Action::Default => libc::SIG_DFL,
        Action::Ignore => libc::SIG_IGN,
        Action::Call(hook) => {
            let at = usize::try_from(signal).ok().and_then(|signal| HOOKS.get(signal));
            let at = at.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
            at.store(hook as *mut (), Release);
            call as extern "C" fn(c_int) as usize
        }
        Action::Keep => {
            action = current(signal)?;
            new_flags |= flags(&action) & libc::SA_SIGINFO;
            action.sa_sigaction
        }
    };
    set_flags(&mut action, new_flags);
    // SAFETY: as the caller says.
    unsafe { set_action(signal, &action) }
}
