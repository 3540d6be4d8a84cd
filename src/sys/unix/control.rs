//! Ancillary data in the form in which the kernel takes and gives it: records, each of a header and of bytes.
//!
//! What is known about the form is free of I/O: [`Records`] reads any bytes at all, [`Encoded`] writes. [`Control`] knows that
//! the kernel has filled it, so that the numbers in it are descriptors, and ours.

use crate::os::unix::ancillary::AncillaryData;
use std::{
    fmt::{self, Debug, Formatter},
    io,
    marker::PhantomData,
    mem::{self, MaybeUninit},
    os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr, slice,
};

/// How many descriptors go with one message. It is what Linux takes (`SCM_MAX_FD`). Only OpenBSD takes less: on its way, each of
/// them has 16 bytes there on a 64-bit processor, in a cluster of 2048.
pub(crate) const MAX_FDS: usize =
    if cfg!(all(target_os = "openbsd", target_pointer_width = "64")) { 127 } else { 253 };

/// How many may come with one: as many as the system lets anybody send.
const MAX_RECEIVED_FDS: usize =
    if cfg!(any(target_os = "linux", target_os = "android")) { MAX_FDS } else { 512 };

/// The bytes of a record's header, to where its data begin.
// SAFETY: it computes, and needs nothing.
const HEADER: usize = unsafe { libc::CMSG_LEN(0) } as usize;

/// What the length of a record is rounded up to. A record without data ends where the header does, so what one byte adds is
/// the unit of rounding.
// SAFETY: as above.
const ALIGN: usize = unsafe { libc::CMSG_SPACE(1) - libc::CMSG_SPACE(0) } as usize;

/// The room that a record with so many bytes of data takes.
pub(crate) const fn space(data: usize) -> usize {
    (HEADER + data).next_multiple_of(ALIGN)
}

const FD_SIZE: usize = size_of::<RawFd>();

/// A word that is aligned for headers, and for data of any kind.
pub(crate) type Word = MaybeUninit<u64>;

const fn words(bytes: usize) -> usize {
    bytes.div_ceil(size_of::<Word>())
}

/// One record, as it is: undecoded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record<'b> {
    /// The protocol that the record belongs to: `SOL_SOCKET` for those that this module knows.
    pub level: i32,
    /// What it is, such as `SCM_RIGHTS`.
    pub kind: i32,
    /// The bytes of it, without the header.
    pub data: &'b [u8],
}

/// The records in the bytes of a control buffer (`cmsg(3)`), whoever filled it: a decoder that takes nothing on trust.
///
/// A record that claims to be longer than the buffer is cut off where the buffer ends (some systems write such lengths); one
/// that claims to be shorter than its header ends the iteration.
///
/// It only reads: a number that says it is a descriptor is a number. Received descriptors, as owned ones, come out of an
/// `AncillaryDataBuf`.
///
/// ```
/// use interprocess::os::unix::ancillary::Records;
///
/// assert_eq!(Records::new(b"no header").count(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Records<'b> {
    bytes: &'b [u8],
    position: usize,
}

impl<'b> Records<'b> {
    /// The records in these bytes, of which the first is to be that of a header. The buffer need not be aligned.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, position: 0 }
    }
}

impl<'b> Iterator for Records<'b> {
    type Item = Record<'b>;

    fn next(&mut self) -> Option<Record<'b>> {
        let rest = self.bytes.get(self.position..)?;
        let Some(data) = rest.get(HEADER..) else {
            self.position = self.bytes.len();
            return None;
        };
        // SAFETY: `HEADER` bytes are there, which is no less than the structure has, and it is made of integers.
        let header: libc::cmsghdr = unsafe { ptr::read_unaligned(rest.as_ptr().cast()) };
        #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
        let Some(len) = (header.cmsg_len as usize).checked_sub(HEADER) else {
            self.position = self.bytes.len();
            return None;
        };
        let len = len.min(data.len());
        self.position += space(len);
        Some(Record { level: header.cmsg_level, kind: header.cmsg_type, data: &data[..len] })
    }
}

