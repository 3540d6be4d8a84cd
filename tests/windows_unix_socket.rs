//! Local sockets whose names are socket files on Windows.
//!
//! Wine has no such sockets. What is done with names, and what happens where there are none, is tested there too; all else
//! runs where the system has them, which is Windows 10 from version 1803 on.

#![cfg(windows)]

mod support;

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        Access, ConnectOptions, ExistingName, GenericFilePath, Listener, ListenerNonblockingMode,
        ListenerOptions, Name, NameType, Stream, ToFsName, ToName,
    },
    os::windows::{
        local_socket::{FilesystemUdSocket, ListenerOptionsExt},
        security_descriptor::{Ace, Control, Parts, SecurityDescriptor, Sid},
    },
};
use std::{
    ffi::{CString, OsString},
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    os::windows::{ffi::OsStringExt, fs::OpenOptionsExt, io::AsHandle},
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};
use support::{Child, TempDir, in_time};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, READ_CONTROL,
};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(60);

#[test]
fn child_entry() {
    support::child_entry(&[("serve", serve), ("steal", steal), ("connect", connect)]);
}

/// Runs the test, unless the system has no such sockets.
fn with_sockets(test: impl FnOnce() + Send + 'static) {
    if FilesystemUdSocket::is_supported() {
        in_time(test);
    }
}

fn name_of(path: &Path) -> Name<'_> {
    path.to_fs_name::<FilesystemUdSocket>().expect("a short path of Unicode")
}

/// A path that nobody else uses, in a directory that goes with it.
struct Place {
    path: PathBuf,
    _dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new();
        Self { path: dir.join("socket"), _dir: dir }
    }

    fn name(&self) -> Name<'_> {
        name_of(&self.path)
    }

    fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    fn listen(&self) -> Listener {
        Listener::bind(self.name()).expect("a name of ours")
    }

    fn options(&self) -> ListenerOptions<'_> {
        ListenerOptions::new().name(self.name())
    }

    fn pair(&self) -> (Stream, Stream) {
        let listener = self.listen();
        let client = Stream::connect(self.name()).expect("it listens");
        (listener.accept().expect("a client is there"), client)
    }

    /// Leaves a file without a listener behind.
    fn abandon(&self) {
        let mut listener = self.listen();
        listener.do_not_reclaim_name_on_drop();
        drop(listener);
        assert!(self.exists());
    }
}

fn kind<T>(result: io::Result<T>) -> ErrorKind {
    result.map(drop).expect_err("it has to fail").kind()
}

/// The socket file itself.
fn open(path: &Path) -> File {
    OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES | READ_CONTROL)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
        .expect("a file of ours")
}

fn recv_to_end(mut stream: &Stream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("an end");
    all
}

// Names.

#[test]
fn a_name_of_a_socket_file_is_a_path_and_says_which() {
    let text = r"C:\some where\@socket";
    let name = text.to_fs_name::<FilesystemUdSocket>().unwrap();
    assert!(name.is_path() && !name.is_namespaced());
    assert_eq!(name.as_os_str(), text);
    assert_eq!(name.to_string(), text);
    assert_eq!(name.file().as_deref(), Some(Path::new(text)));
    assert_eq!(name.borrow(), name.clone().into_owned());
    assert_eq!(name.to_string().to_fs_name::<FilesystemUdSocket>().unwrap(), name);
    assert_eq!(CString::new(text).unwrap().to_fs_name::<FilesystemUdSocket>().unwrap(), name);
    // What it is written as is a path all the same, where text that starts so would be namespaced.
    assert_eq!("@x".to_fs_name::<FilesystemUdSocket>().unwrap().to_string(), "./@x");
}

#[test]
fn nothing_becomes_a_socket_file_that_is_not_asked_to() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    // Every other path is that of a pipe.
    assert_eq!(kind(path.as_path().to_name()), ErrorKind::InvalidInput);
    assert_eq!(kind(path.as_path().to_fs_name::<GenericFilePath>()), ErrorKind::InvalidInput);
    let pipe = r"\\.\pipe\x";
    let (as_pipe, as_file) =
        (pipe.to_fs_name::<GenericFilePath>().unwrap(), pipe.to_fs_name::<FilesystemUdSocket>().unwrap());
    assert_ne!(as_pipe, as_file);
    assert_eq!((as_pipe.file(), as_file.file()), (None, Some(PathBuf::from(pipe))));
}

