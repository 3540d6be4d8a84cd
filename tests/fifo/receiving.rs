//! Receiving, and where a stream ends.

use crate::{
    Fifo, SHORT,
    support::{Child, in_time, say},
};
use interprocess::os::unix::fifo_file::{OpenOptions, Recver, Sender};
use std::{
    io::{ErrorKind, IoSliceMut, Read, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

#[test]
fn a_receiver_waits_for_the_first_sender_and_ends_with_the_last() {
    let fifo = Fifo::new();
    let mut recver = Recver::open(fifo.path()).expect("open");
    let path = fifo.path();
    let (go, may_go) = mpsc::channel();
    let sending = thread::spawn(move || {
        may_go.recv().expect("told");
        let one = Sender::open(&path).expect("open");
        let other = Sender::open(&path).expect("open");
        one.send(b"one").expect("send");
        drop(one);
        other.send(b"other").expect("send");
    });
    let received = thread::spawn(move || {
        let mut received = String::new();
        recver.read_to_string(&mut received).map(|_| (received, recver))
    });
    go.send(()).expect("there");
    let (received, recver) = in_time(move || received.join().expect("no panic").expect("received"));
    sending.join().expect("no panic");
    assert_eq!(received, "oneother");
    assert_eq!(recver.recv(&mut [0; 8]).expect("still the end"), 0);
}

#[test]
fn who_sees_the_end_gets_what_later_senders_send() {
    let fifo = Fifo::new();
    let recver = Recver::open(fifo.path()).expect("open");
    let mut buf = [0; 8];
    for _ in 0..3 {
        let sender = Sender::open(fifo.path()).expect("open");
        sender.send(b"more").expect("send");
        drop(sender);
        assert_eq!(recver.recv(&mut buf).expect("receive"), 4);
        assert_eq!(recver.recv(&mut buf).expect("the end"), 0);
    }
}

/// Elsewhere nobody tells.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_sender_that_leaves_without_a_byte_ends_the_stream() {
    let fifo = Fifo::new();
    let recver = OpenOptions::new().nonblocking(true).recver(fifo.path()).expect("open");
    let mut buf = [0; 8];
    assert_eq!(recver.recv(&mut buf).expect_err("nobody has come").kind(), ErrorKind::WouldBlock);
    let sender = Sender::open(fifo.path()).expect("open");
    assert_eq!(recver.recv(&mut buf).expect_err("nothing was sent").kind(), ErrorKind::WouldBlock);
    drop(sender);
    recver.set_nonblocking(false).expect("blocking");
    assert_eq!(in_time(move || recver.recv(&mut buf)).expect("the end"), 0);
}

#[test]
fn a_stream_that_stays_open_goes_on_from_sender_to_sender() {
    let fifo = Fifo::new();
    let recver = OpenOptions::new().stay_open(true).recver(fifo.path()).expect("open");
    recver.set_recv_timeout(Some(SHORT)).expect("timeout");
    let mut buf = [0; 8];
    for note in 0..1000_u32 {
        let sender = Sender::open(fifo.path()).expect("open");
        sender.send(&note.to_be_bytes()).expect("send");
        drop(sender);
        assert_eq!(recver.recv(&mut buf).expect("receive"), 4);
        assert_eq!(buf[..4], note.to_be_bytes());
    }
    let clone = recver.try_clone().expect("clone");
    drop(recver);
    assert_eq!(clone.recv(&mut buf).expect_err("not the end").kind(), ErrorKind::TimedOut);
    // With the last receiver, what kept it open has gone.
    drop(clone);
    let recver = Recver::open(fifo.path()).expect("open");
    drop(Sender::open(fifo.path()).expect("open").send(b"x"));
    assert_eq!(recver.recv(&mut buf).expect("receive"), 1);
    assert_eq!(recver.recv(&mut buf).expect("the end"), 0);
}

#[test]
fn receiving_waits_no_longer_than_it_may() {
    let fifo = Fifo::new();
    let recver = Recver::open(fifo.path()).expect("open");
    let mut buf = [0; 8];
    let error = recver.set_recv_timeout(Some(Duration::ZERO)).expect_err("zero");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(recver.recv_timeout(), None);
    recver.set_recv_timeout(Some(SHORT)).expect("timeout");
    // While nobody has come, and while somebody is there.
    assert_eq!(recver.recv(&mut buf).expect_err("nobody").kind(), ErrorKind::TimedOut);
    let sender = Sender::open(fifo.path()).expect("open");
    assert_eq!(recver.recv(&mut buf).expect_err("nothing").kind(), ErrorKind::TimedOut);
    // A clone has the same mode and timeout.
    let clone = recver.try_clone().expect("clone");
    assert_eq!(clone.recv_timeout(), Some(SHORT));
    clone.set_nonblocking(true).expect("nonblocking");
    assert!(recver.is_nonblocking());
    assert_eq!(recver.recv(&mut buf).expect_err("nothing").kind(), ErrorKind::WouldBlock);
    clone.set_nonblocking(false).expect("blocking");
    clone.set_recv_timeout(None).expect("no timeout");
    let receiving = thread::spawn(move || recver.recv(&mut buf).map(|len| buf[..len].to_vec()));
    sender.send(b"late").expect("send");
    assert_eq!(in_time(move || receiving.join().expect("no panic")).expect("receive"), b"late");
}

#[test]
fn several_buffers_are_filled_in_order_and_empty_ones_do_not_wait() {
    let fifo = Fifo::new();
    let (mut sender, recver) = OpenOptions::new().both(fifo.path()).expect("open");
    assert_eq!(recver.recv(&mut []).expect("nothing is wanted"), 0);
    assert_eq!(recver.recv_vectored(&mut []).expect("nothing is wanted"), 0);
    assert_eq!(recver.recv_vectored(&mut [IoSliceMut::new(&mut [])]).expect("nothing is wanted"), 0);
    assert_eq!(sender.send(b"").expect("nothing to send"), 0);
    assert_eq!(sender.send_vectored(&[]).expect("nothing to send"), 0);
    sender.write_all(b"headbody").expect("send");
    assert_eq!(recver.available().expect("how many"), 8);
    let (mut head, mut body) = ([0; 4], [0; 8]);
    let mut bufs = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
    assert_eq!(recver.recv_vectored(&mut bufs).expect("receive"), 8);
    assert_eq!((&head, &body[..4]), (b"head", &b"body"[..]));
    assert_eq!(recver.available().expect("how many"), 0);
}

#[test]
fn more_buffers_than_the_system_takes_are_filled_in_part() {
    let fifo = Fifo::new();
    let (sender, recver) = OpenOptions::new().both(fifo.path()).expect("open");
    let bytes = [7; 2000];
    let parts: Vec<_> = bytes.chunks(1).map(std::io::IoSlice::new).collect();
    let sent = sender.send_vectored(&parts).expect("send");
    let mut received = [0; 2000];
    let mut parts: Vec<_> = received.chunks_mut(1).map(IoSliceMut::new).collect();
    let count = recver.recv_vectored(&mut parts).expect("receive");
    assert!(sent > 0 && count > 0 && count <= sent, "{count} of {sent}");
}

pub(crate) fn send_until_killed(arguments: &[String]) {
    let sender = Sender::open(&arguments[0]).expect("open");
    sender.send(b"half a line").expect("send");
    say("sent");
    thread::park();
}

#[test]
fn a_sender_that_is_killed_leaves_what_it_sent_and_the_end() {
    let fifo = Fifo::new();
    let recver = Recver::open(fifo.path()).expect("open");
    let mut child = Child::start("send_until_killed", &[&fifo.name()]);
    child.expect("sent");
    let mut buf = [0; 32];
    assert_eq!(recver.recv(&mut buf).expect("receive"), 11);
    recver.set_recv_timeout(Some(SHORT)).expect("timeout");
    assert_eq!(recver.recv(&mut buf).expect_err("it lives").kind(), ErrorKind::TimedOut);
    recver.set_recv_timeout(None).expect("no timeout");
    child.kill();
    assert_eq!(in_time(move || recver.recv(&mut buf)).expect("the end"), 0);
}
