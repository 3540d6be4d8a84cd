use super::*;
use std::{
    fs::{self, File},
    os::unix::io::{FromRawFd, IntoRawFd},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

#[test]
fn child_has_an_unnamed_pipe() {
    use interprocess::unnamed_pipe::pipe;

    in_time(|| {
        let (mut to_child, childs_input) = pipe().unwrap();
        let (childs_output, mut from_child) = pipe().unwrap();
        // The published crate's ends are inherited by every child, and then `cat` would wait for itself.
        for end in [std::os::fd::AsRawFd::as_raw_fd(&to_child), std::os::fd::AsRawFd::as_raw_fd(&from_child)]
        {
            // SAFETY: it changes a flag of a descriptor of ours.
            unsafe { libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: the ends gave their descriptors away.
        let (input, output) = unsafe {
            (Stdio::from_raw_fd(childs_input.into_raw_fd()), Stdio::from_raw_fd(childs_output.into_raw_fd()))
        };
        let mut child = Command::new("cat").stdin(input).stdout(output).spawn().unwrap();
        to_child.write_all(b"there and back").unwrap();
        drop(to_child);
        let mut text = String::new();
        from_child.read_to_string(&mut text).unwrap();
        assert_eq!(text, "there and back");
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn descriptors_come_and_go() {
    use interprocess::{
        local_socket::{LocalSocketListener, LocalSocketStream},
        unnamed_pipe::{UnnamedPipeReader, UnnamedPipeWriter, pipe},
    };

    in_time(|| {
        let (writer, reader) = pipe().unwrap();
        // SAFETY: the ends gave their descriptors away.
        let (mut writer, mut reader) = unsafe {
            (
                UnnamedPipeWriter::from_raw_fd(writer.into_raw_fd()),
                UnnamedPipeReader::from_raw_fd(reader.into_raw_fd()),
            )
        };
        writer.write_all(b"x").unwrap();
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");

        let name = format!("@{}", unique());
        let listener = LocalSocketListener::bind(name.as_str()).unwrap();
        let client = LocalSocketStream::connect(name.as_str()).unwrap();
        // SAFETY: as above.
        let mut client = unsafe { LocalSocketStream::from_raw_fd(client.into_raw_fd()) };
        listener.accept().unwrap().write_all(b"y").unwrap();
        client.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"y");
    });
}

#[test]
fn fifo_is_a_file() {
    use interprocess::os::unix::fifo_file::create_fifo;

    in_time(|| {
        let path = UniquePath::new();
        create_fifo(&path.0, 0o600).unwrap();
        assert_eq!(create_fifo(&path.0, 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let written = path.0.clone();
        let writing =
            thread::spawn(move || File::options().write(true).open(written)?.write_all(b"all there is"));
        assert_eq!(fs::read_to_string(&path.0).unwrap(), "all there is");
        writing.join().unwrap().unwrap();
    });
}

#[test]
fn handlers_are_called() {
    use interprocess::os::unix::signal::{
        self, HandlerOptions, NUM_REALTIME_SIGNALS, SetHandlerError, SignalHandler, SignalType,
    };

    static CALLS: AtomicU32 = AtomicU32::new(0);
    static RT_CALLS: AtomicU32 = AtomicU32::new(0);
    fn count() {
        CALLS.fetch_add(1, SeqCst);
    }
    fn count_rt() {
        RT_CALLS.fetch_add(1, SeqCst);
    }
    fn wait_for(count: &AtomicU32, wanted: u32) {
        while count.load(SeqCst) != wanted {
            thread::yield_now();
        }
    }

    if crate::PUBLISHED {
        return; // It passes the process for the signal when it sends one.
    }
    in_time(|| {
        // SAFETY: they only count.
        let (hook, rt_hook) = unsafe { (SignalHandler::from_fn(count), SignalHandler::from_fn(count_rt)) };
        signal::set_handler(SignalType::UserSignal1, hook).unwrap();
        signal::send(SignalType::UserSignal1, std::process::id()).unwrap();
        wait_for(&CALLS, 1);

        signal::set_handler(SignalType::UserSignal1, SignalHandler::Ignore).unwrap();
        signal::send(SignalType::UserSignal1, std::process::id()).unwrap();
        HandlerOptions::for_signal(SignalType::UserSignal2)
            .set_new_handler(hook)
            .system_call_restart(true)
            .recursive_handler(true)
            .set()
            .unwrap();
        signal::send(SignalType::UserSignal2, std::process::id()).unwrap();
        wait_for(&CALLS, 2);

        signal::set_rthandler(0, rt_hook).unwrap();
        signal::send_rt(0_u32, std::process::id()).unwrap();
        wait_for(&RT_CALLS, 1);

        assert!(matches!(
            signal::set_handler(SignalType::Kill, hook),
            Err(SetHandlerError::UnblockableSignal(SignalType::Kill))
        ));
        assert!(matches!(
            signal::set_handler(SignalType::SegmentationFault, hook),
            Err(SetHandlerError::UnsafeSignal)
        ));
        assert!(matches!(
            signal::set_rthandler(NUM_REALTIME_SIGNALS + 1, rt_hook),
            Err(SetHandlerError::RealTimeSignalOutOfBounds { .. })
        ));
        signal::set_handler(SignalType::UserSignal1, SignalHandler::Default).unwrap();
    });
}

#[test]
fn udstream_is_answered_and_knows_its_peer() {
    use interprocess::os::unix::udsocket::{UdStream, UdStreamListener};
    use std::net::Shutdown;

    in_time(|| {
        let path = UniquePath::new();
        {
            let listener = UdStreamListener::bind_with_drop_guard(path.0.as_str()).unwrap();
            assert!(!listener.is_nonblocking().unwrap());
            let name = path.0.clone();
            let client = thread::spawn(move || {
                let mut conn = UdStream::connect(name).unwrap();
                conn.send(b"all ").unwrap();
                conn.send_vectored(&[io::IoSlice::new(b"there "), io::IoSlice::new(b"is")]).unwrap();
                conn.shutdown(Shutdown::Write).unwrap();
                let mut answer = String::new();
                conn.read_to_string(&mut answer).unwrap();
                answer
            });
            let mut conn = listener.incoming().next().unwrap().unwrap();
            let credentials = conn.get_peer_credentials().unwrap();
            assert_eq!(credentials.pid as u32, std::process::id());
            // SAFETY: it needs nothing.
            assert_eq!(credentials.uid, unsafe { libc::getuid() });
            let mut text = String::new();
            conn.read_to_string(&mut text).unwrap();
            assert_eq!(text, "all there is");
            conn.write_all(b"thank you").unwrap();
            drop(conn);
            assert_eq!(client.join().unwrap(), "thank you");
        }
        assert!(fs::metadata(&path.0).is_err(), "the drop guard deletes the file");
    });
}

#[test]
fn datagrams_arrive_whole() {
    use interprocess::{
        ReliableReadMsg,
        os::unix::udsocket::{UdSocket, UdSocketPath},
    };

    in_time(|| {
        let (one_path, other_path) = (UniquePath::new(), UniquePath::new());
        let one = UdSocket::bind(one_path.0.as_str()).unwrap();
        let mut other = UdSocket::bind(other_path.0.as_str()).unwrap();
        one.set_destination(other_path.0.as_str()).unwrap();
        for message in ["first", "second", "a longer one", "the last"] {
            assert_eq!(one.send(message.as_bytes()).unwrap(), message.len());
        }

        let mut buf = [0; 16];
        assert_eq!(other.peek_msg_size().unwrap(), 5);
        assert_eq!(other.recv(&mut buf).unwrap().0, 5);
        assert_eq!(&buf[..5], b"first");

        if crate::PUBLISHED {
            assert_eq!(other.recv(&mut buf).unwrap().0, 6); // It panics where it should say from whom a message is.
        } else {
            let mut path = UdSocketPath::buffer();
            assert_eq!(other.recv_from(&mut buf, &mut path).unwrap().0, 6);
            assert_eq!(path.as_osstr(), one_path.0.as_str());
        }
        assert_eq!(&buf[..6], b"second");

        let mut short = [0; 4];
        assert_eq!(other.try_read_msg(&mut short).unwrap(), Err(12));
        assert_eq!(other.read_msg(&mut short).unwrap(), Err(b"a longer one".to_vec()));
        assert_eq!(other.read_msg(&mut buf).unwrap(), Ok(8));
        assert_eq!(&buf[..8], b"the last");

        other.set_nonblocking(true).unwrap();
        assert!(other.is_nonblocking().unwrap());
        assert_eq!(other.recv(&mut buf).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    });
}

#[test]
fn abstract_name_needs_no_file() {
    use interprocess::os::unix::udsocket::{ToUdSocketPath, UdSocketPath, UdStream, UdStreamListener};

    in_time(|| {
        let name = format!("@{}", unique());
        let listener = UdStreamListener::bind(name.as_str()).unwrap();
        let path: UdSocketPath<'_> = name.as_str().to_socket_path().unwrap();
        assert!(matches!(path, UdSocketPath::Namespaced(_)));
        let client = UdStream::connect(&path).unwrap();
        let server = listener.accept().unwrap();
        server.send(b"x").unwrap();
        assert_eq!(client.recv(&mut [0; 4]).unwrap(), 1);
    });
}

#[test]
fn udstream_for_tokio_is_answered() {
    use interprocess::os::unix::udsocket::tokio::{UdStream, UdStreamListener};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    in_time_async(|| async {
        let path = UniquePath::new();
        let listener = UdStreamListener::bind(path.0.as_str()).unwrap();
        let server = tokio::spawn(async move {
            let (mut reader, mut writer) = listener.accept().await.unwrap().into_split();
            let mut text = String::new();
            reader.read_to_string(&mut text).await.unwrap();
            writer.write_all(text.to_uppercase().as_bytes()).await.unwrap();
        });
        let mut conn = UdStream::connect(path.0.as_str()).await.unwrap();
        assert_eq!(conn.get_peer_credentials().unwrap().pid as u32, std::process::id());
        {
            let (_, mut writer) = conn.split();
            writer.write_all(b"all there is").await.unwrap();
            writer.shutdown().unwrap();
        }
        let (mut reader, writer) = conn.into_split();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "ALL THERE IS");
        server.await.unwrap();
    });
}

#[test]
fn tokios_own_types_are_taken_and_given() {
    use interprocess::os::unix::udsocket::{self, tokio::UdStream};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    in_time_async(|| async {
        let (one, other) = tokio::net::UnixStream::pair().unwrap();
        let mut one = UdStream::from_tokio(one);
        let mut other: tokio::net::UnixStream = UdStream::from_tokio(other).into_tokio();
        one.write_all(b"x").await.unwrap();
        assert_eq!(other.read_u8().await.unwrap(), b'x');
        let one: std::os::unix::net::UnixStream = one.into_std().unwrap();
        let one = UdStream::from_std(one).unwrap();
        let one: udsocket::UdStream = one.into_sync().unwrap();
        one.send(b"y").unwrap();
        assert_eq!(other.read_u8().await.unwrap(), b'y');
    });
}

#[test]
fn datagrams_for_tokio_arrive() {
    use interprocess::os::unix::udsocket::tokio::UdSocket;
    use tokio::io::ReadBuf;

    in_time_async(|| async {
        let path = UniquePath::new();
        let server = UdSocket::bind(path.0.as_str()).unwrap();
        let client = UdSocket::unbound().unwrap();
        client.send_to(b"first", path.0.as_str()).await.unwrap();
        client.set_destination(path.0.as_str()).unwrap();
        client.send_ready().await.unwrap();
        client.send(b"second").await.unwrap();
        std::future::poll_fn(|cx| client.poll_send(cx, b"third")).await.unwrap();

        server.recv_ready().await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(server.recv_stdbuf(&mut buf).await.unwrap(), 5);
        assert_eq!(server.recv_stdbuf(&mut buf).await.unwrap(), 6);
        let mut buf = ReadBuf::new(&mut buf);
        std::future::poll_fn(|cx| server.poll_recv(cx, &mut buf)).await.unwrap();
        assert_eq!(buf.filled(), b"third");
    });
}
