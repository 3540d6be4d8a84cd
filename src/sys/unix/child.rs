//! Children that get the descriptors they are given and no others.
//!
//! The rule of this file: a descriptor loses its close-on-exec flag in the forked child alone. What runs there, between `fork` and
//! `exec`, makes system calls and nothing else.

use super::inherited::{self, FIRST, Refusal};
use crate::child::{
    Given,
    private::Command,
    table::{self, VARIABLE, forged, nothing_given},
};
use rustix::{
    fs::{FileType, OFlags},
    io::{Errno, FdFlags},
    process::Resource,
};
use std::{
    env, io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// What a child is to have.
#[derive(Debug, Default)]
pub(crate) struct Parcels {
    named: Vec<(String, OwnedFd)>,
    /// With the number that each is to have.
    numbered: Vec<(RawFd, OwnedFd)>,
}

impl Parcels {
    pub(crate) fn add(&mut self, name: &str, fd: OwnedFd) -> io::Result<()> {
        if self.named.iter().any(|(other, _)| other == name) {
            return Err(invalid(format!("two things are given under the name {name:?}")));
        }
        self.named.push((name.to_owned(), fd));
        Ok(())
    }

    pub(crate) fn add_at(&mut self, number: RawFd, fd: OwnedFd) -> io::Result<()> {
        if number < FIRST {
            return Err(invalid(format!(
                "{number} is not a number for it: 0, 1 and 2 are the standard streams"
            )));
        }
        if self.numbered.iter().any(|(other, _)| *other == number) {
            return Err(invalid(format!("two things are given the number {number}")));
        }
        self.numbered.push((number, fd));
        Ok(())
    }

    /// Moves all of them above the numbers that are asked for, so that none is in the way of another.
    fn moved_out_of_the_way(mut self) -> io::Result<Self> {
        let highest = self.numbered.iter().map(|(number, _)| *number).max();
        let least = highest.map_or(FIRST, |highest| highest.saturating_add(1));
        let named = self.named.iter_mut().map(|(_, fd)| fd);
        for fd in named.chain(self.numbered.iter_mut().map(|(_, fd)| fd)) {
            if fd.as_raw_fd() < least {
                *fd = duplicate_from(fd.as_fd(), least)?;
            }
        }
        Ok(self)
    }

    fn table(&self) -> io::Result<String> {
        let entries: io::Result<Vec<_>> = self
            .named
            .iter()
            .map(|(name, fd)| {
                Ok((&**name, format!("{}:{}", fd.as_raw_fd(), Identity::of(fd.as_fd())?.to_text())))
            })
            .collect();
        entries.map(table::encode)
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Another descriptor of the same, with the lowest number that is free from `least` on.
fn duplicate_from(fd: BorrowedFd<'_>, least: RawFd) -> io::Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, least).map_err(|error| match error {
        Errno::INVAL => invalid(format!("descriptors of this process have no numbers from {least} on")),
        error => error.into(),
    })
}

/// What of an object is the same for all who have it, and for most other objects is not.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    kind: FileType,
    /// Which end of a pipe it is, for one.
    access: OFlags,
}

impl Identity {
    fn of(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let stat = rustix::fs::fstat(fd)?;
        let access = rustix::fs::fcntl_getfl(fd)? & OFlags::RWMODE;
        #[allow(
            clippy::cast_sign_loss,
            clippy::cast_lossless,
            clippy::unnecessary_cast,
            reason = "the types differ between systems; only whether they are the same counts"
        )]
        let (device, inode) = (stat.st_dev as u64, stat.st_ino as u64);
        Ok(Self { device, inode, kind: FileType::from_raw_mode(stat.st_mode), access })
    }

    /// Whether it is of a kind by which std may talk to the parent.
    fn may_be_stds(self) -> bool {
        matches!(self.kind, FileType::Fifo | FileType::Socket)
    }

    fn to_text(self) -> String {
        let Self { device, inode, kind, access } = self;
        format!("{device}:{inode}:{}:{}", kind.as_raw_mode(), access.bits())
    }
}

/// What is to be done in the forked child. It is made before, and refers to descriptors by their numbers, which are the same there.
#[derive(Debug)]
struct Plan {
    /// Whether there is nothing to do: the command may start others, which get nothing.
    is_over: AtomicBool,
    kept: Vec<RawFd>,
    placed: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    from: RawFd,
    to: RawFd,
    /// What has the number `to` until then: ours, to hold the place, or somebody else's.
    occupant: Identity,
}

impl Plan {
    /// The plan, and what has to live until it was carried out.
    fn new(parcels: &Parcels) -> io::Result<(Self, Vec<OwnedFd>)> {
        let kept = parcels.named.iter().map(|(_, fd)| fd.as_raw_fd()).collect();
        let (mut placed, mut holding) = (Vec::new(), Vec::new());
        for (number, fd) in &parcels.numbered {
            let (occupant, held) = occupy(*number, fd.as_fd())?;
            placed.push(Place { from: fd.as_raw_fd(), to: *number, occupant });
            holding.extend(held);
        }
        Ok((Self { is_over: AtomicBool::new(false), kept, placed }, holding))
    }

