use super::{
    PipeMode, PipeStream,
    pipe_mode::{PipeModeTag, PipeStreamRole},
};
use crate::{
    ConnectWaitMode,
    connecting::Patience,
    deadline::Deadline,
    error::about,
    os::windows::{ImpersonationLevel, SecurityQuality},
    sys::windows::{
        named_pipe::{Client, PipePath},
        stream::Stream,
    },
};
use std::{
    ffi::{OsStr, OsString},
    io, thread,
};

/// How to connect a [`PipeStream`].
///
/// ```no_run
/// use interprocess::{
///     ConnectWaitMode,
///     os::windows::named_pipe::{PipeConnectOptions, pipe_mode::Messages},
/// };
/// use std::time::Duration;
///
/// let stream = PipeConnectOptions::new()
///     .name("example")
///     .wait_mode(ConnectWaitMode::Timeout(Duration::from_secs(5)))
///     .wait_for_server(true)
///     .require_same_user(true)
///     .connect::<Messages, Messages>()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a stream is connected with them"]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct PipeConnectOptions {
    path: Option<OsString>,
    wait_mode: ConnectWaitMode,
    wait_for_server: bool,
    require_same_user: bool,
    nonblocking: bool,
    write_through: bool,
    security_quality: SecurityQuality,
}

impl PipeConnectOptions {
    /// Options as [`PipeStream::connect_by_path`] has them, without a path.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path of the pipe: `\\.\pipe\NAME`, or `\\HOST\pipe\NAME` for one on another machine. What is no such path is an error
    /// when the stream is connected.
    pub fn path(mut self, path: impl AsRef<OsStr>) -> Self {
        self.path = Some(path.as_ref().to_owned());
        self
    }

    /// The name of a pipe on this machine: short for the [path](Self::path) `\\.\pipe\NAME`.
    pub fn name(self, name: impl AsRef<OsStr>) -> Self {
        self.path(path_of(OsStr::new("."), name.as_ref()))
    }

    /// The name of a pipe on another machine: short for the [path](Self::path) `\\HOST\pipe\NAME`.
    pub fn name_on(self, host: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> Self {
        self.path(path_of(host.as_ref(), name.as_ref()))
    }

    /// How long to wait when all instances are taken, and, with [`wait_for_server`](Self::wait_for_server), for the pipe to be
    /// created. The default is [`Unbounded`](ConnectWaitMode::Unbounded).
    pub fn wait_mode(mut self, wait_mode: ConnectWaitMode) -> Self {
        self.wait_mode = wait_mode;
        self
    }

    /// Whether to wait for a pipe that does not exist yet. The default is no. It is looked for again and again, with pauses of 1
    /// to 50 milliseconds.
    pub fn wait_for_server(mut self, wait: bool) -> Self {
        self.wait_for_server = wait;
        self
    }

    /// Whether the pipe has to be owned by our user, by administrators or by the system, and on this machine. If it is not,
    /// that is [`PermissionDenied`](io::ErrorKind::PermissionDenied), before anything is sent. The default is no.
    pub fn require_same_user(mut self, require: bool) -> Self {
        self.require_same_user = require;
        self
    }

    /// Whether the stream is nonblocking once it is connected. The default is no. Async streams take no notice.
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// Whether what is sent to another machine is sent at once, instead of being collected for a while. The default is no.
    ///
    /// Stands on `FILE_FLAG_WRITE_THROUGH`.
    pub fn write_through(mut self, write_through: bool) -> Self {
        self.write_through = write_through;
        self
    }

    /// How far the server may act as us. The default is [`Identification`](ImpersonationLevel::Identification): it may know
    /// who we are.
    ///
    /// Stands on `SECURITY_SQOS_PRESENT`, which is always asked for.
    pub fn impersonation_level(mut self, level: ImpersonationLevel) -> Self {
        self.security_quality.level = level;
        self
    }

    /// Whether the server sees who we are at the time when it asks, instead of at the time when we connected (dynamic tracking).
    /// The default is no.
    ///
    /// With it, a server can tell who we are only after it has received something. And what a thread sends while it acts as
    /// somebody else may come in the name of the process instead: what is sent with a timeout, in nonblocking mode or by an
    /// async stream is handed to the system by another thread.
    ///
    /// Stands on `SECURITY_CONTEXT_TRACKING`.
    pub fn dynamic_tracking(mut self, dynamic: bool) -> Self {
        self.security_quality.is_dynamic = dynamic;
        self
    }

    /// Whether the server gets only those privileges and groups of ours that are enabled. The default is no.
    ///
    /// Stands on `SECURITY_EFFECTIVE_ONLY`.
    pub fn effective_only(mut self, effective_only: bool) -> Self {
        self.security_quality.is_effective_only = effective_only;
        self
    }

    /// Connects a stream that receives `Rm` and sends `Sm`.
    ///
    /// # Errors
    /// Each says the path.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): no path, or one that is none of a pipe; also if messages are to be
    ///   received from a pipe that keeps bytes only.
    /// - [`NotFound`](io::ErrorKind::NotFound): there is no such pipe, or no such host.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not connect, or not in these directions, or the server is
    ///   not [whom we want](Self::require_same_user).
    /// - [`TimedOut`](io::ErrorKind::TimedOut): all instances were taken for as long as
    ///   [`Timeout`](ConnectWaitMode::Timeout) says, or there was still no pipe that was [waited for](Self::wait_for_server).
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): the same at once, with [`Deferred`](ConnectWaitMode::Deferred).
    ///
    /// Stands on `CreateFileW`, `WaitNamedPipeW` and `SetNamedPipeHandleState`.
    pub fn connect<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeStream<Rm, Sm>> {
        let mut attempts = Attempts::new::<Rm, Sm>(self)?;
        let wait = attempts.patience.deadline();
        loop {
            match attempts.attempt(wait) {
                Ok(stream) => {
                    stream.set_nonblocking(self.nonblocking)?;
                    return Ok(PipeStream::from_sys(stream));
                }
                Err(error) => thread::sleep(attempts.pause_after(error)?),
            }
        }
    }
}

