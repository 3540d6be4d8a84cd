//! Hands an open file to another process, which could not open it: a descriptor goes along with bytes. Unix only.
//!
//! ```text
//! cargo run --example pass_fd
//! ```

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    match std::env::args_os().nth(1) {
        None => unix::parent(),
        Some(path) => unix::child(path.as_ref()),
    }
}

#[cfg(unix)]
mod unix {
    use interprocess::os::unix::udsocket::{UdStream, UdStreamListener};
    use std::{
        env,
        fs::{self, DirBuilder, File},
        io::{self, Read, Seek, Write},
        os::{fd::AsFd, unix::fs::DirBuilderExt},
        path::Path,
        process::Command,
        time::Duration,
    };

    /// How long to wait for the other process.
    const PATIENCE: Duration = Duration::from_secs(10);
    /// The bytes that the file goes along with; at least one is needed.
    const SUBJECT: &[u8; 8] = b"a letter";

    pub(crate) fn parent() -> io::Result<()> {
        // Only our user may enter it, and we have made it: who finds one that is there already gets an error.
        let dir = env::temp_dir().join(format!("interprocess-example-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&dir)?;
        let result = start_child_in(&dir);
        fs::remove_dir_all(&dir)?;
        result
    }

    fn start_child_in(dir: &Path) -> io::Result<()> {
        let letter = dir.join("letter");
        let mut file = File::options().read(true).write(true).create_new(true).open(&letter)?;
        file.write_all(b"Nobody can open this any more.\n")?;
        // The receiver gets the same open file, and so begins to read where we are.
        file.rewind()?;
        fs::remove_file(&letter)?;

        let socket = dir.join("socket");
        let listener = UdStreamListener::bind_with_drop_guard(&socket)?;
        let mut child = Command::new(env::current_exe()?).arg(&socket).spawn()?;
        let result = hand_over(&listener, &file);
        if result.is_err() {
            child.kill()?;
        }
        println!("The child has ended: {}", child.wait()?);
        result
    }

    fn hand_over(listener: &UdStreamListener, file: &File) -> io::Result<()> {
        let mut stream = listener.accept_timeout(PATIENCE)?;
        stream.set_send_timeout(Some(PATIENCE))?;
        let sent = stream.send_with_fds(SUBJECT, &[file.as_fd()])?;
        // The file has gone with the first byte, and must not go again if there was no room for the last.
        stream.write_all(&SUBJECT[sent..])
    }

    pub(crate) fn child(socket: &Path) -> io::Result<()> {
        let mut stream = UdStream::connect_timeout(socket, PATIENCE)?;
        stream.set_recv_timeout(Some(PATIENCE))?;

        let (mut subject, mut fds) = (*SUBJECT, Vec::new());
        let len = stream.recv_with_fds(&mut subject, &mut fds)?;
        stream.read_exact(&mut subject[len..])?;
        println!("The child receives {}, and with it {} file", subject.escape_ascii(), fds.len());
        for fd in fds {
            // It is ours now: what is not used is closed when it is dropped.
            let mut text = String::new();
            File::from(fd).read_to_string(&mut text)?;
            print!("The child reads: {text}");
        }
        Ok(())
    }
}

#[cfg(not(unix))]
fn main() {
    println!("This example needs Unix. On Windows, see inherit_handles.");
}
