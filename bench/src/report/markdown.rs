//! The page.

use super::{Report, Times};
use crate::{
    cases::{Case, Cores},
    peer::Peer,
    stats::Verdict,
};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Performance

Between a program and the kernel there should be nothing that takes time. This page says how near to that we are: beside the system
calls themselves, beside `std`, `tokio::net` and `async-net`, beside interprocess 2.4.7, ipc-channel, and TCP over the loopback.
Every table and plot is from one run of `cargo xtask bench`; what is said about them was written by people, of this and of earlier runs.
";

const FINDINGS: &str = "\
## Where ours takes longer, and why

- **Tokio, where less comes than there is room for** (`with-room`). After a short read of a Unix-domain socket,
  Tokio's own streams take it for all there was, which saves the call that would find nothing. But the kernel also stops reading behind bytes
  that descriptors came along with. Then tokio::net waits for what has arrived already, for ever if nothing more comes. Here, the call is saved
  only if the flags of `recvmsg(2)` say that nothing came along. That call takes somewhat longer than `recv(2)`, and asking once more would
  take twice that.
- **Tokio, otherwise.** Our streams make the same system calls as Tokio's, and the instructions of an operation differ by one or two
  in a hundred (above). Tokio's own streams and those of interprocess 2, which are the same, differ as much from each other.
- **Clients that come and go.** `accept` makes one system call that std does not make, `getsockopt`: it asks the kernel who the client is, and
  turns strangers away.
- **Descriptors by `AncillaryDataBuf`** come in a `Vec`, since any number of them may come with one message, beside other things. To allocate it,
  and to tell what came, takes longer than to take the one descriptor that is expected. `recv_with_fds`, which adds descriptors to a `Vec` that
  is there, takes half of the instructions.
- **`splice`** has no goal beside the call alone, since it asks first, by `poll(2)`, whether the other descriptor is ready. The kernel would
  keep the pipe locked while it waits for that, and whoever else reads from it with it.
- **Clean builds.** The default build has rustix, with the two crates that it stands on, where interprocess 2 calls libc. It is what keeps this
  crate's own `unsafe` small, and its system calls inline; and it takes more than half of the time. There is also several times as much of
  interprocess itself. Many programs have rustix anyway.
";

const METHOD: &str = "\
## How it is measured

- **Two real processes**, unless a line says that one thread has both ends. Each has one thread that works; smol's reactor has another.
  What arrives is compared with what was sent, the first time that a contestant works, which does not count.
- **By turns.** All contestants of a line work in the same two processes, in slices of about two milliseconds: A B C C B A A B C. Whatever else
  the machine does, and however it slows down, hits them alike.
- **In rounds.** Each line is measured in six rounds, with processes of its own for each of them, since where things happen to be in memory
  makes some difference for as long as a process lives. In each, contestants are made and begin in another order, where there is one.
