//! gRPC between two processes:
//!
//! ```sh
//! cargo run -p interprocess-examples-grpc -- serve @oracle &
//! cargo run -p interprocess-examples-grpc -- ask @oracle 'Will it rain?'
//! ```

use interprocess::local_socket::tokio::Listener;
use interprocess_examples_grpc::{Question, connect, serve};
use std::{env, error::Error};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", name] => {
            let listener = Listener::bind(*name)?;
            println!("serving {}", listener.name());
            serve(listener).await?;
        }
        ["ask", name, text] => {
            let mut oracle = connect(*name).await?;
            let question = Question { text: (*text).to_owned(), times: 2 };
            println!("{}", oracle.ask(question.clone()).await?.into_inner().text);
            let mut answers = oracle.ask_again(question).await?.into_inner();
            while let Some(answer) = answers.message().await? {
                println!("{}", answer.text);
            }
        }
        _ => return Err("usage: interprocess-examples-grpc serve NAME | ask NAME QUESTION".into()),
    }
    Ok(())
}
