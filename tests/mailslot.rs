//! Mailslots.

#![cfg(windows)]

mod support;

use interprocess::{
    local_socket::Access,
    os::windows::{
        mailslot::{MailslotClient, MailslotOptions, MailslotServer},
        security_descriptor::{Parts, SecurityDescriptor},
    },
};
use std::{
    collections::HashSet,
    error::Error,
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind},
    os::windows::{
        ffi::OsStringExt,
        io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    },
    ptr::{null, null_mut},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use support::{Child, TempDir, hear, in_time, is_wine, say, unique};
use windows_sys::Win32::{
    Foundation::{GetHandleInformation, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE},
    System::Mailslots::{CreateMailslotW, GetMailslotInfo, SetMailslotInfo},
};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

/// A mailslot and a client of it.
fn pair() -> (MailslotServer, MailslotClient) {
    pair_with(MailslotOptions::new())
}

fn pair_with(options: MailslotOptions) -> (MailslotServer, MailslotClient) {
    let server = options.name(unique()).create().unwrap();
    let client = MailslotClient::open(server.path().unwrap()).unwrap();
    (server, client)
}

#[track_caller]
fn recv(server: &MailslotServer) -> Vec<u8> {
    let mut message = Vec::new();
    assert_eq!(server.recv(&mut message).unwrap(), message.len());
    message
}

#[track_caller]
fn assert_nothing_waits(server: &MailslotServer) {
    assert_eq!((server.next_message_len().unwrap(), server.message_count().unwrap()), (None, 0));
}

/// A message whose length and bytes tell its number.
fn numbered(number: usize) -> Vec<u8> {
    let mut message = number.to_le_bytes().to_vec();
    message.resize(8 + number * 7919 % 3000, number.to_le_bytes()[0]);
    message
}

#[track_caller]
fn number_of(message: &[u8]) -> usize {
    let number = usize::from_le_bytes(message[..8].try_into().unwrap());
    assert_eq!(message, numbered(number), "a message was torn");
    number
}

#[test]
fn messages_arrive_whole_and_in_order() {
    in_time(|| {
        let (server, client) = pair();
        for number in 0..100 {
            client.send(&numbered(number)).unwrap();
        }
        let mut message = vec![9; 3];
        for number in 0..100 {
            server.recv(&mut message).unwrap();
            assert_eq!(number_of(&message), number);
        }
        assert_nothing_waits(&server);
    });
}

#[test]
fn a_message_is_received_into_room_of_any_size() {
    in_time(|| {
        for max in [0, 100, 64 * 1024] {
            let (server, client) = pair_with(MailslotOptions::new().max_message_size(max));
            for is_nonblocking in [false, true] {
                server.set_nonblocking(is_nonblocking);
                for capacity in [0, 1, 99, 100, 1000, 70_000] {
                    let mut message = Vec::with_capacity(capacity);
                    for len in [0, 1, 99, 100] {
                        client.send(&vec![len; len.into()]).unwrap();
                        assert_eq!(server.recv(&mut message).unwrap(), len.into());
                        assert_eq!(message, vec![len; len.into()]);
                    }
                }
            }
        }
    });
}

#[test]
fn a_buffer_that_was_received_into_grows_no_more_than_it_has_to() {
    in_time(|| {
        let (server, client) = pair();
        let mut message = Vec::new();
        client.send(&[1; 5000]).unwrap();
        server.recv(&mut message).unwrap();
        assert!(message.capacity() < 20_000, "{}", message.capacity());
    });
}

#[test]
fn messages_of_no_bytes_are_messages() {
    in_time(|| {
        let (server, client) = pair();
        for is_nonblocking in [false, true] {
            server.set_nonblocking(is_nonblocking);
            for message in [&b""[..], b"", b"x", b""] {
                client.send(message).unwrap();
            }
            assert_eq!(server.message_count().unwrap(), 4);
            assert_eq!(server.next_message_len().unwrap(), Some(0));
            assert_eq!(server.recv_into(&mut []).unwrap(), 0);
            assert_eq!(recv(&server), b"");
            assert_eq!(server.recv_into(&mut []).unwrap_err().kind(), ErrorKind::InvalidInput);
            assert_eq!(recv(&server), b"x");
            assert_eq!(server.recv_into(&mut [0; 4]).unwrap(), 0);
            assert_nothing_waits(&server);
        }
    });
}

#[test]
fn a_message_may_have_the_maximum_length_and_no_more() {
    in_time(|| {
        for max in [1, 100, 64 * 1024, 100_000] {
            let (server, client) = pair_with(MailslotOptions::new().max_message_size(max));
            assert_eq!(server.max_message_size(), max);
            let longest = vec![7; max as usize];
            client.send(&longest).unwrap();
            let too_long = client.send(&vec![8; max as usize + 1]);
            assert!(recv(&server) == longest);
            // Wine does not enforce the limit. Then it is received all the same.
            if is_wine() {
                too_long.unwrap();
                assert_eq!(recv(&server), vec![8; max as usize + 1]);
            } else {
                let error = too_long.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.to_string().contains(&(max + 1).to_string()), "{error}");
            }
            assert_nothing_waits(&server);
        }
    });
}

