//! The table: what is measured, and of whom.

use crate::{
    arena::Subject,
    asynchronous::{self, Runtime},
    peer::Peer,
    pipes,
    shape::Shape,
    streams,
};

/// A line of the table.
pub(crate) struct Case {
    /// What it is called on the command line, and in the results.
    pub(crate) name: String,
    pub(crate) group: &'static str,
    pub(crate) what: String,
    pub(crate) subject: Box<dyn Subject>,
    /// Ours first, then whom we are measured by, if it is part of this build.
    pub(crate) peers: Vec<Peer>,
    /// Whom the goal is about.
    measured_by: Peer,
    /// How many times as long as the second peer we may take.
    pub(crate) goal: Option<f64>,
    pub(crate) cores: Cores,
    /// There is no other process.
    pub(crate) is_alone: bool,
    /// What is sent at once, if lines differ in that.
    pub(crate) size: Option<usize>,
    /// What an operation moves, if that is what counts.
    pub(crate) bytes: Option<usize>,
    /// Instructions and system calls are counted.
    pub(crate) is_counted: bool,
    /// They are the same in each run, and compared with those of the last.
    pub(crate) is_guarded: bool,
}

/// Where the two processes run, on Linux.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// By turns on one, as the work is by turns: what is measured is not how fast a processor wakes up.
    One,
    /// At the same time.
    Two,
}

impl Case {
    fn new(
        group: &'static str,
        name: &str,
        what: &str,
        peers: &[Peer],
        subject: impl Subject + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            group,
            what: what.to_owned(),
            subject: Box::new(subject),
            peers: peers.iter().copied().filter(|peer| peer.is_there()).collect(),
            measured_by: peers[1],
            goal: None,
            cores: Cores::One,
            is_alone: false,
            size: None,
            bytes: None,
            is_counted: false,
            is_guarded: false,
        }
    }

    /// One of a kind that differ in what is done with how many bytes.
    fn shaped(
        group: &'static str,
        prefix: &str,
        shape: Shape,
        peers: &[Peer],
        subject: impl Subject + 'static,
    ) -> Self {
        let size = shape.size();
        let (name, what) = match shape {
            Shape::PingPong(_) => ("ping-pong", format!("round trip, {}", bytes(size))),
            Shape::WithRoom(_) => ("with-room", format!("round trip, {} into 8 KiB", bytes(size))),
            Shape::OneWay(_) => ("one-way", format!("one way, {} writes", bytes(size))),
        };
        let name = format!("{prefix}/{name}/{}", short(size));
        let case = Self { size: Some(size), ..Self::new(group, &name, &what, peers, subject) };
        if let Shape::OneWay(_) = shape { case.of_bytes(size).two_cores() } else { case }
    }

    fn goal(self, goal: f64) -> Self {
        Self { goal: self.measured_by.is_there().then_some(goal), ..self }
    }

    fn of_bytes(self, size: usize) -> Self {
        Self { bytes: Some(size), ..self }
    }

    fn two_cores(self) -> Self {
        Self { cores: Cores::Two, ..self }
    }

    fn alone(self) -> Self {
        Self { is_alone: true, cores: Cores::One, ..self }
    }

    fn counted(self) -> Self {
        Self { is_counted: true, ..self }
    }

    fn guarded(self) -> Self {
        Self { is_guarded: true, ..self.counted() }
    }

    /// Whom we are measured by.
    pub(crate) fn baseline(&self) -> Option<Peer> {
        self.peers.get(1).copied()
    }
}

const STREAMS: &str = "Local sockets, blocking";
const TOKIO: &str = "Local sockets, Tokio";
#[cfg(unix)]
const SMOL: &str = "Local sockets, smol";
const CLIENTS: &str = "Clients that come and go";
const PIPES: &str = "Unnamed pipes";
#[cfg(target_os = "linux")]
const MESSAGES: &str = "Datagrams, descriptors, counters, queues";

/// Everything, in the order of the report.
pub(crate) fn table() -> Vec<Case> {
    let mut cases = streams();
    cases.extend(tokio());
    #[cfg(unix)]
    cases.extend(smol());
    cases.extend(clients());
    #[cfg(unix)]
    cases.push(full_backlog());
    cases.extend(pipes());
    #[cfg(target_os = "linux")]
    cases.extend(messages());
    cases.retain(|case| case.peers.len() > 1);
    cases
}

/// What nothing is added to: the calls themselves.
const AS_RAW: f64 = 1.02;
const AS_THE_RUNTIME: f64 = 1.00;
const A_LITTLE: f64 = 1.05;

/// What one thread sends before it receives has to have room on the way, which a pipe of Windows need not have.
#[cfg(unix)]
const ALONE: [usize; 2] = [64, 64 << 10];
#[cfg(windows)]
const ALONE: [usize; 1] = [64];

