//! Security descriptors in memory, as text, and of objects.

use super::{
    overlapped::{has_code, os_error},
    security::{copy_sid, our_group, our_user},
    wide::{from_wide, to_wide},
};
use crate::{
    error::about_as,
    local_socket::Access,
    os::windows::security_descriptor::{AccessList, Ace, Acl, Control, Parts, Sid},
};
use std::{
    alloc::{Layout, handle_alloc_error},
    ffi::c_void,
    fmt::{self, Debug, Formatter},
    io,
    marker::PhantomData,
    os::windows::io::{AsRawHandle, BorrowedHandle},
    ptr::{NonNull, null, null_mut},
    slice,
};
use windows_sys::{
    Win32::{
        Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ACL, ERROR_INVALID_SECURITY_DESCR, LocalFree},
        Security::{
            ACL,
            Authorization::{
                ConvertSecurityDescriptorToStringSecurityDescriptorW,
                ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
            },
            GetKernelObjectSecurity, GetSecurityDescriptorControl, GetSecurityDescriptorDacl,
            GetSecurityDescriptorGroup, GetSecurityDescriptorOwner, GetSecurityDescriptorSacl,
            InitializeSecurityDescriptor, IsValidSecurityDescriptor, PSECURITY_DESCRIPTOR, PSID,
            SE_DACL_AUTO_INHERIT_REQ, SE_DACL_AUTO_INHERITED, SE_DACL_DEFAULTED, SE_DACL_PRESENT,
            SE_DACL_PROTECTED, SE_GROUP_DEFAULTED, SE_OWNER_DEFAULTED, SE_SACL_AUTO_INHERIT_REQ,
            SE_SACL_AUTO_INHERITED, SE_SACL_DEFAULTED, SE_SACL_PRESENT, SE_SACL_PROTECTED, SE_SELF_RELATIVE,
            SECURITY_DESCRIPTOR, SetKernelObjectSecurity, SetSecurityDescriptorControl,
            SetSecurityDescriptorDacl, SetSecurityDescriptorGroup, SetSecurityDescriptorOwner,
            SetSecurityDescriptorSacl,
        },
        Storage::FileSystem::{FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES},
        System::{
            Memory::{LMEM_FIXED, LocalAlloc},
            SystemServices::SECURITY_DESCRIPTOR_REVISION,
        },
    },
    core::BOOL,
};

/// What the system allocated by `LocalAlloc` and left to us.
struct Local<T>(NonNull<T>);

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        // SAFETY: it came from LocalAlloc, and nothing refers to it any more.
        unsafe { LocalFree(self.0.as_ptr().cast()) };
    }
}

