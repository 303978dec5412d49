//! The background thread on a machine whose clock moves only while it waits.

use super::*;
use crate::gateway::{GatewayStatus, Identity};
use crate::money::BizId;
use crate::payment::{Confirmation, Detail, OnUnknown, Owner, Reversal, Said};
use crate::runtime::tests::machine::{OTHER, RENEWED, Shop};

/// A reversal is refused with this code, which means that the money had been given back before.
const ALREADY: &str = "777";
const REVERSE: &str = r#","routes":{"reverse":{"path":"/reverse","codes":{"already":["777"]}}}"#;
const DONE: &str = r#"{"status":true,"code":0,"message":"","data":null}"#;

/// For so long a connection is kept open for a payment.
const WARM: Duration = Duration::from_secs(9);

fn recovery(shop: &Shop, background: bool) -> Arc<Recovery> {
    let (shared, clients) = (Arc::clone(&shop.shared), Arc::clone(&shop.clients));
    let settings = ScheduleSettings { late_arrival: Duration::from_mins(2), confirm_after: Duration::ZERO };
    Arc::new(Recovery::new(shared, clients, settings, background, WARM))
}

/// The end of a pass that has the time it needs.
fn later(shop: &Shop) -> Instant {
    shop.shared.world.now() + Duration::from_hours(1)
}

fn at(shop: &Shop, biz_id: &str, stage: Stage, owner: &str, detail: Detail) -> Entry {
    let key = shop.client().key(&BizId::new(biz_id).unwrap());
    let owner = Owner(owner.to_owned());
    Entry::restore(key, Identity::default(), stage, 3, 1, owner, OnUnknown::Hold, 1, detail)
}

/// A record whose reversal was refused with the code.
fn refused(shop: &Shop, stage: Stage) -> Entry {
    let last = Some(GatewayStatus { code: ALREADY.to_owned(), message: "no".to_owned() });
    let reversal = Reversal {
        asked: true,
        tries: 1,
        last,
        refused: true,
        said: Some(Said::Refused),
        promised: true,
        ..Reversal::default()
    };
    at(shop, "T1", stage, "9-dead", Detail { reversal, ..Detail::default() })
}

/// Runs the thread until that second, and gives what it did.
fn events_until(second: u64, shop: &Shop, recovery: &Arc<Recovery>) -> Vec<String> {
    let stopped = Arc::clone(recovery);
    shop.machine.plan(second, move || stopped.stop());
    assert!(shop.machine.run(), "there is a thread");
    shop.machine.events()
}

fn url(host: &str) -> Uri {
    format!("https://{host}/").parse().unwrap()
}

#[test]
fn a_connection_is_kept_open_for_its_time_and_not_renewed_at_the_end_of_it() {
    assert_eq!(RENEWED * 3, WARM);
    let shop = Shop::new("");
    let recovery = recovery(&shop, true);
    recovery.keep_warm(&url("a"));
    assert_eq!(events_until(60, &shop, &recovery), ["0 s: a", "3 s: a", "6 s: a"]);
}

#[test]
fn each_gateway_has_a_connection_of_its_own_whose_time_begins_again_with_each_sale() {
    let shop = Shop::new("");
    let recovery = recovery(&shop, true);
    recovery.keep_warm(&url("a"));
    let again = Arc::clone(&recovery);
    shop.machine.plan(4, move || {
        again.keep_warm(&url("b"));
        again.keep_warm(&url("a"));
    });
    let wanted =
        ["0 s: a", "3 s: a", "4 s: b", "6 s: a", "7 s: b", "9 s: a", "10 s: b", "12 s: a"].map(str::to_owned);
    assert_eq!(events_until(60, &shop, &recovery), wanted);
}

#[test]
fn a_payment_ends_it_for_its_own_gateway() {
    let shop = Shop::new("");
    let recovery = recovery(&shop, true);
    recovery.keep_warm(&url("a"));
    recovery.keep_warm(&url("b"));
    let paid = Arc::clone(&recovery);
    shop.machine.plan(4, move || paid.let_cool(&url("a")));
    let wanted = ["0 s: a", "0 s: b", "3 s: a", "3 s: b", "6 s: b"];
    assert_eq!(events_until(60, &shop, &recovery), wanted);
}

#[test]
fn a_gateway_at_which_looking_panics_is_left_alone_and_the_others_are_not() {
    let shop = Shop::new("");
    let recovery = recovery(&shop, true);
    shop.machine.break_at(&url("a"));
    recovery.keep_warm(&url("a"));
    recovery.keep_warm(&url("b"));
    assert_eq!(events_until(60, &shop, &recovery), ["0 s: a", "0 s: b", "3 s: b", "6 s: b"]);
}

