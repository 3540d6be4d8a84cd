//! The async faces: each behaviour on every runtime, and with every way of running tasks.

#![cfg(any(feature = "smol", feature = "tokio"))]

use crate::{
    streams::{bytes, check},
    support::{LIMIT, TestName, in_time, unique_path},
};
use interprocess::{
    ConnectWaitMode,
    os::windows::named_pipe::{
        self as blocking, MsgPart, PipeConnectOptions, PipeListenerOptions,
        pipe_mode::{Bytes, Messages, None as Nothing, PipeModeTag},
    },
    runtime::{Async, Runtime},
};
use std::{
    fmt::Debug,
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    thread,
    time::Duration,
};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(50);
const LENGTHS: [usize; 11] = [0, 1, 2, 4095, 4096, 4097, 65_535, 65_536, 65_537, 200_000, 1 << 20];

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Listener<E, Rm, Sm> = Async<blocking::PipeListener<Rm, Sm>, <E as Executor>::R>;
type Stream<E, Rm, Sm> = Async<blocking::PipeStream<Rm, Sm>, <E as Executor>::R>;
type Duplex<E, M> = Stream<E, M, M>;

/// A way of running tasks.
trait Executor: 'static {
    type R: Runtime;

    /// Runs it on a new runtime, which is gone when this returns.
    fn block_on<T>(future: impl Future<Output = T>) -> T;
    fn start(task: BoxFuture<()>);
    fn listen<Rm: PipeModeTag, Sm: PipeModeTag>(
        options: &PipeListenerOptions,
    ) -> io::Result<Listener<Self, Rm, Sm>>;
    fn connect<Rm: PipeModeTag, Sm: PipeModeTag>(
        options: PipeConnectOptions,
    ) -> BoxFuture<io::Result<Stream<Self, Rm, Sm>>>;
}

/// The rest of an executor that runs its tasks as another does.
macro_rules! same_as {
    ($other:ty) => {
        type R = <$other as Executor>::R;

        fn listen<Rm: PipeModeTag, Sm: PipeModeTag>(
            options: &PipeListenerOptions,
        ) -> io::Result<Listener<Self, Rm, Sm>> {
            <$other>::listen(options)
        }

        fn connect<Rm: PipeModeTag, Sm: PipeModeTag>(
            options: PipeConnectOptions,
        ) -> BoxFuture<io::Result<Stream<Self, Rm, Sm>>> {
            <$other>::connect(options)
        }
    };
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use interprocess::runtime::Tokio;
    use tokio::runtime::Builder;

    pub(crate) struct OneThread;
    pub(crate) struct Threads;

    impl Executor for OneThread {
        type R = Tokio;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
        }

        fn start(task: BoxFuture<()>) {
            tokio::spawn(task);
        }

        fn listen<Rm: PipeModeTag, Sm: PipeModeTag>(
            options: &PipeListenerOptions,
        ) -> io::Result<Listener<Self, Rm, Sm>> {
            options.create_tokio()
        }

        fn connect<Rm: PipeModeTag, Sm: PipeModeTag>(
            options: PipeConnectOptions,
        ) -> BoxFuture<io::Result<Stream<Self, Rm, Sm>>> {
            Box::pin(async move { options.connect_tokio().await })
        }
    }

    impl Executor for Threads {
        same_as!(OneThread);

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap().block_on(future)
        }

        fn start(task: BoxFuture<()>) {
            OneThread::start(task);
        }
    }
}

#[cfg(feature = "smol")]
mod on_smol {
    use super::*;
    use interprocess::runtime::Smol;
    use std::cell::RefCell;

    /// All tasks are polled whenever one of them is woken.
    pub(crate) struct OneThread;
    /// Each task has a thread.
    pub(crate) struct Threads;

    thread_local! {
        static STARTED: RefCell<Vec<BoxFuture<()>>> = const { RefCell::new(Vec::new()) };
    }

    impl Executor for OneThread {
        type R = Smol;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            let mut future = pin!(future);
            let mut tasks: Vec<BoxFuture<()>> = Vec::new();
            let result = async_io::block_on(poll_fn(|cx| {
                let result = future.as_mut().poll(cx);
                loop {
                    tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
                    let started = STARTED.take();
                    if started.is_empty() {
                        return result;
                    }
                    tasks.extend(started);
                }
            }));
            drop(tasks);
            result
        }

        fn start(task: BoxFuture<()>) {
            STARTED.with_borrow_mut(|started| started.push(task));
        }

        fn listen<Rm: PipeModeTag, Sm: PipeModeTag>(
            options: &PipeListenerOptions,
        ) -> io::Result<Listener<Self, Rm, Sm>> {
            options.create_smol()
        }

        fn connect<Rm: PipeModeTag, Sm: PipeModeTag>(
            options: PipeConnectOptions,
        ) -> BoxFuture<io::Result<Stream<Self, Rm, Sm>>> {
            Box::pin(async move { options.connect_smol().await })
        }
    }

    impl Executor for Threads {
        same_as!(OneThread);

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            async_io::block_on(future)
        }

        fn start(task: BoxFuture<()>) {
            thread::spawn(move || async_io::block_on(task));
        }
    }
}

