use super::{
    PipeConnectOptions, PipeDirection, PipeMode,
    pipe_mode::{self, Bytes, Messages, NotNone, PipeModeTag, PipeStreamRole},
};
use crate::{
    ConnectWaitMode,
    child::FromInherited,
    deadline::Deadline,
    error,
    local_socket::PeerCreds,
    os::windows::{ImpersonationGuard, ShareHandle},
    read_write::{read_by_recv, write_by_send},
    sys::windows::{
        named_pipe::{self, Opener},
        stream::Stream,
    },
};
use std::{
    ffi::{OsStr, OsString},
    fmt::{self, Debug, Display, Formatter},
    io::{self, IoSlice, IoSliceMut},
    marker::PhantomData,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
    time::Duration,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_READ_DATA, FILE_WRITE_DATA};

/// One end of a connection through a named pipe, which receives `Rm` and sends `Sm`: [`Bytes`], [`Messages`] or, for a
/// direction that there is not, [`None`](pipe_mode::None).
///
/// All methods take `&self`: one thread may receive while another sends, and neither delays the other. Two that receive
/// messages at the same time each get whole ones.
///
/// ```
/// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
/// use std::{io::ErrorKind, time::Duration};
///
/// # let name = format!("interprocess-doc-stream-{}", std::process::id());
/// # let name = name.as_str();
/// let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
/// let client = DuplexPipeStream::<Bytes>::connect(name)?;
/// let server = listener.accept()?;
///
/// client.set_recv_timeout(Some(Duration::from_millis(10)))?;
/// assert_eq!(client.recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::TimedOut);
///
/// // One thread receives what another sends.
/// let (recver, sender) = client.split();
/// std::thread::scope(|scope| {
///     scope.spawn(|| sender.send(b"hello"));
///     let mut buf = [0; 16];
///     let len = server.recv(&mut buf)?;
///     server.send(&buf[..len])
/// })?;
/// let mut buf = [0; 16];
/// assert_eq!(recver.recv(&mut buf)?, 5);
/// let whole = DuplexPipeStream::reunite(recver, sender)?;
/// assert!(whole.is_client());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # End of stream
/// It comes when the peer is gone and all that it sent was received: 0 bytes, or `None` instead of a message. Sending to a
/// peer that is gone is [`BrokenPipe`](io::ErrorKind::BrokenPipe).
///
/// # Dropping
/// Closes the connection. It does not wait, and what was sent stays there for the peer to receive. (What is still
/// [on its way](Self::flush) is lost if the process ends before it has arrived.) To know that the peer has received it,
/// [`drain`](Self::drain); to take it back, [`disconnect`](Self::disconnect).
pub struct PipeStream<Rm: PipeModeTag, Sm: PipeModeTag> {
    inner: Stream,
    modes: PhantomData<(Rm, Sm)>,
}

/// A [`PipeStream`] that receives and sends the same.
pub type DuplexPipeStream<M> = PipeStream<M, M>;

/// A [`PipeStream`] that only receives, or the half of one that does.
pub type RecvPipeStream<M> = PipeStream<M, pipe_mode::None>;

/// A [`PipeStream`] that only sends, or the half of one that does.
pub type SendPipeStream<M> = PipeStream<pipe_mode::None, M>;

/// Two halves that are not of one stream. They are handed back.
pub type ReuniteError<Rm, Sm> = error::ReuniteError<RecvPipeStream<Rm>, SendPipeStream<Sm>>;

/// What putting two halves together gives.
pub type ReuniteResult<Rm, Sm> = Result<PipeStream<Rm, Sm>, ReuniteError<Rm, Sm>>;

/// A handle that is not that of such a pipe. It is handed back.
pub type FromHandleError = error::FromHandleError<FromHandleErrorKind>;

/// A part of a message. For an example see [`PipeStream::recv_part`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MsgPart {
    /// How many bytes it has.
    pub len: usize,
    /// Whether the message ends with it.
    pub is_last: bool,
}

