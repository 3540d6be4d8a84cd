// What each end does; the file is a part of two modules, one for each crate.

use super::Inherited;
use interprocess::{
    local_socket::{
        self, ConnectOptions, GenericFilePath, GenericNamespaced, ListenerOptions, Name, ToFsName, ToNsName,
        traits::{self, StreamCommon},
    },
    unnamed_pipe::{Recver, Sender},
};
use std::io::{self, Read, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[cfg(windows)]
use interprocess::os::windows::named_pipe::{
    DuplexPipeStream, PipeListenerOptions, PipeMode, pipe_mode::Messages,
};

fn name<'n>(name_type: &str, text: &'n str) -> io::Result<Name<'n>> {
    #[cfg(unix)]
    use interprocess::os::unix::local_socket::{AbstractNsUdSocket, FilesystemUdSocket, SpecialDirUdSocket};

    match name_type {
        "GenericNamespaced" => text.to_ns_name::<GenericNamespaced>(),
        "GenericFilePath" => text.to_fs_name::<GenericFilePath>(),
        #[cfg(unix)]
        "FilesystemUdSocket" => text.to_fs_name::<FilesystemUdSocket>(),
        #[cfg(unix)]
        "AbstractNsUdSocket" => text.to_ns_name::<AbstractNsUdSocket>(),
        #[cfg(unix)]
        "SpecialDirUdSocket" => text.to_ns_name::<SpecialDirUdSocket>(),
        #[cfg(windows)]
        "NamedPipe" => text.to_fs_name::<interprocess::os::windows::local_socket::NamedPipe>(),
        _ => panic!("no name type is called {name_type}"),
    }
}

/// Answers one client with what it has sent, doubled, until it leaves.
pub(super) fn serve(name_type: &str, text: &str, listening: fn()) -> io::Result<()> {
    let listener = ListenerOptions::new().name(name(name_type, text)?).create_sync()?;
    listening();
    let mut client = traits::Listener::accept(&listener)?;
    let mut bytes = vec![0; super::LEN];
    client.read_exact(&mut bytes)?;
    client.write_all(&bytes)?;
    client.write_all(&bytes)?;
    client.read_exact(&mut bytes[..1])?;
    if super::LEAVES_AT_ONCE {
        assert_eq!(client.read(&mut bytes)?, 0);
    }
    Ok(())
}

pub(super) fn serve_on_tokio(name_type: &str, text: &str, listening: fn()) -> io::Result<()> {
    super::on_tokio(async {
        let listener = ListenerOptions::new().name(name(name_type, text)?).create_tokio()?;
        listening();
        let mut client = traits::tokio::Listener::accept(&listener).await?;
        let mut bytes = vec![0; super::LEN];
        client.read_exact(&mut bytes).await?;
        client.write_all(&bytes).await?;
        client.write_all(&bytes).await?;
        client.read_exact(&mut bytes[..1]).await?;
        if super::LEAVES_AT_ONCE {
            assert_eq!(client.read(&mut bytes).await?, 0);
        }
        Ok(())
    })
}

/// Connects, sends, receives, and leaves.
pub(super) fn ask(name_type: &str, text: &str) -> io::Result<()> {
    let mut stream: local_socket::Stream = ConnectOptions::new().name(name(name_type, text)?).connect_sync()?;
    let bytes = super::pattern();
    stream.write_all(&bytes)?;
    let mut answer = vec![0; 2 * bytes.len()];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer, [&*bytes, &*bytes].concat());
    stream.write_all(b".")
}

pub(super) fn ask_on_tokio(name_type: &str, text: &str) -> io::Result<()> {
    super::on_tokio(async {
        let options = ConnectOptions::new().name(name(name_type, text)?);
        let mut stream: local_socket::tokio::Stream = options.connect_tokio().await?;
        let bytes = super::pattern();
        stream.write_all(&bytes).await?;
        let mut answer = vec![0; 2 * bytes.len()];
        stream.read_exact(&mut answer).await?;
        assert_eq!(answer, [&*bytes, &*bytes].concat());
        stream.write_all(b".").await
    })
}

/// The process ID of the server, as the system tells it.
pub(super) fn server_of(text: &str) -> io::Result<i64> {
    let stream = ConnectOptions::new().name(name("GenericNamespaced", text)?).connect_sync()?;
    let pid = StreamCommon::peer_creds(&stream)?.pid().expect("the system tells");
    Ok(pid.into())
}

/// A pipe whose ends can be given to a child.
pub(super) fn inheritable_pipe() -> io::Result<(Inherited, Inherited)> {
    #[cfg(unix)]
    let (tx, rx) = interprocess::unnamed_pipe::pipe()?;
    #[cfg(windows)]
    let (tx, rx) = interprocess::os::windows::unnamed_pipe::CreationOptions::new().inheritable(true).create()?;
    Ok((tx.into(), rx.into()))
}

pub(super) fn send_through(inherited: Inherited, text: &str) -> io::Result<()> {
    let mut tx: Sender = end(inherited);
    writeln!(tx, "{text}")
}

pub(super) fn recv_from(inherited: Inherited) -> io::Result<String> {
    let mut rx: Recver = end(inherited);
    // Up to the end of the line: at the end of the stream, interprocess 2 gives an error on Windows.
    let mut text = Vec::new();
    let mut byte = [0];
    loop {
        rx.read_exact(&mut byte)?;
        if byte == *b"\n" {
            return Ok(String::from_utf8(text).expect("text"));
        }
        text.extend(byte);
    }
}

/// For children.
pub(super) fn recv(value: &str) -> io::Result<String> {
    recv_from(super::inherited(value))
}

/// For children.
pub(super) fn send(value: &str, text: &str) -> io::Result<()> {
    send_through(super::inherited(value), text)
}

/// Answers one client with its messages, until it leaves.
#[cfg(windows)]
pub(super) fn serve_pipe(path: &str, listening: fn()) -> io::Result<()> {
    let options = PipeListenerOptions::new().path(path).mode(PipeMode::Messages);
    let listener = options.create_duplex::<Messages>()?;
    listening();
    let client = listener.accept()?;
    while let Some(msg) = recv_msg(&client)? {
        client.send(&msg)?;
    }
    Ok(())
}

#[cfg(windows)]
pub(super) fn ask_pipe(path: &str) -> io::Result<()> {
    let stream = DuplexPipeStream::<Messages>::connect_by_path(path)?;
    for len in [1, 2, 511, 70_000] {
        let msg = super::pattern()[..len].to_vec();
        assert_eq!(stream.send(&msg)?, len);
        stream.send(b"x")?;
        assert_eq!(recv_msg(&stream)?.as_ref(), Some(&msg));
        assert_eq!(recv_msg(&stream)?.as_deref(), Some(&b"x"[..]));
    }
    Ok(())
}
