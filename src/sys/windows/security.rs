//! Who somebody is, and who may do what: security identifiers, tokens, security descriptors.

use super::{
    overlapped::{has_code, os_error},
    wide::{from_wide, to_wide},
};
use crate::local_socket::Access;
use std::{
    fmt::{self, Debug, Display, Formatter},
    io,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    process,
    ptr::{NonNull, null_mut},
    sync::OnceLock,
};
use windows_sys::Win32::{
    Foundation::{
        ERROR_CANNOT_IMPERSONATE, ERROR_INSUFFICIENT_BUFFER, ERROR_NO_TOKEN, ERROR_SUCCESS, LocalFree,
    },
    Security::{
        Authorization::{
            ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
            SDDL_REVISION_1, SE_KERNEL_OBJECT,
        },
        GetTokenInformation, IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSID, RevertToSelf,
        TOKEN_IMPERSONATE, TOKEN_INFORMATION_CLASS, TOKEN_PRIMARY_GROUP, TOKEN_QUERY, TOKEN_USER,
        TokenPrimaryGroup, TokenUser, WinBuiltinAdministratorsSid, WinLocalSystemSid,
    },
    System::{
        Pipes::ImpersonateNamedPipeClient,
        Threading::{GetCurrentProcess, GetCurrentThread, OpenProcessToken, OpenThreadToken, SetThreadToken},
    },
};

/// What the system allocated by `LocalAlloc` and left to us.
#[derive(Debug)]
struct Local<T>(NonNull<T>);

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        // SAFETY: it came from LocalAlloc, and nothing refers to it any more.
        unsafe { LocalFree(self.0.as_ptr().cast()) };
    }
}

// SAFETY: it is memory that only this object refers to, and nothing in it belongs to a thread.
unsafe impl<T: Send> Send for Local<T> {}
// SAFETY: as above; through a shared reference it is only read.
unsafe impl<T: Sync> Sync for Local<T> {}

/// A security identifier, in its text form: `S-1-5-…`. Who it stands for can be told by nothing else, so two
/// are the same if their texts are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sid {
    text: String,
    is_administrators: bool,
    is_system: bool,
}

impl Sid {
    /// # Safety
    /// It points to a valid SID.
    unsafe fn copy(sid: PSID) -> io::Result<Self> {
        let mut text = null_mut();
        // SAFETY: the caller says that the SID is valid, and `text` outlives the call.
        if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let text = Local(NonNull::new(text).expect("it succeeded"));
        // SAFETY: the system put a text there that ends with NUL; and the SID is valid.
        unsafe {
            Ok(Self {
                text: from_wide(text.0.as_ptr()),
                is_administrators: IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0,
                is_system: IsWellKnownSid(sid, WinLocalSystemSid) != 0,
            })
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the group of administrators, or the system itself: who could do all that our user can
    /// anyway.
    pub(crate) fn is_all_powerful(&self) -> bool {
        self.is_administrators || self.is_system
    }
}

impl Display for Sid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Debug for Sid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
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

/// The user that the client of this pipe was when it connected.
///
/// # Errors
/// The system does not tell before something was read from the pipe if the client asked for that (dynamic
/// tracking, which is what a client gets that asks for nothing); nor if the client asked to be anonymous.
pub(crate) fn user_of_client(pipe: BorrowedHandle<'_>) -> Result<Sid, ClientError> {
    let client = Impersonation::of_client(pipe).map_err(|error| {
        if has_code(&error, ERROR_CANNOT_IMPERSONATE) {
            ClientError::NotTold
        } else {
            ClientError::Hidden(error)
        }
    })?;
    let token = client.token();
    drop(client);
    // From here on the thread is itself again.
    token.and_then(|token| token_user(token.as_handle())).map_err(ClientError::Hidden)
}

/// Why the user of a client is not known.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// The system does not tell, or not yet.
    NotTold,
    /// The client does not want to be known, or asking failed.
    Hidden(io::Error),
}

/// A thread that acts as somebody else. Dropping it makes the thread what it was before.
struct Impersonation {
    before: Option<OwnedHandle>,
}

impl Impersonation {
    fn of_client(pipe: BorrowedHandle<'_>) -> io::Result<Self> {
        let before = thread_token(TOKEN_IMPERSONATE)?;
        // SAFETY: the handle is open.
        if unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { before })
    }

