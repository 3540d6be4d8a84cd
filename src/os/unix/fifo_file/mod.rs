//! FIFO files: pipes that have a name in the file system.
//!
//! Bytes go in one direction, from any number of senders to any number of receivers. There are no connections: senders cannot be
//! told apart, and nobody knows who they are but by the permissions of the file. The bytes are in the kernel, not in the file, and
//! gone when all have closed it. For anything like a conversation, take a [local socket](crate::local_socket).
//! A FIFO is right where a program expects a file to read or to write (logs, commands, what a shell redirects), and
//! where many senders leave short notes for one receiver.
//!
//! ```
//! use interprocess::os::unix::fifo_file::{Recver, Sender, create_fifo};
//! use std::io::{BufRead, BufReader, Write};
//!
//! # let dir = std::env::temp_dir().join(format!("interprocess-doc-fifo-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! let path = dir.join("notes"); // a path such as "/run/user/1000/notes"
//! create_fifo(&path, 0o600)?;
//!
//! // The receiver, which waits for senders in `recv` and not when it opens the file.
//! let mut recver = BufReader::new(Recver::open(&path)?);
//!
//! // A sender, which is usually another program.
//! Sender::open(&path)?.write_all(b"Lunch?\n")?;
//!
//! let mut note = String::new();
//! recver.read_line(&mut note)?;
//! assert_eq!(note, "Lunch?\n");
//! # std::fs::remove_dir_all(dir)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Where a stream ends
//! When the last sender has closed the file, and everything was received, [`recv`](Recver::recv) gives 0, and goes on doing so
//! until another sender opens the file. Before the first sender has come, it waits.
//!
//! - Linux, Android: when there is nothing, `POLLHUP` from `poll(2)` tells whether all senders have left or none has come.
//! - Elsewhere this is not to be relied on. Until the first bytes are received, the receiver has the file open for sending, too,
//!   which lets the kernel wait. So a sender that comes and leaves without a byte is not noticed, and neither is the end of a
//!   stream while another receiver still waits for its first bytes. Where the permissions do not allow it, and for an end
//!   that was made from a descriptor, it gives 0 while nobody has come yet.
//!
//! So there are two ways to serve a FIFO:
//! - **One stream at a time.** Receive until 0. For the next one, open the file again *before* closing the old end, and what a
//!   quick sender has left by then is not lost. There is nothing with which to wait for the next sender on the old end. Senders that
//!   come one right after the other, or together, may be one stream: there are no boundaries.
//! - **All that ever comes.** With [`stay_open`](OpenOptions::stay_open) there is no end. This is right for notes of many
//!   senders: a line each, in one [`send`](Sender::send) of no more than [`PIPE_BUF`] bytes.
//!
//! The ends are those of [unnamed pipes](crate::unnamed_pipe), with their timeouts, modes and conversions. What becomes of what sends when
//! nobody receives is told [there](Sender::send): after a broken pipe somebody may open the file, and then sending works again.
//!
//! # Async
//! With the features `tokio` and `smol`, the modules of those names have both ends for async code.

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "smol")]
pub mod smol;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use crate::unnamed_pipe::{Recver, Sender};

use crate::{ConnectWaitMode, connecting::Patience, error::about, sys::unix::fifo};
use std::{io, path::Path, thread, time::Duration};

/// The most bytes that one [`send`](Sender::send) keeps together, whoever else sends to the same FIFO: 4096 on Linux, at least 512
/// everywhere. Longer ones may get mixed with those of others, or be sent in part.
pub const PIPE_BUF: usize = {
    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        reason = "the type differs between systems"
    )]
    let bytes = libc::PIPE_BUF as usize;
    bytes
};

