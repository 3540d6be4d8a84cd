//! What only Unix has.

pub mod ancillary;
pub mod local_socket;
pub mod udsocket;
