//! Messages instead of bytes, by a codec of `tokio_util`: lines here; `LengthDelimitedCodec` is for any bytes, and `tokio_serde` or a
//! codec of your own for whatever types. Async streams are all that a codec needs.
//!
//! ```sh
//! cargo run --example framed --features tokio
//! ```

use futures_lite::StreamExt;
use interprocess::local_socket::tokio::{Listener, Stream};
use std::io;
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

/// Hostile peers may not make us keep what never ends.
const LONGEST_LINE: usize = 4096;

async fn serve(client: Stream) -> Result<(), LinesCodecError> {
    // One half is read line by line, and the other written to.
    let (rh, mut sh) = client.split();
    let mut lines = FramedRead::new(rh, LinesCodec::new_with_max_length(LONGEST_LINE));
    while let Some(line) = lines.next().await {
        sh.write_all(format!("{}\n", line?.to_uppercase()).as_bytes()).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), LinesCodecError> {
    let name = format!("@interprocess-example-framed-{}", std::process::id());
    let mut clients = Listener::bind(&name)?.into_incoming();
    tokio::spawn(async move {
        while let Some(client) = clients.next().await {
            tokio::spawn(serve(client?));
        }
        io::Result::Ok(())
    });

    let client = Stream::connect(&*name).await?;
    let mut answers = FramedRead::new(&client, LinesCodec::new_with_max_length(LONGEST_LINE));
    for question in ["does it work", "and with grüße"] {
        (&client).write_all(format!("{question}\n").as_bytes()).await?;
        let answer = answers.next().await.ok_or(io::ErrorKind::UnexpectedEof).map_err(io::Error::from)??;
        println!("{question}: {answer}");
        assert_eq!(answer, question.to_uppercase());
    }
    Ok(())
}
