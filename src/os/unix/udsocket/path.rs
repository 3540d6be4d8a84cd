use crate::{
    error::about,
    local_socket::Name,
    sys::unix::name::{self, Address, AddressBytes, SourceAddress},
};
use rustix::net::SocketAddrUnix;
use std::{
    borrow::Cow,
    ffi::{CStr, CString, OsStr, OsString},
    fmt::{self, Display, Formatter},
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// The size of the field for paths in the system's address structure: 108 bytes on Linux and illumos, 104 on macOS and most BSDs. A
/// path has one byte less, since a NUL ends it; an abstract name too, since a NUL begins it.
pub const MAX_UDSOCKET_PATH_LEN: usize = name::MAX_LEN + 1;

/// The address of a socket of the Unix domain.
///
/// Functions that want one take anything that is [`ToUdSocketPath`], so that it is seldom written out. It is what
/// sockets tell of themselves and of their peers:
///
/// ```
/// use interprocess::os::unix::udsocket::{UdSocket, UdSocketPath};
///
/// let socket = UdSocket::unbound()?;
/// assert_eq!(socket.local_addr()?, UdSocketPath::Unnamed);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UdSocketPath<'a> {
    /// No address: of a socket that is not bound. Binding to it gives the socket an abstract name that nobody else has
    /// (autobind), where there are such names.
    Unnamed,
    /// A socket file.
    File(Cow<'a, CStr>),
    /// A name in the abstract namespace, which may be of any bytes, NUL too. It ceases with the socket. It has no
    /// permissions.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Namespaced(Cow<'a, [u8]>),
}

impl UdSocketPath<'_> {
    /// An address that owns nothing yet, for a function that writes one.
    pub const fn buffer() -> UdSocketPath<'static> {
        UdSocketPath::Unnamed
    }

    /// The bytes of it, without those that tell what it is.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Unnamed => &[],
            Self::File(path) => path.to_bytes(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => name,
        }
    }

    /// The bytes of it as text of the OS.
    pub fn as_osstr(&self) -> &OsStr {
        OsStr::from_bytes(self.as_bytes())
    }

    /// The path, if it is one.
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(Path::new(OsStr::from_bytes(path.to_bytes()))),
            _ => None,
        }
    }

    /// The same, borrowing the text from this one.
    pub fn borrow(&self) -> UdSocketPath<'_> {
        match self {
            Self::Unnamed => UdSocketPath::Unnamed,
            Self::File(path) => UdSocketPath::File(Cow::Borrowed(path)),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => UdSocketPath::Namespaced(Cow::Borrowed(name)),
        }
    }

    /// The same, owning its text.
    pub fn into_owned(self) -> UdSocketPath<'static> {
        match self {
            Self::Unnamed => UdSocketPath::Unnamed,
            Self::File(path) => UdSocketPath::File(Cow::Owned(path.into_owned())),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => UdSocketPath::Namespaced(Cow::Owned(name.into_owned())),
        }
    }

    /// Whether this is [`Unnamed`](Self::Unnamed).
    pub fn is_unnamed(&self) -> bool {
        matches!(self, Self::Unnamed)
    }

    /// What the system calls take.
    ///
    /// # Errors
    /// Each names the path: too long, or empty.
    pub(crate) fn to_address(&self) -> io::Result<Address<'_>> {
        let address = match self {
            Self::Unnamed => unnamed(),
            Self::File(path) if path.is_empty() => Err(invalid("the path of a socket must not be empty")),
            Self::File(path) => name::check_len(path.to_bytes())
                .map(|()| Address::File(Path::new(OsStr::from_bytes(path.to_bytes())).into())),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => name::abstract_address(name),
        };
        address.map_err(|error| about(self, error))
    }

    /// The same for a call that takes it as it is.
    ///
    /// # Errors
    /// Those of [`to_address`](Self::to_address).
    pub(crate) fn to_socket_address(&self) -> io::Result<SocketAddrUnix> {
        self.to_address()?.to_socket_address().map_err(|error| about(self, error))
    }

    /// The address that the kernel wrote.
    pub(crate) fn from_bytes(bytes: AddressBytes<'_>) -> UdSocketPath<'static> {
        match bytes {
            AddressBytes::Unnamed => UdSocketPath::Unnamed,
            AddressBytes::File(path) => {
                CString::new(path).map_or(UdSocketPath::Unnamed, |path| UdSocketPath::File(path.into()))
            }
            #[cfg(any(target_os = "linux", target_os = "android"))]
            AddressBytes::Abstract(name) => UdSocketPath::Namespaced(name.to_owned().into()),
        }
    }

    /// The same, borrowed as far as the kernel wrote it as C does.
    pub(crate) fn from_source(source: &SourceAddress) -> UdSocketPath<'_> {
        match source.bytes() {
            AddressBytes::Unnamed => UdSocketPath::Unnamed,
            bytes @ AddressBytes::File(_) => source
                .path()
                .map_or_else(|| UdSocketPath::from_bytes(bytes), |path| UdSocketPath::File(path.into())),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            AddressBytes::Abstract(name) => UdSocketPath::Namespaced(name.into()),
        }
    }

    /// Becomes the address that the kernel wrote. A server that hears the same client again allocates nothing.
    pub(crate) fn set(&mut self, bytes: AddressBytes<'_>) {
        let is_same = match (&*self, bytes) {
            (Self::Unnamed, AddressBytes::Unnamed) => true,
            (Self::File(path), AddressBytes::File(new)) => path.to_bytes() == new,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            (Self::Namespaced(name), AddressBytes::Abstract(new)) => **name == *new,
            _ => false,
        };
        if !is_same {
            *self = Self::from_bytes(bytes);
        }
    }
}

