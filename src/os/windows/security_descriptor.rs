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
//! let mut descriptor = SecurityDescriptor::new();
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
//! The names of methods (`owner_sid`, `dacl_list`) leave room for the traits of interprocess 2, whose `owner` and `dacl`
//! give pointers.

use crate::{
    local_socket::Access,
    sys::windows::{security, security_descriptor as sys},
};
use std::{
    ffi::c_void,
    fmt::{self, Debug, Display, Formatter},
    io,
    ops::{BitOr, BitOrAssign},
    os::windows::io::BorrowedHandle,
    slice,
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
        /// All that a descriptor can hold, the attributes and the central policy in its SACL included.
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

flags! {
    /// Flags of an entry of an access control list. Those about inheriting mean nothing for pipes.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, AceFlags, Sid};
    ///
    /// let flags = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
    /// assert_eq!(Ace::allow(Sid::SYSTEM, Ace::FULL_ACCESS).with_flags(flags).flags().bits(), 3);
    /// ```
    AceFlags: u8 {
        /// No flag.
        NONE = 0;
        /// Passed on to objects inside.
        OBJECT_INHERIT = 0x1;
        /// Passed on to containers inside.
        CONTAINER_INHERIT = 0x2;
        /// Passed on only once.
        NO_PROPAGATE_INHERIT = 0x4;
        /// Not for this object, only passed on.
        INHERIT_ONLY = 0x8;
        /// It was passed on from a container.
        INHERITED = 0x10;
        /// An entry of a SACL: what succeeds is logged.
        SUCCESSFUL_ACCESS = 0x40;
        /// An entry of a SACL: what fails is logged.
        FAILED_ACCESS = 0x80;
    }
}

impl AceFlags {
    /// The flags of these bits, as Windows numbers them.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

/// A security identifier: a user, a group, or anything else that can be given rights.
///
/// Two are equal if they stand for the same. Its text has the form `S-1-5-…`, as `ConvertSidToStringSidW` writes and
/// `ConvertStringSidToSidW` reads it; the two-letter names of SDDL are none.
///
/// ```
/// use interprocess::os::windows::security_descriptor::Sid;
///
/// let sid: Sid = "S-1-5-32-544".parse()?;
/// assert_eq!(sid, Sid::ADMINISTRATORS);
/// assert_eq!(sid.to_string(), "S-1-5-32-544");
/// # Ok::<(), std::io::Error>(())
/// ```
// As it is in memory, that is, revision, number of subauthorities, authority, subauthorities. What is unused is 0.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct Sid([u32; 2 + Self::MAX_SUBAUTHORITIES]);

impl Sid {
    const MAX_SUBAUTHORITIES: usize = 15;

    /// Everyone (`S-1-1-0`); anonymous clients only if the system is configured so.
    pub const EVERYONE: Self = Self::new(1, &[0]);
    /// The members of the group of administrators (`S-1-5-32-544`), as far as they are elevated.
    pub const ADMINISTRATORS: Self = Self::new(5, &[32, 544]);
    /// The system itself, and services that run as it (`S-1-5-18`).
    pub const SYSTEM: Self = Self::new(5, &[18]);
    /// Everyone who has logged in (`S-1-5-11`).
    pub const AUTHENTICATED_USERS: Self = Self::new(5, &[11]);
    /// Everyone who comes over the network (`S-1-5-2`).
    pub const NETWORK: Self = Self::new(5, &[2]);
    /// Who does not say who it is (`S-1-5-7`).
    pub const ANONYMOUS: Self = Self::new(5, &[7]);

    /// The user that this process runs as, whomever the calling thread acts as.
    ///
    /// Stands on `GetTokenInformation` (`TokenUser`).
    ///
    /// # Errors
    /// Those of asking for the process's token.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::Sid;
    ///
    /// assert!(Sid::current_user()?.to_string().starts_with("S-1-5-"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn current_user() -> io::Result<Self> {
        security::our_user().copied()
    }

    /// The primary group of the user that this process runs as.
    ///
    /// Stands on `GetTokenInformation` (`TokenPrimaryGroup`).
    ///
    /// # Errors
    /// As for [`current_user`](Self::current_user).
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::Sid;
    ///
    /// assert!(Sid::current_group()?.to_string().starts_with("S-1-5-"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn current_group() -> io::Result<Self> {
        security::our_group()
    }

    pub(crate) const fn new(authority: u64, subauthorities: &[u32]) -> Self {
        let a = authority.to_be_bytes();
        let mut words = [0; 2 + Self::MAX_SUBAUTHORITIES];
        #[allow(clippy::cast_possible_truncation, reason = "more than 15 do not fit into `words`")]
        let count = subauthorities.len() as u8;
        words[0] = u32::from_le_bytes([1, count, a[2], a[3]]);
        words[1] = u32::from_le_bytes([a[4], a[5], a[6], a[7]]);
        let mut i = 0;
        while i < subauthorities.len() {
            words[2 + i] = subauthorities[i];
            i += 1;
        }
        Self(words)
    }

    /// From its form in memory; what follows it does not matter. `None` if it is malformed.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[revision, count], _) = bytes.split_first_chunk()?;
        let used = 2 + usize::from(count);
        let bytes = bytes.get(..4 * used)?;
        let mut words = [0; 2 + Self::MAX_SUBAUTHORITIES];
        for (word, bytes) in words.get_mut(..used)?.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        (revision == 1).then_some(Self(words))
    }

    /// Its form in memory.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let used = 2 + self.subauthorities().len();
        self.0[..used].iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn authority(&self) -> u64 {
        // Big-endian, unlike all else.
        let (high, low) = (self.0[0].swap_bytes() & 0xffff, self.0[1].swap_bytes());
        u64::from(high) << 32 | u64::from(low)
    }

    pub(crate) fn subauthorities(&self) -> &[u32] {
        &self.0[2..][..usize::from(self.0[0].to_le_bytes()[1])]
    }

    /// Whether it is the group of administrators, or the system itself: who could do all that our user can
    /// anyway.
    pub(crate) fn is_all_powerful(&self) -> bool {
        [Self::ADMINISTRATORS, Self::SYSTEM].contains(self)
    }

    fn parse(text: &str) -> Option<Self> {
        /// Digits and nothing else: `from_str_radix` lets a sign pass.
        fn number(text: &str) -> Option<u64> {
            let (text, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(text) => (text, 16),
                None => (text, 10),
            };
            text.chars().all(|c| c.is_digit(radix)).then(|| u64::from_str_radix(text, radix).ok())?
        }

        let mut fields = text.split('-');
        if !fields.next()?.eq_ignore_ascii_case("S") || fields.next()? != "1" {
            return None;
        }
        let authority = number(fields.next()?).filter(|&authority| authority < 1 << 48)?;
        let subauthorities: Vec<u32> =
            fields.map(|field| number(field)?.try_into().ok()).collect::<Option<_>>()?;
        (1..=Self::MAX_SUBAUTHORITIES)
            .contains(&subauthorities.len())
            .then(|| Self::new(authority, &subauthorities))
    }
}

