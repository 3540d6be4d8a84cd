//! The async twins of the blocking methods, for every runtime.

use super::{VsockAddr, VsockListener, VsockStream, imp};
use crate::{
    error::about,
    local_socket::ListenerNonblockingMode,
    runtime::{
        Accept, Async, Duplex, Halves, RecvBytes, Runtime, SendBytes, Source, Told, WakerList, halves,
        limited, private::Sealed,
    },
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    os::fd::AsFd,
    time::Duration,
};

impl Sealed for VsockStream {}
impl Sealed for VsockListener {}

// SAFETY: the descriptor is the socket that the object owns, from when it is made until it is dropped or given away whole.
unsafe impl Source for VsockStream {
    type Io<R: Runtime> = R::Io<Self>;
}
// SAFETY: as above.
unsafe impl Source for VsockListener {
    type Io<R: Runtime> = R::Io<Self>;
}

impl RecvBytes for VsockStream {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }

    #[inline]
    fn recv_uninit(&self, buf: &mut [std::mem::MaybeUninit<u8>], _tells: bool) -> io::Result<Told> {
        let has_no_room = buf.is_empty();
        let told = self.0.recv_uninit(buf, false)?;
        self.end_or(told.len(), has_no_room).map(Told::more_may_follow)
    }
}

impl SendBytes for VsockStream {
    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_vectored(bufs)
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self.shutdown(how) {
            // When the peer has left: there is nothing left to end.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

impl Duplex for VsockStream {}

impl Accept for VsockListener {
    type Connection = VsockStream;

    fn next_connection(&self) -> io::Result<Option<VsockStream>> {
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

/// The async face of a [`VsockListener`].
impl<R: Runtime> Async<VsockListener, R> {
    /// The twin of [`VsockListener::bind`].
    ///
    /// # Errors
    /// Those of [`VsockListener::bind`].
    pub fn bind(addr: VsockAddr) -> io::Result<Self> {
        VsockListener::bind(addr)?.try_into()
    }

    /// The twin of [`VsockListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<VsockAddr> {
        self.get_ref().local_addr()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<VsockListener> for Async<VsockListener, R> {
    type Error = io::Error;

    fn try_from(listener: VsockListener) -> io::Result<Self> {
        listener.set_nonblocking(ListenerNonblockingMode::Both)?;
        Self::new(listener)
    }
}

/// To the blocking face.
impl<R: Runtime> TryFrom<Async<VsockListener, R>> for VsockListener {
    type Error = io::Error;

    fn try_from(listener: Async<VsockListener, R>) -> io::Result<Self> {
        let listener = listener.into_inner()?;
        listener.set_nonblocking(ListenerNonblockingMode::Neither)?;
        Ok(listener)
    }
}

/// The async face of a [`VsockStream`].
impl<R: Runtime> Async<VsockStream, R> {
    /// The twin of [`VsockStream::connect`].
    ///
    /// # Errors
    /// Those of [`VsockStream::connect`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect(addr: VsockAddr) -> io::Result<Self> {
        let connected = async {
            let stream = Self::new(VsockStream(imp::start_connecting(addr)?))?;
            stream.write_with(|stream| imp::finish_connecting(stream.as_fd(), None)).await?;
            Ok(stream)
        };
        connected.await.map_err(|error| about(addr, error))
    }

    /// The twin of [`VsockStream::connect_timeout`].
    ///
    /// # Errors
    /// Those of [`VsockStream::connect_timeout`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_timeout(addr: VsockAddr, timeout: Duration) -> io::Result<Self> {
        let connected = limited::<_, R>(timeout, async { Ok(Self::connect(addr).await) }).await;
        connected.unwrap_or_else(|error| Err(about(addr, error)))
    }

    /// The twin of [`VsockStream::take_error`].
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// The twin of [`VsockStream::try_clone`], within the runtime.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }

    /// The twin of [`VsockStream::peek`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.peek(buf)).await
    }

    /// The twin of [`VsockStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<VsockAddr> {
        self.get_ref().local_addr()
    }

    /// Ends one direction, or both, as [`VsockStream::shutdown`] does. (The runtimes' own traits have one of that name, for sending.)
    pub fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }

    /// A half that receives and a half that sends, for two tasks. [`reunite`](Self::reunite) puts them together again.
    pub fn split(self) -> Halves<VsockStream, R> {
        halves::split(self)
    }

    /// The twin of [`VsockStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<VsockAddr> {
        self.get_ref().peer_addr()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<VsockStream> for Async<VsockStream, R> {
    type Error = io::Error;

    fn try_from(stream: VsockStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(stream)
    }
}

/// To the blocking face. No bytes are lost.
impl<R: Runtime> TryFrom<Async<VsockStream, R>> for VsockStream {
    type Error = io::Error;

    fn try_from(stream: Async<VsockStream, R>) -> io::Result<Self> {
        let stream = stream.into_inner()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}
