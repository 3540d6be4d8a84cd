//! What is done with a stream of bytes, blocking; the async twins are in `asynchronous`.

use crate::arena::{Work, work};
use std::{
    io::{self, Read, Write},
    ops::{Deref, DerefMut},
};

/// What is done, and with how many bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There and back again.
    PingPong(usize),
    /// The same, received with room for much more, as by who does not know how long a message is.
    WithRoom(usize),
    /// Writes; the other end answers with one byte when it has read everything.
    OneWay(usize),
}

/// Room for messages whose size is not known.
pub(crate) const ROOM: usize = 8 << 10;
/// What a stream of bytes is read into.
pub(crate) const BIG_ROOM: usize = 256 << 10;

impl Shape {
    pub(crate) fn size(self) -> usize {
        match self {
            Self::PingPong(size) | Self::WithRoom(size) | Self::OneWay(size) => size,
        }
    }

    /// A buffer for receiving.
    pub(crate) fn buffer(self) -> Pages {
        let len = match self {
            Self::PingPong(size) => size,
            Self::WithRoom(_) => ROOM,
            Self::OneWay(_) => BIG_ROOM,
        };
        Pages::new(len)
    }

    /// What the other end of `OneWay` reads.
    pub(crate) fn all_bytes(self, count: u32) -> u64 {
        self.size() as u64 * u64::from(count)
    }
}

/// Bytes that begin with a page, as everybody's do: how quickly the kernel copies depends on that.
pub(crate) struct Pages {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

const PAGE: usize = 4096;

impl Pages {
    pub(crate) fn new(len: usize) -> Self {
        let bytes = vec![0; len + PAGE];
        let start = bytes.as_ptr().align_offset(PAGE).min(PAGE);
        Self { bytes, start, len }
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }
}

impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }
}

/// What is sent.
pub(crate) fn pattern(size: usize) -> Pages {
    let mut pages = Pages::new(size);
    pages.iter_mut().enumerate().for_each(|(at, byte)| *byte = pattern_at(at));
    pages
}

#[allow(clippy::cast_possible_truncation, reason = "the bytes only have to differ")]
fn pattern_at(at: usize) -> u8 {
    (at * 31 + (at >> 8) + 7) as u8
}

/// What came is what was sent, from `at` on.
pub(crate) fn check(received: &[u8], at: u64, size: usize) -> io::Result<()> {
    let start = usize::try_from(at % size.max(1) as u64).expect("less than the size");
    let is_right =
        received.iter().enumerate().all(|(index, byte)| *byte == pattern_at((start + index) % size));
    if is_right { Ok(()) } else { Err(io::Error::other("something else was received")) }
}

/// The end that begins. What it does first is checked.
pub(crate) fn drive(mut stream: impl Read + Write + 'static, shape: Shape) -> Work {
    let (message, mut buf) = (pattern(shape.size()), shape.buffer());
    let mut is_first = true;
    work(move |count, laps| {
        for _ in 0..count {
            stream.write_all(&message)?;
            match shape {
                Shape::PingPong(_) => stream.read_exact(&mut buf)?,
                Shape::WithRoom(size) => read_with_room(&mut stream, &mut buf, size)?,
                Shape::OneWay(_) => continue,
            }
            if is_first {
                check(&buf[..message.len()], 0, message.len())?;
                is_first = false;
            }
            laps.lap();
        }
        if let Shape::OneWay(_) = shape {
            stream.read_exact(&mut [0])?;
        }
        Ok(())
    })
}

/// The other end.
pub(crate) fn answer(mut stream: impl Read + Write + 'static, shape: Shape) -> Work {
    let mut buf = shape.buffer();
    let mut is_first = true;
    work(move |count, _| {
        if let Shape::OneWay(size) = shape {
            drain(&mut stream, shape.all_bytes(count), size, &mut buf, is_first)?;
            is_first = false;
            return stream.write_all(&[0]);
        }
        let size = shape.size();
        for _ in 0..count {
            match shape {
                Shape::WithRoom(_) => read_with_room(&mut stream, &mut buf, size)?,
                _ => stream.read_exact(&mut buf)?,
            }
            if is_first {
                check(&buf[..size], 0, size)?;
                is_first = false;
            }
            stream.write_all(&buf[..size])?;
        }
        Ok(())
    })
}

/// One message in one call, most of the time.
fn read_with_room(stream: &mut impl Read, buf: &mut [u8], size: usize) -> io::Result<()> {
    let mut received = 0;
    while received < size {
        match stream.read(&mut buf[received..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => received += len,
        }
    }
    Ok(())
}

/// Reads so many bytes.
pub(crate) fn drain(
    stream: &mut impl Read,
    all: u64,
    size: usize,
    buf: &mut [u8],
    is_checked: bool,
) -> io::Result<()> {
    let mut done = 0;
    while done < all {
        let room = usize::try_from(all - done).unwrap_or(usize::MAX).min(buf.len());
        match stream.read(&mut buf[..room])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => {
                // One message is enough.
                if is_checked && done < size as u64 {
                    check(&buf[..len], done, size)?;
                }
                done += len as u64;
            }
        }
    }
    Ok(())
}

/// Both ends, taken in turns by one thread.
pub(crate) fn alone(mut writer: impl Write + 'static, mut reader: impl Read + 'static, size: usize) -> Work {
    let (message, mut buf) = (pattern(size), Pages::new(size));
    let mut is_first = true;
    work(move |count, _| {
        for _ in 0..count {
            writer.write_all(&message)?;
            reader.read_exact(&mut buf)?;
            if is_first {
                check(&buf, 0, size)?;
                is_first = false;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_received_in_parts_is_checked_where_it_belongs() {
        let sent = pattern(1000);
        let twice = [&*sent, &*sent].concat();
        assert!(check(&twice[990..1500], 990, 1000).is_ok());
        assert!(check(&twice[990..1500], 991, 1000).is_err());
        assert!(drain(&mut &*twice, 2000, 1000, &mut [0; 300], true).is_ok());
        assert!(drain(&mut &twice[1..], 1999, 1000, &mut [0; 300], true).is_err());
        assert!(drain(&mut &twice[1..], 1999, 1000, &mut [0; 300], false).is_ok());
        assert!(drain(&mut &*sent, 2000, 1000, &mut [0; 300], true).is_err(), "there are not that many");
    }
}