/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) for anything that is not a SID; the text is quoted.
impl FromStr for Sid {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        Self::parse(text).ok_or_else(|| {
            let why = format!("malformed SID {text:?}: it has to be of the form S-1-5-…");
            io::Error::new(io::ErrorKind::InvalidInput, why)
        })
    }
}

impl Display for Sid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let authority = self.authority();
        // As the system writes it.
        if authority < 1 << 32 {
            write!(f, "S-1-{authority}")?;
        } else {
            write!(f, "S-1-{authority:#014X}")?;
        }
        self.subauthorities().iter().try_for_each(|subauthority| write!(f, "-{subauthority}"))
    }
}

impl Debug for Sid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// How far a process is trusted: one with a low level cannot change what has a higher one, whatever the DACL allows.
///
/// The levels are ordered. There may be others between the named ones.
///
/// ```
/// use interprocess::os::windows::security_descriptor::IntegrityLevel;
///
/// assert!(IntegrityLevel::LOW < IntegrityLevel::MEDIUM);
/// assert_eq!(IntegrityLevel::HIGH.to_string(), "high");
/// assert_eq!(IntegrityLevel::from_raw(0x2010).to_string(), "0x2010");
/// assert_eq!(IntegrityLevel::LOW.sid().to_string(), "S-1-16-4096");
/// ```
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrityLevel(u32);

