//! What only the inside can see. That the same things hold for users is tested from outside.

use super::{
    listener::Listener,
    local_socket::Stream,
    named_pipe::{Client, Instance, PipePath, Settings, spy},
    overlapped::{self, File, MAX_TRANSFER},
    security::{self, SecurityDescriptor, our_user},
    wide::from_wide,
};
use crate::{
    deadline::Deadline,
    local_socket::{Access, ConnectOptions, ListenerOptions, Name, ToName},
    os::windows::named_pipe::PipeMode,
};
use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    net::Shutdown,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    process,
    ptr::{null, null_mut},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use windows_sys::Wdk::Storage::FileSystem::FILE_PIPE_REJECT_REMOTE_CLIENTS;
use windows_sys::Win32::{
    Foundation::{
        ERROR_PIPE_BUSY, GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, GetHandleInformation, HANDLE_FLAG_INHERIT,
        INVALID_HANDLE_VALUE, LocalFree,
    },
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
            SE_KERNEL_OBJECT,
        },
        DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    },
    Storage::FileSystem::{
        CreateFileW, FILE_CREATE_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_READ_DATA, FILE_WRITE_DATA,
        OPEN_EXISTING, SECURITY_DELEGATION, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT, WriteFile,
    },
    System::Pipes::{PIPE_NOWAIT, SetNamedPipeHandleState},
};

const SOON: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(20);

fn soon() -> Deadline {
    Deadline::after(SOON)
}

pub(super) fn long() -> Deadline {
    Deadline::after(LONG)
}

pub(super) fn unique_name() -> Name<'static> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("@interprocess-unit-{}-{count}", process::id()).to_name().unwrap()
}

fn path(name: &Name<'_>) -> PipePath {
    super::name::pipe_path(name).unwrap()
}

fn settings(path: &PipePath) -> Settings {
    Settings::new(path.clone(), SecurityDescriptor::of_pipe(Access::Owner).unwrap())
}

/// The two ends of a pipe, the server's first.
pub(super) fn pipe() -> (Arc<File>, Arc<File>) {
    let path = path(&unique_name());
    let server = settings(&path).create(Instance::First).unwrap();
    let client = Client::default().open(&path).unwrap();
    (Arc::new(server.into()), Arc::new(client.into()))
}

/// The two ends of a pipe that keeps messages apart, the server's first. Ours are none, but those of others may
/// be.
pub(super) fn message_pipe() -> (Arc<File>, Arc<File>) {
    let name = unique_name();
    let settings = Settings { mode: PipeMode::Messages, ..settings(&path(&name)) };
    let server = settings.create(Instance::First).unwrap();
    let client = Client { recv_mode: PipeMode::Messages, ..Client::default() };
    let client = client.open(&path(&name)).unwrap();
    (Arc::new(server.into()), Arc::new(client.into()))
}

pub(super) fn listen(name: &Name<'_>) -> Listener {
    Listener::bind(name, &ListenerOptions::new()).unwrap()
}

fn try_connect(name: &Name<'_>, wait: Option<Deadline>) -> io::Result<Stream> {
    Stream::connect(name, &ConnectOptions::new(), wait)
}

pub(super) fn connect(name: &Name<'_>) -> Stream {
    try_connect(name, Some(long())).unwrap()
}

/// The two ends of a connection, the server's first.
fn pair() -> (Stream, Stream) {
    let name = unique_name();
    let listener = listen(&name);
    let client = connect(&name);
    (listener.accept(long(), false).unwrap(), client)
}

pub(super) fn recv_exact(stream: &Stream, len: usize) -> Vec<u8> {
    stream.set_recv_timeout(Some(LONG)).unwrap();
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match stream.recv(&mut bytes[filled..]).unwrap() {
            0 => panic!("the stream ended after {filled} of {len} bytes"),
            len => filled += len,
        }
    }
    bytes
}

pub(super) fn send_all(stream: &Stream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        bytes = &bytes[stream.send(bytes).unwrap()..];
    }
}

fn from_handle(handle: OwnedHandle) -> Stream {
    Stream::from_handle(handle, Some(PipeMode::Bytes)).map_err(|(error, _)| error).unwrap()
}

/// Something that tells if bytes are lost, doubled or mixed up.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + index / 251 * 13).to_le_bytes()[0]).collect()
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// As many bytes as are taken until the next would have to wait.
fn fill(stream: &Stream, bytes: &[u8]) -> usize {
    let mut sent = 0;
    loop {
        match stream.send(&bytes[sent..]) {
            Ok(len) => sent += len,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return sent,
            Err(error) => panic!("{error}"),
        }
        assert!(sent < bytes.len(), "the pipe takes everything");
    }
}

// Names

