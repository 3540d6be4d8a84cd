use super::{Name, PeerCreds, ToName, name::NameOption};
use crate::{
    ConnectWaitMode,
    connecting::Patience,
    deadline::Deadline,
    error::{ReuniteError, ReuniteResult},
    read_write::{read_by_recv, write_by_send},
    sys,
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    sync::Arc,
    thread,
    time::Duration,
};

/// How to connect a [`Stream`].
///
/// ```no_run
/// use interprocess::{ConnectWaitMode, local_socket::ConnectOptions};
/// use std::time::Duration;
///
/// let stream = ConnectOptions::new()
///     .name("@example")
///     .wait_mode(ConnectWaitMode::Timeout(Duration::from_secs(5)))
///     .wait_for_server(true)
///     .require_same_user(true)
///     .connect_sync()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a stream is connected with them"]
pub struct ConnectOptions<'n> {
    pub(crate) name: NameOption<'n>,
    wait_mode: ConnectWaitMode,
    nonblocking_stream: bool,
    wait_for_server: bool,
    require_same_user: Option<bool>,
    #[cfg(windows)]
    pub(crate) security_quality: crate::os::windows::SecurityQuality,
}

impl Default for ConnectOptions<'_> {
    fn default() -> Self {
        Self {
            name: NameOption::default(),
            wait_mode: ConnectWaitMode::Unbounded,
            nonblocking_stream: false,
            wait_for_server: false,
            require_same_user: None,
            #[cfg(windows)]
            security_quality: crate::os::windows::SecurityQuality::default(),
        }
    }
}

impl<'n> ConnectOptions<'n> {
    /// Options as [`Stream::connect`] has them, without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of the listener. A name that is not possible is an error when the stream is connected.
    pub fn name(mut self, name: impl ToName<'n>) -> Self {
        self.name = NameOption::from(name.to_name());
        self
    }

    /// How long to wait when the listener has more clients than it accepts, and, with
    /// [`wait_for_server`](Self::wait_for_server), for the listener. The default is
    /// [`Unbounded`](ConnectWaitMode::Unbounded).
    pub fn wait_mode(mut self, wait_mode: ConnectWaitMode) -> Self {
        self.wait_mode = wait_mode;
        self
    }

    /// Whether the stream is nonblocking once it is connected. The default is no. Async streams take no notice.
    pub fn nonblocking_stream(mut self, nonblocking: bool) -> Self {
        self.nonblocking_stream = nonblocking;
        self
    }

    /// Whether to wait for a listener that does not exist yet, as when client and server are started together. The default
    /// is no. It is looked for again and again, with pauses of 1 to 50 milliseconds.
    pub fn wait_for_server(mut self, wait: bool) -> Self {
        self.wait_for_server = wait;
        self
    }

    /// Whether the server has to run as our user, or be an administrator or the system. If it does not, that is
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied), before anything is sent.
    ///
    /// The default is no, except for names that look private and are not: namespaced names on a Unix without an abstract
    /// namespace, when there is no runtime directory and they are looked for in `/tmp`, where anyone could have made them.
    ///
    /// # Platform-specific behaviour
    /// - Unix: goes by the credentials that the listener had when it began to listen.
    /// - Windows: goes by the owner of the pipe.
    pub fn require_same_user(mut self, require: bool) -> Self {
        self.require_same_user = Some(require);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// Each says the name.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): no name, or one that is not possible here.
    /// - [`NotFound`](io::ErrorKind::NotFound), [`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody listens. The
    ///   latter if there is a name without a listener, and for abstract names.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not, or the server is not
    ///   [whom we want](Self::require_same_user).
    /// - [`TimedOut`](io::ErrorKind::TimedOut), or [`WouldBlock`](io::ErrorKind::WouldBlock) with
    ///   [`Deferred`](ConnectWaitMode::Deferred).
    ///
    /// # Platform-specific behaviour
    /// On Linux and Windows, clients beyond what the listener takes wait. Elsewhere they are refused, as if nobody listened;
    /// [`wait_for_server`](Self::wait_for_server) makes them wait.
    ///
    /// Stands on `connect(2)`; `CreateFileW` and `WaitNamedPipeW` on Windows.
    pub fn connect_sync(&self) -> io::Result<Stream> {
        Attempts::new(self, self.name.get()?).until_connected()
    }
}

