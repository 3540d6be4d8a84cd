//! The steps, and those of them that need neither Wine nor qemu.

use crate::{
    bench, debian,
    job::{Job, Outcome},
    qemu, wine, workspace,
};
use std::{env, fs, process::Command};

/// One thing that can be run by itself.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Groups of Debian packages that it needs.
    pub(crate) packages: &'static [debian::Packages],
    /// It runs no test, and so can have what time the tests leave.
    pub(crate) is_check: bool,
    pub(crate) run: Run,
}

/// All steps. The first needs only Rust, and is the one that runs when none is asked for.
pub(crate) static STEPS: [Step; 12] = [
    tests("native", native, &[], "the suite of this machine, with every feature"),
    tests("build", build, BUILD, "build what the next three run, all at once because that is quicker"),
    tests("windows", wine::test, &[debian::RUST, wine::PACKAGES], "the suite for Windows, by Wine"),
    tests("i686", qemu::i686, &[debian::RUST, qemu::I686.packages], "the suite on 32-bit x86"),
    tests("aarch64", qemu::aarch64, &[debian::RUST, qemu::AARCH64.packages], "the suite on 64-bit ARM"),
    tests("s390x", qemu::s390x, &[debian::RUST, qemu::S390X.packages], "the suite on big-endian s390x"),
    check("clippy", clippy, &[debian::RUST], "clippy for every platform, warnings denied"),
    check(
        "features",
        features,
        &[debian::RUST],
        "clippy for each feature and each pair, on Linux and Windows",
    ),
    check("doc", doc, &[debian::RUST], "rustdoc for Linux, Windows and macOS, warnings denied"),
    check("msrv", msrv, &[debian::RUST, debian::OLD_RUST], "check with the oldest Rust that is supported"),
    check("guard", bench::guard, &[bench::TOOLS], "instructions and system calls, beside those of last time"),
    check("deny", deny, &[], "licenses, advisories and sources of the dependencies"),
];

const BUILD: &[debian::Packages] =
    &[debian::RUST, wine::PACKAGES, qemu::I686.packages, qemu::AARCH64.packages];

type Run = fn(&mut Job<'_>) -> Outcome;

const fn tests(
    name: &'static str,
    run: Run,
    packages: &'static [debian::Packages],
    about: &'static str,
) -> Step {
    Step { name, about, packages, is_check: false, run }
}

const fn check(
    name: &'static str,
    run: Run,
    packages: &'static [debian::Packages],
    about: &'static str,
) -> Step {
    Step { is_check: true, ..tests(name, run, packages, about) }
}

const LINUX: &str = "x86_64-unknown-linux-gnu";

/// Where warnings are denied. Nothing is linked, so it takes no toolchain but Rust's own.
const EVERY_PLATFORM: [&str; 12] = [
    LINUX,
    "x86_64-unknown-linux-musl",
    "aarch64-linux-android",
    "aarch64-apple-darwin",
    "x86_64-unknown-freebsd",
    "x86_64-unknown-netbsd",
    "x86_64-unknown-openbsd",
    "x86_64-unknown-dragonfly",
    "x86_64-unknown-illumos",
    "x86_64-pc-windows-msvc",
    "i686-pc-windows-msvc",
    wine::TARGET,
];

/// Where warnings are denied in the other packages of the workspace, too: they have no parts for one system alone but these.
const WHOLE_WORKSPACE: [&str; 3] = [LINUX, wine::TARGET, "aarch64-apple-darwin"];

/// Where documentation is built, as docs.rs does: of each, the modules that others do not have.
const DOCUMENTED: [&str; 3] = [LINUX, wine::TARGET, "aarch64-apple-darwin"];

/// Where every set of features is checked.
const BOTH_WORLDS: [&str; 2] = [LINUX, wine::TARGET];

/// Adds `--target` for each of `targets`: Cargo then works on all at once, which keeps every processor busy while the
/// standard library, a chain of crates, is built for each.
fn targets<'c>(cargo: &'c mut Command, targets: &[&str]) -> &'c mut Command {
    cargo.args(targets.iter().flat_map(|target| ["--target", target]))
}

