//! POSIX message queues.

#![cfg(any(target_os = "linux", target_os = "freebsd"))]

mod support;

use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
use rustix::{
    fs::{Mode, fstat},
    io::{FdFlags, fcntl_getfd},
};
use std::{
    ffi::OsStr,
    io::{self, ErrorKind},
    ops::Deref,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::Path,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use support::{ANOTHER_USER, Child, become_another_user, hear, in_time, say, unique};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);

/// A name that nobody else uses, removed when this is dropped.
struct QueueName(String);

impl QueueName {
    fn new() -> Self {
        Self(format!("/{}", unique()))
    }
}

impl Deref for QueueName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<OsStr> for QueueName {
    fn as_ref(&self) -> &OsStr {
        self.0.as_ref()
    }
}

impl Drop for QueueName {
    fn drop(&mut self) {
        let _ = MessageQueue::unlink(&self.0);
    }
}

/// Creates a small queue: all queues of a user together may only take 800 KiB.
fn small() -> MessageQueueOptions {
    MessageQueueOptions::new().create_new(true).max_messages(4).max_message_size(64)
}

/// A small queue without a name.
fn nameless() -> MessageQueue {
    small().open(QueueName::new()).unwrap()
}

fn open(name: &QueueName) -> MessageQueue {
    MessageQueueOptions::new().open(name).unwrap()
}

#[track_caller]
fn recv(queue: &MessageQueue) -> (Vec<u8>, u32) {
    let mut message = vec![7; 3];
    let priority = queue.recv(&mut message).unwrap();
    (message, priority)
}

#[track_caller]
fn assert_kind<T: std::fmt::Debug>(result: io::Result<T>, kind: ErrorKind) {
    assert_eq!(result.unwrap_err().kind(), kind);
}

#[test]
fn child_entry() {
    support::child_entry(&[
        ("echo", echo),
        ("send", send),
        ("recv_for_ever", recv_for_ever),
        ("modes", modes),
        ("as_another_user", as_another_user),
        ("without_room", without_room),
        ("inherit", inherit),
        ("leak", leak),
    ]);
}

/// Arguments: two names. Sends back what it receives, until that is nothing.
fn echo(arguments: &[String]) {
    let requests = MessageQueueOptions::new().open_recver(&arguments[0]).unwrap();
    let answers = MessageQueueOptions::new().open_sender(&arguments[1]).unwrap();
    say("ready");
    let mut message = Vec::new();
    loop {
        let priority = requests.recv(&mut message).unwrap();
        if message.is_empty() {
            return;
        }
        answers.send(&message, priority + 1).unwrap();
    }
}

/// Arguments: a name, messages. Sends them, and lives on.
fn send(arguments: &[String]) {
    let queue = MessageQueueOptions::new().open_sender(&arguments[0]).unwrap();
    for message in &arguments[1..] {
        queue.send(message.as_bytes(), 0).unwrap();
    }
    say("sent");
    hear();
}

/// Argument: a name.
fn recv_for_ever(arguments: &[String]) {
    let queue = MessageQueueOptions::new().open_recver(&arguments[0]).unwrap();
    say("receiving");
    loop {
        say(String::from_utf8(recv(&queue).0).unwrap());
    }
}

#[test]
fn messages_arrive_whole_by_priority_and_then_by_age() {
    in_time(|| {
        let queue = nameless();
        let longest = [9; 64];
        let sent: [(&[u8], u32); 4] = [(b"", 0), (b"a", 31), (&longest, 1), (b"b", 31)];
        for (message, priority) in sent {
            queue.send(message, priority).unwrap();
        }
        assert_eq!(queue.message_count().unwrap(), 4);
        for index in [1, 3, 2, 0] {
            let (message, priority) = sent[index];
            assert_eq!(recv(&queue), (message.to_vec(), priority));
        }
        assert_eq!(queue.message_count().unwrap(), 0);
    });
}

