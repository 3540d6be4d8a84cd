//! A point in time at which a wait ends, or never.

use std::time::{Duration, Instant};

/// When a wait has to end. `NEVER` waits for as long as it takes.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    /// `timeout` from now; a timeout beyond what the clock can count never ends.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// `timeout` from now, or never.
    pub(crate) fn after_or_never(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self::NEVER, Self::after)
    }

    /// How long is left: `None` for ever, `Some(ZERO)` once it has passed.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}
