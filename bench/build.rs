//! Says which peers there are to compare with, and which compiler it is.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=RUSTC");
    println!("cargo::rerun-if-changed=build.rs");
    let version = compiler().unwrap_or_default();
    println!("cargo::rustc-env=BENCH_RUSTC={version}");

    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rustc-env=BENCH_PEERS={}", peers().unwrap_or_default());

    // Pipes came to std with Rust 1.87.
    let minor = version.strip_prefix("rustc 1.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    cfg("has_std_pipe", minor.is_some_and(|minor| minor >= 87));
    let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let has_peers = env::var_os("CARGO_FEATURE_PEERS").is_some();
    cfg("has_old", has_peers && matches!(&*os, "linux" | "windows"));
    cfg("has_ipc_channel", has_peers && os == "linux");
}

fn cfg(name: &str, is_set: bool) {
    println!("cargo::rustc-check-cfg=cfg({name})");
    if is_set {
        println!("cargo::rustc-cfg={name}");
    }
}

/// The versions of what ours is compared with.
fn peers() -> Option<String> {
    let lock = std::fs::read_to_string("../Cargo.lock").ok()?;
    let version = |name: &&str| {
        let package =
            lock.split("[[package]]").find(|package| package.contains(&format!("\nname = \"{name}\"\n")))?;
        Some(format!("{name} {}", package.split("version = \"").nth(1)?.split('"').next()?))
    };
    Some(["tokio", "async-net", "ipc-channel"].iter().filter_map(version).collect::<Vec<_>>().join(", "))
}

/// `rustc 1.MINOR.PATCH (...)`.
fn compiler() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