#[test]
fn only_paths_of_pipes_are_names() {
    for good in [r"\\.\pipe\x", r"\\.\PIPE\x", r"\\host\pipe\x", r"\\.\pipe\a\b", "//./pipe/x", r"\\?\pipe\x"]
    {
        PipePath::new(good.as_ref()).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    let long = format!(r"\\.\pipe\{}", "x".repeat(PipePath::MAX_LEN));
    for bad in [
        "",
        "x",
        r"C:\pipe\x",
        r"\\.\pipe",
        r"\\.\pipe\",
        r"\\.\pipes\x",
        r"\\.\mailslot\x",
        r"\\host\share\x",
        r"\\host\pipe\",
        r"\\.\pipe\..\x",
        r"\\.\pipe\..\C:\x",
        r"\\?\pipe\..\C:\x",
        r"\\?\UNC\host\pipe\..\x",
        "\\\\.\\pipe\\a\0b",
        &long,
    ] {
        assert_eq!(kind(PipePath::new(bad.as_ref())), ErrorKind::InvalidInput, "{bad}");
    }
    PipePath::new(long[..PipePath::MAX_LEN].as_ref()).unwrap();
}

#[test]
fn however_a_path_is_written_it_is_the_same_pipe() {
    let name = unique_name();
    let text = name.as_os_str().to_string_lossy().into_owned();
    let _listener = Listener::bind(&name, &ListenerOptions::new().backlog(1)).unwrap();
    let mut taken = None;
    for path in [format!(r"\\.\pipe\{text}"), format!("//./pipe/{text}"), format!(r"\\.\PIPE\.\{text}")] {
        let name = path.as_str().to_name().unwrap();
        taken = taken.or_else(|| try_connect(&name, None).ok());
        assert_eq!(kind(try_connect(&name, Some(soon()))), ErrorKind::TimedOut, "{path}");
        assert_eq!(kind(Listener::bind(&name, &ListenerOptions::new())), ErrorKind::AddrInUse, "{path}");
    }
    assert!(taken.is_some());
}

#[test]
fn a_namespaced_name_cannot_leave_the_namespace() {
    assert_eq!(kind(r"@..\x".to_name()), ErrorKind::InvalidInput);
    assert_eq!(kind(r"@..\..\C:\Windows\win.ini".to_name()), ErrorKind::InvalidInput);
}

#[test]
fn one_listens_only_on_this_machine() {
    let name = r"\\host\pipe\interprocess".to_name().unwrap();
    assert_eq!(kind(Listener::bind(&name, &ListenerOptions::new())), ErrorKind::InvalidInput);
}

#[test]
fn what_is_no_unicode_can_be_a_name() {
    use std::{ffi::OsString, os::windows::ffi::OsStringExt};
    let mut text: Vec<u16> = format!("@interprocess-unit-{}-", process::id()).encode_utf16().collect();
    text.push(0xd800);
    let name = OsString::from_wide(&text).to_name().unwrap();
    let listener = listen(&name);
    let client = connect(&name);
    send_all(&client, b"x");
    assert_eq!(recv_exact(&listener.accept(long(), false).unwrap(), 1), b"x");
}

// Who may connect

#[test]
fn a_second_server_of_a_name_is_refused() {
    let name = unique_name();
    let listener = listen(&name);
    let error = Listener::bind(&name, &ListenerOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains("a pipe of that name exists"), "{error}");
    // Also with a client, and while all instances are taken.
    let clients: Vec<_> = (0..16).map(|_| connect(&name)).collect();
    assert_eq!(kind(Listener::bind(&name, &ListenerOptions::new())), ErrorKind::AddrInUse);
    drop((listener, clients));
    listen(&name);
}

#[test]
fn the_name_is_held_all_the_time_between_accepts() {
    let name = unique_name();
    let listener = Listener::bind(&name, &ListenerOptions::new().backlog(1)).unwrap();
    let (is_over, attempts) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let rogue = scope.spawn(|| {
            let settings = settings(&path(&name));
            while !is_over.load(Ordering::Relaxed) {
                settings.create(Instance::First).expect_err("the name was free");
                attempts.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut rounds = 0;
        // On a busy machine the rogue may be late.
        while rounds < 200 || attempts.load(Ordering::Relaxed) < 10 && !rogue.is_finished() {
            rounds += 1;
            let client = connect(&name);
            let server = listener.accept(long(), false).unwrap();
            // The instance of this client is closed first.
            drop(server);
            drop(client);
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn the_name_is_free_as_soon_as_the_listener_is_dropped() {
    let name = unique_name();
    for _ in 0..20 {
        drop(listen(&name));
    }
}

/// The owner and the access list of a pipe, as text.
fn security_of(handle: BorrowedHandle<'_>) -> String {
    const WHAT: u32 = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let (mut descriptor, mut text) = (null_mut(), null_mut());
    // SAFETY: the handle is open, all that is pointed to outlives the calls, and what the system allocates is
    // freed once.
    unsafe {
        let error = GetSecurityInfo(
            handle.as_raw_handle(),
            SE_KERNEL_OBJECT,
            WHAT,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        );
        assert_eq!(error, 0);
        let done = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor,
            SDDL_REVISION_1,
            WHAT,
            &raw mut text,
            null_mut(),
        );
        assert_ne!(done, 0);
        let security = from_wide(text);
        LocalFree(descriptor);
        LocalFree(text.cast());
        security
    }
}

/// The access list, entry by entry. Wine keeps it but does not enforce it, so that this is what can be tested
/// there.
fn access_list(access: Access) -> Vec<String> {
    let name = unique_name();
    let _listener = Listener::bind(&name, &ListenerOptions::new().access(access)).unwrap();
    let security = security_of(connect(&name).as_handle());
    let (owner, list) = security.split_once("D:").unwrap();
    assert_eq!(owner, format!("O:{}", our_user().unwrap()), "{security}");
    let (flags, entries) = list.split_once('(').unwrap();
    assert!(flags.contains('P'), "the list is not protected from what is inherited: {security}");
    entries.trim_end_matches(')').split(")(").map(str::to_owned).collect()
}

/// Our user, administrators and the system, with all rights.
fn owners() -> Vec<String> {
    ["BA", "SY"].into_iter().fold(vec![format!("A;;FA;;;{}", our_user().unwrap())], |mut list, who| {
        list.push(format!("A;;FA;;;{who}"));
        list
    })
}

#[test]
fn the_access_list_has_the_owner_administrators_and_the_system_and_nobody_else() {
    assert_eq!(access_list(Access::Owner), owners());
}

#[test]
fn the_access_list_has_the_group_too_without_the_right_to_add_instances() {
    let list = access_list(Access::Group);
    assert_eq!(list[..3], owners());
    let [_, _, rights, _, _, group] = list[3].split(';').collect::<Vec<_>>()[..] else { panic!("{list:?}") };
    assert_eq!(rights, "0x12019b");
    assert!(!group.is_empty() && group != "WD", "{group}");
    assert_eq!(list.len(), 4);
}

#[test]
fn the_access_list_has_everyone_without_the_right_to_add_instances() {
    let list = access_list(Access::Everyone);
    assert_eq!(list[..3], owners());
    assert_eq!(list[3..], ["A;;0x12019b;;;WD"]);
    assert_eq!(0x0012_019b & FILE_CREATE_PIPE_INSTANCE, 0);
}

// Wine has no remote clients, and the system does not give this flag back: that it is asked for is all there
// is to see.
#[test]
fn remote_clients_are_rejected() {
    let name = unique_name();
    let listener = Listener::bind(&name, &ListenerOptions::new().backlog(1)).unwrap();
    for _ in 0..2 {
        assert_eq!(spy::CREATED_TYPE.take(), FILE_PIPE_REJECT_REMOTE_CLIENTS);
        // The next instance.
        let _client = connect(&name);
        listener.accept(long(), false).unwrap();
    }
}

// Under Wine the server gets a token that it may act with, whatever the client asks for.
#[test]
fn clients_allow_identification_at_most_and_ask_for_no_more_rights_than_they_need() {
    let (_server, _client) = pair();
    let (access, flags) = spy::OPENED_WITH.take();
    assert_eq!(flags & SECURITY_SQOS_PRESENT, SECURITY_SQOS_PRESENT);
    assert_eq!(flags & SECURITY_DELEGATION, SECURITY_IDENTIFICATION);
    assert_eq!(access & (FILE_CREATE_PIPE_INSTANCE | GENERIC_WRITE | GENERIC_ALL), 0);
    assert_eq!(access & (FILE_READ_DATA | FILE_WRITE_DATA), FILE_READ_DATA | FILE_WRITE_DATA);
}

#[test]
fn handles_are_not_inherited() {
    let name = unique_name();
    let listener = listen(&name);
    let client = connect(&name);
    let server = listener.accept(long(), false).unwrap();
    for stream in [client, server] {
        let mut flags = 0;
        // SAFETY: the handle is open, and `flags` outlives the call.
        assert_ne!(unsafe { GetHandleInformation(stream.as_handle().as_raw_handle(), &raw mut flags) }, 0);
        assert_eq!(flags & HANDLE_FLAG_INHERIT, 0);
    }
}

#[test]
fn both_ends_know_each_other() {
    let (server, client) = pair();
    for end in [&server, &client] {
        let creds = end.peer_creds().unwrap();
        assert_eq!(creds.pid(), Some(process::id()));
        assert!(creds.session().is_some());
        assert!(creds.is_same_user());
        assert_eq!(creds.sid(), our_user().unwrap().to_string());
        assert!(creds.sid().starts_with("S-1-"));
    }
    assert!(client.server_is_ours().unwrap());
}

#[test]
fn asking_who_the_client_is_leaves_the_thread_what_it_was() {
    let (server, _client) = pair();
    for _ in 0..10 {
        server.peer_creds().unwrap();
        assert!(security::is_thread_itself().unwrap());
    }
}

#[test]
fn a_client_that_left_is_still_known() {
    let (server, client) = pair();
    send_all(&client, b"x");
    drop(client);
    recv_exact(&server, 1);
    assert_eq!(server.peer_creds().unwrap().pid(), Some(process::id()));
}

// Accepting

#[test]
fn a_thousand_clients_that_connect_and_leave_do_not_wedge_accept() {
    let name = unique_name();
    let listener = Listener::bind(&name, &ListenerOptions::new().backlog(4)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..1000 {
                drop(connect(&name));
            }
            send_all(&connect(&name), b"last");
        });
        let mut accepted = 0;
        loop {
            let stream = listener.accept(long(), false).unwrap();
            accepted += 1;
            stream.set_recv_timeout(Some(LONG)).unwrap();
            let mut buf = [0; 10];
            match stream.recv(&mut buf).unwrap() {
                0 => {}
                len => {
                    assert_eq!(&buf[..len], b"last");
                    break;
                }
            }
        }
        // As on Unix, a client that is gone counts.
        assert_eq!(accepted, 1001);
    });
}

#[test]
fn what_a_client_sent_before_it_left_is_received() {
    let name = unique_name();
    let listener = listen(&name);
    for number in 0..10_u8 {
        send_all(&connect(&name), &[number; 3]);
    }
    let mut seen: Vec<u8> = (0..10)
        .map(|_| {
            let stream = listener.accept(long(), false).unwrap();
            let bytes = recv_exact(&stream, 3);
            assert_eq!(stream.recv(&mut [0; 3]).unwrap(), 0);
            bytes[0]
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
}

#[test]
fn many_clients_and_many_servers_find_each_other() {
    const CLIENTS: u32 = 200;
    let name = unique_name();
    let listener = Listener::bind(&name, &ListenerOptions::new().backlog(3)).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    match listener.accept(long(), false) {
                        Ok(stream) => send_all(&stream, &recv_exact(&stream, 4)),
                        Err(error) => break assert_eq!(error.kind(), ErrorKind::BrokenPipe),
                    }
                }
            });
        }
        let clients: Vec<_> = (0..4)
            .map(|part| {
                let name = &name;
                scope.spawn(move || {
                    for number in (part..CLIENTS).step_by(4) {
                        let stream = connect(name);
                        send_all(&stream, &number.to_le_bytes());
                        assert_eq!(recv_exact(&stream, 4), number.to_le_bytes());
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        listener.stop();
    });
}

#[test]
fn connections_beyond_the_backlog_wait_and_are_refused_without_waiting() {
    let name = unique_name();
    let listener = Listener::bind(&name, &ListenerOptions::new().backlog(2)).unwrap();
    let _taken = (connect(&name), connect(&name));
    assert_eq!(kind(try_connect(&name, None)), ErrorKind::WouldBlock);
    let start = Instant::now();
    assert_eq!(kind(try_connect(&name, Some(soon()))), ErrorKind::TimedOut);
    assert!(start.elapsed() >= SOON);
    thread::scope(|scope| {
        let client = scope.spawn(|| connect(&name));
        let _first = listener.accept(long(), false).unwrap();
        client.join().unwrap();
    });
    let stream = try_connect(&name, None);
    assert!(stream.is_err() || stream.unwrap().is_nonblocking().unwrap());
}

#[test]
fn without_a_server_there_is_nothing_to_wait_for() {
    let name = unique_name();
    assert_eq!(kind(try_connect(&name, None)), ErrorKind::NotFound);
    assert_eq!(kind(try_connect(&name, Some(Deadline::NEVER))), ErrorKind::NotFound);
    drop(listen(&name));
    assert_eq!(kind(try_connect(&name, Some(Deadline::NEVER))), ErrorKind::NotFound);
}

#[test]
fn waiting_for_a_busy_server_ends_when_the_server_does() {
    let name = unique_name();
    let listener = Listener::bind(&name, &ListenerOptions::new().backlog(1)).unwrap();
    let taken = connect(&name);
    let (sender, waiting) = mpsc::channel();
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            assert_eq!(kind(try_connect(&name, None)), ErrorKind::WouldBlock);
            sender.send(()).unwrap();
            try_connect(&name, Some(Deadline::NEVER))
        });
        waiting.recv().unwrap();
        drop(taken);
        drop(listener);
        assert_eq!(kind(client.join().unwrap()), ErrorKind::NotFound);
    });
}