#[test]
fn the_path_of_a_socket_file_is_checked_when_the_name_is_made() {
    let make = |path: OsString| path.to_fs_name::<FilesystemUdSocket>().map(drop);
    make("x".repeat(107).into()).unwrap();
    make("\u{20ac}".repeat(35).into()).unwrap();
    for (path, what) in [
        (OsString::from("x".repeat(108)), "it is 108 bytes long as UTF-8, but at most 107 are possible"),
        ("\u{20ac}".repeat(36).into(), "108 bytes"),
        ("a\0b".into(), "NUL"),
        (OsString::new(), "empty"),
        (OsString::from_wide(&[0x78, 0xd800]), "Unicode"),
    ] {
        let error = make(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn options_keep_what_is_wrong_with_the_path_of_a_socket_file() {
    let long = "x".repeat(200);
    let name = long.as_str().to_fs_name::<FilesystemUdSocket>();
    assert!(name.unwrap_err().to_string().contains(&long), "the error says the name");
}

#[test]
fn a_system_without_such_sockets_says_so_and_leaves_nothing_behind() {
    if FilesystemUdSocket::is_supported() {
        return;
    }
    in_time(|| {
        assert!(!FilesystemUdSocket::is_supported());
        let place = Place::new();
        for existing in [ExistingName::Fail, ExistingName::TakeOverIfDead, ExistingName::Steal] {
            let error = place.options().existing_name(existing).create_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(&*place.path.to_string_lossy()), "{error}");
            assert!(!place.exists());
        }
        for wait_mode in [ConnectWaitMode::Deferred, ConnectWaitMode::Unbounded] {
            let options = ConnectOptions::new().name(place.name()).wait_mode(wait_mode).wait_for_server(true);
            let error = options.connect_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(&*place.path.to_string_lossy()), "{error}");
        }
        // Not even what is there is touched.
        fs::write(&place.path, b"kept").unwrap();
        assert_eq!(kind(place.options().try_overwrite(true).create_sync()), ErrorKind::Unsupported);
        assert_eq!(fs::read(&place.path).unwrap(), b"kept");
    });
}

#[test]
fn a_security_descriptor_that_a_file_cannot_have_is_refused_before_anything_is_made() {
    in_time(|| {
        let place = Place::new();
        let descriptor = SecurityDescriptor::from_sddl("D:(A;;FA;;;OW)S:(ML;;NW;;;LW)").unwrap();
        let error = place.options().security_descriptor(descriptor).create_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("SACL"), "{error}");
        // Without a list, everybody could do everything: that has to be said.
        let without = SecurityDescriptor::from_sddl("O:SY").unwrap();
        assert_eq!(kind(place.options().security_descriptor(without).create_sync()), ErrorKind::InvalidInput);
        assert!(!place.exists());
    });
}

// Talking.

#[test]
fn bytes_go_both_ways_through_a_socket_file_and_each_direction_ends_alone() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.listen();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut server = listener.accept().unwrap();
                let question = recv_to_end(&server);
                server.write_all(&question).unwrap();
                server.write_all(b"!").unwrap();
            });
            let mut client = Stream::connect(place.name()).unwrap();
            client.write_all(b"question").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(recv_to_end(&client), b"question!");
            assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn much_goes_through_a_socket_file_while_the_other_direction_is_blocked() {
    const LEN: usize = 8 << 20;
    with_sockets(|| {
        let (mut server, client) = Place::new().pair();
        thread::scope(|scope| {
            // Never anything to read: that does not keep anyone from writing.
            let reader = scope.spawn(|| recv_to_end(&client));
            scope.spawn(|| {
                let data: Vec<u8> = (0..LEN).map(|at| (at % 251).to_le_bytes()[0]).collect();
                (&client).write_all(&data).unwrap();
                client.shutdown(Shutdown::Write).unwrap();
            });
            let mut received = Vec::new();
            server.read_to_end(&mut received).unwrap();
            assert_eq!(received.len(), LEN);
            assert!(received.iter().enumerate().all(|(at, &byte)| usize::from(byte) == at % 251));
            drop(server);
            assert!(reader.join().unwrap().is_empty());
        });
    });
}

