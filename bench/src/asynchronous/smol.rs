//! On smol, by `async-io` and the executor of `async-executor`.

use super::{Executor, Face, Io};
use crate::{arena::Place, peer::Peer};
use async_executor::LocalExecutor;
use async_net::unix::{UnixListener, UnixStream};
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use interprocess::local_socket::smol::{Listener, Stream};
use std::{future::Future, io};

impl Executor for LocalExecutor<'static> {
    fn start() -> io::Result<Self> {
        Ok(Self::new())
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_io::block_on(future)
    }

    fn block_on_all<F: Future>(&self, future: F) -> F::Output {
        async_io::block_on(self.run(future))
    }

    fn detach(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn(future).detach();
    }
}

/// Whatever has the traits of `futures-io`.
pub(crate) struct Futures<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for Futures<S> {
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).await
    }

    async fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(buf).await
    }

    async fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.0.write_all(buf).await
    }
}

pub(crate) struct Ours;

impl Face for Ours {
    type On = LocalExecutor<'static>;
    type Listener = Listener;
    type Stream = Futures<Stream>;

    fn bind(place: &Place) -> io::Result<Listener> {
        Listener::bind(place.socket(Peer::Ours))
    }

    async fn accept(listener: &Listener) -> io::Result<Self::Stream> {
        listener.accept().await.map(Futures)
    }

    async fn connect(place: &Place) -> io::Result<Self::Stream> {
        Stream::connect(place.socket(Peer::Ours)).await.map(Futures)
    }
}

/// `async_net`.
pub(crate) struct Net;

impl Face for Net {
    type On = LocalExecutor<'static>;
    type Listener = UnixListener;
    type Stream = Futures<UnixStream>;

    fn bind(place: &Place) -> io::Result<UnixListener> {
        UnixListener::bind(place.socket(Peer::AsyncNet))
    }

    async fn accept(listener: &UnixListener) -> io::Result<Self::Stream> {
        listener.accept().await.map(|(stream, _)| Futures(stream))
    }

    async fn connect(place: &Place) -> io::Result<Self::Stream> {
        UnixStream::connect(place.socket(Peer::AsyncNet)).await.map(Futures)
    }
}