#[test]
fn accept_times_out_and_goes_on() {
    let name = unique_name();
    let listener = listen(&name);
    let start = Instant::now();
    assert_eq!(kind(listener.accept(soon(), false)), ErrorKind::TimedOut);
    assert!(start.elapsed() >= SOON);
    assert_eq!(kind(listener.accept(Deadline::after(Duration::ZERO), false)), ErrorKind::TimedOut);
    listener.set_accept_nonblocking(true).unwrap();
    assert_eq!(kind(listener.accept(Deadline::NEVER, false)), ErrorKind::WouldBlock);
    let _client = connect(&name);
    let stream = listener.accept(Deadline::after(Duration::ZERO), true).unwrap();
    assert!(stream.is_nonblocking().unwrap());
}

#[test]
fn stopping_wakes_every_blocked_accept() {
    for has_client in [false, true] {
        let name = unique_name();
        let listener = listen(&name);
        let (sender, results) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..4 {
                let (sender, listener) = (sender.clone(), &listener);
                scope.spawn(move || sender.send(listener.accept(long(), false)).unwrap());
            }
            results.recv_timeout(SOON).expect_err("there is no client");
            // With a client, one of them may reset the event in the same moment.
            let _client = has_client.then(|| connect(&name));
            listener.stop();
            let (accepted, stopped): (Vec<_>, Vec<_>) =
                (0..4).map(|_| results.recv_timeout(LONG).unwrap()).partition(io::Result::is_ok);
            assert!(accepted.len() <= usize::from(has_client));
            for result in stopped {
                assert_eq!(kind(result), ErrorKind::BrokenPipe);
            }
        });
        assert!(listener.is_stopped());
        assert_eq!(kind(listener.accept(Deadline::NEVER, false)), ErrorKind::BrokenPipe);
    }
}

