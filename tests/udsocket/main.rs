//! Sockets of the Unix domain.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod asynchronous;
mod datagrams;
mod listening;
#[cfg(not(target_vendor = "apple"))]
mod packets;
mod streams;
