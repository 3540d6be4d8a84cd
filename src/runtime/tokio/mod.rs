//! Tokio: on Unix its reactor (`AsyncFd`), on Windows only its clock.

#[cfg(unix)]
mod exchange;
#[cfg(unix)]
mod reactor;
#[cfg(unix)]
mod reopened;

use super::{Async, RecvBytes, RecvHalf, Runtime, SendBytes, SendHalf, Source, private::Sealed};
use std::{
    io::{self, IoSlice},
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The [`tokio`](::tokio) runtime. Objects are created within it, and may be dropped outside.
#[derive(Copy, Clone, Debug)]
pub struct Tokio(());

impl Sealed for Tokio {}

/// For code that was written for interprocess 1.2.
#[cfg(feature = "tokio_support")]
impl super::FuturesIo for Tokio {}

impl Runtime for Tokio {
    #[cfg(unix)]
    type Io<T: Source> = reactor::Io<T>;
    #[cfg(unix)]
    type ReopenedIo<T: Source> = reopened::Io<T>;
    #[cfg(windows)]
    type Io<T: Source> = super::windows::Io<T, Self>;
    #[cfg(windows)]
    type ReopenedIo<T: Source> = Self::Io<T>;

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// On Unix, its reactor counts.
    #[cfg(windows)]
    #[inline]
    fn poll_turn<X>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<X>) -> Poll<X> {
        let turn = ready!(tokio::task::coop::poll_proceed(cx));
        poll(cx).map(|result| {
            turn.made_progress();
            result
        })
    }
}

#[inline]
fn poll_read<T: RecvBytes>(
    io: &Async<T, Tokio>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    #[cfg(unix)]
    {
        // SAFETY: only bytes are written to it.
        let received = ready!(io.poll_recv_uninit(cx, unsafe { buf.unfilled_mut() }))?;
        // SAFETY: that many were written there.
        unsafe { buf.assume_init(received) };
        buf.advance(received);
    }
    #[cfg(windows)]
    {
        let received = ready!(io.poll_recv(cx, buf.initialize_unfilled()))?;
        buf.advance(received);
    }
    Poll::Ready(Ok(()))
}

/// `AsyncRead` for a type, by way of an `&Async`.
macro_rules! read_by_ref {
    ($([$($bounds:tt)*] $type:ty, |$this:ident| $io:expr;)+) => {$(
        impl<$($bounds)*> AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                poll_read(&$io, cx, buf)
            }
        }
    )+};
}
read_by_ref! {
    [T: RecvBytes] Async<T, Tokio>, |io| io;
    [T: RecvBytes] &Async<T, Tokio>, |io| io;
    [T: RecvBytes, P: Deref<Target = Async<T, Tokio>> + Unpin] RecvHalf<P>, |half| half.0;
    [T: RecvBytes, P: Deref<Target = Async<T, Tokio>>] &RecvHalf<P>, |half| half.0;
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

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $io.poll_flushed(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $io.poll_shut_down(cx)
            }
        }
    )+};
}
write_by_ref! {
    [T: SendBytes] Async<T, Tokio>, |io| io;
    [T: SendBytes] &Async<T, Tokio>, |io| io;
    [T: SendBytes, P: Deref<Target = Async<T, Tokio>> + Unpin] SendHalf<P>, |half| half.0;
    [T: SendBytes, P: Deref<Target = Async<T, Tokio>>] &SendHalf<P>, |half| half.0;
}
