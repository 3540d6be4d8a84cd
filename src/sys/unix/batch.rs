//! Many messages by one system call (`sendmmsg`, `recvmmsg`), where there is one for that.

use super::{message::Received, name::SourceAddress};
use rustix::{
    io::Errno,
    net::{SendFlags, SocketAddrUnix},
};
use std::{
    fmt::{self, Debug, Formatter},
    io,
    os::fd::BorrowedFd,
};

/// More than this come with no call, on any system (`UIO_MAXIOV`).
const MAX_RECEIVED: usize = 1024;

/// How many are given to one call that sends. Their headers are on the stack, and more of them at once would not be faster.
const MAX_SENT: usize = 64;

/// Room for messages, and those that came.
pub(crate) struct Batch {
    /// For one message after the other, the same room for each.
    bytes: Vec<u8>,
    bytes_each: usize,
    slots: Vec<Slot>,
    /// How many came.
    len: usize,
    #[cfg_attr(
        not(any(
            target_os = "linux",
            target_os = "android",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd"
        )),
        allow(dead_code, reason = "one message at a time needs none")
    )]
    headers: imp::Headers,
}

/// What is told of a message, beside its bytes.
pub(crate) struct Slot {
    pub(crate) received: Received,
    pub(crate) source: SourceAddress,
}

impl Batch {
    pub(crate) fn new(messages: usize, bytes_each: usize) -> Self {
        let messages = messages.min(MAX_RECEIVED);
        let slot = || Slot { received: Received::default(), source: SourceAddress::new() };
        Self {
            bytes: vec![0; messages.saturating_mul(bytes_each)],
            bytes_each,
            slots: (0..messages).map(|_| slot()).collect(),
            len: 0,
            headers: imp::Headers::new(messages),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes_each(&self) -> usize {
        self.bytes_each
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// A message that came.
    pub(crate) fn get(&self, index: usize) -> Option<(&[u8], &Slot)> {
        let slot = self.slots[..self.len].get(index)?;
        let start = index * self.bytes_each;
        Some((&self.bytes[start..start + slot.received.len], slot))
    }

    /// Waits for a message as the socket does, and takes what else is there. None is the end of a connection, which
    /// `has_end`.
    pub(crate) fn recv(&mut self, fd: BorrowedFd<'_>, has_end: bool) -> io::Result<usize> {
        self.clear();
        if self.slots.is_empty() {
            return Ok(0);
        }
        let received = imp::recv(fd, self, has_end)?;
        let slots = &mut self.slots[..received];
        for slot in &mut *slots {
            slot.received.len = slot.received.len.min(self.bytes_each);
        }
        let is_end = |slot: &Slot| has_end && slot.received.len == 0 && !slot.received.is_truncated;
        // At the end, the call goes on to receive it as often as there is room for.
        self.len = slots.iter().rposition(|slot| !is_end(slot)).map_or(0, |last| last + 1);
        Ok(self.len)
    }
}

impl Debug for Batch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len).map_while(|index| Some(self.get(index)?.0))).finish()
    }
}

