use super::*;
use std::{
    ffi::OsStr,
    num::NonZeroU8,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

#[test]
fn messages_arrive_whole() {
    use interprocess::{
        ReliableReadMsg,
        os::windows::named_pipe::{DuplexMsgPipeStream, PipeListenerOptions, PipeMode},
    };

    in_time(|| {
        let name = unique();
        let listener = PipeListenerOptions::new()
            .name(OsStr::new(&name))
            .mode(PipeMode::Messages)
            .instance_limit(NonZeroU8::new(3))
            .create()
            .unwrap();
        let client = thread::spawn(move || {
            let mut conn = DuplexMsgPipeStream::connect(name).unwrap();
            for message in ["first", "a longer one", "the last"] {
                assert_eq!(conn.write(message.as_bytes()).unwrap(), message.len());
            }
            let mut buf = [0; 16];
            let len = conn.read(&mut buf).unwrap();
            assert_eq!(&buf[..len], b"thank you");
            assert_eq!(conn.server_process_id().unwrap(), std::process::id());
            assert!(conn.is_client());
        });

        let mut conn: DuplexMsgPipeStream = listener.accept().unwrap();
        assert!(conn.is_server() && !conn.is_client());
        assert_eq!(conn.client_process_id().unwrap(), std::process::id());
        let (mut buf, mut short) = ([0; 16], [0; 4]);
        assert_eq!(conn.read(&mut buf).unwrap(), 5);
        assert_eq!(&buf[..5], b"first");
        if crate::PUBLISHED {
            // It does not wait for a message whose length it wants to know, and reads too little of what does not fit.
            assert_eq!(conn.read(&mut buf).unwrap(), 12);
            assert_eq!(conn.read(&mut buf).unwrap(), 8);
        } else {
            assert_eq!(conn.try_read_msg(&mut short).unwrap(), Err(12));
            assert_eq!(conn.read_msg(&mut short).unwrap(), Err(b"a longer one".to_vec()));
            assert_eq!(conn.read_msg(&mut buf).unwrap(), Ok(8));
        }
        assert_eq!(&buf[..8], b"the last");
        conn.write_all(b"thank you").unwrap();
        conn.flush().unwrap();
        client.join().unwrap();
    });
}

#[test]
fn each_direction_has_a_pipe() {
    use interprocess::os::windows::named_pipe::{
        ByteReaderPipeStream, ByteWriterPipeStream, PipeListenerOptions, connect,
    };

    in_time(|| {
        let name = unique();
        let listener = PipeListenerOptions::new().name(OsStr::new(&name)).create().unwrap();
        let client = {
            let name = name.clone();
            thread::spawn(move || {
                let mut conn: ByteWriterPipeStream = connect(name, None::<&OsStr>).unwrap();
                conn.write_all(b"to the server").unwrap();
            })
        };
        let mut conn: ByteReaderPipeStream = listener.incoming().next().unwrap().unwrap();
        let mut buf = [0; 13];
        conn.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"to the server");
        client.join().unwrap();
        drop((conn, listener));

        let listener = PipeListenerOptions::new().name(OsStr::new(&name)).create().unwrap();
        let client = thread::spawn(move || {
            let mut conn = ByteReaderPipeStream::connect(name).unwrap();
            let mut buf = [0; 13];
            conn.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"to the client");
        });
        let mut conn: ByteWriterPipeStream = listener.accept().unwrap();
        conn.write_all(b"to the client").unwrap();
        client.join().unwrap();
        conn.disconnect_without_flushing().unwrap();
    });
}

#[test]
fn halves_of_a_pipe_for_tokio() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use interprocess::os::windows::named_pipe::{
        self, PipeListenerOptions,
        tokio::{DuplexBytePipeStream, PipeListenerOptionsExt},
    };

    in_time_async(|| async {
        let name = unique();
        let listener = PipeListenerOptions::new().name(OsStr::new(&name)).create_tokio().unwrap();
        let client = thread::spawn(move || {
            let mut conn = named_pipe::DuplexBytePipeStream::connect(name).unwrap();
            conn.write_all(b"question").unwrap();
            let mut buf = [0; 6];
            conn.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"answer");
        });
        let conn: DuplexBytePipeStream = listener.accept().await.unwrap();
        assert!(conn.is_server());
        let (mut reader, mut writer) = conn.split();
        let mut buf = [0; 8];
        reader.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"question");
        writer.write_all(b"answer").await.unwrap();
        tokio::task::spawn_blocking(|| client.join().unwrap()).await.unwrap();
    });
}

