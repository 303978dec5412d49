//! One call that requests a consume, step by step.

use super::resign::Resign;
use super::restart::Known;
use super::reversal::voided;
use super::{Entry, OnUnknown, Owner, Reversal, Stage};
use crate::gateway::{CodeRules, Doubt, GatewayStatus, Identity, NotSent, Verdict};
use crate::outcome::{codes, codes::Code};

/// The state of a call.
#[derive(Clone, Debug)]
pub enum State {
    /// The call has recorded nothing yet. Holds the intent that it would record.
    New(Entry),
    /// The intent is recorded and the request is on its way.
    Sending {
        /// The record.
        entry: Entry,
        /// Whether it may be signed again.
        resign: Resign,
    },
    /// The first attempt was refused for its timestamp, before any effect; the second attempt is being recorded.
    Resigning(Resign),
    /// The outcome is known and is being recorded.
    RecordingOutcome {
        /// How the attempt ended, to be judged again if the record has changed meanwhile.
        end: End,
    },
    /// The till has been answered.
    Done,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum End {
    /// The gateway answered; the verdict says what the answer proves, if anything.
    Answered(Verdict),
    /// No byte was sent.
    NotSent(NotSent),
    /// The outcome is unknown: the consume may have happened or not.
    Lost(Doubt),
}

/// An event of a call.
#[derive(Clone, Debug)]
pub enum Event {
    /// A till asks for the consume. `connected` says that a connection to the gateway is open.
    Asked {
        /// Whether no connection need be opened.
        connected: bool,
    },
    /// The look has ended. Records change meanwhile, so what it found decides only whether to connect.
    Looked {
        /// Whether the bizId seems to have no record, and no other sale seems to hold the request back.
        free: bool,
    },
    /// The record was written.
    Recorded(Entry),
    /// The bizId has this record, which is not the one that the call wanted to record over.
    Existing(Entry),
    /// Another sale of the same member or coupon is unsettled.
    InDoubt(Entry),
    /// The record was written, its confirmation came too late, and others have gone on from it.
    Superseded {
        /// The record that was written.
        written: Box<Entry>,
        /// The record to which they have gone on.
        standing: Entry,
    },
    /// The owner of the existing record is dead.
    OwnerDied(Entry),
    /// The caller that carries out the same request has not finished before this call's deadline.
    WaitTimedOut,
    /// The journal could not be read or written.
    JournalFailed {
        /// The library's code.
        code: &'static Code,
        /// The message.
        message: String,
    },
    /// The send ended. `clock_is_off` says that the answer's `Date` shows a wrong clock.
    Ended {
        /// How the send ended.
        end: End,
        /// Whether signing with the corrected time could help.
        clock_is_off: bool,
    },
}

/// The action to carry out: exactly one after every event; its result is the next event.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Guess whether this intent will be recorded: whether the bizId has a record or another sale holds it back. The
    /// record that follows decides.
    Look(Entry),
    /// Record the intent, unless the bizId has a record or another sale of the member is in doubt.
    RecordIntent {
        /// The intent.
        intent: Entry,
        /// Whether a connection to the gateway is opened meanwhile; no byte of the request leaves before the receipt.
        connect: bool,
    },
    /// Record a further attempt over the revision before it, unless another sale of the member is in doubt.
    RecordAgain(Entry),
    /// Record this over the revision before it.
    Record(Entry),
    /// Wait for the caller that is carrying out this same request.
    AwaitOther(Entry),
    /// Sign and send the request, with the receipt of this record.
    Send(Entry),
    /// Answer the till; nothing follows.
    Tell(Reply),
}

/// The reply to the till.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The outcome of this call's attempt.
    Ended(Entry),
    /// The existing record of the same request; this call sent nothing.
    Existing(Entry),
    /// The bizId belongs to another request, or was reversed; this call sent nothing.
    Conflict(Entry),
    /// A request was sent under the bizId and nothing was taken, and this is another request; this call sent nothing.
    NewBizId(Entry),
    /// The other caller has not finished before this call's deadline; this call sent nothing.
    Busy,
    /// Another sale of the same member or coupon is unsettled; this call sent nothing.
    InDoubt(Entry),
    /// The attempt was made with another journal: the record here, if any, proves nothing; this call sent nothing.
    OtherJournal(Option<Entry>),
    /// The outcome could not be recorded, and the consume may have happened or not.
    Unrecorded(Doubt),
    /// Nothing was sent, for a reason inside the machine.
    Internal {
        /// The library's code.
        code: &'static Code,
        /// The message.
        message: String,
    },
}

