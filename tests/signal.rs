//! Signals that are waited for: `signal::Signals` on Unix.
//!
//! What catches a signal gets all of that signal that come to this process, so each test has signals of its own, or a process.

#![cfg(all(unix, feature = "signals"))]

mod support;

use interprocess::{
    os::unix::signal::{Recipient, check_recipient, send_signal},
    signal::{Reason, Signal, Signals},
};
use rustix::event::{PollFd, PollFlags};
use std::{
    io::ErrorKind,
    mem::MaybeUninit,
    process::Command,
    ptr::null_mut,
    sync::atomic::{AtomicI32, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};
use support::{Child, LIMIT, in_time, say};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn child_entry() {
    #[cfg_attr(not(any(feature = "smol", feature = "tokio")), allow(unused_mut, reason = "others come then"))]
    let mut functions: Vec<(&str, support::ChildFunction)> = vec![
        ("echo", echo),
        ("flood", flood),
        ("flood_queued", flood_queued),
        #[cfg(target_os = "linux")]
        ("in_order", in_order),
        ("chain", chain),
        ("chain_on_top", chain_on_top),
        ("restore", restore),
        ("defaults", defaults),
        ("child_events", child_events),
        #[cfg(target_os = "linux")]
        ("living", living),
        ("own_group", own_group),
        ("interrupted", interrupted),
        ("beside_others", beside_others),
        ("leak", leak),
        ("forked", forked),
    ];
    #[cfg(any(feature = "smol", feature = "tokio"))]
    functions.extend(faces::FUNCTIONS);
    support::child_entry(&functions);
}

fn send(signal: Signal) {
    send_signal(Recipient::Process(std::process::id()), signal).unwrap();
}

/// What is installed for a signal.
fn installed(signal: Signal) -> usize {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action, this only writes the present one to where it may; all zeros is one, too.
    unsafe {
        assert_eq!(libc::sigaction(signal.number().unwrap(), std::ptr::null(), action.as_mut_ptr()), 0);
        action.assume_init().sa_sigaction
    }
}

/// Installs a function as other libraries and programs in C do.
fn install(signal: Signal, action: usize, flags: i32) -> usize {
    let before = installed(signal);
    // SAFETY: all zeros is a valid value of this structure of numbers. The functions that tests install only store numbers.
    unsafe {
        let mut new = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        new.sa_sigaction = action;
        new.sa_flags = flags;
        assert_eq!(libc::sigaction(signal.number().unwrap(), &raw const new, null_mut()), 0);
    }
    before
}

/// A signal that was sent is handled by some thread, maybe a little later.
fn wait_until_handled(signals: &Signals) {
    rustix::event::poll(&mut [PollFd::new(signals, PollFlags::IN)], None).unwrap();
}

/// How many signals of each number the functions below have seen.
static SEEN: [AtomicI32; 128] = [const { AtomicI32::new(0) }; 128];

fn seen(signal: Signal) -> i32 {
    SEEN[usize::try_from(signal.number().unwrap()).unwrap()].load(SeqCst)
}

extern "C" fn count(signal: libc::c_int) {
    SEEN[usize::try_from(signal).unwrap_or(0)].fetch_add(1, SeqCst);
}

extern "C" fn count_detailed(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the pointer is valid if it is not null.
    let matches = unsafe { info.as_ref() }.is_some_and(|info| info.si_signo == signal) && !context.is_null();
    SEEN[usize::try_from(signal).unwrap_or(0)].fetch_add(if matches { 1 } else { 1000 }, SeqCst);
}

fn count_handler() -> usize {
    count as extern "C" fn(libc::c_int) as usize
}

/// Waits until `count` has seen so many.
fn wait_until_seen(signal: Signal, times: i32) {
    let start = Instant::now();
    while seen(signal) < times {
        assert!(start.elapsed() < LIMIT, "{signal} was seen {} times", seen(signal));
        thread::yield_now();
    }
}

#[test]
fn a_signal_comes_with_who_sent_it_and_why() {
    in_time(|| {
        let signals = Signals::catch([Signal::Urgent]).unwrap();
        let child = Child::start("echo", &[&Signal::Urgent.number().unwrap().to_string()]);
        child.expect("sent");
        let received = signals.wait().unwrap();
        assert_eq!(received.signal(), Signal::Urgent);
        assert_eq!(received.reason(), Reason::Sent);
        assert_eq!(received.pid(), Some(child.id()));
        // SAFETY: no preconditions.
        assert_eq!(received.uid(), Some(unsafe { libc::getuid() }));
        assert_eq!((received.value(), received.status()), (None, None));
        assert!(received.to_string().starts_with(&format!("SIGURG from process {}", child.id())));
        child.finish();
    });
}

/// Sends its parent a signal.
fn echo(arguments: &[String]) {
    let signal = Signal::from_number(arguments[0].parse().unwrap()).unwrap();
    send_signal(Recipient::Process(std::os::unix::process::parent_id()), signal).unwrap();
    say("sent");
}

#[test]
fn what_comes_before_anybody_waits_is_not_lost() {
    in_time(|| {
        let signals = Signals::catch([Signal::Io]).unwrap();
        send(Signal::Io);
        assert_eq!(signals.wait_timeout(LIMIT).unwrap().signal(), Signal::Io);
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn deadlines_hold() {
    in_time(|| {
        let signals = Signals::catch([Signal::VirtualAlarm]).unwrap();
        for timeout in [Duration::ZERO, Duration::from_nanos(1), SHORT] {
            let start = Instant::now();
            assert_eq!(signals.wait_timeout(timeout).unwrap_err().kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= timeout);
        }
        send(Signal::VirtualAlarm);
        wait_until_handled(&signals);
        assert_eq!(signals.wait_timeout(Duration::ZERO).unwrap().signal(), Signal::VirtualAlarm);
    });
}

#[test]
fn each_owner_gets_its_own_copy() {
    in_time(|| {
        let signal = Signal::Profiling;
        let owners: Vec<_> = (0..5).map(|_| Signals::catch([signal]).unwrap()).collect();
        let other = Signals::catch([Signal::Trap]).unwrap();
        send(signal);
        for owner in &owners {
            assert_eq!(owner.wait().unwrap().signal(), signal);
            assert_eq!(owner.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
        }
        assert_eq!(other.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
        // The others go on when one goes.
        let mut owners = owners;
        owners.remove(2);
        send(signal);
        for owner in &owners {
            assert_eq!(owner.wait().unwrap().signal(), signal);
        }
    });
}

#[test]
fn many_threads_share_the_signals_of_one_owner() {
    in_time(|| {
        const TIMES: usize = 300;
        let signals = Signals::catch([Signal::CpuTimeLimit]).unwrap();
        let stopper = signals.stopper();
        let (got, is_got) = std::sync::mpsc::channel();
        let total: usize = thread::scope(|scope| {
            let got = &got;
            let count = || signals.iter().inspect(|_| got.send(()).unwrap()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            for _ in 0..TIMES {
                send(Signal::CpuTimeLimit);
                // Not merged by the system with the one before.
                is_got.recv().unwrap();
            }
            stopper.stop();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(total, TIMES);
    });
}

#[test]
fn another_thread_stops_the_waiting_and_what_came_before_is_given_out() {
    in_time(|| {
        // What is on its way when the last owner goes would end the process.
        std::mem::forget(Signals::catch([Signal::FileSizeLimit]).unwrap());
        let signals = Signals::catch([Signal::FileSizeLimit]).unwrap();
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| signals.wait().unwrap_err())).collect();
            let stopper = signals.stopper();
            scope.spawn(move || stopper.clone().stop());
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap().kind(), ErrorKind::BrokenPipe);
            }
        });
        assert!(signals.is_stopped());
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::BrokenPipe);
        drop(signals);

        let signals = Signals::catch([Signal::FileSizeLimit]).unwrap();
        send(Signal::FileSizeLimit);
        wait_until_handled(&signals);
        signals.stopper().stop();
        send(Signal::FileSizeLimit);
        assert_eq!(signals.iter().count(), 1);
        assert_eq!(signals.wait_timeout(SHORT).unwrap_err().kind(), ErrorKind::BrokenPipe);
        // One that outlives what it stops.
        let stopper = signals.stopper();
        drop(signals);
        stopper.stop();
    });
}

#[test]
fn what_cannot_be_caught_says_so_and_nothing_is_installed() {
    let before = installed(Signal::Alarm);
    let refused = [
        (Signal::Kill, "SIGKILL cannot be caught"),
        (Signal::Stop, "SIGSTOP cannot be caught"),
        (Signal::SegmentationFault, "SIGSEGV cannot be caught safely"),
        (Signal::Bus, "SIGBUS cannot be caught safely"),
        (Signal::FloatingPoint, "SIGFPE cannot be caught safely"),
        (Signal::IllegalInstruction, "SIGILL cannot be caught safely"),
        (Signal::RealTime(1000), "SIGRTMIN+1000 is beyond the real-time signals"),
        (Signal::RealTime(Signal::real_time_count()), "is beyond the real-time signals"),
        (Signal::RealTime(u32::MAX), "is beyond the real-time signals"),
        (Signal::Other(0), "signal 0 is no signal"),
        (Signal::Other(-1), "signal -1 is no signal"),
        (Signal::Other(i32::MIN), "is no signal"),
        (Signal::Other(i32::MAX), "is no signal"),
        (Signal::Other(9), "cannot be caught"),
    ];
    for (signal, text) in refused {
        let error = Signals::catch([Signal::Alarm, signal]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(installed(Signal::Alarm), before);
    for number in [-1, 0, 128, 1000, i32::MAX] {
        assert_eq!(Signal::from_number(number).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    // What the C library keeps to itself.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for number in [32, 33] {
        Signal::from_number(number).unwrap_err();
        Signals::catch([Signal::Other(number)]).unwrap_err();
    }
}

#[test]
fn names_and_numbers_go_there_and_back() {
    for number in 1..128 {
        if let Ok(signal) = Signal::from_number(number) {
            assert_eq!(signal.number(), Some(number), "{signal}");
        }
    }
    for index in 0..Signal::real_time_count() {
        let signal = Signal::RealTime(index);
        assert_eq!(Signal::from_number(signal.number().unwrap()).unwrap(), signal);
    }
    assert_eq!(Signal::from_number(9).unwrap(), Signal::Kill);
}

#[test]
fn nobody_and_not_allowed_are_told_apart() {
    in_time(|| {
        let mut child = Child::start("defaults", &[]);
        child.hear();
        let id = child.id();
        check_recipient(Recipient::Process(id)).unwrap();
        child.kill();
        let far = [id, 0, u32::MAX, 1 << 31, u32::MAX / 2].map(Recipient::Process);
        let groups = [id, 0, 1, u32::MAX, 1 << 31].map(Recipient::Group);
        for recipient in far.into_iter().chain(groups) {
            let error = send_signal(recipient, Signal::User1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{recipient:?}: {error}");
            assert!(error.to_string().contains("nobody"));
        }
        let error = send_signal(Recipient::Process(std::process::id()), Signal::Other(500)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn signals_for_others_are_refused() {
    in_time(|| {
        // SAFETY: a copy of one of many threads makes system calls only, and ends.
        match unsafe { libc::fork() } {
            0 => {
                let result = if support::become_another_user(support::ANOTHER_USER, &[]) {
                    let parent = Recipient::Process(std::os::unix::process::parent_id());
                    match send_signal(parent, Signal::Urgent) {
                        Err(error) if error.kind() == ErrorKind::PermissionDenied => 0,
                        _ => 1,
                    }
                } else {
                    0
                };
                // SAFETY: nothing is left to be done.
                unsafe { libc::_exit(result) }
            }
            child => {
                let mut status = 0;
                // SAFETY: the child is ours, and the status may be written to.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert_eq!(status, 0);
            }
        }
    });
}

#[test]
fn a_child_that_ends_is_reported_with_its_status() {
    in_time(|| Child::start("child_events", &[]).finish());
}

/// Says that the usual signals have their default handling and are not blocked, whatever the parent does with them.
fn defaults(_: &[String]) {
    let mut blocked = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: with no new set, this writes the present one to where it may.
    let blocked = unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), blocked.as_mut_ptr());
        blocked.assume_init()
    };
    let signals =
        [Signal::HangUp, Signal::Interrupt, Signal::Terminate, Signal::Quit, Signal::User1, Signal::Child];
    // SAFETY: the set is initialized, and the numbers are those of signals.
    let is_blocked =
        |signal: Signal| unsafe { libc::sigismember(&raw const blocked, signal.number().unwrap()) == 1 };
    let is_default = signals.iter().all(|&signal| !is_blocked(signal) && installed(signal) == libc::SIG_DFL);
    say(if is_default { "default" } else { "not default" });
    wait_for_the_end();
}

/// Says that it is there.
#[cfg(target_os = "linux")]
fn living(_: &[String]) {
    say("here");
    wait_for_the_end();
}

/// Not until the parent says no more: that would be one more reason to end.
fn wait_for_the_end() {
    loop {
        thread::park();
    }
}

fn child_events(_: &[String]) {
    let signals = Signals::catch([Signal::Child]).unwrap();
    let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
    let received = signals.wait().unwrap();
    assert_eq!(received.signal(), Signal::Child);
    assert_eq!((received.reason(), received.status()), (Reason::ChildExited, Some(7)));
    assert_eq!(received.pid(), Some(child.id()));
    child.wait().unwrap();
    let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.kill().unwrap();
    let received = signals.wait().unwrap();
    assert_eq!((received.reason(), received.status()), (Reason::ChildKilled, Some(9)));
    child.wait().unwrap();
}

#[test]
fn children_start_with_defaults() {
    in_time(|| {
        let _signals = Signals::catch([
            Signal::HangUp,
            Signal::Interrupt,
            Signal::Terminate,
            Signal::Quit,
            Signal::User1,
        ])
        .unwrap();
        let mut child = Child::start("defaults", &[]);
        child.expect("default");
        // So that it kills, too, which it does not do here.
        send_signal(Recipient::Process(child.id()), Signal::Terminate).unwrap();
        let status = child.wait();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Signal::Terminate.number());
    });
}

#[test]
fn handlers_that_were_there_before_are_called_and_are_back_afterwards() {
    in_time(|| Child::start("chain", &[]).finish());
}

fn chain(_: &[String]) {
    let detailed = count_detailed as extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
    let both = [(Signal::User1, count_handler(), 0), (Signal::User2, detailed as usize, libc::SA_SIGINFO)];
    for (signal, function, flags) in both {
        install(signal, function, flags);
        for round in 1..=3 {
            let first = Signals::catch([signal]).unwrap();
            let second = Signals::catch([signal]).unwrap();
            assert_ne!(installed(signal), function);
            send(signal);
            first.wait().unwrap();
            second.wait().unwrap();
            wait_until_seen(signal, 2 * round - 1);
            drop(first);
            assert_ne!(installed(signal), function);
            drop(second);
            assert_eq!(installed(signal), function);
            send(signal);
            wait_until_seen(signal, 2 * round);
        }
        assert_eq!(seen(signal), 6);
    }
    // What is ignored is ignored again.
    install(Signal::HangUp, libc::SIG_IGN, 0);
    let signals = Signals::catch([Signal::HangUp]).unwrap();
    send(Signal::HangUp);
    signals.wait().unwrap();
    drop(signals);
    assert_eq!(installed(Signal::HangUp), libc::SIG_IGN);
    send(Signal::HangUp);
}

#[test]
fn handlers_that_come_on_top_stay_and_nothing_calls_itself() {
    in_time(|| Child::start("chain_on_top", &[]).finish());
}

/// What [`on_top`] calls in turn.
static BENEATH: AtomicI32 = AtomicI32::new(0);
static ON_TOP: [std::sync::atomic::AtomicUsize; 8] = [const { std::sync::atomic::AtomicUsize::new(0) }; 8];

/// As a library that calls what was there before.
extern "C" fn on_top<const LEVEL: usize>(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    BENEATH.fetch_add(1, SeqCst);
    let before = ON_TOP[LEVEL].load(SeqCst);
    if before != libc::SIG_DFL && before != libc::SIG_IGN {
        let before = std::ptr::with_exposed_provenance::<()>(before);
        // SAFETY: what the test put there, which all has SA_SIGINFO.
        let before: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
            unsafe { std::mem::transmute(before) };
        before(signal, info, context);
    }
}

fn chain_on_top(_: &[String]) {
    let signal = Signal::User1;
    let tops: [extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void); 6] =
        [on_top::<0>, on_top::<1>, on_top::<2>, on_top::<3>, on_top::<4>, on_top::<5>];
    for (level, top) in tops.into_iter().enumerate() {
        let signals = Signals::catch([signal]).unwrap();
        let before = install(signal, top as usize, libc::SA_SIGINFO);
        ON_TOP[level].store(before, SeqCst);
        BENEATH.store(0, SeqCst);
        send(signal);
        assert_eq!(signals.wait().unwrap().signal(), signal);
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock, "given out twice");
        drop(signals);
        // It stays, and the signal does no harm.
        assert_eq!(installed(signal), top as usize);
        send(signal);
        let start = Instant::now();
        let expected = 2 * i32::try_from(level + 1).unwrap();
        while BENEATH.load(SeqCst) < expected {
            assert!(start.elapsed() < LIMIT, "{} of {expected}", BENEATH.load(SeqCst));
        }
        // Again, several times, beneath nobody.
        for _ in 0..3 {
            let signals = Signals::catch([signal]).unwrap();
            send(signal);
            signals.wait().unwrap();
            drop(signals);
            assert_eq!(installed(signal), top as usize);
        }
    }
}

#[test]
fn the_default_is_back_when_the_last_owner_goes() {
    in_time(|| {
        let mut child = Child::start("restore", &[]);
        child.expect("caught");
        let status = child.wait();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Signal::User2.number());
    });
}

fn restore(_: &[String]) {
    let signals = Signals::catch([Signal::User2]).unwrap();
    send(Signal::User2);
    signals.wait().unwrap();
    say("caught");
    drop(signals);
    send(Signal::User2);
    // It may be let through in another thread.
    thread::sleep(LIMIT);
}

#[test]
fn libraries_that_handle_signals_get_theirs_too() {
    in_time(|| Child::start("beside_others", &[]).finish());
}

/// Tokio comes before and after, and by signal-hook-registry, as signal-hook does.
fn beside_others(_: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};

        let user1 = Signal::User1.number().unwrap();
        let user2 = Signal::User2.number().unwrap();
        let mut first = signal(SignalKind::from_raw(user1)).unwrap();
        let after = Signals::catch([Signal::User1]).unwrap();
        let before = Signals::catch([Signal::User2]).unwrap();
        let mut second = signal(SignalKind::from_raw(user2)).unwrap();
        for _ in 0..3 {
            send(Signal::User1);
            send(Signal::User2);
            assert!(first.recv().await.is_some());
            assert!(second.recv().await.is_some());
            assert_eq!(after.wait().unwrap().signal(), Signal::User1);
            assert_eq!(before.wait().unwrap().signal(), Signal::User2);
        }
        drop((after, before));
        for _ in 0..3 {
            send(Signal::User1);
            send(Signal::User2);
            assert!(first.recv().await.is_some());
            assert!(second.recv().await.is_some());
        }
        let again = Signals::catch([Signal::User1, Signal::User2]).unwrap();
        for (signal, theirs) in [(Signal::User1, &mut first), (Signal::User2, &mut second)] {
            send(signal);
            assert!(theirs.recv().await.is_some());
            assert_eq!(again.wait().unwrap().signal(), signal);
            assert!(again.try_wait().is_err());
        }
    });
}

