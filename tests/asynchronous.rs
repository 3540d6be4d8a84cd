//! Async local sockets: each behaviour on every runtime, and with every way of running tasks.

#![cfg(any(feature = "smol", feature = "tokio"))]

mod pattern;
mod support;

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener, ListenerOptions, Stream},
    runtime::{Async, Interest, Runtime},
};
use pattern::{Numbers, Pattern};
use std::{
    collections::HashSet,
    fmt::Debug,
    future::{Future, poll_fn},
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    mem,
    net::Shutdown,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};
use support::{LIMIT, TestName, both_names, in_time, unique_name};

/// How much a large transfer is.
const MUCH: usize = if cfg!(windows) { 1 << 20 } else { 8 << 20 };
/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(60);

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type AsyncListener<E> = Async<Listener, <E as Executor>::R>;
type AsyncStream<E> = Async<Stream, <E as Executor>::R>;

/// A way of running tasks.
trait Executor: 'static {
    type R: Runtime;

    /// Runs it on a new runtime, which is gone when this returns.
    fn block_on<T>(future: impl Future<Output = T>) -> T;
    fn start(task: BoxFuture<()>);
    fn listen(options: ListenerOptions<'_>) -> io::Result<AsyncListener<Self>>;
    fn connect(options: ConnectOptions<'static>) -> BoxFuture<io::Result<AsyncStream<Self>>>;
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

        fn listen(options: ListenerOptions<'_>) -> io::Result<AsyncListener<Self>> {
            options.create_tokio()
        }

        fn connect(options: ConnectOptions<'static>) -> BoxFuture<io::Result<AsyncStream<Self>>> {
            Box::pin(async move { options.connect_tokio().await })
        }
    }

    impl Executor for Threads {
        type R = Tokio;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap().block_on(future)
        }

        fn start(task: BoxFuture<()>) {
            OneThread::start(task);
        }

        fn listen(options: ListenerOptions<'_>) -> io::Result<AsyncListener<Self>> {
            OneThread::listen(options)
        }

        fn connect(options: ConnectOptions<'static>) -> BoxFuture<io::Result<AsyncStream<Self>>> {
            OneThread::connect(options)
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

        fn listen(options: ListenerOptions<'_>) -> io::Result<AsyncListener<Self>> {
            options.create_smol()
        }

        fn connect(options: ConnectOptions<'static>) -> BoxFuture<io::Result<AsyncStream<Self>>> {
            Box::pin(async move { options.connect_smol().await })
        }
    }

    impl Executor for Threads {
        type R = Smol;

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            async_io::block_on(future)
        }

        fn start(task: BoxFuture<()>) {
            thread::spawn(move || async_io::block_on(task));
        }

        fn listen(options: ListenerOptions<'_>) -> io::Result<AsyncListener<Self>> {
            OneThread::listen(options)
        }

        fn connect(options: ConnectOptions<'static>) -> BoxFuture<io::Result<AsyncStream<Self>>> {
            OneThread::connect(options)
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

/// Runs a test with a name of each kind, within the limit.
fn run<E: Executor, F: Future<Output = ()> + 'static>(test: fn(Arc<TestName>) -> F) {
    for name in both_names() {
        in_time(move || E::block_on(test(Arc::new(name))));
    }
}

/// The result of a task.
struct Task<T>(Arc<Mutex<Slot<T>>>);

struct Slot<T> {
    state: State<T>,
    waker: Option<Waker>,
}

enum State<T> {
    Running,
    Done(T),
    Dead,
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.lock().unwrap();
        match mem::replace(&mut slot.state, State::Running) {
            State::Done(result) => Poll::Ready(result),
            State::Dead => panic!("a task died"),
            State::Running => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Starts a task.
fn spawn<E: Executor, T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Task<T> {
    /// Says so if the task is dropped before it has ended.
    struct Watch<T>(Arc<Mutex<Slot<T>>>);
    impl<T> Watch<T> {
        fn end(&self, state: State<T>) {
            let mut slot = self.0.lock().unwrap();
            if matches!(slot.state, State::Running) {
                slot.state = state;
            }
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }
    impl<T> Drop for Watch<T> {
        fn drop(&mut self) {
            self.end(State::Dead);
        }
    }

    let slot = Arc::new(Mutex::new(Slot { state: State::Running, waker: None }));
    let watch = Watch(Arc::clone(&slot));
    E::start(Box::pin(async move {
        let result = future.await;
        watch.end(State::Done(result));
        mem::forget(watch);
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

/// Whichever is first: the other is dropped.
async fn race<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| match one.as_mut().poll(cx) {
        Poll::Pending => other.as_mut().poll(cx),
        Poll::Ready(output) => Poll::Ready(output),
    })
    .await
}

/// `None` if it takes too long.
async fn limited<E: Executor, T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    race(async { Some(future.await) }, async {
        E::R::sleep(limit).await;
        None
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

/// The two ends of a connection: the client's and the server's.
async fn pair<E: Executor>(name: &TestName) -> (AsyncStream<E>, AsyncStream<E>) {
    let listener = AsyncListener::<E>::bind(name).unwrap();
    let client = AsyncStream::<E>::connect(name).await.unwrap();
    let server = listener.accept().await.unwrap();
    (client, server)
}

async fn send_all<R: Runtime>(stream: &Async<Stream, R>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let sent = stream.send(bytes).await.unwrap();
        assert_ne!(sent, 0);
        bytes = &bytes[sent..];
    }
}

async fn recv_exact<R: Runtime>(stream: &Async<Stream, R>, mut buf: &mut [u8]) {
    while !buf.is_empty() {
        let len = stream.recv(buf).await.unwrap();
        assert_ne!(len, 0, "the stream ended");
        buf = &mut buf[len..];
    }
}

async fn recv_to_end<R: Runtime>(stream: &Async<Stream, R>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buf = vec![0; 64 << 10];
    loop {
        match stream.recv(&mut buf).await.unwrap() {
            0 => return all,
            len => all.extend_from_slice(&buf[..len]),
        }
    }
}

/// Sends `total` bytes of a pattern in odd pieces.
async fn send_pattern<R: Runtime>(stream: &Async<Stream, R>, seed: u32, total: usize) {
    let (pattern, mut sizes) = (Pattern::new(seed), Numbers(seed));
    let mut sent = 0;
    while sent < total {
        let piece = sizes.up_to(Pattern::LONGEST).min(total - sent);
        sent += stream.send(pattern.at(sent, piece)).await.unwrap();
    }
}

/// Receives and checks what [`send_pattern`] sends.
async fn recv_pattern<R: Runtime>(stream: &Async<Stream, R>, seed: u32, total: usize) {
    let (pattern, mut sizes) = (Pattern::new(seed), Numbers(!seed));
    let mut buf = vec![0; Pattern::LONGEST];
    let mut received = 0;
    while received < total {
        let room = sizes.up_to(Pattern::LONGEST);
        let len = stream.recv(&mut buf[..room]).await.unwrap();
        assert_ne!(len, 0, "ended after {received}");
        pattern.check(received, &buf[..len]);
        received += len;
    }
    assert_eq!(received, total);
}

#[track_caller]
fn assert_fails<T: Debug>(result: io::Result<T>, kind: ErrorKind) {
    let error = result.expect_err("should have failed");
    assert_eq!(error.kind(), kind, "{error}");
}

/// The name is in the message as it is, or quoted.
#[track_caller]
fn assert_says(error: &io::Error, name: &TestName) {
    let message = error.to_string();
    assert!(message.contains(&**name) || message.contains(&format!("{:?}", &**name)), "{message}");
}

test_everywhere! {
    what_is_sent_comes_back
    a_listener_serves_many_clients_at_once
    several_tasks_accept_on_one_listener
    two_tasks_read_and_write_the_same_stream_at_once
    vectored_calls_take_and_fill_the_buffers_in_order
    buffers_without_room_do_not_wait
    peeked_bytes_are_there_for_the_next_call
    a_read_that_is_dropped_loses_no_bytes
    reads_that_are_dropped_again_and_again_lose_no_bytes
    a_send_that_is_dropped_has_sent_nothing
    an_accept_that_is_dropped_loses_no_client
    accepts_that_are_dropped_again_and_again_lose_no_client
    a_connect_that_is_dropped_leaves_no_connection
    connecting_gives_up_in_time_when_there_is_no_room
    connecting_without_waiting_says_at_once_that_there_is_no_room
    a_client_for_whom_there_is_no_room_gets_its_turn
    a_client_waits_for_a_server_that_is_not_up_yet_but_not_for_ever
    connecting_to_nobody_is_an_error_with_the_name
    a_stream_dropped_while_it_reads_is_closed
    what_was_sent_before_a_drop_in_mid_send_arrives
    a_listener_dropped_while_it_accepts_frees_its_name
    a_read_that_waits_ends_when_the_peer_leaves
    sending_to_a_peer_that_is_gone_is_a_broken_pipe
    two_tasks_that_wait_to_read_are_both_served
    a_task_that_stops_waiting_does_not_keep_the_other_from_waking
    a_future_moved_to_another_task_wakes_that_one
    a_loop_with_a_tick_beside_it_loses_no_bytes
    each_stream_gets_its_own_bytes_while_others_are_cancelled
    blocking_streams_become_async_and_back_with_their_data
    blocking_listeners_become_async_and_back_with_their_clients
    stopping_ends_an_accept_that_waits
    stopping_ends_an_accept_on_a_socket_that_others_may_have_too
    the_async_face_tells_what_the_blocking_one_tells
    halves_belong_to_two_tasks_and_can_be_put_together_again
    halves_of_different_streams_are_handed_back
    half_close_ends_sending_or_says_that_it_cannot
    draining_waits_until_the_peer_has_read_it_all_but_no_longer_than_it_may
    accepting_with_a_timeout_loses_no_client
    clients_come_as_a_stream_until_the_listener_is_stopped
    several_tasks_take_clients_from_streams_of_their_own
    a_stream_of_clients_that_is_dropped_loses_none
    attempts_do_not_wait_and_readiness_does
    a_clone_is_the_same_connection
}

async fn what_is_sent_comes_back<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    let server = spawn::<E, _>(async move {
        let client = listener.accept().await.unwrap();
        let mut buf = [0; 100];
        loop {
            match client.recv(&mut buf).await.unwrap() {
                0 => break,
                len => send_all(&client, &buf[..len]).await,
            }
        }
    });
    let client = AsyncStream::<E>::connect(&*name).await.unwrap();
    for round in 0..100 {
        let text = format!("message {round}");
        send_all(&client, text.as_bytes()).await;
        let mut answer = vec![0; text.len()];
        recv_exact(&client, &mut answer).await;
        assert_eq!(answer, text.as_bytes());
    }
    drop(client);
    server.await;
}

/// Enough to be many.
const CLIENTS: u32 = if cfg!(windows) { 8 } else { 32 };

async fn a_listener_serves_many_clients_at_once<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| spawn::<E, _>(ask::<E>(Arc::clone(&name), number))).collect();
    let mut servers = Vec::new();
    for _ in 0..CLIENTS {
        let client = listener.accept().await.unwrap();
        servers.push(spawn::<E, _>(answer(client)));
    }
    for client in clients {
        client.await;
    }
    for server in servers {
        server.await;
    }
}

async fn ask<E: Executor>(name: Arc<TestName>, number: u32) {
    let client = AsyncStream::<E>::connect(&*name).await.unwrap();
    send_all(&client, &number.to_le_bytes()).await;
    let mut buf = [0; 4];
    recv_exact(&client, &mut buf).await;
    assert_eq!(u32::from_le_bytes(buf), number + 1);
}

async fn answer<R: Runtime>(client: Async<Stream, R>) {
    let mut buf = [0; 4];
    recv_exact(&client, &mut buf).await;
    send_all(&client, &(u32::from_le_bytes(buf) + 1).to_le_bytes()).await;
}

async fn several_tasks_accept_on_one_listener<E: Executor>(name: Arc<TestName>) {
    let listener = Arc::new(AsyncListener::<E>::bind(&*name).unwrap());
    let servers: Vec<_> = (0..4)
        .map(|_| {
            let listener = Arc::clone(&listener);
            spawn::<E, _>(async move {
                for _ in 0..CLIENTS / 4 {
                    answer(listener.accept().await.unwrap()).await;
                }
            })
        })
        .collect();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| spawn::<E, _>(ask::<E>(Arc::clone(&name), number))).collect();
    for task in clients.into_iter().chain(servers) {
        task.await;
    }
}

async fn two_tasks_read_and_write_the_same_stream_at_once<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let (client, server) = (Arc::new(client), Arc::new(server));
    let mut tasks = Vec::new();
    for (stream, sends, receives) in [(client, 1, 2), (server, 2, 1)] {
        let other = Arc::clone(&stream);
        tasks.push(spawn::<E, _>(async move { send_pattern(&other, sends, MUCH).await }));
        tasks.push(spawn::<E, _>(async move { recv_pattern(&stream, receives, MUCH).await }));
    }
    for task in tasks {
        task.await;
    }
}

async fn vectored_calls_take_and_fill_the_buffers_in_order<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let mut parts = [IoSlice::new(b""), IoSlice::new(b"abc"), IoSlice::new(b"defgh")];
    let mut parts = &mut parts[..];
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        let sent = client.send_vectored(parts).await.unwrap();
        IoSlice::advance_slices(&mut parts, sent);
    }
    let mut received = Vec::new();
    while received.len() < 8 {
        let (mut first, mut second) = ([0; 2], [0; 10]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        let len = server.recv_vectored(&mut bufs).await.unwrap();
        received.extend_from_slice(&[&first[..], &second[..]].concat()[..len]);
    }
    assert_eq!(received, b"abcdefgh");
}

async fn buffers_without_room_do_not_wait<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    // Nothing is there to read, so each of these would hang.
    let all = async {
        assert_eq!(server.recv(&mut []).await.unwrap(), 0);
        assert_eq!(server.recv_vectored(&mut []).await.unwrap(), 0);
        assert_eq!(server.recv_vectored(&mut [IoSliceMut::new(&mut [])]).await.unwrap(), 0);
        assert_eq!(server.peek(&mut []).await.unwrap(), 0);
        assert_eq!(client.send(&[]).await.unwrap(), 0);
        assert_eq!(client.send_vectored(&[]).await.unwrap(), 0);
    };
    limited::<E, _>(LIMIT / 4, all).await.expect("it waits");
    send_all(&client, b"x").await;
    assert_eq!(server.recv(&mut [0; 2]).await.unwrap(), 1);
}