/// What Windows tells about a pipe. For an example see [`PipeStream::information`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipeInformation {
    /// What it keeps of what is sent.
    pub mode: PipeMode,
    /// Which way data goes.
    pub direction: PipeDirection,
    /// How many instances there are, those that wait for a client included.
    pub instances: u32,
    /// How many instances there may be, as far as Windows knows; `None` for any number. That is so for every listener of
    /// this crate: it sees to its [limit](super::PipeListenerOptions::instance_limit) itself.
    pub max_instances: Option<u32>,
    /// How many bytes wait to be received at this end.
    pub available: u32,
    /// How many bytes the system keeps of what clients send.
    pub inbound_quota: u32,
    /// How many bytes the system keeps of what the server sends.
    pub outbound_quota: u32,
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> PipeStream<Rm, Sm> {
    pub(crate) fn from_sys(inner: Stream) -> Self {
        Self { inner, modes: PhantomData }
    }

    pub(crate) fn into_sys(self) -> Stream {
        self.inner
    }

    #[cfg(feature = "async")]
    pub(crate) fn sys(&self) -> &Stream {
        &self.inner
    }

    /// Connects to the pipe of that path, `\\HOST\pipe\NAME`, where `.` is this machine. If all its instances are taken,
    /// waits until one is free.
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    pub fn connect_by_path(path: impl AsRef<OsStr>) -> io::Result<Self> {
        PipeConnectOptions::new().path(path).connect()
    }

    /// Like [`connect_by_path`](Self::connect_by_path), and says how long to wait.
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    pub fn connect_by_path_with_wait_mode(
        path: impl AsRef<OsStr>,
        wait_mode: ConnectWaitMode,
    ) -> io::Result<Self> {
        PipeConnectOptions::new().path(path).wait_mode(wait_mode).connect()
    }

    /// Connects to the pipe of that name on this machine, `\\.\pipe\NAME`. If all its instances are taken, waits until one is
    /// free.
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    pub fn connect(name: impl AsRef<OsStr>) -> io::Result<Self> {
        PipeConnectOptions::new().name(name).connect()
    }

    /// Connects to the pipe of that name on another machine, `\\HOST\pipe\NAME`. Mind the order: the name comes first. It can
    /// take as long as the network does: no [wait mode](PipeConnectOptions::wait_mode) limits that.
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    pub fn connect_to_remote(name: impl AsRef<OsStr>, host: impl AsRef<OsStr>) -> io::Result<Self> {
        PipeConnectOptions::new().name_on(host, name).connect()
    }

    /// Two halves, for two threads or two owners. The connection lasts as long as either.
    pub fn split(self) -> (RecvPipeStream<Rm>, SendPipeStream<Sm>) {
        let other = self.inner.share();
        (PipeStream::from_sys(self.inner), PipeStream::from_sys(other))
    }

    /// Puts together what [`split`](Self::split) has made.
    ///
    /// # Errors
    /// They are not of one stream.
    pub fn reunite(rh: RecvPipeStream<Rm>, sh: SendPipeStream<Sm>) -> ReuniteResult<Rm, Sm> {
        if rh.inner.is_same(&sh.inner) { Ok(Self::from_sys(rh.inner)) } else { Err(ReuniteError { rh, sh }) }
    }

    /// The same stream once more: both share everything, mode and timeouts too. The connection is closed when the last is
    /// dropped. Never fails.
    ///
    /// ```
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
    /// # let name = format!("interprocess-doc-clone-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
    /// let client = DuplexPipeStream::<Bytes>::connect(name)?;
    /// let server = listener.accept()?;
    /// let clone = client.try_clone()?;
    /// drop(client);
    /// clone.send(b"hello")?;
    /// assert_eq!(server.recv(&mut [0; 16])?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::from_sys(self.inner.share()))
    }

    /// Whether this is the server's end.
    ///
    /// Stands on `FilePipeLocalInformation` of `NtQueryInformationFile`, as do the other questions about the pipe.
    pub fn is_server(&self) -> bool {
        named_pipe::information(self.as_handle()).is_ok_and(|information| named_pipe::is_server(&information))
    }

    /// Whether this is the client's end.
    pub fn is_client(&self) -> bool {
        !self.is_server()
    }

    /// What Windows tells about the pipe.
    ///
    /// Stands on `FilePipeLocalInformation` of `NtQueryInformationFile`.
    ///
    /// # Platform-specific behaviour
    /// Wine takes every pipe that rejects remote clients, the default, for one of messages.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{PipeListenerOptions, PipeMode, PipeStream, pipe_mode::*};
    ///
    /// # let name = format!("interprocess-doc-information-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).backlog(2).create::<Bytes, Messages>()?;
    /// let client = PipeStream::<Messages, Bytes>::connect(name)?;
    /// let information = client.information()?;
    /// assert_eq!((information.mode, information.instances), (PipeMode::Messages, 2));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn information(&self) -> io::Result<PipeInformation> {
        let information = named_pipe::information(self.as_handle())?;
        Ok(PipeInformation {
            mode: named_pipe::mode_of(&information),
            direction: named_pipe::direction_of(&information),
            instances: information.CurrentInstances,
            max_instances: Some(information.MaximumInstances).filter(|&max| max != u32::MAX),
            available: information.ReadDataAvailable,
            inbound_quota: information.InboundQuota,
            outbound_quota: information.OutboundQuota,
        })
    }

    /// The ID of the process that opened the client's end. It is a hint: that process may have ended, another may have its
    /// ID by now, and the end may have been passed on to yet another. Of a client on another machine it is whatever that
    /// machine says. To decide what a client may do, use [`peer_creds`](Self::peer_creds).
    ///
    /// Stands on `GetNamedPipeClientProcessId`.
    ///
    /// ```
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
    /// # let name = format!("interprocess-doc-process-id-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
    /// let client = DuplexPipeStream::<Bytes>::connect(name)?;
    /// let server = listener.accept()?;
    /// assert_eq!(server.client_process_id()?, std::process::id());
    /// assert_eq!(client.peer_process_id()?, std::process::id());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn client_process_id(&self) -> io::Result<u32> {
        named_pipe::opener(self.as_handle(), Opener::ClientProcess)
    }

    /// The ID of the session of the process that opened the client's end.
    ///
    /// Stands on `GetNamedPipeClientSessionId`.
    pub fn client_session_id(&self) -> io::Result<u32> {
        named_pipe::opener(self.as_handle(), Opener::ClientSession)
    }

    /// The ID of the process that created the server's end. It is a hint, as for [`client_process_id`](Self::client_process_id).
    ///
    /// Stands on `GetNamedPipeServerProcessId`.
    pub fn server_process_id(&self) -> io::Result<u32> {
        named_pipe::opener(self.as_handle(), Opener::ServerProcess)
    }

    /// The ID of the session of the process that created the server's end.
    ///
    /// Stands on `GetNamedPipeServerSessionId`.
    pub fn server_session_id(&self) -> io::Result<u32> {
        named_pipe::opener(self.as_handle(), Opener::ServerSession)
    }

    /// The ID of the process at the other end: the [client's](Self::client_process_id) or the
    /// [server's](Self::server_process_id).
    pub fn peer_process_id(&self) -> io::Result<u32> {
        named_pipe::peer_process(self.as_handle(), self.is_server()).0
    }

    /// The ID of the session of the process at the other end: the [client's](Self::client_session_id) or the
    /// [server's](Self::server_session_id).
    pub fn peer_session_id(&self) -> io::Result<u32> {
        named_pipe::peer_process(self.as_handle(), self.is_server()).1
    }

    /// Who is at the other end, as a server knows it from the client's token, and a client from the owner of the pipe.
    ///
    /// # Errors
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied), at a server: nothing was received yet, and the client,
    ///   which is not one of this crate with its defaults, has not asked for static tracking.
    /// - [`Unsupported`](io::ErrorKind::Unsupported), at a client: the pipe is on another machine, whose word is not trusted.
    /// - `ERROR_CANT_OPEN_ANONYMOUS` (1347), at a server: the client wants to be anonymous.
    ///
    /// Stands on `ImpersonateNamedPipeClient` and `GetTokenInformation` at a server, on `GetKernelObjectSecurity` at a client.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
    ///
    /// # let name = format!("interprocess-doc-peer-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
    /// let client = DuplexPipeStream::<Bytes>::connect(name)?;
    /// assert!(client.peer_creds()?.is_same_user());
    /// assert!(listener.accept()?.peer_creds()?.is_same_user());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.inner.peer_creds().map(PeerCreds::new)
    }

    /// The name of the machine that the client runs on. For the server's end only.
    ///
    /// # Errors
    /// `ERROR_PIPE_LOCAL` (229): the client runs on this machine.
    ///
    /// # Platform-specific behaviour
    /// Wine lacks the function, and ends the process.
    ///
    /// Stands on `GetNamedPipeClientComputerNameW`.
    pub fn client_computer_name(&self) -> io::Result<OsString> {
        named_pipe::client_computer_name(self.as_handle())
    }

    /// Makes the calling thread act as the client, for as long as the guard lives. For the server's end only.
    ///
    /// # Errors
    /// `ERROR_CANNOT_IMPERSONATE` (1368): nothing was received yet, and the client has not asked for static tracking, as
    /// those of this crate do. That a client allows identification only, the default here, is no error: then the server can
    /// ask who it is, but not act as it.
    ///
    /// Stands on `ImpersonateNamedPipeClient`.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
    ///
    /// # let name = format!("interprocess-doc-impersonate-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
    /// let _client = DuplexPipeStream::<Bytes>::connect(name)?;
    /// let server = listener.accept()?;
    /// let client = server.impersonate_client()?;
    /// println!("the client allows: {:?}", client.level()?);
    /// drop(client); // From here on the thread is itself again.
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn impersonate_client(&self) -> io::Result<ImpersonationGuard> {
        ImpersonationGuard::of_client(self.as_handle())
    }

    /// Whether the peer has closed its end, even if what it sent was not received yet. Does not wait. `false` may be out of
    /// date when it is returned.
    pub fn is_peer_gone(&self) -> io::Result<bool> {
        self.inner.is_peer_gone()
    }

    /// Cuts the client off at once, from the server's end: what it has not received yet is lost. From then on neither end can do
    /// anything but be dropped. (Dropping alone leaves what was sent for the client to receive.)
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput), or the error of the system, if this is the client's end.
    ///
    /// Stands on `DisconnectNamedPipe`.
    ///
    /// ```
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    /// # let name = format!("interprocess-doc-disconnect-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// let server = listener.accept()?;
    /// server.send(b"never mind")?;
    /// server.disconnect()?;
    /// assert_ne!(client.recv_msg(&mut Vec::new()).ok(), Some(Some(10)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disconnect(&self) -> io::Result<()> {
        if self.is_client() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "only a server can disconnect"));
        }
        named_pipe::disconnect(self.as_handle())
    }

    /// Sets whether calls that would have to wait return [`WouldBlock`](io::ErrorKind::WouldBlock) instead.
    ///
    /// Receiving then starts a read that goes on while nobody waits for it; the next call finds its bytes. Sending takes
    /// over a message, or up to 64 KiB of bytes, as soon as what came before is with the system, and sends it while nobody
    /// waits. (`PIPE_NOWAIT` is not used: overlapped I/O does all this better.)
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) for a stream that was made from a handle without `FILE_FLAG_OVERLAPPED`.
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
    /// # let name = format!("interprocess-doc-nonblocking-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
    /// let client = DuplexPipeStream::<Bytes>::connect(name)?;
    /// let server = listener.accept()?;
    /// client.set_nonblocking(true)?;
    /// assert_eq!(client.recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// server.send(b"hello")?;
    /// client.set_nonblocking(false)?;
    /// assert_eq!(client.recv(&mut [0; 16])?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.inner.set_nonblocking(nonblocking)
    }

    /// Whether the stream is nonblocking.
    pub fn is_nonblocking(&self) -> io::Result<bool> {
        self.inner.is_nonblocking()
    }

    /// The failure of a send that nobody waited for, which this takes away.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.inner.take_error()
    }
}

