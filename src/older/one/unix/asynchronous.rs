//! What is async.

#[cfg(feature = "tokio")]
mod tokio;

use crate::{
    os::unix::udsocket::{
        Socket,
        kind::{Datagram, Stream},
    },
    runtime::{Async, Interest, RecvHalf, Runtime, SendHalf, Source},
};
use std::{
    io,
    net::Shutdown,
    ops::Deref,
    os::fd::{AsFd, AsRawFd, RawFd},
};

/// The same as `AsFd`, which new code uses.
impl<T: Source, R: Runtime> AsRawFd for Async<T, R> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// Halves of sockets, as interprocess 1.2 has them.
impl<R: Runtime, P: Deref<Target = Async<Socket<Stream>, R>>> RecvHalf<P> {
    /// The same as [`shut_down`](Self::shut_down), which new code uses.
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self) -> io::Result<()> {
        self.shut_down()
    }

    /// The same as [`Socket::get_peer_credentials`], which new code asks by way of [`as_ref`](AsRef::as_ref).
    ///
    /// # Errors
    /// The system's.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn get_peer_credentials(&self) -> io::Result<libc::ucred> {
        self.0.get_peer_credentials()
    }
}

/// Halves of sockets, as interprocess 1.2 has them.
impl<R: Runtime, P: Deref<Target = Async<Socket<Stream>, R>>> SendHalf<P> {
    /// The same as [`shut_down`](Self::shut_down), which new code uses. (It hides the method of Tokio's `AsyncWriteExt`, which is
    /// called as `AsyncWriteExt::shutdown(&mut half)`, and does the same.)
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self) -> io::Result<()> {
        self.shut_down()
    }

    /// The same as [`Socket::get_peer_credentials`], which new code asks by way of [`as_ref`](AsRef::as_ref).
    ///
    /// # Errors
    /// The system's.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn get_peer_credentials(&self) -> io::Result<libc::ucred> {
        self.0.get_peer_credentials()
    }
}

/// Streams, as interprocess 1.2 has them.
impl<R: Runtime> Async<Socket<Stream>, R> {
    /// The same as [`Socket::shutdown`], which new code calls by way of [`get_ref`](Self::get_ref). (It hides the method of Tokio's
    /// `AsyncWriteExt`, which is called as `AsyncWriteExt::shutdown(&mut stream)`, and ends sending.)
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }
}

/// Datagrams, as interprocess 1.2 has them.
impl<R: Runtime> Async<Socket<Datagram>, R> {
    /// Receives a message into `buf` and gives its length, or `buf`'s, if it is longer. New code uses [`recv`](Self::recv), which
    /// tells about that.
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost.
    pub async fn recv_stdbuf(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf).await.map(|(len, _)| len)
    }

    /// The same as [`ready`](Self::ready) with [`Interest::Read`], which new code uses.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn recv_ready(&self) -> io::Result<()> {
        self.ready(Interest::Read).await
    }

    /// The same as [`ready`](Self::ready) with [`Interest::Write`], which new code uses.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn send_ready(&self) -> io::Result<()> {
        self.ready(Interest::Write).await
    }

    /// The same as [`Socket::shutdown`], which new code calls by way of [`get_ref`](Self::get_ref).
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }
}
