use crate::error::about;
use std::{
    borrow::Cow,
    ffi::{CStr, CString, OsStr, OsString},
    fmt::{self, Display, Formatter},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a [`Name`] lives.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A path: of a socket file on Unix, of the form `\\HOST\pipe\NAME` on Windows.
    Path,
    /// In the abstract namespace of Linux and Android, or `\\.\pipe\NAME` on Windows.
    #[cfg(any(target_os = "linux", target_os = "android", windows))]
    Namespace,
    /// A socket file of that name in the user's runtime directory.
    #[cfg(unix)]
    RuntimeDir,
    /// A path of a socket file on Windows, where [`Path`](Self::Path) is one of a pipe.
    #[cfg(windows)]
    SocketFile,
}

impl Kind {
    /// What a namespaced name is on this OS.
    #[cfg(any(target_os = "linux", target_os = "android", windows))]
    pub(crate) const NAMESPACED: Self = Self::Namespace;
    /// What a namespaced name is on this OS.
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    pub(crate) const NAMESPACED: Self = Self::RuntimeDir;
}

/// The name of a local socket: a path, or a name in a namespace of the OS.
///
/// Functions that want a name take anything that is [`ToName`], so a `Name` is seldom written out. It is
/// useful to check a name early, to store it, or to say which kind it is:
///
/// ```
/// use interprocess::local_socket::{Name, ToName};
///
/// let name: Name<'_> = "@example.sock".to_name()?;
/// assert!(name.is_namespaced());
/// assert_eq!(name.as_os_str(), "example.sock");
/// assert_eq!(name.to_string(), "@example.sock");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Platform-specific behaviour
/// The mapping is a promise, so that programs in other languages can take part. No framing is ever added: the
/// bytes written are the bytes read.
///
/// | | namespaced `NAME` | path `PATH` |
/// |---|---|---|
/// | Linux, Android | `NAME` in the abstract namespace: the address is a zero byte, then `NAME`, and no more | a socket file at `PATH` |
/// | Windows | the pipe `\\.\pipe\NAME` | the pipe `PATH`, which has the form `\\HOST\pipe\NAME` |
/// | other Unixes | a socket file `NAME` in `$XDG_RUNTIME_DIR` if that is ours alone, else in `/run/user/UID` if nobody else can write to it, else in `/tmp` | a socket file at `PATH` |
///
/// On Windows, `FilesystemUdSocket` in `os::windows::local_socket` makes names of socket files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name<'n> {
    kind: Kind,
    text: Cow<'n, OsStr>,
}

impl<'n> Name<'n> {
    /// Checks `text` as far as that is possible without asking the OS.
    pub(crate) fn new(kind: Kind, text: Cow<'n, OsStr>) -> io::Result<Self> {
        if text.is_empty() {
            return Err(invalid(&text, "a local socket's name must not be empty"));
        }
        if text.as_encoded_bytes().contains(&0) {
            return Err(invalid(&text, "a local socket's name must not contain NUL"));
        }
        let name = Self { kind, text };
        crate::sys::check_name(&name).map_err(|error| name.explain(error))?;
        Ok(name)
    }