fn streams() -> Vec<Case> {
    let all = [Peer::Ours, Peer::Raw, Peer::Std, Peer::Old, Peer::Tcp, Peer::IpcChannel];
    let mut cases = Vec::new();
    for shape in [1, 64, 1 << 10, 16 << 10, 1 << 20].map(Shape::PingPong) {
        cases.push(Case::shaped(STREAMS, "stream", shape, &all, streams::Streams(shape)).goal(AS_RAW));
    }
    let shape = Shape::PingPong(64);
    let mut apart =
        Case::shaped(STREAMS, "stream/two-cores", shape, &all, streams::Streams(shape)).two_cores();
    apart.what.push_str(", two cores");
    cases.push(apart.goal(AS_RAW));
    for shape in [64, 1 << 10, 16 << 10, 64 << 10, 1 << 20].map(Shape::OneWay) {
        cases.push(Case::shaped(STREAMS, "stream", shape, &all, streams::Streams(shape)).goal(AS_RAW));
    }
    for size in ALONE {
        let (name, what) =
            (format!("stream/alone/{}", short(size)), format!("send and receive, {}", bytes(size)));
        let case = Case::new(STREAMS, &name, &what, &all[..4], streams::Alone(size));
        cases.push(case.goal(AS_RAW).alone().guarded());
    }
    cases
}

fn tokio() -> Vec<Case> {
    let all = [Peer::Ours, Peer::Tokio, Peer::Old];
    let round_trips = [1, 64, 1 << 10, 16 << 10, 1 << 20].map(Shape::PingPong);
    let one_way = [64, 4 << 10, 64 << 10, 1 << 20].map(Shape::OneWay);
    let mut cases = Vec::new();
    for shape in round_trips.into_iter().chain([Shape::WithRoom(64)]).chain(one_way) {
        let subject = asynchronous::Streams(Runtime::Tokio, shape);
        cases.push(Case::shaped(TOKIO, "tokio", shape, &all, subject).goal(AS_THE_RUNTIME));
    }
    let alone = [Shape::PingPong(64), Shape::WithRoom(64), Shape::OneWay(64), Shape::OneWay(64 << 10)];
    for shape in alone {
        let subject = asynchronous::Alone(Runtime::Tokio, shape);
        let mut case = Case::shaped(TOKIO, "tokio/alone", shape, &all, subject);
        case.what.push_str(", one thread");
        let case = case.goal(AS_THE_RUNTIME).alone();
        // How often a full buffer is waited for depends on the buffer that the system gives.
        cases.push(if shape == Shape::OneWay(64 << 10) { case.counted() } else { case.guarded() });
    }
    #[cfg(unix)]
    cases.extend(crowds(TOKIO, Runtime::Tokio, [Peer::Ours, Peer::Tokio]));
    cases
}

#[cfg(unix)]
fn smol() -> Vec<Case> {
    let all = [Peer::Ours, Peer::AsyncNet];
    let mut cases = Vec::new();
    let shapes = [
        Shape::PingPong(64),
        Shape::PingPong(16 << 10),
        Shape::OneWay(64),
        Shape::OneWay(64 << 10),
        Shape::OneWay(1 << 20),
    ];
    for shape in shapes {
        let subject = asynchronous::Streams(Runtime::Smol, shape);
        cases.push(Case::shaped(SMOL, "smol", shape, &all, subject).goal(AS_THE_RUNTIME));
    }
    for shape in [Shape::PingPong(64), Shape::OneWay(64 << 10)] {
        let subject = asynchronous::Alone(Runtime::Smol, shape);
        let mut case = Case::shaped(SMOL, "smol/alone", shape, &all, subject);
        case.what.push_str(", one thread");
        // The reactor has a thread of its own, which sometimes is first.
        cases.push(case.goal(AS_THE_RUNTIME).alone().counted());
    }
    cases.extend(crowds(SMOL, Runtime::Smol, all));
    cases
}

#[cfg(unix)]
fn crowds(group: &'static str, runtime: Runtime, peers: [Peer; 2]) -> impl Iterator<Item = Case> {
    [(1, "1"), (100, "100"), (asynchronous::crowd::many(), "many")].into_iter().map(
        move |(connections, how_many)| {
            let prefix = if runtime == Runtime::Tokio { "tokio" } else { "smol" };
            let name = format!("{prefix}/connections/{how_many}");
            let what = format!("server of {connections} connections, asked one by one, 64 B");
            Case::new(group, &name, &what, &peers, asynchronous::crowd::Crowd(runtime, connections))
                .goal(AS_THE_RUNTIME)
        },
    )
}

