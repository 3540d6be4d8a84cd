//! Named pipes: one call of the system at a time. No waiting policy lives here.

use super::{
    handle::make_inheritable,
    overlapped::{has_code, milliseconds, os_error},
    security::SecurityDescriptor,
    wide::to_wide,
};
use crate::{
    deadline::Deadline,
    os::windows::named_pipe::{PipeDirection, PipeMode, PipeStreamRole, WaitTimeout},
};
use std::{
    ffi::{OsStr, OsString},
    io,
    os::windows::{
        ffi::OsStringExt,
        io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    },
    ptr::{null, null_mut},
    slice,
    time::Duration,
};
use windows_sys::{
    Wdk::{
        Foundation::OBJECT_ATTRIBUTES,
        Storage::FileSystem::{
            FILE_ACCESS_INFORMATION, FILE_CREATE, FILE_INFORMATION_CLASS, FILE_MODE_INFORMATION, FILE_OPEN,
            FILE_PIPE_ACCEPT_REMOTE_CLIENTS, FILE_PIPE_BYTE_STREAM_MODE, FILE_PIPE_BYTE_STREAM_TYPE,
            FILE_PIPE_CONNECTED_STATE, FILE_PIPE_INBOUND, FILE_PIPE_INFORMATION, FILE_PIPE_LOCAL_INFORMATION,
            FILE_PIPE_MESSAGE_MODE, FILE_PIPE_MESSAGE_TYPE, FILE_PIPE_OUTBOUND, FILE_PIPE_QUEUE_OPERATION,
            FILE_PIPE_REJECT_REMOTE_CLIENTS, FILE_PIPE_SERVER_END, FILE_SYNCHRONOUS_IO_ALERT,
            FILE_SYNCHRONOUS_IO_NONALERT, FILE_WRITE_THROUGH, FileAccessInformation, FileFsDeviceInformation,
            FileModeInformation, FileNameInformation, FilePipeInformation, FilePipeLocalInformation,
            NtOpenFile, NtQueryInformationFile, NtQueryVolumeInformationFile,
            RtlDosPathNameToNtPathName_U_WithStatus,
        },
        System::SystemServices::{FILE_FS_DEVICE_INFORMATION, FILE_REMOTE_DEVICE},
    },
    Win32::{
        Foundation::{
            ERROR_ACCESS_DENIED, ERROR_BAD_PIPE, ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND,
            ERROR_HANDLES_CLOSED, ERROR_NO_DATA, ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED,
            ERROR_SEM_TIMEOUT, GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS,
            OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, STATUS_SUCCESS, UNICODE_STRING,
        },
        Security::{SECURITY_QUALITY_OF_SERVICE, SecurityIdentification},
        Storage::FileSystem::{
            FILE_CREATE_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_FLAG_WRITE_THROUGH, FILE_GENERIC_READ,
            FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_SHARE_NONE, FILE_SHARE_READ, FILE_SHARE_WRITE,
            FILE_TYPE_PIPE, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, FlushFileBuffers, GetFileType,
            OPEN_EXISTING, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT, SYNCHRONIZE,
        },
        System::{
            IO::IO_STATUS_BLOCK,
            Pipes::{
                DisconnectNamedPipe, GetNamedPipeClientComputerNameW, GetNamedPipeClientProcessId,
                GetNamedPipeClientSessionId, GetNamedPipeServerProcessId, GetNamedPipeServerSessionId,
                PIPE_WAIT, PeekNamedPipe, SetNamedPipeHandleState, WaitNamedPipeW,
            },
            WindowsProgramming::RtlFreeUnicodeString,
        },
    },
};

/// What `windows-sys` lacks.
pub(super) mod ntdll {
    use super::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_ATTRIBUTES};

    #[cfg_attr(
        target_arch = "x86",
        link(name = "ntdll", kind = "raw-dylib", import_name_type = "undecorated")
    )]
    #[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
    unsafe extern "system" {
        /// What `CreateNamedPipeW` is a wrapper of. It is used directly because only here one can ask for a pipe
        /// that does not exist yet, or for one that does, instead of either.
        pub(super) fn NtCreateNamedPipeFile(
            handle: *mut HANDLE,
            access: u32,
            attributes: *const OBJECT_ATTRIBUTES,
            status: *mut IO_STATUS_BLOCK,
            share: u32,
            disposition: u32,
            options: u32,
            pipe_type: u32,
            read_mode: u32,
            completion_mode: u32,
            max_instances: u32,
            inbound_quota: u32,
            outbound_quota: u32,
            default_timeout: *const i64,
        ) -> NTSTATUS;

        /// What `CreateMailslotW` is a wrapper of.
        pub(crate) fn NtCreateMailslotFile(
            handle: *mut HANDLE,
            access: u32,
            attributes: *const OBJECT_ATTRIBUTES,
            status: *mut IO_STATUS_BLOCK,
            options: u32,
            quota: u32,
            max_message_size: u32,
            read_timeout: *const i64,
        ) -> NTSTATUS;
    }
}

