//! One step as it runs: its commands, its log, its time, and what the test runner counted.

use crate::{debian, steps::Step, workspace};
use std::{
    env, fs,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Why a step failed.
pub(crate) type Outcome = Result<(), String>;

/// What the command line asked for, and the folders that follow from it.
pub(crate) struct Options {
    pub(crate) steps: Vec<&'static Step>,
    pub(crate) install: bool,
    /// Arguments for the test programs.
    pub(crate) test_args: Vec<String>,
    /// What outlives a run and any one checkout: Wine, an old Rust, builds of the standard library.
    pub(crate) cache: PathBuf,
    logs: PathBuf,
    /// Show the output as it comes, because there is one step.
    live: bool,
}

impl Options {
    pub(crate) fn new(
        steps: Vec<&'static Step>,
        install: bool,
        test_args: Vec<String>,
    ) -> Result<Self, String> {
        let absolute = |path: PathBuf| path.is_absolute().then_some(path);
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).and_then(absolute);
        let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache")).and_then(absolute);
        let cache = caches.or_else(home).unwrap_or_else(env::temp_dir).join("interprocess-ci");
        let target = env::var_os("CARGO_TARGET_DIR").map_or(workspace().join("target"), PathBuf::from);
        let logs = target.join("xtask");
        fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
        Ok(Self { live: steps.len() == 1, steps, install, test_args, cache, logs })
    }
}

/// One step as it runs.
pub(crate) struct Job<'a> {
    pub(crate) name: &'static str,
    pub(crate) options: &'a Options,
    /// What the test runner printed at the end of each test program.
    pub(crate) results: Vec<TestResult>,
    /// What this step did not do, and why.
    pub(crate) left_out: Vec<String>,
    took: Duration,
}

impl<'a> Job<'a> {
    pub(crate) fn new(name: &'static str, options: &'a Options) -> Self {
        Self { name, options, results: Vec::new(), left_out: Vec::new(), took: Duration::ZERO }
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.options.logs.join(self.name).with_extension("log")
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.took.as_secs_f64()
    }

    /// Whether examples of the documentation were among the tests.
    pub(crate) fn has_tested_docs(&self) -> bool {
        self.results.iter().any(|result| result.of_docs && Counts::of_line(&result.line).passed > 0)
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.results.iter().for_each(|result| sum += Counts::of_line(&result.line));
        sum
    }

    /// Runs the step if the Debian packages that it needs are there, and says how it went.
    pub(crate) fn time(
        &mut self,
        step: impl FnOnce(&mut Self) -> Outcome,
        packages: &[debian::Packages],
    ) -> Outcome {
        let started = Instant::now();
        let outcome = fs::write(self.log_path(), "")
            .map_err(|error| format!("{}: {error}", self.log_path().display()))
            .and_then(|()| debian::require(packages))
            .and_then(|()| step(self));
        self.took = started.elapsed();
        if self.options.live {
            return outcome;
        }
        let counts = self.counts();
        let tests =
            if counts.is_zero() { String::new() } else { format!(", {} tests passed", counts.passed) };
        // Locked, as another step may report too.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{:10} {:>6.1} s{tests}", self.name, self.seconds());
        if let Err(problem) = &outcome {
            let log = fs::read(self.log_path()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<_> = log.lines().collect();
            for line in &lines[lines.len().saturating_sub(400)..] {
                let _ = writeln!(out, "  | {line}");
            }
            let _ = writeln!(out, "{:10} FAILED: {problem}", self.name);
        }
        outcome
    }

    /// Runs `command` without an input, with its output in the log, and collects what the tests in it counted.
    pub(crate) fn run(&mut self, command: &mut Command) -> Outcome {
        let ran = self.log_and_run(command);
        let (status, output) = ran.map_err(|error| format!("{command:?}: {error}"))?;
        self.results.extend(results(&output));
        let arguments: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        let program = command.get_program().to_string_lossy();
        if status.success() { Ok(()) } else { Err(format!("`{program} {}`: {status}", arguments.join(" "))) }
    }

    fn log_and_run(&self, command: &mut Command) -> std::io::Result<(ExitStatus, String)> {
        let path = self.log_path();
        let mut log = OpenOptions::new().append(true).open(&path)?;
        writeln!(log, "$ {command:?}")?;
        let mut reader = File::open(&path)?;
        reader.seek(SeekFrom::End(0))?;
        // Colours, which some ask for in the environment, would hide what is looked for.
        command.env("CARGO_TERM_COLOR", "never");
        let mut child =
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?).spawn()?;
        let mut output = Vec::new();
        loop {
            let ended = child.try_wait()?;
            let seen = output.len();
            reader.read_to_end(&mut output)?;
            if self.options.live {
                std::io::stdout().write_all(&output[seen..])?;
                std::io::stdout().flush()?;
            }
            match ended {
                Some(status) => return Ok((status, String::from_utf8_lossy(&output).into_owned())),
                None => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

/// What a test program said at its end.
#[derive(Debug)]
pub(crate) struct TestResult {
    /// `test result: …`
    pub(crate) line: String,
    /// Whether the tests were examples of the documentation.
    of_docs: bool,
}

/// The lines `test result: …` that Cargo's own test programs printed, in order.
///
/// A test may start its own program again as a child, whose line then comes before that of its parent: of what
/// follows one "Running", only the last counts. After "Doc-tests", each does.
fn results(output: &str) -> Vec<TestResult> {
    let mut found = Vec::new();
    let mut replace = false;
    let mut in_docs = false;
    for line in output.lines() {
        let of_docs = line.starts_with("   Doc-tests ");
        if of_docs || line.starts_with("     Running ") {
            (replace, in_docs) = (false, of_docs);
        } else if line.starts_with("test result: ") {
            if replace && !in_docs {
                found.pop();
            }
            found.push(TestResult { line: line.into(), of_docs: in_docs });
            replace = true;
        }
    }
    found
}

/// Tests that passed, failed and were ignored.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) ignored: u32,
}

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn of_line(line: &str) -> Self {
        let mut counts = Self::default();
        let words = line.split([' ', ';', '.']).filter(|word| !word.is_empty());
        let mut before = "";
        for word in words {
            let count = before.parse().unwrap_or(0);
            match word {
                "passed" => counts.passed = count,
                "failed" => counts.failed = count,
                "ignored" => counts.ignored = count,
                _ => {}
            }
            before = word;
        }
        counts
    }

    pub(crate) fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.10s";
        assert_eq!(Counts::of_line(line), Counts { passed: 12, failed: 3, ignored: 1 });
        assert!(Counts::of_line("running 3 tests").is_zero());
    }

    #[test]
    fn the_line_of_a_child_is_not_counted_and_those_of_doc_tests_all_are() {
        let output = "     Running unittests src/lib.rs (a)\n\
            test result: ok. 1 passed; 0 failed\n\
            \x20    Running tests/b.rs (b)\n\
            test result: ok. 90 passed; 0 failed\n\
            test result: ok. 2 passed; 0 failed\n\
            \x20  Doc-tests interprocess\n\
            test result: ok. 4 passed; 0 failed\n\
            test result: ok. 8 passed; 0 failed\n";
        let results = results(output);
        let passed: Vec<_> = results.iter().map(|result| Counts::of_line(&result.line).passed).collect();
        assert_eq!(passed, [1, 2, 4, 8]);
        let of_docs: Vec<_> = results.iter().map(|result| result.of_docs).collect();
        assert_eq!(of_docs, [false, false, true, true]);
    }
}
