//! Handles for other processes: given to a child when it starts, or to a process that runs.
#![cfg(windows)]

mod support;

use interprocess::{
    local_socket::{Listener, Stream},
    os::windows::{
        ShareHandle,
        process::{Child, Command, Stdio, inherited_handle},
    },
};
use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    os::windows::{
        ffi::OsStringExt,
        io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle, RawHandle},
    },
    ptr::{null, null_mut, without_provenance_mut},
    sync::Arc,
    thread,
    time::Duration,
};
use support::{LIMIT, TempDir, hear, in_time, is_wine, say, unique_name, within};
use windows_sys::Win32::{
    Foundation::{
        ERROR_ACCESS_DENIED, GetHandleInformation, HANDLE_FLAG_INHERIT, SetHandleInformation, WAIT_OBJECT_0,
    },
    Security::SECURITY_ATTRIBUTES,
    Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType, SYNCHRONIZE},
    System::{
        Pipes::CreatePipe,
        Threading::{
            CREATE_SUSPENDED, CreateEventW, GetCurrentProcess, ResumeThread, SetEvent, WaitForSingleObject,
        },
    },
};

#[test]
fn child_entry() {
    support::child_entry(&[
        ("echo", echo),
        ("show_arguments", show_arguments),
        ("show_variables", show_variables),
        ("show_directory", show_directory),
        ("look_for_programs", look_for_programs),
        ("copy_stdio", copy_stdio),
        ("set_events", set_events),
        ("use_shared", use_shared),
        ("wait", wait),
        ("take_badly", take_badly),
        ("write_to_stream", write_to_stream),
    ]);
}

/// The command that starts `function`, one of those above.
fn command(function: &str, arguments: &[&str]) -> Command {
    let like = support::Child::command(function, arguments);
    let mut command = Command::new(like.get_program());
    command.args(like.get_args());
    tell(&mut command, function, arguments);
    command
}

/// Sets what a child is to do, and with what, once the values of its handles are known.
fn tell(command: &mut Command, function: &str, arguments: &[&str]) {
    for (name, value) in support::Child::command(function, arguments).get_envs() {
        command.env(name, value.expect("only set"));
    }
}

/// A child that one can talk with.
struct Running {
    child: Child,
    input: Option<File>,
    output: BufReader<File>,
}

impl Running {
    #[track_caller]
    fn start(command: &mut Command) -> Self {
        let (stdin, input) = pipe();
        let (output, stdout) = pipe();
        let child = command.stdin(stdin).stdout(stdout).spawn().unwrap();
        Self { child, input: Some(input), output: BufReader::new(output) }
    }

    /// What the child says next.
    #[track_caller]
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the child ended without a word");
            if let Some((_, said)) = line.trim_end_matches(['\r', '\n']).split_once(">>> ") {
                return said.to_owned();
            }
        }
    }

    fn say(&mut self, line: impl std::fmt::Display) {
        writeln!(self.input.as_ref().unwrap(), "{line}").unwrap();
    }

    #[track_caller]
    fn finish(mut self) {
        self.input = None;
        // Its output ends with it, if nobody else has it.
        io::copy(&mut self.output, &mut io::sink()).unwrap();
        let status = self.child.wait_timeout(LIMIT).unwrap().expect("it hangs");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// An anonymous pipe: the end to read from and the end to write to.
fn pipe() -> (File, File) {
    let (mut read, mut write) = (null_mut(), null_mut());
    // SAFETY: what the pointers point to outlives the call, and null is allowed for the attributes.
    assert_ne!(unsafe { CreatePipe(&raw mut read, &raw mut write, null(), 0) }, 0);
    // SAFETY: CreatePipe succeeded, so both handles are open and ours.
    unsafe { (File::from_raw_handle(read), File::from_raw_handle(write)) }
}

struct Event(OwnedHandle);

impl Event {
    fn new(is_inheritable: bool) -> Self {
        let attributes = SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap(),
            lpSecurityDescriptor: null_mut(),
            bInheritHandle: is_inheritable.into(),
        };
        // SAFETY: the attributes are complete, and outlive the call.
        let handle = unsafe { CreateEventW(&raw const attributes, 1, 0, null()) };
        assert!(!handle.is_null());
        // SAFETY: CreateEventW succeeded, so the handle is open and ours.
        Self(unsafe { OwnedHandle::from_raw_handle(handle) })
    }

    fn value(&self) -> usize {
        self.0.as_raw_handle().addr()
    }

    fn is_set(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }
}

