//! Names: the forms that they take, what can be read back, and where the OS really puts them.

mod support;

use interprocess::local_socket::{
    GenericFilePath, GenericNamespaced, Listener, Name, NameType, NamespacedNameType, PathNameType, Stream,
    ToFsName, ToName, ToNsName,
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ffi::{CStr, CString, OsStr, OsString},
    fmt::Debug,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};
use support::{in_time, unique_name, unique_path};

#[cfg(unix)]
const PATH: &str = "/tmp/example.sock";
#[cfg(windows)]
const PATH: &str = r"\\.\pipe\example.sock";

#[test]
fn child_entry() {
    #[cfg(unix)]
    support::child_entry(&[("serve_in_runtime_directory", unix::serve_in_runtime_directory)]);
}

#[track_caller]
fn assert_is(name: io::Result<Name<'_>>, is_namespaced: bool, text: impl AsRef<OsStr>) {
    let name = name.unwrap();
    assert_eq!(name.is_namespaced(), is_namespaced, "{name:?}");
    assert_eq!(name.is_path(), !is_namespaced, "{name:?}");
    assert_eq!(name.as_os_str(), text.as_ref());
}

#[track_caller]
fn assert_invalid<T: Debug>(result: io::Result<T>, why: &str) {
    let error = result.expect_err("should have been refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

#[test]
fn text_of_every_type_is_namespaced_if_it_starts_with_an_at_sign() {
    const TEXT: &str = "@example.sock";
    const NAME: &str = "example.sock";
    assert_is(TEXT.to_name(), true, NAME);
    assert_is(TEXT.to_owned().to_name(), true, NAME);
    assert_is((&TEXT.to_owned()).to_name(), true, NAME);
    assert_is(OsStr::new(TEXT).to_name(), true, NAME);
    assert_is(OsString::from(TEXT).to_name(), true, NAME);
    assert_is((&OsString::from(TEXT)).to_name(), true, NAME);
    assert_is(Cow::Borrowed(TEXT).to_name(), true, NAME);
    assert_is(Cow::<'_, str>::Owned(TEXT.to_owned()).to_name(), true, NAME);
    assert_is(Cow::Borrowed(OsStr::new(TEXT)).to_name(), true, NAME);
    assert_is(Cow::<'_, OsStr>::Owned(TEXT.into()).to_name(), true, NAME);
    assert_is(c(TEXT).as_c_str().to_name(), true, NAME);
    assert_is(c(TEXT).to_name(), true, NAME);
}

#[test]
fn text_of_every_type_is_a_path_if_it_starts_with_anything_else() {
    assert_is(PATH.to_name(), false, PATH);
    assert_is(PATH.to_owned().to_name(), false, PATH);
    assert_is((&PATH.to_owned()).to_name(), false, PATH);
    assert_is(OsStr::new(PATH).to_name(), false, PATH);
    assert_is(OsString::from(PATH).to_name(), false, PATH);
    assert_is((&OsString::from(PATH)).to_name(), false, PATH);
    assert_is(Cow::Borrowed(PATH).to_name(), false, PATH);
    assert_is(Cow::<'_, str>::Owned(PATH.to_owned()).to_name(), false, PATH);
    assert_is(Cow::Borrowed(OsStr::new(PATH)).to_name(), false, PATH);
    assert_is(Cow::<'_, OsStr>::Owned(PATH.into()).to_name(), false, PATH);
    assert_is(c(PATH).as_c_str().to_name(), false, PATH);
    assert_is(c(PATH).to_name(), false, PATH);
}

#[test]
fn a_name_is_a_name_already() {
    let name = "@example".to_name().unwrap();
    assert_is((&name).to_name(), true, "example");
    assert_is(name.to_name(), true, "example");
}

#[test]
fn paths_are_paths_and_only_the_first_at_sign_of_a_text_counts() {
    assert_is(Path::new(PATH).to_name(), false, PATH);
    assert_is(PathBuf::from(PATH).to_name(), false, PATH);
    assert_is((&PathBuf::from(PATH)).to_name(), false, PATH);
    assert_is("@@twice".to_name(), true, "@twice");
    assert_is("@a@b".to_name(), true, "a@b");
    assert_eq!("@@twice".to_name().unwrap().to_string(), "@@twice");
    #[cfg(unix)]
    {
        assert_is(Path::new("@x").to_name(), false, "@x");
        assert_is(PathBuf::from("@x").to_name(), false, "@x");
        assert_is("./@x".to_name(), false, "./@x");
        assert_is("a@x".to_name(), false, "a@x");
        assert_is("relative/path".to_name(), false, "relative/path");
    }
}

#[test]
fn every_type_of_text_can_be_said_to_be_a_path() {
    type P = GenericFilePath;
    assert_is(PATH.to_fs_name::<P>(), false, PATH);
    assert_is(PATH.to_owned().to_fs_name::<P>(), false, PATH);
    assert_is(OsStr::new(PATH).to_fs_name::<P>(), false, PATH);
    assert_is(OsString::from(PATH).to_fs_name::<P>(), false, PATH);
    assert_is(Path::new(PATH).to_fs_name::<P>(), false, PATH);
    assert_is(PathBuf::from(PATH).to_fs_name::<P>(), false, PATH);
    assert_is(c(PATH).as_c_str().to_fs_name::<P>(), false, PATH);
    assert_is(c(PATH).to_fs_name::<P>(), false, PATH);
    #[cfg(unix)]
    assert_is("@x".to_fs_name::<P>(), false, "@x");
}

#[test]
fn every_type_of_text_can_be_said_to_be_namespaced() {
    type N = GenericNamespaced;
    // No character has a special meaning.
    for text in ["example.sock", "@x"] {
        assert_is(text.to_ns_name::<N>(), true, text);
        assert_is(text.to_owned().to_ns_name::<N>(), true, text);
        assert_is(OsStr::new(text).to_ns_name::<N>(), true, text);
        assert_is(OsString::from(text).to_ns_name::<N>(), true, text);
        assert_is(Path::new(text).to_ns_name::<N>(), true, text);
        assert_is(PathBuf::from(text).to_ns_name::<N>(), true, text);
        assert_is(c(text).as_c_str().to_ns_name::<N>(), true, text);
        assert_is(c(text).to_ns_name::<N>(), true, text);
    }
}

#[test]
fn types_of_names_say_that_they_are_supported_and_work_by_themselves() {
    fn path<N: PathNameType<OsStr> + PathNameType<CStr>>() {
        assert!(N::is_supported());
        assert_is(N::map(Cow::Borrowed(OsStr::new(PATH))), false, PATH);
        assert_is(N::map(Cow::<'_, CStr>::Owned(c(PATH))), false, PATH);
    }
    fn namespaced<N: NamespacedNameType<OsStr> + NamespacedNameType<CStr>>() {
        assert!(N::is_supported());
        assert_is(N::map(Cow::Borrowed(OsStr::new("x"))), true, "x");
        assert_is(N::map(Cow::<'_, CStr>::Owned(c("x"))), true, "x");
    }
    assert!(<GenericFilePath as NameType>::is_supported());
    path::<GenericFilePath>();
    namespaced::<GenericNamespaced>();
    #[cfg(unix)]
    {
        use interprocess::os::unix::local_socket::{FilesystemUdSocket, SpecialDirUdSocket};
        path::<FilesystemUdSocket>();
        namespaced::<SpecialDirUdSocket>();
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    namespaced::<interprocess::os::unix::local_socket::AbstractNsUdSocket>();
    #[cfg(windows)]
    {
        use interprocess::os::windows::local_socket::NamedPipe;
        path::<NamedPipe>();
        namespaced::<NamedPipe>();
    }
}

#[test]
fn generic_namespaced_names_are_what_the_system_has() {
    let generic = "x".to_ns_name::<GenericNamespaced>().unwrap();
    assert_eq!(generic, "@x".to_name().unwrap());
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use interprocess::os::unix::local_socket::{AbstractNsUdSocket, SpecialDirUdSocket};
        assert_eq!(generic, "x".to_ns_name::<AbstractNsUdSocket>().unwrap());
        assert_ne!(generic, "x".to_ns_name::<SpecialDirUdSocket>().unwrap());
    }
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    assert_eq!(
        generic,
        "x".to_ns_name::<interprocess::os::unix::local_socket::SpecialDirUdSocket>().unwrap()
    );
    #[cfg(windows)]
    assert_eq!(generic, "x".to_ns_name::<interprocess::os::windows::local_socket::NamedPipe>().unwrap());
}

#[test]
fn names_are_shown_as_one_would_write_them() {
    assert_eq!("@example".to_name().unwrap().to_string(), "@example");
    assert_eq!(PATH.to_name().unwrap().to_string(), PATH);
    for text in ["@example", "@@twice", PATH] {
        let name = text.to_name().unwrap();
        let shown = name.to_string();
        assert_eq!(shown.to_name().unwrap(), name);
    }
    #[cfg(unix)]
    {
        // Without the dot it would be a namespaced one.
        let name = Path::new("@x").to_name().unwrap();
        assert_eq!(name.to_string(), "./@x");
        assert!(name.to_string().to_name().unwrap().is_path());
    }
}

#[test]
fn names_are_equal_if_kind_and_text_are_equal_whoever_owns_the_text() {
    let text = String::from("@example");
    let borrowed = text.as_str().to_name().unwrap();
    let owned = text.clone().to_name().unwrap();
    assert_eq!(borrowed, owned);
    assert_eq!(borrowed.borrow(), owned);
    assert_eq!(borrowed.clone().into_owned(), borrowed);
    assert_ne!(borrowed, "@other".to_name().unwrap());

    let names = HashSet::from([borrowed.borrow(), owned.borrow(), PATH.to_name().unwrap()]);
    assert_eq!(names.len(), 2);
    let served = HashMap::from([(owned.clone(), 1)]);
    assert_eq!(served.get(&borrowed), Some(&1));

    #[cfg(unix)]
    {
        let (path, namespaced) = (Path::new("x").to_name().unwrap(), "@x".to_name().unwrap());
        assert_eq!(path.as_os_str(), namespaced.as_os_str());
        assert_ne!(path, namespaced);
        assert_eq!(HashSet::from([path, namespaced]).len(), 2);
    }
}

#[test]
fn an_owned_name_outlives_the_text_that_it_was_made_from() {
    fn make() -> Name<'static> {
        let text = format!("@{}", "example");
        let name = text.as_str().to_name().unwrap();
        name.into_owned()
    }
    let name = make();
    let again = name.borrow();
    assert_eq!(again.as_os_str(), "example");
    assert!(again.is_namespaced());
}

#[test]
fn a_listener_says_the_name_that_it_was_given() {
    in_time(|| {
        for name in [unique_name(), unique_path()] {
            let listener = Listener::bind(&name).unwrap();
            assert_eq!(*listener.name(), name.to_name().unwrap());
            assert_eq!(listener.name().to_string(), *name);
        }
    });
}

#[test]
fn names_that_are_empty_or_contain_nul_are_refused_before_they_are_used() {
    assert_invalid("".to_name(), "empty");
    assert_invalid("@".to_name(), "empty");
    assert_invalid(Path::new("").to_name(), "empty");
    assert_invalid(c("").to_name(), "empty");
    assert_invalid("".to_fs_name::<GenericFilePath>(), "empty");
    assert_invalid("".to_ns_name::<GenericNamespaced>(), "empty");
    assert_invalid("@a\0b".to_name(), "NUL");
    assert_invalid(format!("{PATH}\0").to_name(), "NUL");
    assert_invalid("\0".to_ns_name::<GenericNamespaced>(), "NUL");
    // So they are by what takes names.
    assert_invalid(Listener::bind(""), "empty");
    assert_invalid(Stream::connect("@"), "empty");
}

#[test]
fn a_name_may_be_as_long_as_the_system_allows_and_no_longer() {
    in_time(|| {
        let name = unique_name();
        // The error says how much is possible.
        let error = "x".repeat(1000).to_ns_name::<GenericNamespaced>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = error.to_string();
        let (_, most) = error.rsplit_once("at most ").expect(&error);
        let most: usize = most.split(' ').next().unwrap().parse().unwrap();
        // On Windows that is for the whole path.
        let most = if cfg!(windows) { most - r"\\.\pipe\".len() } else { most };

        let longest = format!("{}{}", &*name, "x".repeat(most + 1 - name.len()));
        let too_long = format!("{longest}x");
        assert_invalid(too_long.as_str().to_name(), "at most");
        assert_invalid(Listener::bind(&too_long), "at most");
        #[cfg(any(target_os = "linux", target_os = "android", windows))]
        {
            let listener = Listener::bind(&longest).unwrap();
            let client = Stream::connect(&longest).unwrap();
            listener.accept().unwrap().send(b"x").unwrap();
            assert_eq!(client.recv(&mut [0]).unwrap(), 1);
            // One that is shorter by the last character is another.
            assert!(Stream::connect(&longest[..longest.len() - 1]).is_err());
        }
    });
}

#[cfg(windows)]
mod windows {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_path_that_is_not_that_of_a_pipe_is_refused() {
        for path in [r"C:\x", "C:", "/x", r"x\y", r"\\.\pipe\", r"\\.\other\x"] {
            assert_invalid(path.to_name(), r"\\HOST\pipe\NAME");
        }
        assert_invalid(std::path::Path::new("x").to_name(), r"\\HOST\pipe\NAME");
    }

    /// As it was in interprocess 1.2.
    #[test]
    fn a_bare_word_is_namespaced() {
        assert_eq!("x".to_name().unwrap(), "@x".to_name().unwrap());
        assert_eq!(String::from("x").to_name().unwrap(), "@x".to_name().unwrap());
    }

    #[test]
    fn no_name_leaves_a_file() {
        assert_eq!("@x".to_name().unwrap().file(), None);
        assert_eq!(PATH.to_name().unwrap().file(), None);
    }

    #[test]
    fn a_namespaced_name_is_the_pipe_of_that_name_for_programs_that_know_nothing_of_us() {
        in_time(|| {
            let name = unique_name();
            let listener = Listener::bind(&name).unwrap();
            let path = format!(r"\\.\pipe\{}", &name[1..]);
            let mut client = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let server = listener.accept().unwrap();
            client.write_all(b"plain").unwrap();
            let mut buf = [0; 5];
            (&server).read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"plain");
            server.send(b"bytes").unwrap();
            client.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"bytes");

            // The path is another way to write the same.
            let client = Stream::connect(&path).unwrap();
            client.send(b"x").unwrap();
            assert_eq!(listener.accept().unwrap().recv(&mut [0]).unwrap(), 1);
        });
    }

    #[test]
    fn a_path_is_the_pipe_at_that_path() {
        in_time(|| {
            let path = unique_path();
            let listener = Listener::bind(&path).unwrap();
            let mut client = std::fs::OpenOptions::new().read(true).write(true).open(&*path).unwrap();
            client.write_all(b"x").unwrap();
            assert_eq!(listener.accept().unwrap().recv(&mut [0]).unwrap(), 1);
        });
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use interprocess::os::unix::local_socket::SpecialDirUdSocket;
    use std::{
        fs,
        io::{Read, Write},
        os::unix::{
            ffi::OsStrExt,
            fs::{FileTypeExt, PermissionsExt},
            net::{UnixListener, UnixStream},
        },
    };
    use support::{Child, TempDir};

    #[test]
    fn bytes_that_are_not_unicode_are_kept_and_shown_as_well_as_possible() {
        let text = OsStr::from_bytes(b"@a\xffb");
        let name = text.to_name().unwrap();
        assert_eq!(name.as_os_str().as_bytes(), b"a\xffb");
        assert_eq!(name.to_string(), "@a\u{fffd}b");
        assert_eq!(CString::new(b"@a\xffb").unwrap().to_name().unwrap(), name);
    }

    // Other systems have file systems that refuse such names.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn bytes_that_are_not_unicode_name_a_socket_like_any_other() {
        in_time(|| {
            let name = unique_name();
            let with_odd_byte = |byte: u8| {
                let mut text = name.as_bytes().to_vec();
                text.push(byte);
                OsStr::from_bytes(&text).to_os_string()
            };
            let _one = Listener::bind(with_odd_byte(0xfe)).unwrap();
            // Another name, though it looks the same on the screen.
            let _other = Listener::bind(with_odd_byte(0xff)).unwrap();
            Stream::connect(with_odd_byte(0xff)).unwrap();
        });
    }

    #[test]
    fn only_names_that_leave_a_file_have_one() {
        assert_eq!(PATH.to_name().unwrap().file(), Some(PathBuf::from(PATH)));
        assert!("x".to_ns_name::<SpecialDirUdSocket>().unwrap().file().unwrap().ends_with("x"));
        let namespaced = "@x".to_name().unwrap().file();
        if cfg!(any(target_os = "linux", target_os = "android")) {
            assert_eq!(namespaced, None);
        } else {
            assert!(namespaced.unwrap().ends_with("x"));
        }
    }

    /// Exchanges a few bytes, of which the other side of the test knows nothing but that they are bytes.
    fn assert_are_connected(mut plain: UnixStream, ours: &Stream) {
        plain.write_all(b"plain").unwrap();
        let mut buf = [0; 5];
        { ours }.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"plain");
        ours.send(b"bytes").unwrap();
        plain.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"bytes");
    }

    #[test]
    fn a_path_is_the_socket_file_at_that_path_for_programs_that_know_nothing_of_us() {
        in_time(|| {
            let path = unique_path();
            let listener = Listener::bind(&path).unwrap();
            assert!(fs::symlink_metadata(&*path).unwrap().file_type().is_socket());
            // The only thing that is left there.
            assert_eq!(fs::read_dir(path.dir()).unwrap().count(), 1);
            let client = UnixStream::connect(&*path).unwrap();
            assert_are_connected(client, &listener.accept().unwrap());
            drop(listener);
            assert_eq!(fs::read_dir(path.dir()).unwrap().count(), 0);

            let listener = UnixListener::bind(&*path).unwrap();
            let client = Stream::connect(&path).unwrap();
            assert_are_connected(listener.accept().unwrap().0, &client);
        });
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_namespaced_name_is_an_abstract_address_without_padding() {
        #[cfg(target_os = "android")]
        use std::os::android::net::SocketAddrExt;
        #[cfg(target_os = "linux")]
        use std::os::linux::net::SocketAddrExt;

        in_time(|| {
            let name = unique_name();
            let listener = Listener::bind(&name).unwrap();
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
            let client = UnixStream::connect_addr(&address).unwrap();
            assert_eq!(client.peer_addr().unwrap().as_abstract_name().unwrap(), &name.as_bytes()[1..]);
            assert_are_connected(client, &listener.accept().unwrap());
            drop(listener);

            let listener = UnixListener::bind_addr(&address).unwrap();
            let client = Stream::connect(&name).unwrap();
            assert_are_connected(listener.accept().unwrap().0, &client);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_lists_a_namespaced_name_as_it_is_written() {
        in_time(|| {
            let name = unique_name();
            let _listener = Listener::bind(&name).unwrap();
            let sockets = fs::read("/proc/net/unix").unwrap();
            let sockets = String::from_utf8_lossy(&sockets);
            // The kernel shows NUL as '@', so padding would be seen.
            let line = sockets.lines().find(|line| line.contains(&name[1..])).expect("not listed");
            assert_eq!(line.split_whitespace().last(), Some(&*name));
        });
    }

    #[test]
    fn a_relative_path_is_relative_to_the_directory_of_the_moment() {
        // Nothing is created: another test may look at the directory.
        let name = "some/where".to_name().unwrap();
        assert_eq!(name.file(), Some(PathBuf::from("some/where")));
        let error = Listener::bind("no-such-directory-here/socket").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("no-such-directory-here/socket"), "{error}");
    }

    /// Listens on a name in the runtime directory, says which file that is, and answers one client.
    pub(super) fn serve_in_runtime_directory(arguments: &[String]) {
        let name = arguments[0].as_str().to_ns_name::<SpecialDirUdSocket>().unwrap();
        let listener = Listener::bind(&name).unwrap();
        // By the name, and then by the file.
        Stream::connect(&name).unwrap().send(b"x").unwrap();
        assert_eq!(listener.accept().unwrap().recv(&mut [0]).unwrap(), 1);
        support::say(name.file().unwrap().display());
        listener.accept().unwrap().send(b"y").unwrap();
        drop(listener);
    }

    fn assert_serves_in(runtime_dir: Option<&Path>, wanted: &Path) {
        let text = support::unique();
        let mut command = Child::command("serve_in_runtime_directory", &[&text]);
        match runtime_dir {
            Some(dir) => command.env("XDG_RUNTIME_DIR", dir),
            None => command.env_remove("XDG_RUNTIME_DIR"),
        };
        let child = Child::spawn(&mut command);
        let file = PathBuf::from(child.hear());
        assert_eq!(file, wanted.join(&text));
        assert!(fs::symlink_metadata(&file).unwrap().file_type().is_socket());
        assert_eq!(fs::symlink_metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        UnixStream::connect(&file).unwrap().read_exact(&mut [0]).unwrap();
        child.finish();
        assert!(fs::symlink_metadata(&file).is_err(), "it was left over");
    }

    #[test]
    fn names_of_the_user_are_in_the_runtime_directory_if_that_is_private() {
        in_time(|| {
            let dir = TempDir::new();
            assert_serves_in(Some(&dir), &dir);
        });
    }

    #[test]
    fn names_of_the_user_are_where_such_names_are_as_a_rule_or_in_tmp_if_the_variable_names_no_private_directory()
     {
        in_time(|| {
            let wanted = &*support::usual_runtime_directory().unwrap_or("/tmp".into());
            assert_serves_in(None, wanted);
            assert_serves_in(Some(Path::new("")), wanted);
            assert_serves_in(Some(Path::new("/no/such/directory")), wanted);
            let dir = TempDir::new();
            fs::set_permissions(&*dir, fs::Permissions::from_mode(0o755)).unwrap();
            assert_serves_in(Some(&dir), wanted);
            let inner = dir.join("inner");
            fs::create_dir(&inner).unwrap();
            fs::set_permissions(&inner, fs::Permissions::from_mode(0o700)).unwrap();
            let link = dir.join("link");
            std::os::unix::fs::symlink(&inner, &link).unwrap();
            assert_serves_in(Some(&link), wanted);
        });
    }

    #[test]
    fn a_name_in_the_runtime_directory_cannot_leave_it() {
        for text in ["../x", "a/b", "/x", ".", ".."] {
            assert_invalid(text.to_ns_name::<SpecialDirUdSocket>(), "'/'");
        }
    }
}