async fn peeked_bytes_are_there_for_the_next_call<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let server = Arc::new(server);
    let peeking = Arc::clone(&server);
    // It waits until there is something.
    let peeked = spawn::<E, _>(async move {
        let mut buf = [0; 8];
        let len = peeking.peek(&mut buf).await.unwrap();
        buf[..len].to_vec()
    });
    yield_now().await;
    send_all(&client, b"hello").await;
    let peeked = peeked.await;
    assert!(!peeked.is_empty() && b"hello".starts_with(&peeked));
    drop(client);
    assert_eq!(recv_to_end(&server).await, b"hello");
}

async fn a_read_that_is_dropped_loses_no_bytes<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let mut expected = Vec::new();
    let mut received = Vec::new();
    for number in 0..50 {
        let mut buf = [0; 3];
        let mut reading = Box::pin(server.recv(&mut buf));
        assert!(poll_once(&mut reading).await.is_none(), "nothing was sent");
        if number % 2 == 0 {
            drop(reading);
        }
        // While it waits, or after.
        let bytes = [number, number + 50, number + 100, number + 150];
        send_all(&client, &bytes).await;
        expected.extend_from_slice(&bytes);
        // It was never polled again, so it cannot have taken anything.
        while received.len() < expected.len() {
            let mut buf = [0; 3];
            let len = server.recv(&mut buf).await.unwrap();
            received.extend_from_slice(&buf[..len]);
        }
        assert_eq!(received, expected);
    }
}

async fn reads_that_are_dropped_again_and_again_lose_no_bytes<E: Executor>(name: Arc<TestName>) {
    const TOTAL: usize = MUCH / 4;
    let (client, server) = pair::<E>(&name).await;
    let sender = spawn::<E, _>(async move { send_pattern(&client, 3, TOTAL).await });
    let (pattern, mut sizes) = (Pattern::new(3), Numbers(9));
    let mut received = 0;
    while received < TOTAL {
        let mut buf = vec![0; sizes.up_to(30_000)];
        let mut reading = Box::pin(server.recv(&mut buf));
        let polled = poll_once(&mut reading).await;
        let result = match polled {
            None if sizes.up_to(3) < 3 => {
                yield_now().await;
                continue;
            }
            None => reading.await,
            Some(result) => {
                drop(reading);
                result
            }
        };
        let len = result.unwrap();
        assert_ne!(len, 0);
        pattern.check(received, &buf[..len]);
        received += len;
    }
    sender.await;
}

/// Sends until a send has to wait, and drops that one. Says how much was taken.
async fn fill<R: Runtime>(stream: &Async<Stream, R>, seed: u32) -> usize {
    let (pattern, mut sizes) = (Pattern::new(seed), Numbers(seed));
    let mut sent = 0;
    loop {
        let piece = pattern.at(sent, sizes.up_to(Pattern::LONGEST));
        let mut sending = Box::pin(stream.send(piece));
        // A runtime may let others go first, and learn late that there is room.
        let mut patience = 100;
        let result = loop {
            match poll_once(&mut sending).await {
                Some(result) => break Some(result),
                None if patience == 0 => break None,
                None => patience -= 1,
            }
            yield_now().await;
        };
        let Some(result) = result else { return sent };
        sent += result.unwrap();
        assert!(sent < 1 << 30, "the buffer has no end");
    }
}

