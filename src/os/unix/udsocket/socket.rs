use super::{
    UdSocketPath,
    kind::{Datagram, Kind, Stream},
};
use crate::{
    TryClone,
    local_socket::{self, PeerCreds},
    os::unix::ancillary::{BorrowedAncillaryData, EncodedAncillaryData},
    sys::unix::{
        control::Control, endpoint::Endpoint, message::Received, name::SourceAddress, name_file::NameFile,
        options,
    },
};
use rustix::net::RecvFlags;
use std::{
    io::{self, IoSlice, IoSliceMut},
    marker::PhantomData,
    net::Shutdown,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::net::{UnixDatagram, UnixStream},
    },
    time::Duration,
};

/// A socket of the Unix domain, of the [kind](super::kind) `K`: [`UdStream`](super::UdStream), [`UdSocket`](super::UdSocket) or
/// [`UdSeqpacket`](super::UdSeqpacket).
///
/// Several threads may use it at the same time; receiving and sending do not delay each other.
///
/// Sending to a peer that is gone is [`BrokenPipe`](io::ErrorKind::BrokenPipe), and never a signal.
#[derive(Debug)]
pub struct Socket<K: Kind> {
    /// Before the socket, since it has to be dropped first.
    file: Option<NameFile>,
    pub(super) inner: Endpoint,
    kind: PhantomData<K>,
}

impl<K: Kind> Socket<K> {
    pub(super) fn new(inner: Endpoint) -> Self {
        Self { file: None, inner, kind: PhantomData }
    }

    pub(super) fn with_file(inner: Endpoint, file: Option<NameFile>) -> Self {
        Self { file, ..Self::new(inner) }
    }

