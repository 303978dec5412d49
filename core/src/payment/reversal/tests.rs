//! Tables of the decisions about entries that are in doubt or are to be undone.

use super::*;
use crate::gateway::Identity;
use crate::money::BizId;
use crate::payment::reconcile::{Evidence, weigh};
use crate::payment::settlement::{NotSettled, settle};
use crate::payment::{Key, OnUnknown, Owner, Settlement};

mod every_answer;

fn entry(stage: Stage) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    Entry::intent(key, Identity::default(), Owner("me".into()), OnUnknown::Reverse, 0).moved(stage)
}

fn words() -> GatewayStatus {
    GatewayStatus::default()
}

#[test]
fn while_the_consume_may_still_arrive_an_undoing_is_only_a_promise() {
    for (answer, over, answered, wanted) in [
        (Reversed::Done(words()), false, false, Stage::Reversing),
        (Reversed::Done(words()), true, false, Stage::Reversed),
        (Reversed::Done(words()), false, true, Stage::Reversed),
        (Reversed::NotFound(words()), false, false, Stage::Reversing),
        (Reversed::NotFound(words()), false, true, Stage::Reversing),
        (Reversed::NotFound(words()), true, false, Stage::Reversed),
        (Reversed::Again(words()), true, true, Stage::Reversing),
        (Reversed::Refused(words()), true, true, Stage::Refused),
        (Reversed::Refused(words()), false, true, Stage::Refused),
        (Reversed::Refused(words()), false, false, Stage::Reversing),
    ] {
        let mut before = entry(Stage::Reversing);
        before.detail.answered = answered;
        let after = reversal_answered(&before, &answer, over, false);
        assert_eq!(after.stage(), wanted, "{answer:?} {over} {answered}");
        assert_eq!(after.revision(), before.revision() + 1);
    }
}

#[test]
fn another_tills_sale_that_is_not_found_is_not_called_reversed() {
    let mut foreign = entry(Stage::Reversing);
    foreign.detail.foreign = true;
    foreign.detail.answered = true;
    assert_eq!(
        reversal_answered(&foreign, &Reversed::NotFound(words()), true, false).stage(),
        Stage::Refused
    );
    assert_eq!(reversal_answered(&foreign, &Reversed::Done(words()), false, false).stage(), Stage::Reversed);
}

#[test]
fn a_reversal_goes_by_the_returned_id_and_never_guesses() {
    let mut returned = entry(Stage::Reversing);
    returned.detail.returned_biz_id = Some("R1".into());
    assert!(
        matches!(try_reversal(&returned, true), Try::Send { biz_id, record } if biz_id == "R1" && record.detail.reversal.tries == 1)
    );
    assert!(
        matches!(try_reversal(&entry(Stage::Reversing), false), Try::Send { biz_id, .. } if biz_id == "B1")
    );
    assert!(
        matches!(try_reversal(&entry(Stage::Reversing), true), Try::GiveUp(record) if record.stage() == Stage::Unproven)
    );
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Reversing) {
        assert!(matches!(try_reversal(&entry(stage), false), Try::NotNeeded));
    }
}

#[test]
fn asking_records_before_anything_is_sent() {
    for (stage, wanted) in [
        (Stage::Sending, Stage::Sending),
        (Stage::Succeeded, Stage::Reversing),
        (Stage::Unknown, Stage::Reversing),
        (Stage::Refused, Stage::Reversing),
        (Stage::Declined, Stage::Reversed),
        (Stage::NotSent, Stage::Reversed),
    ] {
        assert!(
            matches!(request(&entry(stage), None, true, By::Till), Requested::Record(record) if record.stage() == wanted),
            "{stage:?}"
        );
    }
    assert!(matches!(request(&entry(Stage::Succeeded), None, false, By::Till), Requested::Impossible));
    assert!(matches!(request(&entry(Stage::Unproven), None, true, By::Till), Requested::Impossible));
    assert!(matches!(request(&entry(Stage::Reversed), None, true, By::Till), Requested::AlreadyReversed));
    assert!(matches!(request(&entry(Stage::Reversing), None, true, By::Till), Requested::InProgress));
}

#[test]
fn only_a_deduction_that_stands_proves_at_once() {
    for (evidence, over, wanted) in [
        (Evidence::Taken, false, Some(Stage::Succeeded)),
        (Evidence::Absent, true, Some(Stage::Reversed)),
        (Evidence::Absent, false, None),
        (Evidence::Unfit, true, None),
        (Evidence::Nothing, true, None),
    ] {
        let after = weigh(&entry(Stage::Unknown), evidence, over);
        assert_eq!(after.map(|after| after.stage()), wanted, "{evidence:?} {over}");
    }
    // An entry that is to be reversed never becomes a success.
    assert_eq!(weigh(&entry(Stage::Reversing), Evidence::Taken, true), None);
}

