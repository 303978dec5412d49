//! Each answer to a reversal over each record, compared with the rules in other words; and each step of a try.

use super::*;

fn facts<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0..1_u32 << N).map(|bits| std::array::from_fn(|at| bits >> at & 1 == 1))
}

fn answers() -> [(Said, Reversed); 5] {
    let status = |code: &str| GatewayStatus { code: code.to_owned(), message: String::new() };
    [
        (Said::Done, Reversed::Done(status("0"))),
        (Said::Already, Reversed::Already(status("920001"))),
        (Said::NotFound, Reversed::NotFound(status("920002"))),
        (Said::Refused, Reversed::Refused(status("920003"))),
        (Said::Nothing, Reversed::Again(status("ZV-LOST"))),
    ]
}

#[test]
fn what_an_answer_means_depends_on_nothing_else() {
    for [answered, over, refund, foreign, promised, yes, refuses_unknown, elsewhere] in facts() {
        for (tries_before, (said, answer)) in
            (0..=2).flat_map(|before| answers().map(|answer| (before, answer)))
        {
            let mut before = entry(Stage::Reversing);
            before.detail.answered = answered;
            before.detail.foreign = foreign;
            before.detail.words = yes.then(|| GatewayStatus { code: "0".to_owned(), message: String::new() });
            before.detail.reversal = Reversal {
                tries: tries_before + 1,
                unanswered: tries_before + 1,
                refund,
                promised,
                elsewhere,
                said: Some(Said::Nothing),
                asked: true,
                ..Reversal::default()
            };
            let case = format!("{before:?} {answer:?} {over} {refuses_unknown}");
            let certain = answered || over;
            let stage = match said {
                Said::Done | Said::Already => {
                    if certain {
                        Stage::Reversed
                    } else {
                        Stage::Reversing
                    }
                }
                Said::NotFound if foreign => Stage::Refused,
                Said::NotFound if !over => Stage::Reversing,
                Said::NotFound if answered && yes => Stage::Unproven,
                Said::NotFound => Stage::Reversed,
                Said::Refused if refund && tries_before == 0 => Stage::Kept,
                Said::Refused if !certain => Stage::Reversing,
                Said::Refused if promised && refuses_unknown => Stage::Reversed,
                Said::Refused if promised => Stage::Unproven,
                Said::Refused => Stage::Refused,
                Said::Nothing => Stage::Reversing,
            };
            let (Reversed::Done(words)
            | Reversed::Already(words)
            | Reversed::NotFound(words)
            | Reversed::Refused(words)
            | Reversed::Again(words)) = &answer;
            let no = said == Said::Refused;
            let wanted = Reversal {
                last: Some(words.clone()),
                // A refusal that is not final is no refusal; another till's unknown bizId is one.
                refused: (no && stage != Stage::Reversing) || (said == Said::NotFound && foreign),
                unanswered: if no { tries_before } else { tries_before + 1 },
                said: Some(said),
                promised: promised || matches!(said, Said::Done | Said::Already),
                // Its own try may have been the one that did it, unless every one before was refused.
                elsewhere: said == Said::Already && (refund || foreign) && (elsewhere || tries_before == 0),
                ..before.detail.reversal.clone()
            };
            let after = reversal_answered(&before, &answer, over, refuses_unknown);
            assert_eq!((after.stage, after.revision), (stage, before.revision + 1), "{case}");
            assert_eq!(after.detail.reversal, wanted, "{case}");
        }
    }
}

#[test]
fn a_sale_that_counts_was_given_back_elsewhere_if_no_try_of_its_own_did_it() {
    let mut sold = entry(Stage::Reversing);
    sold.detail.answered = true;
    sold.detail.reversal.unanswered = 1;
    let already = Reversed::Already(words());
    let elsewhere = |entry: &Entry| reversal_answered(entry, &already, true, false).detail.reversal.elsewhere;
    assert!(!elsewhere(&sold), "a consume that was never a sale");
    sold.detail.times.succeeded = true;
    assert!(elsewhere(&sold));
}

#[test]
fn a_confirmation_counts_over_every_record_that_is_still_open() {
    let said = |stands: &Entry, tried: &Entry, answer: &Reversed, over, refuses| {
        confirmed_over(stands, tried, answer, over, refuses)
    };
    for stage in Stage::ALL {
        for [answered, over, refund, by_person, reopened, another_attempt] in facts() {
            for (meant, answer) in answers() {
                let mut tried = entry(Stage::Reversing);
                tried.detail.answered = answered;
                tried.detail.reversal = Reversal { tries: 1, unanswered: 1, refund, ..Reversal::default() };
                let mut stands = tried.moved(stage);
                stands.detail.reopened = u32::from(reopened);
                stands.attempt += u32::from(another_attempt);
                stands.detail.settlement = by_person.then(|| Settlement {
                    by: "w".to_owned(),
                    reason: "r".to_owned(),
                    from: Stage::Refused,
                });
                let open = match stage {
                    Stage::Reversing | Stage::Refused | Stage::Unproven => true,
                    Stage::Kept => refund && !by_person,
                    _ => false,
                };
                let confirms = matches!(meant, Said::Done | Said::Already);
                let case = format!("{stands:?} {answer:?} {over}");
                let after = said(&stands, &tried, &answer, over, false);
                assert_eq!(after.is_some(), open && confirms && !reopened && !another_attempt, "{case}");
                let Some(after) = after else { continue };
                let wanted = match stage {
                    _ if answered || over => Stage::Reversed,
                    Stage::Reversing => Stage::Reversing,
                    _ => Stage::Unproven,
                };
                assert_eq!((after.stage, after.revision), (wanted, stands.revision + 1), "{case}");
                assert!(after.detail.reversal.promised, "{case}");
            }
        }
    }
}

