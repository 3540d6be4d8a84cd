//! The flags that the system is given, whatever the order in which options are chosen.

use super::{DuplexPipeStream, PipeConnectOptions, PipeListenerOptions, pipe_mode::Bytes};
use crate::{
    ConnectWaitMode,
    local_socket::{Access, ConnectOptions, ListenerOptions},
    os::windows::{
        ImpersonationLevel,
        local_socket::{ConnectOptionsExt, ListenerOptionsExt},
        named_pipe::PipeMode,
    },
    sys::windows::named_pipe::spy::{CREATED_TYPE, OPENED_WITH},
};
use std::{
    io::ErrorKind,
    num::NonZeroU8,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use windows_sys::{
    Wdk::Storage::FileSystem::{FILE_PIPE_MESSAGE_TYPE, FILE_PIPE_REJECT_REMOTE_CLIENTS},
    Win32::Storage::FileSystem::{
        FILE_FLAG_OVERLAPPED, FILE_FLAG_WRITE_THROUGH, SECURITY_ANONYMOUS, SECURITY_CONTEXT_TRACKING,
        SECURITY_DELEGATION, SECURITY_EFFECTIVE_ONLY, SECURITY_IDENTIFICATION, SECURITY_IMPERSONATION,
        SECURITY_SQOS_PRESENT,
    },
};

/// What a client asks for that chooses nothing.
const ALWAYS: u32 = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT;

fn unique_name() -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    format!("interprocess-options-{}-{}", std::process::id(), CALLS.fetch_add(1, Relaxed))
}

/// Calls `visit` with every order of `items`.
fn in_every_order<T>(items: &mut [T], count: usize, visit: &mut impl FnMut(&[T])) {
    if count <= 1 {
        return visit(items);
    }
    for index in 0..count {
        in_every_order(items, count - 1, visit);
        items.swap(if count % 2 == 0 { index } else { 0 }, count - 1);
    }
}

/// The flags with which a pipe is opened, which does not exist.
#[track_caller]
fn flags_of(options: PipeConnectOptions) -> u32 {
    OPENED_WITH.set((0, 0));
    let error = options.name("interprocess-of-nobody").connect::<Bytes, Bytes>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    OPENED_WITH.get().1
}

type Choose = fn(PipeConnectOptions) -> PipeConnectOptions;

/// What a client can choose, and the flags for it beside the level of identification, which is the default.
const CLIENT: [(Choose, u32); 7] = [
    (|options| options.impersonation_level(ImpersonationLevel::Impersonation), SECURITY_IMPERSONATION),
    (|options| options.dynamic_tracking(true), SECURITY_CONTEXT_TRACKING),
    (|options| options.effective_only(true), SECURITY_EFFECTIVE_ONLY),
    (|options| options.write_through(true), FILE_FLAG_WRITE_THROUGH),
    (|options| options.wait_mode(ConnectWaitMode::Deferred), 0),
    (|options| options.require_same_user(true), 0),
    (|options| options.nonblocking(true), 0),
];

/// The flags for these choices.
fn expected(choices: &[(Choose, u32)]) -> u32 {
    let chosen = choices.iter().fold(0, |flags, (_, flag)| flags | flag);
    let level = if chosen & SECURITY_IMPERSONATION == 0 { SECURITY_IDENTIFICATION } else { 0 };
    ALWAYS | level | chosen
}

#[test]
fn a_client_asks_for_the_same_whatever_the_order_of_its_choices() {
    let mut orders = 0;
    in_every_order(&mut CLIENT.clone(), CLIENT.len(), &mut |choices| {
        orders += 1;
        let options = choices.iter().fold(PipeConnectOptions::new(), |options, (choose, _)| choose(options));
        assert_eq!(flags_of(options), expected(choices));
    });
    assert_eq!(orders, 5040);
}

#[test]
fn a_client_asks_for_what_it_chose_and_nothing_else() {
    for chosen in 0..1_usize << CLIENT.len() {
        let choices: Vec<_> = CLIENT
            .into_iter()
            .enumerate()
            .filter(|(n, _)| chosen >> n & 1 == 1)
            .map(|(_, choice)| choice)
            .collect();
        let options = choices.iter().fold(PipeConnectOptions::new(), |options, (choose, _)| choose(options));
        let flags = flags_of(options.clone());
        assert_eq!(flags, expected(&choices));
        assert_ne!(flags & SECURITY_SQOS_PRESENT, 0);
        // What is taken back leaves the rest.
        let options = options.dynamic_tracking(false).effective_only(false).write_through(false);
        let taken_back = SECURITY_CONTEXT_TRACKING | SECURITY_EFFECTIVE_ONLY | FILE_FLAG_WRITE_THROUGH;
        assert_eq!(flags_of(options), expected(&choices) & !taken_back);
    }
}

#[test]
fn every_level_is_asked_for_as_such() {
    for (level, flag) in [
        (ImpersonationLevel::Anonymous, SECURITY_ANONYMOUS),
        (ImpersonationLevel::Identification, SECURITY_IDENTIFICATION),
        (ImpersonationLevel::Impersonation, SECURITY_IMPERSONATION),
        (ImpersonationLevel::Delegation, SECURITY_DELEGATION),
    ] {
        assert_eq!(flags_of(PipeConnectOptions::new().impersonation_level(level)), ALWAYS | flag);
    }
    assert_eq!(flags_of(PipeConnectOptions::new()), ALWAYS | SECURITY_IDENTIFICATION);
}

