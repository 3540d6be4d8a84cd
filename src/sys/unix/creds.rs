//! Who is at the other end of a Unix-domain socket, as the kernel tells it.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// The peer's credentials, as of the time when it connected or, for a server, began to listen.
#[derive(Clone, Debug)]
pub(crate) struct PeerCreds {
    pid: Option<libc::pid_t>,
    euid: libc::uid_t,
    egid: Option<libc::gid_t>,
    groups: Option<Vec<libc::gid_t>>,
    groups_truncated: bool,
}

impl PeerCreds {
    pub(crate) fn pid(&self) -> Option<libc::pid_t> {
        // The kernel says 0 for a process that our pid namespace does not show.
        self.pid.filter(|pid| *pid > 0)
    }

    pub(crate) fn euid(&self) -> libc::uid_t {
        self.euid
    }

    pub(crate) fn egid(&self) -> Option<libc::gid_t> {
        self.egid
    }

    pub(crate) fn groups(&self) -> Option<&[libc::gid_t]> {
        self.groups.as_deref()
    }

    pub(crate) fn groups_truncated(&self) -> bool {
        self.groups_truncated
    }

    pub(crate) fn is_same_user(&self) -> bool {
        self.euid == rustix::process::geteuid().as_raw()
    }

    pub(crate) fn is_root(&self) -> bool {
        self.euid == 0
    }

    /// Whether the peer is in `group`, by its effective or one of its supplementary groups.
    pub(crate) fn is_in_group(&self, group: libc::gid_t) -> bool {
        self.egid == Some(group) || self.groups.as_ref().is_some_and(|groups| groups.contains(&group))
    }
}

/// The peer's effective user ID alone.
#[inline]
pub(crate) fn peer_euid(fd: BorrowedFd<'_>) -> io::Result<libc::uid_t> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return Ok(ucred(fd)?.uid);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return Ok(peer(fd, false)?.euid);
}

