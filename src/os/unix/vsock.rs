//! Sockets between a virtual machine and its host, and between processes of one machine: `AF_VSOCK`, on Linux and Android.
//!
//! A stream socket like those of a network, that needs no network: the hypervisor (KVM with virtio, VMware, Hyper-V) carries the
//! bytes. An address is a number for the machine, its CID, and a number for the port. What `hvsock` of `os::windows` is on a
//! host that runs Windows, this is in a guest that runs Linux, and the two connect to each other.
//!
//! # Security
//! **There are no credentials, and no permissions.** Whoever can reach an address may connect to it: with
//! [`CID_ANY`](VsockAddr::CID_ANY) that is every process of every user, in this machine, in its host and in its guests. So
//! [`bind`](VsockListener::bind) takes no address but the one it is given. What the system vouches for is the address of the
//! peer, [`peer_addr`](VsockStream::peer_addr):
//! - The CID says which machine it is: in a guest, [`CID_HOST`](VsockAddr::CID_HOST) is the host and nobody else.
//!   [`CID_LOCAL`](VsockAddr::CID_LOCAL), and our [own](local_cid), is this machine.
//! - A port below 1024 says that the process was privileged (`CAP_NET_BIND_SERVICE`) there, which is worth as much as that
//!   machine is.
//!
//! A server looks at it before anything else, as below. To know more about a peer, let it prove that by what it sends.
//!
//! ```no_run
//! use interprocess::os::unix::vsock::{VsockAddr, VsockListener};
//!
//! let listener = VsockListener::bind(VsockAddr::new(VsockAddr::CID_ANY, 5000))?;
//! for stream in listener.incoming() {
//!     let stream = stream?;
//!     if stream.peer_addr()?.cid != VsockAddr::CID_HOST {
//!         continue; // This guest serves its host, and nobody else.
//!     }
//!     stream.send(b"hello")?;
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Without a hypervisor
//! [`CID_LOCAL`](VsockAddr::CID_LOCAL) connects to the own machine if the kernel has the module `vsock_loopback`.

#[cfg(feature = "async")]
mod asynchronous;

use crate::{
    TryClone,
    deadline::Deadline,
    error::about,
    local_socket::ListenerNonblockingMode,
    read_write::{read_by_recv, write_by_send},
    sys::{self, unix::vsock as imp},
};
use std::{
    fmt::{self, Display, Formatter},
    io::{self, IoSlice, IoSliceMut},
    iter::FusedIterator,
    net::Shutdown,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// The address of a socket: which machine, and which port.
///
/// As text it is `vsock:CID:PORT`, which is how systemd and QEMU write it too. [`CID_ANY`](Self::CID_ANY) is left out there:
/// `vsock::PORT`.
///
/// ```
/// use interprocess::os::unix::vsock::VsockAddr;
///
/// let addr = VsockAddr::new(VsockAddr::CID_HOST, 5000);
/// assert_eq!(addr.to_string(), "vsock:2:5000");
/// assert_eq!("vsock:2:5000".parse(), Ok(addr));
/// assert_eq!("vsock::5000".parse(), Ok(VsockAddr::new(VsockAddr::CID_ANY, 5000)));
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VsockAddr {
    /// The machine.
    pub cid: u32,
    /// The port. Listening on one below 1024 takes the capability `CAP_NET_BIND_SERVICE`.
    pub port: u32,
}

impl VsockAddr {
    /// To listen for whatever reaches this machine (`VMADDR_CID_ANY`).
    pub const CID_ANY: u32 = libc::VMADDR_CID_ANY;
    /// The hypervisor itself (`VMADDR_CID_HYPERVISOR`). Few have anything that listens there.
    pub const CID_HYPERVISOR: u32 = libc::VMADDR_CID_HYPERVISOR;
    /// This machine (`VMADDR_CID_LOCAL`), since Linux 5.6.
    pub const CID_LOCAL: u32 = libc::VMADDR_CID_LOCAL;
    /// The host of this machine (`VMADDR_CID_HOST`).
    pub const CID_HOST: u32 = libc::VMADDR_CID_HOST;
    /// To listen on any port that is free (`VMADDR_PORT_ANY`). [`VsockListener::local_addr`] tells which.
    pub const PORT_ANY: u32 = libc::VMADDR_PORT_ANY;

    /// The address of that machine and that port.
    pub const fn new(cid: u32, port: u32) -> Self {
        Self { cid, port }
    }
}

impl Display for VsockAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self { cid: Self::CID_ANY, port } => write!(f, "vsock::{port}"),
            Self { cid, port } => write!(f, "vsock:{cid}:{port}"),
        }
    }
}

