//! Named pipes for Tokio.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait. Timeouts are those of Tokio.
//!
//! ```
//! use interprocess::os::windows::named_pipe::{
//!     PipeConnectOptions, PipeListenerOptions,
//!     pipe_mode::Messages,
//!     tokio::DuplexPipeStream,
//! };
//! use std::{io, time::Duration};
//! use tokio::time::timeout;
//!
//! /// Answers each message with itself, to a client that sends one every few seconds.
//! async fn serve(client: DuplexPipeStream<Messages>) -> io::Result<()> {
//!     let mut msg = Vec::new();
//!     while timeout(Duration::from_secs(5), client.recv_msg(&mut msg)).await??.is_some() {
//!         client.send(&msg).await?;
//!     }
//!     Ok(())
//! }
//!
//! # let name = format!("interprocess-doc-pipe-tokio-{}", std::process::id());
//! # let name = name.as_str();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let listener = PipeListenerOptions::new().name(name).create_tokio_duplex::<Messages>()?;
//! tokio::spawn(async move {
//!     loop {
//!         match listener.accept().await {
//!             Ok(client) => drop(tokio::spawn(serve(client))),
//!             Err(error) => eprintln!("{error}"),
//!         }
//!     }
//! });
//!
//! let client = PipeConnectOptions::new().name(name).connect_tokio::<Messages, Messages>().await?;
//! client.send(b"hello").await?;
//! let mut msg = Vec::new();
//! assert_eq!(client.recv_msg(&mut msg).await?, Some(5));
//! # Ok::<(), io::Error>(())
//! # })
//! # ?; Ok::<(), io::Error>(())
//! ```

use super::{
    PipeConnectOptions, PipeListenerOptions,
    pipe_mode::{self, PipeModeTag},
};
use crate::runtime::{Async, Tokio};
use std::io;

/// The async face of a [`PipeListener`](super::PipeListener).
pub type PipeListener<Rm, Sm> = Async<super::PipeListener<Rm, Sm>, Tokio>;

/// The async face of a [`PipeStream`](super::PipeStream).
pub type PipeStream<Rm, Sm> = Async<super::PipeStream<Rm, Sm>, Tokio>;

/// A [`PipeStream`] that receives and sends the same.
pub type DuplexPipeStream<M> = PipeStream<M, M>;

/// A [`PipeStream`] that only receives, or the half of one that does.
pub type RecvPipeStream<M> = PipeStream<M, pipe_mode::None>;

/// A [`PipeStream`] that only sends, or the half of one that does.
pub type SendPipeStream<M> = PipeStream<pipe_mode::None, M>;

impl PipeListenerOptions {
    /// Like [`create`](Self::create), for Tokio.
    pub fn create_tokio<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, Sm>> {
        self.create_async()
    }

    /// Like [`create_duplex`](Self::create_duplex), for Tokio.
    pub fn create_tokio_duplex<M: PipeModeTag>(&self) -> io::Result<PipeListener<M, M>> {
        self.create_async()
    }

    /// Like [`create_recv_only`](Self::create_recv_only), for Tokio.
    pub fn create_tokio_recv_only<Rm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, pipe_mode::None>> {
        self.create_async()
    }

    /// Like [`create_send_only`](Self::create_send_only), for Tokio.
    pub fn create_tokio_send_only<Sm: PipeModeTag>(&self) -> io::Result<PipeListener<pipe_mode::None, Sm>> {
        self.create_async()
    }
}

impl PipeConnectOptions {
    /// Like [`connect`](Self::connect), for Tokio. Never blocks the thread.
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_tokio<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeStream<Rm, Sm>> {
        self.connect_async().await
    }
}

// For code that was written for older crates.
pub use crate::older::{
    one::windows::tokio::{
        ByteReaderPipeStream, ByteWriterPipeStream, DuplexBytePipeStream, DuplexMsgPipeStream,
        MsgReaderPipeStream, MsgWriterPipeStream,
    },
    two::windows::tokio::{
        FromHandleError, FromHandleErrorKind, PipeListenerOptionsExt, ReuniteError, ReuniteResult,
    },
};
