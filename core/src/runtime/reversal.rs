//! Undoes a consume: the reversal is on disk before it is sent, and is sent until the gateway has answered.

use std::time::Instant;

use super::Client;
use crate::gateway::{CodeRules, Envelope, GatewayStatus, Identity, Operation, Reversed};
use crate::journal::{Guard, JournalError, Receipt, Recorded};
use crate::json::{Object, Value};
use crate::log::Level;
use crate::money::BizId;
use crate::outcome::codes;
use crate::payment::restart::{self, Known};
use crate::payment::reversal::{self, By, Effect, Event, Requested, Rules, State, step};
use crate::payment::{Entry, Stage};
use crate::transport::TransportError;

/// The result of a till's request for a reversal.
pub enum ReversalRequest {
    /// The record after the request; a reversal that is to be sent is on disk.
    Existing(Entry),
    /// No reverse route is configured, or a reversal cannot undo the consume.
    Impossible(Option<Entry>),
    /// The journal does not have the bizId, and another till's sale can be undone only by the returned bizId.
    NeedsReturnedBizId,
    /// The configured params name these values of the sale, which the journal does not have.
    Lacks(Vec<&'static str>),
    /// The returned bizId belongs to this other sale, whose record would continue to say that the sale is valid.
    OfAnotherSale(Entry),
    /// The attempt was made with another journal or under another account: nothing proves that nothing was taken.
    OtherJournal(Option<Entry>),
}

impl Client {
    /// Puts a till's request for a reversal on disk. If the journal does not have the bizId, it is another till's sale;
    /// or, if `given` has the identity of this journal, an attempt that was never sent, which is voided. `told` is what
    /// the till says about the sale if the journal does not have it, or no longer.
    pub fn request_reversal(
        &self,
        biz_id: &BizId,
        given: &Object<'_>,
        told: &Identity,
        deadline: Instant,
    ) -> Result<ReversalRequest, JournalError> {
        let key = self.key(biz_id);
        let journal = &self.shared.journal;
        let returned = given.given("returnedBizId").and_then(Value::scalar);
        if let Some(returned) = returned
            && let Some(other) = journal.other_sale_of(&key, returned)?
        {
            return Ok(ReversalRequest::OfAnotherSale(other));
        }
        let mut standing = self.shared.standing(&key)?;
        loop {
            // The till knows what the answer carried, so the consume was sent, whichever journal has its record.
            let known = if returned.is_some() {
                Known::NotRecorded
            } else {
                let elsewhere = standing.is_none() && journal.stands_elsewhere(&key)?;
                restart::known(standing.clone(), self.attempt(biz_id, given)?, elsewhere)
            };
            let (created, owner) = (self.now().machine_unix_ms, journal.owner().clone());
            let record = match (&standing, returned) {
                _ if tells_nothing(&known) => return Ok(ReversalRequest::OtherJournal(standing)),
                (None, _) if matches!(known, Known::NeverSent) => {
                    Entry::never_sent(key.clone(), owner, created)
                }
                (None, _) if !self.can_reverse() => return Ok(ReversalRequest::Impossible(None)),
                (None, None) => return Ok(ReversalRequest::NeedsReturnedBizId),
                (None, Some(returned)) => Entry::foreign(key.clone(), told.clone(), returned, owner, created),
                (Some(entry), _) => match reversal::request(entry, returned, self.can_reverse(), By::Till) {
                    Requested::Record(record) => record.told(told),
                    Requested::InProgress | Requested::AlreadyReversed => {
                        return Ok(ReversalRequest::Existing(entry.clone()));
                    }
                    Requested::Impossible => return Ok(ReversalRequest::Impossible(standing)),
                },
            };
            let record = self.dated(record);
            let lacking = self.account.reverse.lacking(record.identity());
            if record.stage() == Stage::Reversing && record.lost_its_request() && !lacking.is_empty() {
                return Ok(ReversalRequest::Lacks(lacking));
            }
            match journal.record(&record, Guard::Off, deadline)? {
                Recorded::Done(_) => return Ok(ReversalRequest::Existing(record)),
                Recorded::Existing(entry) | Recorded::InDoubt(entry) | Recorded::Superseded(entry) => {
                    standing = Some(entry);
                }
            }
        }
    }

