//! Signals, the same on every OS: being told of Ctrl-C, of requests to terminate, of children that have ended.
//!
//! [`Signals`] turns signals into something that is waited for like a message, so that none of the restrictions of signal
//! handlers concern you. There can be any number of them in a process, and each gets its own copy of the signals it
//! asked for; whoever else handles signals (Tokio, `ctrlc`, `signal-hook`) still gets theirs.
//!
//! ```no_run
//! use interprocess::signal::{Signal, Signals};
//!
//! let signals = Signals::catch(Signal::TERMINATION)?;
//! // ... start what is to be served ...
//! let received = signals.wait()?;
//! println!("{received}: finishing what has begun");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have it for async code: `signals.next().await`.
//!
//! # What else there is
//! On Unix, `os::unix::signal` sends signals, blocks them, waits for those that are blocked, and installs handlers. On Windows,
//! `os::windows::signal` sends console events, and installs handlers for the signals of C.
//!
//! # Platform-specific behaviour
//! - **Unix**: signals are what the system calls so (`sigaction(2)`).
//! - **Windows**: they are events of the console (`SetConsoleCtrlHandler`), as listed at each [`Signal`]; and what
//!   [`Terminate`](Signal::Terminate) is raised by `raise` of C. Signals that Windows does not have cannot be
//!   caught there, which is an error and not a surprise at compile time.

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "smol")]
pub mod smol;
#[cfg(feature = "tokio")]
pub mod tokio;

use crate::{deadline::Deadline, sys::signal as sys};
use std::{
    fmt::{self, Display, Formatter},
    io,
    time::Duration,
};

/// A signal, by a name that is the same on every OS.
///
/// Not every OS has each of them: [`number`](Self::number) is `None` then, and catching it is an error.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGHUP`: the terminal is gone; to daemons, a request to read their configuration again. On Windows, the console is being
    /// closed (`CTRL_CLOSE_EVENT`).
    HangUp,
    /// `SIGINT`: Ctrl-C. The same on Windows (`CTRL_C_EVENT`).
    Interrupt,
    /// `SIGQUIT`: Ctrl-\. On Windows, Ctrl-Break (`CTRL_BREAK_EVENT`).
    Quit,
    /// `SIGILL`. It cannot be caught by [`Signals`].
    IllegalInstruction,
    /// `SIGTRAP`.
    Trap,
    /// `SIGABRT`: `abort(3)` was called. That ends the process even if the signal is caught.
    Abort,
    /// `SIGBUS`. It cannot be caught by [`Signals`].
    Bus,
    /// `SIGFPE`. It cannot be caught by [`Signals`].
    FloatingPoint,
    /// `SIGKILL`. It cannot be caught at all.
    Kill,
    /// `SIGUSR1`: what programs agree on.
    User1,
    /// `SIGSEGV`. It cannot be caught by [`Signals`].
    SegmentationFault,
    /// `SIGUSR2`: what programs agree on.
    User2,
    /// `SIGPIPE`: a pipe or a socket was written to that nobody reads. Rust programs ignore it, and this crate sees to it that its
    /// own writes do not raise it.
    BrokenPipe,
    /// `SIGALRM`: `alarm(2)` or `setitimer(2)`.
    Alarm,
    /// `SIGTERM`: a request to terminate. On Windows, the user logs off or the system shuts down (`CTRL_LOGOFF_EVENT`,
    /// `CTRL_SHUTDOWN_EVENT`), or C's `raise`.
    Terminate,
    /// `SIGCHLD`: a child has ended, was stopped or goes on. Of several that end at once, one may be all that is told; ask for all.
    Child,
    /// `SIGCONT`: going on after having been stopped.
    Continue,
    /// `SIGSTOP`. It cannot be caught at all.
    Stop,
    /// `SIGTSTP`: Ctrl-Z. Who catches it is not stopped.
    TerminalStop,
    /// `SIGTTIN`: reading from the terminal in the background. Who catches it is not stopped.
    TerminalInput,
    /// `SIGTTOU`: writing to the terminal in the background. Who catches it is not stopped.
    TerminalOutput,
    /// `SIGURG`: urgent data on a socket.
    Urgent,
    /// `SIGXCPU`: more processor time was used than is allowed.
    CpuTimeLimit,
    /// `SIGXFSZ`: a file is larger than is allowed.
    FileSizeLimit,
    /// `SIGVTALRM`: `setitimer(2)`.
    VirtualAlarm,
    /// `SIGPROF`: `setitimer(2)`.
    Profiling,
    /// `SIGWINCH`: the terminal has another size.
    WindowChange,
    /// `SIGIO`: a descriptor is ready that this was asked for.
    Io,
    /// `SIGSYS`.
    BadSystemCall,
    /// A real-time signal, counted from 0, which is `SIGRTMIN`. All of them that are sent are queued, in order, along with a
    /// value. Which systems have any is said at [`real_time_count`](Self::real_time_count).
    RealTime(u32),
    /// One that has no name here, by its number. [`from_number`](Self::from_number) gives it only for those.
    Other(i32),
}

