//! The async twins of the blocking methods, for every runtime.

use super::{
    MsgPart, PipeConnectOptions, PipeInformation, PipeListener, PipeListenerOptions, PipeStream,
    RecvPipeStream, SendPipeStream,
    connect::{Attempts, explain},
    pipe_mode::{Bytes, Messages, NotNone, PipeModeTag},
};
use crate::{
    ConnectWaitMode, TryClone,
    deadline::Deadline,
    error::ReuniteError,
    local_socket::PeerCreds,
    os::windows::ImpersonationGuard,
    runtime::{
        Accept, Async, Interest, RecvBytes, Runtime, SendBytes, Source, WakerList, on_thread, private::Sealed,
    },
};
use std::{
    ffi::{OsStr, OsString},
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    task::{Context, Poll},
    time::Duration,
};

impl<Rm: PipeModeTag, Sm: PipeModeTag> Sealed for PipeStream<Rm, Sm> {}
impl<Rm: PipeModeTag, Sm: PipeModeTag> Sealed for PipeListener<Rm, Sm> {}

impl<Rm: PipeModeTag, Sm: PipeModeTag> Source for PipeStream<Rm, Sm> {
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.sys().poll_ready(interest, cx)
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> Source for PipeListener<Rm, Sm> {
    type Io<R: Runtime> = R::Io<Self>;

    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_ready(interest, cx)
    }
}

impl<Sm: PipeModeTag> RecvBytes for PipeStream<Bytes, Sm> {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.recv_vectored(bufs)
    }
}

impl<Rm: PipeModeTag> SendBytes for PipeStream<Rm, Bytes> {
    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_vectored(bufs)
    }

    fn flush(&self) -> io::Result<()> {
        self.flush()
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.sys().shutdown(how)
    }
}

impl PipeListenerOptions {
    #[cfg(any(feature = "smol", feature = "tokio"))]
    pub(crate) fn create_async<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime>(
        &self,
    ) -> io::Result<Async<PipeListener<Rm, Sm>, R>> {
        self.create()?.try_into()
    }
}

impl PipeConnectOptions {
    pub(crate) async fn connect_async<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime>(
        &self,
    ) -> io::Result<Async<PipeStream<Rm, Sm>, R>> {
        let mut attempts = Attempts::new::<Rm, Sm>(self)?;
        loop {
            match attempts.attempt(None) {
                Ok(stream) => return Async::new(PipeStream::from_sys(stream)),
                Err(error) => R::sleep(attempts.pause_after(error)?).await,
            }
        }
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> Accept for PipeListener<Rm, Sm> {
    type Connection = PipeStream<Rm, Sm>;

    fn next_connection(&self) -> io::Result<Option<PipeStream<Rm, Sm>>> {
        self.accept_until(Deadline::NEVER).map(Some)
    }

    fn stop(&self) {
        self.stop();
    }

    fn is_stopped(&self) -> bool {
        self.inner.is_stopped()
    }

    fn stop_tasks(&self) -> Option<&WakerList> {
        None
    }

    fn explain(&self, error: io::Error) -> io::Error {
        explain(self.path(), error)
    }
}

/// The async face of a [`PipeListener`].
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> Async<PipeListener<Rm, Sm>, R> {
    /// The twin of [`PipeListener::path`].
    pub fn path(&self) -> &OsStr {
        self.get_ref().path()
    }
}

/// To the async face, within the runtime.
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> TryFrom<PipeListener<Rm, Sm>>
    for Async<PipeListener<Rm, Sm>, R>
{
    type Error = io::Error;

    fn try_from(listener: PipeListener<Rm, Sm>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::new(listener)
    }
}

/// To the blocking face.
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> TryFrom<Async<PipeListener<Rm, Sm>, R>>
    for PipeListener<Rm, Sm>
{
    type Error = io::Error;

    fn try_from(listener: Async<PipeListener<Rm, Sm>, R>) -> io::Result<Self> {
        let listener = listener.into_inner()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}

/// What can fail only where a reactor has to know of an object. On Windows none has.
fn sure<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|_| unreachable!("no reactor is asked on Windows"))
}

/// The async face of a [`PipeStream`].
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> Async<PipeStream<Rm, Sm>, R> {
    /// The twin of [`PipeStream::connect_by_path`].
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_by_path(path: impl AsRef<OsStr>) -> io::Result<Self> {
        let options = PipeConnectOptions::new().path(path);
        options.connect_async().await
    }

    /// The twin of [`PipeStream::connect_by_path_with_wait_mode`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_by_path_with_wait_mode(
        path: impl AsRef<OsStr>,
        wait_mode: ConnectWaitMode,
    ) -> io::Result<Self> {
        let options = PipeConnectOptions::new().path(path).wait_mode(wait_mode);
        options.connect_async().await
    }

