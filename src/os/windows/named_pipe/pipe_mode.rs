//! What a direction of a pipe carries, as types: [`Bytes`], [`Messages`] or [`None`]; and as values.
//!
//! The types are parameters of [`PipeStream`](super::PipeStream) and [`PipeListener`](super::PipeListener): first what is
//! received, then what is sent.
//!
//! ```
//! use interprocess::os::windows::named_pipe::{PipeListenerOptions, PipeStream, pipe_mode};
//!
//! # let name = format!("interprocess-doc-modes-{}", std::process::id());
//! # let name = name.as_str();
//! // The server receives messages and sends nothing, so the client sends messages and receives nothing.
//! let listener = PipeListenerOptions::new().name(name).create::<pipe_mode::Messages, pipe_mode::None>()?;
//! let client = PipeStream::<pipe_mode::None, pipe_mode::Messages>::connect(name)?;
//! client.send(b"hello")?;
//! let mut msg = Vec::new();
//! assert_eq!(listener.accept()?.recv_msg(&mut msg)?, Some(5));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{fmt::Debug, time::Duration};
use windows_sys::Win32::{
    Storage::FileSystem::{PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND},
    System::Pipes::{PIPE_READMODE_BYTE, PIPE_READMODE_MESSAGE, PIPE_TYPE_BYTE, PIPE_TYPE_MESSAGE},
};

/// Nothing: the direction does not exist. For an example see [`pipe_mode`](self).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum None {}

/// Bytes, without boundaries. For an example see [`PipeStream`](super::PipeStream).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Bytes {}

/// Messages, each of which arrives as it was sent. One may be of zero bytes. For an example see [`named_pipe`](super).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Messages {}

/// [`None`], [`Bytes`] or [`Messages`]: for code that is generic over what pipes carry.
///
/// ```
/// use interprocess::os::windows::named_pipe::{PipeStream, pipe_mode::PipeModeTag};
///
/// fn is_ours<Rm: PipeModeTag, Sm: PipeModeTag>(pipe: &PipeStream<Rm, Sm>) -> std::io::Result<bool> {
///     Ok(pipe.peer_creds()?.is_same_user())
/// }
/// ```
pub trait PipeModeTag: sealed::Sealed + Copy + Debug + Eq + Send + Sync + Unpin + 'static {
    /// The same as a value.
    const MODE: Option<PipeMode>;
}

/// [`Bytes`] or [`Messages`]: for code that needs a direction, such as
/// [`create_as`](crate::os::windows::unnamed_pipe::CreationOptions::create_as).
pub trait NotNone: PipeModeTag {}

impl PipeModeTag for None {
    const MODE: Option<PipeMode> = Option::None;
}

impl PipeModeTag for Bytes {
    const MODE: Option<PipeMode> = Some(PipeMode::Bytes);
}

impl PipeModeTag for Messages {
    const MODE: Option<PipeMode> = Some(PipeMode::Messages);
}

impl NotNone for Bytes {}
impl NotNone for Messages {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::None {}
    impl Sealed for super::Bytes {}
    impl Sealed for super::Messages {}
}

/// What a pipe keeps of what is sent into it.
///
/// ```
/// use interprocess::os::windows::named_pipe::{PipeMode, pipe_mode::{Messages, PipeModeTag}};
///
/// assert_eq!(Messages::MODE, Some(PipeMode::Messages));
/// assert_eq!(PipeMode::try_from(PipeMode::Messages.to_readmode()), Ok(PipeMode::Messages));
/// ```
#[repr(u32)]
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum PipeMode {
    /// Only the bytes.
    Bytes = PIPE_TYPE_BYTE,
    /// Also where each message ends. It can be received as bytes nevertheless.
    Messages = PIPE_TYPE_MESSAGE,
}

impl PipeMode {
    /// The `PIPE_TYPE_*` constant.
    pub const fn to_pipe_type(self) -> u32 {
        self as u32
    }

    /// The `PIPE_READMODE_*` constant.
    pub const fn to_readmode(self) -> u32 {
        match self {
            Self::Bytes => PIPE_READMODE_BYTE,
            Self::Messages => PIPE_READMODE_MESSAGE,
        }
    }
}

/// From a `PIPE_TYPE_*` or `PIPE_READMODE_*` constant. It fails for any other number.
impl TryFrom<u32> for PipeMode {
    type Error = ();

    fn try_from(constant: u32) -> Result<Self, ()> {
        const { assert!(PIPE_TYPE_BYTE == PIPE_READMODE_BYTE) };
        match constant {
            PIPE_TYPE_BYTE => Ok(Self::Bytes),
            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE => Ok(Self::Messages),
            _ => Err(()),
        }
    }
}

/// Which way data goes, seen from outside.
///
/// ```
/// use interprocess::os::windows::named_pipe::{PipeDirection, PipeStreamRole};
///
/// assert_eq!(PipeDirection::ClientToServer.server_role(), PipeStreamRole::Recver);
/// assert_eq!(PipeStreamRole::Recver.direction_as_client(), PipeDirection::ServerToClient);
/// ```
#[repr(u32)]
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum PipeDirection {
    /// Clients send, the server receives.
    ClientToServer = PIPE_ACCESS_INBOUND,
    /// The server sends, clients receive.
    ServerToClient = PIPE_ACCESS_OUTBOUND,
    /// Both.
    Duplex = PIPE_ACCESS_DUPLEX,
}

