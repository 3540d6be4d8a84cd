//! Who may connect.
//!
//! Other users are child processes that give up being root. Where the tests do not run as root there are none: the tests that
//! need one say so and pass.

use crate::support::{both_names, in_time};
use interprocess::local_socket::Listener;
use std::io::ErrorKind;

#[cfg(unix)]
pub(crate) use unix::CHILDREN;

/// The hazard of squatting: a rogue takes the name first, or between two accepts. On Windows this needs the flag for the first
/// instance, and an instance that stays while another is handed out.
#[test]
fn name_is_the_listeners_alone_for_its_whole_life() {
    in_time(|| {
        for name in both_names() {
            let listener = Listener::bind(&name).unwrap();
            let assert_taken = || {
                let error = Listener::bind(&name).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
                assert!(error.to_string().contains(&*name), "{error}");
            };
            assert_taken();
            for _ in 0..3 {
                let client = interprocess::local_socket::Stream::connect(&name).unwrap();
                assert_taken();
                let stream = listener.accept().unwrap();
                assert_taken();
                drop((client, stream));
                assert_taken();
            }
            listener.stop();
            assert_taken();
        }
    });
}

#[cfg(unix)]
mod unix {
    use crate::support::{
        ANOTHER_USER, Child, ChildFunction, TempDir, TestName, become_another_user, hear, in_time, say,
        unique, unique_name, unique_open_path, unique_path, usual_runtime_directory,
    };
    use interprocess::{
        ConnectWaitMode,
        local_socket::{Access, ConnectOptions, Listener, ListenerOptions, Name, Stream, ToName, ToNsName},
        os::unix::local_socket::{ListenerOptionsExt, SpecialDirUdSocket},
    };
    use std::{
        fs,
        io::{self, ErrorKind, Read, Write},
        os::unix::fs::{MetadataExt, PermissionsExt},
        path::Path,
    };

    pub(crate) const CHILDREN: [(&str, ChildFunction); 9] = [
        ("listen_again_and_again", listen_again_and_again),
        ("connect_as_another_user", connect_as_another_user),
        ("connect_until_told", connect_until_told),
        ("listen_as_another_user", listen_as_another_user),
        ("listen_and_change_user", listen_and_change_user),
        ("connect_and_leave", connect_and_leave),
        ("connect_in_runtime_directory", connect_in_runtime_directory),
        ("tell_runtime_directory", tell_runtime_directory),
        ("make_socket_files", make_socket_files),
    ];

    /// Becomes another user of the groups that the arguments name: the effective one, then others.
    fn become_stranger(groups: &[String]) -> bool {
        let groups: Vec<u32> = groups.iter().map(|group| group.parse().unwrap()).collect();
        let is_another = become_another_user(groups[0], &groups[1..]);
        if !is_another {
            say("not allowed");
        }
        is_another
    }

    /// Arguments: a name, groups. Says how connecting went and, when told to, what there was to read.
    fn connect_as_another_user(arguments: &[String]) {
        if !become_stranger(&arguments[1..]) {
            return;
        }
        let mut stream = match Stream::connect(&arguments[0]) {
            Ok(stream) => stream,
            Err(error) => return say(error.kind()),
        };
        say("connected");
        hear();
        match stream.read(&mut [0; 16]) {
            Ok(received) => say(received),
            Err(error) => say(error.kind()),
        }
    }

    /// A client of another user who has done what it does on its own: connected, or said why not. `None` if there is none.
    fn stranger(name: &TestName, groups: &[u32]) -> Option<Stranger> {
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        let mut arguments = vec![&**name];
        arguments.extend(groups.iter().map(String::as_str));
        let child = Child::start("connect_as_another_user", &arguments);
        let result = child.hear();
        is_allowed(&result).then_some(Stranger { child, result })
    }

    struct Stranger {
        child: Child,
        /// Of connecting.
        result: String,
    }

    impl Stranger {
        fn read(&mut self) -> String {
            self.child.say("read");
            self.child.hear()
        }
    }

    fn is_allowed(said: &str) -> bool {
        let is_allowed = said != "not allowed";
        if !is_allowed {
            eprintln!("not tested: only root can start processes of other users");
        }
        is_allowed
    }

    const STRANGE_GROUPS: [u32; 1] = [ANOTHER_USER];

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn our_group() -> u32 {
        rustix::process::getegid().as_raw()
    }

