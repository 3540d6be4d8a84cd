//! Each kind of socket on each runtime.

#![cfg(any(feature = "smol", feature = "tokio"))]

use crate::support::{TempDir, in_time};
use interprocess::{
    os::unix::udsocket::{
        AncillaryDataBuf, Listener, Socket, UdSocketPath,
        kind::{Datagram, Stream},
    },
    runtime::{Async, Runtime},
};
use std::{fs::File, os::fd::AsFd};

type AsyncListener<K, R> = Async<Listener<K>, R>;
type AsyncSocket<K, R> = Async<Socket<K>, R>;

async fn streams_connect_and_pass_descriptors<R: Runtime>() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let listener = AsyncListener::<Stream, R>::bind_with_drop_guard(&path).expect("bind");
    let client = AsyncSocket::<Stream, R>::connect(&path).await.expect("connect");
    let server = listener.accept().await.expect("accept");
    let file = File::open("/dev/null").expect("null");
    client.send_with_fds(b"one", &[file.as_fd()]).await.expect("send");
    let (mut buf, mut fds) = ([0; 8], Vec::new());
    assert_eq!(server.recv_with_fds(&mut buf, &mut fds).await.expect("receive"), 3);
    assert_eq!(fds.len(), 1);
    server.send(b"answer").await.expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    let (len, _) = client.recv_ancillary(&mut buf, &mut ancillary).await.expect("receive");
    assert_eq!(&buf[..len], b"answer");
    drop(server);
    assert_eq!(client.recv(&mut buf).await.expect("the end"), 0);
}

async fn datagrams_are_answered<R: Runtime>() {
    let dir = TempDir::new();
    let server = AsyncSocket::<Datagram, R>::bind_with_drop_guard(dir.join("server")).expect("bind");
    let client = AsyncSocket::<Datagram, R>::bind_with_drop_guard(dir.join("client")).expect("bind");
    client.send_to(b"ping", dir.join("server")).await.expect("send");
    let (mut buf, mut from) = ([0; 8], UdSocketPath::buffer());
    assert_eq!(server.recv_from(&mut buf, &mut from).await.expect("receive"), (4, false));
    server.send_to(b"pong", &from).await.expect("send");
    assert_eq!(client.recv(&mut buf).await.expect("receive"), (4, false));
    client.set_destination(dir.join("server")).expect("destination");
    client.send(b"again").await.expect("send");
    assert_eq!(server.recv(&mut buf[..2]).await.expect("receive"), (2, true));
}

/// Only Linux waits for room.
#[cfg(any(target_os = "linux", target_os = "android"))]
async fn a_sender_without_a_destination_finds_the_room_that_others_had_taken<R: Runtime>() {
    use interprocess::os::unix::udsocket::UdSocket;
    use std::{
        future::{Future, poll_fn},
        io::ErrorKind,
        pin::pin,
        time::Duration,
    };

    let dir = TempDir::new();
    let server = UdSocket::bind_with_drop_guard(dir.join("server")).expect("bind");
    let other = UdSocket::unbound().expect("socket");
    other.set_nonblocking(true).expect("mode");
    let error = (0..100_000).find_map(|_| other.send_to(b"x", dir.join("server")).err()).expect("full");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let client = AsyncSocket::<Datagram, R>::unbound().expect("socket");
    let mut sending = pin!(client.send_to(b"y", dir.join("server")));
    let (mut polls, mut window) = (0, pin!(R::sleep(Duration::from_millis(100))));
    poll_fn(|cx| {
        polls += 1;
        assert!(sending.as_mut().poll(cx).is_pending());
        window.as_mut().poll(cx)
    })
    .await;
    assert!(polls < 100, "it was busy: it tried {polls} times");
    server.recv(&mut [0; 1]).expect("receive");
    assert_eq!(sending.await.expect("send"), 1);
}

#[cfg(not(target_vendor = "apple"))]
async fn packets_keep_boundaries<R: Runtime>() {
    use interprocess::os::unix::udsocket::kind::Seqpacket;

    let (one, other) = AsyncSocket::<Seqpacket, R>::pair().expect("pair");
    one.send(b"first").await.expect("send");
    one.send(b"second").await.expect("send");
    drop(one);
    let mut buf = [0; 8];
    assert_eq!(other.recv(&mut buf).await.expect("receive"), (5, false));
    assert_eq!(other.recv(&mut buf).await.expect("receive"), (6, false));
    assert_eq!(other.recv(&mut buf).await.expect("the end"), (0, false));
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use interprocess::runtime::Tokio;
    use std::future::Future;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(future)
    }

    #[test]
    fn streams_connect_and_pass_descriptors() {
        in_time(|| block_on(super::streams_connect_and_pass_descriptors::<Tokio>()));
    }

    #[test]
    fn datagrams_are_answered() {
        in_time(|| block_on(super::datagrams_are_answered::<Tokio>()));
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_sender_without_a_destination_finds_the_room_that_others_had_taken() {
        in_time(|| {
            block_on(super::a_sender_without_a_destination_finds_the_room_that_others_had_taken::<Tokio>());
        });
    }

    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn packets_keep_boundaries() {
        in_time(|| block_on(super::packets_keep_boundaries::<Tokio>()));
    }
}

#[cfg(feature = "smol")]
mod on_smol {
    use super::*;
    use futures_lite::future::block_on;
    use interprocess::runtime::Smol;

    #[test]
    fn streams_connect_and_pass_descriptors() {
        in_time(|| block_on(super::streams_connect_and_pass_descriptors::<Smol>()));
    }

    #[test]
    fn datagrams_are_answered() {
        in_time(|| block_on(super::datagrams_are_answered::<Smol>()));
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_sender_without_a_destination_finds_the_room_that_others_had_taken() {
        in_time(|| {
            block_on(super::a_sender_without_a_destination_finds_the_room_that_others_had_taken::<Smol>());
        });
    }

    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn packets_keep_boundaries() {
        in_time(|| block_on(super::packets_keep_boundaries::<Smol>()));
    }
}