fn native(job: &mut Job<'_>) -> Outcome {
    let mut cargo = own_cargo();
    cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    run_tests(job, &mut cargo, &[], &[])
}

/// Runs `cargo test …` with what the command line said for the test programs, without the tests that are `left_out`,
/// each given with the reason.
pub(crate) fn run_tests(
    job: &mut Job<'_>,
    cargo: &mut Command,
    harness: &[&str],
    left_out: &[(&str, &str)],
) -> Outcome {
    cargo.arg("--").args(harness);
    for (name, reason) in left_out {
        cargo.args(["--skip", name]);
        job.left_out.push(format!("{name}: {reason}"));
    }
    job.run(cargo.args(&job.options.test_args))?;
    if job.counts().is_zero() && job.options.test_args.is_empty() {
        Err("no test ran".into())
    } else if !job.has_tested_docs() && job.options.test_args.is_empty() {
        // For another target, Cargo leaves them out without a word before 1.89.
        Err("no example of the documentation was tested: is Cargo too old for that?".into())
    } else {
        Ok(())
    }
}

fn clippy(job: &mut Job<'_>) -> Outcome {
    let options = job.options;
    let check = |packages: &[&str], platforms: &[&str]| {
        let mut cargo = debian::cargo(options, "clippy");
        cargo.args(packages).args(["--all-targets", "--all-features", "--keep-going"]);
        targets(&mut cargo, platforms).args(["--", "--deny", "warnings"]);
        cargo
    };
    let all =
        [(&["--package", "interprocess"][..], &EVERY_PLATFORM[..]), (&["--workspace"], &WHOLE_WORKSPACE)];
    for (packages, platforms) in all {
        if job.run(&mut check(packages, platforms)).is_ok() {
            continue;
        }
        // Clippy's messages do not say which target they are for. What passed is not checked again. If all pass, then all at once, from
        // nothing and on a busy machine, took longer than a command may.
        let failed = |platform: &&&str| job.run(&mut check(packages, &[platform])).is_err();
        let failed: Vec<_> = platforms.iter().filter(failed).copied().collect();
        if !failed.is_empty() {
            return Err(format!("clippy has complaints on {}", failed.join(", ")));
        }
    }
    clippy_of_fuzzing(job)
}

/// `fuzz` is a workspace of its own, and for Linux. Without the engine, which is C++, no compiler for that is needed.
fn clippy_of_fuzzing(job: &mut Job<'_>) -> Outcome {
    let mut cargo = debian::cargo(job.options, "clippy");
    cargo.args(["--manifest-path", "fuzz/Cargo.toml", "--no-default-features", "--locked"]);
    job.run(targets(&mut cargo, &[LINUX]).args(["--", "--deny", "warnings"]))
        .map_err(|problem| format!("of fuzz: {problem}"))
}

fn features(job: &mut Job<'_>) -> Outcome {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).map_err(|error| error.to_string())?;
    for features in feature_sets(&manifest) {
        let mut cargo = debian::cargo(job.options, "clippy");
        cargo.args(["--package", "interprocess", "--no-default-features", "--features", &features]);
        // The tests compile with no feature and with all, and each example with the one that it is for.
        cargo.args(match features.split(',').count() {
            _ if features.is_empty() => &["--all-targets"][..],
            1 => &["--lib", "--examples"],
            _ => &["--lib"],
        });
        job.run(targets(&mut cargo, &BOTH_WORLDS).args(["--", "--deny", "warnings"]))
            .map_err(|problem| format!("with the features `{features}`: {problem}"))?;
    }
    Ok(())
}

