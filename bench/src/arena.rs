//! Where contestants meet: those of one case, each with one end in this process and one in another, or with both here.
//!
//! There is one other process for all of them, so that the scheduler cannot treat them differently. It does what it is
//! ordered to: which contestant, and how many times. Both keep to the processors that the case is for, so that a run does not
//! differ from the next by where the scheduler happened to put them.

use crate::{
    cases::{Case, Cores},
    peer::Peer,
    stats::{Laps, Sample},
};
use interprocess::{
    child::{self, Give},
    unnamed_pipe::{Recver, Sender, pipe},
};
use std::{
    env, fs,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

#[cfg(unix)]
pub(crate) type Owned = std::os::fd::OwnedFd;
#[cfg(windows)]
pub(crate) type Owned = std::os::windows::io::OwnedHandle;

/// Does something so many times.
pub(crate) type Work = Box<dyn FnMut(u32, &mut Laps) -> io::Result<()>>;

/// So that the compiler knows what the closure takes.
pub(crate) fn work(work: impl FnMut(u32, &mut Laps) -> io::Result<()> + 'static) -> Work {
    Box::new(work)
}

/// The second of two steps, after the first steps of both processes.
pub(crate) type Ready = Box<dyn FnOnce() -> io::Result<Work>>;

/// What is done, by whoever does it.
pub(crate) trait Subject {
    /// This process's part. What `parcels` get, the other process finds by [`child::inherited`].
    fn near(&self, peer: Peer, place: &Place, parcels: &mut Parcels) -> io::Result<Ready>;

    /// The other process's part; `None` if there is no other process.
    fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>>;
}

pub(crate) type Parcels = Vec<(String, Owned)>;

/// Where names are that both processes know.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// By peer, so that making a name is no part of what is measured.
    sockets: Vec<String>,
}

impl Place {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("interprocess-bench-{}", std::process::id()));
        // What a process of the same number has left behind.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        Ok(Self::at(folder))
    }

    /// One that another process has made.
    pub(crate) fn at(folder: PathBuf) -> Self {
        let name = |peer: Peer| {
            if cfg!(windows) {
                let folder = folder.file_name().unwrap_or_default().to_string_lossy();
                format!("@{folder}-{}", peer.name())
            } else {
                folder.join(peer.name()).to_string_lossy().into_owned()
            }
        };
        Self { sockets: Peer::ALL.map(name).into(), folder }
    }

    /// A name for a local socket.
    pub(crate) fn socket(&self, peer: Peer) -> &str {
        &self.sockets[peer as usize]
    }

    /// A file that is not there yet.
    pub(crate) fn file(&self, peer: Peer) -> PathBuf {
        self.folder.join(peer.name())
    }
}

/// What the contestants have to do next.
#[derive(Copy, Clone, Debug)]
struct Order {
    index: u32,
    count: u32,
}

impl Order {
    const LEN: usize = 8;

    fn to_bytes(self) -> [u8; Self::LEN] {
        (u64::from(self.index) << 32 | u64::from(self.count)).to_le_bytes()
    }

    #[allow(clippy::cast_possible_truncation, reason = "each half is taken for itself")]
    fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let both = u64::from_le_bytes(bytes);
        Self { index: (both >> 32) as u32, count: both as u32 }
    }
}

/// The contestants of a case.
pub(crate) struct Arena {
    works: Vec<Work>,
    far: Option<Far>,
    place: Place,
}

/// The other process.
struct Far {
    process: Child,
    orders: Sender,
    answers: Recver,
}

impl Arena {
    pub(crate) fn new(case: &Case, peers: &[Peer]) -> io::Result<Self> {
        // From here on, what there is is removed whatever happens.
        let mut arena = Self { works: Vec::new(), far: None, place: Place::new()? };
        let mut parcels = Vec::new();
        let steps: Vec<_> = peers
            .iter()
            .map(|peer| case.subject.near(*peer, &arena.place, &mut parcels))
            .collect::<io::Result<_>>()?;
        if !case.is_alone {
            arena.far = Some(Far::start(case, peers, &arena.place, parcels)?);
        }
        // Not before: the other process has the processors that this one has then.
        cores::pin(Some(0))?;
        for step in steps {
            arena.works.push(step()?);
        }
        Ok(arena)
    }

