use super::{
    Socket, ToUdSocketPath,
    kind::{Connection, Stream},
};
use crate::{
    ConnectWaitMode,
    connecting::Patience,
    error::about,
    os::unix::ancillary::AncillaryDataBuf,
    read_write::{read_by_recv, write_by_send},
    sys::unix::endpoint::Endpoint,
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    thread,
    time::Duration,
};

impl<K: Connection> Socket<K> {
    /// Connects to the listener of that address, and waits for it if it has more clients than it accepts.
    ///
    /// # Errors
    /// Each names the address.
    /// - [`NotFound`](io::ErrorKind::NotFound), [`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody listens.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): an address that is not possible.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not.
    ///
    /// # Platform-specific behaviour
    /// Only Linux waits. On macOS and the BSDs, a listener with too many clients refuses more
    /// ([`ConnectionRefused`](io::ErrorKind::ConnectionRefused)).
    ///
    /// Stands on `connect(2)`.
    pub fn connect<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        Self::connect_with_wait_mode(path, ConnectWaitMode::Unbounded)
    }

    /// Like [`connect`](Self::connect), but waits for no longer than `timeout`.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect), and [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn connect_timeout<'a>(path: impl ToUdSocketPath<'a>, timeout: Duration) -> io::Result<Self> {
        Self::connect_with_wait_mode(path, ConnectWaitMode::Timeout(timeout))
    }

    /// Like [`connect`](Self::connect), waiting for a listener with too many clients as long as is said. The socket is blocking in
    /// any case.
    pub fn connect_with_wait_mode<'a>(
        path: impl ToUdSocketPath<'a>,
        wait_mode: ConnectWaitMode,
    ) -> io::Result<Self> {
        let path = path.to_socket_path()?;
        let mut patience = Patience::new(wait_mode, false);
        let address = path.to_socket_address()?;
        loop {
            match Endpoint::connected(K::TYPE, &address, patience.deadline()) {
                Ok(socket) => {
                    if patience.deadline().is_none() {
                        socket.set_nonblocking(false)?;
                    }
                    return Ok(Self::new(socket));
                }
                Err(error) => {
                    thread::sleep(patience.pause_after(error).map_err(|error| about(&path, error))?);
                }
            }
        }
    }
}

/// A stream of bytes.
///
/// [`Read`](io::Read) and [`Write`](io::Write) are there for the socket and for a reference to it.
///
/// # End of stream
/// Receiving gives 0 bytes when the peer is gone, or has [shut down](Self::shutdown) its sending direction, and all that it sent
/// has been read.
impl Socket<Stream> {
    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the end of the stream or if `buf` is empty.
    /// Ancillary data that came with them are lost; the kernel closes them.
    ///
    /// Stands on `recv(2)`.
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.recv(buf)
    }

    /// The same into several buffers, one after the other.
    ///
    /// Stands on `readv(2)`.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.inner.recv_vectored(bufs)
    }

    /// Receives bytes, and the ancillary data that came with them: how many bytes, and how long the ancillary data are. Bytes
    /// that went with different descriptors do not come together.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData): ancillary data were cut off. See
    /// [`TruncatedAncillary`](crate::os::unix::ancillary::TruncatedAncillary).
    ///
    /// Stands on `recvmsg(2)`.
    pub fn recv_ancillary(&self, buf: &mut [u8], abuf: &mut AncillaryDataBuf) -> io::Result<(usize, usize)> {
        self.recv_ancillary_vectored(&mut [IoSliceMut::new(buf)], abuf)
    }

    /// The same into several buffers, one after the other.
    pub fn recv_ancillary_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        abuf: &mut AncillaryDataBuf,
    ) -> io::Result<(usize, usize)> {
        let received = self.recv_with(bufs, Some(&mut abuf.0), None)?;
        Ok((received.len, abuf.0.len()))
    }

    /// Copies the next bytes into `buf`, and leaves them to be received.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.peek(buf)
    }

    /// Sends bytes: as many as there is room for, at least one unless `buf` is empty.
    ///
    /// Stands on `send(2)`.
    #[inline]
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.send(buf)
    }

    /// The same from several buffers, one after the other.
    ///
    /// Stands on `sendmsg(2)`.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.send_vectored(bufs)
    }
}

read_by_recv! {
    [] Socket<Stream>, |socket| socket;
    [] &Socket<Stream>, |socket| socket;
}
write_by_send! {
    [] Socket<Stream>, |socket| socket, socket.inner.flush();
    [] &Socket<Stream>, |socket| socket, socket.inner.flush();
}