impl PipeDirection {
    /// What the client does.
    pub const fn client_role(self) -> PipeStreamRole {
        match self {
            Self::ClientToServer => PipeStreamRole::Sender,
            Self::ServerToClient => PipeStreamRole::Recver,
            Self::Duplex => PipeStreamRole::RecverAndSender,
        }
    }

    /// What the server does.
    pub const fn server_role(self) -> PipeStreamRole {
        match self {
            Self::ClientToServer => PipeStreamRole::Recver,
            Self::ServerToClient => PipeStreamRole::Sender,
            Self::Duplex => PipeStreamRole::RecverAndSender,
        }
    }
}

/// From a `PIPE_ACCESS_*` constant. It fails for any other number.
impl TryFrom<u32> for PipeDirection {
    type Error = ();

    fn try_from(constant: u32) -> Result<Self, ()> {
        match constant {
            PIPE_ACCESS_INBOUND => Ok(Self::ClientToServer),
            PIPE_ACCESS_OUTBOUND => Ok(Self::ServerToClient),
            PIPE_ACCESS_DUPLEX => Ok(Self::Duplex),
            _ => Err(()),
        }
    }
}

/// The `PIPE_ACCESS_*` constant.
impl From<PipeDirection> for u32 {
    fn from(direction: PipeDirection) -> Self {
        direction as Self
    }
}

/// What one end of a pipe does. For an example see [`PipeDirection`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum PipeStreamRole {
    /// It only receives.
    Recver,
    /// It only sends.
    Sender,
    /// It does both.
    RecverAndSender,
}

impl PipeStreamRole {
    /// Which way data goes if that is what the server does.
    pub const fn direction_as_server(self) -> PipeDirection {
        match self {
            Self::Recver => PipeDirection::ClientToServer,
            Self::Sender => PipeDirection::ServerToClient,
            Self::RecverAndSender => PipeDirection::Duplex,
        }
    }

    /// Which way data goes if that is what the client does.
    pub const fn direction_as_client(self) -> PipeDirection {
        match self {
            Self::Recver => PipeDirection::ServerToClient,
            Self::Sender => PipeDirection::ClientToServer,
            Self::RecverAndSender => PipeDirection::Duplex,
        }
    }

    pub(crate) const fn recvs(self) -> bool {
        matches!(self, Self::Recver | Self::RecverAndSender)
    }

    pub(crate) const fn sends(self) -> bool {
        matches!(self, Self::Sender | Self::RecverAndSender)
    }

    /// What an end does that receives the one and sends the other. A pipe that does neither does not compile.
    pub(crate) const fn of<Rm: PipeModeTag, Sm: PipeModeTag>() -> Self {
        const {
            assert!(Rm::MODE.is_some() || Sm::MODE.is_some(), "a pipe has to receive or to send something");
        };
        match (Rm::MODE, Sm::MODE) {
            (Some(_), Some(_)) => Self::RecverAndSender,
            (Some(_), Option::None) => Self::Recver,
            (Option::None, _) => Self::Sender,
        }
    }
}

/// How long a client waits for a free instance if it leaves that to the server (`NMPWAIT_USE_DEFAULT_WAIT`), in milliseconds. See
/// [`PipeListenerOptions::wait_timeout`](super::PipeListenerOptions::wait_timeout).
///
/// ```
/// use interprocess::os::windows::named_pipe::WaitTimeout;
/// use std::time::Duration;
///
/// assert_eq!(WaitTimeout::from_duration_clamped(Duration::from_secs(2)).to_raw(), 2000);
/// assert_eq!(WaitTimeout::from_duration_clamped(Duration::ZERO), WaitTimeout::MIN);
/// assert_eq!(WaitTimeout::from_duration_clamped(Duration::MAX), WaitTimeout::MAX);
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitTimeout(u32);

impl WaitTimeout {
    /// What Windows takes: 50 milliseconds.
    pub const DEFAULT: Self = Self(0);
    /// The least: 1 millisecond.
    pub const MIN: Self = Self(1);
    /// The most that ends: some 49 days.
    pub const MAX: Self = Self(u32::MAX - 1);
    /// For as long as it takes.
    pub const FOREVER: Self = Self(u32::MAX);

    /// From the number that `CreateNamedPipeW` takes: milliseconds, or one of the special values 0 and `u32::MAX`.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// From milliseconds; 0 is taken for [`MIN`](Self::MIN), and too many for [`MAX`](Self::MAX).
    pub const fn from_millis_clamped(millis: u32) -> Self {
        match Self(millis) {
            Self::DEFAULT => Self::MIN,
            Self::FOREVER => Self::MAX,
            timeout => timeout,
        }
    }

    /// From a duration, rounded down to milliseconds; less than one is taken for [`MIN`](Self::MIN), and too many for
    /// [`MAX`](Self::MAX).
    #[allow(clippy::cast_possible_truncation, reason = "what does not fit was sorted out")]
    pub const fn from_duration_clamped(duration: Duration) -> Self {
        let millis = duration.as_millis();
        if millis > Self::MAX.0 as u128 { Self::MAX } else { Self::from_millis_clamped(millis as u32) }
    }

    /// The number that `CreateNamedPipeW` takes.
    pub const fn to_raw(self) -> u32 {
        self.0
    }
}

/// As [`WaitTimeout::to_raw`].
impl From<WaitTimeout> for u32 {
    fn from(timeout: WaitTimeout) -> Self {
        timeout.to_raw()
    }
}
