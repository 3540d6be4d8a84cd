//! Names and lifetimes.

use crate::support::{
    Child, ChildFunction, both_names, hear, in_time, no_child_is_started, say, unique_name, unique_path,
};
use interprocess::local_socket::{
    GenericFilePath, GenericNamespaced, Listener, ListenerOptions, Stream, ToFsName, ToNsName,
};
use std::{
    io::{self, ErrorKind},
    time::Duration,
};

#[cfg(unix)]
pub(crate) const CHILDREN: [(&str, ChildFunction); 2] = [("listen", listen), ("fork", unix::fork)];
#[cfg(not(unix))]
pub(crate) const CHILDREN: [(&str, ChildFunction); 1] = [("listen", listen)];

/// Arguments: a name. Listens until there is nothing more to hear.
fn listen(arguments: &[String]) {
    let _listener = Listener::bind(&arguments[0]).unwrap();
    say("listening");
    hear();
}

#[test]
fn name_of_a_killed_listener_is_taken_over() {
    in_time(|| {
        for name in both_names() {
            let mut child = Child::start("listen", &[&name]);
            child.expect("listening");
            Stream::connect(&name).unwrap();
            child.kill();
            #[cfg(unix)]
            assert_eq!(std::path::Path::new(&*name).exists(), !name.starts_with('@'), "a socket file stays");
            assert!(Stream::connect(&name).is_err());
            let listener = Listener::bind(&name).unwrap();
            let _client = Stream::connect(&name).unwrap();
            listener.accept().unwrap();
        }
    });
}

#[test]
fn live_listener_is_not_taken_over_and_not_disturbed() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            for _ in 0..3 {
                let error = Listener::bind(&name).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
            }
            let error = listener.accept_timeout(Duration::ZERO).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "nobody connected: {error}");
            let _client = Stream::connect(&name).unwrap();
            listener.accept().unwrap();
        }
    });
}

#[test]
fn name_is_free_again_when_its_listener_is_dropped() {
    in_time(|| {
        for name in both_names() {
            let _quiet = no_child_is_started();
            for _ in 0..3 {
                let listener = Listener::bind(&name).unwrap();
                let _client = Stream::connect(&name).unwrap();
                drop(listener);
                let error = Stream::connect(&name).unwrap_err();
                assert!(
                    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused),
                    "{error}"
                );
                #[cfg(unix)]
                assert!(!std::path::Path::new(&*name).exists());
            }
        }
    });
}

/// Every error of creating a listener and of connecting.
fn errors_of(name: &str) -> [io::Error; 2] {
    [Listener::bind(name).unwrap_err(), Stream::connect(name).unwrap_err()]
}

