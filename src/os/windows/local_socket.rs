//! Local sockets on Windows: options, name types, and conversions.

use super::{
    ImpersonationLevel,
    named_pipe::{DuplexPipeStream, pipe_mode},
    security_descriptor::SecurityDescriptor,
};
use crate::{
    error::{FromHandleError, NoDetails},
    local_socket::{ConnectOptions, Kind, ListenerOptions, RecvHalf, SendHalf, Stream, name_type},
};
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

/// Names that are paths of socket files. With such a name, [`Listener`](crate::local_socket::Listener) and [`Stream`] are
/// stream sockets of the Unix domain, which other programs may know better than pipes, and whose directions can be
/// [ended](Stream::shutdown) one by one. Every other name, a path that is written as mere text included, is that of a pipe.
///
/// [`is_supported`](crate::local_socket::NameType::is_supported) asks the system: Windows has such sockets since version 1803 of
/// Windows 10. Where it has none, listening and connecting are [`Unsupported`](std::io::ErrorKind::Unsupported).
///
/// # What is as on Unix
/// The path is UTF-8 of 107 bytes at most, which is checked when the name is made. The file is there as long as nobody deletes it;
/// [`ExistingName`](crate::local_socket::ExistingName) says what becomes of an old one, and what is no socket is never
/// replaced. Dropping the listener deletes the file if it is still its own. A listener whose queue of
/// [`backlog`](ListenerOptions::backlog) clients is full refuses further ones, and connecting never waits.
///
/// # What is not
/// - Whether somebody listens who does not use this library shows only by connecting: with
///   [`TakeOverIfDead`](crate::local_socket::ExistingName::TakeOverIfDead), such a listener gets a client that leaves at
///   once, and one whose queue is full looks dead. With [`Steal`](crate::local_socket::ExistingName::Steal), clients may see a gap between the two.
/// - Who may connect is up to the access list of the file, which is that of a pipe but for what only pipes have, is set before
///   anyone can connect, and inherits nothing from the directory.
/// - The system knows of the peer only the number of its process: all of
///   [`PeerCreds`](crate::local_socket::PeerCreds) is read from the process that has it by then, and so a hint.
///   [`require_same_user`](ConnectOptions::require_same_user) asks for that process and for the owner of the file.
/// - A peer that has ended its sending direction counts as [gone](Stream::is_peer_gone).
/// - [`drain`](Stream::drain) is `Unsupported`.
/// - [`peek`](Stream::peek) takes the bytes out of the socket; the next to receive finds them in the stream.
///
/// Stands on `AF_UNIX` sockets: `WSASocketW`, `bind`, `listen`, `AcceptEx`, `connect`, `shutdown`; `ReadFile` and
/// `WriteFile`.
///
/// ```
/// use interprocess::{
///     local_socket::{Listener, NameType, Stream, ToFsName},
///     os::windows::local_socket::FilesystemUdSocket,
/// };
/// use std::{io::{Read, Write}, net::Shutdown};
///
/// # let path = std::env::temp_dir().join(format!("interprocess-doc-{}.sock", std::process::id()));
/// let name = path.to_fs_name::<FilesystemUdSocket>()?; // of a path such as r"C:\ProgramData\example\socket"
/// if !FilesystemUdSocket::is_supported() {
///     return Ok(()); // use a named pipe
/// }
/// let listener = Listener::bind(&name)?;
/// let mut client = Stream::connect(&name)?;
/// let mut server = listener.accept()?;
/// client.write_all(b"all there is")?;
/// client.shutdown(Shutdown::Write)?;
/// let mut text = String::new();
/// server.read_to_string(&mut text)?;
/// assert_eq!(text, "all there is");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FilesystemUdSocket {}
name_type!(FilesystemUdSocket is PathNameType as Kind::SocketFile, if crate::sys::windows::unix_socket::is_supported());

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

/// Takes either end of a connected named pipe that goes both ways.
///
/// # Errors
/// Those of [`PipeStream`](super::named_pipe::PipeStream#impl-TryFrom<OwnedHandle>-for-PipeStream<Rm,+Sm>): it is
/// something else. The handle is handed back.
impl TryFrom<OwnedHandle> for Stream {
    type Error = FromHandleError;

    fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
        match DuplexPipeStream::<pipe_mode::Bytes>::try_from(handle) {
            Ok(pipe) => Ok(pipe.into()),
            Err(error) => {
                let cause = error.cause.unwrap_or_else(|| error.details.into());
                Err(FromHandleError { details: NoDetails, cause: Some(cause), source: error.source })
            }
        }
    }
}

/// The handle is an overlapped one; that of a [socket](FilesystemUdSocket) is to be made an
/// [`OwnedSocket`](std::os::windows::io::OwnedSocket), which is closed otherwise than a handle. Bytes that the stream has taken out of the pipe and not given out yet (only after nonblocking
/// or async receiving, or [`peek`](Stream::peek)) are lost.
impl From<Stream> for OwnedHandle {
    fn from(stream: Stream) -> Self {
        stream.0.into()
    }
}

