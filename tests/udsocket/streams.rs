//! Streams.

use crate::support::{LIMIT, TempDir};
use interprocess::{
    TryClone, local_socket,
    os::unix::{
        ancillary::{AncillaryData, AncillaryDataBuf},
        udsocket::{UdStream, UdStreamListener},
    },
};
use std::{
    io::{ErrorKind, IoSlice, IoSliceMut, Read, Write},
    net::Shutdown,
    os::{
        fd::AsFd,
        unix::{net::UnixStream, thread::JoinHandleExt},
    },
    time::{Duration, Instant},
};

#[test]
fn bytes_go_both_ways_and_end() {
    let (mut one, mut other) = UdStream::pair().expect("pair");
    one.write_all(b"there").expect("write");
    other.write_all(b"back").expect("write");
    one.shutdown(Shutdown::Write).expect("shutdown");
    let mut text = String::new();
    other.read_to_string(&mut text).expect("read");
    assert_eq!(text, "there");
    let mut buf = [0; 2];
    assert_eq!(one.peek(&mut buf).expect("peek"), 2);
    assert_eq!(one.recv(&mut buf).expect("receive"), 2);
    assert_eq!(&buf, b"ba");
    let mut rest = [[0; 1]; 2];
    let [a, b] = &mut rest;
    assert_eq!(one.recv_vectored(&mut [IoSliceMut::new(a), IoSliceMut::new(b)]).expect("receive"), 2);
    assert_eq!(rest, [*b"c", *b"k"]);
}

#[test]
fn more_buffers_than_the_system_takes_at_once_are_no_error() {
    let (one, mut other) = UdStream::pair().expect("pair");
    let bufs = vec![IoSlice::new(b"x"); 5000];
    let sent = one.send_vectored(&bufs).expect("send");
    assert!(sent > 0);
    let (sent_too, _) = one.send_ancillary_vectored(&bufs, []).expect("send");
    drop(one);
    assert_eq!(other.read_to_end(&mut Vec::new()).expect("read"), sent + sent_too);
}

/// A call that takes 1024 of them would otherwise move nothing, which looks like the end, and loses descriptors.
#[test]
fn many_empty_buffers_in_front_of_one_with_bytes_change_nothing() {
    let (one, other) = UdStream::pair().expect("pair");
    let mut bufs = vec![IoSlice::new(b""); 2000];
    bufs.push(IoSlice::new(b"xy"));
    assert_eq!(one.send_vectored(&bufs).expect("send"), 2);
    let fds = [one.as_fd()];
    let ancillary = [AncillaryData::file_descriptors(&fds)];
    assert_eq!(one.send_ancillary_vectored(&bufs, ancillary).expect("send").0, 2);

    let mut bytes = [0; 1];
    let mut room: Vec<_> = (0..2000).map(|_| IoSliceMut::new(&mut [])).collect();
    room.push(IoSliceMut::new(&mut bytes));
    assert_eq!(other.recv_vectored(&mut room).expect("receive"), 1);
    let mut received = AncillaryDataBuf::new();
    assert_eq!(other.recv_ancillary_vectored(&mut room, &mut received).expect("receive").0, 1);
    assert_eq!(other.recv_ancillary_vectored(&mut room, &mut received).expect("receive").0, 1);
    assert_eq!(received.take_fds().len(), 1);
}

#[test]
fn a_peer_that_is_gone_is_a_broken_pipe() {
    let (one, other) = UdStream::pair().expect("pair");
    drop(other);
    assert_eq!(one.send(b"x").expect_err("gone").kind(), ErrorKind::BrokenPipe);
    assert_eq!(one.recv(&mut [0; 1]).expect("the end"), 0);
}

