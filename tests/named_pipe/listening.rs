//! Listeners: whose the name is, how many get in, who waits and for how long, and how connecting fails.

use crate::support::{Child, ChildFunction, LIMIT, hear, in_time, is_wine, say, unique, within};
use interprocess::{
    ConnectWaitMode,
    os::windows::named_pipe::{
        DuplexPipeStream, PipeConnectOptions, PipeDirection, PipeListener, PipeListenerOptions, PipeMode,
        PipeStream, PipeStreamRole, WaitTimeout,
        pipe_mode::{Bytes, Messages, PipeModeTag},
    },
};
use std::{
    ffi::OsString,
    io::{self, ErrorKind, Write},
    num::NonZeroU8,
    os::windows::ffi::OsStringExt,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

type Listener = PipeListener<Bytes, Bytes>;
type Stream = DuplexPipeStream<Bytes>;

pub(crate) const CHILDREN: [(&str, ChildFunction); 1] = [("create_at_command", create_at_command)];

/// The path of a pipe that nobody else uses.
pub(crate) fn unique_path() -> String {
    format!(r"\\.\pipe\{}", unique())
}

pub(crate) fn options(path: &str) -> PipeListenerOptions {
    PipeListenerOptions::new().path(path)
}

fn listen(path: &str) -> Listener {
    options(path).create_duplex().unwrap()
}

fn limited(path: &str, limit: u8) -> Listener {
    options(path).instance_limit(NonZeroU8::new(limit)).create_duplex().unwrap()
}

fn connect(path: &str) -> Stream {
    connect_within(path, LIMIT).unwrap()
}

fn connect_within(path: &str, timeout: Duration) -> io::Result<Stream> {
    Stream::connect_by_path_with_wait_mode(path, ConnectWaitMode::Timeout(timeout))
}

/// Connects if an instance is free at this moment.
fn connect_now(path: &str) -> io::Result<Stream> {
    Stream::connect_by_path_with_wait_mode(path, ConnectWaitMode::Deferred)
}

/// The error is of this kind and says this path.
#[track_caller]
fn check(error: &io::Error, kind: ErrorKind, path: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(path), "it does not say {path}: {error}");
}

/// A client that wants both directions is refused. (Wine lets it in.)
#[track_caller]
fn refuses_duplex(path: &str) {
    if !is_wine() {
        check(&Stream::connect_by_path(path).unwrap_err(), ErrorKind::PermissionDenied, path);
    }
}

/// Whether the two are ends of one connection that works.
#[track_caller]
fn check_pair(server: &Stream, client: &Stream) {
    let mut buf = [0; 8];
    client.send(b"question").unwrap();
    assert_eq!((server.recv(&mut buf).unwrap(), &buf), (8, b"question"));
    server.send(b"answer").unwrap();
    assert_eq!((client.recv(&mut buf).unwrap(), &buf[..6]), (6, &b"answer"[..]));
}

/// Creates a listener when it is told to, and drops it when it is told to.
fn create_at_command(arguments: &[String]) {
    say("ready");
    while hear().is_some() {
        let created = options(&arguments[0]).create_duplex::<Bytes>();
        match &created {
            Ok(_) => say("won"),
            Err(error) => say(format_args!("{:?} {error}", error.kind())),
        }
        hear();
        drop(created);
        say("dropped");
    }
}

#[test]
fn of_two_threads_that_create_one_pipe_exactly_one_wins() {
    in_time(|| {
        const ROUNDS: usize = 100;
        let path = unique_path();
        let together = Barrier::new(2);
        let wins = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for round in 0..ROUNDS {
                        together.wait();
                        let created = options(&path).create_duplex::<Bytes>();
                        match &created {
                            Ok(_) => _ = wins.fetch_add(1, SeqCst),
                            Err(error) => check(error, ErrorKind::AddrInUse, &path),
                        }
                        together.wait();
                        assert_eq!(wins.load(SeqCst), round + 1);
                        drop(created);
                        together.wait();
                    }
                });
            }
        });
    });
}

#[test]
fn of_two_processes_that_create_one_pipe_exactly_one_wins() {
    in_time(|| {
        let path = unique_path();
        let mut children = [(); 2].map(|()| Child::start("create_at_command", &[&path]));
        for child in &children {
            child.expect("ready");
        }
        for _ in 0..30 {
            for child in &mut children {
                child.say("create");
            }
            let said = [children[0].hear(), children[1].hear()];
            assert_eq!(said.iter().filter(|line| *line == "won").count(), 1, "{said:?}");
            let lost = said.iter().find(|line| *line != "won").unwrap();
            assert!(lost.starts_with("AddrInUse") && lost.contains(&path), "{lost}");
            for child in &mut children {
                child.say("drop");
            }
            for child in &children {
                child.expect("dropped");
            }
        }
        children.into_iter().for_each(Child::finish);
    });
}

/// Nobody else can have the name while streams of a listener come and go.
fn rogue_never_gets_the_name(limit: Option<u8>, backlog: u32) {
    in_time(move || {
        const ROUNDS: usize = 100;
        let path = unique_path();
        let listener = options(&path)
            .instance_limit(limit.and_then(NonZeroU8::new))
            .backlog(backlog)
            .create_duplex::<Bytes>()
            .unwrap();
        let is_over = AtomicBool::new(false);
        let attempts = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(SeqCst) {
                    let error = options(&path).backlog(1).create_duplex::<Bytes>().unwrap_err();
                    check(&error, ErrorKind::AddrInUse, &path);
                    attempts.fetch_add(1, SeqCst);
                }
            });
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let client = connect(&path);
                    // Either end may be the first to go.
                    if round % 2 == 0 {
                        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 1);
                    }
                }
            });
            for _ in 0..ROUNDS {
                // To a client that has left, sending fails.
                let _ = listener.accept().unwrap().send(b"x");
            }
            while attempts.load(SeqCst) < 20 {
                thread::yield_now();
            }
            is_over.store(true, SeqCst);
        });
    });
}

