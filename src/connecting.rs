//! Whether and when to try again to connect: the rules, without the waiting.

use crate::{ConnectWaitMode, deadline::Deadline};
use std::{io, time::Duration};

/// How long one is ready to wait, attempt by attempt.
#[derive(Debug)]
pub(crate) struct Patience {
    deadline: Option<Deadline>,
    waits_for_server: bool,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(wait_mode: ConnectWaitMode, waits_for_server: bool) -> Self {
        let deadline = match wait_mode {
            ConnectWaitMode::Deferred => None,
            ConnectWaitMode::Timeout(timeout) => Some(Deadline::after(timeout)),
            ConnectWaitMode::Unbounded => Some(Deadline::NEVER),
        };
        Self { deadline, waits_for_server, pause: Duration::from_millis(1) }
    }

    /// When waiting ends; `None` if there is to be none.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// How long to wait until the next attempt; an error if there is to be none.
    pub(crate) fn pause_after(&mut self, error: io::Error) -> io::Result<Duration> {
        /// Short enough to be soon there, long enough to cost next to nothing.
        const LONGEST_PAUSE: Duration = Duration::from_millis(50);

        let is_worth_it = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => self.waits_for_server,
            io::ErrorKind::WouldBlock => true,
            _ => false,
        };
        let Some(deadline) = self.deadline.filter(|_| is_worth_it) else { return Err(error) };
        if deadline.has_passed() {
            let error = format!("not connected in time; the last attempt: {error}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, error));
        }
        let pause = deadline.remaining().map_or(self.pause, |left| left.min(self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(pause)
    }
}
