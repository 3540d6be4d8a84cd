//! The async twins of the blocking methods, for every runtime.

use super::{
    BindOptions, Listener, RecvBatch, Socket, ToUdSocketPath, UdSocketPath,
    kind::{Connection, Datagram, Kind, Packets, Stream},
};
use crate::{
    ConnectWaitMode, TryClone,
    connecting::Patience,
    deadline::Deadline,
    error::about,
    local_socket::PeerCreds,
    os::unix::ancillary::{AncillaryDataBuf, BorrowedAncillaryData, EncodedAncillaryData},
    runtime::{
        Accept, Async, Duplex, Interest, RecvBytes, RecvHalf, Runtime, SendBytes, SendHalf, Source,
        WakerList, private::Sealed,
    },
    sys::unix::endpoint::Endpoint,
};
use rustix::net::SocketAddrUnix;
use std::{
    future::Future,
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    os::fd::{BorrowedFd, OwnedFd},
    time::Duration,
};

impl<K: Kind> Sealed for Socket<K> {}
impl<K: Connection> Sealed for Listener<K> {}

// SAFETY: the descriptor is the socket that the object owns, from when it is made until it is dropped or given away whole.
unsafe impl<K: Kind> Source for Socket<K> {
    type Io<R: Runtime> = R::Io<Self>;
}
// SAFETY: as above.
unsafe impl<K: Connection> Source for Listener<K> {
    type Io<R: Runtime> = R::Io<Self>;
}

impl RecvBytes for Socket<Stream> {
    #[inline]
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }

    #[inline]
    fn recv_uninit(
        &self,
        buf: &mut [std::mem::MaybeUninit<u8>],
        tells: bool,
    ) -> io::Result<crate::runtime::Told> {
        self.inner.recv_uninit(buf, tells)
    }
}

impl SendBytes for Socket<Stream> {
    #[inline]
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
            // On some systems, when the peer has left: there is nothing left to end.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

/// Before waiting: what would be refused anyway.
fn check<'b, 'd, K: Kind>(bufs: &'b [IoSlice<'d>], has_ancillary: bool) -> io::Result<&'b [IoSlice<'d>]> {
    K::check(bufs, has_ancillary)
}

/// The same for receiving.
fn room<'b, 'd, K: Kind>(bufs: &'b mut [IoSliceMut<'d>]) -> io::Result<&'b mut [IoSliceMut<'d>]> {
    K::room(bufs)
}

/// The async face of a [`Socket`] of any kind. What does not wait is reached by [`get_ref`](Self::get_ref).
impl<K: Kind, R: Runtime> Async<Socket<K>, R> {
    /// The twin of [`Socket::pair`].
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = Socket::<K>::pair()?;
        Ok((one.try_into()?, other.try_into()?))
    }

    /// The twin of [`Socket::recv_with_fds`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn recv_with_fds(&self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        self.read_with(|socket| socket.recv_with_fds(buf, fds)).await
    }

    /// The twin of [`Socket::send_with_fds`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        let mut ancillary = EncodedAncillaryData::new();
        ancillary.add_fds(fds)?;
        self.send_encoded_ancillary(&[IoSlice::new(buf)], &ancillary).await
    }

    /// The twin of [`Socket::send_ancillary`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub fn send_ancillary<'f>(
        &self,
        buf: &[u8],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
    ) -> impl Future<Output = io::Result<(usize, usize)>> + Send {
        let ancillary = BorrowedAncillaryData::encode(ancillary);
        async move {
            let ancillary = ancillary?;
            let sent = self.send_encoded_ancillary(&[IoSlice::new(buf)], &ancillary).await?;
            Ok((sent, ancillary.as_ref().len()))
        }
    }

    /// The twin of [`Socket::send_ancillary_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub fn send_ancillary_vectored<'f>(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
    ) -> impl Future<Output = io::Result<(usize, usize)>> + Send {
        let ancillary = BorrowedAncillaryData::encode(ancillary);
        async move {
            let ancillary = ancillary?;
            let sent = self.send_encoded_ancillary(bufs, &ancillary).await?;
            Ok((sent, ancillary.as_ref().len()))
        }
    }

    /// The twin of [`Socket::send_encoded_ancillary`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_encoded_ancillary(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: &EncodedAncillaryData<'_>,
    ) -> io::Result<usize> {
        // What would be refused anyway does not wait.
        K::check(bufs, !ancillary.as_ref().is_empty())?;
        self.write_with(|socket| socket.send_encoded(bufs, None, ancillary)).await
    }

    /// The twin of [`Socket::peer_creds`].
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.get_ref().peer_creds()
    }

    /// The twin of [`Socket::get_peer_credentials`].
    ///
    /// # Errors
    /// See [`Socket::get_peer_credentials`].
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn get_peer_credentials(&self) -> io::Result<libc::ucred> {
        self.get_ref().get_peer_credentials()
    }

    /// The twin of [`Socket::local_addr`].
    pub fn local_addr(&self) -> io::Result<UdSocketPath<'static>> {
        self.get_ref().local_addr()
    }

    /// The twin of [`Socket::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<UdSocketPath<'static>> {
        self.get_ref().peer_addr()
    }

    /// The twin of [`Socket::take_error`].
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// The twin of [`Socket::do_not_reclaim_name_on_drop`].
    pub fn do_not_reclaim_name_on_drop(&mut self) {
        self.get_mut().do_not_reclaim_name_on_drop();
    }

    /// The twin of [`Socket::shutdown`], which does not wait. (The runtimes' own traits have one of the same name, for sending.)
    pub fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }
}

