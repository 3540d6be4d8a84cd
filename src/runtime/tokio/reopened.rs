//! Objects whose other end may be closed, and then be opened again: ends of a FIFO.

use super::reactor::{Raw, is_would_block, of, poll_ready, ready_now, register};
use crate::runtime::{Interest, Registered, Source};
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{
    io::unix::{AsyncFd, AsyncFdReadyGuard},
    runtime::Handle,
};

/// To Tokio, that the other end was closed is final: from then on, there is nothing to wait for. So the object goes into the
/// reactor anew then, by another descriptor, as nobody is told that the other end was opened.
#[derive(Debug)]
pub struct Io<T: Source> {
    first: AsyncFd<Raw<T>>,
    again: OnceLock<Again>,
    runtime: Handle,
}

type Again = Mutex<Arc<AsyncFd<OwnedFd>>>;

fn lock(again: &Again) -> MutexGuard<'_, Arc<AsyncFd<OwnedFd>>> {
    again.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Source> Io<T> {
    #[inline]
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

#[inline]
fn attempt_when<U: AsRawFd, X>(
    mut guard: AsyncFdReadyGuard<'_, U>,
    attempt: impl FnOnce() -> io::Result<X>,
) -> Tried<X> {
    match attempt() {
        Err(error) if is_would_block(&error) => {
            let ready = guard.ready();
            guard.clear_ready();
            if ready.is_read_closed() || ready.is_write_closed() { Tried::Stale } else { Tried::Wait }
        }
        result => Tried::Done(result),
    }
}

fn attempt_now<U: AsRawFd, X>(
    fd: &AsyncFd<U>,
    interest: Interest,
    attempt: impl FnOnce() -> io::Result<X>,
) -> io::Result<Tried<X>> {
    Ok(match ready_now(fd, interest) {
        Some(guard) => attempt_when(guard?, attempt),
        None => Tried::Done(attempt()),
    })
}

impl<T: Source> Registered<T> for Io<T> {
    fn new(io: T) -> io::Result<Self> {
        let first = register(io)?;
        Ok(Self { first, again: OnceLock::new(), runtime: Handle::current() })
    }

    fn get_ref(&self) -> &T {
        &self.first.get_ref().0
    }

    fn get_mut(&mut self) -> &mut T {
        &mut self.first.get_mut().0
    }

    fn into_inner(self) -> io::Result<T> {
        Ok(self.first.into_inner().0)
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        match self.again() {
            None => self.first.ready(of(interest)).await.map(|mut guard| guard.retain_ready()),
            Some(again) => again.ready(of(interest)).await.map(|mut guard| guard.retain_ready()),
        }
    }

    fn try_with<X>(&self, interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        let again = self.again();
        let attempt = || attempt(self.get_ref());
        let tried = match &again {
            None => attempt_now(&self.first, interest, attempt)?,
            Some(again) => attempt_now(again, interest, attempt)?,
        };
        match tried {
            Tried::Done(result) => return result,
            Tried::Wait => {}
            Tried::Stale => self.register_again(again.as_ref())?,
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    async fn wait_with<X>(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> io::Result<X> {
        loop {
            // Others get their turn even if this one never has to wait.
            tokio::task::consume_budget().await;
            let again = self.again();
            let attempt = || attempt(self.get_ref());
            let tried = match &again {
                None => attempt_when(self.first.ready(of(interest)).await?, attempt),
                Some(again) => attempt_when(again.ready(of(interest)).await?, attempt),
            };
            match tried {
                Tried::Done(result) => return result,
                Tried::Wait => {}
                Tried::Stale => self.register_again(again.as_ref())?,
            }
        }
    }

    #[inline]
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
                Tried::Wait => {}
                Tried::Stale => self.register_again(again.as_ref())?,
            }
        }
    }
}