impl IntegrityLevel {
    /// Anonymous processes.
    pub const UNTRUSTED: Self = Self(0);
    /// Sandboxed processes, such as the renderers of browsers.
    pub const LOW: Self = Self(0x1000);
    /// What users run.
    pub const MEDIUM: Self = Self(0x2000);
    /// What users run with access to other windows (`uiAccess`), for instance.
    pub const MEDIUM_PLUS: Self = Self(0x2100);
    /// Elevated processes.
    pub const HIGH: Self = Self(0x3000);
    /// Services.
    pub const SYSTEM: Self = Self(0x4000);
    /// Protected processes.
    pub const PROTECTED: Self = Self(0x5000);

    /// The level of this number (`SECURITY_MANDATORY_…_RID`).
    pub const fn from_raw(rid: u32) -> Self {
        Self(rid)
    }

    /// Its number (`SECURITY_MANDATORY_…_RID`).
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The security identifier that stands for it in labels: `S-1-16-…`.
    pub const fn sid(self) -> Sid {
        Sid::new(16, &[self.0])
    }
}

impl Display for IntegrityLevel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::UNTRUSTED => "untrusted",
            Self::LOW => "low",
            Self::MEDIUM => "medium",
            Self::MEDIUM_PLUS => "medium plus",
            Self::HIGH => "high",
            Self::SYSTEM => "system",
            Self::PROTECTED => "protected",
            Self(other) => return write!(f, "{other:#x}"),
        })
    }
}

impl Debug for IntegrityLevel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrityLevel({self})")
    }
}

/// What kind of entry of an access control list something is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AceKind {
    /// Somebody may do something (`ACCESS_ALLOWED_ACE_TYPE`).
    Allow,
    /// Somebody may not do something (`ACCESS_DENIED_ACE_TYPE`).
    Deny,
    /// It is logged if somebody does something (`SYSTEM_AUDIT_ACE_TYPE`).
    Audit,
    /// Another kind, by its number.
    Other(u8),
}

/// An entry of an access control list.
///
/// ```
/// use interprocess::os::windows::security_descriptor::{Ace, AceKind, Sid};
///
/// let ace = Ace::deny(Sid::NETWORK, Ace::FULL_ACCESS);
/// assert_eq!(ace.kind(), AceKind::Deny);
/// assert_eq!(ace.sid(), Some(Sid::NETWORK));
/// assert_eq!(ace.mask(), Some(0x1f01ff));
/// ```
// As it is in memory: kind, flags, length of all, and what the kind has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ace(Box<[u8]>);

impl Ace {
    const ALLOW: u8 = 0;
    const DENY: u8 = 1;
    const AUDIT: u8 = 2;
    const HEADER: usize = 4;

    /// All that can be done with a pipe or file (`FILE_ALL_ACCESS`).
    pub const FULL_ACCESS: u32 = 0x001f_01ff;
    /// To read from a pipe, and what belongs to it, such as waiting and asking for the owner (`FILE_GENERIC_READ`).
    pub const READ: u32 = 0x0012_0089;
    /// To write to a pipe, and what belongs to it (`FILE_GENERIC_WRITE`), but without `FILE_CREATE_PIPE_INSTANCE` (4): who has
    /// that can add an instance to the pipe and so take clients away.
    pub const WRITE: u32 = 0x0012_0112;
    /// [`READ`](Self::READ) and [`WRITE`](Self::WRITE).
    pub const READ_AND_WRITE: u32 = Self::READ | Self::WRITE;

    /// `sid` may do what is in `mask`.
    pub fn allow(sid: Sid, mask: u32) -> Self {
        Self::simple(Self::ALLOW, AceFlags::NONE, sid, mask)
    }

    /// `sid` may not do what is in `mask`. It counts only before the entry that allows the same.
    pub fn deny(sid: Sid, mask: u32) -> Self {
        Self::simple(Self::DENY, AceFlags::NONE, sid, mask)
    }