    /// Two sockets that are connected to each other, and have no address.
    ///
    /// Stands on `socketpair(2)`.
    ///
    /// ```
    /// use interprocess::os::unix::udsocket::UdSeqpacket;
    ///
    /// let (one, other) = UdSeqpacket::pair()?;
    /// one.send(b"first")?;
    /// one.send(b"second")?;
    /// let mut buf = [0; 16];
    /// assert_eq!(other.recv(&mut buf)?, (5, false));
    /// assert_eq!(&buf[..5], b"first");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(Self, Self)> {
        Endpoint::pair(K::TYPE).map(|(one, other)| (Self::new(one), Self::new(other)))
    }

    /// The address that the socket is bound to.
    ///
    /// Stands on `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<UdSocketPath<'static>> {
        SourceAddress::local(self.as_fd()).map(|address| UdSocketPath::from_bytes(address.bytes()))
    }

    /// The address that the peer is bound to, which is [`Unnamed`](UdSocketPath::Unnamed) for most clients.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected): there is no peer.
    ///
    /// Stands on `getpeername(2)`.
    pub fn peer_addr(&self) -> io::Result<UdSocketPath<'static>> {
        SourceAddress::peer(self.as_fd()).map(|address| UdSocketPath::from_bytes(address.bytes()))
    }

    /// Sets whether calls that would wait are [`WouldBlock`](io::ErrorKind::WouldBlock) instead.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.inner.set_nonblocking(nonblocking)
    }

    /// Whether the socket is nonblocking.
    pub fn is_nonblocking(&self) -> io::Result<bool> {
        self.inner.is_nonblocking()
    }

    /// Sets how long receiving waits; then it is [`TimedOut`](io::ErrorKind::TimedOut). `None` is for as long as it takes, and less
    /// than a microsecond counts as one (`SO_RCVTIMEO`).
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.inner.set_recv_timeout(timeout)
    }

    /// How long receiving waits.
    pub fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        self.inner.recv_timeout()
    }

    /// Sets how long sending waits for room; then it is [`TimedOut`](io::ErrorKind::TimedOut). `None` is for as long as it takes, and
    /// less than a microsecond counts as one (`SO_SNDTIMEO`). For a stream, the system waits for that long each time that there is no room,
    /// not once for all of a long buffer.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.inner.set_send_timeout(timeout)
    }

    /// How long sending waits for room.
    pub fn send_timeout(&self) -> io::Result<Option<Duration>> {
        self.inner.send_timeout()
    }

    /// Ends one direction or both. The peer reads what was sent, and then the end; its sending is
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if we do not receive any more.
    ///
    /// Stands on `shutdown(2)`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }

    /// Takes the error that waits on the socket (`SO_ERROR`).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.inner.take_error()
    }

    /// Who is at the other end of the connection or the pair, as the kernel vouches for it: see [`PeerCreds`]. Who sent a single
    /// datagram is told by [credentials](Self::set_pass_credentials).
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.inner.peer_creds().map(PeerCreds::new)
    }

    /// The process, user and group of the peer, in the system's structure, which older versions gave. [`peer_creds`](Self::peer_creds)
    /// is for every OS, and tells more. The process is 0 if it is one that this process cannot see.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected): there is no peer.
    ///
    /// Stands on `getsockopt(2)` with `SO_PEERCRED`.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn get_peer_credentials(&self) -> io::Result<libc::ucred> {
        crate::sys::unix::creds::ucred(self.as_fd())
    }

    /// A descriptor for the peer's process, which means that process for ever, whatever becomes of its ID
    /// (`SO_PEERPIDFD`, since Linux 6.5).
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) with an older kernel. On kernels before 6.16 it is an error if the process is
    /// gone.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn peer_pidfd(&self) -> io::Result<OwnedFd> {
        crate::sys::unix::creds::pidfd(self.as_fd())
    }

    /// The label that a security module (SELinux, AppArmor, Smack) gave the peer (`SO_PEERSEC`).
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) if there is no such module.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn peer_label(&self) -> io::Result<Vec<u8>> {
        crate::sys::unix::creds::label(self.as_fd())
    }

    /// How many bytes the kernel keeps for the receiver (`SO_RCVBUF`). Linux tells twice what was set, for its own needs.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        options::recv_buffer_size(self.as_fd())
    }

    /// Sets how many bytes the kernel keeps for the receiver. It may take less or more; ask it. (On Linux, the sender's buffer is what
    /// counts for sockets of the Unix domain.)
    pub fn set_recv_buffer_size(&self, size: usize) -> io::Result<()> {
        options::set_recv_buffer_size(self.as_fd(), size)
    }

    /// How many bytes may be under way (`SO_SNDBUF`). Linux tells twice what was set, for its own needs.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        options::send_buffer_size(self.as_fd())
    }

    /// Sets how many bytes may be under way. The kernel may take less or more; ask it. On Linux this limits the size of a message,
    /// too.
    pub fn set_send_buffer_size(&self, size: usize) -> io::Result<()> {
        options::set_send_buffer_size(self.as_fd(), size)
    }

    /// Sets whether each message comes with the [credentials](crate::os::unix::ancillary::AncillaryData::Credentials) of its sender:
    /// those that it sent, or else those that it has.
    ///
    /// # Platform-specific behaviour
    /// - Linux: `SO_PASSCRED`. A socket that is not bound gets an abstract name when it connects.
    /// - FreeBSD: `LOCAL_CREDS_PERSISTENT`, since 13.
    /// - NetBSD: `LOCAL_CREDS`. In a connection, only the next message comes with them.
    /// - macOS, OpenBSD, DragonFly BSD, illumos: [`Unsupported`](io::ErrorKind::Unsupported). For connections, there is
    ///   [`peer_creds`](Self::peer_creds).
    pub fn set_pass_credentials(&self, pass: bool) -> io::Result<()> {
        options::set_pass_credentials(self.as_fd(), pass)
    }

    /// Sets whether each message comes with a
    /// [descriptor of its sender's process](crate::os::unix::ancillary::AncillaryData::PidFd) (`SO_PASSPIDFD`, since Linux 6.5).
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) with an older kernel.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn set_pass_pidfd(&self, pass: bool) -> io::Result<()> {
        options::set_pass_pidfd(self.as_fd(), pass)
    }

    /// Sets whether each message comes with the
    /// [label of its sender](crate::os::unix::ancillary::AncillaryData::SecurityLabel) (`SO_PASSSEC`), if a security module gives
    /// labels.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn set_pass_security(&self, pass: bool) -> io::Result<()> {
        options::set_pass_security(self.as_fd(), pass)
    }

    /// Leaves the socket file, if the socket has a drop guard, where it is.
    pub fn do_not_reclaim_name_on_drop(&mut self) {
        if let Some(file) = &mut self.file {
            file.keep();
        }
    }

    /// The one way to receive, with all that can go along.
    pub(super) fn recv_with(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: Option<&mut Control>,
        source: Option<&mut SourceAddress>,
    ) -> io::Result<Received> {
        self.inner.recv_with(K::room(bufs)?, control, source, RecvFlags::empty())
    }

    /// Receives bytes or a message, and adds the descriptors that came along to `fds`. Gives how many bytes are in `buf`. Other
    /// ancillary data are dropped.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData): not all descriptors could be received, so that all were closed. See
    /// [`TruncatedAncillary`](crate::os::unix::ancillary::TruncatedAncillary).
    ///
    /// ```
    /// use interprocess::os::unix::udsocket::UdStream;
    /// use std::{fs::File, os::fd::AsFd};
    ///
    /// let (one, other) = UdStream::pair()?;
    /// one.send_with_fds(b"null", &[File::open("/dev/null")?.as_fd()])?;
    ///
    /// let (mut text, mut fds) = ([0; 16], Vec::new());
    /// assert_eq!(other.recv_with_fds(&mut text, &mut fds)?, 4);
    /// let file = File::from(fds.remove(0));
    /// # assert!(fds.is_empty() && !file.metadata()?.is_file());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_with_fds(&self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let mut control = Control::on_stack();
        let bufs = &mut [IoSliceMut::new(buf)];
        let received = self.inner.recv_with(bufs, Some(&mut control), None, RecvFlags::empty())?;
        control.take_fds(fds);
        Ok(received.len)
    }

    /// Sends bytes or a message, and descriptors along with the first of the bytes. Gives how many bytes were sent: for a stream maybe
    /// not all, and then the rest is to be sent without the descriptors.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput), and nothing is sent: more than
    /// [`MAX_FDS`](crate::os::unix::ancillary::MAX_FDS) descriptors, or descriptors without any bytes on a stream, which systems
    /// would lose.
    pub fn send_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        let mut ancillary = EncodedAncillaryData::new();
        ancillary.add_fds(fds)?;
        self.send_encoded(&[IoSlice::new(buf)], None, &ancillary)
    }

    /// Sends bytes or a message with ancillary data. Gives how many bytes were sent, for a stream maybe not all, and how long the
    /// ancillary data were, which go along with the first byte.
    ///
    /// # Errors
    /// See [`AncillaryData::encode`](crate::os::unix::ancillary::AncillaryData::encode) and
    /// [`send_with_fds`](Self::send_with_fds).
    ///
    /// Stands on `sendmsg(2)`.
    pub fn send_ancillary<'f>(
        &self,
        buf: &[u8],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
    ) -> io::Result<(usize, usize)> {
        self.send_ancillary_vectored(&[IoSlice::new(buf)], ancillary)
    }

    /// The same from several buffers.
    pub fn send_ancillary_vectored<'f>(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
    ) -> io::Result<(usize, usize)> {
        let mut encoded = EncodedAncillaryData::new();
        encoded.add(ancillary)?;
        self.send_encoded(bufs, None, &encoded).map(|sent| (sent, encoded.as_ref().len()))
    }

    /// Sends bytes or a message with ancillary data that were encoded before, which saves that where the same go with many messages.
    /// Gives how many bytes were sent, for a stream maybe not all.
    ///
    /// # Errors
    /// See [`send_with_fds`](Self::send_with_fds).
    ///
    /// Stands on `sendmsg(2)`.
    ///
    /// ```
    /// use interprocess::os::unix::{ancillary::AncillaryData, udsocket::UdSocket};
    /// use std::{fs::File, io::IoSlice, os::fd::AsFd};
    ///
    /// let (one, other) = UdSocket::pair()?;
    /// let null = File::open("/dev/null")?;
    /// let fds = [null.as_fd()];
    /// let encoded = AncillaryData::encode([AncillaryData::file_descriptors(&fds)])?;
    /// let mut received = Vec::new();
    /// for text in ["first", "second"] {
    ///     one.send_encoded_ancillary(&[IoSlice::new(text.as_bytes())], &encoded)?;
    ///     assert_eq!(other.recv_with_fds(&mut [0; 8], &mut received)?, text.len());
    /// }
    /// assert_eq!(received.len(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_encoded_ancillary(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: &EncodedAncillaryData<'_>,
    ) -> io::Result<usize> {
        self.send_encoded(bufs, None, ancillary)
    }

    /// The one way to send with something along.
    pub(super) fn send_encoded(
        &self,
        bufs: &[IoSlice<'_>],
        to: Option<&UdSocketPath<'_>>,
        ancillary: &EncodedAncillaryData<'_>,
    ) -> io::Result<usize> {
        let bufs = K::check(bufs, !ancillary.as_ref().is_empty())?;
        let to = to.map(UdSocketPath::to_socket_address).transpose()?;
        self.inner.send_with(bufs, to.as_ref(), ancillary.as_ref())
    }
}