#[test]
fn nobody_else_gets_the_name_between_two_accepts() {
    rogue_never_gets_the_name(None, 16);
}

#[test]
fn nobody_else_gets_the_name_between_two_accepts_when_one_instance_is_armed() {
    rogue_never_gets_the_name(None, 1);
}

#[test]
fn nobody_else_gets_the_name_when_the_only_instance_is_replaced() {
    rogue_never_gets_the_name(Some(1), 1);
}

#[test]
fn nobody_else_gets_the_name_when_one_of_two_instances_is_replaced() {
    rogue_never_gets_the_name(Some(2), 1);
    rogue_never_gets_the_name(Some(2), 16);
}

#[test]
fn at_the_limit_the_next_client_waits_outside_until_a_stream_is_dropped() {
    in_time(|| {
        for limit in [1, 2, 3] {
            let path = unique_path();
            let listener = limited(&path, limit);
            let mut pairs: Vec<_> = (0..limit)
                .map(|_| {
                    let client = connect_now(&path).unwrap();
                    (listener.accept().unwrap(), client)
                })
                .collect();
            for _ in 0..3 {
                check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
                let error = connect_within(&path, SHORT).unwrap_err();
                check(&error, ErrorKind::TimedOut, &path);
                drop(pairs.remove(0));
                let client = connect(&path);
                pairs.push((listener.accept().unwrap(), client));
            }
            for (server, client) in &pairs {
                check_pair(server, client);
            }
        }
    });
}

#[test]
fn clients_that_were_not_accepted_yet_count_for_the_limit() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 3);
        let clients = [(); 3].map(|()| connect_now(&path).unwrap());
        check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
        let servers = [(); 3].map(|()| listener.accept().unwrap());
        check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
        drop((clients, servers));
        connect(&path);
    });
}

#[test]
fn with_a_limit_and_a_smaller_backlog_all_get_in_but_no_more() {
    in_time(|| {
        let path = unique_path();
        let listener =
            options(&path).instance_limit(NonZeroU8::new(3)).backlog(1).create_duplex::<Bytes>().unwrap();
        for _ in 0..3 {
            let pairs = [(); 3].map(|()| {
                let client = connect(&path);
                check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
                (listener.accept().unwrap(), client)
            });
            check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
            drop(pairs);
        }
    });
}

#[test]
fn an_accept_that_waits_already_gets_the_client_that_a_dropped_stream_lets_in() {
    in_time(|| {
        for limit in [1, 2] {
            let path = unique_path();
            let listener = limited(&path, limit);
            let mut pairs: Vec<_> = (0..limit)
                .map(|_| {
                    let client = connect(&path);
                    (listener.accept().unwrap(), client)
                })
                .collect();
            for _ in 0..20 {
                let pair = thread::scope(|scope| {
                    let accepted = scope.spawn(|| listener.accept().unwrap());
                    let connected = scope.spawn(|| connect(&path));
                    check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
                    drop(pairs.remove(0));
                    (accepted.join().unwrap(), connected.join().unwrap())
                });
                check_pair(&pair.0, &pair.1);
                pairs.push(pair);
            }
        }
    });
}

#[test]
fn clients_that_keep_their_ends_do_not_keep_others_out() {
    // On Windows an instance lasts until both ends are closed.
    in_time(|| {
        for limit in [1, 2] {
            let path = unique_path();
            let listener = limited(&path, limit);
            let mut clients = Vec::new();
            for _ in 0..10 {
                clients.push(connect(&path));
                drop(listener.accept().unwrap());
            }
            clients.clear();
            let error = options(&path).create_duplex::<Bytes>().unwrap_err();
            check(&error, ErrorKind::AddrInUse, &path);
            let client = connect(&path);
            check_pair(&listener.accept().unwrap(), &client);
        }
    });
}

#[test]
fn a_stream_that_became_a_handle_does_not_cost_the_listener_its_name() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 1);
        for _ in 0..3 {
            let client = connect(&path);
            let handle = std::os::windows::io::OwnedHandle::from(listener.accept().unwrap());
            drop((handle, client));
            let error = options(&path).create_duplex::<Bytes>().unwrap_err();
            check(&error, ErrorKind::AddrInUse, &path);
        }
    });
}

#[test]
fn many_threads_never_exceed_the_limit() {
    in_time(|| {
        const LIMIT: u8 = 3;
        const CLIENTS: usize = 60;
        let path = unique_path();
        let listener = limited(&path, LIMIT);
        let (inside, accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for server in listener.incoming() {
                        let server = server.unwrap();
                        let now = inside.fetch_add(1, SeqCst) + 1;
                        assert!(now <= LIMIT.into(), "{now} clients at once");
                        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
                        inside.fetch_sub(1, SeqCst);
                        drop(server);
                        if accepted.fetch_add(1, SeqCst) + 1 == CLIENTS {
                            listener.stop();
                        }
                    }
                });
            }
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..CLIENTS / 6 {
                        let client = connect(&path);
                        client.send(b"x").unwrap();
                        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 0);
                    }
                });
            }
        });
    });
}

#[test]
fn a_limit_of_254_is_possible_and_255_is_not() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 254);
        let client = connect(&path);
        check_pair(&listener.accept().unwrap(), &client);
        let path = unique_path();
        let options = options(&path).instance_limit(NonZeroU8::MAX);
        check(&options.create_duplex::<Bytes>().unwrap_err(), ErrorKind::InvalidInput, &path);
        options.instance_limit(None).create_duplex::<Bytes>().unwrap();
    });
}

