//! Sockets between a virtual machine and its host: `AF_HYPERV`, of Hyper-V.
//!
//! A stream socket like those of a network, that needs no network. An address is a GUID for the machine and a GUID for the
//! service. What [`vsock`](HvsockAddr::from_linux_port) is in a guest that runs Linux, this is on its host, and the two connect to
//! each other. Where there is no Hyper-V, everything here is [`Unsupported`](std::io::ErrorKind::Unsupported).
//!
//! # Services
//! For guests to reach a service of their host, or the host one of theirs, an administrator of the host registers its GUID: as a
//! key of that name under
//! `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\GuestCommunicationServices`.
//!
//! # Security
//! **There are no credentials, and no access list of ours.** Whoever can reach an address may connect to it: with
//! [`VM_WILDCARD`](HvsockAddr::VM_WILDCARD) that is everything that Hyper-V lets through, from all machines. So
//! [`bind`](HvsockListener::bind) takes no address but the one it is given:
//! [`VM_PARENT`](HvsockAddr::VM_PARENT) is the host alone, [`VM_CHILDREN`](HvsockAddr::VM_CHILDREN) the guests,
//! [`VM_LOOPBACK`](HvsockAddr::VM_LOOPBACK) this machine, and the GUID of a machine is that one alone. The machine of a peer, for
//! which Hyper-V vouches, is in [`peer_addr`](HvsockStream::peer_addr). To know more about a peer, let it prove that by what it
//! sends.
//!
//! ```no_run
//! use interprocess::os::windows::hvsock::{HvsockAddr, HvsockListener};
//!
//! // A host that serves its guests. Linux connects to port 5000 of the host, Windows to the same service of its parent.
//! let listener = HvsockListener::bind(HvsockAddr::from_linux_port(HvsockAddr::VM_CHILDREN, 5000))?;
//! for stream in listener.incoming() {
//!     let stream = stream?;
//!     println!("a client in the machine {}", stream.peer_addr()?.vm_id);
//!     stream.send(b"hello")?;
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

#[cfg(feature = "async")]
mod asynchronous;

use crate::{
    TryClone,
    deadline::Deadline,
    error::about,
    local_socket::ListenerNonblockingMode,
    read_write::{read_by_recv, write_by_send},
    sys::windows::{hvsock as imp, stream::Stream, unix_socket},
};
use std::{
    fmt::{self, Debug, Display, Formatter},
    io::{self, IoSlice, IoSliceMut},
    iter::FusedIterator,
    net::Shutdown,
    os::windows::io::{AsHandle, AsSocket, BorrowedSocket},
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// A number that means one thing in all the world, as Windows names machines and services.
///
/// As text it is `90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd`; braces around it and capital letters are read, too.
///
/// ```
/// use interprocess::os::windows::hvsock::Guid;
///
/// let guid = Guid::from_u128(0x90db8b89_0d35_4f79_8ce9_49ea0ac8b7cd);
/// assert_eq!(guid.to_string(), "90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd");
/// assert_eq!("{90DB8B89-0D35-4F79-8CE9-49EA0AC8B7CD}".parse(), Ok(guid));
/// ```
#[derive(Copy, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(u128);

impl Guid {
    /// The GUID of those digits, in the order in which they are written.
    pub const fn from_u128(guid: u128) -> Self {
        Self(guid)
    }

    /// Its digits, in the order in which they are written.
    pub const fn to_u128(self) -> u128 {
        self.0
    }

    /// As it is in memory, where the first three of its numbers have the order of the processor.
    pub(crate) fn to_memory(self) -> [u8; 16] {
        swap(self.0.to_be_bytes())
    }

    pub(crate) fn from_memory(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(swap(bytes)))
    }
}

/// Turns the first three numbers round, from one order to the other.
fn swap(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

impl Display for Guid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let part = |from: u32, digits: u32| (self.0 >> from) & ((1 << (4 * digits)) - 1);
        let (first, second, third) = (part(96, 8), part(80, 4), part(64, 4));
        write!(f, "{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", part(48, 4), part(0, 12))
    }
}

impl Debug for Guid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl FromStr for Guid {
    type Err = ParseGuidError;

    fn from_str(text: &str) -> Result<Self, ParseGuidError> {
        const HYPHENS: [usize; 4] = [8, 13, 18, 23];
        const LEN: usize = 36;

        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        if text.len() != LEN {
            return Err(ParseGuidError(()));
        }
        let mut guid = 0;
        for (at, character) in text.char_indices() {
            let is_hyphen = HYPHENS.contains(&at);
            match character.to_digit(16) {
                None if is_hyphen && character == '-' => {}
                Some(digit) if !is_hyphen => guid = guid << 4 | u128::from(digit),
                _ => return Err(ParseGuidError(())),
            }
        }
        Ok(Self(guid))
    }
}

