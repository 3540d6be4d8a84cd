//! Counters to wake each other with, of which poll and every event loop can tell when they are not zero: `eventfd(2)`.
//!
//! # When to use one
//! To wake a thread or another process that waits for descriptors, at the price of one descriptor and one system call: half
//! of what a pipe takes. What is added while nobody looks adds up, so a waker never waits and a sleeper wakes once. As a
//! [semaphore](EventFd::semaphore) it hands out permits one by one.
//!
//! An `EventFd` has no name. Threads share it; a child inherits it, or a process gets it over a Unix-domain socket, as any
//! descriptor. The counter is the kernel's, and lasts until the last descriptor is closed.
//!
//! ```
//! use interprocess::os::unix::eventfd::EventFd;
//!
//! let event = EventFd::new(0)?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| event.add(1));
//!     assert_eq!(event.take()?, 1); // waits for the other thread
//!     Ok::<(), std::io::Error>(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have it for async code.
//!
//! # Platform-specific behaviour
//! This module exists on Linux, Android, FreeBSD and illumos. FreeBSD has the call since version 13; before that, creating one
//! is [`Unsupported`](std::io::ErrorKind::Unsupported).

#[cfg(feature = "async")]
use crate::runtime::{Async, Interest, Runtime, Source, limited, private::Sealed};
use crate::{
    TryClone,
    deadline::Deadline,
    error::{FromFdError, NoDetails},
    sys::unix::eventfd as sys,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

/// A counter from 0 to `u64::MAX - 1`. It can be used by any number of threads and processes at once.
///
/// No child inherits it, unless its close-on-exec flag is cleared. See the [module](self) for more.
///
/// ```
/// use interprocess::os::unix::eventfd::EventFd;
/// use std::{io::ErrorKind, time::Duration};
///
/// let event = EventFd::new(2)?;
/// event.add(3)?;
/// assert_eq!(event.take()?, 5);
/// let nothing = event.take_timeout(Duration::from_millis(10)).unwrap_err();
/// assert_eq!(nothing.kind(), ErrorKind::TimedOut);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct EventFd(sys::EventFd);

impl EventFd {
    /// Creates a counter that [`take`](Self::take) takes as a whole. Stands on `eventfd(2)`.
    ///
    /// # Errors
    /// The system's, for want of descriptors (`EMFILE`) or memory.
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    ///
    /// let event = EventFd::new(7)?;
    /// assert_eq!(event.take()?, 7);
    /// assert!(!event.is_set()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(initial: u32) -> io::Result<Self> {
        sys::EventFd::new(initial, false).map(Self)
    }

    /// Creates a semaphore: a counter that [`take`](Self::take) takes 1 of. Stands on `eventfd(2)` with `EFD_SEMAPHORE`.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    ///
    /// let permits = EventFd::semaphore(2)?;
    /// assert_eq!(permits.take()?, 1);
    /// assert_eq!(permits.take()?, 1);
    /// assert!(!permits.is_set()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn semaphore(initial: u32) -> io::Result<Self> {
        sys::EventFd::new(initial, true).map(Self)
    }

    /// Adds to the counter, and waits for room if the sum would be more than `u64::MAX - 1`. It is added as a whole. Stands on
    /// `write(2)`, and on `poll(2)` where it has to wait.
    ///
    /// Where there is room, but not for so much, the system does not tell when there is more; then it is tried again every
    /// 10 milliseconds at the latest.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): `u64::MAX`, which there can be no room for.
    ///
    /// For an example see [`EventFd`].
    pub fn add(&self, value: u64) -> io::Result<()> {
        self.0.add(value, || Deadline::NEVER)
    }

    /// Like [`add`](Self::add), but waits for no longer than `timeout`.
    ///
    /// # Errors
    /// Those of [`add`](Self::add), and [`TimedOut`](io::ErrorKind::TimedOut); then nothing was added.
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    /// use std::{io::ErrorKind, time::Duration};
    ///
    /// let event = EventFd::new(0)?;
    /// event.add(u64::MAX - 1)?;
    /// let full = event.add_timeout(1, Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(full.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn add_timeout(&self, value: u64, timeout: Duration) -> io::Result<()> {
        self.0.add(value, || Deadline::after(timeout))
    }

    /// Like [`add`](Self::add), but never waits.
    ///
    /// # Errors
    /// Those of [`add`](Self::add), and [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room; then nothing was added.
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    /// use std::io::ErrorKind;
    ///
    /// let event = EventFd::new(0)?;
    /// event.try_add(u64::MAX - 1)?;
    /// assert_eq!(event.try_add(1).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_add(&self, value: u64) -> io::Result<()> {
        self.0.try_add(value)
    }

    /// Waits until the counter is not zero, takes all of it (or 1, from a [semaphore](Self::semaphore)), and gives what was
    /// taken. Of those who wait, one gets it. Stands on `read(2)`, and on `poll(2)` where it has to wait.
    ///
    /// For an example see [`EventFd`].
    pub fn take(&self) -> io::Result<u64> {
        self.0.take(|| Deadline::NEVER)
    }

    /// Like [`take`](Self::take), but waits for no longer than `timeout`, whoever else takes meanwhile.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut): it was zero all the time, or others were faster.
    ///
    /// For an example see [`EventFd`].
    pub fn take_timeout(&self, timeout: Duration) -> io::Result<u64> {
        self.0.take(|| Deadline::after(timeout))
    }

    /// Like [`take`](Self::take), but never waits.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): it is zero.
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    /// use std::io::ErrorKind;
    ///
    /// let event = EventFd::new(1)?;
    /// assert_eq!(event.try_take()?, 1);
    /// assert_eq!(event.try_take().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_take(&self) -> io::Result<u64> {
        self.0.try_take()
    }

    /// Whether the counter is not zero at this moment. Takes nothing and never waits. Stands on `poll(2)`.
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    ///
    /// let event = EventFd::new(0)?;
    /// assert!(!event.is_set()?);
    /// event.add(1)?;
    /// assert!(event.is_set()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_set(&self) -> io::Result<bool> {
        self.0.is_set()
    }

    /// Another object for the same counter. Stands on `fcntl(2)` with `F_DUPFD_CLOEXEC`.
    ///
    /// # Errors
    /// The system's, for want of descriptors.
    ///
    /// ```
    /// use interprocess::os::unix::eventfd::EventFd;
    ///
    /// let event = EventFd::new(0)?;
    /// let waker = event.try_clone()?;
    /// std::thread::spawn(move || waker.add(1));
    /// assert_eq!(event.take()?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

