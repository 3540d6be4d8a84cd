//! Both ends on each runtime.

#![cfg(any(feature = "smol", feature = "tokio"))]

use crate::{Fifo, SHORT, support::in_time};
use interprocess::{
    ConnectWaitMode,
    os::unix::fifo_file::{PIPE_BUF, Recver, Sender},
    runtime::{Async, Interest, Runtime},
};
use std::{
    future::Future,
    io::{ErrorKind, IoSlice, IoSliceMut},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Wake},
};

type AsyncRecver<R> = Async<Recver, R>;
type AsyncSender<R> = Async<Sender, R>;

/// Counts how often a task is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

async fn bytes_arrive_until_the_end<R: Runtime>() {
    let fifo = Fifo::new();
    let recver = AsyncRecver::<R>::open(fifo.path()).expect("open");
    let sender = AsyncSender::<R>::open(fifo.path()).await.expect("open");
    assert_eq!(sender.send(b"hello").await.expect("send"), 5);
    assert_eq!(sender.send_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")]).await.expect("send"), 4);
    let (mut buf, mut rest) = ([0; 8], [0; 8]);
    assert_eq!(recver.available().expect("how many"), 9);
    let mut bufs = [IoSliceMut::new(&mut buf), IoSliceMut::new(&mut rest)];
    assert_eq!(recver.recv_vectored(&mut bufs).await.expect("receive"), 9);
    assert_eq!((&buf, rest[0]), (b"helloabc", b'd'));
    assert_eq!(recver.recv(&mut []).await.expect("nothing is wanted"), 0);
    drop(sender);
    assert_eq!(recver.recv(&mut buf).await.expect("the end"), 0);
    // To the blocking face and back.
    let recver = Recver::try_from(recver).expect("blocking");
    assert!(!recver.is_nonblocking());
    let recver = AsyncRecver::<R>::try_from(recver).expect("async");
    assert!(recver.get_ref().is_nonblocking());
}

async fn a_sender_waits_for_a_receiver_no_longer_than_it_may<R: Runtime>(
    open: impl AsyncFn(&Fifo, ConnectWaitMode) -> std::io::Result<AsyncSender<R>>,
) {
    let fifo = Fifo::new();
    let error = open(&fifo, ConnectWaitMode::Deferred).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let error = open(&fifo, ConnectWaitMode::Timeout(SHORT)).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let mut opening = pin!(open(&fifo, ConnectWaitMode::Unbounded));
    assert!(futures_lite::future::poll_once(&mut opening).await.is_none());
    let recver = AsyncRecver::<R>::open(fifo.path()).expect("open");
    opening.await.expect("open").send(b"x").await.expect("send");
    assert_eq!(recver.recv(&mut [0; 8]).await.expect("receive"), 1);
}

async fn after_the_end_the_next_sender_is_waited_for_and_not_spun_for<R: Runtime>() {
    let fifo = Fifo::new();
    let recver = AsyncRecver::<R>::open(fifo.path()).expect("open");
    let mut buf = [0; 8];
    for _ in 0..3 {
        drop(AsyncSender::<R>::open(fifo.path()).await.expect("open").send(b"x").await);
        assert_eq!(recver.recv(&mut buf).await.expect("receive"), 1);
        assert_eq!(recver.recv(&mut buf).await.expect("the end"), 0);

        let sender = AsyncSender::<R>::open(fifo.path()).await.expect("open");
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        {
            let mut receiving = pin!(recver.recv(&mut buf));
            for _ in 0..10 {
                assert!(receiving.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                R::sleep(SHORT / 10).await;
            }
            assert!(woken.0.load(SeqCst) < 5, "woken again and again");
            sender.send(b"later").await.expect("send");
            assert_eq!(receiving.await.expect("receive"), 5);
        }
        drop(sender);
        assert_eq!(recver.recv(&mut buf).await.expect("the end"), 0);
    }
}

async fn after_a_broken_pipe_the_next_receiver_is_waited_for_and_not_spun_for<R: Runtime>() {
    let fifo = Fifo::new();
    let recver = AsyncRecver::<R>::open(fifo.path()).expect("open");
    let sender = AsyncSender::<R>::open(fifo.path()).await.expect("open");
    let mut recver = Some(recver);
    let piece = [0; PIPE_BUF];
    for _ in 0..3 {
        drop(recver.take());
        assert_eq!(sender.send(&piece).await.expect_err("nobody").kind(), ErrorKind::BrokenPipe);
        let next = &*recver.insert(AsyncRecver::<R>::open(fifo.path()).expect("open"));
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        // Until it is full.
        loop {
            let mut sending = pin!(sender.send(&piece));
            if sending.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                continue;
            }
            let before = woken.0.load(SeqCst);
            for _ in 0..10 {
                R::sleep(SHORT / 10).await;
                if sending.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    break;
                }
            }
            assert!(woken.0.load(SeqCst) - before < 5, "woken again and again");
            if next.available().expect("how many") < PIPE_BUF {
                continue;
            }
            let mut buf = vec![0; 1 << 20];
            assert!(next.recv(&mut buf).await.expect("receive") > 0);
            assert!(sending.await.is_ok());
            break;
        }
        let mut buf = vec![0; 1 << 20];
        assert!(next.recv(&mut buf).await.expect("receive") > 0);
    }
}

