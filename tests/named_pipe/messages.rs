//! Messages: whole, in order, once; and questions with their answers.

use crate::{
    streams::{bytes, check, pair, until, would_block},
    support::{Child, ChildFunction, in_time, say, unique_path},
};
use interprocess::os::windows::named_pipe::{
    DuplexPipeStream, MsgPart, PipeListenerOptions, PipeStream, RecvPipeStream, SendPipeStream,
    pipe_mode::{Bytes, Messages, None as Nothing},
};
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind, Read},
    os::windows::io::{AsHandle, AsRawHandle},
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::Duration,
};
use windows_sys::Win32::System::IO::CancelIoEx;

pub(crate) const CHILDREN: [(&str, ChildFunction); 1] = [("send_messages", send_messages)];

type Stream = DuplexPipeStream<Messages>;

/// Around what the system, the crate and a buffer take in one piece.
const LENGTHS: [usize; 13] =
    [0, 1, 2, 4095, 4096, 4097, 8192, 65_535, 65_536, 65_537, 200_000, 1 << 20, 5 << 20];
/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(30);

/// The server's end and the client's.
fn ends() -> (Stream, Stream) {
    pair::<Messages, Messages>()
}

/// The next message.
#[track_caller]
fn next<Sm: interprocess::os::windows::named_pipe::pipe_mode::PipeModeTag>(
    stream: &PipeStream<Messages, Sm>,
) -> Vec<u8> {
    let mut msg = Vec::new();
    assert_eq!(stream.recv_msg(&mut msg).unwrap(), Some(msg.len()), "the stream ended");
    msg
}

#[allow(clippy::unnecessary_wraps, reason = "for comparison with what is received")]
fn part(len: usize, is_last: bool) -> Option<MsgPart> {
    Some(MsgPart { len, is_last })
}

/// Sends so many messages of so many bytes through the pipe of that path.
fn send_messages(arguments: &[String]) {
    let stream = SendPipeStream::<Messages>::connect_by_path(&*arguments[0]).unwrap();
    for (number, len) in (0..).zip(&arguments[1..]) {
        say("sending");
        stream.send(&bytes(number, len.parse().unwrap())).unwrap();
    }
    say("sent");
    crate::support::hear();
}

#[test]
fn messages_keep_their_boundaries() {
    in_time(|| {
        let (server, client) = ends();
        let texts = ["one", "", "three", "", "", "six", "7"];
        for (from, to) in [(&server, &client), (&client, &server)] {
            for text in texts {
                assert_eq!(from.send(text.as_bytes()).unwrap(), text.len());
            }
            for text in texts {
                assert_eq!(next(to), text.as_bytes());
            }
        }
    });
}

#[test]
fn a_message_of_zero_bytes_is_not_the_end() {
    in_time(|| {
        let (server, client) = ends();
        client.send(b"").unwrap();
        client.send(b"").unwrap();
        client.send(b"").unwrap();
        drop(client);
        let mut msg = b"old".to_vec();
        assert_eq!(server.recv_msg(&mut msg).unwrap(), Some(0));
        assert_eq!(msg, b"");
        assert_eq!(server.peek_part(&mut [0; 4]).unwrap(), part(0, true));
        assert_eq!(server.recv_part(&mut [0; 4]).unwrap(), part(0, true));
        assert_eq!(server.peek_part(&mut []).unwrap(), part(0, true));
        assert_eq!(server.recv_part(&mut []).unwrap(), part(0, true));
        for _ in 0..2 {
            assert_eq!(server.recv_msg(&mut msg).unwrap(), None);
            assert_eq!(server.recv_part(&mut [0; 4]).unwrap(), None);
            assert_eq!(server.peek_part(&mut [0; 4]).unwrap(), None);
            assert_eq!(server.peek_msg_len().unwrap(), 0);
        }
    });
}

#[test]
fn messages_of_every_length_arrive_whole_whatever_buffer_they_are_received_into() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..4 {
                    for len in LENGTHS {
                        client.send(&bytes(round, len)).unwrap();
                    }
                }
            });
            for len in LENGTHS {
                check(0, &next(&server), len);
            }
            let mut used = b"something that was there".to_vec();
            for len in LENGTHS {
                assert_eq!(server.recv_msg(&mut used).unwrap(), Some(len));
                check(1, &used, len);
            }
            let mut large = vec![7; 6 << 20];
            for len in LENGTHS {
                assert_eq!(server.recv_msg(&mut large).unwrap(), Some(len));
                check(2, &large, len);
            }
            for len in LENGTHS {
                let mut exact = Vec::with_capacity(len);
                assert_eq!(server.recv_msg(&mut exact).unwrap(), Some(len));
                check(3, &exact, len);
            }
        });
    });
}

#[test]
fn messages_of_every_length_are_sent_whole_in_every_mode_of_waiting() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            scope.spawn(|| {
                client.set_send_timeout(Some(LONG)).unwrap();
                for len in LENGTHS {
                    client.send(&bytes(0, len)).unwrap();
                }
                client.set_send_timeout(None).unwrap();
                client.set_nonblocking(true).unwrap();
                for len in LENGTHS {
                    while let Err(error) = client.send(&bytes(1, len)) {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        thread::yield_now();
                    }
                }
                client.set_nonblocking(false).unwrap();
                client.flush().unwrap();
            });
            for round in 0..2 {
                for len in LENGTHS {
                    check(round, &next(&server), len);
                }
            }
        });
    });
}

