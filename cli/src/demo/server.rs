//! The server of the demonstration, and the processes that it starts.

use super::{
    PATIENCE, Plan,
    pattern::Pattern,
    place::Place,
    protocol::{BLOCK_SIZE, Command, PING_SIZE, Peer, message},
    report::{Figures, group_digits},
    tell,
};
use crate::failure::Failure;
use interprocess::local_socket::Listener;
use std::{
    env, io,
    process::{Child, Command as Process, Stdio},
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

/// How often to look whether a client has ended.
const SLICE: Duration = Duration::from_millis(100);

/// Serves that many clients at that place, and measures.
pub(crate) fn run(place: &Place, clients: u32, plan: &Plan) -> Result<Figures, Failure> {
    let listener = Listener::bind(place.name()).map_err(|error| Failure::io("cannot listen", &error))?;
    let mut children = Children::start(place, clients)?;
    let mut peers: Peers = children.0.iter().map(|_| None).collect();
    let figures = welcome(&listener, &mut children, &mut peers)
        .and_then(|()| serve(&listener, &children, &peers, plan))
        .map_err(|failure| children.blame(failure))?;
    children.wait()?;
    Ok(figures)
}

/// Connections to the clients, in their order, as far as they have connected.
type Peers = Vec<Option<Peer>>;

/// Waits until all clients have connected and said who they are.
fn welcome(listener: &Listener, children: &mut Children, peers: &mut Peers) -> Result<(), Failure> {
    let started = Instant::now();
    while peers.iter().any(Option::is_none) {
        let stream = match listener.accept_timeout(SLICE) {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::TimedOut && started.elapsed() < PATIENCE => {
                match children.first_ended() {
                    Some(_) => return Err(Failure::new("not all clients have connected")),
                    None => continue,
                }
            }
            Err(error) => return Err(Failure::io("waiting for the clients", &error)),
        };
        let mut peer = Peer::new(stream, "a client".to_owned())?;
        let index = peer.recv_number()?;
        let place = usize::try_from(index).ok().and_then(|index| peers.get_mut(index));
        let place = place.filter(|place| place.is_none());
        let place = place.ok_or_else(|| Failure::new("a client connected that was not started here"))?;
        peer.rename(format!("client {}", index + 1));
        *place = Some(peer);
    }
    Ok(())
}

/// Tells the clients what to do, measures, and lets them go.
fn serve(listener: &Listener, children: &Children, peers: &Peers, plan: &Plan) -> Result<Figures, Failure> {
    let pids: Vec<_> = children.0.iter().map(|child| child.id().to_string()).collect();
    tell(format_args!("  connected    the clients are processes {}", pids.join(", ")))?;

    let peers: Vec<_> = peers.iter().flatten().collect();
    let server = Server { listener, patterns: (0..).take(peers.len()).map(Pattern::new).collect(), peers };
    let figures = server.measure(plan)?;
    for peer in &server.peers {
        peer.command(Command::Quit)?;
    }
    Ok(figures)
}

/// Everything that is needed to serve.
#[derive(Debug)]
struct Server<'a> {
    listener: &'a Listener,
    /// The connections that commands go through.
    peers: Vec<&'a Peer>,
    /// What each of the clients sends.
    patterns: Vec<Pattern>,
}

