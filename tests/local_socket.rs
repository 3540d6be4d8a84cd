//! Blocking local sockets: what they do, over a name of each kind.

mod pattern;
mod support;

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        ConnectOptions, Incoming, Listener, ListenerNonblockingMode, ListenerOptions, Name, PeerCreds,
        RecvHalf, SendHalf, Stream, ToName,
    },
};
use pattern::{Numbers, Pattern};
use std::{
    collections::HashSet,
    fmt::Debug,
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    net::Shutdown,
    sync::{Arc, Barrier, mpsc},
    thread,
    time::{Duration, Instant},
};
#[cfg(unix)]
use support::unique_path;
use support::{Child, LIMIT, TestName, both_names, in_time, no_child_is_started, unique_name};

/// Long enough to be measured, short enough to be waited for.
const SHORT: Duration = Duration::from_millis(60);
/// What clocks and rounding may take away from a timeout.
const SLACK: Duration = Duration::from_millis(20);

/// How much a large transfer is.
const MUCH: usize = if cfg!(windows) { 4 << 20 } else { 64 << 20 };
/// Fits into the buffers of every OS.
const LITTLE: usize = 4096;

/// Runs a test with a name of each kind, within the limit.
#[track_caller]
fn with_each_name(test: impl Fn(&TestName) + Copy + Send + 'static) {
    for name in both_names() {
        in_time(move || test(&name));
    }
}

/// The two ends of a connection: the client's and the server's.
fn pair(name: &TestName) -> (Stream, Stream) {
    let listener = Listener::bind(name).unwrap();
    let client = Stream::connect(name).unwrap();
    (client, listener.accept().unwrap())
}

#[track_caller]
fn assert_fails<T: Debug>(result: io::Result<T>, kind: ErrorKind) {
    let error = result.expect_err("should have failed");
    assert_eq!(error.kind(), kind, "{error}");
}

/// The name is in the message as it is, or quoted.
#[track_caller]
fn assert_says(error: &io::Error, name: &TestName) {
    let message = error.to_string();
    assert!(message.contains(&**name) || message.contains(&format!("{:?}", &**name)), "{message}");
}

/// Runs what has to give up after [`SHORT`].
#[track_caller]
fn assert_times_out<T: Debug>(wait: impl FnOnce() -> io::Result<T>) {
    let start = Instant::now();
    assert_fails(wait(), ErrorKind::TimedOut);
    let took = start.elapsed();
    assert!(took + SLACK >= SHORT, "gave up after {took:?}");
    assert!(took < LIMIT / 2, "gave up only after {took:?}");
}

fn read_to_end(mut stream: &Stream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

#[test]
fn child_entry() {
    support::child_entry(&[("connect", connect_as_child), ("listen", listen_as_child)]);
}

/// Connects, says who the server is, and stays until it is told to go.
fn connect_as_child(arguments: &[String]) {
    let stream = Stream::connect(arguments[0].as_str()).unwrap();
    support::say(stream.peer_pid().map_or_else(|error| format!("{:?}", error.kind()), |pid| pid.to_string()));
    support::hear();
    drop(stream);
}

/// Listens, and stays until it is told to go.
fn listen_as_child(arguments: &[String]) {
    let listener = Listener::bind(arguments[0].as_str()).unwrap();
    support::say("listening");
    let stream = listener.accept().unwrap();
    support::hear();
    drop(stream);
}

#[test]
fn what_is_written_arrives_at_the_other_end_and_comes_back() {
    with_each_name(|name| {
        let (mut client, mut server) = pair(name);
        let mut buf = [0; 32];
        for round in 0..100 {
            let text = format!("message {round}");
            client.write_all(text.as_bytes()).unwrap();
            server.read_exact(&mut buf[..text.len()]).unwrap();
            assert_eq!(&buf[..text.len()], text.as_bytes());
            server.write_all(&buf[..text.len()]).unwrap();
            buf.fill(0);
            client.read_exact(&mut buf[..text.len()]).unwrap();
            assert_eq!(&buf[..text.len()], text.as_bytes());
        }
    });
}

#[test]
fn a_listener_serves_clients_that_were_there_before_it_accepted() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let clients: Vec<_> = (0..5_u8).map(|_| Stream::connect(name).unwrap()).collect();
        for (client, number) in clients.iter().zip(0..) {
            client.send(&[number]).unwrap();
        }
        let numbers: HashSet<u8> = (0..5)
            .map(|_| {
                let mut number = [0];
                listener.accept().unwrap().read_exact(&mut number).unwrap();
                number[0]
            })
            .collect();
        assert_eq!(numbers, HashSet::from([0, 1, 2, 3, 4]));
    });
}

#[test]
fn one_thread_reads_while_another_writes_through_the_same_stream() {
    with_each_name(|name| {
        let rounds = if cfg!(windows) { 50 } else { 500 };
        let (client, server) = pair(name);
        thread::scope(|scope| {
            // Asks, although the other thread is in the middle of reading the answers.
            let (answered, is_answered) = mpsc::channel();
            scope.spawn(|| {
                let client = &client;
                for round in 0..rounds {
                    let mut answer = [0; 4];
                    { client }.read_exact(&mut answer).unwrap();
                    assert_eq!(u32::from_le_bytes(answer), round);
                    answered.send(()).unwrap();
                }
                drop(answered);
            });
            scope.spawn(|| {
                for _ in 0..rounds {
                    let mut number = [0; 4];
                    (&server).read_exact(&mut number).unwrap();
                    (&server).write_all(&number).unwrap();
                }
            });
            for round in 0..rounds {
                (&client).write_all(&round.to_le_bytes()).unwrap();
                is_answered.recv().unwrap();
            }
        });
    });
}

#[test]
fn much_data_crosses_in_both_directions_at_once_in_odd_pieces() {
    fn send(stream: &Stream, seed: u32) {
        let (pattern, mut sizes) = (Pattern::new(seed), Numbers(seed));
        let mut sent = 0;
        while sent < MUCH {
            let piece = sizes.up_to(Pattern::LONGEST).min(MUCH - sent);
            sent += stream.send(pattern.at(sent, piece)).unwrap();
        }
    }
    fn receive(stream: &Stream, seed: u32) {
        let (pattern, mut sizes) = (Pattern::new(seed), Numbers(!seed));
        let mut buf = vec![0; Pattern::LONGEST];
        let mut received = 0;
        while received < MUCH {
            let room = sizes.up_to(Pattern::LONGEST);
            let len = stream.recv(&mut buf[..room]).unwrap();
            assert_ne!(len, 0, "ended after {received}");
            pattern.check(received, &buf[..len]);
            received += len;
        }
        assert_eq!(received, MUCH);
    }

    with_each_name(|name| {
        let (client, server) = pair(name);
        thread::scope(|scope| {
            scope.spawn(|| send(&client, 1));
            scope.spawn(|| receive(&server, 1));
            scope.spawn(|| send(&server, 2));
            scope.spawn(|| receive(&client, 2));
        });
    });
}

