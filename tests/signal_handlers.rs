//! Handlers, masks and what waits (`os::unix::signal`). Everything here is about the whole process or one thread, so most tests
//! have a process of their own.

#![cfg(all(unix, feature = "signals"))]
#![allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; Clippy does not see it for every target"
)]

mod support;

use interprocess::{
    os::unix::signal::{
        HandlerOptions, NUM_REALTIME_SIGNALS, REALTIME_SIGNALS_SUPPORTED, SetHandlerError, SignalHandler,
        SignalHook, SignalSet, SignalType, UnknownSignalError, is_valid_rtsignal, send, send_rt,
        send_rt_to_group, send_to_group, set_handler, set_rthandler, set_unsafe_handler,
    },
    signal::{Signal, Signals},
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::{self, ErrorKind},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};
use support::{Child, LIMIT, in_time, say};

#[test]
fn child_entry() {
    support::child_entry(&[
        ("called", called),
        ("real_time", real_time),
        ("reset", reset),
        ("interrupting", interrupting),
        ("beneath", beneath),
        ("ignoring", ignoring),
        ("nesting", nesting),
        ("fault", fault),
        ("panicking", panicking),
        ("groups", groups),
        ("without_allocating", without_allocating),
        ("allocating", allocating),
        ("masks", masks),
        ("signalfd", signalfd),
    ]);
}

/// Aborts when something is allocated or freed in a place where that is not allowed.
struct Watched;

