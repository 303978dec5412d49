//! A payment that relies on quotes is sent only while they hold, through the C ABI. What was sent is compared with the
//! gateway's ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::{
    Answer, Driver, FIVE_OFF, MEMBER, POOR_MEMBER, SAVINGS_COUPON, Scripted, Simulator, config,
    gateway_answer,
};

fn basket() -> Value {
    json!([
        {"num": 1, "trade_mark": "201909280011111", "price": "18.00"},
        {"num": "2", "trade_mark": "201909280011112", "price": 5.5},
    ])
}

fn question(coupon: &str) -> Value {
    json!({"user_coupon_id": coupon, "user_id": MEMBER, "items": basket(), "multi_mark": "S1"})
}

fn quoted(till: &mut Driver, coupon: &str) -> String {
    till.quote(&question(coupon)).succeeded().json["quoteId"].as_str().unwrap().to_owned()
}

fn paying(biz_id: &str, quotes: &[&str]) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "24.00", "quoteIds": quotes})
}

/// The one difference of a payment that was not sent.
fn changed(simulator: &Simulator, answer: Answer) -> Value {
    let answer = answer.expect("not_sent", "ZV-QUOTE-CHANGED");
    assert_eq!(answer.json["next"], "quote_again");
    assert_eq!(simulator.net(answer.json["bizId"].as_str().unwrap()), 0);
    let quotes = answer.data()["quotes"].as_array().unwrap();
    assert_eq!(quotes.len(), 1, "{}", answer.text);
    quotes[0].clone()
}

#[test]
fn a_payment_goes_out_with_the_quotes_that_hold_and_without_their_ids() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let (one, other) = (quoted(&mut till, FIVE_OFF), quoted(&mut till, SAVINGS_COUPON));
    assert_ne!(one, other);
    let mut request = paying("T1", &[&one, &other]);
    request["couponsCardList"] = json!([FIVE_OFF, SAVINGS_COUPON]);
    // The same basket in another order and spelling.
    request["items"] = json!([
        {"trade_mark": "201909280011112", "num": 2, "price": "5.50"},
        {"trade_mark": "201909280011111", "num": "1", "price": 18},
    ]);
    request["multiMark"] = json!("S1");
    till.consume(&request).succeeded();
    let sent = simulator.last_request();
    assert!(sent["params"]["quoteIds"].is_null() && sent["params"]["items"].is_null(), "{sent}");
    assert_eq!(simulator.net("T1"), 1);
}

#[test]
fn what_differs_is_named_and_nothing_is_sent() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let quote = quoted(&mut till, FIVE_OFF);
    let differing = |name: &str, value: Value| {
        let mut request = paying("T1", &[&quote]);
        request[name] = value;
        request
    };
    let fewer = json!([{"num": 1, "trade_mark": "201909280011111", "price": "18.00"}]);
    for (request, why) in [
        (differing("customerId", json!(POOR_MEMBER)), "member"),
        (differing("couponsCardList", json!([SAVINGS_COUPON])), "coupon"),
        (differing("multiMark", json!("S2")), "store"),
        (differing("items", fewer), "items"),
        (differing("quoteIds", json!(["Q0123456789ABCDEF"])), "forgotten"),
    ] {
        let found = changed(&simulator, till.consume(&request));
        assert_eq!(found["why"], why);
        let discount = if why == "forgotten" { Value::Null } else { json!("5.00") };
        assert_eq!(found["coupon_discount"], discount);
    }
    // The bizId is as free as before.
    till.consume(&paying("T1", &[&quote])).succeeded();
    // A start forgets the quotes, and says so.
    let quote = quoted(&mut till, FIVE_OFF);
    till.shutdown().succeeded();
    till.init(&config(&simulator.v2(), json!({}))).succeeded();
    assert_eq!(changed(&simulator, till.consume(&paying("T2", &[&quote])))["why"], "forgotten");
    let wrong =
        till.consume(&json!({"bizId": "T3", "customerId": MEMBER, "amount": "1.00", "items": basket()}));
    assert_eq!(wrong.expect("invalid", "ZV-REQUEST").json["errors"][0]["path"], "items");
}

