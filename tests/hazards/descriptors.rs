//! Descriptors: none gets into a child by accident, and none is left when a peer sends what nobody wants, or dies.

use crate::support::{
    Child, ChildFunction, LIMIT, hear, in_time, no_child_is_started, say, unique_name, unique_path,
};
use interprocess::{
    TryClone,
    local_socket::Stream,
    os::unix::{
        ancillary::{AncillaryData, AncillaryDataBuf, MAX_FDS},
        udsocket::{
            BindOptions, Listener, Socket, UdSocket, UdStream, UdStreamListener,
            kind::{self, Connection, Kind},
        },
    },
};
use std::{
    io::{ErrorKind, IoSliceMut, Read, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

pub(crate) const CHILDREN: &[(&str, ChildFunction)] = &[
    ("tell_how_many_are_open", tell_how_many_are_open),
    ("open_everything", open_everything),
    ("open_while_children_start", open_while_children_start),
    ("echo_through_stdin", echo_through_stdin),
    ("send_and_wait", send_and_wait),
    ("be_flooded", be_flooded),
    #[cfg(any(target_os = "linux", target_os = "android"))]
    ("receive_without_room", receive_without_room),
    ("take_everything", take_everything),
];

/// How many descriptors this process has.
fn count_open() -> usize {
    // SAFETY: the call reads a flag, of whatever has this number.
    (0..1024).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1).count()
}

fn is_closed_on_exec(fd: impl AsFd) -> bool {
    rustix::io::fcntl_getfd(fd).expect("it is open").contains(rustix::io::FdFlags::CLOEXEC)
}

fn tell_how_many_are_open(_: &[String]) {
    say(count_open());
}

/// Starts a process, and lets it count.
fn count_open_in_a_child() -> usize {
    let child = Child::start("tell_how_many_are_open", &[]);
    let count = child.hear().parse().expect("a number");
    child.finish();
    count
}

/// A pair that tells when the last descriptor of its second socket is closed: then the first reads the end.
fn watched() -> (UdStream, UdStream) {
    let (watch, watched) = UdStream::pair().expect("pair");
    watch.set_recv_timeout(Some(LIMIT)).expect("timeout");
    (watch, watched)
}

#[track_caller]
fn assert_all_closed(mut watch: &UdStream) {
    assert_eq!(watch.read(&mut [0; 1]).expect("some are still open"), 0);
}

// Children inherit nothing.

/// All that makes and gives connections of this kind.
fn open_connections<K: Connection>(all: &mut Vec<OwnedFd>) {
    let mut names = vec![unique_path()];
    if cfg!(any(target_os = "linux", target_os = "android")) {
        names.push(unique_name());
    }
    for name in &names {
        let listener: Listener<K> = BindOptions::new().bind(&**name).expect("bind");
        for is_patient in [true, false] {
            let client = if is_patient {
                Socket::<K>::connect(&**name).expect("connect")
            } else {
                Socket::connect_timeout(&**name, LIMIT).expect("connect")
            };
            let server = if is_patient { listener.accept() } else { listener.accept_timeout(LIMIT) };
            let server = server.expect("accept");
            let clone = server.try_clone().expect("clone");
            all.extend([client, server, clone].map(OwnedFd::from));
        }
        all.push(listener.into());
    }
    open_pair::<K>(all);
}

fn open_pair<K: Kind>(all: &mut Vec<OwnedFd>) {
    let (one, other) = Socket::<K>::pair().expect("pair");
    let clone = one.try_clone().expect("clone");
    all.extend([one, other, clone].map(OwnedFd::from));
}

#[cfg(feature = "smol")]
fn open_async(all: &mut Vec<OwnedFd>) {
    use interprocess::os::unix::udsocket::smol;

    futures_lite::future::block_on(async {
        let name = unique_path();
        let listener = smol::UdStreamListener::bind_with_drop_guard(&*name).expect("bind");
        let client = smol::UdStream::connect(&*name).await.expect("connect");
        let server = listener.accept().await.expect("accept");
        for stream in [client, server] {
            all.push(UdStream::try_from(stream).expect("it is registered nowhere else").into());
        }
    });
}

/// What comes with messages.
fn receive(count: usize, all: &mut Vec<OwnedFd>) {
    let (one, other) = UdStream::pair().expect("pair");
    let send = vec![one.as_fd(); count];
    one.send_with_fds(b"x", &send).expect("send");
    other.recv_with_fds(&mut [0; 1], all).expect("receive");

    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // Kernels before 6.5 have none.
        let _ = other.set_pass_pidfd(true);
        all.extend(other.peer_pidfd().ok());
    }
    one.send_with_fds(b"x", &send).expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    for data in ancillary.decode() {
        match data {
            AncillaryData::FileDescriptors(fds) => all.extend(fds),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            AncillaryData::PidFd(fd) => all.push(fd),
            other => panic!("nobody asked for {other:?}"),
        }
    }
}

