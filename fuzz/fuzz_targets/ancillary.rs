//! Any bytes at any alignment as a control buffer: decoding ends, reads nothing beyond them, and finds the same again in what it
//! found, written anew.
//!
//! What decodes here is `Records`. `AncillaryDataDecoder` takes its records from it, and itself takes nothing but what the kernel
//! has filled, since the numbers in there become descriptors.

#![no_main]

use interprocess::os::unix::ancillary::{AncillaryData, BorrowedAncillaryData, MAX_FDS, Record, Records};
use libfuzzer_sys::fuzz_target;
use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd, RawFd},
    slice,
};

const FD_SIZE: usize = size_of::<RawFd>();

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    // In a piece of memory that ends where they do: the address sanitizer sees who reads on.
    let offset = usize::from(first % 16);
    let memory: Box<[u8]> = [&[0xAA; 16][..offset], bytes].concat().into();
    let bytes = &memory[offset..];

    let mut rest = bytes.as_ptr_range();
    let records: Vec<Record<'_>> = Records::new(bytes)
        .inspect(|record| {
            // One after the other, with a header before each: so there is an end.
            let data = record.data.as_ptr_range();
            assert!(data.start as usize >= rest.start as usize + size_of::<libc::cmsghdr>());
            assert!(data.end <= rest.end);
            rest.start = data.end;
        })
        .collect();

    let anew: Vec<u8> = records.iter().flat_map(write).collect();
    assert!(Records::new(&anew).eq(records.iter().copied()));
    send(&records);
});

/// The record as a kernel would write it.
fn write(record: &Record<'_>) -> Vec<u8> {
    let len = u32::try_from(record.data.len()).expect("inputs are small");
    // SAFETY: the functions compute, and need nothing; the structure is made of integers.
    let (len, space, mut header): (_, _, libc::cmsghdr) =
        unsafe { (libc::CMSG_LEN(len), libc::CMSG_SPACE(len), mem::zeroed()) };
    header.cmsg_len = len as _;
    header.cmsg_level = record.level;
    header.cmsg_type = record.kind;
    // SAFETY: an initialised structure, without padding, of which the bytes are read.
    let header = unsafe { slice::from_raw_parts((&raw const header).cast::<u8>(), size_of_val(&header)) };
    let mut bytes = header.to_vec();
    bytes.resize(len as usize - record.data.len(), 0);
    bytes.extend_from_slice(record.data);
    bytes.resize(space as usize, 0);
    bytes
}

/// Encodes what can be sent of the records, and decodes it.
fn send(records: &[Record<'_>]) {
    let stdin = io::stdin();
    let many = [stdin.as_fd(); MAX_FDS + 1];
    // Not every system sends credentials.
    let sample = AncillaryData::encode([AncillaryData::credentials()]).ok();
    let credentials = sample.as_ref().and_then(|sample| Records::new(sample.as_ref()).next());

    let (mut fds, mut senders) = (0, 0);
    let data: Vec<BorrowedAncillaryData<'_>> = records
        .iter()
        .filter(|record| record.level == libc::SOL_SOCKET)
        .filter_map(|record| {
            if record.kind == libc::SCM_RIGHTS {
                // Whatever the numbers are: descriptors are borrowed from whoever has them.
                let count = (record.data.len() / FD_SIZE).min(many.len());
                fds += count;
                return Some(AncillaryData::file_descriptors(&many[..count]));
            }
            credentials.filter(|credentials| credentials.kind == record.kind)?;
            let number = |at: usize| record.data.get(at..)?.first_chunk().copied();
            let (pid, uid, gid) = (number(0)?, number(4)?, number(8)?);
            senders += 1;
            Some(AncillaryData::Credentials {
                pid: i32::from_ne_bytes(pid),
                uid: u32::from_ne_bytes(uid),
                gid: u32::from_ne_bytes(gid),
            })
        })
        .collect();
    let Ok(encoded) = AncillaryData::encode(data) else {
        assert!(fds > MAX_FDS || senders > 1);
        return;
    };
    assert!(fds <= MAX_FDS);
    for record in Records::new(encoded.as_ref()) {
        assert_eq!(record.level, libc::SOL_SOCKET);
        if record.kind == libc::SCM_RIGHTS {
            // All of them are in one.
            assert_eq!(record.data.len(), fds * FD_SIZE);
            assert!(record.data.chunks(FD_SIZE).all(|number| number == many[0].as_raw_fd().to_ne_bytes()));
            fds = 0;
        } else {
            assert_eq!(senders, 1);
            // Linux is told whose they are; others write over it.
            let is_said = |said: &Record<'_>| said.kind == record.kind && said.data.starts_with(record.data);
            assert!(records.iter().any(is_said) || !cfg!(target_os = "linux"));
            senders = 0;
        }
    }
    assert_eq!((fds, senders), (0, 0));
}
