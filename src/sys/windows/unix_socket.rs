//! Sockets of the Unix domain, which Windows has since version 1803 of Windows 10.
//!
//! A connection is a [`Stream`](super::stream::Stream) like that of a pipe: a socket is a file to the kernel, and
//! `ReadFile`, `WriteFile` and `CancelIoEx` do with it what they do with a pipe. Here is what is different: the name,
//! which is a file; the listener; who the peer is; and how a connection ends.
//!
//! A socket file is a reparse point, which can only be opened as what it is. All that is done to one is done by a handle
//! to it, and never by its path once more: somebody may have put another in its place.

use super::{
    creds::PeerCreds,
    overlapped::{File, Op, Signal, as_raw_socket, as_socket, has_code, is_aborted, milliseconds},
    security::{self, SecurityDescriptor, our_group, our_user, owner_of},
    stream::Stream,
    wide::to_wide,
};
#[cfg(feature = "async")]
use crate::runtime::Interest;
use crate::{
    deadline::Deadline,
    error::about,
    local_socket::{Access, ExistingName, ListenerOptions, Name},
    os::windows::security_descriptor::{AccessList, Ace, Acl, Control, Parts, Sid},
};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io,
    marker::PhantomData,
    net::Shutdown,
    os::windows::{
        fs::OpenOptionsExt,
        io::{
            AsHandle, AsRawHandle, AsRawSocket, AsSocket, BorrowedHandle, BorrowedSocket, FromRawHandle,
            FromRawSocket, OwnedHandle, OwnedSocket,
        },
    },
    path::{Path, PathBuf},
    ptr::{null, null_mut},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
    time::Duration,
};
use windows_sys::Win32::{
    Foundation::{
        ERROR_CONNECTION_ABORTED, ERROR_FILE_NOT_FOUND, ERROR_GRACEFUL_DISCONNECT, ERROR_INVALID_FUNCTION,
        ERROR_INVALID_PARAMETER, ERROR_NETNAME_DELETED, ERROR_NOT_SUPPORTED, WAIT_ABANDONED, WAIT_OBJECT_0,
        WAIT_TIMEOUT,
    },
    Networking::WinSock::{
        AF_UNIX, INVALID_SOCKET, POLLERR, POLLHUP, POLLRDNORM, SD_BOTH, SD_RECEIVE, SD_SEND,
        SIO_AF_UNIX_GETPEERPID, SO_UPDATE_ACCEPT_CONTEXT, SOCK_STREAM, SOCKADDR_UN, SOCKET, SOL_SOCKET,
        WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED, WSADATA, WSAEADDRINUSE, WSAEAFNOSUPPORT,
        WSAECONNABORTED, WSAECONNREFUSED, WSAECONNRESET, WSAEDISCON, WSAEPROTONOSUPPORT, WSAESHUTDOWN,
        WSAESOCKTNOSUPPORT, WSAIoctl, WSAPOLLFD, WSAPoll, WSASocketW, WSAStartup, bind, connect, listen,
        setsockopt, shutdown,
    },
    Security::SECURITY_ATTRIBUTES,
    Storage::FileSystem::{
        DELETE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO,
        FILE_DISPOSITION_FLAG_DELETE, FILE_DISPOSITION_FLAG_POSIX_SEMANTICS, FILE_DISPOSITION_INFO,
        FILE_DISPOSITION_INFO_EX, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
        FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_ID_INFO, FILE_INFO_BY_HANDLE_CLASS, FILE_READ_ATTRIBUTES,
        FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FileAttributeTagInfo, FileDispositionInfo,
        FileDispositionInfoEx, FileIdInfo, GetFileInformationByHandleEx, READ_CONTROL, SYNCHRONIZE,
        SetFileInformationByHandle, WRITE_DAC, WRITE_OWNER,
    },
    System::{
        IO::CancelIoEx,
        SystemServices::{IO_REPARSE_TAG_AF_UNIX, IO_REPARSE_TAG_MOUNT_POINT, IO_REPARSE_TAG_SYMLINK},
        Threading::{CreateMutexExW, MUTEX_MODIFY_STATE, OpenMutexW, ReleaseMutex, WaitForSingleObject},
    },
};

/// The size of a structure of the system, for the system.
#[allow(clippy::cast_possible_truncation, reason = "they have some dozen bytes")]
const fn size<T>() -> u32 {
    size_of::<T>() as u32
}

/// What a call says that gives 0, or a negative number for a failure.
fn result(code: i32) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn is(error: &io::Error, code: i32) -> bool {
    error.raw_os_error() == Some(code)
}

fn in_use(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, why)
}

fn raw(socket: BorrowedSocket<'_>) -> SOCKET {
    as_socket(socket.as_raw_socket())
}