#[test]
fn vectored_calls_take_and_fill_the_buffers_in_order() {
    with_each_name(|name| {
        let (mut client, mut server) = pair(name);
        let pattern = Pattern::new(3);
        let sizes = [0, 1, 3, 5_000, 0, 70_000, 2];
        let total: usize = sizes.iter().sum();

        thread::scope(|scope| {
            scope.spawn(|| {
                let mut offset = 0;
                let mut parts: Vec<_> = sizes
                    .iter()
                    .map(|&size| {
                        offset += size;
                        IoSlice::new(pattern.at(offset - size, size))
                    })
                    .collect();
                let mut parts = parts.as_mut_slice();
                IoSlice::advance_slices(&mut parts, 0);
                while !parts.is_empty() {
                    let sent = client.write_vectored(parts).unwrap();
                    assert_ne!(sent, 0);
                    IoSlice::advance_slices(&mut parts, sent);
                }
            });
            let mut received = 0;
            while received < total {
                let (mut first, mut second, mut third) = ([0; 7], [0; 0], vec![0; 9_000]);
                let mut bufs =
                    [IoSliceMut::new(&mut second), IoSliceMut::new(&mut first), IoSliceMut::new(&mut third)];
                let len = server.read_vectored(&mut bufs).unwrap();
                assert_ne!(len, 0);
                let all = [&first[..], &third[..]].concat();
                pattern.check(received, &all[..len]);
                received += len;
            }
            assert_eq!(received, total);
        });
    });
}

#[test]
fn more_buffers_than_the_system_takes_at_once_are_no_error() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        let bytes = Pattern::new(4).at(0, 3_000).to_vec();
        let mut parts: Vec<_> = bytes.chunks(1).map(IoSlice::new).collect();
        let mut parts = parts.as_mut_slice();
        while !parts.is_empty() {
            let sent = client.send_vectored(parts).unwrap();
            IoSlice::advance_slices(&mut parts, sent);
        }
        drop(client);

        let mut received = Vec::new();
        loop {
            let mut buf = vec![0; 2_000];
            let mut parts: Vec<_> = buf.chunks_mut(1).map(IoSliceMut::new).collect();
            match server.recv_vectored(&mut parts).unwrap() {
                0 => break,
                len => received.extend_from_slice(&buf[..len]),
            }
        }
        assert!(received == bytes);
    });
}

#[test]
fn buffers_without_room_do_not_wait_and_mean_nothing_to_the_peer() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        // Nothing is there to read, so each of these would hang.
        assert_eq!(server.recv(&mut []).unwrap(), 0);
        assert_eq!(server.peek(&mut []).unwrap(), 0);
        assert_eq!(server.recv_vectored(&mut []).unwrap(), 0);
        assert_eq!(
            server.recv_vectored(&mut [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])]).unwrap(),
            0
        );

        assert_eq!(client.send(&[]).unwrap(), 0);
        assert_eq!(client.send_vectored(&[]).unwrap(), 0);
        assert_eq!(client.send_vectored(&[IoSlice::new(&[]), IoSlice::new(&[])]).unwrap(), 0);
        // An empty message is not the end of the stream.
        client.send(b"x").unwrap();
        let mut buf = [0; 8];
        assert_eq!(server.recv(&mut buf).unwrap(), 1);
        assert_eq!(buf[0], b'x');
    });
}

#[test]
fn halves_work_from_two_threads_and_become_one_stream_again() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        let (mut rh, mut sh) = client.split();
        let echo = thread::spawn(move || {
            let mut buf = [0; 4];
            (&server).read_exact(&mut buf).unwrap();
            (&server).write_all(&buf).unwrap();
            server
        });
        let reader = thread::spawn(move || {
            let mut buf = [0; 4];
            rh.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"ping");
            rh
        });
        sh.write_all(b"ping").unwrap();
        let (rh, server) = (reader.join().unwrap(), echo.join().unwrap());

        let whole = Stream::reunite(rh, sh).unwrap();
        whole.send(b"whole").unwrap();
        let mut buf = [0; 5];
        (&server).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"whole");
    });
}

#[test]
fn halves_of_different_streams_are_handed_back_and_still_work() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let connect = || (Stream::connect(name).unwrap(), listener.accept().unwrap());
        let ((one, its_peer), (other, other_peer)) = (connect(), connect());
        let ((receiver, its_sender), (its_receiver, sender)) = (one.split(), other.split());

        let error = Stream::reunite(receiver, sender).unwrap_err();
        assert_eq!(error.to_string(), "the two halves are not of one stream");
        let (receiver, sender) = (error.rh, error.sh);

        its_peer.send(b"1").unwrap();
        let mut buf = [0];
        (&receiver).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"1");
        (&sender).write_all(b"2").unwrap();
        (&other_peer).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"2");

        Stream::reunite(receiver, its_sender).unwrap();
        Stream::reunite(its_receiver, sender).unwrap();
    });
}

#[test]
fn the_connection_ends_when_both_halves_are_gone_and_not_before() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        let (rh, sh) = client.split();
        drop(rh);
        (&sh).write_all(b"still here").unwrap();
        assert!(!server.is_peer_gone().unwrap());
        drop(sh);
        assert_eq!(read_to_end(&server), b"still here");
    });
}

