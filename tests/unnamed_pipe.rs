//! Unnamed pipes, the same on every OS.

mod support;

use interprocess::unnamed_pipe::{Recver, Sender, pipe};
use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    process::Stdio,
    thread,
    time::Duration,
};
use support::{Child, LIMIT, in_time, say};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn child_entry() {
    support::child_entry(&[("echo", echo), ("greet", greet)]);
}

/// Says what comes from the standard input.
fn echo(_: &[String]) {
    say(io::read_to_string(io::stdin()).expect("stdin"));
}

fn greet(_: &[String]) {
    say("hello");
}

/// Sends until nothing more fits, and says how much that was.
fn fill(sender: &Sender) -> usize {
    sender.set_nonblocking(true).expect("nonblocking");
    let mut sent = 0;
    loop {
        match sender.send(&[1; 1024]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    sender.set_nonblocking(false).expect("blocking");
    sent
}

#[test]
fn what_is_sent_is_received_in_order_then_the_end() {
    in_time(|| {
        let (mut sender, mut recver) = pipe().expect("pipe");
        let sending = thread::spawn(move || {
            for byte in 0..=255 {
                sender.write_all(&[byte; 4096]).expect("send");
            }
        });
        let mut bytes = Vec::new();
        recver.read_to_end(&mut bytes).expect("receive");
        sending.join().expect("no panic");
        assert_eq!(bytes.len(), 256 * 4096);
        assert!(bytes.chunks(4096).zip(0..=255_u8).all(|(chunk, byte)| chunk == [byte; 4096]));
        assert_eq!(recver.recv(&mut [0; 8]).expect("still the end"), 0);
    });
}

#[test]
fn one_huge_buffer_goes_through() {
    const HUGE: usize = 16 << 20;
    in_time(|| {
        let (mut sender, mut recver) = pipe().expect("pipe");
        let sending = thread::spawn(move || sender.write_all(&vec![7; HUGE]));
        let mut bytes = vec![0; HUGE];
        recver.read_exact(&mut bytes).expect("receive");
        sending.join().expect("no panic").expect("send");
        assert!(bytes.iter().all(|byte| *byte == 7));
        assert_eq!(recver.recv(&mut [0; 1]).expect("the end"), 0);
    });
}

#[test]
fn the_stream_ends_when_and_only_when_the_last_sender_is_dropped() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let clones: Vec<_> = (0..10).map(|_| sender.try_clone().expect("clone")).collect();
        drop(sender);
        recver.set_recv_timeout(Some(Duration::from_millis(5))).expect("timeout");
        for clone in clones {
            assert_eq!(recver.recv(&mut [0; 8]).expect_err("a sender is left").kind(), ErrorKind::TimedOut);
            clone.send(b"x").expect("send");
            assert_eq!(recver.recv(&mut [0; 8]).expect("receive"), 1);
        }
        recver.set_recv_timeout(None).expect("no timeout");
        assert_eq!(recver.recv(&mut [0; 8]).expect("the end"), 0);
    });
}

#[test]
fn sending_breaks_when_the_last_receiver_is_dropped() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let clone = recver.try_clone().expect("clone");
        drop(recver);
        sender.send(b"x").expect("a receiver is left");
        drop(clone);
        assert_eq!(sender.send(b"x").expect_err("nobody").kind(), ErrorKind::BrokenPipe);
        // While one waits, too.
        let (sender, recver) = pipe().expect("pipe");
        fill(&sender);
        let sending = thread::spawn(move || sender.send(&[1; 4096]));
        thread::sleep(SHORT);
        drop(recver);
        assert_eq!(sending.join().expect("no panic").expect_err("nobody").kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn receiving_waits_no_longer_than_it_may() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let mut buf = [0; 8];
        let error = recver.set_recv_timeout(Some(Duration::ZERO)).expect_err("zero");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(recver.recv_timeout(), None);
        recver.set_recv_timeout(Some(SHORT)).expect("timeout");
        let clone = recver.try_clone().expect("clone");
        assert_eq!(clone.recv_timeout(), Some(SHORT));
        assert_eq!(clone.recv(&mut buf).expect_err("nothing").kind(), ErrorKind::TimedOut);
        recver.set_nonblocking(true).expect("nonblocking");
        assert!(clone.is_nonblocking());
        assert_eq!(recver.recv(&mut buf).expect_err("nothing").kind(), ErrorKind::WouldBlock);
        recver.set_nonblocking(false).expect("blocking");
        recver.set_recv_timeout(None).expect("no timeout");
        let receiving = thread::spawn(move || recver.recv(&mut buf).map(|len| buf[..len].to_vec()));
        sender.send(b"late").expect("send");
        assert_eq!(receiving.join().expect("no panic").expect("receive"), b"late");
    });
}

