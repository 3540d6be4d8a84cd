//! Sockets between a virtual machine and its host.
//!
//! Wine has no such sockets. What is done with addresses, and what happens where there are no such sockets, is tested there too;
//! all else runs where the system connects a machine with itself over them, which takes Hyper-V and an administrator.

#![cfg(windows)]

mod support;

use interprocess::{
    TryClone,
    local_socket::ListenerNonblockingMode,
    os::windows::hvsock::{Guid, HvsockAddr, HvsockListener, HvsockStream},
};
use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    net::Shutdown,
    os::windows::io::{AsRawSocket, AsSocket},
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use support::{LIMIT, in_time};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(60);

fn kind<T>(result: io::Result<T>) -> ErrorKind {
    result.map(drop).expect_err("it has to fail").kind()
}

/// An address on this machine that nobody else uses.
fn here() -> HvsockAddr {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (process, call) = (u128::from(process::id()), u128::from(CALLS.fetch_add(1, Relaxed)));
    let service = 0x6d1c_9f6e_0000_4000_8000_0000_0000_0000 | process << 32 | call;
    HvsockAddr::new(HvsockAddr::VM_LOOPBACK, Guid::from_u128(service))
}

/// Runs the test, unless the system does not connect this machine with itself.
fn with_sockets(test: impl FnOnce() + Send + 'static) {
    static HAS: OnceLock<bool> = OnceLock::new();
    let try_it = || {
        let addr = here();
        let listener = HvsockListener::bind(addr)?;
        let client = HvsockStream::connect_timeout(addr, Duration::from_secs(5))?;
        listener.accept_timeout(Duration::from_secs(5))?.send(b"x")?;
        client.set_recv_timeout(Some(Duration::from_secs(5)))?;
        client.recv(&mut [0; 1])
    };
    let has = *HAS.get_or_init(|| {
        let result: io::Result<usize> = try_it();
        if let Err(error) = &result {
            eprintln!("left out: this system does not connect the machine with itself: {error}");
        }
        result.is_ok()
    });
    if has {
        in_time(test);
    }
}

fn pair() -> (HvsockStream, HvsockStream) {
    let addr = here();
    let listener = HvsockListener::bind(addr).expect("an address of ours");
    let client = HvsockStream::connect(addr).expect("it listens");
    (listener.accept().expect("a client is there"), client)
}

fn recv_exact(mut stream: &HvsockStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).expect("as many bytes");
    bytes
}

// Addresses.

