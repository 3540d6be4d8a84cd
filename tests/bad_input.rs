//! What bad input gets: the right kind of error, which says the name; no panic, no hang, no leak; and the listener goes on.

mod support;

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        ConnectOptions, GenericFilePath, GenericNamespaced, Listener, ListenerOptions, Stream, ToFsName,
        ToName, ToNsName,
    },
};
use std::{
    ffi::{CString, OsString},
    io::{self, ErrorKind, IoSlice, Read, Write},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};
use support::{Child, TestName, both_names, hear, in_time, no_child_is_started, say};

#[test]
fn child_entry() {
    support::child_entry(&[
        ("leak", leak),
        ("connect_and", connect_and),
        #[cfg(unix)]
        ("run_out_of_descriptors", unix::run_out_of_descriptors),
        #[cfg(unix)]
        ("bind_without_permission", unix::bind_without_permission),
    ]);
}

/// Checks an error: its kind, and that it says what it is about.
#[track_caller]
fn assert_error<T>(result: io::Result<T>, kinds: &[ErrorKind], says: &str) {
    let Err(error) = result else { panic!("no error; it should be {kinds:?} and say {says:?}") };
    let text = error.to_string();
    assert!(kinds.contains(&error.kind()), "{:?} instead of {kinds:?}: {text}", error.kind());
    assert!(text.contains(says), "{text:?} does not say {says:?}");
}

/// Every way to listen and to connect gives that error.
#[track_caller]
fn assert_neither_listens_nor_connects<'n>(name: impl ToName<'n> + Clone, kind: ErrorKind, says: &str) {
    assert_error(Listener::bind(name.clone()), &[kind], says);
    assert_error(ListenerOptions::new().name(name.clone()).try_overwrite(true).create_sync(), &[kind], says);
    assert_error(Stream::connect(name.clone()), &[kind], says);
    let modes =
        [ConnectWaitMode::Deferred, ConnectWaitMode::Timeout(Duration::MAX), ConnectWaitMode::Unbounded];
    for wait_mode in modes {
        // It is not worth waiting for a server with such a name.
        let options = ConnectOptions::new().name(name.clone()).wait_mode(wait_mode).wait_for_server(true);
        assert_error(options.connect_sync(), &[kind], says);
    }
    assert_error(name.to_name(), &[kind], says);
}

/// A client that does as it should is served.
#[track_caller]
fn assert_serves(listener: &Listener, name: &TestName) {
    let mut client = Stream::connect(name).unwrap();
    client.write_all(b"question").unwrap();
    let mut server = listener.accept().unwrap();
    let mut text = [0; 8];
    server.read_exact(&mut text).unwrap();
    server.write_all(&text).unwrap();
    client.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"question");
}

/// Which are run again to see whether they leave anything behind.
const SCENARIOS: [fn(); 9] = [
    empty_names,
    long_names,
    names_with_nul,
    no_name,
    names_that_are_not_unicode,
    names_in_use,
    timeouts_of_zero,
    timeouts_of_for_ever,
    numbers_out_of_range,
];

/// Runs everything, and compares what is open before and after.
fn leak(_: &[String]) {
    const ROUNDS: usize = 10;
    let scenarios = || {
        for scenario in SCENARIOS {
            scenario();
        }
        #[cfg(unix)]
        for scenario in unix::SCENARIOS {
            scenario();
        }
    };
    // What is made once and kept is none.
    scenarios();
    let before = open_files();
    for _ in 0..ROUNDS {
        scenarios();
    }
    let after = open_files();
    // Windows opens files for its own purposes.
    let limit = if cfg!(windows) { before + ROUNDS - 1 } else { before };
    assert!(after <= limit, "{before} open files before, {after} after");
    say("nothing");
}

