//! A server that asks the kernel who its clients are, and decides: by connection, and message by message. Unix only.
//!
//! ```text
//! cargo run --example credentials
//! ```

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    match std::env::args_os().nth(1) {
        None => unix::server(),
        Some(path) => unix::client(path.as_ref()),
    }
}

#[cfg(unix)]
mod unix {
    use interprocess::{
        TryClone,
        local_socket::{Access, PeerCreds},
        os::unix::{
            ancillary::{AncillaryData, AncillaryDataBuf},
            udsocket::{BindOptions, UdStream, UdStreamListener},
        },
    };
    use std::{
        env,
        fs::{self, DirBuilder},
        io::{self, Read, Write},
        os::{fd::OwnedFd, unix::fs::DirBuilderExt},
        path::Path,
        process::Command,
        time::Duration,
    };

    /// How long to wait for the other process.
    const PATIENCE: Duration = Duration::from_secs(30);
    /// Who may use the server, besides our user and root: the members of this group.
    const OPERATORS: u32 = 990;

    pub(crate) fn server() -> io::Result<()> {
        let dir = env::temp_dir().join(format!("interprocess-example-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&dir)?;
        let result = start_client_in(&dir);
        fs::remove_dir_all(&dir)?;
        result
    }

    fn start_client_in(dir: &Path) -> io::Result<()> {
        let socket = dir.join("socket");
        // Without this, `accept` lets our user and root in, and nobody else. Here, that is for `is_admitted` to say.
        let listener: UdStreamListener = BindOptions::new().access(Access::Everyone).bind(&socket)?;
        let mut client = Command::new(env::current_exe()?).arg(&socket).spawn()?;
        let result = listener.accept_timeout(PATIENCE).and_then(|stream| serve(&stream));
        if result.is_err() {
            client.kill()?;
        }
        client.wait()?;
        result
    }

    fn serve(mut stream: &UdStream) -> io::Result<()> {
        stream.set_recv_timeout(Some(PATIENCE))?;
        stream.set_send_timeout(Some(PATIENCE))?;
        let peer = stream.peer_creds()?;
        println!(
            "Process {:?} of user {:?} and group {:?} has connected",
            peer.pid(),
            peer.euid(),
            peer.egid()
        );
        #[cfg(any(target_os = "linux", target_os = "android"))]
        tell_more(stream);
        if !is_admitted(&peer) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }

        match stream.set_pass_credentials(true) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                println!("Who sends each message cannot be told: {error}");
            }
            result => result?,
        }
        // What was sent before that would come without them. So clients wait for this.
        stream.write_all(b"!")?;
        listen(stream, &peer)
    }

    /// Users and groups decide, never a process ID: the next process may have it.
    fn is_admitted(peer: &PeerCreds) -> bool {
        let is_operator =
            || peer.egid() == Some(OPERATORS) || peer.groups().is_some_and(|all| all.contains(&OPERATORS));
        peer.is_same_user() || peer.euid() == Some(0) || is_operator()
    }

    /// What there is on Linux, if the kernel is new enough and has a security module.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn tell_more(stream: &UdStream) {
        match stream.peer_label() {
            Ok(label) => println!("  its label: {}", label.escape_ascii()),
            Err(error) => println!("  no label: {error}"),
        }
        // It stays that process, whatever becomes of the ID: to wait for its end, or to send it a signal.
        match stream.peer_pidfd() {
            Ok(process) => println!("  a descriptor of the process: {process:?}"),
            Err(error) => println!("  no descriptor of the process: {error}"),
        }
    }

    /// Prints what comes, until the client leaves. Who has connected may have given the connection to others, so that each
    /// message is looked at. Messages of different senders do not come together.
    fn listen(stream: &UdStream, peer: &PeerCreds) -> io::Result<()> {
        let (mut text, mut ancillary) = ([0; 256], AncillaryDataBuf::new());
        loop {
            let (len, _) = stream.recv_ancillary(&mut text, &mut ancillary)?;
            if len == 0 {
                return Ok(());
            }
            for data in ancillary.decode() {
                if let AncillaryData::Credentials { pid, uid, gid } = data {
                    println!("From process {pid} of user {uid} and group {gid}:");
                    if Some(uid) != peer.euid() {
                        return Err(io::ErrorKind::PermissionDenied.into());
                    }
                }
                // Descriptors, which nobody has asked for, are closed here.
            }
            println!("  {}", text[..len].trim_ascii_end().escape_ascii());
        }
    }

    pub(crate) fn client(socket: &Path) -> io::Result<()> {
        let mut stream = UdStream::connect_timeout(socket, PATIENCE)?;
        stream.set_recv_timeout(Some(PATIENCE))?;
        // The end here is an error: we were not admitted.
        stream.read_exact(&mut [0; 1])?;
        stream.write_all(b"It is me.")?;
        let stdout = OwnedFd::from(stream.try_clone()?);
        Command::new("echo").arg("It is somebody else.").stdout(stdout).status()?;
        Ok(())
    }
}

#[cfg(not(unix))]
fn main() {
    println!("This example needs Unix. Elsewhere, PeerCreds tell who is at the other end of a local socket.");
}
