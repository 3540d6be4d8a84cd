//! What has come for one `Signals` and was not given out yet: pushed by handlers, in whatever they interrupt, and popped by
//! threads and tasks that wait.
//!
//! The rule of this file: [`Queue::push`] takes no lock, waits for nobody, and uses no allocator, since what it interrupts may
//! hold the lock or be in the middle of allocating. It makes two system calls: `write`, to wake who waits, and `mmap`, when
//! a burst is longer than the memory that lies ready. Neither is anything but a system call.
//!
//! Records lie in a list of chunks. A push takes the next place of the last chunk by counting up, and then fills it; one that is
//! interrupted in between by another keeps nobody but the reader from going on. A chunk that was read is not used again
//! before no push is under way, since one might still look at it.

use super::super::socket;
use rustix::{
    io::Errno,
    mm::{MapFlags, ProtFlags},
};
use std::{
    cell::UnsafeCell,
    ffi::c_void,
    fmt::{self, Debug, Formatter},
    io,
    mem::{self, MaybeUninit},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    ptr::{self, NonNull, null_mut},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicPtr, AtomicU32, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
        },
    },
};

/// What is kept of a `siginfo_t`. Zero is what is not known.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) signal: i32,
    /// Whether the rest was told.
    pub(crate) has_details: bool,
    pub(crate) code: i32,
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    /// The bytes of a `sigval`.
    pub(crate) value: usize,
    pub(crate) status: i32,
}

/// How many records lie in one chunk, which is 40 KiB. Of that, the system provides what is used.
const RECORDS: usize = 1024;

/// One for each signal, 0 to 127.
pub(super) type Bits = [AtomicU32; 4];

/// All zeros is an empty one.
struct Chunk {
    next: AtomicPtr<Chunk>,
    /// How many places were taken; more than there are, if some came too late.
    taken: AtomicUsize,
    places: [Place; RECORDS],
}

struct Place {
    is_full: AtomicBool,
    record: UnsafeCell<MaybeUninit<Record>>,
}

/// The end that is read.
struct Front {
    chunk: NonNull<Chunk>,
    index: usize,
    /// Read, and maybe still looked at by a push.
    retired: Vec<NonNull<Chunk>>,
}

pub(crate) struct Queue {
    tail: AtomicPtr<Chunk>,
    /// An empty chunk that lies ready.
    spare: AtomicPtr<Chunk>,
    /// How many pushes are under way.
    users: AtomicUsize,
    len: AtomicUsize,
    limit: usize,
    /// Signals that are not kept apart when there is no room: each is to be reported once.
    merged: Bits,
    /// How many of the other ones there was no room for.
    lost: AtomicUsize,
    is_stopped: AtomicBool,
    /// Whether something was written to the pipe since it was last emptied.
    is_notified: AtomicBool,
    reader: OwnedFd,
    writer: OwnedFd,
    front: Mutex<Front>,
}

