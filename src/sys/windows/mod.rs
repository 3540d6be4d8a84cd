//! The Windows side: named pipes, always overlapped, and sockets of the Unix domain where that is asked for.

pub(crate) mod activation;
pub(crate) mod child;
pub(crate) mod creds;
pub(crate) mod handle;
pub(crate) mod hvsock;
pub(crate) mod listener;
pub(crate) mod local_socket;
pub(crate) mod mailslot;
pub(crate) mod name;
mod name_file;
pub(crate) mod named_pipe;
pub(crate) mod overlapped;
pub(crate) mod process;
pub(crate) mod security;
pub(crate) mod security_descriptor;
#[cfg(feature = "signals")]
pub(crate) mod signal;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod unix_socket;
pub(crate) mod unnamed_pipe;
mod wide;

pub(crate) use activation::take as activated_listener;
pub(crate) use name::{c_to_os, check_name, file as name_file, located};