    /// A name that exists already, so that there is nothing to check.
    #[cfg(unix)]
    pub(crate) fn unchecked(kind: Kind, text: OsString) -> Name<'static> {
        Name { kind, text: Cow::Owned(text) }
    }

    /// Whether this is a path. On Unix, the path of a socket file.
    pub const fn is_path(&self) -> bool {
        match self.kind {
            Kind::Path => true,
            #[cfg(windows)]
            Kind::SocketFile => true,
            #[cfg(any(target_os = "linux", target_os = "android", windows))]
            Kind::Namespace => false,
            #[cfg(unix)]
            Kind::RuntimeDir => false,
        }
    }

    /// Whether this is a name in a namespace.
    pub const fn is_namespaced(&self) -> bool {
        !self.is_path()
    }

    /// The text of the name: a namespaced name without the `@`, or the path.
    pub fn as_os_str(&self) -> &OsStr {
        &self.text
    }

    /// The socket file that a listener of this name creates, and deletes when it is dropped.
    ///
    /// `None` where a name leaves nothing behind in the file system: for namespaced names on Linux and Android,
    /// and for every name of a pipe on Windows.
    ///
    /// # Platform-specific behaviour
    /// A namespaced name on other Unixes is looked up in the runtime directory of the moment, as described
    /// for [`Name`].
    pub fn file(&self) -> Option<PathBuf> {
        crate::sys::name_file(self).map(Cow::into_owned)
    }

    /// A name that borrows from this one.
    pub fn borrow(&self) -> Name<'_> {
        Name { kind: self.kind, text: Cow::Borrowed(&self.text) }
    }

    /// A name that owns its text.
    pub fn into_owned(self) -> Name<'static> {
        Name { kind: self.kind, text: Cow::Owned(self.text.into_owned()) }
    }

    pub(crate) const fn text(&self) -> &Cow<'n, OsStr> {
        &self.text
    }

    pub(crate) fn into_text(self) -> Cow<'n, OsStr> {
        self.text
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The same error, saying which name it concerns. The kind stays; the OS's own error is its source.
    pub(crate) fn explain(&self, error: io::Error) -> io::Error {
        about(format_args!("local socket \"{self}\""), error)
    }
}

/// As a user would write it: `@NAME` for a namespaced name, the path as it is, but `./@x` for the path `@x`.
/// What is not Unicode is replaced by `U+FFFD`. Zero bytes at the end, which a name of interprocess 1.2 has, are left out.
impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_namespaced() {
            f.write_str("@")?;
        } else if self.text.as_encoded_bytes().first() == Some(&b'@') {
            f.write_str("./")?;
        }
        Display::fmt(self.text.to_string_lossy().trim_end_matches('\0'), f)
    }
}

fn invalid(text: &OsStr, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{why}: {text:?}"))
}

/// What can name a local socket.
///
/// - A [`Name`] is itself.
/// - A [`Path`] or [`PathBuf`] is a path, whatever it looks like.
/// - Text (`str`, `String`, `OsStr`, `OsString`, `CStr`, `CString`) that starts with `@` is namespaced, and
///   the `@` is not part of the name. Any other text is a path. To write a path that starts with `@`, write
///   `./@x`. (On Windows, where no such path is possible, a word without `\`, `/` and `:` is namespaced without an `@`, too, as it
///   was in interprocess 1.2. Programs for every OS write the `@`.)
///
/// # Errors
/// All with [`InvalidInput`](io::ErrorKind::InvalidInput) and before any system call: the name is empty,
/// contains NUL, is longer than the OS allows (the error says how long it may be), is not a `\\HOST\pipe\NAME`
/// path on Windows, or, on Unixes without an abstract namespace, is namespaced and contains `/`.
pub trait ToName<'n>: Sized {
    /// Converts to a name, checking what can be checked without asking the OS.
    fn to_name(self) -> io::Result<Name<'n>>;
}

impl<'n> ToName<'n> for Name<'n> {
    fn to_name(self) -> io::Result<Name<'n>> {
        Ok(self)
    }
}

impl<'n> ToName<'n> for &'n Name<'_> {
    fn to_name(self) -> io::Result<Name<'n>> {
        Ok(self.borrow())
    }
}

impl<'n> ToName<'n> for &'n Path {
    fn to_name(self) -> io::Result<Name<'n>> {
        Name::new(Kind::Path, Cow::Borrowed(self.as_os_str()))
    }
}

impl ToName<'static> for PathBuf {
    fn to_name(self) -> io::Result<Name<'static>> {
        Name::new(Kind::Path, Cow::Owned(self.into_os_string()))
    }
}

impl<'n> ToName<'n> for &'n PathBuf {
    fn to_name(self) -> io::Result<Name<'n>> {
        self.as_path().to_name()
    }
}

impl<'n> ToName<'n> for Cow<'n, OsStr> {
    fn to_name(self) -> io::Result<Name<'n>> {
        match self {
            Cow::Borrowed(text) => match strip_at(text) {
                Some(name) => Name::new(Kind::NAMESPACED, Cow::Borrowed(name)),
                None => Name::new(kind_without_at(text), Cow::Borrowed(text)),
            },
            Cow::Owned(text) => match strip_at(&text) {
                Some(name) => Name::new(Kind::NAMESPACED, Cow::Owned(name.to_os_string())),
                None => Name::new(kind_without_at(&text), Cow::Owned(text)),
            },
        }
    }
}