impl std::iter::FusedIterator for Records<'_> {}

/// Who sent a message: what a process says of itself, and the kernel has checked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) pid: libc::pid_t,
    pub(crate) uid: libc::uid_t,
    pub(crate) gid: libc::gid_t,
}

/// What is sent to make the kernel vouch for us.
#[cfg(any(target_os = "linux", target_os = "android"))]
type SentCredentials = libc::ucred;
/// What is sent to make the kernel vouch for us: the kernel writes over all of it.
#[cfg(any(target_os = "freebsd", target_os = "dragonfly"))]
type SentCredentials = libc::cmsgcred;
/// There, nothing is sent.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "dragonfly")))]
type SentCredentials = [u8; 0];

const MAX_SENT: usize = space(MAX_FDS * FD_SIZE) + space(size_of::<SentCredentials>());

/// Records that are ready to be sent, and borrow the descriptors in them.
#[derive(Clone)]
pub(crate) struct Encoded<'f> {
    /// Initialised up to `len`.
    words: [Word; words(MAX_SENT)],
    len: usize,
    /// All of them are in one record, the first: that is what the kernel makes of several.
    fds: usize,
    credentials: Option<Credentials>,
    borrowed: PhantomData<BorrowedFd<'f>>,
}

impl<'f> Encoded<'f> {
    /// Without records.
    pub(crate) fn new() -> Self {
        let words = [const { Word::uninit() }; words(MAX_SENT)];
        Self { words, len: 0, fds: 0, credentials: None, borrowed: PhantomData }
    }

    /// Adds descriptors, after those that are there already.
    #[inline]
    pub(crate) fn add_fds(&mut self, fds: &[BorrowedFd<'f>]) -> io::Result<()> {
        let count = self.fds + fds.len();
        if count > MAX_FDS {
            return Err(too_many(count));
        }
        if fds.is_empty() {
            return Ok(());
        }
        // The credentials come after them.
        let credentials = self.credentials.take();
        self.len = if self.fds == 0 { 0 } else { space(self.fds * FD_SIZE) };
        let data = self.record(0, libc::SCM_RIGHTS, count * FD_SIZE, self.fds * FD_SIZE);
        // SAFETY: `record` has made room for `count` numbers from `data` on, of which `self.fds` were there; a borrowed
        // descriptor has the representation of its number.
        unsafe {
            ptr::copy_nonoverlapping(
                fds.as_ptr().cast::<u8>(),
                data.add(self.fds * FD_SIZE),
                size_of_val(fds),
            );
        }
        self.fds = count;
        credentials.map_or(Ok(()), |credentials| self.add_credentials(credentials))
    }

    /// Adds credentials, of which there can be one.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "dragonfly"))]
    pub(crate) fn add_credentials(&mut self, credentials: Credentials) -> io::Result<()> {
        if self.credentials.replace(credentials).is_some() {
            let why = "one message has the credentials of one sender";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let (kind, sent) = {
            let Credentials { pid, uid, gid } = credentials;
            (libc::SCM_CREDENTIALS, libc::ucred { pid, uid, gid })
        };
        #[cfg(any(target_os = "freebsd", target_os = "dragonfly"))]
        // SAFETY: the structure is made of integers.
        let (kind, sent): (_, SentCredentials) = (libc::SCM_CREDS, unsafe { mem::zeroed() });
        let data = self.record(self.len, kind, size_of::<SentCredentials>(), 0);
        // SAFETY: `record` has made room for the structure.
        unsafe { ptr::write_unaligned(data.cast(), sent) };
        Ok(())
    }

    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "dragonfly"
    )))]
    #[allow(clippy::unused_self, reason = "one shape for each system")]
    pub(crate) fn add_credentials(&mut self, _: Credentials) -> io::Result<()> {
        let why = "this system sends no credentials; it has peer credentials, or the receiver asks for them";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "on some systems, and it fits the words")]
    /// Makes the record at `offset` one of `data` bytes of data, and all of what is new in it zero. Gives where its data begin.
    fn record(&mut self, offset: usize, kind: libc::c_int, data: usize, kept: usize) -> *mut u8 {
        let end = offset + space(data);
        assert!(end <= size_of_val(&self.words), "room for all that there can be");
        // SAFETY: all of it is within the words, as was just checked, and the header is made of integers.
        unsafe {
            let start = self.words.as_mut_ptr().cast::<u8>().add(offset);
            let new = if kept == 0 { 0 } else { HEADER + kept };
            ptr::write_bytes(start.add(new), 0, end - offset - new);
            let mut header: libc::cmsghdr = mem::zeroed();
            header.cmsg_len = (HEADER + data) as _;
            header.cmsg_level = libc::SOL_SOCKET;
            header.cmsg_type = kind;
            ptr::write_unaligned(start.cast(), header);
            self.len = end;
            start.add(HEADER)
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        // SAFETY: `record` has initialised all bytes up to `len`.
        unsafe { slice::from_raw_parts(self.words.as_ptr().cast(), self.len) }
    }
}

