//! The examples as a newcomer runs them: without arguments, each a process of its own, which says what it is to say, in time, and ends well.
//!
//! `cargo test` builds the examples; where only this test is run (`--test recipes`), `cargo build --examples` has to come first.

mod support;

use std::{
    env,
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};
use support::LIMIT;

/// The program of an example, which is beside the folder that this test is in.
fn program(example: &str) -> PathBuf {
    let test = env::current_exe().expect("where the test program is");
    let profile = test.ancestors().nth(2).expect("it is in target/…/PROFILE/deps");
    let program = profile.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: run `cargo build --examples` before", program.display());
    program
}

/// Dropping it kills it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs an example, which has to end well, and gives what it has printed.
#[track_caller]
fn run(example: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program(example));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap_or_else(|error| panic!("{example}: {error}")));

    // Both outputs end when it has, and all that it has started.
    let (text, texts) = mpsc::channel();
    let read = |is_error: bool, mut output: Box<dyn Read + Send>| {
        let text = text.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = output.read_to_end(&mut bytes);
            text.send((is_error, String::from_utf8_lossy(&bytes).into_owned()))
        });
    };
    read(false, Box::new(running.0.stdout.take().expect("piped")));
    read(true, Box::new(running.0.stderr.take().expect("piped")));
    let (mut printed, mut errors) = (String::new(), String::new());
    for _ in 0..2 {
        let Ok((is_error, text)) = texts.recv_timeout(LIMIT) else {
            panic!("{example} hangs: not done within {LIMIT:?}; {printed}{errors}");
        };
        *if is_error { &mut errors } else { &mut printed } = text;
    }
    let status = running.0.wait().expect("a child of ours");
    assert!(status.success(), "{example}: {status}\n{printed}{errors}");
    assert_eq!(errors, "", "{example} complains");
    printed
}

/// Runs an example, which has to print these texts, in this order.
#[track_caller]
fn expect(example: &str, texts: &[&str]) {
    expect_in(example, &run(example, &[]), texts);
}

#[track_caller]
fn expect_in(example: &str, printed: &str, texts: &[&str]) {
    let mut rest = printed;
    for text in texts {
        let Some((_, after)) = rest.split_once(text) else {
            panic!("{example} does not print {text:?}, or not at that point:\n{printed}");
        };
        rest = after;
    }
}

/// Checks that an example prints each of these texts, in whatever order processes come to it.
#[track_caller]
fn expect_somewhere(example: &str, texts: &[&str]) {
    let printed = run(example, &[]);
    for text in texts {
        assert!(printed.contains(text), "{example} does not print {text:?}:\n{printed}");
    }
}

#[test]
fn a_service_admits_whom_its_permissions_and_its_policy_admit() {
    let (told, away) = ("The client is told: come in", "The client is turned away");
    let texts = ["Our own", told, "our group", told, "permissions", told, "Everybody", told, "alone", away];
    expect("access", &texts);
}

#[test]
fn what_waits_is_stopped_from_another_thread() {
    let how = if cfg!(unix) { "is shut down" } else { "cannot be shut down" };
    expect_somewhere(
        "cancel",
        &["A client says: hello", how, "No more clients.", "The conversation is over."],
    );
}

#[cfg(feature = "tokio")]
#[test]
fn futures_are_dropped_and_nothing_is_lost() {
    let texts = ["Nothing for", "hears: Here I am.", "No more", "conversations are over", "hears 0 bytes"];
    expect("cancel_async", &texts);
}

#[test]
fn a_daemon_is_started_asked_and_stopped() {
    let texts = ["at your service", "count: 1\n", "count: 2\n", "stop: good bye", "has ended: exit", ": 0\n"];
    expect("daemon", &texts);
}

#[test]
fn peers_are_logged_with_process_and_user() {
    let printed = run("log_peers", &[]);
    for side in ["connected: user=", "served by: user="] {
        let line = printed.lines().find(|line| line.starts_with(side)).unwrap_or_default();
        let is_complete = if cfg!(any(target_os = "linux", windows)) {
            line.contains(" process=") && line.contains(" program=\"log_peers")
        } else {
            line.len() > side.len()
        };
        assert!(is_complete, "{side}\n{printed}");
    }
}

