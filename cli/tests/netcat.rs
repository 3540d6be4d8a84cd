//! `ipc listen` and `ipc connect`, as processes of their own.

mod support;

use std::time::Duration;
use support::{Directory, assert_same, connect, ipc, listen, namespaced, noise};

/// Wine takes its time.
const LARGE: usize = if cfg!(windows) { 8 << 20 } else { 64 << 20 };

/// More than all that lies between two processes can hold, so that the sender has to wait.
const MORE_THAN_FITS: usize = 4 << 20;

/// Without a half-close, silence ends a connection once one side has ended. On a busy machine silence means little.
const PATIENT: &[&str] = &["--linger", "3s"];

#[test]
fn a_large_file_arrives_unchanged_over_a_path() {
    let directory = Directory::new();
    let (name, original, copy) =
        (directory.socket(), directory.noise("original", LARGE), directory.join("copy"));
    let listener = listen(&name, &[]).stdout(&copy).start_listening();
    connect(&name, &[]).stdin(&original).run().success();
    listener.wait().success();
    assert_same(&std::fs::read(copy).unwrap(), &std::fs::read(original).unwrap());
}

#[test]
fn a_large_file_arrives_unchanged_over_a_namespaced_name() {
    let directory = Directory::new();
    let (name, original) = (namespaced(), directory.noise("original", LARGE));
    let listener = listen(&name, &[]).stdin(&original).start_listening();
    let arrived = connect(&name, &[]).run().success();
    listener.wait().success();
    assert_same(&arrived, &std::fs::read(original).unwrap());
}

#[test]
fn both_directions_work_at_once() {
    let directory = Directory::new();
    let (name, length) = (directory.socket(), LARGE / 4);
    let (to, fro) = (directory.noise("to", length), directory.noise("fro", length - 12345));
    let mut listener = listen(&name, PATIENT).open_stdin().start_listening();
    let mut client = connect(&name, PATIENT).open_stdin().start();
    let (to, fro) = (std::fs::read(to).unwrap(), std::fs::read(fro).unwrap());
    std::thread::scope(|scope| {
        // Both write more than fits, and nobody reads what has arrived before both have written half of it.
        let half = length / 2;
        let (listener_stdin, client_stdin) = (listener.stdin.take().unwrap(), client.stdin.take().unwrap());
        let writers = [(listener_stdin, &fro), (client_stdin, &to)]
            .map(|(mut stdin, data)| scope.spawn(move || std::io::Write::write_all(&mut stdin, data)));
        let (at_listener, at_client) = (listener.read(half), client.read(half));
        assert_same(&at_listener, &to[..half]);
        assert_same(&at_client, &fro[..half]);
        let ended =
            [scope.spawn(|| listener.wait()), scope.spawn(|| client.wait())].map(|end| end.join().unwrap());
        let [at_listener, at_client] = ended.map(support::Ended::success);
        assert_same(&at_listener, &to[half..]);
        assert_same(&at_client, &fro[half..]);
        for writer in writers {
            writer.join().unwrap().unwrap();
        }
    });
}

#[test]
fn an_answer_arrives_after_the_end_of_the_question() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).open_stdin().start_listening();
    let mut client = connect(&name, PATIENT).open_stdin().start();
    client.write(b"a question");
    client.end_stdin();
    assert_eq!(listener.read(10), b"a question");
    listener.write(b"an answer");
    listener.end_stdin();
    assert_eq!(client.wait().success(), b"an answer");
    listener.wait().success();
}

#[test]
fn every_byte_value_passes() {
    let name = namespaced();
    let listener = listen(&name, &[]).start_listening();
    let mut client = connect(&name, &[]).open_stdin().start();
    let bytes: Vec<u8> = (0..=255).chain(*b"\r\n\x1a\x04\0").collect();
    client.write(&bytes);
    client.end_stdin();
    client.wait().success();
    assert_same(&listener.wait().success(), &bytes);
}

#[test]
fn an_empty_input_is_an_empty_output() {
    let name = namespaced();
    // Who has nothing to send waits for the other, unless told otherwise; without a half-close, one has to be told.
    let options: &[&str] = if cfg!(windows) { &["--linger", "0s"] } else { &[] };
    let listener = listen(&name, &[]).start_listening();
    assert_eq!(connect(&name, options).run().success(), b"");
    assert_eq!(listener.wait().success(), b"");
}

