//! Asks the gateway's own records about an outcome that is held.

use std::time::Instant;

use super::Client;
use crate::gateway::{Balance, BalanceRules, Envelope, Operation, Params};
use crate::journal::{Guard, JournalError, Recorded};
use crate::log::Level;
use crate::money::Amount;
use crate::payment::Entry;
use crate::payment::reconcile::{Effect, Event, Records, State, is_open_to_evidence, step};
use crate::transport::HttpAnswer;

impl Client {
    /// Whether the gateway's records can prove anything about an entry.
    pub fn has_evidence_for(&self, entry: &Entry) -> bool {
        let records = self.records_of(entry);
        is_open_to_evidence(entry) && (records.balance || records.coupons)
    }

    /// Which records the gateway keeps about an entry.
    fn records_of(&self, entry: &Entry) -> Records {
        let identity = entry.identity();
        let has_route = |operation| self.account.route(operation).is_some();
        Records {
            balance: identity.amount.is_some_and(|amount| !Amount::is_zero(amount))
                && has_route(Operation::BalanceByBizId),
            // A scanned code names no coupon whose status could be queried.
            coupons: self.account.records.coupons_complete
                && !identity.coupons.is_empty()
                && !identity.scanned()
                && identity.customer_id.is_some()
                && has_route(Operation::CouponStatus),
        }
    }

    /// Asks the records once, and records what they prove. Returns the record after that.
    pub fn drive_evidence(
        &self,
        entry: &Entry,
        late_window_over: bool,
        deadline: Instant,
    ) -> Result<Entry, JournalError> {
        let journal = &self.shared.journal;
        let records = self.records_of(entry);
        let coupon =
            |number: usize| entry.identity().coupons.get(number).map(String::as_str).unwrap_or_default();
        let failed = |error: JournalError| Event::JournalFailed { code: error.code, message: error.message };
        let mut state = State::New(entry.clone());
        let mut event = Event::Begin;
        loop {
            self.shared.log.line(Level::Info, || format!("records of {}: {event:?}", entry.key().biz_id));
            let (next, effect) = step(state, event, records, late_window_over);
            state = next;
            event = match effect {
                Effect::Stands(entry) => return Ok(entry),
                Effect::Failed { code, message } => return Err(JournalError { code, message }),
                Effect::AskBalance => Event::Balance(self.ask_balance(entry, deadline)),
                Effect::AskOtherBizIds => {
                    journal.has_other_biz_ids(entry.key()).map_or_else(failed, Event::OtherBizIds)
                }
                Effect::AskCoupon(number) => {
                    Event::CouponUnused(self.shows_unused(entry, coupon(number), deadline))
                }
                Effect::AskOtherSales(number) => {
                    let named = journal.names_coupon_elsewhere(entry.key(), coupon(number));
                    named.map_or_else(failed, Event::NamedElsewhere)
                }
                Effect::Record(record) => {
                    let record = self.dated(record);
                    match journal.record(&record, Guard::Off, deadline) {
                        Ok(Recorded::Done(_)) => Event::Recorded(record),
                        Ok(
                            Recorded::Existing(entry)
                            | Recorded::InDoubt(entry)
                            | Recorded::Superseded(entry),
                        ) => Event::Existing(entry),
                        Err(error) => failed(error),
                    }
                }
            };
        }
    }

    /// What the balance records say about an entry.
    fn ask_balance(&self, entry: &Entry, deadline: Instant) -> Balance {
        let biz_id = entry.key().biz_id.as_str();
        let customer_id = entry.identity().customer_id.as_deref();
        let params = [Some(("bizId", biz_id)), customer_id.map(|customer_id| ("customerId", customer_id))];
        let Some(answer) = self.ask(Operation::BalanceByBizId, params, deadline) else {
            return Balance::Nothing;
        };
        let records = &self.account.records;
        let rules =
            BalanceRules { complete: records.complete, not_found: &records.not_found, sign: records.sign };
        match Envelope::read(answer.status, &answer.body) {
            Ok(envelope) => envelope.judge_balance(biz_id, entry.identity().amount, rules),
            Err(_) => Balance::Nothing,
        }
    }

    fn shows_unused(&self, entry: &Entry, coupon: &str, deadline: Instant) -> bool {
        let customer_id = entry.identity().customer_id.as_deref().unwrap_or_default();
        let params = [Some(("customerId", customer_id)), Some(("cardId", coupon))];
        self.ask(Operation::CouponStatus, params, deadline).is_some_and(|answer| {
            Envelope::read(answer.status, &answer.body).is_ok_and(|envelope| envelope.shows_unused(coupon))
        })
    }

    /// One look-up; `None` if there is no answer.
    fn ask(
        &self,
        operation: Operation,
        given: [Option<(&str, &str)>; 2],
        deadline: Instant,
    ) -> Option<HttpAnswer> {
        let route = self.account.route(operation)?;
        let params = Params::of_texts(given.into_iter().flatten());
        let answer = self.post_read(route, &params, deadline).result.ok()?;
        self.learn(&answer);
        Some(answer)
    }
}
