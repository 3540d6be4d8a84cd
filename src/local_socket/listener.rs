use super::{Name, PeerCreds, Stream, ToName, name::NameOption, traits};
use crate::{deadline::Deadline, sys};
use std::{
    fmt::{self, Debug, Formatter},
    io,
    iter::FusedIterator,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Who gets a connection to a [`Listener`].
///
/// # Platform-specific behaviour
/// | | `Owner` | `Group` | `Everyone` |
/// |---|---|---|---|
/// | mode of a socket file | 0600 | 0660 | 0666 |
/// | who passes `accept` on Unix | our user and root | also who is in our effective group | all |
/// | access list on Windows, of a pipe or a socket file | our user, administrators, SYSTEM | also our token's primary group | also Everyone |
///
/// On NetBSD and OpenBSD, which do not tell a peer's further groups, `Group` goes by the effective one. With
/// `ListenerOptionsExt::mode`, `Group` means the group that the system gives the file.
///
/// On Windows, the primary group is as a rule one that all users of the machine or the domain are in (`None`,
/// `Domain Users`), which makes `Group` hardly less than `Everyone`.
///
/// On Unix, `accept` checks each peer's credentials as well, because abstract names on Linux have no permissions, and
/// silently drops whom it does not admit. Our user is the one that made the listener or took it over, and the one that the
/// process runs as by then, should that be another. On Windows the system refuses strangers: they never get as far as `accept`.
/// Nobody but the owner and administrators may add instances to a pipe of ours, whoever may connect.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Our user and the administrators.
    #[default]
    Owner,
    /// The members of our group, too.
    Group,
    /// Every user of the machine.
    Everyone,
}

/// What [`ListenerOptions`] do about a socket file that is there already.
///
/// # Platform-specific behaviour
/// Names that leave no file (those of pipes on Windows, namespaced ones on Linux and Android) cease with their owner. There is
/// nothing to take over, and no way to steal one: if somebody has the name, that is an error. On Windows, a client that has not
/// closed its end of a connection keeps the name in use, even if the server is gone.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExistingName {
    /// Fail with [`AddrInUse`](io::ErrorKind::AddrInUse).
    Fail,
    /// Take it over if no socket is bound to it any more, as after a crash; else fail with
    /// [`AddrInUse`](io::ErrorKind::AddrInUse). A living owner does not notice that it was looked at.
    #[default]
    TakeOverIfDead,
    /// Put the new listener in its place even if the old one is alive. The old one keeps its connections and gets no
    /// more. The name is never without a listener in between (unless the directory's path is so long that it leaves no
    /// room for a second name).
    Steal,
}

#[cfg(unix)]
impl Access {
    /// The permissions of a socket file.
    pub(crate) fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
            Self::Everyone => 0o666,
        }
    }
}

/// Which parts of a [`Listener`] are nonblocking.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ListenerNonblockingMode {
    /// None.
    #[default]
    Neither,
    /// Accepting: without a client it is [`WouldBlock`](io::ErrorKind::WouldBlock).
    Accept,
    /// The streams that are accepted.
    Stream,
    /// Both.
    Both,
}

impl ListenerNonblockingMode {
    /// The mode in which `accept` and the accepted streams are nonblocking, or not.
    pub const fn from_bool(accept: bool, stream: bool) -> Self {
        match (accept, stream) {
            (false, false) => Self::Neither,
            (true, false) => Self::Accept,
            (false, true) => Self::Stream,
            (true, true) => Self::Both,
        }
    }

    /// Whether accepting is nonblocking.
    pub const fn accept_nonblocking(self) -> bool {
        matches!(self, Self::Accept | Self::Both)
    }

    /// Whether the accepted streams are nonblocking.
    pub const fn stream_nonblocking(self) -> bool {
        matches!(self, Self::Stream | Self::Both)
    }
}

type AcceptPolicy = Arc<dyn Fn(&PeerCreds) -> bool + Send + Sync>;