/// Makes a test of each function for each executor.
macro_rules! test_everywhere {
    ($($test:ident)+) => {
        #[cfg(feature = "tokio")]
        mod tokio_on_one_thread {
            $(#[test] fn $test() { super::run::<super::on_tokio::OneThread, _>(super::$test::<super::on_tokio::OneThread>); })+
        }
        #[cfg(feature = "tokio")]
        mod tokio_on_threads {
            $(#[test] fn $test() { super::run::<super::on_tokio::Threads, _>(super::$test::<super::on_tokio::Threads>); })+
        }
        #[cfg(feature = "smol")]
        mod smol_on_one_thread {
            $(#[test] fn $test() { super::run::<super::on_smol::OneThread, _>(super::$test::<super::on_smol::OneThread>); })+
        }
        #[cfg(feature = "smol")]
        mod smol_on_threads {
            $(#[test] fn $test() { super::run::<super::on_smol::Threads, _>(super::$test::<super::on_smol::Threads>); })+
        }
    };
}

/// Runs a test with a name of its own, within the limit.
fn run<E: Executor, F: Future<Output = ()> + 'static>(test: fn(TestName) -> F) {
    in_time(move || E::block_on(test(unique_path())));
}

/// The result of a task. One that panics never ends, which the limit sees to.
struct Task<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<T> {
        let mut slot = self.0.lock().unwrap();
        slot.1 = Some(cx.waker().clone());
        slot.0.take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Starts a task.
fn spawn<E: Executor, T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Task<T> {
    let slot = Arc::new(Mutex::new((None, None::<Waker>)));
    let result = Arc::clone(&slot);
    E::start(Box::pin(async move {
        let output = future.await;
        let mut slot = result.lock().unwrap();
        slot.0 = Some(output);
        let waker = slot.1.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }));
    Task(slot)
}

/// Polls once. `None`: it is not ready.
async fn poll_once<F: Future>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Whether it is not ready when it is polled for the first time. Then it is dropped.
async fn waits<F: Future>(future: F) -> bool {
    poll_once(&mut Box::pin(future)).await.is_none()
}

/// `None` if it takes too long. The future is dropped then.
async fn limited<E: Executor, T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut sleep) = (pin!(future), pin!(E::R::sleep(limit)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Lets others go first, once.
async fn yield_now() {
    let mut is_first = true;
    poll_fn(|cx| {
        if mem::take(&mut is_first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// The server's end and the client's.
async fn pair<E: Executor, Rm: PipeModeTag, Sm: PipeModeTag>(
    name: &TestName,
) -> (Stream<E, Rm, Sm>, Stream<E, Sm, Rm>) {
    let listener = E::listen::<Rm, Sm>(&listen_options(name)).unwrap();
    let client = Stream::<E, Sm, Rm>::connect_by_path(&**name).await.unwrap();
    let server = listener.accept().await.unwrap();
    (server, client)
}

fn listen_options(name: &TestName) -> PipeListenerOptions {
    PipeListenerOptions::new().path(&**name)
}

fn connect_options(name: &TestName) -> PipeConnectOptions {
    PipeConnectOptions::new().path(&**name)
}

async fn next<Sm: PipeModeTag, R: Runtime>(stream: &Async<blocking::PipeStream<Messages, Sm>, R>) -> Vec<u8> {
    let mut msg = Vec::new();
    let len = stream.recv_msg(&mut msg).await.unwrap();
    assert_eq!(len, Some(msg.len()), "the stream ended");
    msg
}

async fn send_all<Rm: PipeModeTag, R: Runtime>(
    stream: &Async<blocking::PipeStream<Rm, Bytes>, R>,
    bytes: &[u8],
) {
    let mut sent = 0;
    while sent < bytes.len() {
        sent += stream.send(&bytes[sent..]).await.unwrap();
    }
}

async fn recv_exact<Sm: PipeModeTag, R: Runtime>(
    stream: &Async<blocking::PipeStream<Bytes, Sm>, R>,
    len: usize,
) -> Vec<u8> {
    let mut buf = vec![0; len];
    let mut filled = 0;
    while filled < len {
        let received = stream.recv(&mut buf[filled..]).await.unwrap();
        assert_ne!(received, 0, "the stream ended");
        filled += received;
    }
    buf
}

#[track_caller]
fn assert_kind<T: Debug>(result: io::Result<T>, kind: ErrorKind) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
}

test_everywhere! {
    messages_of_every_length_arrive_whole_and_in_order
    a_message_of_zero_bytes_is_not_the_end
    megabytes_go_both_ways_at_once
    parts_and_peeks_of_messages_are_what_they_are_when_blocking
    a_message_that_is_too_long_is_an_error_and_stays
    one_direction_may_carry_bytes_and_the_other_messages
    a_read_that_waits_delays_no_write
    dropped_receives_lose_no_message
    dropped_receives_of_bytes_lose_none
    dropped_sends_were_not_sent_and_finished_ones_were
    dropped_accepts_lose_no_client
    tasks_that_receive_at_once_get_each_message_once
    tasks_that_send_at_once_send_whole_messages
    many_tasks_wait_for_one_stream_and_all_are_served
    questions_get_their_answers
    a_question_is_not_sent_while_something_waits_to_be_received
    a_question_is_not_sent_while_another_task_receives
    the_answer_to_a_question_that_was_given_up_is_the_next_message
    asking_a_peer_that_is_gone_is_a_broken_pipe
    when_the_peer_is_gone_there_is_an_end_and_a_broken_pipe
    those_who_wait_hear_that_the_peer_has_gone
    halves_work_by_themselves_and_together_again
    flushing_waits_for_what_is_on_its_way
    dropping_with_a_write_in_flight_loses_nothing
    connecting_waits_for_a_free_instance
    connecting_waits_for_the_server_if_it_is_told_to
    connecting_gives_up_in_time
    a_connect_that_was_given_up_leaves_no_client
    stopping_wakes_all_who_accept
    a_stream_that_becomes_blocking_and_async_again_keeps_what_was_read_ahead
    a_listener_that_becomes_blocking_keeps_its_clients
}

async fn messages_of_every_length_arrive_whole_and_in_order<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let sender = spawn::<E, _>(async move {
        for round in 0..2 {
            for len in LENGTHS {
                assert_eq!(client.send(&bytes(round, len)).await.unwrap(), len);
            }
        }
        client.flush().await.unwrap();
    });
    let mut msg = Vec::new();
    for len in LENGTHS {
        check(0, &next(&server).await, len);
    }
    for len in LENGTHS {
        assert_eq!(server.recv_msg(&mut msg).await.unwrap(), Some(len));
        check(1, &msg, len);
    }
    sender.await;
    assert_eq!(server.recv_msg(&mut msg).await.unwrap(), None);
}

async fn a_message_of_zero_bytes_is_not_the_end<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let mut msg = b"old".to_vec();
    assert!(waits(server.recv_msg(&mut msg)).await);
    client.send(b"").await.unwrap();
    assert_eq!(server.recv_msg(&mut msg).await.unwrap(), Some(0));
    assert!(msg.is_empty());
    client.send(b"").await.unwrap();
    let part = MsgPart { len: 0, is_last: true };
    assert_eq!(server.peek_part(&mut [0; 4]).await.unwrap(), Some(part));
    assert_eq!(server.recv_part(&mut [0; 4]).await.unwrap(), Some(part));
    drop(client);
    assert_eq!(server.peek_part(&mut [0; 4]).await.unwrap(), None);
    assert_eq!(server.recv_part(&mut [0; 4]).await.unwrap(), None);
    assert_eq!(server.recv_msg(&mut msg).await.unwrap(), None);
}

async fn megabytes_go_both_ways_at_once<E: Executor>(name: TestName) {
    const LEN: usize = 2 << 20;
    let (server, client) = pair::<E, Bytes, Bytes>(&name).await;
    let (server, client) = (Arc::new(server), Arc::new(client));
    let mut tasks = Vec::new();
    for (seed, stream) in [(1, server), (2, client)] {
        let writer = Arc::clone(&stream);
        tasks.push(spawn::<E, _>(async move { send_all(&writer, &bytes(seed, LEN)).await }));
        tasks.push(spawn::<E, _>(async move {
            check(3 - seed, &recv_exact(&stream, LEN).await, LEN);
        }));
    }
    for task in tasks {
        task.await;
    }
}

async fn parts_and_peeks_of_messages_are_what_they_are_when_blocking<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let mut buf = [0; 20];
    assert!(waits(server.peek_part(&mut buf[..3])).await);
    assert!(waits(server.recv_part(&mut buf[..3])).await);
    client.send(b"0123456789").await.unwrap();
    let part = |len, is_last| Some(MsgPart { len, is_last });
    assert_eq!(server.peek_part(&mut buf[..2]).await.unwrap(), part(2, false));
    assert_eq!(server.peek_msg_len().unwrap(), 10);
    assert_eq!(server.peek_part(&mut buf).await.unwrap(), part(10, true));
    assert_eq!(server.recv_part(&mut buf[..4]).await.unwrap(), part(4, false));
    assert_eq!(&buf[..4], b"0123");
    assert_eq!(next(&server).await, b"456789");
    assert_eq!(server.peek_msg_len().unwrap(), 0);
}

async fn a_message_that_is_too_long_is_an_error_and_stays<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    server.set_max_msg_len(9999);
    client.send(&bytes(1, 10_000)).await.unwrap();
    for _ in 0..2 {
        assert_kind(server.recv_msg(&mut Vec::new()).await, ErrorKind::InvalidData);
    }
    server.set_max_msg_len(10_000);
    check(1, &next(&server).await, 10_000);
}

async fn one_direction_may_carry_bytes_and_the_other_messages<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Bytes>(&name).await;
    client.send(b"one").await.unwrap();
    client.send(b"two").await.unwrap();
    send_all(&server, b"three").await;
    send_all(&server, b"four").await;
    assert_eq!(next(&server).await, b"one");
    assert_eq!(next(&server).await, b"two");
    assert_eq!(recv_exact(&client, 9).await, b"threefour");

    let name = unique_path();
    let (server, client) = pair::<E, Nothing, Messages>(&name).await;
    server.send(b"one way").await.unwrap();
    assert_eq!(next(&client).await, b"one way");
    assert!(server.is_server() && client.is_client());
}

async fn a_read_that_waits_delays_no_write<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let (server, client) = (Arc::new(server), Arc::new(client));
    let receiver = Arc::clone(&client);
    let receiver = spawn::<E, _>(async move { next(&receiver).await });
    assert!(waits(client.recv_msg(&mut Vec::new())).await);
    client.send(b"question").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(next(&server).await, b"question");
    server.send(b"answer").await.unwrap();
    assert_eq!(receiver.await, b"answer");
}

/// Numbers with something after them.
fn numbered(number: u32) -> Vec<u8> {
    let len = if number % 100 == 7 { 100_000 } else { number as usize * 13 % 6000 };
    [&number.to_le_bytes()[..], &bytes(number, len)].concat()
}

async fn dropped_receives_lose_no_message<E: Executor>(name: TestName) {
    const COUNT: u32 = 1000;
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let sender = spawn::<E, _>(async move {
        for number in 0..COUNT {
            client.send(&numbered(number)).await.unwrap();
            if number % 3 == 0 {
                yield_now().await;
            }
        }
        client.flush().await.unwrap();
    });
    let mut dropped = 0;
    let mut msg = Vec::new();
    let mut number = 0;
    while number < COUNT || dropped < 1000 {
        let way = dropped % 5;
        let received = match way {
            // Dropped at the first wait, after a while, and with another method in between.
            0 => poll_once(&mut Box::pin(server.recv_msg(&mut msg))).await,
            1 if number < COUNT => {
                limited::<E, _>(Duration::from_micros(30), server.recv_msg(&mut msg)).await
            }
            2 => {
                let mut head = [0; 4];
                let peeked = poll_once(&mut Box::pin(server.peek_part(&mut head))).await;
                if let Some(Some(part)) = peeked.transpose().unwrap() {
                    assert_eq!(head[..part.len], number.to_le_bytes()[..part.len]);
                }
                None
            }
            _ => limited::<E, _>(Duration::ZERO, server.recv_msg(&mut msg)).await,
        };
        match received {
            Some(Ok(Some(_))) => {
                assert!(msg == numbered(number), "number {number} is not");
                number += 1;
            }
            Some(Ok(None)) => {
                assert_eq!(number, COUNT);
                break;
            }
            Some(Err(error)) => panic!("{error:?}"),
            None => dropped += 1,
        }
        if number == COUNT && dropped >= 1000 {
            break;
        }
        if way == 4 {
            yield_now().await;
        }
    }
    sender.await;
    assert_eq!(number, COUNT);
    assert_eq!(server.recv_msg(&mut msg).await.unwrap(), None);
}

async fn dropped_receives_of_bytes_lose_none<E: Executor>(name: TestName) {
    const LEN: usize = 300_000;
    let (server, client) = pair::<E, Bytes, Bytes>(&name).await;
    let sender = spawn::<E, _>(async move {
        for piece in bytes(5, LEN).chunks(777) {
            send_all(&client, piece).await;
            yield_now().await;
        }
        client.flush().await.unwrap();
    });
    let mut all = Vec::new();
    let mut buf = vec![0; 1000];
    let mut turn = 0;
    while all.len() < LEN {
        turn += 1;
        let received = match turn % 3 {
            0 => poll_once(&mut Box::pin(server.recv(&mut buf[..500]))).await,
            1 => {
                let _ = poll_once(&mut Box::pin(server.peek(&mut buf[..50]))).await;
                None
            }
            _ => limited::<E, _>(Duration::from_micros(100), server.recv(&mut buf)).await,
        };
        if let Some(len) = received {
            all.extend_from_slice(&buf[..len.unwrap()]);
        }
    }
    check(5, &all, LEN);
    sender.await;
}

async fn dropped_sends_were_not_sent_and_finished_ones_were<E: Executor>(name: TestName) {
    const COUNT: u32 = 200;
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let receiver = spawn::<E, _>(async move {
        let mut msg = Vec::new();
        for number in 0..COUNT {
            assert!(server.recv_msg(&mut msg).await.unwrap().is_some());
            assert!(
                msg == [&number.to_le_bytes()[..], &bytes(number, 20_000)].concat(),
                "number {number} is not"
            );
            yield_now().await;
        }
        assert_eq!(server.recv_msg(&mut msg).await.unwrap(), None);
    });
    let mut number = 0;
    let mut dropped = 0;
    while number < COUNT {
        let msg = [&number.to_le_bytes()[..], &bytes(number, 20_000)].concat();
        match limited::<E, _>(Duration::from_micros(20), client.send(&msg)).await {
            Some(sent) => {
                assert_eq!(sent.unwrap(), msg.len());
                number += 1;
            }
            None => dropped += 1,
        }
    }
    drop(client);
    receiver.await;
    let _ = dropped;
}

async fn dropped_accepts_lose_no_client<E: Executor>(name: TestName) {
    const CLIENTS: u32 = 20;
    let listener = E::listen::<Messages, Messages>(&listen_options(&name)).unwrap();
    let name = Arc::new(name);
    let clients = spawn::<E, _>(async move {
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            let client = Duplex::<E, Messages>::connect_by_path(&**name).await.unwrap();
            client.send(&number.to_le_bytes()).await.unwrap();
            clients.push(client);
            yield_now().await;
        }
        clients
    });
    let mut servers = Vec::new();
    while servers.len() < CLIENTS as usize {
        if let Some(server) = limited::<E, _>(Duration::from_micros(200), listener.accept()).await {
            servers.push(server.unwrap());
        }
    }
    let clients = clients.await;
    assert!(waits(listener.accept()).await);
    let mut numbers = Vec::new();
    for server in &servers {
        numbers.push(u32::from_le_bytes(next(server).await.try_into().unwrap()));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..CLIENTS).collect::<Vec<_>>());
    drop(clients);
}

