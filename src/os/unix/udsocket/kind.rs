//! Which kinds of sockets there are.
//!
//! | | [`Stream`] | [`Seqpacket`] | [`Datagram`] |
//! |---|---|---|---|
//! | connection | yes | yes | no, or a fixed destination |
//! | boundaries of messages are kept | no | yes | yes |
//! | in order, nothing lost | yes | yes | yes, on every system there is |
//! | end of stream | yes | yes | no |
//! | where | everywhere | not on macOS and its kin | everywhere |

use rustix::net::SocketType;
use std::fmt::Debug;

/// A kind of socket.
pub trait Kind: private::Sealed + Debug + Send + Sync + Unpin + 'static {}

/// A kind whose sockets listen and connect: [`Stream`] or [`Seqpacket`].
pub trait Connection: Kind {}

/// A kind whose sockets keep the boundaries of messages: [`Datagram`] or [`Seqpacket`].
pub trait Packets: Kind {}

/// Bytes in order, without boundaries (`SOCK_STREAM`).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stream {}

/// Messages one by one, without a connection (`SOCK_DGRAM`).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Datagram {}

/// Messages in a connection (`SOCK_SEQPACKET`).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seqpacket {}

impl Kind for Stream {}
impl Kind for Datagram {}
impl Kind for Seqpacket {}
impl Connection for Stream {}
impl Connection for Seqpacket {}
impl Packets for Datagram {}
impl Packets for Seqpacket {}

mod private {
    use super::{Datagram, Seqpacket, SocketType, Stream};
    use crate::sys::unix::socket::{MAX_BUFFERS, at_once};
    use rustix::io::Errno;
    use std::io::{self, IoSlice, IoSliceMut};

    pub trait Sealed {
        const TYPE: SocketType;

        /// What of the buffers can be sent at once, if anything can.
        fn check<'b, 'd>(bufs: &'b [IoSlice<'d>], has_ancillary: bool) -> io::Result<&'b [IoSlice<'d>]>;

        /// What of the buffers can be received into at once.
        fn room<'b, 'd>(bufs: &'b mut [IoSliceMut<'d>]) -> io::Result<&'b mut [IoSliceMut<'d>]> {
            check_count(bufs)?;
            Ok(bufs)
        }
    }

    impl Sealed for Stream {
        const TYPE: SocketType = SocketType::STREAM;

        fn check<'b, 'd>(bufs: &'b [IoSlice<'d>], has_ancillary: bool) -> io::Result<&'b [IoSlice<'d>]> {
            let taken = at_once(bufs);
            if taken.is_empty() {
                if has_ancillary {
                    return Err(invalid("ancillary data without any bytes would be lost on a stream"));
                }
                return Ok(&bufs[..bufs.len().min(1)]);
            }
            Ok(&bufs[taken])
        }

        fn room<'b, 'd>(bufs: &'b mut [IoSliceMut<'d>]) -> io::Result<&'b mut [IoSliceMut<'d>]> {
            let taken = at_once(bufs);
            if taken.is_empty() {
                let one = bufs.len().min(1);
                return Ok(&mut bufs[..one]);
            }
            Ok(&mut bufs[taken])
        }
    }

    impl Sealed for Datagram {
        const TYPE: SocketType = SocketType::DGRAM;

        fn check<'b, 'd>(bufs: &'b [IoSlice<'d>], _: bool) -> io::Result<&'b [IoSlice<'d>]> {
            check_count(bufs)?;
            Ok(bufs)
        }
    }

    impl Sealed for Seqpacket {
        const TYPE: SocketType = SocketType::SEQPACKET;

        fn check<'b, 'd>(bufs: &'b [IoSlice<'d>], _: bool) -> io::Result<&'b [IoSlice<'d>]> {
            if bufs.iter().all(|buf| buf.is_empty()) {
                return Err(invalid("the receiver could not tell an empty packet from the end"));
            }
            check_count(bufs)?;
            Ok(bufs)
        }
    }

    /// Systems refuse more, and of a message nothing can be left for later.
    fn check_count<B>(bufs: &[B]) -> io::Result<()> {
        if bufs.len() > MAX_BUFFERS {
            return Err(Errno::MSGSIZE.into());
        }
        Ok(())
    }

    fn invalid(why: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, why)
    }
}
