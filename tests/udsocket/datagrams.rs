//! Datagrams.

use crate::support::{LIMIT, TempDir};
use interprocess::{
    local_socket::ExistingName,
    os::unix::udsocket::{BindOptions, UdSocket, UdSocketPath},
};
use std::{
    io::{ErrorKind, IoSlice, IoSliceMut},
    os::unix::net::UnixDatagram,
    time::Duration,
};

#[test]
fn who_takes_the_name_of_another_is_answered_at_that_name() {
    let dir = TempDir::new();
    let path = dir.join("name");
    let _robbed = UdSocket::bind(&path).expect("bind");
    let thief = BindOptions::new().existing_name(ExistingName::Steal).bind_datagram(&path).expect("steal");
    let server = UdSocket::bind_with_drop_guard(dir.join("server")).expect("bind");
    thief.send_to(b"ping", dir.join("server")).expect("send");
    let (mut buf, mut from) = ([0; 8], UdSocketPath::buffer());
    server.recv_from(&mut buf, &mut from).expect("receive");
    assert_eq!(from.as_path(), Some(path.as_path()));
    server.send_to(b"pong", &from).expect("send");
    assert_eq!(thief.recv(&mut buf).expect("receive"), (4, false));
}

#[test]
fn boundaries_are_kept_and_empty_ones_arrive() {
    let (one, other) = UdSocket::pair().expect("pair");
    other.set_recv_timeout(Some(LIMIT)).expect("timeout");
    for message in [&b"first"[..], b"", b"third"] {
        assert_eq!(one.send(message).expect("send"), message.len());
    }
    let mut buf = [0; 16];
    for message in [&b"first"[..], b"", b"third"] {
        assert_eq!(other.recv(&mut buf).expect("receive"), (message.len(), false));
        assert_eq!(&buf[..message.len()], message);
    }
}

#[test]
fn what_is_longer_than_the_buffer_is_cut_off_and_told() {
    let (one, other) = UdSocket::pair().expect("pair");
    for _ in 0..5 {
        one.send(b"0123456789").expect("send");
    }
    let mut buf = [0; 4];
    assert_eq!(other.peek(&mut buf).expect("peek"), (4, true));
    assert_eq!(other.recv(&mut buf).expect("receive"), (4, true));
    assert_eq!(&buf, b"0123");
    let (a, b) = buf.split_at_mut(2);
    let bufs = &mut [IoSliceMut::new(a), IoSliceMut::new(b)];
    assert_eq!(other.recv_vectored(bufs).expect("receive"), (4, true));
    assert_eq!(other.recv(&mut []).expect("receive"), (0, true));
    assert_eq!(other.recv(&mut [0; 10]).expect("receive"), (10, false));
    assert_eq!(other.recv(&mut [0; 11]).expect("receive"), (10, false));
}

