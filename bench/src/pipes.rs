//! Unnamed pipes beside those of std and beside plain `read` and `write`, and bytes that are not copied.

use crate::{
    linux::{Arena, Contestant, Work},
    median, median_ratio, raw, take_turns,
};
use interprocess::{
    os::unix::unnamed_pipe::{RecverExt, SenderExt},
    unnamed_pipe::{Recver, Sender},
};
use rustix::pipe::{IoSliceRaw, PipeFlags, SpliceFlags, pipe_with, splice, vmsplice};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    sync::mpsc,
    time::Duration,
};

const KIB: usize = 1 << 10;

/// What is sent: whole pages, which nobody changes.
#[repr(align(4096))]
struct Pages([u8; 256 * KIB]);
static PAGES: Pages = Pages([0x55; 256 * KIB]);

/// What a line of the table is called on the command line, what it is, and what is done.
const LINES: [(&str, &str, Job); 14] = [
    ("round-trip-1", "round trip, 1 B", Job::RoundTrip(1)),
    ("round-trip-64", "round trip, 64 B", Job::RoundTrip(64)),
    ("round-trip-4k", "round trip, 4 KiB", Job::RoundTrip(4 * KIB)),
    ("one-way-4k", "one way, 4 KiB writes", Job::OneWay(4 * KIB)),
    ("one-way-64k", "one way, 64 KiB writes", Job::OneWay(64 * KIB)),
    ("one-way-256k", "one way, 256 KiB writes", Job::OneWay(256 * KIB)),
    ("alone-64", "one thread, 64 B", Job::Alone(64)),
    ("alone-4k", "one thread, 4 KiB", Job::Alone(4 * KIB)),
    ("alone-64k", "one thread, 64 KiB", Job::Alone(64 * KIB)),
    ("static-64k", "send_static, 64 KiB, read", Job::Static(64 * KIB, Drain::Read)),
    ("static-256k", "send_static, 256 KiB, read", Job::Static(256 * KIB, Drain::Read)),
    ("static-null-64k", "send_static, 64 KiB, /dev/null", Job::Static(64 * KIB, Drain::Null)),
    ("static-null-256k", "send_static, 256 KiB, /dev/null", Job::Static(256 * KIB, Drain::Null)),
    ("file-64k", "file to /dev/null, 64 KiB", Job::FileToNull(64 * KIB)),
];

#[derive(Copy, Clone, Debug)]
enum Job {
    /// There and back again, between two threads.
    RoundTrip(usize),
    /// From one thread to another.
    OneWay(usize),
    /// Sent and received by one thread.
    Alone(usize),
    /// From one thread to another: `send_static`, std's `write`, `vmsplice(2)`. The receiver is the same for all.
    Static(usize, Drain),
    /// From a file in memory through the pipe to `/dev/null`, in one thread: `splice_from_at` and `splice_to`, std's reads and
    /// writes, `splice(2)`.
    FileToNull(usize),
}

/// How the receiver gets rid of what it receives.
#[derive(Copy, Clone, Debug)]
enum Drain {
    Read,
    /// By `splice(2)` to `/dev/null`.
    Null,
}

/// Whose pipe it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Maker {
    Ours,
    Std,
    /// The system calls.
    Raw,
}

impl Maker {
    const ALL: [Self; 3] = [Self::Ours, Self::Std, Self::Raw];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|maker| maker.name() == text)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Std => "std",
            Self::Raw => "raw",
        }
    }
}

#[cfg(has_std_pipe)]
#[allow(clippy::incompatible_msrv, reason = "the build script has asked for the version")]
fn std_pipe() -> io::Result<(io::PipeWriter, io::PipeReader)> {
    io::pipe().map(|(reader, writer)| (writer, reader))
}

/// What comes next to it: `File` reads and writes by the same code.
#[cfg(not(has_std_pipe))]
fn std_pipe() -> io::Result<(File, File)> {
    let (sender, recver) = ours()?;
    Ok((sender.into(), recver.into()))
}

fn ours() -> io::Result<(Sender, Recver)> {
    interprocess::unnamed_pipe::pipe()
}

fn raw_pipe() -> io::Result<(raw::ReadWrite, raw::ReadWrite)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((raw::ReadWrite(writer), raw::ReadWrite(reader)))
}