/// What only some systems have.
#[cfg(target_os = "linux")]
fn open_extras(all: &mut Vec<OwnedFd>) {
    use interprocess::os::unix::{
        eventfd::EventFd,
        message_queue::MessageQueueOptions,
        vsock::{VsockAddr, VsockListener},
    };

    let event = EventFd::new(0).expect("eventfd");
    all.push(event.try_clone().expect("clone").into());
    all.push(event.into());
    // Not every machine has these.
    let name = format!("/{}", crate::support::unique());
    let queue = MessageQueueOptions::new().create_new(true).unlink_on_drop(true).open(&name);
    if let Ok(queue) = &queue {
        all.push(queue.as_fd().try_clone_to_owned().expect("clone"));
        assert!(is_closed_on_exec(queue));
    }
    let any = VsockAddr::new(VsockAddr::CID_ANY, VsockAddr::PORT_ANY);
    all.extend(VsockListener::bind(any).ok().map(OwnedFd::from));
}

/// Opens one of each thing that the crate opens, and starts a process.
fn open_everything(_: &[String]) {
    let before = count_open_in_a_child();
    let mut all = Vec::new();
    open_connections::<kind::Stream>(&mut all);
    #[cfg(not(target_vendor = "apple"))]
    open_connections::<kind::Seqpacket>(&mut all);
    open_pair::<kind::Datagram>(&mut all);
    let path = unique_path();
    all.push(UdSocket::bind_with_drop_guard(&*path).expect("bind").into());
    all.push(UdSocket::unbound().expect("socket").into());
    receive(3, &mut all);
    #[cfg(feature = "smol")]
    open_async(&mut all);
    #[cfg(target_os = "linux")]
    open_extras(&mut all);
    for (index, fd) in all.iter().enumerate() {
        assert!(is_closed_on_exec(fd), "number {index} of {}", all.len());
    }
    assert_eq!(count_open_in_a_child(), before);
    say("none");
}

#[test]
fn a_child_inherits_nothing_of_all_that_is_opened_accepted_cloned_and_received() {
    in_time(|| {
        let child = Child::start("open_everything", &[]);
        child.expect("none");
        child.finish();
    });
}

/// Starts one process after the other, while other threads accept and receive.
fn open_while_children_start(_: &[String]) {
    const STARTED: usize = if cfg!(target_arch = "x86_64") { 200 } else { 20 };

    let before = count_open_in_a_child();
    let path = unique_path();
    let listener = UdStreamListener::bind_with_drop_guard(&*path).expect("bind");
    let is_over = AtomicBool::new(false);
    let counts: Vec<usize> = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                receive(32, &mut Vec::new());
            }
        });
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                let client = UdStream::connect(&*path).expect("connect");
                drop((listener.accept().expect("accept"), client.try_clone().expect("clone"), client));
            }
        });
        let counts = (0..STARTED).map(|_| count_open_in_a_child()).collect();
        is_over.store(true, Relaxed);
        counts
    });
    assert_eq!(counts, [before; STARTED]);
    say("none");
}

/// The flag has to come with the descriptor, or a child that another thread starts in between inherits it. Darwin has no
/// calls for that.
#[test]
#[cfg(not(target_vendor = "apple"))]
fn children_that_start_while_others_accept_and_receive_never_have_more_than_their_own() {
    in_time(|| {
        let child = Child::start("open_while_children_start", &[]);
        child.expect("none");
        child.finish();
    });
}

