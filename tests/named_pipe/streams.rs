//! Streams of bytes.

use crate::support::{in_time, unique_path};
use interprocess::os::windows::named_pipe::{
    DuplexPipeStream, PipeDirection, PipeListenerOptions, PipeMode, PipeStream, RecvPipeStream,
    SendPipeStream,
    pipe_mode::{Bytes, Messages, None as Nothing, PipeModeTag},
};
use std::{
    fmt::Debug,
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    panic::{RefUnwindSafe, UnwindSafe},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

type Stream = DuplexPipeStream<Bytes>;

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(30);

/// The server's end and the client's of a connection in which the server receives `Rm` and sends `Sm`.
pub(crate) fn pair<Rm: PipeModeTag, Sm: PipeModeTag>() -> (PipeStream<Rm, Sm>, PipeStream<Sm, Rm>) {
    let name = unique_path();
    let listener = PipeListenerOptions::new().path(&*name).create::<Rm, Sm>().unwrap();
    let client = PipeStream::connect_by_path(&*name).unwrap();
    (listener.accept().unwrap(), client)
}

/// So many bytes, different ones for each seed.
pub(crate) fn bytes(seed: u32, len: usize) -> Vec<u8> {
    let mut number = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number.to_be_bytes()[0]
    };
    // A prime, so that pieces of round lengths differ.
    let mut bytes: Vec<u8> = (0..len.min(4999)).map(|_| next()).collect();
    while bytes.len() < len {
        let more = (len - bytes.len()).min(bytes.len());
        bytes.extend_from_within(..more);
    }
    bytes
}

/// Fails if these are not so many bytes of that seed.
#[track_caller]
pub(crate) fn check(seed: u32, received: &[u8], len: usize) {
    assert_eq!(received.len(), len, "the length of number {seed}");
    // Not with `assert_eq!`, which would print them.
    assert!(received == bytes(seed, len), "wrong bytes in number {seed}, of {len}");
}

/// Waits until it is so. The limit is the test's.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

#[track_caller]
pub(crate) fn would_block<T: Debug>(result: io::Result<T>) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// The server's end and the client's.
fn ends() -> (Stream, Stream) {
    pair::<Bytes, Bytes>()
}

#[track_caller]
fn recv_exact<Sm: PipeModeTag>(stream: &PipeStream<Bytes, Sm>, len: usize) -> Vec<u8> {
    let mut buf = vec![0; len];
    let mut stream = stream;
    stream.read_exact(&mut buf).unwrap();
    buf
}

#[track_caller]
fn send_all<Rm: PipeModeTag>(stream: &PipeStream<Rm, Bytes>, bytes: &[u8]) {
    let mut stream = stream;
    stream.write_all(bytes).unwrap();
}

#[track_caller]
fn assert_kind<T: Debug>(result: io::Result<T>, kind: ErrorKind) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
}

#[test]
fn streams_go_to_other_threads_and_through_panics() {
    fn check<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug + 'static>() {}
    check::<PipeStream<Bytes, Bytes>>();
    check::<PipeStream<Messages, Messages>>();
    check::<RecvPipeStream<Bytes>>();
    check::<SendPipeStream<Messages>>();
}

#[test]
fn bytes_go_both_ways() {
    in_time(|| {
        let (server, client) = ends();
        for (from, to) in [(&server, &client), (&client, &server)] {
            assert_eq!(from.send(b"two ").unwrap(), 4);
            assert_eq!(from.send(b"in one").unwrap(), 6);
            assert_eq!(recv_exact(to, 10), b"two in one");
        }
    });
}