/// The twin of what the blocking one has, within the runtime.
impl<K: Kind, R: Runtime> TryClone for Async<Socket<K>, R> {
    fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }
}

/// To the async face, within the runtime.
impl<K: Kind, R: Runtime> TryFrom<Socket<K>> for Async<Socket<K>, R> {
    type Error = io::Error;

    fn try_from(socket: Socket<K>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::new(socket)
    }
}

/// To the blocking face. Nothing is lost.
impl<K: Kind, R: Runtime> TryFrom<Async<Socket<K>, R>> for Socket<K> {
    type Error = io::Error;

    fn try_from(socket: Async<Socket<K>, R>) -> io::Result<Self> {
        let socket = socket.into_inner()?;
        socket.set_nonblocking(false)?;
        Ok(socket)
    }
}

/// The async face of a [`Socket`] that connects.
impl<K: Connection, R: Runtime> Async<Socket<K>, R> {
    /// The twin of [`Socket::connect`]. Never blocks the thread.
    ///
    /// # Errors
    /// See [`Socket::connect`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        // The path is not kept in the future, which would make it depend on what the path was made from.
        let path = path.to_socket_path();
        Self::connect_as(path?, ConnectWaitMode::Unbounded).await
    }

    /// The twin of [`Socket::connect_timeout`]. Never blocks the thread.
    ///
    /// # Errors
    /// See [`Socket::connect_timeout`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_timeout<'a>(path: impl ToUdSocketPath<'a>, timeout: Duration) -> io::Result<Self> {
        let path = path.to_socket_path();
        Self::connect_as(path?, ConnectWaitMode::Timeout(timeout)).await
    }

    /// The twin of [`Socket::connect_with_wait_mode`]. Never blocks the thread.
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_with_wait_mode<'a>(
        path: impl ToUdSocketPath<'a>,
        wait_mode: ConnectWaitMode,
    ) -> io::Result<Self> {
        let path = path.to_socket_path();
        Self::connect_as(path?, wait_mode).await
    }

    async fn connect_as(path: UdSocketPath<'_>, wait_mode: ConnectWaitMode) -> io::Result<Self> {
        let mut patience = Patience::new(wait_mode, false);
        let address = path.to_socket_address()?;
        loop {
            match Endpoint::connected(K::TYPE, &address, None) {
                Ok(socket) => return Self::new(Socket::new(socket)),
                // A full queue cannot be polled for room.
                Err(error) => {
                    R::sleep(patience.pause_after(error).map_err(|error| about(&path, error))?).await;
                }
            }
        }
    }
}

