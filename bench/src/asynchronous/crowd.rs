//! Servers of many connections.

use super::{Executor, Face, Io, Runtime, smol, tokio};
use crate::{
    arena::{Parcels, Place, Ready, Subject, work},
    peer::Peer,
    shape::{check, pattern},
};
use std::{
    future::poll_fn,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Poll, Waker},
};

/// A server with many connections at once, each with a task that waits. The client takes them one after the other.
pub(crate) struct Crowd(pub(crate) Runtime, pub(crate) usize);

impl Subject for Crowd {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let (connections, path) = (self.1, place.socket(peer).to_owned());
        Ok(Box::new(move || {
            raise_limit(2 * connections)?;
            let mut clients =
                (0..connections).map(|_| UnixStream::connect(&path)).collect::<io::Result<Vec<_>>>()?;
            let message = pattern(MESSAGE);
            let mut buf = [0; MESSAGE];
            let mut next = 0;
            Ok(work(move |count, laps| {
                for _ in 0..count {
                    clients[next].write_all(&message)?;
                    clients[next].read_exact(&mut buf)?;
                    laps.lap();
                    next = (next + 1) % connections;
                }
                check(&buf, 0, MESSAGE)
            }))
        }))
    }

    fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>> {
        let connections = self.1;
        for_face!(self.0, peer, Kind => {
            raise_limit(2 * connections)?;
            let on = <Kind as Face>::On::start()?;
            let listener = on.block_on(async { Kind::bind(place) })?;
            Ok(Some(Box::new(move || {
                let tally = Tally::default();
                on.block_on(async {
                    for _ in 0..connections {
                        on.detach(echo(Kind::accept(&listener).await?, tally.clone()));
                    }
                    io::Result::Ok(())
                })?;
                let mut target: u32 = 0;
                Ok(work(move |count, _| {
                    target = target.wrapping_add(count);
                    on.block_on_all(tally.reaches(target));
                    Ok(())
                }))
            })))
        })
    }
}

pub(super) const MESSAGE: usize = 64;

/// Sends back what it receives, until that ends.
pub(super) async fn echo(mut stream: impl Io, tally: Tally) {
    let mut buf = [0; MESSAGE];
    while stream.read_exact(&mut buf).await.is_ok() && stream.write_all(&buf).await.is_ok() {
        tally.add();
    }
}

/// How many were sent back, and who waits for more.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<(AtomicU32, Mutex<Option<Waker>>)>);

impl Tally {
    pub(super) fn add(&self) {
        self.0.0.fetch_add(1, SeqCst);
        if let Some(waker) = &*self.0.1.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }

    pub(super) async fn reaches(&self, target: u32) {
        poll_fn(|cx| {
            *self.0.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            if self.0.0.load(SeqCst) == target { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Some descriptors that are for other things than connections.
const SPARE: usize = 200;

/// As many connections of either peer as this process may have, up to ten thousand.
pub(crate) fn many() -> usize {
    use rustix::process::{Resource, getrlimit};

    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    (usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(SPARE) / 2).min(10_000)
}

/// As many descriptors as it takes, and some.
pub(crate) fn raise_limit(files: usize) -> io::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(files + SPARE).unwrap_or(u64::MAX);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    limit.current = Some(wanted);
    limit.maximum = limit.maximum.map(|maximum| maximum.max(wanted));
    Ok(setrlimit(Resource::Nofile, limit)?)
}