#[cold]
fn too_many(count: usize) -> io::Error {
    let why = format!("{count} descriptors are more than the {MAX_FDS} that go with one message");
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

impl Debug for Encoded<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(Records::new(self.as_bytes())).finish()
    }
}

/// How long the label of a security module may be.
const MAX_LABEL: usize = 1024;

/// Room for the descriptors, for credentials of any system, for a descriptor of the sender, and for its label.
const ROOM: usize = space(MAX_RECEIVED_FDS * FD_SIZE) + space(256) + space(FD_SIZE) + space(MAX_LABEL);

/// A control buffer that the kernel fills. It owns the descriptors that are in it, and closes those that nobody takes.
pub(crate) struct Control<S: AsRef<[Word]> = Box<[Word]>> {
    words: S,
    /// How many bytes the kernel has filled.
    len: usize,
    /// Where the next record begins that was not taken yet.
    position: usize,
}

impl Control {
    /// On the heap, with room for `extra` bytes more than what every buffer has room for.
    pub(crate) fn new(extra: usize) -> Self {
        Self { words: vec![Word::uninit(); words(ROOM.saturating_add(extra))].into(), len: 0, position: 0 }
    }
}

impl Control<[Word; words(ROOM)]> {
    /// On the stack.
    pub(crate) const fn on_stack() -> Self {
        Self { words: [const { Word::uninit() }; words(ROOM)], len: 0, position: 0 }
    }
}

impl<S: AsRef<[Word]>> Control<S> {
    fn filled(&self) -> &[u8] {
        // SAFETY: the kernel has filled this many bytes, or there are none.
        unsafe { slice::from_raw_parts(self.words.as_ref().as_ptr().cast(), self.len) }
    }

