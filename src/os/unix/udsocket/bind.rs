use super::{
    Listener, Socket, ToUdSocketPath,
    kind::{Connection, Datagram},
};
use crate::{
    error::about,
    local_socket::{Access, ExistingName},
    sys::{
        self,
        unix::{endpoint::Endpoint, name_file, socket},
    },
};
use rustix::net::SocketType;
use std::{io, os::fd::AsFd, time::Duration};

/// How to bind a socket to its address: who may reach it, and what becomes of its file.
///
/// ```
/// use interprocess::{local_socket::Access, os::unix::udsocket::{BindOptions, UdStreamListener}};
///
/// # let dir = std::env::temp_dir().join(format!("interprocess-doc-bind-{}", std::process::id()));
/// # std::fs::create_dir(&dir)?;
/// # let path = dir.join("socket");
/// let listener: UdStreamListener = BindOptions::new().access(Access::Group).backlog(16).bind(&path)?;
/// # drop(listener);
/// # std::fs::remove_dir(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a socket is bound with them"]
pub struct BindOptions {
    access: Access,
    mode: Option<u32>,
    existing: ExistingName,
    reclaim_name: bool,
    backlog: Option<u32>,
    max_spin_time: Option<Duration>,
}

impl BindOptions {
    /// The defaults: for our user alone, in place of a dead socket, and deleted when the socket is dropped.
    pub fn new() -> Self {
        Self {
            access: Access::Owner,
            mode: None,
            existing: ExistingName::default(),
            reclaim_name: true,
            backlog: None,
            max_spin_time: None,
        }
    }

    /// Who may reach the socket. The default is [`Access::Owner`].
    ///
    /// It sets the permissions of a socket file, and `accept` drops peers that it does not let in: so abstract names, which have no
    /// permissions, are guarded as well. Datagrams have no `accept`: everybody can send to an abstract name. There,
    /// [credentials](Socket::set_pass_credentials) tell who does.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The permissions of the socket file: who may write to it may connect or send. The default follows
    /// [`access`](Self::access). They are in force before anybody can connect, and the `umask` does not change them.
    ///
    /// # Platform-specific behaviour
    /// On Linux the file is made with them. Elsewhere it may get them a moment after it is made, when datagrams can arrive already,
    /// from those whom the `umask` lets in.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode & 0o777);
        self
    }

    /// What to do about a socket file that is there already. What is there and is no socket is never replaced.
    ///
    /// To [steal](ExistingName::Steal) a name for datagrams leaves a moment in which nobody has it.
    pub fn existing_name(mut self, existing: ExistingName) -> Self {
        self.existing = existing;
        self
    }

    /// Whether dropping the socket deletes the socket file that it made, as long as it is still its own. The default is yes.
    pub fn reclaim_name(mut self, reclaim: bool) -> Self {
        self.reclaim_name = reclaim;
        self
    }

    /// How many clients may have connected without having been accepted. The default is 4096; the system has an upper limit of
    /// its own.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = Some(backlog);
        self
    }

    /// How long binding may wait for other processes that create or remove names in the same directory. The default is one
    /// second.
    pub fn max_spin_time(mut self, limit: Duration) -> Self {
        self.max_spin_time = Some(limit);
        self
    }

    /// Binds a listener.
    ///
    /// # Errors
    /// Each names the address.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): an address that is not possible.
    /// - [`AddrInUse`](io::ErrorKind::AddrInUse): somebody has it; or the path is taken by something that is no socket; or by a
    ///   dead socket, with [`ExistingName::Fail`].
    /// - [`NotFound`](io::ErrorKind::NotFound), [`NotADirectory`](io::ErrorKind::NotADirectory),
    ///   [`PermissionDenied`](io::ErrorKind::PermissionDenied): the directory of the path is missing, is none, or may not be
    ///   written.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): see [`max_spin_time`](Self::max_spin_time).
    /// - [`Unsupported`](io::ErrorKind::Unsupported): an address of no name, where there is no autobind.
    ///
    /// Stands on `bind(2)` and `listen(2)`.
    pub fn bind<'a, K: Connection>(&self, path: impl ToUdSocketPath<'a>) -> io::Result<Listener<K>> {
        let path = path.to_socket_path()?;
        let listener = sys::Listener::bound(
            K::TYPE,
            &path.to_address()?,
            &self.file_options(Some(self.backlog.unwrap_or(name_file::DEFAULT_BACKLOG))),
        )
        .map_err(|error| about(&path, error))?;
        Ok(Listener::new(listener, self.access))
    }

    /// Binds a socket for datagrams.
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    ///
    /// Stands on `bind(2)`.
    pub fn bind_datagram<'a>(&self, path: impl ToUdSocketPath<'a>) -> io::Result<Socket<Datagram>> {
        let path = path.to_socket_path()?;
        let fd = socket::new(SocketType::DGRAM, false)?;
        let file = name_file::bind(fd.as_fd(), &path.to_address()?, &self.file_options(None))
            .map_err(|error| about(&path, error))?;
        Ok(Socket::with_file(Endpoint::new(fd, false).of_kind(SocketType::DGRAM), file))
    }

    fn file_options(&self, backlog: Option<u32>) -> name_file::Options {
        name_file::Options {
            mode: self.mode.unwrap_or(self.access.file_mode()),
            for_our_group: self.mode.is_none() && self.access == Access::Group,
            backlog,
            existing: self.existing,
            max_spin_time: self.max_spin_time,
            remove_on_drop: self.reclaim_name,
        }
    }
}

impl Default for BindOptions {
    fn default() -> Self {
        Self::new()
    }
}
