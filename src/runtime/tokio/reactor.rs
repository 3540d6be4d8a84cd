//! Objects in Tokio's reactor.

use crate::runtime::{Interest, Registered, Source, Told};
use rustix::io::Errno;
use std::{
    future::Future,
    io,
    os::fd::{AsRawFd, RawFd},
    pin::pin,
    task::{Context, Poll, Waker, ready},
};
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// An object in Tokio's reactor.
#[derive(Debug)]
pub struct Io<T: Source>(AsyncFd<Raw<T>>);

/// `AsyncFd` asks for the raw descriptor.
#[derive(Debug)]
pub(super) struct Raw<T>(pub(super) T);

impl<T: Source> AsRawFd for Raw<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Within the runtime.
pub(super) fn register<T: Source>(io: T) -> io::Result<AsyncFd<Raw<T>>> {
    tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    // SAFETY: a `Source` promises that its descriptor is open and the same for as long as it lives, and it is not taken out again
    // before it is deregistered.
    Ok(unsafe { AsyncFd::register(Raw(io)) }?)
}

pub(super) fn of(interest: Interest) -> tokio::io::Interest {
    match interest {
        Interest::Read => tokio::io::Interest::READABLE,
        Interest::Write => tokio::io::Interest::WRITABLE,
    }
}

pub(super) fn poll_ready<'fd, U: AsRawFd>(
    fd: &'fd AsyncFd<U>,
    interest: Interest,
    cx: &mut Context<'_>,
) -> Poll<io::Result<AsyncFdReadyGuard<'fd, U>>> {
    match interest {
        Interest::Read => fd.poll_read_ready(cx),
        Interest::Write => fd.poll_write_ready(cx),
    }
}

/// What the reactor has told already; `None` if nothing, as about an object that is new to it.
pub(super) fn ready_now<U: AsRawFd>(
    fd: &AsyncFd<U>,
    interest: Interest,
) -> Option<io::Result<AsyncFdReadyGuard<'_, U>>> {
    match pin!(fd.ready(of(interest))).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(guard) => Some(guard),
        Poll::Pending => None,
    }
}

/// What the system says is compared as it is: finding out its kind takes longer than all else that is done about it.
#[inline]
pub(super) fn is_would_block(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::AGAIN.raw_os_error()) || error.kind() == io::ErrorKind::WouldBlock
}

/// `None` if there is nothing yet. Whoever is told that there is nothing left waits next time, without asking the system first; what has come
/// since the reactor was asked is not forgotten by that.
#[inline]
fn attempt_when<T: Source, X>(
    mut guard: AsyncFdReadyGuard<'_, Raw<T>>,
    attempt: &mut impl FnMut(&T) -> io::Result<X>,
    is_last: &impl Fn(&X) -> bool,
) -> Option<io::Result<X>> {
    match attempt(&guard.get_inner().0) {
        Ok(result) => {
            if is_last(&result) {
                guard.clear_ready();
            }
            Some(Ok(result))
        }
        Err(error) if is_would_block(&error) => {
            guard.clear_ready();
            None
        }
        Err(error) => Some(Err(error)),
    }
}

impl<T: Source> Io<T> {
    async fn wait<X>(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&T) -> io::Result<X> + Send,
        is_last: impl Fn(&X) -> bool + Send,
    ) -> io::Result<X> {
        loop {
            // Others get their turn even if this one never has to wait.
            tokio::task::consume_budget().await;
            let guard = self.0.ready(of(interest)).await?;
            if let Some(result) = attempt_when(guard, &mut attempt, &is_last) {
                return result;
            }
        }
    }

    #[inline]
    fn poll<X>(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&T) -> io::Result<X>,
        is_last: impl Fn(&X) -> bool,
    ) -> Poll<io::Result<X>> {
        loop {
            let guard = ready!(poll_ready(&self.0, interest, cx))?;
            if let Some(result) = attempt_when(guard, &mut attempt, &is_last) {
                return Poll::Ready(result);
            }
        }
    }
}

impl<T: Source> Registered<T> for Io<T> {
    const TAKES_WORD: bool = true;

    fn new(io: T) -> io::Result<Self> {
        register(io).map(Self)
    }

    fn get_ref(&self) -> &T {
        &self.0.get_ref().0
    }

    fn get_mut(&mut self) -> &mut T {
        &mut self.0.get_mut().0
    }

    fn into_inner(self) -> io::Result<T> {
        Ok(self.0.into_inner().0)
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.0.ready(of(interest)).await.map(|mut guard| guard.retain_ready())
    }

    fn try_with<X>(&self, interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        let Some(guard) = ready_now(&self.0, interest) else { return attempt(self.get_ref()) };
        let result = guard?.try_io(|_| attempt(self.get_ref()));
        result.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
    }

    fn wait_with<X>(
        &self,
        interest: Interest,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> impl Future<Output = io::Result<X>> + Send {
        self.wait(interest, attempt, |_| false)
    }

    fn wait_and_tell(
        &self,
        interest: Interest,
        attempt: impl FnMut(&T) -> io::Result<Told> + Send,
    ) -> impl Future<Output = io::Result<usize>> + Send {
        let told = self.wait(interest, attempt, |told| told.is_last());
        async { told.await.map(Told::len) }
    }

    #[inline]
    fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> Poll<io::Result<X>> {
        self.poll(interest, cx, attempt, |_| false)
    }

    #[inline]
    fn poll_and_tell(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&T) -> io::Result<Told>,
    ) -> Poll<io::Result<usize>> {
        self.poll(interest, cx, attempt, |told| told.is_last()).map_ok(Told::len)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        os::unix::udsocket::UdStream,
        runtime::{Async, Interest, Tokio},
    };
    use std::{future::poll_fn, io::Read, task::Poll};

    /// Whether the reactor still says that there is room.
    async fn seems_to_have_room(stream: &Async<UdStream, Tokio>) -> bool {
        poll_fn(|cx| Poll::Ready(stream.io.0.poll_write_ready(cx).is_ready())).await
    }

    #[test]
    fn what_was_sent_in_part_is_word_that_there_is_no_room_until_the_peer_has_read() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let (one, other) = UdStream::pair().expect("pair");
            let one = Async::<_, Tokio>::try_from(one).expect("register");
            let (all, mut buf) = (vec![7; 1 << 24], vec![0; 1 << 24]);
            for _ in 0..3 {
                one.send(b"a").await.expect("send");
                assert!(seems_to_have_room(&one).await);
                let len = one.send(&all).await.expect("send");
                assert!(len < all.len() && !seems_to_have_room(&one).await);
                (&other).read_exact(&mut buf[..=len]).expect("read");
                one.ready(Interest::Write).await.expect("ready");
            }
        });
    }
}