fn clients() -> Vec<Case> {
    let what = "connect, accept, hang up";
    let blocking = [Peer::Ours, Peer::Std, Peer::Raw, Peer::Old];
    // By Wine, the older crate's client is never told that the server has hung up.
    let tokio = [Peer::Ours, Peer::Tokio, if cfg!(windows) { Peer::Tokio } else { Peer::Old }];
    let smol = [Peer::Ours, Peer::AsyncNet];
    let (on_tokio, on_smol) = (asynchronous::Connect(Runtime::Tokio), asynchronous::Connect(Runtime::Smol));
    vec![
        Case::new(CLIENTS, "accept/blocking", what, &blocking, streams::Connect).goal(A_LITTLE),
        Case::new(CLIENTS, "accept/alone", "the same, one thread", &blocking, streams::ConnectAlone)
            .goal(A_LITTLE)
            .alone()
            .guarded(),
        Case::new(CLIENTS, "accept/tokio", "the same, Tokio", &tokio, on_tokio).goal(A_LITTLE),
        Case::new(CLIENTS, "accept/smol", "the same, smol", &smol, on_smol).goal(A_LITTLE),
    ]
}

#[cfg(unix)]
fn full_backlog() -> Case {
    let peers = [Peer::Ours, Peer::Std, Peer::Raw, Peer::Old];
    let what = "accept while eight clients compete for room for two";
    Case::new(CLIENTS, "accept/full", what, &peers, streams::Backlog).goal(A_LITTLE).two_cores()
}

fn pipes() -> Vec<Case> {
    let all = [Peer::Ours, Peer::Raw, Peer::Std, Peer::Old];
    let tokio = [Peer::Ours, Peer::Tokio, Peer::Old];
    let mut cases = Vec::new();
    let round_trips = [1, 64, 4 << 10].map(Shape::PingPong);
    let one_way = [64, 4 << 10, 64 << 10, 1 << 20].map(Shape::OneWay);
    for shape in round_trips.into_iter().chain(one_way) {
        cases.push(Case::shaped(PIPES, "pipe", shape, &all, pipes::Streams(shape)).goal(AS_RAW));
    }
    for size in ALONE {
        let (name, what) =
            (format!("pipe/alone/{}", short(size)), format!("send and receive, {}", bytes(size)));
        let case = Case::new(PIPES, &name, &what, &all, pipes::Alone(size));
        cases.push(case.goal(AS_RAW).alone().guarded());
    }
    for shape in [Shape::PingPong(64), Shape::OneWay(64 << 10)] {
        let mut case = Case::shaped(PIPES, "pipe/tokio", shape, &tokio, pipes::ByTokio(shape));
        case.what.push_str(", Tokio");
        cases.push(case.goal(AS_THE_RUNTIME));
    }
    #[cfg(target_os = "linux")]
    {
        use crate::uncopied::{FileToNull, Static};

        let size = 64 << 10;
        let what = "one way, 64 KiB by send_static";
        let case = Case::new(PIPES, "pipe/static/64k", what, &all[..3], Static(size));
        cases.push(case.goal(AS_RAW).of_bytes(size).two_cores());
        let what = "file to /dev/null by splice, 64 KiB";
        let case = Case::new(PIPES, "pipe/splice/64k", what, &all[..3], FileToNull(size));
        cases.push(case.alone().of_bytes(size));
    }
    cases
}

#[cfg(target_os = "linux")]
fn messages() -> Vec<Case> {
    use crate::messages::{Alone, Message, PingPong};

    let with_std = [Peer::Ours, Peer::Raw, Peer::Std];
    let raw = [Peer::Ours, Peer::Raw];
    let alone = |name: &str, what: &str, peers: &[Peer], message| {
        Case::new(MESSAGES, name, what, peers, Alone(message)).goal(A_LITTLE).alone().guarded()
    };
    vec![
        Case::new(
            MESSAGES,
            "datagram/ping-pong/64",
            "datagrams, round trip, 64 B",
            &with_std,
            PingPong(Message::Datagram),
        )
        .goal(A_LITTLE),
        alone("datagram/alone/64", "datagram, 64 B", &with_std, Message::Datagram),
        Case::new(
            MESSAGES,
            "descriptor/ping-pong",
            "descriptors, round trip",
            &raw,
            PingPong(Message::Descriptor),
        )
        .goal(A_LITTLE),
        alone("descriptor/alone", "descriptor", &raw, Message::Descriptor),
        alone("descriptor/to-vec", "descriptor, recv_with_fds", &raw, Message::DescriptorToVec),
        alone("descriptor/by-datagram", "descriptor by datagram", &raw, Message::DescriptorByDatagram),
        alone("eventfd/alone", "eventfd", &raw, Message::Count),
        alone("queue/alone/64", "message queue, 64 B", &raw, Message::Queued),
    ]
}

/// How many bytes, as one says it.
pub(crate) fn bytes(size: usize) -> String {
    match size {
        0..=1023 => format!("{size} B"),
        1024..=1_048_575 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}

fn short(size: usize) -> String {
    match size {
        0..=1023 => size.to_string(),
        1024..=1_048_575 => format!("{}k", size >> 10),
        _ => format!("{}m", size >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_goals_have_a_peer() {
        let cases = table();
        let mut names: Vec<_> = cases.iter().map(|case| &case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            assert!(case.peers[0] == Peer::Ours && case.baseline().is_some(), "{}", case.name);
            assert!(
                !case.is_counted || case.is_alone,
                "{}: only what one thread does can be counted",
                case.name
            );
        }
    }
}
