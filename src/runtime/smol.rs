//! smol, async-std and every other executor: on Unix the reactor of `async-io`, on Windows only its clock.

use super::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed};
use crate::runtime::{Interest, Registered};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    io::{self, IoSlice, IoSliceMut},
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
    type Io<T: Source> = unix::Io<T>;
    #[cfg(windows)]
    type Io<T: Source> = super::windows::Io<T>;

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

#[cfg(unix)]
mod unix {
    use super::{Context, Interest, Poll, Registered, Source, io};
    use std::task::ready;

    /// An object in the reactor of `async-io`.
    #[derive(Debug)]
    pub struct Io<T: Source>(async_io::Async<T>);

    impl<T: Source> Registered<T> for Io<T> {
        fn new(io: T) -> io::Result<Self> {
            async_io::Async::new_nonblocking(io).map(Self)
        }

        fn get_ref(&self) -> &T {
            self.0.get_ref()
        }

        fn into_inner(self) -> io::Result<T> {
            self.0.into_inner()
        }

        async fn wait_with<X>(
            &self,
            interest: Interest,
            attempt: impl FnMut(&T) -> io::Result<X> + Send,
        ) -> io::Result<X> {
            match interest {
                Interest::Read => self.0.read_with(attempt).await,
                Interest::Write => self.0.write_with(attempt).await,
            }
        }

        fn poll_with<X>(
            &self,
            interest: Interest,
            cx: &mut Context<'_>,
            mut attempt: impl FnMut(&T) -> io::Result<X>,
        ) -> Poll<io::Result<X>> {
            loop {
                match attempt(self.0.get_ref()) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => return Poll::Ready(result),
                }
                ready!(match interest {
                    Interest::Read => self.0.poll_readable(cx),
                    Interest::Write => self.0.poll_writable(cx),
                })?;
            }
        }
    }
}

impl<T: RecvBytes> AsyncRead for &Async<T, Smol> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.io.poll_with(Interest::Read, cx, |io| io.recv(buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_with(Interest::Read, cx, |io| io.recv_vectored(bufs))
    }
}

impl<T: SendBytes> AsyncWrite for &Async<T, Smol> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_with(Interest::Write, cx, |io| io.send(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_with(Interest::Write, cx, |io| io.send_vectored(bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_shut_down(cx)
    }
}

impl<T: RecvBytes> AsyncRead for Async<T, Smol> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, bufs)
    }
}

impl<T: SendBytes> AsyncWrite for Async<T, Smol> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}
