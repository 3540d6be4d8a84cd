//! Each behaviour on each face: blocking, Tokio and smol. There is one body for a test, so that what one face lacks does not
//! compile, and what it does otherwise fails.
//!
//! The face that is tested has one end. The other end is that of a thread which blocks.

mod support;

use interprocess::{
    local_socket::{self, PeerCreds},
    unnamed_pipe::{self, Recver, Sender},
};
use std::{
    fmt::Debug,
    future::Future,
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    net::Shutdown,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
#[cfg(unix)]
use support::TempDir;
#[cfg(windows)]
use support::unique;
use support::{LIMIT, TestName, both_names, in_time};

/// How long to wait for what does not happen.
const SHORT: Duration = Duration::from_millis(60);

/// A way of waiting.
trait Face: 'static {
    fn block_on<T>(future: impl Future<Output = T>) -> T;
}

/// How a face shows an object of the library.
trait Shows<T>: Face {
    type Shown;

    fn show(object: T) -> Self::Shown;
}

/// What waits blocks the thread.
struct Blocking;

impl Face for Blocking {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => unreachable!("nothing waits without blocking"),
        }
    }
}

impl<T> Shows<T> for Blocking {
    type Shown = T;

    fn show(object: T) -> T {
        object
    }
}

#[cfg(feature = "tokio")]
struct OnTokio;

#[cfg(feature = "tokio")]
impl Face for OnTokio {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(future)
    }
}

#[cfg(feature = "smol")]
struct OnSmol;

#[cfg(feature = "smol")]
impl Face for OnSmol {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        async_io::block_on(future)
    }
}

/// Async faces show what they can be made from.
#[cfg(any(feature = "smol", feature = "tokio"))]
macro_rules! shows {
    ($($face:ident is $runtime:ident if $feature:literal;)+) => {$(
        #[cfg(feature = $feature)]
        impl<T: interprocess::runtime::Source> Shows<T> for $face
        where
            interprocess::runtime::Async<T, interprocess::runtime::$runtime>: TryFrom<T, Error = io::Error>,
        {
            type Shown = interprocess::runtime::Async<T, interprocess::runtime::$runtime>;

            fn show(object: T) -> Self::Shown {
                object.try_into().expect("async")
            }
        }
    )+};
}
#[cfg(any(feature = "smol", feature = "tokio"))]
shows! {
    OnTokio is Tokio if "tokio";
    OnSmol is Smol if "smol";
}