#[test]
fn a_reversal_never_goes_by_a_biz_id_that_may_be_another_sales() {
    for [other_biz_ids, mismatched, foreign] in facts() {
        let mut before = entry(Stage::Reversing);
        (before.detail.mismatched_biz_id, before.detail.foreign) = (mismatched, foreign);
        before.detail.reversal.refused = true;
        let given_up = (other_biz_ids || mismatched) && !foreign;
        match try_reversal(&before, other_biz_ids) {
            Try::GiveUp(record) => {
                assert!(given_up && record.stage == Stage::Unproven);
                let last = record.detail.reversal.last.unwrap();
                assert_eq!(
                    (last.code.as_str(), record.detail.reversal.said),
                    (codes::OTHER_BIZ_ID.text, None)
                );
            }
            Try::Send { record, biz_id } => {
                assert!(!given_up && biz_id == "B1");
                let reversal = &record.detail.reversal;
                assert_eq!((reversal.tries, reversal.unanswered, reversal.refused), (1, 1, false));
            }
            Try::NotNeeded => panic!("{other_biz_ids} {mismatched} {foreign}"),
        }
        before.detail.returned_biz_id = Some("R1".to_owned());
        assert!(matches!(try_reversal(&before, other_biz_ids), Try::Send { biz_id, .. } if biz_id == "R1"));
    }
}

#[test]
fn only_a_tills_own_request_for_a_finished_sale_is_a_refund() {
    for stage in Stage::ALL {
        for by in [By::Till, By::Library] {
            let before = entry(stage);
            let Requested::Record(asked) = request(&before, None, true, by) else { continue };
            let finished = matches!(stage, Stage::Succeeded | Stage::Kept);
            assert_eq!(asked.is_refund(), finished && by == By::Till, "{stage:?} {by:?}");
            assert!(asked.detail.reversal.asked && !asked.detail.reversal.refused, "{stage:?}");
            let nothing_taken = matches!(stage, Stage::Declined | Stage::NotSent);
            assert_eq!(asked.detail.reversal.voided, nothing_taken.then_some(stage), "{stage:?}");
        }
    }
}

#[test]
fn without_a_route_only_what_took_nothing_can_be_undone() {
    for stage in Stage::ALL {
        let requested = request(&entry(stage), None, false, By::Till);
        let impossible = matches!(
            stage,
            Stage::Sending
                | Stage::Succeeded
                | Stage::Unknown
                | Stage::Refused
                | Stage::Kept
                | Stage::Unproven
        );
        assert_eq!(matches!(requested, Requested::Impossible), impossible, "{stage:?}: {requested:?}");
    }
    // A running consume whose reversal was asked for is not asked again.
    let mut running = entry(Stage::Sending);
    running.detail.reversal.asked = true;
    assert!(matches!(request(&running, None, true, By::Till), Requested::InProgress));
}

#[test]
fn the_biz_id_that_a_till_states_replaces_only_one_that_the_gateway_does_not_know() {
    for (known, unknown_there, stated, wanted) in [
        (None, false, Some("T1"), Some("T1")),
        (None, false, None, None),
        (Some("R1"), false, Some("T1"), Some("R1")),
        (Some("R1"), false, None, Some("R1")),
        (Some("R1"), true, Some("T1"), Some("T1")),
        (Some("R1"), true, None, Some("R1")),
    ] {
        let mut before = entry(Stage::Refused);
        before.detail.foreign = unknown_there;
        before.detail.reversal.said = unknown_there.then_some(Said::NotFound);
        before.detail.returned_biz_id = known.map(str::to_owned);
        let Requested::Record(asked) = request(&before, stated, true, By::Till) else { panic!() };
        let case = format!("{known:?} {unknown_there} {stated:?}");
        assert_eq!(asked.detail.returned_biz_id.as_deref(), wanted, "{case}");
    }
}

const RULES: Rules = Rules { late_window_over: true, refuses_unknown: false, knows_already: true };

fn full() -> Event {
    Event::JournalFailed { code: &codes::JOURNAL_FULL, message: "full".to_owned() }
}

fn answered(answer: Reversed, refused_for_clock: bool) -> Event {
    Event::Answered { answer, refused_for_clock }
}

