//! Unnamed pipes: bytes in one direction, between threads, or between a process and its children.
//!
//! A pipe is the lightest way to send bytes: what is sent at one end is received at the other, in order, and nobody else can get at it,
//! since it has no name. Whoever has an end may clone it or give it away. For a conversation take two pipes, or a
//! [local socket](crate::local_socket).
//!
//! ```
//! use interprocess::unnamed_pipe::pipe;
//! use std::{io::{Read, Write}, thread};
//!
//! let (mut sender, mut recver) = pipe()?;
//! let sending = thread::spawn(move || sender.write_all(b"Hello from the other thread"));
//!
//! let mut text = String::new();
//! recver.read_to_string(&mut text)?; // until the last sender is dropped
//! assert_eq!(text, "Hello from the other thread");
//! # sending.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Where a stream ends
//! When the last [`Sender`] is dropped and everything was received, [`recv`](Recver::recv) gives 0. So a parent that has given the sender
//! to a child must have dropped its own. When the last [`Recver`] is dropped, sending is
//! [`BrokenPipe`](std::io::ErrorKind::BrokenPipe), and never a signal. No child inherits an end by accident;
//! [`child`](crate::child) gives it one.
//!
//! # How much it holds
//! What was sent and not received is with the system: on Linux 64 KiB as a rule, see [`capacity`](Sender::capacity). When there is
//! no room, sending waits, for as long as the [timeout](Sender::set_send_timeout) says; in
//! [nonblocking mode](Sender::set_nonblocking) it does not.
//!
//! # Platform-specific behaviour
//! - Unix: `pipe2(2)`; on macOS, which has none, `pipe(2)` and `ioctl(2)`, with a moment in between in which a child that another thread
//!   starts inherits the ends.
#![cfg_attr(unix, doc = "  [`os::unix::unnamed_pipe`](crate::os::unix::unnamed_pipe) has the options.")]
//! - Windows: a named pipe that never gets a name. Unlike those of `CreatePipe` it is overlapped, so it has timeouts, a nonblocking
//!   mode and async faces.
#![cfg_attr(
    windows,
    doc = "  [`os::windows::unnamed_pipe`](crate::os::windows::unnamed_pipe) has the options."
)]
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have both ends for async code.

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "smol")]
pub mod smol;
#[cfg(feature = "tokio")]
pub mod tokio;

use crate::{
    TryClone,
    read_write::{read_by_recv, write_by_send},
    sys,
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    time::Duration,
};

/// Makes a pipe, and gives both ends.
///
/// # Errors
/// The system's, for want of memory or of descriptors.
///
/// ```
/// let (sender, recver) = interprocess::unnamed_pipe::pipe()?;
/// sender.send(b"hello")?;
/// assert_eq!(recver.recv(&mut [0; 16])?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn pipe() -> io::Result<(Sender, Recver)> {
    sys::unnamed_pipe::pipe().map(|(sender, recver)| (Sender(sender), Recver(recver)))
}

// For code that was written for older crates.
pub use crate::older::one::{UnnamedPipeReader, UnnamedPipeWriter};

/// The end of a pipe that receives.
///
/// [`Read`](io::Read) is there for `Recver` and for `&Recver`; [`recv`](Self::recv) is the same without a trait. Any number of threads
/// and processes may receive, each getting other bytes. Dropping it closes it; when the last one is closed, senders get
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe).
#[derive(Debug)]
pub struct Recver(pub(crate) sys::unnamed_pipe::Recver);

impl Recver {
    /// Receives bytes into `buf`: as many as there are and fit, at least one, or 0 at the
    /// [end of the stream](self#where-a-stream-ends) or if `buf` is empty.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) if a [timeout](Self::set_recv_timeout) is set,
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the end is [nonblocking](Self::set_nonblocking) and nothing is there.
    ///
    /// # Platform-specific behaviour
    /// Stands on `read(2)`, and on `NtReadFile` with a deadline on Windows.
    ///
    /// ```
    /// let (sender, recver) = interprocess::unnamed_pipe::pipe()?;
    /// sender.send(b"all there is")?;
    /// drop(sender);
    /// let mut buf = [0; 64];
    /// assert_eq!(recver.recv(&mut buf)?, 12);
    /// assert_eq!(recver.recv(&mut buf)?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }

    /// Like [`recv`](Self::recv), into several buffers, filled in order.
    ///
    /// # Platform-specific behaviour
    /// Stands on `readv(2)`. Windows has no such call for pipes: there, one buffer is filled.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.recv_vectored(bufs)
    }

    /// How many bytes can be received without waiting. Another receiver may be faster.
    ///
    /// # Platform-specific behaviour
    /// Stands on `FIONREAD` of `ioctl(2)`, and on `FilePipeLocalInformation` of `NtQueryInformationFile`.
    ///
    /// ```
    /// let (sender, recver) = interprocess::unnamed_pipe::pipe()?;
    /// assert_eq!(recver.available()?, 0);
    /// sender.send(b"12345")?;
    /// assert_eq!(recver.available()?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn available(&self) -> io::Result<usize> {
        self.0.available()
    }

    /// Sets how long receiving may wait; `None`, the default, is for ever.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for zero, which is what [`set_nonblocking`](Self::set_nonblocking) is for.
    ///
    /// # Platform-specific behaviour
    /// On Unix, once a timeout was set, the kernel's object stays nonblocking, and waiting is done by `poll(2)`. Other processes that
    /// share it notice that.
    ///
    /// ```
    /// use std::{io::ErrorKind, time::Duration};
    ///
    /// let (sender, recver) = interprocess::unnamed_pipe::pipe()?;
    /// recver.set_recv_timeout(Some(Duration::from_millis(10)))?;
    /// assert_eq!(recver.recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(not_zero(timeout)?)
    }

    /// How long receiving may wait.
    pub fn recv_timeout(&self) -> Option<Duration> {
        self.0.timeout()
    }
}

