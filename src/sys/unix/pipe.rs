//! The body of an end of a pipe, whatever made the pipe.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod splice;

use super::{sigpipe::Silencer, socket, wait};
use crate::deadline::Deadline;
use rustix::{
    event::PollFlags,
    fs::{FileType, OFlags, Stat},
    io::{Errno, retry_on_intr},
};
#[cfg(feature = "async")]
use std::mem::MaybeUninit;
use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Whether `poll` says `POLLHUP` if, and only if, there was a writer since we opened the pipe, and there is none now. So it is on
/// Linux. Elsewhere, reading 0 bytes has to be the end.
pub(super) const POLL_TELLS_THE_END: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Makes a pipe of bytes, blocking.
pub(crate) fn pipe() -> io::Result<(Sender, Recver)> {
    create(false, false)
}

/// Makes a pipe.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn create(nonblocking: bool, packets: bool) -> io::Result<(Sender, Recver)> {
    use rustix::pipe::PipeFlags;

    let mut flags = PipeFlags::CLOEXEC;
    flags.set(PipeFlags::NONBLOCK, nonblocking);
    if packets {
        flags |= packet_flag()?;
    }
    let (reader, writer) = rustix::pipe::pipe_with(flags)?;
    Ok((Sender::new(writer, nonblocking), Recver::new(reader, nonblocking)))
}

/// Makes a pipe.
#[cfg(target_vendor = "apple")]
pub(crate) fn create(nonblocking: bool, packets: bool) -> io::Result<(Sender, Recver)> {
    if packets {
        return Err(no_packets());
    }
    let (reader, writer) = socket::wake_pipe()?;
    if nonblocking {
        socket::set_nonblocking(reader.as_fd(), true)?;
        socket::set_nonblocking(writer.as_fd(), true)?;
    }
    Ok((Sender::new(writer, nonblocking), Recver::new(reader, nonblocking)))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(clippy::unnecessary_wraps, reason = "others have none")]
fn packet_flag() -> io::Result<rustix::pipe::PipeFlags> {
    Ok(rustix::pipe::PipeFlags::DIRECT)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn packet_flag() -> io::Result<rustix::pipe::PipeFlags> {
    Err(no_packets())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn no_packets() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "pipes of this system do not keep packets apart")
}

/// What both kinds of ends have.
#[derive(Debug)]
struct End {
    fd: OwnedFd,
    /// Clones share it, as they share the mode of the open pipe itself.
    mode: Arc<Mode>,
}

#[derive(Debug)]
struct Mode {
    /// Apart, since who is nonblocking asks often. Changed by whoever holds the lock.
    nonblocking: AtomicBool,
    limit: Mutex<Limit>,
}

#[derive(Copy, Clone, Debug, Default)]
struct Limit {
    /// That the pipe itself is nonblocking: for ever once there was a timeout, so that bytes, or room for them, which another
    /// thread gets first do not leave us waiting past it. Blocking is then done by `poll`.
    polled: bool,
    timeout: Option<Duration>,
}

impl End {
    /// Takes an end that is nonblocking or not, as is said.
    fn new(fd: OwnedFd, nonblocking: bool) -> Self {
        let mode = Mode { nonblocking: AtomicBool::new(nonblocking), limit: Mutex::default() };
        Self { fd, mode: Arc::new(mode) }
    }

    fn is_nonblocking(&self) -> bool {
        self.mode.nonblocking.load(Relaxed)
    }

