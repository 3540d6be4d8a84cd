//! The async twins of the blocking methods, for every runtime.

use super::{
    ConnectOptions, Listener, ListenerNonblockingMode, ListenerOptions, Name, PeerCreds, Stream, ToName,
    stream::Attempts,
};
use crate::{
    deadline::Deadline,
    runtime::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed, yield_now},
};
use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    pin::pin,
    task::Poll,
};

impl Sealed for Stream {}
impl Sealed for Listener {}

// SAFETY: the descriptor is the socket that the object owns, from when it is made until it is dropped or given away whole.
#[cfg(unix)]
unsafe impl Source for Stream {}
// SAFETY: as above.
#[cfg(unix)]
unsafe impl Source for Listener {}

#[cfg(windows)]
impl Source for Stream {
    fn poll_ready(
        &self,
        interest: crate::runtime::Interest,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        self.0.poll_ready(interest, cx)
    }
}

#[cfg(windows)]
impl Source for Listener {
    fn poll_ready(
        &self,
        interest: crate::runtime::Interest,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        self.inner.poll_ready(interest, cx)
    }
}

impl RecvBytes for Stream {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }
}

impl SendBytes for Stream {
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
            // On some systems, when the peer has left: there is nothing left to end.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

impl ListenerOptions<'_> {
    pub(crate) fn create_async<R: Runtime>(self) -> io::Result<Async<Listener, R>> {
        Async::new(self.nonblocking(ListenerNonblockingMode::Both).create_sync()?)
    }
}

impl ConnectOptions<'_> {
    pub(crate) async fn connect_async<R: Runtime>(&self) -> io::Result<Async<Stream, R>> {
        let mut attempts = Attempts::new(self)?;
        loop {
            match attempts.attempt(None) {
                Ok(stream) => return Async::new(stream),
                // A full queue cannot be polled for room, so even that takes patience.
                Err(error) => R::sleep(attempts.pause_after(error)?).await,
            }
        }
    }
}

/// The async face of a [`Listener`].
impl<R: Runtime> Async<Listener, R> {
    /// Creates a listener with that name, and with the defaults of [`ListenerOptions`].
    ///
    /// # Errors
    /// See [`ListenerOptions::create_sync`].
    pub fn bind<'n>(name: impl ToName<'n>) -> io::Result<Self> {
        ListenerOptions::new().name(name).create_async()
    }

    /// The twin of [`Listener::accept`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no client is lost.
    pub async fn accept(&self) -> io::Result<Async<Stream, R>> {
        let listener = self.get_ref();
        loop {
            let mut next = pin!(self.read_with(|listener| listener.accept_one(Deadline::NEVER)));
            let stream = poll_fn(|cx| {
                // First, so that being stopped in between is noticed.
                listener.stop_tasks.add(cx.waker());
                if listener.is_stopped() {
                    return Poll::Ready(listener.accept_one(Deadline::NEVER));
                }
                next.as_mut().poll(cx)
            });
            match stream.await? {
                Some(stream) => return Async::new(stream),
                // Strangers who keep coming must not keep the thread.
                None => yield_now().await,
            }
        }
    }

    /// The twin of [`Listener::stop`].
    pub fn stop(&self) {
        self.get_ref().stop();
    }

    /// The twin of [`Listener::name`].
    pub fn name(&self) -> &Name<'static> {
        self.get_ref().name()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<Listener> for Async<Listener, R> {
    type Error = io::Error;

    fn try_from(listener: Listener) -> io::Result<Self> {
        listener.set_nonblocking(ListenerNonblockingMode::Both)?;
        Self::new(listener)
    }
}

/// To the blocking face.
impl<R: Runtime> TryFrom<Async<Listener, R>> for Listener {
    type Error = io::Error;

    fn try_from(listener: Async<Listener, R>) -> io::Result<Self> {
        let listener = listener.into_inner()?;
        listener.set_nonblocking(ListenerNonblockingMode::Neither)?;
        Ok(listener)
    }
}

/// The async face of a [`Stream`].
impl<R: Runtime> Async<Stream, R> {
    /// The twin of [`Stream::connect`].
    ///
    /// # Errors
    /// See [`ConnectOptions::connect_sync`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect<'n>(name: impl ToName<'n>) -> io::Result<Self> {
        // The name is not kept in the future, which would make it depend on what the name was made from.
        let options = ConnectOptions::new().name(name);
        options.connect_async().await
    }

    /// The twin of [`Stream::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.recv(buf)).await
    }

    /// The twin of [`Stream::recv_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.read_with(|stream| stream.recv_vectored(bufs)).await
    }

    /// The twin of [`Stream::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.write_with(|stream| stream.send(buf)).await
    }

    /// The twin of [`Stream::send_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.write_with(|stream| stream.send_vectored(bufs)).await
    }

    /// The twin of [`Stream::peek`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.peek(buf)).await
    }

    /// The twin of [`Stream::flush`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn flush(&self) -> io::Result<()> {
        match self.get_ref().flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.write_with(Stream::flush).await,
            result => result,
        }
    }

    /// The twin of [`Stream::is_peer_gone`].
    pub fn is_peer_gone(&self) -> io::Result<bool> {
        self.get_ref().is_peer_gone()
    }

    /// The twin of [`Stream::peer_creds`].
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.get_ref().peer_creds()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<Stream> for Async<Stream, R> {
    type Error = io::Error;

    fn try_from(stream: Stream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(stream)
    }
}

/// To the blocking face. No bytes are lost.
impl<R: Runtime> TryFrom<Async<Stream, R>> for Stream {
    type Error = io::Error;

    fn try_from(stream: Async<Stream, R>) -> io::Result<Self> {
        let stream = stream.into_inner()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}
