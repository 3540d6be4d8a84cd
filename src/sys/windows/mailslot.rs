//! Mailslots: whole messages in one direction, which the system keeps until they are read.
//!
//! A message that is there is read straight into the caller's room, after the system was asked how long it is. If
//! there is none, a read of the server's own is left in flight, and that is what callers and tasks wait for, each for
//! its own deadline. A read that is too small for the next message fails, and leaves the message where it is, so no
//! message is read in pieces or lost.
//!
//! The slot's own read timeout, which would belong to the slot and not to the call, is "for ever".

use super::{
    handle::make_inheritable,
    named_pipe::{PipePath, is_synchronous, nt_result, ntdll, object_attributes, unicode_string},
    overlapped::{File, has_code, is_aborted, read_whole},
    security::as_process,
    security_descriptor::SecurityDescriptor,
    stream::{Incoming, Slot, Timeout, lock},
};
use crate::{deadline::Deadline, error::about};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write},
    os::windows::{
        fs::OpenOptionsExt,
        io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    },
    ptr::null_mut,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use windows_sys::Win32::{
    Foundation::{
        ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_HANDLE_EOF, ERROR_INSUFFICIENT_BUFFER,
        ERROR_INVALID_PARAMETER, ERROR_SEM_TIMEOUT, GENERIC_READ,
    },
    Storage::FileSystem::{
        FILE_SHARE_READ, FILE_SHARE_WRITE, SECURITY_IDENTIFICATION, SYNCHRONIZE, WRITE_DAC,
    },
    System::{
        IO::IO_STATUS_BLOCK,
        Mailslots::{GetMailslotInfo, SetMailslotInfo},
        SystemServices::{MAILSLOT_NO_MESSAGE, MAILSLOT_WAIT_FOREVER},
    },
};

/// What paths of mailslots have where those of pipes have `pipe`.
const DEVICE: &str = "mailslot";

