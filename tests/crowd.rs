//! Many at once: thousands of clients, many threads that accept; and listeners that a service manager passes on.

mod support;

use interprocess::local_socket::{Listener, Stream};
use std::{
    io::{ErrorKind, Read, Write},
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use support::{Child, LIMIT, both_names, hear, in_time, say, unique_name};

/// How many connections are open at once. Under Wine each costs several milliseconds, as every call goes through one server
/// process, and under qemu, where the other processors run, every instruction is translated: a tenth shows the same.
const CROWD: usize = if cfg!(windows) {
    200
} else if cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
    5000
} else {
    500
};

/// How many processes the clients are in.
const PROCESSES: usize = 5;

#[test]
fn child_entry() {
    support::child_entry(&[
        ("serve_crowd", serve_crowd),
        ("be_crowd", be_crowd),
        #[cfg(unix)]
        ("be_activated", unix::be_activated),
    ]);
}

/// Lets this process have as many descriptors as it may.
fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Nofile).maximum;
        // macOS says that there is no limit, and then refuses that many.
        for current in [maximum, Some(10_240)] {
            if setrlimit(Resource::Nofile, Rlimit { current, maximum }).is_ok() {
                return;
            }
        }
    }
}

/// How many descriptors or handles this process has; where that is not told, none.
fn open_files() -> usize {
    #[cfg(windows)]
    {
        use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};
        let mut count = 0;
        // SAFETY: the handle of this process is always valid, and the count is ours to write to.
        let result = unsafe { GetProcessHandleCount(GetCurrentProcess(), &raw mut count) };
        assert_ne!(result, 0, "{}", std::io::Error::last_os_error());
        count as usize
    }
    #[cfg(not(windows))]
    {
        let folder =
            if cfg!(any(target_os = "linux", target_os = "android")) { "/proc/self/fd" } else { "/dev/fd" };
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

/// Arguments: a name, how many. Connects so often, says a number on each and waits for the answer; then stays.
fn be_crowd(arguments: &[String]) {
    raise_limit();
    let count: u32 = arguments[1].parse().unwrap();
    let mut streams = Vec::new();
    for number in 0..count {
        let mut stream = Stream::connect(&arguments[0]).unwrap();
        stream.write_all(&number.to_le_bytes()).unwrap();
        streams.push(stream);
    }
    for (number, stream) in (0..count).zip(&mut streams) {
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(u32::from_le_bytes(answer), !number);
    }
    say("all answered");
    hear();
}

/// Arguments: a name. In a process of its own, so that what is open in it is what this opens.
fn serve_crowd(arguments: &[String]) {
    raise_limit();
    let name = &arguments[0];
    let listener = Listener::bind(name).unwrap();
    let serve_one = || {
        let mut client = Stream::connect(name).unwrap();
        client.write_all(b"x").unwrap();
        let mut server = listener.accept().unwrap();
        server.read_exact(&mut [0]).unwrap();
    };
    serve_one();
    let before = open_files();

    let share = CROWD / PROCESSES;
    let mut children: Vec<_> =
        (0..PROCESSES).map(|_| Child::start("be_crowd", &[name, &share.to_string()])).collect();
    let mut streams: Vec<_> = (0..share * PROCESSES).map(|_| listener.accept().unwrap()).collect();
    for stream in &mut streams {
        let mut number = [0; 4];
        stream.read_exact(&mut number).unwrap();
        stream.write_all(&(!u32::from_le_bytes(number)).to_le_bytes()).unwrap();
    }
    for child in &children {
        child.expect("all answered");
    }
    assert!(streams.iter().all(|stream| !stream.is_peer_gone().unwrap()));
    serve_one();

    for child in &mut children {
        child.kill();
    }
    drop(children);
    for stream in &mut streams {
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        assert!(stream.is_peer_gone().unwrap());
    }
    drop(streams);
    let error = listener.accept_timeout(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "nobody is left: {error}");
    serve_one();
    let after = open_files();
    // Windows opens some for its own purposes.
    let slack = if cfg!(windows) { 32 } else { 0 };
    assert!(after <= before + slack, "{before} open files before, {after} after");
    drop(listener);
    assert!(Stream::connect(name).is_err());
    #[cfg(unix)]
    assert!(!std::path::Path::new(name).exists());
    say("nothing is left");
}

#[test]
fn crowd_is_answered_and_when_it_is_killed_nothing_is_left() {
    // The most work of all, under emulation.
    support::within(LIMIT * 3 / 2, || {
        for name in both_names() {
            let child = Child::start("serve_crowd", &[&name]);
            child.expect("nothing is left");
            child.finish();
        }
    });
}

#[test]
fn each_client_is_accepted_by_one_of_many_threads() {
    const CLIENTS: usize = if cfg!(windows) { 100 } else { 500 };
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let accepted = AtomicUsize::new(0);
            thread::scope(|scope| {
                for number in 0..8 {
                    let (listener, accepted) = (&listener, &accepted);
                    scope.spawn(move || {
                        loop {
                            // Some with a deadline and some without.
                            let stream = if number % 2 == 0 {
                                listener.accept()
                            } else {
                                listener.accept_timeout(LIMIT * 2)
                            };
                            let mut stream = match stream {
                                Ok(stream) => stream,
                                Err(error) if error.kind() == ErrorKind::BrokenPipe => return,
                                Err(error) => panic!("{error}"),
                            };
                            accepted.fetch_add(1, SeqCst);
                            stream.write_all(b"x").unwrap();
                        }
                    });
                }
                thread::scope(|clients| {
                    for _ in 0..4 {
                        clients.spawn(|| {
                            for _ in 0..CLIENTS / 4 {
                                let mut stream = Stream::connect(&name).unwrap();
                                stream.read_exact(&mut [0]).unwrap();
                                assert_eq!(stream.read(&mut [0]).unwrap(), 0);
                            }
                        });
                    }
                });
                listener.stop();
            });
            assert_eq!(accepted.into_inner(), CLIENTS / 4 * 4);
        }
    });
}

