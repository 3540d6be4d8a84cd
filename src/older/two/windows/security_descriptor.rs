//! Pointers to the parts of security descriptors, as interprocess 2 has them. They are those of `windows-sys` 0.61.
//!
//! New code has the parts themselves: [`owner_sid`](SecurityDescriptor::owner_sid),
//! [`dacl_list`](SecurityDescriptor::dacl_list), [`set_dacl_list`](SecurityDescriptor::set_dacl_list) and so on.

use crate::os::windows::security_descriptor::{BorrowedSecurityDescriptor, SecurityDescriptor};
use std::{
    ffi::c_void,
    io,
    marker::PhantomData,
    ptr::{NonNull, null, null_mut},
};
use windows_sys::{
    Win32::{
        Foundation::LocalFree,
        Security::{
            ACL, GetSecurityDescriptorControl, GetSecurityDescriptorDacl, GetSecurityDescriptorGroup,
            GetSecurityDescriptorOwner, GetSecurityDescriptorSacl, PSECURITY_DESCRIPTOR, PSID,
            SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR, SetSecurityDescriptorControl,
            SetSecurityDescriptorDacl, SetSecurityDescriptorGroup, SetSecurityDescriptorOwner,
            SetSecurityDescriptorSacl,
        },
    },
    core::BOOL,
};

/// What has a security descriptor. In new code, [`BorrowedSecurityDescriptor`].
///
/// # Safety
/// The pointer is that of a valid descriptor, which nobody changes while this is borrowed.
pub unsafe trait AsSecurityDescriptor {
    /// The descriptor.
    fn as_sd(&self) -> *const c_void;
}

/// What has a security descriptor that can be changed. In new code, [`SecurityDescriptor`].
///
/// # Safety
/// As for [`AsSecurityDescriptor`]. The descriptor is absolute, and its parts, if it has any, are its own and were allocated by
/// `LocalAlloc`.
pub unsafe trait AsSecurityDescriptorMut: AsSecurityDescriptor {
    /// The descriptor.
    fn as_sd_mut(&mut self) -> *mut c_void;
}

// SAFETY: it owns a valid descriptor, and is borrowed.
unsafe impl AsSecurityDescriptor for SecurityDescriptor {
    fn as_sd(&self) -> *const c_void {
        self.as_ptr()
    }
}

// SAFETY: as above; it is absolute, and its parts were allocated so.
unsafe impl AsSecurityDescriptorMut for SecurityDescriptor {
    fn as_sd_mut(&mut self) -> *mut c_void {
        self.0.as_mut_ptr()
    }
}

// SAFETY: that it is valid, and borrowed, is what it stands for.
unsafe impl AsSecurityDescriptor for BorrowedSecurityDescriptor<'_> {
    fn as_sd(&self) -> *const c_void {
        self.as_ptr()
    }
}

/// A descriptor that somebody else owns, and that may be changed. In new code, `&mut` [`SecurityDescriptor`].
#[derive(Debug)]
pub struct MutBorrowedSecurityDescriptor<'a>(NonNull<c_void>, PhantomData<&'a mut SECURITY_DESCRIPTOR>);

// SAFETY: it is the only reference, and nothing in a descriptor belongs to a thread.
unsafe impl Send for MutBorrowedSecurityDescriptor<'_> {}
// SAFETY: as above; through a shared reference it is only read.
unsafe impl Sync for MutBorrowedSecurityDescriptor<'_> {}

impl MutBorrowedSecurityDescriptor<'_> {
    /// # Safety
    /// As for [`AsSecurityDescriptorMut`], and for `'a` nobody else refers to the descriptor.
    ///
    /// # Panics
    /// If the pointer is null.
    pub unsafe fn from_ptr(descriptor: *mut SECURITY_DESCRIPTOR) -> Self {
        Self(NonNull::new(descriptor.cast()).expect("a descriptor is somewhere"), PhantomData)
    }
}

impl<'a> MutBorrowedSecurityDescriptor<'a> {
    /// # Safety
    /// As for [`AsSecurityDescriptorMut`].
    pub unsafe fn from_ref(descriptor: &'a mut SECURITY_DESCRIPTOR) -> Self {
        Self(NonNull::from(descriptor).cast(), PhantomData)
    }
}

// SAFETY: who made it said so.
unsafe impl AsSecurityDescriptor for MutBorrowedSecurityDescriptor<'_> {
    fn as_sd(&self) -> *const c_void {
        self.0.as_ptr()
    }
}

