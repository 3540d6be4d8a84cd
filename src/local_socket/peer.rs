#[cfg(windows)]
use crate::os::windows::security_descriptor::{IntegrityLevel, Sid};
use crate::sys;

/// What numbers a process.
#[cfg(unix)]
pub(crate) type Pid = i32;
/// What numbers a process.
#[cfg(windows)]
pub(crate) type Pid = u32;

/// Who is at the other end of a connection, as the OS vouches for it.
///
/// Decide on the user ([`is_same_user`](Self::is_same_user), `euid`, `sid`), not on the process ID: when the
/// process has ended, the OS may give its ID to another, so that an ID is a hint for logs. On Linux,
/// `StreamExt::peer_pidfd` in `os::unix::local_socket` gets a descriptor that always means the same process.
///
/// # Platform-specific behaviour
/// | | pid | user | group | further groups |
/// |---|---|---|---|---|
/// | Linux, Android | yes | yes | yes | since Linux 4.13 |
/// | macOS and kin | yes | yes | yes | the first 16 in all |
/// | FreeBSD | since 13 | yes | yes | the first 16 in all |
/// | DragonFly BSD | no | yes | yes | the first 16 in all |
/// | NetBSD, OpenBSD | yes | yes | yes | no |
/// | illumos | yes | yes | yes | yes |
/// | Windows | yes | its SID | no | no |
///
/// On Unix the credentials are those that the peer had when it connected or, for a server, when it began to listen
/// (`SO_PEERCRED`, `LOCAL_PEERCRED`, `LOCAL_PEEREID`, `getpeerucred(3C)`). On Windows a server reads the user from the
/// token that the client connected with (`ImpersonateNamedPipeClient`). Clients in other languages that do not ask for
/// static tracking (`SECURITY_SQOS_PRESENT`) can be told only after something was received from them; before, it is
/// [`PermissionDenied`](std::io::ErrorKind::PermissionDenied), and an accept policy turns them away. A client reads the
/// owner of the pipe; of one on another machine, that is [`Unsupported`](std::io::ErrorKind::Unsupported), since it would
/// be that machine's word. Of a socket file (`FilesystemUdSocket`) Windows tells the process only; there the user is that of
/// the process that has the ID now: a hint, too.
#[derive(Clone, Debug)]
pub struct PeerCreds(sys::PeerCreds);

impl PeerCreds {
    pub(crate) fn new(inner: sys::PeerCreds) -> Self {
        Self(inner)
    }

    /// The process ID of the peer, where the OS tells it and our namespace has one for it. A hint: see above.
    pub fn pid(&self) -> Option<Pid> {
        self.0.pid()
    }

    /// Whether the peer runs as the (effective) user that this process runs as.
    pub fn is_same_user(&self) -> bool {
        self.0.is_same_user()
    }
}

/// On Unix.
#[cfg(unix)]
impl PeerCreds {
    /// The effective user ID of the peer.
    pub fn euid(&self) -> Option<u32> {
        Some(self.0.euid())
    }

    /// The effective group ID of the peer.
    pub fn egid(&self) -> Option<u32> {
        self.0.egid()
    }

    /// The further groups of the peer; `None` where the OS does not tell. Whether the effective group is among them
    /// differs: check [`egid`](Self::egid) as well.
    pub fn groups(&self) -> Option<&[u32]> {
        self.0.groups()
    }

    /// Whether the peer may have more [groups](Self::groups) than are listed.
    pub fn groups_truncated(&self) -> bool {
        self.0.groups_truncated()
    }
}

/// On Windows.
#[cfg(windows)]
impl PeerCreds {
    /// The security identifier of the peer's user, in its text form (`S-1-5-…`).
    pub fn sid(&self) -> &str {
        self.0.sid()
    }

    /// The security identifier of the peer's user.
    ///
    /// ```
    /// use interprocess::local_socket::{Listener, Stream};
    /// use interprocess::os::windows::security_descriptor::Sid;
    ///
    /// # let name = format!("@interprocess-doc-user-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = Listener::bind(name)?;
    /// let client = Stream::connect(name)?;
    /// assert_eq!(*client.peer_creds()?.user(), Sid::current_user()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn user(&self) -> &Sid {
        self.0.user()
    }

    /// How far the peer is trusted. For a server it is that of the token that the client connected with, for a client that of
    /// the process that has the server's [process ID](Self::pid), and so a hint; `None` if it cannot be had.
    ///
    /// Stands on `GetTokenInformation` (`TokenIntegrityLevel`).
    ///
    /// ```
    /// use interprocess::local_socket::{Listener, Stream};
    /// use interprocess::os::windows::security_descriptor::IntegrityLevel;
    ///
    /// # let name = format!("@interprocess-doc-integrity-{}", std::process::id());
    /// # let name = name.as_str();
    /// // A server that does not listen to sandboxed clients.
    /// let listener = Listener::bind(name)?;
    /// let client = Stream::connect(name)?;
    /// let level = listener.accept()?.peer_creds()?.integrity_level();
    /// assert!(level >= Some(IntegrityLevel::MEDIUM));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn integrity_level(&self) -> Option<IntegrityLevel> {
        self.0.integrity_level()
    }

    /// The session that the peer runs in.
    pub fn session(&self) -> Option<u32> {
        self.0.session()
    }
}
