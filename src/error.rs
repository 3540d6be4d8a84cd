//! Errors that hand something back.
//!
//! Nearly everything here fails with an [`io::Error`] whose [kind](io::Error::kind) says what to do about it, and which has the system's own
//! error, with its code, as its [source](Error::source) or is that error itself. What is in this module is what could not be put together,
//! or made into something else, and is still worth having.
//!
//! ```
//! use interprocess::local_socket::{Listener, Stream};
//! use std::io::ErrorKind;
//!
//! # let name = format!("@interprocess-doc-error-{}", std::process::id());
//! # let name = name.as_str();
//! let listener = Listener::bind(name)?;
//! let error = Listener::bind(name).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::AddrInUse);
//! assert!(error.to_string().contains(name));
//!
//! let (rh, _) = Stream::connect(name)?.split();
//! let (_, sh) = Stream::connect(name)?.split();
//! let error = Stream::reunite(rh, sh).unwrap_err();
//! // The halves of two streams are no stream. Here they are again:
//! let (rh, sh) = (error.rh, error.sh);
//! # drop((rh, sh));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    io,
};

/// Two halves that are not of one stream, and so cannot be put together. They are handed back.
#[derive(Debug)]
pub struct ReuniteError<R, S> {
    /// The receive half.
    pub rh: R,
    /// The send half.
    pub sh: S,
}

impl<R, S> Display for ReuniteError<R, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the two halves are not of one stream")
    }
}

impl<R: fmt::Debug, S: fmt::Debug> Error for ReuniteError<R, S> {}

/// What putting two halves together gives.
pub type ReuniteResult<T, R, S> = Result<T, ReuniteError<R, S>>;

/// Something that is not what it was to be made into. It is handed back.
#[derive(Debug)]
pub struct ConversionError<S, E = NoDetails> {
    /// What is wrong.
    pub details: E,
    /// The error of the OS, if there was one.
    pub cause: Option<io::Error>,
    /// What could not be converted.
    pub source: Option<S>,
}

impl<S, E: Display> Display for ConversionError<S, E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let details = self.details.to_string();
        match &self.cause {
            Some(cause) if details.is_empty() => cause.fmt(f),
            Some(cause) => write!(f, "{details}: {cause}"),
            None => f.write_str(&details),
        }
    }
}

impl<S: fmt::Debug, E: fmt::Debug + Display> Error for ConversionError<S, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// The kind is that of the [cause](ConversionError::cause), or [`InvalidInput`](io::ErrorKind::InvalidInput).
impl<S, E: Display> From<ConversionError<S, E>> for io::Error {
    fn from(error: ConversionError<S, E>) -> Self {
        error.to_io_error()
    }
}

/// Nothing more than that it did not work, and why.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoDetails;

impl Display for NoDetails {
    fn fmt(&self, _: &mut Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// A descriptor that is not what it was to be made into.
#[cfg(unix)]
pub type FromFdError<E = NoDetails> = ConversionError<std::os::fd::OwnedFd, E>;

/// A handle that is not what it was to be made into.
#[cfg(windows)]
pub type FromHandleError<E = NoDetails> = ConversionError<std::os::windows::io::OwnedHandle, E>;

/// The same error, saying what it is about. The kind stays; the OS's own error is its source.
pub(crate) fn about(subject: impl Display, error: io::Error) -> io::Error {
    about_as(error.kind(), subject, error)
}

/// The same, of another kind.
pub(crate) fn about_as(kind: io::ErrorKind, subject: impl Display, error: io::Error) -> io::Error {
    /// An error, and what it is about.
    #[derive(Debug)]
    struct About(String, io::Error);

    impl Display for About {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            write!(f, "{}: {}", self.0, self.1)
        }
    }

    impl Error for About {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    io::Error::new(kind, About(subject.to_string(), error))
}
