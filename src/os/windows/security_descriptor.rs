//! Security descriptors: who owns an object, who may do what with it, and what of it is logged.
//!
//! A [`SecurityDescriptor`] has four parts, each of which may be absent: the owner, the primary group, the DACL (who may do
//! what) and the SACL (what is logged, and the integrity label). It comes from text
//! ([`from_sddl`](SecurityDescriptor::from_sddl)), from an open handle ([`of_handle`](SecurityDescriptor::of_handle)), ready
//! made for a pipe ([`for_access`](SecurityDescriptor::for_access)), or is put together:
//!
//! ```
//! use interprocess::os::windows::security_descriptor::{Ace, Acl, Control, SecurityDescriptor, Sid};
//!
//! let mut descriptor = SecurityDescriptor::default();
//! descriptor.set_owner_sid(Sid::current_user()?);
//! descriptor.set_dacl_list(Acl::from_aces([
//!     Ace::allow(Sid::current_user()?, Ace::FULL_ACCESS),
//!     Ace::allow(Sid::AUTHENTICATED_USERS, Ace::READ_AND_WRITE),
//! ])?);
//! descriptor.set_control_flags(Control::DACL_PROTECTED, true);
//!
//! let text = descriptor.to_sddl()?;
//! assert!(text.ends_with("(A;;0x12019b;;;AU)"), "{text}");
//! assert_eq!(SecurityDescriptor::from_sddl(&text)?, descriptor);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A DACL that is absent, one that is null and one that is empty are three different things: see [`AccessList`].
//!
//! # Text
//! In SDDL, the text form of descriptors, `D:P(A;;FA;;;OW)(A;;0x12019b;;;BU)` is a DACL that inherits nothing (`P`) and has
//! two entries that allow something (`A`): everything (`FA`) to the owner (`OW`); and connecting, reading and writing to
//! members of the group Users (`BU`). The number is [`Ace::READ_AND_WRITE`]. For pipes it is to be preferred to `GRGW` and
//! `FRFW`, which include the right to add instances, and so to serve others' clients. Other common names are `SY` (the
//! system), `BA` (administrators), `AU` (everyone who has logged in) and `WD` (everyone).
//!
//! (The methods are called `owner_sid` and `dacl_list` because `owner` and `dacl` of interprocess 2 give pointers.)

use crate::{local_socket::Access, sys::windows::security_descriptor as sys};
use std::{
    ffi::c_void,
    fmt::{self, Debug, Formatter},
    io,
    ops::{BitOr, BitOrAssign},
    os::windows::io::BorrowedHandle,
    str::FromStr,
};

