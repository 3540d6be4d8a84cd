//! Sockets of the Unix domain for Tokio. The types have the methods of their blocking twins, as `async fn`s where those may
//! wait.
//!
//! ```
//! use interprocess::os::unix::udsocket::tokio::UdStream;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let (one, other) = UdStream::pair()?;
//! one.send(b"hello").await?;
//! assert_eq!(other.recv(&mut [0; 16]).await?, 5);
//! # Ok::<(), std::io::Error>(())
//! # })
//! # ?; Ok::<(), std::io::Error>(())
//! ```

use super::kind;
use crate::runtime::{self, Async, Tokio};
use std::sync::Arc;

/// The async face of a [`UdStream`](super::UdStream).
pub type UdStream = Async<super::Socket<kind::Stream>, Tokio>;

/// The async face of a [`UdStreamListener`](super::UdStreamListener).
pub type UdStreamListener = Async<super::Listener<kind::Stream>, Tokio>;

/// The async face of a [`UdSocket`](super::UdSocket).
pub type UdSocket = Async<super::Socket<kind::Datagram>, Tokio>;

/// The async face of a [`UdSeqpacket`](super::UdSeqpacket).
pub type UdSeqpacket = Async<super::Socket<kind::Seqpacket>, Tokio>;

/// The async face of a [`UdSeqpacketListener`](super::UdSeqpacketListener).
pub type UdSeqpacketListener = Async<super::Listener<kind::Seqpacket>, Tokio>;

/// The half of a [`UdStream`] that receives, and owns it together with the other. From
/// [`UdStream::into_split`](Async::into_split).
pub type OwnedReadHalf = runtime::RecvHalf<Arc<UdStream>>;

/// The half of a [`UdStream`] that sends, and owns it together with the other. Dropping it ends sending. From
/// [`UdStream::into_split`](Async::into_split).
pub type OwnedWriteHalf = runtime::SendHalf<runtime::EndsWhenDropped<super::Socket<kind::Stream>, Tokio>>;

/// The half of a [`UdStream`] that receives, and borrows it. From [`UdStream::split`](Async#method.split).
pub type BorrowedReadHalf<'s> = runtime::RecvHalf<&'s UdStream>;

/// The half of a [`UdStream`] that sends, and borrows it. From [`UdStream::split`](Async#method.split).
pub type BorrowedWriteHalf<'s> = runtime::SendHalf<&'s UdStream>;

/// Two halves that are not of one stream. They are handed back.
pub type ReuniteError = crate::error::ReuniteError<OwnedReadHalf, OwnedWriteHalf>;