async fn tasks_that_receive_at_once_get_each_message_once<E: Executor>(name: TestName) {
    const COUNT: u32 = 300;
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let server = Arc::new(server);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let server = Arc::clone(&server);
            spawn::<E, _>(async move {
                let (mut msg, mut seen) = (Vec::new(), Vec::new());
                while server.recv_msg(&mut msg).await.unwrap().is_some() {
                    let number = u32::from_le_bytes(msg[..4].try_into().unwrap());
                    assert!(msg == numbered(number));
                    seen.push(number);
                }
                seen
            })
        })
        .collect();
    for number in 0..COUNT {
        client.send(&numbered(number)).await.unwrap();
    }
    drop(client);
    let mut seen = Vec::new();
    for task in tasks {
        seen.append(&mut task.await);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..COUNT).collect::<Vec<_>>());
}

async fn tasks_that_send_at_once_send_whole_messages<E: Executor>(name: TestName) {
    const COUNT: u32 = 50;
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let client = Arc::new(client);
    for task in 0..4 {
        let client = Arc::clone(&client);
        drop(spawn::<E, _>(async move {
            for number in 0..COUNT {
                client.send(&numbered(task * COUNT + number)).await.unwrap();
            }
        }));
    }
    drop(client);
    let mut seen = Vec::new();
    let mut msg = Vec::new();
    while server.recv_msg(&mut msg).await.unwrap().is_some() {
        let number = u32::from_le_bytes(msg[..4].try_into().unwrap());
        assert!(msg == numbered(number));
        seen.push(number);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..4 * COUNT).collect::<Vec<_>>());
}

