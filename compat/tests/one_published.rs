//! The same programs with interprocess 1.2 itself, so that they are what they are said to be; and what of it is not here.
#![cfg(any(target_os = "linux", windows))]

extern crate interprocess_1 as interprocess;

#[path = "one/differs.rs"]
mod differs;
mod one;

/// What it does wrong is left out.
const PUBLISHED: bool = true;
