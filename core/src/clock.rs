//! The gateway's time. Tills have wrong clocks and a request with a wrong timestamp is refused, so the offset is
//! learned from the `Date` header of the gateway's answers.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::payment::Moment;

/// The till's clock plus what the gateway's answers have taught.
#[derive(Debug, Default)]
pub struct GatewayClock {
    /// Seconds to add to the till's clock.
    offset_s: AtomicI64,
    /// An answer has taught it.
    learned: AtomicBool,
}

impl GatewayClock {
    /// `Date` counts whole seconds and the answer takes time: less than this is no offset.
    const NOISE_S: i64 = 2;
    /// From here on the till is told.
    pub const WARN_S: i64 = 60;

    /// The gateway's time in Unix seconds, when the machine's clock shows this.
    pub(crate) fn unix_seconds(&self, machine_unix_ms: i64) -> u64 {
        u64::try_from(seconds(machine_unix_ms).saturating_add(self.offset_s())).unwrap_or(0)
    }

    /// The time by both clocks, when the machine's shows this; the gateway's where one of its answers has taught it.
    pub(crate) fn at(&self, machine_unix_ms: i64) -> Moment {
        let gateway = machine_unix_ms.saturating_add(self.offset_s().saturating_mul(1000));
        let learned = self.learned.load(Ordering::Acquire);
        Moment { machine_unix_ms, gateway_unix_ms: learned.then_some(gateway) }
    }

    /// Seconds that the till's clock is behind the gateway's.
    pub(crate) fn offset_s(&self) -> i64 {
        self.offset_s.load(Ordering::Relaxed)
    }

    /// Learns from a `Date` header that was received when the machine's clock showed this. Says whether this changed by how much is corrected
    /// so far that a request signed before may have been refused for it.
    pub(crate) fn learn(&self, date: SystemTime, machine_unix_ms: i64) -> bool {
        let Ok(date) = date.duration_since(UNIX_EPOCH) else { return false };
        let gateway = i64::try_from(date.as_secs()).unwrap_or(i64::MAX);
        let offset = gateway.saturating_sub(seconds(machine_unix_ms));
        let offset = if offset.abs() <= Self::NOISE_S { 0 } else { offset };
        let before = self.offset_s.swap(offset, Ordering::Relaxed);
        self.learned.store(true, Ordering::Release);
        before.saturating_sub(offset).abs() > Self::NOISE_S
    }
}

fn seconds(unix_ms: i64) -> i64 {
    unix_ms.div_euclid(1000)
}

/// The machine's clock, in Unix milliseconds; before 1970 it is negative.
pub fn machine_unix_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: i64 = 1_795_000_000_500;

    fn date(ahead_s: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_000_000 + ahead_s)
    }

    #[test]
    fn learns_the_offset_and_ignores_noise() {
        let clock = GatewayClock::default();
        assert_eq!(clock.at(NOW).gateway_unix_ms, None);
        assert!(!clock.learn(date(2), NOW));
        assert_eq!(clock.offset_s(), 0);
        assert!(clock.learn(date(86_400), NOW));
        assert_eq!(clock.offset_s(), 86_400);
        assert_eq!(clock.at(NOW).gateway_unix_ms, Some(NOW + 86_400_000));
        assert_eq!(clock.unix_seconds(NOW), 1_795_086_400);
        assert!(!clock.learn(date(86_401), NOW));
        assert!(clock.learn(date(0), NOW));
        assert_eq!(clock.offset_s(), 0);
    }
}
