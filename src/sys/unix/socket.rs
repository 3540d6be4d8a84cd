//! Unix-domain sockets: each function makes one attempt, and retries only what a signal interrupted.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
use super::{control::Word, message};
use super::{message::Received, wait::timespec};
use crate::deadline::Deadline;
use rustix::{
    event::{PollFd, PollFlags},
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType,
        sockopt::{self, Timeout},
    },
};
#[cfg(feature = "async")]
use std::mem::MaybeUninit;
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    ops::{Deref, Range},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

/// `writev` and its kin refuse more buffers than this on every Unix (`IOV_MAX`).
pub(crate) const MAX_BUFFERS: usize = 1024;

/// Which of the buffers are for one call on a stream: as many as it takes, from the first that is not empty on. So there are none only if
/// all are empty, and a call that moves nothing has a reason other than many empty ones in front.
pub(crate) fn at_once<B: Deref<Target = [u8]>>(bufs: &[B]) -> Range<usize> {
    let start = bufs.iter().position(|buf| !buf.is_empty()).unwrap_or(bufs.len());
    start..bufs.len().min(start + MAX_BUFFERS)
}

/// A closed peer must be an error, not a signal. `SO_NOSIGPIPE` does it where the flag does not exist.
#[cfg(not(target_vendor = "apple"))]
pub(super) const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
pub(super) const SEND_FLAGS: SendFlags = SendFlags::empty();

/// The flags with which a socket of that kind sends. FreeBSD, since 15, keeps packets apart only where it is told that one ends, which
/// it refuses to be told of a stream.
pub(super) fn send_flags(kind: SocketType) -> SendFlags {
    if cfg!(target_os = "freebsd") && kind == SocketType::SEQPACKET {
        SEND_FLAGS | SendFlags::EOR
    } else {
        SEND_FLAGS
    }
}

#[cfg(not(target_vendor = "apple"))]
fn flags(nonblocking: bool) -> rustix::net::SocketFlags {
    use rustix::net::SocketFlags;
    if nonblocking { SocketFlags::CLOEXEC | SocketFlags::NONBLOCK } else { SocketFlags::CLOEXEC }
}

/// A new socket, closed on `exec`.
pub(crate) fn new(kind: SocketType, nonblocking: bool) -> io::Result<OwnedFd> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::socket_with(AddressFamily::UNIX, kind, flags(nonblocking), None)?);
    #[cfg(target_vendor = "apple")]
    {
        let fd = rustix::net::socket(AddressFamily::UNIX, kind, None)?;
        sockopt::set_socket_nosigpipe(&fd, true)?;
        Ok(apple::prepare(fd, nonblocking)?)
    }
}

/// Two sockets that are connected to each other (`socketpair`), closed on `exec`.
pub(crate) fn pair(kind: SocketType, nonblocking: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::socketpair(AddressFamily::UNIX, kind, flags(nonblocking), None)?);
    #[cfg(target_vendor = "apple")]
    {
        let (one, other) =
            rustix::net::socketpair(AddressFamily::UNIX, kind, rustix::net::SocketFlags::empty(), None)?;
        sockopt::set_socket_nosigpipe(&one, true)?;
        sockopt::set_socket_nosigpipe(&other, true)?;
        Ok((apple::prepare(one, nonblocking)?, apple::prepare(other, nonblocking)?))
    }
}

/// One connection from a listener's queue (`accept4`), closed on `exec`.
pub(crate) fn accept(listener: BorrowedFd<'_>, nonblocking: bool) -> Result<OwnedFd, Errno> {
    #[cfg(not(target_vendor = "apple"))]
    {
        let fd = retry_on_intr(|| rustix::net::accept_with(listener, flags(nonblocking)))?;
        // There, what the listener has is added to what is asked for.
        #[cfg(any(target_os = "illumos", target_os = "solaris"))]
        rustix::io::ioctl_fionbio(&fd, nonblocking)?;
        Ok(fd)
    }
    // `SO_NOSIGPIPE` comes from the listener.
    #[cfg(target_vendor = "apple")]
    apple::prepare(retry_on_intr(|| rustix::net::accept(listener))?, nonblocking)
}

/// What Darwin cannot do in the call that makes the descriptor. A child that another thread starts in between
/// inherits it: there is no call without that window.
#[cfg(target_vendor = "apple")]
mod apple {
    use super::{Errno, OwnedFd};

    pub(super) fn prepare(fd: OwnedFd, nonblocking: bool) -> Result<OwnedFd, Errno> {
        rustix::io::ioctl_fioclex(&fd)?;
        // An accepted socket has the mode of its listener.
        rustix::io::ioctl_fionbio(&fd, nonblocking)?;
        Ok(fd)
    }
}

/// Prepares a socket that somebody else made.
pub(crate) fn adopt(fd: BorrowedFd<'_>) {
    // A socket that refuses the option is no worse than before: its owner sees the signal as without us.
    #[cfg(target_vendor = "apple")]
    let _ = sockopt::set_socket_nosigpipe(fd, true);
    #[cfg(not(target_vendor = "apple"))]
    let _ = fd;
}

