//! An open socket of the Unix domain: the body of local sockets, and of streams, datagrams and packets.

use super::{
    batch::{self, Batch},
    control::{Control, Word},
    message::{self, Received},
    name::SourceAddress,
    socket,
};
use crate::deadline::Deadline;
#[cfg(feature = "async")]
use crate::runtime::Told;
use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, SocketAddrUnix, SocketType, sockopt::Timeout},
};
#[cfg(feature = "async")]
use std::mem::MaybeUninit;
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// An open socket, and what is known about its mode.
#[derive(Debug)]
pub(crate) struct Endpoint {
    fd: OwnedFd,
    /// That the socket is known to be nonblocking, so that `EAGAIN` needs no second look.
    nonblocking: AtomicBool,
    /// That there are clones, which can change the mode without this object's knowledge.
    has_clones: AtomicBool,
    /// That the kernel has told, once and for all, that the peer left without having read everything.
    was_reset: AtomicBool,
    /// That there is a connection, which can end. Datagrams just do not arrive.
    has_end: bool,
    /// That the last `recv_uninit` that tells was not given as much as it had room for.
    #[cfg(feature = "async")]
    was_short: AtomicBool,
    send_flags: SendFlags,
}

impl Endpoint {
    /// Takes a socket whose mode is known.
    pub(crate) fn new(fd: OwnedFd, nonblocking: bool) -> Self {
        Self {
            fd,
            nonblocking: AtomicBool::new(nonblocking),
            has_clones: AtomicBool::new(false),
            was_reset: AtomicBool::new(false),
            has_end: true,
            #[cfg(feature = "async")]
            was_short: AtomicBool::new(false),
            send_flags: socket::SEND_FLAGS,
        }
    }

    /// The same for a socket of that kind.
    pub(crate) fn of_kind(self, kind: SocketType) -> Self {
        Self { has_end: kind != SocketType::DGRAM, send_flags: socket::send_flags(kind), ..self }
    }