/// Nothing changes but the type.
impl From<DuplexPipeStream<pipe_mode::Bytes>> for Stream {
    fn from(pipe: DuplexPipeStream<pipe_mode::Bytes>) -> Self {
        Self(pipe.into_sys())
    }
}

/// Nothing changes but the type. A [socket](FilesystemUdSocket) stays one, for which fails what only pipes have.
impl From<Stream> for DuplexPipeStream<pipe_mode::Bytes> {
    fn from(stream: Stream) -> Self {
        Self::from_sys(stream.0)
    }
}

/// What only Windows lets one choose about a [`ListenerOptions`].
///
/// ```
/// use interprocess::{
///     local_socket::ListenerOptions,
///     os::windows::{local_socket::ListenerOptionsExt, security_descriptor::SecurityDescriptor},
/// };
///
/// # let name = format!("@interprocess-doc-descriptor-{}", std::process::id());
/// // Our own user, who is also the owner, and the local service account.
/// let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;OW)(A;;0x12019b;;;LS)")?;
/// let listener = ListenerOptions::new().name(name).security_descriptor(descriptor).create_sync()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ListenerOptionsExt: private::Sealed + Sized {
    /// Who may do what with the pipe, in place of what [`access`](ListenerOptions::access) says. It has to let our own user
    /// add instances (`FILE_CREATE_PIPE_INSTANCE`), or creating the listener fails; with a backlog of 1, accepting.
    ///
    /// For a [socket file](FilesystemUdSocket): who may do what with the file. To connect is to write to it. A descriptor without
    /// a DACL is refused, as is one with a SACL.
    #[must_use = "options do nothing until a listener is created with them"]
    fn security_descriptor(self, descriptor: SecurityDescriptor) -> Self;

    /// Whether clients on other machines may connect (`\\HOST\pipe\NAME`). The default is no, whatever the access list says.
    ///
    /// Stands on `PIPE_ACCEPT_REMOTE_CLIENTS` and `PIPE_REJECT_REMOTE_CLIENTS`.
    #[must_use = "options do nothing until a listener is created with them"]
    fn accept_remote(self, accept: bool) -> Self;
}

impl ListenerOptionsExt for ListenerOptions<'_> {
    fn security_descriptor(mut self, descriptor: SecurityDescriptor) -> Self {
        self.security_descriptor = Some(descriptor);
        self
    }

    fn accept_remote(mut self, accept: bool) -> Self {
        self.accept_remote = accept;
        self
    }
}

/// What only Windows lets one choose about a [`ConnectOptions`]: what the server may do with who we are. The default is that it
/// may know it and nothing more, so that no server on this machine, be it one that has taken the name of another, can act as us. (To another machine, one logs in, and all of
/// this is a request.)
///
/// ```no_run
/// use interprocess::{
///     local_socket::ConnectOptions,
///     os::windows::{ImpersonationLevel, local_socket::ConnectOptionsExt},
/// };
///
/// let stream = ConnectOptions::new()
///     .name("@example")
///     .require_same_user(true)
///     .impersonation_level(ImpersonationLevel::Impersonation)
///     .connect_sync()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ConnectOptionsExt: private::Sealed + Sized {
    /// How far the server may act as us. The default is [`Identification`](ImpersonationLevel::Identification).
    ///
    /// Stands on `SECURITY_SQOS_PRESENT`, which is always asked for.
    #[must_use = "options do nothing until a stream is connected with them"]
    fn impersonation_level(self, level: ImpersonationLevel) -> Self;

    /// Whether the server sees who we are at the time when it asks, and not when we connected. The default is no. With it, a server can
    /// tell who we are only after it has received something, and what a thread sends while it acts as somebody else may come in the name of the
    /// process: what is sent with a timeout, in nonblocking mode or by an async stream is handed to the system by another thread.
    ///
    /// Stands on `SECURITY_CONTEXT_TRACKING`.
    #[must_use = "options do nothing until a stream is connected with them"]
    fn dynamic_tracking(self, dynamic: bool) -> Self;

    /// Whether the server gets only those privileges and groups of ours that are enabled. The default is no.
    ///
    /// Stands on `SECURITY_EFFECTIVE_ONLY`.
    #[must_use = "options do nothing until a stream is connected with them"]
    fn effective_only(self, effective_only: bool) -> Self;
}

impl ConnectOptionsExt for ConnectOptions<'_> {
    fn impersonation_level(mut self, level: ImpersonationLevel) -> Self {
        self.security_quality.level = level;
        self
    }

    fn dynamic_tracking(mut self, dynamic: bool) -> Self {
        self.security_quality.is_dynamic = dynamic;
        self
    }

    fn effective_only(mut self, effective_only: bool) -> Self {
        self.security_quality.is_effective_only = effective_only;
        self
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::ListenerOptions<'_> {}
    impl Sealed for super::ConnectOptions<'_> {}
}