impl FromStr for VsockAddr {
    type Err = ParseVsockAddrError;

    fn from_str(text: &str) -> Result<Self, ParseVsockAddrError> {
        /// Decimal digits and nothing else: `parse` takes a sign, too.
        fn number(text: &str) -> Option<u32> {
            text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        }

        let parse = || {
            let (cid, port) = text.strip_prefix("vsock:")?.split_once(':')?;
            let cid = if cid.is_empty() { Self::CID_ANY } else { number(cid)? };
            Some(Self { cid, port: number(port)? })
        };
        parse().ok_or(ParseVsockAddrError(()))
    }
}

/// Text that is not the address of such a socket.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ParseVsockAddrError(());

impl Display for ParseVsockAddrError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("not an address of the form vsock:CID:PORT")
    }
}

impl std::error::Error for ParseVsockAddrError {}

/// The CID of this machine: in a guest what the host knows it by, on a host [`VsockAddr::CID_HOST`], and in neither
/// [`VsockAddr::CID_LOCAL`], or [`VsockAddr::CID_ANY`] if the machine has no CID at all.
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound) if the kernel has no such sockets; those of opening `/dev/vsock`, which in a
/// container may not be there or not be allowed.
///
/// Stands on `IOCTL_VM_SOCKETS_GET_LOCAL_CID`.
///
/// ```no_run
/// println!("vsock:{}:5000", interprocess::os::unix::vsock::local_cid()?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn local_cid() -> io::Result<u32> {
    imp::local_cid()
}

/// A server: gives out a [`VsockStream`] for each client that connects to its address.
///
/// It can be shared between threads, which may all accept at the same time. Dropping it cuts off the clients that were not
/// accepted yet; streams live on.
///
/// Accepting turns nobody away: see the [security](self#security) of such sockets.
#[derive(Debug)]
pub struct VsockListener {
    inner: sys::Listener,
    stream_nonblocking: AtomicBool,
    /// Tasks that are to learn when the listener is stopped.
    #[cfg(feature = "async")]
    stop_tasks: crate::runtime::WakerList,
}

