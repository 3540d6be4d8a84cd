//! Opening ends for every runtime.

use super::{Attempts, OpenOptions, Recver, Sender};
use crate::{
    runtime::{Async, Runtime},
    sys::unix::fifo,
};
use std::{io, path::Path};

#[cfg_attr(
    not(any(feature = "smol", feature = "tokio")),
    allow(dead_code, reason = "only the modules of the runtimes use all of it")
)]
impl OpenOptions {
    pub(super) fn recver_async<R: Runtime>(&self, path: &Path) -> io::Result<Async<Recver, R>> {
        Async::new(self.clone().nonblocking(true).recver(path)?)
    }

    pub(super) async fn sender_async<R: Runtime>(&self, path: &Path) -> io::Result<Async<Sender, R>> {
        let mut attempts = Attempts::new(self, path);
        loop {
            match fifo::open_sender(path, true, false) {
                Ok(sender) => return Async::new(Sender(sender)),
                Err(error) => R::sleep(attempts.pause_after(error)?).await,
            }
        }
    }

    pub(super) fn both_async<R: Runtime>(
        &self,
        path: &Path,
    ) -> io::Result<(Async<Sender, R>, Async<Recver, R>)> {
        let (sender, recver) = self.clone().nonblocking(true).both(path)?;
        Ok((Async::new(sender)?, Async::new(recver)?))
    }
}

/// Opening ends of FIFO files.
impl<R: Runtime> Async<Recver, R> {
    /// The twin of [`Recver::open`].
    ///
    /// # Errors
    /// See [`OpenOptions::recver`].
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().recver_async(path.as_ref())
    }
}

/// Opening ends of FIFO files.
impl<R: Runtime> Async<Sender, R> {
    /// The twin of [`Sender::open`]: waits until somebody has the file open to receive.
    ///
    /// # Errors
    /// See [`OpenOptions::sender`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the file is not open, or closed.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().sender_async(path.as_ref()).await
    }
}
