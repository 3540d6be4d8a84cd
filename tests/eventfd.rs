//! Counters of the kernel (eventfd).

#![cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "illumos"))]

mod support;

use interprocess::os::unix::eventfd::EventFd;
use rustix::{
    event::EventfdFlags,
    io::{FdFlags, fcntl_getfd},
};
use std::{
    fs::File,
    io::{self, ErrorKind},
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use support::{Child, LIMIT, in_time, say};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);
/// The most that the counter holds.
const MOST: u64 = u64::MAX - 1;

#[test]
fn child_entry() {
    support::child_entry(&[("take_and_add", take_and_add), ("leak", leak)]);
}

/// The counter that is the standard input.
fn inherited() -> EventFd {
    EventFd::try_from(io::stdin().as_fd().try_clone_to_owned().unwrap()).unwrap()
}

/// Takes 5, adds 7, and lives on.
fn take_and_add(_: &[String]) {
    let event = inherited();
    say(event.take().unwrap());
    event.add(7).unwrap();
    loop {
        thread::park();
    }
}

fn leak(_: &[String]) {
    let count = || std::fs::read_dir("/dev/fd").map_or(0, Iterator::count);
    let attempt = || {
        let event = EventFd::new(1).unwrap();
        let clone = event.try_clone().unwrap();
        clone.add(1).unwrap();
        event.take().unwrap();
        event.take_timeout(Duration::ZERO).unwrap_err();
        let event = EventFd::try_from(OwnedFd::from(event)).unwrap();
        drop(event);
        if cfg!(target_os = "linux") {
            EventFd::try_from(OwnedFd::from(File::open("/dev/null").unwrap())).unwrap_err();
        }
    };
    attempt();
    let before = count();
    (0..100).for_each(|_| attempt());
    assert_eq!(count(), before);
    say("nothing");
}

#[test]
fn what_is_added_adds_up_and_is_taken_as_a_whole() {
    in_time(|| {
        let event = EventFd::new(4).unwrap();
        for value in [1, 10, 0, 100] {
            event.add(value).unwrap();
        }
        assert_eq!(event.take().unwrap(), 115);
        assert!(!event.is_set().unwrap());
        assert_eq!(EventFd::new(u32::MAX).unwrap().take().unwrap(), u32::MAX.into());
        event.add(MOST).unwrap();
        assert_eq!(event.take().unwrap(), MOST);
    });
}

#[test]
fn a_semaphore_gives_one_permit_at_a_time() {
    in_time(|| {
        let permits = EventFd::semaphore(2).unwrap();
        permits.add(1).unwrap();
        for left in [2, 1, 0] {
            assert_eq!(permits.take().unwrap(), 1);
            assert_eq!(permits.is_set().unwrap(), left != 0);
        }
        assert_eq!(permits.try_take().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn adding_zero_changes_nothing_and_never_waits() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        event.add(0).unwrap();
        assert!(!event.is_set().unwrap());
        event.add(MOST).unwrap();
        event.add(0).unwrap();
        assert_eq!(event.take().unwrap(), MOST);
    });
}

#[test]
fn the_largest_number_is_refused_at_once_whatever_the_counter_is() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        for set in [0, 5] {
            event.add(set).unwrap();
            let errors = [
                event.add(u64::MAX).unwrap_err(),
                event.add_timeout(u64::MAX, LIMIT).unwrap_err(),
                event.try_add(u64::MAX).unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.to_string().contains("u64::MAX"), "{error}");
            }
        }
        assert_eq!(event.take().unwrap(), 5);
    });
}

#[test]
fn what_would_wait_says_so() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        assert_eq!(event.try_take().unwrap_err().kind(), ErrorKind::WouldBlock);
        event.try_add(MOST).unwrap();
        assert_eq!(event.try_add(1).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(event.try_take().unwrap(), MOST);
    });
}

