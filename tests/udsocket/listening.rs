//! Listeners.

use crate::support::{LIMIT, TempDir};
use interprocess::os::unix::udsocket::{UdStream, UdStreamListener};
use std::{io::ErrorKind, os::unix::net::UnixListener, thread, time::Duration};

#[test]
fn stopping_wakes_who_waits_and_ends_iterators() {
    let dir = TempDir::new();
    let listener = UdStreamListener::bind_with_drop_guard(dir.join("socket")).expect("bind");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| listener.accept().expect_err("stopped").kind());
        let iterating = scope.spawn(|| listener.incoming().count());
        listener.stop();
        assert_eq!(waiting.join().expect("thread"), ErrorKind::BrokenPipe);
        assert_eq!(iterating.join().expect("thread"), 0);
    });
}

#[test]
fn accepting_ends_with_the_timeout_or_at_once() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let listener = UdStreamListener::bind_with_drop_guard(&path).expect("bind");
    let error = listener.accept_timeout(Duration::from_millis(20)).expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(!listener.is_nonblocking().expect("mode"));
    listener.set_nonblocking(true).expect("mode");
    assert!(listener.is_nonblocking().expect("mode"));
    assert_eq!(listener.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
    let _client = UdStream::connect(&path).expect("connect");
    let server = listener.accept().expect("accept");
    assert!(!server.is_nonblocking().expect("mode"));
}

#[test]
fn it_goes_to_std_and_back() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let std: UnixListener = UdStreamListener::bind_with_drop_guard(&path).expect("bind").into();
    assert!(path.exists());
    let _client = UdStream::connect(&path).expect("connect");
    std.accept().expect("accept");
    let listener = UdStreamListener::from(std);
    let _client = UdStream::connect(&path).expect("connect");
    listener.accept_timeout(LIMIT).expect("accept");
}