/// The end of a pipe that sends.
///
/// [`Write`](io::Write) is there for `Sender` and for `&Sender`; [`send`](Self::send) is the same without a trait. Any number of threads
/// and processes may send. Dropping it closes it, without waiting, and what was sent stays there for the receiver; when the last sender
/// is closed, the stream [ends](self#where-a-stream-ends).
///
/// Flushing does nothing on Unix, where what was sent is with the system. On Windows it waits for what was sent in nonblocking mode to be
/// there.
#[derive(Debug)]
pub struct Sender(pub(crate) sys::unnamed_pipe::Sender);

impl Sender {
    /// Sends bytes from `buf`, and says how many: at least one, unless `buf` is empty.
    ///
    /// # Errors
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): nobody can receive it any more.
    /// - [`TimedOut`](io::ErrorKind::TimedOut) and [`WouldBlock`](io::ErrorKind::WouldBlock): nothing could be sent at all.
    ///
    /// # Platform-specific behaviour
    /// A broken pipe is an error and never a signal, whatever the process does about `SIGPIPE`. On Unix up to `PIPE_BUF` bytes are sent
    /// together, or not at all, whoever else sends (4096 on Linux, at least 512 everywhere). Of more, a part may be sent if the end is
    /// [nonblocking](Self::set_nonblocking), has ever had a [timeout](Self::set_send_timeout), or a signal comes.
    /// - macOS, NetBSD: `F_SETNOSIGPIPE` of `fcntl(2)`, and `write(2)`.
    /// - Other Unixes, if the process ignored the signal when the end was made, as Rust programs do: `write(2)`. (Who stops ignoring it
    ///   after that gets it.)
    /// - Otherwise, Linux since 6.18: `pwritev2(2)` with `RWF_NOSIGNAL`; and before that, as other Unixes: `write(2)`, with the signal
    ///   blocked in this thread meanwhile.
    /// - Windows: `NtWriteFile` with a deadline.
    #[inline]
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// Like [`send`](Self::send), from several buffers, in order.
    ///
    /// # Platform-specific behaviour
    /// Stands on `writev(2)`, so that `PIPE_BUF` is for all together. Windows has no such call for pipes: there, one buffer is sent.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs)
    }

    /// Sets how long sending may wait for room; `None`, the default, is for ever. What is said for
    /// [`Recver::set_recv_timeout`] holds here, too.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for zero.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(not_zero(timeout)?)
    }

    /// How long sending may wait.
    pub fn send_timeout(&self) -> Option<Duration> {
        self.0.timeout()
    }
}

fn not_zero(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    if timeout == Some(Duration::ZERO) {
        let why = "a timeout of zero would let nothing through: use nonblocking mode";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(timeout)
}

/// What both ends have.
macro_rules! both_ends {
    ($($end:ident),+) => {$(
        impl $end {
            /// Sets whether it is [`WouldBlock`](io::ErrorKind::WouldBlock) when a call would have to wait.
            pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.0.set_nonblocking(nonblocking)
            }

            /// Whether calls do not wait.
            pub fn is_nonblocking(&self) -> bool {
                self.0.is_nonblocking()
            }

            /// How many bytes the system keeps of what was sent and not received.
            ///
            /// # Errors
            /// [`Unsupported`](io::ErrorKind::Unsupported) where the system does not tell.
            ///
            /// # Platform-specific behaviour
            /// - Linux, Android: `F_GETPIPE_SZ` of `fcntl(2)`. Many short messages may fill it sooner, as each takes a page.
            /// - Windows: `FilePipeLocalInformation` of `NtQueryInformationFile`.
            /// - Elsewhere it is unsupported.
            pub fn capacity(&self) -> io::Result<usize> {
                self.0.capacity()
            }

            /// Has the system keep at least so many bytes, and says how many it is now.
            ///
            /// # Errors
            /// - [`Unsupported`](io::ErrorKind::Unsupported) where the system decides.
            /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): it is more than is allowed to us (on Linux
            ///   `/proc/sys/fs/pipe-max-size`, 1 MiB as a rule).
            /// - [`ResourceBusy`](io::ErrorKind::ResourceBusy): more than that is in the pipe.
            ///
            /// # Platform-specific behaviour
            /// Linux and Android: `F_SETPIPE_SZ` of `fcntl(2)`. Elsewhere it is unsupported; on Windows, the size is given when
            /// the pipe is made.
            pub fn set_capacity(&self, bytes: usize) -> io::Result<usize> {
                self.0.set_capacity(bytes)
            }

            /// Another object for the same end. Mode and timeout are shared; the end is closed when the last one is dropped.
            pub fn try_clone(&self) -> io::Result<Self> {
                self.0.try_clone().map(Self)
            }
        }

        impl TryClone for $end {
            fn try_clone(&self) -> io::Result<Self> {
                self.try_clone()
            }
        }
    )+};
}
both_ends!(Recver, Sender);

read_by_recv! {
    [] Recver, |recver| recver;
    [] &Recver, |recver| recver;
}
write_by_send! {
    [] Sender, |sender| sender, sender.0.flush();
    [] &Sender, |sender| sender, sender.0.flush();
}