#[test]
fn streams_of_a_limited_listener_outlive_it_and_keep_the_name() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 2);
        let client = connect(&path);
        let server = listener.accept().unwrap();
        drop(listener);
        check_pair(&server, &client);
        let error = options(&path).create_duplex::<Bytes>().unwrap_err();
        check(&error, ErrorKind::AddrInUse, &path);
        drop((server, client));
        listen(&path);
    });
}

#[test]
fn a_stream_that_was_dropped_counts_until_its_write_in_flight_has_arrived() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 1);
        for _ in 0..3 {
            let client = connect(&path);
            let server = listener.accept().unwrap();
            server.set_nonblocking(true).unwrap();
            let mut sent = 0;
            loop {
                match server.send(&vec![7; 50_000]) {
                    Ok(len) => sent += len,
                    Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            drop(server);
            check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
            let mut buf = vec![0; 50_000];
            while sent > 0 {
                sent -= client.recv(&mut buf).unwrap();
            }
            assert_eq!(client.recv(&mut buf).unwrap(), 0);
            let client = connect(&path);
            check_pair(&listener.accept().unwrap(), &client);
        }
    });
}

#[test]
fn a_client_that_leaves_with_a_write_in_flight_to_it_makes_room() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 1);
        for _ in 0..10 {
            let client = connect(&path);
            let server = listener.accept().unwrap();
            server.set_nonblocking(true).unwrap();
            while server.send(&vec![7; 50_000]).is_ok() {}
            drop(server);
            drop(client);
        }
        let client = connect(&path);
        check_pair(&listener.accept().unwrap(), &client);
    });
}

#[test]
fn a_thousand_clients_that_connect_and_leave_at_once_never_wedge_accept() {
    within(LIMIT * 2, || {
        const CLIENTS: usize = 1000;
        for limit in [None, NonZeroU8::new(2)] {
            let path = unique_path();
            let listener = options(&path).instance_limit(limit).create_duplex::<Bytes>().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..CLIENTS {
                        connect(&path);
                    }
                });
                for _ in 0..CLIENTS {
                    assert_eq!(listener.accept().unwrap().recv(&mut [0; 8]).unwrap(), 0);
                }
            });
            let client = connect(&path);
            check_pair(&listener.accept().unwrap(), &client);
        }
    });
}

#[test]
fn what_a_client_sent_that_left_before_it_was_accepted_is_there() {
    in_time(|| {
        let path = unique_path();
        let listener = listen(&path);
        for number in 0..5 {
            connect(&path).send(&[number]).unwrap();
        }
        let mut seen: Vec<_> = (0..5)
            .map(|_| {
                let (server, mut buf) = (listener.accept().unwrap(), [0; 8]);
                assert_eq!(server.recv(&mut buf).unwrap(), 1);
                assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
                buf[0]
            })
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn as_many_clients_as_the_backlog_says_connect_without_accept() {
    in_time(|| {
        for backlog in [1, 5, 30] {
            let path = unique_path();
            let listener = options(&path).backlog(backlog).create_duplex::<Bytes>().unwrap();
            let clients: Vec<_> = (0..backlog).map(|_| connect_now(&path).unwrap()).collect();
            assert_eq!(clients[0].information().unwrap().instances, backlog);
            check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
            let server = listener.accept().unwrap();
            let client = connect_now(&path).unwrap();
            check(&connect_now(&path).unwrap_err(), ErrorKind::WouldBlock, &path);
            drop((server, client));
        }
        let path = unique_path();
        let _none_is_one = options(&path).backlog(0).create_duplex::<Bytes>().unwrap();
        let _client = connect_now(&path).unwrap();
        connect_now(&path).unwrap_err();
    });
}

#[test]
fn accept_waits_no_longer_than_it_is_told() {
    in_time(|| {
        let path = unique_path();
        let listener = listen(&path);
        let start = Instant::now();
        check(&listener.accept_timeout(SHORT).unwrap_err(), ErrorKind::TimedOut, &path);
        assert!(start.elapsed() >= SHORT);
        check(&listener.accept_timeout(Duration::ZERO).unwrap_err(), ErrorKind::TimedOut, &path);
        let client = connect(&path);
        check_pair(&listener.accept_timeout(Duration::ZERO).unwrap(), &client);
        let client = connect(&path);
        check_pair(&listener.accept_timeout(Duration::MAX).unwrap(), &client);
    });
}

#[test]
fn a_nonblocking_listener_says_at_once_that_there_is_nobody_and_gives_nonblocking_streams() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).nonblocking(true).create_duplex::<Bytes>().unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(listener.accept_timeout(LIMIT).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(listener.incoming().next().unwrap().unwrap_err().kind(), ErrorKind::WouldBlock);
        let _client = connect(&path);
        let server = listener.accept().unwrap();
        assert!(server.is_nonblocking().unwrap());
        assert_eq!(server.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        listener.set_nonblocking(false).unwrap();
        let client = connect(&path);
        let server = listener.accept().unwrap();
        assert!(!server.is_nonblocking().unwrap());
        check_pair(&server, &client);
        check(&listener.accept_timeout(SHORT).unwrap_err(), ErrorKind::TimedOut, &path);
    });
}

#[test]
fn stopping_wakes_all_who_wait_in_accept_and_ends_iterators_but_keeps_the_name() {
    in_time(|| {
        for limit in [None, NonZeroU8::new(1)] {
            let path = unique_path();
            let listener = options(&path).instance_limit(limit).create_duplex::<Bytes>().unwrap();
            // With the limit, nobody is armed.
            let pair = (connect(&path), listener.accept().unwrap());
            thread::scope(|scope| {
                let waiting = [(); 3].map(|()| scope.spawn(|| listener.accept().unwrap_err()));
                let iterating = scope.spawn(|| listener.incoming().count());
                let in_time = scope.spawn(|| listener.accept_timeout(LIMIT).unwrap_err());
                thread::sleep(SHORT);
                listener.stop();
                for error in waiting.into_iter().chain([in_time]).map(|thread| thread.join().unwrap()) {
                    check(&error, ErrorKind::BrokenPipe, &path);
                }
                assert_eq!(iterating.join().unwrap(), 0);
            });
            check(&listener.accept().unwrap_err(), ErrorKind::BrokenPipe, &path);
            assert!(listener.incoming().next().is_none() && (&listener).into_iter().next().is_none());
            let error = options(&path).create_duplex::<Bytes>().unwrap_err();
            check(&error, ErrorKind::AddrInUse, &path);
            drop(pair);
            check(&listener.accept().unwrap_err(), ErrorKind::BrokenPipe, &path);
        }
    });
}

#[test]
fn stopping_at_any_moment_is_seen() {
    in_time(|| {
        for round in 0..100 {
            let path = unique_path();
            let listener = options(&path).backlog(2).create_duplex::<Bytes>().unwrap();
            thread::scope(|scope| {
                let accepted = scope.spawn(|| listener.incoming().map(Result::unwrap).count());
                scope.spawn(|| {
                    for _ in 0..round % 4 {
                        let _ = connect_now(&path);
                    }
                });
                for _ in 0..round {
                    thread::yield_now();
                }
                listener.stop();
                assert!(accepted.join().unwrap() <= 3);
            });
        }
    });
}

#[test]
fn each_of_many_threads_that_accept_gets_a_client_of_its_own() {
    in_time(|| {
        const CLIENTS: usize = 50;
        let path = unique_path();
        let listener = options(&path).backlog(2).create_duplex::<Bytes>().unwrap();
        let (sender, seen) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (sender, listener) = (sender.clone(), &listener);
                scope.spawn(move || {
                    let (server, mut buf) = (listener.accept().unwrap(), [0; 8]);
                    assert_eq!(server.recv(&mut buf).unwrap(), 1);
                    sender.send(buf[0]).unwrap();
                });
            }
            for number in 0..CLIENTS {
                connect(&path).send(&[u8::try_from(number).unwrap()]).unwrap();
            }
        });
        drop(sender);
        let mut seen: Vec<_> = seen.iter().collect();
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..u8::try_from(CLIENTS).unwrap()), "{seen:?}");
    });
}

