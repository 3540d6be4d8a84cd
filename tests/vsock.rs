//! Sockets between a virtual machine and its host.
//!
//! What needs a peer runs where the kernel connects a machine with itself (`vsock_loopback`), and else says that it is left out.

#![cfg(any(target_os = "linux", target_os = "android"))]

mod pattern;
mod support;

use interprocess::{
    TryClone,
    local_socket::ListenerNonblockingMode,
    os::unix::vsock::{VsockAddr, VsockListener, VsockStream, local_cid},
};
use pattern::{Numbers, Pattern};
use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    net::Shutdown,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};
use support::{ANOTHER_USER, Child, LIMIT, become_another_user, in_time, say};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(60);
/// How much a large transfer is.
const MUCH: usize = 3 << 20;

const ANY: VsockAddr = VsockAddr::new(VsockAddr::CID_ANY, VsockAddr::PORT_ANY);

#[test]
fn child_entry() {
    support::child_entry(&[("bind_without_privileges", bind_without_privileges)]);
}

fn kind<T>(result: io::Result<T>) -> ErrorKind {
    result.map(drop).expect_err("it has to fail").kind()
}

/// A listener that everything reaches; `None`, which it says, if the kernel has no such sockets.
fn listener() -> Option<VsockListener> {
    match VsockListener::bind(ANY) {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            eprintln!("left out: {error}");
            None
        }
        result => Some(result.expect("a port that is free")),
    }
}

/// Where this machine finds it.
fn here(listener: &VsockListener) -> VsockAddr {
    VsockAddr::new(VsockAddr::CID_LOCAL, listener.local_addr().expect("it has one").port)
}

/// An address where nobody listens.
fn nobody() -> Option<VsockAddr> {
    listener().map(|listener| here(&listener))
}

/// Whether this machine connects to itself.
fn has_loopback() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let Some(listener) = listener() else { return false };
        let result = VsockStream::connect_timeout(here(&listener), Duration::from_secs(1));
        if let Err(error) = &result {
            eprintln!("left out: this kernel does not connect the machine with itself: {error}");
        }
        result.is_ok()
    })
}

/// Two ends of a connection: the server's, and the client's.
fn pair() -> (VsockStream, VsockStream) {
    let listener = listener().expect("there are such sockets");
    let client = VsockStream::connect(here(&listener)).expect("it listens");
    (listener.accept().expect("a client is there"), client)
}

fn recv_exact(mut stream: &VsockStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).expect("as many bytes");
    bytes
}

/// Two streams that are in fact sockets of the Unix domain: what reads and writes is the same.
fn disguised_pair() -> (VsockStream, VsockStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    (OwnedFd::from(ours).into(), OwnedFd::from(theirs).into())
}

/// Runs the test with ends of every sort that there are.
fn with_pairs(test: impl Fn(VsockStream, VsockStream) + Send + 'static) {
    in_time(move || {
        let (server, client) = disguised_pair();
        test(server, client);
        if has_loopback() {
            let (server, client) = pair();
            test(server, client);
        }
    });
}

// Addresses.

#[test]
fn an_address_goes_to_text_and_back() {
    for (addr, text) in [
        (VsockAddr::new(VsockAddr::CID_HOST, 5000), "vsock:2:5000"),
        (VsockAddr::new(VsockAddr::CID_LOCAL, 0), "vsock:1:0"),
        (VsockAddr::new(VsockAddr::CID_HYPERVISOR, 1), "vsock:0:1"),
        (VsockAddr::new(4_294_967_294, 4_294_967_295), "vsock:4294967294:4294967295"),
        (VsockAddr::new(VsockAddr::CID_ANY, 5000), "vsock::5000"),
    ] {
        assert_eq!(addr.to_string(), text);
        assert_eq!(text.parse(), Ok(addr));
    }
    assert_eq!("vsock:4294967295:1".parse(), Ok(VsockAddr::new(VsockAddr::CID_ANY, 1)));
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "vsock",
        "vsock:",
        "vsock:2",
        "vsock:2:",
        "vsock::",
        "2:5000",
        "vsock:2:5000:1",
        "vsock:+2:5000",
        "vsock:2:-1",
        "vsock: 2:5000",
        "vsock:2:5000 ",
        "vsock:4294967296:1",
        "vsock:1:4294967296",
        "VSOCK:1:1",
        "vsock:x:1",
    ] {
        let error = text.parse::<VsockAddr>().expect_err(text);
        assert!(error.to_string().contains("vsock:CID:PORT"), "{error}");
    }
}

