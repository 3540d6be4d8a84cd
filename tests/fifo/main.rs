//! FIFO files.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod asynchronous;
mod opening;
mod receiving;
mod sending;

use interprocess::os::unix::fifo_file::create_fifo;
use std::{ops::Deref, path::Path, time::Duration};
use support::TempDir;

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn child_entry() {
    support::child_entry(&[
        ("create", opening::create),
        ("send_until_killed", receiving::send_until_killed),
        ("send_lines", sending::send_lines),
        ("break_a_pipe", sending::break_a_pipe),
    ]);
}

/// A FIFO in a directory of its own.
struct Fifo(TempDir);

impl Fifo {
    fn new() -> Self {
        let fifo = Self(TempDir::new());
        create_fifo(fifo.path(), 0o600).expect("a FIFO");
        fifo
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.join("fifo")
    }

    fn name(&self) -> String {
        self.path().to_str().expect("names of tests are text").to_owned()
    }
}

impl Deref for Fifo {
    type Target = Path;

    /// Its directory.
    fn deref(&self) -> &Path {
        &self.0
    }
}
