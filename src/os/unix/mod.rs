//! What only Unix has.

pub mod local_socket;
