//! What is made of the times: of one contestant, and of two that took turns.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

/// The time of each operation, for who wants to know.
pub(crate) struct Laps {
    last: Option<Instant>,
    nanoseconds: Vec<u32>,
}

impl Laps {
    /// Notes nothing.
    pub(crate) const OFF: Self = Self { last: None, nanoseconds: Vec::new() };

    /// The next `count` operations begin now.
    pub(crate) fn start(&mut self, count: u32) {
        self.nanoseconds.reserve(count as usize);
        self.last = Some(Instant::now());
    }

    /// An operation has ended, and the next one begins.
    pub(crate) fn lap(&mut self) {
        if let Some(last) = self.last {
            let now = Instant::now();
            self.nanoseconds.push(u32::try_from((now - last).as_nanos()).unwrap_or(u32::MAX));
            self.last = Some(now);
        }
    }
}

/// What was measured of one contestant.
pub(crate) struct Sample {
    /// The seconds that one operation took, for each slice of each round.
    rounds: Vec<Vec<f64>>,
    /// Empty where operations have no times of their own.
    pub(crate) laps: Laps,
}

impl Sample {
    /// Without rounds.
    pub(crate) fn new() -> Self {
        Self { rounds: Vec::new(), laps: Laps::OFF }
    }

    /// The slices that are added from now on are of another round.
    pub(crate) fn begin_round(&mut self) {
        self.rounds.push(Vec::new());
    }

    pub(crate) fn add(&mut self, time: Duration, count: u32) {
        let round = self.rounds.last_mut().expect("a round has begun");
        round.push(time.as_secs_f64() / f64::from(count));
    }

    /// For another process: the last round.
    pub(crate) fn write_round(&self, to: &mut impl Write) -> io::Result<()> {
        let slices = self.rounds.last().map_or(&[][..], Vec::as_slice);
        for len in [slices.len(), self.laps.nanoseconds.len()] {
            to.write_all(&(len as u64).to_le_bytes())?;
        }
        slices.iter().try_for_each(|time| to.write_all(&time.to_le_bytes()))?;
        self.laps.nanoseconds.iter().try_for_each(|time| to.write_all(&time.to_le_bytes()))
    }

    /// Adds a round from another process.
    pub(crate) fn read_round(&mut self, from: &mut impl Read) -> io::Result<()> {
        let [slices, laps] = [array(from)?, array(from)?].map(u64::from_le_bytes);
        let slices = (0..slices).map(|_| array(from).map(f64::from_le_bytes));
        self.rounds.push(slices.collect::<io::Result<_>>()?);
        for _ in 0..laps {
            self.laps.nanoseconds.push(u32::from_le_bytes(array(from)?));
        }
        Ok(())
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut times = self.rounds.concat();
        let mean_of_all = mean(&times);
        if !self.laps.nanoseconds.is_empty() {
            times = self.laps.nanoseconds.iter().map(|time| f64::from(*time) * 1e-9).collect();
        }
        times.sort_by(f64::total_cmp);
        let means: Vec<_> = self.rounds.iter().map(|round| mean(round)).collect();
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| quantile(&times, part));
        let of_operations = !self.laps.nanoseconds.is_empty();
        Summary { mean: mean_of_all, spread: deviation(&means), p50, p99, p999, of_operations }
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Seconds for one operation.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) mean: f64,
    /// The standard deviation of the means of rounds.
    pub(crate) spread: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The quantiles are of operations; else of slices.
    pub(crate) of_operations: bool,
}