    /// The twin of [`PipeStream::connect`].
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect(name: impl AsRef<OsStr>) -> io::Result<Self> {
        let options = PipeConnectOptions::new().name(name);
        options.connect_async().await
    }

    /// The twin of [`PipeStream::connect_to_remote`].
    ///
    /// # Errors
    /// See [`PipeConnectOptions::connect`].
    ///
    /// # Cancel safety
    /// If the future is dropped, there is no connection, or it is closed.
    pub async fn connect_to_remote(name: impl AsRef<OsStr>, host: impl AsRef<OsStr>) -> io::Result<Self> {
        let options = PipeConnectOptions::new().name_on(host, name);
        options.connect_async().await
    }

    /// The twin of [`PipeStream::split`].
    #[allow(clippy::type_complexity, reason = "two halves")]
    pub fn split(self) -> (Async<RecvPipeStream<Rm>, R>, Async<SendPipeStream<Sm>, R>) {
        let (rh, sh) = sure(self.into_inner()).split();
        (sure(Async::new(rh)), sure(Async::new(sh)))
    }

    /// The twin of [`PipeStream::reunite`].
    ///
    /// # Errors
    /// They are not of one stream.
    #[allow(clippy::type_complexity, reason = "two halves, or one whole")]
    pub fn reunite(
        rh: Async<RecvPipeStream<Rm>, R>,
        sh: Async<SendPipeStream<Sm>, R>,
    ) -> Result<Self, ReuniteError<Async<RecvPipeStream<Rm>, R>, Async<SendPipeStream<Sm>, R>>> {
        if !rh.get_ref().sys().is_same(sh.get_ref().sys()) {
            return Err(ReuniteError { rh, sh });
        }
        Ok(sure(Self::new(PipeStream::from_sys(rh.get_ref().sys().share()))))
    }

    /// The twin of [`PipeStream::information`].
    pub fn information(&self) -> io::Result<PipeInformation> {
        self.get_ref().information()
    }

    /// The twin of [`PipeStream::is_server`].
    pub fn is_server(&self) -> bool {
        self.get_ref().is_server()
    }

    /// The twin of [`PipeStream::is_client`].
    pub fn is_client(&self) -> bool {
        self.get_ref().is_client()
    }

    /// The twin of [`PipeStream::client_process_id`].
    pub fn client_process_id(&self) -> io::Result<u32> {
        self.get_ref().client_process_id()
    }

    /// The twin of [`PipeStream::client_session_id`].
    pub fn client_session_id(&self) -> io::Result<u32> {
        self.get_ref().client_session_id()
    }

    /// The twin of [`PipeStream::server_process_id`].
    pub fn server_process_id(&self) -> io::Result<u32> {
        self.get_ref().server_process_id()
    }

    /// The twin of [`PipeStream::server_session_id`].
    pub fn server_session_id(&self) -> io::Result<u32> {
        self.get_ref().server_session_id()
    }

    /// The twin of [`PipeStream::peer_process_id`].
    pub fn peer_process_id(&self) -> io::Result<u32> {
        self.get_ref().peer_process_id()
    }

    /// The twin of [`PipeStream::peer_session_id`].
    pub fn peer_session_id(&self) -> io::Result<u32> {
        self.get_ref().peer_session_id()
    }

    /// The twin of [`PipeStream::peer_creds`].
    pub fn peer_creds(&self) -> io::Result<PeerCreds> {
        self.get_ref().peer_creds()
    }

    /// The twin of [`PipeStream::client_computer_name`].
    pub fn client_computer_name(&self) -> io::Result<OsString> {
        self.get_ref().client_computer_name()
    }

    /// The twin of [`PipeStream::impersonate_client`]. The guard is not `Send`, so a future that keeps it across an
    /// `await` cannot be spawned on an executor of several threads. On one of a single thread, do not keep it either: until it is
    /// dropped, the other tasks act as the client, too.
    pub fn impersonate_client(&self) -> io::Result<ImpersonationGuard> {
        self.get_ref().impersonate_client()
    }

    /// The twin of [`PipeStream::take_error`].
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// The twin of [`PipeStream::try_clone`].
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }

    /// The twin of [`PipeStream::is_peer_gone`].
    pub fn is_peer_gone(&self) -> io::Result<bool> {
        self.get_ref().is_peer_gone()
    }

    /// The twin of [`PipeStream::disconnect`].
    pub fn disconnect(&self) -> io::Result<()> {
        self.get_ref().disconnect()
    }
}

