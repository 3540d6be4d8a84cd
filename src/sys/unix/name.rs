//! What a local socket's name is as an address.

use crate::local_socket::{Kind, Name};
use rustix::{
    fs::{FileType, Mode},
    net::SocketAddrUnix,
};
use std::{
    borrow::Cow,
    env,
    ffi::{CStr, OsStr, OsString},
    io,
    mem::{offset_of, size_of},
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

/// How many bytes a socket's path may have, without the NUL that ends it. An abstract name has the same limit:
/// there the NUL comes first.
pub(crate) const MAX_LEN: usize =
    size_of::<libc::sockaddr_un>() - offset_of!(libc::sockaddr_un, sun_path) - 1;

/// Checks what can be checked without looking at the file system or the environment.
#[inline]
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

#[inline]
pub(crate) fn check_len(bytes: &[u8]) -> io::Result<()> {
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
pub(crate) fn file<'a>(name: &'a Name<'_>) -> Option<Cow<'a, Path>> {
    match name.kind() {
        Kind::Path => Some(Path::new(name.as_os_str()).into()),
        Kind::RuntimeDir => Some(RuntimeDir::find().path.join(name.as_os_str()).into()),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Kind::Namespace => None,
    }
}

/// What a socket is bound or connected to.
#[derive(Clone, Debug)]
pub(crate) enum Address<'a> {
    /// A file, which binding makes.
    File(Cow<'a, Path>),
    /// An abstract name, or none at all.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    NoFile(SocketAddrUnix),
}

impl Address<'_> {
    pub(crate) fn to_socket_address(&self) -> io::Result<SocketAddrUnix> {
        match self {
            Self::File(path) => path_address(path),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::NoFile(address) => Ok(address.clone()),
        }
    }
}

/// The address of a local socket's name.
#[allow(clippy::unnecessary_wraps, reason = "an abstract name may be too long")]
#[inline]
pub(crate) fn address<'a>(name: &'a Name<'_>) -> io::Result<Address<'a>> {
    match file(name) {
        Some(path) => Ok(Address::File(path)),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        None => abstract_address(name.as_os_str().as_bytes()),
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        None => unreachable!("every name is a file here"),
    }
}

/// An address in the abstract namespace.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn abstract_address(name: &[u8]) -> io::Result<Address<'static>> {
    check_len(name)?;
    Ok(Address::NoFile(SocketAddrUnix::new_abstract_name(name)?))
}

#[inline]
pub(crate) fn path_address(path: &Path) -> io::Result<SocketAddrUnix> {
    check_len(path.as_os_str().as_bytes())?;
    Ok(SocketAddrUnix::new(path)?)
}

