//! Bytes and numbers that look random and are the same each time.

/// Bytes that do not repeat soon: those at an offset are found nowhere near.
pub(crate) struct Pattern(Vec<u8>);

impl Pattern {
    const PERIOD: usize = 65_521;
    /// How much can be had in one piece.
    pub(crate) const LONGEST: usize = 200_000;

    pub(crate) fn new(seed: u32) -> Self {
        let mut numbers = Numbers(seed);
        let mut bytes = Vec::with_capacity(2 * Self::PERIOD + Self::LONGEST);
        while bytes.len() < Self::PERIOD {
            bytes.extend_from_slice(&numbers.next().to_le_bytes()[..2]);
        }
        bytes.truncate(Self::PERIOD);
        while bytes.len() < Self::PERIOD + Self::LONGEST {
            bytes.extend_from_within(..Self::PERIOD);
        }
        Self(bytes)
    }

    pub(crate) fn at(&self, offset: usize, len: usize) -> &[u8] {
        &self.0[offset % Self::PERIOD..][..len]
    }

    /// Fails if these are not the bytes at that offset.
    #[track_caller]
    pub(crate) fn check(&self, offset: usize, bytes: &[u8]) {
        for (index, piece) in bytes.chunks(Self::LONGEST).enumerate() {
            let offset = offset + index * Self::LONGEST;
            // Not with `assert_eq!`, which would print them.
            assert!(
                piece == self.at(offset, piece.len()),
                "wrong bytes within {} from {offset}",
                piece.len()
            );
        }
    }
}

/// A generator of numbers.
pub(crate) struct Numbers(pub(crate) u32);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 12
    }

    /// 1 to `most`.
    pub(crate) fn up_to(&mut self, most: usize) -> usize {
        1 + self.next() as usize % most
    }
}