async fn a_send_that_is_dropped_has_sent_nothing<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let mut sent = fill(&client, 4).await;
    let pattern = Pattern::new(4);
    let mut received = 0;
    let mut buf = vec![0; 100_000];
    // Now there is room, and again, and again.
    for _ in 0..5 {
        while received < sent {
            let len = server.recv(&mut buf).await.unwrap();
            pattern.check(received, &buf[..len]);
            received += len;
        }
        assert_eq!(received, sent);
        let len = client.send(pattern.at(sent, 1000)).await.unwrap();
        sent += len;
    }
    drop(client);
    let rest = recv_to_end(&server).await;
    pattern.check(received, &rest);
    assert_eq!(received + rest.len(), sent);
}

async fn an_accept_that_is_dropped_loses_no_client<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    for number in 0..10 {
        let mut accepting = Box::pin(listener.accept());
        assert!(poll_once(&mut accepting).await.is_none(), "nobody is there");
        let client = AsyncStream::<E>::connect(&*name).await.unwrap();
        drop(accepting);
        let server = listener.accept().await.unwrap();
        send_all(&client, &[number]).await;
        let mut buf = [0xff];
        recv_exact(&server, &mut buf).await;
        assert_eq!(buf, [number]);
    }
}

async fn accepts_that_are_dropped_again_and_again_lose_no_client<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| spawn::<E, _>(ask::<E>(Arc::clone(&name), number))).collect();
    let mut served = 0;
    while served < CLIENTS {
        let mut accepting = Box::pin(listener.accept());
        match poll_once(&mut accepting).await {
            None => yield_now().await,
            Some(client) => {
                served += 1;
                answer(client.unwrap()).await;
            }
        }
    }
    for client in clients {
        client.await;
    }
}

/// Whether a client for whom there is no room waits. Elsewhere it is refused.
const HAS_QUEUES_THAT_WAIT: bool = cfg!(any(target_os = "linux", target_os = "android", windows));

fn options_for(name: &TestName) -> ConnectOptions<'static> {
    ConnectOptions::new().name(String::from(&**name))
}

/// A listener whose queue is full, and the clients in it.
async fn full_listener<E: Executor>(name: &TestName) -> (AsyncListener<E>, Vec<AsyncStream<E>>) {
    let listener = E::listen(ListenerOptions::new().name(name).backlog(1)).unwrap();
    let mut clients = Vec::new();
    loop {
        match E::connect(options_for(name).wait_mode(ConnectWaitMode::Deferred)).await {
            Ok(client) => clients.push(client),
            Err(error) => {
                let full =
                    if HAS_QUEUES_THAT_WAIT { ErrorKind::WouldBlock } else { ErrorKind::ConnectionRefused };
                assert_eq!(error.kind(), full, "{error}");
                return (listener, clients);
            }
        }
        assert!(clients.len() < 100, "the queue has no end");
    }
}

async fn a_connect_that_is_dropped_leaves_no_connection<E: Executor>(name: Arc<TestName>) {
    let (listener, clients) = full_listener::<E>(&name).await;
    let mut connecting = Box::pin(E::connect(options_for(&name).wait_for_server(true)));
    assert!(poll_once(&mut connecting).await.is_none(), "there is no room");
    drop(connecting);
    for _ in &clients {
        listener.accept().await.unwrap();
    }
    let one_more = limited::<E, _>(SHORT, listener.accept()).await;
    assert!(one_more.is_none(), "somebody came");
    // And it goes on.
    let client = AsyncStream::<E>::connect(&*name).await.unwrap();
    send_all(&client, b"x").await;
    recv_exact(&listener.accept().await.unwrap(), &mut [0]).await;
}

async fn connecting_gives_up_in_time_when_there_is_no_room<E: Executor>(name: Arc<TestName>) {
    let (listener, clients) = full_listener::<E>(&name).await;
    for timeout in [SHORT, Duration::ZERO] {
        let options = options_for(&name).wait_for_server(true).wait_mode(ConnectWaitMode::Timeout(timeout));
        let result = limited::<E, _>(LIMIT / 2, E::connect(options)).await.expect("it waits for ever");
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_says(&error, &name);
    }
    // What was said to be connected is.
    for client in clients {
        send_all(&client, b"x").await;
        recv_exact(&listener.accept().await.unwrap(), &mut [0]).await;
    }
}

async fn connecting_without_waiting_says_at_once_that_there_is_no_room<E: Executor>(name: Arc<TestName>) {
    // It does not even have to be polled twice.
    let (_listener, _clients) = full_listener::<E>(&name).await;
    let mut connecting = Box::pin(E::connect(options_for(&name).wait_mode(ConnectWaitMode::Deferred)));
    let error = poll_once(&mut connecting).await.expect("it waits").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused), "{error}");
}

async fn a_client_for_whom_there_is_no_room_gets_its_turn<E: Executor>(name: Arc<TestName>) {
    let (listener, clients) = full_listener::<E>(&name).await;
    let options = options_for(&name).wait_for_server(true);
    let late = spawn::<E, _>(async move {
        let late = E::connect(options).await.unwrap();
        send_all(&late, b"late").await;
        late
    });
    yield_now().await;
    for _ in &clients {
        listener.accept().await.unwrap();
    }
    let mut buf = [0; 4];
    recv_exact(&listener.accept().await.unwrap(), &mut buf).await;
    assert_eq!(&buf, b"late");
    late.await;
}

async fn a_client_waits_for_a_server_that_is_not_up_yet_but_not_for_ever<E: Executor>(name: Arc<TestName>) {
    let options = options_for(&name).wait_for_server(true);
    let error = E::connect(options.clone().wait_mode(ConnectWaitMode::Timeout(SHORT))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");

    for wait_mode in
        [ConnectWaitMode::Timeout(LIMIT), ConnectWaitMode::Timeout(Duration::MAX), ConnectWaitMode::Unbounded]
    {
        let options = options.clone().wait_mode(wait_mode);
        let client = spawn::<E, _>(async move {
            let client = E::connect(options).await.unwrap();
            send_all(&client, b"x").await;
        });
        // It has looked once, at least where tasks take turns.
        yield_now().await;
        let listener = AsyncListener::<E>::bind(&*name).unwrap();
        recv_exact(&listener.accept().await.unwrap(), &mut [0]).await;
        client.await;
    }
}

async fn connecting_to_nobody_is_an_error_with_the_name<E: Executor>(name: Arc<TestName>) {
    for wait_mode in [ConnectWaitMode::Deferred, ConnectWaitMode::Timeout(LIMIT), ConnectWaitMode::Unbounded]
    {
        let error = E::connect(options_for(&name).wait_mode(wait_mode)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused), "{error}");
        assert_says(&error, &name);
    }
    assert_fails(AsyncStream::<E>::connect("@").await, ErrorKind::InvalidInput);
    assert_fails(AsyncListener::<E>::bind("@"), ErrorKind::InvalidInput);
}

async fn a_stream_dropped_while_it_reads_is_closed<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let mut reading = Box::pin(async move {
        let mut buf = [0; 8];
        client.recv(&mut buf).await
    });
    assert!(poll_once(&mut reading).await.is_none());
    assert!(!server.is_peer_gone().unwrap());
    drop(reading);
    assert!(server.is_peer_gone().unwrap());
    assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), 0);
}

async fn what_was_sent_before_a_drop_in_mid_send_arrives<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let sent = fill(&client, 6).await;
    let mut sending = Box::pin(async move { client.send(b"one too many").await });
    assert!(poll_once(&mut sending).await.is_none());
    // The stream goes with it.
    drop(sending);
    let received = recv_to_end(&server).await;
    assert_eq!(received.len(), sent);
    Pattern::new(6).check(0, &received);
}

async fn a_listener_dropped_while_it_accepts_frees_its_name<E: Executor>(name: Arc<TestName>) {
    for _ in 0..5 {
        let listener = AsyncListener::<E>::bind(&*name).unwrap();
        let mut accepting = Box::pin(async move { listener.accept().await });
        assert!(poll_once(&mut accepting).await.is_none());
        drop(accepting);
    }
}

async fn a_read_that_waits_ends_when_the_peer_leaves<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let reader = spawn::<E, _>(async move { client.recv(&mut [0; 8]).await.unwrap() });
    yield_now().await;
    drop(server);
    assert_eq!(reader.await, 0);
}

async fn sending_to_a_peer_that_is_gone_is_a_broken_pipe<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    drop(server);
    assert_fails(client.send(b"x").await, ErrorKind::BrokenPipe);
    assert!(client.is_peer_gone().unwrap());
}

async fn two_tasks_that_wait_to_read_are_both_served<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let server = Arc::new(server);
    for round in 0..20 {
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let server = Arc::clone(&server);
                spawn::<E, _>(async move {
                    let mut buf = [0];
                    recv_exact(&server, &mut buf).await;
                    buf[0]
                })
            })
            .collect();
        yield_now().await;
        // Together, or one after the other.
        if round % 2 == 0 {
            send_all(&client, b"ab").await;
        } else {
            send_all(&client, b"a").await;
            yield_now().await;
            send_all(&client, b"b").await;
        }
        let mut got = HashSet::new();
        for task in tasks {
            got.insert(task.await);
        }
        assert_eq!(got, HashSet::from([b'a', b'b']));
    }
}

