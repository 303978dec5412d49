//! The simulator's clock: the machine's clock, which a test can move and stop. No I/O: the machine's time is an
//! argument.

use serde::{Deserialize, Serialize};

use crate::{
    rules::{Now, parse_rfc3339, rfc3339},
    words::{Words, words},
};

/// A clock that can be moved and stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The offset from the machine's clock while it runs.
    offset_ms: i64,
    /// The time while it is stopped.
    frozen_ms: Option<i64>,
    till_follows: bool,
}

/// A change of the clock. At most one of the first three fields is given; it applies before the clock is stopped or
/// started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The new offset from the machine's clock; 0 is the machine's time.
    pub offset_ms: Option<i64>,
    /// Moves the clock ahead by this many milliseconds.
    pub advance_ms: Option<i64>,
    /// Sets the clock to this time, such as `2026-11-22T10:22:28+08:00`.
    pub set: Option<String>,
    /// Whether the clock is stopped.
    pub freeze: Option<bool>,
    /// Whether the tills' clocks are assumed to move with it.
    pub till_follows: Option<bool>,
}

/// The clock as the admin API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The simulator's time in milliseconds since 1970.
    pub now_ms: i64,
    /// The same as text, UTC.
    pub now: String,
    /// Its offset from the machine's clock now.
    pub offset_ms: i64,
    /// Whether it is stopped.
    pub frozen: bool,
    /// Whether the tills' clocks are assumed to move with it: timestamps and `Date` then follow the machine's clock, so
    /// that a till on this machine notices only expired coupons and late reversals.
    pub till_follows: bool,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_ms: 0, frozen_ms: None, till_follows: true }
    }
}

impl Clock {
    /// The clock's time at this time of the machine.
    pub(super) fn now_ms(&self, machine_ms: i64) -> i64 {
        self.frozen_ms.unwrap_or_else(|| machine_ms.saturating_add(self.offset_ms))
    }

    /// The time for the gateway's rules.
    pub(super) fn now(&self, machine_ms: i64) -> Now {
        let business_ms = self.now_ms(machine_ms);
        Now { business_ms, signing_ms: if self.till_follows { machine_ms } else { business_ms } }
    }

    /// The clock for the admin API.
    pub(super) fn shown(&self, machine_ms: i64) -> Shown {
        let now_ms = self.now_ms(machine_ms);
        Shown {
            now_ms,
            now: rfc3339(now_ms),
            offset_ms: now_ms.saturating_sub(machine_ms),
            frozen: self.frozen_ms.is_some(),
            till_follows: self.till_follows,
        }
    }

    /// Changes the clock completely, or not at all if it returns an error.
    ///
    /// # Errors
    /// More than one new time, or a time that cannot be parsed or is out of range.
    pub(super) fn change(&mut self, change: &Change, machine_ms: i64) -> Result<(), Words> {
        let was_ms = self.now_ms(machine_ms);
        let now_ms = match (change.offset_ms, change.advance_ms, change.set.as_deref()) {
            (None, None, None) => was_ms,
            (Some(offset_ms), None, None) => machine_ms.saturating_add(offset_ms),
            (None, Some(advance_ms), None) => was_ms.saturating_add(advance_ms),
            (None, None, Some(text)) => parse_rfc3339(text).ok_or_else(|| {
                words!(
                    "set: {text:?} is no time like 2026-11-22T10:22:28+08:00",
                    "set：{text:?} 不是 2026-11-22T10:22:28+08:00 这样的时间",
                )
            })?,
            _ => {
                return Err(words!(
                    "give one of offset_ms, advance_ms and set, not several",
                    "offset_ms、advance_ms、set 只能给出一个",
                ));
            }
        };
        if !(YEAR_1970_MS..YEAR_10000_MS).contains(&now_ms) {
            return Err(words!(
                "{now_ms} ms is not between the years 1970 and 9999",
                "{now_ms} 毫秒不在公元 1970 年至 9999 年之间",
            ));
        }
        let stands = change.freeze.unwrap_or(self.frozen_ms.is_some());
        self.offset_ms = now_ms.saturating_sub(machine_ms);
        self.frozen_ms = stands.then_some(now_ms);
        self.till_follows = change.till_follows.unwrap_or(self.till_follows);
        Ok(())
    }
}

/// The range of times that a text can express.
const YEAR_1970_MS: i64 = 0;
const YEAR_10000_MS: i64 = 253_402_300_800_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_000_000_000;
    const DAY_MS: i64 = 86_400_000;

    fn changed(clock: &mut Clock, json: &str, machine_ms: i64) -> Result<(), Words> {
        clock.change(&serde_json::from_str(json).unwrap(), machine_ms)
    }

    #[test]
    fn it_is_moved_stopped_and_started_again() {
        let mut clock = Clock::default();
        changed(&mut clock, r#"{"advance_ms": 86400000}"#, NOW_MS).unwrap();
        changed(&mut clock, r#"{"advance_ms": 86400000}"#, NOW_MS).unwrap();
        assert_eq!(clock.now_ms(NOW_MS + 5), NOW_MS + 5 + 2 * DAY_MS);
        changed(&mut clock, r#"{"freeze": true}"#, NOW_MS + 5).unwrap();
        assert_eq!(clock.now_ms(NOW_MS + 99), NOW_MS + 5 + 2 * DAY_MS);
        changed(&mut clock, r#"{"advance_ms": 1}"#, NOW_MS + 99).unwrap();
        changed(&mut clock, r#"{"freeze": false}"#, NOW_MS + 100).unwrap();
        assert_eq!(clock.shown(NOW_MS + 100).offset_ms, 2 * DAY_MS - 94);
        changed(&mut clock, r#"{"offset_ms": -1000}"#, NOW_MS).unwrap();
        assert_eq!(clock.now_ms(NOW_MS), NOW_MS - 1000);
        changed(&mut clock, r#"{"set": "2030-01-01T08:00:00+08:00", "freeze": true}"#, NOW_MS).unwrap();
        assert_eq!(clock.shown(NOW_MS + 7).now, "2030-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_till_follows_unless_it_is_said_to_stay() {
        let mut clock = Clock::default();
        changed(&mut clock, r#"{"advance_ms": 86400000}"#, NOW_MS).unwrap();
        assert_eq!(clock.now(NOW_MS), Now { business_ms: NOW_MS + DAY_MS, signing_ms: NOW_MS });
        changed(&mut clock, r#"{"till_follows": false}"#, NOW_MS).unwrap();
        assert_eq!(clock.now(NOW_MS), Now::from(NOW_MS + DAY_MS));
    }

    #[test]
    fn a_change_that_makes_no_sense_changes_nothing() {
        let mut clock = Clock::default();
        for json in [
            r#"{"advance_ms": 1, "offset_ms": 1, "freeze": true}"#,
            r#"{"set": "tomorrow", "freeze": true}"#,
            r#"{"advance_ms": 9223372036854775807, "freeze": true}"#,
        ] {
            assert!(changed(&mut clock, json, NOW_MS).is_err(), "{json}");
            assert_eq!(clock.shown(NOW_MS), Clock::default().shown(NOW_MS));
        }
    }
}
