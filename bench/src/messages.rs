//! Messages on Linux: datagrams, descriptors that go along with bytes, counters, queues.

use crate::{
    arena::{Parcels, Place, Ready, Subject, Work, lend, work},
    peer::Peer,
};
use interprocess::{
    child,
    os::unix::{
        ancillary::{AncillaryData, AncillaryDataBuf},
        eventfd::EventFd,
        message_queue::{MessageQueue, MessageQueueOptions},
        udsocket::{
            Socket, UdSocket, UdStream,
            kind::{Datagram, Kind, Stream},
        },
    },
};
use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    time::Duration,
};

const MESSAGE: [u8; 64] = [0x55; 64];
/// Should one end fail, the other must not wait for ever.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

/// What is sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Datagram,
    /// One descriptor and one byte, over a stream.
    Descriptor,
    /// The same by the methods that are for descriptors alone.
    DescriptorToVec,
    DescriptorByDatagram,
    /// One, added to a counter.
    Count,
    Queued,
}

/// Sent and received by one thread.
pub(crate) struct Alone(pub(crate) Message);

impl Subject for Alone {
    fn near(&self, peer: Peer, _: &Place, _: &mut Parcels) -> io::Result<Ready> {
        fn both<E: End>((mut one, mut other): (E, E)) -> Work {
            work(move |count, _| {
                for _ in 0..count {
                    one.send()?;
                    other.recv()?;
                }
                Ok(())
            })
        }
        let both_ends = match (self.0, peer) {
            (Message::Datagram, Peer::Ours) => both(pair::<Datagrams>()?),
            (Message::Datagram, Peer::Raw) => both(pair::<raw::Datagrams>()?),
            (Message::Datagram, Peer::Std) => both(pair::<StdDatagrams>()?),
            (Message::Descriptor, Peer::Ours) => both(pair::<Descriptors<Stream>>()?),
            (Message::DescriptorToVec, Peer::Ours) => both(pair::<ToVec>()?),
            (Message::Descriptor | Message::DescriptorToVec, Peer::Raw) => {
                both(pair::<raw::Descriptors<Stream>>()?)
            }
            (Message::DescriptorByDatagram, Peer::Ours) => both(pair::<Descriptors<Datagram>>()?),
            (Message::DescriptorByDatagram, Peer::Raw) => both(pair::<raw::Descriptors<Datagram>>()?),
            (Message::Count, Peer::Ours) => both(Counters::pair()?),
            (Message::Count, Peer::Raw) => both(raw::Counters::pair()?),
            (Message::Queued, Peer::Ours) => both(Queues::pair()?),
            (Message::Queued, Peer::Raw) => both(raw::Queues::pair()?),
            (_, peer) => return Err(peer.cannot()),
        };
        Ok(Box::new(|| Ok(both_ends)))
    }

    fn far(&self, _: Peer, _: &Place) -> io::Result<Option<Ready>> {
        Ok(None)
    }
}

/// There and back again, between processes.
pub(crate) struct PingPong(pub(crate) Message);

/// Runs `$make` with `$kind` for the sockets of that peer.
macro_rules! for_sockets {
    ($message:expr, $peer:expr, $kind:ident => $make:expr) => {
        match ($message, $peer) {
            (Message::Datagram, Peer::Ours) => {
                type $kind = Datagrams;
                $make
            }
            (Message::Datagram, Peer::Raw) => {
                type $kind = raw::Datagrams;
                $make
            }
            (Message::Datagram, Peer::Std) => {
                type $kind = StdDatagrams;
                $make
            }
            (Message::Descriptor, Peer::Ours) => {
                type $kind = Descriptors<Stream>;
                $make
            }
            (Message::Descriptor, Peer::Raw) => {
                type $kind = raw::Descriptors<Stream>;
                $make
            }
            (_, peer) => Err(peer.cannot()),
        }
    };
}

impl Subject for PingPong {
    fn near(&self, peer: Peer, _: &Place, parcels: &mut Parcels) -> io::Result<Ready> {
        for_sockets!(self.0, peer, Ends => {
            let (one, other) = sockets::<<Ends as Made>::Of>()?;
            parcels.push((peer.name().to_owned(), lend(&other)?));
            let mut end = Ends::new(one)?;
            Ok(Box::new(move || Ok(work(move |count, laps| {
                for _ in 0..count {
                    end.send()?;
                    end.recv()?;
                    laps.lap();
                }
                Ok(())
            }))))
        })
    }

    fn far(&self, peer: Peer, _: &Place) -> io::Result<Option<Ready>> {
        for_sockets!(self.0, peer, Ends => {
            let mut end = Ends::new(child::inherited(peer.name())?)?;
            Ok(Some(Box::new(move || Ok(work(move |count, _| {
                for _ in 0..count {
                    end.recv()?;
                    end.send()?;
                }
                Ok(())
            })))))
        })
    }
}

/// One of two ends that send to each other.
trait End: Send + 'static {
    fn send(&mut self) -> io::Result<()>;

    /// What was received is used as an owner would: descriptors are closed.
    fn recv(&mut self) -> io::Result<()>;
}

/// An end that is made of a socket.
trait Made: End + Sized {
    type Of: Kind;

    fn new(socket: Socket<Self::Of>) -> io::Result<Self>;
}