/// How to create a [`Listener`].
///
/// ```
/// use interprocess::local_socket::{Access, ListenerOptions};
///
/// # let name = format!("@interprocess-doc-options-{}", std::process::id());
/// let listener = ListenerOptions::new().name(name).access(Access::Group).backlog(16).create_sync()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a listener is created with them"]
pub struct ListenerOptions<'n> {
    name: NameOption<'n>,
    nonblocking: ListenerNonblockingMode,
    policy: Option<AcceptPolicy>,
    access: Option<Access>,
    pub(crate) reclaim_name: bool,
    pub(crate) existing: ExistingName,
    pub(crate) max_spin_time: Option<Duration>,
    pub(crate) backlog: Option<u32>,
    #[cfg(unix)]
    pub(crate) mode: Option<u32>,
    #[cfg(windows)]
    pub(crate) security_descriptor: Option<crate::os::windows::security_descriptor::SecurityDescriptor>,
    #[cfg(windows)]
    pub(crate) accept_remote: bool,
}

impl Default for ListenerOptions<'_> {
    fn default() -> Self {
        Self {
            name: NameOption::default(),
            nonblocking: ListenerNonblockingMode::Neither,
            policy: None,
            access: None,
            reclaim_name: true,
            existing: ExistingName::TakeOverIfDead,
            max_spin_time: None,
            backlog: None,
            #[cfg(unix)]
            mode: None,
            #[cfg(windows)]
            security_descriptor: None,
            #[cfg(windows)]
            accept_remote: false,
        }
    }
}

impl<'n> ListenerOptions<'n> {
    /// Options as [`Listener::bind`] has them, without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name to listen on. A name that is not possible is an error when the listener is created.
    pub fn name(mut self, name: impl ToName<'n>) -> Self {
        self.name = NameOption::from(name.to_name());
        self
    }

    /// Which parts are nonblocking. The default is neither.
    pub fn nonblocking(mut self, nonblocking: ListenerNonblockingMode) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// Whether dropping the listener deletes the socket file that it made. The default is yes. It is only deleted while
    /// it is still the listener's own.
    pub fn reclaim_name(mut self, reclaim: bool) -> Self {
        self.reclaim_name = reclaim;
        self
    }

    /// What to do about a socket file that is there already. What is there and is no socket is never replaced.
    pub fn existing_name(mut self, existing: ExistingName) -> Self {
        self.existing = existing;
        self
    }

    /// Short for [`existing_name`](Self::existing_name): `true` is [`ExistingName::Steal`], `false` the default.
    pub fn try_overwrite(self, overwrite: bool) -> Self {
        self.existing_name(if overwrite { ExistingName::Steal } else { ExistingName::default() })
    }

    /// How long creating the listener may wait for other processes that create or remove names in the same directory.
    /// The default is one second; then a name that is there already is [`TimedOut`](io::ErrorKind::TimedOut), and a free one is
    /// taken all the same.
    ///
    /// # Platform-specific behaviour
    /// Used for names that are files. On Windows nothing is locked; there it limits how long a name may come and go before
    /// that is [`AddrInUse`](io::ErrorKind::AddrInUse).
    pub fn max_spin_time(mut self, limit: Duration) -> Self {
        self.max_spin_time = Some(limit);
        self
    }