#[test]
fn a_person_cannot_keep_what_may_be_reversed() {
    let mut sent = entry(Stage::Reversing);
    sent.detail.reversal.tries = 1;
    assert_eq!(settle(&sent, true, "a", "b").unwrap_err(), NotSettled::MayBeReversed);
    assert_eq!(settle(&sent, false, "a", "b").unwrap().stage(), Stage::Undone);
    sent.detail.reversal.refused = true;
    assert_eq!(settle(&sent, true, "a", "b").unwrap().stage(), Stage::Kept);
    // Only the last try was refused.
    let mut lost = sent.clone();
    (lost.detail.reversal.tries, lost.detail.reversal.unanswered) = (2, 1);
    assert_eq!(settle(&lost, true, "a", "b").unwrap_err(), NotSettled::MayBeReversed);
    let mut confirmed = sent.clone();
    confirmed.detail.reversal.promised = true;
    assert_eq!(settle(&confirmed, true, "a", "b").unwrap_err(), NotSettled::MayBeReversed);
    assert_eq!(settle(&entry(Stage::Sending), true, "a", "b").unwrap_err(), NotSettled::Running);
    assert_eq!(settle(&entry(Stage::Succeeded), true, "a", "b").unwrap_err(), NotSettled::Settled);
    // Inside the window a refusal is not final.
    let mut asked_again = entry(Stage::Reversing);
    asked_again.detail.reversal = Reversal { tries: 1, said: Some(Said::Refused), ..Reversal::default() };
    assert_eq!(settle(&asked_again, true, "a", "b").unwrap_err(), NotSettled::AskedAgain);
    // For a sale whose refund was refused, a person may only decide that the money was given back elsewhere.
    let refused = refund_after(&[Fate::Refused]);
    assert_eq!(settle(&refused, true, "a", "b").unwrap_err(), NotSettled::Stands);
    let undone = settle(&refused, false, "a", "b").unwrap();
    assert_eq!((undone.stage, undone.detail.reversal.elsewhere), (Stage::Undone, true));
    assert_eq!(settle(&undone, false, "a", "b").unwrap_err(), NotSettled::Settled);
    let lost = settle(&refund_after(&[Fate::Lost]), false, "a", "b").unwrap();
    assert!(!lost.detail.reversal.elsewhere, "its own try may have done it");
}

/// `explained` with a code that was refused with 920002.
fn explained_code(before: &Entry, is_already: bool, refuses_unknown: bool) -> Option<Entry> {
    let already = ["910001", if is_already { "920002" } else { "920003" }].map(str::to_owned);
    explained(before, &already, refuses_unknown)
}

#[test]
fn a_refused_code_is_explained_only_by_what_says_that_nothing_stands() {
    // The stage, whether it was confirmed before, whether the code is one of `already`, `refuses_unknown`.
    const EXPLAINED: [(Stage, bool, bool, bool); 7] = [
        (Stage::Refused, false, true, false),
        (Stage::Refused, false, true, true),
        (Stage::Refused, true, true, false),
        (Stage::Refused, true, true, true),
        (Stage::Unproven, true, true, false),
        (Stage::Unproven, true, false, true),
        (Stage::Unproven, true, true, true),
    ];
    let every_said = [Said::Done, Said::Already, Said::NotFound, Said::Refused, Said::Nothing];
    let every_said: Vec<_> = every_said.into_iter().map(Some).chain([None]).collect();
    for stage in Stage::ALL {
        for (said, bits) in every_said.iter().flat_map(|said| (0..8).map(|bits| (*said, bits))) {
            let [promised, is_already, refuses_unknown] = [1, 2, 4].map(|bit| bits & bit != 0);
            let mut before = entry(stage);
            before.detail.reversal = Reversal {
                tries: 2,
                unanswered: 1,
                last: Some(GatewayStatus { code: "920002".to_owned(), message: "no".to_owned() }),
                refused: true,
                said,
                promised,
                ..Reversal::default()
            };
            let case = format!("{stage:?} {said:?} {promised} {is_already} {refuses_unknown}");
            let wanted = said == Some(Said::Refused)
                && EXPLAINED.contains(&(stage, promised, is_already, refuses_unknown));
            let after = explained_code(&before, is_already, refuses_unknown);
            assert_eq!(after.is_some(), wanted, "{case}");
            if let Some(after) = after {
                assert_eq!((after.stage, after.revision), (Stage::Reversed, before.revision + 1), "{case}");
                let same_words = Reversal { refused: false, ..before.detail.reversal };
                assert_eq!(after.detail.reversal, same_words, "{case}");
            }
        }
    }
}