/// Sends one message after the other: how many, if it was one at least.
pub(crate) fn send<M: AsRef<[u8]>>(
    fd: BorrowedFd<'_>,
    messages: &[M],
    to: Option<&SocketAddrUnix>,
    flags: SendFlags,
) -> Result<usize, Errno> {
    let mut sent = 0;
    for some in messages.chunks(MAX_SENT) {
        match imp::send(fd, some, to, flags) {
            Ok(count) if count == some.len() => sent += count,
            Ok(count) => return Ok(sent + count),
            // It is still wrong when that message is the first.
            Err(_) if sent != 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod imp {
    #![allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "the types of the fields and of the arguments differ between systems, and hold what there can be"
    )]

    #[cfg(target_os = "freebsd")]
    use super::super::message::goes_on;
    use super::{
        super::{
            message::{RECV_FLAGS, c_int, empty_header, last_errno},
            socket::retry,
        },
        Batch, BorrowedFd, Errno, MAX_SENT, Received, SendFlags, SocketAddrUnix, io,
    };
    use rustix::net::{addr::SocketAddrArg, sockopt::Timeout};
    use std::{
        mem::MaybeUninit,
        os::fd::{AsRawFd, RawFd},
        ptr,
    };

    type Header = MaybeUninit<libc::mmsghdr>;
    type Buffer = MaybeUninit<libc::iovec>;

    /// Room for what a call that receives is given, so that it need not be allocated by each.
    pub(super) struct Headers {
        headers: Box<[Header]>,
        bufs: Box<[Buffer]>,
    }

    // SAFETY: the pointers in it are written anew by each call, and nobody looks at them after it.
    unsafe impl Send for Headers {}
    // SAFETY: as above; and a call has the only reference.
    unsafe impl Sync for Headers {}

    impl Headers {
        pub(super) fn new(messages: usize) -> Self {
            Self {
                headers: vec![Header::uninit(); messages].into(),
                bufs: vec![Buffer::uninit(); messages].into(),
            }
        }
    }

    fn header(header: libc::msghdr) -> libc::mmsghdr {
        libc::mmsghdr { msg_hdr: header, msg_len: 0 }
    }

    pub(super) fn recv(fd: BorrowedFd<'_>, batch: &mut Batch, _has_end: bool) -> io::Result<usize> {
        let Batch { bytes, bytes_each, slots, headers: Headers { headers, bufs }, .. } = batch;
        let mut room = bytes.as_mut_ptr();
        for ((place, buf), slot) in headers.iter_mut().zip(bufs).zip(&mut *slots) {
            buf.write(libc::iovec { iov_base: room.cast(), iov_len: *bytes_each });
            let mut one = empty_header();
            one.msg_iov = buf.as_mut_ptr();
            one.msg_iovlen = 1;
            (one.msg_name, one.msg_namelen) = slot.source.room();
            place.write(header(one));
            room = room.wrapping_add(*bytes_each);
        }
        let received = retry(fd, Timeout::Recv, || {
            // SAFETY: there are as many headers as slots, each was just written, and each pointer in them is to as much memory of
            // the batch as it says, which only this call uses.
            let received = unsafe {
                recvmmsg(
                    fd.as_raw_fd(),
                    headers.as_mut_ptr().cast(),
                    slots.len(),
                    RECV_FLAGS | libc::MSG_WAITFORONE,
                )
            };
            usize::try_from(received).map_err(|_| last_errno())
        })?;
        for (header, slot) in headers.iter().zip(&mut *slots).take(received) {
            // SAFETY: it was written above.
            let header = unsafe { header.assume_init_ref() };
            let len = header.msg_len as usize;
            let is_truncated = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            #[cfg(target_os = "freebsd")]
            let is_truncated = is_truncated || goes_on(fd, header.msg_hdr.msg_flags, len, *bytes_each);
            slot.received = Received { len, is_truncated };
            slot.source.set_len(header.msg_hdr.msg_namelen);
        }
        Ok(received)
    }

    /// Sends no more than [`MAX_SENT`].
    pub(super) fn send<M: AsRef<[u8]>>(
        fd: BorrowedFd<'_>,
        messages: &[M],
        to: Option<&SocketAddrUnix>,
        flags: SendFlags,
    ) -> Result<usize, Errno> {
        let send_to = |address: *const libc::c_void, len: libc::socklen_t| {
            let mut headers = [const { Header::uninit() }; MAX_SENT];
            let mut bufs = [const { Buffer::uninit() }; MAX_SENT];
            let count = messages.len().min(MAX_SENT);
            for ((place, buf), message) in headers.iter_mut().zip(&mut bufs).zip(messages) {
                let message = message.as_ref();
                buf.write(libc::iovec {
                    iov_base: message.as_ptr().cast_mut().cast(),
                    iov_len: message.len(),
                });
                let mut one = empty_header();
                one.msg_name = address.cast_mut();
                one.msg_namelen = len;
                one.msg_iov = buf.as_mut_ptr();
                one.msg_iovlen = 1;
                place.write(header(one));
            }
            retry(fd, Timeout::Send, || {
                // SAFETY: that many headers were just written, and each pointer in them is to as much memory as it says, which
                // lives until the call is over. It is only read; what is written are lengths in the headers.
                let sent = unsafe {
                    sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr().cast(), count, c_int(flags.bits()))
                };
                usize::try_from(sent).map_err(|_| last_errno())
            })
        };
        match to {
            None => send_to(ptr::null(), 0),
            // SAFETY: the pointer that the closure is given is used while the closure runs.
            Some(to) => unsafe { to.with_sockaddr(|address, len| send_to(address.cast(), len as _)) },
        }
    }

    /// Without the call's own timeout, which it looks at only when a message has come.
    ///
    /// # Safety
    /// That of `recvmmsg(2)`.
    unsafe fn recvmmsg(fd: RawFd, headers: *mut libc::mmsghdr, count: usize, flags: libc::c_int) -> isize {
        // By its number, since what the C libraries have differs.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // SAFETY: the caller's promise; the numbers are as wide as the kernel reads them.
        return unsafe {
            let no_timeout = ptr::null_mut::<libc::timespec>();
            libc::syscall(libc::SYS_recvmmsg as _, fd, headers, count as libc::c_uint, flags, no_timeout)
                as isize
        };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        // SAFETY: the caller's promise.
        return unsafe { libc::recvmmsg(fd, headers, count as _, flags, ptr::null_mut()) as isize };
    }

    /// # Safety
    /// That of `sendmmsg(2)`.
    unsafe fn sendmmsg(fd: RawFd, headers: *mut libc::mmsghdr, count: usize, flags: libc::c_int) -> isize {
        // By its number, since musl's makes a call for each message.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // SAFETY: the caller's promise; the numbers are as wide as the kernel reads them, and what musl pads a header with is
        // zero.
        return unsafe {
            libc::syscall(libc::SYS_sendmmsg as _, fd, headers, count as libc::c_uint, flags) as isize
        };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        // SAFETY: the caller's promise.
        return unsafe { libc::sendmmsg(fd, headers, count as _, flags) as isize };
    }
}

