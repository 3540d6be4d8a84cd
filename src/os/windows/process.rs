//! Child processes that inherit exactly the handles that they are given.
//!
//! The standard library's `Command` lets a child inherit every handle that is inheritable at that moment, whoever made it so. A
//! child that got the end of a pipe by accident keeps that pipe open for as long as it lives, and can use it. The
//! [`Command`] here gives its child a list: the standard handles, and those that were [asked for](Command::inherit).
//!
//! Where both programs use this crate, [`child`](crate::child) is simpler, works on every OS, and has none of the trouble described at
//! the end of this page. Here, the child takes a handle by its value, which it is told in an argument or in an environment variable:
//! ```no_run
//! use interprocess::{local_socket::{Listener, Stream}, os::windows::process::{Command, inherited_handle}};
//! use std::{env, io};
//!
//! # fn parent() -> io::Result<()> {
//! // The parent:
//! let listener = Listener::bind("@example")?;
//! let theirs = Stream::connect("@example")?;
//! let ours = listener.accept()?;
//! let mut child = Command::new("worker");
//! let value = child.inherit(&theirs)?;
//! let child = child.env("CHANNEL", value.to_string()).spawn()?;
//! drop(theirs);
//! # Ok(())
//! # }
//!
//! # fn child() -> io::Result<()> {
//! // The child:
//! let value = env::var_os("CHANNEL").unwrap_or_default();
//! let channel = Stream::try_from(inherited_handle(value)?)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What remains
//! The other way round there is no list: while a child is being started here, and no longer, its handles are inheritable, and
//! another child that another thread starts in that very moment *by other means* (the standard library, or a library in
//! another language) inherits them as well. No lock of ours can keep it from that. Programs that start all their children here
//! are not concerned; others can hold a lock of their own around both.

use crate::{
    child::{private, table::VARIABLE},
    deadline::Deadline,
    sys::windows::{handle, process as sys},
};
use std::{
    ffi::OsStr,
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
    path::Path,
    process::ExitStatus,
    time::Duration,
};

/// A child process to be started, which inherits its standard handles, those that it is [given](Self::inherit), and nothing
/// else.
///
/// It is used like [`std::process::Command`], and unless noted otherwise its methods do the same. It has no `output` and no
/// `status`: use [`spawn`](Self::spawn) and [`Child::wait`].
///
/// Stands on `CreateProcessW` with `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`.
///
/// # Examples
/// ```
/// use interprocess::os::windows::process::Command;
///
/// let child = Command::new("cmd").args(["/c", "exit 3"]).spawn()?;
/// assert_eq!(child.wait()?.code(), Some(3));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Command(sys::Command);

