use super::{
    PipeMode, PipeStream, PipeStreamRole, WaitTimeout,
    connect::{explain, no_path, path_of},
    pipe_mode::{self, PipeModeTag},
};
use crate::{
    deadline::Deadline,
    local_socket::Access,
    os::windows::security_descriptor::SecurityDescriptor,
    sys::windows::{
        listener::Listener,
        named_pipe::{PipePath, Settings},
    },
};
use std::{
    ffi::{OsStr, OsString},
    fmt::{self, Debug, Formatter},
    io,
    iter::FusedIterator,
    marker::PhantomData,
    num::NonZeroU8,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// How to create a [`PipeListener`].
///
/// ```
/// use interprocess::{
///     local_socket::Access,
///     os::windows::named_pipe::{PipeListenerOptions, pipe_mode::Bytes},
/// };
///
/// # let name = format!("interprocess-doc-options-{}", std::process::id());
/// let listener = PipeListenerOptions::new()
///     .name(name)
///     .access(Access::Group)
///     .instance_limit(std::num::NonZeroU8::new(4))
///     .create_duplex::<Bytes>()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a listener is created with them"]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct PipeListenerOptions {
    path: Option<OsString>,
    mode: Option<PipeMode>,
    nonblocking: bool,
    instance_limit: Option<NonZeroU8>,
    backlog: Option<u32>,
    write_through: bool,
    accept_remote: bool,
    input_buffer_size_hint: u32,
    output_buffer_size_hint: u32,
    wait_timeout: WaitTimeout,
    access: Access,
    security_descriptor: Option<SecurityDescriptor>,
    inheritable: bool,
}

impl Default for PipeListenerOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl PipeListenerOptions {
    /// The defaults, without a path.
    pub const fn new() -> Self {
        Self {
            path: None,
            mode: None,
            nonblocking: false,
            instance_limit: None,
            backlog: None,
            write_through: false,
            accept_remote: false,
            input_buffer_size_hint: Settings::QUOTA,
            output_buffer_size_hint: Settings::QUOTA,
            wait_timeout: WaitTimeout::DEFAULT,
            access: Access::Owner,
            security_descriptor: None,
            inheritable: false,
        }
    }

    /// The path of the pipe, `\\.\pipe\NAME`. What is no such path is an error when the listener is created.
    pub fn path(mut self, path: impl AsRef<OsStr>) -> Self {
        self.path = Some(path.as_ref().to_owned());
        self
    }

    /// The name of the pipe: short for the [path](Self::path) `\\.\pipe\NAME`.
    pub fn name(self, name: impl AsRef<OsStr>) -> Self {
        self.path(path_of(OsStr::new("."), name.as_ref()))
    }

