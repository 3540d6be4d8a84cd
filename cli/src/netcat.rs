//! `ipc listen` and `ipc connect`.

use crate::{
    args::{Connect, Listen, Relay},
    failure::{Failure, say},
    feed::{BUFFER_SIZE, End, Feed, Limits, explain},
};
use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, ExistingName, Listener, ListenerOptions, Name, PeerCreds, Stream},
};
use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    net::Shutdown,
    sync::Arc,
    time::Duration,
};

/// Whether one direction of a connection can be ended.
const CAN_HALF_CLOSE: bool = !cfg!(windows);

/// How often to look at the clock while nothing comes.
const TICK: Duration = Duration::from_millis(100);

pub(crate) fn listen(options: &Listen) -> Result<(), Failure> {
    let mut relay = Relayed::new(&options.relay)?;
    let listener = bind(options)?;
    if options.relay.verbose {
        say(format_args!("listening on {}", listener.name()));
    }
    if !options.keep {
        let client = accept(&listener, options)?;
        // Nobody else is to wait in vain.
        drop(listener);
        return relay.serve(client);
    }
    loop {
        let client = accept(&listener, options)?;
        match relay.serve(client) {
            Ok(()) => {}
            Err(failure) if relay.stdout_failed => return Err(failure),
            Err(failure) => drop(failure.report()),
        }
    }
}

fn bind(options: &Listen) -> Result<Listener, Failure> {
    let mut listener = ListenerOptions::new().name(&options.name);
    if let Some(who) = options.access {
        listener = listener.access(who.into());
    }
    if options.steal {
        listener = listener.existing_name(ExistingName::Steal);
    }
    let listener = with_mode(listener, options.mode);
    listener.create_sync().map_err(|error| {
        Failure::io("cannot listen", &error).advise(advice_on_listening(&error, &options.name))
    })
}

#[cfg(unix)]
fn with_mode(options: ListenerOptions<'_>, mode: Option<u32>) -> ListenerOptions<'_> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt;
    match mode {
        Some(mode) => options.mode(mode),
        None => options,
    }
}

/// There are no modes: the command line has refused them.
#[cfg(windows)]
fn with_mode(options: ListenerOptions<'_>, _mode: Option<u32>) -> ListenerOptions<'_> {
    options
}

fn advice_on_listening(error: &io::Error, name: &Name<'_>) -> Option<String> {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => match name.file() {
            // The error says what it is, and nothing replaces it.
            Some(file) if is_no_socket(&file) => return None,
            Some(_) => "somebody listens there already; --steal takes the name nevertheless",
            None => "somebody listens there already; choose another name",
        },
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "the directory has to be there first",
        io::ErrorKind::PermissionDenied => "the directory has to be one that this user may write to",
        _ => return None,
    };
    Some(advice.to_owned())
}

#[cfg(unix)]
fn is_no_socket(file: &std::path::Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::symlink_metadata(file).is_ok_and(|found| !found.file_type().is_socket())
}

/// No name is a file.
#[cfg(windows)]
fn is_no_socket(_file: &std::path::Path) -> bool {
    false
}

fn accept(listener: &Listener, options: &Listen) -> Result<Stream, Failure> {
    let accepted = match options.timeout {
        Some(timeout) => listener.accept_timeout(timeout),
        None => listener.accept(),
    };
    accepted.map_err(|error| match (error.kind(), options.timeout) {
        (io::ErrorKind::TimedOut, Some(timeout)) => {
            Failure::timed_out(format!("no client came to {} within {timeout:?}", listener.name()))
        }
        _ => Failure::io("cannot accept a client", &error),
    })
}

pub(crate) fn connect(options: &Connect) -> Result<(), Failure> {
    let mut relay = Relayed::new(&options.relay)?;
    let wait_mode = options.timeout.map_or(ConnectWaitMode::Unbounded, ConnectWaitMode::Timeout);
    let mut connect =
        ConnectOptions::new().name(&options.name).wait_mode(wait_mode).wait_for_server(options.wait);
    if options.require_same_user {
        connect = connect.require_same_user(true);
    }
    let stream = connect.connect_sync().map_err(|error| {
        Failure::io("cannot connect", &error).advise(advice_on_connecting(&error, &options.name))
    })?;
    if options.relay.verbose {
        say(format_args!("connected to {}", options.name));
    }
    relay.serve(stream)
}

