//! A parent and its child, question and answer, over two pipes that only the child is given.
//!
//! ```sh
//! cargo run --example parent_child
//! ```

use interprocess::{
    child::{Give, inherited},
    unnamed_pipe::{Recver, Sender, pipe},
};
use std::{
    env,
    error::Error,
    io::{BufRead, BufReader, Write},
    process::Command,
    time::Duration,
};

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("child") => child(),
        _ => parent(),
    }
}

fn parent() -> Result<(), Box<dyn Error>> {
    let (mut questions, theirs) = pipe()?;
    let (answering, answers) = pipe()?;
    // Given by value, so that the answers end when the child does.
    let mut child = Command::new(env::current_exe()?)
        .arg("child")
        .give("questions", theirs)
        .give("answers", answering)
        .spawn()?;

    answers.set_recv_timeout(Some(Duration::from_secs(30)))?;
    let mut answers = BufReader::new(answers);
    for question in ["2 + 3", "6 * 7", "1 / 0"] {
        writeln!(questions, "{question}")?;
        let mut answer = String::new();
        if answers.read_line(&mut answer)? == 0 {
            return Err("the child has left without an answer".into());
        }
        println!("{question} = {}", answer.trim_end());
    }
    // No more questions.
    drop(questions);
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the child ended with {status}").into()) }
}

fn child() -> Result<(), Box<dyn Error>> {
    let questions: Recver = inherited("questions")?;
    let mut answers: Sender = inherited("answers")?;
    for question in BufReader::new(questions).lines() {
        match calculate(&question?) {
            Some(result) => writeln!(answers, "{result}")?,
            None => writeln!(answers, "?")?,
        }
    }
    Ok(())
}

fn calculate(question: &str) -> Option<i64> {
    let mut words = question.split_whitespace();
    let (left, operator, right) = (words.next()?, words.next()?, words.next()?);
    let (left, right): (i64, i64) = (left.parse().ok()?, right.parse().ok()?);
    match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        _ => None,
    }
}
