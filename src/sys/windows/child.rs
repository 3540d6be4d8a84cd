//! Children that get the handles they are given: by duplication into the process, when it is there.
//!
//! Nothing is inherited, so no other process can get it. The child learns the values from a section of memory whose name it finds in its
//! environment. Who holds the mutex beside it is the parent's thread, until the list is written: so the child can wait for that,
//! and notices if the parent dies.

use super::{
    handle::{self, check, invalid, share},
    overlapped::{has_code, wait_for},
    process::terminate,
    wide::to_wide,
};
use crate::{
    child::{
        Given,
        private::Command,
        table::{self, VARIABLE, forged, nothing_given},
    },
    deadline::Deadline,
};
use std::{
    collections::hash_map::RandomState,
    env,
    hash::BuildHasher,
    io,
    marker::PhantomData,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr::{NonNull, null},
    str,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use windows_sys::Win32::{
    Foundation::{ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, HANDLE, INVALID_HANDLE_VALUE, SetLastError},
    System::{
        Memory::{
            CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile,
            OpenFileMappingW, PAGE_READWRITE, UnmapViewOfFile,
        },
        Threading::{
            CreateMutexW, GetCurrentProcessId, GetProcessId, OpenMutexW, ReleaseMutex,
            SYNCHRONIZATION_SYNCHRONIZE,
        },
    },
};

/// What a child is to have.
#[derive(Debug, Default)]
pub(crate) struct Parcels(Vec<(String, OwnedHandle)>);

impl Parcels {
    pub(crate) fn add(&mut self, name: &str, handle: OwnedHandle) -> io::Result<()> {
        if self.0.iter().any(|(other, _)| other == name) {
            return Err(invalid(format!("two things are given under the name {name:?}")));
        }
        self.0.push((name.to_owned(), handle));
        Ok(())
    }
}

/// What the section has, before the text.
#[repr(C)]
struct Header {
    /// [`WRITTEN`], or 0.
    state: AtomicU32,
    /// How many bytes of text.
    len: u32,
    /// For whom it is.
    process: u32,
    /// The section, in that process, which keeps it until it was read.
    section: u32,
}

const WRITTEN: u32 = 1;

/// The whole section.
const SIZE: u32 = 64 * 1024;

const MAX_TEXT: usize = SIZE as usize - size_of::<Header>();

/// The section in our memory.
struct View<'s> {
    start: NonNull<Header>,
    section: PhantomData<&'s OwnedHandle>,
}

impl<'s> View<'s> {
    fn new(section: &'s OwnedHandle, access: u32) -> io::Result<Self> {
        // SAFETY: the section is open. It is an error if it has fewer bytes.
        let view = unsafe { MapViewOfFile(section.as_raw_handle(), access, 0, 0, SIZE as usize) };
        match NonNull::new(view.Value.cast()) {
            Some(start) => Ok(Self { start, section: PhantomData }),
            None => Err(io::Error::last_os_error()),
        }
    }

    fn state(&self) -> &AtomicU32 {
        // SAFETY: the view is aligned to pages, as long as a header and more, and lives as long as `self`. Processes only use this field
        // atomically.
        unsafe { &(*self.start.as_ptr()).state }
    }

    fn text(&self) -> *mut u8 {
        // SAFETY: the view is longer than a header.
        unsafe { self.start.add(1).as_ptr().cast() }
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        // SAFETY: it was mapped, and nothing refers to it any more.
        unsafe { UnmapViewOfFile(MEMORY_MAPPED_VIEW_ADDRESS { Value: self.start.as_ptr().cast() }) };
    }
}

fn section_name(id: &str) -> Vec<u16> {
    to_wide(format!(r"Local\interprocess-child-{id}").as_ref())
}

fn mutex_name(id: &str) -> Vec<u16> {
    to_wide(format!(r"Local\interprocess-child-{id}-written").as_ref())
}

/// A new object, or one that exists, which is an error.
fn new_object(create: impl FnOnce() -> HANDLE) -> io::Result<OwnedHandle> {
    // SAFETY: no preconditions. Not every function sets it when it succeeds.
    unsafe { SetLastError(0) };
    let handle = create();
    let error = io::Error::last_os_error();
    if handle.is_null() {
        return Err(error);
    }
    // SAFETY: it is not null, so it is an open handle, and ours.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    if has_code(&error, ERROR_ALREADY_EXISTS) { Err(error) } else { Ok(handle) }
}

/// The list for a child, before it is written.
struct List {
    id: String,
    section: OwnedHandle,
    /// Held by this thread.
    mutex: OwnedHandle,
}

impl List {
    fn new() -> io::Result<Self> {
        // Nobody can guess it: both have random keys.
        let [one, other] = [(); 2].map(|()| RandomState::new().hash_one(0));
        let id = format!("{one:016x}{other:016x}");
        let (section, mutex) = (section_name(&id), mutex_name(&id));
        // SAFETY: the name ends with NUL; without a file it is memory of the system's.
        let section = new_object(|| unsafe {
            CreateFileMappingW(INVALID_HANDLE_VALUE, null(), PAGE_READWRITE, 0, SIZE, section.as_ptr())
        })?;
        // SAFETY: the name ends with NUL.
        let mutex = new_object(|| unsafe { CreateMutexW(null(), 1, mutex.as_ptr()) })?;
        Ok(Self { id, section, mutex })
    }

