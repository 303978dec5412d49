//! What is asked of a record, for every stage and every fact that the answer may depend on.

use super::*;

/// Every combination of so many facts.
fn facts<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0..1_u32 << N).map(|bits| std::array::from_fn(|at| bits >> at & 1 == 1))
}

fn at(stage: Stage) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    Entry::intent(key, asked(), Owner("me".into()), OnUnknown::Hold, 1_795_000_000_000).moved(stage)
}

fn status(code: &str) -> GatewayStatus {
    GatewayStatus { code: code.to_owned(), message: "words".to_owned() }
}

#[test]
fn an_account_is_an_open_id_at_a_gateway() {
    let key = |open_id: &str, environment: &str, biz_id: &str| Key {
        open_id: open_id.into(),
        environment: environment.into(),
        biz_id: BizId::new(biz_id).unwrap(),
    };
    for (other, is_same) in [
        (key("o", "e", "B1"), true),
        (key("o", "e", "B2"), true),
        (key("p", "e", "B1"), false),
        (key("o", "f", "B1"), false),
        (key("p", "f", "B1"), false),
    ] {
        assert_eq!(key("o", "e", "B1").is_of_same_account(&other), is_same, "{other:?}");
    }
}

/// A journal of millions of sales has nothing in it but what differs.
#[test]
fn what_has_its_default_is_not_stored() {
    assert_eq!(serde_json::to_string(&Detail::default()).unwrap(), "{}");
    let answered = Detail { answered: true, ..Detail::default() };
    assert_eq!(serde_json::to_string(&answered).unwrap(), r#"{"answered":true}"#);
}

#[test]
fn a_stage_has_one_word_in_both_directions() {
    for stage in Stage::ALL {
        assert_eq!(Stage::from_word(stage.as_str()), Some(stage));
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
    assert_eq!(Stage::from_word("sold"), None);
}

#[test]
fn what_is_open_is_exactly_what_may_still_change() {
    let open: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| stage.is_unsettled()).collect();
    assert_eq!(open, [Stage::Sending, Stage::Unknown, Stage::Reversing, Stage::Refused, Stage::Unproven]);
}

#[test]
fn an_answer_to_a_reversal_is_stored_as_what_it_said() {
    for (answer, said) in [
        (Reversed::Done(status("0")), Said::Done),
        (Reversed::Already(status("1")), Said::Already),
        (Reversed::NotFound(status("2")), Said::NotFound),
        (Reversed::Refused(status("3")), Said::Refused),
        (Reversed::Again(status("4")), Said::Nothing),
    ] {
        assert_eq!(Said::of(&answer), said);
    }
}

#[test]
fn each_kind_of_record_begins_as_it_is_meant() {
    let key = || Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    let owner = || Owner("me".into());
    let intent = Entry::intent(key(), asked(), owner(), OnUnknown::Hold, 7);
    assert_eq!((intent.stage(), intent.revision(), intent.attempt()), (Stage::Sending, 1, 1));
    assert_eq!((intent.key(), intent.identity(), intent.owner()), (&key(), &asked(), &owner()));
    assert_eq!((intent.on_unknown(), intent.created_unix_ms()), (OnUnknown::Hold, 7));
    assert_eq!(intent.detail(), &Detail::default());

    // Another till's sale: nothing of this till was sent, and the sale's own answer has been seen.
    let foreign = Entry::foreign(key(), asked(), "R1", owner(), 7);
    assert_eq!((foreign.stage(), foreign.revision(), foreign.attempt()), (Stage::Reversing, 1, 0));
    assert_eq!((foreign.identity(), foreign.on_unknown()), (&asked(), OnUnknown::Reverse));
    assert!(foreign.detail().foreign && foreign.detail().answered && foreign.detail().reversal.asked);
    assert_eq!(foreign.detail().returned_biz_id.as_deref(), Some("R1"));

    let void = Entry::never_sent(key(), owner(), 7);
    assert_eq!((void.stage(), void.attempt(), void.identity()), (Stage::Reversed, 0, &Identity::default()));
    assert_eq!(void.detail().reversal.voided, Some(Stage::NotSent));
    assert!(void.detail().reversal.asked && !void.is_free());

    let origin = Origin { device_sn: Some("T1".to_owned()), ..Origin::default() };
    assert_eq!(at(Stage::Sending).from(origin.clone()).detail().origin, origin);
    assert_eq!(at(Stage::Sending).awaiting_confirmation().detail().confirmation, Confirmation::Awaited);
    assert!(at(Stage::Kept).answered_where(true).detail().reversal.told_apart);
    let moved = at(Stage::Kept);
    assert_eq!((moved.stage(), moved.revision(), moved.moved(Stage::Undone).revision()), (Stage::Kept, 2, 3));
    let columns = moved.clone();
    let restored = Entry::restore(
        columns.key,
        columns.identity,
        columns.stage,
        41,
        5,
        columns.owner,
        OnUnknown::Reverse,
        -9,
        columns.detail,
    );
    assert_eq!((restored.revision(), restored.attempt(), restored.created_unix_ms()), (41, 5, -9));
    assert_eq!((restored.on_unknown(), restored.stage()), (OnUnknown::Reverse, Stage::Kept));
}

#[test]
fn what_a_till_says_fills_only_what_this_journal_has_lost() {
    let told = Identity {
        customer_id: Some("9".to_owned()),
        kind: Some(1),
        amount: Amount::from_fen(999),
        coupons: vec!["Z".to_owned()],
        points: Some(1),
    };
    for [foreign, retired] in facts() {
        let mut entry = at(Stage::Succeeded);
        entry.identity = Identity::default();
        (entry.detail.foreign, entry.detail.retired) = (foreign, retired);
        let lost = foreign || retired;
        assert_eq!(entry.lost_its_request(), lost);
        let filled = entry.clone().told(&told);
        let wanted = if lost {
            Identity { coupons: Vec::new(), points: None, ..told.clone() }
        } else {
            Identity::default()
        };
        assert_eq!(filled.identity, wanted, "{foreign} {retired}");
        // What is known stays.
        let mut known = entry;
        known.identity = asked();
        assert_eq!(known.told(&told).identity, asked());
    }
}

#[test]
fn a_success_is_finished_when_the_till_has_read_and_confirmed_it() {
    for stage in Stage::ALL {
        for confirmation in [Confirmation::NotAsked, Confirmation::Awaited, Confirmation::Given] {
            for acknowledged in [false, true] {
                let mut entry = at(stage);
                (entry.detail.acknowledged, entry.detail.confirmation) = (acknowledged, confirmation);
                let case = format!("{stage:?} {confirmation:?} {acknowledged}");
                let success = stage == Stage::Succeeded;
                let open = success && (!acknowledged || confirmation == Confirmation::Awaited);
                assert_eq!(entry.is_unfinished(), open, "{case}");
                let mut read = entry.moved(stage);
                read.detail.acknowledged = true;
                assert_eq!(entry.acknowledged(), (success && !acknowledged).then(|| read.clone()), "{case}");
                read.detail.confirmation = Confirmation::Given;
                let changes = success && confirmation != Confirmation::Given;
                assert_eq!(entry.confirmed(), changes.then_some(read), "{case}");
            }
        }
    }
}

#[test]
fn a_biz_id_is_free_only_where_no_byte_ever_left() {
    for stage in Stage::ALL {
        for [asked_back, never_left] in facts() {
            for attempt in [1, 2] {
                let mut entry = at(stage);
                entry.attempt = attempt;
                entry.detail.earlier_never_left = never_left;
                entry.detail.reversal.asked = asked_back;
                let case = format!("{stage:?} {attempt} {never_left} {asked_back}");
                let free = stage == Stage::NotSent && (attempt == 1 || never_left);
                assert_eq!(entry.is_free(), free, "{case}");
                assert_eq!(entry.is_intent(), stage == Stage::Sending && !asked_back, "{case}");
            }
        }
    }
}

/// The rules of docs/money-safety.md about what holds back, was sent away or was given back, in other words than those
/// of the code.
#[test]
fn what_a_record_means_depends_on_nothing_else() {
    let settled = Settlement { by: "w".to_owned(), reason: "r".to_owned(), from: Stage::Unknown };
    let said = [None, Some(Said::Done), Some(Said::NotFound), Some(Said::Refused), Some(Said::Nothing)];
    let last = [None, Some("0"), Some("ZV-LATE-PROOF"), Some("920002")];
    for stage in Stage::ALL {
        for [refund, foreign, promised, sent_away, told_apart, by_person] in facts() {
            for (said, last) in said.iter().flat_map(|said| last.iter().map(move |last| (*said, *last))) {
                let mut entry = at(stage);
                entry.detail.foreign = foreign;
                entry.detail.settlement = by_person.then(|| settled.clone());
                entry.detail.reversal = Reversal {
                    refund,
                    promised,
                    sent_away,
                    told_apart,
                    said,
                    last: last.map(status),
                    ..Reversal::default()
                };
                let case = format!("{entry:?}");
                let kept_refund = stage == Stage::Kept && refund;
                let late_proof = stage == Stage::Unproven && last == Some("ZV-LATE-PROOF");
                let broken_promise = stage == Stage::Unproven && promised && said == Some(Said::Refused);
                assert_eq!(entry.is_refund(), refund, "{case}");
                assert_eq!(entry.gives_back(), refund || foreign, "{case}");
                assert_eq!(entry.has_late_proof(), late_proof, "{case}");
                assert_eq!(entry.promise_refused(), broken_promise, "{case}");
                assert_eq!(entry.is_promised(), promised || (said.is_none() && last == Some("0")), "{case}");
                assert_eq!(entry.is_refused_refund(), kept_refund && !by_person, "{case}");
                assert_eq!(entry.may_be_given_back_elsewhere(), kept_refund && !told_apart, "{case}");
                let unknown_elsewhere = stage == Stage::Refused && foreign && said == Some(Said::NotFound);
                assert_eq!(entry.not_found_elsewhere(), unknown_elsewhere, "{case}");
                let open = match stage {
                    Stage::Sending | Stage::Unknown | Stage::Reversing | Stage::Refused => true,
                    Stage::Unproven => !broken_promise,
                    _ => false,
                };
                assert_eq!(entry.holds_back(), open && !refund && !foreign, "{case}");
                let away = match stage {
                    Stage::Kept => sent_away,
                    Stage::Unproven if late_proof => sent_away,
                    Stage::Reversing | Stage::Refused | Stage::Unproven => (!refund && !foreign) || sent_away,
                    _ => false,
                };
                assert_eq!(entry.sent_away(), away, "{case}");
            }
        }
    }
}

#[test]
fn only_a_whole_yes_is_an_accepted_consume() {
    for answered in [false, true] {
        for (words, yes) in [(None, false), (Some("0"), true), (Some("5"), false)] {
            let mut entry = at(Stage::Reversing);
            entry.detail.answered = answered;
            entry.detail.words = words.map(status);
            assert_eq!(entry.was_accepted(), answered && yes, "{answered} {words:?}");
        }
    }
}

#[test]
fn a_sale_touches_its_own_member_and_its_own_coupons() {
    let entry = at(Stage::Unknown);
    let other = |member: &str, coupon: &str| Identity {
        customer_id: Some(member.to_owned()),
        coupons: vec![coupon.to_owned()],
        ..Identity::default()
    };
    assert!(entry.touches_member(&other("383", "Z")) && !entry.touches_member(&other("384", "A")));
    assert!(entry.touches_coupon(&other("384", "B")) && !entry.touches_coupon(&other("383", "Z")));
}

#[test]
fn a_doubt_is_stored_with_its_words_and_never_with_another_sales_biz_id() {
    let doubt = |returned: Option<&str>| Doubt {
        returned_biz_id: returned.map(str::to_owned),
        answered: true,
        ..Doubt::new(&codes::UNPROVEN, "why")
    };
    for (returned, stored, before, after) in [
        (None, false, None, None),
        (None, false, Some("R1"), Some("R1")),
        (Some("B1"), false, None, Some("B1")),
        (Some("B1"), false, Some("R1"), Some("B1")),
        (Some("X9"), true, None, None),
        (Some("X9"), true, Some("R1"), Some("R1")),
    ] {
        let mut entry = at(Stage::Unknown);
        entry.detail.returned_biz_id = before.map(str::to_owned);
        let next = entry.with_doubt(&doubt(returned)).detail;
        let case = format!("{returned:?} {before:?}");
        assert_eq!((next.mismatched_biz_id, next.returned_biz_id.as_deref()), (stored, after), "{case}");
        assert_eq!(next.doubt.as_deref(), Some("ZV-UNPROVEN"), "{case}");
        assert_eq!(next.words.map(|words| words.message).as_deref(), Some("why"), "{case}");
        assert!(next.answered, "{case}");
    }
}

#[test]
fn a_record_whose_details_are_dropped_is_exactly_this() {
    let day = crate::calendar::BusinessDays { start_minutes: 0, offset_minutes: 0 };
    let now = crate::payment::Moment { machine_unix_ms: 1_795_000_000_000, gateway_unix_ms: None };
    let mut before = sale(Stage::NotSent);
    before.attempt = 3;
    before.detail.times = at(Stage::Sending).dated(now, day).detail.times;
    before.detail.earlier_never_left = true;
    before.detail.confirmation = Confirmation::Given;
    before.detail.mismatched_biz_id = true;
    before.detail.reversal = Reversal {
        asked: true,
        tries: 2,
        last: Some(status("9")),
        said: Some(Said::Done),
        ..Reversal::default()
    };
    let wanted = Entry {
        identity: Identity::default(),
        owner: Owner(String::new()),
        revision: before.revision + 1,
        detail: Detail {
            words: Some(GatewayStatus { code: "0".to_owned(), message: String::new() }),
            returned_biz_id: Some("R1".to_owned()),
            answered: true,
            acknowledged: true,
            confirmation: Confirmation::Given,
            reversal: Reversal { last: None, ..before.detail.reversal.clone() },
            times: before.detail.times,
            earlier_never_left: true,
            retired: true,
            ..Detail::default()
        },
        ..before.clone()
    };
    assert!(!before.detail.times.is_empty());
    assert_eq!(before.retired(), Some(wanted));
}