/// What tasks can wait for.
#[derive(Default)]
struct Signal(Mutex<(bool, Vec<Waker>)>);

impl Signal {
    fn give(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.0 = true;
        inner.1.drain(..).for_each(Waker::wake);
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            let mut inner = self.0.lock().unwrap();
            if inner.0 {
                return Poll::Ready(());
            }
            inner.1.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

async fn a_task_that_stops_waiting_does_not_keep_the_other_from_waking<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let server = Arc::new(server);
    for first_stops in [true, false, true, false] {
        let (stop, waiting) =
            (Arc::new(Signal::default()), [Arc::new(Signal::default()), Arc::new(Signal::default())]);
        let mut tasks = Vec::new();
        for (index, waits) in waiting.iter().enumerate() {
            let (server, stop, waits) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(waits));
            tasks.push(spawn::<E, _>(async move {
                let read = async {
                    let mut buf = [0];
                    let mut reading = Box::pin(server.recv(&mut buf));
                    let early = poll_once(&mut reading).await;
                    assert!(early.is_none(), "nothing was sent");
                    waits.give();
                    assert_eq!(reading.await.unwrap(), 1);
                    true
                };
                let stopped = async {
                    stop.wait().await;
                    false
                };
                if (index == 0) == first_stops { race(read, stopped).await } else { read.await }
            }));
            // The order in which they wait is the order of the list.
            waiting[index].wait().await;
        }
        stop.give();
        let (one, other) = (tasks.remove(0), tasks.remove(0));
        let (stops, stays) = if first_stops { (one, other) } else { (other, one) };
        assert!(!stops.await);
        send_all(&client, b"x").await;
        assert!(stays.await);
    }
}

async fn a_future_moved_to_another_task_wakes_that_one<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let mut reading = Box::pin(async move {
        let mut buf = [0; 4];
        recv_exact(&server, &mut buf).await;
        (server, buf)
    });
    // This task's waker is the one that is kept at first.
    assert!(poll_once(&mut reading).await.is_none());
    let waits = Arc::new(Signal::default());
    let its_signal = Arc::clone(&waits);
    let task = spawn::<E, _>(async move {
        let early = poll_once(&mut reading).await;
        assert!(early.is_none());
        its_signal.give();
        reading.await
    });
    waits.wait().await;
    send_all(&client, b"1234").await;
    let (_server, buf) = task.await;
    assert_eq!(&buf, b"1234");
}

async fn a_loop_with_a_tick_beside_it_loses_no_bytes<E: Executor>(name: Arc<TestName>) {
    const TOTAL: usize = 100_000;
    let (client, server) = pair::<E>(&name).await;
    let sender = spawn::<E, _>(async move {
        let (pattern, mut sizes) = (Pattern::new(7), Numbers(7));
        let mut sent = 0;
        while sent < TOTAL {
            let piece = sizes.up_to(5000).min(TOTAL - sent);
            send_all(&client, pattern.at(sent, piece)).await;
            sent += piece;
            if sizes.up_to(4) == 1 {
                E::R::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    let pattern = Pattern::new(7);
    let (mut received, mut ticks) = (0, 0);
    while received < TOTAL {
        let mut buf = [0; 777];
        // The one that is not first is dropped, wherever it is.
        match limited::<E, _>(Duration::from_millis(1), server.recv(&mut buf)).await {
            None => ticks += 1,
            Some(len) => {
                let len = len.unwrap();
                assert_ne!(len, 0);
                pattern.check(received, &buf[..len]);
                received += len;
            }
        }
        assert!(ticks < 1_000_000, "nothing comes");
    }
    sender.await;
}

async fn each_stream_gets_its_own_bytes_while_others_are_cancelled<E: Executor>(name: Arc<TestName>) {
    const TOTAL: usize = if cfg!(windows) { 40_000 } else { 150_000 };
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    let mut tasks = Vec::new();
    for number in 0..CLIENTS {
        let client = AsyncStream::<E>::connect(&*name).await.unwrap();
        let server = listener.accept().await.unwrap();
        let (client, server) = (Arc::new(client), Arc::new(server));
        let (up, down) = (2 * number + 1, 2 * number + 2);
        for (from, to, seed) in [(&client, &server, up), (&server, &client, down)] {
            let (from, to) = (Arc::clone(from), Arc::clone(to));
            tasks.push(spawn::<E, _>(async move { send_with_cancels(&from, seed, TOTAL).await }));
            tasks.push(spawn::<E, _>(async move { recv_with_cancels(&to, seed, TOTAL).await }));
        }
    }
    for task in tasks {
        task.await;
    }
}

async fn send_with_cancels<R: Runtime>(stream: &Async<Stream, R>, seed: u32, total: usize) {
    let (pattern, mut sizes) = (Pattern::new(seed), Numbers(seed));
    let mut sent = 0;
    while sent < total {
        let piece = sizes.up_to(4000).min(total - sent);
        let mut sending = Box::pin(stream.send(pattern.at(sent, piece)));
        let result = match poll_once(&mut sending).await {
            None if sizes.up_to(2) == 1 => {
                yield_now().await;
                continue;
            }
            None => sending.await,
            Some(result) => result,
        };
        sent += result.unwrap();
    }
}

async fn recv_with_cancels<R: Runtime>(stream: &Async<Stream, R>, seed: u32, total: usize) {
    let (pattern, mut sizes) = (Pattern::new(seed), Numbers(!seed));
    let mut received = 0;
    while received < total {
        // The memory is another one each time, and goes with the future.
        let mut buf = vec![0; sizes.up_to(3000)];
        let mut receiving = Box::pin(stream.recv(&mut buf));
        let polled = poll_once(&mut receiving).await;
        let result = match polled {
            None if sizes.up_to(2) == 1 => {
                yield_now().await;
                continue;
            }
            None => receiving.await,
            Some(result) => {
                drop(receiving);
                result
            }
        };
        let len = result.unwrap();
        assert_ne!(len, 0);
        pattern.check(received, &buf[..len]);
        received += len;
    }
}

async fn blocking_streams_become_async_and_back_with_their_data<E: Executor>(name: Arc<TestName>) {
    let listener = Listener::bind(&*name).unwrap();
    let client = Stream::connect(&*name).unwrap();
    let server = listener.accept().unwrap();
    client.send(b"abcdef").unwrap();
    let mut buf = [0; 2];
    assert_eq!(server.recv(&mut buf).unwrap(), 2);

    let server = AsyncStream::<E>::try_from(server).unwrap();
    assert!(server.get_ref().is_nonblocking().unwrap());
    recv_exact(&server, &mut buf).await;
    assert_eq!(&buf, b"cd");
    recv_exact(&server, &mut buf).await;
    // A read is under way when the mode changes.
    let mut reading = Box::pin(server.recv(&mut buf));
    assert!(poll_once(&mut reading).await.is_none());
    drop(reading);

    let server = Stream::try_from(server).unwrap();
    assert!(!server.is_nonblocking().unwrap());
    client.send(b"gh").unwrap();
    let mut received = Vec::new();
    while received.len() < 2 {
        let len = server.recv(&mut buf).unwrap();
        received.extend_from_slice(&buf[..len]);
    }
    assert_eq!(received, b"gh");
    server.set_recv_timeout(Some(SHORT)).unwrap();
    assert_fails(server.recv(&mut buf), ErrorKind::TimedOut);

    // And once more: the runtime has forgotten the first time.
    let server = AsyncStream::<E>::try_from(server).unwrap();
    client.send(b"ij").unwrap();
    recv_exact(&server, &mut buf).await;
    assert_eq!(&buf, b"ij");
}

async fn blocking_listeners_become_async_and_back_with_their_clients<E: Executor>(name: Arc<TestName>) {
    let listener = Listener::bind(&*name).unwrap();
    let early = Stream::connect(&*name).unwrap();
    let listener = AsyncListener::<E>::try_from(listener).unwrap();
    let server = listener.accept().await.unwrap();
    early.send(b"x").unwrap();
    recv_exact(&server, &mut [0]).await;

    let mut accepting = Box::pin(listener.accept());
    assert!(poll_once(&mut accepting).await.is_none());
    drop(accepting);
    let late = Stream::connect(&*name).unwrap();
    let listener = Listener::try_from(listener).unwrap();
    let server = listener.accept().unwrap();
    assert!(!server.is_nonblocking().unwrap());
    late.send(b"y").unwrap();
    assert_eq!(server.recv(&mut [0]).unwrap(), 1);
    assert_fails(listener.accept_timeout(SHORT), ErrorKind::TimedOut);
}

async fn stopping_ends_an_accept_that_waits<E: Executor>(name: Arc<TestName>) {
    let listener = Arc::new(AsyncListener::<E>::bind(&*name).unwrap());
    assert_stops::<E>(listener).await;
}

/// It is stopped in another way.
async fn stopping_ends_an_accept_on_a_socket_that_others_may_have_too<E: Executor>(_: Arc<TestName>) {
    #[cfg(unix)]
    {
        let dir = support::TempDir::new();
        let std = std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
        let listener = AsyncListener::<E>::try_from(Listener::from(std)).unwrap();
        assert_stops::<E>(Arc::new(listener)).await;
    }
}

async fn assert_stops<E: Executor>(listener: Arc<AsyncListener<E>>) {
    let waits = Arc::new(Signal::default());
    let (its_listener, its_signal) = (Arc::clone(&listener), Arc::clone(&waits));
    let server = spawn::<E, _>(async move {
        let mut accepting = Box::pin(its_listener.accept());
        let early = poll_once(&mut accepting).await;
        assert!(early.is_none());
        its_signal.give();
        accepting.await
    });
    waits.wait().await;
    listener.get_ref().stop();
    let start = Instant::now();
    let result = limited::<E, _>(LIMIT / 4, server).await.expect("it was not woken");
    assert_fails(result, ErrorKind::BrokenPipe);
    // Nor was it woken by chance, when the limit came.
    assert!(start.elapsed() < LIMIT / 8, "it was not woken");
    assert_fails(listener.accept().await, ErrorKind::BrokenPipe);
}

async fn the_async_face_tells_what_the_blocking_one_tells<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    assert_eq!(listener.name().to_string(), **name);
    let client = AsyncStream::<E>::connect(&*name).await.unwrap();
    let server = listener.accept().await.unwrap();
    let creds = server.peer_creds().unwrap();
    assert!(creds.is_same_user());
    if let Some(pid) = creds.pid() {
        assert_eq!(i64::from(pid), i64::from(std::process::id()));
    }
    assert!(!server.is_peer_gone().unwrap());
    drop(client);
    assert!(server.is_peer_gone().unwrap());
    assert!(format!("{listener:?}").contains("Listener"));
    assert!(format!("{server:?}").contains("Stream"));
}

/// Makes objects on a runtime that ends, with a read and an accept that nobody waits for any more.
fn outlive_their_runtime<E: Executor>() {
    in_time(|| {
        let name = unique_name();
        let (listener, client, server) = E::block_on(async {
            let listener = AsyncListener::<E>::bind(&name).unwrap();
            let client = AsyncStream::<E>::connect(&name).await.unwrap();
            let server = listener.accept().await.unwrap();
            let mut buf = [0; 8];
            assert!(poll_once(&mut Box::pin(server.recv(&mut buf))).await.is_none());
            assert!(poll_once(&mut Box::pin(listener.accept())).await.is_none());
            send_all(&client, b"abcdef").await;
            (listener, client, server)
        });
        // Blocking code takes them over.
        let server = Stream::try_from(server).unwrap();
        let mut buf = [0; 3];
        io::Read::read_exact(&mut &server, &mut buf).unwrap();
        assert_eq!(&buf, b"abc");
        // Another runtime takes them over.
        let server = E::block_on(async {
            let server = AsyncStream::<E>::try_from(server).unwrap();
            let mut buf = [0; 3];
            recv_exact(&server, &mut buf).await;
            assert_eq!(&buf, b"def");
            server
        });
        // Or nobody.
        thread::spawn(move || drop((server, listener))).join().unwrap();
        E::block_on(async {
            let client = AsyncStream::<E>::try_from(Stream::try_from(client).unwrap()).unwrap();
            assert_eq!(client.recv(&mut [0; 8]).await.unwrap(), 0);
        });
        Listener::bind(&name).unwrap();
    });
}

/// A future that is alive, and waiting, when its runtime is not.
fn futures_outlive_their_runtime<E: Executor>() {
    in_time(|| {
        let name = unique_name();
        let (waiting, client) = E::block_on(async {
            let (client, server) = pair::<E>(&name).await;
            let mut waiting = Box::pin(async move { server.recv(&mut [0; 8]).await });
            assert!(poll_once(&mut waiting).await.is_none());
            (waiting, client)
        });
        drop(waiting);
        let client = Stream::try_from(client).unwrap();
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 0);
    });
}

async fn halves_belong_to_two_tasks_and_can_be_put_together_again<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let (rh, sh) = server.split();
    let receiving = spawn::<E, _>(async move {
        let pattern = Pattern::new(21);
        let mut buf = vec![0; 10_000];
        let mut received = 0;
        while received < MUCH / 8 {
            let len = rh.recv(&mut buf).await.unwrap();
            pattern.check(received, &buf[..len]);
            received += len;
        }
        rh
    });
    let sending = spawn::<E, _>(async move {
        let pattern = Pattern::new(22);
        let mut sent = 0;
        while sent < MUCH / 8 {
            sent += sh.send(pattern.at(sent, 4096)).await.unwrap();
        }
        sh.flush().await.unwrap();
        (sh, sent)
    });
    let client = Arc::new(client);
    let other = Arc::clone(&client);
    let asking = spawn::<E, _>(async move { send_pattern(&other, 21, MUCH / 8).await });
    recv_pattern(&client, 22, MUCH / 8).await;
    let (rh, (sh, sent)) = (receiving.await, sending.await);
    asking.await;
    assert_eq!(rh.as_ref().peer_creds().unwrap().pid(), sh.as_ref().peer_creds().unwrap().pid());

    let server = AsyncStream::<E>::reunite(rh, sh).unwrap();
    recv_exact(&client, &mut vec![0; sent - MUCH / 8]).await;
    send_all(&server, b"as one").await;
    let mut buf = [0; 6];
    recv_exact(&client, &mut buf).await;
    assert_eq!(&buf, b"as one");
    // Dropping a half closes nothing; the last one closes the connection.
    let (rh, sh) = server.into_split();
    drop(rh);
    assert_eq!(sh.send(b"x").await.unwrap(), 1);
    assert_eq!(client.recv(&mut buf).await.unwrap(), 1);
    drop(sh);
    assert_eq!(client.recv(&mut buf).await.unwrap(), 0);
}

async fn halves_of_different_streams_are_handed_back<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let (one, other) = (client.split(), server.split());
    let error = AsyncStream::<E>::reunite(one.0, other.1).unwrap_err();
    assert_eq!(error.to_string(), "the two halves are not of one stream");
    AsyncStream::<E>::reunite(error.rh, one.1).unwrap();
    AsyncStream::<E>::reunite(other.0, error.sh).unwrap();
}

