//! Asking the gateway's own records about an outcome that is held. Only a balance deduction can be found there; a
//! coupon's status proves nothing of one consume.

use std::time::Instant;

use super::Client;
use crate::gateway::{Envelope, Operation, Params};
use crate::journal::JournalError;
use crate::json::push_string;
use crate::log::Level;
use crate::money::Amount;
use crate::transaction::settle::{self, Evidence};
use crate::transaction::{Entry, Stage};

impl Client {
    /// Whether the records can say anything about an entry.
    pub fn has_evidence_for(&self, entry: &Entry) -> bool {
        entry.stage() == Stage::Unknown
            && entry.identity().amount.is_some_and(|amount| !Amount::is_zero(amount))
            && self.account.route(Operation::BalanceByBizId).is_some()
    }

    /// Asks once, and records what is proven. Gives what stands then.
    pub fn drive_evidence(
        &self,
        entry: &Entry,
        late_window_over: bool,
        deadline: Instant,
    ) -> Result<Entry, JournalError> {
        let evidence = self.ask_records(entry, deadline);
        self.shared.log.line(Level::Info, || format!("records of {}: {evidence:?}", entry.key().biz_id));
        // Where the gateway keeps other bizIds than it is sent, absence under the sent one proves nothing.
        let complete =
            self.account.records.complete && !self.shared.journal.has_other_biz_ids(entry.key())?;
        match settle::weigh(entry, evidence, complete, late_window_over) {
            Some(record) => self.keep(record),
            None => Ok(entry.clone()),
        }
    }

    fn ask_records(&self, entry: &Entry, deadline: Instant) -> Evidence {
        let Some(route) = self.account.route(Operation::BalanceByBizId) else { return Evidence::Nothing };
        let biz_id = entry.key().biz_id.as_str();
        let mut params = String::from("{\"bizId\":");
        push_string(&mut params, biz_id);
        if let Some(customer_id) = &entry.identity().customer_id {
            params.push_str(",\"customerId\":");
            push_string(&mut params, customer_id);
        }
        params.push('}');
        let Ok(answer) = self.exchange(route, &Params::from_json(params), deadline).result else {
            return Evidence::Nothing;
        };
        let Ok(envelope) = Envelope::read(answer.status, &answer.body) else { return Evidence::Nothing };
        if let Some(date) = answer.date {
            self.clock.learn(date);
        }
        match (envelope.balance_record(), entry.identity().amount) {
            (Some((found, amount)), Some(asked)) if found == biz_id && amount == asked => Evidence::Taken,
            (None, _) if self.account.records.not_found.iter().any(|code| code == envelope.code()) => {
                Evidence::Absent
            }
            _ => Evidence::Nothing,
        }
    }
}
