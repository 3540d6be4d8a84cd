//! Code that is generic over the traits.

use super::{in_time, in_time_on_tokio, names};
use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
use interprocess::{
    bound_util::{RefRead, RefTokioAsyncRead, RefTokioAsyncWrite, RefWrite},
    local_socket::{
        ConnectOptions, Incoming, ListenerNonblockingMode, ListenerOptions, Name, prelude::*, tokio, traits,
    },
    os,
};
use std::{
    io::{self, Read, Write},
    thread,
};
use traits::ListenerExt;

fn echo_once<L: traits::Listener>(listener: &L) -> io::Result<()> {
    let mut clients: Incoming<'_, L> = listener.incoming();
    let mut client = clients.next().expect("clients come for ever")?;
    let mut byte = [0];
    client.read_exact(&mut byte)?;
    client.write_all(&byte)
}

fn ask<S: traits::Stream>(stream: S) -> io::Result<S> {
    fn write(to: &impl RefWrite) -> io::Result<()> {
        to.as_write().write_all(b"x")
    }
    fn read(from: &impl RefRead) -> io::Result<u8> {
        let mut byte = [0];
        from.as_read().read_exact(&mut byte)?;
        Ok(byte[0])
    }
    assert!(stream.take_error()?.is_none());
    write(&stream)?;
    let (rh, sh) = stream.split();
    assert_eq!(read(&rh)?, b'x');
    let reunited: traits::ReuniteResult<S> = S::reunite(rh, sh);
    reunited.map_err(|_| io::Error::other("they are of one stream"))
}

fn exchange<L: traits::Listener + 'static, S: traits::Stream>(name: Name<'static>) -> io::Result<()> {
    let mut listener = ListenerOptions::new().name(name.borrow()).create_sync_as::<L>()?;
    listener.set_nonblocking(ListenerNonblockingMode::Neither)?;
    listener.do_not_reclaim_name_on_drop();
    let server = thread::spawn(move || echo_once(&listener));
    ask(ConnectOptions::new().name(name).connect_sync_as::<S>()?)?;
    server.join().expect("no panic")
}

#[test]
fn blocking_code_is_generic() {
    #[cfg(unix)]
    use os::unix::uds_local_socket as implementation;
    #[cfg(windows)]
    use os::windows::named_pipe::local_socket as implementation;

    in_time(|| {
        let [name, _] = names();
        exchange::<LocalSocketListener, LocalSocketStream>(name)?;
        let [name, _] = names();
        exchange::<implementation::Listener, implementation::Stream>(name)
    });
}

async fn echo_once_on_tokio<L: traits::tokio::Listener>(listener: L) -> io::Result<()> {
    let client = listener.accept().await?;
    let mut byte = [0];
    std::pin::pin!(client.as_tokio_async_read()).read_exact(&mut byte).await?;
    std::pin::pin!(client.as_tokio_async_write()).write_all(&byte).await
}

async fn exchange_on_tokio<L, S>(name: Name<'static>) -> io::Result<()>
where
    L: traits::tokio::Listener + 'static,
    S: traits::tokio::Stream,
    S::RecvHalf: Unpin,
    S::SendHalf: Unpin,
{
    let mut listener = ListenerOptions::new().name(name.borrow()).create_tokio_as::<L>()?;
    listener.do_not_reclaim_name_on_drop();
    let client = ConnectOptions::new().name(name);
    let (server, client) =
        ::tokio::join!(echo_once_on_tokio(listener), ask_on_tokio(client.connect_tokio_as::<S>()));
    server.and(client)
}

async fn ask_on_tokio<S>(stream: impl Future<Output = io::Result<S>>) -> io::Result<()>
where
    S: traits::tokio::Stream,
    S::RecvHalf: Unpin,
    S::SendHalf: Unpin,
{
    let (mut rh, mut sh) = stream.await?.split();
    sh.write_all(b"x").await?;
    let mut byte = [0];
    rh.read_exact(&mut byte).await?;
    assert_eq!(byte, *b"x");
    let reunited: traits::tokio::ReuniteResult<S> = S::reunite(rh, sh);
    let stream = reunited.map_err(|_| io::Error::other("they are of one stream"))?;
    assert!(stream.take_error()?.is_none());
    Ok(())
}

#[test]
fn code_for_tokio_is_generic() {
    #[cfg(unix)]
    use os::unix::uds_local_socket::tokio as implementation;
    #[cfg(windows)]
    use os::windows::named_pipe::local_socket::tokio as implementation;

    in_time_on_tokio(|| async {
        let [name, _] = names();
        exchange_on_tokio::<tokio::Listener, tokio::Stream>(name).await?;
        let [name, _] = names();
        exchange_on_tokio::<implementation::Listener, implementation::Stream>(name).await
    });
}
