//! Children that get descriptors under the numbers that they expect. See [`child`](crate::child).
//!
//! ```
//! use interprocess::{os::unix::child::GiveExt, unnamed_pipe::pipe};
//! use std::{io, process::Command};
//!
//! // A program that knows nothing of names, and writes to descriptor 3.
//! let (theirs, ours) = pipe()?;
//! let mut child = Command::new("sh").args(["-c", "echo hello >&3"]).give_at(3, theirs).spawn()?;
//! assert_eq!(io::read_to_string(ours)?, "hello\n");
//! child.wait()?;
//! # Ok::<(), std::io::Error>(())
//! ```

use super::{
    local_socket::ListenerExt,
    udsocket::{self, kind::Connection, kind::Kind},
};
use crate::{
    child::{FromInherited, Giving, from_inherited, private::Command},
    local_socket::{Access, Listener, Stream},
};
use std::{
    io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{
        fd::{AsFd, OwnedFd, RawFd},
        unix::net::{UnixDatagram, UnixListener, UnixStream},
    },
};

/// What only Unix lets one choose about what a child is [given](crate::child).
pub trait GivingExt: sealed::Sealed + Sized {
    /// Gives the child `object` under that number, for a program that expects it there, such as a shell that was told to read from it.
    /// As with [`give`](Giving::give), what comes by value is dropped here.
    ///
    /// Any number from 3 on can be given, whatever it is used for in this process; the standard streams are the command's own business.
    ///
    /// # Errors
    /// They come with [`spawn`](Giving::spawn): [`InvalidInput`](std::io::ErrorKind::InvalidInput) for a number below 3, one that is given
    /// twice, or one beyond the limit of descriptors (`RLIMIT_NOFILE`).
    ///
    /// Stands on `dup2(2)`.
    ///
    /// ```
    /// use interprocess::{child::Give, os::unix::child::GivingExt, unnamed_pipe::pipe};
    /// use std::{io, process::Command};
    ///
    /// let (theirs, ours) = pipe()?;
    /// let (recver, _none) = pipe()?;
    /// let mut shell = Command::new("sh");
    /// let mut shell = shell.args(["-c", "echo hello >&3"]).give("ignored", recver).give_at(3, theirs).spawn()?;
    /// assert_eq!(io::read_to_string(ours)?, "hello\n");
    /// shell.wait()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use = "nothing is started before `spawn`"]
    fn give_at(self, number: RawFd, object: impl AsFd) -> Self;
}

impl<C: Command> GivingExt for Giving<'_, C> {
    fn give_at(self, number: RawFd, object: impl AsFd) -> Self {
        self.add(|parcels| parcels.add_at(number, object.as_fd().try_clone_to_owned()?))
    }
}

/// To begin with a number instead of a name.
pub trait GiveExt: Command + Sized {
    /// Starts a list of what the child is to have, with `object` under that number. See [`GivingExt::give_at`].
    ///
    /// ```
    /// use interprocess::{os::unix::child::GiveExt, unnamed_pipe::pipe};
    /// use std::{io, process::Command};
    ///
    /// let (theirs, ours) = pipe()?;
    /// Command::new("sh").args(["-c", "echo hello >&9"]).give_at(9, theirs).spawn()?.wait()?;
    /// assert_eq!(io::read_to_string(ours)?, "hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn give_at(&mut self, number: RawFd, object: impl AsFd) -> Giving<'_, Self>;
}

impl<C: Command> GiveExt for C {
    fn give_at(&mut self, number: RawFd, object: impl AsFd) -> Giving<'_, C> {
        Giving::new(self).give_at(number, object)
    }
}

/// `accept` admits our user and root, as for a listener that is created with the defaults: what the parent has chosen is not known.
impl FromInherited for Listener {
    fn from_inherited(fd: OwnedFd) -> io::Result<Self> {
        let mut listener = Self::from(fd);
        listener.set_access(Access::Owner);
        Ok(listener)
    }
}

/// As for a local socket's.
impl<K: Connection> FromInherited for udsocket::Listener<K> {
    fn from_inherited(fd: OwnedFd) -> io::Result<Self> {
        let mut listener = Self::from(fd);
        listener.set_access(Access::Owner);
        Ok(listener)
    }
}

impl<K: Kind> FromInherited for udsocket::Socket<K> {
    fn from_inherited(fd: OwnedFd) -> io::Result<Self> {
        Ok(fd.into())
    }
}

from_inherited!(Stream, UnixStream, UnixListener, UnixDatagram, TcpStream, TcpListener, UdpSocket);
#[cfg(any(target_os = "linux", target_os = "android"))]
from_inherited!(super::vsock::VsockStream, super::vsock::VsockListener);
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "illumos"))]
from_inherited!(try super::eventfd::EventFd);
#[cfg(target_os = "linux")]
from_inherited!(try super::message_queue::MessageQueue);

mod sealed {
    pub trait Sealed {}
    impl<C> Sealed for super::Giving<'_, C> {}
}
