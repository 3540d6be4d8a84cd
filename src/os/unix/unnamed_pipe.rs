//! Unnamed pipes, with the choices that Unix offers, and what Linux can do without copying.
//!
//! ```
//! use interprocess::os::unix::unnamed_pipe::CreationOptions;
//!
//! let (sender, recver) = CreationOptions::new().nonblocking(true).create()?;
//! assert_eq!(recver.recv(&mut [0; 16]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
//! sender.send(b"hello")?;
//! assert_eq!(recver.recv(&mut [0; 16])?, 5);
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(
    any(target_os = "linux", target_os = "android"),
    doc = "
# Without copying
On Linux and Android, a pipe holds pages of memory, and pages can be passed on. [`RecverExt`] moves them to a file, a socket or another
pipe, or has another pipe hold them too; [`SenderExt`] takes them from there, or from memory of this process. The bytes never come by this
process, and where they would have been copied twice they are not copied at all, or once. The async faces do not have that: what the other
descriptor is not ready for, their reactors do not wait for."
)]

#[cfg(any(target_os = "linux", target_os = "android"))]
mod splice;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use splice::{RecverExt, SenderExt};

use crate::{
    error::FromFdError,
    sys::unix::pipe,
    unnamed_pipe::{Recver, Sender},
};
use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd},
    process::{ChildStderr, ChildStdin, ChildStdout, Stdio},
};

/// Makes a pipe whose ends are both nonblocking or both blocking, as in interprocess 2.
///
/// # Errors
/// See [`unnamed_pipe::pipe`](crate::unnamed_pipe::pipe).
pub fn pipe(nonblocking: bool) -> io::Result<(Sender, Recver)> {
    CreationOptions::new().nonblocking(nonblocking).create()
}

/// How to create an unnamed pipe.
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a pipe is created with them"]
pub struct CreationOptions {
    nonblocking: bool,
    capacity: Option<usize>,
    packets: bool,
}

impl CreationOptions {
    /// The defaults: blocking, of the system's size, for bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether both ends are nonblocking. The default is no.
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// How many bytes the system keeps, at least. The default is its own, 64 KiB on Linux. See
    /// [`Sender::set_capacity`].
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = Some(bytes);
        self
    }

    /// Whether each [`send`](Sender::send) of up to [`PIPE_BUF`](super::fifo_file::PIPE_BUF) bytes is a packet of its own: it
    /// is received by one [`recv`](Recver::recv), and what does not fit there is lost. Longer ones are split. The default is no.
    ///
    /// # Platform-specific behaviour
    /// `O_DIRECT` of `pipe2(2)`, on Linux and Android. Elsewhere, creating the pipe is
    /// [`Unsupported`](io::ErrorKind::Unsupported).
    ///
    /// ```
    /// use interprocess::os::unix::unnamed_pipe::CreationOptions;
    ///
    /// match CreationOptions::new().packets(true).create() {
    ///     Ok((sender, recver)) => {
    ///         sender.send(b"one")?;
    ///         sender.send(b"two")?;
    ///         let mut buf = [0; 16];
    ///         assert_eq!(recver.recv(&mut buf)?, 3);
    ///         assert_eq!(recver.recv(&mut buf)?, 3);
    ///     }
    ///     Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::Unsupported),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn packets(mut self, packets: bool) -> Self {
        self.packets = packets;
        self
    }

    /// Creates the pipe.
    ///
    /// # Errors
    /// The system's, for want of descriptors or memory; those of [`Sender::set_capacity`]; and
    /// [`Unsupported`](io::ErrorKind::Unsupported) for what this system does not have.
    ///
    /// Stands on `pipe2(2)`, or `pipe(2)` on macOS.
    pub fn create(&self) -> io::Result<(Sender, Recver)> {
        let (sender, recver) = pipe::create(self.nonblocking, self.packets)?;
        if let Some(bytes) = self.capacity {
            sender.set_capacity(bytes)?;
        }
        Ok((Sender(sender), Recver(recver)))
    }
}

/// The name by which interprocess 2 has [`set_nonblocking`](Sender::set_nonblocking) for both ends.
pub trait UnnamedPipeExt: AsFd + sealed::Sealed {
    /// Sets whether it is [`WouldBlock`](io::ErrorKind::WouldBlock) when a call would have to wait.
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Recver {}
    impl Sealed for super::Sender {}
}