/// Text that is not a [`Guid`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ParseGuidError(());

impl Display for ParseGuidError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("not a GUID of the form 01234567-89ab-cdef-0123-456789abcdef")
    }
}

impl std::error::Error for ParseGuidError {}

/// The address of a socket: which machine, and which service. As text it is `hvsock:MACHINE:SERVICE`.
///
/// ```
/// use interprocess::os::windows::hvsock::HvsockAddr;
///
/// let addr = HvsockAddr::from_linux_port(HvsockAddr::VM_PARENT, 5000);
/// assert_eq!(addr.service_id.to_string(), "00001388-facb-11e6-bd58-64006a7986d3");
/// assert_eq!(addr.linux_port(), Some(5000));
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HvsockAddr {
    /// The machine, or one of those below.
    pub vm_id: Guid,
    /// The service.
    pub service_id: Guid,
}

/// The service that is port 0 to Linux (`HV_GUID_VSOCK_TEMPLATE`).
const LINUX_PORT_0: u128 = 0x0000_0000_facb_11e6_bd58_6400_6a79_86d3;

impl HvsockAddr {
    /// To listen for clients of all machines (`HV_GUID_WILDCARD`).
    pub const VM_WILDCARD: Guid = Guid(0);
    /// To listen for clients in the guests of this machine (`HV_GUID_CHILDREN`).
    pub const VM_CHILDREN: Guid = Guid(0x90db_8b89_0d35_4f79_8ce9_49ea_0ac8_b7cd);
    /// This machine (`HV_GUID_LOOPBACK`).
    pub const VM_LOOPBACK: Guid = Guid(0xe0e1_6197_dd56_4a10_9195_5ee7_a155_a838);
    /// The host of this machine (`HV_GUID_PARENT`).
    pub const VM_PARENT: Guid = Guid(0xa42e_7cda_d03f_480c_9cc2_a4de_20ab_b878);

    /// The address of that machine and that service.
    pub const fn new(vm_id: Guid, service_id: Guid) -> Self {
        Self { vm_id, service_id }
    }

    /// The address of that machine and of what Linux (`AF_VSOCK`) calls that port. Linux knows ports up to 2147483647
    /// (`0x7fffffff`) here.
    pub const fn from_linux_port(vm_id: Guid, port: u32) -> Self {
        Self { vm_id, service_id: Guid(LINUX_PORT_0 | (port as u128) << 96) }
    }

    /// What Linux calls the service, if it is a port there.
    pub const fn linux_port(&self) -> Option<u32> {
        let low = u128::MAX >> 32;
        if self.service_id.0 & low != LINUX_PORT_0 {
            return None;
        }
        Some((self.service_id.0 >> 96) as u32)
    }
}

impl Display for HvsockAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "hvsock:{}:{}", self.vm_id, self.service_id)
    }
}

/// A server: gives out a [`HvsockStream`] for each client that connects to its address.
///
/// It can be shared between threads, which may all accept at the same time. Dropping it cuts off the clients that were not
/// accepted yet; streams live on.
///
/// Accepting turns nobody away: see the [security](self#security) of such sockets.
#[derive(Debug)]
pub struct HvsockListener {
    inner: unix_socket::Listener,
    stream_nonblocking: AtomicBool,
    /// Tasks that are to learn when the listener is stopped.
    #[cfg(feature = "async")]
    stop_tasks: crate::runtime::WakerList,
}

impl HvsockListener {
    /// Listens on that address, whose machine says who may connect.
    ///
    /// # Errors
    /// Each says the address.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): there is no Hyper-V.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not; on a host, that takes an administrator or one of the
    ///   group Hyper-V Administrators.
    /// - [`AddrInUse`](io::ErrorKind::AddrInUse): somebody listens there.
    ///
    /// Stands on `WSASocketW`, `bind` and `listen`.
    pub fn bind(addr: HvsockAddr) -> io::Result<Self> {
        let inner = imp::listen(&addr).map_err(|error| about(addr, error))?;
        Ok(Self {
            inner,
            stream_nonblocking: AtomicBool::new(false),
            #[cfg(feature = "async")]
            stop_tasks: crate::runtime::WakerList::default(),
        })
    }

