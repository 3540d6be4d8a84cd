//! Who gets which signals: the handlers that are installed, what was there before them, and the queues that they push to.
//!
//! A handler calls [`dispatch`], and then what was installed before. When the last queue for a signal is gone, what was there
//! before is put back, unless somebody has installed something on top meanwhile: that one may call ours, so ours stays, and
//! does no more than call what was before it. Should ours be wanted again, it goes on top as another function (`GENERATIONS`
//! of them), since going on top as the same one would make the two call each other for ever.

use super::{
    details,
    queue::{Bits, Queue, has_bit, set_bit},
};
use libc::{c_int, c_void, siginfo_t};
use std::{
    collections::BTreeMap,
    io,
    mem::{self, MaybeUninit},
    ptr::{self, null, null_mut},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicPtr, AtomicU32, AtomicUsize,
            Ordering::{Acquire, Release, SeqCst},
        },
    },
    thread,
};

/// As many signals as any system has, and 0.
const SIGNALS: usize = 129;

/// How often ours can go on top of another that is on top of ours.
const GENERATIONS: usize = 4;

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The same function, once for each generation.
const HANDLERS: [Handler; GENERATIONS] = [handle::<0>, handle::<1>, handle::<2>, handle::<3>];

/// What a handler has to know.
struct Slot {
    /// Whether it is to push to the queues.
    is_active: AtomicBool,
    /// What was installed before, as `sigaction` has it.
    previous: AtomicUsize,
    previous_wants_details: AtomicBool,
}

static SLOTS: [[Slot; GENERATIONS]; SIGNALS] = [const {
    [const {
        Slot {
            is_active: AtomicBool::new(false),
            previous: AtomicUsize::new(libc::SIG_DFL),
            previous_wants_details: AtomicBool::new(false),
        }
    }; GENERATIONS]
}; SIGNALS];

/// A queue and the signals it gets. Nodes are in a list that only grows, and are used again.
struct Node {
    next: *const Node,
    queue: AtomicPtr<Queue>,
    /// How many handlers are looking at the queue.
    users: AtomicUsize,
    signals: Bits,
}

// SAFETY: `next` is set before others know the node, and points to one that is never freed.
unsafe impl Sync for Node {}

static NODES: AtomicPtr<Node> = AtomicPtr::new(null_mut());

/// What was done, for who adds and removes. No handler looks at it.
#[derive(Default)]
struct State {
    installed: BTreeMap<c_int, Installed>,
    /// Generations that have something on top, of each signal, the latest last.
    buried: BTreeMap<c_int, Vec<Installed>>,
}

struct Installed {
    generation: usize,
    previous: libc::sigaction,
    queues: usize,
}

static STATE: Mutex<State> = Mutex::new(State { installed: BTreeMap::new(), buried: BTreeMap::new() });

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What runs when a signal comes.
extern "C" fn handle<const GENERATION: usize>(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let errno = errno();
    // SAFETY: it is this thread's number.
    let before = unsafe { *errno };
    let slot = usize::try_from(signal).ok().and_then(|signal| SLOTS.get(signal));
    let Some(Slot { is_active, previous, previous_wants_details }) = slot.map(|slots| &slots[GENERATION])
    else {
        return;
    };
    if is_active.load(SeqCst) {
        // SAFETY: the system gives a valid pointer, or somebody who calls us as a handler does; null is seen to.
        dispatch(signal, unsafe { info.as_ref() });
    }
    // SAFETY: as above.
    unsafe { *errno = before };
    let wants_details = previous_wants_details.load(Acquire);
    // SAFETY: that is what was installed, with or without SA_SIGINFO, and these are the arguments for it.
    unsafe { call(previous.load(Acquire), wants_details, signal, info, context) };
}

/// Calls what `sigaction` says is installed. By default, nothing is done: that was replaced on purpose.
///
/// # Safety
/// It comes from `sigaction`, as does whether it has SA_SIGINFO.
unsafe fn call(
    action: usize,
    wants_details: bool,
    signal: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
) {
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        return;
    }
    let function = ptr::with_exposed_provenance::<()>(action);
    if wants_details {
        // SAFETY: with SA_SIGINFO it is a function of this type.
        let function: Handler = unsafe { mem::transmute(function) };
        function(signal, info, context);
    } else {
        // SAFETY: without it, it is one of this type.
        let function: extern "C" fn(c_int) = unsafe { mem::transmute(function) };
        function(signal);
    }
}

