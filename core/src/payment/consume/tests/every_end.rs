//! What a call does about each record that it finds, and what is left of a record after each end.

use super::*;
use crate::calendar::BusinessDays;
use crate::gateway::Origin;
use crate::payment::{Confirmation, Moment, Settlement};

fn status(code: &str) -> GatewayStatus {
    GatewayStatus { code: code.to_owned(), message: "words".to_owned() }
}

fn accepted() -> End {
    let body = br#"{"status":true,"code":0,"message":"ok","data":{"bizId":"B2"}}"#;
    let envelope = crate::gateway::Envelope::read(200, body).unwrap();
    let biz_id = BizId::new("B1").unwrap();
    let (asked, rules) = (Identity::default(), CodeRules::default());
    End::Answered(envelope.judge_consume(&biz_id, &asked, &rules, false, &|_| false))
}

fn settled(stage: Stage) -> Entry {
    let mut entry = intent(OnUnknown::Hold).moved(stage);
    let (by, reason) = ("w".to_owned(), "r".to_owned());
    entry.detail.settlement = Some(Settlement { by, reason, from: Stage::Unknown });
    entry
}

#[test]
fn only_a_recorded_intent_is_sent() {
    for stage in Stage::ALL {
        let recorded = intent(OnUnknown::Hold).moved(stage);
        let (_, effect) = step(State::New(intent(OnUnknown::Hold)), Event::Recorded(recorded));
        assert_eq!(matches!(effect, Effect::Send(_)), stage == Stage::Sending, "{stage:?}: {effect:?}");
    }
}

#[test]
fn a_call_looks_before_it_connects_and_connects_at_most_once() {
    let new = || State::New(intent(OnUnknown::Hold));
    let (state, effect) = step(new(), Event::Asked { connected: false });
    assert!(matches!(effect, Effect::Look(of) if of == intent(OnUnknown::Hold)));
    let (_, effect) = step(state, Event::Looked { free: true });
    assert!(
        matches!(effect, Effect::RecordIntent { intent: of, connect: true } if of == intent(OnUnknown::Hold))
    );
    let (_, effect) = step(new(), Event::Asked { connected: true });
    assert!(matches!(effect, Effect::RecordIntent { connect: false, .. }));
}

#[test]
fn a_call_that_finds_an_attempt_waits_for_it_and_records_what_a_dead_one_left() {
    let new = || State::New(intent(OnUnknown::Hold));
    let standing = intent(OnUnknown::Hold);
    let (state, effect) = step(new(), Event::OwnerDied(standing.clone()));
    let left = recorded(effect);
    assert_eq!((left.stage, left.revision), (Stage::Unknown, 2));
    assert_eq!(left.detail.doubt.as_deref(), Some("ZV-ABANDONED"));
    let (_, effect) = step(state, Event::Recorded(left));
    assert!(matches!(effect, Effect::Tell(Reply::Existing(entry)) if entry.stage == Stage::Unknown));
    assert!(matches!(step(new(), Event::WaitTimedOut).1, Effect::Tell(Reply::Busy)));
    let other = intent(OnUnknown::Hold).moved(Stage::Unproven);
    let (_, effect) = step(new(), Event::InDoubt(other.clone()));
    assert!(matches!(effect, Effect::Tell(Reply::InDoubt(entry)) if entry == other));
}

#[test]
fn an_attempt_is_awaited_while_it_may_run_and_there_is_time() {
    for stage in Stage::ALL {
        let entry = intent(OnUnknown::Hold).moved(stage);
        for (may_be_running, time_is_over) in [(true, true), (true, false), (false, true), (false, false)] {
            let event = awaited(&entry, may_be_running, time_is_over);
            let case = format!("{stage:?} {may_be_running} {time_is_over}: {event:?}");
            match (stage, may_be_running, time_is_over) {
                (Stage::Sending, false, _) => {
                    assert!(matches!(event, Some(Event::OwnerDied(of)) if of == entry), "{case}");
                }
                (Stage::Sending, true, true) => assert!(matches!(event, Some(Event::WaitTimedOut)), "{case}"),
                (Stage::Sending, true, false) => assert!(event.is_none(), "{case}"),
                _ => assert!(matches!(event, Some(Event::Existing(of)) if of == entry), "{case}"),
            }
        }
    }
}

