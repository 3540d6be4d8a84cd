//! Messages through a named pipe of Windows, and a question with its answer in one system call.
//!
//! ```sh
//! cargo run --example named_pipe_messages
//! ```

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    use interprocess::os::windows::named_pipe::{
        DuplexPipeStream, PipeListener, PipeListenerOptions, pipe_mode::Messages,
    };
    use std::thread;

    /// Answers each message of each client with what it says backwards.
    fn serve(listener: &PipeListener<Messages, Messages>) -> std::io::Result<()> {
        let mut msg = Vec::new();
        for client in listener {
            let client = client?;
            println!("server: {} is here", client.peer_creds()?.sid());
            while client.recv_msg(&mut msg)?.is_some() {
                msg.reverse();
                client.send(&msg)?;
            }
        }
        Ok(())
    }

    let name = format!("interprocess-example-{}", std::process::id());
    let listener = PipeListenerOptions::new().name(&name).create_duplex::<Messages>()?;
    thread::scope(|scope| {
        let server = scope.spawn(|| serve(&listener));

        let client = DuplexPipeStream::<Messages>::connect(&name)?;
        let mut answer = Vec::with_capacity(64);
        for question in ["stressed", "", "drawer"] {
            client.transact(question.as_bytes(), &mut answer)?;
            println!("client: {question:?} -> {:?}", String::from_utf8_lossy(&answer));
        }

        drop(client);
        listener.stop();
        server.join().unwrap()
    })
}

#[cfg(not(windows))]
fn main() {
    println!("Named pipes are a matter of Windows.");
}