impl TryClone for EventFd {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

/// To be polled, or passed on. It can be read from when the counter is not zero. It is nonblocking, and has to stay so.
impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The descriptor is nonblocking.
impl From<EventFd> for OwnedFd {
    fn from(event: EventFd) -> Self {
        event.0.into()
    }
}

/// Takes an eventfd from elsewhere, such as one that was inherited or received. It is set to nonblocking, for all who have
/// it: deadlines hold as long as nobody makes it blocking again.
///
/// # Errors
/// It is handed back, with the reason as the [cause](FromFdError::cause): it is something else.
///
/// # Platform-specific behaviour
/// On Linux and Android, /proc says what it is. Where it is not mounted, and on other systems, that shows when the descriptor is
/// used.
///
/// ```
/// use interprocess::os::unix::eventfd::EventFd;
/// use std::os::fd::OwnedFd;
///
/// let fd = OwnedFd::from(EventFd::new(3)?);
/// let event = EventFd::try_from(fd)?;
/// assert_eq!(event.take()?, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
impl TryFrom<OwnedFd> for EventFd {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        match sys::EventFd::from_fd(fd) {
            Ok(event) => Ok(Self(event)),
            Err((error, fd)) => Err(FromFdError { details: NoDetails, cause: Some(error), source: Some(fd) }),
        }
    }
}

#[cfg(feature = "async")]
impl Sealed for EventFd {}

// SAFETY: the descriptor is the one that the object owns, from when it is made until it is dropped or given away whole.
#[cfg(feature = "async")]
unsafe impl Source for EventFd {
    type Io<R: Runtime> = R::Io<Self>;
}

