//! Programs in the manner of interprocess 2, and all of its items.

mod blocking;
#[cfg(unix)]
mod fifo;
mod generic;
mod items;
#[cfg(unix)]
mod items_unix;
#[cfg(windows)]
mod items_windows;
#[cfg(windows)]
mod pipes;
mod tokio;
mod unnamed;

use std::{
    env, io,
    path::PathBuf,
    sync::{
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, SystemTime},
};

use interprocess::local_socket::{GenericFilePath, GenericNamespaced, Name, ToFsName, ToNsName};

/// Runs a test on a thread of its own, for no longer than a minute.
fn in_time<T: Send + 'static>(test: impl FnOnce() -> io::Result<T> + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || done.send(test()));
    match is_done.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => result.expect("no error"),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().expect_err("it ended early"))
        }
    }
}

/// The same for Tokio.
fn in_time_on_tokio<T: Send + 'static, F: Future<Output = io::Result<T>>>(
    test: impl FnOnce() -> F + Send + 'static,
) -> T {
    in_time(|| {
        ::tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(test())
    })
}

/// Text that no other call and no other process gives.
fn unique() -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!(
        "interprocess-two-{}-{:x}-{}",
        std::process::id(),
        since.subsec_nanos(),
        CALLS.fetch_add(1, Relaxed)
    )
}

/// A path that nobody else uses.
fn unique_path() -> PathBuf {
    if cfg!(windows) { format!(r"\\.\pipe\{}", unique()).into() } else { env::temp_dir().join(unique()) }
}

/// A name of each type.
fn names() -> [Name<'static>; 2] {
    [
        unique().to_ns_name::<GenericNamespaced>().expect("a name"),
        unique_path().to_fs_name::<GenericFilePath>().expect("a path"),
    ]
}
