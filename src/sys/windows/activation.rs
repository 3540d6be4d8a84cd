//! Listeners that a service manager has opened: Windows has nothing of the kind for pipes.

use super::local_socket::Listener;
use crate::local_socket::Name;
use std::io;

pub(crate) fn take(_name: Option<&str>) -> io::Result<(Listener, Name<'static>)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Windows has no socket activation for named pipes"))
}
