//! Mailslots: messages in one direction, from any number of clients to one server.
//!
//! # When to use one
//! Rarely. There is no answer, no connection, and no way to tell who has sent a message; nobody learns whether it was
//! read. [Local sockets](crate::local_socket) and named pipes have all that. A mailslot is right for notes that may get
//! lost and that need no setting up: a client opens it, leaves a message of at most 64 KiB or so, and goes, whether or
//! not the server looks at that moment. And it is what some old programs speak.
//!
//! Messages to **other machines** (`\\HOST\mailslot\NAME`, `\\DOMAIN\mailslot\NAME`, `\\*\mailslot\NAME`) are unacknowledged
//! datagrams: each may arrive once, several times or never, and anybody on the network can forge them. Microsoft has
//! deprecated them, and since Windows 11 24H2 and Windows Server 2025 they are disabled unless an administrator enables
//! them. Mailslots on one machine (`\\.\mailslot\NAME`) go on working.
//!
//! ```
//! use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
//!
//! # let name = format!("interprocess-doc-mailslot-{}", std::process::id());
//! # let name = name.as_str();
//! let server = MailslotServer::create(name)?; // a name such as "example"
//!
//! // The client, which is usually another program.
//! let client = MailslotClient::open(name)?;
//! client.send(b"The printer is out of paper.")?;
//! client.send(b"It has paper again.")?;
//!
//! let mut message = Vec::new();
//! server.recv(&mut message)?;
//! assert_eq!(message, b"The printer is out of paper.");
//! server.recv(&mut message)?;
//! assert_eq!(message, b"It has paper again.");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Names
//! Servers and clients take a name on this machine (`example`, `group\example`) or a path (`\\.\mailslot\example`). The
//! case of letters does not count, and `/`, `.` and `..` are what they are in every path. Refused before the system is
//! asked, as [`InvalidInput`](std::io::ErrorKind::InvalidInput): what contains NUL, is longer than 256 16-bit units as a
//! path, or is not of the form `\\HOST\mailslot\NAME` after Windows has taken `..` for what it is. So what is opened is a
//! mailslot, never a file, whoever has made up the name.
//!
//! # Messages
//! A message is received whole or not at all, and zero bytes are a message. None is lost by a buffer that is too small, by a
//! timeout, or by a future that is dropped. The system keeps messages in order, for as long as the server lives; how many
//! has no limit but memory, which is one more reason for [`Access::Owner`], the default.
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have the server for async code. The client needs none: the
//! system keeps what it sends, so on one machine sending never waits.

#[cfg(feature = "async")]
use crate::runtime::{Async, Interest, Runtime, Source, private::Sealed};
use crate::{
    error::{FromHandleError, NoDetails, about},
    local_socket::Access,
    os::windows::security_descriptor::SecurityDescriptor,
    sys::windows::{mailslot as sys, security_descriptor},
};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    ffi::{OsStr, OsString},
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
    time::Duration,
};

/// How to create a [`MailslotServer`].
///
/// ```
/// use interprocess::{local_socket::Access, os::windows::mailslot::MailslotOptions};
/// use std::time::Duration;
///
/// # let name = format!("interprocess-doc-mailslot-options-{}", std::process::id());
/// let server = MailslotOptions::new()
///     .name(name)
///     .max_message_size(1024)
///     .recv_timeout(Some(Duration::from_secs(5)))
///     .access(Access::Everyone)
///     .create()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a server is created with them"]
pub struct MailslotOptions {
    name: OsString,
    max_message_size: u32,
    recv_timeout: Option<Duration>,
    access: Access,
    security_descriptor: Option<SecurityDescriptor>,
    inheritable: bool,
    nonblocking: bool,
}

impl Default for MailslotOptions {
    fn default() -> Self {
        Self {
            name: OsString::new(),
            max_message_size: Self::DEFAULT_MAX_MESSAGE_SIZE,
            recv_timeout: None,
            access: Access::default(),
            security_descriptor: None,
            inheritable: false,
            nonblocking: false,
        }
    }
}

impl MailslotOptions {
    /// The most bytes in a message, unless told otherwise: 64 KiB.
    ///
    /// A client makes the server allocate as much as its message is long, so there has to be a limit; and this one is no
    /// hindrance, since messages from other machines cannot be longer anyway.
    pub const DEFAULT_MAX_MESSAGE_SIZE: u32 = 64 * 1024;