#[test]
fn without_a_limit_messages_may_be_megabytes_long() {
    in_time(|| {
        let (server, client) = pair_with(MailslotOptions::new().max_message_size(0));
        assert_eq!(server.max_message_size(), 0);
        let long: Vec<_> = (0..3_u32 << 20).map(|index| index.to_le_bytes()[1]).collect();
        for is_nonblocking in [false, true] {
            server.set_nonblocking(is_nonblocking);
            client.send(&long).unwrap();
            client.send(b"x").unwrap();
            assert_eq!(server.message_count().unwrap(), 2);
            assert!(recv(&server) == long);
            assert_eq!(recv(&server), b"x");
        }
        // Also if a read is in flight already, which has less room.
        assert_eq!(server.recv(&mut Vec::new()).unwrap_err().kind(), ErrorKind::WouldBlock);
        client.send(&long).unwrap();
        assert_eq!(server.next_message_len().unwrap(), Some(long.len()));
        assert!(recv(&server) == long);
        assert_nothing_waits(&server);
    });
}

#[test]
fn a_message_that_is_longer_than_the_buffer_stays_and_the_error_says_how_long_it_is() {
    in_time(|| {
        let (server, client) = pair();
        for is_nonblocking in [false, true] {
            server.set_nonblocking(is_nonblocking);
            client.send(b"0123456789").unwrap();
            for len in [0, 1, 9] {
                let error = server.recv_into(&mut vec![0; len]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.to_string().contains("10 bytes"), "{error}");
                assert_eq!(server.next_message_len().unwrap(), Some(10));
                assert_eq!(server.message_count().unwrap(), 1);
            }
            let mut buf = [b'-'; 12];
            assert_eq!(server.recv_into(&mut buf).unwrap(), 10);
            assert_eq!(&buf, b"0123456789--");
        }
    });
}

#[test]
fn a_message_that_comes_while_one_waits_may_have_any_length() {
    in_time(|| {
        let (server, client) = pair_with(MailslotOptions::new().max_message_size(0));
        for (round, len) in [0, 1, 511, 512, 513, 70_000, 2 << 20].into_iter().enumerate() {
            thread::scope(|scope| {
                let receiver = scope.spawn(|| recv(&server));
                // Before or after it waits: in the course of the rounds, both.
                thread::sleep(Duration::from_millis(5 * (round as u64 % 3)));
                client.send(&vec![1; len]).unwrap();
                assert!(receiver.join().unwrap() == vec![1; len]);
            });
            // And if there is too little room.
            thread::scope(|scope| {
                let receiver = scope.spawn(|| server.recv_into(&mut [0; 512]));
                thread::sleep(Duration::from_millis(5));
                client.send(&vec![1; len]).unwrap();
                match receiver.join().unwrap() {
                    Ok(length) => assert_eq!(length, len),
                    Err(error) => {
                        assert_eq!((error.kind(), len > 512), (ErrorKind::InvalidInput, true));
                        assert_eq!(recv(&server).len(), len);
                    }
                }
            });
        }
    });
}

#[test]
fn messages_of_many_clients_at_once_are_not_mixed() {
    const CLIENTS: usize = 16;
    const EACH: usize = 50;

    in_time(|| {
        let server = MailslotServer::create(unique()).unwrap();
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let slot = MailslotClient::open(server.path().unwrap()).unwrap();
                scope.spawn(move || {
                    for number in 0..EACH {
                        slot.send(&numbered(client * EACH + number)).unwrap();
                    }
                });
            }
            let mut last = [None; CLIENTS];
            let mut message = Vec::new();
            for _ in 0..CLIENTS * EACH {
                server.recv(&mut message).unwrap();
                let (client, number) = (number_of(&message) / EACH, number_of(&message) % EACH);
                assert!(last[client].replace(number).is_none_or(|last| last + 1 == number));
            }
        });
        assert_nothing_waits(&server);
    });
}

#[test]
fn each_message_goes_to_one_of_many_receivers() {
    const RECEIVERS: usize = 4;
    const EACH: usize = 50;

    in_time(|| {
        for is_nonblocking in [false, true] {
            let (server, client) = pair();
            server.set_nonblocking(is_nonblocking);
            let (seen, all) = mpsc::channel();
            thread::scope(|scope| {
                for _ in 0..RECEIVERS {
                    let (server, seen) = (&server, seen.clone());
                    scope.spawn(move || {
                        let mut message = Vec::new();
                        for _ in 0..EACH {
                            while let Err(error) = server.recv(&mut message) {
                                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                                thread::yield_now();
                            }
                            seen.send(number_of(&message)).unwrap();
                        }
                    });
                }
                for number in 0..RECEIVERS * EACH {
                    client.send(&numbered(number)).unwrap();
                }
            });
            let all: HashSet<_> = all.try_iter().collect();
            assert_eq!(all.len(), RECEIVERS * EACH);
            assert_nothing_waits(&server);
        }
    });
}

