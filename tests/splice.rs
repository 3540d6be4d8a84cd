//! Moving bytes between pipes and other descriptors without copying them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod support;

use interprocess::{
    os::unix::{
        fifo_file,
        unnamed_pipe::{CreationOptions, RecverExt, SenderExt},
    },
    unnamed_pipe::{Recver, Sender, pipe},
};
use rustix::fs::{MemfdFlags, OFlags, fcntl_setfl, memfd_create};
use std::{
    fs::File,
    io::{self, ErrorKind, Read, Seek, Write},
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::mpsc,
    thread,
    time::Duration,
};
use support::{Child, LIMIT, in_time, say};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);
/// More than a pipe holds.
const MUCH: usize = 1 << 20;
/// More than is there.
const PLENTY: usize = 16 << 10;

#[test]
fn child_entry() {
    support::child_entry(&[("move_to_nobody", move_to_nobody)]);
}

/// Bytes of which none is like its neighbours, nor any page like another.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i ^ (i >> 8) ^ (i >> 16)).to_le_bytes()[0]).collect()
}

/// A file that holds `bytes`, at its beginning.
fn file(bytes: &[u8]) -> File {
    let mut file = File::from(memfd_create("interprocess", MemfdFlags::CLOEXEC).expect("memory"));
    file.write_all(bytes).expect("write");
    file.rewind().expect("rewind");
    file
}

/// Sends until nothing more fits.
fn fill(sender: &Sender) {
    sender.set_nonblocking(true).expect("nonblocking");
    while sender.send(&[1; 4096]).is_ok() {}
    sender.set_nonblocking(false).expect("blocking");
}

/// A socket, blocking, that takes nothing more, and its other end.
fn full_socket() -> (UnixStream, UnixStream) {
    let (mut one, other) = UnixStream::pair().expect("pair");
    one.set_nonblocking(true).expect("nonblocking");
    while one.write(&[1; 4096]).is_ok() {}
    one.set_nonblocking(false).expect("blocking");
    (one, other)
}

fn kind(result: io::Result<usize>) -> ErrorKind {
    result.expect_err("it cannot be done").kind()
}

#[test]
fn a_file_goes_through_a_pipe_to_another_file_as_it_is() {
    in_time(|| {
        let bytes = pattern(MUCH + 4321);
        let (from, mut to) = (file(&bytes), file(b""));
        let (sender, recver) = pipe().expect("pipe");
        let sending = thread::spawn(move || {
            let mut all = 0;
            loop {
                match sender.splice_from(&from, MUCH).expect("from the file") {
                    0 => break all,
                    sent => all += sent,
                }
            }
        });
        let mut all = 0;
        loop {
            match recver.splice_to(&to, MUCH).expect("to the file") {
                0 => break,
                received => all += received,
            }
        }
        assert_eq!(recver.splice_to(&to, 1).expect("still the end"), 0);
        assert_eq!((all, sending.join().expect("no panic")), (bytes.len(), bytes.len()));
        to.rewind().expect("rewind");
        let mut arrived = Vec::new();
        to.read_to_end(&mut arrived).expect("read");
        assert!(arrived == bytes);
    });
}

#[test]
fn sockets_and_pipes_are_moved_to_and_from_too() {
    in_time(|| {
        let (mut there, here) = UnixStream::pair().expect("pair");
        let (sender, recver) = pipe().expect("pipe");
        let (next_sender, next_recver) = pipe().expect("pipe");
        there.write_all(b"all the way round").expect("write");
        assert_eq!(sender.splice_from(&here, PLENTY).expect("socket to pipe"), 17);
        assert_eq!(recver.splice_to(&next_sender, 3).expect("pipe to pipe"), 3);
        assert_eq!(next_sender.splice_from(&recver, PLENTY).expect("pipe to pipe"), 14);
        assert_eq!(next_recver.splice_to(&here, PLENTY).expect("pipe to socket"), 17);
        let mut buf = [0; 32];
        assert_eq!(there.read(&mut buf).expect("read"), 17);
        assert_eq!(&buf[..17], b"all the way round");
        // Each end.
        there.shutdown(Shutdown::Write).expect("shut down");
        assert_eq!(sender.splice_from(&here, PLENTY).expect("the end of the socket"), 0);
        drop(sender);
        assert_eq!(next_sender.splice_from(&recver, PLENTY).expect("the end of the pipe"), 0);
        assert_eq!(recver.splice_to(&here, PLENTY).expect("the end of the pipe"), 0);
    });
}

