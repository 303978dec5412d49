//! What the gateway's own records say of an outcome that is held, as `client::evidence` asks for it.

use zvpos_core::gateway::{Envelope, Operation, Params};
use zvpos_core::json::Value;
use zvpos_core::money::Amount;
use zvpos_core::transaction::settle::Evidence;
use zvpos_core::transaction::{Entry, Stage};

use crate::mutant::Mutant;
use crate::network::{Purpose, Received};
use crate::reverse::{Drive, Next, Tried};
use crate::world::World;

impl World {
    /// As `Client::has_evidence_for`.
    pub fn has_evidence_for(&self, entry: &Entry) -> bool {
        entry.stage() == Stage::Unknown
            && entry.identity().amount.is_some_and(|amount| !Amount::is_zero(amount))
            && self.plan.account.route(Operation::BalanceByBizId).is_some()
    }

    /// As `Client::drive_evidence`: the question.
    pub(crate) fn ask_records(&mut self, process: usize, drive: &mut Drive) -> Tried {
        let own = drive.entry.key().biz_id.to_string();
        let customer = drive.entry.identity().customer_id.as_deref().unwrap_or_default();
        let text = format!("{{\"bizId\":\"{own}\",\"customerId\":\"{customer}\"}}");
        let params = Value::parse(&text).ok().and_then(|value| value.as_object().map(Params::of));
        let route = self.plan.account.route(Operation::BalanceByBizId).cloned();
        let (Some(params), Some(route)) = (params, route) else { return Tried::Stands(drive.entry.clone()) };
        let request = self.signed(process, &route, &params, Purpose::Records, &own);
        let (id, ends_at) = self.dispatch(process, request, drive.deadline);
        drive.next = Next::AwaitRecords(id);
        Tried::At(ends_at)
    }

    /// As `Client::drive_evidence`: the answer. Absence under the sent bizId says nothing where the account is known
    /// to book under others; without that check it is the mutant `i3-absence-by-sent-id`.
    pub(crate) fn receive_records(&mut self, process: usize, drive: &Drive, id: u64) -> Evidence {
        let Received::Answer { status, body } = self.wire.collect(id) else { return Evidence::Nothing };
        let Ok(envelope) = Envelope::read(status, &body) else { return Evidence::Nothing };
        let now = self.now;
        if let Some(process) = self.processes.get_mut(process) {
            process.learn(now);
        }
        let own = drive.entry.key().biz_id.as_str();
        let records = &self.plan.account.records;
        let known = self.journal.has_other_biz_ids() && self.mutant != Some(Mutant::AbsenceBySentId);
        let evidence = match (envelope.balance_record(records.sign), drive.entry.identity().amount) {
            (Some((found, Some(amount))), Some(asked)) if found == own && amount == asked => Evidence::Taken,
            (Some((found, _)), _) if found == own => Evidence::Unfit,
            (None, _)
                if records.complete
                    && envelope.names_only(&[own])
                    && !known
                    && records.not_found.iter().any(|code| code == envelope.code()) =>
            {
                Evidence::Absent
            }
            _ => Evidence::Nothing,
        };
        self.say(&format!("P{process}"), || {
            format!("{own}: records say {evidence:?}, late window over: {}", drive.over)
        });
        evidence
    }
}
