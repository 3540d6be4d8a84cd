//! `ipc demo`, as a process of its own.

mod support;

use support::ipc;

#[test]
fn the_demonstration_exchanges_data_over_both_kinds_of_names() {
    let clients = if cfg!(windows) { "2" } else { "3" };
    let text = ipc(["demo", "--quick", "--clients", clients]).run().success();
    let text = String::from_utf8(text).unwrap();
    for part in
        ["path name:", "namespaced name:", "round trip, 64 B", "MiB/s", "Everything arrived as it was sent"]
    {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    for kind in ["path ", "namespaced "] {
        let row = text.lines().find(|line| line.starts_with(kind) && !line.contains(':'));
        let row = row.unwrap_or_else(|| panic!("no row for {kind} in:\n{text}"));
        assert!(!row.contains(" 0.0 µs") && !row.contains(" 0 "), "{row}");
    }
}

#[test]
fn the_demonstration_ends_quietly_when_nobody_reads_it() {
    let mut demo = ipc(["demo", "--quick", "--clients", "1"]).start();
    demo.stdout = None;
    let ended = demo.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        path::Path,
        process::{ChildStdout, Command},
        time::{Duration, Instant},
    };
    use support::{Directory, PROMPT};

    /// The processes of the first clients, as the demonstration tells them.
    fn clients(stdout: &mut BufReader<ChildStdout>) -> Vec<String> {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "no clients were told");
            if let Some((_, list)) = line.split_once("processes ") {
                return list.trim().split(", ").map(str::to_owned).collect();
            }
        }
    }

    fn demo_in(directory: &Path) -> support::Ipc {
        ipc(["demo", "--clients", "3"]).env("TMPDIR", directory).start()
    }

    fn wait_until_empty(directory: &Path) {
        let started = Instant::now();
        while std::fs::read_dir(directory).unwrap().next().is_some() {
            assert!(started.elapsed() < PROMPT, "something is left in the directory");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_killed_client_is_an_error_and_nothing_is_left_behind() {
        let directory = Directory::new();
        let mut demo = demo_in(&directory.join("."));
        let mut stdout = BufReader::new(demo.stdout.take().unwrap());
        let clients = clients(&mut stdout);
        assert_eq!(clients.len(), 3);
        assert!(Command::new("kill").args(["-KILL", &clients[1]]).status().unwrap().success());
        // So that it does not end because nobody reads what it says.
        std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
        demo.wait().promptly().failure(1, &["client 2", &clients[1], "has ended"]);
        wait_until_empty(&directory.join("."));
    }

    #[test]
    fn a_killed_server_leaves_neither_clients_nor_files_behind() {
        let directory = Directory::new();
        let mut demo = demo_in(&directory.join("."));
        let mut stdout = BufReader::new(demo.stdout.take().unwrap());
        let clients = clients(&mut stdout);
        demo.kill();
        wait_until_empty(&directory.join("."));
        let started = Instant::now();
        for client in clients {
            while Command::new("kill").args(["-0", &client]).output().unwrap().status.success() {
                assert!(started.elapsed() < PROMPT, "client {client} is still there");
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}
