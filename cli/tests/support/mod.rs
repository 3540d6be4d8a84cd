//! What the tests of `ipc` share: the program as a child process, and names that nobody else uses.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How long anything may take that works: far longer than it does, so that a busy machine is no failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How long `ipc` may take to notice that something has ended. Less than any timeout that a test gives it, so that it
/// cannot have been the timeout.
pub(crate) const PROMPT: Duration = Duration::from_secs(20);

/// A number that no other test uses while this one runs.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

/// A namespaced name.
pub(crate) fn namespaced() -> String {
    format!("@ipc-test-{}", unique())
}

/// A directory that is removed in the end, with everything in it.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ipc-test-{}", unique()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A name that is a path: in the directory on Unix, of a pipe on Windows.
    pub(crate) fn socket(&self) -> PathBuf {
        if cfg!(windows) { format!(r"\\.\pipe\ipc-test-{}", unique()).into() } else { self.join("socket") }
    }

    /// A file with that many bytes of noise.
    pub(crate) fn noise(&self, name: &str, length: usize) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, noise(length)).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Bytes of every value, in no order.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(length + 8);
    while noise.len() < length {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        noise.extend_from_slice(&x.to_le_bytes());
    }
    noise.truncate(length);
    noise
}

/// Compares without printing megabytes if it fails.
#[track_caller]
pub(crate) fn assert_same(arrived: &[u8], sent: &[u8]) {
    assert_eq!(arrived.len(), sent.len(), "another length");
    let different = arrived.iter().zip(sent).position(|(a, b)| a != b);
    assert_eq!(different, None, "the first byte that differs");
}

/// How `ipc` is to be started.
#[derive(Debug)]
pub(crate) struct Start {
    command: Command,
}

/// `ipc` with these arguments, an empty stdin, and pipes for its output.
pub(crate) fn ipc<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Start {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ipc"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Start { command }
}

/// `ipc listen -v NAME OPTIONS`.
pub(crate) fn listen(name: impl AsRef<OsStr>, options: &[&str]) -> Start {
    ipc(arguments("listen", name.as_ref(), options)).arg("-v")
}

/// `ipc connect NAME OPTIONS`.
pub(crate) fn connect(name: impl AsRef<OsStr>, options: &[&str]) -> Start {
    ipc(arguments("connect", name.as_ref(), options))
}

fn arguments(command: &str, name: &OsStr, options: &[&str]) -> Vec<OsString> {
    let mut arguments = vec![command.into(), name.to_owned()];
    arguments.extend(options.iter().map(OsString::from));
    arguments
}

impl Start {
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn env(mut self, variable: &str, value: &Path) -> Self {
        self.command.env(variable, value);
        self
    }

    pub(crate) fn stdin(mut self, file: &Path) -> Self {
        self.command.stdin(File::open(file).unwrap());
        self
    }

    /// Stdin is a pipe, which is open until [`Ipc::stdin`] is dropped.
    pub(crate) fn open_stdin(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    pub(crate) fn stdout(mut self, file: &Path) -> Self {
        self.command.stdout(File::create(file).unwrap());
        self
    }

    pub(crate) fn start(mut self) -> Ipc {
        let started = Instant::now();
        let mut child = self.command.spawn().unwrap();
        let (send, stderr) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ipc { stdin, stdout, child, started, stderr, said: String::new() }
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start_listening(self) -> Ipc {
        let mut ipc = self.start();
        ipc.wait_until_it_says("listening on");
        ipc
    }

    /// Starts it, and waits until it ends.
    pub(crate) fn run(self) -> Ended {
        self.start().wait()
    }
}

/// `ipc`, running. It is killed if the test forgets it.
#[derive(Debug)]
pub(crate) struct Ipc {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    child: Child,
    /// Before it was.
    started: Instant,
    stderr: Receiver<String>,
    said: String,
}

/// `ipc`, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// How long it was waited for.
    waited: Duration,
    /// It ran no longer than that.
    pub(crate) ran: Duration,
}

impl Ipc {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    #[track_caller]
    pub(crate) fn wait_until_it_says(&mut self, text: &str) -> String {
        let started = Instant::now();
        loop {
            match self.stderr.recv_timeout(DEADLINE.saturating_sub(started.elapsed())) {
                Ok(line) => {
                    self.said += &line;
                    self.said.push('\n');
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("ipc did not say {text:?} ({error}), but:\n{}", self.said),
            }
        }
    }

    pub(crate) fn write(&mut self, data: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(data).unwrap();
    }

    /// Ends its stdin.
    pub(crate) fn end_stdin(&mut self) {
        self.stdin = None;
    }

    /// Reads that many bytes of its stdout.
    #[track_caller]
    pub(crate) fn read(&mut self, length: usize) -> Vec<u8> {
        let mut stdout = self.stdout.take().unwrap();
        let (data, stdout) = in_time(move || {
            let mut data = vec![0; length];
            stdout.read_exact(&mut data).unwrap();
            (data, stdout)
        });
        self.stdout = Some(stdout);
        data
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits until it ends; reads its stdout meanwhile, if that is a pipe. Stdin stays as it is.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ended {
        let started = Instant::now();
        let stdout = self.stdout.take();
        let reader = spawn(move || {
            let mut data = Vec::new();
            if let Some(mut stdout) = stdout {
                stdout.read_to_end(&mut data).unwrap();
            }
            data
        });
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > DEADLINE {
                self.kill();
                panic!("ipc does not end; it said:\n{}", self.rest_of_stderr());
            }
            // There is no waiting for a child with a deadline.
            thread::sleep(Duration::from_millis(2));
        };
        let (waited, ran) = (started.elapsed(), self.started.elapsed());
        let stdout = receive(&reader);
        Ended { code: status.code(), stdout, stderr: self.rest_of_stderr(), waited, ran }
    }

    fn rest_of_stderr(&mut self) -> String {
        loop {
            match self.stderr.recv_timeout(DEADLINE) {
                Ok(line) => {
                    self.said += &line;
                    self.said.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => return std::mem::take(&mut self.said),
                Err(RecvTimeoutError::Timeout) => panic!("stderr does not end; so far:\n{}", self.said),
            }
        }
    }
}

impl Drop for Ipc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// That it ended well, and what it wrote to stdout.
    #[track_caller]
    pub(crate) fn success(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// That it failed with that code, and said each of these.
    #[track_caller]
    pub(crate) fn failure(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for text in said {
            assert!(self.stderr.contains(text), "{text:?} is missing in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// That it did not wait for something that did not come.
    #[track_caller]
    pub(crate) fn promptly(self) -> Self {
        assert!(self.waited < PROMPT, "it took {:?}", self.waited);
        self
    }
}

fn spawn<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (send, result) = channel();
    thread::spawn(move || send.send(job()));
    result
}

#[track_caller]
fn receive<T>(result: &Receiver<T>) -> T {
    result.recv_timeout(DEADLINE).expect("it takes too long, or failed")
}

/// Does something that may hang.
#[track_caller]
fn in_time<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    receive(&spawn(job))
}
