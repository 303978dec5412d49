//! The time of the simulation as the library reads it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The start of every simulation on the monotonic clock.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// A time of the simulation as the library reads it.
pub fn instant(ms: u64) -> Instant {
    start() + Duration::from_millis(ms)
}

/// The first millisecond of the simulation that is not before that time.
pub fn millis(instant: Instant) -> u64 {
    let since = instant.saturating_duration_since(start());
    u64::try_from(since.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
