//! Local sockets on Windows: options, name types, and conversions.
//!
//! A [`Stream`] is a byte pipe that goes both ways, so it becomes a
//! [`DuplexPipeStream<Bytes>`](DuplexPipeStream) by [`into`](Into::into), and back again. That one has what only pipes have,
//! such as acting as the client:
//!
//! ```
//! use interprocess::{
//!     local_socket::{ConnectOptions, Listener},
//!     os::windows::{
//!         ImpersonationLevel,
//!         local_socket::ConnectOptionsExt,
//!         named_pipe::{DuplexPipeStream, pipe_mode::Bytes},
//!     },
//! };
//! # use std::io::{Read, Write};
//!
//! # let name = format!("@interprocess-doc-as-client-{}", std::process::id());
//! # let name = name.as_str();
//! # let path = std::env::temp_dir().join(format!("interprocess-doc-as-client-{}", std::process::id()));
//! # std::fs::write(&path, "text")?;
//! // The server reads a file with the client's rights.
//! let listener = Listener::bind(name)?;
//! # let file = path.clone();
//! let server = std::thread::spawn(move || {
//!     let mut pipe: DuplexPipeStream<Bytes> = listener.accept()?.into();
//!     let text = {
//!         let _client = pipe.impersonate_client()?;
//!         std::fs::read(file)?
//!     };
//!     // Here the thread is itself again.
//!     pipe.write_all(&text)
//! });
//!
//! // The client allows it, to a server of the same user or of an administrator.
//! let mut stream = ConnectOptions::new()
//!     .name(name)
//!     .require_same_user(true)
//!     .impersonation_level(ImpersonationLevel::Impersonation)
//!     .connect_sync()?;
//! let mut text = String::new();
//! stream.read_to_string(&mut text)?;
//! assert_eq!(text, "text");
//! # server.join().unwrap()?;
//! # std::fs::remove_file(path)?;
//! # Ok::<(), std::io::Error>(())
//! ```

use super::{
    ImpersonationGuard, ImpersonationLevel,
    named_pipe::{DuplexPipeStream, pipe_mode},
    security_descriptor::SecurityDescriptor,
};
use crate::{
    child::{Inherit, from_inherited},
    error::{FromHandleError, NoDetails, about},
    local_socket::{
        ConnectOptions, Kind, Listener, ListenerOptions, Name, RecvHalf, SendHalf, Stream, name_type,
    },
};
use std::{
    borrow::Cow,
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
};

/// Names of named pipes, as paths (`\\HOST\pipe\NAME`) or in the namespace of this machine (`NAME`).
///
/// ```
/// use interprocess::{
///     local_socket::{ToFsName, ToNsName},
///     os::windows::local_socket::NamedPipe,
/// };
///
/// let name = "example".to_ns_name::<NamedPipe>()?;
/// assert!(name.is_namespaced());
/// let path = r"\\SERVER\pipe\example".to_fs_name::<NamedPipe>()?;
/// assert!(path.is_path());
/// # Ok::<(), std::io::Error>(())
/// ```
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

