//! A limit for every wait: connecting, accepting, receiving, sending, being heard, and for all of a conversation together.
//!
//! ```text
//! cargo run --example timeouts
//! ```
//!
//! What did not come in time is `ErrorKind::TimedOut`, on every OS. Async code has the timeouts of its runtime: `cancel_async`.

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener, Stream},
    unnamed_pipe::pipe,
};
use std::{
    io::{self, ErrorKind},
    thread,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_millis(50);

fn main() -> io::Result<()> {
    let name = format!("@interprocess-example-timeouts-{}", std::process::id());

    // A server that may be starting is waited for, but not for ever.
    let to_connect =
        ConnectOptions::new().name(&*name).wait_for_server(true).wait_mode(ConnectWaitMode::Timeout(SOON));
    report("connecting", to_connect.connect_sync());

    let listener = Listener::bind(&name)?;
    report("accepting", listener.accept_timeout(SOON));

    let client = Stream::connect(&name)?;
    let _silent = listener.accept()?;
    // For each call, until it is set to something else; `None` is for ever.
    client.set_recv_timeout(Some(SOON))?;
    report("receiving", client.recv(&mut [0; 64]));

    // A peer that does not read: at some point nothing goes any more.
    client.set_send_timeout(Some(SOON))?;
    report("sending", (0..).try_for_each(|_| client.send(&[0; 4096]).map(drop)));

    // What was sent is with the system. Whether the peer has read it is another matter.
    report("being heard", client.drain(SOON));

    // One byte now and then is always in time for one call. So the whole needs a limit, too.
    let (client, server) = (Stream::connect(&name)?, listener.accept()?);
    thread::scope(|scope| {
        let dripping = scope.spawn(|| {
            // Until nobody listens any more.
            while server.send(b".").is_ok() {
                thread::sleep(SOON / 5);
            }
        });
        report("reading a line", read_line(&client, Instant::now() + SOON * 2));
        drop(client);
        dripping.join().expect("no panic");
    });

    // Ends of pipes are the same, and so are the answers of children that have them.
    let (_sender, recver) = pipe()?;
    recver.set_recv_timeout(Some(SOON))?;
    report("receiving from a pipe", recver.recv(&mut [0; 64]));
    Ok(())
}

/// Reads until the end of a line, all of which has to come before `deadline`.
fn read_line(stream: &Stream, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut buf = [0; 64];
    while !line.ends_with(b"\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        // Never zero: a timeout of that would let nothing through, and is refused.
        stream.set_recv_timeout(Some(left))?;
        match stream.recv(&mut buf)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            len => line.extend_from_slice(&buf[..len]),
        }
    }
    Ok(line)
}

/// Here, nothing comes in time.
fn report<T>(what: &str, result: io::Result<T>) {
    match result {
        Ok(_) => println!("{what}: done"),
        Err(error) if error.kind() == ErrorKind::TimedOut => println!("{what}: not in time"),
        Err(error) => println!("{what}: {error}"),
    }
}