/// Makes a FIFO at `path`, whose permissions are those of `mode`: who may read it may receive, and who may write to it may send.
///
/// The mode is exact, as the umask does not change it. At no time is the file more open than that. Nothing removes the file but
/// [`remove_file`](std::fs::remove_file).
///
/// `mode` has the type that the system gives to modes, which is `u32` or `u16`; a number such as `0o600` is either.
///
/// # Errors
/// Each says the path.
/// - [`AlreadyExists`](io::ErrorKind::AlreadyExists): there is something at that path, be it a FIFO or a link that leads nowhere.
/// - [`NotFound`](io::ErrorKind::NotFound), [`PermissionDenied`](io::ErrorKind::PermissionDenied): the directory is not
///   there, or we may not write to it.
///
/// Stands on `mkfifoat(2)`, or `mkfifo(2)` on macOS, and, if the umask took something away, on `chmod(2)`, without following a link
/// that was put in the file's place.
///
/// ```
/// use interprocess::os::unix::fifo_file::create_fifo;
/// use std::{fs, io::ErrorKind, os::unix::fs::{FileTypeExt, PermissionsExt}};
///
/// # let path = std::env::temp_dir().join(format!("interprocess-doc-fifo-create-{}", std::process::id()));
/// create_fifo(&path, 0o622)?;
/// let made = fs::metadata(&path)?;
/// assert!(made.file_type().is_fifo());
/// assert_eq!(made.permissions().mode() & 0o777, 0o622);
/// assert_eq!(create_fifo(&path, 0o622).unwrap_err().kind(), ErrorKind::AlreadyExists);
/// # fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn create_fifo(path: impl AsRef<Path>, mode: libc::mode_t) -> io::Result<()> {
    let path = path.as_ref();
    fifo::create(path, mode).map_err(|error| explain(path, error))
}

/// The same error, saying which file it concerns.
fn explain(path: &Path, error: io::Error) -> io::Error {
    about(path.display(), error)
}

/// How to open an end of a FIFO.
///
/// ```
/// use interprocess::{
///     ConnectWaitMode,
///     os::unix::fifo_file::{OpenOptions, create_fifo},
/// };
/// use std::{io::ErrorKind, time::Duration};
///
/// # let path = std::env::temp_dir().join(format!("interprocess-doc-fifo-options-{}", std::process::id()));
/// create_fifo(&path, 0o600)?;
/// let options = OpenOptions::new().wait_mode(ConnectWaitMode::Timeout(Duration::from_millis(10)));
/// assert_eq!(options.sender(&path).unwrap_err().kind(), ErrorKind::TimedOut);
///
/// let recver = OpenOptions::new().stay_open(true).recver(&path)?;
/// options.sender(&path)?.send(b"one")?;
/// options.sender(&path)?.send(b"two")?;
/// let mut buf = [0; 6];
/// assert_eq!(recver.recv(&mut buf)?, 6);
/// recver.set_recv_timeout(Some(Duration::from_millis(10)))?;
/// assert_eq!(recver.recv(&mut buf).unwrap_err().kind(), ErrorKind::TimedOut); // not the end
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a file is opened with them"]
pub struct OpenOptions {
    nonblocking: bool,
    wait_mode: ConnectWaitMode,
    stay_open: bool,
}

impl OpenOptions {
    /// Options as [`Recver::open`] and [`Sender::open`] have them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether receiving and sending are [`WouldBlock`](io::ErrorKind::WouldBlock) when they would have to wait. The default is no.
    /// It makes no difference to opening, and none to async ends.
    pub fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// How long opening a [`sender`](Self::sender) waits for somebody to receive. The default is
    /// [`Unbounded`](ConnectWaitMode::Unbounded). With [`Timeout`](ConnectWaitMode::Timeout), and always when async, it is tried
    /// again and again, with pauses of 1 to 50 milliseconds, as a FIFO has nothing else to wait with.
    ///
    /// Receivers do not wait to be opened.
    pub fn wait_mode(mut self, wait_mode: ConnectWaitMode) -> Self {
        self.wait_mode = wait_mode;
        self
    }

    /// Whether what a [`recver`](Self::recver) receives goes on when there is no sender any more. The default is no. See
    /// [where a stream ends](self#where-a-stream-ends).
    ///
    /// The receiver then has the file open for sending, too. So it has to be allowed to; and a sender finds somebody to receive, and
    /// gets no [`BrokenPipe`](io::ErrorKind::BrokenPipe), for just as long as there is a receiver.
    pub fn stay_open(mut self, stay_open: bool) -> Self {
        self.stay_open = stay_open;
        self
    }

