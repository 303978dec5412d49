//! A person's decision about an outcome that could not be determined.

use super::{Entry, Said, Settlement, Stage};

/// Why a person's decision is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSettled {
    /// The entry is settled: there is nothing to decide.
    #[error("it is settled already")]
    Settled,
    /// The gateway refused the refund of the sale, so the sale is still valid.
    #[error(
        "it is valid already: the gateway refused its refund; only `undone` (given back elsewhere) can be said of it"
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
    #[error("a reversal has been sent that was not refused, so it cannot be settled as kept")]
    MayBeReversed,
}

/// Records a person's decision about an entry: `kept` says that the sale is valid.
pub(crate) fn settle(entry: &Entry, kept: bool, by: &str, reason: &str) -> Result<Entry, NotSettled> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{GatewayStatus, Identity};
    use crate::money::BizId;
    use crate::outcome::codes;
    use crate::payment::{Key, OnUnknown, Owner, Reversal};

    /// The rules in other words, for everything that decides.
    #[test]
    fn a_decision_stands_only_where_nothing_that_was_sent_can_contradict_it() {
        for stage in Stage::ALL {
            for bits in 0..1_u32 << 8 {
                let [kept, refund, refused, promised, unanswered, sent, no, away] =
                    std::array::from_fn(|at| bits >> at & 1 == 1);
                let key =
                    Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
                let mut entry =
                    Entry::intent(key, Identity::default(), Owner("me".into()), OnUnknown::Reverse, 0)
                        .moved(stage);
                entry.detail.reversal = Reversal {
                    tries: u32::from(sent),
                    unanswered: u32::from(unanswered),
                    refund,
                    refused,
                    promised,
                    said: Some(if no { Said::Refused } else { Said::Nothing }),
                    sent_away: away,
                    last: Some(GatewayStatus {
                        code: codes::LATE_PROOF.text.to_owned(),
                        message: String::new(),
                    }),
                    ..Reversal::default()
                };
                let case = format!("{entry:?} {kept}");
                let open =
                    matches!(stage, Stage::Unknown | Stage::Reversing | Stage::Refused | Stage::Unproven);
                let refused_refund = stage == Stage::Kept && refund;
                let may_be_undone = unanswered || promised;
                let wanted = match stage {
                    Stage::Sending => Err(NotSettled::Running),
                    _ if refused_refund && kept => Err(NotSettled::Stands),
                    _ if !open && !refused_refund => Err(NotSettled::Settled),
                    _ if !kept || !sent => Ok(()),
                    _ if may_be_undone => Err(NotSettled::MayBeReversed),
                    _ if refused => Ok(()),
                    _ if no => Err(NotSettled::AskedAgain),
                    _ => Err(NotSettled::MayBeReversed),
                };
                let settled = settle(&entry, kept, "w", "r");
                assert_eq!(settled.as_ref().map(|_| ()).map_err(|why| *why), wanted, "{case}");
                let Ok(settled) = settled else { continue };
                assert_eq!(settled.stage, if kept { Stage::Kept } else { Stage::Undone }, "{case}");
                assert_eq!(settled.revision, entry.revision + 1, "{case}");
                let reversal = Reversal {
                    elsewhere: stage == Stage::Kept,
                    sent_away: away || entry.sent_away(),
                    ..entry.detail.reversal.clone()
                };
                assert_eq!(settled.detail.reversal, reversal, "{case}");
                let by = Settlement { by: "w".to_owned(), reason: "r".to_owned(), from: stage };
                assert_eq!(settled.detail.settlement, Some(by), "{case}");
            }
        }
    }

    #[test]
    fn what_was_said_before_stays_said() {
        let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
        let mut entry = Entry::intent(key, Identity::default(), Owner("me".into()), OnUnknown::Hold, 0)
            .moved(Stage::Unknown);
        (entry.detail.reversal.elsewhere, entry.detail.reversal.sent_away) = (true, true);
        let settled = settle(&entry, false, "w", "r").unwrap();
        assert!(settled.detail.reversal.elsewhere && settled.detail.reversal.sent_away);
        entry.detail.reversal = Reversal::default();
        let settled = settle(&entry, false, "w", "r").unwrap();
        assert!(!settled.detail.reversal.elsewhere && !settled.detail.reversal.sent_away);
    }
}