/// The socket that a handle is.
pub(crate) fn of_handle(handle: BorrowedHandle<'_>) -> BorrowedSocket<'_> {
    let socket = as_raw_socket(handle.as_raw_handle().expose_provenance());
    // SAFETY: the handle is open for as long as it is borrowed. Should it be no socket, the functions for sockets say
    // so.
    unsafe { BorrowedSocket::borrow_raw(socket) }
}

/// Has the system get ready for sockets, once.
fn start() -> io::Result<()> {
    /// Of the functions that are used here.
    const VERSION: u16 = 0x0202;
    static STARTED: OnceLock<i32> = OnceLock::new();

    // It is never undone: sockets may be in use until the process ends.
    // SAFETY: the structure outlives the call.
    match *STARTED.get_or_init(|| unsafe { WSAStartup(VERSION, &mut WSADATA::default()) }) {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// A stream socket of the Unix domain.
fn new() -> io::Result<OwnedSocket> {
    of_family(AF_UNIX)
}

/// A stream socket, overlapped, which no child inherits.
fn of_family(family: u16) -> io::Result<OwnedSocket> {
    start()?;
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: null leaves the choice of the provider to the system.
    let socket = unsafe { WSASocketW(family.into(), SOCK_STREAM, 0, null(), 0, flags) };
    if socket == INVALID_SOCKET {
        let error = io::Error::last_os_error();
        let unsupported = [WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTONOSUPPORT];
        if unsupported.iter().any(|&code| is(&error, code)) {
            let error = about("this system has no sockets of the Unix domain", error);
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        }
        return Err(error);
    }
    // SAFETY: WSASocketW succeeded, so the socket is open and ours.
    Ok(unsafe { OwnedSocket::from_raw_socket(as_raw_socket(socket)) })
}

/// Whether this system has sockets of the Unix domain.
pub(crate) fn is_supported() -> bool {
    static SUPPORTED: OnceLock<bool> = OnceLock::new();

    if let Some(&supported) = SUPPORTED.get() {
        return supported;
    }
    match new() {
        Ok(_) => *SUPPORTED.get_or_init(|| true),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => *SUPPORTED.get_or_init(|| false),
        // Of something else the system may have run out for the moment.
        Err(_) => false,
    }
}

/// The address of a socket file.
#[derive(Copy, Clone)]
pub(crate) struct Address(SOCKADDR_UN);

impl Address {
    /// How many bytes of UTF-8 the path may have, without the NUL that ends it.
    pub(crate) const MAX_LEN: usize = SOCKADDR_UN { sun_family: 0, sun_path: [0; 108] }.sun_path.len() - 1;

    /// For the system, which ends the path at the first NUL.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it is 110 bytes")]
    const SIZE: i32 = size_of::<SOCKADDR_UN>() as i32;

    pub(crate) fn new(path: &OsStr) -> io::Result<Self> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
        let path = path.to_str().ok_or_else(|| invalid("it is not Unicode, as a socket's path has to be"))?;
        if path.is_empty() || path.contains('\0') {
            return Err(invalid("a socket's path must not be empty or contain NUL"));
        }
        let (len, max) = (path.len(), Self::MAX_LEN);
        if len > max {
            let why = format!("it is {len} bytes long as UTF-8, but at most {max} are possible");
            return Err(invalid(&why));
        }
        let mut address = SOCKADDR_UN { sun_family: AF_UNIX, ..SOCKADDR_UN::default() };
        for (unit, &byte) in address.sun_path.iter_mut().zip(path.as_bytes()) {
            *unit = i8::from_ne_bytes([byte]);
        }
        Ok(Self(address))
    }

    fn bind(&self, socket: &OwnedSocket) -> io::Result<()> {
        // SAFETY: the address has that size and outlives the call.
        result(unsafe { bind(raw(socket.as_socket()), (&raw const self.0).cast(), Self::SIZE) })
    }

    fn connect(&self, socket: &OwnedSocket) -> io::Result<()> {
        // SAFETY: the address has that size and outlives the call.
        result(unsafe { connect(raw(socket.as_socket()), (&raw const self.0).cast(), Self::SIZE) })
    }
}

/// Connects, which does not wait: a listener whose queue is full refuses.
///
/// # Errors
/// As on Unix: `NotFound` if nothing is there, `ConnectionRefused` if nobody listens, or it is no socket.
pub(crate) fn connect_to(path: &OsStr, is_nonblocking: bool) -> io::Result<Stream> {
    let address = Address::new(path)?;
    let socket = new()?;
    if let Err(error) = address.connect(&socket) {
        return Err(explain_connecting(Path::new(path), error));
    }
    let server = std::path::absolute(path)?;
    Ok(Stream::of_socket(socket.into(), Peer { server: Some(server) }, is_nonblocking))
}

/// The system's codes do not tell a name that is not there from one that nobody listens on.
fn explain_connecting(path: &Path, error: io::Error) -> io::Error {
    let what = Found::at(path, FILE_READ_ATTRIBUTES).and_then(|found| found.map(|it| it.what()).transpose());
    match what {
        Ok(None) if error.kind() != io::ErrorKind::PermissionDenied => {
            io::Error::new(io::ErrorKind::NotFound, error)
        }
        Ok(Some(other)) if other != What::Socket => {
            let why = format!("{} is at that path", other.describe());
            io::Error::new(io::ErrorKind::ConnectionRefused, about(why, error))
        }
        _ => error,
    }
}

/// Why nothing could be bound: also of a directory the system says little.
fn explain_binding(path: &Path, error: io::Error) -> io::Error {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::metadata(parent) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            io::Error::new(io::ErrorKind::NotFound, about("there is no such directory", error))
        }
        Ok(metadata) if !metadata.is_dir() => {
            io::Error::new(io::ErrorKind::NotADirectory, about("what it should be in is no directory", error))
        }
        _ => error,
    }
}

/// What is known about the other end of a socket.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The path of the server, if that is the other end.
    server: Option<PathBuf>,
}

impl Peer {
    /// Whether the process at the other end runs as our user, or as the system; and the file, too, is owned by our user,
    /// or by somebody who could do all that our user can. To have both takes more than the number of a process that has
    /// ended, and more than a file that was moved there.
    pub(crate) fn server_is_ours(&self, handle: BorrowedHandle<'_>) -> io::Result<bool> {
        let is_ours = |sid: &Sid| io::Result::Ok(sid.is_all_powerful() || sid == our_user()?);
        let Some(path) = &self.server else { return Ok(false) };
        let process = security::client_of_process(pid(handle)?)?;
        let Some(file) = Found::at(path, READ_CONTROL | FILE_READ_ATTRIBUTES)? else { return Ok(false) };
        Ok(is_ours(&process.user)?
            && file.what()? == What::Socket
            && is_ours(&owner_of(file.0.as_handle())?)?)
    }
}

/// Who is at the other end, by the number of its process: the system knows no more. So all of it is a hint, since the
/// process may have ended, and another have its number.
pub(crate) fn peer_creds(handle: BorrowedHandle<'_>) -> io::Result<PeerCreds> {
    PeerCreds::of_process(pid(handle)?)
}

/// The number of the process at the other end.
fn pid(handle: BorrowedHandle<'_>) -> io::Result<u32> {
    let (mut pid, mut returned) = (0_u32, 0);
    // SAFETY: `pid` has as many bytes as is said, and what is pointed to outlives the call. (How many bytes were returned
    // the system does not tell: it says 0.)
    result(unsafe {
        WSAIoctl(
            raw(of_handle(handle)),
            SIO_AF_UNIX_GETPEERPID,
            null(),
            0,
            (&raw mut pid).cast(),
            size::<u32>(),
            &raw mut returned,
            null_mut(),
            None,
        )
    })?;
    Ok(pid)
}

/// Whether the peer is gone, or has shut down its sending direction, which looks the same.
pub(crate) fn is_peer_gone(handle: BorrowedHandle<'_>) -> io::Result<bool> {
    let mut poll = WSAPOLLFD { fd: raw(of_handle(handle)), events: POLLRDNORM, revents: 0 };
    // SAFETY: there is one such structure, which outlives the call. It does not wait.
    if unsafe { WSAPoll(&raw mut poll, 1, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(poll.revents & (POLLHUP | POLLERR) != 0)
}

/// Ends one direction, or both.
pub(crate) fn shut_down(handle: BorrowedHandle<'_>, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => SD_RECEIVE,
        Shutdown::Write => SD_SEND,
        Shutdown::Both => SD_BOTH,
    };
    // SAFETY: it takes numbers only.
    match result(unsafe { shutdown(raw(of_handle(handle)), how) }) {
        // As on Unix.
        Err(error) if is_peer_gone_error(&error) => {
            return Err(io::Error::new(io::ErrorKind::NotConnected, error));
        }
        result => result?,
    }
    if how == SD_BOTH {
        // Wakes those who wait. A call that is cancelled is made anew, and finds the end. With one direction that cannot
        // be done, since it would tear what goes on in the other.
        // SAFETY: the handle is open; null stands for all operations, which stay their owners'.
        unsafe { CancelIoEx(handle.as_raw_handle(), null()) };
    }
    Ok(())
}

/// Whether this is the error of an operation on a socket whose other end is gone, or whose direction was shut down here.
///
/// `ReadFile` and `WriteFile` report the kernel's status by the general table of errors, and not by that of sockets. A
/// connection that was reset, or that either end has cut, is `ERROR_NETNAME_DELETED` there; one that was aborted here is
/// `ERROR_CONNECTION_ABORTED`; and one that was shut down is `ERROR_PIPE_NOT_CONNECTED`, as for a pipe.
pub(crate) fn is_peer_gone_error(error: &io::Error) -> bool {
    [ERROR_NETNAME_DELETED, ERROR_CONNECTION_ABORTED, ERROR_GRACEFUL_DISCONNECT]
        .iter()
        .any(|&code| has_code(error, code))
        || [WSAECONNRESET, WSAECONNABORTED, WSAESHUTDOWN, WSAEDISCON].iter().any(|&code| is(error, code))
}

/// What is at a path.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum What {
    Socket,
    RegularFile,
    Directory,
    Link,
    Other,
}

