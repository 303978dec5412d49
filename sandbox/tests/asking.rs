//! Faults selected by a header and by chance, besides the bizId and `POST /faults`. And the clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{RICH, Sandbox};
use serde_json::{Value, json};
use zvpos_sandbox::{faults::Chaos, rules::Policy};

const DAY_MS: i64 = 86_400_000;
const QUOTE: &str = "user.user-by-coupon";

fn basket() -> Value {
    json!({"user_coupon_id": "390962138708451328", "user_id": RICH,
        "items": [{"num": "1", "trade_mark": "1", "price": "9.00"}]})
}

/// The HTTP status and the JSON of a request whose header selects this fault.
fn asked(sandbox: &Sandbox, fault: &str, body: &str) -> (u16, Value) {
    let mut client = sandbox.client();
    client.send_asking(fault, body);
    let heard = client.answer(2000).unwrap();
    (heard.status, serde_json::from_str(&heard.body).unwrap_or_default())
}

#[test]
fn a_header_selects_a_fault_for_any_request() {
    let sandbox = Sandbox::start();
    let (status, answer) = asked(&sandbox, "system_error", &sandbox.body(QUOTE, basket()));
    assert_eq!((status, &answer["code"]), (200, &json!("900099")));
    assert_eq!(asked(&sandbox, "http_500:503", &sandbox.body(QUOTE, basket())).0, 503);
    assert_eq!(asked(&sandbox, "http_504", &sandbox.body(QUOTE, basket())).0, 504);
    let (_, answer) = asked(&sandbox, "declined", &sandbox.consume("T1~http_500"));
    assert_eq!(answer["code"], "910001", "the header goes before the bizId");
    assert_eq!(sandbox.net("T1~http_500"), 0);
}

#[test]
fn an_impossible_fault_is_refused_without_effect() {
    let sandbox = Sandbox::start();
    for (fault, part) in [
        ("reset_aftr", "\"reset_after\""),
        ("hang:5", "no number"),
        ("tls_fails", "TLS handshake"),
        ("reverse_refused", "only a reversal"),
    ] {
        let (status, answer) = asked(&sandbox, fault, &sandbox.consume("T1"));
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
    }
    let answer = sandbox.sent("T1~cut_bdy:7").answer(2000).unwrap().json();
    assert_eq!((&answer["status"], &answer["code"]), (&json!(false), &json!("100002")));
    assert!(answer["message"].as_str().unwrap().contains("\"cut_body\""), "{answer}");
    assert_eq!((sandbox.net("T1"), sandbox.net("T1~cut_bdy:7")), (0, 0));
    let log = sandbox.admin("GET", "/requests?last=1", &Value::Null);
    assert!(log[0]["explanation"].as_str().unwrap().contains("cut_body"), "{log}");
    assert_eq!(sandbox.admin("GET", "/counters", &Value::Null)["faults"], 0);
}

/// Which sales were declined.
fn declined(sandbox: &Sandbox, sales: usize) -> Vec<bool> {
    let mut client = sandbox.client();
    let sale = |number| {
        client.send("POST", "/api/v2", &sandbox.consume(&format!("T{number}")));
        client.answer(2000).unwrap().json()["code"] == "910001"
    };
    (0..sales).map(sale).collect()
}

#[test]
fn random_faults_over_the_admin_api() {
    let sandbox = Sandbox::start();
    let none = json!({"seed": 0, "rates": []});
    assert_eq!(sandbox.admin("GET", "/chaos", &Value::Null), none);
    let chaos = sandbox.admin("PUT", "/chaos", &json!({"seed": 7, "rates": {"declined": 0.5}}));
    assert_eq!(chaos, json!({"seed": 7, "rates": [{"fault": "declined", "number": 0, "rate": 0.5}]}));
    assert_eq!(sandbox.admin("GET", "/chaos", &Value::Null), chaos);
    let first = declined(&sandbox, 200);
    assert!((60..140).contains(&first.iter().filter(|hit| **hit).count()));
    // A reset restarts from the seed.
    sandbox.admin("POST", "/reset", &Value::Null);
    assert_eq!(declined(&sandbox, 200), first);
    for wrong in [json!({}), json!({"chaos": "hnag=0.5"}), json!({"rates": {"hang": 2}}), json!({"chaos": 7})]
    {
        assert!(sandbox.admin("PUT", "/chaos", &wrong)["error"].is_string(), "{wrong}");
    }
    assert_eq!(sandbox.admin("GET", "/chaos", &Value::Null), chaos, "a wrong one changes nothing");
    assert_eq!(sandbox.admin("DELETE", "/chaos", &Value::Null), none);
    assert!(!declined(&sandbox, 50).contains(&true));
    sandbox.server.set_chaos(Some(Chaos::parse("declined=1").unwrap()));
    assert!(!declined(&sandbox, 50).contains(&false));
}