/// The async face of a [`Socket`] that is a stream.
impl<R: Runtime> Async<Socket<Stream>, R> {
    /// The twin of [`Socket::<Stream>::recv_ancillary`](Socket#method.recv_ancillary).
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn recv_ancillary(
        &self,
        buf: &mut [u8],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, usize)> {
        self.read_with(|stream| stream.recv_ancillary(buf, abuf)).await
    }

    /// The twin of [`Socket::<Stream>::recv_ancillary_vectored`](Socket#method.recv_ancillary_vectored).
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn recv_ancillary_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, usize)> {
        self.read_with(|stream| stream.recv_ancillary_vectored(bufs, abuf)).await
    }

    /// A half that receives and a half that sends, which borrow the stream. [`into_split`](Self::into_split) gives halves that own it.
    ///
    /// To read and write at the same time, no halves are needed: `&UdStream` does both.
    pub fn split(&mut self) -> (RecvHalf<&Self>, SendHalf<&Self>) {
        (RecvHalf(self), SendHalf(self))
    }

    /// The twin of [`Socket::<Stream>::peek`](Socket#method.peek).
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|stream| stream.peek(buf)).await
    }
}

/// The async face of a [`Socket`] that keeps the boundaries of messages.
impl<K: Packets, R: Runtime> Async<Socket<K>, R> {
    /// The twin of [`Socket::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<(usize, bool)> {
        self.read_with(|socket| socket.recv(buf)).await
    }

    /// The twin of [`Socket::recv_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<(usize, bool)> {
        let bufs = room::<K>(bufs)?;
        self.read_with(|socket| socket.recv_vectored(bufs)).await
    }

    /// The twin of [`Socket::recv_ancillary`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_ancillary(
        &self,
        buf: &mut [u8],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, bool, usize, bool)> {
        self.read_with(|socket| socket.recv_ancillary(buf, abuf)).await
    }

    /// The twin of [`Socket::recv_ancillary_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_ancillary_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, bool, usize, bool)> {
        let bufs = room::<K>(bufs)?;
        self.read_with(|socket| socket.recv_ancillary_vectored(bufs, abuf)).await
    }

    /// Like [`recv`](Self::recv), without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no message is there; [`ready`](Self::ready) waits for one.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<(usize, bool)> {
        self.try_io(Interest::Read, |socket| socket.recv(buf))
    }

    /// Like [`send`](Self::send), without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room; [`ready`](Self::ready) waits for that.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_io(Interest::Write, |socket| socket.send(buf))
    }

    /// The twin of [`Socket::peek`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<(usize, bool)> {
        self.read_with(|socket| socket.peek(buf)).await
    }

    /// The twin of [`Socket::peek_msg_size`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub async fn peek_msg_size(&self) -> io::Result<usize> {
        self.read_with(Socket::peek_msg_size).await
    }

    /// The twin of [`Socket::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        K::check(&[IoSlice::new(buf)], false)?;
        self.write_with(|socket| socket.send(buf)).await
    }

    /// The twin of [`Socket::send_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        K::check(bufs, false)?;
        self.write_with(|socket| socket.send_vectored(bufs)).await
    }

    /// The twin of [`Socket::recv_batch`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        batch.0.clear();
        if batch.capacity() == 0 {
            return Ok(0);
        }
        self.read_with(|socket| socket.recv_batch(batch)).await
    }

    /// The twin of [`Socket::send_batch`]. It waits for room for the first message.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_batch(&self, messages: &[impl AsRef<[u8]> + Sync]) -> io::Result<usize> {
        Socket::<K>::check_batch(messages)?;
        if messages.is_empty() {
            return Ok(0);
        }
        self.write_with(|socket| socket.inner.send_batch(messages, None)).await
    }
}

/// The async face of a [`Socket`] for datagrams.
impl<R: Runtime> Async<Socket<Datagram>, R> {
    /// The twin of [`Socket::unbound`].
    pub fn unbound() -> io::Result<Self> {
        Socket::unbound()?.try_into()
    }

