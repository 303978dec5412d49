//! Asking the gateway's own records about an outcome that is held. That a deduction stands is proven only by its
//! bizId among the balance records; that none does, by complete balance records, or by a coupon that is still unused.

use std::time::Instant;

use super::Client;
use crate::gateway::{Envelope, Operation, Params};
use crate::journal::JournalError;
use crate::log::Level;
use crate::money::Amount;
use crate::payment::settle::{self, Evidence};
use crate::payment::{Entry, Stage};
use crate::transport::HttpAnswer;

impl Client {
    /// Whether the records can say anything about an entry.
    pub fn has_evidence_for(&self, entry: &Entry) -> bool {
        (entry.stage() == Stage::Unknown || entry.promise_refused())
            && (self.keeps_balance_of(entry) || self.keeps_coupons_of(entry))
    }

    fn keeps_balance_of(&self, entry: &Entry) -> bool {
        entry.identity().amount.is_some_and(|amount| !Amount::is_zero(amount))
            && self.account.route(Operation::BalanceByBizId).is_some()
    }

    /// A scanned code names no coupon whose status could be asked for.
    fn keeps_coupons_of(&self, entry: &Entry) -> bool {
        let identity = entry.identity();
        self.account.records.coupons_complete
            && !identity.coupons.is_empty()
            && !identity.scanned()
            && identity.customer_id.is_some()
            && self.account.route(Operation::CouponStatus).is_some()
    }

    /// Asks once, and records what is proven. Gives what stands then.
    pub fn drive_evidence(
        &self,
        entry: &Entry,
        late_window_over: bool,
        deadline: Instant,
    ) -> Result<Entry, JournalError> {
        let mut evidence = Evidence::Nothing;
        if self.keeps_balance_of(entry) {
            evidence = self.ask_balance(entry, deadline)?;
        }
        // Nothing that a coupon shows can prove anything before the request can no longer arrive.
        if late_window_over && evidence == Evidence::Nothing && self.keeps_coupons_of(entry) {
            evidence = self.ask_coupons(entry, deadline)?;
        }
        self.shared.log.line(Level::Info, || format!("records of {}: {evidence:?}", entry.key().biz_id));
        match settle::weigh(entry, evidence, late_window_over) {
            Some(record) => self.keep(record, deadline),
            None => Ok(entry.clone()),
        }
    }

    /// What the balance records say. Where the gateway keeps other bizIds than it is sent, absence under the sent
    /// one says nothing.
    fn ask_balance(&self, entry: &Entry, deadline: Instant) -> Result<Evidence, JournalError> {
        let biz_id = entry.key().biz_id.as_str();
        let customer_id = entry.identity().customer_id.as_deref();
        let params = [Some(("bizId", biz_id)), customer_id.map(|customer_id| ("customerId", customer_id))];
        let Some(answer) = self.ask(Operation::BalanceByBizId, params, deadline) else {
            return Ok(Evidence::Nothing);
        };
        let Ok(envelope) = Envelope::read(answer.status, &answer.body) else {
            return Ok(Evidence::Nothing);
        };
        let records = &self.account.records;
        Ok(match (envelope.balance_record(records.sign), entry.identity().amount) {
            (Some((found, Some(amount))), Some(asked)) if found == biz_id && amount == asked => {
                Evidence::Taken
            }
            // Another amount, one that came back, or one that cannot be read.
            (Some((found, _)), _) if found == biz_id => Evidence::Unfit,
            (None, _)
                if records.complete
                    && !envelope.is_system_error()
                    && envelope.names_only(&[biz_id])
                    && records.not_found.iter().any(|code| code == envelope.code())
                    && !self.shared.journal.has_other_biz_ids(entry.key())? =>
            {
                Evidence::Absent
            }
            _ => Evidence::Nothing,
        })
    }

    /// Unused coupons were not redeemed, and a consume is all or nothing (docs/money-safety.md, G4); but a coupon that
    /// another sale names, too, may have been redeemed by this one and given back by that one's reversal. The
    /// journal is searched for such a sale only when the answers would prove something, and after them, so that one
    /// which began in the meantime is found.
    fn ask_coupons(&self, entry: &Entry, deadline: Instant) -> Result<Evidence, JournalError> {
        let coupons = &entry.identity().coupons;
        if !coupons.iter().all(|coupon| self.shows_unused(entry, coupon, deadline)) {
            return Ok(Evidence::Nothing);
        }
        for coupon in coupons {
            if self.shared.journal.names_coupon_elsewhere(entry.key(), coupon)? {
                return Ok(Evidence::Nothing);
            }
        }
        Ok(Evidence::Absent)
    }

    fn shows_unused(&self, entry: &Entry, coupon: &str, deadline: Instant) -> bool {
        let customer_id = entry.identity().customer_id.as_deref().unwrap_or_default();
        let params = [Some(("customerId", customer_id)), Some(("cardId", coupon))];
        self.ask(Operation::CouponStatus, params, deadline).is_some_and(|answer| {
            Envelope::read(answer.status, &answer.body).is_ok_and(|envelope| envelope.shows_unused(coupon))
        })
    }

    /// One look-up; `None` when there is no answer.
    fn ask(
        &self,
        operation: Operation,
        given: [Option<(&str, &str)>; 2],
        deadline: Instant,
    ) -> Option<HttpAnswer> {
        let route = self.account.route(operation)?;
        let params = Params::of_texts(given.into_iter().flatten());
        let answer = self.exchange(route, &params, deadline).result.ok()?;
        self.learn(&answer);
        Some(answer)
    }
}
