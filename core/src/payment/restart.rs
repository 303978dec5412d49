//! The answer to a till that has started again and asks about an attempt that it has stored. A record is reported
//! unless it may be out of date; a missing record proves that nothing was sent only in the journal with which the
//! attempt was made.

use super::{Entry, Stage, made_biz_id};
use crate::money::BizId;

/// With which journal the till made its attempt, as far as the till says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The till does not say.
    NotSaid,
    /// With this journal.
    Here,
    /// With another journal.
    Elsewhere,
}

impl Attempt {
    /// Compares the identity of this journal with the one that the till has stored, and with the one in a bizId that the
    /// library has made. It was made here only if neither says another.
    pub(crate) fn of(stored: Option<&str>, biz_id: &BizId, journal: &str) -> Attempt {
        let stored = stored.map(|stored| stored == journal);
        match (stored, made_biz_id::is_made_for(biz_id, journal)) {
            (None, None) => Attempt::NotSaid,
            (Some(false), _) | (_, Some(false)) => Attempt::Elsewhere,
            _ => Attempt::Here,
        }
    }
}

/// What is known about an attempt. Nothing is sent to find it out.
#[derive(Clone, Debug)]
pub enum Known {
    /// This is the record.
    Existing(Entry),
    /// The attempt was left behind by a crash or by an outcome that could not be recorded, and that cannot be recorded
    /// now.
    LeftBehind(Entry),
    /// The attempt was made with this journal, which has no record of it: no byte of the attempt was ever sent.
    NeverSent,
    /// This journal proves nothing: the attempt was made with another journal or under another account.
    OtherJournal(Option<Entry>),
    /// There is no record, and the till does not say with which journal the attempt was made.
    NotRecorded,
}

/// What is known about an attempt. `under_another_account` says that this journal has a record of the bizId for another
/// account.
pub(crate) fn known(standing: Option<Entry>, attempt: Attempt, under_another_account: bool) -> Known {
    match (standing, attempt) {
        // The record may be out of date: a later attempt, or the refund of a success, may have been made with the other
        // journal or be among the records that were lost.
        (Some(entry), Attempt::Elsewhere)
            if matches!(entry.stage, Stage::Declined | Stage::NotSent | Stage::Succeeded | Stage::Kept) =>
        {
            Known::OtherJournal(Some(entry))
        }
        (Some(entry), _) => Known::Existing(entry),
        (None, Attempt::Here) if !under_another_account => Known::NeverSent,
        (None, Attempt::Here | Attempt::Elsewhere) => Known::OtherJournal(None),
        (None, Attempt::NotSaid) => Known::NotRecorded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::payment::{Key, OnUnknown, Owner};

    fn entry(stage: Stage) -> Entry {
        let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
        Entry::intent(key, Identity::default(), Owner("me".into()), OnUnknown::Reverse, 0).moved(stage)
    }

    #[test]
    fn no_record_says_something_only_under_the_same_identity() {
        let tills_own = BizId::new("B1").unwrap();
        assert_eq!(Attempt::of(None, &tills_own, "a"), Attempt::NotSaid);
        assert_eq!(Attempt::of(Some("a"), &tills_own, "a"), Attempt::Here);
        assert_eq!(Attempt::of(Some("A"), &tills_own, "a"), Attempt::Elsewhere);
        assert!(matches!(known(None, Attempt::Here, false), Known::NeverSent));
        assert!(matches!(known(None, Attempt::Here, true), Known::OtherJournal(None)));
        assert!(matches!(known(None, Attempt::Elsewhere, false), Known::OtherJournal(None)));
        assert!(matches!(known(None, Attempt::NotSaid, false), Known::NotRecorded));
    }

    #[test]
    fn a_biz_id_that_the_library_has_made_names_its_journal() {
        let made = made_biz_id::make(1_795_000_000_000, 7, "a").unwrap();
        assert_eq!(Attempt::of(None, &made, "a"), Attempt::Here);
        assert_eq!(Attempt::of(Some("a"), &made, "a"), Attempt::Here);
        assert_eq!(Attempt::of(None, &made, "b"), Attempt::Elsewhere);
        // Made for one journal and sent with another: neither alone knows all attempts.
        assert_eq!(Attempt::of(Some("b"), &made, "a"), Attempt::Elsewhere);
        assert_eq!(Attempt::of(Some("b"), &made, "b"), Attempt::Elsewhere);
    }

    #[test]
    fn what_may_have_changed_since_is_told_only_by_the_journal_of_the_attempt() {
        for stage in Stage::ALL {
            for attempt in [Attempt::NotSaid, Attempt::Here] {
                assert!(matches!(known(Some(entry(stage)), attempt, true), Known::Existing(_)), "{stage:?}");
            }
            let may_be_sent_again = matches!(stage, Stage::Declined | Stage::NotSent);
            let may_be_given_back = matches!(stage, Stage::Succeeded | Stage::Kept);
            let told = known(Some(entry(stage)), Attempt::Elsewhere, false);
            let out_of_date = may_be_sent_again || may_be_given_back;
            assert_eq!(matches!(told, Known::OtherJournal(Some(_))), out_of_date, "{stage:?}");
        }
    }
}
