//! A server of a pipe: its instances, and who has connected to them.

#![allow(
    clippy::unnecessary_wraps,
    reason = "local sockets have the same methods on every OS, and on another they can fail"
)]

use super::{
    named_pipe::{Instance, Settings},
    overlapped::{File, Op, Signal, has_code},
    security::as_process,
    stream::Stream,
};
use crate::deadline::Deadline;
#[cfg(feature = "async")]
use crate::runtime::Interest;
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    io,
    os::windows::io::OwnedHandle,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use windows_sys::Win32::Foundation::{ERROR_NO_DATA, ERROR_PIPE_CONNECTED};

/// Whether an instance that does not wait any more has a client.
fn client_of(instance: &Op) -> io::Result<()> {
    match instance.result() {
        // It was there first; or it is gone again already, which it is up to the stream to find out: there
        // may be bytes.
        Err(error) if has_code(&error, ERROR_PIPE_CONNECTED) || has_code(&error, ERROR_NO_DATA) => Ok(()),
        result => result.map(drop),
    }
}

/// A server.
#[derive(Debug)]
pub(crate) struct Listener {
    shared: Arc<Shared>,
    is_nonblocking: AtomicBool,
}

/// What the streams of a listener have a part in, too, if there may only be so many of them.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    instances: Mutex<Instances>,
    /// How many instances wait for a client, if there may be as many.
    backlog: usize,
    /// How many clients may be there at once.
    limit: Option<usize>,
    /// Set by each instance that gets a client, and when the listener is stopped.
    ready: Arc<Signal>,
    is_stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Instances {
    /// Those that wait for a client, or have one that was not accepted yet; the longest-serving one first.
    armed: Vec<Op>,
    /// How many were handed out as streams that are still there. Counted if there is a limit.
    lent: usize,
}

impl Listener {
    /// How many instances wait for a client, unless it is said otherwise.
    const DEFAULT_BACKLOG: u32 = 16;

    /// Without a `limit`, one instance waits at all times, so that the name stays ours. With one, all may be in use.
    /// Then it is they that keep the name, and each that is closed is replaced before.
    ///
    /// The system is not told of the limit: for it, an instance lasts until both ends are closed, so that clients that
    /// keep theirs would leave no room for the replacement.
    pub(crate) fn new(settings: Settings, backlog: Option<u32>, limit: Option<u8>) -> io::Result<Self> {
        // As the further ones: it is the process's user that the pipe belongs to.
        let first = as_process(|| settings.create(Instance::First))?;
        Self::with_first(settings, first, backlog, limit)
    }

    /// Takes an instance that another process has made, and adds to it those that are to wait besides.
    pub(crate) fn with_first(
        settings: Settings,
        first: OwnedHandle,
        backlog: Option<u32>,
        limit: Option<u8>,
    ) -> io::Result<Self> {
        let backlog = backlog.unwrap_or(Self::DEFAULT_BACKLOG).clamp(1, 255) as usize;
        let shared = Shared {
            settings,
            instances: Mutex::default(),
            backlog,
            limit: limit.map(usize::from),
            ready: Signal::new()?,
            is_stopped: AtomicBool::new(false),
        };
        let mut instances = shared.lock();
        instances.armed.push(shared.armed(first));
        while shared.has_room(&instances) {
            instances.armed.push(shared.further(Instance::Further)?);
        }
        shared.look_again(&instances);
        drop(instances);
        Ok(Self { shared: Arc::new(shared), is_nonblocking: AtomicBool::new(false) })
    }

    /// One more instance, for another process to serve.
    pub(crate) fn instance_for_another(&self) -> io::Result<OwnedHandle> {
        as_process(|| self.shared.settings.create(Instance::Further))
    }

    /// Takes a client that is there. Another instance takes the place of its own before it is handed out.
    fn claim(&self) -> io::Result<Option<File>> {
        let shared = &self.shared;
        let mut instances = shared.lock();
        shared.ready.event().reset();
        let claimed = shared.claim_from(&mut instances);
        if shared.limit.is_some() && matches!(claimed, Ok(Some(_))) {
            instances.lent += 1;
        }
        let filled = shared.fill_up(&mut instances);
        shared.look_again(&instances);
        let Some(op) = claimed? else {
            // Where no instance waits though there is room, waiting would be in vain.
            return if instances.armed.is_empty() { filled.map(|()| None) } else { Ok(None) };
        };
        drop(instances);
        if shared.limit.is_none() {
            return op.into_file().into_handle().map(|handle| Some(handle.into()));
        }
        let shared = Arc::downgrade(shared);
        let handle = op.into_file().into_handle().inspect_err(|_| Shared::give_back(&shared))?;
        Ok(Some(File::from(handle).before_close(move || Shared::give_back(&shared))))
    }

