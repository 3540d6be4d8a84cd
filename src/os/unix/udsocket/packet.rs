use super::{
    BindOptions, Socket, ToUdSocketPath, UdSocketPath,
    kind::{Datagram, Packets},
};
use crate::{
    error::about,
    os::unix::ancillary::{AncillaryDataBuf, BorrowedAncillaryData, EncodedAncillaryData},
    sys::unix::{endpoint::Endpoint, message::Received, name::SourceAddress, socket},
};
use rustix::net::{RecvFlags, SocketType};
use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::AsFd,
};

/// Messages: one call receives one, and one call sends one. Of a message that is longer than the buffer the rest is lost, and
/// that is told.
impl<K: Packets> Socket<K> {
    /// Receives a message: how many bytes of it are in `buf`, and whether it was longer than that. A buffer without any room
    /// takes a message, too.
    ///
    /// Ancillary data that came with it are lost; the kernel closes them.
    ///
    /// # Errors
    /// For datagrams with a [destination](Socket::set_destination), Linux tells once that the peer has closed its socket without
    /// having read everything ([`ConnectionReset`](io::ErrorKind::ConnectionReset)).
    ///
    /// Stands on `recv(2)` with `MSG_TRUNC` on Linux, on `recvmsg(2)` elsewhere.
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<(usize, bool)> {
        self.inner.recv_message(buf, RecvFlags::empty()).map(told)
    }

    /// The same into several buffers, one after the other.
    ///
    /// # Errors
    /// The OS's `EMSGSIZE`, and nothing is received: more than 1024 buffers. So it is for each method that takes several.
    ///
    /// Stands on `recvmsg(2)`.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<(usize, bool)> {
        self.recv_with(bufs, None, None).map(told)
    }

    /// Receives a message and its ancillary data: how many bytes are in `buf`, whether the message was longer, how long the
    /// ancillary data are, and whether those were cut off, which is always no: that is an error.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData): ancillary data were cut off. See
    /// [`TruncatedAncillary`](crate::os::unix::ancillary::TruncatedAncillary).
    ///
    /// Stands on `recvmsg(2)`.
    pub fn recv_ancillary(
        &self,
        buf: &mut [u8],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, bool, usize, bool)> {
        self.recv_ancillary_vectored(&mut [IoSliceMut::new(buf)], abuf)
    }

    /// The same into several buffers, one after the other.
    pub fn recv_ancillary_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, bool, usize, bool)> {
        let received = self.recv_with(bufs, Some(&mut abuf.0), None)?;
        Ok((received.len, received.is_truncated, abuf.0.len(), false))
    }

    /// Copies the next message into `buf`, and leaves it to be received: how many bytes of it are in `buf`, and whether it is
    /// longer.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<(usize, bool)> {
        self.inner.recv_message(buf, RecvFlags::PEEK).map(told)
    }

    /// Waits for a message, and tells how long it is, without receiving it.
    ///
    /// Stands on `recv(2)` with `MSG_PEEK` and `MSG_TRUNC`.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn peek_msg_size(&self) -> io::Result<usize> {
        self.inner.peek_message_size()
    }

    /// Sends a message, the whole or none of it. To a peer that does not keep up, it waits.
    ///
    /// # Errors
    /// - The OS's `EMSGSIZE`: the message is longer than [what may be under way](Self::set_send_buffer_size).
    /// - [`NotConnected`](io::ErrorKind::NotConnected): there is no destination.
    /// - [`ConnectionRefused`](io::ErrorKind::ConnectionRefused): the destination of datagrams is gone.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the connection has ended.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): an empty packet, which in a connection the receiver could not tell from the
    ///   end.
    /// - On macOS and the BSDs, which do not wait for room for a datagram, the OS's `ENOBUFS`.
    ///
    /// Stands on `send(2)`.
    #[inline]
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        K::check(&[IoSlice::new(buf)], false)?;
        self.inner.send_message(buf)
    }

    /// The same from several buffers, as one message.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); the OS's `EMSGSIZE` for more than 1024 buffers, too.
    ///
    /// Stands on `sendmsg(2)`.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.send_with(K::check(bufs, false)?, None, &[])
    }
}

/// What older versions told in the same way.
fn told(received: Received) -> (usize, bool) {
    (received.len, received.is_truncated)
}

/// Datagrams: a socket sends to and receives from any other, until it has a destination.
///
/// ```
/// use interprocess::os::unix::udsocket::{UdSocket, UdSocketPath};
///
/// # let dir = std::env::temp_dir().join(format!("interprocess-doc-datagram-{}", std::process::id()));
/// # std::fs::create_dir(&dir)?;
/// # let (server, client) = (dir.join("server"), dir.join("client"));
/// let service = UdSocket::bind_with_drop_guard(&server)?;
/// let socket = UdSocket::bind_with_drop_guard(&client)?;
/// socket.send_to(b"ping", &server)?;
///
/// let (mut buf, mut from) = ([0; 16], UdSocketPath::buffer());
/// let (len, is_truncated) = service.recv_from(&mut buf, &mut from)?;
/// assert_eq!((&buf[..len], is_truncated), (&b"ping"[..], false));
/// service.send_to(b"pong", &from)?;
/// assert_eq!(socket.recv(&mut buf)?, (4, false));
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
impl Socket<Datagram> {
    /// A socket without an address: it can send, but nobody can answer it.
    pub fn unbound() -> io::Result<Self> {
        let fd = socket::new(SocketType::DGRAM, false)?;
        Ok(Self::new(Endpoint::new(fd, false).of_kind(SocketType::DGRAM)))
    }

