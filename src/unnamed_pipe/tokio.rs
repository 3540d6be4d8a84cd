//! Unnamed pipes for Tokio.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait.
//!
//! ```
//! use interprocess::unnamed_pipe::tokio::pipe;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let (sender, recver) = pipe()?;
//! sender.send(b"hello").await?;
//! drop(sender);
//! let mut buf = [0; 16];
//! assert_eq!(recver.recv(&mut buf).await?, 5);
//! assert_eq!(recver.recv(&mut buf).await?, 0);
//! # Ok::<(), std::io::Error>(())
//! # })
//! # ?; Ok::<(), std::io::Error>(())
//! ```

use super::asynchronous::pipe_async;
use crate::runtime::{Async, Tokio};
use std::io;

/// The async face of a [`Recver`](super::Recver).
pub type Recver = Async<super::Recver, Tokio>;

/// The async face of a [`Sender`](super::Sender).
pub type Sender = Async<super::Sender, Tokio>;

/// The twin of [`unnamed_pipe::pipe`](super::pipe).
///
/// # Errors
/// Those of its twin, and the runtime's own.
pub fn pipe() -> io::Result<(Sender, Recver)> {
    pipe_async()
}