/// A set of flags: constants, what they can be put together and asked with.
macro_rules! flags {
    (
        $(#[$attribute:meta])* $name:ident: $bits:ty
        { $($(#[$constant_attribute:meta])* $constant:ident = $value:expr;)* }
    ) => {
        $(#[$attribute])*
        #[derive(Copy, Clone, PartialEq, Eq, Hash)]
        pub struct $name(pub(crate) $bits);

        impl $name {
            $($(#[$constant_attribute])* pub const $constant: Self = Self($value);)*

            /// The flags as Windows numbers them.
            pub const fn bits(self) -> $bits {
                self.0
            }

            /// Whether all of `other` are among these.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                *self = *self | other;
            }
        }

        impl Debug for $name {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }
    };
}

mod acl;
mod sid;

pub use acl::{AccessList, Ace, AceFlags, AceKind, Acl};
pub use sid::{IntegrityLevel, Sid};

// For code that was written for older crates.
pub use crate::older::two::windows::security_descriptor::{
    AsSecurityDescriptor, AsSecurityDescriptorExt, AsSecurityDescriptorMut, AsSecurityDescriptorMutExt,
    MutBorrowedSecurityDescriptor,
};

flags! {
    /// Parts of a security descriptor (`SECURITY_INFORMATION`).
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::Parts;
    ///
    /// let parts = Parts::OWNER | Parts::DACL;
    /// assert!(parts.contains(Parts::DACL) && !parts.contains(Parts::GROUP));
    /// ```
    Parts: u32 {
        /// Who owns the object.
        OWNER = 0x1;
        /// The primary group of the owner, which means something to POSIX programs only.
        GROUP = 0x2;
        /// Who may do what.
        DACL = 0x4;
        /// What is logged. To get or set it on an object takes a privilege (`SeSecurityPrivilege`).
        SACL = 0x8;
        /// The integrity label, which is kept in the SACL but takes no privilege.
        LABEL = 0x10;
        /// All that a descriptor can hold, the attributes and the central policy in its SACL included. On an object it takes
        /// the privilege too.
        ALL = 0x7f;
    }
}

flags! {
    /// Flags of a security descriptor that say how its parts came about (`SECURITY_DESCRIPTOR_CONTROL`).
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Control, SecurityDescriptor};
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;SY)")?;
    /// assert!(descriptor.control_flags().contains(Control::DACL_PROTECTED));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    Control: u16 {
        /// No flag.
        NONE = 0;
        /// The owner was not chosen but filled in.
        OWNER_DEFAULTED = 0x1;
        /// The group was not chosen but filled in.
        GROUP_DEFAULTED = 0x2;
        /// The DACL was not chosen but filled in.
        DACL_DEFAULTED = 0x8;
        /// The SACL was not chosen but filled in.
        SACL_DEFAULTED = 0x20;
        /// The DACL is to be passed on to what the object contains.
        DACL_AUTO_INHERIT_REQUIRED = 0x100;
        /// The SACL is to be passed on to what the object contains.
        SACL_AUTO_INHERIT_REQUIRED = 0x200;
        /// The DACL was passed on from what contains the object.
        DACL_AUTO_INHERITED = 0x400;
        /// The SACL was passed on from what contains the object.
        SACL_AUTO_INHERITED = 0x800;
        /// Nothing is added to the DACL from what contains the object.
        DACL_PROTECTED = 0x1000;
        /// Nothing is added to the SACL from what contains the object.
        SACL_PROTECTED = 0x2000;
    }
}

/// A security descriptor that owns its memory.
///
/// [`Debug`] shows its SDDL; two are equal if their parts and [flags](Control) are. In memory it is an absolute descriptor
/// whose parts are on the local heap (`LocalAlloc`).
///
/// # Platform-specific behaviour
/// Wine keeps the descriptor of a pipe and gives it back, but does not enforce it.
///
/// ```
/// use interprocess::os::windows::security_descriptor::{SecurityDescriptor, Sid};
///
/// let descriptor = SecurityDescriptor::from_sddl("O:SYD:P(A;;FA;;;SY)")?;
/// assert_eq!(descriptor.owner_sid(), Some(Sid::SYSTEM));
/// assert_eq!(format!("{descriptor:?}"), r#"SecurityDescriptor("O:SYD:P(A;;FA;;;SY)")"#);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct SecurityDescriptor(pub(crate) sys::SecurityDescriptor);

impl SecurityDescriptor {
    /// A descriptor in which everything is absent, the same as [`default`](Self::default). It never fails; it gives a
    /// `Result` for code that was written for interprocess 2, where it does.
    ///
    /// Stands on `InitializeSecurityDescriptor`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// assert_eq!(SecurityDescriptor::new()?, SecurityDescriptor::default());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    /// The descriptor of a pipe to which `access` is given: the one that listeners use if they are not given another.
    ///
    /// The owner is the user that this process runs as. It, administrators and the system may do everything; the group or
    /// everyone may [read and write](Ace::READ_AND_WRITE).
    ///
    /// Stands on `GetTokenInformation`.
    ///
    /// # Errors
    /// Those of asking for the process's token.
    ///
    /// ```
    /// use interprocess::{local_socket::Access, os::windows::security_descriptor::{SecurityDescriptor, Sid}};
    ///
    /// let descriptor = SecurityDescriptor::for_access(Access::Owner)?;
    /// assert_eq!(descriptor.owner_sid(), Some(Sid::current_user()?));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn for_access(access: Access) -> io::Result<Self> {
        sys::SecurityDescriptor::of_pipe(access).map(Self)
    }

    /// From its text in the security descriptor definition language.
    ///
    /// Stands on `ConvertStringSecurityDescriptorToSecurityDescriptorW`.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the text is malformed or has a NUL in it. The error quotes it, and
    /// its [source](std::error::Error::source) is the error of the system.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    /// use std::io::ErrorKind;
    ///
    /// SecurityDescriptor::from_sddl("D:P(A;;GA;;;BA)")?;
    /// let error = SecurityDescriptor::from_sddl("D:(oops)").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput);
    /// assert!(error.to_string().contains("D:(oops)"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_sddl(text: &str) -> io::Result<Self> {
        sys::SecurityDescriptor::from_sddl(text).map(Self)
    }

    /// The descriptor of the object behind `handle`, such as a pipe or a file. Parts that are not among `parts` are absent.
    ///
    /// Stands on `GetKernelObjectSecurity`.
    ///
    /// # Errors
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the handle was opened without `READ_CONTROL` or, for the SACL,
    /// `ACCESS_SYSTEM_SECURITY`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Parts, SecurityDescriptor, Sid};
    /// use interprocess::local_socket::{Listener, Stream};
    /// use std::os::windows::io::AsHandle;
    ///
    /// # let name = format!("@interprocess-doc-of-handle-{}", std::process::id());
    /// # let name = name.as_str();
    /// let listener = Listener::bind(name)?;
    /// let stream = Stream::connect(name)?;
    /// let descriptor = SecurityDescriptor::of_handle(stream.as_handle(), Parts::OWNER | Parts::DACL)?;
    /// assert_eq!(descriptor.owner_sid(), Some(Sid::current_user()?));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn of_handle(handle: BorrowedHandle<'_>, parts: Parts) -> io::Result<Self> {
        sys::SecurityDescriptor::of_handle(handle, parts).map(Self)
    }

    /// This descriptor, borrowed: for functions that take any descriptor, whoever owns it.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("O:SY")?;
    /// assert_eq!(descriptor.borrow().owner_sid(), descriptor.owner_sid());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn borrow(&self) -> BorrowedSecurityDescriptor<'_> {
        BorrowedSecurityDescriptor(self.0.borrow())
    }

    /// The pointer that functions of Windows take. It is valid until the descriptor is changed, moved or dropped; nothing may
    /// be written through it.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// assert!(!SecurityDescriptor::default().as_ptr().is_null());
    /// ```
    pub fn as_ptr(&self) -> *const c_void {
        self.0.as_ptr().cast()
    }

    /// Its text in the security descriptor definition language, of all parts that there are.
    ///
    /// Stands on `ConvertSecurityDescriptorToStringSecurityDescriptorW`.
    ///
    /// # Errors
    /// The system's, if there is an entry of a kind that has no text.
    ///
    /// # Platform-specific behaviour
    /// Wine has no text for entries about parts of objects, conditions and attributes.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// let text = "O:SYG:BAD:P(A;;FA;;;SY)";
    /// assert_eq!(SecurityDescriptor::from_sddl(text)?.to_sddl()?, text);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn to_sddl(&self) -> io::Result<String> {
        self.0.borrow().to_sddl(Parts::ALL)
    }

    /// The text of `parts` only; otherwise as [`to_sddl`](Self::to_sddl).
    ///
    /// # Errors
    /// As for [`to_sddl`](Self::to_sddl).
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Parts, SecurityDescriptor};
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("O:SYG:BAD:P(A;;FA;;;SY)")?;
    /// assert_eq!(descriptor.parts_to_sddl(Parts::OWNER | Parts::GROUP)?, "O:SYG:BA");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn parts_to_sddl(&self, parts: Parts) -> io::Result<String> {
        self.0.borrow().to_sddl(parts)
    }

    /// Sets `parts` of the object behind `handle`, such as a pipe or a file, to those of this descriptor.
    ///
    /// Stands on `SetKernelObjectSecurity`.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if one of `parts` is absent (Windows would take an absent DACL for a
    /// null one, which lets everybody do everything). [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the handle
    /// was opened without `WRITE_DAC` for the DACL, `WRITE_OWNER` for owner, group and label, or `ACCESS_SYSTEM_SECURITY`
    /// for the SACL; or if the owner is neither the user nor one of the groups that may own. Streams of this crate are
    /// opened without these.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Parts, SecurityDescriptor};
    /// use std::{fs::OpenOptions, os::windows::{fs::OpenOptionsExt, io::AsHandle}};
    ///
    /// const READ_CONTROL: u32 = 0x2_0000;
    /// const WRITE_DAC: u32 = 0x4_0000;
    /// # let path = format!(r"\\.\pipe\interprocess-doc-apply-to-{}", std::process::id());
    /// # let path = path.as_str();
    /// let _listener = interprocess::local_socket::Listener::bind(path)?;
    /// let pipe = OpenOptions::new().access_mode(READ_CONTROL | WRITE_DAC).open(path)?;
    /// let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;SY)")?;
    /// descriptor.apply_to(pipe.as_handle(), Parts::DACL)?;
    /// let now = SecurityDescriptor::of_handle(pipe.as_handle(), Parts::DACL)?;
    /// assert_eq!(now.dacl_list(), descriptor.dacl_list());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn apply_to(&self, handle: BorrowedHandle<'_>, parts: Parts) -> io::Result<()> {
        self.0.borrow().apply_to(handle, parts)
    }

    /// The owner.
    ///
    /// Stands on `GetSecurityDescriptorOwner`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{SecurityDescriptor, Sid};
    ///
    /// assert_eq!(SecurityDescriptor::from_sddl("O:SY")?.owner_sid(), Some(Sid::SYSTEM));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn owner_sid(&self) -> Option<Sid> {
        self.0.borrow().owner()
    }

    /// The primary group.
    ///
    /// Stands on `GetSecurityDescriptorGroup`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{SecurityDescriptor, Sid};
    ///
    /// assert_eq!(SecurityDescriptor::from_sddl("G:BA")?.group_sid(), Some(Sid::ADMINISTRATORS));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn group_sid(&self) -> Option<Sid> {
        self.0.borrow().group()
    }

    /// The DACL: who may do what.
    ///
    /// Stands on `GetSecurityDescriptorDacl`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, SecurityDescriptor, Sid};
    ///
    /// let list = SecurityDescriptor::from_sddl("D:(A;;FA;;;SY)")?.dacl_list();
    /// for ace in list.entries().into_iter().flatten() {
    ///     assert_eq!((ace.sid(), ace.mask()), (Some(Sid::SYSTEM), Some(Ace::FULL_ACCESS)));
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn dacl_list(&self) -> AccessList {
        self.0.borrow().dacl()
    }

    /// The SACL: what is logged, and the integrity label.
    ///
    /// Stands on `GetSecurityDescriptorSacl`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, SecurityDescriptor, Sid};
    ///
    /// let list = SecurityDescriptor::from_sddl("S:(AU;FA;FA;;;SY)")?.sacl_list();
    /// for ace in list.entries().into_iter().flatten() {
    ///     assert_eq!((ace.sid(), ace.mask()), (Some(Sid::SYSTEM), Some(Ace::FULL_ACCESS)));
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sacl_list(&self) -> AccessList {
        self.0.borrow().sacl()
    }

    /// How the parts came about.
    ///
    /// Stands on `GetSecurityDescriptorControl`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Control, SecurityDescriptor};
    ///
    /// assert_eq!(SecurityDescriptor::from_sddl("D:P")?.control_flags(), Control::DACL_PROTECTED);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn control_flags(&self) -> Control {
        self.0.borrow().control()
    }

    /// Sets the owner, or with `None` makes it absent.
    ///
    /// Stands on `SetSecurityDescriptorOwner`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{SecurityDescriptor, Sid};
    ///
    /// let mut descriptor = SecurityDescriptor::default();
    /// descriptor.set_owner_sid(Sid::SYSTEM);
    /// assert_eq!(descriptor.owner_sid(), Some(Sid::SYSTEM));
    /// descriptor.set_owner_sid(None);
    /// assert_eq!(descriptor.owner_sid(), None);
    /// ```
    pub fn set_owner_sid(&mut self, owner: impl Into<Option<Sid>>) {
        self.0.set_owner(owner.into());
    }

    /// Sets the primary group, or with `None` makes it absent.
    ///
    /// Stands on `SetSecurityDescriptorGroup`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{SecurityDescriptor, Sid};
    ///
    /// let mut descriptor = SecurityDescriptor::default();
    /// descriptor.set_group_sid(Sid::ADMINISTRATORS);
    /// assert_eq!(descriptor.to_sddl()?, "G:BA");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_group_sid(&mut self, group: impl Into<Option<Sid>>) {
        self.0.set_group(group.into());
    }

    /// Sets the DACL, or with [`AccessList::Absent`] makes it absent.
    ///
    /// Stands on `SetSecurityDescriptorDacl`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, Acl, SecurityDescriptor, Sid};
    ///
    /// let mut descriptor = SecurityDescriptor::default();
    /// descriptor.set_dacl_list(Acl::from_aces([Ace::allow(Sid::SYSTEM, Ace::FULL_ACCESS)])?);
    /// assert_eq!(descriptor.to_sddl()?, "D:(A;;FA;;;SY)");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_dacl_list(&mut self, dacl: impl Into<AccessList>) {
        self.0.set_dacl(&dacl.into());
    }

    /// Sets the SACL, or with [`AccessList::Absent`] makes it absent.
    ///
    /// Stands on `SetSecurityDescriptorSacl`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{AccessList, SecurityDescriptor};
    ///
    /// let mut descriptor = SecurityDescriptor::from_sddl("S:(AU;FA;FA;;;WD)")?;
    /// descriptor.set_sacl_list(AccessList::Absent);
    /// assert_eq!(descriptor, SecurityDescriptor::default());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_sacl_list(&mut self, sacl: impl Into<AccessList>) {
        self.0.set_sacl(&sacl.into());
    }

    /// Sets or clears flags. Setting a part clears its own `…_DEFAULTED` flag; all others stay until they are cleared here.
    ///
    /// Stands on `SetSecurityDescriptorControl`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Control, SecurityDescriptor};
    ///
    /// let mut descriptor = SecurityDescriptor::from_sddl("D:(A;;FA;;;SY)")?;
    /// descriptor.set_control_flags(Control::DACL_PROTECTED, true);
    /// assert_eq!(descriptor.to_sddl()?, "D:P(A;;FA;;;SY)");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_control_flags(&mut self, flags: Control, on: bool) {
        self.0.set_control(flags, on);
    }
}