/// Waits on the listener in the ways that there are.
fn wait_to_be_stopped(listener: &Listener, way: usize) {
    let error = match way % 3 {
        0 => listener.accept().unwrap_err(),
        1 => listener.accept_timeout(LIMIT * 2).unwrap_err(),
        _ => return assert_eq!(listener.incoming().count(), 0),
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
}

/// All are woken for one client, and those who do not get it have their deadlines still.
#[test]
fn deadline_holds_for_threads_whose_client_another_thread_took() {
    const THREADS: usize = 4;
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            // It takes luck to meet one that has been woken and comes too late.
            for _ in 0..100 {
                let ready = Barrier::new(THREADS + 1);
                let accepted = thread::scope(|scope| {
                    let accept = || {
                        ready.wait();
                        match listener.accept_timeout(Duration::from_millis(4)) {
                            Ok(_) => 1,
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                                0
                            }
                        }
                    };
                    let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(accept)).collect();
                    ready.wait();
                    let _client = Stream::connect(&name).unwrap();
                    threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
                });
                // On a machine that is too busy, all may have given up before.
                let is_left = listener.accept_timeout(Duration::ZERO).is_ok();
                assert_eq!(accepted + usize::from(is_left), 1);
            }
        }
    });
}

#[test]
fn stopping_wakes_every_thread_that_accepts_and_is_for_good() {
    const THREADS: usize = 12;
    in_time(|| {
        for name in both_names() {
            // Whether they wait already when it comes, or are on their way, is up to the system: all cases are to occur.
            for round in 0..20 {
                let listener = Listener::bind(&name).unwrap();
                // One way alone, then all ways at once.
                let way = |number: usize| if round < 3 { round } else { number };
                let ready = Barrier::new(THREADS + 1);
                thread::scope(|scope| {
                    for number in 0..THREADS {
                        let (listener, ready) = (&listener, &ready);
                        let way = way(number);
                        scope.spawn(move || {
                            ready.wait();
                            wait_to_be_stopped(listener, way);
                        });
                    }
                    ready.wait();
                    listener.stop();
                    listener.stop();
                });
                for way in 0..3 {
                    wait_to_be_stopped(&listener, way);
                }
                let error = listener.accept_timeout(Duration::ZERO).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
                let _quiet = support::no_child_is_started();
                drop(listener);
            }
        }
    });
}

