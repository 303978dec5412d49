//! A call that requests a consume, step by step, and the outcome of an attempt that was presumed dead.

use super::*;
use crate::gateway::{GatewayStatus, Refusal, Reversed};
use crate::money::BizId;
use crate::payment::reversal::reversal_answered;
use crate::payment::{Key, Said, Settlement};

mod every_end;

fn intent(on_unknown: OnUnknown) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    Entry::intent(key, Identity::default(), Owner("me".into()), on_unknown, 0)
}

fn sending(on_unknown: OnUnknown) -> State {
    State::Sending { entry: intent(on_unknown), resign: Resign::default() }
}

fn refused(code: &str) -> End {
    End::Answered(Verdict::Refused(Refusal {
        code: code.into(),
        message: String::new(),
        warnings: Vec::new(),
    }))
}

fn not_sent() -> End {
    End::NotSent(NotSent { code: &codes::CONNECT, message: String::new() })
}

fn lost() -> End {
    End::Lost(Doubt::new(&codes::LOST, ""))
}

fn ended(end: End) -> Event {
    Event::Ended { end, clock_is_off: false }
}

fn full() -> Event {
    Event::JournalFailed { code: &codes::JOURNAL_FULL, message: "full".into() }
}

fn recorded(effect: Effect) -> Entry {
    match effect {
        Effect::Record(entry) | Effect::RecordIntent { intent: entry, .. } | Effect::RecordAgain(entry) => {
            entry
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_sent_before_the_intent_is_recorded() {
    let (state, effect) = step(State::New(intent(OnUnknown::Hold)), Event::Asked { connected: true });
    let entry = recorded(effect);
    let (state, effect) = step(state, Event::Recorded(entry));
    assert!(matches!((state, effect), (State::Sending { .. }, Effect::Send(_))));
    let (_, effect) = step(State::New(intent(OnUnknown::Hold)), full());
    assert!(matches!(effect, Effect::Tell(Reply::Internal { code, .. }) if code.text == "ZV-JOURNAL-FULL"));
}

#[test]
fn a_connection_is_opened_only_for_a_request_that_nothing_keeps_out() {
    let new = || State::New(intent(OnUnknown::Hold));
    let (state, effect) = step(new(), Event::Asked { connected: false });
    assert!(matches!(effect, Effect::Look(_)));
    for free in [true, false] {
        let (_, effect) = step(state.clone(), Event::Looked { free });
        assert!(matches!(effect, Effect::RecordIntent { connect, .. } if connect == free));
    }
    let (_, effect) = step(new(), Event::Asked { connected: true });
    assert!(matches!(effect, Effect::RecordIntent { connect: false, .. }));
    let other = intent(OnUnknown::Hold);
    assert!(matches!(step(new(), Event::InDoubt(other)).1, Effect::Tell(Reply::InDoubt(_))));
}

#[test]
fn nothing_is_told_before_the_end_is_recorded() {
    for (end, stage) in
        [(refused("40001"), Stage::Declined), (not_sent(), Stage::NotSent), (lost(), Stage::Reversing)]
    {
        let (state, effect) = step(sending(OnUnknown::Reverse), ended(end));
        let entry = recorded(effect);
        assert_eq!((entry.stage(), entry.revision()), (stage, 2));
        let (_, effect) = step(state, Event::Recorded(entry));
        assert!(matches!(effect, Effect::Tell(Reply::Ended(entry)) if entry.stage() == stage));
    }
    let (_, effect) = step(sending(OnUnknown::Hold), ended(lost()));
    assert_eq!(recorded(effect).stage(), Stage::Unknown);
}

#[test]
fn an_end_that_cannot_be_recorded_is_unknown() {
    let (state, _) = step(sending(OnUnknown::Hold), ended(refused("1")));
    assert!(matches!(step(state, full()).1, Effect::Tell(Reply::Unrecorded(_))));
    let (state, _) = step(sending(OnUnknown::Hold), ended(not_sent()));
    assert!(matches!(step(state, full()).1, Effect::Tell(Reply::Internal { .. })));
}

#[test]
fn a_refused_signature_is_signed_again_once_and_only_with_a_wrong_clock() {
    let answer = |clock_is_off| Event::Ended { end: refused("110004"), clock_is_off };
    let (state, effect) = step(sending(OnUnknown::Hold), answer(true));
    let second = recorded(effect);
    assert_eq!((second.stage(), second.attempt()), (Stage::Sending, 2));
    let (state, effect) = step(state, Event::Recorded(second));
    assert!(matches!(effect, Effect::Send(_)));
    let (_, effect) = step(state, answer(true));
    assert_eq!(recorded(effect).stage(), Stage::Declined);
    let (_, effect) = step(sending(OnUnknown::Hold), answer(false));
    assert_eq!(recorded(effect).stage(), Stage::Declined);
}

#[test]
fn what_stands_is_never_sent_again_unless_nothing_was_taken() {
    for stage in Stage::ALL {
        let (_, effect) =
            step(State::New(intent(OnUnknown::Hold)), Event::Existing(intent(OnUnknown::Hold).moved(stage)));
        match stage {
            Stage::Sending => assert!(matches!(effect, Effect::AwaitOther(_))),
            Stage::Declined | Stage::NotSent => {
                let again = recorded(effect);
                assert_eq!((again.stage(), again.attempt(), again.revision()), (Stage::Sending, 2, 3));
            }
            Stage::Reversed | Stage::Undone => assert!(matches!(effect, Effect::Tell(Reply::Conflict(_)))),
            _ => assert!(matches!(effect, Effect::Tell(Reply::Existing(_)))),
        }
    }
    let mut other = intent(OnUnknown::Hold).moved(Stage::Succeeded);
    other.identity.points = Some(5);
    let (_, effect) = step(State::New(intent(OnUnknown::Hold)), Event::Existing(other));
    assert!(matches!(effect, Effect::Tell(Reply::Conflict(_))));
}

/// A record of an earlier version, whose ids are as received.
#[test]
fn a_request_is_the_same_in_every_spelling_of_its_ids() {
    let of = |customer_id: Option<&str>, coupons: &[&str], kind| Identity {
        customer_id: customer_id.map(str::to_owned),
        coupons: coupons.iter().map(|coupon| (*coupon).to_owned()).collect(),
        kind,
        ..Identity::default()
    };
    for (recorded, asked, same) in [
        (of(Some("383 "), &[], None), of(Some("383"), &[], None), true),
        (of(Some("\u{feff}383"), &[" B", "A"], Some(1)), of(Some("383"), &["A", "B"], Some(1)), true),
        (of(Some("0"), &["A"], Some(1)), of(None, &["A"], Some(1)), true),
        (of(Some("0383"), &[], None), of(Some("383"), &[], None), false),
        (of(Some("383"), &["007"], None), of(Some("383"), &["7"], None), false),
        (of(Some("383"), &["A"], Some(1)), of(Some("383"), &["A"], None), false),
    ] {
        let mut stands = intent(OnUnknown::Hold).moved(Stage::Succeeded);
        stands.identity = recorded;
        let mut again = intent(OnUnknown::Hold);
        again.identity = asked;
        let (_, effect) = step(State::New(again), Event::Existing(stands.clone()));
        let replayed = matches!(effect, Effect::Tell(Reply::Existing(_)));
        assert_eq!(replayed, same, "{:?}", stands.identity);
    }
}

#[test]
fn another_request_goes_only_under_a_biz_id_under_which_no_byte_ever_left() {
    let asked_with = |stands: &Entry, points| {
        let mut other = intent(OnUnknown::Hold);
        other.identity.points = Some(points);
        step(State::New(other), Event::Existing(stands.clone())).1
    };
    let asked = |stands: &Entry| asked_with(stands, 5);
    let end = |entry: &Entry, end| recorded(conclude(entry, end).1);
    for stage in Stage::ALL {
        let effect = asked(&intent(OnUnknown::Hold).moved(stage));
        match stage {
            Stage::NotSent => {
                let record = recorded(effect);
                assert_eq!((record.revision(), record.attempt()), (3, 2));
                assert_eq!(record.identity().points, Some(5));
                // The bizId is still free if no byte of this request is sent either; not if the request was sent and
                // refused.
                let not_sent = end(&record, not_sent());
                assert_eq!(recorded(asked_with(&not_sent, 6)).attempt(), 3);
                let declined = end(&record, refused("1"));
                assert!(matches!(asked_with(&declined, 6), Effect::Tell(Reply::NewBizId(_))));
            }
            Stage::Declined => assert!(matches!(effect, Effect::Tell(Reply::NewBizId(_)))),
            _ => assert!(matches!(effect, Effect::Tell(Reply::Conflict(_))), "{stage:?}"),
        }
    }
    // Sent and refused, then not sent: a byte was sent all the same.
    let again = again(&intent(OnUnknown::Hold).moved(Stage::Declined), Owner("me".into()));
    assert!(matches!(asked(&end(&again, not_sent())), Effect::Tell(Reply::NewBizId(_))));
    // The same holds when the details are dropped.
    let retired = end(&again, not_sent()).retired().unwrap();
    assert!(matches!(asked(&retired), Effect::Tell(Reply::NewBizId(_))));
    // A version before this one did not store it.
    let mut old = intent(OnUnknown::Hold).moved(Stage::NotSent);
    old.attempt = 2;
    assert!(matches!(asked(&old), Effect::Tell(Reply::NewBizId(_))));
}

#[test]
fn a_reversal_asked_for_meanwhile_turns_success_into_reversing() {
    let mut asked = intent(OnUnknown::Hold).moved(Stage::Sending);
    asked.detail.reversal.asked = true;
    for (end, stage) in
        [(lost(), Stage::Reversing), (refused("1"), Stage::Reversed), (not_sent(), Stage::Reversed)]
    {
        let (state, _) = step(sending(OnUnknown::Hold), ended(end));
        let (_, effect) = step(state, Event::Existing(asked.clone()));
        let record = recorded(effect);
        assert_eq!((record.stage(), record.revision()), (stage, 3));
    }
}

#[test]
fn a_proof_that_comes_after_the_burial_is_not_thrown_away() {
    let body = br#"{"status":true,"code":0,"message":"","data":{"bizId":"B1"}}"#;
    let envelope = crate::gateway::Envelope::read(200, body).unwrap();
    let biz_id = BizId::new("B1").unwrap();
    let verdict =
        envelope.judge_consume(&biz_id, &Identity::default(), &CodeRules::default(), false, &|_| false);
    for (stands, wanted) in [
        (Stage::Unknown, Stage::Succeeded),
        (Stage::Reversing, Stage::Reversing),
        (Stage::Reversed, Stage::Reversing),
    ] {
        let (state, _) = step(sending(OnUnknown::Reverse), ended(End::Answered(verdict.clone())));
        let (_, effect) = step(state, Event::Existing(intent(OnUnknown::Reverse).moved(stands)));
        let record = recorded(effect);
        assert_eq!((record.stage(), record.detail.answered), (wanted, true), "{stands:?}");
    }
    let stands = intent(OnUnknown::Reverse).moved(Stage::Reversing);
    let (_, effect) = step(State::Resigning(Resign::default()), Event::Existing(stands));
    assert!(matches!(effect, Effect::Tell(Reply::Existing(_))));
}

#[test]
fn a_proof_that_contradicts_what_was_settled_is_listed_for_a_person() {
    let body = br#"{"status":true,"code":0,"message":"","data":{"bizId":"B1"}}"#;
    let envelope = crate::gateway::Envelope::read(200, body).unwrap();
    let verdict = envelope.judge_consume(
        &BizId::new("B1").unwrap(),
        &Identity::default(),
        &CodeRules::default(),
        false,
        &|_| false,
    );
    let accepted = || End::Answered(verdict.clone());
    let settled = |stage: Stage, from: Stage| {
        let mut entry = intent(OnUnknown::Hold).moved(stage);
        let (by, reason) = ("w".to_owned(), "r".to_owned());
        entry.detail.settlement = Some(crate::payment::Settlement { by, reason, from });
        entry
    };
    for (stands, end, sent_away, words) in [
        (settled(Stage::Undone, Stage::Unknown), accepted(), true, "0"),
        (settled(Stage::Kept, Stage::Unknown), refused("40001"), false, "40001"),
        (settled(Stage::Kept, Stage::Unknown), not_sent(), false, "ZV-CONNECT"),
        // Reversed by the gateway's records, and nothing gives the money back by itself.
        (intent(OnUnknown::Hold).moved(Stage::Reversed), accepted(), true, "0"),
    ] {
        let record = recorded(ends_over(&stands, end));
        assert_eq!((record.stage, record.has_late_proof()), (Stage::Unproven, true));
        assert_eq!(
            (record.sent_away(), record.detail.settlement.clone()),
            (sent_away, stands.detail.settlement)
        );
        assert_eq!(record.detail.words.map(|words| words.code).as_deref(), Some(words));
    }
    // An outcome that agrees with the record changes nothing.
    for (stands, end) in [
        (settled(Stage::Undone, Stage::Unknown), refused("40001")),
        (settled(Stage::Undone, Stage::Unknown), not_sent()),
        (settled(Stage::Kept, Stage::Unknown), accepted()),
    ] {
        assert!(matches!(ends_over(&stands, end), Effect::Tell(Reply::Existing(_))));
    }
}

#[test]
fn disorder_after_the_send_is_unknown() {
    assert!(matches!(
        step(sending(OnUnknown::Hold), Event::Looked { free: true }).1,
        Effect::Tell(Reply::Unrecorded(_))
    ));
    let state = State::New(intent(OnUnknown::Hold));
    assert!(matches!(step(state, ended(lost())).1, Effect::Tell(Reply::Internal { .. })));
}

/// The effect of an attempt that ended so while this was the record.
fn ends_over(stands: &Entry, end: End) -> Effect {
    step(State::RecordingOutcome { end }, Event::Existing(stands.clone())).1
}

/// The ends that prove nothing.
fn without_proof() -> [End; 2] {
    [lost(), End::Answered(Verdict::Doubt(Doubt::new(&codes::TIMEOUT, "")))]
}

#[test]
fn an_attempt_that_was_taken_for_dead_and_ends_without_proof_is_opened_again() {
    for (on_unknown, asked, wanted) in [
        (OnUnknown::Reverse, false, Stage::Reversing),
        (OnUnknown::Reverse, true, Stage::Reversing),
        (OnUnknown::Hold, false, Stage::Unknown),
        (OnUnknown::Hold, true, Stage::Reversing),
    ] {
        for stage in Stage::ALL {
            for end in without_proof() {
                let mut stands = intent(on_unknown).moved(stage);
                stands.detail.reopened = 4;
                stands.detail.reversal.asked = asked;
                let effect = ends_over(&stands, end);
                let case = format!("{on_unknown:?} {asked} {stage:?}");
                match stage {
                    Stage::Unknown
                    | Stage::Reversing
                    | Stage::Reversed
                    | Stage::Refused
                    | Stage::Unproven => {
                        let Effect::Record(record) = effect else { panic!("{case}: {effect:?}") };
                        assert_eq!((record.stage, record.revision), (wanted, stands.revision + 1), "{case}");
                        assert_eq!(record.detail.reopened, 5, "{case}");
                        assert!(record.detail.doubt.is_some() && !record.detail.answered, "{case}");
                    }
                    // Its own end, which no other process has recorded.
                    Stage::Sending => assert_eq!(recorded(effect).detail.reopened, 4, "{case}"),
                    _ => assert!(matches!(effect, Effect::Tell(Reply::Existing(_))), "{case}: {effect:?}"),
                }
            }
        }
    }
}

#[test]
fn what_was_found_before_it_was_opened_again_is_forgotten() {
    let before = Reversal {
        asked: true,
        tries: 3,
        last: Some(GatewayStatus { code: "0".to_owned(), message: "done".to_owned() }),
        refused: true,
        refund: false,
        unanswered: 2,
        said: Some(Said::NotFound),
        promised: true,
        voided: None,
        sent_away: false,
        told_apart: true,
        elsewhere: true,
    };
    let mut stands = intent(OnUnknown::Reverse).moved(Stage::Reversed);
    stands.detail.reversal = before.clone();
    for end in without_proof() {
        let opened = recorded(ends_over(&stands, end));
        let wanted = Reversal {
            last: None,
            refused: false,
            said: None,
            promised: false,
            elsewhere: false,
            ..before.clone()
        };
        assert_eq!(opened.detail.reversal, wanted);
        assert!(!opened.is_promised());
        // Confirmed before the consume arrived: a later refusal says that the sale is valid, whatever the gateway does
        // not know.
        let refused = Reversed::Refused(GatewayStatus::default());
        assert_eq!(reversal_answered(&opened, &refused, true, true).stage(), Stage::Refused);
    }
}

#[test]
fn an_attempt_that_is_opened_again_and_again_is_counted() {
    let mut stands = intent(OnUnknown::Hold).moved(Stage::Reversed);
    for times in 1..=3 {
        stands = recorded(ends_over(&stands, lost()));
        assert_eq!(stands.detail.reopened, times);
    }
    stands.detail.reopened = u32::MAX;
    assert_eq!(recorded(ends_over(&stands, lost())).detail.reopened, u32::MAX);
}

/// The record of the running attempt after a till has asked for its reversal.
fn asked(entry: &Entry) -> Entry {
    let mut next = entry.moved(Stage::Sending);
    next.detail.reversal.asked = true;
    next
}

#[test]
fn an_intent_that_was_recorded_too_late_is_not_sent() {
    let written = intent(OnUnknown::Reverse);
    let superseded = |standing: Entry| Event::Superseded { written: Box::new(written.clone()), standing };
    let new = || State::New(written.clone());
    // Only its reversal was asked for meanwhile: nothing was taken, and the bizId is closed.
    let (_, effect) = step(new(), superseded(asked(&written)));
    let record = recorded(effect);
    assert_eq!((record.stage(), record.revision()), (Stage::Reversed, 3));
    assert_eq!(record.detail().reversal.voided, Some(Stage::NotSent));
    // Others have given up on it, or carry out a further attempt.
    let buried = abandoned(&written);
    assert!(matches!(step(new(), superseded(buried)).1, Effect::Tell(Reply::Existing(_))));
    let mut other = asked(&written);
    other.owner = Owner("other".into());
    assert!(matches!(step(new(), superseded(other)).1, Effect::AwaitOther(_)));
}

#[test]
fn what_others_do_from_an_outcome_is_not_this_calls() {
    let first = intent(OnUnknown::Reverse);
    let outcome = first.moved(Stage::NotSent);
    let again = again(&outcome, Owner("other".into()));
    let superseded = |standing: &Entry| Event::Superseded {
        written: Box::new(outcome.clone()),
        standing: standing.clone(),
    };
    for state in [State::RecordingOutcome { end: not_sent() }, State::Resigning(Resign::default())] {
        let (_, effect) = step(state.clone(), superseded(&again));
        assert!(matches!(effect, Effect::Tell(Reply::Unrecorded(_))), "{effect:?}");
        let ended = again.moved(Stage::Succeeded);
        let (_, effect) = step(state, superseded(&ended));
        assert!(matches!(effect, Effect::Tell(Reply::Existing(entry)) if entry == ended));
    }
}

#[test]
fn an_outcome_that_is_recorded_later_says_what_was_known() {
    let first = intent(OnUnknown::Reverse);
    for stage in [Stage::NotSent, Stage::Declined] {
        let outcome = first.moved(stage);
        let record = ended_unrecorded(&outcome, &first).unwrap();
        assert_eq!((record.stage(), record.revision()), (stage, 2));
        let record = ended_unrecorded(&outcome, &asked(&first)).unwrap();
        assert_eq!((record.stage(), record.revision()), (Stage::Reversed, 3));
        assert_eq!(ended_unrecorded(&outcome, &abandoned(&first)), None);
    }
    // A success that its till does not know is in doubt.
    let outcome = first.moved(Stage::Succeeded);
    assert_eq!(ended_unrecorded(&outcome, &first).unwrap().stage(), Stage::Reversing);
    for stage in [Stage::Unknown, Stage::Reversing, Stage::Reversed, Stage::Refused, Stage::Unproven] {
        let record = ended_unrecorded(&outcome, &abandoned(&first).moved(stage)).unwrap();
        assert_eq!((record.stage(), record.detail().reopened), (Stage::Reversing, 1), "{stage:?}");
    }
    for stage in [Stage::Succeeded, Stage::Declined, Stage::NotSent, Stage::Kept, Stage::Undone] {
        assert_eq!(ended_unrecorded(&outcome, &first.moved(stage)), None, "{stage:?}");
    }
    // A void took nothing, and what a reversal was to record is no end of an attempt.
    let void = voided(&first.moved(Stage::NotSent), Stage::NotSent);
    assert_eq!(ended_unrecorded(&void, &void), None);
    let record = ended_unrecorded(&void, &asked(&first)).unwrap();
    assert_eq!((record.stage(), record.detail().reversal.voided), (Stage::Reversed, Some(Stage::NotSent)));
    for stage in [Stage::Reversed, Stage::Refused, Stage::Unproven, Stage::Kept, Stage::Undone] {
        assert_eq!(ended_unrecorded(&first.moved(stage), &abandoned(&first)), None, "{stage:?}");
    }
    let further = again(&first.moved(Stage::NotSent), Owner("me".into()));
    assert_eq!(ended_unrecorded(&outcome, &further), None, "another attempt");
}

/// A person has settled the sale before its end could be recorded.
#[test]
fn a_late_proof_that_could_not_be_recorded_in_time_is_not_discarded() {
    let first = intent(OnUnknown::Hold);
    let settled = |stage: Stage| {
        let mut entry = abandoned(&first).moved(stage);
        entry.detail.settlement =
            Some(Settlement { by: "a".into(), reason: "b".into(), from: Stage::Unknown });
        entry
    };
    let mut success = first.moved(Stage::Succeeded);
    success.detail.words = Some(GatewayStatus { code: "0".into(), message: String::new() });
    success.detail.answered = true;
    success.detail.returned_biz_id = Some("R1".into());
    let record = ended_unrecorded(&success, &settled(Stage::Undone)).unwrap();
    assert!(record.has_late_proof() && record.was_accepted());
    assert_eq!(record.detail().returned_biz_id.as_deref(), Some("R1"));
    assert_eq!(ended_unrecorded(&success, &settled(Stage::Kept)), None);
    for stage in [Stage::Declined, Stage::NotSent] {
        let record = ended_unrecorded(&first.moved(stage), &settled(Stage::Kept)).unwrap();
        assert!(record.has_late_proof(), "{stage:?}");
        assert_eq!(ended_unrecorded(&first.moved(stage), &settled(Stage::Undone)), None);
    }
    // An end that proves nothing says nothing against a person.
    let doubtful = in_doubt(&first, &left_behind());
    for stage in [Stage::Kept, Stage::Undone] {
        assert_eq!(ended_unrecorded(&doubtful, &settled(stage)), None);
    }
}

#[test]
fn a_request_that_did_not_leave_takes_the_place_of_its_intent() {
    let first = intent(OnUnknown::Reverse);
    let record = never_left(&first);
    assert_eq!((record.stage(), record.revision(), record.is_free()), (Stage::NotSent, 1, true));
}
