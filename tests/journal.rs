//! The journal as a till sees it: a sale whose answer is lost is reversed, the same bizId means the same sale in
//! every process and after every crash, and an unknowable result is reported as such. Each test checks the gateway's
//! ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    Answer, Driver, FIVE_OFF, Flavour, MEMBER, POOR_MEMBER, Request, SAVINGS_COUPON, Scripted, Simulator,
    gateway_answer, program, reversing, until,
};
use zvpos_sandbox::rules::{Policy, Refusals, ReturnedBizId, rfc3339};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

fn till(simulator: &Simulator) -> Driver {
    Driver::started(&reversing(&simulator.v2(), json!({})))
}

/// Reversals get no answer of the gateway until [`reachable`].
fn unreachable(simulator: &Simulator) {
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
}

fn reachable(simulator: &Simulator) {
    simulator.admin("DELETE", "/faults", &Value::Null);
}

fn settles(till: &mut Driver, biz_id: &str, outcome: &str) -> Answer {
    until(&format!("{biz_id} is {outcome}"), || till.look_up(biz_id).outcome() == outcome);
    till.look_up(biz_id)
}

/// The `next` of each entry of `zv_pending_json`, by bizId.
fn pending(till: &mut Driver) -> Vec<(String, String)> {
    let answer = till.pending(None).succeeded();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = answer.data()["entries"].as_array().unwrap();
    let listed = entries.iter().map(|listed| (text(&listed["entry"]["bizId"]), text(&listed["next"])));
    listed.collect()
}

fn listed(biz_id: &str, next: &str) -> Vec<(String, String)> {
    vec![(biz_id.to_owned(), next.to_owned())]
}

#[test]
fn a_sale_with_a_lost_answer_is_reversed_automatically() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let faults = [
        "refused:600000",
        "hang",
        "hang_after",
        "reset_before",
        "reset_after",
        "html_200",
        "html_200_after",
        "http_500",
        "http_500_after:504",
        "cut_body:0",
        "cut_body:100",
        "slow_body",
        "late_answer",
        "system_error",
        "system_error_after",
    ];
    let mut biz_ids = Vec::new();
    for fault in faults {
        let biz_id = format!("T~{fault}");
        let answer = till.consume(&sale(&biz_id));
        assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
        // Its reversal is on disk: the customer may use another tender at once.
        assert_eq!(answer.json["next"], "other_tender", "{}", answer.text);
        reachable(&simulator);
        biz_ids.push(biz_id);
    }
    for biz_id in biz_ids {
        let answer = settles(&mut till, &biz_id, "reversed");
        assert_eq!((answer.code(), &answer.json["next"]), ("ZV-REVERSED", &json!("other_tender")));
        assert_eq!(simulator.net(&biz_id), 0, "{biz_id}");
        till.consume(&sale(&biz_id)).expect("conflict", "ZV-CONFLICT");
        assert_eq!(simulator.net(&biz_id), 0, "{biz_id}");
    }
    assert_eq!(pending(&mut till), []);
}

/// In another working directory it would be another, empty journal, and a sale that is being reversed would be taken
/// again: no path is expanded or resolved.
#[test]
fn a_relative_journal_path_is_refused() {
    let simulator = Simulator::start();
    for journal in
        ["pay.db", "./pay.db", "~/pay.db", "$HOME/pay.db", "%ProgramData%/pay.db", "/var/${X}/pay.db", ""]
    {
        let config = support::config(&simulator.v2(), json!({"journal": journal}));
        let refused = Driver::new().init(&config).expect("invalid", "ZV-CONFIG");
        assert_eq!(refused.errors(), ["journal"], "{journal}: {}", refused.text);
    }
    for journal in [json!(5), json!(true), json!([]), json!(["/pay.db"])] {
        let config = support::config(&simulator.v2(), json!({"journal": journal}));
        let refused = Driver::new().init(&config).expect("invalid", "ZV-CONFIG");
        assert_eq!(refused.errors(), ["journal"], "{journal}: {}", refused.text);
    }
}