/// Pushes the signal to every queue that is to have it.
fn dispatch(signal: c_int, info: Option<&siginfo_t>) {
    let record = details::record(signal, info);
    let is_merged = !super::is_real_time(signal);
    let mut node = NODES.load(SeqCst);
    // SAFETY: nodes are never freed.
    while let Some(Node { next, queue, users, signals }) = unsafe { node.as_ref() } {
        users.fetch_add(1, SeqCst);
        if has_bit(signals, signal) {
            // SAFETY: a queue that was there after `users` was counted up is not freed before it is counted down.
            if let Some(queue) = unsafe { queue.load(SeqCst).as_ref() } {
                queue.push(record, is_merged);
            }
        }
        users.fetch_sub(1, SeqCst);
        node = next.cast_mut();
    }
}

/// A queue that gets signals, until this is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    queue: Arc<Queue>,
    node: &'static Node,
    signals: Vec<c_int>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Registration {
    /// Gives the queue these signals from now on. If one cannot be had, none is.
    pub(crate) fn new(queue: Arc<Queue>, signals: &[c_int]) -> io::Result<Self> {
        let mut state = lock();
        let node = free_node();
        for &signal in signals {
            set_bit(&node.signals, signal);
        }
        node.queue.store(Arc::as_ptr(&queue).cast_mut(), SeqCst);
        let mut new = Self { queue, node, signals: Vec::new() };
        for &signal in signals {
            if new.signals.contains(&signal) {
                continue;
            }
            if let Err(error) = state.install(signal) {
                // Dropping it takes the lock.
                drop(state);
                return Err(error);
            }
            new.signals.push(signal);
        }
        Ok(new)
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = lock();
        for &signal in &self.signals {
            state.uninstall(signal);
        }
        for bits in &self.node.signals {
            bits.store(0, SeqCst);
        }
        self.node.queue.store(null_mut(), SeqCst);
        // A handler that looks at the queue does so in another thread, or it would be done by now, and does not wait.
        while self.node.users.load(SeqCst) != 0 {
            thread::yield_now();
        }
    }
}

/// A node without a queue, with the lock held.
fn free_node() -> &'static Node {
    let first = NODES.load(SeqCst);
    let mut node = first;
    // SAFETY: nodes are never freed.
    while let Some(found) = unsafe { node.as_ref() } {
        if found.queue.load(SeqCst).is_null() {
            return found;
        }
        node = found.next.cast_mut();
    }
    let new = Box::leak(Box::new(Node {
        next: first,
        queue: AtomicPtr::default(),
        users: AtomicUsize::new(0),
        signals: [const { AtomicU32::new(0) }; 4],
    }));
    NODES.store(new, SeqCst);
    new
}

impl State {
    /// Has the signal dispatched.
    fn install(&mut self, signal: c_int) -> io::Result<()> {
        if let Some(installed) = self.installed.get_mut(&signal) {
            installed.queues += 1;
            return Ok(());
        }
        let slots = slots(signal)?;
        let current = current(signal)?;
        let buried = self.buried.entry(signal).or_default();
        let is_free = |generation: &usize| buried.iter().all(|buried| buried.generation != *generation);
        let mut installed = if let Some(at) = buried.iter().position(|b| is_ours(&current, b.generation)) {
            // What was on top is gone.
            buried.remove(at)
        } else if let Some(generation) = (0..GENERATIONS).find(is_free) {
            let slot = &slots[generation];
            slot.set_previous(&current);
            slot.is_active.store(true, SeqCst);
            let replaced = replace(signal, &ours(generation, signal, &current)).inspect_err(|_| {
                slot.is_active.store(false, SeqCst);
            })?;
            if replaced.sa_sigaction != current.sa_sigaction {
                // Somebody else was faster.
                slot.set_previous(&replaced);
            }
            Installed { generation, previous: replaced, queues: 0 }
        } else {
            // Whoever goes on top again and again calls what was there before, or the one before would not be there any more.
            buried.pop().expect("all are")
        };
        slots[installed.generation].is_active.store(true, SeqCst);
        installed.queues = 1;
        self.installed.insert(signal, installed);
        Ok(())
    }

    /// Undoes one [`install`](Self::install).
    fn uninstall(&mut self, signal: c_int) {
        let Some(installed) = self.installed.get_mut(&signal) else { return };
        installed.queues -= 1;
        if installed.queues > 0 {
            return;
        }
        let Some(installed) = self.installed.remove(&signal) else { return };
        let generation = installed.generation;
        let mut is_buried = !is_installed(signal, generation);
        if !is_buried {
            if let Ok(replaced) = replace(signal, &installed.previous) {
                if !is_ours(&replaced, generation) {
                    // Somebody else was faster.
                    let _ = replace(signal, &replaced);
                    is_buried = true;
                }
            }
        }
        if is_buried {
            self.buried.entry(signal).or_default().push(installed);
        }
        if let Ok(slots) = slots(signal) {
            slots[generation].is_active.store(false, SeqCst);
        }
    }
}

