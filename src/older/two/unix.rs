//! What `os::unix` of interprocess 2 has.

use crate::local_socket::{Listener, RecvHalf, SendHalf, Stream};
use std::{
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd},
        unix::net::{UnixListener, UnixStream},
    },
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// A socket as one of std's, for as long as it is borrowed. From [`Stream::inner`] and [`Listener::inner`].
pub struct Inner<'a, T> {
    socket: ManuallyDrop<T>,
    borrowed: PhantomData<BorrowedFd<'a>>,
}

impl<'a, T: FromRawFd> Inner<'a, T> {
    fn of(fd: BorrowedFd<'a>) -> Self {
        // SAFETY: the descriptor is open for as long as it is borrowed, which is longer than this lives; and this neither closes
        // it nor gives the socket away, not even by `&mut`.
        let socket = ManuallyDrop::new(unsafe { T::from_raw_fd(fd.as_raw_fd()) });
        Self { socket, borrowed: PhantomData }
    }
}

impl<T> Deref for Inner<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.socket
    }
}

impl<T: Debug> Debug for Inner<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// For code that was written for older crates.
impl Stream {
    /// The socket as std's. In new code, the methods of [`Stream`], or [`UnixStream::from`].
    pub fn inner(&self) -> Inner<'_, UnixStream> {
        Inner::of(self.as_fd())
    }

    /// The same as [`inner`](Self::inner).
    pub fn inner_mut(&mut self) -> Inner<'_, UnixStream> {
        self.inner()
    }
}

/// For code that was written for older crates.
impl Listener {
    /// The socket as std's. In new code, the methods of [`Listener`], or [`UnixListener::from`].
    pub fn inner(&self) -> Inner<'_, UnixListener> {
        Inner::of(self.as_fd())
    }

    /// The same as [`inner`](Self::inner).
    pub fn inner_mut(&mut self) -> Inner<'_, UnixListener> {
        self.inner()
    }

    /// Whether clients to come are nonblocking streams. In new code, [`set_nonblocking`](Self::set_nonblocking).
    pub fn set_new_stream_nonblocking(&self, nonblocking: bool) {
        self.stream_nonblocking.store(nonblocking, Relaxed);
    }
}

macro_rules! halves {
    ($($half:ident),+) => {$(
        /// For code that was written for older crates.
        impl $half {
            /// What this is a half of. In new code, [`as_ref`](AsRef::as_ref).
            pub fn as_stream(&self) -> &Stream {
                &self.0
            }

            /// What this is a half of, as the halves share it. In new code, an [`Arc`] of the stream instead of halves.
            pub fn as_arc(&self) -> &Arc<Stream> {
                &self.0
            }

            /// What this is a half of, as the halves share it. In new code, an [`Arc`] of the stream instead of halves.
            pub fn into_arc(self) -> Arc<Stream> {
                self.0
            }
        }

        /// For code that was written for older crates. While there are clones, halves cannot be put together.
        impl Clone for $half {
            fn clone(&self) -> Self {
                Self(Arc::clone(&self.0))
            }
        }
    )+};
}
halves!(RecvHalf, SendHalf);

#[cfg(feature = "tokio")]
mod tokio {
    use super::{Listener, Stream};
    use crate::{
        runtime::{Async, Tokio},
        unnamed_pipe::{Recver, Sender},
    };
    use std::{io, os::fd::OwnedFd};

    macro_rules! convert {
        ($($ours:ty, |$fd:ident| $from:expr;)+) => {$(
            impl TryFrom<OwnedFd> for Async<$ours, Tokio> {
                type Error = io::Error;

                fn try_from($fd: OwnedFd) -> io::Result<Self> {
                    $from.try_into()
                }
            }

            impl TryFrom<Async<$ours, Tokio>> for OwnedFd {
                type Error = io::Error;

                fn try_from(ours: Async<$ours, Tokio>) -> io::Result<Self> {
                    <$ours>::try_from(ours).map(Into::into)
                }
            }
        )+};
    }
    convert! {
        Stream, |fd| Stream::from(fd);
        Listener, |fd| Listener::from(fd);
        Recver, |fd| Recver::try_from(fd)?;
        Sender, |fd| Sender::try_from(fd)?;
    }
}