#[test]
fn a_group_gets_what_is_sent_to_it() {
    in_time(|| {
        let mut command = Child::command("own_group", &[]);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = Child::spawn(&mut command);
        child.expect("ready");
        send_signal(Recipient::Group(child.id()), Signal::User1).unwrap();
        child.expect("SIGUSR1");
        child.expect("SIGUSR2");
        child.finish();
    });
}

fn own_group(_: &[String]) {
    let signals = Signals::catch([Signal::User1, Signal::User2]).unwrap();
    say("ready");
    say(signals.wait().unwrap().signal());
    send_signal(Recipient::OwnGroup, Signal::User2).unwrap();
    say(signals.wait().unwrap().signal());
}

#[test]
#[cfg(target_os = "linux")]
fn a_thread_and_a_pidfd_get_what_is_sent_to_them() {
    use interprocess::os::unix::signal::thread_id;
    use std::os::fd::AsFd;

    in_time(|| {
        let signals = Signals::catch([Signal::Other(libc::SIGPWR)]).unwrap();
        let thread = Recipient::Thread { process: std::process::id(), thread: thread_id() };
        send_signal(thread, Signal::Other(libc::SIGPWR)).unwrap();
        let received = signals.wait().unwrap();
        assert_eq!((received.reason(), received.pid()), (Reason::SentToThread, Some(std::process::id())));
        let nobody = Recipient::Thread { process: std::process::id(), thread: u32::MAX >> 1 };
        assert_eq!(send_signal(nobody, Signal::User1).unwrap_err().kind(), ErrorKind::NotFound);

        let mut child = Child::start("living", &[]);
        child.expect("here");
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let pidfd = match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            // Emulators do not all have it.
            Err(rustix::io::Errno::NOSYS) => return,
            Err(error) => panic!("{error}"),
        };
        check_recipient(Recipient::Pidfd(pidfd.as_fd())).unwrap();
        send_signal(Recipient::Pidfd(pidfd.as_fd()), Signal::Kill).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.wait()), Some(9));
        let error = send_signal(Recipient::Pidfd(pidfd.as_fd()), Signal::Kill).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

