//! A daemon, and the command that talks to it: the first one starts it in the background, and the others find it there.
//!
//! ```text
//! cargo run --example daemon                     # starts one, asks it and stops it, to see it work
//! cargo run --example daemon start @counting     # and then, as often as you like:
//! cargo run --example daemon count @counting
//! cargo run --example daemon stop @counting
//! ```

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener, Stream},
};
use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::Duration,
};

/// How long either side waits for the other, at each step.
const PATIENCE: Duration = Duration::from_secs(30);
/// No command is longer. A client that sends no end of a line is not listened to any further.
const LONGEST_COMMAND: u64 = 64;

fn main() -> io::Result<()> {
    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => see_it_work(),
        ["start", name] => start(name).map(drop),
        ["serve", name] => serve(name),
        [command, name] => ask(name, command).map(|answer| print!("{answer}")),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "start, count or stop, and the NAME of a local socket",
        )),
    }
}

fn see_it_work() -> io::Result<()> {
    let name = format!("@interprocess-example-daemon-{}", std::process::id());
    let mut daemon = start(&name)?;
    for command in ["count", "count", "stop"] {
        print!("{command}: {}", ask(&name, command)?);
    }
    println!("The daemon has ended: {}", daemon.wait()?);
    Ok(())
}

/// Starts the daemon, and returns when it answers. If there is one already, that is the one that does.
fn start(name: &str) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    // Nothing of this terminal stays with it. A real one would have a file for what it logs.
    command.args(["serve", name]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    // Ctrl-C in this terminal is not meant for it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 8;
        std::os::windows::process::CommandExt::creation_flags(&mut command, DETACHED_PROCESS);
    }
    let daemon = command.spawn()?;
    print!("{}", ask(name, "hello")?);
    Ok(daemon)
}

/// The daemon itself: a thread for each client, until one says that it is to stop.
fn serve(name: &str) -> io::Result<()> {
    // If another daemon has the name, this is an error, and that one goes on. If one was killed, its name is taken over.
    let listener = &Listener::bind(name)?;
    let count = &AtomicU32::new(0);
    // The end of the scope waits for the clients that are being served.
    thread::scope(|scope| {
        for client in listener {
            match client {
                // What goes wrong with one client is no reason to leave the others.
                Ok(client) => drop(scope.spawn(move || answer(&client, listener, count))),
                // Such as too many open files, which passes.
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    });
    Ok(())
}

fn answer(mut client: &Stream, listener: &Listener, count: &AtomicU32) -> io::Result<()> {
    client.set_recv_timeout(Some(PATIENCE))?;
    client.set_send_timeout(Some(PATIENCE))?;
    let mut command = String::new();
    BufReader::new(client.take(LONGEST_COMMAND)).read_line(&mut command)?;
    match command.trim_end() {
        "hello" => writeln!(client, "process {} is at your service", std::process::id()),
        "count" => writeln!(client, "{}", count.fetch_add(1, Relaxed) + 1),
        "stop" => {
            // No more clients: `for client in listener` ends.
            listener.stop();
            writeln!(client, "good bye")
        }
        _ => writeln!(client, "hello, count or stop?"),
    }?;
    // The process may be about to end. What the system has by then, the client will still read.
    client.flush()
}

/// One question, one answer.
fn ask(name: &str, command: &str) -> io::Result<String> {
    let mut daemon = ConnectOptions::new()
        .name(name)
        // It may have been started just now.
        .wait_for_server(true)
        .wait_mode(ConnectWaitMode::Timeout(PATIENCE))
        // Somebody else's daemon is none of ours, whatever it is called.
        .require_same_user(true)
        .connect_sync()?;
    daemon.set_recv_timeout(Some(PATIENCE))?;
    daemon.set_send_timeout(Some(PATIENCE))?;
    writeln!(daemon, "{command}")?;
    let mut answer = String::new();
    daemon.read_to_string(&mut answer)?;
    Ok(answer)
}
