//! Each answer of the gateway's records, and what it proves.

use super::*;
use crate::gateway::Identity;
use crate::money::BizId;
use crate::payment::{Key, OnUnknown, Owner};

const BOTH: Records = Records { balance: true, coupons: true };

fn entry() -> Entry {
    let key = Key { open_id: "o".into(), endpoint: "e".into(), biz_id: BizId::new("B1").unwrap() };
    let coupons = vec!["C1".to_owned(), "C2".to_owned()];
    let identity = Identity { coupons, ..Identity::default() };
    Entry::intent(key, identity, Owner("me".into()), OnUnknown::Hold, 0).moved(Stage::Unknown)
}

/// The stage after these answers, in their order; `None` if a question is still open.
fn after(records: Records, late_window_over: bool, answers: &[Event]) -> Option<Stage> {
    let (mut state, mut effect) = step(State::New(entry()), Event::Begin, records, late_window_over);
    for answer in answers {
        (state, effect) = step(state, answer.clone(), records, late_window_over);
    }
    match effect {
        Effect::Record(record) => Some(record.stage()),
        Effect::Stands(entry) => Some(entry.stage()),
        _ => None,
    }
}

#[test]
fn a_deduction_is_proven_at_once_and_its_absence_only_after_the_window() {
    let missing = [Event::Balance(Balance::Missing), Event::OtherBizIds(false)];
    for (answers, over, wanted) in [
        (&[Event::Balance(Balance::Taken)][..], false, Stage::Succeeded),
        (&[Event::Balance(Balance::Unfit)][..], true, Stage::Unknown),
        (&missing[..], false, Stage::Unknown),
        (&missing[..], true, Stage::Reversed),
    ] {
        assert_eq!(after(BOTH, over, answers), Some(wanted), "{answers:?} {over}");
    }
}

#[test]
fn where_the_account_keeps_other_biz_ids_absence_says_nothing() {
    let balance = Records { coupons: false, ..BOTH };
    let answers = [Event::Balance(Balance::Missing), Event::OtherBizIds(true)];
    assert_eq!(after(balance, true, &answers), Some(Stage::Unknown));
    // The coupons may still prove something.
    assert_eq!(after(BOTH, true, &answers), None);
}

#[test]
fn only_coupons_that_are_all_unused_and_named_by_no_other_sale_prove_something() {
    let coupons = Records { balance: false, ..BOTH };
    let [unused, used] = [true, false].map(Event::CouponUnused);
    let [named, unnamed] = [true, false].map(Event::NamedElsewhere);
    for (answers, wanted) in [
        (vec![used.clone()], Stage::Unknown),
        (vec![unused.clone(), used], Stage::Unknown),
        (vec![unused.clone(), unused.clone(), named.clone()], Stage::Unknown),
        (vec![unused.clone(), unused.clone(), unnamed.clone(), named], Stage::Unknown),
        (vec![unused.clone(), unused, unnamed.clone(), unnamed], Stage::Reversed),
    ] {
        assert_eq!(after(coupons, true, &answers), Some(wanted), "{answers:?}");
    }
    // Inside the window the coupons are not asked.
    assert_eq!(after(coupons, false, &[]), Some(Stage::Unknown));
}

#[test]
fn a_journal_that_fails_and_an_event_out_of_order_prove_nothing() {
    for event in
        [Event::JournalFailed { code: &codes::JOURNAL, message: "full".into() }, Event::NamedElsewhere(false)]
    {
        let (state, _) = step(State::New(entry()), Event::Begin, BOTH, true);
        let (state, effect) = step(state, event, BOTH, true);
        assert!(matches!((state, effect), (State::Done, Effect::Failed { .. })));
    }
}
