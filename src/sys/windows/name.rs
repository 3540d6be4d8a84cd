//! What a local socket's name is as the path of a pipe, or of a socket file.

use super::{named_pipe::PipePath, unix_socket::Address};
use crate::local_socket::{Kind, Name};
use std::{
    borrow::Cow,
    ffi::{CStr, OsStr, OsString},
    io,
    path::Path,
};

/// The path of the pipe that a name stands for.
pub(crate) fn pipe_path(name: &Name<'_>) -> io::Result<PipePath> {
    match name.kind() {
        Kind::Path => PipePath::new(name.as_os_str()),
        Kind::Namespace => {
            let mut path = OsString::from(r"\\.\pipe\");
            path.push(name.as_os_str());
            PipePath::new(&path)
        }
        Kind::SocketFile => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is the path of a socket file, not of a pipe"))
        }
    }
}

/// Checks all that can be wrong with a name.
pub(crate) fn check_name(name: &Name<'_>) -> io::Result<()> {
    match name.kind() {
        Kind::SocketFile => Address::new(name.as_os_str()).map(drop),
        _ => pipe_path(name).map(drop),
    }
}

/// The file that a listener of this name makes. Pipes are in no file system, and cease with their last user.
pub(crate) fn file<'a>(name: &'a Name<'_>) -> Option<Cow<'a, Path>> {
    (name.kind() == Kind::SocketFile).then(|| Path::new(name.as_os_str()).into())
}

/// The name, and whether other users could have made what it stands for, though it looks private: no name of a pipe does.
pub(crate) fn located<'n>(name: &'n Name<'_>) -> (Name<'n>, bool) {
    (name.borrow(), false)
}

/// C text is bytes, and paths are not.
pub(crate) fn c_to_os(text: Cow<'_, CStr>) -> io::Result<Cow<'_, OsStr>> {
    let not_utf8 = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(OsStr::new(text.to_str().map_err(not_utf8)?)),
        Cow::Owned(text) => match text.into_string() {
            Ok(text) => Cow::Owned(text.into()),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
        },
    })
}
