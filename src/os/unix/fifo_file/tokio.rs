//! FIFO files for Tokio.
//!
//! The types have the methods of their blocking twins, as `async fn`s where those may wait.
//!
//! ```
//! use interprocess::os::unix::fifo_file::{create_fifo, tokio::{Recver, Sender}};
//!
//! # let path = std::env::temp_dir().join(format!("interprocess-doc-fifo-tokio-{}", std::process::id()));
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! create_fifo(&path, 0o600)?;
//! let recver = Recver::open(&path)?;
//! let sender = Sender::open(&path).await?;
//! sender.send(b"hello").await?;
//! drop(sender);
//! let mut buf = [0; 16];
//! assert_eq!(recver.recv(&mut buf).await?, 5);
//! assert_eq!(recver.recv(&mut buf).await?, 0);
//! # std::fs::remove_file(path)?;
//! # Ok::<(), std::io::Error>(())
//! # })
//! # ?; Ok::<(), std::io::Error>(())
//! ```

pub use crate::unnamed_pipe::tokio::{Recver, Sender};

use super::OpenOptions;
use std::{io, path::Path};

impl OpenOptions {
    /// Like [`recver`](Self::recver), for Tokio.
    pub fn recver_tokio(&self, path: impl AsRef<Path>) -> io::Result<Recver> {
        self.recver_async(path.as_ref())
    }

    /// Like [`sender`](Self::sender), for Tokio. Never blocks the thread.
    ///
    /// # Cancel safety
    /// If the future is dropped, the file is not open, or closed.
    pub async fn sender_tokio(&self, path: impl AsRef<Path>) -> io::Result<Sender> {
        self.sender_async(path.as_ref()).await
    }

    /// Like [`both`](Self::both), for Tokio.
    pub fn both_tokio(&self, path: impl AsRef<Path>) -> io::Result<(Sender, Recver)> {
        self.both_async(path.as_ref())
    }
}