impl Signal {
    /// What asks a program to end, on any OS: [`Interrupt`](Self::Interrupt), [`Terminate`](Self::Terminate),
    /// [`HangUp`](Self::HangUp) and [`Quit`](Self::Quit).
    pub const TERMINATION: [Self; 4] = [Self::Interrupt, Self::Terminate, Self::HangUp, Self::Quit];

    /// The signal of that number.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): there is none, or the C library keeps it to itself.
    ///
    /// ```
    /// use interprocess::signal::Signal;
    ///
    /// assert_eq!(Signal::from_number(15)?, Signal::Terminate);
    /// assert!(Signal::from_number(0).is_err());
    /// assert!(Signal::from_number(1000).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_number(number: i32) -> io::Result<Self> {
        sys::from_number(number).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("there is no signal of the number {number}"))
        })
    }

    /// The number that it has on this system, if it has one: on Windows, what C calls it.
    ///
    /// ```
    /// use interprocess::signal::Signal;
    ///
    /// assert_eq!(Signal::Interrupt.number(), Some(2));
    /// assert_eq!(Signal::RealTime(1000).number(), None);
    /// ```
    pub fn number(self) -> Option<i32> {
        sys::number(self)
    }

    /// How many real-time signals there are.
    ///
    /// # Platform-specific behaviour
    /// 31 on Linux with glibc, 30 with musl, fewer on Android; 31 on NetBSD, 62 on FreeBSD, 92 on DragonFly BSD, 32 on illumos. None
    /// on macOS, OpenBSD and Windows.
    pub fn real_time_count() -> u32 {
        u32::try_from(sys::real_time().len()).unwrap_or(0)
    }
}

/// As in `SIGINT`, whatever the OS.
impl Display for Signal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HangUp => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::IllegalInstruction => "SIGILL",
            Self::Trap => "SIGTRAP",
            Self::Abort => "SIGABRT",
            Self::Bus => "SIGBUS",
            Self::FloatingPoint => "SIGFPE",
            Self::Kill => "SIGKILL",
            Self::User1 => "SIGUSR1",
            Self::SegmentationFault => "SIGSEGV",
            Self::User2 => "SIGUSR2",
            Self::BrokenPipe => "SIGPIPE",
            Self::Alarm => "SIGALRM",
            Self::Terminate => "SIGTERM",
            Self::Child => "SIGCHLD",
            Self::Continue => "SIGCONT",
            Self::Stop => "SIGSTOP",
            Self::TerminalStop => "SIGTSTP",
            Self::TerminalInput => "SIGTTIN",
            Self::TerminalOutput => "SIGTTOU",
            Self::Urgent => "SIGURG",
            Self::CpuTimeLimit => "SIGXCPU",
            Self::FileSizeLimit => "SIGXFSZ",
            Self::VirtualAlarm => "SIGVTALRM",
            Self::Profiling => "SIGPROF",
            Self::WindowChange => "SIGWINCH",
            Self::Io => "SIGIO",
            Self::BadSystemCall => "SIGSYS",
            Self::RealTime(index) => return write!(f, "SIGRTMIN+{index}"),
            Self::Other(number) => return write!(f, "signal {number}"),
        })
    }
}

/// How a signal came about.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A process sent it (`kill(2)`).
    Sent,
    /// A process sent it, with a value (`sigqueue(3)`).
    SentWithValue,
    /// A process sent it to one thread (`tgkill(2)`, `pthread_kill(3)`, `raise(3)`).
    SentToThread,
    /// A timer (`timer_create(2)`) has expired.
    Timer,
    /// An asynchronous operation has completed (`aio_read(3)`).
    AsyncIo,
    /// A message has come into an empty queue (`mq_notify(3)`).
    MessageQueue,
    /// The system, for example because of a key.
    Kernel,
    /// A child has exited; [`status`](Received::status) is its exit status.
    ChildExited,
    /// A child was killed; [`status`](Received::status) is the number of the signal.
    ChildKilled,
    /// A child was killed and has left a core dump; [`status`](Received::status) is the number of the signal.
    ChildDumped,
    /// A child that is traced has come to a trap.
    ChildTrapped,
    /// A child was stopped; [`status`](Received::status) is the number of the signal.
    ChildStopped,
    /// A child goes on.
    ChildContinued,
    /// An event of the console of Windows; [`code`](Received::code) says which (`CTRL_C_EVENT` and so on).
    Console,
    /// C's `raise`, on Windows.
    Raised,
    /// Something else; [`code`](Received::code) has the system's word.
    Other,
    /// Nobody knows: it is one of many that came while there was no room for all.
    Unknown,
}

