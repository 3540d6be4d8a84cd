//! The async twins of the blocking methods, for every runtime.

use super::{VsockAddr, VsockListener, VsockStream, imp};
use crate::{
    error::about,
    local_socket::ListenerNonblockingMode,
    runtime::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed},
};
use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    os::fd::AsFd,
    pin::pin,
    task::Poll,
};

impl Sealed for VsockStream {}
impl Sealed for VsockListener {}

// SAFETY: the descriptor is the socket that the object owns, from when it is made until it is dropped or given away whole.
unsafe impl Source for VsockStream {}
// SAFETY: as above.
unsafe impl Source for VsockListener {}

impl RecvBytes for VsockStream {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
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

/// The async face of a [`VsockListener`].
impl<R: Runtime> Async<VsockListener, R> {
    /// The twin of [`VsockListener::bind`].
    ///
    /// # Errors
    /// Those of [`VsockListener::bind`].
    pub fn bind(addr: VsockAddr) -> io::Result<Self> {
        VsockListener::bind(addr)?.try_into()
    }

    /// The twin of [`VsockListener::accept`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no client is lost.
    pub async fn accept(&self) -> io::Result<Async<VsockStream, R>> {
        let listener = self.get_ref();
        let mut next = pin!(self.read_with(VsockListener::accept));
        let stream = poll_fn(|cx| {
            // First, so that being stopped in between is noticed.
            listener.stop_tasks.add(cx.waker());
            if listener.inner.is_stopped() {
                return Poll::Ready(listener.accept());
            }
            next.as_mut().poll(cx)
        });
        Async::new(stream.await?)
    }

    /// The twin of [`VsockListener::stop`].
    pub fn stop(&self) {
        self.get_ref().stop();
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

    /// The twin of [`VsockStream::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.recv(buf)).await
    }

    /// The twin of [`VsockStream::recv_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.read_with(|stream| stream.recv_vectored(bufs)).await
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

    /// The twin of [`VsockStream::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.write_with(|stream| stream.send(buf)).await
    }

    /// The twin of [`VsockStream::send_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.write_with(|stream| stream.send_vectored(bufs)).await
    }

    /// The twin of [`VsockStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<VsockAddr> {
        self.get_ref().local_addr()
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
