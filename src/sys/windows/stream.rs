//! An end of a pipe, or a socket, and how it is used.
//!
//! It behaves as a Unix socket does, which a pipe left to itself does not: there are timeouts, a nonblocking
//! mode that one can wait for, and reading never delays writing. In blocking mode without a timeout, a call is one
//! system call on the caller's own buffer. For all else a stream has an [`Op`] for each direction, which may be
//! left in flight: a read that nobody waits for any more, whose bytes the next call finds, and a write that the
//! caller need not wait for. Messages are always received so, since one may come in several parts, which no other
//! call must come between.

#![allow(
    clippy::unnecessary_wraps,
    reason = "local sockets have the same methods on every OS, and on another they can fail"
)]

use super::{
    creds::PeerCreds,
    named_pipe::{self, Client, PipePath, is_peer_gone_error},
    overlapped::{self, File, MAX_TRANSFER, Op, Signal, has_code, is_aborted, wait_for},
    security::{is_ours, owner_of},
    unix_socket::{self, Peer},
};
#[cfg(feature = "async")]
use crate::runtime::Interest;
use crate::{deadline::Deadline, os::windows::named_pipe::PipeMode};
#[cfg(feature = "async")]
use std::task::{Context, Poll, Wake};
use std::{
    io::{self, IoSlice, IoSliceMut},
    net::Shutdown,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use windows_sys::Win32::{
    Foundation::{
        ERROR_ACCESS_DENIED, ERROR_BAD_NET_NAME, ERROR_BAD_NETPATH, ERROR_BROKEN_PIPE, ERROR_NO_DATA,
        ERROR_PIPE_BUSY,
    },
    System::IO::CancelSynchronousIo,
};

/// How much is read or written by an operation that may be left in flight, at most.
const MAX_OWNED: usize = 64 * 1024;

/// A connection. Clones share everything.
#[derive(Debug)]
pub(crate) struct Stream(Arc<Pipe>);

/// A part of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) len: usize,
    pub(crate) is_last: bool,
}

#[derive(Debug)]
struct Pipe {
    file: Arc<File>,
    /// Whether the handle, which came from elsewhere, is good for nothing but plain calls.
    is_synchronous: bool,
    /// Whether it is known to be a pipe of another host.
    is_remote: bool,
    /// The other end, if this is a socket and no pipe.
    socket: Option<Peer>,
    is_nonblocking: AtomicBool,
    recv_timeout: Timeout,
    send_timeout: Timeout,
    incoming: Mutex<Incoming>,
    outgoing: Mutex<Outgoing>,
    /// How many calls and tasks wait for `incoming`.
    waiting: AtomicUsize,
    /// Whether something was sent that the peer is not known to have read.
    has_sent: AtomicBool,
    /// How long a message may be.
    max_message_len: AtomicUsize,
}

/// How long a call may wait.
#[derive(Debug)]
pub(super) struct Timeout(AtomicU64);

impl Timeout {
    /// In nanoseconds. More than that is for ever, too: it would be in 584 years.
    const NONE: u64 = u64::MAX;

    pub(super) fn none() -> Self {
        Self(AtomicU64::new(Self::NONE))
    }

    pub(super) fn set(&self, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a timeout of zero is none"));
        }
        let nanos = timeout.and_then(|timeout| u64::try_from(timeout.as_nanos()).ok()).unwrap_or(Self::NONE);
        self.0.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != Self::NONE).then(|| Duration::from_nanos(nanos))
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after_or_never(self.get())
    }
}

/// The read that may be in flight, or whose bytes are not all taken yet.
#[allow(clippy::struct_excessive_bools, reason = "each is a state of its own")]
#[derive(Debug, Default)]
pub(super) struct Incoming {
    op: Option<Op>,
    /// Whether `op` was started and is not used up.
    pub(super) is_in_use: bool,
    taken: usize,
    /// Whether `op` is what a request is answered with, and so must not be cut short.
    is_answer: bool,
    /// Whether the call that has asked waits for that answer, so that nobody else may have it.
    is_claimed: bool,
    /// Whether to have read nothing is the end, as for sockets. From a pipe, it is what the peer wrote.
    ends_with_nothing: bool,
}

/// While it lives, nobody else receives the answer to a request. From [`Stream::claim`].
pub(crate) struct Claim<'p>(&'p Mutex<Incoming>);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        lock(self.0).is_claimed = false;
    }
}

/// See [`Stream::waits_to_receive`].
pub(crate) struct WaitsToReceive<'p>(&'p AtomicUsize);

