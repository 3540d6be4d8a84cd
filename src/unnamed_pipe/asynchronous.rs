//! The async twins of the blocking methods, for every runtime.

use super::{Recver, Sender};
use crate::runtime::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
};

impl Sealed for Recver {}
impl Sealed for Sender {}

// SAFETY: the descriptor is the one that the object owns, from when it is made until it is dropped or given away whole.
#[cfg(unix)]
unsafe impl Source for Recver {
    // It may be that of a FIFO.
    const IS_REOPENED: bool = true;
}
// SAFETY: as above.
#[cfg(unix)]
unsafe impl Source for Sender {
    const IS_REOPENED: bool = true;
}

#[cfg(windows)]
impl Source for Recver {
    fn poll_ready(
        &self,
        interest: crate::runtime::Interest,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        self.0.poll_ready(interest, cx)
    }
}

#[cfg(windows)]
impl Source for Sender {
    fn poll_ready(
        &self,
        interest: crate::runtime::Interest,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        self.0.poll_ready(interest, cx)
    }
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
        self.0.flush()
    }

    /// What shuts it down drops it next, as a rule, and that is what ends the stream.
    fn shutdown(&self, _how: Shutdown) -> io::Result<()> {
        self.0.flush()
    }
}

/// Makes a pipe with both ends async, within the runtime.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(super) fn pipe_async<R: Runtime>() -> io::Result<(Async<Sender, R>, Async<Recver, R>)> {
    let (sender, recver) = super::pipe()?;
    Ok((sender.try_into()?, recver.try_into()?))
}

/// The async face of a [`Recver`].
impl<R: Runtime> Async<Recver, R> {
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

/// The async face of a [`Sender`].
///
/// Shutting it down by a runtime's trait flushes it. The stream ends when it is dropped, and all its clones.
impl<R: Runtime> Async<Sender, R> {
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
