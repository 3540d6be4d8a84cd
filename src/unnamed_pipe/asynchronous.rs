//! The async twins of the blocking methods, for every runtime.

use super::{Recver, Sender};
use crate::{
    TryClone,
    runtime::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed},
};
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
    type Io<R: Runtime> = R::ReopenedIo<Self>;
}
// SAFETY: as above.
#[cfg(unix)]
unsafe impl Source for Sender {
    type Io<R: Runtime> = R::ReopenedIo<Self>;
}

#[cfg(windows)]
impl Source for Recver {
    type Io<R: Runtime> = R::ReopenedIo<Self>;

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
    type Io<R: Runtime> = R::ReopenedIo<Self>;

    fn poll_ready(
        &self,
        interest: crate::runtime::Interest,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        self.0.poll_ready(interest, cx)
    }
}

impl RecvBytes for Recver {
    #[inline]
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }

    #[cfg(unix)]
    #[inline]
    fn recv_uninit(
        &self,
        buf: &mut [std::mem::MaybeUninit<u8>],
        _tells: bool,
    ) -> io::Result<crate::runtime::Told> {
        self.0.recv_uninit(buf).map(crate::runtime::Told::more_may_follow)
    }
}

impl SendBytes for Sender {
    #[inline]
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
    /// The twin of [`Recver::available`].
    pub fn available(&self) -> io::Result<usize> {
        self.get_ref().available()
    }

    /// The twin of [`Recver::capacity`].
    pub fn capacity(&self) -> io::Result<usize> {
        self.get_ref().capacity()
    }

    /// The twin of [`Recver::set_capacity`].
    pub fn set_capacity(&self, bytes: usize) -> io::Result<usize> {
        self.get_ref().set_capacity(bytes)
    }

    /// The twin of [`Recver::try_clone`], within the runtime.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }
}

impl<R: Runtime> TryClone for Async<Recver, R> {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
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
    /// The twin of [`Sender::capacity`].
    pub fn capacity(&self) -> io::Result<usize> {
        self.get_ref().capacity()
    }

    /// The twin of [`Sender::set_capacity`].
    pub fn set_capacity(&self, bytes: usize) -> io::Result<usize> {
        self.get_ref().set_capacity(bytes)
    }

    /// The twin of [`Sender::try_clone`], within the runtime.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }
}

impl<R: Runtime> TryClone for Async<Sender, R> {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
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
