//! How long a clean build takes, and of how many crates, with each set of features, beside 2.4.7.

use crate::peer::Peer;
use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// A program that depends on one of the crates.
pub(crate) struct Build {
    pub(crate) features: &'static str,
    pub(crate) peer: Peer,
    /// All that have to be built, the crate itself among them.
    pub(crate) crates: u32,
    /// The median.
    pub(crate) seconds: f64,
}

/// What stands in the manifest, and for whom.
const SETS: [(&str, &str, &[Peer]); 4] = [
    ("none", "default-features = false", &[Peer::Ours, Peer::Old]),
    ("default", "", &[Peer::Ours, Peer::Old]),
    ("tokio", "features = [\"tokio\"]", &[Peer::Ours, Peer::Old]),
    ("smol", "features = [\"smol\"]", &[Peer::Ours]),
];
const ROUNDS: usize = 3;

pub(crate) fn measure() -> io::Result<Vec<Build>> {
    let folder = env::temp_dir().join(format!("interprocess-bench-{}", std::process::id()));
    let measured = in_folder(&folder);
    let _ = fs::remove_dir_all(&folder);
    measured
}

fn in_folder(folder: &Path) -> io::Result<Vec<Build>> {
    let mut projects = Vec::new();
    for (features, manifest, peers) in SETS {
        for peer in peers {
            let project = folder.join(format!("{features}-{}", peer.name()));
            write(&project, *peer, manifest)?;
            let crates = crates(&project)?;
            projects.push((project, Build { features, peer: *peer, crates, seconds: f64::NAN }, Vec::new()));
        }
    }
    // By turns, as the machine may become slower.
    for _ in 0..ROUNDS {
        for (project, _, times) in &mut projects {
            times.push(build(project)?);
        }
    }
    Ok(projects
        .into_iter()
        .map(|(_, build, mut times)| {
            times.sort_by(f64::total_cmp);
            Build { seconds: times[times.len() / 2], ..build }
        })
        .collect())
}

fn write(project: &Path, peer: Peer, features: &str) -> io::Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let source = match peer {
        Peer::Ours => format!("path = '{}'", root.display()),
        _ => "version = \"=2.4.7\"".to_owned(),
    };
    let features = if features.is_empty() { String::new() } else { format!(", {features}") };
    fs::create_dir_all(project.join("src"))?;
    fs::write(project.join("src/main.rs"), "fn main() {}\n")?;
    // The same versions of what both depend on.
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;
    let manifest = format!(
        "[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\ninterprocess = {{ {source}{features} }}\n\n[workspace]\n"
    );
    fs::write(project.join("Cargo.toml"), manifest)
}

fn cargo(project: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(arguments).arg("--offline").current_dir(project).env_remove("CARGO_TARGET_DIR");
    cargo.stdin(Stdio::null()).stderr(Stdio::piped());
    cargo
}

fn output(mut cargo: Command) -> io::Result<String> {
    let output = cargo.output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

fn crates(project: &Path) -> io::Result<u32> {
    let tree = ["tree", "--prefix", "none", "--edges", "normal,build", "--no-dedupe", "--format", "{p}"];
    let tree = output(cargo(project, &tree))?;
    let crates = tree.lines().collect::<BTreeSet<_>>().len().saturating_sub(1);
    u32::try_from(crates).map_err(io::Error::other)
}

fn build(project: &Path) -> io::Result<f64> {
    let target = project.join("target");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let start = Instant::now();
    output(cargo(project, &["build"]))?;
    Ok(start.elapsed().as_secs_f64())
}
