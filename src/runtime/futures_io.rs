//! The traits of `futures-io`, for the runtimes whose users read and write by them.

use super::{Async, RecvBytes, RecvHalf, Runtime, SendBytes, SendHalf};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    io::{self, IoSlice, IoSliceMut},
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

/// A runtime whose streams and halves have [`AsyncRead`] and [`AsyncWrite`] of [`futures_io`]: `Smol`, and with the feature
/// `tokio_support` `Tokio` too, next to the traits of its own. (Who has both kinds of extension traits in scope has to say which
/// `read` is meant.)
pub trait FuturesIo: Runtime {}

/// `AsyncRead` for a type, by way of an `&Async`.
macro_rules! read_by_ref {
    ($([$($bounds:tt)*] $type:ty, |$this:ident| $io:expr;)+) => {$(
        impl<$($bounds)*> AsyncRead for $type {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $io.poll_recv(cx, buf)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $io.poll_recv_vectored(cx, bufs)
            }
        }
    )+};
}
read_by_ref! {
    [T: RecvBytes, R: FuturesIo] Async<T, R>, |io| io;
    [T: RecvBytes, R: FuturesIo] &Async<T, R>, |io| io;
    [T: RecvBytes, R: FuturesIo, P: Deref<Target = Async<T, R>> + Unpin] RecvHalf<P>, |half| half.0;
    [T: RecvBytes, R: FuturesIo, P: Deref<Target = Async<T, R>>] &RecvHalf<P>, |half| half.0;
}

/// `AsyncWrite` for a type, by way of an `&Async`.
macro_rules! write_by_ref {
    ($([$($bounds:tt)*] $type:ty, |$this:ident| $io:expr;)+) => {$(
        impl<$($bounds)*> AsyncWrite for $type {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $io.poll_send(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $io.poll_send_vectored(cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $io.poll_flushed(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $io.poll_shut_down(cx)
            }
        }
    )+};
}
write_by_ref! {
    [T: SendBytes, R: FuturesIo] Async<T, R>, |io| io;
    [T: SendBytes, R: FuturesIo] &Async<T, R>, |io| io;
    [T: SendBytes, R: FuturesIo, P: Deref<Target = Async<T, R>> + Unpin] SendHalf<P>, |half| half.0;
    [T: SendBytes, R: FuturesIo, P: Deref<Target = Async<T, R>>] &SendHalf<P>, |half| half.0;
}
