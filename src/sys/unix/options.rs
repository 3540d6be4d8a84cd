//! Options of sockets of the Unix domain.

use rustix::net::sockopt;
use std::{io, os::fd::BorrowedFd};

pub(crate) fn recv_buffer_size(fd: BorrowedFd<'_>) -> io::Result<usize> {
    Ok(sockopt::socket_recv_buffer_size(fd)?)
}

pub(crate) fn set_recv_buffer_size(fd: BorrowedFd<'_>, size: usize) -> io::Result<()> {
    Ok(sockopt::set_socket_recv_buffer_size(fd, size)?)
}

pub(crate) fn send_buffer_size(fd: BorrowedFd<'_>) -> io::Result<usize> {
    Ok(sockopt::socket_send_buffer_size(fd)?)
}

pub(crate) fn set_send_buffer_size(fd: BorrowedFd<'_>, size: usize) -> io::Result<()> {
    Ok(sockopt::set_socket_send_buffer_size(fd, size)?)
}

/// One option that is a plain C value.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"))]
fn set<T>(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    #[allow(clippy::cast_possible_truncation, reason = "no option is that large")]
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the pointer is to as many bytes as is said.
    let status = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const *value).cast(), len) };
    if status == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use super::*;
    use crate::sys::unix::creds::IS_SPARC;

    // Newer than the C libraries we support.
    const SO_PASSPIDFD: libc::c_int = if IS_SPARC { 0x55 } else { 76 };

    pub(crate) fn set_pass_credentials(fd: BorrowedFd<'_>, pass: bool) -> io::Result<()> {
        Ok(sockopt::set_socket_passcred(fd, pass)?)
    }

    pub(crate) fn set_pass_pidfd(fd: BorrowedFd<'_>, pass: bool) -> io::Result<()> {
        set(fd, libc::SOL_SOCKET, SO_PASSPIDFD, &libc::c_int::from(pass)).map_err(|error| {
            match error.raw_os_error() {
                Some(libc::ENOPROTOOPT) => io::Error::new(
                    io::ErrorKind::Unsupported,
                    "this kernel does not send descriptors of processes",
                ),
                _ => error,
            }
        })
    }

    pub(crate) fn set_pass_security(fd: BorrowedFd<'_>, pass: bool) -> io::Result<()> {
        set(fd, libc::SOL_SOCKET, libc::SO_PASSSEC, &libc::c_int::from(pass))
    }
}

#[cfg(any(target_os = "freebsd", target_os = "netbsd"))]
mod imp {
    use super::*;

    #[cfg(target_os = "freebsd")]
    const CREDENTIALS: libc::c_int = libc::LOCAL_CREDS_PERSISTENT;
    #[cfg(target_os = "netbsd")]
    const CREDENTIALS: libc::c_int = libc::LOCAL_CREDS;

    pub(crate) fn set_pass_credentials(fd: BorrowedFd<'_>, pass: bool) -> io::Result<()> {
        // Level 0 is that of local sockets.
        set(fd, 0, CREDENTIALS, &libc::c_int::from(pass))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd")))]
mod imp {
    use super::*;

    pub(crate) fn set_pass_credentials(_: BorrowedFd<'_>, pass: bool) -> io::Result<()> {
        if !pass {
            return Ok(());
        }
        let why = "this system does not say who sent a message; it has peer credentials for connections";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }
}

pub(crate) use imp::*;
