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