/// Connecting, attempt by attempt.
pub(crate) struct Attempts<'o> {
    options: &'o ConnectOptions<'o>,
    name: Name<'o>,
    patience: Patience,
}

impl<'o> Attempts<'o> {
    pub(crate) fn new(options: &'o ConnectOptions<'_>, name: Name<'o>) -> Self {
        Self { options, name, patience: Patience::new(options.wait_mode, options.wait_for_server) }
    }

    /// As many as it takes.
    fn until_connected(mut self) -> io::Result<Stream> {
        let wait = self.patience.deadline();
        loop {
            match self.attempt(wait) {
                Ok(stream) => {
                    let (is_nonblocking, wanted) = (wait.is_none(), self.options.nonblocking_stream);
                    if is_nonblocking != wanted {
                        stream.set_nonblocking(wanted)?;
                    }
                    return Ok(stream);
                }
                Err(error) => thread::sleep(self.pause_after(error)?),
            }
        }
    }

    /// One attempt. Without `wait` it never waits, and the stream is nonblocking.
    #[inline]
    pub(crate) fn attempt(&self, wait: Option<Deadline>) -> io::Result<Stream> {
        let (name, is_shared) = sys::located(&self.name);
        let stream = sys::Stream::connect(&name, self.options, wait)?;
        if self.options.require_same_user.unwrap_or(is_shared) && !stream.server_is_ours()? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the server runs as another user"));
        }
        Ok(Stream(stream))
    }

    /// How long to wait until the next attempt; an error if there is to be none.
    pub(crate) fn pause_after(&mut self, error: io::Error) -> io::Result<Duration> {
        self.patience.pause_after(error).map_err(|error| self.name.explain(error))
    }
}

/// A connection: bytes in both directions, in order, without message boundaries.
///
/// [`Read`](io::Read) and [`Write`](io::Write) are there for `Stream` and for `&Stream`: one thread may read while another writes,
/// and neither delays the other. [`recv`](Self::recv) and [`send`](Self::send) are the same without a trait.
///
/// # End of stream
/// Reading gives 0 bytes when the peer is gone, or has [shut down](Self::shutdown) its sending direction, and all that it
/// sent has been read. Whether the peer has read what we sent makes no difference to that (which is why Linux's
/// `ECONNRESET` is not passed on); [`drain`](Self::drain) tells. Writing to a peer that is gone is
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and never a signal.
///
/// # Dropping
/// Closes the connection. It does not wait, and what was written stays readable for the peer. (On Windows, what is still
/// [on its way](Self::flush) is lost if the process ends before it has arrived; and while it is on its way, because the peer
/// has more to read than fits, the peer does not find out that nobody reads what it sends.) To know that the peer has read it,
/// [`drain`](Self::drain).
#[derive(Debug)]
pub struct Stream(pub(crate) sys::Stream);

