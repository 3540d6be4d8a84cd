//! Sequenced packets: connections that keep the boundaries of messages.

use crate::support::{LIMIT, TempDir};
use interprocess::os::unix::udsocket::{UdSeqpacket, UdSeqpacketListener};
use std::{io::ErrorKind, net::Shutdown};

#[test]
fn a_connection_keeps_boundaries_and_has_an_end() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let listener = UdSeqpacketListener::bind_with_drop_guard(&path).expect("bind");
    let client = UdSeqpacket::connect(&path).expect("connect");
    let server = listener.accept_timeout(LIMIT).expect("accept");
    client.send(b"one").expect("send");
    client.send(b"three").expect("send");
    drop(client);
    let mut buf = [0; 4];
    assert_eq!(server.recv(&mut buf).expect("receive"), (3, false));
    assert_eq!(server.recv(&mut buf).expect("receive"), (4, true));
    assert_eq!(server.recv(&mut buf).expect("receive"), (0, false));
}

#[test]
fn an_empty_packet_is_refused_since_it_looks_like_the_end() {
    let (one, other) = UdSeqpacket::pair().expect("pair");
    assert_eq!(one.send(b"").expect_err("empty").kind(), ErrorKind::InvalidInput);
    assert_eq!(one.send_vectored(&[]).expect_err("empty").kind(), ErrorKind::InvalidInput);
    other.set_nonblocking(true).expect("mode");
    assert_eq!(other.recv(&mut [0; 1]).expect_err("nothing").kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_peer_that_left_without_having_read_is_the_end_for_us_and_a_broken_pipe() {
    let (one, other) = UdSeqpacket::pair().expect("pair");
    one.send(b"never read").expect("send");
    drop(other);
    assert_eq!(one.recv(&mut [0; 1]).expect("the end"), (0, false));
    assert_eq!(one.send(b"x").expect_err("nobody is there").kind(), ErrorKind::BrokenPipe);
}

#[test]
fn what_the_peer_sent_comes_though_it_left_without_having_read() {
    let (one, other) = UdSeqpacket::pair().expect("pair");
    one.send(b"never read").expect("send");
    other.send(b"last words").expect("send");
    drop(other);
    let mut buf = [0; 16];
    assert_eq!(one.recv(&mut buf).expect("receive"), (10, false));
    assert_eq!(&buf[..10], b"last words");
    assert_eq!(one.recv(&mut buf).expect("the end"), (0, false));
}

#[test]
fn either_direction_ends_by_itself() {
    let (one, other) = UdSeqpacket::pair().expect("pair");
    one.shutdown(Shutdown::Write).expect("shutdown");
    assert_eq!(other.recv(&mut [0; 1]).expect("the end"), (0, false));
    other.send(b"still").expect("send");
    assert_eq!(one.recv(&mut [0; 8]).expect("receive"), (5, false));
}
