//! Undoing a consume: the result of a till's request for a reversal, and one try, step by step.

use super::resign::Resign;
use super::{Entry, Reversal, Said, Stage};
use crate::gateway::{GatewayStatus, Reversed};
use crate::outcome::{codes, codes::Code};

/// The result of a till's request for a reversal.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub enum Requested {
    /// Record this over the revision before it; then the reversal is sent, or waits for the running consume.
    Record(Entry),
    /// The consume is being undone already: drive the reversal.
    InProgress,
    /// The consume is no longer in effect.
    AlreadyReversed,
    /// There is no way to undo the consume.
    Impossible,
}

/// Who requests a reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The till: the reversal of a success is a refund.
    Till,
    /// The library, for a success that the till has never confirmed.
    Library,
}

/// Requests the reversal of an entry. `returned` is the bizId that the answer carried, as the till has stored it;
/// `has_route` says whether a reverse route is configured.
pub fn request(entry: &Entry, returned: Option<&str>, has_route: bool, by: By) -> Requested {
    let asked = |stage: Stage| {
        let mut next = entry.moved(stage);
        next.detail.reversal.asked = true;
        next.detail.reversal.refused = false;
        if matches!(entry.stage, Stage::Succeeded | Stage::Kept) {
            next.detail.reversal.refund = by == By::Till;
        }
        // A bizId that the gateway does not know was stored incorrectly.
        if next.detail.returned_biz_id.is_none() || (entry.not_found_elsewhere() && returned.is_some()) {
            next.detail.returned_biz_id = returned.map(str::to_owned);
        }
        Requested::Record(next)
    };
    match entry.stage {
        Stage::Sending | Stage::Succeeded | Stage::Unknown | Stage::Refused | Stage::Kept if !has_route => {
            Requested::Impossible
        }
        Stage::Sending if entry.detail.reversal.asked => Requested::InProgress,
        // Recorded at once; sent when the running call has its answer or reaches its deadline.
        Stage::Sending => asked(Stage::Sending),
        // Nothing was taken; from now on the bizId cannot be tried again.
        Stage::Declined | Stage::NotSent => Requested::Record(voided(entry, entry.stage)),
        Stage::Reversing => Requested::InProgress,
        Stage::Reversed | Stage::Undone => Requested::AlreadyReversed,
        Stage::Unproven => Requested::Impossible,
        Stage::Succeeded | Stage::Unknown | Stage::Refused | Stage::Kept => asked(Stage::Reversing),
    }
}

/// The record of a void: nothing was taken, and the bizId is closed.
pub(super) fn voided(entry: &Entry, was: Stage) -> Entry {
    let mut next = entry.moved(Stage::Reversed);
    next.detail.reversal.asked = true;
    next.detail.reversal.voided = Some(was);
    next
}

/// What is done about an entry that is to be undone.
#[derive(Debug)]
pub(crate) enum Try {
    /// Record this over the revision before it; then send a reversal by this bizId.
    Send {
        /// The record with one more try.
        record: Entry,
        /// The bizId of the reversal.
        biz_id: String,
    },
    /// Record this over the revision before it: the outcome cannot be determined.
    GiveUp(Entry),
    /// The entry is not to be undone, or no longer.
    NotNeeded,
}

/// The next try to undo an entry. `other_biz_ids` says whether this account has ever answered with a bizId other than
/// the one that was sent: a reversal by the sent bizId may then match nothing, or another sale.
pub(crate) fn try_reversal(entry: &Entry, other_biz_ids: bool) -> Try {
    if entry.stage != Stage::Reversing {
        return Try::NotNeeded;
    }
    let mut next = entry.moved(Stage::Reversing);
    match &entry.detail.returned_biz_id {
        None if (other_biz_ids || entry.detail.mismatched_biz_id) && !entry.detail.foreign => {
            next.stage = Stage::Unproven;
            next.detail.reversal.said = None;
            next.detail.reversal.last = Some(GatewayStatus {
                code: codes::OTHER_BIZ_ID.text.to_owned(),
                message: "the answer was lost, and this account answers with other bizIds than it is sent"
                    .to_owned(),
            });
            Try::GiveUp(next)
        }
        returned => {
            let biz_id = returned.clone().unwrap_or_else(|| entry.key.biz_id.to_string());
            next.detail.reversal.tries = next.detail.reversal.tries.saturating_add(1);
            next.detail.reversal.unanswered = next.detail.reversal.unanswered.saturating_add(1);
            next.detail.reversal.refused = false;
            Try::Send { record: next, biz_id }
        }
    }
}