    /// The token that the thread acts with.
    #[allow(clippy::unused_self, reason = "it is what makes the answer mean something")]
    fn token(&self) -> io::Result<OwnedHandle> {
        thread_token(TOKEN_QUERY)?.ok_or_else(|| os_error(ERROR_NO_TOKEN))
    }
}

impl Drop for Impersonation {
    fn drop(&mut self) {
        // SAFETY: the token is open; a null thread is the calling one.
        let reverted = unsafe {
            match &self.before {
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
    // SAFETY: the process's pseudo handle is always valid.
    token_of_process(unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) })
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
    unsafe { Sid::copy((*information.as_ptr().cast::<TOKEN_USER>()).User.Sid) }
}

fn token_primary_group(token: BorrowedHandle<'_>) -> io::Result<Sid> {
    let information = token_information(token, TokenPrimaryGroup)?;
    // SAFETY: for this class, the buffer holds a TOKEN_PRIMARY_GROUP, whose SID is in the same buffer,
    // aligned as above.
    unsafe { Sid::copy((*information.as_ptr().cast::<TOKEN_PRIMARY_GROUP>()).PrimaryGroup) }
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
    let (mut owner, mut descriptor) = (null_mut(), null_mut());
    // SAFETY: the handle is open, and what the pointers point to outlives the call.
    let error = unsafe {
        GetSecurityInfo(
            handle.as_raw_handle(),
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if error != ERROR_SUCCESS {
        return Err(os_error(error));
    }
    let _descriptor = NonNull::new(descriptor).map(Local);
    if owner.is_null() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the object has no owner"));
    }
    // SAFETY: the owner is a valid SID inside the descriptor, which lives until the end of this function.
    unsafe { Sid::copy(owner) }
}

/// A security descriptor: the owner of an object, and the list of who may do what with it.
#[derive(Debug)]
pub(crate) struct SecurityDescriptor(Local<u8>);

impl SecurityDescriptor {
    /// The rights to read and to write, each with all that belongs to it, such as waiting and asking for the
    /// owner, but without `FILE_CREATE_PIPE_INSTANCE` (4): who has that can add an instance to the pipe and
    /// so take clients away.
    const READ_AND_WRITE: u32 = 0x0012_019b;

    /// The descriptor of a pipe that is open to those.
    ///
    /// The owner is the user, since a client goes by that to see who serves: without a word, it would be the
    /// group of administrators when one of them is elevated.
    pub(crate) fn of_pipe(access: Access) -> io::Result<Self> {
        let user = our_user()?;
        // P: nothing is inherited. FA: all rights to a file. BA: administrators. SY: the system. WD:
        // everyone.
        let owners = format!("O:{user}D:P(A;;FA;;;{user})(A;;FA;;;BA)(A;;FA;;;SY)");
        let rights = Self::READ_AND_WRITE;
        Self::from_sddl(&match access {
            Access::Owner => owners,
            Access::Group => {
                let group = token_primary_group(our_token()?.as_handle())?;
                format!("{owners}(A;;{rights:#x};;;{group})")
            }
            Access::Everyone => format!("{owners}(A;;{rights:#x};;;WD)"),
        })
    }

    /// From its text in the security descriptor definition language.
    pub(crate) fn from_sddl(text: &str) -> io::Result<Self> {
        let mut descriptor = null_mut();
        // SAFETY: the text ends with NUL, and `descriptor` outlives the call.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                to_wide(text.as_ref()).as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        match NonNull::new(descriptor.cast()) {
            Some(descriptor) if done != 0 => Ok(Self(Local(descriptor))),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// A valid pointer for as long as `self` lives.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.0.0.as_ptr()
    }
}