fn pair<E: Made>() -> io::Result<(E, E)> {
    let (one, other) = sockets()?;
    Ok((E::new(one)?, E::new(other)?))
}

/// Two sockets for any peer: there is one way to make them.
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

impl Made for Datagrams {
    type Of = Datagram;

    fn new(socket: UdSocket) -> io::Result<Self> {
        Ok(Self(socket))
    }
}

impl End for Datagrams {
    fn send(&mut self) -> io::Result<()> {
        check(self.0.send(&MESSAGE)? == MESSAGE.len())
    }

    fn recv(&mut self) -> io::Result<()> {
        let mut buf = [0; MESSAGE.len()];
        check(self.0.recv(&mut buf)? == (MESSAGE.len(), false) && buf == MESSAGE)
    }
}

struct StdDatagrams(UnixDatagram);

impl Made for StdDatagrams {
    type Of = Datagram;

    fn new(socket: UdSocket) -> io::Result<Self> {
        Ok(Self(OwnedFd::from(socket).into()))
    }
}

impl End for StdDatagrams {
    fn send(&mut self) -> io::Result<()> {
        check(self.0.send(&MESSAGE)? == MESSAGE.len())
    }

    fn recv(&mut self) -> io::Result<()> {
        let mut buf = [0; MESSAGE.len()];
        check(self.0.recv(&mut buf)? == MESSAGE.len() && buf == MESSAGE)
    }
}

/// A file to send the descriptor of.
fn file() -> io::Result<OwnedFd> {
    File::open("/dev/null").map(Into::into)
}

struct Descriptors<K: Kind> {
    socket: Socket<K>,
    ancillary: AncillaryDataBuf,
    /// What is sent.
    file: OwnedFd,
}

impl<K: Kind> Descriptors<K> {
    fn with(socket: Socket<K>) -> io::Result<Self> {
        Ok(Self { socket, ancillary: AncillaryDataBuf::new(), file: file()? })
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

impl Made for Descriptors<Stream> {
    type Of = Stream;

    fn new(socket: UdStream) -> io::Result<Self> {
        Self::with(socket)
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

impl Made for Descriptors<Datagram> {
    type Of = Datagram;

    fn new(socket: UdSocket) -> io::Result<Self> {
        Self::with(socket)
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

struct ToVec {
    socket: UdStream,
    fds: Vec<OwnedFd>,
    file: OwnedFd,
}

impl Made for ToVec {
    type Of = Stream;

    fn new(socket: UdStream) -> io::Result<Self> {
        Ok(Self { socket, fds: Vec::new(), file: file()? })
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

/// The calls themselves, with the flags that we give: by rustix, or as C would make them where that is less.
mod raw {
    use super::{Datagram, End, Kind, MESSAGE, Made, Socket, check, file};
    use rustix::{
        event::{EventfdFlags, eventfd},
        io::{read, write},
        net::{RecvFlags, SendFlags, recv, send},
    };
    use std::{
        io,
        marker::PhantomData,
        mem,
        os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        ptr,
    };

    /// What a call has done, or its error.
    fn done(result: isize) -> io::Result<usize> {
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }

    pub(super) struct Datagrams(OwnedFd);

    impl Made for Datagrams {
        type Of = Datagram;

        fn new(socket: Socket<Datagram>) -> io::Result<Self> {
            Ok(Self(socket.into()))
        }
    }

    impl End for Datagrams {
        fn send(&mut self) -> io::Result<()> {
            check(send(&self.0, &MESSAGE, SendFlags::NOSIGNAL)? == MESSAGE.len())
        }

        fn recv(&mut self) -> io::Result<()> {
            let mut buf = [0; MESSAGE.len()];
            check(recv(&self.0, &mut buf, RecvFlags::TRUNC)?.1 == MESSAGE.len() && buf == MESSAGE)
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "it is 4")]
    const FD_SIZE: u32 = size_of::<RawFd>() as u32;
    // SAFETY: it computes, and needs nothing.
    const SPACE: u32 = unsafe { libc::CMSG_SPACE(FD_SIZE) };

    /// A control buffer for one descriptor, aligned for the header.
    type Control = [u64; SPACE as usize / size_of::<u64>()];

    pub(super) struct Descriptors<K> {
        socket: OwnedFd,
        control: Control,
        file: OwnedFd,
        kind: PhantomData<fn(K)>,
    }

    impl<K: Kind> Made for Descriptors<K> {
        type Of = K;

        fn new(socket: Socket<K>) -> io::Result<Self> {
            Ok(Self { socket: socket.into(), control: Control::default(), file: file()?, kind: PhantomData })
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

    impl<K: Kind> End for Descriptors<K> {
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
            let new = || eventfd(0, EventfdFlags::CLOEXEC);
            let (one, other) = (new()?, new()?);
            let mirrored = Self { mine: other.try_clone()?, theirs: one.try_clone()? };
            Ok((Self { mine: one, theirs: other }, mirrored))
        }
    }

    impl End for Counters {
        fn send(&mut self) -> io::Result<()> {
            check(write(&self.theirs, &1_u64.to_ne_bytes())? == 8)
        }

        fn recv(&mut self) -> io::Result<()> {
            let mut value = [0; 8];
            check(read(&self.mine, &mut value)? == 8 && value == 1_u64.to_ne_bytes())
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
