//! What only Windows has.

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

use crate::{
    local_socket::Stream,
    os::windows::{
        named_pipe::{
            DuplexPipeStream, PipeStream, PipeStreamRole, RecvPipeStream, SendPipeStream, WaitTimeout,
            pipe_mode::{Bytes, Messages, PipeModeTag},
        },
        unnamed_pipe::CreationOptions,
    },
    unnamed_pipe::{Recver, Sender},
};
use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    num::NonZeroU32,
    os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle},
};

/// What interprocess 1.2 called [`DuplexPipeStream<Bytes>`], which new code uses.
pub type DuplexBytePipeStream = DuplexPipeStream<Bytes>;

/// What interprocess 1.2 called [`RecvPipeStream<Bytes>`], which new code uses.
pub type ByteReaderPipeStream = RecvPipeStream<Bytes>;

/// What interprocess 1.2 called [`SendPipeStream<Bytes>`], which new code uses.
pub type ByteWriterPipeStream = SendPipeStream<Bytes>;

/// What interprocess 1.2 called [`DuplexPipeStream<Messages>`], which new code uses.
pub type DuplexMsgPipeStream = DuplexPipeStream<Messages>;

/// What interprocess 1.2 called [`RecvPipeStream<Messages>`], which new code uses.
pub type MsgReaderPipeStream = RecvPipeStream<Messages>;

/// What interprocess 1.2 called [`SendPipeStream<Messages>`], which new code uses.
pub type MsgWriterPipeStream = SendPipeStream<Messages>;

/// What interprocess 1.2 called [`CreationOptions`], which new code uses.
pub type UnnamedPipeCreationOptions<'sd> = CreationOptions<'sd>;

/// Connects to the pipe of that name, of another machine if there is a host. New code uses [`PipeStream::connect`] and
/// [`PipeStream::connect_to_remote`].
///
/// # Errors
/// See [`PipeConnectOptions::connect`](crate::os::windows::named_pipe::PipeConnectOptions::connect).
pub fn connect<Rm: PipeModeTag, Sm: PipeModeTag>(
    name: impl AsRef<OsStr>,
    host: Option<impl AsRef<OsStr>>,
) -> io::Result<PipeStream<Rm, Sm>> {
    match host {
        Some(host) => PipeStream::connect_to_remote(name, host),
        None => PipeStream::connect(name),
    }
}

/// The names that interprocess 1.2 has for what a stream does.
#[allow(non_upper_case_globals, reason = "they are named like variants, which they were")]
impl PipeStreamRole {
    /// The same as [`Recver`](Self::Recver), which new code uses.
    pub const Reader: Self = Self::Recver;
    /// The same as [`Sender`](Self::Sender), which new code uses.
    pub const Writer: Self = Self::Sender;
    /// The same as [`RecverAndSender`](Self::RecverAndSender), which new code uses.
    pub const ReaderAndWriter: Self = Self::RecverAndSender;
}

/// So many milliseconds. New code uses [`WaitTimeout`].
impl From<NonZeroU32> for WaitTimeout {
    fn from(millis: NonZeroU32) -> Self {
        Self::from_millis_clamped(millis.get())
    }
}

/// As interprocess 1.2 has it.
impl<Rm: PipeModeTag, Sm: PipeModeTag> PipeStream<Rm, Sm> {
    /// The same as [`disconnect`](Self::disconnect), which new code uses.
    ///
    /// # Errors
    /// See [`disconnect`](Self::disconnect).
    pub fn disconnect_without_flushing(self) -> io::Result<()> {
        self.disconnect()
    }
}

/// Reads a message, or as much of it as fits; the rest of it comes next. A message of zero bytes looks like the end. New code uses
/// [`recv_msg`](PipeStream::recv_msg).
impl<Sm: PipeModeTag> Read for PipeStream<Messages, Sm> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv_part(buf)?.map_or(0, |part| part.len))
    }
}

/// Each write is a message. New code uses [`send`](PipeStream#method.send-1).
impl<Rm: PipeModeTag> Write for PipeStream<Rm, Messages> {
    fn write(&mut self, msg: &[u8]) -> io::Result<usize> {
        self.send(msg)
    }

    fn flush(&mut self) -> io::Result<()> {
        PipeStream::flush(self)
    }
}

impl<Sm: PipeModeTag> super::private::Sealed for PipeStream<Messages, Sm> {}

/// At the end of the stream, both are [`BrokenPipe`](io::ErrorKind::BrokenPipe).
impl<Sm: PipeModeTag> super::ReliableReadMsg for PipeStream<Messages, Sm> {
    fn read_msg(&mut self, buf: &mut [u8]) -> io::Result<Result<usize, Vec<u8>>> {
        if self.peek_part(buf)?.ok_or(io::ErrorKind::BrokenPipe)?.is_last {
            return self.read(buf).map(Ok);
        }
        let mut msg = Vec::new();
        self.recv_msg(&mut msg)?.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Err(msg))
    }

    fn try_read_msg(&mut self, buf: &mut [u8]) -> io::Result<Result<usize, usize>> {
        if self.peek_part(buf)?.ok_or(io::ErrorKind::BrokenPipe)?.is_last {
            return self.read(buf).map(Ok);
        }
        self.peek_msg_len().map(Err)
    }
}

/// The raw forms of handles.
macro_rules! raw_handles {
    ($([$($bounds:tt)*] $type:ty;)+) => {$(
        /// As `TryFrom<OwnedHandle>`, which new code uses. A handle of something else makes it panic.
        impl<$($bounds)*> FromRawHandle for $type {
            unsafe fn from_raw_handle(handle: RawHandle) -> Self {
                // SAFETY: the caller promises what `OwnedHandle::from_raw_handle` asks for, which is the same.
                let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
                Self::try_from(handle).unwrap_or_else(|error| panic!("{error}"))
            }
        }
    )+};
}
raw_handles! {
    [] Recver;
    [] Sender;
    [] Stream;
    [Rm: PipeModeTag, Sm: PipeModeTag] PipeStream<Rm, Sm>;
}

/// The same as `AsHandle`, which new code uses.
impl<Rm: PipeModeTag, Sm: PipeModeTag> AsRawHandle for PipeStream<Rm, Sm> {
    fn as_raw_handle(&self) -> RawHandle {
        self.as_handle().as_raw_handle()
    }
}

/// The same as turning it into an [`OwnedHandle`], which new code does.
impl<Rm: PipeModeTag, Sm: PipeModeTag> IntoRawHandle for PipeStream<Rm, Sm> {
    fn into_raw_handle(self) -> RawHandle {
        OwnedHandle::from(self).into_raw_handle()
    }
}

/// The same as `AsHandle`, which new code uses.
impl AsRawHandle for Stream {
    fn as_raw_handle(&self) -> RawHandle {
        self.as_handle().as_raw_handle()
    }
}

/// The same as turning it into an [`OwnedHandle`], which new code does.
impl IntoRawHandle for Stream {
    fn into_raw_handle(self) -> RawHandle {
        OwnedHandle::from(self).into_raw_handle()
    }
}
