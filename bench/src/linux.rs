//! Datagrams, descriptors, counters and queues.

use crate::{Side, median, median_ratio, take_turns};
use interprocess::os::unix::{
    ancillary::{AncillaryData, AncillaryDataBuf},
    eventfd::EventFd,
    message_queue::{MessageQueue, MessageQueueOptions},
    udsocket::{
        Socket, UdSocket, UdStream,
        kind::{Datagram, Kind, Stream},
    },
};
use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

const MESSAGE: [u8; 64] = [0x55; 64];
/// Should one end fail, the other must not wait for ever.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

/// What a line of the table is called on the command line, what it is, and how its sides are made.
const LINES: [(&str, &str, Make); 9] = [
    ("datagram", "datagram, 64 B", |side| one_thread(side, Datagrams::pair, raw::Datagrams::pair)),
    ("datagram-threads", "datagram, 64 B, two threads", |side| {
        two_threads(side, Datagrams::pair, raw::Datagrams::pair)
    }),
    ("descriptor-stream", "descriptor, stream", |side| {
        one_thread(side, Descriptors::<Stream>::pair, raw::Descriptors::pair::<Stream>)
    }),
    ("descriptor-datagram", "descriptor, datagram", |side| {
        one_thread(side, Descriptors::<Datagram>::pair, raw::Descriptors::pair::<Datagram>)
    }),
    ("descriptor-vec", "descriptor, recv_with_fds", |side| {
        one_thread(side, ToVec::pair, raw::Descriptors::pair::<Stream>)
    }),
    ("descriptor-threads", "descriptor, two threads", |side| {
        two_threads(side, Descriptors::<Stream>::pair, raw::Descriptors::pair::<Stream>)
    }),
    ("eventfd", "eventfd", |side| one_thread(side, Counters::pair, raw::Counters::pair)),
    ("eventfd-threads", "eventfd, two threads", |side| {
        two_threads(side, Counters::pair, raw::Counters::pair)
    }),
    ("queue", "message queue, 64 B", |side| one_thread(side, Queues::pair, raw::Queues::pair)),
];

type Make = fn(Side) -> io::Result<Contestant>;

/// Does something so many times.
pub(crate) type Work = Box<dyn FnMut(u32) -> io::Result<()> + Send>;

/// What one of the sides does in a slice.
pub(crate) struct Contestant {
    pub(crate) drive: Work,
    /// What is for the other thread, if there is one.
    pub(crate) answer: Option<Work>,
}

/// One of two ends that send to each other.
trait End: Send + 'static {
    fn send(&mut self) -> io::Result<()>;

    /// What was received is used as an owner would: descriptors are closed.
    fn recv(&mut self) -> io::Result<()>;
}

fn one_thread<O: End, R: End>(
    side: Side,
    ours: impl Fn() -> io::Result<(O, O)>,
    raw: impl Fn() -> io::Result<(R, R)>,
) -> io::Result<Contestant> {
    fn contestant<E: End>((mut one, mut other): (E, E)) -> Contestant {
        let drive: Work = Box::new(move |count| {
            for _ in 0..count {
                one.send()?;
                other.recv()?;
            }
            Ok(())
        });
        Contestant { drive, answer: None }
    }
    Ok(if side == Side::Ours { contestant(ours()?) } else { contestant(raw()?) })
}

/// There and back again.
fn two_threads<O: End, R: End>(
    side: Side,
    ours: impl Fn() -> io::Result<(O, O)>,
    raw: impl Fn() -> io::Result<(R, R)>,
) -> io::Result<Contestant> {
    fn contestant<E: End>((mut one, mut other): (E, E)) -> Contestant {
        let drive: Work = Box::new(move |count| {
            for _ in 0..count {
                one.send()?;
                one.recv()?;
            }
            Ok(())
        });
        let answer: Work = Box::new(move |count| {
            for _ in 0..count {
                other.recv()?;
                other.send()?;
            }
            Ok(())
        });
        Contestant { drive, answer: Some(answer) }
    }
    Ok(if side == Side::Ours { contestant(ours()?) } else { contestant(raw()?) })
}