#[test]
fn bytes_go_one_way_in_either_direction() {
    in_time(|| {
        let (server, client): (RecvPipeStream<Bytes>, SendPipeStream<Bytes>) = pair();
        let information = server.information().unwrap();
        assert_eq!(information.direction, PipeDirection::ClientToServer);
        assert_eq!(client.information().unwrap().direction, PipeDirection::ClientToServer);
        send_all(&client, b"to the server");
        assert_eq!(recv_exact(&server, 13), b"to the server");
        drop(client);
        assert_eq!(server.recv(&mut [0; 4]).unwrap(), 0);

        let (server, client): (SendPipeStream<Bytes>, RecvPipeStream<Bytes>) = pair();
        assert_eq!(client.information().unwrap().direction, PipeDirection::ServerToClient);
        send_all(&server, b"to the client");
        assert_eq!(recv_exact(&client, 13), b"to the client");
        drop(client);
        assert_kind(server.send(b"x"), ErrorKind::BrokenPipe);

        let (server, client): (PipeStream<Nothing, Bytes>, PipeStream<Bytes, Nothing>) = pair();
        server.set_send_timeout(Some(SHORT)).unwrap();
        client.set_recv_timeout(Some(SHORT)).unwrap();
        assert_kind(client.recv(&mut [0; 4]), ErrorKind::TimedOut);
        assert_eq!(client.recv_timeout().unwrap(), Some(SHORT));
        assert_eq!(server.send_timeout().unwrap(), Some(SHORT));
    });
}

#[test]
fn a_pipe_may_carry_bytes_one_way_and_messages_the_other() {
    in_time(|| {
        fn check(bytes: &PipeStream<Bytes, Messages>, messages: &PipeStream<Messages, Bytes>) {
            assert_eq!(bytes.information().unwrap().mode, PipeMode::Messages);
            bytes.send(b"one").unwrap();
            bytes.send(b"two").unwrap();
            let mut msg = Vec::new();
            assert_eq!(messages.recv_msg(&mut msg).unwrap(), Some(3));
            assert_eq!(messages.recv_msg(&mut msg).unwrap(), Some(3));
            assert_eq!(msg, b"two");
            send_all(messages, b"three");
            send_all(messages, b"four");
            assert_eq!(recv_exact(bytes, 9), b"threefour");
        }
        let (server, client) = pair::<Bytes, Messages>();
        check(&server, &client);
        let (server, client) = pair::<Messages, Bytes>();
        check(&client, &server);
    });
}

#[test]
fn a_blocked_read_delays_no_write_and_no_question_about_the_pipe() {
    in_time(|| {
        for timeout in [None, Some(LONG)] {
            let (server, client) = ends();
            client.set_recv_timeout(timeout).unwrap();
            thread::scope(|scope| {
                let (started, has_started) = mpsc::channel();
                let reader = scope.spawn(|| {
                    let started = started;
                    started.send(()).unwrap();
                    recv_exact(&client, 6)
                });
                has_started.recv().unwrap();
                let other_end = scope.spawn(|| {
                    let question = recv_exact(&server, 12);
                    send_all(&server, b"answer");
                    question
                });
                assert!(client.is_client() && !client.is_server());
                assert!(!client.is_peer_gone().unwrap());
                assert_eq!(client.peer_process_id().unwrap(), std::process::id());
                send_all(&client, b"first ");
                client.set_send_timeout(Some(LONG)).unwrap();
                send_all(&client, b"second");
                assert_eq!(other_end.join().unwrap(), b"first second");
                assert_eq!(reader.join().unwrap(), b"answer");
            });
        }
    });
}

#[test]
fn megabytes_go_both_ways_at_once() {
    in_time(|| {
        const LEN: usize = 4 << 20;
        for is_limited in [false, true] {
            let (server, client) = ends();
            if is_limited {
                for stream in [&server, &client] {
                    stream.set_recv_timeout(Some(LONG)).unwrap();
                    stream.set_send_timeout(Some(LONG)).unwrap();
                }
            }
            thread::scope(|scope| {
                for (seed, stream) in [(1, &server), (2, &client)] {
                    scope.spawn(move || send_all(stream, &bytes(seed, LEN)));
                    scope.spawn(move || check(3 - seed, &recv_exact(stream, LEN), LEN));
                }
            });
        }
    });
}

#[test]
fn what_is_echoed_comes_back() {
    in_time(|| {
        const LEN: usize = 2 << 20;
        let (server, client) = ends();
        thread::scope(|scope| {
            scope.spawn(move || io::copy(&mut &server, &mut &server).unwrap());
            let (reader, writer) = client.split();
            scope.spawn(move || send_all(&writer, &bytes(1, LEN)));
            check(1, &recv_exact(&reader, LEN), LEN);
        });
    });
}