#[test]
fn without_words_there_is_no_code_to_explain() {
    let mut before = entry(Stage::Refused);
    before.detail.reversal.said = Some(Said::Refused);
    assert_eq!(explained_code(&before, true, true), None);
}

#[test]
fn an_unrecorded_try_leaves_only_where_it_cannot_make_a_refund_look_refused() {
    for (refund, tries, unanswered, leaves) in [
        (false, 0, 0, false),
        (false, 1, 0, true),
        (false, 1, 1, true),
        (false, 2, 2, true),
        (true, 0, 0, false),
        (true, 1, 0, false),
        (true, 1, 1, false),
        (true, 2, 1, false),
        (true, 2, 2, true),
        (true, 5, 3, true),
    ] {
        let mut before = entry(Stage::Reversing);
        before.detail.reversal = Reversal { tries, refund, unanswered, ..Reversal::default() };
        let case = format!("{refund} {tries} {unanswered}");
        let goes_on = unrecorded(&before);
        assert_eq!(goes_on.is_some(), leaves, "{case}");
        let Some(goes_on) = goes_on else { continue };
        // The record that the answer is to be stored over is the one on disk, and counts no more tries.
        assert_eq!((goes_on.revision, goes_on.stage), (before.revision, before.stage), "{case}");
        let reversal = Reversal { unanswered: unanswered + 1, ..before.detail.reversal.clone() };
        assert_eq!(goes_on.detail.reversal, reversal, "{case}");
        // The refusal belongs to its own try: the tries that the record counts stay unanswered.
        let refused = reversal_answered(&goes_on, &Reversed::Refused(words()), true, false);
        assert_eq!(refused.detail.reversal.unanswered, unanswered, "{case}");
        assert_ne!(refused.stage, Stage::Kept, "{case}");
    }
}

/// The outcome of one try of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The try is recorded, and its process dies.
    Dies,
    /// No reliable answer to the try is received.
    Lost,
    /// The gateway answers "not found", though the consume exists.
    NotFound,
    /// The try is refused with the gateway's own status.
    Refused,
}

impl Fate {
    const ALL: [Fate; 4] = [Fate::Dies, Fate::Lost, Fate::NotFound, Fate::Refused];

    /// Every sequence of that length.
    fn sequences(length: u32) -> impl Iterator<Item = Vec<Fate>> {
        (0..4_usize.pow(length))
            .map(move |number| (0..length).map(|at| Fate::ALL[number / 4_usize.pow(at) % 4]).collect())
    }
}

/// The refund of a finished sale, try by try; a till asks again whenever the refund has ended.
fn refund_after(fates: &[Fate]) -> Entry {
    let mut stands = entry(Stage::Succeeded);
    stands.detail.answered = true;
    for fate in fates {
        if stands.stage != Stage::Reversing {
            let Requested::Record(asked) = request(&stands, None, true, By::Till) else {
                panic!("{stands:?}")
            };
            stands = asked;
        }
        let Try::Send { record, .. } = try_reversal(&stands, false) else { panic!("{stands:?}") };
        let answer = match fate {
            Fate::Dies => None,
            Fate::Lost => Some(Reversed::Again(words())),
            Fate::NotFound => Some(Reversed::NotFound(words())),
            Fate::Refused => Some(Reversed::Refused(words())),
        };
        stands = answer.map_or(record.clone(), |answer| reversal_answered(&record, &answer, false, false));
    }
    stands
}

#[test]
fn a_refund_is_kept_only_where_every_try_was_refused() {
    for (fates, wanted) in [
        (&[Fate::Refused][..], Stage::Kept),
        (&[Fate::Refused, Fate::Refused], Stage::Kept),
        (&[Fate::Lost, Fate::Refused], Stage::Refused),
        (&[Fate::Dies, Fate::Refused], Stage::Refused),
        (&[Fate::NotFound, Fate::Refused], Stage::Refused),
        (&[Fate::Refused, Fate::Lost, Fate::Refused], Stage::Refused),
        (&[Fate::Lost, Fate::Refused, Fate::Refused], Stage::Refused),
        (&[Fate::Lost], Stage::Reversing),
    ] {
        assert_eq!(refund_after(fates).stage, wanted, "{fates:?}");
    }
    for fates in (1..=6).flat_map(Fate::sequences) {
        let stands = refund_after(&fates);
        let refusals = fates.iter().filter(|fate| **fate == Fate::Refused).count();
        let wanted = match fates.last() {
            Some(Fate::Refused) if refusals == fates.len() => Stage::Kept,
            Some(Fate::Refused) => Stage::Refused,
            _ => Stage::Reversing,
        };
        assert_eq!(stands.stage, wanted, "{fates:?}");
        let reversal = &stands.detail.reversal;
        let counted = (reversal.tries as usize, reversal.unanswered as usize);
        assert_eq!(counted, (fates.len(), fates.len() - refusals), "{fates:?}");
        assert!(reversal.refund, "{fates:?}");
    }
}