#[test]
fn parts_of_a_message_come_in_order_and_the_last_one_says_so() {
    in_time(|| {
        let (server, client) = ends();
        client.send(b"0123456789").unwrap();
        client.send(b"next").unwrap();
        let mut buf = [0; 4];
        assert_eq!(server.recv_part(&mut buf).unwrap(), part(4, false));
        assert_eq!(&buf, b"0123");
        assert_eq!(server.recv_part(&mut []).unwrap(), part(0, false));
        assert_eq!(server.recv_part(&mut buf).unwrap(), part(4, false));
        assert_eq!(&buf, b"4567");
        assert_eq!(server.recv_part(&mut buf).unwrap(), part(2, true));
        assert_eq!(&buf[..2], b"89");
        // One that fits exactly.
        assert_eq!(server.recv_part(&mut buf).unwrap(), part(4, true));
        assert_eq!(&buf, b"next");
    });
}

#[test]
fn what_is_left_after_parts_is_received_as_a_message() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            scope.spawn(|| {
                for (number, len) in (0..).zip(LENGTHS) {
                    client.send(&bytes(number, len)).unwrap();
                }
            });
            for (number, len) in (0..).zip(LENGTHS) {
                let mut buf = vec![0; 3000];
                let mut whole = Vec::new();
                for _ in 0..3 {
                    let part = server.recv_part(&mut buf).unwrap().unwrap();
                    whole.extend_from_slice(&buf[..part.len]);
                    assert_eq!(part.is_last, whole.len() == len, "{len}");
                    if part.is_last {
                        break;
                    }
                }
                if whole.len() < len {
                    assert_eq!(server.peek_msg_len().unwrap(), len - whole.len());
                    whole.append(&mut next(&server));
                }
                check(number, &whole, len);
            }
        });
    });
}

#[test]
fn parts_may_be_larger_than_what_the_system_is_asked_for_at_once() {
    in_time(|| {
        const LEN: usize = 3_000_000;
        let (server, client) = ends();
        thread::scope(|scope| {
            scope.spawn(|| client.send(&bytes(5, LEN)).unwrap());
            let mut buf = vec![0; 1_000_000];
            let mut whole = Vec::new();
            loop {
                let part = server.recv_part(&mut buf).unwrap().unwrap();
                assert_ne!(part.len, 0);
                whole.extend_from_slice(&buf[..part.len]);
                if part.is_last {
                    break;
                }
            }
            check(5, &whole, LEN);
        });
    });
}

#[test]
fn peeking_leaves_the_message_there() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            // One that is waited for, and one that is there.
            let (peeked, is_peeked) = mpsc::channel();
            let client = &client;
            scope.spawn(move || {
                client.send(b"0123456789").unwrap();
                is_peeked.recv().unwrap();
                client.send(b"abcdefghij").unwrap();
            });
            for text in [b"0123456789", b"abcdefghij"] {
                let mut buf = [0; 20];
                assert_eq!(server.peek_part(&mut buf[..3]).unwrap(), part(3, false));
                assert_eq!(buf[..3], text[..3]);
                assert_eq!(server.peek_msg_len().unwrap(), 10);
                assert_eq!(server.peek_part(&mut []).unwrap(), part(0, false));
                // More than was read ahead for the first.
                assert_eq!(server.peek_part(&mut buf).unwrap(), part(10, true));
                assert_eq!(buf[..10], text[..]);
                assert_eq!(server.peek_part(&mut buf[..10]).unwrap(), part(10, true));
                assert_eq!(server.peek_part(&mut buf[..9]).unwrap(), part(9, false));

                assert_eq!(server.recv_part(&mut buf[..2]).unwrap(), part(2, false));
                assert_eq!(server.peek_msg_len().unwrap(), 8);
                assert_eq!(server.peek_part(&mut buf[..4]).unwrap(), part(4, false));
                assert_eq!(buf[..4], text[2..6]);
                assert_eq!(server.recv_part(&mut buf[..3]).unwrap(), part(3, false));
                assert_eq!(server.peek_msg_len().unwrap(), 5);
                assert_eq!(server.peek_part(&mut buf).unwrap(), part(5, true));
                assert_eq!(buf[..5], text[5..]);
                assert_eq!(next(&server), text[5..]);
                assert_eq!(server.peek_msg_len().unwrap(), 0);
                let _ = peeked.send(());
            }
        });
    });
}

#[test]
fn the_length_of_a_message_is_known_before_it_is_received() {
    in_time(|| {
        let (server, client) = ends();
        assert_eq!(server.peek_msg_len().unwrap(), 0);
        server.set_nonblocking(true).unwrap();
        would_block(server.recv_msg(&mut Vec::new()));
        assert_eq!(server.peek_msg_len().unwrap(), 0);
        thread::scope(|scope| {
            // The first is read ahead, in part; the others are in the pipe.
            scope.spawn(|| {
                for (number, len) in (0..).zip([1 << 20, 200_000, 10]) {
                    client.send(&bytes(number, len)).unwrap();
                }
            });
            for (number, len) in (0..).zip([1 << 20, 200_000, 10]) {
                until(|| server.peek_msg_len().unwrap() == len);
                check(number, &next(&server), len);
            }
        });
        client.send(b"last").unwrap();
        drop(client);
        assert_eq!(server.peek_msg_len().unwrap(), 4);
        assert_eq!(next(&server), b"last");
        assert_eq!(server.peek_msg_len().unwrap(), 0);
    });
}