#[test]
fn name_that_is_too_long_is_refused_with_the_limit_and_the_length() {
    let (prefixes, limit) = if cfg!(windows) {
        (["@", r"\\.\pipe\"], 256)
    } else if cfg!(any(
        target_os = "linux",
        target_os = "android",
        target_os = "illumos",
        target_os = "solaris"
    )) {
        (["@", "/"], 107)
    } else {
        (["@", "/"], 103)
    };
    for prefix in prefixes {
        let fill = |len: usize| format!("{prefix}{}", "x".repeat(len - prefix.len()));
        // On Windows, the name that is too long is the path that the system sees; a `@` is not part of it.
        let in_front =
            if prefix == "@" { if cfg!(windows) { r"\\.\pipe\".len() } else { 0 } } else { prefix.len() };
        let own = |total: usize| fill(total - in_front + prefix.len());
        for error in errors_of(&own(limit + 1)) {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
            assert!(text.contains(&limit.to_string()), "{text}");
            assert!(text.contains(&(limit + 1).to_string()), "{text}");
            assert!(text.contains("xxxx"), "{text}");
        }
        if prefix == "@" && !cfg!(any(target_os = "linux", target_os = "android", windows)) {
            // A file in the runtime directory, whose path counts too.
            continue;
        }
        // The last that fits is no bad input. Nobody listens there.
        let error = Stream::connect(own(limit)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused), "{error}");
    }
}

#[test]
fn empty_name_and_name_with_nul_are_refused_with_what_is_wrong() {
    let assert_says = |error: io::Error, what: &str| {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    for name in ["", "@"] {
        for error in errors_of(name) {
            assert_says(error, "empty");
        }
    }
    for name in ["\0", "@\0", "@in\0between", "/tmp/in\0between", "\\\\.\\pipe\\in\0between"] {
        for error in errors_of(name) {
            assert!(!name.contains("between") || error.to_string().contains("between"), "{error}");
            assert_says(error, "NUL");
        }
    }
    assert_says("".to_fs_name::<GenericFilePath>().unwrap_err(), "empty");
    assert_says("".to_ns_name::<GenericNamespaced>().unwrap_err(), "empty");
    assert_says("in\0between".to_ns_name::<GenericNamespaced>().unwrap_err(), "NUL");
    assert_says(c"".to_ns_name::<GenericNamespaced>().unwrap_err(), "empty");
}

#[test]
fn every_error_of_bind_and_connect_says_which_name() {
    in_time(|| {
        for name in both_names() {
            let error = Stream::connect(&name).unwrap_err();
            assert!(error.to_string().contains(&*name), "{error}");
            let listener = Listener::bind(&name).unwrap();
            let error = Listener::bind(&name).unwrap_err();
            assert!(error.to_string().contains(&*name), "{error}");
            let error = ListenerOptions::new().name(&name).create_sync().unwrap_err();
            assert!(error.to_string().contains(&*name), "{error}");
            // And of accepting.
            let error = listener.accept_timeout(Duration::ZERO).unwrap_err();
            assert!(error.to_string().contains(&*name), "{error}");
        }
    });
}

#[test]
fn dead_and_live_names_are_errors_when_existing_ones_are_to_fail() {
    use interprocess::local_socket::ExistingName;
    in_time(|| {
        for name in [unique_name(), unique_path()] {
            let options = || ListenerOptions::new().name(&name).existing_name(ExistingName::Fail);
            let listener = options().reclaim_name(false).create_sync().unwrap();
            let error = options().create_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
            let leaves_a_file = listener.name().file().is_some();
            let _quiet = no_child_is_started();
            drop(listener);
            match options().create_sync() {
                Ok(_) => assert!(!leaves_a_file),
                Err(error) => {
                    assert!(leaves_a_file, "{error}");
                    assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
                    // The default takes it over, and cleans up.
                    drop(Listener::bind(&name).unwrap());
                    drop(options().create_sync().unwrap());
                }
            }
        }
    });
}

#[cfg(unix)]
mod unix {
    use crate::support::{Child, TempDir, in_time, no_child_is_started, say, unique_path};
    use interprocess::{
        ConnectWaitMode,
        local_socket::{ConnectOptions, ExistingName, Listener, ListenerOptions, Stream},
    };
    use std::{
        fs,
        io::ErrorKind,
        os::unix::{fs::symlink, net::UnixListener},
        path::Path,
        sync::{
            Barrier,
            atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
        },
        thread,
        time::Duration,
    };

    /// A socket file that nobody listens on.
    fn leave_dead(path: &Path) {
        drop(UnixListener::bind(path).unwrap());
        assert!(path.exists());
    }

    #[test]
    fn of_many_who_take_over_a_dead_name_one_succeeds() {
        in_time(|| {
            let name = unique_path();
            let _quiet = no_child_is_started();
            for _ in 0..100 {
                leave_dead(name.as_ref());
                let together = Barrier::new(6);
                let compete = || {
                    together.wait();
                    Listener::bind(&name)
                };
                let results: Vec<_> = thread::scope(|scope| {
                    let threads: Vec<_> = (0..6).map(|_| scope.spawn(compete)).collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
                });
                let mut winner = None;
                for result in results {
                    match result {
                        Ok(listener) => assert!(winner.replace(listener).is_none(), "two have the name"),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}"),
                    }
                }
                let winner = winner.expect("nobody has the name");
                let _client = Stream::connect(&name).unwrap();
                winner.accept().unwrap();
            }
        });
    }

    /// A dead socket whose file is not ours to judge: bound, but not listening.
    #[test]
    fn socket_that_is_bound_and_does_not_listen_is_alive() {
        let name = unique_path();
        let _bound = std::os::unix::net::UnixDatagram::bind(&*name).unwrap();
        let error = Listener::bind(&name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
        assert!(Path::new(&*name).exists());
    }

    #[test]
    fn what_is_no_socket_is_never_replaced() {
        let dir = TempDir::new();
        let (file, folder, fifo) = (dir.join("file"), dir.join("folder"), dir.join("fifo"));
        fs::write(&file, "precious").unwrap();
        fs::create_dir(&folder).unwrap();
        let fifo_as_c = std::ffi::CString::new(fifo.to_str().unwrap()).unwrap();
        // SAFETY: a string that ends with NUL.
        assert_eq!(unsafe { libc::mkfifo(fifo_as_c.as_ptr(), 0o600) }, 0);
        let live = dir.join("live");
        let _listener = Listener::bind(&live).unwrap();
        leave_dead(&dir.join("dead"));
        let mut paths = vec![(file, "regular file"), (folder, "directory"), (fifo, "FIFO")];
        for target in ["file", "folder", "live", "dead", "missing"] {
            let link = dir.join(format!("link to {target}"));
            symlink(dir.join(target), &link).unwrap();
            paths.push((link, "symbolic link"));
        }
        let list = || {
            let mut list: Vec<_> = fs::read_dir(&*dir)
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| (entry.file_name(), entry.file_type().unwrap()))
                .collect();
            list.sort_by(|one, other| one.0.cmp(&other.0));
            list
        };
        let before = list();
        for (path, what) in paths {
            for existing in [ExistingName::Fail, ExistingName::TakeOverIfDead, ExistingName::Steal] {
                let error =
                    ListenerOptions::new().name(&path).existing_name(existing).create_sync().unwrap_err();
                let text = error.to_string();
                assert_eq!(error.kind(), ErrorKind::AddrInUse, "{text}");
                assert!(text.contains(path.to_str().unwrap()), "{text}");
                assert!(text.contains(what), "{text}");
                assert!(list() == before, "{text}, but it was touched");
            }
        }
        assert_eq!(fs::read_to_string(dir.join("file")).unwrap(), "precious");
        Stream::connect(&live).unwrap();
    }

    fn steal(path: &str) -> Listener {
        ListenerOptions::new().name(path).existing_name(ExistingName::Steal).create_sync().unwrap()
    }

    #[test]
    fn displaced_listener_leaves_its_successors_file() {
        in_time(|| {
            let name = unique_path();
            let first = Listener::bind(&name).unwrap();
            let second = steal(&name);
            drop(first);
            let _client = Stream::connect(&name).unwrap();
            second.accept().unwrap();
            // What somebody else put in place of ours is theirs too, be it a socket or not.
            fs::remove_file(&*name).unwrap();
            fs::write(&*name, "another's").unwrap();
            drop(second);
            assert_eq!(fs::read_to_string(&*name).unwrap(), "another's");
        });
    }

    #[test]
    fn stolen_name_is_never_without_a_listener() {
        in_time(|| {
            let name = unique_path();
            let mut listeners = vec![Listener::bind(&name).unwrap()];
            let connected = AtomicU64::new(0);
            let is_over = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !is_over.load(SeqCst) {
                            let options =
                                ConnectOptions::new().name(&name).wait_mode(ConnectWaitMode::Deferred);
                            match options.connect_sync() {
                                Ok(_) => {}
                                // Nobody accepts: sooner or later a queue is full, which is no gap.
                                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                                Err(error) => {
                                    is_over.store(true, SeqCst);
                                    panic!("a gap: {error}");
                                }
                            }
                            connected.fetch_add(1, SeqCst);
                        }
                    });
                }
                for _ in 0..200 {
                    let before = connected.load(SeqCst);
                    while connected.load(SeqCst) < before + 3 && !is_over.load(SeqCst) {
                        thread::yield_now();
                    }
                    listeners.push(steal(&name));
                }
                is_over.store(true, SeqCst);
            });
            assert_eq!(fs::read_dir(name.dir()).unwrap().count(), 1, "nothing else is left");
            drop(listeners);
            assert_eq!(fs::read_dir(name.dir()).unwrap().count(), 0, "the last one cleans up");
        });
    }

    /// Arguments: a path. Listens there, and forks a process that drops its copy of the listener.
    pub(super) fn fork(arguments: &[String]) {
        let listener = Listener::bind(&arguments[0]).unwrap();
        // SAFETY: the other threads of this process sleep or wait, so that the new one, which has none of them, finds no lock held.
        // It only drops the listener, and ends without running anything else.
        match unsafe { libc::fork() } {
            -1 => panic!("{}", std::io::Error::last_os_error()),
            0 => {
                drop(listener);
                // SAFETY: ends the process.
                unsafe { libc::_exit(0) }
            }
            child => {
                let mut status = -1;
                // SAFETY: the status is ours to write to.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert_eq!(status, 0);
            }
        }
        let _client = Stream::connect(&arguments[0]).unwrap();
        listener.accept().unwrap();
        say("the name is there");
    }

    #[test]
    fn forked_child_does_not_remove_its_parents_name() {
        in_time(|| {
            let name = unique_path();
            let child = Child::start("fork", &[&name]);
            child.expect("the name is there");
            child.finish();
            assert!(!Path::new(&*name).exists(), "its owner does");
        });
    }

    /// Everybody who may read the directory can hold the lock: it must neither be waited for without end, nor keep us from a name
    /// that is free, nor be done without.
    #[test]
    fn lock_that_another_process_holds_is_waited_for_to_a_limit() {
        in_time(|| {
            let name = unique_path();
            let quiet = no_child_is_started();
            let dir = fs::File::open(name.dir()).unwrap();
            rustix::fs::flock(&dir, rustix::fs::FlockOperation::LockExclusive).unwrap();
            let options = || ListenerOptions::new().name(&name).max_spin_time(Duration::from_millis(20));
            drop(options().create_sync().unwrap());
            let _ = fs::remove_file(&*name);
            leave_dead(name.as_ref());
            for existing in [ExistingName::TakeOverIfDead, ExistingName::Steal] {
                let error = options().existing_name(existing).create_sync().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                assert!(error.to_string().contains(&*name), "{error}");
            }
            rustix::fs::flock(&dir, rustix::fs::FlockOperation::Unlock).unwrap();
            options().max_spin_time(Duration::from_secs(30)).create_sync().unwrap();
            drop(quiet);
        });
    }
}