#[test]
fn what_was_sent_before_a_socket_is_dropped_arrives() {
    with_sockets(|| {
        let (server, mut client) = Place::new().pair();
        client.write_all(b"last words").unwrap();
        drop(client);
        assert_eq!(recv_to_end(&server), b"last words");
        assert!(server.is_peer_gone().unwrap());
    });
}

#[test]
fn what_was_sent_to_a_socket_file_arrives_though_the_sender_did_not_read_everything() {
    with_sockets(|| {
        let (mut server, mut client) = Place::new().pair();
        server.write_all(b"never read").unwrap();
        client.write_all(b"last words").unwrap();
        drop(client);
        assert_eq!(recv_to_end(&server), b"last words");
    });
}

#[test]
fn a_socket_file_has_timeouts_a_nonblocking_mode_and_a_way_to_look_ahead() {
    with_sockets(|| {
        let (server, mut client) = Place::new().pair();
        let mut buf = [0; 9];
        server.set_recv_timeout(Some(SHORT)).unwrap();
        assert_eq!(kind(server.recv(&mut buf)), ErrorKind::TimedOut);
        assert_eq!(kind(server.peek(&mut buf)), ErrorKind::TimedOut);
        server.set_nonblocking(true).unwrap();
        assert_eq!(kind(server.recv(&mut buf)), ErrorKind::WouldBlock);
        client.write_all(b"bytes").unwrap();
        server.set_nonblocking(false).unwrap();
        server.set_recv_timeout(None).unwrap();
        assert_eq!(server.peek(&mut buf).unwrap(), 5);
        assert_eq!(server.recv(&mut buf).unwrap(), 5);
        assert!(!server.is_peer_gone().unwrap());

        client.set_send_timeout(Some(SHORT)).unwrap();
        let data = vec![0; 1 << 20];
        let error =
            (0..1000).find_map(|_| client.send(&data).err()).expect("there is an end to what it takes");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(kind(client.drain(SHORT)), ErrorKind::Unsupported);
    });
}

#[test]
fn a_blocked_reader_of_a_socket_file_sees_the_end_whoever_makes_it() {
    with_sockets(|| {
        for is_ours in [false, true] {
            let (server, client) = Place::new().pair();
            thread::scope(|scope| {
                let reader = scope.spawn(|| recv_to_end(&server));
                thread::sleep(SHORT);
                let end = if is_ours { &server } else { &client };
                end.shutdown(Shutdown::Both).unwrap();
                assert!(reader.join().unwrap().is_empty());
            });
        }
    });
}

// Accepting.

#[test]
fn accepting_from_a_socket_file_waits_to_a_deadline_or_not_at_all() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.listen();
        assert_eq!(kind(listener.accept_timeout(SHORT)), ErrorKind::TimedOut);
        listener.set_nonblocking(ListenerNonblockingMode::Both).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        let _clients = [Stream::connect(place.name()).unwrap(), Stream::connect(place.name()).unwrap()];
        for _ in 0..2 {
            assert!(listener.accept().unwrap().is_nonblocking().unwrap());
        }
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    });
}

#[test]
fn clients_of_a_socket_file_that_leave_at_once_do_not_wedge_it() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.listen();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..300 {
                    // The queue may be full.
                    drop(Stream::connect(place.name()));
                }
                let mut last =
                    ConnectOptions::new().name(place.name()).wait_for_server(true).connect_sync().unwrap();
                last.write_all(b"last").unwrap();
            });
            while recv_to_end(&listener.accept().unwrap()) != b"last" {}
        });
    });
}

#[test]
fn stopping_a_listener_on_a_socket_file_wakes_all_who_accept() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.listen();
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| listener.incoming().count())).collect();
            thread::sleep(SHORT);
            listener.stop();
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), 0);
            }
        });
        assert_eq!(kind(listener.accept()), ErrorKind::BrokenPipe);
    });
}

// Names and files.