/// Installs an action beneath ours, if ours is on top, and else where it is.
///
/// # Safety
/// As for `sigaction(2)`: the function may run in whatever it interrupts.
pub(crate) unsafe fn set_action(signal: c_int, action: &libc::sigaction) -> io::Result<()> {
    let mut state = lock();
    let slots = slots(signal)?;
    if let Some(installed) = state.installed.get_mut(&signal) {
        if is_installed(signal, installed.generation) {
            installed.previous = *action;
            slots[installed.generation].set_previous(action);
            return Ok(());
        }
    }
    replace(signal, action).map(drop)
}

impl Slot {
    fn set_previous(&self, action: &libc::sigaction) {
        // In between, the one is called with the other's arguments: a function that takes fewer does not notice.
        let wants_details = has_details(action);
        if wants_details {
            self.previous_wants_details.store(true, Release);
        }
        self.previous.store(action.sa_sigaction, Release);
        self.previous_wants_details.store(wants_details, Release);
    }
}

fn slots(signal: c_int) -> io::Result<&'static [Slot; GENERATIONS]> {
    let slots = usize::try_from(signal).ok().and_then(|signal| SLOTS.get(signal));
    slots.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Our action: interrupted calls go on, and it runs on the signal stack if there is one. What the action before it asked for
/// (which other signals wait; no zombies) holds further on.
#[allow(clippy::fn_to_numeric_cast_any, reason = "that is what sigaction takes")]
fn ours(generation: usize, signal: c_int, previous: &libc::sigaction) -> libc::sigaction {
    let mut action = empty_action();
    action.sa_sigaction = HANDLERS[generation] as usize;
    action.sa_mask = previous.sa_mask;
    let mut kept = flags(previous) & (libc::SA_NOCLDWAIT | libc::SA_NODEFER);
    if signal == libc::SIGCHLD && previous.sa_sigaction == libc::SIG_IGN {
        kept |= libc::SA_NOCLDWAIT;
    }
    set_flags(&mut action, kept | libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK);
    action
}

#[allow(clippy::fn_to_numeric_cast_any, reason = "as above")]
fn is_ours(action: &libc::sigaction, generation: usize) -> bool {
    action.sa_sigaction == HANDLERS[generation] as usize
}

fn is_installed(signal: c_int, generation: usize) -> bool {
    current(signal).is_ok_and(|action| is_ours(&action, generation))
}

pub(crate) fn empty_action() -> libc::sigaction {
    // SAFETY: all zeros is a valid value of this structure of numbers: the default action, with no other signals in its mask.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// What is installed.
pub(crate) fn current(signal: c_int) -> io::Result<libc::sigaction> {
    let mut action = empty_action();
    // SAFETY: with no new action, this only writes the present one to where it may.
    check(unsafe { libc::sigaction(signal, null(), &raw mut action) })?;
    Ok(action)
}

/// Installs an action and gives the one before.
fn replace(signal: c_int, action: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = empty_action();
    // SAFETY: both point to such structures. The function is ours, or was installed before, or is what a caller vouches for.
    check(unsafe { libc::sigaction(signal, action, &raw mut before) })?;
    Ok(before)
}

pub(super) fn check(result: c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn has_details(action: &libc::sigaction) -> bool {
    flags(action) & libc::SA_SIGINFO != 0
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_possible_truncation,
    reason = "the type differs between systems, the flags fit"
)]
pub(super) fn flags(action: &libc::sigaction) -> c_int {
    action.sa_flags as c_int
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    clippy::cast_sign_loss,
    reason = "as above; the flags are bits"
)]
pub(crate) fn set_flags(action: &mut libc::sigaction, flags: c_int) {
    action.sa_flags = flags as _;
}

/// Where this thread's error number is.
fn errno() -> *mut c_int {
    #[cfg(any(target_os = "illumos", target_os = "solaris"))]
    use libc::___errno as location;
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(any(target_os = "linux", target_os = "dragonfly"))]
    use libc::__errno_location as location;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    use libc::__error as location;
    // SAFETY: no preconditions.
    unsafe { location() }
}
