//! The Unix side: Linux, Android, macOS, the BSDs and illumos.

pub(crate) mod activation;
pub(crate) mod batch;
pub(crate) mod child;
pub(crate) mod control;
pub(crate) mod creds;
pub(crate) mod endpoint;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "illumos"))]
pub(crate) mod eventfd;
pub(crate) mod fifo;
mod inherited;
pub(crate) mod listener;
pub(crate) mod local_socket;
pub(crate) mod message;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub(crate) mod message_queue;
pub(crate) mod name;
pub(crate) mod name_file;
pub(crate) mod options;
pub(crate) mod pipe;
#[cfg(feature = "signals")]
pub(crate) mod signal;
mod sigpipe;
pub(crate) mod socket;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) mod vsock;
mod wait;

pub(crate) use activation::take as activated_listener;
pub(crate) use name::{c_to_os, check_name, file as name_file, located};
pub(crate) use pipe as unnamed_pipe;
