//! What is made of the times: of one contestant, and of two that took turns.

use std::time::{Duration, Instant};

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
    /// The seconds that one operation took, for each slice.
    pub(crate) slices: Vec<f64>,
    /// Empty where operations have no times of their own.
    pub(crate) laps: Laps,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self { slices: Vec::new(), laps: Laps::OFF }
    }

    pub(crate) fn add(&mut self, time: Duration, count: u32) {
        self.slices.push(time.as_secs_f64() / f64::from(count));
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut times = self.slices.clone();
        if !self.laps.nanoseconds.is_empty() {
            times = self.laps.nanoseconds.iter().map(|time| f64::from(*time) * 1e-9).collect();
        }
        times.sort_by(f64::total_cmp);
        let (mean, spread) = mean_and_spread(&self.slices);
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| quantile(&times, part));
        Summary { mean, spread, p50, p99, p999, of_operations: !self.laps.nanoseconds.is_empty() }
    }
}

/// Seconds for one operation.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) mean: f64,
    /// The standard deviation of the means of ten parts of the run, one after the other.
    pub(crate) spread: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The quantiles are of operations; else of slices.
    pub(crate) of_operations: bool,
}

/// How many parts of a run there are, to see how far they differ.
const PARTS: usize = 10;

fn mean_and_spread(slices: &[f64]) -> (f64, f64) {
    let means: Vec<_> = slices.chunks(slices.len().div_ceil(PARTS).max(1)).map(mean).collect();
    let mean_of_all = mean(slices);
    let squares: Vec<_> = means.iter().map(|part| (part - mean_of_all).powi(2)).collect();
    let spread = if squares.len() < 2 { f64::NAN } else { mean(&squares).sqrt() };
    (mean_of_all, spread)
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
    pub(crate) median: f64,
    /// Between these the median is, with 95 % confidence.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Ratio {
    /// The median of the ratios of neighbouring slices: what else the machine did at the time hit both.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are not that many slices"
    )]
    pub(crate) fn of_neighbours(ours: &[f64], theirs: &[f64]) -> Self {
        let mut ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        ratios.sort_by(f64::total_cmp);
        // How many of n values are below the median is binomial: n/2, give or take √n/2 times 1.96.
        let count = ratios.len() as f64;
        let reach = 0.98 * count.sqrt();
        let at = |rank: f64| ratios.get(rank.clamp(0.0, count - 1.0) as usize).copied().unwrap_or(f64::NAN);
        Self {
            median: quantile(&ratios, 0.5),
            low: at((count / 2.0 - reach).floor()),
            high: at((count / 2.0 + reach).ceil()),
        }
    }

    /// What this says about a ratio that is not to be exceeded.
    pub(crate) fn verdict(self, goal: f64) -> Verdict {
        // As precise as it is printed.
        if (self.median * 1000.0).round() <= goal * 1000.0 {
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

    #[test]
    fn the_spread_is_that_of_parts_and_not_of_slices() {
        // Each part has the same mean, however much its slices differ.
        let restless: Vec<f64> = (0..1000).map(|index| f64::from(index % 2)).collect();
        assert_eq!(mean_and_spread(&restless), (0.5, 0.0));
        // A machine that became slower halfway.
        let drifted: Vec<f64> = (0..1000).map(|index| f64::from(u8::from(index >= 500))).collect();
        assert_eq!(mean_and_spread(&drifted), (0.5, 0.5));
        assert!(mean_and_spread(&[1.0]).1.is_nan());
    }

    #[test]
    fn drift_that_hits_both_sides_leaves_the_ratio_alone() {
        let theirs: Vec<f64> = (1..=100).map(f64::from).collect();
        let ours: Vec<f64> = theirs.iter().map(|time| time * 1.25).collect();
        assert_eq!(Ratio::of_neighbours(&ours, &theirs), Ratio { median: 1.25, low: 1.25, high: 1.25 });
    }

    #[test]
    fn the_interval_is_around_the_median_and_narrows_with_more_slices() {
        let width = |count: u32| {
            let ours: Vec<f64> = (0..count).map(|index| 1.0 + f64::from(index) / f64::from(count)).collect();
            let ratio = Ratio::of_neighbours(&ours, &vec![1.0; ours.len()]);
            assert!(ratio.low < ratio.median && ratio.median < ratio.high, "{ratio:?}");
            ratio.high - ratio.low
        };
        assert!(width(10_000) < width(100) / 5.0);
        // With few slices it is all of them.
        let few = Ratio::of_neighbours(&[1.0, 2.0], &[1.0, 1.0]);
        assert_eq!((few.low, few.high), (1.0, 2.0));
    }

    #[test]
    fn a_goal_is_missed_only_if_noise_is_no_excuse() {
        let ratio = |median, low| Ratio { median, low, high: 2.0 };
        assert_eq!(ratio(1.0, 0.9).verdict(1.0), Verdict::Met);
        assert_eq!(ratio(1.0004, 1.0002).verdict(1.0), Verdict::Met);
        assert_eq!(ratio(1.01, 0.99).verdict(1.0), Verdict::Open);
        assert_eq!(ratio(1.01, 1.005).verdict(1.0), Verdict::Missed);
    }

    #[test]
    fn operations_have_quantiles_of_their_own() {
        let mut sample = Sample::new();
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
