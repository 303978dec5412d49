//! The rules that keep a record out of the journal. Every store applies them.

use super::Recorded;
use crate::gateway::Identity;
use crate::payment::{Entry, Stage};

/// Which unsettled sales keep a new sale from being sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// The sales of the same member, and those with one of the same coupons.
    #[default]
    Member,
    /// The sales with one of the same coupons.
    Coupon,
    /// None.
    Off,
}

impl Guard {
    /// Whether an unsettled entry keeps a request from being sent.
    pub fn holds_back(self, unsettled: &Entry, request: &Identity) -> bool {
        match self {
            Guard::Off => false,
            _ if !unsettled.holds_back() => false,
            Guard::Coupon => unsettled.touches_coupon(request),
            Guard::Member => unsettled.touches_member(request) || unsettled.touches_coupon(request),
        }
    }

    /// Whether another entry keeps a record out. An attempt that is still running is not in doubt; an attempt whose
    /// process died is.
    pub fn keeps_out(
        self,
        record: &Entry,
        other: &Entry,
        may_be_running: impl FnOnce(&Entry) -> bool,
    ) -> bool {
        other.stage().is_unsettled()
            && other.key() != record.key()
            && other.key().is_of_same_account(record.key())
            && self.holds_back(other, record.identity())
            && (other.stage() != Stage::Sending || !may_be_running(other))
    }
}

/// Whether a record may be written.
#[derive(Debug)]
pub enum Admission {
    /// The record is written.
    Write,
    /// Another record keeps it out.
    KeptOut(Box<Recorded>),
    /// The revision before it is gone.
    Vanished,
}

/// Decides whether a record may be written over the existing record of its bizId. The existing record is returned before
/// the guard is asked: only a record that would be written can be held back.
pub fn admit<E>(
    existing: Option<&Entry>,
    record: &Entry,
    held_back: impl Fn() -> Result<Option<Entry>, E>,
) -> Result<Admission, E> {
    let fits = existing.map_or(0, Entry::revision) + 1 == record.revision();
    Ok(match existing {
        Some(found) if !fits => Admission::KeptOut(Box::new(Recorded::Existing(found.clone()))),
        None if !fits => Admission::Vanished,
        _ => match held_back()? {
            Some(other) => Admission::KeptOut(Box::new(Recorded::InDoubt(other))),
            None => Admission::Write,
        },
    })
}
