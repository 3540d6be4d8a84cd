//! Async streams, on each runtime by its own traits for reading and writing: ours, and what the runtimes have themselves.
//!
//! Every process has one thread for its runtime.

#[cfg(unix)]
mod smol;
pub(crate) mod tokio;

use crate::{
    arena::{Parcels, Place, Ready, Subject, Work, work},
    peer::Peer,
    shape::{BIG_ROOM, Pages, Shape, check, pattern},
    stats::Laps,
};
use futures_lite::future::zip;
use std::{future::Future, io};

/// A stream of either runtime.
pub(crate) trait Io: Send + 'static {
    fn read(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;
    fn read_exact(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<()>> + Send;
    fn write_all(&mut self, buf: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
}

/// The names are none that the runtimes have for themselves.
pub(crate) trait Executor: Sized + 'static {
    fn start() -> io::Result<Self>;
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// The same, with the tasks that were spawned.
    #[cfg(unix)]
    fn block_on_all<F: Future>(&self, future: F) -> F::Output {
        self.block_on(future)
    }

    #[cfg(unix)]
    fn detach(&self, future: impl Future<Output = ()> + Send + 'static);
}

/// One kind of streams, on its runtime.
pub(crate) trait Face: 'static {
    type On: Executor;
    type Listener: 'static;
    type Stream: Io;

    fn bind(place: &Place) -> io::Result<Self::Listener>;
    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>>;
    fn connect(place: &Place) -> impl Future<Output = io::Result<Self::Stream>>;
}

/// Which runtime.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Tokio,
    Smol,
}

/// Runs `$make` with `$kind` for the face that the peer has on that runtime.
macro_rules! for_face {
    ($runtime:expr, $peer:expr, $kind:ident => $make:expr) => {
        match ($runtime, $peer) {
            (Runtime::Tokio, Peer::Ours) => {
                type $kind = tokio::Ours;
                $make
            }
            #[cfg(unix)]
            (Runtime::Tokio, Peer::Tokio) => {
                type $kind = tokio::Net;
                $make
            }
            #[cfg(has_old)]
            (Runtime::Tokio, Peer::Old) => {
                type $kind = tokio::Old;
                $make
            }
            #[cfg(unix)]
            (Runtime::Smol, Peer::Ours) => {
                type $kind = smol::Ours;
                $make
            }
            #[cfg(unix)]
            (Runtime::Smol, Peer::AsyncNet) => {
                type $kind = smol::Net;
                $make
            }
            (_, peer) => Err(peer.cannot()),
        }
    };
}

/// Bytes to and fro, or one way, between processes.
pub(crate) struct Streams(pub(crate) Runtime, pub(crate) Shape);

impl Subject for Streams {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let (shape, place) = (self.1, place.clone());
        for_face!(self.0, peer, Kind => Ok(Box::new(move || {
            let on = <Kind as Face>::On::start()?;
            let stream = on.block_on(async { Kind::connect(&place).await })?;
            Ok(drive_on(on, Driver::new(stream, shape)))
        })))
    }

    fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>> {
        let shape = self.1;
        for_face!(self.0, peer, Kind => {
            let on = <Kind as Face>::On::start()?;
            let listener = on.block_on(async { Kind::bind(place) })?;
            Ok(Some(Box::new(move || {
                let stream = on.block_on(async { Kind::accept(&listener).await })?;
                Ok(answer_on(on, Answerer::new(stream, shape)))
            })))
        })
    }
}

pub(crate) fn drive_on(on: impl Executor, mut driver: Driver<impl Io>) -> Work {
    work(move |count, laps| on.block_on(driver.drive(count, laps)))
}

pub(crate) fn answer_on(on: impl Executor, mut answerer: Answerer<impl Io>) -> Work {
    work(move |count, _| on.block_on(answerer.answer(count)))
}

/// Both ends in one thread, as two futures of one task.
pub(crate) struct Alone(pub(crate) Runtime, pub(crate) Shape);

impl Subject for Alone {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let (shape, place) = (self.1, place.clone());
        for_face!(self.0, peer, Kind => Ok(Box::new(move || {
            let on = <Kind as Face>::On::start()?;
            let (one, other) = on.block_on(async {
                let listener = Kind::bind(&place)?;
                let (one, other) = zip(Kind::connect(&place), Kind::accept(&listener)).await;
                io::Result::Ok((one?, other?))
            })?;
            let (mut begins, mut answers) = (Driver::new(one, shape), Answerer::new(other, shape));
            Ok(work(move |count, laps| {
                let (driven, answered) =
                    on.block_on(zip(begins.drive(count, laps), answers.answer(count)));
                driven.and(answered)
            }))
        })))
    }

    fn far(&self, _: Peer, _: &Place) -> io::Result<Option<Ready>> {
        Ok(None)
    }
}