/// How many descriptors or handles this process has; where that is not told, nothing is found.
fn open_files() -> usize {
    #[cfg(windows)]
    {
        use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};
        let mut count = 0;
        // SAFETY: the handle of this process is always valid, and the count is ours to write to.
        let result = unsafe { GetProcessHandleCount(GetCurrentProcess(), &raw mut count) };
        assert_ne!(result, 0, "{}", io::Error::last_os_error());
        count as usize
    }
    #[cfg(not(windows))]
    {
        let folder =
            if cfg!(any(target_os = "linux", target_os = "android")) { "/proc/self/fd" } else { "/dev/fd" };
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

#[test]
fn bad_input_leaves_nothing_open() {
    in_time(|| {
        let child = Child::start("leak", &[]);
        child.expect("nothing");
        child.finish();
    });
}

#[test]
fn empty_name_is_invalid() {
    in_time(empty_names);
}

fn empty_names() {
    assert_neither_listens_nor_connects("", ErrorKind::InvalidInput, "empty");
    assert_neither_listens_nor_connects("@", ErrorKind::InvalidInput, "empty");
    assert_neither_listens_nor_connects(PathBuf::new(), ErrorKind::InvalidInput, "empty");
    assert_neither_listens_nor_connects(OsString::new(), ErrorKind::InvalidInput, "empty");
    assert_neither_listens_nor_connects(CString::default(), ErrorKind::InvalidInput, "empty");
    assert_error("".to_fs_name::<GenericFilePath>(), &[ErrorKind::InvalidInput], "empty");
    assert_error("".to_ns_name::<GenericNamespaced>(), &[ErrorKind::InvalidInput], "empty");
}

#[test]
fn name_that_is_too_long_is_invalid() {
    in_time(long_names);
}

fn long_names() {
    let prefix = if cfg!(windows) { r"\\.\pipe\" } else { "/tmp/" };
    for len in [500, 100_000] {
        let text = "x".repeat(len);
        let says = &text[..50];
        assert_neither_listens_nor_connects(format!("@{text}"), ErrorKind::InvalidInput, says);
        assert_neither_listens_nor_connects(format!("{prefix}{text}"), ErrorKind::InvalidInput, says);
        assert_neither_listens_nor_connects(
            PathBuf::from(format!("{prefix}{text}")),
            ErrorKind::InvalidInput,
            says,
        );
    }
}

#[test]
fn name_with_nul_is_invalid() {
    in_time(names_with_nul);
}

fn names_with_nul() {
    for text in ["be\0tween", "\0before", "after\0", "@be\0tween", "@\0before", "@after\0"] {
        let says = if text.contains("before") {
            "before"
        } else {
            text.trim_start_matches('@').split('\0').next().unwrap()
        };
        assert_neither_listens_nor_connects(text, ErrorKind::InvalidInput, says);
        assert_neither_listens_nor_connects(text, ErrorKind::InvalidInput, "NUL");
        assert_neither_listens_nor_connects(PathBuf::from(text), ErrorKind::InvalidInput, "NUL");
    }
}

#[test]
fn options_without_a_name_say_so() {
    in_time(no_name);
}

fn no_name() {
    assert_error(ListenerOptions::new().create_sync(), &[ErrorKind::InvalidInput], "no name");
    assert_error(ConnectOptions::new().connect_sync(), &[ErrorKind::InvalidInput], "no name");
}

#[test]
fn name_that_is_not_unicode_works_where_the_system_has_such_names() {
    in_time(names_that_are_not_unicode);
}

fn names_that_are_not_unicode() {
    for name in both_names() {
        #[cfg(unix)]
        let odd = {
            use std::os::unix::ffi::OsStringExt;
            let mut bytes = name.as_bytes().to_vec();
            bytes.extend(b"-\xff\xfe");
            OsString::from_vec(bytes)
        };
        #[cfg(windows)]
        let odd = {
            use std::os::windows::ffi::OsStringExt;
            let units: Vec<u16> = name.encode_utf16().chain([0xd800, u16::from(b'x')]).collect();
            OsString::from_wide(&units)
        };
        // What is odd about it does not keep the rest from being readable.
        assert_error(
            Stream::connect(&odd),
            &[ErrorKind::NotFound, ErrorKind::ConnectionRefused, ErrorKind::InvalidInput],
            &name,
        );
        match Listener::bind(&odd) {
            Ok(listener) => {
                assert_error(Listener::bind(&odd), &[ErrorKind::AddrInUse], &name);
                let mut client = Stream::connect(&odd).unwrap();
                client.write_all(b"x").unwrap();
                listener.accept().unwrap().read_exact(&mut [0]).unwrap();
                assert_eq!(listener.name(), &odd.to_name().unwrap());
            }
            // Some file systems take only Unicode; Linux does not care.
            Err(error) if cfg!(target_os = "linux") => panic!("{error}"),
            Err(error) => {
                assert!(error.to_string().contains(&*name), "{error}");
            }
        }
    }
}

#[test]
fn name_in_use_is_an_error_and_its_listener_goes_on() {
    in_time(names_in_use);
}

fn names_in_use() {
    for name in both_names() {
        let listener = Listener::bind(&name).unwrap();
        for _ in 0..3 {
            assert_error(Listener::bind(&name), &[ErrorKind::AddrInUse], &name);
            let options = ListenerOptions::new().name(&name);
            let options = options.existing_name(interprocess::local_socket::ExistingName::Fail);
            assert_error(options.create_sync(), &[ErrorKind::AddrInUse], &name);
            assert_serves(&listener, &name);
        }
    }
}

#[test]
fn timeout_of_zero_is_invalid_or_does_not_wait() {
    in_time(timeouts_of_zero);
}

fn timeouts_of_zero() {
    for name in both_names() {
        let listener = Listener::bind(&name).unwrap();
        assert_error(listener.accept_timeout(Duration::ZERO), &[ErrorKind::TimedOut], &name);
        let options = ConnectOptions::new().name(&name).wait_mode(ConnectWaitMode::Timeout(Duration::ZERO));
        // There is room, so there is nothing to wait for.
        let client = options.connect_sync().unwrap();
        let server = listener.accept_timeout(Duration::ZERO).unwrap();
        for stream in [&server, &client] {
            assert_error(stream.set_recv_timeout(Some(Duration::ZERO)), &[ErrorKind::InvalidInput], "zero");
            assert_error(stream.set_send_timeout(Some(Duration::ZERO)), &[ErrorKind::InvalidInput], "zero");
            assert_eq!(stream.recv_timeout().unwrap(), None);
            assert_eq!(stream.send_timeout().unwrap(), None);
            // Nothing is unread.
            match stream.drain(Duration::ZERO) {
                Ok(()) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
            }
        }
        // Almost zero is not for ever.
        client.set_recv_timeout(Some(Duration::from_nanos(1))).unwrap();
        assert_error(client.recv(&mut [0]), &[ErrorKind::TimedOut], "");
        assert_error(listener.accept_timeout(Duration::from_nanos(1)), &[ErrorKind::TimedOut], &name);
        assert_serves(&listener, &name);
    }
    for name in both_names() {
        let options = ConnectOptions::new().name(&name).wait_mode(ConnectWaitMode::Timeout(Duration::ZERO));
        let not_there = [ErrorKind::NotFound, ErrorKind::ConnectionRefused];
        assert_error(options.connect_sync(), &not_there, &name);
        assert_error(options.clone().wait_for_server(true).connect_sync(), &[ErrorKind::TimedOut], &name);
        ListenerOptions::new().name(&name).max_spin_time(Duration::ZERO).create_sync().unwrap();
    }
}

#[test]
fn timeout_of_for_ever_waits_as_long_as_it_takes() {
    in_time(timeouts_of_for_ever);
}

fn timeouts_of_for_ever() {
    for name in both_names() {
        for long in [
            Duration::MAX,
            Duration::from_secs(u64::MAX),
            Duration::from_secs(1 << 40),
            Duration::from_secs(1 << 32),
        ] {
            let listener = ListenerOptions::new().name(&name).max_spin_time(long).create_sync().unwrap();
            thread::scope(|scope| {
                let server = scope.spawn(|| listener.accept_timeout(long).unwrap());
                let options = ConnectOptions::new().name(&name).wait_mode(ConnectWaitMode::Timeout(long));
                let client = options.wait_for_server(true).connect_sync().unwrap();
                let server = server.join().unwrap();
                for stream in [&client, &server] {
                    stream.set_recv_timeout(Some(long)).unwrap();
                    stream.set_send_timeout(Some(long)).unwrap();
                    for set in [stream.recv_timeout().unwrap(), stream.send_timeout().unwrap()] {
                        assert!(set.is_none_or(|set| set > Duration::from_secs(60 * 60)), "{set:?}");
                    }
                }
                thread::scope(|scope| {
                    let reader = scope.spawn(|| client.recv(&mut [0]).unwrap());
                    (&server).write_all(b"x").unwrap();
                    assert_eq!(reader.join().unwrap(), 1);
                });
                if let Err(error) = server.drain(long) {
                    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                }
            });
            let _quiet = no_child_is_started();
            drop(listener);
        }
    }
}

#[test]
fn numbers_out_of_range_are_brought_into_it() {
    in_time(numbers_out_of_range);
}

fn numbers_out_of_range() {
    for name in both_names() {
        for backlog in [0, 1, i32::MAX.unsigned_abs(), u32::MAX] {
            let listener = ListenerOptions::new().name(&name).backlog(backlog).create_sync().unwrap();
            assert_serves(&listener, &name);
            let _quiet = no_child_is_started();
            drop(listener);
        }
        let listener = Listener::bind(&name).unwrap();
        let (client, server) = (Stream::connect(&name).unwrap(), listener.accept().unwrap());
        // No bytes are no end, and more buffers than the system takes at once are no error.
        assert_eq!(client.send(b"").unwrap(), 0);
        assert_eq!(client.send_vectored(&[]).unwrap(), 0);
        assert_eq!(client.send_vectored(&[IoSlice::new(b""), IoSlice::new(b"")]).unwrap(), 0);
        assert_eq!(server.recv(&mut []).unwrap(), 0);
        assert_eq!(server.peek(&mut []).unwrap(), 0);
        assert_eq!(server.recv_vectored(&mut []).unwrap(), 0);
        let sent = client.send_vectored(&vec![IoSlice::new(b"x"); 5000]).unwrap();
        assert!(sent > 0);
        drop(client);
        let mut received = Vec::new();
        (&server).read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), sent);
    }
}

