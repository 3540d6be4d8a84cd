//! Data, descriptors and handles.

use crate::{
    pair,
    support::{ChildFunction, LIMIT, both_names, in_time},
};
use interprocess::local_socket::{Listener, Stream};
use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::Shutdown,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

#[cfg(unix)]
pub(crate) const CHILDREN: [(&str, ChildFunction); 4] = [
    ("watch_flags", unix::watch_flags),
    ("write_to_the_gone", unix::write_to_the_gone),
    ("open_and_start_children", unix::open_and_start_children),
    ("tell_descriptors", unix::tell_descriptors),
];
#[cfg(not(unix))]
pub(crate) const CHILDREN: [(&str, ChildFunction); 0] = [];

/// The hazard: on Windows, operations on a handle that is not overlapped take turns.
#[test]
fn blocked_read_does_not_block_writes_on_the_same_stream() {
    in_time(|| {
        for name in both_names() {
            let (server, client) = pair(&name);
            thread::scope(|scope| {
                let (started, has_started) = mpsc::channel();
                let reader = scope.spawn(|| {
                    let started = started;
                    started.send(()).unwrap();
                    let mut answer = [0; 6];
                    (&client).read_exact(&mut answer).unwrap();
                    answer
                });
                has_started.recv().unwrap();
                // The other end is also in the middle of reading, then writes itself.
                let other_end = scope.spawn(|| {
                    let mut question = [0; 12];
                    (&server).read_exact(&mut question).unwrap();
                    (&server).write_all(b"answer").unwrap();
                    question
                });
                (&client).write_all(b"first ").unwrap();
                client.try_clone().unwrap().write_all(b"second").unwrap();
                assert_eq!(&other_end.join().unwrap(), b"first second");
                assert_eq!(&reader.join().unwrap(), b"answer");
            });
        }
    });
}

/// The hazards: on Windows, closing a pipe after `DisconnectNamedPipe` throws away what the peer has not read, and waiting for
/// it to be read may take for ever.
#[test]
fn dropping_a_stream_neither_blocks_nor_loses_what_was_written() {
    in_time(|| {
        for name in both_names() {
            let (mut server, mut client) = pair(&name);
            let text = vec![7; 16 * 1024];
            // Nobody reads yet: that it comes to the next line shows that it does not wait.
            server.write_all(&text).unwrap();
            drop(server);
            let mut received = Vec::new();
            client.read_to_end(&mut received).unwrap();
            assert!(received == text);

            let (server, mut client) = pair(&name);
            client.write_all(&text).unwrap();
            drop(client);
            let mut received = Vec::new();
            (&server).read_to_end(&mut received).unwrap();
            assert!(received == text);
        }
    });
}

#[test]
fn drain_ends_when_the_peer_has_read_everything_or_in_time() {
    in_time(|| {
        for name in both_names() {
            let (mut server, mut client) = pair(&name);
            if let Err(error) = server.drain(Duration::ZERO) {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                return eprintln!("not tested: {error}");
            }
            server.write_all(b"not read yet").unwrap();
            for timeout in [Duration::ZERO, Duration::from_millis(20)] {
                let error = server.drain(timeout).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            }
            thread::scope(|scope| {
                let draining = scope.spawn(|| server.drain(LIMIT * 2));
                client.read_exact(&mut [0; 12]).unwrap();
                draining.join().unwrap().unwrap();
            });
            server.write_all(b"never read").unwrap();
            drop(client);
            for _ in 0..2 {
                let error = server.drain(LIMIT * 2).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
            }
            // Whoever reads or writes first learns the same afterwards.
            let looks: [fn(&mut Stream); 3] = [
                |stream| assert_eq!(stream.read(&mut [0]).unwrap(), 0),
                |stream| assert_eq!(stream.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe),
                |stream| drop(stream.take_error().unwrap()),
            ];
            for look in looks {
                let (mut server, client) = pair(&name);
                server.write_all(b"never read").unwrap();
                drop(client);
                look(&mut server);
                let error = server.drain(LIMIT * 2).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
            }
        }
    });
}

