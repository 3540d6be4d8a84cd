//! What goes along with bytes through a socket of the Unix domain: descriptors, and who sent them (`cmsg(3)`, `unix(7)`).
//!
//! Descriptors are borrowed to be sent, and come out owned: the receiver gets new ones for the same open files, closed on
//! `exec`. What is received is in an [`AncillaryDataBuf`], which closes what nobody takes out of it. Control data that were
//! cut off are closed, all of them, and are an error that says so.
//!
//! ```
//! use interprocess::os::unix::{
//!     ancillary::{AncillaryData, AncillaryDataBuf},
//!     udsocket::UdStream,
//! };
//! use std::{fs::File, io::Read, os::fd::AsFd};
//!
//! let (one, other) = UdStream::pair()?;
//! let file = File::open("/dev/zero")?;
//! one.send_ancillary(b"a file", [AncillaryData::file_descriptors(&[file.as_fd()])])?;
//!
//! let (mut text, mut ancillary) = ([0; 16], AncillaryDataBuf::new());
//! let (len, _) = other.recv_ancillary(&mut text, &mut ancillary)?;
//! assert_eq!(&text[..len], b"a file");
//! for data in ancillary.decode() {
//!     if let AncillaryData::FileDescriptors(fds) = data {
//!         for fd in fds {
//!             let mut byte = [1];
//!             File::from(fd).read_exact(&mut byte)?;
//!             assert_eq!(byte, [0]);
//!         }
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! For descriptors alone, [`send_with_fds`](super::udsocket::Socket::send_with_fds) and
//! [`recv_with_fds`](super::udsocket::Socket::recv_with_fds) are shorter.

pub use crate::sys::unix::control::{Record, Records};

use crate::sys::unix::control::{self, Control, Encoded};
use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    io,
    iter::FusedIterator,
    os::fd::{BorrowedFd, OwnedFd},
};

/// How many descriptors can go with one message: 253, as many as Linux takes, and 127 on OpenBSD. To send more is an error before
/// anything is sent.
pub const MAX_FDS: usize = control::MAX_FDS;

/// One piece of ancillary data. What is received owns its descriptors; what is to be sent, a [`BorrowedAncillaryData`], borrows
/// them.
#[derive(Debug)]
#[non_exhaustive]
pub enum AncillaryData<F = Vec<OwnedFd>> {
    /// Descriptors (`SCM_RIGHTS`). The receiver gets all that went with one message in one piece.
    FileDescriptors(F),
    /// Who sent the message, as far as the kernel vouches for it (`SCM_CREDENTIALS`, `SCM_CREDS`). It arrives if the receiver
    /// [asks for it](super::udsocket::Socket::set_pass_credentials), or, on FreeBSD and DragonFly BSD, if it is sent.
    ///
    /// # Platform-specific behaviour
    /// - Linux: what is sent has to be true: the sender's process and one of its users and groups, real, effective or saved.
    ///   Root may say anything. Of a sender that sends none, the kernel tells the real user and group.
    /// - FreeBSD, DragonFly BSD: the kernel puts in what is true, whatever is said: the effective user and group. DragonFly BSD
    ///   takes either descriptors or credentials with one message.
    /// - NetBSD: the effective user and group. They cannot be sent, which is [`Unsupported`](io::ErrorKind::Unsupported).
    /// - Others: neither sent, which is [`Unsupported`](io::ErrorKind::Unsupported), nor received.
    Credentials {
        /// The ID of the process. When it has ended, another may get that ID.
        pid: i32,
        /// Its user.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// A descriptor for the process that sent the message, which means that process for ever (`SCM_PIDFD`, since Linux 6.5). Only
    /// received, and only if the receiver [asks for it](super::udsocket::Socket::set_pass_pidfd).
    ///
    /// It is missing, and that is no error, where the kernel could not make one: this process may not have more descriptors, or, on
    /// kernels before 6.16, the sender is gone. Who decides by it has to refuse a message that comes without.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    PidFd(OwnedFd),
    /// The label that a security module gave the sender (`SCM_SECURITY`). Only received, and only if the receiver
    /// [asks for it](super::udsocket::Socket::set_pass_security).
    #[cfg(any(target_os = "linux", target_os = "android"))]
    SecurityLabel(Vec<u8>),
}

/// Ancillary data to send.
pub type BorrowedAncillaryData<'f> = AncillaryData<&'f [BorrowedFd<'f>]>;

impl<'f> BorrowedAncillaryData<'f> {
    /// These descriptors, up to [`MAX_FDS`].
    pub const fn file_descriptors(fds: &'f [BorrowedFd<'f>]) -> Self {
        Self::FileDescriptors(fds)
    }

    /// The credentials of this process, with its effective user and group.
    pub fn credentials() -> Self {
        Self::Credentials {
            pid: rustix::process::getpid().as_raw_nonzero().get(),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }

    /// Puts the data into the form in which they are sent.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): more than [`MAX_FDS`] descriptors, more than one set of credentials, or
    ///   something that can only be received.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): see [`Credentials`](Self::Credentials).
    pub fn encode(data: impl IntoIterator<Item = Self>) -> io::Result<EncodedAncillaryData<'f>> {
        let mut encoded = EncodedAncillaryData::new();
        encoded.add(data)?;
        Ok(encoded)
    }
}

/// Ancillary data, ready to be [sent](super::udsocket::Socket::send_encoded_ancillary) any number of times. From
/// [`AncillaryData::encode`].
#[derive(Clone, Debug)]
pub struct EncodedAncillaryData<'f>(Encoded<'f>);