/// Notes what the calls were made with that security hangs on: systems differ in what they show of it
/// afterwards.
#[cfg(test)]
#[allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; Clippy does not see it for every target"
)]
pub(crate) mod spy {
    use super::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_ATTRIBUTES};
    use std::cell::Cell;
    use windows_sys::Win32::{Security::SECURITY_ATTRIBUTES, Storage::FileSystem::CreateFileW as open};

    thread_local! {
        /// The type of the instance that this thread has made last.
        pub(crate) static CREATED_TYPE: Cell<u32> = const { Cell::new(0) };
        /// The access and the flags with which this thread has opened last.
        pub(crate) static OPENED_WITH: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    }

    #[allow(non_snake_case, clippy::too_many_arguments, reason = "it stands in for that function")]
    pub(super) unsafe fn NtCreateNamedPipeFile(
        handle: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        status: *mut IO_STATUS_BLOCK,
        share: u32,
        disposition: u32,
        options: u32,
        pipe_type: u32,
        read_mode: u32,
        completion_mode: u32,
        max_instances: u32,
        inbound_quota: u32,
        outbound_quota: u32,
        default_timeout: *const i64,
    ) -> NTSTATUS {
        CREATED_TYPE.set(pipe_type);
        // SAFETY: the caller fulfils the same conditions.
        unsafe {
            super::ntdll::NtCreateNamedPipeFile(
                handle,
                access,
                attributes,
                status,
                share,
                disposition,
                options,
                pipe_type,
                read_mode,
                completion_mode,
                max_instances,
                inbound_quota,
                outbound_quota,
                default_timeout,
            )
        }
    }

    #[allow(non_snake_case, reason = "it stands in for that function")]
    pub(super) unsafe fn CreateFileW(
        name: *const u16,
        access: u32,
        share: u32,
        attributes: *const SECURITY_ATTRIBUTES,
        disposition: u32,
        flags: u32,
        template: HANDLE,
    ) -> HANDLE {
        OPENED_WITH.set((access, flags));
        // SAFETY: the caller fulfils the same conditions.
        unsafe { open(name, access, share, attributes, disposition, flags, template) }
    }
}

#[cfg(test)]
use spy::{CreateFileW, NtCreateNamedPipeFile};
#[cfg(not(test))]
use {ntdll::NtCreateNamedPipeFile, windows_sys::Win32::Storage::FileSystem::CreateFileW};

/// The size of a structure of the system, for the system.
#[allow(clippy::cast_possible_truncation, reason = "they have some dozen bytes")]
pub(super) const fn size<T>() -> u32 {
    size_of::<T>() as u32
}

/// The flags of a file on which every call waits.
const FILE_SYNCHRONOUS_IO: u32 = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;

/// What an end asks for in order to receive: also to set how.
const TO_RECV: u32 = FILE_GENERIC_READ | FILE_WRITE_ATTRIBUTES;

/// What an end asks for in order to send: also to look at the pipe. Clients ask for no more; `GENERIC_WRITE`
/// would contain the right to add an instance to the pipe, which is the server's business.
const TO_SEND: u32 = (FILE_GENERIC_WRITE & !FILE_CREATE_PIPE_INSTANCE) | FILE_READ_ATTRIBUTES;

/// The path of a pipe, or of a mailslot, checked, in the two forms that the system wants.
#[derive(Clone, Debug)]
pub(crate) struct PipePath {
    /// `\\HOST\pipe\NAME`, with a NUL.
    dos: Vec<u16>,
    /// `\??\pipe\NAME`, or `\??\UNC\HOST\pipe\NAME`, without a NUL.
    pub(super) nt: Vec<u16>,
}

impl PipePath {
    /// How long the path may be, in 16-bit units.
    pub(crate) const MAX_LEN: usize = 256;

    /// From a path of the form `\\HOST\pipe\NAME`. The system is not asked.
    ///
    /// What counts is what is left after Windows has taken `.`, `..` and `/` for what they are in paths:
    /// something like `\\.\pipe\..\C:\file` is no pipe.
    pub(crate) fn new(path: &OsStr) -> io::Result<Self> {
        Self::of("pipe", path)
    }

