//! What Debian brings: packages, the cross toolchains among them, and the oldest supported Rust.

use crate::{
    job::{Job, Options, Outcome},
    workspace,
};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::SystemTime,
};

/// Names of packages.
pub(crate) type Packages = &'static [&'static str];

/// Debian's Rust. It comes with the source of the standard library, so it can build for every target.
pub(crate) const RUST: Packages = &["cargo-web", "rustc-web", "rust-web-clippy", "rust-web-src"];
/// What the oldest supported Rust is linked to. That one itself cannot be installed beside the newer one.
pub(crate) const OLD_RUST: Packages = &["libllvm19", "libpcre3"];

/// Are the steps other than the native suite possible on this machine at all?
pub(crate) fn check_host() -> Outcome {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) && Path::new("/usr/bin/dpkg-query").exists() {
        Ok(())
    } else {
        Err("other platforms are tested from Debian, or alike, on x86-64 only; here: cargo xtask test".into())
    }
}

/// Fails with the names of those `packages` that are not installed.
pub(crate) fn require(packages: &[Packages]) -> Outcome {
    let missing = missing(packages.iter().copied());
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("these Debian packages are missing: {} (--install installs them)", missing.join(" ")))
}

/// Installs those packages that the chosen steps need and that are not installed.
pub(crate) fn install(job: &mut Job<'_>) -> Outcome {
    let missing = missing(job.options.steps.iter().flat_map(|step| step.packages).copied());
    if missing.is_empty() {
        return Ok(());
    }
    require_root(&format!("to install {}", missing.join(" ")))?;
    // Somebody's extra source that does not answer is no reason to stop; a package that cannot be had is.
    let updated = job.run(apt_get().arg("update"));
    let installed = job.run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(missing));
    installed.map_err(|problem| updated.err().map_or(problem.clone(), |first| format!("{first}; {problem}")))
}

fn missing(packages: impl Iterator<Item = Packages>) -> Vec<&'static str> {
    let mut missing: Vec<_> = packages.flatten().copied().filter(|package| !is_installed(package)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn is_installed(package: &str) -> bool {
    let query =
        Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    query.is_ok_and(|query| query.stdout == b"installed")
}

pub(crate) fn require_root(why: &str) -> Outcome {
    let id = Command::new("id").arg("-u").output().map_err(|error| format!("id: {error}"))?;
    if id.stdout.trim_ascii() == b"0" { Ok(()) } else { Err(format!("root is needed {why}")) }
}

pub(crate) fn apt_get() -> Command {
    let mut apt_get = Command::new("apt-get");
    apt_get.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    apt_get
}

/// The mirror of Debian that this machine's own package lists come from.
pub(crate) fn mirror() -> Result<String, String> {
    let query = ["indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", "Label: Debian"];
    let targets = apt_get().args(query).output().map_err(|error| format!("apt-get: {error}"))?;
    let targets = String::from_utf8_lossy(&targets.stdout);
    targets
        .lines()
        .next()
        .map(str::to_owned)
        .ok_or("apt knows no mirror of Debian; is there a source?".into())
}

/// Debian's Cargo in the shared target folder, with the standard library built for each target.
pub(crate) fn cargo(options: &Options, subcommand: &str) -> Command {
    // The real path: Cargo would take the first cargo-clippy in PATH, which may belong to another Rust.
    let program = if subcommand == "clippy" { "/usr/bin/cargo-clippy" } else { "/usr/bin/cargo" };
    let mut cargo = in_cache(options, program.as_ref(), subcommand);
    cargo.arg("-Zbuild-std=std,panic_unwind,test");
    for (name, program) in [("CARGO", "cargo"), ("RUSTC", "rustc"), ("RUSTDOC", "rustdoc")] {
        cargo.env(name, Path::new("/usr/bin").join(program));
    }
    // Allows -Zbuild-std.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo
}

/// Cargo of the oldest supported Rust, which [`old_rust`] has found.
pub(crate) fn old_cargo(options: &Options, rust: &Path, subcommand: &str) -> Command {
    let mut cargo = in_cache(options, &rust.join("usr/bin/cargo"), subcommand);
    cargo.env("RUSTC", rust.join("usr/bin/rustc"));
    cargo.env("LD_LIBRARY_PATH", rust.join("usr/lib/x86_64-linux-gnu"));
    cargo
}

/// `cargo subcommand` in a shared target folder, with what makes builds there quick and the same for everybody.
fn in_cache(options: &Options, cargo: &Path, subcommand: &str) -> Command {
    // Cargo locks a target folder, and checks run beside the tests. They have little in common anyway.
    let (folder, priority) = if subcommand == "test" { ("target/test", "0") } else { ("target/check", "10") };
    let mut command = Command::new("nice");
    command.args(["-n", priority]);
    // With all that it starts it ends when the thread that started it does, and after half an hour.
    command.args(["setpriv", "--pdeathsig", "TERM", "timeout", "--kill-after=5", "1800"]);
    command.arg(cargo).arg(subcommand).current_dir(workspace());
    command.env("CARGO_TARGET_DIR", options.cache.join(folder));
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
    // Of the Rust that runs this program, and of its user, who does not mean other platforms by them.
    for name in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER"] {
        command.env_remove(name);
    }
    command
}