/// Sets an event by the value of its handle, if there is one.
fn set_event(value: &str) -> io::Result<()> {
    // SAFETY: any value is allowed.
    if unsafe { SetEvent(raw(value)) } == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn raw(value: &str) -> RawHandle {
    without_provenance_mut(value.parse().unwrap())
}

/// `None` if there is no such handle.
fn is_inheritable(handle: RawHandle) -> Option<bool> {
    let mut flags = 0;
    // SAFETY: any value is allowed, and `flags` outlives the call.
    let is_there = unsafe { GetHandleInformation(handle, &raw mut flags) != 0 };
    is_there.then_some(flags & HANDLE_FLAG_INHERIT != 0)
}

/// The inheritable handles of pipes that this process has, apart from standard handles.
fn inheritable_pipes() -> Vec<usize> {
    let standard = [io::stdin().as_raw_handle(), io::stdout().as_raw_handle(), io::stderr().as_raw_handle()];
    let values = (4..0x2000).step_by(4).map(without_provenance_mut);
    let is_inheritable_pipe = |handle: &RawHandle| {
        // SAFETY: any value is allowed.
        is_inheritable(*handle) == Some(true) && unsafe { GetFileType(*handle) == FILE_TYPE_PIPE }
    };
    values
        .filter(is_inheritable_pipe)
        .filter(|handle| !standard.contains(handle))
        .map(RawHandle::addr)
        .collect()
}

/// Takes two ends of pipes, copies what comes, and tries to set an event that it does not have.
fn echo(arguments: &[String]) {
    let [input, output, stray] = arguments else { panic!("three values") };
    let mut given: Vec<usize> = vec![input.parse().unwrap(), output.parse().unwrap()];
    given.sort_unstable();
    assert_eq!(inheritable_pipes(), given, "it holds exactly what it was given");

    let mut input = File::from(inherited_handle(input).unwrap());
    let mut output = File::from(inherited_handle(output).unwrap());
    assert_eq!(inheritable_pipes(), [], "its own children will get none of it");
    io::copy(&mut input, &mut output).unwrap();
    let _ = set_event(stray);
}

/// Starts [`echo`], says something, and listens to the answer.
fn talk_with_a_child(text: &str, stray: &Event) {
    let (their_input, mut input) = pipe();
    let (mut output, their_output) = pipe();
    let mut child = command("echo", &[]);
    let (value_in, value_out) =
        (child.inherit(&their_input).unwrap(), child.inherit(their_output.as_handle()).unwrap());
    drop((their_input, their_output));
    let arguments = [value_in, value_out, stray.value()].map(|value| value.to_string());
    tell(&mut child, "echo", &arguments.each_ref().map(String::as_str));
    let child = child.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let mut answer = String::new();
    // To the end, which is there only when nobody has the other end any more.
    output.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, text);
    let status = child.wait_timeout(LIMIT).unwrap().expect("it hangs");
    assert!(status.success(), "{status}");
    assert!(!stray.is_set(), "an inheritable handle that was not in the list has been inherited");
}

#[test]
fn a_child_holds_exactly_what_it_was_given() {
    in_time(|| {
        let stray = Event::new(true);
        let (stray_read, _stray_write) = pipe();
        // SAFETY: the handle is open.
        let done = unsafe {
            SetHandleInformation(stray_read.as_raw_handle(), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)
        };
        assert_ne!(done, 0);
        talk_with_a_child("How are you?", &stray);

        // That the stray handle is one that others do hand on.
        let child = support::Child::start("set_events", &[&stray.value().to_string()]);
        child.expect("set");
        child.finish();
        assert!(stray.is_set());
    });
}

