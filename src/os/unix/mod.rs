//! What only Unix has.
//!
//! | to | use |
//! |---|---|
//! | choose the mode of a socket file, ask more about a peer, convert to std's types and back | [`local_socket`] |
//! | send datagrams and packets, connect a pair, use any address | [`udsocket`] |
//! | send descriptors and credentials along with bytes | [`ancillary`] |
//! | give a child descriptors under certain numbers | [`child`] |
//! | write to and read from a pipe with a name | [`fifo_file`] |
//! | keep packets apart in a pipe, pass bytes on without copying them | [`unnamed_pipe`] |
//! | send signals, block them, handle them | `signal` |
//! | wake somebody who polls descriptors | `eventfd` |
//! | leave jobs by priority | `message_queue` |
//! | connect a virtual machine and its host | `vsock` |
//!
//! Each item names the call of the system that it stands on, whose manual page has the details. Errors are [`std::io::Error`]s of a kind that is
//! listed under "Errors"; the number of the system is in [`raw_os_error`](std::io::Error::raw_os_error), or, if the error says a name, in that of
//! its [source](std::error::Error::source).
//!
//! ```
//! use interprocess::os::unix::udsocket::UdStream;
//! use std::{fs::File, io::Read, os::fd::AsFd};
//!
//! // An open file goes along with the bytes, from one end of a connection to the other.
//! let (one, other) = UdStream::pair()?;
//! one.send_with_fds(b"zeros", &[File::open("/dev/zero")?.as_fd()])?;
//!
//! let (mut text, mut fds) = ([0; 16], Vec::new());
//! assert_eq!(other.recv_with_fds(&mut text, &mut fds)?, 5);
//! let mut byte = [1];
//! File::from(fds.remove(0)).read_exact(&mut byte)?;
//! assert_eq!(byte, [0]);
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod ancillary;
pub mod child;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "illumos"))]
pub mod eventfd;
pub mod fifo_file;
pub mod local_socket;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub mod message_queue;
#[cfg(feature = "signals")]
pub mod signal;
pub mod uds_local_socket;
pub mod udsocket;
pub mod unnamed_pipe;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod vsock;