/// A descriptor in which everything is absent.
impl Default for SecurityDescriptor {
    fn default() -> Self {
        Self(sys::SecurityDescriptor::new())
    }
}

impl PartialEq for SecurityDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.borrow() == other.borrow()
    }
}

impl Eq for SecurityDescriptor {}

impl Debug for SecurityDescriptor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

/// As [`SecurityDescriptor::from_sddl`].
impl FromStr for SecurityDescriptor {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        Self::from_sddl(text)
    }
}

impl From<BorrowedSecurityDescriptor<'_>> for SecurityDescriptor {
    fn from(descriptor: BorrowedSecurityDescriptor<'_>) -> Self {
        descriptor.into_owned()
    }
}

/// A security descriptor that something else owns, which may be other than a [`SecurityDescriptor`]; absolute or self-relative.
///
/// ```
/// use interprocess::os::windows::security_descriptor::{BorrowedSecurityDescriptor, SecurityDescriptor};
///
/// fn is_owned(descriptor: BorrowedSecurityDescriptor<'_>) -> bool {
///     descriptor.owner_sid().is_some()
/// }
/// assert!(!is_owned(SecurityDescriptor::default().borrow()));
/// ```
#[derive(Copy, Clone)]
pub struct BorrowedSecurityDescriptor<'a>(pub(crate) sys::Borrowed<'a>);