    /// The records that were not taken yet, as they are.
    pub(crate) fn records(&self) -> Records<'_> {
        Records { bytes: self.filled(), position: self.position }
    }

    /// How many bytes the kernel has filled.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes the next record of those that are known.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<AncillaryData> {
        loop {
            if self.position >= self.len {
                return None;
            }
            let mut records = self.records();
            let record = records.next();
            let next = records.position;
            let taken = record.map(decode);
            self.position = next;
            match taken {
                None => return None,
                Some(Some(known)) => return Some(known),
                // Whoever asked for another one, by an option of the socket, reads it in `records`.
                Some(None) => {}
            }
        }
    }

    /// Takes what is left; of it, the descriptors.
    pub(crate) fn take_fds(&mut self, to: &mut Vec<OwnedFd>) {
        while self.position < self.len {
            let mut records = self.records();
            let Some(record) = records.next() else { break };
            match record {
                Record { level: libc::SOL_SOCKET, kind: libc::SCM_RIGHTS, data } => {
                    // Before one of them has a second owner, which it would have if there were no memory later.
                    to.reserve(data.len() / FD_SIZE);
                    to.extend(fds(data));
                }
                other => drop(decode(other)),
            }
            self.position = records.position;
        }
        self.position = self.len;
    }

    /// What Darwin cannot do in the call itself.
    #[cfg(target_vendor = "apple")]
    pub(super) fn close_on_exec(&self) {
        let rights =
            |record: &Record<'_>| record.level == libc::SOL_SOCKET && record.kind == libc::SCM_RIGHTS;
        for number in self.records().filter(rights).flat_map(|record| record.data.chunks_exact(FD_SIZE)) {
            let number = RawFd::from_ne_bytes(number.try_into().unwrap_or_default());
            // SAFETY: the kernel has just made this descriptor for us, and it is closed no sooner than this buffer is dropped.
            let _ = rustix::io::ioctl_fioclex(unsafe { BorrowedFd::borrow_raw(number) });
        }
    }

    /// Closes what nobody took.
    #[inline]
    pub(crate) fn clear(&mut self) {
        // Usually all of it was taken.
        if self.position < self.len {
            self.close_rest();
        }
        self.len = 0;
        self.position = 0;
    }

    #[cold]
    fn close_rest(&mut self) {
        while self.take().is_some() {}
    }
}

impl<S: AsRef<[Word]> + AsMut<[Word]>> Control<S> {
    /// Lets the kernel fill the buffer by `fill`, which is given where it is, how many bytes it has, and says how many of them were
    /// filled. What was in it is closed before.
    ///
    /// # Safety
    /// `fill` says the truth: that many bytes, no more than there are, were filled by the kernel with records, and nobody else owns
    /// the descriptors in them.
    pub(super) unsafe fn fill_with<E>(
        &mut self,
        fill: impl FnOnce(*mut u8, usize) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.clear();
        let room = size_of_val(self.words.as_ref());
        self.len = fill(self.words.as_mut().as_mut_ptr().cast(), room)?.min(room);
        Ok(())
    }
}

impl<S: AsRef<[Word]>> Drop for Control<S> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<S: AsRef<[Word]>> Debug for Control<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.records()).finish()
    }
}

/// The descriptors in a record of descriptors which the kernel has just given us.
fn fds(data: &[u8]) -> impl Iterator<Item = OwnedFd> {
    data.chunks_exact(FD_SIZE).filter_map(|number| {
        let number = RawFd::from_ne_bytes(number.try_into().ok()?);
        // SAFETY: the kernel made this descriptor for us, and its record is taken once.
        (number >= 0).then(|| unsafe { OwnedFd::from_raw_fd(number) })
    })
}

