//! Conversions from and to Tokio's own types, by way of those of the standard library.

use super::Tokio;
use crate::{
    local_socket::{Listener, Stream},
    os::unix::udsocket::{UdSocket, UdStream, UdStreamListener},
    runtime::Async,
};
use std::{io, os::unix::net as std_net};
use tokio::net;

macro_rules! exchange {
    ($($ours:ty, $std:ty, $theirs:ty;)+) => {$(
        /// Within the runtime. What was received and not read yet stays where it is.
        impl TryFrom<$theirs> for Async<$ours, Tokio> {
            type Error = io::Error;

            fn try_from(theirs: $theirs) -> io::Result<Self> {
                <$ours>::from(theirs.into_std()?).try_into()
            }
        }

        /// Within the runtime. What was received and not read yet stays where it is. A socket file is the new owner's to delete.
        impl TryFrom<Async<$ours, Tokio>> for $theirs {
            type Error = io::Error;

            fn try_from(ours: Async<$ours, Tokio>) -> io::Result<Self> {
                let socket = <$std>::from(ours.into_inner()?);
                socket.set_nonblocking(true)?;
                Self::from_std(socket)
            }
        }
    )+};
}
exchange! {
    Stream, std_net::UnixStream, net::UnixStream;
    Listener, std_net::UnixListener, net::UnixListener;
    UdStream, std_net::UnixStream, net::UnixStream;
    UdStreamListener, std_net::UnixListener, net::UnixListener;
    UdSocket, std_net::UnixDatagram, net::UnixDatagram;
}