#[test]
fn a_listener_with_an_open_stdin_ends_when_its_client_does() {
    let name = namespaced();
    let listener = listen(&name, &[]).open_stdin().start_listening();
    let mut client = connect(&name, &[]).open_stdin().start();
    client.write(b"bye");
    client.end_stdin();
    client.wait().promptly().success();
    assert_eq!(listener.wait().promptly().success(), b"bye");
}

#[test]
fn a_client_with_an_open_stdin_ends_when_its_server_does() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).open_stdin().start_listening();
    let client = connect(&name, &[]).open_stdin().start();
    listener.write(b"bye");
    listener.end_stdin();
    assert_eq!(client.wait().promptly().success(), b"bye");
    listener.wait().promptly().success();
}

#[test]
fn a_slow_stdin_is_not_cut_off_because_the_peer_has_nothing_to_say() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).start_listening();
    let mut client = connect(&name, &[]).open_stdin().start();
    client.write(b"first");
    assert_eq!(listener.read(5), b"first");
    // Longer than the silence that ends a connection whose peer had something to say.
    std::thread::sleep(Duration::from_millis(800));
    client.write(b"second");
    client.end_stdin();
    client.wait().success();
    assert_eq!(listener.wait().success(), b"second");
}

#[test]
fn a_receiver_killed_in_the_middle_is_an_error_for_the_sender() {
    let directory = Directory::new();
    let (name, original) = (directory.socket(), directory.noise("original", MORE_THAN_FITS));
    let mut listener = listen(&name, &[]).start_listening();
    let client = connect(&name, &[]).stdin(&original).start();
    listener.read(1000);
    listener.kill();
    client.wait().promptly().failure(1, &["ipc: the peer left before it had read everything"]);
}

#[test]
fn a_receiver_killed_while_stdin_is_open_does_not_leave_the_sender_hanging() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).open_stdin().start_listening();
    let mut client = connect(&name, &[]).open_stdin().start();
    client.write(b"something");
    assert_eq!(listener.read(9), b"something");
    listener.kill();
    // All that was sent had been read.
    client.wait().promptly().success();
}

#[test]
fn a_sender_killed_in_the_middle_ends_the_receiver_with_what_had_arrived() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).open_stdin().start_listening();
    let mut client = connect(&name, &[]).open_stdin().start();
    client.write(&noise(100_000));
    let mut arrived = listener.read(1);
    client.kill();
    let ended = listener.wait().promptly();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    arrived.extend(ended.stdout);
    assert_same(&arrived, &noise(100_000)[..arrived.len()]);
}

#[test]
fn an_error_names_the_name_that_nobody_listens_on() {
    let directory = Directory::new();
    for name in [directory.socket().to_str().unwrap().to_owned(), namespaced()] {
        let ended = connect(&name, &[]).open_stdin().run().promptly();
        ended.failure(1, &["ipc: cannot connect", &name, "nobody listens there", "ipc listen", "--wait"]);
    }
}

#[test]
fn waiting_for_a_server_is_bounded_by_the_timeout() {
    let name = namespaced();
    let ended = connect(&name, &["--wait", "--timeout", "100ms"]).run().promptly();
    ended.failure(3, &[&name, "in time"]);
    assert!(ended.ran >= Duration::from_millis(100));
}

#[test]
fn a_server_that_comes_later_is_waited_for() {
    let directory = Directory::new();
    let (name, original) = (directory.socket(), directory.noise("original", 1000));
    let client = connect(&name, &["--wait", "--timeout", "1m"]).stdin(&original).start();
    let listener = listen(&name, &[]).start_listening();
    client.wait().success();
    assert_same(&listener.wait().success(), &noise(1000));
}

#[test]
fn a_listener_waits_for_a_client_no_longer_than_the_timeout() {
    let name = namespaced();
    for options in [&["--timeout", "100ms"][..], &["--timeout", "100ms", "--keep"]] {
        let ended = listen(&name, options).open_stdin().run().promptly();
        ended.failure(3, &["no client", &name, "100ms"]);
        assert!(ended.ran >= Duration::from_millis(100));
    }
}

#[test]
fn an_idle_connection_ends_after_the_idle_timeout() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).open_stdin().start_listening();
    let client = connect(&name, &["--idle-timeout", "200ms"]).open_stdin().start();
    listener.wait_until_it_says("the peer is");
    client.wait().promptly().failure(3, &["nothing was sent or received for 200ms"]);
    listener.wait().promptly().success();
}

