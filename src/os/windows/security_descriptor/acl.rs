//! Access control lists and their entries.

use super::Sid;
use std::{
    fmt::{self, Debug, Formatter},
    io,
    ops::{BitOr, BitOrAssign},
    slice,
};

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

/// The kind of an entry of an access control list. For an example see [`Ace`].
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

    /// `sid` may not do what is in `mask`. It has an effect only if it comes before the entry that allows the same.
    pub fn deny(sid: Sid, mask: u32) -> Self {
        Self::simple(Self::DENY, AceFlags::NONE, sid, mask)
    }

    /// What `sid` does of what is in `mask` is logged, as `flags` say: [`AceFlags::SUCCESSFUL_ACCESS`],
    /// [`AceFlags::FAILED_ACCESS`] or both.
    ///
    /// ```
    /// use interprocess::os::windows::security_descriptor::{Ace, AceFlags, Acl, SecurityDescriptor, Sid};
    ///
    /// let mut descriptor = SecurityDescriptor::default();
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
        (len >= Self::HEADER && len % 4 == 0).then(|| (Self(ace.into()), rest))
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

        // Compound entries (4) need revision 3 or more.
        let has_objects = self.0.iter().any(|ace| ace.sid_offset() == SidOffset::AfterGuids || ace.0[0] == 4);
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
/// let mut descriptor = SecurityDescriptor::default();
/// assert_eq!(descriptor.dacl_list(), AccessList::Absent);
/// descriptor.set_dacl_list(Acl::new());
/// assert_eq!(descriptor.dacl_list(), AccessList::Entries(Acl::new()));
/// assert_eq!(SecurityDescriptor::from_sddl("D:")?, descriptor);
/// descriptor.set_dacl_list(AccessList::Absent);
/// assert_eq!(SecurityDescriptor::default(), descriptor);
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

#[cfg(test)]
mod tests {
    use super::*;

    const SID: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    #[test]
    fn lists_that_are_cut_off_are_none() {
        let list = Acl::from_aces([
            Ace::allow(Sid::EVERYONE, Ace::READ),
            Ace::other(0x77, AceFlags::NONE, &[]).unwrap(),
            Ace::deny(Sid::ADMINISTRATORS, Ace::WRITE),
        ])
        .unwrap();
        let bytes = list.to_bytes();
        assert_eq!(Acl::from_bytes(&bytes), Some(list.clone()));
        // Room for more is no mistake.
        assert_eq!(Acl::from_bytes(&[&bytes[..], &[0; 16]].concat()), Some(list));
        for len in 0..bytes.len() {
            assert_eq!(Acl::from_bytes(&bytes[..len]), None, "{len}");
        }
    }

    #[test]
    fn lists_that_lie_are_none() {
        let valid = Acl::from_aces([Ace::allow(Sid::EVERYONE, Ace::READ)]).unwrap().to_bytes();
        // The number of entries, and the length of the first.
        for (offset, number) in [(4, 2), (4, 0xffff), (10, 0), (10, 3), (10, 21), (10, 0xffff)] {
            let mut bytes = valid.clone();
            bytes[offset..offset + 2].copy_from_slice(&u16::to_le_bytes(number));
            assert_eq!(Acl::from_bytes(&bytes), None, "{number} at {offset}");
        }
    }

    #[test]
    fn entries_of_lists_may_be_malformed_inside() {
        // The SID of the first has more subauthorities than it has room for: kept as it is, without a SID.
        let mut bytes = Acl::from_aces([Ace::allow(Sid::EVERYONE, Ace::READ)]).unwrap().to_bytes();
        bytes[17] = 2;
        let list = Acl::from_bytes(&bytes).unwrap();
        assert_eq!((list.aces()[0].mask(), list.aces()[0].sid()), (Some(Ace::READ), None));
        assert_eq!(list.to_bytes(), bytes);
    }

    #[test]
    fn lists_about_parts_of_objects_have_the_revision_for_it() {
        let body = [&[0; 8][..], &SID].concat();
        let of_part = Ace::other(5, AceFlags::NONE, &body).unwrap();
        assert_eq!(Acl::from_aces([of_part]).unwrap().to_bytes()[0], 4);
        assert_eq!(Acl::new().to_bytes(), [2, 0, 8, 0, 0, 0, 0, 0]);
    }
}
