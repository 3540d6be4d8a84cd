//! What the tests share: names that nobody else uses, a limit for every wait, and real child processes.
//!
//! A test that waits for anything wraps itself in [`in_time`]. Processes tell each other when something has happened
//! ([`Child::hear`], [`say`]) and never sleep in the hope that it has.
#![allow(dead_code, reason = "each test program uses a part of it")]

use interprocess::local_socket::{Name, ToName};
use std::{
    env,
    fmt::{self, Display, Formatter},
    fs,
    io::{self, BufRead, BufReader, Write},
    ops::Deref,
    panic,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        OnceLock, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, SystemTime},
};

/// Far more than anything here takes, even on a busy machine and under emulation: who reaches it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Runs `test` on a thread of its own, and panics if it has not ended within `limit`.
#[track_caller]
pub(crate) fn within<T: Send + 'static>(limit: Duration, test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        let _ = done.send(test());
    });
    match is_done.recv_timeout(limit) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("it hangs: not done within {limit:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => panic::resume_unwind(payload),
            Ok(()) => unreachable!("a thread that ends well sends first"),
        },
    }
}

/// Runs `test` on a thread of its own, and panics if it has not ended within [`LIMIT`].
#[track_caller]
pub(crate) fn in_time<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    within(LIMIT, test)
}

/// Whether this is Wine. What it (version 10) does otherwise than Windows, and what is to be expected there; a test that goes by
/// this function says which. On Windows itself, in the workflow on GitHub, they run.
///
/// | Wine | Windows |
/// |---|---|
/// | **Pipes** | |
/// | Access lists and integrity labels are kept and given back, but not enforced; generic rights in them are not mapped. | Whom they do not admit gets `ERROR_ACCESS_DENIED`, and generic rights read back as those of files. |
/// | There are no remote clients, and whether they are rejected cannot be read back. Rejecting them makes every pipe one of messages. | They are rejected unless asked for; the pipe is of what it was made for. |
/// | `FILE_FLAG_FIRST_PIPE_INSTANCE` is ignored (`FILE_CREATE`, which is used here, is not). | A second server is refused in either case. |
/// | An instance ceases when its server closes it. | It lasts until the client has closed its end, too. |
/// | A client can be impersonated before anything was received, and always fully. | Only with static tracking, else `ERROR_CANNOT_IMPERSONATE`; no further than it allows (Identification, if it is ours). |
/// | `GetNamedPipeClientComputerNameW` ends the process. | `ERROR_PIPE_LOCAL` for a client on this machine, else its name. |
/// | A handle is opened although the pipe does not go in the direction that is asked for. | `ERROR_ACCESS_DENIED`. |
/// | `WriteQuotaAvailable` is always 0, so that every write that may not wait takes the long way. | It is what there is room for. |
/// | A quota is as asked for. | It may be more. |
/// | While a listener closes, connecting may find `ERROR_HANDLES_CLOSED`. | `ERROR_FILE_NOT_FOUND`. |
/// | A pipe that was made without a security descriptor has no owner. | It is its maker's. |
/// | `FlushFileBuffers` succeeds when the peer has left. | Not relied on: whether it is there is asked before. |
/// | **Security descriptors** | |
/// | Mandatory labels, resource attributes, conditional and object entries have wrong text or none. | They go to text and back. |
/// | `S:P` is taken for the flag of the DACL; unknown names of SIDs are cut short; SIDs with hexadecimal authorities are not read. | As documented; malformed text is refused. |
/// | A list that is too long for one is cut. | It is refused. |
/// | **Mailslots** | |
/// | Messages longer than the slot's maximum are taken. | `ERROR_INVALID_PARAMETER`. |
/// | A client of a server that is gone keeps the name, and what it sends is lost without a word. | An error, and the name is free. |
/// | There is no sending to many machines or to another. | There is, where it is not switched off. |
/// | **Others** | |
/// | There are no Unix-domain sockets (`WSAEAFNOSUPPORT`). | Since Windows 10, version 1803. |
/// | A file that was opened and then moved is deleted at its old path. | It is deleted where it is. |
/// | A child finds more environment variables than it was given. | It finds those. |
#[cfg(windows)]
pub(crate) fn is_wine() -> bool {
    use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};

    let ntdll: Vec<u16> = "ntdll.dll\0".encode_utf16().collect();
    // SAFETY: both names end with NUL, and ntdll is part of every process.
    unsafe { GetProcAddress(GetModuleHandleW(ntdll.as_ptr()), c"wine_get_version".as_ptr().cast()).is_some() }
}

