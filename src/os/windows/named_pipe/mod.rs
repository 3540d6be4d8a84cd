//! Named pipes, with all that Windows can do with them: one direction or both, bytes or messages, impersonation, transactions.
//!
//! [Local sockets](crate::local_socket) on Windows are named pipes, too; use those for a plain byte stream between programs
//! on one machine. This module is for what they leave out. (They are no relation of what Unix calls named pipes.)
//!
//! The type of a [`PipeStream`] says what each direction carries, first receiving, then sending: [`Bytes`](pipe_mode::Bytes),
//! [`Messages`](pipe_mode::Messages) or [`None`](pipe_mode::None). A type has only the methods that its directions allow.
//!
//! With the features `tokio` and `smol`, the modules of those names have the same types for async code.
//!
//! ```
//! use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
//!
//! # let path = format!(r"\\.\pipe\interprocess-doc-front-{}", std::process::id());
//! # let path = path.as_str();
//! let listener = PipeListenerOptions::new().path(path).create_duplex::<Messages>()?;
//! let server = std::thread::spawn(move || {
//!     let client = listener.accept()?;
//!     let mut question = Vec::new();
//!     while client.recv_msg(&mut question)?.is_some() {
//!         client.send(&[b"You said: ", &*question].concat())?;
//!     }
//!     std::io::Result::Ok(())
//! });
//!
//! let stream = DuplexPipeStream::<Messages>::connect_by_path(path)?;
//! let mut answer = Vec::new();
//! for question in ["Good morning.", "", "Good bye."] {
//!     stream.send(question.as_bytes())?;
//!     assert_eq!(stream.recv_msg(&mut answer)?, Some("You said: ".len() + question.len()));
//! }
//! drop(stream);
//! # server.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What you can rely on
//! - **Reading never delays writing**, nor the other way round: all I/O is overlapped. Each wait can have a limit.
//! - **Nothing is lost or torn.** A message arrives whole, whatever its length, unless its sender dies in the middle of it,
//!   which is an error. A call that timed out, and a future that was dropped, leave what they waited for to the next.
//! - **The name is the listener's** from its creation to its end: it is made new or not at all, and at least one instance
//!   exists at all times. Only the owner and administrators can add one, unless a [security
//!   descriptor](PipeListenerOptions::security_descriptor) of yours lets others do so.
//! - **Safe as it comes.** Only our user and administrators can connect, and nobody from another machine; the server can
//!   know who its client is but not act as the client; children inherit nothing. Each has a way out in the options.

#[cfg(feature = "async")]
mod asynchronous;
mod connect;
mod listener;
pub mod pipe_mode;
#[cfg(feature = "smol")]
pub mod smol;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use {
    connect::PipeConnectOptions,
    listener::{Incoming, PipeListener, PipeListenerOptions},
    pipe_mode::{PipeDirection, PipeMode, PipeStreamRole, WaitTimeout},
    stream::{
        DuplexPipeStream, FromHandleError, FromHandleErrorKind, MsgPart, PipeInformation, PipeStream,
        RecvPipeStream, ReuniteError, ReuniteResult, SendPipeStream,
    },
};

// For code that was written for older crates.
pub use crate::older::{
    one::windows::{
        ByteReaderPipeStream, ByteWriterPipeStream, DuplexBytePipeStream, DuplexMsgPipeStream,
        MsgReaderPipeStream, MsgWriterPipeStream, connect,
    },
    two::windows::local_socket,
};