#[test]
fn other_processes_send_and_receive() {
    in_time(|| {
        let names = [QueueName::new(), QueueName::new()];
        let [requests, answers] = [0, 1].map(|index| small().open(&names[index]).unwrap());
        let child = Child::start("echo", &[&names[0], &names[1]]);
        child.expect("ready");
        for number in 0..500_u32 {
            let message = number.to_le_bytes().repeat(1 + number as usize % 16);
            requests.send(&message, number % 30).unwrap();
            assert_eq!(recv(&answers), (message, number % 30 + 1));
        }
        requests.send(b"", 0).unwrap();
        child.finish();
    });
}

#[test]
fn messages_outlive_a_sender_that_is_killed_and_every_descriptor() {
    in_time(|| {
        let name = QueueName::new();
        drop(small().open(&name).unwrap());
        let mut child = Child::start("send", &[&name, "one", "two"]);
        child.expect("sent");
        child.kill();
        let queue = open(&name);
        assert_eq!(queue.message_count().unwrap(), 2);
        assert_eq!([recv(&queue).0, recv(&queue).0], [b"one", b"two"]);
    });
}

#[test]
fn a_receiver_that_is_killed_leaves_the_rest_to_others() {
    in_time(|| {
        let name = QueueName::new();
        let queue = small().open(&name).unwrap();
        let mut child = Child::start("recv_for_ever", &[&name]);
        child.expect("receiving");
        queue.send(b"for the child", 0).unwrap();
        child.expect("for the child");
        // It waits for the next, or is about to.
        child.kill();
        queue.send(b"for us", 0).unwrap();
        assert_eq!(recv(&queue).0, b"for us");
    });
}

#[test]
fn waits_end_when_another_thread_sends_or_receives() {
    in_time(|| {
        let queue = nameless();
        thread::scope(|scope| {
            let receiver = scope.spawn(|| recv(&queue));
            queue.send(b"awaited", 5).unwrap();
            assert_eq!(receiver.join().unwrap(), (b"awaited".to_vec(), 5));
            // More than there is room for.
            let sender = scope.spawn(|| (0..100).for_each(|number| queue.send(&[number], 0).unwrap()));
            for number in 0..100 {
                assert_eq!(recv(&queue).0, [number]);
            }
            sender.join().unwrap();
        });
    });
}

#[test]
fn deadlines_hold_on_empty_and_on_full_queues() {
    in_time(|| {
        let queue = nameless();
        for timeout in [Duration::from_nanos(1), SHORT] {
            queue.set_recv_timeout(Some(timeout)).unwrap();
            let start = Instant::now();
            assert_kind(queue.recv(&mut Vec::new()), ErrorKind::TimedOut);
            assert_kind(queue.recv_into(&mut [0; 64]), ErrorKind::TimedOut);
            assert!(start.elapsed() >= 2 * timeout);
        }
        for number in 0..4 {
            queue.send(&[number], 0).unwrap();
        }
        for timeout in [Duration::from_nanos(1), SHORT] {
            queue.set_send_timeout(Some(timeout)).unwrap();
            let start = Instant::now();
            assert_kind(queue.send(b"too much", 0), ErrorKind::TimedOut);
            assert!(start.elapsed() >= timeout);
        }
        assert_eq!(queue.message_count().unwrap(), 4);
        assert_eq!(recv(&queue).0, [0]);
    });
}

#[test]
fn a_deadline_holds_while_others_receive_first() {
    in_time(|| {
        const RECEIVERS: usize = 4;
        const MESSAGES: usize = 300;
        let queue = nameless();
        queue.set_recv_timeout(Some(Duration::from_millis(2))).unwrap();
        let received = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..RECEIVERS {
                scope.spawn(|| {
                    let mut message = Vec::new();
                    while received.load(SeqCst) < MESSAGES {
                        match queue.recv(&mut message) {
                            Ok(_) => _ = received.fetch_add(1, SeqCst),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                        }
                    }
                });
            }
            (0..MESSAGES).for_each(|_| queue.send(b"x", 0).unwrap());
        });
        assert_eq!(received.load(SeqCst), MESSAGES);
        assert_eq!(queue.message_count().unwrap(), 0);
    });
}