/// Receiving.
impl<Rm: NotNone, Sm: PipeModeTag> PipeStream<Rm, Sm> {
    /// Sets how long receiving may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput) for zero, which is what [`set_nonblocking`](Self::set_nonblocking) is for.
    /// - [`Unsupported`](io::ErrorKind::Unsupported) for a stream that was made from a handle without `FILE_FLAG_OVERLAPPED`.
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.inner.set_recv_timeout(timeout)
    }

    /// How long receiving may wait.
    pub fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        self.inner.recv_timeout()
    }
}

/// Receiving bytes.
impl<Sm: PipeModeTag> PipeStream<Bytes, Sm> {
    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the end of the stream or if `buf` is
    /// empty. Where a peer has sent messages, their boundaries are lost.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) if a [timeout](Self::set_recv_timeout) is set,
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the stream is [nonblocking](Self::set_nonblocking) and nothing is there.
    ///
    /// Stands on `ReadFile`.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.recv(buf)
    }

    /// Like [`recv`](Self::recv), into the first of several buffers that is not empty: Windows cannot fill several at once
    /// from a pipe.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.inner.recv_vectored(bufs)
    }

    /// Like [`recv`](Self::recv), but the bytes stay there for the next call. When this has to wait, the bytes are taken
    /// out of the pipe and kept in the stream, where only its own calls find them.
    ///
    /// Stands on `PeekNamedPipe`.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.peek(buf)
    }
}