// SAFETY: places are filled by the one push that took them, and read under the lock of `front` after that; chunks are freed or used
// again only when nobody can reach them any more, as is said where that is done.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// An empty queue for no more than `limit` records.
    pub(crate) fn new(limit: usize) -> io::Result<Self> {
        let (reader, writer) = socket::wake_pipe()?;
        socket::set_nonblocking(reader.as_fd(), true)?;
        socket::set_nonblocking(writer.as_fd(), true)?;
        let chunk = map_chunk()?;
        Ok(Self {
            tail: AtomicPtr::new(chunk.as_ptr()),
            spare: AtomicPtr::default(),
            users: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            limit,
            merged: [const { AtomicU32::new(0) }; 4],
            lost: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
            is_notified: AtomicBool::new(false),
            reader,
            writer,
            front: Mutex::new(Front { chunk, index: 0, retired: Vec::new() }),
        })
    }

    /// Adds a record, from within a handler, and wakes who waits. If there is no room, signals that `is_merged` are reported once
    /// however many come, and others are counted as lost.
    pub(super) fn push(&self, record: Record, is_merged: bool) {
        if self.is_stopped.load(SeqCst) {
            return;
        }
        self.users.fetch_add(1, SeqCst);
        if self.len.fetch_add(1, Relaxed) >= self.limit || !self.place(record) {
            self.len.fetch_sub(1, Relaxed);
            if is_merged {
                set_bit(&self.merged, record.signal);
            } else {
                self.lost.fetch_add(1, Relaxed);
            }
        }
        self.users.fetch_sub(1, SeqCst);
        self.notify();
    }

    /// Puts a record into a place; `false` if there is no memory. `users` keeps the chunks from being freed meanwhile.
    fn place(&self, record: Record) -> bool {
        loop {
            let chunk = self.tail.load(SeqCst);
            // SAFETY: chunks that `tail` pointed to since `users` was counted up are not freed before it is counted down.
            let Chunk { next, taken, places } = unsafe { &*chunk };
            if let Some(place) = places.get(taken.fetch_add(1, Relaxed)) {
                // SAFETY: nobody else got this place, and it is not read before it is said to be full.
                unsafe { (*place.record.get()).write(record) };
                place.is_full.store(true, Release);
                return true;
            }
            let mut after = next.load(Acquire);
            if after.is_null() {
                let mut new = self.spare.swap(null_mut(), AcqRel);
                if new.is_null() {
                    let Ok(mapped) = map_chunk() else { return false };
                    new = mapped.as_ptr();
                }
                after = match next.compare_exchange(null_mut(), new, AcqRel, Acquire) {
                    Ok(_) => new,
                    Err(other) => {
                        self.keep_or_free(new);
                        other
                    }
                };
            }
            let _ = self.tail.compare_exchange(chunk, after, SeqCst, SeqCst);
        }
    }

    /// Puts an empty chunk that nobody knows aside, or frees it.
    fn keep_or_free(&self, chunk: *mut Chunk) {
        if self.spare.compare_exchange(null_mut(), chunk, AcqRel, Acquire).is_err() {
            // SAFETY: it is a chunk, and nobody else knows it.
            unsafe { unmap_chunk(chunk) };
        }
    }

    /// Makes the pipe readable.
    fn notify(&self) {
        if !self.is_notified.swap(true, SeqCst) {
            // That it is full is as good.
            while rustix::io::write(&self.writer, &[0]) == Err(Errno::INTR) {}
        }
    }

    /// The next record. `AGAIN` if there is none, and then the pipe is empty until there is; `PIPE` if there will be none.
    pub(crate) fn pop(&self) -> Result<Record, Errno> {
        let mut front = self.lock();
        if let Some(record) = self.take(&mut front) {
            return Ok(record);
        }
        if !self.is_stopped.load(SeqCst) {
            let mut bytes = [0; 64];
            while matches!(rustix::io::read(&self.reader, &mut bytes), Ok(64) | Err(Errno::INTR)) {}
            self.is_notified.store(false, SeqCst);
            match self.take(&mut front) {
                Some(record) => {
                    // There may be more, of which nobody was told after the pipe was emptied.
                    self.notify();
                    return Ok(record);
                }
                None if !self.is_stopped.load(SeqCst) => return Err(Errno::AGAIN),
                None => {}
            }
        }
        self.notify();
        Err(Errno::PIPE)
    }

    fn take(&self, front: &mut Front) -> Option<Record> {
        loop {
            // SAFETY: a chunk is not freed before it was retired, and this one was not.
            let Chunk { next, places, .. } = unsafe { front.chunk.as_ref() };
            if let Some(place) = places.get(front.index) {
                if !place.is_full.load(Acquire) {
                    break;
                }
                // SAFETY: it is full, and nobody writes to it again.
                let record = unsafe { (*place.record.get()).assume_init() };
                front.index += 1;
                self.len.fetch_sub(1, Relaxed);
                return Some(record);
            }
            let Some(next) = NonNull::new(next.load(Acquire)) else { break };
            // Who made the next one may have been interrupted before it said so.
            let _ = self.tail.compare_exchange(front.chunk.as_ptr(), next.as_ptr(), SeqCst, SeqCst);
            let read = mem::replace(&mut front.chunk, next);
            front.index = 0;
            front.retired.push(read);
            self.recycle(front);
        }
        let signal = take_bit(&self.merged)?;
        Some(Record { signal, ..Record::default() })
    }

    /// Frees what was read, or keeps it for what comes, if no push can have to do with it any more: `tail` is beyond it, so a push
    /// that begins now does not see it, and none that began before is under way.
    fn recycle(&self, front: &mut Front) {
        if self.users.load(SeqCst) != 0 {
            return;
        }
        for chunk in front.retired.drain(..) {
            if self.spare.load(Relaxed).is_null() {
                // SAFETY: nobody else has it, as above, and all zeros is an empty chunk.
                unsafe { ptr::write_bytes(chunk.as_ptr(), 0, 1) };
                self.keep_or_free(chunk.as_ptr());
            } else {
                // SAFETY: nobody else has it, as above.
                unsafe { unmap_chunk(chunk.as_ptr()) };
            }
        }
    }

    /// Lets nothing more in, and wakes all who wait.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, SeqCst);
        self.notify();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(SeqCst)
    }

    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readable while there is something to be popped, or an end.
impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Debug for Queue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len)
            .field("lost", &self.lost)
            .field("is_stopped", &self.is_stopped)
            .finish_non_exhaustive()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let front = self.front.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut chunk = front.chunk.as_ptr();
        front.retired.extend(NonNull::new(*self.spare.get_mut()));
        while !chunk.is_null() {
            // SAFETY: it is one of the list, which nobody else has any more.
            unsafe {
                let next = *(*chunk).next.get_mut();
                unmap_chunk(chunk);
                chunk = next;
            }
        }
        for chunk in front.retired.drain(..) {
            // SAFETY: these are in the list no more, and nobody else has them, either.
            unsafe { unmap_chunk(chunk.as_ptr()) };
        }
    }
}