/// The name of a local socket that nobody else uses. It can be given to everything that takes a name (`&name`), and is
/// text (`&*name`). If it has a directory of its own, that goes when this is dropped.
#[derive(Debug)]
pub(crate) struct TestName {
    text: String,
    dir: Option<TempDir>,
}

impl TestName {
    /// The directory that a path has to itself.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_ref().expect("only paths on Unix have a directory")
    }
}

impl Deref for TestName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Display for TestName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<Path> for TestName {
    fn as_ref(&self) -> &Path {
        Path::new(&self.text)
    }
}

impl<'n> ToName<'n> for &'n TestName {
    fn to_name(self) -> io::Result<Name<'n>> {
        self.text.as_str().to_name()
    }
}

/// Text that no other call and no other process gives.
pub(crate) fn unique() -> String {
    static PROCESS: OnceLock<String> = OnceLock::new();
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // The time too: other processes may be in a pid namespace of their own.
    let process = PROCESS.get_or_init(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{:x}", std::process::id(), since.subsec_nanos())
    });
    format!("interprocess-{process}-{}", CALLS.fetch_add(1, Relaxed))
}

/// A namespaced name: `@…`.
pub(crate) fn unique_name() -> TestName {
    TestName { text: format!("@{}", unique()), dir: None }
}

/// A path: of a socket file in a new directory that only we may enter, or of a pipe.
pub(crate) fn unique_path() -> TestName {
    if cfg!(windows) {
        return TestName { text: format!(r"\\.\pipe\{}", unique()), dir: None };
    }
    let dir = TempDir::new();
    let text = dir.join("socket").into_os_string().into_string().expect("temporary directory is not Unicode");
    TestName { text, dir: Some(dir) }
}

/// A path of a socket file in a directory that every user may enter, but only we may write to.
#[cfg(unix)]
pub(crate) fn unique_open_path() -> TestName {
    use std::os::unix::fs::PermissionsExt;
    // The usual temporary directory may be one that others cannot enter.
    let dir = TempDir::new_in(Path::new("/tmp"));
    fs::set_permissions(&*dir, fs::Permissions::from_mode(0o711)).expect("a directory of ours");
    let text = dir.join("socket").into_os_string().into_string().expect("made of Unicode");
    TestName { text, dir: Some(dir) }
}

/// The user's runtime directory where it is as a rule, if this machine has it, and nobody else may write to it. It is used if no variable
/// tells of another.
#[cfg(unix)]
pub(crate) fn usual_runtime_directory() -> Option<PathBuf> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    // SAFETY: it takes nothing, and always succeeds.
    let user = unsafe { libc::geteuid() };
    let path = PathBuf::from(format!("/run/user/{user}"));
    let metadata = fs::symlink_metadata(&path).ok()?;
    let is_ours = metadata.is_dir() && metadata.uid() == user && metadata.permissions().mode() & 0o022 == 0;
    is_ours.then_some(path)
}

/// A name of each type.
pub(crate) fn both_names() -> [TestName; 2] {
    [unique_name(), unique_path()]
}

/// A new directory (mode 0700 on Unix) that is removed, with all that is in it, when this is dropped.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        Self::new_in(&env::temp_dir())
    }

    fn new_in(parent: &Path) -> Self {
        let path = parent.join(unique());
        #[cfg(unix)]
        let created = std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), 0o700).create(&path);
        #[cfg(not(unix))]
        let created = fs::create_dir(&path);
        created.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Deref for TempDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Which child function to run, for [`child_entry`].