#[test]
fn timeouts_of_halves_are_those_of_the_stream() {
    with_each_name(|name| {
        let (client, _server) = pair(name);
        let (rh, sh) = client.split();
        rh.set_timeout(Some(SHORT)).unwrap();
        sh.set_timeout(Some(2 * SHORT)).unwrap();
        let stream: &Stream = rh.as_ref();
        assert_is_about(stream.recv_timeout().unwrap(), SHORT);
        assert_is_about(sh.as_ref().send_timeout().unwrap(), 2 * SHORT);
        assert_times_out(|| (&rh).read(&mut [0]));
        assert_fails(rh.set_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        assert_fails(sh.set_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_clone_is_the_same_connection_which_lives_until_the_last_is_dropped() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        let clone = client.try_clone().unwrap();
        client.send(b"a").unwrap();
        clone.send(b"b").unwrap();
        drop(client);
        clone.send(b"c").unwrap();
        server.send(b"d").unwrap();
        let mut buf = [0];
        assert_eq!(clone.recv(&mut buf).unwrap(), 1);
        assert_eq!(&buf, b"d");
        drop(clone);
        assert_eq!(read_to_end(&server), b"abc");
    });
}

#[test]
fn clones_share_modes_and_timeouts() {
    with_each_name(|name| {
        let (client, _server) = pair(name);
        let clone = client.try_clone().unwrap();

        client.set_nonblocking(true).unwrap();
        assert!(clone.is_nonblocking().unwrap());
        assert_fails(clone.recv(&mut [0]), ErrorKind::WouldBlock);
        // The one that learned of the mode is not the one that is asked.
        clone.set_nonblocking(false).unwrap();
        assert!(!client.is_nonblocking().unwrap());

        clone.set_recv_timeout(Some(SHORT)).unwrap();
        assert_is_about(client.recv_timeout().unwrap(), SHORT);
        assert_times_out(|| client.recv(&mut [0]));
        client.set_send_timeout(Some(SHORT)).unwrap();
        assert_is_about(clone.send_timeout().unwrap(), SHORT);
    });
}

#[test]
fn listener_and_stream_modes_are_independent_of_each_other() {
    for accept in [false, true] {
        for stream in [false, true] {
            let mode = ListenerNonblockingMode::from_bool(accept, stream);
            assert_eq!((mode.accept_nonblocking(), mode.stream_nonblocking()), (accept, stream));
            with_each_name(move |name| {
                let listener = ListenerOptions::new().name(name).nonblocking(mode).create_sync().unwrap();
                assert_mode(&listener, name, accept, stream);
            });
            with_each_name(move |name| {
                let listener = Listener::bind(name).unwrap();
                listener.set_nonblocking(ListenerNonblockingMode::Both).unwrap();
                listener.set_nonblocking(mode).unwrap();
                assert_mode(&listener, name, accept, stream);
            });
        }
    }
}

fn assert_mode(listener: &Listener, name: &TestName, accept: bool, stream: bool) {
    if accept {
        assert_fails(listener.accept(), ErrorKind::WouldBlock);
        assert_fails(listener.accept_timeout(LIMIT), ErrorKind::WouldBlock);
    } else {
        assert_times_out(|| listener.accept_timeout(SHORT));
    }
    let client = Stream::connect(name).unwrap();
    let server = listener.accept().unwrap();
    assert_eq!(server.is_nonblocking().unwrap(), stream);
    if stream {
        assert_fails(server.recv(&mut [0]), ErrorKind::WouldBlock);
        assert_fails(server.recv_vectored(&mut [IoSliceMut::new(&mut [0])]), ErrorKind::WouldBlock);
        assert_fails(server.peek(&mut [0]), ErrorKind::WouldBlock);
    } else {
        server.set_recv_timeout(Some(SHORT)).unwrap();
        assert_times_out(|| server.recv(&mut [0]));
        assert_times_out(|| server.recv_vectored(&mut [IoSliceMut::new(&mut [0])]));
        assert_times_out(|| server.peek(&mut [0]));
    }
    assert!(!client.is_nonblocking().unwrap());
}

#[test]
fn a_client_gets_the_mode_that_it_asks_for_however_it_waits() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        for wait_mode in [
            ConnectWaitMode::Deferred,
            ConnectWaitMode::Timeout(LIMIT),
            ConnectWaitMode::Timeout(Duration::MAX),
            ConnectWaitMode::Timeout(Duration::ZERO),
            ConnectWaitMode::Unbounded,
        ] {
            for nonblocking in [false, true] {
                let options =
                    ConnectOptions::new().name(name).wait_mode(wait_mode).nonblocking_stream(nonblocking);
                let client = options.connect_sync().unwrap();
                let server = listener.accept().unwrap();
                assert_eq!(client.is_nonblocking().unwrap(), nonblocking);
                // The timeout was for connecting alone.
                assert_eq!(client.send_timeout().unwrap(), None);
                assert_eq!(client.recv_timeout().unwrap(), None);
                if nonblocking {
                    assert_fails(client.recv(&mut [0]), ErrorKind::WouldBlock);
                }
                client.send(b"x").unwrap();
                assert_eq!(server.recv(&mut [0]).unwrap(), 1);
            }
        }
    });
}

#[test]
fn what_nonblocking_sends_accept_arrives_whole_and_the_rest_not_at_all() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        client.set_nonblocking(true).unwrap();
        let sent = fill(&client, ErrorKind::WouldBlock);
        drop(client);
        assert_holds(&read_to_end(&server), sent);
    });
}

#[test]
fn what_timed_out_sends_accepted_arrives_whole_and_the_rest_not_at_all() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        client.set_send_timeout(Some(SHORT)).unwrap();
        let sent = fill(&client, ErrorKind::TimedOut);
        assert_times_out(|| client.send(b"x"));
        assert_times_out(|| client.send_vectored(&[IoSlice::new(b"x")]));
        drop(client);
        assert_holds(&read_to_end(&server), sent);
    });
}

/// Sends the pattern until nothing more is taken, and says how much was.
fn fill(stream: &Stream, full: ErrorKind) -> usize {
    let pattern = Pattern::new(5);
    let mut sizes = Numbers(6);
    let mut sent = 0;
    loop {
        match stream.send(pattern.at(sent, sizes.up_to(Pattern::LONGEST))) {
            Ok(len) => {
                assert_ne!(len, 0);
                sent += len;
                assert!(sent < 1 << 30, "the buffer has no end");
            }
            Err(error) => {
                assert_eq!(error.kind(), full, "{error}");
                return sent;
            }
        }
    }
}

#[track_caller]
fn assert_holds(received: &[u8], sent: usize) {
    assert_eq!(received.len(), sent);
    Pattern::new(5).check(0, received);
}

#[test]
fn bytes_that_a_nonblocking_receive_did_not_find_yet_are_found_by_a_blocking_one() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        server.set_nonblocking(true).unwrap();
        for _ in 0..10 {
            assert_fails(server.recv(&mut [0; 3]), ErrorKind::WouldBlock);
        }
        client.send(b"abcdef").unwrap();
        server.set_nonblocking(false).unwrap();
        let mut buf = [0; 6];
        (&server).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"abcdef");
    });
}

#[test]
fn receiving_gives_up_after_its_timeout_and_works_again_afterwards() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        server.set_recv_timeout(Some(SHORT)).unwrap();
        assert_times_out(|| server.recv(&mut [0]));
        client.send(b"late").unwrap();
        let mut buf = [0; 4];
        (&server).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"late");
        assert_times_out(|| server.recv(&mut [0]));
    });
}

#[test]
fn accepting_gives_up_after_its_timeout_and_works_again_afterwards() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        assert_times_out(|| listener.accept_timeout(SHORT));
        // Zero is one look.
        assert_fails(listener.accept_timeout(Duration::ZERO), ErrorKind::TimedOut);
        let _client = Stream::connect(name).unwrap();
        listener.accept_timeout(Duration::ZERO).unwrap();
        let _client = Stream::connect(name).unwrap();
        listener.accept_timeout(LIMIT).unwrap();
        let _client = Stream::connect(name).unwrap();
        listener.accept().unwrap();
    });
}

