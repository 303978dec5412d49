//! Sales that were given back elsewhere: by another till with its own journal, or by the back office. The answers of
//! this till are compared with the gateway's ledger, and its end-of-day report with the other till's.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, Simulator, config, reversing};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "2.00"})
}

/// V3's own route, without codes.
fn as_it_comes(simulator: &Simulator) -> Value {
    config(
        &simulator.v3(),
        json!({"api": "v3", "late_arrival_ms": 300, "timeouts_ms": {"connect": 300, "total": 800}}),
    )
}

fn told(simulator: &Simulator) -> Value {
    reversing(&simulator.v2(), json!({}))
}

/// Another till gives the sale back, by the bizId in its answer.
fn give_back_elsewhere(config: &Value, biz_id: &str) -> Driver {
    let mut other = Driver::started(config);
    let request = json!({"bizId": biz_id, "returnedBizId": biz_id, "customerId": MEMBER, "amount": "2.00"});
    other.reverse(&request).expect("reversed", "ZV-REVERSED");
    other
}

fn cashier(answer: &Answer) -> &str {
    answer.json["cashier"].as_str().unwrap()
}

/// The codes are not configured, so that "already reversed" is an unlisted refusal.
#[test]
fn a_refusal_that_may_mean_already_reversed_does_not_prove_the_sale_valid() {
    let simulator = Simulator::start();
    let ours = as_it_comes(&simulator);
    let mut till = Driver::started(&ours);
    till.consume(&sale("T1")).succeeded();
    give_back_elsewhere(&as_it_comes(&simulator), "T1");
    assert_eq!(simulator.net("T1"), 0);
    for _ in 0..2 {
        let refused = till.reverse(&json!({"bizId": "T1"})).expect("conflict", "ZV-REFUND-REFUSED");
        assert_eq!(refused.json["next"], "refund_refused");
        let message = refused.json["message"].as_str().unwrap();
        assert!(message.contains("920002") && message.contains("codes.already"), "{message}");
        let seen = till.look_up("T1").succeeded();
        for answer in [&refused, &seen] {
            let words = cashier(answer);
            assert!(!words.contains("仍有效"), "{words}");
            for part in ["920002", "勿另退现金", "别处退款"] {
                assert!(words.contains(part), "{part}: {words}");
            }
        }
    }
    // It does not block the member either.
    till.consume(&sale("T2")).succeeded();
    till.shutdown().succeeded();
    // In English, for an existing record.
    let mut english = ours.clone();
    english["lang"] = json!("en");
    till.init(&english).succeeded();
    let seen = till.look_up("T1").succeeded();
    let words = cashier(&seen);
    assert!(words.contains("920002") && words.contains("no cash") && !words.contains("stands"), "{words}");
    till.shutdown().succeeded();
    // With the code configured, asking again gives the actual result.
    let mut told = ours;
    told["routes"] = json!({"reverse": {"codes": {"already": ["920002"]}}});
    till.init(&told).succeeded();
    let again = till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED");
    assert_eq!(cashier(&again), "该交易此前已退回，本次未再退款");
}

#[test]
fn an_earlier_refund_is_not_booked_as_a_refund_of_now() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&told(&simulator));
    till.consume(&sale("T1")).succeeded();
    let mut other = give_back_elsewhere(&told(&simulator), "T1");
    let done = till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED");
    for answer in [done, till.look_up("T1")] {
        assert_eq!(answer.json["next"], "refunded");
        assert_eq!(cashier(&answer), "该交易此前已退回，本次未再退款", "{}", answer.text);
        assert_eq!(answer.data()["refunded"]["elsewhere"], true);
        let reversal = &answer.json["recorded"]["reversal"];
        assert_eq!((&reversal["said"], &reversal["elsewhere"]), (&json!("already"), &json!(true)));
    }
    // Together the two tills have sold 2.00 and given back 2.00, once.
    let today = json!({"day": "today"});
    let ours = till.pending(Some(&today)).succeeded();
    assert_eq!(ours.data()["entries"][0]["kinds"], json!(["sale", "refunded_elsewhere"]));
    let totals = &ours.data()["totals"];
    assert_eq!((&totals["refunds"]["sum"], &totals["refunds"]["count"]), (&json!("0.00"), &json!(0)));
    assert_eq!((&totals["net"]["sum"], &totals["refunded_elsewhere"]), (&json!("2.00"), &json!(1)));
    let theirs = other.pending(Some(&today)).succeeded();
    assert_eq!(theirs.data()["totals"]["refunds"]["count"], 1, "{}", theirs.text);
    assert_eq!(theirs.data()["totals"]["refunded_elsewhere"], 0);
    let csv = till.pending(Some(&json!({"day": "today", "format": "csv"})));
    let text = csv.data()["text"].as_str().unwrap();
    assert!(text.contains(",refunded_elsewhere,") && !text.contains("-2.00"), "{text}");
    assert_eq!(simulator.net("T1"), 0);
}

/// "Already" after an attempt of its own whose answer was lost: that attempt did it.
#[test]
fn a_refund_by_the_tills_own_lost_attempt_is_a_refund() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&told(&simulator));
    till.consume(&sale("T1")).succeeded();
    simulator.arm("reset_after", "reverse", 1, &json!({}));
    till.reverse(&json!({"bizId": "T1"}));
    support::until("refunded", || till.look_up("T1").json["next"] == "refunded");
    let seen = till.look_up("T1");
    assert_eq!(seen.json["recorded"]["reversal"]["said"], "already");
    assert_eq!(cashier(&seen), "已退回 2.00 元到会员账户");
    let totals = till.pending(Some(&json!({"day": "today"}))).data()["totals"].clone();
    assert_eq!((&totals["refunds"]["sum"], &totals["refunded_elsewhere"]), (&json!("-2.00"), &json!(0)));
}

/// The other till's receipt was copied wrong.
#[test]
fn a_sale_that_the_gateway_does_not_know_is_reported_as_such() {
    let simulator = Simulator::start();
    let mut other = Driver::started(&told(&simulator));
    other.consume(&sale("T1")).succeeded();
    let mut till = Driver::started(&told(&simulator));
    let request = |returned: &str| json!({"bizId": "T1", "returnedBizId": returned, "customerId": MEMBER, "amount": "2.00"});
    let words = "平台查无此交易，请核对单号";
    let unknown = till.reverse(&request("T7")).expect("conflict", "ZV-REVERSE-NOT-FOUND");
    assert_eq!((cashier(&unknown), &unknown.json["next"]), (words, &json!("lookup")));
    let seen = till.look_up("T1").expect("unknown", "ZV-REVERSE-NOT-FOUND");
    assert_eq!(cashier(&seen), words);
    assert_eq!(simulator.net("T1"), 1);
    // With the right bizId it is given back.
    till.reverse(&request("T1")).expect("reversed", "ZV-REVERSED");
    assert_eq!(simulator.net("T1"), 0);
    // A refusal with another code needs a person.
    other.consume(&sale("T2~reverse_too_late")).succeeded();
    let request =
        json!({"bizId": "T2~reverse_too_late", "returnedBizId": "T2~reverse_too_late", "customerId": MEMBER});
    let refused = till.reverse(&request).expect("conflict", "ZV-REFUSED");
    assert_eq!(cashier(&refused), "退款未能确认，请联系店长核实");
}