#[test]
fn timeouts_can_be_read_back_and_none_is_zero() {
    in_time(|| {
        let queue = small()
            .recv_timeout(Some(Duration::from_secs(1)))
            .send_timeout(Some(Duration::MAX))
            .open(QueueName::new())
            .unwrap();
        let timeouts = || (queue.recv_timeout(), queue.send_timeout());
        assert_eq!(timeouts(), (Some(Duration::from_secs(1)), Some(Duration::MAX)));
        assert_kind(queue.set_recv_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        assert_kind(queue.set_send_timeout(Some(Duration::ZERO)), ErrorKind::InvalidInput);
        assert_eq!(timeouts(), (Some(Duration::from_secs(1)), Some(Duration::MAX)));
        queue.set_recv_timeout(None).unwrap();
        queue.set_send_timeout(None).unwrap();
        assert_eq!(timeouts(), (None, None));
        // No queue is made if there is something wrong with it.
        let name = QueueName::new();
        for options in
            [small().recv_timeout(Some(Duration::ZERO)), small().send_timeout(Some(Duration::ZERO))]
        {
            assert_kind(options.open(&name), ErrorKind::InvalidInput);
            assert_kind(MessageQueueOptions::new().open(&name), ErrorKind::NotFound);
        }
        // For ever is no problem for the clock.
        let queue = nameless();
        queue.set_recv_timeout(Some(Duration::MAX)).unwrap();
        thread::scope(|scope| {
            let receiver = scope.spawn(|| recv(&queue));
            queue.send(b"x", 0).unwrap();
            receiver.join().unwrap();
        });
    });
}

#[test]
fn nonblocking_mode_is_of_one_object_and_not_of_the_queue() {
    in_time(|| {
        let name = QueueName::new();
        let queue = small().nonblocking(true).open(&name).unwrap();
        let other = open(&name);
        assert!(queue.is_nonblocking() && !other.is_nonblocking());
        assert_kind(queue.recv(&mut Vec::new()), ErrorKind::WouldBlock);
        other.set_recv_timeout(Some(SHORT)).unwrap();
        assert_kind(other.recv(&mut Vec::new()), ErrorKind::TimedOut);
        (0..4).for_each(|_| queue.send(b"", 0).unwrap());
        assert_kind(queue.send(b"", 0), ErrorKind::WouldBlock);
        queue.set_nonblocking(false);
        queue.set_send_timeout(Some(SHORT)).unwrap();
        assert_kind(queue.send(b"", 0), ErrorKind::TimedOut);
    });
}

#[test]
fn impossible_names_are_refused_and_named() {
    in_time(|| {
        let long = format!("/{}", "x".repeat(256));
        let names = ["", "/", "name", "name/", "//", "/a/b", "/a/", "/.", "/..", "/a\0b", "a\0", &long];
        for name in names {
            for result in [small().open(name).map(drop), MessageQueue::unlink(name)] {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
                assert!(error.to_string().contains(name), "{error}");
            }
        }
        assert_kind(MessageQueue::unlink(OsStr::from_bytes(b"\xFF")), ErrorKind::InvalidInput);
    });
}

#[test]
fn the_longest_name_and_one_that_is_no_text_work() {
    in_time(|| {
        let unique = unique();
        let mut long = format!("/{unique}").into_bytes();
        long.resize(256, b'x');
        let no_text = [b"/\xFF ", unique.as_bytes()].concat();
        for name in [&long, &no_text].map(|name| OsStr::from_bytes(name)) {
            let queue = small().open(name).unwrap();
            MessageQueueOptions::new().open(Path::new(name)).unwrap().send(b"x", 0).unwrap();
            MessageQueue::unlink(name).unwrap();
            assert_eq!(recv(&queue).0, b"x");
        }
    });
}

#[test]
fn a_queue_is_created_only_as_asked_for_and_errors_say_its_name() {
    in_time(|| {
        let name = QueueName::new();
        let options = MessageQueueOptions::new().max_messages(2).max_message_size(10);
        let missing = options.open(&name).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let queue = options.clone().create(true).open(&name).unwrap();
        assert_eq!((queue.max_messages(), queue.max_message_size()), (2, 10));
        queue.send(b"x", 0).unwrap();
        let there = options.clone().create_new(true).open(&name).unwrap_err();
        assert_eq!(there.kind(), ErrorKind::AlreadyExists);
        let both = options.clone().create(true).create_new(true).open(&name).unwrap_err();
        assert_eq!(both.kind(), ErrorKind::AlreadyExists);
        // What is there stays as it is.
        let again = small().create_new(false).create(true).open(&name).unwrap();
        assert_eq!((again.max_messages(), again.max_message_size()), (2, 10));
        assert_eq!(recv(&again).0, b"x");
        MessageQueue::unlink(&name).unwrap();
        let gone = MessageQueue::unlink(&name).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        for error in [missing, there, both, gone] {
            assert!(error.to_string().contains(&*name), "{error}");
            assert!(std::error::Error::source(&error).is_some());
        }
    });
}

#[test]
fn all_who_create_it_at_once_get_the_same_queue() {
    in_time(|| {
        const THREADS: usize = 8;
        for _ in 0..20 {
            let name = QueueName::new();
            let start = Barrier::new(THREADS);
            let options = small().create_new(false).create(true).max_messages(THREADS);
            let attempt = || {
                start.wait();
                let queue = options.open(&name).unwrap();
                queue.send(b"x", 0).unwrap();
                queue
            };
            let queues: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(attempt)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(queues[0].message_count().unwrap(), THREADS);
        }
    });
}

#[test]
fn a_queue_that_is_opened_for_one_direction_refuses_the_other() {
    in_time(|| {
        let name = QueueName::new();
        let recver = small().open_recver(&name).unwrap();
        let sender = MessageQueueOptions::new().open_sender(&name).unwrap();
        for is_nonblocking in [false, true] {
            recver.set_nonblocking(is_nonblocking);
            sender.set_nonblocking(is_nonblocking);
            let error = recver.send(b"", 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.to_string().contains("receiving only"), "{error}");
            let error = sender.recv(&mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.to_string().contains("sending only"), "{error}");
        }
        sender.send(b"x", 0).unwrap();
        assert_eq!(recv(&recver).0, b"x");
    });
}

#[test]
fn what_is_too_long_or_too_small_is_refused_with_both_numbers() {
    in_time(|| {
        let queue = nameless();
        let error = queue.send(&[0; 65], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("65") && error.to_string().contains("64"), "{error}");
        assert_eq!(queue.message_count().unwrap(), 0);

        queue.send(b"short", 1).unwrap();
        for len in [0, 5, 63] {
            let error = queue.recv_into(&mut vec![0; len]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let text = error.to_string();
            assert!(text.contains(&len.to_string()) && text.contains("64"), "{error}");
        }
        let mut buf = [0; 100];
        assert_eq!(queue.recv_into(&mut buf).unwrap(), (5, 1));
        assert_eq!(&buf[..6], b"short\0");
    });
}

#[test]
fn a_buffer_grows_to_the_longest_message_and_is_empty_after_an_error() {
    in_time(|| {
        let queue = nameless();
        queue.set_nonblocking(true);
        for capacity in [0, 1, 63, 64, 1000] {
            let mut buf = Vec::with_capacity(capacity);
            buf.push(1);
            queue.send(b"abc", 0).unwrap();
            queue.recv(&mut buf).unwrap();
            assert_eq!(buf, b"abc");
            assert!(buf.capacity() <= capacity.max(64));
            assert_kind(queue.recv(&mut buf), ErrorKind::WouldBlock);
            assert!(buf.is_empty());
        }
    });
}

#[test]
fn priorities_beyond_the_system_s_are_refused() {
    in_time(|| {
        let queue = nameless();
        for priority in [32_768, u32::MAX] {
            let error = queue.send(b"x", priority).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(&priority.to_string()), "{error}");
        }
        let most = if cfg!(target_os = "linux") { 32_767 } else { 63 };
        queue.send(b"x", most).unwrap();
        assert_eq!(recv(&queue).1, most);
    });
}

#[test]
fn queues_that_are_too_small_or_too_large_are_refused_and_the_error_says_why() {
    in_time(|| {
        let name = QueueName::new();
        for options in [small().max_messages(0), small().max_message_size(0)] {
            assert_kind(options.open(&name), ErrorKind::InvalidInput);
        }
        for large in [100_000, usize::MAX / 2, usize::MAX] {
            let error = small().max_messages(large).open(&name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let text = error.to_string();
            assert!(text.contains(&large.to_string()) && text.contains(&*name), "{error}");
            #[cfg(target_os = "linux")]
            assert!(text.contains("/proc/sys/fs/mqueue/msg_max is "), "{error}");
        }
        assert_kind(small().max_message_size(1 << 30).open(&name), ErrorKind::InvalidInput);
        assert_kind(MessageQueueOptions::new().open(&name), ErrorKind::NotFound);
    });
}

#[test]
fn without_sizes_a_queue_is_of_the_system_s() {
    in_time(|| {
        let queue = MessageQueueOptions::new().create_new(true).open(QueueName::new()).unwrap();
        assert!(queue.max_messages() > 0 && queue.max_message_size() > 0);
        drop(queue);
        let queue =
            MessageQueueOptions::new().create_new(true).max_messages(1).open(QueueName::new()).unwrap();
        assert_eq!(queue.max_messages(), 1);
        assert!(queue.max_message_size() >= 1024);
        let queue =
            MessageQueueOptions::new().create_new(true).max_message_size(1).open(QueueName::new()).unwrap();
        assert_eq!((queue.max_messages(), queue.max_message_size()), (10, 1));
    });
}

/// Argument: a name.
fn without_room(arguments: &[String]) {
    #[cfg(target_os = "linux")]
    {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a limit.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_MSGQUEUE, &raw const none) }, 0);
    }
    let error = small().open(&arguments[0]).unwrap_err();
    say(error);
}

