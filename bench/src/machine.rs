//! What was measured, and where.

use std::{
    env, fs,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// What a reader has to know, by name, in order.
pub(crate) fn describe() -> Vec<(&'static str, String)> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let mut facts = vec![
        ("date", date()),
        ("commit", commit()),
        ("compiler", env!("BENCH_RUSTC").to_owned()),
        ("beside", format!("interprocess 2.4.7, {}", env!("BENCH_PEERS"))),
        ("processor", format!("{}, {cpus} of them", processor())),
        ("system", format!("{} {}, {}", env::consts::OS, kernel(), env::consts::ARCH)),
    ];
    if cfg!(target_os = "linux") {
        facts.push(("governor", governor()));
        facts.push(("load at the start", load()));
    }
    facts
}

/// The average of the last minute, and of the last five and fifteen.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(", ")
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = value("model name").unwrap_or_else(|| "unknown model".to_owned());
    let is_virtual = value("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    if is_virtual { format!("{model}, in a virtual machine") } else { model }
}

fn kernel() -> String {
    let version = if cfg!(windows) { run("cmd", &["/c", "ver"]) } else { run("uname", &["-r"]) };
    version.unwrap_or_else(|| "of unknown version".to_owned())
}

fn governor() -> String {
    let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    governor.map_or_else(|_| "not to be seen".to_owned(), |governor| governor.trim().to_owned())
}

fn commit() -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    let Some(commit) = run("git", &["-C", folder, "rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    // What is measured and what measures; not where the results are written.
    let paths = ["../src", "../Cargo.toml", "../Cargo.lock", "../cli", "src", "Cargo.toml"];
    let changed =
        Command::new("git").args(["-C", folder, "diff", "--quiet", "HEAD", "--"]).args(paths).status();
    if changed.is_ok_and(|changed| changed.success()) { commit } else { format!("{commit}, and changes") }
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// `2026-04-14`, in UTC.
fn date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil(now.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date that is so many days after the first of January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years of four centuries have 146,097 days. They begin in March here, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(11_017), (2000, 3, 1));
        assert_eq!(civil(20_557), (2026, 4, 14));
        assert_eq!(civil(20_453), (2025, 12, 31));
    }
}
