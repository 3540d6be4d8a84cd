//! A third runtime, as small as one can be: it shows that the seam asks for no more than this. Only tests have it.

use super::{Async, Interest, Registered, Runtime, Source, private::Sealed};
use crate::{
    local_socket::{ConnectOptions, Listener, ListenerOptions, Stream},
    unnamed_pipe,
};
use rustix::event::{PollFd, PollFlags, poll};
use std::{
    future::{Future, poll_fn},
    io,
    os::fd::OwnedFd,
    pin::pin,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

/// The runtime: a thread that polls, and a thread for each timer.
#[derive(Copy, Clone, Debug)]
struct Toy;

impl Sealed for Toy {}

impl Runtime for Toy {
    type Io<T: Source> = Io<T>;
    type ReopenedIo<T: Source> = Io<T>;

    async fn sleep(duration: Duration) {
        let (done, is_done) = unnamed_pipe::pipe().expect("pipe");
        thread::spawn(move || {
            thread::sleep(duration);
            drop(done);
        });
        let is_done: Async<_, Self> = is_done.try_into().expect("async");
        is_done.recv(&mut [0]).await.expect("the end");
    }
}

/// A task that waits for a descriptor.
struct Wait {
    fd: OwnedFd,
    events: PollFlags,
    waker: Waker,
}

/// The thread that polls.
struct Reactor {
    new: Mutex<Vec<Wait>>,
    /// Interrupts it.
    alarm: unnamed_pipe::Sender,
}

impl Reactor {
    fn get() -> &'static Self {
        static REACTOR: OnceLock<Reactor> = OnceLock::new();
        REACTOR.get_or_init(|| {
            let (alarm, alarmed) = unnamed_pipe::pipe().expect("pipe");
            thread::spawn(move || Self::get().run(&alarmed));
            Self { new: Mutex::default(), alarm }
        })
    }

    fn run(&self, alarmed: &unnamed_pipe::Recver) {
        let mut waits: Vec<Wait> = Vec::new();
        loop {
            let fds = waits.iter().map(|wait| PollFd::new(&wait.fd, wait.events));
            let mut fds: Vec<_> = fds.chain([PollFd::new(alarmed, PollFlags::IN)]).collect();
            poll(&mut fds, None).expect("poll");
            let mut are_ready: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            if are_ready.pop() == Some(true) {
                alarmed.recv(&mut [0; 64]).expect("alarm");
            }
            let mut are_ready = are_ready.into_iter();
            let (ready, rest): (Vec<_>, _) = waits.into_iter().partition(|_| are_ready.next() == Some(true));
            for wait in ready {
                wait.waker.wake();
            }
            waits = rest;
            waits.append(&mut self.new.lock().expect("no panic"));
        }
    }
}

/// An object that the reactor is told of whenever somebody waits for it.
#[derive(Debug)]
struct Io<T>(T);

impl<T: Source> Io<T> {
    fn wake_when_ready(&self, interest: Interest, waker: &Waker) -> io::Result<()> {
        let events = match interest {
            Interest::Read => PollFlags::IN,
            Interest::Write => PollFlags::OUT,
        };
        let fd = self.0.as_fd().try_clone_to_owned()?;
        let reactor = Reactor::get();
        reactor.new.lock().expect("no panic").push(Wait { fd, events, waker: waker.clone() });
        reactor.alarm.send(&[0]).map(drop)
    }
}

impl<T: Source> Registered<T> for Io<T> {
    fn new(io: T) -> io::Result<Self> {
        Ok(Self(io))
    }

    fn get_ref(&self) -> &T {
        &self.0
    }

    fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }

    fn into_inner(self) -> io::Result<T> {
        Ok(self.0)
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        let mut has_waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(Ok(()));
            }
            self.wake_when_ready(interest, cx.waker())?;
            Poll::Pending
        })
        .await
    }

    fn try_with<X>(&self, _interest: Interest, attempt: impl FnOnce(&T) -> io::Result<X>) -> io::Result<X> {
        attempt(&self.0)
    }

    async fn wait_with<X>(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&T) -> io::Result<X> + Send,
    ) -> io::Result<X> {
        poll_fn(|cx| self.poll_with(interest, cx, &mut attempt)).await
    }

    fn poll_with<X>(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&T) -> io::Result<X>,
    ) -> Poll<io::Result<X>> {
        match attempt(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.wake_when_ready(interest, cx.waker())?;
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

type ToyStream = Async<Stream, Toy>;

fn name(what: &str) -> String {
    format!("@interprocess-toy-{}-{what}", std::process::id())
}

#[test]
fn a_runtime_of_a_hundred_lines_serves_clients() {
    let name = name("serves");
    let listener = Async::<Listener, Toy>::bind(&name).expect("bind");
    let clients: Vec<_> = (0..20)
        .map(|number| {
            let name = name.clone();
            thread::spawn(move || {
                block_on(async {
                    let client = ToyStream::connect(&*name).await.expect("connect");
                    let (rh, sh) = client.split();
                    let mut buf = [0];
                    for round in 0..50 {
                        sh.send(&[number ^ round]).await.expect("send");
                        assert_eq!(rh.recv(&mut buf).await.expect("receive"), 1);
                        assert_eq!(buf, [number ^ round]);
                    }
                });
            })
        })
        .collect();
    block_on(async {
        let mut incoming = listener.incoming();
        let mut servers = Vec::new();
        for _ in 0..clients.len() {
            let client = incoming.next().await.expect("not stopped").expect("accept");
            servers.push(thread::spawn(move || {
                block_on(async {
                    let mut buf = [0; 8];
                    loop {
                        match client.recv(&mut buf).await.expect("receive") {
                            0 => break,
                            len => assert_eq!(client.send(&buf[..len]).await.expect("send"), len),
                        }
                    }
                });
            }));
        }
        for server in servers {
            server.join().expect("server");
        }
    });
    for client in clients {
        client.join().expect("client");
    }
}

#[test]
fn a_runtime_of_a_hundred_lines_keeps_time() {
    block_on(async {
        let name = name("time");
        let listener: Async<Listener, Toy> = ListenerOptions::new().name(&name).create_async().expect("bind");
        let error = listener.accept_timeout(Duration::from_millis(20)).await.expect_err("nobody");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let client: ToyStream = ConnectOptions::new().name(&*name).connect_async().await.expect("connect");
        listener.ready(Interest::Read).await.expect("ready");
        let server = listener.try_accept().expect("accept");
        assert_eq!(server.try_recv(&mut [0; 8]).expect_err("nothing").kind(), io::ErrorKind::WouldBlock);
        client.send(b"x").await.expect("send");
        server.ready(Interest::Read).await.expect("ready");
        assert_eq!(server.try_recv(&mut [0; 8]).expect("receive"), 1);
        listener.stop();
        assert!(listener.incoming().next().await.is_none());
    });
}

#[test]
fn a_runtime_of_a_hundred_lines_waits_for_the_next_sender_of_a_fifo() {
    use crate::os::unix::fifo_file::{self, create_fifo};

    let path = std::env::temp_dir().join(name("fifo"));
    create_fifo(&path, 0o600).expect("create");
    block_on(async {
        let recver = Async::<fifo_file::Recver, Toy>::open(&path).expect("open");
        for _ in 0..3 {
            let sender = Async::<fifo_file::Sender, Toy>::open(&path).await.expect("open");
            sender.send(b"x").await.expect("send");
            drop(sender);
            assert_eq!(recver.recv(&mut [0; 8]).await.expect("receive"), 1);
            assert_eq!(recver.recv(&mut [0; 8]).await.expect("the end"), 0);
        }
    });
    std::fs::remove_file(path).expect("remove");
}