async fn many_tasks_wait_for_one_stream_and_all_are_served<E: Executor>(name: TestName) {
    const TASKS: u32 = 40;
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let server = Arc::new(server);
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let server = Arc::clone(&server);
            spawn::<E, _>(async move { next(&server).await })
        })
        .collect();
    yield_now().await;
    for number in 0..TASKS {
        client.send(&number.to_le_bytes()).await.unwrap();
    }
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(u32::from_le_bytes(task.await.try_into().unwrap()));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..TASKS).collect::<Vec<_>>());
}

async fn questions_get_their_answers<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let echo = spawn::<E, _>(async move {
        let mut question = Vec::new();
        while server.recv_msg(&mut question).await.unwrap().is_some() {
            server.send(&question).await.unwrap();
        }
    });
    for capacity in [0, 100, 70_000] {
        for len in LENGTHS {
            let mut answer = Vec::with_capacity(capacity);
            assert_eq!(client.transact(&bytes(3, len), &mut answer).await.unwrap(), Some(len));
            check(3, &answer, len);
        }
    }
    // After what was sent and may be on its way.
    client.send(&bytes(4, 300_000)).await.unwrap();
    assert_eq!(next(&client).await.len(), 300_000);
    drop(client);
    echo.await;
}

async fn a_question_is_not_sent_while_something_waits_to_be_received<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let mut answer = Vec::new();
    for is_read_ahead in [false, true] {
        if is_read_ahead {
            assert!(waits(client.recv_msg(&mut answer)).await);
        }
        server.send(b"early").await.unwrap();
        assert_kind(client.transact(b"?", &mut answer).await, ErrorKind::ResourceBusy);
        assert!(waits(server.recv_msg(&mut answer)).await);
        assert_eq!(next(&client).await, b"early");
    }
    // One that asks already.
    let mut asking = Box::pin(client.transact(b"first", &mut answer));
    assert!(poll_once(&mut asking).await.is_none());
    assert_kind(client.transact(b"second", &mut Vec::new()).await, ErrorKind::ResourceBusy);
    assert_kind(client.recv_msg(&mut Vec::new()).await, ErrorKind::ResourceBusy);
    assert_eq!(next(&server).await, b"first");
    assert!(waits(server.recv_msg(&mut Vec::new())).await);
    server.send(b"answer").await.unwrap();
    assert_eq!(asking.await.unwrap(), Some(6));
    assert_eq!(answer, b"answer");
}

