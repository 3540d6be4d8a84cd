//! The socket file that a name leaves in the file system: open to whom it is meant for, taken over when its owner is dead,
//! and deleted only while it is ours.
//!
//! It is a reparse point, which can only be opened as what it is. All that is done to one is done by a handle to it, and
//! never by its path once more: somebody may have put another in its place.
//!
//! That an owner lives is known by a mark, a named object that is there for as long as its process is: a listener whose
//! queue is full refuses clients as a dead one does.
//!
//! No lock is needed. Binding makes the file, or fails if one is there. A dead one is deleted through a handle that was opened
//! before it was found dead, so never what has come in its place, and of those who do that together one binds next. Only
//! what was just bound to has to be found by its path. It could be taken for dead, or stolen, before; therefore who is
//! about to mark his file is given a moment, and who comes too late finds the file of another, which is marked already.

use super::{
    named_pipe::size,
    overlapped::has_code,
    security::{is_ours, owner_of},
    security_descriptor::SecurityDescriptor,
    unix_socket::{self, Address},
    wide::to_wide,
};
use crate::{
    deadline::Deadline,
    error::about,
    local_socket::{ExistingName, ListenerOptions},
    os::windows::security_descriptor::{AccessList, Parts},
};
use std::{
    fs::{self, OpenOptions},
    io,
    os::windows::{
        fs::OpenOptionsExt,
        io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, OwnedSocket},
    },
    path::{Path, PathBuf},
    ptr::null,
    thread,
    time::Duration,
};
use windows_sys::Win32::{
    Foundation::{ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND},
    Storage::FileSystem::{
        DELETE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO,
        FILE_DISPOSITION_FLAG_DELETE, FILE_DISPOSITION_FLAG_POSIX_SEMANTICS, FILE_DISPOSITION_INFO,
        FILE_DISPOSITION_INFO_EX, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_ID_INFO,
        FILE_INFO_BY_HANDLE_CLASS, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ,
        FILE_SHARE_WRITE, FileAttributeTagInfo, FileDispositionInfo, FileDispositionInfoEx, FileIdInfo,
        GetFileInformationByHandleEx, READ_CONTROL, SYNCHRONIZE, SetFileInformationByHandle, WRITE_DAC,
        WRITE_OWNER,
    },
    System::{
        SystemServices::{IO_REPARSE_TAG_AF_UNIX, IO_REPARSE_TAG_MOUNT_POINT, IO_REPARSE_TAG_SYMLINK},
        Threading::{CreateMutexExW, OpenMutexW},
    },
};

fn in_use(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, why)
}

/// What a file is, unless it is a socket.
fn other_than_socket(file: FILE_ATTRIBUTE_TAG_INFO) -> Option<&'static str> {
    let has = |attribute| file.FileAttributes & attribute != 0;
    // Without that attribute, the tag means nothing.
    let tag = if has(FILE_ATTRIBUTE_REPARSE_POINT) { Some(file.ReparseTag) } else { None };
    match tag {
        Some(IO_REPARSE_TAG_AF_UNIX) => None,
        Some(IO_REPARSE_TAG_SYMLINK | IO_REPARSE_TAG_MOUNT_POINT) => Some("a link"),
        _ if has(FILE_ATTRIBUTE_DIRECTORY) => Some("a directory"),
        Some(_) => Some("a file that is not a socket"),
        None => Some("a regular file"),
    }
}

/// What tells one file from another, for as long as either is there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct FileId {
    volume: u64,
    id: u128,
}

impl FileId {
    fn mark_name(self) -> Vec<u16> {
        to_wide(format!(r"Global\interprocess-{:x}-{:x}", self.volume, self.id).as_ref())
    }

    /// Marks the file as that of somebody who lives, for as long as the result does, and the process. Where that is not
    /// possible it goes without: who refuses clients because its queue is full may be taken for dead then.
    ///
    /// # Errors
    /// It is marked already, and not by another user, who could only be after keeping us from the name.
    fn mark(self) -> io::Result<Option<OwnedHandle>> {
        let name = self.mark_name();
        // SAFETY: the name ends with NUL. Null stands for what objects of this process are open to as a rule.
        let mark = unsafe { CreateMutexExW(null(), name.as_ptr(), 0, SYNCHRONIZE | READ_CONTROL) };
        let error = io::Error::last_os_error();
        if mark.is_null() {
            return Ok(None);
        }
        // SAFETY: CreateMutexExW succeeded, so the handle is open and ours.
        let mark = unsafe { OwnedHandle::from_raw_handle(mark) };
        let is_of_another =
            || owner_of(mark.as_handle()).and_then(|owner| is_ours(&owner)).is_ok_and(|is| !is);
        if has_code(&error, ERROR_ALREADY_EXISTS) && !is_of_another() {
            return Err(in_use("the name was replaced while it was made"));
        }
        Ok(Some(mark))
    }