#[test]
fn a_restarted_till_is_told_what_this_journal_knows_of_the_same_request() {
    let intent_of = |points| Identity { points, ..Identity::default() };
    for stage in Stage::ALL {
        let entry = intent(OnUnknown::Hold).moved(stage);
        let told = unless_elsewhere(&intent_of(None), Known::Existing(entry.clone()));
        let closed = matches!(stage, Stage::Reversed | Stage::Undone);
        match told {
            Some(Reply::Conflict(of)) => assert!(closed && of == entry, "{stage:?}"),
            Some(Reply::Existing(of)) => assert!(!closed && of == entry, "{stage:?}"),
            other => panic!("{stage:?}: {other:?}"),
        }
        let other = unless_elsewhere(&intent_of(Some(5)), Known::Existing(entry));
        assert!(matches!(other, Some(Reply::Conflict(_))), "{stage:?}");
    }
    let asked = intent_of(None);
    let elsewhere = unless_elsewhere(&asked, Known::OtherJournal(None));
    assert!(matches!(elsewhere, Some(Reply::OtherJournal(None))));
    let left = unless_elsewhere(&asked, Known::LeftBehind(intent(OnUnknown::Hold)));
    assert!(matches!(left, Some(Reply::Unrecorded(doubt)) if doubt.kind.text == "ZV-ABANDONED"));
    for known in [Known::NeverSent, Known::NotRecorded] {
        assert!(unless_elsewhere(&asked, known).is_none());
    }
}

#[test]
fn a_further_attempt_forgets_the_words_of_the_one_before_it() {
    let mut stands = intent(OnUnknown::Hold).moved(Stage::Declined);
    stands.attempt = 3;
    stands.detail.words = Some(status("40001"));
    stands.detail.warnings = vec![status("ZV-W-CLOCK")];
    stands.detail.answered = true;
    stands.detail.origin = Origin { device_sn: Some("T1".to_owned()), ..Origin::default() };
    let mut asked = intent(OnUnknown::Hold);
    asked.owner = Owner("another".into());
    asked.detail.origin = Origin { device_sn: Some("T2".to_owned()), ..Origin::default() };
    let (_, effect) = step(State::New(asked.clone()), Event::Existing(stands.clone()));
    let Effect::RecordAgain(next) = effect else { panic!("{effect:?}") };
    assert_eq!((next.attempt, next.owner, &next.detail.origin), (4, asked.owner, &asked.detail.origin));
    assert!(next.detail.words.is_none() && next.detail.warnings.is_empty() && !next.detail.answered);
    assert!(!next.detail.earlier_never_left, "a byte was sent");
}

#[test]
fn another_request_under_a_free_biz_id_keeps_the_count_and_the_first_time() {
    let mut stands = intent(OnUnknown::Hold).moved(Stage::NotSent);
    (stands.attempt, stands.revision, stands.created_unix_ms) = (4, 7, 11);
    stands.detail.earlier_never_left = true;
    let mut asked = intent(OnUnknown::Hold);
    asked.created_unix_ms = 99;
    asked.identity.points = Some(5);
    let (_, effect) = step(State::New(asked), Event::Existing(stands));
    let Effect::RecordAgain(next) = effect else { panic!("{effect:?}") };
    assert_eq!((next.attempt, next.revision, next.created_unix_ms), (5, 8, 11));
    assert!(next.detail.earlier_never_left && next.identity.points == Some(5));
}

#[test]
fn a_reversal_that_was_asked_for_before_the_second_attempt_ends_the_first_as_not_sent() {
    let asked = |stage: Stage| {
        let mut entry = intent(OnUnknown::Hold).moved(stage);
        entry.detail.reversal.asked = true;
        entry
    };
    let (state, effect) = step(State::Resigning(Resign::default()), Event::Existing(asked(Stage::Sending)));
    let record = recorded(effect);
    assert_eq!((record.stage, record.detail.reversal.voided), (Stage::Reversed, Some(Stage::NotSent)));
    assert!(matches!(state, State::RecordingOutcome { end: End::NotSent(_) }));
    let (_, effect) = step(State::Resigning(Resign::default()), Event::Existing(asked(Stage::Reversed)));
    assert!(matches!(effect, Effect::Tell(Reply::Existing(_))));
    assert!(matches!(
        step(State::Resigning(Resign::default()), full()).1,
        Effect::Tell(Reply::Internal { .. })
    ));
}

#[test]
fn only_a_refused_signature_is_signed_again() {
    let answer = Event::Ended { end: refused("40001"), clock_is_off: true };
    let (_, effect) = step(sending(OnUnknown::Hold), answer);
    assert_eq!(recorded(effect).stage, Stage::Declined);
    let again = Event::Ended { end: refused("110004"), clock_is_off: true };
    let (state, effect) = step(sending(OnUnknown::Hold), again.clone());
    let second = recorded(effect);
    assert_eq!((second.owner.0.as_str(), second.detail.earlier_never_left), ("me", false));
    let (state, _) = step(state, Event::Recorded(second));
    let (_, effect) = step(state, again);
    assert_eq!(recorded(effect).stage, Stage::Declined, "once");
}

