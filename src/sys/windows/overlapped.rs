//! Overlapped I/O: operations that go on while nobody waits for them.
//!
//! The rule of this file: memory that the system may still write to is not freed, moved or reused. A buffer
//! and an `OVERLAPPED` belong either to a thread that stays in [`read`], [`write`] until the operation has
//! completed, or to an [`Op`], which on drop cancels what is in flight and waits for the completion.
//!
//! Waiting is for an event, and a task is woken by the system's thread pool when an event is set, so no
//! completion port and no runtime is needed, and a handle stays free to be given to anybody.
//!
//! Windows ties an operation to the thread that started it: when the thread ends, the operation is cancelled.
//! Reads, and waits for a client, lose nothing by that and are started anew. A write would, so one that is
//! going to be left in flight is started by a thread that does not end: see [`Op::start_write`].

use crate::deadline::Deadline;
use std::{
    cell::{OnceCell, UnsafeCell},
    ffi::c_void,
    fmt::{self, Debug, Formatter},
    io,
    mem::{self, ManuallyDrop},
    os::windows::io::{
        AsHandle, AsRawHandle, AsRawSocket, BorrowedHandle, BorrowedSocket, FromRawHandle, FromRawSocket,
        IntoRawHandle, IntoRawSocket, OwnedHandle, OwnedSocket, RawHandle, RawSocket,
    },
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::{null, null_mut},
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
        mpsc,
    },
    task::Waker,
    thread,
    time::Duration,
};
use windows_sys::{
    Win32::{
        Foundation::{
            ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_OPERATION_ABORTED, GetLastError, HANDLE,
            STATUS_BUFFER_OVERFLOW, STATUS_PENDING, WAIT_OBJECT_0, WAIT_TIMEOUT,
        },
        Networking::WinSock::{AcceptEx, SOCKADDR, SOCKET},
        Storage::FileSystem::{ReadFile, WriteFile},
        System::{
            IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED},
            Pipes::{ConnectNamedPipe, TransactNamedPipe},
            Threading::{
                CloseThreadpoolWait, CreateEventW, CreateThreadpoolWait, INFINITE, PTP_CALLBACK_INSTANCE,
                PTP_WAIT, PTP_WAIT_CALLBACK, ResetEvent, SetEvent, SetThreadpoolWait, WaitForSingleObject,
            },
        },
    },
    core::BOOL,
};

/// The most bytes of a stream that one system call is given, so that none pins or copies memory without bound.
pub(crate) const MAX_TRANSFER: usize = 1 << 20;

/// Whether this is the error of an operation that was cancelled.
pub(crate) fn is_aborted(error: &io::Error) -> bool {
    has_code(error, ERROR_OPERATION_ABORTED)
}

/// Whether this is the error of that number.
pub(crate) fn has_code(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == os_error(code).raw_os_error()
}

/// An error by its number.
#[allow(clippy::cast_possible_wrap, reason = "that is how std keeps it")]
pub(crate) fn os_error(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code as i32)
}

/// What a deadline leaves, for functions that count milliseconds. Never rounded down: one that is reported to
/// have passed has.
pub(crate) fn milliseconds(deadline: Deadline) -> u32 {
    let Some(left) = deadline.remaining() else { return INFINITE };
    u32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(INFINITE - 1).min(INFINITE - 1)
}

/// Waits until a handle of a kind that can be waited for is signalled; `false` if the deadline passes before.
pub(crate) fn wait_for(handle: BorrowedHandle<'_>, deadline: Deadline) -> bool {
    loop {
        // SAFETY: the handle is open for as long as it is borrowed.
        match unsafe { WaitForSingleObject(handle.as_raw_handle(), milliseconds(deadline)) } {
            WAIT_OBJECT_0 => return true,
            WAIT_TIMEOUT if deadline.has_passed() => return false,
            WAIT_TIMEOUT => {}
            _ => panic!("a handle of our own cannot be waited for: {}", io::Error::last_os_error()),
        }
    }
}

/// A file, closed when the last operation with it and the last user are done.
pub(crate) struct File {
    handle: ManuallyDrop<OwnedHandle>,
    /// Whether it is closed as a socket.
    is_socket: bool,
    before_close: Option<Box<dyn Fn() + Send + Sync + UnwindSafe + RefUnwindSafe>>,
}

impl File {
    /// Has something done before the file is closed or given away.
    pub(crate) fn before_close(
        self,
        action: impl Fn() + Send + Sync + UnwindSafe + RefUnwindSafe + 'static,
    ) -> Self {
        let mut file = self;
        file.before_close = Some(Box::new(action));
        file
    }