/// Whom a signal is from.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sender {
    pub(crate) pid: u32,
    pub(crate) uid: Option<u32>,
}

/// The bytes of a `sigval`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Value(pub(crate) usize);

/// A signal that has come, and what the system says about it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Received {
    pub(crate) signal: Signal,
    pub(crate) reason: Reason,
    pub(crate) code: Option<i32>,
    pub(crate) sender: Option<Sender>,
    pub(crate) value: Option<Value>,
    pub(crate) status: Option<i32>,
}

impl Received {
    pub(crate) fn new(signal: Signal, reason: Reason) -> Self {
        Self { signal, reason, code: None, sender: None, value: None, status: None }
    }

    /// Which signal it is.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// How it came about.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The system's number for the reason: `si_code`, or the event of the console on Windows.
    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// The process that sent it, or the child that it is about. By the time you look, it may have ended, and another process
    /// may have its number.
    ///
    /// # Platform-specific behaviour
    /// Windows does not tell.
    pub fn pid(&self) -> Option<u32> {
        self.sender.map(|sender| sender.pid)
    }

    /// The real user of the process that sent it, or of the child that it is about.
    ///
    /// # Platform-specific behaviour
    /// Windows does not tell.
    pub fn uid(&self) -> Option<u32> {
        self.sender?.uid
    }

    /// The number that was sent along: `sival_int` of `sigqueue(3)`.
    pub fn value(&self) -> Option<i32> {
        let bytes = self.value?.0.to_ne_bytes();
        Some(i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// The same as wide as an address: `sival_ptr` of `sigqueue(3)`.
    pub fn wide_value(&self) -> Option<usize> {
        self.value.map(|value| value.0)
    }

    /// Of a child: its exit status, or the number of the signal that killed or stopped it.
    pub fn status(&self) -> Option<i32> {
        self.status
    }
}

/// The signal, and who sent it, for people.
impl Display for Received {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.signal.fmt(f)?;
        match (self.pid(), self.uid()) {
            (Some(pid), Some(uid)) => write!(f, " from process {pid} of user {uid}"),
            (Some(pid), None) => write!(f, " from process {pid}"),
            (None, _) => Ok(()),
        }
    }
}

/// Signals that are caught for as long as this lives, and wait until somebody asks for them.
///
/// From when it is made, none is missed, whether or not anybody waits at that moment. Any number of threads can wait;
/// each signal goes to one of them. Other `Signals` of the process get their own copy.
///
/// ```
/// use interprocess::signal::{Signal, Signals};
/// use std::{io::ErrorKind, time::Duration};
///
/// let signals = Signals::catch([Signal::Terminate])?;
/// let nothing = signals.wait_timeout(Duration::from_millis(10)).unwrap_err();
/// assert_eq!(nothing.kind(), ErrorKind::TimedOut);
///
/// # #[cfg(unix)] {
/// // On Unix; usually this is what another process does.
/// use interprocess::os::unix::signal::{Recipient, send_signal};
/// send_signal(Recipient::Process(std::process::id()), Signal::Terminate)?;
/// let received = signals.wait()?;
/// assert_eq!(received.signal(), Signal::Terminate);
/// assert_eq!(received.pid(), Some(std::process::id()));
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # How many
/// The system itself merges signals: of one that is sent again before it was handled, there is one. Real-time signals (see
/// [`Signal::RealTime`]) are all queued, by the system and here. There is room for a million signals that nobody has asked for
/// yet ([`catch_at_most`](Self::catch_at_most) sets another limit). They are in order if one thread handles them, as when the
/// others block the signal; two threads may handle two signals at once. Beyond the limit, further signals are merged,
/// so that none goes entirely unnoticed, but real-time signals are lost, and [counted](Self::lost).
///
/// # What was installed before
/// A handler that was there before is called, too. What happens by default (as when the process would end) does not happen any
/// more. When the last `Signals` for a signal is dropped, everything is as before, for signals that are still on their way, too; if
/// somebody has installed another handler on top meanwhile, that one stays.
///
/// A handler that is installed on top has to call what was there before it, as those of Tokio and signal-hook do; or it keeps the
/// signals to itself.
///
/// # Processes
/// Children that are started (`fork` and `exec`) have the default handling and nothing blocked. A copy of this
/// process (`fork` without `exec`) gets its own signals, but shares what wakes who waits; only one of the two may wait.
///
/// # Platform-specific behaviour
/// - **Unix**: calls that a signal interrupts are resumed (`SA_RESTART`), where the system does that.
/// - **Windows**: after [`HangUp`](Signal::HangUp) and [`Terminate`](Signal::Terminate) by the console, the system ends the process: when it
///   is told that they were handled, or after its own timeout (5 seconds for closing the console, as a rule). Here they are never
///   reported as handled: once you are done, end the process. Other handlers of console events come later, and get
///   no events that are caught.
#[derive(Debug)]
pub struct Signals(sys::Signals);

/// See [`Signals::catch`].
const LIMIT: usize = 1 << 20;

impl Signals {
    /// Catches these signals from now on. If one of them cannot be caught, none is. Stands on `sigaction(2)`, on Windows on
    /// `SetConsoleCtrlHandler` and `signal` of C.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput): a signal that this system does not have, or that cannot be caught at all
    /// ([`Kill`](Signal::Kill), [`Stop`](Signal::Stop)) or not in this way: faults (such as
    /// [`SegmentationFault`](Signal::SegmentationFault)) have to be dealt with by the thread that they happen to, before it goes on.
    ///
    /// ```
    /// use interprocess::signal::{Signal, Signals};
    /// use std::io::ErrorKind;
    ///
    /// let signals = Signals::catch(Signal::TERMINATION)?;
    /// assert_eq!(Signals::catch([Signal::Kill]).unwrap_err().kind(), ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn catch(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        Self::catch_at_most(LIMIT, signals)
    }

