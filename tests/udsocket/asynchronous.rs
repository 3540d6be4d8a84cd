//! Each kind of socket on each runtime.

#![cfg(any(feature = "smol", feature = "tokio"))]

use crate::support::{TempDir, in_time};
use futures_lite::future::zip;
use interprocess::{
    os::unix::udsocket::{
        AncillaryData, AncillaryDataBuf, Listener, RecvBatch, Socket, UdSocketPath,
        kind::{Datagram, Kind, Stream},
    },
    runtime::{Async, Interest, Runtime},
};
use std::{
    fmt::Debug,
    fs::File,
    future::Future,
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    os::fd::AsFd,
    time::Duration,
};

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

async fn halves_go_to_two_tasks_and_together_again<R: Runtime>() {
    let (mut one, other) = AsyncSocket::<Stream, R>::pair().expect("pair");
    let mut buf = [0; 8];
    {
        let (recver, sender) = one.split();
        let (received, sent) = zip(can_be_spawned(recver.recv(&mut buf)), other.send(b"to one")).await;
        assert_eq!((received.expect("receive"), sent.expect("send")), (6, 6));
        assert_eq!(can_be_spawned(sender.send(b"to other")).await.expect("send"), 8);
    }
    assert_eq!(other.recv(&mut buf).await.expect("receive"), 8);

    let (recver, sender) = one.into_split();
    let (other_recver, other_sender) = other.into_split();
    let error = Async::reunite(recver, other_sender).expect_err("of another stream");
    let one = error.rh.reunite_with(sender).expect("of one stream");
    let other = error.sh.reunite_with(other_recver).expect("of one stream");

    // Putting them together has ended nothing.
    assert_eq!(one.send(b"x").await.expect("send"), 1);
    assert_eq!(other.recv(&mut buf).await.expect("receive"), 1);
    let (recver, sender) = one.into_split();
    drop(sender);
    assert_eq!(other.recv(&mut buf).await.expect("the end"), 0);
    assert_eq!(other.send(b"y").await.expect("send"), 1);
    assert_eq!(recver.recv(&mut buf).await.expect("receive"), 1);
    recver.shut_down().expect("shut down");
    assert_eq!(recver.recv(&mut buf).await.expect("the end"), 0);
}

/// The kernel stops behind bytes that something came along with: that the buffer is not full does not mean that nothing is left.
async fn bytes_behind_descriptors_that_nobody_takes_are_received<R: Runtime>() {
    let (one, other) = AsyncSocket::<Stream, R>::pair().expect("pair");
    let null = File::open("/dev/null").expect("null");
    for _ in 0..3 {
        other.send_with_fds(b"along", &[null.as_fd()]).await.expect("send");
        other.send(b"behind").await.expect("send");
        let mut buf = [0; 64];
        assert_eq!(one.recv(&mut buf).await.expect("receive"), 5);
        assert_eq!(one.recv(&mut buf).await.expect("receive"), 6);
    }
}

/// The one descriptor that came.
fn is_one(ancillary: &mut AncillaryDataBuf) -> bool {
    ancillary.take_fds().len() == 1
}

async fn several_buffers_and_descriptors_go_every_way<R: Runtime>() {
    let (buf, other_buf) = (&mut [0; 1], &mut [0; 4]);
    let mut room = [IoSliceMut::new(buf), IoSliceMut::new(other_buf)];
    let parts = [IoSlice::new(b"pi"), IoSlice::new(b"ng")];
    let null = File::open("/dev/null").expect("null");
    let fds = [null.as_fd()];
    let rights = || [AncillaryData::file_descriptors(&fds)];
    let mut ancillary = AncillaryDataBuf::new();

    let (one, other) = AsyncSocket::<Stream, R>::pair().expect("pair");
    let sending = can_be_spawned(one.send_ancillary_vectored(&parts, rights()));
    assert_eq!(sending.await.expect("send").0, 4);
    let receiving = can_be_spawned(other.recv_ancillary_vectored(&mut room, &mut ancillary));
    assert_eq!(receiving.await.expect("receive").0, 4);
    assert!(is_one(&mut ancillary));

    let dir = TempDir::new();
    let at = dir.join("server");
    let server = AsyncSocket::<Datagram, R>::bind(&at).expect("bind");
    let client = AsyncSocket::<Datagram, R>::connect(&at).expect("connect");
    let mut from = UdSocketPath::buffer();
    can_be_spawned(client.send_ancillary_vectored(&parts, rights())).await.expect("send");
    let receiving = can_be_spawned(server.recv_ancillary_vectored(&mut room, &mut ancillary));
    let (len, is_truncated, ..) = receiving.await.expect("receive");
    assert!((len, is_truncated) == (4, false) && is_one(&mut ancillary));

    let client = AsyncSocket::<Datagram, R>::bind(dir.join("client")).expect("bind");
    assert_eq!(can_be_spawned(client.send_to_vectored(&parts, &at)).await.expect("send"), 4);
    let receiving = can_be_spawned(server.recv_from_vectored(&mut room, &mut from));
    assert_eq!(receiving.await.expect("receive"), (4, false));
    for parts in [None, Some(&parts)] {
        let sent = match parts {
            None => can_be_spawned(client.send_to_ancillary(b"ping", rights(), &at)).await,
            Some(parts) => can_be_spawned(client.send_to_ancillary_vectored(parts, rights(), &at)).await,
        };
        assert_eq!(sent.expect("send").0, 4);
        let receiving =
            can_be_spawned(server.recv_from_ancillary_vectored(&mut room, &mut ancillary, &mut from));
        let (len, is_truncated, ..) = receiving.await.expect("receive");
        assert!((len, is_truncated) == (4, false) && is_one(&mut ancillary));
        assert_eq!(from.as_path(), Some(&*dir.join("client")));
    }
}

