//! Children that get what they are given, by name, and nothing else.

mod support;

use interprocess::{
    child::{Give, inherited},
    local_socket::{Listener, Stream},
    unnamed_pipe::{Recver, Sender, pipe},
};
use std::{
    env,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};
use support::{Child, LIMIT, TempDir, hear, in_time, say, unique_name, within};

/// The environment variable that tells the child where to look.
const VARIABLE: &str = "INTERPROCESS_INHERITED";

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn child_entry() {
    support::child_entry(&[
        ("work", work),
        ("work_quietly", work_quietly),
        ("count", count),
        ("have_nothing", have_nothing),
        ("serve", serve),
        ("use_stream", use_stream),
        ("append", append),
        ("hold", hold),
        ("write_until_killed", write_until_killed),
        ("ask_badly", ask_badly),
        ("start_another", start_another),
        ("ask", ask),
        ("relay", relay),
        #[cfg(unix)]
        ("leave_something_open", unix::leave_something_open),
    ]);
}

/// A child that cannot be talked to, but by what it is given.
fn quiet(function: &str, arguments: &[&str]) -> Command {
    let mut command = Child::command(function, arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Reads the jobs to their end.
fn work(_: &[String]) {
    let before = open_things();
    let mut jobs: Recver = inherited("jobs").expect("given");
    let mut answers: Sender = inherited("answers").expect("given");
    let mut text = String::new();
    jobs.read_to_string(&mut text).expect("receive");
    answers.write_all(text.to_uppercase().as_bytes()).expect("send");
    assert_eq!(open_things(), before, "what was found by name is what was there");
    drop((jobs, answers));
    assert_eq!(open_things(), before - 2);
}

/// The same, but says what is wrong by the answers.
fn work_quietly(arguments: &[String]) {
    let open = open_things();
    let mut answers: Sender = inherited("answers").expect("given");
    let mut jobs: Recver = inherited("jobs").expect("given");
    let mut text = String::new();
    jobs.read_to_string(&mut text).expect("receive");
    if text != arguments[0] || open.to_string() != arguments[1] {
        text = format!("{open} things are open, and the job is {text}, instead of {arguments:?}");
    }
    answers.write_all(text.as_bytes()).expect("send");
}

fn count(_: &[String]) {
    say(open_things());
}

/// How many things a child has that starts by ordinary means: what those who started this test have left open for all, as `cargo` does, and
/// on Windows also our own standard streams, if they are pipes.
fn left_open() -> usize {
    static LEFT_OPEN: OnceLock<usize> = OnceLock::new();
    *LEFT_OPEN.get_or_init(|| Child::start("count", &[]).hear().parse().expect("a number"))
}

/// The command for a child that starts by ordinary means, and finds nothing that was meant for another.
fn left_out() -> Command {
    quiet("have_nothing", &[&left_open().to_string()])
}

/// The command for a child that is given jobs and answers, expects a certain job, and has nothing else.
fn worker(job: &str) -> Command {
    let others = if cfg!(windows) { left_open() } else { 0 };
    quiet("work_quietly", &[job, &(others + 2).to_string()])
}

fn have_nothing(arguments: &[String]) {
    assert_eq!(open_things().to_string(), arguments[0]);
    assert_eq!(ask_for("jobs"), ErrorKind::NotFound);
}

fn serve(_: &[String]) {
    let listener: Listener = inherited("listener").expect("given");
    say("ready");
    for _ in 0..3 {
        let mut client = listener.accept_timeout(LIMIT).expect("a client");
        client.write_all(b"from the child").expect("send");
    }
    hear();
}

fn use_stream(_: &[String]) {
    let mut stream: Stream = inherited("stream").expect("given");
    let mut question = [0; 4];
    stream.read_exact(&mut question).expect("receive");
    stream.write_all(&question.map(|byte| byte + 1)).expect("send");
}

fn append(_: &[String]) {
    let mut file: File = inherited("log").expect("given");
    file.write_all(b" and by the child").expect("write");
}

fn hold(_: &[String]) {
    let sender: Sender = inherited("sender").expect("given");
    say("holding");
    hear();
    drop(sender);
    say("dropped");
    hear();
}

fn write_until_killed(_: &[String]) {
    let mut sender: Sender = inherited("sender").expect("given");
    for number in 0_u32.. {
        sender.write_all(&number.to_be_bytes()).expect("the parent reads");
    }
}

/// Asks for what it was not given, or was given before.
fn ask_badly(_: &[String]) {
    assert_eq!(ask_for("nothing"), ErrorKind::NotFound);
    assert_eq!(ask_for(""), ErrorKind::NotFound);
    let _sender: Sender = inherited("sender").expect("given");
    assert_eq!(ask_for("sender"), ErrorKind::NotFound);
    // It is the end that receives.
    assert_eq!(inherited::<Sender>("recver").expect_err("wrong").kind(), ErrorKind::InvalidInput);
    assert_eq!(ask_for("recver"), ErrorKind::NotFound);
    let error = ask_error("jobs");
    assert!(error.to_string().contains("\"other\"") && error.to_string().contains("\"jobs\""), "{error}");
}

/// Starts a child by ordinary means, to which what was given to this one is not known, before and after it has asked.
fn start_another(_: &[String]) {
    let _sender: Sender = inherited("sender").expect("given");
    let status = left_out().status().expect("a child");
    assert!(status.success(), "{status}");
    let _left: Recver = inherited("left").expect("given");
    // It can give its own.
    let (jobs, answers) = (pipe().expect("pipe"), pipe().expect("pipe"));
    let mut command = worker("x");
    let mut child = command.give("jobs", jobs.1).give("answers", answers.0).spawn().expect("a child");
    jobs.0.send(b"x").expect("send");
    drop(jobs.0);
    assert_eq!(io::read_to_string(answers.1).expect("receive"), "x");
    assert!(child.wait().expect("it ends").success());
}

/// Says what comes of asking.
fn ask(_: &[String]) {
    match inherited::<Recver>("thing") {
        Ok(_) => say("given"),
        Err(error) => say(format!("{:?}: {error}", error.kind())),
    }
}

/// A stage of a pipeline.
fn relay(arguments: &[String]) {
    let mut from: Recver = inherited("from").expect("given");
    let mut to: Sender = inherited("to").expect("given");
    let mut text = String::new();
    from.read_to_string(&mut text).expect("receive");
    to.write_all(format!("{text}{}", arguments[0]).as_bytes()).expect("send");
}

fn ask_error(name: &str) -> io::Error {
    inherited::<Recver>(name).expect_err("it should not be there")
}

fn ask_for(name: &str) -> ErrorKind {
    ask_error(name).kind()
}

/// How many descriptors are open, apart from the standard streams.
#[cfg(unix)]
fn open_things() -> usize {
    use std::os::fd::BorrowedFd;

    let is_open = |number: &i32| {
        // SAFETY: it is only asked for its flags, and errors are expected.
        rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(*number) }).is_ok()
    };
    (3..1024).filter(is_open).count()
}