/// A try that is on its way.
fn sending() -> (State, Entry) {
    let begin = Event::Begin { other_biz_ids: false };
    let (state, effect) = step(State::New(entry(Stage::Reversing)), begin, RULES);
    let Effect::Record(record) = effect else { panic!("{effect:?}") };
    let (state, effect) = step(state, Event::Recorded(record.clone()), RULES);
    let Effect::Send { durable, biz_id } = effect else { panic!("{effect:?}") };
    assert_eq!((&durable, biz_id.as_str()), (&record, "B1"));
    (state, record)
}

#[test]
fn a_try_is_recorded_then_sent_then_judged_then_recorded() {
    let (state, record) = sending();
    let (state, effect) = step(state, answered(Reversed::Done(words()), false), RULES);
    let Effect::Record(next) = effect else { panic!("{effect:?}") };
    assert_eq!((next.stage, next.revision), (Stage::Reversed, record.revision + 1));
    assert!(next.detail.reversal.told_apart, "the configuration could tell them apart");
    let (state, effect) = step(state, Event::Recorded(next.clone()), RULES);
    assert!(matches!((state, effect), (State::Done, Effect::Stands(stands)) if stands == next));
}

#[test]
fn a_reversal_whose_signature_was_refused_for_the_clock_goes_out_once_more() {
    let refused = || Reversed::Refused(words());
    let (state, record) = sending();
    let (_, effect) = step(state, answered(refused(), false), RULES);
    assert!(matches!(effect, Effect::Record(_)), "{effect:?}");
    let (state, _) = sending();
    let (state, effect) = step(state, answered(refused(), true), RULES);
    assert!(matches!(effect, Effect::Send { durable, biz_id } if durable == record && biz_id == "B1"));
    let (_, effect) = step(state, answered(refused(), true), RULES);
    assert!(matches!(effect, Effect::Record(next) if next.stage == Stage::Refused));
}

#[test]
fn a_try_that_nobody_needs_or_somebody_else_makes_ends() {
    let begin = || Event::Begin { other_biz_ids: false };
    let reversed = entry(Stage::Reversed);
    let (state, effect) = step(State::New(reversed.clone()), begin(), RULES);
    assert!(matches!((state, effect), (State::Done, Effect::Stands(stands)) if stands == reversed));
    let (state, _) = step(State::New(entry(Stage::Reversing)), begin(), RULES);
    let (state, effect) = step(state, Event::Existing(reversed.clone()), RULES);
    assert!(matches!((state, effect), (State::Done, Effect::Stands(stands)) if stands == reversed));
    // What cannot be determined is recorded as such, and not as an answer of the gateway's.
    let new = State::New(entry(Stage::Reversing));
    let (state, effect) = step(new, Event::Begin { other_biz_ids: true }, RULES);
    let Effect::Record(given_up) = effect else { panic!("{effect:?}") };
    assert!(given_up.stage == Stage::Unproven && !given_up.detail.reversal.told_apart);
    let (state, effect) = step(state, Event::Existing(reversed.clone()), RULES);
    assert!(matches!((state, effect), (State::Done, Effect::Stands(stands)) if stands == reversed));
}

#[test]
fn a_try_that_cannot_be_recorded_leaves_only_after_one_that_was() {
    let begin = || Event::Begin { other_biz_ids: false };
    let (state, _) = step(State::New(entry(Stage::Reversing)), begin(), RULES);
    let (state, effect) = step(state, full(), RULES);
    assert!(
        matches!((state, effect), (State::Done, Effect::Failed { code, .. }) if code.text == "ZV-JOURNAL-FULL")
    );
    let mut sent_before = entry(Stage::Reversing);
    (sent_before.detail.reversal.tries, sent_before.detail.reversal.unanswered) = (1, 1);
    let (state, _) = step(State::New(sent_before.clone()), begin(), RULES);
    let (state, effect) = step(state, full(), RULES);
    assert!(matches!(effect, Effect::Send { durable, .. } if durable == sent_before));
    // Its end is recorded over what is on the disk.
    let (state, effect) = step(state, answered(Reversed::Done(words()), false), RULES);
    assert!(matches!(&effect, Effect::Record(next) if next.revision == sent_before.revision + 1));
    assert!(matches!(step(state, full(), RULES), (State::Done, Effect::Failed { .. })));
}

#[test]
fn an_answer_that_meets_another_record_is_judged_again_over_it() {
    let (state, record) = sending();
    let (state, _) = step(state, answered(Reversed::Done(words()), false), RULES);
    let refused = record.moved(Stage::Refused);
    let (state, effect) = step(state, Event::Existing(refused.clone()), RULES);
    let Effect::Record(next) = effect else { panic!("{effect:?}") };
    assert_eq!((next.stage, next.revision), (Stage::Reversed, refused.revision + 1));
    let settled = next.moved(Stage::Undone);
    let (_, effect) = step(state, Event::Existing(settled.clone()), RULES);
    assert!(matches!(effect, Effect::Stands(stands) if stands == settled));
}

#[test]
fn an_event_out_of_order_is_named_and_changes_nothing() {
    let (state, effect) = step(State::Done, Event::Begin { other_biz_ids: false }, RULES);
    assert!(matches!((state, effect), (State::Done, Effect::Failed { code, .. }) if code.text == "ZV-PANIC"));
}
