//! What errors that hand something back have in interprocess 2. New code makes them, and takes them apart, by their fields.

use crate::error::{ConversionError, ReuniteError};
use std::{fmt::Display, io};

/// For code that was written for older crates. In new code, [`ReuniteError`] is taken apart by its fields.
impl<R, S> ReuniteError<R, S> {
    /// The same error with other halves.
    pub fn map_halves<NR: From<R>, NS: From<S>>(
        self,
        fr: impl FnOnce(R) -> NR,
        fs: impl FnOnce(S) -> NS,
    ) -> ReuniteError<NR, NS> {
        ReuniteError { rh: fr(self.rh), sh: fs(self.sh) }
    }

    /// The same error with halves that these become by [`From`].
    pub fn convert_halves<NR: From<R>, NS: From<S>>(self) -> ReuniteError<NR, NS> {
        self.map_halves(From::from, From::from)
    }
}

/// For code that was written for older crates. In new code, [`ConversionError`] is made by its fields.
impl<S, E: Default> ConversionError<S, E> {
    /// Hands back `source`.
    pub fn from_source(source: S) -> Self {
        Self { source: Some(source), ..Self::default() }
    }

    /// Tells of `cause`.
    pub fn from_cause(cause: io::Error) -> Self {
        Self { cause: Some(cause), ..Self::default() }
    }

    /// Hands back `source` and tells of `cause`.
    pub fn from_source_and_cause(source: S, cause: io::Error) -> Self {
        Self { details: E::default(), cause: Some(cause), source: Some(source) }
    }
}

/// For code that was written for older crates. In new code, [`ConversionError`] is made, and taken apart, by its fields.
impl<S, E> ConversionError<S, E> {
    /// Hands back `source` and says what is wrong with it.
    pub fn from_source_and_details(source: S, details: E) -> Self {
        Self { details, cause: None, source: Some(source) }
    }

    /// Says what is wrong and tells of `cause`.
    pub fn from_cause_and_details(cause: io::Error, details: E) -> Self {
        Self { details, cause: Some(cause), source: None }
    }

    /// The same error with another source.
    pub fn map_source<Sb>(self, f: impl FnOnce(S) -> Sb) -> ConversionError<Sb, E> {
        self.try_map_source(|source| Some(f(source)))
    }

    /// The same error with another source, or none.
    pub fn try_map_source<Sb>(self, f: impl FnOnce(S) -> Option<Sb>) -> ConversionError<Sb, E> {
        ConversionError { details: self.details, cause: self.cause, source: self.source.and_then(f) }
    }
}

/// For code that was written for older crates. In new code, `io::Error::from`.
impl<S, E: Display> ConversionError<S, E> {
    /// The text of this as an [`io::Error`], of the kind of its cause.
    pub fn to_io_error(&self) -> io::Error {
        let kind = self.cause.as_ref().map_or(io::ErrorKind::InvalidInput, io::Error::kind);
        io::Error::new(kind, self.to_string())
    }
}

/// Of nothing, and without a cause.
impl<S, E: Default> Default for ConversionError<S, E> {
    fn default() -> Self {
        Self { details: E::default(), cause: None, source: None }
    }
}
