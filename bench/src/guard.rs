//! The guard: what operations take is compared with committed figures.
//!
//! System calls are the same everywhere, and have to be those. Of instructions, what counts is how many more ours are
//! than those of the peer, measured in the same run: another C library or processor changes both. Another compiler may change
//! that, too, so it has more latitude than the one that the figures are from.

use crate::{
    cases::{Case, table},
    counts::{Counts, count_all},
};
use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

/// How many instructions more are borne, as parts of all that ours are: what is inlined where changes with things that have nothing
/// to do with it.
const LATITUDE: f64 = 0.05;
const LATITUDE_FOR_OTHERS: f64 = 0.15;
/// How much of a system call is borne: a runtime looks at its reactor once in a while, whoever uses it.
const PART_OF_A_CALL: f64 = 0.05;
const HEAD: &str = "\
# What one operation takes: instructions of ours and of the peer, and system calls of ours.
# Written by `cargo xtask bench --bless`.
";

/// A line of the file.
#[derive(Clone, Debug, PartialEq)]
struct Figures {
    ours: f64,
    theirs: f64,
    calls: BTreeMap<String, f64>,
}

impl Figures {
    fn new(ours: &Counts, theirs: &Counts) -> Self {
        let calls = ours.calls.iter().filter(|(_, calls)| **calls > PART_OF_A_CALL);
        let calls = calls.map(|(name, calls)| (name.clone(), *calls)).collect();
        Self { ours: ours.instructions, theirs: theirs.instructions, calls }
    }

    fn extra(&self) -> f64 {
        self.ours - self.theirs
    }
}

/// Counts, and compares with that file. `Err` says what is worse.
pub(crate) fn check(file: &Path) -> io::Result<()> {
    let (compiler, expected) = parse(&fs::read_to_string(file)?)?;
    let is_same = compiler == COMPILER;
    let latitude = if is_same { LATITUDE } else { LATITUDE_FOR_OTHERS };
    if !is_same {
        println!("The figures are from {compiler}, and this is {COMPILER}: there is more latitude.");
    }
    let cases = table();
    let measured = measure(&cases)?;
    let mut problems = String::new();
    for (name, figures) in &measured {
        let verdict = match expected.get(name) {
            Some(expected) => compare(expected, figures, latitude),
            None => Err("is not in the file".to_owned()),
        };
        let verdict = verdict.unwrap_or_else(|problem| {
            let _ = write!(problems, "\n  {name}: {problem}");
            "WORSE"
        });
        println!(
            "{name:<26} {:>8.1} instructions, {:>+7.1} to the peer's; {}  {verdict}",
            figures.ours,
            figures.extra(),
            calls_to_text(&figures.calls),
        );
    }
    for name in expected.keys().filter(|name| !measured.iter().any(|(other, _)| other == *name)) {
        let _ = write!(problems, "\n  {name}: is in the file, and is not counted");
    }
    if problems.is_empty() {
        return Ok(());
    }
    let advice = "If that is meant: cargo xtask bench --bless";
    Err(io::Error::other(format!("{}:{problems}\n{advice}", file.display())))
}

/// Counts, and writes the file anew.
pub(crate) fn bless(file: &Path) -> io::Result<()> {
    let mut text = format!("{HEAD}{COMPILER}\n");
    for (name, figures) in measure(&table())? {
        let calls = calls_to_text(&figures.calls);
        let _ = writeln!(text, "{name:<26} {:>9.1} {:>9.1}  {calls}", figures.ours, figures.theirs);
    }
    fs::write(file, text)
}

const COMPILER: &str = env!("BENCH_RUSTC");

fn measure(cases: &[Case]) -> io::Result<Vec<(String, Figures)>> {
    let counted: Vec<_> = cases.iter().filter(|case| case.is_guarded).collect();
    let figures = |(case, counts): (&Case, Vec<_>)| match &*counts {
        [(_, ours), (_, theirs)] => Ok((case.name.clone(), Figures::new(ours, theirs))),
        _ => Err(io::Error::other(format!("{}: there is no peer", case.name))),
    };
    count_all(&counted, 2)?.into_iter().map(figures).collect()
}

