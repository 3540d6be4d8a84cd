//! Named pipes of Windows.
#![cfg(windows)]

#[path = "../support/mod.rs"]
mod support;

mod asynchronous;
mod handles;
mod listening;
mod messages;
mod options;
mod peers;
mod streams;

use support::ChildFunction;

#[test]
fn child_entry() {
    let mut functions: Vec<(&str, ChildFunction)> = Vec::new();
    functions.extend(messages::CHILDREN);
    functions.extend(handles::CHILDREN);
    functions.extend(listening::CHILDREN);
    functions.extend(options::CHILDREN);
    functions.extend(peers::CHILDREN);
    support::child_entry(&functions);
}
