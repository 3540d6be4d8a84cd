//! Interprocess communication: one interface for every platform, secure by default, with a deadline for every wait.
//!
//! This crate has [local sockets](local_socket): byte streams between processes of one machine, which are Unix-domain
//! sockets on Unix and named pipes on Windows. It has [unnamed pipes](unnamed_pipe) for threads and children, and gives
//! [children](child) exactly what they are to have. And it has what only one OS can do, in [`os`]: on Unix sockets of the Unix
//! domain in full, descriptors that go along with bytes, FIFO files; on Windows named pipes in full, mailslots, security descriptors.
//!
//! ```
//! use interprocess::local_socket::{Listener, Stream};
//! use std::io::{BufRead, BufReader, Write};
//!
//! # let name = format!("@interprocess-doc-front-{}", std::process::id());
//! # let name = name.as_str();
//! // The server; a name such as "@example" leaves nothing behind, and a path works as well.
//! let listener = Listener::bind(name)?;
//! let server = std::thread::spawn(move || {
//!     let mut stream = BufReader::new(listener.accept()?);
//!     let mut question = String::new();
//!     stream.read_line(&mut question)?;
//!     stream.get_mut().write_all(b"Fine, thank you.\n")
//! });
//!
//! // The client, which is usually another program.
//! let mut stream = BufReader::new(Stream::connect(name)?);
//! stream.get_mut().write_all(b"How are you?\n")?;
//! let mut answer = String::new();
//! stream.read_line(&mut answer)?;
//! assert_eq!(answer, "Fine, thank you.\n");
//! # server.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is where
//! - [`local_socket`]: the same on every OS. Start here.
//! - [`unnamed_pipe`]: one way, without a name, the same on every OS, too.
//! - [`child`]: what a child process is given, on every OS.
//! - `signal`: being told of signals, the same on every OS.
//! - [`os`]: what only one OS has: options, name types, conversions to and from descriptors and handles; and primitives:
//!   `udsocket`, `ancillary`, `fifo_file`, `eventfd`, `message_queue`, `vsock` and `signal` in `os::unix`; `named_pipe`, `unnamed_pipe`,
//!   `mailslot`, `security_descriptor`, `process`, `hvsock` and `signal` in `os::windows`.
//! - `local_socket::tokio`, `local_socket::smol`, and modules of those names in the others: async, with the features of those names.
//! - `runtime`: for code that is generic over the async runtime.
//!
//! # What you can rely on
//! - **Safe as it comes.** Nobody but the same user and administrators gets a connection; no child inherits a descriptor
//!   or handle; a name is never taken from a living owner, and is taken over from a dead one. Each default has an explicit way
//!   out.
//! - **Nothing hangs that you did not ask to.** Connecting, accepting, receiving, sending and draining can be given a limit on
//!   every OS, and what takes longer is [`TimedOut`](std::io::ErrorKind::TimedOut).
//! - **No framing.** The bytes written are the bytes read, so that programs in other languages can take part.
//! - **Errors name the name.** Each error about binding, connecting and accepting says which name it concerns, and has the
//!   OS's own error as its [source](std::error::Error::source).
//!
//! # Features
//! | feature | what it adds |
//! |---|---|
//! | `signals` (on by default) | `signal`, and the modules of that name in [`os`] |
//! | `tokio` | async types for Tokio |
//! | `smol` | async types for smol, async-std and any other executor, by way of `async-io` |
//! | `hyper` | HTTP and gRPC over local sockets: async streams are the I/O of hyper 1, and there is a connector |
//!
//! The names `tokio_support`, `async-std` and `nonblocking` of interprocess 1.2 are other names for these. Without features,
//! the only dependency on Unix is `rustix` with what it needs, and on Windows `windows-sys`.
//!
//! # Platforms
//! Linux and Windows run every test; macOS, FreeBSD, NetBSD, OpenBSD, DragonFly BSD, illumos and Android are compiled and
//! linted. Rust 1.85 is enough.

pub mod child;
mod connecting;
mod deadline;
pub mod error;
pub mod local_socket;
mod older;
pub mod os;
#[cfg(feature = "async")]
pub mod runtime;
#[cfg(feature = "signals")]
pub mod signal;
mod sys;
mod try_clone;
pub mod unnamed_pipe;

pub use try_clone::TryClone;

// For code that was written for older crates.
pub use older::two::bound_util;

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

/// Compiles the examples of the front page of the repository.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
