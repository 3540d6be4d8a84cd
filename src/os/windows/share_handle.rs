//! Handles for other processes.

use crate::{
    local_socket::{RecvHalf, SendHalf, Stream},
    os::windows::mailslot::{MailslotClient, MailslotServer},
    sys::windows::handle,
};
use std::{
    fs::File,
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle, RawHandle},
};

/// What has a handle that can be given to another process while both run.
///
/// The value of a handle means something in one process only, so sending it is not enough: [`share`](Self::share) makes a
/// handle in the other process, the receiver, whose value can then be sent. (A process that is only going to be started can
/// [inherit](super::process::Command::inherit) handles.)
///
/// The receiver is named by a handle of it that has the right `PROCESS_DUP_HANDLE`: that of a
/// [`Child`](super::process::Child) or a [`std::process::Child`], or one from `OpenProcess`. Who has that right can also
/// take any handle out of the receiver, so as a rule a process has it only to processes that it could control anyway.
///
/// It is implemented for handles, files, and the streams, pipes and mailslots of this crate. For everything else that has a
/// handle there is [`BorrowedHandle`]: `object.as_handle().share(receiver)`.
///
/// # What the receiver does
/// It makes the value an object, with [`OwnedHandle::from_raw_handle`]. That is `unsafe` for a good reason: a wrong value
/// may be that of one of the receiver's own handles, and a right one may be a handle of anything. So take a value once,
/// only from a peer that you chose to trust, and over a connection that only such peers have.
///
/// [`OwnedHandle::from_raw_handle`]: std::os::windows::io::FromRawHandle::from_raw_handle
///
/// # Examples
/// ```
/// use interprocess::os::windows::{ShareHandle, process::Command};
/// use std::{fs::File, os::windows::io::AsHandle};
///
/// let mut receiver = Command::new("cmd");
/// # receiver.creation_flags(4); // suspended: it must not end before
/// let receiver = receiver.spawn()?;
/// # let path = std::env::temp_dir().join(format!("interprocess-doc-share-{}", std::process::id()));
///
/// let file = File::create(&path)?;
/// let value = file.share(receiver.as_handle())?;
/// // Now `value as usize` can be sent to the receiver, which has the file open under it.
/// # drop(file);
/// # receiver.kill()?;
/// # receiver.wait()?;
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ShareHandle: AsHandle {
    /// Makes a handle of the same object, with the same access, in the process `receiver`, and returns its value there.
    /// It is not inheritable. It is the receiver's from now on: if its value cannot be sent, see
    /// [`take_back`](Self::take_back).
    ///
    /// Stands on `DuplicateHandle`.
    ///
    /// # Errors
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied): `receiver` lacks the right `PROCESS_DUP_HANDLE`. The same
    /// is the error if the process has ended.
    fn share(&self, receiver: BorrowedHandle<'_>) -> io::Result<RawHandle> {
        handle::share(self.as_handle(), receiver, None)
    }

    /// Like [`share`](Self::share), but with this access: a mask of rights such as `FILE_GENERIC_READ` or `SYNCHRONIZE`.
    ///
    /// This can make it less than what this handle has. It is no way to make it more: the system refuses that for pipes and
    /// files, and grants it for other objects as it would to who opens them.
    ///
    /// Stands on `DuplicateHandle`.
    ///
    /// # Errors
    /// Those of `share`, and `PermissionDenied` for access that cannot be had.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::{ShareHandle, process::Command};
    /// use std::{fs::File, os::windows::io::AsHandle};
    ///
    /// const FILE_GENERIC_READ: u32 = 0x0012_0089;
    ///
    /// let mut receiver = Command::new("cmd");
    /// # receiver.creation_flags(4); // suspended: it must not end before
    /// let receiver = receiver.spawn()?;
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-share-with-{}", std::process::id()));
    /// let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    /// let to_read_only = file.share_with(receiver.as_handle(), FILE_GENERIC_READ)?;
    /// # drop(file);
    /// # receiver.kill()?;
    /// # receiver.wait()?;
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn share_with(&self, receiver: BorrowedHandle<'_>, access: u32) -> io::Result<RawHandle> {
        handle::share(self.as_handle(), receiver, Some(access))
    }

    /// Closes a handle in the process `receiver` that [`share`](Self::share) made there. For a value that could not be sent:
    /// once the receiver knows it, the handle is the receiver's to close.
    ///
    /// Stands on `DuplicateHandle` with `DUPLICATE_CLOSE_SOURCE`, after `CompareObjectHandles` has found that the handle there
    /// is one of the same object.
    ///
    /// # Errors
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): the handle there is one of another object, or `receiver` is this
    ///   process.
    /// - `ERROR_INVALID_HANDLE`: there is none.
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): as for `share`.
    ///
    /// # Examples
    /// ```
    /// use interprocess::os::windows::{ShareHandle, process::Command};
    /// use std::{fs::File, os::windows::io::AsHandle};
    ///
    /// # let send = |_| Err::<(), _>(std::io::ErrorKind::BrokenPipe);
    /// let mut receiver = Command::new("cmd");
    /// # receiver.creation_flags(4); // suspended: it must not end before
    /// let receiver = receiver.spawn()?;
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-take-back-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// let value = file.share(receiver.as_handle())?;
    /// if send(value).is_err() {
    ///     file.take_back(receiver.as_handle(), value)?;
    /// }
    /// # drop(file);
    /// # receiver.kill()?;
    /// # receiver.wait()?;
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn take_back(&self, receiver: BorrowedHandle<'_>, value: RawHandle) -> io::Result<()> {
        handle::take_back(self.as_handle(), receiver, value)
    }
}

impl ShareHandle for BorrowedHandle<'_> {}
impl ShareHandle for OwnedHandle {}
impl ShareHandle for File {}
/// The receiver has the same mailslot: what the one reads, the other does not.
impl ShareHandle for MailslotServer {}
impl ShareHandle for MailslotClient {}
/// The receiver has the same end of the same connection: what the one reads, the other does not.
impl ShareHandle for Stream {}
/// As for the [`Stream`].
impl ShareHandle for RecvHalf {}
/// As for the [`Stream`].
impl ShareHandle for SendHalf {}
