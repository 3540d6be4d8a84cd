//! The async face of signals, for every runtime.

use super::{Received, Signal, Signals, Stopper};
use crate::runtime::{Async, Interest, Runtime, Source, limited, private::Sealed};
use futures_core::Stream;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

impl Sealed for Signals {}

// SAFETY: the descriptor is that of a pipe that the object owns for as long as it lives.
#[cfg(unix)]
unsafe impl Source for Signals {
    type Io<R: Runtime> = R::Io<Self>;
}

#[cfg(windows)]
impl Source for Signals {
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(&self, _interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_ready(cx)
    }
}

/// The async face of [`Signals`]. Any number of tasks may wait; each signal goes to one of them.
impl<R: Runtime> Async<Signals, R> {
    /// The twin of [`Signals::catch`].
    ///
    /// # Errors
    /// Those of [`Signals::catch`], and that there is no runtime.
    pub fn catch(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        Signals::catch(signals)?.try_into()
    }

    /// The twin of [`Signals::wait`].
    ///
    /// # Errors
    /// Those of [`Signals::wait`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no signal is lost.
    pub async fn wait(&self) -> io::Result<Received> {
        self.read_with(Signals::try_wait).await
    }

    /// The twin of [`Signals::wait_timeout`].
    ///
    /// # Errors
    /// Those of [`Signals::wait_timeout`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no signal is lost, nor is one lost when time is up.
    pub async fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
        limited::<_, R>(timeout, self.wait()).await
    }

    /// The twin of [`Signals::try_wait`].
    ///
    /// # Errors
    /// Those of [`Signals::try_wait`]; [`ready`](Self::ready) waits for the next.
    pub fn try_wait(&self) -> io::Result<Received> {
        self.try_io(Interest::Read, Signals::try_wait)
    }

    /// Waits for the next signal; `None` when it was [stopped](Self::stopper), as with [`Signals::iter`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no signal is lost.
    pub async fn next(&self) -> Option<Received> {
        self.wait().await.ok()
    }

    /// The twin of [`Signals::stopper`].
    pub fn stopper(&self) -> Stopper {
        self.get_ref().stopper()
    }

    /// The twin of [`Signals::is_stopped`].
    pub fn is_stopped(&self) -> bool {
        self.get_ref().is_stopped()
    }

    /// The twin of [`Signals::lost`].
    pub fn lost(&self) -> usize {
        self.get_ref().lost()
    }
}

/// Ends when it is [stopped](Self::stopper). Remembers one task, the last one that polled.
impl<R: Runtime> Stream for Async<Signals, R> {
    type Item = Received;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        self.get_mut().poll_with(Interest::Read, cx, Signals::try_wait).map(Result::ok)
    }
}

/// To the async face, within the runtime. What has come so far is still there.
impl<R: Runtime> TryFrom<Signals> for Async<Signals, R> {
    type Error = io::Error;

    fn try_from(signals: Signals) -> io::Result<Self> {
        Self::new(signals)
    }
}

/// To the blocking face. What has come so far is still there.
impl<R: Runtime> TryFrom<Async<Signals, R>> for Signals {
    type Error = io::Error;

    fn try_from(signals: Async<Signals, R>) -> io::Result<Self> {
        signals.into_inner()
    }
}
