//! What ours costs beside the system calls that it stands on, and beside what others have for the same.
//!
//! `cargo xtask bench` builds and runs this; `interprocess-bench --help` says what else it can do.
//!
//! The cases are a [table]. Contestants of a case take turns in one [arena](arena::Arena): two real processes of
//! one thread each, or one thread that has both ends.

mod arena;
mod asynchronous;
mod builds;
mod cases;
#[cfg(target_os = "linux")]
mod counts;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(has_ipc_channel)]
mod ipc_channel;
mod machine;
#[cfg(target_os = "linux")]
mod messages;
mod peer;
mod pipes;
#[cfg(target_os = "linux")]
mod programs;
mod report;
mod shape;
mod stats;
mod streams;
#[cfg(target_os = "linux")]
mod uncopied;

use arena::Arena;
use cases::{Case, table};
use peer::Peer;
use report::{Report, Times, put_headline};
use stats::Sample;
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

const HELP: &str = "\
interprocess-bench [FLAGS]                measure, and write a page, its plots and its data

    --quick           in less than two minutes, and less precise
    --only TEXT       only cases whose name contains that
    --out FOLDER      where to write; nothing is written without it
    --readme FILE     put the most important lines between the marks in that file

interprocess-bench --list                 name the cases and whom they compare
interprocess-bench --calls N CASE [PEER]  do exactly N operations, for strace, perf or valgrind
interprocess-bench --guard FILE           compare instructions and system calls with that file (Linux)
interprocess-bench --bless FILE           write it
";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("interprocess-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<()> {
    match arguments {
        ["--help" | "-h"] => print!("{HELP}"),
        ["--list"] => {
            let mut to = io::stdout().lock();
            for case in table() {
                let peers: Vec<_> = case.peers.iter().map(|peer| peer.name()).collect();
                let counts = match (case.is_guarded, case.is_counted) {
                    (true, _) => "guarded",
                    (_, true) => "counted",
                    _ => "",
                };
                writeln!(to, "{:<28} {:<52} {counts:<8} {}", case.name, case.what, peers.join(", "))?;
            }
        }
        ["--calls", count, case, peer @ ..] if peer.len() < 2 => {
            let peer = peer.first().map_or(Ok(Peer::Ours), |peer| Peer::parse(peer))?;
            let mut arena = Arena::new(&find(case)?, &[peer])?;
            arena.slice(0, number(count)?, None)?;
            arena.finish()?;
        }
        #[cfg(target_os = "linux")]
        ["--guard", file] => guard::check(Path::new(file))?,
        #[cfg(target_os = "linux")]
        ["--bless", file] => guard::bless(Path::new(file))?,
        // What this program runs as another process: for a round, and in that as the other end.
        ["--round", case, index, milliseconds] => {
            round(&find(case)?, number(index)?, Duration::from_millis(number(milliseconds)?.into()))?;
        }
        ["--far", case, folder, peers @ ..] => {
            let peers: Vec<_> = peers.iter().map(|peer| Peer::parse(peer)).collect::<io::Result<_>>()?;
            arena::serve(&find(case)?, folder, &peers)?;
        }
        #[cfg(target_os = "linux")]
        ["--idle", runtime, peer, folder, count] => {
            let count = number(count)? as usize;
            asynchronous::idle::serve(runtime, Peer::parse(peer)?, folder, count)?;
        }
        flags => measure(&Plan::parse(flags)?)?,
    }
    Ok(())
}

fn find(name: &str) -> io::Result<Case> {
    let case = table().into_iter().find(|case| case.name == name);
    case.ok_or_else(|| usage(&format!("no case named {name}; --list names them")))
}

fn number(text: &str) -> io::Result<u32> {
    text.parse().map_err(|_| usage(&format!("{text} is no number")))
}

fn usage(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{problem}\n\n{HELP}"))
}

/// What a run is to do.
#[derive(Default)]
struct Plan {
    is_quick: bool,
    only: Option<String>,
    out: Option<PathBuf>,
    readme: Option<PathBuf>,
}

impl Plan {
    fn parse(flags: &[&str]) -> io::Result<Self> {
        let mut plan = Self::default();
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            let mut value = || flags.next().ok_or_else(|| usage(&format!("{flag} needs a value")));
            match *flag {
                "--quick" => plan.is_quick = true,
                "--only" => plan.only = Some((*value()?).to_owned()),
                "--out" => plan.out = Some(value()?.into()),
                "--readme" => plan.readme = Some(value()?.into()),
                other => return Err(usage(&format!("no such flag: {other}"))),
            }
        }
        Ok(plan)
    }

    fn rounds(&self) -> u32 {
        if self.is_quick { 3 } else { 6 }
    }

    /// For each contestant in each round.
    fn time(&self) -> Duration {
        Duration::from_millis(if self.is_quick { 50 } else { 250 })
    }
}