    /// Gives the handle away, or another to the same file if somebody still uses this one.
    pub(crate) fn into_handle(self: Arc<Self>) -> io::Result<OwnedHandle> {
        match Arc::try_unwrap(self) {
            Ok(file) => {
                let mut file = ManuallyDrop::new(file);
                if let Some(action) = file.before_close.take() {
                    action();
                }
                // SAFETY: `file` is not dropped, so this is the one time that the handle is taken out.
                Ok(unsafe { ManuallyDrop::take(&mut file.handle) })
            }
            Err(shared) => shared.as_handle().try_clone_to_owned(),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Some(action) = &self.before_close {
            action();
        }
        // SAFETY: this is the one time that it is taken out, and nothing uses it afterwards.
        let handle = unsafe { ManuallyDrop::take(&mut self.handle) };
        if self.is_socket {
            let socket = as_raw_socket(handle.into_raw_handle().expose_provenance());
            // SAFETY: it was a socket that was ours, and is again.
            drop(unsafe { OwnedSocket::from_raw_socket(socket) });
        }
    }
}

impl From<OwnedHandle> for File {
    fn from(handle: OwnedHandle) -> Self {
        Self { handle: ManuallyDrop::new(handle), is_socket: false, before_close: None }
    }
}

/// To the kernel, a socket is a file.
impl From<OwnedSocket> for File {
    fn from(socket: OwnedSocket) -> Self {
        let handle = socket.into_raw_socket() as RawHandle;
        // SAFETY: a socket is a handle; it is open, and was ours.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Self { handle: ManuallyDrop::new(handle), is_socket: true, before_close: None }
    }
}

impl AsHandle for File {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl AsRawHandle for File {
    fn as_raw_handle(&self) -> RawHandle {
        self.handle.as_raw_handle()
    }
}

impl Debug for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A socket as the functions of the system want it.
#[allow(clippy::cast_possible_truncation, reason = "it has the size of a pointer, whatever its type")]
pub(crate) fn as_socket(socket: RawSocket) -> SOCKET {
    socket as SOCKET
}

/// The reverse.
#[allow(clippy::cast_possible_truncation, reason = "as above")]
pub(crate) fn as_raw_socket(socket: SOCKET) -> RawSocket {
    socket as RawSocket
}

/// An event that stays set until it is reset.
#[derive(Debug)]
pub(crate) struct Event(OwnedHandle);

impl Event {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: null for the attributes and for the name is allowed.
        let handle = unsafe { CreateEventW(null(), 1, 0, null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: CreateEventW succeeded, so the handle is open and ours.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(crate) fn set(&self) {
        // SAFETY: the event is open.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }

    pub(crate) fn reset(&self) {
        // SAFETY: the event is open.
        unsafe { ResetEvent(self.0.as_raw_handle()) };
    }

    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        wait_for(self.0.as_handle(), deadline)
    }

    /// The handle as an `OVERLAPPED` wants it. The lowest bit, which is no part of a handle, says that a
    /// completion port that somebody may have tied to the file is not to hear of the operation.
    fn for_overlapped(&self) -> HANDLE {
        self.0.as_raw_handle().map_addr(|address| address | 1)
    }
}

/// Where the system says how it stands with the operation of this `OVERLAPPED`.
///
/// # Safety
/// It points to an `OVERLAPPED` that lives for `'a`, and whose status nobody accesses other than so or by
/// system calls.
unsafe fn status_of<'a>(overlapped: *mut OVERLAPPED) -> &'a AtomicUsize {
    // SAFETY: the caller says that it is valid; the field has the size and alignment of an AtomicUsize.
    unsafe { AtomicUsize::from_ptr(&raw mut (*overlapped).Internal) }
}

/// Whether the operation of this `OVERLAPPED` has completed.
///
/// # Safety
/// As for [`status_of`].
unsafe fn is_complete(overlapped: *mut OVERLAPPED) -> bool {
    // SAFETY: as the caller says.
    unsafe { status_of(overlapped) }.load(Ordering::Acquire) != PENDING
}

/// `STATUS_PENDING` as an `OVERLAPPED` has it.
const PENDING: usize = STATUS_PENDING as usize;

#[allow(clippy::cast_sign_loss, reason = "it is a bit pattern")]
/// `STATUS_BUFFER_OVERFLOW` as an `OVERLAPPED` has it: the buffer is full, and the rest of the message is for the next read.
const PARTIAL: u32 = STATUS_BUFFER_OVERFLOW as u32;

/// Any other status.
const NOT_PENDING: usize = 0;

/// Waits until the operation of this `OVERLAPPED` has completed; `false` if the deadline passes before.
///
/// # Safety
/// As for [`status_of`], and `event` is the operation's.
unsafe fn wait_until_complete(overlapped: *mut OVERLAPPED, event: &Event, deadline: Deadline) -> bool {
    // SAFETY: as the caller says.
    let is_complete = || unsafe { is_complete(overlapped) };
    while !is_complete() {
        if !event.wait(deadline) {
            return is_complete();
        }
        if !is_complete() {
            // The status is written before the event is set, so what set it was an earlier operation.
            event.reset();
            if is_complete() {
                // For others who wait, since the reset may have come too late.
                event.set();
            }
        }
    }
    true
}

/// Cancels the operation of this `OVERLAPPED`, if it still goes on, and waits until it has completed, one way
/// or the other.
///
/// # Safety
/// As for [`wait_until_complete`], and `file` is the operation's.
unsafe fn cancel_and_wait(file: HANDLE, overlapped: *mut OVERLAPPED, event: &Event) {
    // SAFETY: as the caller says. Where there is nothing to cancel any more, cancelling does nothing.
    unsafe {
        while !is_complete(overlapped) {
            CancelIoEx(file, overlapped);
            wait_until_complete(overlapped, event, Deadline::after(Duration::from_secs(1)));
        }
    }
}

/// What came of a completed operation.
///
/// # Safety
/// As for [`status_of`], which says so.
unsafe fn result_of(file: HANDLE, overlapped: *mut OVERLAPPED) -> io::Result<usize> {
    let mut transferred = 0;
    // SAFETY: as the caller says; `transferred` outlives the call.
    if unsafe { GetOverlappedResult(file, overlapped, &raw mut transferred, 0) } != 0 {
        return Ok(transferred as usize);
    }
    // SAFETY: no preconditions.
    match unsafe { GetLastError() } {
        // The buffer is full, and the rest of the message is for the next read.
        ERROR_MORE_DATA => Ok(transferred as usize),
        code => Err(os_error(code)),
    }
}

/// An event that belongs to this thread.
#[allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; Clippy does not see it for every target"
)]
fn event_of_thread() -> io::Result<Rc<Event>> {
    thread_local! {
        static EVENT: OnceCell<Rc<Event>> = const { OnceCell::new() };
    }
    if let Ok(Some(event)) = EVENT.try_with(|cell| cell.get().cloned()) {
        return Ok(event);
    }
    let event = Rc::new(Event::new()?);
    // If the thread is ending and has no storage any more, the event is for this once.
    let _ = EVENT.try_with(|cell| cell.set(Rc::clone(&event)));
    Ok(event)
}

/// An operation on the stack of the thread that waits for it.
struct Flight<'a> {
    file: BorrowedHandle<'a>,
    event: &'a Event,
    overlapped: *mut OVERLAPPED,
}

/// Nothing leaves the stack frame before the operation has completed, be it by a panic.
impl Drop for Flight<'_> {
    fn drop(&mut self) {
        // SAFETY: `transfer` started the operation with all three, and keeps the `OVERLAPPED` until after
        // this.
        unsafe { cancel_and_wait(self.file.as_raw_handle(), self.overlapped, self.event) };
    }
}