#[test]
fn taking_waits_until_something_is_added() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        thread::scope(|scope| {
            let takers: Vec<_> = (0..3).map(|_| scope.spawn(|| event.take().unwrap())).collect();
            let timed = scope.spawn(|| event.take_timeout(Duration::MAX).unwrap());
            for _ in 0..4 {
                event.add(1).unwrap();
                while event.is_set().unwrap() {
                    thread::yield_now();
                }
            }
            let total: u64 = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
            assert_eq!(total + timed.join().unwrap(), 4);
        });
    });
}

#[test]
fn adding_waits_until_there_is_room_for_all_of_it() {
    in_time(|| {
        // Full, and with some room that is not enough.
        for (before, value) in [(MOST, 1), (MOST, MOST), (MOST - 5, 6), (1, MOST)] {
            let event = EventFd::new(0).unwrap();
            event.add(before).unwrap();
            thread::scope(|scope| {
                let adder = scope.spawn(|| event.add(value).unwrap());
                let error = event.add_timeout(value, SHORT).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                assert_eq!(event.take().unwrap(), before);
                adder.join().unwrap();
            });
            assert_eq!(event.take().unwrap(), value);
        }
    });
}

/// Where there is room, but too little, `poll` says at once that there is room.
#[test]
#[cfg(target_os = "linux")]
fn waiting_for_much_room_takes_no_processor() {
    in_time(|| {
        let used = || {
            // SAFETY: a structure of integers, for which zero is a value.
            let mut time: libc::timespec = unsafe { std::mem::zeroed() };
            // SAFETY: the pointer is valid for what is written.
            assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
            Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
        };
        let event = EventFd::new(1).unwrap();
        let before = used();
        event.add_timeout(MOST, Duration::from_millis(400)).unwrap_err();
        let cost = used().saturating_sub(before);
        assert!(cost < Duration::from_millis(200), "{cost:?}");
    });
}

#[test]
fn deadlines_hold() {
    in_time(|| {
        let empty = EventFd::new(0).unwrap();
        let full = EventFd::new(0).unwrap();
        full.add(MOST).unwrap();
        for timeout in [Duration::ZERO, Duration::from_nanos(1), SHORT] {
            let start = Instant::now();
            assert_eq!(empty.take_timeout(timeout).unwrap_err().kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= timeout);
            let start = Instant::now();
            assert_eq!(full.add_timeout(2, timeout).unwrap_err().kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= timeout);
        }
        // What is there at once is had even without any time.
        empty.add(3).unwrap();
        assert_eq!(empty.take_timeout(Duration::ZERO).unwrap(), 3);
        empty.add_timeout(3, Duration::ZERO).unwrap();
    });
}

#[test]
fn a_deadline_holds_while_others_take_first() {
    in_time(|| {
        const TAKERS: usize = 4;
        const ROUNDS: u64 = 200;
        let event = EventFd::new(0).unwrap();
        let taken = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..TAKERS {
                scope.spawn(|| {
                    while taken.load(SeqCst) < ROUNDS {
                        match event.take_timeout(Duration::from_millis(2)) {
                            Ok(value) => _ = taken.fetch_add(value, SeqCst),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                        }
                    }
                });
            }
            for _ in 0..ROUNDS {
                event.add(1).unwrap();
                thread::yield_now();
            }
        });
        assert_eq!(taken.load(SeqCst), ROUNDS);
    });
}

