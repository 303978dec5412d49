//! The outcomes of a consume, and of a quote, that meets a fault.

use serde_json::{Value, json};
use zvpos_sandbox::faults::{Chosen, Meets};

use super::support::{Answer, Driver, FIVE_OFF, MEMBER, Simulator, reversing, until};
use super::{arm, disarm, impatient, named, sale, till};

/// A fault with its number, and its result.
pub(super) struct Case {
    pub(super) asked: &'static str,
    /// The outcome of a consume.
    outcome: &'static str,
    /// A warning of the answer.
    warning: Option<&'static str>,
    /// The net deductions at the gateway when the till is told.
    net: i64,
    /// The outcome of a quote; `None` if no quote can meet the fault.
    quote: Option<&'static str>,
}

const fn case(asked: &'static str, outcome: &'static str, net: i64, quote: &'static str) -> Case {
    Case { asked, outcome, warning: None, net, quote: Some(quote) }
}

/// A fault that only a consume can meet.
const fn only(asked: &'static str, outcome: &'static str, warning: Option<&'static str>, net: i64) -> Case {
    Case { asked, outcome, warning, net, quote: None }
}

const fn clock(asked: &'static str) -> Case {
    Case { asked, outcome: "succeeded", warning: Some("ZV-W-CLOCK"), net: 1, quote: Some("succeeded") }
}

pub(super) const EXPECTED: &[Case] = &[
    // The request is on its connection when the port is blocked.
    case("refused:600000", "unknown", 0, "not_sent"),
    case("connect_hangs:600000", "unknown", 0, "not_sent"),
    case("accept_hangs:600000", "unknown", 0, "not_sent"),
    case("reset_during", "unknown", 0, "not_sent"),
    case("reset_before", "unknown", 0, "not_sent"),
    case("hang", "unknown", 0, "not_sent"),
    case("outage", "unknown", 0, "not_sent"),
    // Carried out after this call has ended.
    case("late_arrival", "unknown", 0, "not_sent"),
    only("overtaken", "unknown", None, 0),
    case("delivered_twice", "succeeded", 1, "succeeded"),
    // A quote is retried with another nonce.
    case("delivered_twice:2", "unknown", 1, "succeeded"),
    case("http_429", "unknown", 0, "not_sent"),
    case("hang_after", "unknown", 1, "not_sent"),
    case("reset_after", "unknown", 1, "not_sent"),
    case("late_answer", "unknown", 1, "not_sent"),
    case("late_answer:100", "succeeded", 1, "succeeded"),
    case("slow_body", "unknown", 1, "not_sent"),
    case("slow_body:20", "unknown", 1, "not_sent"),
    case("cut_head:0", "unknown", 1, "not_sent"),
    case("cut_head", "unknown", 1, "not_sent"),
    case("cut_body:0", "unknown", 1, "not_sent"),
    case("cut_body:1", "unknown", 1, "not_sent"),
    case("cut_body", "unknown", 1, "not_sent"),
    case("cut_body:300", "unknown", 1, "not_sent"),
    case("wrong_length", "unknown", 1, "not_sent"),
    case("wrong_length:1", "unknown", 1, "not_sent"),
    case("chunked", "succeeded", 1, "succeeded"),
    case("chunked:1", "succeeded", 1, "succeeded"),
    case("chunked_cut", "unknown", 1, "not_sent"),
    // The whole body without its last chunk.
    case("chunked_cut:100000", "unknown", 1, "not_sent"),
    case("http_500", "unknown", 0, "not_sent"),
    case("http_502", "unknown", 0, "not_sent"),
    case("http_503", "unknown", 0, "not_sent"),
    case("http_504", "unknown", 0, "not_sent"),
    // Not the gateway's answer, though it looks like one.
    case("http_500:204", "unknown", 0, "not_sent"),
    case("http_500_after", "unknown", 1, "not_sent"),
    case("http_502_after", "unknown", 1, "not_sent"),
    case("http_504_after", "unknown", 1, "not_sent"),
    case("html_200", "unknown", 0, "not_sent"),
    case("html_200_after", "unknown", 1, "not_sent"),
    case("redirect", "unknown", 0, "not_sent"),
    case("redirect:307", "unknown", 0, "not_sent"),
    case("stray_answer", "succeeded", 1, "succeeded"),
    case("idle_reset", "succeeded", 1, "succeeded"),
    case("drifted_types:0", "succeeded", 1, "succeeded"),
    case("drifted_types:1", "succeeded", 1, "succeeded"),
    case("drifted_types:2", "succeeded", 1, "succeeded"),
    case("trailing_text", "unknown", 1, "not_sent"),
    case("duplicate_keys", "unknown", 1, "not_sent"),
    case("no_data", "unknown", 1, "not_sent"),
    only("other_biz_id", "succeeded", Some("ZV-W-BIZID"), 1),
    only("wrong_amount", "succeeded", Some("ZV-W-AMOUNT"), 1),
    only("other_coupons", "succeeded", Some("ZV-W-COUPONS"), 1),
    // A quote takes nothing, so a system error is a refusal.
    case("system_error", "unknown", 0, "declined"),
    case("system_error_after", "unknown", 1, "declined"),
    case("declined", "declined", 0, "declined"),
    case("rate_limited", "declined", 0, "declined"),
    case("nonce_refused", "unknown", 0, "succeeded"),
    only("refused_after", "declined", None, 1),
    only("partial_effect", "declined", None, 1),
    only("same_first", "succeeded", None, 1),
    only("same_duplicate", "declined", None, 1),
    only("same_again", "succeeded", None, 2),
    clock("clock_ahead"),
    clock("clock_behind"),
    only("named_refusal", "unknown", None, 1),
    only("coupon_refusal", "unknown", None, 1),
    case("word_code", "unknown", 0, "declined"),
    only("processing", "declined", None, 1),
    case("inner_refusal", "declined", 0, "declined"),
    only("empty_fields", "succeeded", Some("ZV-W-EMPTY"), 1),
    case("four_decimals", "succeeded", 1, "succeeded"),
];