/// Starts an operation and waits for it. If the deadline passes first it is cancelled, unless it has
/// completed meanwhile, which is then the result.
fn transfer(
    file: BorrowedHandle<'_>,
    deadline: Deadline,
    start: impl FnOnce(HANDLE, *mut u32, *mut OVERLAPPED) -> BOOL,
) -> io::Result<usize> {
    let event = event_of_thread()?;
    let overlapped = UnsafeCell::new(OVERLAPPED { hEvent: event.for_overlapped(), ..OVERLAPPED::default() });
    let mut transferred = 0;
    if start(file.as_raw_handle(), &raw mut transferred, overlapped.get()) != 0 {
        return Ok(transferred as usize);
    }
    // SAFETY: no preconditions.
    match unsafe { GetLastError() } {
        // A message that is longer than the buffer has completed, but without saying so in `transferred`.
        ERROR_IO_PENDING | ERROR_MORE_DATA => {}
        code => return Err(os_error(code)),
    }
    let flight = Flight { file, event: &event, overlapped: overlapped.get() };
    // SAFETY: the operation was started with this `OVERLAPPED` and this event.
    let in_time = unsafe { wait_until_complete(flight.overlapped, &event, deadline) };
    drop(flight);
    // SAFETY: after `flight` is gone, the operation has completed.
    match unsafe { result_of(file.as_raw_handle(), overlapped.get()) } {
        Err(error) if !in_time && is_aborted(&error) => Err(io::ErrorKind::TimedOut.into()),
        result => result,
    }
}

/// Reads into `buf`, straight from the system, up to [`MAX_TRANSFER`] bytes. 0 bytes are what the peer sent,
/// not the end of the stream.
pub(crate) fn read(file: BorrowedHandle<'_>, buf: &mut [u8], deadline: Deadline) -> io::Result<usize> {
    let len = buf.len().min(MAX_TRANSFER);
    read_whole(file, &mut buf[..len], deadline)
}

/// The same up to any length, for what does not come in parts.
pub(crate) fn read_whole(file: BorrowedHandle<'_>, buf: &mut [u8], deadline: Deadline) -> io::Result<usize> {
    let len = length(buf)?;
    transfer(file, deadline, |file, transferred, overlapped| {
        // SAFETY: the buffer has `len` bytes, is borrowed mutably until `transfer` returns, and so is the
        // rest.
        unsafe { ReadFile(file, buf.as_mut_ptr(), len, transferred, overlapped) }
    })
}

/// Writes from `buf`, straight to the system, all at once, for as long as it takes.
pub(crate) fn write(file: BorrowedHandle<'_>, buf: &[u8]) -> io::Result<usize> {
    let len = length(buf)?;
    transfer(file, Deadline::NEVER, |file, transferred, overlapped| {
        // SAFETY: the buffer has `len` bytes, is borrowed until `transfer` returns, and so is the rest.
        unsafe { WriteFile(file, buf.as_ptr(), len, transferred, overlapped) }
    })
}

/// How much of `len` bytes of room one call is given.
#[allow(clippy::cast_possible_truncation, reason = "it is no more than that")]
fn at_most_max_transfer(len: usize) -> u32 {
    len.min(MAX_TRANSFER) as u32
}

/// The length of what one system call is given as a whole.
fn length(buf: &[u8]) -> io::Result<u32> {
    u32::try_from(buf.len()).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{} bytes are too many for one call", buf.len()))
    })
}

/// An event that operations set when they complete, and what the system's thread pool is to do then.
#[derive(Debug)]
pub(crate) struct Signal {
    event: Event,
    waiting: Mutex<Waiting>,
}

/// What waits for a [`Signal`].
#[derive(Debug, Default)]
struct Waiting {
    tasks: Vec<Waker>,
    /// How many tasks may wait before all are woken to say whether they still do: those that gave up do not
    /// tell. It grows, since otherwise many that do would wake each other again and again.
    most: usize,
    /// Operations that nobody else has any more.
    last: Vec<Op>,
    wait: Option<PoolWait>,
    /// Whether the pool is going to call [`Signal::on_set`], for which it has a reference of its own.
    is_armed: bool,
}

