//! Every item that interprocess 2.4.7 has on every OS, with the types that it has there. Those on which this crate differs are in
//! `differs.rs`.
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
    ConnectWaitMode, TryClone, bound_util,
    error::{ConversionError, NoDetails, ReuniteError, ReuniteResult},
    local_socket::{
        self, ConnectOptions, GenericFilePath, GenericNamespaced, Incoming, Listener,
        ListenerNonblockingMode, ListenerOptions, Name, NameType, NamespacedNameType, PathNameType,
        PeerCreds, RecvHalf, SendHalf, Stream, ToFsName, ToNsName, traits,
    },
    unnamed_pipe,
};
use std::{
    borrow::Cow,
    error::Error,
    ffi::{OsStr, OsString},
    fmt::{Debug, Display},
    io::{self, Read, Write},
    iter::FusedIterator,
    path::{Path, PathBuf},
    time::Duration,
};

fn is<T: ?Sized + Debug + Send + Sync>() {}
fn is_copy<T: Copy>() {}
fn is_clone<T: Clone>() {}
fn is_eq<T: Eq>() {}
fn is_try_clone<T: TryClone>() {}
fn is_error<T: Debug + Display + Into<io::Error>>() {}
fn is_read<T: Read + bound_util::RefRead>() {}
fn is_write<T: Write + bound_util::RefWrite>() {}
fn is_default<T: Default>() {}
fn from_by<T, F: Into<T>>() {}

const fn is_path(name: &Name<'_>) -> bool {
    name.is_path()
}

fn root() {
    is::<ConnectWaitMode>();
    is_copy::<ConnectWaitMode>();
    is_default::<ConnectWaitMode>();
    match ConnectWaitMode::Unbounded {
        ConnectWaitMode::Deferred | ConnectWaitMode::Timeout(_) | ConnectWaitMode::Unbounded => {}
    }
    let _: fn(&String) -> io::Result<String> = TryClone::try_clone;
}

fn bounds<S: bound_util::RefRead + bound_util::RefWrite>(stream: &S) {
    let _ = stream.as_read().read(&mut []);
    let _ = stream.as_write().write(&[]);
}

fn bounds_of_tokio<S: bound_util::RefTokioAsyncRead + bound_util::RefTokioAsyncWrite>(stream: &S) {
    drop(stream.as_tokio_async_read());
    drop(stream.as_tokio_async_write());
}

fn errors(conversion: ConversionError<u8, NoDetails>, reunite: ReuniteError<u8, u8>) {
    type It = ConversionError<u8, NoDetails>;
    is_error::<It>();
    is_default::<It>();
    is_copy::<NoDetails>();
    is_eq::<NoDetails>();
    is_default::<NoDetails>();
    let _: fn(u8) -> It = It::from_source;
    let _: fn(io::Error) -> It = It::from_cause;
    let _: fn(u8, io::Error) -> It = It::from_source_and_cause;
    let _: fn(u8, NoDetails) -> It = It::from_source_and_details;
    let _: fn(io::Error, NoDetails) -> It = It::from_cause_and_details;
    let _: fn(&It) -> io::Error = It::to_io_error;
    let conversion: ConversionError<u16, NoDetails> = conversion.map_source(u16::from);
    let conversion: ConversionError<u32, NoDetails> = conversion.try_map_source(|source| Some(source.into()));
    let ConversionError { details: NoDetails, cause: _, source: _ } = conversion;

    let reunite: ReuniteError<u16, u16> = reunite.map_halves(u16::from, u16::from);
    let reunite: ReuniteError<u32, u32> = reunite.convert_halves();
    let _: &dyn Error = &reunite;
    let ReuniteError { rh: _, sh: _ } = reunite;
    let _: ReuniteResult<u8, u8, u8> = Ok(1);
}