/// Receiving messages.
impl<Sm: PipeModeTag> PipeStream<Messages, Sm> {
    /// Receives a message, whole, in place of what is in `msg`, and says how long it is: `Some(0)` for a message of zero
    /// bytes, `None` at the end of the stream.
    ///
    /// A message that fits into the capacity of `msg` takes one system call, up to 64 KiB; a longer one takes three.
    ///
    /// # Errors
    /// - [`TimedOut`](io::ErrorKind::TimedOut) if a [timeout](Self::set_recv_timeout) is set,
    ///   [`WouldBlock`](io::ErrorKind::WouldBlock) if the stream is [nonblocking](Self::set_nonblocking): there is none, yet.
    /// - [`InvalidData`](io::ErrorKind::InvalidData): it is longer than is [allowed](Self::set_max_msg_len). Nothing is
    ///   lost: allow more, or receive it [in parts](Self::recv_part).
    /// - [`UnexpectedEof`](io::ErrorKind::UnexpectedEof): its sender has died, or taken it back, before all of it was
    ///   there. (If it takes back a message that was received in part, and sends another, the system does not tell them
    ///   apart. Senders of this crate do not.)
    /// - [`ResourceBusy`](io::ErrorKind::ResourceBusy): another thread or task [waits for an answer](Self::transact), which
    ///   this would take away from it.
    ///
    /// Stands on `ReadFile`.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    ///
    /// # let name = format!("interprocess-doc-messages-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// let server = listener.accept()?;
    /// client.send(b"one")?;
    /// client.send(&[2; 50_000])?;
    /// drop(client);
    /// let mut msg = Vec::new();
    /// assert_eq!(server.recv_msg(&mut msg)?, Some(3));
    /// assert_eq!(server.recv_msg(&mut msg)?, Some(50_000));
    /// assert_eq!(server.recv_msg(&mut msg)?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_msg(&self, msg: &mut Vec<u8>) -> io::Result<Option<usize>> {
        self.inner.recv_message(msg)
    }

    /// Receives as much of a message as fits into `buf`. What is left of it comes with the next call, be it of this method
    /// or of [`recv_msg`](Self::recv_msg). `None` at the end of the stream; after a part that was not the last, that means
    /// that the sender has died, or taken the rest back.
    ///
    /// # Errors
    /// Those of [`recv_msg`](Self::recv_msg), but for the limit to the length.
    ///
    /// Stands on `ReadFile`, and its error `ERROR_MORE_DATA`.
    ///
    /// ```
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    /// # let name = format!("interprocess-doc-parts-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// # let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// # let server = listener.accept()?;
    /// use interprocess::os::windows::named_pipe::MsgPart;
    ///
    /// client.send(b"length:5;hello")?;
    /// let mut header = [0; 9];
    /// assert_eq!(server.recv_part(&mut header)?, Some(MsgPart { len: 9, is_last: false }));
    /// let mut body = Vec::new();
    /// assert_eq!(server.recv_msg(&mut body)?, Some(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_part(&self, buf: &mut [u8]) -> io::Result<Option<MsgPart>> {
        Ok(self.inner.recv_part(buf)?.map(|part| MsgPart { len: part.len, is_last: part.is_last }))
    }

    /// Like [`recv_part`](Self::recv_part), but all of the message stays there for the next call. Its beginning is taken
    /// out of the pipe and kept in the stream, where only its own calls find it.
    pub fn peek_part(&self, buf: &mut [u8]) -> io::Result<Option<MsgPart>> {
        Ok(self.inner.peek_part(buf)?.map(|part| MsgPart { len: part.len, is_last: part.is_last }))
    }

    /// How long the next message is, or what is left of it. Does not wait: 0 if there is none yet, and for one of zero bytes.
    ///
    /// Stands on `PeekNamedPipe`.
    ///
    /// ```
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    /// # let name = format!("interprocess-doc-peek-len-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// let server = listener.accept()?;
    /// assert_eq!(server.peek_msg_len()?, 0);
    /// client.send(b"hello")?;
    /// assert_eq!(server.peek_msg_len()?, 5);
    /// assert_eq!(server.recv_msg(&mut Vec::new())?, Some(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek_msg_len(&self) -> io::Result<usize> {
        self.inner.peek_message_len()
    }

    /// Sets how long a message may be that [`recv_msg`](Self::recv_msg) receives, in bytes, so that a peer cannot make us
    /// use memory without limit. The default is 16 MiB.
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    /// # let name = format!("interprocess-doc-max-len-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// let server = listener.accept()?;
    /// server.set_max_msg_len(4);
    /// client.send(b"hello")?;
    /// let mut msg = Vec::new();
    /// assert_eq!(server.recv_msg(&mut msg).unwrap_err().kind(), ErrorKind::InvalidData);
    /// server.set_max_msg_len(5);
    /// assert_eq!(server.recv_msg(&mut msg)?, Some(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_max_msg_len(&self, max: usize) {
        self.inner.set_max_message_len(max);
    }

    /// How long a message may be that [`recv_msg`](Self::recv_msg) receives.
    pub fn max_msg_len(&self) -> usize {
        self.inner.max_message_len()
    }
}