fn echo_through_stdin(_: &[String]) {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().expect("clone");
    let mut stream = UdStream::from(stdin);
    let mut text = [0; 5];
    stream.read_exact(&mut text).expect("read");
    stream.write_all(&text).expect("write");
}

#[test]
fn a_child_that_is_given_a_socket_has_that_one() {
    in_time(|| {
        let (mut ours, theirs) = watched();
        let mut command = Child::command("echo_through_stdin", &[]);
        let child = Child::spawn_with(&mut command, Stdio::from(OwnedFd::from(theirs)));
        // It has our end. Now the child alone has that one, and the stream ends with it.
        drop(command);
        ours.write_all(b"hello").expect("write");
        let mut text = String::new();
        ours.read_to_string(&mut text).expect("read");
        assert_eq!(text, "hello");
        child.finish();
    });
}

// What nobody wants is closed.

type Receive<K> = fn(Socket<K>);

#[track_caller]
fn assert_closed_by<K: Kind>(ways: &[Receive<K>]) {
    for (index, receive) in ways.iter().enumerate() {
        let (one, other) = Socket::<K>::pair().expect("pair");
        let (watch, sent) = watched();
        one.send_with_fds(b"x", &[sent.as_fd(), sent.as_fd()]).expect("send");
        drop(sent);
        receive(other);
        assert_eq!(watch.recv(&mut [0; 1]).ok(), Some(0), "way {index}");
    }
}

#[test]
fn descriptors_that_nobody_asked_for_are_closed_whatever_receives_the_message() {
    in_time(|| {
        let streams: [Receive<kind::Stream>; 7] = [
            |socket| assert_eq!(socket.recv(&mut [0; 8]).expect("receive"), 1),
            |socket| {
                let (one, other) = (&mut [0; 1], &mut [0; 1]);
                let bufs = &mut [IoSliceMut::new(one), IoSliceMut::new(other)];
                assert_eq!(socket.recv_vectored(bufs).expect("receive"), 1);
            },
            |mut socket| socket.read_exact(&mut [0; 1]).expect("read"),
            |socket| Stream::from(socket).read_exact(&mut [0; 1]).expect("read"),
            // Asked for, and not taken.
            |socket| {
                let mut ancillary = AncillaryDataBuf::new();
                socket.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
                let _ = ancillary.decode();
            },
            |socket| assert_eq!(socket.peek(&mut [0; 8]).expect("peek"), 1),
            drop,
        ];
        assert_closed_by(&streams);

        let datagrams: [Receive<kind::Datagram>; 4] = [
            |socket| assert_eq!(socket.recv(&mut [0; 8]).expect("receive"), (1, false)),
            // Not even all of the bytes were wanted.
            |socket| assert_eq!(socket.recv(&mut []).expect("receive"), (0, true)),
            |socket| {
                let mut from = interprocess::os::unix::udsocket::UdSocketPath::buffer();
                socket.recv_from(&mut [0; 8], &mut from).expect("receive");
            },
            drop,
        ];
        assert_closed_by(&datagrams);

        #[cfg(not(target_vendor = "apple"))]
        assert_closed_by::<kind::Seqpacket>(&[
            |socket| assert_eq!(socket.recv(&mut [0; 8]).expect("receive"), (1, false)),
            drop,
        ]);
    });
}

/// Reads bytes, and nothing else.
fn be_flooded(_: &[String]) {
    let (one, other) = UdStream::pair().expect("pair");
    let (watch, sent) = watched();
    let many = vec![sent.as_fd(); 100];
    let before = count_open();
    for _ in 0..1000 {
        one.send_with_fds(b"bytes", &many).expect("send");
        assert_eq!(other.recv(&mut [0; 8]).expect("receive"), 5);
        assert_eq!(count_open(), before);
    }
    drop(many);
    drop(sent);
    assert_all_closed(&watch);
    say("as many as before");
}

#[test]
fn a_flood_of_descriptors_at_a_receiver_that_reads_bytes_leaves_it_as_many_as_it_had() {
    in_time(|| {
        let child = Child::start("be_flooded", &[]);
        child.expect("as many as before");
        child.finish();
    });
}

