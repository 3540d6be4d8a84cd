//! Sockets of the Unix domain, which Windows has since version 1803 of Windows 10.
//!
//! A connection is a [`Stream`](super::stream::Stream) like that of a pipe: a socket is a file to the kernel, and
//! `ReadFile`, `WriteFile` and `CancelIoEx` do with it what they do with a pipe. Here is what is different: the listener;
//! who the peer is; and how a connection ends. The name, which is a file, is in [`name_file`](super::name_file).

use super::{
    creds::PeerCreds,
    name_file::{Found, NameFile},
    overlapped::{File, Op, Signal, as_raw_socket, as_socket, has_code, is_aborted},
    security::{self, is_ours, owner_of},
    stream::Stream,
};
#[cfg(feature = "async")]
use crate::runtime::Interest;
use crate::{
    deadline::Deadline,
    error::{about, about_as},
    local_socket::{ListenerOptions, Name},
};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    ffi::OsStr,
    io,
    net::Shutdown,
    os::windows::io::{
        AsHandle, AsRawHandle, AsRawSocket, AsSocket, BorrowedHandle, BorrowedSocket, FromRawSocket,
        OwnedSocket,
    },
    path::{Path, PathBuf},
    ptr::{null, null_mut},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{Relaxed, SeqCst},
        },
    },
};
use windows_sys::Win32::{
    Foundation::{ERROR_CONNECTION_ABORTED, ERROR_GRACEFUL_DISCONNECT, ERROR_NETNAME_DELETED},
    Networking::WinSock::{
        AF_UNIX, INVALID_SOCKET, POLLERR, POLLHUP, POLLRDNORM, SD_BOTH, SD_RECEIVE, SD_SEND,
        SIO_AF_UNIX_GETPEERPID, SO_UPDATE_ACCEPT_CONTEXT, SOCK_STREAM, SOCKADDR_UN, SOCKET, SOL_SOCKET,
        WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED, WSADATA, WSAEAFNOSUPPORT, WSAECONNABORTED,
        WSAECONNRESET, WSAEDISCON, WSAEPROTONOSUPPORT, WSAESHUTDOWN, WSAESOCKTNOSUPPORT, WSAIoctl, WSAPOLLFD,
        WSAPoll, WSASocketW, WSAStartup, bind, connect, listen, setsockopt, shutdown,
    },
    Storage::FileSystem::{FILE_READ_ATTRIBUTES, READ_CONTROL},
    System::IO::CancelIoEx,
};

/// What a call says that gives 0, or a negative number for a failure.
pub(super) fn result(code: i32) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn is(error: &io::Error, code: i32) -> bool {
    error.raw_os_error() == Some(code)
}

pub(super) fn raw(socket: BorrowedSocket<'_>) -> SOCKET {
    as_socket(socket.as_raw_socket())
}

