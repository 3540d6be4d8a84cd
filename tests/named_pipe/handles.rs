//! Handles: which of them become streams, what streams do with those of others, and that none is left over.

use crate::{
    listening::{options, unique_path},
    support::{Child, ChildFunction, LIMIT, TempDir, in_time, is_wine, say, within},
};
use interprocess::{
    ConnectWaitMode,
    local_socket::Stream as LocalStream,
    os::windows::named_pipe::{
        DuplexPipeStream, FromHandleErrorKind, PipeListener, PipeMode, PipeStream, RecvPipeStream,
        SendPipeStream, pipe_mode::*,
    },
};
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    num::NonZeroU8,
    os::windows::io::{AsHandle, AsRawHandle, AsRawSocket, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr::{null, null_mut},
    thread,
    time::{Duration, Instant},
};
use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    Storage::FileSystem::PIPE_ACCESS_DUPLEX,
    System::{
        Mailslots::CreateMailslotW,
        Pipes::{
            ConnectNamedPipe, CreateNamedPipeW, CreatePipe, PIPE_NOWAIT, PIPE_READMODE_BYTE,
            PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_MESSAGE, SetNamedPipeHandleState,
        },
        Threading::{CreateEventW, GetCurrentProcess, GetProcessHandleCount},
    },
};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(30);

type Stream = DuplexPipeStream<Bytes>;

pub(crate) const CHILDREN: [(&str, ChildFunction); 1] = [("count_handles", count_handles)];

fn pair<Rm: PipeModeTag, Sm: PipeModeTag>() -> (PipeStream<Rm, Sm>, PipeStream<Sm, Rm>) {
    let path = unique_path();
    // Wine takes the flag that keeps remote clients out for the one of messages.
    let listener = options(&path).accept_remote(is_wine()).create().unwrap();
    let client = PipeStream::connect_by_path(&path).unwrap();
    (listener.accept().unwrap(), client)
}