#[test]
fn a_message_that_is_too_long_is_an_error_and_can_be_received_nevertheless() {
    in_time(|| {
        let (server, client) = ends();
        assert_eq!(server.max_msg_len(), 16 << 20);
        for limit in [0, 5, 9, 5000, 99_999] {
            server.set_max_msg_len(limit);
            assert_eq!(server.max_msg_len(), limit);
            let len = if limit < 10 { 10 } else { 100_000 };
            thread::scope(|scope| {
                scope.spawn(|| {
                    client.send(&bytes(1, len)).unwrap();
                    client.send(&bytes(2, len)).unwrap();
                    client.send(b"").unwrap();
                });
                let mut msg = b"old".to_vec();
                for _ in 0..3 {
                    let error = server.recv_msg(&mut msg).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidData);
                    assert!(error.to_string().contains(&len.to_string()), "{error}");
                    assert_eq!(msg, b"old");
                    assert_eq!(server.peek_msg_len().unwrap(), len);
                }
                // In parts.
                let mut whole = Vec::new();
                let mut buf = [0; 999];
                loop {
                    let part = server.recv_part(&mut buf).unwrap().unwrap();
                    whole.extend_from_slice(&buf[..part.len]);
                    if part.is_last {
                        break;
                    }
                }
                check(1, &whole, len);
                // Or by allowing more.
                server.recv_msg(&mut msg).unwrap_err();
                server.set_max_msg_len(len);
                assert_eq!(server.recv_msg(&mut msg).unwrap(), Some(len));
                check(2, &msg, len);
                server.set_max_msg_len(0);
                assert_eq!(server.recv_msg(&mut msg).unwrap(), Some(0));
            });
        }
    });
}

#[test]
fn threads_that_receive_at_once_get_whole_messages_each_of_them_once() {
    in_time(|| {
        const COUNT: u32 = 400;
        fn length(number: u32) -> usize {
            if number % 40 == 0 { 150_000 } else { number as usize * 37 % 9000 + 4 }
        }
        let (server, client) = ends();
        let seen = Mutex::new(BTreeMap::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut msg = Vec::new();
                    while let Some(len) = server.recv_msg(&mut msg).unwrap() {
                        let number = u32::from_le_bytes(msg[..4].try_into().unwrap());
                        assert_eq!(len, length(number));
                        check(number, &msg[4..], len - 4);
                        *seen.lock().unwrap().entry(number).or_insert(0) += 1;
                    }
                });
            }
            for number in 0..COUNT {
                client
                    .send(&[&number.to_le_bytes()[..], &bytes(number, length(number) - 4)].concat())
                    .unwrap();
            }
            drop(client);
        });
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.len(), COUNT as usize);
        assert!(seen.values().all(|&times| times == 1));
    });
}

#[test]
fn threads_that_receive_at_once_with_timeouts_get_whole_messages_each_of_them_once() {
    in_time(|| {
        const COUNT: u32 = 300;
        let (server, client) = ends();
        server.set_recv_timeout(Some(Duration::from_micros(200))).unwrap();
        let seen = Mutex::new(BTreeMap::new());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut msg = Vec::new();
                    loop {
                        match server.recv_msg(&mut msg) {
                            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                            Ok(None) => break,
                            Ok(Some(len)) => {
                                let number = u32::from_le_bytes(msg[..4].try_into().unwrap());
                                check(number, &msg[4..], len - 4);
                                *seen.lock().unwrap().entry(number).or_insert(0) += 1;
                            }
                        }
                    }
                });
            }
            for number in 0..COUNT {
                let len = number as usize * 101 % 20_000;
                client.send(&[&number.to_le_bytes()[..], &bytes(number, len)].concat()).unwrap();
            }
            drop(client);
        });
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.len(), COUNT as usize);
        assert!(seen.values().all(|&times| times == 1));
    });
}

#[test]
fn messages_of_threads_that_send_at_once_arrive_whole_and_each_threads_in_order() {
    in_time(|| {
        const THREADS: u32 = 4;
        const COUNT: u32 = 60;
        let (server, client) = ends();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let client = client.try_clone().unwrap();
                scope.spawn(move || {
                    for number in 0..COUNT {
                        let len = if number % 20 == 0 { 150_000 } else { number as usize * 97 };
                        let body = bytes(thread * 1000 + number, len);
                        let head = [thread.to_le_bytes(), number.to_le_bytes()].concat();
                        client.send(&[head, body].concat()).unwrap();
                    }
                });
            }
            drop(client);
            let mut counts = [0; THREADS as usize];
            let mut msg = Vec::new();
            while let Some(len) = server.recv_msg(&mut msg).unwrap() {
                let thread = u32::from_le_bytes(msg[..4].try_into().unwrap());
                let number = u32::from_le_bytes(msg[4..8].try_into().unwrap());
                assert_eq!(number, counts[thread as usize]);
                counts[thread as usize] += 1;
                check(thread * 1000 + number, &msg[8..], len - 8);
            }
            assert_eq!(counts, [COUNT; THREADS as usize]);
        });
    });
}

#[test]
fn receiving_a_message_takes_no_longer_than_its_timeout_and_loses_nothing() {
    in_time(|| {
        let (server, client) = ends();
        server.set_recv_timeout(Some(SHORT)).unwrap();
        let mut msg = b"old".to_vec();
        for len in [0, 10, 5000, 100_000] {
            assert_eq!(server.recv_msg(&mut msg).unwrap_err().kind(), ErrorKind::TimedOut);
            assert_eq!(server.recv_part(&mut [0; 3]).unwrap_err().kind(), ErrorKind::TimedOut);
            assert_eq!(server.peek_part(&mut [0; 3]).unwrap_err().kind(), ErrorKind::TimedOut);
            thread::scope(|scope| {
                scope.spawn(|| client.send(&bytes(3, len)).unwrap());
                server.set_recv_timeout(Some(LONG)).unwrap();
                assert_eq!(server.recv_msg(&mut msg).unwrap(), Some(len));
                check(3, &msg, len);
            });
            server.set_recv_timeout(Some(SHORT)).unwrap();
        }
    });
}

