//! The body of local sockets on Unix: stream sockets of the Unix domain.

pub(crate) use super::{creds::PeerCreds, endpoint::Endpoint as Stream, listener::Listener};

use super::{
    creds, name,
    name_file::{DEFAULT_BACKLOG, Options},
};
use crate::{
    deadline::Deadline,
    local_socket::{Access, ConnectOptions, ListenerOptions, Name},
};
use rustix::{net::SocketType, process::geteuid};
use std::{io, os::fd::AsFd};

impl Stream {
    /// One attempt, which never waits without `wait` (and gives a nonblocking stream).
    #[inline]
    pub(crate) fn connect(
        name: &Name<'_>,
        _: &ConnectOptions<'_>,
        wait: Option<Deadline>,
    ) -> io::Result<Self> {
        Self::connected(SocketType::STREAM, &name::address(name)?.to_socket_address()?, wait)
    }

    pub(crate) fn peer_creds(&self) -> io::Result<PeerCreds> {
        creds::peer(self.as_fd(), true)
    }

    pub(crate) fn server_is_ours(&self) -> io::Result<bool> {
        let server = creds::peer(self.as_fd(), false)?;
        Ok(server.is_same_user() || server.is_root())
    }

    /// Whether a listener with this access wants the peer. The permissions of a file have a say where
    /// there is a file; here even abstract names get a guard, and files on systems that ignore their mode.
    #[inline]
    pub(crate) fn peer_is_admitted(&self, access: Access, listener: &Listener) -> io::Result<bool> {
        // Whoever made the listener, or took it over, is compared first: that is known without asking the system.
        let is_trusted = |user| user == listener.owner() || user == 0 || user == geteuid().as_raw();
        Ok(match access {
            Access::Everyone => true,
            Access::Owner => is_trusted(creds::peer_euid(self.as_fd())?),
            Access::Group => {
                let peer = creds::peer(self.as_fd(), true)?;
                is_trusted(peer.euid()) || peer.is_in_group(listener.group())
            }
        })
    }
}

impl Listener {
    pub(crate) fn bind(name: &Name<'_>, options: &ListenerOptions<'_>) -> io::Result<Self> {
        let options = Options {
            mode: options.file_mode(),
            for_our_group: options.mode.is_none() && options.effective_access() == Access::Group,
            backlog: Some(options.backlog.unwrap_or(DEFAULT_BACKLOG)),
            existing: options.existing,
            max_spin_time: options.max_spin_time,
            remove_on_drop: options.reclaim_name,
        };
        Self::bound(SocketType::STREAM, &name::address(name)?, &options)
    }
}
