//! Stdin on its way to the peer, and when a connection is over.
//!
//! Nothing can interrupt a thread that reads stdin. So one thread reads it for as long as the program runs, and sends what
//! it gets to whoever is connected; the program does not wait for it to exit.

use crate::failure::Failure;
use interprocess::local_socket::Stream;
use std::{
    io::{self, Read},
    net::Shutdown,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How much is read and written at a time. Up to here, more is faster, above all on a busy machine.
pub(crate) const BUFFER_SIZE: usize = 512 * 1024;

/// How long after the peer has gone stdin may take to show that there was more to send.
const GRACE: Duration = Duration::from_millis(50);

/// What [`Limits::linger`] is unless the user says otherwise.
const LINGER: Duration = Duration::from_millis(500);

/// How long silence may last.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Limits {
    /// In both directions.
    pub(crate) idle: Option<Duration>,
    /// In one direction, once the other has ended. If the user has not said, that depends on who sent something.
    pub(crate) linger: Option<Duration>,
}

/// How a connection came to its end.
#[derive(Debug)]
pub(crate) enum End {
    Complete,
    Idle,
    Failed(Failure),
}

/// How much went through a connection.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// What the peer can still do after it has ended its sending direction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Peer {
    Receives,
    Gone,
}

/// What the thread does that reads stdin.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Step {
    /// It waits for a connection.
    Waiting,
    /// It waits for stdin.
    Reading,
    /// It sends, or sees to it that what was sent is read.
    Sending,
}

/// The rules: when a connection is over. Free of input and output.
#[derive(Debug)]
struct Progress {
    totals: Totals,
    last_sent: Instant,
    last_received: Instant,
    /// Sending is over, since then, and this is how it went.
    sending: Option<(Instant, Result<(), Failure>)>,
    /// Receiving is over since then.
    received_all: Option<Instant>,
}

impl Progress {
    fn new(now: Instant) -> Self {
        Self {
            totals: Totals::default(),
            last_sent: now,
            last_received: now,
            sending: None,
            received_all: None,
        }
    }

    fn is_idle(&self, limits: Limits, now: Instant) -> bool {
        let last = self.last_sent.max(self.last_received);
        limits.idle.is_some_and(|idle| now.saturating_duration_since(last) >= idle)
    }

    /// Whether a direction that is silent since `since` has been so for too long, now that the other, in which `moved` bytes
    /// went, has ended.
    fn is_silent(limits: Limits, moved: u64, since: Instant, now: Instant) -> bool {
        // Who never sent anything is there to receive, which may take as long as it likes.
        let limit = limits.linger.or((moved > 0).then_some(LINGER));
        limit.is_some_and(|limit| now.saturating_duration_since(since) >= limit)
    }

    /// While the peer may still send something.
    fn end_while_receiving(&mut self, limits: Limits, can_half_close: bool, now: Instant) -> Option<End> {
        if self.is_idle(limits, now) {
            return Some(End::Idle);
        }
        let (since, sent) = self.sending.as_ref()?;
        // The peer cannot know that we have ended, and may wait for more.
        let is_over = !can_half_close
            && sent.is_ok()
            && Self::is_silent(limits, self.totals.sent, self.last_received.max(*since), now);
        is_over.then_some(End::Complete)
    }

    /// Once the peer has ended its sending direction.
    fn end_after_receiving(&mut self, limits: Limits, peer: Peer, step: Step, now: Instant) -> Option<End> {
        let ended = *self.received_all.get_or_insert(now);
        if let Some((_, sent)) = self.sending.take() {
            return Some(sent.map_or_else(End::Failed, |()| End::Complete));
        }
        if self.is_idle(limits, now) {
            return Some(End::Idle);
        }
        let is_over = step != Step::Sending
            && match peer {
                // If there was more to send, the next attempt tells.
                Peer::Gone => now >= ended.max(self.last_sent) + GRACE,
                Peer::Receives => {
                    Self::is_silent(limits, self.totals.received, ended.max(self.last_sent), now)
                }
            };
        is_over.then_some(End::Complete)
    }
}

/// The connection of the moment.
#[derive(Debug)]
struct Session {
    stream: Arc<Stream>,
    progress: Progress,
    /// Nothing more is to be sent.
    is_over: bool,
}

#[derive(Debug)]
struct State {
    session: Option<Session>,
    step: Step,
}

/// The thread that reads stdin, and what it and the thread that receives have to know of each other.
#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    changed: Condvar,
    limits: Limits,
}

