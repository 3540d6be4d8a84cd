//! Children that get exactly what they are given: ends of pipes, streams, listeners, files, under names.
//!
//! The parent starts a child by an ordinary [`Command`](std::process::Command), std's or Tokio's, and says what
//! the child is to have; [`Give`] adds that to it. The child asks for it by name.
//!
//! ```no_run
//! use interprocess::{child::{self, Give}, unnamed_pipe::{Recver, pipe}};
//! use std::{io::{self, Read, Write}, process::Command};
//!
//! # fn parent() -> io::Result<()> {
//! // The parent:
//! let (mut jobs, theirs) = pipe()?;
//! let mut child = Command::new("worker").give("jobs", theirs).spawn()?;
//! jobs.write_all(b"things to do")?;
//! drop(jobs); // the child gets to the end of the stream
//! child.wait()?;
//! # Ok(())
//! # }
//!
//! # fn child() -> io::Result<()> {
//! // The child:
//! let mut jobs: Recver = child::inherited("jobs")?;
//! let mut text = String::new();
//! jobs.read_to_string(&mut text)?;
//! # Ok(())
//! # }
//! ```
//!
//! What is given by value is closed here as soon as the child has it, so that a stream ends when the child's end of it is closed, and the
//! parent does not keep it open by accident. What is given by reference stays open here, too.
//!
//! # Nothing else
//! - No other child gets what this one is given, whatever other threads start at the same time: it never
//!   becomes inheritable in this process.
//! - The child gets its standard streams and what it is given. Other descriptors, those that somebody left open on `exec` included,
//!   are closed on Unix.
//! - What the child does not ask for stays with it; once it has [asked](inherited) for anything, its own children inherit none of it.
//!
//! # Platform-specific behaviour
//! - Unix: the descriptors lose their close-on-exec flag in the forked child, and all others get it
//!   (`close_range(2)` on Linux since 5.11; elsewhere up to the limit of descriptors, or 65,536). The child finds their numbers in the variable
//!   `INTERPROCESS_INHERITED`, along with what each of them has to be.
#![cfg_attr(
    unix,
    doc = "  A program that expects a certain number, instead of a name, gets one by [`GivingExt`](crate::os::unix::child::GivingExt)."
)]
//! - Windows: the handles are duplicated into the child (`DuplicateHandle`), never inherited. The variable has the name of a section of memory
//!   that lists them; a child that asks before they are there waits. What *others* made inheritable in the parent,
//!   and the parent's own standard streams, is inherited by every child that std or Tokio starts.
#![cfg_attr(
    windows,
    doc = "  To keep even that out, give to an [`os::windows::process::Command`](crate::os::windows::process::Command)."
)]
//!
//! The parent is trusted: it could do anything to its child. A variable that is missing, malformed, or left over from an ancestor
//! is an error.

pub(crate) mod table;

use crate::{
    error::about,
    sys::child as sys,
    unnamed_pipe::{Recver, Sender},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Mutex, PoisonError},
};

#[cfg(unix)]
pub(crate) use std::os::fd::OwnedFd as Owned;
#[cfg(windows)]
pub(crate) use std::os::windows::io::OwnedHandle as Owned;

#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsHandle;

/// Adds to a `Command` what the child is to have: to [`std::process::Command`], with the feature `tokio` to Tokio's, and on Windows
/// to that of `os::windows::process`.
///
/// ```no_run
/// use interprocess::{child::Give, local_socket::Stream};
/// use std::{fs::File, process::Command};
///
/// let log = File::create("log")?;
/// let child = Command::new("worker")
///     .arg("--quiet")
///     .give("server", Stream::connect("@example")?)
///     .give("log", &log)
///     .spawn()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Give: Sized + private::Command {
    /// Starts a list of what the child is to have, with `object` under that name. See [`Giving::give`].
    fn give(&mut self, name: &str, object: impl Inherit) -> Giving<'_, Self>;
}

impl<C: private::Command> Give for C {
    fn give(&mut self, name: &str, object: impl Inherit) -> Giving<'_, C> {
        Giving::new(self).give(name, object)
    }
}

/// What a child can be given: whatever has a descriptor (Unix) or a handle (Windows) to lend.
///
/// # Platform-specific behaviour
/// - Unix: parent and child share the open file: its position, and whether it is nonblocking. An async object is
///   nonblocking, and so is the end of a pipe that ever had a timeout.
/// - Windows: bytes that an object has read ahead (after nonblocking or async receiving) do not go along. A
///   [listener](crate::local_socket::Listener) has no handle of its own to lend; it can be given all the same.
pub trait Inherit {
    #[doc(hidden)]
    fn duplicate(self) -> io::Result<Owned>;
}

