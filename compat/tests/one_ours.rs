//! Programs that were written for interprocess 1.2, with this crate.
#![cfg(any(target_os = "linux", windows))]

mod one;