async fn readiness_waits_for_the_next_sender_when_the_last_has_left<R: Runtime>() {
    let fifo = Fifo::new();
    let recver = AsyncRecver::<R>::open(fifo.path()).expect("open");
    let mut buf = [0; 8];
    for _ in 0..3 {
        let sender = AsyncSender::<R>::open(fifo.path()).await.expect("open");
        assert_eq!(sender.try_send(b"x").expect("there is room"), 1);
        drop(sender);
        assert_eq!(recver.try_recv(&mut buf).expect("it is there"), 1);
        assert_eq!(recver.try_recv(&mut buf).expect("the end"), 0);

        let sender = AsyncSender::<R>::open(fifo.path()).await.expect("open");
        let mut attempts = 0;
        let receiving = async {
            loop {
                attempts += 1;
                match recver.try_recv(&mut buf) {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    result => break result.expect("receive"),
                }
                recver.ready(Interest::Read).await.expect("ready");
            }
        };
        let sending = async {
            R::sleep(SHORT).await;
            sender.send(b"later").await.expect("send");
        };
        assert_eq!(futures_lite::future::zip(receiving, sending).await.0, 5);
        assert!(attempts < 10, "it was busy: {attempts}");
        drop(sender);
        assert_eq!(recver.recv(&mut buf).await.expect("the end"), 0);
    }
}

async fn a_receive_that_is_given_up_loses_nothing<R: Runtime>() {
    let fifo = Fifo::new();
    let recver = AsyncRecver::<R>::open(fifo.path()).expect("open");
    let mut buf = [0; 8];
    assert!(futures_lite::future::poll_once(recver.recv(&mut buf)).await.is_none());
    let sender = AsyncSender::<R>::open(fifo.path()).await.expect("open");
    assert!(futures_lite::future::poll_once(recver.recv(&mut buf)).await.is_none());
    sender.send(b"kept").await.expect("send");
    assert_eq!(recver.recv(&mut buf).await.expect("receive"), 4);
}

/// The tests above on one runtime.
macro_rules! on {
    ($module:ident, $feature:literal, $runtime:ident, $block_on:expr, $open:ident) => {
        #[cfg(feature = $feature)]
        mod $module {
            use super::*;
            use interprocess::{os::unix::fifo_file::OpenOptions, runtime::$runtime};

            #[test]
            fn bytes_arrive_until_the_end() {
                in_time(|| $block_on(super::bytes_arrive_until_the_end::<$runtime>()));
            }

            #[test]
            fn a_sender_waits_for_a_receiver_no_longer_than_it_may() {
                let open =
                    async |fifo: &Fifo, mode| OpenOptions::new().wait_mode(mode).$open(fifo.path()).await;
                in_time(move || {
                    $block_on(super::a_sender_waits_for_a_receiver_no_longer_than_it_may::<$runtime>(open))
                });
            }

            #[test]
            fn after_the_end_the_next_sender_is_waited_for_and_not_spun_for() {
                in_time(|| {
                    $block_on(
                        super::after_the_end_the_next_sender_is_waited_for_and_not_spun_for::<$runtime>(),
                    )
                });
            }

            #[test]
            fn after_a_broken_pipe_the_next_receiver_is_waited_for_and_not_spun_for() {
                in_time(|| {
                    $block_on(super::after_a_broken_pipe_the_next_receiver_is_waited_for_and_not_spun_for::<
                        $runtime,
                    >())
                });
            }

            #[test]
            fn readiness_waits_for_the_next_sender_when_the_last_has_left() {
                in_time(|| {
                    $block_on(super::readiness_waits_for_the_next_sender_when_the_last_has_left::<$runtime>())
                });
            }

            #[test]
            fn a_receive_that_is_given_up_loses_nothing() {
                in_time(|| $block_on(super::a_receive_that_is_given_up_loses_nothing::<$runtime>()));
            }
        }
    };
}

#[cfg(feature = "tokio")]
fn tokio_block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(future)
}

on!(on_tokio, "tokio", Tokio, tokio_block_on, sender_tokio);
on!(on_smol, "smol", Smol, futures_lite::future::block_on, sender_smol);
