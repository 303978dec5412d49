//! When things happened, and under which business day they are filed. A day is fixed once, with the outcome, and never
//! moves: a day that was closed stays what it was, whatever is learned about the clock afterwards.

use serde::{Deserialize, Serialize};

use super::{Entry, Stage};
use crate::calendar::BusinessDays;

/// Before this library there was no sale of it: a clock that says less has been reset (2024-01-01).
pub const EARLIEST_MS: i64 = 1_704_067_200_000;

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The machine's, which may be wrong.
    pub machine_unix_ms: i64,
    /// The gateway's, as far as its answers had taught it then.
    pub gateway_unix_ms: Option<i64>,
}

impl Moment {
    /// The better of the two.
    pub fn best_unix_ms(self) -> i64 {
        self.gateway_unix_ms.unwrap_or(self.machine_unix_ms)
    }

    /// Whether it can be true: a machine whose battery is empty begins in 1970.
    fn is_plausible(self) -> bool {
        self.best_unix_ms() >= EARLIEST_MS
    }
}

/// A moment and the business day that it is filed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// When.
    pub at: Moment,
    /// The day, counted from 1970-01-01.
    pub day: i64,
}

impl Filed {
    fn of(at: Moment, days: BusinessDays) -> Filed {
        Filed { at, day: days.day_of(at.best_unix_ms()) }
    }
}

/// What is stored of an entry's times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The attempt was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Filed>,
    /// Its outcome was: this is the day of the sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Filed>,
    /// It stood as a success.
    #[serde(default)]
    pub succeeded: bool,
    /// What had stood as a success was given back: confirmed by the gateway, or said by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Filed>,
}

impl Times {
    /// Nothing is known; versions before this one stored none.
    pub fn is_empty(&self) -> bool {
        *self == Times::default()
    }
}

impl Entry {
    /// The record with the times that its stage brings. What is there already never changes.
    pub fn dated(mut self, now: Moment, days: BusinessDays) -> Entry {
        let stood_before = stood_before_times(&self);
        let (stage, foreign) = (self.stage, self.detail.foreign);
        let times = &mut self.detail.times;
        let now = Filed::of(now, days);
        if stage == Stage::Sending {
            if times.sent.is_none() || times.ended.is_some() {
                // A further attempt: the one before it took nothing.
                *times = Times { sent: Some(now), ..Times::default() };
            }
            return self;
        }
        // What an earlier version sent stays on the day of its attempt.
        if times.ended.is_none() && times.sent.is_some() {
            times.ended = Some(now);
        }
        times.succeeded |= stage == Stage::Succeeded || stood_before;
        // A refund, or a success that the till never confirmed. The undoing of a lost consume is none.
        let given_back = (times.succeeded || foreign) && matches!(stage, Stage::Reversed | Stage::Undone);
        if given_back && times.returned.is_none() {
            times.returned = Some(now);
        }
        self
    }

    /// The same, whose process died: the sale is of the day on which it was sent, if its clock can be believed.
    pub(super) fn ended_when_sent(mut self) -> Entry {
        let times = &mut self.detail.times;
        if times.ended.is_none() {
            times.ended = times.sent.filter(|sent| sent.at.is_plausible());
        }
        self
    }

    /// The business day of the sale; where no outcome is recorded, that of its attempt.
    pub fn day(&self, days: BusinessDays) -> i64 {
        let times = &self.detail.times;
        times.ended.or(times.sent).map_or_else(|| days.day_of(self.created_unix_ms), |filed| filed.day)
    }

    /// The business day on which what was taken was given back, if it was.
    pub fn returned_day(&self) -> Option<i64> {
        self.detail.times.returned.map(|filed| filed.day)
    }

    /// Whether nothing happened with it since then, by the better clock: a till whose clock stood at 1970 has sold today.
    pub fn is_old(&self, before_unix_ms: i64) -> bool {
        let times = &self.detail.times;
        let filed = [times.sent, times.ended, times.returned].into_iter().flatten();
        filed.map(|filed| filed.at.best_unix_ms()).all(|at| at < before_unix_ms)
    }

    /// Whether the sale counts as one that took money: it stood as a success, and if it was given back later, that is
    /// filed on its own. What was never told as a success and undone is no sale and no refund.
    pub fn counts(&self) -> bool {
        self.detail.times.succeeded || matches!(self.stage, Stage::Succeeded | Stage::Kept)
    }
}