#[test]
#[cfg(target_os = "linux")]
fn that_a_user_has_used_up_the_room_is_said() {
    in_time(|| {
        let name = QueueName::new();
        let child = Child::start("without_room", &[&name]);
        let error = child.hear();
        assert!(error.contains("RLIMIT_MSGQUEUE") && error.contains(&*name), "{error}");
        child.finish();
    });
}

fn mode_of(queue: &MessageQueue) -> u32 {
    #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
    Mode::from_raw_mode(fstat(queue.as_fd()).unwrap().st_mode).bits().into()
}

/// Has a `umask` of its own.
fn modes(_: &[String]) {
    for umask in [0, 0o022, 0o777] {
        rustix::process::umask(Mode::from_bits_retain(umask));
        assert_eq!(mode_of(&nameless()), 0o600);
        for mode in [0, 0o200, 0o600, 0o622, 0o666, 0o777] {
            let name = QueueName::new();
            for open in [
                MessageQueueOptions::open,
                MessageQueueOptions::open_recver,
                MessageQueueOptions::open_sender,
            ] {
                let queue = open(&small().mode(mode), name.as_ref()).unwrap();
                assert_eq!(mode_of(&queue), mode);
                MessageQueue::unlink(&name).unwrap();
            }
        }
    }
    say("as asked for");
}