    fn is_marked(self) -> bool {
        let name = self.mark_name();
        // SAFETY: the name ends with NUL.
        let mark = unsafe { OpenMutexW(SYNCHRONIZE, 0, name.as_ptr()) };
        if mark.is_null() {
            // One that we may not open is there all the same.
            return !has_code(&io::Error::last_os_error(), ERROR_FILE_NOT_FOUND);
        }
        // SAFETY: OpenMutexW succeeded, so the handle is open and ours.
        drop(unsafe { OwnedHandle::from_raw_handle(mark) });
        true
    }
}

/// What was found at a path: the thing itself, and not what it leads to.
#[derive(Debug)]
pub(super) struct Found(fs::File);

impl Found {
    /// `None` if nothing is there.
    pub(super) fn at(path: &Path, access: u32) -> io::Result<Option<Self>> {
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

    /// What it is, unless it is a socket.
    pub(super) fn other_than_socket(&self) -> io::Result<Option<&'static str>> {
        // SAFETY: that is what this class gives.
        unsafe { self.information(FileAttributeTagInfo) }.map(other_than_socket)
    }

    fn id(&self) -> io::Result<FileId> {
        // SAFETY: that is what this class gives.
        let id = unsafe { self.information::<FILE_ID_INFO>(FileIdInfo) }?;
        Ok(FileId { volume: id.VolumeSerialNumber, id: u128::from_ne_bytes(id.FileId.Identifier) })
    }