#[test]
fn the_cid_of_this_machine_is_told_or_the_error_says_where_from() {
    match local_cid() {
        // The host, a guest, or neither.
        Ok(cid) => assert_ne!(cid, VsockAddr::CID_HYPERVISOR),
        Err(error) => assert!(error.to_string().contains("/dev/vsock"), "{error}"),
    }
}

// Listening.

#[test]
fn the_system_chooses_a_port_that_is_free() {
    let (Some(first), Some(second)) = (listener(), listener()) else { return };
    let (first, second) = (first.local_addr().unwrap(), second.local_addr().unwrap());
    assert_eq!((first.cid, second.cid), (VsockAddr::CID_ANY, VsockAddr::CID_ANY));
    assert_ne!(first.port, second.port);
    assert_ne!(first.port, VsockAddr::PORT_ANY);
}

#[test]
fn a_port_is_taken_until_its_listener_is_dropped() {
    let Some(listener) = listener() else { return };
    let addr = listener.local_addr().unwrap();
    let error = VsockListener::bind(addr).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&addr.to_string()), "{error}");
    listener.stop();
    assert_eq!(kind(VsockListener::bind(addr)), ErrorKind::AddrInUse);
    let _no_child = support::no_child_is_started();
    drop(listener);
    VsockListener::bind(addr).unwrap();
}

#[test]
fn nobody_listens_in_the_name_of_another_machine() {
    if listener().is_none() {
        return;
    }
    // Nobody has that one, which is reserved.
    let addr = VsockAddr::new(0xffff_fff0, VsockAddr::PORT_ANY);
    let error = VsockListener::bind(addr).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    assert!(error.to_string().contains("vsock:4294967280:"), "{error}");
}

#[test]
fn a_low_port_is_for_those_with_privileges() {
    if listener().is_none() {
        return;
    }
    in_time(|| {
        let child = Child::start("bind_without_privileges", &[]);
        let said = child.hear();
        if said == "not root" {
            return eprintln!("left out: only root can become another user");
        }
        assert_eq!(said, ErrorKind::PermissionDenied.to_string());
        child.finish();
    });
}

fn bind_without_privileges(_: &[String]) {
    if !become_another_user(ANOTHER_USER, &[]) {
        return say("not root");
    }
    // Under qemu, the kernel sees the bytes of a big-endian number in the other order.
    let port = if cfg!(target_endian = "little") { 1023 } else { 0 };
    say(kind(VsockListener::bind(VsockAddr::new(VsockAddr::CID_ANY, port))));
}

#[test]
fn accepting_waits_to_a_deadline_or_not_at_all() {
    in_time(|| {
        let Some(listener) = listener() else { return };
        let start = Instant::now();
        let error = listener.accept_timeout(SHORT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains(&listener.local_addr().unwrap().to_string()), "{error}");
        assert!(start.elapsed() >= SHORT);
        assert_eq!(kind(listener.accept_timeout(Duration::ZERO)), ErrorKind::TimedOut);
        listener.set_nonblocking(ListenerNonblockingMode::Accept).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        listener.set_nonblocking(ListenerNonblockingMode::Neither).unwrap();
        assert_eq!(kind(listener.accept_timeout(SHORT)), ErrorKind::TimedOut);
    });
}

