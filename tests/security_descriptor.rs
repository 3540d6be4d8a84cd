//! Security descriptors on Windows: text, parts, access lists, and those of real objects.
#![cfg(windows)]

#[allow(unused, reason = "each test program uses a part of it")]
mod support;

use interprocess::{
    TryClone,
    local_socket::{Access, Listener, ListenerOptions, Stream},
    os::windows::{
        ImpersonationLevel,
        security_descriptor::{
            AccessList, Ace, AceFlags, AceKind, Acl, BorrowedSecurityDescriptor, Control, IntegrityLevel,
            Parts, SecurityDescriptor, Sid,
        },
    },
};
use std::{
    collections::HashSet,
    error::Error,
    fs::{File, OpenOptions},
    io::ErrorKind,
    os::windows::{fs::OpenOptionsExt, io::AsHandle},
    ptr::null,
    sync::Arc,
    thread,
};
use support::{in_time, is_wine, unique_name, unique_path};

const READ_CONTROL: u32 = 0x2_0000;
const WRITE_DAC: u32 = 0x4_0000;
const WRITE_OWNER: u32 = 0x8_0000;

fn sddl(text: &str) -> SecurityDescriptor {
    SecurityDescriptor::from_sddl(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn list(aces: impl IntoIterator<Item = Ace>) -> AccessList {
    Acl::from_aces(aces).unwrap().into()
}

/// A text as the system itself writes it, one for each thing that a descriptor can have.
const TEXTS: &[&str] = &[
    "O:SY",
    "G:BA",
    "O:SYG:BA",
    "O:S-1-5-21-1-2-3-1000G:S-1-5-21-1-2-3-513",
    "D:(A;;FA;;;SY)",
    "D:P(A;;FA;;;SY)",
    "D:(D;;FA;;;NU)(A;;FA;;;WD)",
    "D:(A;;0x12019b;;;AU)",
    "D:(A;OICI;GA;;;BA)",
    "D:(A;OICINPIOID;GR;;;S-1-5-21-1-2-3-1000)",
    "S:(AU;SAFA;FA;;;WD)",
    "O:SYG:BAD:(A;;FA;;;SY)(A;;FA;;;BA)S:(AU;FA;FA;;;WD)",
];

/// The same, for what Wine has no text: integrity labels, entries about parts of objects, conditional ones, attributes; a
/// null DACL. It confuses the flags of the two lists, and does not know all.
const TEXTS_OF_WINDOWS: &[&str] = &[
    "D:(OA;;RP;bf967aba-0de6-11d0-a285-00aa003049e2;;AU)",
    r#"D:(XA;;FA;;;WD;(WIN://SYSAPPID Contains "x"))"#,
    r#"S:(RA;;;;;WD;("Project",TS,0x0,"Windows"))"#,
    "S:(ML;;NW;;;LW)",
    "D:NO_ACCESS_CONTROL",
    "O:SYG:BAD:P(A;;FA;;;SY)S:(AU;FA;FA;;;WD)",
    "D:(A;;FA;;;SY)S:P(AU;FA;FA;;;WD)",
    "D:PARAI(A;;FA;;;SY)",
    "D:P",
];

#[test]
fn text_survives_a_round_trip() {
    for text in TEXTS {
        let descriptor = sddl(text);
        assert_eq!(descriptor.to_sddl().unwrap(), *text);
        assert_eq!(format!("{descriptor:?}"), format!("SecurityDescriptor({text:?})"));
        assert_eq!(descriptor, text.parse().unwrap());
    }
}

// The system may write these in another form than they were read in.
#[test]
fn everything_that_has_a_text_survives_a_round_trip() {
    if is_wine() {
        return;
    }
    for text in TEXTS_OF_WINDOWS {
        let descriptor = sddl(text);
        assert_eq!(sddl(&descriptor.to_sddl().unwrap()), descriptor, "{text}");
        assert_eq!(descriptor.clone(), descriptor);
    }
}

#[test]
fn clones_are_the_same_and_independent() {
    for text in TEXTS {
        let descriptor = sddl(text);
        let borrowed = descriptor.borrow();
        let mut clone = descriptor.clone();
        for other in [clone.clone(), descriptor.try_clone().unwrap(), borrowed.into_owned(), borrowed.into()]
        {
            assert_eq!(other, descriptor);
            assert_eq!(other.to_sddl().unwrap(), *text);
        }
        clone.set_owner_sid(Sid::ANONYMOUS);
        clone.set_dacl_list(AccessList::Null);
        assert_ne!(clone, descriptor);
        assert_eq!(descriptor.to_sddl().unwrap(), *text);
    }
}

#[test]
fn parts_can_be_written_alone() {
    let descriptor = sddl("O:SYG:BAD:(A;;FA;;;SY)S:(AU;FA;FA;;;WD)");
    for (parts, text) in [
        (Parts::OWNER, "O:SY"),
        (Parts::GROUP, "G:BA"),
        (Parts::DACL, "D:(A;;FA;;;SY)"),
        (Parts::SACL, "S:(AU;FA;FA;;;WD)"),
        (Parts::OWNER | Parts::DACL, "O:SYD:(A;;FA;;;SY)"),
    ] {
        assert_eq!(descriptor.parts_to_sddl(parts).unwrap(), text);
        assert_eq!(descriptor.borrow().parts_to_sddl(parts).unwrap(), text);
    }
}

#[test]
fn null_and_empty_and_absent_lists_are_three_things() {
    let lists = [AccessList::Absent, AccessList::Null, AccessList::Entries(Acl::new())];
    let descriptors = lists.clone().map(|list| {
        let mut descriptor = SecurityDescriptor::default();
        descriptor.set_dacl_list(list.clone());
        descriptor.set_sacl_list(list);
        descriptor
    });
    for (i, a) in descriptors.iter().enumerate() {
        for a in [a, &a.clone()] {
            assert_eq!([a.dacl_list(), a.sacl_list()], [lists[i].clone(), lists[i].clone()]);
            for (j, b) in descriptors.iter().enumerate() {
                assert_eq!(a == b, i == j);
            }
        }
    }
    assert_eq!(sddl("O:SY").dacl_list(), AccessList::Absent);
    assert_eq!(sddl("D:").dacl_list(), AccessList::Entries(Acl::new()));
    // Wine takes it for an empty list.
    if !is_wine() {
        assert_eq!(sddl("D:NO_ACCESS_CONTROL").dacl_list(), AccessList::Null);
    }
}

#[test]
fn from_one_kind_of_list_to_every_other() {
    let kinds = [
        AccessList::Absent,
        AccessList::Null,
        AccessList::Entries(Acl::new()),
        list([Ace::allow(Sid::SYSTEM, Ace::FULL_ACCESS)]),
    ];
    for from in &kinds {
        for to in &kinds {
            let mut descriptor = SecurityDescriptor::default();
            descriptor.set_dacl_list(from.clone());
            descriptor.set_sacl_list(from.clone());
            descriptor.set_dacl_list(to.clone());
            assert_eq!([descriptor.dacl_list(), descriptor.sacl_list()], [to.clone(), from.clone()]);
            descriptor.set_sacl_list(to.clone());
            let mut only = SecurityDescriptor::default();
            only.set_dacl_list(to.clone());
            only.set_sacl_list(to.clone());
            assert_eq!(descriptor, only);
        }
    }
}

/// All orders of `items`.
fn orders<T: Copy>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for i in 0..items.len() {
        let rest = [&items[..i], &items[i + 1..]].concat();
        all.extend(orders(&rest).into_iter().map(|order| [&[items[i]], &order[..]].concat()));
    }
    all
}

type Step = fn(&mut SecurityDescriptor);

const SET: [Step; 5] = [
    |it| it.set_owner_sid(Sid::SYSTEM),
    |it| it.set_group_sid(Sid::ADMINISTRATORS),
    |it| it.set_dacl_list(list([Ace::allow(Sid::SYSTEM, Ace::FULL_ACCESS)])),
    |it| it.set_sacl_list(list([Ace::audit(Sid::EVERYONE, Ace::FULL_ACCESS, AceFlags::FAILED_ACCESS)])),
    |it| it.set_control_flags(Control::DACL_PROTECTED | Control::SACL_PROTECTED, true),
];

const UNSET: [Step; 5] = [
    |it| it.set_owner_sid(None),
    |it| it.set_group_sid(None),
    |it| it.set_dacl_list(AccessList::Absent),
    |it| it.set_sacl_list(AccessList::Absent),
    |it| it.set_control_flags(Control::DACL_PROTECTED | Control::SACL_PROTECTED, false),
];

#[test]
fn parts_set_in_any_order_give_the_same() {
    let text = "O:SYG:BAD:P(A;;FA;;;SY)S:P(AU;FA;FA;;;WD)";
    let mut all = sddl(text);
    // Wine takes the P of the SACL for that of the DACL.
    if is_wine() {
        all.set_control_flags(Control::SACL_PROTECTED, true);
    }
    let orders = orders(&[0, 1, 2, 3, 4]);
    assert_eq!(orders.len(), 120);
    for (order, reverse) in orders.iter().zip(orders.iter().rev()) {
        let mut descriptor = SecurityDescriptor::default();
        for &i in order {
            SET[i](&mut descriptor);
        }
        assert_eq!(descriptor, all, "set in the order {order:?}");
        assert_eq!(descriptor.to_sddl().unwrap(), text);
        // Again, and a clone after each.
        for &i in reverse {
            SET[i](&mut descriptor);
            descriptor = descriptor.clone();
        }
        assert_eq!(descriptor, all, "set again in the order {reverse:?}");
        for &i in order {
            UNSET[i](&mut descriptor);
            descriptor = descriptor.clone();
        }
        assert_eq!(descriptor, SecurityDescriptor::default(), "unset in the order {order:?}");
        assert_eq!(descriptor.to_sddl().unwrap(), "");
    }
}

#[test]
fn each_flag_is_set_and_cleared_alone() {
    const FLAGS: [Control; 10] = [
        Control::OWNER_DEFAULTED,
        Control::GROUP_DEFAULTED,
        Control::DACL_DEFAULTED,
        Control::SACL_DEFAULTED,
        Control::DACL_AUTO_INHERIT_REQUIRED,
        Control::SACL_AUTO_INHERIT_REQUIRED,
        Control::DACL_AUTO_INHERITED,
        Control::SACL_AUTO_INHERITED,
        Control::DACL_PROTECTED,
        Control::SACL_PROTECTED,
    ];
    let plain = sddl("O:SYG:BAD:(A;;FA;;;SY)S:(AU;FA;FA;;;WD)");
    let mut all = plain.clone();
    for flag in FLAGS {
        let mut descriptor = plain.clone();
        descriptor.set_control_flags(flag, true);
        assert_eq!(descriptor.control_flags(), flag);
        assert_eq!(descriptor.clone().control_flags(), flag);
        assert_ne!(descriptor, plain);
        descriptor.set_control_flags(flag, false);
        assert_eq!(descriptor, plain);
        all.set_control_flags(flag, true);
    }
    let every = FLAGS.into_iter().fold(Control::NONE, |all, flag| all | flag);
    assert_eq!(all.control_flags(), every);
    all.set_control_flags(every, false);
    assert_eq!(all, plain);
}

#[test]
fn what_is_set_was_chosen() {
    let mut descriptor = sddl("O:SYG:BAD:(A;;FA;;;SY)S:(AU;FA;FA;;;WD)");
    let all = Control::OWNER_DEFAULTED
        | Control::GROUP_DEFAULTED
        | Control::DACL_DEFAULTED
        | Control::SACL_DEFAULTED;
    descriptor.set_control_flags(all, true);
    for step in &SET[..4] {
        step(&mut descriptor);
    }
    assert_eq!(descriptor.control_flags(), Control::NONE);
    descriptor.set_control_flags(all, true);
    for step in &UNSET[..4] {
        step(&mut descriptor);
    }
    assert_eq!(descriptor, SecurityDescriptor::default());
}

// Bad input

#[test]
fn malformed_descriptors_are_refused() {
    for text in [
        "x",
        "D:(",
        "D:(A)",
        "D:(A;;FA;;;SY",
        "D:(Q;;FA;;;SY)",
        "D:(A;;ZZ;;;SY)",
        "D:(A;;FA;;;nobody)",
        "O:QQ",
        "O:S-1-",
        "D:(A;;FA;;;S-1-5-x)",
    ] {
        let error = SecurityDescriptor::from_sddl(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}: {error}");
        assert!(error.to_string().contains(&format!("{text:?}")), "{text}: {error}");
        let source = error.source().expect("the system said why").downcast_ref::<std::io::Error>().unwrap();
        assert!(source.raw_os_error().is_some(), "{text}: {source}");
    }
}

#[test]
fn text_with_a_nul_is_refused() {
    for text in ["\0", "O:SY\0", "O:SY\0G:BA", "\0O:SY"] {
        let error = SecurityDescriptor::from_sddl(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        assert!(error.to_string().contains("NUL"), "{error}");
    }
}

#[test]
fn malformed_sids_are_refused() {
    let too_long = format!("S-1-5{}", "-1".repeat(16));
    for text in [
        "",
        "S",
        "S-",
        "S-1",
        "S-1-",
        "S-1-5",
        "S-1-5-",
        "S-2-5-1",
        "S-1-5-x",
        "S-1-5-1x",
        "S-1-5-+1",
        "S-1--5-1",
        "S-1-5--1",
        "S-1-5-4294967296",
        "S-1-281474976710656-1",
        "S-1-0x1000000000000-1",
        "S-1-0x-1",
        " S-1-5-1",
        "S-1-5-1 ",
        "S-1-5-1\0",
        "T-1-5-1",
        "BA",
        "S-1-5-18446744073709551616",
        "S-1-5-\u{661}",
        &too_long,
    ] {
        let error = text.parse::<Sid>().expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn null_pointers_are_refused() {
    // SAFETY: null is allowed.
    let error = unsafe { BorrowedSecurityDescriptor::try_from_ptr(null()) }.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn descriptors_of_an_unknown_revision_are_refused() {
    let bytes = [0x7f_u64; 8];
    // SAFETY: the revision is not known, so nothing else is read.
    let error = unsafe { BorrowedSecurityDescriptor::try_from_ptr(bytes.as_ptr().cast()) }.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn malformed_entries_are_refused() {
    let sid = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let valid = [&[0; 4][..], &sid].concat();
    Ace::other(0, AceFlags::NONE, &valid).unwrap();
    for (kind, body) in [
        (0, vec![]),
        (0, vec![0; 4]),
        (0, valid[..12].to_vec()),
        (1, [&[0; 4][..], &[2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]].concat()),
        (2, [&[0; 4][..], &[1, 16], &[0; 70]].concat()),
        // It says that a GUID comes before.
        (5, [&[0; 4][..], &[1, 0, 0, 0], &sid].concat()),
        (0x11, vec![0; 8]),
        (0x77, vec![0; 3]),
        (0x77, vec![0; 65532]),
    ] {
        let error = Ace::other(kind, AceFlags::NONE, &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("kind {kind:#x} with {} bytes", body.len())), "{error}");
    }
    assert_eq!(Ace::other(0x77, AceFlags::NONE, &vec![0; 65528]).unwrap().body().len(), 65528);
}

// Identifiers

#[test]
fn sids_survive_a_round_trip() {
    for text in [
        "S-1-1-0",
        "S-1-5-18",
        "S-1-5-32-544",
        "S-1-16-4096",
        "S-1-0-4294967295",
        "S-1-4294967295-1",
        "S-1-0x000100000000-1",
        "S-1-0xffffffffffff-1",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
    ] {
        let sid: Sid = text.parse().unwrap();
        assert_eq!(sid.to_string(), text);
        assert_eq!(format!("{sid:?}"), text);
        // As the system reads and writes it.
        let mut descriptor = SecurityDescriptor::default();
        descriptor.set_owner_sid(sid);
        assert_eq!(descriptor.owner_sid(), Some(sid));
        // Wine does not read authorities as it writes them if they are that long.
        if !(is_wine() && text.contains("0x")) {
            assert_eq!(sddl(&descriptor.to_sddl().unwrap()).owner_sid(), Some(sid));
        }
    }
    assert_eq!("s-1-5-18".parse::<Sid>().unwrap(), Sid::SYSTEM);
    assert_eq!("S-1-0x5-0x12".parse::<Sid>().unwrap(), Sid::SYSTEM);
}

#[test]
fn well_known_sids_are_what_the_system_knows() {
    let known = [
        (Sid::EVERYONE, "WD"),
        (Sid::ADMINISTRATORS, "BA"),
        (Sid::SYSTEM, "SY"),
        (Sid::AUTHENTICATED_USERS, "AU"),
        (Sid::NETWORK, "NU"),
        (Sid::ANONYMOUS, "AN"),
        (IntegrityLevel::LOW.sid(), "LW"),
        (IntegrityLevel::MEDIUM.sid(), "ME"),
        (IntegrityLevel::HIGH.sid(), "HI"),
        (IntegrityLevel::SYSTEM.sid(), "SI"),
    ];
    for (sid, name) in known {
        assert_eq!(sddl(&format!("O:{name}")).owner_sid(), Some(sid), "{name}");
    }
    let distinct: HashSet<Sid> = known.into_iter().map(|(sid, _)| sid).collect();
    assert_eq!(distinct.len(), known.len());
    assert_ne!(Sid::current_user().unwrap(), Sid::EVERYONE);
    assert_ne!(Sid::current_group().unwrap(), Sid::EVERYONE);
}

#[test]
fn integrity_levels_are_ordered() {
    let levels = [
        IntegrityLevel::UNTRUSTED,
        IntegrityLevel::LOW,
        IntegrityLevel::MEDIUM,
        IntegrityLevel::MEDIUM_PLUS,
        IntegrityLevel::HIGH,
        IntegrityLevel::SYSTEM,
        IntegrityLevel::PROTECTED,
    ];
    assert!(levels.is_sorted_by(|a, b| a < b));
    for level in levels {
        assert_eq!(IntegrityLevel::from_raw(level.raw()), level);
        assert_eq!(level.sid().to_string(), format!("S-1-16-{}", level.raw()));
    }
    let levels = [ImpersonationLevel::Anonymous, ImpersonationLevel::Identification];
    assert!(levels.is_sorted());
}

// Lists

#[test]
fn entries_are_read_back() {
    let text = "D:(D;;FA;;;NU)(A;OICI;0x12019b;;;AU)S:(AU;SAFA;FA;;;WD)";
    let descriptor = sddl(text);
    let dacl = [
        Ace::deny(Sid::NETWORK, Ace::FULL_ACCESS),
        Ace::allow(Sid::AUTHENTICATED_USERS, Ace::READ_AND_WRITE)
            .with_flags(AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT),
    ];
    let logged = AceFlags::SUCCESSFUL_ACCESS | AceFlags::FAILED_ACCESS;
    let sacl = [Ace::audit(Sid::EVERYONE, Ace::FULL_ACCESS, logged)];
    assert_eq!(descriptor.dacl_list(), list(dacl.clone()));
    assert_eq!(descriptor.sacl_list(), list(sacl.clone()));

    let kinds = dacl.each_ref().map(Ace::kind);
    assert_eq!(kinds, [AceKind::Deny, AceKind::Allow]);
    let ace = &sacl[0];
    assert_eq!(
        (ace.kind(), ace.flags(), ace.mask(), ace.sid()),
        (AceKind::Audit, logged, Some(Ace::FULL_ACCESS), Some(Sid::EVERYONE))
    );
    let entries = descriptor.dacl_list();
    assert_eq!(entries.entries().unwrap().into_iter().count(), 2);
    assert_eq!(
        format!("{ace:?}"),
        "Ace { kind: Audit, flags: AceFlags(0xc0), mask: 0x1f01ff, sid: S-1-1-0 }"
    );
}

#[test]
fn entries_of_other_kinds_are_kept() {
    let guid = [7; 16];
    let sid = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let mask = [0xff, 1, 0, 0];
    let aces = [
        // Conditional: what follows the SID is the condition.
        Ace::other(0x9, AceFlags::NONE, &[&mask[..], &sid, b"artx"].concat()).unwrap(),
        // About part of an object.
        Ace::other(0x5, AceFlags::INHERITED, &[&mask[..], &[1, 0, 0, 0], &guid, &sid].concat()).unwrap(),
        Ace::other(0x6, AceFlags::NONE, &[&mask[..], &[3, 0, 0, 0], &guid, &guid, &sid].concat()).unwrap(),
        Ace::other(0x77, AceFlags::from_bits(0x20), &[1, 2, 3, 4]).unwrap(),
        Ace::other(0x78, AceFlags::NONE, &[]).unwrap(),
    ];
    for ace in &aces[..3] {
        assert_eq!((ace.mask(), ace.sid()), (Some(0x1ff), Some(Sid::EVERYONE)), "{ace:?}");
    }
    for ace in &aces[3..] {
        assert_eq!((ace.mask(), ace.sid()), (None, None), "{ace:?}");
    }
    assert_eq!(aces[3].kind(), AceKind::Other(0x77));
    let mut descriptor = SecurityDescriptor::default();
    descriptor.set_dacl_list(list(aces.clone()));
    descriptor = descriptor.clone().borrow().into_owned();
    assert_eq!(descriptor.dacl_list(), list(aces));
    // There may be no text for some of these kinds; that is an error or not, but there is always something to show.
    assert!(format!("{descriptor:?}").starts_with("SecurityDescriptor"));
}

#[test]
fn lists_longer_than_the_system_allows_are_refused() {
    // 20 bytes each, and 8 for the list.
    const MOST: usize = (65532 - 8) / 20;
    let ace = || Ace::allow(Sid::EVERYONE, Ace::READ);
    let mut acl = Acl::from_aces((0..MOST).map(|_| ace())).unwrap();
    let before = acl.clone();
    let error = acl.push(ace()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("65532"), "{error}");
    assert_eq!(acl, before);
    let error = Acl::from_aces((0..=MOST).map(|_| ace())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    // As long as it can be, to the byte.
    let rest = 65532 - 8 - 20 * MOST;
    acl.push(Ace::other(0x77, AceFlags::NONE, &vec![0; rest - 4]).unwrap()).unwrap();
    let mut descriptor = SecurityDescriptor::default();
    descriptor.set_dacl_list(acl.clone());
    assert_eq!(descriptor.clone().dacl_list(), acl.clone().into());
    acl.push(Ace::other(0x77, AceFlags::NONE, &[]).unwrap()).unwrap_err();
    acl.retain(|ace| ace.sid().is_none());
    assert_eq!(acl.aces().len(), 1);
}

#[test]
fn text_with_too_many_entries_is_refused() {
    let text = format!("D:{}", "(A;;FA;;;WD)".repeat(4000));
    match SecurityDescriptor::from_sddl(&text) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
        // Wine lets the length of the list wrap around.
        Ok(descriptor) => {
            assert!(is_wine(), "{:?}", descriptor.dacl_list().entries().map(|acl| acl.aces().len()));
        }
    }
}

#[test]
fn a_long_list_survives_a_round_trip() {
    let text = format!("D:{}", "(A;;FA;;;WD)".repeat(3000));
    let descriptor = sddl(&text);
    assert_eq!(descriptor.dacl_list().entries().unwrap().aces().len(), 3000);
    assert_eq!(descriptor.to_sddl().unwrap(), text);
}

// Real objects

#[test]
fn listeners_have_the_ready_made_descriptors() {
    for access in [Access::Owner, Access::Group, Access::Everyone] {
        in_time(move || {
            let name = unique_name();
            let listener = ListenerOptions::new().name(&name).access(access).create_sync().unwrap();
            let client = Stream::connect(&name).unwrap();
            let server = listener.accept().unwrap();
            let expected = SecurityDescriptor::for_access(access).unwrap();
            for stream in [client, server] {
                let parts = Parts::OWNER | Parts::DACL;
                let descriptor = SecurityDescriptor::of_handle(stream.as_handle(), parts).unwrap();
                assert_eq!(descriptor.owner_sid(), Some(Sid::current_user().unwrap()));
                assert_eq!(descriptor.dacl_list(), expected.dacl_list());
                assert!(descriptor.control_flags().contains(Control::DACL_PROTECTED));
                // What was not asked for is absent.
                assert_eq!(descriptor.group_sid(), None);
                assert_eq!(descriptor.sacl_list(), AccessList::Absent);
            }
        });
    }
}

#[test]
fn ready_made_descriptors_let_nobody_else_add_instances() {
    const FILE_CREATE_PIPE_INSTANCE: u32 = 4;
    let owners = [Sid::current_user().unwrap(), Sid::ADMINISTRATORS, Sid::SYSTEM];
    for (access, others) in [
        (Access::Owner, None),
        (Access::Group, Some(Sid::current_group().unwrap())),
        (Access::Everyone, Some(Sid::EVERYONE)),
    ] {
        let descriptor = SecurityDescriptor::for_access(access).unwrap();
        assert_eq!(descriptor.control_flags(), Control::DACL_PROTECTED);
        let list = descriptor.dacl_list();
        let aces = list.entries().unwrap().aces();
        assert_eq!(aces[..3], owners.map(|sid| Ace::allow(sid, Ace::FULL_ACCESS)));
        assert_eq!(aces.get(3).and_then(Ace::sid), others);
        for ace in &aces[3..] {
            assert_eq!(ace.mask().unwrap() & FILE_CREATE_PIPE_INSTANCE, 0);
        }
    }
}

/// A pipe, and a handle to it that may change its security.
fn changeable() -> (Listener, File) {
    let name = unique_path();
    let listener = Listener::bind(&name).unwrap();
    let file = OpenOptions::new()
        .access_mode(READ_CONTROL | WRITE_DAC | WRITE_OWNER | Ace::READ)
        .open(&*name)
        .unwrap();
    (listener, file)
}

#[test]
fn what_is_applied_to_a_pipe_is_read_back() {
    in_time(|| {
        let (_listener, pipe) = changeable();
        let mut descriptor = SecurityDescriptor::default();
        let user = Sid::current_user().unwrap();
        for dacl in [
            list([Ace::allow(user, Ace::FULL_ACCESS), Ace::deny(Sid::NETWORK, Ace::READ)]),
            list([Ace::allow(Sid::EVERYONE, Ace::READ_AND_WRITE)]),
            AccessList::Entries(Acl::new()),
        ] {
            descriptor.set_dacl_list(dacl.clone());
            descriptor.set_owner_sid(user);
            descriptor.apply_to(pipe.as_handle(), Parts::OWNER | Parts::DACL).unwrap();
            let now = SecurityDescriptor::of_handle(pipe.as_handle(), Parts::OWNER | Parts::DACL).unwrap();
            assert_eq!(now.dacl_list(), dacl);
            assert_eq!(now.owner_sid(), Some(user));
        }
    });
}

#[test]
fn only_the_parts_asked_for_are_applied() {
    in_time(|| {
        let (_listener, pipe) = changeable();
        let parts = Parts::OWNER | Parts::DACL;
        let before = SecurityDescriptor::of_handle(pipe.as_handle(), parts).unwrap();
        let other = sddl("D:P(A;;FA;;;SY)");
        sddl("O:SYD:P(A;;FA;;;SY)").apply_to(pipe.as_handle(), Parts::DACL).unwrap();
        let now = SecurityDescriptor::of_handle(pipe.as_handle(), parts).unwrap();
        assert_eq!(now.owner_sid(), before.owner_sid());
        assert_eq!(now.dacl_list(), other.dacl_list());
    });
}

// Windows takes an absent DACL for a null one: everybody may do everything.
#[test]
fn an_absent_part_is_never_applied() {
    in_time(|| {
        let (_listener, pipe) = changeable();
        let parts = Parts::OWNER | Parts::DACL;
        let before = SecurityDescriptor::of_handle(pipe.as_handle(), parts).unwrap();
        let user = Sid::current_user().unwrap();
        for (part, text) in [
            (Parts::OWNER, "G:BAD:S:"),
            (Parts::GROUP, "O:BAD:S:"),
            (Parts::DACL, "O:BAG:BA"),
            (Parts::OWNER | Parts::DACL, &format!("O:{user}")),
            (Parts::SACL, "O:BAG:BAD:"),
            (Parts::LABEL, "O:BAG:BAD:"),
        ] {
            let error = sddl(text).apply_to(pipe.as_handle(), part).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{part:?}: {error}");
        }
        assert_eq!(SecurityDescriptor::of_handle(pipe.as_handle(), parts).unwrap(), before);
    });
}

#[test]
fn a_handle_without_the_right_to_change_security_cannot() {
    in_time(|| {
        let name = unique_name();
        let _listener = Listener::bind(&name).unwrap();
        let client = Stream::connect(&name).unwrap();
        let error = sddl("D:P(A;;FA;;;SY)").apply_to(client.as_handle(), Parts::DACL).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.raw_os_error().is_some());
    });
}

#[test]
fn peers_have_a_user_and_an_integrity_level() {
    in_time(|| {
        let name = unique_name();
        let listener = Listener::bind(&name).unwrap();
        let client = Stream::connect(&name).unwrap();
        let server = listener.accept().unwrap();
        let creds = [client.peer_creds().unwrap(), server.peer_creds().unwrap()];
        for creds in &creds {
            assert_eq!(*creds.user(), Sid::current_user().unwrap());
            assert_eq!(creds.user().to_string(), creds.sid());
            assert!(creds.integrity_level() >= Some(IntegrityLevel::LOW), "{creds:?}");
        }
        // Both are this process.
        assert_eq!(creds[0].integrity_level(), creds[1].integrity_level());
    });
}

// Memory

#[test]
fn descriptors_are_shared_between_threads() {
    in_time(|| {
        const TEXT: &str = "O:SYG:BAD:(A;;FA;;;SY)(A;;FA;;;BA)S:(AU;FA;FA;;;WD)";
        let descriptor = Arc::new(sddl(TEXT));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let descriptor = Arc::clone(&descriptor);
                thread::spawn(move || {
                    for _ in 0..500 {
                        let mut clone = SecurityDescriptor::clone(&descriptor);
                        assert_eq!(clone, *descriptor);
                        clone.set_owner_sid(None);
                        assert_eq!(descriptor.to_sddl().unwrap(), TEXT);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let descriptor = Arc::into_inner(descriptor).unwrap();
        assert_eq!(thread::spawn(move || descriptor.to_sddl().unwrap()).join().unwrap(), TEXT);
    });
}

/// How many bytes this process has to itself.
fn private_bytes() -> usize {
    use windows_sys::Win32::System::{
        ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
        Threading::GetCurrentProcess,
    };
    let mut counters = PROCESS_MEMORY_COUNTERS::default();
    let len = u32::try_from(size_of_val(&counters)).unwrap();
    // SAFETY: the pseudo handle is always valid, and `counters` has `len` bytes.
    assert_ne!(unsafe { K32GetProcessMemoryInfo(GetCurrentProcess(), &raw mut counters, len) }, 0);
    counters.PagefileUsage
}

#[test]
fn dropping_and_replacing_neither_leaks_nor_frees_twice() {
    in_time(|| {
        let long = Acl::from_aces((0..50).map(|_| Ace::allow(Sid::EVERYONE, Ace::READ))).unwrap();
        let round = || {
            let mut descriptor = sddl("O:SYG:BAD:P(A;;FA;;;SY)S:(AU;FA;FA;;;WD)");
            descriptor.set_dacl_list(long.clone());
            descriptor.set_sacl_list(long.clone());
            let mut clone = descriptor.clone();
            for step in SET.iter().chain(&UNSET) {
                step(&mut clone);
            }
            descriptor.set_control_flags(Control::DACL_DEFAULTED | Control::OWNER_DEFAULTED, true);
            clone = descriptor;
            clone.set_dacl_list(AccessList::Null);
        };
        (0..100).for_each(|_| round());
        let before = private_bytes();
        (0..10_000).for_each(|_| round());
        let more = private_bytes().saturating_sub(before);
        // One list that leaks each time would be 10 MB.
        assert!(more < 2 << 20, "{more} bytes more than before");
    });
}

#[test]
fn they_go_to_other_threads() {
    fn assert_send_sync<T: Send + Sync + 'static>() {}
    assert_send_sync::<SecurityDescriptor>();
    assert_send_sync::<BorrowedSecurityDescriptor<'static>>();
    assert_send_sync::<Sid>();
    assert_send_sync::<Acl>();
    assert_send_sync::<Ace>();
    assert_send_sync::<AccessList>();
}
