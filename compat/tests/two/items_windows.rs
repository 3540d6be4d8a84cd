//! Every item that interprocess 2.4.7 has on Windows beside those of every OS.
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
    ConnectWaitMode, TryClone,
    error::{FromHandleError, NoDetails},
    local_socket::{self, ListenerOptions, Name, PathNameType, traits},
    os::windows::{
        ImpersonationGuard, ShareHandle,
        local_socket::{ListenerOptionsExt, NamedPipe},
        named_pipe::{
            self, DuplexPipeStream, FromHandleErrorKind, PipeDirection, PipeListener, PipeListenerOptions,
            PipeMode, PipeStream, PipeStreamRole, RecvPipeStream, ReuniteError, ReuniteResult,
            SendPipeStream, WaitTimeout,
            pipe_mode::{Bytes, Messages, None},
        },
        security_descriptor::{
            AsSecurityDescriptor, AsSecurityDescriptorExt, AsSecurityDescriptorMut,
            AsSecurityDescriptorMutExt, BorrowedSecurityDescriptor, MutBorrowedSecurityDescriptor,
            SecurityDescriptor,
        },
        unnamed_pipe::{CreationOptions, tokio::CreationOptionsExt},
    },
    unnamed_pipe::{Recver, Sender},
};
use std::{
    borrow::Cow,
    ffi::{OsStr, OsString, c_void},
    fmt::Debug,
    io::{self, Read, Write},
    iter::FusedIterator,
    mem::MaybeUninit,
    num::{NonZeroU8, NonZeroUsize},
    os::windows::io::{
        AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle,
    },
    path::Path,
    task::{Context, Poll},
    time::Duration,
};
use windows_sys::Win32::Security::{ACL, SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR};

fn is<T: Debug + Send + Sync>() {}
fn is_copy<T: Copy + Eq>() {}
fn is_try_clone<T: TryClone>() {}
fn is_as_handle<T: AsHandle>() {}
fn from_by<T: From<F>, F>() {}
fn try_from_by<T: TryFrom<F>, F>() {}

