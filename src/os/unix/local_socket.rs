//! Local sockets on Unix: options of Unix-domain sockets, and conversions.
//!
//! ```
//! use interprocess::{
//!     local_socket::{ListenerOptions, Stream},
//!     os::unix::local_socket::ListenerOptionsExt,
//! };
//! use std::os::unix::net::UnixStream;
//!
//! # let dir = std::env::temp_dir().join(format!("interprocess-doc-mode-{}", std::process::id()));
//! # std::fs::create_dir(&dir)?;
//! # let path = &dir.join("socket");
//! // The members of the file's group may connect, too.
//! let listener = ListenerOptions::new().name(path).mode(0o660).create_sync()?;
//!
//! // A local socket is one of the Unix domain, to std as well.
//! let client = UnixStream::connect(path)?;
//! Stream::from(client).send(b"hello")?;
//! let served = UnixStream::from(listener.accept()?);
//! # drop((listener, served));
//! # std::fs::remove_dir(&dir)?;
//! # Ok::<(), std::io::Error>(())
//! ```

use crate::{
    local_socket::{Access, Kind, Listener, ListenerOptions, RecvHalf, SendHalf, Stream, name_type},
    sys,
};
use std::{
    borrow::Cow,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::net::{UnixListener, UnixStream},
    },
};

/// What [`ListenerOptions`] have on Unix only.
pub trait ListenerOptionsExt: private::Sealed {
    /// Sets the permissions of the socket file: who may write to it may connect.
    ///
    /// Unless [`access`](ListenerOptions::access) is set too, the check that `accept` makes follows the mode: write permission
    /// for others lets everyone in, and for the group lets its members in. The mode is in force before anyone can connect, and
    /// the `umask` does not change it.
    ///
    /// # Platform-specific behaviour
    /// An abstract name has no permissions; there the mode only decides what `accept` checks.
    #[must_use = "options do nothing until a listener is created with them"]
    fn mode(self, mode: u32) -> Self;
}

impl ListenerOptionsExt for ListenerOptions<'_> {
    fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode & 0o777);
        self
    }
}

/// What a [`Listener`] has on Unix only.
pub trait ListenerExt: private::Sealed {
    /// Sets whom `accept` admits from now on, by the credentials of each client. That is for listeners that were opened elsewhere, as
    /// [`ListenerOptions::access`] is for those that are created here. The permissions of a socket file remain.
    ///
    /// ```
    /// use interprocess::{
    ///     local_socket::{Access, Listener},
    ///     os::unix::local_socket::ListenerExt,
    /// };
    /// use std::os::unix::net::UnixListener;
    ///
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-access-{}", std::process::id()));
    /// let opened_elsewhere = UnixListener::bind(&path)?;
    /// let mut listener = Listener::from(opened_elsewhere); // admits whoever can connect
    /// listener.set_access(Access::Owner);
    /// # std::fs::remove_file(path)
    /// # ?; Ok::<(), std::io::Error>(())
    /// ```
    fn set_access(&mut self, access: Access);
}

impl ListenerExt for Listener {
    fn set_access(&mut self, access: Access) {
        self.set_guard(access);
    }
}

/// What a [`Stream`] has on some Unixes only.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub trait StreamExt: private::Sealed {
    /// A descriptor for the peer's process, which means that process for ever, whatever becomes of its ID
    /// (`SO_PEERPIDFD`, since Linux 6.5).
    ///
    /// # Errors
    /// [`Unsupported`](std::io::ErrorKind::Unsupported) with an older kernel. On kernels before 6.16 it is an error
    /// if the process is gone.
    fn peer_pidfd(&self) -> std::io::Result<OwnedFd>;

    /// The label that a security module (SELinux, AppArmor, Smack) gave the peer (`SO_PEERSEC`).
    ///
    /// # Errors
    /// [`Unsupported`](std::io::ErrorKind::Unsupported) if there is no such module.
    fn peer_label(&self) -> std::io::Result<Vec<u8>>;
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl StreamExt for Stream {
    fn peer_pidfd(&self) -> std::io::Result<OwnedFd> {
        sys::unix::creds::pidfd(self.as_fd())
    }

    fn peer_label(&self) -> std::io::Result<Vec<u8>> {
        sys::unix::creds::label(self.as_fd())
    }
}

/// Names that are paths of socket files.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FilesystemUdSocket {}
name_type!(FilesystemUdSocket is PathNameType as Kind::Path, if true);

/// Names in the abstract namespace of Linux and Android.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum AbstractNsUdSocket {}
#[cfg(any(target_os = "linux", target_os = "android"))]
name_type!(AbstractNsUdSocket is NamespacedNameType as Kind::Namespace, if true);

/// Names of socket files in the user's runtime directory: what namespaced names are on Unixes without an abstract namespace.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SpecialDirUdSocket {}
name_type!(SpecialDirUdSocket is NamespacedNameType as Kind::RuntimeDir, if true);

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// The descriptor of the whole stream.
impl AsFd for RecvHalf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_ref().as_fd()
    }
}

/// The descriptor of the whole stream.
impl AsFd for SendHalf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_ref().as_fd()
    }
}

/// Takes a connected stream socket of the Unix domain; whether it is one shows when it is used. A nonblocking one stays so.
impl From<OwnedFd> for Stream {
    fn from(fd: OwnedFd) -> Self {
        Self(fd.into())
    }
}

impl From<Stream> for OwnedFd {
    fn from(stream: Stream) -> Self {
        stream.0.into()
    }
}

/// Takes a stream socket of the Unix domain that listens; whether it is one shows when it is used. Who connects is decided by
/// the permissions that it has: `accept` turns nobody away. The name is left alone when the listener is dropped.
impl From<OwnedFd> for Listener {
    fn from(fd: OwnedFd) -> Self {
        let name = sys::unix::name::of_socket(fd.as_fd());
        Self::from_inner(sys::Listener::from_shared(fd), name)
    }
}

/// The socket file, if there is one, is the new owner's to delete. The socket may be nonblocking.
impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> Self {
        listener.inner.into()
    }
}

/// Conversions by way of `OwnedFd`, and the raw forms of it.
macro_rules! convert {
    ($($ours:ty, $std:ty;)+) => {$(
        impl From<$std> for $ours {
            fn from(socket: $std) -> Self {
                OwnedFd::from(socket).into()
            }
        }
        impl From<$ours> for $std {
            fn from(socket: $ours) -> Self {
                OwnedFd::from(socket).into()
            }
        }
        impl AsRawFd for $ours {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
        impl IntoRawFd for $ours {
            fn into_raw_fd(self) -> RawFd {
                OwnedFd::from(self).into_raw_fd()
            }
        }
        impl FromRawFd for $ours {
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: the caller promises what `OwnedFd::from_raw_fd` asks for, which is the same.
                unsafe { OwnedFd::from_raw_fd(fd) }.into()
            }
        }
    )+};
}
convert! {
    Stream, UnixStream;
    Listener, UnixListener;
}

mod private {
    pub trait Sealed {}
    impl Sealed for crate::local_socket::Listener {}
    impl Sealed for crate::local_socket::ListenerOptions<'_> {}
    impl Sealed for crate::local_socket::Stream {}
}