#[test]
fn a_socket_file_that_is_in_use_is_not_taken() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.listen();
        for existing in [ExistingName::Fail, ExistingName::TakeOverIfDead] {
            let error = place.options().existing_name(existing).create_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&*place.path.to_string_lossy()), "{error}");
        }
        // It has not noticed those who only looked.
        assert_eq!(kind(listener.accept_timeout(Duration::ZERO)), ErrorKind::TimedOut);
        Stream::connect(place.name()).unwrap();
        listener.accept().unwrap();
    });
}

#[test]
fn a_socket_file_whose_listener_has_too_many_clients_is_not_taken() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.options().backlog(1).create_sync().unwrap();
        let clients: Vec<_> = (0..20).map_while(|_| Stream::connect(place.name()).ok()).collect();
        assert_eq!(kind(Listener::bind(place.name())), ErrorKind::AddrInUse);
        for _ in clients {
            listener.accept().unwrap();
        }
        Stream::connect(place.name()).unwrap();
    });
}

#[test]
fn a_dead_socket_file_is_taken_over_unless_that_is_to_fail() {
    with_sockets(|| {
        let place = Place::new();
        place.abandon();
        assert_eq!(kind(Stream::connect(place.name())), ErrorKind::ConnectionRefused);
        assert_eq!(
            kind(place.options().existing_name(ExistingName::Fail).create_sync()),
            ErrorKind::AddrInUse
        );
        let listener = place.listen();
        Stream::connect(place.name()).unwrap();
        listener.accept().unwrap();
        drop(listener);
        assert!(!place.exists());
        assert_eq!(kind(Stream::connect(place.name())), ErrorKind::NotFound);
    });
}

#[test]
fn the_socket_file_of_a_killed_process_is_taken_over() {
    with_sockets(|| {
        let place = Place::new();
        let mut server = Child::start("serve", &[&place.path.to_string_lossy()]);
        server.expect("listening");
        assert_eq!(kind(Listener::bind(place.name())), ErrorKind::AddrInUse);
        server.kill();
        assert!(place.exists());
        place.listen();
    });
}

#[test]
fn a_stolen_socket_file_is_left_alone_by_whom_it_was_stolen_from() {
    with_sockets(|| {
        let place = Place::new();
        let old = place.listen();
        let new = place.options().try_overwrite(true).create_sync().unwrap();
        drop(old);
        assert!(place.exists());
        Stream::connect(place.name()).unwrap();
        new.accept().unwrap();
        drop(new);
        assert!(!place.exists());
    });
}

#[test]
fn what_is_no_socket_file_is_never_replaced_and_nobody_connects_to_it() {
    with_sockets(|| {
        let place = Place::new();
        fs::write(&place.path, b"kept").unwrap();
        for existing in [ExistingName::Fail, ExistingName::TakeOverIfDead, ExistingName::Steal] {
            let error = place.options().existing_name(existing).create_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains("a regular file"), "{error}");
            assert!(error.to_string().contains(&*place.path.to_string_lossy()), "{error}");
        }
        assert_eq!(kind(Stream::connect(place.name())), ErrorKind::ConnectionRefused);
        assert_eq!(fs::read(&place.path).unwrap(), b"kept");
    });
}

#[test]
fn a_socket_file_needs_its_directory() {
    with_sockets(|| {
        let dir = TempDir::new();
        fs::write(dir.join("file"), b"").unwrap();
        let bind = |path: &str| kind(Listener::bind(name_of(&dir.join(path))));
        assert_eq!(bind(r"missing\socket"), ErrorKind::NotFound);
        assert_eq!(bind(r"file\socket"), ErrorKind::NotADirectory);
        assert_eq!(kind(Stream::connect(name_of(&dir.join(r"missing\socket")))), ErrorKind::NotFound);
    });
}

#[test]
fn a_socket_file_is_deleted_only_by_whom_it_is_left_to() {
    with_sockets(|| {
        let place = Place::new();
        drop(place.listen());
        assert!(!place.exists());
        drop(place.options().reclaim_name(false).create_sync().unwrap());
        assert!(place.exists());
        place.abandon();
        // A successor's file, be it anything.
        let listener = place.listen();
        fs::remove_file(&place.path).unwrap();
        fs::write(&place.path, b"successor").unwrap();
        drop(listener);
        assert_eq!(fs::read(&place.path).unwrap(), b"successor");
    });
}

