//! Named pipes for Tokio.

use crate::{
    os::windows::named_pipe::{
        self,
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
        Async::try_from(named_pipe::PipeStream::<Rm, Sm>::try_from(handle)?)
    }
}

/// The traits of `futures-io`, for messages.
#[cfg(feature = "tokio_support")]
mod messages {
    use super::{Messages, PipeModeTag, PipeStream, io};
    use crate::runtime::Interest;
    use futures_io::{AsyncRead, AsyncWrite};
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    /// `AsyncRead` for a stream and a reference to it.
    macro_rules! read {
        ($($type:ty),+) => {$(
            /// Reads a message, or as much of it as fits; the rest of it comes next. A message of zero bytes looks like the end. New code
            /// uses `recv_msg`.
            impl<Sm: PipeModeTag> AsyncRead for $type {
                fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
                    self.poll_with(Interest::Read, cx, |stream| Ok(stream.recv_part(buf)?.map_or(0, |part| part.len)))
                }
            }
        )+};
    }
    read!(PipeStream<Messages, Sm>, &PipeStream<Messages, Sm>);

    /// `AsyncWrite` for a stream and a reference to it.
    macro_rules! write {
        ($($type:ty),+) => {$(
            /// Each write is a message. New code uses `send`.
            impl<Rm: PipeModeTag> AsyncWrite for $type {
                fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, msg: &[u8]) -> Poll<io::Result<usize>> {
                    self.poll_with(Interest::Write, cx, |stream| stream.send(msg))
                }

                fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.poll_with(Interest::Write, cx, |stream| stream.flush())
                }

                /// [`Unsupported`](io::ErrorKind::Unsupported), as for every named pipe.
                fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                    Poll::Ready(Err(io::Error::new(io::ErrorKind::Unsupported, "a named pipe cannot end one direction")))
                }
            }
        )+};
    }
    write!(PipeStream<Rm, Messages>, &PipeStream<Rm, Messages>);
}
