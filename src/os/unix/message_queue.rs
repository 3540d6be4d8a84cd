//! POSIX message queues: short messages with priorities, kept by the kernel under a name, whether or not anybody looks
//! (`mq_overview(7)`).
//!
//! # When to use one
//! When whoever sends should not have to wait for a receiver to be there, when urgent messages should overtake others, or
//! when the other program uses one. The kernel keeps the messages, in order of priority and then of age, until somebody
//! receives them, the name is [removed](MessageQueue::unlink) and the last descriptor closed, or the machine stops. Nobody
//! learns who has sent a message or whether it was read, and there is not much room: 10 messages of 8 KiB, unless an
//! administrator allows more. For all else, see [local sockets](crate::local_socket).
//!
//! ```
//! use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
//!
//! # let name = format!("/interprocess-doc-queue-{}", std::process::id());
//! # let name = name.as_str();
//! let queue = MessageQueueOptions::new().create_new(true).open_recver(name)?; // a name such as "/example"
//!
//! // The sender, which is usually another program.
//! let sender = MessageQueueOptions::new().open_sender(name)?;
//! sender.send(b"tidy up", 0)?;
//! sender.send(b"fire!", 9)?;
//!
//! let mut message = Vec::new();
//! assert_eq!(queue.recv(&mut message)?, 9);
//! assert_eq!(message, b"fire!");
//! assert_eq!(queue.recv(&mut message)?, 0);
//! assert_eq!(message, b"tidy up");
//!
//! MessageQueue::unlink(name)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Names
//! A name is a slash and up to 255 bytes, none of which is a slash or NUL; they are not `.` or `..`. Anything else is
//! [`InvalidInput`](std::io::ErrorKind::InvalidInput) before the system is asked. Names are no paths of files, and are the same
//! for all processes of the machine (on Linux, of the IPC namespace). Every error about opening and removing says the name.
//!
//! # Who may use a queue
//! Its owner alone, unless the [mode](MessageQueueOptions::mode) says otherwise. Anybody can make a queue of any name that is
//! free, and so read what is sent to it. So a queue that belongs to somebody other than our user and root is not opened unless
//! [that is asked for](MessageQueueOptions::any_owner).
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have the queue for async code.
//!
//! # Platform-specific behaviour
//! This module exists on Linux and FreeBSD. FreeBSD needs the kernel module `mqueuefs`; without it, opening is
//! [`Unsupported`](std::io::ErrorKind::Unsupported).
//!
//! Of the other systems that have such queues, NetBSD and DragonFly BSD keep nonblocking mode with the queue and not with its
//! descriptors, so that every program would feel what one needs for its deadlines; and the queues of illumos are files of the
//! C library that cannot be waited for with a deadline of the monotonic clock. Android, macOS and OpenBSD have none.

#[cfg(target_os = "linux")]
use crate::error::{FromFdError, NoDetails};
#[cfg(feature = "async")]
use crate::runtime::{Async, Runtime, Source, private::Sealed};
use crate::{error::about, sys::unix::message_queue as sys};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::{
    ffi::OsStr,
    io,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};
use sys::Direction;

/// How to open a [`MessageQueue`], or to create it. Reads like [`std::fs::OpenOptions`].
///
/// ```
/// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
///
/// # let name = format!("/interprocess-doc-queue-options-{}", std::process::id());
/// # let name = name.as_str();
/// let queue = MessageQueueOptions::new()
///     .create(true)
///     .mode(0o620) // the group may send
///     .max_messages(4)
///     .max_message_size(100)
///     .open(name)?;
/// assert_eq!((queue.max_messages(), queue.max_message_size()), (4, 100));
/// # MessageQueue::unlink(name)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a queue is opened with them"]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own, as in std")]
pub struct MessageQueueOptions {
    pub(crate) create: bool,
    pub(crate) create_new: bool,
    pub(crate) mode: u32,
    pub(crate) max_messages: Option<usize>,
    pub(crate) max_message_size: Option<usize>,
    pub(crate) any_owner: bool,
    #[cfg(target_os = "linux")]
    pub(crate) unlink_on_drop: bool,
    nonblocking: bool,
    recv_timeout: Option<Duration>,
    send_timeout: Option<Duration>,
}