#[test]
fn of_processes_that_race_for_a_dead_socket_file_one_wins() {
    with_sockets(|| {
        let place = Place::new();
        for _ in 0..5 {
            place.abandon();
            let text = place.path.to_string_lossy();
            let servers: Vec<_> = (0..4).map(|_| Child::start("serve", &[&text])).collect();
            let said: Vec<_> = servers.iter().map(Child::hear).collect();
            assert_eq!(said.iter().filter(|line| *line == "listening").count(), 1, "{said:?}");
            Stream::connect(place.name()).unwrap();
            drop(servers);
        }
    });
}

#[test]
fn of_processes_that_steal_a_socket_file_at_once_the_last_has_it() {
    with_sockets(|| {
        let place = Place::new();
        let _first = place.listen();
        for _ in 0..5 {
            let text = place.path.to_string_lossy();
            let servers: Vec<_> = (0..4).map(|_| Child::start("steal", &[&text])).collect();
            let said: Vec<_> = servers.iter().map(Child::hear).collect();
            assert!(said.iter().any(|line| line == "listening"), "{said:?}");
            Stream::connect(place.name()).unwrap();
        }
    });
}

// Who may, and who it is.

#[test]
fn a_socket_file_lets_in_whom_it_should() {
    with_sockets(|| {
        let place = Place::new();
        let sids = |access| {
            let _listener = place.options().access(access).create_sync().unwrap();
            let file = open(&place.path);
            let descriptor = SecurityDescriptor::of_handle(file.as_handle(), Parts::DACL).unwrap();
            assert!(descriptor.control_flags().contains(Control::DACL_PROTECTED));
            let dacl = descriptor.dacl_list();
            dacl.entries().unwrap().aces().iter().filter_map(Ace::sid).collect::<Vec<_>>()
        };
        let owners = [Sid::current_user().unwrap(), Sid::ADMINISTRATORS, Sid::SYSTEM];
        assert_eq!(sids(Access::Owner), owners);
        assert_eq!(sids(Access::Group)[3..], [Sid::current_group().unwrap()]);
        assert_eq!(sids(Access::Everyone)[3..], [Sid::EVERYONE]);
    });
}

#[test]
fn a_socket_file_has_the_security_descriptor_that_it_was_given() {
    with_sockets(|| {
        let place = Place::new();
        // Nobody but the system may: not even we get in.
        let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;SY)(A;;RCSDFR;;;OW)").unwrap();
        let listener = place.options().security_descriptor(descriptor.clone()).create_sync().unwrap();
        let found = SecurityDescriptor::of_handle(open(&place.path).as_handle(), Parts::DACL).unwrap();
        assert_eq!(found.dacl_list(), descriptor.dacl_list());
        assert_eq!(kind(Stream::connect(place.name())), ErrorKind::PermissionDenied);
        drop(listener);
        assert!(!place.exists());
    });
}

#[test]
fn both_ends_of_a_socket_file_know_whose_process_the_other_is() {
    with_sockets(|| {
        let place = Place::new();
        let listener = place.listen();
        let mut client = Child::start("connect", &[&place.path.to_string_lossy()]);
        let server = listener.accept().unwrap();
        let creds = server.peer_creds().unwrap();
        assert_eq!((creds.pid(), creds.is_same_user()), (Some(client.id()), true));
        client.expect(&process::id().to_string());
        client.wait();
    });
}

#[test]
fn an_accept_policy_decides_on_clients_of_a_socket_file() {
    with_sockets(|| {
        let place = Place::new();
        let listener =
            place.options().accept_policy(|peer| peer.pid() != Some(process::id())).create_sync().unwrap();
        let client = Stream::connect(place.name()).unwrap();
        assert_eq!(kind(listener.accept_timeout(SHORT)), ErrorKind::TimedOut);
        assert_eq!(client.recv(&mut [0; 1]).unwrap(), 0);
    });
}

/// Listens on the path, says how that went, and waits.
fn serve(arguments: &[String]) {
    say_and_wait(&Listener::bind(name_of(Path::new(&arguments[0]))));
}