/// How many ends of pipes are open, apart from the standard streams.
#[cfg(windows)]
fn open_things() -> usize {
    use std::{os::windows::io::AsRawHandle, ptr::without_provenance_mut};
    use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};

    let standard = [io::stdin().as_raw_handle(), io::stdout().as_raw_handle(), io::stderr().as_raw_handle()];
    let is_pipe = |value: &usize| {
        let handle = without_provenance_mut(*value);
        // SAFETY: any value is allowed.
        !standard.contains(&handle) && unsafe { GetFileType(handle) } == FILE_TYPE_PIPE
    };
    (4..4096).step_by(4).filter(is_pipe).count()
}

#[test]
fn what_is_given_is_found_by_its_name() {
    in_time(|| {
        let (mut jobs, theirs) = pipe().expect("pipe");
        let (answering, mut answers) = pipe().expect("pipe");
        let mut command = Child::command("work", &[]);
        let child = Child::spawn_by(&mut command, |command| {
            command.give("jobs", theirs).give("answers", answering).spawn()
        });
        jobs.write_all(b"things to do").expect("send");
        drop(jobs);
        let mut text = String::new();
        answers.read_to_string(&mut text).expect("receive");
        assert_eq!(text, "THINGS TO DO");
        child.finish();
    });
}

#[test]
fn a_child_that_is_given_nothing_finds_nothing() {
    in_time(|| {
        let status = left_out().status().expect("a child");
        assert!(status.success(), "{status}");
    });
}