/// The socket that a handle is.
pub(crate) fn of_handle(handle: BorrowedHandle<'_>) -> BorrowedSocket<'_> {
    let socket = as_raw_socket(handle.as_raw_handle().expose_provenance());
    // SAFETY: the handle is open for as long as it is borrowed. Should it be no socket, the functions for sockets say
    // so.
    unsafe { BorrowedSocket::borrow_raw(socket) }
}

/// Has the system get ready for sockets, once.
fn start() -> io::Result<()> {
    /// Of the functions that are used here.
    const VERSION: u16 = 0x0202;
    static STARTED: OnceLock<i32> = OnceLock::new();

    // It is never undone: sockets may be in use until the process ends.
    // SAFETY: the structure outlives the call.
    match *STARTED.get_or_init(|| unsafe { WSAStartup(VERSION, &mut WSADATA::default()) }) {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// A stream socket of the Unix domain.
pub(super) fn new() -> io::Result<OwnedSocket> {
    of_family(AF_UNIX, 0, "sockets of the Unix domain")
}

/// A stream socket, overlapped, which no child inherits. The system may not know the family, which is called `what`.
pub(super) fn of_family(family: u16, protocol: i32, what: &str) -> io::Result<OwnedSocket> {
    start()?;
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: null leaves the choice of the provider to the system.
    let socket = unsafe { WSASocketW(family.into(), SOCK_STREAM, protocol, null(), 0, flags) };
    if socket == INVALID_SOCKET {
        let error = io::Error::last_os_error();
        let unsupported = [WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTONOSUPPORT];
        if unsupported.iter().any(|&code| is(&error, code)) {
            return Err(about_as(io::ErrorKind::Unsupported, format!("this system has no {what}"), error));
        }
        return Err(error);
    }
    // SAFETY: WSASocketW succeeded, so the socket is open and ours.
    Ok(unsafe { OwnedSocket::from_raw_socket(as_raw_socket(socket)) })
}

/// Whether this system has sockets of the Unix domain.
pub(crate) fn is_supported() -> bool {
    static SUPPORTED: OnceLock<bool> = OnceLock::new();

    // Of something else the system may have run out for the moment.
    *SUPPORTED.get_or_init(|| !new().is_err_and(|error| error.kind() == io::ErrorKind::Unsupported))
}

/// The address of a socket file.
#[derive(Copy, Clone)]
pub(crate) struct Address(SOCKADDR_UN);

impl Address {
    /// How many bytes of UTF-8 the path may have, without the NUL that ends it.
    pub(crate) const MAX_LEN: usize = SOCKADDR_UN { sun_family: 0, sun_path: [0; 108] }.sun_path.len() - 1;

    /// For the system, which ends the path at the first NUL.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it is 110 bytes")]
    const SIZE: i32 = size_of::<SOCKADDR_UN>() as i32;

    pub(crate) fn new(path: &OsStr) -> io::Result<Self> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
        let path = path.to_str().ok_or_else(|| invalid("it is not Unicode, as a socket's path has to be"))?;
        if path.is_empty() || path.contains('\0') {
            return Err(invalid("a socket's path must not be empty or contain NUL"));
        }
        let (len, max) = (path.len(), Self::MAX_LEN);
        if len > max {
            let why = format!("it is {len} bytes long as UTF-8, but at most {max} are possible");
            return Err(invalid(&why));
        }
        let mut address = SOCKADDR_UN { sun_family: AF_UNIX, ..SOCKADDR_UN::default() };
        for (unit, &byte) in address.sun_path.iter_mut().zip(path.as_bytes()) {
            *unit = i8::from_ne_bytes([byte]);
        }
        Ok(Self(address))
    }

    pub(super) fn bind(&self, socket: &OwnedSocket) -> io::Result<()> {
        // SAFETY: the address has that size and outlives the call.
        result(unsafe { bind(raw(socket.as_socket()), (&raw const self.0).cast(), Self::SIZE) })
    }

    fn connect(&self, socket: &OwnedSocket) -> io::Result<()> {
        // SAFETY: the address has that size and outlives the call.
        result(unsafe { connect(raw(socket.as_socket()), (&raw const self.0).cast(), Self::SIZE) })
    }

    /// Whether nobody listens there, as far as one can tell by connecting. A listener that lives gets a client that leaves at
    /// once.
    pub(super) fn is_refused(&self) -> io::Result<bool> {
        // Anything else, such as a lack of permission, does not prove it.
        Ok(self.connect(&new()?).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
    }
}

/// Connects, which does not wait: a listener whose queue is full refuses.
///
/// # Errors
/// As on Unix: `NotFound` if nothing is there, `ConnectionRefused` if nobody listens, or it is no socket.
pub(crate) fn connect_to(path: &OsStr, is_nonblocking: bool) -> io::Result<Stream> {
    let address = Address::new(path)?;
    let socket = new()?;
    if let Err(error) = address.connect(&socket) {
        return Err(explain_connecting(Path::new(path), error));
    }
    let server = std::path::absolute(path)?;
    Ok(Stream::of_socket(Arc::new(socket.into()), Peer { server: Some(server) }, is_nonblocking))
}

/// The system's codes do not tell a name that is not there from one that nobody listens on.
fn explain_connecting(path: &Path, error: io::Error) -> io::Error {
    match Found::at(path, FILE_READ_ATTRIBUTES) {
        Ok(None) if error.kind() != io::ErrorKind::PermissionDenied => {
            io::Error::new(io::ErrorKind::NotFound, error)
        }
        Ok(Some(found)) => match found.other_than_socket() {
            Ok(Some(other)) => {
                let why = format!("{other} is at that path");
                io::Error::new(io::ErrorKind::ConnectionRefused, about(why, error))
            }
            _ => error,
        },
        _ => error,
    }
}

/// What is known about the other end of a socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// The path of the server, if that is the other end.
    server: Option<PathBuf>,
}

impl Peer {
    /// Whether the process at the other end runs as our user, or as the system; and the file, too, is owned by our user,
    /// or by somebody who could do all that our user can. To have both takes more than the number of a process that has
    /// ended, and more than a file that was moved there.
    pub(crate) fn server_is_ours(&self, handle: BorrowedHandle<'_>) -> io::Result<bool> {
        let Some(path) = &self.server else { return Ok(false) };
        let process = security::client_of_process(pid(handle)?)?;
        let Some(file) = Found::at(path, READ_CONTROL | FILE_READ_ATTRIBUTES)? else { return Ok(false) };
        Ok(is_ours(&process.user)?
            && file.other_than_socket()?.is_none()
            && is_ours(&owner_of(file.as_handle())?)?)
    }
}

/// Who is at the other end, by the number of its process: the system knows no more. So all of it is a hint, since the
/// process may have ended, and another have its number.
pub(crate) fn peer_creds(handle: BorrowedHandle<'_>) -> io::Result<PeerCreds> {
    PeerCreds::of_process(pid(handle)?)
}

/// The number of the process at the other end.
fn pid(handle: BorrowedHandle<'_>) -> io::Result<u32> {
    const LEN: u32 = u32::BITS / u8::BITS;
    let (mut pid, mut returned) = (0_u32, 0);
    // SAFETY: `pid` has as many bytes as is said, and what is pointed to outlives the call. (How many bytes were returned
    // the system does not tell: it says 0.)
    result(unsafe {
        WSAIoctl(
            raw(of_handle(handle)),
            SIO_AF_UNIX_GETPEERPID,
            null(),
            0,
            (&raw mut pid).cast(),
            LEN,
            &raw mut returned,
            null_mut(),
            None,
        )
    })?;
    Ok(pid)
}

/// Whether the peer is gone, or has shut down its sending direction, which looks the same.
pub(crate) fn is_peer_gone(handle: BorrowedHandle<'_>) -> io::Result<bool> {
    let mut poll = WSAPOLLFD { fd: raw(of_handle(handle)), events: POLLRDNORM, revents: 0 };
    // SAFETY: there is one such structure, which outlives the call. It does not wait.
    if unsafe { WSAPoll(&raw mut poll, 1, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(poll.revents & (POLLHUP | POLLERR) != 0)
}

/// Ends one direction, or both.
pub(crate) fn shut_down(handle: BorrowedHandle<'_>, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => SD_RECEIVE,
        Shutdown::Write => SD_SEND,
        Shutdown::Both => SD_BOTH,
    };
    // SAFETY: it takes numbers only.
    match result(unsafe { shutdown(raw(of_handle(handle)), how) }) {
        // As on Unix.
        Err(error) if is_peer_gone_error(&error) => {
            return Err(io::Error::new(io::ErrorKind::NotConnected, error));
        }
        result => result?,
    }
    if how == SD_BOTH {
        // Wakes those who wait. A call that is cancelled is made anew, and finds the end. With one direction that cannot
        // be done, since it would tear what goes on in the other.
        // SAFETY: the handle is open; null stands for all operations, which stay their owners'.
        unsafe { CancelIoEx(handle.as_raw_handle(), null()) };
    }
    Ok(())
}

/// Whether this is the error of an operation on a socket whose other end is gone, or whose direction was shut down here.
///
/// `ReadFile` and `WriteFile` report the kernel's status by the general table of errors, and not by that of sockets. A
/// connection that was reset, or that either end has cut, is `ERROR_NETNAME_DELETED` there; one that was aborted here is
/// `ERROR_CONNECTION_ABORTED`; and one that was shut down is `ERROR_PIPE_NOT_CONNECTED`, as for a pipe.
pub(crate) fn is_peer_gone_error(error: &io::Error) -> bool {
    [ERROR_NETNAME_DELETED, ERROR_CONNECTION_ABORTED, ERROR_GRACEFUL_DISCONNECT]
        .iter()
        .any(|&code| has_code(error, code))
        || [WSAECONNRESET, WSAECONNABORTED, WSAESHUTDOWN, WSAEDISCON].iter().any(|&code| is(error, code))
}

/// Has a socket listen that is bound, with so many clients in its queue.
pub(super) fn start_listening(socket: &OwnedSocket, backlog: i32) -> io::Result<()> {
    // SAFETY: it takes numbers only. The greatest number is as many as the system has room for.
    result(unsafe { listen(raw(socket.as_socket()), backlog) })
}

/// A socket that listens, of whatever family.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Before the socket, so that who finds the name does not find it dead. Only sockets of the Unix domain have one.
    file: Option<NameFile>,
    armed: Mutex<Armed>,
    socket: Arc<File>,
    /// Makes one of the same sort.
    make_socket: fn() -> io::Result<OwnedSocket>,
    /// Set when there is a client, and when the listener is stopped.
    ready: Arc<Signal>,
    is_nonblocking: AtomicBool,
    is_stopped: AtomicBool,
}

/// What waits for the next client. Those after it wait in the queue of the system.
#[derive(Debug)]
struct Armed {
    /// Before the socket, which has to be open until it is done.
    op: Op,
    /// What is going to be our end; `None` if it could not be made.
    socket: Option<OwnedSocket>,
}

impl Listener {
    pub(crate) fn bind(name: &Name<'_>, options: &ListenerOptions<'_>) -> io::Result<Self> {
        let (socket, mut file) = NameFile::bind(Path::new(name.as_os_str()), options)?;
        let backlog = options.backlog.map_or(i32::MAX, |max| i32::try_from(max).unwrap_or(i32::MAX));
        start_listening(&socket, backlog)?;
        if !options.reclaim_name {
            file.keep();
        }
        Self::new(socket, new, Some(file))
    }

    /// From a socket that listens.
    pub(super) fn new(
        socket: OwnedSocket,
        make_socket: fn() -> io::Result<OwnedSocket>,
        file: Option<NameFile>,
    ) -> io::Result<Self> {
        let (socket, ready) = (Arc::new(File::from(socket)), Signal::new()?);
        let op = Op::new(Arc::clone(&socket), Arc::clone(&ready));
        let listener = Self {
            file,
            armed: Mutex::new(Armed { op, socket: None }),
            socket,
            make_socket,
            ready,
            is_nonblocking: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        };
        listener.look_again(&listener.lock());
        Ok(listener)
    }

    fn lock(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a client that is there.
    fn claim(&self) -> io::Result<Option<OwnedSocket>> {
        let mut armed = self.lock();
        self.ready.event().reset();
        let claimed = self.claim_from(&mut armed);
        self.look_again(&armed);
        claimed
    }

    fn claim_from(&self, armed: &mut Armed) -> io::Result<Option<OwnedSocket>> {
        while armed.op.is_done() {
            let client = armed.socket.take().map(|socket| (socket, armed.op.result()));
            let next = self.arm(armed);
            match client {
                Some((socket, Ok(_))) => {
                    // Without this, the system does not let one end a direction of it.
                    self.tell_where_it_is_from(&socket)?;
                    return Ok(Some(socket));
                }
                // The thread that started it has ended; or the client is gone before we came.
                Some((_, Err(error))) if is_aborted(&error) || is_peer_gone_error(&error) => next?,
                Some((_, Err(error))) => return Err(error),
                None => next?,
            }
        }
        Ok(None)
    }

    /// Starts waiting for the next client. What fails is tried again with the next call.
    fn arm(&self, armed: &mut Armed) -> io::Result<()> {
        let socket = (self.make_socket)()?;
        armed.op.start_accept(socket.as_socket());
        armed.socket = Some(socket);
        Ok(())
    }

    /// Whether `accept` has something to do. To be called after an operation was started or `ready` was reset: both may have
    /// wiped out that it is done.
    fn look_again(&self, armed: &Armed) -> bool {
        let is_ready = self.is_stopped() || armed.op.is_done();
        if is_ready {
            self.ready.event().set();
        }
        is_ready
    }

    /// The socket that listens.
    pub(crate) fn as_handle(&self) -> BorrowedHandle<'_> {
        self.socket.as_handle()
    }

    fn tell_where_it_is_from(&self, socket: &OwnedSocket) -> io::Result<()> {
        let listener: SOCKET = raw(of_handle(self.socket.as_handle()));
        let len = size_of::<SOCKET>().try_into().expect("it is that of a pointer");
        let socket = raw(socket.as_socket());
        // SAFETY: the option is a socket, which has that size and outlives the call.
        result(unsafe {
            setsockopt(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (&raw const listener).cast(), len)
        })
    }

    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Stream> {
        loop {
            if self.is_stopped() {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the listener was stopped"));
            }
            if let Some(socket) = self.claim()? {
                return Ok(Stream::of_socket(Arc::new(socket.into()), Peer::default(), nonblocking_stream));
            }
            if self.is_nonblocking.load(Relaxed) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if !self.ready.event().wait(deadline) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    pub(crate) fn set_accept_nonblocking(&self, nonblocking: bool) {
        self.is_nonblocking.store(nonblocking, Relaxed);
    }

    /// Wakes all who wait in `accept`, which from then on is an error.
    pub(crate) fn stop(&self) {
        // In this order, since `look_again` does the opposite.
        self.is_stopped.store(true, SeqCst);
        self.ready.event().set();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(SeqCst)
    }

    /// Whether `accept` is worth another try; if not, has the task woken when it is.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, _interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        let armed = self.lock();
        // It may be set for something else. Blocked calls that this concerns find it set again.
        self.ready.event().reset();
        if self.look_again(&armed) {
            return Poll::Ready(());
        }
        // Should there be a client now, the event is set. The lock must not be held, since a waker may run anything.
        drop(armed);
        self.ready.wake(cx.waker());
        Poll::Pending
    }

    pub(crate) fn keep_name(&mut self) {
        if let Some(file) = &mut self.file {
            file.keep();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ready.end();
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{overlapped::os_error, security::our_user},
        *,
    };
    #[cfg(feature = "async")]
    use std::sync::mpsc;
    use std::{
        net::{SocketAddr, TcpListener, TcpStream},
        process, thread,
        time::Duration,
    };
    use windows_sys::Win32::{
        Foundation::{
            GetHandleInformation, HANDLE_FLAG_INHERIT, NTSTATUS, RtlNtStatusToDosError,
            STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_DISCONNECTED, STATUS_CONNECTION_RESET,
            STATUS_GRACEFUL_DISCONNECT, STATUS_LOCAL_DISCONNECT, STATUS_PIPE_DISCONNECTED,
            STATUS_REMOTE_DISCONNECT,
        },
        Networking::WinSock::{AF_INET, WSAENETDOWN, recv},
    };

    const SOON: Duration = Duration::from_millis(30);

    fn soon() -> Deadline {
        Deadline::after(SOON)
    }

    fn long() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    // What is said above of sockets holds for those of TCP as well, which Wine has.

    fn tcp_listener() -> (Listener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Listener::new(listener.into(), || of_family(AF_INET, 0, "TCP"), None).unwrap(), address)
    }

    fn stream(socket: impl Into<OwnedSocket>, is_nonblocking: bool) -> Stream {
        Stream::of_socket(Arc::new(socket.into().into()), Peer::default(), is_nonblocking)
    }

    /// Two ends of a connection.
    fn pair() -> (Stream, Stream) {
        let (listener, address) = tcp_listener();
        let client = stream(TcpStream::connect(address).unwrap(), false);
        (listener.accept(long(), false).unwrap(), client)
    }

    fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
        result.map(drop).unwrap_err().kind()
    }

    fn send_all(stream: &Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[stream.send(bytes).unwrap()..];
        }
    }

    fn recv_to_end(stream: &Stream) -> Vec<u8> {
        let (mut all, mut buf) = (Vec::new(), vec![0; 50_000]);
        loop {
            match stream.recv(&mut buf) {
                Ok(0) => return all,
                Ok(len) => all.extend_from_slice(&buf[..len]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_direction_of_a_socket_ends_alone() {
        for is_nonblocking in [false, true] {
            let (server, client) = pair();
            server.set_nonblocking(is_nonblocking).unwrap();
            send_all(&client, b"question");
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(recv_to_end(&server), b"question");
            // It stays at its end.
            assert_eq!((server.recv(&mut [0; 9]).unwrap(), server.peek(&mut [0; 9]).unwrap()), (0, 0));
            assert_eq!(kind(client.send(b"x")), io::ErrorKind::BrokenPipe);
            send_all(&server, b"answer");
            server.flush().unwrap();
            drop(server);
            assert_eq!(recv_to_end(&client), b"answer");
        }
    }

    #[cfg(feature = "async")]
    #[test]
    fn sending_ends_after_what_is_on_its_way_though_nobody_waits_for_that() {
        let (server, client) = pair();
        server.set_recv_timeout(Some(Duration::from_secs(20))).unwrap();
        client.set_nonblocking(true).unwrap();
        let (data, mut sent) = (vec![7; 1 << 20], 0);
        let error = loop {
            match client.send(&data) {
                Ok(len) => sent += len,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        client.end_when_sent();
        assert_eq!(recv_to_end(&server).len(), sent);
        assert_eq!(kind(client.send(b"x")), io::ErrorKind::BrokenPipe);
        // Once more is no harm, and the other direction goes on.
        client.end_when_sent();
        client.set_nonblocking(false).unwrap();
        send_all(&server, b"answer");
        drop(server);
        assert_eq!(recv_to_end(&client), b"answer");
    }

    #[test]
    fn what_was_sent_to_a_socket_arrives_before_the_end_whoever_waits() {
        const LEN: usize = 3_000_000;
        for is_nonblocking in [false, true] {
            let (server, client) = pair();
            server.set_nonblocking(is_nonblocking).unwrap();
            client.set_nonblocking(is_nonblocking).unwrap();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let data: Vec<u8> = (0..LEN).map(|at| (at % 251).to_le_bytes()[0]).collect();
                    let mut left = &data[..];
                    while !left.is_empty() {
                        match client.send(left) {
                            Ok(len) => left = &left[len..],
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                    // What is on its way outlives the stream.
                    drop(client);
                });
                let received = recv_to_end(&server);
                assert_eq!(received.len(), LEN);
                assert!(received.iter().enumerate().all(|(at, &byte)| usize::from(byte) == at % 251));
            });
        }
    }

    #[test]
    fn a_socket_has_timeouts_and_a_nonblocking_mode() {
        let (server, client) = pair();
        server.set_recv_timeout(Some(SOON)).unwrap();
        assert_eq!(kind(server.recv(&mut [0; 9])), io::ErrorKind::TimedOut);
        assert_eq!(kind(server.peek(&mut [0; 9])), io::ErrorKind::TimedOut);
        server.set_nonblocking(true).unwrap();
        assert_eq!(kind(server.recv(&mut [0; 9])), io::ErrorKind::WouldBlock);
        assert_eq!(kind(server.peek(&mut [0; 9])), io::ErrorKind::WouldBlock);
        send_all(&client, b"bytes");
        server.set_nonblocking(false).unwrap();
        server.set_recv_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut buf = [0; 9];
        assert_eq!(server.peek(&mut buf).unwrap(), 5);
        assert_eq!(server.recv(&mut buf[..2]).unwrap(), 2);
        assert_eq!(server.peek(&mut buf).unwrap(), 3);
        assert_eq!((server.recv(&mut buf).unwrap(), &buf[..3]), (3, &b"tes"[..]));

        // Nobody reads, and there is an end to what the system takes.
        client.set_send_timeout(Some(SOON)).unwrap();
        let data = vec![0; 1 << 20];
        let error = (0..1000).find_map(|_| client.send(&data).err()).expect("it takes 1 GB");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(kind(client.drain(soon())), io::ErrorKind::Unsupported);
    }

    #[test]
    fn a_socket_whose_peer_is_gone_says_so() {
        let (server, client) = pair();
        assert!(!server.is_peer_gone().unwrap());
        drop(client);
        assert_eq!(server.recv(&mut [0; 9]).unwrap(), 0);
        assert!(server.is_peer_gone().unwrap());
        // The system takes a first one before it knows.
        let error = (0..1000).find_map(|_| server.send(b"x").err()).expect("it takes everything");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_peer_that_did_not_read_everything_makes_for_an_end_all_the_same() {
        let (server, client) = pair();
        send_all(&server, b"never read");
        client.peek(&mut [0; 1]).unwrap();
        drop(client);
        assert_eq!(server.recv(&mut [0; 9]).unwrap(), 0);
    }

    #[test]
    fn who_waits_for_bytes_sees_the_end_when_both_directions_are_ended_here() {
        for timeout in [None, Some(Duration::from_secs(20))] {
            let (server, _client) = pair();
            server.set_recv_timeout(timeout).unwrap();
            thread::scope(|scope| {
                let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| server.recv(&mut [0; 9]))).collect();
                thread::sleep(SOON);
                server.shutdown(Shutdown::Both).unwrap();
                for reader in readers {
                    assert_eq!(reader.join().unwrap().unwrap(), 0);
                }
            });
            assert_eq!(kind(server.send(b"x")), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn a_socket_is_closed_with_its_last_user_and_not_before() {
        let (server, client) = pair();
        let clone = client.share();
        drop(client);
        send_all(&clone, b"still there");
        drop(clone);
        assert_eq!(recv_to_end(&server), b"still there");
    }

    #[test]
    fn an_accepted_socket_blocks_and_is_not_inherited() {
        let (server, client) = pair();
        let mut flags = HANDLE_FLAG_INHERIT;
        // SAFETY: the handle is open, and `flags` outlives the call.
        assert_ne!(unsafe { GetHandleInformation(server.as_handle().as_raw_handle(), &raw mut flags) }, 0);
        assert_eq!(flags & HANDLE_FLAG_INHERIT, 0);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut buf = [0; 1];
                let flags = 0;
                // SAFETY: the buffer has that length, and outlives the call.
                unsafe { recv(raw(of_handle(server.as_handle())), buf.as_mut_ptr(), 1, flags) }
            });
            thread::sleep(SOON);
            send_all(&client, b"x");
            assert_eq!(reader.join().unwrap(), 1);
        });
    }

    #[test]
    fn accepting_waits_to_a_deadline_or_not_at_all() {
        let (listener, address) = tcp_listener();
        assert_eq!(kind(listener.accept(soon(), false)), io::ErrorKind::TimedOut);
        listener.set_accept_nonblocking(true);
        assert_eq!(kind(listener.accept(long(), false)), io::ErrorKind::WouldBlock);
        listener.set_accept_nonblocking(false);
        thread::scope(|scope| {
            let accepted = scope.spawn(|| listener.accept(long(), false));
            let client = stream(TcpStream::connect(address).unwrap(), false);
            send_all(&client, b"x");
            assert_eq!(accepted.join().unwrap().unwrap().recv(&mut [0; 9]).unwrap(), 1);
        });
    }

    #[test]
    fn no_client_is_forgotten_by_threads_that_accept() {
        const CLIENTS: usize = 60;
        let (listener, address) = tcp_listener();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..CLIENTS / 3 {
                        assert_eq!(listener.accept(long(), false).unwrap().recv(&mut [0; 9]).unwrap(), 1);
                    }
                });
            }
            for _ in 0..CLIENTS {
                send_all(&stream(TcpStream::connect(address).unwrap(), false), b"x");
            }
        });
    }

    #[test]
    fn stopping_wakes_all_who_accept_and_stays() {
        let (listener, _) = tcp_listener();
        thread::scope(|scope| {
            let waiting: Vec<_> =
                (0..3).map(|_| scope.spawn(|| kind(listener.accept(long(), false)))).collect();
            thread::sleep(SOON);
            listener.stop();
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), io::ErrorKind::BrokenPipe);
            }
        });
        assert!(listener.is_stopped());
        assert!(listener.claim().unwrap().is_none());
        assert!(listener.ready.event().wait(Deadline::after(Duration::ZERO)));
        assert_eq!(kind(listener.accept(long(), false)), io::ErrorKind::BrokenPipe);
    }

    #[cfg(feature = "async")]
    #[test]
    fn a_task_that_accepts_is_woken_by_each_client() {
        use std::task::Wake;

        struct Woken(mpsc::Sender<()>);

        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                let _ = self.0.send(());
            }
        }

        let (listener, address) = tcp_listener();
        listener.set_accept_nonblocking(true);
        let (sender, woken) = mpsc::channel();
        let waker = Arc::new(Woken(sender)).into();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..20 {
            assert_eq!(kind(listener.accept(long(), true)), io::ErrorKind::WouldBlock);
            assert!(listener.poll_ready(Interest::Read, &mut cx).is_pending());
            let clients = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
            let mut accepted = 0;
            while accepted < clients.len() {
                match listener.accept(long(), true) {
                    Ok(_) => accepted += 1,
                    Err(_) if listener.poll_ready(Interest::Read, &mut cx).is_ready() => {}
                    Err(_) => woken.recv_timeout(Duration::from_secs(20)).unwrap(),
                }
            }
            // A wake may have come late, but there is nothing to it any more.
            while listener.accept(long(), true).is_ok() {}
        }
    }

    #[test]
    fn who_a_process_runs_as_is_known_by_its_number() {
        let creds = PeerCreds::of_process(process::id()).unwrap();
        assert!(creds.is_same_user());
        assert_eq!((creds.pid(), creds.user()), (Some(process::id()), our_user().unwrap()));
        assert!(creds.session().is_some());
        assert!(PeerCreds::of_process(0).is_err());
    }

    #[test]
    fn an_address_is_the_path_in_utf_8_with_zeros_after_it() {
        let Address(address) = Address::new("C:\\\u{e4}\u{20ac}".as_ref()).unwrap();
        assert_eq!(address.sun_family, 1);
        let bytes = address.sun_path.map(|unit| u8::from_ne_bytes(unit.to_ne_bytes()));
        assert_eq!(&bytes[..8], b"C:\\\xc3\xa4\xe2\x82\xac");
        assert!(bytes[8..].iter().all(|&byte| byte == 0));
        assert_eq!(Address::SIZE, 110);
    }

    #[test]
    fn a_path_of_a_socket_is_limited_in_bytes_of_utf_8() {
        let longest = "x".repeat(Address::MAX_LEN);
        let Address(address) = Address::new(longest.as_ref()).unwrap();
        assert_eq!((address.sun_path[106] != 0, address.sun_path[107]), (true, 0));
        // 54 characters, but 108 bytes.
        for (bad, what) in
            [("x".repeat(108), "108 bytes"), ("\u{e4}".repeat(54), "at most 107"), ("a\0b".into(), "NUL")]
        {
            let error = Address::new(bad.as_ref()).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(what), "{error}");
        }
        let surrogate =
            <std::ffi::OsString as std::os::windows::ffi::OsStringExt>::from_wide(&[0x78, 0xd800]);
        assert_eq!(Address::new(&surrogate).map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(Address::new("".as_ref()).is_err());
    }

    #[test]
    fn the_end_of_a_connection_is_known_in_both_tables_of_errors() {
        let code = |status: NTSTATUS| {
            // SAFETY: no preconditions.
            os_error(unsafe { RtlNtStatusToDosError(status) })
        };
        for status in [
            STATUS_CONNECTION_RESET,
            STATUS_CONNECTION_ABORTED,
            STATUS_CONNECTION_DISCONNECTED,
            STATUS_REMOTE_DISCONNECT,
            STATUS_LOCAL_DISCONNECT,
            STATUS_GRACEFUL_DISCONNECT,
            STATUS_PIPE_DISCONNECTED,
        ] {
            let error = code(status);
            let is_end = is_peer_gone_error(&error) || super::super::named_pipe::is_peer_gone_error(&error);
            assert!(is_end, "{status:x}: {error}");
        }
        assert!(is_peer_gone_error(&io::Error::from_raw_os_error(WSAECONNRESET)));
        assert!(!is_peer_gone_error(&io::Error::from_raw_os_error(WSAENETDOWN)));
        assert!(!is_peer_gone_error(&io::ErrorKind::TimedOut.into()));
    }
}