/// Connects to what will never be accepted, and to what is no listener.
#[test]
fn connecting_to_nothing_is_an_error_that_says_so() {
    in_time(|| {
        for name in both_names() {
            let not_there = [ErrorKind::NotFound, ErrorKind::ConnectionRefused];
            assert_error(Stream::connect(&name), &not_there, &name);
            let options = ConnectOptions::new().name(&name).wait_mode(ConnectWaitMode::Deferred);
            assert_error(options.connect_sync(), &not_there, &name);
        }
        #[cfg(windows)]
        for path in
            ["C:\\Windows\\win.ini", "C:", "relative\\path", "/unix/path", r"\\.\pipe\", r"\\.\mailslot\x"]
        {
            assert_neither_listens_nor_connects(path, ErrorKind::InvalidInput, "pipe");
        }
    });
}

/// Arguments: a name, what to do until killed: "connect", "write", "start" (a message that goes on), "listen". Says when it is
/// done.
fn connect_and(arguments: &[String]) {
    if arguments[1] == "listen" {
        let _listener = Listener::bind(&arguments[0]).unwrap();
        say("done");
        hear();
        return;
    }
    let mut stream = Stream::connect(&arguments[0]).unwrap();
    match &*arguments[1] {
        "connect" => {}
        "write" => stream.write_all(b"whole").unwrap(),
        // The length says 8, but there is less.
        "start" => stream.write_all(b"8 bytes").unwrap(),
        other => panic!("{other}"),
    }
    say("done");
    hear();
}

/// Runs a client to the point where it has done its work, and kills it when `before_it_is_killed` is over.
fn with_killed_client<T>(name: &TestName, work: &str, before_it_is_killed: impl FnOnce() -> T) -> T {
    let mut child = Child::start("connect_and", &[name, work]);
    child.expect("done");
    let result = before_it_is_killed();
    child.kill();
    result
}

#[test]
fn client_that_is_killed_before_it_is_accepted_is_accepted_and_at_its_end() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            with_killed_client(&name, "write", || ());
            let mut text = String::new();
            let mut stream = listener.accept().unwrap();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, "whole");
            assert_peer_is_gone(&mut stream);
            assert_serves(&listener, &name);

            // Without a word, it may as well be skipped.
            with_killed_client(&name, "connect", || ());
            if let Ok(mut stream) = listener.accept_timeout(Duration::ZERO) {
                assert_peer_is_gone(&mut stream);
            }
            assert_serves(&listener, &name);
        }
    });
}