    /// The stranger has connected, as far as the system is concerned. The listener gives the next client the preference.
    fn assert_turned_away(listener: &Listener, name: &TestName, groups: &[u32]) {
        let Some(mut stranger) = stranger(name, groups) else { return };
        assert_eq!(stranger.result, "connected");
        let _ours = Stream::connect(name).unwrap();
        let first = listener.accept().unwrap().peer_creds().unwrap();
        assert!(first.is_same_user(), "{first:?} came through");
        assert_eq!(stranger.read(), "0", "it has to see the end of the stream");
    }

    fn assert_admitted(listener: &Listener, name: &TestName, groups: &[u32]) {
        let Some(mut stranger) = stranger(name, groups) else { return };
        assert_eq!(stranger.result, "connected");
        let _ours = Stream::connect(name).unwrap();
        let mut first = listener.accept().unwrap();
        let creds = first.peer_creds().unwrap();
        assert_eq!(creds.euid(), Some(ANOTHER_USER));
        assert!(!creds.is_same_user());
        first.write_all(b"hello").unwrap();
        assert_eq!(stranger.read(), "5");
        assert!(listener.accept().unwrap().peer_creds().unwrap().is_same_user());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn abstract_name_which_has_no_permissions_admits_no_other_user() {
        in_time(|| {
            let name = unique_name();
            assert_turned_away(&Listener::bind(&name).unwrap(), &name, &STRANGE_GROUPS);
        });
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn abstract_name_admits_other_users_when_asked_to() {
        in_time(|| {
            let name = unique_name();
            let listener = ListenerOptions::new().name(&name).access(Access::Everyone).create_sync().unwrap();
            assert_admitted(&listener, &name, &STRANGE_GROUPS);
            let name = unique_name();
            let listener = ListenerOptions::new().name(&name).mode(0o666).create_sync().unwrap();
            assert_admitted(&listener, &name, &STRANGE_GROUPS);
            let name = unique_name();
            let options = ListenerOptions::new().name(&name);
            let options =
                options.accept_policy(|peer| peer.is_same_user() || peer.euid() == Some(ANOTHER_USER));
            assert_admitted(&options.create_sync().unwrap(), &name, &STRANGE_GROUPS);
        });
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn access_for_the_group_admits_its_members_and_no_others() {
        in_time(|| {
            let name = unique_name();
            let listener = ListenerOptions::new().name(&name).access(Access::Group).create_sync().unwrap();
            assert_turned_away(&listener, &name, &STRANGE_GROUPS);
            assert_admitted(&listener, &name, &[our_group()]);
            // Not every kernel, and not qemu, tells the further groups.
            let is_told = {
                let _client = Stream::connect(&name).unwrap();
                listener.accept().unwrap().peer_creds().unwrap().groups().is_some()
            };
            if is_told {
                assert_admitted(&listener, &name, &[ANOTHER_USER, 12345, our_group()]);
                assert_turned_away(&listener, &name, &[ANOTHER_USER, 12345]);
            }
        });
    }

    /// A file's mode can be wider than what `accept` admits, and some systems ignore it.
    #[test]
    fn accept_checks_the_peers_of_a_socket_file_too() {
        in_time(|| {
            let name = unique_open_path();
            let open = || ListenerOptions::new().name(&name).mode(0o777);
            assert_turned_away(&open().access(Access::Owner).create_sync().unwrap(), &name, &STRANGE_GROUPS);
            assert_admitted(&open().create_sync().unwrap(), &name, &STRANGE_GROUPS);
        });
    }

    #[test]
    fn accept_policy_decides_on_every_client() {
        in_time(|| {
            let name = unique_name();
            let options = ListenerOptions::new().name(&name).accept_policy(|peer| !peer.is_same_user());
            let listener = options.create_sync().unwrap();
            let mut ours = Stream::connect(&name).unwrap();
            let error = listener.accept_timeout(std::time::Duration::ZERO).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(ours.read(&mut [0; 16]).unwrap(), 0);
        });
    }

    #[test]
    fn socket_file_keeps_other_users_out_by_its_mode() {
        in_time(|| {
            let name = unique_open_path();
            let _listener = Listener::bind(&name).unwrap();
            let Some(stranger) = stranger(&name, &STRANGE_GROUPS) else { return };
            assert_eq!(stranger.result, ErrorKind::PermissionDenied.to_string());
        });
    }

    /// Arguments: a path, its directory. With all kinds of `umask` and of options, makes listeners there and checks the modes of
    /// their files.
    fn make_socket_files(arguments: &[String]) {
        let path = Path::new(&arguments[0]);
        for umask in [0, 0o022, 0o077, 0o777] {
            rustix::process::umask(rustix::fs::Mode::from_bits_truncate(umask));
            for steals in [false, true] {
                let options = || ListenerOptions::new().name(path).try_overwrite(true);
                // What is stolen is made beside it first.
                let _old = steals.then(|| options().mode(0o777).create_sync().unwrap());
                let assert_mode = |options: ListenerOptions<'_>, mode: u32| {
                    let births = Births::of(Path::new(&arguments[1]));
                    let listener = options.create_sync().unwrap();
                    let found = fs::symlink_metadata(path).unwrap().mode();
                    assert_eq!(found & 0o7777, mode, "with umask {umask:o}");
                    if umask == 0 {
                        // Else it is made narrower than asked for, and then widened, which harms nobody.
                        births.assert_mode_was_never_changed();
                    }
                    drop(listener);
                };
                assert_mode(options(), 0o600);
                assert_mode(options().access(Access::Group), 0o660);
                assert_mode(options().access(Access::Everyone), 0o666);
                assert_mode(options().mode(0o707), 0o707);
                assert_mode(options().mode(0).access(Access::Everyone), 0);
            }
        }
    }

    /// What happens to the files in a directory.
    struct Births(#[cfg(any(target_os = "linux", target_os = "android"))] rustix::fd::OwnedFd);

    impl Births {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        fn of(dir: &Path) -> Self {
            use rustix::fs::inotify;
            let events =
                inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).unwrap();
            inotify::add_watch(&events, dir, inotify::WatchFlags::CREATE | inotify::WatchFlags::ATTRIB)
                .unwrap();
            Self(events)
        }

        /// Linux tells of every change of a mode, so that there is no need to look at the right moment.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        fn assert_mode_was_never_changed(&self) {
            use rustix::fs::inotify::{ReadFlags, Reader};
            let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(&self.0, &mut buffer);
            let mut births = 0;
            while let Ok(event) = reader.next() {
                assert!(
                    !event.events().contains(ReadFlags::ATTRIB),
                    "the file was made with another mode: {event:?}"
                );
                births += u32::from(event.events().contains(ReadFlags::CREATE));
            }
            assert_eq!(births, 1);
        }

        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        fn of(_: &Path) -> Self {
            Self()
        }

        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        fn assert_mode_was_never_changed(&self) {
            let Self() = self;
        }
    }

    /// The hazard: between `bind` and `chmod`, the file has the mode that the `umask` leaves. In a process of its own, since it
    /// changes the `umask`.
    #[test]
    fn socket_file_has_its_mode_from_birth_whatever_the_umask() {
        in_time(|| {
            let path = unique_path();
            let dir = path.dir().to_str().unwrap();
            Child::start("make_socket_files", &[&path, dir]).finish();
        });
    }

    /// Arguments: a path. As another user, connects again and again until there is nothing more to hear.
    fn connect_until_told(arguments: &[String]) {
        if !become_stranger(&[ANOTHER_USER.to_string()]) {
            return;
        }
        let path = arguments[0].clone();
        let attempts = std::thread::spawn(move || {
            let mut attempts = 0_u64;
            loop {
                match ConnectOptions::new().name(&path).wait_mode(ConnectWaitMode::Deferred).connect_sync() {
                    Ok(_) => {
                        say("connected");
                        return;
                    }
                    Err(error) => match error.kind() {
                        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ConnectionRefused => {}
                        _ => panic!("{error}"),
                    },
                }
                attempts += 1;
                if attempts.is_power_of_two() {
                    say("going on");
                }
            }
        });
        while hear().is_some() {}
        let outcome = if attempts.is_finished() { "came in" } else { "never came in" };
        say(outcome);
        std::process::exit(0);
    }

    /// Arguments: a path. Listens there many times, in a process where files are open to all unless made otherwise.
    fn listen_again_and_again(arguments: &[String]) {
        rustix::process::umask(rustix::fs::Mode::empty());
        for _ in 0..500 {
            drop(Listener::bind(&arguments[0]).unwrap());
        }
    }

    /// The hazard again, for systems where the mode is set after birth: a socket that does not listen yet refuses everybody, so
    /// there is no moment in which a stranger comes in. One tries all the time while listeners come and go.
    #[test]
    fn nobody_can_connect_between_bind_and_chmod() {
        in_time(|| {
            let path = unique_open_path();
            let mut child = Child::start("connect_until_told", &[&path]);
            if !is_allowed(&child.hear()) {
                return;
            }
            Child::start("listen_again_and_again", &[&path]).finish();
            child.say_no_more();
            loop {
                match &*child.hear() {
                    "going on" => {}
                    "never came in" => break,
                    other => panic!("the stranger {other}"),
                }
            }
        });
    }

    /// Arguments: "@…" or a path, or "runtime" and a name in the runtime directory. As another user, listens until there is
    /// nothing more to hear.
    fn listen_as_another_user(arguments: &[String]) {
        if !become_stranger(&[ANOTHER_USER.to_string()]) {
            return;
        }
        let name = match arguments {
            [name] => name.to_name().unwrap(),
            [_, name] => runtime_name(name),
            _ => unreachable!(),
        };
        let _listener = ListenerOptions::new().name(name).access(Access::Everyone).create_sync().unwrap();
        say("listening");
        hear();
    }

    /// Arguments: a name, and whether the listener is made before root is "given up" or while it is "borrowed". Says who came in first, and
    /// second.
    fn listen_and_change_user(arguments: &[String]) {
        let name = arguments[0].as_str();
        let (listener, own) = if arguments[1] == "given up" {
            let listener = Listener::bind(name).unwrap();
            if !become_stranger(&[ANOTHER_USER.to_string()]) {
                return;
            }
            (listener, Some(Stream::connect(name).unwrap()))
        } else {
            // SAFETY: a plain system call on a number.
            let become_for_now = |user| unsafe { libc::seteuid(user) == 0 };
            if !become_for_now(ANOTHER_USER) {
                return say("not allowed");
            }
            let listener = Listener::bind(name).unwrap();
            assert!(become_for_now(0));
            (listener, None)
        };
        say("listening");
        for client in listener.incoming().take(1 + usize::from(own.is_some())) {
            say(client.unwrap().peer_creds().unwrap().euid().unwrap());
        }
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn who_made_the_listener_and_who_runs_it_are_both_our_user() {
        in_time(|| {
            let name = unique_name();
            let given_up = Child::start("listen_and_change_user", &[&name, "given up"]);
            if !is_allowed(&given_up.hear()) {
                return;
            }
            let _ours = Stream::connect(&name).unwrap();
            assert_eq!([given_up.hear(), given_up.hear()], [ANOTHER_USER.to_string(), "0".into()]);
            given_up.finish();

            let name = unique_name();
            let borrowed = Child::start("listen_and_change_user", &[&name, "borrowed"]);
            assert_eq!(borrowed.hear(), "listening");
            let stranger = stranger(&name, &STRANGE_GROUPS).unwrap();
            assert_eq!(stranger.result, "connected");
            assert_eq!(borrowed.hear(), ANOTHER_USER.to_string());
        });
    }

    fn runtime_name(text: &str) -> Name<'_> {
        text.to_ns_name::<SpecialDirUdSocket>().unwrap()
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn client_can_tell_who_serves() {
        in_time(|| {
            let name = unique_name();
            let server = Child::start("listen_as_another_user", &[&name]);
            if !is_allowed(&server.hear()) {
                return;
            }
            let options = || ConnectOptions::new().name(&name);
            let error = options().require_same_user(true).connect_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(error.to_string().contains(&*name), "{error}");
            let stream = options().connect_sync().unwrap();
            assert_eq!(stream.peer_creds().unwrap().euid(), Some(ANOTHER_USER));
            server.finish();
            // Ours is served by ourselves.
            let name = unique_name();
            let _listener = Listener::bind(&name).unwrap();
            ConnectOptions::new().name(&name).require_same_user(true).connect_sync().unwrap();
        });
    }

    /// Arguments: a name, "stranger" or "friend". Connects, says a word, and is gone.
    fn connect_and_leave(arguments: &[String]) {
        if arguments[1] == "stranger" && !become_stranger(&[ANOTHER_USER.to_string()]) {
            return;
        }
        Stream::connect(&arguments[0]).unwrap().write_all(b"I was here").unwrap();
        say("left");
    }

    /// The hazard: a process that has ended, and whose number is another's by the time somebody looks it up.
    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn access_is_decided_by_user_and_not_by_process_id() {
        in_time(|| {
            let name = unique_name();
            let listener = Listener::bind(&name).unwrap();
            for who in ["stranger", "friend"] {
                let child = Child::start("connect_and_leave", &[&name, who]);
                if !is_allowed(&child.hear()) {
                    return;
                }
                // Not only dead, but gone: its number is free.
                child.finish();
            }
            let mut first = listener.accept().unwrap();
            assert!(first.peer_creds().unwrap().is_same_user());
            let mut text = String::new();
            first.read_to_string(&mut text).unwrap();
            assert_eq!(text, "I was here");
        });
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn pidfd_of_the_peer_means_that_process_for_ever() {
        use interprocess::os::unix::local_socket::StreamExt;
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        in_time(|| {
            let name = unique_name();
            let listener = ListenerOptions::new().name(&name).access(Access::Everyone).create_sync().unwrap();
            let mut child = Child::start("connect_as_another_user", &[&name, "65534"]);
            if !is_allowed(&child.hear()) {
                return;
            }
            let stream = listener.accept().unwrap();
            assert_eq!(stream.peer_pid().unwrap(), child.id());
            let pidfd = match stream.peer_pidfd() {
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    return eprintln!("not tested: {error}");
                }
                other => other.unwrap(),
            };
            let has_ended = |limit: i64| {
                let limit = Timespec { tv_sec: limit, tv_nsec: 0 };
                poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)).unwrap() == 1
            };
            assert!(!has_ended(0));
            child.kill();
            assert!(has_ended(30));
        });
    }