/// A copy by `LocalAlloc`, aligned for everything that a security descriptor has.
fn local_copy(bytes: &[u8]) -> *mut c_void {
    // SAFETY: it takes numbers only.
    let copy = unsafe { LocalAlloc(LMEM_FIXED, bytes.len()) };
    if copy.is_null() {
        handle_alloc_error(Layout::for_value(bytes));
    }
    // SAFETY: there is room for so many bytes, and they are new.
    unsafe { copy.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    copy
}

/// The owner of an object, its group, and the lists of who may do what with it and of what is logged.
///
/// It is an absolute one. Each pointer in it is null, or to memory by `LocalAlloc` that it owns, with a valid
/// SID or a valid list in it.
pub(crate) struct SecurityDescriptor(SECURITY_DESCRIPTOR);

// SAFETY: what it points to is its own, and nothing in it belongs to a thread.
unsafe impl Send for SecurityDescriptor {}
// SAFETY: as above; through a shared reference it is only read.
unsafe impl Sync for SecurityDescriptor {}

impl SecurityDescriptor {
    pub(crate) fn new() -> Self {
        let mut descriptor = SECURITY_DESCRIPTOR::default();
        // SAFETY: the descriptor outlives the call.
        let done = unsafe {
            InitializeSecurityDescriptor((&raw mut descriptor).cast(), SECURITY_DESCRIPTOR_REVISION)
        };
        assert_ne!(done, 0, "there is no other revision");
        Self(descriptor)
    }

    /// The descriptor of a pipe that is open to those.
    ///
    /// All but the owners may read and write, but not add instances (`FILE_CREATE_PIPE_INSTANCE`): who can do
    /// that takes clients away.
    pub(crate) fn of_pipe(access: Access) -> io::Result<Self> {
        Self::owned_and_open_to(access, Ace::READ_AND_WRITE)
    }

    /// The descriptor of a mailslot that those may send to.
    ///
    /// Senders ask for `GENERIC_WRITE`, and `CreateFileW` asks for the other right on its own.
    pub(crate) fn of_mailslot(access: Access) -> io::Result<Self> {
        Self::owned_and_open_to(access, FILE_GENERIC_WRITE | FILE_READ_ATTRIBUTES)
    }

    /// That of a socket file. To connect is to write to the file, all of writing being asked for, and not only what makes
    /// sense for pipes. Whoever makes the file owns it.
    pub(crate) fn of_socket_file(access: Access) -> io::Result<Self> {
        Self::open_to(access, FILE_GENERIC_READ | FILE_GENERIC_WRITE)
    }

    /// The owner is the user, since a client goes by that to see who serves: without a word, it would be the
    /// group of administrators when one of them is elevated.
    fn owned_and_open_to(access: Access, mask: u32) -> io::Result<Self> {
        let mut descriptor = Self::open_to(access, mask)?;
        descriptor.set_owner(Some(*our_user()?));
        Ok(descriptor)
    }

    fn open_to(access: Access, mask: u32) -> io::Result<Self> {
        let owners =
            [*our_user()?, Sid::ADMINISTRATORS, Sid::SYSTEM].map(|sid| Ace::allow(sid, Ace::FULL_ACCESS));
        let others = match access {
            Access::Owner => None,
            Access::Group => Some(our_group()?),
            Access::Everyone => Some(Sid::EVERYONE),
        };
        let others = others.map(|sid| Ace::allow(sid, mask));

        let mut descriptor = Self::new();
        descriptor.set_dacl(&Acl::from_aces(owners.into_iter().chain(others))?.into());
        // Nothing is inherited.
        descriptor.set_control(Control::DACL_PROTECTED, true);
        Ok(descriptor)
    }

    /// From its text in the security descriptor definition language.
    pub(crate) fn from_sddl(text: &str) -> io::Result<Self> {
        if text.contains('\0') {
            let why = format!("malformed security descriptor {text:?}: it contains a NUL");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let malformed = |error| {
            let what = format_args!("malformed security descriptor {text:?}");
            about_as(io::ErrorKind::InvalidInput, what, error)
        };
        let mut descriptor = null_mut();
        // SAFETY: the text ends with NUL, and `descriptor` outlives the call.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                to_wide(text.as_ref()).as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if done == 0 {
            return Err(malformed(io::Error::last_os_error()));
        }
        let descriptor = Local(NonNull::new(descriptor).expect("it succeeded"));
        // SAFETY: the system put a descriptor there, which lives until the end of this function.
        unsafe { Borrowed::from_ptr(descriptor.0.as_ptr()) }.map(Borrowed::to_owned).map_err(malformed)
    }

    /// That of the object behind `handle`; other parts are absent.
    pub(crate) fn of_handle(handle: BorrowedHandle<'_>, parts: Parts) -> io::Result<Self> {
        let mut buffer = vec![0_usize; 64];
        loop {
            let len =
                u32::try_from(size_of_val(&*buffer)).map_err(|_| os_error(ERROR_INSUFFICIENT_BUFFER))?;
            let mut needed = 0;
            // SAFETY: the buffer has `len` bytes, and the handle is open.
            let done = unsafe {
                GetKernelObjectSecurity(
                    handle.as_raw_handle(),
                    parts.bits(),
                    buffer.as_mut_ptr().cast(),
                    len,
                    &raw mut needed,
                )
            };
            if done != 0 {
                break;
            }
            let error = io::Error::last_os_error();
            if !has_code(&error, ERROR_INSUFFICIENT_BUFFER) || needed <= len {
                return Err(error);
            }
            buffer.resize((needed as usize).div_ceil(size_of::<usize>()), 0);
        }
        let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_ne_bytes()).collect();
        Self::from_self_relative(&bytes).ok_or_else(|| os_error(ERROR_INVALID_SECURITY_DESCR))
    }

    /// A copy of a self-relative descriptor. `None` if it is malformed: that of a pipe of another machine is what that machine
    /// has sent, and the functions of the system would believe every offset in it.
    fn from_self_relative(bytes: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        // What begins where the four bytes there say.
        let part = |at: usize| {
            let offset = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
            Some(if offset == 0 { None } else { Some(bytes.get(usize::try_from(offset).ok()?..)?) })
        };
        let sid = |at| match part(at)? {
            None => Some(None),
            Some(bytes) => Sid::from_bytes(bytes).map(Some),
        };
        let control = half(2)?;
        let acl = |at, is_there: u16| match part(at)? {
            _ if control & is_there == 0 => Some(AccessList::Absent),
            None => Some(AccessList::Null),
            Some(bytes) => {
                let len = u16::from_le_bytes(bytes.get(2..4)?.try_into().ok()?);
                Acl::from_bytes(bytes.get(..len.into())?).map(AccessList::Entries)
            }
        };
        if u32::from(*bytes.first()?) != SECURITY_DESCRIPTOR_REVISION || control & SE_SELF_RELATIVE == 0 {
            return None;
        }
        let mut owned = Self::new();
        owned.set_owner(sid(4)?);
        owned.set_group(sid(8)?);
        owned.set_sacl(&acl(12, SE_SACL_PRESENT)?);
        owned.set_dacl(&acl(16, SE_DACL_PRESENT)?);
        owned.set_control(Control(control & (INHERITANCE | DEFAULTED)), true);
        Some(owned)
    }

    /// # Safety
    /// It is valid and absolute, and its parts, if it has any, were allocated by `LocalAlloc` and become this one's.
    pub(crate) unsafe fn from_raw(descriptor: SECURITY_DESCRIPTOR) -> Self {
        Self(descriptor)
    }

    pub(crate) fn borrow(&self) -> Borrowed<'_> {
        Borrowed(NonNull::from(&self.0).cast(), PhantomData)
    }

    /// A valid pointer for as long as `self` lives and is neither moved nor changed.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        (&raw const self.0).cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> PSECURITY_DESCRIPTOR {
        (&raw mut self.0).cast()
    }

    pub(crate) fn set_owner(&mut self, owner: Option<Sid>) {
        // SAFETY: the function sets the owner, and the pointer is what it was.
        unsafe { self.set_sid(SetSecurityDescriptorOwner, self.0.Owner, owner, false) }
    }

    pub(crate) fn set_group(&mut self, group: Option<Sid>) {
        // SAFETY: the function sets the group, and the pointer is what it was.
        unsafe { self.set_sid(SetSecurityDescriptorGroup, self.0.Group, group, false) }
    }

    pub(crate) fn set_dacl(&mut self, dacl: &AccessList) {
        // SAFETY: the function sets the DACL, and the pointer is what it was.
        unsafe { self.set_acl(SetSecurityDescriptorDacl, self.0.Dacl, dacl, false) }
    }

    pub(crate) fn set_sacl(&mut self, sacl: &AccessList) {
        // SAFETY: the function sets the SACL, and the pointer is what it was.
        unsafe { self.set_acl(SetSecurityDescriptorSacl, self.0.Sacl, sacl, false) }
    }

    pub(crate) fn set_control(&mut self, flags: Control, on: bool) {
        // What the function may set; the others belong to their parts, which are set again with them.
        let inheritance = flags.bits() & INHERITANCE;
        // SAFETY: the descriptor is valid.
        let done = unsafe {
            SetSecurityDescriptorControl(self.as_mut_ptr(), inheritance, if on { inheritance } else { 0 })
        };
        assert_ne!(done, 0, "{SETTING}");
        let borrowed = self.borrow();
        let (owner, group) = (borrowed.owner(), borrowed.group());
        let (dacl, sacl) = (borrowed.dacl(), borrowed.sacl());
        // SAFETY: each function sets the part whose pointer is given.
        unsafe {
            if flags.contains(Control::OWNER_DEFAULTED) {
                self.set_sid(SetSecurityDescriptorOwner, self.0.Owner, owner, on);
            }
            if flags.contains(Control::GROUP_DEFAULTED) {
                self.set_sid(SetSecurityDescriptorGroup, self.0.Group, group, on);
            }
            if flags.contains(Control::DACL_DEFAULTED) {
                self.set_acl(SetSecurityDescriptorDacl, self.0.Dacl, &dacl, on);
            }
            if flags.contains(Control::SACL_DEFAULTED) {
                self.set_acl(SetSecurityDescriptorSacl, self.0.Sacl, &sacl, on);
            }
        }
    }

    /// # Safety
    /// `set` is the function that sets one of the SIDs, and `old` is what it was.
    unsafe fn set_sid(
        &mut self,
        set: unsafe extern "system" fn(PSECURITY_DESCRIPTOR, PSID, BOOL) -> BOOL,
        old: PSID,
        new: Option<Sid>,
        defaulted: bool,
    ) {
        let new = new.map_or(null_mut(), |sid| local_copy(&sid.to_bytes()));
        // SAFETY: the descriptor is valid, and so is the SID.
        let done = unsafe { set(self.as_mut_ptr(), new, defaulted.into()) };
        assert_ne!(done, 0, "{SETTING}");
        // SAFETY: the descriptor owned it, and refers to it no more; if it is null, nothing is done.
        unsafe { LocalFree(old) };
    }

    /// # Safety
    /// `set` is the function that sets one of the lists, and `old` is what it was.
    unsafe fn set_acl(
        &mut self,
        set: unsafe extern "system" fn(PSECURITY_DESCRIPTOR, BOOL, *const ACL, BOOL) -> BOOL,
        old: *mut ACL,
        new: &AccessList,
        defaulted: bool,
    ) {
        let list = new.entries().map_or(null_mut(), |acl| local_copy(&acl.to_bytes()));
        // SAFETY: the descriptor is valid, and so is the list.
        let mut done = unsafe { set(self.as_mut_ptr(), 1, list.cast(), defaulted.into()) };
        if done != 0 && *new == AccessList::Absent {
            // This alone would leave the pointer to the old list.
            // SAFETY: as above.
            done = unsafe { set(self.as_mut_ptr(), 0, null(), defaulted.into()) };
        }
        assert_ne!(done, 0, "{SETTING}");
        // SAFETY: the descriptor owned it, and refers to it no more; if it is null, nothing is done.
        unsafe { LocalFree(old.cast()) };
    }
}