#[test]
fn without_a_route_a_sale_needs_a_person_and_the_start_reports_it() {
    let simulator = Simulator::start();
    let config = support::config(&simulator.v2(), json!({}));
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert!(answer.warns("ZV-W-NO-REVERSE"), "{}", answer.text);
    assert_eq!(answer.data()["accounts"][0]["on_unknown"], "hold");
    let host = simulator.v2().split('/').nth(2).unwrap().to_owned();
    assert_eq!(answer.data()["accounts"][0]["environment"], host);
    assert_eq!(answer.data()["journal"], config["journal"]);
    let answer = till.consume(&sale("T1~reset_after")).expect("unknown", "ZV-LOST");
    assert_eq!(answer.json["next"], "wait");
    assert_eq!(pending(&mut till), listed("T1~reset_after", "person"));
    till.reverse(&json!({"bizId": "T1~reset_after"})).expect("invalid", "ZV-NO-REVERSE");
    till.reverse(&json!({"bizId": "other"})).expect("invalid", "ZV-NO-REVERSE");
    let decided = json!({"bizId": "T1~reset_after", "as": "kept", "by": "Li", "reason": "the bill says so"});
    let answer = till.settle(&decided).succeeded();
    assert_eq!(answer.data()["settlement"]["by"], "Li");
    assert_eq!(answer.data()["settlement"]["from"], "unknown");
    assert_eq!(pending(&mut till), []);
    till.look_up("T1~reset_after").expect("succeeded", "ZV-SETTLED");
    till.settle(&decided).expect("invalid", "ZV-NOT-SETTLED");
    assert_eq!((simulator.net("T1~reset_after"), simulator.requests()), (1, 1));
}

#[test]
fn reverse_without_a_route_is_no_configuration() {
    let config = support::config("http://127.0.0.1:1/", json!({"on_unknown": "reverse"}));
    assert_eq!(Driver::new().init(&config).expect("invalid", "ZV-CONFIG").errors(), ["on_unknown"]);
}

#[test]
fn a_success_is_reversed_exactly_once() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let before = simulator.member(MEMBER);
    till.consume(
        &json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "2.00"}),
    )
    .succeeded();
    for round in 0..2 {
        let answer = till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED");
        assert_eq!((answer.json["bizId"].as_str(), simulator.net("T1")), (Some("T1"), 0), "{round}");
    }
    assert_eq!(simulator.requests(), 2);
    till.consume(
        &json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "2.00"}),
    )
    .expect("conflict", "ZV-CONFLICT");
    till.look_up("T1").expect("reversed", "ZV-REVERSED");
    assert_eq!(simulator.member(MEMBER)["total"], before["total"]);
    assert_eq!(simulator.requests(), 2);
}

#[test]
fn what_was_declined_and_then_reversed_can_no_longer_be_taken() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let poor = json!({"bizId": "T1", "customerId": POOR_MEMBER, "amount": "500.00"});
    till.consume(&poor).expect("declined", "910001");
    till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-VOIDED");
    till.consume(&poor).expect("conflict", "ZV-CONFLICT");
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 1));
}

#[test]
fn eight_threads_reverse_one_sale() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T1")).succeeded();
    for answer in till.together(8, &format!("reverse {}", json!({"bizId": "T1"}))) {
        // Another thread may be reversing it.
        assert!(matches!(answer.outcome(), "reversed" | "unknown"), "{}", answer.text);
    }
    settles(&mut till, "T1", "reversed");
    assert_eq!(simulator.net("T1"), 0);
}

#[test]
fn a_reversal_waits_for_the_consume_that_runs() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let (mut one, mut two) = (Driver::started(&config), Driver::started(&config));
    for biz_id in ["T1~late_answer:500", "T2~hang", "T3~hang_after"] {
        let before = simulator.requests();
        one.begin(&format!("consume {}", sale(biz_id)));
        until("the consume runs", || simulator.requests() > before);
        two.reverse(&json!({"bizId": biz_id})).expect("unknown", "ZV-REVERSAL-QUEUED");
        assert_eq!(one.finish().outcome(), "unknown", "{biz_id}");
        settles(&mut two, biz_id, "reversed");
        assert_eq!(simulator.net(biz_id), 0, "{biz_id}");
    }
    // A sale that the gateway refused meanwhile was never taken.
    let poor = json!({"bizId": "T4~late_answer:500", "customerId": POOR_MEMBER, "amount": "500.00"});
    let before = simulator.requests();
    one.begin(&format!("consume {poor}"));
    until("the consume runs", || simulator.requests() > before);
    two.reverse(&json!({"bizId": "T4~late_answer:500"})).expect("unknown", "ZV-REVERSAL-QUEUED");
    one.finish().expect("reversed", "ZV-VOIDED");
}

#[test]
fn another_tills_sale_is_reversed_by_the_returned_biz_id() {
    let policy =
        Policy { returned_biz_id: ReturnedBizId::Other, reverse_by_sent: false, ..Policy::default() };
    let simulator = Simulator::with_policy(policy);
    let returned = till(&simulator).consume(&sale("T1")).succeeded().data()["bizId"].clone();
    let mut other = till(&simulator);
    let request = json!({"bizId": "T1", "returnedBizId": returned});
    // A value that the configured params name is required.
    assert_eq!(other.reverse(&request).expect("invalid", "ZV-REQUEST").errors(), ["customerId"]);
    assert_eq!(simulator.requests(), 1);
    let request = json!({"bizId": "T1", "returnedBizId": returned, "customerId": MEMBER});
    let answer = other.reverse(&request).expect("reversed", "ZV-REVERSED");
    assert_eq!(answer.json["next"], "refunded", "{}", answer.text);
    assert_eq!(simulator.net("T1"), 0);
    other.consume(&sale("T1")).expect("conflict", "ZV-CONFLICT");
}