    /// What `sid` does of what is in `mask` is logged, as `flags` say: [`AceFlags::SUCCESSFUL_ACCESS`],
    /// [`AceFlags::FAILED_ACCESS`] or both.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, AceFlags, Acl, SecurityDescriptor, Sid};
    ///
    /// let mut descriptor = SecurityDescriptor::new();
    /// let ace = Ace::audit(Sid::EVERYONE, Ace::FULL_ACCESS, AceFlags::FAILED_ACCESS);
    /// descriptor.set_sacl_list(Acl::from_aces([ace])?);
    /// assert_eq!(descriptor.to_sddl()?, "S:(AU;FA;FA;;;WD)");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn audit(sid: Sid, mask: u32, flags: AceFlags) -> Self {
        Self::simple(Self::AUDIT, flags, sid, mask)
    }

    fn simple(kind: u8, flags: AceFlags, sid: Sid, mask: u32) -> Self {
        Self::assemble(kind, flags, &[&mask.to_le_bytes()[..], &sid.to_bytes()].concat())
            .expect("a SID is not long")
    }

    /// An entry of any kind: its number, and what follows the header in memory.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the body is no multiple of 4 bytes long or longer than 65528, or if the
    /// kind is one that has a SID and there is none.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, AceFlags, AceKind, IntegrityLevel};
    ///
    /// // A mandatory label: who has a lower level may not write.
    /// let mut body = vec![1, 0, 0, 0];
    /// body.extend([1, 1, 0, 0, 0, 0, 0, 16, 0x00, 0x10, 0, 0]);
    /// let ace = Ace::other(0x11, AceFlags::NONE, &body)?;
    /// assert_eq!(ace.kind(), AceKind::Other(0x11));
    /// assert_eq!(ace.sid(), Some(IntegrityLevel::LOW.sid()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn other(kind: u8, flags: AceFlags, body: &[u8]) -> io::Result<Self> {
        let malformed = |why: &str| {
            let len = body.len();
            let what = format!("access control entry of kind {kind:#x} with {len} bytes: {why}");
            io::Error::new(io::ErrorKind::InvalidInput, what)
        };
        if body.len() % 4 != 0 {
            return Err(malformed("the length has to be a multiple of 4"));
        }
        let ace = Self::assemble(kind, flags, body).ok_or_else(|| malformed("it is too long"))?;
        if ace.sid_offset() != SidOffset::None && ace.sid().is_none() {
            return Err(malformed("it has no valid SID"));
        }
        Ok(ace)
    }

    fn assemble(kind: u8, flags: AceFlags, body: &[u8]) -> Option<Self> {
        let len = u16::try_from(Self::HEADER + body.len()).ok()?;
        Some(Self([&[kind, flags.bits()], &len.to_le_bytes()[..], body].concat().into()))
    }

    /// From the beginning of `bytes`; also what follows.
    fn split_off(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let len = usize::from(u16::from_le_bytes(bytes.get(2..4)?.try_into().ok()?));
        let (ace, rest) = bytes.split_at_checked(len)?;
        (len >= Self::HEADER).then(|| (Self(ace.into()), rest))
    }

    /// The same with other flags.
    #[must_use]
    pub fn with_flags(mut self, flags: AceFlags) -> Self {
        self.0[1] = flags.bits();
        self
    }

    /// Its kind.
    pub fn kind(&self) -> AceKind {
        match self.0[0] {
            Self::ALLOW => AceKind::Allow,
            Self::DENY => AceKind::Deny,
            Self::AUDIT => AceKind::Audit,
            other => AceKind::Other(other),
        }
    }

    /// Its flags.
    pub fn flags(&self) -> AceFlags {
        AceFlags(self.0[1])
    }

    /// The rights that it is about; `None` if the kind is unknown.
    pub fn mask(&self) -> Option<u32> {
        if self.0[0] > Self::LAST_KNOWN {
            return None;
        }
        self.word(4)
    }

    /// Whom it is about; `None` if the kind is unknown, or is about nobody.
    pub fn sid(&self) -> Option<Sid> {
        let offset = match self.sid_offset() {
            SidOffset::None => return None,
            SidOffset::AfterMask => 8,
            // Up to two GUIDs come before it; flags say which.
            SidOffset::AfterGuids => 12 + 16 * usize::try_from((self.word(8)? & 3).count_ones()).ok()?,
        };
        Sid::from_bytes(self.0.get(offset..)?)
    }

    /// What follows the header in memory.
    pub fn body(&self) -> &[u8] {
        &self.0[Self::HEADER..]
    }

    /// `SYSTEM_ACCESS_FILTER_ACE_TYPE`.
    const LAST_KNOWN: u8 = 0x15;

    fn sid_offset(&self) -> SidOffset {
        match self.0[0] {
            0..=3 | 0x9 | 0xa | 0xd | 0xe | 0x11..=Self::LAST_KNOWN => SidOffset::AfterMask,
            0x5..=0x8 | 0xb | 0xc | 0xf | 0x10 => SidOffset::AfterGuids,
            _ => SidOffset::None,
        }
    }

    fn word(&self, offset: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.0.get(offset..offset + 4)?.try_into().ok()?))
    }
}