    /// What the pipe keeps of what is sent into it, in either direction. The default is messages if the listener's streams
    /// receive or send any, else bytes. So this is needed only for a server of bytes whose clients want messages.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{
    ///     PipeListenerOptions, PipeMode, PipeStream,
    ///     pipe_mode::{Bytes, Messages},
    /// };
    ///
    /// # let name = format!("interprocess-doc-mode-{}", std::process::id());
    /// # let name = name.as_str();
    /// let options = PipeListenerOptions::new().name(name).mode(PipeMode::Messages);
    /// let listener = options.create_duplex::<Bytes>()?;
    /// let client = PipeStream::<Messages, Messages>::connect(name)?;
    /// // What the server sends by one call is a message.
    /// listener.accept()?.send(b"hello")?;
    /// assert_eq!(client.recv_msg(&mut Vec::new())?, Some(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn mode(mut self, mode: PipeMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Whether `accept` and the accepted streams are nonblocking. The default is no. Async listeners take no notice.
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// How many clients may be connected at once, 1 to 254. Further ones wait to connect, for as long as their
    /// [`wait_mode`](super::PipeConnectOptions::wait_mode) says, and then get [`TimedOut`](io::ErrorKind::TimedOut) or
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) (`ERROR_PIPE_BUSY` from Windows). The default is no limit. 255, which to
    /// Windows means no limit, is an error when the listener is created.
    ///
    /// A stream counts until it is dropped and all that was sent is with the system. One that is made into a handle no longer
    /// counts.
    ///
    /// ```
    /// use interprocess::{
    ///     ConnectWaitMode,
    ///     os::windows::named_pipe::{PipeConnectOptions, PipeListenerOptions, pipe_mode::Bytes},
    /// };
    /// use std::{io::ErrorKind, num::NonZeroU8};
    ///
    /// # let name = format!("interprocess-doc-limit-{}", std::process::id());
    /// # let name = name.as_str();
    /// let limit = NonZeroU8::new(1);
    /// let listener = PipeListenerOptions::new().name(name).instance_limit(limit).create_duplex::<Bytes>()?;
    /// let options = PipeConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Deferred);
    /// let client = options.connect::<Bytes, Bytes>()?;
    /// let server = listener.accept()?;
    /// assert_eq!(options.connect::<Bytes, Bytes>().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn instance_limit(mut self, limit: impl Into<Option<NonZeroU8>>) -> Self {
        self.instance_limit = limit.into();
        self
    }

    /// How many instances are ready for a client at any time, 1 to 255, as far as the [limit](Self::instance_limit) allows: that
    /// many clients can connect at the same time without having to wait for `accept`. The default is 16. Numbers beyond the
    /// range are taken for the nearest in it.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = Some(backlog);
        self
    }

    /// Whether what is sent to clients on other machines is sent at once, instead of being collected for a while. The default is
    /// no.
    ///
    /// Stands on `FILE_FLAG_WRITE_THROUGH`.
    pub fn write_through(mut self, write_through: bool) -> Self {
        self.write_through = write_through;
        self
    }

    /// Whether clients on other machines may connect (`\\HOST\pipe\NAME`). The default is no, whatever the access list says.
    ///
    /// Stands on `PIPE_ACCEPT_REMOTE_CLIENTS` and `PIPE_REJECT_REMOTE_CLIENTS`.
    pub fn accept_remote(mut self, accept: bool) -> Self {
        self.accept_remote = accept;
        self
    }

    /// How many bytes the system keeps of what a client has sent and the server has not received yet. When there are more, the
    /// client's sending waits until they are received. Windows may choose another number. The default is 64 KiB.
    pub fn input_buffer_size_hint(mut self, hint: u32) -> Self {
        self.input_buffer_size_hint = hint;
        self
    }

    /// The same for what the server has sent.
    pub fn output_buffer_size_hint(mut self, hint: u32) -> Self {
        self.output_buffer_size_hint = hint;
        self
    }

    /// How long a client waits for a free instance if it leaves that to the server (`NMPWAIT_USE_DEFAULT_WAIT` for
    /// `WaitNamedPipeW`). Clients of this crate never do: theirs is [`wait_mode`](super::PipeConnectOptions::wait_mode). The
    /// default is 50 milliseconds.
    pub fn wait_timeout(mut self, timeout: impl Into<WaitTimeout>) -> Self {
        self.wait_timeout = timeout.into();
        self
    }

    /// Who may connect. The default is [`Access::Owner`].
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Who may do what with the pipe, in place of what [`access`](Self::access) says.
    ///
    /// Two things to keep in mind about the right to add instances, `FILE_CREATE_PIPE_INSTANCE`: our own user needs it (or
    /// creating the listener fails; with a backlog of 1, accepting), and nobody else should have it, for who has it can add an
    /// instance and so serve our clients. `GW`, `GA`, `FW` and `FA` in SDDL include it. What others need to connect, read and
    /// write is [`READ_AND_WRITE`](crate::os::windows::security_descriptor::Ace::READ_AND_WRITE), `0x12019b` in SDDL.
    ///
    /// ```
    /// use interprocess::os::windows::{
    ///     named_pipe::{PipeListenerOptions, pipe_mode::Messages},
    ///     security_descriptor::SecurityDescriptor,
    /// };
    ///
    /// # let name = format!("interprocess-doc-users-{}", std::process::id());
    /// // The owner may do everything; members of the group Users may connect, read and write. The owner is our user, or
    /// // the administrators if we run elevated, unless the text says who it is.
    /// let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;OW)(A;;0x12019b;;;BU)")?;
    /// let listener =
    ///     PipeListenerOptions::new().name(name).security_descriptor(descriptor).create_duplex::<Messages>()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn security_descriptor(mut self, descriptor: impl Into<Option<SecurityDescriptor>>) -> Self {
        self.security_descriptor = descriptor.into();
        self
    }

    /// Whether children inherit the handles. The default is no, and there is hardly a reason for anything else: they are then
    /// inherited by whatever child any thread starts.
    pub fn inheritable(mut self, inheritable: bool) -> Self {
        self.inheritable = inheritable;
        self
    }

    /// Creates a listener whose streams receive `Rm` and send `Sm`.
    ///
    /// # Errors
    /// Each says the path.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): no path, or one that is none of a pipe on this machine; or options that
    ///   contradict each other.
    /// - [`AddrInUse`](io::ErrorKind::AddrInUse): there is a pipe of that name, or a client of an earlier listener still has its
    ///   end of one.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): the security descriptor does not let us add instances.
    ///
    /// Stands on `NtCreateNamedPipeFile`, which unlike `CreateNamedPipeW` can insist on adding to a pipe that exists, and never
    /// makes a new one by mistake.
    pub fn create<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, Sm>> {
        let path = self.path.as_deref().ok_or_else(no_path)?;
        let inner = self.create_inner::<Rm, Sm>(path).map_err(|error| explain(path, error))?;
        inner.set_accept_nonblocking(self.nonblocking)?;
        Ok(PipeListener {
            inner,
            path: path.to_owned(),
            is_nonblocking: AtomicBool::new(self.nonblocking),
            modes: PhantomData,
        })
    }

    fn create_inner<Rm: PipeModeTag, Sm: PipeModeTag>(&self, path: &OsStr) -> io::Result<Listener> {
        let invalid = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let has_messages = [Rm::MODE, Sm::MODE].contains(&Some(PipeMode::Messages));
        let mode = match self.mode {
            Some(PipeMode::Bytes) if has_messages => {
                return invalid("messages cannot go through a pipe that keeps bytes only");
            }
            Some(mode) => mode,
            None if has_messages => PipeMode::Messages,
            None => PipeMode::Bytes,
        };
        if self.instance_limit == Some(NonZeroU8::MAX) {
            return invalid("to Windows, an instance limit of 255 means that there is none; 254 is the most");
        }
        let path = PipePath::new(path)?;
        let security = match &self.security_descriptor {
            Some(descriptor) => descriptor.clone(),
            None => SecurityDescriptor::for_access(self.access)?,
        };
        let settings = Settings {
            role: PipeStreamRole::of::<Rm, Sm>(),
            mode,
            recv_mode: Rm::MODE.unwrap_or(PipeMode::Bytes),
            is_write_through: self.write_through,
            accepts_remote: self.accept_remote,
            is_inheritable: self.inheritable,
            recv_quota: self.input_buffer_size_hint,
            send_quota: self.output_buffer_size_hint,
            wait_timeout: self.wait_timeout,
            ..Settings::new(path, security.0)
        };
        Listener::new(settings, self.backlog, self.instance_limit.map(NonZeroU8::get))
    }

    /// [`create`](Self::create), for streams that receive and send the same.
    pub fn create_duplex<M: PipeModeTag>(&self) -> io::Result<PipeListener<M, M>> {
        self.create()
    }

    /// [`create`](Self::create), for streams that only receive.
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{PipeListenerOptions, SendPipeStream, pipe_mode::Bytes};
    ///
    /// # let name = format!("interprocess-doc-recv-only-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).create_recv_only::<Bytes>()?;
    /// SendPipeStream::<Bytes>::connect(name)?.send(b"hello")?;
    /// assert_eq!(listener.accept()?.recv(&mut [0; 16])?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create_recv_only<Rm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, pipe_mode::None>> {
        self.create()
    }

    /// [`create`](Self::create), for streams that only send. Clients connect a [`RecvPipeStream`](super::RecvPipeStream).
    pub fn create_send_only<Sm: PipeModeTag>(&self) -> io::Result<PipeListener<pipe_mode::None, Sm>> {
        self.create()
    }
}

