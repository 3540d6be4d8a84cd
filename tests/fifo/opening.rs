//! Making FIFO files, opening them, and taking what somebody else has opened.

use crate::{
    Fifo, SHORT,
    support::{Child, TempDir, in_time, no_child_is_started, say},
};
use interprocess::{
    ConnectWaitMode,
    os::unix::{
        fifo_file::{OpenOptions, Recver, Sender, create_fifo},
        udsocket::UdStream,
    },
};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
            net::UnixListener,
        },
    },
    path::Path,
    thread,
    time::Duration,
};

/// Makes FIFOs while a mask is in force that would take away all that others may.
pub(crate) fn create(arguments: &[String]) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777));
    for mode in [0o600, 0o622, 0o666, 0o000, 0o420] {
        let path = Path::new(&arguments[0]).join(format!("{mode:o}"));
        create_fifo(&path, mode).expect("a FIFO");
        let made = fs::metadata(&path).expect("it is there");
        assert!(made.file_type().is_fifo());
        assert_eq!(u64::from(made.permissions().mode() & 0o7777), u64::from(mode));
    }
    say("made");
}

#[test]
fn a_fifo_has_the_mode_that_was_asked_for_whatever_the_umask() {
    let dir = TempDir::new();
    let mut child = Child::start("create", &[dir.to_str().expect("text")]);
    child.expect("made");
    assert!(child.wait().success());
}

#[test]
fn what_is_there_is_not_replaced_and_the_error_says_where() {
    let dir = TempDir::new();
    let path = dir.join("there");
    for make in [
        |path: &Path| fs::write(path, "mine").expect("a file"),
        |path: &Path| symlink("nowhere", path).expect("a link"),
        |path: &Path| create_fifo(path, 0o600).expect("a FIFO"),
    ] {
        make(&path);
        let before = fs::symlink_metadata(&path).expect("it is there");
        let error = create_fifo(&path, 0o666).expect_err("it is there");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.to_string().contains(path.to_str().expect("text")), "{error}");
        let after = fs::symlink_metadata(&path).expect("it is still there");
        assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
        fs::remove_file(&path).expect("removed");
    }
    for (missing, kind) in [("no/fifo", ErrorKind::NotFound), ("nul\0", ErrorKind::InvalidInput)] {
        let path = dir.join(missing);
        assert_eq!(create_fifo(&path, 0o600).expect_err("bad path").kind(), kind);
        assert_eq!(Recver::open(&path).expect_err("bad path").kind(), kind);
        assert_eq!(Sender::open(&path).expect_err("bad path").kind(), kind);
    }
}

