//! The gateway's time. Tills have wrong clocks and a request with a wrong timestamp is refused, so the offset is
//! learned from the `Date` header of the gateway's answers.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::transaction::Moment;

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

    /// Now, in the gateway's time, in Unix seconds.
    pub fn unix_seconds(&self) -> u64 {
        u64::try_from(till_seconds().saturating_add(self.offset_s())).unwrap_or(0)
    }

    /// Now by both clocks; the gateway's where one of its answers has taught it.
    pub fn now(&self) -> Moment {
        let machine = machine_unix_ms();
        let gateway = machine.saturating_add(self.offset_s().saturating_mul(1000));
        let learned = self.learned.load(Ordering::Acquire);
        Moment { machine_unix_ms: machine, gateway_unix_ms: learned.then_some(gateway) }
    }

    /// Seconds that the till's clock is behind the gateway's.
    pub fn offset_s(&self) -> i64 {
        self.offset_s.load(Ordering::Relaxed)
    }

    /// Learns from a `Date` header that was just received. Says whether this changed by how much is corrected
    /// so far that a request signed before may have been refused for it.
    pub fn learn(&self, date: SystemTime) -> bool {
        let Ok(date) = date.duration_since(UNIX_EPOCH) else { return false };
        let gateway = i64::try_from(date.as_secs()).unwrap_or(i64::MAX);
        let offset = gateway.saturating_sub(till_seconds());
        let offset = if offset.abs() <= Self::NOISE_S { 0 } else { offset };
        let before = self.offset_s.swap(offset, Ordering::Relaxed);
        self.learned.store(true, Ordering::Release);
        before.saturating_sub(offset).abs() > Self::NOISE_S
    }
}

fn till_seconds() -> i64 {
    machine_unix_ms().div_euclid(1000)
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

    #[test]
    fn learns_the_offset_and_ignores_noise() {
        let clock = GatewayClock::default();
        assert_eq!(clock.now().gateway_unix_ms, None);
        assert!(!clock.learn(SystemTime::now() + Duration::from_secs(1)));
        assert_eq!(clock.offset_s(), 0);
        assert!(clock.learn(SystemTime::now() + Duration::from_hours(24)));
        assert!((clock.offset_s() - 86_400).abs() <= 1);
        let now = clock.now();
        assert!((now.gateway_unix_ms.unwrap() - now.machine_unix_ms - 86_400_000).abs() <= 1000);
        assert!(clock.unix_seconds().abs_diff(u64::try_from(till_seconds()).unwrap() + 86_400) <= 1);
        assert!(!clock.learn(SystemTime::now() + Duration::from_secs(86_401)));
        assert!(clock.learn(SystemTime::now()));
        assert_eq!(clock.offset_s(), 0);
    }
}
