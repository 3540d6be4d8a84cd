//! Three processes in a row, as by `numbers | squares | sum`, through pipes that have no names.
//!
//! ```sh
//! cargo run --example pipeline
//! ```

use interprocess::{
    child::{Give, inherited},
    unnamed_pipe::{Recver, Sender, pipe},
};
use std::{
    env,
    error::Error,
    io::{self, BufRead, BufReader, BufWriter, Write},
    process::Command,
};

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("numbers") => numbers(),
        Some("squares") => squares(),
        Some("sum") => sum(),
        _ => pipeline(),
    }
}

fn pipeline() -> Result<(), Box<dyn Error>> {
    let program = env::current_exe()?;
    let (first_out, second_in) = pipe()?;
    let (second_out, third_in) = pipe()?;
    let (third_out, result) = pipe()?;

    // Each end goes to one child and is closed here, so that every stage ends when the one before it has.
    let numbers = Command::new(&program).arg("numbers").give("output", first_out).spawn()?;
    let squares =
        Command::new(&program).arg("squares").give("input", second_in).give("output", second_out).spawn()?;
    let sum = Command::new(&program).arg("sum").give("input", third_in).give("output", third_out).spawn()?;

    println!("the sum of the squares of 1 to 1000 is {}", io::read_to_string(result)?.trim_end());
    for mut child in [numbers, squares, sum] {
        let status = child.wait()?;
        if !status.success() {
            return Err(format!("a stage ended with {status}").into());
        }
    }
    Ok(())
}

fn input() -> io::Result<BufReader<Recver>> {
    inherited("input").map(BufReader::new)
}

fn output() -> io::Result<BufWriter<Sender>> {
    inherited("output").map(BufWriter::new)
}

fn numbers() -> Result<(), Box<dyn Error>> {
    let mut output = output()?;
    for number in 1..=1000 {
        writeln!(output, "{number}")?;
    }
    Ok(output.flush()?)
}

fn squares() -> Result<(), Box<dyn Error>> {
    let mut output = output()?;
    for line in input()?.lines() {
        let number: u64 = line?.parse()?;
        writeln!(output, "{}", number * number)?;
    }
    Ok(output.flush()?)
}

fn sum() -> Result<(), Box<dyn Error>> {
    let mut sum = 0;
    for line in input()?.lines() {
        sum += line?.parse::<u64>()?;
    }
    let mut output = output()?;
    writeln!(output, "{sum}")?;
    Ok(output.flush()?)
}