impl VsockListener {
    /// Listens on that address. The CID is one of this machine, or [`VsockAddr::CID_ANY`] for all of them; with
    /// [`VsockAddr::PORT_ANY`], the system chooses a port that is free.
    ///
    /// # Errors
    /// Each says the address.
    /// - [`AddrInUse`](io::ErrorKind::AddrInUse): somebody has that port.
    /// - [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable): the CID is not one of this machine.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): the port is below 1024, and we are not privileged.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): the kernel has no such sockets.
    ///
    /// Stands on `bind(2)` and `listen(2)`; see `vsock(7)`.
    ///
    /// ```no_run
    /// use interprocess::os::unix::vsock::{VsockAddr, VsockListener};
    ///
    /// let listener = VsockListener::bind(VsockAddr::new(VsockAddr::CID_ANY, VsockAddr::PORT_ANY))?;
    /// println!("listening on port {}", listener.local_addr()?.port);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind(addr: VsockAddr) -> io::Result<Self> {
        imp::listen(addr).map(Self::new).map_err(|error| about(addr, error))
    }

    fn new(inner: sys::Listener) -> Self {
        Self {
            inner,
            stream_nonblocking: AtomicBool::new(false),
            #[cfg(feature = "async")]
            stop_tasks: crate::runtime::WakerList::default(),
        }
    }

    /// Waits for a client and gives the connection to it.
    ///
    /// # Errors
    /// After any of them the listener can go on.
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): there is none, and accepting is nonblocking.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the listener was [stopped](Self::stop).
    /// - The OS has run out of something, such as descriptors (`EMFILE`).
    ///
    /// Stands on `accept4(2)`.
    pub fn accept(&self) -> io::Result<VsockStream> {
        self.accept_until(Deadline::NEVER)
    }

    /// Like [`accept`](Self::accept), but waits for no longer than `timeout`; zero takes a client only if one is there.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn accept_timeout(&self, timeout: Duration) -> io::Result<VsockStream> {
        self.accept_until(Deadline::after(timeout))
    }

    fn accept_until(&self, deadline: Deadline) -> io::Result<VsockStream> {
        match self.inner.accept(deadline, self.stream_nonblocking.load(Relaxed)) {
            Ok(stream) => Ok(VsockStream(stream)),
            // Part of normal work: not worth the text.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => Err(match self.local_addr() {
                Ok(addr) => about(addr, error),
                Err(_) => error,
            }),
        }
    }

    /// Iterates over the clients, waiting for each. Ends when the listener is [stopped](Self::stop).
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Stops the listener for good, from any thread: calls of [`accept`](Self::accept) that wait, and all later ones, return
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and iterators end. The port is taken until the listener is dropped.
    pub fn stop(&self) {
        self.inner.stop();
        #[cfg(feature = "async")]
        self.stop_tasks.wake();
    }

    /// Sets which parts are nonblocking. A call of `accept` that waits already goes on waiting.
    pub fn set_nonblocking(&self, mode: ListenerNonblockingMode) -> io::Result<()> {
        self.inner.set_accept_nonblocking(mode.accept_nonblocking())?;
        self.stream_nonblocking.store(mode.stream_nonblocking(), Relaxed);
        Ok(())
    }

    /// The address that it listens on, with the port that the system chose if that was left to it.
    pub fn local_addr(&self) -> io::Result<VsockAddr> {
        imp::local_addr(self.as_fd())
    }
}

impl<'a> IntoIterator for &'a VsockListener {
    type Item = io::Result<VsockStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// The clients of a [`VsockListener`], one after the other. From [`VsockListener::incoming`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct Incoming<'a> {
    listener: &'a VsockListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<VsockStream>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Err(_) if self.listener.inner.is_stopped() => None,
            result => Some(result),
        }
    }
}

impl FusedIterator for Incoming<'_> {}

/// A connection: bytes in both directions, in order, without message boundaries.
///
/// [`Read`](io::Read) and [`Write`](io::Write) are there for `VsockStream` and for `&VsockStream`: one thread may read while another writes.
///
/// # End of stream
/// Reading gives 0 bytes when the peer has closed the connection, or has [shut down](Self::shutdown) its sending direction, and
/// all that it sent has been read. It is an error if the connection is cut because the machine of the peer is gone, or was moved
/// to another host: what was sent need not have arrived. Writing to a peer that is gone is
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and never a signal.
///
/// ```no_run
/// use interprocess::os::unix::vsock::{VsockAddr, VsockStream};
/// use std::{io::{Read, Write}, net::Shutdown, time::Duration};
///
/// let host = VsockAddr::new(VsockAddr::CID_HOST, 5000);
/// let mut stream = VsockStream::connect_timeout(host, Duration::from_secs(1))?;
/// stream.write_all(b"question")?;
/// stream.shutdown(Shutdown::Write)?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct VsockStream(sys::Stream);

