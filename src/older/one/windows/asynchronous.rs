//! What is async.

use crate::{
    os::windows::named_pipe::{PipeStream, pipe_mode::PipeModeTag},
    runtime::{Async, Runtime, Source},
};
use std::{
    io,
    os::windows::io::{AsHandle, AsRawHandle, RawHandle},
};

/// The same as `AsHandle`, which new code uses.
impl<T: Source + AsHandle, R: Runtime> AsRawHandle for Async<T, R> {
    fn as_raw_handle(&self) -> RawHandle {
        self.as_handle().as_raw_handle()
    }
}

/// As interprocess 1.2 has it.
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> Async<PipeStream<Rm, Sm>, R> {
    /// The same as [`disconnect`](Self::disconnect), which new code uses.
    ///
    /// # Errors
    /// See [`PipeStream::disconnect`].
    pub fn disconnect_without_flushing(self) -> io::Result<()> {
        self.disconnect()
    }
}