#[test]
fn a_refund_that_was_refused_is_explained_unless_a_person_has_settled_it() {
    let mut kept = refund_after(&[Fate::Refused]);
    kept.detail.reversal.last = Some(GatewayStatus { code: "920002".to_owned(), message: "no".to_owned() });
    assert_eq!(kept.stage, Stage::Kept);
    let after = explained_code(&kept, true, false).unwrap();
    assert_eq!((after.stage, after.detail.reversal.elsewhere), (Stage::Reversed, true));
    assert_eq!(explained_code(&kept, false, true), None);
    kept.detail.settlement =
        Some(Settlement { by: "a".to_owned(), reason: "b".to_owned(), from: Stage::Refused });
    assert_eq!(explained_code(&kept, true, false), None);
}

#[test]
fn what_is_proven_is_not_lost_to_a_try_that_received_less() {
    let mut tried = entry(Stage::Reversing);
    tried.detail.answered = true;
    tried.detail.reversal = Reversal { tries: 1, unanswered: 1, refund: true, ..Reversal::default() };
    let over = |stands: &Entry, answer: Reversed, late_window_over| {
        confirmed_over(stands, &tried, &answer, late_window_over, false)
    };
    let stands = |stage: Stage| {
        let mut stands = tried.moved(stage);
        stands.detail.reversal.tries = 2;
        stands.detail.reversal.refused = stage != Stage::Reversing;
        stands.detail.reversal.said = Some(Said::Refused);
        stands
    };
    for stage in Stage::ALL {
        let is_open = matches!(stage, Stage::Reversing | Stage::Refused | Stage::Unproven | Stage::Kept);
        for answer in [Reversed::Done(words()), Reversed::Already(words())] {
            let after = over(&stands(stage), answer, false);
            assert_eq!(after.is_some(), is_open, "{stage:?}");
            assert!(after.is_none_or(|after| after.stage == Stage::Reversed), "{stage:?}");
        }
        for answer in [Reversed::Refused(words()), Reversed::NotFound(words()), Reversed::Again(words())] {
            assert_eq!(over(&stands(stage), answer, true), None, "{stage:?}");
        }
    }
    // A confirmation from before the sale arrived once more says nothing about that arrival.
    let mut opened = stands(Stage::Refused);
    opened.detail.reopened = 1;
    assert_eq!(over(&opened, Reversed::Done(words()), true), None);
    // Nor does one from before the consume was answered.
    let mut unanswered = tried.clone();
    unanswered.detail.answered = false;
    let answered = stands(Stage::Reversing);
    assert!(answered.detail.answered);
    assert_eq!(confirmed_over(&answered, &unanswered, &Reversed::Done(words()), true, false), None);
    // While the consume may still arrive, the confirmation is a promise, which was refused since then.
    let mut lost = stands(Stage::Refused);
    lost.detail.answered = false;
    let after = over(&lost, Reversed::Done(words()), false).unwrap();
    assert_eq!((after.stage, after.promise_refused()), (Stage::Unproven, true));
}

/// A person kept a sale for which the till had been told to take another tender; a refund of it cannot be determined.
#[test]
fn what_was_sent_to_another_tender_stays_so_through_a_refund() {
    let mut kept = entry(Stage::Kept);
    kept.detail.reversal.sent_away = true;
    let Requested::Record(asked) = request(&kept, None, true, By::Till) else { panic!("a refund") };
    assert!(asked.is_refund() && asked.sent_away());
    let Try::GiveUp(unproven) = try_reversal(&asked, true) else { panic!("no bizId to go by") };
    assert!(unproven.stage() == Stage::Unproven && unproven.sent_away());
    let refused = reversal_answered(&asked, &Reversed::Refused(words()), true, false);
    assert!(refused.sent_away(), "{:?}", refused.stage());
    // A finished sale was not.
    let mut finished = entry(Stage::Succeeded);
    finished.detail.answered = true;
    let Requested::Record(asked) = request(&finished, None, true, By::Till) else { panic!("a refund") };
    assert!(!asked.sent_away());
}
