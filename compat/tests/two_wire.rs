//! A process that was built with interprocess 2 and one that was built with this crate understand each other, whichever of them serves.
#![cfg(any(target_os = "linux", windows))]
#![allow(deprecated, reason = "interprocess 2 deprecates a type of names")]

#[path = "../../tests/support/mod.rs"]
mod support;

/// The one end, built with this crate.
mod ours {
    include!("two_wire/peer.rs");

    /// Makes an end of a pipe of what was inherited.
    pub(super) fn end<T: TryFrom<Inherited, Error: std::fmt::Debug>>(inherited: Inherited) -> T {
        inherited.try_into().expect("an end of a pipe")
    }

    #[cfg(windows)]
    pub(super) fn recv_msg(stream: &DuplexPipeStream<Messages>) -> io::Result<Option<Vec<u8>>> {
        let mut msg = Vec::new();
        Ok(stream.recv_msg(&mut msg)?.map(|_| msg))
    }
}

/// The other, built with interprocess 2.
mod theirs {
    use interprocess_2 as interprocess;
    include!("two_wire/peer.rs");

    /// Makes an end of a pipe of what was inherited.
    pub(super) fn end<T: From<Inherited>>(inherited: Inherited) -> T {
        inherited.into()
    }

    #[cfg(windows)]
    pub(super) fn recv_msg(stream: &DuplexPipeStream<Messages>) -> io::Result<Option<Vec<u8>>> {
        use recvmsg::{MsgBuf, RecvMsg, RecvResult};

        let mut msg = MsgBuf::from(Vec::new());
        match RecvMsg::recv_msg(&mut { stream }, &mut msg, None)? {
            RecvResult::EndOfStream => Ok(None),
            RecvResult::Fit | RecvResult::Spilled => Ok(Some(msg.filled_part().to_vec())),
            RecvResult::QuotaExceeded(error) => panic!("there is no quota: {error:?}"),
        }
    }
}

use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd as Inherited;
#[cfg(windows)]
use std::os::windows::io::OwnedHandle as Inherited;
use support::{Child, in_time, say};

/// Whose code an end is.
#[derive(Copy, Clone, Debug)]
enum Side {
    Ours,
    Theirs,
}

const SIDES: [(Side, Side); 2] = [(Side::Ours, Side::Theirs), (Side::Theirs, Side::Ours)];

impl Side {
    fn of(text: &str) -> Self {
        if text == "Ours" { Self::Ours } else { Self::Theirs }
    }
}

/// Whether dropping a stream is always seen at the other end. On Windows, interprocess 2 may keep it, to flush it.
const LEAVES_AT_ONCE: bool = cfg!(unix);

/// How many bytes are exchanged: more than the system keeps for anyone.
const LEN: usize = 300_000;

fn pattern() -> Vec<u8> {
    (0..LEN).map(|at| u8::try_from(at % 251).expect("less than that")).collect()
}

/// The end that [`start_with`] has given to this child.
fn inherited(value: &str) -> Inherited {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        assert_eq!(value, "0");
        io::stdin().as_fd().try_clone_to_owned().expect("the parent gave it")
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::{FromRawHandle, RawHandle};
        let value: usize = value.parse().expect("a handle");
        // SAFETY: this process has inherited it, and nobody else here knows its value.
        unsafe { Inherited::from_raw_handle(value as RawHandle) }
    }
}

/// Calls a function of the side's module.
macro_rules! of {
    ($side:expr, $($function:tt)+) => {
        match $side {
            Side::Ours => ours::$($function)+,
            Side::Theirs => theirs::$($function)+,
        }
    };
}

#[test]
fn child_entry() {
    support::child_entry(&[
        ("serve", |arguments| serve(arguments).expect("no error")),
        #[cfg(windows)]
        ("serve_pipe", |arguments| {
            of!(Side::of(&arguments[0]), serve_pipe(&arguments[1], || say("listening"))).expect("no error");
        }),
        ("recv", |arguments| say(of!(Side::of(&arguments[0]), recv(&arguments[1])).expect("no error"))),
        ("send", |arguments| {
            of!(Side::of(&arguments[0]), send(&arguments[1], &arguments[2])).expect("no error");
        }),
    ]);
}

/// Every type of name that both have, and what names of it are made of.
const NAME_TYPES: &[&str] = &[
    "GenericNamespaced",
    "GenericFilePath",
    #[cfg(unix)]
    "FilesystemUdSocket",
    #[cfg(unix)]
    "AbstractNsUdSocket",
    #[cfg(unix)]
    "SpecialDirUdSocket",
    #[cfg(windows)]
    "NamedPipe",
];

fn text_for(name_type: &str) -> String {
    let text = support::unique();
    match name_type {
        "NamedPipe" => format!(r"\\.\pipe\{text}"),
        "GenericFilePath" if cfg!(windows) => format!(r"\\.\pipe\{text}"),
        "GenericFilePath" | "FilesystemUdSocket" => std::env::temp_dir().join(text).display().to_string(),
        _ => text,
    }
}