/// Says how it compares, or what is worse.
fn compare(expected: &Figures, measured: &Figures, latitude: f64) -> Result<&'static str, String> {
    let of = |figures: &Figures, name| figures.calls.get(name).copied().unwrap_or(0.0);
    let mut names = expected.calls.keys().chain(measured.calls.keys());
    if names.any(|name| (of(measured, name) - of(expected, name)).abs() > PART_OF_A_CALL) {
        return Err(format!(
            "system calls: {}, expected {}",
            calls_to_text(&measured.calls),
            calls_to_text(&expected.calls)
        ));
    }
    // What is printed with one digit was rounded.
    let latitude = expected.ours * latitude + 0.1;
    let more = measured.extra() - expected.extra();
    if more > latitude {
        return Err(format!(
            "instructions: {:+.1} to the peer's, expected no more than {:+.1}",
            measured.extra(),
            expected.extra() + latitude
        ));
    }
    Ok(if more < -latitude { "better than in the file" } else { "" })
}

/// `close=2 recvfrom=1`
fn calls_to_text(calls: &BTreeMap<String, f64>) -> String {
    calls.iter().map(|(name, calls)| format!("{name}={calls}")).collect::<Vec<_>>().join(" ")
}

fn parse(text: &str) -> io::Result<(String, BTreeMap<String, Figures>)> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let compiler = lines.next().unwrap_or_default().to_owned();
    let figures = lines.map(|line| {
        parse_line(line)
            .ok_or_else(|| io::Error::other(format!("the guard's file has a strange line: {line}")))
    });
    Ok((compiler, figures.collect::<io::Result<_>>()?))
}

fn parse_line(line: &str) -> Option<(String, Figures)> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    let (ours, theirs) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let call = |word: &str| {
        let (name, calls) = word.split_once('=')?;
        Some((name.to_owned(), calls.parse().ok()?))
    };
    Some((name, Figures { ours, theirs, calls: words.map(call).collect::<Option<_>>()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(ours: f64, theirs: f64, calls: &str) -> Figures {
        parse_line(&format!("name {ours} {theirs} {calls}")).unwrap().1
    }

    #[test]
    fn the_file_is_read_as_it_is_written() {
        let text = format!("{HEAD}rustc 1.95.0\nstream/alone/64  512.3  400.0  recvfrom=1 sendto=1.02\n");
        let (compiler, lines) = parse(&text).unwrap();
        assert_eq!(compiler, "rustc 1.95.0");
        assert_eq!(lines["stream/alone/64"], figures(512.3, 400.0, "recvfrom=1 sendto=1.02"));
        assert!(parse("rustc\nname 1\n").is_err());
    }

    #[test]
    fn one_system_call_more_or_less_is_noticed() {
        let expected = figures(500.0, 400.0, "recvfrom=1 sendto=1");
        assert!(compare(&expected, &figures(500.0, 400.0, "fcntl=1 recvfrom=1 sendto=1"), 0.1).is_err());
        assert!(compare(&expected, &figures(500.0, 400.0, "recvfrom=1"), 0.1).is_err());
        assert_eq!(compare(&expected, &figures(500.0, 400.0, "recvfrom=1.04 sendto=1"), 0.0), Ok(""));
    }

    #[test]
    fn what_changes_both_sides_is_none_of_ours() {
        let expected = figures(500.0, 400.0, "read=1");
        assert_eq!(compare(&expected, &figures(560.0, 460.0, "read=1"), 0.02), Ok(""));
        assert_eq!(compare(&expected, &figures(508.0, 400.0, "read=1"), 0.02), Ok(""));
        assert!(compare(&expected, &figures(512.0, 400.0, "read=1"), 0.02).is_err());
        assert!(compare(&expected, &figures(512.0, 400.0, "read=1"), 0.1).is_ok());
        let better = compare(&expected, &figures(450.0, 400.0, "read=1"), 0.02);
        assert_eq!(better, Ok("better than in the file"));
    }
}