    fn limit(&self) -> MutexGuard<'_, Limit> {
        self.mode.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        let limit = self.limit();
        if nonblocking || !limit.polled {
            socket::set_nonblocking(self.fd.as_fd(), nonblocking)?;
        }
        self.mode.nonblocking.store(nonblocking, Relaxed);
        Ok(())
    }

    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut limit = self.limit();
        if timeout.is_some() && !limit.polled {
            socket::set_nonblocking(self.fd.as_fd(), true)?;
            limit.polled = true;
        }
        limit.timeout = timeout;
        Ok(())
    }

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { fd: socket::duplicate(self.fd.as_fd())?, mode: Arc::clone(&self.mode) })
    }

    /// When a wait that begins now has to end.
    fn deadline(&self) -> io::Result<Deadline> {
        if self.is_nonblocking() {
            return Err(Errno::AGAIN.into());
        }
        let limit = self.limit();
        // Whoever had the lock may have changed it.
        if self.is_nonblocking() {
            return Err(Errno::AGAIN.into());
        }
        Ok(Deadline::after_or_never(limit.timeout))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn capacity(&self) -> io::Result<usize> {
        Ok(rustix::pipe::fcntl_getpipe_size(&self.fd)?)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn set_capacity(&self, bytes: usize) -> io::Result<usize> {
        Ok(rustix::pipe::fcntl_setpipe_size(&self.fd, bytes)?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[allow(clippy::unused_self, reason = "Linux tells")]
    fn capacity(&self) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system does not tell how much a pipe holds"))
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[allow(clippy::unused_self, reason = "Linux lets us")]
    fn set_capacity(&self, _bytes: usize) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system decides how much a pipe holds"))
    }

    fn into_fd(self) -> OwnedFd {
        let is_polled = self.limit().polled;
        if is_polled && !self.is_nonblocking() && Arc::strong_count(&self.mode) == 1 {
            // It was our own choice. Failing, the new owner has it nonblocking.
            let _ = socket::set_nonblocking(self.fd.as_fd(), false);
        }
        self.fd
    }
}

/// The end that receives.
#[derive(Debug)]
pub(crate) struct Recver {
    end: End,
    writer: Option<Arc<Writer>>,
    /// For what its bytes are moved to. Most are never moved, so that it is only found out when it is needed.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    silencer: std::sync::OnceLock<Silencer>,
}

/// An end for writing that only keeps the pipe from ending.
#[derive(Debug)]
struct Writer {
    fd: Mutex<Option<OwnedFd>>,
    /// Till when.
    until: KeepOpen,
}

impl Writer {
    #[cold]
    fn first_byte_came(&self) {
        if self.until == KeepOpen::UntilFirstByte {
            *self.fd.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// How long a pipe without writers does not end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum KeepOpen {
    /// As long as we receive.
    Always,
    /// Until somebody has sent something.
    UntilFirstByte,
}

impl Recver {
    /// Takes an end that is nonblocking or not, as is said.
    pub(super) fn new(fd: OwnedFd, nonblocking: bool) -> Self {
        Self {
            end: End::new(fd, nonblocking),
            writer: None,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            silencer: std::sync::OnceLock::new(),
        }
    }

    /// Takes an end for writing, too, so that the pipe does not end.
    pub(super) fn kept_open(self, writer: OwnedFd, until: KeepOpen) -> Self {
        Self { writer: Some(Arc::new(Writer { fd: Mutex::new(Some(writer)), until })), ..self }
    }

    #[inline]
    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.recv_with(move |fd| rustix::io::read(fd, &mut *buf))
    }

    /// Into memory that need not be initialized. As much of it as is received is, then.
    #[cfg(feature = "async")]
    #[inline]
    pub(crate) fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.recv_with(move |fd| rustix::io::read(fd, &mut *buf).map(|(received, _)| received.len()))
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let taken = socket::at_once(bufs);
        if taken.is_empty() {
            return Ok(0);
        }
        let bufs = &mut bufs[taken];
        self.recv_with(|fd| rustix::io::readv(fd, &mut *bufs))
    }

    #[inline]
    fn recv_with(&self, mut read: impl FnMut(BorrowedFd<'_>) -> Result<usize, Errno>) -> io::Result<usize> {
        match read(self.end.fd.as_fd()) {
            Ok(received) if received != 0 => {
                self.received(received);
                Ok(received)
            }
            first => self.explain_or_wait(first, read),
        }
    }

    /// What it means that nothing was read. Apart, so that calls for which there is something do not carry it along.
    #[cold]
    fn explain_or_wait(
        &self,
        mut result: Result<usize, Errno>,
        mut read: impl FnMut(BorrowedFd<'_>) -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        let fd = self.end.fd.as_fd();
        let mut deadline = None;
        let mut have_left = !POLL_TELLS_THE_END;
        loop {
            match result {
                // The end, or nobody has come yet. Whoever has left may have sent something after we looked: only what is read
                // after it is known that all have left is the end.
                Ok(0) if !have_left => {
                    let now = wait::ready_now(fd, PollFlags::IN)?;
                    have_left = now.contains(PollFlags::HUP);
                    if now.is_empty() {
                        have_left |= self.wait(fd, &mut deadline)?;
                    }
                }
                Ok(received) => {
                    self.received(received);
                    return Ok(received);
                }
                Err(Errno::AGAIN) => have_left |= self.wait(fd, &mut deadline)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            result = read(fd);
        }
    }

    /// Waits until there is something to be read, and says whether all senders have left. What is waited for in all ends at the
    /// deadline, which is set by the first wait.
    fn wait(&self, fd: BorrowedFd<'_>, deadline: &mut Option<Deadline>) -> io::Result<bool> {
        let until = match *deadline {
            Some(until) => until,
            None => *deadline.insert(self.end.deadline()?),
        };
        Ok(wait::until_ready(fd, PollFlags::IN, until)?.contains(PollFlags::HUP))
    }

    #[inline]
    fn received(&self, count: usize) {
        if let Some(writer) = self.writer.as_ref().filter(|_| count != 0) {
            writer.first_byte_came();
        }
    }

    /// How many bytes can be received now.
    pub(crate) fn available(&self) -> io::Result<usize> {
        let available = rustix::io::ioctl_fionread(&self.end.fd)?;
        Ok(available.try_into().unwrap_or(usize::MAX))
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.end.set_nonblocking(nonblocking)
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.end.is_nonblocking()
    }

    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.end.set_timeout(timeout)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.end.limit().timeout
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            end: self.end.try_clone()?,
            writer: self.writer.clone(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            silencer: self.silencer.clone(),
        })
    }

    pub(crate) fn capacity(&self) -> io::Result<usize> {
        self.end.capacity()
    }

    pub(crate) fn set_capacity(&self, bytes: usize) -> io::Result<usize> {
        self.end.set_capacity(bytes)
    }
}

/// The end that sends.
#[derive(Debug)]
pub(crate) struct Sender {
    end: End,
    silencer: Silencer,
}

impl Sender {
    /// Takes an end that is nonblocking or not, as is said.
    pub(super) fn new(fd: OwnedFd, nonblocking: bool) -> Self {
        Self { silencer: Silencer::new(fd.as_fd()), end: End::new(fd, nonblocking) }
    }

    #[inline]
    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.send_with(move |fd| self.silencer.write(fd, buf))
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let bufs = &bufs[socket::at_once(bufs)];
        if bufs.is_empty() {
            return Ok(0);
        }
        self.send_with(|fd| self.silencer.write_vectored(fd, bufs))
    }

    /// What was sent is with the kernel.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "on Windows it is needed, and can fail")]
    pub(crate) fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    #[inline]
    fn send_with(&self, write: impl Fn(BorrowedFd<'_>) -> Result<usize, Errno>) -> io::Result<usize> {
        match write(self.end.fd.as_fd()) {
            Ok(sent) => Ok(sent),
            Err(first) => self.explain_or_wait(first, write),
        }
    }

    /// Apart, so that calls for which there is room do not carry it along.
    #[cold]
    fn explain_or_wait(
        &self,
        first: Errno,
        write: impl Fn(BorrowedFd<'_>) -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        let fd = self.end.fd.as_fd();
        let mut first = Some(first);
        let attempt = || match first.take() {
            None | Some(Errno::INTR) => retry_on_intr(|| write(fd)),
            Some(error) => Err(error),
        };
        wait::wait_with(fd, PollFlags::OUT, || self.end.deadline(), attempt)
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.end.set_nonblocking(nonblocking)
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.end.is_nonblocking()
    }

    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.end.set_timeout(timeout)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.end.limit().timeout
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { end: self.end.try_clone()?, silencer: self.silencer })
    }

    pub(crate) fn capacity(&self) -> io::Result<usize> {
        self.end.capacity()
    }

    pub(crate) fn set_capacity(&self, bytes: usize) -> io::Result<usize> {
        self.end.set_capacity(bytes)
    }
}

impl AsFd for Recver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.fd.as_fd()
    }
}

