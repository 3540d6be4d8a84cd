//! The body of local sockets on Unix: stream sockets of the Unix domain.

pub(crate) use super::creds::PeerCreds;

use super::{
    creds, name,
    name_file::{NameFile, Options},
    socket::{self, Waited},
};
use crate::{
    deadline::Deadline,
    local_socket::{Access, ListenerOptions, Name},
};
use rustix::{
    io::Errno,
    net::{RecvFlags, SocketType, sockopt::Timeout},
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, SeqCst},
    },
    time::Duration,
};

/// A connection.
#[derive(Debug)]
pub(crate) struct Stream {
    fd: OwnedFd,
    /// That the socket is known to be nonblocking, so that `EAGAIN` needs no second look.
    nonblocking: AtomicBool,
    /// That there are clones, which can change the mode without this object's knowledge.
    has_clones: AtomicBool,
    /// That the kernel has told, once and for all, that the peer left without having read everything.
    was_reset: AtomicBool,
}

impl Stream {
    fn new(fd: OwnedFd, nonblocking: bool) -> Self {
        Self {
            fd,
            nonblocking: AtomicBool::new(nonblocking),
            has_clones: AtomicBool::new(false),
            was_reset: AtomicBool::new(false),
        }
    }

    /// One attempt, which never waits without `wait` (and gives a nonblocking stream), and waits in the kernel
    /// for a place in the listener's queue with it.
    pub(crate) fn connect(
        name: &Name<'_>,
        _options: &crate::local_socket::ConnectOptions<'_>,
        wait: Option<Deadline>,
    ) -> io::Result<Self> {
        let address = name::address(name)?;
        let fd = socket::new(SocketType::STREAM, wait.is_none())?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let limit = wait.and_then(Deadline::remaining);
        loop {
            // On Linux, the time to send bounds `connect`; elsewhere `connect` does not wait.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            if let Some(left) = wait.and_then(Deadline::remaining) {
                socket::set_timeout(fd.as_fd(), Timeout::Send, Some(left))?;
            }
            match socket::connect(fd.as_fd(), &address) {
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
        Ok(Self::new(fd, wait.is_none()))
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
    /// after all that the peer sent, and then it is the end of the stream, as it is at once on other systems.
    #[cold]
    fn explain_receiving(&self, error: Errno) -> io::Result<usize> {
        if error == Errno::CONNRESET {
            self.was_reset.store(true, Relaxed);
            return Ok(0);
        }
        Err(self.explain(error))
    }

    /// To a writer, that is a broken pipe, which it is from then on anyway.
    #[cold]
    fn explain_sending(&self, error: Errno) -> io::Error {
        if error == Errno::CONNRESET {
            self.was_reset.store(true, Relaxed);
            return Errno::PIPE.into();
        }
        self.explain(error)
    }

    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::recv(self.fd.as_fd(), buf, RecvFlags::empty()).or_else(|e| self.explain_receiving(e))
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        socket::recv_vectored(self.fd.as_fd(), bufs).or_else(|e| self.explain_receiving(e))
    }

    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        socket::send(self.fd.as_fd(), buf).map_err(|e| self.explain_sending(e))
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        socket::send_vectored(self.fd.as_fd(), bufs).map_err(|e| self.explain_sending(e))
    }

