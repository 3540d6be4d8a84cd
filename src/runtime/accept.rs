//! Accepting, for everything that listens.

use super::{Async, Interest, Runtime, Source, WakerList, limited, wakers::yield_now};
use futures_core::{FusedStream, Stream};
use std::{
    fmt::{self, Debug, Formatter},
    future::{Future, poll_fn},
    io,
    ops::Deref,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// What gives out connections.
#[doc(hidden)]
pub trait Accept: Source {
    type Connection: Source;

    /// The next connection, in nonblocking mode; `None` if it was turned away.
    fn next_connection(&self) -> io::Result<Option<Self::Connection>>;
    fn stop(&self);
    fn is_stopped(&self) -> bool;

    /// The tasks that are to learn of that, where being stopped does not wake those who wait for a connection.
    fn stop_tasks(&self) -> Option<&WakerList>;

    /// The same error, saying what it is about.
    fn explain(&self, error: io::Error) -> io::Error;
}

/// Listening, on a [local socket](crate::local_socket::Listener) or on whatever else gives out connections.
impl<T: Accept, R: Runtime> Async<T, R> {
    /// Waits for a client and gives the connection to it.
    ///
    /// # Errors
    /// Those of its blocking twin. After any of them the listener can go on, unless it is
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe): the listener was [stopped](Self::stop).
    ///
    /// # Cancel safety
    /// If the future is dropped, no client is lost.
    pub async fn accept(&self) -> io::Result<Async<T::Connection, R>> {
        let listener = self.get_ref();
        loop {
            let mut next = pin!(self.read_with(T::next_connection));
            let mut stop = listener.stop_tasks().map(WakerList::waiting);
            let connection = poll_fn(|cx| {
                if listener.is_stopped() {
                    return Poll::Ready(listener.next_connection());
                }
                let polled = next.as_mut().poll(cx);
                if let (Poll::Pending, Some(stop)) = (&polled, &mut stop) {
                    stop.wait(cx.waker());
                    // It may have been stopped in between.
                    if listener.is_stopped() {
                        return Poll::Ready(listener.next_connection());
                    }
                }
                polled
            });
            match connection.await? {
                Some(connection) => return Async::new(connection),
                // Strangers who keep coming must not keep the thread.
                None => yield_now().await,
            }
        }
    }

    /// Like [`accept`](Self::accept), but waits for no longer than `timeout`; zero takes a client only if one is there.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// # Cancel safety
    /// If the future is dropped, no client is lost, nor is one lost when time is up.
    pub async fn accept_timeout(&self, timeout: Duration) -> io::Result<Async<T::Connection, R>> {
        let accepted =
            if timeout.is_zero() { self.try_accept() } else { limited::<_, R>(timeout, self.accept()).await };
        accepted.map_err(|error| match error.kind() {
            // It has no text yet.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                self.get_ref().explain(io::ErrorKind::TimedOut.into())
            }
            _ => error,
        })
    }

    /// Like [`accept`](Self::accept), without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no client is there, or one that was turned away;
    /// [`ready`](Self::ready) waits for the next.
    pub fn try_accept(&self) -> io::Result<Async<T::Connection, R>> {
        let connection = self.try_io(Interest::Read, T::next_connection)?;
        connection.map_or_else(|| Err(io::ErrorKind::WouldBlock.into()), Async::new)
    }

    /// The clients, one after the other. Ends when the listener is [stopped](Self::stop).
    ///
    /// Each task can have a stream of its own, and they take turns.
    pub fn incoming(&self) -> Incoming<'_, T, R> {
        Incoming::new(Listener::Borrowed(self))
    }

    /// The same as [`incoming`](Self::incoming), as the owner of the listener, which is dropped when it is. Clone it for further
    /// tasks.
    ///
    /// This is what servers want that take a stream of connections, such as `serve_with_incoming` of tonic.
    pub fn into_incoming(self) -> Incoming<'static, T, R> {
        Incoming::new(Listener::Owned(Arc::new(self)))
    }

    /// Stops the listener for good, from any thread or task: calls of [`accept`](Self::accept) that wait, and all later ones,
    /// return [`BrokenPipe`](io::ErrorKind::BrokenPipe), and streams of clients end.
    pub fn stop(&self) {
        self.get_ref().stop();
    }
}

