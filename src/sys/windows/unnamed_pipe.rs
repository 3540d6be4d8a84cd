//! The body of an end of an unnamed pipe: a pipe of bytes, of which one direction is used.

use super::{named_pipe, stream::Stream};
use crate::os::windows::{
    named_pipe::{PipeDirection, pipe_mode::Bytes},
    unnamed_pipe::CreationOptions,
};
#[cfg(feature = "async")]
use crate::runtime::Interest;
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    io::{self, IoSlice, IoSliceMut},
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
    time::Duration,
};

pub(crate) fn pipe() -> io::Result<(Sender, Recver)> {
    let (sender, recver) = CreationOptions::new().create_as::<Bytes>()?;
    Ok((Sender(sender.into_sys()), Recver(recver.into_sys())))
}

/// The end that receives.
#[derive(Debug)]
pub(crate) struct Recver(pub(crate) Stream);

impl Recver {
    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.recv_vectored(bufs)
    }

    pub(crate) fn available(&self) -> io::Result<usize> {
        self.0.available()
    }

    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_recv_timeout(timeout)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.0.recv_timeout().ok().flatten()
    }
}

/// The end that sends.
#[derive(Debug)]
pub(crate) struct Sender(pub(crate) Stream);

impl Sender {
    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs)
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }

    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_send_timeout(timeout)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.0.send_timeout().ok().flatten()
    }
}

/// What both ends have.
macro_rules! end {
    ($end:ident) => {
        impl $end {
            pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.0.set_nonblocking(nonblocking)
            }

            pub(crate) fn is_nonblocking(&self) -> bool {
                self.0.is_nonblocking().unwrap_or_default()
            }

            #[allow(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
            pub(crate) fn try_clone(&self) -> io::Result<Self> {
                Ok(Self(self.0.share()))
            }

            pub(crate) fn capacity(&self) -> io::Result<usize> {
                let information = named_pipe::information(self.as_handle())?;
                let quota = match named_pipe::direction_of(&information) {
                    PipeDirection::ServerToClient => information.OutboundQuota,
                    _ => information.InboundQuota,
                };
                Ok(usize::try_from(quota).unwrap_or(usize::MAX))
            }

            #[allow(clippy::unused_self, reason = "on Unix it is needed")]
            pub(crate) fn set_capacity(&self, _bytes: usize) -> io::Result<usize> {
                let why = "Windows decides on the size of a pipe when it is created";
                Err(io::Error::new(io::ErrorKind::Unsupported, why))
            }

            #[cfg(feature = "async")]
            pub(crate) fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_ready(interest, cx)
            }
        }

        impl AsHandle for $end {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                self.0.as_handle()
            }
        }

        impl From<$end> for OwnedHandle {
            fn from(end: $end) -> Self {
                end.0.into()
            }
        }
    };
}
end!(Recver);
end!(Sender);