// SAFETY: who made it said so.
unsafe impl AsSecurityDescriptorMut for MutBorrowedSecurityDescriptor<'_> {
    fn as_sd_mut(&mut self) -> *mut c_void {
        self.0.as_ptr()
    }
}

/// For code that was written for older crates.
impl SecurityDescriptor {
    /// From text, which is UTF-16 and may end with NUL, as that of the `widestring` crate does. In new code,
    /// [`from_sddl`](Self::from_sddl).
    ///
    /// # Errors
    /// Those of [`from_sddl`](Self::from_sddl).
    pub fn deserialize(text: &(impl AsRef<[u16]> + ?Sized)) -> io::Result<Self> {
        let text = text.as_ref();
        let text = String::from_utf16(text.strip_suffix(&[0]).unwrap_or(text));
        Self::from_sddl(&text.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?)
    }

    /// Takes a descriptor. In new code, [`try_from_ptr`](BorrowedSecurityDescriptor::try_from_ptr) and
    /// [`into_owned`](BorrowedSecurityDescriptor::into_owned).
    ///
    /// # Safety
    /// It is valid and absolute, and its parts, if it has any, were allocated by `LocalAlloc` and become this one's.
    pub unsafe fn from_owned(descriptor: SECURITY_DESCRIPTOR) -> Self {
        // SAFETY: the caller says so.
        Self(unsafe { crate::sys::windows::security_descriptor::SecurityDescriptor::from_raw(descriptor) })
    }

    /// A reference to it. In new code, `&mut` of it.
    pub fn borrow_mut(&mut self) -> MutBorrowedSecurityDescriptor<'_> {
        // SAFETY: it is as this asks for, and `self` stays borrowed.
        unsafe { MutBorrowedSecurityDescriptor::from_ptr(self.as_sd_mut().cast()) }
    }
}

/// For code that was written for older crates.
impl<'a> BorrowedSecurityDescriptor<'a> {
    /// In new code, [`try_from_ptr`](Self::try_from_ptr).
    ///
    /// # Safety
    /// Those of [`try_from_ptr`](Self::try_from_ptr).
    ///
    /// # Panics
    /// If it is not valid.
    pub unsafe fn from_ptr(descriptor: *const c_void) -> Self {
        // SAFETY: the caller says so.
        unsafe { Self::try_from_ptr(descriptor) }.unwrap_or_else(|error| panic!("{error}"))
    }

    /// In new code, [`try_from_ptr`](Self::try_from_ptr).
    ///
    /// # Safety
    /// Those of [`try_from_ptr`](Self::try_from_ptr).
    ///
    /// # Panics
    /// If it is not valid.
    pub unsafe fn from_ref(descriptor: &'a SECURITY_DESCRIPTOR) -> Self {
        // SAFETY: the caller says so.
        unsafe { Self::from_ptr((&raw const *descriptor).cast()) }
    }
}

type GetAcl = unsafe extern "system" fn(PSECURITY_DESCRIPTOR, *mut BOOL, *mut *mut ACL, *mut BOOL) -> BOOL;
type GetSid = unsafe extern "system" fn(PSECURITY_DESCRIPTOR, *mut PSID, *mut BOOL) -> BOOL;
type SetAcl = unsafe extern "system" fn(PSECURITY_DESCRIPTOR, BOOL, *const ACL, BOOL) -> BOOL;
type SetSid = unsafe extern "system" fn(PSECURITY_DESCRIPTOR, PSID, BOOL) -> BOOL;

fn done(result: BOOL) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The list, unless there is none, and whether it came about by default.
fn acl(of: &(impl AsSecurityDescriptor + ?Sized), get: GetAcl) -> io::Result<Option<(*const ACL, bool)>> {
    let (mut is_there, mut acl, mut is_defaulted) = (0, null_mut(), 0);
    // SAFETY: the descriptor is valid, and the variables outlive the call.
    done(unsafe { get(of.as_sd().cast_mut(), &raw mut is_there, &raw mut acl, &raw mut is_defaulted) })?;
    Ok((is_there != 0).then_some((acl.cast_const(), is_defaulted != 0)))
}