    /// Arguments: a name in the runtime directory. Says which file that is.
    fn tell_runtime_directory(arguments: &[String]) {
        let name = runtime_name(&arguments[0]);
        say(name.file().unwrap().display());
        // The listener's choice is the same.
        let listener = ListenerOptions::new().name(name).create_sync().unwrap();
        assert!(listener.name().file().unwrap().exists());
    }

    #[test]
    fn name_without_a_directory_lives_where_only_we_can_write() {
        in_time(|| {
            let dir = TempDir::new();
            let told = |runtime_dir: &Path, name: &str| {
                let mut command = Child::command("tell_runtime_directory", &[name]);
                let child = Child::spawn(command.env("XDG_RUNTIME_DIR", runtime_dir).current_dir(&*dir));
                let told = child.hear();
                child.finish();
                told
            };
            let made = |name: &str, mode: u32| {
                let path = dir.join(name);
                fs::create_dir(&path).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                path
            };
            let name = unique();
            let ours = made("ours", 0o700);
            assert_eq!(told(&ours, &name), ours.join(&name).to_str().unwrap());

            let link = dir.join("link");
            std::os::unix::fs::symlink(&ours, &link).unwrap();
            let strangers = made("strangers", 0o700);
            let mut unsafe_ones =
                vec![made("enterable", 0o710), made("open", 0o777), link, dir.join("missing"), "ours".into()];
            match std::os::unix::fs::chown(&strangers, Some(ANOTHER_USER), None) {
                Ok(()) => unsafe_ones.push(strangers),
                Err(error) => eprintln!("directories of other users are not tested: {error}"),
            }
            let safe = usual_runtime_directory().unwrap_or("/tmp".into()).join(&name);
            for unsafe_one in unsafe_ones {
                assert_eq!(told(&unsafe_one, &name), safe.to_str().unwrap(), "{}", unsafe_one.display());
            }
        });
    }

