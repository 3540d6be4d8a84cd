//! What interprocess 2.4.7 has and this crate has not, or has otherwise. `MIGRATION.md` says what to write instead.
#![allow(
    dead_code,
    deprecated,
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    clippy::redundant_closure_for_method_calls,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unnecessary_to_owned,
    reason = "that it compiles is the test"
)]

use interprocess::local_socket::{PeerCreds, prelude::*, tokio};

fn is_copy<T: Copy>() {}

/// Local sockets are enums.
fn local_sockets() {
    #[cfg(unix)]
    use interprocess::os::unix::uds_local_socket as implementation;
    #[cfg(windows)]
    use interprocess::os::windows::named_pipe::local_socket as implementation;

    macro_rules! enums {
        ($variant:ident: $($name:path, $inner:ty;)+) => {$({
            use $name as It;
            let _: fn($inner) -> It = It::$variant;
            let _: fn(It) -> $inner = |it| match it {
                It::$variant(inner) => inner,
            };
        })+};
    }
    macro_rules! all {
        ($variant:ident) => {
            enums! {
                $variant:
                interprocess::local_socket::Listener, implementation::Listener;
                interprocess::local_socket::Stream, implementation::Stream;
                interprocess::local_socket::RecvHalf, implementation::RecvHalf;
                interprocess::local_socket::SendHalf, implementation::SendHalf;
                tokio::Listener, implementation::tokio::Listener;
                tokio::Stream, implementation::tokio::Stream;
                tokio::RecvHalf, implementation::tokio::RecvHalf;
                tokio::SendHalf, implementation::tokio::SendHalf;
            }
        };
    }
    #[cfg(unix)]
    all!(UdSocket);
    #[cfg(windows)]
    all!(NamedPipe);

    is_copy::<PeerCreds>();
    drop::<Option<LocalSocketStream>>(None);
}

#[cfg(unix)]
mod unix {
    use interprocess::{
        os::unix::uds_local_socket as uds,
        unnamed_pipe::{Recver, Sender},
    };
    use std::os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    };
    use tokio::net;

    /// References to sockets of std's and Tokio's.
    fn sockets() {
        let _: fn(&uds::Stream) -> &UnixStream = uds::Stream::inner;
        let _: fn(&mut uds::Stream) -> &mut UnixStream = uds::Stream::inner_mut;
        let _: fn(&uds::Listener) -> &UnixListener = uds::Listener::inner;
        let _: fn(&mut uds::Listener) -> &mut UnixListener = uds::Listener::inner_mut;
        let _: fn(&uds::tokio::Stream) -> &net::UnixStream = uds::tokio::Stream::inner;
        let _: fn(&mut uds::tokio::Stream) -> &mut net::UnixStream = uds::tokio::Stream::inner_mut;
        let _: fn(&uds::tokio::Listener) -> &net::UnixListener = uds::tokio::Listener::inner;
        let _: fn(&mut uds::tokio::Listener) -> &mut net::UnixListener = uds::tokio::Listener::inner_mut;
        let _: fn(&uds::tokio::RecvHalf) -> &net::unix::OwnedReadHalf = uds::tokio::RecvHalf::as_tokio;
        let _: fn(uds::tokio::RecvHalf) -> net::unix::OwnedReadHalf = uds::tokio::RecvHalf::into_tokio;
        let _: fn(&uds::tokio::SendHalf) -> &net::unix::OwnedWriteHalf = uds::tokio::SendHalf::as_tokio;
        let _: fn(uds::tokio::SendHalf) -> net::unix::OwnedWriteHalf = uds::tokio::SendHalf::into_tokio;
        let _: fn(net::UnixStream) -> uds::tokio::Stream = From::from;
        let _: fn(uds::tokio::Stream) -> net::UnixStream = From::from;
    }

    /// Any descriptor is taken for an end of a pipe.
    fn pipes() {
        let _: fn(OwnedFd) -> Recver = From::from;
        let _: fn(OwnedFd) -> Sender = From::from;
    }
}

#[cfg(windows)]
mod windows {
    use interprocess::{
        os::windows::{
            ToWtf16,
            named_pipe::{
                self, DuplexPipeStream, PipeListener, PipeListenerOptions, PipeMode, WaitTimeout,
                pipe_mode::{Bytes, Messages},
            },
            security_descriptor::{AsSecurityDescriptorExt, BorrowedSecurityDescriptor, SecurityDescriptor},
            unnamed_pipe::CreationOptions,
        },
        unnamed_pipe::{Recver, Sender},
    };
    use recvmsg::RecvMsg;
    use std::{
        borrow::Cow,
        io,
        num::{NonZeroU8, NonZeroUsize},
        os::windows::io::{AsRawHandle, OwnedHandle},
    };
    use widestring::{U16CStr, U16CString, error::ContainsNul};