/// Linux keeps the signals that wait in one list, and looks for the next through all others: with two bursts at once, that takes a minute.
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "netbsd", target_os = "illumos"))]
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// How many signals are in a burst: `INTERPROCESS_TEST_SIGNALS`, or as many as this machine takes without long waits.
fn burst() -> u32 {
    let many = if cfg!(all(target_os = "linux", target_arch = "x86_64")) { 100_000 } else { 5_000 };
    std::env::var("INTERPROCESS_TEST_SIGNALS").map_or(many, |text| text.parse().unwrap())
}

/// Keeps a signal from this thread and all that it starts, or lets it through to this one.
fn mask(how: i32, signal: Signal) {
    // SAFETY: the set is made empty before it is used, and the number is that of a signal; null asks for nothing back.
    unsafe {
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed().assume_init();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal.number().unwrap());
        libc::pthread_sigmask(how, &raw const set, null_mut());
    }
}

/// Sends the parent a burst of an ordinary signal.
fn flood(arguments: &[String]) {
    let signal = Signal::from_number(arguments[0].parse().unwrap()).unwrap();
    let parent = Recipient::Process(std::os::unix::process::parent_id());
    for _ in 0..burst() {
        send_signal(parent, signal).unwrap();
    }
    say("done");
}

#[test]
fn a_burst_of_an_ordinary_signal_is_merged_and_nothing_hangs() {
    support::within(LIMIT * 5, || {
        let signal = Signal::WindowChange;
        let signals = Signals::catch([signal]).unwrap();
        let child = Child::start("flood", &[&signal.number().unwrap().to_string()]);
        let mut count = 0;
        let mut received = || {
            assert_eq!(signals.wait().unwrap().signal(), signal);
            count += 1;
        };
        received();
        child.expect("done");
        while let Ok(more) = signals.wait_timeout(SHORT) {
            assert_eq!(more.pid(), Some(child.id()));
            count += 1;
        }
        assert!(count <= burst());
        assert_eq!(signals.lost(), 0);
        child.finish();
    });
}

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "netbsd", target_os = "illumos"))]
fn flood_queued(arguments: &[String]) {
    use interprocess::os::unix::signal::send_value;

    let parent = std::os::unix::process::parent_id();
    let index = arguments[0].parse().unwrap();
    for value in 0..burst() {
        while let Err(error) = send_value(parent, Signal::RealTime(index), i32::try_from(value).unwrap()) {
            // As many are on their way as the system allows.
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            thread::yield_now();
        }
    }
    say("done");
    support::hear();
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "netbsd", target_os = "illumos")))]
fn flood_queued(_: &[String]) {}

