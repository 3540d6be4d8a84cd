//! HTTP over local sockets, with the feature `hyper`: for clients and servers of hyper, and of what stands on it, such as tonic (gRPC).
//!
//! Async streams have hyper's own traits for I/O (`hyper::rt::Read` and `Write`), so they are what `handshake` and
//! `serve_connection` of hyper take, on every runtime. A [`Connector`] connects clients that want to connect by themselves. Servers that
//! take a stream of connections, such as tonic's `serve_with_incoming`, are given
//! [`into_incoming`](crate::runtime::Async::into_incoming).
//!
//! ```
//! # #[cfg(feature = "tokio")] {
//! use hyper::{Request, Response, body::Incoming, client, server, service::service_fn};
//! use interprocess::local_socket::tokio::{Listener, Stream};
//! use std::convert::Infallible;
//!
//! # let name = format!("@interprocess-doc-http-{}", std::process::id());
//! # let name = name.as_str();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let listener = Listener::bind(name)?;
//! tokio::spawn(async move {
//!     let client = listener.accept().await?;
//!     let answer = |request: Request<Incoming>| async move {
//!         Ok::<_, Infallible>(Response::new(format!("This is {}.", request.uri().path())))
//!     };
//!     server::conn::http1::Builder::new().serve_connection(client, service_fn(answer)).await?;
//!     Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! });
//!
//! let (mut requests, connection) = client::conn::http1::handshake(Stream::connect(name).await?).await?;
//! tokio::spawn(connection);
//! let request = Request::get("/here").header("host", "localhost").body(String::new())?;
//! assert!(requests.send_request(request).await?.status().is_success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The folder `examples-grpc` of the repository has a server and a client of gRPC.

use super::{ConnectOptions, Stream, ToName};
use crate::runtime::{Async, Runtime};
use std::{
    future::Future,
    io,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

/// Connects HTTP clients to a local socket: a [`Service`](tower_service::Service) from whatever destination to a [`Stream`] of the
/// runtime `R`.
///
/// The destination, a URI as a rule, does not say where to connect to, as the name of a local socket is no URI. Any will do, such as
/// `http://localhost`; the server finds it in the header `Host`.
///
/// ```no_run
/// # #[cfg(feature = "tokio")] {
/// use interprocess::local_socket::tokio::Connector;
/// use tower_service::Service;
///
/// # async fn example() -> std::io::Result<()> {
/// let mut connector = Connector::new("@example")?;
/// // As tonic does, in `Endpoint::from_static("http://localhost").connect_with_connector(connector)`.
/// let stream = connector.call("http://localhost").await?;
/// # Ok(())
/// # }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Connector<R> {
    options: ConnectOptions<'static>,
    runtime: PhantomData<R>,
}

impl<R: Runtime> Connector<R> {
    /// Connects to the listener of that name, with the defaults of [`ConnectOptions`].
    ///
    /// # Errors
    /// The name is not possible.
    pub fn new<'n>(name: impl ToName<'n>) -> io::Result<Self> {
        Ok(Self::with_options(ConnectOptions::new().name(name.to_name()?.into_owned())))
    }

    /// Connects with these options.
    pub fn with_options(options: ConnectOptions<'static>) -> Self {
        Self { options, runtime: PhantomData }
    }
}

/// Connects anew for each call.
///
/// # Errors
/// See [`ConnectOptions::connect_sync`].
///
/// # Cancel safety
/// If the future is dropped, there is no connection, or it is closed.
impl<D, R: Runtime> tower_service::Service<D> for Connector<R> {
    type Response = Async<Stream, R>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Async<Stream, R>>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _destination: D) -> Self::Future {
        let options = self.options.clone();
        Box::pin(async move { options.connect_async().await })
    }
}
