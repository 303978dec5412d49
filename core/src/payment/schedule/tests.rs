//! What the background thread does about each entry, and when.

use super::*;
use crate::gateway::Identity;
use crate::money::BizId;
use crate::payment::{OnUnknown, Owner, Reversal, Said};

const TIMES: ScheduleSettings =
    ScheduleSettings { late_arrival: Duration::from_secs(100), confirm_after: Duration::from_secs(30) };

const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_nanos(1);

fn entry(biz_id: &str, stage: Stage) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new(biz_id).unwrap() };
    Entry::intent(key, Identity::default(), Owner("me".into()), OnUnknown::Reverse, 0).moved(stage)
}

/// An entry whose reversal was confirmed and then refused: only the gateway's records can settle it.
fn promise_refused(biz_id: &str) -> Entry {
    let mut entry = entry(biz_id, Stage::Unproven);
    entry.detail.reversal = Reversal { promised: true, said: Some(Said::Refused), ..Reversal::default() };
    entry
}

fn schedule() -> (Schedule, Instant) {
    (Schedule::new(TIMES), Instant::now())
}

#[test]
fn an_attempt_is_left_to_its_call_while_that_may_run() {
    let sending = entry("B1", Stage::Sending);
    for (may_be_running, is_own, at_once) in [true, false]
        .into_iter()
        .flat_map(|a| [true, false].map(|b| (a, b)))
        .flat_map(|(a, b)| [true, false].map(|c| (a, b, c)))
    {
        let (mut schedule, now) = schedule();
        let facts =
            Facts { may_be_running, is_own, has_account: true, can_reverse: true, has_evidence: true };
        let wanted = match (may_be_running, is_own) {
            (false, _) => Task::MarkAbandoned,
            (true, true) => Task::Leave,
            (true, false) => Task::Wait(now + 2 * SECOND),
        };
        assert_eq!(schedule.task(&sending, facts, at_once, now), wanted, "{facts:?}");
    }
}

#[test]
fn nothing_is_asked_of_a_gateway_that_cannot_help() {
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Sending) {
        for bits in 0..8 {
            let [has_account, can_reverse, has_evidence] = [1, 2, 4].map(|bit| bits & bit != 0);
            let facts =
                Facts { may_be_running: false, is_own: false, has_account, can_reverse, has_evidence };
            let helps = has_evidence || (stage == Stage::Reversing && can_reverse);
            let (mut schedule, now) = schedule();
            let task = schedule.task(&entry("B1", stage), facts, false, now);
            let wanted = if has_account && helps { Task::Drive } else { Task::Leave };
            assert_eq!(task, wanted, "{stage:?} {facts:?}");
        }
    }
}

#[test]
fn a_try_waits_until_it_is_due_unless_it_is_wanted_at_once() {
    let (mut schedule, now) = schedule();
    let facts = Facts { has_account: true, can_reverse: true, ..Facts::default() };
    let reversing = entry("B1", Stage::Reversing);
    let due = schedule.tried(&reversing, 20, now).unwrap();
    assert_eq!(due, now + SECOND / 2);
    assert_eq!(schedule.task(&reversing, facts, false, now), Task::Wait(due));
    assert_eq!(schedule.task(&reversing, facts, true, now), Task::Drive);
    assert_eq!(schedule.task(&reversing, facts, false, due), Task::Drive);
}

#[test]
fn the_most_overdue_entry_comes_first_and_an_intent_keeps_its_turn() {
    let (mut schedule, now) = schedule();
    let names = |entries: Vec<Entry>| -> Vec<String> {
        entries.iter().map(|entry| entry.key().biz_id.to_string()).collect()
    };
    let tried = entry("B1", Stage::Reversing);
    schedule.tried(&tried, 20, now);
    let intent = entry("B2", Stage::Sending);
    let entries = || vec![tried.clone(), intent.clone()];
    assert_eq!(names(schedule.order(entries(), now)), ["B2", "B1"]);
    // Seen later: its turn is still that of the first time.
    assert_eq!(names(schedule.order(entries(), now + SECOND)), ["B2", "B1"]);
    schedule.scanned(&HashSet::from([intent.key().clone()]));
    assert_eq!(names(schedule.order(entries(), now + SECOND)), ["B2", "B1"]);
    // An intent that has gone and comes again begins behind the others.
    schedule.scanned(&HashSet::from([tried.key().clone()]));
    assert_eq!(names(schedule.order(entries(), now + SECOND)), ["B1", "B2"]);
    // As does one whose end could not be recorded.
    let facts = Facts::default();
    assert_eq!(schedule.task(&intent, facts, false, now), Task::MarkAbandoned);
    let new = entry("B3", Stage::Reversing);
    let later = now + 2 * SECOND;
    assert_eq!(names(schedule.order(vec![new.clone(), intent.clone()], later)), ["B3", "B2"]);
}