/// Removes the programs that earlier builds left in the cache: of each name the newest stays.
///
/// Cargo never removes one, and with each change to the library there is another of every test.
pub(crate) fn prune(cache: &Path) -> Outcome {
    // What is no folder, or not there yet, has nothing to remove.
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let places = entries(&cache.join("target/test"))
        .flat_map(|target| ["debug/deps", "debug/examples"].map(|place| target.path().join(place)));
    for place in places {
        let mut programs: Vec<_> = entries(&place).filter_map(|entry| program(&entry)).collect();
        programs.sort();
        for older in programs.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| &pair[0].2) {
            fs::remove_file(older).map_err(|error| format!("{}: {error}", older.display()))?;
        }
    }
    Ok(())
}

/// The name without Cargo's hash, the age and the path of a program that Cargo has linked.
fn program(entry: &fs::DirEntry) -> Option<(String, SystemTime, PathBuf)> {
    let path = entry.path();
    let is_program = path.extension().is_none_or(|extension| extension == "exe");
    let (name, _) = path.file_stem()?.to_str()?.rsplit_once('-').filter(|_| is_program)?;
    Some((name.to_owned(), entry.metadata().ok()?.modified().ok()?, path))
}

/// The folder of the Rust `version` from Debian's archive, beside the newer one that is installed.
pub(crate) fn old_rust(job: &mut Job<'_>, version: &str) -> Result<PathBuf, String> {
    let folder = job.options.cache.join(format!("rust-{version}"));
    if folder.join("usr/bin/cargo").exists() {
        return Ok(folder);
    }
    if !job.options.install {
        return Err(format!("Rust {version} is not in {}; --install puts it there", folder.display()));
    }
    let policy = Command::new("apt-cache").args(["madison", "rustc-web"]).output();
    let policy = policy.map_err(|error| format!("apt-cache: {error}"))?;
    let policy = String::from_utf8_lossy(&policy.stdout).into_owned();
    let full = policy.split('|').map(str::trim).find(|full| full.starts_with(&format!("{version}.")));
    let full = full.ok_or(format!("no source of apt has rustc-web {version}"))?;
    let packages = folder.with_extension("debs");
    let unpacked = folder.with_extension("new");
    for folder in [&packages, &unpacked] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let of_rust = ["rustc-web", "cargo-web", "libstd-rust-web-dev", &format!("libstd-rust-web-{version}")]
        .map(|package| format!("{package}={full}"));
    let download = ["download", "--option=APT::Sandbox::User=root"];
    job.run(apt_get().args(download).args(of_rust).current_dir(&packages))?;
    for package in fs::read_dir(&packages).map_err(|error| error.to_string())?.flatten() {
        job.run(Command::new("dpkg-deb").arg("--extract").arg(package.path()).arg(&unpacked))?;
    }
    let _ = fs::remove_dir_all(&packages);
    fs::rename(&unpacked, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// While this lives, no other run of this program uses the cache.
pub(crate) struct CacheLock(Child);

impl CacheLock {
    pub(crate) fn take(cache: &Path) -> Result<Self, String> {
        fs::create_dir_all(cache).map_err(|error| format!("{}: {error}", cache.display()))?;
        // `cat` ends, and the lock with it, when the pipe from this process is closed, however this process ends.
        let mut child = Command::new("flock")
            .arg(cache.join("lock"))
            .args(["sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("flock: {error}"))?;
        let mut output = child.stdout.take().ok_or("flock has no output")?;
        output.read_exact(&mut [0]).map_err(|error| format!("flock: {error}"))?;
        Ok(Self(child))
    }
}

impl Drop for CacheLock {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
