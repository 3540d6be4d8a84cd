//! Handles: given to other processes, and taken from the parent.
//!
//! The rule of this file: what was inherited has no owner here until it is taken, and what this crate makes inheritable
//! has one.

use super::overlapped::has_code;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, RawHandle},
    ptr::null_mut,
    sync::{Mutex, PoisonError},
};
use windows_sys::Win32::{
    Foundation::{
        CompareObjectHandles, DUPLICATE_CLOSE_SOURCE, DUPLICATE_SAME_ACCESS, DuplicateHandle,
        ERROR_INVALID_HANDLE, GetHandleInformation, HANDLE_FLAG_INHERIT, SetHandleInformation,
    },
    System::Threading::GetCurrentProcess,
};

pub(super) fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.into())
}

/// What comes out of a call that returns a `BOOL`.
pub(super) fn check(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives `receiver`, a process, a handle of the same object, which is not inheritable. `None` for the access is
/// that of `handle`.
pub(crate) fn share(
    handle: BorrowedHandle<'_>,
    receiver: BorrowedHandle<'_>,
    access: Option<u32>,
) -> io::Result<RawHandle> {
    let mut value = null_mut();
    let options = if access.is_none() { DUPLICATE_SAME_ACCESS } else { 0 };
    // SAFETY: both handles are open, the pseudo handle of the process always is, and `value` outlives the call.
    check(unsafe {
        DuplicateHandle(
            GetCurrentProcess(),
            handle.as_raw_handle(),
            receiver.as_raw_handle(),
            &raw mut value,
            access.unwrap_or(0),
            0,
            options,
        )
    })?;
    Ok(value)
}

/// Closes the handle of that value in `receiver`, another process, if it is one of the same object as `handle`.
pub(crate) fn take_back(
    handle: BorrowedHandle<'_>,
    receiver: BorrowedHandle<'_>,
    value: RawHandle,
) -> io::Result<()> {
    // SAFETY: the pseudo handle of the process is always valid.
    let this_process = unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) };
    // In our own process, the handle may have an owner, who would close it once more.
    if is_same_object(receiver, this_process) {
        return Err(invalid("a handle can be taken back from another process only"));
    }
    // Not at once with closing: it may not be what was shared.
    if !is_same_object(fetch(receiver, value, 0)?.as_handle(), handle) {
        return Err(invalid("the handle in the other process is one of something else"));
    }
    fetch(receiver, value, DUPLICATE_CLOSE_SOURCE).map(drop)
}

/// A duplicate of a handle of another process.
fn fetch(process: BorrowedHandle<'_>, value: RawHandle, options: u32) -> io::Result<OwnedHandle> {
    let mut handle = null_mut();
    // SAFETY: the process's handle is open, the value is one of that process, and `handle` outlives the call.
    check(unsafe {
        DuplicateHandle(
            process.as_raw_handle(),
            value,
            GetCurrentProcess(),
            &raw mut handle,
            0,
            0,
            DUPLICATE_SAME_ACCESS | options,
        )
    })?;
    // SAFETY: DuplicateHandle succeeded, so the handle is open and ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn is_same_object(left: BorrowedHandle<'_>, right: BorrowedHandle<'_>) -> bool {
    // SAFETY: both handles are open.
    unsafe { CompareObjectHandles(left.as_raw_handle(), right.as_raw_handle()) != 0 }
}

pub(super) fn set_inheritable(handle: BorrowedHandle<'_>, is_inheritable: bool) -> io::Result<()> {
    let flags = if is_inheritable { HANDLE_FLAG_INHERIT } else { 0 };
    // SAFETY: the handle is open.
    check(unsafe { SetHandleInformation(handle.as_raw_handle(), HANDLE_FLAG_INHERIT, flags) })
}

/// Values of handles that have had an owner here: those that were taken, and those that this crate itself has made inheritable,
/// be it for a moment. What was inherited is there from the start, so it never has a value of the latter.
static OWNED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// Makes a handle of ours inheritable. Before that, it is noted that nobody has inherited it.
pub(super) fn make_inheritable(handle: BorrowedHandle<'_>) -> io::Result<()> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.as_raw_handle().addr());
    set_inheritable(handle, true)
}

/// Takes a handle that this process has inherited, by the text of its value. The error says what is wrong.
pub(crate) fn take_inherited(text: &OsStr) -> io::Result<OwnedHandle> {
    // What was inherited is inheritable; what Rust's library opens is not, and what this crate makes so is noted.
    take(text, true)
}

/// Takes a handle that the parent has put into this process, by the text of its value. It was never inheritable.
pub(super) fn take_given(text: &OsStr) -> io::Result<OwnedHandle> {
    take(text, false)
}

/// Takes a handle that came from the parent: for `take_given`, it is the parent alone who can say so.
fn take(text: &OsStr, is_inheritable: bool) -> io::Result<OwnedHandle> {
    let value = parse_value(text)?;
    let raw = std::ptr::without_provenance_mut(value);
    if standard_handles().contains(&raw) {
        return Err(invalid(format!("the handle {value} is a standard handle of this process")));
    }
    let mut owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
    if owned.contains(&value) {
        return Err(invalid(format!("the handle {value} was taken before, or was made here")));
    }
    let mut flags = 0;
    // SAFETY: any value is allowed, and `flags` outlives the call.
    if let Err(error) = check(unsafe { GetHandleInformation(raw, &raw mut flags) }) {
        if has_code(&error, ERROR_INVALID_HANDLE) {
            let why = format!("this process has no handle {value}");
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
        return Err(error);
    }
    if is_inheritable != (flags & HANDLE_FLAG_INHERIT != 0) {
        return Err(invalid(format!("the handle {value} did not come to this process in that way")));
    }
    if is_inheritable {
        // SAFETY: the handle is open: it was found just now. It is borrowed for this call.
        set_inheritable(unsafe { BorrowedHandle::borrow_raw(raw) }, false)?;
    }
    owned.insert(value);
    // SAFETY: the handle is open, and was not given out before. That it was inheritable, and was not made so here, says that it came from
    // the parent and has no owner here; what that can miss is told to callers of `inherited_handle`. If it was not, the parent has said so
    // of this very process, in a list that was made for it.
    Ok(unsafe { OwnedHandle::from_raw_handle(raw) })
}

/// A value that a handle can have: not null, not one of the pseudo handles, which are negative, and a multiple of 4.
fn parse_value(text: &OsStr) -> io::Result<usize> {
    let digits = text.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let value = digits.and_then(|digits| digits.parse().ok());
    value
        .filter(|value| *value != 0 && i32::try_from(*value).is_ok() && *value % 4 == 0)
        .ok_or_else(|| invalid(format!("{text:?} is not the value of a handle")))
}

/// Null for those that the process does not have.
pub(super) fn standard_handles() -> [RawHandle; 3] {
    [io::stdin().as_raw_handle(), io::stdout().as_raw_handle(), io::stderr().as_raw_handle()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_positive_multiple_of_four() {
        for text in [
            "",
            " 4",
            "+4",
            "-4",
            "0x4",
            "0",
            "3",
            "5",
            "4294967292",
            "18446744073709551612",
            "99999999999999999999",
        ] {
            let error = parse_value(text.as_ref()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{text:?}");
        }
        assert_eq!(parse_value("4".as_ref()).unwrap(), 4);
        assert_eq!(parse_value("2147483644".as_ref()).unwrap(), 0x7fff_fffc);
    }
}
