//! Says whether the standard library has `std::io::pipe`, as it has from Rust 1.87 on.

use std::{env, process::Command};

fn main() {
    // Only with another compiler, which has cargo build everything anew anyway.
    println!("cargo::rerun-if-env-changed=RUSTC");
    println!("cargo::rustc-check-cfg=cfg(has_std_pipe)");
    if minor_version().is_some_and(|minor| minor >= 87) {
        println!("cargo::rustc-cfg=has_std_pipe");
    }
}

/// Of `rustc 1.MINOR.PATCH (...)`. A compiler that says something else is taken for an old one.
fn minor_version() -> Option<u32> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}
