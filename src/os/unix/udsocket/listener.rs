use super::{
    BindOptions, Socket, ToUdSocketPath, UdSocketPath,
    kind::{Connection, Stream},
};
use crate::{
    deadline::Deadline,
    local_socket::Access,
    sys::{self, unix::name::SourceAddress},
};
use std::{
    io,
    iter::FusedIterator,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::net::UnixListener,
    },
    time::Duration,
};

/// A server of the Unix domain, for connections of the [kind](super::kind) `K`: [`UdStreamListener`](super::UdStreamListener) or
/// [`UdSeqpacketListener`](super::UdSeqpacketListener).
///
/// It can be shared between threads, which may all accept at the same time. Dropping it cuts off clients that were not accepted
/// yet.
#[derive(Debug)]
pub struct Listener<K: Connection> {
    pub(super) inner: sys::Listener,
    access: Access,
    /// Tasks that are to learn when the listener is stopped.
    #[cfg(feature = "async")]
    pub(super) stop_tasks: crate::runtime::WakerList,
    kind: std::marker::PhantomData<K>,
}

impl<K: Connection> Listener<K> {
    pub(super) fn new(inner: sys::Listener, access: Access) -> Self {
        Self {
            inner,
            access,
            #[cfg(feature = "async")]
            stop_tasks: crate::runtime::WakerList::default(),
            kind: std::marker::PhantomData,
        }
    }

    /// Listens at that address, with the defaults of [`BindOptions`], except that the socket file is left where it is when the
    /// listener is dropped.
    ///
    /// # Errors
    /// See [`BindOptions::bind`].
    pub fn bind<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        BindOptions::new().reclaim_name(false).bind(path)
    }

    /// The same, and dropping the listener deletes the socket file, if it is still the listener's own.
    ///
    /// # Errors
    /// See [`BindOptions::bind`].
    pub fn bind_with_drop_guard<'a>(path: impl ToUdSocketPath<'a>) -> io::Result<Self> {
        BindOptions::new().bind(path)
    }

    /// Sets whom `accept` admits from now on, by the credentials of each client: for listeners that were opened elsewhere. The
    /// permissions of a socket file remain.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    /// Waits for a client and gives the connection to it, which is blocking. Peers that [`Access`] does not let in are dropped
    /// without a word.
    ///
    /// # Errors
    /// After any of them the listener can go on.
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): there is none, and the listener is nonblocking.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the listener was [stopped](Self::stop).
    /// - The OS has run out of something, such as descriptors (`EMFILE`). The client still waits.
    ///
    /// Stands on `accept4(2)`, or `accept(2)` where that is missing.
    pub fn accept(&self) -> io::Result<Socket<K>> {
        self.accept_until(Deadline::NEVER)
    }

    /// Like [`accept`](Self::accept), but waits for no longer than `timeout`; zero takes a client only if one is there.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn accept_timeout(&self, timeout: Duration) -> io::Result<Socket<K>> {
        self.accept_until(Deadline::after(timeout))
    }

    fn accept_until(&self, deadline: Deadline) -> io::Result<Socket<K>> {
        loop {
            if let Some(socket) = self.accept_one(deadline, false)? {
                return Ok(socket);
            }
            // Strangers who keep coming must not keep us past the deadline.
            if deadline.has_passed() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    /// The next client; `None` if it was turned away.
    pub(super) fn accept_one(&self, deadline: Deadline, nonblocking: bool) -> io::Result<Option<Socket<K>>> {
        let socket = self.inner.accept(deadline, nonblocking)?.of_kind(K::TYPE);
        // Who cannot be told has left, or is nobody whom we know.
        let is_admitted = socket.peer_is_admitted(self.access, &self.inner).unwrap_or(false);
        Ok(is_admitted.then(|| Socket::new(socket)))
    }

    /// Iterates over the clients, waiting for each. Ends when the listener is [stopped](Self::stop).
    pub fn incoming(&self) -> Incoming<'_, K> {
        Incoming { listener: self }
    }

    /// Stops the listener for good, from any thread: calls of [`accept`](Self::accept) that wait, and all later ones, return
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and iterators end.
    pub fn stop(&self) {
        self.inner.stop();
        #[cfg(feature = "async")]
        self.stop_tasks.wake();
    }

    /// Sets whether accepting is nonblocking. The sockets that are accepted are blocking all the same.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.inner.set_accept_nonblocking(nonblocking)
    }

    /// Whether accepting is nonblocking.
    #[allow(clippy::unnecessary_wraps, reason = "older versions asked the system")]
    pub fn is_nonblocking(&self) -> io::Result<bool> {
        Ok(self.inner.is_accept_nonblocking())
    }

    /// The address that the listener is bound to.
    ///
    /// A listener that took its name [from a living one](crate::local_socket::ExistingName::Steal) has been bound to another name
    /// before, which is what its clients see.
    ///
    /// Stands on `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<UdSocketPath<'static>> {
        if let Some(path) = self.inner.moved_to() {
            return path.to_socket_path().map(UdSocketPath::into_owned);
        }
        SourceAddress::local(self.as_fd()).map(|address| UdSocketPath::from_bytes(address.bytes()))
    }

    /// Leaves the socket file, if the listener has a drop guard, where it is.
    pub fn do_not_reclaim_name_on_drop(&mut self) {
        self.inner.keep_name();
    }
}

/// The clients of a [`Listener`], one after the other. From [`Listener::incoming`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct Incoming<'a, K: Connection = Stream> {
    listener: &'a Listener<K>,
}

impl<K: Connection> Iterator for Incoming<'_, K> {
    type Item = io::Result<Socket<K>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Err(_) if self.listener.inner.is_stopped() => None,
            result => Some(result),
        }
    }
}

impl<K: Connection> FusedIterator for Incoming<'_, K> {}

impl<'a, K: Connection> IntoIterator for &'a Listener<K> {
    type Item = io::Result<Socket<K>>;
    type IntoIter = Incoming<'a, K>;

    fn into_iter(self) -> Incoming<'a, K> {
        self.incoming()
    }
}

impl<K: Connection> AsFd for Listener<K> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Takes a socket of this kind that listens; whether it is one shows when it is used. Who connects is decided by the permissions that
/// it has: `accept` turns nobody away. Its file is left alone.
impl<K: Connection> From<OwnedFd> for Listener<K> {
    fn from(fd: OwnedFd) -> Self {
        Self::new(sys::Listener::from_shared(fd), Access::Everyone)
    }
}

/// The socket file, if there is one, is the new owner's to delete. The socket may be nonblocking.
impl<K: Connection> From<Listener<K>> for OwnedFd {
    fn from(listener: Listener<K>) -> Self {
        listener.inner.into()
    }
}

impl<K: Connection> AsRawFd for Listener<K> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<K: Connection> IntoRawFd for Listener<K> {
    fn into_raw_fd(self) -> RawFd {
        OwnedFd::from(self).into_raw_fd()
    }
}

impl<K: Connection> FromRawFd for Listener<K> {
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller promises what `OwnedFd::from_raw_fd` asks for, which is the same.
        unsafe { OwnedFd::from_raw_fd(fd) }.into()
    }
}

impl From<UnixListener> for Listener<Stream> {
    fn from(listener: UnixListener) -> Self {
        OwnedFd::from(listener).into()
    }
}

/// The socket file, if there is one, is the new owner's to delete.
impl From<Listener<Stream>> for UnixListener {
    fn from(listener: Listener<Stream>) -> Self {
        OwnedFd::from(listener).into()
    }
}