fn advice_on_connecting(error: &io::Error, name: &Name<'_>) -> Option<String> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Some(format!(
            "nobody listens there: start a server first, such as 'ipc listen {name}', or wait for one with --wait"
        )),
        io::ErrorKind::PermissionDenied => Some(
            "the server is not for this user, or is not run by this user (--require-same-user)".to_owned(),
        ),
        _ => None,
    }
}

/// Stdin and stdout on one side, a connection on the other.
struct Relayed {
    feed: Arc<Feed>,
    stdout: Stdout,
    stdout_failed: bool,
    limits: Limits,
    verbose: bool,
    buf: Vec<u8>,
}

impl Relayed {
    fn new(options: &Relay) -> Result<Self, Failure> {
        let limits = Limits { idle: options.idle_timeout, linger: options.linger };
        Ok(Self {
            feed: Feed::start(limits),
            stdout: Stdout::new().map_err(|error| Failure::stdout(&error))?,
            stdout_failed: false,
            limits,
            verbose: options.verbose,
            buf: vec![0; BUFFER_SIZE],
        })
    }

    /// Everything from the first byte to the last.
    fn serve(&mut self, stream: Stream) -> Result<(), Failure> {
        if self.verbose {
            say(format_args!("the peer is {}", describe(stream.peer_creds())));
        }
        // Only a wait that ends lets us look at the clock.
        let Limits { idle, linger } = self.limits;
        let shortest =
            TICK.min(idle.unwrap_or(TICK)).min(linger.unwrap_or(TICK)).max(Duration::from_millis(1));
        let tick = (idle.is_some() || !CAN_HALF_CLOSE).then_some(shortest);
        stream.set_recv_timeout(tick).map_err(|error| explain(&error))?;
        stream.set_send_timeout(idle).map_err(|error| explain(&error))?;

        let stream = Arc::new(stream);
        self.feed.attach(Arc::clone(&stream));
        let end = self.receive(&stream).unwrap_or_else(|| self.feed.wait_for_end(&stream));
        let totals = self.feed.detach();
        // Frees the thread that sends, should it still wait. Where it does not work, that thread has a timeout.
        let _ = stream.shutdown(Shutdown::Both);
        if self.verbose {
            say(format_args!("{} bytes sent, {} bytes received", totals.sent, totals.received));
        }
        match end {
            End::Complete => Ok(()),
            End::Failed(failure) => Err(failure),
            End::Idle => {
                let idle = idle.unwrap_or_default();
                Err(Failure::timed_out(format!("nothing was sent or received for {idle:?}")))
            }
        }
    }

    /// Writes what comes to stdout. `None`: the peer will send no more.
    fn receive(&mut self, stream: &Stream) -> Option<End> {
        loop {
            match stream.recv(&mut self.buf) {
                Ok(0) => return None,
                Ok(n) => {
                    self.feed.received(n);
                    if let Err(error) = self.stdout.write_all(&self.buf[..n]) {
                        self.stdout_failed = true;
                        return Some(End::Failed(Failure::stdout(&error)));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    if let Some(end) = self.feed.end_while_receiving(CAN_HALF_CLOSE) {
                        return Some(end);
                    }
                }
                Err(error) => return Some(End::Failed(explain(&error))),
            }
        }
    }
}

/// Who the peer is, as far as is known.
fn describe(creds: io::Result<PeerCreds>) -> String {
    let Ok(creds) = creds else { return "unknown".to_owned() };
    let pid = creds.pid().map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
    format!("process {pid}, user {}", user(&creds))
}

#[cfg(unix)]
fn user(creds: &PeerCreds) -> String {
    creds.euid().map_or_else(|| "unknown".to_owned(), |uid| uid.to_string())
}

#[cfg(windows)]
fn user(creds: &PeerCreds) -> String {
    creds.sid().to_owned()
}

/// Where what arrives goes.
enum Stdout {
    /// Windows translates text for its console.
    Terminal(io::Stdout),
    /// Past the buffer of [`io::Stdout`], which cuts what it gets at the end of the last line.
    File(File),
}

impl Stdout {
    fn new() -> io::Result<Self> {
        let stdout = io::stdout();
        if stdout.is_terminal() { Ok(Self::Terminal(stdout)) } else { duplicate(&stdout).map(Self::File) }
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Terminal(stdout) => {
                stdout.write_all(data)?;
                stdout.flush()
            }
            Self::File(file) => file.write_all(data),
        }
    }
}

#[cfg(unix)]
fn duplicate(stdout: &io::Stdout) -> io::Result<File> {
    use std::os::fd::AsFd;
    stdout.as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn duplicate(stdout: &io::Stdout) -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    stdout.as_handle().try_clone_to_owned().map(File::from)
}