impl Signal {
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self { event: Event::new()?, waiting: Mutex::default() }))
    }

    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    /// Has the task woken once the event is set, at once if it is. Any number of tasks may wait. Whoever made
    /// the signal has to [end](Self::end) it, since the pool holds a reference until the event is set.
    #[cfg_attr(not(feature = "async"), allow(dead_code, reason = "tests use it"))]
    pub(crate) fn wake(self: &Arc<Self>, task: &Waker) {
        /// What [`Waiting::most`] is at least.
        const LEAST: usize = 32;

        let mut waiting = self.lock();
        let mut woken = Vec::new();
        if !waiting.tasks.iter().any(|other| other.will_wake(task)) {
            let most = waiting.most.max(LEAST);
            if waiting.tasks.len() >= most {
                woken = mem::take(&mut waiting.tasks);
                waiting.most = most * 2;
            }
            waiting.tasks.push(task.clone());
        }
        if self.arm(&mut waiting).is_err() {
            // Without the pool, better to ask again and again than to sleep for ever.
            woken.append(&mut waiting.tasks);
        }
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Has what is no task woken once the event is set, or before. Without memory for that, it is dropped.
    #[cfg(feature = "async")]
    pub(crate) fn wake_once(self: &Arc<Self>, waker: Waker) {
        let mut waiting = self.lock();
        waiting.tasks.push(waker);
        let forgotten = if self.arm(&mut waiting).is_err() { waiting.tasks.pop() } else { None };
        drop(waiting);
        drop(forgotten);
    }

    /// Sets the event for good: no operation is going to any more.
    pub(crate) fn end(&self) {
        self.event.set();
    }

    /// Keeps an operation with this signal until it has completed. Without memory for that, cancels it.
    fn keep_until_complete(self: &Arc<Self>, op: Op) {
        let mut waiting = self.lock();
        waiting.last.push(op);
        if self.arm(&mut waiting).is_err() {
            let last = mem::take(&mut waiting.last);
            drop(waiting);
            drop(last);
        }
    }

    fn arm(self: &Arc<Self>, waiting: &mut Waiting) -> io::Result<()> {
        if waiting.is_armed {
            return Ok(());
        }
        let wait = match waiting.wait.take() {
            Some(wait) => wait,
            None => PoolWait::new(Some(Self::on_set), Arc::as_ptr(self).cast_mut().cast())?,
        };
        // `on_set` takes this reference back. It cannot get far before this returns, since the lock is held.
        let _ = Arc::into_raw(Arc::clone(self));
        wait.arm(&self.event);
        waiting.wait = Some(wait);
        waiting.is_armed = true;
        Ok(())
    }

    unsafe extern "system" fn on_set(_: PTP_CALLBACK_INSTANCE, signal: *mut c_void, _: PTP_WAIT, _: u32) {
        // SAFETY: the context is the pointer of an Arc, of which `arm` left a reference for this call.
        let signal = unsafe { Arc::from_raw(signal.cast_const().cast::<Self>()) };
        let mut waiting = signal.lock();
        waiting.is_armed = false;
        let tasks = mem::take(&mut waiting.tasks);
        waiting.most = tasks.len();
        let (complete, last) = mem::take(&mut waiting.last).into_iter().partition::<Vec<_>, _>(Op::is_done);
        if !last.is_empty() {
            // What set the event was an earlier operation. Should one complete now, the pool sees the event
            // set.
            signal.event.reset();
            if last.iter().any(Op::is_done) {
                signal.event.set();
            }
            waiting.last = last;
            // It worked before, and needs nothing new.
            let _ = signal.arm(&mut waiting);
        }
        drop(waiting);
        drop(complete);
        // A waker may run anything, even what drops the object that it waited for.
        tasks.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait of the system's thread pool.
#[derive(Debug)]
struct PoolWait(PTP_WAIT);

impl PoolWait {
    fn new(callback: PTP_WAIT_CALLBACK, context: *mut c_void) -> io::Result<Self> {
        // SAFETY: a null environment is the default one. What the context has to be is between the callback
        // and who arms.
        match unsafe { CreateThreadpoolWait(callback, context, null()) } {
            0 => Err(io::Error::last_os_error()),
            wait => Ok(Self(wait)),
        }
    }

    /// Has the callback called once when the event is set. The event has to stay open until then.
    fn arm(&self, event: &Event) {
        // SAFETY: the wait and the event are open; a null timeout is none.
        unsafe { SetThreadpoolWait(self.0, event.0.as_raw_handle(), null()) };
    }
}

impl Drop for PoolWait {
    fn drop(&mut self) {
        // SAFETY: it is open, and not armed: an armed one is owned by what its callback owns. If this runs in
        // the callback, the pool frees the object when the callback returns.
        unsafe { CloseThreadpoolWait(self.0) };
    }
}

/// An operation that owns all that the system needs for it: file, buffer, `OVERLAPPED` and event. It can be
/// left in flight and asked later. When it is done, the same object can be used for the next.
///
/// Dropping it cancels what is in flight and waits for the completion, which the system does not keep one
/// waiting for.
pub(crate) struct Op(Arc<Inner>);

struct Inner {
    overlapped: UnsafeCell<OVERLAPPED>,
    buffer: UnsafeCell<Vec<u8>>,
    /// Why it could not be started, or 0.
    start_error: AtomicU32,
    file: Arc<File>,
    signal: Arc<Signal>,
}

// SAFETY: the `OVERLAPPED` is accessed atomically or by system calls only, or, like the buffer, by the one
// `Op` and only when nothing is in flight; the system sees to it that what it wrote before is visible then.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

enum Request {
    /// Into so many bytes of the buffer.
    Read(u32),
    /// From so many bytes of the buffer.
    Write(u32),
    /// From so many bytes of the buffer, into as many before them as the first number says.
    Transact(u32, u32),
    Connect,
    /// Into this socket.
    Accept(SOCKET),
    /// To the address of so many bytes in the buffer.
    ConnectSocket(ConnectEx, i32),
}

/// `ConnectEx`, of which each provider of sockets has its own.
pub(crate) type ConnectEx = unsafe extern "system" fn(
    SOCKET,
    *const SOCKADDR,
    i32,
    *const c_void,
    u32,
    *mut u32,
    *mut OVERLAPPED,
) -> BOOL;

/// How much room the address of a socket takes that is accepted: that of a socket file, and what the system wants beyond.
const ADDRESS_ROOM: u32 = 110 + 16;

impl Op {
    /// An operation that is not started. It sets `signal` when it completes; starting it resets `signal`.
    pub(crate) fn new(file: Arc<File>, signal: Arc<Signal>) -> Self {
        Self(Arc::new(Inner {
            overlapped: UnsafeCell::default(),
            buffer: UnsafeCell::default(),
            start_error: AtomicU32::new(0),
            file,
            signal,
        }))
    }

    /// Starts reading up to `len` bytes, but no more than [`MAX_TRANSFER`].
    pub(crate) fn start_read(&mut self, len: usize) {
        let len = at_most_max_transfer(len);
        let buffer = self.prepare();
        if buffer.len() < len as usize {
            buffer.resize(len as usize, 0);
        }
        self.0.start(&Request::Read(len));
    }

    /// Starts writing, from a copy of `data`, all of it at once.
    ///
    /// With `by_lasting_thread`, the end of the calling thread does not put an end to the write. That costs
    /// the detour by another thread, so it is for writes that will not complete at once.
    pub(crate) fn start_write(&mut self, data: &[u8], by_lasting_thread: bool) -> io::Result<()> {
        let len = length(data)?;
        let buffer = self.prepare();
        buffer.clear();
        buffer.extend_from_slice(data);
        self.start(Request::Write(len), by_lasting_thread);
        Ok(())
    }

    /// Starts writing a message, from a copy of `request`, and reading the answer, up to `len` bytes of it.
    pub(crate) fn start_transact(
        &mut self,
        request: &[u8],
        len: usize,
        by_lasting_thread: bool,
    ) -> io::Result<()> {
        let (request_len, len) = (length(request)?, at_most_max_transfer(len));
        let buffer = self.prepare();
        buffer.resize(len as usize, 0);
        buffer.truncate(len as usize);
        buffer.extend_from_slice(request);
        self.start(Request::Transact(len, request_len), by_lasting_thread);
        Ok(())
    }

    fn start(&self, request: Request, by_lasting_thread: bool) {
        if by_lasting_thread {
            start_by_lasting_thread(Arc::clone(&self.0), request);
        } else {
            self.0.start(&request);
        }
    }

    /// Starts waiting for a client of this instance of a pipe. The result tells if there is one, with the
    /// errors that `ConnectNamedPipe` has.
    pub(crate) fn start_connect(&mut self) {
        self.prepare();
        self.0.start(&Request::Connect);
    }

    /// Starts waiting for a client of this socket that listens, whose end is going to be `socket`. That has to stay open
    /// until the operation is done.
    pub(crate) fn start_accept(&mut self, socket: BorrowedSocket<'_>) {
        self.prepare().resize(2 * ADDRESS_ROOM as usize, 0);
        self.0.start(&Request::Accept(as_socket(socket.as_raw_socket())));
    }

    /// Starts connecting this socket to an address.
    ///
    /// With `by_lasting_thread`, the end of the calling thread does not put an end to it.
    ///
    /// # Safety
    /// The function is that of the socket's provider.
    pub(crate) unsafe fn start_connect_socket(
        &mut self,
        function: ConnectEx,
        address: &[u8],
        by_lasting_thread: bool,
    ) -> io::Result<()> {
        let len = i32::try_from(address.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let buffer = self.prepare();
        buffer.clear();
        buffer.extend_from_slice(address);
        self.start(Request::ConnectSocket(function, len), by_lasting_thread);
        Ok(())
    }

    /// Marks it as in flight, and hands out the buffer one last time.
    fn prepare(&mut self) -> &mut Vec<u8> {
        assert!(self.is_done(), "an operation that is in flight cannot be started again");
        self.0.start_error.store(0, Ordering::Relaxed);
        let overlapped = self.0.overlapped.get();
        // SAFETY: nothing is in flight, this is the one `Op`, and a `Waiter` looks at nothing but the status.
        unsafe {
            (*overlapped).hEvent = self.0.signal.event.for_overlapped();
            (*overlapped).InternalHigh = 0;
        }
        self.0.status().store(PENDING, Ordering::Release);
        // SAFETY: as above.
        unsafe { &mut *self.0.buffer.get() }
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_done(&self) -> bool {
        self.0.is_done()
    }

    /// What came of it, once it [is done](Self::is_done).
    pub(crate) fn result(&self) -> io::Result<usize> {
        assert!(self.is_done(), "an operation that is in flight has no result");
        match self.0.start_error.load(Ordering::Relaxed) {
            // SAFETY: the `OVERLAPPED` is valid for as long as `self` is, and the operation has completed.
            0 => unsafe { result_of(self.0.file.as_raw_handle(), self.0.overlapped.get()) },
            code => Err(os_error(code)),
        }
    }

    /// Whether there was more in the message than was read, once it [is done](Self::is_done).
    pub(crate) fn is_partial(&self) -> bool {
        #[allow(clippy::cast_possible_truncation, reason = "the system writes no more than 32 bits there")]
        let status = self.0.status().load(Ordering::Acquire) as u32;
        status == PARTIAL
    }

    /// The buffer, once it [is done](Self::is_done): as many bytes as the [result](Self::result) says were
    /// read.
    pub(crate) fn buffer(&self) -> &[u8] {
        assert!(self.is_done(), "the buffer of an operation that is in flight is the system's");
        // SAFETY: nothing is in flight, and nothing can be started while `self` is borrowed.
        unsafe { &*self.0.buffer.get() }
    }

    /// Puts an end to what is in flight, unless it has completed meanwhile.
    pub(crate) fn cancel(&mut self) {
        self.0.cancel();
    }

    /// Something to wait with while the operation itself is behind a lock.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter(Arc::clone(&self.0))
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        &self.0.signal
    }

    /// Gives the file back, once it [is done](Self::is_done).
    pub(crate) fn into_file(self) -> Arc<File> {
        assert!(self.is_done(), "the file of an operation that is in flight is in use");
        Arc::clone(&self.0.file)
    }

    /// Lets it complete in its own time, keeping all that it needs until then. The signal ends with it.
    pub(crate) fn finish_in_background(self) {
        let signal = Arc::clone(self.signal());
        if self.is_done() {
            signal.end();
        } else {
            signal.keep_until_complete(self);
        }
    }
}

impl Debug for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Op").field("file", &self.0.file).field("is_done", &self.is_done()).finish()
    }
}

/// Waits for an [`Op`]. From [`Op::waiter`].
pub(crate) struct Waiter(Arc<Inner>);

impl Waiter {
    /// Waits until the operation is done; `false` if the deadline passes before.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        // SAFETY: the `OVERLAPPED` is valid for as long as `self` is, and the event is its own.
        unsafe { wait_until_complete(self.0.overlapped.get(), &self.0.signal.event, deadline) }
    }
}