/// A till that gives the refund its own bizId: the sale would be reversed while its own record says that it is valid.
#[test]
fn a_sale_of_this_journal_is_reversed_only_by_its_own_biz_id() {
    for returned_biz_id in [ReturnedBizId::Same, ReturnedBizId::Other] {
        let simulator = Simulator::with_policy(Policy { returned_biz_id, ..Policy::default() });
        let mut till = till(&simulator);
        let returned = till.consume(&sale("T1")).succeeded().data()["bizId"].clone();
        till.consume(&sale("T2~reset_after"));
        for biz_id in ["R1", "T2~reset_after"] {
            let request = json!({"bizId": biz_id, "returnedBizId": returned});
            let answer = till.reverse(&request).expect("invalid", "ZV-REQUEST");
            assert_eq!(answer.errors(), ["returnedBizId"]);
            assert!(answer.text.contains("\"T1\""), "{}", answer.text);
        }
        assert_eq!(simulator.net("T1"), 1);
        till.look_up("T1").succeeded();
        till.look_up("R1").expect("invalid", "ZV-NOT-FOUND");
        till.reverse(&json!({"bizId": "T1", "returnedBizId": returned})).expect("reversed", "ZV-REVERSED");
        assert_eq!(simulator.net("T1"), 0);
    }
}

#[test]
fn another_tills_sale_is_not_reversed_by_the_sent_biz_id() {
    let simulator = Simulator::start();
    till(&simulator).consume(&sale("T1")).succeeded();
    let answer = till(&simulator).reverse(&json!({"bizId": "T1"})).expect("invalid", "ZV-REQUEST");
    assert_eq!(answer.errors(), ["returnedBizId"]);
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 1));
}

#[test]
fn a_gateway_with_biz_ids_of_its_own_makes_a_lost_answer_unproven() {
    let policy =
        Policy { returned_biz_id: ReturnedBizId::Other, reverse_by_sent: false, ..Policy::default() };
    let simulator = Simulator::with_policy(policy);
    let mut till = till(&simulator);
    till.consume(&sale("T1")).succeeded();
    till.consume(&sale("T2~reset_after")).expect("unknown", "ZV-LOST");
    until("unproven", || pending(&mut till) == listed("T2~reset_after", "person"));
    till.look_up("T2~reset_after").expect("unknown", "ZV-UNPROVEN-BIZID");
    till.reverse(&json!({"bizId": "T2~reset_after"})).expect("conflict", "ZV-UNPROVEN-BIZID");
    // It was never reversed by an id that may mean another sale.
    assert_eq!((simulator.net("T1"), simulator.net("T2~reset_after"), simulator.requests()), (1, 1, 2));
    till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED");
    let kept = json!({"bizId": "T2~reset_after", "as": "kept", "by": "Li", "reason": "seen at the gateway"});
    till.settle(&kept).succeeded();
    assert_eq!(pending(&mut till), []);
}

#[test]
fn a_refused_reversal_needs_a_person() {
    let simulator = Simulator::with_policy(Policy { refuse_reversals: true, ..Policy::default() });
    let mut till = till(&simulator);
    till.consume(&sale("T1")).succeeded();
    till.consume(&sale("T2~reset_after")).expect("unknown", "ZV-LOST");
    // The sale had succeeded and stays valid. A sale that was never told so needs a person.
    let answer = till.reverse(&json!({"bizId": "T1"})).expect("conflict", "ZV-REFUND-REFUSED");
    assert_eq!(answer.json["recorded"]["reversal"]["gateway"]["code"], "920003", "{}", answer.text);
    until("it is refused", || pending(&mut till) == listed("T2~reset_after", "person"));
    till.look_up("T2~reset_after").expect("unknown", "ZV-REFUSED");
    // Reversing a refused one again sends again.
    let before = simulator.requests();
    till.reverse(&json!({"bizId": "T1"})).expect("conflict", "ZV-REFUND-REFUSED");
    assert_eq!(simulator.requests(), before + 1);
    till.settle(&json!({"bizId": "T1", "as": "kept", "by": "Li", "reason": "r"}))
        .expect("invalid", "ZV-NOT-SETTLED");
    till.settle(&json!({"bizId": "T2~reset_after", "as": "undone", "by": "Li", "reason": "r"})).succeeded();
    assert_eq!(pending(&mut till), []);
    till.consume(&sale("T1")).succeeded();
    till.look_up("T2~reset_after").expect("reversed", "ZV-SETTLED");
}

