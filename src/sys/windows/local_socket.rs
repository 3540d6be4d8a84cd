//! Local sockets on Windows: byte streams over named pipes, or over sockets of the Unix domain if the name is that of a
//! socket file.

#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "methods are the same on every OS, and on another they can fail"
)]

pub(crate) use super::{creds::PeerCreds, stream::Stream};
use super::{
    listener,
    name::pipe_path,
    named_pipe::{self, Client, PipePath, Settings},
    security_descriptor::SecurityDescriptor,
    unix_socket,
};
#[cfg(feature = "async")]
use crate::runtime::Interest;
use crate::{
    deadline::Deadline,
    local_socket::{Access, ConnectOptions, Kind, ListenerOptions, Name},
    os::windows::{named_pipe::PipeDirection, security_descriptor::Parts},
};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    ffi::OsString,
    io,
    os::windows::io::{AsHandle, OwnedHandle},
};

impl Stream {
    /// One attempt to connect; without `wait` it does not wait, and the stream is nonblocking.
    pub(crate) fn connect(
        name: &Name<'_>,
        options: &ConnectOptions<'_>,
        wait: Option<Deadline>,
    ) -> io::Result<Self> {
        if name.kind() == Kind::SocketFile {
            return unix_socket::connect_to(name.as_os_str(), wait.is_none());
        }
        let client = Client { security_quality: options.security_quality.flags(), ..Client::default() };
        Self::open(&pipe_path(name)?, &client, wait)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(self.share())
    }

    /// The system has refused whom the access list of the pipe, or of the socket file, does not admit.
    pub(crate) fn peer_is_admitted(&self, _access: Access, _listener: &Listener) -> io::Result<bool> {
        Ok(true)
    }
}

impl listener::Listener {
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

    /// Takes an instance of a pipe that another process listens on, or has listened on, and hands it back if it is something else.
    pub(crate) fn from_instance(
        instance: OwnedHandle,
    ) -> Result<(Self, OsString), (io::Error, Option<OwnedHandle>)> {
        let checked = || {
            let pipe = instance.as_handle();
            let information = named_pipe::information(pipe)?;
            let is_listener = named_pipe::is_server(&information)
                && named_pipe::direction_of(&information) == PipeDirection::Duplex
                && !named_pipe::is_synchronous(pipe)?;
            if !is_listener {
                let why = "this is not a pipe's instance that can be listened on";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            let path = named_pipe::path_of(pipe)?;
            // For the name to be held on the same terms, should all instances cease.
            let security = SecurityDescriptor::of_handle(pipe, Parts::OWNER | Parts::GROUP | Parts::DACL)?;
            Ok((Settings::new(PipePath::new(&path)?, security), path))
        };
        match checked() {
            Ok((settings, path)) => match Self::with_first(settings, instance, None, None) {
                Ok(listener) => Ok((listener, path)),
                Err(error) => Err((error, None)),
            },
            Err(error) => Err((error, Some(instance))),
        }
    }
}

/// A listener on a name of either sort.
#[derive(Debug)]
pub(crate) enum Listener {
    Pipe(listener::Listener),
    Socket(unix_socket::Listener),
}

impl Listener {
    pub(crate) fn bind(name: &Name<'_>, options: &ListenerOptions<'_>) -> io::Result<Self> {
        if name.kind() == Kind::SocketFile {
            return unix_socket::Listener::bind(name, options).map(Self::Socket);
        }
        listener::Listener::bind(name, options).map(Self::Pipe)
    }

    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Stream> {
        match self {
            Self::Pipe(listener) => listener.accept(deadline, nonblocking_stream),
            Self::Socket(listener) => listener.accept(deadline, nonblocking_stream),
        }
    }

    pub(crate) fn set_accept_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Pipe(listener) => listener.set_accept_nonblocking(nonblocking),
            Self::Socket(listener) => {
                listener.set_accept_nonblocking(nonblocking);
                Ok(())
            }
        }
    }

    pub(crate) fn stop(&self) {
        match self {
            Self::Pipe(listener) => listener.stop(),
            Self::Socket(listener) => listener.stop(),
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        match self {
            Self::Pipe(listener) => listener.is_stopped(),
            Self::Socket(listener) => listener.is_stopped(),
        }
    }

    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Pipe(listener) => listener.poll_ready(interest, cx),
            Self::Socket(listener) => listener.poll_ready(interest, cx),
        }
    }

    /// What another process can be given to listen on the same name.
    pub(crate) fn instance_for_another(&self) -> io::Result<OwnedHandle> {
        match self {
            Self::Pipe(listener) => listener.instance_for_another(),
            Self::Socket(_) => {
                let why = "a listener on a socket file cannot be given to another process on Windows";
                Err(io::Error::new(io::ErrorKind::Unsupported, why))
            }
        }
    }

    /// The name of a pipe ceases with its last user, come what may.
    pub(crate) fn keep_name(&mut self) {
        if let Self::Socket(listener) = self {
            listener.keep_name();
        }
    }
}