    /// How many clients may have connected without having been accepted.
    ///
    /// # Platform-specific behaviour
    /// - Unix: the backlog of `listen(2)`. The default is 4096; the system has an upper limit of its own. Linux counts one
    ///   more than it is told, and clients beyond wait; elsewhere they are refused.
    /// - Windows: how many instances of the pipe are ready for a client at any time, 1 to 255. The default is 16. Clients
    ///   beyond wait. For a socket file, it is as on Unix, and clients beyond are refused.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = Some(backlog);
        self
    }

    /// Who gets a connection. The default is [`Access::Owner`].
    pub fn access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// Decides on each client by its credentials; those that are turned down are dropped without a word. This takes the
    /// place of the check that `accept` makes for [`Access`]; the permissions on the name itself remain, so widen
    /// [`access`](Self::access) as well to let other users in.
    ///
    /// A client whose credentials the OS does not tell, because it is gone already, is dropped.
    ///
    /// ```
    /// use interprocess::local_socket::{Access, ListenerOptions};
    ///
    /// # let name = format!("@interprocess-doc-policy-{}", std::process::id());
    /// let listener = ListenerOptions::new()
    ///     .name(name)
    ///     .access(Access::Everyone)
    ///     .accept_policy(|peer| peer.is_same_user() || peer.pid() == Some(1))
    ///     .create_sync()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept_policy(mut self, policy: impl Fn(&PeerCreds) -> bool + Send + Sync + 'static) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Creates the listener.
    ///
    /// # Errors
    /// Each says the name.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): no name, or one that is not possible here.
    /// - [`AddrInUse`](io::ErrorKind::AddrInUse): somebody listens on it; or the path is taken by something that is no
    ///   socket; or by a dead socket, with [`ExistingName::Fail`].
    /// - [`NotFound`](io::ErrorKind::NotFound), [`NotADirectory`](io::ErrorKind::NotADirectory),
    ///   [`PermissionDenied`](io::ErrorKind::PermissionDenied): the directory of the path is missing, is none, or may not
    ///   be written.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): see [`max_spin_time`](Self::max_spin_time).
    ///
    /// Stands on `bind(2)` and `listen(2)`; `NtCreateNamedPipeFile` on Windows.
    pub fn create_sync(self) -> io::Result<Listener> {
        let name = self.name.get()?.into_owned();
        let inner = sys::Listener::bind(&name, &self).map_err(|error| name.explain(error))?;
        let listener = Listener {
            inner,
            name,
            guard: match self.policy {
                Some(policy) => Guard::Policy(policy),
                None => Guard::Access(self.effective_access()),
            },
            stream_nonblocking: AtomicBool::new(self.nonblocking.stream_nonblocking()),
            #[cfg(feature = "async")]
            stop_tasks: crate::runtime::WakerList::default(),
        };
        if self.nonblocking.accept_nonblocking() {
            listener.inner.set_accept_nonblocking(true)?;
        }
        Ok(listener)
    }

    /// What was asked for, or what the mode of the file implies.
    pub(crate) fn effective_access(&self) -> Access {
        #[cfg(unix)]
        if let (None, Some(mode)) = (self.access, self.mode) {
            return match mode {
                mode if mode & 0o002 != 0 => Access::Everyone,
                mode if mode & 0o020 != 0 => Access::Group,
                _ => Access::Owner,
            };
        }
        self.access.unwrap_or_default()
    }

    /// The permissions of the socket file.
    #[cfg(unix)]
    pub(crate) fn file_mode(&self) -> u32 {
        self.mode.unwrap_or(self.effective_access().file_mode())
    }
}

impl Debug for ListenerOptions<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerOptions")
            .field("name", &self.name)
            .field("nonblocking", &self.nonblocking)
            .field("access", &self.effective_access())
            .field("existing_name", &self.existing)
            .field("reclaim_name", &self.reclaim_name)
            .field("backlog", &self.backlog)
            .finish_non_exhaustive()
    }
}

/// Who passes `accept`.
#[derive(Clone)]
enum Guard {
    Access(Access),
    Policy(AcceptPolicy),
}

impl Debug for Guard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access(access) => Debug::fmt(access, f),
            Self::Policy(_) => f.write_str("accept policy"),
        }
    }
}