/// The record that a reversal continues from if its try could not be recorded, because a reversal was sent before.
/// `None` if the reversal must not be sent: a sale may be found valid because every counted try of its refund was
/// refused, so a try that the record does not count is sent only if that is excluded, after a second try that was not
/// refused. A refusal of the uncounted try is not set off against the tries that the record counts.
pub(crate) fn unrecorded(entry: &Entry) -> Option<Entry> {
    let reversal = &entry.detail.reversal;
    (reversal.tries > 0 && (!reversal.refund || reversal.unanswered > 1)).then(|| {
        let mut same = entry.clone();
        same.detail.reversal.unanswered = reversal.unanswered.saturating_add(1);
        same
    })
}

/// Applies an answer to a reversal: returns the record over the revision before it. `late_window_over` says that the
/// consume can no longer be on its way; `refuses_unknown`, that the gateway confirms only a reversal that it carried
/// out.
pub(crate) fn reversal_answered(
    entry: &Entry,
    answer: &Reversed,
    late_window_over: bool,
    refuses_unknown: bool,
) -> Entry {
    let before = &entry.detail.reversal;
    // While the consume may still arrive, a confirmed reversal is only a promise: it is sent again afterwards. The same
    // holds for a refusal, whose unlisted code may only mean that the consume is not there yet.
    let proven = entry.detail.answered || late_window_over;
    let refused = matches!(answer, Reversed::Refused(_));
    // Only a complete refusal proves that its own try did nothing; it proves nothing about earlier tries.
    let unanswered = before.unanswered.saturating_sub(u32::from(refused));
    let promised = entry.is_promised();
    // For a finished sale: every try before this one was refused, so none of them has undone it.
    let elsewhere = matches!(answer, Reversed::Already(_))
        && (entry.gives_back() || entry.counts())
        && (before.elsewhere || unanswered <= 1);
    let stage = match answer {
        Reversed::Done(_) | Reversed::Already(_) if proven => Stage::Reversed,
        // Another till's sale exists by what that till says, so the bizId is wrong.
        Reversed::NotFound(_) if entry.detail.foreign => Stage::Refused,
        // The gateway does not know a consume that it had confirmed: the outcome cannot be determined.
        Reversed::NotFound(_) if late_window_over && entry.was_accepted() => Stage::Unproven,
        Reversed::NotFound(_) if late_window_over => Stage::Reversed,
        // Every try since the till asked was refused, so the sale is valid as before.
        Reversed::Refused(_) if before.refund && unanswered == 0 => Stage::Kept,
        Reversed::Refused(_) if proven && promised && refuses_unknown => Stage::Reversed,
        // The reversal may have been confirmed before the consume arrived, and the consume may have arrived since.
        Reversed::Refused(_) if proven && promised => Stage::Unproven,
        Reversed::Refused(_) if proven => Stage::Refused,
        _ => Stage::Reversing,
    };
    let mut next = entry.moved(stage);
    let (Reversed::Done(words)
    | Reversed::Already(words)
    | Reversed::NotFound(words)
    | Reversed::Again(words)
    | Reversed::Refused(words)) = answer;
    next.detail.reversal = Reversal {
        last: Some(words.clone()),
        refused: refused && stage != Stage::Reversing || stage == Stage::Refused,
        unanswered,
        said: Some(Said::of(answer)),
        promised: promised || matches!(answer, Reversed::Done(_) | Reversed::Already(_)),
        elsewhere,
        ..before.clone()
    };
    next
}