/// Connecting to a listener that accepts and hangs up.
pub(crate) struct Connect(pub(crate) Runtime);

impl Subject for Connect {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let place = place.clone();
        for_face!(self.0, peer, Kind => Ok(Box::new(move || {
            let on = <Kind as Face>::On::start()?;
            Ok(work(move |count, laps| on.block_on(async {
                for _ in 0..count {
                    if Kind::connect(&place).await?.read(&mut [0]).await? != 0 {
                        return Err(io::Error::other("something was received"));
                    }
                    laps.lap();
                }
                Ok(())
            })))
        })))
    }

    fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>> {
        for_face!(self.0, peer, Kind => {
            let on = <Kind as Face>::On::start()?;
            let listener = on.block_on(async { Kind::bind(place) })?;
            Ok(Some(Box::new(move || Ok(work(move |count, _| on.block_on(async {
                for _ in 0..count {
                    drop(Kind::accept(&listener).await?);
                }
                Ok(())
            }))))))
        })
    }
}

/// The end that begins. What it receives first is checked. The twin of [`shape::drive`](crate::shape::drive).
pub(crate) struct Driver<S> {
    stream: S,
    shape: Shape,
    message: Pages,
    buf: Pages,
    is_first: bool,
}

impl<S: Io> Driver<S> {
    pub(crate) fn new(stream: S, shape: Shape) -> Self {
        Self { stream, shape, message: pattern(shape.size()), buf: shape.buffer(), is_first: true }
    }

    async fn drive(&mut self, count: u32, laps: &mut Laps) -> io::Result<()> {
        let Self { stream, shape, message, buf, is_first } = self;
        for _ in 0..count {
            stream.write_all(message).await?;
            match shape {
                Shape::PingPong(_) => stream.read_exact(buf).await?,
                Shape::WithRoom(size) => read_with_room(stream, buf, *size).await?,
                Shape::OneWay(_) => continue,
            }
            if *is_first {
                check(&buf[..message.len()], 0, message.len())?;
                *is_first = false;
            }
            laps.lap();
        }
        if let Shape::OneWay(_) = shape {
            stream.read_exact(&mut [0]).await?;
        }
        Ok(())
    }
}

/// The other end: the twin of [`shape::answer`](crate::shape::answer).
pub(crate) struct Answerer<S> {
    stream: S,
    shape: Shape,
    buf: Pages,
    is_first: bool,
}

impl<S: Io> Answerer<S> {
    pub(crate) fn new(stream: S, shape: Shape) -> Self {
        Self { stream, shape, buf: shape.buffer(), is_first: true }
    }

    async fn answer(&mut self, count: u32) -> io::Result<()> {
        let Self { stream, shape, buf, is_first } = self;
        let size = shape.size();
        if let Shape::OneWay(_) = shape {
            let (all, mut done) = (shape.all_bytes(count), 0);
            while done < all {
                let room = usize::try_from(all - done).unwrap_or(usize::MAX).min(BIG_ROOM);
                let len = stream.read(&mut buf[..room]).await?;
                if len == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if *is_first && done < size as u64 {
                    check(&buf[..len], done, size)?;
                }
                done += len as u64;
            }
            *is_first = false;
            return stream.write_all(&[0]).await;
        }
        for _ in 0..count {
            match shape {
                Shape::WithRoom(_) => read_with_room(stream, buf, size).await?,
                _ => stream.read_exact(buf).await?,
            }
            if *is_first {
                check(&buf[..size], 0, size)?;
                *is_first = false;
            }
            stream.write_all(&buf[..size]).await?;
        }
        Ok(())
    }
}

async fn read_with_room(stream: &mut impl Io, buf: &mut [u8], size: usize) -> io::Result<()> {
    let mut received = 0;
    while received < size {
        match stream.read(&mut buf[received..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => received += len,
        }
    }
    Ok(())
}

#[cfg(unix)]
pub(crate) mod crowd;
#[cfg(target_os = "linux")]
pub(crate) mod idle;
