//! What a local socket's name is as a named pipe.

use super::local_socket::Listener;
use crate::local_socket::{Kind, Name};
use std::{
    borrow::Cow,
    ffi::{CStr, OsStr, OsString},
    io,
    os::windows::ffi::OsStrExt,
    path::PathBuf,
};

/// How many UTF-16 units a pipe's whole path may have, by the documentation of `CreateNamedPipeW`.
const MAX_LEN: usize = 256;

/// Checks what can be checked without asking the system.
pub(crate) fn check_name(name: &Name<'_>) -> io::Result<()> {
    if name.kind() == Kind::Path && !is_pipe_path(name.as_os_str().as_encoded_bytes()) {
        return Err(invalid(r"on Windows a path has to have the form \\HOST\pipe\NAME"));
    }
    let len = name.pipe_path().encode_wide().count();
    if len > MAX_LEN {
        return Err(invalid(&format!("its path is {len} UTF-16 units long, but at most {MAX_LEN} are possible")));
    }
    Ok(())
}

fn is_pipe_path(path: &[u8]) -> bool {
    let is_slash = |byte: &u8| matches!(byte, b'\\' | b'/');
    let mut parts = path.splitn(5, is_slash);
    // Two slashes, a host, "pipe", a name.
    parts.next() == Some(b"")
        && parts.next() == Some(b"")
        && parts.next().is_some_and(|host| !host.is_empty() && host != b"?")
        && parts.next().is_some_and(|pipe| pipe.eq_ignore_ascii_case(b"pipe"))
        && parts.next().is_some_and(|name| !name.is_empty())
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

impl Name<'_> {
    /// The path of the pipe.
    pub(crate) fn pipe_path(&self) -> Cow<'_, OsStr> {
        match self.kind() {
            Kind::Path => Cow::Borrowed(self.as_os_str()),
            Kind::Namespace => {
                let mut path = OsString::from(r"\\.\pipe\");
                path.push(self.as_os_str());
                Cow::Owned(path)
            }
        }
    }
}

/// Pipes leave nothing in the file system.
pub(crate) fn name_file(_: &Name<'_>) -> Option<PathBuf> {
    None
}

/// A pipe's name is the machine's, whoever serves it: the access list says who may.
pub(crate) fn is_in_shared_directory(_: &Name<'_>) -> bool {
    false
}

pub(crate) fn c_to_os(text: Cow<'_, CStr>) -> io::Result<Cow<'_, OsStr>> {
    let not_unicode = |_| invalid("on Windows a name as C text has to be UTF-8");
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(OsStr::new(text.to_str().map_err(not_unicode)?)),
        Cow::Owned(text) => {
            Cow::Owned(text.into_string().map_err(|error| not_unicode(error.utf8_error()))?.into())
        }
    })
}

/// Service managers pass no listeners on Windows.
pub(crate) fn activated_listener(_: Option<&str>) -> io::Result<(Listener, Name<'static>)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Windows has no socket activation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_pipes_are_paths() {
        for path in [r"\\.\pipe\x", r"\\HOST\PIPE\x\y", "//./pipe/x"] {
            assert!(is_pipe_path(path.as_bytes()), "{path}");
        }
        for path in [r"C:\x", r"\\.\pipe\", r"\\.\pipe", r"\\\pipe\x", r"\\?\pipe\x", r"\pipe\x", "pipe", r"\\.\pip\x"] {
            assert!(!is_pipe_path(path.as_bytes()), "{path}");
        }
    }
}