#[test]
fn messages_that_arrive_as_receiving_times_out_are_not_lost() {
    in_time(|| {
        const COUNT: u32 = 300;
        let (server, client) = ends();
        server.set_recv_timeout(Some(Duration::from_micros(50))).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..COUNT {
                    client.send(&bytes(number, number as usize * 31)).unwrap();
                    thread::yield_now();
                }
            });
            let mut msg = Vec::new();
            for number in 0..COUNT {
                while let Err(error) = server.recv_msg(&mut msg) {
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                }
                check(number, &msg, number as usize * 31);
            }
        });
    });
}

#[test]
fn a_send_that_times_out_sends_the_message_whole_or_not_at_all() {
    in_time(|| {
        let (server, client) = ends();
        client.set_send_timeout(Some(SHORT)).unwrap();
        // Far too long for the pipe: it is on its way, and only the next finds no room.
        assert_eq!(client.send(&bytes(0, 300_000)).unwrap(), 300_000);
        for _ in 0..2 {
            assert_eq!(client.send(b"not sent").unwrap_err().kind(), ErrorKind::TimedOut);
        }
        assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        check(0, &next(&server), 300_000);
        client.send(b"sent").unwrap();
        drop(client);
        assert_eq!(next(&server), b"sent");
        assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), None);
    });
}

#[test]
fn nonblocking_receiving_says_so_and_then_gives_the_message_whole() {
    in_time(|| {
        let (server, client) = ends();
        server.set_nonblocking(true).unwrap();
        assert!(server.is_nonblocking().unwrap());
        let mut msg = b"old".to_vec();
        for len in LENGTHS {
            for _ in 0..3 {
                would_block(server.recv_msg(&mut msg));
                would_block(server.recv_part(&mut [0; 10]));
                would_block(server.peek_part(&mut [0; 10]));
                would_block(server.recv_part(&mut []));
            }
            thread::scope(|scope| {
                scope.spawn(|| client.send(&bytes(9, len)).unwrap());
                let received = loop {
                    match server.recv_msg(&mut msg) {
                        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                        Ok(received) => break received,
                    }
                    thread::yield_now();
                };
                assert_eq!(received, Some(len));
                check(9, &msg, len);
            });
            msg = b"old".to_vec();
        }
        drop(client);
        until(|| !matches!(server.recv_msg(&mut msg), Err(error) if error.kind() == ErrorKind::WouldBlock));
        assert_eq!(server.recv_msg(&mut msg).unwrap(), None);
    });
}

#[test]
fn nonblocking_sending_takes_one_message_that_the_pipe_has_no_room_for() {
    in_time(|| {
        let (server, client) = ends();
        client.set_nonblocking(true).unwrap();
        client.send(&bytes(1, 1 << 20)).unwrap();
        would_block(client.send(b"no room"));
        would_block(client.send(b""));
        would_block(client.flush());
        check(1, &next(&server), 1 << 20);
        until(|| match client.send(b"room") {
            Ok(len) => len == 4,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        });
        assert_eq!(next(&server), b"room");
    });
}

#[test]
fn a_read_that_a_thread_left_behind_when_it_ended_loses_nothing() {
    in_time(|| {
        let (server, client) = ends();
        for round in 0..20 {
            thread::scope(|scope| {
                scope.spawn(|| {
                    server.set_recv_timeout(Some(Duration::from_millis(1))).unwrap();
                    assert_eq!(server.recv_msg(&mut Vec::new()).unwrap_err().kind(), ErrorKind::TimedOut);
                    server.set_recv_timeout(None).unwrap();
                });
            });
            if round % 2 == 0 {
                client.send(&bytes(round, 50_000)).unwrap();
                check(round, &next(&server), 50_000);
            } else {
                // It is there only later.
                thread::scope(|scope| {
                    let receiver = scope.spawn(|| next(&server));
                    client.send(&bytes(round, 10)).unwrap();
                    check(round, &receiver.join().unwrap(), 10);
                });
            }
        }
    });
}

#[test]
fn the_end_of_the_thread_whose_read_others_wait_for_too_does_not_leave_them_waiting() {
    in_time(|| {
        let (server, client) = ends();
        server.set_recv_timeout(Some(SHORT)).unwrap();
        thread::scope(|scope| {
            let (left, is_left) = mpsc::channel();
            let (end, may_end) = mpsc::channel::<()>();
            let server = &server;
            let first = scope.spawn(move || {
                // Leaves its read in flight, and lives on for a while.
                assert_eq!(server.recv_msg(&mut Vec::new()).unwrap_err().kind(), ErrorKind::TimedOut);
                left.send(()).unwrap();
                may_end.recv().unwrap();
            });
            is_left.recv().unwrap();
            server.set_recv_timeout(None).unwrap();
            let receiver = scope.spawn(|| next(server));
            // It may be waiting for that read by now; either way it has to get the message.
            thread::sleep(SHORT);
            end.send(()).unwrap();
            first.join().unwrap();
            client.send(b"message").unwrap();
            assert_eq!(receiver.join().unwrap(), b"message");
        });
    });
}

