//! `cargo xtask bench`, and the step `guard`: builds the package `bench`, and runs it.

use crate::{
    HELP, debian,
    job::{Job, Outcome},
    steps::own_cargo,
    workspace,
};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// What counts.
pub(crate) const TOOLS: debian::Packages = &["strace", "valgrind"];

const GUARD: &str = "bench/guard.txt";

/// Runs what the command line asks for, and says whether it went well. An error is one of the command line.
pub(crate) fn run(mut args: impl Iterator<Item = String>) -> Result<bool, String> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or(workspace().join("target"), PathBuf::from);
    let results = target.join("bench");
    let mut flags: Vec<String> = Vec::new();
    // Without the peers, as in the step.
    let (mut counts_only, mut docs, mut quick, mut partly) = (None, false, false, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => {
                quick = true;
                flags.push(arg);
            }
            "--only" => {
                partly = true;
                flags.extend([arg, args.next().ok_or("--only needs a part of a name")?]);
            }
            "--list" => {
                partly = true;
                flags.push(arg);
            }
            "--docs" => docs = true,
            "--guard" | "--bless" => counts_only = Some(arg),
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(true);
            }
            other => return Err(format!("no such flag: {other}")),
        }
    }
    if docs && (partly || quick) {
        return Err("the documentation is about everything, and precise".into());
    }
    if counts_only.is_some() && (docs || !flags.is_empty()) {
        return Err("--guard and --bless go without other flags".into());
    }
    let mut bench = Command::new(program(&target));
    bench.current_dir(workspace()).env("CARGO", own_cargo().get_program());
    let mut build = own_cargo();
    if let Some(flag) = counts_only {
        build.args(BUILD);
        bench.args([&flag, GUARD]);
    } else {
        build.args(BUILD).args(["--package", "interprocess-cli", "--features", "interprocess-bench/peers"]);
        bench.args(flags);
        if docs {
            bench.args(["--out", "docs", "--readme", "README.md"]);
        } else if !partly {
            bench.arg("--out").arg(results);
        }
    }
    Ok(succeeds(&mut build) && succeeds(&mut bench))
}

fn succeeds(command: &mut Command) -> bool {
    let problem = match command.status() {
        Ok(status) if status.success() => return true,
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    eprintln!("error: {}: {problem}", command.get_program().to_string_lossy());
    false
}

const BUILD: [&str; 5] = ["build", "--release", "--locked", "--package", "interprocess-bench"];

fn program(target: &Path) -> PathBuf {
    target.join("release").join(format!("interprocess-bench{}", env::consts::EXE_SUFFIX))
}

/// Compares with the committed figures. Built apart, so that the suite, which may run at the same time, has its folder for itself.
pub(crate) fn guard(job: &mut Job<'_>) -> Outcome {
    let target = job.options.cache.join("target/guard");
    job.run(own_cargo().args(BUILD).env("CARGO_TARGET_DIR", &target))?;
    let mut guard = Command::new("timeout");
    job.run(
        guard
            .args(["--kill-after=5", "600"])
            .arg(program(&target))
            .args(["--guard", GUARD])
            .current_dir(workspace()),
    )
    .map_err(|problem| format!("{problem}; what is worse is at the end of the log"))
}