/// A server: gives out a [`PipeStream`] for each client that connects to its pipe.
///
/// It can be shared between threads, which may all accept at the same time.
///
/// ```
/// use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Bytes};
///
/// # let name = format!("interprocess-doc-listener-{}", std::process::id());
/// # let name = name.as_str();
/// let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
/// std::thread::scope(|scope| {
///     let server = scope.spawn(|| {
///         for client in &listener {
///             client?.send(b"hello")?;
///         }
///         std::io::Result::Ok(())
///     });
///     assert_eq!(DuplexPipeStream::<Bytes>::connect(name)?.recv(&mut [0; 16])?, 5);
///     listener.stop();
///     server.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Dropping
/// Clients that were not accepted yet are cut off. Streams live on, and the name is not free for another listener before
/// the last of them is dropped, here and at the clients.
pub struct PipeListener<Rm: PipeModeTag, Sm: PipeModeTag> {
    pub(super) inner: Listener,
    path: OsString,
    is_nonblocking: AtomicBool,
    modes: PhantomData<(Rm, Sm)>,
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> PipeListener<Rm, Sm> {
    /// Waits for a client and gives the connection to it. One that has left already is given out all the same, since it may have
    /// sent something.
    ///
    /// # Errors
    /// After any of them the listener can go on.
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): there is none, and the listener is nonblocking.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the listener was [stopped](Self::stop).
    /// - Others: Windows has run out of something, such as memory. The client waits until another instance can be made.
    ///
    /// Stands on `ConnectNamedPipe`.
    pub fn accept(&self) -> io::Result<PipeStream<Rm, Sm>> {
        self.accept_until(Deadline::NEVER)
    }

