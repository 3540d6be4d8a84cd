//! Named pipes for smol, async-std and every other executor.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait.
//!
//! ```
//! use interprocess::os::windows::named_pipe::{
//!     PipeConnectOptions, PipeListenerOptions,
//!     pipe_mode::Messages,
//! };
//!
//! # let name = format!("interprocess-doc-pipe-smol-{}", std::process::id());
//! # let name = name.as_str();
//! # async_io::block_on(async {
//! let listener = PipeListenerOptions::new().name(name).create_smol_duplex::<Messages>()?;
//! let client = PipeConnectOptions::new().name(name).connect_smol::<Messages, Messages>().await?;
//! client.send(b"hello").await?;
//! let mut msg = Vec::new();
//! assert_eq!(listener.accept().await?.recv_msg(&mut msg).await?, Some(5));
//! # Ok::<(), std::io::Error>(())
//! # })
//! # ?; Ok::<(), std::io::Error>(())
//! ```

use super::{
    PipeConnectOptions, PipeListenerOptions,
    pipe_mode::{self, PipeModeTag},
};
use crate::runtime::{Async, Smol};
use std::io;

/// The async face of a [`PipeListener`](super::PipeListener).
pub type PipeListener<Rm, Sm> = Async<super::PipeListener<Rm, Sm>, Smol>;

/// The async face of a [`PipeStream`](super::PipeStream).
pub type PipeStream<Rm, Sm> = Async<super::PipeStream<Rm, Sm>, Smol>;

/// A [`PipeStream`] that receives and sends the same.
pub type DuplexPipeStream<M> = PipeStream<M, M>;

/// A [`PipeStream`] that only receives, or the half of one that does.
pub type RecvPipeStream<M> = PipeStream<M, pipe_mode::None>;

/// A [`PipeStream`] that only sends, or the half of one that does.
pub type SendPipeStream<M> = PipeStream<pipe_mode::None, M>;

impl PipeListenerOptions {
    /// Like [`create`](Self::create), for any executor.
    pub fn create_smol<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, Sm>> {
        self.create_async()
    }

    /// Like [`create_duplex`](Self::create_duplex), for any executor.
    pub fn create_smol_duplex<M: PipeModeTag>(&self) -> io::Result<PipeListener<M, M>> {
        self.create_async()
    }

    /// Like [`create_recv_only`](Self::create_recv_only), for any executor.
    pub fn create_smol_recv_only<Rm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, pipe_mode::None>> {
        self.create_async()
    }

    /// Like [`create_send_only`](Self::create_send_only), for any executor.
    pub fn create_smol_send_only<Sm: PipeModeTag>(&self) -> io::Result<PipeListener<pipe_mode::None, Sm>> {
        self.create_async()
    }
}

impl PipeConnectOptions {
    /// Like [`connect`](Self::connect), for any executor. Never blocks the thread.
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_smol<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeStream<Rm, Sm>> {
        self.connect_async().await
    }
}