#[test]
fn messages_for_tokio_arrive_whole() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use interprocess::os::windows::named_pipe::{
        self, PipeListenerOptions, PipeMode,
        tokio::{DuplexMsgPipeStream, PipeListenerOptionsExt},
    };

    in_time_async(|| async {
        let name = unique();
        let options = PipeListenerOptions::new().name(OsStr::new(&name)).mode(PipeMode::Messages);
        let listener = options.create_tokio().unwrap();
        let client = thread::spawn(move || {
            let mut conn = named_pipe::DuplexMsgPipeStream::connect(name).unwrap();
            conn.write_all(b"question").unwrap();
            conn.write_all(b"another one").unwrap();
            let mut buf = [0; 16];
            for answer in ["answer", "another"] {
                let len = conn.read(&mut buf).unwrap();
                assert_eq!(&buf[..len], answer.as_bytes());
            }
        });
        let mut conn: DuplexMsgPipeStream = listener.accept().await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(conn.read(&mut buf).await.unwrap(), 8);
        assert_eq!((&conn).read(&mut buf).await.unwrap(), 11);
        assert_eq!(&buf[..11], b"another one");
        conn.write_all(b"answer").await.unwrap();
        conn.flush().await.unwrap();
        (&conn).write_all(b"another").await.unwrap();
        tokio::task::spawn_blocking(|| client.join().unwrap()).await.unwrap();
    });
}

#[test]
fn handles_come_and_go() {
    use interprocess::{
        local_socket::{LocalSocketListener, LocalSocketStream},
        os::windows::named_pipe::DuplexBytePipeStream,
        unnamed_pipe::{UnnamedPipeReader, UnnamedPipeWriter, pipe},
    };
    use std::os::windows::io::{FromRawHandle, IntoRawHandle};

    in_time(|| {
        let (writer, reader) = pipe().unwrap();
        // SAFETY: the ends gave their handles away.
        let (mut writer, mut reader) = unsafe {
            (
                UnnamedPipeWriter::from_raw_handle(writer.into_raw_handle()),
                UnnamedPipeReader::from_raw_handle(reader.into_raw_handle()),
            )
        };
        writer.write_all(b"x").unwrap();
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");

        if crate::PUBLISHED {
            return; // It closes the handle that it gives away.
        }
        let name = unique();
        let listener = LocalSocketListener::bind(format!("@{name}")).unwrap();
        let client = LocalSocketStream::connect(format!("@{name}")).unwrap();
        // SAFETY: as above.
        let mut client = unsafe { LocalSocketStream::from_raw_handle(client.into_raw_handle()) };
        listener.accept().unwrap().write_all(b"y").unwrap();
        client.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"y");
        let client = DuplexBytePipeStream::connect(&name).unwrap();
        // SAFETY: as above.
        let mut client = unsafe { DuplexBytePipeStream::from_raw_handle(client.into_raw_handle()) };
        listener.accept().unwrap().write_all(b"z").unwrap();
        client.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"z");
    });
}

#[test]
fn unnamed_pipe_has_options() {
    use interprocess::os::windows::unnamed_pipe::UnnamedPipeCreationOptions;
    use std::num::NonZeroUsize;

    in_time(|| {
        let options =
            UnnamedPipeCreationOptions::new().inheritable(false).buffer_size_hint(NonZeroUsize::new(1024));
        // SAFETY: there is no security descriptor.
        let (mut writer, mut reader) = unsafe { options.build() }.unwrap();
        writer.write_all(b"x").unwrap();
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    });
}

#[test]
fn handlers_are_called() {
    use interprocess::os::windows::signal::{self, SetHandlerError, SignalHandler, SignalType};

    unsafe extern "C" {
        fn raise(signal: i32) -> i32;
    }
    const SIGTERM: i32 = 15;

    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn count() {
        CALLS.fetch_add(1, SeqCst);
    }

    in_time(|| {
        // SAFETY: it only counts.
        let hook = unsafe { SignalHandler::from_fn(count) };
        signal::set_handler(SignalType::Termination, hook).unwrap();
        // SAFETY: there is a handler.
        unsafe { raise(SIGTERM) };
        while CALLS.load(SeqCst) != 1 {
            thread::yield_now();
        }
        assert_eq!(
            signal::set_handler(SignalType::SegmentationFault, hook),
            Err(SetHandlerError::UnsafeSignal)
        );
        signal::set_handler(SignalType::Termination, SignalHandler::Default).unwrap();
    });
}