#[test]
fn client_that_is_killed_after_it_was_accepted_is_at_its_end() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let mut stream = with_killed_client(&name, "connect", || listener.accept().unwrap());
            assert_peer_is_gone(&mut stream);
            // While somebody waits for it to speak.
            let mut child = Child::start("connect_and", &[&name, "connect"]);
            child.expect("done");
            let mut stream = listener.accept().unwrap();
            let (started, has_started) = mpsc::channel();
            let reader = thread::spawn(move || {
                started.send(()).unwrap();
                assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
                stream
            });
            has_started.recv().unwrap();
            child.kill();
            assert_peer_is_gone(&mut reader.join().unwrap());
            assert_serves(&listener, &name);
        }
    });
}

#[test]
fn client_that_is_killed_in_the_middle_of_a_message_ends_there() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let mut stream = with_killed_client(&name, "start", || listener.accept().unwrap());
            let mut message = [0; 8];
            let error = stream.read_exact(&mut message).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
            assert_eq!(&message[..7], b"8 bytes");
            assert_peer_is_gone(&mut stream);
            assert_serves(&listener, &name);
        }
    });
}

#[test]
fn client_that_is_killed_with_unread_bytes_is_at_its_end() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let answer = || {
                let mut stream = listener.accept().unwrap();
                stream.write_all(b"never read").unwrap();
                stream
            };
            // Reading first.
            let mut stream = with_killed_client(&name, "write", answer);
            let mut text = [0; 5];
            stream.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"whole");
            assert_peer_is_gone(&mut stream);
            // Writing first.
            let mut stream = with_killed_client(&name, "write", answer);
            let error = stream.write(b"x").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
            stream.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"whole");
            assert_peer_is_gone(&mut stream);
            assert_serves(&listener, &name);
        }
    });
}