impl Command {
    /// Starts with no arguments, our environment, our current directory and our standard handles.
    ///
    /// A program given by a name alone is looked for, in this order, in the child's `PATH` (if its environment was given one
    /// that is not ours), in the directory of this program, in the system's directories (`GetSystemDirectoryW`,
    /// `GetWindowsDirectoryW`) and in our `PATH`, but never in the current directory. `.exe` may be left out.
    ///
    /// Batch files (`.bat`, `.cmd`) are refused: `cmd.exe` runs them, and reads their arguments by rules that no quoting is
    /// safe for. Who needs one starts `cmd.exe` and is responsible for its arguments.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let error = Command::new(r"C:\script.bat").spawn().unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// ```
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self(sys::Command::new(program.as_ref()))
    }

    /// Adds an argument. It is quoted such that a program that reads its command line by the rules of C, as those in Rust do,
    /// gets exactly this text.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").arg("/c").arg("exit 0").spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.0.arg(arg.as_ref());
        self
    }

    /// Adds several arguments.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        for arg in args {
            self.0.arg(arg.as_ref());
        }
        self
    }

    /// Adds text to the command line as it is, after a space: for programs with rules of their own, `cmd.exe` for one.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").raw_arg(r#"/c if "a"=="a" exit 3"#).spawn()?;
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn raw_arg(&mut self, text: impl AsRef<OsStr>) -> &mut Self {
        self.0.raw_arg(text.as_ref());
        self
    }

    /// Sets an environment variable of the child. Upper and lower case in names are the same.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit %CODE%"]).env("code", "3").spawn()?;
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.0.env(name.as_ref(), Some(value.as_ref()));
        self
    }

    /// Keeps an environment variable from the child.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let mut child = Command::new("cmd");
    /// child.args(["/c", "if defined WORD exit 3"]).env("WORD", "text").env_remove("word");
    /// assert!(child.spawn()?.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.0.env(name.as_ref(), None);
        self
    }

    /// Keeps all environment variables from the child, apart from those that are set from here on. Many programs need
    /// `SystemRoot`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let mut child = Command::new("cmd");
    /// child.env_clear().env("SystemRoot", std::env::var_os("SystemRoot").unwrap_or_default());
    /// assert!(child.args(["/c", "exit 0"]).spawn()?.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn env_clear(&mut self) -> &mut Self {
        self.0.env_clear();
        self
    }

    /// Sets the current directory of the child. A program that is given by a relative path is looked for from ours.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).current_dir(std::env::temp_dir()).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn current_dir(&mut self, dir: impl AsRef<Path>) -> &mut Self {
        self.0.current_dir(dir.as_ref());
        self
    }

    /// Sets what the child reads as its standard input. The default is ours.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::{Command, Stdio};
    ///
    /// let child = Command::new("cmd").stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stdin(&mut self, stdio: impl Into<Stdio>) -> &mut Self {
        self.0.stdio(0, stdio.into().0);
        self
    }

    /// Sets what the child writes its standard output to. The default is ours.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    /// use std::fs::{self, File};
    ///
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-stdout-{}", std::process::id()));
    /// let child = Command::new("cmd").args(["/c", "echo hello"]).stdout(File::create(&path)?).spawn()?;
    /// child.wait()?;
    /// assert_eq!(fs::read_to_string(&path)?.trim_end(), "hello");
    /// # fs::remove_file(path)
    /// # ?; Ok::<(), std::io::Error>(())
    /// ```
    pub fn stdout(&mut self, stdio: impl Into<Stdio>) -> &mut Self {
        self.0.stdio(1, stdio.into().0);
        self
    }

    /// Sets what the child writes its error output to. The default is ours.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::{Command, Stdio};
    ///
    /// let child = Command::new("cmd").args(["/c", "echo oops 1>&2"]).stderr(Stdio::null()).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stderr(&mut self, stdio: impl Into<Stdio>) -> &mut Self {
        self.0.stdio(2, stdio.into().0);
        self
    }

    /// Sets flags for `CreateProcessW`, such as `CREATE_NEW_PROCESS_GROUP`, in place of those set before.
    /// `CREATE_UNICODE_ENVIRONMENT` and `EXTENDED_STARTUPINFO_PRESENT` are set as needed.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).creation_flags(CREATE_NO_WINDOW).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn creation_flags(&mut self, flags: u32) -> &mut Self {
        self.0.creation_flags(flags);
        self
    }

    /// Lets the child inherit a handle, and returns the value that it has in the child, where [`inherited_handle`] takes it.
    ///
    /// It is a duplicate, with the same access, made by `DuplicateHandle`, so `handle` itself need not be inheritable or
    /// stay open. It is closed here once the child has it, or when this object is dropped. Until
    /// [`spawn`](Self::spawn) it is not inheritable.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): the handle is null, or a child was started from this object that
    ///   got handles.
    /// - Those of `DuplicateHandle`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    /// use std::fs::File;
    ///
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-inherit-{}", std::process::id()));
    /// let log = File::create(&path)?;
    /// let mut child = Command::new("cmd");
    /// let value = child.inherit(&log)?;
    /// let child = child.env("LOG", value.to_string()).args(["/c", "exit %LOG%"]).spawn()?;
    /// assert_eq!(child.wait()?.code().map(|code| code as usize), Some(value));
    /// # drop(log);
    /// # std::fs::remove_file(path)
    /// # ?; Ok::<(), std::io::Error>(())
    /// ```
    pub fn inherit(&mut self, handle: impl AsHandle) -> io::Result<usize> {
        self.0.inherit(handle.as_handle())
    }

    /// Starts the child.
    ///
    /// The duplicates that [`inherit`](Self::inherit) made are then closed here, so that the other ends of pipes see when the
    /// child closes them. So another child can be started from the same object only if no handles were given.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): an argument, variable or path contains NUL; the name of a variable
    ///   is empty or contains `=`; the command line is longer than 32766 16-bit units; the program is a batch
    ///   file; or the handles went to the child that was started first.
    /// - [`NotFound`](io::ErrorKind::NotFound): there is no such program, or its file is gone.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): we may not run it.
    /// - Others of `CreateProcessW`, with their code, such as `ERROR_ELEVATION_REQUIRED` for what only runs as administrator.
    ///
    /// After an error, the handles are kept for another attempt.
    ///
    /// Stands on `CreateProcessW`, `InitializeProcThreadAttributeList` and `UpdateProcThreadAttribute`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// println!("process {}", child.id());
    /// # child.wait()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.0.spawn().map(Child)
    }
}