#[test]
fn an_offset_leaves_the_position_of_the_file_alone() {
    let mut both = file(b"0123456789");
    let (sender, recver) = pipe().expect("pipe");
    assert_eq!(sender.splice_from_at(&both, 4, 3).expect("from the file"), 3);
    assert_eq!(both.stream_position().expect("position"), 0);
    assert_eq!(recver.splice_to_at(&both, 8, PLENTY).expect("to the file"), 3);
    assert_eq!(both.stream_position().expect("position"), 0);
    assert_eq!(sender.splice_from_at(&both, 99, 1).expect("beyond the end"), 0);
    let mut text = String::new();
    both.read_to_string(&mut text).expect("read");
    assert_eq!(text, "01234567456");
    // Where there are none.
    let (socket, _other) = UnixStream::pair().expect("pair");
    sender.send(b"x").expect("send");
    assert_eq!(kind(recver.splice_to_at(&sender, 0, 1)), ErrorKind::NotSeekable);
    assert_eq!(kind(sender.splice_from_at(&recver, 0, 1)), ErrorKind::NotSeekable);
    assert_eq!(kind(recver.splice_to_at(&socket, 0, 1)), ErrorKind::InvalidInput);
    assert_eq!(kind(sender.splice_from_at(&socket, 0, 1)), ErrorKind::InvalidInput);
    assert!(sender.splice_from_at(&both, u64::MAX, 1).is_err());
    assert_eq!(recver.recv(&mut [0; 8]).expect("it is still there"), 1);
}

#[test]
fn tee_leaves_the_bytes_and_knows_the_end() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let (copy_to, copy) = pipe().expect("pipe");
        sender.send(b"for both").expect("send");
        assert_eq!(recver.tee_to(&copy_to, 3).expect("tee"), 3);
        assert_eq!(recver.available().expect("how many"), 8);
        assert_eq!(recver.tee_to(&copy_to, PLENTY).expect("from the first byte again"), 8);
        let mut buf = [0; 32];
        assert_eq!(copy.recv(&mut buf).expect("receive"), 11);
        assert_eq!(&buf[..11], b"forfor both");
        assert_eq!(recver.recv(&mut buf).expect("receive"), 8);
        assert_eq!(&buf[..8], b"for both");
        recver.set_recv_timeout(Some(SHORT)).expect("timeout");
        assert_eq!(kind(recver.tee_to(&copy_to, 1)), ErrorKind::TimedOut);
        sender.send(b"x").expect("send");
        drop(sender);
        assert_eq!(recver.tee_to(&copy_to, 9).expect("tee"), 1);
        assert_eq!(recver.recv(&mut buf).expect("receive"), 1);
        assert_eq!(recver.tee_to(&copy_to, 9).expect("the end"), 0);
    });
}

#[test]
fn nothing_waits_for_nothing() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let (empty, _other) = UnixStream::pair().expect("pair");
        assert_eq!(recver.splice_to(&empty, 0).expect("nothing"), 0);
        assert_eq!(recver.tee_to(&sender, 0).expect("nothing"), 0);
        fill(&sender);
        assert_eq!(sender.splice_from(&empty, 0).expect("nothing"), 0);
        assert_eq!(sender.send_static(b"").expect("nothing"), 0);
    });
}

/// Checks that `call` does not wait in nonblocking mode, waits for as long as it may, and does what is to be done when
/// `make_ready` has made it possible.
fn waits_as_it_should(
    set_nonblocking: impl Fn(bool),
    set_timeout: impl Fn(Option<Duration>),
    call: impl Fn() -> io::Result<usize> + Sync,
    make_ready: impl FnOnce(),
) {
    set_nonblocking(true);
    assert_eq!(kind(call()), ErrorKind::WouldBlock);
    set_nonblocking(false);
    set_timeout(Some(SHORT));
    assert_eq!(kind(call()), ErrorKind::TimedOut);
    set_timeout(None);
    thread::scope(|scope| {
        let waiting = scope.spawn(&call);
        thread::sleep(SHORT);
        assert!(!waiting.is_finished());
        make_ready();
        assert_ne!(waiting.join().expect("no panic").expect("it is possible now"), 0);
    });
}

