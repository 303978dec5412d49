//! The durable record of one bizId. Its stage changes only by the functions of this folder, each of which gives
//! a new record with the next revision; the journal stores it only over the revision that it was made from, so
//! whoever loses a race reads again what stands.

use serde::{Deserialize, Serialize};

use super::times::Times;
use crate::gateway::{Accepted, Doubt, Identity, Origin, Refusal, Words};
use crate::money::BizId;
use crate::outcome::codes::Code;

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

/// What was done to undo a consume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// A till asked for it while the consume was still running.
    pub asked: bool,
    /// How often it was sent; recorded before each send.
    pub tries: u32,
    /// The gateway's last words, or why there were none.
    pub last: Option<Words>,
    /// The last try was refused in the gateway's own words.
    pub refused: bool,
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
    pub words: Option<Words>,
    /// The library's code for a doubt.
    pub doubt: Option<String>,
    /// The gateway's data as JSON text, normalised.
    pub data: Option<String>,
    /// What did not fit.
    pub warnings: Vec<Words>,
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
    #[serde(default)]
    pub strange_answer: bool,
    /// When it was sent, ended and given back.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub times: Times,
    /// The till, the operator and the store of the request.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub origin: Origin,
    /// Its details were dropped: what is left is that the bizId was used, and how it ended.
    #[serde(default)]
    pub retired: bool,
    /// There were earlier attempts, and no byte of any of them left.
    #[serde(default)]
    pub earlier_never_left: bool,
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

    /// The record of another till's sale, which is to be undone. `returned` is the bizId that its answer carried.
    pub fn foreign(key: Key, returned: &str, owner: Owner, created_unix_ms: i64) -> Entry {
        let mut entry = Entry::intent(key, Identity::default(), owner, OnUnknown::Reverse, created_unix_ms);
        entry.stage = Stage::Reversing;
        entry.attempt = 0;
        entry.detail.foreign = true;
        // Who knows what the answer carried has seen the answer.
        entry.detail.answered = true;
        entry.detail.returned_biz_id = Some(returned.to_owned());
        entry.detail.reversal.asked = true;
        entry
    }

    /// The same intent, asked for by this till, operator and store.
    pub fn from(mut self, origin: Origin) -> Entry {
        self.detail.origin = origin;
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

    /// The record without what it no longer needs: whose it was and what was said. `None` where somebody may
    /// still have to settle or read it.
    pub fn retired(&self) -> Option<Entry> {
        (!self.stage.is_unsettled() && !self.is_unfinished() && !self.detail.retired).then(|| Entry {
            identity: Identity::default(),
            owner: Owner(String::new()),
            detail: Detail {
                retired: true,
                words: self
                    .detail
                    .words
                    .as_ref()
                    .map(|words| Words { message: String::new(), ..words.clone() }),
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

    /// Whether no byte ever left under the bizId: only then is it free for another request.
    pub fn is_free(&self) -> bool {
        self.stage == Stage::NotSent && (self.attempt == 1 || self.detail.earlier_never_left)
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
        self.detail.words = Some(Words { code: "0".to_owned(), message: accepted.message().to_owned() });
        self.detail.doubt = None;
        self.detail.data = Some(accepted.data().to_owned());
        self.detail.warnings = accepted
            .warnings()
            .iter()
            .map(|w| Words { code: w.code.to_owned(), message: w.message.clone() })
            .collect();
        self.detail.returned_biz_id = accepted.returned_biz_id().map(str::to_owned);
        self.detail.answered = true;
        self
    }

    pub(super) fn with_refusal(mut self, refusal: &Refusal) -> Entry {
        self.detail.words = Some(Words { code: refusal.code.clone(), message: refusal.message.clone() });
        self.detail.doubt = None;
        self.detail.warnings = refusal
            .warnings
            .iter()
            .map(|w| Words { code: w.code.to_owned(), message: w.message.clone() })
            .collect();
        self.detail.answered = true;
        self
    }

    pub(super) fn with_doubt(mut self, doubt: &Doubt) -> Entry {
        self.detail.words = Some(Words { code: doubt.code.clone(), message: doubt.message.clone() });
        self.detail.doubt = Some(doubt.kind.text.to_owned());
        self.detail.answered = doubt.answered;
        self.detail.returned_biz_id =
            doubt.returned_biz_id.clone().filter(|id| id == self.key.biz_id.as_str());
        self.detail.strange_answer = doubt.returned_biz_id.is_some() && self.detail.returned_biz_id.is_none();
        self.detail.warnings = doubt
            .warnings
            .iter()
            .map(|w| Words { code: w.code.to_owned(), message: w.message.clone() })
            .collect();
        self
    }

    pub(super) fn with_words(mut self, code: &Code, message: &str) -> Entry {
        self.detail.words = Some(Words { code: code.text.to_owned(), message: message.to_owned() });
        self
    }
}
