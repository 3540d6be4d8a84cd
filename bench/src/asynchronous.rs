//! The async faces beside what the runtimes have themselves: `tokio::net` and `async_net`.
//!
//! Both ends are tasks of one runtime, on pairs of sockets that are the same, by the runtime's own traits for reading and writing.
//! For idle connections, the server is a process of its own, and the memory is what it has more (`VmRSS`) with all connections
//! accepted, each with a task that waits to read, than with the first hundred of them.

use crate::{bytes, median, median_ratio, take_turns};
use futures_lite::future::{self, zip};
use interprocess::{
    local_socket::{self, ListenerOptions},
    os::unix::udsocket::UdStream,
};
use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::{Duration, Instant},
};

const PING_PONG_SIZES: [usize; 3] = [1, 1 << 10, 16 << 10];
/// Room for messages whose size is not known.
const ROOM: usize = 8 << 10;
const WRITE_SIZES: [usize; 2] = [4 << 10, 64 << 10];

/// What is done with a connection, by whichever traits.
#[derive(Copy, Clone)]
enum Work {
    RoundTrips(usize),
    /// The same, received with room for much more, as by who does not know how long a message is.
    WithRoom(usize),
    /// Writes, and an answer of one byte when the last has arrived.
    OneWay(usize),
}

/// The two ends of it, with the traits that are in scope.
macro_rules! ends {
    () => {
        async fn drive(
            stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
            work: Work,
            count: u32,
        ) -> io::Result<()> {
            match work {
                Work::RoundTrips(size) => {
                    let mut buf = vec![0x55; size];
                    for _ in 0..count {
                        stream.write_all(&buf).await?;
                        stream.read_exact(&mut buf).await?;
                    }
                }
                Work::WithRoom(size) => {
                    let mut buf = vec![0x55; ROOM];
                    for _ in 0..count {
                        stream.write_all(&buf[..size]).await?;
                        let mut received = 0;
                        while received < size {
                            received += stream.read(&mut buf).await?;
                        }
                    }
                }
                Work::OneWay(size) => {
                    let buf = vec![0x55; size];
                    for _ in 0..count {
                        stream.write_all(&buf).await?;
                    }
                    stream.read_exact(&mut [0]).await?;
                }
            }
            Ok(())
        }

        async fn answer(
            stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
            work: Work,
            count: u32,
        ) -> io::Result<()> {
            match work {
                Work::RoundTrips(size) => {
                    let mut buf = vec![0; size];
                    for _ in 0..count {
                        stream.read_exact(&mut buf).await?;
                        stream.write_all(&buf).await?;
                    }
                }
                Work::WithRoom(size) => {
                    let mut buf = vec![0; ROOM];
                    for _ in 0..count {
                        let mut received = 0;
                        while received < size {
                            received += stream.read(&mut buf).await?;
                        }
                        stream.write_all(&buf[..size]).await?;
                    }
                }
                Work::OneWay(size) => {
                    let mut buf = vec![0; 256 << 10];
                    let mut left = size as u64 * u64::from(count);
                    while left > 0 {
                        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
                        match stream.read(&mut buf[..room]).await? {
                            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                            len => left -= len as u64,
                        }
                    }
                    stream.write_all(&[0]).await?;
                }
            }
            Ok(())
        }
    };
}

mod tokio_ends {
    use super::{ROOM, Work, io};
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

    ends! {}

    /// A slice, on one thread or with the two ends on several.
    pub(super) async fn slice<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        pair: &mut Option<(S, S)>,
        work: Work,
        count: u32,
        is_spawned: bool,
    ) -> io::Result<()> {
        let (mut one, mut other) = pair.take().expect("it was put back");
        if is_spawned {
            let answering = tokio::spawn(async move {
                answer(&mut other, work, count).await?;
                io::Result::Ok(other)
            });
            drive(&mut one, work, count).await?;
            *pair = Some((one, answering.await??));
        } else {
            let (driven, answered) =
                tokio::join!(drive(&mut one, work, count), answer(&mut other, work, count));
            driven.and(answered)?;
            *pair = Some((one, other));
        }
        Ok(())
    }
}

mod smol_ends {
    use super::{ROOM, Work, io, zip};
    use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

    ends! {}