/// Where an entry has its SID.
#[derive(PartialEq)]
enum SidOffset {
    None,
    AfterMask,
    AfterGuids,
}

impl Debug for Ace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut it = f.debug_struct("Ace");
        it.field("kind", &self.kind()).field("flags", &self.flags());
        match (self.mask(), self.sid()) {
            (Some(mask), Some(sid)) => {
                it.field("mask", &format_args!("{mask:#x}")).field("sid", &sid).finish()
            }
            _ => it.field("body", &self.body()).finish(),
        }
    }
}

/// An access control list: entries, of which the first that says something about what is asked counts.
///
/// Its form in memory is no longer than 65532 bytes.
///
/// ```
/// use interprocess::os::windows::security_descriptor::{Ace, Acl, Sid};
///
/// let mut list = Acl::new();
/// list.push(Ace::deny(Sid::NETWORK, Ace::FULL_ACCESS))?;
/// list.push(Ace::allow(Sid::AUTHENTICATED_USERS, Ace::READ_AND_WRITE))?;
/// assert_eq!(list.aces().len(), 2);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Acl(Vec<Ace>);

impl Acl {
    const HEADER: usize = 8;
    /// The length is a 16-bit number and a multiple of 4.
    const MAX_LEN: usize = 65532;

    /// A list without entries: as a DACL, it allows nobody anything.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A list of these entries, in this order.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, Acl, Sid};
    ///
    /// let list = Acl::from_aces([Ace::allow(Sid::EVERYONE, Ace::READ)])?;
    /// assert_eq!(list.aces()[0].sid(), Some(Sid::EVERYONE));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_aces(aces: impl IntoIterator<Item = Ace>) -> io::Result<Self> {
        let list = Self(aces.into_iter().collect());
        list.check_len(list.len())?;
        Ok(list)
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the list would be longer than Windows allows; it stays as it was.
    pub fn push(&mut self, ace: Ace) -> io::Result<()> {
        self.check_len(self.len() + ace.0.len())?;
        self.0.push(ace);
        Ok(())
    }

    /// The entries.
    pub fn aces(&self) -> &[Ace] {
        &self.0
    }