/// The clients of a listener, one after the other. From [`Async::incoming`] and [`Async::into_incoming`].
///
/// It is a [`Stream`], and can be used without that trait, too:
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use interprocess::local_socket::smol::{Listener, Stream};
///
/// # let name = format!("@interprocess-doc-incoming-{}", std::process::id());
/// # let name = name.as_str();
/// # async_io::block_on(async {
/// let listener = Listener::bind(name)?;
/// Stream::connect(name).await?.send(b"hello").await?;
///
/// let mut clients = listener.incoming();
/// while let Some(client) = clients.next().await {
///     assert_eq!(client?.recv(&mut [0; 16]).await?, 5);
///     listener.stop();
/// }
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Cancel safety
/// If it is dropped, or a future of [`next`](Self::next), no client is lost.
#[must_use = "streams do nothing until they are polled"]
pub struct Incoming<'l, T: Accept, R: Runtime> {
    listener: Listener<'l, T, R>,
    /// A future of its own, so that any number of tasks may wait.
    accepting: Option<Accepting<'l, T, R>>,
}

type Accepting<'l, T, R> =
    Pin<Box<dyn Future<Output = io::Result<Async<<T as Accept>::Connection, R>>> + Send + 'l>>;

enum Listener<'l, T: Accept, R: Runtime> {
    Borrowed(&'l Async<T, R>),
    Owned(Arc<Async<T, R>>),
}

impl<T: Accept, R: Runtime> Clone for Listener<'_, T, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(listener) => Self::Borrowed(listener),
            Self::Owned(listener) => Self::Owned(Arc::clone(listener)),
        }
    }
}

impl<T: Accept, R: Runtime> Deref for Listener<'_, T, R> {
    type Target = Async<T, R>;

    fn deref(&self) -> &Async<T, R> {
        match self {
            Self::Borrowed(listener) => listener,
            Self::Owned(listener) => listener,
        }
    }
}

impl<'l, T: Accept, R: Runtime> Incoming<'l, T, R> {
    fn new(listener: Listener<'l, T, R>) -> Self {
        Self { listener, accepting: None }
    }

    /// Owns the listener together with others.
    #[cfg(feature = "nonblocking")]
    pub(crate) fn of(listener: Arc<Async<T, R>>) -> Self {
        Self::new(Listener::Owned(listener))
    }

    /// The listener whose clients they are.
    pub fn listener(&self) -> &Async<T, R> {
        &self.listener
    }

    /// Waits for the next client. `None`: the listener was stopped.
    ///
    /// # Errors
    /// Those of [`Async::accept`]. After any of them there may be further clients.
    ///
    /// # Cancel safety
    /// If the future is dropped, no client is lost.
    pub async fn next(&mut self) -> Option<io::Result<Async<T::Connection, R>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T: Accept, R: Runtime> Stream for Incoming<'_, T, R> {
    type Item = io::Result<Async<T::Connection, R>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let accepting = this.accepting.get_or_insert_with(|| {
            let listener = this.listener.clone();
            Box::pin(async move { listener.accept().await })
        });
        let accepted = std::task::ready!(accepting.as_mut().poll(cx));
        this.accepting = None;
        Poll::Ready(match accepted {
            Err(_) if this.listener.get_ref().is_stopped() => None,
            accepted => Some(accepted),
        })
    }
}

impl<T: Accept, R: Runtime> FusedStream for Incoming<'_, T, R> {
    fn is_terminated(&self) -> bool {
        self.listener.get_ref().is_stopped()
    }
}

impl<T: Accept, R: Runtime> Clone for Incoming<'_, T, R> {
    fn clone(&self) -> Self {
        Self::new(self.listener.clone())
    }
}

impl<T: Accept, R: Runtime> Debug for Incoming<'_, T, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("listener", &*self.listener).finish_non_exhaustive()
    }
}