#[test]
fn an_unconfirmed_success_is_reversed_after_its_time_and_not_before() {
    let mut sold = entry("B1", Stage::Succeeded).awaiting_confirmation();
    let (mut schedule, now) = schedule();
    assert!(matches!(schedule.unconfirmed(&sold, true, true, now), Unconfirmed::Leave));
    // The time counts from when its process was first seen dead.
    let first = now + SECOND;
    let due = first + TIMES.confirm_after;
    for at in [first, first + SECOND, first + TIMES.confirm_after.saturating_sub(INSTANT)] {
        let left = schedule.unconfirmed(&sold, false, true, at);
        assert!(matches!(left, Unconfirmed::Wait(until) if until == due), "{left:?}");
    }
    for at in [due, due + SECOND] {
        let Unconfirmed::Reverse(record) = schedule.unconfirmed(&sold, false, true, at) else { panic!() };
        assert_eq!((record.stage(), record.revision()), (Stage::Reversing, sold.revision() + 1));
        // Nobody has told a customer of a finished sale that the money comes back.
        assert!(!record.is_refund() && record.detail().reversal.asked);
    }
    assert!(matches!(schedule.unconfirmed(&sold, false, false, due), Unconfirmed::Leave));
    assert!(matches!(schedule.unconfirmed(&sold, true, true, due), Unconfirmed::Leave));
    for confirmation in [Confirmation::NotAsked, Confirmation::Given] {
        sold.detail.confirmation = confirmation;
        assert!(matches!(schedule.unconfirmed(&sold, false, true, due), Unconfirmed::Leave));
    }
}

#[test]
fn another_threads_try_counts_as_ones_own() {
    let (mut schedule, now) = schedule();
    let reversing = entry("B1", Stage::Reversing);
    assert_eq!(schedule.after_another_try(&reversing, now), Another::Due);
    let due = schedule.tried(&reversing, 20, now).unwrap();
    assert_eq!(schedule.after_another_try(&reversing, now), Another::Enough(Some(due)));
    assert_eq!(schedule.after_another_try(&reversing, due), Another::Due);
    assert_eq!(schedule.after_another_try(&reversing, due + SECOND), Another::Due);
    for stage in Stage::ALL {
        let goes_on = matches!(stage, Stage::Reversing | Stage::Unknown);
        let after = schedule.after_another_try(&entry("B2", stage), now);
        let wanted = if goes_on { Another::Due } else { Another::Enough(None) };
        assert_eq!(after, wanted, "{stage:?}");
        assert_eq!(schedule.tried(&entry("B3", stage), 20, now).is_some(), goes_on, "{stage:?}");
    }
    assert_eq!(schedule.after_another_try(&promise_refused("B4"), now), Another::Due);
    assert!(schedule.tried(&promise_refused("B4"), 20, now).is_some());
}

#[test]
fn what_is_settled_is_forgotten_and_begins_again() {
    let (mut schedule, now) = schedule();
    let reversing = entry("B1", Stage::Reversing);
    schedule.tried(&reversing, 20, now);
    assert_eq!(schedule.tried(&entry("B1", Stage::Reversed), 20, now), None);
    assert_eq!(schedule.tried(&reversing, 20, now), Some(now + SECOND / 2));
}

#[test]
fn the_window_for_a_late_arrival_begins_when_the_entry_is_first_seen_and_again_when_it_is_opened_again() {
    let (mut schedule, now) = schedule();
    let mut reversing = entry("B1", Stage::Reversing);
    assert!(!schedule.late_window_over(&reversing, now));
    let end = now + TIMES.late_arrival;
    assert!(!schedule.late_window_over(&reversing, now + TIMES.late_arrival.saturating_sub(INSTANT)));
    assert!(schedule.late_window_over(&reversing, end));
    let before = reversing.clone();
    reversing.detail.reopened = 1;
    assert!(!schedule.late_window_over(&reversing, end));
    // A thread that still has the older record changes nothing, and the same record begins nothing.
    assert!(!schedule.late_window_over(&before, end));
    assert!(!schedule.late_window_over(&reversing, end + SECOND));
    assert!(schedule.late_window_over(&reversing, end + TIMES.late_arrival));
}

#[test]
fn seeing_an_unsettled_entry_begins_its_window() {
    for stage in Stage::ALL {
        let (mut schedule, now) = schedule();
        let seen = entry("B1", stage);
        schedule.see(&seen, now);
        let begun = stage.is_unsettled() && stage != Stage::Sending;
        let end = now + TIMES.late_arrival;
        assert_eq!(schedule.late_window_over(&seen, end), begun, "{stage:?}");
    }
}

#[test]
fn a_promise_is_asked_again_at_the_end_of_the_window() {
    let (mut schedule, now) = schedule();
    let mut reversing = entry("B1", Stage::Reversing);
    reversing.detail.reversal.promised = true;
    assert_eq!(schedule.tried(&reversing, 20, now), Some(now + TIMES.late_arrival));
}

#[test]
fn the_journal_is_scanned_when_something_is_due_and_at_least_every_ten_seconds() {
    let began = Instant::now();
    let now = began + SECOND;
    for (next, wanted) in [
        (Ok(None), began + 10 * SECOND),
        (Ok(Some(began + 3 * SECOND)), began + 3 * SECOND),
        (Ok(Some(began + 30 * SECOND)), began + 10 * SECOND),
        (Err(()), now + 2 * SECOND),
    ] {
        assert_eq!(next_look(began, next, now), wanted, "{next:?}");
    }
    assert_eq!(retry_at(now), now + 2 * SECOND);
}
