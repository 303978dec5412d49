//! What the gateway's own records prove about an outcome that is held, step by step: which records are asked, in which
//! order, and what their answers prove.

use super::{Entry, Stage};
use crate::gateway::{Balance, GatewayStatus};
use crate::outcome::{codes, codes::Code};

/// Which records the gateway keeps that can prove something about an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Records {
    /// The balance records, by bizId.
    pub balance: bool,
    /// The status of coupons.
    pub coupons: bool,
}

/// The state of one reconciliation.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// Nothing has been asked yet.
    New(Entry),
    /// The balance records are being asked.
    AskingBalance(Entry),
    /// The balance records do not have the bizId. If the account stores other bizIds than the ones sent, that proves
    /// nothing.
    Missing(Entry),
    /// The status of the coupon with that number is being asked.
    AskingCoupon(Entry, usize),
    /// All coupons are unused, so a consume that is all or nothing did not happen (docs/money-safety.md, G4); unless
    /// another sale that names the coupon with that number has given back what this consume redeemed. The journal is
    /// asked after the gateway, so that a sale that began meanwhile is found.
    AskingOtherSales(Entry, usize),
    /// The proven outcome is being recorded.
    RecordingOutcome,
    /// The reconciliation has ended.
    Done,
}

/// An event of a reconciliation.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The reconciliation begins.
    Begin,
    /// The balance records have answered.
    Balance(Balance),
    /// Whether this account has ever answered with a bizId other than the one that was sent.
    OtherBizIds(bool),
    /// Whether a coupon is shown as unused.
    CouponUnused(bool),
    /// Whether another sale of the account names a coupon.
    NamedElsewhere(bool),
    /// The record was written.
    Recorded(Entry),
    /// The journal has another record of the bizId; nothing was written.
    Existing(Entry),
    /// The journal could not be read or written.
    JournalFailed {
        /// The library's code.
        code: &'static Code,
        /// The message.
        message: String,
    },
}

/// The action to carry out: exactly one after every event; its result is the next event.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Ask the balance records.
    AskBalance,
    /// Ask the journal whether the account has ever answered with other bizIds.
    AskOtherBizIds,
    /// Ask for the status of the coupon with that number.
    AskCoupon(usize),
    /// Ask the journal whether another sale names the coupon with that number.
    AskOtherSales(usize),
    /// Record this over the revision before it.
    Record(Entry),
    /// This is the record now; nothing follows.
    Stands(Entry),
    /// It is not known that anything was recorded; nothing follows.
    Failed {
        /// The library's code.
        code: &'static Code,
        /// The message.
        message: String,
    },
}

/// Whether records can prove anything about an entry.
pub(crate) fn is_open_to_evidence(entry: &Entry) -> bool {
    entry.stage() == Stage::Unknown || entry.promise_refused()
}

/// One step of a reconciliation.
#[allow(clippy::match_same_arms, reason = "one arm a transition")]
pub(crate) fn step(state: State, event: Event, records: Records, late_window_over: bool) -> (State, Effect) {
    let weighed = |entry: Entry, evidence: Evidence| match weigh(&entry, evidence, late_window_over) {
        Some(record) => (State::RecordingOutcome, Effect::Record(record)),
        None => (State::Done, Effect::Stands(entry)),
    };
    // The status of a coupon proves nothing before the request can no longer arrive.
    let coupon = |entry: Entry, number: usize| {
        let named = entry.identity().coupons.len();
        match number {
            _ if !records.coupons || !late_window_over || named == 0 => weighed(entry, Evidence::Nothing),
            number if number < named => (State::AskingCoupon(entry, number), Effect::AskCoupon(number)),
            _ => (State::AskingOtherSales(entry, 0), Effect::AskOtherSales(0)),
        }
    };
    match (state, event) {
        (State::New(entry), Event::Begin) if records.balance => {
            (State::AskingBalance(entry), Effect::AskBalance)
        }
        (State::New(entry), Event::Begin) => coupon(entry, 0),
        (State::AskingBalance(entry), Event::Balance(balance)) => match balance {
            Balance::Taken => weighed(entry, Evidence::Taken),
            Balance::Unfit => weighed(entry, Evidence::Unfit),
            Balance::Missing => (State::Missing(entry), Effect::AskOtherBizIds),
            Balance::Nothing => coupon(entry, 0),
        },
        (State::Missing(entry), Event::OtherBizIds(false)) => weighed(entry, Evidence::Absent),
        (State::Missing(entry), Event::OtherBizIds(true)) => coupon(entry, 0),
        (State::AskingCoupon(entry, number), Event::CouponUnused(true)) => coupon(entry, number + 1),
        (State::AskingOtherSales(entry, number), Event::NamedElsewhere(false)) => {
            let next = number + 1;
            if next < entry.identity().coupons.len() {
                (State::AskingOtherSales(entry, next), Effect::AskOtherSales(next))
            } else {
                weighed(entry, Evidence::Absent)
            }
        }
        (State::AskingCoupon(entry, _), Event::CouponUnused(false))
        | (State::AskingOtherSales(entry, _), Event::NamedElsewhere(true)) => {
            weighed(entry, Evidence::Nothing)
        }
        (State::RecordingOutcome, Event::Recorded(entry) | Event::Existing(entry)) => {
            (State::Done, Effect::Stands(entry))
        }
        (_, Event::JournalFailed { code, message }) => (State::Done, Effect::Failed { code, message }),
        // Events out of order are a defect of the runtime. They prove nothing.
        (state, event) => {
            let message = format!("unexpected event {event:?} in {state:?}");
            (State::Done, Effect::Failed { code: &codes::PANIC, message })
        }
    }
}

/// What the gateway's own records say about a consume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The records have the bizId with its amount.
    Taken,
    /// The records are complete and do not have the bizId.
    Absent,
    /// The records have the bizId with another amount: that proves neither, whatever else is found.
    Unfit,
    /// The records cannot be read or are incomplete.
    Nothing,
}

/// Applies evidence to an outcome that is held: returns the record over the revision before it, or `None` if nothing is
/// proven. A recorded deduction is proof at once; a missing one proves something only when the request can no longer
/// arrive.
pub(crate) fn weigh(entry: &Entry, evidence: Evidence, late_window_over: bool) -> Option<Entry> {
    let (stage, code, message) = match evidence {
        // An entry whose reversal was confirmed never becomes a success.
        Evidence::Taken if entry.promise_refused() => return None,
        _ if entry.stage != Stage::Unknown && !entry.promise_refused() => return None,
        Evidence::Taken => (Stage::Succeeded, "0", "the gateway's own records have the deduction"),
        Evidence::Absent if late_window_over => (
            Stage::Reversed,
            codes::REVERSED.text,
            "the gateway's own records do not know it: it never happened",
        ),
        Evidence::Absent | Evidence::Unfit | Evidence::Nothing => return None,
    };
    let words = GatewayStatus { code: code.to_owned(), message: message.to_owned() };
    let mut next = entry.moved(stage);
    next.detail.doubt = None;
    next.detail.answered = true;
    match stage {
        Stage::Succeeded => next.detail.words = Some(words),
        _ => next.detail.reversal.last = Some(words),
    }
    Some(next)
}

#[cfg(test)]
mod tests;