#[test]
fn a_guid_goes_to_text_and_back() {
    for (guid, text) in [
        (HvsockAddr::VM_WILDCARD, "00000000-0000-0000-0000-000000000000"),
        (HvsockAddr::VM_CHILDREN, "90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd"),
        (HvsockAddr::VM_LOOPBACK, "e0e16197-dd56-4a10-9195-5ee7a155a838"),
        (HvsockAddr::VM_PARENT, "a42e7cda-d03f-480c-9cc2-a4de20abb878"),
        (Guid::from_u128(u128::MAX), "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ] {
        assert_eq!(guid.to_string(), text);
        assert_eq!(format!("{guid:?}"), text);
        assert_eq!(text.parse(), Ok(guid));
        assert_eq!(text.to_uppercase().parse(), Ok(guid));
        assert_eq!(format!("{{{text}}}").parse(), Ok(guid));
        assert_eq!(Guid::from_u128(guid.to_u128()), guid);
    }
}

#[test]
fn what_is_no_guid_is_refused() {
    for text in [
        "",
        "{}",
        "90db8b89",
        "90db8b890d354f798ce949ea0ac8b7cd",
        "90db8b89-0d35-4f79-8ce9-49ea0ac8b7c",
        "90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd0",
        "{90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd",
        "90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd}",
        "90db8b89_0d35-4f79-8ce9-49ea0ac8b7cd",
        "90db8b8-90d35-4f79-8ce9-49ea0ac8b7cd",
        "+0db8b89-0d35-4f79-8ce9-49ea0ac8b7cd",
        "g0db8b89-0d35-4f79-8ce9-49ea0ac8b7cd",
        "90db8b89-0d35-4f79-8ce9-49ea0ac8b7\u{e4}",
        "\u{e4}\u{e4}\u{e4}\u{e4}-0d35-4f79-8ce9-49ea0ac8b7cd",
    ] {
        let error = text.parse::<Guid>().expect_err(text);
        assert!(error.to_string().contains("GUID"), "{error}");
    }
}

#[test]
fn a_service_is_a_port_of_linux_if_it_is_of_that_form() {
    for (port, text) in [
        (0, "00000000-facb-11e6-bd58-64006a7986d3"),
        (5000, "00001388-facb-11e6-bd58-64006a7986d3"),
        (0x7fff_ffff, "7fffffff-facb-11e6-bd58-64006a7986d3"),
        (u32::MAX, "ffffffff-facb-11e6-bd58-64006a7986d3"),
    ] {
        let addr = HvsockAddr::from_linux_port(HvsockAddr::VM_PARENT, port);
        assert_eq!((addr.vm_id, addr.service_id.to_string().as_str()), (HvsockAddr::VM_PARENT, text));
        assert_eq!(addr.linux_port(), Some(port));
    }
    assert_eq!(HvsockAddr::new(HvsockAddr::VM_PARENT, HvsockAddr::VM_PARENT).linux_port(), None);
}

#[test]
fn an_address_says_machine_and_service() {
    let addr = HvsockAddr::from_linux_port(HvsockAddr::VM_LOOPBACK, 1);
    assert_eq!(
        addr.to_string(),
        "hvsock:e0e16197-dd56-4a10-9195-5ee7a155a838:00000001-facb-11e6-bd58-64006a7986d3"
    );
}

// Errors.

#[test]
fn without_hyper_v_the_error_says_so_and_where() {
    in_time(|| {
        let addr = here();
        for result in
            [HvsockListener::bind(addr).map(drop), HvsockStream::connect_timeout(addr, SHORT).map(drop)]
        {
            let Err(error) = result else { continue };
            assert!(error.to_string().contains(&addr.to_string()), "{error}");
            if support::is_wine() {
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.to_string().contains("Hyper-V"), "{error}");
            }
        }
    });
}

#[test]
fn where_nobody_listens_connecting_fails() {
    in_time(|| {
        let addr = here();
        let error = HvsockStream::connect_timeout(addr, Duration::from_secs(5)).unwrap_err();
        assert!(error.to_string().contains(&addr.to_string()), "{error}");
    });
}

// Connections.

#[test]
fn accepting_waits_to_a_deadline_or_not_at_all_and_can_be_stopped() {
    with_sockets(|| {
        let listener = HvsockListener::bind(here()).unwrap();
        assert_ne!(listener.as_socket().as_raw_socket(), 0);
        let start = Instant::now();
        assert_eq!(kind(listener.accept_timeout(SHORT)), ErrorKind::TimedOut);
        assert!(start.elapsed() >= SHORT);
        listener.set_nonblocking(ListenerNonblockingMode::Accept).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        listener.set_nonblocking(ListenerNonblockingMode::Neither).unwrap();
        thread::scope(|scope| {
            let accepting = scope.spawn(|| kind(listener.accept()));
            let iterating = scope.spawn(|| (&listener).into_iter().count());
            thread::sleep(SHORT);
            listener.stop();
            assert_eq!(accepting.join().unwrap(), ErrorKind::BrokenPipe);
            assert_eq!(iterating.join().unwrap(), 0);
        });
    });
}

#[test]
fn a_listener_tells_its_address_and_a_client_that_of_its_server() {
    with_sockets(|| {
        let addr = here();
        let listener = HvsockListener::bind(addr).unwrap();
        assert_eq!(listener.local_addr().unwrap().service_id, addr.service_id);
        let client = HvsockStream::connect_timeout(addr, LIMIT).unwrap();
        let server = listener.accept_timeout(LIMIT).unwrap();
        assert_eq!(client.peer_addr().unwrap().service_id, addr.service_id);
        client.local_addr().unwrap();
        server.peer_addr().unwrap();
    });
}

