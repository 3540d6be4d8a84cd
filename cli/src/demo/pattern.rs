//! Data that both sides can make, so that each can check what arrives.

/// What looks like noise: the block of each number begins at another place of it.
#[derive(Debug)]
pub(crate) struct Pattern {
    noise: Vec<u8>,
}

impl Pattern {
    const LENGTH: usize = 64 * 1024;

    /// `seed` tells the data of one client from that of another.
    pub(crate) fn new(seed: u32) -> Self {
        // xorshift64*: no zero may go in, and none comes out.
        let mut x = (u64::from(seed) << 1) ^ 0x9e37_79b9_7f4a_7c15;
        let mut next = || {
            x ^= x >> 12;
            x ^= x << 25;
            x ^= x >> 27;
            x.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
        };
        Self { noise: (0..2 * Self::LENGTH / 8).flat_map(|_| next()).collect() }
    }

    /// The block of that number, of at most 64 KiB.
    pub(crate) fn block(&self, number: u64, length: usize) -> &[u8] {
        debug_assert!(length <= Self::LENGTH);
        // An odd factor, so that no number's block is that of another until all places were used.
        #[allow(clippy::cast_possible_truncation, reason = "what is left is less than the length")]
        let start = (number.wrapping_mul(40_503) % Self::LENGTH as u64) as usize;
        &self.noise[start..start + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_other_numbers_and_clients_differ() {
        let pattern = Pattern::new(1);
        assert_eq!(pattern.block(5, 64), Pattern::new(1).block(5, 64));
        assert_ne!(pattern.block(5, 64), pattern.block(6, 64));
        assert_ne!(pattern.block(5, 64), Pattern::new(2).block(5, 64));
        assert_eq!(pattern.block(u64::MAX, Pattern::LENGTH).len(), Pattern::LENGTH);
    }
}