    /// The same for a path of the form `\\HOST\DEVICE\NAME`.
    pub(super) fn of(device: &str, path: &OsStr) -> io::Result<Self> {
        let invalid = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let text = to_wide(path);
        let len = text.len() - 1;
        if text[..len].contains(&0) {
            return invalid("it contains NUL");
        }
        if len > Self::MAX_LEN {
            let max = Self::MAX_LEN;
            return invalid(&format!(
                "as a {device}'s path it is {len} characters long, but at most {max} are possible"
            ));
        }
        match Self::normal(device, &text) {
            Some(path) => Ok(path),
            None => invalid(&format!(r"it is not of the form \\HOST\{device}\NAME")),
        }
    }

    /// What is left of a path. `None` if it is not of that device, or would be something else if it were asked
    /// for once more: in `\\?\pipe\..\C:\file`, dots are names, but not in the other form of the same path.
    fn normal(device: &str, path: &[u16]) -> Option<Self> {
        const DOT: u16 = b'.' as u16;

        let dos = to_dos(device, &to_nt(path).ok()?)?;
        let nt = to_nt(&dos).ok()?;
        let mut parts = nt.split(|&unit| unit == u16::from(b'\\'));
        let has_dots = parts.any(|part| part == [DOT] || part == [DOT, DOT]);
        (to_dos(device, &nt)? == dos && !has_dots).then_some(Self { dos, nt })
    }

    /// Whether it is on this machine as far as servers are concerned, who can listen nowhere else.
    pub(crate) fn is_local(&self) -> bool {
        strip_prefix(&self.nt, NETWORK).is_none()
    }

    pub(super) fn to_os_string(&self) -> OsString {
        OsString::from_wide(&self.dos[..self.dos.len() - 1])
    }
}

/// The kernel's path of all pipes of this machine: the device itself, since whom the thread acts as may have a `\??\pipe` of
/// its own.
const LOCAL: &str = r"\Device\NamedPipe\";

/// What the kernel's path of something on another machine starts with.
const NETWORK: &str = r"\??\UNC\";

/// Turns a path into what it is for the kernel, as `CreateFileW` and `CreateNamedPipeW` do.
fn to_nt(dos: &[u16]) -> io::Result<Vec<u16>> {
    let mut nt = UNICODE_STRING::default();
    // SAFETY: the path ends with NUL, `nt` outlives the call, and null is allowed for the rest.
    let status =
        unsafe { RtlDosPathNameToNtPathName_U_WithStatus(dos.as_ptr(), &raw mut nt, null_mut(), null()) };
    nt_result(status)?;
    // SAFETY: it succeeded, so `nt` has so many bytes, until it is freed, which happens once.
    unsafe {
        let path = slice::from_raw_parts(nt.Buffer, usize::from(nt.Length) / 2).to_vec();
        RtlFreeUnicodeString(&raw mut nt);
        Ok(path)
    }
}

