//! Who is at the other end, acting as it, and whether it is there still.

use crate::{
    listening::{options, unique_path},
    support::{Child, ChildFunction, LIMIT, hear, in_time, is_wine, say},
};
use interprocess::{
    ConnectWaitMode,
    os::windows::{
        ImpersonationGuard, ImpersonationLevel,
        named_pipe::{DuplexPipeStream, PipeConnectOptions, PipeStream, pipe_mode::*},
        security_descriptor::{IntegrityLevel, SecurityDescriptor, Sid},
    },
};
use std::{
    io::{self, ErrorKind},
    num::NonZeroU8,
    os::windows::io::{FromRawHandle, OwnedHandle},
    panic, process,
    ptr::null_mut,
    thread,
};
use windows_sys::Win32::{
    Foundation::{ERROR_CANNOT_IMPERSONATE, ERROR_NO_TOKEN, ERROR_PIPE_LOCAL},
    Security::{SECURITY_IMPERSONATION_LEVEL, TOKEN_QUERY},
    System::{
        RemoteDesktop::ProcessIdToSessionId,
        Threading::{GetCurrentThread, OpenThreadToken},
    },
};

type Stream = DuplexPipeStream<Bytes>;

pub(crate) const CHILDREN: [(&str, ChildFunction); 3] = [
    ("ask_as_client", ask_as_client),
    ("connect_and_tell", connect_and_tell),
    ("serve_and_tell", serve_and_tell),
];

/// The server's end and the client's.
fn pair() -> (Stream, Stream) {
    pair_with(|options| options)
}

fn pair_with(choose: impl FnOnce(PipeConnectOptions) -> PipeConnectOptions) -> (Stream, Stream) {
    let path = unique_path();
    let listener = options(&path).create_duplex().unwrap();
    let client = choose(PipeConnectOptions::new().path(&path)).connect().unwrap();
    (listener.accept().unwrap(), client)
}

fn session_of(process: u32) -> u32 {
    let mut session = 0;
    // SAFETY: `session` outlives the call.
    assert_ne!(unsafe { ProcessIdToSessionId(process, &raw mut session) }, 0);
    session
}

/// What both ends say about client and server.
#[track_caller]
fn check_ids(stream: &Stream, client: u32, server: u32) {
    assert_eq!(stream.client_process_id().unwrap(), client);
    assert_eq!(stream.server_process_id().unwrap(), server);
    assert_eq!(stream.client_session_id().unwrap(), session_of(client));
    assert_eq!(stream.server_session_id().unwrap(), session_of(server));
    let peer = if stream.is_server() { client } else { server };
    assert_eq!(stream.peer_process_id().unwrap(), peer);
    assert_eq!(stream.peer_session_id().unwrap(), session_of(peer));
    assert_eq!(stream.is_client(), !stream.is_server());
}

/// That the peer is of our user.
#[track_caller]
fn check_creds(stream: &Stream, pid: u32) {
    let creds = stream.peer_creds().unwrap();
    assert!(creds.is_same_user(), "{creds:?}");
    let us = Sid::current_user().unwrap();
    assert_eq!((*creds.user(), creds.sid()), (us, &*us.to_string()));
    assert_eq!((creds.pid(), creds.session()), (Some(pid), Some(session_of(pid))));
    assert!(creds.integrity_level() >= Some(IntegrityLevel::MEDIUM), "{creds:?}");
}

fn connect_and_tell(arguments: &[String]) {
    let client = Stream::connect_by_path(&arguments[0]).unwrap();
    let server = arguments[1].parse().unwrap();
    check_ids(&client, process::id(), server);
    check_creds(&client, server);
    say("told");
    hear();
}

fn serve_and_tell(arguments: &[String]) {
    let listener = options(&arguments[0]).create_duplex::<Bytes>().unwrap();
    say("listening");
    let server = listener.accept().unwrap();
    let client = arguments[1].parse().unwrap();
    check_ids(&server, client, process::id());
    check_creds(&server, client);
    say("told");
    hear();
}