#[cfg(feature = "smol")]
#[test]
fn tasks_ask_for_the_same() {
    OPENED_WITH.set((0, 0));
    let options = CLIENT.iter().fold(PipeConnectOptions::new(), |options, (choose, _)| choose(options));
    let options = options.name("interprocess-of-nobody");
    async_io::block_on(options.connect_smol::<Bytes, Bytes>()).unwrap_err();
    assert_eq!(OPENED_WITH.get().1, expected(&CLIENT));
}

#[test]
fn a_local_socket_asks_for_what_it_chose_whatever_the_order() {
    type Choose = fn(ConnectOptions<'static>) -> ConnectOptions<'static>;
    const CHOICES: [(Choose, u32); 5] = [
        (|options| options.impersonation_level(ImpersonationLevel::Delegation), SECURITY_DELEGATION),
        (|options| options.dynamic_tracking(true), SECURITY_CONTEXT_TRACKING),
        (|options| options.effective_only(true), SECURITY_EFFECTIVE_ONLY),
        (|options| options.require_same_user(true), 0),
        (|options| options.wait_mode(ConnectWaitMode::Deferred), 0),
    ];
    for chosen in 0..1_usize << CHOICES.len() {
        let mut choices: Vec<_> = CHOICES
            .into_iter()
            .enumerate()
            .filter(|(n, _)| chosen >> n & 1 == 1)
            .map(|(_, choice)| choice)
            .collect();
        let flags = choices.iter().fold(0, |flags, (_, flag)| flags | flag);
        let level =
            if flags & SECURITY_DELEGATION == SECURITY_DELEGATION { 0 } else { SECURITY_IDENTIFICATION };
        let count = choices.len();
        in_every_order(&mut choices, count, &mut |choices| {
            let options = ConnectOptions::new().name("@interprocess-of-nobody");
            let options = choices.iter().fold(options, |options, (choose, _)| choose(options));
            OPENED_WITH.set((0, 0));
            options.connect_sync().unwrap_err();
            assert_eq!(OPENED_WITH.get().1, ALWAYS | level | flags);
        });
    }
}

#[test]
fn remote_clients_are_kept_out_unless_the_last_word_lets_them_in_whatever_else_is_chosen() {
    type Choose = fn(PipeListenerOptions) -> PipeListenerOptions;
    const CHOICES: [Choose; 8] = [
        |options| options.mode(PipeMode::Messages),
        |options| options.access(Access::Everyone),
        |options| options.write_through(true),
        |options| options.instance_limit(NonZeroU8::new(2)),
        |options| options.inheritable(true),
        |options| options.nonblocking(true),
        |options| options.input_buffer_size_hint(1000).output_buffer_size_hint(2000),
        |options| options.backlog(2),
    ];
    let is_refused = |options: PipeListenerOptions| {
        CREATED_TYPE.set(0);
        let listener = options.create_duplex::<Bytes>().unwrap();
        let of_first = CREATED_TYPE.get();
        // That of a further one is the same.
        let _client = DuplexPipeStream::<Bytes>::connect_by_path(listener.path()).unwrap();
        listener.set_nonblocking(false).unwrap();
        CREATED_TYPE.set(of_first);
        listener.accept().unwrap();
        assert_eq!(CREATED_TYPE.get(), of_first);
        let is_messages = format!("{options:?}").contains("mode: Some(Messages)");
        assert_eq!(of_first & FILE_PIPE_MESSAGE_TYPE != 0, is_messages);
        of_first & FILE_PIPE_REJECT_REMOTE_CLIENTS != 0
    };
    for chosen in 0..1_usize << CHOICES.len() {
        let choices: Vec<_> = CHOICES
            .into_iter()
            .enumerate()
            .filter(|(n, _)| chosen >> n & 1 == 1)
            .map(|(_, choice)| choice)
            .collect();
        let at = chosen % (choices.len() + 1);
        let choose = |words: &[bool]| {
            let mut options = PipeListenerOptions::new().name(unique_name()).backlog(1);
            for (index, choice) in choices.iter().enumerate() {
                if index == at {
                    options = words.iter().fold(options, |options, &word| options.accept_remote(word));
                }
                options = choice(options);
            }
            if at == choices.len() {
                options = words.iter().fold(options, |options, &word| options.accept_remote(word));
            }
            options
        };
        assert!(is_refused(choose(&[])));
        assert!(is_refused(choose(&[true, false])));
        assert!(!is_refused(choose(&[true])));
        assert!(!is_refused(choose(&[false, true])));
    }
}

#[test]
fn local_sockets_keep_remote_clients_out_unless_the_last_word_lets_them_in() {
    for (words, is_refused) in
        [(&[][..], true), (&[true], false), (&[true, false], true), (&[false, true], false)]
    {
        for is_last in [false, true] {
            let mut options = ListenerOptions::new().name(format!("@{}", unique_name()));
            if is_last {
                options = options.access(Access::Everyone).backlog(2);
            }
            options = words.iter().fold(options, |options, &word| options.accept_remote(word));
            if !is_last {
                options = options.access(Access::Everyone).backlog(2);
            }
            CREATED_TYPE.set(0);
            let _listener = options.create_sync().unwrap();
            assert_eq!(CREATED_TYPE.get() & FILE_PIPE_REJECT_REMOTE_CLIENTS != 0, is_refused);
        }
    }
}
