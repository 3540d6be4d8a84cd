//! Unnamed pipes.

use super::{in_time, in_time_on_tokio};
use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
use interprocess::unnamed_pipe;
use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    thread,
};

/// Says to the child which end it has.
const CHILD: &str = "INTERPROCESS_TWO_CHILD";

#[test]
fn threads_talk_through_a_pipe() {
    in_time(|| {
        let (mut tx, mut rx) = unnamed_pipe::pipe()?;
        let writer = thread::spawn(move || tx.write_all(b"Hello there"));
        let mut text = [0; 11];
        rx.read_exact(&mut text)?;
        assert_eq!(&text, b"Hello there");
        writer.join().expect("no panic")
    });
}

#[test]
fn tasks_talk_through_a_pipe() {
    in_time_on_tokio(|| async {
        let (mut tx, mut rx) = unnamed_pipe::tokio::pipe()?;
        let writer = ::tokio::spawn(async move { tx.write_all(b"Hello there").await });
        let mut text = [0; 11];
        rx.read_exact(&mut text).await?;
        assert_eq!(&text, b"Hello there");
        writer.await?
    });
}

/// What the child runs.
#[test]
fn child() {
    let Ok(value) = env::var(CHILD) else { return };
    #[cfg(unix)]
    let mut tx = {
        use std::os::fd::{AsFd, OwnedFd};
        assert_eq!(value, "stdout");
        let stdout: OwnedFd = std::io::stdout().as_fd().try_clone_to_owned().expect("open");
        std::fs::File::from(stdout)
    };
    #[cfg(windows)]
    let mut tx = {
        use std::os::windows::io::{FromRawHandle, RawHandle};
        let value: usize = value.parse().expect("a handle");
        // SAFETY: the parent has let this process inherit it, and told nobody else.
        unsafe { unnamed_pipe::Sender::from_raw_handle(value as RawHandle) }
    };
    tx.write_all(b"\nHello from the child\n").expect("the parent reads");
    tx.flush().expect("the parent reads");
}

#[test]
fn child_talks_to_its_parent_through_a_pipe() {
    in_time(|| {
        let mut command = Command::new(env::current_exe()?);
        command.args(["--exact", "two::unnamed::child", "--nocapture", "--test-threads=1"]);
        #[cfg(unix)]
        let (tx, rx) = {
            use interprocess::os::unix::unnamed_pipe::{UnnamedPipeExt, pipe};
            use std::os::fd::OwnedFd;
            let (tx, rx) = pipe(false)?;
            UnnamedPipeExt::set_nonblocking(&rx, true)?;
            UnnamedPipeExt::set_nonblocking(&rx, false)?;
            command.env(CHILD, "stdout").stdout(Stdio::from(OwnedFd::from(tx)));
            ((), rx)
        };
        #[cfg(windows)]
        let (tx, rx) = {
            use interprocess::os::windows::unnamed_pipe::CreationOptions;
            use std::os::windows::io::AsRawHandle;
            let (tx, rx) = CreationOptions::new().inheritable(true).buffer_size_hint(None).create()?;
            command.env(CHILD, (tx.as_raw_handle() as usize).to_string()).stdout(Stdio::null());
            (tx, rx)
        };
        let mut child = command.spawn()?;
        // What the command has, too.
        drop((tx, command));
        let mut said = BufReader::new(rx).lines().map_while(Result::ok);
        assert!(said.any(|line| line == "Hello from the child"));
        assert!(child.wait()?.success());
        Ok(())
    });
}