fn measure(plan: &Plan) -> io::Result<()> {
    let start = Instant::now();
    let cases = table();
    let only = plan.only.as_deref().unwrap_or_default();
    let cases: Vec<_> = cases.iter().filter(|case| case.name.contains(only)).collect();
    if cases.is_empty() {
        return Err(usage(&format!("no case has {only} in its name; --list names them")));
    }
    let mut failed = Vec::new();
    let mut report = Report { is_quick: plan.is_quick, machine: machine::describe(), ..Report::default() };
    for case in &cases {
        match times(case, plan) {
            Ok(times) => {
                eprintln!("{}", times.line());
                report.times.push(times);
            }
            Err(error) => {
                failed.push(&*case.name);
                report.missing.push(format!("{}: {error}", case.name));
            }
        }
    }
    #[cfg(target_os = "linux")]
    counts_and_programs(plan, &cases, &mut report);
    if !plan.is_quick && plan.only.is_none() {
        match builds::measure() {
            Ok(builds) => report.builds = builds,
            Err(error) => report.missing.push(format!("builds: {error}")),
        }
    }
    if cfg!(target_os = "linux") {
        report.machine.push(("load at the end", machine::load()));
    }
    report.took = start.elapsed().as_secs();
    report.missing.iter().for_each(|what| eprintln!("not measured: {what}"));
    if plan.readme.is_some() && !report.missing.is_empty() {
        return Err(io::Error::other("nothing is written, as the documentation is about everything"));
    }
    if let Some(folder) = &plan.out {
        report.write(folder)?;
        eprintln!("written: {}", folder.join("performance.md").display());
    }
    if let Some(readme) = &plan.readme {
        write_headline(readme, &report)?;
    }
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(format!("failed: {}", failed.join(", ")))) }
}

fn write_headline(readme: &Path, report: &Report<'_>) -> io::Result<()> {
    let text = put_headline(&fs::read_to_string(readme)?, report).ok_or_else(|| {
        io::Error::other(format!("{}: there are no marks, or lines are missing", readme.display()))
    })?;
    fs::write(readme, text)
}

/// In rounds, of which each has processes of its own.
fn times<'c>(case: &'c Case, plan: &Plan) -> io::Result<Times<'c>> {
    let mut samples: Vec<_> = case.peers.iter().map(|_| Sample::new()).collect();
    for round in 0..plan.rounds() {
        let mut command = Command::new(env::current_exe()?);
        command.args(["--round", &case.name, &round.to_string(), &plan.time().as_millis().to_string()]);
        let output = command.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("round {round}: {}", output.status)));
        }
        let mut from = &*output.stdout;
        samples.iter_mut().try_for_each(|sample| sample.read_round(&mut from))?;
    }
    Ok(Times::new(case, &samples))
}

fn round(case: &Case, index: u32, time: Duration) -> io::Result<()> {
    #[cfg(unix)]
    arena::end_in_any_case();
    let order = arena::order(index as usize, case.peers.len());
    let peers: Vec<_> = order.iter().map(|index| case.peers[*index]).collect();
    let mut arena = Arena::new(case, &peers)?;
    // What takes some hundreds of nanoseconds would be changed by being timed.
    let with_laps = case.bytes.is_none() && !case.is_alone;
    let samples = arena.take_turns(time, with_laps)?;
    arena.finish()?;
    let mut samples: Vec<_> = order.into_iter().zip(samples).collect();
    samples.sort_by_key(|(index, _)| *index);
    let mut to = io::BufWriter::new(io::stdout().lock());
    samples.iter().try_for_each(|(_, sample)| sample.write_round(&mut to))?;
    to.flush()
}

/// What needs Linux and its tools.
#[cfg(target_os = "linux")]
fn counts_and_programs<'c>(plan: &Plan, cases: &[&'c Case], report: &mut Report<'c>) {
    let counted: Vec<_> = cases.iter().copied().filter(|case| case.is_counted).collect();
    let peers = if plan.is_quick { 2 } else { usize::MAX };
    match counts::count_all(&counted, peers) {
        Ok(counts) => {
            for (case, of) in &counts {
                let of = of.iter().map(|(peer, counts)| {
                    format!("{} {:.0} and {:.2}", peer.name(), counts.instructions, counts.all_calls())
                });
                let of = of.collect::<Vec<_>>().join(", ");
                eprintln!("{:<28} instructions and system calls: {of}", case.name);
            }
            report.counts = counts;
        }
        Err(error) => report.missing.push(format!("instructions and system calls: {error}")),
    }
    if plan.only.is_some() {
        return;
    }
    report.idle_connections = if plan.is_quick { 2000 } else { 10_000 };
    match asynchronous::idle::measure(report.idle_connections) {
        Ok(idle) => report.idle = idle,
        Err(error) => report.missing.push(format!("connections that wait: {error}")),
    }
    let (programs, missing) = programs::measure(plan.is_quick);
    report.programs = programs;
    report.missing.extend(missing);
}
