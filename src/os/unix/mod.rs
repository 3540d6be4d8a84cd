//! What only Unix has.

pub mod ancillary;
pub mod local_socket;
pub mod udsocket;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod vsock;