/// One call for each message.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
mod imp {
    use super::{
        super::{control::Word, message},
        Batch, BorrowedFd, Errno, SendFlags, SocketAddrUnix, io,
    };
    use rustix::net::RecvFlags;
    use std::io::{IoSlice, IoSliceMut};

    /// Nothing is needed.
    pub(super) struct Headers;

    impl Headers {
        pub(super) fn new(_messages: usize) -> Self {
            Self
        }
    }

    pub(super) fn recv(fd: BorrowedFd<'_>, batch: &mut Batch, has_end: bool) -> io::Result<usize> {
        let Batch { bytes, bytes_each, slots, .. } = batch;
        let mut rest = bytes.as_mut_slice();
        let mut flags = RecvFlags::empty();
        for (count, slot) in slots.iter_mut().enumerate() {
            let (room, others) = rest.split_at_mut(*bytes_each);
            rest = others;
            let bufs = &mut [IoSliceMut::new(room)];
            match message::recv::<Box<[Word]>>(fd, bufs, None, Some(&mut slot.source), flags) {
                Ok(received) => {
                    slot.received = received;
                    if has_end && received.len == 0 && !received.is_truncated {
                        return Ok(count);
                    }
                }
                // It is still wrong when this is the first.
                Err(_) if count != 0 => return Ok(count),
                Err(error) => return Err(error),
            }
            flags = RecvFlags::DONTWAIT;
        }
        Ok(slots.len())
    }

    pub(super) fn send<M: AsRef<[u8]>>(
        fd: BorrowedFd<'_>,
        messages: &[M],
        to: Option<&SocketAddrUnix>,
        flags: SendFlags,
    ) -> Result<usize, Errno> {
        for (sent, one) in messages.iter().enumerate() {
            match message::send(fd, &[IoSlice::new(one.as_ref())], to, &[], flags) {
                Ok(_) => {}
                Err(_) if sent != 0 => return Ok(sent),
                Err(error) => return Err(error),
            }
        }
        Ok(messages.len())
    }
}