impl AsFd for Sender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.fd.as_fd()
    }
}

impl From<Recver> for OwnedFd {
    fn from(recver: Recver) -> Self {
        recver.end.into_fd()
    }
}

impl From<Sender> for OwnedFd {
    fn from(sender: Sender) -> Self {
        sender.end.into_fd()
    }
}

/// Says what it is instead.
pub(super) fn refuse_what_is_no_pipe(found: &Stat, wanted: &str) -> io::Result<()> {
    let what = match FileType::from_raw_mode(found.st_mode) {
        FileType::Fifo => return Ok(()),
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a directory",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("this is {what}, and not a {wanted}")))
}

/// Refuses what is not the end of a pipe that was opened for `wanted`, and says whether it is nonblocking.
fn check(fd: BorrowedFd<'_>, wanted: OFlags) -> io::Result<bool> {
    refuse_what_is_no_pipe(&rustix::fs::fstat(fd)?, "pipe")?;
    let access = rustix::fs::fcntl_getfl(fd)? & OFlags::RWMODE;
    if access != wanted && access != OFlags::RDWR {
        let why =
            if wanted == OFlags::RDONLY { "this end does not receive" } else { "this end does not send" };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    socket::is_nonblocking(fd)
}

/// Takes an end that somebody else opened, or hands it back.
pub(crate) fn adopt_recver(fd: OwnedFd) -> Result<Recver, (io::Error, OwnedFd)> {
    match check(fd.as_fd(), OFlags::RDONLY) {
        Ok(nonblocking) => Ok(Recver::new(fd, nonblocking)),
        Err(error) => Err((error, fd)),
    }
}

/// Takes an end that somebody else opened, or hands it back.
pub(crate) fn adopt_sender(fd: OwnedFd) -> Result<Sender, (io::Error, OwnedFd)> {
    match check(fd.as_fd(), OFlags::WRONLY) {
        Ok(nonblocking) => Ok(Sender::new(fd, nonblocking)),
        Err(error) => Err((error, fd)),
    }
}
