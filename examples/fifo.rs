//! Notes from anybody, a shell too, to one reader: a FIFO file that stays open.
//!
//! ```text
//! cargo run --example fifo                            # both ends, to see it work
//! cargo run --example fifo read /tmp/notes            # makes the file; until nothing has come for a minute
//! cargo run --example fifo write /tmp/notes "Lunch?"  # or: echo 'Lunch?' > /tmp/notes
//! ```

use std::io;

#[cfg(unix)]
fn main() -> io::Result<()> {
    use std::{env, fs, path::Path, process, time::Duration};

    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let path = env::temp_dir().join(format!("interprocess-example-{}", process::id()));
            let mut reader = notes::open(&path)?;
            // The kernel keeps them until they are read.
            let written =
                ["Lunch?", "At noon.", "Good."].iter().try_for_each(|note| notes::write(&path, note));
            let result = written.and_then(|()| notes::print(&mut reader, Duration::from_millis(10)));
            fs::remove_file(&path)?;
            result
        }
        ["read", path] => notes::print(&mut notes::open(Path::new(path))?, Duration::from_secs(60)),
        ["write", path, note] => notes::write(Path::new(path), note),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "read PATH, or write PATH NOTE")),
    }
}

#[cfg(unix)]
mod notes {
    use interprocess::{
        ConnectWaitMode,
        os::unix::fifo_file::{OpenOptions, PIPE_BUF, Recver, create_fifo},
    };
    use std::{
        io::{self, BufRead, BufReader},
        path::Path,
        time::Duration,
    };

    /// Opens the FIFO for reading, and makes it if it is not there. Only we may read from it and write to it.
    pub(crate) fn open(path: &Path) -> io::Result<BufReader<Recver>> {
        match create_fifo(path, 0o600) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Writers come and go, one by one. That is no end.
        OpenOptions::new().stay_open(true).recver(path).map(BufReader::new)
    }

    /// Prints line by line, until nothing has come for so long.
    pub(crate) fn print(reader: &mut BufReader<Recver>, patience: Duration) -> io::Result<()> {
        reader.get_ref().set_recv_timeout(Some(patience))?;
        let mut note = Vec::new();
        loop {
            note.clear();
            match reader.read_until(b'\n', &mut note) {
                Ok(_) => print!("{}", String::from_utf8_lossy(&note)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes one line, which is not mixed with those of others as it is sent at once and is not too long for that.
    pub(crate) fn write(path: &Path, note: &str) -> io::Result<()> {
        let line = format!("{note}\n");
        if line.len() > PIPE_BUF {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "that is no note but a letter"));
        }
        let wait_mode = ConnectWaitMode::Timeout(Duration::from_secs(5));
        OpenOptions::new().wait_mode(wait_mode).sender(path)?.send(line.as_bytes())?;
        Ok(())
    }
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
fn main() -> io::Result<()> {
    println!("Only Unix has FIFO files.");
    Ok(())
}
