//! A server and a client without Tokio, in one thread. Any executor will do; this one is `async_io::block_on`.
//!
//! ```text
//! cargo run --features smol --example local_socket_smol
//! ```

use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, future, io::BufReader};
use interprocess::local_socket::smol::{Listener, Stream};
use std::io;

fn main() -> io::Result<()> {
    async_io::block_on(async {
        let name = format!("@interprocess-example-{}", std::process::id());
        let listener = Listener::bind(&name)?;
        println!("Listening on {}", listener.name());
        future::try_zip(serve(listener), ask(&name)).await?;
        Ok(())
    })
}

/// Answers one client.
async fn serve(listener: Listener) -> io::Result<()> {
    let client = listener.accept().await?;
    // One reference reads, another writes.
    let mut lines = BufReader::new(&client);
    let mut line = String::new();
    lines.read_line(&mut line).await?;
    (&client).write_all(format!("You said: {line}").as_bytes()).await
}

async fn ask(name: &str) -> io::Result<()> {
    let mut stream = Stream::connect(name).await?;
    stream.write_all(b"Hello from the client\n").await?;
    let mut answer = String::new();
    // To the end of the stream, which is when the server drops it.
    stream.read_to_string(&mut answer).await?;
    print!("{answer}");
    Ok(())
}