#[test]
fn shutdown_works_or_is_unsupported_but_never_does_nothing() {
    in_time(|| {
        for name in both_names() {
            let (mut server, mut client) = pair(&name);
            let mut text = String::new();
            match client.shutdown(Shutdown::Write) {
                Ok(()) => {
                    assert_eq!(server.read_to_string(&mut text).unwrap(), 0, "the end of the stream");
                    assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
                    assert!(!server.is_peer_gone().unwrap(), "half of it is there");
                    server.write_all(b"the other direction works").unwrap();
                    drop(server);
                    client.read_to_string(&mut text).unwrap();
                    assert_eq!(text, "the other direction works");
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
            }
            let (server, mut client) = pair(&name);
            match client.shutdown(Shutdown::Both) {
                Ok(()) => {
                    assert_eq!(client.read(&mut [0]).unwrap(), 0);
                    assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
                    assert_eq!((&server).read(&mut [0]).unwrap(), 0);
                    assert_eq!((&server).write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
            }
            let (_server, mut client) = pair(&name);
            match client.shutdown(Shutdown::Read) {
                Ok(()) => assert_eq!(client.read(&mut [0]).unwrap(), 0),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
            }
        }
    });
}

/// What comes too late comes to nobody, and is there for the next call.
#[test]
fn read_has_a_deadline() {
    in_time(|| {
        for name in both_names() {
            let (mut server, mut client) = pair(&name);
            let timeout = Duration::from_millis(30);
            client.set_recv_timeout(Some(timeout)).unwrap();
            let reads: [&mut dyn FnMut() -> io::Result<usize>; 4] = [
                &mut || (&client).read(&mut [0; 4]),
                &mut || client.recv_vectored(&mut [io::IoSliceMut::new(&mut [0; 4])]),
                &mut || client.peek(&mut [0; 4]),
                &mut || client.try_clone()?.recv(&mut [0; 4]),
            ];
            for read in reads {
                let start = Instant::now();
                let error = read().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                assert!(start.elapsed() + Duration::from_millis(20) >= timeout);
                assert!(start.elapsed() < LIMIT / 2);
            }
            server.write_all(b"late").unwrap();
            let mut text = [0; 4];
            client.set_recv_timeout(None).unwrap();
            client.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"late");
        }
    });
}

#[test]
fn write_has_a_deadline_and_what_it_took_arrives() {
    in_time(|| {
        for name in both_names() {
            let (server, client) = pair(&name);
            client.set_send_timeout(Some(Duration::from_millis(30))).unwrap();
            let text: Vec<u8> = (0..=250).cycle().take(251 * 300).collect();
            let mut sent = Vec::new();
            let error = loop {
                match client.send(&text) {
                    Ok(accepted) => sent.extend(&text[..accepted]),
                    Err(error) => break error,
                }
                assert!(sent.len() < 100 << 20, "it never gets full");
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            let error = client.send_vectored(&[IoSlice::new(b"no"), IoSlice::new(b"room")]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            drop(client);
            let mut received = Vec::new();
            (&server).read_to_end(&mut received).unwrap();
            assert_eq!(received.len(), sent.len());
            assert!(received == sent);
        }
    });
}

#[test]
fn accept_has_a_deadline() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            for timeout in [Duration::ZERO, Duration::from_millis(30)] {
                let start = Instant::now();
                let error = listener.accept_timeout(timeout).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                assert!(start.elapsed() + Duration::from_millis(20) >= timeout);
                assert!(start.elapsed() < LIMIT / 2);
            }
            let _client = Stream::connect(&name).unwrap();
            let server = listener.accept_timeout(LIMIT * 2).unwrap();
            assert_eq!(server.recv_timeout().unwrap(), None);
            assert!(!server.is_nonblocking().unwrap());
            // After that, one without a deadline waits as before.
            thread::scope(|scope| {
                let accepting = scope.spawn(|| listener.accept().unwrap());
                let _client = Stream::connect(&name).unwrap();
                accepting.join().unwrap();
            });
        }
    });
}

/// Windows has a flag for it, which can be read back.
#[test]
#[cfg(windows)]
fn handles_are_not_inherited() {
    use std::os::windows::io::{AsHandle, AsRawHandle};
    use windows_sys::Win32::Foundation::{GetHandleInformation, HANDLE_FLAG_INHERIT};
    in_time(|| {
        for name in both_names() {
            let (server, client) = pair(&name);
            let clone = client.try_clone().unwrap();
            for stream in [server, client, clone] {
                let mut flags = 0;
                // SAFETY: the handle is open while it is borrowed, and the flags are ours to write to.
                let result =
                    unsafe { GetHandleInformation(stream.as_handle().as_raw_handle(), &raw mut flags) };
                assert_ne!(result, 0, "{}", io::Error::last_os_error());
                assert_eq!(flags & HANDLE_FLAG_INHERIT, 0);
            }
        }
    });
}

#[cfg(unix)]
mod unix {
    use crate::{
        pair,
        support::{Child, hear, in_time, say, unique_name, unique_path},
    };
    use interprocess::local_socket::{ConnectOptions, Listener, Stream};
    use std::{
        fs,
        io::{ErrorKind, IoSlice, Write},
        os::fd::{AsFd, OwnedFd},
        sync::atomic::{AtomicBool, Ordering::Relaxed},
    };