#[test]
fn an_accept_that_waits_with_a_limit_is_ended_by_a_client() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        thread::scope(|scope| {
            for limit in [LIMIT, Duration::MAX] {
                let server = scope.spawn({
                    let listener = &listener;
                    move || listener.accept_timeout(limit)
                });
                let _client = Stream::connect(name).unwrap();
                server.join().unwrap().unwrap();
            }
        });
    });
}

/// A listener whose queue is full, and the clients in it.
fn full_listener(name: &TestName) -> (Listener, Vec<Stream>) {
    let listener = ListenerOptions::new().name(name).backlog(1).create_sync().unwrap();
    let options = ConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Deferred);
    let mut clients = Vec::new();
    loop {
        match options.connect_sync() {
            Ok(client) => clients.push(client),
            Err(error) => {
                let full =
                    if HAS_QUEUES_THAT_WAIT { ErrorKind::WouldBlock } else { ErrorKind::ConnectionRefused };
                assert_eq!(error.kind(), full, "{error}");
                assert!(!clients.is_empty());
                return (listener, clients);
            }
        }
        assert!(clients.len() < 100, "the queue has no end");
    }
}

/// Whether a client for whom there is no room waits. Elsewhere it is refused.
const HAS_QUEUES_THAT_WAIT: bool = cfg!(any(target_os = "linux", target_os = "android", windows));

#[test]
fn connecting_gives_up_after_its_timeout_when_there_is_no_room() {
    with_each_name(|name| {
        let (listener, clients) = full_listener(name);
        let options = ConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Timeout(SHORT));
        if HAS_QUEUES_THAT_WAIT {
            assert_times_out(|| options.connect_sync());
        }
        assert_times_out(|| options.wait_for_server(true).connect_sync());
        let options = ConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Timeout(Duration::ZERO));
        assert_fails(options.wait_for_server(true).connect_sync(), ErrorKind::TimedOut);

        // What was said to be connected is.
        for (client, number) in clients.iter().zip(0..) {
            client.send(&[number]).unwrap();
            let server = listener.accept().unwrap();
            let mut buf = [0xff];
            assert_eq!(server.recv(&mut buf).unwrap(), 1);
        }
    });
}

#[test]
fn a_client_for_whom_there_is_no_room_gets_its_turn() {
    with_each_name(|name| {
        let (listener, clients) = full_listener(name);
        for wait_mode in [ConnectWaitMode::Timeout(LIMIT), ConnectWaitMode::Unbounded] {
            thread::scope(|scope| {
                let options = ConnectOptions::new().name(name).wait_mode(wait_mode).wait_for_server(true);
                let late = scope.spawn(move || {
                    let late = options.connect_sync().unwrap();
                    late.send(b"late").unwrap();
                    late
                });
                let mut accepted = 0;
                loop {
                    let server = listener.accept().unwrap();
                    accepted += 1;
                    server.set_recv_timeout(Some(SHORT)).unwrap();
                    let mut buf = [0; 4];
                    if (&server).read_exact(&mut buf).is_ok() {
                        assert_eq!(&buf, b"late");
                        break;
                    }
                    assert!(accepted <= clients.len(), "the late one never came");
                }
                late.join().unwrap();
            });
        }
    });
}

#[test]
fn a_client_waits_for_a_server_that_is_not_up_yet_but_not_for_ever() {
    with_each_name(|name| {
        let options = ConnectOptions::new().name(name);
        let missing = options.connect_sync().unwrap_err();
        assert!(matches!(missing.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused), "{missing}");
        assert_says(&missing, name);

        let options = options.wait_for_server(true).wait_mode(ConnectWaitMode::Timeout(SHORT));
        assert_times_out(|| options.connect_sync());

        let options = options.wait_mode(ConnectWaitMode::Timeout(LIMIT));
        thread::scope(|scope| {
            let client = scope.spawn(|| options.connect_sync().unwrap());
            let server = Listener::bind(name).unwrap().accept().unwrap();
            server.send(b"x").unwrap();
            assert_eq!(client.join().unwrap().recv(&mut [0]).unwrap(), 1);
        });
    });
}

/// The system may have rounded it up.
#[track_caller]
fn assert_is_about(timeout: Option<Duration>, wanted: Duration) {
    let timeout = timeout.expect("a timeout");
    assert!(timeout >= wanted && timeout <= wanted + SLACK, "{timeout:?}");
}

#[test]
fn timeouts_can_be_read_back_and_taken_away() {
    with_each_name(|name| {
        let (client, _server) = pair(name);
        assert_eq!(client.recv_timeout().unwrap(), None);
        assert_eq!(client.send_timeout().unwrap(), None);
        client.set_recv_timeout(Some(Duration::from_millis(1500))).unwrap();
        client.set_send_timeout(Some(Duration::from_secs(7))).unwrap();
        assert_is_about(client.recv_timeout().unwrap(), Duration::from_millis(1500));
        assert_is_about(client.send_timeout().unwrap(), Duration::from_secs(7));
        // The least that there is must not become "for ever".
        client.set_recv_timeout(Some(Duration::from_nanos(1))).unwrap();
        assert!(client.recv_timeout().unwrap().is_some());
        assert_fails(client.recv(&mut [0]), ErrorKind::TimedOut);

        client.set_recv_timeout(None).unwrap();
        client.set_send_timeout(None).unwrap();
        assert_eq!(client.recv_timeout().unwrap(), None);
        assert_eq!(client.send_timeout().unwrap(), None);
    });
}

#[test]
fn a_timeout_of_zero_is_refused_and_changes_nothing() {
    with_each_name(|name| {
        let (client, _server) = pair(name);
        client.set_recv_timeout(Some(SHORT)).unwrap();
        assert_fails(client.set_recv_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        assert_fails(client.set_send_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        assert_is_about(client.recv_timeout().unwrap(), SHORT);
        assert_eq!(client.send_timeout().unwrap(), None);
    });
}

#[test]
fn the_longest_timeout_is_for_ever_in_every_call_that_has_one() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let (client, server) = thread::scope(|scope| {
            let server = scope.spawn(|| listener.accept_timeout(Duration::MAX).unwrap());
            let options = ConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Timeout(Duration::MAX));
            (options.connect_sync().unwrap(), server.join().unwrap())
        });

        client.set_recv_timeout(Some(Duration::MAX)).unwrap();
        client.set_send_timeout(Some(Duration::MAX)).unwrap();
        thread::scope(|scope| {
            let receiver = scope.spawn(|| {
                let mut buf = [0; 3];
                (&client).read_exact(&mut buf).unwrap();
                buf
            });
            (&server).write_all(b"yes").unwrap();
            assert_eq!(&receiver.join().unwrap(), b"yes");

            (&client).write_all(b"no").unwrap();
            let reader = scope.spawn(|| (&server).read_exact(&mut [0; 2]).unwrap());
            match client.drain(Duration::MAX) {
                Err(error) if error.kind() == ErrorKind::Unsupported => {}
                result => result.unwrap(),
            }
            reader.join().unwrap();
        });
    });
}