    /// Like [`catch`](Self::catch), with another limit to how many signals may wait to be asked for. On Unix each takes 40 bytes while
    /// it waits.
    ///
    /// # Errors
    /// Those of [`catch`](Self::catch).
    pub fn catch_at_most(limit: usize, signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        sys::Signals::new(signals, limit).map(Self)
    }

    /// Waits for the next signal. Stands on `poll(2)`, on Windows on `WaitForSingleObject`.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe): it was [stopped](Self::stopper), and all that came before was given out.
    ///
    /// For an example see [`Signals`].
    pub fn wait(&self) -> io::Result<Received> {
        self.0.wait(|| Deadline::NEVER)
    }

    /// Like [`wait`](Self::wait), but waits for no longer than `timeout`.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait), and [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// For an example see [`Signals`].
    pub fn wait_timeout(&self, timeout: Duration) -> io::Result<Received> {
        self.0.wait(|| Deadline::after(timeout))
    }

    /// Like [`wait`](Self::wait), but never waits.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait), and [`WouldBlock`](io::ErrorKind::WouldBlock) if no signal has come.
    ///
    /// ```
    /// use interprocess::signal::{Signal, Signals};
    /// use std::io::ErrorKind;
    ///
    /// let signals = Signals::catch([Signal::Interrupt])?;
    /// assert_eq!(signals.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_wait(&self) -> io::Result<Received> {
        self.0.try_wait()
    }

    /// The signals, one after the other, each waited for. Ends when it is [stopped](Self::stopper).
    ///
    /// ```
    /// use interprocess::signal::{Signal, Signals};
    ///
    /// let signals = Signals::catch([Signal::Interrupt])?;
    /// let stopper = signals.stopper();
    /// std::thread::spawn(move || stopper.stop());
    /// for received in &signals {
    ///     println!("{received}");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter(self)
    }

    /// What another thread can stop the waiting with.
    ///
    /// For an example see [`iter`](Self::iter).
    pub fn stopper(&self) -> Stopper {
        Stopper(self.0.stopper())
    }

    /// Whether it was [stopped](Self::stopper).
    pub fn is_stopped(&self) -> bool {
        self.0.is_stopped()
    }

    /// How many signals were lost so far, since there was no room. See [above](Self#how-many).
    pub fn lost(&self) -> usize {
        self.0.lost()
    }
}

impl<'s> IntoIterator for &'s Signals {
    type Item = Received;
    type IntoIter = Iter<'s>;

    fn into_iter(self) -> Iter<'s> {
        self.iter()
    }
}

/// Signals, one after the other. From [`Signals::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'s>(&'s Signals);

/// Ends when the signals were [stopped](Signals::stopper), or if the system cannot wait, which [`wait`](Signals::wait) would say.
impl Iterator for Iter<'_> {
    type Item = Received;

    fn next(&mut self) -> Option<Received> {
        self.0.wait().ok()
    }
}

/// Stops [`Signals`], from any thread. From [`Signals::stopper`].
#[derive(Clone, Debug)]
pub struct Stopper(sys::Stopper);

impl Stopper {
    /// Wakes all who wait. What has come so far is given out, and no more comes; what was installed before is back when the
    /// [`Signals`] are dropped.
    ///
    /// For an example see [`Signals::iter`].
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// To be polled: it can be read from while there is a signal to be had. Reading is for this object only.
#[cfg(unix)]
impl std::os::fd::AsFd for Signals {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