#[test]
fn a_receiver_that_does_not_read_is_idle() {
    let directory = Directory::new();
    let (name, original) = (directory.socket(), directory.noise("original", MORE_THAN_FITS));
    // It writes to a pipe that nobody reads, which is no fault of the connection.
    let mut listener = listen(&name, &[]).start_listening();
    let client = connect(&name, &["--idle-timeout", "300ms"]).stdin(&original).start();
    let ended = client.wait().promptly();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    listener.kill();
}

#[test]
fn a_listener_serves_one_client_and_then_the_name_is_free() {
    let directory = Directory::new();
    for options in [&[][..], &["--once"]] {
        let name = directory.socket();
        let mut listener = listen(&name, options).open_stdin().start_listening();
        let mut first = connect(&name, &[]).open_stdin().start();
        first.write(b"x");
        assert_eq!(listener.read(1), b"x");
        // On Windows the name is there as long as the connection is, and a client would wait.
        let second = connect(&name, &["--timeout", "100ms"]).run().promptly();
        assert!(matches!(second.code, Some(1 | 3)), "{}", second.stderr);
        if cfg!(unix) {
            second.failure(1, &["nobody listens there"]);
            assert!(!name.exists());
        }
        first.end_stdin();
        first.wait().success();
        listener.wait().success();
    }
}

#[test]
fn keep_serves_one_client_after_the_other() {
    let name = namespaced();
    let mut listener = listen(&name, &["--keep"]).start_listening();
    for text in [b"first ", b"second", b"third "] {
        let mut client = connect(&name, &[]).open_stdin().start();
        client.write(text);
        client.end_stdin();
        client.wait().promptly().success();
        assert_eq!(listener.read(6), text);
        listener.wait_until_it_says("0 bytes sent, 6 bytes received");
    }
    listener.kill();
}

#[test]
fn keep_sends_stdin_to_whoever_is_connected() {
    let name = namespaced();
    let mut listener = listen(&name, &["--keep"]).open_stdin().start_listening();
    for text in [b"for the first ", b"for the second"] {
        let mut client = connect(&name, &[]).open_stdin().start();
        listener.wait_until_it_says("the peer is");
        listener.write(text);
        assert_eq!(client.read(14), text);
        client.write(b"thanks");
        client.end_stdin();
        client.wait().promptly().success();
        assert_eq!(listener.read(6), b"thanks");
        listener.wait_until_it_says("14 bytes sent, 6 bytes received");
    }
    // Now stdin ends in the middle of a connection, and the next one has only one direction.
    let client = connect(&name, &[]).start();
    listener.wait_until_it_says("the peer is");
    listener.write(b"the last");
    listener.end_stdin();
    assert_eq!(client.wait().promptly().success(), b"the last");
    let mut client = connect(&name, &[]).open_stdin().start();
    client.write(b"still there");
    assert_eq!(listener.read(11), b"still there");
    client.end_stdin();
    client.wait().promptly().success();
}

#[test]
fn keep_goes_on_when_a_client_breaks_off() {
    let name = namespaced();
    let mut listener = listen(&name, &["--keep"]).open_stdin().start_listening();
    let mut client = connect(&name, &[]).open_stdin().start();
    listener.wait_until_it_says("the peer is");
    listener.write(b"x");
    assert_eq!(client.read(1), b"x");
    // Into the pipes of a process that is about to be killed, more than fits.
    let mut stdin = listener.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        std::io::Write::write_all(&mut stdin, &noise(MORE_THAN_FITS)).map(|()| stdin)
    });
    client.kill();
    listener.wait_until_it_says("bytes sent");
    // What was read from stdin for the first client may be lost; what was not is for the second.
    let mut client = connect(&name, &[]).open_stdin().start();
    client.read(1_000_000);
    client.write(b"hello");
    assert_eq!(listener.read(5), b"hello");
    client.kill();
    listener.kill();
    drop(writer);
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    let name = namespaced();
    let mut listener = ipc(["listen", &name]).start();
    listener.stdout = None;
    let mut client = connect(&name, &["--wait"]).open_stdin().start();
    client.write(b"nobody reads this");
    let ended = listener.wait().promptly();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    // It may or may not have been read before the listener ended.
    assert!(matches!(client.wait().promptly().code, Some(0 | 1)));
}