    /// Options as [`MailslotServer::create`] has them, without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name (`example`) or the path (`\\.\mailslot\example`). See [names](self#names). A name that is not possible is
    /// an error when the server is created.
    pub fn name(mut self, name: impl Into<OsString>) -> Self {
        self.name = name.into();
        self
    }

    /// The most bytes in a message; the system refuses longer ones when they are sent. 0 is no limit: then whoever may send
    /// decides how much memory the server allocates. The default is
    /// [64 KiB](Self::DEFAULT_MAX_MESSAGE_SIZE).
    pub fn max_message_size(mut self, bytes: u32) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// How long receiving waits. The default, `None`, is for as long as it takes. See
    /// [`MailslotServer::set_recv_timeout`].
    pub fn recv_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.recv_timeout = timeout;
        self
    }

    /// Who may send. The default is [`Access::Owner`]: our user, the administrators and the system. With
    /// [`Access::Group`] also our token's primary group, with [`Access::Everyone`] all users. Nobody but the server can
    /// receive.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Who may do what with the mailslot, in place of what [`access`](Self::access) says. To send, clients need
    /// `FILE_GENERIC_WRITE` and `FILE_READ_ATTRIBUTES`, together `0x120196` in SDDL.
    ///
    /// ```
    /// use interprocess::os::windows::{
    ///     mailslot::MailslotOptions,
    ///     security_descriptor::{SecurityDescriptor, Sid},
    /// };
    ///
    /// # let name = format!("interprocess-doc-mailslot-users-{}", std::process::id());
    /// // Our own user may do everything; members of the group Users may send.
    /// let text = format!("D:P(A;;FA;;;{})(A;;0x120196;;;BU)", Sid::current_user()?);
    /// let descriptor = SecurityDescriptor::from_sddl(&text)?;
    /// let server = MailslotOptions::new().name(name).security_descriptor(descriptor).create()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn security_descriptor(mut self, descriptor: impl Into<Option<SecurityDescriptor>>) -> Self {
        self.security_descriptor = descriptor.into();
        self
    }

    /// Whether children that inherit handles inherit this one. The default is no.
    pub fn inheritable(mut self, inheritable: bool) -> Self {
        self.inheritable = inheritable;
        self
    }

    /// Whether receiving is [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no message. The default is no.
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// Creates the server.
    ///
    /// # Errors
    /// Each about the name says it.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): no name, or one that is not possible, or of another machine; or a
    ///   timeout of zero.
    /// - [`AddrInUse`](io::ErrorKind::AddrInUse): there is a mailslot of that name.
    ///
    /// Stands on `NtCreateMailslotFile`, as `CreateMailslotW` does.
    pub fn create(&self) -> io::Result<MailslotServer> {
        let path = path_of(&self.name);
        let security = match &self.security_descriptor {
            Some(descriptor) => descriptor.0.clone(),
            None => security_descriptor::SecurityDescriptor::of_mailslot(self.access)?,
        };
        let server = sys::Server::create(&path, self.max_message_size, &security, self.inheritable)
            .map_err(|error| explain(&path, error))?;
        server.set_recv_timeout(self.recv_timeout)?;
        server.set_nonblocking(self.nonblocking);
        Ok(MailslotServer(server))
    }

    #[cfg(any(feature = "smol", feature = "tokio"))]
    fn create_async<R: Runtime>(&self) -> io::Result<Async<MailslotServer, R>> {
        self.create()?.try_into()
    }
}

/// The path that a name stands for, unless it is one.
fn path_of(name: &OsStr) -> OsString {
    if name.as_encoded_bytes().starts_with(br"\\") { name.to_owned() } else { path_on(".".as_ref(), name) }
}