#[test]
fn a_child_serves_on_a_listener_that_the_parent_has_made() {
    in_time(|| {
        let name = unique_name();
        let listener = Listener::bind(&name).expect("listener");
        let mut command = Child::command("serve", &[]);
        let child = Child::spawn_by(&mut command, |command| command.give("listener", &listener).spawn());
        child.expect("ready");
        // From now on, only the child listens.
        drop(listener);
        for _ in 0..3 {
            let mut text = String::new();
            let mut client = Stream::connect(&name).expect("the child listens");
            client.read_to_string(&mut text).expect("receive");
            assert_eq!(text, "from the child");
        }
        child.finish();
    });
}

#[test]
fn a_child_is_given_a_stream_and_a_file() {
    in_time(|| {
        let name = unique_name();
        let listener = Listener::bind(&name).expect("listener");
        let theirs = Stream::connect(&name).expect("connect");
        let mut ours = listener.accept().expect("accept");
        let mut child = quiet("use_stream", &[]).give("stream", theirs).spawn().expect("a child");
        ours.write_all(b"HAL8").expect("send");
        let mut answer = String::new();
        ours.read_to_string(&mut answer).expect("receive, until the child has ended");
        assert_eq!(answer, "IBM9");
        assert!(child.wait().expect("it ends").success());

        let dir = TempDir::new();
        let mut log = File::create(dir.join("log")).expect("create");
        log.write_all(b"written by the parent").expect("write");
        let mut child = quiet("append", &[]).give("log", log).spawn().expect("a child");
        assert!(child.wait().expect("it ends").success());
        let text = fs::read_to_string(dir.join("log")).expect("read");
        assert_eq!(text, "written by the parent and by the child");
    });
}

#[test]
fn the_stream_ends_when_the_childs_sender_is_gone_and_not_before() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let mut command = Child::command("hold", &[]);
        let mut child = Child::spawn_by(&mut command, |command| command.give("sender", sender).spawn());
        child.expect("holding");
        recver.set_recv_timeout(Some(SHORT)).expect("timeout");
        assert_eq!(recver.recv(&mut [0; 8]).expect_err("it is held").kind(), ErrorKind::TimedOut);
        recver.set_recv_timeout(Some(LIMIT)).expect("timeout");
        child.say("drop it");
        // The child lives on.
        assert_eq!(recver.recv(&mut [0; 8]).expect("the end"), 0);
        child.expect("dropped");
        child.finish();
    });
}

#[test]
fn what_is_given_by_reference_stays_open_here() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let mut command = Child::command("hold", &[]);
        let child = Child::spawn_by(&mut command, |command| command.give("sender", &sender).spawn());
        child.expect("holding");
        child.finish();
        sender.send(b"still here").expect("send");
        assert_eq!(recver.recv(&mut [0; 16]).expect("receive"), 10);
    });
}

#[test]
fn of_a_child_that_is_killed_in_the_middle_all_that_was_written_arrives_then_the_end() {
    in_time(|| {
        let (sender, mut recver) = pipe().expect("pipe");
        let mut child = quiet("write_until_killed", &[]).give("sender", sender).spawn().expect("a child");
        let mut bytes = vec![0; 100_000];
        recver.read_exact(&mut bytes).expect("receive");
        child.kill().expect("kill");
        child.wait().expect("it ends");
        recver.read_to_end(&mut bytes).expect("the rest, and then the end");
        for (number, bytes) in (0_u32..).zip(bytes.chunks_exact(4)) {
            assert_eq!(bytes, number.to_be_bytes());
        }
    });
}

