//! Every public name of interprocess 1.2.1, with its type: that it compiles is the test. What differs is in `differs.rs`.
//!
//! A function that takes an `impl Trait` cannot be written as a value. So it is called, in a closure that is not.

#![allow(clippy::undocumented_unsafe_blocks, reason = "nothing is called")]

use futures_io::{AsyncRead, AsyncWrite};
use std::{
    error::Error,
    fmt::{Debug, Display},
    future::Future,
    hash::Hash,
    io::{self, Read, Write},
    iter::FusedIterator,
};

/// That types have traits.
macro_rules! assert_has {
    ($([$($life:lifetime)?] $type:ty: $first:path $(, $more:path)*;)+) => {$({
        fn has<$($life,)? T: $first $(+ $more)*>() {}
        fn check<$($life)?>() {
            has::<$($life,)? $type>();
        }
        let _: fn() = check;
    })+};
}

/// A future that gives `T`.
fn gives<T>(_: &impl Future<Output = T>) {}

#[test]
fn local_sockets() {
    use interprocess::local_socket::{
        Incoming, LocalSocketListener, LocalSocketName, LocalSocketStream, NameTypeSupport, ToLocalSocketName,
    };
    use std::{
        borrow::Cow,
        ffi::{CStr, CString, OsStr, OsString},
        path::{Path, PathBuf},
    };

    let _ = || -> io::Result<LocalSocketListener> { LocalSocketListener::bind("@name") };
    let _: fn(&LocalSocketListener) -> io::Result<LocalSocketStream> = LocalSocketListener::accept;
    let _: for<'l> fn(&'l LocalSocketListener) -> Incoming<'l> = LocalSocketListener::incoming;
    let _ = |listener: &LocalSocketListener| -> io::Result<()> { listener.set_nonblocking(true) };
    let _: for<'l> fn(&'l LocalSocketListener) -> Incoming<'l> = |listener| Incoming::from(listener);
    assert_has! {
        [] LocalSocketListener: Debug, Send, Sync;
        [] Incoming<'_>: Debug, Iterator<Item = io::Result<LocalSocketStream>>, FusedIterator;
        [] LocalSocketStream: Read, Write, Debug, Send, Sync;
    }

    let _ = || -> io::Result<LocalSocketStream> { LocalSocketStream::connect("@name") };
    let _: fn(&LocalSocketStream) -> io::Result<u32> = LocalSocketStream::peer_pid;
    let _: fn(&LocalSocketStream, bool) -> io::Result<()> = LocalSocketStream::set_nonblocking;

    let _: fn(&LocalSocketName<'_>) -> bool = |name| name.is_supported();
    let _: fn(&LocalSocketName<'_>) -> bool = |name| name.is_always_supported();
    let _: fn(&LocalSocketName<'_>, NameTypeSupport) -> bool =
        |name, support| name.is_supported_in_nts_type(support);
    let _: fn(&LocalSocketName<'_>) -> bool = |name| name.is_namespaced();
    let _: fn(&LocalSocketName<'_>) -> bool = |name| name.is_path();
    let _: for<'n> fn(&'n LocalSocketName<'n>) -> &'n OsStr = |name| name.inner();
    let _: fn(LocalSocketName<'_>) -> OsString = |name| name.into_inner();
    let _: for<'n> fn(&'n LocalSocketName<'n>) -> &'n Cow<'n, OsStr> = |name| name.inner_cow();
    let _: for<'n> fn(LocalSocketName<'n>) -> Cow<'n, OsStr> = |name| name.into_inner_cow();

    const ALWAYS: NameTypeSupport = NameTypeSupport::ALWAYS_AVAILABLE;
    const _: bool = ALWAYS.paths_supported() | ALWAYS.namespace_supported();
    match NameTypeSupport::query() {
        NameTypeSupport::OnlyPaths | NameTypeSupport::OnlyNamespaced | NameTypeSupport::Both => {}
    }
    assert_has! { [] NameTypeSupport: Copy, Clone, Debug, PartialEq, Eq, Hash; }

    fn generic<'n>(name: impl ToLocalSocketName<'n>) -> io::Result<LocalSocketStream> {
        LocalSocketStream::connect(name.to_local_socket_name()?.into_inner())
    }
    fn passed_on<'n>(name: impl ToLocalSocketName<'n>) -> io::Result<LocalSocketListener> {
        LocalSocketListener::bind(name)
    }
    let _ = || (generic("@name"), passed_on("@name"));
    assert_has! {
        ['n] &'n Path: ToLocalSocketName<'n>;
        [] PathBuf: ToLocalSocketName<'static>;
        ['n] &'n OsStr: ToLocalSocketName<'n>;
        [] OsString: ToLocalSocketName<'static>;
        ['n] &'n str: ToLocalSocketName<'n>;
        [] String: ToLocalSocketName<'static>;
        ['n] &'n CStr: ToLocalSocketName<'n>;
        [] CString: ToLocalSocketName<'static>;
    }
}

#[test]
fn local_sockets_for_tokio() {
    use interprocess::local_socket::tokio::{
        LocalSocketListener, LocalSocketStream, OwnedReadHalf, OwnedWriteHalf,
    };

    let _ = || -> io::Result<LocalSocketListener> { LocalSocketListener::bind("@name") };
    let _ = |listener: &LocalSocketListener| gives::<io::Result<LocalSocketStream>>(&listener.accept());
    let _ = || gives::<io::Result<LocalSocketStream>>(&LocalSocketStream::connect("@name"));
    let _: fn(LocalSocketStream) -> (OwnedReadHalf, OwnedWriteHalf) = LocalSocketStream::into_split;
    let _: fn(&LocalSocketStream) -> io::Result<u32> = LocalSocketStream::peer_pid;
    let _: fn(&OwnedReadHalf) -> io::Result<u32> = |half| half.peer_pid();
    let _: fn(&OwnedWriteHalf) -> io::Result<u32> = |half| half.peer_pid();
    assert_has! {
        [] LocalSocketListener: Debug, Send, Sync;
        [] LocalSocketStream: AsyncRead, AsyncWrite, Debug, Send, Sync, Unpin;
        [] OwnedReadHalf: AsyncRead, Debug, Send, Sync, Unpin;
        [] OwnedWriteHalf: AsyncWrite, Debug, Send, Sync, Unpin;
    }
}

#[test]
fn local_sockets_for_any_executor() {
    use futures_core::{FusedStream, Stream};
    use interprocess::nonblocking::local_socket::{Incoming, LocalSocketListener, LocalSocketStream};

    let _ = || gives::<io::Result<LocalSocketListener>>(&LocalSocketListener::bind("@name"));
    let _ = |listener: &LocalSocketListener| gives::<io::Result<LocalSocketStream>>(&listener.accept());
    let _: fn(&LocalSocketListener) -> Incoming = LocalSocketListener::incoming;
    let _ = || gives::<io::Result<LocalSocketStream>>(&LocalSocketStream::connect("@name"));
    assert_has! {
        [] LocalSocketListener: Debug, Send, Sync;
        [] Incoming: Stream<Item = Result<LocalSocketStream, io::Error>>, FusedStream, Debug, Send, Unpin;
        [] LocalSocketStream: AsyncRead, AsyncWrite, Debug, Send, Unpin;
    }
}

#[test]
fn unnamed_pipes() {
    use interprocess::unnamed_pipe::{UnnamedPipeReader, UnnamedPipeWriter, pipe};

    let _: fn() -> io::Result<(UnnamedPipeWriter, UnnamedPipeReader)> = pipe;
    assert_has! {
        [] UnnamedPipeReader: Read, Debug, Send, Sync;
        [] UnnamedPipeWriter: Write, Debug, Send, Sync;
    }
}

#[test]
fn messages() {
    use interprocess::{PartialMsgWriteError, ReliableReadMsg};

    #[allow(unused)]
    fn generic(mut reader: impl ReliableReadMsg) {
        let _: io::Result<Result<usize, Vec<u8>>> = reader.read_msg(&mut []);
        let _: io::Result<Result<usize, usize>> = reader.try_read_msg(&mut []);
    }
    let _: PartialMsgWriteError = PartialMsgWriteError;
    assert_has! { [] PartialMsgWriteError: Copy, Clone, Debug, Default, PartialEq, Eq, Display, Error; }
    #[cfg(target_os = "linux")]
    assert_has! { [] interprocess::os::unix::udsocket::UdSocket: ReliableReadMsg; }
    #[cfg(windows)]
    assert_has! {
        [] interprocess::os::windows::named_pipe::MsgReaderPipeStream: ReliableReadMsg;
        [] interprocess::os::windows::named_pipe::DuplexMsgPipeStream: ReliableReadMsg;
    }
}

#[cfg(target_os = "linux")]
mod unix {
    use super::*;
    use std::os::unix::io::{AsRawFd, FromRawFd, IntoRawFd};

    #[test]
    fn raw_descriptors() {
        use interprocess::{
            local_socket::{LocalSocketStream, tokio},
            os::unix::udsocket::{self, UdSocket, UdStream, UdStreamListener},
            unnamed_pipe::{UnnamedPipeReader, UnnamedPipeWriter},
        };

        assert_has! {
            [] LocalSocketStream: AsRawFd, FromRawFd, IntoRawFd;
            [] UnnamedPipeReader: AsRawFd, FromRawFd, IntoRawFd;
            [] UnnamedPipeWriter: AsRawFd, FromRawFd, IntoRawFd;
            [] UdStreamListener: AsRawFd, FromRawFd, IntoRawFd;
            [] UdStream: AsRawFd, FromRawFd, IntoRawFd;
            [] UdSocket: AsRawFd, FromRawFd, IntoRawFd;
            [] tokio::LocalSocketStream: AsRawFd;
            [] udsocket::tokio::UdStreamListener: AsRawFd;
            [] udsocket::tokio::UdStream: AsRawFd;
            [] udsocket::tokio::UdSocket: AsRawFd;
        }
    }

    #[test]
    fn fifo_files() {
        use interprocess::os::unix::fifo_file::create_fifo;

        let _ = || -> io::Result<()> { create_fifo("path", 0o777) };
    }

    #[test]
    fn paths_of_sockets() {
        use interprocess::os::unix::udsocket::{MAX_UDSOCKET_PATH_LEN, ToUdSocketPath, UdSocketPath};
        use std::{
            ffi::{CStr, CString, NulError, OsStr, OsString},
            path::{Path, PathBuf},
        };

        const _: usize = MAX_UDSOCKET_PATH_LEN;
        let path: UdSocketPath<'_> = "path".to_socket_path().unwrap();
        match &path {
            UdSocketPath::Unnamed => {}
            UdSocketPath::File(path) => assert_eq!(**path, *c"path"),
            UdSocketPath::Namespaced(_) => {}
            #[allow(unreachable_patterns)]
            _ => {}
        }
        let _: &OsStr = path.as_osstr();
        let _: UdSocketPath<'static> = path.to_owned();
        let _: UdSocketPath<'_> = path.borrow();
        let _: fn(UdSocketPath<'_>) -> OsString = |path| path.into_osstring();
        let _: fn(&mut UdSocketPath<'_>) -> bool = |path| path.make_owned();
        let _: fn(&UdSocketPath<'_>) -> bool = |path| path.is_owned();
        let _: fn() -> UdSocketPath<'static> = UdSocketPath::buffer;
        let _: fn(Vec<u8>) -> Result<UdSocketPath<'static>, NulError> = UdSocketPath::file_from_vec;
        let _: fn(Vec<u8>) -> Result<UdSocketPath<'static>, NulError> = UdSocketPath::namespaced_from_vec;
        let _: fn(UdSocketPath<'_>) -> OsString = |path| path.into();
        assert_has! {
            [] UdSocketPath<'_>: AsRef<OsStr>, Clone, Debug, PartialEq, Eq;
            ['a] UdSocketPath<'a>: ToUdSocketPath<'a>;
            ['a] &'a UdSocketPath<'a>: ToUdSocketPath<'a>;
            ['a] &'a CStr: ToUdSocketPath<'a>;
            [] CString: ToUdSocketPath<'static>;
            ['a] &'a OsStr: ToUdSocketPath<'a>;
            [] OsString: ToUdSocketPath<'static>;
            ['a] &'a Path: ToUdSocketPath<'a>;
            [] PathBuf: ToUdSocketPath<'static>;
            ['a] &'a str: ToUdSocketPath<'a>;
            [] String: ToUdSocketPath<'static>;
        }
    }

    #[test]
    fn ancillary_data() {
        use interprocess::os::unix::udsocket::{
            AncillaryData, AncillaryDataBuf, AncillaryDataDecoder, EncodedAncillaryData,
        };

        const _: usize = AncillaryData::ENCODED_SIZE_OF_CREDENTIALS;
        const _: usize = AncillaryData::encoded_size_of_file_descriptors(2);
        match AncillaryData::credentials() {
            AncillaryData::Credentials { pid, uid, gid } => {
                let _: (libc::pid_t, libc::uid_t, libc::gid_t) = (pid, uid, gid);
            }
            AncillaryData::FileDescriptors(_) => unreachable!(),
            #[allow(unreachable_patterns)]
            _ => unreachable!(),
        }
        let mut buffer = AncillaryDataBuf::owned_with_capacity(64);
        let _: &dyn Debug = &buffer;
        let _ = || {
            for data in buffer.decode() {
                if let AncillaryData::FileDescriptors(_) = data {
                    let _: &dyn Debug = &data;
                }
            }
        };
        let _ = || AncillaryDataBuf::from(vec![0_u8; 64]);
        let _ = |slice: &mut [u8]| drop(AncillaryDataBuf::from(slice));
        let _ = |encoded: &EncodedAncillaryData<'_>| encoded.as_ref().len();
        assert_has! {
            [] AncillaryDataDecoder<'_>: Iterator, FusedIterator, Debug;
            [] EncodedAncillaryData<'_>: AsRef<[u8]>, Clone, Debug;
        }
    }

    #[test]
    fn streams() {
        use interprocess::os::unix::udsocket::{
            AncillaryData, AncillaryDataBuf, Incoming, UdStream, UdStreamListener,
        };
        use std::{
            io::{IoSlice, IoSliceMut},
            net::Shutdown,
        };

        let _ = || -> io::Result<UdStreamListener> { UdStreamListener::bind("path") };
        let _ = || -> io::Result<UdStreamListener> { UdStreamListener::bind_with_drop_guard("path") };
        let _: fn(&UdStreamListener) -> io::Result<UdStream> = UdStreamListener::accept;
        let _: for<'l> fn(&'l UdStreamListener) -> Incoming<'l> = |listener| listener.incoming();
        let _: for<'l> fn(&'l UdStreamListener) -> Incoming<'l> = |listener| Incoming::from(listener);
        let _: fn(&UdStreamListener, bool) -> io::Result<()> = UdStreamListener::set_nonblocking;
        let _: fn(&UdStreamListener) -> io::Result<bool> = UdStreamListener::is_nonblocking;

        let _ = || -> io::Result<UdStream> { UdStream::connect("path") };
        let _: fn(&UdStream, &mut [u8]) -> io::Result<usize> = UdStream::recv;
        let _: fn(&UdStream, &mut [IoSliceMut<'_>]) -> io::Result<usize> = UdStream::recv_vectored;
        let _: fn(&UdStream, &[u8]) -> io::Result<usize> = UdStream::send;
        let _: fn(&UdStream, &[IoSlice<'_>]) -> io::Result<usize> = UdStream::send_vectored;
        let _ = |stream: &UdStream| {
            let mut abuf = AncillaryDataBuf::owned_with_capacity(64);
            let _: io::Result<(usize, usize)> = stream.recv_ancillary(&mut [], &mut abuf);
        };
        let _ = |stream: &UdStream| {
            let mut abuf = AncillaryDataBuf::owned_with_capacity(64);
            let _: io::Result<(usize, usize)> = stream.recv_ancillary_vectored(&mut [], &mut abuf);
        };
        let _ = |stream: &UdStream| -> io::Result<(usize, usize)> {
            stream.send_ancillary(&[], [AncillaryData::credentials()])
        };
        let _ = |stream: &UdStream| -> io::Result<(usize, usize)> {
            stream.send_ancillary_vectored(&[], vec![AncillaryData::credentials()])
        };
        let _: fn(&UdStream, Shutdown) -> io::Result<()> = UdStream::shutdown;
        let _: fn(&UdStream, bool) -> io::Result<()> = UdStream::set_nonblocking;
        let _: fn(&UdStream) -> io::Result<bool> = UdStream::is_nonblocking;
        let _: fn(&UdStream) -> io::Result<libc::ucred> = UdStream::get_peer_credentials;
        assert_has! {
            [] UdStreamListener: Debug, Send, Sync;
            [] Incoming<'_>: Iterator<Item = io::Result<UdStream>>, FusedIterator;
            [] UdStream: Read, Write, Debug, Send, Sync;
        }
    }

    #[test]
    fn datagrams() {
        use interprocess::os::unix::udsocket::{AncillaryData, AncillaryDataBuf, UdSocket, UdSocketPath};
        use std::io::{IoSlice, IoSliceMut};

        let _ = || -> io::Result<UdSocket> { UdSocket::bind("path") };
        let _ = || -> io::Result<UdSocket> { UdSocket::bind_with_drop_guard("path") };
        let _ = |socket: &UdSocket| -> io::Result<()> { socket.set_destination("path") };
        let _ = || -> io::Result<UdSocket> { UdSocket::connect("path") };
        let _: fn(&UdSocket, &mut [u8]) -> io::Result<(usize, bool)> = UdSocket::recv;
        let _: fn(&UdSocket, &mut [IoSliceMut<'_>]) -> io::Result<(usize, bool)> = UdSocket::recv_vectored;
        let _ = |socket: &UdSocket| {
            let mut abuf = AncillaryDataBuf::owned_with_capacity(64);
            let _: io::Result<(usize, bool, usize, bool)> = socket.recv_ancillary(&mut [], &mut abuf);
        };
        let _ = |socket: &UdSocket| {
            let mut abuf = AncillaryDataBuf::owned_with_capacity(64);
            let _: io::Result<(usize, bool, usize, bool)> =
                socket.recv_ancillary_vectored(&mut [], &mut abuf);
        };
        let mut path = UdSocketPath::buffer();
        let _ = |socket: &UdSocket, path: &mut UdSocketPath<'_>| -> io::Result<(usize, bool)> {
            socket.recv_from(&mut [], path)
        };
        let _ = |socket: &UdSocket, path: &mut UdSocketPath<'_>| -> io::Result<(usize, bool)> {
            socket.recv_from_vectored(&mut [], path)
        };
        let _ = |socket: &UdSocket, path: &mut UdSocketPath<'_>| {
            let mut abuf = AncillaryDataBuf::owned_with_capacity(64);
            let _: io::Result<(usize, bool, usize, bool)> =
                socket.recv_from_ancillary(&mut [], &mut abuf, path);
        };
        let _ = |socket: &UdSocket, path: &mut UdSocketPath<'_>| {
            let mut abuf = AncillaryDataBuf::owned_with_capacity(64);
            let _: io::Result<(usize, bool, usize, bool)> =
                socket.recv_from_ancillary_vectored(&mut [], &mut abuf, path);
        };
        let _: fn(&UdSocket) -> io::Result<usize> = UdSocket::peek_msg_size;
        let _: fn(&UdSocket, &[u8]) -> io::Result<usize> = UdSocket::send;
        let _: fn(&UdSocket, &[IoSlice<'_>]) -> io::Result<usize> = UdSocket::send_vectored;
        let _ = |socket: &UdSocket| -> io::Result<(usize, usize)> {
            socket.send_ancillary(&[], [AncillaryData::credentials()])
        };
        let _ = |socket: &UdSocket| -> io::Result<(usize, usize)> {
            socket.send_ancillary_vectored(&[], vec![AncillaryData::credentials()])
        };
        let _: fn(&UdSocket, bool) -> io::Result<()> = UdSocket::set_nonblocking;
        let _: fn(&UdSocket) -> io::Result<bool> = UdSocket::is_nonblocking;
        let _: fn(&UdSocket) -> io::Result<libc::ucred> = UdSocket::get_peer_credentials;
        assert_has! { [] UdSocket: Debug, Send, Sync; }
    }

    #[test]
    fn streams_for_tokio() {
        use interprocess::os::unix::udsocket::{
            self,
            tokio::{
                BorrowedReadHalf, BorrowedWriteHalf, OwnedReadHalf, OwnedWriteHalf, ReuniteError, UdStream,
                UdStreamListener,
            },
        };
        use std::{
            net::Shutdown,
            os::fd::RawFd,
            os::unix::net::{UnixListener, UnixStream},
        };

        let _ = || -> io::Result<UdStreamListener> { UdStreamListener::bind("path") };
        let _ = |listener: &UdStreamListener| gives::<io::Result<UdStream>>(&listener.accept());
        let _: fn(UdStreamListener) -> io::Result<udsocket::UdStreamListener> = UdStreamListener::into_sync;
        let _: fn(udsocket::UdStreamListener) -> io::Result<UdStreamListener> = UdStreamListener::from_sync;
        let _: fn(UdStreamListener) -> io::Result<UnixListener> = UdStreamListener::into_std;
        let _: fn(UnixListener) -> io::Result<UdStreamListener> = UdStreamListener::from_std;
        let _: fn(UdStreamListener) -> tokio::net::UnixListener = UdStreamListener::into_tokio;
        let _: fn(tokio::net::UnixListener) -> UdStreamListener = UdStreamListener::from_tokio;
        let _: unsafe fn(RawFd) -> io::Result<UdStreamListener> = UdStreamListener::from_raw_fd;
        let _: fn(UdStreamListener) -> io::Result<RawFd> = UdStreamListener::into_raw_fd;

        let _ = || gives::<io::Result<UdStream>>(&UdStream::connect("path"));
        let _: for<'s> fn(&'s mut UdStream) -> (BorrowedReadHalf<'s>, BorrowedWriteHalf<'s>) =
            |stream| stream.split();
        let _: fn(UdStream) -> (OwnedReadHalf, OwnedWriteHalf) = UdStream::into_split;
        let _: fn(OwnedReadHalf, OwnedWriteHalf) -> Result<UdStream, ReuniteError> =
            |rh, sh| UdStream::reunite(rh, sh);
        let _: fn(&UdStream, Shutdown) -> io::Result<()> = UdStream::shutdown;
        let _: fn(&UdStream) -> io::Result<libc::ucred> = UdStream::get_peer_credentials;
        let _: fn(UdStream) -> io::Result<udsocket::UdStream> = UdStream::into_sync;
        let _: fn(udsocket::UdStream) -> io::Result<UdStream> = UdStream::from_sync;
        let _: fn(UdStream) -> io::Result<UnixStream> = UdStream::into_std;
        let _: fn(UnixStream) -> io::Result<UdStream> = UdStream::from_std;
        let _: fn(UdStream) -> tokio::net::UnixStream = UdStream::into_tokio;
        let _: fn(tokio::net::UnixStream) -> UdStream = UdStream::from_tokio;
        let _: unsafe fn(RawFd) -> io::Result<UdStream> = UdStream::from_raw_fd;
        let _: fn(UdStream) -> io::Result<RawFd> = UdStream::into_raw_fd;

        let _: fn(&BorrowedReadHalf<'_>) -> io::Result<libc::ucred> = |half| half.get_peer_credentials();
        let _: fn(&BorrowedReadHalf<'_>) -> io::Result<()> = |half| half.shutdown();
        let _: fn(&BorrowedWriteHalf<'_>) -> io::Result<libc::ucred> = |half| half.get_peer_credentials();
        let _: fn(&OwnedReadHalf) -> io::Result<libc::ucred> = |half| half.get_peer_credentials();
        let _: fn(&OwnedReadHalf) -> io::Result<()> = |half| half.shutdown();
        let _: fn(&BorrowedWriteHalf<'_>) -> io::Result<()> = |half| half.shutdown();
        let _: fn(&OwnedWriteHalf) -> io::Result<()> = |half| half.shutdown();
        let _: fn(&OwnedWriteHalf) -> io::Result<libc::ucred> = |half| half.get_peer_credentials();
        let _: fn(OwnedReadHalf, OwnedWriteHalf) -> Result<UdStream, ReuniteError> =
            |rh, sh| rh.reunite_with(sh);
        let _: fn(OwnedReadHalf, OwnedWriteHalf) -> Result<UdStream, ReuniteError> =
            |rh, sh| sh.reunite_with(rh);
        assert_has! {
            [] UdStreamListener: Debug, Send, Sync, TryFrom<udsocket::UdStreamListener>, TryFrom<UnixListener>;
            [] udsocket::UdStreamListener: TryFrom<UdStreamListener>;
            [] UnixListener: TryFrom<UdStreamListener>;
            [] tokio::net::UnixListener: TryFrom<UdStreamListener>;
            [] UdStream: Debug, Send, Sync, Unpin, TryFrom<udsocket::UdStream>, TryFrom<UnixStream>;
            [] UdStream: AsyncRead, AsyncWrite, tokio::io::AsyncRead, tokio::io::AsyncWrite;
            [] udsocket::UdStream: TryFrom<UdStream>;
            [] UnixStream: TryFrom<UdStream>;
            [] tokio::net::UnixStream: TryFrom<UdStream>;
            [] BorrowedReadHalf<'_>: AsyncRead, tokio::io::AsyncRead, Debug, Send, Sync, Unpin;
            [] BorrowedWriteHalf<'_>: AsyncWrite, tokio::io::AsyncWrite, Debug, Send, Sync, Unpin;
            [] OwnedReadHalf: AsyncRead, tokio::io::AsyncRead, Debug, Send, Sync, Unpin;
            [] OwnedWriteHalf: AsyncWrite, tokio::io::AsyncWrite, Debug, Send, Sync, Unpin;
            [] ReuniteError: Debug, Display, Error;
        }
    }

    #[test]
    fn datagrams_for_tokio() {
        use interprocess::os::unix::udsocket::{self, tokio::UdSocket};
        use std::{
            net::Shutdown,
            os::fd::RawFd,
            os::unix::net::UnixDatagram,
            task::{Context, Poll},
        };
        use tokio::io::ReadBuf;

        let _: fn() -> io::Result<UdSocket> = UdSocket::unbound;
        let _ = || -> io::Result<UdSocket> { UdSocket::bind("path") };
        let _ = |socket: &UdSocket| -> io::Result<()> { socket.set_destination("path") };
        let _: fn(&UdSocket, Shutdown) -> io::Result<()> = UdSocket::shutdown;
        let _ = |socket: &UdSocket| gives::<io::Result<usize>>(&socket.recv_stdbuf(&mut []));
        let _ = |socket: &UdSocket| gives::<io::Result<()>>(&socket.recv_ready());
        let _ = |socket: &UdSocket| gives::<io::Result<usize>>(&socket.send(&[]));
        let _ = |socket: &UdSocket| gives::<io::Result<usize>>(&socket.send_to(&[], "path"));
        let _ = |socket: &UdSocket| gives::<io::Result<()>>(&socket.send_ready());
        let _: fn(&UdSocket, &mut Context<'_>, &mut ReadBuf<'_>) -> Poll<io::Result<()>> =
            UdSocket::poll_recv;
        let _: fn(&UdSocket, &mut Context<'_>, &[u8]) -> Poll<io::Result<usize>> = UdSocket::poll_send;
        let _: fn(&UdSocket) -> io::Result<libc::ucred> = UdSocket::get_peer_credentials;
        let _: fn(UdSocket) -> io::Result<udsocket::UdSocket> = UdSocket::into_sync;
        let _: fn(udsocket::UdSocket) -> io::Result<UdSocket> = UdSocket::from_sync;
        let _: fn(UdSocket) -> io::Result<UnixDatagram> = UdSocket::into_std;
        let _: fn(UnixDatagram) -> io::Result<UdSocket> = UdSocket::from_std;
        let _: fn(UdSocket) -> tokio::net::UnixDatagram = UdSocket::into_tokio;
        let _: fn(tokio::net::UnixDatagram) -> UdSocket = UdSocket::from_tokio;
        let _: unsafe fn(RawFd) -> io::Result<UdSocket> = UdSocket::from_raw_fd;
        let _: fn(UdSocket) -> io::Result<RawFd> = UdSocket::into_raw_fd;
        assert_has! {
            [] UdSocket: Debug, Send, Sync, TryFrom<udsocket::UdSocket>, TryFrom<UnixDatagram>;
            [] udsocket::UdSocket: TryFrom<UdSocket>;
            [] UnixDatagram: TryFrom<UdSocket>;
            [] tokio::net::UnixDatagram: TryFrom<UdSocket>;
        }
    }

    #[test]
    fn signals() {
        use interprocess::os::unix::signal::{
            HandlerOptions, NUM_REALTIME_SIGNALS, REALTIME_SIGNALS_SUPPORTED, SetHandlerError, SignalHandler,
            SignalHook, SignalType, UnknownSignalError, is_valid_rtsignal, send, send_rt, send_rt_to_group,
            send_to_group, set_handler, set_rthandler, set_unsafe_handler,
        };
        use std::fmt::{Binary, LowerHex, Octal, UpperExp};

        let _: (bool, u32) = (REALTIME_SIGNALS_SUPPORTED, NUM_REALTIME_SIGNALS);
        let _: fn(u32) -> bool = is_valid_rtsignal;
        let _: fn(SignalType, SignalHandler) -> Result<(), SetHandlerError> = set_handler;
        let _: unsafe fn(SignalType, SignalHandler) -> Result<(), SetHandlerError> = set_unsafe_handler;
        let _: fn(u32, SignalHandler) -> Result<(), SetHandlerError> = set_rthandler;

        let _: fn(SignalType) -> HandlerOptions = HandlerOptions::for_signal;
        let _: fn(u32) -> HandlerOptions = HandlerOptions::for_rtsignal;
        let _: HandlerOptions = HandlerOptions::for_signal(SignalType::Hangup)
            .set_new_handler(SignalHandler::Ignore)
            .set_new_handler(None)
            .ignore_child_stop_events(true)
            .recursive_handler(true)
            .system_call_restart(true)
            .auto_reset_handler(true);
        let _: fn(HandlerOptions) -> Result<(), SetHandlerError> = HandlerOptions::set;
        let _: unsafe fn(HandlerOptions) -> Result<(), SetHandlerError> = HandlerOptions::set_unsafe;
        let _ = |mut options: HandlerOptions| {
            let _: Option<SignalHandler> = options.handler;
            options.ignore_child_stop_events = true;
            options.recursive_handler = true;
            options.system_call_restart = true;
            options.auto_reset_handler = true;
        };
        let _ = |error: SetHandlerError| match error {
            SetHandlerError::UnsafeSignal => {}
            SetHandlerError::UnblockableSignal(signal) => {
                let _: SignalType = signal;
            }
            SetHandlerError::RealTimeSignalOutOfBounds { attempted, max } => {
                let _: (u32, u32) = (attempted, max);
            }
            SetHandlerError::UnexpectedSystemCallFailure(error) => {
                let _: io::Error = error;
            }
            #[allow(unreachable_patterns)]
            _ => {}
        };

        let _ = |handler: SignalHandler| match handler {
            SignalHandler::Default | SignalHandler::Ignore => {}
            SignalHandler::Hook(hook) => {
                let _: SignalHook = hook;
            }
            #[allow(unreachable_patterns)]
            _ => {}
        };
        let _: fn(SignalHandler) -> bool = SignalHandler::is_default;
        let _: fn(SignalHandler) -> bool = SignalHandler::is_ignore;
        let _: fn(SignalHandler) -> bool = SignalHandler::is_hook;
        let _: unsafe fn(fn()) -> SignalHandler = |function| unsafe { SignalHandler::from_fn(function) };
        let _: unsafe fn(fn()) -> SignalHook = |function| unsafe { SignalHook::from_fn(function) };
        let _: fn(SignalHook) -> fn() = SignalHook::inner;

        let _ = || -> io::Result<()> { send(SignalType::Hangup, 1_u32) };
        let _ = || -> io::Result<()> { send(None, 1_u32) };
        let _ = || -> io::Result<()> { send_rt(0, 1_u32) };
        let _ = || -> io::Result<()> { send_to_group(SignalType::Hangup, 1_u32) };
        let _ = || -> io::Result<()> { send_rt_to_group(0, 1_u32) };

        let _: fn(SignalType) -> bool = SignalType::is_unblockable;
        let _: fn(SignalType) -> bool = SignalType::is_unsafe;
        let _ = [
            SignalType::Hangup,
            SignalType::KeyboardInterrupt,
            SignalType::QuitAndDump,
            SignalType::IllegalInstruction,
            SignalType::Abort,
            SignalType::MathException,
            SignalType::Kill,
            SignalType::SegmentationFault,
            SignalType::BrokenPipe,
            SignalType::AlarmClock,
            SignalType::Termination,
            SignalType::UserSignal1,
            SignalType::UserSignal2,
            SignalType::ChildProcessEvent,
            SignalType::Continue,
            SignalType::ForceSuspend,
            SignalType::Suspend,
            SignalType::TerminalInputWhileInBackground,
            SignalType::TerminalOutputWhileInBackground,
            SignalType::PollNotification,
            SignalType::MemoryBusError,
            SignalType::ProfilerClock,
            SignalType::UserModeProfilerClock,
            SignalType::InvalidSystemCall,
            SignalType::Breakpoint,
            SignalType::OutOfBandDataAvailable,
            SignalType::CpuTimeLimitExceeded,
            SignalType::FileSizeLimitExceeded,
        ];
        let _: fn(UnknownSignalError) -> i32 = |error| error.value;
        type Function = fn();
        assert_has! {
            [] HandlerOptions: Copy, Clone, Debug, PartialEq, Eq;
            [] SetHandlerError: Debug, Display, Error, From<io::Error>;
            [] SignalHandler: Copy, Clone, Debug, PartialEq, Eq, Default, From<SignalHook>;
            [] SignalHook: Copy, Clone, Debug, PartialEq, Eq;
            [] Function: From<SignalHook>;
            [] SignalType: Copy, Clone, Debug, PartialEq, Eq, Hash, TryFrom<i32>, TryFrom<u32>;
            [] i32: From<SignalType>;
            [] u32: From<SignalType>;
            [] UnknownSignalError: Copy, Clone, Debug, PartialEq, Eq, Display, Error;
            [] UnknownSignalError: Binary, LowerHex, UpperExp, Octal;
        }
    }
}

#[cfg(windows)]
mod windows {
    use super::*;
    use std::{
        ffi::{OsStr, OsString},
        num::{NonZeroU8, NonZeroU32, NonZeroUsize},
        os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, RawHandle},
    };

    #[test]
    fn raw_handles() {
        use interprocess::{
            local_socket::{LocalSocketStream, tokio},
            os::windows::ShareHandle,
            unnamed_pipe::{UnnamedPipeReader, UnnamedPipeWriter},
        };

        assert_has! {
            [] LocalSocketStream: AsRawHandle, FromRawHandle, IntoRawHandle;
            [] tokio::LocalSocketStream: AsRawHandle;
            [] UnnamedPipeReader: AsRawHandle, FromRawHandle, IntoRawHandle, ShareHandle;
            [] UnnamedPipeWriter: AsRawHandle, FromRawHandle, IntoRawHandle, ShareHandle;
        }
    }

    #[test]
    fn creating_unnamed_pipes() {
        use interprocess::{
            os::windows::unnamed_pipe::UnnamedPipeCreationOptions,
            unnamed_pipe::{UnnamedPipeReader, UnnamedPipeWriter},
        };

        let options = const { UnnamedPipeCreationOptions::new() }
            .inheritable(false)
            .buffer_size_hint(NonZeroUsize::new(16));
        let _ =
            || -> io::Result<(UnnamedPipeWriter, UnnamedPipeReader)> { unsafe { options.clone().build() } };
        fn has<T: Clone + Debug + Default + Send + Sync>(_: &T) {}
        has(&options);
    }

    #[test]
    fn directions_roles_and_modes() {
        use interprocess::os::windows::named_pipe::{PipeDirection, PipeMode, PipeStreamRole};

        const ROLE: PipeStreamRole = PipeDirection::Duplex.client_role();
        const _: PipeStreamRole = PipeDirection::Duplex.server_role();
        const _: PipeDirection = ROLE.direction_as_client();
        const _: PipeDirection = ROLE.direction_as_server();
        match ROLE {
            PipeStreamRole::Reader | PipeStreamRole::Writer | PipeStreamRole::ReaderAndWriter => {}
        }
        match PipeDirection::Duplex {
            PipeDirection::ClientToServer | PipeDirection::ServerToClient | PipeDirection::Duplex => {}
        }
        const _: (u32, u32) = (PipeMode::Bytes.to_pipe_type(), PipeMode::Messages.to_readmode());
        match PipeMode::Bytes {
            PipeMode::Bytes | PipeMode::Messages => {}
        }
        assert_has! {
            [] PipeDirection: Copy, Clone, Debug, PartialEq, Eq, Hash, TryFrom<u32>;
            [] u32: From<PipeDirection>;
            [] PipeStreamRole: Copy, Clone, Debug, PartialEq, Eq, Hash;
            [] PipeMode: Copy, Clone, Debug, PartialEq, Eq, Hash, TryFrom<u32>;
        }
    }

    #[test]
    fn listeners_of_pipes() {
        use interprocess::os::windows::named_pipe::{
            DuplexBytePipeStream, PipeListenerOptions, PipeMode,
            tokio::{self, PipeListenerOptionsExt},
        };

        let options = PipeListenerOptions::new()
            .name(OsStr::new("name"))
            .mode(PipeMode::Messages)
            .nonblocking(false)
            .instance_limit(NonZeroU8::new(3))
            .write_through(false)
            .accept_remote(false)
            .wait_timeout(NonZeroU32::new(50).unwrap());
        let _ = || -> io::Result<()> {
            let listener = options.create()?;
            let _: DuplexBytePipeStream = listener.accept()?;
            listener.set_nonblocking(true)?;
            for stream in listener.incoming() {
                let _: DuplexBytePipeStream = stream?;
            }
            for stream in &listener {
                let _: DuplexBytePipeStream = stream?;
            }
            let _: &dyn Debug = &listener;
            Ok(())
        };
        let _ = || async {
            let listener = options.create_tokio()?;
            let _: tokio::DuplexBytePipeStream = listener.accept().await?;
            let _: &dyn Debug = &listener;
            io::Result::Ok(())
        };
        let _ = || PipeListenerOptions::new().name(OsString::from("name"));
        fn has<T: Clone + Debug + Default + PipeListenerOptionsExt>(_: &T) {}
        has(&options);
    }

    #[test]
    fn streams_of_pipes() {
        use interprocess::os::windows::named_pipe::{
            ByteReaderPipeStream, ByteWriterPipeStream, DuplexBytePipeStream, DuplexMsgPipeStream,
            MsgReaderPipeStream, MsgWriterPipeStream, connect,
        };

        macro_rules! streams {
            ($($stream:ident)+) => {$(
                let _ = || -> io::Result<$stream> { $stream::connect("name") };
                let _ = || -> io::Result<$stream> { $stream::connect_to_remote("name", "host") };
                let _ = || -> io::Result<$stream> { connect("name", None::<&OsStr>) };
                let _: fn(&$stream, bool) -> io::Result<()> = $stream::set_nonblocking;
                let _: fn(&$stream) -> bool = $stream::is_server;
                let _: fn(&$stream) -> bool = $stream::is_client;
                let _: fn(&$stream) -> io::Result<u32> = $stream::client_process_id;
                let _: fn(&$stream) -> io::Result<u32> = $stream::client_session_id;
                let _: fn(&$stream) -> io::Result<u32> = $stream::server_process_id;
                let _: fn(&$stream) -> io::Result<u32> = $stream::server_session_id;
                let _: fn($stream) -> io::Result<()> = $stream::disconnect_without_flushing;
                assert_has! { [] $stream: Debug, Send, Sync, AsRawHandle, FromRawHandle, IntoRawHandle; }
            )+};
        }
        streams! {
            ByteReaderPipeStream ByteWriterPipeStream DuplexBytePipeStream
            MsgReaderPipeStream MsgWriterPipeStream DuplexMsgPipeStream
        }
        assert_has! {
            [] ByteReaderPipeStream: Read;
            [] ByteWriterPipeStream: Write;
            [] DuplexBytePipeStream: Read, Write;
            [] MsgReaderPipeStream: Read;
            [] MsgWriterPipeStream: Write;
            [] DuplexMsgPipeStream: Read, Write;
        }
    }

    #[test]
    fn streams_of_pipes_for_tokio() {
        use interprocess::os::windows::named_pipe::tokio::{
            ByteReaderPipeStream, ByteWriterPipeStream, DuplexBytePipeStream, DuplexMsgPipeStream,
            MsgReaderPipeStream, MsgWriterPipeStream,
        };

        macro_rules! streams {
            ($($stream:ident)+) => {$(
                let _: fn(&$stream) -> bool = $stream::is_server;
                let _: fn(&$stream) -> bool = $stream::is_client;
                let _: unsafe fn(RawHandle) -> io::Result<$stream> = |handle| unsafe { $stream::from_raw_handle(handle) };
                let _: fn(&$stream) -> io::Result<u32> = $stream::client_process_id;
                let _: fn(&$stream) -> io::Result<u32> = $stream::client_session_id;
                let _: fn(&$stream) -> io::Result<u32> = $stream::server_process_id;
                let _: fn(&$stream) -> io::Result<u32> = $stream::server_session_id;
                let _: fn($stream) -> io::Result<()> = $stream::disconnect_without_flushing;
                assert_has! { [] $stream: Debug, Send, Sync, AsRawHandle; }
            )+};
        }
        streams! {
            ByteReaderPipeStream ByteWriterPipeStream DuplexBytePipeStream
            MsgReaderPipeStream MsgWriterPipeStream DuplexMsgPipeStream
        }
        let _: fn(DuplexBytePipeStream) -> (ByteReaderPipeStream, ByteWriterPipeStream) =
            DuplexBytePipeStream::split;
        let _: fn(DuplexMsgPipeStream) -> (MsgReaderPipeStream, MsgWriterPipeStream) =
            DuplexMsgPipeStream::split;
        assert_has! {
            [] ByteReaderPipeStream: AsyncRead;
            [] &'static ByteReaderPipeStream: AsyncRead;
            [] ByteWriterPipeStream: AsyncWrite;
            [] &'static ByteWriterPipeStream: AsyncWrite;
            [] DuplexBytePipeStream: AsyncRead, AsyncWrite;
            [] &'static DuplexBytePipeStream: AsyncRead, AsyncWrite;
            [] MsgReaderPipeStream: AsyncRead;
            [] &'static MsgReaderPipeStream: AsyncRead;
            [] MsgWriterPipeStream: AsyncWrite;
            [] &'static MsgWriterPipeStream: AsyncWrite;
            [] DuplexMsgPipeStream: AsyncRead, AsyncWrite;
            [] &'static DuplexMsgPipeStream: AsyncRead, AsyncWrite;
        }
    }

    #[test]
    fn signals() {
        use interprocess::os::windows::signal::{
            NoReturnSignalHook, SetHandlerError, SignalHandler, SignalHook, SignalType, UnknownSignalError,
            set_handler, set_unsafe_handler,
        };
        use std::fmt::{Binary, LowerHex, Octal, UpperExp};

        let _: fn(SignalType, SignalHandler) -> Result<(), SetHandlerError> = set_handler;
        let _: unsafe fn(SignalType, SignalHandler) -> Result<(), SetHandlerError> = set_unsafe_handler;
        let _ = |error: SetHandlerError| match error {
            SetHandlerError::UnsafeSignal => {}
            SetHandlerError::UnexpectedLibcCallFailure => {}
            #[allow(unreachable_patterns)]
            _ => {}
        };
        let _ = |handler: SignalHandler| match handler {
            SignalHandler::Default | SignalHandler::Ignore => {}
            SignalHandler::Hook(hook) => {
                let _: SignalHook = hook;
            }
            SignalHandler::NoReturnHook(hook) => {
                let _: NoReturnSignalHook = hook;
            }
            #[allow(unreachable_patterns)]
            _ => {}
        };
        let _: fn(SignalHandler) -> bool = SignalHandler::is_default;
        let _: fn(SignalHandler) -> bool = SignalHandler::is_ignore;
        let _: fn(SignalHandler) -> bool = SignalHandler::is_hook;
        let _: unsafe fn(fn()) -> SignalHandler = |function| unsafe { SignalHandler::from_fn(function) };
        let _: unsafe fn(fn() -> !) -> SignalHandler =
            |function| unsafe { SignalHandler::from_fn_noreturn(function) };
        let _: unsafe fn(fn()) -> SignalHook = |function| unsafe { SignalHook::from_fn(function) };
        let _: fn(SignalHook) -> fn() = SignalHook::inner;
        let _: unsafe fn(fn() -> !) -> NoReturnSignalHook =
            |function| unsafe { NoReturnSignalHook::from_fn(function) };
        let _: fn(NoReturnSignalHook) -> fn() -> ! = NoReturnSignalHook::inner;
        let _: fn(SignalType) -> bool = SignalType::requires_diverging_hook;
        let _: fn(SignalType) -> bool = SignalType::is_unsafe;
        match SignalType::KeyboardInterrupt {
            SignalType::KeyboardInterrupt
            | SignalType::IllegalInstruction
            | SignalType::Abort
            | SignalType::MathException
            | SignalType::SegmentationFault
            | SignalType::Termination => {}
            #[allow(unreachable_patterns)]
            _ => {}
        }
        let _: fn(UnknownSignalError) -> i32 = |error| error.value;
        type Function = fn();
        type NoReturn = fn() -> !;
        assert_has! {
            [] SetHandlerError: Copy, Clone, Debug, PartialEq, Eq, Hash, Display, Error;
            [] SignalHandler: Copy, Clone, Debug, PartialEq, Eq, Default;
            [] SignalHook: Copy, Clone, Debug, PartialEq, Eq;
            [] Function: From<SignalHook>;
            [] NoReturnSignalHook: Copy, Clone, Debug, PartialEq, Eq;
            [] NoReturn: From<NoReturnSignalHook>;
            [] SignalType: Copy, Clone, Debug, PartialEq, Eq, Hash, TryFrom<i32>, TryFrom<u32>;
            [] i32: From<SignalType>;
            [] u32: From<SignalType>;
            [] UnknownSignalError: Copy, Clone, Debug, PartialEq, Eq, Display, Error;
            [] UnknownSignalError: Binary, LowerHex, UpperExp, Octal;
        }
    }
}
