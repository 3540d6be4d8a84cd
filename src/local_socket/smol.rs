//! Local sockets for smol, async-std and any other executor.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait; [`Async`] tells them all. A stream, and a
//! reference to it, has the runtime's own traits for reading and writing, so two tasks can use one stream at once.
//!
//! ```
//! use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
//! use interprocess::local_socket::smol::{Listener, Stream};
//!
//! fn main() -> std::io::Result<()> {
//!     let name = "@example";
//! #   let name = &*format!("{name}-interprocess-doc-smol-{}", std::process::id());
//!     let listener = Listener::bind(name)?;
//!     let server = async {
//!         let mut client = listener.accept().await?;
//!         client.write_all(b"Hello from the server!").await
//!     };
//!     let client = async {
//!         let mut greeting = String::new();
//!         Stream::connect(name).await?.read_to_string(&mut greeting).await?;
//!         assert_eq!(greeting, "Hello from the server!");
//!         Ok(())
//!     };
//!     // Any executor will do.
//!     async_io::block_on(future::try_zip(server, client)).map(drop)
//! }
//! ```

use super::{ConnectOptions, ListenerOptions};
use crate::runtime::{self, Async, Smol};
use std::{io, sync::Arc};

/// The async face of a [`Listener`](super::Listener).
pub type Listener = Async<super::Listener, Smol>;

/// The async face of a [`Stream`](super::Stream).
pub type Stream = Async<super::Stream, Smol>;

/// The half of a [`Stream`] that receives. From [`Stream::split`](Async#method.split).
pub type RecvHalf = runtime::RecvHalf<Arc<Stream>>;

/// The half of a [`Stream`] that sends. From [`Stream::split`](Async#method.split).
pub type SendHalf = runtime::SendHalf<Arc<Stream>>;

/// The clients of a [`Listener`], one after the other. From [`Listener::incoming`](Async::incoming).
pub type Incoming<'l> = runtime::Incoming<'l, super::Listener, Smol>;

/// Connects HTTP clients.
#[cfg(feature = "hyper")]
pub type Connector = super::hyper::Connector<Smol>;

/// Two halves that are not of one stream. They are handed back.
pub type ReuniteError = crate::error::ReuniteError<RecvHalf, SendHalf>;

impl ListenerOptions<'_> {
    /// Like [`create_sync`](Self::create_sync), for smol, async-std and any other executor.
    pub fn create_smol(self) -> io::Result<Listener> {
        self.create_async()
    }
}

impl ConnectOptions<'_> {
    /// Like [`connect_sync`](Self::connect_sync), for smol, async-std and any other executor. Never blocks the thread.
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_smol(&self) -> io::Result<Stream> {
        self.connect_async().await
    }
}

// For code that was written for older crates.
pub use crate::older::one::smol::{LocalSocketListener, LocalSocketStream, OwnedReadHalf, OwnedWriteHalf};