    pub(super) async fn slice<S: AsyncRead + AsyncWrite + Unpin>(
        (one, other): &mut (S, S),
        work: Work,
        count: u32,
    ) -> io::Result<()> {
        let (driven, answered) = zip(drive(one, work, count), answer(other, work, count)).await;
        driven.and(answered)
    }
}

/// Latency and throughput.
pub(crate) fn compare(per_line: Duration) -> io::Result<()> {
    println!("{:<44}{:>12}{:>12}{:>10}", "", "ours", "theirs", "ratio");
    let works = || {
        let round_trips = PING_PONG_SIZES.into_iter().map(Work::RoundTrips);
        round_trips.chain([Work::WithRoom(64)]).chain(WRITE_SIZES.into_iter().map(Work::OneWay))
    };
    let one_thread = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let threads = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    for (runtime, is_spawned, what) in
        [(one_thread()?, false, "tokio"), (threads()?, true, "tokio, 2 threads")]
    {
        for work in works() {
            let (mut ours, mut theirs) = runtime.block_on(async {
                let (one, other) = UdStream::pair()?;
                let ours = (to_local(one).try_into()?, to_local(other).try_into()?);
                io::Result::Ok((Some::<(Ours, Ours)>(ours), Some(tokio::net::UnixStream::pair()?)))
            })?;
            line(what, work, per_line, |side, count| {
                runtime.block_on(async {
                    match side {
                        0 => tokio_ends::slice(&mut ours, work, count, is_spawned).await,
                        _ => tokio_ends::slice(&mut theirs, work, count, is_spawned).await,
                    }
                })
            })?;
        }
    }
    for work in works() {
        let (one, other) = UdStream::pair()?;
        let mut ours: (local_socket::smol::Stream, local_socket::smol::Stream) =
            (to_local(one).try_into()?, to_local(other).try_into()?);
        let mut theirs = async_net::unix::UnixStream::pair()?;
        line("async-io", work, per_line, |side, count| {
            async_io::block_on(async {
                match side {
                    0 => smol_ends::slice(&mut ours, work, count).await,
                    _ => smol_ends::slice(&mut theirs, work, count).await,
                }
            })
        })?;
    }
    println!(
        "Round trips in microseconds, one way in GB/s; medians. Ratios are of times: above 1, ours is slower."
    );
    Ok(())
}

type Ours = local_socket::tokio::Stream;

fn to_local(stream: UdStream) -> local_socket::Stream {
    stream.into()
}

fn line(
    runtime: &str,
    work: Work,
    time: Duration,
    mut slice: impl FnMut(usize, u32) -> io::Result<()>,
) -> io::Result<()> {
    let times = take_turns(2, time, |side, count| {
        let start = Instant::now();
        slice(side, count)?;
        Ok(start.elapsed())
    })?;
    let (what, size) = match work {
        Work::RoundTrips(size) => (format!("{runtime}: round trip, {}", bytes(size)), None),
        Work::WithRoom(size) => (format!("{runtime}: round trip, {} of {}", bytes(size), bytes(ROOM)), None),
        Work::OneWay(size) => (format!("{runtime}: one way, {} writes", bytes(size)), Some(size)),
    };
    print!("{what:<44}");
    for times in &times {
        let time = median(times.clone());
        #[allow(clippy::cast_precision_loss, reason = "sizes are small")]
        let shown = match size {
            None => format!("{:.2} us", time * 1e6),
            Some(size) => format!("{:.2} GB/s", size as f64 / time / 1e9),
        };
        print!("{shown:>12}");
    }
    println!("{:>10.3}", median_ratio(&times[0], &times[1]));
    Ok(())
}

/// Connections that do not count: with them come code and tables, once.
const FIRST: usize = 100;

/// Who serves idle connections.
const SERVERS: [&str; 4] = ["tokio", "tokio::net", "async-io", "async-net"];

