//! The socket file that a name leaves in the file system: made with the right permissions, taken over when
//! its owner is dead, and removed only while it is ours.
//!
//! Binding and removing happen under a lock on the directory (`flock` of the directory itself, so that no
//! lock file is left over), because the kernel can neither bind nor unlink on condition. A file's owner
//! is dead when connecting a *datagram* socket to it is refused: the kernel answers `ECONNREFUSED` if no socket
//! is bound to the file, and `EPROTOTYPE` if one of another type is, so that a live listener never notices.

use super::{
    name::{Address, path_address},
    socket,
};
use crate::{deadline::Deadline, local_socket::ExistingName};
use rustix::{
    fs::{FileType, FlockOperation, Mode, OFlags, Stat},
    io::Errno,
    net::{SocketAddrUnix, SocketType},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// A socket file of ours. Dropping it removes the file, unless it is somebody else's by then.
#[derive(Debug)]
pub(crate) struct NameFile {
    path: PathBuf,
    id: FileId,
    group: u32,
    /// A forked child has a copy of this value, but the name is its parent's.
    owner: rustix::process::Pid,
    remove_on_drop: bool,
    /// Where it is since it was moved: the kernel knows the socket by the name that it was bound to.
    moved_to: Option<PathBuf>,
}

/// What tells one file from another, as long as the socket bound to it is open.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    dev: u64,
    ino: u64,
}

impl FileId {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        clippy::cast_lossless,
        reason = "the types differ between systems"
    )]
    pub(super) fn of(stat: &Stat) -> Self {
        Self { dev: stat.st_dev as u64, ino: stat.st_ino as u64 }
    }
}

/// How many may wait for `accept`, unless it is said otherwise; the kernel has its own limit.
pub(crate) const DEFAULT_BACKLOG: u32 = 4096;

/// What becomes of the file that is made.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) mode: u32,
    /// Whether the group permissions are meant for our group, and not for whichever group the directory gives the file.
    pub(crate) for_our_group: bool,
    /// How many may wait for `accept`, if the socket is to listen.
    pub(crate) backlog: Option<u32>,
    pub(crate) existing: ExistingName,
    /// How long others may keep the directory locked; one second unless it is said.
    pub(crate) max_spin_time: Option<Duration>,
    pub(crate) remove_on_drop: bool,
}

impl Options {
    #[allow(clippy::cast_possible_truncation, reason = "permissions have nine bits")]
    fn mode(&self) -> Mode {
        Mode::from_bits_truncate(self.mode as _)
    }

    /// Lets the socket listen, if it is to.
    fn listen(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        if let Some(backlog) = self.backlog {
            rustix::net::listen(socket, i32::try_from(backlog).unwrap_or(i32::MAX))?;
        }
        Ok(())
    }
}

/// Binds `socket`, and lets it listen if it is to. Gives the file that this makes, if it makes one.
pub(crate) fn bind(
    socket: BorrowedFd<'_>,
    address: &Address<'_>,
    options: &Options,
) -> io::Result<Option<NameFile>> {
    match address {
        Address::File(path) => NameFile::bind(socket, path, options).map(Some),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Address::NoFile(address) => {
            rustix::net::bind(socket, address)?;
            options.listen(socket)?;
            Ok(None)
        }
    }
}

