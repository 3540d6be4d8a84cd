//! Unnamed pipes on Windows: what is not the same as for named ones, whose body they have.
#![cfg(windows)]

mod support;

use interprocess::os::windows::{
    named_pipe::{
        PipeDirection, RecvPipeStream, SendPipeStream,
        pipe_mode::{Bytes, Messages},
    },
    process::inherited_handle,
    security_descriptor::{Parts, SecurityDescriptor},
    unnamed_pipe::{CreationOptions, pipe},
};
use std::{
    io::{ErrorKind, Read, Write},
    num::NonZeroUsize,
    os::windows::io::{AsHandle, AsRawHandle},
    thread,
    time::Duration,
};
use support::{TempDir, in_time};
use windows_sys::Win32::Foundation::{GetHandleInformation, HANDLE_FLAG_INHERIT};

fn is_inherited(end: impl AsHandle) -> bool {
    let mut flags = 0;
    // SAFETY: the handle is open, and `flags` outlives the call.
    assert_ne!(unsafe { GetHandleInformation(end.as_handle().as_raw_handle(), &raw mut flags) }, 0);
    flags & HANDLE_FLAG_INHERIT != 0
}

#[test]
fn what_is_sent_is_received_then_the_end() {
    in_time(|| {
        let (mut sender, mut recver) = pipe().unwrap();
        let sending = thread::spawn(move || {
            for byte in 0..=255 {
                sender.write_all(&[byte; 4096]).unwrap();
            }
        });
        let mut bytes = Vec::new();
        recver.read_to_end(&mut bytes).unwrap();
        assert!(bytes.chunks(4096).zip(0..=255_u8).all(|(chunk, byte)| chunk == [byte; 4096]));
        assert_eq!(bytes.len(), 256 * 4096);
        sending.join().unwrap();
    });
}

#[test]
fn sending_to_nobody_is_a_broken_pipe() {
    in_time(|| {
        let (sender, recver) = pipe().unwrap();
        drop(recver);
        assert_eq!(sender.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn both_ends_have_timeouts() {
    in_time(|| {
        let (sender, recver) =
            CreationOptions::new().buffer_size_hint(NonZeroUsize::new(4096)).create().unwrap();
        let soon = Some(Duration::from_millis(20));
        recver.set_recv_timeout(soon).unwrap();
        assert_eq!(recver.recv(&mut [0; 9]).unwrap_err().kind(), ErrorKind::TimedOut);
        sender.set_send_timeout(soon).unwrap();
        let mut sent = 0;
        let error = loop {
            match sender.send(&[7; 4096]) {
                Ok(len) => sent += len,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // Nothing is torn or lost.
        drop(sender);
        let mut bytes = Vec::new();
        recver.set_recv_timeout(None).unwrap();
        (&recver).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, vec![7; sent]);
    });
}

#[test]
fn messages_stay_apart() {
    in_time(|| {
        let (sender, recver) = CreationOptions::new().create_as::<Messages>().unwrap();
        for message in ["one", "", "three"] {
            sender.send(message.as_bytes()).unwrap();
        }
        drop(sender);
        let mut message = Vec::new();
        for expected in ["one", "", "three"] {
            assert_eq!(recver.recv_msg(&mut message).unwrap(), Some(expected.len()));
            assert_eq!(message, expected.as_bytes());
        }
        assert_eq!(recver.recv_msg(&mut message).unwrap(), None);
    });
}

#[test]
fn it_goes_one_way_and_has_one_instance() {
    let (sender, recver) = pipe().unwrap();
    let (sender, recver) = (SendPipeStream::<Bytes>::from(sender), RecvPipeStream::<Bytes>::from(recver));
    for information in [sender.information().unwrap(), recver.information().unwrap()] {
        assert_eq!(information.direction, PipeDirection::ClientToServer);
        assert_eq!(information.instances, 1);
    }
    assert!(recver.is_server() && sender.is_client());
    assert_eq!(recver.peer_process_id().unwrap(), std::process::id());
}

#[test]
fn ends_are_inherited_only_if_that_was_asked_for() {
    let (sender, recver) = pipe().unwrap();
    assert!(!is_inherited(sender) && !is_inherited(recver));
    let (sender, recver) = CreationOptions::new().inheritable(true).create().unwrap();
    for end in [sender.as_handle(), recver.as_handle()] {
        assert!(is_inherited(end));
        // It has an owner here.
        let taken = inherited_handle(end.as_raw_handle().addr().to_string());
        assert_eq!(taken.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(is_inherited(end));
    }
}

#[test]
fn the_security_descriptor_is_as_asked_for() {
    let wanted = SecurityDescriptor::from_sddl("D:P(A;;0x12019f;;;WD)").unwrap();
    let options = CreationOptions::new().security_descriptor(wanted.borrow());
    let (sender, _recver) = options.create().unwrap();
    let descriptor = SecurityDescriptor::of_handle(sender.as_handle(), Parts::DACL).unwrap();
    assert_eq!(descriptor.dacl_list(), wanted.dacl_list());
}

#[test]
fn files_are_no_pipes() {
    use interprocess::os::windows::unnamed_pipe::Recver;
    let dir = TempDir::new();
    let file = std::fs::File::create(dir.join("file")).unwrap();
    let error = Recver::try_from(std::os::windows::io::OwnedHandle::from(file)).unwrap_err();
    assert!(error.source.is_some());
}