/// The path of a pipe, if the two are what they should be.
pub(super) fn path_of(host: &OsStr, name: &OsStr) -> OsString {
    let mut path = OsString::from(r"\\");
    path.push(host);
    path.push(r"\pipe\");
    path.push(name);
    path
}

/// Connecting, attempt by attempt.
pub(super) struct Attempts<'o> {
    path: PipePath,
    /// As it was given.
    text: &'o OsStr,
    client: Client,
    is_ours_required: bool,
    patience: Patience,
}

impl<'o> Attempts<'o> {
    pub(super) fn new<Rm: PipeModeTag, Sm: PipeModeTag>(options: &'o PipeConnectOptions) -> io::Result<Self> {
        let text = options.path.as_deref().ok_or_else(no_path)?;
        Ok(Self {
            path: PipePath::new(text).map_err(|error| explain(text, error))?,
            text,
            client: Client {
                role: PipeStreamRole::of::<Rm, Sm>(),
                recv_mode: Rm::MODE.unwrap_or(PipeMode::Bytes),
                security_quality: options.security_quality.flags(),
                is_write_through: options.write_through,
            },
            is_ours_required: options.require_same_user,
            patience: Patience::new(options.wait_mode, options.wait_for_server),
        })
    }

    /// One attempt. Without `wait` it never waits, and the stream is nonblocking.
    pub(super) fn attempt(&self, wait: Option<Deadline>) -> io::Result<Stream> {
        let stream = Stream::open(&self.path, &self.client, wait)?;
        if self.is_ours_required && !stream.server_is_ours()? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the pipe belongs to another user"));
        }
        Ok(stream)
    }

    /// How long to wait until the next attempt; an error if there is to be none.
    pub(super) fn pause_after(&mut self, error: io::Error) -> io::Result<std::time::Duration> {
        self.patience.pause_after(error).map_err(|error| explain(self.text, error))
    }
}

pub(super) fn no_path() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "no path was given")
}

/// The same error, saying which pipe it concerns.
pub(super) fn explain(path: &OsStr, error: io::Error) -> io::Error {
    about(format_args!("named pipe \"{}\"", path.to_string_lossy()), error)
}