fn recver_waits(recver: &Recver, call: impl Fn() -> io::Result<usize> + Sync, make_ready: impl FnOnce()) {
    let set_nonblocking = |it| recver.set_nonblocking(it).expect("mode");
    waits_as_it_should(
        set_nonblocking,
        |time| recver.set_recv_timeout(time).expect("timeout"),
        call,
        make_ready,
    );
}

fn sender_waits(sender: &Sender, call: impl Fn() -> io::Result<usize> + Sync, make_ready: impl FnOnce()) {
    let set_nonblocking = |it| sender.set_nonblocking(it).expect("mode");
    waits_as_it_should(
        set_nonblocking,
        |time| sender.set_send_timeout(time).expect("timeout"),
        call,
        make_ready,
    );
}

#[test]
fn receiving_ends_wait_for_bytes_no_longer_than_they_may() {
    in_time(|| {
        let null = File::options().write(true).open("/dev/null").expect("open");
        let (sender, recver) = pipe().expect("pipe");
        let send = || assert_eq!(sender.send(b"x").expect("send"), 1);
        recver_waits(&recver, || recver.splice_to(&null, PLENTY), send);
        let (copy_to, _copy) = pipe().expect("pipe");
        recver_waits(&recver, || recver.tee_to(&copy_to, PLENTY), send);
    });
}

#[test]
fn receiving_ends_wait_for_the_other_descriptor_no_longer_than_they_may() {
    in_time(|| {
        for nonblocking in [false, true] {
            let (sender, recver) = pipe().expect("pipe");
            sender.send(b"x").expect("send");
            // A pipe.
            let (copy_to, copy) = pipe().expect("pipe");
            fill(&copy_to);
            copy_to.set_nonblocking(nonblocking).expect("mode");
            let make_room = || assert_ne!(copy.recv(&mut [0; PLENTY]).expect("receive"), 0);
            recver_waits(&recver, || recver.tee_to(&copy_to, PLENTY), make_room);
            fill(&copy_to);
            copy_to.set_nonblocking(nonblocking).expect("mode");
            recver_waits(&recver, || recver.splice_to(&copy_to, PLENTY), make_room);
            // A socket.
            let (socket, mut other) = full_socket();
            socket.set_nonblocking(nonblocking).expect("mode");
            sender.send(b"x").expect("send");
            let make_room = || {
                other.set_nonblocking(true).expect("mode");
                while other.read(&mut [0; PLENTY]).is_ok() {}
            };
            recver_waits(&recver, || recver.splice_to(&socket, PLENTY), make_room);
        }
    });
}

#[test]
fn sending_ends_wait_for_room_no_longer_than_they_may() {
    in_time(|| {
        let bytes = file(&pattern(PLENTY));
        let (sender, recver) = pipe().expect("pipe");
        let make_room = || assert_ne!(recver.recv(&mut [0; PLENTY]).expect("receive"), 0);
        fill(&sender);
        sender_waits(&sender, || sender.splice_from(&bytes, PLENTY), make_room);
        fill(&sender);
        sender_waits(&sender, || sender.send_static(b"static"), make_room);
    });
}

#[test]
fn sending_ends_wait_for_the_other_descriptor_no_longer_than_they_may() {
    in_time(|| {
        for nonblocking in [false, true] {
            let (sender, _recver) = pipe().expect("pipe");
            let (socket, mut other) = UnixStream::pair().expect("pair");
            socket.set_nonblocking(nonblocking).expect("mode");
            let write = || other.write_all(b"x").expect("write");
            sender_waits(&sender, || sender.splice_from(&socket, PLENTY), write);
            let (other, from) = pipe().expect("pipe");
            from.set_nonblocking(nonblocking).expect("mode");
            let send = || assert_eq!(other.send(b"x").expect("send"), 1);
            sender_waits(&sender, || sender.splice_from(&from, PLENTY), send);
        }
    });
}

