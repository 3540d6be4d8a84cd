//! A service and its users: who may connect to it, by the system's permissions and by a decision of its own.
//!
//! ```text
//! cargo run --example access
//! ```
//!
//! `credentials` goes further into the credentials of Unix, and `log_peers` writes down who was there.

use interprocess::{
    ConnectWaitMode,
    local_socket::{Access, ConnectOptions, Listener, ListenerOptions, PeerCreds},
};
use std::{
    env,
    io::{self, ErrorKind, Read, Write},
    process::Command,
    thread,
    time::Duration,
};

/// How long to wait for the other process.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    if let Some(name) = env::args().nth(1) {
        return client(&name);
    }
    let options = || {
        let name = format!("@interprocess-example-access-{}", std::process::id());
        ListenerOptions::new().name(name)
    };

    println!("Our own user, root and administrators, if nothing else is said:");
    visit(&options().create_sync()?)?;

    println!("The members of our group, too:");
    visit(&options().access(Access::Group).create_sync()?)?;

    println!("Whom the permissions of the name admit:");
    visit(&by_permissions()?)?;

    println!(
        "Everybody may come to the door, and the service decides whom it serves: us, and a list of users."
    );
    let policy = |peer: &PeerCreds| peer.is_same_user() || is_listed(peer);
    visit(&options().access(Access::Everyone).accept_policy(policy).create_sync()?)?;

    println!("The list alone, which we are not on:");
    visit(&options().access(Access::Everyone).accept_policy(is_listed).create_sync()?)
}

/// Serves until the client, a process of our own user, has been there.
fn visit(listener: &Listener) -> io::Result<()> {
    let name = listener.name().to_string();
    thread::scope(|scope| {
        // Whoever is not admitted never gets as far as this.
        scope.spawn(|| {
            for client in listener {
                let served = client.and_then(|client| {
                    client.set_send_timeout(Some(PATIENCE))?;
                    (&client).write_all(b"come in")
                });
                if let Err(error) = served {
                    eprintln!("A client: {error}");
                }
            }
        });
        let visited = Command::new(env::current_exe()?).arg(&name).status();
        listener.stop();
        visited.map(drop)
    })
}

fn client(name: &str) -> io::Result<()> {
    // A service that others use runs as another user than they, but hardly as just anybody.
    let mut stream = ConnectOptions::new()
        .name(name)
        .wait_mode(ConnectWaitMode::Timeout(PATIENCE))
        .require_same_user(true) // or an administrator
        .connect_sync()?;
    stream.set_recv_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        // Those whom the service does not want are dropped without a word.
        Ok(0) => println!("  The client is turned away."),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => println!("  The client is turned away."),
        result => result.map(|_| println!("  The client is told: {text}"))?,
    }
    Ok(())
}

/// A socket file has a mode. It is in force before anybody can connect, whatever the `umask`.
#[cfg(unix)]
fn by_permissions() -> io::Result<Listener> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt;

    // A real one is in a folder like /run/NAME, which nobody else can write to and whose group the users are in.
    let path = env::temp_dir().join(format!("interprocess-example-access-{}", std::process::id()));
    ListenerOptions::new().name(path).mode(0o660).create_sync()
}

/// A named pipe has a security descriptor.
#[cfg(windows)]
fn by_permissions() -> io::Result<Listener> {
    use interprocess::os::windows::{
        local_socket::ListenerOptionsExt,
        security_descriptor::{Ace, Acl, Control, SecurityDescriptor, Sid},
    };

    // Whoever has logged in may connect, read and write. It is only us who may add instances, and so serve.
    // As text, that is "O:…D:P(A;;FA;;;…)(A;;0x12019b;;;AU)".
    let mut descriptor = SecurityDescriptor::default();
    // Whom clients look at that ask whose pipe it is.
    descriptor.set_owner_sid(Sid::current_user()?);
    descriptor.set_dacl_list(Acl::from_aces([
        Ace::allow(Sid::current_user()?, Ace::FULL_ACCESS),
        Ace::allow(Sid::AUTHENTICATED_USERS, Ace::READ_AND_WRITE),
    ])?);
    descriptor.set_control_flags(Control::DACL_PROTECTED, true);
    let name = format!("@interprocess-example-access-{}", std::process::id());
    ListenerOptions::new().name(name).security_descriptor(descriptor).create_sync()
}

/// Users whom the service knows, as a file of settings might say. Decide on users, never on process IDs: the next process may have it.
#[cfg(unix)]
fn is_listed(peer: &PeerCreds) -> bool {
    const USERS: [u32; 2] = [990, 991];
    peer.euid().is_some_and(|user| USERS.contains(&user))
}

/// Users whom the service knows, as a file of settings might say. Decide on users, never on process IDs: the next process may have it.
#[cfg(windows)]
fn is_listed(peer: &PeerCreds) -> bool {
    const USERS: [&str; 1] = ["S-1-5-21-1085031214-1563985344-725345543-1001"];
    USERS.contains(&peer.sid())
}