/// One step of a consume.
pub fn step(state: State, event: Event) -> (State, Effect) {
    match (state, event) {
        // A call that sends nothing opens no connection, so the call looks before it connects.
        (State::New(intent), Event::Asked { connected: false }) => with(intent, Effect::Look),
        (State::New(intent), Event::Asked { connected: true }) => {
            with(intent, |intent| Effect::RecordIntent { intent, connect: false })
        }
        (State::New(intent), Event::Looked { free }) => {
            with(intent, |intent| Effect::RecordIntent { intent, connect: free })
        }
        (State::New(_), Event::Recorded(entry)) if entry.stage == Stage::Sending => {
            send(entry, Resign::default())
        }
        // The record that was written is the end of an attempt whose owner died.
        (State::New(intent), Event::Recorded(entry) | Event::Existing(entry)) => stands(intent, entry),
        // The intent was not sent. Where only its reversal was asked for meanwhile, this call records its end.
        (State::New(_), Event::Superseded { written, standing }) if standing.is_same_attempt(&written) => {
            conclude(&standing, recorded_too_late())
        }
        (State::New(intent), Event::Superseded { standing, .. }) => stands(intent, standing),
        // Others have gone on from the outcome of this call, or from its intent that was not sent: what they do belongs to
        // another call.
        (State::Resigning(_) | State::RecordingOutcome { .. }, Event::Superseded { standing, .. }) => {
            tell(superseded(standing))
        }
        (State::New(intent), Event::OwnerDied(entry)) => {
            let ended = abandoned(&entry);
            (State::New(intent), Effect::Record(ended))
        }
        (State::New(_), Event::InDoubt(entry)) => tell(Reply::InDoubt(entry)),
        (State::New(_), Event::WaitTimedOut) => tell(Reply::Busy),
        // Nothing was taken: nothing was sent, or every request that was sent was refused before any effect.
        (
            State::New(_) | State::Resigning(_) | State::RecordingOutcome { end: End::NotSent(_) },
            Event::JournalFailed { code, message },
        ) => tell(Reply::Internal { code, message }),

        (
            State::Sending { entry, resign },
            Event::Ended { end: End::Answered(Verdict::Refused(refusal)), clock_is_off: true },
        ) if refusal.code == CodeRules::SIGNATURE && resign.again().is_some() => {
            let used = resign.again().unwrap_or(resign);
            (State::Resigning(used), Effect::Record(again(&entry, entry.owner.clone())))
        }
        (State::Resigning(resign), Event::Recorded(entry)) => send(entry, resign),
        // A till requested the reversal in between: nothing was taken, so there is nothing left to send.
        (State::Resigning(_), Event::Existing(entry)) if entry.stage != Stage::Sending => {
            tell(Reply::Existing(entry))
        }
        (State::Resigning(_), Event::Existing(entry)) => {
            let end = End::NotSent(NotSent {
                code: &codes::CONNECT,
                message: "a reversal was asked for before the second attempt".to_owned(),
            });
            conclude(&entry, end)
        }
        (State::Sending { entry, .. }, Event::Ended { end, .. }) => conclude(&entry, end),

        (State::RecordingOutcome { .. }, Event::Recorded(entry)) => tell(Reply::Ended(entry)),
        // A till requested the reversal during the attempt: the outcome is judged again over the current record.
        (State::RecordingOutcome { end }, Event::Existing(entry)) if entry.stage == Stage::Sending => {
            conclude(&entry, end)
        }
        // The attempt was presumed dead, so its reversal may be pending or done; the gateway's success arrived afterwards.
        // Or the attempt ended without proof only now: its request may have been sent after the findings of the meantime.
        (State::RecordingOutcome { end }, Event::Existing(entry))
            if matches!(
                entry.stage,
                Stage::Unknown | Stage::Reversing | Stage::Reversed | Stage::Refused | Stage::Unproven
            ) =>
        {
            match &end {
                End::Answered(Verdict::Doubt(doubt)) | End::Lost(doubt) => {
                    let record = reopened(&entry, doubt);
                    (State::RecordingOutcome { end }, Effect::Record(record))
                }
                End::Answered(Verdict::Accepted(accepted)) => {
                    let goes_back = entry.on_unknown == OnUnknown::Reverse || entry.detail.reversal.asked;
                    let record = match entry.stage {
                        Stage::Unknown => entry.moved(Stage::Succeeded),
                        _ if goes_back => entry.moved(Stage::Reversing),
                        // The gateway's records did not have the consume, and nothing gives the money back.
                        _ => contradicted(&entry),
                    };
                    let record = record.with_accepted(accepted);
                    (State::RecordingOutcome { end }, Effect::Record(record))
                }
                _ => tell(Reply::Existing(entry)),
            }
        }
        // A person has settled the entry meanwhile: a proof of the contrary is not discarded.
        (State::RecordingOutcome { end }, Event::Existing(entry))
            if entry.detail.settlement.is_some() && matches!(entry.stage, Stage::Kept | Stage::Undone) =>
        {
            match against_settlement(&entry, &end) {
                Some(record) => (State::RecordingOutcome { end }, Effect::Record(record)),
                None => tell(Reply::Existing(entry)),
            }
        }
        (State::RecordingOutcome { .. }, Event::Existing(entry)) => tell(Reply::Existing(entry)),
        // No final answer reaches the till before its outcome is recorded.
        (State::RecordingOutcome { .. }, Event::JournalFailed { code, message }) => {
            tell(Reply::Unrecorded(Doubt::new(
                &codes::JOURNAL,
                format!("the outcome could not be recorded: {} {message}", code.text),
            )))
        }

        // Events out of order are a defect of the runtime. Before the send nothing was taken; after the send the
        // outcome is unknown.
        (State::New(_), event) => tell(Reply::Internal {
            code: &codes::PANIC,
            message: format!("unexpected event before the send: {event:?}"),
        }),
        (state, event) => tell(Reply::Unrecorded(Doubt::new(
            &codes::PANIC,
            format!("unexpected event {event:?} in {state:?}"),
        ))),
    }
}