    /// Arguments: a name in the runtime directory. Says how connecting went by default, then without a check.
    fn connect_in_runtime_directory(arguments: &[String]) {
        let say_outcome = |result: io::Result<Stream>| match result {
            Ok(_) => say("connected"),
            Err(error) => say(error.kind()),
        };
        let options = || ConnectOptions::new().name(runtime_name(&arguments[0]));
        say_outcome(options().connect_sync());
        say_outcome(options().require_same_user(false).connect_sync());
    }

    /// The hazard: everybody can guess the name, and make it first.
    #[test]
    fn predictable_name_in_a_shared_directory_is_only_trusted_if_we_serve_it() {
        in_time(|| {
            if let Some(path) = usual_runtime_directory() {
                return eprintln!("not tested: our names are in {}", path.display());
            }
            let name = unique();
            let start =
                |command: &mut std::process::Command| Child::spawn(command.env_remove("XDG_RUNTIME_DIR"));
            let server = start(&mut Child::command("listen_as_another_user", &["runtime", &name]));
            if !is_allowed(&server.hear()) {
                return;
            }
            let client = start(&mut Child::command("connect_in_runtime_directory", &[&name]));
            client.expect(&ErrorKind::PermissionDenied.to_string());
            client.expect("connected");
            client.finish();
            server.finish();
        });
    }
}