#[test]
fn a_listener_outlives_the_thread_that_made_it_and_those_that_accepted() {
    in_time(|| {
        for limit in [None, NonZeroU8::new(2)] {
            let path = unique_path();
            let made = options(&path).instance_limit(limit);
            let (give, take) = mpsc::channel();
            let (end, ends) = mpsc::channel();
            let maker = thread::spawn(move || {
                give.send(Arc::new(made.create_duplex::<Bytes>().unwrap())).unwrap();
                ends.recv().unwrap();
            });
            let listener = take.recv().unwrap();
            thread::scope(|scope| {
                // One that waits already when the thread ends.
                let accepted = scope.spawn(|| listener.accept().unwrap());
                thread::sleep(SHORT);
                end.send(()).unwrap();
                maker.join().unwrap();
                thread::sleep(SHORT);
                let client = connect(&path);
                check_pair(&accepted.join().unwrap(), &client);
            });
            for _ in 0..5 {
                let listener = Arc::clone(&listener);
                let client = connect(&path);
                let server = thread::spawn(move || listener.accept().unwrap()).join().unwrap();
                check_pair(&server, &client);
            }
        }
    });
}

#[test]
fn clients_that_were_not_accepted_see_the_end_when_the_listener_is_dropped() {
    in_time(|| {
        let path = unique_path();
        let listener = listen(&path);
        let clients = [connect(&path), connect(&path)];
        let reader = clients[0].try_clone().unwrap();
        let reader = thread::spawn(move || reader.recv(&mut [0; 8]));
        drop(listener);
        assert_eq!(reader.join().unwrap().unwrap(), 0);
        for client in &clients {
            assert_eq!(client.recv(&mut [0; 8]).unwrap(), 0);
            assert_eq!(client.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        drop(clients);
        check(&connect_now(&path).unwrap_err(), ErrorKind::NotFound, &path);
        listen(&path);
    });
}

#[test]
fn connecting_to_what_is_not_there_says_so_and_what_it_was() {
    in_time(|| {
        let path = unique_path();
        for wait_mode in
            [ConnectWaitMode::Unbounded, ConnectWaitMode::Deferred, ConnectWaitMode::Timeout(SHORT)]
        {
            let error = Stream::connect_by_path_with_wait_mode(&path, wait_mode).unwrap_err();
            check(&error, ErrorKind::NotFound, &path);
        }
        let options = PipeConnectOptions::new().path(&path).wait_for_server(true);
        let error =
            options.clone().wait_mode(ConnectWaitMode::Deferred).connect::<Bytes, Bytes>().unwrap_err();
        check(&error, ErrorKind::NotFound, &path);
        let start = Instant::now();
        let error = options.wait_mode(ConnectWaitMode::Timeout(SHORT)).connect::<Bytes, Bytes>().unwrap_err();
        check(&error, ErrorKind::TimedOut, &path);
        assert!(start.elapsed() >= SHORT);
    });
}

#[test]
fn a_client_can_wait_for_a_server_that_comes_later() {
    in_time(|| {
        let path = unique_path();
        for wait_mode in [ConnectWaitMode::Unbounded, ConnectWaitMode::Timeout(LIMIT)] {
            thread::scope(|scope| {
                let options =
                    PipeConnectOptions::new().path(&path).wait_for_server(true).wait_mode(wait_mode);
                let connected = scope.spawn(move || options.connect::<Bytes, Bytes>().unwrap());
                thread::sleep(SHORT);
                let listener = listen(&path);
                let server = listener.accept().unwrap();
                check_pair(&server, &connected.join().unwrap());
            });
        }
    });
}

#[test]
fn a_client_that_waits_for_an_instance_learns_that_the_pipe_ceased() {
    in_time(|| {
        let path = unique_path();
        let listener = limited(&path, 1);
        let pair = (connect(&path), listener.accept().unwrap());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Stream::connect_by_path(&path).unwrap_err());
            check(&connect_within(&path, SHORT).unwrap_err(), ErrorKind::TimedOut, &path);
            drop((listener, pair));
            check(&waiting.join().unwrap(), ErrorKind::NotFound, &path);
        });
    });
}