    /// Runs one slice, and says how long it took.
    pub(crate) fn slice(
        &mut self,
        index: usize,
        count: u32,
        laps: Option<&mut Laps>,
    ) -> io::Result<Duration> {
        if let Some(far) = &mut self.far {
            let index = u32::try_from(index).expect("there are few");
            far.orders.write_all(&Order { index, count }.to_bytes())?;
            // The clock starts when the other process has heard it.
            far.answers.read_exact(&mut [0])?;
        }
        let mut off = Laps::OFF;
        let laps = match laps {
            Some(laps) => {
                laps.start(count);
                laps
            }
            None => &mut off,
        };
        let start = Instant::now();
        self.works[index](count, laps)?;
        Ok(start.elapsed())
    }

    /// Ends the other process, and says whether all was well there.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.works.clear();
        let Some(mut far) = self.far.take() else { return Ok(()) };
        drop(far.orders);
        let status = far.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the other process failed: {status}")))
        }
    }

    /// Lets the contestants do slices in turns, for that time each: A B C C B A A B C …
    pub(crate) fn take_turns(&mut self, time_for_each: Duration, with_laps: bool) -> io::Result<Vec<Sample>> {
        let count = self.warm_up()?;
        let mut samples: Vec<_> = self.works.iter().map(|_| Sample::new()).collect();
        samples.iter_mut().for_each(Sample::begin_round);
        let mut order: Vec<_> = (0..samples.len()).collect();
        let sides = u32::try_from(samples.len()).expect("there are few");
        let end = Instant::now() + time_for_each * sides;
        while Instant::now() < end {
            for side in &order {
                let sample = &mut samples[*side];
                let laps = with_laps.then_some(&mut sample.laps);
                let time = self.slice(*side, count, laps)?;
                sample.add(time, count);
            }
            order.reverse();
        }
        Ok(samples)
    }

    /// Each contestant works for the first time, when what arrives is looked at, and some more. Finds out how many make a slice.
    fn warm_up(&mut self) -> io::Result<u32> {
        for side in 0..self.works.len() {
            self.slice(side, 1, None)?;
        }
        let mut count = 1;
        while self.slice(0, count, None)? < SLICE && count < 1 << 20 {
            count *= 2;
        }
        for side in 1..self.works.len() {
            self.slice(side, count, None)?;
        }
        Ok(count)
    }
}

/// The order in which contestants come in a round: where they are made, and take turns. The first two, which are compared first of all,
/// are neighbours in each.
pub(crate) fn order(round: usize, contestants: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..contestants).collect();
    order.rotate_left(2 * (round / 2 % contestants.div_ceil(2)));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// Ends this process should it still be there when nothing takes so long, so that what hangs is a failure.
#[cfg(unix)]
pub(crate) fn end_in_any_case() {
    const SECONDS: u32 = 120;

    // SAFETY: it takes a number. The signal's default, which is to end the process, is in place.
    unsafe { libc::alarm(SECONDS) };
}

/// How long a slice is meant to take.
const SLICE: Duration = Duration::from_millis(2);

impl Drop for Arena {
    fn drop(&mut self) {
        self.works.clear();
        let _ = cores::pin(None);
        if let Some(far) = &mut self.far {
            // After an error, when it may wait for what will not come.
            let _ = far.process.kill();
            let _ = far.process.wait();
        }
        let _ = fs::remove_dir_all(&self.place.folder);
    }
}