#[test]
fn a_listener_outlives_the_thread_that_made_it() {
    let name = unique_name();
    let listener = thread::scope(|scope| scope.spawn(|| listen(&name)).join().unwrap());
    // The system has cancelled what the thread started. Clients that come now find instances that nobody
    // waits for: one client that stays, and one that leaves.
    let client = connect(&name);
    send_all(&client, b"x");
    send_all(&connect(&name), b"x");
    for _ in 0..2 {
        let stream = listener.accept(long(), false).unwrap();
        assert_eq!(recv_exact(&stream, 1), b"x");
    }
    assert_eq!(kind(listener.accept(soon(), false)), ErrorKind::TimedOut);
}

// Data

#[test]
fn an_echo_comes_back() {
    let (server, client) = pair();
    for len in [1, 10, 1000, 65536, 100_000] {
        let sent = pattern(len);
        thread::scope(|scope| {
            scope.spawn(|| send_all(&client, &sent));
            scope.spawn(|| send_all(&server, &recv_exact(&server, len)));
            assert!(recv_exact(&client, len) == sent);
        });
    }
}

#[test]
fn a_blocked_read_does_not_delay_a_write() {
    let (server, client) = pair();
    thread::scope(|scope| {
        let reader = scope.spawn(|| recv_exact(&client, 4));
        // Each answer is sent when the question is there, so the reader has been blocked all the time.
        for _ in 0..20 {
            send_all(&client, b"ask");
            assert_eq!(recv_exact(&server, 3), b"ask");
        }
        send_all(&server, b"last");
        assert_eq!(reader.join().unwrap(), b"last");
    });
}

#[test]
fn a_write_larger_than_the_quota_arrives_whole() {
    let (server, client) = pair();
    let sent = pattern(3_000_000);
    thread::scope(|scope| {
        scope.spawn(|| send_all(&client, &sent));
        assert!(recv_exact(&server, sent.len()) == sent);
    });
}

#[test]
fn looking_ahead_copies_no_more_at_once_than_receiving() {
    let (server, client) = pair();
    let deadline = long();
    thread::scope(|scope| {
        scope.spawn(|| overlapped::write(server.as_handle(), &vec![7; 2 * MAX_TRANSFER]).unwrap());
        // What a write has that is in flight counts, too.
        while client.available().unwrap() < 2 * MAX_TRANSFER {
            assert!(!deadline.has_passed(), "the write has not begun");
            thread::yield_now();
        }
        let mut buf = vec![0; 2 * MAX_TRANSFER];
        let copied = client.peek(&mut buf).unwrap();
        assert_eq!(recv_exact(&client, buf.len()), vec![7; buf.len()]);
        assert_eq!(copied, MAX_TRANSFER);
    });
}

