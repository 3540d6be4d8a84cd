//! The interface of local sockets for Tokio as traits, for code that is generic over them.
//!
//! New code names the types: [`tokio::Listener`](crate::local_socket::tokio::Listener),
//! [`tokio::Stream`](crate::local_socket::tokio::Stream).

use super::{StreamCommon, private::Sealed};
use crate::{
    local_socket::{ConnectOptions, ListenerOptions, Name, PeerCreds, tokio},
    older::two::bound_util::{RefTokioAsyncRead, RefTokioAsyncWrite},
};
use ::tokio::io::{AsyncRead, AsyncWrite};
use std::{future::Future, io};

/// What listens for clients. In new code, [`tokio::Listener`].
pub trait Listener: Send + Sync + Sized + Sealed {
    /// What clients are.
    type Stream: Stream;

    /// See [`ListenerOptions::create_tokio`].
    fn from_options(options: ListenerOptions<'_>) -> io::Result<Self>;

    /// See [`Async::accept`](crate::runtime::Async::accept).
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send + Sync;

    /// See [`local_socket::Listener::do_not_reclaim_name_on_drop`](crate::local_socket::Listener::do_not_reclaim_name_on_drop).
    fn do_not_reclaim_name_on_drop(&mut self);
}

/// A byte stream. In new code, [`tokio::Stream`].
pub trait Stream: AsyncRead + RefTokioAsyncRead + AsyncWrite + RefTokioAsyncWrite + StreamCommon {
    /// The half that receives.
    type RecvHalf: RecvHalf<Stream = Self>;
    /// The half that sends.
    type SendHalf: SendHalf<Stream = Self>;

    /// See [`Async::connect`](crate::runtime::Async::connect).
    fn connect(name: Name<'_>) -> impl Future<Output = io::Result<Self>> + Send + Sync {
        async {
            let options = ConnectOptions::new().name(name);
            Self::from_options(&options).await
        }
    }

    /// See [`Async::split`](crate::runtime::Async::split).
    fn split(self) -> (Self::RecvHalf, Self::SendHalf);

    /// See [`Async::reunite`](crate::runtime::Async::reunite).
    fn reunite(rh: Self::RecvHalf, sh: Self::SendHalf) -> ReuniteResult<Self>;

    /// See [`ConnectOptions::connect_tokio`].
    fn from_options(options: &ConnectOptions<'_>) -> impl Future<Output = io::Result<Self>> + Send + Sync;
}

/// The half of a [`Stream`] that receives. In new code, [`tokio::RecvHalf`].
pub trait RecvHalf: AsyncRead + RefTokioAsyncRead + Send + Sync + Sized + Sealed + 'static {
    /// What it is a half of.
    type Stream: Stream;
}

/// The half of a [`Stream`] that sends. In new code, [`tokio::SendHalf`].
pub trait SendHalf: AsyncWrite + RefTokioAsyncWrite + Send + Sync + Sized + Sealed + 'static {
    /// What it is a half of.
    type Stream: Stream;
}

/// What putting the halves of a [`Stream`] together gives. In new code, [`error::ReuniteResult`](crate::error::ReuniteResult).
pub type ReuniteResult<S> = crate::error::ReuniteResult<S, <S as Stream>::RecvHalf, <S as Stream>::SendHalf>;

impl Listener for tokio::Listener {
    type Stream = tokio::Stream;

    fn from_options(options: ListenerOptions<'_>) -> io::Result<Self> {
        options.create_tokio()
    }

    async fn accept(&self) -> io::Result<tokio::Stream> {
        self.accept().await
    }

    fn do_not_reclaim_name_on_drop(&mut self) {
        self.do_not_reclaim_name_on_drop();
    }
}

impl Stream for tokio::Stream {
    type RecvHalf = tokio::RecvHalf;
    type SendHalf = tokio::SendHalf;

    fn split(self) -> (tokio::RecvHalf, tokio::SendHalf) {
        self.split()
    }

    fn reunite(rh: tokio::RecvHalf, sh: tokio::SendHalf) -> ReuniteResult<Self> {
        Self::reunite(rh, sh)
    }

    async fn from_options(options: &ConnectOptions<'_>) -> io::Result<Self> {
        options.connect_tokio().await
    }
}

impl StreamCommon for tokio::Stream {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.take_error()
    }

    fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.peer_creds()
    }
}

impl RecvHalf for tokio::RecvHalf {
    type Stream = tokio::Stream;
}

impl SendHalf for tokio::SendHalf {
    type Stream = tokio::Stream;
}