/// A file as its path, an abstract name after an `@` as Linux's tools show it, and "(unnamed)" for no name.
impl Display for UdSocketPath<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => f.write_str("(unnamed)"),
            Self::File(_) => Path::new(self.as_osstr()).display().fmt(f),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Namespaced(name) => write!(f, "@{}", name.escape_ascii()),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere it is an error")]
fn unnamed() -> io::Result<Address<'static>> {
    Ok(Address::NoFile(SocketAddrUnix::new_unnamed()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn unnamed() -> io::Result<Address<'static>> {
    let why = "this system has no abstract names, so that a socket's name has to be said";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// What can be the address of a socket of the Unix domain.
///
/// - `&Path`, `PathBuf`: a socket file.
/// - Text (`&str`, `String`, `&OsStr`, `OsString`, `&CStr`, `CString`): with an `@` in front, an abstract name, which is
///   [`Unsupported`](io::ErrorKind::Unsupported) where there are none; else a socket file. A file whose name begins with `@` is
///   written `./@x`.
/// - `&[u8; N]`, `&[u8]`, `Vec<u8>`: as text.
/// - A [`UdSocketPath`], or a [`Name`] of a local socket.
pub trait ToUdSocketPath<'a> {
    /// The address. Whether it is possible shows when it is used.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): a path with a NUL in it.
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>>;
}

fn text(bytes: Cow<'_, [u8]>) -> io::Result<UdSocketPath<'_>> {
    if bytes.first() == Some(&b'@') {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return Ok(UdSocketPath::Namespaced(match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[1..]),
            Cow::Owned(mut bytes) => {
                bytes.remove(0);
                bytes.into()
            }
        }));
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        return Err(about(
            bytes.escape_ascii(),
            io::Error::new(io::ErrorKind::Unsupported, "this system has no abstract names"),
        ));
    }
    file(bytes)
}

fn file(bytes: Cow<'_, [u8]>) -> io::Result<UdSocketPath<'_>> {
    let has_nul = |bytes: &[u8]| about(bytes.escape_ascii(), invalid("a path must not contain NUL"));
    Ok(UdSocketPath::File(match bytes {
        // Text of C is shorter by the length of a copy if it ends with a NUL already; Rust's seldom does.
        Cow::Borrowed(bytes) => CString::new(bytes).map_err(|_| has_nul(bytes))?.into(),
        Cow::Owned(bytes) => CString::new(bytes).map_err(|error| has_nul(&error.into_vec()))?.into(),
    }))
}

impl<'a> ToUdSocketPath<'a> for UdSocketPath<'a> {
    fn to_socket_path(self) -> io::Result<Self> {
        Ok(self)
    }
}

impl<'a> ToUdSocketPath<'a> for &'a UdSocketPath<'_> {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        Ok(self.borrow())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a Path {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        file(self.as_os_str().as_bytes().into())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a PathBuf {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        self.as_path().to_socket_path()
    }
}

impl ToUdSocketPath<'static> for PathBuf {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'static>> {
        file(self.into_os_string().into_vec().into())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a str {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        text(self.as_bytes().into())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a String {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        text(self.as_bytes().into())
    }
}

impl ToUdSocketPath<'static> for String {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'static>> {
        text(self.into_bytes().into())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a OsStr {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        text(self.as_bytes().into())
    }
}

impl ToUdSocketPath<'static> for OsString {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'static>> {
        text(self.into_vec().into())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a CStr {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        if self.to_bytes().first() == Some(&b'@') {
            return text(self.to_bytes().into());
        }
        Ok(UdSocketPath::File(self.into()))
    }
}

impl ToUdSocketPath<'static> for CString {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'static>> {
        if self.as_bytes().first() == Some(&b'@') {
            return text(self.into_bytes().into());
        }
        Ok(UdSocketPath::File(self.into()))
    }
}

impl<'a> ToUdSocketPath<'a> for &'a [u8] {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        text(self.into())
    }
}

impl<'a, const N: usize> ToUdSocketPath<'a> for &'a [u8; N] {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        self.as_slice().to_socket_path()
    }
}

impl ToUdSocketPath<'static> for Vec<u8> {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'static>> {
        text(self.into())
    }
}

impl<'a> ToUdSocketPath<'a> for &'a Name<'_> {
    fn to_socket_path(self) -> io::Result<UdSocketPath<'a>> {
        match name::address(self)? {
            Address::File(path) => path.into_owned().to_socket_path(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Address::NoFile(_) => Ok(UdSocketPath::Namespaced(self.as_os_str().as_bytes().into())),
        }
    }
}
