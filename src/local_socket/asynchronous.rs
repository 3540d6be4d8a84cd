//! The async twins of the blocking methods, for every runtime.

use super::{
    ConnectOptions, Listener, ListenerNonblockingMode, ListenerOptions, Name, PeerCreds, Stream, ToName,
    stream::Attempts,
};
use crate::{
    TryClone,
    deadline::Deadline,
    runtime::{
        Accept, Async, Duplex, Halves, RecvBytes, Runtime, SendBytes, Source, WakerList, halves,
        private::Sealed,
    },
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    time::Duration,
};

impl Sealed for Stream {}
impl Sealed for Listener {}

// SAFETY: the descriptor is the socket that the object owns, from when it is made until it is dropped or given away whole.
#[cfg(unix)]
unsafe impl Source for Stream {
    type Io<R: Runtime> = R::Io<Self>;
}
// SAFETY: as above.
#[cfg(unix)]
unsafe impl Source for Listener {
    type Io<R: Runtime> = R::Io<Self>;
}

#[cfg(windows)]
impl Source for Stream {
    type Io<R: Runtime> = R::Io<Self>;

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
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(
        &self,
        interest: crate::runtime::Interest,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        self.inner.poll_ready(interest, cx)
    }
}

impl RecvBytes for Stream {
    #[inline]
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }

    #[cfg(unix)]
    #[inline]
    fn recv_uninit(
        &self,
        buf: &mut [std::mem::MaybeUninit<u8>],
        tells: bool,
    ) -> io::Result<crate::runtime::Told> {
        self.0.recv_uninit(buf, tells)
    }
}

impl SendBytes for Stream {
    #[inline]
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

    #[cfg(windows)]
    fn end_when_sent(&self) {
        self.0.end_when_sent();
    }
}

impl Duplex for Stream {}

impl Accept for Listener {
    type Connection = Stream;

    fn next_connection(&self) -> io::Result<Option<Stream>> {
        self.accept_one(Deadline::NEVER)
    }

    fn stop(&self) {
        self.stop();
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped()
    }

    fn stop_tasks(&self) -> Option<&WakerList> {
        Some(&self.stop_tasks)
    }

    fn explain(&self, error: io::Error) -> io::Error {
        self.name().explain(error)
    }
}

impl ListenerOptions<'_> {
    pub(crate) fn create_async<R: Runtime>(self) -> io::Result<Async<Listener, R>> {
        Async::new(self.nonblocking(ListenerNonblockingMode::Both).create_sync()?)
    }
}

impl ConnectOptions<'_> {
    pub(crate) async fn connect_async<R: Runtime>(&self) -> io::Result<Async<Stream, R>> {
        let mut attempts = Attempts::new(self, self.name.get()?);
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

    /// The twin of [`Listener::name`].
    pub fn name(&self) -> &Name<'static> {
        self.get_ref().name()
    }

    /// The twin of [`Listener::do_not_reclaim_name_on_drop`].
    pub fn do_not_reclaim_name_on_drop(&mut self) {
        self.get_mut().do_not_reclaim_name_on_drop();
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

    /// The twin of [`Stream::is_peer_gone`].
    pub fn is_peer_gone(&self) -> io::Result<bool> {
        self.get_ref().is_peer_gone()
    }

    /// The twin of [`Stream::drain`].
    ///
    /// # Errors
    /// See [`Stream::drain`].
    ///
    /// # Platform-specific behaviour
    /// On Linux and Android, the system is asked again and again, with pauses of up to 5 milliseconds. On Windows, a thread waits
    /// meanwhile, and goes on until `timeout` has passed if the future is dropped.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn drain(&self, timeout: Duration) -> io::Result<()> {
        #[cfg(windows)]
        return crate::runtime::on_thread({
            let stream = self.get_ref().try_clone()?;
            move || stream.drain(timeout)
        })
        .await;
        #[cfg(unix)]
        {
            let deadline = Deadline::after(timeout);
            let mut pause = Duration::from_micros(20);
            loop {
                match self.get_ref().drain(Duration::ZERO) {
                    Err(error) if error.kind() == io::ErrorKind::TimedOut && !deadline.has_passed() => {}
                    result => return result,
                }
                R::sleep(deadline.remaining().map_or(pause, |left| left.min(pause))).await;
                pause = (pause * 2).min(Duration::from_millis(5));
            }
        }
    }

    /// The twin of [`Stream::shutdown`], which does not wait. (The runtimes' own traits have one of that name, for sending.)
    ///
    /// # Platform-specific behaviour
    /// [`Unsupported`](io::ErrorKind::Unsupported) for named pipes on Windows.
    pub fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }

    /// The twin of [`Stream::take_error`].
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// The twin of [`Stream::peer_creds`].
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.get_ref().peer_creds()
    }

    /// The twin of [`Stream::peer_pid`].
    pub fn peer_pid(&self) -> io::Result<u32> {
        self.get_ref().peer_pid()
    }

    /// The twin of [`Stream::try_clone`], within the runtime.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }

    /// The twin of [`Stream::split`]: a half that receives and a half that sends, for two tasks. [`reunite`](Self::reunite) puts them
    /// together again.
    ///
    /// To read and write at the same time, no halves are needed: `&Stream` does both, and so does a stream in an [`Arc`](std::sync::Arc).
    pub fn split(self) -> Halves<Stream, R> {
        halves::split(self)
    }
}

impl<R: Runtime> TryClone for Async<Stream, R> {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
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
