//! Blocking streams between processes: local sockets, and what else there is for that.

use crate::{
    arena::{Parcels, Place, Ready, Subject, work},
    peer::Peer,
    shape::{self, Shape},
};
use interprocess::local_socket::{Listener, Stream};
use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

/// One kind of streams, and how they are made.
pub(crate) trait Transport {
    type Listener: 'static;
    type Stream: Read + Write + 'static;

    fn bind(place: &Place) -> io::Result<Self::Listener>;
    fn accept(listener: &Self::Listener) -> io::Result<Self::Stream>;
    fn connect(place: &Place) -> io::Result<Self::Stream>;

    /// Lets no more clients wait than that.
    #[cfg(unix)]
    fn limit(listener: &Self::Listener, clients: i32) -> io::Result<()>;
}

/// Runs `$make` with `$kind` for the transport of that peer.
macro_rules! for_transport {
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
            #[cfg(unix)]
            Peer::Std => {
                type $kind = Std;
                $make
            }
            #[cfg(has_old)]
            Peer::Old => {
                type $kind = old::Old;
                $make
            }
            Peer::Tcp => {
                type $kind = Tcp;
                $make
            }
            peer => Err(peer.cannot()),
        }
    };
}

/// Bytes to and fro, or one way.
pub(crate) struct Streams(pub(crate) Shape);

impl Subject for Streams {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let (shape, place) = (self.0, place.clone());
        #[cfg(has_ipc_channel)]
        if peer == Peer::IpcChannel {
            return Ok(Box::new(move || crate::ipc_channel::near(&place, shape)));
        }
        for_transport!(peer, Kind => Ok(Box::new(move || Ok(shape::drive(Kind::connect(&place)?, shape)))))
    }

    fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>> {
        let shape = self.0;
        #[cfg(has_ipc_channel)]
        if peer == Peer::IpcChannel {
            return crate::ipc_channel::far(place, shape).map(Some);
        }
        for_transport!(peer, Kind => {
            let listener = Kind::bind(place)?;
            Ok(Some(Box::new(move || Ok(shape::answer(Kind::accept(&listener)?, shape)))))
        })
    }
}

/// Sent and received by one thread.
pub(crate) struct Alone(pub(crate) usize);

impl Subject for Alone {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let (size, place) = (self.0, place.clone());
        for_transport!(peer, Kind => Ok(Box::new(move || {
            let listener = Kind::bind(&place)?;
            let client = Kind::connect(&place)?;
            Ok(shape::alone(client, Kind::accept(&listener)?, size))
        })))
    }

    fn far(&self, _: Peer, _: &Place) -> io::Result<Option<Ready>> {
        Ok(None)
    }
}

/// Connecting to a listener that accepts and hangs up.
pub(crate) struct Connect;

impl Subject for Connect {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let place = place.clone();
        for_transport!(peer, Kind => Ok(Box::new(move || Ok(work(move |count, laps| {
            for _ in 0..count {
                hung_up(&mut Kind::connect(&place)?)?;
                laps.lap();
            }
            Ok(())
        })))))
    }

    fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>> {
        for_transport!(peer, Kind => {
            let listener = Kind::bind(place)?;
            Ok(Some(Box::new(move || Ok(work(move |count, _| {
                for _ in 0..count {
                    drop(Kind::accept(&listener)?);
                }
                Ok(())
            })))))
        })
    }
}

/// Reads the end that is all there is to read.
pub(crate) fn hung_up(stream: &mut impl Read) -> io::Result<()> {
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::other("something was received")),
    }
}

/// Connecting and accepting by one thread.
pub(crate) struct ConnectAlone;

impl Subject for ConnectAlone {
    fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let place = place.clone();
        for_transport!(peer, Kind => Ok(Box::new(move || {
            let listener = Kind::bind(&place)?;
            Ok(work(move |count, _| {
                for _ in 0..count {
                    let client = Kind::connect(&place)?;
                    drop(Kind::accept(&listener)?);
                    drop(client);
                }
                Ok(())
            }))
        })))
    }

    fn far(&self, _: Peer, _: &Place) -> io::Result<Option<Ready>> {
        Ok(None)
    }
}

#[cfg(unix)]
pub(crate) use backlog::Backlog;

/// Accepting while more clients want to connect than there is room for.
#[cfg(unix)]
mod backlog {
    use super::*;
    use std::{
        os::unix::net::UnixStream,
        sync::atomic::{AtomicU32, Ordering::Relaxed},
        thread,
    };

    /// How many may wait, and how many want to.
    const ROOM: i32 = 2;
    const CLIENTS: usize = 8;

    pub(crate) struct Backlog;

    impl Subject for Backlog {
        fn near(&self, peer: Peer, place: &Place, _: &mut Parcels) -> io::Result<Ready> {
            for_transport!(peer, Kind => {
                let listener = Kind::bind(place)?;
                // The same for everybody, whatever they ask the system for.
                Kind::limit(&listener, ROOM)?;
                Ok(Box::new(move || Ok(work(move |count, laps| {
                    for _ in 0..count {
                        drop(Kind::accept(&listener)?);
                        laps.lap();
                    }
                    Ok(())
                }))))
            })
        }

        fn far(&self, peer: Peer, place: &Place) -> io::Result<Option<Ready>> {
            let path = place.socket(peer).to_owned();
            Ok(Some(Box::new(move || {
                Ok(work(move |count, _| {
                    let left = AtomicU32::new(count);
                    let connect = || -> io::Result<()> {
                        let take = |left: u32| left.checked_sub(1);
                        while left.fetch_update(Relaxed, Relaxed, take).is_ok() {
                            hung_up(&mut UnixStream::connect(&path)?)?;
                        }
                        Ok(())
                    };
                    thread::scope(|scope| {
                        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(connect)).collect();
                        clients.into_iter().try_for_each(|client| client.join().expect("it does not panic"))
                    })
                }))
            })))
        }
    }
}

