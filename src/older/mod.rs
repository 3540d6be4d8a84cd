//! What code that was written for older crates of this name calls by names, or in ways, that are different here. They are aliases of
//! what is elsewhere, and short functions that call it.

pub(crate) mod one;
pub(crate) mod two;