    pub(crate) fn accept(&self, deadline: Deadline, nonblocking_stream: bool) -> io::Result<Stream> {
        loop {
            if self.is_stopped() {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the listener was stopped"));
            }
            if let Some(file) = self.claim()? {
                return Ok(Stream::new(file, nonblocking_stream));
            }
            if self.is_nonblocking.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if !self.shared.ready.event().wait(deadline) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    pub(crate) fn set_accept_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.is_nonblocking.store(nonblocking, Ordering::Relaxed);
        Ok(())
    }

    /// Wakes all who wait in `accept`, which from then on is an error.
    pub(crate) fn stop(&self) {
        // In this order, since `look_again` does the opposite.
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        self.shared.ready.event().set();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(Ordering::SeqCst)
    }

    /// Whether `accept` is worth another try; if not, has the task woken when it is.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, _interest: Interest, cx: &mut Context<'_>) -> Poll<()> {
        let shared = &self.shared;
        let instances = shared.lock();
        // As for a stream. Blocked calls that this concerns find it set again.
        shared.ready.event().reset();
        if shared.look_again(&instances) {
            return Poll::Ready(());
        }
        // Should there be a client now, the event is set. The lock must not be held, since a waker may run
        // anything.
        drop(instances);
        shared.ready.wake(cx.waker());
        Poll::Pending
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Instances> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is to be one more instance that waits for a client.
    fn has_room(&self, instances: &Instances) -> bool {
        let in_use = instances.armed.len() + instances.lent;
        instances.armed.len() < self.backlog && self.limit.is_none_or(|limit| in_use < limit)
    }

    /// An instance that waits for a client.
    fn armed(&self, instance: OwnedHandle) -> Op {
        let mut op = Op::new(Arc::new(instance.into()), Arc::clone(&self.ready));
        op.start_connect();
        op
    }

    /// One more instance that waits for a client. It is the process that makes it, also if a client that the thread acts as
    /// may not: the name depends on it.
    fn further(&self, instance: Instance) -> io::Result<Op> {
        as_process(|| self.settings.create(instance)).map(|instance| self.armed(instance))
    }

    /// Makes as many instances as there is room for. What fails is tried again with the next client.
    fn fill_up(&self, instances: &mut Instances) -> io::Result<()> {
        while self.has_room(instances) {
            // With a limit, the last may have been closed when no other could be made. Then the name is somebody else's, or
            // free, and to add to what is there would be to join them.
            let is_gone = instances.armed.is_empty() && instances.lent == 0;
            let instance = if is_gone { Instance::First } else { Instance::Further };
            instances.armed.push(self.further(instance)?);
        }
        Ok(())
    }

    /// Whether `accept` has something to do. To be called after operations were started or `ready` was reset:
    /// both may have wiped out that another is done.
    fn look_again(&self, instances: &Instances) -> bool {
        let is_ready = self.is_stopped.load(Ordering::SeqCst)
            || instances.armed.iter().any(Op::is_done)
            || instances.armed.is_empty() && self.has_room(instances);
        if is_ready {
            self.ready.event().set();
        }
        is_ready
    }

    fn claim_from(&self, instances: &mut Instances) -> io::Result<Option<Op>> {
        while let Some(done) = instances.armed.iter().position(Op::is_done) {
            let mut result = client_of(&instances.armed[done]);
            if result.is_err() {
                // The thread that started it has ended, as a rule. Perhaps there is a client nevertheless.
                instances.armed[done].start_connect();
                if !instances.armed[done].is_done() {
                    continue;
                }
                result = client_of(&instances.armed[done]);
            }
            let replacement = match self.limit {
                // One that is not going to be lent is replaced as well.
                Some(limit) if result.is_ok() && instances.armed.len() + instances.lent >= limit => None,
                _ => match self.further(Instance::Further) {
                    Ok(op) => Some(op),
                    // If that fails there are others, but for the last one: the name would be free for anyone.
                    Err(error) if instances.armed.len() == 1 => return Err(error),
                    Err(_) => None,
                },
            };
            let op = instances.armed.remove(done);
            instances.armed.extend(replacement);
            result?;
            return Ok(Some(op));
        }
        Ok(None)
    }

    /// Takes note that an instance is about to be closed. Another takes its place before, so that the name is not
    /// free in between.
    fn give_back(shared: &Weak<Self>) {
        let Some(shared) = shared.upgrade() else { return };
        let mut instances = shared.lock();
        instances.lent -= 1;
        if shared.has_room(&instances) {
            // If that fails, `accept` tries it again, and says so.
            instances.armed.extend(shared.further(Instance::Further).ok());
        }
        shared.look_again(&instances);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // First the instances, so that the name is free when this returns.
        self.instances.get_mut().unwrap_or_else(PoisonError::into_inner).armed.clear();
        self.ready.end();
    }
}
#[cfg(test)]
mod tests {
    use super::{
        super::{
            name::pipe_path,
            named_pipe::Client,
            security_descriptor::SecurityDescriptor,
            tests::{connect, listen, long, recv_exact, send_all, unique_name},
        },
        *,
    };
    use crate::local_socket::Access;