/// `connect(2)`. `EAGAIN` says that the queue of the listener is full, and the socket is as it was. There is no connection
/// in progress; should a system say that there is, this connection is given up, too.
pub(crate) fn connect(fd: BorrowedFd<'_>, address: &SocketAddrUnix) -> Result<(), Errno> {
    match rustix::net::connect(fd, address) {
        Err(Errno::INPROGRESS) => Err(Errno::AGAIN),
        result => result,
    }
}

/// `connect(2)` of a socket for datagrams, which says where they go. Looking for the file can be interrupted, on some file systems.
pub(crate) fn set_destination(fd: BorrowedFd<'_>, address: &SocketAddrUnix) -> Result<(), Errno> {
    retry_on_intr(|| rustix::net::connect(fd, address))
}

/// Makes a call again that a signal has interrupted. Each time it waits for the whole of the socket's timeout, so that signals which
/// keep coming could put it off for ever: from the first of them on, the timeout is counted here.
///
/// Closures that own what they need stay in registers.
#[inline]
pub(super) fn retry<T>(
    fd: BorrowedFd<'_>,
    timeout: Timeout,
    mut call: impl FnMut() -> Result<T, Errno>,
) -> Result<T, Errno> {
    match call() {
        Err(Errno::INTR) => retry_interrupted(fd, timeout, call),
        result => result,
    }
}

/// Apart, so that calls which nothing interrupts do not carry it along.
#[cold]
fn retry_interrupted<T>(
    fd: BorrowedFd<'_>,
    timeout: Timeout,
    mut call: impl FnMut() -> Result<T, Errno>,
) -> Result<T, Errno> {
    let limit = sockopt::socket_timeout(fd, timeout).ok().flatten();
    let deadline = Deadline::after_or_never(limit);
    loop {
        match call() {
            // What the system says when its own timeout ends.
            Err(Errno::INTR) if deadline.has_passed() => return Err(Errno::AGAIN),
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

#[inline]
pub(crate) fn recv(fd: BorrowedFd<'_>, buf: &mut [u8], flags: RecvFlags) -> Result<usize, Errno> {
    if buf.is_empty() {
        return Ok(0);
    }
    retry(fd, Timeout::Recv, move || rustix::net::recv(fd, &mut *buf, flags).map(|(received, _)| received))
}

/// Bytes, into memory that need not be initialized. As much of it as they are is, then.
#[cfg(feature = "async")]
#[inline]
pub(crate) fn recv_uninit(fd: BorrowedFd<'_>, buf: &mut [MaybeUninit<u8>]) -> Result<usize, Errno> {
    if buf.is_empty() {
        return Ok(0);
    }
    retry(fd, Timeout::Recv, move || {
        rustix::net::recv(fd, &mut *buf, RecvFlags::empty()).map(|((received, _), _)| received.len())
    })
}

/// One message, or as much of it as there is room for, and whether there was more. An empty buffer takes it, too.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
pub(crate) fn recv_message(fd: BorrowedFd<'_>, buf: &mut [u8], flags: RecvFlags) -> io::Result<Received> {
    // With this flag, the kernel tells the whole length.
    let flags = flags | RecvFlags::TRUNC;
    let (len, whole) = retry(fd, Timeout::Recv, || rustix::net::recv(fd, &mut *buf, flags))?;
    Ok(Received { len, is_truncated: whole > len })
}

/// One message, or as much of it as there is room for, and whether there was more. An empty buffer takes it, too.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[inline]
pub(crate) fn recv_message(fd: BorrowedFd<'_>, buf: &mut [u8], flags: RecvFlags) -> io::Result<Received> {
    message::recv::<Box<[Word]>>(fd, &mut [IoSliceMut::new(buf)], None, None, flags)
}

pub(crate) fn recv_vectored(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    let taken = at_once(bufs);
    if taken.is_empty() {
        return Ok(0);
    }
    let bufs = &mut bufs[taken];
    retry(fd, Timeout::Recv, || rustix::io::readv(fd, &mut *bufs))
}

#[inline]
pub(crate) fn send(fd: BorrowedFd<'_>, buf: &[u8]) -> Result<usize, Errno> {
    if buf.is_empty() {
        return Ok(0);
    }
    send_message(fd, buf, SEND_FLAGS)
}

/// One message, which may be empty.
#[inline]
pub(crate) fn send_message(fd: BorrowedFd<'_>, buf: &[u8], flags: SendFlags) -> Result<usize, Errno> {
    retry(fd, Timeout::Send, move || rustix::net::send(fd, buf, flags))
}

/// How long the next message is.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn peek_message_size(fd: BorrowedFd<'_>) -> Result<usize, Errno> {
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC;
    retry(fd, Timeout::Recv, || rustix::net::recv(fd, &mut [0_u8; 0], flags)).map(|(_, len)| len)
}

pub(crate) fn send_vectored(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let bufs = &bufs[at_once(bufs)];
    if bufs.is_empty() {
        return Ok(0);
    }
    retry(fd, Timeout::Send, || {
        rustix::net::sendmsg(fd, bufs, &mut rustix::net::SendAncillaryBuffer::default(), SEND_FLAGS)
    })
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => rustix::net::Shutdown::Read,
        Shutdown::Write => rustix::net::Shutdown::Write,
        Shutdown::Both => rustix::net::Shutdown::Both,
    };
    Ok(rustix::net::shutdown(fd, how)?)
}

pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, nonblocking)?)
}

