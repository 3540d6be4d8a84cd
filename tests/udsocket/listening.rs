//! Listeners.

use crate::support::{Child, LIMIT, TempDir, in_time, say};
use interprocess::os::unix::udsocket::{UdStream, UdStreamListener};
use std::{
    fs,
    io::ErrorKind,
    os::{
        fd::{AsRawFd, RawFd},
        unix::net::UnixListener,
    },
    thread,
    time::Duration,
};

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

/// Sets how many descriptors there may be, to as many as there are and `more`.
fn leave_descriptors(more: RawFd) {
    let next = fs::File::open("/dev/null").expect("null").as_raw_fd();
    // SAFETY: the structure is made of integers, and valid for the calls.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        #[allow(clippy::unnecessary_fallible_conversions, reason = "the type differs between systems")]
        let few = (next + more).try_into().expect("few");
        limit.rlim_cur = few;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

/// For a child process, since all threads share the limit.
pub(crate) fn stop_without_descriptors(_: &[String]) {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let sibling = UnixListener::bind(&path).expect("bind");
    let shared = sibling.try_clone().expect("clone");
    // Enough for what `accept` may need, and too few for a pipe.
    leave_descriptors(1);
    let listener = UdStreamListener::from(shared);
    let error = listener.accept().expect_err("there is nothing to be woken by");
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
    leave_descriptors(20);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| listener.accept().expect_err("stopped").kind());
        listener.stop();
        assert_eq!(waiting.join().expect("thread"), ErrorKind::BrokenPipe);
    });
    let _client = UdStream::connect(&path).expect("connect");
    sibling.accept().expect("it was not ours to shut down");
    say("stopped");
}

#[test]
fn one_that_cannot_be_woken_does_not_wait_and_stops_alone() {
    in_time(|| {
        let child = Child::start("stop_without_descriptors", &[]);
        child.expect("stopped");
        child.finish();
    });
}