/// Why setting cannot fail.
const SETTING: &str = "a valid, absolute descriptor takes every valid part";

/// The flags that belong to no part.
const INHERITANCE: u16 = SE_DACL_AUTO_INHERIT_REQ
    | SE_SACL_AUTO_INHERIT_REQ
    | SE_DACL_AUTO_INHERITED
    | SE_SACL_AUTO_INHERITED
    | SE_DACL_PROTECTED
    | SE_SACL_PROTECTED;

/// The flags that say whether parts were chosen.
const DEFAULTED: u16 = SE_OWNER_DEFAULTED | SE_GROUP_DEFAULTED | SE_DACL_DEFAULTED | SE_SACL_DEFAULTED;

impl Debug for SecurityDescriptor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.borrow().debug("SecurityDescriptor", f)
    }
}

impl Clone for SecurityDescriptor {
    fn clone(&self) -> Self {
        self.borrow().to_owned()
    }
}

impl Drop for SecurityDescriptor {
    fn drop(&mut self) {
        for part in [self.0.Owner, self.0.Group, self.0.Dacl.cast(), self.0.Sacl.cast()] {
            // SAFETY: it is null, so that nothing is done, or was allocated by LocalAlloc and is ours.
            unsafe { LocalFree(part) };
        }
    }
}

