//! Console events and the signals of C on Windows. Consoles differ (Wine may have none), so most tests raise `SIGTERM`; each in a
//! process of its own, as it is about the whole process.

#![cfg(all(windows, feature = "signals"))]

mod support;

use interprocess::{
    os::windows::signal::{
        ConsoleEvent, SetHandlerError, SignalHandler, SignalType, UnknownSignalError, send_console_event,
        set_handler, set_unsafe_handler,
    },
    signal::{Reason, Signal, Signals},
};
use std::{
    io::ErrorKind,
    os::windows::process::CommandExt,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};
use support::{Child, LIMIT, in_time, say};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

unsafe extern "C" {
    fn raise(signal: i32) -> i32;
}

fn raise_term() {
    // SAFETY: whatever is installed may be called now.
    unsafe { raise(15) };
}

#[test]
fn child_entry() {
    support::child_entry(&[
        ("waiting", waiting),
        ("default", default),
        ("handlers", handlers),
        ("fault", fault),
        ("on_break", on_break),
        ("own_console", own_console),
        #[cfg(feature = "tokio")]
        ("on_tokio", on_tokio),
        #[cfg(feature = "smol")]
        ("on_smol", on_smol),
    ]);
}

fn in_child(function: &'static str) {
    in_time(|| Child::start(function, &[]).finish());
}

#[test]
fn signals_are_waited_for() {
    in_child("waiting");
}