    /// Waits for a client and gives the connection to it.
    ///
    /// # Errors
    /// After any of them the listener can go on.
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): there is none, and accepting is nonblocking.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): the listener was [stopped](Self::stop).
    /// - The OS has run out of something.
    ///
    /// Stands on `AcceptEx`.
    pub fn accept(&self) -> io::Result<HvsockStream> {
        self.accept_until(Deadline::NEVER)
    }

    /// Like [`accept`](Self::accept), but waits for no longer than `timeout`; zero takes a client only if one is there.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn accept_timeout(&self, timeout: Duration) -> io::Result<HvsockStream> {
        self.accept_until(Deadline::after(timeout))
    }

    fn accept_until(&self, deadline: Deadline) -> io::Result<HvsockStream> {
        match self.inner.accept(deadline, self.stream_nonblocking.load(Relaxed)) {
            Ok(stream) => Ok(HvsockStream(stream)),
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
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and iterators end. The address is taken until the
    /// listener is dropped.
    pub fn stop(&self) {
        self.inner.stop();
        #[cfg(feature = "async")]
        self.stop_tasks.wake();
    }

    /// Sets which parts are nonblocking. A call of `accept` that waits already goes on waiting.
    pub fn set_nonblocking(&self, mode: ListenerNonblockingMode) -> io::Result<()> {
        self.inner.set_accept_nonblocking(mode.accept_nonblocking());
        self.stream_nonblocking.store(mode.stream_nonblocking(), Relaxed);
        Ok(())
    }

    /// The address that it listens on (`getsockname`).
    pub fn local_addr(&self) -> io::Result<HvsockAddr> {
        imp::local_addr(self.inner.as_handle())
    }
}

impl<'a> IntoIterator for &'a HvsockListener {
    type Item = io::Result<HvsockStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// The clients of a [`HvsockListener`], one after the other. From [`HvsockListener::incoming`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct Incoming<'a> {
    listener: &'a HvsockListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<HvsockStream>;

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
/// [`Read`](io::Read) and [`Write`](io::Write) are there for `HvsockStream` and for `&HvsockStream`: one thread may read while another
/// writes.
///
/// # End of stream
/// Reading gives 0 bytes when the peer is gone, or has [shut down](Self::shutdown) its sending direction, and all that it sent
/// has been read. Writing to a peer that is gone is [`BrokenPipe`](io::ErrorKind::BrokenPipe).
///
/// # Dropping
/// Closes the connection. It does not wait; what is still [on its way](Self::flush) is lost if the process ends before it has
/// arrived.
///
/// ```no_run
/// use interprocess::os::windows::hvsock::{HvsockAddr, HvsockStream};
/// use std::{io::{Read, Write}, net::Shutdown, time::Duration};
///
/// let host = HvsockAddr::from_linux_port(HvsockAddr::VM_PARENT, 5000);
/// let mut stream = HvsockStream::connect_timeout(host, Duration::from_secs(1))?;
/// stream.write_all(b"question")?;
/// stream.shutdown(Shutdown::Write)?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct HvsockStream(Stream);

impl HvsockStream {
    /// Connects to the listener at that address. Windows gives up by itself after some time without an answer.
    ///
    /// # Errors
    /// Each says the address.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): there is no Hyper-V.
    /// - [`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody listens there.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not; on a host, that takes an administrator or one of the
    ///   group Hyper-V Administrators.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): there was no answer.
    ///
    /// Stands on `ConnectEx`.
    pub fn connect(addr: HvsockAddr) -> io::Result<Self> {
        Self::connect_until(addr, Deadline::NEVER)
    }

    /// Like [`connect`](Self::connect), but waits for no longer than `timeout`.
    pub fn connect_timeout(addr: HvsockAddr, timeout: Duration) -> io::Result<Self> {
        Self::connect_until(addr, Deadline::after(timeout))
    }

    fn connect_until(addr: HvsockAddr, deadline: Deadline) -> io::Result<Self> {
        let connected = imp::Connecting::start(&addr, false).and_then(|connecting| connecting.wait(deadline));
        connected.map(Self).map_err(|error| about(addr, error))
    }

    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the end of the stream or if `buf` is
    /// empty.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) if a [timeout](Self::set_recv_timeout) is set,
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the stream is [nonblocking](Self::set_nonblocking) and nothing is there.
    ///
    /// Stands on `ReadFile`.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }

    /// Like [`recv`](Self::recv), into the first buffer that is not empty.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.recv_vectored(bufs)
    }

    /// Like [`recv`](Self::recv), but the bytes stay there for the next call: they are taken out of the socket and kept in the
    /// stream, where only its own calls find them.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf)
    }

    /// Sends bytes from `buf`, and says how many: at least one, unless `buf` is empty. Fewer than all only if the stream is
    /// [nonblocking](Self::set_nonblocking) or a [timeout](Self::set_send_timeout) came.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the peer is gone; [`TimedOut`](io::ErrorKind::TimedOut) and
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing could be sent at all.
    ///
    /// Stands on `WriteFile`.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// Like [`send`](Self::send), from several buffers, in order: small ones are copied together, and else the first that is
    /// not empty is sent.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs)
    }

    /// Waits until all that was sent is with the system, where it outlives this process. What was sent in nonblocking mode, with
    /// a timeout or by an async stream may be on its way.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), which may be those of an earlier send.
    pub fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }

    /// Ends one direction, or both (`shutdown`). After `Shutdown::Write` the peer reads to the end of the stream and can
    /// still send.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// The failure of a send that nobody waited for, which this takes away.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Sets whether calls that would have to wait return [`WouldBlock`](io::ErrorKind::WouldBlock) instead. Receiving starts a
    /// read that goes on while nobody waits for it, and whose bytes the next call finds. Sending takes up to 64 KiB off the
    /// caller's hands as soon as the bytes before are with the system.
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
    /// for.
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_recv_timeout(timeout)
    }

    /// How long receiving may wait.
    pub fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.recv_timeout()
    }

    /// Sets how long sending may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// Those of [`set_recv_timeout`](Self::set_recv_timeout).
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_send_timeout(timeout)
    }

    /// How long sending may wait.
    pub fn send_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.send_timeout()
    }

    /// Another object for the same connection. Modes and timeouts are shared; the connection is closed when the last one is
    /// dropped.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// The address of this end (`getsockname`). Of what the system gives out there for either end of a connection, nothing is
    /// promised.
    pub fn local_addr(&self) -> io::Result<HvsockAddr> {
        imp::local_addr(self.0.as_handle())
    }

    /// The address of the other end (`getpeername`), for whose machine the system vouches: see [security](self#security).
    pub fn peer_addr(&self) -> io::Result<HvsockAddr> {
        imp::peer_addr(self.0.as_handle())
    }
}