#[test]
fn nothing_is_lost_or_taken_twice_by_many_threads() {
    in_time(|| {
        const THREADS: usize = 4;
        const TIMES: u64 = 2000;
        const TOTAL: u64 = 4 * TIMES;
        for is_semaphore in [false, true] {
            let new = if is_semaphore { EventFd::semaphore } else { EventFd::new };
            let event = Arc::new(new(0).unwrap());
            let taken = Arc::new(AtomicU64::new(0));
            let start = Arc::new(Barrier::new(2 * THREADS));
            let mut threads = Vec::new();
            for _ in 0..THREADS {
                let (event, start) = (Arc::clone(&event), Arc::clone(&start));
                let (event_2, start_2, taken) = (Arc::clone(&event), Arc::clone(&start), Arc::clone(&taken));
                threads.push(thread::spawn(move || {
                    start.wait();
                    (0..TIMES).for_each(|_| event.add(1).unwrap());
                }));
                threads.push(thread::spawn(move || {
                    start_2.wait();
                    while taken.load(SeqCst) < TOTAL {
                        match event_2.take_timeout(Duration::from_millis(20)) {
                            Ok(value) => {
                                assert!(!is_semaphore || value == 1);
                                taken.fetch_add(value, SeqCst);
                            }
                            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                        }
                    }
                }));
            }
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(taken.load(SeqCst), TOTAL);
            assert!(!event.is_set().unwrap());
        }
    });
}

#[test]
fn clones_are_of_one_counter_and_no_child_inherits_them() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        let clone = interprocess::TryClone::try_clone(&event).unwrap();
        for fd in [event.as_fd(), clone.as_fd()] {
            assert!(fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC));
        }
        event.add(2).unwrap();
        drop(event);
        assert_eq!(clone.take().unwrap(), 2);
    });
}

#[test]
fn a_child_that_is_given_it_shares_the_counter_and_it_outlives_the_child() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        let stdin: OwnedFd = event.try_clone().unwrap().into();
        let mut child = Child::spawn_with(&mut Child::command("take_and_add", &[]), Stdio::from(stdin));
        event.add(5).unwrap();
        child.expect("5");
        assert_eq!(event.take().unwrap(), 7);
        event.add(9).unwrap();
        child.kill();
        assert_eq!(event.take().unwrap(), 9);
    });
}

#[test]
fn a_taker_that_is_killed_takes_nothing_with_it() {
    in_time(|| {
        let event = EventFd::new(0).unwrap();
        let stdin: OwnedFd = event.try_clone().unwrap().into();
        let mut child = Child::spawn_with(&mut Child::command("take_and_add", &[]), Stdio::from(stdin));
        child.kill();
        event.add(1).unwrap();
        assert_eq!(event.take().unwrap(), 1);
    });
}

