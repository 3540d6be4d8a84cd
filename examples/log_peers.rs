//! Writing down who was there: the process, the user, and the program, where the system tells it.
//!
//! ```text
//! cargo run --example log_peers
//! ```
//!
//! All of it is for logs. Who may be served is decided by the user alone, as in `access`: by the time that one looks at a process, it
//! may have ended, and its number may be that of another.

use interprocess::local_socket::{Listener, PeerCreds, Stream};
use std::{
    env,
    fmt::Write,
    io::{self, Read},
    process::Command,
    time::Duration,
};

/// How long to wait for the other process.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    match env::args().nth(1) {
        None => server(),
        Some(name) => client(&name),
    }
}

fn server() -> io::Result<()> {
    let name = format!("@interprocess-example-log-{}", std::process::id());
    let listener = Listener::bind(&name)?;
    let mut client = Command::new(env::current_exe()?).arg(&name).spawn()?;
    let stream = listener.accept_timeout(PATIENCE);
    if stream.is_err() {
        client.kill()?;
    }
    println!("connected: {}", describe(&stream?.peer_creds()?));
    // Here the stream is dropped, for which the client waits.
    client.wait().map(drop)
}

fn client(name: &str) -> io::Result<()> {
    let mut stream = Stream::connect(name)?;
    stream.set_recv_timeout(Some(PATIENCE))?;
    // A client can ask as well.
    println!("served by: {}", describe(&stream.peer_creds()?));
    stream.read_to_end(&mut Vec::new()).map(drop)
}

/// A line for the log.
fn describe(peer: &PeerCreds) -> String {
    let mut line = user(peer);
    let Some(pid) = peer.pid() else { return line };
    let _ = write!(line, " process={pid}");
    if let Some(program) = program(pid) {
        // Whoever is there chooses the name. It must not look like further lines.
        let _ = write!(line, " program={program:?}");
    }
    line
}

#[cfg(unix)]
fn user(peer: &PeerCreds) -> String {
    let number = |id: Option<u32>| id.map_or("unknown".to_owned(), |id| id.to_string());
    format!("user={} group={}", number(peer.euid()), number(peer.egid()))
}

#[cfg(windows)]
fn user(peer: &PeerCreds) -> String {
    // SIDs, like the numbers of Unix, stay when users get other names.
    let session = peer.session().map_or("unknown".to_owned(), |session| session.to_string());
    format!("user={} session={session}", peer.sid())
}

/// Linux tells every process's name, and NetBSD where `/proc` is mounted. (`StreamExt::peer_pidfd` can tell whether it is still that
/// process.)
#[cfg(unix)]
fn program(pid: i32) -> Option<String> {
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
}

/// Windows tells the path of the program, of processes that we may look at. For this, a program needs `windows-sys`, with the features
/// `Win32_Foundation` and `Win32_System_Threading`.
#[cfg(windows)]
fn program(pid: u32) -> Option<String> {
    use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
    use windows_sys::Win32::System::Threading::{
        OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
    };

    // SAFETY: a plain system call on numbers.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if process.is_null() {
        return None;
    }
    // SAFETY: OpenProcess has just made it for us.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    let mut path = [0; 1024];
    let mut len = 1024;
    // SAFETY: `process` is open, and there is room for as many units as `len` says.
    let is_known = unsafe {
        QueryFullProcessImageNameW(
            process.as_raw_handle(),
            PROCESS_NAME_WIN32,
            path.as_mut_ptr(),
            &raw mut len,
        )
    };
    let path = String::from_utf16_lossy(&path[..len as usize]);
    (is_known != 0).then(|| path.rsplit('\\').next().unwrap_or_default().to_owned())
}