const CHILD: &str = "INTERPROCESS_TEST_CHILD";
/// What is given to it.
const ARGUMENTS: &str = "INTERPROCESS_TEST_CHILD_ARGUMENTS";
/// Separates the arguments.
const SEPARATOR: &str = "\u{1f}";
/// What a child says starts with this; the rest of what it prints is the test harness's.
const MARK: &str = ">>> ";

/// What a child process can run: it is given its arguments.
pub(crate) type ChildFunction = fn(&[String]);

/// Runs the function that the parent asks for, if this process is a [`Child`], and ends the process. A test program that has
/// children needs a test of this name:
///
/// ```ignore
/// #[test]
/// fn child_entry() {
///     support::child_entry(&[("serve", serve), ("connect", connect)]);
/// }
/// ```
pub(crate) fn child_entry(functions: &[(&str, ChildFunction)]) {
    let Ok(wanted) = env::var(CHILD) else { return };
    let Some((_, function)) = functions.iter().find(|(name, _)| *name == wanted) else {
        panic!("no child function is named {wanted}");
    };
    // Nobody is left to kill us if the parent dies at once.
    thread::spawn(|| {
        thread::sleep(LIMIT * 2);
        std::process::exit(3);
    });
    let arguments = env::var(ARGUMENTS).unwrap_or_default();
    let arguments: Vec<_> = arguments.split(SEPARATOR).map(str::to_owned).collect();
    function(&arguments);
    leave();
}

/// Ends the process.
fn leave() -> ! {
    // Not by `exit`, with which std takes the main thread's signal stack away. The C library may be using that one at this
    // moment, to tell the thread that the process is of another user now.
    #[cfg(unix)]
    // SAFETY: nothing is left to be done; what was said was flushed.
    unsafe {
        libc::_exit(0)
    }
    #[cfg(not(unix))]
    std::process::exit(0)
}