#[cfg(unix)]
impl<T: AsFd> Inherit for T {
    fn duplicate(self) -> io::Result<Owned> {
        self.as_fd().try_clone_to_owned()
    }
}

#[cfg(windows)]
impl<T: AsHandle> Inherit for T {
    fn duplicate(self) -> io::Result<Owned> {
        self.as_handle().try_clone_to_owned()
    }
}

/// What a child is to have, and the command that starts it. From [`Give::give`].
#[derive(Debug)]
#[must_use = "nothing is started before `spawn`"]
pub struct Giving<'c, C> {
    command: &'c mut C,
    parcels: io::Result<sys::Parcels>,
}

impl<'c, C: private::Command> Giving<'c, C> {
    pub(crate) fn new(command: &'c mut C) -> Self {
        Self { command, parcels: Ok(sys::Parcels::default()) }
    }

    /// Gives the child `object` under that name. An object that comes by value, and not by reference, is dropped here; of a listener on Unix
    /// that means that its socket file is deleted, unless it is
    /// [told not to](crate::local_socket::Listener::do_not_reclaim_name_on_drop).
    ///
    /// Names are text of at most 255 bytes without control characters, `=` and `;`. Errors come with [`spawn`](Self::spawn).
    pub fn give(self, name: &str, object: impl Inherit) -> Self {
        self.add(|parcels| {
            table::check_name(name)?;
            parcels.add(name, object.duplicate().map_err(|error| about(name, error))?)
        })
    }

    pub(crate) fn add(mut self, add: impl FnOnce(&mut sys::Parcels) -> io::Result<()>) -> Self {
        if let Ok(parcels) = &mut self.parcels {
            if let Err(error) = add(parcels) {
                self.parcels = Err(error);
            }
        }
        self
    }

    /// Starts the child, as `spawn` of the command does, with what it was given and nothing else. The command can then be used again,
    /// for a child that gets something else, or nothing.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): a name is not possible, or is there twice.
    /// - The system's: an object could not be duplicated, or those of the command.
    ///
    /// No child is left behind by an error.
    ///
    /// # Platform-specific behaviour
    /// Stands on `pre_exec` of std's `CommandExt` on Unix (so that children are started by `fork(2)`), and on `DuplicateHandle` on Windows.
    pub fn spawn(self) -> io::Result<C::Child> {
        sys::spawn(self.command, self.parcels?)
    }
}

/// Takes what the parent has given to this process under that name. Each is there once.
///
/// `T` can be what the parent gave, or anything that a descriptor or handle can be made into; what is given as an async object
/// is taken as a blocking one, which then becomes async.
///
/// # Errors
/// - [`NotFound`](io::ErrorKind::NotFound): nothing was given, or nothing under that name is left, or it was given to another process.
/// - [`InvalidData`](io::ErrorKind::InvalidData): the environment does not make sense.
/// - [`InvalidInput`](io::ErrorKind::InvalidInput): it is something else than a `T`. It is closed.
/// - [`TimedOut`](io::ErrorKind::TimedOut): on Windows, the parent has not said within half a minute what it gives.
///
/// # Platform-specific behaviour
/// - Unix: a descriptor is taken if it has the number that the environment says, was open before this program was executed, and is of the object
///   that the parent had. What code in other languages has opened since, without close-on-exec, cannot be told from it: ask early.
/// - Unix: who passes [`accept`](crate::local_socket::Listener::accept) of a listener is, to begin with, our user and root.
#[cfg_attr(
    unix,
    doc = "  [`ListenerExt::set_access`](crate::os::unix::local_socket::ListenerExt::set_access) changes that."
)]
///
/// ```
/// use interprocess::{child, local_socket::Listener};
/// use std::io::ErrorKind;
///
/// # let name = format!("@interprocess-doc-inherited-{}", std::process::id());
/// # let name = name.as_str();
/// // Serves what the parent listens on, or a name of its own if there is no such parent.
/// let listener = match child::inherited("listener") {
///     Err(error) if error.kind() == ErrorKind::NotFound => Listener::bind(name)?,
///     result => result?,
/// };
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn inherited<T: FromInherited>(name: &str) -> io::Result<T> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = match &mut *given {
        Some(given) => given,
        // Failing, the next call tries again: nothing was taken.
        none => none.insert(sys::claim()?),
    };
    let Some(object) = given.remove(name) else {
        let left = given.keys().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let left = if left.is_empty() { "nothing".to_owned() } else { left };
        let why =
            format!("nothing named {name:?} is left of what was given to this process; there is {left}");
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    };
    object.and_then(T::from_inherited).map_err(|error| about(name, error))
}