impl<K: Kind> TryClone for Socket<K> {
    /// A second object for the same socket. They share its mode and its timeouts. The drop guard of a socket file stays with
    /// the first.
    fn try_clone(&self) -> io::Result<Self> {
        self.inner.try_clone().map(Self::new)
    }
}

impl<K: Kind> AsFd for Socket<K> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Takes a socket of this kind; whether it is one shows when it is used. A nonblocking one stays so.
impl<K: Kind> From<OwnedFd> for Socket<K> {
    fn from(fd: OwnedFd) -> Self {
        Self::new(Endpoint::from(fd).of_kind(K::TYPE))
    }
}

/// The socket file, if there is one, is the new owner's to delete.
impl<K: Kind> From<Socket<K>> for OwnedFd {
    fn from(mut socket: Socket<K>) -> Self {
        socket.do_not_reclaim_name_on_drop();
        socket.inner.into()
    }
}

impl<K: Kind> AsRawFd for Socket<K> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<K: Kind> IntoRawFd for Socket<K> {
    fn into_raw_fd(self) -> RawFd {
        OwnedFd::from(self).into_raw_fd()
    }
}

impl<K: Kind> FromRawFd for Socket<K> {
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller promises what `OwnedFd::from_raw_fd` asks for, which is the same.
        unsafe { OwnedFd::from_raw_fd(fd) }.into()
    }
}

impl From<UnixStream> for Socket<Stream> {
    fn from(stream: UnixStream) -> Self {
        OwnedFd::from(stream).into()
    }
}

impl From<Socket<Stream>> for UnixStream {
    fn from(stream: Socket<Stream>) -> Self {
        OwnedFd::from(stream).into()
    }
}

impl From<UnixDatagram> for Socket<Datagram> {
    fn from(socket: UnixDatagram) -> Self {
        OwnedFd::from(socket).into()
    }
}

/// The socket file, if there is one, is the new owner's to delete.
impl From<Socket<Datagram>> for UnixDatagram {
    fn from(socket: Socket<Datagram>) -> Self {
        OwnedFd::from(socket).into()
    }
}

/// A local socket is a stream of the Unix domain.
impl From<local_socket::Stream> for Socket<Stream> {
    fn from(stream: local_socket::Stream) -> Self {
        Self::new(stream.0)
    }
}

/// A local socket is a stream of the Unix domain.
impl From<Socket<Stream>> for local_socket::Stream {
    fn from(stream: Socket<Stream>) -> Self {
        Self(stream.inner)
    }
}