impl NameFile {
    /// Binds `socket` to `path` and lets it listen. On Linux the file is never more open than it is meant to be. Elsewhere it is
    /// so before the socket listens, which till then refuses everybody; a `connect` that is checked right before the one and
    /// completed right after the other is left to `accept`, which knows who it is.
    fn bind(socket: BorrowedFd<'_>, path: &Path, options: &Options) -> io::Result<Self> {
        let address = path_address(path)?;
        // A name that is free needs no lock, so that nobody can keep us from it by holding the lock.
        let deadline = Deadline::after(options.max_spin_time.unwrap_or(Duration::from_secs(1)));
        let lock = DirLock::take(&std::path::absolute(path)?, deadline);
        // Where the system makes the file with the socket's own mode (Linux), it is never wider than asked for.
        let _ = rustix::fs::fchmod(socket, options.mode());
        loop {
            match rustix::net::bind(socket, &address) {
                Ok(()) => break,
                Err(Errno::ADDRINUSE) => {}
                Err(error) => return Err(error.into()),
            }
            let Some(old) = stat(path)? else {
                if deadline.has_passed() {
                    return Err(in_use("the name comes and goes"));
                }
                continue;
            };
            refuse_what_is_no_socket(&old)?;
            if options.existing == ExistingName::Fail {
                return Err(in_use("the name exists already"));
            }
            if let Err(error) = &lock {
                let kind = match error.kind() {
                    io::ErrorKind::TimedOut => io::ErrorKind::TimedOut,
                    _ => io::ErrorKind::AddrInUse,
                };
                let why =
                    format!("the name exists, and its directory cannot be locked to replace it: {error}");
                return Err(io::Error::new(kind, why));
            }
            if options.existing == ExistingName::Steal {
                // What does not listen is answered at the name that it was bound to, which has to be this one.
                if options.backlog.is_some() {
                    if let Some(stolen) = Self::replace(socket, path, options)? {
                        return Ok(stolen);
                    }
                }
                // Or the directory's path leaves no room for the other name: clients may see a gap.
                unlink_if_there(path)?;
            } else if !is_dead(&address)? {
                return Err(in_use("another socket is bound to the name"));
            } else if stat(path)?.is_some_and(|now| FileId::of(&now) == FileId::of(&old)) {
                rustix::fs::unlink(path)?;
            }
        }
        let file = Self::made(path, lock.is_ok(), options)?;
        file.then(|_| options.listen(socket))
    }

    /// Binds to a name beside `path`, and moves it there: clients reach the old listener or the new one, but
    /// never none. `None` if the other name is too long. The caller has the lock.
    fn replace(socket: BorrowedFd<'_>, path: &Path, options: &Options) -> io::Result<Option<Self>> {
        let mut suffix = std::process::id();
        let beside = loop {
            let beside = path.with_file_name(format!(".{suffix:x}"));
            let Ok(address) = path_address(&beside) else { return Ok(None) };
            match rustix::net::bind(socket, &address) {
                Ok(()) => break beside,
                Err(Errno::ADDRINUSE) => suffix = suffix.wrapping_add(1),
                Err(error) => return Err(error.into()),
            }
        };
        let file = Self::made(&beside, true, options)?.then(|file| {
            options.listen(socket)?;
            rustix::fs::rename(&beside, path)?;
            file.path = std::path::absolute(path)?;
            file.moved_to = Some(path.to_owned());
            Ok(())
        })?;
        Ok(Some(file))
    }

    /// Takes charge of the file that was just made at `path`, and gives it its group and mode. Without the lock, somebody
    /// who had it may have moved another file there by now; then it is better left there in the end.
    #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
    fn made(path: &Path, is_locked: bool, options: &Options) -> io::Result<Self> {
        let found = stat(path)?.ok_or(Errno::NOENT)?;
        // Some systems follow a link that leads to nothing.
        refuse_what_is_no_socket(&found)?;
        let mut file = Self {
            // It may have to be removed after the process has changed its directory.
            path: std::path::absolute(path)?,
            id: FileId::of(&found),
            group: found.st_gid,
            owner: rustix::process::getpid(),
            remove_on_drop: options.remove_on_drop && is_locked,
            moved_to: None,
        };
        let our_group = rustix::process::getegid();
        if options.for_our_group && file.group != our_group.as_raw() {
            // Files get the group of their directory on the BSDs, and elsewhere if the directory says so.
            file = file.then(|file| {
                use rustix::fs::{AtFlags, CWD};
                rustix::fs::chownat(CWD, &file.path, None, Some(our_group), AtFlags::SYMLINK_NOFOLLOW)?;
                file.group = our_group.as_raw();
                Ok(())
            })?;
        }
        if u32::from(found.st_mode) & 0o777 != options.mode & 0o777 {
            file = file.then(|file| set_mode(&file.path, file.id, options.mode()))?;
        }
        Ok(file)
    }