async fn a_question_is_not_sent_while_another_task_receives<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let mut msg = Vec::new();
    let mut receiving = Box::pin(client.recv_msg(&mut msg));
    assert!(poll_once(&mut receiving).await.is_none());
    assert_kind(client.transact(b"?", &mut Vec::new()).await, ErrorKind::ResourceBusy);
    assert!(waits(server.recv_msg(&mut Vec::new())).await);
    server.send(b"for the other").await.unwrap();
    assert_eq!(receiving.await.unwrap(), Some(13));
    assert_eq!(msg, b"for the other");
    // One that has given up is in nobody's way.
    assert!(waits(client.recv_msg(&mut msg)).await);
    let mut answer = Vec::new();
    let mut asking = Box::pin(client.transact(b"?", &mut answer));
    assert!(poll_once(&mut asking).await.is_none());
    assert_eq!(next(&server).await, b"?");
    server.send(b"answer").await.unwrap();
    assert_eq!(asking.await.unwrap(), Some(6));
}

async fn the_answer_to_a_question_that_was_given_up_is_the_next_message<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    for len in [0, 10, 100_000] {
        let mut answer = Vec::new();
        assert!(limited::<E, _>(SHORT, client.transact(b"?", &mut answer)).await.is_none());
        assert_kind(client.transact(b"another", &mut answer).await, ErrorKind::ResourceBusy);
        assert_eq!(next(&server).await, b"?");
        server.send(&bytes(1, len)).await.unwrap();
        check(1, &next(&client).await, len);
        // And then all is as it was.
        let mut asking = Box::pin(client.transact(b"again", &mut answer));
        assert!(poll_once(&mut asking).await.is_none());
        assert_eq!(next(&server).await, b"again");
        server.send(b"answer").await.unwrap();
        assert_eq!(asking.await.unwrap(), Some(6));
    }
}

async fn asking_a_peer_that_is_gone_is_a_broken_pipe<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    let mut answer = Vec::new();
    let mut asking = Box::pin(client.transact(b"?", &mut answer));
    assert!(poll_once(&mut asking).await.is_none());
    assert_eq!(next(&server).await, b"?");
    drop(server);
    assert_eq!(asking.await.unwrap(), None);
    assert_kind(client.transact(b"?", &mut answer).await, ErrorKind::BrokenPipe);
}

async fn when_the_peer_is_gone_there_is_an_end_and_a_broken_pipe<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Bytes>(&name).await;
    client.send(b"left").await.unwrap();
    drop(client);
    assert!(server.is_peer_gone().unwrap());
    assert_eq!(next(&server).await, b"left");
    for _ in 0..2 {
        assert_eq!(server.recv_msg(&mut Vec::new()).await.unwrap(), None);
        assert_kind(server.send(b"x").await, ErrorKind::BrokenPipe);
    }
    server.flush().await.unwrap();
}