fn path_on(host: &OsStr, name: &OsStr) -> OsString {
    [OsStr::new(r"\\"), host, OsStr::new(r"\mailslot\"), name].into_iter().collect()
}

/// The same error, saying which mailslot it concerns.
fn explain(path: &OsStr, error: io::Error) -> io::Error {
    about(format_args!("mailslot \"{}\"", path.to_string_lossy()), error)
}

/// The end of a mailslot that receives. There is one for a name; it can be used by any number of threads at once, each of
/// which gets other messages.
///
/// Dropping it removes the mailslot, with the messages that were not received.
///
/// ```
/// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
/// use std::{io::ErrorKind, time::Duration};
///
/// # let name = format!("interprocess-doc-mailslot-server-{}", std::process::id());
/// # let name = name.as_str();
/// let server = MailslotServer::create(name)?;
/// server.set_recv_timeout(Some(Duration::from_millis(10)))?;
/// let mut message = Vec::new();
/// assert_eq!(server.recv(&mut message).unwrap_err().kind(), ErrorKind::TimedOut);
///
/// MailslotClient::open(name)?.send(b"late")?;
/// server.recv(&mut message)?;
/// assert_eq!(message, b"late");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MailslotServer(sys::Server);

impl MailslotServer {
    /// Creates a mailslot of that name, with the defaults of [`MailslotOptions`].
    ///
    /// # Errors
    /// See [`MailslotOptions::create`].
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotServer;
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!("interprocess-doc-mailslot-create-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// assert_eq!(MailslotServer::create(name).unwrap_err().kind(), ErrorKind::AddrInUse);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create(name: impl Into<OsString>) -> io::Result<Self> {
        MailslotOptions::new().name(name).create()
    }

    /// Receives a message, which replaces what is in `buf`, and gives its length in bytes. The buffer grows as needed, to
    /// no more than the message is long. Stands on `GetMailslotInfo` and `ReadFile`.
    ///
    /// # Errors
    /// `buf` is empty then.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): no message within the [timeout](Self::set_recv_timeout).
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): no message, and the server is
    ///   [nonblocking](Self::set_nonblocking).
    /// - [`OutOfMemory`](io::ErrorKind::OutOfMemory): the message is too long. It is still there.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
    ///
    /// # let name = format!("interprocess-doc-mailslot-recv-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// let client = MailslotClient::open(name)?;
    /// client.send(&[7; 5000])?;
    /// client.send(&[])?;
    ///
    /// let mut message = Vec::new();
    /// assert_eq!(server.recv(&mut message)?, 5000);
    /// assert_eq!(server.recv(&mut message)?, 0);
    /// assert!(message.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv(&self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.0.recv(buf)
    }

    /// Receives a message into a buffer that does not grow, and gives its length in bytes. Stands on `GetMailslotInfo` and
    /// `ReadFile`.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): the message is longer than the buffer; the error says how long, and so
    ///   does [`next_message_len`](Self::next_message_len). It is still there.
    /// - [`TimedOut`](io::ErrorKind::TimedOut), [`WouldBlock`](io::ErrorKind::WouldBlock): as for [`recv`](Self::recv).
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!("interprocess-doc-mailslot-recv-into-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// MailslotClient::open(name)?.send(b"12345")?;
    ///
    /// let mut buf = [0; 8];
    /// assert_eq!(server.recv_into(&mut buf[..2]).unwrap_err().kind(), ErrorKind::InvalidInput);
    /// assert_eq!(server.recv_into(&mut buf)?, 5);
    /// assert_eq!(&buf[..5], b"12345");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_into(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv_into(buf)
    }

    /// How many bytes the next message has; `None` if there is none. Another thread may receive it meanwhile. Never waits.
    /// Stands on `GetMailslotInfo`.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
    ///
    /// # let name = format!("interprocess-doc-mailslot-next-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// assert_eq!(server.next_message_len()?, None);
    /// MailslotClient::open(name)?.send(b"12345")?;
    /// assert_eq!(server.next_message_len()?, Some(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn next_message_len(&self) -> io::Result<Option<usize>> {
        Ok(self.0.waiting()?.0)
    }

    /// How many messages wait to be received. Never waits itself. Stands on `GetMailslotInfo`.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
    ///
    /// # let name = format!("interprocess-doc-mailslot-count-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// let client = MailslotClient::open(name)?;
    /// client.send(b"one")?;
    /// client.send(b"two")?;
    /// assert_eq!(server.message_count()?, 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn message_count(&self) -> io::Result<usize> {
        Ok(self.0.waiting()?.1)
    }

    /// The most bytes in a message; 0 is no limit. See [`MailslotOptions::max_message_size`].
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotServer;
    ///
    /// # let name = format!("interprocess-doc-mailslot-max-{}", std::process::id());
    /// assert_eq!(MailslotServer::create(name)?.max_message_size(), 65536);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn max_message_size(&self) -> u32 {
        self.0.max_message_size
    }

    /// The path, `\\.\mailslot\NAME`; `None` if the server was made from a handle.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotServer;
    ///
    /// # let name = format!("interprocess-doc-mailslot-path-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// assert_eq!(server.path().unwrap(), format!(r"\\.\mailslot\{name}").as_str());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn path(&self) -> Option<&OsStr> {
        self.0.path.as_deref()
    }

    /// How long receiving waits from now on; `None` is for as long as it takes. A message that comes too late waits for the
    /// next call. Has no effect in nonblocking and async code.
    ///
    /// Each call has a deadline of its own: this is not the slot's read timeout (`SetMailslotInfo`), which other holders of
    /// the handle would feel, and which stays at "for ever".
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): a timeout of zero.
    ///
    /// For an example see [`MailslotServer`].
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_recv_timeout(timeout)
    }

    /// How long receiving waits; `None` is for as long as it takes.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotServer;
    ///
    /// # let name = format!("interprocess-doc-mailslot-timeout-{}", std::process::id());
    /// assert_eq!(MailslotServer::create(name)?.recv_timeout(), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_timeout(&self) -> Option<Duration> {
        self.0.recv_timeout()
    }

    /// Whether receiving is [`WouldBlock`](io::ErrorKind::WouldBlock), from now on, when there is no message. A read stays in
    /// flight then, and the next call finds its message, in whichever mode.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotServer;
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!("interprocess-doc-mailslot-nonblocking-{}", std::process::id());
    /// let server = MailslotServer::create(name)?;
    /// server.set_nonblocking(true);
    /// assert_eq!(server.recv(&mut Vec::new()).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) {
        self.0.set_nonblocking(nonblocking);
    }

    /// Whether it is nonblocking.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotServer;
    ///
    /// # let name = format!("interprocess-doc-mailslot-is-nonblocking-{}", std::process::id());
    /// assert!(!MailslotServer::create(name)?.is_nonblocking());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_nonblocking(&self) -> bool {
        self.0.is_nonblocking()
    }
}

