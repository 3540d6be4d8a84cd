//! The memory of connections that wait: what the process of a server has more (`VmRSS`) with all of them, each with a task,
//! than with the first hundred.

use super::{
    Executor, Face, Runtime,
    crowd::{MESSAGE, Tally, echo, raise_limit},
    smol, tokio,
};
use crate::{arena::Place, peer::Peer};
use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
    time::Instant,
};

/// What an idle connection costs on one of the runtimes.
pub(crate) struct Idle {
    pub(crate) runtime: &'static str,
    pub(crate) peer: Peer,
    pub(crate) bytes_for_each: usize,
    /// In seconds.
    pub(crate) accepted_in: f64,
}

/// Connections that do not count: with them come code and tables, once.
const FIRST: usize = 100;

const SERVERS: [(Runtime, &str, Peer); 5] = [
    (Runtime::Tokio, "tokio", Peer::Ours),
    (Runtime::Tokio, "tokio", Peer::Tokio),
    (Runtime::Tokio, "tokio", Peer::Old),
    (Runtime::Smol, "smol", Peer::Ours),
    (Runtime::Smol, "smol", Peer::AsyncNet),
];

/// A server of each kind, with so many connections, one after the other.
pub(crate) fn measure(count: usize) -> io::Result<Vec<Idle>> {
    raise_limit(count)?;
    SERVERS
        .into_iter()
        .filter(|(_, _, peer)| peer.is_there())
        .map(|(_, runtime, peer)| one(runtime, peer, count))
        .collect()
}

fn one(runtime: &'static str, peer: Peer, count: usize) -> io::Result<Idle> {
    let place = Place::new()?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["--idle", runtime, peer.name()]).arg(&place.folder).arg(count.to_string());
    let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let measured = ask(&mut server, place.socket(peer), count);
    // After an error; else it has ended.
    let _ = server.kill();
    let _ = server.wait();
    let _ = fs::remove_dir_all(&place.folder);
    let (more, accepted_in) = measured?;
    Ok(Idle { runtime, peer, bytes_for_each: more / (count - FIRST), accepted_in })
}

/// How many bytes more the server has with all of these clients than with the first, and the seconds that it took to accept them.
fn ask(server: &mut Child, socket: &str, count: usize) -> io::Result<(usize, f64)> {
    let mut said = BufReader::new(server.stdout.take().expect("piped")).lines();
    let mut next = || said.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
    next()?;
    let start = Instant::now();
    let mut clients = (0..count).map(|_| UnixStream::connect(socket)).collect::<io::Result<Vec<_>>>()?;
    let more = next()?.parse::<usize>().map_err(io::Error::other)?;
    let accepted_in = start.elapsed().as_secs_f64();
    // Each of them is alive.
    for client in &mut clients {
        client.write_all(&[1; MESSAGE])?;
    }
    for client in &mut clients {
        client.read_exact(&mut [0; MESSAGE])?;
    }
    drop((clients, server.stdin.take()));
    let status = server.wait()?;
    if status.success() {
        Ok((more, accepted_in))
    } else {
        Err(io::Error::other(format!("the server failed: {status}")))
    }
}

/// What the other process does.
pub(crate) fn serve(runtime: &str, peer: Peer, folder: &str, count: usize) -> io::Result<()> {
    crate::arena::end_in_any_case();
    raise_limit(count)?;
    let place = Place::at(folder.into());
    let runtime = if runtime == "tokio" { Runtime::Tokio } else { Runtime::Smol };
    for_face!(runtime, peer, Kind => serve_as::<Kind>(&place, count))
}

fn serve_as<F: Face>(place: &Place, count: usize) -> io::Result<()> {
    let on = F::On::start()?;
    let tally = Tally::default();
    on.block_on_all(async {
        let listener = F::bind(place)?;
        println!("ready");
        let mut before = 0;
        for (from, to) in [(0, FIRST), (FIRST, count)] {
            before = resident()?;
            for _ in from..to {
                on.detach(echo(F::accept(&listener).await?, tally.clone()));
            }
            // So that each has come to its `read`.
            for _ in 0..to {
                futures_lite::future::yield_now().await;
            }
        }
        println!("{}", resident()?.saturating_sub(before));
        let count = u32::try_from(count).map_err(io::Error::other)?;
        tally.reaches(count).await;
        io::Result::Ok(())
    })?;
    // Until the other process has closed our standard input.
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// How many bytes of memory this process has.
fn resident() -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kibibytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    kibibytes.map(|kibibytes: usize| kibibytes << 10).ok_or_else(|| io::ErrorKind::Unsupported.into())
}