impl Server<'_> {
    fn measure(&self, plan: &Plan) -> Result<Figures, Failure> {
        let clients = self.peers.len();

        let mut round_trips = Vec::new();
        for client in 0..clients {
            round_trips.extend(self.ping(client, plan.ping)?);
        }
        let count = group_digits(round_trips.len() as u64);
        tell(format_args!("  to and fro   {count} messages of {PING_SIZE} B, one client at a time"))?;

        // A first, short run tells how much it takes to last as long as it should; and everything is warm.
        let trial = 64;
        let rate = self.flood(&self.peers[..1], trial)?;
        let blocks = per_second(trial, rate, plan.flood).max(trial);
        let alone = self.flood(&self.peers[..1], blocks)?;
        tell(format_args!("  one way      {} blocks of 64 KiB, by one client", group_digits(blocks)))?;

        let each = (blocks / clients as u64).max(16);
        let together = self.flood(&self.peers, each)?;
        let all = each * clients as u64;
        tell(format_args!("  one way      {} blocks of 64 KiB, by all clients at once", group_digits(all)))?;

        let trial = 16;
        let rate = self.connect(trial)?;
        let times = per_second(trial, rate, plan.connect).max(trial);
        let connecting = self.connect(times)?;
        let connections = times * clients as u64;
        tell(format_args!("  connecting   {} times, by all clients at once", group_digits(connections)))?;

        let block = BLOCK_SIZE as u64;
        Ok(Figures::new(
            round_trips,
            (blocks * block, alone),
            (all * block, together),
            (connections, connecting),
        ))
    }

    /// A client sends messages, which we send back. How long each took, there and back.
    fn ping(&self, client: usize, time: Duration) -> Result<Vec<Duration>, Failure> {
        /// More than anyone can do in the time.
        const MOST: u64 = 10_000_000;

        let (peer, pattern) = (self.peers[client], &self.patterns[client]);
        peer.command(Command::Ping(time))?;
        let mut buf = [0; PING_SIZE];
        let mut number = 0;
        loop {
            peer.recv(&mut buf)?;
            if buf == message(pattern, 0) {
                break;
            }
            number += 1;
            if buf != message(pattern, number) {
                return Err(Failure::new(format!("client {}: a message is not what was sent", client + 1)));
            }
            peer.send(&buf)?;
        }
        if peer.recv_number()? != number || number > MOST {
            return Err(Failure::new(format!("client {} has lost count of its messages", client + 1)));
        }
        let mut times = vec![[0; 8]; usize::try_from(number).unwrap_or(0)];
        peer.recv(times.as_flattened_mut())?;
        Ok(times.into_iter().map(|time| Duration::from_nanos(u64::from_le_bytes(time))).collect())
    }

    /// These clients send that many blocks each, all at the same time. How long it takes.
    fn flood(&self, peers: &[&Peer], blocks: u64) -> Result<Duration, Failure> {
        let started = Instant::now();
        thread::scope(|scope| {
            let receivers: Vec<_> = peers
                .iter()
                .zip(&self.patterns)
                .map(|(peer, pattern)| {
                    scope.spawn(move || {
                        peer.command(Command::Flood(blocks))?;
                        let mut buf = vec![0; BLOCK_SIZE];
                        (0..blocks)
                            .try_for_each(|number| peer.expect(pattern.block(number, BLOCK_SIZE), &mut buf))
                    })
                })
                .collect();
            receivers.into_iter().try_for_each(join)
        })?;
        Ok(started.elapsed())
    }

    /// All clients connect that many times, all at the same time. How long it takes.
    fn connect(&self, times: u64) -> Result<Duration, Failure> {
        let started = Instant::now();
        let expected = times * self.peers.len() as u64;
        let taken = AtomicU64::new(0);
        let is_hopeless = AtomicBool::new(false);
        thread::scope(|scope| {
            let acceptors: Vec<_> = self
                .peers
                .iter()
                .map(|_| {
                    scope.spawn(|| {
                        while taken.fetch_add(1, Relaxed) < expected {
                            self.accept_one(&is_hopeless).inspect_err(|_| is_hopeless.store(true, SeqCst))?;
                        }
                        Ok(())
                    })
                })
                .collect();
            let result = self.peers.iter().try_for_each(|peer| peer.command(Command::Connect(times)));
            let result = result.and_then(|()| {
                // Whoever is done says so.
                self.peers.iter().try_for_each(|peer| peer.recv_number().map(drop))
            });
            if result.is_err() {
                is_hopeless.store(true, SeqCst);
            }
            result.and(acceptors.into_iter().try_for_each(join))
        })?;
        Ok(started.elapsed())
    }

    /// Takes a connection, and sends the one message back that comes.
    fn accept_one(&self, is_hopeless: &AtomicBool) -> Result<(), Failure> {
        let started = Instant::now();
        let stream = loop {
            match self.listener.accept_timeout(SLICE) {
                Err(error)
                    if error.kind() == io::ErrorKind::TimedOut
                        && started.elapsed() < PATIENCE
                        && !is_hopeless.load(SeqCst) => {}
                result => break result.map_err(|error| Failure::io("accepting clients", &error))?,
            }
        };
        let peer = Peer::new(stream, "a client".to_owned())?;
        let mut buf = [0; PING_SIZE];
        peer.recv(&mut buf)?;
        let is_as_sent =
            (1_u64..).zip(&self.patterns).any(|(number, pattern)| buf == message(pattern, number));
        if !is_as_sent {
            return Err(Failure::new("what a client sent on a new connection is not what arrived"));
        }
        peer.send(&buf)
    }
}