impl Job {
    fn contestant(self, maker: Maker) -> io::Result<Contestant> {
        match (self, maker) {
            (Self::RoundTrip(size), Maker::Ours) => Ok(round_trip(size, ours()?, ours()?)),
            (Self::RoundTrip(size), Maker::Std) => Ok(round_trip(size, std_pipe()?, std_pipe()?)),
            (Self::RoundTrip(size), Maker::Raw) => Ok(round_trip(size, raw_pipe()?, raw_pipe()?)),
            (Self::OneWay(size), Maker::Ours) => Ok(one_way(size, ours()?)),
            (Self::OneWay(size), Maker::Std) => Ok(one_way(size, std_pipe()?)),
            (Self::OneWay(size), Maker::Raw) => Ok(one_way(size, raw_pipe()?)),
            (Self::Alone(size), Maker::Ours) => Ok(alone(size, ours()?)),
            (Self::Alone(size), Maker::Std) => Ok(alone(size, std_pipe()?)),
            (Self::Alone(size), Maker::Raw) => Ok(alone(size, raw_pipe()?)),
            (Self::Static(size, drain), maker) => fixed(size, drain, maker),
            (Self::FileToNull(size), maker) => file_to_null(size, maker),
        }
    }

    /// How many bytes are moved, if that is what counts.
    fn size(self) -> Option<usize> {
        match self {
            Self::RoundTrip(_) => None,
            Self::OneWay(size) | Self::Alone(size) | Self::Static(size, _) | Self::FileToNull(size) => {
                Some(size)
            }
        }
    }
}

fn round_trip<W, R>(size: usize, there: (W, R), back: (W, R)) -> Contestant
where
    W: Write + Send + 'static,
    R: Read + Send + 'static,
{
    let ((mut writer, mut other_reader), (mut other_writer, mut reader)) = (there, back);
    let (mut buf, mut other_buf) = (vec![0x55; size], vec![0; size]);
    let drive: Work = Box::new(move |count| {
        for _ in 0..count {
            writer.write_all(&buf)?;
            reader.read_exact(&mut buf)?;
        }
        Ok(())
    });
    let answer: Work = Box::new(move |count| {
        for _ in 0..count {
            other_reader.read_exact(&mut other_buf)?;
            other_writer.write_all(&other_buf)?;
        }
        Ok(())
    });
    Contestant { drive, answer: Some(answer) }
}

fn one_way<W, R>(size: usize, (mut writer, mut reader): (W, R)) -> Contestant
where
    W: Write + Send + 'static,
    R: Read + Send + 'static,
{
    let mut buf = vec![0; 256 * KIB];
    sent_and_drained(
        size,
        move || writer.write_all(&PAGES.0[..size]),
        move |left| {
            let room = left.min(buf.len());
            reader.read(&mut buf[..room])
        },
    )
}

/// `drain` is told how much is left, and says how much it took.
fn sent_and_drained(
    size: usize,
    mut send: impl FnMut() -> io::Result<()> + Send + 'static,
    mut drain: impl FnMut(usize) -> io::Result<usize> + Send + 'static,
) -> Contestant {
    let (done, is_done) = mpsc::channel();
    let drive: Work = Box::new(move |count| {
        for _ in 0..count {
            send()?;
        }
        is_done.recv().map_err(|_| io::Error::other("the other thread has failed"))
    });
    let answer: Work = Box::new(move |count| {
        let mut left = size * usize::try_from(count).map_err(io::Error::other)?;
        while left > 0 {
            match drain(left)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => left -= len,
            }
        }
        let _ = done.send(());
        Ok(())
    });
    Contestant { drive, answer: Some(answer) }
}

fn alone<W, R>(size: usize, (mut writer, mut reader): (W, R)) -> Contestant
where
    W: Write + Send + 'static,
    R: Read + Send + 'static,
{
    let mut buf = vec![0; size];
    let drive: Work = Box::new(move |count| {
        for _ in 0..count {
            writer.write_all(&PAGES.0[..size])?;
            reader.read_exact(&mut buf)?;
        }
        Ok(())
    });
    Contestant { drive, answer: None }
}

fn null() -> io::Result<File> {
    File::options().write(true).open("/dev/null")
}