#[test]
fn the_clock_over_the_admin_api() {
    let sandbox = Sandbox::start();
    let put = |change: Value| sandbox.admin("PUT", "/clock", &change);
    let shown = sandbox.admin("GET", "/clock", &Value::Null);
    assert_eq!(
        (&shown["offset_ms"], &shown["frozen"], &shown["till_follows"]),
        (&json!(0), &json!(false), &json!(true))
    );
    let frozen = put(json!({"set": "2031-05-06T07:08:09+08:00", "freeze": true}));
    assert_eq!(frozen["now"], "2031-05-05T23:08:09.000Z");
    assert_eq!(sandbox.admin("GET", "/clock", &Value::Null)["now_ms"], frozen["now_ms"]);
    assert_eq!(put(json!({"advance_ms": 1000}))["now"], "2031-05-05T23:08:10.000Z");
    assert_eq!(put(json!({"offset_ms": DAY_MS, "freeze": false}))["offset_ms"], DAY_MS);
    assert_eq!(sandbox.server.advance_clock(DAY_MS).unwrap().offset_ms, 2 * DAY_MS);
    for wrong in [json!({"set": "soon"}), json!({"advance_ms": 1, "offset_ms": 1}), json!({"advance": 1})] {
        assert!(put(wrong.clone())["error"].is_string(), "{wrong}");
    }
    assert_eq!(sandbox.server.clock().offset_ms, 2 * DAY_MS);
}

/// The tills' clocks are assumed to move with the simulator's, or not to.
#[test]
fn signatures_follow_the_clock_or_not() {
    let sandbox = Sandbox::start();
    let code = |biz_id: &str| sandbox.sent(biz_id).answer(2000).unwrap().json()["code"].clone();
    sandbox.server.advance_clock(30 * DAY_MS).unwrap();
    assert_eq!(code("T1"), "0");
    sandbox.admin("PUT", "/clock", &json!({"till_follows": false}));
    let heard = sandbox.sent("T2").answer(2000).unwrap();
    assert_eq!(heard.json()["code"], "110004");
    let year = sandbox.server.clock().now[..4].to_owned();
    assert!(heard.header("date").unwrap().contains(&format!(" {year} ")), "{}", heard.head);
    sandbox.admin("PUT", "/clock", &json!({"offset_ms": 0}));
    assert_eq!(code("T3"), "0");
}

/// A reversal is too late because the clock was moved.
#[test]
fn the_reversal_window_goes_by_the_clock() {
    let sandbox = Sandbox::with(Policy { reversal_window_ms: Some(3_600_000), ..Policy::default() });
    let mut client = sandbox.client();
    let mut code = |action: &str, biz_id: &str| {
        let params = json!({"bizId": biz_id, "customerId": RICH, "amount": "1.00"});
        client.send("POST", "/api/v2", &sandbox.body(action, params));
        client.answer(2000).unwrap().json()["code"].as_str().unwrap().to_owned()
    };
    for biz_id in ["T1", "T2"] {
        assert_eq!(code("communal.user.consume", biz_id), "0");
    }
    sandbox.server.advance_clock(3_500_000).unwrap();
    assert_eq!(code("sandbox.consume-reverse", "T1"), "0");
    sandbox.server.advance_clock(200_000).unwrap();
    assert_eq!(code("sandbox.consume-reverse", "T2"), "920004");
    assert_eq!((sandbox.net("T1"), sandbox.net("T2")), (0, 1));
}