/// How far one value is from the others, as a rule: the standard deviation of what they are taken from.
#[allow(clippy::cast_precision_loss, reason = "there are not that many")]
fn deviation(values: &[f64]) -> f64 {
    let center = mean(values);
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[allow(clippy::cast_precision_loss, reason = "there are not that many")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The smallest value that at least this part of the values, which are sorted, does not exceed.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are not that many, and the part is between 0 and 1"
)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// How many times as long as another one takes.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Ratio {
    /// The mean of what it was in each round.
    pub(crate) value: f64,
    /// Between these it is, with 95 % confidence.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Ratio {
    /// Of each round, it is the median of the ratios of slices that came one after the other: what else the machine did at the time hit
    /// both. How far rounds differ tells how sure that is: where things are in memory is the same for all of a round.
    #[allow(clippy::cast_precision_loss, reason = "there are some rounds")]
    pub(crate) fn of(ours: &Sample, theirs: &Sample) -> Self {
        /// Student's t for 95 %, by the number of values.
        const T: [f64; 9] = [f64::NAN, f64::NAN, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365];

        let of_round = |(ours, theirs): (&Vec<f64>, &Vec<f64>)| {
            let mut ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
            ratios.sort_by(f64::total_cmp);
            quantile(&ratios, 0.5)
        };
        let rounds: Vec<_> = ours.rounds.iter().zip(&theirs.rounds).map(of_round).collect();
        let t = T.get(rounds.len()).copied().unwrap_or(2.365);
        let (value, reach) = (mean(&rounds), t * deviation(&rounds) / (rounds.len() as f64).sqrt());
        Self { value, low: value - reach, high: value + reach }
    }

    /// What this says about a ratio that is not to be exceeded.
    pub(crate) fn verdict(self, goal: f64) -> Verdict {
        // As precise as it is printed.
        if (self.value * 1000.0).round() <= goal * 1000.0 {
            Verdict::Met
        } else if self.low <= goal {
            Verdict::Open
        } else {
            Verdict::Missed
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    /// Above the goal by less than this run can tell.
    Open,
    Missed,
}

impl Verdict {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Open => "within noise",
            Self::Missed => "**missed**",
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(
            [0.5, 0.99, 0.999, 1.0].map(|part| quantile(&sorted, part)),
            [500.0, 990.0, 999.0, 1000.0]
        );
        assert_eq!(quantile(&[7.0], 0.999), 7.0);
        assert!(quantile(&[], 0.5).is_nan());
    }

    fn sample(rounds: &[&[f64]]) -> Sample {
        Sample { rounds: rounds.iter().map(|round| round.to_vec()).collect(), laps: Laps::OFF }
    }

    #[test]
    fn the_spread_is_that_of_rounds_and_not_of_slices() {
        // Each round has the same mean, however much its slices differ.
        let restless = sample(&[&[0.0, 1.0], &[1.0, 0.0], &[0.5, 0.5]]).summary();
        assert_eq!((restless.mean, restless.spread), (0.5, 0.0));
        let different = sample(&[&[1.0, 1.0], &[2.0, 2.0], &[3.0, 3.0]]).summary();
        assert_eq!((different.mean, different.spread), (2.0, 1.0));
        assert!(sample(&[&[1.0]]).summary().spread.is_nan());
    }

    #[test]
    fn drift_that_hits_both_sides_leaves_the_ratio_alone() {
        let theirs: Vec<f64> = (1..=100).map(f64::from).collect();
        let ours: Vec<f64> = theirs.iter().map(|time| time * 1.25).collect();
        let ratio = Ratio::of(&sample(&[&ours, &ours[50..]]), &sample(&[&theirs, &theirs[50..]]));
        assert_eq!(ratio, Ratio { value: 1.25, low: 1.25, high: 1.25 });
    }

    #[test]
    fn the_interval_is_as_wide_as_rounds_differ() {
        let theirs = sample(&[&[1.0], &[1.0], &[1.0]]);
        let ratio = Ratio::of(&sample(&[&[1.0], &[1.1], &[1.2]]), &theirs);
        assert!((ratio.value - 1.1).abs() < 1e-9);
        // A deviation of 0.1, by the square root of three rounds.
        assert!((ratio.high - ratio.value - 4.303 * 0.1 / 3_f64.sqrt()).abs() < 1e-9, "{ratio:?}");
        assert!((ratio.value - ratio.low - (ratio.high - ratio.value)).abs() < 1e-9);
    }

    #[test]
    fn rounds_arrive_from_another_process_as_they_were() {
        let mut sent = sample(&[&[9.0], &[1.0, 2.5]]);
        sent.laps.nanoseconds = vec![3, u32::MAX];
        let mut bytes = Vec::new();
        sent.write_round(&mut bytes).unwrap();
        let mut received = sample(&[&[7.0]]);
        received.laps.nanoseconds = vec![1];
        let mut from = &*bytes;
        received.read_round(&mut from).unwrap();
        assert!(from.is_empty());
        assert_eq!(received.rounds, [vec![7.0], vec![1.0, 2.5]]);
        assert_eq!(received.laps.nanoseconds, [1, 3, u32::MAX]);
        assert!(received.read_round(&mut &bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_goal_is_missed_only_if_noise_is_no_excuse() {
        let ratio = |value, low| Ratio { value, low, high: 2.0 };
        assert_eq!(ratio(1.0, 0.9).verdict(1.0), Verdict::Met);
        assert_eq!(ratio(1.0004, 1.0002).verdict(1.0), Verdict::Met);
        assert_eq!(ratio(1.01, 0.99).verdict(1.0), Verdict::Open);
        assert_eq!(ratio(1.01, 1.005).verdict(1.0), Verdict::Missed);
    }

    #[test]
    fn operations_have_quantiles_of_their_own() {
        let mut sample = Sample::new();
        sample.begin_round();
        sample.add(Duration::from_micros(40), 10);
        assert!((sample.summary().p50 - 4e-6).abs() < 1e-12);
        assert!(!sample.summary().of_operations);
        sample.laps.lap();
        assert!(!sample.summary().of_operations, "nothing was started");
        sample.laps.start(2);
        sample.laps.lap();
        sample.laps.lap();
        assert!(sample.summary().of_operations);
        assert!(sample.summary().p50 < 1.0);
    }
}