/// What a child does to serve: arguments are the side, whether on Tokio, the type of the name, and its text.
fn serve(arguments: &[String]) -> io::Result<()> {
    let [side, face, name_type, text] = arguments else { panic!("four arguments") };
    match &**face {
        "blocking" => of!(Side::of(side), serve(name_type, text, || say("listening"))),
        _ => of!(Side::of(side), serve_on_tokio(name_type, text, || say("listening"))),
    }
}

fn on_tokio<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(future)
}

/// For root, interprocess 2 makes a runtime directory if there is none. This removes it.
#[cfg(unix)]
struct WithoutRuntimeDirectory(bool);

#[cfg(unix)]
impl WithoutRuntimeDirectory {
    fn as_before() -> Self {
        Self(support::usual_runtime_directory().is_none())
    }
}

#[cfg(unix)]
impl Drop for WithoutRuntimeDirectory {
    fn drop(&mut self) {
        if let (true, Some(path)) = (self.0, support::usual_runtime_directory()) {
            // It stays if somebody uses it by now.
            let _ = std::fs::remove_dir(path);
        }
    }
}

#[test]
fn names_of_every_type_mean_the_same_to_both() {
    in_time(|| {
        #[cfg(unix)]
        let _after = WithoutRuntimeDirectory::as_before();
        for name_type in NAME_TYPES {
            for (server, client) in SIDES {
                for (server_face, client_face) in [
                    ("blocking", "blocking"),
                    ("blocking", "tokio"),
                    ("tokio", "blocking"),
                    ("tokio", "tokio"),
                ] {
                    let what =
                        format!("{name_type}: {server:?} ({server_face}) serves {client:?} ({client_face})");
                    let text = text_for(name_type);
                    let child =
                        Child::start("serve", &[&format!("{server:?}"), server_face, name_type, &text]);
                    child.expect("listening");
                    let asked = match client_face {
                        "blocking" => of!(client, ask(name_type, &text)),
                        _ => of!(client, ask_on_tokio(name_type, &text)),
                    };
                    asked.unwrap_or_else(|error| panic!("{what}: {error}"));
                    child.finish();
                }
            }
        }
    });
}

#[test]
fn clients_know_the_process_that_serves_them() {
    in_time(|| {
        for (server, client) in SIDES {
            // A pipe that is made without a security descriptor, as interprocess 2 makes it, has no owner there.
            #[cfg(windows)]
            if matches!(client, Side::Ours) && support::is_wine() {
                continue;
            }
            let text = text_for("GenericNamespaced");
            let child =
                Child::start("serve", &[&format!("{server:?}"), "blocking", "GenericNamespaced", &text]);
            child.expect("listening");
            assert_eq!(of!(client, server_of(&text)).expect("no error"), i64::from(child.id()), "{client:?}");
        }
    });
}

/// What gives an end to a child: on Unix as its standard input, on Windows by the value of a handle that it inherits.
fn start_with(function: &str, side: Side, end: Inherited, argument: &str) -> Child {
    let side = format!("{side:?}");
    #[cfg(unix)]
    return Child::spawn_with(&mut Child::command(function, &[&side, "0", argument]), end.into());
    #[cfg(windows)]
    {
        use std::os::windows::io::AsRawHandle;
        let value = (end.as_raw_handle() as usize).to_string();
        let mut command = Child::command(function, &[&side, &value, argument]);
        let child = Child::spawn_with(&mut command, std::process::Stdio::null());
        // Else it would not end when the child's does.
        drop(end);
        child
    }
}

#[test]
fn ends_of_unnamed_pipes_are_handed_from_one_to_the_other() {
    in_time(|| {
        for (parent, child_side) in SIDES {
            let (tx, rx) = of!(parent, inheritable_pipe()).expect("a pipe");
            let child = start_with("recv", child_side, rx, "");
            of!(parent, send_through(tx, "to the child")).expect("no error");
            child.expect("to the child");
            child.finish();

            let (tx, rx) = of!(parent, inheritable_pipe()).expect("a pipe");
            let child = start_with("send", child_side, tx, "to the parent");
            assert_eq!(of!(parent, recv_from(rx)).expect("no error"), "to the parent");
            child.finish();
        }
    });
}

#[test]
#[cfg(windows)]
fn messages_through_named_pipes_keep_their_boundaries_between_both() {
    in_time(|| {
        for (server, client) in SIDES {
            let path = format!(r"\\.\pipe\{}", support::unique());
            let child = Child::start("serve_pipe", &[&format!("{server:?}"), &path]);
            child.expect("listening");
            of!(client, ask_pipe(&path)).unwrap_or_else(|error| panic!("{client:?}: {error}"));
            child.finish();
        }
    });
}
