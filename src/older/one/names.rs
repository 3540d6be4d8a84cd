//! Names of local sockets, by the names that interprocess 1.2 has for what is about them.

use crate::local_socket::{Kind, Name, NameType, NamespacedNameType, ToName};
use std::{
    borrow::Cow,
    ffi::{CStr, OsStr, OsString},
    io,
};

/// What interprocess 1.2 called [`Name`], which new code uses.
pub type LocalSocketName<'n> = Name<'n>;

/// What interprocess 1.2 called [`ToName`], which new code uses. Every [`ToName`] is one.
pub trait ToLocalSocketName<'n>: ToName<'n> {
    /// The same as [`to_name`](ToName::to_name).
    ///
    /// # Errors
    /// See [`ToName`].
    fn to_local_socket_name(self) -> io::Result<LocalSocketName<'n>> {
        self.to_name()
    }
}

impl<'n, N: ToName<'n>> ToLocalSocketName<'n> for N {}

/// Which names of local sockets there are, as interprocess 1.2 puts it. New code need not ask: a namespaced name works on every OS, and
/// `NameType::is_supported` tells about the rest.
///
/// Programs choose between two names by it. So it answers what it answered then, that they go on choosing the same one:
///
/// ```
/// use interprocess::local_socket::{LocalSocketStream, NameTypeSupport};
///
/// # let path = std::env::temp_dir().join(format!("interprocess-doc-support-{}", std::process::id()));
/// # let path = path.to_str().unwrap();
/// let name = match NameTypeSupport::query() {
///     NameTypeSupport::OnlyPaths => path,
///     NameTypeSupport::OnlyNamespaced | NameTypeSupport::Both => "@interprocess-doc-support",
/// };
/// assert!(LocalSocketStream::connect(name).is_err(), "nobody listens there");
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum NameTypeSupport {
    /// Paths only: on Unixes without an abstract namespace. (Namespaced names work there today.)
    OnlyPaths,
    /// Namespaced names only: on Windows. (Paths of the form `\\HOST\pipe\NAME` work there today.)
    OnlyNamespaced,
    /// Both: on Linux and Android.
    Both,
}

impl NameTypeSupport {
    /// The answer of [`query`](Self::query).
    pub const ALWAYS_AVAILABLE: Self = if cfg!(windows) {
        Self::OnlyNamespaced
    } else if cfg!(any(target_os = "linux", target_os = "android")) {
        Self::Both
    } else {
        Self::OnlyPaths
    };

    /// Which names there are on this system.
    pub fn query() -> Self {
        Self::ALWAYS_AVAILABLE
    }

    /// Whether paths are among them.
    pub const fn paths_supported(self) -> bool {
        matches!(self, Self::OnlyPaths | Self::Both)
    }

    /// Whether namespaced names are among them.
    pub const fn namespace_supported(self) -> bool {
        matches!(self, Self::OnlyNamespaced | Self::Both)
    }
}

/// What interprocess 1.2 has for its `LocalSocketName`.
impl<'n> Name<'n> {
    /// Whether [`NameTypeSupport::query`] has names of this kind. New code need not ask: names that are not possible are an error
    /// when they are made.
    pub fn is_supported(&self) -> bool {
        self.is_supported_in_nts_type(NameTypeSupport::query())
    }

    /// Whether [`NameTypeSupport::ALWAYS_AVAILABLE`] has names of this kind. New code need not ask.
    pub const fn is_always_supported(&self) -> bool {
        self.is_supported_in_nts_type(NameTypeSupport::ALWAYS_AVAILABLE)
    }

    /// Whether `support` has names of this kind. New code need not ask.
    pub const fn is_supported_in_nts_type(&self, support: NameTypeSupport) -> bool {
        (self.is_namespaced() && support.namespace_supported())
            || (self.is_path() && support.paths_supported())
    }

    /// The same as [`as_os_str`](Self::as_os_str), which new code uses.
    pub fn inner(&self) -> &OsStr {
        self.as_os_str()
    }

    /// The text, owned. New code uses [`as_os_str`](Self::as_os_str).
    pub fn into_inner(self) -> OsString {
        self.into_inner_cow().into_owned()
    }

    /// The text, owned or borrowed. New code uses [`as_os_str`](Self::as_os_str).
    pub const fn inner_cow(&self) -> &Cow<'n, OsStr> {
        self.text()
    }

    /// The text, owned or borrowed. New code uses [`as_os_str`](Self::as_os_str).
    pub fn into_inner_cow(self) -> Cow<'n, OsStr> {
        self.into_text()
    }
}

/// Namespaced names as interprocess 1.2 made them of `@NAME`: for programs that talk to peers which still use that version.
///
/// | | here, and in interprocess 2: `@NAME` | in interprocess 1.2: `@NAME` |
/// |---|---|---|
/// | Linux, Android | a zero byte, then `NAME` | the same, then zero bytes up to the greatest length |
/// | Windows | `\\.\pipe\NAME` | `\\.\pipe\@NAME` |
///
/// On other systems it had none, and this is not [supported](NameType::is_supported). Paths are the same in both.
///
/// ```
/// use interprocess::local_socket::{NameType, NamespacedByOne, ToNsName};
///
/// if NamespacedByOne::is_supported() {
///     let name = "example".to_ns_name::<NamespacedByOne>()?;
///     assert!(name.is_namespaced());
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum NamespacedByOne {}

impl NameType for NamespacedByOne {
    fn is_supported() -> bool {
        NameTypeSupport::ALWAYS_AVAILABLE.namespace_supported()
    }
}

impl NamespacedNameType<OsStr> for NamespacedByOne {
    fn map(name: Cow<'_, OsStr>) -> io::Result<Name<'_>> {
        if !Self::is_supported() {
            let why = "interprocess 1.2 has no namespaced names on this system";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        // It is checked before it becomes longer, so that an error tells what was given.
        let name = Name::new(Kind::NAMESPACED, name)?;
        padded(&name)
    }
}

impl NamespacedNameType<CStr> for NamespacedByOne {
    fn map(name: Cow<'_, CStr>) -> io::Result<Name<'_>> {
        <Self as NamespacedNameType<OsStr>>::map(crate::sys::c_to_os(name)?)
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "on Windows, it may become too long")]
fn padded(name: &Name<'_>) -> io::Result<Name<'static>> {
    use std::os::unix::ffi::OsStringExt;

    let mut bytes = name.as_os_str().as_encoded_bytes().to_vec();
    bytes.resize(crate::sys::unix::name::MAX_LEN, 0);
    Ok(Name::unchecked(name.kind(), OsString::from_vec(bytes)))
}

#[cfg(windows)]
fn padded(name: &Name<'_>) -> io::Result<Name<'static>> {
    let mut text = OsString::from("@");
    text.push(name.as_os_str());
    Name::new(name.kind(), Cow::Owned(text))
}
