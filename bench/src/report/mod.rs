//! A run, and what is written about it.

mod json;
mod markdown;
mod svg;

#[cfg(target_os = "linux")]
use crate::{asynchronous::idle::Idle, counts::Counted, programs::Program};
use crate::{
    builds::Build,
    cases::{self, Case},
    peer::Peer,
    stats::{Ratio, Sample, Summary, Verdict},
};
use json::Json;
pub(crate) use markdown::put_headline;
use std::{fs, io, path::Path};

/// All that a run has found out.
#[derive(Default)]
pub(crate) struct Report<'c> {
    pub(crate) is_quick: bool,
    /// How long the whole took, in seconds.
    pub(crate) took: u64,
    pub(crate) machine: Vec<(&'static str, String)>,
    pub(crate) times: Vec<Times<'c>>,
    #[cfg(target_os = "linux")]
    pub(crate) counts: Vec<Counted<'c>>,
    #[cfg(target_os = "linux")]
    pub(crate) idle: Vec<Idle>,
    #[cfg(target_os = "linux")]
    pub(crate) idle_connections: usize,
    #[cfg(target_os = "linux")]
    pub(crate) programs: Vec<Program>,
    pub(crate) builds: Vec<Build>,
    /// What could not be measured, and why.
    pub(crate) missing: Vec<String>,
}

/// What was measured of a case.
pub(crate) struct Times<'c> {
    pub(crate) case: &'c Case,
    pub(crate) of: Vec<(Peer, Summary, Ratio)>,
}

impl<'c> Times<'c> {
    /// The ratios are those of ours to each.
    pub(crate) fn new(case: &'c Case, samples: &[Sample]) -> Self {
        let of = case
            .peers
            .iter()
            .zip(samples)
            .map(|(peer, sample)| (*peer, sample.summary(), Ratio::of(&samples[0], sample)));
        Self { case, of: of.collect() }
    }

    fn summary(&self, peer: Peer) -> Option<&Summary> {
        self.of.iter().find(|(other, ..)| *other == peer).map(|(_, summary, _)| summary)
    }

    /// To the peer that we are measured by.
    fn ratio(&self) -> Ratio {
        self.of[1].2
    }

    fn verdict(&self) -> Option<Verdict> {
        Some(self.ratio().verdict(self.case.goal?))
    }

    /// One line for who waits.
    pub(crate) fn line(&self) -> String {
        let of = self
            .of
            .iter()
            .map(|(peer, summary, _)| format!("{} {}", peer.name(), markdown::value(self.case, summary.p50)));
        let Ratio { value, low, high } = self.ratio();
        let verdict = self.verdict().map_or("", |verdict| verdict.text().trim_matches('*'));
        format!(
            "{:<28} {value:.3} ({low:.3} to {high:.3}) {verdict:<12} {}",
            self.case.name,
            of.collect::<Vec<_>>().join(", ")
        )
    }
}