/// From the result of a function that gives null or -1 if it fails.
fn owned(handle: *mut std::ffi::c_void) -> OwnedHandle {
    assert!(!handle.is_null() && handle != INVALID_HANDLE_VALUE, "{}", io::Error::last_os_error());
    // SAFETY: the function succeeded, so the handle is open and ours.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// What a direction carries.
type Mode = Option<PipeMode>;

/// The handles of both ends of a pipe whose server receives the one and sends the other.
fn make<Rm: PipeModeTag, Sm: PipeModeTag>() -> [OwnedHandle; 2] {
    let (server, client) = pair::<Rm, Sm>();
    [server.into(), client.into()]
}

/// The handle, after it was a stream of this kind or could not be one.
fn convert<Rm: PipeModeTag, Sm: PipeModeTag>(
    handle: OwnedHandle,
) -> (Result<(), FromHandleErrorKind>, OwnedHandle) {
    match PipeStream::<Rm, Sm>::try_from(handle) {
        Ok(stream) => (Ok(()), stream.into()),
        Err(error) => {
            assert_ne!(error.to_string(), "");
            (Err(error.details), error.source.expect("it is handed back"))
        }
    }
}

type Make = fn() -> [OwnedHandle; 2];
type Convert = fn(OwnedHandle) -> (Result<(), FromHandleErrorKind>, OwnedHandle);

/// All kinds of streams: what they receive, and what they send.
fn kinds() -> Vec<(Mode, Mode, Make, Convert)> {
    const BYTES: Mode = Some(PipeMode::Bytes);
    const MESSAGES: Mode = Some(PipeMode::Messages);
    const NONE: Mode = Option::None;
    vec![
        (BYTES, BYTES, make::<Bytes, Bytes>, convert::<Bytes, Bytes>),
        (BYTES, MESSAGES, make::<Bytes, Messages>, convert::<Bytes, Messages>),
        (BYTES, NONE, make::<Bytes, None>, convert::<Bytes, None>),
        (MESSAGES, BYTES, make::<Messages, Bytes>, convert::<Messages, Bytes>),
        (MESSAGES, MESSAGES, make::<Messages, Messages>, convert::<Messages, Messages>),
        (MESSAGES, NONE, make::<Messages, None>, convert::<Messages, None>),
        (NONE, BYTES, make::<None, Bytes>, convert::<None, Bytes>),
        (NONE, MESSAGES, make::<None, Messages>, convert::<None, Messages>),
    ]
}

#[test]
fn a_handle_becomes_a_stream_that_its_pipe_can_serve_and_no_other() {
    use FromHandleErrorKind::{NoMessageBoundaries, NoSuchDirection};

    in_time(|| {
        for (server_recvs, server_sends, make, _) in kinds() {
            let [server, client] = make();
            let has_messages = [server_recvs, server_sends].contains(&Some(PipeMode::Messages));
            for (handle, recvs, sends) in
                [(server, server_recvs, server_sends), (client, server_sends, server_recvs)]
            {
                let raw = handle.as_raw_handle();
                let mut handle = handle;
                for (to_recv, to_send, _, convert) in kinds() {
                    let expected =
                        if (to_recv.is_some() && recvs.is_none()) || (to_send.is_some() && sends.is_none()) {
                            Err(NoSuchDirection)
                        } else if !has_messages && [to_recv, to_send].contains(&Some(PipeMode::Messages)) {
                            Err(NoMessageBoundaries)
                        } else {
                            Ok(())
                        };
                    let (result, back) = convert(handle);
                    assert_eq!(
                        result, expected,
                        "pipe: {server_recvs:?}, {server_sends:?}; wanted: {to_recv:?}, {to_send:?}"
                    );
                    assert_eq!(back.as_raw_handle(), raw);
                    handle = back;
                }
            }
        }
    });
}

#[test]
fn streams_from_handles_of_either_end_work() {
    in_time(|| {
        let [server, client] = make::<Messages, Messages>();
        // Left in another mode by whoever had it.
        let (_, client) = convert::<Bytes, Bytes>(client);
        let server = DuplexPipeStream::<Messages>::try_from(server).unwrap();
        let client = DuplexPipeStream::<Messages>::try_from(client).unwrap();
        assert!(server.is_server() && client.is_client());
        let mut message = Vec::new();
        for (from, to) in [(&server, &client), (&client, &server)] {
            for len in [3, 0, 60_000] {
                from.send(&vec![7; len]).unwrap();
                assert_eq!(to.recv_msg(&mut message).unwrap(), Some(len));
            }
            to.set_recv_timeout(Some(SHORT)).unwrap();
            assert_eq!(to.recv_msg(&mut message).unwrap_err().kind(), ErrorKind::TimedOut);
        }
        drop(server);
        assert_eq!(client.recv_msg(&mut message).unwrap(), Option::None);
    });
}

#[test]
fn what_is_no_pipe_is_refused_and_handed_back() {
    in_time(|| {
        let dir = TempDir::new();
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(dir.join("file")).unwrap();
        // SAFETY: null for the attributes and for the name is allowed.
        let event = owned(unsafe { CreateEventW(null(), 1, 0, null()) });
        let path = wide(&unique_path().replace("pipe", "mailslot"));
        // SAFETY: the path ends with NUL.
        let mailslot = owned(unsafe { CreateMailslotW(path.as_ptr(), 0, 0, null()) });
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        // SAFETY: a socket is a handle, too, and stays open.
        let socket =
            unsafe { BorrowedHandle::borrow_raw(usize::try_from(socket.as_raw_socket()).unwrap() as _) };
        let mut handles = vec![OwnedHandle::from(file), event, mailslot];
        handles.extend(socket.try_clone_to_owned());
        for handle in handles {
            let raw = handle.as_raw_handle();
            let error = Stream::try_from(handle).unwrap_err();
            assert_eq!(error.details, FromHandleErrorKind::IsServerCheckFailed);
            assert!(error.cause.is_some());
            assert_eq!(error.source.as_ref().unwrap().as_raw_handle(), raw);
            let error = LocalStream::try_from(error.source.unwrap()).unwrap_err();
            assert!(error.cause.is_some(), "{error}");
            assert_eq!(error.source.as_ref().unwrap().as_raw_handle(), raw);
            assert_ne!(io::Error::from(error).to_string(), "");
        }
    });
}

#[test]
fn unnamed_pipes_are_pipes() {
    in_time(|| {
        let (mut recver, mut sender) = (null_mut(), null_mut());
        // SAFETY: both places outlive the call.
        assert_ne!(unsafe { CreatePipe(&raw mut recver, &raw mut sender, null(), 0) }, 0);
        let (recver, sender) = (owned(recver), owned(sender));
        let error = SendPipeStream::<Bytes>::try_from(recver).unwrap_err();
        assert_eq!(error.details, FromHandleErrorKind::NoSuchDirection);
        let recver = RecvPipeStream::<Bytes>::try_from(error.source.unwrap()).unwrap();
        let sender = SendPipeStream::<Bytes>::try_from(sender).unwrap();
        sender.send(b"bytes").unwrap();
        drop(sender);
        let mut text = String::new();
        (&recver).read_to_string(&mut text).unwrap();
        assert_eq!(text, "bytes");
    });
}

#[test]
fn a_handle_that_was_opened_without_overlapped_io_does_what_it_can() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let server = listener.accept().unwrap();
        let client = Stream::try_from(OwnedHandle::from(file)).unwrap();
        for result in [
            client.set_nonblocking(true),
            client.set_recv_timeout(Some(LIMIT)),
            client.set_send_timeout(Some(LIMIT)),
            client.drain(LIMIT),
        ] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        client.set_nonblocking(false).unwrap();
        client.set_recv_timeout(Option::None).unwrap();
        client.send(b"question").unwrap();
        client.flush().unwrap();
        let mut buf = [0; 8];
        assert_eq!(server.recv(&mut buf).unwrap(), 8);
        client.drain(Duration::MAX).unwrap();
        server.send(b"answer").unwrap();
        assert_eq!(client.peek(&mut buf).unwrap(), 6);
        assert_eq!(client.recv(&mut buf[..2]).unwrap(), 2);
        assert_eq!(client.recv(&mut buf).unwrap(), 4);
        // Also when they have to wait.
        thread::scope(|scope| {
            let waiting = scope.spawn(|| client.recv(&mut [0; 8]).unwrap());
            thread::sleep(SHORT);
            server.send(b"late").unwrap();
            assert_eq!(waiting.join().unwrap(), 4);
            let waiting = scope.spawn(|| client.peek(&mut [0; 8]).unwrap());
            thread::sleep(SHORT);
            server.send(b"later").unwrap();
            assert_eq!(waiting.join().unwrap(), 5);
        });
        assert_eq!(client.recv(&mut buf).unwrap(), 5);
        drop(server);
        assert_eq!(client.recv(&mut buf).unwrap(), 0);
        assert_eq!(client.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

/// Messages in both directions between an end that was opened with overlapped I/O and one that was not.
fn exchange_messages(ours: &DuplexPipeStream<Messages>, synchronous: &DuplexPipeStream<Messages>) {
    let mut message = Vec::new();
    for len in [3, 0, 5000, 60_000] {
        ours.send(&vec![7; len]).unwrap();
        assert_eq!(synchronous.recv_msg(&mut message).unwrap(), Some(len));
        assert_eq!(message, vec![7; len]);
        synchronous.send(&vec![8; len]).unwrap();
        assert_eq!(ours.recv_msg(&mut message).unwrap(), Some(len));
        assert_eq!(message, vec![8; len]);
    }
    ours.send(b"in parts").unwrap();
    assert_eq!(synchronous.peek_msg_len().unwrap(), 8);
    let mut buf = [0; 3];
    let part = synchronous.recv_part(&mut buf).unwrap().unwrap();
    assert_eq!((part.len, part.is_last, &buf), (3, false, b"in "));
    assert_eq!(synchronous.recv_msg(&mut message).unwrap(), Some(5));
    // When they have to wait.
    thread::scope(|scope| {
        for len in [4, 0, 200_000] {
            let waiting = scope.spawn(|| {
                let mut message = Vec::new();
                (synchronous.recv_msg(&mut message).unwrap(), message.len())
            });
            thread::sleep(SHORT);
            ours.send(&vec![9; len]).unwrap();
            assert_eq!(waiting.join().unwrap(), (Some(len), len));
        }
        let asking = scope.spawn(|| {
            let mut answer = Vec::with_capacity(16);
            synchronous.transact(b"question", &mut answer).unwrap();
            answer
        });
        assert_eq!(ours.recv_msg(&mut message).unwrap(), Some(8));
        ours.send(b"answer").unwrap();
        assert_eq!(asking.join().unwrap(), b"answer");
    });
    let mut result = Err(ErrorKind::Other.into());
    for _ in 0..2 {
        result = synchronous.set_recv_timeout(Some(LIMIT));
    }
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn messages_go_through_a_client_that_was_opened_without_overlapped_io() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Messages>().unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let server = listener.accept().unwrap();
        let client = DuplexPipeStream::<Messages>::try_from(OwnedHandle::from(file)).unwrap();
        exchange_messages(&server, &client);
        drop(server);
        assert_eq!(client.recv_msg(&mut Vec::new()).unwrap(), Option::None);
    });
}