/// Both ends refuse it at once, saying what it is.
#[track_caller]
fn both_ends_refuse(path: &Path, what: &str) {
    let path = path.to_owned();
    let errors = in_time(move || {
        let stay_open = OpenOptions::new().stay_open(true);
        [
            Recver::open(&path).map(drop).expect_err("not a FIFO"),
            stay_open.recver(&path).map(drop).expect_err("not a FIFO"),
            Sender::open(&path).map(drop).expect_err("not a FIFO"),
            stay_open.both(&path).map(drop).expect_err("not a FIFO"),
        ]
    });
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn what_is_not_a_fifo_is_refused_and_left_as_it_is() {
    let dir = TempDir::new();
    fs::write(dir.join("file"), "contents").expect("a file");
    both_ends_refuse(&dir.join("file"), "this is a regular file");
    assert_eq!(fs::read(dir.join("file")).expect("still there"), b"contents");
    fs::create_dir(dir.join("dir")).expect("a directory");
    both_ends_refuse(&dir.join("dir"), "this is a directory");
    let _listener = UnixListener::bind(dir.join("socket")).expect("a socket");
    both_ends_refuse(&dir.join("socket"), "this is a socket");
    both_ends_refuse(Path::new("/dev/null"), "this is a device");
    symlink("file", dir.join("link")).expect("a link");
    both_ends_refuse(&dir.join("link"), "this is a regular file");
}

#[test]
fn a_link_to_a_fifo_is_as_good_as_the_fifo() {
    let fifo = Fifo::new();
    symlink("fifo", fifo.join("link")).expect("a link");
    let (sender, recver) = OpenOptions::new().both(fifo.join("link")).expect("open");
    sender.send(b"hello").expect("send");
    assert_eq!(recver.recv(&mut [0; 8]).expect("receive"), 5);
}

#[test]
fn a_sender_waits_for_a_receiver_as_long_as_it_takes_in_time_or_not_at_all() {
    let fifo = Fifo::new();
    let path = fifo.path();
    let opened = |mode| OpenOptions::new().wait_mode(mode).sender(&path);
    let error = opened(ConnectWaitMode::Deferred).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(error.to_string().contains(&fifo.name()), "{error}");
    let error = opened(ConnectWaitMode::Timeout(SHORT)).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains(&fifo.name()), "{error}");

    for mode in [ConnectWaitMode::Unbounded, ConnectWaitMode::Timeout(Duration::MAX)] {
        let waiting = thread::spawn({
            let path = path.clone();
            move || OpenOptions::new().wait_mode(mode).sender(path)
        });
        // A receiver may come before or after.
        let recver = Recver::open(&path).expect("open");
        let sender = in_time(move || waiting.join().expect("no panic").expect("open"));
        sender.send(b"x").expect("send");
        assert_eq!(recver.recv(&mut [0; 8]).expect("receive"), 1);
    }
}

#[test]
fn ends_are_closed_in_programs_that_are_executed() {
    let fifo = Fifo::new();
    let (sender, recver) = OpenOptions::new().stay_open(true).both(fifo.path()).expect("open");
    let clones = (sender.try_clone().expect("clone"), recver.try_clone().expect("clone"));
    for fd in [sender.as_fd(), clones.0.as_fd(), recver.as_fd(), clones.1.as_fd()] {
        assert_eq!(fcntl_getfd(fd).expect("flags"), FdFlags::CLOEXEC);
    }
}

#[test]
fn ends_of_pipes_are_taken_and_what_is_no_such_end_is_handed_back() {
    let alone = no_child_is_started();
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    for end in [&reader, &writer] {
        fcntl_setfd(end, FdFlags::CLOEXEC).expect("flags");
    }
    drop(alone);
    let refused = Recver::try_from(writer).expect_err("it is for writing");
    assert_eq!(refused.to_string(), "this end does not receive");
    let writer = refused.source.expect("handed back");
    let refused = Sender::try_from(reader).expect_err("it is for reading");
    assert_eq!(refused.to_string(), "this end does not send");
    let reader = refused.source.expect("handed back");

    rustix::io::ioctl_fionbio(&reader, true).expect("nonblocking");
    let (recver, sender) =
        (Recver::try_from(reader).expect("a receiver"), Sender::try_from(writer).expect("a sender"));
    assert!(recver.is_nonblocking() && !sender.is_nonblocking());
    sender.send(b"hello").expect("send");
    assert_eq!(recver.recv(&mut [0; 2]).expect("receive"), 2);
    recver.set_nonblocking(false).expect("blocking");
    drop(sender);
    let mut rest = String::new();
    File::from(recver).read_to_string(&mut rest).expect("read");
    assert_eq!(rest, "llo");

    let (socket, _other) = UdStream::pair().expect("a pair");
    for fd in [File::open("/dev/null").expect("null").into(), OwnedFd::from(socket)] {
        let refused = Recver::try_from(fd).expect_err("no pipe");
        assert_eq!(io_kind(&refused), Some(ErrorKind::InvalidInput));
        let refused = Sender::try_from(refused.source.expect("handed back")).expect_err("no pipe");
        assert_eq!(io_kind(&refused), Some(ErrorKind::InvalidInput));
        assert!(refused.source.is_some());
    }
}

fn io_kind(refused: &interprocess::error::FromFdError) -> Option<ErrorKind> {
    refused.cause.as_ref().map(std::io::Error::kind)
}