impl Stream {
    /// Connects to the listener of that name, with the defaults of [`ConnectOptions`]: a listener that has more clients than
    /// it accepts is waited for.
    ///
    /// # Errors
    /// See [`ConnectOptions::connect_sync`].
    pub fn connect<'n>(name: impl ToName<'n>) -> io::Result<Self> {
        Attempts::new(&ConnectOptions::new(), name.to_name()?).until_connected()
    }

    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the end of the stream or if `buf` is
    /// empty.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) if a [timeout](Self::set_recv_timeout) is set,
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the stream is [nonblocking](Self::set_nonblocking) and nothing is there.
    ///
    /// Stands on `recv(2)`; `ReadFile` on Windows.
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }

    /// Like [`recv`](Self::recv), into several buffers, filled in order.
    ///
    /// # Platform-specific behaviour
    /// One `readv(2)`. On Windows, which has no such call for pipes, only the first buffer that is not empty is used.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.recv_vectored(bufs)
    }

    /// Sends bytes from `buf`, and says how many: at least one, unless `buf` is empty. Fewer than all only if the stream is
    /// [nonblocking](Self::set_nonblocking) or a [timeout](Self::set_send_timeout) came.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the peer is gone; [`TimedOut`](io::ErrorKind::TimedOut) and
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing could be sent at all.
    ///
    /// Stands on `send(2)` with `MSG_NOSIGNAL`; `WriteFile` on Windows.
    #[inline]
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// Like [`send`](Self::send), from several buffers, in order.
    ///
    /// # Platform-specific behaviour
    /// One `sendmsg(2)`. On Windows, which has no such call for pipes, small buffers are copied together, and else the first
    /// that is not empty is sent.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs)
    }

    /// Waits until all that was sent is with the system, where it outlives this process. The peer need not have read it: see
    /// [`drain`](Self::drain).
    ///
    /// # Errors
    /// Those of [`send`](Self::send), which may be those of an earlier send.
    ///
    /// # Platform-specific behaviour
    /// Does nothing on Unix, where it always is. On Windows what was sent in nonblocking mode, with a timeout or by an
    /// async stream may be on its way.
    pub fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }

    /// Like [`recv`](Self::recv), but the bytes stay there for the next call.
    ///
    /// # Platform-specific behaviour
    /// Unix: `recv(2)` with `MSG_PEEK`. Windows: when it has to wait, the bytes are taken out of the pipe and kept in the
    /// stream, where only its own calls find them.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf)
    }

    /// Whether the peer has closed its end, even if what it sent is not read yet. Does not wait.
    ///
    /// `false` may be out of date when it is returned. A peer that only [shut down](Self::shutdown) one direction is not gone,
    /// but a connection with both directions shut down counts as gone.
    ///
    /// # Platform-specific behaviour
    /// Unix: `POLLHUP` from `poll(2)`; `getpeername(2)` on macOS, NetBSD and DragonFly BSD. Windows:
    /// `FilePipeLocalInformation` from `NtQueryInformationFile`.
    pub fn is_peer_gone(&self) -> io::Result<bool> {
        self.0.is_peer_gone()
    }

    /// Waits until the peer has read everything that was sent, for no longer than `timeout`.
    ///
    /// # Errors
    /// - [`TimedOut`](io::ErrorKind::TimedOut): it has not.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): it closed its end without reading everything.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): the OS does not tell.
    ///
    /// # Platform-specific behaviour
    /// Linux and Android: `SIOCOUTQ`, asked again and again with pauses of up to 5 milliseconds. That the peer closed without reading
    /// everything is told to one of several [clones](Self::try_clone): if that was to another one, as the end of what it
    /// received, this says that all is well. Windows:
    /// `FlushFileBuffers`; there, a peer that left before the call is taken not to have read everything. `Unsupported` on macOS,
    /// the BSDs and illumos.
    pub fn drain(&self, timeout: Duration) -> io::Result<()> {
        self.0.drain(Deadline::after(timeout))
    }

    /// Ends one direction, or both. After `Shutdown::Write` the peer reads to the end of the stream and can still send.
    ///
    /// # Platform-specific behaviour
    /// Unix: `shutdown(2)`. Windows: [`Unsupported`](io::ErrorKind::Unsupported) for named pipes, which have no such thing;
    /// `shutdown` for socket files.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// The error that the OS has noted for the connection and not reported yet, which this takes away: `SO_ERROR` on Unix, the
    /// failure of a send that nobody waited for on Windows.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Sets whether calls that would have to wait return [`WouldBlock`](io::ErrorKind::WouldBlock) instead.
    ///
    /// # Platform-specific behaviour
    /// Windows: receiving starts a read that goes on while nobody waits for it, and whose bytes the next call finds. Sending
    /// takes up to 64 KiB off the caller's hands as soon as the bytes before are with the system.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }

    /// Whether the stream is nonblocking.
    pub fn is_nonblocking(&self) -> io::Result<bool> {
        self.0.is_nonblocking()
    }

    /// Sets how long receiving may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for zero, which is what [`set_nonblocking`](Self::set_nonblocking) is
    /// for. A timeout that is longer than the OS can count is for ever.
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_recv_timeout(not_zero(timeout)?)
    }

    /// How long receiving may wait. The OS may have rounded it.
    pub fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.recv_timeout()
    }

    /// Sets how long sending may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// Those of [`set_recv_timeout`](Self::set_recv_timeout).
    ///
    /// # Platform-specific behaviour
    /// Unix sockets wait for that long each time that there is no room. So a peer that makes a little room in time, again and again, holds a
    /// `send` of more than the system buffers (200 KiB, say) for longer. Send less at once where peers are not to be trusted.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_send_timeout(not_zero(timeout)?)
    }

    /// How long sending may wait. The OS may have rounded it.
    pub fn send_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.send_timeout()
    }

    /// Another object for the same connection. Modes and timeouts are shared; the connection is closed when the last one is
    /// dropped.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Who the peer is.
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.0.peer_creds().map(PeerCreds::new)
    }

    /// The process ID of the peer: a hint, for the reasons given for [`PeerCreds`].
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) if the OS does not tell.
    #[allow(
        clippy::useless_conversion,
        reason = "on Unix it is of a signed type, and no process has a negative one"
    )]
    pub fn peer_pid(&self) -> io::Result<u32> {
        let unknown =
            || io::Error::new(io::ErrorKind::Unsupported, "the system does not tell the peer's process ID");
        let pid = self.peer_creds()?.pid().ok_or_else(unknown)?;
        pid.try_into().map_err(|_| unknown())
    }

    /// Splits into a half that receives and a half that sends, for two threads. A stream in an [`Arc`] does the same. Dropping
    /// one half closes nothing; the connection is closed when both are gone.
    pub fn split(self) -> (RecvHalf, SendHalf) {
        let stream = Arc::new(self);
        (RecvHalf(Arc::clone(&stream)), SendHalf(stream))
    }

    /// Puts the two halves together again.
    ///
    /// # Errors
    /// Hands them back if they are not of one stream.
    pub fn reunite(rh: RecvHalf, sh: SendHalf) -> ReuniteResult<Self, RecvHalf, SendHalf> {
        if !Arc::ptr_eq(&rh.0, &sh.0) {
            return Err(ReuniteError { rh, sh });
        }
        drop(rh);
        Arc::try_unwrap(sh.0)
            .map_err(|stream| ReuniteError { rh: RecvHalf(Arc::clone(&stream)), sh: SendHalf(stream) })
    }
}

