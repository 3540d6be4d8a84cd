//! Users, groups, and how far they are trusted.

use crate::sys::windows::security;
use std::{
    fmt::{self, Debug, Display, Formatter},
    io,
    str::FromStr,
};

/// A security identifier: a user, a group, or anything else that can be given rights.
///
/// Two are equal if they stand for the same. Its text has the form `S-1-5-…`, as `ConvertSidToStringSidW` writes and
/// `ConvertStringSidToSidW` reads it. The two-letter names of SDDL, such as `BU`, are not understood. A SID for which there is no
/// constant comes from its text: `S-1-5-32-545` is the group Users.
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
    /// The members of the group Administrators (`S-1-5-32-544`), as long as they are elevated.
    pub const ADMINISTRATORS: Self = Self::new(5, &[32, 544]);
    /// The system itself, and services that run as it (`S-1-5-18`).
    pub const SYSTEM: Self = Self::new(5, &[18]);
    /// Everyone who has logged in (`S-1-5-11`).
    pub const AUTHENTICATED_USERS: Self = Self::new(5, &[11]);
    /// Everyone who comes over the network (`S-1-5-2`).
    pub const NETWORK: Self = Self::new(5, &[2]);
    /// Anonymous users, who have not said who they are (`S-1-5-7`).
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
            write!(f, "S-1-{authority:#014x}")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const SID: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    #[test]
    fn sids_that_are_cut_off_or_unknown_are_none() {
        assert_eq!(Sid::from_bytes(&SID), Some(Sid::EVERYONE));
        assert_eq!(Sid::from_bytes(&[&SID[..], &[9; 9]].concat()), Some(Sid::EVERYONE));
        for len in 0..SID.len() {
            assert_eq!(Sid::from_bytes(&SID[..len]), None, "{len}");
        }
        // The revision, and more subauthorities than there may be.
        assert_eq!(Sid::from_bytes(&[2, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Sid::from_bytes(&[&[1, 16][..], &[0; 70]].concat()), None);
        assert_eq!(Sid::EVERYONE.to_bytes(), SID);
    }
}