#[test]
fn the_mode_is_0600_or_as_asked_for_whatever_the_umask_is() {
    in_time(|| {
        let child = Child::start("modes", &[]);
        child.expect("as asked for");
        child.finish();
    });
}

/// Arguments: a name of ours, a name of its own, one for all.
fn as_another_user(arguments: &[String]) {
    if !become_another_user(ANOTHER_USER, &[]) {
        say("not allowed");
        return;
    }
    say(MessageQueueOptions::new().open(&arguments[0]).unwrap_err().kind());
    say(MessageQueue::unlink(&arguments[0]).unwrap_err().kind());
    let queue = small().mode(0o666).open(&arguments[1]).unwrap();
    // Root's is trusted.
    MessageQueueOptions::new().open_sender(&arguments[2]).unwrap().send(b"to root", 0).unwrap();
    say("made");
    say(String::from_utf8(recv(&queue).0).unwrap());
    hear();
    MessageQueue::unlink(&arguments[1]).unwrap();
}

#[test]
fn a_queue_of_another_user_is_opened_only_if_asked_for() {
    in_time(|| {
        let [ours, theirs, open_to_all] = [(); 3].map(|()| QueueName::new());
        let _ours = small().open(&ours).unwrap();
        let from_all = small().mode(0o622).open(&open_to_all).unwrap();
        let mut child = Child::start("as_another_user", &[&ours, &theirs, &open_to_all]);
        let said = child.hear();
        if said == "not allowed" {
            return;
        }
        assert_eq!(said, ErrorKind::PermissionDenied.to_string());
        child.expect(&ErrorKind::PermissionDenied.to_string());
        child.expect("made");
        assert_eq!(recv(&from_all).0, b"to root");
        for options in [MessageQueueOptions::new(), MessageQueueOptions::new().create(true)] {
            let error = options.open(&theirs).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.to_string().contains(&ANOTHER_USER.to_string()), "{error}");
        }
        MessageQueueOptions::new().any_owner(true).open(&theirs).unwrap().send(b"hello", 0).unwrap();
        child.expect("hello");
        child.say("done");
        child.finish();
    });
}