    /// Options have fields and a lifetime.
    fn options<'path>(options: PipeListenerOptions<'path>, of_unnamed: CreationOptions<'path>) {
        let _: Cow<'path, U16CStr> = options.path;
        let _: PipeMode = options.mode;
        let _: Option<NonZeroU8> = options.instance_limit;
        let _: [u32; 2] = [options.input_buffer_size_hint, options.output_buffer_size_hint];
        let _: WaitTimeout = options.wait_timeout;
        let _: Option<SecurityDescriptor> = options.security_descriptor;
        let _: [bool; 4] =
            [options.nonblocking, options.write_through, options.accept_remote, options.inheritable];
        let _: Option<BorrowedSecurityDescriptor<'path>> = of_unnamed.security_descriptor;
        let _: bool = of_unnamed.inheritable;
        let _: Option<NonZeroUsize> = of_unnamed.buffer_size_hint;
    }

    /// Paths and text are those of the `widestring` crate, too.
    fn wide(path: U16CString, descriptor: &SecurityDescriptor) {
        let _: fn(&'static U16CStr) -> Result<Cow<'static, U16CStr>, ContainsNul<u16>> = ToWtf16::to_wtf_16;
        let _ = PipeListenerOptions::new().path(path);
        let _: io::Result<String> = descriptor.serialize(0, U16CStr::to_string_lossy);
    }

    /// Messages are received by the trait of the `recvmsg` crate.
    fn messages() {
        fn receives<S: RecvMsg>() {}
        receives::<DuplexPipeStream<Messages>>();
        receives::<&DuplexPipeStream<Messages>>();
    }

    /// Listeners are made from handles, and are one.
    fn listeners() {
        type It = PipeListener<Bytes, Bytes>;
        type OnTokio = named_pipe::tokio::PipeListener<Bytes, Bytes>;
        let _: fn(OwnedHandle, PipeListenerOptions<'static>) -> It = It::from_handle_and_options;
        let _: fn(OwnedHandle, PipeListenerOptions<'static>) -> io::Result<OnTokio> =
            OnTokio::from_handle_and_options;
        let _: fn(tokio::net::windows::named_pipe::NamedPipeServer, PipeListenerOptions<'static>) -> OnTokio =
            OnTokio::from_tokio_and_options;
        let _: fn(It) -> OwnedHandle = From::from;
        fn is_raw<T: AsRawHandle>() {}
        is_raw::<It>();
    }

    /// Local sockets refer to pipes.
    fn local_sockets() {
        use named_pipe::local_socket as pipes;
        fn refers<T: AsRef<P> + AsMut<P> + Into<P> + From<P>, P>() {}
        refers::<pipes::RecvHalf, named_pipe::RecvPipeStream<Bytes>>();
        refers::<pipes::SendHalf, named_pipe::SendPipeStream<Bytes>>();
        refers::<pipes::Stream, DuplexPipeStream<Bytes>>();
        refers::<pipes::tokio::RecvHalf, named_pipe::tokio::RecvPipeStream<Bytes>>();
        refers::<pipes::tokio::SendHalf, named_pipe::tokio::SendPipeStream<Bytes>>();
        refers::<pipes::tokio::Stream, named_pipe::tokio::DuplexPipeStream<Bytes>>();
        refers::<pipes::tokio::Listener, named_pipe::tokio::PipeListener<Bytes, Bytes>>();
        let _: fn(&pipes::Stream) -> &DuplexPipeStream<Bytes> = pipes::Stream::inner;
        let _: fn(&mut pipes::Stream) -> &mut DuplexPipeStream<Bytes> = pipes::Stream::inner_mut;
        let _: fn(&pipes::Listener) -> &PipeListener<Bytes, Bytes> = pipes::Listener::inner;
        let _: fn(&mut pipes::Listener) -> &mut PipeListener<Bytes, Bytes> = pipes::Listener::inner_mut;
        let _: fn(&pipes::Listener) -> &PipeListener<Bytes, Bytes> = AsRef::as_ref;
        let _: fn(pipes::Listener) -> OwnedHandle = From::from;
        let _ = pipes::tokio::Listener::inner;
        let _ = pipes::tokio::Listener::inner_mut;
        let _ = named_pipe::tokio::FromHandleErrorKind::TokioError;
    }

    /// Any handle is taken for an end of a pipe.
    fn pipes() {
        let _: fn(OwnedHandle) -> Recver = From::from;
        let _: fn(OwnedHandle) -> Sender = From::from;
    }
}
