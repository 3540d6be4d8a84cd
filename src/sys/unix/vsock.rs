//! Sockets between a virtual machine and its host (`AF_VSOCK`). What is different from sockets of the Unix domain is here: the
//! address, and how one connects. All else is done by the same [`Stream`] and [`Listener`].

use super::{socket, wait};
use crate::{
    deadline::Deadline,
    error::{about, about_as},
    os::unix::vsock::VsockAddr,
    sys::{Listener, Stream},
};
use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
    ioctl::{Getter, Opcode, ioctl, opcode},
    net::{
        AddressFamily, SocketAddrAny, SocketFlags, SocketType,
        addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque},
    },
};
use std::{
    fs::File,
    io,
    mem::zeroed,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

/// An address as the system has it.
struct Address(VsockAddr);

#[allow(clippy::cast_possible_truncation, reason = "it is 16 bytes")]
const ADDRESS_LEN: SocketAddrLen = size_of::<libc::sockaddr_vm>() as SocketAddrLen;

// SAFETY: the pointer is to an address of that length, which outlives the call.
unsafe impl SocketAddrArg for Address {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        // SAFETY: it consists of numbers, which may all be zero; those that have no meaning yet have to be.
        let mut address: libc::sockaddr_vm = unsafe { zeroed() };
        address.svm_family = AddressFamily::VSOCK.as_raw();
        address.svm_cid = self.0.cid;
        address.svm_port = self.0.port;
        f((&raw const address).cast(), ADDRESS_LEN)
    }
}

impl Address {
    fn read(address: &SocketAddrAny) -> io::Result<VsockAddr> {
        if address.address_family() != AddressFamily::VSOCK || address.addr_len() < ADDRESS_LEN {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a socket of AF_VSOCK"));
        }
        // SAFETY: it has the length of such an address, and any numbers make one.
        let address: libc::sockaddr_vm =
            unsafe { address.as_ptr().cast::<libc::sockaddr_vm>().read_unaligned() };
        Ok(VsockAddr { cid: address.svm_cid, port: address.svm_port })
    }
}

/// A new stream socket, closed on `exec`.
fn new(flags: SocketFlags) -> io::Result<OwnedFd> {
    match rustix::net::socket_with(
        AddressFamily::VSOCK,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | flags,
        None,
    ) {
        Err(error @ Errno::AFNOSUPPORT) => {
            let why = "this kernel has no sockets for virtual machines (AF_VSOCK)";
            Err(about_as(io::ErrorKind::Unsupported, why, error.into()))
        }
        result => Ok(result?),
    }
}

/// Connections that wait for `accept`; the kernel has its own limit.
const BACKLOG: i32 = 4096;

pub(crate) fn listen(address: VsockAddr) -> io::Result<Listener> {
    let fd = new(SocketFlags::empty())?;
    rustix::net::bind(&fd, &Address(address))?;
    rustix::net::listen(&fd, BACKLOG)?;
    // A socket that listens cannot be shut down here, so stopping takes the pipe that such a listener has.
    Ok(Listener::from_shared(fd))
}

/// Connects, and waits for that to the deadline.
pub(crate) fn connect(address: VsockAddr, deadline: Deadline) -> io::Result<Stream> {
    let stream = start_connecting(address)?;
    finish_connecting(stream.as_fd(), Some(deadline))?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Starts connecting. The stream is nonblocking, and of no use before [`finish_connecting`] has said that it is connected.
pub(crate) fn start_connecting(address: VsockAddr) -> io::Result<Stream> {
    let fd = new(SocketFlags::NONBLOCK)?;
    loop {
        match rustix::net::connect(&fd, &Address(address)) {
            Err(Errno::INTR) => {}
            // The latter two if it went on although a signal came.
            Ok(()) | Err(Errno::INPROGRESS | Errno::ALREADY | Errno::ISCONN) => break,
            Err(error) => return Err(explain_connecting(error.into())),
        }
    }
    let stream = Stream::from(fd);
    // It is already; this is for the stream to know.
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// What came of connecting. It is waited for to the deadline; without one, it is `WouldBlock` as long as it is not known.
pub(crate) fn finish_connecting(fd: BorrowedFd<'_>, wait: Option<Deadline>) -> io::Result<()> {
    /// `poll` takes no more milliseconds than an `int` holds.
    const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    loop {
        let left = wait.map_or(Some(Duration::ZERO), Deadline::remaining);
        let left = left.map(|left| wait::timespec(left.min(LONGEST_WAIT)));
        match rustix::event::poll(&mut fds, left.as_ref()) {
            Ok(0) if wait.is_none() => return Err(io::ErrorKind::WouldBlock.into()),
            Ok(0) if wait.is_some_and(Deadline::has_passed) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(error) = socket::take_error(fd)? {
        return Err(explain_connecting(error));
    }
    // An attempt that was given up is writable, too, and leaves no error.
    peer_addr(fd).map(drop)
}

/// The kernel's codes do not say what has happened.
fn explain_connecting(error: io::Error) -> io::Error {
    let (kind, why) = match error.raw_os_error().map(Errno::from_raw_os_error) {
        // Most transports have no other way to refuse.
        Some(Errno::CONNRESET) => (io::ErrorKind::ConnectionRefused, "nobody listens there"),
        Some(Errno::NODEV) => (io::ErrorKind::HostUnreachable, "this kernel has no transport to there"),
        _ => return error,
    };
    about_as(kind, why, error)
}

pub(crate) fn local_addr(fd: BorrowedFd<'_>) -> io::Result<VsockAddr> {
    Address::read(&rustix::net::getsockname(fd)?)
}

/// `NotConnected` if there is no peer, or was one until we shut the socket down.
pub(crate) fn peer_addr(fd: BorrowedFd<'_>) -> io::Result<VsockAddr> {
    Address::read(&rustix::net::getpeername(fd)?.ok_or(io::ErrorKind::NotConnected)?)
}

/// The CID of this machine (`IOCTL_VM_SOCKETS_GET_LOCAL_CID`).
pub(crate) fn local_cid() -> io::Result<u32> {
    const DEVICE: &str = "/dev/vsock";
    const GET_LOCAL_CID: Opcode = opcode::none(7, 0xb9);

    let get = || {
        let device = File::open(DEVICE)?;
        // SAFETY: this request writes an unsigned int, and nothing else.
        let cid = unsafe { ioctl(device, Getter::<GET_LOCAL_CID, u32>::new()) }?;
        Ok(cid)
    };
    get().map_err(|error| about(DEVICE, error))
}