#[test]
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "netbsd", target_os = "illumos"))]
fn of_a_burst_of_a_real_time_signal_none_is_lost_or_doubled() {
    support::within(LIMIT * 5, || {
        let _alone = ALONE.lock();
        let signals = Signals::catch([Signal::RealTime(1)]).unwrap();
        let child = Child::start("flood_queued", &["1"]);
        let mut seen = vec![false; burst() as usize];
        for _ in 0..burst() {
            let received = signals.wait().unwrap();
            assert_eq!(received.reason(), Reason::SentWithValue);
            assert_eq!(received.pid(), Some(child.id()));
            let seen = &mut seen[usize::try_from(received.value().unwrap()).unwrap()];
            assert!(!std::mem::replace(seen, true), "given out twice: {received:?}");
        }
        child.expect("done");
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(signals.lost(), 0);
        child.finish();
    });
}

#[test]
#[cfg(target_os = "linux")]
fn they_are_in_order_if_one_thread_handles_them() {
    support::within(LIMIT * 5, || {
        let _alone = ALONE.lock();
        let mut command = Child::command("in_order", &[]);
        let block = || {
            mask(libc::SIG_BLOCK, Signal::RealTime(0));
            Ok(())
        };
        // SAFETY: it makes a system call. All threads of the child block the signal from the start.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, block) };
        let child = Child::spawn(&mut command);
        child.expect("in order");
        child.finish();
    });
}

