//! What only Windows has.

pub mod local_socket;