#[test]
fn verbose_says_who_connects() {
    let name = namespaced();
    let mut listener = listen(&name, &[]).start_listening();
    let mut client = connect(&name, &["-v"]).open_stdin().start();
    let at_listener = listener.wait_until_it_says("the peer is");
    assert!(at_listener.contains(&format!("process {}", client.id())), "{at_listener}");
    let at_client = client.wait_until_it_says("the peer is");
    assert!(at_client.contains(&format!("process {}", listener.id())), "{at_client}");
    client.write(b"x");
    client.end_stdin();
    client.wait().success();
    listener.wait().success();
}

#[test]
fn a_server_of_the_same_user_passes_the_check() {
    let name = namespaced();
    let listener = listen(&name, &[]).start_listening();
    let mut client = connect(&name, &["--require-same-user"]).open_stdin().start();
    client.write(b"x");
    client.end_stdin();
    client.wait().success();
    assert_eq!(listener.wait().success(), b"x");
}

#[test]
fn a_name_in_use_is_an_error() {
    let directory = Directory::new();
    for name in [directory.socket().to_str().unwrap().to_owned(), namespaced()] {
        let mut first = listen(&name, &[]).open_stdin().start_listening();
        let ended = listen(&name, &[]).open_stdin().run().promptly();
        ended.failure(1, &["ipc: cannot listen", &name, "somebody listens there already"]);
        first.kill();
    }
}

#[test]
fn bad_names_are_errors_of_usage() {
    let too_long = format!("@{}", "x".repeat(1000));
    for name in ["", "@", &too_long] {
        for command in ["listen", "connect"] {
            let ended = ipc([command, name]).open_stdin().run().promptly();
            ended.failure(2, &["NAME"]);
        }
    }
    if cfg!(windows) {
        ipc(["listen", "./socket"]).run().failure(2, &[r"\\HOST\pipe\NAME"]);
    }
}

#[test]
fn bad_options_are_errors_of_usage() {
    for options in [
        &["listen", "@x", "--mode", "999"][..],
        &["listen", "@x", "--once", "--keep"],
        &["listen", "@x", "--access", "friends"],
        &["listen", "@x", "--timeout", "5"],
        &["listen", "@x", "--idle-timeout", "0s"],
        &["connect", "@x", "--keep"],
        &["connect"],
        &["demo", "--clients", "0"],
        &["explode"],
        &[],
    ] {
        ipc(options).open_stdin().run().promptly().failure(2, &["--help"]);
    }
}

#[test]
fn help_tells_the_exit_codes() {
    for options in [&["--help"][..], &["listen", "--help"], &["connect", "--help"], &["demo", "--help"]] {
        let help = String::from_utf8(ipc(options).run().success()).unwrap();
        assert!(help.contains("Exit codes:") && help.contains("a time limit has passed"), "{help}");
        assert!(!help.contains("demo-client"), "{help}");
    }
}

