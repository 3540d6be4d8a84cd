//! Placeholder for the crate documentation.
mod deadline;
pub mod error;
pub mod local_socket;
pub mod os;
#[cfg(feature = "async")]
pub mod runtime;
mod sys;

use std::time::Duration;

/// How long connecting waits.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConnectWaitMode {
    /// Not at all. If there is no connection at once, that is an error: [`WouldBlock`](std::io::ErrorKind::WouldBlock) if
    /// there would be one later. A connection that is not there yet is never passed off as one.
    Deferred,
    /// For no longer than this; then it is [`TimedOut`](std::io::ErrorKind::TimedOut).
    Timeout(Duration),
    /// For as long as it takes.
    #[default]
    Unbounded,
}