/// The name that a socket is bound to: an empty path if it has none.
pub(crate) fn of_socket(fd: BorrowedFd<'_>) -> Name<'static> {
    let address = SourceAddress::local(fd).unwrap_or_else(|_| SourceAddress::new());
    let (kind, name) = match address.bytes() {
        AddressBytes::Unnamed => (Kind::Path, &[][..]),
        AddressBytes::File(path) => (Kind::Path, path),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        AddressBytes::Abstract(name) => (Kind::Namespace, name),
    };
    Name::unchecked(kind, OsString::from_vec(name.to_vec()))
}

/// Where a message came from, as the kernel writes it.
pub(crate) struct SourceAddress {
    raw: libc::sockaddr_un,
    len: usize,
}

/// What an address is, and the bytes of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum AddressBytes<'a> {
    Unnamed,
    File(&'a [u8]),
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Abstract(&'a [u8]),
}

impl SourceAddress {
    pub(crate) fn new() -> Self {
        // SAFETY: the structure is made of integers.
        Self { raw: unsafe { std::mem::zeroed() }, len: 0 }
    }

    /// What a socket is bound to (`getsockname`).
    pub(crate) fn local(fd: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: the call is a system's, and is given what it asks for.
        Self::told_by(fd, |fd, address, len| unsafe { libc::getsockname(fd, address, len) })
    }

    /// What a socket's peer is bound to (`getpeername`).
    pub(crate) fn peer(fd: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: as above.
        Self::told_by(fd, |fd, address, len| unsafe { libc::getpeername(fd, address, len) })
    }

    fn told_by(
        fd: BorrowedFd<'_>,
        call: impl FnOnce(libc::c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> libc::c_int,
    ) -> io::Result<Self> {
        let mut address = Self::new();
        let (place, mut len) = address.room();
        if call(fd.as_raw_fd(), place.cast(), &raw mut len) == -1 {
            return Err(io::Error::last_os_error());
        }
        address.set_len(len);
        Ok(address)
    }

    /// Where the kernel writes, and how much it may.
    pub(super) fn room(&mut self) -> (*mut libc::c_void, libc::socklen_t) {
        #[allow(clippy::cast_possible_truncation, reason = "some hundred bytes")]
        ((&raw mut self.raw).cast(), size_of::<libc::sockaddr_un>() as libc::socklen_t)
    }

    /// How much it has written.
    pub(super) fn set_len(&mut self, len: libc::socklen_t) {
        self.len = (len as usize).min(size_of::<libc::sockaddr_un>());
    }

    fn written(&self) -> &[u8] {
        let len = self.len.saturating_sub(offset_of!(libc::sockaddr_un, sun_path));
        // SAFETY: characters are bytes, and there are no more of them than the array has.
        unsafe { std::slice::from_raw_parts(self.raw.sun_path.as_ptr().cast::<u8>(), len) }
    }

    /// The path with the NUL that ends it, if the kernel wrote one.
    pub(crate) fn path(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(self.written()).ok()
    }

    pub(crate) fn bytes(&self) -> AddressBytes<'_> {
        let path = self.written();
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some((0, name)) = path.split_first() {
            return AddressBytes::Abstract(name);
        }
        match path.split(|byte| *byte == 0).next() {
            None | Some([]) => AddressBytes::Unnamed,
            Some(path) => AddressBytes::File(path),
        }
    }
}

/// The name with the directory that it is in now, and whether other users could have made the socket that it stands for, though
/// the name looks private. One answer, as it is another one when the user logs in, and a client may wait for long.
#[inline]
pub(crate) fn located<'n>(name: &'n Name<'_>) -> (Name<'n>, bool) {
    if name.kind() != Kind::RuntimeDir {
        return (name.borrow(), false);
    }
    let directory = RuntimeDir::find();
    let path = directory.path.join(name.as_os_str());
    (Name::unchecked(Kind::Path, path.into_os_string()), !directory.is_private)
}

/// The directory for names that belong to the user.
struct RuntimeDir {
    path: PathBuf,
    is_private: bool,
}

impl RuntimeDir {
    fn find() -> Self {
        let told = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        if let Some(path) = told.filter(|path| is_ours_alone(path, ALL)) {
            return Self { path, is_private: true };
        }
        // Where it is as a rule, and where interprocess 2 looks for it: services and `sudo` often have no such variable. For
        // root, that version makes the directory if there is none, and lets others look into it.
        let usual = PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw()));
        if is_ours_alone(&usual, WRITING) {
            return Self { path: usual, is_private: true };
        }
        Self { path: PathBuf::from("/tmp"), is_private: false }
    }
}

/// What others may do with a directory.
const ALL: Mode = Mode::RWXG.union(Mode::RWXO);
/// What of it lets them put sockets there.
const WRITING: Mode = Mode::WGRP.union(Mode::WOTH);

/// Whether `path` is absolute, a directory and not a link to one, owned by our user, and gives others none of `rights`.
fn is_ours_alone(path: &Path, rights: Mode) -> bool {
    path.is_absolute()
        && rustix::fs::lstat(path).is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode) == FileType::Directory
                && stat.st_uid == rustix::process::geteuid().as_raw()
                && !Mode::from_raw_mode(stat.st_mode).intersects(rights)
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
        assert!(is_ours_alone(&private, ALL));
        assert!(!is_ours_alone(&link, ALL));
        assert!(!is_ours_alone(Path::new("private"), ALL));
        fs::set_permissions(&private, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(!is_ours_alone(&private, ALL));
        assert!(is_ours_alone(&private, WRITING));
        fs::set_permissions(&private, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(!is_ours_alone(&private, WRITING));
        fs::remove_dir_all(&base).unwrap();
    }
}
