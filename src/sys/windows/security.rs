//! Who somebody is: tokens, and acting as a client.

pub(crate) use super::security_descriptor::SecurityDescriptor;

use super::overlapped::{has_code, os_error};
use crate::os::windows::{
    ImpersonationLevel,
    security_descriptor::{IntegrityLevel, Parts, Sid},
};
use std::{
    cell::RefCell,
    io,
    marker::PhantomData,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    process,
    ptr::null_mut,
    slice,
    sync::OnceLock,
};
use windows_sys::{
    Win32::{
        Foundation::{
            ERROR_CANNOT_IMPERSONATE, ERROR_CANT_OPEN_ANONYMOUS, ERROR_INSUFFICIENT_BUFFER,
            ERROR_INVALID_SID, ERROR_NO_TOKEN,
        },
        Security::{
            GetTokenInformation, PSID, RevertToSelf, SECURITY_IMPERSONATION_LEVEL,
            SecurityAnonymous as ANONYMOUS, SecurityIdentification as IDENTIFICATION,
            SecurityImpersonation as IMPERSONATION, TOKEN_IMPERSONATE, TOKEN_INFORMATION_CLASS,
            TOKEN_MANDATORY_LABEL, TOKEN_PRIMARY_GROUP, TOKEN_QUERY, TOKEN_USER, TokenImpersonationLevel,
            TokenIntegrityLevel, TokenPrimaryGroup, TokenUser,
        },
        System::{
            Pipes::ImpersonateNamedPipeClient,
            RemoteDesktop::ProcessIdToSessionId,
            Threading::{
                GetCurrentProcess, GetCurrentThread, OpenProcess, OpenProcessToken, OpenThreadToken,
                PROCESS_QUERY_LIMITED_INFORMATION, SetThreadToken,
            },
        },
    },
    core::BOOL,
};

/// The security identifier that a pointer points to.
///
/// # Safety
/// It points to a SID: as much as its count says can be read.
pub(super) unsafe fn copy_sid(sid: PSID) -> io::Result<Sid> {
    // SAFETY: the caller says so. The second byte is the number of words that follow the first two.
    let bytes = unsafe {
        let count = sid.cast::<u8>().add(1).read();
        slice::from_raw_parts(sid.cast::<u8>(), 8 + 4 * usize::from(count))
    };
    Sid::from_bytes(bytes).ok_or_else(|| os_error(ERROR_INVALID_SID))
}

/// The user that this process runs as.
pub(crate) fn our_user() -> io::Result<&'static Sid> {
    // A process cannot change its user.
    static USER: OnceLock<Sid> = OnceLock::new();

    if let Some(user) = USER.get() {
        return Ok(user);
    }
    let user = token_user(our_token()?.as_handle())?;
    Ok(USER.get_or_init(|| user))
}

/// The primary group of the user that this process runs as.
pub(crate) fn our_group() -> io::Result<Sid> {
    token_primary_group(our_token()?.as_handle())
}

/// Who a client is.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Client {
    pub(crate) user: Sid,
    pub(crate) integrity_level: Option<IntegrityLevel>,
}

/// Who the client of this pipe was when it connected.
///
/// # Errors
/// The system does not tell before something was read from the pipe if the client asked for that (dynamic
/// tracking, which is what a client gets that asks for nothing); nor if the client asked to be anonymous.
pub(crate) fn client_of(pipe: BorrowedHandle<'_>) -> Result<Client, ClientError> {
    let client = Impersonation::of_client(pipe).map_err(|error| {
        if has_code(&error, ERROR_CANNOT_IMPERSONATE) {
            ClientError::NotTold
        } else {
            ClientError::Hidden(error)
        }
    })?;
    let token = client.token(TOKEN_QUERY);
    drop(client);
    // From here on the thread is itself again.
    let ask = |token: OwnedHandle| {
        let token = token.as_handle();
        Ok(Client { user: token_user(token)?, integrity_level: token_integrity_level(token).ok() })
    };
    token.and_then(ask).map_err(ClientError::Hidden)
}

/// Why the user of a client is not known.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// The system does not tell, or not yet.
    NotTold,
    /// The client does not want to be known, or asking failed.
    Hidden(io::Error),
}

/// A thread that acts as somebody else. Dropping it makes the thread what it was before. If another was begun later and goes
/// on, it is that one that will.
#[derive(Debug)]
pub(crate) struct Impersonation {
    number: u64,
    /// It is the thread's.
    of_thread: PhantomData<*mut ()>,
}

#[allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; Clippy does not see it for every target"
)]
mod of_thread {
    use super::{OwnedHandle, RefCell};