#[test]
fn asking_for_what_is_not_there_says_what_is() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let mut command = Child::command("ask_badly", &[]);
        let child = Child::spawn_by(&mut command, |command| {
            command.give("sender", &sender).give("recver", recver).give("other", &sender).spawn()
        });
        child.finish();
    });
}

#[test]
fn what_a_child_was_given_does_not_go_on_to_its_own_children() {
    in_time(|| {
        let (sender, recver) = pipe().expect("pipe");
        let mut command = quiet("start_another", &[]);
        let mut child = command.give("sender", sender).give("left", recver).spawn().expect("a child");
        assert!(child.wait().expect("it ends").success());
    });
}

#[test]
fn names_that_are_impossible_or_there_twice_are_refused_and_nothing_is_started() {
    let (sender, _recver) = pipe().expect("pipe");
    // There is no such program, which would be another error.
    let mut command = Command::new("interprocess-no-such-program");
    for name in ["", "a=b", "a;b", "a\n", &"x".repeat(256)] {
        let error = command.give(name, &sender).spawn().expect_err("impossible");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
    }
    let error = command.give("one", &sender).give("one", &sender).spawn().expect_err("twice");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("\"one\""), "{error}");
    let error = command.give("one", &sender).give("other", &sender).spawn().expect_err("no program");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_command_can_be_used_again_for_a_child_that_gets_nothing_or_something_else() {
    in_time(|| {
        let mut command = worker("x");
        for _ in 0..3 {
            let (jobs, answers) = (pipe().expect("pipe"), pipe().expect("pipe"));
            let mut child = command.give("jobs", jobs.1).give("answers", answers.0).spawn().expect("a child");
            jobs.0.send(b"x").expect("send");
            drop(jobs.0);
            assert_eq!(io::read_to_string(answers.1).expect("receive"), "x");
            assert!(child.wait().expect("it ends").success());
        }
        let nothing = left_out();
        command.envs(nothing.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let status = command.status().expect("a child");
        assert!(status.success(), "{status}");
    });
}

#[test]
fn an_environment_that_does_not_make_sense_is_a_clear_error() {
    in_time(|| {
        let told = |value: &str| {
            let mut command = Child::command("ask", &[]);
            command.env(VARIABLE, value);
            let child = Child::spawn(&mut command);
            let said = child.hear();
            child.finish();
            said
        };
        for value in ["=", "thing", "thing=3:1:2:3:4;thing=3:1:2:3:4", ";", "\u{1}"] {
            let said = told(value);
            assert!(said.starts_with("InvalidData") && said.contains(VARIABLE), "{value:?}: {said}");
        }
        if cfg!(unix) {
            for value in ["", "other=3:0:0:0:0", "thing=9999:0:0:0:0", "thing=-1:0:0:0:0", "thing=0:0:0:0:0"]
            {
                let said = told(value);
                assert!(said.starts_with("NotFound"), "{value:?}: {said}");
            }
            for value in ["thing=", "thing=x:0:0:0:0", "thing=99999999999:0:0:0:0", "thing=3"] {
                let said = told(value);
                assert!(said.starts_with("InvalidData"), "{value:?}: {said}");
            }
        } else {
            let said = told("0123456789abcdef0123456789abcdef");
            assert!(said.starts_with("NotFound"), "{said}");
        }
    });
}

#[test]
fn three_processes_make_a_pipeline() {
    in_time(|| {
        let (mut first, mut from) = pipe().expect("pipe");
        let mut children = Vec::new();
        for stage in ["a", "b", "c"] {
            let (to, next) = pipe().expect("pipe");
            let child = quiet("relay", &[stage]).give("from", from).give("to", to).spawn().expect("a child");
            children.push(child);
            from = next;
        }
        first.write_all(b"in").expect("send");
        drop(first);
        assert_eq!(io::read_to_string(from).expect("receive"), "inabc");
        for mut child in children {
            assert!(child.wait().expect("it ends").success());
        }
    });
}

/// How many rounds of children each thread starts. Under Wine, and under qemu, it takes many times as long to start one.
const ROUNDS: usize = if cfg!(windows) {
    6
} else if cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
    250
} else {
    10
};

