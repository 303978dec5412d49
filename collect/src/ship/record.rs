//! What goes up of an entry. The days and the sums are those of the till's own day-end export.

use zvpos_core::api::{DayKind, day_lines};
use zvpos_core::calendar::{BusinessDays, DAY_MS};
use zvpos_core::clock::machine_unix_ms;
use zvpos_core::journal::{Changed, Witness};
use zvpos_core::payment::Entry;

use super::settings::Settings;
use crate::digest;
use crate::wire::{Back, COUPONS_MAX, Record, TEXT_MAX, TIME_MAX, VALUE_MAX};

/// Makes records of entries.
pub(super) struct Maker {
    /// The key for ids that must not be read; `None` for those that may.
    key: Option<String>,
    days: BusinessDays,
}

impl Maker {
    pub(super) fn new(settings: &Settings, days: BusinessDays) -> Maker {
        Maker { key: settings.member_key.clone(), days }
    }

    /// The till's business day.
    pub(super) fn today(&self) -> i64 {
        day(self.days.day_of(machine_unix_ms()))
    }

    fn hidden(&self, id: &str) -> String {
        self.key.as_deref().map_or_else(|| plain(id), |key| digest::keyed(key, id))
    }

    /// The record of an entry.
    pub(super) fn record(&self, changed: &Changed) -> Record {
        let (entry, number) = (&changed.entry, changed.number);
        let (key, identity, detail) = (entry.key(), entry.identity(), entry.detail());
        let lines = day_lines(entry, self.days);
        let of = |kind: DayKind| lines.iter().find(|line| line.kind == kind);
        let sale = of(DayKind::Sale);
        let refund = of(DayKind::Refund);
        let back = refund.or(of(DayKind::RefundedElsewhere));
        // The refund of another till's sale has no sale here.
        let taken = sale.map(|line| line.sums).unwrap_or_default();
        let given = refund.map(|line| line.sums).unwrap_or_default();
        let either = |taken: Option<i64>, given: Option<i64>| taken.or(given.map(i64::saturating_neg));
        let first = lines.iter().find(|line| !is_given_back(line.kind)).or(back);
        let at_unix_ms = within(first.map_or(entry.created_unix_ms(), |line| line.unix_ms), TIME_MAX);
        let other = detail.returned_biz_id.as_ref().filter(|_| entry.has_other_biz_id());
        let may = |text: &Option<String>| text.as_deref().map(plain);
        Record {
            number,
            open_id: plain(&key.open_id),
            environment: plain(&key.environment),
            biz_id: key.biz_id.to_string(),
            revision: entry.revision(),
            stage: entry.stage().as_str().to_owned(),
            retired: detail.retired,
            attempt: entry.attempt(),
            created_unix_ms: within(entry.created_unix_ms(), TIME_MAX),
            at_unix_ms,
            member: identity.customer_id.as_deref().map(|id| self.hidden(id)),
            coupons: identity.coupons.iter().take(COUPONS_MAX).map(|id| self.hidden(id)).collect(),
            amount: identity.amount.and_then(|amount| i64::try_from(amount.fen()).ok()),
            device: may(&detail.origin.device_sn),
            shop: may(&detail.origin.multi_mark),
            operator: may(&detail.origin.operator_id),
            code: detail.words.as_ref().map(|words| plain(&words.code)),
            other_biz_id: may(&other.cloned()),
            unfinished: entry.is_unfinished(),
            by_person: detail.settlement.is_some(),
            sold: sale.is_some(),
            day: day(first.map_or_else(|| self.days.day_of(at_unix_ms), |line| line.day)),
            hour: self.hour(at_unix_ms),
            back: back.map(|line| Back {
                day: day(line.day),
                hour: self.hour(line.unix_ms),
                elsewhere: line.kind == DayKind::RefundedElsewhere,
            }),
            sum: either(taken.sum, given.sum),
            recharge: either(taken.recharge, given.recharge),
            gift: either(taken.gift, given.gift),
            points: within(
                if sale.is_some() { taken.points } else { given.points.saturating_neg() },
                VALUE_MAX,
            ),
            coupons_taken: if sale.is_some() { taken.coupons } else { given.coupons.saturating_neg() },
        }
    }

    /// The hour on the till's wall.
    fn hour(&self, unix_ms: i64) -> u8 {
        self.days.wall(unix_ms).get(11..13).and_then(|hour| hour.parse().ok()).unwrap_or_default()
    }
}

/// A day within the limits of a record.
fn day(day: i64) -> i64 {
    within(day, TIME_MAX / DAY_MS)
}

fn is_given_back(kind: DayKind) -> bool {
    matches!(kind, DayKind::Refund | DayKind::RefundedElsewhere)
}

/// A text within the limits of a record: a till may send whatever it likes, and that must not keep the rest of its journal
/// from being shipped.
fn plain(text: &str) -> String {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A number within the limits of a record.
fn within(value: i64, largest: i64) -> i64 {
    value.clamp(-largest, largest)
}

/// The key of an entry, as a witness of it.
pub(super) fn witness(entry: &Entry) -> Witness {
    let key = entry.key();
    Witness {
        open_id: key.open_id.clone(),
        environment: key.environment.clone(),
        biz_id: key.biz_id.to_string(),
        revision: entry.revision(),
    }
}