    /// Duplicates what is to be given into the process, and lets it know.
    fn hand_over(&self, process: BorrowedHandle<'_>, parcels: &[(String, OwnedHandle)]) -> io::Result<()> {
        let mut entries = Vec::new();
        for (name, handle) in parcels {
            let value = share(handle.as_handle(), process, None)?;
            entries.push((&**name, value.addr().to_string()));
        }
        let text = table::encode(entries);
        let len = u32::try_from(text.len()).ok().filter(|_| text.len() <= MAX_TEXT);
        let len = len.ok_or_else(|| invalid("the names of what is given are too long to be listed"))?;
        let section = share(self.section.as_handle(), process, Some(FILE_MAP_READ))?;
        let section = u32::try_from(section.addr()).map_err(|_| invalid("a handle of more than 32 bits"))?;

        let view = View::new(&self.section, FILE_MAP_WRITE)?;
        // SAFETY: there is room for so many bytes of text, and nobody reads them, or the header's fields, before the state says so.
        unsafe {
            view.text().copy_from_nonoverlapping(text.as_ptr(), text.len());
            let header = view.start.as_ptr();
            (&raw mut (*header).len).write(len);
            (&raw mut (*header).process).write(GetProcessId(process.as_raw_handle()));
            (&raw mut (*header).section).write(section);
        }
        view.state().store(WRITTEN, Ordering::Release);
        Ok(())
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: this thread holds it.
        unsafe { ReleaseMutex(self.mutex.as_raw_handle()) };
    }
}

/// Starts a child that gets what it is given.
pub(crate) fn spawn<C: Command>(command: &mut C, Parcels(parcels): Parcels) -> io::Result<C::Child> {
    /// How long a process that is about to end may take to have ended.
    const GRACE: Duration = Duration::from_secs(1);

    let list = List::new()?;
    command.set_variable(Some(&list.id));
    let child = command.spawn();
    command.set_variable(None);
    let child = child?;
    if let Some(process) = C::process(&child) {
        if let Err(error) = list.hand_over(process, &parcels) {
            // One that has ended needs nothing any more. How it ended is for the caller to find out.
            if !wait_for(process, Deadline::after(GRACE)) {
                let _ = terminate(process);
                return Err(error);
            }
        }
    }
    Ok(child)
}

/// Opens what has that name. `None` if there is none.
fn open_object(open: impl FnOnce() -> HANDLE) -> io::Result<Option<OwnedHandle>> {
    let handle = open();
    if !handle.is_null() {
        // SAFETY: it is not null, so it is an open handle, and ours.
        return Ok(Some(unsafe { OwnedHandle::from_raw_handle(handle) }));
    }
    match io::Error::last_os_error() {
        error if has_code(&error, ERROR_FILE_NOT_FOUND) => Ok(None),
        error => Err(error),
    }
}

/// Takes all that was given to this process.
pub(crate) fn claim() -> io::Result<Given> {
    let Some(id) = env::var_os(VARIABLE) else {
        return Err(nothing_given(&format!("{VARIABLE} is not set")));
    };
    let is_id = |id: &&str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = id.to_str().filter(is_id).ok_or_else(|| forged(format!("{id:?} is no list")))?;
    let name = section_name(id);
    // SAFETY: the name ends with NUL.
    let section = open_object(|| unsafe { OpenFileMappingW(FILE_MAP_READ, 0, name.as_ptr()) })?
        .ok_or_else(|| nothing_given("it was for another process, or the parent has died"))?;
    let view = View::new(&section, FILE_MAP_READ)?;
    if view.state().load(Ordering::Acquire) != WRITTEN {
        wait_until_written(id)?;
        if view.state().load(Ordering::Acquire) != WRITTEN {
            return Err(nothing_given("the parent did not get as far as that"));
        }
    }
    // SAFETY: the parent has written the header's fields before the state, and writes nothing any more.
    let (len, process, own) = unsafe {
        let header = view.start.as_ptr();
        ((&raw const (*header).len).read(), (*header).process, (*header).section)
    };
    // SAFETY: no preconditions.
    if process != unsafe { GetCurrentProcessId() } {
        return Err(nothing_given("it was for another process"));
    }
    let mut text = vec![0; (len as usize).min(MAX_TEXT)];
    // SAFETY: the view has so many bytes of text; the parent does not write them any more.
    unsafe { view.text().copy_to_nonoverlapping(text.as_mut_ptr(), text.len()) };
    let text = str::from_utf8(&text).map_err(forged)?;
    let entries = table::decode(text)?;
    drop(view);
    let given =
        entries.into_iter().map(|(name, value)| (name.to_owned(), handle::take_given(value.as_ref())));
    let given = given.collect();
    // With this, the list is gone.
    drop(handle::take_given(own.to_string().as_ref()));
    Ok(given)
}

/// Waits until the parent has written the list, or has given up or died.
fn wait_until_written(id: &str) -> io::Result<()> {
    /// Far more than a parent takes that is not stopped.
    const PATIENCE: Duration = Duration::from_secs(30);

    let name = mutex_name(id);
    // SAFETY: the name ends with NUL.
    let Some(mutex) = open_object(|| unsafe { OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE, 0, name.as_ptr()) })?
    else {
        // The parent has just closed it.
        return Ok(());
    };
    if !wait_for(mutex.as_handle(), Deadline::after(PATIENCE)) {
        let why = "the parent has not said within half a minute what it gives";
        return Err(io::Error::new(io::ErrorKind::TimedOut, why));
    }
    // SAFETY: this thread has got it.
    check(unsafe { ReleaseMutex(mutex.as_raw_handle()) })
}
