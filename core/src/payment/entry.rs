//! The durable record of one bizId. Its stage changes only by the functions of this folder, each of which gives
//! a new record with the next revision; the journal stores it only over the revision that it was made from, so
//! whoever loses a race reads again what stands.

use serde::{Deserialize, Serialize};

use super::times::Times;
use crate::gateway::{Accepted, Doubt, GatewayStatus, Identity, Origin, Refusal, Reversed};
use crate::json::{Object, Value, push_string};
use crate::money::BizId;
use crate::outcome::codes::{self, Code};

/// What one consume is known by: nothing of one account or endpoint is ever taken for another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The account.
    pub open_id: String,
    /// Where it was sent, so that nothing of a simulator is replayed in production.
    pub endpoint: String,
    /// The till's own id.
    pub biz_id: BizId,
}

/// Which process carried out the last attempt. Its lock tells whether it still lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner(pub String);

/// What happens to an outcome that is unknown; fixed when the intent is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// It is reversed.
    Reverse,
    /// It waits for evidence, the till or a person.
    Hold,
}

/// Where the life of a bizId is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The intent stands, the request is on its way or may be.
    Sending,
    /// The gateway did it.
    Succeeded,
    /// The gateway said no and took nothing.
    Declined,
    /// No byte left.
    NotSent,
    /// It may have happened, and nothing is being done about it.
    Unknown,
    /// It is to be undone, until the gateway has said that it is.
    Reversing,
    /// It is undone, or can no longer happen.
    Reversed,
    /// The gateway refuses to undo it.
    Refused,
    /// Nobody can know.
    Unproven,
    /// A person says that it stands.
    Kept,
    /// A person says that it does not stand.
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

    /// The word in the journal and in `zv_pending_json`.
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

    /// The stage of that word.
    pub fn from_word(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether somebody still has to find out, undo or decide.
    pub fn is_unsettled(self) -> bool {
        matches!(self, Stage::Sending | Stage::Unknown | Stage::Reversing | Stage::Refused | Stage::Unproven)
    }
}

/// What a gateway's answer to a reversal said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It is done.
    Done,
    /// It had been done before.
    Already,
    /// Nothing stands under that bizId.
    NotFound,
    /// No, with a code that the configuration does not explain.
    Refused,
    /// Nothing that could be believed.
    Nothing,
}

impl Said {
    /// What an answer said.
    pub fn of(answer: &Reversed) -> Said {
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
    /// How often it was sent; recorded before each send.
    pub tries: u32,
    /// The gateway's last words, or why there were none.
    pub last: Option<GatewayStatus>,
    /// The last try was refused in the gateway's own words.
    pub refused: bool,
    /// The sale stood as succeeded when the till asked: the money of a finished sale is given back.
    #[serde(default)]
    pub refund: bool,
    /// How many tries have been recorded to be sent and were not answered by a whole business refusal. What one of
    /// them did, nobody knows.
    #[serde(default)]
    pub unanswered: u32,
    /// What the last answer said.
    #[serde(default)]
    pub said: Option<Said>,
    /// A try was confirmed while the consume could still arrive.
    #[serde(default)]
    pub promised: bool,
    /// Nothing had been taken when a till asked: how it stood then. The bizId is closed.
    #[serde(default)]
    pub voided: Option<Stage>,
    /// A person said that it stands after the till had been told to take another tender: no sale is completed by it.
    #[serde(default)]
    pub sent_away: bool,
    /// By the configuration of the last answer a refusal could be told from "already reversed".
    #[serde(default)]
    pub told_apart: bool,
    /// What a finished sale had taken was given back before, elsewhere: no try of this record did it.
    #[serde(default)]
    pub elsewhere: bool,
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The stage before.
    pub from: Stage,
}

/// Whether the till must say that it has stored its own sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// It need not.
    #[default]
    NotAsked,
    /// It must, and has not yet.
    Awaited,
    /// It has.
    Given,
}

/// See the module's words.
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

