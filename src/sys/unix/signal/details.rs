//! What a `siginfo_t` says, and what it means: each system has its own numbers for the reasons.

use super::queue::Record;
use crate::signal::{Reason, Received, Sender, Signal, Value};
use libc::{c_int, siginfo_t};

/// The reasons that any signal can have, as each system numbers them.
mod code {
    use libc::c_int;

    /// `SI_USER`, `SI_QUEUE`, `SI_TIMER`, `SI_ASYNCIO`, `SI_MESGQ`, and `SI_TKILL` or `SI_LWP`.
    type Codes = [c_int; 6];

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) const CODES: Codes = [0, -1, -2, -4, -3, -6];
    #[cfg(any(target_os = "freebsd", target_vendor = "apple"))]
    pub(super) const CODES: Codes = [0x10001, 0x10002, 0x10003, 0x10004, 0x10005, 0x10007];
    #[cfg(any(target_os = "netbsd", target_os = "dragonfly"))]
    pub(super) const CODES: Codes = [0, -1, -2, -3, -4, -5];
    #[cfg(any(target_os = "openbsd", target_os = "illumos", target_os = "solaris"))]
    pub(super) const CODES: Codes = [0, -2, -3, -4, -5, -1];

    /// Further ones of signals from the system.
    pub(super) const KERNEL: c_int = if cfg!(target_os = "freebsd") { 0x10006 } else { 0x80 };

    /// `CLD_EXITED`, `CLD_KILLED`, `CLD_DUMPED`, `CLD_TRAPPED`, `CLD_STOPPED` and `CLD_CONTINUED`.
    pub(super) const CHILD: [c_int; 6] = [
        libc::CLD_EXITED,
        libc::CLD_KILLED,
        libc::CLD_DUMPED,
        libc::CLD_TRAPPED,
        libc::CLD_STOPPED,
        libc::CLD_CONTINUED,
    ];
}

fn reason(signal: c_int, code: c_int) -> Reason {
    if signal == libc::SIGCHLD {
        let at = code::CHILD.iter().position(|&other| other == code);
        let reasons = [
            Reason::ChildExited,
            Reason::ChildKilled,
            Reason::ChildDumped,
            Reason::ChildTrapped,
            Reason::ChildStopped,
            Reason::ChildContinued,
        ];
        if let Some(at) = at {
            return reasons[at];
        }
    }
    let reasons = [
        Reason::Sent,
        Reason::SentWithValue,
        Reason::Timer,
        Reason::AsyncIo,
        Reason::MessageQueue,
        Reason::SentToThread,
    ];
    match code::CODES.iter().position(|&other| other == code) {
        Some(at) => reasons[at],
        // macOS does not always say more of a signal that was sent.
        None if cfg!(target_vendor = "apple") && code == 0 => Reason::Sent,
        None if code == code::KERNEL => Reason::Kernel,
        None => Reason::Other,
    }
}

/// Takes out what there is, from within a handler. No reason has all of it.
pub(super) fn record(signal: c_int, info: Option<&siginfo_t>) -> Record {
    let Some(info) = info else { return Record { signal, ..Record::default() } };
    let code = info.si_code;
    let mut record = Record { signal, has_details: true, code, ..Record::default() };
    let reason = reason(signal, code);
    if has_sender(reason) {
        // SAFETY: for these reasons, the fields for the sender are set.
        (record.pid, record.uid) = unsafe { (info.si_pid(), info.si_uid()) };
    }
    if is_of_child(reason) {
        // SAFETY: for these reasons, so is the field for the status.
        record.status = unsafe { info.si_status() };
    }
    if has_value(reason) {
        // SAFETY: for these reasons, so is the field for the value.
        record.value = unsafe { info.si_value() }.sival_ptr.addr();
    }
    record
}

fn is_of_child(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ChildExited
            | Reason::ChildKilled
            | Reason::ChildDumped
            | Reason::ChildTrapped
            | Reason::ChildStopped
            | Reason::ChildContinued
    )
}

fn has_sender(reason: Reason) -> bool {
    // Only Linux says whose message it was.
    let is_of_linux = cfg!(target_os = "linux") && reason == Reason::MessageQueue;
    let is_sent = matches!(reason, Reason::Sent | Reason::SentWithValue | Reason::SentToThread);
    is_sent || is_of_linux || is_of_child(reason)
}

fn has_value(reason: Reason) -> bool {
    matches!(reason, Reason::SentWithValue | Reason::Timer | Reason::AsyncIo | Reason::MessageQueue)
}

/// What is handed out.
pub(crate) fn received(record: Record) -> Received {
    let signal = super::from_number(record.signal).unwrap_or(Signal::Other(record.signal));
    if !record.has_details {
        return Received::new(signal, Reason::Unknown);
    }
    let reason = reason(record.signal, record.code);
    Received {
        code: Some(record.code),
        sender: u32::try_from(record.pid)
            .ok()
            .filter(|_| has_sender(reason))
            .map(|pid| Sender { pid, uid: Some(record.uid) }),
        value: has_value(reason).then_some(Value(record.value)),
        status: is_of_child(reason).then_some(record.status),
        ..Received::new(signal, reason)
    }
}