/// An end that meets a record of somebody else's decision changes it only where it proves the contrary.
#[test]
fn only_what_a_person_has_settled_is_contradicted() {
    for stage in Stage::ALL {
        for by_person in [false, true] {
            for (end, contradicts) in [
                (accepted(), Some(Stage::Undone)),
                (refused("40001"), Some(Stage::Kept)),
                (not_sent(), Some(Stage::Kept)),
                (lost(), None),
            ] {
                let mut stands =
                    if by_person { settled(stage) } else { intent(OnUnknown::Hold).moved(stage) };
                stands.detail.reversal = Reversal {
                    asked: false,
                    tries: 2,
                    refused: true,
                    said: Some(Said::Refused),
                    ..Reversal::default()
                };
                let case = format!("{stage:?} {by_person} {end:?}");
                let effect = ends_over(&stands, end);
                let late = matches!(&effect, Effect::Record(record) if record.has_late_proof());
                // The gateway's records did not have a held consume, or its reversal was confirmed.
                let undone =
                    matches!(stage, Stage::Reversing | Stage::Reversed | Stage::Refused | Stage::Unproven);
                let held = contradicts == Some(Stage::Undone) && undone;
                assert_eq!(late, held || (by_person && contradicts == Some(stage)), "{case}: {effect:?}");
                if let Effect::Record(record) = effect
                    && late
                {
                    let reversal = &record.detail.reversal;
                    assert_eq!((reversal.refused, reversal.said, reversal.tries), (false, None, 2), "{case}");
                    assert_eq!(reversal.sent_away, stage != Stage::Kept, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_success_that_meets_a_promised_reversal_goes_back_only_where_somebody_gives_it_back() {
    for (on_unknown, asked, wanted) in [
        (OnUnknown::Reverse, false, Stage::Reversing),
        (OnUnknown::Reverse, true, Stage::Reversing),
        (OnUnknown::Hold, true, Stage::Reversing),
        (OnUnknown::Hold, false, Stage::Unproven),
    ] {
        for stage in [Stage::Reversing, Stage::Reversed, Stage::Refused, Stage::Unproven] {
            let mut stands = intent(on_unknown).moved(stage);
            stands.detail.reversal.asked = asked;
            let record = recorded(ends_over(&stands, accepted()));
            assert_eq!(record.stage, wanted, "{on_unknown:?} {asked} {stage:?}");
            assert!(record.detail.answered && record.detail.words.unwrap().code == "0");
        }
        let stands = intent(on_unknown).moved(Stage::Unknown);
        assert_eq!(recorded(ends_over(&stands, accepted())).stage, Stage::Succeeded);
    }
}

#[test]
fn each_end_is_recorded_with_its_own_words() {
    let doubt = Doubt {
        warnings: vec![crate::outcome::Warning::new(&codes::WARN_EMPTY, "w")],
        ..Doubt::new(&codes::LOST, "gone")
    };
    let conclude = |end: End| recorded(conclude(&intent(OnUnknown::Hold), end).1);
    let success = conclude(accepted());
    assert_eq!((success.stage, success.detail.answered), (Stage::Succeeded, true));
    assert_eq!(success.detail.words, Some(GatewayStatus { code: "0".into(), message: "ok".into() }));
    assert_eq!(success.detail.returned_biz_id.as_deref(), Some("B2"));
    assert_eq!((success.detail.data.is_some(), success.detail.warnings.len()), (true, 1));
    let no = conclude(refused("40001"));
    assert_eq!((no.stage, no.detail.answered), (Stage::Declined, true));
    assert_eq!(no.detail.words.map(|words| words.code).as_deref(), Some("40001"));
    let nothing = conclude(not_sent());
    assert_eq!((nothing.stage, nothing.detail.answered), (Stage::NotSent, false));
    assert_eq!(nothing.detail.words.map(|words| words.code).as_deref(), Some("ZV-CONNECT"));
    let gone = conclude(End::Lost(doubt));
    assert_eq!((gone.stage, gone.detail.answered, gone.detail.warnings.len()), (Stage::Unknown, false, 1));
    assert_eq!(gone.detail.words.map(|words| words.message).as_deref(), Some("gone"));
    // A success that a till wants reversed meanwhile keeps what its reversal needs.
    let mut asked = intent(OnUnknown::Hold);
    asked.detail.reversal.asked = true;
    asked.detail.confirmation = Confirmation::Awaited;
    let record = recorded(super::super::conclude(&asked, accepted()).1);
    assert_eq!((record.stage, record.detail.returned_biz_id.as_deref()), (Stage::Reversing, Some("B2")));
}

#[test]
fn what_a_dead_call_left_is_of_the_day_on_which_it_was_sent() {
    let days = BusinessDays { start_minutes: 0, offset_minutes: 0 };
    let now = Moment { machine_unix_ms: 1_795_000_000_000, gateway_unix_ms: None };
    let sent = intent(OnUnknown::Hold).dated(now, days);
    let left = abandoned(&sent);
    assert_eq!((left.stage, left.detail.times.ended), (Stage::Unknown, sent.detail.times.sent));
    assert_eq!(abandoned(&intent(OnUnknown::Reverse)).stage, Stage::Reversing);
}
