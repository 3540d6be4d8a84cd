//! Local sockets: byte streams between processes of one machine, under one interface for every OS.
//!
//! A [`Listener`] has a [name](Name); each client that [connects](Stream::connect) to it is a [`Stream`], which is
//! read from and written to like a file. On Unix these are Unix-domain stream sockets, on Windows named pipes.
//!
//! ```
//! use interprocess::local_socket::{Listener, Stream};
//! use std::io::{BufRead, BufReader, Write};
//!
//! fn main() -> std::io::Result<()> {
//!     let name = "@example";
//! #   let name = &*format!("{name}-interprocess-doc-mod-{}", std::process::id());
//!     let listener = Listener::bind(name)?;
//!     let server = std::thread::spawn(move || {
//!         let mut client = listener.accept()?;
//!         client.write_all(b"Hello from the server!\n")
//!     });
//!
//!     let mut greeting = String::new();
//!     BufReader::new(Stream::connect(name)?).read_line(&mut greeting)?;
//!     assert_eq!(greeting, "Hello from the server!\n");
//!     server.join().unwrap()
//! }
//! ```
//!
//! # Names
//! Text that starts with `@` is a name in a namespace of the OS and leaves nothing behind; other text is a path.
//! See [`Name`] for what they are on each OS, and [`ToName`] for the types that can be one.
//!
//! # Safe as it comes
//! - Only processes of the same user, and administrators, get a connection. See [`Access`].
//! - A name that a dead process left behind is taken over; one that is in use is not. See [`ExistingName`].
//! - Children inherit nothing.
//!
//! # Waiting
//! Every call that can wait can be given a limit: [`accept_timeout`](Listener::accept_timeout),
//! [`ConnectOptions::wait_mode`], [`Stream::set_recv_timeout`], [`Stream::set_send_timeout`],
//! [`Stream::drain`]. What did not come in time is [`TimedOut`](std::io::ErrorKind::TimedOut) on every OS.
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have the same types for async code. With `hyper`, there is HTTP
//! and gRPC over them.

#[cfg(feature = "async")]
mod asynchronous;
mod listener;
mod name;
mod peer;
mod stream;

#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "smol")]
pub mod smol;
#[cfg(feature = "tokio")]
pub mod tokio;

pub(crate) use name::{Kind, name_type};

pub use listener::{Access, ExistingName, Incoming, Listener, ListenerNonblockingMode, ListenerOptions};
pub use name::{
    GenericFilePath, GenericNamespaced, Name, NameType, NamespacedNameType, PathNameType, ToFsName, ToName,
    ToNsName,
};
pub use peer::PeerCreds;
pub use stream::{ConnectOptions, RecvHalf, SendHalf, Stream};

// For code that was written for older crates.
pub use crate::older::{
    one::{
        LocalSocketListener, LocalSocketName, LocalSocketStream, NameTypeSupport, NamespacedByOne,
        ToLocalSocketName,
    },
    two::{ReuniteError, ReuniteResult, prelude, traits},
};