    /// A socket with that address, with the defaults of [`BindOptions`], except that the socket file is left where it is when the
    /// socket is dropped.
    ///
    /// # Errors
    /// See [`BindOptions::bind_datagram`].
    pub fn bind<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        BindOptions::new().reclaim_name(false).bind_datagram(path)
    }

    /// The same, and dropping the socket deletes the socket file, if it is still the socket's own.
    ///
    /// # Errors
    /// See [`BindOptions::bind_datagram`].
    pub fn bind_with_drop_guard<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        BindOptions::new().bind_datagram(path)
    }

    /// A socket without an address, whose destination is the socket of that address.
    ///
    /// # Errors
    /// See [`set_destination`](Self::set_destination).
    pub fn connect<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        let socket = Self::unbound()?;
        socket.set_destination(path)?;
        Ok(socket)
    }

    /// Makes that address the destination of what is [sent](Self::send), and the only one to receive from. It can be set
    /// again.
    ///
    /// # Errors
    /// Each names the address.
    /// - [`NotFound`](io::ErrorKind::NotFound), [`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody has it.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not, or that socket has a destination which is not
    ///   this one.
    ///
    /// Stands on `connect(2)`.
    pub fn set_destination<'a>(&self, path: impl ToUdSocketPath<'a>) -> io::Result<()> {
        let path = path.to_socket_path()?;
        let address = path.to_socket_address()?;
        socket::set_destination(self.as_fd(), &address).map_err(|error| about(&path, error.into()))
    }

    /// Receives a datagram, and the address of its sender into `source`: how many bytes of it are in `buf`, and whether it was
    /// longer than that.
    ///
    /// Stands on `recvmsg(2)`.
    pub fn recv_from(&self, buf: &mut [u8], source: &mut UdSocketPath<'_>) -> io::Result<(usize, bool)> {
        self.recv_from_vectored(&mut [IoSliceMut::new(buf)], source)
    }

    /// The same into several buffers, one after the other.
    pub fn recv_from_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool)> {
        let mut address = SourceAddress::new();
        let received = self.recv_with(bufs, None, Some(&mut address))?;
        source.set(address.bytes());
        Ok(told(received))
    }

    /// Receives a datagram, its ancillary data, and the address of its sender into `source`. See
    /// [`recv_ancillary`](Self::recv_ancillary).
    ///
    /// Stands on `recvmsg(2)`.
    pub fn recv_from_ancillary(
        &self,
        buf: &mut [u8],
        abuf: &mut AncillaryDataBuf,
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool, usize, bool)> {
        self.recv_from_ancillary_vectored(&mut [IoSliceMut::new(buf)], abuf, source)
    }

    /// The same into several buffers, one after the other.
    pub fn recv_from_ancillary_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        abuf: &mut AncillaryDataBuf,
        source: &mut UdSocketPath<'_>,
    ) -> io::Result<(usize, bool, usize, bool)> {
        let mut address = SourceAddress::new();
        let received = self.recv_with(bufs, Some(&mut abuf.0), Some(&mut address))?;
        source.set(address.bytes());
        Ok((received.len, received.is_truncated, abuf.0.len(), false))
    }

    /// Sends a datagram to that address, whatever the [destination](Self::set_destination).
    ///
    /// # Errors
    /// Those of [`send`](Self::send) and [`set_destination`](Self::set_destination). On macOS and the BSDs, a socket with a
    /// destination cannot send elsewhere (`EISCONN`).
    ///
    /// Stands on `sendmsg(2)`.
    pub fn send_to<'a>(&self, buf: &[u8], path: impl ToUdSocketPath<'a>) -> io::Result<usize> {
        self.send_to_vectored(&[IoSlice::new(buf)], path)
    }

    /// The same from several buffers, as one datagram.
    pub fn send_to_vectored<'a>(
        &self,
        bufs: &[IoSlice<'_>],
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<usize> {
        self.send_to_ancillary_vectored(bufs, [], path).map(|(sent, _)| sent)
    }

    /// Sends a datagram with ancillary data to that address: how many bytes, and how long the ancillary data were.
    ///
    /// # Errors
    /// Those of [`send_to`](Self::send_to) and [`send_ancillary`](Self::send_ancillary).
    ///
    /// Stands on `sendmsg(2)`.
    pub fn send_to_ancillary<'a, 'f>(
        &self,
        buf: &[u8],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<(usize, usize)> {
        self.send_to_ancillary_vectored(&[IoSlice::new(buf)], ancillary, path)
    }

    /// The same from several buffers, as one datagram.
    pub fn send_to_ancillary_vectored<'a, 'f>(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<(usize, usize)> {
        let path = path.to_socket_path()?;
        let mut encoded = EncodedAncillaryData::new();
        encoded.add(ancillary)?;
        let sent = self.send_encoded(bufs, Some(&path), &encoded)?;
        Ok((sent, encoded.as_ref().len()))
    }
}
