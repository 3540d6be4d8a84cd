//! The interface of local sockets as traits, for code that is generic over them.
//!
//! Interprocess 2 implements these traits for several types; here there is one type each, and it has all of this without a trait.
//! New code names the types: [`Listener`](crate::local_socket::Listener), [`Stream`](crate::local_socket::Stream).
//!
//! ```
//! use interprocess::local_socket::{ConnectOptions, ListenerOptions, prelude::*, traits};
//! use std::io::{self, Read, Write};
//!
//! /// Answers one client with what it has sent.
//! fn echo_once<L: traits::Listener>(listener: &L) -> io::Result<()> {
//!     let mut client = listener.accept()?;
//!     let mut buf = [0; 16];
//!     let len = client.read(&mut buf)?;
//!     client.write_all(&buf[..len])
//! }
//!
//! # let name = format!("interprocess-doc-traits-{}", std::process::id());
//! # let name = name.as_str().to_ns_name::<interprocess::local_socket::GenericNamespaced>()?;
//! let listener = ListenerOptions::new().name(name.borrow()).create_sync_as::<LocalSocketListener>()?;
//! let server = std::thread::spawn(move || echo_once(&listener));
//! let mut client: LocalSocketStream = ConnectOptions::new().name(name).connect_sync_as()?;
//! client.write_all(b"hello")?;
//! let mut answer = [0; 5];
//! client.read_exact(&mut answer)?;
//! assert_eq!(&answer, b"hello");
//! # server.join().unwrap()?;
//! # Ok::<(), io::Error>(())
//! ```

#[cfg(feature = "tokio")]
pub mod tokio;

use super::bound_util::{RefRead, RefWrite};
use crate::local_socket::{
    self, ConnectOptions, Incoming, ListenerNonblockingMode, ListenerOptions, Name, PeerCreds,
};
use std::{
    fmt::Debug,
    io::{self, Read, Write},
    iter::FusedIterator,
    time::Duration,
};

pub(crate) mod private {
    pub trait Sealed {}
}

/// What listens for clients. In new code, [`local_socket::Listener`].
pub trait Listener:
    Iterator<Item = io::Result<Self::Stream>> + FusedIterator + Debug + Send + Sync + Sized + private::Sealed
{
    /// What clients are.
    type Stream: Stream;

    /// See [`local_socket::Listener::accept`].
    fn accept(&self) -> io::Result<Self::Stream>;

    /// See [`local_socket::Listener::set_nonblocking`].
    fn set_nonblocking(&self, nonblocking: ListenerNonblockingMode) -> io::Result<()>;

    /// See [`local_socket::Listener::do_not_reclaim_name_on_drop`].
    fn do_not_reclaim_name_on_drop(&mut self);

    /// See [`ListenerOptions::create_sync`].
    fn from_options(options: ListenerOptions<'_>) -> io::Result<Self>;

    /// Whether [`Incoming`] is at its end.
    #[doc(hidden)]
    fn is_stopped(&self) -> bool;
}

/// What every [`Listener`] has. In new code, [`local_socket::Listener::incoming`].
pub trait ListenerExt: Listener {
    /// See [`local_socket::Listener::incoming`].
    fn incoming(&self) -> Incoming<'_, Self> {
        self.into()
    }
}

impl<L: Listener> ListenerExt for L {}

/// A byte stream. In new code, [`local_socket::Stream`].
pub trait Stream: Read + RefRead + Write + RefWrite + StreamCommon {
    /// The half that receives.
    type RecvHalf: RecvHalf<Stream = Self>;
    /// The half that sends.
    type SendHalf: SendHalf<Stream = Self>;

    /// See [`local_socket::Stream::connect`].
    fn connect(name: Name<'_>) -> io::Result<Self> {
        Self::from_options(&ConnectOptions::new().name(name))
    }

    /// See [`local_socket::Stream::set_nonblocking`].
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;

    /// See [`local_socket::Stream::set_recv_timeout`].
    fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// See [`local_socket::Stream::set_send_timeout`].
    fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// See [`local_socket::Stream::split`].
    fn split(self) -> (Self::RecvHalf, Self::SendHalf);

    /// See [`local_socket::Stream::reunite`].
    fn reunite(rh: Self::RecvHalf, sh: Self::SendHalf) -> ReuniteResult<Self>;

    /// See [`ConnectOptions::connect_sync`].
    fn from_options(options: &ConnectOptions<'_>) -> io::Result<Self>;
}

/// What blocking and async streams have in common. In new code, the types have these methods.
pub trait StreamCommon: Debug + Send + Sync + Sized + private::Sealed + 'static {
    /// See [`local_socket::Stream::take_error`].
    fn take_error(&self) -> io::Result<Option<io::Error>>;

    /// See [`local_socket::Stream::peer_creds`].
    fn peer_creds(&self) -> io::Result<PeerCreds>;
}

/// The half of a [`Stream`] that receives. In new code, [`local_socket::RecvHalf`].
pub trait RecvHalf: Read + RefRead + Send + Sync + Sized + private::Sealed + 'static {
    /// What it is a half of.
    type Stream: Stream;

    /// See [`local_socket::RecvHalf::set_timeout`].
    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
}

/// The half of a [`Stream`] that sends. In new code, [`local_socket::SendHalf`].
pub trait SendHalf: Write + RefWrite + Send + Sync + Sized + private::Sealed + 'static {
    /// What it is a half of.
    type Stream: Stream;

    /// See [`local_socket::SendHalf::set_timeout`].
    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
}

/// What putting the halves of a [`Stream`] together gives. In new code, [`error::ReuniteResult`](crate::error::ReuniteResult).
pub type ReuniteResult<S> = crate::error::ReuniteResult<S, <S as Stream>::RecvHalf, <S as Stream>::SendHalf>;

impl Listener for local_socket::Listener {
    type Stream = local_socket::Stream;

    fn accept(&self) -> io::Result<local_socket::Stream> {
        self.accept()
    }

    fn set_nonblocking(&self, nonblocking: ListenerNonblockingMode) -> io::Result<()> {
        self.set_nonblocking(nonblocking)
    }

    fn do_not_reclaim_name_on_drop(&mut self) {
        self.do_not_reclaim_name_on_drop();
    }

    fn from_options(options: ListenerOptions<'_>) -> io::Result<Self> {
        options.create_sync()
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped()
    }
}

impl Stream for local_socket::Stream {
    type RecvHalf = local_socket::RecvHalf;
    type SendHalf = local_socket::SendHalf;

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.set_nonblocking(nonblocking)
    }

    fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_recv_timeout(timeout)
    }

    fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_send_timeout(timeout)
    }

    fn split(self) -> (Self::RecvHalf, Self::SendHalf) {
        self.split()
    }

    fn reunite(rh: Self::RecvHalf, sh: Self::SendHalf) -> ReuniteResult<Self> {
        Self::reunite(rh, sh)
    }

    fn from_options(options: &ConnectOptions<'_>) -> io::Result<Self> {
        options.connect_sync()
    }
}

impl StreamCommon for local_socket::Stream {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.take_error()
    }

    fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.peer_creds()
    }
}

impl RecvHalf for local_socket::RecvHalf {
    type Stream = local_socket::Stream;

    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_timeout(timeout)
    }
}

impl SendHalf for local_socket::SendHalf {
    type Stream = local_socket::Stream;

    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_timeout(timeout)
    }
}