#[test]
fn peeked_bytes_are_there_for_the_next_call() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        let mut buf = [0; 8];
        thread::scope(|scope| {
            // It waits until there is something.
            let peeked = scope.spawn(|| {
                let mut buf = [0; 8];
                let len = server.peek(&mut buf).unwrap();
                buf[..len].to_vec()
            });
            client.send(b"hello").unwrap();
            assert_eq!(peeked.join().unwrap(), b"hello");
        });
        assert_eq!(server.peek(&mut buf[..2]).unwrap(), 2);
        assert_eq!(&buf[..2], b"he");
        assert_eq!(server.recv(&mut buf[..2]).unwrap(), 2);
        assert_eq!(&buf[..2], b"he");
        assert_eq!(server.peek(&mut buf).unwrap(), 3);
        assert_eq!(&buf[..3], b"llo");

        // More comes behind what was looked at.
        client.send(b"!").unwrap();
        drop(client);
        assert_eq!(read_to_end(&server), b"llo!");
        assert_eq!(server.peek(&mut buf).unwrap(), 0);
    });
}

#[test]
fn peeking_gives_up_like_receiving_and_loses_nothing() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        server.set_recv_timeout(Some(SHORT)).unwrap();
        assert_times_out(|| server.peek(&mut [0; 4]));
        server.set_nonblocking(true).unwrap();
        assert_fails(server.peek(&mut [0; 4]), ErrorKind::WouldBlock);
        client.send(b"1234").unwrap();
        server.set_nonblocking(false).unwrap();
        let mut buf = [0; 4];
        assert_eq!(server.peek(&mut buf).unwrap(), 4);
        drop(client);
        assert_eq!(read_to_end(&server), b"1234");
    });
}

#[test]
fn a_peer_that_left_is_known_to_be_gone_even_before_its_data_is_read() {
    with_each_name(|name| {
        let _still = no_child_is_started();
        let (client, server) = pair(name);
        assert!(!server.is_peer_gone().unwrap());
        assert!(!client.is_peer_gone().unwrap());
        client.send(b"last words").unwrap();
        assert!(!server.is_peer_gone().unwrap());
        drop(client);
        assert!(server.is_peer_gone().unwrap());
        assert_eq!(read_to_end(&server), b"last words");
        assert!(server.is_peer_gone().unwrap());
    });
}

#[test]
fn what_was_written_before_the_stream_was_dropped_is_still_there_to_read() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let pattern = Pattern::new(7);
        let client = Stream::connect(name).unwrap();
        (&client).write_all(pattern.at(0, LITTLE)).unwrap();
        // Before it was even accepted.
        drop(client);
        let server = listener.accept().unwrap();
        assert!(read_to_end(&server) == pattern.at(0, LITTLE));

        let client = Stream::connect(name).unwrap();
        let server = listener.accept().unwrap();
        (&server).write_all(pattern.at(1, LITTLE)).unwrap();
        drop((server, listener));
        assert!(read_to_end(&client) == pattern.at(1, LITTLE));
        // And it stays at its end.
        assert_eq!(client.recv(&mut [0; 4]).unwrap(), 0);
    });
}

#[test]
fn streams_outlive_their_listener() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0]).unwrap(), 1);
        server.send(b"y").unwrap();
        assert_eq!(client.recv(&mut [0]).unwrap(), 1);
    });
}