async fn half_close_ends_sending_or_says_that_it_cannot<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    send_all(&client, b"question").await;
    let result = client.shut_down(Shutdown::Write);
    if cfg!(windows) {
        return assert_fails(result, ErrorKind::Unsupported);
    }
    result.unwrap();
    assert_eq!(recv_to_end(&server).await, b"question");
    assert_fails(client.send(b"more").await, ErrorKind::BrokenPipe);
    assert_fails(client.try_send(b"more"), ErrorKind::BrokenPipe);
    send_all(&server, b"answer").await;
    drop(server);
    assert_eq!(recv_to_end(&client).await, b"answer");
}

async fn draining_waits_until_the_peer_has_read_it_all_but_no_longer_than_it_may<E: Executor>(
    name: Arc<TestName>,
) {
    let (client, server) = pair::<E>(&name).await;
    if !cfg!(any(target_os = "linux", target_os = "android", windows)) {
        return assert_fails(client.drain(LIMIT).await, ErrorKind::Unsupported);
    }
    client.drain(LIMIT).await.unwrap();
    send_all(&client, b"important").await;
    assert_fails(client.drain(SHORT).await, ErrorKind::TimedOut);
    let client = Arc::new(client);
    let draining = Arc::clone(&client);
    let drained = spawn::<E, _>(async move { draining.drain(LIMIT).await });
    yield_now().await;
    recv_exact(&server, &mut [0; 9]).await;
    drained.await.unwrap();
    // A future that is dropped leaves everything as it was.
    send_all(&client, b"more").await;
    assert!(limited::<E, _>(SHORT, client.drain(LIMIT)).await.is_none());
    recv_exact(&server, &mut [0; 4]).await;
    client.drain(LIMIT).await.unwrap();
    send_all(&client, b"unread").await;
    drop(server);
    assert_fails(client.drain(LIMIT).await, ErrorKind::BrokenPipe);
}

async fn accepting_with_a_timeout_loses_no_client<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    for timeout in [Duration::ZERO, SHORT] {
        let error = listener.accept_timeout(timeout).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_says(&error, &name);
        for patience in [LIMIT, Duration::MAX] {
            let client = AsyncStream::<E>::connect(&*name).await.unwrap();
            let server = listener.accept_timeout(patience).await.unwrap();
            send_all(&client, b"x").await;
            recv_exact(&server, &mut [0]).await;
        }
    }
    // Zero takes a client only if one is there, and one is.
    let _client = AsyncStream::<E>::connect(&*name).await.unwrap();
    listener.ready(Interest::Read).await.unwrap();
    while let Err(error) = listener.accept_timeout(Duration::ZERO).await {
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        listener.ready(Interest::Read).await.unwrap();
    }
    listener.stop();
    assert_fails(listener.accept_timeout(LIMIT).await, ErrorKind::BrokenPipe);
    assert_fails(listener.accept_timeout(Duration::ZERO).await, ErrorKind::BrokenPipe);
}