#[cfg(target_os = "linux")]
fn in_order(_: &[String]) {
    let signals = Signals::catch([Signal::RealTime(0)]).unwrap();
    let child = Child::start("flood_queued", &["0"]);
    // After that, as it starts a thread, which would let it through, too.
    mask(libc::SIG_UNBLOCK, Signal::RealTime(0));
    for value in 0..burst() {
        assert_eq!(signals.wait().unwrap().value(), Some(i32::try_from(value).unwrap()));
    }
    child.finish();
    say("in order");
}

#[test]
#[cfg(target_os = "linux")]
fn so_it_is_if_nobody_reads_before_the_last_has_come() {
    support::within(LIMIT * 5, || {
        let _alone = ALONE.lock();
        let signals = Signals::catch([Signal::RealTime(2)]).unwrap();
        let few = Signals::catch_at_most(10, [Signal::RealTime(2)]).unwrap();
        let child = Child::start("flood_queued", &["2"]);
        child.expect("done");
        let mut values: Vec<_> = (0..burst()).map(|_| signals.wait().unwrap().value().unwrap()).collect();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..i32::try_from(burst()).unwrap()));
        assert_eq!(signals.lost(), 0);
        assert_eq!((0..10).map_while(|_| few.try_wait().ok()).count(), 10);
        assert!(few.try_wait().is_err());
        assert_eq!(few.lost(), burst() as usize - 10);
        child.finish();
    });
}