/// Lets this process have so many descriptors more than it has, if there is no gap among them.
fn leave_room_for(count: u64) {
    use rustix::process::{Resource::Nofile, Rlimit, getrlimit, setrlimit};

    let next = UdSocket::unbound().expect("socket").as_raw_fd();
    let current = Some(u64::try_from(next).expect("a descriptor") + count);
    setrlimit(Nofile, Rlimit { current, maximum: getrlimit(Nofile).maximum }).expect("limit");
}

/// Sends them when there may be so many on their way: those of all processes of this user count, and no more may be than this
/// process may have open.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_in_turn(stream: &UdStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
    loop {
        match stream.send_with_fds(bytes, fds) {
            Err(error) if error.raw_os_error() == Some(libc::ETOOMANYREFS) => thread::yield_now(),
            result => return assert_eq!(result.expect("send"), bytes.len()),
        }
    }
}

/// Has room for some of what comes.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn receive_without_room(_: &[String]) {
    use interprocess::os::unix::ancillary::TruncatedAncillary;

    let (one, other) = UdStream::pair().expect("pair");
    let (watch, sent) = watched();
    let many = vec![sent.as_fd(); 100];
    leave_room_for(7);
    let before = count_open();
    let mut ancillary = AncillaryDataBuf::new();
    for _ in 0..100 {
        send_in_turn(&one, b"bytes", &many);
        let mut buf = [0; 8];
        let error = other.recv_ancillary(&mut buf, &mut ancillary).expect_err("there is no room");
        let truncated = error.get_ref().and_then(|error| error.downcast_ref::<TruncatedAncillary>());
        assert_eq!(
            (error.kind(), truncated.expect("it says what came").received),
            (ErrorKind::InvalidData, 5)
        );
        assert_eq!((&buf[..5], count_open()), (&b"bytes"[..], before));
        assert!(ancillary.decode().next().is_none());
    }
    drop(many);
    drop(sent);
    assert_all_closed(&watch);
    // It can go on.
    let (_more, sent) = watched();
    send_in_turn(&one, b"more", &[sent.as_fd()]);
    assert_eq!(other.recv_ancillary(&mut [0; 8], &mut ancillary).expect("receive").0, 4);
    assert_eq!(ancillary.take_fds().len(), 1);
    say("as many as before");
}

/// On Linux some of them come, and the rest is cut off; others give none.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn when_some_descriptors_do_not_fit_all_that_came_are_closed_and_it_is_an_error() {
    in_time(|| {
        let child = Child::start("receive_without_room", &[]);
        child.expect("as many as before");
        child.finish();
    });
}

/// Receives the most that can come with a message, with and without room for it in the table.
fn take_everything(_: &[String]) {
    let (one, other) = UdStream::pair().expect("pair");
    // What the system does not have does not come.
    let _ = other.set_pass_credentials(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let _ = other.set_pass_pidfd(true);
        other.set_pass_security(true).expect("option");
    }
    let before = count_open();
    let mut ancillary = AncillaryDataBuf::new();
    one.send_with_fds(b"x", &vec![one.as_fd(); MAX_FDS]).expect("send");
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("there is room for all");
    assert_eq!(ancillary.take_fds().len(), MAX_FDS);
    // What was not taken as one of those that were sent, such as a descriptor of the sender, is closed as well.
    assert_eq!(count_open(), before);

    leave_room_for(0);
    UdSocket::unbound().expect_err("the table is full");
    one.send(b"x").expect("send");
    assert_eq!(other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("the bytes").0, 1);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    assert!(ancillary.decode().all(|data| !matches!(data, AncillaryData::PidFd(_))));
    assert_eq!(count_open(), before);
    say("all of it");
}

#[test]
fn all_that_can_come_with_a_message_fits_and_without_room_in_the_table_nothing_is_made_up() {
    in_time(|| {
        let child = Child::start("take_everything", &[]);
        child.expect("all of it");
        child.finish();
    });
}

