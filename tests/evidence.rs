//! An unknown outcome that is held, and what the gateway's own records prove about it.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Driver, MEMBER, Simulator, config, until};

const WINDOW_MS: u64 = 600;

/// A coupon that is used up when it is redeemed: the status of others proves nothing.
const ONCE: &str = "390913439370321922";

/// The records are read by the V3 path of the same simulator; consumes use V2, without a reverse route.
fn till(simulator: &Simulator, complete: bool) -> Driver {
    let records = json!({"generation": "v3", "endpoint": simulator.v3(), "complete": complete, "codes": {"not_found": ["100007"]}});
    let more = json!({"late_arrival_ms": WINDOW_MS, "routes": {"balance_by_biz_id": records}});
    Driver::started(&config(&simulator.v2(), more))
}

fn sale(biz_id: &str, amount: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": amount})
}

/// The outcome once it is no longer unknown, or after long enough.
fn in_the_end(till: &mut Driver, biz_id: &str) -> String {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let answer = till.look_up(biz_id);
        if answer.outcome() != "unknown" || Instant::now() > until {
            return answer.outcome().to_owned();
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_deduction_in_the_records_is_a_success() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, false);
    till.consume(&sale("T1~reset_after", "1.00")).expect("unknown", "ZV-LOST");
    assert_eq!(in_the_end(&mut till, "T1~reset_after"), "succeeded");
    assert_eq!(simulator.net("T1~reset_after"), 1);
}

#[test]
fn a_sale_missing_in_complete_records_never_happened_but_only_after_the_window() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, true);
    let asked = Instant::now();
    till.consume(&sale("T1~reset_before", "1.00")).expect("unknown", "ZV-LOST");
    assert_eq!(in_the_end(&mut till, "T1~reset_before"), "reversed");
    assert!(asked.elapsed() >= Duration::from_millis(WINDOW_MS), "{:?}", asked.elapsed());
    assert_eq!(simulator.net("T1~reset_before"), 0);
    // It can no longer happen either.
    till.consume(&sale("T1~reset_before", "1.00")).expect("conflict", "ZV-CONFLICT");
}

#[test]
fn a_sale_missing_in_incomplete_records_stays_unknown() {
    let simulator = Simulator::start();
    let mut till = till(&simulator, false);
    till.consume(&sale("T1~reset_before", "1.00")).expect("unknown", "ZV-LOST");
    thread::sleep(Duration::from_millis(2 * WINDOW_MS));
    assert_eq!(till.look_up("T1~reset_before").outcome(), "unknown");
    till.settle(&json!({"bizId": "T1~reset_before", "as": "undone", "by": "the manager", "reason": "asked"}))
        .succeeded();
    assert_eq!(till.look_up("T1~reset_before").outcome(), "reversed");
}

/// A till whose vendor has stated that a coupon's status is updated at once and that no coupon can be used twice.
fn till_by_coupons(simulator: &Simulator) -> Driver {
    let more = json!({"late_arrival_ms": WINDOW_MS, "guard": "off", "routes": {"coupon_status": {"complete": true}}});
    Driver::started(&config(&simulator.v2(), more))
}

fn redemption(biz_id: &str, coupon: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "couponsCardList": [coupon]})
}

#[test]
fn a_coupon_that_is_unused_after_the_window_was_not_redeemed() {
    let simulator = Simulator::start();
    let mut till = till_by_coupons(&simulator);
    let asked = Instant::now();
    till.consume(&redemption("T1~reset_before", ONCE)).expect("unknown", "ZV-LOST");
    assert_eq!(in_the_end(&mut till, "T1~reset_before"), "reversed");
    assert!(asked.elapsed() >= Duration::from_millis(WINDOW_MS), "{:?}", asked.elapsed());
    assert_eq!(simulator.net("T1~reset_before"), 0);
}

#[test]
fn a_coupon_that_is_redeemed_proves_nothing() {
    let simulator = Simulator::start();
    let mut till = till_by_coupons(&simulator);
    till.consume(&redemption("T1~reset_after", ONCE)).expect("unknown", "ZV-LOST");
    let asked = simulator.requests();
    until("the coupon's status was asked for twice", || simulator.requests() >= asked + 2);
    assert_eq!(till.look_up("T1~reset_after").outcome(), "unknown");
}

#[test]
fn a_coupon_that_another_sale_names_proves_nothing() {
    let simulator = Simulator::start();
    let mut till = till_by_coupons(&simulator);
    for biz_id in ["T1~reset_before", "T2~reset_before"] {
        till.consume(&redemption(biz_id, ONCE)).expect("unknown", "ZV-LOST");
    }
    let asked = simulator.requests();
    until("the coupon's status was asked for, for both", || {
        till.recover().succeeded();
        simulator.requests() >= asked + 4
    });
    assert_eq!(till.look_up("T1~reset_before").outcome(), "unknown");
    assert_eq!(till.look_up("T2~reset_before").outcome(), "unknown");
}