#[test]
fn bytes_arrive_in_order_both_ways() {
    const MUCH: usize = 1 << 20;
    with_sockets(|| {
        let (server, client) = pair();
        let data: Vec<u8> = (0..MUCH).map(|at| (at % 251).to_le_bytes()[0]).collect();
        thread::scope(|scope| {
            for (ours, theirs) in [(&server, &client), (&client, &server)] {
                let data = &data;
                scope.spawn(move || (&*ours).write_all(data).unwrap());
                scope.spawn(move || assert!(recv_exact(theirs, MUCH) == *data));
            }
        });
    });
}

#[test]
fn a_direction_ends_alone_and_a_peer_that_is_gone_is_a_broken_pipe() {
    with_sockets(|| {
        let (mut server, mut client) = pair();
        client.write_all(b"question").unwrap();
        client.flush().unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "question");
        server.write_all(b"answer").unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "answer");
        assert_eq!(kind(client.send(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn there_are_timeouts_a_nonblocking_mode_and_clones() {
    with_sockets(|| {
        let (server, client) = pair();
        server.set_recv_timeout(Some(SHORT)).unwrap();
        assert_eq!(server.recv_timeout().unwrap(), Some(SHORT));
        assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::TimedOut);
        server.set_recv_timeout(None).unwrap();
        assert_eq!(kind(server.set_send_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
        server.set_nonblocking(true).unwrap();
        assert!(server.is_nonblocking().unwrap());
        assert_eq!(kind(server.recv(&mut [0; 9])), ErrorKind::WouldBlock);
        server.set_nonblocking(false).unwrap();
        let clone = TryClone::try_clone(&client).unwrap();
        drop(client);
        clone.send_vectored(&[IoSlice::new(b"in "), IoSlice::new(b"parts")]).unwrap();
        let (mut first, mut rest) = ([0; 3], [0; 5]);
        assert_ne!(server.peek(&mut first).unwrap(), 0);
        let mut server = &server;
        let len = server.read_vectored(&mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut rest)]);
        assert_eq!(len.unwrap(), 3);
        server.read_exact(&mut rest).unwrap();
        assert_eq!((&first, &rest), (b"in ", b"parts"));
        assert!(clone.take_error().unwrap().is_none());
    });
}

#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use interprocess::runtime::{Async, Runtime};

    async fn talk<R: Runtime>() {
        let addr = here();
        let listener = Async::<HvsockListener, R>::bind(addr).unwrap();
        let (server, client) =
            futures_lite::future::zip(listener.accept(), Async::<HvsockStream, R>::connect(addr)).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        client.peer_addr().unwrap();
        assert_eq!(client.send(b"hello").await.unwrap(), 5);
        client.flush().await.unwrap();
        let mut buf = [0; 16];
        assert_ne!(server.peek(&mut buf).await.unwrap(), 0);
        assert_eq!((server.recv(&mut buf).await.unwrap(), &buf[..5]), (5, &b"hello"[..]));
        let (result, ()) = futures_lite::future::zip(listener.accept(), async { listener.stop() }).await;
        assert_eq!(kind(result), ErrorKind::BrokenPipe);
        let client = HvsockStream::try_from(client).unwrap();
        assert!(!client.is_nonblocking().unwrap());
    }

    async fn fail<R: Runtime>() {
        let addr = here();
        let error = Async::<HvsockStream, R>::connect(addr).await.unwrap_err();
        assert!(error.to_string().contains(&addr.to_string()), "{error}");
        if support::is_wine() {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn tasks_of_tokio_connect_and_accept() {
        use interprocess::runtime::Tokio;

        fn block_on(future: impl Future<Output = ()>) {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
        }
        in_time(|| block_on(fail::<Tokio>()));
        with_sockets(|| block_on(talk::<Tokio>()));
    }

    #[cfg(feature = "smol")]
    #[test]
    fn tasks_of_smol_connect_and_accept() {
        use interprocess::runtime::Smol;

        in_time(|| futures_lite::future::block_on(fail::<Smol>()));
        with_sockets(|| futures_lite::future::block_on(talk::<Smol>()));
    }
}
