//! Connecting.

use crate::support::{LIMIT, TestName, both_names, in_time, no_child_is_started};
use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener, Stream},
};
use std::{
    io::{self, ErrorKind, Read, Write},
    thread,
    time::{Duration, Instant},
};

fn connect(name: &TestName, wait_mode: ConnectWaitMode) -> io::Result<Stream> {
    ConnectOptions::new().name(name).wait_mode(wait_mode).connect_sync()
}

/// A listener that has no room for another client, and the clients that took it.
#[cfg(any(target_os = "linux", target_os = "android", windows))]
fn full_listener(name: &TestName) -> (Listener, Vec<Stream>) {
    let listener =
        interprocess::local_socket::ListenerOptions::new().name(name).backlog(1).create_sync().unwrap();
    let mut clients = Vec::new();
    let error = loop {
        match connect(name, ConnectWaitMode::Deferred) {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
        assert!(clients.len() < 10, "it never gets full");
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    assert!(error.to_string().contains(&**name), "{error}");
    (listener, clients)
}

/// The hazard: it is taken for a connection in progress, and fails when it is used.
#[test]
#[cfg(any(target_os = "linux", target_os = "android", windows))]
fn connection_that_is_not_there_is_never_passed_off_as_one() {
    in_time(|| {
        for name in both_names() {
            let (listener, clients) = full_listener(&name);
            for _ in 0..3 {
                assert_eq!(
                    connect(&name, ConnectWaitMode::Deferred).unwrap_err().kind(),
                    ErrorKind::WouldBlock
                );
            }
            // Those that were given out are connections.
            for mut client in clients {
                client.write_all(b"x").unwrap();
                let mut byte = [0];
                listener.accept().unwrap().read_exact(&mut byte).unwrap();
                assert_eq!(&byte, b"x");
            }
            let error = listener.accept_timeout(Duration::ZERO).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "the refused ones are not in the queue: {error}");
        }
    });
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android", windows))]
fn full_listener_is_waited_for_to_a_deadline() {
    in_time(|| {
        for name in both_names() {
            let (_listener, _clients) = full_listener(&name);
            for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(100)] {
                let start = Instant::now();
                let error = connect(&name, ConnectWaitMode::Timeout(timeout)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                assert!(error.to_string().contains(&*name), "{error}");
                // Clocks are coarse.
                assert!(start.elapsed() + Duration::from_millis(20) >= timeout);
                assert!(start.elapsed() < LIMIT / 2);
            }
        }
    });
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android", windows))]
fn client_that_waits_gets_the_first_free_slot() {
    in_time(|| {
        for name in both_names() {
            for wait_mode in [
                ConnectWaitMode::Timeout(LIMIT * 2),
                ConnectWaitMode::Timeout(Duration::MAX),
                ConnectWaitMode::Unbounded,
            ] {
                let (listener, clients) = full_listener(&name);
                thread::scope(|scope| {
                    let (started, has_started) = std::sync::mpsc::channel();
                    let late = scope.spawn(|| {
                        let started = started;
                        started.send(()).unwrap();
                        let mut stream = connect(&name, wait_mode).unwrap();
                        // The time to connect was not one to send or to receive.
                        assert_eq!(stream.send_timeout().unwrap(), None);
                        assert_eq!(stream.recv_timeout().unwrap(), None);
                        assert!(!stream.is_nonblocking().unwrap());
                        stream.write_all(b"late").unwrap();
                    });
                    has_started.recv().unwrap();
                    for _ in &clients {
                        listener.accept().unwrap();
                    }
                    let mut text = String::new();
                    listener.accept().unwrap().read_to_string(&mut text).unwrap();
                    assert_eq!(text, "late");
                    late.join().unwrap();
                });
                let _quiet = no_child_is_started();
                drop(listener);
            }
        }
    });
}

#[test]
fn nonblocking_stream_is_what_was_asked_for_in_every_wait_mode() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let wait_modes =
                [ConnectWaitMode::Deferred, ConnectWaitMode::Timeout(LIMIT), ConnectWaitMode::Unbounded];
            for wait_mode in wait_modes {
                for nonblocking in [false, true] {
                    let options = ConnectOptions::new().name(&name).wait_mode(wait_mode);
                    let stream = options.nonblocking_stream(nonblocking).connect_sync().unwrap();
                    assert_eq!(stream.is_nonblocking().unwrap(), nonblocking);
                    listener.accept().unwrap();
                }
            }
        }
    });
}