    /// Like [`accept`](Self::accept), but waits for no longer than `timeout`; zero takes a client only if one is there.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// ```
    /// use interprocess::os::windows::named_pipe::{PipeListenerOptions, pipe_mode::Bytes};
    /// use std::{io::ErrorKind, time::Duration};
    ///
    /// # let name = format!("interprocess-doc-accept-timeout-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = PipeListenerOptions::new().name(name).create_duplex::<Bytes>()?;
    /// let error = listener.accept_timeout(Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept_timeout(&self, timeout: Duration) -> io::Result<PipeStream<Rm, Sm>> {
        self.accept_until(Deadline::after(timeout))
    }

    pub(super) fn accept_until(&self, deadline: Deadline) -> io::Result<PipeStream<Rm, Sm>> {
        match self.inner.accept(deadline, self.is_nonblocking.load(Relaxed)) {
            Ok(stream) => Ok(PipeStream::from_sys(stream)),
            // Part of normal work: not worth the text.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => Err(explain(&self.path, error)),
        }
    }

    /// Iterates over the clients, waiting for each. Ends when the listener is [stopped](Self::stop).
    pub fn incoming(&self) -> Incoming<'_, Rm, Sm> {
        Incoming { listener: self }
    }

    /// Stops the listener for good, from any thread: calls of [`accept`](Self::accept) that wait, and all later ones, return
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and iterators end. The name remains until the listener is dropped.
    pub fn stop(&self) {
        self.inner.stop();
    }

    /// Sets whether `accept` and the streams that it will give out are nonblocking. A call that waits already goes on waiting.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.is_nonblocking.store(nonblocking, Relaxed);
        self.inner.set_accept_nonblocking(nonblocking)
    }

    /// The path, as it was given.
    pub fn path(&self) -> &OsStr {
        &self.path
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> Debug for PipeListener<Rm, Sm> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeListener")
            .field("path", &self.path)
            .field("recv_mode", &Rm::MODE)
            .field("send_mode", &Sm::MODE)
            .finish_non_exhaustive()
    }
}

impl<'a, Rm: PipeModeTag, Sm: PipeModeTag> IntoIterator for &'a PipeListener<Rm, Sm> {
    type Item = io::Result<PipeStream<Rm, Sm>>;
    type IntoIter = Incoming<'a, Rm, Sm>;

    fn into_iter(self) -> Self::IntoIter {
        self.incoming()
    }
}

/// The clients of a [`PipeListener`], one after the other. From [`PipeListener::incoming`]. For an example see [`PipeListener`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct Incoming<'a, Rm: PipeModeTag, Sm: PipeModeTag> {
    listener: &'a PipeListener<Rm, Sm>,
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> Iterator for Incoming<'_, Rm, Sm> {
    type Item = io::Result<PipeStream<Rm, Sm>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Err(_) if self.listener.inner.is_stopped() => None,
            result => Some(result),
        }
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> FusedIterator for Incoming<'_, Rm, Sm> {}
