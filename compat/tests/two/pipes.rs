//! Named pipes of Windows, and who may connect to them.

use super::{in_time, in_time_on_tokio, names, unique_path};
use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
use interprocess::{
    TryClone,
    local_socket::{ListenerOptions, prelude::*},
    os::windows::{
        local_socket::ListenerOptionsExt,
        named_pipe::{DuplexPipeStream, PipeListenerOptions, PipeMode, PipeStream, pipe_mode, tokio},
        security_descriptor::{AsSecurityDescriptorExt, AsSecurityDescriptorMutExt, SecurityDescriptor},
    },
};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    mem::MaybeUninit,
    ptr, thread,
};
use widestring::u16cstr;

#[test]
fn server_and_client_send_bytes() {
    in_time(|| {
        let path = unique_path();
        let listener = PipeListenerOptions::new().path(path.as_path()).create_duplex::<pipe_mode::Bytes>()?;
        let server = thread::spawn(move || -> io::Result<String> {
            let mut connection = BufReader::new(listener.incoming().next().expect("clients come for ever")?);
            assert!(connection.get_ref().is_server());
            assert_eq!(connection.get_ref().client_process_id()?, std::process::id());
            let mut line = String::new();
            connection.read_line(&mut line)?;
            connection.get_mut().write_all(b"Hello from server!\n")?;
            connection.get_ref().flush()?;
            Ok(line)
        });
        let client = DuplexPipeStream::<pipe_mode::Bytes>::connect_by_path(path.as_path())?;
        let (recver, mut sender) = client.split();
        sender.write_all(b"Hello from client!\n")?;
        let mut answer = [MaybeUninit::uninit(); 64];
        let len = recver.read_to_uninit(&mut answer)?;
        assert_eq!(len, "Hello from server!\n".len());
        let client = PipeStream::reunite(recver, sender).expect("of one stream");
        assert!(client.is_client());
        assert_eq!(server.join().expect("no panic")?, "Hello from client!\n");
        Ok(())
    });
}

#[test]
fn messages_keep_their_boundaries() {
    in_time(|| {
        let path = unique_path();
        let listener = PipeListenerOptions::new()
            .path(path.as_path())
            .mode(PipeMode::Messages)
            .create::<pipe_mode::Messages, pipe_mode::Messages>()?;
        let client = DuplexPipeStream::<pipe_mode::Messages>::connect_by_path(path.as_path())?;
        let server = listener.accept()?;
        assert_eq!(client.send(b"first")?, 5);
        assert_eq!(client.send(b"the second")?, 10);
        assert_eq!(server.peek_msg_len()?, 5);
        client.assume_flushed();
        server.evade_limbo();
        Ok(())
    });
}

#[test]
fn server_and_client_send_bytes_on_tokio() {
    in_time_on_tokio(|| async {
        let path = unique_path();
        let listener =
            PipeListenerOptions::new().path(path.as_path()).create_tokio_duplex::<pipe_mode::Bytes>()?;
        let server = ::tokio::spawn(async move {
            let mut connection = listener.accept().await?;
            let mut byte = [0];
            connection.read_exact(&mut byte).await?;
            connection.write_all(&byte).await?;
            connection.flush().await
        });
        let client = tokio::DuplexPipeStream::<pipe_mode::Bytes>::connect_by_path(path.as_path()).await?;
        let (mut recver, mut sender) = client.split();
        sender.write_all(b"x").await?;
        let mut byte = [0];
        recver.read_exact(&mut byte).await?;
        assert_eq!(byte, *b"x");
        assert!(tokio::PipeStream::reunite(recver, sender).is_ok());
        server.await?
    });
}

#[test]
fn security_descriptor_comes_from_text() {
    in_time(|| {
        let descriptor = SecurityDescriptor::deserialize(u16cstr!("D:(A;;FA;;;WD)"))?;
        let (acl, is_defaulted) = descriptor.dacl()?.expect("there is one");
        assert!(!acl.is_null() && !is_defaulted);
        assert!(descriptor.owner()?.0.is_null());
        assert_eq!(descriptor.control_and_revision()?.1, 1);
        let copy = descriptor.try_clone()?.borrow().to_owned_sd()?;

        let [name, _] = names();
        let listener = ListenerOptions::new().name(name.borrow()).security_descriptor(copy).create_sync()?;
        let mut client = LocalSocketStream::connect(name)?;
        let mut server = listener.accept()?;
        client.write_all(b"x")?;
        server.read_exact(&mut [0])
    });
}

#[test]
fn everybody_is_let_in_by_a_null_list() {
    in_time(|| {
        let mut descriptor = SecurityDescriptor::new()?;
        assert!(descriptor.dacl()?.is_none());
        // SAFETY: null is a list, too.
        unsafe { descriptor.set_dacl(ptr::null_mut(), false)? };
        assert_eq!(descriptor.dacl()?, Some((ptr::null(), false)));

        let [name, _] = names();
        let options = ListenerOptions::new().name(name.borrow()).security_descriptor(descriptor.try_clone()?);
        let listener = options.create_sync()?;
        let _client = LocalSocketStream::connect(name)?;
        listener.accept()?;

        descriptor.remove_dacl()?;
        assert!(descriptor.dacl()?.is_none());
        Ok(())
    });
}

#[test]
fn parts_of_a_security_descriptor_are_freed_once() {
    in_time(|| {
        for _ in 0..100 {
            let mut descriptor =
                SecurityDescriptor::deserialize(u16cstr!("O:SYG:SYD:(A;;FA;;;WD)S:(AU;SAFA;FA;;;WD)"))?;
            descriptor.remove_dacl()?;
            descriptor.remove_owner()?;
            descriptor.free_contents()?;
            assert!(descriptor.dacl()?.is_none() && descriptor.sacl()?.is_none());
            assert!(descriptor.owner()?.0.is_null() && descriptor.group()?.0.is_null());
            // And once more when it is dropped, of which nothing must be left.
        }
        Ok(())
    });
}