#[test]
fn a_host_that_does_not_exist_is_not_found() {
    in_time(|| {
        let error = Stream::connect_to_remote("name", "interprocess-no-such-host.invalid").unwrap_err();
        check(&error, ErrorKind::NotFound, r"\\interprocess-no-such-host.invalid\pipe\name");
    });
}

#[test]
fn what_is_no_path_of_a_pipe_is_refused_by_both_sides() {
    let long = format!(r"\\.\pipe\{}", "x".repeat(256));
    for path in [
        "",
        "name",
        r"\",
        r"\\",
        r"\\.",
        r"\\.\",
        r"\\.\pipe",
        r"\\.\pipe\",
        r"\\.\pipes\x",
        r"\pipe\x",
        r"\\\pipe\x",
        r"C:\pipe\x",
        r"\\.\mailslot\x",
        r"\\host\mailslot\x",
        r"\\host\share\x",
        r"\\.\C:\x",
        r"\\.\pipe\..\C:\x",
        r"\\.\pipe\x\..\..\C:\x",
        r"\\?\pipe\..\C:\x",
        r"\\?\pipe\x\..\y",
        "\\\\.\\pipe\\a\0b",
        "\\\\.\\pipe\\a\0",
        "\0",
        &long,
    ] {
        let error = connect_now(path).unwrap_err();
        check(&error, ErrorKind::InvalidInput, path);
        let error = options(path).create_duplex::<Bytes>().unwrap_err();
        check(&error, ErrorKind::InvalidInput, path);
    }
    for error in [
        PipeConnectOptions::new().connect::<Bytes, Bytes>().unwrap_err(),
        PipeListenerOptions::new().create_duplex::<Bytes>().unwrap_err(),
        Stream::connect("").unwrap_err(),
        Stream::connect_to_remote("x", "").unwrap_err(),
        PipeListenerOptions::new().name("").create_duplex::<Bytes>().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    // There is no listening on another machine.
    let path = format!(r"\\host\pipe\{}", unique());
    check(&options(&path).create_duplex::<Bytes>().unwrap_err(), ErrorKind::InvalidInput, &path);
}

#[test]
fn a_path_that_is_no_unicode_works_like_any_other() {
    in_time(|| {
        let path = OsString::from_wide(
            &unique_path().encode_utf16().chain([0xd800, u16::from(b'x')]).collect::<Vec<_>>(),
        );
        let listener = PipeListenerOptions::new().path(&path).create_duplex::<Bytes>().unwrap();
        assert_eq!(listener.path(), path);
        let client = Stream::connect_by_path(&path).unwrap();
        check_pair(&listener.accept().unwrap(), &client);
    });
}

#[test]
fn the_longest_path_works() {
    in_time(|| {
        let mut path = unique_path();
        path.extend(std::iter::repeat_n('x', 256 - path.len()));
        let listener = listen(&path);
        let client = connect(&path);
        check_pair(&listener.accept().unwrap(), &client);
    });
}

#[test]
fn names_and_paths_mean_the_same_pipe() {
    in_time(|| {
        let name = unique();
        let path = format!(r"\\.\pipe\{name}");
        let listener = PipeListenerOptions::new().name(&name).create_duplex::<Bytes>().unwrap();
        assert_eq!(listener.path(), &*path);
        let slashes = path.replace('\\', "/");
        for path in [&*path, &path.to_uppercase(), &slashes, &format!(r"\\?\pipe\{name}")] {
            let client = connect_within(path, LIMIT).unwrap_or_else(|error| panic!("{path}: {error}"));
            check_pair(&listener.accept().unwrap(), &client);
        }
        let connected: [io::Result<Stream>; 4] = [
            Stream::connect(&name),
            Stream::connect_to_remote(&name, "."),
            PipeConnectOptions::new().name(&name).connect(),
            PipeConnectOptions::new().name_on(".", &name).connect(),
        ];
        for client in connected {
            check_pair(&listener.accept().unwrap(), &client.unwrap());
        }
        // The last one counts.
        let options = PipeConnectOptions::new().path("nonsense").name_on("nonsense", "x").name(&name);
        let client = options.connect().unwrap();
        check_pair(&listener.accept().unwrap(), &client);
        let error = Stream::connect("a b").unwrap_err();
        check(&error, ErrorKind::NotFound, r"\\.\pipe\a b");
    });
}

#[test]
fn a_listener_knows_its_path_and_shows_it() {
    fn is_send_and_sync<T: Send + Sync + Unpin>(_: &T) {}

    let path = unique_path();
    let listener = listen(&path);
    assert_eq!(listener.path(), &*path);
    assert!(format!("{listener:?}").contains("PipeListener"), "{listener:?}");
    is_send_and_sync(&listener);
}

#[test]
fn a_stream_outlives_its_listener_and_the_name_is_free_after_both() {
    in_time(|| {
        let path = unique_path();
        let listener = listen(&path);
        let mut client = connect(&path);
        let server = listener.accept().unwrap();
        drop(listener);
        check_pair(&server, &client);
        client.write_all(b"last").unwrap();
        drop(client);
        let mut buf = [0; 8];
        assert_eq!(server.recv(&mut buf).unwrap(), 4);
        assert_eq!(server.recv(&mut buf).unwrap(), 0);
        drop(server);
        listen(&path);
    });
}

#[test]
fn each_direction_and_mode_of_a_listener_connects() {
    use interprocess::os::windows::named_pipe::pipe_mode::None;

    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_recv_only::<Bytes>().unwrap();
        let client = PipeStream::<None, Bytes>::connect_by_path(&path).unwrap();
        let server = listener.accept().unwrap();
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
        assert_eq!(server.information().unwrap().direction, PipeDirection::ClientToServer);
        refuses_duplex(&path);

        let path = unique_path();
        let listener = options(&path).create_send_only::<Messages>().unwrap();
        let client = PipeStream::<Messages, None>::connect_by_path(&path).unwrap();
        let server = listener.accept().unwrap();
        server.send(b"message").unwrap();
        assert_eq!(client.recv_msg(&mut Vec::new()).unwrap(), Some(7));
        assert_eq!(client.information().unwrap().direction, PipeDirection::ServerToClient);
        assert_eq!(client.information().unwrap().mode, PipeMode::Messages);
        refuses_duplex(&path);

        let path = unique_path();
        let listener = options(&path).create::<Bytes, Messages>().unwrap();
        let client = PipeStream::<Messages, Bytes>::connect_by_path(&path).unwrap();
        let server = listener.accept().unwrap();
        server.send(b"message").unwrap();
        client.send(b"bytes").unwrap();
        assert_eq!(client.recv_msg(&mut Vec::new()).unwrap(), Some(7));
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 5);
    });
}