#[cfg(windows)]
#[test]
fn there_is_no_mode_on_windows() {
    listen(namespaced(), &["--mode", "600"]).run().failure(2, &["--mode", "--access"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::{
        os::unix::{
            ffi::OsStrExt,
            fs::{FileTypeExt, PermissionsExt},
            net::UnixListener,
        },
        time::Instant,
    };
    use support::PROMPT;

    #[test]
    fn mode_and_access_set_the_permissions_of_the_socket_file() {
        for (options, mode) in [
            (&[][..], 0o600),
            (&["--mode", "640"], 0o640),
            (&["--mode", "666"], 0o666),
            (&["--access", "owner"], 0o600),
            (&["--access", "group"], 0o660),
            (&["--access", "everyone"], 0o666),
            (&["--access", "owner", "--mode", "666"], 0o666),
        ] {
            let directory = Directory::new();
            let name = directory.socket();
            let mut listener = listen(&name, options).open_stdin().start_listening();
            let found = std::fs::metadata(&name).unwrap();
            assert!(found.file_type().is_socket());
            assert_eq!(found.permissions().mode() & 0o777, mode, "{options:?}");
            listener.kill();
        }
    }

    #[test]
    fn steal_takes_the_name_of_a_living_listener() {
        let directory = Directory::new();
        let name = directory.socket();
        let mut old = listen(&name, &[]).open_stdin().start_listening();
        let new = listen(&name, &["--steal"]).start_listening();
        let mut client = connect(&name, &[]).open_stdin().start();
        client.write(b"x");
        client.end_stdin();
        client.wait().success();
        assert_eq!(new.wait().success(), b"x");
        old.kill();
    }

    #[test]
    fn the_name_of_a_killed_listener_is_taken_over() {
        let directory = Directory::new();
        let name = directory.socket();
        let mut killed = listen(&name, &[]).open_stdin().start_listening();
        killed.kill();
        drop(killed);
        assert!(name.exists());
        let mut listener = listen(&name, &[]).open_stdin().start_listening();
        listener.kill();
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let directory = Directory::new();
        let name = directory.noise("file", 10);
        for options in [&[][..], &["--steal"]] {
            let ended = listen(&name, options).open_stdin().run().promptly();
            ended.failure(1, &["cannot listen", name.to_str().unwrap()]);
            assert!(!ended.stderr.contains("--steal"), "{}", ended.stderr);
        }
        assert_same(&std::fs::read(name).unwrap(), &noise(10));
    }

    #[test]
    fn a_missing_directory_is_said() {
        let directory = Directory::new();
        let name = directory.join("missing/socket");
        listen(&name, &[]).run().failure(1, &["missing/socket", "directory"]);
    }

    #[test]
    fn a_name_need_not_be_unicode() {
        let directory = Directory::new();
        let name = directory.join("x").with_file_name(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
        let mut listener = listen(&name, &[]).start_listening();
        let mut client = connect(&name, &[]).open_stdin().start();
        client.write(b"x");
        client.end_stdin();
        client.wait().success();
        assert_eq!(listener.read(1), b"x");
        listener.wait().success();
    }

    #[test]
    fn a_full_queue_is_waited_for_no_longer_than_the_timeout() {
        let directory = Directory::new();
        let name = directory.socket();
        // Nobody accepts: with the shortest queue that there is, a few clients fill it.
        let queue =
            interprocess::local_socket::ListenerOptions::new().name(&name).backlog(0).create_sync().unwrap();
        let started = Instant::now();
        let mut waiting = Vec::new();
        loop {
            assert!(started.elapsed() < PROMPT, "the queue does not fill");
            let result = interprocess::local_socket::ConnectOptions::new()
                .name(&name)
                .wait_mode(interprocess::ConnectWaitMode::Timeout(Duration::from_millis(10)))
                .connect_sync();
            match result {
                Ok(stream) => waiting.push(stream),
                Err(_) => break,
            }
        }
        let ended = connect(&name, &["--timeout", "100ms"]).open_stdin().run().promptly();
        // Only Linux lets clients wait; elsewhere they are refused.
        ended.failure(
            if cfg!(target_os = "linux") { 3 } else { 1 },
            &["cannot connect", name.to_str().unwrap()],
        );
        drop(queue);
    }

    #[test]
    fn a_stdin_that_cannot_be_read_is_an_error() {
        let directory = Directory::new();
        let name = namespaced();
        let listener = listen(&name, &[]).start_listening();
        let a_directory = directory.join(".");
        connect(&name, &[]).stdin(&a_directory).run().promptly().failure(1, &["cannot read stdin"]);
        listener.wait().promptly().success();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_stdout_that_cannot_be_written_is_an_error() {
        let name = namespaced();
        let listener = listen(&name, &[]).stdout(std::path::Path::new("/dev/full")).start_listening();
        let mut client = connect(&name, &[]).open_stdin().start();
        client.write(b"x");
        listener.wait().promptly().failure(1, &["cannot write to stdout"]);
        assert!(client.wait().promptly().code.is_some());
    }

    #[test]
    fn other_programs_see_plain_bytes_and_the_end_of_the_stream() {
        use std::io::{Read, Write};
        let directory = Directory::new();
        let name = directory.socket();
        let listener = UnixListener::bind(&name).unwrap();
        let mut client = connect(&name, &[]).open_stdin().start();
        client.write(b"question");
        client.end_stdin();
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PROMPT)).unwrap();
        let mut arrived = Vec::new();
        stream.read_to_end(&mut arrived).unwrap();
        assert_eq!(arrived, b"question");
        stream.write_all(b"answer").unwrap();
        drop(stream);
        assert_eq!(client.wait().promptly().success(), b"answer");
    }
}
