//! An echo server that blocks: a thread for each client, which gets back what it sends.
//!
//! ```text
//! cargo run --example local_socket_server          # with a client of its own, to see it work
//! cargo run --example local_socket_server @echo    # until Ctrl-C, for the example local_socket_client
//! ```

use interprocess::local_socket::{Listener, Stream};
use std::{
    env,
    io::{self, Read, Write},
    thread,
    time::Duration,
};

fn main() -> io::Result<()> {
    // Without an argument, a name that only this process uses.
    let own_name = format!("@interprocess-example-{}", std::process::id());
    let name = env::args().nth(1);
    let listener = Listener::bind(name.as_ref().unwrap_or(&own_name))?;
    println!("Listening on {}", listener.name());

    if name.is_some() {
        serve(&listener);
        return Ok(());
    }
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener));
        let result = try_it(&own_name);
        // Whatever came of it: without this, the server would wait for ever.
        listener.stop();
        result
    })
}

/// Serves until somebody stops the listener.
fn serve(listener: &Listener) {
    for client in listener {
        match client {
            Ok(client) => {
                thread::spawn(move || {
                    if let Err(error) = echo(&client) {
                        eprintln!("A client failed: {error}");
                    }
                });
            }
            // Such as too many open files. That passes.
            Err(error) => {
                eprintln!("{error}");
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// `&Stream` can be read from and written to.
fn echo(client: &Stream) -> io::Result<()> {
    io::copy(&mut &*client, &mut &*client)?;
    Ok(())
}

fn try_it(name: &str) -> io::Result<()> {
    let mut stream = Stream::connect(name)?;
    stream.write_all(b"Is anybody there?")?;
    let mut answer = [0; 17];
    stream.read_exact(&mut answer)?;
    println!("The answer: {}", String::from_utf8_lossy(&answer));
    Ok(())
}
