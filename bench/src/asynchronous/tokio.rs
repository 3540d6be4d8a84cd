//! On Tokio.

use super::{Executor, Face, Io};
use crate::{arena::Place, peer::Peer};
use interprocess::local_socket::tokio::{Listener, Stream};
use std::{future::Future, io};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    runtime::{Builder, Runtime},
};

impl Executor for Runtime {
    fn start() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build()
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.block_on(future)
    }

    #[cfg(unix)]
    fn detach(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.spawn(future));
    }
}

/// Whatever has Tokio's traits.
pub(crate) struct Tokio<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for Tokio<S> {
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).await
    }

    async fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(buf).await.map(drop)
    }

    async fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.0.write_all(buf).await
    }
}

pub(crate) struct Ours;

impl Face for Ours {
    type On = Runtime;
    type Listener = Listener;
    type Stream = Tokio<Stream>;

    fn bind(place: &Place) -> io::Result<Listener> {
        Listener::bind(place.socket(Peer::Ours))
    }

    async fn accept(listener: &Listener) -> io::Result<Self::Stream> {
        listener.accept().await.map(Tokio)
    }

    async fn connect(place: &Place) -> io::Result<Self::Stream> {
        Stream::connect(place.socket(Peer::Ours)).await.map(Tokio)
    }
}

#[cfg(unix)]
pub(crate) use net::Net;

#[cfg(unix)]
mod net {
    use super::*;
    use tokio::net::{UnixListener, UnixStream};

    /// `tokio::net`.
    pub(crate) struct Net;

    impl Face for Net {
        type On = Runtime;
        type Listener = UnixListener;
        type Stream = Tokio<UnixStream>;

        fn bind(place: &Place) -> io::Result<UnixListener> {
            UnixListener::bind(place.socket(Peer::Tokio))
        }

        async fn accept(listener: &UnixListener) -> io::Result<Self::Stream> {
            listener.accept().await.map(|(stream, _)| Tokio(stream))
        }

        async fn connect(place: &Place) -> io::Result<Self::Stream> {
            UnixStream::connect(place.socket(Peer::Tokio)).await.map(Tokio)
        }
    }
}

#[cfg(has_old)]
pub(crate) use old::Old;

#[cfg(has_old)]
mod old {
    use super::*;
    use crate::streams::old::{ListenerOptions, name};
    use interprocess_2::local_socket::tokio::{Listener, Stream, prelude::*};

    /// Interprocess 2.4.7.
    pub(crate) struct Old;

    impl Face for Old {
        type On = Runtime;
        type Listener = Listener;
        type Stream = Tokio<Stream>;

        fn bind(place: &Place) -> io::Result<Listener> {
            ListenerOptions::new().name(name(place)?).create_tokio()
        }

        async fn accept(listener: &Listener) -> io::Result<Self::Stream> {
            listener.accept().await.map(Tokio)
        }

        async fn connect(place: &Place) -> io::Result<Self::Stream> {
            Stream::connect(name(place)?).await.map(Tokio)
        }
    }
}