#[test]
fn messages_go_through_a_server_that_was_opened_without_overlapped_io() {
    in_time(|| {
        let path = unique_path();
        let wide = wide(&path);
        let mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS;
        // SAFETY: the path ends with NUL, and null is allowed for the attributes.
        let server = owned(unsafe {
            CreateNamedPipeW(wide.as_ptr(), PIPE_ACCESS_DUPLEX, mode, 1, 1 << 16, 1 << 16, 0, null())
        });
        let client = DuplexPipeStream::<Messages>::connect_by_path(&path).unwrap();
        // SAFETY: the handle is open, and waits for each call. That the client is there already is an error.
        unsafe { ConnectNamedPipe(server.as_raw_handle(), null_mut()) };
        let server = DuplexPipeStream::<Messages>::try_from(server).unwrap();
        assert!(server.is_server());
        exchange_messages(&client, &server);
        drop(client);
        assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), Option::None);
    });
}

#[test]
fn a_stream_may_be_dropped_though_its_handle_was_opened_without_overlapped_io() {
    in_time(|| {
        for _ in 0..20 {
            let path = unique_path();
            let listener = options(&path).create_duplex::<Messages>().unwrap();
            let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let server = listener.accept().unwrap();
            let client = DuplexPipeStream::<Messages>::try_from(OwnedHandle::from(file)).unwrap();
            client.send(b"last").unwrap();
            drop(client);
            assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), Some(4));
            assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), Option::None);
        }
    });
}