#[test]
fn one_may_write_twice_though_nobody_reads() {
    in_time(|| {
        for is_nonblocking in [false, true] {
            let (server, client) = ends();
            client.set_nonblocking(is_nonblocking).unwrap();
            assert_eq!(client.send(b"first ").unwrap(), 6);
            assert_eq!(client.send(b"second").unwrap(), 6);
            client.flush().unwrap();
            assert_eq!(recv_exact(&server, 12), b"first second");
        }
    });
}

#[test]
fn receiving_takes_no_longer_than_its_timeout_and_loses_nothing() {
    in_time(|| {
        const COUNT: u32 = 300;
        let (server, client) = ends();
        assert_eq!(server.recv_timeout().unwrap(), None);
        assert_kind(server.set_recv_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        assert_kind(server.set_send_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        server.set_recv_timeout(Some(SHORT)).unwrap();
        let start = Instant::now();
        assert_kind(server.recv(&mut [0; 4]), ErrorKind::TimedOut);
        assert_kind(server.peek(&mut [0; 4]), ErrorKind::TimedOut);
        assert!(start.elapsed() >= 2 * SHORT);
        server.set_recv_timeout(Some(Duration::from_micros(50))).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..COUNT {
                    send_all(&client, &number.to_le_bytes());
                    thread::yield_now();
                }
            });
            let mut all = Vec::new();
            let mut is_peek = false;
            while all.len() < COUNT as usize * 4 {
                let mut buf = [0; 7];
                is_peek = !is_peek;
                match if is_peek { server.peek(&mut buf) } else { server.recv(&mut buf) } {
                    Ok(len) if is_peek => assert_ne!(len, 0),
                    Ok(len) => all.extend_from_slice(&buf[..len]),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                }
            }
            let expected: Vec<u8> = (0..COUNT).flat_map(u32::to_le_bytes).collect();
            assert_eq!(all, expected);
        });
    });
}

#[test]
fn sending_takes_no_longer_than_its_timeout_and_says_how_much_was_sent() {
    in_time(|| {
        const LEN: usize = 1 << 20;
        let (server, client) = ends();
        client.set_send_timeout(Some(SHORT)).unwrap();
        let all = bytes(1, LEN);
        let mut sent = client.send(&all).unwrap();
        assert!(0 < sent && sent < LEN, "{sent} bytes");
        // No room.
        assert_kind(client.send(&all[sent..]), ErrorKind::TimedOut);
        assert_kind(client.flush(), ErrorKind::TimedOut);
        check(1, &[recv_exact(&server, sent), bytes(1, LEN)[sent..].to_vec()].concat(), LEN);
        client.flush().unwrap();
        // In small steps, with somebody who reads slowly.
        client.set_send_timeout(Some(Duration::from_millis(1))).unwrap();
        thread::scope(|scope| {
            let first = sent;
            let (server, all) = (&server, &all);
            let reader = scope.spawn(move || {
                let mut rest = Vec::new();
                let mut buf = [0; 5000];
                while first + rest.len() < LEN {
                    let len = server.recv(&mut buf).unwrap();
                    rest.extend_from_slice(&buf[..len]);
                    thread::yield_now();
                }
                assert!(rest == all[first..]);
            });
            while sent < LEN {
                match client.send(&all[sent..]) {
                    Ok(len) => sent += len,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                }
            }
            reader.join().unwrap();
        });
    });
}

