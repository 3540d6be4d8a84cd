//! Instructions (valgrind) and system calls (strace) of one operation: what twice as many operations take more. These do not
//! drift, whatever else the machine does.

use crate::{cases::Case, peer::Peer};
use std::{
    collections::BTreeMap,
    env, fs, io,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

/// What one operation takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counts {
    /// In this process, not in the kernel.
    pub(crate) instructions: f64,
    /// By name. Rounded to hundredths: a runtime looks at its reactor once in a while.
    pub(crate) calls: BTreeMap<String, f64>,
}

impl Counts {
    pub(crate) fn all_calls(&self) -> f64 {
        // Not the sum of none, which is -0.
        self.calls.values().fold(0.0, |sum, calls| sum + calls)
    }
}

/// A case, and what each peer takes.
pub(crate) type Counted<'c> = (&'c Case, Vec<(Peer, Counts)>);

/// How many operations one run has more than the other.
const OPERATIONS: u32 = 1000;

/// Counts for the first so many peers of each case, on all processors.
pub(crate) fn count_all<'c>(cases: &[&'c Case], peers: usize) -> io::Result<Vec<Counted<'c>>> {
    let jobs: Vec<_> = cases
        .iter()
        .flat_map(|case| case.peers.iter().take(peers).map(|peer| (case.name.as_str(), *peer)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some((name, peer)) = jobs.get(index) else { return Ok(done) };
            done.push((index, count(name, *peer)?));
        }
    };
    let mut counted = thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().expect("it does not panic"));
        done.collect::<io::Result<Vec<Vec<_>>>>()
    })?
    .concat();
    counted.sort_by_key(|(index, _)| *index);
    let mut counted = counted.into_iter().map(|(_, counts)| counts);
    let of_case =
        |case: &&'c Case| (*case, case.peers.iter().take(peers).copied().zip(&mut counted).collect());
    Ok(cases.iter().map(of_case).collect())
}

fn count(case: &str, peer: Peer) -> io::Result<Counts> {
    let instructions = |operations| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        collected(&run(&mut valgrind, case, peer, operations)?)
    };
    let calls = |operations| {
        let summary = env::temp_dir().join(format!(
            "interprocess-bench-{}-{:?}",
            std::process::id(),
            thread::current().id()
        ));
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "--summary-columns=calls,name", "-o"]).arg(&summary);
        let ran = run(&mut strace, case, peer, operations);
        let calls = ran.and_then(|_| fs::read_to_string(&summary)).map(|summary| called(&summary));
        let _ = fs::remove_file(&summary);
        calls
    };
    // Once more than never, so that what is done once is done in both.
    let (few, many) = (instructions(OPERATIONS)?, instructions(2 * OPERATIONS)?);
    let instructions = (many - few) / f64::from(OPERATIONS);
    let (few, mut many) = (calls(OPERATIONS)?, calls(2 * OPERATIONS)?);
    for (name, calls) in few {
        *many.entry(name).or_default() -= calls;
    }
    let each = many.into_iter().map(|(name, calls)| (name, hundredths(calls / f64::from(OPERATIONS))));
    Ok(Counts { instructions, calls: each.filter(|(_, calls)| *calls != 0.0).collect() })
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// What the tool says on its standard error.
fn run(tool: &mut Command, case: &str, peer: Peer, operations: u32) -> io::Result<String> {
    let name = tool.get_program().to_string_lossy().into_owned();
    let output = tool
        .arg(env::current_exe()?)
        .args(["--calls", &operations.to_string(), case, peer.name()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(io::Error::other(format!("{name}, {case}: {said}"))) }
}

/// `==1== Collected : 553506`
fn collected(output: &str) -> io::Result<f64> {
    let count = output.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
    count.ok_or_else(|| io::Error::other(format!("valgrind said nothing of instructions: {output}")))
}

/// The lines of numbers and names; the last is a total.
fn called(summary: &str) -> BTreeMap<String, f64> {
    let lines = summary.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
    });
    lines.filter(|(_, name)| name != "total").map(|(calls, name)| (name, calls)).collect()
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_strace_is_read() {
        let summary = "    calls syscall\n--------- ----------------\n     1000 sendto\n        7 close\n\
            --------- ----------------\n     1007 total\n";
        let expected = [("close".to_owned(), 7.0), ("sendto".to_owned(), 1000.0)];
        assert_eq!(called(summary), BTreeMap::from(expected));
    }

    #[test]
    fn the_sum_of_valgrind_is_read() {
        assert_eq!(collected("==1== Events    : Ir\n==1== Collected : 553506\n").unwrap(), 553_506.0);
        assert!(collected("==1== nothing\n").is_err());
    }
}
