//! Notes that anybody of the same user may leave: a mailslot of Windows.
//!
//! ```text
//! cargo run --example mailslot                          # both ends, to see it work
//! cargo run --example mailslot serve notes              # prints what comes, until nothing has for a minute
//! cargo run --example mailslot send notes "Lunch?"      # leaves a note
//! ```

use std::io;

#[cfg(windows)]
fn main() -> io::Result<()> {
    use interprocess::os::windows::mailslot::MailslotClient;
    use std::env;

    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let name = format!("interprocess-example-{}", std::process::id());
            let server = windows::create(&name)?;
            for note in ["Lunch?", "Never mind."] {
                MailslotClient::open(&name)?.send(note.as_bytes())?;
            }
            windows::print(&server, 2)
        }
        ["serve", name] => windows::print(&windows::create(name)?, usize::MAX),
        ["send", name, note] => MailslotClient::open(name)?.send(note.as_bytes()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "serve NAME, or send NAME TEXT")),
    }
}

#[cfg(windows)]
mod windows {
    use interprocess::os::windows::mailslot::{MailslotOptions, MailslotServer};
    use std::{io, time::Duration};

    pub(crate) fn create(name: &str) -> io::Result<MailslotServer> {
        const PATIENCE: Duration = Duration::from_secs(60);

        MailslotOptions::new().name(name).max_message_size(1024).recv_timeout(Some(PATIENCE)).create()
    }

    pub(crate) fn print(server: &MailslotServer, notes: usize) -> io::Result<()> {
        let mut note = Vec::new();
        for _ in 0..notes {
            match server.recv(&mut note) {
                Ok(_) => println!("{}", String::from_utf8_lossy(&note)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(not(windows))]
#[allow(clippy::unnecessary_wraps, reason = "on Windows it can fail")]
fn main() -> io::Result<()> {
    println!("Only Windows has mailslots.");
    Ok(())
}
