//! What only Unix has.

#[cfg(feature = "async")]
mod asynchronous;

#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::os::unix::udsocket::UdSocket;
use crate::{
    os::unix::{
        ancillary::{AncillaryData, AncillaryDataBuf},
        udsocket::{Incoming, Listener, UdSocketPath, kind::Connection},
    },
    sys::unix::control,
    unnamed_pipe::{Recver, Sender},
};
use std::{
    ffi::{NulError, OsStr, OsString},
    os::{
        fd::{FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStringExt,
    },
};

/// Takes the end of a pipe as `TryFrom<OwnedFd>` does, which new code uses.
///
/// # Panics
/// If it is not such an end.
macro_rules! from_raw_fd {
    ($($end:ident),+) => {$(
        /// As `TryFrom<OwnedFd>`, which new code uses. What is not such an end makes it panic.
        impl FromRawFd for $end {
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: the caller promises what `OwnedFd::from_raw_fd` asks for, which is the same.
                let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                Self::try_from(fd).unwrap_or_else(|error| panic!("{error}"))
            }
        }
    )+};
}
from_raw_fd!(Recver, Sender);

/// What interprocess 1.2 has besides.
impl UdSocketPath<'_> {
    /// The text, owned. New code uses [`as_osstr`](Self::as_osstr).
    pub fn into_osstring(self) -> OsString {
        match self {
            Self::Unnamed => OsString::new(),
            Self::File(path) => OsString::from_vec(path.into_owned().into_bytes()),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => OsString::from_vec(name.into_owned()),
        }
    }

    /// A copy that owns its text. New code uses [`into_owned`](Self::into_owned).
    #[allow(clippy::should_implement_trait, reason = "it is what the older crate calls it")]
    pub fn to_owned(&self) -> UdSocketPath<'static> {
        self.borrow().into_owned()
    }

    /// Makes this one own its text, and says whether it had to be copied for that. New code uses [`into_owned`](Self::into_owned).
    pub fn make_owned(&mut self) -> bool {
        let is_copied = !self.is_owned();
        *self = self.to_owned();
        is_copied
    }

    /// Whether this one owns its text. New code need not ask.
    pub const fn is_owned(&self) -> bool {
        match self {
            Self::Unnamed => true,
            Self::File(path) => matches!(path, std::borrow::Cow::Owned(_)),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => matches!(name, std::borrow::Cow::Owned(_)),
        }
    }

    /// The path of a socket file, from its bytes. New code passes the bytes, or the path, to what takes a
    /// [`ToUdSocketPath`](crate::os::unix::udsocket::ToUdSocketPath).
    ///
    /// # Errors
    /// There is a NUL in it.
    pub fn file_from_vec(path: Vec<u8>) -> Result<UdSocketPath<'static>, NulError> {
        std::ffi::CString::new(path).map(|path| UdSocketPath::File(path.into()))
    }

    /// An abstract name, from its bytes. New code makes it by [`Namespaced`](Self::Namespaced).
    ///
    /// # Errors
    /// There is a NUL in it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn namespaced_from_vec(name: Vec<u8>) -> Result<UdSocketPath<'static>, NulError> {
        std::ffi::CString::new(name).map(|name| UdSocketPath::Namespaced(name.into_bytes().into()))
    }
}

/// The same as [`as_osstr`](UdSocketPath::as_osstr), which new code uses.
impl AsRef<OsStr> for UdSocketPath<'_> {
    fn as_ref(&self) -> &OsStr {
        self.as_osstr()
    }
}

/// The text. New code uses [`as_osstr`](UdSocketPath::as_osstr).
impl From<UdSocketPath<'_>> for OsString {
    fn from(path: UdSocketPath<'_>) -> Self {
        path.into_osstring()
    }
}

/// The same as [`Listener::incoming`], which new code uses.
impl<'l, K: Connection> From<&'l Listener<K>> for Incoming<'l, K> {
    fn from(listener: &'l Listener<K>) -> Self {
        listener.incoming()
    }
}

/// How much room ancillary data take, as interprocess 1.2 asks. New code need not: an [`AncillaryDataBuf`] has room for everything.
impl AncillaryData {
    /// The room that credentials take, in bytes.
    pub const ENCODED_SIZE_OF_CREDENTIALS: usize = control::space(size_of::<[u32; 3]>());

    /// The room that so many descriptors take, in bytes.
    pub const fn encoded_size_of_file_descriptors(count: usize) -> usize {
        control::space(count * size_of::<RawFd>())
    }
}

/// A buffer with room for everything, whatever the vector is like. New code uses [`AncillaryDataBuf::new`].
impl From<Vec<u8>> for AncillaryDataBuf {
    fn from(_: Vec<u8>) -> Self {
        Self::new()
    }
}

/// A buffer with room for everything, whatever the slice is like: nothing is written into that. New code uses
/// [`AncillaryDataBuf::new`].
impl From<&mut [u8]> for AncillaryDataBuf {
    fn from(_: &mut [u8]) -> Self {
        Self::new()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl super::private::Sealed for UdSocket {}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl super::ReliableReadMsg for UdSocket {
    fn read_msg(&mut self, buf: &mut [u8]) -> std::io::Result<Result<usize, Vec<u8>>> {
        let len = self.peek_msg_size()?;
        if len <= buf.len() {
            return self.recv(buf).map(|(len, _)| Ok(len));
        }
        let mut msg = vec![0; len];
        let (len, _) = self.recv(&mut msg)?;
        msg.truncate(len);
        Ok(Err(msg))
    }

    fn try_read_msg(&mut self, buf: &mut [u8]) -> std::io::Result<Result<usize, usize>> {
        let len = self.peek_msg_size()?;
        if len <= buf.len() { self.recv(buf).map(|(len, _)| Ok(len)) } else { Ok(Err(len)) }
    }
}
