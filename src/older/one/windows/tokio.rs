//! Named pipes for Tokio.

use crate::{
    os::windows::named_pipe::{
        PipeListenerOptions,
        pipe_mode::{Bytes, Messages, PipeModeTag},
        tokio::{DuplexPipeStream, PipeStream, RecvPipeStream, SendPipeStream},
    },
    runtime::Async,
};
use std::{
    io,
    os::windows::io::{FromRawHandle, OwnedHandle, RawHandle},
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

/// The trait by which interprocess 1.2 has [`create_tokio`](PipeListenerOptions::create_tokio). New code needs none.
pub trait PipeListenerOptionsExt: private::Sealed {}

impl PipeListenerOptionsExt for PipeListenerOptions {}

mod private {
    /// Only types of this crate.
    pub trait Sealed {}
    impl Sealed for super::PipeListenerOptions {}
}

/// As interprocess 1.2 has it.
impl<Rm: PipeModeTag, Sm: PipeModeTag> PipeStream<Rm, Sm> {
    /// From a raw handle, which was opened with `FILE_FLAG_OVERLAPPED`. New code uses `TryFrom` of the blocking face.
    ///
    /// # Safety
    /// The same as for [`FromRawHandle::from_raw_handle`].
    ///
    /// # Errors
    /// It is a handle of something else.
    pub unsafe fn from_raw_handle(handle: RawHandle) -> io::Result<Self> {
        // SAFETY: the caller promises what `OwnedHandle::from_raw_handle` asks for, which is the same.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Async::try_from(crate::os::windows::named_pipe::PipeStream::<Rm, Sm>::try_from(handle)?)
    }
}