    thread_local! {
        /// What the thread was before each impersonation that goes on, by its number, the latest last.
        pub(super) static BEFORE: RefCell<Vec<(u64, Option<OwnedHandle>)>> = const { RefCell::new(Vec::new()) };
    }
}
use of_thread::BEFORE;

impl Impersonation {
    pub(crate) fn of_client(pipe: BorrowedHandle<'_>) -> io::Result<Self> {
        // SAFETY: the handle is open.
        Self::begin(thread_token(TOKEN_IMPERSONATE)?, || unsafe {
            ImpersonateNamedPipeClient(pipe.as_raw_handle())
        })
    }

    fn begin(before: Option<OwnedHandle>, act: impl FnOnce() -> BOOL) -> io::Result<Self> {
        let begun = BEFORE.try_with(|all| {
            let mut all = all.borrow_mut();
            all.reserve(1);
            if act() == 0 {
                return Err(io::Error::last_os_error());
            }
            let number = all.last().map_or(0, |(number, _)| number + 1);
            all.push((number, before));
            Ok(Self { number, of_thread: PhantomData })
        });
        begun.unwrap_or_else(|_| Err(io::Error::other("the thread is ending")))
    }

    /// The token that the thread acts with, with these rights to it.
    #[allow(clippy::unused_self, reason = "it is what makes the answer mean something")]
    pub(crate) fn token(&self, access: u32) -> io::Result<OwnedHandle> {
        thread_token(access)?.ok_or_else(|| os_error(ERROR_NO_TOKEN))
    }

    /// How far it goes.
    pub(crate) fn level(&self) -> io::Result<ImpersonationLevel> {
        match self.token(TOKEN_QUERY) {
            Ok(token) => token_impersonation_level(token.as_handle()),
            Err(error) if has_code(&error, ERROR_CANT_OPEN_ANONYMOUS) => Ok(ImpersonationLevel::Anonymous),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Impersonation {
    fn drop(&mut self) {
        let before = BEFORE.try_with(|all| {
            let mut all = all.borrow_mut();
            let at = all.iter().position(|&(number, _)| number == self.number)?;
            let (_, before) = all.remove(at);
            match all.get_mut(at) {
                None => Some(before),
                // Not the latest: the thread goes on as whom that one has made it.
                Some((_, before_later)) => {
                    *before_later = before;
                    None
                }
            }
        });
        let before = match before {
            Ok(Some(before)) => before,
            Ok(None) => return,
            // The thread is ending.
            Err(_) => None,
        };
        // SAFETY: the token is open; a null thread is the calling one.
        let reverted = unsafe {
            match &before {
                None => RevertToSelf(),
                Some(token) => SetThreadToken(null_mut(), token.as_raw_handle()),
            }
        };
        if reverted == 0 {
            // To go on as somebody else would be worse.
            process::abort();
        }
    }
}

/// Whether this is our user, or somebody who could do all that our user can.
pub(crate) fn is_ours(sid: &Sid) -> io::Result<bool> {
    Ok(sid.is_all_powerful() || sid == our_user()?)
}

/// Does something as the process, whoever the thread acts as.
pub(crate) fn as_process<T>(action: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(before) = thread_token(TOKEN_IMPERSONATE)? else { return action() };
    // SAFETY: no preconditions.
    let _itself = Impersonation::begin(Some(before), || unsafe { RevertToSelf() })?;
    action()
}

/// The token of the calling thread, if it has one of its own.
fn thread_token(access: u32) -> io::Result<Option<OwnedHandle>> {
    let mut token = null_mut();
    // SAFETY: the thread's pseudo handle is always valid, and `token` outlives the call. The process itself
    // asks (1), since whom it acts as may not be allowed to.
    if unsafe { OpenThreadToken(GetCurrentThread(), access, 1, &raw mut token) } == 0 {
        let error = io::Error::last_os_error();
        return if has_code(&error, ERROR_NO_TOKEN) { Ok(None) } else { Err(error) };
    }
    // SAFETY: OpenThreadToken succeeded, so the handle is open and ours.
    Ok(Some(unsafe { OwnedHandle::from_raw_handle(token) }))
}

/// Whether the calling thread acts as the process does, and not as somebody else.
#[cfg(test)]
pub(crate) fn is_thread_itself() -> io::Result<bool> {
    thread_token(TOKEN_QUERY).map(|token| token.is_none())
}

fn our_token() -> io::Result<OwnedHandle> {
    // Whom the thread acts as may not be allowed to ask.
    // SAFETY: the process's pseudo handle is always valid.
    as_process(|| token_of_process(unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) }))
}

fn token_of_process(process: BorrowedHandle<'_>) -> io::Result<OwnedHandle> {
    let mut token = null_mut();
    // SAFETY: the handle is open, and `token` outlives the call.
    if unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: OpenProcessToken succeeded, so the handle is open and ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

fn token_user(token: BorrowedHandle<'_>) -> io::Result<Sid> {
    let information = token_information(token, TokenUser)?;
    // SAFETY: for this class, the buffer holds a TOKEN_USER, whose SID is in the same buffer; it is aligned
    // for pointers.
    unsafe { copy_sid((*information.as_ptr().cast::<TOKEN_USER>()).User.Sid) }
}

fn token_primary_group(token: BorrowedHandle<'_>) -> io::Result<Sid> {
    let information = token_information(token, TokenPrimaryGroup)?;
    // SAFETY: for this class, the buffer holds a TOKEN_PRIMARY_GROUP, whose SID is in the same buffer,
    // aligned as above.
    unsafe { copy_sid((*information.as_ptr().cast::<TOKEN_PRIMARY_GROUP>()).PrimaryGroup) }
}

fn token_integrity_level(token: BorrowedHandle<'_>) -> io::Result<IntegrityLevel> {
    let information = token_information(token, TokenIntegrityLevel)?;
    // SAFETY: for this class, the buffer holds a TOKEN_MANDATORY_LABEL, whose SID is in the same buffer,
    // aligned as above.
    let label = unsafe { copy_sid((*information.as_ptr().cast::<TOKEN_MANDATORY_LABEL>()).Label.Sid) }?;
    label
        .subauthorities()
        .last()
        .copied()
        .map(IntegrityLevel::from_raw)
        .ok_or_else(|| os_error(ERROR_INVALID_SID))
}

fn token_impersonation_level(token: BorrowedHandle<'_>) -> io::Result<ImpersonationLevel> {
    let information = token_information(token, TokenImpersonationLevel)?;
    // SAFETY: for this class, the buffer holds a SECURITY_IMPERSONATION_LEVEL, a number.
    Ok(match unsafe { *information.as_ptr().cast::<SECURITY_IMPERSONATION_LEVEL>() } {
        ANONYMOUS => ImpersonationLevel::Anonymous,
        IDENTIFICATION => ImpersonationLevel::Identification,
        IMPERSONATION => ImpersonationLevel::Impersonation,
        _ => ImpersonationLevel::Delegation,
    })
}

/// The integrity level of a process; another process if this one is gone.
pub(crate) fn integrity_level_of_process(pid: u32) -> io::Result<IntegrityLevel> {
    token_integrity_level(token_of_process(open_process(pid)?.as_handle())?.as_handle())
}

fn open_process(pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: it takes numbers only.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if process.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: OpenProcess succeeded, so the handle is open and ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(process) })
}

