//! Objects in the reactor of `async-io`.

use crate::runtime::{Interest, Registered, Source};
use std::{
    io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll},
};

/// An object in the reactor of `async-io`.
#[derive(Debug)]
pub struct Io<T: Source> {
    inner: async_io::Async<T>,
    reading: Waiting,
    writing: Waiting,
}

/// Whether the last attempt for a trait that polls found nothing. What the reactor has said since would be news to the next one that
/// finds nothing, and cost it another such attempt.
#[derive(Debug, Default)]
struct Waiting(AtomicBool);

impl<T: Source> Io<T> {
    fn waiting(&self, interest: Interest) -> &AtomicBool {
        match interest {
            Interest::Read => &self.reading.0,
            Interest::Write => &self.writing.0,
        }
    }

    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match interest {
            Interest::Read => self.inner.poll_readable(cx),
            Interest::Write => self.inner.poll_writable(cx),
        }
    }
}

impl<T: Source> Registered<T> for Io<T> {
    fn new(io: T) -> io::Result<Self> {
        let inner = async_io::Async::new_nonblocking(io)?;
        Ok(Self { inner, reading: Waiting::default(), writing: Waiting::default() })
    }

    fn get_ref(&self) -> &T {
        self.inner.get_ref()
    }

    fn get_mut(&mut self) -> &mut T {
        // SAFETY: a `Source` promises that its descriptor is the same for as long as it lives, and nothing in this crate puts another
        // object in its place.
        unsafe { self.inner.get_mut() }
    }

    fn into_inner(self) -> io::Result<T> {
        self.inner.into_inner()
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        match interest {
            Interest::Read => self.inner.readable().await,
            Interest::Write => self.inner.writable().await,
        }
    }

    fn try_with<X>(&self, _interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        attempt(self.inner.get_ref())
    }

    async fn wait_with<X>(
        &self,
        interest: Interest,
        attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> io::Result<X> {
        match interest {
            Interest::Read => self.inner.read_with(attempt).await,
            Interest::Write => self.inner.write_with(attempt).await,
        }
    }

    fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> Poll<io::Result<X>> {
        let is_waiting = self.waiting(interest);
        // An attempt is made even if it has said nothing yet: there may be something all the same.
        let has_news = !is_waiting.load(Relaxed) || self.poll_ready(interest, cx)?.is_ready();
        loop {
            match attempt(self.inner.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => is_waiting.store(true, Relaxed),
                result => {
                    is_waiting.store(false, Relaxed);
                    return Poll::Ready(result);
                }
            }
            if !has_news || self.poll_ready(interest, cx)?.is_pending() {
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::unix::udsocket::UdStream;
    use std::{future::poll_fn, sync::mpsc, thread};

    #[test]
    fn what_the_reactor_has_said_is_no_news_to_who_waits_next() {
        const ROUNDS: usize = 20;

        let (one, other) = UdStream::pair().expect("pair");
        one.set_nonblocking(true).expect("nonblocking");
        let io = Io::new(one).expect("register");
        let (is_waiting, waits) = mpsc::channel();
        let sender = thread::spawn(move || {
            for () in waits {
                other.send(b"some").expect("send");
            }
        });
        let mut attempts = 0;
        for _ in 0..ROUNDS {
            let receive = poll_fn(|cx| {
                let received = io.poll_with(Interest::Read, cx, |stream| {
                    attempts += 1;
                    stream.recv(&mut [0; 8])
                });
                if received.is_pending() {
                    is_waiting.send(()).expect("tell");
                }
                received
            });
            assert_eq!(async_io::block_on(receive).expect("receive"), 4);
        }
        drop(is_waiting);
        sender.join().expect("sender");
        // One that finds nothing, and one that finds it; the reactor's own thread may wake us for nothing now and then.
        assert!((2 * ROUNDS..2 * ROUNDS + ROUNDS / 2).contains(&attempts), "{attempts} attempts");
    }
}