#[test]
fn a_sale_that_a_reversal_may_have_undone_cannot_be_kept() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T1")).succeeded();
    simulator.arm("hang_after", "reverse", 1, &json!({}));
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    assert_eq!(till.reverse(&json!({"bizId": "T1"})).outcome(), "unknown");
    let kept = json!({"bizId": "T1", "as": "kept", "by": "Li", "reason": "r"});
    let answer = till.settle(&kept).expect("invalid", "ZV-NOT-SETTLED");
    assert_eq!(answer.json["recorded"]["stage"], "reversing");
    assert_eq!(simulator.net("T1"), 0);
    till.settle(&json!({"bizId": "T1", "as": "undone", "by": "Li", "reason": "r"})).succeeded();
    assert_eq!(pending(&mut till), []);
}

#[test]
fn a_reversal_that_cannot_be_sent_is_sent_when_it_can() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T1~reset_after")).expect("unknown", "ZV-LOST");
    simulator.admin("POST", "/faults", &json!({"fault": "refused", "params": {"ms": 600_000}}));
    until("tried more than once", || {
        let answer = till.look_up("T1~reset_after");
        answer.json["recorded"]["reversal"]["tries"].as_u64().unwrap() >= 3
    });
    assert_eq!(pending(&mut till), listed("T1~reset_after", "reversing"));
    reachable(&simulator);
    settles(&mut till, "T1~reset_after", "reversed");
    assert_eq!(simulator.net("T1~reset_after"), 0);
}

#[test]
fn a_hundred_unsettled_sales_settle_within_a_minute_of_the_gateways_return() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    unreachable(&simulator);
    let mut left: Vec<String> = (0..100).map(|number| format!("B{number}~reset_after")).collect();
    for biz_id in &left {
        till.consume(&sale(biz_id)).expect("unknown", "ZV-LOST");
    }
    let all = left.clone();
    assert_eq!(pending(&mut till).len(), 100);
    reachable(&simulator);
    let back = Instant::now();
    let mut took = Vec::new();
    while !left.is_empty() {
        let unsettled = pending(&mut till);
        let now = back.elapsed();
        left.retain(|biz_id| {
            let stays = unsettled.iter().any(|(listed, _)| listed == biz_id);
            if !stays {
                took.push(now);
            }
            stays
        });
        assert!(now < Duration::from_mins(1), "{} are not settled after {now:?}", left.len());
        std::thread::sleep(Duration::from_millis(50));
    }
    took.sort_unstable();
    println!("100 settled: p50 {:.1?}, p99 {:.1?}, last {:.1?}", took[50], took[98], took[99]);
    assert!(all.iter().all(|biz_id| simulator.net(biz_id) == 0));
}

#[test]
fn a_retry_under_a_new_biz_id_is_blocked() {
    let simulator = Simulator::start();
    unreachable(&simulator);
    let sale = |biz_id: &str, member: &str, coupons: Value| json!({"bizId": biz_id, "customerId": member, "couponsCardList": coupons});
    let five = || json!([FIVE_OFF]);
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"guard": "member"})));
    till.consume(&sale("M1~reset_after", MEMBER, five())).expect("unknown", "ZV-LOST");
    let answer = till.consume(&sale("M2", MEMBER, json!([SAVINGS_COUPON]))).expect("not_sent", "ZV-IN-DOUBT");
    assert_eq!(answer.json["next"], "other_tender");
    assert_eq!(answer.json["recorded"]["bizId"], "M1~reset_after");
    till.consume(&json!({"bizId": "M3", "customerId": POOR_MEMBER, "amount": "0.01"})).succeeded();
    assert_eq!(simulator.net("M2"), 0);

    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"guard": "coupon"})));
    till.consume(&sale("C1~reset_after", MEMBER, five())).expect("unknown", "ZV-LOST");
    till.consume(&sale("C2", MEMBER, five())).expect("not_sent", "ZV-IN-DOUBT");
    till.consume(&sale("C3", MEMBER, json!([SAVINGS_COUPON]))).succeeded();

    // The default guard is `member`.
    let mut config = reversing(&simulator.v2(), json!({}));
    config.as_object_mut().unwrap().remove("guard");
    let mut till = Driver::started(&config);
    till.consume(&sale("D1~reset_after", MEMBER, five())).expect("unknown", "ZV-LOST");
    till.consume(&sale("D2", MEMBER, json!([SAVINGS_COUPON]))).expect("not_sent", "ZV-IN-DOUBT");
    reachable(&simulator);
    settles(&mut till, "D1~reset_after", "reversed");
    till.consume(&sale("D2", MEMBER, json!([SAVINGS_COUPON]))).succeeded();

    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"guard": "off"})));
    unreachable(&simulator);
    till.consume(&sale("O1~reset_after", MEMBER, five())).expect("unknown", "ZV-LOST");
    till.consume(&sale("O2", MEMBER, five())).succeeded();
}