fn not_zero(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    if timeout == Some(Duration::ZERO) {
        let why = "a timeout of zero would let nothing through: use nonblocking mode";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(timeout)
}

read_by_recv! {
    [] Stream, |stream| stream;
    [] &Stream, |stream| stream;
    [] RecvHalf, |half| half.0;
    [] &RecvHalf, |half| half.0;
}
write_by_send! {
    [] Stream, |stream| stream, Stream::flush(stream);
    [] &Stream, |stream| stream, Stream::flush(stream);
    [] SendHalf, |half| half.0, half.0.0.flush();
    [] &SendHalf, |half| half.0, half.0.0.flush();
}

/// The half of a [`Stream`] that receives. From [`Stream::split`].
#[derive(Debug)]
pub struct RecvHalf(pub(crate) Arc<Stream>);

impl RecvHalf {
    /// Sets how long receiving may wait, as [`Stream::set_recv_timeout`] does.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_recv_timeout(timeout)
    }
}

/// The stream that it is a half of.
impl AsRef<Stream> for RecvHalf {
    fn as_ref(&self) -> &Stream {
        &self.0
    }
}

/// The half of a [`Stream`] that sends. From [`Stream::split`].
#[derive(Debug)]
pub struct SendHalf(pub(crate) Arc<Stream>);

impl SendHalf {
    /// Sets how long sending may wait, as [`Stream::set_send_timeout`] does.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_send_timeout(timeout)
    }
}

/// The stream that it is a half of.
impl AsRef<Stream> for SendHalf {
    fn as_ref(&self) -> &Stream {
        &self.0
    }
}
