//! Programs for interprocess 2, built with this crate. `two_published.rs` builds the same ones with that crate.
#![cfg(any(target_os = "linux", windows))]

mod two;

const IS_PUBLISHED: bool = false;
