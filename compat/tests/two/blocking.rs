//! Blocking servers and clients, their options and modes.

#[cfg(unix)]
use super::unique_path;
use super::{in_time, names};
use interprocess::{
    ConnectWaitMode, TryClone,
    local_socket::{
        ConnectOptions, Listener, ListenerNonblockingMode, ListenerOptions, Name, ReuniteError, prelude::*,
    },
};
use std::{
    io::{self, BufReader, prelude::*},
    sync::Arc,
    thread,
    time::Duration,
};

/// In nonblocking mode, interprocess 2 takes a pipe of Windows from which nothing comes for one that has ended.
const SILENCE_IS_AN_END: bool = cfg!(windows) && crate::IS_PUBLISHED;

/// The server and the client of the documentation.
fn greet(name: Name<'static>) -> io::Result<()> {
    fn handle_error(connection: io::Result<LocalSocketStream>) -> Option<LocalSocketStream> {
        connection.inspect_err(|error| eprintln!("incoming connection failed: {error}")).ok()
    }

    let listener = match ListenerOptions::new().name(name.clone()).create_sync() {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => panic!("{name:?} is in use"),
        listener => listener?,
    };
    let server = thread::spawn(move || -> io::Result<String> {
        let mut line = String::with_capacity(128);
        let connection = listener.incoming().find_map(handle_error).expect("clients come for ever");
        let mut connection = BufReader::new(connection);
        connection.read_line(&mut line)?;
        connection.get_mut().write_all(b"Hello from server!\n")?;
        Ok(line)
    });

    let mut line = String::with_capacity(128);
    let mut connection = BufReader::new(LocalSocketStream::connect(name)?);
    connection.get_mut().write_all(b"Hello from client!\n")?;
    connection.read_line(&mut line)?;
    assert_eq!(line, "Hello from server!\n");
    assert_eq!(server.join().expect("no panic")?, "Hello from client!\n");
    Ok(())
}

#[test]
fn server_and_client_greet_each_other() {
    in_time(|| names().into_iter().try_for_each(greet));
}

/// Both ends of a connection.
fn pair() -> io::Result<[LocalSocketStream; 2]> {
    let [name, _] = names();
    let listener = ListenerOptions::new().name(name.borrow()).create_sync()?;
    let client = ConnectOptions::new().name(name).connect_sync()?;
    Ok([listener.accept()?, client])
}

#[test]
fn listener_is_an_iterator() {
    in_time(|| {
        let [name, _] = names();
        let mut listener: Listener = ListenerOptions::new().name(name.borrow()).create_sync()?;
        let mut client = LocalSocketStream::connect(name)?;
        let server = listener.next().expect("clients come for ever")?;
        client.write_all(b"x")?;
        let mut byte = [0];
        (&server).read_exact(&mut byte)?;
        assert_eq!(byte, *b"x");
        Ok(())
    });
}

#[test]
fn one_thread_reads_while_another_writes() {
    in_time(|| {
        let [server, mut client] = pair()?;
        let server = Arc::new(server);
        let reader = thread::spawn({
            let server = Arc::clone(&server);
            move || {
                let mut text = [0; 5];
                (&*server).read_exact(&mut text).map(|()| text)
            }
        });
        (&*server).write_all(b"there")?;
        let mut text = [0; 5];
        client.read_exact(&mut text)?;
        client.write_all(b"again")?;
        assert_eq!((text, reader.join().expect("no panic")?), (*b"there", *b"again"));
        Ok(())
    });
}

#[test]
fn halves_work_and_go_together_again() {
    in_time(|| {
        let ([one, mut other], [third, _fourth]) = (pair()?, pair()?);
        let (mut rh, mut sh) = one.split();
        sh.write_all(b"to")?;
        let mut text = [0; 2];
        other.read_exact(&mut text)?;
        other.write_all(b"fro")?;
        let mut answer = [0; 3];
        rh.read_exact(&mut answer)?;
        assert_eq!((text, answer), (*b"to", *b"fro"));

        let (_, stranger) = third.split();
        let ReuniteError { rh, sh: stranger } =
            LocalSocketStream::reunite(rh, stranger).expect_err("two streams");
        drop(stranger);
        let mut one = LocalSocketStream::reunite(rh, sh).expect("of one stream");
        one.write_all(b"as one")?;
        drop(one);
        let mut rest = String::new();
        other.read_to_string(&mut rest)?;
        assert_eq!(rest, "as one");
        Ok(())
    });
}

#[test]
fn clone_is_the_same_stream() {
    in_time(|| {
        let [one, mut other] = pair()?;
        let mut clone = TryClone::try_clone(&one)?;
        drop(one);
        clone.write_all(b"x")?;
        let mut byte = [0];
        other.read_exact(&mut byte)?;
        assert_eq!(byte, *b"x");
        Ok(())
    });
}

#[test]
fn nonblocking_modes_are_of_the_listener_and_its_streams() {
    in_time(|| {
        let modes = [
            (ListenerNonblockingMode::Accept, true, false),
            (ListenerNonblockingMode::Both, true, true),
            (ListenerNonblockingMode::Stream, false, true),
        ];
        for (mode, accept, stream) in modes {
            assert_eq!(mode, ListenerNonblockingMode::from_bool(accept, stream));
            let [name, _] = names();
            let listener = ListenerOptions::new().name(name.borrow()).nonblocking(mode).create_sync()?;
            if mode.accept_nonblocking() {
                assert_eq!(listener.accept().expect_err("nobody came").kind(), io::ErrorKind::WouldBlock);
            }
            let mut client = LocalSocketStream::connect(name)?;
            let mut server = loop {
                match listener.accept() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                    accepted => break accepted?,
                }
            };
            if mode.stream_nonblocking() {
                if !SILENCE_IS_AN_END {
                    let nothing = server.read(&mut [0]).expect_err("nothing came");
                    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
                }
                server.set_nonblocking(false)?;
            }
            client.write_all(b"x")?;
            server.read_exact(&mut [0])?;
            listener.set_nonblocking(ListenerNonblockingMode::Accept)?;
            assert_eq!(listener.accept().expect_err("nobody came").kind(), io::ErrorKind::WouldBlock);
        }
        Ok(())
    });
}

