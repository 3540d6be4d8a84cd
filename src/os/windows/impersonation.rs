//! Acting as the client of a pipe.

use crate::sys::windows::security::Impersonation;
use std::{
    io,
    marker::PhantomData,
    os::windows::io::{BorrowedHandle, OwnedHandle},
};
use windows_sys::Win32::Security::{TOKEN_DUPLICATE, TOKEN_IMPERSONATE, TOKEN_QUERY};

/// While this lives, the calling thread acts as the client of a pipe: what it opens, it opens with the client's rights.
///
/// Dropping it makes the thread what it was before: itself, or whoever it acted as already, so that guards can be nested.
/// If they are dropped in another order, the thread acts as the client of the latest that is left. A guard cannot be sent to
/// another thread. One that is leaked ([`mem::forget`](std::mem::forget)) leaves the thread as the client for good.
///
/// If the thread cannot be made what it was before, the process is aborted: to go on as somebody else would be worse.
///
/// It comes from [`PipeStream::impersonate_client`](super::named_pipe::PipeStream::impersonate_client). The stream of a
/// [local socket](crate::local_socket::Stream) is made a `PipeStream` first: see
/// [`os::windows::local_socket`](super::local_socket), which also has an example of both ends.
///
/// The client decides how far this goes ([`level`](Self::level)). Clients of this crate allow
/// [identification](ImpersonationLevel::Identification) and no more, unless told otherwise: then the server can ask who the
/// client is, but it can open nothing in the client's name. A server needs the privilege `SeImpersonatePrivilege`, which
/// services and administrators have, to act as a client of another user; without it, it gets the identification only.
///
/// Stands on `ImpersonateNamedPipeClient`, and on `RevertToSelf` or `SetThreadToken`.
///
/// ```
/// use interprocess::os::windows::{ImpersonationGuard, ImpersonationLevel};
///
/// /// Reads a file with the rights of the client.
/// fn read_as(client: &ImpersonationGuard, path: &str) -> std::io::Result<Vec<u8>> {
///     if client.level()? < ImpersonationLevel::Impersonation {
///         return Err(std::io::ErrorKind::PermissionDenied.into());
///     }
///     std::fs::read(path)
/// }
/// ```
///
/// ```compile_fail
/// fn leave_thread(client: interprocess::os::windows::ImpersonationGuard) {
///     std::thread::spawn(move || drop(client));
/// }
/// ```
#[derive(Debug)]
#[must_use = "the thread acts as the client only for as long as this lives"]
pub struct ImpersonationGuard {
    inner: Impersonation,
    /// What it changes is the thread's: it is neither `Send` nor `Sync`.
    of_thread: PhantomData<*mut ()>,
}

impl ImpersonationGuard {
    /// Acts as the client of `pipe`, of which this is the server's end.
    pub(crate) fn of_client(pipe: BorrowedHandle<'_>) -> io::Result<Self> {
        Ok(Self { inner: Impersonation::of_client(pipe)?, of_thread: PhantomData })
    }

    /// The token that the thread acts with, the client's. It may be asked about, duplicated, and set as a thread's token
    /// later (`TOKEN_QUERY`, `TOKEN_DUPLICATE`, `TOKEN_IMPERSONATE`); it outlives the guard.
    ///
    /// Stands on `OpenThreadToken`.
    ///
    /// # Errors
    /// The token of an anonymous client cannot be opened (`ERROR_CANT_OPEN_ANONYMOUS`).
    ///
    /// ```
    /// use interprocess::os::windows::ImpersonationGuard;
    /// use std::os::windows::io::OwnedHandle;
    ///
    /// fn token_of(client: ImpersonationGuard) -> std::io::Result<OwnedHandle> {
    ///     client.token()
    ///     // Here the thread is itself again.
    /// }
    /// ```
    pub fn token(&self) -> io::Result<OwnedHandle> {
        self.inner.token(TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE)
    }