    /// Opens the end that receives. Does not wait: that is for [`recv`](Recver::recv), where there are timeouts.
    ///
    /// # Errors
    /// Each says the path.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): what is there is not a FIFO. It was not read from.
    /// - [`NotFound`](io::ErrorKind::NotFound), [`PermissionDenied`](io::ErrorKind::PermissionDenied).
    ///
    /// Stands on `open(2)` with `O_RDONLY | O_NONBLOCK`, and `fstat(2)` of what was opened, so that nothing can be put in its
    /// place in between. Links are followed.
    pub fn recver(&self, path: impl AsRef<Path>) -> io::Result<Recver> {
        let path = path.as_ref();
        let recver = fifo::open_recver(path, self.nonblocking, self.stay_open);
        recver.map(Recver).map_err(|error| explain(path, error))
    }

    /// Opens the end that sends, when somebody has opened the other.
    ///
    /// # Errors
    /// Each says the path.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): what is there is not a FIFO. It was not written to.
    /// - [`WouldBlock`](io::ErrorKind::WouldBlock): nobody is there to receive, and the
    ///   [wait mode](Self::wait_mode) is [`Deferred`](ConnectWaitMode::Deferred). The system's error is `ENXIO`.
    /// - [`TimedOut`](io::ErrorKind::TimedOut): nobody came in time.
    /// - [`NotFound`](io::ErrorKind::NotFound), [`PermissionDenied`](io::ErrorKind::PermissionDenied).
    ///
    /// Stands on `open(2)` with `O_WRONLY | O_NONBLOCK`, and, to wait for as long as it takes, without `O_NONBLOCK`.
    pub fn sender(&self, path: impl AsRef<Path>) -> io::Result<Sender> {
        let path = path.as_ref();
        let waits_in_kernel = self.wait_mode == ConnectWaitMode::Unbounded;
        let mut attempts = Attempts::new(self, path);
        loop {
            match fifo::open_sender(path, self.nonblocking, waits_in_kernel) {
                Ok(sender) => return Ok(Sender(sender)),
                Err(error) => thread::sleep(attempts.pause_after(error)?),
            }
        }
    }

    /// Opens both ends, which needs nobody else: the one who receives is there for the one who sends.
    ///
    /// # Errors
    /// Those of [`recver`](Self::recver).
    ///
    /// ```
    /// use interprocess::os::unix::fifo_file::{OpenOptions, create_fifo};
    ///
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-fifo-both-{}", std::process::id()));
    /// create_fifo(&path, 0o600)?;
    /// let (sender, recver) = OpenOptions::new().both(&path)?;
    /// sender.send(b"hello")?;
    /// assert_eq!(recver.recv(&mut [0; 16])?, 5);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn both(&self, path: impl AsRef<Path>) -> io::Result<(Sender, Recver)> {
        let path = path.as_ref();
        let both = fifo::open_both(path, self.nonblocking, self.stay_open);
        both.map(|(sender, recver)| (Sender(sender), Recver(recver))).map_err(|error| explain(path, error))
    }
}

/// Opening the end that sends, attempt by attempt.
struct Attempts<'p> {
    path: &'p Path,
    patience: Patience,
}

impl<'p> Attempts<'p> {
    fn new(options: &OpenOptions, path: &'p Path) -> Self {
        Self { path, patience: Patience::new(options.wait_mode, false) }
    }

    /// How long to wait until the next attempt; an error if there is to be none.
    fn pause_after(&mut self, error: io::Error) -> io::Result<Duration> {
        self.patience.pause_after(error).map_err(|error| explain(self.path, error))
    }
}

/// Opening ends of FIFO files.
impl Recver {
    /// Opens the FIFO at `path`, with the defaults of [`OpenOptions`]. Does not wait for a sender.
    ///
    /// # Errors
    /// See [`OpenOptions::recver`].
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().recver(path)
    }
}

/// Opening ends of FIFO files.
impl Sender {
    /// Opens the FIFO at `path`, with the defaults of [`OpenOptions`]: waits until somebody has it open to receive.
    ///
    /// # Errors
    /// See [`OpenOptions::sender`].
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().sender(path)
    }
}