/// Sending.
impl<Rm: PipeModeTag, Sm: NotNone> PipeStream<Rm, Sm> {
    /// Sets how long sending may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// Those of [`set_nonblocking`](Self::set_nonblocking), and [`InvalidInput`](io::ErrorKind::InvalidInput) for zero,
    /// which is what that is for.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.inner.set_send_timeout(timeout)
    }

    /// How long sending may wait.
    pub fn send_timeout(&self) -> io::Result<Option<Duration>> {
        self.inner.send_timeout()
    }

    /// Waits until all that was sent is with the system, where it outlives this process. The peer need not have received it: see
    /// [`drain`](Self::drain). What was sent in nonblocking mode, with a timeout or by an async stream may be on its way.
    ///
    /// # Errors
    /// Those of sending, which may be those of an earlier send.
    pub fn flush(&self) -> io::Result<()> {
        self.inner.flush()
    }

    /// Waits until the peer has received everything that was sent, but for no longer than `timeout`.
    ///
    /// # Errors
    /// - [`TimedOut`](io::ErrorKind::TimedOut): it has not.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): it closed its end without receiving everything. A peer that left before
    ///   the call is taken not to have received everything.
    ///
    /// Stands on `FlushFileBuffers`.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    /// use std::{io::ErrorKind, time::Duration};
    ///
    /// # let name = format!("interprocess-doc-drain-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// let server = listener.accept()?;
    /// client.send(b"important")?;
    /// assert_eq!(client.drain(Duration::from_millis(10)).unwrap_err().kind(), ErrorKind::TimedOut);
    /// server.recv_msg(&mut Vec::new())?;
    /// client.drain(Duration::from_secs(10))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn drain(&self, timeout: Duration) -> io::Result<()> {
        self.inner.drain(Deadline::after(timeout))
    }

    /// Makes [`drain`](Self::drain) assume that the peer has received what was sent so far, so that it returns at once if
    /// nothing is sent in between.
    pub fn assume_flushed(&self) {
        self.inner.assume_drained();
    }

    /// Makes [`drain`](Self::drain) assume that something was sent, for when the handle was used elsewhere.
    pub fn mark_dirty(&self) {
        self.inner.assume_sent();
    }

    /// Drops the stream, and nothing more: dropping never waits. It is there for code that was written for interprocess 2.
    pub fn evade_limbo(self) {}
}

