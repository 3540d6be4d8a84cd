//! Any bytes as the name of a socket: it is refused, or it is itself, also after it was written out, and after the kernel had it.

#![no_main]

use interprocess::{
    local_socket::ToName,
    os::unix::udsocket::{BindOptions, MAX_UDSOCKET_PATH_LEN, ToUdSocketPath, UdSocketPath},
};
use libfuzzer_sys::fuzz_target;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

fuzz_target!(|bytes: &[u8]| {
    address(bytes);
    name(OsStr::from_bytes(bytes));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Ok(text) = std::str::from_utf8(bytes) {
        vsock(text);
    }
});

/// The address of a socket of the Unix domain.
fn address(bytes: &[u8]) {
    let Ok(path) = bytes.to_socket_path() else {
        assert!(bytes.contains(&0) || bytes.first() == Some(&b'@'));
        return;
    };
    let _ = path.to_string();
    match &path {
        UdSocketPath::File(_) => assert_eq!(path.as_bytes(), bytes),
        _ => assert_eq!(path.as_bytes(), &bytes[1..]),
    }
    assert_eq!(path.borrow().into_owned(), path);
    // A file would stay, and be anywhere.
    if path.as_path().is_none() {
        bind(&path);
    }
}

/// What the kernel is told comes back from it.
fn bind(path: &UdSocketPath<'_>) {
    match BindOptions::new().bind_datagram(path) {
        Ok(socket) => {
            assert_eq!(socket.local_addr().expect("it has one"), *path);
            assert_eq!(socket.peer_addr().expect_err("it has none").kind(), std::io::ErrorKind::NotConnected);
        }
        Err(error) => assert!(
            path.as_bytes().len() >= MAX_UDSOCKET_PATH_LEN || error.kind() == std::io::ErrorKind::AddrInUse,
            "{error}"
        ),
    }
}

/// The name of a local socket.
fn name(text: &OsStr) {
    let Ok(name) = text.to_name() else {
        let bytes = text.as_bytes();
        let is_impossible = matches!(bytes, [] | b"@") || bytes.contains(&0);
        assert!(is_impossible || bytes.len() >= MAX_UDSOCKET_PATH_LEN || !cfg!(target_os = "linux"));
        return;
    };
    assert_eq!(name.is_namespaced(), text.as_bytes().starts_with(b"@"));
    assert_eq!(name.borrow().into_owned(), name);
    let shown = name.to_string();
    // What is not Unicode was replaced.
    if text.to_str().is_some() {
        assert_eq!(shown.as_str().to_name().expect("as it was"), name);
    }
    assert_eq!((&name).to_socket_path().expect("an address").as_bytes(), name.as_os_str().as_bytes());
}

/// The address of a virtual machine.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn vsock(text: &str) {
    use interprocess::os::unix::vsock::VsockAddr;

    if let Ok(address) = text.parse::<VsockAddr>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}
