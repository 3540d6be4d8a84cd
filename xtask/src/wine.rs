//! The suite for Windows, under a Wine that is recent enough (10; Debian 12 has 8, where much of pipes is missing).
//! It lives, with a Debian 13 of its own around it, in the cache.

use crate::{
    debian,
    job::{Job, Outcome},
    steps, workspace,
};
use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

pub(crate) const TARGET: &str = "x86_64-pc-windows-gnu";
pub(crate) const PACKAGES: debian::Packages = &["debootstrap", "gcc-mingw-w64-x86-64-win32"];

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// Tests that cannot pass under Wine, and why.
const LEFT_OUT: [(&str, &str); 0] = [];

/// Builds everything for Windows and runs every test.
pub(crate) fn test(job: &mut Job<'_>) -> Outcome {
    let wine = Wine::find_or_install(job)?;
    let build = ["--workspace", "--all-features", "--target", TARGET];
    job.run(debian::cargo(job.options, "test").args(build).arg("--no-run"))?;
    wine.restart_server()?;
    let mut cargo = debian::cargo(job.options, "test");
    cargo.args(build).arg("--no-fail-fast");
    wine.make_runner_of(&mut cargo);
    // What pipes do under Wine takes a hundred times as long as on Windows: one test at a time meets its deadlines.
    let outcome = steps::run_tests(job, &mut cargo, &["--test-threads=1"], &LEFT_OUT);
    wine.stop_server();
    outcome
}

/// A Debian with Wine in a folder.
#[derive(Clone)]
struct Wine {
    /// The root of that Debian.
    root: PathBuf,
    /// Wine's idea of drive C and of the registry.
    prefix: PathBuf,
    /// Where programs built from documentation go, which have to be seen inside.
    temporary: PathBuf,
    /// Folders that are the same inside and outside.
    share: String,
}

impl Wine {
    fn find_or_install(job: &mut Job<'_>) -> Result<Self, String> {
        debian::require_root("to enter the folder that Wine is in")?;
        let root = job.options.cache.join("wine10/chroot");
        let [prefix, temporary, target] =
            ["wine-prefix", "tmp", "target"].map(|name| job.options.cache.join(name));
        for folder in [&prefix, &temporary, &target] {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let share = [&prefix, &temporary, &target, &workspace()].map(|folder| folder.display().to_string());
        let wine = Self { root, prefix, temporary, share: share.join(":") };
        if !wine.root.exists() {
            if !job.options.install {
                return Err(format!("there is no Wine in {}; --install puts it there", wine.root.display()));
            }
            wine.install(job)?;
        }
        if !wine.prefix.join("system.reg").exists() {
            wine.restart_server()?;
            job.run(&mut wine.command(&[WINE, "wineboot", "--init"]))?;
            wine.stop_server();
        }
        Ok(wine)
    }

    fn install(&self, job: &mut Job<'_>) -> Outcome {
        let new = Self { root: self.root.with_extension("new"), ..self.clone() };
        let _ = fs::remove_dir_all(&new.root);
        let mut debootstrap = Command::new("debootstrap");
        job.run(debootstrap.args(["--variant=minbase", "trixie"]).arg(&new.root).arg(debian::mirror()?))?;
        let apt =
            "apt-get --quiet update && apt-get --quiet install --yes --no-install-recommends wine wine64";
        let install = format!("{apt} && apt-get clean && rm -r /var/lib/apt/lists/*");
        job.run(new.command(&["/bin/sh", "-c", &install]).env("DEBIAN_FRONTEND", "noninteractive"))?;
        fs::rename(&new.root, &self.root).map_err(|error| format!("{}: {error}", self.root.display()))
    }

    /// Starts the process that all programs under Wine share.
    ///
    /// Left to the first program, it would keep that program's pipes, which would then never seem to end. And it is this
    /// process that opens files: one that is there from another checkout would not see those of this one.
    fn restart_server(&self) -> Outcome {
        self.stop_server();
        self.server("--persistent")
    }

    fn stop_server(&self) {
        // Both fail if there is none.
        let _ = self.server("--kill");
        let _ = self.server("--wait");
    }

    fn server(&self, what: &str) -> Outcome {
        let mut server = self.command(&[SERVER, what]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = server.status().map_err(|error| format!("wineserver: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("wineserver {what}: {status}")) }
    }

    /// `command` inside, with Wine's settings.
    fn command(&self, command: &[&str]) -> Command {
        let mut inside = Command::new(workspace().join("xtask/in-chroot.sh"));
        inside.args(command);
        self.set_up(&mut inside);
        inside
    }

    /// Lets `cargo` run the programs that it builds for Windows under this Wine.
    fn make_runner_of(&self, cargo: &mut Command) {
        let runner = format!("{} {WINE}", workspace().join("xtask/in-chroot.sh").display());
        cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", runner).env("TMPDIR", &self.temporary);
        self.set_up(cargo);
    }

    fn set_up(&self, command: &mut Command) {
        command
            .env("XTASK_CHROOT", &self.root)
            .env("XTASK_SHARE", &self.share)
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", env::var_os("WINEDEBUG").unwrap_or("-all".into()))
            // Without the debugger a crash is one line and an exit code; with it, a program that never ends.
            .env("WINEDLLOVERRIDES", "winemenubuilder.exe,winedbg.exe,mscoree,mshtml=")
            .env("XDG_RUNTIME_DIR", "/tmp");
    }
}
