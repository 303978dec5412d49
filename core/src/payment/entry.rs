//! The durable record of one bizId. Its stage changes only through the functions of this folder, each of which returns
//! a new record with the next revision; the journal stores a record only over the revision that it was made from, so
//! the loser of a race reads the current record again.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::times::Times;
use crate::gateway::{Accepted, Doubt, GatewayStatus, Identity, Origin, Refusal, Reversed};
use crate::json::{Object, Value, push_string};
use crate::money::BizId;
use crate::outcome::codes::{self, Code};

/// What identifies a consume: no record of one account is ever used for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The account.
    pub open_id: String,
    /// The gateway that the account belongs to, so that no record of a simulator is used in production.
    pub environment: String,
    /// The till's own id.
    pub biz_id: BizId,
}

/// The bizId alone: a process has few accounts, and they seldom share one.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.biz_id.hash(state);
    }
}

impl Key {
    /// Whether the other key is of the same account: of the same openId at the same gateway.
    pub fn is_of_same_account(&self, other: &Key) -> bool {
        self.open_id == other.open_id && self.environment == other.environment
    }
}

/// The process that carried out the last attempt. Its lock shows whether it is still alive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner(pub String);

/// What happens to an unknown outcome; fixed when the intent is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// The consume is reversed.
    Reverse,
    /// The outcome waits for evidence, the till or a person.
    Hold,
}

/// The stage of a bizId.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The intent is recorded; the request is or may be on its way.
    Sending,
    /// The gateway carried out the consume.
    Succeeded,
    /// The gateway refused the consume and took nothing.
    Declined,
    /// No byte was sent.
    NotSent,
    /// The consume may have happened, and nothing is being done about it.
    Unknown,
    /// The consume is to be undone, until the gateway has confirmed that it is.
    Reversing,
    /// The consume is undone, or can no longer happen.
    Reversed,
    /// The gateway refuses to undo the consume.
    Refused,
    /// The outcome cannot be determined.
    Unproven,
    /// A person has decided that the sale is valid.
    Kept,
    /// A person has decided that the sale is not valid.
    Undone,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Stage; 11] = [
        Stage::Sending,
        Stage::Succeeded,
        Stage::Declined,
        Stage::NotSent,
        Stage::Unknown,
        Stage::Reversing,
        Stage::Reversed,
        Stage::Refused,
        Stage::Unproven,
        Stage::Kept,
        Stage::Undone,
    ];

    /// The stage's word in the journal and in `zv_pending_json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Sending => "sending",
            Stage::Succeeded => "succeeded",
            Stage::Declined => "declined",
            Stage::NotSent => "not_sent",
            Stage::Unknown => "unknown",
            Stage::Reversing => "reversing",
            Stage::Reversed => "reversed",
            Stage::Refused => "refused",
            Stage::Unproven => "unproven",
            Stage::Kept => "kept",
            Stage::Undone => "undone",
        }
    }

    /// The stage with that word.
    pub fn from_word(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether the outcome still has to be found out, undone or decided.
    pub fn is_unsettled(self) -> bool {
        matches!(self, Stage::Sending | Stage::Unknown | Stage::Reversing | Stage::Refused | Stage::Unproven)
    }
}

/// What a gateway's answer to a reversal said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The reversal is carried out.
    Done,
    /// The consume had been reversed before.
    Already,
    /// The gateway has no consume under that bizId.
    NotFound,
    /// The reversal is refused, with a code that the configuration does not explain.
    Refused,
    /// The answer says nothing reliable.
    Nothing,
}

impl Said {
    /// What an answer said.
    pub(crate) fn of(answer: &Reversed) -> Said {
        match answer {
            Reversed::Done(_) => Said::Done,
            Reversed::Already(_) => Said::Already,
            Reversed::NotFound(_) => Said::NotFound,
            Reversed::Refused(_) => Said::Refused,
            Reversed::Again(_) => Said::Nothing,
        }
    }
}

