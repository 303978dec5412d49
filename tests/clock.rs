//! Tills have wrong clocks: the gateway's time is learned from its answers, and a request that was refused for its
//! timestamp is signed anew once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, Simulator, config};
use zvpos_sandbox::rules::{Policy, SignNames};

const DAY_MS: i64 = 86_400_000;

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

#[test]
fn a_clock_that_is_a_day_off_is_corrected() {
    for offset in [DAY_MS, -DAY_MS] {
        let simulator = Simulator::with_policy(Policy { clock_offset_ms: offset, ..Policy::default() });
        let mut till = Driver::started(&config(&simulator.v2(), json!({})));
        let answer = till.consume(&sale("T1")).succeeded();
        assert!(answer.warns("ZV-W-CLOCK"), "{}", answer.text);
        assert_eq!((simulator.net("T1"), simulator.requests()), (1, 2), "refused once, then signed anew");
        // It stays learned.
        let answer = till.consume(&sale("T2")).succeeded();
        assert!(answer.warns("ZV-W-CLOCK"), "{}", answer.text);
        assert_eq!((simulator.net("T2"), simulator.requests()), (1, 3));
        // And unlearned when the clocks agree again.
        simulator.admin("PUT", "/policy", &json!({}));
        let answer = till.consume(&sale("T3")).succeeded();
        assert_eq!((simulator.net("T3"), answer.warns("ZV-W-CLOCK")), (1, false), "{}", answer.text);
    }
}

#[test]
fn a_quote_corrects_the_clock_for_the_sale_behind_it() {
    let simulator = Simulator::with_policy(Policy { clock_offset_ms: DAY_MS, ..Policy::default() });
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.quote(&json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9"}]}))
        .succeeded();
    assert_eq!(simulator.requests(), 2);
    till.consume(&sale("T1")).succeeded();
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 3));
}

#[test]
fn a_wrong_key_is_declined_and_not_tried_again() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"openKey": "another-key"})));
    let answer = till.consume(&sale("T1")).expect("declined", "110004");
    assert!(!answer.text.contains("another-key"));
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 1));
}

/// Both at once: the second attempt is the last one, and its refusal is still a proof that nothing was taken.
#[test]
fn a_wrong_key_with_a_wrong_clock_is_tried_twice_and_no_more() {
    let simulator = Simulator::with_policy(Policy { clock_offset_ms: DAY_MS, ..Policy::default() });
    let mut till = Driver::started(&config(&simulator.v2(), json!({"openKey": "another-key"})));
    till.consume(&sale("T1")).expect("declined", "110004");
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 2));
}

#[test]
fn the_spelling_of_the_signed_names_is_a_setting() {
    let simulator = Simulator::with_policy(Policy { sign_names: SignNames::AsSent, ..Policy::default() });
    let mut lower = Driver::started(&config(&simulator.v2(), json!({})));
    lower.consume(&sale("T1")).expect("declined", "110004");
    let mut as_sent = Driver::started(&config(&simulator.v2(), json!({"sign_names": "as_sent"})));
    as_sent.consume(&sale("T1")).succeeded();
}