    /// How far the client lets the server act for it.
    ///
    /// Stands on `GetTokenInformation` (`TokenImpersonationLevel`).
    ///
    /// # Platform-specific behaviour
    /// Wine gives the server a token that it may act with, whatever the client allowed.
    ///
    /// ```
    /// use interprocess::os::windows::{ImpersonationGuard, ImpersonationLevel};
    ///
    /// fn is_known(client: &ImpersonationGuard) -> std::io::Result<bool> {
    ///     Ok(client.level()? > ImpersonationLevel::Anonymous)
    /// }
    /// ```
    pub fn level(&self) -> io::Result<ImpersonationLevel> {
        self.inner.level()
    }
}

/// How far a client lets a server act for it: each level includes those before it (`SECURITY_IMPERSONATION_LEVEL`).
///
/// ```
/// use interprocess::os::windows::ImpersonationLevel;
///
/// assert!(ImpersonationLevel::Identification < ImpersonationLevel::Impersonation);
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ImpersonationLevel {
    /// The server does not learn who the client is.
    Anonymous,
    /// The server may ask who the client is and what it may do.
    #[default]
    Identification,
    /// The server may act as the client on this machine.
    Impersonation,
    /// The server may act as the client on other machines too.
    Delegation,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        local_socket::{Listener, Stream},
        sys::windows::security::is_thread_itself,
    };
    use std::{
        os::windows::io::AsHandle,
        sync::atomic::{AtomicU32, Ordering::Relaxed},
    };

    fn pair() -> [Stream; 2] {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("@interprocess-impersonation-{}-{}", std::process::id(), CALLS.fetch_add(1, Relaxed));
        let listener = Listener::bind(name.as_str()).unwrap();
        let client = Stream::connect(name.as_str()).unwrap();
        [listener.accept().unwrap(), client]
    }

    #[test]
    fn the_thread_acts_as_the_client_until_the_guard_is_dropped() {
        let [server, _client] = pair();
        assert!(is_thread_itself().unwrap());
        let guard = ImpersonationGuard::of_client(server.as_handle()).unwrap();
        assert!(!is_thread_itself().unwrap());
        assert!(guard.level().unwrap() >= ImpersonationLevel::Identification);
        let token = guard.token().unwrap();
        drop(guard);
        assert!(is_thread_itself().unwrap());
        drop(token);
    }

    // Under Wine a token cannot be told from another of the same user, so that only whether there is one is seen.
    #[test]
    fn guards_are_nested() {
        let [outer, _client_1] = pair();
        let [inner, _client_2] = pair();
        let outer = ImpersonationGuard::of_client(outer.as_handle()).unwrap();
        {
            let _inner = ImpersonationGuard::of_client(inner.as_handle()).unwrap();
            assert!(!is_thread_itself().unwrap());
        }
        assert!(!is_thread_itself().unwrap());
        drop(outer);
        assert!(is_thread_itself().unwrap());
    }

    #[test]
    fn guards_that_are_dropped_in_any_order_leave_the_thread_itself() {
        const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

        let pairs = [pair(), pair(), pair()];
        for order in ORDERS {
            let mut guards =
                [0, 1, 2].map(|at| Some(ImpersonationGuard::of_client(pairs[at][0].as_handle()).unwrap()));
            for at in order {
                assert!(!is_thread_itself().unwrap(), "{order:?}");
                guards[at] = None;
            }
            assert!(is_thread_itself().unwrap(), "{order:?}");
        }
    }

    #[test]
    fn a_panic_makes_the_thread_itself_again() {
        let [server, _client] = pair();
        std::panic::catch_unwind(|| {
            let _guard = ImpersonationGuard::of_client(server.as_handle()).unwrap();
            std::panic::resume_unwind(Box::new(()));
        })
        .unwrap_err();
        assert!(is_thread_itself().unwrap());
    }

    #[test]
    fn other_threads_stay_themselves() {
        let [server, _client] = pair();
        let _guard = ImpersonationGuard::of_client(server.as_handle()).unwrap();
        std::thread::scope(|scope| {
            // A new thread starts as the process.
            assert!(scope.spawn(|| is_thread_itself().unwrap()).join().unwrap());
        });
    }

    #[test]
    fn a_client_cannot_act_as_its_server() {
        let [_server, client] = pair();
        ImpersonationGuard::of_client(client.as_handle()).unwrap_err();
        assert!(is_thread_itself().unwrap());
    }
}
