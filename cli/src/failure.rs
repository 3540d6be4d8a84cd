//! What goes wrong, told to people (on stderr) and to scripts (by the exit code).

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

/// The exit code for what came too late.
const TIMED_OUT: u8 = 3;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads stdout any more: no reason to complain.
    StdoutClosed,
    /// All else.
    Error { code: u8, text: String, advice: Option<String> },
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::Error { code: 1, text: text.into(), advice: None }
    }

    pub(crate) fn timed_out(text: impl Into<String>) -> Self {
        Self::Error { code: TIMED_OUT, text: text.into(), advice: None }
    }

    /// `what` did not work because of `error`, whose kind decides on the exit code.
    pub(crate) fn io(what: impl Display, error: &io::Error) -> Self {
        let code = if error.kind() == io::ErrorKind::TimedOut { TIMED_OUT } else { 1 };
        Self::Error { code, text: format!("{what}: {error}"), advice: None }
    }

    /// Writing to stdout failed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::StdoutClosed,
            _ => Self::io("cannot write to stdout", error),
        }
    }

    /// Adds what the user can do about it.
    pub(crate) fn advise(mut self, with: Option<String>) -> Self {
        if let Self::Error { advice, .. } = &mut self {
            *advice = with;
        }
        self
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::StdoutClosed => ExitCode::SUCCESS,
            Self::Error { code, text, advice } => {
                say(text);
                if let Some(advice) = advice {
                    say(advice);
                }
                ExitCode::from(*code)
            }
        }
    }
}

/// Writes a line to stderr. If nobody takes it, nobody misses it.
pub(crate) fn say(line: impl Display) {
    // In one piece, so that it is not mixed with what other processes write.
    let _ = io::stderr().write_all(format!("ipc: {line}\n").as_bytes());
}