/// Whether it is to be given back, and had stood as a success when an earlier version recorded it, which stored no times.
fn stood_before_times(entry: &Entry) -> bool {
    let undoing = matches!(entry.stage, Stage::Reversing | Stage::Reversed);
    entry.detail.times.sent.is_none()
        && !entry.detail.foreign
        && undoing
        && entry.detail.reversal.asked
        && entry.was_accepted()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::money::BizId;
    use crate::payment::consume::abandoned;
    use crate::payment::{Key, OnUnknown, Owner};

    const DAYS: BusinessDays = BusinessDays { start_minutes: 240, offset_minutes: 480 };
    const DAY_MS: i64 = 86_400_000;
    /// 2026-11-22T02:14:17Z, a morning.
    const NOW: i64 = 1_795_313_657_123;

    fn at(machine_unix_ms: i64) -> Moment {
        Moment { machine_unix_ms, gateway_unix_ms: None }
    }

    fn sent(moment: Moment) -> Entry {
        let key = Key { open_id: "o".into(), endpoint: "e".into(), biz_id: BizId::new("B1").unwrap() };
        let owner = Owner("me".into());
        let created = moment.machine_unix_ms;
        Entry::intent(key, Identity::default(), owner, OnUnknown::Hold, created).dated(moment, DAYS)
    }

    #[test]
    fn a_day_is_fixed_with_the_outcome_and_never_moves() {
        let corrected = Moment { machine_unix_ms: 5000, gateway_unix_ms: Some(NOW) };
        let done = sent(at(5000)).moved(Stage::Succeeded).dated(corrected, DAYS);
        assert_eq!(done.day(DAYS), DAYS.day_of(NOW), "the gateway's clock is the better one");
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Sending) {
            let later = done.moved(stage).dated(at(NOW + 9 * DAY_MS), DAYS);
            assert_eq!(later.detail.times.ended, done.detail.times.ended, "{stage:?}");
            assert!(later.counts(), "{stage:?}");
        }
        // Another beginning of the day leaves the days that were filed.
        let other = BusinessDays { start_minutes: 23 * 60, offset_minutes: -600 };
        assert_eq!(done.day(other), done.day(DAYS));
    }

    #[test]
    fn a_refund_has_a_day_of_its_own_and_the_undoing_of_a_lost_consume_is_none() {
        let sold = sent(at(NOW)).moved(Stage::Succeeded).dated(at(NOW), DAYS);
        let asked = sold.moved(Stage::Reversing).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!(asked.returned_day(), None, "not before it is confirmed");
        let refunded = asked.moved(Stage::Reversed).dated(at(NOW + 3 * DAY_MS), DAYS);
        let day = DAYS.day_of(NOW);
        assert_eq!((refunded.day(DAYS), refunded.returned_day()), (day, Some(day + 3)));
        let asked_again = refunded.moved(Stage::Reversed).dated(at(NOW + 9 * DAY_MS), DAYS);
        assert_eq!(asked_again.returned_day(), Some(day + 3));
        let lost = sent(at(NOW)).moved(Stage::Reversing).dated(at(NOW), DAYS);
        let undone = lost.moved(Stage::Reversed).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!((undone.returned_day(), undone.counts()), (None, false));
    }

    #[test]
    fn what_an_earlier_version_recorded_stays_where_it_was() {
        let mut old = sent(at(NOW)).moved(Stage::Succeeded);
        old.detail.times = Times::default();
        old.detail.answered = true;
        old.detail.words = Some(crate::gateway::GatewayStatus { code: "0".into(), message: String::new() });
        let mut asked = old.moved(Stage::Reversing);
        asked.detail.reversal.asked = true;
        let refunded =
            asked.dated(at(NOW + DAY_MS), DAYS).moved(Stage::Reversed).dated(at(NOW + DAY_MS), DAYS);
        let day = DAYS.day_of(NOW);
        assert_eq!((refunded.day(DAYS), refunded.returned_day()), (day, Some(day + 1)));
        assert!(refunded.counts());
    }

    #[test]
    fn a_further_attempt_has_times_of_its_own() {
        let declined = sent(at(NOW)).moved(Stage::Declined).dated(at(NOW), DAYS);
        let again = declined.moved(Stage::Sending).dated(at(NOW + DAY_MS), DAYS);
        let done = again.moved(Stage::Succeeded).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!(done.day(DAYS), DAYS.day_of(NOW) + 1);
        // A reversal that is asked for while it runs is no further attempt.
        let same = again.moved(Stage::Sending).dated(at(NOW + 2 * DAY_MS), DAYS);
        assert_eq!(same.detail.times, again.detail.times);
    }

    #[test]
    fn what_a_crash_left_is_of_the_day_on_which_it_was_sent() {
        let found = abandoned(&sent(at(NOW))).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!(found.day(DAYS), DAYS.day_of(NOW));
        // Not of 1970.
        let found = abandoned(&sent(at(5000))).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!(found.day(DAYS), DAYS.day_of(NOW) + 1);
    }
}