    #[cfg(feature = "async")]
    #[test]
    fn an_event_that_was_set_for_something_else_does_not_wake_a_task_that_accepts() {
        use std::{sync::mpsc, task::Wake, time::Duration};

        struct Woken(mpsc::Sender<()>);

        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                let _ = self.0.send(());
            }
        }

        const SOON: Duration = Duration::from_millis(30);
        const LONG: Duration = Duration::from_secs(20);

        let name = unique_name();
        let listener = listen(&name);
        let (sender, woken) = mpsc::channel();
        let waker = Arc::new(Woken(sender)).into();
        let mut cx = Context::from_waker(&waker);
        listener.shared.ready.event().set();
        assert!(listener.poll_ready(Interest::Read, &mut cx).is_pending());
        woken.recv_timeout(SOON).expect_err("woken though nothing is there");
        let _client = connect(&name);
        woken.recv_timeout(LONG).unwrap();
        assert!(listener.poll_ready(Interest::Read, &mut cx).is_ready());
        listener.accept(long(), true).unwrap();
        listener.stop();
        assert!(listener.poll_ready(Interest::Read, &mut cx).is_ready());
    }

    #[test]
    fn taking_one_client_does_not_hide_the_next_from_those_who_wait() {
        let name = unique_name();
        let listener = listen(&name);
        let clients = [connect(&name), connect(&name)];
        let is_announced = || listener.shared.ready.event().wait(Deadline::after(std::time::Duration::ZERO));
        listener.accept(long(), false).unwrap();
        assert!(is_announced());
        listener.accept(long(), false).unwrap();
        assert!(listener.claim().unwrap().is_none() && !is_announced());
        listener.stop();
        assert!(listener.claim().unwrap().is_none() && is_announced());
        drop(clients);
    }

    #[test]
    fn with_a_limit_and_no_instance_left_accept_says_why_instead_of_waiting_in_vain() {
        let (path, elsewhere) = (pipe_path(&unique_name()).unwrap(), pipe_path(&unique_name()).unwrap());
        let settings = Settings::new(path.clone(), SecurityDescriptor::of_pipe(Access::Owner).unwrap());
        let mut listener = Listener::new(settings, None, Some(2)).unwrap();
        let connect = || Stream::open(&path, &Client::default(), Some(long())).unwrap();
        let clients = [connect(), connect()];
        // No instance can be added to a pipe that does not exist.
        Arc::get_mut(&mut listener.shared).unwrap().settings.path = Some(elsewhere);
        let first = listener.accept(long(), false).unwrap();
        let second = listener.accept(long(), false).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| listener.accept(long(), false).unwrap_err());
            drop(first);
            assert_eq!(waiting.join().unwrap().kind(), io::ErrorKind::NotFound);
        });
        listener.accept(long(), false).unwrap_err();
        drop((second, clients));
    }

    #[test]
    fn without_room_for_a_new_instance_accept_goes_on_and_the_name_is_held() {
        let (name, elsewhere) = (unique_name(), pipe_path(&unique_name()).unwrap());
        let mut listener = listen(&name);
        let shared = Arc::get_mut(&mut listener.shared).unwrap();
        shared.backlog = 2;
        shared.lock().armed.truncate(2);
        let clients = [connect(&name), connect(&name)];
        send_all(&clients[0], b"1");
        send_all(&clients[1], b"2");
        // No instance can be added to a pipe that does not exist.
        let path = shared.settings.path.replace(elsewhere);
        let first = listener.accept(long(), false).unwrap();
        for _ in 0..3 {
            listener.accept(long(), false).unwrap_err();
            assert_eq!(listener.shared.lock().armed.len(), 1);
        }
        // There is room again, and nobody was lost.
        Arc::get_mut(&mut listener.shared).unwrap().settings.path = path;
        let second = listener.accept(long(), false).unwrap();
        let mut seen = [recv_exact(&first, 1), recv_exact(&second, 1)].concat();
        seen.sort_unstable();
        assert_eq!(seen, b"12");
        assert_eq!(listener.shared.lock().armed.len(), 2);
    }
}
