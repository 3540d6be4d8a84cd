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
        os::fd::{AsRawFd, OwnedFd, RawFd},
        sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    };
    use tokio::{
        io::unix::{AsyncFd, AsyncFdReadyGuard},
        runtime::Handle,
    };

    /// An object in Tokio's reactor.
    #[derive(Debug)]
    pub struct Io<T: Source> {
        first: AsyncFd<Raw<T>>,
        again: OnceLock<Again>,
        runtime: Handle,
    }

    /// `AsyncFd` asks for the raw descriptor.
    #[derive(Debug)]
    struct Raw<T>(T);

    impl<T: Source> AsRawFd for Raw<T> {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    /// To Tokio, that the other end was closed is final: from then on, there is nothing to wait for. The other end of a FIFO may be
    /// opened again. Then the object goes into the reactor anew, by another descriptor, as nobody is told that.
    type Again = Mutex<Arc<AsyncFd<OwnedFd>>>;

    fn lock(again: &Again) -> MutexGuard<'_, Arc<AsyncFd<OwnedFd>>> {
        again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl<T: Source> Io<T> {
        fn again(&self) -> Option<Arc<AsyncFd<OwnedFd>>> {
            self.again.get().map(|again| Arc::clone(&lock(again)))
        }

        /// Goes into the reactor anew, unless another task has done so since this one began to wait.
        #[cold]
        fn register_again(&self, stale: Option<&Arc<AsyncFd<OwnedFd>>>) -> io::Result<()> {
            let new = || {
                let fd = self.get_ref().as_fd().try_clone_to_owned()?;
                let _within = self.runtime.enter();
                // SAFETY: an `OwnedFd` is open, and the same, for as long as it lives, and nothing takes it out again.
                Ok::<_, io::Error>(Arc::new(unsafe { AsyncFd::register(fd) }?))
            };
            match (self.again.get(), stale) {
                (None, _) => drop(self.again.set(Mutex::new(new()?))),
                (Some(again), Some(stale)) => {
                    let mut again = lock(again);
                    if Arc::ptr_eq(&again, stale) {
                        *again = new()?;
                    }
                }
                (Some(_), None) => {}
            }
            Ok(())
        }
    }

    /// What came of an attempt.
    enum Tried<X> {
        Done(io::Result<X>),
        /// There is something to wait for.
        Wait,
        /// There is nothing to wait for any more, and yet it is not the end.
        Stale,
    }

    fn attempt_when<U: AsRawFd, X>(
        mut ready: AsyncFdReadyGuard<'_, U>,
        attempt: impl FnOnce() -> io::Result<X>,
    ) -> Tried<X> {
        let is_closed = ready.ready().is_read_closed() || ready.ready().is_write_closed();
        match ready.try_io(|_| attempt()) {
            Ok(result) => Tried::Done(result),
            Err(_) if is_closed => Tried::Stale,
            Err(_) => Tried::Wait,
        }
    }

    impl<T: Source> Registered<T> for Io<T> {
        fn new(io: T) -> io::Result<Self> {
            let runtime = Handle::try_current().map_err(io::Error::other)?;
            // SAFETY: a `Source` promises that its descriptor is open and the same for as long as it lives, and
            // only `into_inner` takes it out again.
            let first = unsafe { AsyncFd::register(Raw(io)) }?;
            Ok(Self { first, again: OnceLock::new(), runtime })
        }

        fn get_ref(&self) -> &T {
            &self.first.get_ref().0
        }

        fn into_inner(self) -> io::Result<T> {
            Ok(self.first.into_inner().0)
        }

        async fn wait_with<X>(
            &self,
            interest: Interest,
            mut attempt: impl FnMut(&T) -> io::Result<X> + Send,
        ) -> io::Result<X> {
            let interest = match interest {
                Interest::Read => tokio::io::Interest::READABLE,
                Interest::Write => tokio::io::Interest::WRITABLE,
            };
            if !T::IS_REOPENED {
                return self.first.async_io(interest, move |io| attempt(&io.0)).await;
            }
            loop {
                // Others get their turn even if this one never has to wait.
                tokio::task::consume_budget().await;
                let again = self.again();
                let tried = match &again {
                    None => attempt_when(self.first.ready(interest).await?, || attempt(self.get_ref())),
                    Some(again) => attempt_when(again.ready(interest).await?, || attempt(self.get_ref())),
                };
                match tried {
                    Tried::Done(result) => return result,
                    Tried::Wait => {}
                    Tried::Stale => self.register_again(again.as_ref())?,
                }
            }
        }

        fn poll_with<X>(
            &self,
            interest: Interest,
            cx: &mut Context<'_>,
            mut attempt: impl FnMut(&T) -> io::Result<X>,
        ) -> Poll<io::Result<X>> {
            loop {
                let again = self.again();
                let attempt = || attempt(self.get_ref());
                let tried = match &again {
                    None => attempt_when(ready!(poll_ready(&self.first, interest, cx))?, attempt),
                    Some(again) => attempt_when(ready!(poll_ready(again, interest, cx))?, attempt),
                };
                match tried {
                    Tried::Done(result) => return Poll::Ready(result),
                    Tried::Stale if T::IS_REOPENED => self.register_again(again.as_ref())?,
                    Tried::Wait | Tried::Stale => {}
                }
            }
        }
    }

    fn poll_ready<'fd, U: AsRawFd>(
        fd: &'fd AsyncFd<U>,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'fd, U>>> {
        match interest {
            Interest::Read => fd.poll_read_ready(cx),
            Interest::Write => fd.poll_write_ready(cx),
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