#[test]
fn a_pipe_that_ceases_at_that_moment_is_in_use_and_nothing_else() {
    in_time(|| {
        let path = unique_path();
        let created = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        match options(&path).backlog(1).create_duplex::<Bytes>() {
                            Ok(_) => _ = created.fetch_add(1, SeqCst),
                            Err(error) => check(&error, ErrorKind::AddrInUse, &path),
                        }
                    }
                });
            }
        });
        assert_ne!(created.load(SeqCst), 0);
    });
}

#[test]
fn a_server_that_leaves_at_once_is_the_end_of_the_stream_and_no_error_of_connecting() {
    fn leave_at_once<M: PipeModeTag>(leave: fn(PipeStream<M, M>)) {
        const CLIENTS: usize = 100;
        let path = unique_path();
        let listener = options(&path).create_duplex::<M>().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..CLIENTS {
                    leave(listener.accept().unwrap());
                }
            });
            for _ in 0..CLIENTS {
                let options = PipeConnectOptions::new().path(&path).require_same_user(true);
                let client = options.connect::<M, M>().unwrap();
                drop(client);
            }
        });
    }

    in_time(|| {
        leave_at_once::<Bytes>(drop);
        leave_at_once::<Messages>(drop);
    });
}

#[test]
fn wait_timeouts_convert() {
    for (timeout, raw) in [
        (WaitTimeout::DEFAULT, 0),
        (WaitTimeout::default(), 0),
        (WaitTimeout::MIN, 1),
        (WaitTimeout::MAX, u32::MAX - 1),
        (WaitTimeout::FOREVER, u32::MAX),
        (WaitTimeout::from_raw(0), 0),
        (WaitTimeout::from_raw(7), 7),
        (WaitTimeout::from_raw(u32::MAX), u32::MAX),
        (WaitTimeout::from_millis_clamped(0), 1),
        (WaitTimeout::from_millis_clamped(7), 7),
        (WaitTimeout::from_millis_clamped(u32::MAX), u32::MAX - 1),
        (WaitTimeout::from_duration_clamped(Duration::ZERO), 1),
        (WaitTimeout::from_duration_clamped(Duration::from_micros(999)), 1),
        (WaitTimeout::from_duration_clamped(Duration::from_micros(2999)), 2),
        (WaitTimeout::from_duration_clamped(Duration::from_millis(u64::from(u32::MAX))), u32::MAX - 1),
        (WaitTimeout::from_duration_clamped(Duration::from_millis((1 << 32) + 5)), u32::MAX - 1),
        (WaitTimeout::from_duration_clamped(Duration::MAX), u32::MAX - 1),
    ] {
        assert_eq!((timeout.to_raw(), u32::from(timeout)), (raw, raw), "{timeout:?}");
    }
}

#[test]
fn every_wait_timeout_is_taken() {
    in_time(|| {
        for timeout in [
            WaitTimeout::DEFAULT,
            WaitTimeout::MIN,
            WaitTimeout::MAX,
            WaitTimeout::FOREVER,
            WaitTimeout::from_raw(7),
        ] {
            let path = unique_path();
            let listener = options(&path).wait_timeout(timeout).create_duplex::<Bytes>().unwrap();
            let client = connect(&path);
            check_pair(&listener.accept().unwrap(), &client);
        }
    });
}