impl VsockStream {
    /// Connects to the listener at that address. Linux itself gives up after two seconds without an answer.
    ///
    /// # Errors
    /// Each says the address.
    /// - [`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody listens there, or more clients wait there than the
    ///   listener takes.
    /// - [`HostUnreachable`](io::ErrorKind::HostUnreachable), [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable): nothing
    ///   leads from this machine to that CID.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): there was no answer.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): the kernel has no such sockets.
    ///
    /// Stands on `connect(2)` of a nonblocking socket, `poll(2)` and `SO_ERROR`; see `vsock(7)`.
    pub fn connect(addr: VsockAddr) -> io::Result<Self> {
        Self::connect_until(addr, Deadline::NEVER)
    }

    /// Like [`connect`](Self::connect), but waits for no longer than `timeout`.
    pub fn connect_timeout(addr: VsockAddr, timeout: Duration) -> io::Result<Self> {
        Self::connect_until(addr, Deadline::after(timeout))
    }

    fn connect_until(addr: VsockAddr, deadline: Deadline) -> io::Result<Self> {
        imp::connect(addr, deadline).map(Self).map_err(|error| about(addr, error))
    }

    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the end of the stream or if `buf` is
    /// empty.
    ///
    /// # Errors
    /// - [`TimedOut`](io::ErrorKind::TimedOut) if a [timeout](Self::set_recv_timeout) is set,
    ///   [`WouldBlock`](io::ErrorKind::WouldBlock) if the stream is [nonblocking](Self::set_nonblocking) and nothing is there.
    /// - [`ConnectionReset`](io::ErrorKind::ConnectionReset), and [`NotConnected`](io::ErrorKind::NotConnected) afterwards: the
    ///   connection was cut.
    ///
    /// Stands on `recv(2)`.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.0.recv(buf)?;
        self.end_or(len, buf.is_empty())
    }

    /// Like [`recv`](Self::recv), into several buffers, filled in order (`readv(2)`).
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let len = self.0.recv_vectored(bufs)?;
        self.end_or(len, bufs.iter().all(|buf| buf.is_empty()))
    }

    /// Like [`recv`](Self::recv), but the bytes stay there for the next call (`MSG_PEEK`).
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.0.peek(buf)?;
        self.end_or(len, buf.is_empty())
    }

    /// Unix-domain sockets take a reset for the end of the stream, since what the peer sent is all there. Here it need not be.
    fn end_or(&self, len: usize, has_no_room: bool) -> io::Result<usize> {
        if len == 0 && !has_no_room {
            if let Some(error) = self.0.take_error()? {
                return Err(error);
            }
        }
        Ok(len)
    }

    /// Sends bytes from `buf`, and says how many: at least one, unless `buf` is empty. Fewer than all only if the stream is
    /// [nonblocking](Self::set_nonblocking) or a [timeout](Self::set_send_timeout) came.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the peer is gone, [`NotConnected`](io::ErrorKind::NotConnected) if the
    /// connection was cut; [`TimedOut`](io::ErrorKind::TimedOut) and [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing could be
    /// sent at all.
    ///
    /// Stands on `send(2)` with `MSG_NOSIGNAL`.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// Like [`send`](Self::send), from several buffers, in order (`sendmsg(2)`).
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs)
    }

    /// Ends one direction, or both (`shutdown(2)`). After `Shutdown::Write` the peer reads to the end of the stream and can
    /// still send.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// The error that the system has noted for the connection and not reported yet, which this takes away (`SO_ERROR`).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Sets whether calls that would have to wait return [`WouldBlock`](io::ErrorKind::WouldBlock) instead.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }

    /// Whether the stream is nonblocking.
    pub fn is_nonblocking(&self) -> io::Result<bool> {
        self.0.is_nonblocking()
    }

    /// Sets how long receiving may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for zero, which is what [`set_nonblocking`](Self::set_nonblocking) is
    /// for. A timeout that is longer than the OS can count is for ever.
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_recv_timeout(not_zero(timeout)?)
    }

    /// How long receiving may wait. The OS may have rounded it.
    pub fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.recv_timeout()
    }

    /// Sets how long sending may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// Those of [`set_recv_timeout`](Self::set_recv_timeout).
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_send_timeout(not_zero(timeout)?)
    }

    /// How long sending may wait. The OS may have rounded it.
    pub fn send_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.send_timeout()
    }

    /// Another object for the same connection. Modes and timeouts are shared; the connection is closed when the last one is
    /// dropped.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// The address of this end (`getsockname(2)`). The system chose the port of a client.
    pub fn local_addr(&self) -> io::Result<VsockAddr> {
        imp::local_addr(self.as_fd())
    }

    /// The address of the other end (`getpeername(2)`), for which the system vouches: see [security](self#security).
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) once this end was [shut down](Self::shutdown), if only in one direction.
    pub fn peer_addr(&self) -> io::Result<VsockAddr> {
        imp::peer_addr(self.as_fd())
    }
}