#[test]
fn server_that_is_not_up_is_an_error_at_once_by_default() {
    in_time(|| {
        for name in both_names() {
            for wait_mode in
                [ConnectWaitMode::Deferred, ConnectWaitMode::Timeout(LIMIT), ConnectWaitMode::Unbounded]
            {
                let error = connect(&name, wait_mode).unwrap_err();
                assert!(
                    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused),
                    "{error}"
                );
            }
        }
    });
}

#[test]
fn server_that_is_not_up_is_waited_for_when_asked_to() {
    in_time(|| {
        for name in both_names() {
            let options = || ConnectOptions::new().name(&name).wait_for_server(true);
            let start = Instant::now();
            let timeout = Duration::from_millis(30);
            let error = options().wait_mode(ConnectWaitMode::Timeout(timeout)).connect_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            assert!(error.to_string().contains(&*name), "{error}");
            assert!(start.elapsed() + Duration::from_millis(20) >= timeout);
            // Not waiting is stronger.
            let error = options().wait_mode(ConnectWaitMode::Deferred).connect_sync().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused), "{error}");

            for wait_mode in [ConnectWaitMode::Timeout(LIMIT * 2), ConnectWaitMode::Unbounded] {
                let listener = thread::scope(|scope| {
                    let (started, has_started) = std::sync::mpsc::channel();
                    let client = scope.spawn(|| {
                        let started = started;
                        started.send(()).unwrap();
                        options().wait_mode(wait_mode).connect_sync().unwrap();
                    });
                    has_started.recv().unwrap();
                    let listener = Listener::bind(&name).unwrap();
                    client.join().unwrap();
                    listener
                });
                let _quiet = no_child_is_started();
                drop(listener);
            }
        }
    });
}

#[test]
#[cfg(unix)]
fn server_is_waited_for_at_a_dead_name_too() {
    in_time(|| {
        let name = crate::support::unique_path();
        let quiet = no_child_is_started();
        drop(std::os::unix::net::UnixListener::bind(&*name).unwrap());
        drop(quiet);
        thread::scope(|scope| {
            let client = scope
                .spawn(|| ConnectOptions::new().name(&name).wait_for_server(true).connect_sync().unwrap());
            let _listener = Listener::bind(&name).unwrap();
            client.join().unwrap();
        });
    });
}

/// The hazard: on Windows they leave instances behind that can neither be connected to nor accepted.
#[test]
fn clients_that_leave_before_they_are_accepted_do_not_wedge_the_listener() {
    // Under Wine, each takes a millisecond.
    const CLIENTS: usize = if cfg!(windows) { 200 } else { 1000 };
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            // Before anybody accepts: no more than have room.
            for _ in 0..8 {
                Stream::connect(&name).unwrap();
            }
            thread::scope(|scope| {
                scope.spawn(|| {
                    for stream in &listener {
                        let mut stream = stream.unwrap();
                        let mut byte = [0];
                        if matches!(stream.read(&mut byte), Ok(1)) {
                            stream.write_all(&byte).unwrap();
                        }
                    }
                });
                for _ in 0..CLIENTS {
                    Stream::connect(&name).unwrap();
                }
                let mut client = Stream::connect(&name).unwrap();
                client.write_all(b"x").unwrap();
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                assert_eq!(&byte, b"x");
                listener.stop();
            });
        }
    });
}

#[test]
fn what_a_client_wrote_before_it_left_is_there_when_it_is_accepted() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            Stream::connect(&name).unwrap().write_all(b"from one who left").unwrap();
            let mut text = String::new();
            listener.accept().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "from one who left");
        }
    });
}