    pub(super) fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }

    fn refuse_what_is_no_socket(&self) -> io::Result<()> {
        let Some(other) = self.other_than_socket()? else { return Ok(()) };
        Err(in_use(&format!("{other} is at that path, and will not be replaced")))
    }

    /// Deletes it, whatever it is. The name is free at once, even if others have it open, where the file system can do
    /// that.
    fn delete(&self) -> io::Result<()> {
        let flags = FILE_DISPOSITION_FLAG_DELETE | FILE_DISPOSITION_FLAG_POSIX_SEMANTICS;
        let at_once = FILE_DISPOSITION_INFO_EX { Flags: flags };
        let on_closing = FILE_DISPOSITION_INFO { DeleteFile: true };
        // SAFETY: that is what these classes take.
        unsafe {
            self.set(FileDispositionInfoEx, &at_once).or_else(|_| self.set(FileDispositionInfo, &on_closing))
        }
    }

    /// # Safety
    /// `T` is what `class` gives, and of numbers.
    unsafe fn information<T: Default>(&self, class: FILE_INFO_BY_HANDLE_CLASS) -> io::Result<T> {
        let mut information = T::default();
        // SAFETY: the handle is open, and the structure has that size and outlives the call.
        let done = unsafe {
            let information = (&raw mut information).cast();
            GetFileInformationByHandleEx(self.0.as_raw_handle(), class, information, size::<T>())
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(information) }
    }

    /// # Safety
    /// `T` is what `class` takes.
    unsafe fn set<T>(&self, class: FILE_INFO_BY_HANDLE_CLASS, information: &T) -> io::Result<()> {
        // SAFETY: the handle is open, and the structure has that size and outlives the call.
        let done = unsafe {
            let information = (&raw const *information).cast();
            SetFileInformationByHandle(self.0.as_raw_handle(), class, information, size::<T>())
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A socket file of ours. Dropping it deletes the file, unless it is somebody else's by then.
#[derive(Debug)]
pub(super) struct NameFile {
    path: PathBuf,
    id: FileId,
    remove_on_drop: bool,
    _mark: Option<OwnedHandle>,
}

impl NameFile {
    /// Binds a socket to `path`, and makes the file as open as it is meant to be. Until it listens, the socket refuses
    /// everybody.
    pub(super) fn bind(path: &Path, options: &ListenerOptions<'_>) -> io::Result<(OwnedSocket, Self)> {
        let address = Address::new(path.as_os_str())?;
        let security = match &options.security_descriptor {
            Some(descriptor) => descriptor.0.clone(),
            None => SecurityDescriptor::of_socket_file(options.effective_access())?,
        };
        let parts = parts_for_file(&security)?;
        // Before anything else, since there is none where there are no sockets.
        let mut socket = unix_socket::new()?;
        // It may have to be deleted after the process has changed its directory.
        let path = std::path::absolute(path)?;
        let deadline = Deadline::after(options.max_spin_time.unwrap_or(Duration::from_secs(1)));
        let mut has_made_room = false;
        while let Err(error) = address.bind(&socket) {
            if let Ok(Some(found)) = Found::at(&path, FILE_READ_ATTRIBUTES) {
                found.refuse_what_is_no_socket()?;
            }
            if error.kind() != io::ErrorKind::AddrInUse {
                return Err(explain_binding(&path, error));
            }
            if has_made_room && deadline.has_passed() {
                return Err(in_use("the name comes and goes"));
            }
            make_room(&path, options.existing, || address.is_refused())?;
            has_made_room = true;
            // One that has failed is not used any more.
            socket = unix_socket::new()?;
        }
        let file = Self::made(path)?;
        file.secure(&security, parts)?;
        Ok((socket, file))
    }

    /// What was bound to just now.
    fn made(path: PathBuf) -> io::Result<Self> {
        let gone = || in_use("the name was taken away while it was made");
        let made = Found::at(&path, FILE_READ_ATTRIBUTES)?.ok_or_else(gone)?;
        // Somebody may have put something else there by now.
        made.refuse_what_is_no_socket()?;
        let id = made.id()?;
        Ok(Self { path, id, remove_on_drop: true, _mark: id.mark()? })
    }

    /// The file, if it is still what was made.
    fn open(&self, access: u32) -> io::Result<Option<Found>> {
        let Some(found) = Found::at(&self.path, access | FILE_READ_ATTRIBUTES)? else { return Ok(None) };
        let is_ours = found.id()? == self.id && found.other_than_socket()?.is_none();
        Ok(is_ours.then_some(found))
    }

    fn secure(&self, security: &SecurityDescriptor, parts: Parts) -> io::Result<()> {
        let owner = if parts == Parts::DACL { 0 } else { WRITE_OWNER };
        let gone = || in_use("the name was replaced while it was made");
        let file = self.open(READ_CONTROL | WRITE_DAC | owner)?.ok_or_else(gone)?;
        security.borrow().apply_to(file.as_handle(), parts)
    }

    pub(super) fn keep(&mut self) {
        self.remove_on_drop = false;
    }
}

impl Drop for NameFile {
    fn drop(&mut self) {
        if self.remove_on_drop {
            // What is left over is taken over by the next.
            let _ = self.open(DELETE).and_then(|file| file.map_or(Ok(()), |file| file.delete()));
        }
    }
}

/// Deletes the socket file at `path`, if it may be replaced. `is_refused` is whether who connects to the path is.
fn make_room(
    path: &Path,
    existing: ExistingName,
    is_refused: impl FnOnce() -> io::Result<bool>,
) -> io::Result<()> {
    if existing == ExistingName::Fail {
        return Err(in_use("the name exists already"));
    }
    // From here on it is this file, whatever becomes of the path.
    let Some(old) = Found::at(path, FILE_READ_ATTRIBUTES | DELETE)? else { return Ok(()) };
    old.refuse_what_is_no_socket()?;
    old.make_way(path, existing, is_refused)
}

impl Found {
    /// Deletes it if nobody listens on it, or if that does not matter.
    fn make_way(
        &self,
        path: &Path,
        existing: ExistingName,
        is_refused: impl FnOnce() -> io::Result<bool>,
    ) -> io::Result<()> {
        /// How long it takes from binding to the mark, or, where this library is not used, to listening.
        const MOMENT: Duration = Duration::from_millis(10);

        let id = self.id()?;
        if !id.is_marked() {
            thread::sleep(MOMENT);
        }
        if existing != ExistingName::Steal && (id.is_marked() || !is_refused()?) {
            return Err(in_use("another socket is bound to the name"));
        }
        self.delete().or_else(|error| match Self::at(path, FILE_READ_ATTRIBUTES) {
            Ok(Some(now)) if now.id()? == id => Err(error),
            // Somebody else has deleted it meanwhile.
            _ => Ok(()),
        })
    }
}

/// Why nothing could be bound: also of a directory the system says little.
fn explain_binding(path: &Path, error: io::Error) -> io::Error {
    let (kind, why) = match path.parent().map(fs::metadata) {
        Some(Err(missing)) if missing.kind() == io::ErrorKind::NotFound => {
            (io::ErrorKind::NotFound, "there is no such directory")
        }
        Some(Ok(parent)) if !parent.is_dir() => {
            (io::ErrorKind::NotADirectory, "what it should be in is no directory")
        }
        _ => return error,
    };
    io::Error::new(kind, about(why, error))
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

#[cfg(test)]
mod tests {
    use super::{
        super::{
            security::{our_group, our_user},
            tests::is_wine,
        },
        *,
    };
    use crate::{
        local_socket::Access,
        os::windows::security_descriptor::{Ace, Control, Sid},
    };
    use std::{
        process,
        sync::atomic::{AtomicU32, Ordering::Relaxed},
    };
    use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_NORMAL};

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

    #[test]
    fn a_socket_file_is_told_by_its_tag_and_nothing_else() {
        let what = |attributes, tag| {
            other_than_socket(FILE_ATTRIBUTE_TAG_INFO { FileAttributes: attributes, ReparseTag: tag })
        };
        let reparse = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_ARCHIVE;
        assert_eq!(what(reparse, 0x8000_0023), None);
        assert_eq!(what(reparse, IO_REPARSE_TAG_SYMLINK), Some("a link"));
        assert_eq!(what(reparse | FILE_ATTRIBUTE_DIRECTORY, IO_REPARSE_TAG_MOUNT_POINT), Some("a link"));
        assert_eq!(what(reparse, 0x8000_001b), Some("a file that is not a socket"));
        assert_eq!(what(FILE_ATTRIBUTE_DIRECTORY, 0), Some("a directory"));
        assert_eq!(what(FILE_ATTRIBUTE_NORMAL, 0), Some("a regular file"));
        // The field means something for reparse points only.
        assert_eq!(what(FILE_ATTRIBUTE_ARCHIVE, 0x8000_0023), Some("a regular file"));
    }

    #[test]
    fn what_is_there_and_is_no_socket_is_not_replaced() {
        let dir = Dir::new();
        let file = dir.0.join("file");
        fs::write(&file, b"kept").unwrap();
        for existing in [ExistingName::Fail, ExistingName::TakeOverIfDead, ExistingName::Steal] {
            let error = make_room(&file, existing, || Ok(true)).unwrap_err();
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
        let mark = id(&path).mark().unwrap().unwrap();
        assert!(id(&path).is_marked() && !id(&other).is_marked());
        // It is known for one only.
        assert_eq!(id(&path).mark().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(id(&path).is_marked());
        drop(mark);
        assert!(!id(&path).is_marked());
    }

    #[test]
    fn a_file_makes_way_if_its_owner_is_dead_or_does_not_matter() {
        let dir = Dir::new();
        let path = dir.0.join("file");
        let make_way = |existing, is_refused| {
            let file = Found::at(&path, FILE_READ_ATTRIBUTES | DELETE).unwrap().unwrap();
            file.make_way(&path, existing, || Ok(is_refused)).map_err(|error| error.kind())
        };
        fs::write(&path, b"").unwrap();
        let id = Found::at(&path, FILE_READ_ATTRIBUTES).unwrap().unwrap().id().unwrap();
        let mark = id.mark().unwrap();
        // Its queue is full; or it uses another library.
        assert_eq!(make_way(ExistingName::TakeOverIfDead, true), Err(io::ErrorKind::AddrInUse));
        drop(mark);
        assert_eq!(make_way(ExistingName::TakeOverIfDead, false), Err(io::ErrorKind::AddrInUse));
        assert!(path.exists());
        assert_eq!(make_way(ExistingName::TakeOverIfDead, true), Ok(()));
        assert!(!path.exists());

        fs::write(&path, b"").unwrap();
        let id = Found::at(&path, FILE_READ_ATTRIBUTES).unwrap().unwrap().id().unwrap();
        let _mark = id.mark().unwrap();
        assert_eq!(make_way(ExistingName::Steal, false), Ok(()));
        assert!(!path.exists());
    }

    #[test]
    fn a_dead_file_that_several_find_makes_way_once_and_what_comes_next_stays() {
        // Wine goes by the path that the file was opened by. Windows goes by the handle, which is why it is used.
        if is_wine() {
            return;
        }
        let dir = Dir::new();
        let path = dir.0.join("file");
        fs::write(&path, b"dead").unwrap();
        let [first, second] =
            [(); 2].map(|()| Found::at(&path, FILE_READ_ATTRIBUTES | DELETE).unwrap().unwrap());
        first.make_way(&path, ExistingName::TakeOverIfDead, || Ok(true)).unwrap();
        drop(first);
        fs::write(&path, b"successor").unwrap();
        // Between binding and listening, it refuses as well.
        second.make_way(&path, ExistingName::TakeOverIfDead, || Ok(true)).unwrap();
        drop(second);
        assert_eq!(fs::read(&path).unwrap(), b"successor");
    }

    #[test]
    fn a_socket_file_is_open_to_whom_it_is_meant_for() {
        let aces = |access| {
            let descriptor = SecurityDescriptor::of_socket_file(access).unwrap();
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