/// No feature, each, and each pair; with all at once everything else is checked. Less those that mean the same: no feature
/// next to one that implies it, and of features that merely rename others (`tokio_support = ["tokio"]`) each by itself.
fn feature_sets(manifest: &str) -> Vec<String> {
    let table = manifest.split("\n[features]\n").nth(1).unwrap_or_default();
    let table = table.split("\n[").next().unwrap_or_default();
    let lines: Vec<_> = table.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let lines = lines.concat();
    let all: Vec<(&str, Vec<&str>)> = lines
        .split(']')
        .filter_map(|entry| entry.split_once('='))
        .map(|(name, implied)| (name.trim(), implied.split('"').skip(1).step_by(2).collect()))
        .filter(|(name, _)| *name != "default")
        .collect();
    let is_feature = |name: &&str| all.iter().any(|(other, _)| other == name);
    let (aliases, own): (Vec<_>, Vec<_>) =
        all.iter().partition(|(_, implied)| !implied.is_empty() && implied.iter().all(is_feature));
    let mut sets: Vec<String> = aliases.iter().map(|(name, _)| (*name).to_owned()).collect();
    for bits in 0..1_u32 << own.len() {
        let set: Vec<_> =
            (0..own.len()).filter(|index| bits >> index & 1 == 1).map(|index| own[index]).collect();
        let is_implied = |name: &str| set.iter().any(|(_, implied)| implied.contains(&name));
        if set.len() <= 2 && !set.iter().any(|(name, _)| is_implied(name)) {
            sets.push(set.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","));
        }
    }
    sets
}

fn doc(job: &mut Job<'_>) -> Outcome {
    let mut cargo = debian::cargo(job.options, "doc");
    cargo.args(["--workspace", "--no-deps", "--all-features"]);
    // With `docsrs`, each item says where it exists.
    cargo.env("RUSTDOCFLAGS", "--cfg docsrs --deny warnings");
    job.run(targets(&mut cargo, &DOCUMENTED))
}

fn msrv(job: &mut Job<'_>) -> Outcome {
    let rust = debian::old_rust(job, env!("CARGO_PKG_RUST_VERSION"))?;
    job.run(debian::old_cargo(job.options, &rust, "check").args([
        "--workspace",
        "--all-targets",
        "--all-features",
    ]))
}

fn deny(job: &mut Job<'_>) -> Outcome {
    let version = own_cargo().args(["deny", "--version"]).output();
    if !version.is_ok_and(|version| version.status.success()) {
        job.left_out.push("everything, as cargo-deny is not installed (cargo install cargo-deny)".into());
        return Ok(());
    }
    job.run(own_cargo().args(["deny", "--all-features", "check"]))
}

fn build(job: &mut Job<'_>) -> Outcome {
    // In each of the two the packages are as in the steps that run them. With others, rustix would get their features on
    // s390x, too, and its step would build everything anew.
    let mut windows = debian::cargo(job.options, "test");
    windows.args(["--workspace", "--all-features", "--no-run"]);
    job.run(targets(&mut windows, &[wine::TARGET]))?;
    let mut others = debian::cargo(job.options, "test");
    others.args(qemu::PACKAGE).args(["--all-features", "--no-run"]);
    for machine in [qemu::I686, qemu::AARCH64] {
        machine.set_linker(&mut others);
        targets(&mut others, &[machine.target]);
    }
    job.run(&mut others)?;
    Ok(())
}

/// The Cargo that runs this program.
pub(crate) fn own_cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(workspace());
    cargo
}

#[cfg(test)]
mod tests {
    use super::feature_sets;

    #[test]
    fn feature_sets_leave_out_what_means_the_same() {
        let manifest = "[package]\nname = \"a\"\n\n[features]\ndefault = [\"one\"]\n## Two = [\"no\"].\n\
            one = []\ntwo = [\n    \"one\",\n    \"dep:x\",\n]\nthree = [\"one\", \"dep:y\"]\nfour = [\"dep:z\"]\nold = [\"two\"]\n\
            \n[dependencies]\nx = { features = [\"z\"] }\n";
        let sets =
            ["old", "", "one", "two", "three", "two,three", "four", "one,four", "two,four", "three,four"];
        assert_eq!(feature_sets(manifest), sets);
    }
}