impl Default for MessageQueueOptions {
    fn default() -> Self {
        Self {
            create: false,
            create_new: false,
            mode: 0o600,
            max_messages: None,
            max_message_size: None,
            any_owner: false,
            #[cfg(target_os = "linux")]
            unlink_on_drop: false,
            nonblocking: false,
            recv_timeout: None,
            send_timeout: None,
        }
    }
}

impl MessageQueueOptions {
    /// Options to open a queue that exists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to create the queue if there is none of that name. The default is no.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether to create the queue, and to fail if there is one of that name. The default is no.
    pub fn create_new(mut self, create_new: bool) -> Self {
        self.create_new = create_new;
        self
    }

    /// The permissions of a queue that is created: who may read may receive, who may write may send. The default is 0600. The
    /// `umask` does not change it. Of a queue that exists, the mode stays as it is.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// How many messages a queue that is created has room for. The default is the system's, which is 10, or 10 if only
    /// [`max_message_size`](Self::max_message_size) is set.
    ///
    /// On Linux, a limit on all queues of a user together (`RLIMIT_MSGQUEUE`, mostly 800 KiB) leaves room for nine queues of the
    /// default size.
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = Some(messages);
        self
    }

    /// How many bytes a message may have in a queue that is created. The default is the system's: 8192 on Linux, 1024 on
    /// FreeBSD, unless it was told otherwise. If only [`max_messages`](Self::max_messages) is set, it is these numbers.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }

    /// Whether to open a queue that belongs to a user other than ours and root. The default is no: they may have made it for
    /// us to send secrets to.
    pub fn any_owner(mut self, any_owner: bool) -> Self {
        self.any_owner = any_owner;
        self
    }

    /// Whether to remove the name when the [`MessageQueue`] is dropped, if the queue was created by it. The default is no.
    /// A name that is another queue's by then is left alone, and so is one that we may not open to see that. Processes that
    /// have the queue open go on with it.
    ///
    /// There is no call to remove a name only if it is a certain queue's: who removes it and makes another queue of that name at
    /// the very moment of the drop may lose the new name.
    ///
    /// # Platform-specific behaviour
    /// Only on Linux can it be told whose the name is.
    ///
    /// ```
    /// use interprocess::os::unix::message_queue::MessageQueueOptions;
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!("/interprocess-doc-queue-unlink-on-drop-{}", std::process::id());
    /// # let name = name.as_str();
    /// let queue = MessageQueueOptions::new().create_new(true).unlink_on_drop(true).open(name)?;
    /// drop(queue);
    /// assert_eq!(MessageQueueOptions::new().open(name).unwrap_err().kind(), ErrorKind::NotFound);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(target_os = "linux")]
    pub fn unlink_on_drop(mut self, unlink: bool) -> Self {
        self.unlink_on_drop = unlink;
        self
    }

    /// Whether what would wait is [`WouldBlock`](io::ErrorKind::WouldBlock). The default is no.
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// How long receiving waits. The default, `None`, is for as long as it takes. See
    /// [`MessageQueue::set_recv_timeout`].
    pub fn recv_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.recv_timeout = timeout;
        self
    }

    /// How long sending waits. The default, `None`, is for as long as it takes. See
    /// [`MessageQueue::set_send_timeout`].
    pub fn send_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.send_timeout = timeout;
        self
    }

    /// Opens the queue to send and to receive, for which we have to be allowed both. See [names](self#names).
    ///
    /// # Errors
    /// Each says the name.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): a name that is not possible; a timeout of zero; or a queue that is to be
    ///   created with no room, or with more than the system allows. The error says how much that is.
    /// - [`NotFound`](io::ErrorKind::NotFound): there is no such queue, and it is not to be created.
    /// - [`AlreadyExists`](io::ErrorKind::AlreadyExists): there is one, and it was to be new.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): the mode does not let us, or the queue belongs to
    ///   [another user](Self::any_owner).
    /// - [`StorageFull`](io::ErrorKind::StorageFull), or `EMFILE` as the source's code: the system has no more queues to give, or
    ///   none that large to this user.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): this kernel has no message queues.
    ///
    /// Stands on `mq_open(3)`.
    pub fn open(&self, name: impl AsRef<OsStr>) -> io::Result<MessageQueue> {
        self.open_for(Direction::Both, name.as_ref())
    }

    /// Opens the queue to send only. See [`open`](Self::open).
    pub fn open_sender(&self, name: impl AsRef<OsStr>) -> io::Result<MessageQueue> {
        self.open_for(Direction::Send, name.as_ref())
    }

    /// Opens the queue to receive only. See [`open`](Self::open).
    pub fn open_recver(&self, name: impl AsRef<OsStr>) -> io::Result<MessageQueue> {
        self.open_for(Direction::Recv, name.as_ref())
    }

    fn open_for(&self, direction: Direction, name: &OsStr) -> io::Result<MessageQueue> {
        let open = || {
            sys::check_timeout(self.recv_timeout)?;
            sys::check_timeout(self.send_timeout)?;
            let queue = MessageQueue(sys::Queue::open(&sys::check_name(name)?, direction, self)?);
            queue.set_recv_timeout(self.recv_timeout)?;
            queue.set_send_timeout(self.send_timeout)?;
            queue.set_nonblocking(self.nonblocking);
            Ok(queue)
        };
        open().map_err(|error| explain(name, error))
    }

    /// How many messages of how many bytes a queue is created for, if that is not left to the system.
    pub(crate) fn room(&self) -> (usize, usize) {
        let default_size = if cfg!(target_os = "linux") { 8192 } else { 1024 };
        (self.max_messages.unwrap_or(10), self.max_message_size.unwrap_or(default_size))
    }
}