/// The outcome of a consume that meets this fault with this number.
pub(super) fn outcome_of(chosen: Chosen) -> &'static str {
    let blocks = chosen.fault.blockage().is_some();
    let case = EXPECTED.iter().find(|case| match named(case.asked) {
        listed if blocks => listed.fault == chosen.fault,
        listed => listed == chosen,
    });
    case.unwrap().outcome
}

/// Gateways that lie: a till is told something false, and no till can detect it.
const LIES: [&str; 5] = ["refused_after", "partial_effect", "same_duplicate", "same_again", "processing"];

fn is_true(case: &Case, answer: &Answer) -> bool {
    let truth = match answer.outcome() {
        "succeeded" => case.net == 1,
        "declined" | "not_sent" => case.net == 0,
        // Nothing is claimed.
        "unknown" => true,
        _ => false,
    };
    truth || LIES.contains(&case.asked)
}

/// The connection recovers: the next sale gets its own answer. After `idle_reset` it is the one after the next.
fn goes_on(simulator: &Simulator, till: &mut Driver, case: &Case, wrong: &mut Vec<String>) {
    disarm(simulator);
    let after = case.asked.replace(':', "-");
    if case.asked == "idle_reset" {
        let biz_id = "T-on-a-dead-line";
        let answer = till.consume(&sale(biz_id, "0.01"));
        if (answer.outcome(), simulator.net(biz_id)) != ("unknown", 0) {
            wrong.push(format!("right after {after}: {}", answer.text));
        }
    }
    let biz_id = format!("T-after-{after}");
    let answer = till.consume(&sale(&biz_id, "0.01"));
    let is_its_own = answer.outcome() == "succeeded" && answer.data()["bizId"] == biz_id.as_str();
    if !is_its_own || simulator.net(&biz_id) != 1 {
        wrong.push(format!("after {after}: {}", answer.text));
    }
}

