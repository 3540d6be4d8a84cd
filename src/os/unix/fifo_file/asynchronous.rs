//! The async twins of the blocking methods, for every runtime.

use super::{Attempts, OpenOptions, Recver, Sender};
use crate::{
    runtime::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed},
    sys::unix::fifo,
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    path::Path,
};

impl Sealed for Recver {}
impl Sealed for Sender {}

// SAFETY: the descriptor is the one that the object owns, from when it is made until it is dropped or given away whole.
unsafe impl Source for Recver {
    const IS_REOPENED: bool = true;
}
// SAFETY: as above.
unsafe impl Source for Sender {
    const IS_REOPENED: bool = true;
}

impl RecvBytes for Recver {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }
}

impl SendBytes for Sender {
    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_vectored(bufs)
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&self, _how: Shutdown) -> io::Result<()> {
        // Saying yes, and doing nothing, would leave the receiver waiting for an end.
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a pipe ends when its senders are dropped, and only then",
        ))
    }
}

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

/// The async face of a FIFO's [`Recver`].
impl<R: Runtime> Async<Recver, R> {
    /// The twin of [`Recver::open`].
    ///
    /// # Errors
    /// See [`OpenOptions::recver`].
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().recver_async(path.as_ref())
    }

    /// The twin of [`Recver::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(|recver| recver.recv(buf)).await
    }

    /// The twin of [`Recver::recv_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.read_with(|recver| recver.recv_vectored(bufs)).await
    }

    /// The twin of [`Recver::available`].
    pub fn available(&self) -> io::Result<usize> {
        self.get_ref().available()
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<Recver> for Async<Recver, R> {
    type Error = io::Error;

    fn try_from(recver: Recver) -> io::Result<Self> {
        recver.set_nonblocking(true)?;
        Self::new(recver)
    }
}

/// To the blocking face. No bytes are lost.
impl<R: Runtime> TryFrom<Async<Recver, R>> for Recver {
    type Error = io::Error;

    fn try_from(recver: Async<Recver, R>) -> io::Result<Self> {
        let recver = recver.into_inner()?;
        recver.set_nonblocking(false)?;
        Ok(recver)
    }
}

/// The async face of a FIFO's [`Sender`].
///
/// Shutting it down by a runtime's trait is [`Unsupported`](io::ErrorKind::Unsupported): a pipe ends when its senders are dropped.
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

    /// The twin of [`Sender::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.write_with(|sender| sender.send(buf)).await
    }

    /// The twin of [`Sender::send_vectored`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.write_with(|sender| sender.send_vectored(bufs)).await
    }
}

/// To the async face, within the runtime.
impl<R: Runtime> TryFrom<Sender> for Async<Sender, R> {
    type Error = io::Error;

    fn try_from(sender: Sender) -> io::Result<Self> {
        sender.set_nonblocking(true)?;
        Self::new(sender)
    }
}

/// To the blocking face.
impl<R: Runtime> TryFrom<Async<Sender, R>> for Sender {
    type Error = io::Error;

    fn try_from(sender: Async<Sender, R>) -> io::Result<Self> {
        let sender = sender.into_inner()?;
        sender.set_nonblocking(false)?;
        Ok(sender)
    }
}