/// The same error, saying which queue it concerns.
fn explain(name: &OsStr, error: io::Error) -> io::Error {
    about(format_args!("message queue \"{}\"", name.to_string_lossy()), error)
}

/// An open queue. It can be used by any number of threads and processes at once, each of which receives other messages.
///
/// No child inherits it. Dropping it closes it; the queue and its messages stay, unless the name was
/// [removed](Self::unlink) and nobody else has it open.
///
/// ```
/// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
/// use std::{io::ErrorKind, time::Duration};
///
/// # let name = format!("/interprocess-doc-queue-queue-{}", std::process::id());
/// # let name = name.as_str();
/// let queue = MessageQueueOptions::new().create_new(true).max_message_size(64).open(name)?;
/// # MessageQueue::unlink(name)?;
/// queue.set_recv_timeout(Some(Duration::from_millis(10)))?;
/// let mut message = Vec::new();
/// assert_eq!(queue.recv(&mut message).unwrap_err().kind(), ErrorKind::TimedOut);
///
/// queue.send(b"late", 0)?;
/// queue.recv(&mut message)?;
/// assert_eq!(message, b"late");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MessageQueue(sys::Queue);

impl MessageQueue {
    /// Removes the name. Processes that have the queue open go on with it, and a new queue of the same name is another one.
    /// Stands on `mq_unlink(3)`.
    ///
    /// # Errors
    /// Each says the name.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): a name that is not possible. See [names](self#names).
    /// - [`NotFound`](io::ErrorKind::NotFound): there is no such queue.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): it belongs to another user, and we are not root.
    /// - [`Unsupported`](io::ErrorKind::Unsupported): this kernel has no message queues.
    ///
    /// For an example see the [module](self).
    pub fn unlink(name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = name.as_ref();
        sys::check_name(name).and_then(|name| sys::unlink(&name)).map_err(|error| explain(name, error))
    }