/// The SID, or null, and whether it came about by default.
fn sid(of: &(impl AsSecurityDescriptor + ?Sized), get: GetSid) -> io::Result<(*const c_void, bool)> {
    let (mut sid, mut is_defaulted) = (null_mut(), 0);
    // SAFETY: the descriptor is valid, and the variables outlive the call.
    done(unsafe { get(of.as_sd().cast_mut(), &raw mut sid, &raw mut is_defaulted) })?;
    Ok((sid.cast_const(), is_defaulted != 0))
}

fn unset_acl(of: &mut (impl AsSecurityDescriptorMut + ?Sized), set: SetAcl) -> io::Result<()> {
    // SAFETY: the descriptor is valid and absolute. The first call is for the pointer, which the second leaves as it is.
    unsafe {
        done(set(of.as_sd_mut(), 1, null(), 0))?;
        done(set(of.as_sd_mut(), 0, null(), 0))
    }
}

fn unset_sid(of: &mut (impl AsSecurityDescriptorMut + ?Sized), set: SetSid) -> io::Result<()> {
    // SAFETY: the descriptor is valid and absolute.
    done(unsafe { set(of.as_sd_mut(), null_mut(), 0) })
}

/// # Safety
/// It was a part of a descriptor, and is of none any more.
unsafe fn free(part: *const c_void) -> io::Result<()> {
    // SAFETY: parts are allocated by LocalAlloc, and the caller says that this one is nobody's; null is nothing to free.
    if unsafe { LocalFree(part.cast_mut()) }.is_null() { Ok(()) } else { Err(io::Error::last_os_error()) }
}

macro_rules! getters {
    ($($part:ident: $new:ident, $get:ident($function:ident) -> $result:ty;)+) => {$(
        #[doc = concat!(
            "The part, and whether it came about by default. In new code, [`", stringify!($new), "`](SecurityDescriptor::", stringify!($new), ")."
        )]
        fn $part(&self) -> $result {
            $get(self, $function)
        }
    )+};
}

/// What every [`AsSecurityDescriptor`] has. In new code, the types have what is in the parts.
pub trait AsSecurityDescriptorExt: AsSecurityDescriptor {
    getters! {
        dacl: dacl_list, acl(GetSecurityDescriptorDacl) -> io::Result<Option<(*const ACL, bool)>>;
        sacl: sacl_list, acl(GetSecurityDescriptorSacl) -> io::Result<Option<(*const ACL, bool)>>;
        owner: owner_sid, sid(GetSecurityDescriptorOwner) -> io::Result<(*const c_void, bool)>;
        group: group_sid, sid(GetSecurityDescriptorGroup) -> io::Result<(*const c_void, bool)>;
    }

    /// The control bits, and the revision. In new code, [`control_flags`](SecurityDescriptor::control_flags).
    fn control_and_revision(&self) -> io::Result<(u16, u32)> {
        let (mut control, mut revision) = (0, 0);
        // SAFETY: the descriptor is valid, and the variables outlive the call.
        done(unsafe {
            GetSecurityDescriptorControl(self.as_sd().cast_mut(), &raw mut control, &raw mut revision)
        })?;
        Ok((control, revision))
    }

    /// A copy. In new code, [`into_owned`](BorrowedSecurityDescriptor::into_owned).
    fn to_owned_sd(&self) -> io::Result<SecurityDescriptor> {
        // SAFETY: it is valid, and borrowed for as long as this takes.
        unsafe { BorrowedSecurityDescriptor::try_from_ptr(self.as_sd()) }
            .map(BorrowedSecurityDescriptor::into_owned)
    }

    /// Puts the pointer where Windows looks for it. The attributes do not borrow the descriptor, but must not outlive it.
    fn write_to_security_attributes(&self, attributes: &mut SECURITY_ATTRIBUTES) {
        attributes.lpSecurityDescriptor = self.as_sd().cast_mut();
    }

    /// The same for attributes of whatever bindings to Windows.
    ///
    /// # Safety
    /// They are `SECURITY_ATTRIBUTES`, and can be written to.
    unsafe fn write_to_security_attributes_ptr(&self, attributes: *mut ()) {
        // SAFETY: the caller says that they can be written to.
        unsafe {
            (&raw mut (*attributes.cast::<SECURITY_ATTRIBUTES>()).lpSecurityDescriptor)
                .write(self.as_sd().cast_mut());
        }
    }
}

impl<T: AsSecurityDescriptor + ?Sized> AsSecurityDescriptorExt for T {}