/// Takes an end of a FIFO or of an unnamed pipe that was opened to receive. A nonblocking one stays so. What is not such an
/// end is handed back; the kind is [`InvalidInput`](io::ErrorKind::InvalidInput).
///
/// ```
/// use interprocess::unnamed_pipe::Recver;
/// use std::{fs::File, os::fd::OwnedFd};
///
/// let error = Recver::try_from(File::open("/dev/null")?).unwrap_err();
/// assert_eq!(error.to_string(), "this is a device, and not a pipe");
/// let not_lost: Option<OwnedFd> = error.source;
/// assert!(not_lost.is_some());
/// # Ok::<(), std::io::Error>(())
/// ```
impl TryFrom<OwnedFd> for Recver {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        pipe::adopt_recver(fd).map(Self).map_err(refused)
    }
}

/// Takes an end of a FIFO or of an unnamed pipe that was opened to send. A nonblocking one stays so. What is not such an end
/// is handed back; the kind is [`InvalidInput`](io::ErrorKind::InvalidInput).
impl TryFrom<OwnedFd> for Sender {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        pipe::adopt_sender(fd).map(Self).map_err(refused)
    }
}

fn refused((error, fd): (io::Error, OwnedFd)) -> FromFdError {
    FromFdError { details: crate::error::NoDetails, cause: Some(error), source: Some(fd) }
}

/// The descriptor may be nonblocking. What kept a FIFO [open](super::fifo_file::OpenOptions::stay_open) is closed.
impl From<Recver> for OwnedFd {
    fn from(recver: Recver) -> Self {
        recver.0.into()
    }
}

/// The descriptor may be nonblocking.
impl From<Sender> for OwnedFd {
    fn from(sender: Sender) -> Self {
        sender.0.into()
    }
}

/// What both ends have, by way of `OwnedFd`.
macro_rules! convert {
    ($($end:ty),+) => {$(
        impl UnnamedPipeExt for $end {
            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.set_nonblocking(nonblocking)
            }
        }
        impl AsFd for $end {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }
        impl AsRawFd for $end {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
        impl IntoRawFd for $end {
            fn into_raw_fd(self) -> RawFd {
                OwnedFd::from(self).into_raw_fd()
            }
        }
        /// As from an `OwnedFd`.
        impl TryFrom<File> for $end {
            type Error = FromFdError;

            fn try_from(file: File) -> Result<Self, FromFdError> {
                OwnedFd::from(file).try_into()
            }
        }
        /// For a child's standard input or output. It is blocking, unless clones of it are left.
        impl From<$end> for Stdio {
            fn from(end: $end) -> Self {
                OwnedFd::from(end).into()
            }
        }
        /// As an `OwnedFd`.
        impl From<$end> for File {
            fn from(end: $end) -> Self {
                OwnedFd::from(end).into()
            }
        }
    )+};
}
convert!(Recver, Sender);

/// What std has for the ends of pipes.
macro_rules! convert_std {
    ($($std:ty => $end:ty),+) => {$(
        /// As from an `OwnedFd`.
        impl TryFrom<$std> for $end {
            type Error = FromFdError;

            fn try_from(end: $std) -> Result<Self, FromFdError> {
                OwnedFd::from(end).try_into()
            }
        }
    )+};
}
convert_std!(ChildStdin => Sender, ChildStdout => Recver, ChildStderr => Recver);

/// The pipes of std, which it has from Rust 1.87 on.
#[cfg(has_std_pipe)]
#[allow(clippy::incompatible_msrv, reason = "the build script has asked for the version")]
mod std_pipe {
    use super::{FromFdError, OwnedFd, Recver, Sender};
    use std::io::{PipeReader, PipeWriter};

    convert_std!(PipeWriter => Sender, PipeReader => Recver);

    /// It is blocking, unless clones of it are left.
    impl From<Recver> for PipeReader {
        fn from(recver: Recver) -> Self {
            OwnedFd::from(recver).into()
        }
    }

    /// It is blocking, unless clones of it are left.
    impl From<Sender> for PipeWriter {
        fn from(sender: Sender) -> Self {
            OwnedFd::from(sender).into()
        }
    }
}
