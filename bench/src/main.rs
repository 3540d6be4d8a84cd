//! What a local socket of ours costs beside plain `read` and `write` on a socket of the same kind, and what the extras of
//! Linux cost beside the calls that they stand on.
//!
//! ```text
//! cargo run --release -p interprocess-bench                        # the table of local sockets
//! cargo run --release -p interprocess-bench -- --seconds 20        # the same, longer for each line
//! strace -f -c interprocess-bench --calls 1000 --impl ours         # exactly 1000 round trips, to compare
//! strace -f -c interprocess-bench --calls 1000 --impl raw          # with plain read and write
//!
//! cargo run --release -p interprocess-bench -- --linux             # datagrams, descriptors, counters, queues
//! cargo run --release -p interprocess-bench -- --linux --seconds 20
//! strace -f -c interprocess-bench --linux descriptor-stream --calls 1000 --impl ours
//! strace -f -c interprocess-bench --linux descriptor-stream --calls 1000 --impl raw
//!
//! cargo run --release -p interprocess-bench -- --pipes             # unnamed pipes, and what is not copied
//! strace -f -c interprocess-bench --pipes one-way-64k --calls 1000 --impl ours
//! strace -f -c interprocess-bench --pipes one-way-64k --calls 1000 --impl std
//! cargo run --release -p interprocess-bench -- --async             # beside `tokio::net` and `async_net`
//! cargo run --release -p interprocess-bench -- --idle 10000        # memory and time for so many connections at once
//! ```
//!
//! Two processes of one thread each talk over several connections of one listener, one for each side of the comparison, so
//! that the scheduler cannot treat the sides differently. They take turns in slices of about a millisecond, in the order
//! A B B A, so that whatever else the machine does hits them alike. The ratio is the median of the ratios of neighbouring
//! slices.
//!
//! For the other tables both ends are in one thread, so that no scheduler has a part in it, or in two threads of one process
//! where the line says so; the slices and the ratio are as above.

#[cfg(unix)]
mod asynchronous;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod pipes;
#[cfg(not(target_os = "linux"))]
mod linux {
    use crate::Side;
    use std::{io, time::Duration};

    pub(crate) fn compare(_: Duration) -> io::Result<()> {
        Err(unsupported())
    }

    pub(crate) fn calls(_: &str, _: u32, _: Side) -> io::Result<()> {
        Err(unsupported())
    }

    pub(crate) fn unsupported() -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "that table is one of Linux")
    }
}
#[cfg(not(target_os = "linux"))]
mod pipes {
    use crate::linux::unsupported;
    use std::{io, time::Duration};

    pub(crate) fn compare(_: Duration) -> io::Result<()> {
        Err(unsupported())
    }

    pub(crate) fn calls(_: &str, _: u32, _: &str) -> io::Result<()> {
        Err(unsupported())
    }
}

use interprocess::local_socket::{Listener, Stream};
use std::{
    env,
    io::{self, Read, Write},
    process::{Child, Command, ExitCode},
    time::{Duration, Instant},
};

