//! Hands open files to another process, which need not be able to open them: one when it is started, and one while it runs.
//!
//! ```text
//! cargo run --example pass_file
//! ```
//!
//! The first is the same on every OS: `child::Give`, which takes files, streams, listeners and ends of pipes. For the second,
//! Unix sends a descriptor along with bytes, whoever is at the other end of the socket. Windows makes a handle in the other process,
//! for which one needs a handle of that process, and sends its value (`ShareHandle`).

use interprocess::{
    ConnectWaitMode,
    child::{Give, inherited},
    local_socket::{ConnectOptions, Listener, Stream},
};
use std::{
    env,
    fs::File,
    io::{self, Read, Seek, Write},
    process::{Child, Command},
    time::Duration,
};

/// How long to wait for the other process.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    match env::args().nth(1) {
        None => parent(),
        Some(name) => child(&name),
    }
}

fn parent() -> io::Result<()> {
    let name = format!("@interprocess-example-pass-{}", std::process::id());
    let listener = Listener::bind(&name)?;
    let first = letter(1, "This was there from the beginning.")?;
    let mut child = Command::new(env::current_exe()?).arg(&name).give("letter", first).spawn()?;

    let result = hand_over(&listener, &child);
    if result.is_err() {
        child.kill()?;
    }
    println!("The child has ended: {}", child.wait()?);
    result
}

fn hand_over(listener: &Listener, child: &Child) -> io::Result<()> {
    let stream = listener.accept_timeout(PATIENCE)?;
    stream.set_send_timeout(Some(PATIENCE))?;
    // Process IDs are for logs, as a rule. That of a child is certain until it is waited for.
    if stream.peer_pid().is_ok_and(|pid| i64::from(pid) != i64::from(child.id())) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "somebody else has connected"));
    }
    files::send(stream, &letter(2, "This came later.")?, child)
}

fn child(name: &str) -> io::Result<()> {
    read("when it is started", inherited("letter")?)?;

    let stream = ConnectOptions::new()
        .name(name)
        .wait_mode(ConnectWaitMode::Timeout(PATIENCE))
        .require_same_user(true)
        .connect_sync()?;
    stream.set_recv_timeout(Some(PATIENCE))?;
    read("while it runs", files::recv(stream)?)
}

fn read(when: &str, mut file: File) -> io::Result<()> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    println!("The child gets a file {when}, and reads: {text}");
    Ok(())
}

/// A file that nobody else can open.
fn letter(number: u32, text: &str) -> io::Result<File> {
    let path = env::temp_dir().join(format!("interprocess-example-letter-{}-{number}", std::process::id()));
    let mut options = File::options();
    // Not one that somebody else has put there.
    options.read(true).write(true).create_new(true);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        // It goes with its last handle, and nobody can open it meanwhile.
        const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
        options.custom_flags(FILE_FLAG_DELETE_ON_CLOSE).share_mode(0);
    }
    let mut file = options.open(&path)?;
    #[cfg(unix)]
    std::fs::remove_file(&path)?;
    file.write_all(text.as_bytes())?;
    // The other process gets the same open file, with the position that it has here.
    file.rewind()?;
    Ok(file)
}

#[cfg(unix)]
mod files {
    use super::{Child, File, Read, Stream, Write, io};
    use interprocess::os::unix::udsocket::UdStream;
    use std::os::fd::AsFd;

    /// What the file goes along with; at least one byte is needed.
    const SUBJECT: &[u8; 8] = b"a letter";

    pub(crate) fn send(stream: Stream, file: &File, _to: &Child) -> io::Result<()> {
        // A local socket is one of the Unix domain.
        let mut stream = UdStream::from(stream);
        let sent = stream.send_with_fds(SUBJECT, &[file.as_fd()])?;
        // The file has gone with the first byte, and must not go again if there was no room for the last.
        stream.write_all(&SUBJECT[sent..])
    }

    pub(crate) fn recv(stream: Stream) -> io::Result<File> {
        let mut stream = UdStream::from(stream);
        let (mut subject, mut fds) = (*SUBJECT, Vec::new());
        let len = stream.recv_with_fds(&mut subject, &mut fds)?;
        stream.read_exact(&mut subject[len..])?;
        // They are ours now. Those that are not used are closed here.
        fds.pop().map(File::from).ok_or(io::ErrorKind::InvalidData.into())
    }
}

#[cfg(windows)]
mod files {
    use super::{Child, File, Read, Stream, Write, io};
    use interprocess::os::windows::ShareHandle;
    use std::os::windows::io::{AsHandle, FromRawHandle, RawHandle};

    pub(crate) fn send(mut stream: Stream, file: &File, to: &Child) -> io::Result<()> {
        let value = file.share(to.as_handle())?;
        stream
            .write_all(&(value as u64).to_le_bytes())
            .and_then(|()| stream.flush())
            // The other does not know of it, so nobody but us can close it.
            .inspect_err(|_| drop(file.take_back(to.as_handle(), value)))
    }

    pub(crate) fn recv(mut stream: Stream) -> io::Result<File> {
        let mut value = [0; 8];
        stream.read_exact(&mut value)?;
        // SAFETY: our parent has made the handle for us, tells us its value once, and is whom we are connected to: a server of our
        // user, which is as far as one can trust anybody who could do as he likes with this process anyway.
        Ok(unsafe { File::from_raw_handle(u64::from_le_bytes(value) as RawHandle) })
    }
}
