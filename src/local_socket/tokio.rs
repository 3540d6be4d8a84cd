//! Local sockets for Tokio.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait; [`Async`] tells them all. A stream, and a
//! reference to it, has the runtime's own traits for reading and writing, so two tasks can use one stream at once.
//!
//! ```
//! use interprocess::local_socket::{ListenerOptions, tokio::Stream};
//!
//! # let name = format!("@interprocess-doc-tokio-{}", std::process::id());
//! # let name = name.as_str();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let listener = ListenerOptions::new().name(name).create_tokio()?;
//! let client = Stream::connect(name).await?;
//! client.send(b"hello").await?;
//! assert_eq!(listener.accept().await?.recv(&mut [0; 16]).await?, 5);
//! # Ok::<(), std::io::Error>(())
//! # })
//! # ?; Ok::<(), std::io::Error>(())
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

// For code that was written for older crates.
pub use crate::older::two::{TokioReuniteResult as ReuniteResult, tokio_prelude as prelude};

/// What interprocess 1.2 called [`Listener`].
pub type LocalSocketListener = Listener;

/// What interprocess 1.2 called [`Stream`].
pub type LocalSocketStream = Stream;

/// The half that receives, as interprocess 1.2 has it: from [`Stream::into_split`](Async::into_split).
pub type OwnedReadHalf = RecvHalf;

/// The half that sends, as interprocess 1.2 has it: from [`Stream::into_split`](Async::into_split). Dropping it ends sending.
pub type OwnedWriteHalf = runtime::SendHalf<runtime::EndsWhenDropped<super::Stream, Tokio>>;

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