#[test]
fn threads_that_start_children_at_once_give_each_what_is_its_own_and_nothing_else() {
    const THREADS: usize = 8;

    let rounds =
        env::var("INTERPROCESS_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    within(LIMIT * 10, move || {
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for round in 0..rounds {
                        let job = format!("{thread}-{round}");
                        let (mut jobs, theirs) = pipe().expect("pipe");
                        let (answering, answers) = pipe().expect("pipe");
                        let mut command = worker(&job);
                        let mut child =
                            command.give("jobs", theirs).give("answers", answering).spawn().expect("a child");
                        jobs.write_all(job.as_bytes()).expect("send");
                        drop(jobs);
                        // It would not end if another child had the sender, and still lived.
                        assert_eq!(io::read_to_string(answers).expect("receive"), job);
                        assert!(child.wait().expect("it ends").success());
                        if round % 8 == 0 {
                            let status = left_out().status().expect("a child");
                            assert!(status.success(), "{status}");
                        }
                    }
                });
            }
        });
    });
}

#[cfg(feature = "tokio")]
#[test]
fn tokios_commands_give_as_those_of_std_do() {
    use interprocess::unnamed_pipe::tokio::{Recver, Sender};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let (jobs, theirs) = pipe().expect("pipe");
            let (answering, answers) = pipe().expect("pipe");
            let mut command = tokio::process::Command::from(worker("x"));
            let mut child = command.give("jobs", theirs).give("answers", answering).spawn().expect("a child");
            let mut jobs = Sender::try_from(jobs).expect("async");
            let mut answers = Recver::try_from(answers).expect("async");
            jobs.write_all(b"x").await.expect("send");
            drop(jobs);
            let mut text = String::new();
            answers.read_to_string(&mut text).await.expect("receive");
            assert_eq!(text, "x");
            assert!(child.wait().await.expect("it ends").success());
        });
    });
}

#[cfg(windows)]
#[test]
fn a_command_with_a_handle_list_gives_as_well() {
    use interprocess::os::windows::process::{Command, Stdio};

    in_time(|| {
        let (mut jobs, theirs) = pipe().expect("pipe");
        let (answering, answers) = pipe().expect("pipe");
        // Not even our standard streams go along.
        let like = quiet("work_quietly", &["x", "2"]);
        let mut command = Command::new(like.get_program());
        command.args(like.get_args()).stdin(Stdio::null()).stdout(Stdio::null());
        for (name, value) in like.get_envs() {
            command.env(name, value.expect("only set"));
        }
        let child = command.give("jobs", theirs).give("answers", answering).spawn().expect("a child");
        jobs.write_all(b"x").expect("send");
        drop(jobs);
        assert_eq!(io::read_to_string(answers).expect("receive"), "x");
        assert!(child.wait().expect("it ends").success());
    });
}

#[cfg(unix)]
mod unix {
    use super::{Child, Command, ErrorKind, File, Give, Stdio, VARIABLE, in_time, io, pipe};
    use interprocess::os::unix::child::{GiveExt, GivingExt};
    use rustix::io::{FdFlags, fcntl_setfd};
    use std::os::fd::{AsFd, AsRawFd};

    /// A shell that writes its number to each of these descriptors.
    fn shell(numbers: &[i32]) -> Command {
        let script: Vec<_> = numbers.iter().map(|number| format!("echo {number} >&{number}")).collect();
        let mut command = Command::new("bash");
        command.args(["-c", &script.join(" && ")]).stdin(Stdio::null());
        command
    }