/// Says a line to the parent. For child processes.
pub(crate) fn say(line: impl Display) {
    // Not with `print!`, which the harness may keep to itself. The harness may be in the middle of a line.
    let mut out = io::stdout().lock();
    out.write_all(format!("\n{MARK}{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .expect("the parent is gone");
}

/// Waits for a line from the parent; `None` when it has no more to say. For child processes.
pub(crate) fn hear() -> Option<String> {
    let mut line = String::new();
    let len = io::stdin().lock().read_line(&mut line).expect("stdin");
    (len != 0).then(|| line.trim_end().to_owned())
}

/// A real process: this test program again, running one of the functions given to [`child_entry`]. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    function: String,
}

impl Child {
    /// Starts `function` with `arguments`.
    pub(crate) fn start(function: &str, arguments: &[&str]) -> Self {
        Self::spawn(&mut Self::command(function, arguments))
    }

    /// The command that starts `function` with `arguments`, to be changed before [`spawn`](Self::spawn).
    pub(crate) fn command(function: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::current_exe().expect("where the test program is"));
        command.args(Self::ARGUMENTS).env(CHILD, function).env(ARGUMENTS, arguments.join(SEPARATOR));
        command
    }

    /// What makes the test program run [`child_entry`] alone.
    pub(crate) const ARGUMENTS: [&str; 4] = ["--exact", "child_entry", "--nocapture", "--test-threads=1"];

    /// Starts what [`command`](Self::command) gave.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::piped())
    }

    /// Starts what [`command`](Self::command) gave, with something else as its standard input, so that there is no
    /// [`say`](Self::say).
    #[track_caller]
    pub(crate) fn spawn_with(command: &mut Command, stdin: Stdio) -> Self {
        command.stdin(stdin);
        Self::spawn_as_it_is(command, Command::spawn)
    }

    /// Starts what [`command`](Self::command) gave, by a `spawn` of another kind.
    #[track_caller]
    pub(crate) fn spawn_by(
        command: &mut Command,
        spawn: impl FnOnce(&mut Command) -> io::Result<std::process::Child>,
    ) -> Self {
        Self::spawn_as_it_is(command.stdin(Stdio::piped()), spawn)
    }

    #[track_caller]
    fn spawn_as_it_is(
        command: &mut Command,
        spawn: impl FnOnce(&mut Command) -> io::Result<std::process::Child>,
    ) -> Self {
        let function =
            command.get_envs().find(|(name, _)| *name == CHILD).and_then(|(_, value)| value?.to_str());
        let function = function.expect("not a child's command").to_owned();
        command.stdout(Stdio::piped());
        let mut process = {
            let _alone = SPAWNING.write().unwrap_or_else(PoisonError::into_inner);
            spawn(command).unwrap_or_else(|error| panic!("child {function}: {error}"))
        };
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let (line, lines) = mpsc::channel();
        thread::spawn(move || {
            for text in stdout.lines().map_while(Result::ok) {
                if let Some((_, said)) = text.split_once(MARK) {
                    let _ = line.send(said.to_owned());
                }
            }
        });
        Self { stdin: process.stdin.take(), process, lines, function }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the next line that the child says.
    #[track_caller]
    pub(crate) fn hear(&self) -> String {
        let function = &self.function;
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("child {function} hangs: nothing said within {LIMIT:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("child {function} ended without a word"),
        }
    }

    /// Waits for the next line that the child says, which has to be this one.
    #[track_caller]
    pub(crate) fn expect(&self, line: &str) {
        assert_eq!(self.hear(), line, "from child {}", self.function);
    }

    /// Says a line to the child.
    #[track_caller]
    pub(crate) fn say(&mut self, line: impl Display) {
        let stdin = self.stdin.as_mut().expect("not piped, or the end was said already");
        let result = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        result.unwrap_or_else(|error| panic!("child {}: {error}", self.function));
    }

    /// Tells the child that there is no more to hear.
    pub(crate) fn say_no_more(&mut self) {
        self.stdin = None;
    }

    /// Kills the child at once (`SIGKILL`, `TerminateProcess`) and waits until it is dead.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Says no more, and waits until the child has ended.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.say_no_more();
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(_) => {}
                // Its output closes when it ends.
                Err(RecvTimeoutError::Disconnected) => return self.process.wait().expect("a child of ours"),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("child {} hangs: alive after {LIMIT:?}", self.function)
                }
            }
        }
    }

    /// Says no more, and waits until the child has ended, which has to be without a failure.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        let status = self.wait();
        assert!(status.success(), "child {}: {status}", self.function);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

static SPAWNING: RwLock<()> = RwLock::new(());

/// Keeps [`Child`]s from being started while it lives. Between `fork` and `exec` a child holds all our descriptors, so that
/// what was closed is still open for a moment: a test that drops a listener and looks at once has to hold this. Do not start a
/// child while holding it.
pub(crate) fn no_child_is_started() -> RwLockReadGuard<'static, ()> {
    SPAWNING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process one of another user ([`ANOTHER_USER`]) and of the group `gid`, in no other groups than `groups`, for
/// good. For child processes: it is done after `exec`, as the test program may lie where that user cannot run it. `false` if
/// we may not, since only root may.
#[cfg(unix)]
pub(crate) fn become_another_user(gid: u32, groups: &[u32]) -> bool {
    #[allow(clippy::useless_conversion, reason = "the type differs between systems")]
    let count = groups.len().try_into().expect("few groups");
    // SAFETY: plain system calls on numbers, and on a list that has as many of them as is said.
    unsafe {
        libc::setgroups(count, groups.as_ptr()) == 0
            && libc::setgid(gid) == 0
            && libc::setuid(ANOTHER_USER) == 0
    }
}

/// A user, and a group, that nothing belongs to ("nobody").
#[cfg(unix)]
pub(crate) const ANOTHER_USER: u32 = 65534;