    /// What was sent is with the kernel.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "Windows needs them")]
    pub(crate) fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::recv(self.fd.as_fd(), buf, RecvFlags::PEEK).or_else(|e| self.explain_receiving(e))
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
        let clone = Self::new(socket::duplicate(self.fd.as_fd())?, false);
        self.has_clones.store(true, Relaxed);
        clone.has_clones.store(true, Relaxed);
        clone.was_reset.store(self.was_reset.load(Relaxed), Relaxed);
        Ok(clone)
    }

    pub(crate) fn peer_creds(&self) -> io::Result<PeerCreds> {
        creds::peer(self.fd.as_fd(), true)
    }

    pub(crate) fn server_is_ours(&self) -> io::Result<bool> {
        let server = creds::peer(self.fd.as_fd(), false)?;
        Ok(server.is_same_user() || server.is_root())
    }

    /// Whether a listener with this access wants the peer. The permissions of a file have a say where
    /// there is a file; here even abstract names get a guard, and files on systems that ignore their mode.
    pub(crate) fn peer_is_admitted(&self, access: Access, listener: &Listener) -> io::Result<bool> {
        if access == Access::Everyone {
            return Ok(true);
        }
        let peer = creds::peer(self.fd.as_fd(), access == Access::Group)?;
        Ok(peer.is_same_user()
            || peer.is_root()
            || (access == Access::Group && peer.is_in_group(listener.group())))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Stream {
    fn from(fd: OwnedFd) -> Self {
        socket::adopt(fd.as_fd());
        Self::new(fd, false)
    }
}

impl From<Stream> for OwnedFd {
    fn from(stream: Stream) -> Self {
        stream.fd
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Before the socket, since it has to be dropped first.
    file: Option<NameFile>,
    fd: OwnedFd,
    nonblocking: AtomicBool,
    /// That the socket itself is nonblocking: for ever once a deadline was asked for, so that a connection which
    /// another thread gets first does not leave us waiting without end. Blocking is then done by `poll`.
    polled: AtomicBool,
    stopped: AtomicBool,
    /// What wakes `poll`, where shutting the socket down is not the way.
    wake: Option<(OwnedFd, OwnedFd)>,
}

/// Connections that wait for `accept`, unless the options say otherwise; the kernel has its own limit.
const DEFAULT_BACKLOG: u32 = 4096;

impl Listener {
    pub(crate) fn bind(name: &Name<'_>, options: &ListenerOptions<'_>) -> io::Result<Self> {
        let fd = socket::new(SocketType::STREAM, false)?;
        let backlog = i32::try_from(options.backlog.unwrap_or(DEFAULT_BACKLOG)).unwrap_or(i32::MAX);
        let file = match name::file(name) {
            Some(path) => Some(NameFile::bind(
                fd.as_fd(),
                &path,
                &Options {
                    mode: options.file_mode(),
                    for_our_group: options.mode.is_none() && options.effective_access() == Access::Group,
                    backlog,
                    existing: options.existing,
                    lock_deadline: Deadline::after(options.max_spin_time.unwrap_or(Duration::from_secs(1))),
                    remove_on_drop: options.reclaim_name,
                },
            )?),
            None => {
                rustix::net::bind(&fd, &name::address(name)?)?;
                rustix::net::listen(&fd, backlog)?;
                None
            }
        };
        // Only Linux lets `shutdown` wake those who wait for a connection.
        let wake = if cfg!(any(target_os = "linux", target_os = "android")) {
            None
        } else {
            Some(socket::wake_pipe()?)
        };
        Ok(Self::new(fd, file, wake))
    }

    /// Takes a socket that listens already and that other processes may listen on too: they must not notice when
    /// we stop.
    pub(crate) fn from_shared(fd: OwnedFd) -> Self {
        socket::adopt(fd.as_fd());
        // Without room for a pipe, stopping is the same as for a socket of our own.
        Self::new(fd, None, socket::wake_pipe().ok())
    }

    fn new(fd: OwnedFd, file: Option<NameFile>, wake: Option<(OwnedFd, OwnedFd)>) -> Self {
        // With a pipe to wake it, waiting is always done by `poll`.
        let polled = wake.is_some() && socket::set_nonblocking(fd.as_fd(), true).is_ok();
        Self {
            file,
            fd,
            nonblocking: AtomicBool::new(false),
            polled: AtomicBool::new(polled),
            stopped: AtomicBool::new(false),
            wake,
        }
    }

    /// The group whose members pass for [`Access::Group`]: those whom the file lets in, or ours if there is no file.
    fn group(&self) -> u32 {
        self.file.as_ref().map_or_else(|| rustix::process::getegid().as_raw(), NameFile::group)
    }

    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Stream> {
        if deadline.remaining().is_some() {
            self.poll_from_now_on()?;
        }
        loop {
            if self.is_stopped() {
                return Err(stopped());
            }
            match socket::accept(self.fd.as_fd(), nonblocking_stream) {
                Ok(fd) => return Ok(Stream::new(fd, nonblocking_stream)),
                // Gone before we came: others may wait behind it.
                Err(Errno::CONNABORTED) => {}
                Err(Errno::INVAL) if self.is_stopped() => {}
                Err(Errno::AGAIN) if !self.nonblocking.load(Relaxed) => {
                    let wake = self.wake.as_ref().map(|(reader, _)| reader.as_fd());
                    match socket::wait_for_connection(self.fd.as_fd(), wake, deadline)? {
                        Waited::Ready => {}
                        Waited::Ended => return Err(stopped()),
                        Waited::TimedOut => return Err(io::ErrorKind::TimedOut.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn poll_from_now_on(&self) -> io::Result<()> {
        if !self.polled.load(Relaxed) {
            socket::set_nonblocking(self.fd.as_fd(), true)?;
            self.polled.store(true, Relaxed);
        }
        Ok(())
    }

    pub(crate) fn set_accept_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        if nonblocking {
            self.poll_from_now_on()?;
        }
        self.nonblocking.store(nonblocking, Relaxed);
        Ok(())
    }

    pub(crate) fn stop(&self) {
        if self.stopped.swap(true, SeqCst) {
            return;
        }
        match &self.wake {
            Some((_, writer)) => {
                // Never read, so it wakes everybody from now on.
                let _ = rustix::io::write(writer, &[0]);
            }
            None => {
                let _ = socket::shutdown(self.fd.as_fd(), Shutdown::Read);
            }
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(SeqCst)
    }

    pub(crate) fn keep_name(&mut self) {
        if let Some(file) = &mut self.file {
            file.keep();
        }
    }
}

fn stopped() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the listener was stopped")
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The file stays where it is: the new owner has the name.
impl From<Listener> for OwnedFd {
    fn from(mut listener: Listener) -> Self {
        listener.keep_name();
        if listener.polled.load(Relaxed) && !listener.nonblocking.load(Relaxed) {
            // It was our own choice. Failing, the new owner has it nonblocking.
            let _ = socket::set_nonblocking(listener.fd.as_fd(), false);
        }
        listener.fd
    }
}