/// The reply of a call whose till made the attempt with another journal: the call sends nothing. `None` if this journal
/// may carry out the consume.
pub(crate) fn unless_elsewhere(intent: &Identity, known: Known) -> Option<Reply> {
    match known {
        Known::OtherJournal(entry) => Some(Reply::OtherJournal(entry)),
        Known::Existing(entry) if !entry.identity.is_same_as(intent) => Some(Reply::Conflict(entry)),
        Known::Existing(entry) if matches!(entry.stage, Stage::Reversed | Stage::Undone) => {
            Some(Reply::Conflict(entry))
        }
        Known::Existing(entry) => Some(Reply::Existing(entry)),
        Known::LeftBehind(_) => Some(Reply::Unrecorded(left_behind())),
        Known::NeverSent | Known::NotRecorded => None,
    }
}

/// The result of the attempt that a call waits for; `None` while the attempt runs. `time_is_over` says that the call's
/// own deadline is reached.
pub fn awaited(standing: &Entry, may_be_running: bool, time_is_over: bool) -> Option<Event> {
    match standing.stage {
        Stage::Sending if !may_be_running => Some(Event::OwnerDied(standing.clone())),
        Stage::Sending if time_is_over => Some(Event::WaitTimedOut),
        Stage::Sending => None,
        _ => Some(Event::Existing(standing.clone())),
    }
}

/// The record of an attempt whose owner died: the consume may have happened.
pub fn abandoned(entry: &Entry) -> Entry {
    in_doubt(entry, &left_behind()).ended_when_sent()
}

/// The record that a request did not leave, in the place of its intent: as if the intent had not been recorded.
pub(crate) fn never_left(intent: &Entry) -> Entry {
    let message = "the intent could not be recorded in time";
    Entry { stage: Stage::NotSent, ..intent.clone() }.with_words(&codes::JOURNAL_AWAY, message)
}

