//! A connection that waits for a payment: after a read that comes before one, the library keeps an unused connection open for
//! a while, and sends nothing on it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, reason = "shared between the files of one test")]

mod support;
#[path = "support/tls.rs"]
mod tls;

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, Simulator, config, own_folder, root, until};
use tls::Tls;

/// An unused connection is renewed every 1.5 s.
const IDLE_MS: u64 = 2000;

/// Longer than a connection is kept without being renewed.
const PAUSE: Duration = Duration::from_secs(5);

fn basket() -> Value {
    json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER, "items": [{"num": 1, "trade_mark": "1", "price": "9.00"}]})
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

/// Begins a sale and pays long after it; the payment opens no connection.
fn begin_and_pay(till: &mut Driver, simulator: &Simulator, biz_id: &str, begin: impl Fn(&mut Driver)) {
    let (requests, opened) = (simulator.requests(), simulator.connections());
    begin(till);
    sleep(PAUSE);
    assert!(simulator.connections() >= opened + 2, "none was renewed");
    assert_eq!(simulator.requests(), requests + 1, "an unused connection carries no request");
    let paid = till.consume(&sale(biz_id)).succeeded();
    assert_eq!(paid.json["timing_ms"]["connect"], 0.0, "{}", paid.text);
    assert_eq!((simulator.requests(), simulator.net(biz_id)), (requests + 2, 1));
}

#[test]
fn a_payment_long_after_its_read_finds_an_open_connection() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"idle_ms": IDLE_MS})));
    begin_and_pay(&mut till, &simulator, "T1", |till| {
        till.quote(&basket()).succeeded();
    });
    // The sale is over: no other connection is opened for it.
    let opened = simulator.connections();
    sleep(PAUSE);
    assert_eq!(simulator.connections(), opened);
    begin_and_pay(&mut till, &simulator, "T2", |till| {
        till.call("member_lookup", &json!({"identifierNumber": "M0001", "type": "1"})).succeeded();
    });
}

/// The server's session tickets come on a connection before its first request.
#[test]
fn over_tls_too() {
    let simulator = Simulator::start();
    let certificate = tls::certificate(own_folder(), "test-ca", "IP:127.0.0.1", 2);
    let tls = Tls::start(&root().join("tests/tls_proxy.py"), &certificate, &simulator.address().to_string());
    let more = json!({"idle_ms": IDLE_MS, "tls": {"pem": certificate.join("ca.pem")}});
    let mut till = Driver::started(&config(&format!("https://127.0.0.1:{}/api/v2", tls.port), more));
    begin_and_pay(&mut till, &simulator, "T1", |till| {
        till.quote(&basket()).succeeded();
    });
}

#[test]
fn it_ends_after_its_time_and_is_not_done_where_it_is_switched_off() {
    for more in [
        json!({"idle_ms": 500, "warm_s": 0}),
        json!({"idle_ms": 500, "background": false}),
        json!({"idle_ms": 0}),
    ] {
        let simulator = Simulator::start();
        let mut till = Driver::started(&config(&simulator.v2(), more));
        till.quote(&basket()).succeeded();
        sleep(Duration::from_secs(2));
        assert_eq!(simulator.connections(), 1);
    }
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"idle_ms": 400, "warm_s": 5})));
    till.quote(&basket()).succeeded();
    // Right after a start the background thread reads the journal first.
    until("a connection is renewed", || simulator.connections() >= 2);
    sleep(Duration::from_secs(6));
    let opened = simulator.connections();
    sleep(Duration::from_secs(2));
    assert_eq!(simulator.connections(), opened, "the five seconds are over");
}