#[test]
fn a_second_process_waits_for_the_first_and_is_told_the_same() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let (mut one, mut two) = (Driver::started(&config), Driver::started(&config));
    one.begin(&format!("consume {}", sale("T1~late_answer:400")));
    until("the consume runs", || simulator.requests() == 1);
    let second = two.consume(&sale("T1~late_answer:400")).succeeded();
    let first = one.finish().succeeded();
    assert_eq!((&first.json["replayed"], &second.json["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(first.data(), second.data());
    assert_eq!((simulator.net("T1~late_answer:400"), simulator.requests()), (1, 1));
    two.consume(&json!({"bizId": "T1~late_answer:400", "customerId": MEMBER, "amount": "2.00"}))
        .expect("conflict", "ZV-CONFLICT");
}

/// A till that was killed while its consume was on its way.
fn killed_while_sending(simulator: &Simulator, config: &Value, biz_id: &str) {
    let mut till = Driver::started(config);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale(biz_id)));
    until("the consume runs", || simulator.requests() > before);
    till.kill();
}

#[test]
fn a_till_that_was_killed_while_sending_finds_it_reversed() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    for biz_id in ["T1~late_answer:600", "T2~hang", "T3~hang_after"] {
        killed_while_sending(&simulator, &config, biz_id);
        let mut till = Driver::new();
        let answer = till.init(&config).succeeded();
        assert!(answer.warns("ZV-W-UNSETTLED"), "{}", answer.text);
        assert_eq!(answer.data()["unsettled"], 1);
        let answer = till.consume(&sale(biz_id));
        // Whether or not its reversal has been answered by now: never sent again.
        assert!(matches!(answer.outcome(), "unknown" | "conflict"), "{}", answer.text);
        settles(&mut till, biz_id, "reversed");
        assert_eq!(simulator.net(biz_id), 0, "{biz_id}");
    }
}

#[test]
fn pending_in_another_process_settles_a_dead_ones_sale() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut other = Driver::started(&config);
    killed_while_sending(&simulator, &config, "T1~hang_after");
    until("the journal is settled", || pending(&mut other).is_empty());
    assert_eq!(simulator.net("T1~hang_after"), 0);
}

/// I2: after the reversal was answered, and while any process with that journal runs.
#[test]
fn a_dead_tills_reversal_is_sent_by_another_idle_till() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let _idle = Driver::started(&config);
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    unreachable(&simulator);
    till.reverse(&json!({"bizId": "T1"})).expect("unknown", "ZV-REVERSAL-QUEUED");
    till.kill();
    reachable(&simulator);
    until("it is reversed", || simulator.net("T1") == 0);
}

#[test]
fn under_hold_a_killed_tills_sale_is_abandoned_and_waits() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"on_unknown": "hold"}));
    killed_while_sending(&simulator, &config, "T1~hang_after");
    let mut till = Driver::started(&config);
    until("a person's", || pending(&mut till) == listed("T1~hang_after", "person"));
    let answer = till.look_up("T1~hang_after").expect("unknown", "ZV-ABANDONED");
    assert_eq!(answer.json["next"], "wait");
    // The till may still request its reversal.
    assert_eq!(till.reverse(&json!({"bizId": "T1~hang_after"})).outcome(), "unknown");
    settles(&mut till, "T1~hang_after", "reversed");
    assert_eq!(simulator.net("T1~hang_after"), 0);
}

fn unacknowledged(answer: &Answer) -> Vec<&str> {
    answer.data()["unacknowledged"]
        .as_array()
        .unwrap()
        .iter()
        .map(|biz_id| biz_id.as_str().unwrap())
        .collect()
}

#[test]
fn a_success_that_a_crash_kept_from_being_read_is_listed() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    // The first is released by now; the second never is.
    till.consume(&sale("T2")).succeeded();
    till.kill();
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert!(answer.warns("ZV-W-UNACKNOWLEDGED"), "{}", answer.text);
    assert_eq!(unacknowledged(&answer), ["T2"]);
    assert_eq!(pending(&mut till), listed("T2", "unacknowledged"));
    let answer = till.look_up("T2").succeeded();
    assert_eq!((&answer.json["replayed"], &answer.json["next"]), (&json!(true), &json!("complete_sale")));
    assert_eq!(pending(&mut till), [], "it was looked up");
    till.shutdown().succeeded();
    assert_eq!(unacknowledged(&Driver::new().init(&config).succeeded()), [""; 0]);
    assert_eq!((simulator.net("T1"), simulator.net("T2")), (1, 1));
}