/// The record over the present one after an outcome could not be recorded in time; `None` if there is nothing to record.
/// The till was told that nothing was taken or that the outcome is unknown.
pub(crate) fn ended_unrecorded(outcome: &Entry, standing: &Entry) -> Option<Entry> {
    let was_voided = outcome.detail.reversal.voided;
    let took_nothing = matches!(outcome.stage, Stage::NotSent | Stage::Declined) || was_voided.is_some();
    let is_end =
        took_nothing || matches!(outcome.stage, Stage::Succeeded | Stage::Unknown | Stage::Reversing);
    match standing.stage {
        // The record was another call's, about a reversal.
        _ if !is_end || standing.attempt != outcome.attempt => None,
        Stage::Sending if took_nothing => {
            let record = Entry { revision: standing.revision + 1, ..outcome.clone() };
            let was = was_voided.unwrap_or(outcome.stage);
            Some(if standing.detail.reversal.asked { voided(standing, was) } else { record })
        }
        Stage::Sending => Some(with_what_was_seen(abandoned(standing), outcome)),
        // A person has settled the entry meanwhile: a proof of the contrary is not discarded.
        Stage::Kept if took_nothing && standing.detail.settlement.is_some() => {
            let mut record = contradicted(standing);
            record.detail.words.clone_from(&outcome.detail.words);
            Some(record)
        }
        Stage::Undone if outcome.was_accepted() && standing.detail.settlement.is_some() => {
            let mut record = with_what_was_seen(contradicted(standing), outcome);
            record.detail.words.clone_from(&outcome.detail.words);
            record.detail.data.clone_from(&outcome.detail.data);
            record.detail.answered = true;
            Some(record)
        }
        // Another process presumed this one dead: what it found may date from before the request arrived.
        Stage::Unknown | Stage::Reversing | Stage::Reversed | Stage::Refused | Stage::Unproven
            if !took_nothing =>
        {
            Some(with_what_was_seen(reopened(standing, &left_behind()), outcome))
        }
        _ => None,
    }
}

/// The record with the bizId that the attempt's answer carried: a reversal must not go by another one.
fn with_what_was_seen(mut record: Entry, outcome: &Entry) -> Entry {
    if outcome.detail.returned_biz_id.is_some() {
        record.detail.returned_biz_id.clone_from(&outcome.detail.returned_biz_id);
    }
    record.detail.mismatched_biz_id |= outcome.detail.mismatched_biz_id;
    record
}

/// The doubt about an attempt that no caller carries out any more.
pub(crate) fn left_behind() -> Doubt {
    Doubt::new(
        &codes::ABANDONED,
        "the call or the process that sent it ended and its outcome is not recorded",
    )
}

/// The end of an attempt whose intent was recorded too late to be sent.
fn recorded_too_late() -> End {
    let message = "the intent was recorded too late to be sent".to_owned();
    End::NotSent(NotSent { code: &codes::JOURNAL_AWAY, message })
}

/// The reply of a call whose own record was written too late for it to know, and from which others have gone on.
fn superseded(entry: Entry) -> Reply {
    let message = "the outcome was recorded too late for this call, and another call has begun again";
    match entry.stage {
        Stage::Sending => Reply::Unrecorded(Doubt::new(&codes::JOURNAL, message)),
        _ => Reply::Existing(entry),
    }
}

/// What the call does about the existing record of its bizId.
fn stands(intent: Entry, entry: Entry) -> (State, Effect) {
    if !entry.identity.is_same_as(&intent.identity) {
        if let Some(told) = another_request(&entry) {
            return tell(told);
        }
        let record = replaced(&entry, &intent);
        return (State::New(intent), Effect::RecordAgain(record));
    }
    match entry.stage {
        Stage::Sending => (State::New(intent), Effect::AwaitOther(entry)),
        Stage::Declined | Stage::NotSent => {
            let mut record = again(&entry, intent.owner.clone());
            record.detail.origin.clone_from(&intent.detail.origin);
            (State::New(intent), Effect::RecordAgain(record))
        }
        Stage::Reversed | Stage::Undone => tell(Reply::Conflict(entry)),
        Stage::Succeeded
        | Stage::Unknown
        | Stage::Reversing
        | Stage::Refused
        | Stage::Unproven
        | Stage::Kept => tell(Reply::Existing(entry)),
    }
}

/// The reply to a request that differs from the recorded one under its bizId; `None` if no byte was ever sent under the
/// bizId. A refused request may have been taken all the same, or be taken later: the two sums could then not be told
/// apart.
pub(crate) fn another_request(entry: &Entry) -> Option<Reply> {
    match entry.stage {
        _ if entry.is_free() => None,
        Stage::Declined | Stage::NotSent => Some(Reply::NewBizId(entry.clone())),
        _ => Some(Reply::Conflict(entry.clone())),
    }
}

