//! The server is another process.

use interprocess_examples_grpc::{OracleClient, Question, connect};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::timeout;
use tonic::{Code, transport::Channel};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Killed when it is dropped.
struct Server(Child);

impl Server {
    /// Listens when this returns.
    fn start(name: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_interprocess-examples-grpc"))
            .args(["serve", name])
            .stdout(Stdio::piped())
            .spawn()
            .expect("server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says so");
        assert!(line.contains("serving"), "{line}");
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn name(test: &str) -> String {
    format!("@interprocess-grpc-{}-{test}", std::process::id())
}

fn question(text: &str, times: u32) -> Question {
    Question { text: text.to_owned(), times }
}

async fn ask(oracle: &mut OracleClient<Channel>, text: &str) -> String {
    oracle.ask(question(text, 0)).await.expect("answer").into_inner().text
}

#[tokio::test]
async fn questions_are_answered_one_by_one_in_streams_and_side_by_side() {
    let name = name("questions");
    let _server = Server::start(&name);
    let all = async {
        let mut oracle = connect(&name).await.expect("connect");
        assert_eq!(ask(&mut oracle, "Will it rain?").await, "Will it rain? Who knows, friend.");
        let error = oracle.ask(question("", 0)).await.expect_err("none");
        assert_eq!(error.code(), Code::InvalidArgument);

        let mut answers = oracle.ask_again(question("Why?", 1000)).await.expect("answers").into_inner();
        for number in 1..=1000 {
            let answer = answers.message().await.expect("answer").expect("one more");
            assert_eq!(answer.text, format!("{number}: Why?"));
        }
        assert_eq!(answers.message().await.expect("the end"), None);

        // More than fits into one frame, and many at once over one connection.
        let long = "x".repeat(1 << 20);
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (mut oracle, text) = (oracle.clone(), format!("{number}{long}"));
                tokio::spawn(async move { assert!(ask(&mut oracle, &text).await.starts_with(&text)) })
            })
            .collect();
        for task in tasks {
            task.await.expect("task");
        }
    };
    timeout(LIMIT, all).await.expect("it hangs");
}

#[tokio::test]
async fn nobody_there_is_an_error_that_says_the_name() {
    let name = name("nobody");
    let error = timeout(LIMIT, connect(&name)).await.expect("it hangs").expect_err("nobody");
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&*error);
    while let Some(error) = cause {
        text += &error.to_string();
        cause = error.source();
    }
    assert!(text.contains(&name), "{text}");
}