impl Far {
    fn start(case: &Case, peers: &[Peer], place: &Place, parcels: Parcels) -> io::Result<Self> {
        let (orders, to_read) = pipe()?;
        let (to_write, answers) = pipe()?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["--far", &case.name]).arg(&place.folder).args(peers.iter().map(|peer| peer.name()));
        let mut giving = command.give("orders", to_read).give("answers", to_write);
        for (name, object) in &parcels {
            giving = giving.give(name, object);
        }
        let mut far = Self { process: giving.spawn()?, orders, answers };
        drop(parcels);
        // It says so when it is ready to be connected to.
        match far.answers.read_exact(&mut [0]) {
            Ok(()) => Ok(far),
            Err(_) => Err(io::Error::other(format!("the other process failed: {}", far.process.wait()?))),
        }
    }
}

/// The other process, until there are no more orders.
pub(crate) fn serve(case: &Case, folder: &str, peers: &[Peer]) -> io::Result<()> {
    // It may wait for what then will not come.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let place = Place::at(folder.into());
    cores::pin(Some(usize::from(case.cores == Cores::Two)))?;
    let (mut orders, mut answers): (Recver, Sender) =
        (child::inherited("orders")?, child::inherited("answers")?);
    let mut steps = Vec::new();
    for peer in peers {
        steps.push(case.subject.far(*peer, &place)?.ok_or_else(|| peer.cannot())?);
    }
    answers.write_all(&[0])?;
    let mut works = steps.into_iter().map(|step| step()).collect::<io::Result<Vec<_>>>()?;
    let mut off = Laps::OFF;
    let mut order = [0; Order::LEN];
    loop {
        match orders.read_exact(&mut order) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        let Order { index, count } = Order::from_bytes(order);
        answers.write_all(&[0])?;
        works[index as usize](count, &mut off)?;
    }
}

/// Which processors this thread, and those that it starts, may run on.
mod cores {
    use std::io;

    /// The first or the second that we have, or all. With one processor, the second is the first.
    #[cfg(target_os = "linux")]
    pub(super) fn pin(which: Option<usize>) -> io::Result<()> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        use std::sync::OnceLock;

        static ALL: OnceLock<Vec<usize>> = OnceLock::new();
        let all = match ALL.get() {
            Some(all) => all,
            None => {
                let set = sched_getaffinity(None)?;
                ALL.get_or_init(|| (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect())
            }
        };
        let mut set = CpuSet::new();
        match which {
            Some(index) => set.set(all[index.min(all.len() - 1)]),
            None => all.iter().for_each(|cpu| set.set(*cpu)),
        }
        Ok(sched_setaffinity(None, &set)?)
    }

    /// Left to the scheduler.
    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(super) fn pin(_: Option<usize>) -> io::Result<()> {
        Ok(())
    }
}

/// For [`Parcels`].
pub(crate) fn lend(object: &impl Lend) -> io::Result<Owned> {
    object.lend()
}

/// Has something that a child can be given.
pub(crate) trait Lend {
    fn lend(&self) -> io::Result<Owned>;
}

#[cfg(unix)]
impl<T: std::os::fd::AsFd> Lend for T {
    fn lend(&self) -> io::Result<Owned> {
        self.as_fd().try_clone_to_owned()
    }
}

#[cfg(windows)]
impl<T: std::os::windows::io::AsHandle> Lend for T {
    fn lend(&self) -> io::Result<Owned> {
        self.as_handle().try_clone_to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_each_round_the_first_two_are_neighbours_and_not_always_in_the_same_place() {
        for contestants in 2..=6 {
            let orders: Vec<_> = (0..6).map(|round| order(round, contestants)).collect();
            for order in &orders {
                let place = |which| order.iter().position(|one| *one == which).unwrap();
                assert_eq!(place(0).abs_diff(place(1)), 1, "{order:?}");
            }
            assert!(orders.iter().any(|order| order[0] == 0) && orders.iter().any(|order| order[0] != 0));
        }
    }

    #[test]
    fn orders_arrive_as_they_were_given() {
        let order = Order::from_bytes(Order { index: 7, count: u32::MAX }.to_bytes());
        assert_eq!((order.index, order.count), (7, u32::MAX));
    }
}