#[test]
fn both_ends_know_the_process_and_the_session_of_both_ends() {
    in_time(|| {
        let (server, client) = pair();
        let we = process::id();
        check_ids(&server, we, we);
        check_ids(&client, we, we);
        assert!(server.is_server() && client.is_client());
    });
}

#[test]
fn both_ends_know_whose_the_other_is() {
    in_time(|| {
        let (server, client) = pair();
        check_creds(&server, process::id());
        check_creds(&client, process::id());
    });
}

#[test]
fn a_client_in_another_process_is_known_and_knows() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        let child = Child::start("connect_and_tell", &[&path, &process::id().to_string()]);
        let server = listener.accept().unwrap();
        check_ids(&server, child.id(), process::id());
        check_creds(&server, child.id());
        child.expect("told");
        child.finish();
    });
}

#[test]
fn a_server_in_another_process_is_known_and_knows() {
    in_time(|| {
        let path = unique_path();
        let child = Child::start("serve_and_tell", &[&path, &process::id().to_string()]);
        child.expect("listening");
        let client = PipeConnectOptions::new()
            .path(&path)
            .require_same_user(true)
            .wait_mode(ConnectWaitMode::Timeout(LIMIT))
            .connect::<Bytes, Bytes>()
            .unwrap();
        check_ids(&client, process::id(), child.id());
        check_creds(&client, child.id());
        child.expect("told");
        child.finish();
    });
}

#[test]
fn who_the_client_was_is_known_after_it_has_left() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        drop(Stream::connect_by_path(&path).unwrap());
        let server = listener.accept().unwrap();
        // Whatever the system can tell still; no more than an error.
        match server.peer_creds() {
            Ok(creds) => assert!(creds.is_same_user()),
            Err(error) => assert_ne!(error.to_string(), ""),
        }
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn a_pipe_of_our_user_is_one_of_our_user() {
    in_time(|| {
        let (server, client) = pair_with(|options| options.require_same_user(true));
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
    });
}

/// The number of an error of the system.
fn code_of(error: &io::Error) -> Option<u32> {
    error.raw_os_error().and_then(|code| code.try_into().ok())
}

/// Whether this thread acts as the process does.
fn is_itself() -> bool {
    let mut token = null_mut();
    // SAFETY: the thread's pseudo handle is always valid, and `token` outlives the call.
    if unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &raw mut token) } != 0 {
        // SAFETY: it succeeded, so the handle is open and ours.
        drop(unsafe { OwnedHandle::from_raw_handle(token) });
        return false;
    }
    let error = io::Error::last_os_error();
    // One that cannot be opened is one.
    code_of(&error) == Some(ERROR_NO_TOKEN)
}

#[test]
fn a_thread_acts_as_the_client_until_the_guard_is_dropped_and_no_longer() {
    in_time(|| {
        let (server, _client) = pair();
        for _ in 0..3 {
            assert!(is_itself());
            let guard = server.impersonate_client().unwrap();
            assert!(!is_itself());
            assert!(thread::spawn(is_itself).join().unwrap(), "other threads stay themselves");
            drop(guard);
        }
        assert!(is_itself());
        assert!(
            panic::catch_unwind(panic::AssertUnwindSafe(|| {
                let _guard = server.impersonate_client().unwrap();
                assert!(!is_itself());
                panic::resume_unwind(Box::new(()));
            }))
            .is_err()
        );
        assert!(is_itself());
    });
}

#[test]
fn guards_can_be_nested() {
    in_time(|| {
        let (outer, _client_1) = pair();
        let (inner, _client_2) = pair();
        let guard = outer.impersonate_client().unwrap();
        {
            let _guard = inner.impersonate_client().unwrap();
            let _same_once_more = inner.impersonate_client().unwrap();
            assert!(!is_itself());
        }
        assert!(!is_itself());
        // What the thread does meanwhile is done by the client, of whom the pipes must not mind.
        assert!(inner.peer_creds().unwrap().is_same_user());
        assert!(!is_itself());
        drop(guard);
        assert!(is_itself());
    });
}

