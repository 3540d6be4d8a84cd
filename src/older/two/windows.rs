//! What `os::windows` of interprocess 2 has.

pub(crate) mod security_descriptor;

use crate::{
    TryClone,
    local_socket::{RecvHalf, SendHalf, Stream},
    os::windows::named_pipe::{
        DuplexPipeStream, PipeListenerOptions, PipeStream, RecvPipeStream, SendPipeStream,
        pipe_mode::{Bytes, PipeModeTag},
    },
};
use std::{io, mem::MaybeUninit};

/// Local sockets by the name that interprocess 2 has for what is below them on Windows. They are the same types: a local socket is
/// a named pipe, and becomes a [`DuplexPipeStream<Bytes>`](DuplexPipeStream) by [`into`](Into::into). New code uses
/// [`local_socket`](crate::local_socket).
pub mod local_socket {
    pub use crate::local_socket::{Listener, RecvHalf, SendHalf, Stream};

    /// The same for Tokio.
    #[cfg(feature = "tokio")]
    pub mod tokio {
        pub use crate::local_socket::tokio::{Listener, RecvHalf, SendHalf, Stream};
    }
}

/// For code that was written for older crates.
impl Stream {
    /// The same stream as a pipe. In new code, [`DuplexPipeStream::from`].
    pub fn inner(&self) -> DuplexPipeStream<Bytes> {
        PipeStream::from_sys(self.0.share())
    }

    /// The same as [`inner`](Self::inner).
    pub fn inner_mut(&mut self) -> DuplexPipeStream<Bytes> {
        self.inner()
    }
}

/// For code that was written for older crates.
impl From<RecvHalf> for RecvPipeStream<Bytes> {
    fn from(half: RecvHalf) -> Self {
        Self::from_sys(half.0.0.share())
    }
}

/// For code that was written for older crates.
impl From<SendHalf> for SendPipeStream<Bytes> {
    fn from(half: SendHalf) -> Self {
        Self::from_sys(half.0.0.share())
    }
}

/// For code that was written for older crates.
impl PipeListenerOptions {
    /// The same options once more. In new code, [`clone`](Clone::clone).
    ///
    /// # Errors
    /// None.
    pub fn to_owned(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}

/// For code that was written for older crates.
impl<Sm: PipeModeTag> PipeStream<Bytes, Sm> {
    /// Receives into a buffer that need not be initialized, and is after this. In new code, [`recv`](Self::recv).
    pub fn read_to_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        buf.fill(MaybeUninit::new(0));
        // SAFETY: all of it is initialized now, and `recv` puts only bytes into it.
        self.recv(unsafe { &mut *(&raw mut *buf as *mut [u8]) })
    }
}

impl<Rm: PipeModeTag, Sm: PipeModeTag> TryClone for PipeStream<Rm, Sm> {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

#[cfg(feature = "tokio")]
pub(crate) mod tokio {
    //! The same for Tokio.

    use super::{PipeListenerOptions, PipeModeTag, io};
    use crate::{
        error,
        local_socket::{self, tokio::Stream},
        os::windows::{
            named_pipe::{
                self,
                pipe_mode::{self, Bytes, NotNone},
                tokio::{DuplexPipeStream, PipeListener, PipeStream, RecvPipeStream, SendPipeStream},
            },
            unnamed_pipe::CreationOptions,
        },
        runtime::{Async, Interest, Tokio},
        unnamed_pipe::tokio::{Recver, Sender},
    };
    use std::{
        os::windows::io::OwnedHandle,
        task::{Context, Poll},
    };

    pub use named_pipe::{FromHandleError, FromHandleErrorKind};

    /// What [`PipeStream::reunite`](Async::reunite) fails with. In new code, [`error::ReuniteError`].
    pub type ReuniteError<Rm, Sm> = error::ReuniteError<RecvPipeStream<Rm>, SendPipeStream<Sm>>;

    /// What [`PipeStream::reunite`](Async::reunite) gives. In new code, [`error::ReuniteResult`].
    pub type ReuniteResult<Rm, Sm> = Result<PipeStream<Rm, Sm>, ReuniteError<Rm, Sm>>;

    /// The methods of [`PipeListenerOptions`] for Tokio as a trait, which interprocess 2.0 to 2.2 need. New code does not.
    pub trait PipeListenerOptionsExt: sealed::Sealed {
        /// See [`PipeListenerOptions::create_tokio`].
        fn create_tokio<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, Sm>>;

