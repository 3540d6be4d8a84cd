//! Programs for interprocess 2, built with that crate, which shows that they are what they claim to be. `two_ours.rs` builds the same
//! ones with this crate.
#![cfg(any(target_os = "linux", windows))]
#![allow(deprecated, reason = "it deprecates halves, and names that older versions of it had")]

extern crate interprocess_2 as interprocess;

#[path = "two/differs.rs"]
mod differs;
mod two;

const IS_PUBLISHED: bool = true;
