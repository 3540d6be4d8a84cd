//! Descriptors go in borrowed, and come out owned.

use crate::support::{self, Child, LIMIT, unique_path};
use interprocess::os::unix::{
    ancillary::{AncillaryData, AncillaryDataBuf, MAX_FDS, TruncatedAncillary},
    udsocket::{UdSocket, UdStream, UdStreamListener},
};
use std::{
    fs::File,
    io::{ErrorKind, IoSlice, Read, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

/// How many descriptors this process has, of those with small numbers.
fn count_open() -> usize {
    // SAFETY: the call reads a flag, of whatever has this number.
    (0..4096).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1).count()
}

fn null() -> File {
    File::options().read(true).write(true).open("/dev/null").expect("there is always one")
}

fn is_closed_on_exec(fd: &impl AsRawFd) -> bool {
    // SAFETY: the call reads a flag.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC != 0 }
}

#[test]
fn a_file_arrives_as_the_same_open_file_closed_on_exec() {
    let (one, other) = UdStream::pair().expect("pair");
    let (mut reader, writer) = UdStream::pair().expect("pair");
    one.send_with_fds(b"x", &[writer.as_fd()]).expect("send");
    drop(writer);
    let mut fds = Vec::new();
    assert_eq!(other.recv_with_fds(&mut [0; 8], &mut fds).expect("receive"), 1);
    assert_eq!(fds.len(), 1);
    assert!(is_closed_on_exec(&fds[0]));
    File::from(fds.remove(0)).write_all(b"through").expect("write");
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("read");
    assert_eq!(text, "through");
}

#[test]
fn several_records_arrive_as_one_in_their_order() {
    let (one, other) = UdSocket::pair().expect("pair");
    let files: Vec<File> = (0..6).map(|_| null()).collect();
    let borrowed: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    one.send_ancillary(
        b"x",
        [AncillaryData::file_descriptors(&borrowed[..2]), AncillaryData::file_descriptors(&borrowed[2..])],
    )
    .expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    let pieces: Vec<_> = ancillary.decode().collect();
    assert_eq!(pieces.len(), 1);
    assert!(matches!(&pieces[0], AncillaryData::FileDescriptors(fds) if fds.len() == 6));
}

#[test]
fn as_many_as_the_kernel_takes_arrive_and_one_more_is_refused_before_anything_is_sent() {
    let (one, other) = UdStream::pair().expect("pair");
    let file = null();
    let too_many = vec![file.as_fd(); MAX_FDS + 1];
    let error = one.send_with_fds(b"x", &too_many).expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let numbers = [MAX_FDS + 1, MAX_FDS].map(|number| number.to_string());
    assert!(numbers.iter().all(|number| error.to_string().contains(number)), "{error}");
    other.set_nonblocking(true).expect("mode");
    assert_eq!(other.recv(&mut [0; 1]).expect_err("nothing").kind(), ErrorKind::WouldBlock);

    one.send_with_fds(b"x", &too_many[1..]).expect("send");
    let mut fds = Vec::new();
    other.recv_with_fds(&mut [0; 1], &mut fds).expect("receive");
    assert_eq!(fds.len(), MAX_FDS);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn as_many_as_the_kernel_takes_go_together_with_credentials() {
    let (one, other) = UdStream::pair().expect("pair");
    let file = null();
    let fds = vec![file.as_fd(); MAX_FDS];
    other.set_pass_credentials(true).expect("option");
    one.send_ancillary(b"x", [AncillaryData::file_descriptors(&fds), AncillaryData::credentials()])
        .expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    assert_eq!(ancillary.records().count(), 2);
    assert_eq!(ancillary.take_fds().len(), MAX_FDS);
}

#[test]
fn descriptors_without_bytes_are_refused_on_a_stream_and_go_with_an_empty_datagram() {
    let (one, _other) = UdStream::pair().expect("pair");
    let file = null();
    let error = one.send_with_fds(b"", &[file.as_fd()]).expect_err("they would be lost");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    let (one, other) = UdSocket::pair().expect("pair");
    assert_eq!(one.send_with_fds(b"", &[file.as_fd()]).expect("send"), 0);
    let mut fds = Vec::new();
    assert_eq!(other.recv_with_fds(&mut [0; 8], &mut fds).expect("receive"), 0);
    assert_eq!(fds.len(), 1);
}

#[test]
fn what_was_encoded_once_goes_with_many_messages_and_not_without_bytes_on_a_stream() {
    let (one, other) = UdStream::pair().expect("pair");
    let file = null();
    let fds = [file.as_fd(); 2];
    let encoded = AncillaryData::encode([AncillaryData::file_descriptors(&fds)]).expect("encode");
    for _ in 0..3 {
        assert_eq!(one.send_encoded_ancillary(&[IoSlice::new(b"x")], &encoded).expect("send"), 1);
        let mut received = Vec::new();
        assert_eq!(other.recv_with_fds(&mut [0; 8], &mut received).expect("receive"), 1);
        assert_eq!(received.len(), 2);
    }
    let error = one.send_encoded_ancillary(&[IoSlice::new(b"")], &encoded).expect_err("they would be lost");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn what_nobody_takes_is_closed_when_the_buffer_is_used_again_or_dropped() {
    let _alone = support::no_child_is_started();
    let (one, other) = UdStream::pair().expect("pair");
    let (mut reader, writer) = UdStream::pair().expect("pair");
    let mut ancillary = AncillaryDataBuf::new();
    for _ in 0..3 {
        one.send_with_fds(b"x", &[writer.as_fd(), writer.as_fd()]).expect("send");
        other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    }
    drop(writer);
    drop(ancillary);
    // The end of the pipe shows that none is left.
    assert_eq!(reader.read(&mut [0; 1]).expect("read"), 0);
}

#[test]
fn a_receiver_that_does_not_ask_for_descriptors_gets_the_bytes_and_they_are_closed() {
    let (one, other) = UdStream::pair().expect("pair");
    let (mut reader, writer) = UdStream::pair().expect("pair");
    one.send_with_fds(b"bytes", &[writer.as_fd()]).expect("send");
    drop(writer);
    let mut buf = [0; 8];
    assert_eq!(other.recv(&mut buf).expect("receive"), 5);
    let _alone = support::no_child_is_started();
    assert_eq!(reader.read(&mut buf).expect("read"), 0);
}

/// A child that sends every descriptor back, and says how many it has left.
pub(crate) fn give_back(arguments: &[String]) {
    let stream = UdStream::connect(&arguments[0]).expect("connect");
    let mut buf = [0; 1];
    let mut fds: Vec<OwnedFd> = Vec::new();
    while stream.recv_with_fds(&mut buf, &mut fds).expect("receive") != 0 {
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        assert_eq!(stream.send_with_fds(&buf, &borrowed).expect("send"), 1);
        fds.clear();
    }
    support::say(count_open());
}

#[test]
fn a_hundred_thousand_descriptors_go_to_a_child_and_back_and_none_is_left() {
    const EACH: usize = 250;
    const ROUNDS: usize = if cfg!(target_arch = "x86_64") { 400 } else { 40 };

    let path = unique_path();
    let listener = UdStreamListener::bind_with_drop_guard(&*path).expect("bind");
    let child = Child::start("give_back", &[&path]);
    let stream = listener.accept_timeout(LIMIT).expect("accept");
    stream.set_recv_timeout(Some(LIMIT)).expect("timeout");
    let file = null();
    let send = vec![file.as_fd(); EACH];
    let mut fds: Vec<OwnedFd> = Vec::with_capacity(EACH);
    let mut most = 0;
    for _ in 0..ROUNDS {
        assert_eq!(stream.send_with_fds(b"x", &send).expect("send"), 1);
        assert_eq!(stream.recv_with_fds(&mut [0; 1], &mut fds).expect("receive"), 1);
        assert_eq!(fds.len(), EACH);
        fds.clear();
        most = most.max(count_open());
    }
    // Other tests of this process have some of their own.
    assert!(most < 2 * EACH, "{most} descriptors are open");
    drop(stream);
    let left: usize = child.hear().parse().expect("a number");
    assert!(left < 20, "{left} descriptors are open in the child");
    child.finish();
}

/// How often the child with the full table is sent descriptors, and how many each time: a hundred thousand in all, where that takes no
/// emulation.
const TO_FULL_TABLE: (usize, usize) = (if cfg!(target_arch = "x86_64") { 500 } else { 50 }, 200);

/// A child whose table of descriptors is full: it closes all that came, and gets the bytes.
pub(crate) fn full_table(arguments: &[String]) {
    let stream = UdStream::connect(&arguments[0]).expect("connect");
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is there to be written, and read.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = 64;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
    let before = count_open();
    for _ in 0..TO_FULL_TABLE.0 {
        let (mut buf, mut fds) = ([0; 8], Vec::new());
        let error = stream.recv_with_fds(&mut buf, &mut fds).expect_err("no room for 200");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let truncated = error.get_ref().and_then(|error| error.downcast_ref::<TruncatedAncillary>());
        assert_eq!(truncated.expect("it says what came").received, 5);
        assert_eq!(&buf[..5], b"bytes");
        assert!(fds.is_empty());
        assert_eq!(count_open(), before);
        stream.send(b"x").expect("send");
    }
    support::say("none left");
}

#[test]
fn a_full_table_is_an_error_that_leaks_nothing_on_either_side() {
    let path = unique_path();
    let listener = UdStreamListener::bind_with_drop_guard(&*path).expect("bind");
    let child = Child::start("full_table", &[&path]);
    let stream = listener.accept_timeout(LIMIT).expect("accept");
    stream.set_recv_timeout(Some(LIMIT)).expect("timeout");
    let (mut reader, writer) = UdStream::pair().expect("pair");
    let send = vec![writer.as_fd(); TO_FULL_TABLE.1];
    for _ in 0..TO_FULL_TABLE.0 {
        stream.send_with_fds(b"bytes", &send).expect("send");
        assert_eq!(stream.recv(&mut [0; 1]).expect("receive"), 1);
    }
    child.expect("none left");
    drop(send);
    drop(writer);
    let _alone = support::no_child_is_started();
    assert_eq!(reader.read(&mut [0; 1]).expect("read"), 0);
}