- **A ratio** is the mean of the rounds', and of each round the median of the ratios of neighbouring slices. The interval, with 95 % confidence,
  is from how far rounds differ (Student's t). A goal is met if the ratio is not above it, and missed if all of the interval is; else it is
  within noise. The ratio is not that of the medians that stand beside it: where few operations take very long, as with clients that compete,
  the two can disagree.
- **p50, p99, p99.9** are of single round trips where these are timed, and of slices where not: streams in one direction, and what one
  thread does, of which there are too few for p99.9. **Mean ± spread**: the spread is the standard deviation of the means of rounds.
- **Processors.** On Linux, what goes to and fro has both processes on one processor, so that what is measured is not how fast an idle
  processor wakes up; one line shows that. What goes one way between processes, and a listener that many compete for, has two. Then,
  whoever finds nothing to do sleeps and has to be woken. With small buffers, as those of pipes are, that is most of the time; and where it is
  the same for all, a ratio says little about the code. Ratios below 1 to the very same calls are of this kind.
- **Raw** is `send(2)` and `recv(2)` with the flags that we give, by rustix, `read(2)` and `write(2)` for pipes, and libc's `sendmsg(2)` and
  `recvmsg(2)` for descriptors. Raw, std, and ours have the same sockets and pipes, of the sizes that the system gives.
- **Many connections** are ten thousand of each contestant at once, or as many as the limit of descriptors leaves room for.
- **Instructions** are counted by valgrind, in the program and not in the kernel, and **system calls** by strace: what 1000 operations more take
  more, in one thread. They are the same on a busy machine, but for smol's, whose reactor has a thread of its own.
  `cargo xtask test --only guard` compares those of a build without the peers with `bench/guard.txt`.

## To repeat it

```sh
cargo xtask bench                      # everything, into target/bench: a quarter of an hour at most
cargo xtask bench --quick              # the same with less precision, in less than two minutes
cargo xtask bench --only tokio/alone   # some of it
cargo xtask bench --list               # what there is
cargo xtask bench --docs               # everything, and this page
```

Counts need valgrind and strace; without socat, there is nothing to compare the program `ipc` with. To see what a line does,
`target/release/interprocess-bench --calls 1000 stream/ping-pong/64 ours` does exactly so many operations, for `strace -f` or `perf`.
";

pub(super) fn page(report: &Report<'_>) -> String {
    let mut page = format!("{INTRODUCTION}\n");
    for (name, fact) in &report.machine {
        let _ = writeln!(page, "- {name}: {fact}");
    }
    let mode = if report.is_quick { "**quick, and so not precise**" } else { "full" };
    let _ = writeln!(page, "- the run: {mode}; it took {} min {} s\n", report.took / 60, report.took % 60);
    goals(&mut page, report);
    if report.times.iter().any(|times| times.case.name.starts_with("stream/")) {
        page.push_str("\n![Round trips by size](latency.svg)\n\n![Throughput by size](throughput.svg)\n");
    }
    page.push_str("\n![Ratios of each line, and the goals](ratios.svg)\n");
    for group in groups(report) {
        group_table(&mut page, group, report);
    }
    #[cfg(target_os = "linux")]
    {
        counts(&mut page, report);
        idle(&mut page, report);
        programs(&mut page, report);
    }
    builds(&mut page, report);
    if !report.missing.is_empty() {
        page.push_str("\n## Not measured\n\n");
        report.missing.iter().for_each(|what| {
            let _ = writeln!(page, "- {what}");
        });
    }
    if cfg!(target_os = "linux") {
        let _ = write!(page, "\n{FINDINGS}");
    }
    let _ = write!(page, "\n{METHOD}");
    in_full(&mut page, report);
    page
}

fn groups(report: &Report<'_>) -> Vec<&'static str> {
    let mut groups: Vec<_> = report.times.iter().map(|times| times.case.group).collect();
    groups.dedup();
    groups
}

/// How many lines of each group meet the goal, and which do not.
fn goals(page: &mut String, report: &Report<'_>) {
    page.push_str(
        "## Goals\n\n| | measured by | goal | lines | met | within noise | missed | mean ratio |\n",
    );
    page.push_str("|---|---|---:|---:|---:|---:|---:|---:|\n");
    let mut kinds: Vec<(&str, Peer, f64)> = Vec::new();
    let kind = |times: &Times<'_>| Some((times.case.group, times.case.baseline()?, times.case.goal?));
    for kind in report.times.iter().filter_map(kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for of in kinds {
        let lines: Vec<_> = report.times.iter().filter(|times| kind(times) == Some(of)).collect();
        let count = |verdict| lines.iter().filter(|times| times.verdict() == Some(verdict)).count();
        #[allow(clippy::cast_precision_loss, reason = "there are some dozens")]
        let mean =
            (lines.iter().map(|times| times.ratio().value.ln()).sum::<f64>() / lines.len() as f64).exp();
        let (group, peer, goal) = of;
        let _ = writeln!(
            page,
            "| {group} | {} | {goal:.2} | {} | {} | {} | {} | {mean:.3} |",
            peer.name(),
            lines.len(),
            count(Verdict::Met),
            count(Verdict::Open),
            count(Verdict::Missed),
        );
    }
    page.push_str("\nRatios are of times: above 1, ours takes longer.\n");
    let missed: Vec<_> =
        report.times.iter().filter(|times| times.verdict() == Some(Verdict::Missed)).collect();
    if !missed.is_empty() {
        let name = |times: &&Times<'_>| format!("{} ({:.3})", times.case.name, times.ratio().value);
        let names: Vec<_> = missed.iter().map(name).collect();
        let _ = writeln!(page, "Missed: {}.", names.join(", "));
    }
}

/// Medians of all peers beside each other.
fn group_table(page: &mut String, group: &str, report: &Report<'_>) {
    let of: Vec<_> = report.times.iter().filter(|times| times.case.group == group).collect();
    let mut peers: Vec<Peer> = Vec::new();
    for peer in of.iter().flat_map(|times| &times.case.peers) {
        if !peers.contains(peer) {
            peers.push(*peer);
        }
    }
    let names: Vec<_> = peers.iter().map(|peer| peer.name()).collect();
    let _ = writeln!(page, "\n## {group}\n\n| | {} | ratio | goal |", names.join(" | "));
    let _ = writeln!(page, "|---|{}---:|---|", "---:|".repeat(peers.len()));
    for times in of {
        let value =
            |peer: &Peer| times.summary(*peer).map(|of| value(times.case, of.p50)).unwrap_or_default();
        let values: Vec<_> = peers.iter().map(value).collect();
        let goal = match (times.case.goal, times.verdict()) {
            (Some(goal), Some(verdict)) => format!("{goal:.2}: {}", verdict.text()),
            _ => String::new(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {:.3} to {} | {goal} |",
            times.case.what,
            values.join(" | "),
            times.ratio().value,
            times.case.peers[1].name(),
        );
    }
    page.push_str("\nMedians.\n");
}

#[cfg(target_os = "linux")]
fn counts(page: &mut String, report: &Report<'_>) {
    if report.counts.is_empty() {
        return;
    }
    page.push_str("\n## Instructions and system calls of one operation\n\n");
    page.push_str("| | whose | instructions | system calls | which |\n|---|---|---:|---:|---|\n");
    for (case, of) in &report.counts {
        for (index, (peer, counts)) in of.iter().enumerate() {
            let what = if index == 0 { format!("`{}`: {}", case.name, case.what) } else { String::new() };
            let calls = counts.calls.iter().map(|(name, calls)| format!("{name} {calls}"));
            let _ = writeln!(
                page,
                "| {what} | {} | {:.0} | {:.2} | {} |",
                peer.name(),
                counts.instructions,
                counts.all_calls(),
                calls.collect::<Vec<_>>().join(", ")
            );
        }
    }
}

#[cfg(target_os = "linux")]
fn idle(page: &mut String, report: &Report<'_>) {
    if report.idle.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "\n## Connections that wait\n\n{} at once, each with a task that waits to read. The memory is what the process has more, task and all.\n",
        report.idle_connections
    );
    page.push_str("| runtime | whose | bytes for each | accepted in |\n|---|---|---:|---:|\n");
    for idle in &report.idle {
        let (peer, each) = (idle.peer.name(), idle.bytes_for_each);
        let _ = writeln!(page, "| {} | {peer} | {each} | {} |", idle.runtime, time(idle.accepted_in));
    }
}

#[cfg(target_os = "linux")]
fn programs(page: &mut String, report: &Report<'_>) {
    if report.programs.is_empty() {
        return;
    }
    page.push_str(
        "\n## The program `ipc`\n\nFrom the start of the client until client and server have ended.\n\n",
    );
    page.push_str("| | one byte | a file |\n|---|---:|---:|\n");
    for program in &report.programs {
        let _ = writeln!(page, "| {} | {} | {} |", program.name, time(program.one_byte), rate(program.rate));
    }
}

fn builds(page: &mut String, report: &Report<'_>) {
    if report.builds.is_empty() {
        return;
    }
    page.push_str("\n## Clean builds\n\nOf a program that depends on the crate (`cargo build`), with what that depends on. Medians of three.\n\n");
    page.push_str("| features | whose | crates | time |\n|---|---|---:|---:|\n");
    for build in &report.builds {
        let (features, peer) = (build.features, build.peer.name());
        let _ = writeln!(page, "| {features} | {peer} | {} | {:.1} s |", build.crates, build.seconds);
    }
}

/// Everything that was measured.
fn in_full(page: &mut String, report: &Report<'_>) {
    page.push_str("\n## All times\n\nOf one operation. [The same as JSON](performance.json).\n\n");
    page.push_str("| | whose | mean ± spread | p50 | p99 | p99.9 | ours to this | 95 % |\n");
    page.push_str("|---|---|---:|---:|---:|---:|---:|---|\n");
    for times in &report.times {
        for (index, (peer, of, ratio)) in times.of.iter().enumerate() {
            let cores = if times.case.cores == Cores::Two { ", two cores" } else { "" };
            let what = match index {
                0 => format!("`{}`{cores}", times.case.name),
                1 if !of.of_operations => "(slices)".to_owned(),
                _ => String::new(),
            };
            let ratios = if *peer == Peer::Ours {
                " | ".to_owned()
            } else {
                format!("{:.3} | {:.3} to {:.3}", ratio.value, ratio.low, ratio.high)
            };
            let _ = writeln!(
                page,
                "| {what} | {} | {} ± {} | {} | {} | {} | {ratios} |",
                peer.name(),
                time(of.mean),
                time(of.spread),
                time(of.p50),
                time(of.p99),
                if of.of_operations { time(of.p999) } else { "–".to_owned() },
            );
        }
    }
}

/// A time, or how many bytes a second that is, where these count.
#[allow(clippy::cast_precision_loss, reason = "sizes are small")]
pub(super) fn value(case: &Case, seconds: f64) -> String {
    case.bytes.map_or_else(|| time(seconds), |bytes| rate(bytes as f64 / seconds))
}

pub(super) fn time(seconds: f64) -> String {
    match seconds {
        nanoseconds if nanoseconds < 1e-6 => format!("{:.0} ns", nanoseconds * 1e9),
        microseconds if microseconds < 1e-3 => format!("{:.2} µs", microseconds * 1e6),
        milliseconds if milliseconds < 1.0 => format!("{:.2} ms", milliseconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

pub(super) fn rate(bytes_in_a_second: f64) -> String {
    match bytes_in_a_second {
        few if few < 1e9 => format!("{:.0} MB/s", few / 1e6),
        many => format!("{:.2} GB/s", many / 1e9),
    }
}

const BEGIN: &str = "<!-- from `cargo xtask bench --docs`: begin -->\n";
const END: &str = "<!-- end -->\n";

/// The README with the lines of this run that say most, between its marks.
pub(crate) fn put_headline(readme: &str, report: &Report<'_>) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let mut table = "| | ours | without us | | loopback TCP |\n|---|---:|---:|---|---:|\n".to_owned();
    for (name, what, without) in HEADLINES {
        let times = report.times.iter().find(|times| times.case.name == name)?;
        let value = |peer| times.summary(peer).map(|of| value(times.case, of.p50)).unwrap_or_default();
        let (ours, theirs) = (value(Peer::Ours), value(times.case.baseline()?));
        let _ = writeln!(table, "| {what} | {ours} | {theirs} | {without} | {} |", value(Peer::Tcp));
    }
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

const HEADLINES: [(&str, &str, &str); 7] = [
    ("stream/ping-pong/64", "64 bytes to another process and back, on one processor", "`send` and `recv`"),
    (
        "stream/two-cores/ping-pong/64",
        "the same on two, which have to wake up each time",
        "`send` and `recv`",
    ),
    ("stream/one-way/16k", "one way, 16 KiB at once, on two", "`send` and `recv`"),
    ("tokio/ping-pong/64", "64 bytes there and back, Tokio", "`tokio::net`"),
    ("smol/ping-pong/64", "64 bytes there and back, smol", "`async-net`"),
    ("pipe/ping-pong/64", "64 bytes there and back, unnamed pipes", "`write` and `read`"),
    ("accept/blocking", "connect, accept (and check who it is), close", "std"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_suits_them() {
        assert_eq!([2.4e-7, 5.251e-6, 0.0123, 75.0].map(time), ["240 ns", "5.25 µs", "12.30 ms", "75.00 s"]);
        assert_eq!([4.2e8, 4.251e9].map(rate), ["420 MB/s", "4.25 GB/s"]);
    }

    #[test]
    fn a_readme_without_marks_or_a_run_without_the_lines_changes_nothing() {
        assert_eq!(put_headline("text", &Report::default()), None);
        assert_eq!(put_headline(&format!("a\n{BEGIN}b\n{END}c"), &Report::default()), None);
    }
}