/// The async face of an [`EventFd`]. What does not wait is done by [`get_ref`](Self::get_ref); what waits there blocks the
/// thread.
#[cfg(feature = "async")]
impl<R: Runtime> Async<EventFd, R> {
    /// The twin of [`EventFd::take`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was taken.
    pub async fn take(&self) -> io::Result<u64> {
        self.read_with(EventFd::try_take).await
    }

    /// The twin of [`EventFd::add`].
    ///
    /// # Errors
    /// Those of [`EventFd::add`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was added.
    pub async fn add(&self, value: u64) -> io::Result<()> {
        sys::check_value(value)?;
        let mut pause = sys::FIRST_PAUSE;
        let attempt = |event: &EventFd| match event.try_add(value) {
            // No readiness comes of that.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && event.0.has_room()? => Ok(false),
            result => result.map(|()| true),
        };
        while !self.write_with(attempt).await? {
            R::sleep(pause).await;
            pause = sys::next_pause(pause);
        }
        Ok(())
    }

    /// The twin of [`EventFd::take_timeout`].
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut): it was zero all the while.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was taken.
    pub async fn take_timeout(&self, timeout: Duration) -> io::Result<u64> {
        limited::<_, R>(timeout, self.take()).await
    }

    /// The twin of [`EventFd::add_timeout`].
    ///
    /// # Errors
    /// Those of [`EventFd::add_timeout`].
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was added.
    pub async fn add_timeout(&self, value: u64, timeout: Duration) -> io::Result<()> {
        limited::<_, R>(timeout, self.add(value)).await
    }

    /// The twin of [`EventFd::try_take`]. After [`WouldBlock`](io::ErrorKind::WouldBlock), [`ready`](Self::ready) waits.
    pub fn try_take(&self) -> io::Result<u64> {
        self.try_io(Interest::Read, EventFd::try_take)
    }

    /// The twin of [`EventFd::try_add`].
    pub fn try_add(&self, value: u64) -> io::Result<()> {
        self.try_io(Interest::Write, |event| event.try_add(value))
    }

    /// The twin of [`EventFd::try_clone`], within the runtime.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.get_ref().try_clone()?)
    }

    /// The twin of [`EventFd::is_set`].
    pub fn is_set(&self) -> io::Result<bool> {
        self.get_ref().is_set()
    }
}

/// To the async face, within the runtime.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<EventFd> for Async<EventFd, R> {
    type Error = io::Error;

    fn try_from(event: EventFd) -> io::Result<Self> {
        Self::new(event)
    }
}

/// To the blocking face.
#[cfg(feature = "async")]
impl<R: Runtime> TryFrom<Async<EventFd, R>> for EventFd {
    type Error = io::Error;

    fn try_from(event: Async<EventFd, R>) -> io::Result<Self> {
        event.into_inner()
    }
}

/// Counters for Tokio.
///
/// ```
/// use interprocess::os::unix::eventfd::{self, EventFd};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let event = EventFd::new(0)?;
/// let waker = event.try_clone()?;
/// let event = eventfd::tokio::EventFd::try_from(event)?;
/// std::thread::spawn(move || waker.add(1));
/// assert_eq!(event.take().await?, 1);
/// # Ok::<(), std::io::Error>(())
/// # })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "tokio")]
pub mod tokio {
    /// The async face of an [`EventFd`](super::EventFd).
    pub type EventFd = super::Async<super::EventFd, crate::runtime::Tokio>;
}

/// Counters for smol, async-std and any other executor.
///
/// ```
/// use interprocess::os::unix::eventfd::{self, EventFd};
///
/// # async_io::block_on(async {
/// let event = EventFd::new(0)?;
/// let waker = event.try_clone()?;
/// let event = eventfd::smol::EventFd::try_from(event)?;
/// std::thread::spawn(move || waker.add(1));
/// assert_eq!(event.take().await?, 1);
/// # Ok::<(), std::io::Error>(())
/// # })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "smol")]
pub mod smol {
    /// The async face of an [`EventFd`](super::EventFd).
    pub type EventFd = super::Async<super::EventFd, crate::runtime::Smol>;
}
