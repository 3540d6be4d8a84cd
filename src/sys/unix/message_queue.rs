//! POSIX message queues (`mq_overview(7)`). rustix has none of these calls.

#[cfg(target_os = "linux")]
use super::socket;
use super::wait;
use crate::{deadline::Deadline, error::about, os::unix::message_queue::MessageQueueOptions};
use descriptor::Descriptor;
use rustix::{
    event::PollFlags,
    fs::{Mode, Stat},
    io::{Errno, retry_on_intr},
};
use std::{
    ffi::{CStr, CString, OsStr, c_int},
    fmt::Display,
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
    slice,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// What a queue is opened for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Send,
    Recv,
    Both,
}

/// One less than the system's `MQ_PRIO_MAX`.
const HIGHEST_PRIORITY: u32 = if cfg!(target_os = "linux") { 32_767 } else { 63 };

/// An open queue. The descriptor is always nonblocking; who wants to block polls. So a deadline is one of the monotonic clock,
/// which those of `mq_timedreceive` and `mq_timedsend` are not.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Before the descriptor, since it has to be dropped first.
    #[cfg(target_os = "linux")]
    name_guard: Option<name_guard::NameGuard>,
    descriptor: Descriptor,
    direction: Direction,
    pub(crate) max_messages: usize,
    pub(crate) max_message_size: usize,
    nonblocking: AtomicBool,
    pub(crate) recv_timeout: Timeout,
    pub(crate) send_timeout: Timeout,
}

impl Queue {
    pub(crate) fn open(name: &CStr, direction: Direction, options: &MessageQueueOptions) -> io::Result<Self> {
        if options.max_messages == Some(0) || options.max_message_size == Some(0) {
            return Err(invalid("a queue has room for a message of a byte at least"));
        }
        check_supported()?;
        let (descriptor, is_new) = open_or_create(name, direction, options)?;
        let prepared = Self::prepare(name, descriptor, direction, is_new, options);
        if is_new && prepared.is_err() {
            let _ = unlink(name);
        }
        prepared
    }

