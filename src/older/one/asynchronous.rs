//! What is async, for both runtimes.

use crate::{
    local_socket::Stream,
    runtime::{Async, RecvHalf, Runtime, SendHalf},
};
use std::{io, ops::Deref};

/// The names of a runtime's types.
macro_rules! names {
    ($($(#[$cfg:meta])* $module:ident, $runtime:ident;)+) => {$(
        $(#[$cfg])*
        pub(crate) mod $module {
            use crate::{
                local_socket::{self, $module},
                runtime::{EndsWhenDropped, SendHalf, $runtime},
            };

            /// What interprocess 1.2 called [`Listener`](local_socket::Listener), which new code uses.
            pub type LocalSocketListener = $module::Listener;

            /// What interprocess 1.2 called [`Stream`](local_socket::Stream), which new code uses.
            pub type LocalSocketStream = $module::Stream;

            /// The half that receives, from [`into_split`](crate::runtime::Async::into_split). New code uses `RecvHalf`.
            pub type OwnedReadHalf = $module::RecvHalf;

            /// The half that sends, from [`into_split`](crate::runtime::Async::into_split). Dropping it ends sending. New code uses
            /// `split` and `SendHalf`, or this one.
            pub type OwnedWriteHalf = SendHalf<EndsWhenDropped<local_socket::Stream, $runtime>>;
        }
    )+};
}
names! {
    #[cfg(feature = "tokio")] tokio, Tokio;
    #[cfg(feature = "smol")] smol, Smol;
}

/// Halves of local sockets, as interprocess 1.2 has them.
impl<R: Runtime, P: Deref<Target = Async<Stream, R>>> RecvHalf<P> {
    /// The same as [`Stream::peer_pid`], which new code asks by way of [`as_ref`](AsRef::as_ref).
    pub fn peer_pid(&self) -> io::Result<u32> {
        self.0.peer_pid()
    }
}

/// Halves of local sockets, as interprocess 1.2 has them.
impl<R: Runtime, P: Deref<Target = Async<Stream, R>>> SendHalf<P> {
    /// The same as [`Stream::peer_pid`], which new code asks by way of [`as_ref`](AsRef::as_ref).
    pub fn peer_pid(&self) -> io::Result<u32> {
        self.0.peer_pid()
    }
}
