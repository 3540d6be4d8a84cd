//! Local sockets on Windows: a name type, and conversions.

use crate::local_socket::{Kind, RecvHalf, SendHalf, Stream, name_type};
use std::{
    borrow::Cow,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
};

/// Names of named pipes, as paths (`\\HOST\pipe\NAME`) or in the namespace of this machine (`NAME`).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum NamedPipe {}
name_type!(NamedPipe is PathNameType as Kind::Path, if true);

impl crate::local_socket::NamespacedNameType<std::ffi::OsStr> for NamedPipe {
    fn map(name: Cow<'_, std::ffi::OsStr>) -> std::io::Result<crate::local_socket::Name<'_>> {
        crate::local_socket::Name::new(Kind::Namespace, name)
    }
}

impl crate::local_socket::NamespacedNameType<std::ffi::CStr> for NamedPipe {
    fn map(name: Cow<'_, std::ffi::CStr>) -> std::io::Result<crate::local_socket::Name<'_>> {
        crate::local_socket::Name::new(Kind::Namespace, crate::sys::c_to_os(name)?)
    }
}

impl AsHandle for Stream {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// The handle of the whole stream.
impl AsHandle for RecvHalf {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.as_ref().as_handle()
    }
}

/// The handle of the whole stream.
impl AsHandle for SendHalf {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.as_ref().as_handle()
    }
}

/// Takes either end of a connected named pipe in byte mode; whether it is one shows when it is used. Timeouts and nonblocking
/// mode need a handle that was opened with `FILE_FLAG_OVERLAPPED`.
impl From<OwnedHandle> for Stream {
    fn from(handle: OwnedHandle) -> Self {
        Self(handle.into())
    }
}

/// The handle is an overlapped one. Bytes that the stream has taken out of the pipe and not given out yet (only after nonblocking
/// or async receiving, or [`peek`](Stream::peek)) are lost.
impl From<Stream> for OwnedHandle {
    fn from(stream: Stream) -> Self {
        stream.0.into()
    }
}