/// The contestants, and the other thread. There is one for all of them, so that the scheduler cannot treat them differently.
pub(crate) struct Arena {
    drives: Vec<Work>,
    /// Which contestant is to answer, and how many times; and that the other thread has heard it.
    orders: Option<Orders>,
}

type Orders = (mpsc::Sender<(usize, u32)>, mpsc::Receiver<()>);

impl Arena {
    pub(crate) fn new(contestants: impl IntoIterator<Item = Contestant>) -> Self {
        let (mut drives, mut answers) = (Vec::new(), Vec::new());
        for Contestant { drive, answer } in contestants {
            drives.push(drive);
            answers.extend(answer);
        }
        let is_alone = answers.is_empty();
        let orders = (!is_alone).then(|| {
            let (orders, to_answer) = mpsc::channel::<(usize, u32)>();
            let (heard, is_heard) = mpsc::channel();
            // It ends when there are no more orders, or with an error, which the first thread sees as its own.
            thread::spawn(move || -> io::Result<()> {
                for (index, count) in to_answer {
                    let _ = heard.send(());
                    answers[index](count)?;
                }
                Ok(())
            });
            (orders, is_heard)
        });
        Self { drives, orders }
    }

    /// Runs one slice, and says how long it took.
    pub(crate) fn slice(&mut self, index: usize, count: u32) -> io::Result<Duration> {
        if let Some((orders, is_heard)) = &self.orders {
            let is_there = orders.send((index, count)).is_ok() && is_heard.recv().is_ok();
            if !is_there {
                return Err(io::Error::other("the other thread has failed"));
            }
        }
        let start = Instant::now();
        self.drives[index](count)?;
        Ok(start.elapsed())
    }
}

/// Exactly `count` exchanges.
pub(crate) fn calls(line: &str, count: u32, side: Side) -> io::Result<()> {
    let Some((_, _, make)) = LINES.iter().find(|(name, ..)| *name == line) else {
        let names = LINES.map(|(name, ..)| name).join(", ");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the lines are {names}")));
    };
    Arena::new([make(side)?]).slice(0, count).map(drop)
}

pub(crate) fn compare(per_line: Duration) -> io::Result<()> {
    println!("{:<30}{:>12}{:>12}{:>10}", "", "ours", "raw", "ratio");
    for (_, what, make) in LINES {
        let mut arena = Arena::new([make(Side::Ours)?, make(Side::Raw)?]);
        let times = take_turns(2, per_line, |side, count| arena.slice(side, count))?;
        let [ours, raw] = [0, 1].map(|side| median(times[side].clone()) * 1e9);
        let ratio = median_ratio(&times[0], &times[1]);
        println!("{what:<30}{:>12}{:>12}{ratio:>10.3}", format!("{ours:.0} ns"), format!("{raw:.0} ns"));
    }
    println!(
        "Sent and received, with two threads there and back again; medians. Ratios are of times: above 1, ours is slower."
    );
    Ok(())
}

/// Two sockets for either side: there is one way to make them.
fn sockets<K: Kind>() -> io::Result<(Socket<K>, Socket<K>)> {
    let (one, other) = Socket::pair()?;
    for socket in [&one, &other] {
        socket.set_recv_timeout(PATIENCE)?;
        socket.set_send_timeout(PATIENCE)?;
    }
    Ok((one, other))
}

fn check(is_expected: bool) -> io::Result<()> {
    if is_expected { Ok(()) } else { Err(io::Error::other("something else was received")) }
}

struct Datagrams(UdSocket);

impl Datagrams {
    fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = sockets()?;
        Ok((Self(one), Self(other)))
    }
}

impl End for Datagrams {
    fn send(&mut self) -> io::Result<()> {
        check(self.0.send(&MESSAGE)? == MESSAGE.len())
    }

    fn recv(&mut self) -> io::Result<()> {
        let mut buf = [0; MESSAGE.len()];
        check(self.0.recv(&mut buf)? == (MESSAGE.len(), false))
    }
}

