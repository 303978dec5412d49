//! Under which business days an entry is found: by the time of its intent, or, where it was filed far from that, by the day
//! itself, so that a day's report need not read everything.

use super::store::sort_by_time;
use crate::calendar::DAY_MS;
use crate::payment::Entry;

/// So many days around its intent's an entry is found by that: more than any business day is off a day of UTC.
const NEAR: i64 = 2;

/// The days under which an entry is not found by the time of its intent.
pub fn far_days(entry: &Entry) -> impl Iterator<Item = i64> {
    let times = &entry.detail().times;
    let near = entry.created_unix_ms().div_euclid(DAY_MS);
    let days = [times.ended, times.returned].into_iter().flatten().map(|filed| filed.day);
    days.filter(move |day| !(near - NEAR..=near + NEAR).contains(day))
}

/// The first moment by which an entry near a day is found, and the first one after the last.
pub fn span(day: i64) -> (i64, i64) {
    let at = |days: i64| day.saturating_add(days).saturating_mul(DAY_MS);
    (at(-NEAR), at(NEAR + 1))
}

/// Whether an entry may be filed under that day.
pub fn is_near(entry: &Entry, day: i64) -> bool {
    let (from, to) = span(day);
    let times = &entry.detail().times;
    let filed = [times.ended, times.returned].into_iter().flatten().any(|filed| filed.day == day);
    filed || (!entry.detail().retired && (from..to).contains(&entry.created_unix_ms()))
}

/// By the better clock, and within a millisecond as in every list.
pub fn sort(entries: &mut [Entry]) {
    sort_by_time(entries, |entry| {
        let times = &entry.detail().times;
        times.ended.or(times.sent).map_or(entry.created_unix_ms(), |filed| filed.at.best_unix_ms())
    });
}
