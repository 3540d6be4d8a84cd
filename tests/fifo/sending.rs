//! Sending, and what happens to it when nobody receives.

use crate::{
    Fifo, SHORT,
    support::{Child, in_time, say},
};
use interprocess::os::unix::fifo_file::{OpenOptions, PIPE_BUF, Recver, Sender};
use std::{
    io::{ErrorKind, Read, Write},
    thread,
    time::Duration,
};

pub(crate) fn break_a_pipe(arguments: &[String]) {
    // As it is in programs that are not Rust's.
    // SAFETY: no handler is installed, and none was.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let (sender, recver) = OpenOptions::new().both(&arguments[0]).expect("open");
    sender.send(b"x").expect("somebody could receive it");
    drop(recver);
    for _ in 0..2 {
        assert_eq!(sender.send(b"x").expect_err("nobody").kind(), ErrorKind::BrokenPipe);
        let bufs = [std::io::IoSlice::new(b"x"), std::io::IoSlice::new(b"y")];
        assert_eq!(sender.send_vectored(&bufs).expect_err("nobody").kind(), ErrorKind::BrokenPipe);
    }
    // Somebody may come again.
    let recver = Recver::open(&arguments[0]).expect("open");
    sender.send(b"y").expect("somebody is there");
    drop(recver);
    say("alive");
}

#[test]
fn a_broken_pipe_is_an_error_and_never_the_end_of_the_process() {
    let fifo = Fifo::new();
    let mut child = Child::start("break_a_pipe", &[&fifo.name()]);
    child.expect("alive");
    assert!(child.wait().success());
}

/// Sends until it has to wait, in pieces of that many bytes, and says how many bytes there are now.
fn fill(sender: &Sender, piece: usize) -> usize {
    sender.set_nonblocking(true).expect("nonblocking");
    let (piece, mut sent) = (vec![1; piece], 0);
    loop {
        match sender.send(&piece) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    sender.set_nonblocking(false).expect("blocking");
    sent
}

#[test]
fn sending_waits_for_room_no_longer_than_it_may() {
    let fifo = Fifo::new();
    let (sender, mut recver) = OpenOptions::new().both(fifo.path()).expect("open");
    let filled = fill(&sender, PIPE_BUF);
    assert_eq!(
        sender.set_send_timeout(Some(Duration::ZERO)).expect_err("zero").kind(),
        ErrorKind::InvalidInput
    );
    sender.set_send_timeout(Some(SHORT)).expect("timeout");
    assert_eq!(sender.send_timeout(), Some(SHORT));
    assert_eq!(sender.send(b"x").expect_err("full").kind(), ErrorKind::TimedOut);
    sender.set_send_timeout(None).expect("no timeout");
    // Much more than there is room for, without one.
    let sending = thread::spawn(move || {
        let mut sender = sender;
        sender.write_all(&vec![2; 1 << 20])
    });
    let mut received = Vec::new();
    in_time(move || {
        recver.read_to_end(&mut received).expect("received");
        assert_eq!(received.len(), filled + (1 << 20));
        assert!(received[..filled].iter().all(|byte| *byte == 1));
        assert!(received[filled..].iter().all(|byte| *byte == 2));
    });
    sending.join().expect("no panic").expect("sent");
}

#[test]
fn what_is_short_enough_is_sent_whole_or_not_at_all() {
    let fifo = Fifo::new();
    let (sender, recver) = OpenOptions::new().nonblocking(true).both(fifo.path()).expect("open");
    assert!(sender.is_nonblocking() && recver.is_nonblocking());
    fill(&sender, PIPE_BUF);
    sender.set_nonblocking(true).expect("nonblocking");
    assert_eq!(recver.recv(&mut [0; 16]).expect("receive"), 16);
    // Less than `PIPE_BUF` of room.
    let error = sender.send(&[1; PIPE_BUF]).expect_err("no room for all");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

pub(crate) fn send_lines(arguments: &[String]) {
    let sender = Sender::open(&arguments[0]).expect("open");
    for number in 0..LINES {
        let line = format!("{} {number:width$}\n", arguments[1], width = PIPE_BUF - arguments[1].len() - 2);
        assert_eq!(sender.send(line.as_bytes()).expect("send"), PIPE_BUF);
    }
}

const LINES: usize = 200;

#[test]
fn short_messages_of_many_processes_are_never_mixed() {
    let fifo = Fifo::new();
    let mut recver = Recver::open(fifo.path()).expect("open");
    let names = ["a", "b", "c", "d"];
    let children: Vec<_> =
        names.iter().map(|name| Child::start("send_lines", &[&fifo.name(), name])).collect();
    // Nothing says that they come together, so the stream may end in between; but none may be missing in the end.
    let mut next = [0; 4];
    in_time(move || {
        let mut line = [0; PIPE_BUF];
        while next != [LINES; 4] {
            match recver.read(&mut line[..1]).expect("receive") {
                0 => thread::yield_now(),
                _ => {
                    recver.read_exact(&mut line[1..]).expect("all of the line");
                    let line = std::str::from_utf8(&line).expect("text");
                    let (name, number) = line.split_once(' ').expect("two words");
                    let of = names.iter().position(|other| *other == name).expect("a child");
                    assert_eq!(number.trim(), next[of].to_string());
                    next[of] += 1;
                }
            }
        }
    });
    for mut child in children {
        assert!(child.wait().success());
    }
}
