//! Who is at the other end of a pipe.

use super::{
    named_pipe,
    security::{self, Client, ClientError, our_user},
};
use crate::os::windows::security_descriptor::{IntegrityLevel, Sid};
use std::{io, os::windows::io::BorrowedHandle};

/// Who the peer is.
#[derive(Clone, Debug)]
pub(crate) struct PeerCreds {
    pid: Option<u32>,
    session: Option<u32>,
    user: Sid,
    sid: String,
    integrity_level: Option<IntegrityLevel>,
    is_same_user: bool,
}

impl PeerCreds {
    /// Who is at the other end of `pipe`, of which we have the server's or the client's end.
    ///
    /// The user is never told by the number of a process: its process may be gone, and another have it. So
    /// process and session are hints, and for a client the user is the owner of the pipe. The pipe does not keep the
    /// server's integrity level: that of its process is a hint too.
    pub(crate) fn of(pipe: BorrowedHandle<'_>, is_server: bool) -> io::Result<Self> {
        let (pid, session) = named_pipe::peer_process(pipe, is_server);
        let (pid, session) = (pid.ok(), session.ok());
        let Client { user, integrity_level } = if is_server {
            told(security::client_of(pipe))?
        } else {
            let integrity_level = pid.and_then(|pid| security::integrity_level_of_process(pid).ok());
            Client { user: security::owner_of(pipe)?, integrity_level }
        };
        let is_same_user = user == *our_user()?;
        Ok(Self { pid, session, user, sid: user.to_string(), integrity_level, is_same_user })
    }

    /// Who runs the process of that number, which is all that is known of the other end of a socket: the process may be
    /// gone, and another have its number.
    pub(crate) fn of_process(pid: u32) -> io::Result<Self> {
        let Client { user, integrity_level } = security::client_of_process(pid)?;
        let session = security::session_of_process(pid).ok();
        let is_same_user = user == *our_user()?;
        Ok(Self { pid: Some(pid), session, user, sid: user.to_string(), integrity_level, is_same_user })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    pub(crate) fn session(&self) -> Option<u32> {
        self.session
    }

    pub(crate) fn sid(&self) -> &str {
        &self.sid
    }

    pub(crate) fn user(&self) -> &Sid {
        &self.user
    }

    pub(crate) fn integrity_level(&self) -> Option<IntegrityLevel> {
        self.integrity_level
    }

    pub(crate) fn is_same_user(&self) -> bool {
        self.is_same_user
    }
}

/// Who a client is, if it is known.
fn told(client: Result<Client, ClientError>) -> io::Result<Client> {
    client.map_err(|error| match error {
        ClientError::NotTold => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the system does not tell the client's user before something was received",
        ),
        ClientError::Hidden(error) => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::windows::overlapped::os_error;

    #[test]
    fn a_client_that_is_not_known_is_nobody() {
        let error = told(Err(ClientError::NotTold)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("before something was received"), "{error}");
        assert_eq!(told(Err(ClientError::Hidden(os_error(1347)))).unwrap_err().raw_os_error(), Some(1347));
    }
}
