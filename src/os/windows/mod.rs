//! What only Windows has.

mod impersonation;
pub mod local_socket;
pub mod mailslot;
pub mod named_pipe;
pub mod process;
pub mod security_descriptor;
mod security_quality;
mod share_handle;
pub mod unnamed_pipe;

pub(crate) use security_quality::SecurityQuality;
pub use {
    impersonation::{ImpersonationGuard, ImpersonationLevel},
    share_handle::ShareHandle,
};