#[test]
fn a_handle_that_may_only_receive_becomes_a_stream_that_only_receives() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        // It may not set how it receives, either.
        let file = File::open(&path).unwrap();
        let server = listener.accept().unwrap();
        let client = RecvPipeStream::<Bytes>::try_from(OwnedHandle::from(file)).unwrap();
        server.send(b"bytes").unwrap();
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 5);
    });
}

#[test]
fn a_handle_that_may_only_send_becomes_a_stream_that_only_sends() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Messages>().unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let server = listener.accept().unwrap();
        let client = SendPipeStream::<Messages>::try_from(OwnedHandle::from(file)).unwrap();
        client.send(b"message").unwrap();
        assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), Some(7));
    });
}

#[test]
fn a_handle_that_may_not_do_what_is_wanted_is_refused_though_the_pipe_goes_that_way() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        let recver = OwnedHandle::from(RecvPipeStream::<Bytes>::connect_by_path(&path).unwrap());
        let _first = listener.accept().unwrap();
        let error = Stream::try_from(recver).unwrap_err();
        assert_eq!(error.details, FromHandleErrorKind::NoSuchDirection);
        RecvPipeStream::<Bytes>::try_from(error.source.unwrap()).unwrap();
        let sender = OwnedHandle::from(SendPipeStream::<Bytes>::connect_by_path(&path).unwrap());
        let _second = listener.accept().unwrap();
        let error = Stream::try_from(sender).unwrap_err();
        assert_eq!(error.details, FromHandleErrorKind::NoSuchDirection);
        SendPipeStream::<Bytes>::try_from(error.source.unwrap()).unwrap();
    });
}