    /// Goes on, or, if that fails, removes the file, whoever it was to be left to. The caller has the lock or could not get
    /// it.
    fn then(mut self, next: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<Self> {
        match next(&mut self) {
            Ok(()) => Ok(self),
            Err(error) => {
                self.remove();
                self.keep();
                Err(error)
            }
        }
    }

    /// Removes the file, if it is still what was made.
    fn remove(&self) {
        if stat(&self.path).ok().flatten().is_some_and(|found| FileId::of(&found) == self.id) {
            let _ = rustix::fs::unlink(&self.path);
        }
    }

    /// The group that has the file's group permissions.
    pub(crate) fn group(&self) -> u32 {
        self.group
    }

    /// The name that it has now, if the kernel does not know it.
    pub(crate) fn moved_to(&self) -> Option<&Path> {
        self.moved_to.as_deref()
    }

    pub(crate) fn keep(&mut self) {
        self.remove_on_drop = false;
    }
}

/// Changes the mode of the file that was made at `path`, never of what somebody may have put in its place.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn set_mode(path: &Path, id: FileId, mode: Mode) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    if FileId::of(&rustix::fs::fstat(&file)?) != id {
        return Err(in_use("the name was replaced while it was made"));
    }
    // `fchmod` refuses such a descriptor, and not every kernel has a `chmod` that does not follow links.
    match rustix::fs::chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), mode) {
        // Without /proc, that it was no link just now has to do.
        Err(Errno::NOENT) => Ok(rustix::fs::chmod(path, mode)?),
        result => Ok(result?),
    }
}

/// Changes the mode of the file that was made at `path`; a link in its place is not followed.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn set_mode(path: &Path, _id: FileId, mode: Mode) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    Ok(rustix::fs::chmodat(CWD, path, mode, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Has to run while the socket is open: until then no other file gets the same inode.
impl Drop for NameFile {
    fn drop(&mut self) {
        /// How long others may be busy in the directory. A file that is left over is taken over by the next.
        const PATIENCE: Duration = Duration::from_millis(100);

        if !self.remove_on_drop || rustix::process::getpid() != self.owner {
            return;
        }
        let Ok(_lock) = DirLock::take(&self.path, Deadline::after(PATIENCE)) else { return };
        self.remove();
    }
}

/// Keeps others who use this library from binding and removing names in a directory.
#[derive(Debug)]
struct DirLock(OwnedFd);

/// A child that was forked meanwhile has the descriptor too: closing ours would not unlock.
impl Drop for DirLock {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

impl DirLock {
    /// Fails if it takes too long, and where the directory may not be read or its file system has no locks.
    fn take(path: &Path, deadline: Deadline) -> io::Result<Self> {
        let dir = path.parent().unwrap_or(Path::new("/"));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(dir, flags, Mode::empty())?;
        let mut pause = Duration::from_micros(50);
        loop {
            match rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self(dir)),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if deadline.has_passed() => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the lock"));
                }
                // `flock` has no timeout, and blocking would let whoever may read the directory stop us.
                Err(Errno::WOULDBLOCK) => {
                    thread::sleep(deadline.remaining().map_or(pause, |left| left.min(pause)));
                    pause = (pause * 2).min(Duration::from_millis(10));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What is at `path` itself; a link is not followed.
pub(super) fn stat(path: &Path) -> io::Result<Option<Stat>> {
    match rustix::fs::lstat(path) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn refuse_what_is_no_socket(found: &Stat) -> io::Result<()> {
    let what = match FileType::from_raw_mode(found.st_mode) {
        FileType::Socket => return Ok(()),
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        _ => "a file that is not a socket",
    };
    Err(in_use(&format!("{what} is at that path, and will not be replaced")))
}

/// Whether no socket is bound to the file of that address.
fn is_dead(address: &SocketAddrUnix) -> io::Result<bool> {
    // Anything else, such as a lack of permission, does not prove it.
    #[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
    const REFUSED: Errno = Errno::CONNREFUSED;
    #[cfg(any(target_os = "illumos", target_os = "solaris"))]
    const REFUSED: Errno = Errno::DESTADDRREQ;

    let probe = socket::new(SocketType::DGRAM, true)?;
    let is_refused = || socket::set_destination(probe.as_fd(), address) == Err(REFUSED);
    // Linux makes the file a moment before it ties the socket to it, which others may be about to do without the lock.
    Ok(is_refused() && {
        thread::sleep(Duration::from_millis(1));
        is_refused()
    })
}

fn unlink_if_there(path: &Path) -> io::Result<()> {
    match rustix::fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn in_use(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, why)
}
