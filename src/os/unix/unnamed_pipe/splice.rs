//! What Linux can do with pipes without copying.

use super::sealed::Sealed;
use crate::unnamed_pipe::{Recver, Sender};
use std::{io, os::fd::AsFd};

/// What a [`Recver`] can do on Linux and Android only: pass on what is in the pipe, without copying it.
///
/// [`splice_to`](Self::splice_to) has the rules that hold for all.
pub trait RecverExt: Sealed {
    /// Moves bytes from the pipe to a file, a socket, another pipe or a device, without copying them to this process and back.
    /// Says how many: up to `len`, at least one, or 0 at the [end of the stream](Recver#where-a-stream-ends) or if `len` is 0.
    ///
    /// It waits as [`recv`](Recver::recv) does, for bytes and for room in `to`: the timeout and the mode of this end hold for both,
    /// whatever those of `to` are.
    ///
    /// # Errors
    /// - [`TimedOut`](io::ErrorKind::TimedOut) and [`WouldBlock`](io::ErrorKind::WouldBlock): nothing is there, or `to` takes nothing
    ///   now. Nothing was moved.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): nobody can receive it from `to` any more. That is never a signal, whatever the
    ///   process does about `SIGPIPE`, as for [`send`](Sender::send).
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): `to` is of a kind that takes nothing this way, was opened for appending, or is
    ///   this pipe.
    ///
    /// # Platform-specific behaviour
    /// Stands on `splice(2)`, and on `poll(2)`, by which it is known that `to` has room. If `to` is a socket or a terminal and blocking,
    /// and has room for a part only, the call lasts until all of it is taken, and meanwhile nobody can send into this pipe or receive
    /// from it: the kernel has it locked. Sockets had better be nonblocking, which changes nothing else here.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::RecverExt, unnamed_pipe::pipe};
    /// use std::{io::Read, os::unix::net::UnixStream};
    ///
    /// let (sender, recver) = pipe()?;
    /// sender.send(b"not for us")?;
    /// drop(sender);
    ///
    /// let (mut there, here) = UnixStream::pair()?;
    /// here.set_nonblocking(true)?;
    /// while recver.splice_to(&here, 64 << 10)? != 0 {}
    /// drop(here);
    ///
    /// let mut text = String::new();
    /// there.read_to_string(&mut text)?;
    /// assert_eq!(text, "not for us");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "splice")]
    fn splice_to(&self, to: impl AsFd, len: usize) -> io::Result<usize>;

    /// Like [`splice_to`](Self::splice_to), to that offset of a file, whose own position is neither used nor changed. So threads that
    /// share the file do not get in each other's way.
    ///
    /// # Errors
    /// Those of [`splice_to`](Self::splice_to), and [`NotSeekable`](io::ErrorKind::NotSeekable) or
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if `to` is a pipe, a socket or the like, which have no offsets.
    ///
    /// Stands on `splice(2)`.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::RecverExt, unnamed_pipe::pipe};
    /// # let path = std::env::temp_dir().join(format!("interprocess-doc-splice-to-{}", std::process::id()));
    /// # let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    /// # std::fs::remove_file(path)?;
    ///
    /// let (sender, recver) = pipe()?;
    /// sender.send(b"body")?;
    /// assert_eq!(recver.splice_to_at(&file, 4, 100)?, 4);
    /// sender.send(b"head")?;
    /// assert_eq!(recver.splice_to_at(&file, 0, 100)?, 4);
    /// assert_eq!(std::io::read_to_string(&file)?, "headbody");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn splice_to_at(&self, to: impl AsFd, offset: u64, len: usize) -> io::Result<usize>;

    /// Has another pipe hold the next bytes too, without receiving them here. Says how many: up to `len`, at least one, or 0 at
    /// the end of the stream or if `len` is 0. They are always the first ones that are to be received: to go on, receive as many, by
    /// [`recv`](Recver::recv) or [`splice_to`](Self::splice_to).
    ///
    /// The timeout and the mode of this end hold for both waits: for bytes, and for room in `to`.
    ///
    /// # Errors
    /// Those of [`splice_to`](Self::splice_to).
    ///
    /// # Platform-specific behaviour
    /// Stands on `tee(2)`. The pipes have the same memory, so a few bytes from each of many short messages take up as much of `to` as they
    /// do here: it may be full sooner than its [capacity](Sender::capacity) lets expect.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::RecverExt, unnamed_pipe::pipe};
    ///
    /// let (sender, recver) = pipe()?;
    /// let (copy_to, copy) = pipe()?;
    /// sender.send(b"for both")?;
    /// assert_eq!(recver.tee_to(&copy_to, 64 << 10)?, 8);
    ///
    /// let mut buf = [0; 8];
    /// assert_eq!(copy.recv(&mut buf)?, 8);
    /// assert_eq!(recver.recv(&mut buf)?, 8); // still here
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "tee")]
    fn tee_to(&self, to: &Sender, len: usize) -> io::Result<usize>;
}

