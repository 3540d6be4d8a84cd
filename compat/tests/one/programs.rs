//! Programs, which run.

#[cfg(target_os = "linux")]
mod unix;
#[cfg(windows)]
mod windows;

use super::{UniquePath, in_time, in_time_async, unique};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    thread,
};

/// The names that a program for every OS has to choose from: what it does on each of them.
fn names() -> Vec<(String, Option<UniquePath>)> {
    use interprocess::local_socket::NameTypeSupport;

    let namespaced = || (format!("@{}", unique()), None);
    let path = || {
        let path = UniquePath::new();
        (path.0.clone(), Some(path))
    };
    match NameTypeSupport::query() {
        NameTypeSupport::OnlyPaths => vec![path()],
        NameTypeSupport::OnlyNamespaced => vec![namespaced(), (unique(), None)],
        NameTypeSupport::Both => vec![namespaced(), path()],
    }
}

#[test]
fn client_is_answered() {
    use interprocess::local_socket::{LocalSocketListener, LocalSocketStream};

    fn handle_error(conn: io::Result<LocalSocketStream>) -> Option<LocalSocketStream> {
        conn.map_err(|error| eprintln!("incoming connection failed: {error}")).ok()
    }

    in_time(|| {
        for (name, _file) in names() {
            let listener = LocalSocketListener::bind(name.as_str()).unwrap();
            let server = thread::spawn(move || {
                let mut conn = BufReader::new(listener.incoming().filter_map(handle_error).next().unwrap());
                let mut line = String::new();
                conn.read_line(&mut line).unwrap();
                conn.get_mut().write_all(b"Hello from server!\n").unwrap();
                conn.get_mut().flush().unwrap();
                line
            });

            let mut conn = BufReader::new(LocalSocketStream::connect(name).unwrap());
            conn.get_mut().write_all(b"Hello from client!\n").unwrap();
            let mut line = String::new();
            conn.read_line(&mut line).unwrap();
            assert_eq!(line, "Hello from server!\n");
            assert_eq!(server.join().unwrap(), "Hello from client!\n");
        }
    });
}

#[test]
fn stream_ends_when_the_client_leaves() {
    use interprocess::local_socket::{LocalSocketListener, LocalSocketStream};

    in_time(|| {
        for (name, _file) in names() {
            let listener = LocalSocketListener::bind(name.clone()).unwrap();
            let client = thread::spawn(move || {
                let mut conn = LocalSocketStream::connect(name).unwrap();
                conn.write_vectored(&[io::IoSlice::new(b"all there is")]).unwrap();
            });
            let mut conn = listener.accept().unwrap();
            let mut text = String::new();
            conn.read_to_string(&mut text).unwrap();
            assert_eq!(text, "all there is");
            client.join().unwrap();
        }
    });
}

#[test]
fn nobody_listens() {
    use interprocess::local_socket::LocalSocketStream;

    in_time(|| {
        for (name, _file) in names() {
            let kind = LocalSocketStream::connect(name.as_str()).unwrap_err().kind();
            assert!(matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused), "{kind:?}");
        }
    });
}

#[test]
fn peer_has_our_process_id() {
    use interprocess::local_socket::{LocalSocketListener, LocalSocketStream};

    in_time(|| {
        for (name, _file) in names() {
            let listener = LocalSocketListener::bind(name.as_str()).unwrap();
            let client = LocalSocketStream::connect(name.as_str()).unwrap();
            let server = listener.accept().unwrap();
            assert_eq!(client.peer_pid().unwrap(), std::process::id());
            assert_eq!(server.peer_pid().unwrap(), std::process::id());
        }
    });
}

#[test]
fn names_tell_what_they_are() {
    use interprocess::local_socket::{LocalSocketName, ToLocalSocketName};

    let name = "@example".to_local_socket_name().unwrap();
    assert!(name.is_namespaced() && !name.is_path() && name.is_supported() == name.is_always_supported());
    #[cfg(unix)]
    {
        assert_eq!(name.inner(), "example");
        let name: LocalSocketName<'static> = String::from("/tmp/example").to_local_socket_name().unwrap();
        assert!(name.is_path() && name.is_supported());
        assert_eq!(**name.inner_cow(), *"/tmp/example");
        assert_eq!(name.into_inner(), "/tmp/example");
    }
    #[cfg(windows)]
    assert!(String::from("example").to_local_socket_name().unwrap().is_namespaced());
}

