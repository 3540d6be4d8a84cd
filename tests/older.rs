//! What is there for code that was written for older crates, beyond what programs of theirs show (`compat/`).

mod support;

use interprocess::{
    error::{ConversionError, NoDetails},
    local_socket::{Incoming, ListenerOptions, RecvHalf, SendHalf, Stream, prelude::*, traits},
    unnamed_pipe::{self, Recver},
};
use std::{
    error::Error,
    io::{self, Read, Write},
    panic, thread,
};
use support::{in_time, unique_name};

fn pair() -> [Stream; 2] {
    let name = unique_name();
    let listener = ListenerOptions::new().name(&name).create_sync().unwrap();
    let client = Stream::connect(&name).unwrap();
    [listener.accept().unwrap(), client]
}

#[test]
fn generic_clients_of_a_listener_end_when_it_is_stopped() {
    fn count<L: traits::Listener>(clients: Incoming<'_, L>) -> usize {
        clients.inspect(|client| assert!(client.is_ok())).count()
    }

    in_time(|| {
        let name = unique_name();
        let listener = ListenerOptions::new().name(&name).create_sync().unwrap();
        thread::scope(|scope| {
            let clients = Incoming::from(&listener);
            let counted = scope.spawn(move || count(clients.clone()));
            let mut client = Stream::connect(&name).unwrap();
            // Until the other has taken it, which closes it.
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
            listener.stop();
            assert_eq!(counted.join().unwrap(), 1);
        });
    });
}