#[test]
fn streams_are_made_nonblocking() {
    in_time(|| {
        let [name, _] = names();
        let _listener = ListenerOptions::new().name(name.borrow()).create_sync()?;
        let mut client = ConnectOptions::new().name(name).nonblocking_stream(true).connect_sync()?;
        if SILENCE_IS_AN_END {
            assert_eq!(client.read(&mut [0])?, 0);
            return Ok(());
        }
        assert_eq!(client.read(&mut [0]).expect_err("nothing came").kind(), io::ErrorKind::WouldBlock);
        Ok(())
    });
}

#[test]
fn every_mode_of_waiting_connects() {
    in_time(|| {
        let mut modes = vec![ConnectWaitMode::Unbounded, ConnectWaitMode::Timeout(Duration::from_secs(50))];
        if cfg!(unix) {
            modes.push(ConnectWaitMode::Deferred);
        }
        for mode in modes {
            let [name, _] = names();
            let listener = ListenerOptions::new().name(name.borrow()).create_sync()?;
            let options = ConnectOptions::new().name(name).wait_mode(mode).try_clone()?;
            let mut client = options.connect_sync()?;
            let mut server = listener.accept()?;
            client.write_all(b"x")?;
            server.read_exact(&mut [0])?;
        }
        Ok(())
    });
}

#[test]
fn names_that_nobody_listens_on_are_not_connected_to() {
    in_time(|| {
        for name in names() {
            let kind = LocalSocketStream::connect(name).expect_err("nobody").kind();
            assert!(matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused), "{kind:?}");
        }
        Ok(())
    });
}

#[test]
fn peer_is_this_process() {
    in_time(|| {
        for end in pair()? {
            assert!(end.take_error()?.is_none());
            let pid = end.peer_creds()?.pid().expect("the system tells");
            assert_eq!(i64::from(pid), i64::from(std::process::id()));
        }
        Ok(())
    });
}

#[test]
#[cfg(unix)]
fn receiving_ends_in_time() {
    in_time(|| {
        let [mut one, _other] = pair()?;
        one.set_send_timeout(Some(Duration::from_millis(10)))?;
        one.set_recv_timeout(Some(Duration::from_millis(10)))?;
        let kind = one.read(&mut [0]).expect_err("nothing came").kind();
        assert!(matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{kind:?}");
        Ok(())
    });
}

#[test]
#[cfg(unix)]
fn socket_file_is_left_if_that_is_asked_for_and_overwritten_if_that_is() {
    in_time(|| {
        for with_options in [false, true] {
            let path = unique_path();
            let name = path.as_path().to_fs_name::<interprocess::local_socket::GenericFilePath>()?;
            let options =
                || ListenerOptions::new().name(name.borrow()).max_spin_time(Duration::from_millis(1));
            drop(options().create_sync()?);
            assert!(!path.exists());
            let mut listener = options().reclaim_name(!with_options).create_sync()?;
            if !with_options {
                listener.do_not_reclaim_name_on_drop();
            }
            drop(listener);
            assert!(path.exists());
            drop(options().try_overwrite(true).create_sync()?);
            assert!(!path.exists());
        }
        Ok(())
    });
}

#[test]
#[cfg(unix)]
fn socket_file_has_its_mode() {
    use interprocess::os::unix::local_socket::ListenerOptionsExt;
    use std::os::unix::fs::PermissionsExt;

    in_time(|| {
        let path = unique_path();
        let name = path.as_path().to_fs_name::<interprocess::local_socket::GenericFilePath>()?;
        let _listener = ListenerOptions::new().name(name).mode(0o640).create_sync()?;
        assert_eq!(path.metadata()?.permissions().mode() & 0o777, 0o640);
        Ok(())
    });
}

#[test]
#[cfg(unix)]
fn sockets_are_those_of_std() {
    use interprocess::os::unix::uds_local_socket as uds;
    use std::os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    };

    in_time(|| {
        let (one, mut other) = UnixStream::pair()?;
        let one = uds::Stream::from(one);
        one.inner().set_read_timeout(Some(Duration::from_secs(50)))?;
        assert!(one.inner().peer_addr()?.is_unnamed());
        let (rh, sh) = one.split();
        (&**sh.as_arc()).write_all(b"x")?;
        other.read_exact(&mut [0])?;
        other.write_all(b"y")?;
        let mut stream = rh.as_stream();
        stream.read_exact(&mut [0])?;
        drop((rh.into_arc(), sh.into_arc()));

        let path = unique_path();
        let listener = uds::Listener::from(UnixListener::bind(&path)?);
        listener.set_new_stream_nonblocking(true);
        assert_eq!(listener.inner().local_addr()?.as_pathname(), Some(&*path));
        let _client = UnixStream::connect(&path)?;
        let client = listener.accept()?;
        let nothing = UnixStream::from(OwnedFd::from(client)).read(&mut [0]).expect_err("nothing came");
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        std::fs::remove_file(path)
    });
}
