//! Who is at the other end of a pipe.

use super::{
    named_pipe,
    security::{self, ClientError, Sid, our_user, user_of_process},
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
    pub(crate) fn of(pipe: BorrowedHandle<'_>, is_server: bool) -> io::Result<Self> {
        let (pid, session) = named_pipe::peer_process(pipe, is_server);
        let user = if is_server {
            match security::user_of_client(pipe) {
                // The token that the client connected with is told from: it is right even if the process is
                // gone and another has its number. Only if there is none the process has to do.
                Err(ClientError::NotTold) => user_of_process(*pid.as_ref().map_err(clone)?)?,
                Err(ClientError::Hidden(error)) => return Err(error),
                Ok(user) => user,
            }
        } else {
            // A process of another user may be none of our business. Then it is the owner of the pipe: who
            // made it, as a rule.
            match pid.as_ref().map_err(clone).and_then(|&pid| user_of_process(pid)) {
                Ok(user) => user,
                Err(_) => security::owner_of(pipe)?,
            }
        };
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

/// The same error again.
fn clone(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
