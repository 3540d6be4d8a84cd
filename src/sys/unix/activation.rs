//! Listeners that a service manager opened and passed on (`sd_listen_fds(3)`).

use super::{
    inherited::{self, FIRST, Refusal},
    listener::Listener,
};
use crate::local_socket::Name;
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::{
    env,
    ffi::OsString,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Mutex,
};

/// Which of the passed descriptors have an owner by now. Each is given away once.
static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// Takes the passed listener of that name (`FileDescriptorName=`), or the only one without a name to go by.
pub(crate) fn take(name: Option<&str>) -> io::Result<(Listener, Name<'static>)> {
    let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let passed = passed(
        env::var_os("LISTEN_PID"),
        env::var_os("LISTEN_FDS"),
        env::var_os("LISTEN_FDNAMES"),
        std::process::id(),
    )?;
    let mut wanted = passed.into_iter().filter(|(fd, its_name)| {
        !taken.contains(fd) && name.is_none_or(|name| its_name.as_deref() == Some(name))
    });
    let Some((fd, _)) = wanted.next() else {
        return Err(not_passed(&name.map_or_else(
            || "no listener is left of those that were passed to this process".to_owned(),
            |name| format!("no listener named {name:?} is left of those that were passed to this process"),
        )));
    };
    if name.is_none() && wanted.next().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "several listeners were passed: say which by its name",
        ));
    }
    let fd = adopt(fd)?;
    taken.push(fd.as_raw_fd());
    let name = super::name::of_socket(fd.as_fd());
    Ok((Listener::from_shared(fd), name))
}

/// The descriptors that the variables promise, from the first on that is possible (`SD_LISTEN_FDS_START`), with their names. The environment is not trusted: a number that
/// is not plausible is an error.
fn passed(
    pid: Option<OsString>,
    count: Option<OsString>,
    names: Option<OsString>,
    me: u32,
) -> io::Result<Vec<(RawFd, Option<String>)>> {
    let (Some(pid), Some(count)) = (pid, count) else {
        return Err(not_passed(
            "LISTEN_PID and LISTEN_FDS are not set, so no listener was passed to this process",
        ));
    };
    let number = |text: &OsString, variable: &str| {
        text.to_str().and_then(|text| text.parse::<u32>().ok()).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{variable} is {text:?}, which is not a number"),
            )
        })
    };
    if number(&pid, "LISTEN_PID")? != me {
        return Err(not_passed("LISTEN_PID names another process: the listeners were passed to that one"));
    }
    let count = number(&count, "LISTEN_FDS")?;
    let end = RawFd::try_from(count).ok().and_then(|count| FIRST.checked_add(count)).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("LISTEN_FDS is {count}, which is more than there can be"),
        )
    })?;
    let names = names.map(|names| names.to_string_lossy().into_owned()).unwrap_or_default();
    let mut names = names.split(':').map(|name| (!name.is_empty()).then(|| name.to_owned()));
    Ok((FIRST..end).take(MOST).map(|fd| (fd, names.next().flatten())).collect())
}

/// More than any service has, and few enough to list.
const MOST: usize = 4096;

fn not_passed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, why)
}

/// Makes sure that the number is that of a local socket that listens, and owns it. If the variables are left over from a program that
/// this one replaced, it may be of something that this process has opened itself.
fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    let wrong = |what: &str| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the descriptor {fd} that was passed is {what}"))
    };
    let check = |fd: BorrowedFd<'_>| {
        if sockopt::socket_type(fd).map_err(|_| wrong("not a socket"))? != SocketType::STREAM {
            return Err(wrong("not a stream socket"));
        }
        if rustix::net::getsockname(fd)?.address_family() != AddressFamily::UNIX {
            return Err(wrong("not a local socket"));
        }
        // Darwin declares the option, and does not have it.
        #[cfg(not(target_vendor = "apple"))]
        if !sockopt::socket_acceptconn(fd)? {
            return Err(wrong("a socket that does not listen"));
        }
        Ok(())
    };
    inherited::take(fd, check).map_err(|refusal| match refusal {
        Refusal::NotOpen => wrong("not open"),
        Refusal::Owned => wrong("already in use by this process"),
        Refusal::Wrong(error) => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pid: &str, count: &str, names: &str) -> io::Result<Vec<(RawFd, Option<String>)>> {
        passed(Some(pid.into()), Some(count.into()), Some(names.into()), 42)
    }

    #[test]
    fn names_follow_the_descriptors_in_order() {
        let found = with("42", "4", "web::admin").unwrap();
        assert_eq!(found, [(3, Some("web".into())), (4, None), (5, Some("admin".into())), (6, None)]);
    }

    #[test]
    fn a_forged_environment_is_a_clear_error() {
        assert_eq!(with("41", "1", "").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(with("42", "-1", "").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(with("42", "4294967295", "").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(with("x", "1", "").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(passed(None, None, None, 42).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_number_that_is_no_descriptor_is_refused() {
        let error = adopt(RawFd::MAX - 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("not open"), "{error}");
    }
}