    #[test]
    fn descriptors_get_the_numbers_that_are_asked_for_whatever_is_there() {
        in_time(|| {
            let pipes: Vec<_> = (0..6).map(|_| pipe().expect("pipe")).collect();
            let in_use: Vec<_> = pipes.iter().map(|(sender, _)| sender.as_fd().as_raw_fd()).collect();
            // Each gets the number that another has here, and the last its own.
            let mut numbers = in_use.clone();
            numbers[..5].rotate_left(1);
            let mut command = shell(&numbers);
            let mut giving = command.give("named", &pipes[0].0);
            for ((sender, _), number) in pipes.iter().zip(&numbers) {
                giving = giving.give_at(*number, sender);
            }
            assert!(giving.spawn().expect("a shell").wait().expect("it ends").success());
            for ((sender, recver), number) in pipes.into_iter().zip(&numbers) {
                drop(sender);
                assert_eq!(io::read_to_string(recver).expect("receive"), format!("{number}\n"));
            }
        });
    }

    #[test]
    fn a_program_that_cannot_be_started_is_an_error_whatever_numbers_are_given() {
        in_time(|| {
            let (sender, recver) = pipe().expect("pipe");
            let mut command = Command::new("interprocess-no-such-program");
            let mut giving = command.give("named", &sender);
            // Among them, what std would use for telling the parent.
            for number in 3..200 {
                giving = giving.give_at(number, &sender);
            }
            assert_eq!(giving.spawn().expect_err("no program").kind(), ErrorKind::NotFound);
            drop(sender);
            assert_eq!(io::read_to_string(recver).expect("receive"), "", "nothing was written there");
        });
    }

    #[test]
    fn numbers_that_are_impossible_or_there_twice_are_refused() {
        let (sender, _recver) = pipe().expect("pipe");
        for number in [-1, 0, 1, 2, i32::MAX] {
            let error = Command::new("true").give_at(number, &sender).spawn().expect_err("impossible");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{number}");
        }
        let error = Command::new("true").give_at(5, &sender).give_at(5, &sender).spawn().expect_err("twice");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    /// In a process of its own: what is left open is open for every child of every thread.
    #[test]
    fn what_somebody_has_left_open_on_exec_is_closed() {
        in_time(|| Child::start("leave_something_open", &[]).finish());
    }

    pub(super) fn leave_something_open(_: &[String]) {
        let (_sender, recver) = pipe().expect("pipe");
        let left_open = File::open("/dev/null").expect("open");
        fcntl_setfd(&left_open, FdFlags::empty()).expect("flags");
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("! (: <&{}) 2>/dev/null", left_open.as_raw_fd())]);
        let mut child = shell.give("x", &recver).spawn().expect("a shell");
        assert!(child.wait().expect("it ends").success());
        // As it is without.
        assert!(!shell.status().expect("a shell").success());
    }

    #[test]
    fn a_descriptor_of_something_else_or_with_an_owner_is_not_taken() {
        in_time(|| {
            let (sender, recver) = pipe().expect("pipe");
            let (_, another) = pipe().expect("pipe");
            let told = Command::new("sh")
                .args(["-c", &format!("printf %s \"${VARIABLE}\"")])
                .stdout(Stdio::piped())
                .give("thing", &recver)
                .spawn()
                .and_then(std::process::Child::wait_with_output)
                .expect("a shell");
            // Where there is what the list tells of, under that number, and where there is something else.
            let told = String::from_utf8(told.stdout).expect("text");
            let number = told.split(['=', ':']).nth(1).and_then(|number| number.parse().ok()).expect(&told);
            for (object, comes_of_it) in
                [(recver.as_fd(), "given"), (another.as_fd(), "NotFound"), (sender.as_fd(), "NotFound")]
            {
                let like = Child::command("ask", &[]);
                let mut command = Command::new("sh");
                command.args(["-c", &format!("export {VARIABLE}=\"$FORGED\"; exec \"$@\""), "sh"]);
                command.arg(like.get_program()).args(like.get_args()).env("FORGED", &told);
                command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
                let child = Child::spawn_by(&mut command, |command| command.give_at(number, object).spawn());
                let said = child.hear();
                assert!(said.starts_with(comes_of_it), "{said}");
                child.finish();
            }
        });
    }
}
