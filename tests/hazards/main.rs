//! Each line of the table of hazards that concerns local sockets, and the default that prevents it: a test here is named after
//! the hazard and fails when the default is taken out.
//!
//! What can be seen on Windows only by reading flags and access lists back is tested where they are made, in
//! `src/sys/windows`: the owner-only access list, the refusal of remote clients, the impersonation level of clients.
//! Broken frames are a matter for what has frames; local sockets add none.

mod access;
mod connecting;
mod data;
#[cfg(unix)]
mod descriptors;
mod names;
#[path = "../support/mod.rs"]
mod support;

use interprocess::local_socket::{Listener, Stream};
use support::{ChildFunction, TestName, unique_name, unique_path};

#[test]
fn child_entry() {
    let mut functions: Vec<(&str, ChildFunction)> = Vec::new();
    functions.extend(names::CHILDREN);
    functions.extend(data::CHILDREN);
    #[cfg(unix)]
    {
        functions.extend(access::CHILDREN);
        functions.extend(descriptors::CHILDREN);
    }
    support::child_entry(&functions);
}

/// A connection over a new name of the same kind: the server's end and the client's. (On Windows, a name is free only when
/// the last stream of its server is gone.)
fn pair(like: &TestName) -> (Stream, Stream) {
    let name = if like.starts_with('@') { unique_name() } else { unique_path() };
    let listener = Listener::bind(&name).unwrap();
    let client = Stream::connect(&name).unwrap();
    (listener.accept().unwrap(), client)
}