/// What a standard handle of a child is: ours, nothing, or any handle.
///
/// A pipe has to be one for plain calls, because programs do not expect their standard handles to be overlapped. The pipes
/// and streams of this crate are overlapped, so they are for [`inherit`](Command::inherit) only, even though [`From`] takes
/// them. There is no `piped`: to read what the child writes, give it the one end of a [`std::io::pipe`] (since Rust 1.87)
/// and read from the other.
///
/// # Examples
/// ```
/// use interprocess::os::windows::process::{Command, Stdio};
///
/// let child = Command::new("cmd").args(["/c", "echo hello"]).stdout(Stdio::null()).spawn()?;
/// assert!(child.wait()?.success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Stdio(sys::Stdio);

impl Stdio {
    /// The same as ours (`GetStdHandle`). If we have none, the child has none either; but a console program whose parent
    /// has none of the three gets those of the console that Windows makes for it.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::{Command, Stdio};
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).stderr(Stdio::inherit()).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn inherit() -> Self {
        Self(sys::Stdio::Inherit)
    }

    /// Nothing: the device `NUL`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::{Command, Stdio};
    ///
    /// let child = Command::new("cmd").args(["/c", "echo hello"]).stdout(Stdio::null()).spawn()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn null() -> Self {
        Self(sys::Stdio::Null)
    }
}

/// A file, the end of a pipe, or what another child of `std` reads and writes.
impl<T: Into<OwnedHandle>> From<T> for Stdio {
    fn from(handle: T) -> Self {
        Self(sys::Stdio::Handle(handle.into()))
    }
}

/// A child process. Dropping it neither ends the child nor waits for it.
///
/// # Examples
/// ```
/// use interprocess::os::windows::process::{Child, Command};
///
/// let child: Child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
/// assert!(child.wait()?.success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Child(sys::Child);

