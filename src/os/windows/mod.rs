//! What only Windows has.
//!
//! | to | use |
//! |---|---|
//! | choose who may connect to a local socket, or let its server act as the client | [`local_socket`] |
//! | send messages, ask and answer, go one way only, limit the clients | [`named_pipe`] |
//! | connect two threads, or a parent and its child, without a name | [`unnamed_pipe`] |
//! | leave notes for a server without connecting to it | [`mailslot`] |
//! | start a child that inherits a list of handles, and no others ([`child`](crate::child) is simpler) | [`process`] |
//! | connect a virtual machine and its host | [`hvsock`] |
//! | give a handle to a process that runs already | [`ShareHandle`] |
//! | send console events, handle the signals of C | `signal` |
//! | act as the client of a pipe, for a while | [`ImpersonationGuard`] |
//! | read, write and put together access lists | [`security_descriptor`] |
//!
//! Each item names the function of Windows that it stands on, whose documentation by Microsoft has the details. Errors are
//! [`std::io::Error`]s of a kind that is listed under "Errors"; the code of Windows is in
//! [`raw_os_error`](std::io::Error::raw_os_error), or, if the error says a name, in that of its
//! [source](std::error::Error::source).
//!
//! ```
//! use interprocess::os::windows::named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages};
//!
//! # let name = format!("interprocess-doc-windows-{}", std::process::id());
//! # let name = name.as_str();
//! // A pipe of messages, and a question with its answer in one system call.
//! let listener = PipeListenerOptions::new().name(name).create_duplex::<Messages>()?;
//! let server = std::thread::spawn(move || {
//!     let client = listener.accept()?;
//!     let mut question = Vec::new();
//!     client.recv_msg(&mut question)?;
//!     client.send(b"Fine, thank you.")
//! });
//!
//! let client = DuplexPipeStream::<Messages>::connect(name)?;
//! let mut answer = Vec::with_capacity(64);
//! client.transact(b"How are you?", &mut answer)?;
//! assert_eq!(answer, b"Fine, thank you.");
//! # server.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod hvsock;
mod impersonation;
pub mod local_socket;
pub mod mailslot;
pub mod named_pipe;
pub mod process;
pub mod security_descriptor;
mod security_quality;
mod share_handle;
#[cfg(feature = "signals")]
pub mod signal;
pub mod unnamed_pipe;

pub(crate) use security_quality::SecurityQuality;
pub use {
    impersonation::{ImpersonationGuard, ImpersonationLevel},
    share_handle::ShareHandle,
};