fn fixed(size: usize, drain: Drain, maker: Maker) -> io::Result<Contestant> {
    let bytes: &'static [u8] = &PAGES.0[..size];
    let contestant = |reader: OwnedFd, send: Box<dyn FnMut() -> io::Result<()> + Send>| {
        let (mut buf, null) = (vec![0; 256 * KIB], null()?);
        let drain = move |left: usize| match drain {
            Drain::Read => {
                let room = left.min(buf.len());
                Ok(rustix::io::read(&reader, &mut buf[..room])?)
            }
            Drain::Null => Ok(splice(&reader, None, &null, None, left, SpliceFlags::empty())?),
        };
        Ok(sent_and_drained(size, send, drain))
    };
    match maker {
        Maker::Ours => {
            let (sender, recver) = ours()?;
            contestant(recver.into(), Box::new(move || all(bytes, |bytes| sender.send_static(bytes))))
        }
        Maker::Std => {
            let (mut writer, reader) = std_pipe()?;
            contestant(reader.into(), Box::new(move || writer.write_all(bytes)))
        }
        Maker::Raw => {
            let (writer, reader) = raw_pipe()?;
            let send = move |bytes: &'static [u8]| {
                let bufs = [IoSliceRaw::from_slice(bytes)];
                // SAFETY: it is the end for writing, so that the bytes are only read; nobody changes them.
                Ok(unsafe { vmsplice(&writer.0, &bufs, SpliceFlags::empty()) }?)
            };
            contestant(reader.0, Box::new(move || all(bytes, &send)))
        }
    }
}

/// Sends in parts.
fn all(mut bytes: &'static [u8], send: impl Fn(&'static [u8]) -> io::Result<usize>) -> io::Result<()> {
    while !bytes.is_empty() {
        bytes = &bytes[send(bytes)?..];
    }
    Ok(())
}

fn file_to_null(size: usize, maker: Maker) -> io::Result<Contestant> {
    let file = File::from(rustix::fs::memfd_create("interprocess-bench", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all_at(&PAGES.0[..size], 0)?;
    let mut null = null()?;
    let mut step: Box<dyn FnMut() -> io::Result<usize> + Send> = match maker {
        Maker::Ours => {
            let (sender, recver) = ours()?;
            Box::new(move || {
                sender.splice_from_at(&file, 0, size)?;
                recver.splice_to(&null, size)
            })
        }
        Maker::Std => {
            let (mut writer, mut reader) = std_pipe()?;
            let mut buf = vec![0; size];
            Box::new(move || {
                file.read_exact_at(&mut buf, 0)?;
                writer.write_all(&buf)?;
                reader.read_exact(&mut buf)?;
                null.write(&buf)
            })
        }
        Maker::Raw => {
            let (writer, reader) = raw_pipe()?;
            Box::new(move || {
                let (from, to) = (writer.0.as_fd(), reader.0.as_fd());
                splice(&file, Some(&mut 0), from, None, size, SpliceFlags::empty())?;
                Ok(splice(to, None, &null, None, size, SpliceFlags::empty())?)
            })
        }
    };
    let drive: Work = Box::new(move |count| {
        for _ in 0..count {
            if step()? != size {
                return Err(io::Error::other("a part was moved"));
            }
        }
        Ok(())
    });
    Ok(Contestant { drive, answer: None })
}

/// Exactly `count` exchanges.
pub(crate) fn calls(line: &str, count: u32, maker: &str) -> io::Result<()> {
    let job = LINES.iter().find(|(name, ..)| *name == line).map(|(_, _, job)| job);
    let (Some(job), Some(maker)) = (job, Maker::parse(maker)) else {
        let names = LINES.map(|(name, ..)| name).join(", ");
        let why = format!("the lines are {names}; who makes the pipe is ours, std or raw");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    };
    Arena::new([job.contestant(maker)?]).slice(0, count).map(drop)
}

pub(crate) fn compare(per_line: Duration) -> io::Result<()> {
    println!("{:<34}{:>12}{:>12}{:>12}{:>10}{:>10}", "", "ours", "std", "raw", "to std", "to raw");
    for (_, what, job) in LINES {
        let mut contestants = Vec::new();
        for maker in Maker::ALL {
            contestants.push(job.contestant(maker)?);
        }
        let mut arena = Arena::new(contestants);
        let times = take_turns(Maker::ALL.len(), per_line, |maker, count| arena.slice(maker, count))?;
        print!("{what:<34}");
        for times in &times {
            let time = median(times.clone());
            #[allow(clippy::cast_precision_loss, reason = "sizes are small")]
            let shown = match job.size() {
                None => format!("{:.2} us", time * 1e6),
                Some(size) => format!("{:.2} GB/s", size as f64 / time / 1e9),
            };
            print!("{shown:>12}");
        }
        println!("{:>10.3}{:>10.3}", median_ratio(&times[0], &times[1]), median_ratio(&times[0], &times[2]));
    }
    println!("Medians. Ratios are of times: above 1, ours is slower.");
    Ok(())
}