#[test]
fn threads_that_start_children_at_once_do_not_mix_up_what_these_get() {
    within(LIMIT * 4, || {
        let stray = Arc::new(Event::new(true));
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let stray = Arc::clone(&stray);
                thread::spawn(move || {
                    for child in 0..25 {
                        talk_with_a_child(&format!("thread {thread}, child {child}"), &stray);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

fn set_events(values: &[String]) {
    for value in values {
        set_event(value).unwrap();
        say("set");
    }
}

#[test]
fn handles_are_not_inheritable_here_before_and_after() {
    in_time(|| {
        let event = Event::new(false);
        let mut child = command("set_events", &[]);
        let value = child.inherit(&event.0).unwrap().to_string();
        assert_ne!(value, event.value().to_string());
        assert_eq!(is_inheritable(raw(&value)), Some(false));

        tell(&mut child, "set_events", &[&value]);
        let mut child = Running::start(&mut child);
        assert_eq!(child.hear(), "set");
        child.finish();
        assert!(event.is_set());
    });
}

#[test]
fn handles_go_to_one_child() {
    in_time(|| {
        let event = Event::new(false);
        let mut child = command("wait", &[]);
        child.inherit(&event.0).unwrap();
        Running::start(&mut child).finish();
        for error in [child.spawn().unwrap_err(), child.inherit(&event.0).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("started first"), "{error}");
        }

        let (_, output) = pipe();
        let mut child = command("wait", &[]);
        child.stdin(Stdio::null()).stdout(output);
        child.spawn().unwrap().kill().unwrap();
        assert_eq!(child.spawn().unwrap_err().kind(), ErrorKind::InvalidInput);
        // With another handle in its place, or without any, there can be another child.
        child.stdout(Stdio::null());
        for _ in 0..2 {
            assert!(child.spawn().unwrap().wait().unwrap().success());
        }
    });
}

#[test]
fn handles_are_kept_when_a_child_could_not_be_started() {
    let (mut read, write) = pipe();
    let mut child = Command::new(r"C:\interprocess-no-such-program.exe");
    let value = child.inherit(&write).unwrap().to_string();
    let stdout = write.as_raw_handle();
    child.stdout(write);
    for _ in 0..2 {
        assert_eq!(child.spawn().unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!([raw(&value), stdout].map(is_inheritable), [Some(false); 2]);
    }
    drop(child);
    // Nothing of it is left.
    assert_eq!(read.read(&mut [0]).unwrap(), 0);
}

fn show_arguments(_: &[String]) {
    let own = env::args_os().position(|arg| arg == "--").expect("what precedes is the harness's") + 1;
    for arg in env::args_os().skip(own) {
        say(format!("{arg:?}"));
    }
}

#[test]
fn arguments_arrive_as_they_were_given() {
    const ARGUMENTS: [&str; 26] = [
        "",
        "plain",
        "two words",
        " ",
        "\t",
        "a\tb",
        "\"",
        "\"\"",
        "a\"b",
        "\"quoted\"",
        "\\",
        "\\\\",
        "\\\"",
        "\\\\\"",
        "C:\\dir\\",
        "C:\\my dir\\",
        "C:\\my dir\\\\",
        "a\\\\b",
        "a\\ \"b\\\" c\\",
        "line\nbreak",
        "%PATH%",
        "^&|<>()!",
        "'single'",
        "--option=value with space",
        "äöü ß 日本語 🦀",
        "/c",
    ];
    in_time(|| {
        let mut child = command("show_arguments", &[]);
        let mut child = Running::start(child.arg("--").args(ARGUMENTS).arg(""));
        for arg in ARGUMENTS.into_iter().chain([""]) {
            assert_eq!(child.hear(), format!("{arg:?}"));
        }
        child.finish();
    });
}

#[test]
fn raw_text_goes_into_the_command_line_as_it_is() {
    in_time(|| {
        let mut child = command("show_arguments", &[]);
        let mut child = Running::start(child.arg("--").raw_arg(r#"one "two three""#).arg("four five"));
        for arg in ["one", "two three", "four five"] {
            assert_eq!(child.hear(), format!("{arg:?}"));
        }
        child.finish();
    });
}

fn show_variables(names: &[String]) {
    for name in names {
        say(format!("{:?}", env::var_os(name)));
    }
    say(env::vars_os().count());
}

#[test]
fn variables_are_set_removed_and_cleared_whatever_case_they_are_in() {
    in_time(|| {
        // 0xd800 is the half of a character.
        let lone = OsString::from_wide(&[0x61, 0xd800, 0x62]);
        let names = ["InterProcess_A", "INTERPROCESS_Ä", "interprocess_c", "INTERPROCESS_D"];
        let mut child = command("show_variables", &names);
        child
            .env("INTERPROCESS_A", "old")
            .env("interprocess_a", "a=b \"c\" 日本語")
            .env("interprocess_ä", &lone);
        child.env("INTERPROCESS_C", "c").env_remove("InterProcess_C").env("interprocess_d", "");
        let mut child = Running::start(&mut child);
        for value in [Some("a=b \"c\" 日本語".into()), Some(lone), None, Some(OsString::new())] {
            assert_eq!(child.hear(), format!("{value:?}"));
        }
        assert!(child.hear().parse::<usize>().unwrap() > 4, "ours are there, too");
        child.finish();

        let like = support::Child::command("show_variables", &["PATH", "path_of_old"]);
        let mut child = Command::new(like.get_program());
        child.args(like.get_args()).env("path_of_old", "x").env_clear();
        // What the system and its libraries cannot do without.
        let mut kept = 0;
        for (name, value) in env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper == "SYSTEMROOT" || upper.starts_with("WINE") {
                child.env(name, value);
                kept += 1;
            }
        }
        tell(&mut child, "show_variables", &["PATH", "path_of_old"]);
        kept += like.get_envs().count();
        let mut child = Running::start(&mut child);
        assert_eq!(child.hear(), "None");
        assert_eq!(child.hear(), "None");
        let count = child.hear().parse::<usize>().unwrap();
        // Wine adds a few of its own to every process.
        assert!(count >= kept && (count == kept || is_wine()), "{count} variables, not {kept}");
        child.finish();
    });
}

fn show_directory(_: &[String]) {
    say(env::current_dir().unwrap().display());
}

#[test]
fn the_current_directory_is_as_asked_for() {
    in_time(|| {
        let dir = TempDir::new();
        // This is a `\\?\` path, which a current directory cannot be.
        let canonical = dir.canonicalize().unwrap();
        assert!(canonical.to_str().unwrap().starts_with(r"\\?\"));
        for path in [&*dir, &canonical] {
            let mut child = Running::start(command("show_directory", &[]).current_dir(path));
            assert_eq!(fs::canonicalize(child.hear()).unwrap(), canonical);
            child.finish();
        }
        let error = command("show_directory", &[]).current_dir(dir.join("not there")).spawn().unwrap_err();
        assert!(error.raw_os_error().is_some(), "{error}");
        let error = command("show_directory", &[]).current_dir("nul\0").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

/// Looks for a program that is in the current directory, and in that of the argument.
fn look_for_programs(arguments: &[String]) {
    let [name, dir] = arguments else { panic!("a name and a directory") };
    let kind = |command: &mut Command| match command.arg("--list").stdout(Stdio::null()).spawn() {
        Ok(child) => format!("{}", child.wait().unwrap().success()),
        Err(error) => format!("{:?}", error.kind()),
    };
    say(kind(&mut Command::new(name)));
    say(kind(&mut Command::new(format!("{name}.exe"))));
    say(kind(Command::new(name).env("Path", dir)));
    say(kind(Command::new(format!("{name}.exe")).env("Path", dir)));
    say(kind(&mut Command::new(format!(r".\{name}"))));
    say(kind(Command::new("hostname").env("PATH", "").arg("").env_remove("path")));
}

#[test]
fn a_program_is_looked_for_in_the_childs_path_and_never_in_the_current_directory() {
    in_time(|| {
        let dir = TempDir::new();
        let name = support::unique();
        fs::copy(env::current_exe().unwrap(), dir.join(&name).with_extension("exe")).unwrap();
        let mut child = command("look_for_programs", &[&name, dir.to_str().unwrap()]);
        let mut child = Running::start(child.current_dir(&*dir));
        for what in ["NotFound", "NotFound", "true", "true", "true"] {
            assert_eq!(child.hear(), what);
        }
        // It is in the system's directory: whatever it does with these arguments, it was found.
        assert_ne!(child.hear(), "NotFound");
        child.finish();
    });
}

#[test]
fn batch_files_are_refused() {
    let dir = TempDir::new();
    for name in ["a.bat", "b.CMD"] {
        let file = dir.join(name);
        fs::write(&file, "exit 0").unwrap();
        let mut with_dot = file.clone().into_os_string();
        with_dot.push(".");
        for program in [file.as_os_str(), &with_dot] {
            let error = Command::new(program).spawn().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{program:?}");
            assert!(error.to_string().contains("batch file"), "{error}");
        }
        let error = Command::new(name).env("PATH", &*dir).spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
    }
}

#[test]
fn what_is_no_command_is_refused() {
    for error in [
        Command::new("").spawn(),
        Command::new("a\0b").spawn(),
        Command::new("cmd").arg("a\0b").spawn(),
        Command::new("cmd").raw_arg("a\0b").spawn(),
        Command::new("cmd").arg("a".repeat(40_000)).spawn(),
        Command::new("cmd").env("", "value").spawn(),
        Command::new("cmd").env("a=b", "value").spawn(),
        Command::new("cmd").env("name", "val\0ue").spawn(),
    ] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

/// Copies its standard input to its standard output and its error output.
fn copy_stdio(_: &[String]) {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    say(&text);
    eprintln!("error: {text}");
}

#[test]
fn standard_handles_are_files_pipes_or_nothing() {
    in_time(|| {
        let dir = TempDir::new();
        let [input, output] = ["input", "output"].map(|name| dir.join(name));
        fs::write(&input, "from a file").unwrap();
        let (mut errors, stderr) = pipe();
        let mut child = command("copy_stdio", &[]);
        child.stdin(File::open(&input).unwrap()).stdout(File::create(&output).unwrap()).stderr(stderr);
        let child = child.spawn().unwrap();
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        assert!(text.contains("error: from a file"), "{text}");
        assert!(child.wait().unwrap().success());
        assert!(fs::read_to_string(output).unwrap().contains(">>> from a file\n"));

        let (mut errors, stderr) = pipe();
        let child = command("copy_stdio", &[])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        assert!(text.contains("error: \n"), "{text}");
        assert!(child.wait().unwrap().success());
    });
}

/// Until there is no more to hear.
fn wait(_: &[String]) {
    say("here");
    while hear().is_some() {}
}

#[test]
fn waiting_for_a_child_has_a_limit_and_a_child_can_be_killed() {
    in_time(|| {
        let mut running = Running::start(&mut command("wait", &[]));
        assert_eq!(running.hear(), "here");
        assert_eq!(running.child.try_wait().unwrap(), None);
        assert_eq!(running.child.wait_timeout(Duration::from_millis(30)).unwrap(), None);
        running.child.kill().unwrap();
        let status = running.child.wait_timeout(LIMIT).unwrap().expect("it was killed");
        assert_eq!(status.code(), Some(1));
        assert_eq!(running.child.wait().unwrap(), status);
        assert_eq!(running.child.try_wait().unwrap(), Some(status));
        running.child.kill().unwrap();
        assert_eq!(running.child.wait().unwrap(), status);
    });
}

#[test]
fn several_threads_wait_for_one_child() {
    in_time(|| {
        let mut running = Running::start(&mut command("wait", &[]));
        thread::scope(|scope| {
            let waits: Vec<_> = (0..4).map(|_| scope.spawn(|| running.child.wait().unwrap())).collect();
            running.input = None;
            for wait in waits {
                assert!(wait.join().unwrap().success());
            }
        });
    });
}

#[test]
fn an_exit_code_of_any_size_is_kept() {
    in_time(|| {
        for code in [0, 1, 259, 0x7fff_ffff, -1] {
            let child = Command::new("cmd").args(["/c", &format!("exit {code}")]).spawn().unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code));
        }
    });
}

#[test]
fn a_suspended_child_runs_when_its_thread_is_resumed() {
    in_time(|| {
        let child =
            Command::new("cmd").args(["/c", "exit 3"]).creation_flags(CREATE_SUSPENDED).spawn().unwrap();
        assert_eq!(child.wait_timeout(Duration::from_millis(30)).unwrap(), None);
        // SAFETY: the handle is open.
        assert_eq!(unsafe { ResumeThread(child.main_thread_handle().as_raw_handle()) }, 1);
        assert_eq!(child.wait().unwrap().code(), Some(3));
    });
}

/// Tries to take what it may not, and then what it may.
fn take_badly(arguments: &[String]) {
    let [good, stray] = arguments else { panic!("two values") };
    let kind = |value: &str| inherited_handle(value).expect_err("not inherited").kind();

    for text in ["", "x", "-1", "0", "4294967295", "18446744073709551615", "6"] {
        assert_eq!(kind(text), ErrorKind::InvalidInput, "{text:?}");
    }
    // Far above all that a process has.
    assert_eq!(kind("268435456"), ErrorKind::NotFound);
    for standard in [io::stdin().as_raw_handle(), io::stdout().as_raw_handle()] {
        assert_eq!(kind(&standard.addr().to_string()), ErrorKind::InvalidInput);
    }
    // The parent has an inheritable handle there. Here it is none, or one of something else.
    inherited_handle(stray).unwrap_err();

    // One that somebody here owns.
    let dir = TempDir::new();
    let mut file = File::create(dir.join("file")).unwrap();
    assert_eq!(kind(&file.as_raw_handle().addr().to_string()), ErrorKind::InvalidInput);
    file.write_all(b"still open").unwrap();

    let event = inherited_handle(good).unwrap();
    assert_eq!(event.as_raw_handle(), raw(good));
    assert_eq!(kind(good), ErrorKind::InvalidInput, "once");
    drop(event);
    assert_eq!(kind(good), ErrorKind::InvalidInput, "nor when it is closed");
    say("done");
}

#[test]
fn a_forged_value_is_an_error() {
    in_time(|| {
        let (event, stray) = (Event::new(false), Event::new(true));
        let mut child = command("take_badly", &[]);
        let value = child.inherit(&event.0).unwrap();
        tell(&mut child, "take_badly", &[&value.to_string(), &stray.value().to_string()]);
        let mut child = Running::start(&mut child);
        assert_eq!(child.hear(), "done");
        child.finish();
    });
}

#[test]
fn a_null_handle_is_not_inherited() {
    // SAFETY: null is no handle that anybody could close.
    let null = unsafe { OwnedHandle::from_raw_handle(null_mut()) };
    assert_eq!(Command::new("cmd").inherit(&null).unwrap_err().kind(), ErrorKind::InvalidInput);
    std::mem::forget(null);
}

fn write_to_stream(values: &[String]) {
    let mut stream = Stream::try_from(inherited_handle(&values[0]).unwrap()).unwrap();
    stream.write_all(b"from the child").unwrap();
    stream.drain(LIMIT).unwrap();
}

#[test]
fn a_stream_is_handed_to_a_child() {
    in_time(|| {
        let name = unique_name();
        let listener = Listener::bind(&name).unwrap();
        let theirs = Stream::connect(&name).unwrap();
        let mut ours = listener.accept().unwrap();
        let mut child = command("write_to_stream", &[]);
        let value = child.inherit(&theirs).unwrap().to_string();
        drop(theirs);
        tell(&mut child, "write_to_stream", &[&value]);
        let child = Running::start(&mut child);
        let mut text = String::new();
        ours.read_to_string(&mut text).unwrap();
        assert_eq!(text, "from the child");
        child.finish();
    });
}

/// Uses what it is told values of: `set VALUE`, `write VALUE`.
fn use_shared(_: &[String]) {
    say("here");
    while let Some(line) = hear() {
        let (what, value) = line.split_once(' ').unwrap();
        let result = match what {
            "set" => set_event(value),
            "write" => {
                // SAFETY: the parent made it for us, and says so once.
                let mut stream =
                    Stream::try_from(unsafe { OwnedHandle::from_raw_handle(raw(value)) }).unwrap();
                stream.write_all(b"shared").and_then(|()| stream.drain(LIMIT))
            }
            "take" => inherited_handle(value).map(drop),
            _ => panic!("{what}"),
        };
        match result {
            Ok(()) => say("done"),
            Err(error) => say(format!("{:?}", error.raw_os_error())),
        }
    }
}

#[test]
fn a_shared_handle_is_used_by_a_process_that_runs() {
    in_time(|| {
        let mut running = Running::start(&mut command("use_shared", &[]));
        assert_eq!(running.hear(), "here");

        let event = Event::new(false);
        let value = event.0.share(running.child.as_handle()).unwrap();
        running.say(format!("set {}", value.addr()));
        assert_eq!(running.hear(), "done");
        assert!(event.is_set());
        // It is not inheritable, so it is not mistaken for one that was inherited.
        running.say(format!("take {}", value.addr()));
        assert_eq!(running.hear(), "None");

        let name = unique_name();
        let listener = Listener::bind(&name).unwrap();
        let theirs = Stream::connect(&name).unwrap();
        let mut ours = listener.accept().unwrap();
        let value = theirs.share(running.child.as_handle()).unwrap();
        drop(theirs);
        running.say(format!("write {}", value.addr()));
        let mut text = String::new();
        ours.read_to_string(&mut text).unwrap();
        assert_eq!(text, "shared");
        assert_eq!(running.hear(), "done");
        running.finish();
    });
}

#[test]
fn a_handle_is_shared_with_fewer_rights() {
    in_time(|| {
        let mut running = Running::start(&mut command("use_shared", &[]));
        assert_eq!(running.hear(), "here");
        let event = Event::new(false);
        let value = event.0.as_handle().share_with(running.child.as_handle(), SYNCHRONIZE).unwrap();
        running.say(format!("set {}", value.addr()));
        assert_eq!(running.hear(), format!("{:?}", Some(ERROR_ACCESS_DENIED)));
        assert!(!event.is_set());
        running.finish();
    });
}

#[test]
fn a_handle_that_could_not_be_delivered_is_taken_back() {
    in_time(|| {
        let mut running = Running::start(&mut command("use_shared", &[]));
        assert_eq!(running.hear(), "here");
        let (event, other) = (Event::new(false), Event::new(false));
        let value = event.0.share(running.child.as_handle()).unwrap();

        let error = other.0.take_back(running.child.as_handle(), value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "it is one of something else");
        event.0.take_back(running.child.as_handle(), value).unwrap();
        // It is gone, or the child has another of that value by now.
        event.0.take_back(running.child.as_handle(), value).unwrap_err();

        running.say(format!("set {}", value.addr()));
        running.hear();
        assert!(!event.is_set());
        running.finish();
    });
}

#[test]
fn nothing_is_taken_back_from_oneself() {
    let event = Event::new(false);
    // SAFETY: the pseudo handle of the process is always valid.
    let this = unsafe { std::os::windows::io::BorrowedHandle::borrow_raw(GetCurrentProcess()) };
    let real = this.try_clone_to_owned().unwrap();
    for this in [this, real.as_handle()] {
        let error = event.0.take_back(this, event.0.as_raw_handle()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert!(!event.is_set());
}

#[test]
fn a_process_that_has_ended_gets_no_handle() {
    let child = Command::new("cmd").args(["/c", "exit 0"]).spawn().unwrap();
    assert!(child.wait_timeout(LIMIT).unwrap().is_some());
    let error = Event::new(false).0.share(child.as_handle()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
}

#[test]
fn what_is_no_process_gets_no_handle() {
    let (event, other) = (Event::new(false), Event::new(false));
    event.0.share(other.0.as_handle()).unwrap_err();
    event.0.take_back(other.0.as_handle(), event.0.as_raw_handle()).unwrap_err();
}