pub(super) fn set_bit(bits: &Bits, signal: i32) {
    if let Some((word, bit)) = position(signal) {
        bits[word].fetch_or(bit, SeqCst);
    }
}

pub(super) fn has_bit(bits: &Bits, signal: i32) -> bool {
    position(signal).is_some_and(|(word, bit)| bits[word].load(SeqCst) & bit != 0)
}

/// Takes one bit out.
fn take_bit(bits: &Bits) -> Option<i32> {
    for (word, bits) in (0_u32..).zip(bits) {
        let set = bits.load(SeqCst);
        if set != 0 {
            let bit = set.trailing_zeros();
            bits.fetch_and(!(1 << bit), SeqCst);
            return i32::try_from(word * 32 + bit).ok();
        }
    }
    None
}

fn position(signal: i32) -> Option<(usize, u32)> {
    let signal = usize::try_from(signal).ok().filter(|&signal| signal < 128)?;
    Some((signal / 32, 1 << (signal % 32)))
}

/// Memory of zeros from the system itself.
fn map_chunk() -> io::Result<NonNull<Chunk>> {
    // SAFETY: with a null address, nothing that is mapped already is touched.
    let memory = unsafe {
        rustix::mm::mmap_anonymous(
            null_mut(),
            size_of::<Chunk>(),
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    };
    NonNull::new(memory?.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// # Safety
/// It is from [`map_chunk`], and nobody uses it any more.
unsafe fn unmap_chunk(chunk: *mut Chunk) {
    // SAFETY: as the caller says.
    let _ = unsafe { rustix::mm::munmap(chunk.cast::<c_void>(), size_of::<Chunk>()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn record(signal: i32, value: usize) -> Record {
        Record { signal, has_details: true, value, ..Record::default() }
    }

    #[test]
    fn what_goes_in_comes_out_in_order_over_many_chunks() {
        let queue = Queue::new(usize::MAX).unwrap();
        for round in 0..3 {
            for value in 0..5 * RECORDS {
                queue.push(record(1, value + round), false);
            }
            for value in 0..5 * RECORDS {
                assert_eq!(queue.pop(), Ok(record(1, value + round)));
            }
            assert_eq!(queue.pop(), Err(Errno::AGAIN));
            assert!(queue.lock().retired.is_empty());
        }
    }

    #[test]
    fn nothing_is_lost_or_doubled_between_threads() {
        const THREADS: usize = 4;
        let each = if cfg!(target_pointer_width = "32") { 5_000 } else { 20_000 };
        let queue = Queue::new(usize::MAX).unwrap();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let queue = &queue;
                scope.spawn(move || {
                    (0..each).for_each(|n| queue.push(record(1, n * THREADS + thread), false));
                });
            }
            let mut next = [0; THREADS];
            let mut left = THREADS * each;
            while left > 0 {
                match queue.pop() {
                    Ok(record) => {
                        let (n, thread) = (record.value / THREADS, record.value % THREADS);
                        assert_eq!(n, next[thread]);
                        next[thread] += 1;
                        left -= 1;
                    }
                    Err(error) => {
                        assert_eq!(error, Errno::AGAIN);
                        thread::yield_now();
                    }
                }
            }
        });
        assert_eq!(queue.lost(), 0);
    }

    #[test]
    fn beyond_the_limit_some_are_merged_and_others_are_counted() {
        let queue = Queue::new(2).unwrap();
        for value in 0..5 {
            queue.push(record(40, value), false);
            queue.push(record(2, value), true);
        }
        assert_eq!(queue.lost(), 4);
        assert_eq!(queue.pop(), Ok(record(40, 0)));
        assert_eq!(queue.pop(), Ok(record(2, 0)));
        assert_eq!(queue.pop(), Ok(Record { signal: 2, ..Record::default() }));
        assert_eq!(queue.pop(), Err(Errno::AGAIN));
        queue.push(record(40, 9), false);
        assert_eq!(queue.pop(), Ok(record(40, 9)));
    }

    #[test]
    fn it_can_be_read_from_exactly_while_there_is_something() {
        use super::super::super::wait;
        use rustix::event::PollFlags;

        let queue = Queue::new(100).unwrap();
        let is_readable = || !wait::ready_now(queue.as_fd(), PollFlags::IN).unwrap().is_empty();
        for _ in 0..3 {
            assert!(!is_readable());
            queue.push(record(1, 0), false);
            queue.push(record(1, 1), false);
            assert!(is_readable());
            queue.pop().unwrap();
            assert!(is_readable());
            queue.pop().unwrap();
            assert_eq!(queue.pop(), Err(Errno::AGAIN));
        }
        queue.push(record(1, 0), false);
        queue.stop();
        queue.push(record(1, 1), false);
        assert_eq!(queue.pop(), Ok(record(1, 0)));
        for _ in 0..3 {
            assert_eq!(queue.pop(), Err(Errno::PIPE));
            assert!(is_readable());
        }
    }
}
