//! Programs that were written for interprocess 1.2, with this crate.
#![cfg(any(target_os = "linux", windows))]

mod one;

/// What only this crate does right is left out with the other.
const PUBLISHED: bool = false;