/// The record of another request under a bizId that is free.
fn replaced(entry: &Entry, intent: &Entry) -> Entry {
    let mut next = intent.clone();
    next.revision = entry.revision + 1;
    next.attempt = entry.attempt + 1;
    next.created_unix_ms = entry.created_unix_ms;
    next.detail.earlier_never_left = true;
    next
}

/// The record of a further attempt.
fn again(entry: &Entry, owner: Owner) -> Entry {
    let mut next = entry.moved(Stage::Sending);
    next.attempt += 1;
    next.owner = owner;
    next.detail.earlier_never_left = entry.is_free();
    next.detail.words = None;
    next.detail.warnings.clear();
    next.detail.answered = false;
    next
}

/// Records how the attempt ended.
fn conclude(entry: &Entry, end: End) -> (State, Effect) {
    let record = match &end {
        // Also on a second attempt: the first attempt has its own proof that it took nothing.
        End::Answered(Verdict::Refused(refusal)) => ended(entry, Stage::Declined).with_refusal(refusal),
        End::Answered(Verdict::Accepted(accepted)) => ended(entry, Stage::Succeeded).with_accepted(accepted),
        End::NotSent(why) => ended(entry, Stage::NotSent).with_words(why.code, &why.message),
        End::Answered(Verdict::Doubt(doubt)) | End::Lost(doubt) => in_doubt(entry, doubt),
    };
    (State::RecordingOutcome { end }, Effect::Record(record))
}

/// The record of a proven outcome. If a till has requested the reversal meanwhile, a success is to be reversed;
/// any other outcome is voided, so that the bizId is closed.
fn ended(entry: &Entry, stage: Stage) -> Entry {
    match stage {
        _ if !entry.detail.reversal.asked => entry.moved(stage),
        Stage::Succeeded => entry.moved(Stage::Reversing),
        _ => voided(entry, stage),
    }
}

/// The record of an attempt that ended without proof after it had been presumed dead: every confirmation and every "not
/// found" may date from before the consume arrived.
fn reopened(entry: &Entry, doubt: &Doubt) -> Entry {
    let mut next = in_doubt(entry, doubt);
    next.detail.reopened = next.detail.reopened.saturating_add(1);
    next.detail.reversal = Reversal {
        last: None,
        refused: false,
        said: None,
        promised: false,
        elsewhere: false,
        ..entry.detail.reversal.clone()
    };
    next
}

/// The record of an attempt that ended with a proof of the contrary after the entry had been settled: a person must
/// check. A till that was told that the sale is not valid has taken another tender.
fn contradicted(entry: &Entry) -> Entry {
    let mut next = entry.moved(Stage::Unproven);
    next.detail.reversal = Reversal {
        last: Some(GatewayStatus {
            code: codes::LATE_PROOF.text.to_owned(),
            message: "its attempt ended with the proof of the contrary after it had been settled".to_owned(),
        }),
        refused: false,
        said: None,
        sent_away: entry.stage != Stage::Kept,
        ..entry.detail.reversal.clone()
    };
    next
}

/// The record of an attempt that ended with a proof of the contrary after a person had settled the entry; `None` if its
/// end proves nothing against that.
fn against_settlement(entry: &Entry, end: &End) -> Option<Entry> {
    match (end, entry.stage) {
        (End::Answered(Verdict::Accepted(accepted)), Stage::Undone) => {
            Some(contradicted(entry).with_accepted(accepted))
        }
        (End::Answered(Verdict::Refused(refusal)), Stage::Kept) => {
            Some(contradicted(entry).with_refusal(refusal))
        }
        (End::NotSent(why), Stage::Kept) => Some(contradicted(entry).with_words(why.code, &why.message)),
        _ => None,
    }
}

fn in_doubt(entry: &Entry, doubt: &Doubt) -> Entry {
    let reverse = entry.on_unknown == OnUnknown::Reverse || entry.detail.reversal.asked;
    let stage = if reverse { Stage::Reversing } else { Stage::Unknown };
    entry.moved(stage).with_doubt(doubt)
}

fn with(intent: Entry, effect: impl FnOnce(Entry) -> Effect) -> (State, Effect) {
    let effect = effect(intent.clone());
    (State::New(intent), effect)
}

fn send(entry: Entry, resign: Resign) -> (State, Effect) {
    let record = entry.clone();
    (State::Sending { entry, resign }, Effect::Send(record))
}

fn tell(told: Reply) -> (State, Effect) {
    (State::Done, Effect::Tell(told))
}

#[cfg(test)]
mod tests;
