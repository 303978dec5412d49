//! What a till is told of a sale or a refund that cannot settle automatically, before and after a person has settled
//! it: no earlier answer is contradicted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, Simulator, config, reversing, until};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "2.00"})
}

fn till(simulator: &Simulator, more: Value) -> Driver {
    Driver::started(&reversing(&simulator.v2(), more))
}

fn reverse(till: &mut Driver, biz_id: &str) -> Answer {
    till.reverse(&json!({"bizId": biz_id}))
}

fn settle(till: &mut Driver, biz_id: &str, kept_or_undone: &str) -> Answer {
    till.settle(&json!({"bizId": biz_id, "as": kept_or_undone, "by": "Li", "reason": "seen"}))
}

fn says(answer: &Answer) -> (&str, &str, &str) {
    (answer.outcome(), answer.code(), answer.json["next"].as_str().unwrap())
}

fn cashier(answer: &Answer) -> &str {
    answer.json["cashier"].as_str().unwrap()
}

/// The customer has used another tender, as the till was told.
#[test]
fn a_sale_sent_to_another_tender_stays_there() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, json!({"guard": "member"}));
    let id = "T1~reset_after~reverse_refused";
    assert_eq!(till.consume(&sale(id)).json["next"], "other_tender");
    until("refused", || till.look_up(id).code() == "ZV-REFUSED");
    let words = "退回结果未能确认，请改用其他方式支付，并联系店长核实";
    let seen = till.look_up(id);
    assert_eq!((says(&seen), cashier(&seen)), (("unknown", "ZV-REFUSED", "other_tender"), words));
    // A manual reversal is sent until a new window is over.
    assert_eq!(reverse(&mut till, id).json["next"], "other_tender");
    until("refused again", || till.look_up(id).code() == "ZV-REFUSED");
    // The sale was probably taken: nothing else is taken from the member before a person has checked it.
    till.consume(&sale("T2")).expect("not_sent", "ZV-IN-DOUBT");

    settle(&mut till, id, "kept").succeeded();
    for answer in [till.look_up(id), till.consume(&sale(id)), till.confirm(id)] {
        assert_eq!(says(&answer), ("unknown", "ZV-SETTLED", "other_tender"), "{}", answer.text);
        let words = cashier(&answer);
        assert!(words.contains("扣款有效") && words.contains("店长退款"), "{words}");
        assert!(answer.data().is_null(), "{}", answer.text);
    }
    till.consume(&sale("T2")).succeeded();
    // Nor does a refused refund of it make it a success.
    let refused = reverse(&mut till, id).expect("conflict", "ZV-REFUND-REFUSED");
    assert_eq!(refused.json["next"], "refund_refused");
    assert_eq!(says(&till.look_up(id)), ("unknown", "ZV-SETTLED", "other_tender"));
    assert_eq!(simulator.net(id), 1);
    let totals = till.pending(Some(&json!({"day": "today"}))).data()["totals"].clone();
    assert_eq!(totals["sales"]["sum"], "4.00", "the day has what was taken: {totals}");
}

#[test]
fn a_reversal_by_hand_and_a_look_up_say_the_same() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, json!({"on_unknown": "hold"}));
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    assert_eq!(till.consume(&sale("T1~reset_after")).json["next"], "wait");
    let asked = reverse(&mut till, "T1~reset_after");
    let seen = till.look_up("T1~reset_after");
    assert_eq!((asked.outcome(), &asked.json["next"]), ("unknown", &json!("other_tender")), "{}", asked.text);
    assert_eq!(asked.json["next"], seen.json["next"]);
    assert_eq!(cashier(&asked), cashier(&seen));
}

#[test]
fn a_sale_that_a_person_has_kept_is_never_called_lost() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, json!({"on_unknown": "hold"}));
    let id = "T1~reset_after~reverse_refused";
    till.consume(&sale(id)).expect("unknown", "ZV-LOST");
    settle(&mut till, id, "kept").succeeded();
    let kept = till.look_up(id).expect("succeeded", "ZV-SETTLED");
    assert_eq!((&kept.json["next"], cashier(&kept)), (&json!("complete_sale"), "经人工核实，该笔扣款有效"));
    reverse(&mut till, id);
    until("its refund is refused", || till.look_up(id).outcome() == "succeeded");
    let seen = till.look_up(id).expect("succeeded", "ZV-SETTLED");
    assert_eq!(cashier(&seen), "退款未成功，原交易仍有效");
    assert_eq!(simulator.net(id), 1);
}

#[test]
fn a_refund_that_a_person_calls_done_is_a_refund() {
    let simulator = Simulator::start();
    let plain = config(
        &simulator.v3(),
        json!({"api": "v3", "late_arrival_ms": 300, "timeouts_ms": {"connect": 300, "total": 800}}),
    );
    let mut till = Driver::started(&plain);
    till.consume(&sale("T1")).succeeded();
    simulator.arm("reset_after", "reverse", 1, &json!({}));
    reverse(&mut till, "T1");
    until("a person's", || till.look_up("T1").code() == "ZV-REFUSED");
    let open = till.look_up("T1");
    assert!(open.data().is_null(), "the sale's data is no refund's: {}", open.text);
    settle(&mut till, "T1", "undone").succeeded();
    let seen = till.look_up("T1");
    assert_eq!(says(&seen), ("reversed", "ZV-SETTLED", "refunded"), "{}", seen.text);
    assert_eq!(cashier(&seen), "经人工核实，已退回 2.00 元到会员账户");
    assert_eq!(seen.data()["refunded"]["total"], "2.00");
    assert_eq!(simulator.net("T1"), 0);
    // An attempt that was never a sale has a different sentence.
    let mut held = self::till(&simulator, json!({"on_unknown": "hold"}));
    held.consume(&sale("T2~reset_before"));
    settle(&mut held, "T2~reset_before", "undone").succeeded();
    let seen = held.look_up("T2~reset_before").expect("reversed", "ZV-SETTLED");
    assert_eq!(cashier(&seen), "经人工核实，该笔未扣款或已退回");
    assert_eq!(seen.json["next"], "other_tender");
}

#[test]
fn a_refused_refund_that_was_given_back_elsewhere_can_be_settled() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, json!({}));
    till.consume(&sale("T1~reverse_refused")).succeeded();
    reverse(&mut till, "T1~reverse_refused").expect("conflict", "ZV-REFUND-REFUSED");
    let refused = settle(&mut till, "T1~reverse_refused", "kept").expect("invalid", "ZV-NOT-SETTLED");
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("refused its refund"), "{message}");
    settle(&mut till, "T1~reverse_refused", "undone").succeeded();
    let seen = till.look_up("T1~reverse_refused").expect("reversed", "ZV-SETTLED");
    assert_eq!(cashier(&seen), "经人工核实，该交易此前已退回，本次未再退款");
    let totals = till.pending(Some(&json!({"day": "today"}))).data()["totals"].clone();
    assert_eq!((&totals["refunds"]["count"], &totals["refunded_elsewhere"]), (&json!(0), &json!(1)));
}

#[test]
fn a_refused_decision_gives_the_actual_reason() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, json!({"late_arrival_ms": 60_000}));
    let id = "T1~reset_after~reverse_refused";
    till.consume(&sale(id));
    until("refused for now", || till.look_up(id).json["recorded"]["reversal"]["said"] == "refused");
    let refused = settle(&mut till, id, "kept").expect("invalid", "ZV-NOT-SETTLED");
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("late_arrival_ms") && !message.contains("was not refused"), "{message}");
}
