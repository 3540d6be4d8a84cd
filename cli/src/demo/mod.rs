//! `ipc demo`: a server and several client processes exchange data, check it, and measure.
//!
//! This process is the server. It starts itself again as each client, with a hidden command. A client keeps one connection
//! for the whole time, on which the server tells it what to do next.

mod client;
mod pattern;
mod place;
mod protocol;
mod report;
mod server;

use crate::{
    args::{Demo, DemoClient},
    failure::Failure,
};
use place::Place;
use report::Report;
use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

/// How long one thing may take that takes no time worth mentioning if all is well.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(options: &Demo) -> Result<(), Failure> {
    let started = Instant::now();
    let plan = if options.quick { Plan::QUICK } else { Plan::USUAL };
    let clients = options.clients;

    let cpus = thread::available_parallelism().map_or(1, usize::from);
    tell(format_args!(
        "A local socket server and {clients} clients, each a process of its own ({cpus} CPUs)."
    ))?;
    tell("The server is this process. Every byte is compared with what it should be on arrival.")?;

    let mut report = Report::default();
    for kind in ["path", "namespaced"] {
        let place = if kind == "path" { Place::path() } else { Place::namespaced() }?;
        tell(format_args!("\n{kind} name: {}", place.name()))?;
        let figures = server::run(&place, clients, &plan)?;
        report.add(kind, figures);
    }

    tell(format_args!("\n{}", report.table(clients)))?;
    tell(format_args!("{} It took {:.1} s.", report.summary(), started.elapsed().as_secs_f64()))
}

pub(crate) fn client(options: &DemoClient) -> Result<(), Failure> {
    client::run(options)
}

/// Writes a line to stdout at once.
fn tell(line: impl std::fmt::Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(|error| Failure::stdout(&error))
}

/// How much to measure.
#[derive(Debug)]
struct Plan {
    /// How long each client sends messages to and fro.
    ping: Duration,
    /// How long data is to flow, about.
    flood: Duration,
    /// How long clients are to connect, about.
    connect: Duration,
}

impl Plan {
    const USUAL: Self = Self {
        ping: Duration::from_millis(250),
        flood: Duration::from_millis(600),
        connect: Duration::from_millis(600),
    };
    const QUICK: Self = Self {
        ping: Duration::from_millis(30),
        flood: Duration::from_millis(60),
        connect: Duration::from_millis(60),
    };
}
