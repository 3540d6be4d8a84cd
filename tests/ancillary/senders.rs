//! Who sent a message, as the kernel tells it.

use interprocess::os::unix::{
    ancillary::{AncillaryData, AncillaryDataBuf},
    udsocket::{UdSeqpacket, UdSocket, UdStream},
};
use std::io::ErrorKind;

fn only(ancillary: &mut AncillaryDataBuf) -> AncillaryData {
    let mut pieces: Vec<_> = ancillary.decode().collect();
    assert_eq!(pieces.len(), 1, "{pieces:?}");
    pieces.remove(0)
}

fn is_of_this_process(data: &AncillaryData) -> bool {
    let AncillaryData::Credentials { pid, uid, gid } = *data else { return false };
    // SAFETY: the calls only tell.
    let ours = unsafe { (libc::getpid(), libc::getuid(), libc::getgid()) };
    (pid, uid, gid) == ours
}

#[test]
fn a_receiver_that_asks_learns_who_sent_each_message_on_every_kind_of_socket() {
    let mut ancillary = AncillaryDataBuf::new();
    let (one, other) = UdStream::pair().expect("pair");
    other.set_pass_credentials(true).expect("option");
    one.send(b"x").expect("send");
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    assert!(is_of_this_process(&only(&mut ancillary)));

    let (one, other) = UdSocket::pair().expect("pair");
    other.set_pass_credentials(true).expect("option");
    one.send(b"x").expect("send");
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    assert!(is_of_this_process(&only(&mut ancillary)));

    let (one, other) = UdSeqpacket::pair().expect("pair");
    other.set_pass_credentials(true).expect("option");
    one.send(b"x").expect("send");
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    assert!(is_of_this_process(&only(&mut ancillary)));
}

/// Most modules that give labels give one to everybody; without such a module, there is none.
#[test]
fn labels_of_peers_and_of_senders_are_the_same_or_there_are_none() {
    let (one, other) = UdStream::pair().expect("pair");
    other.set_pass_security(true).expect("option");
    one.send(b"x").expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    match (other.peer_label(), ancillary.decode().next()) {
        (Ok(peer), Some(AncillaryData::SecurityLabel(sender))) => assert_eq!(peer, sender),
        // Some tell about peers only.
        (Ok(peer), None) => assert!(!peer.is_empty()),
        (Err(error), None) => assert_eq!(error.kind(), ErrorKind::Unsupported),
        other => panic!("{other:?}"),
    }
}

#[test]
fn credentials_that_are_sent_arrive_and_a_second_set_is_refused() {
    let (one, other) = UdStream::pair().expect("pair");
    other.set_pass_credentials(true).expect("option");
    one.send_ancillary(b"x", [AncillaryData::credentials()]).expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    assert!(is_of_this_process(&only(&mut ancillary)));
    let twice = [AncillaryData::credentials(), AncillaryData::credentials()];
    assert_eq!(one.send_ancillary(b"x", twice).expect_err("twice").kind(), ErrorKind::InvalidInput);
}

#[test]
fn descriptors_and_credentials_go_together_in_either_order() {
    use std::os::fd::AsFd;
    let (one, other) = UdStream::pair().expect("pair");
    other.set_pass_credentials(true).expect("option");
    let stdin = std::io::stdin();
    let fds = [stdin.as_fd()];
    let mut ancillary = AncillaryDataBuf::new();
    for credentials_first in [true, false] {
        let mut data = vec![AncillaryData::file_descriptors(&fds), AncillaryData::credentials()];
        if credentials_first {
            data.reverse();
            // Those that follow join the ones before.
            data.push(AncillaryData::file_descriptors(&fds));
        }
        one.send_ancillary(b"x", data).expect("send");
        other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
        let (mut descriptors, mut senders) = (0, 0);
        for piece in ancillary.decode() {
            match piece {
                AncillaryData::FileDescriptors(fds) => descriptors += fds.len(),
                piece => senders += usize::from(is_of_this_process(&piece)),
            }
        }
        assert_eq!((descriptors, senders), (1 + usize::from(credentials_first), 1));
    }
}

#[test]
fn a_pidfd_of_the_sender_comes_if_it_is_asked_for_or_the_kernel_is_too_old() {
    let (one, other) = UdStream::pair().expect("pair");
    if let Err(error) = other.set_pass_pidfd(true) {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        return;
    }
    one.send(b"x").expect("send");
    let mut ancillary = AncillaryDataBuf::new();
    other.recv_ancillary(&mut [0; 1], &mut ancillary).expect("receive");
    assert!(matches!(only(&mut ancillary), AncillaryData::PidFd(_)));
}
