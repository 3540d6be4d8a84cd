//! smol, async-std and every other executor: on Unix the reactor of `async-io`, on Windows only its clock.

#[cfg(unix)]
mod exchange;
#[cfg(unix)]
mod reactor;

use super::{Async, RecvBytes, RecvHalf, Runtime, SendBytes, SendHalf, Source, private::Sealed};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    io::{self, IoSlice, IoSliceMut},
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Any executor, by way of [`async_io`], which starts its own thread when it needs one.
#[derive(Copy, Clone, Debug)]
pub struct Smol(());

impl Sealed for Smol {}

impl Runtime for Smol {
    #[cfg(unix)]
    type Io<T: Source> = reactor::Io<T>;
    #[cfg(windows)]
    type Io<T: Source> = super::windows::Io<T>;
    type ReopenedIo<T: Source> = Self::Io<T>;

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

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
    [T: RecvBytes] Async<T, Smol>, |io| io;
    [T: RecvBytes] &Async<T, Smol>, |io| io;
    [T: RecvBytes, P: Deref<Target = Async<T, Smol>> + Unpin] RecvHalf<P>, |half| half.0;
    [T: RecvBytes, P: Deref<Target = Async<T, Smol>>] &RecvHalf<P>, |half| half.0;
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
    [T: SendBytes] Async<T, Smol>, |io| io;
    [T: SendBytes] &Async<T, Smol>, |io| io;
    [T: SendBytes, P: Deref<Target = Async<T, Smol>> + Unpin] SendHalf<P>, |half| half.0;
    [T: SendBytes, P: Deref<Target = Async<T, Smol>>] &SendHalf<P>, |half| half.0;
}