#[test]
fn undone_too_early_is_warned_of() {
    let simulator = Simulator::start();
    let more = json!({"late_arrival_ms": WINDOW_MS});
    let mut till = Driver::started(&config(&simulator.v2(), more));
    let decision =
        |biz_id: &str| json!({"bizId": biz_id, "as": "undone", "by": "the manager", "reason": "asked"});
    till.consume(&sale("T1~reset_before", "1.00")).expect("unknown", "ZV-LOST");
    assert!(till.settle(&decision("T1~reset_before")).succeeded().warns("ZV-W-MAY-ARRIVE"));
    till.consume(&sale("T2~reset_before", "1.00")).expect("unknown", "ZV-LOST");
    // The library counts the window from here.
    till.recover().succeeded();
    thread::sleep(Duration::from_millis(2 * WINDOW_MS));
    assert!(!till.settle(&decision("T2~reset_before")).succeeded().warns("ZV-W-MAY-ARRIVE"));
}

/// A till whose consume is lost and held, and whose gateway's records contain this data.
fn held(records: Value, sale: &Value, routes: &Value) -> (support::Scripted, Driver) {
    let server = support::Scripted::start(move |mut stream| {
        use std::io::Write;
        while let Some(request) = support::Request::read(&mut stream) {
            // The consume is lost; every other request is answered.
            if request.head.starts_with("POST /v3/crm/customer/customerConsume") {
                return;
            }
            let body = json!({"status": true, "code": 0, "message": "m", "data": records}).to_string();
            if stream.write_all(&support::gateway_answer(&body)).is_err() {
                return;
            }
        }
    });
    let endpoint = server.url().replace("/api/v2", "");
    let more = json!({"api": "v3", "on_unknown": "hold", "late_arrival_ms": 100, "routes": routes,
        "timeouts_ms": {"connect": 300, "total": 1000}});
    let mut till = Driver::started(&config(&endpoint, more));
    till.consume(sale).expect("unknown", "ZV-LOST");
    (server, till)
}

/// The outcome: the records are read until something is proven, at least three times.
fn proven(records: Value, sale: &Value, routes: &Value) -> String {
    let (server, mut till) = held(records, sale, routes);
    let until = Instant::now() + Duration::from_millis(700);
    let biz_id = sale["bizId"].as_str().map(str::to_owned).unwrap_or_default();
    loop {
        till.recover();
        let outcome = till.look_up(&biz_id).outcome().to_owned();
        if outcome != "unknown" || Instant::now() > until {
            drop(till);
            drop(server);
            return outcome;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Amounts compare as values; a sign proves nothing until the route configures its meaning, and money that was given
/// back is not taken.
#[test]
fn an_amount_in_the_records_is_a_value_whose_sign_the_route_explains() {
    for (amount, sign, outcome) in [
        (json!("1.00"), None, "succeeded"),
        (json!(1), None, "succeeded"),
        (json!("1.0000"), None, "succeeded"),
        (json!("-1.00"), None, "unknown"),
        (json!("+1.00"), None, "unknown"),
        (json!("-1.00"), Some("minus_is_taken"), "succeeded"),
        (json!("1.00"), Some("minus_is_taken"), "unknown"),
        (json!("-1.00"), Some("plus_is_taken"), "unknown"),
        (json!("+1.00"), Some("plus_is_taken"), "succeeded"),
    ] {
        let routes = json!({"balance_by_biz_id": {"complete": true, "codes": {"not_found": ["100007"]}, "sign": sign.unwrap_or("")}});
        let records = json!({"bizId": "T1", "amount": amount, "customerId": MEMBER});
        assert_eq!(proven(records, &sale("T1", "1.00"), &routes), outcome, "{amount} {sign:?}");
    }
    // With unused coupons as well: a record with a sign of unknown meaning did happen.
    let routes = json!({"balance_by_biz_id": {"complete": true, "codes": {"not_found": ["100007"]}}, "coupon_status": {"complete": true}});
    let mut both = redemption("T1", ONCE);
    both["amount"] = json!("1.00");
    let records =
        json!({"bizId": "T1", "amount": "-1.00", "list": [{"cardId": ONCE, "useStatus": 0}], "total": 1});
    assert_eq!(proven(records, &both, &routes), "unknown");
}

/// V3 answers coupon status as `{"list": […], "total": n}`; a coupon with several uses proves nothing.
#[test]
fn a_coupons_status_in_each_of_its_forms() {
    for (records, outcome) in [
        (json!([{"cardId": ONCE, "useStatus": "0"}]), "reversed"),
        (json!({"list": [{"cardId": ONCE, "couponType": 1, "useStatus": 0}], "total": 1}), "reversed"),
        (json!({"list": [{"cardId": 390_913_439_370_321_922_u64, "useStatus": 0}], "total": 1}), "reversed"),
        (json!({"list": [{"cardId": ONCE, "useStatus": 1}], "total": 1}), "unknown"),
        (json!({"list": [{"cardId": ONCE, "useStatus": 0}], "total": 51}), "unknown"),
        (json!({"list": [{"cardId": ONCE, "useStatus": 0, "timesLeft": 4}], "total": 1}), "unknown"),
        (json!({"list": [], "total": 0}), "unknown"),
    ] {
        let routes = json!({"coupon_status": {"complete": true}});
        assert_eq!(proven(records.clone(), &redemption("T1", ONCE), &routes), outcome, "{records}");
    }
}