#[test]
fn sending_to_a_peer_that_is_gone_is_a_broken_pipe() {
    with_each_name(|name| {
        let _still = no_child_is_started();
        let (client, server) = pair(name);
        drop(server);
        assert_fails(client.send(b"x"), ErrorKind::BrokenPipe);
        assert_fails(client.send_vectored(&[IoSlice::new(b"x")]), ErrorKind::BrokenPipe);
        assert_fails((&client).write_all(b"x"), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_send_that_waits_for_room_is_a_broken_pipe_when_the_peer_leaves() {
    with_each_name(|name| {
        let _still = no_child_is_started();
        let (client, server) = pair(name);
        client.set_send_timeout(Some(SHORT)).unwrap();
        fill(&client, ErrorKind::TimedOut);
        client.set_send_timeout(None).unwrap();
        thread::scope(|scope| {
            let sender = scope.spawn(|| {
                // It may get a little out in spite of all, but not more than once.
                let first = client.send(b"x");
                if first.is_ok() { client.send(b"x") } else { first }
            });
            while_waiting(|| drop(server));
            assert_fails(sender.join().unwrap(), ErrorKind::BrokenPipe);
        });
    });
}

/// Gives another thread the time to start waiting. The test holds without it, but tests less.
fn while_waiting(action: impl FnOnce()) {
    thread::sleep(SHORT);
    action();
}

#[test]
fn reading_ends_cleanly_though_the_peer_left_without_reading_everything() {
    with_each_name(|name| {
        let _still = no_child_is_started();
        let (client, server) = pair(name);
        client.send(b"never read").unwrap();
        server.send(b"goodbye").unwrap();
        drop(server);
        assert_eq!(read_to_end(&client), b"goodbye");
        assert_eq!(client.recv(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn a_read_that_waits_ends_when_the_peer_leaves() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        thread::scope(|scope| {
            let reader = scope.spawn(|| client.recv(&mut [0; 4]));
            drop(server);
            assert_eq!(reader.join().unwrap().unwrap(), 0);
        });
    });
}

/// Whether the OS tells what the peer has read.
const CAN_DRAIN: bool = cfg!(any(target_os = "linux", target_os = "android", windows));

#[test]
fn drain_returns_when_the_peer_has_read_everything() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        if !CAN_DRAIN {
            return assert_fails(client.drain(LIMIT), ErrorKind::Unsupported);
        }
        // There is nothing to wait for.
        client.drain(Duration::ZERO).unwrap();
        for _ in 0..3 {
            (&client).write_all(b"0123456789").unwrap();
            assert_times_out(|| client.drain(SHORT));
            // Not all of it.
            (&server).read_exact(&mut [0; 9]).unwrap();
            assert_times_out(|| client.drain(SHORT));
            thread::scope(|scope| {
                let drained = scope.spawn(|| client.drain(LIMIT));
                (&server).read_exact(&mut [0; 1]).unwrap();
                drained.join().unwrap().unwrap();
            });
            client.drain(Duration::ZERO).unwrap();
        }
    });
}

#[test]
fn drain_is_a_broken_pipe_when_the_peer_leaves_without_reading_everything() {
    with_each_name(|name| {
        if !CAN_DRAIN {
            return;
        }
        let _still = no_child_is_started();
        let listener = Listener::bind(name).unwrap();
        for left_before in [true, false] {
            let client = Stream::connect(name).unwrap();
            let server = listener.accept().unwrap();
            (&client).write_all(b"0123456789").unwrap();
            (&server).read_exact(&mut [0; 5]).unwrap();
            if left_before {
                drop(server);
                assert_fails(client.drain(LIMIT), ErrorKind::BrokenPipe);
            } else {
                thread::scope(|scope| {
                    let drained = scope.spawn(|| client.drain(LIMIT));
                    while_waiting(|| drop(server));
                    assert_fails(drained.join().unwrap(), ErrorKind::BrokenPipe);
                });
            }
        }
    });
}

#[test]
fn drain_is_a_broken_pipe_whoever_has_seen_before_that_the_peer_left() {
    with_each_name(|name| {
        if !CAN_DRAIN {
            return;
        }
        let _still = no_child_is_started();
        let listener = Listener::bind(name).unwrap();
        let look: [fn(&Stream); 4] = [
            |stream| assert_fails(stream.drain(LIMIT), ErrorKind::BrokenPipe),
            |stream| drop(stream.recv(&mut [0])),
            |stream| assert_fails(stream.send(b"x"), ErrorKind::BrokenPipe),
            |stream| drop(stream.take_error().unwrap()),
        ];
        for look in look {
            let client = Stream::connect(name).unwrap();
            client.send(b"never read").unwrap();
            drop(listener.accept().unwrap());
            look(&client);
            assert_fails(client.drain(LIMIT), ErrorKind::BrokenPipe);
            assert_fails(client.try_clone().unwrap().drain(LIMIT), ErrorKind::BrokenPipe);
        }
    });
}

#[test]
fn drain_is_content_with_a_peer_that_read_everything_and_left() {
    with_each_name(|name| {
        if !CAN_DRAIN {
            return;
        }
        let (client, server) = pair(name);
        (&client).write_all(b"0123456789").unwrap();
        (&server).read_exact(&mut [0; 10]).unwrap();
        drop(server);
        match client.drain(LIMIT) {
            // Windows does not tell what a peer has read that is gone.
            Err(error) if cfg!(windows) && error.kind() == ErrorKind::BrokenPipe => {}
            result => result.unwrap(),
        }
    });
}

#[cfg(unix)]
#[test]
fn after_shutdown_of_sending_the_peer_reads_to_the_end_and_can_still_answer() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        client.send(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_fails(client.send(b"x"), ErrorKind::BrokenPipe);
        assert_eq!(read_to_end(&server), b"question");
        assert!(!server.is_peer_gone().unwrap());
        server.send(b"answer").unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&client), b"answer");
    });
}

#[cfg(unix)]
#[test]
fn after_shutdown_of_receiving_or_both_there_is_nothing_more_to_read() {
    for how in [Shutdown::Read, Shutdown::Both] {
        with_each_name(move |name| {
            let (client, server) = pair(name);
            thread::scope(|scope| {
                // It may be waiting already.
                let reader = scope.spawn(|| client.recv(&mut [0]));
                client.shutdown(how).unwrap();
                assert_eq!(reader.join().unwrap().unwrap(), 0);
            });
            if how == Shutdown::Both {
                assert_fails(client.send(b"x"), ErrorKind::BrokenPipe);
                assert_eq!(server.recv(&mut [0]).unwrap(), 0);
            }
        });
    }
}

#[cfg(windows)]
#[test]
fn shutdown_is_unsupported_on_windows_and_leaves_the_stream_as_it_is() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
            assert_fails(client.shutdown(how), ErrorKind::Unsupported);
        }
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0]).unwrap(), 1);
    });
}

#[test]
fn a_healthy_connection_has_no_error_to_take() {
    with_each_name(|name| {
        let (client, server) = pair(name);
        client.send(b"x").unwrap();
        assert!(client.take_error().unwrap().is_none());
        assert!(server.take_error().unwrap().is_none());
    });
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_error_that_the_system_noted_is_taken_once() {
    with_each_name(|name| {
        let _still = no_child_is_started();
        let (client, server) = pair(name);
        client.send(b"never read").unwrap();
        drop(server);
        assert_eq!(client.take_error().unwrap().unwrap().kind(), ErrorKind::ConnectionReset);
        assert!(client.take_error().unwrap().is_none());
    });
}

/// Whether the OS tells the peer's process ID.
const KNOWS_PIDS: bool = !cfg!(target_os = "dragonfly");

#[test]
fn server_and_client_in_two_processes_know_who_the_other_is() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let child = Child::start("connect", &[name]);
        let server = listener.accept().unwrap();
        let creds: PeerCreds = server.peer_creds().unwrap();
        assert!(creds.is_same_user());
        if KNOWS_PIDS {
            assert_eq!(server.peer_pid().unwrap(), child.id());
            assert_eq!(i64::from(creds.pid().unwrap()), i64::from(child.id()));
            child.expect(&std::process::id().to_string());
        }
        assert_is_our_user(&creds);
        child.finish();
    });
}

#[test]
fn a_client_knows_the_process_that_serves_it() {
    with_each_name(|name| {
        let child = Child::start("listen", &[name]);
        child.expect("listening");
        let client = Stream::connect(name).unwrap();
        if KNOWS_PIDS {
            assert_eq!(client.peer_pid().unwrap(), child.id());
        }
        let creds = client.peer_creds().unwrap();
        assert!(creds.is_same_user());
        assert_is_our_user(&creds);
        child.finish();
    });
}

#[cfg(unix)]
fn assert_is_our_user(creds: &PeerCreds) {
    assert_eq!(creds.euid(), Some(rustix::process::geteuid().as_raw()));
    assert_eq!(creds.egid(), Some(rustix::process::getegid().as_raw()));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(groups) = creds.groups() {
        let ours: HashSet<u32> =
            rustix::process::getgroups().unwrap().into_iter().map(rustix::process::Gid::as_raw).collect();
        assert_eq!(groups.iter().copied().collect::<HashSet<_>>(), ours);
        assert!(!creds.groups_truncated());
    }
}