#[test]
fn stopping_wakes_all_who_accept_and_stays() {
    in_time(|| {
        let Some(listener) = listener() else { return };
        thread::scope(|scope| {
            let accepting = [0; 2].map(|_| scope.spawn(|| kind(listener.accept())));
            let with_deadline = scope.spawn(|| kind(listener.accept_timeout(LIMIT * 2)));
            let iterating = scope.spawn(|| listener.incoming().count());
            thread::sleep(SHORT);
            listener.stop();
            for thread in accepting {
                assert_eq!(thread.join().unwrap(), ErrorKind::BrokenPipe);
            }
            assert_eq!(with_deadline.join().unwrap(), ErrorKind::BrokenPipe);
            assert_eq!(iterating.join().unwrap(), 0);
        });
        assert_eq!(kind(listener.accept()), ErrorKind::BrokenPipe);
        assert_eq!((&listener).into_iter().count(), 0);
    });
}

#[test]
fn a_listener_goes_to_its_descriptor_and_back() {
    in_time(|| {
        let Some(listener) = listener() else { return };
        let addr = listener.local_addr().unwrap();
        assert_eq!(kind(listener.accept_timeout(Duration::ZERO)), ErrorKind::TimedOut);
        let listener = VsockListener::from(OwnedFd::from(listener));
        assert_eq!(listener.local_addr().unwrap(), addr);
        assert_eq!(kind(listener.accept_timeout(Duration::ZERO)), ErrorKind::TimedOut);
        if has_loopback() {
            let client = VsockStream::connect(here(&listener)).unwrap();
            client.send(b"x").unwrap();
            assert_eq!(recv_exact(&listener.accept().unwrap(), 1), b"x");
        }
    });
}

fn is_closed_on_exec(fd: impl AsFd) -> bool {
    // SAFETY: the descriptor is open for as long as it is borrowed.
    let flags = unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFD) };
    flags & libc::FD_CLOEXEC != 0
}

#[test]
fn no_child_inherits_a_socket() {
    in_time(|| {
        let Some(listener) = listener() else { return };
        assert!(is_closed_on_exec(&listener));
        if has_loopback() {
            let (server, client) = pair();
            assert!(is_closed_on_exec(&server) && is_closed_on_exec(&client));
            assert!(is_closed_on_exec(client.try_clone().unwrap()));
        }
    });
}

// Connecting.

/// What says that there is no connection, depending on what the kernel connects at all.
fn is_failure_to_connect(kind: ErrorKind) -> bool {
    [
        ErrorKind::ConnectionRefused,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        ErrorKind::TimedOut,
    ]
    .contains(&kind)
}

#[test]
fn where_nobody_listens_there_is_no_connection_and_the_error_says_where() {
    in_time(|| {
        let Some(nobody) = nobody() else { return };
        let host = VsockAddr::new(VsockAddr::CID_HOST, nobody.port);
        // A guest that nobody has.
        let nowhere = VsockAddr::new(0xffff_fff0, nobody.port);
        for addr in [nobody, host, nowhere] {
            let error = VsockStream::connect_timeout(addr, Duration::from_millis(100)).unwrap_err();
            assert!(is_failure_to_connect(error.kind()), "{error:?}");
            assert!(error.to_string().contains(&addr.to_string()), "{error}");
        }
        if has_loopback() {
            assert_eq!(kind(VsockStream::connect(nobody)), ErrorKind::ConnectionRefused);
        }
    });
}

#[test]
fn connecting_ends_at_its_deadline() {
    in_time(|| {
        let Some(nobody) = nobody() else { return };
        for timeout in [Duration::ZERO, Duration::from_millis(100)] {
            let start = Instant::now();
            // With a kernel that would wait two seconds for an answer.
            let error = VsockStream::connect_timeout(nobody, timeout).unwrap_err();
            assert!(
                start.elapsed() < timeout + Duration::from_millis(1500),
                "{:?}: {error}",
                start.elapsed()
            );
        }
    });
}