/// A server: gives out a [`Stream`] for each client that connects to its name.
///
/// It can be shared between threads, which may all accept at the same time. It is an iterator over the clients, as is
/// [`incoming`](Self::incoming) for a shared one.
///
/// # Dropping
/// Clients that were not accepted yet are cut off, the name becomes free, and its socket file, if there is one, is
/// deleted, provided that it is still this listener's. (It is left, dead, if other processes are busy in its directory for 100
/// milliseconds, or the directory may not be read. The next listener of that name takes it over.) Streams live on.
///
/// # Platform-specific behaviour
/// On Windows both ends of a connection belong to the pipe: the name is not free for another listener before the last stream is
/// dropped here and at the clients. While there are streams here, a client that connects waits, as for a listener that is busy.
#[derive(Debug)]
pub struct Listener {
    pub(crate) inner: sys::Listener,
    name: Name<'static>,
    guard: Guard,
    pub(crate) stream_nonblocking: AtomicBool,
    /// Tasks that are to learn when the listener is stopped.
    #[cfg(feature = "async")]
    pub(crate) stop_tasks: crate::runtime::WakerList,
}

impl Listener {
    /// Creates a listener with that name, and with the defaults of [`ListenerOptions`].
    ///
    /// # Errors
    /// See [`ListenerOptions::create_sync`].
    pub fn bind<'n>(name: impl ToName<'n>) -> io::Result<Self> {
        ListenerOptions::new().name(name).create_sync()
    }

    /// A listener that a service manager has opened for this process, by the protocol of systemd's socket activation
    /// (`LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`).
    ///
    /// `fd_name` is what the service manager calls it (`FileDescriptorName=`); `None` is the only one that was passed. Each
    /// is given out once. Who gets a connection is decided by the permissions that the service manager gave the socket:
    /// `accept` turns nobody away. Dropping the listener leaves the name alone, and stopping it stops only this object.
    ///
    /// # Errors
    /// - [`NotFound`](io::ErrorKind::NotFound): none was passed to this process, or none of that name is left.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): several were passed, and no name says which.
    /// - [`InvalidData`](io::ErrorKind::InvalidData): the environment lies: it does not make sense, or the descriptor is
    ///   not a local socket that listens.
    /// - [`Unsupported`](io::ErrorKind::Unsupported) on Windows.
    ///
    /// ```no_run
    /// use interprocess::local_socket::Listener;
    /// use std::io::ErrorKind;
    ///
    /// let listener = match Listener::from_activation(None) {
    ///     Err(error) if error.kind() == ErrorKind::NotFound => Listener::bind("/run/example.sock")?,
    ///     other => other?,
    /// };
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_activation(fd_name: Option<&str>) -> io::Result<Self> {
        let (inner, name) = sys::activated_listener(fd_name)?;
        Ok(Self::from_inner(inner, name))
    }

    /// Takes a listener that somebody else opened, with the access that it has.
    pub(crate) fn from_inner(inner: sys::Listener, name: Name<'static>) -> Self {
        Self {
            inner,
            name,
            guard: Guard::Access(Access::Everyone),
            stream_nonblocking: AtomicBool::new(false),
            #[cfg(feature = "async")]
            stop_tasks: crate::runtime::WakerList::default(),
        }
    }

    #[cfg(unix)]
    pub(crate) fn set_guard(&mut self, access: Access) {
        self.guard = Guard::Access(access);
    }

    /// Waits for a client and gives the connection to it.
    ///
    /// # Errors
    /// After any of them the listener can go on.
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): there is none, and accepting is nonblocking.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the listener was [stopped](Self::stop).
    /// - The OS has run out of something, such as descriptors (`EMFILE`). The client still waits. Make room, or wait a
    ///   little, before trying again.
    ///
    /// Stands on `accept4(2)`, or `accept(2)` where that is missing; `ConnectNamedPipe` on Windows.
    pub fn accept(&self) -> io::Result<Stream> {
        self.accept_until(Deadline::NEVER)
    }

    /// Like [`accept`](Self::accept), but waits for no longer than `timeout`; zero takes a client only if one is there.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn accept_timeout(&self, timeout: Duration) -> io::Result<Stream> {
        self.accept_until(Deadline::after(timeout))
    }

    fn accept_until(&self, deadline: Deadline) -> io::Result<Stream> {
        loop {
            if let Some(stream) = self.accept_one(deadline)? {
                return Ok(stream);
            }
            // Strangers who keep coming must not keep us past the deadline.
            if deadline.has_passed() {
                return Err(self.name.explain(io::ErrorKind::TimedOut.into()));
            }
        }
    }

    /// The next client; `None` if it was turned away.
    pub(crate) fn accept_one(&self, deadline: Deadline) -> io::Result<Option<Stream>> {
        match self.inner.accept(deadline, self.stream_nonblocking.load(Relaxed)) {
            Ok(stream) => Ok(self.admits(&stream).then_some(Stream(stream))),
            // Part of normal work: not worth the text.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => Err(self.name.explain(error)),
        }
    }

    fn admits(&self, stream: &sys::Stream) -> bool {
        // Who cannot be told has left, or is nobody whom we know: out, and on to the next.
        match &self.guard {
            Guard::Access(access) => stream.peer_is_admitted(*access, &self.inner).unwrap_or(false),
            Guard::Policy(policy) => stream.peer_creds().is_ok_and(|creds| policy(&PeerCreds::new(creds))),
        }
    }

    /// Iterates over the clients, waiting for each. Ends when the listener is [stopped](Self::stop).
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Stops the listener for good, from any thread: calls of [`accept`](Self::accept) that wait, and all later ones, return
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and iterators end. The name remains until the listener is dropped.
    ///
    /// ```
    /// use interprocess::local_socket::Listener;
    ///
    /// # let name = format!("@interprocess-doc-stop-{}", std::process::id());
    /// let listener = Listener::bind(name)?;
    /// std::thread::scope(|scope| {
    ///     let server = scope.spawn(|| listener.incoming().count());
    ///     listener.stop();
    ///     assert_eq!(server.join().unwrap(), 0);
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stop(&self) {
        self.inner.stop();
        #[cfg(feature = "async")]
        self.stop_tasks.wake();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.inner.is_stopped()
    }

    /// Sets which parts are nonblocking. A call of `accept` that waits already goes on waiting.
    pub fn set_nonblocking(&self, mode: impl Into<ListenerNonblockingMode>) -> io::Result<()> {
        let mode = mode.into();
        self.inner.set_accept_nonblocking(mode.accept_nonblocking())?;
        self.stream_nonblocking.store(mode.stream_nonblocking(), Relaxed);
        Ok(())
    }

    /// Leaves the socket file where it is when the listener is dropped.
    pub fn do_not_reclaim_name_on_drop(&mut self) {
        self.inner.keep_name();
    }

    /// The name that the listener was created with.
    pub fn name(&self) -> &Name<'static> {
        &self.name
    }
}

impl Iterator for Listener {
    type Item = io::Result<Stream>;

    fn next(&mut self) -> Option<Self::Item> {
        self.incoming().next()
    }
}

impl FusedIterator for Listener {}

impl<'a> IntoIterator for &'a Listener {
    type Item = io::Result<Stream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// The clients of a [`Listener`], one after the other. From [`Listener::incoming`].
#[derive(Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct Incoming<'a, L = Listener> {
    listener: &'a L,
}

impl<L> Clone for Incoming<'_, L> {
    fn clone(&self) -> Self {
        Self { listener: self.listener }
    }
}

impl<'a, L: traits::Listener> From<&'a L> for Incoming<'a, L> {
    fn from(listener: &'a L) -> Self {
        Self { listener }
    }
}

impl<L: traits::Listener> Iterator for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Err(_) if self.listener.is_stopped() => None,
            result => Some(result),
        }
    }
}

impl<L: traits::Listener> FusedIterator for Incoming<'_, L> {}
