//! Bytes that pass through a pipe without being copied, on Linux.

use crate::{
    arena::{Parcels, Place, Ready, Subject, lend, work},
    peer::Peer,
    shape::{BIG_ROOM, Pages, drain},
};
use interprocess::{
    child,
    os::unix::unnamed_pipe::{RecverExt, SenderExt},
    unnamed_pipe::{Recver, pipe},
};
use rustix::pipe::{IoSliceRaw, SpliceFlags, splice, vmsplice};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::{fd::AsFd, unix::fs::FileExt},
};

/// What is sent: whole pages, which nobody changes.
#[repr(align(4096))]
struct Fixed([u8; BIG_ROOM]);
static FIXED: Fixed = Fixed([0x55; BIG_ROOM]);

/// `send_static`, what std can do (`write`), `vmsplice(2)`. Who receives does the same for all.
pub(crate) struct Static(pub(crate) usize);

impl Subject for Static {
    fn near(&self, peer: Peer, _: &Place, parcels: &mut Parcels) -> io::Result<Ready> {
        let bytes: &'static [u8] = &FIXED.0[..self.0];
        let ((sender, theirs), (to_write, mut done)) = (pipe()?, pipe()?);
        parcels.push((format!("{} in", peer.name()), lend(&theirs)?));
        parcels.push((format!("{} out", peer.name()), lend(&to_write)?));
        let mut send: Box<dyn FnMut() -> io::Result<()>> = match peer {
            Peer::Ours => Box::new(move || all(bytes, |bytes| sender.send_static(bytes))),
            Peer::Std => {
                let mut file = File::from(sender);
                Box::new(move || file.write_all(bytes))
            }
            Peer::Raw => Box::new(move || {
                all(bytes, |bytes| {
                    let bufs = [IoSliceRaw::from_slice(bytes)];
                    // SAFETY: it is the end for writing, so that the bytes are only read; nobody changes them.
                    Ok(unsafe { vmsplice(&sender, &bufs, SpliceFlags::empty()) }?)
                })
            }),
            peer => return Err(peer.cannot()),
        };
        Ok(Box::new(|| {
            Ok(work(move |count, _| {
                for _ in 0..count {
                    send()?;
                }
                done.read_exact(&mut [0])
            }))
        }))
    }

    fn far(&self, peer: Peer, _: &Place) -> io::Result<Option<Ready>> {
        let size = self.0;
        let mut recver: Recver = child::inherited(&format!("{} in", peer.name()))?;
        let done: interprocess::unnamed_pipe::Sender = child::inherited(&format!("{} out", peer.name()))?;
        let mut buf = Pages::new(BIG_ROOM);
        let mut is_first = true;
        Ok(Some(Box::new(move || {
            Ok(work(move |count, _| {
                buf.fill(0);
                drain(&mut recver, size as u64 * u64::from(count), size, &mut buf, false)?;
                if is_first && !buf[..size].iter().all(|byte| *byte == 0x55) {
                    return Err(io::Error::other("something else was received"));
                }
                is_first = false;
                done.send(&[0]).map(drop)
            }))
        })))
    }
}

/// Sends in parts.
fn all(mut bytes: &'static [u8], send: impl Fn(&'static [u8]) -> io::Result<usize>) -> io::Result<()> {
    while !bytes.is_empty() {
        bytes = &bytes[send(bytes)?..];
    }
    Ok(())
}

/// From a file in memory through a pipe to `/dev/null`: `splice_from_at` and `splice_to`, std's reads and writes, `splice(2)`.
pub(crate) struct FileToNull(pub(crate) usize);

impl Subject for FileToNull {
    fn near(&self, peer: Peer, _: &Place, _: &mut Parcels) -> io::Result<Ready> {
        let size = self.0;
        let file =
            File::from(rustix::fs::memfd_create("interprocess-bench", rustix::fs::MemfdFlags::CLOEXEC)?);
        file.write_all_at(&FIXED.0[..size], 0)?;
        let mut null = File::options().write(true).open("/dev/null")?;
        let (sender, recver) = pipe()?;
        let mut step: Box<dyn FnMut() -> io::Result<usize>> = match peer {
            Peer::Ours => Box::new(move || {
                sender.splice_from_at(&file, 0, size)?;
                recver.splice_to(&null, size)
            }),
            Peer::Std => {
                let (mut writer, mut reader) = (File::from(sender), File::from(recver));
                let mut buf = Pages::new(size);
                Box::new(move || {
                    file.read_exact_at(&mut buf, 0)?;
                    writer.write_all(&buf)?;
                    reader.read_exact(&mut buf)?;
                    null.write(&buf)
                })
            }
            Peer::Raw => Box::new(move || {
                let (from, to) = (sender.as_fd(), recver.as_fd());
                splice(&file, Some(&mut 0), from, None, size, SpliceFlags::empty())?;
                Ok(splice(to, None, &null, None, size, SpliceFlags::empty())?)
            }),
            peer => return Err(peer.cannot()),
        };
        Ok(Box::new(move || {
            Ok(work(move |count, _| {
                for _ in 0..count {
                    if step()? != size {
                        return Err(io::Error::other("a part was moved"));
                    }
                }
                Ok(())
            }))
        }))
    }

    fn far(&self, _: Peer, _: &Place) -> io::Result<Option<Ready>> {
        Ok(None)
    }
}
