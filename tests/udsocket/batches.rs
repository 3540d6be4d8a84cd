//! Many messages by one call.

use crate::support::{LIMIT, TempDir, in_time};
use interprocess::os::unix::udsocket::{RecvBatch, UdSocket};
use std::{
    io::{self, ErrorKind},
    thread,
    time::Duration,
};

fn pair() -> (UdSocket, UdSocket) {
    let (one, other) = UdSocket::pair().expect("pair");
    other.set_recv_timeout(Some(LIMIT)).expect("timeout");
    (one, other)
}

fn texts(batch: &RecvBatch) -> Vec<Vec<u8>> {
    batch.iter().map(|message| message.bytes().to_vec()).collect()
}

fn assert_kind<T>(result: io::Result<T>, kind: ErrorKind) {
    assert_eq!(result.map(drop).expect_err("an error").kind(), kind);
}

#[test]
fn many_go_by_one_call_and_come_by_one() {
    let (one, other) = pair();
    let messages: Vec<_> = (0..64_u8).map(|number| vec![number; usize::from(number) % 8]).collect();
    let mut batch = RecvBatch::new(100, 8);
    for _ in 0..3 {
        assert_eq!(one.send_batch(&messages).expect("send"), 64);
        assert_eq!(other.recv_batch(&mut batch).expect("receive"), 64);
        assert_eq!(texts(&batch), messages);
        assert!(batch.iter().all(|message| !message.is_truncated() && message.sender().is_unnamed()));
    }
}

#[test]
fn each_tells_whether_it_was_cut_off() {
    let (one, other) = pair();
    let mut batch = RecvBatch::new(4, 3);
    one.send_batch(&["12", "1234", "", "123", "fifth"]).expect("send");
    assert_eq!(other.recv_batch(&mut batch).expect("receive"), 4);
    assert_eq!(texts(&batch), [&b"12"[..], b"123", b"", b"123"]);
    let truncated = |batch: &RecvBatch| batch.iter().map(|one| one.is_truncated()).collect::<Vec<_>>();
    assert_eq!(truncated(&batch), [false, true, false, false]);
    assert_eq!(batch.iter().rev().map(|one| one.bytes().len()).collect::<Vec<_>>(), [3, 0, 3, 2]);
    assert_eq!(other.recv_batch(&mut batch).expect("receive"), 1);
    assert_eq!(batch.get(0).expect("one").bytes(), b"fif");
    assert!(batch.get(1).is_none());
    // Without any room they are taken all the same.
    let mut batch = RecvBatch::new(2, 0);
    one.send_batch(&["x", ""]).expect("send");
    assert_eq!(other.recv_batch(&mut batch).expect("receive"), 2);
    assert_eq!(texts(&batch), [b"", b""]);
    assert_eq!(truncated(&batch), [true, false]);
}

#[test]
fn none_are_sent_and_received_at_once() {
    let (one, other) = pair();
    let nothing: [&[u8]; 0] = [];
    assert_eq!(one.send_batch(&nothing).expect("send"), 0);
    one.send(b"left").expect("send");
    let mut batch = RecvBatch::new(0, 8);
    assert_eq!(other.recv_batch(&mut batch).expect("receive"), 0);
    assert!(batch.is_empty() && batch.get(0).is_none());
    assert_eq!(other.recv(&mut [0; 8]).expect("receive"), (4, false));
}

