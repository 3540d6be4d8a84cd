//! An echo server on Tokio, with a task for each client, and some clients.
//!
//! ```text
//! cargo run --features tokio --example local_socket_tokio
//! ```

use interprocess::local_socket::tokio::{Listener, Stream};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main]
async fn main() -> io::Result<()> {
    let name = format!("@interprocess-example-{}", std::process::id());
    let listener = Listener::bind(&name)?;
    println!("Listening on {}", listener.name());
    let server = tokio::spawn(serve(listener));

    let clients: Vec<_> = (1..=3).map(|number| tokio::spawn(ask(name.clone(), number))).collect();
    for client in clients {
        println!("{}", client.await.expect("no client panics")?);
    }
    // Its name is free when this is done.
    server.abort();
    Ok(())
}

async fn serve(listener: Listener) -> io::Result<()> {
    loop {
        let client = listener.accept().await?;
        tokio::spawn(async move {
            // A shared stream can be read from and written to at the same time.
            if let Err(error) = tokio::io::copy(&mut &client, &mut &client).await {
                eprintln!("A client failed: {error}");
            }
        });
    }
}

async fn ask(name: String, number: u32) -> io::Result<String> {
    let mut stream = Stream::connect(&name).await?;
    let text = format!("Client {number} was here");
    stream.write_all(text.as_bytes()).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