impl Inner {
    fn status(&self) -> &AtomicUsize {
        // SAFETY: the `OVERLAPPED` is valid for as long as `self` is.
        unsafe { status_of(self.overlapped.get()) }
    }

    fn is_done(&self) -> bool {
        self.status().load(Ordering::Acquire) != PENDING
    }

    /// Starts what `Op::prepare` has prepared. Nothing here touches the `OVERLAPPED` after the system has it,
    /// unless the system did not take it.
    fn start(&self, request: &Request) {
        let (file, overlapped) = (self.file.as_raw_handle(), self.overlapped.get());
        // SAFETY: the file is open, and `prepare` made the `OVERLAPPED` ready; the buffer has as many bytes as
        // the request says, and a function in it is for this file. Both stay where they are, untouched, until the operation is done: `Op` looks at
        // the status before anything else, and dropping waits for it.
        let started = unsafe {
            let buffer = self.buffer.get();
            let buffer = (*buffer).as_mut_ptr();
            match *request {
                Request::Read(len) => ReadFile(file, buffer, len, null_mut(), overlapped),
                Request::Write(len) => WriteFile(file, buffer, len, null_mut(), overlapped),
                Request::Transact(len, request_len) => {
                    let request = buffer.add(len as usize).cast();
                    TransactNamedPipe(file, request, request_len, buffer.cast(), len, null_mut(), overlapped)
                }
                Request::Connect => ConnectNamedPipe(file, overlapped),
                Request::Accept(socket) => {
                    let (listener, room) = (file.expose_provenance(), ADDRESS_ROOM);
                    AcceptEx(listener, socket, buffer.cast(), 0, room, room, &mut 0, overlapped)
                }
                Request::ConnectSocket(connect, len) => {
                    connect(file.expose_provenance(), buffer.cast(), len, null(), 0, &mut 0, overlapped)
                }
            }
        };
        if started == 0 {
            // SAFETY: no preconditions.
            match unsafe { GetLastError() } {
                // A message that is longer than the buffer completes like any other.
                ERROR_IO_PENDING | ERROR_MORE_DATA => {}
                code => self.fail(code),
            }
        }
    }