const PING_PONG_SIZES: [usize; 4] = [1, 64, 1 << 10, 16 << 10];
const WRITE_SIZES: [usize; 3] = [4 << 10, 64 << 10, 256 << 10];
/// How long a slice is meant to take.
const SLICE: Duration = Duration::from_millis(1);

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("interprocess-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<()> {
    let usage = || {
        let usage = "usage: interprocess-bench [--linux|--async] [--seconds N]
       interprocess-bench --idle N
       interprocess-bench --calls N [--impl ours|raw|raw-socket]
       interprocess-bench --linux LINE --calls N [--impl ours|raw]
       interprocess-bench --pipes [--seconds N]
       interprocess-bench --pipes LINE --calls N [--impl ours|std|raw]";
        io::Error::new(io::ErrorKind::InvalidInput, usage)
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| usage());
    match arguments {
        [] => compare(Duration::from_secs(3)),
        ["--seconds", seconds] => compare(Duration::from_secs(number(seconds)?.into())),
        ["--calls", count] => calls(number(count)?, Side::Ours),
        ["--calls", count, "--impl", side] => calls(number(count)?, Side::parse(side).ok_or_else(usage)?),
        ["--linux"] => linux::compare(Duration::from_secs(3)),
        ["--linux", "--seconds", seconds] => linux::compare(Duration::from_secs(number(seconds)?.into())),
        ["--linux", line, "--calls", count] => linux::calls(line, number(count)?, Side::Ours),
        ["--linux", line, "--calls", count, "--impl", side] => {
            linux::calls(line, number(count)?, Side::parse(side).ok_or_else(usage)?)
        }
        ["--pipes"] => pipes::compare(Duration::from_secs(3)),
        ["--pipes", "--seconds", seconds] => pipes::compare(Duration::from_secs(number(seconds)?.into())),
        ["--pipes", line, "--calls", count] => pipes::calls(line, number(count)?, "ours"),
        ["--pipes", line, "--calls", count, "--impl", maker] => pipes::calls(line, number(count)?, maker),
        #[cfg(unix)]
        ["--async"] => asynchronous::compare(Duration::from_secs(3)),
        #[cfg(unix)]
        ["--async", "--seconds", seconds] => {
            asynchronous::compare(Duration::from_secs(number(seconds)?.into()))
        }
        #[cfg(unix)]
        ["--idle", count] => asynchronous::idle(number(count)? as usize),
        // What this program runs as its other process.
        #[cfg(unix)]
        ["--serve-idle", server, path, count] => {
            asynchronous::serve_idle(server, path, number(count)? as usize)
        }
        ["--serve", name, sides @ ..] => {
            serve(name, &sides.iter().filter_map(|side| Side::parse(side)).collect::<Vec<_>>())
        }
        _ => Err(usage()),
    }
}

/// Whose code moves the bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Side {
    Ours,
    /// `read` and `write`.
    Raw,
    /// `recv` and `send` with `MSG_NOSIGNAL`, the calls that we make.
    RawSocket,
}

impl Side {
    fn parse(text: &str) -> Option<Self> {
        [Self::Ours, Self::Raw, Self::RawSocket].into_iter().find(|side| side.name() == text)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Raw => "raw",
            Self::RawSocket => "raw-socket",
        }
    }

    /// The sides that this OS has.
    fn all() -> &'static [Self] {
        if cfg!(unix) { &[Self::Ours, Self::Raw, Self::RawSocket] } else { &[Self::Ours] }
    }
}

/// A connection, used by one of the sides.
enum Connection {
    Ours(Stream),
    #[cfg(unix)]
    Raw(raw::ReadWrite),
    #[cfg(unix)]
    RawSocket(raw::SendRecv),
}

impl Connection {
    #[cfg_attr(unix, allow(clippy::unnecessary_wraps, reason = "not every system has every side"))]
    fn new(stream: Stream, side: Side) -> io::Result<Self> {
        match side {
            Side::Ours => Ok(Self::Ours(stream)),
            #[cfg(unix)]
            Side::Raw => Ok(Self::Raw(raw::ReadWrite(stream.into()))),
            #[cfg(unix)]
            Side::RawSocket => Ok(Self::RawSocket(raw::SendRecv(stream.into()))),
            #[cfg(not(unix))]
            _ => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "there is no raw side to compare with on this system",
            )),
        }
    }

    /// Runs one slice of work. The side is looked up once for the slice, not for each call.
    fn drive(&mut self, work: Work, count: u32, buf: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Ours(stream) => work.drive(stream, count, buf),
            #[cfg(unix)]
            Self::Raw(socket) => work.drive(socket, count, buf),
            #[cfg(unix)]
            Self::RawSocket(socket) => work.drive(socket, count, buf),
        }
    }

    fn answer(&mut self, work: Work, count: u32, buf: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Ours(stream) => work.answer(stream, count, buf),
            #[cfg(unix)]
            Self::Raw(socket) => work.answer(socket, count, buf),
            #[cfg(unix)]
            Self::RawSocket(socket) => work.answer(socket, count, buf),
        }
    }
}

#[cfg(unix)]
mod raw {
    use rustix::net::{RecvFlags, SendFlags};
    use std::{
        io::{self, Read, Write},
        os::fd::OwnedFd,
    };

    pub(crate) struct ReadWrite(pub(crate) OwnedFd);