impl AsHandle for MailslotServer {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// The mailslot lives on. A message that the server has taken out of it and not given out yet is lost. There is such a
/// message if it came after receiving was `WouldBlock` or `TimedOut`, or after a future was dropped.
impl From<MailslotServer> for OwnedHandle {
    fn from(server: MailslotServer) -> Self {
        server.0.into()
    }
}

/// Takes the handle that `CreateMailslotW` gave to somebody. The slot's read timeout becomes that of the server, or its
/// nonblocking mode if it is 0; the slot itself is set to wait for ever.
///
/// # Errors
/// The handle is handed back.
/// - It is something else, such as the end that sends.
/// - [`Unsupported`](io::ErrorKind::Unsupported) as the [cause](FromHandleError::cause): it was opened for synchronous I/O, which
///   `NtCreateMailslotFile` can do.
///
/// # Platform-specific behaviour
/// On Wine, `CreateMailslotW` itself makes a synchronous one.
///
/// Stands on `GetMailslotInfo` and `SetMailslotInfo`.
///
/// ```
/// use interprocess::os::windows::mailslot::MailslotServer;
/// use std::{fs::File, os::windows::io::OwnedHandle};
///
/// # let name = format!("interprocess-doc-mailslot-handle-{}", std::process::id());
/// let handle = OwnedHandle::from(MailslotServer::create(name)?);
/// let server = MailslotServer::try_from(handle)?;
///
/// let file = OwnedHandle::from(File::open(std::env::current_exe()?)?);
/// let error = MailslotServer::try_from(file).unwrap_err();
/// let file: File = error.source.unwrap().into();
/// # Ok::<(), std::io::Error>(())
/// ```
impl TryFrom<OwnedHandle> for MailslotServer {
    type Error = FromHandleError;

    fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
        match sys::Server::from_handle(handle) {
            Ok(server) => Ok(Self(server)),
            Err((error, handle)) => {
                Err(FromHandleError { details: NoDetails, cause: Some(error), source: Some(handle) })
            }
        }
    }
}

crate::child::from_inherited!(try MailslotServer);

/// The end of a mailslot that sends. Any number of clients can be open at once, and a client can be used by any number of
/// threads; messages are never mixed.
///
/// There is no async face: on one machine, sending never waits. To another machine it may wait for the network; then it
/// is best done by a thread.
///
/// No server can act as the client: it is opened with `SECURITY_IDENTIFICATION`.
///
/// ```
/// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
///
/// # let name = format!("interprocess-doc-mailslot-client-{}", std::process::id());
/// # let name = name.as_str();
/// let server = MailslotServer::create(name)?;
/// let client = MailslotClient::open(name)?;
/// std::thread::scope(|scope| {
///     for number in 0..4_u8 {
///         let client = &client;
///         scope.spawn(move || client.send(&[number; 10]));
///     }
/// });
/// assert_eq!(server.message_count()?, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MailslotClient(sys::Client);

impl MailslotClient {
    /// Opens a mailslot by its name on this machine (`example`), or by a path: `\\.\mailslot\example` is on this machine
    /// too, `\\HOST\mailslot\example` on another, `\\DOMAIN\mailslot\example` on all machines of a domain that have one of
    /// that name, and `\\*\mailslot\example` on all of the system's own domain. Stands on `CreateFileW`.
    ///
    /// # Errors
    /// Each says the path.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): a name that is not possible. See [names](self#names).
    /// - [`NotFound`](io::ErrorKind::NotFound): there is no such mailslot. Whether another machine has one, the system does
    ///   not know.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): the server does not let us send.
    /// - The system's own error for another machine, if its name is not known or mailslots between machines are disabled.
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::MailslotClient;
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!("interprocess-doc-mailslot-open-{}", std::process::id());
    /// let nobody_there = MailslotClient::open(name).unwrap_err();
    /// assert_eq!(nobody_there.kind(), ErrorKind::NotFound);
    /// let no_mailslot = MailslotClient::open(r"\\.\mailslot\..\C:\file.txt").unwrap_err();
    /// assert_eq!(no_mailslot.kind(), ErrorKind::InvalidInput);
    /// ```
    pub fn open(name: impl AsRef<OsStr>) -> io::Result<Self> {
        Self::open_path(&path_of(name.as_ref()))
    }

    fn open_path(path: &OsStr) -> io::Result<Self> {
        sys::Client::open(path).map(Self).map_err(|error| explain(path, error))
    }

    /// Opens the mailslot `name` of a host, of a domain, of all machines of the system's own domain (`*`), or of this machine
    /// (`.`). See [`open`](Self::open).
    ///
    /// # Errors
    /// See [`open`](Self::open).
    ///
    /// ```
    /// use interprocess::os::windows::mailslot::{MailslotClient, MailslotServer};
    ///
    /// # let name = format!("interprocess-doc-mailslot-open-on-{}", std::process::id());
    /// # let name = name.as_str();
    /// let server = MailslotServer::create(name)?;
    /// MailslotClient::open_on(".", name)?.send(b"to this machine")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn open_on(host: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> io::Result<Self> {
        Self::open_path(&path_on(host.as_ref(), name.as_ref()))
    }

    /// Sends a message, whole. It may be of zero bytes. That this is `Ok` does not mean that anybody receives it. Stands on
    /// `WriteFile`.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): the message is longer than the
    ///   [server takes](MailslotOptions::max_message_size), or than 424 bytes if it goes to all machines
    ///   (`\\*\mailslot\NAME`). To a domain no more are possible either, but since a domain's name looks like that of a machine,
    ///   such a message is not refused here.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the server is gone.
    ///
    /// For an example see [`MailslotClient`].
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        self.0.send(message)
    }
}