/// Sending bytes.
impl<Rm: PipeModeTag> PipeStream<Rm, Bytes> {
    /// Sends bytes from `buf`, and says how many: at least one, unless `buf` is empty. Fewer than all only if the stream is
    /// [nonblocking](Self::set_nonblocking) or a [timeout](Self::set_send_timeout) came.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the peer is gone; [`TimedOut`](io::ErrorKind::TimedOut) and
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing could be sent at all.
    ///
    /// Stands on `WriteFile`.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.send(buf)
    }

    /// Like [`send`](Self::send), from several buffers, in order. Windows cannot send several at once into a pipe, so small
    /// ones are copied together; otherwise only the first that is not empty is sent.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.send_vectored(bufs)
    }
}

/// Sending messages.
impl<Rm: PipeModeTag> PipeStream<Rm, Messages> {
    /// Sends a message, whole or not at all, and gives its length. It may be of zero bytes.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the peer is gone; [`TimedOut`](io::ErrorKind::TimedOut) and
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it was not sent; [`InvalidInput`](io::ErrorKind::InvalidInput) for one
    /// of 4 GiB or more.
    ///
    /// Stands on `WriteFile`.
    pub fn send(&self, msg: &[u8]) -> io::Result<usize> {
        self.inner.send_message(msg)?;
        Ok(msg.len())
    }
}

