//! The decoder of raw control buffers takes nothing on trust.

use interprocess::os::unix::{
    ancillary::{AncillaryData, Records},
    udsocket::EncodedAncillaryData,
};
use std::{
    os::fd::{AsFd, AsRawFd},
    ptr,
};

/// Numbers that look random, and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn encoded<'f>(
    data: impl IntoIterator<Item = interprocess::os::unix::ancillary::BorrowedAncillaryData<'f>>,
) -> EncodedAncillaryData<'f> {
    AncillaryData::encode(data).expect("possible")
}

#[test]
fn what_is_encoded_is_decoded_at_any_alignment() {
    let stdin = std::io::stdin();
    let fds = [stdin.as_fd(); 7];
    let encoded = encoded([AncillaryData::file_descriptors(&fds)]);
    for offset in 0..16 {
        let mut bytes = vec![0xAA; offset];
        bytes.extend_from_slice(encoded.as_ref());
        let records: Vec<_> = Records::new(&bytes[offset..]).collect();
        assert_eq!(records.len(), 1);
        assert_eq!((records[0].level, records[0].kind), (libc::SOL_SOCKET, libc::SCM_RIGHTS));
        let numbers: Vec<_> = records[0]
            .data
            .chunks(4)
            .map(|number| i32::from_ne_bytes(number.try_into().expect("whole numbers")))
            .collect();
        assert_eq!(numbers, [stdin.as_raw_fd(); 7]);
    }
}

#[test]
fn no_bytes_at_all_make_it_panic_or_read_beyond_them() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for round in 0..20_000 {
        let len = usize::try_from(numbers.next() % 200).expect("small");
        #[allow(clippy::cast_possible_truncation, reason = "any byte will do")]
        let mut bytes: Vec<u8> = (0..len).map(|_| numbers.next() as u8).collect();
        // Mostly lengths that are almost possible, which random bytes never are.
        if round % 4 != 0 && len >= 16 {
            let claimed = usize::try_from(numbers.next() % 64).expect("small");
            bytes[..size_of::<usize>()].copy_from_slice(&claimed.to_ne_bytes());
        }
        let total: usize = Records::new(&bytes).map(|record| record.data.len()).sum();
        assert!(total <= bytes.len());
    }
}

#[test]
#[allow(clippy::cast_possible_truncation, reason = "on some systems, where it fits")]
fn a_record_that_claims_too_much_ends_where_the_buffer_does() {
    let stdin = std::io::stdin();
    let fds = [stdin.as_fd()];
    let encoded = encoded([AncillaryData::file_descriptors(&fds)]);
    let header = Records::new(encoded.as_ref()).next().expect("one").data.as_ptr() as usize
        - encoded.as_ref().as_ptr() as usize;
    for more in [1, 8, 1 << 20, i32::MAX as usize, u32::MAX as usize - header - 4] {
        let mut bytes = encoded.as_ref()[..header + 4].to_vec();
        // SAFETY: the structure is made of integers, and as many bytes are there as it has.
        unsafe {
            let mut claim: libc::cmsghdr = ptr::read_unaligned(bytes.as_ptr().cast());
            claim.cmsg_len = (header + 4 + more) as _;
            ptr::write_unaligned(bytes.as_mut_ptr().cast(), claim);
        }
        let records: Vec<_> = Records::new(&bytes).collect();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].data, &encoded.as_ref()[header..header + 4]);
    }
}

#[test]
fn a_record_shorter_than_its_header_ends_the_iteration() {
    assert_eq!(Records::new(&[0; 64]).count(), 0);
}