    /// Writes to a peer that is gone, in a process where that is a deadly signal.
    pub(super) fn write_to_the_gone(_: &[String]) {
        // SAFETY: the default disposition is no function of ours.
        assert_ne!(unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) }, libc::SIG_ERR);
        let name = unique_name();
        let (server, mut client) = pair(&name);
        drop(server);
        assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        let vectored = client.write_vectored(&[IoSlice::new(b"x"), IoSlice::new(b"y")]);
        assert_eq!(vectored.unwrap_err().kind(), ErrorKind::BrokenPipe);
        // A stream that somebody else made is no different.
        let (server, client) = pair(&name);
        let mut client = Stream::from(OwnedFd::from(client));
        client.try_clone().unwrap().shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        drop(server);
        assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        say("alive");
    }

    #[test]
    fn write_to_a_gone_peer_is_an_error_even_where_sigpipe_kills() {
        in_time(|| {
            let child = Child::start("write_to_the_gone", &[]);
            child.expect("alive");
            child.finish();
        });
    }

    /// What the numbers from 3 on stand for in this process.
    pub(super) fn tell_descriptors(_: &[String]) {
        let open: Vec<_> = (3..256).filter_map(identity).collect();
        say(open.join(" "));
        hear();
    }

    /// What tells an open file from others, while it is open.
    fn identity(number: i32) -> Option<String> {
        // SAFETY: it is only borrowed to ask for its status, which fails if it is not open.
        let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
        rustix::fs::fstat(fd).ok().map(|stat| format!("{}:{}", stat.st_dev, stat.st_ino))
    }

    /// Opens everything that there is, and starts a process that tells which of it came along.
    pub(super) fn open_and_start_children(_: &[String]) {
        let open = || -> Vec<_> { (3..256).filter_map(identity).collect() };
        let before = open();
        let path = unique_path();
        let mut keep: Vec<OwnedFd> = Vec::new();
        let (abstract_name, other_name) = (unique_name(), unique_name());
        let (one, two) = (Listener::bind(&path).unwrap(), Listener::bind(&abstract_name).unwrap());
        for listener in [&one, &two] {
            let client = ConnectOptions::new().name(listener.name()).connect_sync().unwrap();
            let server = listener.accept().unwrap();
            let deferred = ConnectOptions::new().name(listener.name());
            let deferred =
                deferred.wait_mode(interprocess::ConnectWaitMode::Deferred).connect_sync().unwrap();
            let timed = listener.accept_timeout(crate::support::LIMIT).unwrap();
            keep.extend([client.try_clone().unwrap(), client, server, deferred, timed].map(OwnedFd::from));
        }
        keep.push(Listener::bind(&other_name).unwrap().into());
        for fd in &keep {
            let flags = rustix::io::fcntl_getfd(fd.as_fd()).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC), "{fd:?}");
        }
        let ours: Vec<_> = open().into_iter().filter(|file| !before.contains(file)).collect();
        // The clones are counted; their files are one.
        assert!(ours.len() >= keep.len() + 2, "{ours:?}");
        let child = Child::start("tell_descriptors", &[]);
        let inherited = child.hear();
        for inherited in inherited.split(' ') {
            assert!(!ours.iter().any(|ours| ours == inherited), "{inherited} was inherited");
        }
        child.finish();
        say("nothing was inherited");
    }

    #[test]
    fn children_inherit_no_descriptor() {
        in_time(|| {
            let child = Child::start("open_and_start_children", &[]);
            child.expect("nothing was inherited");
            child.finish();
        });
    }

    /// Looks at all descriptors all the time, while others are being made.
    pub(super) fn watch_flags(_: &[String]) {
        let name = unique_name();
        let is_inheritable = |number: i32| {
            // SAFETY: it is only borrowed to ask for its flags, which fails if it is not open.
            let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
            rustix::io::fcntl_getfd(fd).is_ok_and(|flags| !flags.contains(rustix::io::FdFlags::CLOEXEC))
        };
        // What the parent's parents left open.
        let before: Vec<bool> = (0..64).map(is_inheritable).collect();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let (server, _client) = pair(&name);
                    server.try_clone().unwrap();
                }
                is_over.store(true, Relaxed);
            });
            while !is_over.load(Relaxed) {
                for (number, before) in (0..).zip(&before) {
                    assert_eq!(is_inheritable(number), *before, "descriptor {number}");
                }
            }
        });
        say("never");
    }

    /// The flag has to come with the descriptor. A call that sets it afterwards leaves a moment in which another thread's child
    /// inherits it. Only systems without such calls (Darwin) are let off.
    #[test]
    #[cfg(not(target_vendor = "apple"))]
    fn there_is_no_moment_in_which_a_child_could_inherit_a_descriptor() {
        in_time(|| {
            let child = Child::start("watch_flags", &[]);
            child.expect("never");
            child.finish();
        });
    }

    #[test]
    fn nothing_is_left_of_a_name_when_the_last_owner_is_gone() {
        let name = unique_path();
        let listener = Listener::bind(&name).unwrap();
        let client = Stream::connect(&name).unwrap();
        drop((listener.accept().unwrap(), client, listener));
        assert_eq!(fs::read_dir(name.dir()).unwrap().count(), 0);
    }
}