    /// The twin of [`Socket::<Datagram>::bind`](Socket#method.bind).
    ///
    /// # Errors
    /// See [`BindOptions::bind_datagram`].
    pub fn bind<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        Socket::<Datagram>::bind(path)?.try_into()
    }

    /// The twin of [`Socket::bind_with_drop_guard`].
    ///
    /// # Errors
    /// See [`BindOptions::bind_datagram`].
    pub fn bind_with_drop_guard<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        Socket::bind_with_drop_guard(path)?.try_into()
    }

    /// The twin of [`Socket::<Datagram>::connect`](Socket#method.connect), which does not wait.
    ///
    /// # Errors
    /// See [`set_destination`](Self::set_destination).
    pub fn connect<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        Socket::<Datagram>::connect(path)?.try_into()
    }

    /// The twin of [`Socket::set_destination`], which does not wait.
    pub fn set_destination<'a>(&self, path: impl ToUdSocketPath<'a>) -> io::Result<()> {
        self.get_ref().set_destination(path)
    }

    /// The twin of [`Socket::recv_from`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_from(
        &self,
        buf: &mut [u8],
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool)> {
        self.read_with(|socket| socket.recv_from(buf, source)).await
    }

    /// The twin of [`Socket::recv_from_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_from_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool)> {
        let bufs = room::<Datagram>(bufs)?;
        self.read_with(|socket| socket.recv_from_vectored(bufs, source)).await
    }

    /// The twin of [`Socket::recv_from_ancillary`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_from_ancillary(
        &self,
        buf: &mut [u8],
        abuf: &mut AncillaryDataBuf,
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool, usize, bool)> {
        self.read_with(|socket| socket.recv_from_ancillary(buf, abuf, source)).await
    }

    /// The twin of [`Socket::recv_from_ancillary_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_from_ancillary_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        abuf: &mut AncillaryDataBuf,
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool, usize, bool)> {
        let bufs = room::<Datagram>(bufs)?;
        self.read_with(|socket| socket.recv_from_ancillary_vectored(bufs, abuf, source)).await
    }

    /// The twin of [`Socket::send_to`]. The system does not tell when a receiver has room that is not the
    /// [destination](Self::set_destination); then it is tried again every 10 milliseconds at the latest.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_to<'a>(&self, buf: &[u8], path: impl ToUdSocketPath<'a>) -> io::Result<usize> {
        let address = path.to_socket_path().and_then(|path| path.to_socket_address());
        self.send_to_address(&[IoSlice::new(buf)], address?, &[]).await
    }

    /// The twin of [`Socket::send_to_vectored`]. See [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_to_vectored<'a>(
        &self,
        bufs: &[IoSlice<'_>],
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<usize> {
        let address = path.to_socket_path().and_then(|path| path.to_socket_address());
        self.send_to_address(bufs, address?, &[]).await
    }

    /// The twin of [`Socket::send_to_ancillary`]. See [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub fn send_to_ancillary<'a, 'f>(
        &self,
        buf: &[u8],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
        path: impl ToUdSocketPath<'a>,
    ) -> impl Future<Output = io::Result<(usize, usize)>> + Send {
        let encoded = BorrowedAncillaryData::encode(ancillary);
        let address = path.to_socket_path().and_then(|path| path.to_socket_address());
        async move {
            let encoded = encoded?;
            let encoded = encoded.as_ref();
            Ok((self.send_to_address(&[IoSlice::new(buf)], address?, encoded).await?, encoded.len()))
        }
    }

    /// The twin of [`Socket::send_to_ancillary_vectored`]. See [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub fn send_to_ancillary_vectored<'a, 'f>(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
        path: impl ToUdSocketPath<'a>,
    ) -> impl Future<Output = io::Result<(usize, usize)>> + Send {
        let encoded = BorrowedAncillaryData::encode(ancillary);
        let address = path.to_socket_path().and_then(|path| path.to_socket_address());
        async move {
            let encoded = encoded?;
            let encoded = encoded.as_ref();
            Ok((self.send_to_address(bufs, address?, encoded).await?, encoded.len()))
        }
    }

    async fn send_to_address(
        &self,
        bufs: &[IoSlice<'_>],
        address: SocketAddrUnix,
        ancillary: &[u8],
    ) -> io::Result<usize> {
        let bufs = check::<Datagram>(bufs, !ancillary.is_empty())?;
        self.send_with(|socket| socket.inner.send_with(bufs, Some(&address), ancillary)).await
    }

    /// The twin of [`Socket::send_batch_to`]. It waits for room for the first message.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_batch_to<'a>(
        &self,
        messages: &[impl AsRef<[u8]> + Sync],
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<usize> {
        let address = path.to_socket_path().and_then(|path| path.to_socket_address());
        self.send_batch_to_address(messages, address?).await
    }

    async fn send_batch_to_address(
        &self,
        messages: &[impl AsRef<[u8]> + Sync],
        address: SocketAddrUnix,
    ) -> io::Result<usize> {
        if messages.is_empty() {
            return Ok(0);
        }
        self.send_with(|socket| socket.inner.send_batch(messages, Some(&address))).await
    }

    /// Tries until there is room at a receiver that is not our destination. No readiness tells of that: the socket is writable all the
    /// while, and with each attempt it becomes so anew. So it is tried again from time to time.
    async fn send_with<X: Send>(
        &self,
        mut attempt: impl FnMut(&Socket<Datagram>) -> io::Result<X> + Send,
    ) -> io::Result<X> {
        const LONGEST_PAUSE: Duration = Duration::from_millis(10);

        let mut pause = Duration::from_micros(200);
        loop {
            let sent = self.write_with(|socket| match attempt(socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && socket.inner.is_writable()? => {
                    Ok(None)
                }
                result => result.map(Some),
            });
            if let Some(sent) = sent.await? {
                return Ok(sent);
            }
            R::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Duplex for Socket<Stream> {}

impl<K: Connection> Accept for Listener<K> {
    type Connection = Socket<K>;

    fn next_connection(&self) -> io::Result<Option<Socket<K>>> {
        self.accept_one(Deadline::NEVER, true)
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
        error
    }
}

impl BindOptions {
    /// Like [`bind`](Self::bind), for the runtime `R`.
    pub fn bind_async<'a, K: Connection, R: Runtime>(
        &self,
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<Async<Listener<K>, R>> {
        self.bind(path)?.try_into()
    }

    /// Like [`bind_datagram`](Self::bind_datagram), for the runtime `R`.
    pub fn bind_datagram_async<'a, R: Runtime>(
        &self,
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<Async<Socket<Datagram>, R>> {
        self.bind_datagram(path)?.try_into()
    }
}

/// The async face of a [`Listener`].
impl<K: Connection, R: Runtime> Async<Listener<K>, R> {
    /// The twin of [`Listener::bind`].
    ///
    /// # Errors
    /// See [`BindOptions::bind`].
    pub fn bind<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        Listener::bind(path)?.try_into()
    }

    /// The twin of [`Listener::bind_with_drop_guard`].
    ///
    /// # Errors
    /// See [`BindOptions::bind`].
    pub fn bind_with_drop_guard<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        Listener::bind_with_drop_guard(path)?.try_into()
    }

    /// The twin of [`Listener::local_addr`].
    pub fn local_addr(&self) -> io::Result<UdSocketPath<'static>> {
        self.get_ref().local_addr()
    }

    /// The twin of [`Listener::do_not_reclaim_name_on_drop`].
    pub fn do_not_reclaim_name_on_drop(&mut self) {
        self.get_mut().do_not_reclaim_name_on_drop();
    }
}

/// To the async face, within the runtime.
impl<K: Connection, R: Runtime> TryFrom<Listener<K>> for Async<Listener<K>, R> {
    type Error = io::Error;

    fn try_from(listener: Listener<K>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::new(listener)
    }
}

/// To the blocking face.
impl<K: Connection, R: Runtime> TryFrom<Async<Listener<K>, R>> for Listener<K> {
    type Error = io::Error;

    fn try_from(listener: Async<Listener<K>, R>) -> io::Result<Self> {
        let listener = listener.into_inner()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}