/// As if another process had the handle, too: what one has asked for, another may take.
#[test]
fn each_message_goes_to_one_of_two_servers_of_the_same_slot() {
    const EACH: usize = 100;

    in_time(|| {
        for is_nonblocking in [false, true] {
            let (first, client) = pair_with(MailslotOptions::new().max_message_size(0));
            let second = MailslotServer::try_from(first.as_handle().try_clone_to_owned().unwrap()).unwrap();
            let (seen, all) = mpsc::channel();
            thread::scope(|scope| {
                for server in [&first, &second, &first, &second] {
                    let seen = seen.clone();
                    server.set_nonblocking(is_nonblocking);
                    scope.spawn(move || {
                        let mut message = Vec::new();
                        for _ in 0..EACH {
                            while let Err(error) = server.recv(&mut message) {
                                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                                thread::yield_now();
                            }
                            seen.send(number_of(&message)).unwrap();
                        }
                    });
                }
                for number in 0..4 * EACH {
                    client.send(&numbered(number)).unwrap();
                }
            });
            assert_eq!(all.try_iter().collect::<HashSet<_>>().len(), 4 * EACH);
            assert_nothing_waits(&first);
        }
    });
}

#[test]
fn a_timeout_holds() {
    in_time(|| {
        let (server, client) = pair_with(MailslotOptions::new().recv_timeout(Some(SHORT)));
        assert_eq!(server.recv_timeout(), Some(SHORT));
        let mut buf = [0; 100];
        for round in 0..3 {
            let start = Instant::now();
            let error = match round {
                0 => server.recv(&mut Vec::new()),
                1 => server.recv_into(&mut buf),
                _ => server.recv_into(&mut []),
            };
            assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
        }
        client.send(b"x").unwrap();
        assert_eq!(recv(&server), b"x");
        server.set_recv_timeout(None).unwrap();
        assert_eq!(server.recv_timeout(), None);
        assert_eq!(
            server.set_recv_timeout(Some(Duration::ZERO)).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        let options = MailslotOptions::new().name(unique()).recv_timeout(Some(Duration::ZERO));
        assert_eq!(options.create().unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn messages_that_come_as_a_timeout_ends_are_not_lost() {
    const MESSAGES: usize = 300;

    in_time(|| {
        let (server, client) = pair();
        server.set_recv_timeout(Some(Duration::from_micros(300))).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..MESSAGES {
                    client.send(&numbered(number)).unwrap();
                    thread::sleep(Duration::from_micros(number as u64 * 7 % 900));
                }
            });
            let (mut message, mut buf, mut next) = (Vec::new(), vec![0; 4000], 0);
            while next < MESSAGES {
                let received = if next % 2 == 0 {
                    server.recv(&mut message).map(|_| number_of(&message))
                } else {
                    server.recv_into(&mut buf).map(|len| number_of(&buf[..len]))
                };
                match received {
                    Ok(number) => {
                        assert_eq!(number, next);
                        next += 1;
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                }
            }
        });
        assert_nothing_waits(&server);
    });
}

#[test]
fn nonblocking_receiving_does_not_wait_and_loses_nothing() {
    in_time(|| {
        let (server, client) = pair_with(MailslotOptions::new().nonblocking(true));
        assert!(server.is_nonblocking());
        let mut buf = [0; 10];
        for round in 0..4 {
            assert_eq!(server.recv(&mut Vec::new()).unwrap_err().kind(), ErrorKind::WouldBlock);
            assert_eq!(server.recv_into(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
            assert_eq!(server.recv_into(&mut []).unwrap_err().kind(), ErrorKind::WouldBlock);
            assert_nothing_waits(&server);
            client.send(b"first").unwrap();
            client.send(b"second!").unwrap();
            // One of them is in the server's hands already.
            assert_eq!(server.message_count().unwrap(), 2);
            assert_eq!(server.next_message_len().unwrap(), Some(5));
            server.set_nonblocking(round % 2 == 0);
            assert_eq!(server.recv_into(&mut buf[..2]).unwrap_err().kind(), ErrorKind::InvalidInput);
            assert_eq!(recv(&server), b"first");
            assert_eq!(server.next_message_len().unwrap(), Some(7));
            assert_eq!(recv(&server), b"second!");
            server.set_nonblocking(true);
        }
    });
}

#[test]
fn a_read_in_flight_outlives_the_thread_that_has_started_it() {
    in_time(|| {
        let (server, client) = pair_with(MailslotOptions::new().nonblocking(true));
        let early = thread::scope(|scope| scope.spawn(|| server.recv(&mut Vec::new())).join().unwrap());
        assert_eq!(early.unwrap_err().kind(), ErrorKind::WouldBlock);
        client.send(b"x").unwrap();
        server.set_nonblocking(false);
        assert_eq!(recv(&server), b"x");
        assert_nothing_waits(&server);
    });
}

#[test]
fn a_name_has_one_server() {
    in_time(|| {
        let name = unique();
        let server = MailslotServer::create(&name).unwrap();
        for other in [
            name.clone(),
            name.to_uppercase(),
            format!(r"\\.\mailslot\{name}"),
            format!(r"\\.\MAILSLOT\{name}"),
        ] {
            let error = MailslotServer::create(&other).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&other), "{error}");
            let os_error = error.get_ref().and_then(Error::source);
            assert!(os_error.is_some(), "{error:?}");
            MailslotClient::open(&other).unwrap().send(other.as_bytes()).unwrap();
            assert_eq!(recv(&server), other.as_bytes());
        }
    });
}

#[test]
fn a_name_is_free_when_its_server_is_dropped() {
    in_time(|| {
        let name = unique();
        for round in 0..20 {
            let server = MailslotServer::create(&name).unwrap();
            server.set_nonblocking(round % 2 == 0);
            let _ = server.set_recv_timeout(Some(Duration::from_millis(1)));
            let _ = server.recv(&mut Vec::new());
            drop(server);
            assert_eq!(MailslotClient::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
        }
        // On Wine, the name lives as long as the last client does, and what is sent is lost without a word.
        if is_wine() {
            return;
        }
        let server = MailslotServer::create(&name).unwrap();
        let client = MailslotClient::open(&name).unwrap();
        drop(server);
        assert_eq!(client.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        let server = MailslotServer::create(&name).unwrap();
        assert_eq!(client.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_nothing_waits(&server);
    });
}

#[test]
fn messages_that_nobody_has_received_go_with_the_server() {
    in_time(|| {
        let name = unique();
        let server = MailslotServer::create(&name).unwrap();
        MailslotClient::open(&name).unwrap().send(b"x").unwrap();
        assert_eq!(server.message_count().unwrap(), 1);
        drop(server);
        assert_nothing_waits(&MailslotServer::create(&name).unwrap());
    });
}

#[test]
fn a_message_outlives_its_client() {
    in_time(|| {
        let (server, client) = pair();
        client.send(b"last words").unwrap();
        drop(client);
        assert_eq!(recv(&server), b"last words");
    });
}

#[test]
fn names_may_have_parts() {
    in_time(|| {
        let name = format!(r"{}\part.with.dots\ä ü", unique());
        let server = MailslotServer::create(&name).unwrap();
        assert_eq!(server.path().unwrap().to_str().unwrap(), format!(r"\\.\mailslot\{name}"));
        for client in [MailslotClient::open(&name), MailslotClient::open_on(".", &name)] {
            client.unwrap().send(b"x").unwrap();
            assert_eq!(recv(&server), b"x");
        }
    });
}

#[test]
fn however_a_name_is_written_it_is_the_same_mailslot() {
    in_time(|| {
        let name = unique();
        let server = MailslotServer::create(&name).unwrap();
        for other in [
            format!(r"\\.\mailslot\.\{name}"),
            format!(r"\\?\mailslot\{name}"),
            format!(r"x\..\{name}"),
            format!("x/../{name}"),
            format!("./{name}"),
        ] {
            MailslotClient::open(&other).unwrap().send(other.as_bytes()).unwrap();
            assert_eq!(recv(&server), other.as_bytes());
        }
    });
}

#[test]
fn names_that_are_none_of_a_mailslot_are_refused_before_the_system_is_asked() {
    in_time(|| {
        let directory = TempDir::new();
        let file = directory.join("file");
        fs::write(&file, "untouched").unwrap();
        let (file_path, directory_path) = (file.to_str().unwrap(), directory.to_str().unwrap());
        let mut names = vec![
            OsString::new(),
            "with\0NUL".into(),
            "x".repeat(257 - r"\\.\mailslot\".len()).into(),
            "ä".repeat(40_000).into(),
            OsString::from_wide(&[0xd800; 300]),
        ];
        for name in [
            r"\\",
            r"\\.",
            r"\\.\",
            r"\\.\mailslot",
            r"\\.\mailslot\",
            r"\\.\mailslots\x",
            r"\\.\pipe\x",
            r"\\host\mailslot\",
            r"\\host\C$\mailslot\x",
            r"\\?\mailslot\..\pipe\x",
            r"\\?\UNC\host\mailslot\..\x",
            r"\\.\GLOBALROOT\Device\Mailslot\x",
            ".",
            "..",
            "a/..",
            r"..\x",
            r"..\pipe\x",
            r"a\..\..\pipe\x",
            "a/../../pipe/x",
        ] {
            names.push(name.into());
        }
        for path in [file_path, directory_path] {
            names.push(format!(r"\\.\mailslot\..\{path}").into());
            names.push(format!(r"\\.\mailslot\x\..\..\{path}").into());
            names.push(format!(r"\\.\mailslot\../{path}").into());
            names.push(format!(r"..\{path}").into());
            names.push(format!(r"\\.\{path}").into());
            names.push(format!(r"\\?\{path}").into());
        }
        let check = |error: io::Error, name: &OsString| {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}: {error}");
            assert!(error.to_string().contains(&*name.to_string_lossy()), "{error}");
        };
        for name in &names {
            check(MailslotServer::create(name).unwrap_err(), name);
            check(MailslotClient::open(name).unwrap_err(), name);
        }
        for (host, name) in [
            ("", "x"),
            (".", ""),
            (".", ".."),
            (".", r"..\pipe\x"),
            ("..", "x"),
            (r"a\b", "x"),
            (r".\pipe", "x"),
            ("a\0", "x"),
        ] {
            check(MailslotClient::open_on(host, name).unwrap_err(), &name.into());
        }
        assert_eq!(MailslotOptions::new().create().unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(fs::read(file).unwrap(), b"untouched");
        // Just short enough.
        let name = unique();
        let name = format!("{name}{}", "x".repeat(256 - r"\\.\mailslot\".len() - name.len()));
        let server = MailslotServer::create(&name).unwrap();
        MailslotClient::open(&name).unwrap().send(b"x").unwrap();
        assert_eq!(recv(&server), b"x");
    });
}

#[test]
fn a_server_is_on_this_machine() {
    in_time(|| {
        for host in ["*", "host", "localhost"] {
            let error = MailslotServer::create(format!(r"\\{host}\mailslot\{}", unique())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(r"\\.\mailslot\NAME"), "{error}");
        }
    });
}

/// Windows opens these without asking the network, unless mailslots between machines are disabled (as they are
/// since Windows 11 24H2); Wine has none.
#[test]
fn a_message_to_many_machines_has_424_bytes_at_most() {
    in_time(|| match MailslotClient::open(format!(r"\\*\mailslot\{}", unique())) {
        Ok(client) => {
            let error = client.send(&[0; 425]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("424"), "{error}");
        }
        Err(error) => assert!(error.to_string().contains(r"\\*\mailslot\"), "{error}"),
    });
}

#[test]
fn who_is_not_there_is_not_found() {
    in_time(|| {
        let name = unique();
        let error = MailslotClient::open(&name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(&format!(r"\\.\mailslot\{name}")), "{error}");
    });
}

/// Sends as many messages as it is told to, when it is told to.
fn send(arguments: &[String]) {
    let [name, first, last] = arguments else { panic!("{arguments:?}") };
    let client = MailslotClient::open(name).unwrap();
    say("ready");
    hear();
    for number in first.parse().unwrap()..last.parse().unwrap() {
        client.send(&numbered(number)).unwrap();
    }
}

/// Has a mailslot until it is killed.
fn serve(arguments: &[String]) {
    let server = MailslotServer::create(&arguments[0]).unwrap();
    say("ready");
    server.recv(&mut Vec::new()).unwrap();
    unreachable!("nobody sends");
}

#[test]
fn child_entry() {
    support::child_entry(&[("send", send), ("serve", serve)]);
}

#[test]
fn other_processes_send() {
    const EACH: usize = 20;

    in_time(|| {
        let server = MailslotServer::create(unique()).unwrap();
        let path = server.path().unwrap().to_str().unwrap();
        let mut children: Vec<_> = (0..3)
            .map(|child| {
                let (first, last) = ((child * EACH).to_string(), ((child + 1) * EACH).to_string());
                Child::start("send", &[path, &first, &last])
            })
            .collect();
        for child in &mut children {
            child.expect("ready");
            child.say("go");
        }
        let numbers: HashSet<_> = (0..3 * EACH).map(|_| number_of(&recv(&server))).collect();
        assert_eq!(numbers.len(), 3 * EACH);
        children.into_iter().for_each(Child::finish);
        assert_nothing_waits(&server);
    });
}

#[test]
fn the_name_of_a_server_that_was_killed_is_free() {
    in_time(|| {
        let name = unique();
        let mut child = Child::start("serve", &[&name]);
        child.expect("ready");
        assert_eq!(MailslotServer::create(&name).unwrap_err().kind(), ErrorKind::AddrInUse);
        child.kill();
        MailslotServer::create(&name).unwrap();
    });
}

#[test]
fn a_handle_makes_a_server_again() {
    in_time(|| {
        let (server, client) = pair_with(MailslotOptions::new().max_message_size(10));
        client.send(b"x").unwrap();
        let server = MailslotServer::try_from(OwnedHandle::from(server)).unwrap();
        assert_eq!((server.max_message_size(), server.path()), (10, None));
        assert_eq!((server.recv_timeout(), server.is_nonblocking()), (None, false));
        assert_eq!(recv(&server), b"x");
    });
}

fn set_slot_timeout(slot: BorrowedHandle<'_>, milliseconds: u32) {
    // SAFETY: the handle is open.
    assert_ne!(unsafe { SetMailslotInfo(slot.as_raw_handle(), milliseconds) }, 0);
}

fn slot_timeout(slot: BorrowedHandle<'_>) -> u32 {
    let mut milliseconds = 0;
    // SAFETY: the handle is open, and null is allowed for the rest.
    let done = unsafe {
        GetMailslotInfo(slot.as_raw_handle(), null_mut(), null_mut(), null_mut(), &raw mut milliseconds)
    };
    assert_ne!(done, 0);
    milliseconds
}

#[test]
fn the_timeout_of_a_slot_becomes_that_of_its_server() {
    in_time(|| {
        for (milliseconds, timeout, is_nonblocking) in
            [(0, None, true), (40, Some(Duration::from_millis(40)), false), (u32::MAX, None, false)]
        {
            let (server, _client) = pair();
            let handle = OwnedHandle::from(server);
            set_slot_timeout(handle.as_handle(), milliseconds);
            let server = MailslotServer::try_from(handle).unwrap();
            assert_eq!((server.recv_timeout(), server.is_nonblocking()), (timeout, is_nonblocking));
            assert_eq!(slot_timeout(server.as_handle()), u32::MAX);
            assert_eq!(slot_timeout(OwnedHandle::from(server).as_handle()), u32::MAX);
        }
    });
}

#[test]
fn whoever_changes_the_timeout_of_the_slot_does_not_disturb_the_server() {
    in_time(|| {
        let (server, client) = pair();
        for milliseconds in [0, 1] {
            for is_nonblocking in [false, true] {
                server.set_nonblocking(is_nonblocking);
                server.set_recv_timeout(Some(SHORT)).unwrap();
                set_slot_timeout(server.as_handle(), milliseconds);
                let start = Instant::now();
                let kind = server.recv(&mut Vec::new()).unwrap_err().kind();
                if is_nonblocking {
                    assert_eq!(kind, ErrorKind::WouldBlock);
                } else {
                    assert_eq!(kind, ErrorKind::TimedOut);
                    assert!(start.elapsed() >= SHORT);
                }
                server.set_recv_timeout(None).unwrap();
                server.set_nonblocking(false);
                thread::scope(|scope| {
                    let receiver = scope.spawn(|| recv(&server));
                    thread::sleep(Duration::from_millis(5));
                    client.send(b"x").unwrap();
                    assert_eq!(receiver.join().unwrap(), b"x");
                });
            }
        }
    });
}

#[test]
fn what_is_no_mailslot_is_handed_back() {
    in_time(|| {
        let (server, client) = pair();
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        let pipe = interprocess::local_socket::Listener::bind(format!("@{}", unique())).unwrap();
        let stream = interprocess::local_socket::Stream::connect(pipe.name().borrow()).unwrap();
        for handle in [OwnedHandle::from(client), file.into(), stream.into()] {
            let raw = handle.as_raw_handle();
            let error = MailslotServer::try_from(handle).unwrap_err();
            assert!(!error.to_string().is_empty());
            assert!(error.cause.unwrap().raw_os_error().is_some());
            assert_eq!(error.source.unwrap().as_raw_handle(), raw);
        }
        drop(server);
    });
}

/// A handle of a mailslot that `CreateMailslotW` made.
fn created_elsewhere() -> OwnedHandle {
    let path: Vec<u16> = format!("\\\\.\\mailslot\\{}\0", unique()).encode_utf16().collect();
    // SAFETY: the path ends with NUL, and null is allowed for the attributes.
    let handle = unsafe { CreateMailslotW(path.as_ptr(), 0, 0, null()) };
    assert_ne!(handle, INVALID_HANDLE_VALUE);
    // SAFETY: it succeeded, so the handle is open and ours.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

/// On Windows, `CreateMailslotW` gives an overlapped handle, and on Wine a synchronous one.
#[test]
fn a_synchronous_handle_is_refused_and_handed_back() {
    in_time(|| {
        let handle = created_elsewhere();
        let raw = handle.as_raw_handle();
        let server = MailslotServer::try_from(handle);
        if !is_wine() {
            server.unwrap();
            return;
        }
        let error = server.unwrap_err();
        assert!(error.to_string().contains("synchronous"), "{error}");
        assert_eq!(error.cause.unwrap().kind(), ErrorKind::Unsupported);
        let handle = error.source.unwrap();
        assert_eq!(handle.as_raw_handle(), raw);
        // It is as it was.
        assert_eq!(slot_timeout(handle.as_handle()), 0);
    });
}

#[test]
fn children_inherit_nothing_unless_asked() {
    in_time(|| {
        fn is_inherited(handle: &impl AsHandle) -> bool {
            let mut flags = 0;
            // SAFETY: the handle is open, and the flags outlive the call.
            let done = unsafe { GetHandleInformation(handle.as_handle().as_raw_handle(), &raw mut flags) };
            assert_ne!(done, 0);
            flags & HANDLE_FLAG_INHERIT != 0
        }
        let (server, client) = pair();
        assert!(!is_inherited(&server) && !is_inherited(&client));
        let (server, client) = pair_with(MailslotOptions::new().inheritable(true));
        assert!(is_inherited(&server) && !is_inherited(&client));
    });
}

/// The access list, as text.
fn access_list(slot: &MailslotServer) -> String {
    SecurityDescriptor::of_handle(slot.as_handle(), Parts::DACL).unwrap().to_sddl().unwrap()
}

#[test]
fn nobody_but_our_user_and_administrators_may_send_unless_told_otherwise() {
    in_time(|| {
        for (access, entries) in
            [(Access::default(), 3), (Access::Owner, 3), (Access::Group, 4), (Access::Everyone, 4)]
        {
            let (server, client) = pair_with(MailslotOptions::new().access(access));
            client.send(b"x").unwrap();
            let list = access_list(&server);
            assert!(list.starts_with("D:P("), "{list}");
            assert_eq!(list.matches("(A;;").count(), entries, "{list}");
            assert_eq!(list.contains(";;;WD)"), access == Access::Everyone, "{list}");
            // They may write, and no more: neither read, nor change the list.
            if entries > 3 {
                let entry = list.rsplit('(').next().unwrap();
                assert!(entry.starts_with("A;;0x120196;"), "{list}");
            }
        }
    });
}

#[test]
fn a_security_descriptor_takes_the_place_of_access() {
    in_time(|| {
        let descriptor = SecurityDescriptor::from_sddl("D:P(A;;FA;;;AU)").unwrap();
        let options = MailslotOptions::new().access(Access::Everyone).security_descriptor(descriptor);
        let (server, client) = pair_with(options);
        client.send(b"x").unwrap();
        assert_eq!(access_list(&server), "D:P(A;;FA;;;AU)");
    });
}

#[test]
fn the_errors_of_the_system_keep_their_number() {
    in_time(|| {
        let error = MailslotClient::open(unique()).unwrap_err();
        let source =
            error.get_ref().and_then(Error::source).and_then(|error| error.downcast_ref::<io::Error>());
        assert_eq!(source.and_then(io::Error::raw_os_error), Some(2));
    });
}

#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use interprocess::runtime::{Async, Runtime};
    use std::{
        future::{Future, poll_fn},
        pin::{Pin, pin},
        sync::Arc,
        task::Poll,
    };

    type Server<E> = Async<MailslotServer, <E as Executor>::R>;

    /// A way of running tasks.
    trait Executor: 'static {
        type R: Runtime;

        fn block_on<T>(future: impl Future<Output = T>) -> T;
        fn start(task: Pin<Box<dyn Future<Output = ()> + Send>>);
        fn create(options: MailslotOptions) -> io::Result<Server<Self>>;
    }

    #[cfg(feature = "tokio")]
    mod on_tokio {
        use super::*;
        use interprocess::{os::windows::mailslot::tokio::MailslotServer, runtime::Tokio};

        pub(super) struct Threads;

        impl Executor for Threads {
            type R = Tokio;

            fn block_on<T>(future: impl Future<Output = T>) -> T {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(3).enable_all().build().unwrap().block_on(future)
            }

            fn start(task: Pin<Box<dyn Future<Output = ()> + Send>>) {
                tokio::spawn(task);
            }

            fn create(options: MailslotOptions) -> io::Result<MailslotServer> {
                options.create_tokio()
            }
        }
    }

    #[cfg(feature = "smol")]
    mod on_smol {
        use super::*;
        use interprocess::{os::windows::mailslot::smol::MailslotServer, runtime::Smol};

        /// Each task has a thread.
        pub(super) struct Threads;

        impl Executor for Threads {
            type R = Smol;

            fn block_on<T>(future: impl Future<Output = T>) -> T {
                async_io::block_on(future)
            }

            fn start(task: Pin<Box<dyn Future<Output = ()> + Send>>) {
                thread::spawn(move || async_io::block_on(task));
            }

            fn create(options: MailslotOptions) -> io::Result<MailslotServer> {
                options.create_smol()
            }
        }
    }

    /// Makes a test of each function for each executor.
    macro_rules! test_everywhere {
        ($($test:ident)+) => {
            #[cfg(feature = "tokio")]
            mod with_tokio {
                use super::on_tokio::Threads;
                $(#[test] fn $test() { super::in_time(|| super::run::<Threads, _>(super::$test::<Threads>)); })+
            }
            #[cfg(feature = "smol")]
            mod with_smol {
                use super::on_smol::Threads;
                $(#[test] fn $test() { super::in_time(|| super::run::<Threads, _>(super::$test::<Threads>)); })+
            }
        };
    }

    test_everywhere! {
        a_task_waits_for_a_message
        messages_of_any_length_arrive
        a_future_that_is_dropped_loses_nothing
        futures_that_are_dropped_as_messages_come_lose_nothing
        each_message_goes_to_one_of_many_tasks
        a_message_that_does_not_fit_stays
        a_message_outlives_the_change_of_faces
        what_is_waited_for_on_a_thread_that_ends_still_comes
    }

    fn run<E: Executor, F: Future<Output = ()>>(test: fn(Server<E>, MailslotClient) -> F) {
        E::block_on(async {
            let server = E::create(MailslotOptions::new().name(unique()).max_message_size(0)).unwrap();
            let client = MailslotClient::open(server.get_ref().path().unwrap()).unwrap();
            test(server, client).await;
        });
    }

    async fn recv<R: Runtime>(server: &Async<MailslotServer, R>) -> Vec<u8> {
        let mut message = vec![1, 2, 3];
        assert_eq!(server.recv(&mut message).await.unwrap(), message.len());
        message
    }

    /// Polls once; `None` if it is not ready.
    async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// `None` if it takes too long.
    async fn limited<R: Runtime, T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut sleep) = (pin!(future), pin!(R::sleep(limit)));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    async fn a_task_waits_for_a_message<E: Executor>(server: Server<E>, client: MailslotClient) {
        for number in 0..20 {
            let mut message = Vec::new();
            let mut future = Box::pin(server.recv(&mut message));
            assert!(poll_once(future.as_mut()).await.is_none());
            client.send(&numbered(number)).unwrap();
            future.await.unwrap();
            assert_eq!(number_of(&message), number);
        }
        assert_nothing_waits(server.get_ref());
    }

    async fn messages_of_any_length_arrive<E: Executor>(server: Server<E>, client: MailslotClient) {
        for len in [0, 1, 511, 512, 64 << 10, (64 << 10) + 1, 3 << 20] {
            let mut message = Vec::new();
            let mut future = Box::pin(server.recv(&mut message));
            assert!(poll_once(future.as_mut()).await.is_none());
            client.send(&vec![1; len]).unwrap();
            client.send(&[]).unwrap();
            assert_eq!(server.message_count().unwrap(), 2);
            assert_eq!(server.next_message_len().unwrap(), Some(len));
            future.await.unwrap();
            assert!(message == vec![1; len]);
            assert_eq!(recv(&server).await, b"");
        }
    }

    async fn a_future_that_is_dropped_loses_nothing<E: Executor>(server: Server<E>, client: MailslotClient) {
        for number in 0..20 {
            for _ in 0..3 {
                let mut message = Vec::new();
                let mut future = Box::pin(server.recv(&mut message));
                assert!(poll_once(future.as_mut()).await.is_none());
                drop(future);
            }
            let mut dropped_late = Vec::new();
            let mut future = Box::pin(server.recv(&mut dropped_late));
            assert!(poll_once(future.as_mut()).await.is_none());
            client.send(&numbered(number)).unwrap();
            drop(future);
            assert_eq!(number_of(&recv(&server).await), number);
        }
        assert_nothing_waits(server.get_ref());
    }

    async fn futures_that_are_dropped_as_messages_come_lose_nothing<E: Executor>(
        server: Server<E>,
        client: MailslotClient,
    ) {
        const MESSAGES: usize = 100;

        let sender = thread::spawn(move || {
            for number in 0..MESSAGES {
                client.send(&numbered(number)).unwrap();
                thread::sleep(Duration::from_micros(number as u64 * 37 % 2500));
            }
        });
        let mut next = 0;
        while next < MESSAGES {
            if let Some(message) = limited::<E::R, _>(Duration::from_millis(1), recv(&server)).await {
                assert_eq!(number_of(&message), next);
                next += 1;
            }
        }
        sender.join().unwrap();
        assert_nothing_waits(server.get_ref());
    }

    async fn each_message_goes_to_one_of_many_tasks<E: Executor>(server: Server<E>, client: MailslotClient) {
        const TASKS: usize = 8;
        const EACH: usize = 25;

        let server = Arc::new(server);
        let (seen, all) = mpsc::channel();
        for _ in 0..TASKS {
            let (server, seen) = (Arc::clone(&server), seen.clone());
            E::start(Box::pin(async move {
                for _ in 0..EACH {
                    seen.send(number_of(&recv(&server).await)).unwrap();
                }
            }));
        }
        let sender = thread::spawn(move || {
            for number in 0..TASKS * EACH {
                client.send(&numbered(number)).unwrap();
            }
            // All arrive, or the test hangs.
            (0..TASKS * EACH).map(|_| all.recv().unwrap()).collect::<HashSet<_>>()
        });
        assert_eq!(sender.join().unwrap().len(), TASKS * EACH);
        assert_nothing_waits(server.get_ref());
    }

    async fn a_message_that_does_not_fit_stays<E: Executor>(server: Server<E>, client: MailslotClient) {
        for len in [10, 100_000] {
            let mut buf = vec![0; len];
            let mut future = Box::pin(server.recv_into(&mut buf[..9]));
            assert!(poll_once(future.as_mut()).await.is_none());
            client.send(&vec![1; len]).unwrap();
            let error = future.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(&format!("{len} bytes")), "{error}");
            assert_eq!(server.next_message_len().unwrap(), Some(len));
            assert_eq!(server.recv_into(&mut buf).await.unwrap(), len);
            assert!(buf == vec![1; len]);
        }
    }

    async fn a_message_outlives_the_change_of_faces<E: Executor>(server: Server<E>, client: MailslotClient) {
        let mut server = server;
        for _ in 0..3 {
            assert!(poll_once(pin!(recv(&server))).await.is_none());
            client.send(b"one").unwrap();
            client.send(b"two").unwrap();
            let blocking = MailslotServer::try_from(server).unwrap();
            assert!(!blocking.is_nonblocking());
            assert_eq!(super::recv(&blocking), b"one");
            server = blocking.try_into().unwrap();
            assert_eq!(recv(&server).await, b"two");
        }
    }

    async fn what_is_waited_for_on_a_thread_that_ends_still_comes<E: Executor>(
        server: Server<E>,
        client: MailslotClient,
    ) {
        let server = Arc::new(server);
        let theirs = Arc::clone(&server);
        thread::spawn(move || E::block_on(async { assert!(poll_once(pin!(recv(&theirs))).await.is_none()) }))
            .join()
            .unwrap();
        let mut future = pin!(recv(&server));
        assert!(poll_once(future.as_mut()).await.is_none());
        client.send(b"x").unwrap();
        assert_eq!(future.await, b"x");
    }
}