pub(crate) struct Ours;

impl Transport for Ours {
    type Listener = Listener;
    type Stream = Stream;

    fn bind(place: &Place) -> io::Result<Listener> {
        Listener::bind(place.socket(Peer::Ours))
    }

    fn accept(listener: &Listener) -> io::Result<Stream> {
        listener.accept()
    }

    fn connect(place: &Place) -> io::Result<Stream> {
        Stream::connect(place.socket(Peer::Ours))
    }

    #[cfg(unix)]
    fn limit(listener: &Listener, clients: i32) -> io::Result<()> {
        Ok(rustix::net::listen(listener, clients)?)
    }
}

#[cfg(unix)]
pub(crate) use unix::Std;

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    pub(crate) struct Std;

    impl Transport for Std {
        type Listener = UnixListener;
        type Stream = UnixStream;

        fn bind(place: &Place) -> io::Result<UnixListener> {
            UnixListener::bind(place.socket(Peer::Std))
        }

        fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
            listener.accept().map(|(stream, _)| stream)
        }

        fn connect(place: &Place) -> io::Result<UnixStream> {
            UnixStream::connect(place.socket(Peer::Std))
        }

        fn limit(listener: &UnixListener, clients: i32) -> io::Result<()> {
            Ok(rustix::net::listen(listener, clients)?)
        }
    }
}

pub(crate) struct Tcp;

impl Transport for Tcp {
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn bind(place: &Place) -> io::Result<TcpListener> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        fs::write(place.file(Peer::Tcp), listener.local_addr()?.to_string())?;
        Ok(listener)
    }

    fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn connect(place: &Place) -> io::Result<TcpStream> {
        let address = fs::read_to_string(place.file(Peer::Tcp))?;
        let stream = TcpStream::connect(address.parse::<SocketAddr>().map_err(io::Error::other)?)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    #[cfg(unix)]
    fn limit(listener: &TcpListener, clients: i32) -> io::Result<()> {
        Ok(rustix::net::listen(listener, clients)?)
    }
}

/// The calls themselves, with the flags that we give.
#[cfg(unix)]
pub(crate) mod raw {
    use super::*;
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType, bind, connect, listen, recv, send,
    };
    use std::os::fd::OwnedFd;

    pub(crate) struct Raw;

    pub(crate) struct Socket(pub(crate) OwnedFd);

    // Darwin has no such flag.
    #[cfg(not(target_vendor = "apple"))]
    const FLAGS: SendFlags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    const FLAGS: SendFlags = SendFlags::empty();

    impl Read for Socket {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(recv(&self.0, buf, RecvFlags::empty())?.0)
        }
    }

    impl Write for Socket {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(send(&self.0, buf, FLAGS)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn make() -> io::Result<OwnedFd> {
        #[cfg(not(target_vendor = "apple"))]
        return Ok(rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )?);
        #[cfg(target_vendor = "apple")]
        Ok(rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?)
    }

    impl Transport for Raw {
        type Listener = OwnedFd;
        type Stream = Socket;

        fn bind(place: &Place) -> io::Result<OwnedFd> {
            let socket = make()?;
            bind(&socket, &SocketAddrUnix::new(place.socket(Peer::Raw))?)?;
            listen(&socket, 128)?;
            Ok(socket)
        }

        fn accept(listener: &OwnedFd) -> io::Result<Socket> {
            #[cfg(not(target_vendor = "apple"))]
            return Ok(Socket(rustix::net::accept_with(listener, rustix::net::SocketFlags::CLOEXEC)?));
            #[cfg(target_vendor = "apple")]
            Ok(Socket(rustix::net::accept(listener)?))
        }

        fn connect(place: &Place) -> io::Result<Socket> {
            let socket = make()?;
            connect(&socket, &SocketAddrUnix::new(place.socket(Peer::Raw))?)?;
            Ok(Socket(socket))
        }

        fn limit(listener: &OwnedFd, clients: i32) -> io::Result<()> {
            Ok(rustix::net::listen(listener, clients)?)
        }
    }
}

/// Interprocess 2.4.7.
#[cfg(has_old)]
pub(crate) mod old {
    use super::*;
    use interprocess_2::local_socket::{Listener, Stream, prelude::*};
    pub(crate) use interprocess_2::local_socket::{ListenerOptions, Name};

    pub(crate) struct Old;

    pub(crate) fn name(place: &Place) -> io::Result<Name<'_>> {
        let name = place.socket(Peer::Old);
        #[cfg(unix)]
        return name.to_fs_name::<interprocess_2::local_socket::GenericFilePath>();
        #[cfg(windows)]
        name[1..].to_ns_name::<interprocess_2::local_socket::GenericNamespaced>()
    }

    impl Transport for Old {
        type Listener = Listener;
        type Stream = Stream;

        fn bind(place: &Place) -> io::Result<Listener> {
            ListenerOptions::new().name(name(place)?).create_sync()
        }

        fn accept(listener: &Listener) -> io::Result<Stream> {
            listener.accept()
        }

        fn connect(place: &Place) -> io::Result<Stream> {
            Stream::connect(name(place)?)
        }

        #[cfg(unix)]
        fn limit(listener: &Listener, clients: i32) -> io::Result<()> {
            let Listener::UdSocket(listener) = listener;
            Ok(rustix::net::listen(listener, clients)?)
        }
    }
}
