//! Local sockets on Windows: byte streams over named pipes.

#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "methods are the same on every OS, and on another they can fail"
)]

pub(crate) use super::{creds::PeerCreds, listener::Listener, stream::Stream};
use super::{
    name::pipe_path,
    named_pipe::{Client, Settings},
    security_descriptor::SecurityDescriptor,
};
use crate::{
    deadline::Deadline,
    local_socket::{Access, ConnectOptions, ListenerOptions, Name},
};
use std::{io, net::Shutdown};

impl Stream {
    /// One attempt to connect; without `wait` it does not wait, and the stream is nonblocking.
    pub(crate) fn connect(
        name: &Name<'_>,
        options: &ConnectOptions<'_>,
        wait: Option<Deadline>,
    ) -> io::Result<Self> {
        let client = Client { security_quality: options.security_quality.flags(), ..Client::default() };
        Self::open(&pipe_path(name)?, &client, wait)
    }

    pub(crate) fn shutdown(&self, _how: Shutdown) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "a named pipe cannot end one direction"))
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(self.share())
    }

    /// The system has refused whom the pipe's access list does not admit.
    pub(crate) fn peer_is_admitted(&self, _access: Access, _listener: &Listener) -> io::Result<bool> {
        Ok(true)
    }
}

impl Listener {
    pub(crate) fn bind(name: &Name<'_>, options: &ListenerOptions<'_>) -> io::Result<Self> {
        let path = pipe_path(name)?;
        let security = match &options.security_descriptor {
            Some(descriptor) => descriptor.0.clone(),
            None => SecurityDescriptor::of_pipe(options.effective_access())?,
        };
        let mut settings = Settings::new(path, security);
        settings.accepts_remote = options.accept_remote;
        Self::new(settings, options.backlog, None)
    }

    /// A name ceases with its last user, come what may.
    pub(crate) fn keep_name(&mut self) {}
}