/// Asking.
impl PipeStream<Messages, Messages> {
    /// Sends a message and receives the answer, in one system call where the answer fits into the capacity of `answer`, up
    /// to 64 KiB. Otherwise it is like [`send`](Self::send) and [`recv_msg`](Self::recv_msg), with the errors and the
    /// receive timeout of the latter.
    ///
    /// After [`TimedOut`](io::ErrorKind::TimedOut) the answer may still come, and has to be received before the next
    /// question can be asked. In nonblocking mode this is always [`WouldBlock`](io::ErrorKind::WouldBlock), after the
    /// message was sent.
    ///
    /// # Errors
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy): there is a message to be received already, or another thread waits
    /// for one. Nothing was sent.
    ///
    /// Stands on `TransactNamedPipe`.
    ///
    /// ```
    /// # use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
    /// # let name = format!("interprocess-doc-transact-{}", std::process::id());
    /// # let name = name.as_str();
    /// # let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
    /// let client = DuplexPipeStream::<Messages>::connect(name)?;
    /// # let server = std::thread::spawn(move || {
    /// #     let server = listener.accept()?;
    /// #     let mut question = Vec::new();
    /// #     server.recv_msg(&mut question)?;
    /// #     server.send(b"4")
    /// # });
    /// let mut answer = Vec::with_capacity(16);
    /// client.transact(b"2 + 2", &mut answer)?;
    /// assert_eq!(answer, b"4");
    /// # server.join().unwrap()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn transact(&self, msg: &[u8], answer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        self.inner.start_transaction(msg, answer.capacity())?;
        let _claim = self.inner.claim();
        self.inner.recv_answer(answer)
    }
}

read_by_recv! {
    [Sm: PipeModeTag] PipeStream<Bytes, Sm>, |stream| stream;
    [Sm: PipeModeTag] &PipeStream<Bytes, Sm>, |stream| stream;
}
write_by_send! {
    [Rm: PipeModeTag] PipeStream<Rm, Bytes>, |stream| stream, PipeStream::flush(stream);
    [Rm: PipeModeTag] &PipeStream<Rm, Bytes>, |stream| stream, PipeStream::flush(stream);
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> Debug for PipeStream<Rm, Sm> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("PipeStream");
        debug.field("recv_mode", &Rm::MODE).field("send_mode", &Sm::MODE).field("inner", &self.inner).finish()
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> AsHandle for PipeStream<Rm, Sm> {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.inner.as_handle()
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> ShareHandle for PipeStream<Rm, Sm> {}

/// The handle is an overlapped one: who reads or writes with it has to pass an `OVERLAPPED`. What the stream has taken out of the
/// pipe and not given out yet is lost; there is such only after nonblocking or async receiving, peeking, or a part of a message.
impl<Rm: PipeModeTag, Sm: PipeModeTag> From<PipeStream<Rm, Sm>> for OwnedHandle {
    fn from(stream: PipeStream<Rm, Sm>) -> Self {
        stream.inner.into()
    }
}

/// What is wrong with a handle. For an example see the conversion from
/// [`OwnedHandle`](PipeStream#impl-TryFrom<OwnedHandle>-for-PipeStream<Rm,+Sm>).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FromHandleErrorKind {
    /// It is not that of a pipe, or one that cannot be asked about: whether it is the server's end is not known.
    IsServerCheckFailed,
    /// The pipe keeps bytes only, and messages are wanted.
    NoMessageBoundaries,
    /// Data does not go through the pipe in the direction that is wanted, or the handle does not allow it.
    NoSuchDirection,
}

impl Display for FromHandleErrorKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IsServerCheckFailed => "it is no pipe, or cannot be asked which end of one it is",
            Self::NoMessageBoundaries => "the pipe does not keep messages apart",
            Self::NoSuchDirection => "nothing goes through the pipe in a direction that is wanted",
        })
    }
}

impl From<FromHandleErrorKind> for io::Error {
    fn from(kind: FromHandleErrorKind) -> Self {
        Self::new(io::ErrorKind::InvalidInput, kind.to_string())
    }
}

