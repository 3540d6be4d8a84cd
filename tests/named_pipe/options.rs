//! Options: what they do, that their order means nothing, and that none changes another.
//!
//! The flags that the system is given are looked at in `src/os/windows/named_pipe/tests.rs`.

use crate::{
    listening::{options, unique_path},
    support::{Child, ChildFunction, hear, in_time, is_wine, say, unique},
};
use interprocess::{
    ConnectWaitMode,
    local_socket::{self, Access, ConnectOptions, ListenerOptions},
    os::windows::{
        ImpersonationLevel,
        local_socket::{ConnectOptionsExt, ListenerOptionsExt},
        named_pipe::{
            DuplexPipeStream, PipeConnectOptions, PipeListenerOptions, PipeMode, PipeStream, WaitTimeout,
            pipe_mode::{self, *},
        },
        security_descriptor::{AccessList, Ace, Acl, Parts, SecurityDescriptor, Sid},
    },
};
use std::{
    collections::HashSet,
    fmt::Debug,
    io::ErrorKind,
    num::NonZeroU8,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    time::Duration,
};
use windows_sys::Win32::Foundation::{GetHandleInformation, HANDLE_FLAG_INHERIT};

type Stream = DuplexPipeStream<Bytes>;

pub(crate) const CHILDREN: [(&str, ChildFunction); 1] = [("send_by_handle", send_by_handle)];

/// Calls `visit` with every order of `items`.
fn in_every_order<T>(items: &mut [T], visit: &mut impl FnMut(&[T])) {
    fn permute<T>(items: &mut [T], count: usize, visit: &mut impl FnMut(&[T])) {
        if count <= 1 {
            return visit(items);
        }
        for index in 0..count {
            permute(items, count - 1, visit);
            items.swap(if count % 2 == 0 { index } else { 0 }, count - 1);
        }
    }
    permute(items, items.len(), visit);
}

/// That options come out the same whatever the order in which these are chosen, and that each of these makes a difference.
#[track_caller]
fn check_orders<T: Clone + Debug>(new: &T, choices: &[fn(T) -> T]) {
    let alone: HashSet<_> = choices.iter().map(|choose| format!("{:?}", choose(new.clone()))).collect();
    assert_eq!(alone.len(), choices.len());
    assert!(!alone.contains(&format!("{new:?}")));
    let all = |choices: &[fn(T) -> T]| {
        format!("{:?}", choices.iter().fold(new.clone(), |options, choose| choose(options)))
    };
    let expected = all(choices);
    let mut orders = 0_usize;
    in_every_order(&mut choices.to_vec(), &mut |choices| {
        orders += 1;
        assert_eq!(all(choices), expected);
        // Nor does it matter if one is chosen twice.
        if orders % 64 == 0 {
            assert_eq!(all(&[choices, choices].concat()), expected);
        }
    });
    assert_eq!(orders, (1..=choices.len()).product::<usize>());
}

#[test]
fn the_order_in_which_a_client_chooses_means_nothing() {
    check_orders(
        &PipeConnectOptions::new().path("path"),
        &[
            |options| options.impersonation_level(ImpersonationLevel::Impersonation),
            |options| options.dynamic_tracking(true),
            |options| options.effective_only(true),
            |options| options.write_through(true),
            |options| options.wait_mode(ConnectWaitMode::Timeout(Duration::from_secs(7))),
            |options| options.require_same_user(true),
            |options| options.nonblocking(true),
        ],
    );
}

#[test]
fn the_order_in_which_a_server_chooses_means_nothing() {
    check_orders(
        &PipeListenerOptions::new(),
        &[
            |options| options.path("path"),
            |options| options.mode(PipeMode::Messages),
            |options| options.access(Access::Everyone),
            |options| options.accept_remote(true),
            |options| options.write_through(true),
            |options| options.instance_limit(NonZeroU8::new(7)),
            |options| options.inheritable(true),
            |options| options.backlog(7),
        ],
    );
    check_orders(
        &PipeListenerOptions::new(),
        &[
            |options| options.name("name"),
            |options| options.accept_remote(true),
            |options| options.security_descriptor(SecurityDescriptor::default()),
            |options| options.input_buffer_size_hint(7),
            |options| options.output_buffer_size_hint(7),
            |options| options.wait_timeout(WaitTimeout::FOREVER),
            |options| options.nonblocking(true),
        ],
    );
}

