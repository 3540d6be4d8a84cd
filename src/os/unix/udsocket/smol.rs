//! Sockets of the Unix domain for smol, async-std and every other executor. The types have the methods of their blocking twins, as `async fn`s where those may
//! wait.

use super::{
    halves::{OwnedRecvHalf, OwnedSendHalf, RecvHalf, SendHalf},
    kind,
};
use crate::{
    error,
    runtime::{Async, Smol},
};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    io::{self, IoSlice, IoSliceMut},
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

/// The async face of a [`UdStream`](super::UdStream).
pub type UdStream = Async<super::Socket<kind::Stream>, Smol>;

/// The async face of a [`UdStreamListener`](super::UdStreamListener).
pub type UdStreamListener = Async<super::Listener<kind::Stream>, Smol>;

/// The async face of a [`UdSocket`](super::UdSocket).
pub type UdSocket = Async<super::Socket<kind::Datagram>, Smol>;

/// The async face of a [`UdSeqpacket`](super::UdSeqpacket).
pub type UdSeqpacket = Async<super::Socket<kind::Seqpacket>, Smol>;

/// The async face of a [`UdSeqpacketListener`](super::UdSeqpacketListener).
pub type UdSeqpacketListener = Async<super::Listener<kind::Seqpacket>, Smol>;

/// The half of a [`UdStream`] that receives, from [`split`](UdStream::split).
pub type BorrowedReadHalf<'s> = RecvHalf<&'s UdStream>;

/// The half of a [`UdStream`] that sends, from [`split`](UdStream::split).
pub type BorrowedWriteHalf<'s> = SendHalf<&'s UdStream>;

/// The half of a [`UdStream`] that receives, from [`into_split`](UdStream::into_split).
pub type OwnedReadHalf = OwnedRecvHalf<Smol>;

/// The half of a [`UdStream`] that sends, from [`into_split`](UdStream::into_split).
pub type OwnedWriteHalf = OwnedSendHalf<Smol>;

/// Two halves that are not of one stream. They are handed back.
pub type ReuniteError = error::ReuniteError<OwnedReadHalf, OwnedWriteHalf>;

impl<S: Deref<Target = UdStream> + Unpin> AsyncRead for RecvHalf<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_read_vectored(cx, bufs)
    }
}

impl<S: Deref<Target = UdStream> + Unpin> AsyncWrite for SendHalf<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_close(cx)
    }
}