async fn clients_come_as_a_stream_until_the_listener_is_stopped<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    let clients: Vec<_> = (0..4).map(|number| spawn::<E, _>(ask::<E>(Arc::clone(&name), number))).collect();
    // By the trait, and without.
    let first = futures_lite::StreamExt::next(&mut listener.incoming()).await.unwrap().unwrap();
    answer(first).await;
    let mut incoming = listener.incoming();
    for _ in 0..3 {
        answer(incoming.next().await.unwrap().unwrap()).await;
    }
    for client in clients {
        client.await;
    }
    assert!(limited::<E, _>(SHORT, incoming.next()).await.is_none(), "there are no more");
    drop(incoming);

    let mut incoming = listener.into_incoming();
    let mut other = incoming.clone();
    let waiting = spawn::<E, _>(async move { other.next().await.is_none() });
    yield_now().await;
    incoming.listener().stop();
    assert!(waiting.await, "it has ended");
    assert!(incoming.next().await.is_none());
    assert!(incoming.next().await.is_none(), "it stays so");
}

async fn several_tasks_take_clients_from_streams_of_their_own<E: Executor>(name: Arc<TestName>) {
    let incoming = AsyncListener::<E>::bind(&*name).unwrap().into_incoming();
    let servers: Vec<_> = (0..4)
        .map(|_| {
            let mut incoming = incoming.clone();
            spawn::<E, _>(async move {
                // Each is busy with its client while others come.
                while let Some(client) = incoming.next().await {
                    answer(client.unwrap()).await;
                }
            })
        })
        .collect();
    yield_now().await;
    // Those that were served by none would wait for ever, as none of the tasks that are busy looks for them.
    let idle = AsyncStream::<E>::connect(&*name).await.unwrap();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| spawn::<E, _>(ask::<E>(Arc::clone(&name), number))).collect();
    for client in clients {
        client.await;
    }
    send_all(&idle, &[0; 4]).await;
    recv_exact(&idle, &mut [0; 4]).await;
    incoming.listener().stop();
    for server in servers {
        server.await;
    }
}

async fn a_stream_of_clients_that_is_dropped_loses_none<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    for number in 0..10 {
        let mut incoming = listener.incoming();
        {
            let mut next = Box::pin(incoming.next());
            assert!(poll_once(&mut next).await.is_none(), "nobody is there");
        }
        let client = AsyncStream::<E>::connect(&*name).await.unwrap();
        // The stream goes on with what its future had begun, or another one does.
        let server = if number % 2 == 0 {
            incoming.next().await.unwrap().unwrap()
        } else {
            drop(incoming);
            listener.accept().await.unwrap()
        };
        send_all(&client, &[number]).await;
        let mut buf = [0xff];
        recv_exact(&server, &mut buf).await;
        assert_eq!(buf, [number]);
    }
}

/// Polls no more often than it is woken, and says how often that was.
async fn polls_of<T>(future: impl Future<Output = T>) -> (usize, T) {
    let mut future = pin!(future);
    let mut polls = 0;
    let output = poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx)
    })
    .await;
    (polls, output)
}

async fn attempts_do_not_wait_and_readiness_does<E: Executor>(name: Arc<TestName>) {
    let listener = AsyncListener::<E>::bind(&*name).unwrap();
    assert_fails(listener.try_accept(), ErrorKind::WouldBlock);
    let client = AsyncStream::<E>::connect(&*name).await.unwrap();
    let server = loop {
        listener.ready(Interest::Read).await.unwrap();
        match listener.try_accept() {
            Ok(server) => break server,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    };

    let mut buf = [0; 64];
    assert_eq!(server.try_recv(&mut []).unwrap(), 0);
    assert_eq!(server.try_send(&[]).unwrap(), 0);
    for round in 0..20 {
        assert_fails(server.try_recv(&mut buf), ErrorKind::WouldBlock);
        // After that there is something to wait for, and it is not busy.
        let waiting = async {
            loop {
                server.ready(Interest::Read).await.unwrap();
                match server.try_recv(&mut buf) {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    result => break result.unwrap(),
                }
            }
        };
        let waiting = polls_of(waiting);
        let sending = async {
            if round == 0 {
                E::R::sleep(SHORT).await;
            }
            loop {
                client.ready(Interest::Write).await.unwrap();
                match client.try_send(b"hello") {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    result => break result.unwrap(),
                }
            }
        };
        let ((polls, received), sent) = futures_lite::future::zip(waiting, sending).await;
        assert_eq!((received, sent), (5, 5));
        assert!(polls < 20, "it was busy: {polls}");
    }

    // There is room, then there is none, and then there is again.
    let mut sent = 0;
    loop {
        match client.try_send(&[7; 10_000]) {
            Ok(len) => sent += len,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                // On Windows, what is on its way may get there.
                if limited::<E, _>(SHORT, client.ready(Interest::Write)).await.is_none() {
                    break;
                }
            }
        }
    }
    let mut rest = vec![0; sent];
    let receiving = recv_exact(&server, &mut rest);
    let ((), ready) = futures_lite::future::zip(receiving, client.ready(Interest::Write)).await;
    ready.unwrap();
    assert!(rest.iter().all(|byte| *byte == 7));

    drop(client);
    let end = loop {
        server.ready(Interest::Read).await.unwrap();
        match server.try_recv(&mut buf) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => break result.unwrap(),
        }
    };
    assert_eq!(end, 0);
}

async fn a_clone_is_the_same_connection<E: Executor>(name: Arc<TestName>) {
    let (client, server) = pair::<E>(&name).await;
    let clone = client.try_clone().unwrap();
    drop(client);
    send_all(&server, b"to the clone").await;
    let mut buf = [0; 12];
    recv_exact(&clone, &mut buf).await;
    assert_eq!(&buf, b"to the clone");
    assert_eq!(clone.peer_pid().unwrap(), server.peer_pid().unwrap());
    drop(clone);
    assert_eq!(server.recv(&mut buf).await.unwrap(), 0);
}

#[cfg(feature = "tokio")]
mod tokio_alone {
    use super::*;
    use interprocess::local_socket::tokio::{Listener, Stream};
    use on_tokio::{OneThread, Threads};
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn objects_and_futures_may_outlive_their_runtime() {
        outlive_their_runtime::<OneThread>();
        outlive_their_runtime::<Threads>();
        futures_outlive_their_runtime::<OneThread>();
        futures_outlive_their_runtime::<Threads>();
    }

    #[test]
    fn creating_something_off_the_runtime_is_an_error_or_works_but_no_panic() {
        in_time(|| {
            let name = unique_name();
            let result = Listener::bind(&name);
            if cfg!(unix) {
                let error = result.unwrap_err();
                assert!(
                    error.to_string().contains("runtime") || error.to_string().contains("reactor"),
                    "{error}"
                );
                // The name was not kept by something that nobody has.
                interprocess::local_socket::Listener::bind(&name).unwrap();
                let listener = interprocess::local_socket::Listener::bind(&name).unwrap();
                assert!(Listener::try_from(listener).is_err());
                let listener = interprocess::local_socket::Listener::bind(&name).unwrap();
                let client = interprocess::local_socket::Stream::connect(&name).unwrap();
                assert!(Stream::try_from(client).is_err());
                drop(listener);
            } else {
                result.unwrap();
            }
        });
    }

    #[test]
    fn another_executor_may_poll_while_the_runtime_lives() {
        in_time(|| {
            let name = unique_name();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let (client, server) = runtime.block_on(pair::<Threads>(&name));
            let reader = thread::spawn(move || {
                futures_lite::future::block_on(async move {
                    let mut buf = [0; 4];
                    recv_exact(&server, &mut buf).await;
                    buf
                })
            });
            runtime.block_on(send_all(&client, b"1234"));
            assert_eq!(&reader.join().unwrap(), b"1234");
        });
    }

    #[test]
    fn the_traits_of_tokio_read_and_write() {
        in_time(|| {
            OneThread::block_on(async {
                for name in both_names() {
                    let (mut client, mut server) = pair::<OneThread>(&name).await;
                    // Without room there is nothing to wait for.
                    let nothing = limited::<OneThread, _>(LIMIT / 4, server.read(&mut [])).await;
                    assert_eq!(nothing.expect("it waits").unwrap(), 0);
                    client.write_all(b"owned, ").await.unwrap();
                    (&client).write_all(b"shared").await.unwrap();
                    client.flush().await.unwrap();
                    let mut buf = [0; 7];
                    server.read_exact(&mut buf).await.unwrap();
                    assert_eq!(&buf, b"owned, ");
                    (&server).read_exact(&mut buf[..6]).await.unwrap();
                    assert_eq!(&buf[..6], b"shared");

                    let parts = [IoSlice::new(b"in "), IoSlice::new(b"parts")];
                    assert!(tokio::io::AsyncWrite::is_write_vectored(&client));
                    let sent = client.write_vectored(&parts).await.unwrap();
                    // Into memory that was never written before.
                    let mut text = Vec::with_capacity(100);
                    while text.len() < sent {
                        server.read_buf(&mut text).await.unwrap();
                    }
                    assert_eq!(text, b"in parts"[..sent]);
                    drop(client);
                    assert_eq!(server.read(&mut buf).await.unwrap(), 0);
                }
            });
        });
    }

