//! A socket of the Unix domain that listens.

use super::{
    endpoint::Endpoint,
    name::Address,
    name_file::{self, NameFile, Options},
    socket::{self, Waited},
};
use crate::deadline::Deadline;
use rustix::{io::Errno, net::SocketType};
use std::{
    io,
    net::Shutdown,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, SeqCst},
    },
};

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

impl Listener {
    /// Binds a new socket of that kind, and lets it listen.
    pub(crate) fn bound(kind: SocketType, address: &Address<'_>, options: &Options) -> io::Result<Self> {
        let fd = socket::new(kind, false)?;
        let file = name_file::bind(fd.as_fd(), address, options)?;
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
    pub(crate) fn group(&self) -> u32 {
        self.file.as_ref().map_or_else(|| rustix::process::getegid().as_raw(), NameFile::group)
    }

    /// The name of the socket file, if the kernel knows another one.
    pub(crate) fn moved_to(&self) -> Option<&Path> {
        self.file.as_ref().and_then(NameFile::moved_to)
    }

    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Endpoint> {
        if deadline.remaining().is_some() {
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

    pub(crate) fn is_accept_nonblocking(&self) -> bool {
        self.nonblocking.load(Relaxed)
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
