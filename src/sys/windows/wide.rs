//! Text as Windows wants it: 16-bit units, ended by a NUL.

use std::{ffi::OsStr, os::windows::ffi::OsStrExt};

/// `text`, which contains no NUL, with a NUL at the end.
pub(crate) fn to_wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// The text that a pointer to 16-bit units points to, without the NUL at its end.
///
/// # Safety
/// The pointer is valid, and there is a NUL.
pub(crate) unsafe fn from_wide(text: *const u16) -> String {
    let mut len = 0;
    // SAFETY: the NUL has not been reached, so the unit after this one is valid, too.
    while unsafe { *text.add(len) } != 0 {
        len += 1;
    }
    // SAFETY: so many units were read just now.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, len) })
}