fn not_zero(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    if timeout == Some(Duration::ZERO) {
        let why = "a timeout of zero would let nothing through: use nonblocking mode";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(timeout)
}

impl TryClone for VsockStream {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

read_by_recv! {
    [] VsockStream, |stream| stream;
    [] &VsockStream, |stream| stream;
}
write_by_send! {
    [] VsockStream, |stream| stream, stream.0.flush();
    [] &VsockStream, |stream| stream, stream.0.flush();
}

impl AsFd for VsockStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsFd for VsockListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Takes a connected stream socket of `AF_VSOCK`; whether it is one shows when it is used. A nonblocking one stays so.
impl From<OwnedFd> for VsockStream {
    fn from(fd: OwnedFd) -> Self {
        Self(fd.into())
    }
}

impl From<VsockStream> for OwnedFd {
    fn from(stream: VsockStream) -> Self {
        stream.0.into()
    }
}

/// Takes a stream socket of `AF_VSOCK` that listens, such as one that a service manager has opened (`ListenStream=vsock::5000`);
/// whether it is one shows when it is used. Others may listen on it, too: stopping stops only this object.
impl From<OwnedFd> for VsockListener {
    fn from(fd: OwnedFd) -> Self {
        Self::new(sys::Listener::from_shared(fd))
    }
}

/// The socket may be nonblocking.
impl From<VsockListener> for OwnedFd {
    fn from(listener: VsockListener) -> Self {
        listener.inner.into()
    }
}

/// Such sockets for Tokio.
///
/// The types have the methods of their blocking twins, as `async fn`s where those may wait.
///
/// ```no_run
/// use interprocess::os::unix::vsock::{VsockAddr, tokio::VsockStream};
///
/// # async fn example() -> std::io::Result<()> {
/// let stream = VsockStream::connect(VsockAddr::new(VsockAddr::CID_HOST, 5000)).await?;
/// stream.send(b"hello").await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "tokio")]
pub mod tokio {
    use crate::runtime::{Async, Tokio};

    /// The async face of a [`VsockListener`](super::VsockListener).
    pub type VsockListener = Async<super::VsockListener, Tokio>;
    /// The async face of a [`VsockStream`](super::VsockStream).
    pub type VsockStream = Async<super::VsockStream, Tokio>;
}

/// Such sockets for smol, async-std and every other executor, by way of `async-io`.
///
/// The types have the methods of their blocking twins, as `async fn`s where those may wait.
///
/// ```no_run
/// use interprocess::os::unix::vsock::{VsockAddr, smol::VsockStream};
///
/// # async fn example() -> std::io::Result<()> {
/// let stream = VsockStream::connect(VsockAddr::new(VsockAddr::CID_HOST, 5000)).await?;
/// stream.send(b"hello").await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "smol")]
pub mod smol {
    use crate::runtime::{Async, Smol};

    /// The async face of a [`VsockListener`](super::VsockListener).
    pub type VsockListener = Async<super::VsockListener, Smol>;
    /// The async face of a [`VsockStream`](super::VsockStream).
    pub type VsockStream = Async<super::VsockStream, Smol>;
}
