//! What is written here is written for interprocess 1.2.

#![allow(deprecated, unused, clippy::all, clippy::pedantic, reason = "it is as old as what it is for")]

mod names;
mod programs;

use std::{
    panic,
    sync::{
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// Runs `test` on a thread of its own, and panics if it takes far too long.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match is_done.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(RecvTimeoutError::Disconnected) => panic::resume_unwind(thread.join().unwrap_err()),
    }
}

/// The same on a runtime.
fn in_time_async<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    in_time(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
            .block_on(test())
    });
}

/// Text that nobody else has.
fn unique() -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let program = if cfg!(windows) { "windows" } else { env!("CARGO_CRATE_NAME") };
    format!("interprocess-{program}-{}-{}", std::process::id(), CALLS.fetch_add(1, Relaxed))
}

/// A path that nobody else has, whose file is deleted when it is dropped.
struct UniquePath(String);

impl UniquePath {
    fn new() -> Self {
        Self(std::env::temp_dir().join(unique()).into_os_string().into_string().unwrap())
    }
}

impl Drop for UniquePath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