/// What follows the `@` that `text` starts with.
fn strip_at(text: &OsStr) -> Option<&OsStr> {
    let rest = text.as_encoded_bytes().strip_prefix(b"@")?;
    // SAFETY: the bytes come from an `OsStr` that was cut right after "@", which is valid UTF-8.
    Some(unsafe { OsStr::from_encoded_bytes_unchecked(rest) })
}

/// What text is that does not start with `@`.
#[cfg(unix)]
fn kind_without_at(_: &OsStr) -> Kind {
    Kind::Path
}

/// What text is that does not start with `@`: a bare word is a name, and what looks like a path is one.
#[cfg(windows)]
fn kind_without_at(text: &OsStr) -> Kind {
    let is_word = !text.as_encoded_bytes().iter().any(|byte| br"\/:".contains(byte));
    if is_word { Kind::NAMESPACED } else { Kind::Path }
}

impl<'n> ToName<'n> for &'n OsStr {
    fn to_name(self) -> io::Result<Name<'n>> {
        Cow::Borrowed(self).to_name()
    }
}

impl ToName<'static> for OsString {
    fn to_name(self) -> io::Result<Name<'static>> {
        Cow::<'static, OsStr>::Owned(self).to_name()
    }
}

impl<'n> ToName<'n> for &'n OsString {
    fn to_name(self) -> io::Result<Name<'n>> {
        self.as_os_str().to_name()
    }
}

impl<'n> ToName<'n> for &'n str {
    fn to_name(self) -> io::Result<Name<'n>> {
        OsStr::new(self).to_name()
    }
}

impl ToName<'static> for String {
    fn to_name(self) -> io::Result<Name<'static>> {
        OsString::from(self).to_name()
    }
}

impl<'n> ToName<'n> for &'n String {
    fn to_name(self) -> io::Result<Name<'n>> {
        self.as_str().to_name()
    }
}

impl<'n> ToName<'n> for Cow<'n, str> {
    fn to_name(self) -> io::Result<Name<'n>> {
        match self {
            Cow::Borrowed(text) => text.to_name(),
            Cow::Owned(text) => text.to_name(),
        }
    }
}

/// # Platform-specific behaviour
/// On Windows the text has to be UTF-8.
impl<'n> ToName<'n> for &'n CStr {
    fn to_name(self) -> io::Result<Name<'n>> {
        crate::sys::c_to_os(Cow::Borrowed(self))?.to_name()
    }
}

/// # Platform-specific behaviour
/// On Windows the text has to be UTF-8.
impl ToName<'static> for CString {
    fn to_name(self) -> io::Result<Name<'static>> {
        crate::sys::c_to_os(Cow::<'static, CStr>::Owned(self))?.to_name()
    }
}

/// A way of naming local sockets, for [`to_fs_name`](ToFsName::to_fs_name) and
/// [`to_ns_name`](ToNsName::to_ns_name).
///
/// [`GenericFilePath`] and [`GenericNamespaced`] exist everywhere; the ones that only one OS has are in
/// `os::unix::local_socket` and `os::windows::local_socket`.
pub trait NameType: Copy + std::fmt::Debug + Eq + Send + Sync + Unpin + 'static {
    /// Whether this OS can have names of this type.
    fn is_supported() -> bool;
}