impl RecverExt for Recver {
    fn splice_to(&self, to: impl AsFd, len: usize) -> io::Result<usize> {
        self.0.splice_to(to.as_fd(), None, len)
    }

    fn splice_to_at(&self, to: impl AsFd, offset: u64, len: usize) -> io::Result<usize> {
        self.0.splice_to(to.as_fd(), Some(offset), len)
    }

    fn tee_to(&self, to: &Sender, len: usize) -> io::Result<usize> {
        self.0.tee_to(&to.0, len)
    }
}

/// What a [`Sender`] can do on Linux and Android only: put bytes into the pipe without copying them.
pub trait SenderExt: Sealed {
    /// Moves bytes from a file, a socket, another pipe or a device into the pipe, without copying them to this process and back.
    /// Says how many: up to `len`, at least one, or 0 at the end of `from` or if `len` is 0.
    ///
    /// It waits as [`send`](Sender::send) does, for room and for bytes: the timeout and the mode of this end hold for both, whatever
    /// those of `from` are.
    ///
    /// Of a file, the pipe holds the pages themselves: who writes to the file before the bytes are received changes them.
    ///
    /// # Errors
    /// - [`TimedOut`](io::ErrorKind::TimedOut) and [`WouldBlock`](io::ErrorKind::WouldBlock): there is no room, or `from` has nothing now.
    ///   Nothing was moved.
    /// - [`BrokenPipe`](io::ErrorKind::BrokenPipe): nobody can receive it any more. That is never a signal, as for
    ///   [`send`](Sender::send).
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): `from` is of a kind that gives nothing this way, or is this pipe.
    ///
    /// # Platform-specific behaviour
    /// Stands on `splice(2)`, and on `poll(2)`, by which it is known that `from` has something. Were the kernel to wait for it, nobody
    /// could receive what is in the pipe already. So it does if another thread or process takes it first: who shares a socket, a terminal
    /// or the like had better make it nonblocking, which changes nothing else here.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::SenderExt, unnamed_pipe::pipe};
    /// use std::{fs::File, io::Read};
    ///
    /// let (sender, mut recver) = pipe()?;
    /// let file = File::open("Cargo.toml")?;
    /// std::thread::scope(|scope| {
    ///     scope.spawn(move || -> std::io::Result<()> {
    ///         while sender.splice_from(&file, 64 << 10)? != 0 {}
    ///         Ok(()) // here the sender is dropped
    ///     });
    ///     let mut text = String::new();
    ///     recver.read_to_string(&mut text)?;
    ///     assert!(text.contains("[package]"));
    ///     Ok::<(), std::io::Error>(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "splice")]
    fn splice_from(&self, from: impl AsFd, len: usize) -> io::Result<usize>;

    /// Like [`splice_from`](Self::splice_from), from that offset of a file, whose own position is neither used nor changed. So one open
    /// file serves any number of pipes at once.
    ///
    /// # Errors
    /// Those of [`splice_from`](Self::splice_from), and [`NotSeekable`](io::ErrorKind::NotSeekable) or
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if `from` is a pipe, a socket or the like, which have no offsets.
    ///
    /// Stands on `splice(2)`.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::SenderExt, unnamed_pipe::pipe};
    /// use std::fs::File;
    ///
    /// let (sender, recver) = pipe()?;
    /// let file = File::open("Cargo.toml")?;
    /// assert_eq!(sender.splice_from_at(&file, 1, 9)?, 9);
    /// let mut buf = [0; 16];
    /// assert_eq!(recver.recv(&mut buf)?, 9);
    /// assert_eq!(&buf[..9], b"workspace");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn splice_from_at(&self, from: impl AsFd, offset: u64, len: usize) -> io::Result<usize>;

    /// Sends bytes that stay as they are for ever, without copying them: the pipe holds the memory itself. Says how many: at least
    /// one, unless `buf` is empty. It waits and fails as [`send`](Sender::send) does.
    ///
    /// This pays for much at once, from about a few pages on, and if the receiver passes it on without looking at it
    /// ([`splice_to`](RecverExt::splice_to)), above all. Text and tables of the program are such bytes, as is what
    /// [`Vec::leak`] gives.
    ///
    /// # Platform-specific behaviour
    /// Stands on `vmsplice(2)`. Each page of memory, even if only a byte of it is sent, takes a page of the pipe's
    /// [capacity](Sender::capacity): what does not begin with a page takes one more. In a pipe of
    /// [packets](super::CreationOptions::packets) it is none.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::SenderExt, unnamed_pipe::pipe};
    ///
    /// static PAGE: &str = "<!doctype html><title>Hello</title>";
    /// let (sender, recver) = pipe()?;
    /// assert_eq!(sender.send_static(PAGE.as_bytes())?, PAGE.len());
    /// let mut buf = [0; 64];
    /// assert_eq!(recver.recv(&mut buf)?, PAGE.len());
    /// assert_eq!(&buf[..PAGE.len()], PAGE.as_bytes());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "vmsplice")]
    fn send_static(&self, buf: &'static [u8]) -> io::Result<usize>;

    /// Like [`send_static`](Self::send_static), from memory that has to stay as it is only as long as somebody may receive it.
    ///
    /// # Safety
    /// From this call on, and not only until it returns, the bytes of `buf` must not be written to, and their memory must not be given
    /// back to an allocator, the stack or whoever else may use it for something else, until nothing holds them any more: neither this pipe
    /// nor any pipe or socket to which they were moved from it. Otherwise receivers, who may be other processes, get what is written there
    /// later: other bytes than were sent, or secrets.
    ///
    /// A call that fails has taken nothing; one that sent a part has taken that part. The kernel does not tell when it is done with them.
    /// That every receiver has got the bytes **by copying** ([`recv`](Recver::recv), `read(2)`) and says so, is enough; so is that
    /// all ends of the pipe are closed, if nobody moved them on. That [`available`](Recver::available) is 0 is not enough, as they may
    /// have been moved on. Memory that is unmapped, and not given to an allocator, is safe at once: the kernel keeps the pages.
    ///
    /// ```
    /// use interprocess::{os::unix::unnamed_pipe::SenderExt, unnamed_pipe::pipe};
    ///
    /// let (sender, recver) = pipe()?;
    /// let bytes = vec![7; 8192];
    /// // SAFETY: both ends are ours, and closed before the bytes are dropped; nobody writes to them.
    /// let sent = unsafe { sender.send_mapped(&bytes)? };
    ///
    /// let mut buf = [0; 8192];
    /// assert_eq!(recver.recv(&mut buf)?, sent);
    /// drop((sender, recver));
    /// drop(bytes);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "vmsplice")]
    unsafe fn send_mapped(&self, buf: &[u8]) -> io::Result<usize>;
}

impl SenderExt for Sender {
    fn splice_from(&self, from: impl AsFd, len: usize) -> io::Result<usize> {
        self.0.splice_from(from.as_fd(), None, len)
    }

    fn splice_from_at(&self, from: impl AsFd, offset: u64, len: usize) -> io::Result<usize> {
        self.0.splice_from(from.as_fd(), Some(offset), len)
    }

    fn send_static(&self, buf: &'static [u8]) -> io::Result<usize> {
        // SAFETY: what is borrowed for ever is never written to, nor freed.
        unsafe { self.0.send_mapped(buf) }
    }

    unsafe fn send_mapped(&self, buf: &[u8]) -> io::Result<usize> {
        // SAFETY: the caller promises just that.
        unsafe { self.0.send_mapped(buf) }
    }
}
