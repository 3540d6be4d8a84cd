//! Errors that hand something back.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
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
