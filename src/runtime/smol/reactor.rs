//! Objects in the reactor of `async-io`.

use crate::runtime::{Interest, Registered, Source};
use std::{
    io,
    task::{Context, Poll},
};

/// An object in the reactor of `async-io`.
#[derive(Debug)]
pub struct Io<T: Source>(async_io::Async<T>);

impl<T: Source> Io<T> {
    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match interest {
            Interest::Read => self.0.poll_readable(cx),
            Interest::Write => self.0.poll_writable(cx),
        }
    }
}

impl<T: Source> Registered<T> for Io<T> {
    fn new(io: T) -> io::Result<Self> {
        async_io::Async::new_nonblocking(io).map(Self)
    }

    fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    fn get_mut(&mut self) -> &mut T {
        // SAFETY: a `Source` promises that its descriptor is the same for as long as it lives, and nothing in this crate puts another
        // object in its place.
        unsafe { self.0.get_mut() }
    }

    fn into_inner(self) -> io::Result<T> {
        self.0.into_inner()
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        match interest {
            Interest::Read => self.0.readable().await,
            Interest::Write => self.0.writable().await,
        }
    }

    fn try_with<X>(&self, _interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        attempt(self.0.get_ref())
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
            // The first answer may be an event that was there before the attempt, and is no reason for another one. The second is
            // about what is there when the reactor begins to look, from now on: nothing is missed.
            if self.poll_ready(interest, cx)?.is_pending() || self.poll_ready(interest, cx)?.is_pending() {
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
    fn an_event_that_was_there_before_an_attempt_is_no_reason_for_another() {
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
            let mut is_asked_for = false;
            let receive = poll_fn(|cx| {
                let received = io.poll_with(Interest::Read, cx, |stream| {
                    attempts += 1;
                    stream.recv(&mut [0; 8])
                });
                if received.is_pending() && !std::mem::replace(&mut is_asked_for, true) {
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