fn names(name: &Name<'static>) {
    is::<Name<'_>>();
    is_clone::<Name<'_>>();
    is_eq::<Name<'_>>();
    let _: fn(&Name<'static>) -> bool = Name::is_namespaced;
    let _: fn(&Name<'static>) -> bool = Name::is_path;
    let _: Name<'_> = name.borrow();
    let _: fn(Name<'static>) -> Name<'static> = Name::into_owned;

    let _: fn() -> bool = <GenericFilePath as NameType>::is_supported;
    let _: fn() -> bool = <GenericNamespaced as NameType>::is_supported;
    let _: fn(Cow<'static, OsStr>) -> io::Result<Name<'static>> =
        <GenericFilePath as PathNameType<OsStr>>::map;
    let _: fn(Cow<'static, OsStr>) -> io::Result<Name<'static>> =
        <GenericNamespaced as NamespacedNameType<OsStr>>::map;
    is::<GenericFilePath>();
    is_eq::<GenericNamespaced>();
    let _: fn(&'static str) -> io::Result<Name<'static>> = ToFsName::to_fs_name::<GenericFilePath>;
    let _: fn(String) -> io::Result<Name<'static>> = ToFsName::to_fs_name::<GenericFilePath>;
    let _: fn(&'static OsStr) -> io::Result<Name<'static>> = ToFsName::to_fs_name::<GenericFilePath>;
    let _: fn(OsString) -> io::Result<Name<'static>> = ToFsName::to_fs_name::<GenericFilePath>;
    let _: fn(&'static Path) -> io::Result<Name<'static>> = ToFsName::to_fs_name::<GenericFilePath>;
    let _: fn(PathBuf) -> io::Result<Name<'static>> = ToFsName::to_fs_name::<GenericFilePath>;
    let _: fn(&'static str) -> io::Result<Name<'static>> = ToNsName::to_ns_name::<GenericNamespaced>;
    let _: fn(String) -> io::Result<Name<'static>> = ToNsName::to_ns_name::<GenericNamespaced>;
    let _: fn(&'static OsStr) -> io::Result<Name<'static>> = ToNsName::to_ns_name::<GenericNamespaced>;
    let _: fn(OsString) -> io::Result<Name<'static>> = ToNsName::to_ns_name::<GenericNamespaced>;
}

fn listener_options(name: Name<'static>) {
    type It = ListenerOptions<'static>;
    is::<It>();
    is_default::<It>();
    is_try_clone::<It>();
    let _: fn() -> It = ListenerOptions::new;
    let _: It = It::new().name(name);
    let _: fn(It, ListenerNonblockingMode) -> It = It::nonblocking;
    let _: fn(It, bool) -> It = It::reclaim_name;
    let _: fn(It, bool) -> It = It::try_overwrite;
    let _: fn(It, Duration) -> It = It::max_spin_time;
    let _: fn(It) -> io::Result<Listener> = It::create_sync;
    let _: fn(It) -> io::Result<Listener> = It::create_sync_as::<Listener>;
    let _: fn(It) -> io::Result<local_socket::tokio::Listener> = It::create_tokio;
    let _: fn(It) -> io::Result<local_socket::tokio::Listener> =
        It::create_tokio_as::<local_socket::tokio::Listener>;

    is::<ListenerNonblockingMode>();
    is_copy::<ListenerNonblockingMode>();
    is_eq::<ListenerNonblockingMode>();
    const MODE: ListenerNonblockingMode = ListenerNonblockingMode::from_bool(true, false);
    const { assert!(MODE.accept_nonblocking() && !MODE.stream_nonblocking()) };
    match MODE {
        ListenerNonblockingMode::Neither
        | ListenerNonblockingMode::Accept
        | ListenerNonblockingMode::Stream
        | ListenerNonblockingMode::Both => {}
    }
}

fn connect_options(name: Name<'static>) {
    type It = ConnectOptions<'static>;
    is::<It>();
    is_default::<It>();
    is_try_clone::<It>();
    let _: fn() -> It = ConnectOptions::new;
    let _: It = It::new().name(name);
    let _: fn(It, ConnectWaitMode) -> It = It::wait_mode;
    let _: fn(It, bool) -> It = It::nonblocking_stream;
    let _: fn(&It) -> io::Result<Stream> = It::connect_sync;
    let _: fn(&It) -> io::Result<Stream> = It::connect_sync_as::<Stream>;
}

fn connect_on_tokio<'o>(options: &'o ConnectOptions<'o>) {
    fn spawns<'o, S>(future: impl Future<Output = io::Result<S>> + Send + Sync + 'o) {
        drop(future);
    }
    spawns(options.connect_tokio());
    spawns(options.connect_tokio_as::<local_socket::tokio::Stream>());
}

fn listener<L: traits::Listener<Stream = S>, S: traits::Stream>() {
    fn iterates<L: Iterator<Item = io::Result<S>> + FusedIterator, S>() {}
    is::<L>();
    iterates::<L, S>();
    iterates::<Incoming<'_, L>, S>();
    from_by::<Incoming<'_, L>, &L>();
    let _: fn(&L) -> io::Result<S> = L::accept;
    let _: fn(&L, ListenerNonblockingMode) -> io::Result<()> = L::set_nonblocking;
    let _: fn(&mut L) = L::do_not_reclaim_name_on_drop;
    let _: fn(&L) -> Incoming<'_, L> = <L as traits::ListenerExt>::incoming;
    let _: fn(ListenerOptions<'static>) -> io::Result<L> = L::from_options;
}

fn stream<
    S: traits::Stream<RecvHalf = R, SendHalf = W>,
    R: traits::RecvHalf<Stream = S>,
    W: traits::SendHalf<Stream = S>,
>() {
    is::<S>();
    is_read::<S>();
    is_write::<S>();
    is_read::<R>();
    is_write::<W>();
    let _: fn(Name<'static>) -> io::Result<S> = S::connect;
    let _: fn(&S, bool) -> io::Result<()> = S::set_nonblocking;
    let _: fn(&S, Option<Duration>) -> io::Result<()> = S::set_recv_timeout;
    let _: fn(&S, Option<Duration>) -> io::Result<()> = S::set_send_timeout;
    let _: fn(S) -> (R, W) = S::split;
    let _: fn(R, W) -> traits::ReuniteResult<S> = S::reunite;
    let _: fn(&ConnectOptions<'_>) -> io::Result<S> = S::from_options;
    let _: fn(&S) -> io::Result<Option<io::Error>> = <S as traits::StreamCommon>::take_error;
    let _: fn(&S) -> io::Result<PeerCreds> = <S as traits::StreamCommon>::peer_creds;
    let _: fn(&R, Option<Duration>) -> io::Result<()> = R::set_timeout;
    let _: fn(&W, Option<Duration>) -> io::Result<()> = W::set_timeout;
}

fn blocking() {
    use local_socket::prelude::*;

    listener::<Listener, Stream>();
    listener::<LocalSocketListener, LocalSocketStream>();
    stream::<Stream, RecvHalf, SendHalf>();
    is_try_clone::<Stream>();
    is::<RecvHalf>();
    is::<SendHalf>();
    let _: fn(RecvHalf, SendHalf) -> local_socket::ReuniteResult = Stream::reunite;
    let _: fn(local_socket::ReuniteError) -> ReuniteError<RecvHalf, SendHalf> = |error| error;
    is_clone::<PeerCreds>();
    is::<PeerCreds>();
    let _: fn(&PeerCreds) -> bool = |creds| creds.pid().is_none();
    // With the prelude or without, in the manner of both.
    let _: fn(&Listener) -> io::Result<Stream> = |listener| listener.accept();
    let _: fn(Name<'static>) -> io::Result<Stream> = |name| LocalSocketStream::connect(name);
}

fn listener_of_tokio<L: traits::tokio::Listener<Stream = S>, S: traits::tokio::Stream>(listener: &mut L) {
    fn spawns<S>(future: impl Future<Output = io::Result<S>> + Send + Sync) {
        drop(future);
    }
    let _: fn(ListenerOptions<'static>) -> io::Result<L> = L::from_options;
    let _: fn(&mut L) = L::do_not_reclaim_name_on_drop;
    spawns::<S>(listener.accept());
}

fn stream_of_tokio<
    S: traits::tokio::Stream<RecvHalf = R, SendHalf = W>,
    R: traits::tokio::RecvHalf<Stream = S>,
    W: traits::tokio::SendHalf<Stream = S>,
>(
    name: Name<'static>,
    options: &ConnectOptions<'_>,
) {
    fn spawns<S>(future: impl Future<Output = io::Result<S>> + Send + Sync) {
        drop(future);
    }
    fn is_async_read<T: tokio::io::AsyncRead + bound_util::RefTokioAsyncRead>() {}
    fn is_async_write<T: tokio::io::AsyncWrite + bound_util::RefTokioAsyncWrite>() {}
    is_async_read::<S>();
    is_async_write::<S>();
    is_async_read::<R>();
    is_async_write::<W>();
    spawns::<S>(S::connect(name));
    spawns::<S>(S::from_options(options));
    let _: fn(S) -> (R, W) = S::split;
    let _: fn(R, W) -> traits::tokio::ReuniteResult<S> = S::reunite;
    let _: fn(&S) -> io::Result<Option<io::Error>> = <S as traits::StreamCommon>::take_error;
    let _: fn(&S) -> io::Result<PeerCreds> = <S as traits::StreamCommon>::peer_creds;
}

fn on_tokio(mut it: local_socket::tokio::Listener, name: &Name<'static>, options: &ConnectOptions<'_>) {
    use local_socket::tokio::{
        Listener, RecvHalf, ReuniteError as OfHalves, ReuniteResult, SendHalf, Stream, prelude::*,
    };

    is::<Listener>();
    is::<Stream>();
    is::<RecvHalf>();
    is::<SendHalf>();
    listener_of_tokio::<LocalSocketListener, LocalSocketStream>(&mut it);
    stream_of_tokio::<Stream, RecvHalf, SendHalf>(name.clone(), options);
    let _: fn(RecvHalf, SendHalf) -> ReuniteResult = |rh, sh| Stream::reunite(rh, sh);
    let _: fn(OfHalves) -> ReuniteError<RecvHalf, SendHalf> = |error| error;
}

fn unnamed() {
    use unnamed_pipe::{Recver, Sender, pipe, tokio};

    let _: fn() -> io::Result<(Sender, Recver)> = pipe;
    is::<Recver>();
    is::<Sender>();
    fn reads<T: Read>() {}
    fn writes<T: Write>() {}
    reads::<Recver>();
    writes::<Sender>();

    let _: fn() -> io::Result<(tokio::Sender, tokio::Recver)> = tokio::pipe;
    is::<tokio::Recver>();
    is::<tokio::Sender>();
    fn reads_async<T: ::tokio::io::AsyncRead>() {}
    fn writes_async<T: ::tokio::io::AsyncWrite>() {}
    reads_async::<tokio::Recver>();
    writes_async::<tokio::Sender>();
}
