//! hyper's own traits for I/O, which no runtime has.

use super::{Async, RecvBytes, Runtime, SendBytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

impl<T: RecvBytes, R: Runtime> Read for Async<T, R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        #[cfg(unix)]
        // SAFETY: only bytes are written to it.
        let received = ready!(self.poll_recv_uninit(cx, unsafe { buf.as_mut() }))?;
        #[cfg(windows)]
        let received = ready!(self.poll_recv(cx, buf.initialize_unfilled()))?;
        // SAFETY: that many were written there.
        unsafe { buf.advance(received) };
        Poll::Ready(Ok(()))
    }
}

impl<T: SendBytes, R: Runtime> Write for Async<T, R> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_shut_down(cx)
    }
}
