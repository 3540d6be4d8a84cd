//! Who is at the other end of a pipe.

use super::{
    named_pipe,
    security::{self, ClientError, Sid, our_user},
};
use std::{io, os::windows::io::BorrowedHandle};

/// Who the peer is.
#[derive(Clone, Debug)]
pub(crate) struct PeerCreds {
    pid: Option<u32>,
    session: Option<u32>,
    user: Sid,
    is_same_user: bool,
}

impl PeerCreds {
    /// Who is at the other end of `pipe`, of which we have the server's or the client's end.
    ///
    /// The user is never told by the number of a process: its process may be gone, and another have it. So
    /// process and session are hints, and for a client the user is the owner of the pipe.
    pub(crate) fn of(pipe: BorrowedHandle<'_>, is_server: bool) -> io::Result<Self> {
        let (pid, session) = named_pipe::peer_process(pipe, is_server);
        let user = if is_server { told(security::user_of_client(pipe))? } else { security::owner_of(pipe)? };
        let is_same_user = user == *our_user()?;
        Ok(Self { pid: pid.ok(), session: session.ok(), user, is_same_user })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    pub(crate) fn session(&self) -> Option<u32> {
        self.session
    }

    pub(crate) fn sid(&self) -> &str {
        self.user.as_str()
    }

    pub(crate) fn is_same_user(&self) -> bool {
        self.is_same_user
    }
}

/// The user of a client, if it is known.
fn told(user: Result<Sid, ClientError>) -> io::Result<Sid> {
    user.map_err(|error| match error {
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
