//! Stopping what waits, in async code: a future is dropped, by `select!`, by `timeout`, with its task, and nothing is lost.
//!
//! ```text
//! cargo run --features tokio --example cancel_async
//! ```

use interprocess::local_socket::tokio::{Listener, Stream};
use std::{io, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    sync::watch,
    task::JoinSet,
    time::{error::Elapsed, sleep, timeout},
};

const SOON: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let name = format!("@interprocess-example-cancel-async-{}", std::process::id());
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(serve(Listener::bind(&name)?, stopped));

    let mut client = Stream::connect(&name).await?;
    // By then, the server has dropped futures that were receiving, more than once.
    sleep(SOON * 4).await;
    client.write_all(b"Here I am.").await?;
    let mut answer = [0; 32];
    let len = client.recv(&mut answer).await?;
    println!("The client hears: {}", answer[..len].escape_ascii());

    // In real life, when a signal comes: `signal::tokio::Signals` can be in a `select!` as well.
    stop.send(true).expect("the server is there");
    server.await.expect("no panic")?;
    println!("The client hears {} bytes: the end.", client.recv(&mut answer).await?);
    Ok(())
}

/// Serves until `stopped` says so. Then it ends, at once.
async fn serve(listener: Listener, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            // The branch that is not taken has lost no client.
            client = listener.accept() => drop(clients.spawn(listen_to(client?))),
            _ = stopped.wait_for(|stopped| *stopped) => break,
        }
    }
    println!("No more clients.");
    // Dropped tasks drop their streams, and so the clients get to the end of theirs.
    clients.shutdown().await;
    println!("The conversations are over.");
    Ok(())
}

async fn listen_to(mut client: Stream) -> io::Result<()> {
    let mut text = [0; 32];
    loop {
        match timeout(SOON, client.recv(&mut text)).await {
            // What comes a moment later is for the next `recv`.
            Err(Elapsed { .. }) => println!("Nothing for {SOON:?}."),
            Ok(received) => match received? {
                0 => return Ok(()),
                len => client.write_all(&text[..len]).await?,
            },
        }
    }
}