/// What is stored of an entry beside its columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, stored by name")]
pub struct Detail {
    /// The last words about the consume: the gateway's, or why there are none.
    pub words: Option<GatewayStatus>,
    /// The library's code for a doubt.
    pub doubt: Option<String>,
    /// The gateway's data as JSON text, normalised.
    pub data: Option<String>,
    /// What did not fit.
    pub warnings: Vec<GatewayStatus>,
    /// The bizId that the answer carried.
    pub returned_biz_id: Option<String>,
    /// The gateway's whole answer came, so the request is no longer on its way.
    pub answered: bool,
    /// Another till's sale, known only by its bizId.
    pub foreign: bool,
    /// The till has read the answer.
    pub heard: bool,
    /// The till has stored its sale.
    #[serde(default)]
    pub confirmation: Confirmation,
    /// What was done to undo it.
    pub reversal: Reversal,
    /// What a person decided.
    pub settlement: Option<Settlement>,
    /// Its answer carried a bizId that may be another sale's, which must not be undone for it.
    #[serde(default, rename = "strange_answer")]
    pub mismatched_biz_id: bool,
    /// When it was sent, ended and given back.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub times: Times,
    /// The till, the operator and the store of the request.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub origin: Origin,
    /// Its details were dropped: what is left is that the bizId was used, how it ended, and what a reversal needs.
    #[serde(default)]
    pub retired: bool,
    /// There were earlier attempts, and no byte of any of them left.
    #[serde(default)]
    pub earlier_never_left: bool,
    /// How often an attempt ended without proof after it had been taken for dead; each time the window for a late
    /// arrival begins anew.
    #[serde(default)]
    pub reopened: u32,
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

    /// The record of another till's sale, which is to be undone. `told` is what the till says of it, `returned` the bizId
    /// that its answer carried.
    pub fn foreign(key: Key, told: Identity, returned: &str, owner: Owner, created_unix_ms: i64) -> Entry {
        let mut entry = Entry::intent(key, told, owner, OnUnknown::Reverse, created_unix_ms);
        entry.stage = Stage::Reversing;
        entry.attempt = 0;
        entry.detail.foreign = true;
        // Who knows what the answer carried has seen the answer.
        entry.detail.answered = true;
        entry.detail.returned_biz_id = Some(returned.to_owned());
        entry.detail.reversal.asked = true;
        entry
    }

    /// The void of an attempt that was never sent under this journal: the bizId is closed.
    pub fn never_sent(key: Key, owner: Owner, created_unix_ms: i64) -> Entry {
        let mut entry = Entry::intent(key, Identity::default(), owner, OnUnknown::Hold, created_unix_ms);
        entry.stage = Stage::Reversed;
        entry.attempt = 0;
        entry.detail.reversal.asked = true;
        entry.detail.reversal.voided = Some(Stage::NotSent);
        entry
    }

    /// The same intent, asked for by this till, operator and store.
    pub fn from(mut self, origin: Origin) -> Entry {
        self.detail.origin = origin;
        self
    }

    /// Whether what was asked is not known here, or no longer: another till's sale, or one whose details were dropped.
    pub fn lost_its_request(&self) -> bool {
        self.detail.foreign || self.detail.retired
    }

    /// The same with what the till says of a sale whose details were dropped.
    pub fn told(mut self, told: &Identity) -> Entry {
        if self.lost_its_request() {
            let own = &mut self.identity;
            own.customer_id = own.customer_id.take().or_else(|| told.customer_id.clone());
            own.amount = own.amount.or(told.amount);
            own.kind = own.kind.or(told.kind);
        }
        self
    }

    /// The same intent, whose success the till must confirm.
    pub fn awaiting_confirmation(mut self) -> Entry {
        self.detail.confirmation = Confirmation::Awaited;
        self
    }

    /// Whether it succeeded and the till has not read that, or has not confirmed it.
    pub fn is_unfinished(&self) -> bool {
        self.stage == Stage::Succeeded
            && (!self.detail.heard || self.detail.confirmation == Confirmation::Awaited)
    }

    /// The record of a success whose answer the till has read; `None` where that says nothing new.
    pub fn heard(&self) -> Option<Entry> {
        (self.stage == Stage::Succeeded && !self.detail.heard).then(|| {
            let mut next = self.moved(Stage::Succeeded);
            next.detail.heard = true;
            next
        })
    }

    /// The record of a success that the till has stored; `None` where that says nothing new.
    pub fn confirmed(&self) -> Option<Entry> {
        (self.stage == Stage::Succeeded && self.detail.confirmation != Confirmation::Given).then(|| {
            let mut next = self.moved(Stage::Succeeded);
            next.detail.heard = true;
            next.detail.confirmation = Confirmation::Given;
            next
        })
    }