    #[test]
    fn a_peer_that_never_stops_does_not_keep_others_from_their_turn() {
        in_time(|| {
            for name in both_names() {
                OneThread::block_on(async {
                    let (client, mut server) = pair::<OneThread>(&name).await;
                    let client = interprocess::local_socket::Stream::try_from(client).unwrap();
                    // Two, so that while one begins anew there is something from the other.
                    let senders = [client.try_clone().unwrap(), client].map(|client| {
                        let data = vec![0; 1 << 16];
                        thread::spawn(move || while client.send(&data).is_ok() {})
                    });
                    for by_trait in [false, true] {
                        let has_ended = Arc::new(AtomicBool::new(false));
                        let ends = Arc::clone(&has_ended);
                        let timer = spawn::<OneThread, _>(async move {
                            tokio::time::sleep(SHORT).await;
                            ends.store(true, Ordering::Relaxed);
                        });
                        let began = Instant::now();
                        while !has_ended.load(Ordering::Relaxed) {
                            // Byte by byte, it is slower than those who send.
                            let mut byte = [0];
                            let received = if by_trait {
                                server.read(&mut byte).await
                            } else {
                                server.recv(&mut byte).await
                            };
                            assert_eq!(received.unwrap(), 1);
                            assert!(began.elapsed() < LIMIT / 4, "the timer has not ended");
                        }
                        timer.await;
                    }
                    drop(server);
                    for sender in senders {
                        sender.join().unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn tokio_copies_through_a_shared_stream() {
        in_time(|| {
            Threads::block_on(async {
                let name = unique_name();
                let listener = Listener::bind(&name).unwrap();
                let echo = tokio::spawn(async move {
                    let client = listener.accept().await.unwrap();
                    tokio::io::copy(&mut &client, &mut &client).await.unwrap()
                });
                let client = Arc::new(Stream::connect(&name).await.unwrap());
                let sender = Arc::clone(&client);
                let sender = tokio::spawn(async move { send_pattern(&sender, 11, MUCH).await });
                recv_pattern(&client, 11, MUCH).await;
                sender.await.unwrap();
                drop(client);
                assert_eq!(echo.await.unwrap(), MUCH as u64);
            });
        });
    }

    #[test]
    fn tokio_splits_a_stream_for_two_tasks() {
        in_time(|| {
            Threads::block_on(async {
                let name = unique_name();
                let (client, server) = pair::<Threads>(&name).await;
                let (mut client_reader, mut client_writer) = tokio::io::split(client);
                let (mut server_reader, mut server_writer) = tokio::io::split(server);
                let echo = tokio::spawn(async move {
                    let mut buf = vec![0; 10_000];
                    let mut total = 0;
                    while total < MUCH {
                        let len = server_reader.read(&mut buf).await.unwrap();
                        server_writer.write_all(&buf[..len]).await.unwrap();
                        total += len;
                    }
                });
                let sender = tokio::spawn(async move {
                    let pattern = Pattern::new(12);
                    for piece in 0..MUCH / 4096 {
                        client_writer.write_all(pattern.at(piece * 4096, 4096)).await.unwrap();
                    }
                });
                let mut received = vec![0; MUCH];
                client_reader.read_exact(&mut received).await.unwrap();
                Pattern::new(12).check(0, &received);
                sender.await.unwrap();
                echo.await.unwrap();
            });
        });
    }

    #[test]
    fn shutdown_ends_sending_or_says_that_it_cannot() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_name();
                let (mut client, mut server) = pair::<OneThread>(&name).await;
                client.write_all(b"question").await.unwrap();
                let result = client.shutdown().await;
                if cfg!(windows) {
                    return assert_fails(result, ErrorKind::Unsupported);
                }
                result.unwrap();
                let mut text = String::new();
                server.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "question");
                server.write_all(b"answer").await.unwrap();
                drop(server);
                let mut text = String::new();
                client.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "answer");
            });
        });
    }

    #[cfg(unix)]
    #[test]
    fn sockets_of_tokio_become_ours_and_back_with_what_is_in_them() {
        use interprocess::os::unix::udsocket::tokio::{UdSocket, UdStream, UdStreamListener};
        use tokio::net::{UnixDatagram, UnixListener, UnixStream};

        in_time(|| {
            Threads::block_on(async {
                let name = support::unique_path();
                let theirs = UnixListener::bind(&*name).unwrap();
                let mut client = UnixStream::connect(&*name).await.unwrap();
                client.write_all(b"waits").await.unwrap();
                let listener = Listener::try_from(theirs).unwrap();
                let mut server = UnixStream::try_from(listener.accept().await.unwrap()).unwrap();
                let mut buf = [0; 5];
                server.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"waits");
                client.write_all(b"again").await.unwrap();
                let server = Stream::try_from(server).unwrap();
                recv_exact(&server, &mut buf).await;
                assert_eq!(&buf, b"again");

                let theirs = UnixListener::try_from(listener).unwrap();
                let listener = UdStreamListener::try_from(theirs).unwrap();
                let client = UdStream::try_from(UnixStream::connect(&*name).await.unwrap()).unwrap();
                client.send(b"hello").await.unwrap();
                let mut server = UnixStream::try_from(listener.accept().await.unwrap()).unwrap();
                server.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"hello");
                UnixListener::try_from(listener).unwrap();

                let (one, other) = UnixDatagram::pair().unwrap();
                one.send(b"one").await.unwrap();
                let other = UdSocket::try_from(other).unwrap();
                other.send(b"two").await.unwrap();
                assert_eq!(other.recv(&mut buf).await.unwrap(), (3, false));
                let _other = UnixDatagram::try_from(other).unwrap();
                assert_eq!(one.recv(&mut buf).await.unwrap(), 3);
            });
        });
    }

    #[test]
    fn halves_have_the_traits_of_tokio() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_name();
                let (client, server) = pair::<OneThread>(&name).await;
                let (mut rh, mut sh) = client.split();
                sh.write_all(b"question").await.unwrap();
                sh.flush().await.unwrap();
                let mut buf = [0; 8];
                (&server).read_exact(&mut buf).await.unwrap();
                (&server).write_all(b"answers!").await.unwrap();
                rh.read_exact(&mut buf[..4]).await.unwrap();
                (&rh).read_exact(&mut buf[4..]).await.unwrap();
                assert_eq!(&buf, b"answers!");
                if cfg!(unix) {
                    sh.shutdown().await.unwrap();
                    assert_eq!(server.recv(&mut buf).await.unwrap(), 0);
                }
            });
        });
    }

    #[test]
    fn futures_and_objects_go_to_other_threads() {
        fn assert_send<T: Send>(_: &T) {}
        fn assert_send_sync<T: Send + Sync + Unpin>() {}
        fn uses(listener: &Listener, stream: &Stream) {
            assert_send(&listener.accept());
            assert_send(&stream.recv(&mut []));
            assert_send(&stream.send(&[]));
            assert_send(&stream.peek(&mut []));
        }
        assert_send_sync::<Listener>();
        assert_send_sync::<Stream>();
        let name = unique_name();
        assert_send(&Stream::connect(&*name));
        assert_send(&ConnectOptions::new().name(&*name).connect_tokio());
        let _ = uses;
    }
}

#[cfg(feature = "smol")]
mod smol_alone {
    use super::*;
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use interprocess::local_socket::smol::{Listener, Stream};
    use on_smol::{OneThread, Threads};

    #[test]
    fn objects_and_futures_may_outlive_their_runtime() {
        outlive_their_runtime::<OneThread>();
        outlive_their_runtime::<Threads>();
        futures_outlive_their_runtime::<OneThread>();
    }

    #[test]
    fn no_runtime_is_needed_to_create_and_drop_something() {
        in_time(|| {
            let name = unique_name();
            let listener = Listener::bind(&name).unwrap();
            let client = interprocess::local_socket::Stream::connect(&name).unwrap();
            drop(Stream::try_from(client).unwrap());
            drop(listener);
            interprocess::local_socket::Listener::bind(&name).unwrap();
        });
    }

    #[test]
    fn an_executor_that_knows_nothing_of_the_reactor_will_do() {
        in_time(|| {
            futures_lite::future::block_on(async {
                let name = unique_name();
                let (client, server) = pair::<OneThread>(&name).await;
                let ((), ()) = futures_lite::future::zip(send_all(&client, b"1234"), async {
                    recv_exact(&server, &mut [0; 4]).await;
                })
                .await;
                assert!(limited::<OneThread, _>(SHORT, server.recv(&mut [0])).await.is_none());
            });
        });
    }