#[test]
fn an_orderly_end_leaves_nothing_unacknowledged() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    till.shutdown().succeeded();
    drop(till);
    assert_eq!(unacknowledged(&Driver::new().init(&config).succeeded()), [""; 0]);
}

#[test]
fn an_unacknowledged_success_can_be_reversed() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    till.kill();
    let mut till = Driver::started(&config);
    till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED");
    assert_eq!(pending(&mut till), []);
    assert_eq!(simulator.net("T1"), 0);
}

#[test]
fn a_sale_is_complete_when_the_till_has_confirmed_it() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"confirm": true, "confirm_after_s": 1}));
    let mut till = Driver::started(&config);
    let answer = till.consume(&sale("T1")).succeeded();
    assert_eq!(answer.json["next"], "store_then_confirm");
    assert_eq!(till.confirm("T1").succeeded().json["next"], "complete_sale");
    let again = till.confirm("T1").succeeded();
    assert_eq!(again.json["replayed"], true);
    till.confirm("none").expect("invalid", "ZV-NOT-FOUND");
    till.consume(&sale("T2")).succeeded();
    till.kill();

    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert_eq!(unacknowledged(&answer), ["T2"]);
    assert_eq!(pending(&mut till), listed("T2", "confirm"));
    settles(&mut till, "T2", "reversed");
    till.confirm("T2").expect("reversed", "ZV-REVERSED");
    assert_eq!((simulator.net("T1"), simulator.net("T2")), (1, 0));
    till.look_up("T1").succeeded();
    assert_eq!(pending(&mut till), []);
}

#[test]
fn a_sale_confirmed_in_time_after_a_crash_stays_valid() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"confirm": true, "confirm_after_s": 2}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    till.kill();
    let mut till = Driver::started(&config);
    till.confirm("T1").succeeded();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 1));
}

#[test]
fn without_a_thread_the_host_drives_recovery() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    killed_while_sending(&simulator, &config, "T1~hang_after");
    let mut till = Driver::started(&config);
    let answer = till.consume(&sale("T2~reset_after")).expect("unknown", "ZV-LOST");
    assert_eq!(answer.json["next"], "other_tender");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(simulator.requests(), 2, "nothing was sent by itself");
    until("recovered", || till.recover().succeeded().data()["count"] == 0);
    for biz_id in ["T1~hang_after", "T2~reset_after"] {
        till.look_up(biz_id).expect("reversed", "ZV-REVERSED");
        assert_eq!(simulator.net(biz_id), 0);
    }
}

/// A gateway that refuses the first attempt, and receives the second one late; returns what it has taken in the end.
fn refuses_then_gets_it_late(taken: &Arc<AtomicI64>) -> Scripted {
    let (taken, tries) = (Arc::clone(taken), AtomicU32::new(0));
    Scripted::start(move |mut stream| {
        while let Some(request) = Request::read(&mut stream) {
            let body = if request.body.contains("sandbox.consume-reverse") {
                match taken.compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst) {
                    Ok(_) => r#"{"status":true,"code":"0","message":"ok","data":{}}"#,
                    Err(_) => r#"{"status":true,"code":"920001","message":"no such bizId"}"#,
                }
            } else if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(500));
                r#"{"status":true,"code":"910001","message":"the balance is short"}"#
            } else {
                std::thread::sleep(Duration::from_millis(1500));
                taken.store(1, Ordering::SeqCst);
                return;
            };
            stream.write_all(&gateway_answer(body)).unwrap();
        }
    })
}

/// The late-arrival window is counted from a request's own attempt, not from an earlier one under the same bizId.
#[test]
fn a_second_try_may_come_as_late_as_a_first() {
    let taken = Arc::new(AtomicI64::new(0));
    let server = refuses_then_gets_it_late(&taken);
    let late_ms = 3000;
    let late = Duration::from_millis(late_ms);
    let mut till = Driver::started(&reversing(&server.url(), json!({"late_arrival_ms": late_ms})));
    let ticket = till.ask(&format!("start consume {}", sale("T1"))).data()["ticket"].clone();
    let mut answer = None;
    until("the first try is refused", || {
        // `pending` makes the library check, too, while the request is on its way.
        till.pending(None).succeeded();
        let polled = till.ask(&format!("poll {}", ticket.as_str().unwrap()));
        answer = Some(polled).filter(|polled| polled.outcome() != "running");
        answer.is_some()
    });
    answer.unwrap().expect("declined", "910001");
    std::thread::sleep(late);
    assert_eq!(till.consume(&sale("T1")).outcome(), "unknown");
    settles(&mut till, "T1", "reversed");
    std::thread::sleep(late);
    assert_eq!(taken.load(Ordering::SeqCst), 0, "told reversed, and it is taken");
}