fn invalid_input(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Makes a mailslot, overlapped. `CreateMailslotW` would do so on Windows, but not on Wine.
///
/// # Errors
/// `AddrInUse` if there is a mailslot of that name already.
fn create(
    path: &PipePath,
    max_message_size: u32,
    security: &SecurityDescriptor,
    is_inheritable: bool,
) -> io::Result<OwnedHandle> {
    let name = unicode_string(&path.nt);
    let mut attributes = object_attributes(None, &name);
    attributes.SecurityDescriptor = security.as_ptr().cast();
    let read_timeout = -1;
    let (mut handle, mut status_block) = (null_mut(), IO_STATUS_BLOCK::default());
    // SAFETY: all that is pointed to is valid and outlives the call, and is only read, but for the handle and the
    // status. Without a flag among the options that makes the file synchronous, it is overlapped.
    let status = unsafe {
        ntdll::NtCreateMailslotFile(
            &raw mut handle,
            GENERIC_READ | SYNCHRONIZE | WRITE_DAC,
            &raw const attributes,
            &raw mut status_block,
            0,
            0,
            max_message_size,
            &raw const read_timeout,
        )
    };
    nt_result(status).map_err(|error| {
        if has_code(&error, ERROR_ALREADY_EXISTS) {
            return io::Error::new(io::ErrorKind::AddrInUse, error);
        }
        error
    })?;
    // SAFETY: it succeeded, so the handle is open and ours.
    let slot = unsafe { OwnedHandle::from_raw_handle(handle) };
    // Systems differ in which of the numbers above that is.
    wait_for_ever(slot.as_handle())?;
    if is_inheritable {
        make_inheritable(slot.as_handle())?;
    }
    Ok(slot)
}

/// What the system knows about a mailslot.
#[derive(Debug)]
struct Information {
    /// 0 if any message can be written.
    max_message_size: u32,
    next_len: Option<usize>,
    messages: usize,
    /// In milliseconds.
    read_timeout: u32,
}

/// # Errors
/// It is not the server's handle of a mailslot.
fn information(slot: BorrowedHandle<'_>) -> io::Result<Information> {
    let [mut max_message_size, mut next, mut messages, mut read_timeout] = [0; 4];
    // SAFETY: the handle is open, and all four outlive the call.
    let done = unsafe {
        GetMailslotInfo(
            slot.as_raw_handle(),
            &raw mut max_message_size,
            &raw mut next,
            &raw mut messages,
            &raw mut read_timeout,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Information {
        max_message_size,
        next_len: (next != MAILSLOT_NO_MESSAGE).then_some(next as usize),
        messages: messages as usize,
        read_timeout,
    })
}

/// Sees to it that no read ends because the slot says so.
fn wait_for_ever(slot: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open.
    if unsafe { SetMailslotInfo(slot.as_raw_handle(), MAILSLOT_WAIT_FOREVER) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The end that receives.
#[derive(Debug)]
pub(crate) struct Server {
    file: Arc<File>,
    pub(crate) path: Option<OsString>,
    /// 0 if any message can be written.
    pub(crate) max_message_size: u32,
    is_nonblocking: AtomicBool,
    recv_timeout: Timeout,
    /// A read that is for whoever comes next, and may be left in flight.
    incoming: Mutex<Incoming>,
}

impl Server {
    /// From an overlapped handle.
    fn new(file: OwnedHandle, max_message_size: u32) -> Self {
        Self {
            file: Arc::new(file.into()),
            path: None,
            max_message_size,
            is_nonblocking: AtomicBool::new(false),
            recv_timeout: Timeout::none(),
            incoming: Mutex::default(),
        }
    }

    pub(crate) fn create(
        path: &OsStr,
        max_message_size: u32,
        security: &SecurityDescriptor,
        is_inheritable: bool,
    ) -> io::Result<Self> {
        let path = PipePath::of(DEVICE, path)?;
        if !path.is_local() {
            return Err(invalid_input(r"to receive, it has to be of the form \\.\mailslot\NAME"));
        }
        // It belongs to the process's user, whoever the thread acts as.
        let file = as_process(|| create(&path, max_message_size, security, is_inheritable))?;
        Ok(Self { path: Some(path.to_os_string()), ..Self::new(file, max_message_size) })
    }

    /// Takes a handle. The slot's own timeout becomes the server's.
    ///
    /// # Errors
    /// It is not that of a mailslot's server, or not overlapped. It is given back.
    pub(crate) fn from_handle(file: OwnedHandle) -> Result<Self, (io::Error, OwnedHandle)> {
        let take_over = |slot| {
            let information = information(slot)?;
            if is_synchronous(slot)? {
                let why = "the handle was opened for synchronous I/O";
                return Err(io::Error::new(io::ErrorKind::Unsupported, why));
            }
            wait_for_ever(slot).map(|()| information)
        };
        let information = match take_over(file.as_handle()) {
            Ok(information) => information,
            Err(error) => return Err((error, file)),
        };
        let server = Self::new(file, information.max_message_size);
        match information.read_timeout {
            0 => server.set_nonblocking(true),
            MAILSLOT_WAIT_FOREVER => {}
            time => {
                let timeout = Duration::from_millis(time.into());
                server.recv_timeout.set(Some(timeout)).expect("it is not zero");
            }
        }
        Ok(server)
    }

    /// Receives a message in place of what is in `message`, and says how long it is.
    pub(crate) fn recv(&self, message: &mut Vec<u8>) -> io::Result<usize> {
        message.clear();
        let deadline = self.recv_timeout.deadline();
        loop {
            let (incoming, len) = self.next(deadline)?;
            message.try_reserve_exact(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
            message.resize(len, 0);
            let taken = self.take(incoming, message);
            message.truncate(if let Ok(Some(len)) = taken { len } else { 0 });
            if let Some(len) = taken? {
                return Ok(len);
            }
        }
    }

    /// Receives a message into a buffer that does not grow.
    ///
    /// # Errors
    /// `InvalidInput` if the message is longer. It stays.
    pub(crate) fn recv_into(&self, buf: &mut [u8]) -> io::Result<usize> {
        let deadline = self.recv_timeout.deadline();
        loop {
            let (incoming, len) = self.next(deadline)?;
            let room = buf.len();
            let Some(buf) = buf.get_mut(..len) else {
                return Err(invalid_input(format!("the message is {len} bytes long, and the buffer {room}")));
            };
            if let Some(len) = self.take(incoming, buf)? {
                return Ok(len);
            }
        }
    }

    /// Waits until there is a message, and says how long it is. It does not go to another thread while the lock is
    /// held.
    fn next(&self, deadline: Deadline) -> io::Result<(MutexGuard<'_, Incoming>, usize)> {
        loop {
            let mut incoming = lock(&self.incoming);
            match self.look(&mut incoming)? {
                Slot::Done(len) => return Ok((incoming, len)),
                Slot::InFlight => Incoming::wait(incoming, (!self.is_nonblocking()).then_some(deadline))?,
                Slot::Free => match information(self.as_handle())?.next_len {
                    Some(len) if len > 0 => return Ok((incoming, len)),
                    // What a read without room does to a message of no bytes is left open.
                    _ => incoming.start(&self.file, self.longest())?,
                },
            }
        }
    }

    /// The longest message, as far as that is known, but at least a byte.
    fn longest(&self) -> usize {
        match self.max_message_size {
            0 => usize::MAX,
            max => max as usize,
        }
    }

    /// How it stands with the read: how long the message is that it has.
    fn look(&self, incoming: &mut Incoming) -> io::Result<Slot<usize>> {
        match incoming.message() {
            Ok(Slot::Done((message, _))) => Ok(Slot::Done(message.len())),
            Ok(Slot::InFlight) => Ok(Slot::InFlight),
            Ok(Slot::Free) => Ok(Slot::Free),
            // The message is longer than the read was, and waits where it was.
            Err(error) if has_code(&error, ERROR_INSUFFICIENT_BUFFER) => Ok(Slot::Free),
            // Somebody has set the slot's own timeout.
            Err(error) if has_code(&error, ERROR_SEM_TIMEOUT) => {
                wait_for_ever(self.as_handle()).map(|()| Slot::Free)
            }
            Err(error) => Err(error),
        }
    }

    /// Moves the message that is there into `buf`, which has its length. `None` if another process was faster; if that
    /// left a shorter one, that one is moved.
    fn take(&self, mut incoming: MutexGuard<'_, Incoming>, buf: &mut [u8]) -> io::Result<Option<usize>> {
        if let Ok(Slot::Done((message, _))) = incoming.message() {
            buf.copy_from_slice(message);
            incoming.is_in_use = false;
            return Ok(Some(buf.len()));
        }
        match read_whole(self.as_handle(), buf, Deadline::after(Duration::ZERO)) {
            Err(error)
                if error.kind() == io::ErrorKind::TimedOut
                    || has_code(&error, ERROR_INSUFFICIENT_BUFFER)
                    || is_aborted(&error) =>
            {
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    /// How long the next message is, and how many there are.
    pub(crate) fn waiting(&self) -> io::Result<(Option<usize>, usize)> {
        let mut incoming = lock(&self.incoming);
        loop {
            let read = self.look(&mut incoming)?;
            let information = information(self.as_handle())?;
            // If one came meanwhile, it is before those that were counted.
            if self.look(&mut incoming)? == read {
                return Ok(match read {
                    Slot::Done(len) => (Some(len), information.messages + 1),
                    _ => (information.next_len, information.messages),
                });
            }
        }
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) {
        self.is_nonblocking.store(nonblocking, Ordering::Relaxed);
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.is_nonblocking.load(Ordering::Relaxed)
    }

    pub(crate) fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.recv_timeout.set(timeout)
    }

    pub(crate) fn recv_timeout(&self) -> Option<Duration> {
        self.recv_timeout.get()
    }

    /// Whether a call that was `WouldBlock` is worth another try; if not, has the task woken when it is.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let signal = lock(&self.incoming).signal_of_pending();
        // The lock is not held, since a waker may run anything.
        match signal {
            Some(signal) => {
                signal.wake(cx.waker());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl AsHandle for Server {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.file.as_handle()
    }
}

/// A message that the server has taken out of the slot and not given out yet is lost.
impl From<Server> for OwnedHandle {
    fn from(server: Server) -> Self {
        drop(server.incoming);
        server.file.into_handle().expect("a process that may have 16 million handles cannot have one more")
    }
}

/// The end that sends. Its handle is a synchronous one: the system keeps what is sent, so sending does not wait.
#[derive(Debug)]
pub(crate) struct Client {
    file: fs::File,
    is_broadcast: bool,
}

impl Client {
    pub(crate) fn open(path: &OsStr) -> io::Result<Self> {
        let path = PipePath::of(DEVICE, path)?.to_os_string();
        let file = fs::File::options()
            .write(true)
            // The server reads, and other clients write.
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
            // The server may learn who we are, but not act as us.
            .security_qos_flags(SECURITY_IDENTIFICATION)
            .open(&path)?;
        Ok(Self { file, is_broadcast: path.as_encoded_bytes().starts_with(br"\\*\") })
    }

    pub(crate) fn send(&self, message: &[u8]) -> io::Result<()> {
        /// The most bytes of a message to many machines.
        const MAX_BROADCAST: usize = 424;

        let len = message.len();
        if self.is_broadcast && len > MAX_BROADCAST {
            return Err(invalid_input(format!(
                "the message is {len} bytes long, but to many machines at most {MAX_BROADCAST} are possible"
            )));
        }
        if u32::try_from(len).is_err() {
            return Err(invalid_input("the message is longer than any mailslot takes"));
        }
        // All of it, or nothing.
        (&self.file).write(message).map(drop).map_err(|error| {
            let is = |code| has_code(&error, code);
            if is(ERROR_INVALID_PARAMETER) {
                let what = format!("a message of {len} bytes, which is longer than the server takes");
                about(what, io::Error::new(io::ErrorKind::InvalidInput, error))
            } else if is(ERROR_HANDLE_EOF) || is(ERROR_FILE_NOT_FOUND) {
                // Two ways of saying that the server is gone.
                io::Error::new(io::ErrorKind::BrokenPipe, error)
            } else {
                error
            }
        })
    }
}

impl AsHandle for Client {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.file.as_handle()
    }
}

impl From<Client> for OwnedHandle {
    fn from(client: Client) -> Self {
        client.file.into()
    }
}
