//! FIFO files: making them, and opening their ends. What is opened is known to be a FIFO, since the open descriptor is asked.

use super::{
    name_file::{FileId, set_mode, stat},
    pipe::{KeepOpen, POLL_TELLS_THE_END, Recver, Sender, refuse_what_is_no_pipe},
    socket::set_nonblocking,
};
use crate::error::{about, about_as};
use rustix::{
    fs::{FileType, Mode, OFlags},
    io::{Errno, retry_on_intr},
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

/// Nobody is made to wait by opening, and a terminal that is there instead does not become ours.
const OPEN: OFlags = OFlags::NONBLOCK.union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// Makes a FIFO with exactly this mode. Until that is set, fewer may open it, and never more.
#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    clippy::useless_conversion,
    reason = "the types differ between systems"
)]
pub(crate) fn create(path: &Path, mode: libc::mode_t) -> io::Result<()> {
    let mode = Mode::from_raw_mode((mode & 0o7777) as _);
    make(path, mode)?;
    let found = stat(path)?.ok_or(Errno::NOENT)?;
    if found.st_mode as u32 & 0o7777 == mode.bits() as u32 {
        return Ok(());
    }
    // The umask took something away. Somebody who may write to the directory may have replaced the file since, if only by
    // another name of another FIFO of ours.
    let is_ours = FileType::from_raw_mode(found.st_mode) == FileType::Fifo
        && found.st_nlink as u64 == 1
        && found.st_uid == rustix::process::geteuid().as_raw();
    if !is_ours {
        return Err(io::Error::other("the file was replaced while it was made"));
    }
    set_mode(path, FileId::of(&found), mode).inspect_err(|_| {
        if stat(path).ok().flatten().is_some_and(|now| FileId::of(&now) == FileId::of(&found)) {
            let _ = rustix::fs::unlink(path);
        }
    })
}

#[cfg(not(target_vendor = "apple"))]
fn make(path: &Path, mode: Mode) -> io::Result<()> {
    Ok(rustix::fs::mkfifoat(rustix::fs::CWD, path, mode)?)
}

#[cfg(target_vendor = "apple")]
fn make(path: &Path, mode: Mode) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path ends with NUL.
    if unsafe { libc::mkfifo(path.as_ptr(), mode.bits()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Opens the end that receives, which waits for nobody.
pub(crate) fn open_recver(path: &Path, nonblocking: bool, stay_open: bool) -> io::Result<Recver> {
    let (reader, id) = open(path, OFlags::RDONLY | OPEN)?;
    let until = if stay_open { KeepOpen::Always } else { KeepOpen::UntilFirstByte };
    let writer = if stay_open || !POLL_TELLS_THE_END {
        match open_beside(path, id) {
            Ok(writer) => Some(writer),
            Err(error) if stay_open => return Err(about("to stay open", error)),
            // Then there is an end until the first sender has come.
            Err(_) => None,
        }
    } else {
        None
    };
    if !nonblocking {
        set_nonblocking(reader.as_fd(), false)?;
    }
    let recver = Recver::new(reader, nonblocking);
    Ok(match writer {
        Some(writer) => recver.kept_open(writer, until),
        None => recver,
    })
}

/// Opens the end that sends. Nobody to receive is `WouldBlock`; with `wait`, that is waited for as long as it takes.
pub(crate) fn open_sender(path: &Path, nonblocking: bool, wait: bool) -> io::Result<Sender> {
    let opened = match open(path, OFlags::WRONLY | OPEN) {
        Err(error) if wait && error.kind() == io::ErrorKind::WouldBlock => {
            open(path, OFlags::WRONLY | OPEN.difference(OFlags::NONBLOCK)).map(|(fd, _)| (fd, false))
        }
        opened => opened.map(|(fd, _)| (fd, true)),
    };
    let (writer, is_nonblocking) = opened?;
    if nonblocking != is_nonblocking {
        set_nonblocking(writer.as_fd(), nonblocking)?;
    }
    Ok(Sender::new(writer, nonblocking))
}

/// Opens both ends of one FIFO.
pub(crate) fn open_both(path: &Path, nonblocking: bool, stay_open: bool) -> io::Result<(Sender, Recver)> {
    let recver = open_recver(path, nonblocking, stay_open)?;
    let writer = open_beside(path, FileId::of(&rustix::fs::fstat(recver.as_fd())?))?;
    if !nonblocking {
        set_nonblocking(writer.as_fd(), false)?;
    }
    Ok((Sender::new(writer, nonblocking), recver))
}

/// Opens, nonblocking, the other end of the FIFO that we have open for receiving.
fn open_beside(path: &Path, reader: FileId) -> io::Result<OwnedFd> {
    let (writer, id) = open(path, OFlags::WRONLY | OPEN)?;
    if id != reader {
        return Err(io::Error::other("the file was replaced while it was opened"));
    }
    Ok(writer)
}

/// One attempt to open, which gives a FIFO or fails.
fn open(path: &Path, flags: OFlags) -> io::Result<(OwnedFd, FileId)> {
    let fd = match retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(fd) => fd,
        Err(error) => {
            // Some files cannot be opened so at all: there is nobody to receive, or it is a socket.
            if let Ok(found) = rustix::fs::stat(path) {
                refuse_what_is_no_pipe(&found, "FIFO")?;
            }
            return Err(match error {
                Errno::NXIO => {
                    about_as(io::ErrorKind::WouldBlock, "nobody has it open to receive", error.into())
                }
                _ => error.into(),
            });
        }
    };
    let found = rustix::fs::fstat(&fd)?;
    refuse_what_is_no_pipe(&found, "FIFO")?;
    Ok((fd, FileId::of(&found)))
}