    /// Sends a message, whole; waits for room if there is none. It may be of zero bytes. Stands on `mq_send(3)`, and on `poll(2)`
    /// where it has to wait.
    ///
    /// A message of a higher priority is received before those of lower ones; among equals, the oldest is first. Priorities
    /// are from 0 to 31 at least: to 32767 on Linux, to 63 on FreeBSD.
    ///
    /// # Errors
    /// Nothing was sent then.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): the message is longer than [the queue takes](Self::max_message_size), or
    ///   there is no such priority.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): no room within the [timeout](Self::set_send_timeout).
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): no room, and the queue is [nonblocking](Self::set_nonblocking).
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): it was opened to receive only.
    ///
    /// For an example see [`MessageQueue`].
    pub fn send(&self, message: &[u8], priority: u32) -> io::Result<()> {
        self.0.send(message, priority)
    }

    /// Receives the oldest message of the highest priority, which replaces what is in `buf`, and gives that priority; waits for
    /// a message if there is none. The buffer grows to [`max_message_size`](Self::max_message_size) if it is smaller. Stands on
    /// `mq_receive(3)`, and on `poll(2)` where it has to wait.
    ///
    /// # Errors
    /// `buf` is empty then, and no message is lost.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): no message within the [timeout](Self::set_recv_timeout).
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): no message, and the queue is [nonblocking](Self::set_nonblocking).
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): it was opened to send only.
    /// - [`OutOfMemory`](io::ErrorKind::OutOfMemory): there is none for the buffer.
    ///
    /// For an example see [`MessageQueue`].
    pub fn recv(&self, buf: &mut Vec<u8>) -> io::Result<u32> {
        self.0.recv(buf)
    }

    /// Like [`recv`](Self::recv), into a buffer that does not grow. Gives the length in bytes and the priority.
    ///
    /// # Errors
    /// Those of [`recv`](Self::recv), and [`InvalidInput`](io::ErrorKind::InvalidInput) if the buffer has less than
    /// [`max_message_size`](Self::max_message_size) bytes, however long the message is: the system wants it so.
    ///
    /// ```
    /// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
    ///
    /// # let name = format!("/interprocess-doc-queue-recv-into-{}", std::process::id());
    /// # let name = name.as_str();
    /// let queue = MessageQueueOptions::new().create_new(true).max_message_size(8).open(name)?;
    /// # MessageQueue::unlink(name)?;
    /// queue.send(b"12345", 3)?;
    /// let mut buf = [0; 8];
    /// assert_eq!(queue.recv_into(&mut buf)?, (5, 3));
    /// assert_eq!(&buf[..5], b"12345");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_into(&self, buf: &mut [u8]) -> io::Result<(usize, u32)> {
        self.0.recv_into(buf)
    }

    /// How many messages wait to be received. Never waits itself. Stands on `mq_getattr(3)`.
    ///
    /// ```
    /// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
    ///
    /// # let name = format!("/interprocess-doc-queue-count-{}", std::process::id());
    /// # let name = name.as_str();
    /// let queue = MessageQueueOptions::new().create_new(true).max_message_size(64).open(name)?;
    /// # MessageQueue::unlink(name)?;
    /// queue.send(b"one", 0)?;
    /// queue.send(b"two", 0)?;
    /// assert_eq!(queue.message_count()?, 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn message_count(&self) -> io::Result<usize> {
        self.0.message_count()
    }

    /// How many messages there is room for.
    ///
    /// For an example see [`MessageQueueOptions`].
    pub fn max_messages(&self) -> usize {
        self.0.max_messages
    }

    /// How many bytes a message may have.
    ///
    /// For an example see [`MessageQueueOptions`].
    pub fn max_message_size(&self) -> usize {
        self.0.max_message_size
    }

    /// How long receiving waits from now on; `None` is for as long as it takes. The clock being set makes no difference. Has no
    /// effect in nonblocking and async code.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): a timeout of zero, which is what
    /// [`set_nonblocking`](Self::set_nonblocking) is for.
    ///
    /// For an example see [`MessageQueue`].
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.recv_timeout.set(timeout)
    }

    /// How long receiving waits; `None` is for as long as it takes.
    pub fn recv_timeout(&self) -> Option<Duration> {
        self.0.recv_timeout.get()
    }

    /// How long sending waits from now on, like [`set_recv_timeout`](Self::set_recv_timeout).
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): a timeout of zero.
    ///
    /// ```
    /// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
    /// use std::{io::ErrorKind, time::Duration};
    ///
    /// # let name = format!("/interprocess-doc-queue-send-timeout-{}", std::process::id());
    /// # let name = name.as_str();
    /// let queue = MessageQueueOptions::new().create_new(true).max_messages(1).open(name)?;
    /// # MessageQueue::unlink(name)?;
    /// queue.set_send_timeout(Some(Duration::from_millis(10)))?;
    /// queue.send(b"there is room", 0)?;
    /// assert_eq!(queue.send(b"there is none", 0).unwrap_err().kind(), ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.send_timeout.set(timeout)
    }

    /// How long sending waits; `None` is for as long as it takes.
    pub fn send_timeout(&self) -> Option<Duration> {
        self.0.send_timeout.get()
    }

    /// Whether what would wait is [`WouldBlock`](io::ErrorKind::WouldBlock) from now on. It is a mode of this object: others
    /// who have the queue open do not notice.
    ///
    /// ```
    /// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!("/interprocess-doc-queue-nonblocking-{}", std::process::id());
    /// # let name = name.as_str();
    /// let queue = MessageQueueOptions::new().create_new(true).max_message_size(64).open(name)?;
    /// # MessageQueue::unlink(name)?;
    /// queue.set_nonblocking(true);
    /// assert_eq!(queue.recv(&mut Vec::new()).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) {
        self.0.set_nonblocking(nonblocking);
    }

    /// Whether it is nonblocking.
    pub fn is_nonblocking(&self) -> bool {
        self.0.is_nonblocking()
    }
}