#[test]
fn more_buffers_than_the_system_takes_are_refused_and_nothing_is_sent_or_received() {
    let (one, other) = UdSocket::pair().expect("pair");
    let too_many = vec![IoSlice::new(b"x"); 1025];
    assert_eq!(one.send_vectored(&too_many).expect_err("too many").raw_os_error(), Some(libc::EMSGSIZE));
    let message = [b'x'; 1025];
    assert_eq!(one.send(&message).expect("send"), message.len());

    let mut buf = [0; 1025];
    let mut bufs: Vec<_> = buf.chunks_mut(1).map(IoSliceMut::new).collect();
    assert_eq!(other.recv_vectored(&mut bufs).expect_err("too many").raw_os_error(), Some(libc::EMSGSIZE));
    let mut from = UdSocketPath::buffer();
    let error = other.recv_from_vectored(&mut bufs, &mut from).expect_err("too many");
    assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    assert_eq!(other.recv(&mut buf).expect("receive"), (1025, false));
    assert_eq!(buf, message);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_size_of_the_next_is_told_without_receiving_it() {
    let (one, other) = UdSocket::pair().expect("pair");
    one.send(&[7; 3000]).expect("send");
    assert_eq!(other.peek_msg_size().expect("peek"), 3000);
    assert_eq!(other.recv(&mut [0; 4000]).expect("receive"), (3000, false));
}

#[test]
fn a_server_answers_whoever_sent() {
    let dir = TempDir::new();
    let server = UdSocket::bind_with_drop_guard(dir.join("server")).expect("bind");
    let clients: Vec<_> = (0..3)
        .map(|number| UdSocket::bind_with_drop_guard(dir.join(number.to_string())).expect("bind"))
        .collect();
    for (client, text) in clients.iter().zip([b"a", b"b", b"c"]) {
        assert_eq!(client.send_to(text, dir.join("server")).expect("send"), 1);
    }
    let (mut buf, mut from) = ([0; 4], UdSocketPath::buffer());
    for _ in &clients {
        assert_eq!(server.recv_from(&mut buf, &mut from).expect("receive"), (1, false));
        let answer = [buf[0].to_ascii_uppercase()];
        server.send_to_vectored(&[IoSlice::new(&answer)], &from).expect("answer");
    }
    for (client, text) in clients.iter().zip([b"A", b"B", b"C"]) {
        client.set_recv_timeout(Some(LIMIT)).expect("timeout");
        client.recv(&mut buf).expect("receive");
        assert_eq!(&buf[..1], text);
    }
    // Nobody can be answered who has no address.
    UdSocket::unbound().expect("socket").send_to(b"x", dir.join("server")).expect("send");
    server.recv_from(&mut buf, &mut from).expect("receive");
    assert!(from.is_unnamed());
}

#[test]
fn a_destination_is_set_and_set_again() {
    let dir = TempDir::new();
    let one = UdSocket::bind_with_drop_guard(dir.join("one")).expect("bind");
    let other = UdSocket::bind_with_drop_guard(dir.join("other")).expect("bind");
    let sender = UdSocket::connect(dir.join("one")).expect("connect");
    sender.send(b"1").expect("send");
    sender.set_destination(dir.join("other")).expect("destination");
    sender.send(b"2").expect("send");
    let mut buf = [0; 1];
    one.recv(&mut buf).expect("receive");
    assert_eq!(&buf, b"1");
    other.recv(&mut buf).expect("receive");
    assert_eq!(&buf, b"2");
}

#[test]
fn without_a_destination_sending_is_an_error() {
    let error = UdSocket::unbound().expect("socket").send(b"x").expect_err("to whom");
    assert_eq!(error.kind(), ErrorKind::NotConnected);
}

#[test]
fn a_destination_that_is_gone_is_an_error_and_no_signal() {
    let dir = TempDir::new();
    let receiver = UdSocket::bind_with_drop_guard(dir.join("receiver")).expect("bind");
    let sender = UdSocket::connect(dir.join("receiver")).expect("connect");
    drop(receiver);
    sender.send(b"x").expect_err("gone");
    let (one, other) = UdSocket::pair().expect("pair");
    drop(other);
    one.send(b"x").expect_err("gone");
}

#[test]
fn waiting_for_one_and_for_room_ends_with_the_timeout() {
    let (one, other) = UdSocket::pair().expect("pair");
    let timeout = Duration::from_millis(20);
    other.set_recv_timeout(Some(timeout)).expect("timeout");
    assert_eq!(other.recv(&mut [0; 1]).expect_err("nothing").kind(), ErrorKind::TimedOut);
    let mut from = UdSocketPath::buffer();
    assert_eq!(other.recv_from(&mut [0; 1], &mut from).expect_err("nothing").kind(), ErrorKind::TimedOut);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        one.set_send_timeout(Some(timeout)).expect("timeout");
        let error = (0..100_000).find_map(|_| one.send(&[0; 1000]).err()).expect("it is full at some time");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        one.set_nonblocking(true).expect("mode");
        assert_eq!(one.send(&[0; 1000]).expect_err("full").kind(), ErrorKind::WouldBlock);
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    drop(one);
}

#[test]
fn it_goes_to_std_and_back_and_leaves_the_file() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let socket = UdSocket::bind_with_drop_guard(&path).expect("bind");
    let std: UnixDatagram = socket.into();
    assert!(path.exists());
    let sender = UnixDatagram::unbound().expect("socket");
    sender.send_to(b"x", &path).expect("send");
    assert_eq!(UdSocket::from(std).recv(&mut [0; 4]).expect("receive"), (1, false));
}