/// What was done to undo a consume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, stored by name")]
pub struct Reversal {
    /// A till asked for it.
    pub asked: bool,
    /// How often the reversal was sent; recorded before each send.
    pub tries: u32,
    /// The gateway's last status, or why there was none.
    pub last: Option<GatewayStatus>,
    /// The last try was refused with the gateway's own status.
    pub refused: bool,
    /// The sale was recorded as succeeded when the till asked: the money of a finished sale is given back.
    #[serde(default)]
    pub refund: bool,
    /// How many tries were recorded as about to be sent and were not answered by a complete business refusal. What such
    /// a try did is unknown.
    #[serde(default)]
    pub unanswered: u32,
    /// What the last answer said.
    #[serde(default)]
    pub said: Option<Said>,
    /// A try was confirmed while the consume could still arrive.
    #[serde(default)]
    pub promised: bool,
    /// Nothing had been taken when a till asked: the stage at that time. The bizId is closed.
    #[serde(default)]
    pub voided: Option<Stage>,
    /// A person decided that the sale is valid after the till had been told to take another tender: this does not
    /// complete a sale.
    #[serde(default)]
    pub sent_away: bool,
    /// The configuration at the last answer could tell a refusal from "already reversed".
    #[serde(default)]
    pub told_apart: bool,
    /// The money of a finished sale was given back earlier, elsewhere: no try of this record did it.
    #[serde(default)]
    pub elsewhere: bool,
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Who decided.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// The stage before the decision.
    pub from: Stage,
}

/// Whether the till must confirm that it has stored its own sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// The till need not confirm.
    #[default]
    NotAsked,
    /// The till must confirm and has not yet.
    Awaited,
    /// The till has confirmed.
    Given,
}

/// The durable record of one bizId: its identity, stage, revision and details.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub(super) key: Key,
    pub(super) identity: Identity,
    pub(super) stage: Stage,
    pub(super) revision: u64,
    pub(super) attempt: u32,
    pub(super) owner: Owner,
    pub(super) on_unknown: OnUnknown,
    pub(super) created_unix_ms: i64,
    pub(super) detail: Detail,
}

/// The part of an entry that is stored besides its columns, in JSON without what has its default; `data` and `origin` have
/// columns of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, stored by name")]
pub struct Detail {
    /// The last status of the consume: the gateway's, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<GatewayStatus>,
    /// The library's code for a doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The gateway's data as JSON text, normalised.
    #[serde(default, skip_serializing)]
    pub data: Option<String>,
    /// The warnings about the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<GatewayStatus>,
    /// The bizId that the answer carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_biz_id: Option<String>,
    /// The gateway's complete answer was received, so the request is no longer on its way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub answered: bool,
    /// Another till's sale, known only by its bizId.
    #[serde(default, skip_serializing_if = "is_default")]
    pub foreign: bool,
    /// The till has acknowledged the answer: it has read it.
    #[serde(default, rename = "heard", skip_serializing_if = "is_default")]
    pub acknowledged: bool,
    /// The till has stored its sale.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirmation: Confirmation,
    /// What was done to undo the consume.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reversal: Reversal,
    /// A person's decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
    /// The answer carried a bizId that may belong to another sale, which must not be undone in its place.
    #[serde(default, rename = "strange_answer", skip_serializing_if = "is_default")]
    pub mismatched_biz_id: bool,
    /// When the consume was sent, ended and given back.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub times: Times,
    /// The till, the operator and the store of the request.
    #[serde(default, skip_serializing)]
    pub origin: Origin,
    /// The details were dropped: only the use of the bizId, its outcome and what a reversal needs are left.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retired: bool,
    /// There were earlier attempts, and no byte of any of them was sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub earlier_never_left: bool,
    /// How often an attempt ended without proof after it had been presumed dead; each time the window for a late
    /// arrival begins again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reopened: u32,
}