    /// Sends one reversal of an entry that is to be undone, and records the result. Returns the record after that.
    pub fn drive_reversal(
        &self,
        entry: &Entry,
        late_window_over: bool,
        deadline: Instant,
    ) -> Result<Entry, JournalError> {
        let rules = Rules {
            late_window_over,
            refuses_unknown: self.account.reverse.refuses_unknown,
            knows_already: !self.account.reverse.already.is_empty(),
        };
        let mut receipt = None;
        let mut state = State::New(entry.clone());
        let other_biz_ids = self.shared.journal.has_other_biz_ids(entry.key())?;
        let mut event = Event::Begin { other_biz_ids };
        loop {
            let (next, effect) = step(state, event, rules);
            state = next;
            event = match effect {
                Effect::Stands(entry) => return Ok(entry),
                Effect::Failed { code, message } => return Err(JournalError { code, message }),
                Effect::Record(record) => {
                    let record = self.dated(record);
                    match self.shared.journal.record(&record, Guard::Off, deadline) {
                        Ok(Recorded::Done(durable)) => {
                            receipt = Some(durable);
                            Event::Recorded(record)
                        }
                        Ok(
                            Recorded::Existing(entry)
                            | Recorded::InDoubt(entry)
                            | Recorded::Superseded(entry),
                        ) => Event::Existing(entry),
                        Err(error) => Event::JournalFailed { code: error.code, message: error.message },
                    }
                }
                Effect::Send { durable, biz_id } => match self.receipt_for(receipt.take(), &durable) {
                    Ok(Ok(receipt)) => self.send_reversal(receipt, &durable, &biz_id, deadline),
                    Ok(Err(Some(entry))) => Event::Existing(entry),
                    Ok(Err(None)) => Event::JournalFailed {
                        code: &codes::JOURNAL_DAMAGED,
                        message: "the record of the reversal is gone".to_owned(),
                    },
                    Err(error) => Event::JournalFailed { code: error.code, message: error.message },
                },
            };
        }
    }

    /// The receipt for a send: the one of the try's own record, or, if the try could not be recorded or is repeated, that
    /// of the record that the journal has.
    fn receipt_for(
        &self,
        own: Option<Receipt>,
        durable: &Entry,
    ) -> Result<Result<Receipt, Option<Entry>>, JournalError> {
        match own.filter(|receipt| receipt.is_of(durable)) {
            Some(receipt) => Ok(Ok(receipt)),
            None => self.shared.journal.receipt_of(durable),
        }
    }

    /// Records what the current configuration says about the code of an earlier refusal. Returns the record after that
    /// if it is a new one.
    pub fn explain(&self, entry: &Entry, deadline: Instant) -> Result<Option<Entry>, JournalError> {
        let rules = &self.account.reverse;
        let explained = reversal::explained(entry, &rules.already, rules.refuses_unknown);
        explained.map(|record| self.keep(record, deadline)).transpose()
    }

    pub(super) fn keep(&self, record: Entry, deadline: Instant) -> Result<Entry, JournalError> {
        let record = self.dated(record);
        Ok(match self.shared.journal.record(&record, Guard::Off, deadline)? {
            Recorded::Done(_) => record,
            Recorded::Existing(entry) | Recorded::InDoubt(entry) | Recorded::Superseded(entry) => entry,
        })
    }

    /// Sends one reversal.
    fn send_reversal(&self, receipt: Receipt, entry: &Entry, biz_id: &str, deadline: Instant) -> Event {
        let answered = |answer: Reversed| {
            self.shared.log.line(Level::Info, || format!("reverse {}: {answer:?}", entry.key().biz_id));
            Event::Answered { answer, refused_for_clock: false }
        };
        let again = |code: &str, message: String| {
            answered(Reversed::Again(GatewayStatus { code: code.to_owned(), message }))
        };
        let Some(route) = self.account.route(Operation::Reverse) else {
            return again(codes::NO_REVERSE_ROUTE.text, "no reverse route is configured".to_owned());
        };
        let rules = &self.account.reverse;
        let params = rules.params(&entry.key().biz_id, biz_id, entry.identity());
        let posted = self.post_money(receipt, entry, (route, &params), deadline, None);
        let answer = match posted.result {
            Ok(answer) => answer,
            Err(TransportError::NotSent(why)) => return again(why.code.text, why.message),
            Err(TransportError::Lost(doubt)) => return again(&doubt.code, doubt.message),
        };
        let envelope = match Envelope::read(answer.status, &answer.body) {
            Ok(envelope) => envelope.hiding([self.account.credentials.secret()]),
            Err(doubt) => {
                let doubt = doubt.hiding([self.account.credentials.secret()]);
                return again(&doubt.code, doubt.message);
            }
        };
        let refused_for_clock = self.learn(&answer) && envelope.code() == CodeRules::SIGNATURE;
        let own = [entry.key().biz_id.as_str(), biz_id];
        let of_another_sale = self.of_another_sale(entry.key());
        let strict = self.account.strict_answer;
        let answer = envelope.judge_reverse(rules, &self.account.codes, &own, strict, &of_another_sale);
        match answered(answer) {
            Event::Answered { answer, .. } => Event::Answered { answer, refused_for_clock },
            other => other,
        }
    }
}

/// Whether nothing may be done about an attempt of another journal. A recorded success may be given back: if it was
/// given back before, the gateway says so.
fn tells_nothing(known: &Known) -> bool {
    let stood = |entry: &Entry| matches!(entry.stage(), Stage::Succeeded | Stage::Kept);
    matches!(known, Known::OtherJournal(entry) if !entry.as_ref().is_some_and(stood))
}
