//! [Unnamed pipes](crate::unnamed_pipe), with the choices that Windows offers.
//!
//! They are of one direction, and overlapped, unlike those of `CreatePipe`: so they have timeouts, a nonblocking mode and
//! async faces, and may keep messages apart. They have no name, not even a random one; who has no handle cannot get at
//! them.
//!
//! Give an end to a child by [`child::Give`](crate::child::Give), or, if it has to be told the value of a handle, with
//! [`Command::inherit`](super::process::Command::inherit). It is not made to be the child's standard input or output: programs
//! do not expect those to be overlapped. For that there is [`std::io::pipe`], since Rust 1.87.
//!
//! ```
//! use interprocess::os::windows::unnamed_pipe::CreationOptions;
//! use std::{io::Read, num::NonZeroUsize};
//!
//! let (sender, mut recver) = CreationOptions::new().buffer_size_hint(NonZeroUsize::new(4096)).create()?;
//! sender.send(b"hello")?;
//! drop(sender);
//! let mut text = String::new();
//! recver.read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A parent that gives its child the end for receiving, and nothing else:
//!
//! ```no_run
//! use interprocess::os::windows::{
//!     process::{Command, inherited_handle},
//!     unnamed_pipe::{self, Recver},
//! };
//! use std::{env, io};
//!
//! # fn parent() -> io::Result<()> {
//! // The parent:
//! let (sender, recver) = unnamed_pipe::pipe()?;
//! let mut command = Command::new("worker");
//! let value = command.inherit(&recver)?;
//! let child = command.env("WORK", value.to_string()).spawn()?;
//! drop(recver); // else the parent would not see it when the child closes its end
//! sender.send(b"things to do")?;
//! drop(sender); // the child gets to the end of the stream
//! child.wait()?;
//! # Ok(())
//! # }
//!
//! # fn child() -> io::Result<()> {
//! // The child:
//! let value = env::var_os("WORK").unwrap_or_default();
//! let work = io::read_to_string(Recver::try_from(inherited_handle(value)?)?)?;
//! # Ok(())
//! # }
//! ```

pub use crate::unnamed_pipe::{Recver, Sender, pipe};

/// For code that was written for older crates.
#[cfg(feature = "tokio")]
pub mod tokio {
    pub use crate::older::two::windows::tokio::CreationOptionsExt;
}

use super::{
    ShareHandle,
    named_pipe::{
        FromHandleError, PipeMode, PipeStream, PipeStreamRole, RecvPipeStream, SendPipeStream,
        pipe_mode::{Bytes, NotNone},
    },
    security_descriptor::BorrowedSecurityDescriptor,
};
use crate::{
    local_socket::Access,
    sys::windows::{
        named_pipe::{Instance, Settings, open_unnamed},
        security::as_process,
        security_descriptor::SecurityDescriptor,
        stream::Stream,
        unnamed_pipe,
    },
};
use std::{
    fs::File,
    io,
    num::NonZeroUsize,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle},
    process::{ChildStderr, ChildStdin, ChildStdout},
};

/// How to create an unnamed pipe.
///
/// ```
/// use interprocess::{
///     local_socket::Access,
///     os::windows::{security_descriptor::SecurityDescriptor, unnamed_pipe::CreationOptions},
/// };
/// use std::num::NonZeroUsize;
///
/// let descriptor = SecurityDescriptor::for_access(Access::Owner)?;
/// let (sender, recver) = CreationOptions::new()
///     .security_descriptor(&descriptor)
///     .buffer_size_hint(NonZeroUsize::new(1024))
///     .create()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a pipe is created with them"]
pub struct CreationOptions<'sd> {
    security_descriptor: Option<BorrowedSecurityDescriptor<'sd>>,
    inheritable: bool,
    buffer_size_hint: Option<NonZeroUsize>,
}

// For code that was written for older crates.
pub use crate::older::one::windows::UnnamedPipeCreationOptions;

impl<'sd> CreationOptions<'sd> {
    /// The defaults.
    pub const fn new() -> Self {
        Self { security_descriptor: None, inheritable: false, buffer_size_hint: None }
    }

    /// Who may do what with the pipe. By default the owner, administrators and the system may do everything. As the pipe
    /// has no name, this only matters to processes that have a handle of it already and want another one with more rights.
    /// It has to let our own user write, or creating the pipe fails.
    pub fn security_descriptor(
        mut self,
        descriptor: impl Into<Option<BorrowedSecurityDescriptor<'sd>>>,
    ) -> Self {
        self.security_descriptor = descriptor.into();
        self
    }

    /// Whether children inherit both handles. The default is no, and yes is seldom right: every child that any thread
    /// starts would get them. To give one child what it needs, use [`Command::inherit`](super::process::Command::inherit)
    /// or [`ShareHandle`].
    pub fn inheritable(mut self, inheritable: bool) -> Self {
        self.inheritable = inheritable;
        self
    }

    /// How many bytes the system keeps of what was sent and not received yet. When there are more, sending waits until they
    /// are received. Windows may choose another number. The default is 64 KiB.
    pub fn buffer_size_hint(mut self, hint: impl Into<Option<NonZeroUsize>>) -> Self {
        self.buffer_size_hint = hint.into();
        self
    }

