//! Tokio: on Unix its reactor (`AsyncFd`), on Windows only its clock.

use super::{Async, RecvBytes, Runtime, SendBytes, Source, private::Sealed};
use crate::runtime::{Interest, Registered};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The [`tokio`](::tokio) runtime. Objects are created within it, and may be dropped outside.
#[derive(Copy, Clone, Debug)]
pub struct Tokio(());

impl Sealed for Tokio {}

impl Runtime for Tokio {
    #[cfg(unix)]
    type Io<T: Source> = unix::Io<T>;
    #[cfg(windows)]
    type Io<T: Source> = super::windows::Io<T>;

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(unix)]
mod unix {
    use super::{Context, Interest, Poll, Registered, Source, io, ready};
    use std::{
        future::Future,
        os::fd::{AsRawFd, RawFd},
    };
    use tokio::{io::unix::AsyncFd, runtime::Handle};

    /// An object in Tokio's reactor.
    #[derive(Debug)]
    pub struct Io<T: Source>(AsyncFd<Raw<T>>);

    /// `AsyncFd` asks for the raw descriptor.
    #[derive(Debug)]
    struct Raw<T>(T);

    impl<T: Source> AsRawFd for Raw<T> {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl<T: Source> Registered<T> for Io<T> {
        fn new(io: T) -> io::Result<Self> {
            if let Err(error) = Handle::try_current() {
                return Err(io::Error::other(error));
            }
            // SAFETY: a `Source` promises that its descriptor is open and the same for as long as it lives, and
            // only `into_inner` takes it out again.
            unsafe { AsyncFd::register(Raw(io)) }.map(Self).map_err(Into::into)
        }

        fn get_ref(&self) -> &T {
            &self.0.get_ref().0
        }

        fn into_inner(self) -> io::Result<T> {
            Ok(self.0.into_inner().0)
        }

        fn wait_with<X>(
            &self,
            interest: Interest,
            mut attempt: impl FnMut(&T) -> io::Result<X> + Send,
        ) -> impl Future<Output = io::Result<X>> + Send {
            let interest = match interest {
                Interest::Read => tokio::io::Interest::READABLE,
                Interest::Write => tokio::io::Interest::WRITABLE,
            };
            self.0.async_io(interest, move |io| attempt(&io.0))
        }

        fn poll_with<X>(
            &self,
            interest: Interest,
            cx: &mut Context<'_>,
            mut attempt: impl FnMut(&T) -> io::Result<X>,
        ) -> Poll<io::Result<X>> {
            loop {
                let mut ready = ready!(match interest {
                    Interest::Read => self.0.poll_read_ready(cx),
                    Interest::Write => self.0.poll_write_ready(cx),
                })?;
                if let Ok(result) = ready.try_io(|io| attempt(&io.get_ref().0)) {
                    return Poll::Ready(result);
                }
            }
        }
    }
}

impl<T: RecvBytes> AsyncRead for &Async<T, Tokio> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let unfilled = buf.initialize_unfilled();
        let received = ready!(self.io.poll_with(Interest::Read, cx, |io| io.recv(unfilled)))?;
        buf.advance(received);
        Poll::Ready(Ok(()))
    }
}

impl<T: SendBytes> AsyncWrite for &Async<T, Tokio> {
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

impl<T: RecvBytes> AsyncRead for Async<T, Tokio> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_read(cx, buf)
    }
}

impl<T: SendBytes> AsyncWrite for Async<T, Tokio> {
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

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_shutdown(cx)
    }
}