/// What need not be stored, because it is read back from its absence.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Entry {
    /// The record of a request that is about to be sent for the first time.
    pub fn intent(
        key: Key,
        identity: Identity,
        owner: Owner,
        on_unknown: OnUnknown,
        created_unix_ms: i64,
    ) -> Entry {
        Entry {
            key,
            identity,
            stage: Stage::Sending,
            revision: 1,
            attempt: 1,
            owner,
            on_unknown,
            created_unix_ms,
            detail: Detail::default(),
        }
    }

    /// The record of another till's sale that is to be undone. `told` is what the till says about the sale, `returned`
    /// the bizId that its answer carried.
    pub(crate) fn foreign(
        key: Key,
        told: Identity,
        returned: &str,
        owner: Owner,
        created_unix_ms: i64,
    ) -> Entry {
        let mut entry = Entry::intent(key, told, owner, OnUnknown::Reverse, created_unix_ms);
        entry.stage = Stage::Reversing;
        entry.attempt = 0;
        entry.detail.foreign = true;
        // A till that knows what the answer carried has seen the answer.
        entry.detail.answered = true;
        entry.detail.returned_biz_id = Some(returned.to_owned());
        entry.detail.reversal.asked = true;
        entry
    }

    /// The void of an attempt that was never sent under this journal: the bizId is closed.
    pub(crate) fn never_sent(key: Key, owner: Owner, created_unix_ms: i64) -> Entry {
        let mut entry = Entry::intent(key, Identity::default(), owner, OnUnknown::Hold, created_unix_ms);
        entry.stage = Stage::Reversed;
        entry.attempt = 0;
        entry.detail.reversal.asked = true;
        entry.detail.reversal.voided = Some(Stage::NotSent);
        entry
    }

    /// The same intent, requested by this till, operator and store.
    pub(crate) fn from(mut self, origin: Origin) -> Entry {
        self.detail.origin = origin;
        self
    }

    /// Whether the request is unknown here: another till's sale, or an entry whose details were dropped.
    pub(crate) fn lost_its_request(&self) -> bool {
        self.detail.foreign || self.detail.retired
    }

    /// The same entry with what the till says about a sale whose details were dropped.
    pub(crate) fn told(mut self, told: &Identity) -> Entry {
        if self.lost_its_request() {
            let own = &mut self.identity;
            own.customer_id = own.customer_id.take().or_else(|| told.customer_id.clone());
            own.amount = own.amount.or(told.amount);
            own.kind = own.kind.or(told.kind);
        }
        self
    }

    /// The same intent, with a success that the till must confirm.
    pub(crate) fn awaiting_confirmation(mut self) -> Entry {
        self.detail.confirmation = Confirmation::Awaited;
        self
    }

    /// Whether the consume succeeded and the till has not read that, or has not confirmed it.
    pub fn is_unfinished(&self) -> bool {
        self.stage == Stage::Succeeded
            && (!self.detail.acknowledged || self.detail.confirmation == Confirmation::Awaited)
    }

    /// The record of a success whose answer the till has read; `None` if that changes nothing.
    pub fn acknowledged(&self) -> Option<Entry> {
        self.can_be_acknowledged().then(|| {
            let mut next = self.clone();
            next.acknowledge();
            next
        })
    }

    /// Makes it the record of a success whose answer the till has read, if that changes anything.
    pub fn acknowledge(&mut self) {
        if self.can_be_acknowledged() {
            self.revision += 1;
            self.detail.acknowledged = true;
        }
    }

    fn can_be_acknowledged(&self) -> bool {
        self.stage == Stage::Succeeded && !self.detail.acknowledged
    }

    /// The record of a success that the till has stored; `None` if that changes nothing.
    pub(crate) fn confirmed(&self) -> Option<Entry> {
        (self.stage == Stage::Succeeded && self.detail.confirmation != Confirmation::Given).then(|| {
            let mut next = self.moved(Stage::Succeeded);
            next.detail.acknowledged = true;
            next.detail.confirmation = Confirmation::Given;
            next
        })
    }

    /// The record without the details that it no longer needs: the statuses, and the member unless the consume
    /// succeeded: a success may still be undone, which needs the member, the sum, the purses and the coupons. `None` if
    /// the entry may still have to be settled or read.
    pub fn retired(&self) -> Option<Entry> {
        let stands = matches!(self.stage, Stage::Succeeded | Stage::Kept) || self.is_refund();
        (!self.stage.is_unsettled() && !self.is_unfinished() && !self.detail.retired).then(|| Entry {
            identity: if stands { self.identity.clone() } else { Identity::default() },
            owner: Owner(String::new()),
            detail: Detail {
                data: self.detail.data.as_deref().filter(|_| stands).map(purses),
                answered: self.detail.answered,
                reversal: Reversal { last: None, ..self.detail.reversal.clone() },
                retired: true,
                words: self
                    .detail
                    .words
                    .as_ref()
                    .map(|words| GatewayStatus { message: String::new(), ..words.clone() }),
                acknowledged: self.detail.acknowledged,
                confirmation: self.detail.confirmation,
                // Whether reversals by the sent bizId can be trusted depends on it.
                returned_biz_id: self.detail.returned_biz_id.clone(),
                // A later refund is filed under its own day.
                times: self.detail.times,
                earlier_never_left: self.detail.earlier_never_left,
                ..Detail::default()
            },
            ..self.moved(self.stage)
        })
    }

    /// Whether a request is sent once this is recorded. A reversal that is requested meanwhile sends no other request.
    pub fn is_intent(&self) -> bool {
        self.stage == Stage::Sending && !self.detail.reversal.asked
    }

    /// Whether this is the running attempt that the other record is of, too.
    pub(super) fn is_same_attempt(&self, other: &Entry) -> bool {
        self.stage == Stage::Sending
            && other.stage == Stage::Sending
            && self.attempt == other.attempt
            && self.owner == other.owner
    }

    /// Whether no byte was ever sent under the bizId: only then is the bizId free for another request.
    pub(crate) fn is_free(&self) -> bool {
        self.stage == Stage::NotSent && (self.attempt == 1 || self.detail.earlier_never_left)
    }

    /// Whether the money of a finished sale is being given back, was given back, or could not be given back.
    pub(crate) fn is_refund(&self) -> bool {
        self.detail.reversal.refund
    }

    /// Whether the attempt ended with a proof of the contrary after the entry had been settled.
    pub(crate) fn has_late_proof(&self) -> bool {
        let last = self.detail.reversal.last.as_ref();
        self.stage == Stage::Unproven && last.is_some_and(|words| words.code == codes::LATE_PROOF.text)
    }

    /// Whether the sale is valid because its refund was refused, and not by a person's decision.
    pub fn is_refused_refund(&self) -> bool {
        self.stage == Stage::Kept && self.is_refund() && self.detail.settlement.is_none()
    }

    /// Whether the entry keeps another sale of the same member or coupon from being sent: the entry is unsettled and
    /// may take the money of a sale that was never finished. A refund takes nothing, and a confirmed reversal leaves
    /// the member free even if a later answer explains nothing.
    pub fn holds_back(&self) -> bool {
        self.stage.is_unsettled() && !self.gives_back() && !self.promise_refused()
    }

    /// Whether undoing the consume gives money back to a customer whose sale was finished, here or at another till.
    pub(crate) fn gives_back(&self) -> bool {
        self.is_refund() || self.detail.foreign
    }

    /// Whether the refund was refused with a status that the configuration at that time could not tell from "already
    /// reversed": the money may have been given back elsewhere, by another till or in the back office.
    pub(crate) fn may_be_given_back_elsewhere(&self) -> bool {
        self.stage == Stage::Kept && self.is_refund() && !self.detail.reversal.told_apart
    }

    /// The same entry after an answer to its reversal; `already_is_known` says whether the configuration names the
    /// codes that mean "already reversed".
    pub(crate) fn answered_where(mut self, already_is_known: bool) -> Entry {
        self.detail.reversal.told_apart = already_is_known;
        self
    }

    /// Whether the till was told to take another tender for a sale that was never reported to it as a success, because
    /// the reversal was on disk: that remains so, whatever became of the reversal.
    pub(crate) fn sent_away(&self) -> bool {
        match self.stage {
            Stage::Unproven if self.has_late_proof() => self.detail.reversal.sent_away,
            // A refund of a sale that a person has kept changes nothing about it.
            Stage::Reversing | Stage::Refused | Stage::Unproven => {
                !self.gives_back() || self.detail.reversal.sent_away
            }
            Stage::Kept => self.detail.reversal.sent_away,
            _ => false,
        }
    }

    /// Whether another till's sale was to be undone and the gateway knows no such consume.
    pub(crate) fn not_found_elsewhere(&self) -> bool {
        self.stage == Stage::Refused
            && self.detail.foreign
            && self.detail.reversal.said == Some(Said::NotFound)
    }

    /// Whether the reversal was confirmed once and then refused with a code that the configuration does not explain.
    pub fn promise_refused(&self) -> bool {
        let reversal = &self.detail.reversal;
        self.stage == Stage::Unproven && reversal.promised && reversal.said == Some(Said::Refused)
    }

    /// Whether the reversal was confirmed while the consume could still arrive.
    pub(crate) fn is_promised(&self) -> bool {
        let reversal = &self.detail.reversal;
        // Older records stored only the status.
        let in_words = || reversal.last.as_ref().is_some_and(|words| words.code == "0");
        reversal.promised || (reversal.said.is_none() && in_words())
    }

    /// Whether the gateway has confirmed the consume.
    pub(super) fn was_accepted(&self) -> bool {
        self.detail.answered && self.detail.words.as_ref().is_some_and(|words| words.code == "0")
    }

    /// A record as it is stored in the journal.
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    pub fn restore(
        key: Key,
        identity: Identity,
        stage: Stage,
        revision: u64,
        attempt: u32,
        owner: Owner,
        on_unknown: OnUnknown,
        created_unix_ms: i64,
        detail: Detail,
    ) -> Entry {
        Entry { key, identity, stage, revision, attempt, owner, on_unknown, created_unix_ms, detail }
    }

    /// What identifies the consume.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The content of the request.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The stage.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The revision, which grows with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How often the consume was sent.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The process that made the last attempt.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The policy for an unknown outcome that was in force at the intent.
    pub fn on_unknown(&self) -> OnUnknown {
        self.on_unknown
    }

    /// When the intent was recorded, by the till's clock; for display only.
    pub fn created_unix_ms(&self) -> i64 {
        self.created_unix_ms
    }

    /// The rest of the record.
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// The entry as it comes back from the journal: phone numbers in the gateway's words have lost their middle.
    pub fn as_stored(&self) -> Entry {
        let mut stored = self.clone();
        let detail = &mut stored.detail;
        let words = detail.words.iter_mut().chain(&mut detail.warnings).chain(&mut detail.reversal.last);
        words.for_each(GatewayStatus::mask_phones);
        stored
    }

    /// Whether the answer carried another bizId than the one that was sent.
    pub fn has_other_biz_id(&self) -> bool {
        self.detail.returned_biz_id.as_deref().is_some_and(|returned| returned != self.key.biz_id.as_str())
    }

    /// Whether the consume is of the same member.
    pub(crate) fn touches_member(&self, other: &Identity) -> bool {
        self.identity.is_same_member(other)
    }

    /// Whether a coupon of this consume is one of the other's.
    pub(crate) fn touches_coupon(&self, other: &Identity) -> bool {
        self.identity.shares_coupon(other)
    }

    /// The same entry with the next revision and that stage.
    pub(super) fn moved(&self, stage: Stage) -> Entry {
        Entry { stage, revision: self.revision + 1, ..self.clone() }
    }

    pub(super) fn with_accepted(mut self, accepted: &Accepted) -> Entry {
        self.detail.words =
            Some(GatewayStatus { code: "0".to_owned(), message: accepted.message().to_owned() });
        self.detail.doubt = None;
        self.detail.data = Some(accepted.data().to_owned());
        self.detail.warnings = accepted
            .warnings()
            .iter()
            .map(|w| GatewayStatus { code: w.code.to_owned(), message: w.message.clone() })
            .collect();
        self.detail.returned_biz_id = accepted.returned_biz_id().map(str::to_owned);
        self.detail.answered = true;
        self
    }

    pub(super) fn with_refusal(mut self, refusal: &Refusal) -> Entry {
        self.detail.words =
            Some(GatewayStatus { code: refusal.code.clone(), message: refusal.message.clone() });
        self.detail.doubt = None;
        self.detail.warnings = refusal
            .warnings
            .iter()
            .map(|w| GatewayStatus { code: w.code.to_owned(), message: w.message.clone() })
            .collect();
        self.detail.answered = true;
        self
    }

    pub(super) fn with_doubt(mut self, doubt: &Doubt) -> Entry {
        self.detail.words = Some(GatewayStatus { code: doubt.code.clone(), message: doubt.message.clone() });
        self.detail.doubt = Some(doubt.kind.text.to_owned());
        self.detail.answered = doubt.answered;
        let own = doubt.returned_biz_id.clone().filter(|id| id == self.key.biz_id.as_str());
        self.detail.mismatched_biz_id = doubt.returned_biz_id.is_some() && own.is_none();
        // A till that asked for the reversal may have stated the bizId that its answer carried.
        self.detail.returned_biz_id = own.or(self.detail.returned_biz_id);
        self.detail.warnings = doubt
            .warnings
            .iter()
            .map(|w| GatewayStatus { code: w.code.to_owned(), message: w.message.clone() })
            .collect();
        self
    }

    pub(super) fn with_words(mut self, code: &Code, message: &str) -> Entry {
        self.detail.words = Some(GatewayStatus { code: code.text.to_owned(), message: message.to_owned() });
        self
    }
}

/// The part of a success's data that a reversal and its messages need.
fn purses(data: &str) -> String {
    const KEPT: [&str; 4] = ["bizId", "couponsCardList", "change_gift_amount", "change_recharge_amount"];
    let value = Value::parse(data).ok();
    let mut out = String::from("{");
    for (name, value) in value.as_ref().and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        if KEPT.contains(&name) {
            if out.len() > 1 {
                out.push(',');
            }
            push_string(&mut out, name);
            out.push(':');
            out.push_str(value.raw());
        }
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests;
