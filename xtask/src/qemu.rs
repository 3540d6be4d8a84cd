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
    /// Tests that cannot pass under qemu, and why.
    left_out: &'static [(&'static str, &'static str)],
}

pub(crate) const AARCH64: Machine = Machine {
    target: "aarch64-unknown-linux-gnu",
    linker: "aarch64-linux-gnu-gcc",
    libraries: Some("/usr/aarch64-linux-gnu"),
    packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user-static"],
    left_out: &[
        ("access::unix::access_for_the_group_admits_its_members_and_no_others", ONE_GROUP),
        ("a_client_gets_the_mode_that_it_asks_for_however_it_waits", NO_TIMEOUTS),
        ("a_timeout_ends_receiving_and_sending", NO_TIMEOUTS),
        ("a_timeout_of_zero_is_refused_and_changes_nothing", NO_TIMEOUTS),
        ("bad_input_leaves_nothing_open", NO_TIMEOUTS),
        ("clones_share_modes_and_timeouts", NO_TIMEOUTS),
        ("connecting::client_that_waits_gets_the_first_free_slot", NO_TIMEOUTS),
        ("data::accept_has_a_deadline", NO_TIMEOUTS),
        ("real_time_signals_are_handled_by_their_numbers_from_0", FEWER_SIGNALS),
        ("receiving_and_sending_have_timeouts", NO_TIMEOUTS),
        ("signals_that_keep_coming_do_not_put_off_a_timeout", NO_TIMEOUTS),
        ("timeout_of_for_ever_waits_as_long_as_it_takes", NO_TIMEOUTS),
        ("timeout_of_zero_is_invalid_or_does_not_wait", NO_TIMEOUTS),
        ("timeouts_can_be_read_back_and_taken_away", NO_TIMEOUTS),
        ("timeouts_of_halves_are_those_of_the_stream", NO_TIMEOUTS),
    ],
};

/// 32 bits.
pub(crate) const I686: Machine = Machine {
    target: "i686-unknown-linux-gnu",
    linker: "i686-linux-gnu-gcc",
    libraries: None,
    packages: &["gcc-i686-linux-gnu", "lib32gcc-s1", "libc6-dev-i386-cross", "libc6-i386"],
    left_out: &[],
};

/// Big-endian.
pub(crate) const S390X: Machine = Machine {
    target: "s390x-unknown-linux-gnu",
    linker: "s390x-linux-gnu-gcc",
    libraries: Some("/usr/s390x-linux-gnu"),
    packages: &["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross", "qemu-user-static"],
    left_out: &[
        ("access::unix::access_for_the_group_admits_its_members_and_no_others", ONE_GROUP),
        ("a_child_that_is_given_it_shares_the_counter_and_it_outlives_the_child", SWAPPED_COUNTER),
        ("a_counter_is_taken_and_added_to_in_time", SWAPPED_COUNTER),
        ("asynchronous::on_smol::taking_waits_until_another_thread_adds", SWAPPED_COUNTER),
        ("asynchronous::on_tokio::taking_waits_until_another_thread_adds", SWAPPED_COUNTER),
        ("clones_are_of_one_counter_and_no_child_inherits_them", SWAPPED_COUNTER),
        ("os::unix::eventfd::EventFd::try_clone", SWAPPED_COUNTER),
        ("os::unix::eventfd::smol", SWAPPED_COUNTER),
        ("os::unix::eventfd::tokio", SWAPPED_COUNTER),
        ("real_time_signals_are_handled_by_their_numbers_from_0", FEWER_SIGNALS),
    ],
};

const FEWER_SIGNALS: &str = "qemu keeps some real-time signals to itself";
const SWAPPED_COUNTER: &str = "qemu 7.2 turns the bytes of a duplicated eventfd's counter round";

/// Where rustix does without the C library, it uses the newer numbers of these options.
const NO_TIMEOUTS: &str =
    "qemu 7.2 does not know SO_RCVTIMEO_NEW and SO_SNDTIMEO_NEW, so timeouts cannot be read back";
const ONE_GROUP: &str = "qemu 7.2 takes SO_PEERGROUPS for a number, and so tells one group at most";

/// What a processor makes a difference to, and so is built and run.
pub(crate) const PACKAGE: [&str; 2] = ["--package", "interprocess"];

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

/// Builds what is to be tested for `machine` and runs every test of it.
fn test(job: &mut Job<'_>, machine: &Machine) -> Outcome {
    let mut cargo = debian::cargo(job.options, "test");
    cargo.args(PACKAGE);
    cargo.args(["--all-features", "--no-fail-fast", "--target", machine.target]);
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
    // For qemu, vfork is fork: a child that is being started holds all that its parent has open, its sockets too, for a
    // while after it has been "started". No other test should meet that.
    steps::run_tests(job, &mut cargo, &["--test-threads=1"], machine.left_out)
}