    /// Removes the entries for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&Ace) -> bool) {
        self.0.retain(keep);
    }

    fn len(&self) -> usize {
        Self::HEADER + self.0.iter().map(|ace| ace.0.len()).sum::<usize>()
    }

    #[allow(clippy::unused_self, reason = "it is about a list")]
    fn check_len(&self, len: usize) -> io::Result<()> {
        if len > Self::MAX_LEN {
            let max = Self::MAX_LEN;
            let why = format!("access control list of {len} bytes: Windows allows {max}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(())
    }

    /// From its form in memory; `None` if it is malformed.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let count = u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?);
        let mut rest = bytes.get(Self::HEADER..)?;
        let mut aces = Vec::with_capacity(count.into());
        for _ in 0..count {
            let (ace, after) = Ace::split_off(rest)?;
            aces.push(ace);
            rest = after;
        }
        Some(Self(aces))
    }

    /// Its form in memory.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        const REVISION: u8 = 2;
        /// That of lists with entries about parts of objects (`ACL_REVISION_DS`).
        const REVISION_DS: u8 = 4;

        let has_objects = self.0.iter().any(|ace| ace.sid_offset() == SidOffset::AfterGuids);
        let [l0, l1] =
            u16::try_from(self.len()).expect("it was checked when entries were added").to_le_bytes();
        let [c0, c1] = u16::try_from(self.0.len()).expect("each has four bytes at least").to_le_bytes();
        let header = [if has_objects { REVISION_DS } else { REVISION }, 0, l0, l1, c0, c1, 0, 0];
        header.into_iter().chain(self.0.iter().flat_map(|ace| &ace.0).copied()).collect()
    }
}

impl<'a> IntoIterator for &'a Acl {
    type Item = &'a Ace;
    type IntoIter = slice::Iter<'a, Ace>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The DACL or SACL of a security descriptor.
///
/// ```
/// use interprocess::os::windows::security_descriptor::{AccessList, Acl, SecurityDescriptor};
///
/// let mut descriptor = SecurityDescriptor::new();
/// assert_eq!(descriptor.dacl_list(), AccessList::Absent);
/// descriptor.set_dacl_list(Acl::new());
/// assert_eq!(descriptor.dacl_list(), AccessList::Entries(Acl::new()));
/// assert_eq!(SecurityDescriptor::from_sddl("D:")?, descriptor);
/// descriptor.set_dacl_list(AccessList::Absent);
/// assert_eq!(SecurityDescriptor::new(), descriptor);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AccessList {
    /// There is none: a new object gets what the system has for such objects.
    Absent,
    /// There is one, and it is null: everybody may do everything. No object should have such a DACL.
    Null,
    /// These entries. If there are none, nobody may do anything (save the owner, who may change that).
    Entries(Acl),
}

impl AccessList {
    /// The entries, if there is a list of them.
    pub fn entries(&self) -> Option<&Acl> {
        match self {
            Self::Entries(acl) => Some(acl),
            Self::Absent | Self::Null => None,
        }
    }
}

impl From<Acl> for AccessList {
    fn from(acl: Acl) -> Self {
        Self::Entries(acl)
    }
}