#[test]
fn signals_that_come_while_owners_come_and_go_harm_nothing() {
    support::within(LIMIT * 2, || {
        // All in one thread, which is interrupted wherever it is, the lock held or not.
        let child = Child::start("interrupted", &[]);
        child.expect("through");
        child.finish();
    });
}

fn interrupted(_: &[String]) {
    let rounds = if cfg!(target_arch = "x86_64") { 2000 } else { 200 };
    // With SA_SIGINFO, as ours has: qemu looks at flag and function separately, so that a thread which is just being
    // interrupted would be called as the one and be given what is meant for the other.
    let detailed = count_detailed as extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
    install(Signal::User1, detailed as usize, libc::SA_RESTART | libc::SA_SIGINFO);
    let me = std::process::id();
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_done = std::sync::Arc::clone(&done);
    // In the sender, so that the other thread gets it all.
    mask(libc::SIG_BLOCK, Signal::User1);
    let target = thread::spawn(move || {
        mask(libc::SIG_UNBLOCK, Signal::User1);
        let mut total = 0;
        for _ in 0..rounds {
            let first = Signals::catch([Signal::User1]).unwrap();
            let second = Signals::catch([Signal::User1, Signal::Continue]).unwrap();
            let _ = first.wait_timeout(Duration::from_millis(1));
            drop(first);
            while second.try_wait().is_ok() {
                total += 1;
            }
        }
        is_done.store(true, SeqCst);
        assert!(total > 0);
    });
    while !done.load(SeqCst) {
        send_signal(Recipient::Process(me), Signal::User1).unwrap();
        thread::yield_now();
    }
    target.join().unwrap();
    assert!(seen(Signal::User1) > 0);
    say("through");
}

#[test]
fn a_copy_of_the_process_disturbs_nobody() {
    in_time(|| Child::start("forked", &[]).finish());
}

