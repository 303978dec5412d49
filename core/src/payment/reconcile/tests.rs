//! Each answer of the gateway's records, and what it proves.

use super::*;
use crate::gateway::Identity;
use crate::money::BizId;
use crate::payment::{Key, OnUnknown, Owner, Reversal, Said};

const BOTH: Records = Records { balance: true, coupons: true };

fn entry() -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
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

#[test]
fn each_question_is_asked_once_and_in_its_order() {
    let mut asked = Vec::new();
    let (mut state, mut effect) = step(State::New(entry()), Event::Begin, BOTH, true);
    // Twice as often as there are questions.
    for _ in 0..16 {
        let answer = match &effect {
            Effect::AskBalance => Event::Balance(Balance::Missing),
            Effect::AskOtherBizIds => Event::OtherBizIds(true),
            Effect::AskCoupon(_) => Event::CouponUnused(true),
            Effect::AskOtherSales(_) => Event::NamedElsewhere(false),
            Effect::Record(record) => Event::Recorded(record.clone()),
            Effect::Stands(_) | Effect::Failed { .. } => break,
        };
        asked.push(format!("{effect:?}").chars().take_while(|letter| *letter != '{').collect::<String>());
        (state, effect) = step(state, answer, BOTH, true);
    }
    assert!(matches!(effect, Effect::Stands(stands) if stands.stage() == Stage::Reversed));
    assert_eq!(
        asked,
        [
            "AskBalance",
            "AskOtherBizIds",
            "AskCoupon(0)",
            "AskCoupon(1)",
            "AskOtherSales(0)",
            "AskOtherSales(1)",
            "Record(Entry ",
        ]
    );
}

#[test]
fn records_that_nobody_keeps_are_not_asked() {
    for records in [Records::default(), Records { balance: false, coupons: true }, BOTH] {
        for over in [false, true] {
            let (_, effect) = step(State::New(entry()), Event::Begin, records, over);
            let case = format!("{records:?} {over}: {effect:?}");
            match (records.balance, records.coupons && over) {
                (true, _) => assert!(matches!(effect, Effect::AskBalance), "{case}"),
                (false, true) => assert!(matches!(effect, Effect::AskCoupon(0)), "{case}"),
                (false, false) => assert!(matches!(effect, Effect::Stands(_)), "{case}"),
            }
        }
    }
    // A sale without coupons cannot be proven by theirs.
    let mut money = entry();
    money.identity.coupons.clear();
    let (_, effect) = step(State::New(money), Event::Begin, Records { balance: false, ..BOTH }, true);
    assert!(matches!(effect, Effect::Stands(_)), "{effect:?}");
    // Balance records that say nothing leave the coupons.
    assert_eq!(after(BOTH, true, &[Event::Balance(Balance::Nothing)]), None);
}

#[test]
fn evidence_counts_only_where_an_outcome_is_open() {
    for stage in Stage::ALL {
        for broken_promise in [false, true] {
            let mut entry = entry().moved(stage);
            entry.detail.doubt = Some("ZV-LOST".to_owned());
            if broken_promise {
                entry.detail.reversal =
                    Reversal { promised: true, said: Some(Said::Refused), ..Reversal::default() };
            }
            let refused = stage == Stage::Unproven && broken_promise;
            let held = stage == Stage::Unknown;
            assert_eq!(is_open_to_evidence(&entry), held || refused, "{stage:?} {broken_promise}");
            for over in [false, true] {
                for evidence in [Evidence::Taken, Evidence::Absent, Evidence::Unfit, Evidence::Nothing] {
                    let wanted = match evidence {
                        // A sale that was promised to be undone never becomes a success.
                        Evidence::Taken if held => Some(Stage::Succeeded),
                        Evidence::Absent if (held || refused) && over => Some(Stage::Reversed),
                        _ => None,
                    };
                    let after = weigh(&entry, evidence, over);
                    let case = format!("{stage:?} {broken_promise} {over} {evidence:?}");
                    assert_eq!(after.as_ref().map(Entry::stage), wanted, "{case}");
                    let Some(after) = after else { continue };
                    assert!(after.detail.answered && after.detail.doubt.is_none(), "{case}");
                    let (words, last) = (&after.detail.words, &after.detail.reversal.last);
                    let code =
                        |status: &Option<GatewayStatus>| status.as_ref().map(|status| status.code.clone());
                    let told = if after.stage() == Stage::Succeeded {
                        (Some("0".to_owned()), None)
                    } else {
                        (None, Some("ZV-REVERSED".to_owned()))
                    };
                    assert_eq!((code(words), code(last)), told, "{case}");
                }
            }
        }
    }
}
