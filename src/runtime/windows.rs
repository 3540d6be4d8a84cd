//! On Windows no runtime's reactor is needed: each object wakes tasks from the system's thread pool.

use super::{Interest, Registered, Runtime, Source};
use std::{
    future::poll_fn,
    io,
    marker::PhantomData,
    task::{Context, Poll, ready},
};

/// An object that tells by itself when it is ready.
#[derive(Debug)]
pub struct Io<T, R>(T, PhantomData<R>);

impl<T: Source, R: Runtime> Registered<T> for Io<T, R> {
    fn new(io: T) -> io::Result<Self> {
        Ok(Self(io, PhantomData))
    }

    fn get_ref(&self) -> &T {
        &self.0
    }

    fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }

    fn into_inner(self) -> io::Result<T> {
        Ok(self.0)
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        poll_fn(|cx| R::poll_turn(cx, |cx| self.0.poll_ready(interest, cx))).await;
        Ok(())
    }

    fn try_with<X>(&self, _interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        attempt(&self.0)
    }

    async fn wait_with<X>(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> io::Result<X> {
        poll_fn(|cx| self.poll_with(interest, cx, &mut attempt)).await
    }

    fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> Poll<io::Result<X>> {
        R::poll_turn(cx, |cx| {
            loop {
                match attempt(&self.0) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        ready!(self.0.poll_ready(interest, cx));
                    }
                    result => return Poll::Ready(result),
                }
            }
        })
    }
}
