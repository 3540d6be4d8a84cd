//! A client that blocks, but never for longer than it wants to: it sends a line and prints the answer.
//!
//! ```text
//! cargo run --example local_socket_client                  # with a server of its own, to see it work
//! cargo run --example local_socket_client @echo "Hello"    # to the example local_socket_server
//! ```

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener},
};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    thread,
    time::Duration,
};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let Some(name) = args.next() else { return with_own_server() };
    ask(&name, &args.next().unwrap_or_else(|| "Hello".to_owned()))
}

fn ask(name: &str, text: &str) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(30);

    // The server may be starting at this moment.
    let stream = ConnectOptions::new()
        .name(name)
        .wait_for_server(true)
        .wait_mode(ConnectWaitMode::Timeout(PATIENCE))
        .connect_sync()?;
    stream.set_recv_timeout(Some(PATIENCE))?;
    stream.set_send_timeout(Some(PATIENCE))?;

    // Both through a reference: writing does not need the reader's permission.
    writeln!(&stream, "{text}")?;
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer)?;

    match stream.peer_pid() {
        Ok(pid) => print!("Process {pid} answers: {answer}"),
        Err(_) => print!("The answer: {answer}"),
    }
    Ok(())
}

fn with_own_server() -> io::Result<()> {
    let name = format!("@interprocess-example-{}", std::process::id());
    let its_name = name.clone();
    let server = thread::spawn(move || {
        let mut client = Listener::bind(its_name)?.accept()?;
        let mut line = String::new();
        BufReader::new(&client).read_line(&mut line)?;
        client.write_all(line.as_bytes())
    });
    ask(&name, "Hello, whoever you are")?;
    server.join().expect("the server does not panic")
}
