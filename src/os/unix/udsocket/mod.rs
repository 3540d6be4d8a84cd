//! Sockets of the Unix domain in full (`unix(7)`): streams, datagrams and sequenced packets, with
//! [descriptors and credentials](super::ancillary) along.
//!
//! For bytes between processes on every OS, [`local_socket`](crate::local_socket) is enough, and a local socket
//! [is](Socket#impl-From<Stream>-for-Socket<Stream>) a [`UdStream`] here.
//!
//! | | blocking | Tokio | smol |
//! |---|---|---|---|
//! | streams | [`UdStream`], [`UdStreamListener`] | `tokio::UdStream`, `tokio::UdStreamListener` | `smol::…` |
//! | datagrams | [`UdSocket`] | `tokio::UdSocket` | |
//! | sequenced packets | [`UdSeqpacket`], [`UdSeqpacketListener`] | `tokio::UdSeqpacket`, `tokio::UdSeqpacketListener` | |
//!
//! ```
//! use interprocess::os::unix::udsocket::{UdStream, UdStreamListener};
//! use std::io::{Read, Write};
//!
//! # let dir = std::env::temp_dir().join(format!("interprocess-doc-udsocket-{}", std::process::id()));
//! # std::fs::create_dir(&dir)?;
//! # let path = dir.join("socket");
//! let listener = UdStreamListener::bind_with_drop_guard(&path)?;
//! let mut client = UdStream::connect(&path)?;
//! client.write_all(b"hello")?;
//! drop(client);
//! let mut text = String::new();
//! listener.accept()?.read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! # drop(listener);
//! # std::fs::remove_dir(&dir)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Who may connect
//! Our user and root, unless [`BindOptions::access`] says otherwise. That is the mode of the socket file, and `accept` looks at each
//! peer. Datagrams are not accepted one by one: to an abstract name everybody can send.

#[cfg(feature = "async")]
mod asynchronous;
mod batch;
mod bind;
pub mod kind;
mod listener;
mod packet;
mod path;
#[cfg(feature = "smol")]
pub mod smol;
mod socket;
mod stream;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use self::{
    batch::{BatchMessage, RecvBatch, RecvBatchIter},
    bind::BindOptions,
    listener::{Incoming, Listener},
    path::{MAX_UDSOCKET_PATH_LEN, ToUdSocketPath, UdSocketPath},
    socket::Socket,
};
// Where older versions had them.
pub use super::ancillary::{AncillaryData, AncillaryDataBuf, AncillaryDataDecoder, EncodedAncillaryData};

/// A stream of bytes (`SOCK_STREAM`).
pub type UdStream = Socket<kind::Stream>;

/// A server for streams of bytes.
pub type UdStreamListener = Listener<kind::Stream>;

/// A socket for datagrams (`SOCK_DGRAM`).
pub type UdSocket = Socket<kind::Datagram>;

/// A connection that keeps the boundaries of messages (`SOCK_SEQPACKET`).
///
/// # Platform-specific behaviour
/// - macOS and its kin have none, which the OS says when one is made (`EPROTONOSUPPORT`).
/// - FreeBSD, since 15: the rest of a packet that is longer than the buffer is not lost, but comes with the next call. A packet that is
///   longer than what may be under way is sent in parts. Peers that do not say where a packet ends (`MSG_EOR`) send none, but a stream
///   of bytes.
pub type UdSeqpacket = Socket<kind::Seqpacket>;

/// A server for connections that keep the boundaries of messages.
pub type UdSeqpacketListener = Listener<kind::Seqpacket>;