    fn cancel(&self) {
        // SAFETY: the three belong together, and are valid here.
        unsafe { cancel_and_wait(self.file.as_raw_handle(), self.overlapped.get(), &self.signal.event) };
    }

    /// Marks an operation that the system did not take as done.
    fn fail(&self, code: u32) {
        self.start_error.store(code, Ordering::Relaxed);
        self.status().store(NOT_PENDING, Ordering::Release);
        self.signal.event.set();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Has an operation started by a thread that lives as long as the process, and waits until it is: it has to be
/// with the system before what comes next, be it another write or the end of the process. That takes no time
/// to speak of, since the file is an overlapped one.
fn start_by_lasting_thread(op: Arc<Inner>, request: Request) {
    type ToStart = (Arc<Inner>, Request, mpsc::SyncSender<()>);
    static THREAD: OnceLock<Option<mpsc::Sender<ToStart>>> = OnceLock::new();

    let thread = THREAD.get_or_init(|| {
        let (sender, ops) = mpsc::channel::<ToStart>();
        let run = move || {
            for (op, request, started) in ops {
                op.start(&request);
                // Before the other is told, since this may be the last reference.
                drop(op);
                let _ = started.send(());
            }
        };
        thread::Builder::new().name("interprocess".to_owned()).spawn(run).ok().map(|_| sender)
    });
    let (started, is_started) = mpsc::sync_channel(1);
    let refused = match thread {
        Some(thread) => thread.send((op, request, started)).err().map(|error| error.0),
        None => Some((op, request, started)),
    };
    match refused {
        // Without that thread, ours has to do.
        Some((op, request, _)) => op.start(&request),
        // It does not end before it has told.
        None => drop(is_started.recv()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::pipe, *};
    use std::{sync::atomic::AtomicUsize, task::Wake, thread::ThreadId};

    const SOON: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(20);

    fn soon() -> Deadline {
        Deadline::after(SOON)
    }

    fn long() -> Deadline {
        Deadline::after(LONG)
    }

    fn op(file: &Arc<File>) -> Op {
        Op::new(Arc::clone(file), Signal::new().unwrap())
    }

    fn wait(op: &Op) -> usize {
        assert!(op.waiter().wait(long()), "the operation did not complete");
        op.result().unwrap()
    }

    /// Says on which threads it was woken.
    struct Woken(mpsc::Sender<ThreadId>);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(thread::current().id());
        }
    }

    fn task() -> (Waker, mpsc::Receiver<ThreadId>) {
        let (sender, woken) = mpsc::channel();
        (Arc::new(Woken(sender)).into(), woken)
    }

    #[test]
    fn every_operation_gets_its_own_result() {
        const ROUNDS: usize = 300;
        fn length(round: usize) -> usize {
            1 + round * 7919 % 3000
        }
        let (ours, theirs) = pipe();
        thread::scope(|scope| {
            for file in [&ours, &theirs] {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let len = length(round);
                        assert_eq!(write(file.as_handle(), &vec![len.to_le_bytes()[0]; len]).unwrap(), len);
                    }
                });
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let (len, mut read_len) = (length(round), 0);
                        let mut buf = vec![0; len];
                        while read_len < len {
                            read_len += read(file.as_handle(), &mut buf[read_len..], long()).unwrap();
                        }
                        assert!(buf.iter().all(|&byte| byte == len.to_le_bytes()[0]));
                    }
                });
            }
        });
    }

    #[test]
    fn operations_in_flight_at_once_get_their_own_bytes_in_order() {
        let (ours, theirs) = pipe();
        let mut reads: Vec<Op> = (0..8).map(|_| op(&ours)).collect();
        for read in &mut reads {
            read.start_read(3);
        }
        for number in 0..8_u8 {
            write(theirs.as_handle(), &[number; 3]).unwrap();
        }
        for (number, read) in (0..8_u8).zip(&reads) {
            assert_eq!(wait(read), 3);
            assert_eq!(read.buffer()[..3], [number; 3]);
        }
    }

    #[test]
    fn a_read_that_times_out_leaves_the_bytes_to_the_next() {
        let (ours, theirs) = pipe();
        let mut buf = [0; 8];
        let error = read(ours.as_handle(), &mut buf, soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        write(theirs.as_handle(), b"bytes").unwrap();
        assert_eq!(read(ours.as_handle(), &mut buf, long()).unwrap(), 5);
        assert_eq!(&buf[..5], b"bytes");
    }

    #[test]
    fn bytes_that_arrive_as_a_read_times_out_are_not_lost() {
        const ROUNDS: u32 = 200;
        let (ours, theirs) = pipe();
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    write(theirs.as_handle(), &round.to_le_bytes()).unwrap();
                    thread::yield_now();
                }
            });
            for round in 0..ROUNDS {
                let mut buf = [0; 4];
                while let Err(error) =
                    read(ours.as_handle(), &mut buf, Deadline::after(Duration::from_micros(100)))
                {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                }
                assert_eq!(u32::from_le_bytes(buf), round);
            }
        });
    }

    #[test]
    fn dropping_a_read_in_flight_waits_for_its_completion_and_loses_nothing() {
        let (ours, theirs) = pipe();
        for round in 0..50_u8 {
            let mut dropped = op(&ours);
            let signal = Arc::clone(dropped.signal());
            dropped.start_read(100);
            assert!(!dropped.is_done() && !signal.event().wait(Deadline::after(Duration::ZERO)));
            drop(dropped);
            // After the status, by which dropping goes, perhaps a little later.
            assert!(signal.event().wait(long()), "the completion sets the event");
            assert_eq!(Arc::strong_count(&ours), 1);

            write(theirs.as_handle(), &[round]).unwrap();
            let mut next = op(&ours);
            next.start_read(100);
            assert_eq!((wait(&next), next.buffer()[0]), (1, round));
        }
    }

    #[test]
    fn an_operation_can_be_used_again_and_forgets_its_failure() {
        let (ours, theirs) = pipe();
        let mut op = op(&ours);
        // It has a client already.
        op.start_connect();
        assert!(op.is_done() && op.result().is_err());
        for text in [&b"first"[..], b"second, longer"] {
            op.start_write(text, false).unwrap();
            assert_eq!(wait(&op), text.len());
            let mut buf = [0; 32];
            assert_eq!(read(theirs.as_handle(), &mut buf, long()).unwrap(), text.len());
            assert_eq!(&buf[..text.len()], text);
        }
    }

    #[test]
    fn a_task_is_woken_by_the_thread_pool_each_time() {
        let (ours, theirs) = pipe();
        let mut op = op(&ours);
        let (waker, woken) = task();
        for _ in 0..3 {
            op.start_read(10);
            op.signal().wake(&waker);
            op.signal().wake(&waker);
            assert!(woken.recv_timeout(SOON).is_err(), "woken though nothing is there");
            write(theirs.as_handle(), b"x").unwrap();
            assert_ne!(woken.recv_timeout(LONG).unwrap(), thread::current().id());
            assert!(op.is_done());
            assert!(woken.recv_timeout(SOON).is_err(), "woken twice for one thing");
        }
        op.signal().wake(&waker);
        woken.recv_timeout(LONG).expect("a task that comes late is woken at once");
        op.signal().end();
    }

    #[test]
    fn all_tasks_are_woken_however_many() {
        let (ours, theirs) = pipe();
        let mut op = op(&ours);
        op.start_read(10);
        let tasks: Vec<_> = (0..100).map(|_| task()).collect();
        for (waker, _) in &tasks {
            op.signal().wake(waker);
        }
        write(theirs.as_handle(), b"x").unwrap();
        for (_, woken) in &tasks {
            woken.recv_timeout(LONG).unwrap();
        }
    }

    #[test]
    fn many_tasks_that_go_on_waiting_do_not_wake_each_other_for_ever() {
        const TASKS: usize = 100;

        /// Waits again whenever it is woken.
        struct Again {
            signal: Arc<Signal>,
            wakes: AtomicUsize,
        }

        impl Wake for Again {
            fn wake(self: Arc<Self>) {
                // Enough to see that there is no end to it.
                if self.wakes.fetch_add(1, Ordering::Relaxed) < 100 {
                    let signal = Arc::clone(&self.signal);
                    signal.wake(&self.into());
                }
            }
        }

        let signal = Signal::new().unwrap();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| Arc::new(Again { signal: Arc::clone(&signal), wakes: AtomicUsize::new(0) }))
            .collect();
        for task in &tasks {
            signal.wake(&Arc::clone(task).into());
        }
        let wakes = || tasks.iter().map(|task| task.wakes.load(Ordering::Relaxed)).sum::<usize>();
        assert!(wakes() <= 3 * TASKS, "woken {} times", wakes());
        // Nobody was forgotten meanwhile; and they end.
        let waiting = signal.lock().tasks.len();
        assert_eq!(waiting, TASKS);
        signal.end();
        let deadline = long();
        while wakes() < 100 * TASKS {
            assert!(!deadline.has_passed(), "woken only {} times", wakes());
            thread::yield_now();
        }
    }

    #[test]
    fn a_write_has_been_started_when_starting_it_returns() {
        let (ours, theirs) = pipe();
        let mut op = op(&ours);
        let mut buf = [0; 2];
        for _ in 0..100 {
            op.start_write(b"1", true).unwrap();
            // Not overtaken by one that another thread makes right after.
            write(ours.as_handle(), b"2").unwrap();
            let mut len = 0;
            while len < 2 {
                len += read(theirs.as_handle(), &mut buf[len..], long()).unwrap();
            }
            assert_eq!(&buf, b"12");
            wait(&op);
        }
    }

    #[test]
    fn what_of_a_message_does_not_fit_is_left_to_the_next_read() {
        let (server, client) = super::super::tests::message_pipe();
        write(server.as_handle(), b"a long message").unwrap();
        let mut buf = [0; 6];
        assert_eq!(read(client.as_handle(), &mut buf, long()).unwrap(), 6);
        assert_eq!(&buf, b"a long");
        let mut op = op(&client);
        op.start_read(5);
        assert_eq!(wait(&op), 5);
        assert_eq!(&op.buffer()[..5], b" mess");
        assert_eq!(read(client.as_handle(), &mut buf, long()).unwrap(), 3);
        // The same for one that comes while one waits.
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut buf = [0; 6];
                (read(client.as_handle(), &mut buf, long()).unwrap(), buf)
            });
            write(server.as_handle(), b"a long message").unwrap();
            assert_eq!(reader.join().unwrap(), (6, *b"a long"));
        });
    }

    #[test]
    fn a_task_may_drop_what_it_waited_for_while_it_is_woken() {
        struct Dropper(Mutex<Option<Op>>, mpsc::Sender<()>);

        impl Wake for Dropper {
            fn wake(self: Arc<Self>) {
                self.0.lock().unwrap().take();
                self.1.send(()).unwrap();
            }
        }

        let (ours, theirs) = pipe();
        for _ in 0..20 {
            let mut op = op(&ours);
            op.start_read(1);
            let signal = Arc::downgrade(op.signal());
            let (sender, woken) = mpsc::channel();
            let dropper = Arc::new(Dropper(Mutex::new(None), sender));
            let mut place = dropper.0.lock().unwrap();
            op.signal().wake(&Arc::clone(&dropper).into());
            *place = Some(op);
            drop(place);
            write(theirs.as_handle(), b"x").unwrap();
            woken.recv_timeout(LONG).unwrap();
            let deadline = long();
            while signal.strong_count() > 0 {
                assert!(!deadline.has_passed(), "the thread pool keeps the signal");
                thread::yield_now();
            }
        }
    }

    #[test]
    fn the_signal_is_given_up_when_it_has_ended() {
        let signal = Signal::new().unwrap();
        let (waker, woken) = task();
        signal.wake(&waker);
        signal.end();
        woken.recv_timeout(LONG).unwrap();
        let weak = Arc::downgrade(&signal);
        drop(signal);
        let deadline = long();
        while weak.strong_count() > 0 {
            assert!(!deadline.has_passed(), "the thread pool keeps the signal");
            thread::yield_now();
        }
    }

    #[test]
    fn a_write_goes_on_when_the_thread_that_started_it_has_ended() {
        const LEN: usize = 600_000;
        let (ours, theirs) = pipe();
        let mut op = op(&ours);
        let op = thread::spawn(move || {
            op.start_write(&vec![7; LEN], true).unwrap();
            op
        })
        .join()
        .unwrap();
        let mut buf = vec![0; 50_000];
        let mut len = 0;
        while len < LEN {
            let read = read(theirs.as_handle(), &mut buf, long()).unwrap();
            assert!(buf[..read].iter().all(|&byte| byte == 7));
            len += read;
        }
        assert_eq!(wait(&op), LEN);
    }

    #[test]
    fn an_operation_that_nobody_has_any_more_completes_in_the_background() {
        const LEN: usize = 600_000;
        static DONE: AtomicUsize = AtomicUsize::new(0);
        for _ in 0..5 {
            let (ours, theirs) = pipe();
            let mut op = op(&ours);
            op.start_write(&vec![7; LEN], true).unwrap();
            let file = Arc::downgrade(&ours);
            drop(ours);
            op.finish_in_background();
            let mut buf = vec![0; 50_000];
            let mut len = 0;
            while len < LEN {
                len += read(theirs.as_handle(), &mut buf, long()).unwrap();
            }
            // The end is closed when it is done.
            assert!(read(theirs.as_handle(), &mut buf, long()).is_err());
            assert_eq!(file.strong_count(), 0);
            DONE.fetch_add(1, Ordering::Relaxed);
        }
        assert_eq!(DONE.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn an_event_that_was_set_for_something_else_does_not_end_a_wait() {
        let (ours, theirs) = pipe();
        let mut op = op(&ours);
        op.start_read(10);
        op.signal().event().set();
        assert!(!op.waiter().wait(soon()));
        op.signal().event().set();
        write(theirs.as_handle(), b"x").unwrap();
        assert_eq!(wait(&op), 1);
    }

    #[test]
    fn milliseconds_are_rounded_up_and_never_mean_for_ever() {
        assert_eq!(milliseconds(Deadline::NEVER), INFINITE);
        assert_eq!(milliseconds(Deadline::after(Duration::ZERO)), 0);
        assert_eq!(milliseconds(Deadline::after(Duration::from_secs(3600 * 24 * 365))), INFINITE - 1);
        assert!((1..=1000).contains(&milliseconds(Deadline::after(Duration::from_secs(1)))));
    }
}