#[test]
fn a_message_whose_sender_is_killed_in_the_middle_of_it_is_never_passed_off_as_whole() {
    in_time(|| {
        for way in 0..5 {
            let name = unique_path();
            let listener = PipeListenerOptions::new().path(&*name).create_recv_only::<Messages>().unwrap();
            let mut child = Child::start("send_messages", &[&name, "5", "5000000"]);
            let server: RecvPipeStream<Messages> = listener.accept().unwrap();
            child.expect("sending");
            child.expect("sending");
            assert_eq!(next(&server), bytes(0, 5));
            // It is in the middle of sending 5 MB.
            let mut buf = vec![0; 10_000];
            let part = match way {
                0 => server.recv_part(&mut buf).unwrap().unwrap(),
                1 => server.peek_part(&mut buf).unwrap().unwrap(),
                2 => {
                    // A read that was there before, of which most is left.
                    let part = server.peek_part(&mut buf).unwrap().unwrap();
                    server.recv_part(&mut buf[..10]).unwrap().unwrap();
                    part
                }
                _ => {
                    until(|| server.peek_msg_len().unwrap() > 0);
                    MsgPart { len: 0, is_last: false }
                }
            };
            assert!(!part.is_last);
            check(1, &buf[..part.len], part.len);
            if way == 4 {
                server.set_max_msg_len(1_000_000);
                assert_eq!(server.recv_msg(&mut Vec::new()).unwrap_err().kind(), ErrorKind::InvalidData);
                server.set_max_msg_len(16 << 20);
            }
            child.kill();
            let mut msg = Vec::new();
            match server.recv_msg(&mut msg) {
                Ok(None) => {}
                Ok(Some(len)) => panic!("way {way}: {len} bytes were passed off as a message"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "way {way}: {error}"),
            }
            assert_eq!(server.recv_msg(&mut msg).unwrap(), None, "way {way}");
            assert_eq!(server.recv_part(&mut buf).unwrap(), None, "way {way}");
        }
    });
}

#[test]
fn a_message_that_ends_before_its_end_is_not_taken_for_the_end_of_the_stream() {
    in_time(|| {
        let (server, client) = ends();
        server.set_nonblocking(true).unwrap();
        // The beginning is read ahead.
        would_block(server.peek_part(&mut [0; 10]));
        client.set_nonblocking(true).unwrap();
        client.send(&bytes(1, 300_000)).unwrap();
        until(|| server.peek_msg_len().unwrap() == 300_000);
        // The rest is lost with the sender, as when it is killed.
        cancel(&client);
        drop(client);
        until(|| server.is_peer_gone().unwrap());
        let error = server.recv_msg(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        until(
            || !matches!(server.recv_msg(&mut Vec::new()), Err(error) if error.kind() == ErrorKind::WouldBlock),
        );
        assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), None);
    });
}

/// Takes back what the end is about to send, as a thread that ends or a program with timeouts of its own does.
fn cancel(stream: &impl AsHandle) {
    // SAFETY: the handle is open; null is for all operations.
    assert_ne!(unsafe { CancelIoEx(stream.as_handle().as_raw_handle(), std::ptr::null()) }, 0);
}

#[test]
fn a_message_that_its_sender_takes_back_is_an_error_and_the_next_is_whole() {
    in_time(|| {
        let (server, client) = ends();
        server.set_nonblocking(true).unwrap();
        would_block(server.peek_part(&mut [0; 10]));
        client.set_nonblocking(true).unwrap();
        client.send(&bytes(1, 300_000)).unwrap();
        until(|| server.peek_msg_len().unwrap() == 300_000);
        cancel(&client);
        until(|| client.take_error().unwrap().is_some());
        // The first bytes are here, and the rest does not come.
        let error = server.recv_msg(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        client.send(b"next").unwrap();
        server.set_nonblocking(false).unwrap();
        assert_eq!(next(&server), b"next");
    });
}

#[test]
fn messages_arrive_in_order_however_modes_and_ways_of_receiving_change_meanwhile() {
    const COUNT: u32 = 400;

    fn length(number: u32) -> usize {
        match number % 50 {
            0 => 150_000,
            1..10 => 0,
            _ => number as usize * 61 % 9000,
        }
    }

    /// What comes instead of success when it would have to wait.
    fn is_later(error: &io::Error) -> bool {
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && error.raw_os_error().is_none()
    }

    fn receive(stream: &Stream) {
        let mut buf = vec![0; 3000];
        for number in 0..COUNT {
            let mut whole = Vec::new();
            for step in number.. {
                let (len, is_last) = match step % 4 {
                    0 => match stream.peek_part(&mut buf[..100]) {
                        Ok(part) => {
                            let peeked = &buf[..part.expect("the stream ended").len];
                            assert!(bytes(number, length(number))[whole.len()..].starts_with(peeked));
                            continue;
                        }
                        Err(error) if is_later(&error) => continue,
                        Err(error) => panic!("{error:?}"),
                    },
                    1 => match stream.recv_part(&mut buf[..step as usize % 3000]) {
                        Ok(part) => part.map(|part| (part.len, part.is_last)).expect("the stream ended"),
                        Err(error) if is_later(&error) => continue,
                        Err(error) => panic!("{error:?}"),
                    },
                    _ => match stream.recv_msg(&mut buf) {
                        Ok(len) => (len.expect("the stream ended"), true),
                        Err(error) if is_later(&error) => continue,
                        Err(error) => panic!("{error:?}"),
                    },
                };
                whole.extend_from_slice(&buf[..len]);
                buf.resize(3000, 0);
                if is_last {
                    break;
                }
            }
            check(number, &whole, length(number));
        }
    }

    fn send(stream: &Stream) {
        for number in 0..COUNT {
            while let Err(error) = stream.send(&bytes(number, length(number))) {
                assert!(is_later(&error), "{error:?}");
                thread::yield_now();
            }
        }
    }

    in_time(|| {
        let (server, client) = ends();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for stream in [&server, &client] {
                let is_over = &is_over;
                scope.spawn(move || {
                    for round in 0.. {
                        stream.set_nonblocking(round % 3 == 0).unwrap();
                        let timeout = (round % 3 == 1).then_some(Duration::from_micros(300));
                        stream.set_recv_timeout(timeout).unwrap();
                        stream.set_send_timeout(timeout).unwrap();
                        if is_over.load(Relaxed) {
                            break;
                        }
                        thread::sleep(Duration::from_millis(1));
                    }
                });
            }
            let all = [&server, &client]
                .map(|stream| [scope.spawn(|| receive(stream)), scope.spawn(|| send(stream))]);
            let results: Vec<_> = all.into_iter().flatten().map(thread::ScopedJoinHandle::join).collect();
            is_over.store(true, Relaxed);
            results.into_iter().for_each(Result::unwrap);
        });
    });
}