#[test]
fn a_thread_is_woken_only_where_the_library_settles_in_the_background() {
    for background in [true, false] {
        let shop = Shop::new("");
        let recovery = recovery(&shop, background);
        assert_eq!(recovery.is_in_background(), background);
        recovery.wake();
        let stopped = Arc::clone(&recovery);
        shop.machine.plan(1, move || stopped.stop());
        assert_eq!(shop.machine.run(), background);
    }
}

#[test]
fn the_thread_cares_for_the_journal_and_logs_what_keeps_it_from_that() {
    for (held_s, is_done) in [(5, true), (15, false)] {
        let shop = Shop::new("");
        let recovery = recovery(&shop, true);
        shop.memory.hold(Duration::from_secs(held_s));
        recovery.wake();
        events_until(1, &shop, &recovery);
        assert_eq!(shop.memory.cared(), u32::from(is_done), "{held_s}");
        assert_eq!(shop.lines.have("recovery: ZV-JOURNAL-LOCKED others hold it"), !is_done, "{held_s}");
    }
}

#[test]
fn an_earlier_refusal_is_explained_at_the_start_or_else_by_the_first_pass() {
    for at_start in [true, false] {
        let shop = Shop::new(REVERSE);
        let recovery = recovery(&shop, false);
        shop.memory.put(&refused(&shop, Stage::Refused));
        if at_start {
            recovery.explain(later(&shop));
        } else {
            recovery.pass(later(&shop)).unwrap();
        }
        assert_eq!(shop.memory.stages(), [Stage::Reversed]);
        assert_eq!(shop.machine.events(), ["T1 reversed"], "nothing is sent");
    }
}

/// Another process has recorded it after the start of this one.
#[test]
fn a_refused_promise_that_the_configuration_explains_is_settled_by_a_later_pass() {
    let shop = Shop::new(REVERSE);
    let recovery = recovery(&shop, false);
    recovery.explain(later(&shop));
    shop.memory.put(&refused(&shop, Stage::Unproven));
    assert_eq!(recovery.pass(later(&shop)).unwrap().settled, 1);
    assert_eq!(shop.machine.events(), ["T1 reversed"], "nothing is sent");
}

/// The reversal stands before the intent in the journal, and was seen after it.
#[test]
fn an_intent_keeps_its_turn_from_when_it_was_first_seen() {
    let shop = Shop::new(REVERSE);
    let recovery = recovery(&shop, false);
    shop.memory.put(&shop.intent("T2", OTHER, 2));
    recovery.pass(later(&shop)).unwrap();
    assert_eq!(shop.machine.events(), [""; 0], "its process lives");
    shop.machine.pass(Duration::from_secs(1));
    shop.memory.kill_other();
    shop.memory.put(&at(&shop, "T1", Stage::Reversing, "9-dead", Detail::default()));
    shop.machine.answer(DONE);
    recovery.pass(later(&shop)).unwrap();
    assert_eq!(shop.machine.events()[..2], ["T2 unknown", "T1 reversing"]);
}

/// More than are read from the journal at a time.
#[test]
fn one_pass_looks_at_every_entry() {
    let shop = Shop::new("");
    for number in 0..300 {
        shop.memory.put(&shop.intent(&format!("T{number}"), "9-dead", number));
    }
    recovery(&shop, false).pass(later(&shop)).unwrap();
    assert_eq!(shop.memory.stages(), [Stage::Unknown; 300]);
}

#[test]
fn the_intent_of_another_process_is_looked_at_again_and_an_own_one_when_its_call_ends() {
    for (owner, after) in [(OTHER, Some(Duration::from_secs(2))), ("1-me", None)] {
        let shop = Shop::new("");
        let intent = shop.intent("T1", owner, 1);
        let _running = shop.shared.journal.in_flight().begin(intent.key());
        shop.memory.put(&intent);
        let next = recovery(&shop, false).pass(later(&shop)).unwrap().next;
        assert_eq!(next, after.map(|after| shop.shared.world.now() + after), "{owner}");
        assert_eq!(shop.memory.stages(), [Stage::Sending], "{owner}");
    }
}

#[test]
fn a_success_that_nobody_confirmed_is_not_reversed_by_a_pass_whose_time_is_over() {
    let shop = Shop::new(REVERSE);
    let recovery = recovery(&shop, false);
    let detail = Detail { confirmation: Confirmation::Awaited, answered: true, ..Detail::default() };
    shop.memory.put(&at(&shop, "T1", Stage::Succeeded, "9-dead", detail));
    let now = shop.shared.world.now();
    assert_eq!(recovery.pass(now).unwrap().next, Some(now), "it is not forgotten");
    assert_eq!(shop.memory.stages(), [Stage::Succeeded]);
    shop.machine.answer(DONE);
    recovery.pass(later(&shop)).unwrap();
    assert_eq!(shop.machine.events()[0], "T1 reversing");
}
