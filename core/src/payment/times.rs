//! The times of an entry and the business days under which they are filed. A day is fixed once, together with the
//! outcome, and never changes: a closed day stays the same, whatever is learned about the clock afterwards.

use serde::{Deserialize, Serialize};

use super::{Entry, Stage};
use crate::calendar::BusinessDays;

/// No sale of this library is older: a clock that shows an earlier time has been reset (2024-01-01).
pub(crate) const EARLIEST_MS: i64 = 1_704_067_200_000;

/// A moment by the machine's clock and by the gateway's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The machine's clock, which may be wrong.
    pub machine_unix_ms: i64,
    /// The gateway's clock, as far as its answers had shown it by then.
    pub gateway_unix_ms: Option<i64>,
}

impl Moment {
    /// The gateway's time if it is known, otherwise the machine's.
    pub(crate) fn best_unix_ms(self) -> i64 {
        self.gateway_unix_ms.unwrap_or(self.machine_unix_ms)
    }

    /// Whether the moment is plausible: a machine with an empty battery starts in 1970.
    fn is_plausible(self) -> bool {
        self.best_unix_ms() >= EARLIEST_MS
    }
}

/// A moment and the business day under which it is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filed {
    /// The moment.
    pub at: Moment,
    /// The day, counted from 1970-01-01.
    pub day: i64,
}

impl Filed {
    fn of(at: Moment, days: BusinessDays) -> Filed {
        Filed { at, day: days.day_of(at.best_unix_ms()) }
    }
}

/// The stored times of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When the attempt was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent: Option<Filed>,
    /// When the outcome was recorded: this is the day of the sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Filed>,
    /// The entry was recorded as a success.
    #[serde(default)]
    pub succeeded: bool,
    /// When a recorded success was given back: confirmed by the gateway, or stated by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) returned: Option<Filed>,
}

impl Times {
    /// Whether no time is stored; earlier versions stored none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Times::default()
    }
}

#[cfg(any(test, feature = "conformance"))]
impl Times {
    /// Ended at that moment and, where it says so, given back at that one; days are those of UTC.
    pub(crate) fn filed(ended_unix_ms: i64, returned_unix_ms: Option<i64>) -> Times {
        let filed = |unix_ms: i64| Filed {
            at: Moment { machine_unix_ms: unix_ms, gateway_unix_ms: None },
            day: unix_ms.div_euclid(crate::calendar::DAY_MS),
        };
        Times { ended: Some(filed(ended_unix_ms)), returned: returned_unix_ms.map(filed), ..Times::default() }
    }

    /// When it ended, by the machine's clock.
    pub(crate) fn ended_unix_ms(&self) -> Option<i64> {
        self.ended.map(|filed| filed.at.machine_unix_ms)
    }
}

impl Entry {
    /// The record with the times that belong to its stage. Times that are stored never change.
    pub(crate) fn dated(mut self, now: Moment, days: BusinessDays) -> Entry {
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
        // An entry that an earlier version sent keeps the day of its attempt.
        if times.ended.is_none() && times.sent.is_some() {
            times.ended = Some(now);
        }
        times.succeeded |= stage == Stage::Succeeded || stood_before;
        // A refund, or a success that the till never confirmed. The reversal of a lost consume is not given back.
        let given_back = (times.succeeded || foreign) && matches!(stage, Stage::Reversed | Stage::Undone);
        if given_back && times.returned.is_none() {
            times.returned = Some(now);
        }
        self
    }

    /// The same entry after its process died: the sale belongs to the day on which it was sent, if that clock is
    /// plausible.
    pub(super) fn ended_when_sent(mut self) -> Entry {
        let times = &mut self.detail.times;
        if times.ended.is_none() {
            times.ended = times.sent.filter(|sent| sent.at.is_plausible());
        }
        self
    }

    /// The business day of the sale; if no outcome is recorded, the day of its attempt.
    pub(crate) fn day(&self, days: BusinessDays) -> i64 {
        let times = &self.detail.times;
        times.ended.or(times.sent).map_or_else(|| days.day_of(self.created_unix_ms), |filed| filed.day)
    }

    /// The business day on which the money was given back, if it was.
    pub(crate) fn returned_day(&self) -> Option<i64> {
        self.detail.times.returned.map(|filed| filed.day)
    }

    /// Whether all times of the entry are earlier, by the better clock: a till whose clock showed 1970 has sold today.
    pub(crate) fn is_old(&self, before_unix_ms: i64) -> bool {
        let times = &self.detail.times;
        let filed = [times.sent, times.ended, times.returned].into_iter().flatten();
        filed.map(|filed| filed.at.best_unix_ms()).all(|at| at < before_unix_ms)
    }

    /// Whether the sale counts as one that took money: it was recorded as a success, and a later refund is filed
    /// separately. A sale that was never reported as a success and was undone is neither a sale nor a refund.
    pub(crate) fn counts(&self) -> bool {
        self.detail.times.succeeded || matches!(self.stage, Stage::Succeeded | Stage::Kept)
    }
}