impl BorrowedSecurityDescriptor<'_> {
    /// Borrows what a function of Windows gave.
    ///
    /// Stands on `IsValidSecurityDescriptor`.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if it is null, or what it points to is malformed.
    ///
    /// # Safety
    /// It is null, or points to a security descriptor. For the lifetime that the caller chooses, it and all that it points
    /// to stay there and are not written to.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{BorrowedSecurityDescriptor, SecurityDescriptor};
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("O:SY")?;
    /// // SAFETY: the descriptor outlives what is borrowed from it.
    /// let borrowed = unsafe { BorrowedSecurityDescriptor::try_from_ptr(descriptor.as_ptr()) }?;
    /// assert_eq!(borrowed.to_sddl()?, "O:SY");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub unsafe fn try_from_ptr(descriptor: *const c_void) -> io::Result<Self> {
        // SAFETY: the caller says so.
        unsafe { sys::Borrowed::from_ptr(descriptor) }.map(Self)
    }

    /// The pointer that functions of Windows take; nothing may be written through it.
    pub fn as_ptr(&self) -> *const c_void {
        self.0.as_ptr()
    }

    /// A copy of everything.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("O:SYD:(A;;FA;;;SY)")?;
    /// assert_eq!(descriptor.borrow().into_owned(), descriptor);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_owned(self) -> SecurityDescriptor {
        SecurityDescriptor(self.0.to_owned())
    }

    /// As [`SecurityDescriptor::to_sddl`].
    pub fn to_sddl(&self) -> io::Result<String> {
        self.0.to_sddl(Parts::ALL)
    }

    /// As [`SecurityDescriptor::parts_to_sddl`].
    pub fn parts_to_sddl(&self, parts: Parts) -> io::Result<String> {
        self.0.to_sddl(parts)
    }

    /// As [`SecurityDescriptor::apply_to`].
    pub fn apply_to(&self, handle: BorrowedHandle<'_>, parts: Parts) -> io::Result<()> {
        self.0.apply_to(handle, parts)
    }

    /// As [`SecurityDescriptor::owner_sid`].
    pub fn owner_sid(&self) -> Option<Sid> {
        self.0.owner()
    }

    /// As [`SecurityDescriptor::group_sid`].
    pub fn group_sid(&self) -> Option<Sid> {
        self.0.group()
    }

    /// As [`SecurityDescriptor::dacl_list`].
    pub fn dacl_list(&self) -> AccessList {
        self.0.dacl()
    }

    /// As [`SecurityDescriptor::sacl_list`].
    pub fn sacl_list(&self) -> AccessList {
        self.0.sacl()
    }

    /// As [`SecurityDescriptor::control_flags`].
    pub fn control_flags(&self) -> Control {
        self.0.control()
    }
}