macro_rules! setters {
    (acl: $($new:ident, $get:ident, $set:ident, $unset:ident, $remove:ident, $function:ident;)+) => {$(
        #[doc = concat!(
            "Sets the part, without freeing the one that there was. Null is a list, too: that which allows everything. In new code, [`", stringify!($new), "`](SecurityDescriptor::", stringify!($new), ")."
        )]
        ///
        /// # Safety
        /// It is null, or a valid list that was allocated by `LocalAlloc` and becomes the descriptor's.
        unsafe fn $set(&mut self, acl: *mut ACL, defaulted: bool) -> io::Result<()> {
            // SAFETY: the descriptor is valid and absolute, and the caller says that the list is valid.
            done(unsafe { $function(self.as_sd_mut(), 1, acl, defaulted.into()) })
        }

        setters!(@both $new, $unset(unset_acl), $remove($get, |part| part.map_or(null(), |(acl, _)| acl.cast())), $function);
    )+};
    (sid: $($new:ident, $get:ident, $set:ident, $unset:ident, $remove:ident, $function:ident;)+) => {$(
        #[doc = concat!(
            "Sets the part, without freeing the one that there was. In new code, [`", stringify!($new), "`](SecurityDescriptor::", stringify!($new), ")."
        )]
        ///
        /// # Errors
        /// [`InvalidInput`](io::ErrorKind::InvalidInput): it is null.
        ///
        /// # Safety
        /// It is null, or a valid SID that was allocated by `LocalAlloc` and becomes the descriptor's.
        unsafe fn $set(&mut self, sid: *mut c_void, defaulted: bool) -> io::Result<()> {
            if sid.is_null() {
                let why = "null is no SID; to have none, unset it";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            // SAFETY: the descriptor is valid and absolute, and the caller says that the SID is valid.
            done(unsafe { $function(self.as_sd_mut(), sid, defaulted.into()) })
        }

        setters!(@both $new, $unset(unset_sid), $remove($get, |(sid, _)| sid), $function);
    )+};
    (@both $new:ident, $unset:ident($unset_part:ident), $remove:ident($get:ident, $pointer:expr), $function:ident) => {
        #[doc = concat!("Unsets the part without freeing it. In new code, [`", stringify!($new), "`](SecurityDescriptor::", stringify!($new), ").")]
        fn $unset(&mut self) -> io::Result<()> {
            $unset_part(self, $function)
        }

        #[doc = concat!("Unsets the part and frees it. In new code, [`", stringify!($new), "`](SecurityDescriptor::", stringify!($new), ").")]
        fn $remove(&mut self) -> io::Result<()> {
            let part: *const c_void = self.$get().map($pointer)?;
            self.$unset()?;
            // SAFETY: it was the descriptor's until now.
            unsafe { free(part) }
        }
    };
}

/// What every [`AsSecurityDescriptorMut`] has. In new code, [`SecurityDescriptor`] has setters of its own.
pub trait AsSecurityDescriptorMutExt: AsSecurityDescriptorMut {
    setters! {
        acl:
        set_dacl_list, dacl, set_dacl, unset_dacl, remove_dacl, SetSecurityDescriptorDacl;
        set_sacl_list, sacl, set_sacl, unset_sacl, remove_sacl, SetSecurityDescriptorSacl;
    }
    setters! {
        sid:
        set_owner_sid, owner, set_owner, unset_owner, remove_owner, SetSecurityDescriptorOwner;
        set_group_sid, group, set_group, unset_group, remove_group, SetSecurityDescriptorGroup;
    }

    /// Sets the control bits that are in `mask`. In new code, [`set_control_flags`](SecurityDescriptor::set_control_flags).
    fn set_control(&mut self, mask: u16, value: u16) -> io::Result<()> {
        // SAFETY: the descriptor is valid and absolute.
        done(unsafe { SetSecurityDescriptorControl(self.as_sd_mut(), mask, value) })
    }

    /// Unsets both lists and frees them.
    fn remove_acls(&mut self) -> io::Result<()> {
        self.remove_dacl()?;
        self.remove_sacl()
    }

    /// Unsets the owner and the group and frees them.
    fn remove_sids(&mut self) -> io::Result<()> {
        self.remove_owner()?;
        self.remove_group()
    }

    /// Unsets all parts and frees them.
    fn free_contents(&mut self) -> io::Result<()> {
        self.remove_acls()?;
        self.remove_sids()
    }
}

impl<T: AsSecurityDescriptorMut + ?Sized> AsSecurityDescriptorMutExt for T {}