/// What sends at once encodes where the data stay: there is room for a kibibyte, and moving it copies all of it.
impl<'f> EncodedAncillaryData<'f> {
    pub(crate) fn new() -> Self {
        Self(Encoded::new())
    }

    #[inline]
    pub(crate) fn add(
        &mut self,
        data: impl IntoIterator<Item = BorrowedAncillaryData<'f>>,
    ) -> io::Result<()> {
        for data in data {
            match data {
                AncillaryData::FileDescriptors(fds) => self.add_fds(fds)?,
                AncillaryData::Credentials { pid, uid, gid } => {
                    self.0.add_credentials(control::Credentials { pid, uid, gid })?;
                }
                #[cfg(any(target_os = "linux", target_os = "android"))]
                AncillaryData::PidFd(_) | AncillaryData::SecurityLabel(_) => {
                    let why = "the kernel adds pidfds and security labels; they cannot be sent";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
                }
            }
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn add_fds(&mut self, fds: &[BorrowedFd<'f>]) -> io::Result<()> {
        self.0.add_fds(fds)
    }
}

/// The bytes that the kernel is given.
impl AsRef<[u8]> for EncodedAncillaryData<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Where ancillary data are received. There is room for all that the kernel sends with one message; what is left in it when it is
/// used again or dropped is closed.
#[derive(Debug)]
pub struct AncillaryDataBuf(pub(crate) Control);

impl AncillaryDataBuf {
    /// An empty buffer, of some kibibytes. Make one, and receive with it again and again.
    pub fn new() -> Self {
        Self(Control::new(0))
    }

    /// An empty buffer with room for so many bytes more: for what options of the socket add that this module does not know.
    pub fn owned_with_capacity(extra: usize) -> Self {
        Self(Control::new(extra))
    }

    /// Takes what was received, piece by piece. What is not taken remains, until the buffer is used again or dropped.
    pub fn decode(&mut self) -> AncillaryDataDecoder<'_> {
        AncillaryDataDecoder(&mut self.0)
    }

    /// Takes all that was received, and gives the descriptors ([`AncillaryData::FileDescriptors`]) in it.
    pub fn take_fds(&mut self) -> Vec<OwnedFd> {
        let mut fds = Vec::new();
        self.0.take_fds(&mut fds);
        fds
    }

    /// The records that were not taken yet, as they are.
    pub fn records(&self) -> Records<'_> {
        self.0.records()
    }
}

impl Default for AncillaryDataBuf {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes ancillary data out of a buffer. From [`AncillaryDataBuf::decode`].
///
/// Records that are not known are left out; [`AncillaryDataBuf::records`] shows them.
#[derive(Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct AncillaryDataDecoder<'b>(&'b mut Control);

impl Iterator for AncillaryDataDecoder<'_> {
    type Item = AncillaryData;

    fn next(&mut self) -> Option<AncillaryData> {
        self.0.take()
    }
}

impl FusedIterator for AncillaryDataDecoder<'_> {}

/// Ancillary data did not arrive whole, and what did was closed: the sender sent more than there was room for, or this process
/// may not have more descriptors (`RLIMIT_NOFILE`).
///
/// The message itself was received, and is in the buffer that was given for it, except where it is said below. This is what is
/// in the [`io::Error`], of the kind [`InvalidData`](io::ErrorKind::InvalidData):
/// ```
/// use interprocess::os::unix::ancillary::TruncatedAncillary;
///
/// fn bytes_that_came_nevertheless(error: &std::io::Error) -> Option<usize> {
///     error.get_ref()?.downcast_ref().map(|TruncatedAncillary { received, .. }| *received)
/// }
/// # assert_eq!(bytes_that_came_nevertheless(&std::io::ErrorKind::NotFound.into()), None);
/// ```
///
/// # Platform-specific behaviour
/// On macOS and the BSDs, nothing is received when this process may not have more descriptors. The bytes of a stream come with the
/// next call; a message is lost.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TruncatedAncillary {
    /// How many bytes of the message are in the buffer.
    pub received: usize,
}

impl Display for TruncatedAncillary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "ancillary data was cut off and closed: more than there is room for, or no room for more descriptors in this process",
        )
    }
}

impl Error for TruncatedAncillary {}

impl From<TruncatedAncillary> for io::Error {
    fn from(error: TruncatedAncillary) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