#[test]
fn the_order_in_which_local_sockets_choose_means_nothing() {
    check_orders(
        &ConnectOptions::new().name("@name"),
        &[
            |options| options.impersonation_level(ImpersonationLevel::Delegation),
            |options| options.dynamic_tracking(true),
            |options| options.effective_only(true),
            |options| options.wait_mode(ConnectWaitMode::Deferred),
            |options| options.require_same_user(true),
        ],
    );
}

#[test]
fn the_last_word_counts() {
    let new = || PipeListenerOptions::new().path("path");
    let plain = format!("{:?}", new());
    assert_eq!(format!("{:?}", new().accept_remote(true).accept_remote(false)), plain);
    assert_eq!(format!("{:?}", new().instance_limit(NonZeroU8::MIN).instance_limit(None)), plain);
    assert_eq!(
        format!("{:?}", new().security_descriptor(SecurityDescriptor::default()).security_descriptor(None)),
        plain
    );
    assert_eq!(format!("{:?}", PipeListenerOptions::default()), format!("{:?}", PipeListenerOptions::new()));
}

#[test]
fn messages_cannot_go_through_a_pipe_of_bytes() {
    fn refused<Rm: PipeModeTag, Sm: PipeModeTag>() {
        let path = unique_path();
        let error = options(&path).mode(PipeMode::Bytes).create::<Rm, Sm>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&path), "{error}");
    }

    in_time(|| {
        refused::<Messages, Messages>();
        refused::<Messages, Bytes>();
        refused::<Bytes, Messages>();
        refused::<Messages, pipe_mode::None>();
        refused::<pipe_mode::None, Messages>();
        let path = unique_path();
        // Wine takes the flag that keeps remote clients out for the one of messages.
        let options = options(&path).accept_remote(is_wine());
        let _listener = options.mode(PipeMode::Bytes).create_duplex::<Bytes>().unwrap();
        // Nor does a client get any out of it.
        let error = DuplexPipeStream::<Messages>::connect_by_path(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&path), "{error}");
    });
}

#[test]
fn a_server_of_bytes_can_have_clients_of_messages() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).mode(PipeMode::Messages).create_duplex::<Bytes>().unwrap();
        let client = DuplexPipeStream::<Messages>::connect_by_path(&path).unwrap();
        let server = listener.accept().unwrap();
        for stream in [server.information().unwrap(), client.information().unwrap()] {
            assert_eq!(stream.mode, PipeMode::Messages);
        }
        server.send(b"one").unwrap();
        server.send(b"two").unwrap();
        let mut message = Vec::new();
        assert_eq!(client.recv_msg(&mut message).unwrap(), Some(3));
        assert_eq!(client.recv_msg(&mut message).unwrap(), Some(3));
        client.send(b"message").unwrap();
        assert_eq!(server.recv(&mut [0; 4]).unwrap(), 4);
        assert_eq!(server.recv(&mut [0; 4]).unwrap(), 3);
    });
}

#[test]
fn hints_for_buffers_are_those_of_the_pipe() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path)
            .input_buffer_size_hint(5000)
            .output_buffer_size_hint(7000)
            .create_duplex::<Bytes>()
            .unwrap();
        let client = Stream::connect_by_path(&path).unwrap();
        let server = listener.accept().unwrap();
        for information in [client.information().unwrap(), server.information().unwrap()] {
            let quotas = (information.inbound_quota, information.outbound_quota);
            // Windows may choose more.
            assert!(quotas == (5000, 7000) || !is_wine() && quotas >= (5000, 7000), "{quotas:?}");
        }
        client.send(&[7; 100]).unwrap();
        assert_eq!(server.information().unwrap().available, 100);
        assert_eq!(client.information().unwrap().available, 0);
    });
}

#[test]
fn without_room_in_buffers_everything_works_all_the_same() {
    in_time(|| {
        for (input, output) in [(0, 0), (1, 1), (100_000, 0)] {
            let path = unique_path();
            let created = options(&path)
                .input_buffer_size_hint(input)
                .output_buffer_size_hint(output)
                .create_duplex::<Bytes>();
            let listener = created.unwrap();
            let client = Stream::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| assert_eq!(client.send(&[7; 5000]).unwrap(), 5000));
                let mut len = 0;
                while len < 5000 {
                    len += server.recv(&mut [0; 1000]).unwrap();
                }
            });
        }
    });
}

