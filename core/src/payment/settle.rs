//! Settling what is in doubt or is to be undone: the reversal as a till, the recovery or a person drives it.

use super::{Entry, Reversal, Said, Settlement, Stage};
use crate::gateway::{GatewayStatus, Reversed};
use crate::outcome::codes;

/// What a till's request for a reversal comes to.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub enum Asked {
    /// Record this over the revision before it; then it is to be sent, or waits for the running consume.
    Record(Entry),
    /// It is being undone already: drive it.
    InProgress,
    /// Nothing stands any more.
    AlreadyReversed,
    /// There is no way to undo it.
    Impossible,
}

/// Who asks for a reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The till: of what had succeeded it is a refund.
    Till,
    /// The library, for what the till has never confirmed.
    Itself,
}

/// The reversal of what stands is asked for. `returned` is the bizId that the answer carried, as the till has stored it;
/// `has_route` says whether a reverse route is configured.
pub fn ask(entry: &Entry, returned: Option<&str>, has_route: bool, by: By) -> Asked {
    let asked = |stage: Stage| {
        let mut next = entry.moved(stage);
        next.detail.reversal.asked = true;
        next.detail.reversal.refused = false;
        if matches!(entry.stage, Stage::Succeeded | Stage::Kept) {
            next.detail.reversal.refund = by == By::Till;
        }
        // A bizId that the gateway does not know was written down wrong.
        if next.detail.returned_biz_id.is_none() || (entry.not_found_elsewhere() && returned.is_some()) {
            next.detail.returned_biz_id = returned.map(str::to_owned);
        }
        Asked::Record(next)
    };
    match entry.stage {
        Stage::Sending | Stage::Succeeded | Stage::Unknown | Stage::Refused | Stage::Kept if !has_route => {
            Asked::Impossible
        }
        Stage::Sending if entry.detail.reversal.asked => Asked::InProgress,
        // Recorded at once; sent when the running call has its answer or its deadline.
        Stage::Sending => asked(Stage::Sending),
        // Nothing was taken; from now on the bizId cannot be tried again.
        Stage::Declined | Stage::NotSent => Asked::Record(voided(entry, entry.stage)),
        Stage::Reversing => Asked::InProgress,
        Stage::Reversed | Stage::Undone => Asked::AlreadyReversed,
        Stage::Unproven => Asked::Impossible,
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

/// What the recovery does about an entry that is to be undone.
#[derive(Debug)]
pub enum Try {
    /// Record this over the revision before it; then send a reversal by this bizId.
    Send {
        /// The record with one more try.
        record: Entry,
        /// What the reversal goes by.
        biz_id: String,
    },
    /// Record this over the revision before it: nobody can know.
    GiveUp(Entry),
    /// It is not to be undone, or no longer.
    NotNeeded,
}

/// The next try to undo an entry. `other_biz_ids` says whether this account has ever answered with another bizId
/// than the one that was sent: then a reversal by the sent one may hit nothing, or another sale.
pub fn try_reversal(entry: &Entry, other_biz_ids: bool) -> Try {
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

/// What a reversal goes on from whose try could not be recorded, since it was sent before. `None` where it must not
/// leave: a refund may be found to stand by the tries that the record knows, so one that it does not know leaves only
/// where that can no longer be, after a second try that was not refused. Its own refusal is not counted against the
/// tries that the record knows.
pub fn unrecorded(entry: &Entry) -> Option<Entry> {
    let reversal = &entry.detail.reversal;
    (reversal.tries > 0 && (!reversal.refund || reversal.unanswered > 1)).then(|| {
        let mut same = entry.clone();
        same.detail.reversal.unanswered = reversal.unanswered.saturating_add(1);
        same
    })
}

/// What an answered reversal comes to: the record over the revision before it. `late_window_over` says that the
/// consume can no longer be on its way; `refuses_unknown`, that the gateway confirms only what it has undone.
pub fn reversal_answered(
    entry: &Entry,
    answer: &Reversed,
    late_window_over: bool,
    refuses_unknown: bool,
) -> Entry {
    let before = &entry.detail.reversal;
    // While the consume may still arrive, an undoing of it is only a promise: it is asked for again afterwards.
    // The same holds for a refusal, which may only say in an unlisted code that nothing is there yet.
    let proven = entry.detail.answered || late_window_over;
    let refused = matches!(answer, Reversed::Refused(_));
    // Only a whole refusal says that its own try did nothing; of those before it, it says nothing.
    let unanswered = before.unanswered.saturating_sub(u32::from(refused));
    let promised = entry.is_promised();
    // Of a finished sale: each try before this one was refused, so none of them has undone it.
    let elsewhere = matches!(answer, Reversed::Already(_))
        && (entry.gives_back() || entry.counts())
        && (before.elsewhere || unanswered <= 1);
    let stage = match answer {
        Reversed::Done(_) | Reversed::Already(_) if proven => Stage::Reversed,
        // Another till's sale is there by what that till says: so it is the bizId that is wrong.
        Reversed::NotFound(_) if entry.detail.foreign => Stage::Refused,
        // The gateway does not know what it had confirmed: nobody can know.
        Reversed::NotFound(_) if late_window_over && entry.was_accepted() => Stage::Unproven,
        Reversed::NotFound(_) if late_window_over => Stage::Reversed,
        // Every try since the till asked was refused, so the sale stands as it did.
        Reversed::Refused(_) if before.refund && unanswered == 0 => Stage::Kept,
        Reversed::Refused(_) if proven && promised && refuses_unknown => Stage::Reversed,
        // It may have been confirmed when nothing was there, and be there now.
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

/// What a confirmed reversal makes of a record that somebody else has made meanwhile over `tried`, the record of its try:
/// what is proven is not lost to a try that heard less. `None` where it says nothing of what stands now.
pub fn confirmed_over(
    stands: &Entry,
    tried: &Entry,
    answer: &Reversed,
    late_window_over: bool,
    refuses_unknown: bool,
) -> Option<Entry> {
    let is_open = matches!(stands.stage, Stage::Reversing | Stage::Refused | Stage::Unproven)
        || (stands.stage == Stage::Kept && stands.is_refused_refund());
    // What was confirmed before the sale was opened again was so before it arrived.
    let is_the_same = stands.detail.reopened == tried.detail.reopened && stands.attempt == tried.attempt;
    if !is_open || !is_the_same || !matches!(answer, Reversed::Done(_) | Reversed::Already(_)) {
        return None;
    }
    let judged = reversal_answered(stands, answer, late_window_over, refuses_unknown);
    if judged.stage == Stage::Reversed || stands.stage == Stage::Reversing {
        return Some(judged);
    }
    // A promise only, and refused since then.
    let mut next = stands.moved(Stage::Unproven);
    next.detail.reversal.promised = true;
    Some(next)
}

/// What a code that was refused once says by the configuration of today: the record over the revision before it, or
/// `None` where it still says nothing. Nothing is sent for it.
pub fn explained(entry: &Entry, already: &[String], refuses_unknown: bool) -> Option<Entry> {
    let reversal = &entry.detail.reversal;
    let is_already = reversal.last.as_ref().is_some_and(|words| already.contains(&words.code));
    let explained = match entry.stage {
        _ if reversal.said != Some(Said::Refused) => false,
        Stage::Unproven => entry.promise_refused() && (is_already || refuses_unknown),
        // Refused, the sale stood; by now the code says that it had been given back elsewhere.
        Stage::Kept => is_already && entry.is_refused_refund(),
        Stage::Refused => is_already,
        _ => false,
    };
    explained.then(|| {
        let mut next = entry.moved(Stage::Reversed);
        next.detail.reversal.refused = false;
        // None of its tries did it.
        next.detail.reversal.elsewhere |= entry.stage == Stage::Kept;
        next
    })
}

/// What the gateway's own records say of a consume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The bizId stands there with its amount.
    Taken,
    /// They are complete, and it does not stand there.
    Absent,
    /// The bizId stands there, with another amount: neither, whatever else is found.
    Unfit,
    /// They say nothing that can be read, or do not have everything.
    Nothing,
}

/// What evidence makes of an outcome that is held: the record over the revision before it, or `None` where
/// nothing is proven. That a deduction stands there proves it at once; that none does proves something only when
/// the request can no longer arrive.
pub fn weigh(entry: &Entry, evidence: Evidence, late_window_over: bool) -> Option<Entry> {
    let (stage, code, message) = match evidence {
        // What was confirmed as undone never becomes a success.
        Evidence::Taken if entry.promise_refused() => return None,
        _ if entry.stage != Stage::Unknown && !entry.promise_refused() => return None,
        Evidence::Taken => (Stage::Succeeded, "0", "the deduction stands in the gateway's own records"),
        Evidence::Absent if late_window_over => (
            Stage::Reversed,
            codes::REVERSED.text,
            "the gateway's own records do not know it: it never happened",
        ),
        Evidence::Absent | Evidence::Unfit | Evidence::Nothing => return None,
    };
    let words = GatewayStatus { code: code.to_owned(), message: message.to_owned() };
    let mut next = entry.moved(stage);
    next.detail.doubt = None;
    next.detail.answered = true;
    match stage {
        Stage::Succeeded => next.detail.words = Some(words),
        _ => next.detail.reversal.last = Some(words),
    }
    Some(next)
}

/// Why a person's decision is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSettled {
    /// There is nothing to decide.
    #[error("it is settled already")]
    Settled,
    /// The gateway has refused its refund, which leaves it as it was.
    #[error(
        "it stands already: the gateway refused its refund; only `undone` (given back elsewhere) can be said of it"
    )]
    Stands,
    /// It is on its way.
    #[error("it is still running; wait for its outcome")]
    Running,
    /// Its reversal was refused while the consume may still arrive: it is asked for again.
    #[error(
        "its reversal was refused, but is asked for again until late_arrival_ms have passed; decide then"
    )]
    AskedAgain,
    /// A reversal left that was not refused, be it the last one or one before it: it may have been undone.
    #[error("a reversal has been sent that was not refused, so nobody may say that it stands")]
    MayBeReversed,
}