#[test]
fn connecting_without_a_deadline_ends_too() {
    in_time(|| {
        let Some(nobody) = nobody() else { return };
        assert!(is_failure_to_connect(kind(VsockStream::connect(nobody))));
    });
}

#[test]
fn both_ends_know_the_address_of_the_other() {
    in_time(|| {
        if !has_loopback() {
            return;
        }
        let listener = listener().unwrap();
        let client = VsockStream::connect_timeout(here(&listener), LIMIT).unwrap();
        let server = listener.accept_timeout(LIMIT).unwrap();
        assert_eq!(client.peer_addr().unwrap(), here(&listener));
        assert_eq!(server.local_addr().unwrap(), here(&listener));
        assert_eq!(server.peer_addr().unwrap().cid, VsockAddr::CID_LOCAL);
        assert_eq!(server.peer_addr().unwrap().port, client.local_addr().unwrap().port);
        // Still after it has left, but not once the end itself was shut down.
        let port = client.local_addr().unwrap().port;
        drop(client);
        assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
        assert_eq!(server.peer_addr().unwrap().port, port);
        server.shutdown(Shutdown::Both).unwrap();
        assert_eq!(kind(server.peer_addr()), ErrorKind::NotConnected);
    });
}

#[test]
fn a_connection_blocks_unless_the_listener_says_otherwise() {
    in_time(|| {
        if !has_loopback() {
            return;
        }
        let listener = listener().unwrap();
        for mode in [ListenerNonblockingMode::Neither, ListenerNonblockingMode::Stream] {
            listener.set_nonblocking(mode).unwrap();
            let client = VsockStream::connect(here(&listener)).unwrap();
            let server = listener.accept().unwrap();
            assert!(!client.is_nonblocking().unwrap());
            assert_eq!(server.is_nonblocking().unwrap(), mode.stream_nonblocking());
        }
    });
}

#[test]
fn every_client_of_many_gets_its_own_connection() {
    const CLIENTS: u8 = 60;
    in_time(|| {
        if !has_loopback() {
            return;
        }
        let listener = listener().unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for stream in listener.incoming() {
                        let stream = stream.unwrap();
                        let bytes = recv_exact(&stream, 1);
                        (&stream).write_all(&bytes).unwrap();
                    }
                });
            }
            let clients: Vec<_> = (0..CLIENTS)
                .map(|number| {
                    let addr = here(&listener);
                    scope.spawn(move || {
                        let client = VsockStream::connect(addr).unwrap();
                        client.send(&[number]).unwrap();
                        assert_eq!(recv_exact(&client, 1), [number]);
                    })
                })
                .collect();
            for client in clients {
                client.join().unwrap();
            }
            listener.stop();
        });
    });
}

// Data.