fn is_inheritable(handle: BorrowedHandle<'_>) -> bool {
    let mut flags = 0;
    // SAFETY: the handle is open, and `flags` outlives the call.
    assert_ne!(unsafe { GetHandleInformation(handle.as_raw_handle(), &raw mut flags) }, 0);
    flags & HANDLE_FLAG_INHERIT != 0
}

/// Sends a byte through the handle of that value, if it is one of a pipe.
fn send_by_handle(arguments: &[String]) {
    let value: usize = arguments[0].parse().unwrap();
    let mut flags = 0;
    // SAFETY: a value that is no handle is an error.
    let is_handle = unsafe { GetHandleInformation(value as _, &raw mut flags) } != 0;
    if is_handle {
        // SAFETY: it is open, and nothing else in this process uses it if it is the one that was inherited. This process
        // ends soon.
        let handle = std::mem::ManuallyDrop::new(unsafe { OwnedHandle::from_raw_handle(value as _) });
        let stream =
            handle.try_clone().map_err(|_| ()).and_then(|handle| Stream::try_from(handle).map_err(drop));
        let _ = stream.map(|stream| stream.send(b"x"));
    }
    say("tried");
    hear();
}

#[test]
fn children_inherit_handles_only_if_that_is_wanted() {
    in_time(|| {
        for (inheritable, limit) in
            [(false, None), (true, None), (false, NonZeroU8::new(2)), (true, NonZeroU8::new(2))]
        {
            let path = unique_path();
            let listener = options(&path)
                .inheritable(inheritable)
                .instance_limit(limit)
                .backlog(2)
                .create_duplex::<Bytes>()
                .unwrap();
            // Of the first instance, and of further ones.
            for _ in 0..4 {
                let client = Stream::connect_by_path(&path).unwrap();
                let server = listener.accept().unwrap();
                assert_eq!(is_inheritable(server.as_handle()), inheritable);
                assert!(!is_inheritable(client.as_handle()));
            }
            let client = Stream::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            let value = server.as_handle().as_raw_handle() as usize;
            let child = Child::start("send_by_handle", &[&value.to_string()]);
            child.expect("tried");
            let mut buf = [0; 8];
            client.set_nonblocking(true).unwrap();
            match client.recv(&mut buf) {
                Ok(len) => assert!(inheritable && len == 1),
                Err(error) => assert!(!inheritable && error.kind() == ErrorKind::WouldBlock, "{error}"),
            }
            child.finish();
        }
    });
}

/// The access list of the pipe.
fn dacl(stream: &impl AsHandle) -> AccessList {
    SecurityDescriptor::of_handle(stream.as_handle(), Parts::DACL).unwrap().dacl_list()
}

/// A descriptor that nothing would choose by itself.
fn peculiar() -> SecurityDescriptor {
    SecurityDescriptor::from_sddl("D:P(A;;FA;;;OW)(A;;FA;;;BA)(A;;0x12019b;;;LS)").unwrap()
}

#[test]
fn the_security_descriptor_that_was_chosen_is_that_of_the_pipe() {
    in_time(|| {
        for limit in [None, NonZeroU8::new(1)] {
            let path = unique_path();
            let listener = options(&path)
                .access(Access::Everyone)
                .security_descriptor(peculiar())
                .instance_limit(limit)
                .create_duplex::<Bytes>()
                .unwrap();
            for _ in 0..3 {
                let client = Stream::connect_by_path(&path).unwrap();
                let server = listener.accept().unwrap();
                assert_eq!(dacl(&server), peculiar().dacl_list());
                assert_eq!(dacl(&client), peculiar().dacl_list());
            }
        }
    });
}

#[test]
fn the_security_descriptor_of_a_local_socket_is_that_of_its_pipe() {
    in_time(|| {
        let name = format!("@{}", unique());
        let listener =
            ListenerOptions::new().name(&*name).security_descriptor(peculiar()).create_sync().unwrap();
        let client = local_socket::Stream::connect(&*name).unwrap();
        let server = listener.accept().unwrap();
        assert_eq!(dacl(&server), peculiar().dacl_list());
        assert_eq!(dacl(&client), peculiar().dacl_list());
        let pipe = Stream::connect(&name[1..]).unwrap();
        assert_eq!(dacl(&pipe), peculiar().dacl_list());
    });
}

