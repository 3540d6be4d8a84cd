use super::{
    Socket, ToUdSocketPath, UdSocketPath,
    kind::{Datagram, Packets},
};
use crate::sys::unix::batch::{Batch, Slot};
use std::{
    fmt::{self, Debug, Formatter},
    io::{self, IoSlice},
    iter::FusedIterator,
    ops::Range,
};

/// Room for several messages, and those that [`recv_batch`](Socket::recv_batch) received last. It is made once and used again and
/// again: receiving into it allocates nothing.
///
/// ```
/// use interprocess::os::unix::udsocket::{RecvBatch, UdSocket};
///
/// let (one, other) = UdSocket::pair()?;
/// assert_eq!(one.send_batch(&["first", "second", "the third one"])?, 3);
///
/// let mut batch = RecvBatch::new(16, 8);
/// assert_eq!(other.recv_batch(&mut batch)?, 3);
/// let received: Vec<_> = batch.iter().map(|message| (message.bytes(), message.is_truncated())).collect();
/// assert_eq!(received, [(&b"first"[..], false), (b"second", false), (b"the thir", true)]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RecvBatch(pub(super) Batch);

impl RecvBatch {
    /// Room for so many messages, of so many bytes each. More than 1024 messages are as 1024: no system gives more at once.
    pub fn new(messages: usize, bytes_each: usize) -> Self {
        Self(Batch::new(messages, bytes_each))
    }

    /// For how many messages there is room.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// For how many bytes of each message there is room.
    pub fn bytes_each(&self) -> usize {
        self.0.bytes_each()
    }

    /// How many messages were received.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no message was received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of the messages that were received; the first has the index 0.
    pub fn get(&self, index: usize) -> Option<BatchMessage<'_>> {
        self.0.get(index).map(|(bytes, slot)| BatchMessage { bytes, slot })
    }

    /// The messages that were received, in the order in which they came.
    pub fn iter(&self) -> RecvBatchIter<'_> {
        RecvBatchIter { batch: self, left: 0..self.len() }
    }
}

impl Debug for RecvBatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<'b> IntoIterator for &'b RecvBatch {
    type Item = BatchMessage<'b>;
    type IntoIter = RecvBatchIter<'b>;

    fn into_iter(self) -> RecvBatchIter<'b> {
        self.iter()
    }
}

/// The messages in a [`RecvBatch`]. From [`RecvBatch::iter`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are iterated over"]
pub struct RecvBatchIter<'b> {
    batch: &'b RecvBatch,
    left: Range<usize>,
}

impl<'b> Iterator for RecvBatchIter<'b> {
    type Item = BatchMessage<'b>;

    fn next(&mut self) -> Option<BatchMessage<'b>> {
        self.batch.get(self.left.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl DoubleEndedIterator for RecvBatchIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.batch.get(self.left.next_back()?)
    }
}

impl ExactSizeIterator for RecvBatchIter<'_> {}
impl FusedIterator for RecvBatchIter<'_> {}

/// One message in a [`RecvBatch`].
#[derive(Copy, Clone)]
pub struct BatchMessage<'b> {
    bytes: &'b [u8],
    slot: &'b Slot,
}

impl<'b> BatchMessage<'b> {
    /// The message, or as much of it as there was room for.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Whether the message was longer than that. The rest is lost.
    pub fn is_truncated(&self) -> bool {
        self.slot.received.is_truncated
    }

    /// The address of the sender of a datagram. In a connection, ask for the [address of the peer](Socket::peer_addr): not every
    /// system tells it with a packet.
    pub fn sender(&self) -> UdSocketPath<'b> {
        UdSocketPath::from_source(&self.slot.source)
    }
}

impl Debug for BatchMessage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchMessage")
            .field("bytes", &self.bytes)
            .field("is_truncated", &self.is_truncated())
            .field("sender", &self.sender())
            .finish()
    }
}

/// Many messages by one call. How much that saves depends on what entering the kernel costs on a machine; what the kernel does
/// for each message stays the same. Ancillary data do not go with them: what comes is lost, and the kernel closes it.
impl<K: Packets> Socket<K> {
    /// Receives messages: waits for the first, and takes what else is there without waiting, as far as there is room. Gives how
    /// many they are, and replaces what is in `batch`.
    ///
    /// There are none at the end of a connection, or if `batch` has room for none.
    ///
    /// # Errors
    /// Those of [`recv`](Self::recv), and `batch` is empty then. What goes wrong after the first message is told by the next call,
    /// if it still is wrong.
    ///
    /// # Platform-specific behaviour
    /// - Linux, Android, NetBSD, OpenBSD: one system call (`recvmmsg(2)`).
    /// - FreeBSD: the same function, which makes a system call for each message.
    /// - macOS, illumos, DragonFly BSD: `recvmsg(2)` for each message.
    pub fn recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        batch.0.clear();
        self.inner.recv_batch(&mut batch.0)
    }

    /// Sends messages, one after the other, each whole or not at all. Gives how many of them were sent: maybe not all, and then
    /// the rest is to be sent by another call.
    ///
    /// A blocking socket waits for room for each of them as [`send`](Self::send) does, for as long as its
    /// [timeout](Self::set_send_timeout). A nonblocking one sends those for which there is room.
    ///
    /// # Errors
    /// None of them was sent.
    /// - Those of [`send`](Self::send) with the first. What is wrong with a later one is told by the next call, which begins with
    ///   that one.
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput): one of them is an empty packet.
    ///
    /// # Platform-specific behaviour
    /// - Linux, Android, NetBSD, OpenBSD: one system call (`sendmmsg(2)`) for 64 messages.
    /// - FreeBSD: the same function, which makes a system call for each message.
    /// - macOS, illumos, DragonFly BSD: `sendmsg(2)` for each message.
    pub fn send_batch(&self, messages: &[impl AsRef<[u8]>]) -> io::Result<usize> {
        Self::check_batch(messages)?;
        self.inner.send_batch(messages, None)
    }

    /// What would be refused anyway.
    pub(super) fn check_batch(messages: &[impl AsRef<[u8]>]) -> io::Result<()> {
        messages.iter().try_for_each(|message| K::check(&[IoSlice::new(message.as_ref())], false).map(drop))
    }
}

/// Many datagrams by one call.
impl Socket<Datagram> {
    /// Sends datagrams to that address, whatever the [destination](Self::set_destination), as [`send_batch`](Self::send_batch)
    /// does to the destination.
    ///
    /// # Errors
    /// None of them was sent. Those of [`send_batch`](Self::send_batch) and [`send_to`](Self::send_to).
    pub fn send_batch_to<'a>(
        &self,
        messages: &[impl AsRef<[u8]>],
        path: impl ToUdSocketPath<'a>,
    ) -> io::Result<usize> {
        let address = path.to_socket_path()?.to_socket_address()?;
        self.inner.send_batch(messages, Some(&address))
    }
}