async fn those_who_wait_hear_that_the_peer_has_gone<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Bytes>(&name).await;
    let server = Arc::new(server);
    let (receiver, sender) = (Arc::clone(&server), Arc::clone(&server));
    let receiver = spawn::<E, _>(async move { receiver.recv_msg(&mut Vec::new()).await.unwrap() });
    let sender = spawn::<E, _>(async move {
        let all = bytes(1, 50_000);
        loop {
            if let Err(error) = sender.send(&all).await {
                return error.kind();
            }
        }
    });
    recv_exact(&client, 200_000).await;
    drop(client);
    assert_eq!(receiver.await, None);
    assert_eq!(sender.await, ErrorKind::BrokenPipe);
}

async fn halves_work_by_themselves_and_together_again<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Bytes>(&name).await;
    assert!(waits(server.recv_msg(&mut Vec::new())).await);
    let (reader, writer) = server.split();
    let (client_reader, client_writer) = client.split();
    let receiver = spawn::<E, _>(async move { (next(&reader).await, reader) });
    client_writer.send(b"message").await.unwrap();
    let (msg, reader) = receiver.await;
    assert_eq!(msg, b"message");
    send_all(&writer, b"bytes").await;
    assert_eq!(recv_exact(&client_reader, 5).await, b"bytes");
    let server = Async::<blocking::PipeStream<_, _>, _>::reunite(reader, writer).unwrap();
    let client = Async::<blocking::PipeStream<_, _>, _>::reunite(client_reader, client_writer).unwrap();
    client.send(b"whole").await.unwrap();
    assert_eq!(next(&server).await, b"whole");

    let other = unique_path();
    let (other, _client) = pair::<E, Messages, Bytes>(&other).await;
    let (reader, writer) = server.split();
    let (other_reader, other_writer) = other.split();
    let error = Async::<blocking::PipeStream<_, _>, _>::reunite(reader, other_writer).unwrap_err();
    let server = Async::<blocking::PipeStream<_, _>, _>::reunite(error.rh, writer).unwrap();
    Async::<blocking::PipeStream<_, _>, _>::reunite(other_reader, error.sh).unwrap();
    client.send(b"still").await.unwrap();
    assert_eq!(next(&server).await, b"still");
}

async fn flushing_waits_for_what_is_on_its_way<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    client.flush().await.unwrap();
    client.send(&bytes(1, 500_000)).await.unwrap();
    assert!(limited::<E, _>(SHORT, client.flush()).await.is_none());
    assert!(limited::<E, _>(SHORT, client.send(b"more")).await.is_none());
    let mut flush = Box::pin(client.flush());
    assert!(poll_once(&mut flush).await.is_none());
    check(1, &next(&server).await, 500_000);
    flush.await.unwrap();
    client.assume_flushed();
    client.mark_dirty();
}

async fn dropping_with_a_write_in_flight_loses_nothing<E: Executor>(name: TestName) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    client.send(b"first").await.unwrap();
    client.send(&bytes(1, 500_000)).await.unwrap();
    client.evade_limbo();
    assert_eq!(next(&server).await, b"first");
    check(1, &next(&server).await, 500_000);
    assert_eq!(server.recv_msg(&mut Vec::new()).await.unwrap(), None);
}

async fn connecting_waits_for_a_free_instance<E: Executor>(name: TestName) {
    let options = listen_options(&name).instance_limit(std::num::NonZeroU8::new(1));
    let listener = E::listen::<Bytes, Bytes>(&options).unwrap();
    let first = Duplex::<E, Bytes>::connect_by_path(&*name).await.unwrap();
    let server = listener.accept().await.unwrap();
    let path = connect_options(&name);
    let second = spawn::<E, _>(async move { E::connect::<Bytes, Bytes>(path).await.unwrap() });
    let deferred = connect_options(&name).wait_mode(ConnectWaitMode::Deferred);
    assert_kind(E::connect::<Bytes, Bytes>(deferred).await, ErrorKind::WouldBlock);
    drop((first, server));
    let second = second.await;
    let server = listener.accept().await.unwrap();
    send_all(&second, b"x").await;
    assert_eq!(recv_exact(&server, 1).await, b"x");
}

async fn connecting_waits_for_the_server_if_it_is_told_to<E: Executor>(name: TestName) {
    let options = connect_options(&name).wait_for_server(true);
    assert_kind(E::connect::<Bytes, Bytes>(connect_options(&name)).await, ErrorKind::NotFound);
    let client = spawn::<E, _>(async move { E::connect::<Bytes, Bytes>(options).await.unwrap() });
    assert!(waits(E::connect::<Bytes, Bytes>(connect_options(&name).wait_for_server(true))).await);
    let listener = E::listen::<Bytes, Bytes>(&listen_options(&name)).unwrap();
    let server = listener.accept().await.unwrap();
    send_all(&client.await, b"x").await;
    assert_eq!(recv_exact(&server, 1).await, b"x");
}

async fn connecting_gives_up_in_time<E: Executor>(name: TestName) {
    let limit = ConnectWaitMode::Timeout(SHORT);
    let start = std::time::Instant::now();
    let options = connect_options(&name).wait_mode(limit).wait_for_server(true);
    // That it does not exist is what it says in the end.
    E::connect::<Bytes, Bytes>(options).await.unwrap_err();
    assert!(start.elapsed() >= SHORT);

    let options = listen_options(&name).instance_limit(std::num::NonZeroU8::new(1));
    let listener = E::listen::<Bytes, Bytes>(&options).unwrap();
    let _first = Duplex::<E, Bytes>::connect_by_path(&*name).await.unwrap();
    let _server = listener.accept().await.unwrap();
    let start = std::time::Instant::now();
    let second = Duplex::<E, Bytes>::connect_by_path_with_wait_mode(&*name, limit).await;
    assert_kind(second, ErrorKind::TimedOut);
    assert!(start.elapsed() >= SHORT && start.elapsed() < LIMIT / 2);
}

