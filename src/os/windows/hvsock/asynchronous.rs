//! The async twins of the blocking methods, for every runtime.

use super::{HvsockAddr, HvsockListener, HvsockStream, imp};
use crate::{
    error::about,
    local_socket::ListenerNonblockingMode,
    runtime::{
        Accept, Async, Duplex, Halves, Interest, RecvBytes, Runtime, SendBytes, Source, WakerList, halves,
        limited, private::Sealed,
    },
};
use std::{
    future::poll_fn,
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    task::{Context, Poll},
    time::Duration,
};

impl Sealed for HvsockStream {}
impl Sealed for HvsockListener {}

impl Source for HvsockStream {
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_ready(interest, cx)
    }
}

impl Source for HvsockListener {
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_ready(interest, cx)
    }
}

impl RecvBytes for HvsockStream {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }
}

impl SendBytes for HvsockStream {
    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_vectored(bufs)
    }

    fn flush(&self) -> io::Result<()> {
        self.flush()
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self.shutdown(how) {
            // When the peer has left: there is nothing left to end.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    fn end_when_sent(&self) {
        self.0.end_when_sent();
    }
}

impl Duplex for HvsockStream {}

impl Accept for HvsockListener {
    type Connection = HvsockStream;

    fn next_connection(&self) -> io::Result<Option<HvsockStream>> {
        self.accept().map(Some)
    }

    fn stop(&self) {
        self.stop();
    }

    fn is_stopped(&self) -> bool {
        self.inner.is_stopped()
    }

    fn stop_tasks(&self) -> Option<&WakerList> {
        Some(&self.stop_tasks)
    }

    fn explain(&self, error: io::Error) -> io::Error {
        match self.local_addr() {
            Ok(addr) => about(addr, error),
            Err(_) => error,
        }
    }
}

/// The async face of a [`HvsockListener`].
impl<R: Runtime> Async<HvsockListener, R> {
    /// The twin of [`HvsockListener::bind`].
    ///
    /// # Errors
    /// Those of [`HvsockListener::bind`].
    pub fn bind(addr: HvsockAddr) -> io::Result<Self> {
        HvsockListener::bind(addr)?.try_into()
    }

    /// The twin of [`HvsockListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<HvsockAddr> {
        self.get_ref().local_addr()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<HvsockListener> for Async<HvsockListener, R> {
    type Error = io::Error;

    fn try_from(listener: HvsockListener) -> io::Result<Self> {
        listener.set_nonblocking(ListenerNonblockingMode::Both)?;
        Self::new(listener)
    }
}

/// To the blocking face.
impl<R: Runtime> TryFrom<Async<HvsockListener, R>> for HvsockListener {
    type Error = io::Error;

    fn try_from(listener: Async<HvsockListener, R>) -> io::Result<Self> {
        let listener = listener.into_inner()?;
        listener.set_nonblocking(ListenerNonblockingMode::Neither)?;
        Ok(listener)
    }
}

/// The async face of a [`HvsockStream`].
impl<R: Runtime> Async<HvsockStream, R> {
    /// The twin of [`HvsockStream::connect`].
    ///
    /// # Errors
    /// Those of [`HvsockStream::connect`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect(addr: HvsockAddr) -> io::Result<Self> {
        let connected = async {
            let connecting = imp::Connecting::start(&addr, true)?;
            poll_fn(|cx| connecting.poll_ready(cx)).await;
            Self::new(HvsockStream(connecting.finish(true)?))
        };
        connected.await.map_err(|error| about(addr, error))
    }

    /// The twin of [`HvsockStream::connect_timeout`].
    ///
    /// # Errors
    /// Those of [`HvsockStream::connect_timeout`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_timeout(addr: HvsockAddr, timeout: Duration) -> io::Result<Self> {
        let connected = limited::<_, R>(timeout, async { Ok(Self::connect(addr).await) }).await;
        connected.unwrap_or_else(|error| Err(about(addr, error)))
    }

    /// The twin of [`HvsockStream::take_error`].
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// The twin of [`HvsockStream::try_clone`], within the runtime.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }

    /// The twin of [`HvsockStream::peek`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.peek(buf)).await
    }

    /// The twin of [`HvsockStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<HvsockAddr> {
        self.get_ref().local_addr()
    }

    /// Ends one direction, or both, as [`HvsockStream::shutdown`] does. (The runtimes' own traits have one of that name, for sending.)
    pub fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }

    /// A half that receives and a half that sends, for two tasks. [`reunite`](Self::reunite) puts them together again.
    pub fn split(self) -> Halves<HvsockStream, R> {
        halves::split(self)
    }

    /// The twin of [`HvsockStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<HvsockAddr> {
        self.get_ref().peer_addr()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<HvsockStream> for Async<HvsockStream, R> {
    type Error = io::Error;

    fn try_from(stream: HvsockStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(stream)
    }
}

/// To the blocking face. No bytes are lost.
impl<R: Runtime> TryFrom<Async<HvsockStream, R>> for HvsockStream {
    type Error = io::Error;

    fn try_from(stream: Async<HvsockStream, R>) -> io::Result<Self> {
        let stream = stream.into_inner()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}