#[test]
fn a_handle_that_was_set_not_to_wait_is_set_to_wait() {
    in_time(|| {
        const LEN: usize = 300_000;

        fn not_waiting(handle: impl Into<OwnedHandle>) -> OwnedHandle {
            let handle = handle.into();
            let mode = PIPE_NOWAIT | PIPE_READMODE_BYTE;
            // SAFETY: the handle is open, and null leaves the rest as it is.
            let done =
                unsafe { SetNamedPipeHandleState(handle.as_raw_handle(), &raw const mode, null(), null()) };
            assert_ne!(done, 0, "{}", io::Error::last_os_error());
            handle
        }

        let (server, client) = pair::<Bytes, Bytes>();
        let client = Stream::try_from(not_waiting(client)).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| client.recv(&mut [0; 8]).unwrap());
            thread::sleep(SHORT);
            server.send(b"late").unwrap();
            assert_eq!(waiting.join().unwrap(), 4);
        });
        let (server, client) = pair::<Bytes, None>();
        let client = SendPipeStream::<Bytes>::try_from(not_waiting(client)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(client.send(&vec![7; LEN]).unwrap(), LEN));
            let (mut buf, mut len) = (vec![0; 50_000], 0);
            while len < LEN {
                thread::sleep(Duration::from_millis(1));
                len += server.recv(&mut buf).unwrap();
            }
        });
    });
}