    /// One attempt to connect, which never waits without `wait` (and gives a nonblocking socket), and waits in the kernel
    /// for a place in the listener's queue with it.
    #[inline]
    pub(crate) fn connected(
        kind: SocketType,
        address: &SocketAddrUnix,
        wait: Option<Deadline>,
    ) -> io::Result<Self> {
        let fd = socket::new(kind, wait.is_none())?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let limit = wait.and_then(Deadline::remaining);
        loop {
            // On Linux, the time to send bounds `connect`; elsewhere `connect` does not wait.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            if let Some(left) = wait.and_then(Deadline::remaining) {
                socket::set_timeout(fd.as_fd(), Timeout::Send, Some(left))?;
            }
            match socket::connect(fd.as_fd(), address) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if wait.is_some() => return Err(io::ErrorKind::TimedOut.into()),
                Err(error) => return Err(error.into()),
            }
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if limit.is_some() {
            socket::set_timeout(fd.as_fd(), Timeout::Send, None)?;
        }
        Ok(Self::new(fd, wait.is_none()).of_kind(kind))
    }

    /// Two that are connected to each other, and blocking.
    pub(crate) fn pair(kind: SocketType) -> io::Result<(Self, Self)> {
        let (one, other) = socket::pair(kind, false)?;
        Ok((Self::new(one, false).of_kind(kind), Self::new(other, false).of_kind(kind)))
    }

    /// An expired timeout and "would block" are one code. They differ by the mode of the socket.
    #[cold]
    fn explain(&self, error: Errno) -> io::Error {
        if error == Errno::AGAIN
            && (!self.nonblocking.load(Relaxed) || self.has_clones.load(Relaxed))
            && socket::is_nonblocking(self.fd.as_fd()).is_ok_and(|nonblocking| !nonblocking)
        {
            return io::ErrorKind::TimedOut.into();
        }
        error.into()
    }

    /// When the peer has left without having read everything, Linux says `ECONNRESET` once, to whoever calls next: to a reader
    /// of bytes after all that the peer sent, and then it is the end of the stream, as it is at once on other systems.
    #[cold]
    fn explain_receiving(&self, error: Errno) -> io::Result<usize> {
        if error == Errno::CONNRESET && self.has_end {
            self.was_reset.store(true, Relaxed);
            return Ok(0);
        }
        Err(self.explain(error))
    }

    /// To a reader of messages, Linux says it before those that the peer sent, which are there all the same: the next attempt
    /// receives them.
    #[inline]
    fn recv_messages<T: Default>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        attempt().or_else(|error| self.explain_message(error, attempt))
    }

    /// Nothing, if that is the end.
    #[cold]
    fn explain_message<T: Default>(
        &self,
        mut error: io::Error,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        if error.kind() == io::ErrorKind::ConnectionReset && self.has_end {
            self.was_reset.store(true, Relaxed);
            match attempt() {
                Ok(received) => return Ok(received),
                Err(second) => error = second,
            }
        }
        match Errno::from_io_error(&error) {
            Some(error) => self.explain_receiving(error).map(|_| T::default()),
            None => Err(error),
        }
    }

    /// To a writer, that is a broken pipe, which it is from then on anyway.
    #[cold]
    fn explain_sending(&self, error: Errno) -> io::Error {
        if error == Errno::CONNRESET && self.has_end {
            self.was_reset.store(true, Relaxed);
            return Errno::PIPE.into();
        }
        self.explain(error)
    }

    #[inline]
    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::recv(self.fd.as_fd(), buf, RecvFlags::empty()).or_else(|e| self.explain_receiving(e))
    }

    /// Like `recv`, into memory that need not be initialized. If it `tells`, it says whether the next call would find nothing. To know that
    /// costs some time, so it is only found out for those whose buffers are longer than what comes.
    #[cfg(feature = "async")]
    #[inline]
    pub(crate) fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], tells: bool) -> io::Result<Told> {
        /// Where the kernel tells why it stopped, so that it can be told.
        const IS_KNOWN: bool = cfg!(any(target_os = "linux", target_os = "android"));

        let (fd, room, tells) = (self.fd.as_fd(), buf.len(), tells && IS_KNOWN);
        let was_short = tells && self.was_short.load(Relaxed);
        let result = if was_short {
            message::recv_bytes(fd, buf)
        } else {
            socket::recv_uninit(fd, buf).map(Told::more_may_follow)
        };
        let told = match result {
            Ok(told) => told,
            // A runtime has made it nonblocking, and so that needs no second look.
            Err(Errno::AGAIN) => return Err(Errno::AGAIN.into()),
            Err(error) => Told::more_may_follow(self.explain_receiving(error)?),
        };
        if tells && was_short != (told.len() < room) {
            self.was_short.store(!was_short, Relaxed);
        }
        Ok(told)
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        socket::recv_vectored(self.fd.as_fd(), bufs).or_else(|e| self.explain_receiving(e))
    }

    #[inline]
    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        socket::send(self.fd.as_fd(), buf).map_err(|e| self.explain_sending(e))
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        socket::send_vectored(self.fd.as_fd(), bufs).map_err(|e| self.explain_sending(e))
    }

    /// One message, or as much of it as there is room for.
    #[inline]
    pub(crate) fn recv_message(&self, buf: &mut [u8], flags: RecvFlags) -> io::Result<Received> {
        self.recv_messages(|| socket::recv_message(self.fd.as_fd(), buf, flags))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn peek_message_size(&self) -> io::Result<usize> {
        self.recv_messages(|| Ok(socket::peek_message_size(self.fd.as_fd())?))
    }

    /// One message, which may be empty.
    #[inline]
    pub(crate) fn send_message(&self, buf: &[u8]) -> io::Result<usize> {
        socket::send_message(self.fd.as_fd(), buf, self.send_flags).map_err(|e| self.explain_sending(e))
    }

    /// Bytes or a message, with what goes along: ancillary data, if there is a buffer for it, and where it came from.
    #[inline]
    pub(crate) fn recv_with<S: AsRef<[Word]> + AsMut<[Word]>>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        mut control: Option<&mut Control<S>>,
        mut source: Option<&mut SourceAddress>,
        flags: RecvFlags,
    ) -> io::Result<Received> {
        self.recv_messages(|| {
            message::recv(self.fd.as_fd(), bufs, control.as_deref_mut(), source.as_deref_mut(), flags)
        })
    }

    /// Several messages, of which the first is waited for.
    pub(crate) fn recv_batch(&self, batch: &mut Batch) -> io::Result<usize> {
        self.recv_messages(|| batch.recv(self.fd.as_fd(), self.has_end))
    }

    /// Several messages, and how many of them were sent.
    pub(crate) fn send_batch<M: AsRef<[u8]>>(
        &self,
        messages: &[M],
        to: Option<&SocketAddrUnix>,
    ) -> io::Result<usize> {
        batch::send(self.fd.as_fd(), messages, to, self.send_flags).map_err(|e| self.explain_sending(e))
    }

    /// Bytes or a message, with ancillary data, and to an address.
    #[inline]
    pub(crate) fn send_with(
        &self,
        bufs: &[IoSlice<'_>],
        to: Option<&SocketAddrUnix>,
        control: &[u8],
    ) -> io::Result<usize> {
        message::send(self.fd.as_fd(), bufs, to, control, self.send_flags)
            .map_err(|e| self.explain_sending(e))
    }

    /// What was sent is with the kernel.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "Windows needs them")]
    pub(crate) fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::recv(self.fd.as_fd(), buf, RecvFlags::PEEK).or_else(|e| self.explain_receiving(e))
    }

    /// Whether `poll` says that there is room to send.
    #[cfg(feature = "async")]
    pub(crate) fn is_writable(&self) -> io::Result<bool> {
        socket::is_writable(self.fd.as_fd())
    }

    pub(crate) fn is_peer_gone(&self) -> io::Result<bool> {
        socket::is_hung_up(self.fd.as_fd())
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn drain(&self, deadline: Deadline) -> io::Result<()> {
        let mut pause = Duration::from_micros(20);
        while socket::unread(self.fd.as_fd())? != 0 {
            if deadline.has_passed() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // The kernel tells nobody when the last byte is read.
            std::thread::sleep(deadline.remaining().map_or(pause, |left| left.min(pause)));
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        // A peer that leaves without having read everything leaves an error there.
        let error = self.take_error()?;
        if self.was_reset.load(Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        error.map_or(Ok(()), Err)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[allow(clippy::unused_self, reason = "one shape for each system")]
    pub(crate) fn drain(&self, _deadline: Deadline) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system does not tell what the peer has read"))
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        socket::shutdown(self.fd.as_fd(), how)
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let error = socket::take_error(self.fd.as_fd())?;
        if error.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
            self.was_reset.store(true, Relaxed);
        }
        Ok(error)
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        socket::set_nonblocking(self.fd.as_fd(), nonblocking)?;
        self.nonblocking.store(nonblocking, Relaxed);
        Ok(())
    }

    pub(crate) fn is_nonblocking(&self) -> io::Result<bool> {
        socket::is_nonblocking(self.fd.as_fd())
    }

    pub(crate) fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        socket::set_timeout(self.fd.as_fd(), Timeout::Recv, timeout)
    }

    pub(crate) fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        socket::timeout(self.fd.as_fd(), Timeout::Recv)
    }

    pub(crate) fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        socket::set_timeout(self.fd.as_fd(), Timeout::Send, timeout)
    }

    pub(crate) fn send_timeout(&self) -> io::Result<Option<Duration>> {
        socket::timeout(self.fd.as_fd(), Timeout::Send)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let mut clone = Self::new(socket::duplicate(self.fd.as_fd())?, false);
        (clone.has_end, clone.send_flags) = (self.has_end, self.send_flags);
        self.has_clones.store(true, Relaxed);
        clone.has_clones.store(true, Relaxed);
        clone.was_reset.store(self.was_reset.load(Relaxed), Relaxed);
        Ok(clone)
    }
}

impl AsFd for Endpoint {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Endpoint {
    fn from(fd: OwnedFd) -> Self {
        socket::adopt(fd.as_fd());
        Self::new(fd, false)
    }
}

impl From<Endpoint> for OwnedFd {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.fd
    }
}