/// Only Linux waits for room.
#[cfg(any(target_os = "linux", target_os = "android"))]
async fn a_sender_without_a_destination_finds_the_room_that_others_had_taken<R: Runtime>() {
    use interprocess::os::unix::udsocket::UdSocket;
    use std::{
        future::{Future, poll_fn},
        io::ErrorKind,
        pin::pin,
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

async fn batches_wait_for_the_first_message_and_for_room<R: Runtime>() {
    let (one, other) = AsyncSocket::<Datagram, R>::pair().expect("pair");
    let mut batch = RecvBatch::new(8, 8);
    let receiving = can_be_spawned(other.recv_batch(&mut batch));
    let (received, sent) = zip(receiving, can_be_spawned(one.send_batch(&["x", "yz"]))).await;
    assert_eq!(sent.expect("send"), 2);
    assert!((1..=2).contains(&received.expect("receive")));
    assert_eq!(batch.get(0).expect("one").bytes(), b"x");

    let dir = TempDir::new();
    let server = AsyncSocket::<Datagram, R>::bind(dir.join("server")).expect("bind");
    let client = AsyncSocket::<Datagram, R>::bind(dir.join("client")).expect("bind");
    let sending = can_be_spawned(client.send_batch_to(&["a", "b"], dir.join("server")));
    assert_eq!(sending.await.expect("send"), 2);
    assert_eq!(server.recv_batch(&mut batch).await.expect("receive"), 2);
    assert_eq!(batch.get(1).expect("two").sender().as_path(), Some(&*dir.join("client")));

    // All that there is, although not all of it fits at once.
    client.set_destination(dir.join("server")).expect("destination");
    let messages: Vec<_> = (0..5000_u16).map(u16::to_ne_bytes).collect();
    let sending = async {
        let mut rest = &messages[..];
        while !rest.is_empty() {
            rest = &rest[client.send_batch(rest).await.expect("send")..];
        }
    };
    let receiving = async {
        let mut number = 0_u16;
        while usize::from(number) < messages.len() {
            server.recv_batch(&mut batch).await.expect("receive");
            for message in &batch {
                assert_eq!(message.bytes(), number.to_ne_bytes());
                number += 1;
            }
        }
    };
    zip(sending, receiving).await;
    let mut nothing = RecvBatch::new(0, 8);
    assert_eq!(server.recv_batch(&mut nothing).await.expect("none"), 0);
}

fn can_be_spawned<F: Future + Send>(future: F) -> F {
    future
}

/// Sends until nothing fits any more.
fn fill<K: Kind, R: Runtime>(socket: &AsyncSocket<K, R>) {
    for len in [1000, 1] {
        let send = |_| socket.get_ref().send_with_fds(&[0; 1000][..len], &[]).err();
        let error = (0..1_000_000).find_map(send).expect("it is full at some time");
        // BSDs have no room for a datagram in this way.
        assert!(matches!(error.kind(), ErrorKind::WouldBlock) || cfg!(not(target_os = "linux")), "{error}");
    }
}

fn assert_invalid<T: Debug>(result: io::Result<T>) {
    assert_eq!(result.expect_err("refused").kind(), ErrorKind::InvalidInput);
}

async fn what_is_refused_is_refused_without_waiting_for_room<R: Runtime>() {
    let null = File::open("/dev/null").expect("null");
    let too_many = vec![null.as_fd(); 254];
    let rights = || [AncillaryData::FileDescriptors(too_many[..1].into())];
    let all_rights = || [AncillaryData::FileDescriptors(too_many[..].into())];

    let (stream, _peer) = AsyncSocket::<Stream, R>::pair().expect("pair");
    fill(&stream);
    assert_invalid(stream.send_with_fds(b"", &too_many[..1]).await);
    assert_invalid(stream.send_ancillary(b"", rights()).await);
    assert_invalid(stream.send_with_fds(b"x", &too_many).await);
    assert_invalid(stream.send_ancillary(b"x", all_rights()).await);
    assert_eq!(stream.send(b"").await.expect("nothing to send"), 0);
    assert_eq!(stream.send_vectored(&[]).await.expect("nothing to send"), 0);

    let (socket, _peer) = AsyncSocket::<Datagram, R>::pair().expect("pair");
    fill(&socket);
    assert_invalid(socket.send_with_fds(b"x", &too_many).await);
    assert_invalid(socket.send_to(b"x", "x".repeat(200)).await);
    assert_invalid(socket.send_to(b"x", "").await);
    assert_invalid(socket.send_to(b"x", "\0").await);
    assert_invalid(socket.send_to_ancillary(b"x", all_rights(), "x").await);
    assert_invalid(socket.send_batch_to(&["x"], "x".repeat(200)).await);
    let nothing: [&str; 0] = [];
    assert_eq!(socket.send_batch(&nothing).await.expect("nothing to send"), 0);
    let too_many = vec![IoSlice::new(b"x"); 1025];
    let mut too_much_room: Vec<_> = (0..1025).map(|_| IoSliceMut::new(&mut [])).collect();
    for error in [
        socket.send_vectored(&too_many).await.expect_err("too many"),
        socket.send_to_vectored(&too_many, "x").await.expect_err("too many"),
        socket.recv_vectored(&mut too_much_room).await.expect_err("too many"),
    ] {
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    }
}

#[cfg(not(target_vendor = "apple"))]
async fn empty_packets_are_refused_without_waiting_for_room<R: Runtime>() {
    use interprocess::os::unix::udsocket::kind::Seqpacket;

    let (socket, _peer) = AsyncSocket::<Seqpacket, R>::pair().expect("pair");
    fill(&socket);
    let null = File::open("/dev/null").expect("null");
    assert_invalid(socket.send(b"").await);
    assert_invalid(socket.send_vectored(&[]).await);
    assert_invalid(socket.send_with_fds(b"", &[]).await);
    assert_invalid(socket.send_with_fds(b"", &[null.as_fd()]).await);
    assert_invalid(socket.send_ancillary(b"", []).await);
    assert_invalid(socket.send_batch(&["x", ""]).await);
}

async fn attempts_do_not_wait_and_whatever_the_socket_can_do_is_async<R: Runtime>() {
    let (one, other) = AsyncSocket::<Datagram, R>::pair().expect("pair");
    let mut buf = [0; 8];
    for _ in 0..3 {
        assert_eq!(other.try_recv(&mut buf).expect_err("nothing").kind(), ErrorKind::WouldBlock);
        let mut attempts = 0;
        let receiving = async {
            loop {
                other.ready(Interest::Read).await.expect("ready");
                attempts += 1;
                match other.try_recv(&mut buf) {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    result => break result.expect("receive"),
                }
            }
        };
        let sending = async {
            R::sleep(Duration::from_millis(50)).await;
            one.try_send(b"note").expect("there is room")
        };
        assert_eq!(zip(receiving, sending).await, ((4, false), 4));
        assert!(attempts < 10, "it was busy: {attempts}");
    }

    let (one, other) = AsyncSocket::<Stream, R>::pair().expect("pair");
    let mut fds = Vec::new();
    let attempt = other.try_io(Interest::Read, |socket| socket.recv_with_fds(&mut buf, &mut fds));
    assert_eq!(attempt.expect_err("nothing").kind(), ErrorKind::WouldBlock);
    let receiving = other.async_io(Interest::Read, |socket| socket.recv_with_fds(&mut buf, &mut fds));
    let sending = async {
        R::sleep(Duration::from_millis(50)).await;
        let null = File::open("/dev/null").expect("null");
        one.async_io(Interest::Write, |socket| socket.send_with_fds(b"fd", &[null.as_fd()])).await
    };
    let (received, sent) = zip(receiving, sending).await;
    assert_eq!((received.expect("receive"), sent.expect("send"), fds.len()), (2, 2, 1));
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
    fn halves_go_to_two_tasks_and_together_again() {
        in_time(|| block_on(super::halves_go_to_two_tasks_and_together_again::<Tokio>()));
    }

    #[test]
    fn halves_have_the_traits_of_the_runtime() {
        use interprocess::os::unix::udsocket::tokio::UdStream;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        in_time(|| {
            block_on(async {
                let (mut one, other) = UdStream::pair().expect("pair");
                let (mut recver, mut sender) = other.into_split();
                let (_, mut borrowed) = one.split();
                borrowed.write_all(b"ping").await.expect("write");
                AsyncWriteExt::shutdown(&mut borrowed).await.expect("shut down");
                let mut text = String::new();
                recver.read_to_string(&mut text).await.expect("read");
                sender.write_all(b"pong").await.expect("write");
                drop((recver, sender));
                let (mut borrowed, _) = one.split();
                let mut answer = String::new();
                borrowed.read_to_string(&mut answer).await.expect("read");
                assert_eq!((&*text, &*answer), ("ping", "pong"));
            });
        });
    }

    #[test]
    fn datagrams_are_answered() {
        in_time(|| block_on(super::datagrams_are_answered::<Tokio>()));
    }

    #[test]
    fn bytes_behind_descriptors_that_nobody_takes_are_received() {
        in_time(|| block_on(super::bytes_behind_descriptors_that_nobody_takes_are_received::<Tokio>()));
    }

    #[test]
    fn several_buffers_and_descriptors_go_every_way() {
        in_time(|| block_on(super::several_buffers_and_descriptors_go_every_way::<Tokio>()));
    }

    #[test]
    fn attempts_do_not_wait_and_whatever_the_socket_can_do_is_async() {
        in_time(|| {
            block_on(super::attempts_do_not_wait_and_whatever_the_socket_can_do_is_async::<Tokio>());
        });
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

    #[test]
    fn batches_wait_for_the_first_message_and_for_room() {
        in_time(|| block_on(super::batches_wait_for_the_first_message_and_for_room::<Tokio>()));
    }

    #[test]
    fn what_is_refused_is_refused_without_waiting_for_room() {
        in_time(|| block_on(super::what_is_refused_is_refused_without_waiting_for_room::<Tokio>()));
    }

    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn empty_packets_are_refused_without_waiting_for_room() {
        in_time(|| block_on(super::empty_packets_are_refused_without_waiting_for_room::<Tokio>()));
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
    fn halves_go_to_two_tasks_and_together_again() {
        in_time(|| block_on(super::halves_go_to_two_tasks_and_together_again::<Smol>()));
    }

    #[test]
    fn halves_have_the_traits_of_the_runtime() {
        use futures_lite::{AsyncReadExt, AsyncWriteExt};
        use interprocess::os::unix::udsocket::smol::UdStream;

        in_time(|| {
            block_on(async {
                let (mut one, other) = UdStream::pair().expect("pair");
                let (mut recver, mut sender) = other.into_split();
                let (_, mut borrowed) = one.split();
                borrowed.write_all(b"ping").await.expect("write");
                borrowed.close().await.expect("shut down");
                let mut text = String::new();
                recver.read_to_string(&mut text).await.expect("read");
                sender.write_all(b"pong").await.expect("write");
                drop((recver, sender));
                let (mut borrowed, _) = one.split();
                let mut answer = String::new();
                borrowed.read_to_string(&mut answer).await.expect("read");
                assert_eq!((&*text, &*answer), ("ping", "pong"));
            });
        });
    }

    #[test]
    fn datagrams_are_answered() {
        in_time(|| block_on(super::datagrams_are_answered::<Smol>()));
    }

    #[test]
    fn bytes_behind_descriptors_that_nobody_takes_are_received() {
        in_time(|| block_on(super::bytes_behind_descriptors_that_nobody_takes_are_received::<Smol>()));
    }

    #[test]
    fn several_buffers_and_descriptors_go_every_way() {
        in_time(|| block_on(super::several_buffers_and_descriptors_go_every_way::<Smol>()));
    }

    #[test]
    fn attempts_do_not_wait_and_whatever_the_socket_can_do_is_async() {
        in_time(|| {
            block_on(super::attempts_do_not_wait_and_whatever_the_socket_can_do_is_async::<Smol>());
        });
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

    #[test]
    fn batches_wait_for_the_first_message_and_for_room() {
        in_time(|| block_on(super::batches_wait_for_the_first_message_and_for_room::<Smol>()));
    }

    #[test]
    fn what_is_refused_is_refused_without_waiting_for_room() {
        in_time(|| block_on(super::what_is_refused_is_refused_without_waiting_for_room::<Smol>()));
    }

    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn empty_packets_are_refused_without_waiting_for_room() {
        in_time(|| block_on(super::empty_packets_are_refused_without_waiting_for_room::<Smol>()));
    }
}
