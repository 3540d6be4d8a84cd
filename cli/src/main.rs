//! `ipc`: local sockets from the command line.

mod args;
mod demo;
mod failure;
mod feed;
mod netcat;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match args::Args::parse().command {
        args::Command::Listen(options) => netcat::listen(&options),
        args::Command::Connect(options) => netcat::connect(&options),
        args::Command::Demo(options) => demo::run(&options),
        args::Command::DemoClient(options) => demo::client(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
