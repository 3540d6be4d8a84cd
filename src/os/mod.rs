//! What only one OS has.

#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;