async fn a_connect_that_was_given_up_leaves_no_client<E: Executor>(name: TestName) {
    let options = listen_options(&name).instance_limit(std::num::NonZeroU8::new(1));
    let listener = E::listen::<Bytes, Bytes>(&options).unwrap();
    let first = Duplex::<E, Bytes>::connect_by_path(&*name).await.unwrap();
    let server = listener.accept().await.unwrap();
    for _ in 0..5 {
        let connecting = Duplex::<E, Bytes>::connect_by_path(&*name);
        assert!(limited::<E, _>(Duration::from_millis(3), connecting).await.is_none());
    }
    drop((first, server));
    assert!(limited::<E, _>(SHORT, listener.accept()).await.is_none());
    let client = Duplex::<E, Bytes>::connect_by_path(&*name).await.unwrap();
    let server = listener.accept().await.unwrap();
    send_all(&client, b"x").await;
    assert_eq!(recv_exact(&server, 1).await, b"x");
}

async fn stopping_wakes_all_who_accept<E: Executor>(name: TestName) {
    let listener = Arc::new(E::listen::<Bytes, Bytes>(&listen_options(&name)).unwrap());
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let listener = Arc::clone(&listener);
            spawn::<E, _>(async move { listener.accept().await.unwrap_err().kind() })
        })
        .collect();
    assert!(waits(listener.accept()).await);
    listener.stop();
    for task in tasks {
        assert_eq!(task.await, ErrorKind::BrokenPipe);
    }
    assert_kind(listener.accept().await, ErrorKind::BrokenPipe);
    assert_eq!(listener.path(), &*name);
}

async fn a_stream_that_becomes_blocking_and_async_again_keeps_what_was_read_ahead<E: Executor>(
    name: TestName,
) {
    let (server, client) = pair::<E, Messages, Messages>(&name).await;
    assert!(waits(server.recv_msg(&mut Vec::new())).await);
    for round in 0..3 {
        client.send(&bytes(round, 50)).await.unwrap();
    }
    let server = blocking::PipeStream::try_from(server).unwrap();
    assert!(!server.is_nonblocking().unwrap());
    let mut msg = Vec::new();
    assert_eq!(server.recv_msg(&mut msg).unwrap(), Some(50));
    check(0, &msg, 50);
    server.recv_part(&mut [0; 20]).unwrap();
    let server = Stream::<E, Messages, Messages>::try_from(server).unwrap();
    assert_eq!(next(&server).await, bytes(1, 50)[20..]);
    check(2, &next(&server).await, 50);
    // What is on its way goes on, too.
    server.send(&bytes(9, 500_000)).await.unwrap();
    let server = blocking::PipeStream::try_from(server).unwrap();
    drop(server);
    check(9, &next(&client).await, 500_000);
    assert_eq!(client.recv_msg(&mut msg).await.unwrap(), None);
}

async fn a_listener_that_becomes_blocking_keeps_its_clients<E: Executor>(name: TestName) {
    let listener = E::listen::<Messages, Messages>(&listen_options(&name)).unwrap();
    assert!(waits(listener.accept()).await);
    let clients = [
        Duplex::<E, Messages>::connect_by_path(&*name).await.unwrap(),
        Duplex::<E, Messages>::connect_by_path(&*name).await.unwrap(),
    ];
    for client in &clients {
        client.send(b"here").await.unwrap();
    }
    let listener = blocking::PipeListener::try_from(listener).unwrap();
    let server = listener.accept().unwrap();
    assert!(!server.is_nonblocking().unwrap());
    assert_eq!(server.recv_msg(&mut Vec::new()).unwrap(), Some(4));
    let listener = Listener::<E, Messages, Messages>::try_from(listener).unwrap();
    let server = listener.accept().await.unwrap();
    assert_eq!(next(&server).await, b"here");
}

/// Objects and futures that are alive, and waiting, when their runtime is not.
fn outlive_their_runtime<E: Executor>() {
    in_time(|| {
        let name = unique_path();
        let (waiting, client) = E::block_on(async {
            let (server, client) = pair::<E, Messages, Messages>(&name).await;
            let mut waiting = Box::pin(async move {
                server.recv_msg(&mut Vec::new()).await.unwrap();
                server
            });
            assert!(poll_once(&mut waiting).await.is_none());
            client.send(&bytes(1, 500_000)).await.unwrap();
            (waiting, client)
        });
        // On another runtime.
        let server = E::block_on(waiting);
        // And nowhere.
        let client = thread::spawn(move || {
            drop(server);
            client
        });
        let client = blocking::PipeStream::try_from(client.join().unwrap()).unwrap();
        assert_eq!(client.recv_msg(&mut Vec::new()).unwrap(), None);
    });
}

#[cfg(feature = "tokio")]
mod tokio_alone {
    use super::*;
    use blocking::tokio::{DuplexPipeStream, PipeListener, PipeStream};
    use on_tokio::{OneThread, Threads};
    use std::io::IoSlice;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn objects_and_futures_may_outlive_their_runtime() {
        outlive_their_runtime::<OneThread>();
        outlive_their_runtime::<Threads>();
    }