#[test]
fn a_consume_tells_the_truth_about_every_fault() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let mut wrong = Vec::new();
    println!(
        "{:<22} {:<10} {:<10} {:<16} {:>8} {:>3}  ms",
        "kind", "expected", "seen", "code", "S wanted", "S"
    );
    for case in EXPECTED {
        let Case { asked, outcome, warning, net, .. } = case;
        let biz_id = format!("T~{asked}");
        let answer = till.consume(&sale(&biz_id, "1.00"));
        let (seen, stands, took) = (answer.outcome(), simulator.net(&biz_id), answer.took.as_millis());
        println!("{asked:<22} {outcome:<10} {seen:<10} {:<16} {net:>8} {stands:>3} {took:>4}", answer.code());
        let belongs = seen != "succeeded"
            || matches!(*asked, "other_biz_id" | "empty_fields")
            || answer.data()["bizId"] == biz_id.as_str();
        let warned = warning.is_none_or(|warning| answer.warns(warning));
        if seen != *outcome || stands != *net || !belongs || !warned || !is_true(case, &answer) {
            wrong.push(format!("{asked}, S {stands}: {}", answer.text));
        }
        goes_on(&simulator, &mut till, case, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_quote_is_never_unknown() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let request = json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9.00"}]});
    let mut wrong = Vec::new();
    for Case { asked, quote, .. } in EXPECTED {
        let Some(expected) = quote else {
            assert_eq!(named(asked).fault.row().meets, Meets::Consume, "{asked}");
            continue;
        };
        // A request that is refused for its clock is signed again: the gateway's clock stays wrong for both.
        let times = match *asked {
            "outage" => None,
            clock if clock.starts_with("clock_") => Some(2),
            _ => Some(1),
        };
        arm(&simulator, asked, "quote", times);
        let answer = till.quote(&request);
        if answer.outcome() != *expected {
            wrong.push(format!("{asked}: {}", answer.text));
        }
        disarm(&simulator);
        if *asked == "idle_reset" && till.quote(&request).outcome() != "not_sent" {
            wrong.push(format!("right after {asked}"));
        }
        let answer = till.quote(&request);
        if answer.outcome() != "succeeded" || answer.data()["coupon_discount"] != "5.00" {
            wrong.push(format!("after {asked}: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An answer that may be false becomes `unknown`, and the sale is reversed, if the configuration names the codes.
#[test]
fn codes_in_doubt_are_undone() {
    let simulator = Simulator::start();
    let in_doubt = json!({"codes": {"in_doubt": ["110007", "910011", "910012"]}});
    let mut till = Driver::started(&reversing(&simulator.v2(), in_doubt));
    for asked in ["refused_after", "partial_effect", "same_duplicate"] {
        let biz_id = format!("T~{asked}");
        let request =
            json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00", "couponsCardList": [FIVE_OFF]});
        let answer = till.consume(&request);
        assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
        until(&format!("{biz_id} is reversed"), || till.look_up(&biz_id).outcome() == "reversed");
        assert_eq!(simulator.net(&biz_id), 0, "{biz_id}");
    }
}

#[test]
fn an_answer_that_does_not_fit_is_unknown_if_it_must_fit() {
    let simulator = Simulator::start();
    let mut till = impatient(&simulator.v2(), &json!({"strict_answer": true}));
    for asked in ["other_biz_id", "wrong_amount", "other_coupons"] {
        let biz_id = format!("T~{asked}");
        let answer = till.consume(&sale(&biz_id, "1.00"));
        assert_eq!((answer.outcome(), simulator.net(&biz_id)), ("unknown", 1), "{}", answer.text);
    }
}

/// Of a sale with coupon and balance only the coupon is redeemed.
#[test]
fn a_partial_effect_is_partial() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let request = json!({"bizId": "T1~partial_effect", "customerId": MEMBER, "amount": "1.00", "couponsCardList": [FIVE_OFF]});
    till.consume(&request).expect("declined", "910012");
    let ledger = simulator.admin("GET", "/ledger?bizId=T1~partial_effect", &Value::Null);
    let moved = &ledger["entries"][0]["moved"];
    assert_eq!((&moved["recharge"], &moved["coupons"]), (&json!("0.00"), &json!([FIVE_OFF])), "{ledger}");
}

/// A delayed request is carried out in the end, long after the till gave up on it.
#[test]
fn a_late_arrival_arrives() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    for biz_id in ["T1~late_arrival:1000", "T2~overtaken:1000"] {
        till.consume(&sale(biz_id, "1.00")).expect("unknown", "ZV-TIMEOUT");
        until("it arrives", || simulator.net(biz_id) == 1);
    }
}

#[test]
fn a_blocked_port_is_not_sent() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    // Once without a connection, once with an open one that is reset while it is idle.
    for round in 1..=2 {
        for (fault, outcome) in
            [("refused", "not_sent"), ("connect_hangs", "not_sent"), ("accept_hangs", "unknown")]
        {
            simulator.admin("POST", "/faults", &json!({"fault": fault, "params": {"ms": 600_000}}));
            let biz_id = format!("T{round}-{fault}");
            let answer = till.consume(&sale(&biz_id, "1.00"));
            assert_eq!((answer.outcome(), simulator.net(&biz_id)), (outcome, 0), "{fault}: {}", answer.text);
            disarm(&simulator);
            if outcome == "not_sent" {
                assert_eq!((answer.code(), &answer.json["next"]), ("ZV-CONNECT", &json!("retry")), "{fault}");
                till.consume(&sale(&biz_id, "1.00")).succeeded();
                assert_eq!(simulator.net(&biz_id), 1);
            }
        }
        till.consume(&sale(&format!("T{round}"), "1.00")).succeeded();
    }
}

/// The answer of a consume, truncated at every byte.
#[test]
fn an_answer_cut_anywhere_is_unknown() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T", "0.01")).succeeded();
    let body = simulator.last_request()["answer"].to_string().len();
    assert!(body > 200);
    for (part, whole) in [("cut_body", body), ("cut_head", 150)] {
        for at in 0..whole {
            let biz_id = format!("T~{part}:{at}");
            let answer = till.consume(&sale(&biz_id, "0.01"));
            assert_eq!(
                (answer.outcome(), simulator.net(&biz_id)),
                ("unknown", 1),
                "{biz_id}: {}",
                answer.text
            );
        }
    }
}