/// One descriptor and one byte at a time.
struct Descriptors<K: Kind> {
    socket: Socket<K>,
    ancillary: AncillaryDataBuf,
    /// What is sent.
    file: OwnedFd,
}

impl<K: Kind> Descriptors<K> {
    fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = sockets()?;
        let with = |socket| {
            let file = File::open("/dev/null")?.into();
            Ok(Self { socket, ancillary: AncillaryDataBuf::new(), file })
        };
        with(one).and_then(|one| Ok((one, with(other)?)))
    }

    fn send(&self) -> io::Result<()> {
        let fds = [self.file.as_fd()];
        check(self.socket.send_ancillary(&[1], [AncillaryData::file_descriptors(&fds)])?.0 == 1)
    }

    fn close(&mut self) -> io::Result<()> {
        let mut closed = 0;
        for data in self.ancillary.decode() {
            if let AncillaryData::FileDescriptors(fds) = data {
                closed += fds.len();
            }
        }
        check(closed == 1)
    }
}

impl End for Descriptors<Stream> {
    fn send(&mut self) -> io::Result<()> {
        Self::send(self)
    }

    fn recv(&mut self) -> io::Result<()> {
        check(self.socket.recv_ancillary(&mut [0], &mut self.ancillary)?.0 == 1)?;
        self.close()
    }
}

impl End for Descriptors<Datagram> {
    fn send(&mut self) -> io::Result<()> {
        Self::send(self)
    }

    fn recv(&mut self) -> io::Result<()> {
        check(self.socket.recv_ancillary(&mut [0], &mut self.ancillary)?.0 == 1)?;
        self.close()
    }
}

/// The same by the methods that are for descriptors alone.
struct ToVec {
    socket: UdStream,
    fds: Vec<OwnedFd>,
    file: OwnedFd,
}

impl ToVec {
    fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = sockets()?;
        let with = |socket| Ok(Self { socket, fds: Vec::new(), file: File::open("/dev/null")?.into() });
        with(one).and_then(|one| Ok((one, with(other)?)))
    }
}

impl End for ToVec {
    fn send(&mut self) -> io::Result<()> {
        check(self.socket.send_with_fds(&[1], &[self.file.as_fd()])? == 1)
    }

    fn recv(&mut self) -> io::Result<()> {
        check(self.socket.recv_with_fds(&mut [0], &mut self.fds)? == 1 && self.fds.len() == 1)?;
        self.fds.clear();
        Ok(())
    }
}

/// Two counters, one for each direction.
struct Counters {
    mine: EventFd,
    theirs: EventFd,
}

impl Counters {
    fn pair() -> io::Result<(Self, Self)> {
        use interprocess::TryClone;
        let (one, other) = (EventFd::new(0)?, EventFd::new(0)?);
        let mirrored = Self { mine: TryClone::try_clone(&other)?, theirs: TryClone::try_clone(&one)? };
        Ok((Self { mine: one, theirs: other }, mirrored))
    }
}

impl End for Counters {
    fn send(&mut self) -> io::Result<()> {
        self.theirs.add(1)
    }

    fn recv(&mut self) -> io::Result<()> {
        check(self.mine.take()? == 1)
    }
}

struct Queues {
    queue: MessageQueue,
    buf: Vec<u8>,
}

impl Queues {
    fn pair() -> io::Result<(Self, Self)> {
        let name = format!("/interprocess-bench-{}", std::process::id());
        let options = || MessageQueueOptions::new().create(true).max_message_size(MESSAGE.len());
        let queues = options().open(&name).and_then(|one| Ok((one, options().open(&name)?)));
        MessageQueue::unlink(&name)?;
        let (one, other) = queues?;
        Ok((Self { queue: one, buf: Vec::new() }, Self { queue: other, buf: Vec::new() }))
    }
}

impl End for Queues {
    fn send(&mut self) -> io::Result<()> {
        self.queue.send(&MESSAGE, 1)
    }