/// Whom a process runs as; another process if this one is gone.
pub(crate) fn client_of_process(pid: u32) -> io::Result<Client> {
    let token = token_of_process(open_process(pid)?.as_handle())?;
    let token = token.as_handle();
    Ok(Client { user: token_user(token)?, integrity_level: token_integrity_level(token).ok() })
}

/// The session that a process runs in; another process if this one is gone.
pub(crate) fn session_of_process(pid: u32) -> io::Result<u32> {
    let mut session = 0;
    // SAFETY: `session` outlives the call.
    match unsafe { ProcessIdToSessionId(pid, &raw mut session) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(session),
    }
}

/// A piece of information about a token, of variable length, aligned for pointers.
fn token_information(token: BorrowedHandle<'_>, class: TOKEN_INFORMATION_CLASS) -> io::Result<Vec<usize>> {
    let mut buffer = vec![0_usize; 16];
    loop {
        let len = u32::try_from(size_of_val(&*buffer)).map_err(|_| os_error(ERROR_INSUFFICIENT_BUFFER))?;
        let mut needed = 0;
        // SAFETY: the buffer has `len` bytes, and the handle is open.
        let done = unsafe {
            GetTokenInformation(
                token.as_raw_handle(),
                class,
                buffer.as_mut_ptr().cast(),
                len,
                &raw mut needed,
            )
        };
        if done != 0 {
            return Ok(buffer);
        }
        let error = io::Error::last_os_error();
        if !has_code(&error, ERROR_INSUFFICIENT_BUFFER) || needed <= len {
            return Err(error);
        }
        buffer.resize((needed as usize).div_ceil(size_of::<usize>()), 0);
    }
}

/// The owner of a kernel object, a pipe for one.
pub(crate) fn owner_of(handle: BorrowedHandle<'_>) -> io::Result<Sid> {
    SecurityDescriptor::of_handle(handle, Parts::OWNER)?
        .borrow()
        .owner()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the object has no owner"))
}