#[test]
fn each_tells_who_sent_it_and_is_answered() {
    let dir = TempDir::new();
    let server = UdSocket::bind_with_drop_guard(dir.join("server")).expect("bind");
    let path = |number: usize| dir.join("client".repeat(number + 1));
    let clients: Vec<_> =
        (0..3).map(|number| UdSocket::bind_with_drop_guard(path(number)).expect("bind")).collect();
    let mut batch = RecvBatch::new(8, 8);
    // Longer addresses before shorter ones, too.
    for order in [[0, 1, 2], [2, 1, 0]] {
        for number in order {
            let text = [number.to_string(), "x".to_owned()];
            assert_eq!(clients[number].send_batch_to(&text, dir.join("server")).expect("send"), 2);
        }
        UdSocket::unbound().expect("socket").send_to(b"y", dir.join("server")).expect("send");
        assert_eq!(server.recv_batch(&mut batch).expect("receive"), 7);
        for (message, number) in batch.iter().step_by(2).zip(order) {
            assert_eq!(message.bytes(), number.to_string().as_bytes());
            assert_eq!(message.sender().as_path(), Some(path(number).as_path()));
            assert_eq!(server.send_batch_to(&["a", "b"], message.sender()).expect("answer"), 2);
        }
        assert!(batch.iter().next_back().expect("it").sender().is_unnamed());
        let mut answers = RecvBatch::new(8, 8);
        for client in &clients {
            assert_eq!(client.recv_batch(&mut answers).expect("receive"), 2);
            assert_eq!(texts(&answers), [b"a", b"b"]);
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_abstract_name_is_told_too() {
    let name = format!("@{}", crate::support::unique());
    let (client, server) = (UdSocket::bind(&name).expect("bind"), TempDir::new());
    let receiver = UdSocket::bind_with_drop_guard(server.join("server")).expect("bind");
    client.send_to(b"x", server.join("server")).expect("send");
    let mut batch = RecvBatch::new(2, 2);
    receiver.recv_batch(&mut batch).expect("receive");
    let sender = batch.get(0).expect("one").sender();
    assert_eq!(
        sender,
        interprocess::os::unix::udsocket::UdSocketPath::Namespaced(name.as_bytes()[1..].into())
    );
    assert!(format!("{batch:?}").contains("Namespaced"));
}

#[test]
fn only_the_first_is_waited_for() {
    in_time(|| {
        let (one, other) = pair();
        let mut batch = RecvBatch::new(16, 8);
        thread::scope(|scope| {
            let batch = &mut batch;
            let waiting = scope.spawn(|| other.recv_batch(batch).expect("receive"));
            one.send(b"the only").expect("send");
            assert_eq!(waiting.join().expect("thread"), 1);
        });
        assert_eq!(texts(&batch), [b"the only"]);
    });
}

#[test]
fn waiting_ends_with_the_timeout_or_at_once_and_leaves_the_batch_empty() {
    let (one, other) = pair();
    let mut batch = RecvBatch::new(4, 8);
    let fill = |batch: &mut RecvBatch| {
        one.send(b"x").expect("send");
        assert_eq!(other.recv_batch(batch).expect("receive"), 1);
    };
    fill(&mut batch);
    other.set_recv_timeout(Some(Duration::from_millis(20))).expect("timeout");
    assert_kind(other.recv_batch(&mut batch), ErrorKind::TimedOut);
    assert!(batch.is_empty());
    fill(&mut batch);
    other.set_nonblocking(true).expect("mode");
    assert_kind(other.recv_batch(&mut batch), ErrorKind::WouldBlock);
    assert!(batch.is_empty());
}

/// How many come, without waiting.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn drain(socket: &UdSocket) -> usize {
    socket.set_nonblocking(true).expect("mode");
    let mut batch = RecvBatch::new(7, 8);
    std::iter::from_fn(|| socket.recv_batch(&mut batch).ok()).sum()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn as_many_are_sent_as_there_is_room_for() {
    in_time(|| {
        let dir = TempDir::new();
        let receiver = UdSocket::bind_with_drop_guard(dir.join("receiver")).expect("bind");
        let sender = UdSocket::connect(dir.join("receiver")).expect("connect");
        let messages = vec!["message"; 100_000];
        sender.set_send_timeout(Some(Duration::from_millis(20))).expect("timeout");
        let sent = sender.send_batch(&messages).expect("send");
        assert!(sent > 0 && sent < messages.len());
        assert_kind(sender.send_batch(&messages), ErrorKind::TimedOut);
        assert_eq!(drain(&receiver), sent);
        sender.set_nonblocking(true).expect("mode");
        assert_eq!(sender.send_batch(&messages).expect("send"), sent);
        assert_kind(sender.send_batch(&messages), ErrorKind::WouldBlock);
        assert_kind(sender.send_batch_to(&messages, dir.join("receiver")), ErrorKind::WouldBlock);
        assert_eq!(drain(&receiver), sent);
    });
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn what_is_wrong_with_a_later_one_is_told_by_the_next_call() {
    let (one, other) = pair();
    let too_long = vec![0; 2 * one.send_buffer_size().expect("size")];
    // In the first system call, and as the first of another.
    for before in [3, 64] {
        let mut messages = vec![&b"fits"[..]; before];
        messages.extend([&too_long[..], b"after"]);
        assert_eq!(one.send_batch(&messages).expect("send"), before);
        let error = one.send_batch(&messages[before..]).expect_err("too long");
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        assert_eq!(drain(&other), before);
    }
}

#[test]
fn more_than_a_system_call_takes_go_in_order() {
    in_time(|| {
        const ALL: u32 = 5000;
        let (one, other) = pair();
        let mut batch = RecvBatch::new(2000, 4);
        assert_eq!(batch.capacity(), 1024);
        let sending = thread::spawn(move || {
            let messages: Vec<_> = (0..ALL).map(u32::to_ne_bytes).collect();
            let mut rest = &messages[..];
            while !rest.is_empty() {
                rest = &rest[one.send_batch(rest).expect("send")..];
            }
        });
        let mut received = 0;
        while received < ALL {
            other.recv_batch(&mut batch).expect("receive");
            for message in &batch {
                assert_eq!(message.bytes(), received.to_ne_bytes());
                received += 1;
            }
        }
        sending.join().expect("thread");
    });
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_full_batch_leaves_the_others_for_the_next() {
    let (one, other) = pair();
    one.set_send_buffer_size(10_000_000).expect("size");
    one.set_nonblocking(true).expect("mode");
    // Not all of them if the system does not allow so large a buffer.
    let sent = one.send_batch(&vec![b"x"; 1500]).expect("send");
    let mut batch = RecvBatch::new(1500, 1);
    assert_eq!(other.recv_batch(&mut batch).expect("receive"), sent.min(1024));
    assert_eq!(drain(&other), sent.saturating_sub(1024));
}

/// Where threads have their own data without allocating them.
#[cfg(target_os = "linux")]
mod allocation {
    use super::*;
    use std::{
        alloc::{GlobalAlloc, Layout, System},
        cell::Cell,
    };

    /// Counts what each thread allocates.
    struct Counting;

    thread_local! {
        static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    }

    // SAFETY: the system's allocator does all of it.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
            // SAFETY: the caller's promise.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(place, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    #[test]
    fn neither_call_allocates() {
        let dir = TempDir::new();
        let receiver = UdSocket::bind_with_drop_guard(dir.join("receiver")).expect("bind");
        let sender = UdSocket::bind_with_drop_guard(dir.join("sender")).expect("bind");
        sender.set_destination(dir.join("receiver")).expect("destination");
        let mut batch = RecvBatch::new(8, 8);
        let messages = ["a", "b", "c"];
        let before = ALLOCATIONS.get();
        assert_eq!(sender.send_batch(&messages).expect("send"), 3);
        assert_eq!(receiver.recv_batch(&mut batch).expect("receive"), 3);
        assert!(batch.iter().zip(messages).all(|(came, sent)| came.bytes() == sent.as_bytes()));
        assert!(batch.iter().all(|message| !message.sender().is_unnamed()));
        assert_eq!(ALLOCATIONS.get(), before);
        drop(std::hint::black_box(Box::new(before)));
        assert_ne!(ALLOCATIONS.get(), before);
    }
}

#[test]
fn without_a_destination_it_is_an_error_and_a_closed_one_too() {
    assert_kind(UdSocket::unbound().expect("socket").send_batch(&["x"]), ErrorKind::NotConnected);
    let (one, other) = pair();
    drop(other);
    one.send_batch(&["x"]).expect_err("gone");
    let long = "x".repeat(1000);
    assert_kind(one.send_batch_to(&["x"], long.as_str()), ErrorKind::InvalidInput);
}

#[cfg(not(target_vendor = "apple"))]
mod packets {
    use super::*;
    use interprocess::os::unix::udsocket::UdSeqpacket;

    fn pair() -> (UdSeqpacket, UdSeqpacket) {
        let (one, other) = UdSeqpacket::pair().expect("pair");
        other.set_recv_timeout(Some(LIMIT)).expect("timeout");
        (one, other)
    }

    #[test]
    fn they_come_by_one_call_and_then_the_end() {
        let (one, other) = pair();
        let mut batch = RecvBatch::new(8, 4);
        assert_eq!(one.send_batch(&["one", "three"]).expect("send"), 2);
        assert_eq!(other.recv_batch(&mut batch).expect("receive"), 2);
        assert_eq!(texts(&batch), [&b"one"[..], b"thre"]);
        let truncated: Vec<_> = batch.iter().map(|message| message.is_truncated()).collect();
        assert_eq!(truncated, [false, true]);
        one.send(b"last").expect("send");
        drop(one);
        assert_eq!(other.recv_batch(&mut batch).expect("receive"), 1);
        assert_eq!(texts(&batch), [b"last"]);
        for _ in 0..2 {
            assert_eq!(other.recv_batch(&mut batch).expect("the end"), 0);
            assert!(batch.is_empty());
        }
        assert_kind(other.send_batch(&["x"]), ErrorKind::BrokenPipe);
    }

    #[test]
    fn those_that_there_is_no_room_for_are_not_the_end() {
        let (one, other) = pair();
        let mut batch = RecvBatch::new(8, 0);
        assert_eq!(one.send_batch(&["one", "three"]).expect("send"), 2);
        assert_eq!(other.recv_batch(&mut batch).expect("receive"), 2);
        assert!(batch.iter().all(|message| message.is_truncated()));
    }

    #[test]
    fn with_an_empty_one_none_is_sent() {
        let (one, other) = pair();
        assert_kind(one.send_batch(&["x", ""]), ErrorKind::InvalidInput);
        other.set_nonblocking(true).expect("mode");
        assert_kind(other.recv_batch(&mut RecvBatch::new(8, 8)), ErrorKind::WouldBlock);
    }

    #[test]
    fn what_the_peer_sent_comes_though_it_left_without_having_read() {
        let (one, other) = pair();
        other.send(b"never read").expect("send");
        one.send_batch(&["last", "words"]).expect("send");
        drop(one);
        let mut batch = RecvBatch::new(8, 8);
        assert_eq!(other.recv_batch(&mut batch).expect("receive"), 2);
        assert_eq!(texts(&batch), [&b"last"[..], b"words"]);
        assert_eq!(other.recv_batch(&mut batch).expect("the end"), 0);
    }
}
