//! What server and clients say to each other.

use super::{PATIENCE, pattern::Pattern};
use crate::failure::Failure;
use interprocess::local_socket::Stream;
use std::{
    io::{self, Read, Write},
    time::Duration,
};

/// The size of a message that goes to and fro.
pub(crate) const PING_SIZE: usize = 64;
/// The size of a block that goes one way.
pub(crate) const BLOCK_SIZE: usize = 64 * 1024;

/// The message of that number: the number, then the pattern.
pub(crate) fn message(pattern: &Pattern, number: u64) -> [u8; PING_SIZE] {
    let mut message = [0; PING_SIZE];
    message.copy_from_slice(pattern.block(number, PING_SIZE));
    message[..8].copy_from_slice(&number.to_le_bytes());
    message
}

/// What the server tells a client to do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Send messages and wait for each to come back, for this long; then tell how long each took.
    Ping(Duration),
    /// Send that many blocks.
    Flood(u64),
    /// Connect that many times, with one message to and fro each time; then say that it is done.
    Connect(u64),
    /// Exit.
    Quit,
}

impl Command {
    const SIZE: usize = 9;

    fn encode(self) -> [u8; Self::SIZE] {
        let (code, number) = match self {
            Self::Ping(time) => (1, u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            Self::Flood(blocks) => (2, blocks),
            Self::Connect(times) => (3, times),
            Self::Quit => (4, 0),
        };
        let mut bytes = [code; Self::SIZE];
        bytes[1..].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    fn decode(bytes: [u8; Self::SIZE]) -> Option<Self> {
        let [code, number @ ..] = bytes;
        let number = u64::from_le_bytes(number);
        Some(match code {
            1 => Self::Ping(Duration::from_millis(number)),
            2 => Self::Flood(number),
            3 => Self::Connect(number),
            4 => Self::Quit,
            _ => return None,
        })
    }
}

/// A connection on which every wait ends.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: Stream,
    /// For messages: who it is.
    who: String,
}

impl Peer {
    pub(crate) fn new(stream: Stream, who: String) -> Result<Self, Failure> {
        let limited =
            stream.set_recv_timeout(Some(PATIENCE)).and_then(|()| stream.set_send_timeout(Some(PATIENCE)));
        limited.map_err(|error| Failure::io(&who, &error))?;
        Ok(Self { stream, who })
    }

    pub(crate) fn rename(&mut self, who: String) {
        self.who = who;
    }

    pub(crate) fn send(&self, data: &[u8]) -> Result<(), Failure> {
        (&self.stream).write_all(data).map_err(|error| self.failure("sending to", &error))
    }

    pub(crate) fn recv(&self, buf: &mut [u8]) -> Result<(), Failure> {
        (&self.stream).read_exact(buf).map_err(|error| self.failure("receiving from", &error))
    }

    pub(crate) fn send_number(&self, number: u64) -> Result<(), Failure> {
        self.send(&number.to_le_bytes())
    }

    pub(crate) fn recv_number(&self) -> Result<u64, Failure> {
        let mut bytes = [0; 8];
        self.recv(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn command(&self, command: Command) -> Result<(), Failure> {
        self.send(&command.encode())
    }

    /// The next command.
    ///
    /// While other clients have their turn, there is none for a long time: the wait ends when the server does.
    pub(crate) fn next_command(&self) -> Result<Command, Failure> {
        let mut bytes = [0; Command::SIZE];
        self.limit(None)?;
        self.recv(&mut bytes)?;
        self.limit(Some(PATIENCE))?;
        Command::decode(bytes)
            .ok_or_else(|| Failure::new(format!("{} sent a command that makes no sense", self.who)))
    }

    fn limit(&self, timeout: Option<Duration>) -> Result<(), Failure> {
        self.stream.set_recv_timeout(timeout).map_err(|error| self.failure("waiting for", &error))
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.stream.is_peer_gone().unwrap_or(true)
    }

    /// Receives what has to be `expected`.
    pub(crate) fn expect(&self, expected: &[u8], buf: &mut [u8]) -> Result<(), Failure> {
        let buf = &mut buf[..expected.len()];
        self.recv(buf)?;
        if buf != expected {
            return Err(Failure::new(format!("{}: what arrived is not what was sent", self.who)));
        }
        Ok(())
    }

    fn failure(&self, doing: &str, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                Failure::new(format!("{doing} {}: it has closed the connection too early", self.who))
            }
            _ => Failure::io(format_args!("{doing} {}", self.who), error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_survive_the_journey() {
        let second = Duration::from_secs(1);
        for command in [Command::Ping(second), Command::Flood(7), Command::Connect(u64::MAX), Command::Quit] {
            assert_eq!(Command::decode(command.encode()), Some(command));
        }
        assert_eq!(Command::decode([0; Command::SIZE]), None);
    }
}
