//! Peers that were built with interprocess 1.2, in processes of their own, talk to ours.
#![cfg(any(target_os = "linux", windows))]

#[path = "../../tests/support/mod.rs"]
mod support;

use interprocess::local_socket::{Listener, Name, NamespacedByOne, Stream, ToName, ToNsName};
use interprocess_1::local_socket as one;
use std::{
    io::{self, Read, Write},
    thread,
};
use support::{Child, TestName, in_time};

/// More than any buffer holds.
const LEN: usize = 1 << 20;

#[test]
fn child_entry() {
    support::child_entry(&[("serve", serve), ("ask", ask), ("ask_by_tokio", ask_by_tokio)]);
}

/// A server of interprocess 1.2: answers one client with what that has sent, and then with a farewell.
fn serve(arguments: &[String]) {
    let listener = one::LocalSocketListener::bind(arguments[0].as_str()).unwrap();
    support::say("listening");
    answer(listener.accept().unwrap()).unwrap();
    // On Windows, its end of the connection takes along what was not received.
    support::hear();
}

fn answer(mut client: impl Read + Write) -> io::Result<()> {
    let mut bytes = vec![0; LEN];
    client.read_exact(&mut bytes)?;
    client.write_all(&bytes)?;
    client.write_all(b"farewell")?;
    client.flush()
}

/// A client of interprocess 1.2.
fn ask(arguments: &[String]) {
    support::say(question(one::LocalSocketStream::connect(arguments[0].as_str()).unwrap()).is_ok());
}

fn question(mut server: impl Read + Write) -> io::Result<()> {
    let bytes: Vec<u8> = (0..=250).cycle().take(LEN).collect();
    server.write_all(&bytes)?;
    let mut answer = vec![0; LEN];
    server.read_exact(&mut answer)?;
    assert!(answer == bytes, "the answer is another one");
    let mut farewell = [0; 8];
    server.read_exact(&mut farewell)?;
    assert_eq!(&farewell, b"farewell");
    Ok(())
}

/// The same on Tokio.
fn ask_by_tokio(arguments: &[String]) {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = one::tokio::LocalSocketStream::connect(arguments[0].as_str()).await.unwrap();
        let (mut reader, mut writer) = server.into_split();
        let bytes = vec![7; LEN];
        writer.write_all(&bytes).await.unwrap();
        let mut answer = vec![0; LEN + 8];
        reader.read_exact(&mut answer).await.unwrap();
        support::say(answer[..LEN] == bytes && answer[LEN..] == *b"farewell");
    });
}

/// A name as interprocess 1.2 has it, and the same one here. The rest is what has to be kept.
fn names() -> Vec<(String, Name<'static>, Option<TestName>)> {
    let unique = support::unique();
    let namespaced = unique.to_ns_name::<NamespacedByOne>().unwrap().into_owned();
    let mut names = vec![(format!("@{}", namespaced_text(&namespaced)), namespaced, None)];
    if cfg!(windows) {
        let bare = support::unique();
        names.push((bare.clone(), bare.to_name().unwrap(), None));
        let bare = support::unique();
        names.push((bare.clone(), format!("@{bare}").to_name().unwrap(), None));
        let bare = support::unique();
        names.push((bare.clone(), format!(r"\\.\pipe\{bare}").to_name().unwrap(), None));
    } else {
        let path = support::unique_path();
        names.push((path.to_string(), (*path).to_owned().to_name().unwrap(), Some(path)));
    }
    names
}

/// What follows the `@` in interprocess 1.2.
fn namespaced_text(name: &Name<'_>) -> String {
    name.as_os_str().to_str().unwrap().trim_start_matches('@').trim_end_matches('\0').to_owned()
}

#[test]
fn client_of_ours_is_answered_by_a_server_of_one() {
    in_time(|| {
        for (theirs, ours, _file) in names() {
            let mut server = Child::start("serve", &[&theirs]);
            assert_eq!(server.hear(), "listening");
            question(Stream::connect(&ours).unwrap()).unwrap();
            server.say("received");
            server.finish();
        }
    });
}

#[test]
fn client_of_one_is_answered_by_a_server_of_ours() {
    in_time(|| {
        for client in ["ask", "ask_by_tokio"] {
            for (theirs, ours, _file) in names() {
                let listener = Listener::bind(&ours).unwrap();
                let client = Child::start(client, &[&theirs]);
                answer(listener.accept().unwrap()).unwrap();
                assert_eq!(client.hear(), "true");
                client.finish();
            }
        }
    });
}

#[test]
fn end_of_the_stream_is_the_same_for_both() {
    in_time(|| {
        for (theirs, ours, _file) in names() {
            let listener = Listener::bind(&ours).unwrap();
            let client = thread::spawn(move || {
                let mut server = one::LocalSocketStream::connect(theirs.as_str()).unwrap();
                server.write_all(b"all there is").unwrap();
            });
            let mut text = String::new();
            listener.accept().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "all there is");
            client.join().unwrap();
        }
        for (theirs, ours, _file) in names() {
            let listener = one::LocalSocketListener::bind(theirs.as_str()).unwrap();
            let mut client = Stream::connect(&ours).unwrap();
            // On Windows, its `accept` fails if the client has left already.
            let mut server = listener.accept().unwrap();
            client.write_all(b"all there is").unwrap();
            drop(client);
            let mut text = String::new();
            server.read_to_string(&mut text).unwrap();
            assert_eq!(text, "all there is");
        }
    });
}

/// What `NamespacedByOne` is for.
#[test]
fn namespaced_name_is_another_one_in_one() {
    in_time(|| {
        let name = support::unique_name();
        let _theirs = one::LocalSocketListener::bind(&*name).unwrap();
        Stream::connect(&name).unwrap_err();
        let _ours = Listener::bind(&name).unwrap();
        let _ours_too = Listener::bind(name[1..].to_ns_name::<NamespacedByOne>().unwrap()).unwrap_err();
    });
}

/// Sockets of the Unix domain take such names, too.
#[cfg(target_os = "linux")]
#[test]
fn udstream_of_ours_and_one_of_one_talk_to_each_other() {
    use interprocess::os::unix::udsocket::{UdStream, UdStreamListener};
    use interprocess_1::os::unix::udsocket as one;

    in_time(|| {
        for (theirs, ours, _file) in names() {
            let listener = one::UdStreamListener::bind(theirs.as_str()).unwrap();
            let client = UdStream::connect(&ours).unwrap();
            listener.accept().unwrap().send(b"x").unwrap();
            assert_eq!(client.recv(&mut [0; 4]).unwrap(), 1);
        }
        for (theirs, ours, _file) in names() {
            let listener = UdStreamListener::bind(&ours).unwrap();
            let client = one::UdStream::connect(theirs.as_str()).unwrap();
            listener.accept().unwrap().send(b"x").unwrap();
            assert_eq!(client.recv(&mut [0; 4]).unwrap(), 1);
        }
    });
}

#[test]
fn names_of_one_are_checked_and_shown_like_ours() {
    in_time(|| {
        let name = "example".to_ns_name::<NamespacedByOne>().unwrap();
        assert_eq!(name.to_string(), if cfg!(windows) { "@@example" } else { "@example" });
        for wrong in [String::new(), "a\0b".to_owned(), "x".repeat(1 << 10)] {
            let error = wrong.to_ns_name::<NamespacedByOne>().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    });
}