    fn recv(&mut self) -> io::Result<()> {
        check(self.queue.recv(&mut self.buf)? == 1 && self.buf.len() == MESSAGE.len())
    }
}

/// The calls themselves, as C would make them, with the flags that we give.
mod raw {
    use super::{End, Kind, MESSAGE, check, sockets};
    use interprocess::os::unix::udsocket::kind;
    use std::{
        fs::File,
        io, mem,
        os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        ptr,
    };

    /// What a call has done, or its error.
    fn done(result: isize) -> io::Result<usize> {
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }

    pub(super) struct Datagrams(OwnedFd);

    impl Datagrams {
        pub(super) fn pair() -> io::Result<(Self, Self)> {
            let (one, other) = sockets::<kind::Datagram>()?;
            Ok((Self(one.into()), Self(other.into())))
        }
    }

    impl End for Datagrams {
        fn send(&mut self) -> io::Result<()> {
            let (fd, message) = (self.0.as_raw_fd(), MESSAGE.as_ptr().cast());
            // SAFETY: the message is as long as is said.
            let sent = unsafe { libc::send(fd, message, MESSAGE.len(), libc::MSG_NOSIGNAL) };
            check(done(sent)? == MESSAGE.len())
        }

        fn recv(&mut self) -> io::Result<()> {
            let mut buf = [0_u8; MESSAGE.len()];
            let (fd, room) = (self.0.as_raw_fd(), buf.as_mut_ptr().cast());
            // SAFETY: the buffer is as long as is said.
            let received = unsafe { libc::recv(fd, room, MESSAGE.len(), libc::MSG_TRUNC) };
            check(done(received)? == MESSAGE.len())
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "it is 4")]
    const FD_SIZE: u32 = size_of::<RawFd>() as u32;
    // SAFETY: it computes, and needs nothing.
    const SPACE: u32 = unsafe { libc::CMSG_SPACE(FD_SIZE) };

    /// A control buffer for one descriptor, aligned for the header.
    type Control = [u64; SPACE as usize / size_of::<u64>()];

    pub(super) struct Descriptors {
        socket: OwnedFd,
        control: Control,
        file: OwnedFd,
    }

    impl Descriptors {
        pub(super) fn pair<K: Kind>() -> io::Result<(Self, Self)> {
            let (one, other) = sockets::<K>()?;
            let with = |socket: OwnedFd| {
                let file = File::open("/dev/null")?.into();
                Ok(Self { socket, control: Control::default(), file })
            };
            with(one.into()).and_then(|one| Ok((one, with(other.into())?)))
        }
    }

