//! An application that runs once: who starts it again hands the arguments to the one that runs, and is done.
//!
//! ```text
//! cargo run --example single_instance                       # starts itself twice more, to see it work
//! cargo run --example single_instance @editor letter.txt    # until Ctrl-C; and then, in another terminal:
//! cargo run --example single_instance @editor poem.txt
//! ```
//!
//! On Linux and Windows, the namespace belongs to all users of the machine, so a real name has the user's in it, or is a path in a
//! folder of theirs. (If somebody else has taken it, this here fails and hands them nothing.)

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener, Stream},
};
use std::{
    env,
    io::{self, ErrorKind, Read, Write},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How long to wait for the other instance.
const PATIENCE: Duration = Duration::from_secs(30);
/// Arguments of more bytes than that are refused, and never kept room for.
const MOST: u32 = 64 * 1024;
/// What no argument contains.
const SEPARATOR: &str = "\0";

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let Some(name) = args.next() else { return see_it_work() };
    let args: Vec<_> = args.collect();
    match become_first(&name, &args)? {
        Some(listener) => be_first(&listener, &args, usize::MAX),
        None => println!("{args:?} go to the instance that runs already."),
    }
    Ok(())
}

/// Takes the name. `None`: another instance has it, and the arguments.
fn become_first(name: &str, args: &[String]) -> io::Result<Option<Listener>> {
    let start = Instant::now();
    loop {
        // Only one process gets it, and it is free again as soon as that one is gone, even if it was killed.
        match Listener::bind(name) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            result => return result.map(Some),
        }
        match hand_over(name, args) {
            // It has left in between. So it is our turn.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound
                        | ErrorKind::ConnectionRefused
                        | ErrorKind::BrokenPipe
                        | ErrorKind::UnexpectedEof
                ) && start.elapsed() < PATIENCE =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            result => return result.map(|()| None),
        }
    }
}

fn hand_over(name: &str, args: &[String]) -> io::Result<()> {
    let mut first = ConnectOptions::new()
        .name(name)
        .wait_mode(ConnectWaitMode::Timeout(PATIENCE))
        .require_same_user(true)
        .connect_sync()?;
    first.set_recv_timeout(Some(PATIENCE))?;
    first.set_send_timeout(Some(PATIENCE))?;
    // A stream has no messages. So the length comes first.
    let text = args.join(SEPARATOR);
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    first.write_all(&[&len.to_le_bytes(), text.as_bytes()].concat())?;
    // It has them, and not only its system, once it has said so.
    first.read_exact(&mut [0])
}

/// The application: what it opens itself, and what so many others are started with.
fn be_first(listener: &Listener, args: &[String], others: usize) {
    println!("Opening {args:?}");
    for other in listener.incoming().take(others) {
        match other.and_then(|other| take_over(&other)) {
            Ok(args) => println!("Opening {args:?}, as another instance was asked to"),
            Err(error) => eprintln!("Somebody was here in vain: {error}"),
        }
    }
}

fn take_over(mut other: &Stream) -> io::Result<Vec<String>> {
    other.set_recv_timeout(Some(PATIENCE))?;
    other.set_send_timeout(Some(PATIENCE))?;
    let mut len = [0; 4];
    other.read_exact(&mut len)?;
    let len = u32::from_le_bytes(len);
    if len > MOST {
        return Err(io::Error::new(ErrorKind::InvalidData, "more arguments than anybody has"));
    }
    let mut text = String::new();
    other.take(len.into()).read_to_string(&mut text)?;
    if text.len() < len as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    other.write_all(b"!")?;
    Ok(if text.is_empty() { Vec::new() } else { text.split(SEPARATOR).map(str::to_owned).collect() })
}

fn see_it_work() -> io::Result<()> {
    let name = format!("@interprocess-example-single-{}", std::process::id());
    let args = ["letter.txt".to_owned()];
    let listener = become_first(&name, &args)?.expect("nobody else has this name");
    let mut others = Vec::new();
    for args in [["poem.txt", "play.txt"], ["--line", "7"]] {
        others.push(Command::new(env::current_exe()?).arg(&name).args(args).spawn()?);
    }
    be_first(&listener, &args, others.len());
    for mut other in others {
        println!("The other instance has ended: {}", other.wait()?);
    }
    Ok(())
}