/// Whether the entry is being or was given back, and was a success in the record of an earlier version, which stored no
/// times.
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
        let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
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
        // A different start of the business day does not move the days that were filed.
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
        // A reversal that is requested during the attempt is not a further attempt.
        let same = again.moved(Stage::Sending).dated(at(NOW + 2 * DAY_MS), DAYS);
        assert_eq!(same.detail.times, again.detail.times);
    }

    #[test]
    fn what_a_crash_left_is_of_the_day_on_which_it_was_sent() {
        let found = abandoned(&sent(at(NOW))).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!(found.day(DAYS), DAYS.day_of(NOW));
        // The day is not in 1970.
        let found = abandoned(&sent(at(5000))).dated(at(NOW + DAY_MS), DAYS);
        assert_eq!(found.day(DAYS), DAYS.day_of(NOW) + 1);
    }

    /// The times that an entry gets, in other words than those of the code, for everything that decides about them.
    #[test]
    fn each_time_is_fixed_once_and_depends_on_nothing_else() {
        let before = at(NOW - 3 * DAY_MS);
        let filed = |set: bool| set.then(|| Filed::of(before, DAYS));
        let now = Filed::of(at(NOW), DAYS);
        for stage in Stage::ALL {
            for bits in 0..1_u32 << 7 {
                let [was_sent, had_ended, succeeded, returned, foreign, asked, yes] =
                    std::array::from_fn(|at| bits >> at & 1 == 1);
                let mut entry = sent(before).moved(stage);
                let (sent, ended, returned) = (filed(was_sent), filed(had_ended), filed(returned));
                let times = Times { sent, ended, succeeded, returned };
                entry.detail.times = times;
                entry.detail.foreign = foreign;
                entry.detail.reversal.asked = asked;
                entry.detail.answered = yes;
                entry.detail.words =
                    yes.then(|| crate::gateway::GatewayStatus { code: "0".into(), message: String::new() });
                let back = matches!(stage, Stage::Reversing | Stage::Reversed);
                let old_success = !was_sent && !foreign && back && asked && yes;
                let sold = succeeded || stage == Stage::Succeeded || old_success;
                let is_undone = matches!(stage, Stage::Reversed | Stage::Undone);
                let wanted = match stage {
                    Stage::Sending if was_sent && !had_ended => times,
                    Stage::Sending => Times { sent: Some(now), ..Times::default() },
                    _ => Times {
                        sent,
                        ended: ended.or(was_sent.then_some(now)),
                        succeeded: sold,
                        returned: returned.or(((sold || foreign) && is_undone).then_some(now)),
                    },
                };
                let case = format!("{stage:?} {times:?} {foreign} {asked} {yes}");
                let dated = entry.clone().dated(at(NOW), DAYS);
                assert_eq!(dated.detail.times, wanted, "{case}");
                assert_eq!(dated.detail.times.is_empty(), wanted == Times::default(), "{case}");
                let counts = wanted.succeeded || matches!(stage, Stage::Succeeded | Stage::Kept);
                assert_eq!(dated.counts(), counts, "{case}");
            }
        }
    }

    #[test]
    fn a_record_is_old_when_all_its_times_are() {
        let edge = NOW;
        let filed = |ms: i64| Some(Filed::of(at(ms), DAYS));
        for (sent, ended, returned, old) in [
            (None, None, None, true),
            (filed(edge - 1), None, None, true),
            (filed(edge), None, None, false),
            (filed(edge + 1), None, None, false),
            (filed(edge - 9), filed(edge), None, false),
            (filed(edge - 9), filed(edge - 8), filed(edge - 1), true),
            (filed(edge - 9), filed(edge - 8), filed(edge), false),
        ] {
            let mut entry = self::sent(at(0));
            entry.detail.times = Times { sent, ended, returned, succeeded: true };
            assert_eq!(entry.is_old(edge), old, "{:?}", entry.detail.times);
        }
    }

    #[test]
    fn a_clock_is_plausible_from_the_first_day_of_this_library_on() {
        let gateway = |machine_unix_ms, gateway_unix_ms| Moment { machine_unix_ms, gateway_unix_ms };
        for (moment, plausible) in [
            (at(EARLIEST_MS), true),
            (at(EARLIEST_MS - 1), false),
            (gateway(5000, Some(NOW)), true),
            (gateway(NOW, Some(5000)), false),
        ] {
            let left = abandoned(&sent(moment));
            assert_eq!(left.detail.times.ended.is_some(), plausible, "{moment:?}");
        }
        // What has ended already keeps its day.
        let mut ended = sent(at(NOW));
        ended.detail.times.ended = Some(Filed::of(at(NOW + DAY_MS), DAYS));
        assert_eq!(abandoned(&ended).detail.times, ended.detail.times);
    }

    #[test]
    fn without_a_time_of_its_own_a_sale_is_of_the_day_of_its_record() {
        let mut entry = sent(at(NOW));
        entry.detail.times = Times::default();
        entry.created_unix_ms = NOW - 2 * DAY_MS;
        assert_eq!(entry.day(DAYS), DAYS.day_of(NOW) - 2);
        entry.detail.times.sent = Some(Filed::of(at(NOW - DAY_MS), DAYS));
        assert_eq!(entry.day(DAYS), DAYS.day_of(NOW) - 1);
        entry.detail.times.ended = Some(Filed::of(at(NOW), DAYS));
        assert_eq!(entry.day(DAYS), DAYS.day_of(NOW));
    }
}
