//! Plots, which can be read on light and on dark ground.

use crate::{
    peer::Peer,
    stats::{Ratio, Verdict},
};
use std::fmt::Write as _;

const STYLE: &str = "<style>\
text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.title{font-size:15px;font-weight:600}.faint{fill:#59636e}\
.grid{stroke:#d1d9e0}.one{stroke:#59636e}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#3d444d}.one{stroke:#9198a1}}\
</style>";

/// Neither too dark for dark ground nor too light for light.
fn color(peer: Peer) -> &'static str {
    match peer {
        Peer::Ours => "#2f81f7",
        Peer::Raw => "#8b949e",
        Peer::Std | Peer::Tokio | Peer::AsyncNet => "#bf8700",
        Peer::Old => "#a475f9",
        Peer::Tcp => "#e5534b",
        Peer::IpcChannel => "#3fa266",
    }
}

/// Values of one peer, by size.
pub(crate) struct Line {
    pub(crate) peer: Peer,
    pub(crate) points: Vec<(f64, f64)>,
}

const LEFT: f64 = 76.0;
const WIDTH: f64 = 760.0;
const PLOT_WIDTH: f64 = 540.0;
const TOP: f64 = 48.0;
const PLOT_HEIGHT: f64 = 320.0;

/// A plot with logarithms on both axes. `x_text` and `y_text` say what a value is called.
pub(crate) fn lines(
    title: &str,
    lines: &[Line],
    x_text: impl Fn(f64) -> String,
    y_text: impl Fn(f64) -> String,
) -> String {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let (x_low, x_high) = range(all().map(|(x, _)| x));
    let (y_low, y_high) = range(all().map(|(_, y)| y));
    let (y_low, y_high) = (10_f64.powf(y_low.log10().floor()), 10_f64.powf(y_high.log10().ceil()));
    let x_at = |x: f64| LEFT + PLOT_WIDTH * part(x, x_low, x_high);
    let y_at = |y: f64| TOP + PLOT_HEIGHT * (1.0 - part(y, y_low, y_high));
    let mut svg = head(title, TOP + PLOT_HEIGHT + 40.0);

    let mut y = y_low;
    while y <= y_high * 1.01 {
        let (at, right) = (y_at(y), LEFT + PLOT_WIDTH);
        let _ = write!(svg, r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1}" y2="{at:.1}"/>"#);
        let _ = write!(
            svg,
            r#"<text class="faint" text-anchor="end" x="{}" y="{:.1}">{}</text>"#,
            LEFT - 8.0,
            at + 4.0,
            y_text(y)
        );
        y *= 10.0;
    }
    let mut sizes: Vec<_> = all().map(|(x, _)| x).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for x in sizes {
        let (at, bottom) = (x_at(x), TOP + PLOT_HEIGHT);
        let _ = write!(svg, r#"<line class="grid" x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{bottom}"/>"#);
        let _ = write!(
            svg,
            r#"<text class="faint" text-anchor="middle" x="{at:.1}" y="{}">{}</text>"#,
            bottom + 20.0,
            x_text(x)
        );
    }
    // Ours is on top.
    for line in lines.iter().rev() {
        let (color, width) = (color(line.peer), if line.peer == Peer::Ours { 3.0 } else { 2.0 });
        let points: Vec<_> =
            line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", x_at(*x), y_at(*y))).collect();
        let _ = write!(
            svg,
            r#"<polyline fill="none" stroke="{color}" stroke-width="{width}" points="{}"/>"#,
            points.join(" ")
        );
        for (x, y) in &line.points {
            let (x, y) = (x_at(*x), y_at(*y));
            let _ = write!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{}" fill="{color}"/>"#, width + 0.5);
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let y = TOP + 12.0 + 22.0 * count(index);
        let x = LEFT + PLOT_WIDTH + 24.0;
        let _ = write!(
            svg,
            r#"<rect x="{x}" y="{}" width="18" height="4" fill="{}"/><text x="{}" y="{y}">{}</text>"#,
            y - 6.0,
            color(line.peer),
            x + 26.0,
            line.peer.name()
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A ratio with what it is between, and a goal.
pub(crate) struct Dot {
    pub(crate) what: String,
    pub(crate) ratio: Ratio,
    pub(crate) goal: f64,
}

const RATIOS: (f64, f64) = (0.8, 1.3);
const ROW: f64 = 18.0;
const NAMES: f64 = 300.0;

/// Dots in rows, below headings.
pub(crate) fn dots(title: &str, groups: &[(&str, Vec<Dot>)]) -> String {
    let rows = groups.iter().map(|(_, dots)| dots.len() + 2).sum();
    let height = TOP + ROW * count(rows) + 24.0;
    let right = WIDTH - 30.0;
    let x_at = |ratio: f64| {
        let (low, high) = RATIOS;
        NAMES + (right - NAMES) * ((ratio.clamp(low, high) - low) / (high - low))
    };
    let mut svg = head(title, height);
    for tenths in 8..=13 {
        let ratio = f64::from(tenths) / 10.0;
        let (at, class) = (x_at(ratio), if tenths == 10 { "one" } else { "grid" });
        let _ = write!(
            svg,
            r#"<line class="{class}" x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{}"/>"#,
            height - 24.0
        );
        let _ = write!(
            svg,
            r#"<text class="faint" text-anchor="middle" x="{at:.1}" y="{}">{ratio:.1}</text>"#,
            height - 8.0
        );
    }
    let mut y = TOP;
    for (heading, dots) in groups {
        y += ROW;
        let _ = write!(svg, r#"<text font-weight="600" x="12" y="{:.1}">{heading}</text>"#, y + 4.0);
        for dot in dots {
            y += ROW;
            let _ = write!(
                svg,
                r#"<text class="faint" text-anchor="end" x="{}" y="{:.1}">{}</text>"#,
                NAMES - 12.0,
                y + 4.0,
                dot.what
            );
            // Green if the goal is met, amber if noise could be why it is not, red if not.
            let color = match dot.ratio.verdict(dot.goal) {
                Verdict::Met => "#3fa266",
                Verdict::Open => "#bf8700",
                Verdict::Missed => "#e5534b",
            };
            let _ = write!(
                svg,
                r#"<line stroke="{color}" stroke-width="2" x1="{:.1}" x2="{:.1}" y1="{y:.1}" y2="{y:.1}"/>"#,
                x_at(dot.ratio.low),
                x_at(dot.ratio.high)
            );
            let (x, goal) = (x_at(dot.ratio.value), x_at(dot.goal));
            let _ = write!(
                svg,
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{color}"/><line stroke="{color}" x1="{goal:.1}" x2="{goal:.1}" y1="{:.1}" y2="{:.1}"/>"#,
                y - 6.0,
                y + 6.0
            );
        }
        y += ROW;
    }
    svg.push_str("</svg>\n");
    svg
}

fn head(title: &str, height: f64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{title}">{STYLE}<text class="title" x="12" y="24">{title}</text>"#
    )
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), value| (value.min(low), value.max(high)))
}

/// How far a value is on the way from `low` to `high`.
fn part(value: f64, low: f64, high: f64) -> f64 {
    if low < high { (value / low).ln() / (high / low).ln() } else { 0.5 }
}

#[allow(clippy::cast_precision_loss, reason = "there are some dozens")]
fn count(of: usize) -> f64 {
    of as f64
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn values_are_where_their_logarithms_are() {
        assert!((part(10.0, 1.0, 100.0) - 0.5).abs() < 1e-9);
        assert_eq!(part(5.0, 5.0, 5.0), 0.5);
    }

    #[test]
    fn each_line_is_drawn_and_named() {
        let of = |peer, y| Line { peer, points: vec![(1.0, y), (64.0, 2.0 * y)] };
        let svg =
            lines("T", &[of(Peer::Ours, 3.0), of(Peer::Tcp, 40.0)], |x| x.to_string(), |y| y.to_string());
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains(">ours<") && svg.contains(">tcp<") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