impl Drop for WaitsToReceive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How it stands with an [`Incoming`] or [`Outgoing`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot<T> {
    Free,
    InFlight,
    Done(T),
}

impl Incoming {
    /// The bytes that were read and not taken yet: never none. An error is given once.
    fn bytes(&mut self) -> io::Result<Slot<&[u8]>> {
        if !self.is_in_use {
            return Ok(Slot::Free);
        }
        let Some(op) = &self.op else { return Ok(Slot::Free) };
        if !op.is_done() {
            return Ok(Slot::InFlight);
        }
        match op.result() {
            Ok(len) if len > self.taken => {
                // Not `op`, since that borrow would have to last in all cases.
                let bytes = self.op.as_ref().map_or(&[][..], Op::buffer);
                Ok(Slot::Done(&bytes[self.taken..len]))
            }
            Ok(0) if self.ends_with_nothing => {
                self.is_in_use = false;
                Err(overlapped::os_error(ERROR_BROKEN_PIPE))
            }
            // The peer wrote zero bytes; that is not the end.
            Ok(_) => Ok(self.free()),
            // The thread that started it has ended. Nothing is lost.
            Err(error) if is_aborted(&error) => Ok(self.free()),
            Err(error) => {
                self.is_in_use = false;
                Err(error)
            }
        }
    }

    fn free(&mut self) -> Slot<&[u8]> {
        self.is_in_use = false;
        Slot::Free
    }

    /// Copies as much as fits.
    fn copy(&mut self, buf: &mut [u8]) -> io::Result<Slot<usize>> {
        Ok(match self.bytes()? {
            Slot::Free => Slot::Free,
            Slot::InFlight => Slot::InFlight,
            Slot::Done(bytes) => {
                let len = bytes.len().min(buf.len());
                buf[..len].copy_from_slice(&bytes[..len]);
                Slot::Done(len)
            }
        })
    }

    /// Marks bytes that were copied as taken. Once all are, the next call finds it used up.
    fn take(&mut self, len: usize) {
        self.taken += len;
    }

    /// Starts a read of as much as a caller has room for.
    pub(super) fn start(&mut self, file: &Arc<File>, len: usize) -> io::Result<()> {
        let op = usable(&mut self.op, file)?;
        op.start_read(len.min(MAX_OWNED));
        (self.is_in_use, self.taken, self.is_answer) = (true, 0, false);
        Ok(())
    }

    /// Starts sending a request and reading the answer.
    fn start_transact(
        &mut self,
        file: &Arc<File>,
        request: &[u8],
        len: usize,
        is_left: bool,
    ) -> io::Result<()> {
        usable(&mut self.op, file)?.start_transact(request, len.min(MAX_OWNED), is_left)?;
        (self.is_in_use, self.taken, self.is_answer) = (true, 0, true);
        Ok(())
    }

    /// Puts an end to a read that is in flight and has nothing yet.
    fn stop(&mut self) {
        if let Some(op) = self.op.as_mut().filter(|_| self.is_in_use && !self.is_answer) {
            op.cancel();
        }
    }

    /// The part of a message that was read and not taken yet, which may be of zero bytes, and whether there is more
    /// of it. An error is given once.
    pub(super) fn message(&mut self) -> io::Result<Slot<(&[u8], bool)>> {
        if !self.is_in_use {
            return Ok(Slot::Free);
        }
        let Some(op) = &self.op else { return Ok(Slot::Free) };
        if !op.is_done() {
            return Ok(Slot::InFlight);
        }
        match op.result() {
            Ok(len) => Ok(Slot::Done((&op.buffer()[self.taken..len], op.is_partial()))),
            Err(error) => {
                self.is_in_use = false;
                // The thread that started it has ended. Nothing is lost.
                if is_aborted(&error) { Ok(Slot::Free) } else { Err(error) }
            }
        }
    }

    /// Waits for the read that is in flight, or does not. The lock is not held meanwhile: others may not want to
    /// wait.
    pub(super) fn wait(this: MutexGuard<'_, Self>, wait: Option<Deadline>) -> io::Result<()> {
        let deadline = wait.ok_or_else(would_block)?;
        let waiter = this.op.as_ref().map(Op::waiter);
        drop(this);
        if waiter.is_none_or(|waiter| waiter.wait(deadline)) { Ok(()) } else { Err(timed_out()) }
    }

    /// What the read sets when it completes, if that is yet to come.
    #[cfg(feature = "async")]
    pub(super) fn signal_of_pending(&self) -> Option<Arc<Signal>> {
        signal_of_pending(self.op.as_ref())
    }
}

/// A read in flight is cancelled.
impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(op) = self.op.take() {
            let signal = Arc::clone(op.signal());
            drop(op);
            signal.end();
        }
    }
}

/// The write that may be in flight.
#[derive(Debug, Default)]
struct Outgoing {
    op: Option<Op>,
    /// Whether `op` was started and what came of it was not looked at yet.
    is_in_use: bool,
}

impl Outgoing {
    /// Looks at what came of the last write. An error is given once.
    fn settle(&mut self) -> Slot<io::Result<usize>> {
        match &self.op {
            Some(op) if self.is_in_use => {
                if !op.is_done() {
                    return Slot::InFlight;
                }
                self.is_in_use = false;
                Slot::Done(op.result())
            }
            _ => Slot::Free,
        }
    }

    fn start(&mut self, file: &Arc<File>, data: &[u8], by_lasting_thread: bool) -> io::Result<()> {
        usable(&mut self.op, file)?.start_write(data, by_lasting_thread)?;
        self.is_in_use = true;
        Ok(())
    }
}

/// The operation of a slot, made when it is first needed: a stream that only blocks needs none.
fn usable<'s>(slot: &'s mut Option<Op>, file: &Arc<File>) -> io::Result<&'s mut Op> {
    if slot.is_none() {
        *slot = Some(Op::new(Arc::clone(file), Signal::new()?));
    }
    Ok(slot.as_mut().unwrap_or_else(|| unreachable!("it was filled just now")))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

fn would_block() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}

/// Whether this is one of the two errors above. One of the system that is called so is something else.
fn is_wait_over(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
        && error.raw_os_error().is_none()
}

/// When the peer is gone and all was read, that is the end of the stream: for bytes, see [`Stream::end_of_stream`]; for
/// messages, of which one of zero bytes is none the less one.
fn none_at_end<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if is_peer_gone_error(&error) => Ok(None),
        result => result.map(Some),
    }
}

/// A message whose sender took its rest back, or has ended.
fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer left in the middle of a message")
}

/// How much is read at first in order to receive a message into this.
fn room_for_message(message: &Vec<u8>) -> usize {
    message.capacity().clamp(4096, MAX_OWNED)
}

/// Copies of the part of a message that was read as much as there is room for, and says whether that was all of what was
/// read.
fn copy_part(incoming: &mut Incoming, buf: &mut [u8]) -> io::Result<(Part, bool)> {
    let Slot::Done((bytes, has_more)) = incoming.message()? else { return Err(would_block()) };
    let len = bytes.len().min(buf.len());
    buf[..len].copy_from_slice(&bytes[..len]);
    let is_used_up = len == bytes.len();
    Ok((Part { len, is_last: is_used_up && !has_more }, is_used_up))
}

