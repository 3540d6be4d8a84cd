//! Unnamed pipes: between processes, with both ends in one thread, and by Tokio.

use crate::{
    arena::{Owned, Parcels, Place, Ready, Subject, lend},
    asynchronous::{Answerer, Driver, Executor, Io, answer_on, drive_on, tokio::Tokio},
    peer::Peer,
    shape::{self, Shape},
};
use interprocess::{child, unnamed_pipe};
use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Runtime,
};

/// One kind of pipes.
trait Pipes {
    type Sender: Write + crate::arena::Lend + 'static;
    type Recver: Read + crate::arena::Lend + 'static;

    fn pipe() -> io::Result<(Self::Sender, Self::Recver)>;
    fn sender(object: Owned) -> io::Result<Self::Sender>;
    fn recver(object: Owned) -> io::Result<Self::Recver>;
}

/// Runs `$make` with `$kind` for the pipes of that peer.
macro_rules! for_pipes {
    ($peer:expr, $kind:ident => $make:expr) => {
        match $peer {
            Peer::Ours => {
                type $kind = Ours;
                $make
            }
            #[cfg(unix)]
            Peer::Raw => {
                type $kind = raw::Raw;
                $make
            }
            #[cfg(has_std_pipe)]
            Peer::Std => {
                type $kind = of_std::Std;
                $make
            }
            #[cfg(has_old)]
            Peer::Old => {
                type $kind = old::Old;
                $make
            }
            peer => Err(peer.cannot()),
        }
    };
}

/// Two pipes, one for each direction.
struct Both<S, R> {
    sender: S,
    recver: R,
}

impl<S, R: Read> Read for Both<S, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.recver.read(buf)
    }
}

impl<S: Write, R> Write for Both<S, R> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.sender.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sender.flush()
    }
}

/// This process's ends. The others go to the other process.
fn near<P: Pipes>(peer: Peer, parcels: &mut Parcels) -> io::Result<Both<P::Sender, P::Recver>> {
    let ((sender, theirs), (to_write, recver)) = (P::pipe()?, P::pipe()?);
    parcels.push((format!("{} in", peer.name()), lend(&theirs)?));
    parcels.push((format!("{} out", peer.name()), lend(&to_write)?));
    Ok(Both { sender, recver })
}

fn far<P: Pipes>(peer: Peer) -> io::Result<Both<P::Sender, P::Recver>> {
    Ok(Both {
        sender: P::sender(child::inherited(&format!("{} out", peer.name()))?)?,
        recver: P::recver(child::inherited(&format!("{} in", peer.name()))?)?,
    })
}

/// Bytes to and fro, or one way.
pub(crate) struct Streams(pub(crate) Shape);

impl Subject for Streams {
    fn near(&self, peer: Peer, _: &Place, parcels: &mut Parcels) -> io::Result<Ready> {
        let shape = self.0;
        for_pipes!(peer, Kind => {
            let pipes = near::<Kind>(peer, parcels)?;
            Ok(Box::new(move || Ok(shape::drive(pipes, shape))))
        })
    }

    fn far(&self, peer: Peer, _: &Place) -> io::Result<Option<Ready>> {
        let shape = self.0;
        for_pipes!(peer, Kind => {
            let pipes = far::<Kind>(peer)?;
            Ok(Some(Box::new(move || Ok(shape::answer(pipes, shape)))))
        })
    }
}

/// Sent and received by one thread.
pub(crate) struct Alone(pub(crate) usize);

impl Subject for Alone {
    fn near(&self, peer: Peer, _: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let size = self.0;
        for_pipes!(peer, Kind => {
            let (sender, recver) = Kind::pipe()?;
            Ok(Box::new(move || Ok(shape::alone(sender, recver, size))))
        })
    }

    fn far(&self, _: Peer, _: &Place) -> io::Result<Option<Ready>> {
        Ok(None)
    }
}

/// The async ends of a peer, from its blocking ones.
trait TokioPipes: Pipes {
    type AsyncSender: AsyncWrite + Unpin + Send + 'static;
    type AsyncRecver: AsyncRead + Unpin + Send + 'static;

    /// Called within the runtime.
    fn register(
        ends: Both<Self::Sender, Self::Recver>,
    ) -> io::Result<Both<Self::AsyncSender, Self::AsyncRecver>>;
}

/// The same by Tokio.
pub(crate) struct ByTokio(pub(crate) Shape);

/// Runs `$make` with `$kind` for the pipes that the peer has for Tokio.
macro_rules! for_tokio {
    ($peer:expr, $kind:ident => $make:expr) => {
        match $peer {
            Peer::Ours => {
                type $kind = Ours;
                $make
            }
            #[cfg(unix)]
            Peer::Tokio => {
                type $kind = raw::Raw;
                $make
            }
            #[cfg(has_old)]
            Peer::Old => {
                type $kind = old::Old;
                $make
            }
            peer => Err(peer.cannot()),
        }
    };
}

impl Subject for ByTokio {
    fn near(&self, peer: Peer, _: &Place, parcels: &mut Parcels) -> io::Result<Ready> {
        let shape = self.0;
        for_tokio!(peer, Kind => {
            let pipes = near::<Kind>(peer, parcels)?;
            Ok(Box::new(move || {
                let on = Runtime::start()?;
                let pipes = registered::<Kind>(&on, pipes)?;
                Ok(drive_on(on, Driver::new(pipes, shape)))
            }))
        })
    }