/// Turns the kernel's path of a pipe or mailslot into the one for `CreateFileW`, which is understood by
/// `WaitNamedPipeW` as well. `None` if it is not of that device.
fn to_dos(device: &str, nt: &[u16]) -> Option<Vec<u16>> {
    let join =
        |head: &str, tail: &[u16]| head.encode_utf16().chain(tail.iter().copied()).chain([0]).collect();
    if let Some(name) = strip_prefix(nt, &format!(r"\??\{device}\")) {
        return (!name.is_empty()).then(|| join(&format!(r"\\.\{device}\"), name));
    }
    let path = strip_prefix(nt, NETWORK)?;
    let host = path.iter().position(|&unit| unit == u16::from(b'\\'))?;
    let name = strip_prefix(&path[host..], &format!(r"\{device}\"))?;
    (host > 0 && !name.is_empty()).then(|| join(r"\\", path))
}

/// What follows `prefix`, which is ASCII, and whose case is ignored.
fn strip_prefix<'t>(text: &'t [u16], prefix: &str) -> Option<&'t [u16]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    let is_same =
        |(&unit, byte): (&u16, u8)| u8::try_from(unit).is_ok_and(|unit| unit.eq_ignore_ascii_case(&byte));
    head.iter().zip(prefix.bytes()).all(is_same).then_some(rest)
}

pub(super) fn nt_result(status: NTSTATUS) -> io::Result<()> {
    if status == STATUS_SUCCESS {
        return Ok(());
    }
    // SAFETY: no preconditions.
    Err(os_error(unsafe { RtlNtStatusToDosError(status) }))
}

/// Which instance of a pipe is made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Instance {
    /// The first: there is no pipe of that name yet.
    First,
    /// One more: there is, and it is ours.
    Further,
}

/// How the instances of a pipe are made.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `None` for a pipe without a name, which nobody can open who does not have a handle.
    pub(crate) path: Option<PipePath>,
    pub(crate) security: SecurityDescriptor,
    /// What the server does.
    pub(crate) role: PipeStreamRole,
    /// Whether what is sent, by either end, is kept as bytes or as messages.
    pub(crate) mode: PipeMode,
    /// How the server receives it.
    pub(crate) recv_mode: PipeMode,
    pub(crate) is_write_through: bool,
    pub(crate) accepts_remote: bool,
    pub(crate) is_inheritable: bool,
    /// How much of what an end wrote the system keeps for the other to read, before writing takes longer.
    pub(crate) recv_quota: u32,
    pub(crate) send_quota: u32,
    /// For clients that wait for an instance and do not say how long.
    pub(crate) wait_timeout: WaitTimeout,
}

impl Settings {
    /// How much the system keeps, as a rule.
    pub(crate) const QUOTA: u32 = 64 * 1024;

    /// Bytes in both directions, for local clients.
    pub(crate) fn new(path: impl Into<Option<PipePath>>, security: SecurityDescriptor) -> Self {
        Self {
            path: path.into(),
            security,
            role: PipeStreamRole::RecverAndSender,
            mode: PipeMode::Bytes,
            recv_mode: PipeMode::Bytes,
            is_write_through: false,
            accepts_remote: false,
            is_inheritable: false,
            recv_quota: Self::QUOTA,
            send_quota: Self::QUOTA,
            wait_timeout: WaitTimeout::DEFAULT,
        }
    }

    /// Access and sharing, as `CreateNamedPipeW` asks for them.
    fn access(&self) -> (u32, u32) {
        let (mut access, mut share) = (SYNCHRONIZE, 0);
        if self.role.recvs() {
            access |= GENERIC_READ | FILE_WRITE_ATTRIBUTES;
            share |= FILE_SHARE_WRITE;
        }
        if self.role.sends() {
            access |= GENERIC_WRITE | FILE_READ_ATTRIBUTES;
            share |= FILE_SHARE_READ;
        }
        (access, share)
    }

    fn pipe_type(&self) -> u32 {
        let mode = match self.mode {
            PipeMode::Bytes => FILE_PIPE_BYTE_STREAM_TYPE,
            PipeMode::Messages => FILE_PIPE_MESSAGE_TYPE,
        };
        let remote = if self.accepts_remote {
            FILE_PIPE_ACCEPT_REMOTE_CLIENTS
        } else {
            FILE_PIPE_REJECT_REMOTE_CLIENTS
        };
        mode | remote
    }

    fn read_mode(&self) -> u32 {
        match self.recv_mode {
            PipeMode::Bytes => FILE_PIPE_BYTE_STREAM_MODE,
            PipeMode::Messages => FILE_PIPE_MESSAGE_MODE,
        }
    }

    /// In units of 100 ns, negative because it is relative.
    fn default_timeout(&self) -> i64 {
        match self.wait_timeout {
            // What `CreateNamedPipeW` takes it for: 50 ms.
            WaitTimeout::DEFAULT => -50 * 10_000,
            WaitTimeout::FOREVER => i64::MIN,
            timeout => -i64::from(timeout.to_raw()) * 10_000,
        }
    }

    /// Makes an instance, overlapped.
    ///
    /// # Errors
    /// `AddrInUse` if there is a pipe of that name already and this should be the first instance.
    pub(crate) fn create(&self, instance: Instance) -> io::Result<OwnedHandle> {
        /// Where other servers come and go, a pipe may cease before one looks whether it exists, and again. That is seen several times in a
        /// row where two do nothing else; who really may not make a pipe learns so after some milliseconds.
        const ATTEMPTS: u32 = 100;

        let Some(path) = &self.path else {
            let pipes = open_relative(None, LOCAL, GENERIC_READ, FILE_SYNCHRONOUS_IO_NONALERT)?;
            return self.create_relative(Some(pipes.as_handle()), &[], instance);
        };
        if !path.is_local() {
            let why = r"to listen on, it has to be of the form \\.\pipe\NAME";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let mut attempts = 0;
        loop {
            match self.create_relative(None, &path.nt, instance) {
                // That is what the system says if there is a pipe, even one that we may use.
                Err(error) if instance == Instance::First && is_denied(&error) => {
                    if exists(path) {
                        let why = "a pipe of that name exists, or a client of an earlier listener has not \
                                   closed its end yet";
                        return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
                    }
                    attempts += 1;
                    if attempts == ATTEMPTS {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    fn create_relative(
        &self,
        root: Option<BorrowedHandle<'_>>,
        name: &[u16],
        instance: Instance,
    ) -> io::Result<OwnedHandle> {
        let name = unicode_string(name);
        let mut attributes = object_attributes(root, &name);
        attributes.SecurityDescriptor = self.security.as_ptr().cast();
        let (access, share) = self.access();
        let default_timeout = self.default_timeout();
        let (mut handle, mut status_block) = (null_mut(), IO_STATUS_BLOCK::default());
        // SAFETY: all that is pointed to is valid and outlives the call; the name is only read. Without a flag
        // among the options that makes the file synchronous, it is overlapped.
        let status = unsafe {
            NtCreateNamedPipeFile(
                &raw mut handle,
                access,
                &raw const attributes,
                &raw mut status_block,
                share,
                if instance == Instance::First { FILE_CREATE } else { FILE_OPEN },
                if self.is_write_through { FILE_WRITE_THROUGH } else { 0 },
                self.pipe_type(),
                self.read_mode(),
                FILE_PIPE_QUEUE_OPERATION,
                u32::MAX,
                self.recv_quota,
                self.send_quota,
                &raw const default_timeout,
            )
        };
        nt_result(status)?;
        // SAFETY: it succeeded, so the handle is open and ours.
        let pipe = unsafe { OwnedHandle::from_raw_handle(handle) };
        if self.is_inheritable {
            make_inheritable(pipe.as_handle())?;
        }
        Ok(pipe)
    }
}

/// A text for the kernel, which lives no longer than what it is made from.
pub(super) fn unicode_string(text: &[u16]) -> UNICODE_STRING {
    let len = u16::try_from(text.len() * 2).expect("the lengths of paths are checked");
    UNICODE_STRING { Length: len, MaximumLength: len, Buffer: text.as_ptr().cast_mut() }
}

/// What is to be opened or made, for the kernel: likewise.
pub(super) fn object_attributes(
    root: Option<BorrowedHandle<'_>>,
    name: &UNICODE_STRING,
) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size::<OBJECT_ATTRIBUTES>(),
        RootDirectory: root.map_or(null_mut(), |root| root.as_raw_handle()),
        ObjectName: name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    }
}

/// Opens what has that kernel's name, beginning at `root`. A server may learn who we are, but not act as us.
fn open_relative(
    root: Option<BorrowedHandle<'_>>,
    name: &str,
    access: u32,
    options: u32,
) -> io::Result<OwnedHandle> {
    let name: Vec<u16> = name.encode_utf16().collect();
    let name = unicode_string(&name);
    let quality = SECURITY_QUALITY_OF_SERVICE {
        Length: size::<SECURITY_QUALITY_OF_SERVICE>(),
        ImpersonationLevel: SecurityIdentification,
        ..SECURITY_QUALITY_OF_SERVICE::default()
    };
    let mut attributes = object_attributes(root, &name);
    attributes.SecurityQualityOfService = (&raw const quality).cast();
    let (mut handle, mut status_block) = (null_mut(), IO_STATUS_BLOCK::default());
    // SAFETY: all that is pointed to is valid and outlives the call, and is only read, but for the first and the
    // last.
    nt_result(unsafe {
        NtOpenFile(
            &raw mut handle,
            access | SYNCHRONIZE,
            &raw const attributes,
            &raw mut status_block,
            FILE_SHARE_READ | FILE_SHARE_WRITE,
            options,
        )
    })?;
    // SAFETY: it succeeded, so the handle is open and ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The end for sending of a pipe without a name, whose `server` receives.
pub(crate) fn open_unnamed(server: BorrowedHandle<'_>, is_inheritable: bool) -> io::Result<OwnedHandle> {
    let sender = open_relative(Some(server), "", TO_SEND, 0)?;
    if is_inheritable {
        make_inheritable(sender.as_handle())?;
    }
    Ok(sender)
}

fn is_denied(error: &io::Error) -> bool {
    has_code(error, ERROR_ACCESS_DENIED) || has_code(error, ERROR_PIPE_BUSY)
}

/// Whether there is a pipe of that name. Takes nothing from it, and does not need the right to open it.
fn exists(path: &PipePath) -> bool {
    let waited = wait_for_instance(path, Duration::from_millis(1));
    !waited.is_err_and(|error| has_code(&error, ERROR_FILE_NOT_FOUND))
}

/// How a client opens a pipe.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Client {
    /// What the client does.
    pub(crate) role: PipeStreamRole,
    pub(crate) recv_mode: PipeMode,
    /// What the server may do with who we are: the flags of `CreateFileW` for that, without the one that says that
    /// they are there.
    pub(crate) security_quality: u32,
    pub(crate) is_write_through: bool,
}

impl Default for Client {
    /// Bytes in both directions. The server may learn who we are, but not act as us.
    fn default() -> Self {
        Self {
            role: PipeStreamRole::RecverAndSender,
            recv_mode: PipeMode::Bytes,
            security_quality: SECURITY_IDENTIFICATION,
            is_write_through: false,
        }
    }
}

impl Client {
    fn access(&self) -> u32 {
        let recv = if self.role.recvs() { TO_RECV } else { 0 };
        let send = if self.role.sends() { TO_SEND } else { 0 };
        recv | send
    }

    fn flags(&self) -> u32 {
        let write_through = if self.is_write_through { FILE_FLAG_WRITE_THROUGH } else { 0 };
        FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | self.security_quality | write_through
    }

    /// Opens the client end of a pipe.
    ///
    /// # Errors
    /// `ERROR_PIPE_BUSY` if there is a pipe, but no instance that is free.
    pub(crate) fn open(&self, path: &PipePath) -> io::Result<OwnedHandle> {
        // SAFETY: the path ends with NUL; null is allowed for the attributes, so that children do not inherit
        // the handle, and for the template.
        let handle = unsafe {
            CreateFileW(
                path.dos.as_ptr(),
                self.access(),
                FILE_SHARE_NONE,
                null(),
                OPEN_EXISTING,
                self.flags(),
                null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: CreateFileW succeeded, so the handle is open and ours.
        let pipe = unsafe { OwnedHandle::from_raw_handle(handle) };
        if self.recv_mode == PipeMode::Messages {
            set_recv_mode(pipe.as_handle(), Some(PipeMode::Messages))?;
        }
        Ok(pipe)
    }
}

/// Waits until an instance is free, but not long. That one is, or that the time is over, is both `Ok`:
/// opening it will tell, and somebody else may be faster.
///
/// # Errors
/// `ERROR_FILE_NOT_FOUND` if there is no pipe of that name. But if it ceases while one waits, the system does
/// not notice, which is why this is not to be used for a long wait.
pub(crate) fn wait_for_instance(path: &PipePath, time: Duration) -> io::Result<()> {
    // 0 would mean the server's default.
    let time = milliseconds(Deadline::after(time)).max(1);
    // SAFETY: the path ends with NUL.
    if unsafe { WaitNamedPipeW(path.dos.as_ptr(), time) } != 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        // The pipe has ceased meanwhile; Wine notices that.
        error if has_code(&error, ERROR_SEM_TIMEOUT) || has_code(&error, ERROR_HANDLES_CLOSED) => Ok(()),
        error => Err(error),
    }
}

/// What the system knows about an end of a pipe.
///
/// # Errors
/// It is no pipe.
pub(crate) fn information(pipe: BorrowedHandle<'_>) -> io::Result<FILE_PIPE_LOCAL_INFORMATION> {
    query(pipe, FilePipeLocalInformation)
}

/// Asks for a piece of information, of which `T` is the type.
fn query<T: Default>(file: BorrowedHandle<'_>, class: FILE_INFORMATION_CLASS) -> io::Result<T> {
    let (mut information, mut status_block) = (T::default(), IO_STATUS_BLOCK::default());
    // SAFETY: the handle is open, and what the pointers point to is valid, of that size, and outlives the
    // call, which does not return before it is done.
    nt_result(unsafe {
        NtQueryInformationFile(
            file.as_raw_handle(),
            &raw mut status_block,
            (&raw mut information).cast(),
            size::<T>(),
            class,
        )
    })?;
    Ok(information)
}

/// The path of the pipe that it is an end of, on this machine.
pub(crate) fn path_of(pipe: BorrowedHandle<'_>) -> io::Result<OsString> {
    /// `FILE_NAME_INFORMATION`, with room for a name of any pipe.
    #[repr(C)]
    struct Name {
        bytes: u32,
        units: [u16; PipePath::MAX_LEN],
    }

    impl Default for Name {
        fn default() -> Self {
            Self { bytes: 0, units: [0; PipePath::MAX_LEN] }
        }
    }

    let name = query::<Name>(pipe, FileNameInformation)?;
    let name = &name.units[..(name.bytes as usize / 2).min(PipePath::MAX_LEN)];
    let mut path = OsString::from(r"\\.\pipe");
    path.push(OsString::from_wide(name));
    Ok(path)
}

/// Whether it is the server's end.
pub(crate) fn is_server(information: &FILE_PIPE_LOCAL_INFORMATION) -> bool {
    information.NamedPipeEnd == FILE_PIPE_SERVER_END
}

/// What the pipe keeps of what is sent.
pub(crate) fn mode_of(information: &FILE_PIPE_LOCAL_INFORMATION) -> PipeMode {
    if information.NamedPipeType & FILE_PIPE_MESSAGE_TYPE == 0 { PipeMode::Bytes } else { PipeMode::Messages }
}

/// Which way data goes.
pub(crate) fn direction_of(information: &FILE_PIPE_LOCAL_INFORMATION) -> PipeDirection {
    match information.NamedPipeConfiguration {
        FILE_PIPE_INBOUND => PipeDirection::ClientToServer,
        FILE_PIPE_OUTBOUND => PipeDirection::ServerToClient,
        _ => PipeDirection::Duplex,
    }
}

/// Whether the other end is there still.
pub(crate) fn is_connected(information: &FILE_PIPE_LOCAL_INFORMATION) -> bool {
    information.NamedPipeState == FILE_PIPE_CONNECTED_STATE
}

/// What waits to be read.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Peeked {
    /// How many bytes were copied.
    pub(crate) copied: usize,
    /// How much of the first message there is beyond what was copied.
    pub(crate) left_of_message: usize,
}

/// Copies what waits to be read, and leaves it there. 0 bytes if there is nothing, yet. The system takes as much memory as `buf` has for
/// that, whatever is there.
pub(crate) fn peek(pipe: BorrowedHandle<'_>, buf: &mut [u8]) -> io::Result<Peeked> {
    let len = u32::try_from(buf.len()).unwrap_or(u32::MAX);
    let [mut copied, mut left_of_message] = [0; 2];
    // SAFETY: the buffer has `len` bytes or more, and all else outlives the call, too.
    let done = unsafe {
        PeekNamedPipe(
            pipe.as_raw_handle(),
            buf.as_mut_ptr().cast(),
            len,
            &raw mut copied,
            null_mut(),
            &raw mut left_of_message,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Peeked { copied: copied as usize, left_of_message: left_of_message as usize })
}

/// Cuts the client off. What it has not read yet is lost.
pub(crate) fn disconnect(server: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open.
    if unsafe { DisconnectNamedPipe(server.as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The name of the computer that the client runs on.
///
/// # Errors
/// `ERROR_PIPE_LOCAL` if that is this one.
pub(crate) fn client_computer_name(server: BorrowedHandle<'_>) -> io::Result<OsString> {
    // Names of computers in a network are at most 255 long, and the system wants to know it in bytes.
    let mut name = [0_u16; 256];
    // SAFETY: the handle is open, and the buffer has as many bytes as is said.
    let done = unsafe {
        GetNamedPipeClientComputerNameW(server.as_raw_handle(), name.as_mut_ptr(), size::<[u16; 256]>())
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let len = name.iter().position(|&unit| unit == 0).unwrap_or(name.len());
    Ok(OsString::from_wide(&name[..len]))
}

/// Whether it is a pipe of another machine, or of this one as if it were another.
pub(crate) fn is_remote(pipe: BorrowedHandle<'_>) -> io::Result<bool> {
    let (mut device, mut status_block) = (FILE_FS_DEVICE_INFORMATION::default(), IO_STATUS_BLOCK::default());
    // SAFETY: the handle is open, and what the pointers point to is valid, of that size, and outlives the
    // call, which does not return before it is done.
    nt_result(unsafe {
        NtQueryVolumeInformationFile(
            pipe.as_raw_handle(),
            &raw mut status_block,
            (&raw mut device).cast(),
            size::<FILE_FS_DEVICE_INFORMATION>(),
            FileFsDeviceInformation,
        )
    })?;
    Ok(device.Characteristics & FILE_REMOTE_DEVICE != 0)
}

/// What may be done with a handle: rights such as `FILE_READ_DATA`.
pub(crate) fn access_of(pipe: BorrowedHandle<'_>) -> io::Result<u32> {
    Ok(query::<FILE_ACCESS_INFORMATION>(pipe, FileAccessInformation)?.AccessFlags)
}

/// Whether this is a pipe that may be written to, and not even be asked about: std has such a handle of its child's standard
/// input.
pub(crate) fn may_only_write(pipe: BorrowedHandle<'_>) -> bool {
    // SAFETY: the handle is open.
    let is_pipe = unsafe { GetFileType(pipe.as_raw_handle()) } == FILE_TYPE_PIPE;
    let rights = FILE_WRITE_DATA | FILE_READ_ATTRIBUTES;
    is_pipe && access_of(pipe).is_ok_and(|access| access & rights == FILE_WRITE_DATA)
}

/// Whether a handle was opened without overlapped I/O, so that each call waits and keeps all others waiting.
pub(crate) fn is_synchronous(pipe: BorrowedHandle<'_>) -> io::Result<bool> {
    Ok(query::<FILE_MODE_INFORMATION>(pipe, FileModeInformation)?.Mode & FILE_SYNCHRONOUS_IO != 0)
}

/// Makes reading and writing wait, which is how pipes are when they are made, and reading give bytes or messages.
pub(crate) fn set_recv_mode(pipe: BorrowedHandle<'_>, mode: Option<PipeMode>) -> io::Result<()> {
    let state = PIPE_WAIT | mode.unwrap_or(PipeMode::Bytes).to_readmode();
    // SAFETY: the handle is open, and null leaves the rest as it is.
    if unsafe { SetNamedPipeHandleState(pipe.as_raw_handle(), &raw const state, null(), null()) } != 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        // Who may only read may not set how. Perhaps there is no need.
        error if has_code(&error, ERROR_ACCESS_DENIED) && has_recv_mode(pipe, mode)? => Ok(()),
        error => Err(error),
    }
}

fn has_recv_mode(pipe: BorrowedHandle<'_>, mode: Option<PipeMode>) -> io::Result<bool> {
    let information = query::<FILE_PIPE_INFORMATION>(pipe, FilePipeInformation)?;
    let is_messages = information.ReadMode == FILE_PIPE_MESSAGE_MODE;
    let waits = information.CompletionMode == FILE_PIPE_QUEUE_OPERATION;
    Ok(waits && mode.is_none_or(|mode| is_messages == (mode == PipeMode::Messages)))
}

/// Waits until the other end has read everything.
pub(crate) fn flush(pipe: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open.
    if unsafe { FlushFileBuffers(pipe.as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// What the system remembers of who opened an end of a pipe, which need not be who uses it.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Opener {
    ClientProcess,
    ClientSession,
    ServerProcess,
    ServerSession,
}

/// The number of a process or a session.
pub(crate) fn opener(pipe: BorrowedHandle<'_>, which: Opener) -> io::Result<u32> {
    let function = match which {
        Opener::ClientProcess => GetNamedPipeClientProcessId as unsafe extern "system" fn(_, _) -> _,
        Opener::ClientSession => GetNamedPipeClientSessionId,
        Opener::ServerProcess => GetNamedPipeServerProcessId,
        Opener::ServerSession => GetNamedPipeServerSessionId,
    };
    let mut answer = 0;
    // SAFETY: it is one of the four functions above; the handle is open, and `answer` outlives the call.
    match unsafe { function(pipe.as_raw_handle(), &raw mut answer) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(answer),
    }
}

/// The process and the session at the other end.
pub(crate) fn peer_process(pipe: BorrowedHandle<'_>, is_server: bool) -> (io::Result<u32>, io::Result<u32>) {
    let (process, session) = if is_server {
        (Opener::ClientProcess, Opener::ClientSession)
    } else {
        (Opener::ServerProcess, Opener::ServerSession)
    };
    (opener(pipe, process), opener(pipe, session))
}

/// Whether this is the error of an operation on a pipe whose other end is gone.
pub(crate) fn is_peer_gone_error(error: &io::Error) -> bool {
    // The last is what asking and peeking give where reading and writing give one of the others.
    [ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED, ERROR_NO_DATA, ERROR_BAD_PIPE]
        .iter()
        .any(|&code| has_code(error, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_taken_as_it_stands_means_the_same_in_every_form() {
        for path in [
            r"\\?\pipe\x",
            r"\\?\pipe\x.",
            r"\\?\pipe\x ",
            r"\\?\pipe\a/b",
            r"\\?\pipe\a\..\b",
            r"\\?\pipe\.\x",
            r"\\?\pipe\..\pipe\x",
            r"\\?\UNC\h\pipe\x",
            r"\\?\UNC\h\pipe\..\x",
            r"\\?\UNC\.\pipe\x",
            r"\\?\UNC\..\pipe\x",
            r"\\.\UNC\h\pipe\x",
            r"\\.\pipe\x.",
        ] {
            let Ok(pipe) = PipePath::new(path.as_ref()) else { continue };
            let nt = to_nt(&pipe.dos).unwrap();
            assert_eq!(String::from_utf16_lossy(&nt), String::from_utf16_lossy(&pipe.nt), "{path}");
            assert_eq!(to_dos("pipe", &nt).unwrap(), pipe.dos, "{path}");
            assert!(!String::from_utf16_lossy(&nt).contains(r"\..\"), "{path}");
        }
        for bad in [r"\\?\pipe\..\C:\x", r"\\?\pipe\a\..\..\C:\x", r"\\?\UNC\h\pipe\..\x"] {
            let error = PipePath::new(bad.as_ref()).expect_err(bad);
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn what_is_on_another_host_is_known_by_its_path() {
        for (path, is_local) in [
            (r"\\.\pipe\x", true),
            (r"\\?\pipe\x", true),
            (r"\\host\pipe\x", false),
            (r"\\localhost\pipe\x", false),
            (r"\\?\UNC\host\pipe\x", false),
        ] {
            assert_eq!(PipePath::new(path.as_ref()).unwrap().is_local(), is_local, "{path}");
        }
    }
}