/// A thread that surely waits when the listener is stopped: it has been seen to sleep.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn accept_that_sleeps_is_woken_when_another_thread_stops_the_listener() {
    in_time(|| {
        for name in both_names() {
            for way in 0..3 {
                let listener = Listener::bind(&name).unwrap();
                thread::scope(|scope| {
                    let (thread, its_folder) = std::sync::mpsc::channel();
                    let listener = &listener;
                    scope.spawn(move || {
                        thread.send(std::fs::read_link("/proc/thread-self").unwrap()).unwrap();
                        drop(thread);
                        wait_to_be_stopped(listener, way);
                    });
                    let folder = its_folder.recv().unwrap();
                    // From here on, the only thing that it can sleep in is `accept`.
                    its_folder.recv().unwrap_err();
                    let stat = std::path::Path::new("/proc").join(folder).join("stat");
                    while !std::fs::read_to_string(&stat).unwrap().contains(") S ") {
                        thread::yield_now();
                    }
                    listener.stop();
                });
                let _quiet = support::no_child_is_started();
                drop(listener);
            }
        }
    });
}

#[test]
fn listener_serves_all_that_come_until_it_is_stopped() {
    in_time(|| {
        let name = unique_name();
        let listener = Listener::bind(&name).unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(|| listener.incoming().map(Result::unwrap).count());
            for _ in 0..10 {
                assert_eq!(Stream::connect(&name).unwrap().read(&mut [0]).unwrap(), 0);
            }
            listener.stop();
            assert_eq!(server.join().unwrap(), 10);
        });
    });
}