#[test]
fn empty_buffers_do_nothing() {
    let (server, client) = pair();
    assert_eq!(client.send(&[]).unwrap(), 0);
    assert_eq!(client.send_vectored(&[IoSlice::new(&[]), IoSlice::new(&[])]).unwrap(), 0);
    assert_eq!(server.recv(&mut []).unwrap(), 0);
    assert_eq!(server.peek(&mut []).unwrap(), 0);
    assert_eq!(server.recv_vectored(&mut []).unwrap(), 0);
    server.set_nonblocking(true).unwrap();
    assert_eq!(kind(server.recv(&mut [0; 1])), ErrorKind::WouldBlock);
    drop(server);
    assert_eq!(client.send(&[]).unwrap(), 0);
}

fn write_nothing(stream: &Stream) {
    let mut op = windows_sys::Win32::System::IO::OVERLAPPED::default();
    // SAFETY: the handle is open, no bytes are read from the pointer, and a write of nothing does not wait.
    let done =
        unsafe { WriteFile(stream.as_handle().as_raw_handle(), [].as_ptr(), 0, null_mut(), &raw mut op) };
    assert_ne!(done, 0);
}

#[test]
fn zero_bytes_from_the_peer_do_not_keep_one_past_the_deadline() {
    for is_peek in [false, true] {
        let (server, client) = pair();
        let is_over = AtomicBool::new(false);
        let deadline = long();
        thread::scope(|scope| {
            // More than one, so that the reader never catches up.
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) && !deadline.has_passed() {
                        write_nothing(&client);
                    }
                });
            }
            server.set_recv_timeout(Some(SOON)).unwrap();
            for _ in 0..3 {
                let mut buf = [0; 8];
                let result = if is_peek { server.peek(&mut buf) } else { server.recv(&mut buf) };
                assert_eq!(kind(result), ErrorKind::TimedOut);
            }
            assert!(!deadline.has_passed(), "it went on until the peer was done");
            is_over.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn zero_bytes_from_the_peer_are_not_the_end_of_the_stream() {
    let (server, client) = pair();
    write_nothing(&client);
    send_all(&client, b"after");
    assert_eq!(recv_exact(&server, 5), b"after");
    // The same for a read that is in flight already, by either kind of call.
    for is_nonblocking in [false, true] {
        server.set_recv_timeout(Some(LONG)).unwrap();
        thread::scope(|scope| {
            if is_nonblocking {
                server.set_nonblocking(true).unwrap();
                assert_eq!(kind(server.recv(&mut [0; 8])), ErrorKind::WouldBlock);
                server.set_nonblocking(false).unwrap();
            }
            let reader = scope.spawn(|| recv_exact(&server, 5));
            write_nothing(&client);
            write_nothing(&client);
            send_all(&client, b"after");
            assert_eq!(reader.join().unwrap(), b"after");
        });
    }
}

#[test]
fn vectored_calls_use_what_they_can() {
    let (server, client) = pair();
    let sent =
        client.send_vectored(&[IoSlice::new(b""), IoSlice::new(b"one"), IoSlice::new(b"two")]).unwrap();
    assert_eq!(sent, 6);
    let (mut first, mut second) = ([0; 4], [0; 4]);
    let mut bufs = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    assert_eq!(server.recv_vectored(&mut bufs).unwrap(), 4);
    assert_eq!(&first, b"onet");
    assert_eq!(recv_exact(&server, 2), b"wo");
    let big = pattern(100_000);
    thread::scope(|scope| {
        let reader = scope.spawn(|| recv_exact(&server, 100_001));
        let sent = client.send_vectored(&[IoSlice::new(b"x"), IoSlice::new(&big)]).unwrap();
        send_all(&client, &big[sent - 1..]);
        assert!(reader.join().unwrap()[1..] == big);
    });
}

#[test]
fn a_read_times_out_and_loses_nothing() {
    let (server, client) = pair();
    server.set_recv_timeout(Some(SOON)).unwrap();
    let start = Instant::now();
    assert_eq!(kind(server.recv(&mut [0; 10])), ErrorKind::TimedOut);
    assert!(start.elapsed() >= SOON);
    assert_eq!(kind(server.peek(&mut [0; 10])), ErrorKind::TimedOut);
    assert_eq!(kind(server.recv(&mut [0; 10])), ErrorKind::TimedOut);
    send_all(&client, b"late");
    assert_eq!(recv_exact(&server, 4), b"late");
}

