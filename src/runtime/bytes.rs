//! Receiving and sending bytes, for everything that is a stream or an end of one.

use super::{Async, Interest, Registered, Runtime, Source, Told};
#[cfg(any(feature = "hyper", feature = "smol", feature = "tokio"))]
use std::task::{Context, Poll, ready};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
};
#[cfg(unix)]
use std::{mem::MaybeUninit, ptr};

/// What has the runtime's own trait for reading.
#[doc(hidden)]
pub trait RecvBytes: Source {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;

    /// Like `recv`, into memory that need not be initialized: as much of it as was received is, then. If it `tells`, it says
    /// whether the next attempt would find nothing, should that be known. Unsafe code relies on it: no more is said than was written, and
    /// nothing else is written to `buf`.
    #[cfg(unix)]
    fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], tells: bool) -> io::Result<Told>;

    #[inline]
    fn recv_and_tell(&self, buf: &mut [u8], tells: bool) -> io::Result<Told> {
        #[cfg(unix)]
        {
            // SAFETY: this is the same memory. Nothing but bytes is written to it.
            let buf = unsafe { &mut *(ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) };
            self.recv_uninit(buf, tells)
        }
        #[cfg(windows)]
        {
            let _ = tells;
            self.recv(buf).map(Told::more_may_follow)
        }
    }
}

/// What has the runtime's own trait for writing.
#[doc(hidden)]
pub trait SendBytes: Source {
    fn send(&self, buf: &[u8]) -> io::Result<usize>;
    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    fn flush(&self) -> io::Result<()>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    /// Ends sending, where the stream can do that, after what is on its way. Neither waits for that nor leaves it to the caller.
    fn end_when_sent(&self) {
        // Should that fail, it has ended already, or cannot end by itself.
        let _ = self.shutdown(Shutdown::Write);
    }
}

const fn tells<T: Source, R: Runtime>() -> bool {
    <T::Io<R> as Registered<T>>::TAKES_WORD
}

/// What a system takes at once at most, however much room there is, is more than this.
const FEWER_THAN_ANY_LIMIT: usize = 1 << 30;

/// Where fewer bytes were sent than there are, there is no room for more.
#[inline]
fn sent<T: Source, R: Runtime>(len: usize, buf: &[u8]) -> Told {
    if tells::<T, R>() && len < buf.len() && len < FEWER_THAN_ANY_LIMIT {
        Told::last(len)
    } else {
        Told::more_may_follow(len)
    }
}

/// Receiving bytes, by [`Stream`](crate::local_socket::Stream), [`Recver`](crate::unnamed_pipe::Recver), and whatever else is a
/// stream of bytes.
impl<T: RecvBytes, R: Runtime> Async<T, R> {
    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the end of the stream or if `buf` is empty.
    ///
    /// # Errors
    /// Those of its blocking twin.
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.io.wait_and_tell(Interest::Read, |io| io.recv_and_tell(buf, tells::<T, R>())).await
    }

    /// Like [`recv`](Self::recv), into several buffers, filled in order.
    ///
    /// # Platform-specific behaviour
    /// Windows cannot fill several at once from a pipe: there, the first that is not empty is filled.
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.read_with(|io| io.recv_vectored(bufs)).await
    }

    /// Like [`recv`](Self::recv), without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is there; [`ready`](Self::ready) waits for that.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.try_io(Interest::Read, |io| io.recv(buf))
    }
}

/// Sending bytes, by [`Stream`](crate::local_socket::Stream), [`Sender`](crate::unnamed_pipe::Sender), and whatever else is a
/// stream of bytes.
impl<T: SendBytes, R: Runtime> Async<T, R> {
    /// Sends bytes from `buf`, and says how many: at least one, unless `buf` is empty. It may be fewer than all.
    ///
    /// # Errors
    /// Those of its blocking twin, such as [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the peer is gone.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.io.wait_and_tell(Interest::Write, |io| io.send(buf).map(|len| sent::<T, R>(len, buf))).await
    }

    /// Like [`send`](Self::send), from several buffers, in order.
    ///
    /// # Platform-specific behaviour
    /// Windows has no such call for pipes: there, small buffers are copied together, and else the first that is not empty is sent.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.write_with(|io| io.send_vectored(bufs)).await
    }

    /// Like [`send`](Self::send), without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room; [`ready`](Self::ready) waits for that.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.try_io(Interest::Write, |io| io.send(buf))
    }

    /// Waits until all that was sent is with the system, where it outlives this process. The peer need not have read it.
    ///
    /// # Platform-specific behaviour
    /// Does nothing on Unix, where it always is. On Windows it may be on its way.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn flush(&self) -> io::Result<()> {
        match self.get_ref().flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.write_with(T::flush).await,
            result => result,
        }
    }
}

/// For the runtimes' own traits.
#[cfg(any(feature = "hyper", feature = "smol", feature = "tokio"))]
impl<T: RecvBytes, R: Runtime> Async<T, R> {
    #[cfg(any(feature = "smol", feature = "tokio_support", windows))]
    #[inline]
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.io.poll_and_tell(Interest::Read, cx, |io| io.recv_and_tell(buf, tells::<T, R>()))
    }

    /// The same for memory that need not be initialized. What was received is.
    #[cfg(all(unix, any(feature = "hyper", feature = "tokio")))]
    #[inline]
    pub(super) fn poll_recv_uninit(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.io.poll_and_tell(Interest::Read, cx, |io| io.recv_uninit(buf, tells::<T, R>()))
    }

    #[cfg(any(feature = "smol", feature = "tokio_support"))]
    pub(super) fn poll_recv_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.io.poll_with(Interest::Read, cx, |io| io.recv_vectored(bufs))
    }
}

/// For the runtimes' own traits.
#[cfg(any(feature = "hyper", feature = "smol", feature = "tokio"))]
impl<T: SendBytes, R: Runtime> Async<T, R> {
    #[inline]
    pub(super) fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_and_tell(Interest::Write, cx, |io| io.send(buf).map(|len| sent::<T, R>(len, buf)))
    }

    pub(super) fn poll_send_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_with(Interest::Write, cx, |io| io.send_vectored(bufs))
    }

    /// Does not wait for room to write unless there is something to wait for.
    pub(super) fn poll_flushed(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_ref().flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.io.poll_with(Interest::Write, cx, T::flush)
            }
            result => Poll::Ready(result),
        }
    }

    /// Waits only where the system leaves it to us to send first what is on its way.
    pub(super) fn poll_shut_down(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.get_ref().shutdown(Shutdown::Write) {
                // What was not sent makes no difference to the end. Meanwhile, another task may have begun to send.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    drop(ready!(self.poll_flushed(cx)));
                }
                result => return Poll::Ready(result),
            }
        }
    }
}