#[test]
fn a_buffer_is_aligned_for_headers_wherever_it_is() {
    struct Odd {
        _one: u8,
        ancillary: AncillaryDataBuf,
        _other: [u8; 3],
    }

    // SAFETY: it computes, and needs nothing.
    let header = unsafe { libc::CMSG_LEN(0) } as usize;
    let is_aligned = |data: &[u8]| (data.as_ptr() as usize - header) % align_of::<libc::cmsghdr>() == 0;
    let (one, other) = UdStream::pair().expect("pair");
    let mut buffers: Vec<Odd> = (0..4)
        .map(|extra| Odd { _one: 0, ancillary: AncillaryDataBuf::owned_with_capacity(extra), _other: [0; 3] })
        .collect();
    for Odd { ancillary, .. } in &mut buffers {
        let fds: [BorrowedFd<'_>; 3] = [one.as_fd(); 3];
        let encoded = AncillaryData::encode([AncillaryData::file_descriptors(&fds)]).expect("encode");
        assert_eq!(encoded.as_ref().as_ptr() as usize % align_of::<libc::cmsghdr>(), 0);
        one.send_with_fds(b"x", &fds).expect("send");
        other.recv_ancillary(&mut [0; 1], ancillary).expect("receive");
        assert!(ancillary.records().all(|record| is_aligned(record.data)));
        assert_eq!(ancillary.take_fds().len(), 3);
    }
}

// Senders die.

/// Sends what ends a pair, and lives until it is killed. Of two connections, the first tells about the second.
fn send_and_wait(arguments: &[String]) {
    let first = UdStream::connect(&arguments[0]).expect("connect");
    let second = UdStream::connect(&arguments[0]).expect("connect");
    let (watch, sent) = watched();
    first.send_with_fds(b"x", &[watch.as_fd()]).expect("send");
    second.send_with_fds(b"half of a mess", &[sent.as_fd()]).expect("send");
    say("sent");
    hear();
}

/// The end of what was sent over a connection whose client was killed, and that connection, or the listener that has it.
fn sent_by_the_dead() -> (UdStream, UdStreamListener) {
    let path = unique_path();
    let listener = UdStreamListener::bind_with_drop_guard(&*path).expect("bind");
    let mut child = Child::start("send_and_wait", &[&path]);
    child.expect("sent");
    let mut fds = Vec::new();
    let first = listener.accept_timeout(LIMIT).expect("accept");
    assert_eq!(first.recv_with_fds(&mut [0; 8], &mut fds).expect("receive"), 1);
    child.kill();
    let watch = UdStream::from(fds.remove(0));
    // Nothing was closed with the process: it is under way.
    watch.set_nonblocking(true).expect("mode");
    assert_eq!(watch.recv(&mut [0; 1]).expect_err("open").kind(), ErrorKind::WouldBlock);
    watch.set_nonblocking(false).expect("mode");
    (watch, listener)
}

#[test]
fn descriptors_under_way_outlive_a_sender_that_is_killed_in_the_middle_of_a_message() {
    in_time(|| {
        let (mut watch, listener) = sent_by_the_dead();
        let second = listener.accept_timeout(LIMIT).expect("accept");
        let (mut buf, mut fds) = ([0; 32], Vec::new());
        let len = second.recv_with_fds(&mut buf, &mut fds).expect("receive");
        assert_eq!((&buf[..len], fds.len()), (&b"half of a mess"[..], 1));
        UdStream::from(fds.remove(0)).write_all(b"alive").expect("write");
        let mut text = String::new();
        watch.read_to_string(&mut text).expect("read");
        assert_eq!(text, "alive");
        // After what was sent, the end.
        assert_eq!(second.recv_with_fds(&mut buf, &mut fds).expect("receive"), 0);
    });
}

#[test]
fn descriptors_under_way_from_the_dead_are_closed_when_the_receiver_closes() {
    in_time(|| {
        for is_accepted in [true, false] {
            let (watch, listener) = sent_by_the_dead();
            let second = is_accepted.then(|| listener.accept_timeout(LIMIT).expect("accept"));
            let _alone = no_child_is_started();
            drop(second);
            drop(listener);
            assert_all_closed(&watch);
        }
    });
}