/// Takes either end of a connected named pipe, and sets it to receive `Rm`, and to wait.
///
/// Timeouts, nonblocking mode and async need a handle that was opened with `FILE_FLAG_OVERLAPPED`: without it, they are
/// [`Unsupported`](io::ErrorKind::Unsupported). A raw handle from elsewhere first becomes an [`OwnedHandle`], by
/// [`from_raw_handle`](std::os::windows::io::FromRawHandle::from_raw_handle), which is `unsafe` because nobody else may close it.
///
/// # Errors
/// [`FromHandleErrorKind`] says what is wrong, in [`details`](FromHandleError::details). The handle is handed back, in
/// [`source`](FromHandleError::source). By `?`, the error becomes an [`io::Error`].
///
/// Stands on `FilePipeLocalInformation` of `NtQueryInformationFile`, and `SetNamedPipeHandleState`.
///
/// ```
/// use interprocess::os::windows::named_pipe::{DuplexPipeStream, FromHandleErrorKind, pipe_mode::Bytes};
/// use std::{fs::File, os::windows::io::OwnedHandle};
///
/// let file = File::open(r"C:\windows\system32\kernel32.dll")?;
/// let error = DuplexPipeStream::<Bytes>::try_from(OwnedHandle::from(file)).unwrap_err();
/// assert_eq!(error.details, FromHandleErrorKind::IsServerCheckFailed);
/// let file: File = error.source.unwrap().into();
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A handle with timeouts:
///
/// ```
/// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
/// use std::os::windows::{fs::OpenOptionsExt, io::OwnedHandle};
/// use std::{fs::File, time::Duration};
///
/// const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
///
/// # let path = format!(r"\\.\pipe\interprocess-doc-overlapped-{}", std::process::id());
/// # let path = path.as_str();
/// let listener = PipeListenerOptions::new().path(path).create_duplex::<Messages>()?;
/// let mut options = File::options();
/// let file = options.read(true).write(true).custom_flags(FILE_FLAG_OVERLAPPED).open(path)?;
/// let client = DuplexPipeStream::<Messages>::try_from(OwnedHandle::from(file))?;
/// client.set_recv_timeout(Some(Duration::from_secs(5)))?;
/// # Ok::<(), std::io::Error>(())
/// ```
impl<Rm: PipeModeTag, Sm: PipeModeTag> TryFrom<OwnedHandle> for PipeStream<Rm, Sm> {
    type Error = FromHandleError;

    fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
        let (details, cause) = match check::<Rm, Sm>(handle.as_handle()) {
            Ok(()) => match Stream::from_handle(handle, Rm::MODE) {
                Ok(stream) => return Ok(Self::from_sys(stream)),
                Err((cause, handle)) => {
                    let details = FromHandleErrorKind::IsServerCheckFailed;
                    return Err(FromHandleError { details, cause: Some(cause), source: Some(handle) });
                }
            },
            Err(problem) => problem,
        };
        Err(FromHandleError { details, cause, source: Some(handle) })
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> FromInherited for PipeStream<Rm, Sm> {
    fn from_inherited(handle: OwnedHandle) -> io::Result<Self> {
        Ok(handle.try_into()?)
    }
}

/// Whether this is an end of a pipe that can be received from and sent to so.
fn check<Rm: PipeModeTag, Sm: PipeModeTag>(
    pipe: BorrowedHandle<'_>,
) -> Result<(), (FromHandleErrorKind, Option<io::Error>)> {
    let wanted = PipeStreamRole::of::<Rm, Sm>();
    let information = match named_pipe::information(pipe) {
        Ok(information) => information,
        // The system has let it be opened for that, and no direction but this is wanted.
        Err(_)
            if Sm::MODE == Some(PipeMode::Bytes) && !wanted.recvs() && named_pipe::may_only_write(pipe) =>
        {
            return Ok(());
        }
        Err(cause) => return Err((FromHandleErrorKind::IsServerCheckFailed, Some(cause))),
    };
    let direction = named_pipe::direction_of(&information);
    let role =
        if named_pipe::is_server(&information) { direction.server_role() } else { direction.client_role() };
    // The handle may allow less than the pipe does.
    let access = named_pipe::access_of(pipe)
        .map_err(|cause| (FromHandleErrorKind::IsServerCheckFailed, Some(cause)))?;
    let can_recv = role.recvs() && access & FILE_READ_DATA != 0;
    let can_send = role.sends() && access & FILE_WRITE_DATA != 0;
    if (wanted.recvs() && !can_recv) || (wanted.sends() && !can_send) {
        return Err((FromHandleErrorKind::NoSuchDirection, None));
    }
    let wants_messages = [Rm::MODE, Sm::MODE].contains(&Some(PipeMode::Messages));
    if wants_messages && named_pipe::mode_of(&information) == PipeMode::Bytes {
        return Err((FromHandleErrorKind::NoMessageBoundaries, None));
    }
    Ok(())
}
