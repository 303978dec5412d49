//! A person's decision about an outcome that could not be determined.

use super::{Entry, Said, Settlement, Stage};

/// Why a person's decision is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSettled {
    /// The entry is settled: there is nothing to decide.
    #[error("it is settled already")]
    Settled,
    /// The gateway refused the refund of the sale, so the sale is still valid.
    #[error(
        "it stands already: the gateway refused its refund; only `undone` (given back elsewhere) can be said of it"
    )]
    Stands,
    /// The consume is still running.
    #[error("it is still running; wait for its outcome")]
    Running,
    /// The reversal was refused while the consume may still arrive, so the reversal is sent again.
    #[error(
        "its reversal was refused, but is asked for again until late_arrival_ms have passed; decide then"
    )]
    AskedAgain,
    /// A reversal was sent that was not refused, the last one or an earlier one: the sale may have been undone.
    #[error("a reversal has been sent that was not refused, so nobody may say that it stands")]
    MayBeReversed,
}

/// Records a person's decision about an entry: `kept` says that the sale is valid.
pub fn settle(entry: &Entry, kept: bool, by: &str, reason: &str) -> Result<Entry, NotSettled> {
    match entry.stage {
        Stage::Sending => return Err(NotSettled::Running),
        Stage::Kept if entry.is_refund() && kept => return Err(NotSettled::Stands),
        Stage::Kept if entry.is_refund() => {}
        stage if !stage.is_unsettled() => return Err(NotSettled::Settled),
        _ => {}
    }
    let reversal = &entry.detail.reversal;
    // The last refusal says nothing about earlier tries, and a confirmed reversal was carried out or is a promise.
    let may_be_reversed = reversal.unanswered > 0 || entry.is_promised();
    if kept && reversal.tries > 0 && (!reversal.refused || may_be_reversed) {
        return Err(match reversal.said {
            Some(Said::Refused) if !may_be_reversed => NotSettled::AskedAgain,
            _ => NotSettled::MayBeReversed,
        });
    }
    let mut next = entry.moved(if kept { Stage::Kept } else { Stage::Undone });
    // Every refused try of a refund did nothing, so the money was given back elsewhere.
    next.detail.reversal.elsewhere |= entry.stage == Stage::Kept;
    next.detail.reversal.sent_away |= entry.sent_away();
    next.detail.settlement =
        Some(Settlement { by: by.to_owned(), reason: reason.to_owned(), from: entry.stage });
    Ok(next)
}