fn forked(_: &[String]) {
    let signals = Signals::catch([Signal::User1]).unwrap();
    // SAFETY: the copy makes system calls only, and ends.
    match unsafe { libc::fork() } {
        0 => {
            // Its own: not for the parent, who is woken for nothing at most.
            let _ = send_signal(Recipient::Process(std::process::id()), Signal::User1);
            // SAFETY: nothing is left to be done.
            unsafe { libc::_exit(0) }
        }
        child => {
            let mut status = 0;
            // SAFETY: the child is ours, and the status may be written to.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0);
        }
    }
    assert_eq!(signals.wait_timeout(SHORT).unwrap_err().kind(), ErrorKind::TimedOut);
    send(Signal::User1);
    assert_eq!(signals.wait().unwrap().pid(), Some(std::process::id()));
}

#[test]
fn nothing_is_left_open_and_no_child_inherits_anything() {
    in_time(|| Child::start("leak", &[]).finish());
}

fn leak(_: &[String]) {
    use std::os::fd::AsFd;

    let count = || std::fs::read_dir("/dev/fd").map_or(0, Iterator::count);
    let attempt = || {
        let signals = Signals::catch(Signal::TERMINATION).unwrap();
        let flags = rustix::io::fcntl_getfd(signals.as_fd()).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        send(Signal::HangUp);
        signals.wait().unwrap();
        assert_eq!(signals.wait_timeout(Duration::ZERO).unwrap_err().kind(), ErrorKind::TimedOut);
        Signals::catch([Signal::Interrupt, Signal::Kill]).unwrap_err();
    };
    attempt();
    let before = count();
    for _ in 0..20 {
        attempt();
    }
    assert_eq!(count(), before);
}

/// Each behaviour on every runtime, and for the blocking face.
#[cfg(any(feature = "smol", feature = "tokio"))]
mod faces {
    use super::*;
    use futures_lite::{
        StreamExt,
        future::{or, poll_once, zip},
    };
    use interprocess::{
        runtime::{Async, Runtime},
        signal::{Received, Stopper},
    };
    use std::{future::Future, io};

