//! A socket of the Unix domain that listens.

use super::{
    endpoint::Endpoint,
    name::Address,
    name_file::{self, NameFile, Options},
    socket::{self, Waited},
};
use crate::deadline::Deadline;
use rustix::{io::Errno, net::SocketType, process::Uid};
use std::{
    io,
    net::Shutdown,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::{
        OnceLock,
        atomic::{
            AtomicBool,
            Ordering::{Relaxed, SeqCst},
            fence,
        },
    },
};

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Before the socket, since it has to be dropped first.
    file: Option<NameFile>,
    fd: OwnedFd,
    /// Who we were when the listener was made or taken over.
    owner: Uid,
    nonblocking: AtomicBool,
    /// That the socket itself is nonblocking: for ever once a deadline was asked for, so that a connection which
    /// another thread gets first does not leave us waiting without end. Blocking is then done by `poll`.
    polled: AtomicBool,
    stopped: AtomicBool,
    wake: Wake,
}

/// How those who wait for a connection learn that the listener was stopped.
#[derive(Debug)]
enum Wake {
    /// The socket is shut down.
    Shutdown,
    /// By a pipe, which is made when somebody waits for the first time: (reader, writer). Who cannot have one must not wait.
    Pipe(OnceLock<(OwnedFd, OwnedFd)>),
}

impl Listener {
    /// Binds a new socket of that kind, and lets it listen.
    pub(crate) fn bound(kind: SocketType, address: &Address<'_>, options: &Options) -> io::Result<Self> {
        let fd = socket::new(kind, false)?;
        let file = name_file::bind(fd.as_fd(), address, options)?;
        // Only Linux lets `shutdown` wake those who wait for a connection.
        let wake = if cfg!(any(target_os = "linux", target_os = "android")) {
            Wake::Shutdown
        } else {
            Wake::Pipe(OnceLock::new())
        };
        Ok(Self::new(fd, file, wake))
    }

    /// Takes a socket that listens already and that other processes may listen on too: they must not notice when
    /// we stop.
    pub(crate) fn from_shared(fd: OwnedFd) -> Self {
        socket::adopt(fd.as_fd());
        Self::new(fd, None, Wake::Pipe(OnceLock::new()))
    }

    fn new(fd: OwnedFd, file: Option<NameFile>, wake: Wake) -> Self {
        Self {
            file,
            fd,
            owner: rustix::process::geteuid(),
            nonblocking: AtomicBool::new(false),
            polled: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            wake,
        }
    }

    /// The user whom the listener belongs to, whoever we are by now.
    pub(crate) fn owner(&self) -> u32 {
        self.owner.as_raw()
    }

    /// The group whose members pass for [`Access::Group`]: those whom the file lets in, or ours if there is no file.
    pub(crate) fn group(&self) -> u32 {
        self.file.as_ref().map_or_else(|| rustix::process::getegid().as_raw(), NameFile::group)
    }

    /// The name of the socket file, if the kernel knows another one.
    pub(crate) fn moved_to(&self) -> Option<&Path> {
        self.file.as_ref().and_then(NameFile::moved_to)
    }

    #[inline]
    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Endpoint> {
        // With a pipe to wake it, waiting is always done by `poll`.
        if deadline.remaining().is_some() || matches!(self.wake, Wake::Pipe(_)) {
            self.poll_from_now_on()?;
        }
        loop {
            if self.is_stopped() {
                return Err(stopped());
            }
            match socket::accept(self.fd.as_fd(), nonblocking_stream) {
                Ok(fd) => return Ok(Endpoint::new(fd, nonblocking_stream)),
                // Gone before we came: others may wait behind it.
                Err(Errno::CONNABORTED) => {}
                Err(Errno::INVAL) if self.is_stopped() => {}
                Err(Errno::AGAIN) if !self.nonblocking.load(Relaxed) => {
                    let wake = self.wake()?;
                    // Who stops it from now on finds the pipe, and who did it before is seen here.
                    if self.is_stopped() {
                        return Err(stopped());
                    }
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

    /// What can be read from once the listener is stopped, if it takes that.
    fn wake(&self) -> io::Result<Option<BorrowedFd<'_>>> {
        let Wake::Pipe(pipe) = &self.wake else { return Ok(None) };
        if pipe.get().is_none() {
            // If another thread was faster, its pipe is the one.
            let _ = pipe.set(socket::wake_pipe()?);
        }
        fence(SeqCst);
        Ok(pipe.get().map(|(reader, _)| reader.as_fd()))
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

    pub(crate) fn is_accept_nonblocking(&self) -> bool {
        self.nonblocking.load(Relaxed)
    }

    pub(crate) fn stop(&self) {
        if self.stopped.swap(true, SeqCst) {
            return;
        }
        match &self.wake {
            Wake::Pipe(pipe) => {
                fence(SeqCst);
                if let Some((_, writer)) = pipe.get() {
                    // Never read, so it wakes everybody from now on.
                    let _ = rustix::io::write(writer, &[0]);
                }
            }
            Wake::Shutdown => {
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
