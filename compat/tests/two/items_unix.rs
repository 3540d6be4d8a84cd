//! Every item that interprocess 2.4.7 has on Linux beside those of every OS.
#![allow(
    dead_code,
    deprecated,
    clippy::items_after_statements,
    clippy::redundant_closure_for_method_calls,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unnecessary_to_owned,
    reason = "that it compiles is the test"
)]

use interprocess::{
    TryClone,
    error::{FromFdError, NoDetails},
    local_socket::{
        self, ListenerOptions, Name, NameType, NamespacedNameType, PathNameType, PeerCreds, traits,
    },
    os::unix::{
        fifo_file,
        local_socket::{AbstractNsUdSocket, FilesystemUdSocket, ListenerOptionsExt, SpecialDirUdSocket},
        uds_local_socket::{self as uds, Listener, RecvHalf, SendHalf, Stream},
        unnamed_pipe::{UnnamedPipeExt, pipe},
    },
    unnamed_pipe::{self, Recver, Sender},
};
use std::{
    borrow::Cow,
    error::Error,
    ffi::{CStr, CString, OsStr},
    fmt::Debug,
    io,
    ops::Deref,
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    sync::Arc,
};

fn is<T: Debug + Send + Sync>() {}
fn is_clone<T: Clone>() {}
fn is_as_fd<T: AsFd>() {}
fn is_raw_fd<T: AsRawFd + FromRawFd + IntoRawFd>() {}
fn from_by<T: From<F>, F>() {}
fn try_from_by<T: TryFrom<F>, F>()
where
    T::Error: Error,
{
}

fn error(error: FromFdError) -> Option<OwnedFd> {
    let FromFdError { details: NoDetails, cause: _, source } = error;
    source
}

fn peer_creds() {
    let _: fn(&PeerCreds) -> Option<i32> = PeerCreds::pid;
    let _: fn(&PeerCreds) -> Option<u32> = PeerCreds::euid;
    let _: fn(&PeerCreds) -> Option<u32> = PeerCreds::egid;
    let _: fn(&PeerCreds) -> Option<&[u32]> = PeerCreds::groups;
    let _: fn(&PeerCreds) -> bool = PeerCreds::groups_truncated;
}