#[test]
fn timeouts_are_checked_and_given_back() {
    let (server, client) = pair();
    assert_eq!(kind(server.set_recv_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
    assert_eq!(kind(server.set_send_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
    let timeout = Some(Duration::from_millis(1234));
    server.set_recv_timeout(timeout).unwrap();
    server.set_send_timeout(timeout).unwrap();
    assert_eq!((server.recv_timeout().unwrap(), server.send_timeout().unwrap()), (timeout, timeout));
    assert_eq!(server.try_clone().unwrap().recv_timeout().unwrap(), timeout);
    for endless in [Some(Duration::MAX), Some(Duration::from_nanos(u64::MAX - 1)), None] {
        server.set_recv_timeout(endless).unwrap();
        server.set_send_timeout(endless).unwrap();
        send_all(&client, b"x");
        assert_eq!(server.recv(&mut [0; 1]).unwrap(), 1);
        assert_eq!(server.send(b"x").unwrap(), 1);
    }
}

#[test]
fn a_write_that_times_out_tears_nothing() {
    let (server, client) = pair();
    client.set_send_timeout(Some(SOON)).unwrap();
    let sent = pattern(1_000_000);
    let accepted = fill(&client, &sent);
    assert!(accepted > 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            client.set_send_timeout(Some(LONG)).unwrap();
            send_all(&client, &sent[accepted..]);
        });
        assert!(recv_exact(&server, sent.len()) == sent);
    });
}

#[test]
fn nonblocking_calls_do_not_wait_and_lose_nothing() {
    let (server, client) = pair();
    server.set_nonblocking(true).unwrap();
    assert!(server.is_nonblocking().unwrap() && server.try_clone().unwrap().is_nonblocking().unwrap());
    let mut buf = [0; 4];
    for _ in 0..3 {
        assert_eq!(kind(server.recv(&mut buf)), ErrorKind::WouldBlock);
        assert_eq!(kind(server.peek(&mut buf)), ErrorKind::WouldBlock);
    }
    // A read of 4 bytes is in flight.
    send_all(&client, b"123456789");
    server.set_nonblocking(false).unwrap();
    assert_eq!(server.peek(&mut buf).unwrap(), 4);
    assert_eq!(&buf, b"1234");
    assert_eq!(server.recv(&mut buf[..3]).unwrap(), 3);
    assert_eq!(recv_exact(&server, 6), b"456789");

    client.set_nonblocking(true).unwrap();
    let sent = pattern(1_000_000);
    let accepted = fill(&client, &sent);
    assert!(recv_exact(&server, accepted) == sent[..accepted]);
    // A blocking write waits for one in flight.
    let accepted = fill(&client, &sent);
    client.set_nonblocking(false).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| send_all(&client, &sent[accepted..]));
        assert!(recv_exact(&server, sent.len()) == sent);
    });
}

#[test]
fn sending_takes_all_that_there_is_time_for() {
    let sent = pattern(1_000_000);
    for timeout in [None, Some(LONG)] {
        let (server, client) = pair();
        client.set_send_timeout(timeout).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(client.send(&sent).unwrap(), sent.len()));
            assert!(recv_exact(&server, sent.len()) == sent);
        });
    }
    let (server, client) = pair();
    client.set_send_timeout(Some(SOON)).unwrap();
    let len = client.send(&sent).unwrap();
    assert!((1..sent.len()).contains(&len));
    assert!(recv_exact(&server, len) == sent[..len]);
}

#[test]
fn a_read_left_by_a_thread_that_ended_loses_nothing() {
    let (server, client) = pair();
    server.set_nonblocking(true).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::WouldBlock)).join().unwrap();
    });
    send_all(&client, b"after all");
    server.set_nonblocking(false).unwrap();
    assert_eq!(recv_exact(&server, 9), b"after all");
}

#[test]
fn dropping_with_a_write_in_flight_loses_nothing_while_the_peer_reads() {
    for is_nonblocking in [true, false] {
        let (server, client) = pair();
        let sent = pattern(1_000_000);
        // On a thread of its own, which ends with the write in flight.
        let (accepted, sent) = thread::spawn(move || {
            client.set_nonblocking(is_nonblocking).unwrap();
            client.set_send_timeout(Some(SOON)).unwrap();
            let accepted = fill(&client, &sent);
            let start = Instant::now();
            drop(client);
            assert!(start.elapsed() < LONG);
            (accepted, sent)
        })
        .join()
        .unwrap();
        assert!(recv_exact(&server, accepted) == sent[..accepted]);
        assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn what_was_sent_before_closing_is_received_then_the_end() {
    let (server, client) = pair();
    send_all(&client, b"bye");
    drop(client);
    assert!(server.is_peer_gone().unwrap());
    assert_eq!(server.peek(&mut [0; 2]).unwrap(), 2);
    assert_eq!(recv_exact(&server, 3), b"bye");
    for _ in 0..2 {
        assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
        assert_eq!(server.peek(&mut [0; 1]).unwrap(), 0);
    }
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    assert_eq!(server.peek(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn the_end_wakes_a_blocked_read() {
    for end in [true, false] {
        let (server, client) = pair();
        let (stays, goes) = if end { (server, client) } else { (client, server) };
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                stays.set_recv_timeout(Some(LONG)).unwrap();
                send_all(&stays, b"x");
                stays.recv(&mut [0; 1]).unwrap()
            });
            recv_exact(&goes, 1);
            drop(goes);
            assert_eq!(reader.join().unwrap(), 0);
        });
    }
}

#[test]
fn sending_to_a_peer_that_is_gone_is_a_broken_pipe() {
    for is_nonblocking in [true, false] {
        for timeout in [None, Some(LONG)] {
            for end in [true, false] {
                let (server, client) = pair();
                let (stays, goes) = if end { (server, client) } else { (client, server) };
                stays.set_nonblocking(is_nonblocking).unwrap();
                stays.set_send_timeout(timeout).unwrap();
                assert!(!stays.is_peer_gone().unwrap());
                drop(goes);
                assert!(stays.is_peer_gone().unwrap());
                assert_eq!(kind(stays.send(b"x")), ErrorKind::BrokenPipe);
            }
        }
    }
}

#[test]
fn flushing_waits_until_nothing_is_on_its_way() {
    let (server, client) = pair();
    client.flush().expect("nothing was sent");
    client.set_nonblocking(true).unwrap();
    let sent = pattern(1_000_000);
    let mut accepted = fill(&client, &sent);
    assert_eq!(kind(client.flush()), ErrorKind::WouldBlock);
    client.set_nonblocking(false).unwrap();
    client.set_send_timeout(Some(SOON)).unwrap();
    let start = Instant::now();
    assert_eq!(kind(client.flush()), ErrorKind::TimedOut);
    assert!(start.elapsed() >= SOON);
    for timeout in [Some(LONG), None] {
        client.set_send_timeout(timeout).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert!(recv_exact(&server, accepted) == sent[..accepted]));
            client.flush().unwrap();
        });
        client.set_nonblocking(true).unwrap();
        client.flush().unwrap();
        accepted = fill(&client, &sent);
        client.set_nonblocking(false).unwrap();
    }
    // The failure is told, once.
    drop(server);
    assert_eq!(kind(client.flush()), ErrorKind::BrokenPipe);
    client.flush().expect("nothing is on its way any more");
    assert_eq!(kind(client.send(b"x")), ErrorKind::BrokenPipe);
}