    fn far(&self, peer: Peer, _: &Place) -> io::Result<Option<Ready>> {
        let shape = self.0;
        for_tokio!(peer, Kind => {
            let pipes = far::<Kind>(peer)?;
            Ok(Some(Box::new(move || {
                let on = Runtime::start()?;
                let pipes = registered::<Kind>(&on, pipes)?;
                Ok(answer_on(on, Answerer::new(pipes, shape)))
            })))
        })
    }
}

fn registered<P: TokioPipes>(on: &Runtime, pipes: Both<P::Sender, P::Recver>) -> io::Result<impl Io> {
    on.block_on(async { P::register(pipes) }).map(Tokio)
}

impl<S: Unpin, R: AsyncRead + Unpin> AsyncRead for Both<S, R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().recver).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin, R: Unpin> AsyncWrite for Both<S, R> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().sender).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().sender).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().sender).poll_shutdown(cx)
    }
}

struct Ours;

impl Pipes for Ours {
    type Sender = unnamed_pipe::Sender;
    type Recver = unnamed_pipe::Recver;

    fn pipe() -> io::Result<(Self::Sender, Self::Recver)> {
        unnamed_pipe::pipe()
    }

    fn sender(object: Owned) -> io::Result<Self::Sender> {
        object.try_into().map_err(Into::into)
    }

    fn recver(object: Owned) -> io::Result<Self::Recver> {
        object.try_into().map_err(Into::into)
    }
}

impl TokioPipes for Ours {
    type AsyncSender = unnamed_pipe::tokio::Sender;
    type AsyncRecver = unnamed_pipe::tokio::Recver;

    fn register(
        ends: Both<Self::Sender, Self::Recver>,
    ) -> io::Result<Both<Self::AsyncSender, Self::AsyncRecver>> {
        Ok(Both { sender: ends.sender.try_into()?, recver: ends.recver.try_into()? })
    }
}

#[cfg(has_std_pipe)]
#[allow(clippy::incompatible_msrv, reason = "the build script has asked for the version")]
mod of_std {
    use super::{Owned, Pipes, io};

    pub(super) struct Std;

    impl Pipes for Std {
        type Sender = io::PipeWriter;
        type Recver = io::PipeReader;

        fn pipe() -> io::Result<(Self::Sender, Self::Recver)> {
            io::pipe().map(|(reader, writer)| (writer, reader))
        }

        fn sender(object: Owned) -> io::Result<Self::Sender> {
            Ok(object.into())
        }

        fn recver(object: Owned) -> io::Result<Self::Recver> {
            Ok(object.into())
        }
    }
}

/// `read` and `write`.
#[cfg(unix)]
mod raw {
    use super::{Both, Owned, Pipes, Read, TokioPipes, Write, io};
    use std::os::fd::{AsFd, BorrowedFd};
    use tokio::net::unix::pipe::{Receiver, Sender};

    pub(super) struct Raw;

    pub(super) struct End(Owned);

    impl AsFd for End {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Read for End {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(rustix::io::read(&self.0, buf)?)
        }
    }

    impl Write for End {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(rustix::io::write(&self.0, buf)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Pipes for Raw {
        type Sender = End;
        type Recver = End;

        fn pipe() -> io::Result<(End, End)> {
            // Not every system can make them without ours being inherited, which is none of the question here.
            let (reader, writer) = rustix::pipe::pipe()?;
            for end in [&reader, &writer] {
                rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            }
            Ok((End(writer), End(reader)))
        }

        fn sender(object: Owned) -> io::Result<End> {
            Ok(End(object))
        }

        fn recver(object: Owned) -> io::Result<End> {
            Ok(End(object))
        }
    }

    /// `tokio::net`'s.
    impl TokioPipes for Raw {
        type AsyncSender = Sender;
        type AsyncRecver = Receiver;

        fn register(ends: Both<End, End>) -> io::Result<Both<Sender, Receiver>> {
            Ok(Both {
                sender: Sender::from_owned_fd(ends.sender.0)?,
                recver: Receiver::from_owned_fd(ends.recver.0)?,
            })
        }
    }
}

/// Interprocess 2.4.7.
#[cfg(has_old)]
mod old {
    use super::{Both, Owned, Pipes, TokioPipes, io};
    use interprocess_2::unnamed_pipe::{self, Recver, Sender};

    pub(super) struct Old;

    impl Pipes for Old {
        type Sender = Sender;
        type Recver = Recver;

        fn pipe() -> io::Result<(Sender, Recver)> {
            unnamed_pipe::pipe()
        }

        fn sender(object: Owned) -> io::Result<Sender> {
            Ok(object.into())
        }

        fn recver(object: Owned) -> io::Result<Recver> {
            Ok(object.into())
        }
    }

    impl TokioPipes for Old {
        type AsyncSender = unnamed_pipe::tokio::Sender;
        type AsyncRecver = unnamed_pipe::tokio::Recver;

        fn register(ends: Both<Sender, Recver>) -> io::Result<Both<Self::AsyncSender, Self::AsyncRecver>> {
            Ok(Both {
                sender: Owned::from(ends.sender).try_into()?,
                recver: Owned::from(ends.recver).try_into()?,
            })
        }
    }
}