#[test]
fn sending_waits_for_room_no_longer_than_it_may_and_loses_nothing() {
    in_time(|| {
        let (sender, mut recver) = pipe().expect("pipe");
        assert_eq!(
            sender.set_send_timeout(Some(Duration::ZERO)).expect_err("zero").kind(),
            ErrorKind::InvalidInput
        );
        let mut sent = fill(&sender);
        assert!(sent >= 1024);
        sender.set_send_timeout(Some(SHORT)).expect("timeout");
        assert_eq!(sender.send_timeout(), Some(SHORT));
        // Some systems take one message more before they let us wait.
        let error = loop {
            match sender.send(&[1; 1024]) {
                Ok(count) => sent += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(sender);
        let mut bytes = Vec::new();
        recver.read_to_end(&mut bytes).expect("receive");
        assert_eq!(bytes, vec![1; sent]);
    });
}

#[test]
fn empty_buffers_neither_wait_nor_end_the_stream() {
    in_time(|| {
        let (mut sender, recver) = pipe().expect("pipe");
        assert_eq!(recver.recv(&mut []).expect("nothing is wanted"), 0);
        assert_eq!(recver.recv_vectored(&mut []).expect("nothing is wanted"), 0);
        assert_eq!(recver.recv_vectored(&mut [IoSliceMut::new(&mut [])]).expect("nothing is wanted"), 0);
        assert_eq!(sender.send(b"").expect("nothing to send"), 0);
        assert_eq!(sender.send_vectored(&[]).expect("nothing to send"), 0);
        assert_eq!(sender.send_vectored(&[IoSlice::new(b"")]).expect("nothing to send"), 0);
        sender.write_all(b"x").expect("send");
        sender.flush().expect("flush");
        assert_eq!(recver.recv(&mut [0; 8]).expect("receive"), 1);
    });
}

#[test]
fn empty_buffers_in_front_however_many_hide_none_that_is_not() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let (mut none, mut room) = (vec![[0_u8; 0]; 3000], [0; 8]);
        let mut bufs: Vec<_> = none.iter().map(|empty| IoSlice::new(empty)).collect();
        bufs.push(IoSlice::new(b"bytes"));
        assert_eq!(sender.send_vectored(&bufs).expect("send"), 5);
        let mut bufs: Vec<_> = none.iter_mut().map(|empty| IoSliceMut::new(empty)).collect();
        bufs.push(IoSliceMut::new(&mut room));
        assert_eq!(recver.recv_vectored(&mut bufs).expect("receive"), 5);
        assert_eq!(&room[..5], b"bytes");
        drop(sender);
        assert_eq!(recver.recv_vectored(&mut [IoSliceMut::new(&mut room)]).expect("the end"), 0);
    });
}

#[test]
fn several_buffers_are_sent_and_filled_in_order() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let parts = [b"head", b"body"];
        let (mut first, mut sent) = (0, 0);
        while first < 2 {
            let bufs: Vec<_> = parts[first..].iter().map(|part| IoSlice::new(&part[..])).collect();
            let count = sender.send_vectored(&bufs).expect("send");
            assert_eq!(count % 4, 0, "short buffers are not cut");
            (first, sent) = (first + count / 4, sent + count);
        }
        assert_eq!(recver.available().expect("how many"), sent);
        let mut bytes = Vec::<u8>::new();
        while bytes.len() < sent {
            let (mut one, mut other) = ([0; 3], [0; 5]);
            let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)];
            let count = recver.recv_vectored(&mut bufs).expect("receive");
            bytes.extend([&one[..], &other[..]].concat()[..count].iter());
        }
        assert_eq!(bytes, b"headbody");
        assert_eq!(recver.available().expect("how many"), 0);
    });
}