#[test]
fn bytes_arrive_in_order_both_ways_at_once() {
    with_pairs(|server, client| {
        let (server, client) = (Arc::new(server), Arc::new(client));
        let threads: Vec<_> = [(&server, 1), (&client, 2)]
            .into_iter()
            .flat_map(|(stream, number)| {
                let (sender, reader) = (Arc::clone(stream), Arc::clone(stream));
                [
                    thread::spawn(move || {
                        let (pattern, mut numbers, mut at) = (Pattern::new(number), Numbers(number), 0);
                        while at < MUCH {
                            let len = numbers.up_to((MUCH - at).min(Pattern::LONGEST));
                            (&*sender).write_all(pattern.at(at, len)).unwrap();
                            at += len;
                        }
                    }),
                    thread::spawn(move || {
                        let received = recv_exact(&reader, MUCH);
                        Pattern::new(3 - number).check(0, &received);
                    }),
                ]
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn several_buffers_go_in_order() {
    with_pairs(|mut server, mut client| {
        let parts = [IoSlice::new(b"in "), IoSlice::new(b""), IoSlice::new(b"parts")];
        assert_eq!(client.write_vectored(&parts).unwrap(), 8);
        client.flush().unwrap();
        let (mut first, mut second) = ([0; 2], [0; 6]);
        let mut received = 0;
        while received < 2 {
            let mut bufs = [IoSliceMut::new(&mut first[received..]), IoSliceMut::new(&mut second)];
            received += server.read_vectored(&mut bufs).unwrap();
        }
        let rest = recv_exact(&server, 8 - received);
        second[received - 2..].copy_from_slice(&rest);
        assert_eq!((&first, &second), (b"in", b" parts"));
        // Without room there is nothing to wait for.
        assert_eq!(server.recv(&mut []).unwrap(), 0);
        assert_eq!(server.recv_vectored(&mut []).unwrap(), 0);
        assert_eq!((client.send(&[]).unwrap(), client.send_vectored(&[]).unwrap()), (0, 0));
    });
}

#[test]
fn what_is_looked_at_stays() {
    with_pairs(|server, client| {
        client.send(b"bytes").unwrap();
        let mut buf = [0; 9];
        assert_eq!(server.peek(&mut buf).unwrap(), 5);
        assert_eq!(&buf[..5], b"bytes");
        assert_eq!(recv_exact(&server, 5), b"bytes");
    });
}

#[test]
fn a_direction_ends_alone() {
    with_pairs(|mut server, mut client| {
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "question");
        // It stays at its end.
        assert_eq!((server.recv(&mut [0; 9]).unwrap(), server.peek(&mut [0; 9]).unwrap()), (0, 0));
        assert_eq!(kind(client.send(b"x")), ErrorKind::BrokenPipe);
        server.write_all(b"answer").unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "answer");
        assert!(client.take_error().unwrap().is_none());
    });
}

#[test]
fn writing_to_a_peer_that_is_gone_is_an_error_and_no_signal() {
    with_pairs(|server, client| {
        drop(server);
        assert_eq!(client.recv(&mut [0; 1]).unwrap(), 0);
        assert_eq!(kind(client.send(b"x")), ErrorKind::BrokenPipe);
        assert_eq!(kind(client.send(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn receiving_and_sending_have_timeouts() {
    with_pairs(|server, client| {
        assert_eq!((server.recv_timeout().unwrap(), server.send_timeout().unwrap()), (None, None));
        server.set_recv_timeout(Some(SHORT)).unwrap();
        server.set_send_timeout(Some(SHORT)).unwrap();
        assert!(server.recv_timeout().unwrap().is_some_and(|timeout| timeout >= SHORT));
        assert!(server.send_timeout().unwrap().is_some_and(|timeout| timeout >= SHORT));
        assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::TimedOut);
        let data = vec![0; 1 << 16];
        let error = (0..10_000).find_map(|_| server.send(&data).err()).expect("it takes everything");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(kind(server.set_recv_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
        assert_eq!(kind(server.set_send_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
        server.set_recv_timeout(None).unwrap();
        client.send(b"x").unwrap();
        assert_eq!(recv_exact(&server, 1), b"x");
    });
}

#[test]
fn a_nonblocking_stream_does_not_wait() {
    with_pairs(|server, client| {
        server.set_nonblocking(true).unwrap();
        assert!(server.is_nonblocking().unwrap());
        assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::WouldBlock);
        assert_eq!(kind(server.peek(&mut [0; 9])), ErrorKind::WouldBlock);
        let data = vec![0; 1 << 16];
        let error = (0..10_000).find_map(|_| server.send(&data).err()).expect("it takes everything");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        server.set_nonblocking(false).unwrap();
        client.send(b"x").unwrap();
        assert_eq!(recv_exact(&server, 1), b"x");
    });
}

#[test]
fn a_connection_is_closed_with_its_last_user() {
    with_pairs(|server, client| {
        let clone = TryClone::try_clone(&client).unwrap();
        drop(client);
        clone.send(b"still there").unwrap();
        assert_eq!(recv_exact(&server, 11), b"still there");
        drop(VsockStream::from(OwnedFd::from(clone)));
        assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    });
}

#[test]
fn another_sort_of_socket_has_no_such_address() {
    let (server, _client) = disguised_pair();
    assert_eq!(kind(server.local_addr()), ErrorKind::InvalidData);
    assert_eq!(kind(server.peer_addr()), ErrorKind::InvalidData);
}

#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use interprocess::runtime::{Async, Runtime};
    use std::{
        future::{Future, poll_fn},
        pin::pin,
        task::Poll,
    };

    type AsyncListener<E> = Async<VsockListener, <E as Executor>::R>;
    type AsyncStream<E> = Async<VsockStream, <E as Executor>::R>;

    trait Executor: 'static {
        type R: Runtime;

        /// Runs it on a new runtime, which is gone when this returns.
        fn block_on<T>(future: impl Future<Output = T>) -> T;
    }

    #[cfg(feature = "tokio")]
    struct OnTokio;
    #[cfg(feature = "tokio")]
    impl Executor for OnTokio {
        type R = interprocess::runtime::Tokio;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
        }
    }

    #[cfg(feature = "smol")]
    struct OnSmol;
    #[cfg(feature = "smol")]
    impl Executor for OnSmol {
        type R = interprocess::runtime::Smol;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            async_io::block_on(future)
        }
    }

    /// Runs a test on each runtime.
    macro_rules! on_each {
        ($($name:ident)+) => {$(
            #[test]
            fn $name() {
                #[cfg(feature = "tokio")]
                in_time(|| OnTokio::block_on(bodies::$name::<OnTokio>()));
                #[cfg(feature = "smol")]
                in_time(|| OnSmol::block_on(bodies::$name::<OnSmol>()));
            }
        )+};
    }
    on_each! {
        tasks_connect_accept_and_exchange_much
        where_nobody_listens_a_task_gets_an_error_that_says_where
        a_task_that_connects_can_be_given_up
        stopping_wakes_a_task_that_accepts
        conversions_go_both_ways
    }

    async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
        futures_lite::future::zip(a, b).await
    }

    /// What comes of it, if that takes no longer.
    async fn limited<E: Executor, T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut sleep) = (pin!(future), pin!(E::R::sleep(limit)));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    async fn send_all<E: Executor>(stream: &AsyncStream<E>, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let len = stream.send(bytes).await.unwrap();
            bytes = &bytes[len..];
        }
    }

    async fn recv_exact<E: Executor>(stream: &AsyncStream<E>, len: usize) -> Vec<u8> {
        let (mut bytes, mut at) = (vec![0; len], 0);
        while at < len {
            match stream.recv(&mut bytes[at..]).await.unwrap() {
                0 => panic!("only {at} of {len} bytes"),
                received => at += received,
            }
        }
        bytes
    }

    mod bodies {
        use super::*;

        pub(super) async fn tasks_connect_accept_and_exchange_much<E: Executor>() {
            if !has_loopback() {
                return;
            }
            let listener = AsyncListener::<E>::bind(ANY).unwrap();
            let addr = VsockAddr::new(VsockAddr::CID_LOCAL, listener.local_addr().unwrap().port);
            let (server, client) = both(listener.accept(), AsyncStream::<E>::connect(addr)).await;
            let (server, client) = (server.unwrap(), client.unwrap());
            assert_eq!(client.peer_addr().unwrap(), addr);
            assert_eq!(server.peer_addr().unwrap().port, client.local_addr().unwrap().port);
            let pattern = Pattern::new(7);
            let ((), ()) = both(
                async {
                    for at in (0..MUCH).step_by(4096) {
                        send_all::<E>(&client, pattern.at(at, 4096)).await;
                    }
                },
                async {
                    let received = recv_exact::<E>(&server, MUCH).await;
                    pattern.check(0, &received);
                },
            )
            .await;
            assert!(limited::<E, _>(SHORT, server.recv(&mut [0])).await.is_none());
            let parts = [IoSlice::new(b"in "), IoSlice::new(b"parts")];
            let len = client.send_vectored(&parts).await.unwrap();
            let mut buf = [0; 8];
            assert_ne!(server.peek(&mut buf).await.unwrap(), 0);
            assert_eq!(recv_exact::<E>(&server, len).await, b"in parts"[..len]);
            drop(client);
            let mut bufs = [IoSliceMut::new(&mut buf)];
            assert_eq!(server.recv_vectored(&mut bufs).await.unwrap(), 0);
        }

        pub(super) async fn where_nobody_listens_a_task_gets_an_error_that_says_where<E: Executor>() {
            let Some(nobody) = nobody() else { return };
            let host = VsockAddr::new(VsockAddr::CID_HOST, nobody.port);
            for addr in [nobody, host] {
                let error = AsyncStream::<E>::connect(addr).await.unwrap_err();
                assert!(is_failure_to_connect(error.kind()), "{error:?}");
                assert!(error.to_string().contains(&addr.to_string()), "{error}");
            }
        }

        pub(super) async fn a_task_that_connects_can_be_given_up<E: Executor>() {
            let Some(nobody) = nobody() else { return };
            let connecting = AsyncStream::<E>::connect(nobody);
            if let Some(result) = limited::<E, _>(SHORT, connecting).await {
                assert!(is_failure_to_connect(kind(result)));
            }
        }

        pub(super) async fn stopping_wakes_a_task_that_accepts<E: Executor>() {
            let Some(listener) = listener() else { return };
            let listener = AsyncListener::<E>::try_from(listener).unwrap();
            assert!(limited::<E, _>(SHORT, listener.accept()).await.is_none());
            let stopping = async {
                E::R::sleep(SHORT).await;
                listener.stop();
            };
            let (result, ()) = both(listener.accept(), stopping).await;
            assert_eq!(kind(result), ErrorKind::BrokenPipe);
            assert_eq!(kind(listener.accept().await), ErrorKind::BrokenPipe);
        }

        pub(super) async fn conversions_go_both_ways<E: Executor>() {
            let (server, client) = disguised_pair();
            let server = AsyncStream::<E>::try_from(server).unwrap();
            client.send(b"bytes").unwrap();
            assert_eq!(recv_exact::<E>(&server, 5).await, b"bytes");
            let server = VsockStream::try_from(server).unwrap();
            assert!(!server.is_nonblocking().unwrap());
            if let Some(listener) = listener() {
                let listener = AsyncListener::<E>::try_from(listener).unwrap();
                let listener = VsockListener::try_from(listener).unwrap();
                assert_eq!(kind(listener.accept_timeout(SHORT)), ErrorKind::TimedOut);
            }
        }
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn the_traits_of_tokio_read_and_write() {
        use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
        use interprocess::os::unix::vsock::tokio::VsockStream;

        in_time(|| {
            OnTokio::block_on(async {
                let (server, client) = disguised_pair();
                let mut server = VsockStream::try_from(server).unwrap();
                let mut client = VsockStream::try_from(client).unwrap();
                client.write_all(b"all there is").await.unwrap();
                client.shutdown().await.unwrap();
                let mut text = String::new();
                server.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "all there is");
            });
        });
    }

    #[cfg(feature = "smol")]
    #[test]
    fn the_traits_of_futures_read_and_write() {
        use futures_lite::{AsyncReadExt, AsyncWriteExt};
        use interprocess::os::unix::vsock::smol::VsockStream;

        in_time(|| {
            OnSmol::block_on(async {
                let (server, client) = disguised_pair();
                let mut server = VsockStream::try_from(server).unwrap();
                let mut client = VsockStream::try_from(client).unwrap();
                client.write_all(b"all there is").await.unwrap();
                client.close().await.unwrap();
                let mut text = String::new();
                server.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "all there is");
            });
        });
    }
}
