//! The Unix side: Linux, Android, macOS, the BSDs and illumos.

pub(crate) mod activation;
pub(crate) mod creds;
pub(crate) mod local_socket;
pub(crate) mod name;
mod name_file;
pub(crate) mod socket;

pub(crate) use activation::take as activated_listener;
pub(crate) use name::{c_to_os, check_name, file as name_file, is_in_shared_directory};