fn local_sockets() {
    fn is_name_type<T: NameType>() {}
    is_name_type::<SpecialDirUdSocket>();
    let _: fn(Cow<'static, OsStr>) -> io::Result<Name<'static>> =
        <FilesystemUdSocket as PathNameType<OsStr>>::map;
    let _: fn(Cow<'static, CStr>) -> io::Result<Name<'static>> =
        <FilesystemUdSocket as PathNameType<CStr>>::map;
    let _: fn(Cow<'static, OsStr>) -> io::Result<Name<'static>> =
        <AbstractNsUdSocket as NamespacedNameType<OsStr>>::map;
    let _: fn(Cow<'static, CStr>) -> io::Result<Name<'static>> =
        <AbstractNsUdSocket as NamespacedNameType<CStr>>::map;
    let _: fn(Cow<'static, OsStr>) -> io::Result<Name<'static>> =
        <SpecialDirUdSocket as NamespacedNameType<OsStr>>::map;
    let _: fn(Cow<'static, CStr>) -> io::Result<Name<'static>> =
        <SpecialDirUdSocket as NamespacedNameType<CStr>>::map;
    let _: fn(&'static CStr) -> io::Result<Name<'static>> =
        local_socket::ToFsName::to_fs_name::<local_socket::GenericFilePath>;
    let _: fn(CString) -> io::Result<Name<'static>> =
        local_socket::ToNsName::to_ns_name::<local_socket::GenericNamespaced>;
    let _: fn(ListenerOptions<'static>, u32) -> ListenerOptions<'static> = ListenerOptionsExt::mode;
}

fn uds_streams() {
    fn is_stream<S: traits::Stream<RecvHalf = RecvHalf, SendHalf = SendHalf> + TryClone + AsFd>() {}
    is_stream::<Stream>();
    is::<Stream>();
    from_by::<Stream, UnixStream>();
    from_by::<Stream, OwnedFd>();
    from_by::<OwnedFd, Stream>();
    from_by::<local_socket::Stream, Stream>();
    from_by::<local_socket::RecvHalf, RecvHalf>();
    from_by::<local_socket::SendHalf, SendHalf>();
    is_clone::<RecvHalf>();
    is_clone::<SendHalf>();
    is_as_fd::<RecvHalf>();
    is_as_fd::<SendHalf>();
    let _: fn(&RecvHalf) -> &Stream = RecvHalf::as_stream;
    let _: fn(&RecvHalf) -> &Arc<Stream> = RecvHalf::as_arc;
    let _: fn(RecvHalf) -> Arc<Stream> = RecvHalf::into_arc;
    let _: fn(&SendHalf) -> &Stream = SendHalf::as_stream;
    let _: fn(&SendHalf) -> &Arc<Stream> = SendHalf::as_arc;
    let _: fn(SendHalf) -> Arc<Stream> = SendHalf::into_arc;
}

fn uds_inner(mut stream: Stream, mut listener: Listener) {
    fn is_std<T>(_: impl Deref<Target = T>) {}
    is_std::<UnixStream>(stream.inner());
    is_std::<UnixStream>(stream.inner_mut());
    is_std::<UnixListener>(listener.inner());
    is_std::<UnixListener>(listener.inner_mut());
}

fn uds_listeners() {
    fn is_listener<L: traits::Listener<Stream = Stream> + AsFd>() {}
    is_listener::<Listener>();
    is::<Listener>();
    from_by::<Listener, UnixListener>();
    from_by::<UnixListener, Listener>();
    from_by::<Listener, OwnedFd>();
    from_by::<OwnedFd, Listener>();
    from_by::<local_socket::Listener, Listener>();
    let _: fn(&Listener, bool) = Listener::set_new_stream_nonblocking;
}

fn uds_on_tokio() {
    use uds::tokio::{Listener, RecvHalf, SendHalf, Stream};

    fn is_stream<S: traits::tokio::Stream<RecvHalf = RecvHalf, SendHalf = SendHalf> + AsFd>() {}
    fn is_listener<L: traits::tokio::Listener<Stream = Stream> + AsFd>() {}
    is_stream::<Stream>();
    is_listener::<Listener>();
    is::<Stream>();
    is::<Listener>();
    is::<RecvHalf>();
    is::<SendHalf>();
    is_as_fd::<RecvHalf>();
    is_as_fd::<SendHalf>();
    try_from_by::<Listener, uds::Listener>();
    try_from_by::<Listener, OwnedFd>();
    try_from_by::<OwnedFd, Listener>();
    try_from_by::<Stream, OwnedFd>();
    try_from_by::<OwnedFd, Stream>();
    try_from_by::<Stream, tokio::net::UnixStream>();
    try_from_by::<tokio::net::UnixStream, Stream>();
    from_by::<local_socket::tokio::Stream, Stream>();
    from_by::<local_socket::tokio::Listener, Listener>();
    from_by::<local_socket::tokio::RecvHalf, RecvHalf>();
    from_by::<local_socket::tokio::SendHalf, SendHalf>();
}

fn pipes() {
    use unnamed_pipe::tokio;

    let _: fn(bool) -> io::Result<(Sender, Recver)> = pipe;
    let _: fn(&Sender, bool) -> io::Result<()> = <Sender as UnnamedPipeExt>::set_nonblocking;
    let _: fn(&Recver, bool) -> io::Result<()> = <Recver as UnnamedPipeExt>::set_nonblocking;

    is_raw_fd::<Recver>();
    is_raw_fd::<Sender>();
    from_by::<OwnedFd, Recver>();
    from_by::<OwnedFd, Sender>();
    try_from_by::<tokio::Recver, OwnedFd>();
    try_from_by::<tokio::Sender, OwnedFd>();
    try_from_by::<OwnedFd, tokio::Recver>();
    try_from_by::<OwnedFd, tokio::Sender>();
    fn is_as_raw_fd<T: AsFd + AsRawFd>() {}
    is_as_raw_fd::<tokio::Recver>();
    is_as_raw_fd::<tokio::Sender>();
    let _ = |path: PathBuf| fifo_file::create_fifo(path, 0o600);
}
