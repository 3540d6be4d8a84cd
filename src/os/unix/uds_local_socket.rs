//! Local sockets by the name that older versions have for what is below them on Unix. They are the same types: on Unix, a local socket
//! is a socket of the Unix domain, and converts to std's and from it.
//!
//! ```
//! use interprocess::{local_socket, os::unix::uds_local_socket::Stream};
//! use std::os::unix::net::UnixStream;
//!
//! let (one, _other) = UnixStream::pair()?;
//! let stream: local_socket::Stream = Stream::from(one);
//! let _one: UnixStream = stream.into();
//! # Ok::<(), std::io::Error>(())
//! ```

pub use crate::{
    local_socket::{Listener, RecvHalf, SendHalf, Stream},
    older::two::unix::Inner,
};

/// The same for Tokio.
#[cfg(feature = "tokio")]
pub mod tokio {
    pub use crate::local_socket::tokio::{Listener, RecvHalf, SendHalf, Stream};
}
