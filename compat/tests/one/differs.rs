//! What of interprocess 1.2.1 is not here, or is not the same, in full: this file is built with that crate only. Each group begins
//! with what to write instead; `MIGRATION.md` has the reasons.

#![allow(deprecated, unused, clippy::all, clippy::pedantic, reason = "it is as old as what it is for")]

use std::io;

#[test]
fn names_of_local_sockets() {
    use interprocess::local_socket::{LocalSocketName, ToLocalSocketName};

    // Implement `ToName`; `ToLocalSocketName` comes with it.
    struct Named;
    impl ToLocalSocketName<'static> for Named {
        fn to_local_socket_name(self) -> io::Result<LocalSocketName<'static>> {
            "@named".to_local_socket_name()
        }
    }
}

#[cfg(target_os = "linux")]
mod unix {
    use super::*;
    use interprocess::os::unix::udsocket::{self, *};
    use std::{
        borrow::Cow,
        ffi::{CStr, CString},
        task::{Context, Poll},
    };

    #[test]
    fn paths_of_sockets() {
        // An abstract name may be of any bytes: `UdSocketPath::Namespaced` has a `[u8]`, and `as_osstr` and `as_bytes` are what all
        // have.
        let _ = |name: &'static CStr| UdSocketPath::Namespaced(Cow::Borrowed(name));
        let _: for<'a> fn(&'a UdSocketPath<'a>) -> &'a CStr = |path| path.as_cstr();
        let _: fn(UdSocketPath<'_>) -> CString = |path| path.into_cstring();
        let _ = |path: &mut UdSocketPath<'_>| drop(path.get_cstring_mut().clone());
        let _ = |path: &mut UdSocketPath<'_>| drop(path.try_get_cstring_mut().cloned());
        fn text(_: impl AsRef<CStr> + Into<CString> + TryInto<libc::sockaddr_un>) {}
        let _ = || text(UdSocketPath::Unnamed);
    }

    #[test]
    fn ancillary_data() {
        // Descriptors are borrowed to be sent, and owned when they were received: `AncillaryData::file_descriptors(&[fd.as_fd()])`,
        // and `Vec<OwnedFd>`. The types have no lifetime, what owns a descriptor cannot be cloned or compared, and to encode
        // too many is an error.
        let _ = || AncillaryData::FileDescriptors(Cow::Borrowed(&[1, 2]));
        let _: for<'a> fn(&'a AncillaryData<'a>) -> AncillaryData<'a> = |data| data.clone_ref();
        let _: fn(&AncillaryData<'_>) -> usize = |data| data.encoded_size();
        let _ = || -> EncodedAncillaryData<'static> { AncillaryData::encode([AncillaryData::credentials()]) };
        fn copied<T: Clone + PartialEq + Eq + std::hash::Hash>(_: T) {}
        let _ = || copied(AncillaryData::credentials());
        let _ = || EncodedAncillaryData(Cow::Owned(Vec::new()));
        let _ = || EncodedAncillaryData::from(&[0_u8][..]);
        let _ = || EncodedAncillaryData::from(vec![0_u8]);
        let _ = || EncodedAncillaryData::from(vec![AncillaryData::credentials()]);
        let _ = || EncodedAncillaryData::from(&[AncillaryData::credentials()][..]);
        let _ = || [AncillaryData::credentials()].into_iter().collect::<EncodedAncillaryData<'static>>();

        // `AncillaryDataBuf::new`, which has room for everything. It is decoded by `&mut`, since descriptors are taken out of it.
        let _ = |bytes: &'static mut [u8]| AncillaryDataBuf::Borrowed(bytes);
        let _ = |buffer: &'static mut AncillaryDataBuf<'static>| AncillaryDataBuf::from(buffer);
        let _ = || match AncillaryDataBuf::Owned(vec![0]) {
            mut buffer => buffer.as_mut().len() + buffer.as_ref().len(),
        };
        let _ = |buffer: &'static AncillaryDataBuf<'static>| AncillaryDataDecoder::from(buffer).clone();
    }

    #[test]
    fn sockets_for_tokio() {
        use ::tokio::io::ReadBuf;
        use interprocess::os::unix::udsocket::tokio::*;

        // Halves own their stream together, and are of no other type than the stream: reunite them, and turn that into Tokio's.
        fn from_and_into<T: Into<Tokio> + From<Tokio>, Tokio>(_: fn(T) -> Tokio, _: fn(Tokio) -> T) {}
        from_and_into(OwnedReadHalf::into_tokio, OwnedReadHalf::from_tokio);
        from_and_into(OwnedWriteHalf::into_tokio, OwnedWriteHalf::from_tokio);
        let _ = |half: ::tokio::net::unix::ReadHalf<'static>| BorrowedReadHalf::from(half).into_tokio();
        let _ = |half: BorrowedReadHalf<'static>| BorrowedReadHalf::from_tokio(half.into());
        let _ = |half: ::tokio::net::unix::WriteHalf<'static>| BorrowedWriteHalf::from(half).into_tokio();
        let _ = |half: BorrowedWriteHalf<'static>| BorrowedWriteHalf::from_tokio(half.into());

        // `TryFrom`, as it can fail. (`from_tokio` and `into_tokio` of streams, listeners and sockets are there.)
        from_and_into(UdStream::into_tokio, UdStream::from_tokio);
        from_and_into(UdStreamListener::into_tokio, UdStreamListener::from_tokio);
        from_and_into(UdSocket::into_tokio, UdSocket::from_tokio);

        // The fields are `rh` and `sh`.
        let _ = |ReuniteError(rh, sh): ReuniteError| (rh, sh);
        let _ = |error: ::tokio::net::unix::ReuniteError| {
            ::tokio::net::unix::ReuniteError::from(ReuniteError::from(error))
        };

        // `recv` fills a slice, and tells whether the message is longer; `recv_stdbuf` and `poll_recv` are the same as here.
        let _ = async |socket: &UdSocket, buf: &mut ReadBuf<'_>| -> io::Result<()> { socket.recv(buf).await };
        let _: fn(&UdSocket, &mut Context<'_>, &mut [u8]) -> Poll<io::Result<()>> =
            UdSocket::poll_recv_stdbuf;
        // `send_to`. The system does not tell when there is room at a receiver, so that polling could wait for ever.
        let _ = |socket: &UdSocket, cx: &mut Context<'_>| -> Poll<io::Result<usize>> {
            socket.poll_send_to(cx, &[], "path")
        };
    }
}

#[cfg(windows)]
mod windows {
    use super::*;
    use interprocess::os::windows::{
        ShareHandle,
        named_pipe::{self, *},
        unnamed_pipe::UnnamedPipeCreationOptions,
    };
    use std::{
        borrow::Cow,
        ffi::OsStr,
        fmt::Debug,
        hash::Hash,
        num::{NonZeroU8, NonZeroU32},
        os::windows::io::RawHandle,
        ptr,
    };

    #[test]
    fn handles() {
        // `share` takes a `BorrowedHandle` of the process.
        fn share(end: &impl ShareHandle) {
            let _ = || end.share(ptr::null_mut()).is_ok();
        }
        let _ = || share(&interprocess::unnamed_pipe::pipe().unwrap().0);

        // The security descriptor is a `BorrowedSecurityDescriptor`, so that `create` is safe; there are no fields; and the default
        // is that no child inherits the pipe.
        let mut options = UnnamedPipeCreationOptions::new().security_descriptor(ptr::null_mut());
        options.inheritable = false;
        options.security_descriptor = ptr::null_mut();
        options.buffer_size_hint = None;
        let _ = options.extract_security_attributes();
        fn copied(_: impl Copy) {}
        copied(options);
    }

    #[test]
    fn listeners_of_pipes() {
        // A listener has the modes of its streams in its type, as interprocess 2 has it: `PipeListener<Bytes, Bytes>`, and
        // `create_duplex::<Bytes>()` or `create::<Bytes, Bytes>()`. Where they are inferred, nothing changes.
        let options = || PipeListenerOptions::new().name(OsStr::new("name"));
        let _ = || -> io::Result<PipeListener<DuplexBytePipeStream>> { options().create() };
        let _ = || options().create::<DuplexMsgPipeStream>();
        let _ = |listener: &'static PipeListener<DuplexBytePipeStream>| -> Incoming<'static, DuplexBytePipeStream> {
            listener.incoming()
        };
        let _ = || {
            use named_pipe::tokio::*;
            let _: fn() -> Option<PipeListener<DuplexBytePipeStream>> = || None;
            options().create_tokio::<DuplexMsgPipeStream>()
        };

        // The streams are one type with two parameters, and no trait.
        fn modes<T: PipeStream>() -> (PipeStreamRole, Option<PipeMode>, Option<PipeMode>) {
            (T::ROLE, T::WRITE_MODE, T::READ_MODE)
        }
        let _ = modes::<DuplexBytePipeStream>();
        fn modes_tokio<T: named_pipe::tokio::TokioPipeStream>()
        -> (PipeStreamRole, Option<PipeMode>, Option<PipeMode>) {
            (T::ROLE, T::WRITE_MODE, T::READ_MODE)
        }
        let _ = modes_tokio::<named_pipe::tokio::DuplexBytePipeStream>();

        // Options are set by methods, and own their name. Sizes are `u32`.
        let mut options: PipeListenerOptions<'static> =
            options().input_buffer_size_hint(512_u16).output_buffer_size_hint(512_usize).to_owned();
        let _: &mut Cow<'static, OsStr> = &mut options.name;
        let _: (PipeMode, bool, Option<NonZeroU8>) =
            (options.mode, options.nonblocking, options.instance_limit);
        let _: (bool, bool, NonZeroU32) =
            (options.write_through, options.accept_remote, options.wait_timeout);
        let _: (usize, usize) = (options.input_buffer_size_hint, options.output_buffer_size_hint);
        fn compared<T: Eq + Hash>(_: &T) {}
        compared(&options);
    }

    #[test]
    fn streams_of_pipes_for_tokio() {
        use interprocess::os::windows::named_pipe::tokio::*;

        // `connect(name).await`, which waits while all instances are taken, as the blocking one does.
        let _ = || -> io::Result<DuplexBytePipeStream> { DuplexBytePipeStream::connect("name") };
        let _ =
            || -> io::Result<DuplexMsgPipeStream> { DuplexMsgPipeStream::connect_to_remote("name", "host") };
    }
}