#[test]
fn the_capacity_is_told_and_changed_where_the_system_does_that() {
    let (sender, recver) = pipe().expect("pipe");
    let capacities = [sender.capacity(), recver.capacity()];
    if cfg!(any(target_os = "linux", target_os = "android", windows)) {
        let [one, other] = capacities.map(|capacity| capacity.expect("it tells"));
        assert!(one == other && one >= 4096, "{one} and {other}");
    } else {
        let is_unsupported =
            |result: io::Result<_>| result.is_err_and(|e| e.kind() == ErrorKind::Unsupported);
        assert!(capacities.into_iter().all(is_unsupported));
    }
    if cfg!(any(target_os = "linux", target_os = "android")) {
        let now = recver.set_capacity(128 << 10).expect("it may be changed");
        assert!(now >= 128 << 10);
        assert_eq!(sender.capacity().expect("it tells"), now);
        assert!(fill(&sender) > 64 << 10);
        assert_eq!(sender.set_capacity(4096).expect_err("it is too full").kind(), ErrorKind::ResourceBusy);
    } else {
        assert_eq!(sender.set_capacity(1 << 20).expect_err("the system's").kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn ends_of_the_standard_librarys_children_are_taken() {
    in_time(|| {
        let mut process = Child::command("greet", &[]).stdout(Stdio::piped()).spawn().expect("a child");
        let mut recver = Recver::try_from(process.stdout.take().expect("piped")).expect("an end of a pipe");
        let mut said = String::new();
        recver.read_to_string(&mut said).expect("receive");
        assert!(said.contains("hello"), "{said}");
        assert!(process.wait().expect("it ends").success());

        let mut command = Child::command("echo", &[]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a child");
        let mut sender = Sender::try_from(process.stdin.take().expect("piped")).expect("an end of a pipe");
        sender.write_all(b"to a ").expect("send");
        sender.set_send_timeout(Some(LIMIT)).expect("a timeout");
        sender.write_all(b"child").expect("send");
        drop(sender);
        let said = io::read_to_string(process.stdout.take().expect("piped")).expect("read");
        assert!(said.contains("to a child"), "{said}");
        assert!(process.wait().expect("it ends").success());
    });
}

#[cfg(unix)]
mod unix {
    use super::{Child, ErrorKind, Read, Recver, Sender, Write, in_time, pipe};
    use interprocess::os::unix::unnamed_pipe::{CreationOptions, UnnamedPipeExt};
    use rustix::io::{FdFlags, fcntl_getfd};
    use std::{fs::File, os::fd::AsFd};

    #[test]
    fn ends_are_closed_in_programs_that_are_executed() {
        let (sender, recver) = pipe().expect("pipe");
        let clones = (sender.try_clone().expect("clone"), recver.try_clone().expect("clone"));
        for fd in [sender.as_fd(), recver.as_fd(), clones.0.as_fd(), clones.1.as_fd()] {
            assert_eq!(fcntl_getfd(fd).expect("flags"), FdFlags::CLOEXEC);
        }
    }

    #[test]
    fn an_end_becomes_a_childs_standard_input() {
        in_time(|| {
            let (mut sender, recver) = pipe().expect("pipe");
            // Which makes it nonblocking for us, and it must not be so for the child.
            recver.set_recv_timeout(Some(super::SHORT)).expect("timeout");
            let child = Child::spawn_with(&mut Child::command("echo", &[]), recver.into());
            sender.write_all(b"from the parent").expect("send");
            drop(sender);
            assert_eq!(child.hear(), "from the parent");
            child.finish();
        });
    }

    #[test]
    fn both_ends_are_made_nonblocking_together() {
        let (sender, recver) = interprocess::os::unix::unnamed_pipe::pipe(true).expect("pipe");
        assert!(sender.is_nonblocking() && recver.is_nonblocking());
        assert_eq!(recver.recv(&mut [0; 8]).expect_err("nothing").kind(), ErrorKind::WouldBlock);
        UnnamedPipeExt::set_nonblocking(&recver, false).expect("blocking");
        assert!(!recver.is_nonblocking());
    }

    #[test]
    fn packets_are_kept_apart_or_refused() {
        let made = CreationOptions::new().packets(true).create();
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            assert_eq!(made.expect_err("not here").kind(), ErrorKind::Unsupported);
            return;
        }
        let (sender, recver) = made.expect("pipe");
        for packet in [&b"one"[..], b"other", b"long"] {
            assert_eq!(sender.send(packet).expect("send"), packet.len());
        }
        let mut buf = [0; 16];
        assert_eq!(recver.recv(&mut buf).expect("receive"), 3);
        assert_eq!(recver.recv(&mut buf).expect("receive"), 5);
        assert_eq!(recver.recv(&mut buf[..1]).expect("receive"), 1);
        drop(sender);
        assert_eq!(recver.recv(&mut buf).expect("the rest is lost"), 0);
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_pipe_is_made_of_the_size_that_is_asked_for() {
        let (sender, _recver) = CreationOptions::new().capacity(256 << 10).create().expect("pipe");
        assert!(sender.capacity().expect("it tells") >= 256 << 10);
        let error = CreationOptions::new().capacity(usize::MAX).create().expect_err("too much");
        assert_ne!(error.kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn an_end_is_a_file_and_back() {
        let (sender, recver) = pipe().expect("pipe");
        let (mut sender, mut recver) = (File::from(sender), File::from(recver));
        sender.write_all(b"x").expect("write");
        let (sender, recver) = (Sender::try_from(sender).expect("an end"), {
            recver.read_exact(&mut [0; 1]).expect("read");
            Recver::try_from(recver).expect("an end")
        });
        sender.send(b"hello").expect("send");
        assert_eq!(recver.recv(&mut [0; 8]).expect("receive"), 5);
        let error = Sender::try_from(File::from(recver)).expect_err("it receives");
        assert!(error.source.is_some());
    }
}

/// Both ends on each runtime.
#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::{ErrorKind, Recver, Sender, in_time, pipe};
    use futures_lite::future::{poll_once, zip};
    use interprocess::runtime::{Async, Runtime};

    fn both<R: Runtime>() -> (Async<Sender, R>, Async<Recver, R>) {
        let (sender, recver) = pipe().expect("pipe");
        (sender.try_into().expect("async"), recver.try_into().expect("async"))
    }

    async fn more_than_fits_goes_through_while_both_ends_are_at_work<R: Runtime>() {
        const MUCH: usize = 1 << 20;
        let (sender, recver) = both::<R>();
        let sending = async move {
            let (bytes, mut sent) = (vec![5; MUCH], 0);
            while sent < MUCH {
                sent += sender.send(&bytes[sent..]).await.expect("send");
            }
        };
        let receiving = async {
            let (mut buf, mut received) = ([0; 4096], 0);
            loop {
                match recver.recv(&mut buf).await.expect("receive") {
                    0 => break received,
                    count => {
                        assert!(buf[..count].iter().all(|byte| *byte == 5));
                        received += count;
                    }
                }
            }
        };
        assert_eq!(zip(sending, receiving).await.1, MUCH);
    }

    async fn what_is_given_up_loses_nothing<R: Runtime>() {
        let (sender, recver) = both::<R>();
        let mut buf = [0; 8];
        assert!(poll_once(recver.recv(&mut buf)).await.is_none());
        sender.send(b"kept").await.expect("send");
        assert_eq!(recver.recv(&mut buf).await.expect("receive"), 4);
        let recver = Recver::try_from(recver).expect("blocking");
        drop(recver);
        // Windows may only see it with the second.
        let error = loop {
            if let Err(error) = sender.send(b"x").await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }

    #[cfg(feature = "tokio")]
    mod on_tokio {
        use super::in_time;
        use interprocess::{runtime::Tokio, unnamed_pipe::tokio::pipe};
        use std::future::Future;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("runtime")
                .block_on(future)
        }

        #[test]
        fn more_than_fits_goes_through_while_both_ends_are_at_work() {
            in_time(|| block_on(super::more_than_fits_goes_through_while_both_ends_are_at_work::<Tokio>()));
        }

        #[test]
        fn what_is_given_up_loses_nothing() {
            in_time(|| block_on(super::what_is_given_up_loses_nothing::<Tokio>()));
        }

        #[test]
        fn the_runtimes_own_traits_are_there() {
            in_time(|| {
                block_on(async {
                    let (mut sender, mut recver) = pipe().expect("pipe");
                    sender.write_all(b"all of it").await.expect("write");
                    sender.shutdown().await.expect("shutdown");
                    drop(sender);
                    let mut text = String::new();
                    recver.read_to_string(&mut text).await.expect("read");
                    assert_eq!(text, "all of it");
                });
            });
        }
    }

    #[cfg(feature = "smol")]
    mod on_smol {
        use super::in_time;
        use futures_lite::{AsyncReadExt, AsyncWriteExt, future::block_on};
        use interprocess::{runtime::Smol, unnamed_pipe::smol::pipe};

        #[test]
        fn more_than_fits_goes_through_while_both_ends_are_at_work() {
            in_time(|| block_on(super::more_than_fits_goes_through_while_both_ends_are_at_work::<Smol>()));
        }

        #[test]
        fn what_is_given_up_loses_nothing() {
            in_time(|| block_on(super::what_is_given_up_loses_nothing::<Smol>()));
        }

        #[test]
        fn the_runtimes_own_traits_are_there() {
            in_time(|| {
                block_on(async {
                    let (mut sender, mut recver) = pipe().expect("pipe");
                    sender.write_all(b"all of it").await.expect("write");
                    sender.close().await.expect("close");
                    drop(sender);
                    let mut text = String::new();
                    recver.read_to_string(&mut text).await.expect("read");
                    assert_eq!(text, "all of it");
                });
            });
        }
    }
}