#[test]
fn a_thread_that_acts_as_a_client_accepts_others_and_keeps_the_name() {
    in_time(|| {
        for limit in [Option::None, NonZeroU8::new(1)] {
            let path = unique_path();
            let listener = options(&path).instance_limit(limit).create_duplex::<Bytes>().unwrap();
            let _client = Stream::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            let guard = server.impersonate_client().unwrap();
            // With the limit, another instance is made here.
            drop(server);
            for _ in 0..20 {
                // As itself, since a client may be allowed no more than to be known.
                let connected = thread::scope(|scope| {
                    scope.spawn(|| Stream::connect_by_path(&path).unwrap()).join().unwrap()
                });
                let server = listener.accept().unwrap();
                assert!(!is_itself());
                connected.send(b"x").unwrap();
                assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
            }
            let rogue = thread::scope(|scope| {
                scope.spawn(|| options(&path).create_duplex::<Bytes>().unwrap_err()).join().unwrap()
            });
            assert_eq!(rogue.kind(), ErrorKind::AddrInUse);
            drop(guard);
            assert!(is_itself());
        }
    });
}

/// Asks for the first time who a client is while it acts as one.
fn ask_as_client(arguments: &[String]) {
    let everybody = SecurityDescriptor::from_sddl("D:(A;;FA;;;WD)").unwrap();
    let options = options(&arguments[0]).security_descriptor(everybody);
    let listener = options.create_duplex::<Bytes>().unwrap();
    let _client = Stream::connect_by_path(&arguments[0]).unwrap();
    let server = listener.accept().unwrap();
    let guard = server.impersonate_client().unwrap();
    let is_same_user = server.peer_creds().map(|creds| creds.is_same_user());
    assert!(!is_itself());
    drop(guard);
    say(format_args!("{is_same_user:?}"));
}

#[test]
fn a_thread_that_acts_as_a_client_can_ask_who_it_is() {
    in_time(|| {
        // In a process of its own, where nothing is remembered.
        let child = Child::start("ask_as_client", &[&unique_path()]);
        child.expect("Ok(true)");
        child.finish();
    });
}

#[test]
fn a_guard_cannot_leave_its_thread() {
    /// Of which there are two that fit if `T` is `Send`, so that none can be chosen.
    trait Unless<Marker> {
        fn is_so(&self) -> bool {
            true
        }
    }
    struct Sent;
    struct Shared;
    impl<T> Unless<()> for T {}
    impl<T: Send> Unless<Sent> for T {}
    impl<T: Sync> Unless<Shared> for T {}

    in_time(|| {
        let (server, _client) = pair();
        assert!(Unless::<_>::is_so(&server.impersonate_client().unwrap()));
    });
}

#[test]
fn the_server_gets_the_level_that_the_client_allowed() {
    use ImpersonationLevel::{Anonymous, Delegation, Identification, Impersonation};

    in_time(|| {
        let (server, _client) = pair();
        let guard = server.impersonate_client().unwrap();
        if is_wine() {
            // Wine gives it a token to act with, whatever the client allowed.
            assert!(guard.level().unwrap() >= Identification);
            return;
        }
        assert_eq!(guard.level().unwrap(), Identification);
        drop(guard);
        // What is on this machine can be delegated no further than it can be acted as, or is.
        for (allowed, levels) in [
            (Anonymous, &[Anonymous][..]),
            (Identification, &[Identification]),
            (Impersonation, &[Impersonation]),
            (Delegation, &[Impersonation, Delegation]),
        ] {
            let (server, _client) = pair_with(|options| options.impersonation_level(allowed));
            let guard = server.impersonate_client().unwrap();
            let level = guard.level();
            drop(guard);
            assert!(levels.contains(&level.unwrap()), "{allowed:?}");
            assert_eq!(server.peer_creds().is_ok(), allowed > Anonymous);
        }
    });
}