#[test]
fn the_failure_of_a_write_that_nobody_waited_for_is_reported_once() {
    let (server, client) = pair();
    client.set_send_timeout(Some(SOON)).unwrap();
    fill(&client, &pattern(1_000_000));
    drop(server);
    let deadline = long();
    let error = loop {
        match client.take_error().unwrap() {
            Some(error) => break error,
            None => assert!(!deadline.has_passed()),
        }
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert!(client.take_error().unwrap().is_none());
    assert_eq!(kind(client.send(b"x")), ErrorKind::BrokenPipe);
}

#[test]
fn drain_waits_until_the_peer_has_read_everything() {
    let (server, client) = pair();
    client.drain(Deadline::after(Duration::ZERO)).expect("nothing was sent");
    send_all(&client, b"some bytes");
    let start = Instant::now();
    assert_eq!(kind(client.drain(soon())), ErrorKind::TimedOut);
    assert!(start.elapsed() >= SOON && start.elapsed() < LONG);
    // In flight, too.
    client.set_nonblocking(true).unwrap();
    let sent = pattern(1_000_000);
    let accepted = fill(&client, &sent);
    assert_eq!(kind(client.drain(soon())), ErrorKind::TimedOut);
    for deadline in [long(), Deadline::NEVER] {
        thread::scope(|scope| {
            let drain = scope.spawn(|| client.drain(deadline));
            if deadline.remaining().is_some() {
                assert_eq!(recv_exact(&server, 10), b"some bytes");
                assert!(recv_exact(&server, accepted) == sent[..accepted]);
            }
            drain.join().unwrap().unwrap();
        });
    }
    drop(server);
    client.drain(long()).expect("everything was read");
}

#[test]
fn drain_says_if_the_peer_leaves_without_reading() {
    // Before, and in the middle.
    let (server, client) = pair();
    send_all(&client, b"x");
    drop(server);
    assert_eq!(kind(client.drain(long())), ErrorKind::BrokenPipe);
    assert_eq!(kind(client.drain(Deadline::NEVER)), ErrorKind::BrokenPipe);

    for deadline in [long(), Deadline::NEVER] {
        let (server, client) = pair();
        send_all(&client, b"xy");
        let (sender, drained) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| sender.send(client.drain(deadline)).unwrap());
            recv_exact(&server, 1);
            drained.recv_timeout(SOON).expect_err("one byte was not read");
            drop(server);
            assert_eq!(kind(drained.recv_timeout(LONG).unwrap()), ErrorKind::BrokenPipe);
        });
    }
}

#[test]
fn half_close_is_unsupported_and_says_so() {
    let (server, _client) = pair();
    for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
        assert_eq!(kind(server.shutdown(how)), ErrorKind::Unsupported);
    }
}

#[test]
fn clones_share_the_connection_and_it_closes_with_the_last() {
    let (server, client) = pair();
    let clone = client.try_clone().unwrap();
    drop(client);
    send_all(&clone, b"x");
    recv_exact(&server, 1);
    assert!(!server.is_peer_gone().unwrap());
    let handle = OwnedHandle::from(clone.try_clone().unwrap());
    drop(clone);
    assert!(!server.is_peer_gone().unwrap());
    let stream = from_handle(handle);
    send_all(&stream, b"y");
    assert_eq!(recv_exact(&server, 1), b"y");
    drop(OwnedHandle::from(stream));
    assert!(server.is_peer_gone().unwrap());
}

#[test]
fn a_pipe_that_is_set_not_to_wait_waits_as_a_stream() {
    let (server, client) = pair();
    let handle = OwnedHandle::from(server);
    // SAFETY: the handle is open, and null leaves the rest as it is.
    let done = unsafe { SetNamedPipeHandleState(handle.as_raw_handle(), &PIPE_NOWAIT, null(), null()) };
    assert_ne!(done, 0);
    let server = from_handle(handle);
    server.set_recv_timeout(Some(SOON)).unwrap();
    assert_eq!(kind(server.recv(&mut [0; 1])), ErrorKind::TimedOut);
    send_all(&client, b"x");
    assert_eq!(recv_exact(&server, 1), b"x");
}