/// Names that are paths of socket files. With such a name, [`Listener`] and [`Stream`] are
/// stream sockets of the Unix domain, with two advantages over pipes: programs that were written for Unix speak them, and
/// each direction can be [ended](Stream::shutdown) by itself. Every other name is that of a pipe, also a path that was given
/// as mere text.
///
/// [`is_supported`](crate::local_socket::NameType::is_supported) asks the system: Windows has such sockets since version 1803 of
/// Windows 10. Where it has none, a name can be made all the same, but listening and connecting are
/// [`Unsupported`](std::io::ErrorKind::Unsupported).
///
/// # What is as on Unix
/// The path is UTF-8 of 107 bytes at most, which is checked when the name is made. The file is there as long as nobody
/// deletes it; [`ExistingName`](crate::local_socket::ExistingName) says what becomes of an old one, and what is no socket
/// is never replaced. Dropping the listener deletes the file if it is still its own. A listener whose queue of
/// [`backlog`](ListenerOptions::backlog) clients is full refuses further ones, and connecting never waits.
///
/// # What is not
/// - Whether somebody listens who does not use this library shows only by connecting: with
///   [`TakeOverIfDead`](crate::local_socket::ExistingName::TakeOverIfDead), such a listener gets a client that leaves at
///   once, and one whose queue is full looks dead. With [`Steal`](crate::local_socket::ExistingName::Steal), clients may
///   see a gap between the two.
/// - Who may connect is up to the access list of the file. It admits the same users as that of a pipe, is set before anyone
///   can connect, and inherits nothing from the directory.
/// - The system knows of the peer only its process ID. All of [`PeerCreds`](crate::local_socket::PeerCreds) is read from the
///   process that has that ID at the time of asking, and so is a hint.
///   [`require_same_user`](ConnectOptions::require_same_user) looks at that process and at the owner of the file.
/// - A peer that has ended its sending direction counts as [gone](Stream::is_peer_gone).
/// - [`drain`](Stream::drain) is `Unsupported`.
/// - [`peek`](Stream::peek) takes the bytes out of the socket and keeps them in the stream, where only its own calls find
///   them.
///
/// Stands on `AF_UNIX` sockets: `WSASocketW`, `bind`, `listen`, `AcceptEx`, `connect`, `shutdown`; `ReadFile` and
/// `WriteFile`.
///
/// ```
/// use interprocess::{
///     local_socket::{Listener, NameType, Stream, ToFsName, ToNsName},
///     os::windows::local_socket::{FilesystemUdSocket, NamedPipe},
/// };
/// use std::{io::{ErrorKind, Read, Write}, net::Shutdown};
///
/// # let path = std::env::temp_dir().join(format!("interprocess-doc-{}.sock", std::process::id()));
/// # let pipe = format!("interprocess-doc-no-socket-{}", std::process::id());
/// // A path such as r"C:\ProgramData\example\socket", or else a pipe; the client does the same.
/// let name = if FilesystemUdSocket::is_supported() {
///     path.to_fs_name::<FilesystemUdSocket>()?
/// } else {
///     pipe.to_ns_name::<NamedPipe>()?
/// };
/// let listener = Listener::bind(&name)?;
/// let mut client = Stream::connect(&name)?;
/// let mut server = listener.accept()?;
/// client.write_all(b"all there is")?;
/// match client.shutdown(Shutdown::Write) {
///     Err(error) if error.kind() == ErrorKind::Unsupported => drop(client), // pipes cannot
///     result => result?,
/// }
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

/// Takes either end of a connected named pipe that goes both ways, as
/// [`PipeStream`](super::named_pipe::PipeStream#impl-TryFrom<OwnedHandle>-for-PipeStream<Rm,+Sm>) does, where it says more.
///
/// # Errors
/// The handle is something else, or allows one direction only. It is handed back.
///
/// ```
/// use interprocess::local_socket::{Listener, Stream};
/// use std::{fs::File, os::windows::io::OwnedHandle};
///
/// # let path = format!(r"\\.\pipe\interprocess-doc-from-handle-{}", std::process::id());
/// # let path = path.as_str();
/// let listener = Listener::bind(path)?;
/// let opened_elsewhere = File::options().read(true).write(true).open(path)?;
/// let client = Stream::try_from(OwnedHandle::from(opened_elsewhere))?;
/// listener.accept()?.send(b"hello")?;
/// assert_eq!(client.recv(&mut [0; 16])?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
impl TryFrom<OwnedHandle> for Stream {
    type Error = FromHandleError;

    fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
        match DuplexPipeStream::<pipe_mode::Bytes>::try_from(handle) {
            Ok(pipe) => Ok(pipe.into()),
            Err(error) => {
                let cause = match error.cause {
                    Some(cause) => about(error.details, cause),
                    None => error.details.into(),
                };
                Err(FromHandleError { details: NoDetails, cause: Some(cause), source: error.source })
            }
        }
    }
}

/// The handle is an overlapped one: who reads or writes with it has to pass an `OVERLAPPED`. That of a
/// [socket](FilesystemUdSocket) is to be made an [`OwnedSocket`](std::os::windows::io::OwnedSocket), because a socket is not
/// closed in the way of other handles. Bytes that the stream has taken out of the pipe and not given out yet are lost; there
/// are such only after nonblocking or async receiving, or [`peek`](Stream::peek).
impl From<Stream> for OwnedHandle {
    fn from(stream: Stream) -> Self {
        stream.0.into()
    }
}

/// Takes an instance of a named pipe that waits for a client: one that another process has made, as for [`child`](crate::child). More are added
/// to it, and who may connect remains as it is. The instance has to be overlapped, and of a pipe that goes both ways.
///
/// # Errors
/// The handle is something else. It is handed back.
impl TryFrom<OwnedHandle> for Listener {
    type Error = FromHandleError;

    fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
        let refused = |(cause, source)| FromHandleError { details: NoDetails, cause: Some(cause), source };
        let (inner, path) =
            crate::sys::windows::listener::Listener::from_instance(handle).map_err(refused)?;
        let name = Name::new(Kind::Path, path.into()).map_err(|error| refused((error, None)))?;
        Ok(Self::from_inner(crate::sys::Listener::Pipe(inner), name))
    }
}

/// Another instance of the pipe goes to the child: parent and child both listen, and either gets a part of the clients. Clients that
/// come before the child listens wait for it. One on a [socket file](FilesystemUdSocket) is
/// [`Unsupported`](std::io::ErrorKind::Unsupported).
impl Inherit for &Listener {
    fn duplicate(self) -> io::Result<OwnedHandle> {
        self.inner.instance_for_another()
    }
}

/// As for a reference.
impl Inherit for Listener {
    fn duplicate(self) -> io::Result<OwnedHandle> {
        (&self).duplicate()
    }
}

from_inherited!(try Stream, Listener);

/// Nothing changes but the type.
impl From<DuplexPipeStream<pipe_mode::Bytes>> for Stream {
    fn from(pipe: DuplexPipeStream<pipe_mode::Bytes>) -> Self {
        Self(pipe.into_sys())
    }
}

/// Nothing changes but the type. A [socket](FilesystemUdSocket) stays one: on it, what only pipes have is an error.
impl From<Stream> for DuplexPipeStream<pipe_mode::Bytes> {
    fn from(stream: Stream) -> Self {
        Self::from_sys(stream.0)
    }
}

/// What only Windows can do with a [`Stream`].
pub trait StreamExt: private::Sealed {
    /// Makes the calling thread act as the client, for as long as the guard lives. For the server's end of a pipe only.
    ///
    /// # Errors
    /// Those of [`PipeStream::impersonate_client`](super::named_pipe::PipeStream::impersonate_client). A
    /// [socket](FilesystemUdSocket) has no such thing.
    ///
    /// Stands on `ImpersonateNamedPipeClient`.
    ///
    /// ```
    /// use interprocess::{local_socket::{Listener, Stream}, os::windows::local_socket::StreamExt};
    ///
    /// # let name = format!("@interprocess-doc-stream-ext-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = Listener::bind(name)?;
    /// let _client = Stream::connect(name)?;
    /// let client = listener.accept()?.impersonate_client()?;
    /// println!("the client allows: {:?}", client.level()?);
    /// drop(client); // From here on the thread is itself again.
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn impersonate_client(&self) -> io::Result<ImpersonationGuard>;
}

impl StreamExt for Stream {
    fn impersonate_client(&self) -> io::Result<ImpersonationGuard> {
        ImpersonationGuard::of_client(self.as_handle())
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
/// // The owner may do everything; members of the group Users may connect, read and write. The owner is our user, or the
/// // administrators if we run elevated, unless the text says who it is.
/// let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;OW)(A;;0x12019b;;;BU)")?;
/// let listener = ListenerOptions::new().name(name).security_descriptor(descriptor).create_sync()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ListenerOptionsExt: private::Sealed + Sized {
    /// Who may do what with the pipe, in place of what [`access`](ListenerOptions::access) says.
    ///
    /// Two things to keep in mind about the right to add instances, `FILE_CREATE_PIPE_INSTANCE`: our own user needs it (or
    /// creating the listener fails; with a backlog of 1, accepting), and nobody else should have it, for who has it can add an
    /// instance and so serve our clients. `GW`, `GA`, `FW` and `FA` in SDDL include it. What others need to connect, read and
    /// write is [`READ_AND_WRITE`](super::security_descriptor::Ace::READ_AND_WRITE), `0x12019b` in SDDL.
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
/// may know who we are and nothing more, so that no server on this machine can act as us, not even one that has taken the name
/// of another. (On another machine the server acts with a logon of ours there, and these options are no more than a request.)
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

    /// Whether the server sees who we are at the time when it asks, instead of at the time when we connected (dynamic tracking).
    /// The default is no.
    ///
    /// With it, a server can tell who we are only after it has received something. And what a thread sends while it acts as
    /// somebody else may come in the name of the process instead: what is sent with a timeout, in nonblocking mode or by an
    /// async stream is handed to the system by another thread.
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
    impl Sealed for super::Stream {}
}