impl PartialEq for BorrowedSecurityDescriptor<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.control_flags() == other.control_flags()
            && self.owner_sid() == other.owner_sid()
            && self.group_sid() == other.group_sid()
            && self.dacl_list() == other.dacl_list()
            && self.sacl_list() == other.sacl_list()
    }
}

impl Eq for BorrowedSecurityDescriptor<'_> {}

impl Debug for BorrowedSecurityDescriptor<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.debug("BorrowedSecurityDescriptor", f)
    }
}

/// For options that take a descriptor or `None`.
///
/// ```
/// use interprocess::os::windows::{security_descriptor::SecurityDescriptor, unnamed_pipe::CreationOptions};
///
/// # use interprocess::local_socket::Access;
/// let descriptor = SecurityDescriptor::for_access(Access::Owner)?;
/// let (sender, recver) = CreationOptions::new().security_descriptor(&descriptor).create()?;
/// # Ok::<(), std::io::Error>(())
/// ```
impl<'a> From<&'a SecurityDescriptor> for Option<BorrowedSecurityDescriptor<'a>> {
    fn from(descriptor: &'a SecurityDescriptor) -> Self {
        Some(descriptor.borrow())
    }
}

impl<'a> From<&'a SecurityDescriptor> for BorrowedSecurityDescriptor<'a> {
    fn from(descriptor: &'a SecurityDescriptor) -> Self {
        descriptor.borrow()
    }
}
