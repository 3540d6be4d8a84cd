//! The suite on other processors: 32-bit x86, which this machine's kernel runs itself, and others by qemu-user.

use crate::{
    debian,
    job::{Job, Outcome},
    steps, workspace,
};
use std::process::Command;

/// A Linux for another processor.
pub(crate) struct Machine {
    pub(crate) target: &'static str,
    /// Debian's name of the compiler, which links.
    linker: &'static str,
    /// Where Debian keeps the C library, for qemu. `None`: no qemu is needed.
    libraries: Option<&'static str>,
    pub(crate) packages: debian::Packages,
}

pub(crate) const AARCH64: Machine = Machine {
    target: "aarch64-unknown-linux-gnu",
    linker: "aarch64-linux-gnu-gcc",
    libraries: Some("/usr/aarch64-linux-gnu"),
    packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user-static"],
};

/// 32 bits.
pub(crate) const I686: Machine = Machine {
    target: "i686-unknown-linux-gnu",
    linker: "i686-linux-gnu-gcc",
    libraries: None,
    packages: &["gcc-i686-linux-gnu", "lib32gcc-s1", "libc6-dev-i386-cross", "libc6-i386"],
};

/// Big-endian.
pub(crate) const S390X: Machine = Machine {
    target: "s390x-unknown-linux-gnu",
    linker: "s390x-linux-gnu-gcc",
    libraries: Some("/usr/s390x-linux-gnu"),
    packages: &["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross", "qemu-user-static"],
};

/// Tests that cannot pass under qemu-user, and why.
const LEFT_OUT: [(&str, &str); 0] = [];

impl Machine {
    /// Tells `cargo` how to link for this machine.
    pub(crate) fn set_linker(&self, cargo: &mut Command) {
        cargo.env(self.variable("LINKER"), self.linker);
    }

    fn variable(&self, what: &str) -> String {
        format!("CARGO_TARGET_{}_{what}", self.target.to_uppercase().replace('-', "_"))
    }
}

pub(crate) fn aarch64(job: &mut Job<'_>) -> Outcome {
    test(job, &AARCH64)
}

pub(crate) fn i686(job: &mut Job<'_>) -> Outcome {
    test(job, &I686)
}

pub(crate) fn s390x(job: &mut Job<'_>) -> Outcome {
    test(job, &S390X)
}

/// Builds everything for `machine` and runs every test.
fn test(job: &mut Job<'_>, machine: &Machine) -> Outcome {
    let mut cargo = debian::cargo(job.options, "test");
    cargo.args(["--workspace", "--all-features", "--no-fail-fast", "--target", machine.target]);
    machine.set_linker(&mut cargo);
    let Some(libraries) = machine.libraries else {
        return steps::run_tests(job, &mut cargo, &[], &[]);
    };
    // qemu translates one process. For those that it starts, the kernel has to be told to call qemu again.
    let with_binfmt = workspace().join("xtask/with-binfmt.sh");
    job.run(Command::new(&with_binfmt).arg("true")).map_err(|problem| {
        format!(
            "the kernel cannot be told of qemu, which takes root, or Linux 6.7 and user namespaces: {problem}"
        )
    })?;
    cargo.env(machine.variable("RUNNER"), with_binfmt).env("QEMU_LD_PREFIX", libraries);
    steps::run_tests(job, &mut cargo, &[], &LEFT_OUT)
}