#[test]
fn the_token_of_a_client_outlives_the_guard() {
    in_time(|| {
        let (server, _client) = pair();
        let guard = server.impersonate_client().unwrap();
        let token = guard.token().unwrap();
        drop(guard);
        assert!(is_itself());
        let (mut level, mut len): (SECURITY_IMPERSONATION_LEVEL, u32) = (-1, 0);
        // SAFETY: the token is open, and the buffer has the size of what is asked for.
        let done = unsafe {
            windows_sys::Win32::Security::GetTokenInformation(
                std::os::windows::io::AsRawHandle::as_raw_handle(&token),
                windows_sys::Win32::Security::TokenImpersonationLevel,
                (&raw mut level).cast(),
                4,
                &raw mut len,
            )
        };
        assert!(done != 0 && level >= 1, "{}", io::Error::last_os_error());
    });
}

#[test]
fn a_client_that_is_tracked_dynamically_is_known_after_it_has_sent_something() {
    in_time(|| {
        let (server, client) = pair_with(|options| options.dynamic_tracking(true));
        if !is_wine() {
            // Wine knows at once.
            let error = server.impersonate_client().unwrap_err();
            assert_eq!(code_of(&error), Some(ERROR_CANNOT_IMPERSONATE));
            assert_eq!(server.peer_creds().unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
        check_creds(&server, process::id());
        drop(server.impersonate_client().unwrap());
        assert!(is_itself());
    });
}

#[test]
fn a_client_cannot_act_as_its_server() {
    in_time(|| {
        let (_server, client) = pair();
        client.impersonate_client().unwrap_err();
        assert!(is_itself());
    });
}

#[test]
fn a_guard_is_had_from_pipes_of_every_direction_and_mode() {
    in_time(|| {
        fn check<Rm: PipeModeTag, Sm: PipeModeTag>() {
            let path = unique_path();
            let listener = options(&path).create::<Rm, Sm>().unwrap();
            let client = PipeStream::<Sm, Rm>::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            drop(server.impersonate_client().unwrap());
            assert!(server.peer_creds().unwrap().is_same_user());
            assert!(client.peer_creds().unwrap().is_same_user());
            assert_eq!(server.peer_process_id().unwrap(), process::id());
            assert_eq!(client.peer_process_id().unwrap(), process::id());
            assert!(server.is_server() && client.is_client());
        }

        check::<Bytes, None>();
        check::<None, Bytes>();
        check::<Messages, None>();
        check::<None, Messages>();
        check::<Bytes, Messages>();
        check::<Messages, Messages>();
    });
}

#[test]
fn the_computer_of_a_local_client_is_this_one() {
    // In this call, Wine ends the process.
    if is_wine() {
        return;
    }
    in_time(|| {
        let (server, client) = pair();
        let error = server.client_computer_name().unwrap_err();
        assert_eq!(code_of(&error), Some(ERROR_PIPE_LOCAL));
        client.client_computer_name().unwrap_err();
    });
}

#[test]
fn that_the_peer_is_gone_is_seen_even_before_what_it_sent_was_received() {
    in_time(|| {
        let (server, client) = pair();
        assert!(!server.is_peer_gone().unwrap() && !client.is_peer_gone().unwrap());
        client.send(b"last").unwrap();
        drop(client);
        assert!(server.is_peer_gone().unwrap());
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 4);
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);

        let (server, client) = pair();
        server.send(b"last").unwrap();
        drop(server);
        assert!(client.is_peer_gone().unwrap());
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 4);
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn a_peer_that_was_killed_is_gone() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        let mut child = Child::start("connect_and_tell", &[&path, &process::id().to_string()]);
        let server = listener.accept().unwrap();
        child.expect("told");
        assert!(!server.is_peer_gone().unwrap());
        child.kill();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
        assert!(server.is_peer_gone().unwrap());
        assert_eq!(server.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_server_cuts_its_client_off_at_once_and_takes_back_what_was_not_received() {
    in_time(|| {
        let (server, client) = pair();
        server.send(b"taken back").unwrap();
        client.send(b"lost").unwrap();
        server.disconnect().unwrap();
        assert_eq!(client.recv(&mut [0; 16]).unwrap(), 0);
        assert_eq!(client.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(server.recv(&mut [0; 16]).unwrap(), 0);
        assert_eq!(server.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert!(client.is_peer_gone().unwrap() && server.is_peer_gone().unwrap());
        // Once is enough, and twice does no harm.
        let _ = server.disconnect();
        assert!(server.is_server());
    });
}

#[test]
fn disconnecting_ends_calls_that_wait_at_either_end() {
    in_time(|| {
        for nonblocking in [false, true] {
            let (server, client) = pair();
            // Then the reads are such as go on while nobody waits.
            for stream in [&server, &client] {
                stream.set_nonblocking(nonblocking).unwrap();
                if nonblocking {
                    assert_eq!(stream.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
                    stream.set_nonblocking(false).unwrap();
                }
            }
            thread::scope(|scope| {
                let waiting = [&server, &client].map(|stream| scope.spawn(|| stream.recv(&mut [0; 8])));
                thread::sleep(std::time::Duration::from_millis(30));
                server.disconnect().unwrap();
                for thread in waiting {
                    assert_eq!(thread.join().unwrap().unwrap(), 0);
                }
            });
        }
    });
}

#[test]
fn a_client_cannot_disconnect() {
    in_time(|| {
        let (server, client) = pair();
        assert_eq!(client.disconnect().unwrap_err().kind(), ErrorKind::InvalidInput);
        client.send(b"x").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn a_stream_that_was_disconnected_makes_room_for_another_when_it_is_dropped() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).instance_limit(NonZeroU8::new(1)).create_duplex::<Bytes>().unwrap();
        for _ in 0..5 {
            let client = Stream::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            server.disconnect().unwrap();
            drop(server);
            assert_eq!(client.recv(&mut [0; 8]).unwrap(), 0);
        }
    });
}

#[test]
fn a_guard_stays_one_of_the_thread_that_dropped_the_stream() {
    in_time(|| {
        let (server, client) = pair();
        let guard: ImpersonationGuard = server.impersonate_client().unwrap();
        drop((server, client));
        assert!(!is_itself());
        assert!(guard.level().is_ok());
        drop(guard);
        assert!(is_itself());
    });
}

#[cfg(feature = "tokio")]
#[test]
fn tasks_are_told_the_same() {
    use interprocess::os::windows::named_pipe::tokio;

    in_time(|| {
        let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let path = unique_path();
            let listener = options(&path).create_tokio_duplex::<Bytes>().unwrap();
            let options = PipeConnectOptions::new().path(&path).require_same_user(true);
            let client: tokio::DuplexPipeStream<Bytes> = options.connect_tokio().await.unwrap();
            let server = listener.accept().await.unwrap();
            for (stream, is_server) in [(&server, true), (&client, false)] {
                assert_eq!((stream.is_server(), stream.is_client()), (is_server, !is_server));
                assert_eq!(stream.peer_process_id().unwrap(), process::id());
                assert_eq!(stream.client_process_id().unwrap(), process::id());
                assert_eq!(stream.server_process_id().unwrap(), process::id());
                let session = session_of(process::id());
                assert_eq!(stream.peer_session_id().unwrap(), session);
                assert_eq!(stream.client_session_id().unwrap(), session);
                assert_eq!(stream.server_session_id().unwrap(), session);
                assert!(stream.peer_creds().unwrap().is_same_user());
                assert!(!stream.is_peer_gone().unwrap());
            }
            drop(server.impersonate_client().unwrap());
            assert!(is_itself());
            assert_eq!(client.disconnect().unwrap_err().kind(), ErrorKind::InvalidInput);
            server.disconnect().unwrap();
            assert_eq!(client.recv(&mut [0; 8]).await.unwrap(), 0);
            assert!(client.is_peer_gone().unwrap());
        });
    });
}