impl TryClone for HvsockStream {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

read_by_recv! {
    [] HvsockStream, |stream| stream;
    [] &HvsockStream, |stream| stream;
}
write_by_send! {
    [] HvsockStream, |stream| stream, HvsockStream::flush(stream);
    [] &HvsockStream, |stream| stream, HvsockStream::flush(stream);
}

/// The socket is an overlapped one. What the stream has received ahead is not in it any more.
impl AsSocket for HvsockStream {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        unix_socket::of_handle(self.0.as_handle())
    }
}

/// The socket is an overlapped one, and has an `AcceptEx` waiting for the next client.
impl AsSocket for HvsockListener {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        unix_socket::of_handle(self.inner.as_handle())
    }
}

/// Such sockets for Tokio.
///
/// The types have the methods of their blocking twins, as `async fn`s where those may wait.
///
/// ```no_run
/// use interprocess::os::windows::hvsock::{HvsockAddr, tokio::HvsockStream};
///
/// # async fn example() -> std::io::Result<()> {
/// let stream = HvsockStream::connect(HvsockAddr::from_linux_port(HvsockAddr::VM_PARENT, 5000)).await?;
/// stream.send(b"hello").await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "tokio")]
pub mod tokio {
    use crate::runtime::{Async, Tokio};

    /// The async face of a [`HvsockListener`](super::HvsockListener).
    pub type HvsockListener = Async<super::HvsockListener, Tokio>;
    /// The async face of a [`HvsockStream`](super::HvsockStream).
    pub type HvsockStream = Async<super::HvsockStream, Tokio>;
}

/// Such sockets for smol, async-std and every other executor, by way of `async-io`.
///
/// The types have the methods of their blocking twins, as `async fn`s where those may wait.
///
/// ```no_run
/// use interprocess::os::windows::hvsock::{HvsockAddr, smol::HvsockStream};
///
/// # async fn example() -> std::io::Result<()> {
/// let stream = HvsockStream::connect(HvsockAddr::from_linux_port(HvsockAddr::VM_PARENT, 5000)).await?;
/// stream.send(b"hello").await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "smol")]
pub mod smol {
    use crate::runtime::{Async, Smol};

    /// The async face of a [`HvsockListener`](super::HvsockListener).
    pub type HvsockListener = Async<super::HvsockListener, Smol>;
    /// The async face of a [`HvsockStream`](super::HvsockStream).
    pub type HvsockStream = Async<super::HvsockStream, Smol>;
}