/// A security descriptor of its own.
///
/// [`Debug`] shows its SDDL; two are equal if their parts and [flags](Control) are. In memory it is an absolute descriptor
/// whose parts are on the local heap.
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
    /// A descriptor in which everything is absent.
    ///
    /// Stands on `InitializeSecurityDescriptor`.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// assert_eq!(SecurityDescriptor::new().owner_sid(), None);
    /// ```
    pub fn new() -> Self {
        Self(sys::SecurityDescriptor::new())
    }

    /// The descriptor of a pipe that is open to those, which is what listeners use unless told otherwise.
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

    /// The descriptor of the object behind `handle`, a pipe for one. Other parts than `parts` are absent.
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

    /// The same, borrowed.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("O:SY")?;
    /// assert_eq!(descriptor.as_borrowed().owner_sid(), descriptor.owner_sid());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_borrowed(&self) -> BorrowedSecurityDescriptor<'_> {
        BorrowedSecurityDescriptor(self.0.borrow())
    }

    /// The pointer that functions of Windows take. It is valid until the descriptor is changed, moved or dropped; nothing may
    /// be written through it.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    ///
    /// assert!(!SecurityDescriptor::new().as_ptr().is_null());
    /// ```
    pub fn as_ptr(&self) -> *const c_void {
        self.0.as_ptr().cast()
    }

    /// Its text in the security descriptor definition language, of all parts that there are.
    ///
    /// Stands on `ConvertSecurityDescriptorToStringSecurityDescriptorW`.
    ///
    /// # Errors
    /// If there is an entry of a kind that has no text.
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

    /// Sets `parts` of the object behind `handle`, a pipe for one, to those of this descriptor.
    ///
    /// Stands on `SetKernelObjectSecurity`.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if one of `parts` is absent (Windows would take an absent DACL for a
    /// null one, which lets everybody do everything). [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the handle was
    /// opened without `WRITE_DAC` for the DACL, `WRITE_OWNER` for owner, group and label, or `ACCESS_SYSTEM_SECURITY` for the
    /// SACL; or if the owner is neither the user nor one of the groups that may own. Streams of this crate are opened without these.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Parts, SecurityDescriptor};
    /// use std::{fs::OpenOptions, os::windows::{fs::OpenOptionsExt, io::AsHandle}};
    ///
    /// const READ_CONTROL: u32 = 0x2_0000;
    /// const WRITE_DAC: u32 = 0x4_0000;
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-apply-to-{}", std::process::id()));
    /// # std::fs::write(&path, "")?;
    /// // It works for files too.
    /// let file = OpenOptions::new().access_mode(READ_CONTROL | WRITE_DAC).open(&path)?;
    /// let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;WD)")?;
    /// descriptor.apply_to(file.as_handle(), Parts::DACL)?;
    /// let now = SecurityDescriptor::of_handle(file.as_handle(), Parts::DACL)?;
    /// # drop(file);
    /// # std::fs::remove_file(&path)?;
    /// assert_eq!(now.dacl_list(), descriptor.dacl_list());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn apply_to(&self, handle: BorrowedHandle<'_>, parts: Parts) -> io::Result<()> {
        self.0.borrow().apply_to(handle, parts)
    }

    /// The owner.
    ///
    /// Stands on `GetSecurityDescriptorOwner`.
    pub fn owner_sid(&self) -> Option<Sid> {
        self.0.borrow().owner()
    }

    /// The primary group.
    ///
    /// Stands on `GetSecurityDescriptorGroup`.
    pub fn group_sid(&self) -> Option<Sid> {
        self.0.borrow().group()
    }

    /// The DACL: who may do what.
    ///
    /// Stands on `GetSecurityDescriptorDacl`.
    pub fn dacl_list(&self) -> AccessList {
        self.0.borrow().dacl()
    }

    /// The SACL: what is logged, and the integrity label.
    ///
    /// Stands on `GetSecurityDescriptorSacl`.
    pub fn sacl_list(&self) -> AccessList {
        self.0.borrow().sacl()
    }

    /// How the parts came about.
    ///
    /// Stands on `GetSecurityDescriptorControl`.
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
    /// let mut descriptor = SecurityDescriptor::new();
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
    /// let mut descriptor = SecurityDescriptor::new();
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
    /// let mut descriptor = SecurityDescriptor::new();
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
    /// assert_eq!(descriptor, SecurityDescriptor::new());
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

impl Default for SecurityDescriptor {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for SecurityDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.as_borrowed() == other.as_borrowed()
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
        descriptor.to_owned()
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
/// assert!(!is_owned(SecurityDescriptor::new().as_borrowed()));
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
    /// It is null, or points to a security descriptor. For the lifetime that the caller chooses, it and all that it points to stay
    /// there and are not written to.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{BorrowedSecurityDescriptor, SecurityDescriptor};
    ///
    /// let descriptor = SecurityDescriptor::from_sddl("O:SY")?;
    /// // SAFETY: the descriptor outlives what is borrowed from it.
    /// let borrowed = unsafe { BorrowedSecurityDescriptor::from_ptr(descriptor.as_ptr()) }?;
    /// assert_eq!(borrowed.to_sddl()?, "O:SY");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub unsafe fn from_ptr(descriptor: *const c_void) -> io::Result<Self> {
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
    /// assert_eq!(descriptor.as_borrowed().to_owned(), descriptor);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[allow(clippy::should_implement_trait, reason = "ToOwned cannot be had by what is Clone")]
    pub fn to_owned(&self) -> SecurityDescriptor {
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

impl<'a> From<&'a SecurityDescriptor> for BorrowedSecurityDescriptor<'a> {
    fn from(descriptor: &'a SecurityDescriptor) -> Self {
        descriptor.as_borrowed()
    }
}
