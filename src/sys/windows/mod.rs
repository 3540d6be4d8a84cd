//! The Windows side: named pipes, always overlapped.

pub(crate) mod local_socket;
pub(crate) mod name;

pub(crate) use name::{activated_listener, c_to_os, check_name, is_in_shared_directory, name_file};
