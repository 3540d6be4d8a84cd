//! What continuous integration and people both run: `cargo xtask test`. And `cargo xtask bench`.
//!
//! Uses nothing but the standard library, so that it starts at once on a machine that has only Rust.

mod bench;
mod debian;
mod job;
mod qemu;
mod steps;
mod wine;

use debian::CacheLock;
use job::{Job, Options, Outcome};
use std::{env, path::PathBuf, process::ExitCode, thread, time::Instant};
use steps::{STEPS, Step};

const HELP: &str = "\
cargo xtask test [FLAGS] [-- ARGS]    run the tests; ARGS go to the test programs

    (no flags)       the suite of this machine with every feature: works wherever Rust does
    --all-platforms  every step of --list (Debian or alike on x86-64, as root)
    --only STEP      only this step; may be given more than once
    --install        install what the chosen steps lack: Debian packages, Wine, the oldest supported Rust
    --list           name the steps and the Debian packages each one needs

cargo xtask bench [FLAGS]             measure, beside system calls and other crates; see docs/performance.md

    (no flags)       everything, with results in target/bench: a quarter of an hour at most
    --quick          less precise, in less than two minutes
    --only TEXT      only cases whose name contains that; their times are printed
    --docs           write to docs/ and the README, too
    --list           name the cases
    --guard          compare instructions and system calls with bench/guard.txt, as the step of that name does
    --bless          write them there
";

fn main() -> ExitCode {
    let mut args = env::args().skip(1).peekable();
    if args.next_if(|command| command == "bench").is_some() {
        return match bench::run(args) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(problem) => misunderstood(&problem),
        };
    }
    match parse(args) {
        Ok(Some(options)) => run(&options),
        Ok(None) => ExitCode::SUCCESS,
        Err(problem) => misunderstood(&problem),
    }
}

fn misunderstood(problem: &str) -> ExitCode {
    eprintln!("error: {problem}\n\n{HELP}");
    ExitCode::from(2)
}

/// Reads the command line. `None`: it only asked for something to be printed.
fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    match args.next().as_deref() {
        Some("test") => {}
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            return Ok(None);
        }
        Some(other) => return Err(format!("no such command: {other}")),
        None => return Err("no command".into()),
    }
    let mut steps: Vec<&'static Step> = Vec::new();
    let (mut all, mut install) = (false, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--all-platforms" => all = true,
            "--only" => {
                let name = args.next().ok_or("--only needs the name of a step")?;
                let step = STEPS.iter().find(|step| step.name == name);
                steps.push(step.ok_or(format!("no such step: {name}; --list names them"))?);
            }
            "--install" => install = true,
            "--list" => {
                list();
                return Ok(None);
            }
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            "--" => break,
            other => return Err(format!("no such flag: {other}")),
        }
    }
    if steps.is_empty() {
        steps.extend(if all { &STEPS[..] } else { &STEPS[..1] });
    }
    Options::new(steps, install, args.collect()).map(Some)
}

fn list() {
    for step in &STEPS {
        println!("{:10} {}", step.name, step.about);
        if !step.packages.is_empty() {
            println!("{:10}   packages: {}", "", step.packages.concat().join(" "));
        }
    }
}

/// Runs the chosen steps, whatever becomes of any of them, and sums them up. The tests follow one another, so that they
/// do not disturb each other; so do the checks, beside the tests.
fn run(options: &Options) -> ExitCode {
    let started = Instant::now();
    let mut done = Vec::new();
    let _lock = match prepare(options, &mut done) {
        Ok(lock) => lock,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let run_all = |checks: bool| {
        let steps = options.steps.iter().filter(|step| step.is_check == checks);
        let run = |step: &&'static Step| {
            let mut job = Job::new(step.name, options);
            let outcome = job.time(step.run, step.packages);
            (job, outcome)
        };
        steps.map(run).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let checks = scope.spawn(|| run_all(true));
        done.extend(run_all(false));
        done.extend(checks.join().expect("a check does not panic"));
    });
    if options.steps.len() > 1 {
        println!("\n{:10} {:>8} {:>8} {:>8} {:>8}", "step", "seconds", "passed", "failed", "ignored");
        for (job, outcome) in &done {
            let counts = job.counts();
            let columns = if counts.is_zero() {
                String::new()
            } else {
                format!("{:>9}{:>9}{:>9}", counts.passed, counts.failed, counts.ignored)
            };
            let end = if outcome.is_ok() { "" } else { "   FAILED" };
            println!("{:10} {:>8.1}{columns}{end}", job.name, job.seconds());
        }
        println!("{:10} {:>8.1}", "all", started.elapsed().as_secs_f64());
    }
    for job in done.iter().map(|(job, _)| job).filter(|job| !job.left_out.is_empty()) {
        println!("\nleft out of {}:", job.name);
        job.left_out.iter().for_each(|what| println!("  {what}"));
    }
    for (job, outcome) in &done {
        if let Err(problem) = outcome {
            println!("\nFAILED {}: {problem}\n  log: {}", job.name, job.log_path().display());
        }
    }
    let mut sum = job::Counts::default();
    for (job, _) in done.iter().filter(|(job, _)| !job.results.is_empty()) {
        println!("\n{}:", job.name);
        for line in
            job.results.iter().map(|result| &result.line).filter(|line| !job::Counts::of_line(line).is_zero())
        {
            println!("{line}");
        }
        sum += job.counts();
    }
    println!("\n{} passed, {} failed", sum.passed, sum.failed);
    if done.iter().all(|(_, outcome)| outcome.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes the cache for this run and, with `--install`, installs the packages that the chosen steps lack.
fn prepare<'o>(
    options: &'o Options,
    done: &mut Vec<(Job<'o>, Outcome)>,
) -> Result<Option<CacheLock>, String> {
    if options.steps.iter().all(|step| step.name == "native") {
        return Ok(None);
    }
    debian::check_host()?;
    let lock = CacheLock::take(&options.cache)?;
    debian::prune(&options.cache)?;
    if options.install {
        let mut job = Job::new("install", options);
        let outcome = job.time(debian::install, &[]);
        outcome.clone()?;
        done.push((job, outcome));
    }
    Ok(Some(lock))
}

/// The root of the workspace.
fn workspace() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(xtask).parent().map_or(".".into(), PathBuf::from)
}