/// To be polled, or passed on. It can be read from when there is a message, and written to when there is room; both only by the
/// calls for queues. It is nonblocking, and has to stay so.
impl AsFd for MessageQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The descriptor is nonblocking. The name stays, whatever
/// [`unlink_on_drop`](MessageQueueOptions::unlink_on_drop) says.
#[cfg(target_os = "linux")]
impl From<MessageQueue> for OwnedFd {
    fn from(queue: MessageQueue) -> Self {
        queue.0.into()
    }
}

/// Takes the descriptor of a queue from elsewhere, such as one that was inherited or received. It is set to nonblocking, for all
/// who have it: deadlines hold as long as nobody makes it blocking again.
///
/// # Errors
/// It is handed back, with the reason as the [cause](FromFdError::cause): it is something else.
///
/// Stands on `mq_getattr(3)`.
///
/// ```
/// use interprocess::os::unix::message_queue::{MessageQueue, MessageQueueOptions};
/// use std::{fs::File, os::fd::OwnedFd};
///
/// # let name = format!("/interprocess-doc-queue-fd-{}", std::process::id());
/// # let name = name.as_str();
/// let queue = MessageQueueOptions::new().create_new(true).max_message_size(64).open(name)?;
/// # MessageQueue::unlink(name)?;
/// let queue = MessageQueue::try_from(OwnedFd::from(queue))?;
///
/// let file = OwnedFd::from(File::open("/dev/null")?);
/// let file: File = MessageQueue::try_from(file).unwrap_err().source.unwrap().into();
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(target_os = "linux")]
impl TryFrom<OwnedFd> for MessageQueue {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        match sys::Queue::from_fd(fd) {
            Ok(queue) => Ok(Self(queue)),
            Err((error, fd)) => Err(FromFdError { details: NoDetails, cause: Some(error), source: Some(fd) }),
        }
    }
}

#[cfg(feature = "async")]
impl Sealed for MessageQueue {}

// SAFETY: the descriptor is the one that the object owns, from when it is made until it is dropped or given away whole.
#[cfg(feature = "async")]
unsafe impl Source for MessageQueue {
    type Io<R: Runtime> = R::Io<Self>;
}