    /// A header for that buffer and for room for one descriptor.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the type of the length differs, and it is some dozen bytes"
    )]
    fn header(iov: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
        // SAFETY: the structure is made of integers and of pointers that may be null.
        let mut header: libc::msghdr = unsafe { mem::zeroed() };
        header.msg_iov = iov;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(control) as _;
        header
    }

    impl End for Descriptors {
        fn send(&mut self) -> io::Result<()> {
            let mut byte = 1_u8;
            let mut iov = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
            let mut control = Control::default();
            let header = header(&mut iov, &mut control);
            // SAFETY: the control buffer is aligned, and has room for a header and one descriptor; the rest of what `header` points
            // to lives as long as this function.
            let sent = unsafe {
                let record = libc::CMSG_FIRSTHDR(&raw const header);
                (*record).cmsg_level = libc::SOL_SOCKET;
                (*record).cmsg_type = libc::SCM_RIGHTS;
                (*record).cmsg_len = libc::CMSG_LEN(FD_SIZE) as _;
                ptr::write_unaligned(libc::CMSG_DATA(record).cast(), self.file.as_raw_fd());
                libc::sendmsg(self.socket.as_raw_fd(), &raw const header, libc::MSG_NOSIGNAL)
            };
            check(done(sent)? == 1)
        }

        fn recv(&mut self) -> io::Result<()> {
            let mut byte = 0_u8;
            let mut iov = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
            let mut header = header(&mut iov, &mut self.control);
            // SAFETY: what `header` points to lives as long as this function.
            let received =
                unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut header, libc::MSG_CMSG_CLOEXEC) };
            check(done(received)? == 1 && header.msg_flags & libc::MSG_CTRUNC == 0)?;
            // SAFETY: the kernel has filled the buffer, or says that there is no record; the descriptor is a new one.
            unsafe {
                let record = libc::CMSG_FIRSTHDR(&raw const header);
                check(!record.is_null() && (*record).cmsg_type == libc::SCM_RIGHTS)?;
                drop(OwnedFd::from_raw_fd(ptr::read_unaligned(libc::CMSG_DATA(record).cast())));
            }
            Ok(())
        }
    }

    /// Counters that block in the calls themselves.
    pub(super) struct Counters {
        mine: OwnedFd,
        theirs: OwnedFd,
    }

    impl Counters {
        pub(super) fn pair() -> io::Result<(Self, Self)> {
            let new = || {
                // SAFETY: the call takes no pointers.
                let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
                done(fd as isize)?;
                // SAFETY: the call gave a descriptor, which is ours.
                Ok::<_, io::Error>(unsafe { OwnedFd::from_raw_fd(fd) })
            };
            let (one, other) = (new()?, new()?);
            let mirrored = Self { mine: other.try_clone()?, theirs: one.try_clone()? };
            Ok((Self { mine: one, theirs: other }, mirrored))
        }
    }

    impl End for Counters {
        fn send(&mut self) -> io::Result<()> {
            let value = 1_u64;
            // SAFETY: eight bytes are there.
            let sent = unsafe { libc::write(self.theirs.as_raw_fd(), (&raw const value).cast(), 8) };
            check(done(sent)? == 8)
        }

        fn recv(&mut self) -> io::Result<()> {
            let mut value = 0_u64;
            // SAFETY: there is room for eight bytes.
            let received = unsafe { libc::read(self.mine.as_raw_fd(), (&raw mut value).cast(), 8) };
            check(done(received)? == 8 && value == 1)
        }
    }

    pub(super) struct Queues {
        queue: OwnedFd,
        buf: [u8; MESSAGE.len()],
    }

    impl Queues {
        pub(super) fn pair() -> io::Result<(Self, Self)> {
            let name = format!("/interprocess-bench-raw-{}\0", std::process::id());
            let name = name.as_ptr().cast::<libc::c_char>();
            // SAFETY: the structure is made of integers.
            let mut attributes: libc::mq_attr = unsafe { mem::zeroed() };
            attributes.mq_maxmsg = 10;
            attributes.mq_msgsize = MESSAGE.len().try_into().expect("it is short");
            let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
            let mode: libc::mode_t = 0o600;
            // SAFETY: the name ends with NUL, and the structure is there.
            let queue = unsafe { libc::mq_open(name, flags, mode, &raw mut attributes) };
            done(queue as isize)?;
            // SAFETY: the call gave a descriptor, which is ours, and the name ends with NUL.
            let queue = unsafe {
                libc::mq_unlink(name);
                OwnedFd::from_raw_fd(queue)
            };
            let (one, other) = (queue.try_clone()?, queue);
            let buf = [0; MESSAGE.len()];
            Ok((Self { queue: one, buf }, Self { queue: other, buf }))
        }
    }

    impl End for Queues {
        fn send(&mut self) -> io::Result<()> {
            let (queue, message) = (self.queue.as_raw_fd(), MESSAGE.as_ptr().cast());
            // SAFETY: the message is as long as is said.
            let sent = unsafe { libc::mq_send(queue, message, MESSAGE.len(), 1) };
            done(sent as isize).map(drop)
        }

        fn recv(&mut self) -> io::Result<()> {
            let mut priority = 0;
            let (queue, room) = (self.queue.as_raw_fd(), self.buf.as_mut_ptr().cast());
            // SAFETY: the buffer is as long as is said.
            let received = unsafe { libc::mq_receive(queue, room, self.buf.len(), &raw mut priority) };
            check(done(received)? == MESSAGE.len() && priority == 1)
        }
    }
}