/// What was given to this process and not taken yet, once somebody has asked. By then it is out of the reach of children.
static GIVEN: Mutex<Option<Given>> = Mutex::new(None);

pub(crate) type Given = BTreeMap<String, io::Result<Owned>>;

/// What [`inherited`] can give out. For anything else, take an `OwnedFd` or `OwnedHandle`, and convert it.
pub trait FromInherited: Sized {
    #[doc(hidden)]
    fn from_inherited(object: Owned) -> io::Result<Self>;
}

/// Types that a descriptor or handle can be made into.
macro_rules! from_inherited {
    ($($kind:ty),+ $(,)?) => {$(
        impl crate::child::FromInherited for $kind {
            fn from_inherited(object: crate::child::Owned) -> std::io::Result<Self> {
                Ok(object.into())
            }
        }
    )+};
    (try $($kind:ty),+ $(,)?) => {$(
        impl crate::child::FromInherited for $kind {
            fn from_inherited(object: crate::child::Owned) -> std::io::Result<Self> {
                object.try_into().map_err(std::io::Error::from)
            }
        }
    )+};
}
pub(crate) use from_inherited;

from_inherited!(Owned, std::fs::File);
from_inherited!(try Recver, Sender);

#[cfg(has_std_pipe)]
#[allow(clippy::incompatible_msrv, reason = "the build script has asked for the version")]
mod std_pipe {
    super::from_inherited!(std::io::PipeReader, std::io::PipeWriter);
}

/// The commands, and what differs between them.
pub(crate) mod private {
    use super::io;
    #[cfg(windows)]
    use super::{AsHandle, table::VARIABLE};
    #[cfg(windows)]
    use std::os::windows::io::BorrowedHandle;

    /// Starts processes.
    pub trait Command {
        type Child;

        #[cfg(unix)]
        fn as_std(&mut self) -> &mut std::process::Command;

        /// Sets the variable that tells the child where to look, or takes it away.
        #[cfg(windows)]
        fn set_variable(&mut self, value: Option<&str>);

        /// The process, with every right. `None` if it has ended and been forgotten.
        #[cfg(windows)]
        fn process(child: &Self::Child) -> Option<BorrowedHandle<'_>>;

        fn spawn(&mut self) -> io::Result<Self::Child>;
    }

    impl Command for std::process::Command {
        type Child = std::process::Child;

        #[cfg(unix)]
        fn as_std(&mut self) -> &mut std::process::Command {
            self
        }

        #[cfg(windows)]
        fn set_variable(&mut self, value: Option<&str>) {
            set_variable(self, value);
        }

        #[cfg(windows)]
        fn process(child: &Self::Child) -> Option<BorrowedHandle<'_>> {
            Some(child.as_handle())
        }

        fn spawn(&mut self) -> io::Result<Self::Child> {
            self.spawn()
        }
    }

    #[cfg(feature = "tokio")]
    impl Command for tokio::process::Command {
        type Child = tokio::process::Child;

        #[cfg(unix)]
        fn as_std(&mut self) -> &mut std::process::Command {
            self.as_std_mut()
        }

        #[cfg(windows)]
        fn set_variable(&mut self, value: Option<&str>) {
            set_variable(self.as_std_mut(), value);
        }

        #[cfg(windows)]
        fn process(child: &Self::Child) -> Option<BorrowedHandle<'_>> {
            // SAFETY: it is the handle of the process, which `child`, borrowed here, closes when it is waited for or dropped.
            child.raw_handle().map(|handle| unsafe { BorrowedHandle::borrow_raw(handle) })
        }

        fn spawn(&mut self) -> io::Result<Self::Child> {
            self.spawn()
        }
    }

    #[cfg(windows)]
    fn set_variable(command: &mut std::process::Command, value: Option<&str>) {
        match value {
            Some(value) => command.env(VARIABLE, value),
            None => command.env_remove(VARIABLE),
        };
    }
}
