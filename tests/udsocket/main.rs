//! Sockets of the Unix domain.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod asynchronous;
mod batches;
mod datagrams;
mod listening;
#[cfg(not(target_vendor = "apple"))]
mod packets;
mod streams;

#[test]
fn child_entry() {
    support::child_entry(&[("stop_without_descriptors", listening::stop_without_descriptors)]);
}