#[test]
fn files_reach_a_child_when_it_is_started_and_while_it_runs() {
    let texts =
        ["when it is started, and reads: This was there", "while it runs, and reads: This came later"];
    expect("pass_file", &texts);
}

#[test]
fn a_second_instance_hands_its_arguments_to_the_first() {
    let texts = [
        r#"Opening ["letter.txt"]"#,
        r#"Opening ["poem.txt", "play.txt"], as"#,
        r#"Opening ["--line", "7"], as"#,
        r#"["poem.txt", "play.txt"] go to"#,
        r#"["--line", "7"] go to"#,
    ];
    expect_somewhere("single_instance", &texts);
}

#[test]
fn every_wait_has_a_limit() {
    let heard =
        if cfg!(any(target_os = "linux", target_os = "android", windows)) { "not in time" } else { "" };
    let texts = [
        "connecting: not in time",
        "accepting: not in time",
        "receiving: not in time",
        "sending: not in time",
        &format!("being heard: {heard}"),
        "reading a line: not in time",
        "receiving from a pipe: not in time",
    ];
    expect("timeouts", &texts);
}

#[test]
fn a_worker_that_dies_takes_one_job_along() {
    let texts = [
        "1000001: 1000001 is 101 times 9901",
        "1000003: 1000003 is prime",
        "91: 91 is 7 times 13",
        "97: 97 is prime",
        "999999000001: 999999000001 is prime",
        "a dozen: failed, ",
    ];
    expect("worker_pool", &texts);
}

#[test]
fn parents_talk_with_their_children() {
    expect("parent_child", &["2 + 3 = 5", "6 * 7 = 42", "1 / 0 = ?"]);
    expect("pipeline", &["the sum of the squares of 1 to 1000 is 333833500"]);
}

#[test]
fn servers_and_clients_are_blocking_or_async() {
    expect("local_socket_server", &["Listening on @", "The answer: Is anybody there?"]);
    expect("local_socket_client", &["Hello, whoever you are"]);
    #[cfg(feature = "smol")]
    expect("local_socket_smol", &["You said: Hello from the client"]);
    #[cfg(feature = "tokio")]
    {
        expect("local_socket_tokio", &["Client 1 was", "Client 2 was", "Client 3 was"]);
        expect("framed", &["does it work: DOES IT WORK"]);
    }
}

#[cfg(feature = "signals")]
#[test]
fn a_server_ends_well() {
    expect_in("signals", &run("signals", &["once"]), &["no more clients", "1 clients were served"]);
}

#[test]
fn what_only_unix_has_says_so_elsewhere() {
    let [credentials, fifo] = if cfg!(unix) {
        [&["has connected", "It is me.", "It is somebody else."][..], &["Lunch?", "At noon.", "Good."]]
    } else {
        [&["needs Unix"][..], &["Only Unix"]]
    };
    expect("credentials", credentials);
    expect("fifo", fifo);
}

#[test]
fn what_only_windows_has_says_so_elsewhere() {
    let [handles, mailslot, messages] = if cfg!(windows) {
        [&["Fine, thank you.", "It has ended"][..], &["Lunch?", "Never mind."], &["desserts", "reward"]]
    } else {
        [&["needs Windows"][..], &["Only Windows"], &["Windows"]]
    };
    expect("inherit_handles", handles);
    expect("mailslot", mailslot);
    expect("named_pipe_messages", messages);
}

#[test]
fn what_few_systems_have_says_so_elsewhere() {
    let texts = if cfg!(any(target_os = "linux", target_os = "freebsd")) {
        &["9: Put out the fire", "1: Water the plants", "1: Feed the cat"][..]
    } else {
        &["Only Linux and FreeBSD"]
    };
    expect("message_queue", texts);
}

#[cfg(unix)]
#[test]
fn no_example_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    for example in std::fs::read_dir(folder).expect("the examples") {
        let file = example.expect("an example").file_name().into_string().expect("made of ASCII");
        let name = format!("\"{}\"", file.trim_end_matches(".rs"));
        assert!(include_str!("recipes.rs").contains(&name), "nobody runs {file}");
    }
}