    #[test]
    fn the_traits_of_tokio_read_and_write() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_path();
                let (mut server, mut client) = pair::<OneThread, Bytes, Bytes>(&name).await;
                assert_eq!(server.read(&mut []).await.unwrap(), 0);
                client.write_all(b"owned, ").await.unwrap();
                (&client).write_all(b"shared").await.unwrap();
                AsyncWriteExt::flush(&mut client).await.unwrap();
                let mut buf = [0; 7];
                server.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"owned, ");
                (&server).read_exact(&mut buf[..6]).await.unwrap();
                assert_eq!(&buf[..6], b"shared");
                let sent =
                    client.write_vectored(&[IoSlice::new(b"in "), IoSlice::new(b"parts")]).await.unwrap();
                let mut text = Vec::with_capacity(100);
                while text.len() < sent {
                    server.read_buf(&mut text).await.unwrap();
                }
                assert_eq!(text, b"in parts"[..sent]);
                assert_kind(client.shutdown().await, ErrorKind::Unsupported);
                drop(client);
                assert_eq!(server.read(&mut buf).await.unwrap(), 0);
                assert_kind(server.write_all(b"x").await, ErrorKind::BrokenPipe);
            });
        });
    }

    #[test]
    fn tokio_copies_through_shared_streams_and_halves() {
        in_time(|| {
            const LEN: usize = 1 << 20;
            Threads::block_on(async {
                let name = unique_path();
                let (server, client) = pair::<Threads, Bytes, Bytes>(&name).await;
                let echo = tokio::spawn(async move {
                    let (mut reader, mut writer) = server.split();
                    tokio::io::copy(&mut reader, &mut writer).await.unwrap()
                });
                let client = Arc::new(client);
                let sender = Arc::clone(&client);
                let sender = tokio::spawn(async move { (&*sender).write_all(&bytes(1, LEN)).await.unwrap() });
                check(1, &recv_exact(&client, LEN).await, LEN);
                sender.await.unwrap();
                drop(client);
                assert_eq!(echo.await.unwrap(), LEN as u64);
            });
        });
    }

    #[test]
    fn select_in_a_loop_gets_every_message_once_and_in_order() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_path();
                let (server, client) = pair::<OneThread, Messages, Messages>(&name).await;
                let sender = tokio::spawn(async move {
                    for number in 0..500_u32 {
                        client.send(&numbered(number)).await.unwrap();
                        if number % 10 == 0 {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                    client.flush().await.unwrap();
                });
                let mut ticks = tokio::time::interval(Duration::from_micros(300));
                let mut msg = Vec::new();
                let mut number = 0;
                while number < 500 {
                    tokio::select! {
                        received = server.recv_msg(&mut msg) => {
                            assert!(received.unwrap().is_some());
                            assert!(msg == numbered(number));
                            number += 1;
                        }
                        _ = ticks.tick() => {}
                    }
                }
                sender.await.unwrap();
            });
        });
    }

    #[test]
    fn futures_and_objects_go_to_other_threads() {
        fn assert_send<T: Send>(_: &T) {}
        fn assert_send_sync<T: Send + Sync + Unpin>() {}
        fn uses(
            listener: &PipeListener<Messages, Messages>,
            stream: &DuplexPipeStream<Messages>,
            bytes: &PipeStream<Bytes, Bytes>,
        ) {
            assert_send(&listener.accept());
            assert_send(&stream.recv_msg(&mut Vec::new()));
            assert_send(&stream.recv_part(&mut []));
            assert_send(&stream.peek_part(&mut []));
            assert_send(&stream.send(&[]));
            assert_send(&stream.transact(&[], &mut Vec::new()));
            assert_send(&stream.flush());
            assert_send(&bytes.recv(&mut []));
            assert_send(&bytes.peek(&mut []));
            assert_send(&bytes.send(&[]));
        }
        assert_send_sync::<PipeListener<Bytes, Nothing>>();
        assert_send_sync::<PipeStream<Nothing, Messages>>();
        assert_send(&DuplexPipeStream::<Bytes>::connect_by_path("x"));
        let _ = uses;
    }
}

#[cfg(feature = "smol")]
mod smol_alone {
    use super::*;
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use on_smol::{OneThread, Threads};

    #[test]
    fn objects_and_futures_may_outlive_their_runtime() {
        outlive_their_runtime::<OneThread>();
        outlive_their_runtime::<Threads>();
    }

    #[test]
    fn the_traits_of_futures_read_and_write() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_path();
                let (mut server, mut client) = pair::<OneThread, Bytes, Bytes>(&name).await;
                client.write_all(b"owned, ").await.unwrap();
                (&client).write_all(b"shared").await.unwrap();
                AsyncWriteExt::flush(&mut client).await.unwrap();
                let mut buf = [0; 7];
                server.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"owned, ");
                (&server).read_exact(&mut buf[..6]).await.unwrap();
                assert_eq!(&buf[..6], b"shared");
                assert_kind(client.close().await, ErrorKind::Unsupported);
                drop(client);
                assert_eq!(server.read(&mut buf).await.unwrap(), 0);
                assert_kind(server.write_all(b"x").await, ErrorKind::BrokenPipe);
            });
        });
    }

    #[test]
    fn an_executor_that_knows_nothing_of_the_reactor_will_do() {
        in_time(|| {
            futures_lite::future::block_on(async {
                let name = unique_path();
                let (server, client) = pair::<OneThread, Messages, Messages>(&name).await;
                let receive = async { check(1, &next(&server).await, 300_000) };
                let send = async {
                    client.send(&bytes(1, 300_000)).await.unwrap();
                    client.flush().await.unwrap();
                };
                futures_lite::future::zip(receive, send).await;
            });
        });
    }
}
