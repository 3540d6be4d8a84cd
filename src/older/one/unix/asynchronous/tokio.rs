//! Sockets of the Unix domain for Tokio.

use crate::{
    os::unix::udsocket::{UdSocket, UdStream, UdStreamListener},
    runtime::{Async, Interest, Tokio},
};
use std::{
    io,
    os::{
        fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::net as std_net,
    },
    task::{Context, Poll, ready},
};
use tokio::{io::ReadBuf, net};

/// Conversions by the names that interprocess 1.2 has for them. New code uses `From` and `TryFrom`.
macro_rules! convert {
    ($($ours:ty, $std:ty, $theirs:ty;)+) => {$(
        /// Conversions, by the names that interprocess 1.2 has for them. New code uses `TryFrom`.
        impl Async<$ours, Tokio> {
            /// To the blocking face.
            ///
            /// # Errors
            /// The system's.
            pub fn into_sync(self) -> io::Result<$ours> {
                self.try_into()
            }

            /// From the blocking face, within the runtime.
            ///
            /// # Errors
            /// The system's.
            pub fn from_sync(sync: $ours) -> io::Result<Self> {
                sync.try_into()
            }

            /// To what std has. It blocks.
            ///
            /// # Errors
            /// The system's.
            pub fn into_std(self) -> io::Result<$std> {
                self.into_sync().map(Into::into)
            }

            /// From what std has, within the runtime.
            ///
            /// # Errors
            /// The system's.
            pub fn from_std(std: $std) -> io::Result<Self> {
                <$ours>::from(std).try_into()
            }

            /// To what Tokio has, within the runtime.
            ///
            /// # Panics
            /// If the runtime does not take it. `TryFrom` has that as an error.
            pub fn into_tokio(self) -> $theirs {
                self.try_into().expect("the runtime does not take the socket")
            }

            /// From what Tokio has, within the runtime.
            ///
            /// # Panics
            /// If the runtime does not take it. `TryFrom` has that as an error.
            pub fn from_tokio(tokio: $theirs) -> Self {
                tokio.try_into().expect("the runtime does not take the socket")
            }

            /// From a raw descriptor, within the runtime.
            ///
            /// # Safety
            /// The same as for [`FromRawFd::from_raw_fd`].
            ///
            /// # Errors
            /// The system's.
            pub unsafe fn from_raw_fd(fd: RawFd) -> io::Result<Self> {
                // SAFETY: the caller promises what `OwnedFd::from_raw_fd` asks for, which is the same.
                <$ours>::from(unsafe { OwnedFd::from_raw_fd(fd) }).try_into()
            }

            /// To a raw descriptor, which is the caller's to close.
            ///
            /// # Errors
            /// The system's.
            pub fn into_raw_fd(self) -> io::Result<RawFd> {
                self.into_sync().map(IntoRawFd::into_raw_fd)
            }
        }

        /// Within the runtime.
        impl TryFrom<$std> for Async<$ours, Tokio> {
            type Error = io::Error;

            fn try_from(std: $std) -> io::Result<Self> {
                Self::from_std(std)
            }
        }

        /// It blocks.
        impl TryFrom<Async<$ours, Tokio>> for $std {
            type Error = io::Error;

            fn try_from(ours: Async<$ours, Tokio>) -> io::Result<Self> {
                ours.into_std()
            }
        }
    )+};
}
convert! {
    UdStream, std_net::UnixStream, net::UnixStream;
    UdStreamListener, std_net::UnixListener, net::UnixListener;
    UdSocket, std_net::UnixDatagram, net::UnixDatagram;
}

/// Datagrams, as interprocess 1.2 has them.
impl Async<UdSocket, Tokio> {
    /// Receives a message, for what polls. The last task that polled is the one that is woken. New code uses [`recv`](Self::recv).
    ///
    /// # Errors
    /// The system's.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (len, _) =
            ready!(self.poll_with(Interest::Read, cx, |socket| socket.recv(buf.initialize_unfilled())))?;
        buf.advance(len);
        Poll::Ready(Ok(()))
    }

    /// Sends a message to the destination, for what polls. The last task that polled is the one that is woken. New code uses
    /// [`send`](Self::send).
    ///
    /// # Errors
    /// The system's.
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(Interest::Write, cx, |socket| socket.send(buf))
    }
}