#[test]
fn a_name_that_was_removed_is_free_and_its_queue_goes_on() {
    in_time(|| {
        let name = QueueName::new();
        let [first, other] = [small().open(&name).unwrap(), open(&name)];
        MessageQueue::unlink(&name).unwrap();
        let second = small().open(&name).unwrap();
        first.send(b"first", 0).unwrap();
        second.send(b"second", 0).unwrap();
        assert_eq!(recv(&other).0, b"first");
        assert_eq!(recv(&open(&name)).0, b"second");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_is_removed_on_drop_only_by_its_creator_and_only_if_it_is_still_that_queue_s() {
    in_time(|| {
        let name = QueueName::new();
        let is_there = || MessageQueueOptions::new().open_sender(&name).is_ok();
        for open in
            [MessageQueueOptions::open, MessageQueueOptions::open_recver, MessageQueueOptions::open_sender]
        {
            let queue = open(&small().unlink_on_drop(true), name.as_ref()).unwrap();
            // Not by somebody who only opens it.
            drop(small().create_new(false).create(true).unlink_on_drop(true).open(&name).unwrap());
            assert!(is_there());
            drop(queue);
            assert!(!is_there());
        }
        // Not if it is another's by now.
        let first = small().unlink_on_drop(true).open(&name).unwrap();
        MessageQueue::unlink(&name).unwrap();
        let second = small().open(&name).unwrap();
        drop(first);
        assert!(is_there());
        // Not if the descriptor is given away.
        drop(second);
        MessageQueue::unlink(&name).unwrap();
        let fd = std::os::fd::OwnedFd::from(small().unlink_on_drop(true).open(&name).unwrap());
        drop(fd);
        assert!(is_there());
        // Not if it is gone.
        MessageQueue::unlink(&name).unwrap();
        let queue = small().unlink_on_drop(true).open(&name).unwrap();
        MessageQueue::unlink(&name).unwrap();
        drop(queue);
        // But if it can only be written to.
        drop(small().mode(0o200).unlink_on_drop(true).open(&name).unwrap());
        assert!(!is_there());
    });
}

#[test]
fn no_child_inherits_it() {
    let queue = nameless();
    assert!(fcntl_getfd(queue.as_fd()).unwrap().contains(FdFlags::CLOEXEC));
}

/// The queue is the standard input.
fn inherit(_: &[String]) {
    #[cfg(target_os = "linux")]
    {
        let queue = MessageQueue::try_from(io::stdin().as_fd().try_clone_to_owned().unwrap()).unwrap();
        let (message, priority) = recv(&queue);
        assert_eq!((queue.max_messages(), queue.max_message_size()), (4, 64));
        queue.send(&message, priority + 1).unwrap();
        say("sent");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_child_that_is_given_it_uses_it() {
    in_time(|| {
        let name = QueueName::new();
        let queue = small().open(&name).unwrap();
        let stdin = std::os::fd::OwnedFd::from(open(&name));
        let child = Child::spawn_with(&mut Child::command("inherit", &[]), stdin.into());
        queue.send(b"x", 3).unwrap();
        child.expect("sent");
        assert_eq!(recv(&queue), (b"x".to_vec(), 4));
        child.finish();
    });
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_no_queue_is_handed_back() {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    for fd in [reader, writer, null.into()] {
        let error = MessageQueue::try_from(fd).unwrap_err();
        assert!(error.cause.is_some());
        let back = error.source.unwrap();
        assert!(!rustix::fs::fcntl_getfl(back).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn deadlines_hold_for_a_descriptor_that_was_blocking() {
    in_time(|| {
        let fd = std::os::fd::OwnedFd::from(nameless());
        rustix::io::ioctl_fionbio(&fd, false).unwrap();
        let queue = MessageQueue::try_from(fd).unwrap();
        queue.set_recv_timeout(Some(SHORT)).unwrap();
        assert_kind(queue.recv(&mut Vec::new()), ErrorKind::TimedOut);
        // What it was opened for is known.
        let fd = std::os::fd::OwnedFd::from(small().open_sender(QueueName::new()).unwrap());
        assert_kind(MessageQueue::try_from(fd).unwrap().recv(&mut Vec::new()), ErrorKind::PermissionDenied);
    });
}

fn leak(_: &[String]) {
    let count = || std::fs::read_dir("/dev/fd").map_or(0, Iterator::count);
    let attempt = || {
        let name = QueueName::new();
        let queue = small().open(&name).unwrap();
        small().open(&name).unwrap_err();
        queue.send(b"x", 0).unwrap();
        queue.send(b"x", u32::MAX).unwrap_err();
        recv(&queue);
        small().max_messages(usize::MAX / 2).open(QueueName::new()).unwrap_err();
        #[cfg(target_os = "linux")]
        {
            let fd = std::os::fd::OwnedFd::from(queue);
            drop(MessageQueue::try_from(fd).unwrap());
            drop(small().unlink_on_drop(true).open(QueueName::new()).unwrap());
        }
    };
    attempt();
    let before = count();
    (0..100).for_each(|_| attempt());
    assert_eq!(count(), before);
    say("nothing");
}

#[test]
fn nothing_is_left_open() {
    in_time(|| {
        let child = Child::start("leak", &[]);
        child.expect("nothing");
        child.finish();
    });
}

/// Each behaviour on every runtime.
#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use futures_lite::future::{or, poll_once, zip};
    use interprocess::runtime::{Async, Runtime};

    type Queue<R> = Async<MessageQueue, R>;

    fn new<R: Runtime>() -> Queue<R> {
        nameless().try_into().unwrap()
    }

    async fn too_late<R: Runtime, T>() -> io::Result<T> {
        R::sleep(SHORT).await;
        Err(ErrorKind::TimedOut.into())
    }

    async fn messages_arrive_by_priority<R: Runtime>() {
        let queue = new::<R>();
        queue.send(b"later", 1).await.unwrap();
        queue.send(b"first", 2).await.unwrap();
        assert_eq!(queue.message_count().unwrap(), 2);
        let mut message = Vec::new();
        assert_eq!(queue.recv(&mut message).await.unwrap(), 2);
        assert_eq!(message, b"first");
        let mut buf = [0; 64];
        assert_eq!(queue.recv_into(&mut buf).await.unwrap(), (5, 1));
        assert_eq!(&buf[..5], b"later");
    }

    async fn receiving_waits_for_another_process<R: Runtime>() {
        let name = QueueName::new();
        let queue: Queue<R> = small().open_recver(&name).unwrap().try_into().unwrap();
        let mut message = Vec::new();
        for _ in 0..3 {
            let mut receiving = std::pin::pin!(queue.recv(&mut message));
            assert!(poll_once(&mut receiving).await.is_none());
            let child = Child::start("send", &[&name, "from the child"]);
            assert_eq!(receiving.await.unwrap(), 0);
            child.expect("sent");
            child.finish();
        }
        assert_eq!(message, b"from the child");
    }

    async fn sending_waits_for_room<R: Runtime>() {
        let queue = new::<R>();
        let sending = async {
            for number in 0..100 {
                queue.send(&[number], 0).await.unwrap();
            }
        };
        let receiving = async {
            let mut message = Vec::new();
            for number in 0..100 {
                queue.recv(&mut message).await.unwrap();
                assert_eq!(message, [number]);
            }
        };
        zip(sending, receiving).await;
    }

    async fn futures_that_are_dropped_lose_nothing_and_send_nothing<R: Runtime>() {
        let queue = new::<R>();
        let mut message = vec![1];
        assert_kind(or(queue.recv(&mut message), too_late::<R, _>()).await, ErrorKind::TimedOut);
        assert!(message.is_empty());
        for number in 0..4 {
            queue.send(&[number], 0).await.unwrap();
        }
        assert_kind(or(queue.send(b"no", 9), too_late::<R, _>()).await, ErrorKind::TimedOut);
        for number in 0..4 {
            queue.recv(&mut message).await.unwrap();
            assert_eq!(message, [number]);
        }
        assert_eq!(queue.message_count().unwrap(), 0);
    }

    async fn errors_do_not_wait<R: Runtime>() {
        let queue = new::<R>();
        assert_kind(queue.send(&[0; 65], 0).await, ErrorKind::InvalidInput);
        assert_kind(queue.send(b"", u32::MAX).await, ErrorKind::InvalidInput);
        let full = new::<R>();
        while full.get_ref().send(b"", 0).is_ok() {}
        // The runtime knows that there is no room once somebody has waited for it.
        assert_kind(or(full.send(b"", 0), too_late::<R, _>()).await, ErrorKind::TimedOut);
        assert_kind(full.send(&[0; 65], 0).await, ErrorKind::InvalidInput);
        assert_kind(full.send(b"", u32::MAX).await, ErrorKind::InvalidInput);
        assert_kind(queue.recv_into(&mut [0; 63]).await, ErrorKind::InvalidInput);
        let recver: Queue<R> = small().open_recver(QueueName::new()).unwrap().try_into().unwrap();
        assert_kind(recver.send(b"", 0).await, ErrorKind::PermissionDenied);
        let sender: Queue<R> = small().open_sender(QueueName::new()).unwrap().try_into().unwrap();
        assert_kind(sender.recv(&mut Vec::new()).await, ErrorKind::PermissionDenied);
        assert_kind(sender.recv_into(&mut [0; 64]).await, ErrorKind::PermissionDenied);
    }

    async fn it_becomes_blocking_again<R: Runtime>() {
        let queue = new::<R>();
        queue.send(b"x", 0).await.unwrap();
        let queue = MessageQueue::try_from(queue).unwrap();
        assert_eq!(recv(&queue).0, b"x");
        queue.set_recv_timeout(Some(SHORT)).unwrap();
        assert_kind(queue.recv(&mut Vec::new()), ErrorKind::TimedOut);
    }

    macro_rules! test_everywhere {
        ($($test:ident)+) => {
            #[cfg(feature = "tokio")]
            mod on_tokio {$(
                #[test]
                fn $test() {
                    super::super::in_time(|| {
                        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                        runtime.block_on(super::$test::<interprocess::runtime::Tokio>());
                    });
                }
            )+}
            #[cfg(feature = "smol")]
            mod on_smol {$(
                #[test]
                fn $test() {
                    super::super::in_time(|| async_io::block_on(super::$test::<interprocess::runtime::Smol>()));
                }
            )+}
        };
    }
    test_everywhere! {
        messages_arrive_by_priority
        receiving_waits_for_another_process
        sending_waits_for_room
        futures_that_are_dropped_lose_nothing_and_send_nothing
        errors_do_not_wait
        it_becomes_blocking_again
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn outside_of_a_tokio_runtime_it_is_an_error() {
        interprocess::os::unix::message_queue::tokio::MessageQueue::try_from(nameless()).unwrap_err();
    }
}