    impl Read for ReadWrite {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(rustix::io::read(&self.0, buf)?)
        }
    }

    impl Write for ReadWrite {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(rustix::io::write(&self.0, buf)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) struct SendRecv(pub(crate) OwnedFd);

    impl Read for SendRecv {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(rustix::net::recv(&self.0, buf, RecvFlags::empty())?.0)
        }
    }

    impl Write for SendRecv {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            // Darwin has no such flag.
            #[cfg(not(target_vendor = "apple"))]
            const FLAGS: SendFlags = SendFlags::NOSIGNAL;
            #[cfg(target_vendor = "apple")]
            const FLAGS: SendFlags = SendFlags::empty();

            Ok(rustix::net::send(&self.0, buf, FLAGS)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

/// What one slice does, `count` times.
#[derive(Copy, Clone, Debug)]
enum Work {
    /// There and back again.
    PingPong { size: usize },
    /// One way; the server answers with one byte when it has read everything.
    Write { size: usize },
}

impl Work {
    fn size(self) -> usize {
        match self {
            Self::PingPong { size } | Self::Write { size } => size,
        }
    }

    fn drive(self, stream: &mut (impl Read + Write), count: u32, buf: &mut [u8]) -> io::Result<()> {
        let buf = &mut buf[..self.size()];
        for _ in 0..count {
            stream.write_all(buf)?;
            if let Self::PingPong { .. } = self {
                stream.read_exact(buf)?;
            }
        }
        if let Self::Write { .. } = self {
            stream.read_exact(&mut [0])?;
        }
        Ok(())
    }

    /// The other end of [`drive`](Self::drive).
    fn answer(self, stream: &mut (impl Read + Write), count: u32, buf: &mut [u8]) -> io::Result<()> {
        match self {
            Self::PingPong { size } => {
                for _ in 0..count {
                    stream.read_exact(&mut buf[..size])?;
                    stream.write_all(&buf[..size])?;
                }
                Ok(())
            }
            Self::Write { size } => {
                let mut left = size as u64 * u64::from(count);
                while left > 0 {
                    let room = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
                    match stream.read(&mut buf[..room])? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        len => left -= len as u64,
                    }
                }
                stream.write_all(&[0])
            }
        }
    }
}

/// What the server has to do next.
#[derive(Copy, Clone, Debug)]
struct Order {
    /// Which of the connections.
    index: u8,
    work: Work,
    count: u32,
}

impl Order {
    const LEN: usize = 10;

    fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0] = self.index;
        bytes[1] = u8::from(matches!(self.work, Work::Write { .. }));
        bytes[2..6].copy_from_slice(&u32::try_from(self.work.size()).unwrap_or(u32::MAX).to_le_bytes());
        bytes[6..].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let size = number(2) as usize;
        let work = if bytes[1] == 0 { Work::PingPong { size } } else { Work::Write { size } };
        Self { index: bytes[0], work, count: number(6) }
    }
}

/// The other process: one connection for orders and one for each side, until there are no more orders.
fn serve(name: &str, sides: &[Side]) -> io::Result<()> {
    let mut orders = Stream::connect(name)?;
    let mut connections = Vec::new();
    for side in sides {
        connections.push(Connection::new(Stream::connect(name)?, *side)?);
    }
    let mut buf = vec![0; 256 << 10];
    let mut order = [0; Order::LEN];
    loop {
        match orders.read_exact(&mut order) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        let Order { index, work, count } = Order::from_bytes(order);
        // The clock starts when the order has arrived.
        orders.write_all(&[0])?;
        connections[usize::from(index)].answer(work, count, &mut buf)?;
    }
}

/// This process's end of everything.
struct Driver {
    server: Child,
    orders: Stream,
    connections: Vec<Connection>,
}

impl Driver {
    /// Starts the other process, which connects once for orders and once for each side.
    fn start(sides: &[Side]) -> io::Result<Self> {
        let name = format!("@interprocess-bench-{}", std::process::id());
        let listener = Listener::bind(&name)?;
        let server = Command::new(env::current_exe()?)
            .args(["--serve", &name])
            .args(sides.iter().map(|side| side.name()))
            .spawn()?;
        let accept = || listener.accept_timeout(Duration::from_secs(10));
        let orders = accept()?;
        let connections =
            sides.iter().map(|side| Connection::new(accept()?, *side)).collect::<io::Result<_>>()?;
        Ok(Self { server, orders, connections })
    }