/// Applies a confirmed reversal to a record that another thread or process has made meanwhile over `tried`, the record
/// of its try: a proof is not lost to a try that learned less. `None` if the confirmation says nothing about the
/// current record.
pub(crate) fn confirmed_over(
    stands: &Entry,
    tried: &Entry,
    answer: &Reversed,
    late_window_over: bool,
    refuses_unknown: bool,
) -> Option<Entry> {
    let is_open = matches!(stands.stage, Stage::Reversing | Stage::Refused | Stage::Unproven)
        || (stands.stage == Stage::Kept && stands.is_refused_refund());
    // A confirmation from before the sale was re-opened, or from before its success was known, may date from before the
    // consume arrived.
    let is_the_same = stands.detail.reopened == tried.detail.reopened
        && stands.attempt == tried.attempt
        && (tried.detail.answered || !stands.detail.answered);
    if !is_open || !is_the_same || !matches!(answer, Reversed::Done(_) | Reversed::Already(_)) {
        return None;
    }
    let judged = reversal_answered(stands, answer, late_window_over, refuses_unknown);
    if judged.stage == Stage::Reversed || stands.stage == Stage::Reversing {
        return Some(judged);
    }
    // Only a promise, and refused since then.
    let mut next = stands.moved(Stage::Unproven);
    next.detail.reversal.promised = true;
    Some(next)
}

/// What decides about an answer, besides the record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// The consume can no longer be on its way to the gateway.
    pub late_window_over: bool,
    /// The gateway confirms only a reversal that it carried out.
    pub refuses_unknown: bool,
    /// The configuration names the codes that mean "already reversed".
    pub knows_already: bool,
}

/// The state of one try to undo an entry.
#[derive(Clone, Debug)]
pub enum State {
    /// The try has recorded nothing yet. Holds the entry.
    New(Entry),
    /// The try is being recorded over this entry.
    Recording {
        /// The entry.
        before: Entry,
        /// The bizId of the reversal.
        biz_id: String,
    },
    /// The reversal is on its way.
    Sending {
        /// The entry with this try counted as unanswered; where the journal failed, the try is not recorded.
        record: Entry,
        /// The bizId of the reversal.
        biz_id: String,
        /// Whether the reversal may be signed again.
        resign: Resign,
    },
    /// The result of the try is being recorded. Holds the record of the try and the answer, to be judged again if the
    /// record has changed meanwhile; `None` if there was no try.
    RecordingOutcome(Option<(Entry, Reversed)>),
    /// The try has ended.
    Done,
}

/// An event of a try.
#[derive(Clone, Debug)]
pub enum Event {
    /// The try begins.
    Begin {
        /// This account has answered with a bizId other than the one that was sent.
        other_biz_ids: bool,
    },
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
    /// The exchange with the gateway has ended.
    Answered {
        /// What the answer says.
        answer: Reversed,
        /// The gateway refused the signature, and the same answer shows that the till's clock was off.
        refused_for_clock: bool,
    },
}

/// The action to carry out: exactly one after every event; its result is the next event.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Record this over the revision before it.
    Record(Entry),
    /// Send a reversal by this bizId, with the receipt of this record.
    Send {
        /// The durable record of a try.
        durable: Entry,
        /// The bizId of the reversal.
        biz_id: String,
    },
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