#[test]
fn listener_does_not_wait() {
    use interprocess::local_socket::{LocalSocketListener, LocalSocketStream};

    in_time(|| {
        for (name, _file) in names() {
            let listener = LocalSocketListener::bind(name.as_str()).unwrap();
            listener.set_nonblocking(true).unwrap();
            #[cfg(unix)] // On Windows, the older crate has an error of the system that has no kind.
            assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
            assert!(listener.accept().is_err());

            listener.set_nonblocking(false).unwrap();
            let client =
                thread::spawn(move || LocalSocketStream::connect(name.as_str()).unwrap().write_all(b"x"));
            let mut byte = [0];
            listener.accept().unwrap().read_exact(&mut byte).unwrap();
            assert_eq!(byte, *b"x");
            client.join().unwrap().unwrap();
        }
    });
}

#[test]
fn tokio_client_is_answered() {
    use futures_lite::{AsyncBufReadExt, AsyncWriteExt, io::BufReader};
    use interprocess::local_socket::tokio::{LocalSocketListener, LocalSocketStream};

    async fn talk(conn: LocalSocketStream, says: &str, hears: &str) -> io::Result<()> {
        let (reader, mut writer) = conn.into_split();
        let mut reader = BufReader::new(reader);
        let mut line = String::new();
        tokio::try_join!(reader.read_line(&mut line), writer.write_all(says.as_bytes()))?;
        assert_eq!(line, hears);
        // Both, and only now, as the end of a pipe of Windows is that of both directions.
        drop((reader, writer));
        Ok(())
    }

    in_time_async(|| async {
        for (name, _file) in names() {
            let listener = LocalSocketListener::bind(name.as_str()).unwrap();
            let server = tokio::spawn(async move {
                let conn = listener.accept().await.unwrap();
                talk(conn, "Hello from server!\n", "Hello from client!\n").await.unwrap();
            });
            let conn = LocalSocketStream::connect(name.as_str()).await.unwrap();
            talk(conn, "Hello from client!\n", "Hello from server!\n").await.unwrap();
            server.await.unwrap();
        }
    });
}

#[cfg(unix)]
#[test]
fn dropping_the_half_that_writes_ends_the_stream() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use interprocess::local_socket::tokio::{LocalSocketListener, LocalSocketStream};

    in_time_async(|| async {
        for (name, _file) in names() {
            let listener = LocalSocketListener::bind(name.as_str()).unwrap();
            let server = tokio::spawn(async move {
                let (mut reader, mut writer) = listener.accept().await.unwrap().into_split();
                let mut text = String::new();
                reader.read_to_string(&mut text).await.unwrap();
                writer.write_all(text.to_uppercase().as_bytes()).await.unwrap();
                writer.close().await.unwrap();
            });
            let conn = LocalSocketStream::connect(name.as_str()).await.unwrap();
            let (mut reader, mut writer) = conn.into_split();
            writer.write_all(b"all there is").await.unwrap();
            drop(writer);
            let mut text = String::new();
            reader.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "ALL THERE IS");
            server.await.unwrap();
        }
    });
}

#[test]
fn client_is_answered_on_any_executor() {
    use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt, future, io::BufReader};
    use interprocess::nonblocking::local_socket::{LocalSocketListener, LocalSocketStream};

    async fn client(name: String) -> io::Result<()> {
        let mut conn = BufReader::new(LocalSocketStream::connect(name).await?);
        conn.get_mut().write_all(b"Hello from client!\n").await?;
        conn.get_mut().flush().await?;
        let mut line = String::new();
        conn.read_line(&mut line).await?;
        assert_eq!(line, "Hello from server!\n");
        Ok(())
    }

    async fn server(name: String) -> io::Result<()> {
        let listener = LocalSocketListener::bind(name.clone()).await?;
        let client = thread::spawn(move || future::block_on(client(name)));
        let mut conn = BufReader::new(listener.incoming().next().await.unwrap()?);
        let mut line = String::new();
        conn.read_line(&mut line).await?;
        assert_eq!(line, "Hello from client!\n");
        conn.get_mut().write_all(b"Hello from server!\n").await?;
        conn.get_mut().flush().await?;
        client.join().unwrap()
    }

    if crate::PUBLISHED {
        return; // It cannot read and write at the same time, and hangs.
    }
    in_time(|| {
        for (name, _file) in names() {
            future::block_on(server(name)).unwrap();
        }
    });
}

#[test]
fn bytes_go_through_an_unnamed_pipe() {
    use interprocess::unnamed_pipe::pipe;

    in_time(|| {
        let (mut writer, mut reader) = pipe().unwrap();
        let writing = thread::spawn(move || writer.write_all(b"all there is"));
        let mut text = String::new();
        match reader.read_to_string(&mut text) {
            Ok(_) => {}
            // What the older crate makes of the end, on Windows.
            Err(error) => assert!(cfg!(windows) && error.kind() == io::ErrorKind::BrokenPipe, "{error}"),
        }
        assert_eq!(text, "all there is");
        writing.join().unwrap().unwrap();
    });
}