#[test]
fn a_nonblocking_stream_never_waits_and_loses_nothing() {
    in_time(|| {
        const LEN: usize = 1 << 20;
        let (server, client) = ends();
        for stream in [&server, &client] {
            stream.set_nonblocking(true).unwrap();
            assert!(stream.is_nonblocking().unwrap());
        }
        for _ in 0..3 {
            would_block(server.recv(&mut [0; 9]));
            would_block(server.peek(&mut [0; 9]));
        }
        assert_eq!(server.recv(&mut []).unwrap(), 0);
        let all = bytes(7, LEN);
        let (mut sent, mut received) = (0, Vec::new());
        let mut buf = vec![0; 33_333];
        let (mut was_full, mut was_empty) = (false, false);
        while received.len() < LEN {
            while sent < LEN {
                match client.send(&all[sent..]) {
                    Ok(len) => sent += len,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        was_full = true;
                        break;
                    }
                }
            }
            loop {
                match server.recv(&mut buf) {
                    Ok(len) => received.extend_from_slice(&buf[..len]),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        was_empty = true;
                        break;
                    }
                }
            }
        }
        assert!(was_full && was_empty);
        check(7, &received, LEN);
        // Back to waiting.
        server.set_nonblocking(false).unwrap();
        thread::scope(|scope| {
            let reader = scope.spawn(|| recv_exact(&server, 3));
            until(|| client.send(b"end").is_ok());
            assert_eq!(reader.join().unwrap(), b"end");
        });
    });
}

#[test]
fn a_mode_that_changes_while_a_read_is_in_flight_loses_nothing() {
    in_time(|| {
        let (server, client) = ends();
        for round in 0..50 {
            server.set_nonblocking(true).unwrap();
            would_block(server.recv(&mut [0; 2]));
            server.set_nonblocking(false).unwrap();
            if round % 2 == 0 {
                server.set_recv_timeout(Some(Duration::from_millis(1))).unwrap();
                assert_kind(server.recv(&mut [0; 4]), ErrorKind::TimedOut);
                server.set_recv_timeout(None).unwrap();
            }
            send_all(&client, b"0123456789");
            assert_eq!(recv_exact(&server, 10), b"0123456789");
        }
    });
}

#[test]
fn peeking_leaves_the_bytes_there() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            // It waits for the first bytes.
            let peeker = scope.spawn(|| {
                let mut buf = [0; 4];
                let len = server.peek(&mut buf).unwrap();
                buf[..len].to_vec()
            });
            send_all(&client, b"0123456789");
            let first = peeker.join().unwrap();
            assert!(!first.is_empty() && b"0123".starts_with(&first));
        });
        assert_eq!(server.peek(&mut []).unwrap(), 0);
        assert_eq!(recv_exact(&server, 10), b"0123456789");
        send_all(&client, b"abc");
        for _ in 0..2 {
            let mut buf = [0; 10];
            assert_eq!(server.peek(&mut buf).unwrap(), 3);
            assert_eq!(&buf[..3], b"abc");
        }
        drop(client);
        assert_eq!(server.peek(&mut [0; 2]).unwrap(), 2);
        assert_eq!(recv_exact(&server, 3), b"abc");
        assert_eq!(server.peek(&mut [0; 2]).unwrap(), 0);
        assert_eq!(server.recv(&mut [0; 2]).unwrap(), 0);
    });
}