impl Report<'_> {
    /// Writes the page, its plots and its data into that folder.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("performance.json"), format!("{}\n", self.json()))?;
        for (name, plot) in self.plots() {
            fs::write(folder.join(name), plot)?;
        }
        fs::write(folder.join("performance.md"), markdown::page(self))
    }

    fn plots(&self) -> Vec<(&'static str, String)> {
        let size = |size: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was an integer")]
            cases::bytes(size as usize)
        };
        let latency =
            svg::lines("Round trip between two processes", &self.lines("stream/ping-pong/"), size, |time| {
                markdown::time(time).replace(".00", "")
            });
        let rate = |rate: f64| markdown::rate(rate).replace(".00", "");
        let throughput =
            svg::lines("One way, by the size of a write", &self.lines("stream/one-way/"), size, rate);
        let mut groups: Vec<(&str, Vec<svg::Dot>)> = Vec::new();
        for times in &self.times {
            let Some(goal) = times.case.goal else { continue };
            if groups.last().is_none_or(|(group, _)| *group != times.case.group) {
                groups.push((times.case.group, Vec::new()));
            }
            let dot = svg::Dot { what: times.case.what.clone(), ratio: times.ratio(), goal };
            groups.last_mut().expect("one was pushed").1.push(dot);
        }
        let ratios = svg::dots("Our time as a part of the plain calls' or the runtime's", &groups);
        vec![("latency.svg", latency), ("throughput.svg", throughput), ("ratios.svg", ratios)]
    }

    /// By size: the median of times, or bytes in a second.
    #[allow(clippy::cast_precision_loss, reason = "sizes are small")]
    fn lines(&self, prefix: &str) -> Vec<svg::Line> {
        let of: Vec<_> = self.times.iter().filter(|times| times.case.name.starts_with(prefix)).collect();
        let Some(first) = of.first() else { return Vec::new() };
        let line = |peer: &Peer| svg::Line {
            peer: *peer,
            points: of
                .iter()
                .filter_map(|times| {
                    let time = times.summary(*peer)?.p50;
                    let y = times.case.bytes.map_or(time, |bytes| bytes as f64 / time);
                    Some((times.case.size? as f64, y))
                })
                .collect(),
        };
        first.case.peers.iter().map(line).collect()
    }

    fn json(&self) -> Json {
        let texts = |facts: &[(&'static str, String)]| {
            Json::Object(facts.iter().map(|(name, fact)| (*name, Json::from(&**fact))).collect())
        };
        let number = Json::Number;
        let times = self.times.iter().map(|times| {
            let of = times.of.iter().map(|(peer, summary, ratio)| {
                Json::Object(vec![
                    ("peer", peer.name().into()),
                    ("mean", number(summary.mean)),
                    ("spread", number(summary.spread)),
                    ("p50", number(summary.p50)),
                    ("p99", number(summary.p99)),
                    ("p99.9", number(summary.p999)),
                    ("quantiles of", if summary.of_operations { "operations" } else { "slices" }.into()),
                    ("ours to this", number(ratio.value)),
                    ("low", number(ratio.low)),
                    ("high", number(ratio.high)),
                ])
            });
            let mut members =
                vec![("case", (&*times.case.name).into()), ("what", (&*times.case.what).into())];
            members.extend(times.case.goal.map(|goal| ("goal", number(goal))));
            members.push(("seconds", Json::List(of.collect())));
            Json::Object(members)
        });
        let builds = self.builds.iter().map(|build| {
            Json::Object(vec![
                ("features", build.features.into()),
                ("peer", build.peer.name().into()),
                ("crates", number(f64::from(build.crates))),
                ("seconds", number(build.seconds)),
            ])
        });
        let mode = if self.is_quick { "quick" } else { "full" };
        let mut members = vec![
            ("mode", mode.into()),
            ("machine", texts(&self.machine)),
            ("times", Json::List(times.collect())),
        ];
        #[cfg(target_os = "linux")]
        members.extend(self.json_of_linux());
        members.push(("builds", Json::List(builds.collect())));
        members.push(("missing", Json::List(self.missing.iter().map(|what| (&**what).into()).collect())));
        Json::Object(members)
    }

    #[cfg(target_os = "linux")]
    fn json_of_linux(&self) -> [(&'static str, Json); 3] {
        let counts = self.counts.iter().flat_map(|(case, of)| {
            of.iter().map(|(peer, counts)| {
                let calls = counts.calls.iter().map(|(name, calls)| {
                    Json::Object(vec![("call", (&**name).into()), ("times", Json::Number(*calls))])
                });
                Json::Object(vec![
                    ("case", (&*case.name).into()),
                    ("peer", peer.name().into()),
                    ("instructions", Json::Number(counts.instructions)),
                    ("system calls", Json::List(calls.collect())),
                ])
            })
        });
        #[allow(clippy::cast_precision_loss, reason = "they are some thousands")]
        let idle = self.idle.iter().map(|idle| {
            Json::Object(vec![
                ("runtime", idle.runtime.into()),
                ("peer", idle.peer.name().into()),
                ("connections", Json::Number(self.idle_connections as f64)),
                ("bytes for each", Json::Number(idle.bytes_for_each as f64)),
                ("accepted in", Json::Number(idle.accepted_in)),
            ])
        });
        let programs = self.programs.iter().map(|program| {
            Json::Object(vec![
                ("program", program.name.into()),
                ("one byte", Json::Number(program.one_byte)),
                ("bytes in a second", Json::Number(program.rate)),
            ])
        });
        [
            ("counts", Json::List(counts.collect())),
            ("idle", Json::List(idle.collect())),
            ("programs", Json::List(programs.collect())),
        ]
    }
}
