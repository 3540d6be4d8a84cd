//! Stopping what waits, from another thread: a server that accepts, and conversations in which nobody says anything.
//!
//! ```text
//! cargo run --example cancel
//! ```
//!
//! Async code just drops the future: `cancel_async`. How Ctrl-C comes to be the reason is in `signals`.

use interprocess::local_socket::{Listener, Stream};
use std::{
    io::{self, ErrorKind},
    net::Shutdown,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// How long it may take until somebody who waits finds that it is no use any more.
const SOON: Duration = Duration::from_millis(100);

struct Server {
    listener: Listener,
    is_stopped: AtomicBool,
    /// The same connections once more, for the thread that stops them.
    clients: Mutex<Vec<Stream>>,
}

impl Server {
    /// A thread for each client, until the server is stopped. Then all of them end.
    fn serve(&self) {
        thread::scope(|scope| {
            for client in self.listener.incoming().filter_map(Result::ok) {
                scope.spawn(move || match self.listen_to(&client) {
                    Ok(()) => println!("The conversation is over."),
                    Err(error) => println!("The conversation failed: {error}"),
                });
            }
            println!("No more clients.");
        });
    }

    fn listen_to(&self, client: &Stream) -> io::Result<()> {
        self.clients.lock().unwrap().push(client.try_clone()?);
        // Waking up from time to time to look around works everywhere, and is enough where nobody is in a hurry.
        client.set_recv_timeout(Some(SOON))?;
        let mut text = [0; 64];
        loop {
            match client.recv(&mut text) {
                Err(error) if error.kind() == ErrorKind::TimedOut && !self.is_stopped.load(SeqCst) => {}
                Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(()),
                Ok(0) => return Ok(()),
                Ok(len) => {
                    println!("A client says: {}", text[..len].escape_ascii());
                    client.send(b"hello yourself")?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn stop(&self) {
        self.is_stopped.store(true, SeqCst);
        // Accepting ends at once, here and in all threads that do it.
        self.listener.stop();
        // Receiving and sending end at once, too, where connections can be shut down: on Unix.
        for client in self.clients.lock().unwrap().drain(..) {
            match client.shutdown(Shutdown::Both) {
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    println!("Named pipes cannot be shut down: it ends within {SOON:?}.");
                }
                Err(error) => println!("The client is gone already: {error}"),
                Ok(()) => println!("The connection is shut down."),
            }
        }
    }
}

fn say_hello(name: &str) -> io::Result<Stream> {
    let client = Stream::connect(name)?;
    client.send(b"hello")?;
    client.recv(&mut [0; 64])?;
    Ok(client)
}

fn main() -> io::Result<()> {
    let name = format!("@interprocess-example-cancel-{}", std::process::id());
    let server = Server {
        listener: Listener::bind(&name)?,
        is_stopped: AtomicBool::new(false),
        clients: Mutex::default(),
    };
    thread::scope(|scope| {
        scope.spawn(|| server.serve());
        let client = say_hello(&name);
        // In the server, one thread accepts now, and one receives. The client says no more.
        server.stop();
        client.map(drop)
    })?;
    println!("Nobody waits any more.");
    Ok(())
}