#[test]
fn who_waits_for_the_other_descriptor_keeps_nobody_from_the_pipe() {
    in_time(|| {
        // From a socket that has nothing.
        let (sender, recver) = pipe().expect("pipe");
        let (socket, mut other) = UnixStream::pair().expect("pair");
        sender.send(b"x").expect("send");
        let splicing = thread::spawn(move || sender.splice_from(&socket, PLENTY));
        thread::sleep(SHORT);
        assert_eq!(recver.recv(&mut [0; 8]).expect("receive"), 1);
        other.write_all(b"yz").expect("write");
        assert_eq!(splicing.join().expect("no panic").expect("moved"), 2);
        // To a socket that is full.
        let (sender, recver) = pipe().expect("pipe");
        let (socket, mut other) = full_socket();
        sender.send(b"x").expect("send");
        let splicing = thread::spawn(move || recver.splice_to(&socket, 1));
        thread::sleep(SHORT);
        assert_eq!(sender.send(b"y").expect("send"), 1);
        let receiving = thread::spawn(move || while other.read(&mut [0; PLENTY]).expect("read") != 0 {});
        assert_eq!(splicing.join().expect("no panic").expect("moved"), 1);
        receiving.join().expect("no panic");
    });
}

#[test]
fn what_is_the_wrong_way_round_is_refused_and_not_waited_for() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let (other_sender, other_recver) = pipe().expect("pipe");
        sender.send(b"x").expect("send");
        recver.splice_to(&other_recver, 1).expect_err("it does not send");
        sender.splice_from(&other_sender, 1).expect_err("it does not receive");
        recver.splice_to(File::open("/dev/null").expect("open"), 1).expect_err("it was opened for reading");
        assert_eq!(kind(recver.splice_to(&sender, 1)), ErrorKind::InvalidInput);
        assert_eq!(kind(sender.splice_from(&recver, 1)), ErrorKind::InvalidInput);
        assert_eq!(kind(recver.tee_to(&sender, 1)), ErrorKind::InvalidInput);
        let appending = file(b"");
        fcntl_setfl(&appending, OFlags::APPEND).expect("flags");
        assert_eq!(kind(recver.splice_to(&appending, 1)), ErrorKind::InvalidInput);
        assert_eq!(recver.recv(&mut [0; 8]).expect("it is still there"), 1);
    });
}

#[test]
fn a_fifo_whose_first_sender_has_not_come_has_not_ended() {
    in_time(|| {
        let dir = support::TempDir::new();
        let path = dir.join("fifo");
        fifo_file::create_fifo(&path, 0o600).expect("fifo");
        let recver = fifo_file::Recver::open(&path).expect("open");
        let (copy_to, copy) = pipe().expect("pipe");
        recver.set_nonblocking(true).expect("nonblocking");
        assert_eq!(kind(recver.tee_to(&copy_to, 1)), ErrorKind::WouldBlock);
        assert_eq!(kind(recver.splice_to(&copy_to, 1)), ErrorKind::WouldBlock);
        recver.set_nonblocking(false).expect("blocking");
        let splicing = thread::spawn(move || {
            let all =
                [recver.tee_to(&copy_to, 9), recver.splice_to(&copy_to, 9), recver.splice_to(&copy_to, 9)];
            all.map(|moved| moved.expect("moved"))
        });
        thread::sleep(SHORT);
        fifo_file::Sender::open(&path).expect("open").send(b"late").expect("send");
        assert_eq!(splicing.join().expect("no panic"), [4, 4, 0]);
        assert_eq!(copy.available().expect("how many"), 8);
    });
}