#[test]
#[cfg(windows)]
fn socket_activation_is_unsupported() {
    assert_eq!(Listener::from_activation(None).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::{
        fs::File,
        io,
        net::TcpListener,
        os::{
            fd::{AsFd, OwnedFd},
            unix::net::{UnixDatagram, UnixListener, UnixStream},
        },
        process::{Command, Stdio},
    };
    use support::unique_path;

    /// Arguments: what to do with what was passed, in order: "serve" a client of the only listener, or of the one "named" next;
    /// "stop" it; tell the "error".
    pub(super) fn be_activated(arguments: &[String]) {
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(what) = arguments.next() {
            let name = if what == "named" { arguments.next() } else { None };
            let listener = match Listener::from_activation(name) {
                Ok(listener) => listener,
                Err(error) => {
                    say(format!("{:?}: {error}", error.kind()));
                    continue;
                }
            };
            let flags = rustix::io::fcntl_getfd(listener.as_fd()).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC), "it is not passed on further");
            say(listener.name());
            if what == "stop" {
                thread::scope(|scope| {
                    let waiting = scope.spawn(|| listener.accept().unwrap_err());
                    listener.stop();
                    assert_eq!(waiting.join().unwrap().kind(), ErrorKind::BrokenPipe);
                });
                continue;
            }
            let mut stream = listener.accept().unwrap();
            let mut question = [0; 8];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(b"answer: ").unwrap();
            stream.write_all(&question).unwrap();
        }
    }

    /// Starts a child with `passed` as descriptor 3 and the variables of the protocol, which `environment` sets in the language
    /// of the shell: its `$$` is the child's process ID.
    fn activate(passed: OwnedFd, environment: &str, what: &[&str]) -> Child {
        let child = Child::command("be_activated", what);
        let mut command = Command::new("/bin/sh");
        // Inherited numbers are cleared away, so that nothing is open but what is passed.
        let script = format!(r#"exec 3<&0 </dev/null 4>&- 5>&-; {environment} exec "$0" "$@""#);
        command.arg("-c").arg(script).arg(child.get_program()).args(child.get_args());
        for (name, value) in child.get_envs() {
            command.env(name, value.unwrap());
        }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
            command.env_remove(name);
        }
        Child::spawn_with(&mut command, Stdio::from(passed))
    }

    fn ask(name: &str) -> String {
        let mut client = Stream::connect(name).unwrap();
        client.write_all(b"question").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    fn duplicate(fd: &impl AsFd) -> OwnedFd {
        fd.as_fd().try_clone_to_owned().unwrap()
    }

    #[test]
    fn listener_of_a_service_manager_serves_and_leaves_the_name() {
        in_time(|| {
            let name = unique_path();
            let manager = UnixListener::bind(&*name).unwrap();
            // Again and again, as after a restart.
            for what in ["serve", "serve"] {
                let child = activate(duplicate(&manager), "LISTEN_PID=$$ LISTEN_FDS=1", &[what]);
                child.expect(&name);
                assert_eq!(ask(&name), "answer: question");
                child.finish();
                assert!(std::path::Path::new(&*name).exists());
            }
            // It stops itself, not the service manager's socket.
            let child = activate(duplicate(&manager), "LISTEN_PID=$$ LISTEN_FDS=1", &["stop"]);
            child.expect(&name);
            child.finish();
            let _client = Stream::connect(&name).unwrap();
            manager.set_nonblocking(false).unwrap();
            manager.accept().unwrap();
        });
    }

    #[test]
    fn several_listeners_are_told_apart_by_name_and_given_out_once() {
        in_time(|| {
            let name = unique_path();
            let manager = UnixListener::bind(&*name).unwrap();
            let child = activate(
                manager.into(),
                "exec 4<&3; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:admin",
                &["error", "named", "admin", "named", "admin", "named", "missing", "named", "web", "error"],
            );
            let several = child.hear();
            assert!(several.starts_with("InvalidInput") && several.contains("several"), "{several}");
            child.expect(&name);
            assert_eq!(ask(&name), "answer: question");
            for missing in ["admin", "missing"] {
                let error = child.hear();
                assert!(error.starts_with("NotFound") && error.contains(missing), "{error}");
            }
            child.expect(&name);
            assert_eq!(ask(&name), "answer: question");
            let none = child.hear();
            assert!(none.starts_with("NotFound") && none.contains("left"), "{none}");
            child.finish();
        });
    }

    #[test]
    fn forged_activation_is_a_clear_error() {
        in_time(|| {
            let name = unique_path();
            let manager = UnixListener::bind(&*name).unwrap();
            let assert_says = |passed: OwnedFd, environment: &str, kind: ErrorKind, text: &str| {
                let child = activate(passed, environment, &["error"]);
                let error = child.hear();
                assert!(
                    error.starts_with(&format!("{kind:?}")) && error.contains(text),
                    "{environment}: {error}"
                );
                child.finish();
            };
            let cases = [
                ("", ErrorKind::NotFound, "LISTEN_PID"),
                ("LISTEN_PID=$$", ErrorKind::NotFound, "LISTEN_FDS"),
                ("LISTEN_FDS=1", ErrorKind::NotFound, "LISTEN_PID"),
                ("LISTEN_PID=1 LISTEN_FDS=1", ErrorKind::NotFound, "another process"),
                ("LISTEN_PID=$$ LISTEN_FDS=0", ErrorKind::NotFound, "no listener"),
                ("LISTEN_PID=me LISTEN_FDS=1", ErrorKind::InvalidData, "LISTEN_PID"),
                ("LISTEN_PID=$$ LISTEN_FDS=-1", ErrorKind::InvalidData, "LISTEN_FDS"),
                ("LISTEN_PID=$$ LISTEN_FDS=", ErrorKind::InvalidData, "LISTEN_FDS"),
                ("LISTEN_PID=$$ LISTEN_FDS=4294967295", ErrorKind::InvalidData, "LISTEN_FDS"),
                ("exec 3<&-; LISTEN_PID=$$ LISTEN_FDS=1", ErrorKind::InvalidData, "not open"),
                ("exec 3</dev/null; LISTEN_PID=$$ LISTEN_FDS=1", ErrorKind::InvalidData, "not a socket"),
            ];
            for (environment, kind, text) in cases {
                assert_says(duplicate(&manager), environment, kind, text);
            }
            let others: [(io::Result<OwnedFd>, &str); 4] = [
                (File::open("/").map(Into::into), "not a socket"),
                (UnixDatagram::unbound().map(Into::into), "not a stream socket"),
                (TcpListener::bind("127.0.0.1:0").map(Into::into), "not a local socket"),
                (UnixStream::pair().map(|(one, _)| one.into()), "does not listen"),
            ];
            for (passed, text) in others {
                assert_says(passed.unwrap(), "LISTEN_PID=$$ LISTEN_FDS=1", ErrorKind::InvalidData, text);
            }
        });
    }
}