    /// What the faces have in common.
    trait Face: Sized + Send + Sync + 'static {
        fn catch(signals: &[Signal]) -> io::Result<Self>;
        fn wait(&self) -> impl Future<Output = io::Result<Received>> + Send;
        fn wait_timeout(&self, timeout: Duration) -> impl Future<Output = io::Result<Received>> + Send;
        fn try_wait(&self) -> io::Result<Received>;
        fn next(&self) -> impl Future<Output = Option<Received>> + Send;
        fn stopper(&self) -> Stopper;
    }

    impl Face for Signals {
        fn catch(signals: &[Signal]) -> io::Result<Self> {
            Self::catch(signals.iter().copied())
        }

        async fn wait(&self) -> io::Result<Received> {
            self.wait()
        }

        async fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
            self.wait_timeout(timeout)
        }

        fn try_wait(&self) -> io::Result<Received> {
            self.try_wait()
        }

        async fn next(&self) -> Option<Received> {
            self.iter().next()
        }

        fn stopper(&self) -> Stopper {
            self.stopper()
        }
    }

    impl<R: Runtime> Face for Async<Signals, R> {
        fn catch(signals: &[Signal]) -> io::Result<Self> {
            Self::catch(signals.iter().copied())
        }

        async fn wait(&self) -> io::Result<Received> {
            self.wait().await
        }

        async fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
            self.wait_timeout(timeout).await
        }

        fn try_wait(&self) -> io::Result<Received> {
            self.try_wait()
        }

        async fn next(&self) -> Option<Received> {
            self.next().await
        }

        fn stopper(&self) -> Stopper {
            self.stopper()
        }
    }

    /// Each test and each face in its own process, so that all can use the same signals.
    async fn signals_are_given_out_as_they_come<F: Face>() {
        let signals = F::catch(&[Signal::User1, Signal::User2]).unwrap();
        let other = F::catch(&[Signal::User2]).unwrap();
        for _ in 0..100 {
            send(Signal::User1);
            assert_eq!(signals.wait().await.unwrap().signal(), Signal::User1);
            send(Signal::User2);
            assert_eq!(other.next().await.unwrap().signal(), Signal::User2);
            assert_eq!(signals.next().await.unwrap().signal(), Signal::User2);
        }
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
        for timeout in [Duration::ZERO, SHORT] {
            let start = Instant::now();
            assert_eq!(signals.wait_timeout(timeout).await.unwrap_err().kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= timeout);
        }
        assert_eq!(F::catch(&[Signal::Stop]).err().unwrap().kind(), ErrorKind::InvalidInput);
    }

    async fn a_waiting_one_is_woken_by_another_thread<F: Face>() {
        let signals = F::catch(&[Signal::User1]).unwrap();
        for _ in 0..50 {
            let thread = thread::spawn(|| send(Signal::User1));
            assert_eq!(signals.wait().await.unwrap().signal(), Signal::User1);
            thread.join().unwrap();
        }
        let stopper = signals.stopper();
        let thread = thread::spawn(move || stopper.stop());
        assert_eq!(signals.next().await, None);
        assert_eq!(signals.wait().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::BrokenPipe);
        thread.join().unwrap();
    }

    async fn bursts_are_read_to_the_end<F: Face>() {
        if Signal::real_time_count() == 0 {
            return;
        }
        let signals = F::catch(&[Signal::RealTime(0)]).unwrap();
        let thread = thread::spawn(|| {
            for _ in 0..2000 {
                while send_signal(Recipient::Process(std::process::id()), Signal::RealTime(0)).is_err() {
                    thread::yield_now();
                }
            }
        });
        for _ in 0..2000 {
            assert_eq!(signals.next().await.unwrap().signal(), Signal::RealTime(0));
        }
        assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
        thread.join().unwrap();
    }

    /// What only async code can do.
    async fn dropped_futures_lose_nothing<R: Runtime>() {
        let mut signals = Async::<Signals, R>::catch([Signal::User1, Signal::User2]).unwrap();
        let waiting = async { signals.wait().await };
        let too_late = async {
            R::sleep(SHORT).await;
            Err(ErrorKind::TimedOut.into())
        };
        assert_eq!(or(waiting, too_late).await.unwrap_err().kind(), ErrorKind::TimedOut);
        {
            let mut waiting = std::pin::pin!(signals.wait());
            assert!(poll_once(&mut waiting).await.is_none());
            send(Signal::User1);
        }
        assert_eq!(StreamExt::next(&mut signals).await.unwrap().signal(), Signal::User1);
        // Two tasks: each gets one.
        let both = zip(signals.wait(), signals.wait());
        let sending = async {
            R::sleep(SHORT).await;
            send(Signal::User1);
            send(Signal::User2);
        };
        let ((first, second), ()) = zip(both, sending).await;
        let mut both = [first.unwrap().signal(), second.unwrap().signal()];
        both.sort();
        assert_eq!(both, [Signal::User1, Signal::User2]);
        // There and back with what has come.
        send(Signal::User1);
        let blocking = Signals::try_from(signals).unwrap();
        assert_eq!(blocking.wait_timeout(LIMIT).unwrap().signal(), Signal::User1);
        send(Signal::User1);
        let signals = Async::<Signals, R>::try_from(blocking).unwrap();
        assert_eq!(signals.wait().await.unwrap().signal(), Signal::User1);
        assert!(!signals.is_stopped());
        assert_eq!(signals.lost(), 0);
    }

    pub(super) const FUNCTIONS: [(&str, support::ChildFunction); 3] =
        [("blocking", blocking), ("on_tokio", on_tokio), ("on_smol", on_smol)];

    fn blocking(_: &[String]) {
        futures_lite::future::block_on(async {
            signals_are_given_out_as_they_come::<Signals>().await;
            a_waiting_one_is_woken_by_another_thread::<Signals>().await;
            bursts_are_read_to_the_end::<Signals>().await;
        });
    }

    #[cfg(feature = "tokio")]
    fn on_tokio(_: &[String]) {
        use interprocess::runtime::Tokio;

        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            signals_are_given_out_as_they_come::<Async<Signals, Tokio>>().await;
            a_waiting_one_is_woken_by_another_thread::<Async<Signals, Tokio>>().await;
            bursts_are_read_to_the_end::<Async<Signals, Tokio>>().await;
            dropped_futures_lose_nothing::<Tokio>().await;
        });
    }

    #[cfg(feature = "smol")]
    fn on_smol(_: &[String]) {
        use interprocess::runtime::Smol;

        async_io::block_on(async {
            signals_are_given_out_as_they_come::<Async<Signals, Smol>>().await;
            a_waiting_one_is_woken_by_another_thread::<Async<Signals, Smol>>().await;
            bursts_are_read_to_the_end::<Async<Signals, Smol>>().await;
            dropped_futures_lose_nothing::<Smol>().await;
        });
    }

    #[cfg(not(feature = "tokio"))]
    fn on_tokio(_: &[String]) {}

    #[cfg(not(feature = "smol"))]
    fn on_smol(_: &[String]) {}

    /// Runs one of the above in its own process.
    fn in_child(function: &'static str) {
        in_time(|| Child::start(function, &[]).finish());
    }

    #[test]
    fn the_blocking_face() {
        in_child("blocking");
    }

    #[test]
    fn on_tokio_it_is_the_same() {
        in_child("on_tokio");
    }

    #[test]
    fn on_smol_it_is_the_same() {
        in_child("on_smol");
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn outside_of_a_tokio_runtime_it_is_an_error() {
        interprocess::signal::tokio::Signals::catch([Signal::Trap]).unwrap_err();
    }
}