#[test]
fn modes_directions_and_roles_convert() {
    use {
        PipeDirection::{ClientToServer, Duplex, ServerToClient},
        PipeStreamRole::{Recver, RecverAndSender, Sender},
    };

    for (direction, constant, server, client) in [
        (ClientToServer, 1, Recver, Sender),
        (ServerToClient, 2, Sender, Recver),
        (Duplex, 3, RecverAndSender, RecverAndSender),
    ] {
        assert_eq!((u32::from(direction), PipeDirection::try_from(constant)), (constant, Ok(direction)));
        assert_eq!((direction.server_role(), direction.client_role()), (server, client));
        assert_eq!((server.direction_as_server(), client.direction_as_client()), (direction, direction));
    }
    for constant in [0, 4, u32::MAX] {
        assert_eq!(PipeDirection::try_from(constant), Err(()));
    }
    // PIPE_TYPE_* and PIPE_READMODE_*.
    for (mode, pipe_type, read_mode) in [(PipeMode::Bytes, 0, 0), (PipeMode::Messages, 4, 2)] {
        assert_eq!((mode.to_pipe_type(), mode.to_readmode()), (pipe_type, read_mode));
        assert_eq!((PipeMode::try_from(pipe_type), PipeMode::try_from(read_mode)), (Ok(mode), Ok(mode)));
    }
    for constant in [1, 3, 6, u32::MAX] {
        assert_eq!(PipeMode::try_from(constant), Err(()));
    }
}

/// The same on each runtime.
#[cfg(any(feature = "smol", feature = "tokio"))]
mod on_runtimes {
    use super::*;
    use interprocess::runtime::{Async, Runtime};
    use std::{
        future::{Future, poll_fn},
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    type AsyncListener<R> = Async<Listener, R>;
    type AsyncStream<R> = Async<Stream, R>;
    type Connecting<R> = Pin<Box<dyn Future<Output = io::Result<AsyncStream<R>>>>>;

    trait Executor: 'static {
        type R: Runtime;

        fn block_on<T>(future: impl Future<Output = T>) -> T;
        fn listen(options: &PipeListenerOptions) -> AsyncListener<Self::R>;
        fn connect(options: PipeConnectOptions) -> Connecting<Self::R>;
    }

    #[cfg(feature = "tokio")]
    struct OnTokio;

    #[cfg(feature = "tokio")]
    impl Executor for OnTokio {
        type R = interprocess::runtime::Tokio;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap()
                .block_on(future)
        }

        fn listen(options: &PipeListenerOptions) -> AsyncListener<Self::R> {
            options.create_tokio_duplex().unwrap()
        }