    /// In the child.
    fn carry_out(&self) -> io::Result<()> {
        if self.is_over.load(Relaxed) {
            return Ok(());
        }
        close_all_on_exec();
        for place in &self.placed {
            // Should another thread have closed what was there, it may be the pipe or socket by which std tells the parent how it went.
            match Identity::of(borrow(place.to)) {
                Ok(occupant) if occupant != place.occupant && occupant.may_be_stds() => {
                    return Err(Errno::BUSY.into());
                }
                _ => {}
            }
            // SAFETY: `dup2` closes `to`, which in this process, a copy made by `fork`, nothing uses any more, and `exec` would close.
            while unsafe { libc::dup2(place.from, place.to) } == -1 {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
        for number in &self.kept {
            rustix::io::fcntl_setfd(borrow(*number), FdFlags::empty())?;
        }
        Ok(())
    }
}

/// For a call that may find it closed.
fn borrow(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: numbers here are not negative, and it is only passed to calls that fail if nothing is open under that number, or change
    // what happens to it on `exec`, in a forked child.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Makes sure that the number is in use, so that nothing is opened there between now and `fork`.
fn occupy(number: RawFd, fd: BorrowedFd<'_>) -> io::Result<(Identity, Option<OwnedFd>)> {
    /// How often others may close it just then.
    const ATTEMPTS: u32 = 100;

    for _ in 0..ATTEMPTS {
        let held = duplicate_from(fd, number)?;
        if held.as_raw_fd() == number {
            return Ok((Identity::of(held.as_fd())?, Some(held)));
        }
        match Identity::of(borrow(number)) {
            Err(Errno::BADF) => {}
            occupant => return Ok((occupant?, None)),
        }
    }
    Err(Errno::BUSY.into())
}

/// Sets close-on-exec for every descriptor but the standard streams. In a forked child.
fn close_all_on_exec() {
    /// Where the limit is higher, as a rule that many are not open. Each costs a system call.
    const MOST: u64 = 65_536;

    // Since Linux 5.11.
    #[cfg(target_os = "linux")]
    if close_range_on_exec() {
        return;
    }
    let limit = rustix::process::getrlimit(Resource::Nofile).current.map_or(MOST, |limit| limit.min(MOST));
    for number in FIRST..RawFd::try_from(limit).unwrap_or(RawFd::MAX) {
        // It fails for what is not open.
        let _ = rustix::io::fcntl_setfd(borrow(number), FdFlags::CLOEXEC);
    }
}

/// The same by one system call; whether there is one, and it is allowed.
#[cfg(target_os = "linux")]
fn close_range_on_exec() -> bool {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;

    // SAFETY: it takes numbers, and sets flags of descriptors.
    unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) == 0 }
}

/// Starts a child that gets what it is given.
pub(crate) fn spawn<C: Command>(command: &mut C, parcels: Parcels) -> io::Result<C::Child> {
    /// How often other threads may open what is in the way of a number.
    const ATTEMPTS: u32 = 100;

    let parcels = parcels.moved_out_of_the_way()?;
    command.as_std().env(VARIABLE, parcels.table()?);
    let mut attempts = 1;
    let child = loop {
        match attempt(command, &parcels) {
            Err(error)
                if error.kind() == io::ErrorKind::ResourceBusy
                    && !parcels.numbered.is_empty()
                    && attempts < ATTEMPTS =>
            {
                attempts += 1;
            }
            result => break result,
        }
    };
    command.as_std().env_remove(VARIABLE);
    child
}

fn attempt<C: Command>(command: &mut C, parcels: &Parcels) -> io::Result<C::Child> {
    let (plan, _holding) = Plan::new(parcels)?;
    let plan = Arc::new(plan);
    let in_child = Arc::clone(&plan);
    // SAFETY: between `fork` and `exec` it makes system calls that are safe there (`fcntl`, `fstat`, `dup2`, `close_range`, `getrlimit`), and
    // allocates nothing. What it closes is not used by anybody in that process, see there.
    unsafe { command.as_std().pre_exec(move || in_child.carry_out()) };
    let child = command.spawn();
    plan.is_over.store(true, Relaxed);
    child
}

/// Takes all that was given to this process.
pub(crate) fn claim() -> io::Result<Given> {
    let Some(text) = env::var_os(VARIABLE) else {
        return Err(nothing_given(&format!("{VARIABLE} is not set")));
    };
    let text = text.to_str().ok_or_else(|| forged(format!("{text:?} is no text")))?;
    let entries = table::decode(text)?;
    Ok(entries.into_iter().map(|(name, value)| (name.to_owned(), take(value))).collect())
}

/// Takes the descriptor that such a value tells of.
fn take(value: &str) -> io::Result<OwnedFd> {
    let parsed = value.split_once(':').and_then(|(number, rest)| Some((number.parse::<RawFd>().ok()?, rest)));
    let (number, identity) = parsed.ok_or_else(|| forged(format!("{value:?} is no descriptor")))?;
    let another = || nothing_given(&format!("the descriptor {number} was for another process, or is taken"));
    let check = |fd: BorrowedFd<'_>| {
        if Identity::of(fd)?.to_text() == identity { Ok(()) } else { Err(another()) }
    };
    inherited::take(number, check).map_err(|refusal| match refusal {
        Refusal::NotOpen | Refusal::Owned => another(),
        Refusal::Wrong(error) => error,
    })
}
