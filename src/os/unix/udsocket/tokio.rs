//! Sockets of the Unix domain for Tokio. The types have the methods of their blocking twins, as `async fn`s where those may
//! wait.

use super::kind;
use crate::runtime::{Async, Tokio};

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