/// What `ERROR_PIPE_BUSY` means where nobody connects has no kind in std.
fn busy() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, overlapped::os_error(ERROR_PIPE_BUSY))
}

/// When the peer is gone, or a write was cut off, that is one kind of error, whichever way the system puts
/// it.
fn broken_pipe(error: io::Error) -> io::Error {
    if is_peer_gone_error(&error) || is_aborted(&error) {
        return io::Error::new(io::ErrorKind::BrokenPipe, error);
    }
    error
}

impl Pipe {
    /// From a handle that was opened for overlapped I/O, of a pipe of this host.
    fn new(file: Arc<File>, is_nonblocking: bool) -> Self {
        Self {
            file,
            is_synchronous: false,
            is_remote: false,
            socket: None,
            is_nonblocking: AtomicBool::new(is_nonblocking),
            recv_timeout: Timeout::none(),
            send_timeout: Timeout::none(),
            incoming: Mutex::default(),
            outgoing: Mutex::default(),
            waiting: AtomicUsize::new(0),
            has_sent: AtomicBool::new(false),
            max_message_len: AtomicUsize::new(Stream::DEFAULT_MAX_MESSAGE_LEN),
        }
    }
}

impl Stream {
    /// How long a message may be, unless it is said otherwise.
    pub(crate) const DEFAULT_MAX_MESSAGE_LEN: usize = 16 << 20;

    /// An end of a pipe of this host, opened for overlapped I/O.
    pub(crate) fn new(file: File, is_nonblocking: bool) -> Self {
        Self(Arc::new(Pipe::new(Arc::new(file), is_nonblocking)))
    }

