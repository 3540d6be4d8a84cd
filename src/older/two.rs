//! What interprocess 2 has. Each item says what to use in new code.

pub mod bound_util;
mod error;
pub mod traits;
#[cfg(unix)]
pub(crate) mod unix;
#[cfg(windows)]
pub(crate) mod windows;

#[cfg(feature = "tokio")]
use crate::local_socket::tokio;
use crate::{
    TryClone,
    local_socket::{ConnectOptions, Listener, ListenerOptions, RecvHalf, SendHalf, Stream},
};
#[cfg(feature = "tokio")]
use std::future::Future;
use std::io;

/// The traits of [`traits`] and those of names, none of which takes up a name, and the types by names that clash with nothing.
/// New code needs none of it but [`ToFsName`](crate::local_socket::ToFsName) and [`ToNsName`](crate::local_socket::ToNsName).
pub mod prelude {
    pub use super::traits::{Listener as _, ListenerExt as _, Stream as _, StreamCommon as _};
    pub use crate::local_socket::{
        Listener as LocalSocketListener, NameType as _, Stream as LocalSocketStream, ToFsName as _,
        ToNsName as _,
    };
}

/// The same as the [prelude for blocking code](crate::local_socket::prelude), for Tokio.
#[cfg(feature = "tokio")]
pub mod tokio_prelude {
    pub use super::traits::{
        StreamCommon as _,
        tokio::{Listener as _, Stream as _},
    };
    pub use crate::local_socket::{
        NameType as _, ToFsName as _, ToNsName as _,
        tokio::{Listener as LocalSocketListener, Stream as LocalSocketStream},
    };
}

/// What [`Stream::reunite`] fails with. In new code, [`error::ReuniteError`](crate::error::ReuniteError).
pub type ReuniteError = crate::error::ReuniteError<RecvHalf, SendHalf>;

/// What [`Stream::reunite`] gives. In new code, [`error::ReuniteResult`](crate::error::ReuniteResult).
pub type ReuniteResult = traits::ReuniteResult<Stream>;

/// What putting the halves of a [`Stream`](tokio::Stream) together gives. In new code,
/// [`error::ReuniteResult`](crate::error::ReuniteResult).
#[cfg(feature = "tokio")]
pub type TokioReuniteResult = traits::tokio::ReuniteResult<tokio::Stream>;

/// For code that was written for older crates, and is generic over [`traits`](crate::local_socket::traits).
impl ListenerOptions<'_> {
    /// A [`Listener`], which is all that `L` can be. In new code, [`create_sync`](Self::create_sync).
    pub fn create_sync_as<L: traits::Listener>(self) -> io::Result<L> {
        L::from_options(self)
    }

    /// A [`Listener`](tokio::Listener) of Tokio, which is all that `L` can be. In new code, [`create_tokio`](Self::create_tokio).
    #[cfg(feature = "tokio")]
    pub fn create_tokio_as<L: traits::tokio::Listener>(self) -> io::Result<L> {
        L::from_options(self)
    }
}

/// For code that was written for older crates, and is generic over [`traits`](crate::local_socket::traits).
impl ConnectOptions<'_> {
    /// A [`Stream`], which is all that `S` can be. In new code, [`connect_sync`](Self::connect_sync).
    pub fn connect_sync_as<S: traits::Stream>(&self) -> io::Result<S> {
        S::from_options(self)
    }

    /// A [`Stream`](tokio::Stream) of Tokio, which is all that `S` can be. In new code, [`connect_tokio`](Self::connect_tokio).
    #[cfg(feature = "tokio")]
    pub fn connect_tokio_as<S: traits::tokio::Stream>(
        &self,
    ) -> impl Future<Output = io::Result<S>> + Send + Sync + '_ {
        S::from_options(self)
    }
}

impl TryClone for Stream {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

impl traits::private::Sealed for Listener {}
impl traits::private::Sealed for Stream {}
impl traits::private::Sealed for RecvHalf {}
impl traits::private::Sealed for SendHalf {}
#[cfg(feature = "tokio")]
impl traits::private::Sealed for tokio::Listener {}
#[cfg(feature = "tokio")]
impl traits::private::Sealed for tokio::Stream {}
#[cfg(feature = "tokio")]
impl traits::private::Sealed for tokio::RecvHalf {}
#[cfg(feature = "tokio")]
impl traits::private::Sealed for tokio::SendHalf {}