#[test]
fn bytes_may_be_received_from_a_pipe_of_messages() {
    in_time(|| {
        let (server, client) = pair::<Bytes, Messages>();
        for text in ["one", "", "two", "", "", "three"] {
            client.send(text.as_bytes()).unwrap();
            server.send(text.as_bytes()).unwrap();
        }
        client.send(&bytes(4, 10_000)).unwrap();
        let mut received = vec![0; 11];
        server.recv(&mut [0; 0]).unwrap();
        (&server).read_exact(&mut received).unwrap();
        assert_eq!(received, b"onetwothree");
        let mut buf = vec![0; 10_000];
        (&server).read_exact(&mut buf).unwrap();
        check(4, &buf, 10_000);
        drop(client);
        assert_eq!(server.recv(&mut buf).unwrap(), 0);
    });
}

#[test]
fn bytes_sent_into_a_pipe_of_messages_arrive_in_pieces_whose_bounds_mean_nothing() {
    in_time(|| {
        const LEN: usize = 1_000_000;
        let (server, client) = pair::<Messages, Bytes>();
        thread::scope(|scope| {
            scope.spawn(|| {
                // `client` receives bytes and sends messages.
                let mut all = Vec::new();
                let mut buf = vec![0; 30_000];
                while all.len() < LEN {
                    let len = client.recv(&mut buf).unwrap();
                    all.extend_from_slice(&buf[..len]);
                }
                check(6, &all, LEN);
                client.send(&all).unwrap();
            });
            let all = bytes(6, LEN);
            let mut sent = 0;
            while sent < LEN {
                sent += server.send(&all[sent..]).unwrap();
            }
            check(6, &next(&server), LEN);
        });
    });
}

#[test]
fn messages_go_one_way_in_either_direction() {
    in_time(|| {
        let (server, client): (PipeStream<Messages, Nothing>, PipeStream<Nothing, Messages>) = pair();
        client.send(b"to the server").unwrap();
        assert_eq!(next(&server), b"to the server");
        drop(client);
        assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), None);
        let (server, client): (PipeStream<Nothing, Messages>, PipeStream<Messages, Nothing>) = pair();
        server.send(b"to the client").unwrap();
        assert_eq!(next(&client), b"to the client");
        assert_eq!(client.peek_msg_len().unwrap(), 0);
        drop(server);
        assert_eq!(client.recv_msg(&mut Vec::new()).unwrap(), None);
    });
}

#[test]
fn messages_that_were_sent_are_there_when_the_sender_is_gone() {
    in_time(|| {
        let (server, client) = ends();
        client.set_nonblocking(true).unwrap();
        client.send(b"first").unwrap();
        client.send(&bytes(8, 2_000_000)).unwrap();
        drop(client);
        assert_eq!(next(&server), b"first");
        check(8, &next(&server), 2_000_000);
        assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), None);
        assert_eq!(server.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        server.set_send_timeout(Some(LONG)).unwrap();
        assert_eq!(server.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        server.set_nonblocking(true).unwrap();
        assert_eq!(server.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

/// Answers so many questions with what `answer` makes of them.
fn serve(server: &Stream, count: usize, answer: impl Fn(&[u8]) -> Vec<u8>) {
    let mut question = Vec::new();
    for _ in 0..count {
        server.recv_msg(&mut question).unwrap().expect("no question");
        server.send(&answer(&question)).unwrap();
    }
}

fn ask(client: &Stream, question: &[u8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(64);
    let len = client.transact(question, &mut answer).unwrap();
    assert_eq!(len, Some(answer.len()));
    answer
}

#[track_caller]
fn assert_busy(result: io::Result<Option<usize>>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceBusy, "{error:?}");
}

/// Fails if there is a message.
#[track_caller]
fn assert_nothing_sent(server: &Stream) {
    server.set_nonblocking(true).unwrap();
    would_block(server.recv_msg(&mut Vec::new()));
    server.set_nonblocking(false).unwrap();
}

#[test]
fn questions_and_answers_of_any_length_arrive_whole() {
    in_time(|| {
        let (server, client) = ends();
        thread::scope(|scope| {
            scope.spawn(|| serve(&server, LENGTHS.len() * 3, <[u8]>::to_vec));
            for (number, len) in (0..).zip(LENGTHS) {
                for capacity in [0, 100, 70_000] {
                    let mut answer = Vec::with_capacity(capacity);
                    let question = bytes(number, len);
                    assert_eq!(client.transact(&question, &mut answer).unwrap(), Some(len));
                    check(number, &answer, len);
                }
            }
        });
    });
}

#[test]
fn the_server_may_ask_too_and_with_a_timeout() {
    in_time(|| {
        let (server, client) = ends();
        server.set_recv_timeout(Some(LONG)).unwrap();
        server.set_send_timeout(Some(LONG)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| serve(&client, 4, |question| question.repeat(3)));
            for len in [0, 1, 5000, 100_000] {
                check(0, &ask(&server, &bytes(0, len))[..len], len);
            }
        });
    });
}

#[test]
fn an_answer_that_is_too_long_can_be_received_nevertheless() {
    in_time(|| {
        let (server, client) = ends();
        client.set_max_msg_len(999);
        thread::scope(|scope| {
            scope.spawn(|| serve(&server, 1, |_| bytes(4, 10_000)));
            let mut answer = Vec::new();
            let error = client.transact(b"?", &mut answer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert_busy(client.transact(b"another", &mut answer));
            client.set_max_msg_len(10_000);
            check(4, &next(&client), 10_000);
        });
        assert_nothing_sent(&server);
        thread::scope(|scope| {
            scope.spawn(|| serve(&server, 1, <[u8]>::to_vec));
            assert_eq!(ask(&client, b"again"), b"again");
        });
    });
}

#[test]
fn a_question_is_not_sent_while_a_message_waits_to_be_received() {
    in_time(|| {
        let (server, client) = ends();
        let mut answer = b"old".to_vec();
        for len in [0, 5, 100] {
            // In the pipe.
            server.send(&bytes(2, len)).unwrap();
            assert_busy(client.transact(b"question", &mut answer));
            assert_busy(client.transact(b"question", &mut answer));
            assert_nothing_sent(&server);
            check(2, &next(&client), len);

            // Read ahead.
            client.set_nonblocking(true).unwrap();
            would_block(client.recv_msg(&mut answer));
            client.set_nonblocking(false).unwrap();
            server.send(&bytes(3, len)).unwrap();
            assert_busy(client.transact(b"question", &mut answer));
            assert_nothing_sent(&server);
            check(3, &next(&client), len);

            // In part.
            server.send(b"0123").unwrap();
            client.recv_part(&mut [0; 2]).unwrap();
            assert_busy(client.transact(b"question", &mut answer));
            assert_nothing_sent(&server);
            assert_eq!(next(&client), b"23");
        }
        thread::scope(|scope| {
            scope.spawn(|| serve(&server, 1, <[u8]>::to_vec));
            assert_eq!(ask(&client, b"question"), b"question");
        });
    });
}

#[test]
fn a_read_that_was_left_in_flight_does_not_get_in_the_way_of_a_question() {
    in_time(|| {
        let (server, client) = ends();
        for round in 0..20 {
            client.set_nonblocking(true).unwrap();
            would_block(client.recv_msg(&mut Vec::new()));
            client.set_nonblocking(false).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| serve(&server, 1, <[u8]>::to_vec));
                check(round, &ask(&client, &bytes(round, 100)), 100);
            });
        }
    });
}