#[test]
fn a_timeout_ends_receiving_and_sending() {
    let (one, other) = UdStream::pair().expect("pair");
    let timeout = Some(Duration::from_millis(20));
    other.set_recv_timeout(timeout).expect("timeout");
    assert!(other.recv_timeout().expect("timeout") >= timeout);
    assert_eq!(other.recv(&mut [0; 1]).expect_err("nothing").kind(), ErrorKind::TimedOut);
    one.set_send_timeout(timeout).expect("timeout");
    let error = (0..1000).find_map(|_| one.send(&[0; 10_000]).err()).expect("it is full at some time");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn signals_that_keep_coming_do_not_put_off_a_timeout() {
    extern "C" fn ignore(_: libc::c_int) {}

    // SAFETY: the handler does nothing at all, and the structure of integers and a mask is valid when it is zero.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGURG, &raw const action, std::ptr::null_mut()), 0);
    }
    let (one, other) = UdStream::pair().expect("pair");
    while other.set_nonblocking(true).and_then(|()| other.send(&[0; 10_000])).is_ok() {}
    other.set_nonblocking(false).expect("mode");
    let timeout = Some(Duration::from_millis(100));
    other.set_recv_timeout(timeout).expect("timeout");
    other.set_send_timeout(timeout).expect("timeout");
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut abuf = AncillaryDataBuf::new();
        let all = [
            other.recv(&mut [0; 1]),
            other.recv_vectored(&mut [IoSliceMut::new(&mut [0; 1])]),
            other.recv_ancillary(&mut [0; 1], &mut abuf).map(|(len, _)| len),
            other.send(b"x"),
            other.send_vectored(&[IoSlice::new(b"x")]),
            other.send_ancillary(b"x", []).map(|(len, _)| len),
        ];
        tell.send(()).expect("somebody waits");
        all.map(|result| result.expect_err("nothing to read and no room").kind())
    });
    let start = Instant::now();
    while told.recv_timeout(Duration::from_millis(10)).is_err() {
        assert!(start.elapsed() < LIMIT, "still waiting");
        #[allow(clippy::unnecessary_cast, reason = "musl's is a pointer, and std's a number")]
        // SAFETY: the thread was not joined yet.
        unsafe {
            libc::pthread_kill(thread.as_pthread_t() as libc::pthread_t, libc::SIGURG)
        };
    }
    assert_eq!(thread.join().expect("it ends"), [ErrorKind::TimedOut; 6]);
    drop(one);
}

#[test]
fn connecting_to_a_full_queue_ends_with_the_timeout() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let _listener: UdStreamListener =
        interprocess::os::unix::udsocket::BindOptions::new().backlog(1).bind(&path).expect("bind");
    let mut waiting = Vec::new();
    let error = loop {
        match UdStream::connect_timeout(&path, Duration::from_millis(20)) {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error,
        }
        assert!(waiting.len() < 1000);
    };
    // Elsewhere than on Linux they are refused.
    assert!(matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::ConnectionRefused), "{error}");
    assert!(error.to_string().contains("socket"), "{error}");
}

#[test]
fn it_is_a_local_socket_and_a_stream_of_std() {
    let (one, other) = UdStream::pair().expect("pair");
    let mut local = local_socket::Stream::from(one);
    let mut std = UnixStream::from(other);
    local.write_all(b"x").expect("write");
    std.read_exact(&mut [0; 1]).expect("read");
    let one = UdStream::from(local);
    let other = UdStream::from(std).try_clone().expect("clone");
    one.send(b"y").expect("send");
    assert_eq!(other.recv(&mut [0; 4]).expect("receive"), 1);
}

#[test]
fn the_peer_is_this_process_and_this_user() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let listener = UdStreamListener::bind_with_drop_guard(&path).expect("bind");
    let client = UdStream::connect(&path).expect("connect");
    let server = listener.accept_timeout(LIMIT).expect("accept");
    for stream in [client, server] {
        assert!(stream.peer_creds().expect("credentials").is_same_user());
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_peer_is_told_in_the_system_s_structure_too_and_without_one_it_is_an_error() {
    let (one, _other) = UdStream::pair().expect("pair");
    let peer = one.get_peer_credentials().expect("credentials");
    // SAFETY: the calls only tell.
    let ours = unsafe { (libc::getpid(), libc::geteuid(), libc::getegid()) };
    assert_eq!((peer.pid, peer.uid, peer.gid), ours);
    let nobody = interprocess::os::unix::udsocket::UdSocket::unbound().expect("socket");
    assert_eq!(nobody.get_peer_credentials().expect_err("no peer").kind(), ErrorKind::NotConnected);
}

#[test]
fn buffers_are_as_large_as_asked_for_or_larger() {
    let (one, _other) = UdStream::pair().expect("pair");
    one.set_send_buffer_size(50_000).expect("size");
    assert!(one.send_buffer_size().expect("size") >= 50_000);
    one.set_recv_buffer_size(50_000).expect("size");
    assert!(one.recv_buffer_size().expect("size") >= 50_000);
}
