//! A server that ends well: when it is asked to, by Ctrl-C or otherwise, it finishes what it has begun, and then goes.
//!
//! ```text
//! cargo run --example signals       # press Ctrl-C; or on Unix: kill PID
//! cargo run --example signals once  # ends by itself after a moment
//! ```

use interprocess::{
    local_socket::{Listener, Stream},
    signal::{Signal, Signals},
};
use std::{
    io::{self, Read, Write},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
};

static SERVED: AtomicU32 = AtomicU32::new(0);

fn serve(mut client: Stream) -> io::Result<()> {
    let mut question = [0; 64];
    let len = client.read(&mut question)?;
    client.write_all(&question[..len])?;
    SERVED.fetch_add(1, SeqCst);
    Ok(())
}

fn main() -> io::Result<()> {
    // First of all: from here on, no signal ends us in the middle of something.
    let signals = Signals::catch(Signal::TERMINATION)?;

    let name = format!("@interprocess-example-signals-{}", std::process::id());
    let listener = Listener::bind(name.as_str())?;
    println!("Process {} serves {name}.", std::process::id());

    if std::env::args().nth(1).as_deref() == Some("once") {
        let mut client = Stream::connect(name.as_str())?;
        let stopper = signals.stopper();
        thread::spawn(move || {
            let _ = client.write_all(b"Hello!").and_then(|()| client.read(&mut [0; 64]));
            stopper.stop();
        });
    }

    thread::scope(|scope| {
        scope.spawn(|| {
            for client in listener.incoming() {
                match client.and_then(serve) {
                    Ok(()) => {}
                    Err(error) => eprintln!("A client: {error}"),
                }
            }
        });
        match signals.iter().next() {
            Some(received) => println!("{received}: no more clients."),
            None => println!("Enough: no more clients."),
        }
        // The thread above finishes the client that it has, and ends.
        listener.stop();
    });
    println!("{} clients were served.", SERVED.load(SeqCst));
    Ok(())
}
