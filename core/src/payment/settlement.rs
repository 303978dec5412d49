//! What a person decides about an outcome that nobody could find out.

use super::{Entry, Said, Settlement, Stage};

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