#[test]
fn access_chooses_the_list_that_is_made_for_it() {
    in_time(|| {
        for access in [Access::Owner, Access::Group, Access::Everyone] {
            let path = unique_path();
            let listener = options(&path).access(access).create_duplex::<Bytes>().unwrap();
            let client = Stream::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            let expected = SecurityDescriptor::for_access(access).unwrap().dacl_list();
            assert_eq!(dacl(&server), expected, "{access:?}");
            let owner = SecurityDescriptor::of_handle(client.as_handle(), Parts::OWNER).unwrap().owner_sid();
            assert_eq!(owner, client.peer_creds().ok().map(|creds| *creds.user()));
        }
    });
}

#[test]
fn a_descriptor_that_keeps_us_from_adding_instances_is_an_error() {
    /// `FILE_CREATE_PIPE_INSTANCE`.
    const ADD_INSTANCE: u32 = 4;

    // Wine does not look at it.
    if is_wine() {
        return;
    }
    in_time(|| {
        let us = Sid::current_user().unwrap();
        let acl = Acl::from_aces([Ace::deny(us, ADD_INSTANCE), Ace::allow(us, Ace::FULL_ACCESS)]).unwrap();
        let mut descriptor = SecurityDescriptor::default();
        descriptor.set_dacl_list(acl);
        let path = unique_path();
        let error = options(&path).security_descriptor(descriptor).create_duplex::<Bytes>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.to_string().contains(&path), "{error}");
        // Nothing is left of it.
        options(&path).create_duplex::<Bytes>().unwrap();
    });
}

#[test]
fn who_is_not_let_in_is_told_so() {
    // Wine lets everybody in.
    if is_wine() {
        return;
    }
    in_time(|| {
        let us = Sid::current_user().unwrap();
        let acl = Acl::from_aces([Ace::allow(us, Ace::FULL_ACCESS & !1)]).unwrap();
        let mut descriptor = SecurityDescriptor::default();
        descriptor.set_dacl_list(acl);
        let path = unique_path();
        // It only sends, so it may miss the right to receive.
        let _listener = options(&path).security_descriptor(descriptor).create_send_only::<Bytes>().unwrap();
        let error = PipeStream::<Bytes, pipe_mode::None>::connect_by_path(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains(&path), "{error}");
    });
}

#[test]
fn every_option_of_a_client_connects() {
    in_time(|| {
        let path = unique_path();
        let listener = options(&path).create_duplex::<Bytes>().unwrap();
        let choices: [fn(PipeConnectOptions) -> PipeConnectOptions; 8] = [
            |options| options.write_through(true),
            |options| options.effective_only(true),
            |options| options.dynamic_tracking(true),
            |options| options.impersonation_level(ImpersonationLevel::Anonymous),
            |options| options.impersonation_level(ImpersonationLevel::Delegation),
            |options| options.wait_mode(ConnectWaitMode::Deferred),
            |options| options.require_same_user(true).wait_for_server(true),
            |options| options.nonblocking(true),
        ];
        for choose in choices {
            let options = choose(PipeConnectOptions::new().path(&path));
            let client = options.connect::<Bytes, Bytes>().unwrap();
            let server = listener.accept().unwrap();
            client.send(b"x").unwrap();
            assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
            let is_nonblocking = format!("{options:?}").contains("nonblocking: true");
            assert_eq!(client.is_nonblocking().unwrap(), is_nonblocking);
        }
    });
}

#[test]
fn every_option_of_a_server_serves() {
    in_time(|| {
        let choices: [fn(PipeListenerOptions) -> PipeListenerOptions; 6] = [
            |options| options.write_through(true),
            |options| options.accept_remote(true),
            |options| options.access(Access::Group),
            |options| options.inheritable(true),
            |options| options.backlog(255),
            |options| options.backlog(u32::MAX),
        ];
        for choose in choices {
            let path = unique_path();
            let listener = choose(options(&path)).create_duplex::<Bytes>().unwrap();
            let client = Stream::connect_by_path(&path).unwrap();
            let server = listener.accept().unwrap();
            server.send(b"x").unwrap();
            assert_eq!(client.recv(&mut [0; 8]).unwrap(), 1);
        }
    });
}
