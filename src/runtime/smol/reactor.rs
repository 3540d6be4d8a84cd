//! Objects in the reactor of `async-io`.

use crate::runtime::{Interest, Registered, Source};
use std::{
    io,
    task::{Context, Poll, ready},
};

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
            ready!(match interest {
                Interest::Read => self.0.poll_readable(cx),
                Interest::Write => self.0.poll_writable(cx),
            })?;
        }
    }
}