#[test]
fn client_that_is_killed_while_the_server_is_blocked_in_a_write_ends_the_write() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let mut child = Child::start("connect_and", &[&name, "connect"]);
            child.expect("done");
            let stream = listener.accept().unwrap();
            // Until there is no room for a byte.
            stream.set_nonblocking(true).unwrap();
            for len in [64 * 1024, 1] {
                let block = vec![7; len];
                let error = loop {
                    if let Err(error) = stream.send(&block) {
                        break error;
                    }
                };
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
            }
            stream.set_nonblocking(false).unwrap();
            let (started, has_started) = mpsc::channel();
            let writer = thread::spawn(move || {
                started.send(()).unwrap();
                let error = (&stream).write_all(&vec![7; 1 << 20]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
                stream
            });
            has_started.recv().unwrap();
            child.kill();
            assert_peer_is_gone(&mut writer.join().unwrap());
            assert_serves(&listener, &name);
        }
    });
}

#[test]
fn client_of_a_killed_server_is_at_its_end() {
    in_time(|| {
        for name in both_names() {
            let mut child = Child::start("connect_and", &[&name, "listen"]);
            child.expect("done");
            // It is never accepted.
            let mut client = Stream::connect(&name).unwrap();
            client.write_all(b"never read").unwrap();
            child.kill();
            assert_peer_is_gone(&mut client);
        }
    });
}