thread_local! {
    static IS_FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

fn check() {
    if IS_FORBIDDEN.get() {
        IS_FORBIDDEN.set(false);
        // SAFETY: no preconditions.
        unsafe { libc::abort() };
    }
}

// SAFETY: it is the system's allocator, or the end of the process.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        check();
        // SAFETY: as the caller says.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

fn me() -> u32 {
    std::process::id()
}

/// Sends a signal to this thread, which handles it before this returns.
fn raise(signal: Signal) {
    // SAFETY: a plain call on a number.
    unsafe { libc::raise(signal.number().unwrap_or(0)) };
}

static COUNT: AtomicU32 = AtomicU32::new(0);

fn count() -> SignalHandler {
    // SAFETY: counting up an atomic is all that it does.
    unsafe { SignalHandler::from_fn(|| _ = COUNT.fetch_add(1, SeqCst)) }
}

fn wait_for_count(expected: u32) {
    let start = Instant::now();
    while COUNT.load(SeqCst) < expected {
        assert!(start.elapsed() < LIMIT, "called {} times, not {expected}", COUNT.load(SeqCst));
        thread::yield_now();
    }
    assert_eq!(COUNT.load(SeqCst), expected);
}

fn in_child(function: &'static str) {
    in_time(|| Child::start(function, &[]).finish());
}

/// The number of the signal that ends a child that runs `function`.
fn killed_by(function: &'static str) -> Option<i32> {
    in_time(|| {
        let mut child = Child::start(function, &[]);
        std::os::unix::process::ExitStatusExt::signal(&child.wait())
    })
}

#[test]
fn a_handler_is_called_for_each_signal_and_can_be_replaced() {
    in_child("called");
}

fn called(_: &[String]) {
    set_handler(SignalType::UserSignal1, count()).unwrap();
    send(None, me()).unwrap();
    send(SignalType::UserSignal1, me()).unwrap();
    wait_for_count(1);
    set_handler(SignalType::UserSignal1, SignalHandler::Ignore).unwrap();
    send(SignalType::UserSignal1, me()).unwrap();
    // SAFETY: as in `count`.
    let other = unsafe { SignalHook::from_fn(|| _ = COUNT.fetch_add(10, SeqCst)) };
    set_handler(SignalType::UserSignal1, other.into()).unwrap();
    send(SignalType::UserSignal1, me()).unwrap();
    wait_for_count(11);
    // Other options for what is there.
    HandlerOptions::for_signal(SignalType::UserSignal1).alternate_stack(true).set().unwrap();
    send(SignalType::UserSignal1, me()).unwrap();
    wait_for_count(21);
    other.inner()();
    wait_for_count(31);
}

/// Their number, not as a constant, of which Clippy knows too much where it is 0.
fn real_time_signals() -> u32 {
    std::hint::black_box(NUM_REALTIME_SIGNALS)
}

#[test]
fn real_time_signals_are_handled_by_their_numbers_from_0() {
    in_child("real_time");
    assert_eq!(REALTIME_SIGNALS_SUPPORTED, real_time_signals() != 0);
    assert!((0..=Signal::real_time_count()).contains(&real_time_signals()));
    #[cfg(target_os = "linux")]
    assert_eq!(NUM_REALTIME_SIGNALS, Signal::real_time_count());
}

fn real_time(_: &[String]) {
    for index in 0..real_time_signals() {
        assert!(is_valid_rtsignal(index));
        set_rthandler(index, count()).unwrap();
        send_rt(index, me()).unwrap();
        wait_for_count(index + 1);
    }
    send_rt(None, me()).unwrap();
}

#[test]
fn what_cannot_be_handled_says_so_and_nothing_is_installed() {
    for signal in [
        SignalType::SegmentationFault,
        SignalType::MemoryBusError,
        SignalType::IllegalInstruction,
        SignalType::MathException,
    ] {
        assert!(signal.is_unsafe());
        let error = set_handler(signal, count()).unwrap_err();
        assert!(matches!(error, SetHandlerError::UnsafeSignal), "{error}");
    }
    for signal in [SignalType::Kill, SignalType::ForceSuspend] {
        assert!(signal.is_unblockable());
        // SAFETY: it is refused.
        for error in [set_handler(signal, count()), unsafe { set_unsafe_handler(signal, count()) }] {
            let error = error.unwrap_err();
            assert!(matches!(error, SetHandlerError::UnblockableSignal(which) if which == signal), "{error}");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
        }
    }
    for attempted in [NUM_REALTIME_SIGNALS, 1000, u32::MAX] {
        assert!(!is_valid_rtsignal(attempted));
        let error = set_rthandler(attempted, count()).unwrap_err();
        let SetHandlerError::RealTimeSignalOutOfBounds { attempted: it, max } = error else {
            panic!("{error}");
        };
        assert_eq!((it, max), (attempted, NUM_REALTIME_SIGNALS));
        assert_eq!(send_rt(attempted, me()).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(send_rt_to_group(attempted, 0_u32).unwrap_err().kind(), ErrorKind::InvalidInput);
        std::panic::catch_unwind(|| HandlerOptions::for_rtsignal(attempted)).unwrap_err();
    }
    for value in [-1, 0, 1000] {
        assert_eq!(SignalType::try_from(value), Err(UnknownSignalError { value }));
    }
    assert_eq!(UnknownSignalError { value: 10 }.to_string(), "no signal has the number 10");
    assert_eq!(format!("{:x}", UnknownSignalError { value: 10 }), "no signal has the number a");
    assert_eq!(SignalType::try_from(15_u32), Ok(SignalType::Termination));
    assert_eq!(u32::from(SignalType::Kill), 9);
    assert_eq!(Signal::from(SignalType::Termination), Signal::Terminate);
    assert_eq!(SignalType::try_from(Signal::Interrupt), Ok(SignalType::KeyboardInterrupt));
    assert_eq!(send(SignalType::Termination, u32::MAX).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn the_default_is_back_after_one_call_if_that_is_asked_for() {
    assert_eq!(killed_by("reset"), Signal::User1.number());
}

fn reset(_: &[String]) {
    let options = HandlerOptions::for_signal(SignalType::UserSignal1).set_new_handler(count());
    options.auto_reset_handler(true).set().unwrap();
    send(SignalType::UserSignal1, me()).unwrap();
    wait_for_count(1);
    send(SignalType::UserSignal1, me()).unwrap();
    thread::sleep(LIMIT);
}

#[test]
fn calls_are_interrupted_or_go_on_as_is_asked_for() {
    in_child("interrupting");
}

/// A thread, which waits for the one that uses this.
struct Thread(libc::pthread_t);

// SAFETY: it is a name for a thread, a pointer on some systems, that any thread may use.
unsafe impl Send for Thread {}

impl Thread {
    fn interrupt(&self) {
        // SAFETY: the thread lives.
        unsafe { libc::pthread_kill(self.0, libc::SIGUSR1) };
    }
}

fn interrupting(_: &[String]) {
    use std::{io::Read, os::unix::net::UnixStream};

    for restart in [false, true] {
        let options = HandlerOptions::for_signal(SignalType::UserSignal1).set_new_handler(count());
        options.system_call_restart(restart).set().unwrap();
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        // SAFETY: no preconditions.
        let this = Thread(unsafe { libc::pthread_self() });
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let before = COUNT.load(SeqCst);
        let sender = thread::spawn(move || {
            // Until one has come while the other thread was in its call.
            while is_done.recv_timeout(Duration::from_millis(5))
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                if restart && COUNT.load(SeqCst) > before + 5 {
                    break;
                }
                this.interrupt();
            }
            drop(theirs);
        });
        let result = ours.read(&mut [0]);
        if restart {
            assert_eq!(result.unwrap(), 0);
        } else {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
        }
        let _ = done.send(());
        sender.join().unwrap();
    }
}

#[test]
fn handlers_and_signals_that_are_waited_for_do_not_disturb_each_other() {
    in_child("beneath");
}

fn beneath(_: &[String]) {
    let signals = Signals::catch([Signal::User1]).unwrap();
    // Not on top of it.
    set_handler(SignalType::UserSignal1, count()).unwrap();
    raise(Signal::User1);
    signals.try_wait().unwrap();
    assert_eq!(COUNT.load(SeqCst), 1);
    // What it is by then is what is left.
    set_handler(SignalType::UserSignal1, SignalHandler::Ignore).unwrap();
    raise(Signal::User1);
    signals.try_wait().unwrap();
    assert_eq!(COUNT.load(SeqCst), 1);
    set_handler(SignalType::UserSignal1, count()).unwrap();
    drop(signals);
    raise(Signal::User1);
    assert_eq!(COUNT.load(SeqCst), 2);
}

#[test]
fn what_is_ignored_is_not_told_to_children() {
    in_child("ignoring");
}

fn ignoring(_: &[String]) {
    set_handler(SignalType::Termination, SignalHandler::Ignore).unwrap();
    send(SignalType::Termination, me()).unwrap();
    set_handler(SignalType::Termination, SignalHandler::Default).unwrap();
    assert!(SignalHandler::default().is_default() && SignalHandler::Ignore.is_ignore() && count().is_hook());
}

#[test]
fn a_handler_interrupts_itself_if_that_is_asked_for() {
    in_child("nesting");
}

fn nesting(_: &[String]) {
    static DEPTH: AtomicU32 = AtomicU32::new(0);
    static DEEPEST: AtomicU32 = AtomicU32::new(0);
    fn nest() {
        DEEPEST.fetch_max(DEPTH.fetch_add(1, SeqCst) + 1, SeqCst);
        if COUNT.fetch_add(1, SeqCst) < 3 {
            raise(Signal::User1);
        }
        DEPTH.fetch_sub(1, SeqCst);
    }
    for recursive in [false, true] {
        DEEPEST.store(0, SeqCst);
        COUNT.store(0, SeqCst);
        // SAFETY: it stores into atomics and makes a system call.
        let handler = unsafe { SignalHandler::from_fn(nest) };
        let options = HandlerOptions::for_signal(SignalType::UserSignal1).set_new_handler(handler);
        options.recursive_handler(recursive).set().unwrap();
        raise(Signal::User1);
        assert_eq!(COUNT.load(SeqCst), 4);
        assert_eq!(DEEPEST.load(SeqCst), if recursive { 4 } else { 1 });
    }
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
    let handler = unsafe { SignalHandler::from_fn(|| libc::_exit(44)) };
    // SAFETY: it does not return.
    unsafe { set_unsafe_handler(SignalType::SegmentationFault, handler) }.unwrap();
    raise(Signal::SegmentationFault);
}

#[test]
fn a_handler_that_panics_ends_the_process() {
    assert_eq!(killed_by("panicking"), Signal::Abort.number());
}

fn panicking(_: &[String]) {
    // SAFETY: raised below, so it interrupts nothing.
    let handler = unsafe { SignalHandler::from_fn(|| panic!("in a handler")) };
    set_handler(SignalType::UserSignal1, handler).unwrap();
    raise(Signal::User1);
}

#[test]
fn a_group_is_sent_to_by_its_number_or_as_our_own() {
    in_time(|| {
        let mut command = Child::command("groups", &[]);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = Child::spawn(&mut command);
        child.expect("ready");
        send_to_group(SignalType::UserSignal1, child.id()).unwrap();
        child.expect("called");
        child.finish();
    });
}

fn groups(_: &[String]) {
    set_handler(SignalType::UserSignal1, count()).unwrap();
    say("ready");
    wait_for_count(1);
    send_to_group(SignalType::UserSignal1, 0_u32).unwrap();
    wait_for_count(2);
    send_to_group(None, 0_u32).unwrap();
    say("called");
}

/// The test of the test below.
#[test]
fn who_allocates_where_that_is_forbidden_is_found_out() {
    assert_eq!(killed_by("allocating"), Signal::Abort.number());
}

fn allocating(_: &[String]) {
    // SAFETY: raised below, so it interrupts nothing.
    let handler = unsafe { SignalHandler::from_fn(|| drop(std::hint::black_box(Box::new(1)))) };
    set_handler(SignalType::UserSignal1, handler).unwrap();
    raise_watched(Signal::User1);
}

/// Sends a signal to this thread, which it handles before the call returns, and allows no allocation meanwhile.
fn raise_watched(signal: Signal) {
    IS_FORBIDDEN.set(true);
    raise(signal);
    IS_FORBIDDEN.set(false);
}

#[test]
fn handlers_allocate_nothing_even_in_long_bursts() {
    in_child("without_allocating");
}

fn without_allocating(_: &[String]) {
    let burst = if cfg!(target_arch = "x86_64") { 100_000 } else { 5000 };
    let mut signals = vec![Signal::User1, Signal::Child];
    if REALTIME_SIGNALS_SUPPORTED {
        signals.push(Signal::RealTime(0));
    }
    set_handler(SignalType::UserSignal1, count()).unwrap();
    // The first of each signal that is caught: with what was installed before, with nothing, with several, with too little room.
    let all = Signals::catch(signals.iter().copied()).unwrap();
    let other = Signals::catch([Signal::User1]).unwrap();
    let small = Signals::catch_at_most(3, signals.iter().copied()).unwrap();
    for _ in 0..burst {
        for &signal in &signals {
            raise_watched(signal);
        }
    }
    assert_eq!(COUNT.load(SeqCst), burst);
    for _ in 0..burst {
        for &signal in &signals {
            assert_eq!(all.try_wait().unwrap().signal(), signal);
        }
        assert_eq!(other.try_wait().unwrap().signal(), Signal::User1);
    }
    // Read and written in turns, by which memory is used again.
    for round in 0..burst {
        raise_watched(Signal::User1);
        assert!(round < 3000 || all.try_wait().is_ok());
    }
    assert!(small.iter().take(3).all(|received| signals.contains(&received.signal())));
    small.stopper().stop();
    raise_watched(Signal::User1);
    assert!(small.iter().count() <= signals.len());
    // Where nobody waits any more.
    drop((all, other, small));
    raise_watched(Signal::User1);
}

#[test]
fn what_is_blocked_waits_and_can_be_waited_for() {
    in_child("masks");
}

fn masks(_: &[String]) {
    let set: SignalSet = [Signal::User1, Signal::User2].into_iter().collect();
    assert_eq!(set.iter().collect::<Vec<_>>().len(), 2);
    assert!(SignalSet::full().contains(Signal::Interrupt) && SignalSet::empty().iter().count() == 0);
    set_handler(SignalType::UserSignal1, count()).unwrap();
    let guard = set.block().unwrap();
    assert!(!guard.before().contains(Signal::User1));
    raise(Signal::User1);
    assert_eq!(COUNT.load(SeqCst), 0);
    assert!(SignalSet::pending().unwrap().contains(Signal::User1));
    assert!(SignalSet::blocked().contains(Signal::User2));
    {
        // For a while.
        let _guard = SignalSet::from_iter([Signal::User1]).unblock().unwrap();
        assert_eq!(COUNT.load(SeqCst), 1);
        assert!(SignalSet::blocked().contains(Signal::User2));
    }
    assert!(SignalSet::blocked().contains(Signal::User1));
    raise(Signal::User2);
    let received = set.wait().unwrap();
    assert_eq!(received.signal(), Signal::User2);
    if cfg!(target_os = "linux") {
        assert_eq!(received.pid(), Some(me()));
        let start = Instant::now();
        let timeout = Duration::from_millis(20);
        assert_eq!(set.wait_timeout(timeout).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(start.elapsed() >= timeout);
        raise(Signal::User1);
        assert_eq!(set.wait_timeout(LIMIT).unwrap().signal(), Signal::User1);
    }
    assert_eq!(COUNT.load(SeqCst), 1);
    drop(guard);
    assert!(!SignalSet::blocked().contains(Signal::User1));
    {
        let _guard = SignalSet::full().block_only().unwrap();
        assert!(SignalSet::blocked().contains(Signal::Interrupt));
    }
    set.block().unwrap().keep();
    assert!(SignalSet::blocked().contains(Signal::User1));
    let mut set = set;
    set.remove(Signal::User1).unwrap();
    assert!(!set.contains(Signal::User1));
    set.insert(Signal::User1).unwrap();
    assert_eq!(set.insert(Signal::RealTime(1000)).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(format!("{set:?}").contains("User1"));
}

#[test]
#[cfg(target_os = "linux")]
fn signals_are_read_from_a_descriptor() {
    in_time(|| {
        let mut command = Child::command("signalfd", &[]);
        let block = || SignalSet::full().block().map(interprocess::os::unix::signal::MaskGuard::keep);
        // SAFETY: it makes a system call. All threads of the child block everything from the start.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, block) };
        Child::spawn(&mut command).finish();
    });
}

#[cfg(target_os = "linux")]
fn signalfd(_: &[String]) {
    use interprocess::{
        os::unix::signal::{SignalFd, send_value},
        signal::Reason,
    };

    let set: SignalSet = [Signal::User1, Signal::RealTime(0), Signal::Child].into_iter().collect();
    let signals = SignalFd::new(&set).unwrap();
    assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(signals.wait_timeout(Duration::from_millis(10)).unwrap_err().kind(), ErrorKind::TimedOut);
    send(SignalType::UserSignal1, me()).unwrap();
    let received = signals.wait().unwrap();
    assert_eq!((received.signal(), received.pid()), (Signal::User1, Some(me())));
    raise(Signal::User1);
    signals.set(&SignalSet::empty()).unwrap();
    assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    signals.set(&set).unwrap();
    assert_eq!(signals.try_wait().unwrap().signal(), Signal::User1);
    for value in 0..100 {
        send_value(me(), Signal::RealTime(0), -value).unwrap();
    }
    for value in 0..100 {
        let received = signals.wait().unwrap();
        assert_eq!((received.value(), received.reason()), (Some(-value), Reason::SentWithValue));
    }
    #[cfg(feature = "smol")]
    async_io::block_on(on_a_runtime::<interprocess::runtime::Smol>(signals, set));
    #[cfg(feature = "tokio")]
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(on_a_runtime::<
        interprocess::runtime::Tokio,
    >(
        SignalFd::new(&set).unwrap(),
        set,
    ));
}

#[cfg(all(target_os = "linux", any(feature = "smol", feature = "tokio")))]
async fn on_a_runtime<R: interprocess::runtime::Runtime>(
    signals: interprocess::os::unix::signal::SignalFd,
    set: SignalSet,
) {
    use interprocess::{os::unix::signal::SignalFd, runtime::Async, signal::Reason};

    let signals: Async<SignalFd, R> = signals.try_into().unwrap();
    let mut child = std::process::Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
    let received = signals.wait().await.unwrap();
    assert_eq!((received.reason(), received.status()), (Reason::ChildExited, Some(3)));
    child.wait().unwrap();
    assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    let timeout = Duration::from_millis(10);
    assert_eq!(signals.wait_timeout(timeout).await.unwrap_err().kind(), ErrorKind::TimedOut);
    SignalFd::try_from(signals).unwrap().set(&set).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn signalfd(_: &[String]) {}