fn waiting(_: &[String]) {
    let signals = Signals::catch(Signal::TERMINATION).unwrap();
    let other = Signals::catch([Signal::Terminate]).unwrap();
    let neither = Signals::catch([Signal::Interrupt]).unwrap();
    for _ in 0..3 {
        raise_term();
        for owner in [&signals, &other] {
            let received = owner.wait().unwrap();
            assert_eq!((received.signal(), received.reason()), (Signal::Terminate, Reason::Raised));
            assert_eq!((received.pid(), received.uid(), received.value()), (None, None, None));
            assert_eq!(owner.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
        }
    }
    let start = Instant::now();
    assert_eq!(neither.wait_timeout(SHORT).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(start.elapsed() >= SHORT);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| signals.wait().unwrap().signal());
        raise_term();
        assert_eq!(waiting.join().unwrap(), Signal::Terminate);
    });
    // Not more than there is room for, and counted.
    let few = Signals::catch_at_most(2, [Signal::Terminate]).unwrap();
    (0..5).for_each(|_| raise_term());
    assert_eq!(few.lost(), 3);
    let stopper = few.stopper();
    let thread = thread::spawn(move || stopper.stop());
    thread.join().unwrap();
    raise_term();
    assert_eq!(few.iter().count(), 2);
    assert!(few.is_stopped());
    assert_eq!(few.wait().unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn the_default_is_back_when_the_last_owner_goes() {
    in_time(|| {
        let mut child = Child::start("default", &[]);
        child.expect("caught");
        // As C ends a process.
        assert_eq!(child.wait().code(), Some(3));
    });
}

fn default(_: &[String]) {
    let signals = Signals::catch([Signal::Terminate]).unwrap();
    raise_term();
    signals.wait().unwrap();
    say("caught");
    drop(signals);
    raise_term();
}

static COUNT: AtomicU32 = AtomicU32::new(0);

fn count() -> SignalHandler {
    // SAFETY: counting up an atomic is all that it does.
    unsafe { SignalHandler::from_fn(|| _ = COUNT.fetch_add(1, SeqCst)) }
}

#[test]
fn handlers_stay_and_go_along_with_signals_that_are_waited_for() {
    in_child("handlers");
}

fn handlers(_: &[String]) {
    set_handler(SignalType::Termination, count()).unwrap();
    raise_term();
    raise_term();
    assert_eq!(COUNT.load(SeqCst), 2);
    for _ in 0..2 {
        let before = COUNT.load(SeqCst);
        let signals = Signals::catch([Signal::Terminate]).unwrap();
        raise_term();
        raise_term();
        assert_eq!(COUNT.load(SeqCst), before + 2);
        assert_eq!(signals.try_wait().unwrap().signal(), Signal::Terminate);
        assert_eq!(signals.try_wait().unwrap().signal(), Signal::Terminate);
        set_handler(SignalType::Termination, SignalHandler::Ignore).unwrap();
        raise_term();
        assert_eq!(signals.try_wait().unwrap().signal(), Signal::Terminate);
        assert_eq!(COUNT.load(SeqCst), before + 2);
        set_handler(SignalType::Termination, count()).unwrap();
        drop(signals);
        raise_term();
        assert_eq!(COUNT.load(SeqCst), before + 3);
    }
    set_handler(SignalType::Termination, SignalHandler::Ignore).unwrap();
    raise_term();
}

#[test]
fn a_fault_is_handled_by_who_vouches_for_it() {
    in_time(|| {
        let mut child = Child::start("fault", &[]);
        assert_eq!(child.wait().code(), Some(44));
    });
}

fn fault(_: &[String]) {
    // SAFETY: ending the process is all that it does.
    let handler = unsafe { SignalHandler::from_fn_noreturn(|| std::process::exit(44)) };
    // SAFETY: it does not return.
    unsafe { set_unsafe_handler(SignalType::MathException, handler) }.unwrap();
    // SAFETY: the handler may be called now.
    unsafe { raise(SignalType::MathException.into()) };
}

#[test]
fn bad_input_is_refused() {
    for (signal, text) in [
        (Signal::Kill, "SIGKILL cannot be caught"),
        (Signal::SegmentationFault, "cannot be caught safely"),
        (Signal::User1, "SIGUSR1 is nothing that Windows tells of"),
        (Signal::RealTime(0), "beyond the real-time signals"),
        (Signal::Other(2), "is nothing that Windows tells of"),
    ] {
        let error = Signals::catch([Signal::Interrupt, signal]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(Signal::from_number(15).unwrap(), Signal::Terminate);
    assert_eq!(Signal::from_number(9).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(Signal::HangUp.number(), None);
    assert_eq!(Signal::real_time_count(), 0);
    for signal in [SignalType::SegmentationFault, SignalType::IllegalInstruction, SignalType::MathException] {
        assert!(signal.is_unsafe() && signal.requires_diverging_hook());
        assert_eq!(set_handler(signal, count()), Err(SetHandlerError::UnsafeSignal));
    }
    assert_eq!(SignalType::try_from(15), Ok(SignalType::Termination));
    assert_eq!(SignalType::try_from(9), Err(UnknownSignalError { value: 9 }));
    let error = send_console_event(ConsoleEvent::CtrlC, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// Where there is a console to share with the child; Wine does not pass Ctrl-Break on. Without one, sending says so, and that is all that can be seen.
#[test]
fn a_group_gets_ctrl_break() {
    in_time(|| {
        let mut command = Child::command("on_break", &[]);
        let child = Child::spawn(command.creation_flags(CREATE_NEW_PROCESS_GROUP));
        child.expect("ready");
        match send_console_event(ConsoleEvent::CtrlBreak, child.id()) {
            Ok(()) => match child.hear().as_str() {
                "SIGQUIT 1" => child.finish(),
                "nothing" if support::is_wine() => {}
                other => panic!("{other}"),
            },
            // Wine has codes of its own for that.
            Err(error) => assert!(support::is_wine() || error.kind() == ErrorKind::NotFound, "{error}"),
        }
    });
}

fn on_break(_: &[String]) {
    let signals = Signals::catch([Signal::Quit]).unwrap();
    say("ready");
    match signals.wait_timeout(if support::is_wine() { LIMIT / 20 } else { LIMIT }) {
        Ok(received) => say(format!("{} {}", received.signal(), received.code().unwrap())),
        Err(_) => say("nothing"),
    }
}

/// In a console of its own, where nobody else gets the events.
#[test]
fn console_events_come_to_all_who_want_them() {
    in_time(|| {
        let child = Child::start("own_console", &[]);
        for event in ["CtrlC", "CtrlBreak"] {
            let text = child.hear();
            // Wine does not always have a console to make, and does not pass Ctrl-Break on.
            let is_lacking = text.starts_with("no console") || (event == "CtrlBreak" && text == "nothing");
            assert!(text == event || (support::is_wine() && is_lacking), "{event}: {text}");
        }
        child.finish();
    });
}

fn own_console(_: &[String]) {
    use windows_sys::Win32::System::Console::{AllocConsole, FreeConsole, SetConsoleCtrlHandler};

    // SAFETY: no preconditions. The last call has Ctrl-C heeded, which whoever started us may have had ignored.
    unsafe {
        FreeConsole();
        AllocConsole();
        SetConsoleCtrlHandler(None, 0);
    }
    let signals = Signals::catch(Signal::TERMINATION).unwrap();
    let events = [(ConsoleEvent::CtrlC, Signal::Interrupt, 0), (ConsoleEvent::CtrlBreak, Signal::Quit, 1)];
    for (event, signal, code) in events {
        let other = Signals::catch([signal]).unwrap();
        if let Err(error) = send_console_event(event, 0) {
            say(format!("no console: {error}"));
            continue;
        }
        match signals.wait_timeout(if support::is_wine() { LIMIT / 20 } else { LIMIT }) {
            Ok(received) => {
                assert_eq!((received.signal(), received.reason()), (signal, Reason::Console));
                assert_eq!(received.code(), Some(code));
                assert_eq!(other.wait().unwrap(), received);
                say(format!("{event:?}"));
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                say("nothing");
            }
        }
    }
}

#[cfg(any(feature = "smol", feature = "tokio"))]
async fn asynchronous<R: interprocess::runtime::Runtime>() {
    use interprocess::runtime::Async;

    let signals = Async::<Signals, R>::catch([Signal::Terminate]).unwrap();
    assert_eq!(signals.wait_timeout(SHORT).await.unwrap_err().kind(), ErrorKind::TimedOut);
    for _ in 0..20 {
        let thread = thread::spawn(raise_term);
        assert_eq!(signals.wait().await.unwrap().signal(), Signal::Terminate);
        thread.join().unwrap();
    }
    assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    let stopper = signals.stopper();
    let thread = thread::spawn(move || stopper.stop());
    assert_eq!(signals.next().await, None);
    thread.join().unwrap();
}

#[cfg(feature = "tokio")]
fn on_tokio(_: &[String]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(asynchronous::<interprocess::runtime::Tokio>());
}

#[cfg(feature = "smol")]
fn on_smol(_: &[String]) {
    async_io::block_on(asynchronous::<interprocess::runtime::Smol>());
}

#[test]
#[cfg(feature = "tokio")]
fn on_tokio_it_is_the_same() {
    in_child("on_tokio");
}

#[test]
#[cfg(feature = "smol")]
fn on_smol_it_is_the_same() {
    in_child("on_smol");
}
