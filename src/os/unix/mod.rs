//! What only Unix has.

pub mod ancillary;
pub mod child;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "illumos"))]
pub mod eventfd;
pub mod fifo_file;
pub mod local_socket;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub mod message_queue;
#[cfg(feature = "signals")]
pub mod signal;
pub mod uds_local_socket;
pub mod udsocket;
pub mod unnamed_pipe;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod vsock;