#[test]
fn deadlines_hold_for_a_descriptor_that_was_blocking() {
    in_time(|| {
        let fd = rustix::event::eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let event = EventFd::try_from(fd).unwrap();
        assert_eq!(event.take_timeout(SHORT).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(event.try_take().unwrap_err().kind(), ErrorKind::WouldBlock);
        event.add(1).unwrap();
        assert_eq!(event.take().unwrap(), 1);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_no_eventfd_is_handed_back() {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let null = File::open("/dev/null").unwrap();
    for fd in [reader, writer, null.into()] {
        let error = EventFd::try_from(fd).unwrap_err();
        assert_eq!(error.cause.as_ref().unwrap().kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("eventfd"), "{error}");
        let back = error.source.unwrap();
        assert!(!rustix::fs::fcntl_getfl(back).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    }
}

#[test]
fn nothing_is_left_open() {
    in_time(|| {
        let child = Child::start("leak", &[]);
        child.expect("nothing");
        child.finish();
    });
}

/// Each behaviour on every runtime.
#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use futures_lite::future::{or, poll_once, zip};
    use interprocess::runtime::{Async, Runtime};

    fn new<R: Runtime>(initial: u32) -> Async<EventFd, R> {
        EventFd::new(initial).unwrap().try_into().unwrap()
    }

    async fn too_late<R: Runtime, T>() -> io::Result<T> {
        R::sleep(SHORT).await;
        Err(ErrorKind::TimedOut.into())
    }

    async fn taking_waits_until_another_thread_adds<R: Runtime>() {
        let event = new::<R>(0);
        for value in 1..100 {
            let waker = event.get_ref().try_clone().unwrap();
            let mut taking = std::pin::pin!(event.take());
            assert!(poll_once(&mut taking).await.is_none());
            let thread = thread::spawn(move || waker.add(value).unwrap());
            assert_eq!(taking.await.unwrap(), value);
            thread.join().unwrap();
            assert!(!event.is_set().unwrap());
        }
    }

    async fn adding_waits_until_there_is_room_for_all_of_it<R: Runtime>() {
        for (before, value) in [(MOST, 1), (MOST, MOST), (MOST - 5, 6), (1, MOST)] {
            let event = new::<R>(0);
            event.add(before).await.unwrap();
            let taking = async {
                R::sleep(SHORT).await;
                event.take().await.unwrap()
            };
            let (added, taken) = zip(event.add(value), taking).await;
            added.unwrap();
            assert_eq!((taken, event.take().await.unwrap()), (before, value));
        }
    }

    async fn the_largest_number_is_refused<R: Runtime>() {
        let event = new::<R>(1);
        assert_eq!(event.add(u64::MAX).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(event.take().await.unwrap(), 1);
        // Without waiting for room, which the runtime knows there is none of once somebody has waited.
        event.add(MOST).await.unwrap();
        assert_eq!(or(event.add(1), too_late::<R, _>()).await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(event.add(u64::MAX).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    async fn futures_that_are_dropped_take_and_add_nothing<R: Runtime>() {
        let event = new::<R>(0);
        let taken = or(event.take(), too_late::<R, _>()).await;
        assert_eq!(taken.unwrap_err().kind(), ErrorKind::TimedOut);
        event.add(MOST).await.unwrap();
        let added = or(event.add(2), too_late::<R, _>()).await;
        assert_eq!(added.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(event.take().await.unwrap(), MOST);
        assert!(!event.is_set().unwrap());
    }

    async fn many_tasks_share_the_permits<R: Runtime>() {
        let permits: Async<EventFd, R> = EventFd::semaphore(0).unwrap().try_into().unwrap();
        let two = || zip(permits.take(), permits.take());
        let adding = async {
            for _ in 0..4 {
                R::sleep(Duration::from_millis(1)).await;
                permits.add(1).await.unwrap();
            }
        };
        let (taken, ()) = zip(zip(two(), two()), adding).await;
        let ((a, b), (c, d)) = taken;
        for one in [a, b, c, d] {
            assert_eq!(one.unwrap(), 1);
        }
        assert!(!permits.is_set().unwrap());
    }

    async fn it_becomes_blocking_again<R: Runtime>() {
        let event = new::<R>(3);
        let event = EventFd::try_from(event).unwrap();
        assert_eq!(event.take().unwrap(), 3);
        assert_eq!(event.take_timeout(SHORT).unwrap_err().kind(), ErrorKind::TimedOut);
    }

    macro_rules! test_everywhere {
        ($($test:ident)+) => {
            #[cfg(feature = "tokio")]
            mod on_tokio {$(
                #[test]
                fn $test() {
                    super::super::in_time(|| {
                        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                        runtime.block_on(super::$test::<interprocess::runtime::Tokio>());
                    });
                }
            )+}
            #[cfg(feature = "smol")]
            mod on_smol {$(
                #[test]
                fn $test() {
                    super::super::in_time(|| async_io::block_on(super::$test::<interprocess::runtime::Smol>()));
                }
            )+}
        };
    }
    test_everywhere! {
        taking_waits_until_another_thread_adds
        adding_waits_until_there_is_room_for_all_of_it
        the_largest_number_is_refused
        futures_that_are_dropped_take_and_add_nothing
        many_tasks_share_the_permits
        it_becomes_blocking_again
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn outside_of_a_tokio_runtime_it_is_an_error() {
        let event = EventFd::new(0).unwrap();
        interprocess::os::unix::eventfd::tokio::EventFd::try_from(event).unwrap_err();
    }
}