#[test]
fn a_question_that_was_given_up_arrives_whole_or_not_at_all() {
    in_time(|| {
        for len in [10, 300_000] {
            let (server, client) = ends();
            client.set_recv_timeout(Some(SHORT)).unwrap();
            let error = client.transact(&bytes(1, len), &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            drop(client);
            let mut msg = Vec::new();
            if server.recv_msg(&mut msg).unwrap().is_some() {
                check(1, &msg, len);
                assert_eq!(server.recv_msg(&mut msg).unwrap(), None);
            }
        }
    });
}

#[test]
fn an_answer_that_comes_late_is_the_next_message_and_then_one_may_ask_again() {
    in_time(|| {
        let (server, client) = ends();
        for len in [0, 10, 100_000] {
            client.set_recv_timeout(Some(SHORT)).unwrap();
            let mut answer = Vec::new();
            assert_eq!(client.transact(b"one", &mut answer).unwrap_err().kind(), ErrorKind::TimedOut);
            assert_busy(client.transact(b"two", &mut answer));
            assert_eq!(client.recv_msg(&mut answer).unwrap_err().kind(), ErrorKind::TimedOut);
            client.set_recv_timeout(None).unwrap();
            assert_eq!(next(&server), b"one");
            assert_nothing_sent(&server);
            thread::scope(|scope| {
                scope.spawn(|| server.send(&bytes(1, len)).unwrap());
                check(1, &next(&client), len);
            });
            thread::scope(|scope| {
                scope.spawn(|| serve(&server, 1, <[u8]>::to_vec));
                assert_eq!(ask(&client, b"three"), b"three");
            });
        }
    });
}

#[test]
fn a_late_answer_comes_though_the_thread_that_asked_has_ended() {
    in_time(|| {
        let (server, client) = ends();
        client.set_recv_timeout(Some(SHORT)).unwrap();
        for round in 0..10 {
            thread::scope(|scope| {
                let ask = || client.transact(&bytes(round, 100_000), &mut Vec::new()).unwrap_err();
                assert_eq!(scope.spawn(ask).join().unwrap().kind(), ErrorKind::TimedOut);
            });
            check(round, &next(&server), 100_000);
            server.send(b"late").unwrap();
            client.set_recv_timeout(None).unwrap();
            assert_eq!(next(&client), b"late");
            client.set_recv_timeout(Some(SHORT)).unwrap();
        }
    });
}

#[test]
fn asking_in_nonblocking_mode_sends_the_question_and_does_not_wait() {
    in_time(|| {
        let (server, client) = ends();
        client.set_nonblocking(true).unwrap();
        for len in [0, 10, 100_000] {
            let mut answer = Vec::new();
            would_block(client.transact(&bytes(1, len), &mut answer));
            would_block(client.recv_msg(&mut answer));
            assert_eq!(client.peek_msg_len().unwrap(), 0);
            check(1, &next(&server), len);
            server.send(b"answer").unwrap();
            until(|| client.recv_msg(&mut answer).is_ok());
            assert_eq!(answer, b"answer");
        }
    });
}

#[test]
fn asking_a_peer_that_is_gone_is_a_broken_pipe() {
    in_time(|| {
        let kind = |client: &Stream| client.transact(b"?", &mut Vec::new()).unwrap_err().kind();
        let (server, client) = ends();
        drop(server);
        assert_eq!(kind(&client), ErrorKind::BrokenPipe);
        client.set_recv_timeout(Some(LONG)).unwrap();
        assert_eq!(kind(&client), ErrorKind::BrokenPipe);
        client.set_nonblocking(true).unwrap();
        assert_eq!(kind(&client), ErrorKind::BrokenPipe);

        let (server, client) = ends();
        server.disconnect().unwrap();
        assert_eq!(kind(&client), ErrorKind::BrokenPipe);
        assert_eq!(kind(&server), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_read_that_found_the_peer_gone_does_not_make_asking_seem_busy() {
    in_time(|| {
        let (server, client) = ends();
        client.set_nonblocking(true).unwrap();
        would_block(client.recv_msg(&mut Vec::new()));
        drop(server);
        until(|| client.is_peer_gone().unwrap());
        client.set_nonblocking(false).unwrap();
        let error = client.transact(b"?", &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error:?}");
    });
}

#[test]
fn a_peer_that_leaves_without_an_answer_is_the_end_of_the_stream() {
    in_time(|| {
        for timeout in [None, Some(LONG)] {
            let (server, client) = ends();
            client.set_recv_timeout(timeout).unwrap();
            thread::scope(|scope| {
                scope.spawn(move || assert_eq!(next(&server), b"?"));
                assert_eq!(client.transact(b"?", &mut Vec::new()).unwrap(), None);
            });
        }
    });
}

#[test]
fn of_two_threads_that_ask_at_once_one_is_told_that_the_other_does() {
    in_time(|| {
        let (server, client) = ends();
        for round in 0..20 {
            thread::scope(|scope| {
                let first = scope.spawn(|| ask(&client, b"first"));
                assert_eq!(next(&server), b"first");
                assert_busy(client.transact(b"second", &mut Vec::new()));
                assert_nothing_sent(&server);
                server.send(&bytes(round, 100)).unwrap();
                check(round, &first.join().unwrap(), 100);
            });
        }
    });
}

#[test]
fn many_threads_that_ask_in_turn_each_get_their_own_answer() {
    in_time(|| {
        const THREADS: u32 = 4;
        const ROUNDS: u32 = 30;
        let (server, client) = ends();
        let together = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            scope.spawn(|| serve(&server, (THREADS * ROUNDS) as usize, <[u8]>::to_vec));
            for thread in 0..THREADS {
                let (client, together) = (&client, &together);
                scope.spawn(move || {
                    together.wait();
                    let mut answer = Vec::new();
                    for round in 0..ROUNDS {
                        let question = format!("{thread} {round}");
                        while let Err(error) = client.transact(question.as_bytes(), &mut answer) {
                            assert_eq!(error.kind(), ErrorKind::ResourceBusy);
                            thread::yield_now();
                        }
                        assert_eq!(String::from_utf8_lossy(&answer), question);
                    }
                });
            }
        });
    });
}

#[test]
fn the_answer_to_a_question_goes_to_no_other_thread_that_receives() {
    in_time(|| {
        let (server, client) = ends();
        let mut msg = Vec::new();
        for round in 0..20 {
            // One that comes later.
            thread::scope(|scope| {
                let asker = scope.spawn(|| ask(&client, b"question"));
                assert_eq!(next(&server), b"question");
                assert_busy(client.recv_msg(&mut msg));
                assert_eq!(client.recv_part(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ResourceBusy);
                assert_eq!(client.peek_part(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ResourceBusy);
                server.send(&bytes(round, 100_000)).unwrap();
                check(round, &asker.join().unwrap(), 100_000);
            });
            // One that was there before, as a rule: nothing tells whether it waits yet.
            thread::scope(|scope| {
                let (started, has_started) = mpsc::channel();
                let client = &client;
                let other = scope.spawn(move || {
                    started.send(()).unwrap();
                    let mut msg = Vec::new();
                    client.recv_msg(&mut msg).map(|_| msg)
                });
                has_started.recv().unwrap();
                thread::sleep(Duration::from_millis(5));
                scope.spawn(|| {
                    let mut question = next(&server);
                    if question == b"question" {
                        server.send(b"answer").unwrap();
                        question = next(&server);
                    }
                    assert_eq!(question, b"over");
                    server.send(b"for the other").unwrap();
                });
                let mut answer = Vec::new();
                match client.transact(b"question", &mut answer) {
                    Ok(_) => assert_eq!(answer, b"answer"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::ResourceBusy),
                }
                client.send(b"over").unwrap();
                let msg = other.join().unwrap().unwrap_or_else(|error| {
                    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
                    next(client)
                });
                assert_eq!(msg, b"for the other");
            });
        }
    });
}

#[test]
fn what_is_in_the_middle_of_a_pipe_when_it_is_cut_is_lost_and_that_is_seen() {
    in_time(|| {
        let (server, client) = ends();
        server.send(b"lost").unwrap();
        server.disconnect().unwrap();
        let mut msg = Vec::new();
        assert_eq!(client.recv_msg(&mut msg).unwrap(), None);
        assert_eq!(client.recv_part(&mut [0; 4]).unwrap(), None);
        assert_eq!(client.peek_part(&mut [0; 4]).unwrap(), None);
        assert_eq!(client.peek_msg_len().unwrap(), 0);
        assert_eq!(client.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(server.recv_msg(&mut msg).unwrap(), None);
        assert_eq!(server.peek_msg_len().unwrap(), 0);
        assert_eq!(server.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert!(client.is_peer_gone().unwrap() && server.is_peer_gone().unwrap());
    });
}