/// Many connections at once on one listener, on each runtime.
pub(crate) fn idle(count: usize) -> io::Result<()> {
    let count = count.max(FIRST + 1);
    raise_limit(count + 100)?;
    println!("{:<16}{:>14}{:>18}{:>14}", "", "connections", "bytes for each", "accepted in");
    for server in SERVERS {
        let path =
            env::temp_dir().join(format!("interprocess-bench-{}-{}", std::process::id(), server.len()));
        let path = path.to_str().expect("Unicode");
        let mut child = Command::new(env::current_exe()?)
            .args(["--serve-idle", server, path, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut next = || said.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        next()?;
        let start = Instant::now();
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(UnixStream::connect(path)?);
        }
        let more = next()?.parse::<usize>().map_err(io::Error::other)?;
        let time = start.elapsed();
        // Each of them is alive.
        for client in &mut clients {
            client.write_all(b"x")?;
        }
        for client in &mut clients {
            client.read_exact(&mut [0])?;
        }
        println!("{server:<16}{count:>14}{:>18}{:>12} ms", more / (count - FIRST), time.as_millis());
        drop(clients);
        drop(child.stdin.take());
        child.wait()?;
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// What another process is told to do.
pub(crate) fn serve_idle(server: &str, path: &str, count: usize) -> io::Result<()> {
    raise_limit(count + 100)?;
    let waiting = &*Box::leak(Box::new(AtomicUsize::new(0)));
    /// Serves one: waits for a byte, and sends it back.
    macro_rules! serve {
        ($stream:expr) => {
            async move {
                let mut stream = $stream;
                waiting.fetch_add(1, SeqCst);
                let mut buf = [0; 1];
                if stream.read_exact(&mut buf).await.is_ok() {
                    let _ = stream.write_all(&buf).await;
                    // Until the other end is closed.
                    let _ = stream.read(&mut buf).await;
                }
            }
        };
    }
    let is_tokio = server.starts_with("tokio");
    let tell = |before: usize| {
        println!("{}", resident()?.saturating_sub(before));
        io::Result::Ok(())
    };
    if is_tokio {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            macro_rules! serve_all {
                ($listener:expr, $accept:ident => $accepted:expr) => {{
                    let listener = $listener;
                    println!("ready");
                    let mut before = 0;
                    for (from, to) in [(0, FIRST), (FIRST, count)] {
                        before = resident()?;
                        for _ in from..to {
                            let $accept = listener.accept().await?;
                            tokio::spawn(serve!($accepted));
                        }
                        while waiting.load(SeqCst) < to {
                            tokio::task::yield_now().await;
                        }
                    }
                    tell(before)?;
                }};
            }
            if server == "tokio" {
                serve_all!(ListenerOptions::new().name(path).create_tokio()?, stream => stream);
            } else {
                serve_all!(tokio::net::UnixListener::bind(path)?, accepted => accepted.0);
            }
            let end = until_the_end();
            while !end.is_finished() {
                tokio::time::sleep(PAUSE).await;
            }
            Ok(())
        })
    } else {
        use futures_lite::{AsyncReadExt, AsyncWriteExt};

        let executor = async_executor::LocalExecutor::new();
        async_io::block_on(executor.run(async {
            macro_rules! serve_all {
                ($listener:expr, $accept:ident => $accepted:expr) => {{
                    let listener = $listener;
                    println!("ready");
                    let mut before = 0;
                    for (from, to) in [(0, FIRST), (FIRST, count)] {
                        before = resident()?;
                        for _ in from..to {
                            let $accept = listener.accept().await?;
                            executor.spawn(serve!($accepted)).detach();
                        }
                        while waiting.load(SeqCst) < to {
                            future::yield_now().await;
                        }
                    }
                    tell(before)?;
                }};
            }
            if server == "async-io" {
                serve_all!(ListenerOptions::new().name(path).create_smol()?, stream => stream);
            } else {
                serve_all!(async_net::unix::UnixListener::bind(path)?, accepted => accepted.0);
            }
            let end = until_the_end();
            while !end.is_finished() {
                async_io::Timer::after(PAUSE).await;
            }
            Ok(())
        }))
    }
}

/// How long until one looks again.
const PAUSE: Duration = Duration::from_millis(10);

/// Ends when the other process has closed our standard input.
fn until_the_end() -> std::thread::JoinHandle<()> {
    std::thread::spawn(|| drop(io::stdin().read_to_end(&mut Vec::new())))
}

/// How many bytes of memory this process has.
fn resident() -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kibibytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    kibibytes.map(|kibibytes: usize| kibibytes << 10).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// As many descriptors as it takes.
fn raise_limit(files: usize) -> io::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(files).unwrap_or(u64::MAX);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    limit.current = Some(wanted);
    limit.maximum = limit.maximum.map(|maximum| maximum.max(wanted));
    Ok(setrlimit(Resource::Nofile, limit)?)
}
