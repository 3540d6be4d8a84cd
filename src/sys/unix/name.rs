//! What a local socket's name is as an address.

use crate::local_socket::{Kind, Name};
use rustix::{fs::FileType, net::SocketAddrUnix};
use std::{
    borrow::Cow,
    env,
    ffi::{CStr, OsStr, OsString},
    io,
    mem::{offset_of, size_of},
    os::{
        fd::BorrowedFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

/// How many bytes a socket's path may have, without the NUL that ends it. An abstract name has the same limit:
/// there the NUL comes first.
pub(crate) const MAX_LEN: usize =
    size_of::<libc::sockaddr_un>() - offset_of!(libc::sockaddr_un, sun_path) - 1;

/// Checks what can be checked without looking at the file system or the environment.
pub(crate) fn check_name(name: &Name<'_>) -> io::Result<()> {
    let bytes = name.as_os_str().as_bytes();
    if name.kind() == Kind::RuntimeDir && (bytes.contains(&b'/') || matches!(bytes, b"." | b"..")) {
        // With a slash, it could leave the directory.
        return Err(invalid(
            "on this system a namespaced name is a file name, so it must not contain '/' or be a dot entry",
        ));
    }
    check_len(bytes)
}

fn check_len(bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > MAX_LEN {
        let len = bytes.len();
        return Err(invalid(&format!("it is {len} bytes long, but at most {MAX_LEN} are possible")));
    }
    Ok(())
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// The file that a listener of this name makes.
#[allow(clippy::unnecessary_wraps, reason = "with an abstract namespace, some make none")]
pub(crate) fn file(name: &Name<'_>) -> Option<PathBuf> {
    match name.kind() {
        Kind::Path => Some(PathBuf::from(name.as_os_str())),
        Kind::RuntimeDir => Some(RuntimeDir::find().path.join(name.as_os_str())),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Kind::Namespace => None,
    }
}

/// The address of a name: to connect to, or to bind where it is abstract.
pub(crate) fn address(name: &Name<'_>) -> io::Result<SocketAddrUnix> {
    match file(name) {
        Some(path) => path_address(&path),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        None => Ok(SocketAddrUnix::new_abstract_name(name.as_os_str().as_bytes())?),
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        None => unreachable!("every name is a file here"),
    }
}

pub(crate) fn path_address(path: &Path) -> io::Result<SocketAddrUnix> {
    check_len(path.as_os_str().as_bytes())?;
    Ok(SocketAddrUnix::new(path)?)
}

/// The name that a socket is bound to: an empty path if it has none.
pub(crate) fn of_socket(fd: BorrowedFd<'_>) -> Name<'static> {
    let address =
        rustix::net::getsockname(fd).ok().and_then(|address| SocketAddrUnix::try_from(address).ok());
    let Some(address) = address else { return Name::unchecked(Kind::Path, OsString::new()) };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.abstract_name() {
        return Name::unchecked(Kind::Namespace, OsString::from_vec(name.to_vec()));
    }
    Name::unchecked(Kind::Path, OsString::from_vec(address.path_bytes().unwrap_or_default().to_vec()))
}

/// Whether other users could have made the socket that the name stands for, though the name looks private.
pub(crate) fn is_in_shared_directory(name: &Name<'_>) -> bool {
    name.kind() == Kind::RuntimeDir && !RuntimeDir::find().is_private
}

/// The directory for names that belong to the user.
struct RuntimeDir {
    path: PathBuf,
    is_private: bool,
}

impl RuntimeDir {
    fn find() -> Self {
        match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
            Some(path) if is_ours_alone(&path) => Self { path, is_private: true },
            _ => Self { path: PathBuf::from("/tmp"), is_private: false },
        }
    }
}

/// Whether `path` is absolute, a directory and not a link to one, owned by our user, and closed to all others.
fn is_ours_alone(path: &Path) -> bool {
    path.is_absolute()
        && rustix::fs::lstat(path).is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode) == FileType::Directory
                && stat.st_uid == rustix::process::geteuid().as_raw()
                && stat.st_mode & 0o077 == 0
        })
}

/// C text is what paths are made of.
#[allow(clippy::unnecessary_wraps, reason = "on Windows it can fail")]
pub(crate) fn c_to_os(text: Cow<'_, CStr>) -> io::Result<Cow<'_, OsStr>> {
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(OsStr::from_bytes(text.to_bytes())),
        Cow::Owned(text) => Cow::Owned(OsString::from_vec(text.into_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn runtime_directory_that_others_may_enter_or_that_is_a_link_is_not_trusted() {
        let base = env::temp_dir().join(format!("interprocess-runtime-dir-{}", std::process::id()));
        let (private, link) = (base.join("private"), base.join("link"));
        fs::create_dir_all(&private).unwrap();
        std::os::unix::fs::symlink(&private, &link).unwrap();
        fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(is_ours_alone(&private));
        assert!(!is_ours_alone(&link));
        assert!(!is_ours_alone(Path::new("private")));
        fs::set_permissions(&private, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(!is_ours_alone(&private));
        fs::remove_dir_all(&base).unwrap();
    }
}
