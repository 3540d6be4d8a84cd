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
//! fn main() -> std::io::Result<()> {
//!     let name = "@example"; // '@' is a namespace, and leaves nothing behind; a path works as well
//! #   let name = &*format!("{name}-interprocess-doc-front-{}", std::process::id());
//!     let listener = Listener::bind(name)?;
//!     let server = std::thread::spawn(move || {
//!         let mut stream = BufReader::new(listener.accept()?);
//!         let mut question = String::new();
//!         stream.read_line(&mut question)?;
//!         stream.get_mut().write_all(b"Fine, thank you.\n")
//!     });
//!
//!     // The client, which is usually another program.
//!     let mut stream = BufReader::new(Stream::connect(name)?);
//!     stream.get_mut().write_all(b"How are you?\n")?;
//!     let mut answer = String::new();
//!     stream.read_line(&mut answer)?;
//!     assert_eq!(answer, "Fine, thank you.\n");
//!     server.join().unwrap()
//! }
//! ```
//!
//! # Which one
//! | I want … | use |
//! |---|---|
//! | programs of one machine to talk to each other | [`local_socket`]: a server with a name, and its clients. Start here. |
//! | the same in async code | `local_socket::tokio`, `local_socket::smol`; for HTTP and gRPC, `local_socket::hyper` |
//! | bytes from one thread to another, or to a child | [`unnamed_pipe`]: one way, without a name |
//! | to give a child its end of a pipe, a connection, an open file | [`child`] |
//! | to be told of Ctrl-C, of requests to terminate, of children that end | `signal` |
//! | messages, whole or not at all | `udsocket::UdSeqpacket` on Unix, `named_pipe` on Windows; a codec everywhere (the recipe `framed`) |
//! | to know who is at the other end, and to choose who may be | [`PeerCreds`](local_socket::PeerCreds), [`Access`](local_socket::Access) |
//! | to hand an open file to a process that runs already | `ancillary` on Unix, `ShareHandle` on Windows |
//! | a file that shells and other programs write to or read from | `fifo_file` on Unix |
//! | notes for a server, without a connection | `udsocket::UdSocket` on Unix, `mailslot` on Windows |
//! | jobs by priority, which wait for whoever has time | `message_queue` on Linux and FreeBSD |
//! | to wake somebody who polls descriptors, for next to nothing | `eventfd` on Linux and others |
//! | a virtual machine and its host to talk to each other | `vsock` on Linux, `hvsock` on Windows |
//! | the options, descriptors and handles of one OS | the modules of [`os`] that are called like the uniform ones |
//! | code that is generic over the async runtime | `runtime` |
//!
//! What only one OS has is in `os::unix` and `os::windows`. Whatever waits has async twins in modules called `tokio` and `smol`.
//!
//! # Recipes
//! Short programs, which run as they are, on every OS: `cargo run --example daemon`, and with `--features tokio` (or `smol`) for those that are
//! async. They are in the folder `examples`.
//!
//! | example | what it shows |
//! |---|---|
//! | `local_socket_server`, `local_socket_client` | an echo server with a thread for each client, and a client |
//! | `local_socket_tokio`, `local_socket_smol` | the same in async code |
//! | `framed` | messages instead of bytes, by a codec (Tokio) |
//! | `daemon` | a daemon and its client: started in the background, asked, stopped |
//! | `single_instance` | the second start hands its arguments to the first, and is done |
//! | `worker_pool`, `parent_child`, `pipeline` | children that do the work: a pool in which one may crash, a dialogue, a chain |
//! | `pass_file` | open files for a child that is started, and for a process that runs |
//! | `cancel`, `cancel_async` | stopping what waits: accepting, receiving |
//! | `timeouts` | a limit for every wait, and for a whole conversation |
//! | `signals` | a server that ends well on Ctrl-C |
//! | `access`, `log_peers` | a service and its users: who may connect, who was there |
//! | `credentials`, `fifo`, `message_queue` | Unix: who sends each message; notes through a file; jobs by priority |
//! | `named_pipe_messages`, `inherit_handles`, `mailslot` | Windows: messages, and questions with their answers; a list of handles; notes |
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
//! Of interprocess 1.2 there are `tokio_support`, which is `tokio` with the traits of `futures-io` in addition, `async-std`,
//! which is `smol`, and `nonblocking`, which is `smol` with the module of that name. Without features, the only dependency on Unix
//! is `rustix` with what it needs, and on Windows `windows-sys`.
//!
//! # Platforms
//! Linux and Windows run every test; macOS, FreeBSD, NetBSD, OpenBSD, DragonFly BSD, illumos and Android are compiled and
//! linted. Rust 1.85 is enough.

#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(has_std_pipe))))]

pub mod child;
mod connecting;
mod deadline;
pub mod error;
pub mod local_socket;
mod older;
pub mod os;
mod read_write;
#[cfg(feature = "async")]
pub mod runtime;
#[cfg(feature = "signals")]
pub mod signal;
mod sys;
mod try_clone;
pub mod unnamed_pipe;

pub use try_clone::TryClone;

// For code that was written for older crates.
#[cfg(feature = "nonblocking")]
#[allow(deprecated, reason = "it is for those who use it")]
pub use older::one::nonblocking;
pub use older::one::{PartialMsgWriteError, ReliableReadMsg};
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