    /// Does `count` times `work` on one of the connections. How long it took.
    fn slice(&mut self, index: usize, work: Work, count: u32, buf: &mut [u8]) -> io::Result<Duration> {
        let order = Order { index: u8::try_from(index).expect("there are few"), work, count };
        self.orders.write_all(&order.to_bytes())?;
        self.orders.read_exact(&mut [0])?;
        let start = Instant::now();
        self.connections[index].drive(work, count, buf)?;
        Ok(start.elapsed())
    }

    fn finish(mut self) -> io::Result<()> {
        drop((self.orders, self.connections));
        let status = self.server.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the other process failed: {status}")))
        }
    }
}

/// Exactly `count` round trips of 64 bytes.
fn calls(count: u32, side: Side) -> io::Result<()> {
    let mut driver = Driver::start(&[side])?;
    driver.slice(0, Work::PingPong { size: 64 }, count, &mut [0; 64])?;
    driver.finish()
}

fn compare(per_line: Duration) -> io::Result<()> {
    let sides = Side::all();
    let mut driver = Driver::start(sides)?;
    if sides.len() == 1 {
        println!("There is no raw side to compare with on this system.");
    }
    println!("{:<24}{:>12}{:>12}{:>12}{:>10}{:>14}", "", "ours", "read/write", "recv/send", "ratio", "ratio");
    println!("{:<24}{:>12}{:>12}{:>12}{:>10}{:>14}", "", "", "", "", "to r/w", "to recv/send");
    for size in PING_PONG_SIZES {
        line(&mut driver, Work::PingPong { size }, per_line)?;
    }
    for size in WRITE_SIZES {
        line(&mut driver, Work::Write { size }, per_line)?;
    }
    println!(
        "Round trips in microseconds, one way in GB/s; medians. Ratios are of times: above 1, ours is slower."
    );
    driver.finish()
}

fn line(driver: &mut Driver, work: Work, time: Duration) -> io::Result<()> {
    let mut buf = vec![0x55; work.size()];
    let sides = driver.connections.len();
    let times = take_turns(sides, time, |side, count| driver.slice(side, work, count, &mut buf))?;

    let what = match work {
        Work::PingPong { size } => format!("round trip, {}", bytes(size)),
        Work::Write { size } => format!("one way, {} writes", bytes(size)),
    };
    print!("{what:<24}");
    for column in 0..3 {
        let shown = times.get(column).map(|times| match (work, median(times.clone())) {
            (Work::PingPong { .. }, time) => format!("{:.2} us", time * 1e6),
            #[allow(clippy::cast_precision_loss, reason = "sizes are small")]
            (Work::Write { size }, time) => format!("{:.2} GB/s", size as f64 / time / 1e9),
        });
        print!("{:>12}", shown.unwrap_or_default());
    }
    for (column, width) in [(1, 10), (2, 14)] {
        let ratio = times.get(column).map(|other| format!("{:.3}", median_ratio(&times[0], other)));
        print!("{:>width$}", ratio.unwrap_or_default());
    }
    println!();
    Ok(())
}

/// Lets the sides do slices in turns for that time, and gives the seconds that one of a slice took, for each side and slice.
fn take_turns(
    sides: usize,
    time: Duration,
    mut slice: impl FnMut(usize, u32) -> io::Result<Duration>,
) -> io::Result<Vec<Vec<f64>>> {
    // Warms up, and finds out how many make a slice.
    let mut count = 1;
    while slice(0, count)? < SLICE && count < 1 << 20 {
        count *= 2;
    }
    let mut times = vec![Vec::new(); sides];
    let end = Instant::now() + time;
    let mut is_forward = true;
    while Instant::now() < end {
        for step in 0..sides {
            let side = if is_forward { step } else { sides - 1 - step };
            times[side].push(slice(side, count)?.as_secs_f64() / f64::from(count));
        }
        is_forward = !is_forward;
    }
    Ok(times)
}

fn bytes(size: usize) -> String {
    if size < 1 << 10 { format!("{size} B") } else { format!("{} KiB", size >> 10) }
}

/// The median of the ratios of neighbouring slices.
fn median_ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