/// A trait for what both faces of an object can do, by methods of the same names.
macro_rules! faces {
    ($(
        $(#[$cfg:meta])*
        $trait:ident: $object:ty {
            $(await $waits:ident($($arg:ident: $type:ty),*) -> $output:ty;)*
            $(at_once $tells:ident($($at_once_arg:ident: $at_once_type:ty),*) -> $told:ty;)*
        }
    )+) => {$(
        $(#[$cfg])*
        pub(crate) trait $trait {
            $(async fn $waits(&self, $($arg: $type),*) -> io::Result<$output>;)*
            $(fn $tells(&self, $($at_once_arg: $at_once_type),*) -> $told;)*
        }

        $(#[$cfg])*
        impl $trait for $object {
            $(async fn $waits(&self, $($arg: $type),*) -> io::Result<$output> {
                <$object>::$waits(self, $($arg),*)
            })*
            $(fn $tells(&self, $($at_once_arg: $at_once_type),*) -> $told {
                <$object>::$tells(self, $($at_once_arg),*)
            })*
        }

        $(#[$cfg])*
        #[cfg(any(feature = "smol", feature = "tokio"))]
        impl<R: interprocess::runtime::Runtime> $trait for interprocess::runtime::Async<$object, R> {
            $(async fn $waits(&self, $($arg: $type),*) -> io::Result<$output> {
                <interprocess::runtime::Async<$object, R>>::$waits(self, $($arg),*).await
            })*
            $(fn $tells(&self, $($at_once_arg: $at_once_type),*) -> $told {
                <interprocess::runtime::Async<$object, R>>::$tells(self, $($at_once_arg),*)
            })*
        }
    )+};
}
faces! {
    Streaming: local_socket::Stream {
        await recv(buf: &mut [u8]) -> usize;
        await recv_vectored(bufs: &mut [IoSliceMut<'_>]) -> usize;
        await send(buf: &[u8]) -> usize;
        await send_vectored(bufs: &[IoSlice<'_>]) -> usize;
        await peek(buf: &mut [u8]) -> usize;
        await flush() -> ();
        await drain(timeout: Duration) -> ();
        at_once is_peer_gone() -> io::Result<bool>;
        at_once peer_creds() -> io::Result<PeerCreds>;
        at_once take_error() -> io::Result<Option<io::Error>>;
    }
    Receiving: Recver {
        await recv(buf: &mut [u8]) -> usize;
        await recv_vectored(bufs: &mut [IoSliceMut<'_>]) -> usize;
        at_once available() -> io::Result<usize>;
        at_once capacity() -> io::Result<usize>;
        at_once set_capacity(bytes: usize) -> io::Result<usize>;
    }
    Sending: Sender {
        await send(buf: &[u8]) -> usize;
        await send_vectored(bufs: &[IoSlice<'_>]) -> usize;
        at_once capacity() -> io::Result<usize>;
        at_once set_capacity(bytes: usize) -> io::Result<usize>;
    }
}

/// What both faces do by other names, or with other results.
trait StreamOfFace: Streaming + Sized {
    type Halves;

    fn half_close(&self, how: Shutdown) -> io::Result<()>;
    fn cloned(&self) -> io::Result<Self>;
    fn halves(self) -> Self::Halves;
    fn whole(halves: Self::Halves) -> Self;
    /// The receive half of one and the send half of the other, and the other way round.
    fn mixed(one: Self::Halves, other: Self::Halves) -> (Self::Halves, Self::Halves);
    fn is_reunited(halves: Self::Halves) -> bool;
}

trait Listening {
    type Accepted;

    async fn accept(&self) -> io::Result<Self::Accepted>;
    async fn accept_timeout(&self, timeout: Duration) -> io::Result<Self::Accepted>;
    /// Sends a byte to each client, until the listener is stopped, and says how many there were.
    async fn serve(&self) -> usize;
    fn stop(&self);
}

impl StreamOfFace for local_socket::Stream {
    type Halves = (local_socket::RecvHalf, local_socket::SendHalf);

    fn half_close(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }

    fn cloned(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn halves(self) -> Self::Halves {
        self.split()
    }

    fn whole((rh, sh): Self::Halves) -> Self {
        Self::reunite(rh, sh).expect("of one stream")
    }

    fn mixed(one: Self::Halves, other: Self::Halves) -> (Self::Halves, Self::Halves) {
        ((one.0, other.1), (other.0, one.1))
    }

    fn is_reunited((rh, sh): Self::Halves) -> bool {
        Self::reunite(rh, sh).is_ok()
    }
}

impl Listening for local_socket::Listener {
    type Accepted = local_socket::Stream;

    async fn accept(&self) -> io::Result<Self::Accepted> {
        self.accept()
    }

    async fn accept_timeout(&self, timeout: Duration) -> io::Result<Self::Accepted> {
        self.accept_timeout(timeout)
    }

    async fn serve(&self) -> usize {
        self.incoming().map(|client| client.unwrap().send(b"x").unwrap()).sum()
    }

    fn stop(&self) {
        self.stop();
    }
}

#[cfg(any(feature = "smol", feature = "tokio"))]
mod asynchronous {
    use super::*;
    use interprocess::runtime::{Async, Halves, Runtime};

    impl<R: Runtime> StreamOfFace for Async<local_socket::Stream, R> {
        type Halves = Halves<local_socket::Stream, R>;

        fn half_close(&self, how: Shutdown) -> io::Result<()> {
            self.shut_down(how)
        }

        fn cloned(&self) -> io::Result<Self> {
            self.try_clone()
        }

        fn halves(self) -> Self::Halves {
            self.split()
        }

        fn whole((rh, sh): Self::Halves) -> Self {
            Self::reunite(rh, sh).expect("of one stream")
        }

        fn mixed(one: Self::Halves, other: Self::Halves) -> (Self::Halves, Self::Halves) {
            ((one.0, other.1), (other.0, one.1))
        }

        fn is_reunited((rh, sh): Self::Halves) -> bool {
            Self::reunite(rh, sh).is_ok()
        }
    }

    impl<R: Runtime> Listening for Async<local_socket::Listener, R> {
        type Accepted = Async<local_socket::Stream, R>;

        async fn accept(&self) -> io::Result<Self::Accepted> {
            self.accept().await
        }

        async fn accept_timeout(&self, timeout: Duration) -> io::Result<Self::Accepted> {
            self.accept_timeout(timeout).await
        }

        async fn serve(&self) -> usize {
            let mut clients = self.incoming();
            let mut count = 0;
            while let Some(client) = clients.next().await {
                count += client.unwrap().send(b"x").await.unwrap();
            }
            count
        }

        fn stop(&self) {
            self.stop();
        }
    }
}

/// Compiles.
#[cfg(any(feature = "smol", feature = "tokio"))]
const _: () = {
    const fn is_shared<T: Send + Sync + Unpin + Debug>() {}
    const fn is_sent<T: Send + Unpin + Debug>() {}

    const fn are_shared<R: interprocess::runtime::Runtime>() {
        use interprocess::runtime::{Async, Incoming, RecvHalf, SendHalf};

        is_shared::<R>();
        is_shared::<Async<local_socket::Listener, R>>();
        is_shared::<Async<local_socket::Stream, R>>();
        is_shared::<RecvHalf<Arc<Async<local_socket::Stream, R>>>>();
        is_shared::<SendHalf<Arc<Async<local_socket::Stream, R>>>>();
        is_sent::<Incoming<'static, local_socket::Listener, R>>();
        is_shared::<Async<Recver, R>>();
        is_shared::<Async<Sender, R>>();
        #[cfg(unix)]
        {
            use interprocess::os::unix::udsocket::{
                UdSeqpacket, UdSeqpacketListener, UdSocket, UdStream, UdStreamListener,
            };

            is_shared::<Async<UdStream, R>>();
            is_shared::<Async<UdStreamListener, R>>();
            is_shared::<RecvHalf<&Async<UdStream, R>>>();
            is_shared::<SendHalf<&Async<UdStream, R>>>();
            is_shared::<Async<UdSocket, R>>();
            is_shared::<Async<UdSeqpacket, R>>();
            is_shared::<Async<UdSeqpacketListener, R>>();
            is_sent::<Incoming<'static, UdSeqpacketListener, R>>();
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use interprocess::os::unix::{
                eventfd::EventFd,
                vsock::{VsockListener, VsockStream},
            };

            is_shared::<Async<EventFd, R>>();
            is_shared::<Async<VsockListener, R>>();
            is_shared::<Async<VsockStream, R>>();
        }
        #[cfg(windows)]
        {
            use interprocess::os::windows::{
                hvsock::{HvsockListener, HvsockStream},
                mailslot::MailslotServer,
                named_pipe::{
                    DuplexPipeStream, PipeListener, RecvPipeStream, SendPipeStream,
                    pipe_mode::{Bytes, Messages},
                },
            };

            is_shared::<Async<HvsockListener, R>>();
            is_shared::<Async<HvsockStream, R>>();
            is_shared::<Async<MailslotServer, R>>();
            is_shared::<Async<PipeListener<Bytes, Messages>, R>>();
            is_shared::<Async<DuplexPipeStream<Messages>, R>>();
            is_shared::<Async<RecvPipeStream<Bytes>, R>>();
            is_shared::<Async<SendPipeStream<Bytes>, R>>();
            is_sent::<Incoming<'static, PipeListener<Bytes, Bytes>, R>>();
        }
    }

    #[cfg(feature = "tokio")]
    are_shared::<interprocess::runtime::Tokio>();
    #[cfg(feature = "smol")]
    are_shared::<interprocess::runtime::Smol>();
};

/// Makes a test of each function for each face. Those of local sockets are given a name of each kind.
macro_rules! test_on_each_face {
    ($($(#[$cfg:meta])* $test:ident$(($argument:ident))?)+) => {
        test_on_each_face! { @face blocking Blocking, $($(#[$cfg])* $test$(($argument))?)+ }
        #[cfg(feature = "tokio")]
        test_on_each_face! { @face on_tokio OnTokio, $($(#[$cfg])* $test$(($argument))?)+ }
        #[cfg(feature = "smol")]
        test_on_each_face! { @face on_smol OnSmol, $($(#[$cfg])* $test$(($argument))?)+ }
    };
    (@face $module:ident $face:ident, $($(#[$cfg:meta])* $test:ident$(($argument:ident))?)+) => {
        mod $module {
            use super::{$face, Face};

            $($(#[$cfg])* #[test] fn $test() {
                test_on_each_face!(@run $face $test $($argument)?);
            })+
        }
    };
    (@run $face:ident $test:ident) => {
        super::in_time(|| $face::block_on(super::$test::<$face>()));
    };
    (@run $face:ident $test:ident name) => {
        for name in super::both_names() {
            super::in_time(move || $face::block_on(super::$test::<$face>(&name)));
        }
    };
}
test_on_each_face! {
    bytes_arrive_in_order_until_the_end(name)
    a_large_transfer_goes_both_ways_at_once(name)
    several_buffers_are_filled_and_sent_in_order(name)
    peeked_bytes_stay(name)
    without_room_nothing_is_waited_for(name)
    a_peer_that_is_gone_breaks_the_pipe_and_is_told_of(name)
    half_close_lets_the_answer_through_or_is_unsupported(name)
    draining_waits_for_the_peer(name)
    the_peer_is_this_process(name)
    halves_are_put_together_if_they_are_of_one_stream(name)
    a_clone_keeps_the_connection_open(name)
    each_client_is_accepted_and_then_time_is_up(name)
    clients_come_until_the_listener_is_stopped(name)
    a_pipe_ends_with_its_last_sender
    a_pipe_without_a_receiver_is_broken
    a_pipe_tells_how_much_it_holds_and_takes_more_if_it_can
    #[cfg(unix)] a_stream_of_the_unix_domain_carries_descriptors
    #[cfg(unix)] datagrams_keep_their_boundaries_and_tell_who_sent_them
    #[cfg(unix)] batches_come_as_they_were_sent
    #[cfg(any(target_os = "linux", target_os = "android"))] a_counter_is_taken_and_added_to_in_time
    #[cfg(windows)] messages_of_a_named_pipe_keep_their_boundaries
    #[cfg(windows)] notes_in_a_mailslot_are_received_one_by_one
}

type Shown<F, T> = <F as Shows<T>>::Shown;

/// A stream of that face, and its peer, which blocks.
fn connected<F: Shows<local_socket::Stream>>(
    name: &TestName,
) -> (Shown<F, local_socket::Stream>, local_socket::Stream) {
    let listener = local_socket::Listener::bind(name).expect("bind");
    let client = local_socket::Stream::connect(name).expect("connect");
    (F::show(client), listener.accept().expect("accept"))
}

async fn recv_to_end(stream: &impl Streaming) -> Vec<u8> {
    let (mut all, mut buf) = (Vec::new(), [0; 1000]);
    loop {
        match stream.recv(&mut buf).await.expect("receive") {
            0 => return all,
            len => all.extend_from_slice(&buf[..len]),
        }
    }
}

#[track_caller]
fn assert_fails<T: Debug>(result: io::Result<T>, kind: ErrorKind) {
    let error = result.expect_err("should have failed");
    assert_eq!(error.kind(), kind, "{error}");
}

async fn bytes_arrive_in_order_until_the_end<F: Shows<local_socket::Stream, Shown: Streaming>>(
    name: &TestName,
) {
    let (stream, mut peer) = connected::<F>(name);
    peer.write_all(b"first, second").expect("send");
    let mut buf = [0; 5];
    assert_eq!(stream.recv(&mut buf).await.expect("receive"), 5);
    assert_eq!(&buf, b"first");
    assert_eq!(stream.send(b"answer").await.expect("send"), 6);
    stream.flush().await.expect("flush");
    peer.read_exact(&mut buf).expect("receive");
    assert_eq!(&buf, b"answe");
    drop(peer);
    assert_eq!(recv_to_end(&stream).await, b", second");
    assert_eq!(stream.recv(&mut buf).await.expect("still the end"), 0);
}

async fn a_large_transfer_goes_both_ways_at_once<F: Shows<local_socket::Stream, Shown: Streaming>>(
    name: &TestName,
) {
    const TOTAL: usize = 1 << 20;
    let (stream, peer) = connected::<F>(name);
    let echo = thread::spawn(move || {
        let mut total = 0;
        let mut buf = vec![0; 7000];
        while total < TOTAL {
            let len = peer.recv(&mut buf).expect("receive");
            (&peer).write_all(&buf[..len]).expect("send");
            total += len;
        }
    });
    let bytes: Vec<u8> = (0..251).collect();
    let (mut sent, mut received) = (0, 0);
    let mut buf = vec![0; 9000];
    while received < TOTAL {
        // Never more under way than there is room for.
        while sent < TOTAL && sent - received < 4000 {
            sent += stream
                .send(&bytes[sent % 251..][..(TOTAL - sent).min(251 - sent % 251)])
                .await
                .expect("send");
        }
        let len = stream.recv(&mut buf).await.expect("receive");
        assert!(
            buf[..len].iter().enumerate().all(|(index, byte)| usize::from(*byte) == (received + index) % 251)
        );
        received += len;
    }
    echo.join().expect("echo");
}

async fn several_buffers_are_filled_and_sent_in_order<F: Shows<local_socket::Stream, Shown: Streaming>>(
    name: &TestName,
) {
    let (stream, mut peer) = connected::<F>(name);
    let bufs = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    let sent = stream.send_vectored(&bufs).await.expect("send");
    let mut received = vec![0; sent];
    peer.read_exact(&mut received).expect("receive");
    assert_eq!(received, b"abcde"[..sent]);
    peer.write_all(b"vwxyz").expect("send");
    let mut received = Vec::new();
    while received.len() < 5 {
        let (mut first, mut second) = ([0; 2], [0; 3]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        let len = stream.recv_vectored(&mut bufs).await.expect("receive");
        received.extend_from_slice(&[&first[..], &second[..]].concat()[..len]);
    }
    assert_eq!(received, b"vwxyz");
}

async fn peeked_bytes_stay<F: Shows<local_socket::Stream, Shown: Streaming>>(name: &TestName) {
    let (stream, mut peer) = connected::<F>(name);
    peer.write_all(b"hello").expect("send");
    let mut buf = [0; 8];
    for _ in 0..2 {
        let len = stream.peek(&mut buf).await.expect("peek");
        assert_eq!(&buf[..len], b"hello");
    }
    assert_eq!(stream.recv(&mut buf).await.expect("receive"), 5);
    drop(peer);
    assert_eq!(stream.peek(&mut buf).await.expect("the end"), 0);
}

async fn without_room_nothing_is_waited_for<F: Shows<local_socket::Stream, Shown: Streaming>>(
    name: &TestName,
) {
    let (stream, _peer) = connected::<F>(name);
    assert_eq!(stream.recv(&mut []).await.expect("nothing"), 0);
    assert_eq!(stream.recv_vectored(&mut []).await.expect("nothing"), 0);
    assert_eq!(stream.peek(&mut []).await.expect("nothing"), 0);
    assert_eq!(stream.send(&[]).await.expect("nothing"), 0);
    assert_eq!(stream.send_vectored(&[IoSlice::new(&[])]).await.expect("nothing"), 0);
}

async fn a_peer_that_is_gone_breaks_the_pipe_and_is_told_of<
    F: Shows<local_socket::Stream, Shown: Streaming>,
>(
    name: &TestName,
) {
    let (stream, mut peer) = connected::<F>(name);
    assert!(!stream.is_peer_gone().expect("is it gone"));
    peer.write_all(b"left behind").expect("send");
    drop(peer);
    assert!(stream.is_peer_gone().expect("is it gone"));
    let error = loop {
        // On Windows the first may be taken before it is known that nobody is there.
        if let Err(error) = stream.send(b"x").await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(recv_to_end(&stream).await, b"left behind");
    assert!(stream.take_error().expect("error").is_none());
}

async fn half_close_lets_the_answer_through_or_is_unsupported<
    F: Shows<local_socket::Stream, Shown: StreamOfFace>,
>(
    name: &TestName,
) {
    let (stream, mut peer) = connected::<F>(name);
    stream.send(b"question").await.expect("send");
    if cfg!(windows) {
        return assert_fails(stream.half_close(Shutdown::Write), ErrorKind::Unsupported);
    }
    stream.half_close(Shutdown::Write).expect("half close");
    let mut question = String::new();
    peer.read_to_string(&mut question).expect("receive");
    assert_eq!(question, "question");
    assert_fails(stream.send(b"more").await, ErrorKind::BrokenPipe);
    peer.write_all(b"answer").expect("send");
    drop(peer);
    assert_eq!(recv_to_end(&stream).await, b"answer");
}

async fn draining_waits_for_the_peer<F: Shows<local_socket::Stream, Shown: Streaming>>(name: &TestName) {
    let (stream, mut peer) = connected::<F>(name);
    if !cfg!(any(target_os = "linux", target_os = "android", windows)) {
        return assert_fails(stream.drain(LIMIT).await, ErrorKind::Unsupported);
    }
    stream.send(b"important").await.expect("send");
    assert_fails(stream.drain(SHORT).await, ErrorKind::TimedOut);
    let reading = thread::spawn(move || {
        peer.read_exact(&mut [0; 9]).expect("receive");
        peer
    });
    stream.drain(LIMIT).await.expect("drain");
    drop(reading.join().expect("peer"));
}

async fn the_peer_is_this_process<F: Shows<local_socket::Stream, Shown: Streaming>>(name: &TestName) {
    let (stream, peer) = connected::<F>(name);
    let (creds, expected) = (stream.peer_creds().expect("peer"), peer.peer_creds().expect("peer"));
    assert!(creds.is_same_user());
    assert_eq!(creds.pid(), expected.pid());
    drop(peer);
    assert_eq!(stream.recv(&mut [0]).await.expect("the end"), 0);
}

async fn halves_are_put_together_if_they_are_of_one_stream<
    F: Shows<local_socket::Stream, Shown: StreamOfFace>,
>(
    name: &TestName,
) {
    let (stream, mut peer) = connected::<F>(name);
    let stream = <Shown<F, local_socket::Stream>>::whole(stream.halves());
    stream.send(b"whole").await.expect("send");
    peer.read_exact(&mut [0; 5]).expect("receive");
    drop(peer);
    let (other, _peer) = connected::<F>(name);
    let (one, other) = <Shown<F, local_socket::Stream>>::mixed(stream.halves(), other.halves());
    assert!(!<Shown<F, local_socket::Stream>>::is_reunited(one));
    assert!(!<Shown<F, local_socket::Stream>>::is_reunited(other));
}

async fn a_clone_keeps_the_connection_open<F: Shows<local_socket::Stream, Shown: StreamOfFace>>(
    name: &TestName,
) {
    let (stream, mut peer) = connected::<F>(name);
    let clone = stream.cloned().expect("clone");
    drop(stream);
    clone.send(b"clone").await.expect("send");
    peer.read_exact(&mut [0; 5]).expect("receive");
    drop(clone);
    assert_eq!(peer.read(&mut [0; 5]).expect("the end"), 0);
}

async fn each_client_is_accepted_and_then_time_is_up<F>(name: &TestName)
where
    F: Shows<local_socket::Listener, Shown: Listening<Accepted: Streaming>>,
{
    let listener = F::show(local_socket::Listener::bind(name).expect("bind"));
    for _ in 0..3 {
        let mut client = local_socket::Stream::connect(name).expect("connect");
        client.write_all(b"x").expect("send");
        drop(client);
        assert_eq!(recv_to_end(&listener.accept().await.expect("accept")).await, b"x");
    }
    let _client = local_socket::Stream::connect(name).expect("connect");
    listener.accept_timeout(LIMIT).await.expect("accept");
    for timeout in [SHORT, Duration::ZERO] {
        let error = listener.accept_timeout(timeout).await.err().expect("nobody came");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains(&**name) || error.to_string().contains(&format!("{:?}", &**name)));
    }
}

async fn clients_come_until_the_listener_is_stopped<F>(name: &TestName)
where
    F: Shows<local_socket::Listener, Shown: Listening + Send + Sync + 'static>,
{
    let listener = Arc::new(F::show(local_socket::Listener::bind(name).expect("bind")));
    let stopper = Arc::clone(&listener);
    let name = name.to_string();
    let clients = thread::spawn(move || {
        for _ in 0..3 {
            let mut client = local_socket::Stream::connect(&*name).expect("connect");
            client.read_exact(&mut [0]).expect("served");
        }
        stopper.stop();
    });
    assert_eq!(listener.serve().await, 3);
    clients.join().expect("clients");
    assert_eq!(listener.serve().await, 0);
    assert_eq!(listener.accept().await.err().expect("stopped").kind(), ErrorKind::BrokenPipe);
    assert_eq!(listener.accept_timeout(LIMIT).await.err().expect("stopped").kind(), ErrorKind::BrokenPipe);
}

async fn a_pipe_ends_with_its_last_sender<F>()
where
    F: Shows<Sender, Shown: Sending> + Shows<Recver, Shown: Receiving>,
{
    let (sender, recver) = unnamed_pipe::pipe().expect("pipe");
    let recver = <F as Shows<Recver>>::show(recver);
    sender.send(b"hello").expect("send");
    assert_eq!(recver.available().expect("how many"), 5);
    let mut buf = [0; 8];
    assert_eq!(recver.recv(&mut buf).await.expect("receive"), 5);
    let sender = <F as Shows<Sender>>::show(sender);
    let sent = sender.send_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")]).await.expect("send");
    drop(sender);
    let mut received = 0;
    loop {
        let (mut first, mut second) = ([0; 3], [0; 3]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        match recver.recv_vectored(&mut bufs).await.expect("receive") {
            0 => break,
            len => received += len,
        }
    }
    assert_eq!(received, sent);
    assert_eq!(recver.recv(&mut buf).await.expect("the end"), 0);
    assert_eq!(recver.recv(&mut []).await.expect("nothing"), 0);
}

async fn a_pipe_without_a_receiver_is_broken<F: Shows<Sender, Shown: Sending>>() {
    let (sender, recver) = unnamed_pipe::pipe().expect("pipe");
    let sender = F::show(sender);
    sender.send(b"x").await.expect("send");
    assert_eq!(sender.send(&[]).await.expect("nothing"), 0);
    drop(recver);
    let error = loop {
        if let Err(error) = sender.send(b"x").await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

async fn a_pipe_tells_how_much_it_holds_and_takes_more_if_it_can<F>()
where
    F: Shows<Sender, Shown: Sending> + Shows<Recver, Shown: Receiving>,
{
    let (sender, recver) = unnamed_pipe::pipe().expect("pipe");
    let (sender, recver) = (<F as Shows<Sender>>::show(sender), <F as Shows<Recver>>::show(recver));
    if cfg!(any(target_os = "linux", target_os = "android")) {
        let capacity = recver.set_capacity(100_000).expect("more");
        assert!(capacity >= 100_000);
        assert_eq!(sender.capacity().expect("how much"), capacity);
        assert_eq!(sender.send(&vec![0; 100_000]).await.expect("send"), 100_000);
    } else {
        assert_fails(sender.set_capacity(100_000), ErrorKind::Unsupported);
        assert_fails(recver.set_capacity(100_000), ErrorKind::Unsupported);
        assert_eq!(recver.capacity().is_ok(), cfg!(windows));
        assert_eq!(sender.capacity().is_ok(), cfg!(windows));
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use interprocess::os::unix::{
        ancillary::{AncillaryDataBuf, BorrowedAncillaryData},
        udsocket::{RecvBatch, UdSocket, UdSocketPath, UdStream},
    };
    use std::{
        fs::File,
        os::fd::{AsFd, BorrowedFd, OwnedFd},
    };

    faces! {
        UdStreaming: UdStream {
            await recv(buf: &mut [u8]) -> usize;
            await send(buf: &[u8]) -> usize;
            await peek(buf: &mut [u8]) -> usize;
            await recv_with_fds(buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> usize;
            await send_with_fds(buf: &[u8], fds: &[BorrowedFd<'_>]) -> usize;
            await recv_ancillary(buf: &mut [u8], abuf: &mut AncillaryDataBuf) -> (usize, usize);
            await recv_ancillary_vectored(bufs: &mut [IoSliceMut<'_>], abuf: &mut AncillaryDataBuf) -> (usize, usize);
            await send_ancillary(buf: &[u8], data: Vec<BorrowedAncillaryData<'_>>) -> (usize, usize);
            await send_ancillary_vectored(
                bufs: &[IoSlice<'_>],
                data: Vec<BorrowedAncillaryData<'_>>
            ) -> (usize, usize);
            at_once peer_creds() -> io::Result<PeerCreds>;
            at_once local_addr() -> io::Result<UdSocketPath<'static>>;
            at_once peer_addr() -> io::Result<UdSocketPath<'static>>;
            at_once take_error() -> io::Result<Option<io::Error>>;
        }
        Datagrams: UdSocket {
            await recv(buf: &mut [u8]) -> (usize, bool);
            await recv_vectored(bufs: &mut [IoSliceMut<'_>]) -> (usize, bool);
            await recv_from(buf: &mut [u8], source: &mut UdSocketPath<'_>) -> (usize, bool);
            await recv_from_vectored(bufs: &mut [IoSliceMut<'_>], source: &mut UdSocketPath<'_>) -> (usize, bool);
            await recv_from_ancillary_vectored(
                bufs: &mut [IoSliceMut<'_>],
                abuf: &mut AncillaryDataBuf,
                source: &mut UdSocketPath<'_>
            ) -> (usize, bool, usize, bool);
            await peek(buf: &mut [u8]) -> (usize, bool);
            await send(buf: &[u8]) -> usize;
            await send_vectored(bufs: &[IoSlice<'_>]) -> usize;
            await send_to(buf: &[u8], path: &UdSocketPath<'_>) -> usize;
            await send_to_vectored(bufs: &[IoSlice<'_>], path: &UdSocketPath<'_>) -> usize;
            await send_to_ancillary(
                buf: &[u8],
                data: Vec<BorrowedAncillaryData<'_>>,
                path: &UdSocketPath<'_>
            ) -> (usize, usize);
            await send_to_ancillary_vectored(
                bufs: &[IoSlice<'_>],
                data: Vec<BorrowedAncillaryData<'_>>,
                path: &UdSocketPath<'_>
            ) -> (usize, usize);
            await recv_batch(batch: &mut RecvBatch) -> usize;
            await send_batch(messages: &[&str]) -> usize;
            await send_batch_to(messages: &[&str], path: &UdSocketPath<'_>) -> usize;
            at_once set_destination(path: &UdSocketPath<'_>) -> io::Result<()>;
            at_once local_addr() -> io::Result<UdSocketPath<'static>>;
        }
    }

    pub(crate) async fn a_stream_of_the_unix_domain_carries_descriptors<F>()
    where
        F: Shows<UdStream, Shown: UdStreaming>,
    {
        let (stream, peer) = UdStream::pair().expect("pair");
        let stream = F::show(stream);
        let null = File::open("/dev/null").expect("null");
        let fds = [null.as_fd()];
        let rights = || vec![BorrowedAncillaryData::file_descriptors(&fds)];

        let (mut buf, mut received) = ([0; 8], Vec::new());
        assert_eq!(stream.send_with_fds(b"one", &fds).await.expect("send"), 3);
        assert_eq!(peer.recv_with_fds(&mut buf, &mut received).expect("receive"), 3);
        assert!(stream.send_ancillary(b"two", rights()).await.expect("send").1 > 0);
        assert_eq!(peer.recv_with_fds(&mut buf, &mut received).expect("receive"), 3);
        let bufs = [IoSlice::new(b"th"), IoSlice::new(b"ree")];
        assert_eq!(stream.send_ancillary_vectored(&bufs, rights()).await.expect("send").0, 5);
        assert_eq!(peer.recv_with_fds(&mut buf, &mut received).expect("receive"), 5);
        assert_eq!(received.len(), 3);

        let mut ancillary = AncillaryDataBuf::new();
        peer.send_with_fds(b"one", &fds).expect("send");
        assert_eq!(stream.peek(&mut buf).await.expect("peek"), 3);
        assert_eq!(stream.recv_with_fds(&mut buf, &mut received).await.expect("receive"), 3);
        peer.send_with_fds(b"two", &fds).expect("send");
        let (len, ancillary_len) = stream.recv_ancillary(&mut buf, &mut ancillary).await.expect("receive");
        assert!(len == 3 && ancillary_len > 0);
        peer.send_with_fds(b"three", &fds).expect("send");
        let mut bufs = [IoSliceMut::new(&mut buf)];
        let (len, ancillary_len) =
            stream.recv_ancillary_vectored(&mut bufs, &mut ancillary).await.expect("receive");
        assert!(len == 5 && ancillary_len > 0);
        assert_eq!(received.len(), 4);

        // Descriptors that nobody takes are closed, and the bytes behind them come all the same.
        peer.send_with_fds(b"one", &fds).expect("send");
        peer.send(b"two").expect("send");
        let mut text = Vec::new();
        while text.len() < 6 {
            let len = stream.recv(&mut buf).await.expect("receive");
            text.extend_from_slice(&buf[..len]);
        }
        assert_eq!(text, b"onetwo");
        assert_eq!(stream.send(b"").await.expect("nothing"), 0);
        assert_eq!(stream.local_addr().expect("address"), UdSocketPath::Unnamed);
        assert_eq!(stream.peer_addr().expect("address"), UdSocketPath::Unnamed);
        assert!(stream.peer_creds().expect("peer").is_same_user());
        assert!(stream.take_error().expect("error").is_none());
    }

    pub(crate) async fn datagrams_keep_their_boundaries_and_tell_who_sent_them<F>()
    where
        F: Shows<UdSocket, Shown: Datagrams>,
    {
        let dir = TempDir::new();
        let socket = F::show(UdSocket::bind(dir.join("socket")).expect("bind"));
        let peer = UdSocket::bind(dir.join("peer")).expect("bind");
        let (address, peer_address) =
            (socket.local_addr().expect("address"), peer.local_addr().expect("address"));
        let (mut buf, mut source) = ([0; 8], UdSocketPath::buffer());

        peer.send_to(b"longer than it", &address).expect("send");
        assert_eq!(socket.peek(&mut buf).await.expect("peek"), (8, true));
        assert_eq!(socket.recv_from(&mut buf, &mut source).await.expect("receive"), (8, true));
        assert_eq!(source, peer_address);
        peer.send_to(b"", &address).expect("send");
        assert_eq!(socket.recv(&mut buf).await.expect("receive"), (0, false));
        for message in [b"a", b"b", b"c"] {
            peer.send_to(message, &address).expect("send");
        }
        let mut bufs = [IoSliceMut::new(&mut buf)];
        assert_eq!(socket.recv_vectored(&mut bufs).await.expect("receive"), (1, false));
        assert_eq!(socket.recv_from_vectored(&mut bufs, &mut source).await.expect("receive"), (1, false));
        let mut ancillary = AncillaryDataBuf::new();
        let received = socket
            .recv_from_ancillary_vectored(&mut bufs, &mut ancillary, &mut source)
            .await
            .expect("receive");
        assert_eq!(received, (1, false, 0, false));

        let null = File::open("/dev/null").expect("null");
        let fds = [null.as_fd()];
        let rights = || vec![BorrowedAncillaryData::file_descriptors(&fds)];
        let parts = [IoSlice::new(b"x"), IoSlice::new(b"y")];
        assert_eq!(socket.send_to(b"1", &peer_address).await.expect("send"), 1);
        assert_eq!(socket.send_to_vectored(&parts, &peer_address).await.expect("send"), 2);
        assert_eq!(socket.send_to_ancillary(b"123", rights(), &peer_address).await.expect("send").0, 3);
        assert_eq!(
            socket.send_to_ancillary_vectored(&parts, rights(), &peer_address).await.expect("send").0,
            2
        );
        socket.set_destination(&peer_address).expect("destination");
        assert_eq!(socket.send(b"1").await.expect("send"), 1);
        assert_eq!(socket.send_vectored(&parts).await.expect("send"), 2);
        let mut received = Vec::new();
        for expected in [1, 2, 3, 2, 1, 2] {
            assert_eq!(peer.recv_with_fds(&mut buf, &mut received).expect("receive"), expected);
        }
        assert_eq!(received.len(), 2);
        let error =
            socket.send_to(b"x", &UdSocketPath::File(c"/nowhere/at/all".into())).await.expect_err("nobody");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    pub(crate) async fn batches_come_as_they_were_sent<F: Shows<UdSocket, Shown: Datagrams>>() {
        let dir = TempDir::new();
        let socket = F::show(UdSocket::bind(dir.join("socket")).expect("bind"));
        let peer = UdSocket::bind(dir.join("peer")).expect("bind");
        let (address, peer_address) =
            (socket.local_addr().expect("address"), peer.local_addr().expect("address"));
        let mut batch = RecvBatch::new(8, 8);
        assert_eq!(socket.send_batch_to(&["a", "bc"], &peer_address).await.expect("send"), 2);
        socket.set_destination(&peer_address).expect("destination");
        assert_eq!(socket.send_batch(&["def"]).await.expect("send"), 1);
        assert_eq!(peer.recv_batch(&mut batch).expect("receive"), 3);
        assert_eq!(batch.iter().map(|message| message.bytes().len()).collect::<Vec<_>>(), [1, 2, 3]);
        peer.send_batch_to(&["x", "yz"], &address).expect("send");
        assert_eq!(socket.recv_batch(&mut batch).await.expect("receive"), 2);
        assert_eq!(batch.get(1).expect("two").bytes(), b"yz");
    }
}
#[cfg(unix)]
use unix::{
    a_stream_of_the_unix_domain_carries_descriptors, batches_come_as_they_were_sent,
    datagrams_keep_their_boundaries_and_tell_who_sent_them,
};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod counter {
    use super::*;
    use interprocess::os::unix::eventfd::EventFd;

    faces! {
        Counting: EventFd {
            await take() -> u64;
            await take_timeout(timeout: Duration) -> u64;
            await add(value: u64) -> ();
            await add_timeout(value: u64, timeout: Duration) -> ();
            at_once try_take() -> io::Result<u64>;
            at_once try_add(value: u64) -> io::Result<()>;
            at_once is_set() -> io::Result<bool>;
        }
    }

    pub(crate) async fn a_counter_is_taken_and_added_to_in_time<F: Shows<EventFd, Shown: Counting>>() {
        let blocking = EventFd::new(2).expect("counter");
        let counter = F::show(blocking.try_clone().expect("clone"));
        assert!(counter.is_set().expect("is it"));
        assert_eq!(counter.take().await.expect("take"), 2);
        assert_fails(counter.try_take(), ErrorKind::WouldBlock);
        assert_fails(counter.take_timeout(SHORT).await, ErrorKind::TimedOut);
        counter.add(3).await.expect("add");
        assert_eq!(counter.take_timeout(LIMIT).await.expect("take"), 3);
        counter.try_add(u64::MAX - 1).expect("there is room");
        assert_fails(counter.try_add(1), ErrorKind::WouldBlock);
        assert_fails(counter.add_timeout(1, SHORT).await, ErrorKind::TimedOut);
        assert_fails(counter.add(u64::MAX).await, ErrorKind::InvalidInput);
        let taking = thread::spawn(move || blocking.take().expect("take"));
        counter.add_timeout(5, LIMIT).await.expect("add");
        assert_eq!(taking.join().expect("the other thread"), u64::MAX - 1);
        assert_eq!(counter.try_take().expect("it is there"), 5);
    }
}
#[cfg(any(target_os = "linux", target_os = "android"))]
use counter::a_counter_is_taken_and_added_to_in_time;

#[cfg(windows)]
mod windows {
    use super::*;
    use interprocess::os::windows::{
        mailslot::{MailslotClient, MailslotServer},
        named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode::Messages},
    };

    faces! {
        Messaging: DuplexPipeStream<Messages> {
            await recv_msg(msg: &mut Vec<u8>) -> Option<usize>;
            await send(msg: &[u8]) -> usize;
            await transact(msg: &[u8], answer: &mut Vec<u8>) -> Option<usize>;
            await flush() -> ();
            await drain(timeout: Duration) -> ();
            at_once peek_msg_len() -> io::Result<usize>;
            at_once is_peer_gone() -> io::Result<bool>;
            at_once take_error() -> io::Result<Option<io::Error>>;
        }
        Mailbox: MailslotServer {
            await recv(buf: &mut Vec<u8>) -> usize;
            await recv_into(buf: &mut [u8]) -> usize;
            at_once message_count() -> io::Result<usize>;
            at_once max_message_size() -> u32;
        }
    }

    pub(crate) async fn messages_of_a_named_pipe_keep_their_boundaries<F>()
    where
        F: Shows<DuplexPipeStream<Messages>, Shown: Messaging>,
    {
        let name = unique();
        let listener = PipeListenerOptions::new().name(&name).create_duplex::<Messages>().expect("create");
        let stream = F::show(DuplexPipeStream::<Messages>::connect(&name).expect("connect"));
        let peer = listener.accept().expect("accept");
        let mut msg = Vec::new();
        peer.send(b"first").expect("send");
        peer.send(b"second one").expect("send");
        assert_eq!(stream.recv_msg(&mut msg).await.expect("receive"), Some(5));
        assert_eq!(stream.peek_msg_len().expect("how long"), 10);
        assert_eq!(stream.recv_msg(&mut msg).await.expect("receive"), Some(10));
        assert_eq!(msg, b"second one");
        stream.send(b"answer").await.expect("send");
        stream.flush().await.expect("flush");
        assert_eq!(stream.drain(SHORT).await.expect_err("unread").kind(), ErrorKind::TimedOut);
        assert_eq!(peer.recv_msg(&mut msg).expect("receive"), Some(6));
        stream.drain(LIMIT).await.expect("drain");
        let asked = thread::spawn(move || {
            let mut question = Vec::new();
            peer.recv_msg(&mut question).expect("receive");
            peer.send(&question.repeat(2)).expect("send");
            peer.drain(LIMIT).expect("drain");
        });
        assert_eq!(stream.transact(b"ab", &mut msg).await.expect("transact"), Some(4));
        assert_eq!(msg, b"abab");
        asked.join().expect("peer");
        assert!(stream.is_peer_gone().expect("is it gone"));
        assert!(stream.take_error().expect("error").is_none());
        assert_eq!(stream.recv_msg(&mut msg).await.expect("the end"), None);
    }

    pub(crate) async fn notes_in_a_mailslot_are_received_one_by_one<
        F: Shows<MailslotServer, Shown: Mailbox>,
    >() {
        let name = unique();
        let server = F::show(MailslotServer::create(&name).expect("create"));
        let client = MailslotClient::open(&name).expect("open");
        client.send(b"one").expect("send");
        client.send(b"two").expect("send");
        assert_eq!(server.message_count().expect("how many"), 2);
        assert_eq!(server.recv(&mut Vec::new()).await.expect("receive"), 3);
        assert_eq!(server.recv_into(&mut [0; 8]).await.expect("receive"), 3);
        assert_eq!(server.max_message_size(), 65536);
    }
}
#[cfg(windows)]
use windows::{messages_of_a_named_pipe_keep_their_boundaries, notes_in_a_mailslot_are_received_one_by_one};
