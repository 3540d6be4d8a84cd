//! Messages with an address or ancillary data: each function makes one attempt, and retries only what a signal interrupted.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the types of a header's fields differ between systems, and hold what there can be"
)]

use super::{
    control::{Control, Word},
    name::SourceAddress,
    socket::{MAX_BUFFERS, retry},
};
use crate::os::unix::ancillary::TruncatedAncillary;
#[cfg(feature = "async")]
use crate::runtime::Told;
use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, SocketAddrUnix, addr::SocketAddrArg, sockopt::Timeout},
};
#[cfg(feature = "async")]
use std::mem::MaybeUninit;
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    ptr,
};

/// What came.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Received {
    /// How many bytes are in the buffers.
    pub(crate) len: usize,
    /// Whether there were more, which are lost.
    pub(crate) is_truncated: bool,
}

/// What the flags of every call are: descriptors that come are closed on `exec`, where that can be asked for.
#[cfg(not(target_vendor = "apple"))]
pub(super) const RECV_FLAGS: libc::c_int = libc::MSG_CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const RECV_FLAGS: libc::c_int = 0;

/// The bits as C has them.
pub(super) const fn c_int(flags: u32) -> libc::c_int {
    libc::c_int::from_ne_bytes(flags.to_ne_bytes())
}

pub(super) fn last_errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

pub(super) fn empty_header() -> libc::msghdr {
    // SAFETY: the structure is made of integers and of pointers that may be null.
    unsafe { mem::zeroed() }
}

/// # Safety
/// That of `sendmsg(2)`.
unsafe fn sendmsg(fd: RawFd, header: *const libc::msghdr, flags: libc::c_int) -> isize {
    // By its number, since musl's has room for a copy of only so much control data: for fewer than 253 descriptors with credentials,
    // and in older versions for fewer than 253. It makes the copy to clear what pads the headers, which is clear here.
    #[cfg(all(target_env = "musl", target_pointer_width = "64"))]
    // SAFETY: the caller's promise.
    return unsafe { libc::syscall(libc::SYS_sendmsg, fd, header, flags) as isize };
    #[cfg(not(all(target_env = "musl", target_pointer_width = "64")))]
    // SAFETY: the caller's promise.
    return unsafe { libc::sendmsg(fd, header, flags) };
}

/// Whether more of a packet follows, with the next call: FreeBSD, since 15, tells only where one ends.
#[cfg(target_os = "freebsd")]
pub(super) fn goes_on(fd: BorrowedFd<'_>, flags: libc::c_int, len: usize, room: usize) -> bool {
    use rustix::net::{SocketType, sockopt};
    len != 0
        && len == room
        && flags & libc::MSG_EOR == 0
        && sockopt::socket_type(fd) == Ok(SocketType::SEQPACKET)
}

/// `sendmsg(2)`.
#[inline]
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&SocketAddrUnix>,
    control: &[u8],
    flags: SendFlags,
) -> Result<usize, Errno> {
    let send_to = |address: *const libc::c_void, len: libc::socklen_t| {
        let mut header = empty_header();
        header.msg_name = address.cast_mut();
        header.msg_namelen = len;
        // An `IoSlice` is an `iovec`, which nobody writes to here.
        header.msg_iov = bufs.as_ptr().cast_mut().cast();
        // One more than the limit is refused everywhere. What is far more might not fit the field.
        header.msg_iovlen = bufs.len().min(MAX_BUFFERS + 1) as _;
        // Some systems want a null pointer if there is nothing.
        if !control.is_empty() {
            header.msg_control = control.as_ptr().cast_mut().cast();
            header.msg_controllen = control.len() as _;
        }
        retry(fd, Timeout::Send, || {
            // SAFETY: each pointer in the header is to as much initialised memory as it says, which lives until the call is over.
            let sent = unsafe { sendmsg(fd.as_raw_fd(), &raw const header, c_int(flags.bits())) };
            usize::try_from(sent).map_err(|_| last_errno())
        })
    };
    match to {
        None => send_to(ptr::null(), 0),
        // SAFETY: the pointer that the closure is given is used while the closure runs.
        Some(to) => unsafe { to.with_sockaddr(|address, len| send_to(address.cast(), len as _)) },
    }
}

