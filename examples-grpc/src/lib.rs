//! gRPC over local sockets: a service of tonic, its server and its client, the same on every OS.
//!
//! To the client, a local socket is a [`Connector`]. To the server it is a stream of connections, `into_incoming`, of which tonic wants to
//! know who connected: that is what [`Client`] tells, and handlers find it among the extensions of a request.

// What is generated has none.
#[allow(missing_docs, clippy::pedantic, unreachable_pub, reason = "generated")]
mod service {
    tonic::include_proto!("example.Oracle");
}

pub use service::oracle_client::OracleClient;

use futures_lite::{Stream, StreamExt, stream};
use interprocess::local_socket::{
    PeerCreds, ToName,
    tokio::{Connector, Listener, Stream as LocalStream},
};
use service::oracle_server::{Oracle, OracleServer};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Error, Server, server::Connected},
};

/// What clients ask.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Question {
    /// The question itself.
    #[prost(string, tag = "1")]
    pub text: String,
    /// How often it is to be answered, when it is asked again.
    #[prost(uint32, tag = "2")]
    pub times: u32,
}

/// What they are told.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Answer {
    /// The answer itself.
    #[prost(string, tag = "1")]
    pub text: String,
}

/// The server's end of a connection, of which tonic asks who is there.
#[derive(Debug)]
pub struct Client(LocalStream);

impl Connected for Client {
    type ConnectInfo = Option<Arc<PeerCreds>>;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.0.peer_creds().ok().map(Arc::new)
    }
}

impl AsyncRead for Client {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Client {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

/// Answers.
#[derive(Debug)]
struct Delphi;

#[tonic::async_trait]
impl Oracle for Delphi {
    async fn ask(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let creds = request.extensions().get::<Option<Arc<PeerCreds>>>().cloned().flatten();
        let who = match creds.as_deref() {
            Some(creds) if creds.is_same_user() => "friend",
            _ => "stranger",
        };
        let question = request.into_inner();
        if question.text.is_empty() {
            return Err(Status::invalid_argument("that is no question"));
        }
        Ok(Response::new(Answer { text: format!("{} Who knows, {who}.", question.text) }))
    }

    type AskAgainStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

    async fn ask_again(&self, request: Request<Question>) -> Result<Response<Self::AskAgainStream>, Status> {
        let question = request.into_inner();
        let answers = stream::iter(1..=question.times)
            .map(move |number| Ok(Answer { text: format!("{number}: {}", question.text) }));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// Serves every client, until the future is dropped or the listener is stopped.
///
/// # Errors
/// Accepting has failed.
pub async fn serve(listener: Listener) -> Result<(), Error> {
    // One that could not be accepted is no reason to turn away the next.
    let clients =
        listener.into_incoming().filter_map(Result::ok).map(|stream| io::Result::Ok(Client(stream)));
    Server::builder().serve_with_incoming(OracleServer::new(Delphi), clients).await
}

/// Connects to the server of that name.
///
/// # Errors
/// The name is not possible, or nobody listens.
pub async fn connect<'n>(name: impl ToName<'n>) -> Result<OracleClient<Channel>, Box<dyn std::error::Error>> {
    let connector = Connector::new(name)?;
    // What the URI says makes no difference.
    let channel = Endpoint::from_static("http://localhost").connect_with_connector(connector).await?;
    Ok(OracleClient::new(channel))
}