    /// The record without what it no longer needs: what was said, and whose it was unless it succeeded: that may
    /// still be undone, which needs the member, the sum, the purses and the coupons. `None` where somebody may still
    /// have to settle or read it.
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
                heard: self.detail.heard,
                confirmation: self.detail.confirmation,
                // Whether reversals by the sent bizId can be trusted hangs on it.
                returned_biz_id: self.detail.returned_biz_id.clone(),
                // A refund that comes later stands on a day of its own.
                times: self.detail.times,
                earlier_never_left: self.detail.earlier_never_left,
                ..Detail::default()
            },
            ..self.moved(self.stage)
        })
    }

    /// Whether a request is sent once this is recorded. A reversal that is asked for meanwhile sends no other.
    pub fn is_intent(&self) -> bool {
        self.stage == Stage::Sending && !self.detail.reversal.asked
    }

    /// Whether no byte ever left under the bizId: only then is it free for another request.
    pub fn is_free(&self) -> bool {
        self.stage == Stage::NotSent && (self.attempt == 1 || self.detail.earlier_never_left)
    }

    /// Whether the money of a finished sale is being given back, was, or could not be.
    pub fn is_refund(&self) -> bool {
        self.detail.reversal.refund
    }

    /// Whether its attempt ended with a proof of the contrary after it had been settled.
    pub fn has_late_proof(&self) -> bool {
        let last = self.detail.reversal.last.as_ref();
        self.stage == Stage::Unproven && last.is_some_and(|words| words.code == codes::LATE_PROOF.text)
    }

    /// Whether it stands because its refund was refused, and not by a person's word.
    pub fn is_refused_refund(&self) -> bool {
        self.stage == Stage::Kept && self.is_refund() && self.detail.settlement.is_none()
    }

    /// Whether it keeps another sale of the same member or coupon from being sent: it is unsettled and may take the
    /// money of a sale that nobody has finished. A refund takes nothing, and what was confirmed as undone leaves the
    /// member free though a later answer explains nothing.
    pub fn holds_back(&self) -> bool {
        self.stage.is_unsettled() && !self.gives_back() && !self.promise_refused()
    }

    /// Whether its undoing gives money back to a customer whose sale was finished, here or by another till.
    pub fn gives_back(&self) -> bool {
        self.is_refund() || self.detail.foreign
    }

    /// Whether the refund was refused in words that the configuration of then could not tell from "already reversed": it
    /// may have been given back elsewhere, by another till or in the back office.
    pub fn may_be_given_back_elsewhere(&self) -> bool {
        self.stage == Stage::Kept && self.is_refund() && !self.detail.reversal.told_apart
    }

    /// The same, whose reversal was answered where the configuration names the codes that say "already reversed", or
    /// does not.
    pub fn answered_where(mut self, already_is_known: bool) -> Entry {
        self.detail.reversal.told_apart = already_is_known;
        self
    }

    /// Whether the till was told to take another tender for a sale that it was never told as a success, since its
    /// reversal was on disk: that stays so, whatever became of the reversal.
    pub fn sent_away(&self) -> bool {
        match self.stage {
            Stage::Unproven if self.has_late_proof() => self.detail.reversal.sent_away,
            Stage::Reversing | Stage::Refused | Stage::Unproven => !self.gives_back(),
            Stage::Kept => self.detail.reversal.sent_away,
            _ => false,
        }
    }

    /// Whether another till's sale was to be undone and the gateway knows no such consume.
    pub fn not_found_elsewhere(&self) -> bool {
        self.stage == Stage::Refused
            && self.detail.foreign
            && self.detail.reversal.said == Some(Said::NotFound)
    }

    /// Whether its undoing was confirmed once and then refused with a code that the configuration does not explain.
    pub fn promise_refused(&self) -> bool {
        let reversal = &self.detail.reversal;
        self.stage == Stage::Unproven && reversal.promised && reversal.said == Some(Said::Refused)
    }

    /// Whether its undoing was confirmed while the consume could still arrive.
    pub fn is_promised(&self) -> bool {
        let reversal = &self.detail.reversal;
        // Older records kept only the words.
        let in_words = || reversal.last.as_ref().is_some_and(|words| words.code == "0");
        reversal.promised || (reversal.said.is_none() && in_words())
    }

    /// Whether the gateway has said that it did it.
    pub(super) fn was_accepted(&self) -> bool {
        self.detail.answered && self.detail.words.as_ref().is_some_and(|words| words.code == "0")
    }

    /// A record as the journal has it.
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

    /// What it is known by.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What was asked.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where it is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Grows with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How often the consume was sent.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Who made the last attempt.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The policy that was in force.
    pub fn on_unknown(&self) -> OnUnknown {
        self.on_unknown
    }

    /// When the intent was recorded, by the till's clock; for people only.
    pub fn created_unix_ms(&self) -> i64 {
        self.created_unix_ms
    }

    /// All the rest.
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// Whether this consume is of the same member.
    pub fn touches_member(&self, other: &Identity) -> bool {
        self.identity.is_same_member(other)
    }

    /// Whether a coupon of this consume is one of the other's.
    pub fn touches_coupon(&self, other: &Identity) -> bool {
        self.identity.shares_coupon(other)
    }

    /// The same with the next revision and stage.
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
        // A till that asked for the reversal may have said which one its answer carried.
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

/// What a reversal and its words need of a success's data.
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