    /// Creates a pipe for bytes.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): the buffer is to be of 4 GiB or more.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): the security descriptor does not let us have the pipe.
    ///
    /// Stands on `NtCreateNamedPipeFile` and `NtOpenFile`.
    pub fn create(&self) -> io::Result<(Sender, Recver)> {
        self.create_as::<Bytes>().map(|(sender, recver)| (sender.into(), recver.into()))
    }

    /// The same as [`create`](Self::create), by its older name.
    pub fn build(&self) -> io::Result<(Sender, Recver)> {
        self.create()
    }

    /// Creates a pipe for bytes or for messages.
    ///
    /// # Errors
    /// Those of [`create`](Self::create).
    ///
    /// ```
    /// use interprocess::os::windows::{named_pipe::pipe_mode::Messages, unnamed_pipe::CreationOptions};
    ///
    /// let (sender, recver) = CreationOptions::new().create_as::<Messages>()?;
    /// sender.send(b"one")?;
    /// sender.send(b"two")?;
    /// let mut msg = Vec::new();
    /// assert_eq!(recver.recv_msg(&mut msg)?, Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create_as<M: NotNone>(&self) -> io::Result<(SendPipeStream<M>, RecvPipeStream<M>)> {
        let security = match self.security_descriptor {
            Some(descriptor) => descriptor.0.to_owned(),
            None => SecurityDescriptor::of_pipe(Access::Owner)?,
        };
        let mode = M::MODE.unwrap_or(PipeMode::Bytes);
        let mut settings = Settings {
            role: PipeStreamRole::Recver,
            mode,
            recv_mode: mode,
            is_inheritable: self.inheritable,
            ..Settings::new(None, security)
        };
        if let Some(hint) = self.buffer_size_hint {
            settings.recv_quota = u32::try_from(hint.get()).map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("a buffer of {hint} bytes"))
            })?;
        }
        // It belongs to the process's user, and that one opens it.
        let (recver, sender) = as_process(|| {
            let recver = settings.create(Instance::First)?;
            let sender = open_unnamed(recver.as_handle(), self.inheritable)?;
            Ok((recver, sender))
        })?;
        let [sender, recver] = [sender, recver].map(|end| Stream::new(end.into(), false));
        Ok((PipeStream::from_sys(sender), PipeStream::from_sys(recver)))
    }
}

impl ShareHandle for Sender {}
impl ShareHandle for Recver {}

/// What both ends have.
macro_rules! convert {
    ($($end:ident, $sys:ident, $stream:ty;)+) => {$(
        /// The same pipe, with what only Windows can do.
        impl From<$end> for $stream {
            fn from(end: $end) -> Self {
                PipeStream::from_sys(end.0.0)
            }
        }
        impl From<$stream> for $end {
            fn from(stream: $stream) -> Self {
                Self(unnamed_pipe::$sys(stream.into_sys()))
            }
        }
        impl AsHandle for $end {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                self.0.as_handle()
            }
        }
        impl AsRawHandle for $end {
            fn as_raw_handle(&self) -> RawHandle {
                self.as_handle().as_raw_handle()
            }
        }
        impl IntoRawHandle for $end {
            fn into_raw_handle(self) -> RawHandle {
                OwnedHandle::from(self).into_raw_handle()
            }
        }
        /// As for a [`PipeStream`]: the handle is an overlapped one.
        impl From<$end> for OwnedHandle {
            fn from(end: $end) -> Self {
                end.0.into()
            }
        }
        /// As for a [`PipeStream`]: an end of a pipe, named or not. Without `FILE_FLAG_OVERLAPPED` it has no timeouts, no nonblocking
        /// mode and no async face.
        impl TryFrom<OwnedHandle> for $end {
            type Error = FromHandleError;

            fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
                <$stream>::try_from(handle).map(Into::into)
            }
        }
    )+};
}
convert! {
    Recver, Recver, RecvPipeStream<Bytes>;
    Sender, Sender, SendPipeStream<Bytes>;
}

/// What std has for the ends of pipes.
macro_rules! convert_std {
    ($($std:ty => $end:ty),+) => {$(
        /// As from an `OwnedHandle`. Of a child's standard input, std has a handle that may only write: its
        /// [`capacity`](Sender::capacity) cannot be asked for.
        impl TryFrom<$std> for $end {
            type Error = FromHandleError;

            fn try_from(end: $std) -> Result<Self, FromHandleError> {
                OwnedHandle::from(end).try_into()
            }
        }
    )+};
}
convert_std!(ChildStdin => Sender, ChildStdout => Recver, ChildStderr => Recver, File => Sender, File => Recver);

/// The pipes of std, which it has from Rust 1.87 on.
#[cfg(has_std_pipe)]
#[allow(clippy::incompatible_msrv, reason = "the build script has asked for the version")]
mod std_pipe {
    use super::{FromHandleError, OwnedHandle, Recver, Sender};
    use std::io::{PipeReader, PipeWriter};

    convert_std!(PipeWriter => Sender, PipeReader => Recver);
}