/// A [`NameType`] that takes paths of type `S`.
pub trait PathNameType<S: ToOwned + ?Sized>: NameType {
    /// Makes a name from a path.
    fn map(path: Cow<'_, S>) -> io::Result<Name<'_>>;
}

/// A [`NameType`] that takes names in a namespace, of type `S`.
pub trait NamespacedNameType<S: ToOwned + ?Sized>: NameType {
    /// Makes a name from its text, without an `@`.
    fn map(name: Cow<'_, S>) -> io::Result<Name<'_>>;
}

/// Paths, on every OS: of socket files on Unix, of named pipes on Windows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum GenericFilePath {}

/// Namespaced names, on every OS, mapped as described for [`Name`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum GenericNamespaced {}

/// Implements a name type, for `OsStr` and for `CStr`.
macro_rules! name_type {
    ($type:ident is $trait:ident as $kind:expr, if $supported:expr) => {
        impl $crate::local_socket::NameType for $type {
            fn is_supported() -> bool {
                $supported
            }
        }
        impl $crate::local_socket::$trait<std::ffi::OsStr> for $type {
            fn map(text: Cow<'_, std::ffi::OsStr>) -> std::io::Result<$crate::local_socket::Name<'_>> {
                $crate::local_socket::Name::new($kind, text)
            }
        }
        impl $crate::local_socket::$trait<std::ffi::CStr> for $type {
            fn map(text: Cow<'_, std::ffi::CStr>) -> std::io::Result<$crate::local_socket::Name<'_>> {
                $crate::local_socket::Name::new($kind, $crate::sys::c_to_os(text)?)
            }
        }
    };
}
pub(crate) use name_type;

name_type!(GenericFilePath is PathNameType as Kind::Path, if true);
name_type!(GenericNamespaced is NamespacedNameType as Kind::NAMESPACED, if true);

/// Text that can be a path name: `"/run/app.sock".to_fs_name::<GenericFilePath>()`.
pub trait ToFsName<'s, S: ToOwned + ?Sized> {
    /// Makes a name of the given type. No character has a special meaning: `@x` is the path `@x`.
    fn to_fs_name<N: PathNameType<S>>(self) -> io::Result<Name<'s>>;
}

/// Text that can be a namespaced name: `"app.sock".to_ns_name::<GenericNamespaced>()`.
pub trait ToNsName<'s, S: ToOwned + ?Sized> {
    /// Makes a name of the given type. No character has a special meaning: `@x` is the name `@x`.
    fn to_ns_name<N: NamespacedNameType<S>>(self) -> io::Result<Name<'s>>;
}

/// Implements both for a type, by way of a `Cow`.
macro_rules! to_name_types {
    ($(<$life:lifetime> $type:ty as $target:ty, |$text:ident| $cow:expr;)+) => {$(
        impl<$life> ToFsName<$life, $target> for $type {
            fn to_fs_name<N: PathNameType<$target>>(self) -> io::Result<Name<$life>> {
                let $text = self;
                N::map($cow)
            }
        }
        impl<$life> ToNsName<$life, $target> for $type {
            fn to_ns_name<N: NamespacedNameType<$target>>(self) -> io::Result<Name<$life>> {
                let $text = self;
                N::map($cow)
            }
        }
    )+};
}
to_name_types! {
    <'s> &'s str as OsStr, |text| Cow::Borrowed(OsStr::new(text));
    <'s> String as OsStr, |text| Cow::Owned(text.into());
    <'s> &'s OsStr as OsStr, |text| Cow::Borrowed(text);
    <'s> OsString as OsStr, |text| Cow::Owned(text);
    <'s> &'s Path as OsStr, |text| Cow::Borrowed(text.as_os_str());
    <'s> PathBuf as OsStr, |text| Cow::Owned(text.into());
    <'s> &'s CStr as CStr, |text| Cow::Borrowed(text);
    <'s> CString as CStr, |text| Cow::Owned(text);
}

/// A name that options were given: its error is kept until the options are used.
#[derive(Clone, Debug, Default)]
pub(crate) enum NameOption<'n> {
    #[default]
    Missing,
    Given(Name<'n>),
    Invalid(Arc<io::Error>),
}

impl<'n> From<io::Result<Name<'n>>> for NameOption<'n> {
    fn from(result: io::Result<Name<'n>>) -> Self {
        match result {
            Ok(name) => Self::Given(name),
            Err(error) => Self::Invalid(Arc::new(error)),
        }
    }
}

impl NameOption<'_> {
    pub(crate) fn get(&self) -> io::Result<Name<'_>> {
        match self {
            Self::Given(name) => Ok(name.borrow()),
            Self::Missing => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "no name was given to the options"))
            }
            Self::Invalid(error) => Err(io::Error::new(error.kind(), Arc::clone(error))),
        }
    }
}