fn root(error: FromHandleError) -> Option<OwnedHandle> {
    fn is_debug<T: Debug>() {}
    is_debug::<ImpersonationGuard>();
    let _: fn(&Recver, BorrowedHandle<'_>) -> io::Result<RawHandle> = ShareHandle::share;
    let _: fn(&Sender, BorrowedHandle<'_>) -> io::Result<RawHandle> = ShareHandle::share;
    let FromHandleError { details: NoDetails, cause: _, source } = error;
    source
}

fn local_sockets() {
    let _: fn(ListenerOptions<'static>, SecurityDescriptor) -> ListenerOptions<'static> =
        ListenerOptionsExt::security_descriptor;
    let _: fn(Cow<'static, OsStr>) -> io::Result<Name<'static>> = <NamedPipe as PathNameType<OsStr>>::map;
}

fn local_sockets_of_pipes(mut stream: named_pipe::local_socket::Stream) {
    use named_pipe::local_socket::{Listener, RecvHalf, SendHalf, Stream};

    fn is_stream<S: traits::Stream<RecvHalf = RecvHalf, SendHalf = SendHalf> + TryClone + AsHandle>() {}
    fn is_listener<L: traits::Listener<Stream = Stream>>() {}
    is_stream::<Stream>();
    is_listener::<Listener>();
    is::<Stream>();
    is::<Listener>();
    is::<RecvHalf>();
    is::<SendHalf>();
    is_as_handle::<RecvHalf>();
    is_as_handle::<SendHalf>();
    let _: bool = stream.inner().is_server() && stream.inner_mut().is_client();
    from_by::<Stream, DuplexPipeStream<Bytes>>();
    from_by::<DuplexPipeStream<Bytes>, Stream>();
    from_by::<RecvPipeStream<Bytes>, RecvHalf>();
    from_by::<SendPipeStream<Bytes>, SendHalf>();
    from_by::<OwnedHandle, Stream>();
    try_from_by::<Stream, OwnedHandle>();
    from_by::<local_socket::Stream, Stream>();
    from_by::<local_socket::Listener, Listener>();
    from_by::<local_socket::RecvHalf, RecvHalf>();
    from_by::<local_socket::SendHalf, SendHalf>();
}

fn local_sockets_of_pipes_on_tokio(mut stream: named_pipe::local_socket::tokio::Stream) {
    use named_pipe::{
        local_socket::tokio::{Listener, RecvHalf, SendHalf, Stream},
        tokio::DuplexPipeStream,
    };

    fn is_stream<S: traits::tokio::Stream<RecvHalf = RecvHalf, SendHalf = SendHalf> + AsHandle>() {}
    fn is_listener<L: traits::tokio::Listener<Stream = Stream>>() {}
    is_stream::<Stream>();
    is_listener::<Listener>();
    is::<Stream>();
    is::<Listener>();
    is::<RecvHalf>();
    is::<SendHalf>();
    let _: bool = stream.inner().is_server() && stream.inner_mut().is_client();
    from_by::<Stream, DuplexPipeStream<Bytes>>();
    from_by::<DuplexPipeStream<Bytes>, Stream>();
    try_from_by::<Stream, OwnedHandle>();
    from_by::<local_socket::tokio::Stream, Stream>();
    from_by::<local_socket::tokio::Listener, Listener>();
}

fn enums() {
    is::<PipeDirection>();
    is_copy::<PipeDirection>();
    const _: PipeStreamRole = PipeDirection::ClientToServer.client_role();
    const _: PipeStreamRole = PipeDirection::ServerToClient.server_role();
    const _: PipeDirection = PipeStreamRole::Recver.direction_as_client();
    const _: PipeDirection = PipeStreamRole::Sender.direction_as_server();
    from_by::<u32, PipeDirection>();
    try_from_by::<PipeDirection, u32>();
    match PipeDirection::Duplex.client_role() {
        PipeStreamRole::Recver | PipeStreamRole::Sender | PipeStreamRole::RecverAndSender => {}
    }
    is::<PipeMode>();
    is_copy::<PipeMode>();
    try_from_by::<PipeMode, u32>();
    const _: u32 = PipeMode::Bytes.to_pipe_type() | PipeMode::Messages.to_readmode();
    match PipeMode::Bytes {
        PipeMode::Bytes | PipeMode::Messages => {}
    }
    is::<FromHandleErrorKind>();
    is_copy::<FromHandleErrorKind>();
    from_by::<io::Error, FromHandleErrorKind>();
    let _ = [FromHandleErrorKind::IsServerCheckFailed, FromHandleErrorKind::NoMessageBoundaries];
    let _: fn(named_pipe::FromHandleError) -> Option<OwnedHandle> = |error| error.source;
    is::<WaitTimeout>();
    is_copy::<WaitTimeout>();
    from_by::<u32, WaitTimeout>();
    const _: [WaitTimeout; 4] =
        [WaitTimeout::DEFAULT, WaitTimeout::MIN, WaitTimeout::MAX, WaitTimeout::FOREVER];
    const _: WaitTimeout = WaitTimeout::from_duration_clamped(Duration::ZERO);
    const _: WaitTimeout = WaitTimeout::from_millis_clamped(1);
    const _: u32 = WaitTimeout::from_raw(1).to_raw();
}

fn listener_options(path: &'static Path) {
    let it = PipeListenerOptions::new()
        .path(path)
        .path(path.to_owned())
        .path("x")
        .path(String::new())
        .path(OsStr::new("x"))
        .path(OsString::new())
        .instance_limit(NonZeroU8::new(1))
        .security_descriptor(SecurityDescriptor::new().ok());
    setters(&it, [PipeListenerOptions::nonblocking, PipeListenerOptions::write_through]);
    setters(&it, [PipeListenerOptions::accept_remote, PipeListenerOptions::inheritable]);
    setters(&it, [PipeListenerOptions::input_buffer_size_hint, PipeListenerOptions::output_buffer_size_hint]);
    setters(&it, [PipeListenerOptions::mode]);
    setters::<_, WaitTimeout, 1>(&it, [PipeListenerOptions::wait_timeout]);
    creates::<_, PipeListener<Bytes, Messages>>(&it, PipeListenerOptions::create);
    creates::<_, PipeListener<Bytes, Bytes>>(&it, PipeListenerOptions::create_duplex);
    creates::<_, PipeListener<Bytes, None>>(&it, PipeListenerOptions::create_recv_only);
    creates::<_, PipeListener<None, Bytes>>(&it, PipeListenerOptions::create_send_only);
    creates::<_, named_pipe::tokio::PipeListener<Bytes, Messages>>(&it, PipeListenerOptions::create_tokio);
    creates::<_, named_pipe::tokio::PipeListener<Bytes, Bytes>>(
        &it,
        PipeListenerOptions::create_tokio_duplex,
    );
    creates::<_, named_pipe::tokio::PipeListener<Bytes, None>>(
        &it,
        PipeListenerOptions::create_tokio_recv_only,
    );
    creates::<_, named_pipe::tokio::PipeListener<None, Bytes>>(
        &it,
        PipeListenerOptions::create_tokio_send_only,
    );
    let _: io::Result<io::Result<PipeListener<Bytes, Bytes>>> = it.to_owned().map(|options| options.create());
    listener_options_by_trait(&it);

    fn setters<T: Debug + Default + TryClone + Send + Sync, V, const N: usize>(_: &T, _: [fn(T, V) -> T; N]) {
    }
    fn creates<T, L>(_: &T, _: fn(&T) -> io::Result<L>) {}
}

fn listener_options_by_trait(options: &impl named_pipe::tokio::PipeListenerOptionsExt) {
    use named_pipe::tokio::PipeListener;
    let _: io::Result<PipeListener<Bytes, Messages>> = options.create_tokio();
    let _: io::Result<PipeListener<Bytes, Bytes>> = options.create_tokio_duplex();
    let _: io::Result<PipeListener<Bytes, None>> = options.create_tokio_recv_only();
    let _: io::Result<PipeListener<None, Bytes>> = options.create_tokio_send_only();
}

fn listeners(it: &PipeListener<Bytes, Messages>) {
    fn iterates<I: Iterator<Item = io::Result<S>> + FusedIterator, S>(_: I) {}
    is::<PipeListener<Bytes, Messages>>();
    let _: fn(&PipeListener<Bytes, Messages>) -> io::Result<PipeStream<Bytes, Messages>> =
        PipeListener::accept;
    let _: fn(&PipeListener<Bytes, Messages>, bool) -> io::Result<()> = PipeListener::set_nonblocking;
    iterates::<named_pipe::Incoming<'_, Bytes, Messages>, _>(it.incoming());
    iterates::<named_pipe::Incoming<'_, Bytes, Messages>, _>(it.into_iter());
}

fn streams() {
    type It = PipeStream<Bytes, Messages>;
    fn reads<T: Read>() {}
    fn writes<T: Write>() {}
    is::<It>();
    is_try_clone::<It>();
    fn is_raw<T: AsHandle + AsRawHandle>() {}
    is_raw::<It>();
    reads::<DuplexPipeStream<Bytes>>();
    writes::<DuplexPipeStream<Bytes>>();
    reads::<&DuplexPipeStream<Bytes>>();
    writes::<&DuplexPipeStream<Bytes>>();
    try_from_by::<It, OwnedHandle>();
    try_from_by::<OwnedHandle, It>();
    let _: fn(&'static str) -> io::Result<It> = |path| It::connect_by_path(path);
    let _: fn(&'static Path, ConnectWaitMode) -> io::Result<It> =
        |path, mode| It::connect_by_path_with_wait_mode(path, mode);
    let _: fn(It) -> (RecvPipeStream<Bytes>, SendPipeStream<Messages>) = It::split;
    let _: fn(RecvPipeStream<Bytes>, SendPipeStream<Messages>) -> ReuniteResult<Bytes, Messages> =
        It::reunite;
    let _: fn(ReuniteError<Bytes, Messages>) -> RecvPipeStream<Bytes> = |error| error.rh;
    let _: fn(&It) -> bool = It::is_server;
    let _: fn(&It) -> bool = It::is_client;
    let _: fn(&It) -> io::Result<u32> = It::client_process_id;
    let _: fn(&It) -> io::Result<u32> = It::client_session_id;
    let _: fn(&It) -> io::Result<u32> = It::server_process_id;
    let _: fn(&It) -> io::Result<u32> = It::server_session_id;
    let _: fn(&It) -> io::Result<u32> = It::peer_process_id;
    let _: fn(&It) -> io::Result<u32> = It::peer_session_id;
    let _: fn(&It) -> io::Result<ImpersonationGuard> = It::impersonate_client;
    let _: fn(&It, bool) -> io::Result<()> = It::set_nonblocking;
    let _: fn(&It) -> io::Result<()> = It::flush;
    let _: fn(&It) = It::assume_flushed;
    let _: fn(&It) = It::mark_dirty;
    let _: fn(It) = It::evade_limbo;
    let _: fn(&It, &[u8]) -> io::Result<usize> = It::send;
    let _: fn(&It, &mut [MaybeUninit<u8>]) -> io::Result<usize> = It::read_to_uninit;
    let _: fn(&DuplexPipeStream<Messages>) -> io::Result<usize> = PipeStream::peek_msg_len;
}

fn streams_on_tokio(stream: &named_pipe::tokio::PipeStream<Bytes, Messages>, cx: &mut Context<'_>) {
    use named_pipe::tokio::{
        DuplexPipeStream, FromHandleError, FromHandleErrorKind, PipeListener, PipeStream, RecvPipeStream,
        ReuniteError, ReuniteResult, SendPipeStream,
    };

    type It = PipeStream<Bytes, Messages>;
    fn reads<T: tokio::io::AsyncRead>() {}
    fn writes<T: tokio::io::AsyncWrite>() {}
    fn is_raw<T: AsHandle + AsRawHandle>() {}
    fn becomes<T>(future: impl Future<Output = io::Result<T>> + Send) {
        drop(future);
    }
    fn is_from_handle<T: TryFrom<OwnedHandle, Error = FromHandleError>>() {}
    is::<It>();
    is::<PipeListener<Bytes, Messages>>();
    is_raw::<It>();
    is_from_handle::<It>();
    reads::<DuplexPipeStream<Bytes>>();
    writes::<DuplexPipeStream<Bytes>>();
    reads::<&DuplexPipeStream<Bytes>>();
    writes::<&DuplexPipeStream<Bytes>>();
    let _: fn(It) -> (RecvPipeStream<Bytes>, SendPipeStream<Messages>) = It::split;
    let _: fn(RecvPipeStream<Bytes>, SendPipeStream<Messages>) -> ReuniteResult<Bytes, Messages> =
        It::reunite;
    let _: fn(ReuniteError<Bytes, Messages>) -> RecvPipeStream<Bytes> = |error| error.rh;
    let _ = [FromHandleErrorKind::IsServerCheckFailed, FromHandleErrorKind::NoMessageBoundaries];
    let _: fn(&It) -> bool = It::is_server;
    let _: fn(&It) -> bool = It::is_client;
    let _: fn(&It) -> io::Result<u32> = It::client_process_id;
    let _: fn(&It) -> io::Result<u32> = It::client_session_id;
    let _: fn(&It) -> io::Result<u32> = It::server_process_id;
    let _: fn(&It) -> io::Result<u32> = It::server_session_id;
    let _: fn(&It) -> io::Result<u32> = It::peer_process_id;
    let _: fn(&It) -> io::Result<u32> = It::peer_session_id;
    let _: fn(&It) = It::assume_flushed;
    let _: fn(&It) = It::mark_dirty;
    let _: fn(It) = It::evade_limbo;
    let _: Poll<io::Result<()>> = stream.poll_flush(cx);
    becomes::<()>(stream.flush());
    becomes::<usize>(stream.send(&[]));
    becomes::<It>(It::connect_by_path("x"));
    becomes::<It>(It::connect_by_path_with_wait_mode("x", ConnectWaitMode::Unbounded));
    let _ = |listener: &PipeListener<Bytes, Messages>| becomes::<It>(listener.accept());
}

fn unnamed_pipes(descriptor: BorrowedSecurityDescriptor<'_>) {
    use interprocess::unnamed_pipe::tokio;

    is_clone::<CreationOptions<'_>>();
    fn is_clone<T: Clone + Debug + Default>() {}
    const OPTIONS: CreationOptions<'static> = CreationOptions::new();
    let _: fn(CreationOptions<'static>, bool) -> CreationOptions<'static> = CreationOptions::inheritable;
    let options = OPTIONS.buffer_size_hint(NonZeroUsize::new(1)).security_descriptor(Some(descriptor));
    let _: io::Result<(Sender, Recver)> = options.clone().create();
    let _: io::Result<(Sender, Recver)> = options.clone().build();
    let _: io::Result<(tokio::Sender, tokio::Recver)> = CreationOptionsExt::create_tokio(options);

    fn is_raw<T: AsHandle + AsRawHandle + IntoRawHandle + FromRawHandle>() {}
    is_raw::<Recver>();
    is_raw::<Sender>();
    from_by::<OwnedHandle, Recver>();
    from_by::<OwnedHandle, Sender>();
    fn is_as_raw<T: AsHandle + AsRawHandle>() {}
    is_as_raw::<tokio::Recver>();
    is_as_raw::<tokio::Sender>();
    try_from_by::<tokio::Recver, OwnedHandle>();
    try_from_by::<tokio::Sender, OwnedHandle>();
    try_from_by::<OwnedHandle, tokio::Recver>();
    try_from_by::<OwnedHandle, tokio::Sender>();
}

fn security_descriptors() {
    type It = SecurityDescriptor;
    is::<It>();
    is_try_clone::<It>();
    let _: fn() -> io::Result<It> = It::new;
    let _: fn(&widestring::U16CStr) -> io::Result<It> = |text| It::deserialize(text);
    let _: fn(&It) -> BorrowedSecurityDescriptor<'_> = It::borrow;
    let _: fn(&mut It) -> MutBorrowedSecurityDescriptor<'_> = It::borrow_mut;
    let _: unsafe fn(SECURITY_DESCRIPTOR) -> It = It::from_owned;
    let _: fn() -> It = Default::default;
    let _: unsafe fn(*const c_void) -> BorrowedSecurityDescriptor<'static> =
        BorrowedSecurityDescriptor::from_ptr;
    let _: unsafe fn(&'static SECURITY_DESCRIPTOR) -> BorrowedSecurityDescriptor<'static> =
        BorrowedSecurityDescriptor::from_ref;
    let _: unsafe fn(*mut SECURITY_DESCRIPTOR) -> MutBorrowedSecurityDescriptor<'static> =
        MutBorrowedSecurityDescriptor::from_ptr;
    let _: unsafe fn(&'static mut SECURITY_DESCRIPTOR) -> MutBorrowedSecurityDescriptor<'static> =
        MutBorrowedSecurityDescriptor::from_ref;
    is_one::<It>();
    is_mut::<It>();
    is_one::<BorrowedSecurityDescriptor<'_>>();
    is_one::<MutBorrowedSecurityDescriptor<'_>>();
    is_mut::<MutBorrowedSecurityDescriptor<'_>>();

    fn is_one<D: AsSecurityDescriptor + Debug + Send + Sync>() {
        let _: fn(&D) -> *const c_void = D::as_sd;
        let _: fn(&D) -> io::Result<Option<(*const ACL, bool)>> = D::dacl;
        let _: fn(&D) -> io::Result<Option<(*const ACL, bool)>> = D::sacl;
        let _: fn(&D) -> io::Result<(*const c_void, bool)> = D::owner;
        let _: fn(&D) -> io::Result<(*const c_void, bool)> = D::group;
        let _: fn(&D) -> io::Result<(u16, u32)> = D::control_and_revision;
        let _: fn(&D) -> io::Result<SecurityDescriptor> = D::to_owned_sd;
        let _: fn(&D, &mut SECURITY_ATTRIBUTES) = D::write_to_security_attributes;
        let _: unsafe fn(&D, *mut ()) = D::write_to_security_attributes_ptr;
    }
    fn is_mut<D: AsSecurityDescriptorMut>() {
        let _: fn(&mut D) -> *mut c_void = D::as_sd_mut;
        let _: [unsafe fn(&mut D, *mut ACL, bool) -> io::Result<()>; 2] = [D::set_dacl, D::set_sacl];
        let _: [unsafe fn(&mut D, *mut c_void, bool) -> io::Result<()>; 2] = [D::set_owner, D::set_group];
        let _: [fn(&mut D) -> io::Result<()>; 4] =
            [D::unset_dacl, D::unset_sacl, D::unset_owner, D::unset_group];
        let _: [fn(&mut D) -> io::Result<()>; 4] =
            [D::remove_dacl, D::remove_sacl, D::remove_owner, D::remove_group];
        let _: [fn(&mut D) -> io::Result<()>; 3] = [D::remove_acls, D::remove_sids, D::free_contents];
        let _: fn(&mut D, u16, u16) -> io::Result<()> = D::set_control;
    }
}
