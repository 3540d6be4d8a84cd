//! Descriptors, credentials and other data that go along with bytes.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod decoder;
mod descriptors;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod senders;

use support::child_entry as run_child;

#[test]
fn child_entry() {
    run_child(&[("give_back", descriptors::give_back), ("full_table", descriptors::full_table)]);
}