    fn prepare(
        name: &CStr,
        descriptor: Descriptor,
        direction: Direction,
        is_new: bool,
        options: &MessageQueueOptions,
    ) -> io::Result<Self> {
        let found = rustix::fs::fstat(&descriptor)?;
        if is_new {
            // The umask has had its way with the mode. Until now that let in fewer, never more.
            #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
            let mode = Mode::from_raw_mode(options.mode.try_into().unwrap_or(0o600));
            if Mode::from_raw_mode(found.st_mode) != mode {
                rustix::fs::fchmod(&descriptor, mode)?;
            }
        } else if !options.any_owner && !is_trusted(&found) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("the queue belongs to another user, whose ID is {}", found.st_uid),
            ));
        }
        let attributes = attributes(&descriptor)?;
        #[allow(unused_mut, reason = "there are no guards elsewhere")]
        let mut queue = Self::new(descriptor, direction, &attributes);
        #[cfg(target_os = "linux")]
        if is_new && options.unlink_on_drop {
            queue.name_guard = Some(name_guard::NameGuard::new(name, &found));
        }
        #[cfg(not(target_os = "linux"))]
        let _ = name;
        Ok(queue)
    }

    fn new(descriptor: Descriptor, direction: Direction, attributes: &libc::mq_attr) -> Self {
        Self {
            #[cfg(target_os = "linux")]
            name_guard: None,
            descriptor,
            direction,
            max_messages: attributes.mq_maxmsg.try_into().unwrap_or(0),
            max_message_size: attributes.mq_msgsize.try_into().unwrap_or(0),
            nonblocking: AtomicBool::new(false),
            recv_timeout: Timeout::default(),
            send_timeout: Timeout::default(),
        }
    }

    pub(crate) fn send(&self, message: &[u8], priority: u32) -> io::Result<()> {
        self.check_sending(message.len(), priority)?;
        self.wait_with(PollFlags::OUT, &self.send_timeout, || send(&self.descriptor, message, priority))
    }

    pub(crate) fn recv(&self, buf: &mut Vec<u8>) -> io::Result<u32> {
        buf.clear();
        self.check_receiving(self.max_message_size)?;
        buf.try_reserve_exact(self.max_message_size)?;
        let (len, priority) = self.recv_uninit(buf.spare_capacity_mut())?;
        // SAFETY: the system has written a message of that length to the start of the buffer, and it fitted.
        unsafe { buf.set_len(len) };
        Ok(priority)
    }

    pub(crate) fn recv_into(&self, buf: &mut [u8]) -> io::Result<(usize, u32)> {
        self.check_receiving(buf.len())?;
        // SAFETY: it is the same memory, and nothing that is uninitialized will be written to it.
        self.recv_uninit(unsafe { slice::from_raw_parts_mut(buf.as_mut_ptr().cast(), buf.len()) })
    }

    fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, u32)> {
        self.wait_with(PollFlags::IN, &self.recv_timeout, || recv(&self.descriptor, buf))
    }

    /// What would be refused anyway, but maybe only after a wait.
    pub(crate) fn check_sending(&self, len: usize, priority: u32) -> io::Result<()> {
        if self.direction == Direction::Recv {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the queue was opened for receiving only",
            ));
        }
        if len > self.max_message_size {
            return Err(invalid(format_args!(
                "a message of {len} bytes is too long: this queue takes {}",
                self.max_message_size
            )));
        }
        if priority > HIGHEST_PRIORITY {
            return Err(invalid(format_args!(
                "there is no priority {priority}: the highest is {HIGHEST_PRIORITY}"
            )));
        }
        Ok(())
    }

    /// What would be refused anyway, but maybe only after a wait.
    pub(crate) fn check_receiving(&self, room: usize) -> io::Result<()> {
        if self.direction == Direction::Send {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the queue was opened for sending only",
            ));
        }
        if room < self.max_message_size {
            return Err(invalid(format_args!(
                "a buffer of {room} bytes is too small: messages of this queue have up to {}",
                self.max_message_size
            )));
        }
        Ok(())
    }

    fn wait_with<T>(
        &self,
        ready: PollFlags,
        timeout: &Timeout,
        mut attempt: impl FnMut() -> Result<T, Errno>,
    ) -> io::Result<T> {
        if self.nonblocking.load(Relaxed) {
            return Ok(attempt()?);
        }
        let deadline = || Ok(Deadline::after_or_never(timeout.get()));
        wait::wait_with(self.descriptor.as_fd(), ready, deadline, attempt)
    }

    pub(crate) fn message_count(&self) -> io::Result<usize> {
        Ok(attributes(&self.descriptor)?.mq_curmsgs.try_into().unwrap_or(0))
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) {
        self.nonblocking.store(nonblocking, Relaxed);
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.nonblocking.load(Relaxed)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// How long a call waits; `None` is for ever.
#[derive(Debug, Default)]
pub(crate) struct Timeout(Mutex<Option<Duration>>);

impl Timeout {
    pub(crate) fn set(&self, timeout: Option<Duration>) -> io::Result<()> {
        check_timeout(timeout)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = timeout;
        Ok(())
    }

    pub(crate) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn check_timeout(timeout: Option<Duration>) -> io::Result<()> {
    if timeout == Some(Duration::ZERO) {
        return Err(invalid("a timeout of zero; nonblocking mode is what does not wait"));
    }
    Ok(())
}

/// A name as the calls want it, if it is one on every system.
pub(crate) fn check_name(name: &OsStr) -> io::Result<CString> {
    /// Without the slash.
    const LONGEST: usize = 255;

    let Some(rest) = name.as_bytes().strip_prefix(b"/") else {
        return Err(invalid("the name has to start with a slash"));
    };
    if rest.contains(&b'/') {
        return Err(invalid("the name has more than one slash"));
    }
    if matches!(rest, b"" | b"." | b"..") {
        return Err(invalid("there is no name after the slash"));
    }
    if rest.len() > LONGEST {
        return Err(invalid(format_args!(
            "the name has {} bytes after the slash; the most is {LONGEST}",
            rest.len()
        )));
    }
    CString::new(name.as_bytes()).map_err(|_| invalid("the name contains NUL"))
}

fn invalid(what: impl Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_string())
}

/// Whether it belongs to us or to root.
fn is_trusted(found: &Stat) -> bool {
    found.st_uid == rustix::process::geteuid().as_raw() || found.st_uid == 0
}

/// Opens the queue, or makes it; and says which.
fn open_or_create(
    name: &CStr,
    direction: Direction,
    options: &MessageQueueOptions,
) -> io::Result<(Descriptor, bool)> {
    /// How often a queue may come and go between two calls.
    const ATTEMPTS: u32 = 100;

    let flags = match direction {
        Direction::Send => libc::O_WRONLY,
        Direction::Recv => libc::O_RDONLY,
        Direction::Both => libc::O_RDWR,
    };
    for _ in 1..ATTEMPTS {
        if !options.create_new {
            match open(name, flags) {
                Err(Errno::NOENT) if options.create => {}
                opened => return Ok((opened?, false)),
            }
        }
        match create(name, flags, options) {
            Ok(descriptor) => return Ok((descriptor, true)),
            // Somebody else was faster.
            Err(Errno::EXIST) if !options.create_new => {}
            Err(error) => return Err(limits::explain(error, options)),
        }
    }
    Err(Errno::EXIST.into())
}

fn open(name: &CStr, flags: c_int) -> Result<Descriptor, Errno> {
    retry_on_intr(|| {
        // SAFETY: the name is valid and ends with NUL; without O_CREAT there are no further arguments.
        let mqd = unsafe { libc::mq_open(name.as_ptr(), flags | ALWAYS) };
        // SAFETY: it is what `mq_open` has just returned.
        unsafe { Descriptor::from_open(mqd) }.ok_or_else(last_error)
    })
}

/// Makes a queue that is not there yet.
fn create(name: &CStr, flags: c_int, options: &MessageQueueOptions) -> Result<Descriptor, Errno> {
    // SAFETY: a structure of integers, for which zero is a value.
    let mut attributes: libc::mq_attr = unsafe { MaybeUninit::zeroed().assume_init() };
    let (messages, size) = options.room();
    attributes.mq_maxmsg = messages.try_into().map_err(|_| Errno::INVAL)?;
    attributes.mq_msgsize = size.try_into().map_err(|_| Errno::INVAL)?;
    let has_attributes = options.max_messages.is_some() || options.max_message_size.is_some();
    let attributes = if has_attributes { &raw const attributes } else { std::ptr::null() };
    let flags = flags | ALWAYS | libc::O_CREAT | libc::O_EXCL;
    retry_on_intr(|| {
        // SAFETY: the name is valid and ends with NUL; the mode is as wide as C passes it, and the attributes are valid or null.
        let mqd = unsafe { libc::mq_open(name.as_ptr(), flags, options.mode, attributes) };
        // SAFETY: it is what `mq_open` has just returned.
        unsafe { Descriptor::from_open(mqd) }.ok_or_else(last_error)
    })
}

/// Both systems set close-on-exec in any case.
const ALWAYS: c_int = libc::O_NONBLOCK | libc::O_CLOEXEC;

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn attributes(queue: &Descriptor) -> io::Result<libc::mq_attr> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the queue is open, and the pointer is valid for what is written.
    if unsafe { libc::mq_getattr(queue.as_raw(), attributes.as_mut_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has filled them in.
    Ok(unsafe { attributes.assume_init() })
}

fn send(queue: &Descriptor, message: &[u8], priority: u32) -> Result<(), Errno> {
    retry_on_intr(|| {
        // SAFETY: the queue is open, and the message is valid for its length.
        match unsafe { libc::mq_send(queue.as_raw(), message.as_ptr().cast(), message.len(), priority) } {
            -1 => Err(last_error()),
            _ => Ok(()),
        }
    })
}

/// The length and the priority of what was received.
fn recv(queue: &Descriptor, buf: &mut [MaybeUninit<u8>]) -> Result<(usize, u32), Errno> {
    retry_on_intr(|| {
        let mut priority = 0;
        // SAFETY: the queue is open, and the buffer and the priority are valid for what is written to them.
        let len = unsafe {
            libc::mq_receive(queue.as_raw(), buf.as_mut_ptr().cast(), buf.len(), &raw mut priority)
        };
        Ok((len.try_into().map_err(|_| last_error())?, priority))
    })
}

pub(crate) fn unlink(name: &CStr) -> io::Result<()> {
    check_supported()?;
    // SAFETY: the name is valid and ends with NUL.
    match unsafe { libc::mq_unlink(name.as_ptr()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(target_os = "linux")]
mod descriptor {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

    /// What `mq_open` gives, which is a descriptor like others, and closed like others.
    #[derive(Debug)]
    pub(crate) struct Descriptor(pub(super) OwnedFd);

    impl Descriptor {
        /// # Safety
        /// It is what `mq_open` gave, and nobody else's.
        pub(super) unsafe fn from_open(mqd: libc::mqd_t) -> Option<Self> {
            // SAFETY: it is not the -1 of a failure, so it is open, and ours as the caller says.
            (mqd != -1).then(|| Self(unsafe { OwnedFd::from_raw_fd(mqd) }))
        }

        pub(super) fn as_raw(&self) -> libc::mqd_t {
            self.0.as_raw_fd()
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(target_os = "freebsd")]
mod descriptor {
    use std::os::fd::{AsFd, BorrowedFd};

    /// What `mq_open` gives: memory of the C library, with a descriptor in it.
    #[derive(Debug)]
    pub(crate) struct Descriptor(libc::mqd_t);

    // SAFETY: the C library does not change that memory until the queue is closed, and the descriptor in it is the process's.
    unsafe impl Send for Descriptor {}
    // SAFETY: as above.
    unsafe impl Sync for Descriptor {}

    impl Descriptor {
        /// # Safety
        /// It is what `mq_open` gave, and nobody else's.
        pub(super) unsafe fn from_open(mqd: libc::mqd_t) -> Option<Self> {
            // A failure is -1 there, too.
            (mqd.addr() != usize::MAX).then_some(Self(mqd))
        }

        pub(super) fn as_raw(&self) -> libc::mqd_t {
            self.0
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            // SAFETY: the queue is open for as long as `self` lives, and its descriptor stays the same.
            unsafe { BorrowedFd::borrow_raw(libc::mq_getfd_np(self.0)) }
        }
    }

    impl Drop for Descriptor {
        fn drop(&mut self) {
            // SAFETY: it is open, ours, and used no more.
            unsafe { libc::mq_close(self.0) };
        }
    }
}

/// The descriptor as such, which only Linux's queues are.
#[cfg(target_os = "linux")]
mod conversion {
    use super::{Descriptor, Direction, Queue, io, socket};
    use rustix::fs::OFlags;
    use std::os::fd::{AsFd, OwnedFd};

    impl Queue {
        /// Takes a descriptor that somebody else made, or hands it back.
        pub(crate) fn from_fd(fd: OwnedFd) -> Result<Self, (io::Error, OwnedFd)> {
            let descriptor = Descriptor(fd);
            // Of what is no queue there are no attributes.
            let prepared = super::attributes(&descriptor).and_then(|attributes| {
                let flags = rustix::fs::fcntl_getfl(&descriptor)?;
                socket::set_nonblocking(descriptor.as_fd(), true)?;
                Ok((direction(flags), attributes))
            });
            match prepared {
                Ok((direction, attributes)) => Ok(Self::new(descriptor, direction, &attributes)),
                Err(error) => Err((error, descriptor.0)),
            }
        }
    }

    fn direction(flags: OFlags) -> Direction {
        match flags & OFlags::RWMODE {
            OFlags::WRONLY => Direction::Send,
            OFlags::RDWR => Direction::Both,
            _ => Direction::Recv,
        }
    }

    /// The name stays.
    impl From<Queue> for OwnedFd {
        fn from(queue: Queue) -> Self {
            if let Some(guard) = queue.name_guard {
                guard.keep();
            }
            queue.descriptor.0
        }
    }
}

/// Removes the name of a queue, if it still is that queue's.
#[cfg(target_os = "linux")]
mod name_guard {
    use super::{CStr, CString, Stat};
    use rustix::{io::Errno, process::Pid};

    #[derive(Debug)]
    pub(super) struct NameGuard {
        name: CString,
        id: (u64, u64),
        owner: Pid,
        is_kept: bool,
    }

    impl NameGuard {
        pub(super) fn new(name: &CStr, found: &Stat) -> Self {
            Self { name: name.to_owned(), id: id(found), owner: rustix::process::getpid(), is_kept: false }
        }

        pub(super) fn keep(mut self) {
            self.is_kept = true;
        }

        fn is_ours(&self) -> bool {
            let opened = match super::open(&self.name, libc::O_RDONLY) {
                Err(Errno::ACCESS) => super::open(&self.name, libc::O_WRONLY),
                opened => opened,
            };
            opened.and_then(rustix::fs::fstat).is_ok_and(|found| id(&found) == self.id)
        }
    }

    /// Has to run while the queue is open: until then no other gets the same inode.
    impl Drop for NameGuard {
        fn drop(&mut self) {
            // A child that was forked is not the one to do it.
            if !self.is_kept && rustix::process::getpid() == self.owner && self.is_ours() {
                let _ = super::unlink(&self.name);
            }
        }
    }

    #[allow(clippy::useless_conversion, reason = "the types differ between processors")]
    fn id(found: &Stat) -> (u64, u64) {
        (found.st_dev.into(), found.st_ino.into())
    }
}

/// What the system says when there are too many queues, or when they are too large.
mod limits {
    use super::{Errno, MessageQueueOptions, about, io};

    #[cfg(target_os = "linux")]
    const MAX_MESSAGES: &str = "/proc/sys/fs/mqueue/msg_max";
    #[cfg(target_os = "linux")]
    const MAX_MESSAGE_SIZE: &str = "/proc/sys/fs/mqueue/msgsize_max";
    #[cfg(target_os = "linux")]
    const MAX_QUEUES: &str = "/proc/sys/fs/mqueue/queues_max";

    #[cfg(target_os = "freebsd")]
    const MAX_MESSAGES: &str = "kern.mqueue.maxmsg";
    #[cfg(target_os = "freebsd")]
    const MAX_MESSAGE_SIZE: &str = "kern.mqueue.maxmsgsize";
    #[cfg(target_os = "freebsd")]
    const MAX_QUEUES: &str = "kern.mqueue.maxmq";

    /// The error, saying which limit was reached.
    pub(super) fn explain(error: Errno, options: &MessageQueueOptions) -> io::Error {
        let (messages, size) = options.room();
        let why = match error {
            Errno::INVAL => format!(
                "{messages} messages of {size} bytes are more than the system allows ({}, {})",
                limit(MAX_MESSAGES),
                limit(MAX_MESSAGE_SIZE)
            ),
            Errno::NOSPC | Errno::NFILE => format!("there are too many queues ({})", limit(MAX_QUEUES)),
            Errno::MFILE => {
                "there are too many descriptors, or all queues of this user together would take more \
                             bytes than it may have (RLIMIT_MSGQUEUE on Linux)"
                    .to_owned()
            }
            Errno::NOMEM | Errno::OVERFLOW => "there is not enough memory for so large a queue".to_owned(),
            _ => return error.into(),
        };
        about(why, error.into())
    }

    /// The name of the limit, and what it is if that can be read.
    fn limit(name: &str) -> String {
        match std::fs::read_to_string(name) {
            Ok(value) => format!("{name} is {}", value.trim_end()),
            Err(_) => name.to_owned(),
        }
    }
}

#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps, reason = "FreeBSD needs it")]
fn check_supported() -> io::Result<()> {
    Ok(())
}

/// Without the kernel's module, the first call would kill the process (`SIGSYS`).
#[cfg(target_os = "freebsd")]
fn check_supported() -> io::Result<()> {
    // SAFETY: a plain question.
    if unsafe { libc::sysconf(libc::_SC_MESSAGE_PASSING) } <= 0 {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the kernel has no message queues; the module mqueuefs is not loaded",
        ));
    }
    Ok(())
}