/// As above, whoever has it.
fn steal(arguments: &[String]) {
    let options = ListenerOptions::new().name(name_of(Path::new(&arguments[0])));
    say_and_wait(&options.try_overwrite(true).create_sync());
}

fn say_and_wait(listener: &io::Result<Listener>) {
    match listener {
        Ok(_) => support::say("listening"),
        Err(error) => support::say(error),
    }
    support::hear();
}

/// Connects to the path, and says who is there.
fn connect(arguments: &[String]) {
    let name = name_of(Path::new(&arguments[0]));
    let client = ConnectOptions::new().name(name).require_same_user(true).connect_sync().expect("it listens");
    support::say(client.peer_pid().expect("the system tells"));
    support::hear();
}

// Async.

#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use interprocess::runtime::{Async, Runtime};
    use std::future::Future;

    /// Sends and receives everything with the methods that all runtimes have.
    async fn echo<R: Runtime>() {
        const LEN: usize = 1 << 20;
        let place = Place::new();
        let listener = Async::<Listener, R>::bind(place.name()).expect("a name of ours");
        for round in 0..5 {
            let client = Async::<Stream, R>::connect(place.name()).await.expect("it listens");
            let server = listener.accept().await.expect("a client is there");
            // Small enough for nobody to wait for the other.
            client.send(&[round; 9]).await.unwrap();
            let mut buf = [0; 16];
            assert_eq!(server.recv(&mut buf).await.unwrap(), 9);
            assert_eq!(buf[..9], [round; 9]);

            let client = Stream::try_from(client).unwrap();
            let writer = thread::spawn(move || (&client).write_all(&vec![round; LEN]).map(|()| client));
            let (mut received, mut buf) = (0, vec![0; 50_000]);
            while received < LEN {
                let len = server.recv(&mut buf).await.unwrap();
                assert!(len > 0 && buf[..len].iter().all(|&byte| byte == round));
                received += len;
            }
            drop(writer.join().unwrap().unwrap());
            assert_eq!(server.recv(&mut buf).await.unwrap(), 0);
        }
    }

    fn run(
        block_on: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()>>>) + Send + 'static,
        with: fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>,
    ) {
        with_sockets(move || block_on(with()));
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn a_socket_file_serves_tasks_of_tokio() {
        run(
            |task| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task),
            || Box::pin(echo::<interprocess::runtime::Tokio>()),
        );
    }

    #[cfg(feature = "smol")]
    #[test]
    fn a_socket_file_serves_tasks_of_any_executor() {
        run(async_io::block_on, || Box::pin(echo::<interprocess::runtime::Smol>()));
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn a_task_of_tokio_ends_one_direction_of_a_socket_file() {
        use interprocess::runtime::Tokio;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        with_sockets(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let place = Place::new();
                let listener = Async::<Listener, Tokio>::bind(place.name()).unwrap();
                let mut client = Async::<Stream, Tokio>::connect(place.name()).await.unwrap();
                let mut server = listener.accept().await.unwrap();
                client.write_all(b"question").await.unwrap();
                client.shutdown().await.unwrap();
                let mut text = String::new();
                server.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "question");
                server.write_all(b"answer").await.unwrap();
                drop(server);
                text.clear();
                client.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "answer");
            });
        });
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn the_end_comes_after_what_a_half_has_on_its_way_when_it_is_dropped() {
        use interprocess::runtime::Tokio;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        with_sockets(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let place = Place::new();
                let listener = Async::<Listener, Tokio>::bind(place.name()).unwrap();
                let client = Async::<Stream, Tokio>::connect(place.name()).await.unwrap();
                let mut server = listener.accept().await.unwrap();
                let (mut rh, sh) = client.into_split();
                let (data, mut sent) = (vec![7; 1 << 20], 0);
                let error = loop {
                    match sh.try_send(&data) {
                        Ok(len) => sent += len,
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                drop(sh);
                let mut all = Vec::new();
                server.read_to_end(&mut all).await.unwrap();
                assert_eq!(all.len(), sent);
                server.write_all(b"answer").await.unwrap();
                drop(server);
                let mut text = String::new();
                rh.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "answer");
            });
        });
    }
}