#[test]
fn the_handle_of_a_stream_that_is_shared_is_another_to_the_same_pipe() {
    in_time(|| {
        let (server, client) = pair::<Bytes, Bytes>();
        let clone = client.try_clone().unwrap();
        let raw = client.as_handle().as_raw_handle();
        let handle = OwnedHandle::from(client);
        assert_ne!(handle.as_raw_handle(), raw);
        let mut file = File::from(handle);
        server.send(b"12").unwrap();
        assert_eq!(clone.recv(&mut [0]).unwrap(), 1);
        clone.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
        drop(clone);
        // The connection lasts. (std waits for what is not done at once, overlapped or not.)
        let mut buf = [0; 1];
        assert_eq!(file.read(&mut buf).unwrap(), 1);
        assert_eq!(&buf, b"2");
        file.write_all(b"y").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
        drop(file);
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);

        // The only one gives its own, and what is in flight ends.
        let (server, client) = pair::<Bytes, Bytes>();
        client.set_nonblocking(true).unwrap();
        assert_eq!(client.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let raw = client.as_handle().as_raw_handle();
        let handle = OwnedHandle::from(client);
        assert_eq!(handle.as_raw_handle(), raw);
        server.send(b"x").unwrap();
        let client = Stream::try_from(handle).unwrap();
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn halves_that_become_handles_share_the_connection() {
    in_time(|| {
        let (server, client) = pair::<Bytes, Bytes>();
        let (recv, send) = client.split();
        let (recv, send) = (OwnedHandle::from(recv), OwnedHandle::from(send));
        let recv = RecvPipeStream::<Bytes>::try_from(recv).unwrap();
        drop(send);
        server.send(b"x").unwrap();
        assert_eq!(recv.recv(&mut [0; 8]).unwrap(), 1);
        drop(recv);
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn local_sockets_and_pipes_of_bytes_become_each_other() {
    in_time(|| {
        let (server, client) = pair::<Bytes, Bytes>();
        client.set_recv_timeout(Some(LIMIT)).unwrap();
        let local = LocalStream::from(client);
        server.send(b"12").unwrap();
        // What was looked at stays with the stream.
        assert_eq!(local.peek(&mut [0; 8]).unwrap(), 2);
        let client = Stream::from(local);
        assert_eq!(client.recv_timeout().unwrap(), Some(LIMIT));
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 2);
        let local = LocalStream::try_from(OwnedHandle::from(client)).unwrap();
        (&local).write_all(b"x").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
        for handle in [make::<Bytes, None>(), make::<None, Bytes>()].into_iter().flatten() {
            let error = LocalStream::try_from(handle).unwrap_err();
            assert_eq!(error.cause.as_ref().unwrap().kind(), ErrorKind::InvalidInput);
            assert!(error.source.is_some());
        }
        // Of messages, a local socket gets the bytes.
        let [server, client] = make::<Messages, Messages>();
        let local = LocalStream::try_from(client).unwrap();
        let server = DuplexPipeStream::<Messages>::try_from(server).unwrap();
        server.send(b"").unwrap();
        server.send(b"message").unwrap();
        let mut buf = [0; 8];
        assert_eq!((&local).read(&mut buf[..3]).unwrap(), 3);
        assert_eq!((&local).read(&mut buf).unwrap(), 4);
    });
}

/// How many handles this process has.
fn handle_count() -> u32 {
    let mut count = 0;
    // SAFETY: the pseudo handle is always valid, and `count` outlives the call.
    assert_ne!(unsafe { GetProcessHandleCount(GetCurrentProcess(), &raw mut count) }, 0);
    count
}

/// Given a path, makes what is then done again and again.
type MakeRound = fn(&str) -> Box<dyn FnMut()>;

/// The rounds whose handles are counted.
const ROUNDS: [(&str, MakeRound); 9] = [
    ("plain", |path| {
        let (listener, path) = listener(path);
        Box::new(move || {
            let (server, client) = connection(&listener, &path);
            client.send(b"x").unwrap();
            assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
        })
    }),
    ("timeouts", |path| {
        let (listener, path) = listener(path);
        Box::new(move || {
            let (server, client) = connection(&listener, &path);
            server.set_recv_timeout(Some(Duration::from_micros(1))).unwrap();
            server.set_send_timeout(Some(Duration::from_secs(1))).unwrap();
            assert_eq!(server.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::TimedOut);
            server.send(b"x").unwrap();
            assert_eq!(client.recv(&mut [0; 8]).unwrap(), 1);
            assert_eq!(listener.accept_timeout(Duration::ZERO).unwrap_err().kind(), ErrorKind::TimedOut);
        })
    }),
    ("nonblocking", |path| {
        let (listener, path) = listener(path);
        Box::new(move || {
            let (server, client) = connection(&listener, &path);
            for stream in [&server, &client] {
                stream.set_nonblocking(true).unwrap();
                assert_eq!(stream.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
            }
            while server.send(&[7; 60_000]).is_ok() {}
        })
    }),
    ("messages", |path| {
        let path = path.to_owned();
        let listener = options(&path).create_duplex::<Messages>().unwrap();
        Box::new(move || {
            let client = DuplexPipeStream::<Messages>::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            client.send(&[7; 10_000]).unwrap();
            assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), Some(10_000));
        })
    }),
    ("limit", |path| {
        let path = path.to_owned();
        let listener = options(&path).instance_limit(NonZeroU8::new(2)).create_duplex::<Bytes>().unwrap();
        Box::new(move || drop(connection(&listener, &path)))
    }),
    ("refused", |path| {
        let path = path.to_owned();
        let listener = options(&path).instance_limit(NonZeroU8::new(1)).create_duplex::<Bytes>().unwrap();
        let client = Stream::connect_by_path(&path).unwrap();
        let _ = &listener;
        Box::new(move || {
            let wait_mode = ConnectWaitMode::Deferred;
            assert_eq!(
                Stream::connect_by_path_with_wait_mode(&path, wait_mode).unwrap_err().kind(),
                ErrorKind::WouldBlock
            );
            options(&path).create_duplex::<Bytes>().unwrap_err();
            let _ = (&client, &listener);
        })
    }),
    ("threads", |path| {
        let (listener, path) = listener(path);
        Box::new(move || {
            thread::scope(|scope| {
                let accepted = scope.spawn(|| listener.accept().unwrap());
                let client = Stream::connect_by_path(&path).unwrap();
                let server = accepted.join().unwrap();
                scope.spawn(move || client.send(b"x").unwrap());
                scope.spawn(move || assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1));
            });
        })
    }),
    #[cfg(feature = "tokio")]
    ("tokio", |path| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let path = path.to_owned();
        let listener = runtime.block_on(async { options(&path).create_tokio_duplex::<Bytes>().unwrap() });
        Box::new(move || {
            use interprocess::os::windows::named_pipe::tokio::DuplexPipeStream;

            runtime.block_on(async {
                let client = DuplexPipeStream::<Bytes>::connect_by_path(&path).await.unwrap();
                let server = listener.accept().await.unwrap();
                client.send(b"x").await.unwrap();
                assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 1);
                let mut buf = [0; 8];
                // Given up in flight.
                let _ = tokio::time::timeout(Duration::ZERO, server.recv(&mut buf)).await;
                let _ = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
            });
        })
    }),
    #[cfg(not(feature = "tokio"))]
    ("tokio", |_| Box::new(|| ())),
    #[cfg(feature = "smol")]
    ("smol", |path| {
        let path = path.to_owned();
        let listener = options(&path).create_smol_duplex::<Bytes>().unwrap();
        Box::new(move || {
            use interprocess::os::windows::named_pipe::smol::DuplexPipeStream;

            async_io::block_on(async {
                let client = DuplexPipeStream::<Bytes>::connect_by_path(&path).await.unwrap();
                let server = listener.accept().await.unwrap();
                client.send(b"x").await.unwrap();
                assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 1);
            });
        })
    }),
    #[cfg(not(feature = "smol"))]
    ("smol", |_| Box::new(|| ())),
];