fn join(thread: thread::ScopedJoinHandle<'_, Result<(), Failure>>) -> Result<(), Failure> {
    thread.join().unwrap_or_else(|_| Err(Failure::new("a thread of the server panicked")))
}

/// How many can be done in `time`, if `done` took `taken`.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, and positive"
)]
fn per_second(done: u64, taken: Duration, time: Duration) -> u64 {
    (done as f64 * time.as_secs_f64() / taken.as_secs_f64().max(1e-6)) as u64
}

/// The client processes. Whatever happens, none outlives this.
#[derive(Debug)]
struct Children(Vec<Child>);

impl Children {
    fn start(place: &Place, clients: u32) -> Result<Self, Failure> {
        let failure = |error| Failure::io("cannot start a client", &error);
        let program = env::current_exe().map_err(failure)?;
        let mut children = Self(Vec::new());
        for index in 0..clients {
            let mut process = Process::new(&program);
            process.arg("demo-client");
            if let Some(directory) = place.directory() {
                process.arg("--remove").arg(directory);
            }
            process.arg("--").arg(place.argument()).arg(index.to_string());
            process.stdin(Stdio::null()).stdout(Stdio::null());
            outlive_ctrl_c(&mut process);
            children.0.push(process.spawn().map_err(failure)?);
        }
        Ok(children)
    }

    fn kill(&mut self) {
        for child in &mut self.0 {
            // Harmless for those that have ended and were waited for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What became of a client that has ended, if there is one.
    fn first_ended(&mut self) -> Option<String> {
        self.0.iter_mut().zip(1..).find_map(|(child, number)| {
            let status = child.try_wait().ok().flatten()?;
            Some(format!("client {number} (process {}) has ended: {status}", child.id()))
        })
    }

    /// Says which client has to do with the failure, and ends the others before they complain as well.
    fn blame(&mut self, failure: Failure) -> Failure {
        let started = Instant::now();
        let mut culprit = None;
        // A client that closes its connection may take a moment to end.
        while matches!(failure, Failure::Error { .. }) && culprit.is_none() && started.elapsed() < SLICE * 10
        {
            thread::sleep(SLICE / 50);
            culprit = self.first_ended();
        }
        self.kill();
        if culprit.is_some() { failure.advise(culprit) } else { failure }
    }

    /// Waits until all have ended, as they were told to.
    fn wait(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        for (child, number) in self.0.iter_mut().zip(1..) {
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break status,
                    Ok(None) if started.elapsed() < PATIENCE => thread::sleep(SLICE / 20),
                    Ok(None) => return Err(Failure::timed_out(format!("client {number} does not end"))),
                    Err(error) => return Err(Failure::io(format_args!("client {number}"), &error)),
                }
            };
            if !status.success() {
                return Err(Failure::new(format!("client {number} failed: {status}")));
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ctrl-C ends the server, and the clients then tidy up after it.
#[cfg(unix)]
fn outlive_ctrl_c(process: &mut Process) {
    use std::os::unix::process::CommandExt;
    process.process_group(0);
}

/// There is nothing to tidy up.
#[cfg(windows)]
fn outlive_ctrl_c(_process: &mut Process) {}