#[test]
fn methods_are_those_of_the_types_whether_the_traits_are_in_scope_or_not() {
    in_time(|| {
        // What the inherent method takes and the trait's does not: text.
        let name = unique_name();
        let listener = LocalSocketListener::bind(&*name).unwrap();
        let client = LocalSocketStream::connect(&*name).unwrap();
        let server = listener.incoming().next().unwrap().unwrap();
        assert!(client.take_error().unwrap().is_none());
        let (rh, sh) = client.split();
        // The trait's method has no other name for it.
        let stream: Stream = traits::Stream::reunite(rh, sh).unwrap();
        drop(stream);
        assert_eq!(server.recv(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn halves_by_trait_time_out() {
    fn set<R: traits::RecvHalf, S: traits::SendHalf>(rh: &R, sh: &S) {
        let timeout = Some(std::time::Duration::from_millis(1));
        traits::RecvHalf::set_timeout(rh, timeout).unwrap();
        traits::SendHalf::set_timeout(sh, timeout).unwrap();
    }

    in_time(|| {
        let [one, _other] = pair();
        let (mut rh, mut sh): (RecvHalf, SendHalf) = one.split();
        set(&rh, &sh);
        assert_eq!(rh.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let error = loop {
            if let Err(error) = sh.write(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    });
}

#[test]
#[cfg(unix)]
fn halves_with_clones_are_handed_back() {
    let [one, mut other] = pair();
    let (rh, sh) = one.split();
    let clone = rh.clone();
    let error = Stream::reunite(rh, sh).unwrap_err();
    drop(clone);
    Stream::reunite(error.rh, error.sh).unwrap().write_all(b"x").unwrap();
    other.read_exact(&mut [0]).unwrap();
}

#[test]
#[cfg(unix)]
fn socket_as_one_of_std_is_not_closed_with_it() {
    let [mut one, mut other] = pair();
    assert!(one.inner().peer_addr().is_ok());
    assert!(one.inner_mut().peer_addr().is_ok());
    one.write_all(b"x").unwrap();
    other.read_exact(&mut [0]).unwrap();

    // What is set by one is what the other goes by.
    one.inner().set_nonblocking(true).unwrap();
    assert_eq!(one.recv(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    one.inner().set_nonblocking(false).unwrap();
    one.inner().set_read_timeout(Some(std::time::Duration::from_millis(1))).unwrap();
    assert_eq!(one.recv(&mut [0]).unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[test]
#[cfg(windows)]
fn local_socket_is_the_same_stream_as_the_pipe_below_it() {
    let [mut server, mut client] = pair();
    assert!(server.inner().is_server() && client.inner_mut().is_client());
    client.inner().send(b"x").unwrap();
    drop(client.inner());
    let mut buf = [std::mem::MaybeUninit::uninit(); 4];
    assert_eq!(server.inner_mut().read_to_uninit(&mut buf).unwrap(), 1);
    client.write_all(b"y").unwrap();
    server.read_exact(&mut [0]).unwrap();
}

/// An end of a pipe from the number of its descriptor, or the value of its handle.
unsafe fn from_raw<T: FromRaw>(end: impl IntoRaw) -> T {
    // SAFETY: the number was given up just now.
    unsafe { T::from_raw(end.into_raw()) }
}

#[cfg(unix)]
use std::os::fd::{FromRawFd as FromRawOs, IntoRawFd as IntoRawOs, RawFd as Raw};
#[cfg(windows)]
use std::os::windows::io::{FromRawHandle as FromRawOs, IntoRawHandle as IntoRawOs, RawHandle as Raw};

trait FromRaw: FromRawOs {
    unsafe fn from_raw(raw: Raw) -> Self;
}

impl<T: FromRawOs> FromRaw for T {
    unsafe fn from_raw(raw: Raw) -> Self {
        // SAFETY: the caller says that it is open and nobody's.
        #[cfg(unix)]
        return unsafe { T::from_raw_fd(raw) };
        // SAFETY: the same.
        #[cfg(windows)]
        unsafe {
            T::from_raw_handle(raw)
        }
    }
}

trait IntoRaw: IntoRawOs {
    fn into_raw(self) -> Raw;
}

impl<T: IntoRawOs> IntoRaw for T {
    fn into_raw(self) -> Raw {
        #[cfg(unix)]
        return self.into_raw_fd();
        #[cfg(windows)]
        self.into_raw_handle()
    }
}

#[test]
fn end_of_a_pipe_from_its_number_is_checked() {
    let (mut sender, recver) = unnamed_pipe::pipe().unwrap();
    // SAFETY: nobody else has it.
    let mut recver: Recver = unsafe { from_raw(recver) };
    sender.write_all(b"x").unwrap();
    recver.read_exact(&mut [0]).unwrap();

    // SAFETY: as above.
    panic::catch_unwind(|| unsafe { from_raw::<Recver>(sender) }).expect_err("it is the other end");
}

#[test]
fn conversion_errors_are_made_and_mapped() {
    type It = ConversionError<u8, NoDetails>;
    let why = || io::Error::new(io::ErrorKind::NotFound, "why");
    let parts = |it: It| (it.source, it.cause.map(|cause| cause.kind()));

    assert_eq!(parts(It::default()), (None, None));
    assert_eq!(parts(It::from_source(1)), (Some(1), None));
    assert_eq!(parts(It::from_cause(why())), (None, Some(io::ErrorKind::NotFound)));
    assert_eq!(parts(It::from_source_and_cause(1, why())), (Some(1), Some(io::ErrorKind::NotFound)));
    assert_eq!(parts(It::from_source_and_details(1, NoDetails)), (Some(1), None));
    assert_eq!(parts(It::from_cause_and_details(why(), NoDetails)), (None, Some(io::ErrorKind::NotFound)));

    let error = It::from_source_and_cause(1, why()).map_source(u32::from);
    assert_eq!(error.source, Some(1));
    assert_eq!(error.to_io_error().kind(), io::ErrorKind::NotFound);
    assert_eq!(error.to_string(), "why");
    assert!(Error::source(&error).is_some());
    let error = error.try_map_source(|_| None::<()>);
    assert_eq!((error.source, io::Error::from(error).kind()), (None, io::ErrorKind::NotFound));
}

#[cfg(windows)]
mod security_descriptors {
    use interprocess::os::windows::security_descriptor::{
        AccessList, Acl, AsSecurityDescriptor, AsSecurityDescriptorExt, AsSecurityDescriptorMut,
        AsSecurityDescriptorMutExt, SecurityDescriptor, Sid,
    };
    use std::{io, ptr};

    /// The other way to write the same.
    fn sample() -> SecurityDescriptor {
        SecurityDescriptor::from_sddl("O:SYG:BAD:(A;;FA;;;WD)S:(AU;SAFA;FA;;;WD)").unwrap()
    }

    #[test]
    fn text_that_is_no_unicode_or_no_descriptor_is_refused() {
        let text = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<_>>();
        assert_eq!(
            SecurityDescriptor::deserialize(&text("D:(A;;FA;;;WD)")).unwrap().dacl_list(),
            sample().dacl_list()
        );
        for text in [text("nonsense"), vec![0xd800], vec![u16::from(b'D'), 0, 0]] {
            let error = SecurityDescriptor::deserialize(&text).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{text:?}: {error}");
        }
    }

    #[test]
    fn parts_by_pointer_and_by_value_are_the_same_parts() {
        let mut descriptor = sample();
        assert!(!descriptor.owner().unwrap().0.is_null());
        assert!(descriptor.dacl().unwrap().is_some());
        descriptor.set_owner_sid(None);
        assert!(descriptor.owner().unwrap().0.is_null());
        descriptor.set_dacl_list(AccessList::Absent);
        assert!(descriptor.dacl().unwrap().is_none());
        descriptor.set_sacl_list(Acl::from_aces([]).unwrap());

        descriptor.borrow_mut().remove_acls().unwrap();
        assert_eq!(descriptor.sacl_list(), AccessList::Absent);
        descriptor.borrow_mut().remove_sids().unwrap();
        assert_eq!(descriptor, SecurityDescriptor::default());
        // SAFETY: null is a list, too.
        unsafe { descriptor.borrow_mut().set_dacl(ptr::null_mut(), true).unwrap() };
        assert_eq!(descriptor.dacl_list(), AccessList::Null);
        // SAFETY: as above, and it is refused.
        let error = unsafe { descriptor.set_owner(ptr::null_mut(), false) }.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn parts_that_are_unset_by_pointer_are_not_freed_when_they_are_set_by_value() {
        let mut descriptor = sample();
        let owner = descriptor.owner().unwrap().0;
        let dacl = descriptor.dacl().unwrap().unwrap().0;
        descriptor.unset_owner().unwrap();
        descriptor.unset_dacl().unwrap();
        descriptor.set_owner_sid(Sid::SYSTEM);
        descriptor.set_dacl_list(sample().dacl_list());
        descriptor.remove_owner().unwrap();
        descriptor.remove_dacl().unwrap();
        // They are this function's since they were unset, and whole.
        // SAFETY: they were allocated by LocalAlloc, as all parts are, and become the descriptor's.
        unsafe {
            descriptor.set_owner(owner.cast_mut(), false).unwrap();
            descriptor.set_dacl(dacl.cast_mut(), false).unwrap();
        }
        assert_eq!(descriptor, sample());
    }

    #[test]
    fn pointers_are_those_of_the_descriptor() {
        let mut descriptor = sample();
        assert_eq!(descriptor.as_sd(), descriptor.as_ptr());
        assert_eq!(descriptor.borrow().as_sd(), descriptor.as_ptr());
        let pointer = descriptor.as_sd_mut().cast_const();
        assert_eq!(descriptor.borrow_mut().as_sd(), pointer);
        assert_eq!(descriptor.to_owned_sd().unwrap(), descriptor);
        let (control, revision) = descriptor.control_and_revision().unwrap();
        assert_eq!(
            (control & descriptor.control_flags().bits(), revision),
            (descriptor.control_flags().bits(), 1)
        );
    }
}