/// A person decides what nobody could find out.
pub fn settle(entry: &Entry, kept: bool, by: &str, reason: &str) -> Result<Entry, NotSettled> {
    match entry.stage {
        Stage::Sending => return Err(NotSettled::Running),
        Stage::Kept if entry.is_refund() && kept => return Err(NotSettled::Stands),
        Stage::Kept if entry.is_refund() => {}
        stage if !stage.is_unsettled() => return Err(NotSettled::Settled),
        _ => {}
    }
    let reversal = &entry.detail.reversal;
    // The last refusal says nothing of the tries before it, and what was confirmed once was done, or is a promise.
    let may_be_reversed = reversal.unanswered > 0 || entry.is_promised();
    if kept && reversal.tries > 0 && (!reversal.refused || may_be_reversed) {
        return Err(match reversal.said {
            Some(Said::Refused) if !may_be_reversed => NotSettled::AskedAgain,
            _ => NotSettled::MayBeReversed,
        });
    }
    let mut next = entry.moved(if kept { Stage::Kept } else { Stage::Undone });
    // Every try of a refund that was refused did nothing, so somebody else gave it back.
    next.detail.reversal.elsewhere |= entry.stage == Stage::Kept;
    next.detail.reversal.sent_away |= entry.sent_away();
    next.detail.settlement =
        Some(Settlement { by: by.to_owned(), reason: reason.to_owned(), from: entry.stage });
    Ok(next)
}

#[cfg(test)]
mod tests;