impl AsHandle for MailslotClient {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// The handle is not an overlapped one.
impl From<MailslotClient> for OwnedHandle {
    fn from(client: MailslotClient) -> Self {
        client.0.into()
    }
}

#[cfg(feature = "async")]
impl Sealed for MailslotServer {}

#[cfg(feature = "async")]
impl Source for MailslotServer {
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(&self, _interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_ready(cx)
    }
}

/// The async face of a [`MailslotServer`]. What does not wait is done by [`get_ref`](Self::get_ref).
///
/// Any number of tasks may wait; each gets other messages.
#[cfg(feature = "async")]
impl<R: Runtime> Async<MailslotServer, R> {
    /// The twin of [`MailslotServer::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost. `buf` is empty then.
    pub async fn recv(&self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.read_with(|server| server.recv(buf)).await
    }

    /// The twin of [`MailslotServer::recv_into`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_into(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_with(|server| server.recv_into(buf)).await
    }

    /// Like [`recv`](Self::recv), without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no message; [`ready`](Self::ready) waits for one.
    pub fn try_recv(&self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.try_io(Interest::Read, |server| server.recv(buf))
    }

    /// The twin of [`MailslotServer::next_message_len`].
    pub fn next_message_len(&self) -> io::Result<Option<usize>> {
        self.get_ref().next_message_len()
    }

    /// The twin of [`MailslotServer::message_count`].
    pub fn message_count(&self) -> io::Result<usize> {
        self.get_ref().message_count()
    }

    /// The twin of [`MailslotServer::max_message_size`].
    pub fn max_message_size(&self) -> u32 {
        self.get_ref().max_message_size()
    }

    /// The twin of [`MailslotServer::path`].
    pub fn path(&self) -> Option<&OsStr> {
        self.get_ref().path()
    }
}

/// To the async face, within the runtime.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<MailslotServer> for Async<MailslotServer, R> {
    type Error = io::Error;

    fn try_from(server: MailslotServer) -> io::Result<Self> {
        server.set_nonblocking(true);
        Self::new(server)
    }
}

/// To the blocking face. No message is lost.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<Async<MailslotServer, R>> for MailslotServer {
    type Error = io::Error;

    fn try_from(server: Async<MailslotServer, R>) -> io::Result<Self> {
        let server = server.into_inner()?;
        server.set_nonblocking(false);
        Ok(server)
    }
}

/// Mailslots for Tokio.
///
/// ```
/// use interprocess::os::windows::mailslot::{MailslotClient, MailslotOptions};
///
/// # let name = format!("interprocess-doc-mailslot-tokio-{}", std::process::id());
/// # let name = name.as_str();
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = MailslotOptions::new().name(name).create_tokio()?;
/// MailslotClient::open(name)?.send(b"hello")?;
/// let mut message = Vec::new();
/// server.recv(&mut message).await?;
/// assert_eq!(message, b"hello");
/// # Ok::<(), std::io::Error>(())
/// # })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "tokio")]
pub mod tokio {
    use super::{Async, MailslotOptions, io};
    use crate::runtime::Tokio;

    /// The async face of a [`MailslotServer`](super::MailslotServer).
    pub type MailslotServer = Async<super::MailslotServer, Tokio>;

    impl MailslotOptions {
        /// Like [`create`](Self::create), for Tokio. For an example see [`tokio`](self).
        pub fn create_tokio(&self) -> io::Result<MailslotServer> {
            self.create_async()
        }
    }
}

/// Mailslots for smol, async-std and any other executor.
///
/// ```
/// use interprocess::os::windows::mailslot::{MailslotClient, MailslotOptions};
///
/// # let name = format!("interprocess-doc-mailslot-smol-{}", std::process::id());
/// # let name = name.as_str();
/// # async_io::block_on(async {
/// let server = MailslotOptions::new().name(name).create_smol()?;
/// MailslotClient::open(name)?.send(b"hello")?;
/// let mut message = Vec::new();
/// server.recv(&mut message).await?;
/// assert_eq!(message, b"hello");
/// # Ok::<(), std::io::Error>(())
/// # })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "smol")]
pub mod smol {
    use super::{Async, MailslotOptions, io};
    use crate::runtime::Smol;

    /// The async face of a [`MailslotServer`](super::MailslotServer).
    pub type MailslotServer = Async<super::MailslotServer, Smol>;

    impl MailslotOptions {
        /// Like [`create`](Self::create), for smol, async-std and any other executor. For an example see
        /// [`smol`](self).
        pub fn create_smol(&self) -> io::Result<MailslotServer> {
            self.create_async()
        }
    }
}