impl What {
    fn new(information: FILE_ATTRIBUTE_TAG_INFO) -> Self {
        let has = |attribute| information.FileAttributes & attribute != 0;
        match information.ReparseTag {
            IO_REPARSE_TAG_AF_UNIX if has(FILE_ATTRIBUTE_REPARSE_POINT) => Self::Socket,
            IO_REPARSE_TAG_SYMLINK | IO_REPARSE_TAG_MOUNT_POINT if has(FILE_ATTRIBUTE_REPARSE_POINT) => {
                Self::Link
            }
            _ if has(FILE_ATTRIBUTE_DIRECTORY) => Self::Directory,
            _ if has(FILE_ATTRIBUTE_REPARSE_POINT) => Self::Other,
            _ => Self::RegularFile,
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Socket => "a socket",
            Self::RegularFile => "a regular file",
            Self::Directory => "a directory",
            Self::Link => "a link",
            Self::Other => "a file that is not a socket",
        }
    }
}

/// What tells one file from another, for as long as either is there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct FileId {
    volume: u64,
    id: u128,
}

impl FileId {
    fn of(file: BorrowedHandle<'_>) -> io::Result<Self> {
        // SAFETY: that is what this class gives.
        let id = unsafe { information::<FILE_ID_INFO>(file, FileIdInfo) }?;
        Ok(Self { volume: id.VolumeSerialNumber, id: u128::from_ne_bytes(id.FileId.Identifier) })
    }
}

/// A piece of information about a file.
///
/// # Safety
/// It is what `class` gives, and of numbers.
unsafe fn information<T: Default>(
    file: BorrowedHandle<'_>,
    class: FILE_INFO_BY_HANDLE_CLASS,
) -> io::Result<T> {
    let mut information = T::default();
    // SAFETY: the handle is open, and the structure has that size and outlives the call.
    let done = unsafe {
        GetFileInformationByHandleEx(file.as_raw_handle(), class, (&raw mut information).cast(), size::<T>())
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(information) }
}

/// What was found at a path: the thing itself, and not what it leads to.
#[derive(Debug)]
struct Found(fs::File);

