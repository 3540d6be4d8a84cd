//! Addresses: files, abstract names, none; and what becomes of a file.

use crate::support::TempDir;
use interprocess::{
    local_socket::ExistingName,
    os::unix::udsocket::{
        BindOptions, MAX_UDSOCKET_PATH_LEN, ToUdSocketPath, UdSocket, UdStream, UdStreamListener,
    },
};
use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt, path::Path};

#[test]
fn a_path_is_read_back_as_it_was_given() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let listener = UdStreamListener::bind_with_drop_guard(&path).expect("bind");
    assert_eq!(listener.local_addr().expect("address").as_path(), Some(path.as_path()));
    let client = UdStream::connect(&path).expect("connect");
    assert_eq!(client.peer_addr().expect("address").as_path(), Some(path.as_path()));
    assert!(listener.accept().expect("accept").peer_addr().expect("address").is_unnamed());
}

#[test]
fn the_longest_path_works_and_one_byte_more_is_an_error_with_both_lengths() {
    let dir = TempDir::new();
    let longest = MAX_UDSOCKET_PATH_LEN - 1;
    let name = "x".repeat(longest - dir.as_os_str().len() - 1);
    let path = dir.join(&name);
    let listener = UdStreamListener::bind_with_drop_guard(&path).expect("bind");
    assert_eq!(listener.local_addr().expect("address").as_bytes().len(), longest);
    UdStream::connect(&path).expect("connect");
    for error in [
        UdStreamListener::bind(dir.join(name.clone() + "x")).expect_err("too long"),
        UdStream::connect(dir.join(name.clone() + "x")).expect_err("too long"),
        UdSocket::bind(dir.join(name + "x")).expect_err("too long"),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains(&longest.to_string()) && text.contains(&(longest + 1).to_string()), "{text}");
    }
}

#[test]
fn a_path_that_is_not_possible_is_an_error_before_any_call() {
    for path in [&b""[..], b"with\0nul"] {
        assert_eq!(UdStream::connect(path).expect_err("bad").kind(), ErrorKind::InvalidInput);
        assert_eq!(UdStreamListener::bind(path).expect_err("bad").kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn errors_name_the_path() {
    let dir = TempDir::new();
    let error = UdStream::connect(dir.join("nobody")).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nobody"), "{error}");
    let error = UdSocket::connect(dir.join("nobody")).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nobody"), "{error}");
}

#[test]
fn an_at_sign_makes_a_path_only_behind_a_dot() {
    let path = Path::new("@x").to_socket_path().expect("a path");
    assert_eq!(path.as_path(), Some(Path::new("@x")));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    assert_eq!(
        "@x".to_socket_path().expect("a name"),
        interprocess::os::unix::udsocket::UdSocketPath::Namespaced(b"x"[..].into())
    );
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    assert_eq!("@x".to_socket_path().expect_err("there are none").kind(), ErrorKind::Unsupported);
}

#[test]
fn only_a_drop_guard_deletes_the_file_and_only_while_it_is_ours() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    drop(UdSocket::bind(&path).expect("bind"));
    assert!(path.exists());
    // A dead one is taken over.
    drop(UdSocket::bind_with_drop_guard(&path).expect("bind"));
    assert!(!path.exists());

    let first = UdStreamListener::bind_with_drop_guard(&path).expect("bind");
    assert_eq!(UdStreamListener::bind(&path).expect_err("alive").kind(), ErrorKind::AddrInUse);
    let second: UdStreamListener =
        BindOptions::new().existing_name(ExistingName::Steal).bind(&path).expect("steal");
    assert_eq!(second.local_addr().expect("address").as_path(), Some(path.as_path()));
    drop(first);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());
}

#[test]
fn a_living_socket_for_datagrams_is_not_taken_over() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let living = UdSocket::bind_with_drop_guard(&path).expect("bind");
    assert_eq!(UdSocket::bind(&path).expect_err("alive").kind(), ErrorKind::AddrInUse);
    // Not even one that hears nobody but its destination.
    let friend = dir.join("friend");
    let _friend = UdSocket::bind_with_drop_guard(&friend).expect("bind");
    living.set_destination(&friend).expect("destination");
    assert_eq!(UdSocket::bind(&path).expect_err("alive").kind(), ErrorKind::AddrInUse);
    living.set_nonblocking(true).expect("mode");
    assert_eq!(living.recv(&mut [0; 1]).expect_err("nobody wrote").kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_file_that_is_no_socket_stays() {
    let dir = TempDir::new();
    let path = dir.join("file");
    fs::write(&path, "precious").expect("write");
    assert_eq!(UdSocket::bind(&path).expect_err("a file").kind(), ErrorKind::AddrInUse);
    assert_eq!(fs::read_to_string(&path).expect("read"), "precious");
}

#[test]
fn a_socket_file_is_for_its_owner_unless_the_options_say_otherwise() {
    let dir = TempDir::new();
    let mode = |path: &Path| fs::metadata(path).expect("file").permissions().mode() & 0o777;
    let path = dir.join("datagrams");
    let _socket = UdSocket::bind(&path).expect("bind");
    assert_eq!(mode(&path), 0o600);
    let path = dir.join("stream");
    let _listener = UdStreamListener::bind(&path).expect("bind");
    assert_eq!(mode(&path), 0o600);
    let path = dir.join("open");
    let _socket = BindOptions::new().mode(0o622).bind_datagram(&path).expect("bind");
    assert_eq!(mode(&path), 0o622);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod abstract_names {
    use super::*;
    use crate::support::unique;
    use interprocess::os::unix::udsocket::UdSocketPath;

    #[test]
    fn an_abstract_name_is_of_any_bytes_and_read_back() {
        let mut name = unique().into_bytes();
        name.extend([0, 0xFF, b'/', 0]);
        let address = UdSocketPath::Namespaced(name.into());
        let listener = UdStreamListener::bind(&address).expect("bind");
        assert_eq!(listener.local_addr().expect("address"), address);
        let client = UdStream::connect(&address).expect("connect");
        assert_eq!(client.peer_addr().expect("address"), address);
        assert_eq!(UdStreamListener::bind(&address).expect_err("taken").kind(), ErrorKind::AddrInUse);
        drop(listener);
        UdStreamListener::bind(&address).expect("free again");
    }

    #[test]
    fn binding_to_no_name_gives_a_new_one() {
        let one = UdSocket::bind(UdSocketPath::Unnamed).expect("bind");
        let other = UdSocket::bind(UdSocketPath::Unnamed).expect("bind");
        let (one, other) = (one.local_addr().expect("address"), other.local_addr().expect("address"));
        assert!(!one.is_unnamed() && one != other, "{one} {other}");
    }
}