        /// See [`PipeListenerOptions::create_tokio_duplex`].
        fn create_tokio_duplex<M: PipeModeTag>(&self) -> io::Result<PipeListener<M, M>> {
            self.create_tokio()
        }

        /// See [`PipeListenerOptions::create_tokio_recv_only`].
        fn create_tokio_recv_only<Rm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, pipe_mode::None>> {
            self.create_tokio()
        }

        /// See [`PipeListenerOptions::create_tokio_send_only`].
        fn create_tokio_send_only<Sm: PipeModeTag>(&self) -> io::Result<PipeListener<pipe_mode::None, Sm>> {
            self.create_tokio()
        }
    }

    impl PipeListenerOptionsExt for PipeListenerOptions {
        fn create_tokio<Rm: PipeModeTag, Sm: PipeModeTag>(&self) -> io::Result<PipeListener<Rm, Sm>> {
            self.create_tokio()
        }
    }

    /// The method of [`CreationOptions`] for Tokio. In new code, [`create`](CreationOptions::create) and
    /// [`try_into`](TryInto::try_into) for each end.
    pub trait CreationOptionsExt: sealed::Sealed {
        /// A pipe with these options, both of whose ends are async.
        fn create_tokio(self) -> io::Result<(Sender, Recver)>;
    }

    impl CreationOptionsExt for CreationOptions<'_> {
        fn create_tokio(self) -> io::Result<(Sender, Recver)> {
            let (sender, recver) = self.create()?;
            Ok((sender.try_into()?, recver.try_into()?))
        }
    }

    mod sealed {
        pub trait Sealed {}
        impl Sealed for super::PipeListenerOptions {}
        impl Sealed for super::CreationOptions<'_> {}
    }

    /// For code that was written for older crates.
    impl Stream {
        /// The same stream as a pipe. In new code, [`DuplexPipeStream::from`].
        ///
        /// # Panics
        /// Never.
        pub fn inner(&self) -> DuplexPipeStream<Bytes> {
            Async::new(self.get_ref().inner()).expect("no reactor is asked on Windows")
        }

        /// The same as [`inner`](Self::inner).
        pub fn inner_mut(&mut self) -> DuplexPipeStream<Bytes> {
            self.inner()
        }
    }

    impl From<Stream> for DuplexPipeStream<Bytes> {
        fn from(stream: Stream) -> Self {
            stream.inner()
        }
    }

    impl From<DuplexPipeStream<Bytes>> for Stream {
        fn from(pipe: DuplexPipeStream<Bytes>) -> Self {
            let stream = local_socket::Stream(pipe.get_ref().sys().share());
            Self::new(stream).expect("no reactor is asked on Windows")
        }
    }

    /// For code that was written for older crates.
    impl<Rm: PipeModeTag, Sm: NotNone> PipeStream<Rm, Sm> {
        /// In new code, [`flush`](Async::flush).
        pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_with(Interest::Write, cx, named_pipe::PipeStream::flush)
        }
    }

    // As in interprocess 2, the errors say less than those of the blocking types.
    macro_rules! convert {
        ($($([$($bounds:tt)*])? $ours:ty;)+) => {$(
            impl$(<$($bounds)*>)? TryFrom<OwnedHandle> for Async<$ours, Tokio> {
                type Error = io::Error;

                fn try_from(handle: OwnedHandle) -> io::Result<Self> {
                    <$ours>::try_from(handle)?.try_into()
                }
            }

            impl$(<$($bounds)*>)? TryFrom<Async<$ours, Tokio>> for OwnedHandle {
                type Error = io::Error;

                fn try_from(ours: Async<$ours, Tokio>) -> io::Result<Self> {
                    <$ours>::try_from(ours).map(Into::into)
                }
            }
        )+};
    }
    convert! {
        local_socket::Stream;
        crate::unnamed_pipe::Recver;
        crate::unnamed_pipe::Sender;
    }

    impl<Rm: PipeModeTag, Sm: PipeModeTag> TryFrom<OwnedHandle> for PipeStream<Rm, Sm> {
        type Error = FromHandleError;

        fn try_from(handle: OwnedHandle) -> Result<Self, FromHandleError> {
            let stream = named_pipe::PipeStream::try_from(handle)?;
            stream.try_into().map_err(|cause| {
                FromHandleError::from_cause_and_details(cause, FromHandleErrorKind::IsServerCheckFailed)
            })
        }
    }
}