#[test]
fn what_the_journal_has_is_answered_first() {
    let simulator = Simulator::start();
    let config = config(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    let quote = quoted(&mut till, FIVE_OFF);
    till.consume(&paying("T1", &[&quote])).succeeded();
    till.shutdown().succeeded();
    till.init(&config).succeeded();
    // The quote is forgotten, and no part of what the request is.
    let again = till.consume(&paying("T1", &[&quote])).succeeded();
    assert_eq!(again.json["replayed"], true);
    let mut other = paying("T1", &[&quote]);
    other["amount"] = json!("25.00");
    assert_eq!(till.consume(&other).outcome(), "conflict");
    assert_eq!(simulator.net("T1"), 1);
}

/// A gateway whose quotes say one discount after the other, and count its consumes.
fn changing(discounts: &'static [&str]) -> (Scripted, Arc<AtomicU32>) {
    let (asked, consumes) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&consumes);
    let server = Scripted::answering(move |request| {
        if request.body.contains("communal.user.consume") {
            counted.fetch_add(1, Ordering::SeqCst);
            return gateway_answer(
                r#"{"status":true,"code":0,"message":"ok","data":{"bizId":"T1","total_amount":"1.00"}}"#,
            );
        }
        let number = usize::try_from(asked.fetch_add(1, Ordering::SeqCst)).unwrap();
        match discounts[number.min(discounts.len() - 1)] {
            "slow" => {
                std::thread::sleep(Duration::from_millis(900));
                gateway_answer(r#"{"status":true,"code":0,"message":"ok","data":{"coupon_discount":"5.00"}}"#)
            }
            "none" => gateway_answer(r#"{"status":true,"code":0,"message":"ok","data":{"amount":"5"}}"#),
            "used" => gateway_answer(r#"{"status":true,"code":"910004","message":"used","data":[]}"#),
            "broken" => b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".to_vec(),
            discount => gateway_answer(&format!(
                r#"{{"status":true,"code":0,"message":"ok","data":{{"coupon_discount":"{discount}"}}}}"#
            )),
        }
    });
    (server, consumes)
}

fn aged(discounts: &'static [&str]) -> (Answer, u32) {
    let (server, consumes) = changing(discounts);
    let mut till = Driver::started(&config(&server.url(), json!({"quote_max_age_s": 1})));
    let quote = quoted(&mut till, FIVE_OFF);
    std::thread::sleep(Duration::from_millis(1100));
    let answer = till.consume(&paying("T1", &[&quote]));
    (answer, consumes.load(Ordering::SeqCst))
}

#[test]
fn an_old_quote_is_asked_again_and_its_discount_compared() {
    let (answer, consumes) = aged(&["5.00", "5.00"]);
    answer.succeeded();
    assert_eq!(consumes, 1);

    let (answer, consumes) = aged(&["5.00", "4.00"]);
    let answer = answer.expect("not_sent", "ZV-QUOTE-CHANGED");
    let found = &answer.data()["quotes"][0];
    assert_eq!((&found["why"], &found["coupon_discount"]), (&json!("discount"), &json!("5.00")));
    assert_eq!(found["now"]["coupon_discount"], "4.00");
    assert!(found["now"]["quoteId"].as_str().unwrap() != found["quoteId"].as_str().unwrap());
    assert_eq!(consumes, 0);

    let (answer, consumes) = aged(&["5.00", "used"]);
    let answer = answer.expect("not_sent", "ZV-QUOTE-CHANGED");
    assert_eq!(answer.data()["quotes"][0]["why"], "declined");
    assert_eq!(answer.data()["quotes"][0]["gateway"]["code"], "910004");
    assert_eq!(consumes, 0);

    // What cannot be read as the same discount is none.
    let (answer, consumes) = aged(&["5.00", "none"]);
    let answer = answer.expect("not_sent", "ZV-QUOTE-CHANGED");
    assert_eq!(answer.data()["quotes"][0]["why"], "discount");
    assert_eq!((&answer.data()["quotes"][0]["now"], consumes), (&Value::Null, 0));

    let (answer, consumes) = aged(&["5.00", "broken"]);
    assert_eq!(answer.expect("not_sent", "ZV-NO-ANSWER").json["next"], "retry");
    assert_eq!(consumes, 0);
}

/// A till that got no answer asks again, and another process does not know the quote: it waits for what the first one is
/// told, and does not say that nothing is taken.
#[test]
fn a_call_that_does_not_know_the_quote_waits_for_the_one_that_does() {
    let (server, consumes) = changing(&["5.00", "slow"]);
    let config = config(&server.url(), json!({"quote_max_age_s": 1}));
    let (mut one, mut other) = (Driver::started(&config), Driver::started(&config));
    let quote = quoted(&mut one, FIVE_OFF);
    std::thread::sleep(Duration::from_millis(1100));
    one.begin(&format!("consume {}", paying("T1", &[&quote])));
    std::thread::sleep(Duration::from_millis(300));
    let told = other.consume(&paying("T1", &[&quote])).succeeded();
    assert_eq!(told.json["replayed"], true);
    one.finish().succeeded();
    assert_eq!(consumes.load(Ordering::SeqCst), 1);
}

/// What was not sent for its quote stands so, and the bizId is free for the new price.
#[test]
fn a_changed_quote_is_looked_up_and_paid_anew() {
    let simulator = Simulator::start();
    let config = config(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&paying("T1", &["Q0"])).expect("not_sent", "ZV-QUOTE-CHANGED");
    till.shutdown().succeeded();
    till.init(&config).succeeded();
    let seen = till.look_up("T1").expect("not_sent", "ZV-QUOTE-CHANGED");
    assert_eq!(seen.json["next"], "quote_again");
    let mut other = paying("T1", &[&quoted(&mut till, FIVE_OFF)]);
    other["amount"] = json!("23.50");
    till.consume(&other).succeeded();
    assert_eq!(simulator.net("T1"), 1);
}

#[test]
fn a_quote_that_names_no_discount_or_another_coupon_is_none_to_rely_on() {
    for data in [
        r#"{"amount":"5"}"#,
        r#"{"coupon_discount":"4.20元"}"#,
        r#"{"coupon_discount":"1.00","user_coupon_id":"7"}"#,
    ] {
        let body = format!(r#"{{"status":true,"code":0,"message":"ok","data":{data}}}"#);
        let server = Scripted::answering(move |_| gateway_answer(&body));
        let mut till = Driver::started(&config(&server.url(), json!({})));
        let answer = till.quote(&question(FIVE_OFF)).succeeded();
        assert_eq!(answer.json["quoteId"], Value::Null, "{}", answer.text);
    }
}

#[test]
fn an_answer_is_held_against_its_question() {
    let warned = |data: &str, code: &str| {
        let body = format!(r#"{{"status":true,"code":0,"message":"ok","data":{data}}}"#);
        let server = Scripted::answering(move |_| gateway_answer(&body));
        let mut till = Driver::started(&config(&server.url(), json!({})));
        let answer = till.quote(&question(FIVE_OFF)).succeeded();
        let warnings = answer.json["warnings"].as_array().unwrap();
        let found: Vec<&Value> = warnings
            .iter()
            .map(|warning| &warning["code"])
            .filter(|code| *code != "ZV-W-PLAIN-HTTP")
            .collect();
        assert_eq!(found, if code.is_empty() { vec![] } else { vec![code] }, "{data}: {}", answer.text);
    };
    warned(r#"{"coupon_discount":"29.00","multi_mark":"S1"}"#, "");
    warned(r#"{"coupon_discount":"29.01"}"#, "ZV-W-DISCOUNT");
    warned(r#"{"coupon_discount":"-0.01"}"#, "ZV-W-DISCOUNT");
    warned(r#"{"coupon_discount":"1.00","multi_mark":"S2"}"#, "ZV-W-STORE");
    warned(r#"{"coupon_discount":"1.00","user_coupon_id":"7"}"#, "ZV-W-COUPONS");
}