pub(crate) fn is_nonblocking(fd: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(rustix::fs::fcntl_getfl(fd)?.contains(rustix::fs::OFlags::NONBLOCK))
}

/// More than this counts as "for ever": some systems refuse more, and no process lives that long.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// `SO_RCVTIMEO` or `SO_SNDTIMEO`. Less than a microsecond counts as one, since zero would be for ever.
pub(crate) fn set_timeout(fd: BorrowedFd<'_>, which: Timeout, timeout: Option<Duration>) -> io::Result<()> {
    let timeout =
        timeout.filter(|timeout| *timeout < LONGEST_TIMEOUT).map(|t| t.max(Duration::from_micros(1)));
    match sockopt::set_socket_timeout(fd, which, timeout) {
        // NetBSD counts no further than some months.
        Err(Errno::DOM) => Ok(sockopt::set_socket_timeout(fd, which, None)?),
        result => Ok(result?),
    }
}

pub(crate) fn timeout(fd: BorrowedFd<'_>, which: Timeout) -> io::Result<Option<Duration>> {
    Ok(sockopt::socket_timeout(fd, which)?)
}

/// What became of a listener that was waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// There may be a connection.
    Ready,
    /// Somebody has shut the socket down.
    Ended,
    TimedOut,
}

/// Waits until a listener has a connection, or `wake` can be read from.
pub(crate) fn wait_for_connection(
    listener: BorrowedFd<'_>,
    wake: Option<BorrowedFd<'_>>,
    deadline: Deadline,
) -> io::Result<Waited> {
    /// `poll` takes no more milliseconds than an `int` holds.
    const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const ENDED: PollFlags = PollFlags::RDHUP.union(PollFlags::HUP);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const ENDED: PollFlags = PollFlags::HUP;

    let mut fds = [
        PollFd::from_borrowed_fd(listener, PollFlags::IN | ENDED),
        PollFd::from_borrowed_fd(wake.unwrap_or(listener), PollFlags::IN),
    ];
    loop {
        let left = deadline.remaining();
        match rustix::event::poll(&mut fds, left.map(|left| timespec(left.min(LONGEST_WAIT))).as_ref()) {
            Ok(0) if deadline.has_passed() => return Ok(Waited::TimedOut),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) if fds[0].revents().intersects(ENDED) => return Ok(Waited::Ended),
            Ok(_) => return Ok(Waited::Ready),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(feature = "async")]
pub(crate) fn is_writable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    retry_on_intr(|| rustix::event::poll(&mut fds, Some(&timespec(Duration::ZERO))))?;
    Ok(fds[0].revents().contains(PollFlags::OUT))
}

/// Whether both directions have ended, which is so once the peer has closed its end, read or not.
#[cfg(not(any(target_vendor = "apple", target_os = "netbsd", target_os = "dragonfly")))]
pub(crate) fn is_hung_up(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
    retry_on_intr(|| rustix::event::poll(&mut fds, Some(&timespec(Duration::ZERO))))?;
    Ok(fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR))
}

/// Whether the peer has closed its end, which leaves the socket without a peer. There, `poll` does not tell.
#[cfg(any(target_vendor = "apple", target_os = "netbsd", target_os = "dragonfly"))]
pub(crate) fn is_hung_up(fd: BorrowedFd<'_>) -> io::Result<bool> {
    match rustix::net::getpeername(fd) {
        Ok(_) => Ok(false),
        Err(Errno::NOTCONN) => Ok(true),
        // Darwin, once neither direction works any more.
        Err(Errno::INVAL) if cfg!(target_vendor = "apple") => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// How many bytes that we sent are not yet read, and what they cost the kernel beside (`SIOCOUTQ`). 0 is exact.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn unread(fd: BorrowedFd<'_>) -> io::Result<usize> {
    use std::os::fd::AsRawFd;
    let mut unread: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (which has the value of TIOCOUTQ) writes one int to a pointer that is valid for it.
    if unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut unread) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(unread).unwrap_or(0))
}

/// A pipe, closed on `exec`: (reader, writer).
pub(crate) fn wake_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?);
    #[cfg(target_vendor = "apple")]
    {
        let (reader, writer) = rustix::pipe::pipe()?;
        rustix::io::ioctl_fioclex(&reader)?;
        rustix::io::ioctl_fioclex(&writer)?;
        Ok((reader, writer))
    }
}

/// The error that waits on the socket (`SO_ERROR`), taken from it.
pub(crate) fn take_error(fd: BorrowedFd<'_>) -> io::Result<Option<io::Error>> {
    Ok(sockopt::socket_error(fd)?.err().map(Into::into))
}

/// A second descriptor for the same socket, closed on `exec`.
pub(crate) fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    fd.as_fd().try_clone_to_owned()
}