#[test]
fn a_reversal_with_a_lost_answer_is_sent_again() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    for fault in
        ["hang_after", "reset_after", "html_200_after", "http_500_after", "cut_body", "system_error_after"]
    {
        let biz_id = format!("T-{fault}");
        till.consume(&sale(&biz_id)).succeeded();
        simulator.arm(fault, "reverse", 1, &json!({}));
        till.reverse(&json!({"bizId": biz_id})).expect("unknown", "ZV-REVERSAL-QUEUED");
        settles(&mut till, &biz_id, "reversed");
        assert_eq!(simulator.net(&biz_id), 0, "{biz_id}");
    }
}

/// G4 off: a refusal that has an effect. A sale with a code that is configured as doubtful is reversed.
#[test]
fn a_sale_with_a_doubtful_refusal_is_reversed() {
    let policy = Policy { refusals: Refusals::FullEffect, ..Policy::default() };
    let simulator = Simulator::with_policy(policy);
    let in_doubt = json!({"codes": {"in_doubt": ["910012"]}});
    let mut till = Driver::started(&reversing(&simulator.v2(), in_doubt));
    assert_eq!(till.consume(&sale("T1")).outcome(), "unknown");
    settles(&mut till, "T1", "reversed");
    assert_eq!(simulator.net("T1"), 0);
}

/// G5 off: the reversal comes too late and is refused, in the gateway's own words.
#[test]
fn too_late_to_be_reversed_is_never_called_reversed() {
    let simulator = Simulator::with_policy(Policy { reversal_window_ms: Some(0), ..Policy::default() });
    let mut till = till(&simulator);
    till.consume(&sale("T1")).succeeded();
    std::thread::sleep(Duration::from_millis(5));
    till.reverse(&json!({"bizId": "T1"})).expect("conflict", "ZV-REFUND-REFUSED");
    assert_eq!(pending(&mut till), []);
    let answer = till.look_up("T1").succeeded();
    assert_eq!(answer.json["recorded"]["reversal"]["gateway"]["code"], "920004");
    assert_eq!(simulator.net("T1"), 1);
}

#[test]
fn a_business_day_can_be_reconciled_with_the_tills_own_sales() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let request = json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF, SAVINGS_COUPON],
        "amount": "2.50", "points": 3});
    till.consume(&request).succeeded();
    till.consume(&json!({"bizId": "T2", "customerId": POOR_MEMBER, "amount": "500.00"}))
        .expect("declined", "910001");
    till.consume(&sale("T3~reset_after")).expect("unknown", "ZV-LOST");
    settles(&mut till, "T3~reset_after", "reversed");

    // The day begins at 04:00 at +08:00.
    let created = till.look_up("T1").json["recorded"]["created_unix_ms"].as_i64().unwrap();
    let day = day_of(created / 1000 + (8 - 4) * 3600);
    let csv = till.pending(Some(&json!({"day": day, "format": "csv"}))).succeeded();
    assert_eq!(csv.data()["count"], 3);
    let lines: Vec<&str> = csv.data()["text"].as_str().unwrap().split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "\u{feff}created,bizId,returnedBizId,stage,customerId,amount,points,coupons,attempts,code,message,environment,\
         reversalCode,reversalMessage,kind,day,utc,local,sum,recharge,gift,pointsTaken,couponsTaken,deviceSn,\
         operatorId,operatorName,multiMark,count,withoutSplit"
    );
    // Ids and codes begin with a tab, so that Excel reads them as texts.
    let fields: Vec<&str> = lines[1].split(',').map(|field| field.trim_start_matches('\t')).collect();
    assert!(lines[1].contains(&format!(",\t{MEMBER},")), "{}", lines[1]);
    let coupons = format!("{SAVINGS_COUPON} {FIVE_OFF}");
    assert_eq!(
        &fields[1..10],
        ["T1", "T1", "succeeded", MEMBER, "2.50", "3", &coupons, "1", "0"],
        "{}",
        lines[1]
    );
    assert!(lines[2].contains(",T2,,declined,") && lines[2].contains(",\t910001,余额不足,"), "{}", lines[2]);
    assert!(lines[3].contains(",T3~reset_after,,reversed,"), "{}", lines[3]);
    // Reversed, and perhaps requested once more at the end of the window.
    assert!(
        [",\t0,操作成功,nothing", ",\t920002,该业务已冲正,nothing"]
            .iter()
            .any(|words| lines[3].contains(words)),
        "{}",
        lines[3]
    );
    let ndjson = till.pending(Some(&json!({"day": day, "format": "ndjson"}))).succeeded();
    let entries: Vec<Value> = ndjson.data()["text"]
        .as_str()
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let stages: Vec<&str> = entries.iter().map(|entry| entry["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["succeeded", "declined", "reversed"]);
    // A sale whose answer the till has just read is settled like those before it.
    till.consume(&sale("T4")).succeeded();
    let all = till.pending(Some(&json!({"day": day}))).succeeded();
    let next: Vec<_> = all.data()["entries"].as_array().unwrap().iter().map(|entry| &entry["next"]).collect();
    assert_eq!(next, ["settled"; 4]);
    let before = day_of(created / 1000 + (8 - 4) * 3600 - 86400);
    assert_eq!(till.pending(Some(&json!({"day": before}))).succeeded().data()["count"], 0);
    let answer = till.pending(Some(&json!({"day": "2026-13-01"}))).expect("invalid", "ZV-REQUEST");
    assert_eq!(answer.errors(), ["day"]);
}

/// The date of a Unix time in UTC.
fn day_of(unix: i64) -> String {
    rfc3339(unix * 1000)[..10].to_owned()
}

#[test]
fn no_password_or_key_is_in_the_journal() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"password_over_http": true}));
    let mut till = Driver::started(&config);
    till.consume(&json!({"bizId": "T1", "customerId": "383933091455959043", "amount": "1.00", "payPassword": "246810"}))
        .succeeded();
    let path = config["journal"].as_str().unwrap();
    let mut seen = 0;
    for file in [path.to_owned(), format!("{path}-wal")] {
        let bytes = std::fs::read(file).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        seen += u32::from(has("383933091455959043"));
        for secret in ["246810", "fake-open-key-for-test-only-0001", "fake-grant-code-0001"] {
            assert!(!has(secret), "{secret}");
        }
    }
    assert!(seen > 0, "the sale is in one of the two");
}