#[test]
fn a_small_pipe_takes_a_part() {
    static PAGES: [u8; 40_000] = [7; 40_000];
    in_time(|| {
        let (sender, recver) = CreationOptions::new().capacity(4096).create().expect("pipe");
        let capacity = sender.capacity().expect("it tells");
        let bytes = pattern(20_000);
        let from = file(&bytes);
        let sent = sender.splice_from(&from, MUCH).expect("from the file");
        assert!((1..=capacity).contains(&sent), "{sent}");
        let mut buf = vec![0; sent];
        assert_eq!(recver.recv(&mut buf).expect("receive"), sent);
        assert_eq!(buf, bytes[..sent]);
        // By pages, the first of which is cut.
        let sent = sender.send_static(&PAGES[1..]).expect("from memory");
        assert!((1..=capacity).contains(&sent), "{sent}");
        sender.set_nonblocking(true).expect("nonblocking");
        assert_eq!(kind(sender.send_static(&PAGES)), ErrorKind::WouldBlock);
        let (copy_to, copy) = pipe().expect("pipe");
        assert_eq!(recver.tee_to(&copy_to, MUCH).expect("tee"), sent);
        assert_eq!(recver.splice_to(&copy_to, 1).expect("splice"), 1);
        assert_eq!(recver.splice_to(&copy_to, MUCH).expect("splice"), sent - 1);
        let mut buf = vec![0; 2 * sent + 1];
        assert_eq!(copy.recv(&mut buf).expect("receive"), 2 * sent);
        assert_eq!(buf[..2 * sent], PAGES[..2 * sent]);
    });
}

#[test]
fn static_and_mapped_bytes_arrive_as_they_are() {
    in_time(|| {
        let bytes: &'static [u8] = pattern(MUCH + 77).leak();
        let (sender, mut recver) = pipe().expect("pipe");
        let sending = thread::spawn(move || {
            let mut left = &bytes[1..];
            while !left.is_empty() {
                let sent = sender.send_static(left).expect("send");
                left = &left[sent..];
            }
            // SAFETY: the bytes are leaked, and nobody writes to them.
            assert_eq!(unsafe { sender.send_mapped(&bytes[..1]) }.expect("send"), 1);
        });
        let mut arrived = Vec::new();
        recver.read_to_end(&mut arrived).expect("receive");
        sending.join().expect("no panic");
        assert!(arrived[..bytes.len() - 1] == bytes[1..] && arrived.ends_with(&bytes[..1]));
    });
}

#[test]
fn a_broken_pipe_is_noticed_while_one_waits() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        fill(&sender);
        let (done, is_done) = mpsc::channel();
        let clone = sender.try_clone().expect("clone");
        let bytes = file(b"bytes");
        let waiting = [
            thread::spawn({
                let done = done.clone();
                move || done.send(clone.send_static(b"static"))
            }),
            thread::spawn(move || done.send(sender.splice_from(&bytes, 5))),
        ];
        thread::sleep(SHORT);
        drop(recver);
        for _ in &waiting {
            let result = is_done.recv_timeout(LIMIT).expect("it does not wait");
            assert_eq!(kind(result), ErrorKind::BrokenPipe);
        }
    });
}

/// Moves bytes in every way to where nobody can receive them, in a process where that is a deadly signal.
fn move_to_nobody(_: &[String]) {
    // SAFETY: no handler is installed, and none was.
    assert_ne!(unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) }, libc::SIG_ERR);
    let broken = |result| assert_eq!(kind(result), ErrorKind::BrokenPipe);
    let bytes = file(b"bytes");
    let (to_nobody, recver) = pipe().expect("pipe");
    drop(recver);
    let (sender, recver) = pipe().expect("pipe");
    let dead_socket = || {
        let (socket, other) = UnixStream::pair().expect("pair");
        drop(other);
        socket
    };
    sender.send(b"x").expect("send");
    for _ in 0..2 {
        broken(to_nobody.splice_from(&bytes, 5));
        broken(to_nobody.splice_from_at(&bytes, 0, 5));
        broken(to_nobody.splice_from(&recver, 5));
        broken(to_nobody.send_static(b"static"));
        // SAFETY: these bytes are static, too.
        broken(unsafe { to_nobody.send_mapped(b"mapped") });
        broken(recver.tee_to(&to_nobody, 5));
        broken(recver.splice_to(&to_nobody, 5));
        broken(recver.splice_to(dead_socket(), 5));
        broken(recver.try_clone().expect("clone").splice_to(OwnedFd::from(dead_socket()).as_fd(), 5));
        sender.send(b"x").expect("send");
    }
    say("alive");
}

#[test]
fn bytes_for_nobody_are_an_error_and_never_a_signal() {
    in_time(|| {
        let child = Child::start("move_to_nobody", &[]);
        child.expect("alive");
        child.finish();
    });
}