/// The async face of a [`MessageQueue`]. What does not wait is done by [`get_ref`](Self::get_ref).
///
/// Any number of tasks may wait; each receives other messages.
#[cfg(feature = "async")]
impl<R: Runtime> Async<MessageQueue, R> {
    /// The twin of [`MessageQueue::send`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was sent.
    pub async fn send(&self, message: &[u8], priority: u32) -> io::Result<()> {
        self.get_ref().0.check_sending(message.len(), priority)?;
        self.write_with(|queue| queue.send(message, priority)).await
    }

    /// The twin of [`MessageQueue::recv`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, no message is lost. `buf` is empty then.
    pub async fn recv(&self, buf: &mut Vec<u8>) -> io::Result<u32> {
        buf.clear();
        self.get_ref().0.check_receiving(self.get_ref().max_message_size())?;
        self.read_with(|queue| queue.recv(buf)).await
    }

    /// The twin of [`MessageQueue::recv_into`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, no message is lost.
    pub async fn recv_into(&self, buf: &mut [u8]) -> io::Result<(usize, u32)> {
        self.get_ref().0.check_receiving(buf.len())?;
        self.read_with(|queue| queue.recv_into(buf)).await
    }

    /// The twin of [`MessageQueue::message_count`].
    pub fn message_count(&self) -> io::Result<usize> {
        self.get_ref().message_count()
    }

    /// The twin of [`MessageQueue::max_messages`].
    pub fn max_messages(&self) -> usize {
        self.get_ref().max_messages()
    }

    /// The twin of [`MessageQueue::max_message_size`].
    pub fn max_message_size(&self) -> usize {
        self.get_ref().max_message_size()
    }
}

/// To the async face, within the runtime.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<MessageQueue> for Async<MessageQueue, R> {
    type Error = io::Error;

    fn try_from(queue: MessageQueue) -> io::Result<Self> {
        queue.set_nonblocking(true);
        Self::new(queue)
    }
}

/// To the blocking face.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<Async<MessageQueue, R>> for MessageQueue {
    type Error = io::Error;

    fn try_from(queue: Async<MessageQueue, R>) -> io::Result<Self> {
        let queue = queue.into_inner()?;
        queue.set_nonblocking(false);
        Ok(queue)
    }
}

/// Message queues for Tokio.
///
/// ```
/// use interprocess::os::unix::message_queue::{self, MessageQueue, MessageQueueOptions};
///
/// # let name = format!("/interprocess-doc-queue-tokio-{}", std::process::id());
/// # let name = name.as_str();
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let queue = MessageQueueOptions::new().create_new(true).max_message_size(64).open(name)?;
/// # MessageQueue::unlink(name)?;
/// let queue = message_queue::tokio::MessageQueue::try_from(queue)?;
/// queue.send(b"hello", 1).await?;
/// let mut message = Vec::new();
/// assert_eq!(queue.recv(&mut message).await?, 1);
/// assert_eq!(message, b"hello");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "tokio")]
pub mod tokio {
    /// The async face of a [`MessageQueue`](super::MessageQueue).
    pub type MessageQueue = super::Async<super::MessageQueue, crate::runtime::Tokio>;
}

/// Message queues for smol, async-std and any other executor.
///
/// ```
/// use interprocess::os::unix::message_queue::{self, MessageQueue, MessageQueueOptions};
///
/// # let name = format!("/interprocess-doc-queue-smol-{}", std::process::id());
/// # let name = name.as_str();
/// # async_io::block_on(async {
/// let queue = MessageQueueOptions::new().create_new(true).max_message_size(64).open(name)?;
/// # MessageQueue::unlink(name)?;
/// let queue = message_queue::smol::MessageQueue::try_from(queue)?;
/// queue.send(b"hello", 1).await?;
/// let mut message = Vec::new();
/// assert_eq!(queue.recv(&mut message).await?, 1);
/// assert_eq!(message, b"hello");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "smol")]
pub mod smol {
    /// The async face of a [`MessageQueue`](super::MessageQueue).
    pub type MessageQueue = super::Async<super::MessageQueue, crate::runtime::Smol>;
}