/// The child has a copy of the lock by which others see that the till is alive.
#[test]
fn a_killed_till_is_dead_though_its_forked_child_lives() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let folder = Path::new(config["journal"].as_str().unwrap()).parent().unwrap();
    let mut orphan = Command::new(program("orphan", Flavour::Plain))
        .args([&simulator.v2(), "T1~hang_after"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    until("it is taken", || simulator.net("T1~hang_after") == 1);
    // Its standard input stays open for the child.
    let childs = orphan.stdin.take();
    orphan.kill().unwrap();
    orphan.wait().unwrap();
    let mut till = Driver::started(&config);
    until("it is found dead", || till.look_up("T1~hang_after").code() == "ZV-ABANDONED");
    drop(childs);
}

/// Every byte of the journal's files.
fn stored(config: &Value) -> String {
    let path = config["journal"].as_str().unwrap();
    let files = ["", "-wal"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default());
    String::from_utf8_lossy(&files.concat()).into_owned()
}

/// The gateway's messages about a member are stored without whole phone numbers; its data is stored unchanged.
#[test]
fn phone_numbers_in_the_gateways_words_are_not_stored() {
    let phone = "13987654321";
    let gateway = Scripted::answering(move |request| {
        let data =
            format!(r#"{{"bizId":"T2","phone":"{phone}","change_recharge_amount":"many 139-8765-4321"}}"#);
        gateway_answer(&if request.body.contains("consume-reverse") {
            format!(r#"{{"status":true,"code":930001,"message":"+86{phone} must ask at the counter"}}"#)
        } else if request.body.contains("T1") {
            format!(r#"{{"status":true,"code":910001,"message":"member {phone}: balance too low"}}"#)
        } else {
            format!(r#"{{"status":true,"code":0,"message":"done for {phone}","data":{data}}}"#)
        })
    });
    let config = reversing(&gateway.url(), json!({"lang": "en"}));
    let mut till = Driver::started(&config);
    let sale = |biz_id: &str| json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"});
    let refused = till.consume(&sale("T1"));
    assert_eq!(refused.outcome(), "declined", "{}", refused.text);
    assert_ne!(till.consume(&sale("T2")).outcome(), "declined");
    till.reverse(&json!({"bizId": "T2"}));
    let recorded = till.look_up("T1").text;
    assert!(recorded.contains("member 139****4321: balance too low"), "{recorded}");
    until("the reversal is refused", || till.look_up("T2").text.contains("+86139****4321 must ask"));
    assert!(till.shutdown().json["outcome"] == "succeeded");
    let stored = stored(&config);
    assert!(stored.contains("139****4321"), "nothing is stored");
    // The data keeps it: there it is one of the member's fields.
    let words = stored.replace(&format!("phone\":\"{phone}"), "").replace("many 139-8765-4321\"", "");
    for number in [phone, "139-8765-4321"] {
        let at =
            words.find(number).map(|at| words[at.saturating_sub(80)..].chars().take(160).collect::<String>());
        assert_eq!(at, None);
    }
}
