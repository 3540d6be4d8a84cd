//! Servers and clients on Tokio.

use super::{in_time_on_tokio, names};
use ::tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    try_join,
};
use interprocess::local_socket::{
    ListenerOptions, Name,
    tokio::{ReuniteError, ReuniteResult, Stream, prelude::*},
};
use std::io;

/// The server and the client of the documentation.
async fn greet(name: Name<'static>) -> io::Result<()> {
    async fn handle(connection: Stream) -> io::Result<String> {
        let mut recver = BufReader::new(&connection);
        let mut sender = &connection;
        let mut line = String::with_capacity(128);
        let send = sender.write_all(b"Hello from server!\n");
        let recv = recver.read_line(&mut line);
        try_join!(recv, send)?;
        Ok(line)
    }

    let listener = ListenerOptions::new().name(name.borrow()).create_tokio()?;
    let server = ::tokio::spawn(async move { handle(listener.accept().await?).await });

    let connection = LocalSocketStream::connect(name).await?;
    let (recver, mut sender) = connection.split();
    let mut recver = BufReader::new(recver);
    let mut line = String::with_capacity(128);
    try_join!(sender.write_all(b"Hello from client!\n"), recver.read_line(&mut line))?;
    assert_eq!(line, "Hello from server!\n");
    assert_eq!(server.await??, "Hello from client!\n");
    Ok(())
}

#[test]
fn server_and_client_greet_each_other() {
    in_time_on_tokio(|| async {
        for name in names() {
            greet(name).await?;
        }
        Ok(())
    });
}

#[test]
fn halves_go_together_again() {
    in_time_on_tokio(|| async {
        let [name, _] = names();
        let listener = ListenerOptions::new().name(name.borrow()).create_tokio()?;
        let (client, server) = try_join!(LocalSocketStream::connect(name), listener.accept())?;
        let (rh, sh) = client.split();
        let (mut other_rh, stranger) = server.split();
        let error: ReuniteError = LocalSocketStream::reunite(rh, stranger).expect_err("two streams");
        let mut client = LocalSocketStream::reunite(error.rh, sh).expect("of one stream");
        client.write_all(b"x").await?;
        other_rh.read_exact(&mut [0]).await?;
        let server: ReuniteResult = LocalSocketStream::reunite(other_rh, error.sh);
        server.expect("of one stream").write_all(b"y").await?;
        client.read_exact(&mut [0]).await?;
        Ok(())
    });
}

#[test]
fn streams_are_dropped_off_the_runtime() {
    let (client, server, listener) = in_time_on_tokio(|| async {
        let [name, _] = names();
        let listener = ListenerOptions::new().name(name.borrow()).create_tokio()?;
        let (mut client, mut server) = try_join!(LocalSocketStream::connect(name), listener.accept())?;
        client.write_all(b"x").await?;
        server.read_exact(&mut [0]).await?;
        Ok((client, server, listener))
    });
    drop((client, server, listener));
}
