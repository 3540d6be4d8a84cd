//! Local sockets for Tokio.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait; [`Async`] tells them all. A stream, and a
//! reference to it, has the runtime's own traits for reading and writing, so two tasks can use one stream at once.
//!
//! ```
//! use interprocess::local_socket::tokio::{Listener, Stream};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let name = "@example";
//! #   let name = &*format!("{name}-interprocess-doc-tokio-{}", std::process::id());
//!     let listener = Listener::bind(name)?;
//!     let server = tokio::spawn(async move {
//!         let mut client = listener.accept().await?;
//!         client.write_all(b"Hello from the server!").await
//!     });
//!
//!     let mut greeting = String::new();
//!     Stream::connect(name).await?.read_to_string(&mut greeting).await?;
//!     assert_eq!(greeting, "Hello from the server!");
//!     server.await?
//! }
//! ```

use super::{ConnectOptions, ListenerOptions};
use crate::runtime::{self, Async, Tokio};
use std::{io, sync::Arc};

/// The async face of a [`Listener`](super::Listener).
pub type Listener = Async<super::Listener, Tokio>;

/// The async face of a [`Stream`](super::Stream).
pub type Stream = Async<super::Stream, Tokio>;

/// The half of a [`Stream`] that receives. From [`Stream::split`](Async#method.split).
pub type RecvHalf = runtime::RecvHalf<Arc<Stream>>;

/// The half of a [`Stream`] that sends. From [`Stream::split`](Async#method.split).
pub type SendHalf = runtime::SendHalf<Arc<Stream>>;

/// The clients of a [`Listener`], one after the other. From [`Listener::incoming`](Async::incoming).
pub type Incoming<'l> = runtime::Incoming<'l, super::Listener, Tokio>;

/// Connects HTTP clients.
#[cfg(feature = "hyper")]
pub type Connector = super::hyper::Connector<Tokio>;

/// Two halves that are not of one stream. They are handed back.
pub type ReuniteError = crate::error::ReuniteError<RecvHalf, SendHalf>;

impl ListenerOptions<'_> {
    /// Like [`create_sync`](Self::create_sync), for Tokio.
    pub fn create_tokio(self) -> io::Result<Listener> {
        self.create_async()
    }
}

impl ConnectOptions<'_> {
    /// Like [`connect_sync`](Self::connect_sync), for Tokio. Never blocks the thread.
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_tokio(&self) -> io::Result<Stream> {
        self.connect_async().await
    }
}

// For code that was written for older crates.
pub use crate::older::{
    one::tokio::{LocalSocketListener, LocalSocketStream, OwnedReadHalf, OwnedWriteHalf},
    two::{TokioReuniteResult as ReuniteResult, tokio_prelude as prelude},
};
