//! What interprocess 1.2 has.

#[cfg(feature = "async")]
mod asynchronous;
mod names;
#[cfg(feature = "nonblocking")]
#[deprecated(note = "`local_socket::smol` has the same; `local_socket::tokio` is for Tokio")]
pub mod nonblocking;
#[cfg(unix)]
pub(crate) mod unix;
#[cfg(windows)]
pub(crate) mod windows;

#[cfg(feature = "smol")]
pub(crate) use asynchronous::smol;
#[cfg(feature = "tokio")]
pub(crate) use asynchronous::tokio;
pub use names::{LocalSocketName, NameTypeSupport, NamespacedByOne, ToLocalSocketName};

use crate::{
    local_socket::{Listener, ListenerNonblockingMode, Stream},
    unnamed_pipe::{Recver, Sender},
};
use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    io,
};

/// What interprocess 1.2 called [`Listener`], which new code uses.
pub type LocalSocketListener = Listener;

/// What interprocess 1.2 called [`Stream`], which new code uses.
pub type LocalSocketStream = Stream;

/// What interprocess 1.2 called [`Recver`], which new code uses.
pub type UnnamedPipeReader = Recver;

/// What interprocess 1.2 called [`Sender`], which new code uses.
pub type UnnamedPipeWriter = Sender;

/// `true` is [`Accept`](Self::Accept): interprocess 1.2 passes a `bool` to
/// [`set_nonblocking`](Listener::set_nonblocking). New code says which mode it means.
impl From<bool> for ListenerNonblockingMode {
    fn from(accept: bool) -> Self {
        Self::from_bool(accept, false)
    }
}

/// Receiving messages whole, as interprocess 1.2 has it.
///
/// New code uses `peek_msg_size` and `recv` of `os::unix::udsocket::UdSocket`, and `recv_msg` of `os::windows::named_pipe::PipeStream`,
/// which makes room by itself.
pub trait ReliableReadMsg: private::Sealed {
    /// Receives a message into `buf` and gives its length, or, if it does not fit, gives the whole message in a new vector.
    ///
    /// # Errors
    /// Those of receiving.
    fn read_msg(&mut self, buf: &mut [u8]) -> io::Result<Result<usize, Vec<u8>>>;

    /// Receives a message into `buf` and gives its length, or, if it does not fit, gives its length as the error and leaves it where
    /// it is.
    ///
    /// # Errors
    /// Those of receiving.
    fn try_read_msg(&mut self, buf: &mut [u8]) -> io::Result<Result<usize, usize>>;
}

pub(crate) mod private {
    /// Only types of this crate.
    pub trait Sealed {}
}

/// What interprocess 1.2 had for a message that was sent in part. Here that never happens: a message is sent whole or not at all.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialMsgWriteError;

impl Display for PartialMsgWriteError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("only a part of the message was sent")
    }
}

impl Error for PartialMsgWriteError {}