/// Opens a pipe as most do: with all of `GENERIC_WRITE`, and without a word about security.
fn open_plainly(name: &Name<'_>, flags: u32) -> OwnedHandle {
    let path = super::wide::to_wide(format!(r"\\.\pipe\{}", name.as_os_str().to_string_lossy()).as_ref());
    let access = GENERIC_READ | GENERIC_WRITE;
    // SAFETY: the path ends with NUL; null is allowed for the rest.
    let handle = unsafe { CreateFileW(path.as_ptr(), access, 0, null(), OPEN_EXISTING, flags, null_mut()) };
    assert_ne!(handle, INVALID_HANDLE_VALUE, "{}", io::Error::last_os_error());
    // SAFETY: CreateFileW succeeded, so the handle is open and ours.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

#[test]
fn a_handle_without_overlapped_io_is_good_for_plain_calls_and_says_so() {
    let name = unique_name();
    let listener = listen(&name);
    let client = from_handle(open_plainly(&name, 0));
    let server = listener.accept(long(), false).unwrap();
    for result in [
        client.set_nonblocking(true),
        client.set_recv_timeout(Some(LONG)),
        client.set_send_timeout(Some(LONG)),
        client.drain(long()),
    ] {
        assert_eq!(kind(result), ErrorKind::Unsupported);
    }
    client.set_nonblocking(false).unwrap();
    client.set_recv_timeout(None).unwrap();
    send_all(&client, b"ask");
    client.flush().unwrap();
    assert_eq!(recv_exact(&server, 3), b"ask");
    client.drain(Deadline::NEVER).unwrap();
    send_all(&server, b"answer");
    let mut buf = [0; 6];
    assert_eq!(client.recv(&mut buf).unwrap(), 6);
    drop(server);
    assert_eq!(client.recv(&mut buf).unwrap(), 0);
}

/// Wine tells who the client is at all times.
pub(super) fn is_wine() -> bool {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleA(name: *const u8) -> *mut std::ffi::c_void;
        fn GetProcAddress(module: *mut std::ffi::c_void, name: *const u8) -> *const std::ffi::c_void;
    }
    // SAFETY: both texts end with NUL, and the module is loaded for as long as the process lives.
    unsafe {
        !GetProcAddress(GetModuleHandleA(c"ntdll".as_ptr().cast()), c"wine_get_version".as_ptr().cast())
            .is_null()
    }
}

#[test]
fn a_client_in_another_language_is_served() {
    let name = unique_name();
    let listener = listen(&name);
    let handle = open_plainly(&name, FILE_FLAG_OVERLAPPED);
    overlapped::write(handle.as_handle(), b"hello").unwrap();
    let stream = listener.accept(long(), false).unwrap();
    // It did not ask for what makes it known from the start.
    match stream.peer_creds() {
        Ok(creds) => assert!(is_wine() && creds.is_same_user()),
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied),
    }
    assert_eq!(recv_exact(&stream, 5), b"hello");
    assert!(stream.peer_creds().unwrap().is_same_user());
}

#[test]
fn opening_a_busy_pipe_says_so() {
    let path = path(&unique_name());
    let _server = settings(&path).create(Instance::First).unwrap();
    let _client = Client::default().open(&path).unwrap();
    assert!(overlapped::has_code(&Client::default().open(&path).unwrap_err(), ERROR_PIPE_BUSY));
}

// Tasks

#[cfg(feature = "async")]
mod tasks {
    use super::*;
    use crate::runtime::Interest;
    use std::task::{Context, Poll, Wake, Waker};

    struct Woken(mpsc::Sender<()>);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    fn task() -> (Waker, mpsc::Receiver<()>) {
        let (sender, woken) = mpsc::channel();
        (Arc::new(Woken(sender)).into(), woken)
    }

    #[test]
    fn a_task_that_reads_is_woken_when_there_are_bytes() {
        let (server, client) = pair();
        server.set_nonblocking(true).unwrap();
        let (waker, woken) = task();
        let mut cx = Context::from_waker(&waker);
        assert_eq!(server.poll_ready(Interest::Read, &mut cx), Poll::Ready(()), "nothing was tried yet");
        for _ in 0..20 {
            assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::WouldBlock);
            assert_eq!(server.poll_ready(Interest::Read, &mut cx), Poll::Pending);
            send_all(&client, b"x");
            woken.recv_timeout(LONG).unwrap();
            assert_eq!(server.poll_ready(Interest::Read, &mut cx), Poll::Ready(()));
            assert_eq!(server.recv(&mut [0; 9]).unwrap(), 1);
        }
        assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::WouldBlock);
        assert_eq!(server.poll_ready(Interest::Read, &mut cx), Poll::Pending);
        drop(client);
        woken.recv_timeout(LONG).unwrap();
        assert_eq!(server.recv(&mut [0; 9]).unwrap(), 0);
    }

    #[test]
    fn a_task_that_writes_is_woken_when_there_is_room() {
        let (server, client) = pair();
        client.set_nonblocking(true).unwrap();
        let (waker, woken) = task();
        let mut cx = Context::from_waker(&waker);
        let sent = pattern(1_000_000);
        let mut accepted = 0;
        thread::scope(|scope| {
            scope.spawn(|| assert!(recv_exact(&server, sent.len()) == sent));
            while accepted < sent.len() {
                match client.send(&sent[accepted..]) {
                    Ok(len) => accepted += len,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        if client.poll_ready(Interest::Write, &mut cx).is_pending() {
                            woken.recv_timeout(LONG).unwrap();
                        }
                    }
                }
            }
        });
    }

    #[test]
    fn a_task_that_accepts_is_woken_by_a_client_and_by_the_stop() {
        let name = unique_name();
        let listener = listen(&name);
        listener.set_accept_nonblocking(true).unwrap();
        let (waker, woken) = task();
        let mut cx = Context::from_waker(&waker);
        let mut accept = || loop {
            match listener.accept(Deadline::NEVER, true) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if listener.poll_ready(Interest::Read, &mut cx).is_pending() {
                        woken.recv_timeout(LONG).unwrap();
                    }
                }
                result => break result,
            }
        };
        for _ in 0..50 {
            thread::scope(|scope| {
                scope.spawn(|| connect(&name));
                accept().unwrap();
            });
        }
        thread::scope(|scope| {
            scope.spawn(|| listener.stop());
            assert_eq!(kind(accept()), ErrorKind::BrokenPipe);
        });
    }

    #[test]
    fn a_stream_may_be_dropped_while_a_task_waits_for_it() {
        for _ in 0..20 {
            let (server, _client) = pair();
            server.set_nonblocking(true).unwrap();
            let (waker, _woken) = task();
            assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::WouldBlock);
            assert_eq!(server.poll_ready(Interest::Read, &mut Context::from_waker(&waker)), Poll::Pending);
            drop(server);
        }
    }
}