/// Bytes of a stream, and whether the next call would find nothing.
///
/// Less than there is room for is all there was, with one exception: behind bytes that something came along with, the kernel stops. What came
/// along is closed, as nobody asked for it, and that the header tells. (Bytes that are out of band are another. Nobody sends such on
/// these sockets; what follows them would be received with the next that comes.)
#[cfg(feature = "async")]
pub(crate) fn recv_bytes(fd: BorrowedFd<'_>, buf: &mut [MaybeUninit<u8>]) -> Result<Told, Errno> {
    let mut buffer = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
    let mut header = empty_header();
    header.msg_iov = &raw mut buffer;
    header.msg_iovlen = 1;
    let len = retry(fd, Timeout::Recv, || {
        // SAFETY: the header refers to one buffer, which may be written to and lives until the call is over.
        let len = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, 0) };
        usize::try_from(len).map(|len| len.min(buf.len())).map_err(|_| last_errno())
    })?;
    let is_all = len != 0 && len < buf.len() && header.msg_flags & libc::MSG_CTRUNC == 0;
    Ok(if is_all { Told::last(len) } else { Told::more_may_follow(len) })
}

/// `recvmsg(2)`. Control data that were cut off, for want of room in the buffer or in the table of descriptors, are closed,
/// and an error.
#[inline]
pub(crate) fn recv<S: AsRef<[Word]> + AsMut<[Word]>>(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    control: Option<&mut Control<S>>,
    mut source: Option<&mut SourceAddress>,
    flags: RecvFlags,
) -> io::Result<Received> {
    let mut received = Received { len: 0, is_truncated: false };
    let mut is_cut = false;
    let mut call = |control: *mut u8, room: usize| {
        let mut header = empty_header();
        // An `IoSliceMut` is an `iovec`.
        header.msg_iov = bufs.as_mut_ptr().cast();
        header.msg_iovlen = bufs.len().min(MAX_BUFFERS) as _;
        if room != 0 {
            header.msg_control = control.cast();
            header.msg_controllen = room as _;
        }
        if let Some(source) = &mut source {
            (header.msg_name, header.msg_namelen) = source.room();
        }
        // SAFETY: each pointer in the header is to as much writable memory as it says, which lives until the call is over.
        let len = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, RECV_FLAGS | c_int(flags.bits())) };
        received.len = usize::try_from(len).map_err(|_| last_errno())?;
        received.is_truncated = header.msg_flags & libc::MSG_TRUNC != 0;
        #[cfg(target_os = "freebsd")]
        {
            let room = bufs.iter().map(|buf| buf.len()).sum();
            received.is_truncated |= goes_on(fd, header.msg_flags, received.len, room);
        }
        is_cut = room != 0 && header.msg_flags & libc::MSG_CTRUNC != 0;
        if let Some(source) = &mut source {
            source.set_len(header.msg_namelen);
        }
        #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
        Ok(header.msg_controllen as usize)
    };
    let Some(control) = control else {
        retry(fd, Timeout::Recv, || call(ptr::null_mut(), 0))?;
        return Ok(received);
    };
    // SAFETY: `recvmsg` filled as much as it says, with records in which the descriptors are new.
    match retry(fd, Timeout::Recv, || unsafe { control.fill_with(&mut call) }) {
        // There, that is what it is when the table of descriptors has no room. They are closed, and nothing is received.
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        Err(Errno::MSGSIZE) => return Err(TruncatedAncillary { received: 0 }.into()),
        result => result?,
    }
    #[cfg(target_vendor = "apple")]
    control.close_on_exec();
    if is_cut {
        control.clear();
        return Err(TruncatedAncillary { received: received.len }.into());
    }
    Ok(received)
}
