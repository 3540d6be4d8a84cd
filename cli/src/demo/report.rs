//! What the demonstration has found out, as text.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

/// What was measured with one kind of name.
#[derive(Debug)]
pub(crate) struct Figures {
    median: Duration,
    p99: Duration,
    mean: Duration,
    /// Bytes per second.
    alone: f64,
    together: f64,
    connects_per_second: f64,
    messages: u64,
    bytes: u64,
    connections: u64,
}

impl Figures {
    /// How long each round trip took; and how many bytes, or connections, in which time.
    pub(crate) fn new(
        mut round_trips: Vec<Duration>,
        alone: (u64, Duration),
        together: (u64, Duration),
        connecting: (u64, Duration),
    ) -> Self {
        round_trips.sort_unstable();
        let messages = round_trips.len() as u64;
        let sum: Duration = round_trips.iter().sum();
        let mean = sum.checked_div(u32::try_from(messages).unwrap_or(u32::MAX)).unwrap_or_default();
        Self {
            median: percentile(&round_trips, 50),
            p99: percentile(&round_trips, 99),
            mean,
            alone: rate(alone),
            together: rate(together),
            connects_per_second: rate(connecting),
            messages,
            bytes: alone.0 + together.0,
            connections: connecting.0,
        }
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

#[allow(clippy::cast_precision_loss, reason = "a measurement is not that exact")]
fn rate((count, time): (u64, Duration)) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}

/// The figures of each kind of name.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, Figures)>,
}

impl Report {
    pub(crate) fn add(&mut self, kind: &'static str, figures: Figures) {
        self.rows.push((kind, figures));
    }

    pub(crate) fn table(&self, clients: u32) -> impl Display {
        let together = if clients == 1 { "again".to_owned() } else { format!("{clients} clients") };
        let head = [
            "name".to_owned(),
            "p50".to_owned(),
            "p99".to_owned(),
            "mean".to_owned(),
            "1 client".to_owned(),
            together,
            "per second".to_owned(),
        ];
        let rows = self.rows.iter().map(|(kind, figures)| {
            [
                (*kind).to_owned(),
                duration(figures.median),
                duration(figures.p99),
                duration(figures.mean),
                mebibytes(figures.alone),
                mebibytes(figures.together),
                whole(figures.connects_per_second),
            ]
        });
        Table { rows: std::iter::once(head).chain(rows).collect() }
    }

    pub(crate) fn summary(&self) -> String {
        let sum = |of: fn(&Figures) -> u64| self.rows.iter().map(|(_, figures)| of(figures)).sum::<u64>();
        format!(
            "Everything arrived as it was sent: {} messages to and fro, {} MiB one way, {} connections.",
            group_digits(sum(|figures| figures.messages)),
            group_digits(sum(|figures| figures.bytes) >> 20),
            group_digits(sum(|figures| figures.connections)),
        )
    }
}

struct Table {
    rows: Vec<[String; 7]>,
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let widest = self.rows.iter().map(|row| row[column].chars().count()).max();
            // Room for what stands above.
            widest.unwrap_or_default().max(9)
        };
        let widths: [usize; 7] = std::array::from_fn(width);
        let [name, p50, p99, mean, alone, together, connects] = widths;
        let (trip, flow) = (p50 + p99 + mean + 4, alone + together + 2);
        write!(
            f,
            "{:name$}   {:>trip$}   {:>flow$}   {:>connects$}",
            "", "round trip, 64 B", "MiB/s, 64 KiB", "connects"
        )?;
        for [a, b, c, d, e, g, h] in &self.rows {
            write!(
                f,
                "\n{a:name$}   {b:>p50$}  {c:>p99$}  {d:>mean$}   {e:>alone$}  {g:>together$}   {h:>connects$}"
            )?;
        }
        Ok(())
    }
}

/// With a unit that leaves one to three digits before the point.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.001 {
        format!("{:.1} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

fn mebibytes(bytes: f64) -> String {
    whole(bytes / f64::from(1 << 20))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is positive, and far from the limit"
)]
fn whole(number: f64) -> String {
    group_digits(number.round() as u64)
}

/// 1234567 as 1,234,567.
pub(crate) fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let grouped = [0, 999, 1000, 123_456, 1_234_567].map(group_digits);
        assert_eq!(grouped, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let times: Vec<_> = (1..=100).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(50));
        assert_eq!(percentile(&times, 99), Duration::from_micros(99));
        assert_eq!(percentile(&times[..1], 99), Duration::from_micros(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn the_columns_of_the_table_are_aligned() {
        let trips = vec![Duration::from_nanos(5100), Duration::from_micros(1234)];
        let second = Duration::from_secs(1);
        let figures = Figures::new(trips, (1 << 30, second), (1 << 41, second), (12345, second));
        let mut report = Report::default();
        report.add("path", figures);
        let table = report.table(4).to_string();
        let lengths: Vec<_> = table.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lengths.len(), 3);
        assert!(lengths.iter().all(|length| *length == lengths[0]), "{table}");
        assert!(table.contains("5.1 µs") && table.contains("1.23 ms") && table.contains("12,345"), "{table}");
    }
}