/// One socket option that is a plain C value.
#[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
fn option<T>(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int) -> io::Result<T> {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    #[allow(clippy::cast_possible_truncation, reason = "no option is that large")]
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is writable for `len` bytes.
    let status =
        unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len) };
    if status == -1 {
        return Err(io::Error::last_os_error());
    }
    // What was left zeroed would read as root. It happens if the socket is not of the Unix domain, where the same numbers
    // mean other options.
    if len as usize != size_of::<T>() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the system's answer has another length"));
    }
    // SAFETY: it was written in full, and the callers ask for C structures of integers: each bit pattern is valid.
    Ok(unsafe { value.assume_init() })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use super::*;
    use std::os::fd::{FromRawFd, OwnedFd};

    // Newer than the C libraries we support; SPARC alone has numbers of its own among Rust's targets.
    pub(crate) const IS_SPARC: bool = cfg!(any(target_arch = "sparc", target_arch = "sparc64"));
    const SO_PEERGROUPS: libc::c_int = if IS_SPARC { 0x3d } else { 59 };
    const SO_PEERPIDFD: libc::c_int = if IS_SPARC { 0x56 } else { 77 };

    /// The peer, as the kernel tells it.
    pub(crate) fn ucred(fd: BorrowedFd<'_>) -> io::Result<libc::ucred> {
        let creds: libc::ucred = option(fd, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
        // A connected socket always has credentials; without a peer, the kernel says -1.
        if creds.uid == libc::uid_t::MAX {
            return Err(io::ErrorKind::NotConnected.into());
        }
        Ok(creds)
    }

    pub(crate) fn peer(fd: BorrowedFd<'_>, with_groups: bool) -> io::Result<PeerCreds> {
        let creds = ucred(fd)?;
        let groups = if with_groups { groups(fd)? } else { None };
        Ok(PeerCreds {
            pid: Some(creds.pid),
            euid: creds.uid,
            egid: Some(creds.gid),
            groups,
            groups_truncated: false,
        })
    }

    /// The supplementary groups; `None` where the kernel (before 4.13) does not tell.
    fn groups(fd: BorrowedFd<'_>) -> io::Result<Option<Vec<libc::gid_t>>> {
        let mut groups: Vec<libc::gid_t> = vec![0; 32];
        loop {
            match bytes(fd, SO_PEERGROUPS, as_bytes(&mut groups)) {
                Ok(len) => {
                    groups.truncate(len / size_of::<libc::gid_t>());
                    return Ok(Some(groups));
                }
                // The length that was needed is told, but the list cannot change: doubling comes to the same.
                Err(error) if error.raw_os_error() == Some(libc::ERANGE) => {
                    groups.resize(groups.len() * 2, 0);
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn as_bytes(groups: &mut [libc::gid_t]) -> &mut [u8] {
        // SAFETY: the bytes of initialised integers, any of which may be written.
        unsafe { std::slice::from_raw_parts_mut(groups.as_mut_ptr().cast(), size_of_val(groups)) }
    }

    /// An option of variable length: how much of `value` was written.
    fn bytes(fd: BorrowedFd<'_>, name: libc::c_int, value: &mut [u8]) -> io::Result<usize> {
        let mut len = libc::socklen_t::try_from(value.len()).unwrap_or(libc::socklen_t::MAX);
        // SAFETY: `value` is writable for `len` bytes, which is at most its length.
        let status = unsafe {
            libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, name, value.as_mut_ptr().cast(), &raw mut len)
        };
        if status == -1 { Err(io::Error::last_os_error()) } else { Ok(len as usize) }
    }

    /// A descriptor for the peer's process, which stays the same process whatever becomes of its number.
    pub(crate) fn pidfd(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        let raw: libc::c_int = option(fd, libc::SOL_SOCKET, SO_PEERPIDFD).map_err(unsupported)?;
        // SAFETY: the option made this descriptor for us, close-on-exec.
        Ok(unsafe { OwnedFd::from_raw_fd(raw) })
    }

    /// The security label that a Linux security module gave the peer.
    pub(crate) fn label(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
        let mut label = vec![0; 256];
        loop {
            match bytes(fd, libc::SO_PEERSEC, &mut label) {
                Ok(len) => {
                    label.truncate(len);
                    // Some modules count the NUL.
                    if label.last() == Some(&0) {
                        label.pop();
                    }
                    return Ok(label);
                }
                Err(error) if error.raw_os_error() == Some(libc::ERANGE) => label.resize(label.len() * 2, 0),
                Err(error) => return Err(unsupported(error)),
            }
        }
    }

    fn unsupported(error: io::Error) -> io::Error {
        match error.raw_os_error() {
            Some(libc::ENOPROTOOPT | libc::EOPNOTSUPP) => {
                io::Error::new(io::ErrorKind::Unsupported, "this kernel does not tell that about a peer")
            }
            _ => error,
        }
    }
}

#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "dragonfly"))]
mod imp {
    use super::*;

    /// `SOL_LOCAL`: the level of the options of local sockets.
    const SOL_LOCAL: libc::c_int = 0;

    #[allow(clippy::unnecessary_wraps, clippy::missing_const_for_fn, reason = "one shape for each system")]
    pub(crate) fn peer(fd: BorrowedFd<'_>, _with_groups: bool) -> io::Result<PeerCreds> {
        let creds: libc::xucred = option(fd, SOL_LOCAL, libc::LOCAL_PEERCRED)?;
        if creds.cr_version != libc::XUCRED_VERSION {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the system has another form of credentials",
            ));
        }
        let count = usize::try_from(creds.cr_ngroups).unwrap_or(0).min(creds.cr_groups.len());
        let groups = creds.cr_groups[..count].to_vec();
        Ok(PeerCreds {
            pid: pid(fd, &creds),
            euid: creds.cr_uid,
            // The first of the groups is the effective one.
            egid: groups.first().copied(),
            groups_truncated: count == creds.cr_groups.len(),
            groups: Some(groups),
        })
    }

    #[cfg(target_vendor = "apple")]
    fn pid(fd: BorrowedFd<'_>, _: &libc::xucred) -> Option<libc::pid_t> {
        option(fd, SOL_LOCAL, libc::LOCAL_PEERPID).ok()
    }

    #[cfg(target_os = "freebsd")]
    #[allow(clippy::unnecessary_wraps, reason = "one shape for each system")]
    fn pid(_: BorrowedFd<'_>, creds: &libc::xucred) -> Option<libc::pid_t> {
        // SAFETY: either field of the union is a number or zeroes; systems before 13 leave it zeroed.
        Some(unsafe { creds.cr_pid__c_anonymous_union.cr_pid })
    }

    #[cfg(target_os = "dragonfly")]
    fn pid(_: BorrowedFd<'_>, _: &libc::xucred) -> Option<libc::pid_t> {
        None
    }
}

#[cfg(target_os = "netbsd")]
mod imp {
    use super::*;

    pub(crate) fn peer(fd: BorrowedFd<'_>, _with_groups: bool) -> io::Result<PeerCreds> {
        // Level 0 is that of local sockets.
        let creds: libc::unpcbid = option(fd, 0, libc::LOCAL_PEEREID)?;
        Ok(PeerCreds {
            pid: Some(creds.unp_pid),
            euid: creds.unp_euid,
            egid: Some(creds.unp_egid),
            groups: None,
            groups_truncated: false,
        })
    }
}

#[cfg(target_os = "openbsd")]
mod imp {
    use super::*;

    pub(crate) fn peer(fd: BorrowedFd<'_>, _with_groups: bool) -> io::Result<PeerCreds> {
        let creds: libc::sockpeercred = option(fd, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
        Ok(PeerCreds {
            pid: Some(creds.pid),
            euid: creds.uid,
            egid: Some(creds.gid),
            groups: None,
            groups_truncated: false,
        })
    }
}

#[cfg(any(target_os = "illumos", target_os = "solaris"))]
mod imp {
    use super::*;
    use std::{ptr, slice};

    pub(crate) fn peer(fd: BorrowedFd<'_>, _with_groups: bool) -> io::Result<PeerCreds> {
        let mut ucred = ptr::null_mut();
        // SAFETY: the pointer to a null pointer asks for a new structure.
        if unsafe { libc::getpeerucred(fd.as_raw_fd(), &raw mut ucred) } == -1 {
            return Err(io::Error::last_os_error());
        }
        let mut groups = ptr::null();
        // SAFETY: the call above made `ucred`; the accessors only read it, and `groups` points into it.
        let (pid, user, group, count) = unsafe {
            (
                libc::ucred_getpid(ucred),
                libc::ucred_geteuid(ucred),
                libc::ucred_getegid(ucred),
                libc::ucred_getgroups(ucred, &raw mut groups),
            )
        };
        let groups = usize::try_from(count).ok().map(|count| {
            // SAFETY: `ucred_getgroups` gave this many groups, which live until `ucred` is freed.
            unsafe { slice::from_raw_parts(groups, count) }.to_vec()
        });
        // SAFETY: it is ours, and not used any more.
        unsafe { libc::ucred_free(ucred) };
        Ok(PeerCreds { pid: Some(pid), euid: user, egid: Some(group), groups, groups_truncated: false })
    }
}

pub(crate) use imp::*;