#[cfg(windows)]
fn assert_is_our_user(creds: &PeerCreds) {
    assert!(creds.sid().starts_with("S-1-"), "{}", creds.sid());
    assert!(creds.session().is_some());
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_process_descriptor_of_the_peer_means_that_process() {
    use interprocess::os::unix::local_socket::StreamExt;
    use std::os::fd::AsRawFd;

    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let child = Child::start("connect", &[name]);
        let server = listener.accept().unwrap();
        let pidfd = match server.peer_pidfd() {
            // The kernel is too old.
            Err(error) if error.kind() == ErrorKind::Unsupported => return,
            result => result.unwrap(),
        };
        let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).unwrap();
        let pid = about
            .lines()
            .find_map(|line| line.strip_prefix("Pid:"))
            .expect("not a process descriptor")
            .trim();
        assert_eq!(pid, child.id().to_string());
        child.finish();
    });
}

#[test]
fn incoming_gives_each_client_until_the_listener_is_stopped() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        thread::scope(|scope| {
            let (taken, is_taken) = mpsc::channel();
            let server = scope.spawn(|| {
                let taken = taken;
                // `incoming` and a reference to the listener are the same.
                let first: Vec<_> = listener.incoming().take(2).collect();
                taken.send(first.len()).unwrap();
                let mut number = 0;
                for client in &listener {
                    client.unwrap();
                    number += 1;
                    taken.send(number).unwrap();
                }
                listener.incoming().next().is_none()
            });
            let _clients = [Stream::connect(name).unwrap(), Stream::connect(name).unwrap()];
            assert_eq!(is_taken.recv(), Ok(2));
            for number in 1..=2 {
                let _client = Stream::connect(name).unwrap();
                assert_eq!(is_taken.recv(), Ok(number));
            }
            listener.stop();
            assert!(server.join().unwrap());
        });
    });
}

#[test]
fn a_listener_is_an_iterator_over_its_clients() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| Stream::connect(name).unwrap()).collect();
        let servers: Vec<_> = listener.take(3).map(Result::unwrap).collect();
        for server in &servers {
            server.send(b"x").unwrap();
        }
        for client in &mut clients {
            client.read_exact(&mut [0]).unwrap();
        }
    });
}

#[test]
fn stopping_wakes_every_thread_that_accepts_and_is_for_good() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..6)
                .map(|number| {
                    let listener = &listener;
                    scope.spawn(move || match number % 3 {
                        0 => listener.accept(),
                        1 => listener.accept_timeout(LIMIT * 2),
                        _ => listener.accept_timeout(Duration::MAX),
                    })
                })
                .collect();
            while_waiting(|| listener.stop());
            for thread in waiting {
                assert_fails(thread.join().unwrap(), ErrorKind::BrokenPipe);
            }
        });
        listener.stop();
        let error = listener.accept().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        assert_says(&error, name);
        assert_fails(listener.accept_timeout(LIMIT), ErrorKind::BrokenPipe);
        listener.set_nonblocking(ListenerNonblockingMode::Both).unwrap();
        assert_fails(listener.accept(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn stopping_leaves_streams_and_the_name_alone() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let client = Stream::connect(name).unwrap();
        let server = listener.accept().unwrap();
        listener.stop();
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0]).unwrap(), 1);
        assert_eq!(*listener.name(), name.to_name().unwrap());
    });
}

#[test]
fn many_threads_accept_on_one_listener_and_each_client_gets_one_of_them() {
    with_each_name(|name| {
        let (threads, clients_each) = if cfg!(windows) { (4, 8) } else { (8, 25) };
        let listener = Listener::bind(name).unwrap();
        thread::scope(|scope| {
            let servers: Vec<_> = (0..threads)
                .map(|thread| {
                    let listener = &listener;
                    scope.spawn(move || {
                        let mut served = 0_usize;
                        loop {
                            // Some of them with a limit, which must not make the others miss anybody.
                            let client = if thread % 2 == 0 {
                                listener.accept()
                            } else {
                                listener.accept_timeout(LIMIT * 2)
                            };
                            let mut client = match client {
                                Err(error) if error.kind() == ErrorKind::BrokenPipe => return served,
                                client => client.unwrap(),
                            };
                            let mut buf = [0; 4];
                            client.read_exact(&mut buf).unwrap();
                            client.write_all(&buf).unwrap();
                            served += 1;
                        }
                    })
                })
                .collect();
            let clients: Vec<_> = (0..threads)
                .map(|thread| {
                    scope.spawn(move || {
                        for number in 0..clients_each {
                            let mut client = Stream::connect(name).unwrap();
                            let number = thread * 1000 + number;
                            client.write_all(&u32::to_le_bytes(number)).unwrap();
                            let mut answer = [0; 4];
                            client.read_exact(&mut answer).unwrap();
                            assert_eq!(u32::from_le_bytes(answer), number);
                        }
                    })
                })
                .collect();
            for client in clients {
                client.join().unwrap();
            }
            listener.stop();
            let served: usize = servers.into_iter().map(|server| server.join().unwrap()).sum();
            assert_eq!(served, (threads * clients_each) as usize);
        });
    });
}

#[test]
fn clients_that_all_come_at_once_are_all_served() {
    with_each_name(|name| {
        let count = if cfg!(windows) { 20 } else { 100 };
        let listener = Listener::bind(name).unwrap();
        let start = Barrier::new(count);
        thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| {
                    start.wait();
                    let mut client = Stream::connect(name).unwrap();
                    client.write_all(b"x").unwrap();
                    client.read_exact(&mut [0]).unwrap();
                });
            }
            for _ in 0..count {
                let server = listener.accept().unwrap();
                assert_eq!(server.recv(&mut [0]).unwrap(), 1);
                server.send(b"y").unwrap();
            }
        });
        assert_fails(listener.accept_timeout(Duration::ZERO), ErrorKind::TimedOut);
    });
}

#[cfg(unix)]
mod conversions {
    use super::*;
    use std::os::{
        fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    };

