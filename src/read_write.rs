//! `Read` and `Write`, for everything that receives and sends bytes.
//!
//! Most of the time one call moves all that `read_exact` and `write_all` are asked for, so they begin with one, and only what is
//! left goes through a loop. That makes them as cheap as the call.

use std::io::{self, Read, Write};

#[inline]
pub(crate) fn read_exact(
    buf: &mut [u8],
    mut recv: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<()> {
    match recv(buf) {
        Ok(done) if done == buf.len() => Ok(()),
        first => read_rest(first, buf, recv),
    }
}

#[cold]
fn read_rest(
    first: io::Result<usize>,
    buf: &mut [u8],
    recv: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<()> {
    match first {
        // With the words of std.
        Ok(0) => io::empty().read_exact(buf),
        Ok(done) => By(recv).read_exact(&mut buf[done..]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => By(recv).read_exact(buf),
        Err(error) => Err(error),
    }
}

#[inline]
pub(crate) fn write_all(buf: &[u8], mut send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
    match send(buf) {
        Ok(done) if done == buf.len() => Ok(()),
        first => write_rest(first, buf, send),
    }
}

#[cold]
fn write_rest(
    first: io::Result<usize>,
    buf: &[u8],
    send: impl FnMut(&[u8]) -> io::Result<usize>,
) -> io::Result<()> {
    match first {
        Ok(0) => <&mut [u8]>::default().write_all(buf),
        Ok(done) => By(send).write_all(&buf[done..]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => By(send).write_all(buf),
        Err(error) => Err(error),
    }
}

/// For the loops of `std`.
struct By<F>(F);

impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for By<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (self.0)(buf)
    }
}

impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for By<F> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (self.0)(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `Read` for a type, by way of something that receives bytes.
macro_rules! read_by_recv {
    ($([$($bounds:tt)*] $type:ty, |$this:ident| $io:expr;)+) => {$(
        impl<$($bounds)*> std::io::Read for $type {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                let $this = self;
                $io.recv(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [std::io::IoSliceMut<'_>]) -> std::io::Result<usize> {
                let $this = self;
                $io.recv_vectored(bufs)
            }

            #[inline]
            fn read_exact(&mut self, buf: &mut [u8]) -> std::io::Result<()> {
                let $this = self;
                $crate::read_write::read_exact(buf, |buf| $io.recv(buf))
            }
        }
    )+};
}
pub(crate) use read_by_recv;

/// `Write` for a type, by way of something that sends bytes, and what flushing it is.
macro_rules! write_by_send {
    ($([$($bounds:tt)*] $type:ty, |$this:ident| $io:expr, $flush:expr;)+) => {$(
        impl<$($bounds)*> std::io::Write for $type {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
                let $this = self;
                $io.send(buf)
            }

            fn write_vectored(&mut self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                let $this = self;
                $io.send_vectored(bufs)
            }

            #[inline]
            fn write_all(&mut self, buf: &[u8]) -> std::io::Result<()> {
                let $this = self;
                $crate::read_write::write_all(buf, |buf| $io.send(buf))
            }

            fn flush(&mut self) -> std::io::Result<()> {
                let $this = self;
                $flush
            }
        }
    )+};
}
pub(crate) use write_by_send;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_call_does_not_move_is_moved_by_more() {
        let (mut buf, mut from) = ([0; 10], &b"0123456789 and more"[..]);
        read_exact(&mut buf, |buf| from.by_ref().take(3).read(buf)).unwrap();
        assert_eq!((&buf, from), (b"0123456789", &b" and more"[..]));

        let mut sent = Vec::new();
        write_all(b"0123456789", |buf| sent.write(&buf[..4.min(buf.len())])).unwrap();
        assert_eq!(sent, b"0123456789");
    }

    #[test]
    fn nothing_takes_one_call() {
        let mut calls = 0;
        let mut call = || {
            calls += 1;
            Ok(0)
        };
        read_exact(&mut [], |_| call()).unwrap();
        write_all(&[], |_| call()).unwrap();
        assert_eq!(calls, 2);
    }

    #[test]
    fn what_is_interrupted_goes_on() {
        for interrupted in [0, 1] {
            let (mut reads, mut writes) = (0.., 0..);
            let step = |calls: &mut std::ops::RangeFrom<i32>| match calls.next() {
                Some(call) if call == interrupted => Err(io::ErrorKind::Interrupted.into()),
                _ => Ok(3),
            };
            read_exact(&mut [0; 9], |_| step(&mut reads)).unwrap();
            write_all(&[0; 9], |_| step(&mut writes)).unwrap();
            assert_eq!((reads.next(), writes.next()), (Some(4), Some(4)));
        }
    }

    #[test]
    fn ends_and_errors_are_told_wherever_they_come() {
        let kind = |result: io::Result<()>| result.unwrap_err().kind();
        for steps in [&[0][..], &[4, 0]] {
            let (mut reading, mut writing) = (steps.iter(), steps.iter());
            let result = read_exact(&mut [0; 9], |_| Ok(*reading.next().unwrap()));
            assert_eq!(kind(result), io::ErrorKind::UnexpectedEof);
            let result = write_all(&[0; 9], |_| Ok(*writing.next().unwrap()));
            assert_eq!(kind(result), io::ErrorKind::WriteZero);
        }
        for first in [None, Some(4)] {
            let mut reading = first.into_iter();
            let mut writing = reading.clone();
            let result = read_exact(&mut [0; 9], |_| reading.next().ok_or(io::ErrorKind::TimedOut.into()));
            assert_eq!(kind(result), io::ErrorKind::TimedOut);
            let result = write_all(&[0; 9], |_| writing.next().ok_or(io::ErrorKind::TimedOut.into()));
            assert_eq!(kind(result), io::ErrorKind::TimedOut);
        }
    }
}