impl Child {
    /// The process ID. It means this process for as long as this object, or another handle of the process, exists.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// assert_ne!(child.id(), std::process::id());
    /// # child.wait()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn id(&self) -> u32 {
        self.0.id
    }

    /// Waits until the child has ended, and returns how.
    ///
    /// Stands on `WaitForSingleObject` and `GetExitCodeProcess`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 3"]).spawn()?;
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait(&self) -> io::Result<ExitStatus> {
        let status = self.0.wait(Deadline::NEVER)?;
        Ok(status.unwrap_or_else(|| unreachable!("that wait ends with the child only")))
    }

    /// Waits for no longer than `timeout`; `None` if the child has not ended by then.
    ///
    /// Stands on `WaitForSingleObject` and `GetExitCodeProcess`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    /// use std::time::Duration;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// match child.wait_timeout(Duration::from_secs(60))? {
    ///     Some(status) => println!("{status}"),
    ///     None => child.kill()?,
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> io::Result<Option<ExitStatus>> {
        self.0.wait(Deadline::after(timeout))
    }

    /// How the child ended; `None` if it has not yet. Does not wait.
    ///
    /// Stands on `WaitForSingleObject` and `GetExitCodeProcess`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// while child.try_wait()?.is_none() {
    ///     std::thread::yield_now(); // something useful
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.wait_timeout(Duration::ZERO)
    }

    /// Ends the child, with the exit code 1, if it has not ended yet. It has ended when [`wait`](Self::wait) says so.
    ///
    /// Stands on `TerminateProcess`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// child.wait()?;
    /// child.kill()?;
    /// assert!(child.wait()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn kill(&self) -> io::Result<()> {
        self.0.kill()
    }

    /// The first thread of the child: for `ResumeThread`, if the child was started with `CREATE_SUSPENDED`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::process::Command;
    /// use std::os::windows::io::AsRawHandle;
    ///
    /// let child = Command::new("cmd").args(["/c", "exit 0"]).spawn()?;
    /// assert!(!child.main_thread_handle().as_raw_handle().is_null());
    /// # child.wait()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn main_thread_handle(&self) -> BorrowedHandle<'_> {
        self.0.main_thread.as_handle()
    }
}

/// The process, with all rights to it: for [`ShareHandle`](super::ShareHandle), too.
impl AsHandle for Child {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.process.as_handle()
    }
}

/// The process.
impl From<Child> for OwnedHandle {
    fn from(child: Child) -> Self {
        child.0.process
    }
}

/// For [`child::Give`](crate::child::Give): what is given does not have to be inherited, and nothing else is.
impl private::Command for Command {
    type Child = Child;

    fn set_variable(&mut self, value: Option<&str>) {
        self.0.env(VARIABLE.as_ref(), value.map(AsRef::as_ref));
    }

    fn process(child: &Child) -> Option<BorrowedHandle<'_>> {
        Some(child.as_handle())
    }

    fn spawn(&mut self) -> io::Result<Child> {
        self.spawn()
    }
}

/// Takes a handle that this process has inherited, by its value: what [`Command::inherit`] returned in the parent, in decimal
/// digits. From here on, children of this process do not inherit it by accident.
///
/// What comes from an argument or a variable may be anything, so it is checked that
/// - there is a handle of that value;
/// - it is inheritable, as inherited handles are, and what Rust's standard library opens is not;
/// - this crate has not made it inheritable itself;
/// - it is no standard handle; and
/// - it was not taken before.
///
/// What it is a handle *of* is not checked: using it as something else fails, as with any handle. Nor can two kinds of
/// handles be told from the right one: those that were inherited for another purpose, and those that were opened as
/// inheritable ones in this process, be it by code in another language, by the system (the handle of the current directory
/// is such a one) or by the standard library while it starts a child. Their owners would lose them. So take handles when
/// the program starts, and from a parent that you trust.
///
/// Stands on `GetHandleInformation` and `SetHandleInformation`.
///
/// # Errors
/// - [`InvalidInput`](io::ErrorKind::InvalidInput): it is not the value of a handle, or one of those above.
/// - [`NotFound`](io::ErrorKind::NotFound): this process has no such handle.
///
/// # Examples
/// ```
/// use interprocess::os::windows::process::inherited_handle;
/// use std::{env, io};
///
/// // What a child of Command does.
/// match inherited_handle(env::var_os("CHANNEL").unwrap_or_default()) {
///     Ok(handle) => println!("{handle:?}"),
///     Err(error) => println!("start this from the other program: {error}"),
/// }
/// # assert_eq!(inherited_handle("").unwrap_err().kind(), io::ErrorKind::InvalidInput);
/// ```
pub fn inherited_handle(value: impl AsRef<OsStr>) -> io::Result<OwnedHandle> {
    handle::take_inherited(value.as_ref())
}