impl Found {
    /// `None` if nothing is there.
    fn at(path: &Path, access: u32) -> io::Result<Option<Self>> {
        let file = OpenOptions::new()
            .access_mode(access | SYNCHRONIZE)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
            .open(path);
        match file {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn what(&self) -> io::Result<What> {
        // SAFETY: that is what this class gives.
        unsafe { information(self.0.as_handle(), FileAttributeTagInfo) }.map(What::new)
    }

    fn id(&self) -> io::Result<FileId> {
        FileId::of(self.0.as_handle())
    }

    fn refuse_what_is_no_socket(&self) -> io::Result<()> {
        match self.what()? {
            What::Socket => Ok(()),
            other => Err(in_use(&format!("{} is at that path, and will not be replaced", other.describe()))),
        }
    }

    /// Deletes it, whatever it is. The name is free at once, even if others have it open, where the file system can do
    /// that.
    fn delete(&self) -> io::Result<()> {
        let flags = FILE_DISPOSITION_FLAG_DELETE | FILE_DISPOSITION_FLAG_POSIX_SEMANTICS;
        let at_once = FILE_DISPOSITION_INFO_EX { Flags: flags };
        // SAFETY: that is what this class takes.
        match unsafe { self.set(FileDispositionInfoEx, &at_once) } {
            Err(error)
                if [ERROR_INVALID_PARAMETER, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED]
                    .iter()
                    .any(|&code| has_code(&error, code)) =>
            {
                // SAFETY: as above.
                unsafe { self.set(FileDispositionInfo, &FILE_DISPOSITION_INFO { DeleteFile: true }) }
            }
            result => result,
        }
    }

    /// # Safety
    /// `information` is what `class` takes.
    unsafe fn set<T>(&self, class: FILE_INFO_BY_HANDLE_CLASS, information: &T) -> io::Result<()> {
        // SAFETY: the handle is open, and the structure has that size and outlives the call.
        let done = unsafe {
            let information = (&raw const *information).cast();
            SetFileInformationByHandle(self.0.as_raw_handle(), class, information, size::<T>())
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A mutex of that name: the one that is there, or a new one. It is there for as long as somebody has a handle to it.
fn mutex(name: &str) -> io::Result<OwnedHandle> {
    // Of our user, elevated or not, in every session.
    let security = SecurityDescriptor::of_pipe(Access::Owner)?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size::<SECURITY_ATTRIBUTES>(),
        lpSecurityDescriptor: security.as_ptr().cast_mut().cast(),
        bInheritHandle: 0,
    };
    let name = to_wide(name.as_ref());
    // SAFETY: the name ends with NUL, the descriptor is valid and only read, and both outlive the call.
    let mutex =
        unsafe { CreateMutexExW(&raw const attributes, name.as_ptr(), 0, SYNCHRONIZE | MUTEX_MODIFY_STATE) };
    if mutex.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: CreateMutexExW succeeded, so the handle is open and ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(mutex) })
}

impl FileId {
    fn mark_name(self) -> String {
        format!(r"Global\interprocess-{:x}-{:x}-lives", self.volume, self.id)
    }

    /// Marks the owner of this file as alive, for as long as the result, and the process, lives. It goes without, but then
    /// one that refuses clients because its queue is full may be taken for dead.
    fn mark(self) -> Option<OwnedHandle> {
        mutex(&self.mark_name()).ok()
    }

    /// Whether the owner is known to be alive.
    fn is_marked(self) -> bool {
        let name = to_wide(self.mark_name().as_ref());
        // SAFETY: the name ends with NUL.
        let mark = unsafe { OpenMutexW(SYNCHRONIZE, 0, name.as_ptr()) };
        if mark.is_null() {
            // One that we may not open is there.
            return !has_code(&io::Error::last_os_error(), ERROR_FILE_NOT_FOUND);
        }
        // SAFETY: OpenMutexW succeeded, so the handle is open and ours.
        drop(unsafe { OwnedHandle::from_raw_handle(mark) });
        true
    }
}

/// Whether nobody listens at the address, as far as one can tell by connecting. A listener that lives gets a client that
/// leaves at once.
fn refuses(address: &Address) -> io::Result<bool> {
    // Anything else, such as a lack of permission, does not prove it.
    let is_refused = || io::Result::Ok(address.connect(&new()?).is_err_and(|e| is(&e, WSAECONNREFUSED)));
    // Between binding and listening every socket refuses, and others may be about to do that without the lock.
    Ok(is_refused()? && {
        thread::sleep(Duration::from_millis(10));
        is_refused()?
    })
}

/// Keeps others who use this library from binding and removing names in a directory. It is a mutex that is named after the
/// directory, so that nothing is left over. It belongs to the thread.
#[derive(Debug)]
struct DirLock(OwnedHandle, PhantomData<*const ()>);

impl DirLock {
    /// Fails if it takes too long, and if another user was there first.
    fn take(path: &Path, deadline: Deadline) -> io::Result<Self> {
        let dir = path.parent().unwrap_or(path);
        let dir = OpenOptions::new()
            .access_mode(FILE_READ_ATTRIBUTES)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
            .open(dir)?;
        let FileId { volume, id } = FileId::of(dir.as_handle())?;
        Self::named(&format!(r"Global\interprocess-{volume:x}-{id:x}"), deadline)
    }

    fn named(name: &str, deadline: Deadline) -> io::Result<Self> {
        let mutex = mutex(name)?;
        loop {
            // SAFETY: the handle is open.
            match unsafe { WaitForSingleObject(mutex.as_raw_handle(), milliseconds(deadline)) } {
                // Whoever had it may have ended with it: what it keeps apart is whole at all times.
                WAIT_OBJECT_0 | WAIT_ABANDONED => return Ok(Self(mutex, PhantomData)),
                WAIT_TIMEOUT if !deadline.has_passed() => {}
                WAIT_TIMEOUT => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the lock"));
                }
                _ => return Err(io::Error::last_os_error()),
            }
        }
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this thread has the mutex: the type cannot go to another.
        unsafe { ReleaseMutex(self.0.as_raw_handle()) };
    }
}

/// The descriptor of a socket file that is open to those. To connect is to write to the file, all of writing being asked
/// for, and not only what makes sense for pipes.
fn security_of_file(access: Access) -> io::Result<SecurityDescriptor> {
    let owners =
        [*our_user()?, Sid::ADMINISTRATORS, Sid::SYSTEM].map(|sid| Ace::allow(sid, Ace::FULL_ACCESS));
    let others = match access {
        Access::Owner => None,
        Access::Group => Some(our_group()?),
        Access::Everyone => Some(Sid::EVERYONE),
    };
    let others = others.map(|sid| Ace::allow(sid, FILE_GENERIC_READ | FILE_GENERIC_WRITE));
    let mut descriptor = SecurityDescriptor::new();
    descriptor.set_dacl(&Acl::from_aces(owners.into_iter().chain(others))?.into());
    // Nothing is inherited from the directory.
    descriptor.set_control(Control::DACL_PROTECTED, true);
    Ok(descriptor)
}

/// Which parts of a descriptor a file is given: those that are there. The DACL has to be.
fn parts_for_file(descriptor: &SecurityDescriptor) -> io::Result<Parts> {
    let descriptor = descriptor.borrow();
    if descriptor.dacl() == AccessList::Absent {
        let why = "the security descriptor has no DACL for the socket file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    if descriptor.sacl() != AccessList::Absent {
        let why = "a socket file cannot be given the SACL of a security descriptor";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    let mut parts = Parts::DACL;
    if descriptor.owner().is_some() {
        parts |= Parts::OWNER;
    }
    if descriptor.group().is_some() {
        parts |= Parts::GROUP;
    }
    Ok(parts)
}

/// A socket file of ours. Dropping it deletes the file, unless it is somebody else's by then.
#[derive(Debug)]
struct NameFile {
    path: PathBuf,
    id: FileId,
    remove_on_drop: bool,
    /// That it is alive, for who would take the name over.
    _mark: Option<OwnedHandle>,
}

impl NameFile {
    /// Binds to `path`, makes the file as open as it is meant to be, and listens: till then, the socket refuses everybody.
    fn bind(path: &Path, options: &ListenerOptions<'_>) -> io::Result<(OwnedSocket, Self)> {
        let address = Address::new(path.as_os_str())?;
        let security = match &options.security_descriptor {
            Some(descriptor) => descriptor.0.clone(),
            None => security_of_file(options.effective_access())?,
        };
        let parts = parts_for_file(&security)?;
        // Before anything else, since there is none where there are no sockets.
        let mut socket = new()?;
        // It may have to be deleted after the process has changed its directory.
        let path = std::path::absolute(path)?;
        let deadline = Deadline::after(options.max_spin_time.unwrap_or(Duration::from_secs(1)));
        // A name that is free needs no lock, so that nobody can keep us from it by holding the lock.
        let lock = DirLock::take(&path, deadline);
        let mut has_made_room = false;
        while let Err(error) = address.bind(&socket) {
            let found = Found::at(&path, FILE_READ_ATTRIBUTES);
            if let Ok(Some(found)) = &found {
                found.refuse_what_is_no_socket()?;
            }
            match found {
                Ok(_) if is(&error, WSAEADDRINUSE) && has_made_room && deadline.has_passed() => {
                    return Err(in_use("the name comes and goes"));
                }
                Ok(Some(_)) if is(&error, WSAEADDRINUSE) => {
                    make_room(&path, &address, &lock, options.existing)?;
                }
                Ok(None) if is(&error, WSAEADDRINUSE) => {}
                _ => return Err(explain_binding(&path, error)),
            }
            has_made_room = true;
            // One that has failed is not used any more.
            socket = new()?;
        }

        let gone = || in_use("the name was taken away while it was made");
        let made = Found::at(&path, FILE_READ_ATTRIBUTES)?.ok_or_else(gone)?;
        // Somebody who had the lock may have put something else there by now.
        made.refuse_what_is_no_socket()?;
        let remove_on_drop = options.reclaim_name && lock.is_ok();
        let id = made.id()?;
        let mut file = Self { path, id, remove_on_drop, _mark: id.mark() };
        let listening = file.secure(&security, parts).and_then(|()| {
            let backlog = options.backlog.map_or(i32::MAX, |max| i32::try_from(max).unwrap_or(i32::MAX));
            // SAFETY: it takes numbers only. The greatest number is as many as the system has room for.
            result(unsafe { listen(raw(socket.as_socket()), backlog) })
        });
        if let Err(error) = listening {
            let _ = file.remove();
            file.remove_on_drop = false;
            return Err(error);
        }
        Ok((socket, file))
    }

    /// Makes the file as open as it is meant to be.
    fn secure(&self, security: &SecurityDescriptor, parts: Parts) -> io::Result<()> {
        let owner = if parts == Parts::DACL { 0 } else { WRITE_OWNER };
        let access = FILE_READ_ATTRIBUTES | READ_CONTROL | WRITE_DAC | owner;
        match Found::at(&self.path, access)? {
            Some(file) if file.id()? == self.id => security.borrow().apply_to(file.0.as_handle(), parts),
            _ => Err(in_use("the name was replaced while it was made")),
        }
    }

    /// Deletes the file, if it is still what was made.
    fn remove(&self) -> io::Result<()> {
        if let Some(found) = Found::at(&self.path, FILE_READ_ATTRIBUTES | DELETE)? {
            if found.id()? == self.id && found.what()? == What::Socket {
                found.delete()?;
            }
        }
        Ok(())
    }
}

impl Drop for NameFile {
    fn drop(&mut self) {
        /// How long others may be busy in the directory. A file that is left over is taken over by the next.
        const PATIENCE: Duration = Duration::from_millis(100);

        if !self.remove_on_drop {
            return;
        }
        let Ok(_lock) = DirLock::take(&self.path, Deadline::after(PATIENCE)) else { return };
        let _ = self.remove();
    }
}

/// Deletes the socket file at `path`, if it may be replaced.
fn make_room(
    path: &Path,
    address: &Address,
    lock: &io::Result<DirLock>,
    existing: ExistingName,
) -> io::Result<()> {
    if existing == ExistingName::Fail {
        return Err(in_use("the name exists already"));
    }
    if let Err(error) = lock {
        let kind = match error.kind() {
            io::ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::AddrInUse,
        };
        let why = format!("the name exists, and its directory cannot be locked to replace it: {error}");
        return Err(io::Error::new(kind, why));
    }
    // From here on it is this file, whatever becomes of the path.
    let Some(old) = Found::at(path, FILE_READ_ATTRIBUTES | DELETE)? else { return Ok(()) };
    old.refuse_what_is_no_socket()?;
    if existing != ExistingName::Steal && (old.id()?.is_marked() || !refuses(address)?) {
        return Err(in_use("another socket is bound to the name"));
    }
    old.delete()
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Before the socket, so that who finds the name does not find it dead.
    file: NameFile,
    armed: Mutex<Armed>,
    socket: Arc<File>,
    /// Makes one of the same sort.
    make_socket: fn() -> io::Result<OwnedSocket>,
    /// Set when there is a client, and when the listener is stopped.
    ready: Arc<Signal>,
    is_nonblocking: AtomicBool,
    is_stopped: AtomicBool,
}

/// What waits for the next client. Those after it wait in the queue of the system.
#[derive(Debug)]
struct Armed {
    /// Before the socket, which has to be open until it is done.
    op: Op,
    /// What is going to be our end; `None` if it could not be made.
    socket: Option<OwnedSocket>,
}

impl Listener {
    pub(crate) fn bind(name: &Name<'_>, options: &ListenerOptions<'_>) -> io::Result<Self> {
        let (socket, file) = NameFile::bind(Path::new(name.as_os_str()), options)?;
        Self::new(socket, new, file)
    }

    fn new(
        socket: OwnedSocket,
        make_socket: fn() -> io::Result<OwnedSocket>,
        file: NameFile,
    ) -> io::Result<Self> {
        let (socket, ready) = (Arc::new(File::from(socket)), Signal::new()?);
        let op = Op::new(Arc::clone(&socket), Arc::clone(&ready));
        let listener = Self {
            file,
            armed: Mutex::new(Armed { op, socket: None }),
            socket,
            make_socket,
            ready,
            is_nonblocking: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        };
        listener.look_again(&listener.lock());
        Ok(listener)
    }

    fn lock(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a client that is there.
    fn claim(&self) -> io::Result<Option<OwnedSocket>> {
        let mut armed = self.lock();
        self.ready.event().reset();
        let claimed = self.claim_from(&mut armed);
        self.look_again(&armed);
        claimed
    }

    fn claim_from(&self, armed: &mut Armed) -> io::Result<Option<OwnedSocket>> {
        while armed.op.is_done() {
            let client = armed.socket.take().map(|socket| (socket, armed.op.result()));
            let next = self.arm(armed);
            match client {
                Some((socket, Ok(_))) => {
                    // Without this, the system does not let one end a direction of it.
                    self.tell_where_it_is_from(&socket)?;
                    return Ok(Some(socket));
                }
                // The thread that started it has ended; or the client is gone before we came.
                Some((_, Err(error))) if is_aborted(&error) || is_peer_gone_error(&error) => next?,
                Some((_, Err(error))) => return Err(error),
                None => next?,
            }
        }
        Ok(None)
    }

    /// Starts waiting for the next client. What fails is tried again with the next call.
    fn arm(&self, armed: &mut Armed) -> io::Result<()> {
        let socket = (self.make_socket)()?;
        armed.op.start_accept(socket.as_socket());
        armed.socket = Some(socket);
        Ok(())
    }

    /// Whether `accept` has something to do. To be called after an operation was started or `ready` was reset: both may have
    /// wiped out that it is done.
    fn look_again(&self, armed: &Armed) -> bool {
        let is_ready = self.is_stopped() || armed.op.is_done();
        if is_ready {
            self.ready.event().set();
        }
        is_ready
    }

    fn tell_where_it_is_from(&self, socket: &OwnedSocket) -> io::Result<()> {
        let listener: SOCKET = raw(of_handle(self.socket.as_handle()));
        let len = size_of::<SOCKET>().try_into().expect("it is that of a pointer");
        let socket = raw(socket.as_socket());
        // SAFETY: the option is a socket, which has that size and outlives the call.
        result(unsafe {
            setsockopt(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (&raw const listener).cast(), len)
        })
    }

    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Stream> {
        loop {
            if self.is_stopped() {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the listener was stopped"));
            }
            if let Some(socket) = self.claim()? {
                return Ok(Stream::of_socket(socket.into(), Peer { server: None }, nonblocking_stream));
            }
            if self.is_nonblocking.load(Relaxed) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if !self.ready.event().wait(deadline) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    pub(crate) fn set_accept_nonblocking(&self, nonblocking: bool) {
        self.is_nonblocking.store(nonblocking, Relaxed);
    }

    /// Wakes all who wait in `accept`, which from then on is an error.
    pub(crate) fn stop(&self) {
        // In this order, since `look_again` does the opposite.
        self.is_stopped.store(true, SeqCst);
        self.ready.event().set();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(SeqCst)
    }

    /// Whether `accept` is worth another try; if not, has the task woken when it is.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, _interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        let armed = self.lock();
        // It may be set for something else. Blocked calls that this concerns find it set again.
        self.ready.event().reset();
        if self.look_again(&armed) {
            return Poll::Ready(());
        }
        // Should there be a client now, the event is set. The lock must not be held, since a waker may run anything.
        drop(armed);
        self.ready.wake(cx.waker());
        Poll::Pending
    }

    pub(crate) fn keep_name(&mut self) {
        self.file.remove_on_drop = false;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ready.end();
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{overlapped::os_error, tests::is_wine},
        *,
    };
    use std::{
        net::{SocketAddr, TcpListener, TcpStream},
        process,
        sync::{atomic::AtomicU32, mpsc},
    };
    use windows_sys::Win32::{
        Foundation::{
            GetHandleInformation, HANDLE_FLAG_INHERIT, NTSTATUS, RtlNtStatusToDosError,
            STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_DISCONNECTED, STATUS_CONNECTION_RESET,
            STATUS_GRACEFUL_DISCONNECT, STATUS_LOCAL_DISCONNECT, STATUS_PIPE_DISCONNECTED,
            STATUS_REMOTE_DISCONNECT,
        },
        Networking::WinSock::{AF_INET, WSAENETDOWN, recv},
        Storage::FileSystem::{FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_NORMAL},
    };

    /// A new directory, removed with all that is in it.
    struct Dir(PathBuf);

    impl Dir {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Relaxed);
            let path = std::env::temp_dir().join(format!("interprocess-unix-{}-{count}", process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const SOON: Duration = Duration::from_millis(30);

    fn soon() -> Deadline {
        Deadline::after(SOON)
    }

    fn long() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    // What is said above of sockets holds for those of TCP as well, which Wine has.

    fn tcp_listener() -> (Listener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let file = NameFile {
            path: PathBuf::new(),
            id: FileId { volume: 0, id: 0 },
            remove_on_drop: false,
            _mark: None,
        };
        (Listener::new(listener.into(), || of_family(AF_INET), file).unwrap(), address)
    }

    fn stream(socket: impl Into<OwnedSocket>, is_nonblocking: bool) -> Stream {
        Stream::of_socket(socket.into().into(), Peer { server: None }, is_nonblocking)
    }

    /// Two ends of a connection.
    fn pair() -> (Stream, Stream) {
        let (listener, address) = tcp_listener();
        let client = stream(TcpStream::connect(address).unwrap(), false);
        (listener.accept(long(), false).unwrap(), client)
    }

    fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
        result.map(drop).unwrap_err().kind()
    }

    fn send_all(stream: &Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[stream.send(bytes).unwrap()..];
        }
    }

    fn recv_to_end(stream: &Stream) -> Vec<u8> {
        let (mut all, mut buf) = (Vec::new(), vec![0; 50_000]);
        loop {
            match stream.recv(&mut buf) {
                Ok(0) => return all,
                Ok(len) => all.extend_from_slice(&buf[..len]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_direction_of_a_socket_ends_alone() {
        for is_nonblocking in [false, true] {
            let (server, client) = pair();
            server.set_nonblocking(is_nonblocking).unwrap();
            send_all(&client, b"question");
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(recv_to_end(&server), b"question");
            // It stays at its end.
            assert_eq!((server.recv(&mut [0; 9]).unwrap(), server.peek(&mut [0; 9]).unwrap()), (0, 0));
            assert_eq!(kind(client.send(b"x")), io::ErrorKind::BrokenPipe);
            send_all(&server, b"answer");
            server.flush().unwrap();
            drop(server);
            assert_eq!(recv_to_end(&client), b"answer");
        }
    }

    #[test]
    fn what_was_sent_to_a_socket_arrives_before_the_end_whoever_waits() {
        const LEN: usize = 3_000_000;
        for is_nonblocking in [false, true] {
            let (server, client) = pair();
            server.set_nonblocking(is_nonblocking).unwrap();
            client.set_nonblocking(is_nonblocking).unwrap();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let data: Vec<u8> = (0..LEN).map(|at| (at % 251).to_le_bytes()[0]).collect();
                    let mut left = &data[..];
                    while !left.is_empty() {
                        match client.send(left) {
                            Ok(len) => left = &left[len..],
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                    // What is on its way outlives the stream.
                    drop(client);
                });
                let received = recv_to_end(&server);
                assert_eq!(received.len(), LEN);
                assert!(received.iter().enumerate().all(|(at, &byte)| usize::from(byte) == at % 251));
            });
        }
    }

    #[test]
    fn a_socket_has_timeouts_and_a_nonblocking_mode() {
        let (server, client) = pair();
        server.set_recv_timeout(Some(SOON)).unwrap();
        assert_eq!(kind(server.recv(&mut [0; 9])), io::ErrorKind::TimedOut);
        assert_eq!(kind(server.peek(&mut [0; 9])), io::ErrorKind::TimedOut);
        server.set_nonblocking(true).unwrap();
        assert_eq!(kind(server.recv(&mut [0; 9])), io::ErrorKind::WouldBlock);
        assert_eq!(kind(server.peek(&mut [0; 9])), io::ErrorKind::WouldBlock);
        send_all(&client, b"bytes");
        server.set_nonblocking(false).unwrap();
        server.set_recv_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut buf = [0; 9];
        assert_eq!(server.peek(&mut buf).unwrap(), 5);
        assert_eq!(server.recv(&mut buf[..2]).unwrap(), 2);
        assert_eq!(server.peek(&mut buf).unwrap(), 3);
        assert_eq!((server.recv(&mut buf).unwrap(), &buf[..3]), (3, &b"tes"[..]));

        // Nobody reads, and there is an end to what the system takes.
        client.set_send_timeout(Some(SOON)).unwrap();
        let data = vec![0; 1 << 20];
        let error = (0..1000).find_map(|_| client.send(&data).err()).expect("it takes 1 GB");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(kind(client.drain(soon())), io::ErrorKind::Unsupported);
    }

    #[test]
    fn a_socket_whose_peer_is_gone_says_so() {
        let (server, client) = pair();
        assert!(!server.is_peer_gone().unwrap());
        drop(client);
        assert_eq!(server.recv(&mut [0; 9]).unwrap(), 0);
        assert!(server.is_peer_gone().unwrap());
        // The system takes a first one before it knows.
        let error = (0..1000).find_map(|_| server.send(b"x").err()).expect("it takes everything");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_peer_that_did_not_read_everything_makes_for_an_end_all_the_same() {
        let (server, client) = pair();
        send_all(&server, b"never read");
        client.peek(&mut [0; 1]).unwrap();
        drop(client);
        assert_eq!(server.recv(&mut [0; 9]).unwrap(), 0);
    }

    #[test]
    fn who_waits_for_bytes_sees_the_end_when_both_directions_are_ended_here() {
        for timeout in [None, Some(Duration::from_secs(20))] {
            let (server, _client) = pair();
            server.set_recv_timeout(timeout).unwrap();
            thread::scope(|scope| {
                let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| server.recv(&mut [0; 9]))).collect();
                thread::sleep(SOON);
                server.shutdown(Shutdown::Both).unwrap();
                for reader in readers {
                    assert_eq!(reader.join().unwrap().unwrap(), 0);
                }
            });
            assert_eq!(kind(server.send(b"x")), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn a_socket_is_closed_with_its_last_user_and_not_before() {
        let (server, client) = pair();
        let clone = client.share();
        drop(client);
        send_all(&clone, b"still there");
        drop(clone);
        assert_eq!(recv_to_end(&server), b"still there");
    }

    #[test]
    fn an_accepted_socket_blocks_and_is_not_inherited() {
        let (server, client) = pair();
        let mut flags = HANDLE_FLAG_INHERIT;
        // SAFETY: the handle is open, and `flags` outlives the call.
        assert_ne!(unsafe { GetHandleInformation(server.as_handle().as_raw_handle(), &raw mut flags) }, 0);
        assert_eq!(flags & HANDLE_FLAG_INHERIT, 0);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut buf = [0; 1];
                let flags = 0;
                // SAFETY: the buffer has that length, and outlives the call.
                unsafe { recv(raw(of_handle(server.as_handle())), buf.as_mut_ptr(), 1, flags) }
            });
            thread::sleep(SOON);
            send_all(&client, b"x");
            assert_eq!(reader.join().unwrap(), 1);
        });
    }

    #[test]
    fn accepting_waits_to_a_deadline_or_not_at_all() {
        let (listener, address) = tcp_listener();
        assert_eq!(kind(listener.accept(soon(), false)), io::ErrorKind::TimedOut);
        listener.set_accept_nonblocking(true);
        assert_eq!(kind(listener.accept(long(), false)), io::ErrorKind::WouldBlock);
        listener.set_accept_nonblocking(false);
        thread::scope(|scope| {
            let accepted = scope.spawn(|| listener.accept(long(), false));
            let client = stream(TcpStream::connect(address).unwrap(), false);
            send_all(&client, b"x");
            assert_eq!(accepted.join().unwrap().unwrap().recv(&mut [0; 9]).unwrap(), 1);
        });
    }

    #[test]
    fn no_client_is_forgotten_by_threads_that_accept() {
        const CLIENTS: usize = 60;
        let (listener, address) = tcp_listener();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..CLIENTS / 3 {
                        assert_eq!(listener.accept(long(), false).unwrap().recv(&mut [0; 9]).unwrap(), 1);
                    }
                });
            }
            for _ in 0..CLIENTS {
                send_all(&stream(TcpStream::connect(address).unwrap(), false), b"x");
            }
        });
    }

    #[test]
    fn stopping_wakes_all_who_accept_and_stays() {
        let (listener, _) = tcp_listener();
        thread::scope(|scope| {
            let waiting: Vec<_> =
                (0..3).map(|_| scope.spawn(|| kind(listener.accept(long(), false)))).collect();
            thread::sleep(SOON);
            listener.stop();
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), io::ErrorKind::BrokenPipe);
            }
        });
        assert!(listener.is_stopped());
        assert!(listener.claim().unwrap().is_none());
        assert!(listener.ready.event().wait(Deadline::after(Duration::ZERO)));
        assert_eq!(kind(listener.accept(long(), false)), io::ErrorKind::BrokenPipe);
    }

    #[cfg(feature = "async")]
    #[test]
    fn a_task_that_accepts_is_woken_by_each_client() {
        use std::task::Wake;

        struct Woken(mpsc::Sender<()>);

        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                let _ = self.0.send(());
            }
        }

        let (listener, address) = tcp_listener();
        listener.set_accept_nonblocking(true);
        let (sender, woken) = mpsc::channel();
        let waker = Arc::new(Woken(sender)).into();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..20 {
            assert_eq!(kind(listener.accept(long(), true)), io::ErrorKind::WouldBlock);
            assert!(listener.poll_ready(Interest::Read, &mut cx).is_pending());
            let clients = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
            let mut accepted = 0;
            while accepted < clients.len() {
                match listener.accept(long(), true) {
                    Ok(_) => accepted += 1,
                    Err(_) if listener.poll_ready(Interest::Read, &mut cx).is_ready() => {}
                    Err(_) => woken.recv_timeout(Duration::from_secs(20)).unwrap(),
                }
            }
            // A wake may have come late, but there is nothing to it any more.
            while listener.accept(long(), true).is_ok() {}
        }
    }

    #[test]
    fn who_a_process_runs_as_is_known_by_its_number() {
        let creds = PeerCreds::of_process(process::id()).unwrap();
        assert!(creds.is_same_user());
        assert_eq!((creds.pid(), creds.user()), (Some(process::id()), our_user().unwrap()));
        assert!(creds.session().is_some());
        assert!(PeerCreds::of_process(0).is_err());
    }

    #[test]
    fn an_address_is_the_path_in_utf_8_with_zeros_after_it() {
        let Address(address) = Address::new("C:\\\u{e4}\u{20ac}".as_ref()).unwrap();
        assert_eq!(address.sun_family, 1);
        let bytes = address.sun_path.map(|unit| u8::from_ne_bytes(unit.to_ne_bytes()));
        assert_eq!(&bytes[..8], b"C:\\\xc3\xa4\xe2\x82\xac");
        assert!(bytes[8..].iter().all(|&byte| byte == 0));
        assert_eq!(Address::SIZE, 110);
    }

    #[test]
    fn a_path_of_a_socket_is_limited_in_bytes_of_utf_8() {
        let longest = "x".repeat(Address::MAX_LEN);
        let Address(address) = Address::new(longest.as_ref()).unwrap();
        assert_eq!((address.sun_path[106] != 0, address.sun_path[107]), (true, 0));
        // 54 characters, but 108 bytes.
        for (bad, what) in
            [("x".repeat(108), "108 bytes"), ("\u{e4}".repeat(54), "at most 107"), ("a\0b".into(), "NUL")]
        {
            let error = Address::new(bad.as_ref()).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(what), "{error}");
        }
        let surrogate =
            <std::ffi::OsString as std::os::windows::ffi::OsStringExt>::from_wide(&[0x78, 0xd800]);
        assert_eq!(Address::new(&surrogate).map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(Address::new("".as_ref()).is_err());
    }

    #[test]
    fn the_end_of_a_connection_is_known_in_both_tables_of_errors() {
        let code = |status: NTSTATUS| {
            // SAFETY: no preconditions.
            os_error(unsafe { RtlNtStatusToDosError(status) })
        };
        for status in [
            STATUS_CONNECTION_RESET,
            STATUS_CONNECTION_ABORTED,
            STATUS_CONNECTION_DISCONNECTED,
            STATUS_REMOTE_DISCONNECT,
            STATUS_LOCAL_DISCONNECT,
            STATUS_GRACEFUL_DISCONNECT,
            STATUS_PIPE_DISCONNECTED,
        ] {
            let error = code(status);
            let is_end = is_peer_gone_error(&error) || super::super::named_pipe::is_peer_gone_error(&error);
            assert!(is_end, "{status:x}: {error}");
        }
        assert!(is_peer_gone_error(&io::Error::from_raw_os_error(WSAECONNRESET)));
        assert!(!is_peer_gone_error(&io::Error::from_raw_os_error(WSAENETDOWN)));
        assert!(!is_peer_gone_error(&io::ErrorKind::TimedOut.into()));
    }

    #[test]
    fn a_socket_file_is_told_by_its_tag_and_nothing_else() {
        let what = |attributes, tag| {
            What::new(FILE_ATTRIBUTE_TAG_INFO { FileAttributes: attributes, ReparseTag: tag })
        };
        let reparse = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_ARCHIVE;
        assert_eq!(what(reparse, 0x8000_0023), What::Socket);
        assert_eq!(what(reparse, IO_REPARSE_TAG_SYMLINK), What::Link);
        assert_eq!(what(reparse | FILE_ATTRIBUTE_DIRECTORY, IO_REPARSE_TAG_MOUNT_POINT), What::Link);
        assert_eq!(what(reparse, 0x8000_001b), What::Other);
        assert_eq!(what(FILE_ATTRIBUTE_DIRECTORY, 0), What::Directory);
        assert_eq!(what(FILE_ATTRIBUTE_NORMAL, 0), What::RegularFile);
        // The field means something for reparse points only.
        assert_eq!(what(FILE_ATTRIBUTE_ARCHIVE, 0x8000_0023), What::RegularFile);
    }

    #[test]
    fn what_is_there_and_is_no_socket_is_not_replaced() {
        let dir = Dir::new();
        let file = dir.0.join("file");
        fs::write(&file, b"kept").unwrap();
        let address = Address::new(file.as_os_str()).unwrap();
        for existing in [ExistingName::Fail, ExistingName::TakeOverIfDead, ExistingName::Steal] {
            let lock = DirLock::take(&file, Deadline::NEVER);
            let error = make_room(&file, &address, &lock, existing).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        }
        for (path, what) in [(&file, "a regular file"), (&dir.0, "a directory")] {
            let found = Found::at(path, FILE_READ_ATTRIBUTES).unwrap().unwrap();
            let error = found.refuse_what_is_no_socket().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            assert!(error.to_string().contains(what), "{error}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        assert!(Found::at(&dir.0.join("nothing"), FILE_READ_ATTRIBUTES).unwrap().is_none());
    }

    #[test]
    fn a_file_is_deleted_by_its_handle() {
        let dir = Dir::new();
        let path = dir.0.join("file");
        fs::write(&path, b"").unwrap();
        let found = Found::at(&path, FILE_READ_ATTRIBUTES | DELETE).unwrap().unwrap();
        found.delete().unwrap();
        drop(found);
        assert!(Found::at(&path, FILE_READ_ATTRIBUTES).unwrap().is_none());
    }

    #[test]
    fn a_file_that_was_moved_is_deleted_where_it_is_and_its_successor_stays() {
        // Wine goes by the path that the file was opened by. Windows goes by the handle, which is why it is used.
        if is_wine() {
            return;
        }
        let dir = Dir::new();
        let (path, moved) = (dir.0.join("file"), dir.0.join("moved"));
        fs::write(&path, b"first").unwrap();
        let found = Found::at(&path, FILE_READ_ATTRIBUTES | DELETE).unwrap().unwrap();
        fs::rename(&path, &moved).unwrap();
        fs::write(&path, b"successor").unwrap();
        let successor = Found::at(&path, FILE_READ_ATTRIBUTES).unwrap().unwrap();
        assert_ne!(found.id().unwrap(), successor.id().unwrap());
        found.delete().unwrap();
        drop(found);
        assert!(!moved.exists());
        assert_eq!(fs::read(&path).unwrap(), b"successor");
    }

    #[test]
    fn a_name_file_that_is_not_ours_any_more_is_left_alone() {
        let dir = Dir::new();
        let path = dir.0.join("file");
        fs::write(&path, b"somebody else's").unwrap();
        let id = FileId { volume: 1, id: 2 };
        drop(NameFile { path: path.clone(), id, remove_on_drop: true, _mark: None });
        assert!(path.exists());
        // Nor what has the identity but is no socket.
        let id = Found::at(&path, FILE_READ_ATTRIBUTES).unwrap().unwrap().id().unwrap();
        drop(NameFile { path: path.clone(), id, remove_on_drop: true, _mark: None });
        assert!(path.exists());
    }

    #[test]
    fn the_owner_of_a_file_is_known_to_be_alive_until_it_is_not() {
        let dir = Dir::new();
        let (path, other) = (dir.0.join("file"), dir.0.join("other"));
        fs::write(&path, b"").unwrap();
        fs::write(&other, b"").unwrap();
        let id = |path: &Path| Found::at(path, FILE_READ_ATTRIBUTES).unwrap().unwrap().id().unwrap();
        assert!(!id(&path).is_marked());
        let marks = [id(&path).mark().unwrap(), id(&path).mark().unwrap()];
        assert!(id(&path).is_marked() && !id(&other).is_marked());
        let [first, second] = marks;
        drop(first);
        assert!(id(&path).is_marked());
        drop(second);
        assert!(!id(&path).is_marked());
    }

    #[test]
    fn one_thread_at_a_time_has_the_lock_of_a_directory() {
        let dir = Dir::new();
        let path = dir.0.join("socket");
        let lock = DirLock::take(&path, Deadline::NEVER).unwrap();
        thread::scope(|scope| {
            let (ask, asked) = mpsc::channel();
            let path = &path;
            let other = scope.spawn(move || {
                let error = DirLock::take(path, soon()).unwrap_err();
                ask.send(()).unwrap();
                DirLock::take(path, Deadline::after(Duration::from_secs(20))).unwrap();
                error.kind()
            });
            asked.recv().unwrap();
            // That of another directory is another.
            let elsewhere = Dir::new();
            DirLock::take(&elsewhere.0.join("socket"), Deadline::after(Duration::ZERO)).unwrap();
            drop(lock);
            assert_eq!(other.join().unwrap(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_lock_whose_holder_has_ended_is_free() {
        let name = format!(r"Local\interprocess-unit-{}", process::id());
        thread::scope(|scope| {
            let name = &name;
            scope.spawn(|| std::mem::forget(DirLock::named(name, Deadline::NEVER).unwrap()));
        });
        DirLock::named(&name, Deadline::after(Duration::from_secs(20))).unwrap();
    }

    #[test]
    fn a_socket_file_is_open_to_whom_it_is_meant_for() {
        let aces = |access| {
            let descriptor = security_of_file(access).unwrap();
            assert_eq!(parts_for_file(&descriptor).unwrap(), Parts::DACL);
            assert!(descriptor.borrow().control().contains(Control::DACL_PROTECTED));
            let dacl = descriptor.borrow().dacl();
            dacl.entries()
                .unwrap()
                .aces()
                .iter()
                .map(|ace| (ace.sid().unwrap(), ace.mask().unwrap()))
                .collect::<Vec<_>>()
        };
        let owners = aces(Access::Owner);
        let users = [*our_user().unwrap(), Sid::ADMINISTRATORS, Sid::SYSTEM];
        assert_eq!(owners, users.map(|sid| (sid, Ace::FULL_ACCESS)));
        assert_eq!(aces(Access::Everyone)[3..], [(Sid::EVERYONE, 0x0012_019f)]);
        assert_eq!(aces(Access::Group)[3..], [(our_group().unwrap(), 0x0012_019f)]);
    }

    #[test]
    fn what_a_file_cannot_be_given_is_refused() {
        let with_sacl = SecurityDescriptor::from_sddl("D:(A;;FA;;;SY)S:(ML;;NW;;;HI)").unwrap();
        assert_eq!(parts_for_file(&with_sacl).unwrap_err().kind(), io::ErrorKind::Unsupported);
        let with_owner = SecurityDescriptor::from_sddl("O:SYG:SYD:(A;;FA;;;SY)").unwrap();
        assert_eq!(parts_for_file(&with_owner).unwrap(), Parts::DACL | Parts::OWNER | Parts::GROUP);
    }
}