    #[test]
    fn streams_become_descriptors_and_std_streams_and_come_back_with_their_data() {
        with_each_name(|name| {
            let (client, server) = pair(name);
            server.send(b"abcd").unwrap();
            let mut buf = [0];

            let raw = client.as_raw_fd();
            assert_eq!(client.as_fd().as_raw_fd(), raw);
            let client = Stream::from(OwnedFd::from(client));
            assert_eq!(client.as_raw_fd(), raw);
            assert_eq!(client.recv(&mut buf).unwrap(), 1);
            assert_eq!(&buf, b"a");

            let mut client = UnixStream::from(client);
            client.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"b");
            let client = Stream::from(client);
            assert_eq!(client.recv(&mut buf).unwrap(), 1);
            assert_eq!(&buf, b"c");

            let raw = client.into_raw_fd();
            // SAFETY: the line above gave up the descriptor, which is open.
            let client = unsafe { Stream::from_raw_fd(raw) };
            assert_eq!(client.recv(&mut buf).unwrap(), 1);
            assert_eq!(&buf, b"d");

            let (rh, sh) = client.split();
            assert_eq!((rh.as_fd().as_raw_fd(), sh.as_fd().as_raw_fd()), (raw, raw));
        });
    }

    #[test]
    fn a_std_stream_keeps_its_mode_and_its_timeouts() {
        in_time(|| {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            ours.set_read_timeout(Some(SHORT)).unwrap();
            let ours = Stream::from(ours);
            assert!(ours.is_nonblocking().unwrap());
            assert_fails(ours.recv(&mut [0]), ErrorKind::WouldBlock);
            ours.set_nonblocking(false).unwrap();
            assert_times_out(|| ours.recv(&mut [0]));

            // Somebody else changes the mode behind our back.
            let clone = UnixStream::from(ours.try_clone().unwrap());
            clone.set_nonblocking(true).unwrap();
            assert_fails(ours.recv(&mut [0]), ErrorKind::WouldBlock);
            drop(theirs);
        });
    }

    #[test]
    fn a_std_listener_becomes_ours_with_its_name_and_its_clients() {
        in_time(|| {
            let path = unique_path();
            let std = UnixListener::bind(&*path).unwrap();
            let early = UnixStream::connect(&*path).unwrap();
            let listener = Listener::from(std);
            assert_eq!(*listener.name(), path.to_name().unwrap());
            (&early).write_all(b"x").unwrap();
            assert_eq!(listener.accept().unwrap().recv(&mut [0]).unwrap(), 1);
            assert_times_out(|| listener.accept_timeout(SHORT));
            thread::scope(|scope| {
                let waiting = scope.spawn(|| listener.accept());
                let _late = Stream::connect(&path).unwrap();
                assert!(!waiting.join().unwrap().unwrap().is_nonblocking().unwrap());
            });
            thread::scope(|scope| {
                let waiting = scope.spawn(|| listener.accept());
                while_waiting(|| listener.stop());
                assert_fails(waiting.join().unwrap(), ErrorKind::BrokenPipe);
            });
            // Its file is not ours to delete.
            drop(listener);
            assert!(std::fs::symlink_metadata(&*path).is_ok());
        });
    }

    #[test]
    fn our_listener_becomes_a_std_listener_with_its_file() {
        in_time(|| {
            let path = unique_path();
            let listener = Listener::bind(&path).unwrap();
            let client = Stream::connect(&path).unwrap();
            let std = UnixListener::from(listener);
            std.set_nonblocking(false).unwrap();
            let (server, _) = std.accept().unwrap();
            (&server).write_all(b"x").unwrap();
            assert_eq!(client.recv(&mut [0]).unwrap(), 1);
            drop(std);
            assert!(std::fs::symlink_metadata(&*path).is_ok());
        });
    }

    #[test]
    fn a_listener_goes_through_raw_descriptors_and_back() {
        with_each_name(|name| {
            let listener = Listener::bind(name).unwrap();
            let raw = listener.as_raw_fd();
            assert_eq!(listener.as_fd().as_raw_fd(), raw);
            let raw = listener.into_raw_fd();
            // SAFETY: the line above gave up the descriptor, which is open.
            let listener = unsafe { Listener::from_raw_fd(raw) };
            assert_eq!(*listener.name(), name.to_name().unwrap());
            let _client = Stream::connect(name).unwrap();
            listener.accept().unwrap();
        });
    }
}

#[cfg(windows)]
#[test]
fn streams_become_handles_and_come_back() {
    use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};

    with_each_name(|name| {
        let (client, server) = pair(name);
        server.send(b"ab").unwrap();
        let mut buf = [0];
        assert_eq!(client.recv(&mut buf).unwrap(), 1);
        let raw = client.as_handle().as_raw_handle();
        let handle = OwnedHandle::from(client);
        assert_eq!(handle.as_raw_handle(), raw);
        let client = Stream::try_from(handle).unwrap();
        assert_eq!(client.recv(&mut buf).unwrap(), 1);
        assert_eq!(&buf, b"b");
        client.send(b"c").unwrap();
        assert_eq!(server.recv(&mut buf).unwrap(), 1);
        client.set_recv_timeout(Some(SHORT)).unwrap();
        assert_times_out(|| client.recv(&mut buf));

        let (rh, sh) = client.split();
        assert_eq!(rh.as_handle().as_raw_handle(), sh.as_handle().as_raw_handle());
    });
}

#[test]
fn debug_output_says_what_it_is_about() {
    with_each_name(|name| {
        let listener = Listener::bind(name).unwrap();
        let text = name.trim_start_matches('@').rsplit('\\').next().unwrap();
        let shown = format!("{listener:?}");
        assert!(shown.starts_with("Listener") && shown.contains(text), "{shown}");
        let shown = format!("{:?}", ListenerOptions::new().name(name));
        assert!(
            shown.starts_with("ListenerOptions") && shown.contains(text) && shown.contains("Owner"),
            "{shown}"
        );
        let shown = format!("{:?}", ConnectOptions::new().name(name));
        assert!(shown.starts_with("ConnectOptions") && shown.contains(text), "{shown}");
        let shown = format!("{:?}", listener.incoming());
        assert!(shown.starts_with("Incoming") && shown.contains(text), "{shown}");

        let client = Stream::connect(name).unwrap();
        assert!(format!("{client:?}").starts_with("Stream"));
        let (rh, sh) = client.split();
        assert!(format!("{rh:?}").starts_with("RecvHalf"));
        assert!(format!("{sh:?}").starts_with("SendHalf"));
        assert!(format!("{:?}", listener.accept().unwrap().peer_creds().unwrap()).starts_with("PeerCreds"));
    });
}

#[test]
fn everything_can_be_sent_to_and_shared_between_threads() {
    fn assert_send_sync<T: Send + Sync + Unpin>() {}
    assert_send_sync::<Listener>();
    assert_send_sync::<ListenerOptions<'_>>();
    assert_send_sync::<Incoming<'_>>();
    assert_send_sync::<Stream>();
    assert_send_sync::<ConnectOptions<'_>>();
    assert_send_sync::<RecvHalf>();
    assert_send_sync::<SendHalf>();
    assert_send_sync::<PeerCreds>();
    assert_send_sync::<Name<'_>>();
}

#[test]
fn a_stream_that_is_shared_by_an_arc_needs_no_halves() {
    in_time(|| {
        let name = unique_name();
        let (client, server) = pair(&name);
        let client = Arc::new(client);
        let reader = Arc::clone(&client);
        let reader = thread::spawn(move || {
            let mut buf = [0];
            (&*reader).read_exact(&mut buf).unwrap();
            buf
        });
        client.send(b"a").unwrap();
        assert_eq!(server.recv(&mut [0]).unwrap(), 1);
        server.send(b"b").unwrap();
        assert_eq!(&reader.join().unwrap(), b"b");
    });
}