impl Feed {
    /// Starts the thread. It reads nothing until there is a connection.
    pub(crate) fn start(limits: Limits) -> Arc<Self> {
        let state = Mutex::new(State { session: None, step: Step::Waiting });
        let feed = Arc::new(Self { state, changed: Condvar::new(), limits });
        let shared = Arc::clone(&feed);
        thread::spawn(move || shared.run());
        feed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on stdin goes to `stream`.
    pub(crate) fn attach(&self, stream: Arc<Stream>) {
        self.lock().session =
            Some(Session { stream, progress: Progress::new(Instant::now()), is_over: false });
        self.changed.notify_all();
    }

    /// From now on stdin goes to nobody.
    pub(crate) fn detach(&self) -> Totals {
        self.lock().session.take().map(|session| session.progress.totals).unwrap_or_default()
    }

    /// Notes that something came from the peer.
    pub(crate) fn received(&self, bytes: usize) {
        if let Some(session) = &mut self.lock().session {
            session.progress.totals.received += bytes as u64;
            session.progress.last_received = Instant::now();
        }
    }

    /// Whether the connection is over, now that nothing came for a while.
    pub(crate) fn end_while_receiving(&self, can_half_close: bool) -> Option<End> {
        let mut state = self.lock();
        let session = state.session.as_mut()?;
        let end = session.progress.end_while_receiving(self.limits, can_half_close, Instant::now());
        session.is_over = end.is_some();
        end
    }

    /// Waits for the end of the connection, now that the peer has ended its sending direction.
    pub(crate) fn wait_for_end(&self, stream: &Stream) -> End {
        let mut pause = Duration::from_millis(5);
        let mut state = self.lock();
        loop {
            let peer = if stream.is_peer_gone().unwrap_or(true) { Peer::Gone } else { Peer::Receives };
            let step = state.step;
            let Some(session) = &mut state.session else { return End::Complete };
            if let Some(end) = session.progress.end_after_receiving(self.limits, peer, step, Instant::now()) {
                session.is_over = true;
                return end;
            }
            // Nothing wakes us when the peer goes.
            (state, _) = self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    fn run(&self) {
        let mut buf = vec![0; BUFFER_SIZE];
        let mut stdin = io::stdin().lock();
        let mut failure = loop {
            self.begin(Step::Reading);
            match stdin.read(&mut buf) {
                Ok(0) => break None,
                Ok(n) => self.send(&buf[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(Failure::io("cannot read stdin", &error)),
            }
        };
        loop {
            let stream = self.begin(Step::Sending);
            let outcome = self.finish(&stream).and(failure.take().map_or(Ok(()), Err));
            self.settle(&stream, outcome);
        }
    }

    /// Waits for a connection to which something can be sent, and begins the step.
    fn begin(&self, step: Step) -> Arc<Stream> {
        let mut state = self.lock();
        loop {
            if let Some(Session { stream, progress: Progress { sending: None, .. }, is_over: false }) =
                &state.session
            {
                let stream = Arc::clone(stream);
                state.step = step;
                return stream;
            }
            state.step = Step::Waiting;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Does something to the connection, unless it is no longer that of the moment.
    fn update(&self, stream: &Arc<Stream>, change: impl FnOnce(&mut Progress)) {
        if let Some(session) =
            self.lock().session.as_mut().filter(|session| Arc::ptr_eq(&session.stream, stream))
        {
            change(&mut session.progress);
        }
    }

    fn settle(&self, stream: &Arc<Stream>, outcome: Result<(), Failure>) {
        self.update(stream, |progress| progress.sending = Some((Instant::now(), outcome)));
        self.changed.notify_all();
    }

    fn send(&self, mut data: &[u8]) {
        let stream = self.begin(Step::Sending);
        while !data.is_empty() {
            match stream.send(data) {
                Ok(n) => {
                    data = &data[n..];
                    self.update(&stream, |progress| {
                        progress.totals.sent += n as u64;
                        progress.last_sent = Instant::now();
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut && self.is_moving(&stream) => {}
                Err(error) => return self.settle(&stream, Err(explain(&error))),
            }
        }
    }

    /// Tells the peer that no more will come, and waits until it has read what came.
    fn finish(&self, stream: &Arc<Stream>) -> Result<(), Failure> {
        match stream.shutdown(Shutdown::Write) {
            Ok(()) => {}
            // Without a half-close, the connection is closed when the peer is silent.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            // macOS, when the peer is gone.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => return Err(explain(&error)),
        }
        loop {
            match stream.drain(self.limits.idle.unwrap_or(Duration::MAX)) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut && self.is_moving(stream) => {}
                Err(error) => return Err(explain(&error)),
            }
        }
    }

    /// Whether the connection is not idle: something still comes.
    fn is_moving(&self, stream: &Arc<Stream>) -> bool {
        let mut is_moving = false;
        self.update(stream, |progress| is_moving = !progress.is_idle(self.limits, Instant::now()));
        is_moving
    }
}

/// What an error on the connection means.
pub(crate) fn explain(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            Failure::new("the peer left before it had read everything that was sent to it")
        }
        io::ErrorKind::TimedOut => Failure::timed_out("the peer has not read what was sent to it"),
        _ => Failure::io("the connection broke", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LIMITS: Limits = Limits { idle: None, linger: None };
    const DAY: Duration = Duration::from_secs(86_400);

    fn is_complete(end: Option<&End>) -> bool {
        matches!(end, Some(End::Complete))
    }

    #[test]
    fn a_peer_that_only_receives_is_not_closed_for_silence() {
        let now = Instant::now();
        let mut progress = Progress::new(now);
        let mut end = |limits, at| progress.end_after_receiving(limits, Peer::Receives, Step::Reading, at);
        assert!(end(NO_LIMITS, now).is_none());
        assert!(end(NO_LIMITS, now + DAY).is_none());
        let lingering = Limits { linger: Some(LINGER), ..NO_LIMITS };
        assert!(is_complete(end(lingering, now + LINGER).as_ref()));
    }

    #[test]
    fn a_peer_that_sent_something_and_ended_is_closed_when_stdin_is_silent() {
        let now = Instant::now();
        let mut progress = Progress::new(now);
        progress.totals.received = 1;
        let late = now + DAY;
        assert!(progress.end_after_receiving(NO_LIMITS, Peer::Receives, Step::Reading, late).is_none());
        progress.last_sent = late + LINGER / 2;
        let end = |progress: &mut Progress, step, at| {
            progress.end_after_receiving(NO_LIMITS, Peer::Receives, step, at)
        };
        assert!(end(&mut progress, Step::Reading, late + LINGER).is_none());
        assert!(end(&mut progress, Step::Sending, late + DAY).is_none(), "it is sending");
        assert!(is_complete(end(&mut progress, Step::Reading, late + LINGER * 2).as_ref()));
    }

    #[test]
    fn a_peer_that_is_gone_is_waited_for_only_until_sending_shows_what_was_lost() {
        let now = Instant::now();
        let mut progress = Progress::new(now);
        let mut end = |step, at| progress.end_after_receiving(NO_LIMITS, Peer::Gone, step, at);
        assert!(end(Step::Reading, now).is_none());
        assert!(end(Step::Sending, now + DAY).is_none());
        assert!(is_complete(end(Step::Reading, now + GRACE).as_ref()));
        progress.sending = Some((now, Err(Failure::StdoutClosed)));
        let end = progress.end_after_receiving(NO_LIMITS, Peer::Gone, Step::Waiting, now);
        assert!(matches!(end, Some(End::Failed(_))));
    }

    #[test]
    fn without_a_half_close_a_silent_peer_is_the_end_only_after_something_was_sent() {
        let now = Instant::now();
        let mut progress = Progress::new(now);
        progress.sending = Some((now, Ok(())));
        assert!(progress.end_while_receiving(NO_LIMITS, false, now + DAY).is_none());
        progress.totals.sent = 1;
        assert!(progress.end_while_receiving(NO_LIMITS, true, now + DAY).is_none());
        assert!(progress.end_while_receiving(NO_LIMITS, false, now + LINGER / 2).is_none());
        assert!(is_complete(progress.end_while_receiving(NO_LIMITS, false, now + LINGER).as_ref()));
    }

    #[test]
    fn idle_means_silence_in_both_directions() {
        let now = Instant::now();
        let limits = Limits { idle: Some(DAY), ..NO_LIMITS };
        let mut progress = Progress::new(now);
        progress.last_sent = now + DAY / 2;
        assert!(progress.end_while_receiving(limits, true, now + DAY).is_none());
        assert!(matches!(progress.end_while_receiving(limits, true, now + DAY * 2), Some(End::Idle)));
    }
}
