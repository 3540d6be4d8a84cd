//! Sockets of the Unix domain for Tokio. The types have the methods of their blocking twins, as `async fn`s where those may
//! wait.

use super::{
    halves::{OwnedRecvHalf, OwnedSendHalf, RecvHalf, SendHalf},
    kind,
};
use crate::{
    error,
    runtime::{Async, Tokio},
};
use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use std::{
    io::{self, IoSlice},
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

/// The async face of a [`UdStream`](super::UdStream).
pub type UdStream = Async<super::Socket<kind::Stream>, Tokio>;

/// The async face of a [`UdStreamListener`](super::UdStreamListener).
pub type UdStreamListener = Async<super::Listener<kind::Stream>, Tokio>;

/// The async face of a [`UdSocket`](super::UdSocket).
pub type UdSocket = Async<super::Socket<kind::Datagram>, Tokio>;

/// The async face of a [`UdSeqpacket`](super::UdSeqpacket).
pub type UdSeqpacket = Async<super::Socket<kind::Seqpacket>, Tokio>;

/// The async face of a [`UdSeqpacketListener`](super::UdSeqpacketListener).
pub type UdSeqpacketListener = Async<super::Listener<kind::Seqpacket>, Tokio>;

/// The half of a [`UdStream`] that receives, from [`split`](UdStream::split).
pub type BorrowedReadHalf<'s> = RecvHalf<&'s UdStream>;

/// The half of a [`UdStream`] that sends, from [`split`](UdStream::split).
pub type BorrowedWriteHalf<'s> = SendHalf<&'s UdStream>;

/// The half of a [`UdStream`] that receives, from [`into_split`](UdStream::into_split).
pub type OwnedReadHalf = OwnedRecvHalf<Tokio>;

/// The half of a [`UdStream`] that sends, from [`into_split`](UdStream::into_split).
pub type OwnedWriteHalf = OwnedSendHalf<Tokio>;

/// Two halves that are not of one stream. They are handed back.
pub type ReuniteError = error::ReuniteError<OwnedReadHalf, OwnedWriteHalf>;

impl<S: Deref<Target = UdStream> + Unpin> AsyncRead for RecvHalf<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_read(cx, buf)
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

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_shutdown(cx)
    }
}