/// A valid descriptor, absolute or self-relative.
#[derive(Copy, Clone)]
pub(crate) struct Borrowed<'a>(NonNull<c_void>, PhantomData<&'a SECURITY_DESCRIPTOR>);

// SAFETY: it is only read, and nothing in it belongs to a thread.
unsafe impl Send for Borrowed<'_> {}
// SAFETY: as above.
unsafe impl Sync for Borrowed<'_> {}

impl Borrowed<'_> {
    /// # Errors
    /// `InvalidInput` if it is null or malformed.
    ///
    /// # Safety
    /// It is null, or points to a security descriptor that stays there, unchanged, for the lifetime.
    pub(crate) unsafe fn from_ptr(descriptor: *const c_void) -> io::Result<Self> {
        let malformed = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let invalid = || malformed(os_error(ERROR_INVALID_SECURITY_DESCR));
        let it = Self(NonNull::new(descriptor.cast_mut()).ok_or_else(invalid)?, PhantomData);
        // SAFETY: the caller says that it can be read.
        if unsafe { IsValidSecurityDescriptor(it.raw()) } == 0 {
            return Err(invalid());
        }
        // SAFETY: each function gets the kind of part that it is given for.
        unsafe {
            it.sid(GetSecurityDescriptorOwner).map_err(malformed)?;
            it.sid(GetSecurityDescriptorGroup).map_err(malformed)?;
            it.acl(GetSecurityDescriptorDacl).map_err(malformed)?;
            it.acl(GetSecurityDescriptorSacl).map_err(malformed)?;
        }
        Ok(it)
    }

    pub(crate) fn as_ptr(self) -> *const c_void {
        self.0.as_ptr()
    }

    fn raw(self) -> PSECURITY_DESCRIPTOR {
        self.0.as_ptr()
    }

    pub(crate) fn to_owned(self) -> SecurityDescriptor {
        let mut owned = SecurityDescriptor::new();
        owned.set_owner(self.owner());
        owned.set_group(self.group());
        owned.set_dacl(&self.dacl());
        owned.set_sacl(&self.sacl());
        owned.set_control(self.control(), true);
        owned
    }

    pub(crate) fn owner(self) -> Option<Sid> {
        // SAFETY: the function gets a SID.
        unsafe { self.sid(GetSecurityDescriptorOwner) }.expect(VALID)
    }

    pub(crate) fn group(self) -> Option<Sid> {
        // SAFETY: the function gets a SID.
        unsafe { self.sid(GetSecurityDescriptorGroup) }.expect(VALID)
    }

    pub(crate) fn dacl(self) -> AccessList {
        // SAFETY: the function gets a list.
        unsafe { self.acl(GetSecurityDescriptorDacl) }.expect(VALID)
    }

    pub(crate) fn sacl(self) -> AccessList {
        // SAFETY: the function gets a list.
        unsafe { self.acl(GetSecurityDescriptorSacl) }.expect(VALID)
    }

    pub(crate) fn control(self) -> Control {
        let (mut control, mut revision) = (0, 0);
        // SAFETY: the descriptor is valid, and what is pointed to outlives the call.
        let done = unsafe { GetSecurityDescriptorControl(self.raw(), &raw mut control, &raw mut revision) };
        assert_ne!(done, 0, "{VALID}");
        Control(control & (INHERITANCE | DEFAULTED))
    }

    /// # Safety
    /// `get` is a function that gets one of the SIDs.
    unsafe fn sid(
        &self,
        get: unsafe extern "system" fn(PSECURITY_DESCRIPTOR, *mut PSID, *mut BOOL) -> BOOL,
    ) -> io::Result<Option<Sid>> {
        let (mut sid, mut defaulted) = (null_mut(), 0);
        // SAFETY: the descriptor is valid, and what is pointed to outlives the call.
        if unsafe { get(self.raw(), &raw mut sid, &raw mut defaulted) } == 0 {
            return Err(io::Error::last_os_error());
        }
        if sid.is_null() {
            return Ok(None);
        }
        // SAFETY: it is in the descriptor.
        unsafe { copy_sid(sid) }.map(Some)
    }

    /// # Safety
    /// `get` is a function that gets one of the lists.
    unsafe fn acl(
        &self,
        get: unsafe extern "system" fn(PSECURITY_DESCRIPTOR, *mut BOOL, *mut *mut ACL, *mut BOOL) -> BOOL,
    ) -> io::Result<AccessList> {
        let (mut is_there, mut acl, mut defaulted) = (0, null_mut(), 0);
        // SAFETY: the descriptor is valid, and what is pointed to outlives the call.
        if unsafe { get(self.raw(), &raw mut is_there, &raw mut acl, &raw mut defaulted) } == 0 {
            return Err(io::Error::last_os_error());
        }
        if is_there == 0 {
            return Ok(AccessList::Absent);
        }
        if acl.is_null() {
            return Ok(AccessList::Null);
        }
        // SAFETY: it is in the descriptor, and has the length that it says.
        let bytes = unsafe {
            let len = (&raw const (*acl).AclSize).read_unaligned();
            slice::from_raw_parts(acl.cast::<u8>(), len.into())
        };
        Acl::from_bytes(bytes).map(AccessList::Entries).ok_or_else(|| os_error(ERROR_INVALID_ACL))
    }

    pub(crate) fn to_sddl(self, parts: Parts) -> io::Result<String> {
        let mut text = null_mut();
        // SAFETY: the descriptor is valid, and `text` outlives the call.
        let done = unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                self.raw(),
                SDDL_REVISION_1,
                parts.bits(),
                &raw mut text,
                null_mut(),
            )
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        let text = Local(NonNull::new(text).expect("it succeeded"));
        // SAFETY: the system put a text there that ends with NUL.
        Ok(unsafe { from_wide(text.0.as_ptr()) })
    }

    /// Its text, or its parts if some have no text.
    pub(crate) fn debug(self, name: &str, f: &mut Formatter<'_>) -> fmt::Result {
        match self.to_sddl(Parts::ALL) {
            Ok(text) => f.debug_tuple(name).field(&text).finish(),
            Err(_) => f
                .debug_struct(name)
                .field("owner", &self.owner())
                .field("group", &self.group())
                .field("dacl", &self.dacl())
                .field("sacl", &self.sacl())
                .field("control", &self.control())
                .finish(),
        }
    }

    /// Sets these parts of the object behind `handle`.
    pub(crate) fn apply_to(self, handle: BorrowedHandle<'_>, parts: Parts) -> io::Result<()> {
        // The system would take an absent list for a null one, by which everybody may do everything.
        let absent = [
            (Parts::OWNER, "owner", self.owner().is_none()),
            (Parts::GROUP, "group", self.group().is_none()),
            (Parts::DACL, "DACL", self.dacl() == AccessList::Absent),
            (Parts::SACL, "SACL", self.sacl() == AccessList::Absent),
            (Parts::LABEL, "SACL for a label", self.sacl() == AccessList::Absent),
        ];
        if let Some((_, name, _)) =
            absent.into_iter().find(|&(part, _, is_absent)| is_absent && parts.contains(part))
        {
            let why = format!("the security descriptor has no {name} to set");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        // SAFETY: the handle is open, and the descriptor valid.
        match unsafe { SetKernelObjectSecurity(handle.as_raw_handle(), parts.bits(), self.raw()) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// Why reading cannot fail.
const VALID: &str = "the descriptor was checked";

#[cfg(test)]
mod tests {
    use super::*;

    /// Owner, group and both lists, self-relative.
    fn self_relative() -> Vec<u8> {
        let (sid, acl) =
            (Sid::SYSTEM.to_bytes(), Acl::from_aces([Ace::allow(Sid::EVERYONE, 1)]).unwrap().to_bytes());
        let [owner, group, sacl, dacl] =
            [20, 20 + sid.len(), 20 + 2 * sid.len(), 20 + 2 * sid.len() + acl.len()]
                .map(|at| u32::try_from(at).unwrap());
        let control = SE_SELF_RELATIVE | SE_DACL_PRESENT | SE_SACL_PRESENT | SE_DACL_PROTECTED;
        let mut bytes = vec![1, 0];
        bytes.extend(control.to_le_bytes());
        bytes.extend([owner, group, sacl, dacl].into_iter().flat_map(u32::to_le_bytes));
        [&bytes[..], &sid, &sid, &acl, &acl].concat()
    }

    #[test]
    fn what_another_machine_sends_is_read_within_its_bounds() {
        let bytes = self_relative();
        let whole = SecurityDescriptor::from_self_relative(&bytes).unwrap();
        assert_eq!(whole.borrow().owner(), Some(Sid::SYSTEM));
        assert_eq!(whole.borrow().dacl(), whole.borrow().sacl());
        assert_eq!(whole.borrow().control(), Control::DACL_PROTECTED);
        for len in 0..bytes.len() {
            assert!(SecurityDescriptor::from_self_relative(&bytes[..len]).is_none(), "{len}");
        }
        let len = u32::try_from(bytes.len()).unwrap();
        for at in [4, 8, 12, 16] {
            for offset in [u32::MAX, u32::MAX - 7, len, len - 2] {
                let mut bad = bytes.clone();
                bad[at..at + 4].copy_from_slice(&offset.to_le_bytes());
                assert!(SecurityDescriptor::from_self_relative(&bad).is_none(), "{offset:#x} at {at}");
            }
        }
    }
}
