//! Hands one end of a connection to a child, which inherits that handle and no other. Windows only.
//!
//! ```text
//! cargo run --example inherit_handles
//! ```

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    match std::env::var_os(windows::CHANNEL) {
        None => windows::parent(),
        Some(value) => windows::child(&value),
    }
}

#[cfg(windows)]
mod windows {
    use interprocess::{
        local_socket::{Listener, Stream},
        os::windows::process::{Command, inherited_handle},
    };
    use std::{
        env,
        ffi::OsStr,
        io::{self, BufRead, BufReader, Write},
        time::Duration,
    };

    /// The environment variable that tells the child the value of its handle.
    pub(crate) const CHANNEL: &str = "INTERPROCESS_EXAMPLE_CHANNEL";

    pub(crate) fn parent() -> io::Result<()> {
        let name = format!("@interprocess-example-inherit-{}", std::process::id());
        let listener = Listener::bind(name.as_str())?;
        let theirs = Stream::connect(name.as_str())?;
        let ours = listener.accept()?;

        let mut child = Command::new(env::current_exe()?);
        let value = child.inherit(&theirs)?;
        let child = child.env(CHANNEL, value.to_string()).spawn()?;
        // Otherwise we would not see it when the child closes its end.
        drop(theirs);

        writeln!(&ours, "How are you, process {}?", child.id())?;
        for line in BufReader::new(&ours).lines() {
            println!("The child says: {}", line?);
        }
        match child.wait_timeout(Duration::from_secs(30))? {
            Some(status) => println!("It has ended: {status}"),
            None => child.kill()?,
        }
        Ok(())
    }

    pub(crate) fn child(value: &OsStr) -> io::Result<()> {
        let stream = Stream::try_from(inherited_handle(value)?)?;
        let mut question = String::new();
        BufReader::new(&stream).read_line(&mut question)?;
        writeln!(&stream, "I was asked: {}", question.trim_end())?;
        writeln!(&stream, "Fine, thank you.")
    }
}

#[cfg(not(windows))]
fn main() {
    println!("This example needs Windows. Elsewhere, see local_socket_server.");
}