        fn connect(options: PipeConnectOptions) -> Connecting<Self::R> {
            Box::pin(async move { options.connect_tokio().await })
        }
    }

    #[cfg(feature = "smol")]
    struct OnSmol;

    #[cfg(feature = "smol")]
    impl Executor for OnSmol {
        type R = interprocess::runtime::Smol;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            async_io::block_on(future)
        }

        fn listen(options: &PipeListenerOptions) -> AsyncListener<Self::R> {
            options.create_smol_duplex().unwrap()
        }

        fn connect(options: PipeConnectOptions) -> Connecting<Self::R> {
            Box::pin(async move { options.connect_smol().await })
        }
    }

    macro_rules! on_each_runtime {
        ($($test:ident)*) => {$(
            #[test]
            fn $test() {
                #[cfg(feature = "tokio")]
                in_time(tests::$test::<OnTokio>);
                #[cfg(feature = "smol")]
                in_time(tests::$test::<OnSmol>);
            }
        )*};
    }

    on_each_runtime! {
        a_task_that_accepts_gets_the_client_that_a_dropped_stream_lets_in
        at_the_limit_a_task_that_connects_waits_as_long_as_it_is_told
        a_thousand_clients_that_connect_and_leave_at_once_never_wedge_a_task_that_accepts
        stopping_wakes_tasks_that_accept
        of_two_tasks_that_accept_each_gets_a_client
        an_accept_that_is_given_up_loses_no_client
        a_task_that_accepts_is_woken_though_the_thread_that_made_the_listener_has_ended
        errors_of_tasks_name_the_path
    }

    mod tests {
        use super::*;

        /// Both at once.
        async fn both<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
            let (mut first, mut second) = (pin!(first), pin!(second));
            let (mut of_first, mut of_second) = (None, None);
            poll_fn(|cx| {
                if of_first.is_none() {
                    if let Poll::Ready(result) = first.as_mut().poll(cx) {
                        of_first = Some(result);
                    }
                }
                if of_second.is_none() {
                    if let Poll::Ready(result) = second.as_mut().poll(cx) {
                        of_second = Some(result);
                    }
                }
                if of_first.is_some() && of_second.is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            (of_first.unwrap(), of_second.unwrap())
        }

        fn to(path: &str) -> PipeConnectOptions {
            PipeConnectOptions::new().path(path).wait_mode(ConnectWaitMode::Timeout(LIMIT))
        }

        pub(super) fn a_task_that_accepts_gets_the_client_that_a_dropped_stream_lets_in<E: Executor>() {
            E::block_on(async {
                for limit in [1, 2] {
                    let path = unique_path();
                    let listener = E::listen(&options(&path).instance_limit(NonZeroU8::new(limit)));
                    let mut pairs = Vec::new();
                    for _ in 0..limit {
                        pairs.push(both(listener.accept(), E::connect(to(&path))).await);
                    }
                    for round in 0..10 {
                        let mut entering = pin!(both(listener.accept(), E::connect(to(&path))));
                        let mut cx = Context::from_waker(Waker::noop());
                        // Now the task waits already.
                        assert!(entering.as_mut().poll(&mut cx).is_pending());
                        let dropped = pairs.remove(0);
                        if round % 2 == 0 {
                            // From another thread.
                            thread::spawn(|| drop(dropped)).join().unwrap();
                        } else {
                            drop(dropped);
                        }
                        let pair = entering.await;
                        let (server, client) = (pair.0.as_ref().unwrap(), pair.1.as_ref().unwrap());
                        client.send(b"x").await.unwrap();
                        assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 1);
                        pairs.push(pair);
                    }
                }
            });
        }

        pub(super) fn at_the_limit_a_task_that_connects_waits_as_long_as_it_is_told<E: Executor>() {
            E::block_on(async {
                let path = unique_path();
                let listener = E::listen(&options(&path).instance_limit(NonZeroU8::new(1)));
                let _pair = both(listener.accept(), E::connect(to(&path))).await;
                let error = E::connect(to(&path).wait_mode(ConnectWaitMode::Deferred)).await.unwrap_err();
                check(&error, ErrorKind::WouldBlock, &path);
                let start = Instant::now();
                let error =
                    E::connect(to(&path).wait_mode(ConnectWaitMode::Timeout(SHORT))).await.unwrap_err();
                check(&error, ErrorKind::TimedOut, &path);
                assert!(start.elapsed() >= SHORT);
            });
        }

        pub(super) fn a_thousand_clients_that_connect_and_leave_at_once_never_wedge_a_task_that_accepts<
            E: Executor,
        >() {
            const CLIENTS: usize = 1000;
            let path = unique_path();
            E::block_on(async {
                let listener = E::listen(&options(&path));
                let clients = thread::spawn({
                    let path = path.clone();
                    move || (0..CLIENTS).for_each(|_| drop(connect(&path)))
                });
                for _ in 0..CLIENTS {
                    let server = listener.accept().await.unwrap();
                    assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 0);
                }
                clients.join().unwrap();
            });
        }

        pub(super) fn stopping_wakes_tasks_that_accept<E: Executor>() {
            let path = unique_path();
            E::block_on(async {
                let listener = Arc::new(E::listen(&options(&path)));
                let stopper = thread::spawn({
                    let listener = Arc::clone(&listener);
                    move || {
                        thread::sleep(SHORT);
                        listener.stop();
                    }
                });
                let (first, second) = both(listener.accept(), listener.accept()).await;
                check(&first.unwrap_err(), ErrorKind::BrokenPipe, &path);
                check(&second.unwrap_err(), ErrorKind::BrokenPipe, &path);
                stopper.join().unwrap();
                check(&listener.accept().await.unwrap_err(), ErrorKind::BrokenPipe, &path);
            });
        }

        pub(super) fn of_two_tasks_that_accept_each_gets_a_client<E: Executor>() {
            E::block_on(async {
                let path = unique_path();
                let listener = E::listen(&options(&path).backlog(1));
                for _ in 0..30 {
                    let accepted = both(listener.accept(), listener.accept());
                    let connected = both(E::connect(to(&path)), E::connect(to(&path)));
                    let (servers, clients) = both(accepted, connected).await;
                    for client in [clients.0.unwrap(), clients.1.unwrap()] {
                        client.send(b"x").await.unwrap();
                    }
                    for server in [servers.0.unwrap(), servers.1.unwrap()] {
                        assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 1);
                    }
                }
            });
        }

        pub(super) fn an_accept_that_is_given_up_loses_no_client<E: Executor>() {
            E::block_on(async {
                let path = unique_path();
                let listener = E::listen(&options(&path).instance_limit(NonZeroU8::new(1)));
                for _ in 0..30 {
                    {
                        let mut given_up = pin!(listener.accept());
                        let mut cx = Context::from_waker(Waker::noop());
                        assert!(given_up.as_mut().poll(&mut cx).is_pending());
                    }
                    let client = E::connect(to(&path)).await.unwrap();
                    client.send(b"x").await.unwrap();
                    let server = listener.accept().await.unwrap();
                    assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 1);
                }
            });
        }

        pub(super) fn a_task_that_accepts_is_woken_though_the_thread_that_made_the_listener_has_ended<
            E: Executor,
        >() {
            E::block_on(async {
                let path = unique_path();
                let (give, take) = mpsc::channel();
                let (end, ends) = mpsc::channel::<()>();
                let made = options(&path);
                let maker = thread::spawn(move || {
                    give.send(made.create_duplex::<Bytes>().unwrap()).unwrap();
                    let _ = ends.recv();
                });
                let listener = AsyncListener::<E::R>::try_from(take.recv().unwrap()).unwrap();
                let ender = thread::spawn({
                    let path = path.clone();
                    move || {
                        thread::sleep(SHORT);
                        drop(end);
                        maker.join().unwrap();
                        thread::sleep(SHORT);
                        connect(&path).send(b"x").unwrap();
                    }
                });
                let server = listener.accept().await.unwrap();
                assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 1);
                ender.join().unwrap();
            });
        }

        pub(super) fn errors_of_tasks_name_the_path<E: Executor>() {
            E::block_on(async {
                let path = unique_path();
                let error = E::connect(to(&path)).await.unwrap_err();
                check(&error, ErrorKind::NotFound, &path);
                let waiting = to(&path).wait_for_server(true).wait_mode(ConnectWaitMode::Timeout(SHORT));
                check(&E::connect(waiting).await.unwrap_err(), ErrorKind::TimedOut, &path);
                let error = E::connect(to("nonsense")).await.unwrap_err();
                check(&error, ErrorKind::InvalidInput, "nonsense");
                let _listener = E::listen(&options(&path));
            });
        }
    }
}