    #[test]
    fn the_traits_of_futures_read_and_write() {
        in_time(|| {
            OneThread::block_on(async {
                for name in both_names() {
                    let (mut client, mut server) = pair::<OneThread>(&name).await;
                    // Without room there is nothing to wait for.
                    let nothing = limited::<OneThread, _>(LIMIT / 4, server.read(&mut [])).await;
                    assert_eq!(nothing.expect("it waits").unwrap(), 0);
                    client.write_all(b"owned, ").await.unwrap();
                    (&client).write_all(b"shared").await.unwrap();
                    client.flush().await.unwrap();
                    let mut buf = [0; 7];
                    server.read_exact(&mut buf).await.unwrap();
                    assert_eq!(&buf, b"owned, ");
                    (&server).read_exact(&mut buf[..6]).await.unwrap();
                    assert_eq!(&buf[..6], b"shared");

                    let parts = [IoSlice::new(b"in "), IoSlice::new(b"parts")];
                    let sent = client.write_vectored(&parts).await.unwrap();
                    let mut received = Vec::new();
                    while received.len() < sent {
                        let (mut first, mut second) = ([0; 2], [0; 20]);
                        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
                        let len = server.read_vectored(&mut bufs).await.unwrap();
                        received.extend_from_slice(&[&first[..], &second[..]].concat()[..len]);
                    }
                    assert_eq!(received, b"in parts"[..sent]);
                    drop(client);
                    assert_eq!(server.read(&mut buf).await.unwrap(), 0);
                }
            });
        });
    }

    #[test]
    fn futures_copy_and_split_a_stream() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_name();
                let (client, server) = pair::<OneThread>(&name).await;
                let echo = spawn::<OneThread, _>(async move {
                    let (reader, writer) = futures_lite::io::split(server);
                    futures_lite::io::copy(reader, writer).await.unwrap()
                });
                let client = Arc::new(client);
                let sender = Arc::clone(&client);
                let sender = spawn::<OneThread, _>(async move { send_pattern(&sender, 13, MUCH).await });
                recv_pattern(&client, 13, MUCH).await;
                sender.await;
                drop(client);
                assert_eq!(echo.await, MUCH as u64);
            });
        });
    }

    #[test]
    fn closing_ends_sending_or_says_that_it_cannot() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_name();
                let (mut client, mut server) = pair::<OneThread>(&name).await;
                client.write_all(b"question").await.unwrap();
                let result = client.close().await;
                if cfg!(windows) {
                    return assert_fails(result, ErrorKind::Unsupported);
                }
                result.unwrap();
                let mut text = String::new();
                server.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "question");
                server.write_all(b"answer").await.unwrap();
                drop(server);
                let mut text = String::new();
                client.read_to_string(&mut text).await.unwrap();
                assert_eq!(text, "answer");
            });
        });
    }

    #[cfg(unix)]
    #[test]
    fn sockets_of_async_io_become_ours_and_back_with_what_is_in_them() {
        use async_io::Async;
        use interprocess::os::unix::udsocket::smol::{UdSocket, UdStream, UdStreamListener};
        use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

        in_time(|| {
            OneThread::block_on(async {
                let name = support::unique_path();
                let theirs = Async::<UnixListener>::bind(&*name).unwrap();
                let mut client = Async::<UnixStream>::connect(&*name).await.unwrap();
                client.write_all(b"waits").await.unwrap();
                let listener = Listener::try_from(theirs).unwrap();
                let mut server = Async::<UnixStream>::try_from(listener.accept().await.unwrap()).unwrap();
                let mut buf = [0; 5];
                server.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"waits");
                client.write_all(b"again").await.unwrap();
                let server = Stream::try_from(server).unwrap();
                recv_exact(&server, &mut buf).await;
                assert_eq!(&buf, b"again");

                let theirs = Async::<UnixListener>::try_from(listener).unwrap();
                let listener = UdStreamListener::try_from(theirs).unwrap();
                let theirs = Async::<UnixStream>::connect(&*name).await.unwrap();
                UdStream::try_from(theirs).unwrap().send(b"hello").await.unwrap();
                let mut server = Async::<UnixStream>::try_from(listener.accept().await.unwrap()).unwrap();
                server.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"hello");
                Async::<UnixListener>::try_from(listener).unwrap();

                let (one, other) = Async::<UnixDatagram>::pair().unwrap();
                one.send(b"one").await.unwrap();
                let other = UdSocket::try_from(other).unwrap();
                other.send(b"two").await.unwrap();
                assert_eq!(other.recv(&mut buf).await.unwrap(), (3, false));
                let _other = Async::<UnixDatagram>::try_from(other).unwrap();
                assert_eq!(one.recv(&mut buf).await.unwrap(), 3);
            });
        });
    }

    #[test]
    fn halves_have_the_traits_of_futures() {
        in_time(|| {
            OneThread::block_on(async {
                let name = unique_name();
                let (client, server) = pair::<OneThread>(&name).await;
                let (mut rh, mut sh) = client.split();
                sh.write_all(b"question").await.unwrap();
                sh.flush().await.unwrap();
                let mut buf = [0; 8];
                (&server).read_exact(&mut buf).await.unwrap();
                (&server).write_all(b"answers!").await.unwrap();
                rh.read_exact(&mut buf[..4]).await.unwrap();
                (&rh).read_exact(&mut buf[4..]).await.unwrap();
                assert_eq!(&buf, b"answers!");
            });
        });
    }

    #[test]
    fn futures_and_objects_go_to_other_threads() {
        fn assert_send<T: Send>(_: &T) {}
        fn assert_send_sync<T: Send + Sync + Unpin>() {}
        fn uses(listener: &Listener, stream: &Stream) {
            assert_send(&listener.accept());
            assert_send(&stream.recv(&mut []));
            assert_send(&stream.send(&[]));
            assert_send(&stream.peek(&mut []));
        }
        assert_send_sync::<Listener>();
        assert_send_sync::<Stream>();
        let name = unique_name();
        assert_send(&Stream::connect(&*name));
        assert_send(&ConnectOptions::new().name(&*name).connect_smol());
        let _ = uses;
    }
}

#[cfg(all(feature = "smol", feature = "tokio"))]
mod together {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn many_runtimes_in_one_process_serve_each_other() {
        in_time(|| {
            let name = Arc::new(unique_name());
            let (ready, is_ready) = mpsc::channel();
            let servers: Vec<_> = [
                serve_in_turn::<on_tokio::Threads>,
                serve_in_turn::<on_tokio::OneThread>,
                serve_in_turn::<on_smol::OneThread>,
            ]
            .into_iter()
            .enumerate()
            .map(|(number, serve)| {
                let name = format!("{name}-{number}");
                let ready = ready.clone();
                thread::spawn(move || serve(&name, &ready))
            })
            .collect();
            for _ in &servers {
                is_ready.recv().unwrap();
            }
            let clients: Vec<_> = (0..servers.len())
                .flat_map(|number| {
                    [
                        ask_on::<on_tokio::Threads>,
                        ask_on::<on_tokio::OneThread>,
                        ask_on::<on_smol::Threads>,
                        ask_on::<on_smol::OneThread>,
                    ]
                    .map(|ask| (ask, format!("{name}-{number}")))
                })
                .map(|(ask, name)| thread::spawn(move || ask(&name)))
                .collect();
            for thread in clients.into_iter().chain(servers) {
                thread.join().unwrap();
            }
        });
    }

    /// Four clients.
    fn serve_in_turn<E: Executor>(name: &str, ready: &mpsc::Sender<()>) {
        E::block_on(async {
            let listener = AsyncListener::<E>::bind(name).unwrap();
            ready.send(()).unwrap();
            for _ in 0..4 {
                answer(listener.accept().await.unwrap()).await;
            }
        });
    }

    fn ask_on<E: Executor>(name: &str) {
        E::block_on(async {
            let client = AsyncStream::<E>::connect(name).await.unwrap();
            send_all(&client, &7_u32.to_le_bytes()).await;
            let mut buf = [0; 4];
            recv_exact(&client, &mut buf).await;
            assert_eq!(u32::from_le_bytes(buf), 8);
        });
    }

    #[test]
    fn tasks_of_another_runtime_use_what_was_created_in_one_that_runs() {
        fn use_elsewhere<E: Executor>(one: (AsyncStream<E>, AsyncStream<E>)) {
            thread::spawn(move || {
                E::block_on(async {
                    let (client, server) = one;
                    let receiving = async {
                        let mut buf = [0; 5];
                        recv_exact(&server, &mut buf).await;
                        assert_eq!(&buf, b"hello");
                    };
                    let sending = async {
                        E::R::sleep(SHORT).await;
                        send_all(&client, b"hello").await;
                    };
                    futures_lite::future::zip(receiving, sending).await;
                });
            })
            .join()
            .unwrap();
        }

        in_time(|| {
            let name = unique_name();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            use_elsewhere::<on_tokio::OneThread>(runtime.block_on(pair::<on_tokio::OneThread>(&name)));
            use_elsewhere::<on_smol::OneThread>(async_io::block_on(pair::<on_smol::OneThread>(&name)));
        });
    }
}