    /// One attempt to connect; without `wait` it does not wait, and the stream is nonblocking.
    pub(crate) fn open(path: &PipePath, client: &Client, wait: Option<Deadline>) -> io::Result<Self> {
        /// The system does not notice that a pipe ceases while one waits for an instance of it.
        const LONGEST_WAIT: Duration = Duration::from_millis(100);

        let file = loop {
            match client.open(path) {
                Ok(file) => break file,
                Err(error) if has_code(&error, ERROR_PIPE_BUSY) => {
                    let Some(deadline) = wait else {
                        return Err(io::Error::new(io::ErrorKind::WouldBlock, error));
                    };
                    if deadline.has_passed() {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, error));
                    }
                    let time = deadline.remaining().map_or(LONGEST_WAIT, |left| left.min(LONGEST_WAIT));
                    named_pipe::wait_for_instance(path, time)?;
                }
                // Of the host, and of what it shares.
                Err(error) if has_code(&error, ERROR_BAD_NETPATH) || has_code(&error, ERROR_BAD_NET_NAME) => {
                    return Err(io::Error::new(io::ErrorKind::NotFound, error));
                }
                Err(error) => return Err(error),
            }
        };
        named_pipe::information(file.as_handle())
            .map_err(|_| io::Error::new(io::ErrorKind::ConnectionRefused, "what is there is not a pipe"))?;
        let mut pipe = Pipe::new(Arc::new(file.into()), wait.is_none());
        pipe.is_remote = !path.is_local();
        Ok(Self(Arc::new(pipe)))
    }

    /// A socket, opened for overlapped I/O.
    pub(super) fn of_socket(file: Arc<File>, peer: Peer, is_nonblocking: bool) -> Self {
        let mut pipe = Pipe::new(file, is_nonblocking);
        pipe.socket = Some(peer);
        pipe.incoming.get_mut().unwrap_or_else(PoisonError::into_inner).ends_with_nothing = true;
        Self(Arc::new(pipe))
    }

    /// The other end, if this is a socket and no pipe.
    fn socket(&self) -> Option<&Peer> {
        self.0.socket.as_ref()
    }

    /// Whether this is the error of an operation when the other end is gone.
    fn is_end(&self, error: &io::Error) -> bool {
        is_peer_gone_error(error) || (self.socket().is_some() && unix_socket::is_peer_gone_error(error))
    }

    /// When the peer is gone and all was read, that is the end of the stream.
    fn end_of_stream(&self, result: io::Result<usize>) -> io::Result<usize> {
        match result {
            Err(error) if self.is_end(&error) => Ok(0),
            result => result,
        }
    }

    /// As [`broken_pipe`], for both sorts.
    fn broken(&self, error: io::Error) -> io::Error {
        if self.is_end(&error) {
            io::Error::new(io::ErrorKind::BrokenPipe, error)
        } else {
            broken_pipe(error)
        }
    }

    fn is_nonblocking_now(&self) -> bool {
        self.0.is_nonblocking.load(Ordering::Relaxed)
    }

    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.end_of_stream(self.recv_or_fail(buf))
    }

    fn recv_or_fail(&self, buf: &mut [u8]) -> io::Result<usize> {
        let deadline = self.0.recv_timeout.deadline();
        loop {
            let mut incoming = lock(&self.0.incoming);
            match incoming.copy(buf)? {
                Slot::Done(len) => {
                    incoming.take(len);
                    return Ok(len);
                }
                Slot::InFlight => self.wait_for_incoming(incoming, deadline)?,
                Slot::Free if self.is_nonblocking_now() => incoming.start(&self.0.file, buf.len())?,
                Slot::Free => {
                    drop(incoming);
                    match overlapped::read(self.as_handle(), buf, deadline) {
                        // A socket ends so.
                        Ok(0) if self.socket().is_some() => return Ok(0),
                        // The peer wrote zero bytes; that is not the end. If it goes on so, that ends here.
                        Ok(0) if deadline.has_passed() => return Err(timed_out()),
                        Ok(0) => {}
                        // Somebody cancels what goes on with the file. Nothing is lost.
                        Err(error) if is_aborted(&error) => {}
                        result => return result,
                    }
                }
            }
        }
    }

    fn wait_for_incoming(&self, incoming: MutexGuard<'_, Incoming>, deadline: Deadline) -> io::Result<()> {
        let _waits = self.waits_to_receive();
        Incoming::wait(incoming, (!self.is_nonblocking_now()).then_some(deadline))
    }

    /// While it lives, somebody waits for something to be received: no request is sent, whose answer that would be.
    pub(crate) fn waits_to_receive(&self) -> WaitsToReceive<'_> {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        WaitsToReceive(&self.0.waiting)
    }

    /// Pipes have no such call; so the first buffer that is not empty is used.
    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        bufs.iter_mut().find(|buf| !buf.is_empty()).map_or(Ok(0), |buf| self.recv(buf))
    }

    pub(crate) fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.end_of_stream(self.peek_or_fail(buf))
    }

    fn peek_or_fail(&self, buf: &mut [u8]) -> io::Result<usize> {
        let deadline = self.0.recv_timeout.deadline();
        loop {
            let mut incoming = lock(&self.0.incoming);
            match incoming.copy(buf)? {
                Slot::Done(len) => return Ok(len),
                Slot::InFlight => self.wait_for_incoming(incoming, deadline)?,
                Slot::Free => {
                    // An overlapped socket has no such call (`MSG_PEEK` is not for those).
                    let room = buf.len().min(MAX_TRANSFER);
                    let len = match self.socket() {
                        None => named_pipe::peek(self.as_handle(), &mut buf[..room])?.copied,
                        Some(_) => 0,
                    };
                    if len > 0 {
                        return Ok(len);
                    }
                    if deadline.has_passed() && !self.is_nonblocking_now() {
                        return Err(timed_out());
                    }
                    // The system has no way to wait for bytes but to read them. The next to receive finds
                    // them here.
                    incoming.start(&self.0.file, buf.len())?;
                }
            }
        }
    }

    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.send_or_fail(buf).map_err(|error| self.broken(error))
    }

    /// Sends all; less only if the rest would have to wait, or does not make it in time.
    fn send_or_fail(&self, buf: &[u8]) -> io::Result<usize> {
        let deadline = self.0.send_timeout.deadline();
        let mut sent = 0;
        while sent < buf.len() {
            match self.send_some(&buf[sent..], deadline) {
                Ok(len) => sent += len,
                Err(error) if sent > 0 && is_wait_over(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    fn send_some(&self, buf: &[u8], deadline: Deadline) -> io::Result<usize> {
        let is_nonblocking = self.is_nonblocking_now();
        let mut outgoing = self.settled((!is_nonblocking).then_some(deadline))?;
        self.0.has_sent.store(true, Ordering::Relaxed);
        if !is_nonblocking && deadline.remaining().is_none() {
            drop(outgoing);
            return overlapped::write(self.as_handle(), &buf[..buf.len().min(MAX_TRANSFER)]);
        }

        let buf = &buf[..buf.len().min(MAX_OWNED)];
        // What there is room for completes at once. If there is none, that may be because the peer waits for
        // bytes already; so it is tried anyway.
        let room = self.room()?;
        let buf = if room == 0 { buf } else { &buf[..buf.len().min(room)] };
        outgoing.start(&self.0.file, buf, room == 0)?;
        self.started(outgoing, (!is_nonblocking).then_some(deadline))?;
        Ok(buf.len())
    }

    /// How many bytes the system is sure to take at once. Of a socket it does not say, nor to whom may only write.
    fn room(&self) -> io::Result<usize> {
        if self.socket().is_some() {
            return Ok(0);
        }
        let information = match named_pipe::information(self.as_handle()) {
            Err(error) if has_code(&error, ERROR_ACCESS_DENIED) => return Ok(0),
            result => result?,
        };
        if !named_pipe::is_connected(&information) {
            return Err(overlapped::os_error(ERROR_NO_DATA));
        }
        Ok(information.WriteQuotaAvailable as usize)
    }

    /// Waits, or does not, for the write that was started, and looks at what came of it if it is over.
    fn started<'s>(
        &'s self,
        mut outgoing: MutexGuard<'s, Outgoing>,
        wait: Option<Deadline>,
    ) -> io::Result<()> {
        if let Some(deadline) = wait {
            let waiter = outgoing.op.as_ref().map(Op::waiter);
            drop(outgoing);
            // If that is not in time: it is on its way, and to cancel it would leave open how much of it
            // arrived.
            let _ = waiter.map(|waiter| waiter.wait(deadline));
            outgoing = lock(&self.0.outgoing);
        }
        match outgoing.settle() {
            Slot::Done(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends a message, whole or not at all.
    pub(crate) fn send_message(&self, message: &[u8]) -> io::Result<()> {
        self.send_message_or_fail(message).map_err(broken_pipe)
    }

    fn send_message_or_fail(&self, message: &[u8]) -> io::Result<()> {
        let deadline = self.0.send_timeout.deadline();
        let wait = (!self.is_nonblocking_now()).then_some(deadline);
        let mut outgoing = self.settled(wait)?;
        self.0.has_sent.store(true, Ordering::Relaxed);
        if wait.is_some() && deadline.remaining().is_none() {
            drop(outgoing);
            return overlapped::write(self.as_handle(), message).map(drop);
        }
        let information = named_pipe::information(self.as_handle())?;
        if !named_pipe::is_connected(&information) {
            return Err(overlapped::os_error(ERROR_NO_DATA));
        }
        let has_room = information.WriteQuotaAvailable as usize >= message.len().max(1);
        outgoing.start(&self.0.file, message, !has_room)?;
        self.started(outgoing, wait)
    }

    /// Waits until a message, or a part of one, has been read. If that is to be started, with so much room.
    fn incoming_message(&self, room: usize, has_asked: bool) -> io::Result<MutexGuard<'_, Incoming>> {
        let deadline = self.0.recv_timeout.deadline();
        loop {
            let mut incoming = lock(&self.0.incoming);
            if incoming.is_claimed && !has_asked {
                return Err(busy());
            }
            match incoming.message()? {
                Slot::Done(_) => return Ok(incoming),
                Slot::InFlight => self.wait_for_incoming(incoming, deadline)?,
                // Of zero bytes, it would not tell whether there is a message.
                Slot::Free => incoming.start(&self.0.file, room.max(1))?,
            }
        }
    }

    /// Receives as much of a message as there is room for; the next call receives what comes after that. `None` at
    /// the end of the stream.
    pub(crate) fn recv_part(&self, buf: &mut [u8]) -> io::Result<Option<Part>> {
        none_at_end(self.recv_part_or_fail(buf))
    }

    fn recv_part_or_fail(&self, buf: &mut [u8]) -> io::Result<Part> {
        let mut incoming = self.incoming_message(buf.len(), false)?;
        let (part, is_used_up) = copy_part(&mut incoming, buf)?;
        incoming.taken += part.len;
        incoming.is_in_use = !is_used_up;
        let room = buf.len() - part.len;
        if part.is_last || !is_used_up || room == 0 {
            return Ok(part);
        }
        // The read was for an earlier, smaller request, or there is more room than one is given.
        let rest = self.left_of_message()?;
        let len = rest.min(room);
        self.read_on(&mut buf[part.len..][..len])?;
        Ok(Part { len: part.len + len, is_last: len == rest })
    }

    /// How much there is of a message whose beginning was read: all the rest of it, since the system knows only whole
    /// messages.
    fn left_of_message(&self) -> io::Result<usize> {
        match named_pipe::peek(self.as_handle(), &mut []) {
            Ok(peeked) if peeked.left_of_message > 0 => Ok(peeked.left_of_message),
            Err(error) if !is_peer_gone_error(&error) => Err(error),
            _ => Err(cut_off()),
        }
    }

    /// Reads what is there of a message whose beginning was read, to be called under the lock of that.
    fn read_on(&self, buf: &mut [u8]) -> io::Result<()> {
        /// On this host it is there at once. To fetch it from another takes its time, and to give up would lose it.
        const PATIENCE: Duration = Duration::from_secs(10);

        let mut filled = 0;
        while filled < buf.len() {
            match overlapped::read(self.as_handle(), &mut buf[filled..], Deadline::after(PATIENCE)) {
                Ok(0) => return Err(cut_off()),
                Ok(len) => filled += len,
                Err(error) if is_peer_gone_error(&error) => return Err(cut_off()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(cut_off()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Copies as much of a message as there is room for, and leaves it there.
    pub(crate) fn peek_part(&self, buf: &mut [u8]) -> io::Result<Option<Part>> {
        none_at_end(self.peek_part_or_fail(buf))
    }

    fn peek_part_or_fail(&self, buf: &mut [u8]) -> io::Result<Part> {
        let mut incoming = self.incoming_message(buf.len(), false)?;
        let (mut part, is_used_up) = copy_part(&mut incoming, buf)?;
        if is_used_up && !part.is_last {
            // What was read ahead for an earlier, smaller request.
            let rest = self.left_of_message().inspect_err(|_| incoming.is_in_use = false)?;
            let room = rest.min(buf.len() - part.len);
            let copied = named_pipe::peek(self.as_handle(), &mut buf[part.len..][..room])?.copied;
            part = Part { len: part.len + copied, is_last: copied == rest };
        }
        Ok(part)
    }

    /// Receives a message, whole, in place of what is in `message`, and says how long it is. `None` at the end of the
    /// stream.
    ///
    /// # Errors
    /// `InvalidData` if it is longer than is allowed; it remains to be received.
    pub(crate) fn recv_message(&self, message: &mut Vec<u8>) -> io::Result<Option<usize>> {
        none_at_end(self.recv_message_or_fail(message, false))
    }

    /// Receives the answer to a request, under a [`Claim`].
    pub(crate) fn recv_answer(&self, message: &mut Vec<u8>) -> io::Result<Option<usize>> {
        none_at_end(self.recv_message_or_fail(message, true))
    }

    fn recv_message_or_fail(&self, message: &mut Vec<u8>, has_asked: bool) -> io::Result<usize> {
        let mut incoming = self.incoming_message(room_for_message(message), has_asked)?;
        let Slot::Done((first, has_more)) = incoming.message()? else { return Err(would_block()) };
        let first_len = first.len();
        let rest =
            if has_more { self.left_of_message().inspect_err(|_| incoming.is_in_use = false)? } else { 0 };
        let len = first_len.saturating_add(rest);
        let max = self.max_message_len();
        if len > max {
            let error = format!("a message of {len} bytes is longer than the {max} that are allowed");
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        message.clear();
        message.try_reserve_exact(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        if let Slot::Done((first, _)) = incoming.message()? {
            message.extend_from_slice(first);
        }
        incoming.is_in_use = false;
        message.resize(len, 0);
        self.read_on(&mut message[first_len..])?;
        Ok(len)
    }

    pub(crate) fn max_message_len(&self) -> usize {
        self.0.max_message_len.load(Ordering::Relaxed)
    }

    pub(crate) fn set_max_message_len(&self, max: usize) {
        self.0.max_message_len.store(max, Ordering::Relaxed);
    }

    /// How many bytes can be received without waiting.
    pub(crate) fn available(&self) -> io::Result<usize> {
        let mut incoming = lock(&self.0.incoming);
        let read = match incoming.bytes() {
            Ok(Slot::Done(bytes)) => bytes.len(),
            Ok(Slot::Free | Slot::InFlight) => 0,
            Err(error) if is_peer_gone_error(&error) => 0,
            Err(error) => return Err(error),
        };
        let left = match named_pipe::information(self.as_handle()) {
            Ok(information) => usize::try_from(information.ReadDataAvailable).unwrap_or(usize::MAX),
            Err(error) if is_peer_gone_error(&error) => 0,
            Err(error) => return Err(error),
        };
        Ok(read + left)
    }

    /// How long the next message is; 0 if there is none, yet.
    pub(crate) fn peek_message_len(&self) -> io::Result<usize> {
        let mut incoming = lock(&self.0.incoming);
        let (read, has_more) = match incoming.message() {
            Ok(Slot::Done((read, has_more))) => (read.len(), has_more),
            // If there were one, it would have been read.
            Ok(Slot::InFlight) => return Ok(0),
            Ok(Slot::Free) => (0, true),
            Err(error) if is_peer_gone_error(&error) => return Ok(0),
            Err(error) => return Err(error),
        };
        if !has_more {
            return Ok(read);
        }
        match named_pipe::peek(self.as_handle(), &mut []) {
            Ok(peeked) => Ok(read + peeked.left_of_message),
            Err(error) if is_peer_gone_error(&error) => Ok(read),
            Err(error) => Err(error),
        }
    }

    /// Sends a message, the answer to which is the next to be received.
    ///
    /// # Errors
    /// `ResourceBusy` if there is something to be received already, or somebody waits for something.
    ///
    /// If it succeeds, only [`recv_answer`](Self::recv_answer) receives anything, until a [`Claim`] is dropped.
    pub(crate) fn start_transaction(&self, request: &[u8], room: usize) -> io::Result<()> {
        let is_nonblocking = self.is_nonblocking_now();
        let send_deadline = self.0.send_timeout.deadline();
        drop(self.settled((!is_nonblocking).then_some(send_deadline)).map_err(broken_pipe)?);
        let mut incoming = lock(&self.0.incoming);
        if self.0.waiting.load(Ordering::Relaxed) == 0 {
            incoming.stop();
        }
        let is_claimed = incoming.is_claimed;
        match incoming.message() {
            Ok(Slot::Free) if !is_claimed => {}
            Ok(_) => return Err(busy()),
            Err(error) => return Err(broken_pipe(error)),
        }
        self.0.has_sent.store(true, Ordering::Relaxed);
        let is_left = is_nonblocking || self.0.recv_timeout.get().is_some();
        incoming.start_transact(&self.0.file, request, room.max(1), is_left)?;
        // What is wrong with the request shows at once, and is not what a later call is to find.
        match incoming.message() {
            Err(error) if has_code(&error, ERROR_PIPE_BUSY) => Err(busy()),
            Err(error) => Err(broken_pipe(error)),
            Ok(_) => {
                incoming.is_claimed = true;
                Ok(())
            }
        }
    }

    /// To be called after [`start_transaction`](Self::start_transaction).
    pub(crate) fn claim(&self) -> Claim<'_> {
        Claim(&self.0.incoming)
    }

    /// Waits until no write is in flight, or does not, and looks at what came of the last.
    fn settled(&self, wait: Option<Deadline>) -> io::Result<MutexGuard<'_, Outgoing>> {
        loop {
            let mut outgoing = lock(&self.0.outgoing);
            match outgoing.settle() {
                Slot::Free | Slot::Done(Ok(_)) => return Ok(outgoing),
                Slot::Done(Err(error)) => return Err(error),
                Slot::InFlight => {
                    let deadline = wait.ok_or_else(would_block)?;
                    let waiter = outgoing.op.as_ref().map(Op::waiter);
                    drop(outgoing);
                    if waiter.is_some_and(|waiter| !waiter.wait(deadline)) {
                        return Err(timed_out());
                    }
                }
            }
        }
    }

    /// Pipes have no such call. Small buffers are copied together, else the first that is not empty is used.
    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bufs = bufs.iter().filter(|buf| !buf.is_empty());
        let Some(first) = bufs.next() else { return Ok(0) };
        if first.len() >= MAX_OWNED {
            return self.send(first);
        }
        let Some(second) = bufs.next() else { return self.send(first) };
        let mut together = first.to_vec();
        for buf in std::iter::once(second).chain(bufs) {
            let room = MAX_OWNED - together.len();
            together.extend_from_slice(&buf[..buf.len().min(room)]);
        }
        self.send(&together)
    }

    /// Waits until no write is in flight, so that all that was sent is with the system and outlives this
    /// process, and looks at what came of the last. A deadline is that of sending.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let wait = (!self.is_nonblocking_now()).then(|| self.0.send_timeout.deadline());
        self.settled(wait).map(drop).map_err(|error| self.broken(error))
    }

    /// Ends one direction of a socket, or both. What is on its way is sent before.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if self.socket().is_none() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a named pipe cannot end one direction"));
        }
        if how != Shutdown::Read {
            match self.flush() {
                // There is nothing left to send.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                result => result?,
            }
        }
        unix_socket::shut_down(self.as_handle(), how)
    }

    /// Ends sending by a socket when nothing is on its way any more, and does not wait for that. A pipe has no such end.
    #[cfg(feature = "async")]
    pub(crate) fn end_when_sent(&self) {
        /// Woken when a write has completed.
        struct Ending(Stream);

        impl Wake for Ending {
            fn wake(self: Arc<Self>) {
                self.0.end_when_sent();
            }
        }

        if self.socket().is_none() {
            return;
        }
        loop {
            match self.settled(None) {
                Err(error) if is_wait_over(&error) => {}
                // What was not sent makes no difference to the end. Should that fail, it has ended already.
                _settled => return drop(unix_socket::shut_down(self.as_handle(), Shutdown::Write)),
            }
            let signal = signal_of_pending(lock(&self.0.outgoing).op.as_ref());
            if let Some(signal) = signal {
                return signal.wake_once(Arc::new(Ending(self.share())).into());
            }
        }
    }

    pub(crate) fn is_peer_gone(&self) -> io::Result<bool> {
        if self.socket().is_some() {
            return unix_socket::is_peer_gone(self.as_handle());
        }
        match named_pipe::information(self.as_handle()) {
            // A client that was disconnected cannot even be asked.
            Err(error) if is_peer_gone_error(&error) => Ok(true),
            result => Ok(!named_pipe::is_connected(&result?)),
        }
    }

    /// Waits until the peer has read everything.
    ///
    /// When the peer leaves, the system forgets whether it had read everything. So if it is gone before this
    /// is called, that is taken for not having read, unless nothing was sent since the last time.
    pub(crate) fn drain(&self, deadline: Deadline) -> io::Result<()> {
        self.drain_or_fail(deadline).map_err(broken_pipe)
    }

    fn drain_or_fail(&self, deadline: Deadline) -> io::Result<()> {
        if self.socket().is_some() {
            let why = "of a socket, this system does not tell what the peer has read";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        self.check_overlapped(deadline.remaining().is_some())?;
        drop(self.settled(Some(deadline))?);
        let had_sent = self.0.has_sent.swap(false, Ordering::Relaxed);
        match flush(&self.0.file, deadline) {
            Err(error) if !had_sent && is_peer_gone_error(&error) => Ok(()),
            Err(error) => {
                self.0.has_sent.fetch_or(had_sent, Ordering::Relaxed);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// The failure of a write that `send` did not wait for.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(match lock(&self.0.outgoing).settle() {
            Slot::Done(Err(error)) => Some(self.broken(error)),
            _ => None,
        })
    }

    /// A handle that makes every call wait, and wait for the others, can have neither timeouts nor a
    /// nonblocking mode.
    fn check_overlapped(&self, is_needed: bool) -> io::Result<()> {
        if is_needed && self.0.is_synchronous {
            let why = "the handle was opened without FILE_FLAG_OVERLAPPED";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        Ok(())
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.check_overlapped(nonblocking)?;
        self.0.is_nonblocking.store(nonblocking, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn is_nonblocking(&self) -> io::Result<bool> {
        Ok(self.is_nonblocking_now())
    }

    pub(crate) fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.check_overlapped(timeout.is_some())?;
        self.0.recv_timeout.set(timeout)
    }

    pub(crate) fn recv_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.0.recv_timeout.get())
    }

    pub(crate) fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.check_overlapped(timeout.is_some())?;
        self.0.send_timeout.set(timeout)
    }

    pub(crate) fn send_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.0.send_timeout.get())
    }

    /// The same stream once more.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// Whether both are the same stream.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Takes what was sent so far for read by the peer.
    pub(crate) fn assume_drained(&self) {
        self.0.has_sent.store(false, Ordering::Relaxed);
    }

    /// The reverse.
    pub(crate) fn assume_sent(&self) {
        self.0.has_sent.store(true, Ordering::Relaxed);
    }

    pub(crate) fn peer_creds(&self) -> io::Result<PeerCreds> {
        if self.socket().is_some() {
            return unix_socket::peer_creds(self.as_handle());
        }
        let is_server = named_pipe::is_server(&named_pipe::information(self.as_handle())?);
        // Of its clients, wherever they are, a server learns from its own system.
        if !is_server && self.0.is_remote {
            let why = "what another machine says about the owner of a pipe counts for nothing";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        PeerCreds::of(self.as_handle(), is_server)
    }

    /// Whether the pipe is owned by our user, or by somebody who could do all that our user can anyway.
    /// What another host says about that counts for nothing.
    pub(crate) fn server_is_ours(&self) -> io::Result<bool> {
        if let Some(server) = self.socket() {
            return server.server_is_ours(self.as_handle());
        }
        if self.0.is_remote {
            return Ok(false);
        }
        let owner = owner_of(self.as_handle())?;
        is_ours(&owner)
    }

    /// Whether a call that was `WouldBlock` is worth another try; if not, has the task woken when it is.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        let signal = match interest {
            Interest::Read => lock(&self.0.incoming).signal_of_pending(),
            Interest::Write => signal_of_pending(lock(&self.0.outgoing).op.as_ref()),
        };
        // No lock is held, since a waker may run anything.
        match signal {
            Some(signal) => {
                signal.wake(cx.waker());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

/// What an operation sets when it completes, if that is yet to come. To be called under its lock, so that it
/// stays the same operation.
#[cfg(feature = "async")]
pub(super) fn signal_of_pending(op: Option<&Op>) -> Option<Arc<Signal>> {
    let op = op.filter(|op| !op.is_done())?;
    // The status is written before the event is set, so it may be set for an earlier operation still, and
    // would wake the task again and again. If this one completes now, the event has to stay set for all who
    // wait for it; if it does later, it is set later.
    op.signal().event().reset();
    if op.is_done() {
        op.signal().event().set();
        return None;
    }
    Some(Arc::clone(op.signal()))
}

/// Waits until the other end has read everything. That call of the system knows no deadline, so another
/// thread makes it.
fn flush(file: &Arc<File>, deadline: Deadline) -> io::Result<()> {
    /// How long a thread that was told to stop is given to do so before it is told again: it may not have
    /// begun.
    const PATIENCE: Duration = Duration::from_millis(5);

    if deadline.remaining().is_none() {
        return flush_to_peer(file.as_handle());
    }
    let theirs = Arc::clone(file);
    let thread = thread::Builder::new().spawn(move || flush_to_peer(theirs.as_handle()))?;
    if !wait_for(thread.as_handle(), deadline) {
        while !wait_for(thread.as_handle(), Deadline::after(PATIENCE)) {
            // SAFETY: the thread's handle is open, and the thread does nothing but what is to be cancelled.
            unsafe { CancelSynchronousIo(thread.as_raw_handle()) };
        }
    }
    match thread.join() {
        Ok(Err(error)) if is_aborted(&error) => Err(timed_out()),
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Waits until the other end has read everything, if it is there. If it leaves while one waits, the system
/// says so; if it has left before, the system calls that success.
fn flush_to_peer(pipe: BorrowedHandle<'_>) -> io::Result<()> {
    if !named_pipe::is_connected(&named_pipe::information(pipe)?) {
        return Err(overlapped::os_error(ERROR_NO_DATA));
    }
    named_pipe::flush(pipe)
}

/// Neither waits nor loses what was sent: a write in flight goes on, and the connection is closed when it is
/// done.
impl Drop for Pipe {
    fn drop(&mut self) {
        let outgoing = self.outgoing.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(op) = outgoing.op.take() {
            op.finish_in_background();
        }
    }
}

impl AsHandle for Stream {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.file.as_handle()
    }
}

impl Stream {
    /// One end of a pipe, which is received from in that mode.
    ///
    /// # Errors
    /// It cannot be set to that mode. The handle is given back.
    pub(crate) fn from_handle(
        file: OwnedHandle,
        recv_mode: Option<PipeMode>,
    ) -> Result<Self, (io::Error, OwnedHandle)> {
        // Whoever had it may have left it in a mode in which reading nothing looks like the end, and in which writing does not wait.
        let is_set = named_pipe::set_recv_mode(file.as_handle(), recv_mode);
        let look = |()| {
            Ok((named_pipe::is_synchronous(file.as_handle())?, named_pipe::is_remote(file.as_handle())?))
        };
        let (is_synchronous, is_remote) = match is_set.and_then(look) {
            Ok(seen) => seen,
            Err(error) => return Err((error, file)),
        };
        let mut pipe = Pipe::new(Arc::new(file.into()), false);
        (pipe.is_synchronous, pipe.is_remote) = (is_synchronous, is_remote);
        Ok(Self(Arc::new(pipe)))
    }
}

/// Bytes that the stream has read ahead are lost: see `set_nonblocking`.
impl From<Stream> for OwnedHandle {
    fn from(stream: Stream) -> Self {
        let file = Arc::clone(&stream.0.file);
        // If this was the last clone, that ends what is in flight.
        drop(stream);
        file.into_handle().expect("a process that may have 16 million handles cannot have one more")
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "async")]
    use super::super::tests::send_all;
    use super::{
        super::tests::{connect, listen, long, message_pipe, unique_name},
        *,
    };

    #[test]
    fn messages_of_zero_bytes_do_not_make_up_for_a_deadline_that_has_passed() {
        let (server, client) = message_pipe();
        for _ in 0..3 {
            overlapped::write(server.as_handle(), &[]).unwrap();
        }
        overlapped::write(server.as_handle(), b"x").unwrap();
        let client = Stream::new(Arc::try_unwrap(client).unwrap(), false);
        client.set_recv_timeout(Some(Duration::from_nanos(1))).unwrap();
        let mut buf = [0; 8];
        for _ in 0..3 {
            assert_eq!(client.recv(&mut buf).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(client.recv(&mut buf).unwrap(), 1);
    }

    #[test]
    fn what_another_host_says_about_itself_counts_for_nothing() {
        let name = unique_name();
        let listener = listen(&name);
        let mut client = connect(&name);
        let server = listener.accept(long(), false).unwrap();
        assert!(client.server_is_ours().unwrap());
        assert!(!Arc::get_mut(&mut client.0).unwrap().is_remote);
        Arc::get_mut(&mut client.0).unwrap().is_remote = true;
        assert!(!client.server_is_ours().unwrap());
        assert_eq!(client.peer_creds().unwrap_err().kind(), io::ErrorKind::Unsupported);
        drop(server);
    }

    #[cfg(feature = "async")]
    #[test]
    fn an_event_that_was_set_for_something_else_does_not_wake_a_task() {
        use std::{sync::mpsc, task::Wake};

        struct Woken(mpsc::Sender<()>);

        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                let _ = self.0.send(());
            }
        }

        const SOON: Duration = Duration::from_millis(30);
        const LONG: Duration = Duration::from_secs(20);

        let name = unique_name();
        let listener = listen(&name);
        let client = connect(&name);
        let server = listener.accept(long(), true).unwrap();
        let (sender, woken) = mpsc::channel();
        let waker = Arc::new(Woken(sender)).into();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..20 {
            assert_eq!(server.recv(&mut [0; 9]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            let signal = Arc::clone(lock(&server.0.incoming).op.as_ref().unwrap().signal());
            signal.event().set();
            assert!(server.poll_ready(Interest::Read, &mut cx).is_pending());
            woken.recv_timeout(SOON).expect_err("woken though nothing is there");
            // Another that waits for the same is not forgotten.
            thread::scope(|scope| {
                let waiter = lock(&server.0.incoming).op.as_ref().unwrap().waiter();
                let blocked = scope.spawn(move || waiter.wait(long()));
                scope.spawn(|| send_all(&client, b"x"));
                while server.poll_ready(Interest::Read, &mut cx).is_pending() {
                    woken.recv_timeout(LONG).unwrap();
                }
                assert!(blocked.join().unwrap());
            });
            assert_eq!(server.recv(&mut [0; 9]).unwrap(), 1);
            while woken.try_recv().is_ok() {}
        }
    }
}