/// What a record of a control buffer says, if it is known. Descriptors are in it, so that it is to be done once.
#[inline]
fn decode(record: Record<'_>) -> Option<AncillaryData> {
    if record.level != libc::SOL_SOCKET {
        return None;
    }
    match record.kind {
        libc::SCM_RIGHTS => {
            // Room first: if there is none, they are still the buffer's, and closed by it.
            let mut owned = Vec::with_capacity(record.data.len() / FD_SIZE);
            owned.extend(fds(record.data));
            Some(AncillaryData::FileDescriptors(owned))
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        SCM_PIDFD => fds(record.data).next().map(AncillaryData::PidFd),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        SCM_SECURITY => {
            // Some modules count the NUL.
            let label = record.data.strip_suffix(&[0]).unwrap_or(record.data);
            Some(AncillaryData::SecurityLabel(label.to_owned()))
        }
        kind => credentials(kind, record.data)
            .map(|Credentials { pid, uid, gid }| AncillaryData::Credentials { pid, uid, gid }),
    }
}

// Newer than the C libraries we support.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SCM_SECURITY: libc::c_int = 3;
#[cfg(any(target_os = "linux", target_os = "android"))]
const SCM_PIDFD: libc::c_int = 4;

/// The structure at the beginning of `data`, which is made of integers.
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd"
))]
fn integers<T: Copy>(data: &[u8]) -> Option<T> {
    // SAFETY: the data are long enough, and callers ask for structures of integers, for which any bytes will do.
    (data.len() >= size_of::<T>()).then(|| unsafe { ptr::read_unaligned(data.as_ptr().cast()) })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn credentials(kind: libc::c_int, data: &[u8]) -> Option<Credentials> {
    let libc::ucred { pid, uid, gid } = integers(data).filter(|_| kind == libc::SCM_CREDENTIALS)?;
    Some(Credentials { pid, uid, gid })
}

#[cfg(target_os = "freebsd")]
fn credentials(kind: libc::c_int, data: &[u8]) -> Option<Credentials> {
    match kind {
        // With the option `LOCAL_CREDS`, which is not ours, it is another structure, which mostly has another length.
        libc::SCM_CREDS if data.len() != size_of::<libc::cmsgcred>() => None,
        libc::SCM_CREDS => sent_credentials(data),
        libc::SCM_CREDS2 => integers(data).map(|sent: libc::sockcred2| Credentials {
            pid: sent.sc_pid,
            uid: sent.sc_euid,
            gid: sent.sc_egid,
        }),
        _ => None,
    }
}

#[cfg(target_os = "dragonfly")]
fn credentials(kind: libc::c_int, data: &[u8]) -> Option<Credentials> {
    if kind == libc::SCM_CREDS { sent_credentials(data) } else { None }
}

/// What the kernel has written into the record that the sender made for it.
#[cfg(any(target_os = "freebsd", target_os = "dragonfly"))]
fn sent_credentials(data: &[u8]) -> Option<Credentials> {
    let sent: libc::cmsgcred = integers(data)?;
    // The first of the groups is the effective one; the field for one group has the real one.
    let gid = if sent.cmcred_ngroups > 0 { sent.cmcred_groups[0] } else { sent.cmcred_gid };
    Some(Credentials { pid: sent.cmcred_pid, uid: sent.cmcred_euid, gid })
}

#[cfg(target_os = "netbsd")]
fn credentials(kind: libc::c_int, data: &[u8]) -> Option<Credentials> {
    let sent: libc::sockcred = integers(data).filter(|_| kind == libc::SCM_CREDS)?;
    Some(Credentials { pid: sent.sc_pid, uid: sent.sc_euid, gid: sent.sc_egid })
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd"
)))]
fn credentials(_: libc::c_int, _: &[u8]) -> Option<Credentials> {
    None
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    fn decoded(kind: libc::c_int, data: &[u8]) -> Option<AncillaryData> {
        decode(Record { level: libc::SOL_SOCKET, kind, data })
    }

    #[test]
    fn a_label_has_no_nul_at_its_end_whether_the_module_counts_it_or_not() {
        for data in [&b"system_u:object_r:t"[..], b"system_u:object_r:t\0"] {
            let Some(AncillaryData::SecurityLabel(label)) = decoded(SCM_SECURITY, data) else {
                panic!("it is a label")
            };
            assert_eq!(label, b"system_u:object_r:t");
        }
    }

    #[test]
    fn a_pidfd_that_the_kernel_could_not_make_is_no_descriptor() {
        assert!(decoded(SCM_PIDFD, &(-libc::EMFILE).to_ne_bytes()).is_none());
        assert!(decoded(SCM_PIDFD, &[]).is_none());
    }

    #[test]
    fn records_of_other_protocols_and_credentials_that_are_too_short_are_nothing() {
        let other = Record { level: libc::IPPROTO_IP, kind: libc::SCM_RIGHTS, data: &[0; 4] };
        assert!(decode(other).is_none());
        assert!(decoded(libc::SCM_CREDENTIALS, &[0; size_of::<libc::ucred>() - 1]).is_none());
    }
}