#[test]
fn halves_work_by_themselves_and_together_again() {
    in_time(|| {
        let (server, client) = ends();
        let (reader, writer) = client.split();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(recv_exact(&reader, 6), b"answer"));
            send_all(&writer, b"question");
            assert_eq!(recv_exact(&server, 8), b"question");
            send_all(&server, b"answer");
        });
        let client = Stream::reunite(reader, writer).unwrap();
        let (server_reader, server_writer) = server.split();
        let (reader, writer) = client.split();
        let error = Stream::reunite(reader, server_writer).unwrap_err();
        assert!(error.to_string().contains("halves"));
        let client = Stream::reunite(error.rh, writer).unwrap();
        let server = Stream::reunite(server_reader, error.sh).unwrap();
        send_all(&server, b"still there");
        assert_eq!(recv_exact(&client, 11), b"still there");
        // The connection lasts as long as either half.
        let (reader, writer) = client.split();
        drop(reader);
        send_all(&writer, b"x");
        assert_eq!(recv_exact(&server, 1), b"x");
        assert!(!server.is_peer_gone().unwrap());
        drop(writer);
        assert_eq!(server.recv(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn halves_keep_what_was_read_ahead_and_the_mode() {
    in_time(|| {
        let (server, client) = pair::<Messages, Bytes>();
        server.set_nonblocking(true).unwrap();
        would_block(server.recv_msg(&mut Vec::new()));
        client.send(b"message").unwrap();
        let (reader, writer) = server.split();
        assert!(reader.is_nonblocking().unwrap() && writer.is_nonblocking().unwrap());
        reader.set_nonblocking(false).unwrap();
        assert!(!writer.is_nonblocking().unwrap());
        let mut msg = Vec::new();
        reader.recv_part(&mut [0; 2]).unwrap();
        let server = PipeStream::reunite(reader, writer).unwrap();
        assert_eq!(server.recv_msg(&mut msg).unwrap(), Some(5));
        assert_eq!(msg, b"ssage");
    });
}

#[test]
fn clones_are_the_same_stream() {
    in_time(|| {
        let (server, client) = ends();
        let clone = server.try_clone().unwrap();
        clone.set_recv_timeout(Some(SHORT)).unwrap();
        assert_eq!(server.recv_timeout().unwrap(), Some(SHORT));
        clone.set_nonblocking(true).unwrap();
        assert!(server.is_nonblocking().unwrap());
        would_block(clone.recv(&mut [0; 3]));
        server.set_nonblocking(false).unwrap();
        send_all(&client, b"012345");
        assert_eq!(recv_exact(&server, 2), b"01");
        assert_eq!(recv_exact(&clone, 2), b"23");
        drop(server);
        assert_eq!(recv_exact(&clone, 2), b"45");
        assert!(!client.is_peer_gone().unwrap());
        drop(clone);
        until(|| client.is_peer_gone().unwrap());
    });
}

#[test]
fn when_the_peer_is_gone_there_is_an_end_and_a_broken_pipe() {
    in_time(|| {
        for limits in 0..3 {
            let (server, client) = ends();
            match limits {
                0 => {}
                1 => {
                    server.set_recv_timeout(Some(LONG)).unwrap();
                    server.set_send_timeout(Some(LONG)).unwrap();
                }
                _ => server.set_nonblocking(true).unwrap(),
            }
            assert!(!server.is_peer_gone().unwrap());
            send_all(&client, b"left");
            drop(client);
            assert!(server.is_peer_gone().unwrap());
            assert_eq!(recv_exact(&server, 4), b"left");
            for _ in 0..2 {
                assert_eq!(server.recv(&mut [0; 4]).unwrap(), 0);
                assert_eq!(server.peek(&mut [0; 4]).unwrap(), 0);
                assert_kind(server.send(b"x"), ErrorKind::BrokenPipe);
            }
            server.flush().unwrap();
            assert!(server.take_error().unwrap().is_none());
        }
    });
}

#[test]
fn a_reader_that_waits_hears_of_the_end() {
    in_time(|| {
        for timeout in [None, Some(LONG)] {
            let (server, client) = ends();
            server.set_recv_timeout(timeout).unwrap();
            thread::scope(|scope| {
                let reader = scope.spawn(|| server.recv(&mut [0; 4]).unwrap());
                drop(client);
                assert_eq!(reader.join().unwrap(), 0);
            });
        }
    });
}

#[test]
fn a_writer_that_waits_hears_that_the_peer_has_gone() {
    in_time(|| {
        for timeout in [None, Some(LONG)] {
            let (server, client) = ends();
            client.set_send_timeout(timeout).unwrap();
            thread::scope(|scope| {
                let writer = scope.spawn(|| (&client).write_all(&bytes(1, 1 << 20)));
                // It is in the middle of it.
                until(|| server.information().unwrap().available > 0);
                recv_exact(&server, 100_000);
                drop(server);
                assert_kind(writer.join().unwrap(), ErrorKind::BrokenPipe);
            });
        }
    });
}

#[test]
fn dropping_keeps_what_was_sent() {
    in_time(|| {
        let (server, client) = ends();
        send_all(&server, b"kept");
        server.flush().unwrap();
        drop(server);
        assert_eq!(recv_exact(&client, 4), b"kept");
        assert_eq!(client.recv(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn disconnecting_throws_away_what_was_not_received() {
    in_time(|| {
        let (server, client) = ends();
        assert_kind(client.disconnect(), ErrorKind::InvalidInput);
        send_all(&server, b"kept, lost");
        send_all(&client, b"lost");
        assert_eq!(recv_exact(&client, 6), b"kept, ");
        server.disconnect().unwrap();
        for stream in [&server, &client] {
            assert!(stream.is_peer_gone().unwrap());
            assert_eq!(stream.recv(&mut [0; 4]).unwrap(), 0);
            assert_eq!(stream.peek(&mut [0; 4]).unwrap(), 0);
            assert_kind(stream.send(b"x"), ErrorKind::BrokenPipe);
            stream.set_nonblocking(true).unwrap();
            assert_eq!(stream.recv(&mut [0; 4]).unwrap(), 0);
            assert_kind(stream.send(b"x"), ErrorKind::BrokenPipe);
        }
    });
}

#[test]
fn disconnecting_ends_the_waiting_of_both_ends() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            let readers = [&server, &client].map(|stream| scope.spawn(|| stream.recv(&mut [0; 4]).unwrap()));
            // One byte, so that one reader at least had begun.
            let writer = scope.spawn(|| (&client).write_all(&bytes(1, 1 << 20)));
            until(|| readers[0].is_finished());
            server.disconnect().unwrap();
            let [at_server, at_client] = readers.map(|reader| reader.join().unwrap());
            assert_ne!(at_server, 0);
            assert_eq!(at_client, 0);
            assert_kind(writer.join().unwrap(), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn dropping_with_a_write_in_flight_neither_waits_nor_loses() {
    in_time(|| {
        for is_nonblocking in [false, true] {
            let (server, client) = ends();
            let all = bytes(3, 1 << 20);
            let sent = thread::scope(|scope| {
                // Its thread ends, too.
                scope
                    .spawn(move || {
                        if is_nonblocking {
                            client.set_nonblocking(true).unwrap();
                        } else {
                            client.set_send_timeout(Some(SHORT)).unwrap();
                        }
                        let mut sent = 0;
                        while let Ok(len) = client.send(&bytes(3, 1 << 20)[sent..]) {
                            sent += len;
                        }
                        // There is nothing to wait for, as nobody reads.
                        drop(client);
                        sent
                    })
                    .join()
                    .unwrap()
            });
            assert!(0 < sent && sent < all.len());
            let mut received = Vec::new();
            (&server).read_to_end(&mut received).unwrap();
            assert!(received == all[..sent]);
        }
    });
}

#[test]
fn draining_waits_until_the_peer_has_received_everything() {
    in_time(|| {
        let (server, client) = ends();
        client.drain(LONG).unwrap();
        send_all(&client, b"data");
        let start = Instant::now();
        assert_kind(client.drain(SHORT), ErrorKind::TimedOut);
        assert!(start.elapsed() >= SHORT);
        thread::scope(|scope| {
            let drainer = scope.spawn(|| client.drain(LONG));
            assert_eq!(recv_exact(&server, 4), b"data");
            drainer.join().unwrap().unwrap();
        });
        // Flushing does not wait for the peer.
        send_all(&client, b"more");
        client.flush().unwrap();
        Write::flush(&mut &client).unwrap();
        drop(server);
        assert_kind(client.drain(LONG), ErrorKind::BrokenPipe);
        client.assume_flushed();
        client.drain(LONG).unwrap();
        client.mark_dirty();
        assert_kind(client.drain(LONG), ErrorKind::BrokenPipe);
        client.evade_limbo();
    });
}

#[test]
fn flushing_waits_for_what_is_on_its_way() {
    in_time(|| {
        let (server, client) = ends();
        client.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(len) = client.send(&bytes(5, 100_000)) {
            sent += len;
        }
        would_block(client.flush());
        client.set_nonblocking(false).unwrap();
        client.set_send_timeout(Some(SHORT)).unwrap();
        assert_kind(client.flush(), ErrorKind::TimedOut);
        client.set_send_timeout(None).unwrap();
        thread::scope(|scope| {
            let flusher = scope.spawn(|| client.flush());
            recv_exact(&server, sent);
            flusher.join().unwrap().unwrap();
        });
        client.flush().unwrap();
    });
}

#[test]
fn the_failure_of_a_send_that_nobody_waited_for_is_told_once() {
    in_time(|| {
        for way in 0..3 {
            let (server, client) = ends();
            client.set_nonblocking(true).unwrap();
            while client.send(&bytes(5, 100_000)).is_ok() {}
            assert!(client.take_error().unwrap().is_none());
            drop(server);
            match way {
                0 => {
                    let mut error = None;
                    until(|| {
                        error = client.take_error().unwrap();
                        error.is_some()
                    });
                    assert_eq!(error.unwrap().kind(), ErrorKind::BrokenPipe);
                }
                1 => {
                    client.set_nonblocking(false).unwrap();
                    assert_kind(client.flush(), ErrorKind::BrokenPipe);
                }
                _ => {
                    client.set_nonblocking(false).unwrap();
                    assert_kind(client.send(b"x"), ErrorKind::BrokenPipe);
                }
            }
            assert!(client.take_error().unwrap().is_none());
            client.flush().unwrap();
            assert_kind(client.send(b"x"), ErrorKind::BrokenPipe);
        }
    });
}

#[test]
fn several_buffers_are_sent_in_order_and_the_first_with_room_receives() {
    in_time(|| {
        let (server, client) = ends();
        let texts: [&[u8]; 4] = [b"", b"one ", b"", b"two"];
        let bufs = texts.map(IoSlice::new);
        assert_eq!(client.send_vectored(&bufs).unwrap(), 7);
        assert_eq!(client.send_vectored(&[]).unwrap(), 0);
        let (mut none, mut some) = ([0; 0], [0; 20]);
        let mut bufs = [IoSliceMut::new(&mut none), IoSliceMut::new(&mut some)];
        assert_eq!(server.recv_vectored(&mut bufs).unwrap(), 7);
        assert_eq!(&some[..7], b"one two");
        assert_eq!(server.recv_vectored(&mut []).unwrap(), 0);
        // Much more than is copied together.
        let all = bytes(4, 300_000);
        thread::scope(|scope| {
            scope.spawn(|| check(4, &recv_exact(&server, 300_000), 300_000));
            let mut sent = 0;
            while sent < all.len() {
                let pieces: Vec<_> = all[sent..].chunks(1000).map(IoSlice::new).collect();
                sent += (&client).write_vectored(&pieces).unwrap();
            }
        });
    });
}

#[test]
fn buffers_of_zero_bytes_are_neither_an_end_nor_a_wait() {
    in_time(|| {
        let (server, client) = ends();
        for is_nonblocking in [false, true] {
            server.set_nonblocking(is_nonblocking).unwrap();
            client.set_nonblocking(is_nonblocking).unwrap();
            assert_eq!(client.send(&[]).unwrap(), 0);
            assert_eq!(server.recv(&mut []).unwrap(), 0);
            assert_eq!(server.peek(&mut []).unwrap(), 0);
            client.send(b"x").unwrap();
            assert_eq!(recv_exact(&server, 1), b"x");
        }
    });
}

#[test]
fn streams_know_what_they_are() {
    in_time(|| {
        let name = unique_path();
        let listener = PipeListenerOptions::new()
            .path(&*name)
            .backlog(3)
            .input_buffer_size_hint(5000)
            .output_buffer_size_hint(7000)
            .create::<Bytes, Messages>()
            .unwrap();
        let client = PipeStream::<Messages, Bytes>::connect_by_path(&*name).unwrap();
        let server = listener.accept().unwrap();
        assert!(server.is_server() && !server.is_client());
        assert!(client.is_client() && !client.is_server());
        send_all(&client, b"12345");
        for information in [server.information().unwrap(), client.information().unwrap()] {
            assert_eq!(information.mode, PipeMode::Messages);
            assert_eq!(information.direction, PipeDirection::Duplex);
            assert_eq!(information.instances, 4);
            assert_eq!(information.max_instances, None);
            assert!(information.inbound_quota >= 5000 && information.outbound_quota >= 7000);
        }
        assert_eq!(server.information().unwrap().available, 5);
        assert_eq!(client.information().unwrap().available, 0);
        for stream in [server.peer_process_id(), client.peer_process_id()] {
            assert_eq!(stream.unwrap(), std::process::id());
        }
        assert!(format!("{server:?}").contains("Messages"));
    });
}

#[test]
fn threads_that_receive_and_send_at_once_lose_no_byte() {
    in_time(|| {
        const LEN: usize = 1 << 20;
        let (server, client) = ends();
        let counts = thread::scope(|scope| {
            for _ in 0..4 {
                let client = client.try_clone().unwrap();
                scope.spawn(move || {
                    for number in 0..=255_u8 {
                        send_all(&client, &[number; LEN / 4 / 256]);
                    }
                });
            }
            drop(client);
            let readers = [(); 3].map(|()| {
                scope.spawn(|| {
                    let mut counts = [0; 256];
                    let mut buf = [0; 3000];
                    loop {
                        match server.recv(&mut buf).unwrap() {
                            0 => return counts,
                            len => buf[..len].iter().for_each(|&byte| counts[usize::from(byte)] += 1),
                        }
                    }
                })
            });
            readers.map(|reader| reader.join().unwrap())
        });
        for number in 0..256 {
            assert_eq!(counts.iter().map(|counts| counts[number]).sum::<usize>(), LEN / 256);
        }
    });
}

#[test]
fn a_write_started_by_a_thread_that_has_ended_goes_on() {
    in_time(|| {
        for round in 0..10 {
            let (server, client) = ends();
            let sent = thread::scope(|scope| {
                scope
                    .spawn(|| {
                        client.set_nonblocking(true).unwrap();
                        let all = bytes(round, 500_000);
                        let mut sent = 0;
                        while let Ok(len) = client.send(&all[sent..]) {
                            sent += len;
                        }
                        sent
                    })
                    .join()
                    .unwrap()
            });
            assert_eq!(recv_exact(&server, sent), bytes(round, 500_000)[..sent]);
            client.set_nonblocking(false).unwrap();
            client.flush().unwrap();
        }
    });
}

#[test]
fn a_handle_that_was_left_in_a_mode_that_does_not_wait_loses_nothing() {
    use std::os::windows::io::{AsRawHandle, OwnedHandle};
    use windows_sys::Win32::System::Pipes::{PIPE_NOWAIT, SetNamedPipeHandleState};

    in_time(|| {
        let (server, client): (RecvPipeStream<Bytes>, SendPipeStream<Bytes>) = pair();
        let client = OwnedHandle::from(client);
        let mode = PIPE_NOWAIT;
        // SAFETY: the handle is open; null leaves the rest as it is.
        let is_set = unsafe {
            SetNamedPipeHandleState(
                client.as_raw_handle(),
                &raw const mode,
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        assert_ne!(is_set, 0);
        let client = SendPipeStream::<Bytes>::try_from(client).unwrap();
        client.set_send_timeout(Some(SHORT)).unwrap();
        let all = bytes(1, 1 << 20);
        let sent = client.send(&all).unwrap();
        drop(client);
        let mut received = Vec::new();
        (&server).read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), sent);
        assert!(received == all[..sent]);
    });
}

/// Wine makes every pipe that rejects remote clients one of messages, so that nothing else here goes through one of bytes.
#[test]
fn a_pipe_that_knows_no_messages_carries_bytes_in_any_pieces() {
    const LEN: usize = 300_000;

    in_time(|| {
        let name = unique_path();
        let options = PipeListenerOptions::new().path(&*name).accept_remote(true);
        let listener = options.create_duplex::<Bytes>().unwrap();
        let mut client = Stream::connect_by_path(&*name).unwrap();
        let mut server = listener.accept().unwrap();
        assert_eq!(client.information().unwrap().mode, PipeMode::Bytes);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut received = vec![0; LEN];
                server.read_exact(&mut received).unwrap();
                for piece in received.chunks(7919) {
                    server.write_all(piece).unwrap();
                }
            });
            let mut writer = client.try_clone().unwrap();
            scope.spawn(move || {
                for piece in bytes(1, LEN).chunks(4099) {
                    writer.write_all(piece).unwrap();
                }
            });
            let mut received = vec![0; LEN];
            client.read_exact(&mut received).unwrap();
            check(1, &received, LEN);
        });
        // Messages cannot be had from it.
        let error = DuplexPipeStream::<Messages>::connect_by_path(&*name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    });
}