/// What is true of every stream whose peer is no more, and stays so.
#[track_caller]
fn assert_peer_is_gone(stream: &mut Stream) {
    for _ in 0..2 {
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "the end of the stream");
        assert_eq!(stream.peek(&mut [0; 16]).unwrap(), 0, "the end of the stream");
        let error = stream.write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
        assert!(stream.is_peer_gone().unwrap());
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::{
        error::Error,
        fs,
        os::{
            fd::{AsFd, OwnedFd},
            unix::{fs::symlink, net::UnixListener},
        },
        path::Path,
    };
    use support::{ANOTHER_USER, LIMIT, TempDir, become_another_user, unique, unique_name, unique_path};

    pub(super) const SCENARIOS: [fn(); 4] = [directories, strange_files, dead_names, long_directories];

    #[test]
    fn directory_that_is_missing_or_none_is_an_error_that_says_so() {
        in_time(directories);
    }

    fn directories() {
        let dir = TempDir::new();
        fs::write(dir.join("file"), "").unwrap();
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let assert_both = |path: PathBuf, kind: ErrorKind| {
            let path = text(path);
            assert_error(Listener::bind(&path), &[kind], &path);
            let options = ListenerOptions::new().name(&path).try_overwrite(true);
            assert_error(options.create_sync(), &[kind], &path);
            assert_error(Stream::connect(&path), &[kind], &path);
        };
        assert_both(dir.join("missing/socket"), ErrorKind::NotFound);
        assert_both(dir.join("missing/deeper/socket"), ErrorKind::NotFound);
        assert_both(dir.join("file/socket"), ErrorKind::NotADirectory);
        symlink("nowhere", dir.join("broken")).unwrap();
        assert_both(dir.join("broken/socket"), ErrorKind::NotFound);
        assert_eq!(fs::read_dir(&*dir).unwrap().count(), 2, "nothing was made");
        // A path that ends with the separator names no file.
        let path = format!("{}/", text(dir.join(unique())));
        let error = Listener::bind(&path).unwrap_err();
        assert!(error.to_string().contains(&path), "{error}");
    }

    #[test]
    fn name_that_only_its_directory_makes_too_long_is_invalid() {
        in_time(long_directories);
    }

    fn long_directories() {
        let dir = TempDir::new();
        let deep = dir.join("d".repeat(100));
        fs::create_dir(&deep).unwrap();
        let path = deep.join("socket");
        let path = path.to_str().unwrap();
        assert_neither_listens_nor_connects(path, ErrorKind::InvalidInput, path);
        assert_neither_listens_nor_connects(path, ErrorKind::InvalidInput, &path.len().to_string());
    }

    #[test]
    fn what_is_no_socket_is_refused_by_bind_and_connect() {
        in_time(strange_files);
    }

    fn strange_files() {
        let dir = TempDir::new();
        let (file, folder) = (dir.join("file"), dir.join("folder"));
        fs::write(&file, "precious").unwrap();
        fs::create_dir(&folder).unwrap();
        let mut paths = vec![file, folder, PathBuf::from("/dev/null"), PathBuf::from("/")];
        for (link, target) in [("to file", "file"), ("to folder", "folder")] {
            symlink(target, dir.join(link)).unwrap();
            paths.push(dir.join(link));
        }
        for path in &paths {
            let says = path.to_str().unwrap();
            for overwrite in [false, true] {
                let options = ListenerOptions::new().name(path).try_overwrite(overwrite);
                assert_error(options.create_sync(), &[ErrorKind::AddrInUse], says);
            }
            // The systems differ on what to call it; macOS says "not a socket".
            let error = Stream::connect(path).unwrap_err();
            assert!(!cfg!(target_os = "linux") || error.kind() == ErrorKind::ConnectionRefused, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        let broken = dir.join("broken");
        symlink("nowhere", &broken).unwrap();
        let says = broken.to_str().unwrap();
        assert_error(Listener::bind(&broken), &[ErrorKind::AddrInUse], says);
        assert_error(Stream::connect(&broken), &[ErrorKind::NotFound], says);
        let round = dir.join("round");
        symlink("round", &round).unwrap();
        let says = round.to_str().unwrap();
        assert_error(Listener::bind(&round), &[ErrorKind::AddrInUse], says);
        let error = Stream::connect(&round).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        // A link to a live socket is a way to it, but not a name to take.
        let name = unique_path();
        let listener = Listener::bind(&name).unwrap();
        let link = dir.join("to socket");
        symlink(&*name, &link).unwrap();
        Stream::connect(&link).unwrap();
        listener.accept().unwrap();
        assert_error(Listener::bind(&link), &[ErrorKind::AddrInUse], link.to_str().unwrap());
        assert_serves(&listener, &name);
        // A socket of another type.
        let other = dir.join("datagrams");
        let _datagrams = std::os::unix::net::UnixDatagram::bind(&other).unwrap();
        let error = Stream::connect(&other).unwrap_err();
        assert!(error.to_string().contains(other.to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(dir.join("file")).unwrap(), "precious");
    }

    #[test]
    fn dead_name_is_refused_by_connect_and_taken_over_by_bind() {
        in_time(dead_names);
    }

    fn dead_names() {
        let name = unique_path();
        let quiet = no_child_is_started();
        drop(UnixListener::bind(&*name).unwrap());
        drop(quiet);
        assert_error(Stream::connect(&name), &[ErrorKind::ConnectionRefused], &name);
        assert_serves(&Listener::bind(&name).unwrap(), &name);
        assert!(!Path::new(&*name).exists());
    }

    /// Arguments: a directory that only its owner may write to, one that only its owner may enter.
    pub(super) fn bind_without_permission(arguments: &[String]) {
        if !become_another_user(ANOTHER_USER, &[]) {
            return say("not allowed");
        }
        let [closed, secret] = [&arguments[0], &arguments[1]].map(|dir| format!("{dir}/socket"));
        assert_error(Listener::bind(&closed), &[ErrorKind::PermissionDenied], &closed);
        assert_error(Stream::connect(&closed), &[ErrorKind::NotFound], &closed);
        let options = ListenerOptions::new().name(&closed).try_overwrite(true);
        assert_error(options.create_sync(), &[ErrorKind::PermissionDenied], &closed);
        assert_error(Listener::bind(&secret), &[ErrorKind::PermissionDenied], &secret);
        assert_error(Stream::connect(&secret), &[ErrorKind::PermissionDenied], &secret);
        // What is there, and is not ours to remove.
        let dead = format!("{}/dead", arguments[0]);
        for overwrite in [false, true] {
            let options = ListenerOptions::new().name(&dead).try_overwrite(overwrite);
            assert_error(options.create_sync(), &[ErrorKind::AddrInUse, ErrorKind::PermissionDenied], &dead);
        }
        assert!(Path::new(&dead).exists());
        say("denied");
    }

    #[test]
    fn directory_that_may_not_be_written_or_entered_is_permission_denied() {
        in_time(|| {
            let (closed, secret) = (support::unique_open_path(), unique_path());
            drop(UnixListener::bind(closed.dir().join("dead")).unwrap());
            let child = Child::start(
                "bind_without_permission",
                &[closed.dir().to_str().unwrap(), secret.dir().to_str().unwrap()],
            );
            match &*child.hear() {
                "not allowed" => eprintln!("not tested: only root can start processes of other users"),
                other => assert_eq!(other, "denied"),
            }
        });
    }

    /// Whether this is about the limit on descriptors; the error says the name, and keeps the system's.
    #[track_caller]
    fn assert_is_about_descriptors<T>(result: io::Result<T>, name: &str) {
        let Err(error) = result else { panic!("no error") };
        assert!(error.to_string().contains(name), "{error}");
        let mut code = error.raw_os_error();
        let mut inner: Option<&(dyn Error + 'static)> = error.get_ref().map(|inner| inner as _);
        while let (None, Some(error)) = (code, inner) {
            code = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
            inner = error.source();
        }
        assert_eq!(code, Some(libc::EMFILE), "{error:?}");
    }

    /// Arguments: a name, a path. Listens on the name, and does everything without a descriptor to spare; then with one more.
    pub(super) fn run_out_of_descriptors(arguments: &[String]) {
        let name = &arguments[0];
        let listener = Listener::bind(name).unwrap();
        let kept = Stream::connect(name).unwrap();
        let _its_other_end = listener.accept().unwrap();
        say("listening");
        hear();
        let limit = 64;
        let limits = rustix::process::Rlimit { current: Some(limit), maximum: Some(limit) };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limits).unwrap();
        let mut ballast: Vec<OwnedFd> = Vec::new();
        let error = loop {
            match kept.as_fd().try_clone_to_owned() {
                Ok(fd) => ballast.push(fd),
                Err(error) => break error,
            }
        };
        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        // With and without a wait, and before and after the first deadline.
        for _ in 0..2 {
            for _ in 0..100 {
                assert_is_about_descriptors(listener.accept(), name);
            }
            assert_is_about_descriptors(listener.incoming().next().unwrap(), name);
            assert_is_about_descriptors(listener.accept_timeout(LIMIT), name);
            assert_is_about_descriptors(listener.accept_timeout(Duration::ZERO), name);
        }
        assert_is_about_descriptors(Stream::connect(name), name);
        let options = ConnectOptions::new().name(name).wait_for_server(true);
        assert_is_about_descriptors(options.connect_sync(), name);
        let other = format!("{name}-other");
        assert_is_about_descriptors(Listener::bind(&other), &other);
        assert_eq!(kept.try_clone().unwrap_err().raw_os_error(), Some(libc::EMFILE));
        // The connection that it has works on.
        (&kept).write_all(b"x").unwrap();
        say("out of descriptors");
        hear();
        // Room for one: the client still waits.
        ballast.pop();
        let mut stream = listener.accept().unwrap();
        stream.write_all(b"at last").unwrap();
        assert_is_about_descriptors(listener.accept(), name);
        assert_eq!(open_files_by_number(limit), limit, "failures leave nothing open");
        drop(stream);
        // Room for a socket, but not for the lock on its directory: removing the file may have to be left to the next owner.
        let path = Path::new(&arguments[1]);
        drop(Listener::bind(path));
        ballast.truncate(ballast.len() - 2);
        drop(Listener::bind(path).unwrap());
        assert!(!path.exists());
        assert_eq!(open_files_by_number(limit), limit - 3);
        say("served");
    }

    /// How many are open. Opens nothing itself.
    fn open_files_by_number(limit: u64) -> u64 {
        let limit = i32::try_from(limit).unwrap();
        let is_open = |number: &i32| {
            // SAFETY: it is only borrowed to ask for its flags, which fails if it is not open.
            let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(*number) };
            rustix::io::fcntl_getfd(fd).is_ok()
        };
        (0..limit).filter(is_open).count().try_into().unwrap()
    }

    #[test]
    fn accept_without_descriptors_is_an_error_and_the_listener_goes_on() {
        in_time(|| {
            for name in [unique_name(), unique_path()] {
                let path = unique_path();
                let mut child = Child::start("run_out_of_descriptors", &[&name, &path]);
                child.expect("listening");
                let mut client = Stream::connect(&name).unwrap();
                child.say("go");
                child.expect("out of descriptors");
                assert!(!client.is_peer_gone().unwrap(), "the client still waits");
                child.say("go on");
                let mut text = String::new();
                client.read_to_string(&mut text).unwrap();
                assert_eq!(text, "at last");
                child.expect("served");
                child.finish();
            }
        });
    }
}