fn listener(path: &str) -> (PipeListener<Bytes, Bytes>, String) {
    (options(path).create_duplex().unwrap(), path.to_owned())
}

fn connection(listener: &PipeListener<Bytes, Bytes>, path: &str) -> (Stream, Stream) {
    let client = Stream::connect_by_path(path).unwrap();
    (listener.accept().unwrap(), client)
}

/// In a process of its own, since other tests open and close handles at the same time.
fn count_handles(arguments: &[String]) {
    /// What threads of the system's pool and the like may come to.
    const SLACK: u32 = 30;

    let (_, make) = ROUNDS.iter().find(|(name, _)| *name == arguments[0]).unwrap();
    let mut round = make(&unique_path());
    (0..100).for_each(|_| round());
    let before = handle_count();
    (0..1000).for_each(|_| round());
    // What goes on in the background takes its time.
    let start = Instant::now();
    while handle_count() > before + SLACK && start.elapsed() < LIMIT / 4 {
        thread::sleep(SHORT);
    }
    say(format_args!("{before} {}", handle_count()));
}

#[test]
fn a_thousand_rounds_of_every_kind_leave_no_handle_behind() {
    within(LIMIT * 3, || {
        for (name, _) in ROUNDS {
            let child = Child::start("count_handles", &[name]);
            let counts = child.hear();
            child.finish();
            let (before, after) = counts.split_once(' ').unwrap();
            let (before, after): (u32, u32) = (before.parse().unwrap(), after.parse().unwrap());
            assert!(after <= before + 30, "{name}: {before} handles became {after}");
        }
    });
}
