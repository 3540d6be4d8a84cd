//! Conversions from and to the types of `async-io`, to which those of `async-net` and smol can be converted, by way of those of the standard library.

use super::Smol;
use crate::{
    local_socket::{Listener, Stream},
    os::unix::udsocket::{UdSocket, UdStream, UdStreamListener},
    runtime::Async,
};
use std::{
    io,
    os::unix::net::{UnixDatagram, UnixListener, UnixStream},
};

macro_rules! exchange {
    ($($ours:ty, $std:ty, $theirs:ty;)+) => {$(
        /// What was received and not read yet stays where it is.
        impl TryFrom<$theirs> for Async<$ours, Smol> {
            type Error = io::Error;

            fn try_from(theirs: $theirs) -> io::Result<Self> {
                <$ours>::from(theirs.into_inner()?).try_into()
            }
        }

        /// What was received and not read yet stays where it is. A socket file is the new owner's to delete.
        impl TryFrom<Async<$ours, Smol>> for $theirs {
            type Error = io::Error;

            fn try_from(ours: Async<$ours, Smol>) -> io::Result<Self> {
                let socket = <$std>::from(ours.into_inner()?);
                Self::new(socket)
            }
        }
    )+};
}
exchange! {
    Stream, UnixStream, async_io::Async<UnixStream>;
    Listener, UnixListener, async_io::Async<UnixListener>;
    UdStream, UnixStream, async_io::Async<UnixStream>;
    UdStreamListener, UnixListener, async_io::Async<UnixListener>;
    UdSocket, UnixDatagram, async_io::Async<UnixDatagram>;
}