/// Receiving bytes.
impl<Sm: PipeModeTag, R: Runtime> Async<PipeStream<Bytes, Sm>, R> {
    /// The twin of [`PipeStream::peek`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no bytes are lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_with(|stream| stream.peek(buf)).await
    }
}

/// Receiving messages.
impl<Sm: PipeModeTag, R: Runtime> Async<PipeStream<Messages, Sm>, R> {
    /// The twin of [`PipeStream::recv_msg`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no message is lost, nor a part of one.
    pub async fn recv_msg(&self, msg: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let _waits = self.get_ref().sys().waits_to_receive();
        self.read_with(|stream| stream.recv_msg(msg)).await
    }

    /// The twin of [`PipeStream::recv_part`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn recv_part(&self, buf: &mut [u8]) -> io::Result<Option<MsgPart>> {
        let _waits = self.get_ref().sys().waits_to_receive();
        self.read_with(|stream| stream.recv_part(buf)).await
    }

    /// The twin of [`PipeStream::peek_part`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn peek_part(&self, buf: &mut [u8]) -> io::Result<Option<MsgPart>> {
        let _waits = self.get_ref().sys().waits_to_receive();
        self.read_with(|stream| stream.peek_part(buf)).await
    }

    /// The twin of [`PipeStream::peek_msg_len`].
    pub fn peek_msg_len(&self) -> io::Result<usize> {
        self.get_ref().peek_msg_len()
    }

    /// The twin of [`PipeStream::set_max_msg_len`].
    pub fn set_max_msg_len(&self, max: usize) {
        self.get_ref().set_max_msg_len(max);
    }

    /// The twin of [`PipeStream::max_msg_len`].
    pub fn max_msg_len(&self) -> usize {
        self.get_ref().max_msg_len()
    }
}

/// Sending.
impl<Rm: PipeModeTag, Sm: NotNone, R: Runtime> Async<PipeStream<Rm, Sm>, R> {
    /// The twin of [`PipeStream::drain`]. A thread waits meanwhile, and goes on until `timeout` has passed if the future is dropped.
    ///
    /// # Errors
    /// See [`PipeStream::drain`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn drain(&self, timeout: Duration) -> io::Result<()> {
        let stream = self.get_ref().try_clone()?;
        on_thread(move || stream.drain(timeout)).await
    }

    /// The twin of [`PipeStream::assume_flushed`].
    pub fn assume_flushed(&self) {
        self.get_ref().assume_flushed();
    }

    /// The twin of [`PipeStream::mark_dirty`].
    pub fn mark_dirty(&self) {
        self.get_ref().mark_dirty();
    }

    /// The twin of [`PipeStream::evade_limbo`].
    pub fn evade_limbo(self) {}
}

/// Sending messages.
impl<Rm: PipeModeTag, R: Runtime> Async<PipeStream<Rm, Messages>, R> {
    /// The twin of [`PipeStream::flush`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn flush(&self) -> io::Result<()> {
        match self.get_ref().flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.write_with(PipeStream::flush).await
            }
            result => result,
        }
    }

    /// The twin of [`PipeStream::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, msg: &[u8]) -> io::Result<usize> {
        self.write_with(|stream| stream.send(msg)).await
    }
}

/// Asking.
impl<R: Runtime> Async<PipeStream<Messages, Messages>, R> {
    /// The twin of [`PipeStream::transact`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the message was sent, or it was not; if it was, the answer is the next to be received.
    pub async fn transact(&self, msg: &[u8], answer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let room = answer.capacity();
        self.write_with(|stream| stream.sys().start_transaction(msg, room)).await?;
        let _claim = self.get_ref().sys().claim();
        self.read_with(|stream| stream.sys().recv_answer(answer)).await
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> TryClone for Async<PipeStream<Rm, Sm>, R> {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

/// To the async face, within the runtime.
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> TryFrom<PipeStream<Rm, Sm>>
    for Async<PipeStream<Rm, Sm>, R>
{
    type Error = io::Error;

    fn try_from(stream: PipeStream<Rm, Sm>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(stream)
    }
}

/// To the blocking face. Nothing is lost.
impl<Rm: PipeModeTag, Sm: PipeModeTag, R: Runtime> TryFrom<Async<PipeStream<Rm, Sm>, R>>
    for PipeStream<Rm, Sm>
{
    type Error = io::Error;

    fn try_from(stream: Async<PipeStream<Rm, Sm>, R>) -> io::Result<Self> {
        let stream = stream.into_inner()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}