/// One step of a try to undo an entry.
#[allow(clippy::match_same_arms, reason = "one arm a transition")]
pub fn step(state: State, event: Event, rules: Rules) -> (State, Effect) {
    match (state, event) {
        (State::New(entry), Event::Begin { other_biz_ids }) => match try_reversal(&entry, other_biz_ids) {
            Try::NotNeeded => (State::Done, Effect::Stands(entry)),
            Try::GiveUp(record) => record_outcome(None, record, rules),
            Try::Send { record, biz_id } => {
                (State::Recording { before: entry, biz_id }, Effect::Record(record))
            }
        },
        (State::Recording { biz_id, .. }, Event::Recorded(record)) => {
            send(record.clone(), record, biz_id, Resign::default())
        }
        // Another thread or process drives the reversal.
        (State::Recording { .. }, Event::Existing(entry)) => (State::Done, Effect::Stands(entry)),
        // The journal's record of this entry was durable before, and a reversal that was sent once may be sent again.
        (State::Recording { before, biz_id }, Event::JournalFailed { code, message }) => {
            match unrecorded(&before) {
                Some(record) => send(before, record, biz_id, Resign::default()),
                None => (State::Done, Effect::Failed { code, message }),
            }
        }
        (State::Sending { record, biz_id, resign }, Event::Answered { answer, refused_for_clock }) => {
            // A reversal may be repeated: it acts at most once (docs/money-safety.md, G2).
            if let Some(resign) = resign.again().filter(|_| refused_for_clock) {
                return send(record.clone(), record, biz_id, resign);
            }
            let next = reversal_answered(&record, &answer, rules.late_window_over, rules.refuses_unknown);
            record_outcome(Some((record, answer)), next, rules)
        }
        // The record that allows the send was replaced meanwhile: nothing is sent for it.
        (State::Sending { .. }, Event::Existing(entry)) => (State::Done, Effect::Stands(entry)),
        (State::RecordingOutcome(_), Event::Recorded(entry)) => (State::Done, Effect::Stands(entry)),
        (State::RecordingOutcome(Some((tried, answer))), Event::Existing(stands)) => {
            let (over, refuses) = (rules.late_window_over, rules.refuses_unknown);
            match confirmed_over(&stands, &tried, &answer, over, refuses) {
                Some(next) => record_outcome(Some((tried, answer)), next, rules),
                None => (State::Done, Effect::Stands(stands)),
            }
        }
        (State::RecordingOutcome(None), Event::Existing(stands)) => (State::Done, Effect::Stands(stands)),
        (_, Event::JournalFailed { code, message }) => (State::Done, Effect::Failed { code, message }),
        // Events out of order are a defect of the runtime. The recorded entry is tried again.
        (state, event) => {
            let message = format!("unexpected event {event:?} in {state:?}");
            (State::Done, Effect::Failed { code: &codes::PANIC, message })
        }
    }
}

fn send(durable: Entry, record: Entry, biz_id: String, resign: Resign) -> (State, Effect) {
    let effect = Effect::Send { durable, biz_id: biz_id.clone() };
    (State::Sending { record, biz_id, resign }, effect)
}

fn record_outcome(tried: Option<(Entry, Reversed)>, next: Entry, rules: Rules) -> (State, Effect) {
    let next = if tried.is_some() { next.answered_where(rules.knows_already) } else { next };
    (State::RecordingOutcome(tried), Effect::Record(next))
}

/// Interprets the code of an earlier refusal by the current configuration: returns the record over the revision before
/// it, or `None` if the code is still not explained. Nothing is sent.
pub(crate) fn explained(entry: &Entry, already: &[String], refuses_unknown: bool) -> Option<Entry> {
    let reversal = &entry.detail.reversal;
    let is_already = reversal.last.as_ref().is_some_and(|words| already.contains(&words.code));
    let explained = match entry.stage {
        _ if reversal.said != Some(Said::Refused) => false,
        Stage::Unproven => entry.promise_refused() && (is_already || refuses_unknown),
        // The sale was valid after the refusal; the code now means that the money had been given back elsewhere.
        Stage::Kept => is_already && entry.is_refused_refund(),
        Stage::Refused => is_already,
        _ => false,
    };
    explained.then(|| {
        let mut next = entry.moved(Stage::Reversed);
        next.detail.reversal.refused = false;
        // None of the entry's own tries gave the money back.
        next.detail.reversal.elsewhere |= entry.stage == Stage::Kept;
        next
    })
}

#[cfg(test)]
mod tests;
