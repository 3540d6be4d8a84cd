//! Every system call, and nearly all `unsafe`. The OS is chosen here, once.
//!
//! Each OS provides the same names: [`Stream`], [`Listener`] and [`PeerCreds`], the bodies of local sockets,
//! with the same methods; the uniform API above is written against them. What only one OS has is reached by
//! its own path (`sys::unix`, `sys::windows`) from `os::unix` or `os::windows`.

#[cfg(unix)]
pub(crate) mod unix;
#[cfg(unix)]
use unix as imp;

#[cfg(windows)]
pub(crate) mod windows;
#[cfg(windows)]
use windows as imp;

pub(crate) use imp::{
    activated_listener, c_to_os, check_name, child,
    local_socket::{Listener, PeerCreds, Stream},
    located, name_file, unnamed_pipe,
};

#[cfg(feature = "signals")]
pub(crate) use imp::signal;
