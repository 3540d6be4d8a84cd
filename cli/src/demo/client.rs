//! A client of the demonstration.

use super::{
    PATIENCE,
    pattern::Pattern,
    place,
    protocol::{BLOCK_SIZE, Command, PING_SIZE, Peer, message},
};
use crate::{args::DemoClient, failure::Failure};
use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Name},
};
use std::time::{Duration, Instant};

pub(crate) fn run(options: &DemoClient) -> Result<(), Failure> {
    work(options).map_err(|failure| match failure {
        Failure::Error { code, text, advice } => {
            Failure::Error { code, text: format!("client {}: {text}", options.index + 1), advice }
        }
        closed @ Failure::StdoutClosed => closed,
    })
}

fn work(options: &DemoClient) -> Result<(), Failure> {
    let server = connect(&options.name)?;
    let result = obey(&server, options);
    if result.is_err() && server.is_gone() {
        place::tidy_up(&options.name, options.remove.as_deref());
    }
    result
}

/// Does what the server says until it says that it is enough.
fn obey(server: &Peer, options: &DemoClient) -> Result<(), Failure> {
    server.send_number(options.index.into())?;
    let pattern = Pattern::new(options.index);
    loop {
        match server.next_command()? {
            Command::Ping(time) => ping(server, &pattern, time)?,
            Command::Flood(blocks) => {
                for number in 0..blocks {
                    server.send(pattern.block(number, BLOCK_SIZE))?;
                }
            }
            Command::Connect(times) => {
                let message = message(&pattern, u64::from(options.index) + 1);
                for _ in 0..times {
                    let connection = connect(&options.name)?;
                    connection.send(&message)?;
                    connection.expect(&message, &mut [0; PING_SIZE])?;
                }
                server.send_number(times)?;
            }
            Command::Quit => return Ok(()),
        }
    }
}

fn connect(name: &Name<'_>) -> Result<Peer, Failure> {
    let stream = ConnectOptions::new()
        .name(name)
        .wait_mode(ConnectWaitMode::Timeout(PATIENCE))
        // Where clients beyond the backlog are refused rather than made to wait.
        .wait_for_server(true)
        .connect_sync()
        .map_err(|error| Failure::io("cannot connect", &error))?;
    Peer::new(stream, "the server".to_owned())
}

/// Sends messages to and fro for some time, says how many there were, and how many nanoseconds each took.
fn ping(server: &Peer, pattern: &Pattern, time: Duration) -> Result<(), Failure> {
    let started = Instant::now();
    let mut buf = [0; PING_SIZE];
    let mut times = Vec::new();
    while started.elapsed() < time {
        // 0 is the end.
        let message = message(pattern, times.len() as u64 + 1);
        let sent_at = Instant::now();
        server.send(&message)?;
        server.recv(&mut buf)?;
        times.push(u64::try_from(sent_at.elapsed().as_nanos()).unwrap_or(u64::MAX));
        if buf != message {
            return Err(Failure::new("a message did not come back as it was sent"));
        }
    }
    server.send(&message(pattern, 0))?;
    server.send_number(times.len() as u64)?;
    let times: Vec<u8> = times.into_iter().flat_map(u64::to_le_bytes).collect();
    server.send(&times)
}
