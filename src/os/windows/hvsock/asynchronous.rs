//! The async twins of the blocking methods, for every runtime.

use super::{HvsockAddr, HvsockListener, HvsockStream, imp};
use crate::{
    error::about,
    local_socket::ListenerNonblockingMode,
    runtime::{Async, Interest, RecvBytes, Runtime, SendBytes, Source, private::Sealed},
};
use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    pin::pin,
    task::{Context, Poll},
};

impl Sealed for HvsockStream {}
impl Sealed for HvsockListener {}

impl Source for HvsockStream {
    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_ready(interest, cx)
    }
}

impl Source for HvsockListener {
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

    /// The twin of [`HvsockListener::accept`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no client is lost.
    pub async fn accept(&self) -> io::Result<Async<HvsockStream, R>> {
        let listener = self.get_ref();
        let mut next = pin!(self.read_with(HvsockListener::accept));
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

    /// The twin of [`HvsockListener::stop`].
    pub fn stop(&self) {
        self.get_ref().stop();
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

    /// The twin of [`HvsockStream::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.recv(buf)).await
    }

    /// The twin of [`HvsockStream::recv_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.read_with(|stream| stream.recv_vectored(bufs)).await
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

    /// The twin of [`HvsockStream::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.write_with(|stream| stream.send(buf)).await
    }

    /// The twin of [`HvsockStream::send_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.write_with(|stream| stream.send_vectored(bufs)).await
    }

    /// The twin of [`HvsockStream::flush`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn flush(&self) -> io::Result<()> {
        match self.get_ref().flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.write_with(HvsockStream::flush).await
            }
            result => result,
        }
    }

    /// The twin of [`HvsockStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<HvsockAddr> {
        self.get_ref().local_addr()
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
