//! Every fault that the simulator knows, by name: what a till is told, and whether that is true by the gateway's
//! ledger. `cargo test --test faults -- --nocapture` prints the table.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, Simulator, config};
use zvpos_sandbox::faults::Fault;

/// A fault, its number, what a consume that meets it ends as, and a quote.
const EXPECTED: &[(&str, Option<u64>, &str, &str)] = &[
    // The request is on its connection when the port closes.
    ("refused", Some(600_000), "unknown", "not_sent"),
    ("hang", None, "unknown", "not_sent"),
    ("hang_after", None, "unknown", "not_sent"),
    ("reset_before", None, "unknown", "not_sent"),
    ("reset_after", None, "unknown", "not_sent"),
    ("stray_answer", None, "succeeded", "succeeded"),
    ("html_200", None, "unknown", "not_sent"),
    ("html_200_after", None, "unknown", "not_sent"),
    ("http_500", None, "unknown", "not_sent"),
    ("http_500", Some(502), "unknown", "not_sent"),
    ("http_500", Some(302), "unknown", "not_sent"),
    // No answer of the gateway, though it looks like one.
    ("http_500", Some(204), "unknown", "not_sent"),
    ("http_500_after", None, "unknown", "not_sent"),
    ("http_500_after", Some(504), "unknown", "not_sent"),
    ("cut_body", Some(0), "unknown", "not_sent"),
    ("cut_body", Some(1), "unknown", "not_sent"),
    ("cut_body", None, "unknown", "not_sent"),
    ("cut_body", Some(300), "unknown", "not_sent"),
    ("drifted_types", Some(0), "succeeded", "succeeded"),
    ("drifted_types", Some(1), "succeeded", "succeeded"),
    ("drifted_types", Some(2), "succeeded", "succeeded"),
    ("slow_body", None, "unknown", "not_sent"),
    ("slow_body", Some(20), "unknown", "not_sent"),
    ("late_answer", None, "unknown", "not_sent"),
    ("late_answer", Some(100), "succeeded", "succeeded"),
    // A quote takes nothing, so a system error is simply the gateway's no.
    ("system_error", None, "unknown", "declined"),
    ("system_error_after", None, "unknown", "declined"),
];

fn till(simulator: &Simulator) -> Driver {
    Driver::started(&config(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 800}})))
}

fn param(fault: &str, number: Option<u64>) -> Value {
    let param = Fault::named(fault).unwrap().row().param;
    number.map_or(json!({}), |number| json!({param.unwrap().name: number}))
}

#[test]
fn every_fault_is_in_the_table() {
    let known: BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.row().name).collect();
    assert_eq!(known, EXPECTED.iter().map(|row| row.0).collect());
}

#[test]
fn a_consume_tells_the_truth_about_every_fault() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let mut wrong = Vec::new();
    println!("{:<26} {:<10} {:<10} {:<16} {:>3}  ms", "fault", "expected", "seen", "code", "S");
    for (fault, number, expected, _) in EXPECTED {
        let asked = number.map_or_else(|| (*fault).to_owned(), |number| format!("{fault}:{number}"));
        let biz_id = format!("T~{asked}");
        let answer = till.consume(&json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"}));
        let (seen, net) = (answer.outcome(), simulator.net(&biz_id));
        let took = answer.took.as_millis();
        println!("{asked:<26} {expected:<10} {seen:<10} {:<16} {net:>3} {took:>4}", answer.code());
        let truth = match seen {
            "succeeded" => net == 1,
            "declined" | "not_sent" => net == 0,
            // Nothing is promised; but the simulator must have done what the fault says.
            "unknown" => net == i64::from(Fault::named(fault).unwrap().row().acts),
            _ => false,
        };
        let belongs = seen != "succeeded" || answer.data()["bizId"] == biz_id.as_str();
        if seen != *expected || !truth || !belongs {
            wrong.push(format!("{asked}: {}", answer.text));
        }
        // The line is as good as before: the next sale is its own.
        simulator.admin("DELETE", "/faults", &Value::Null);
        let later = format!("{}-next", biz_id.replace('~', "-"));
        let answer = till.consume(&json!({"bizId": later, "customerId": MEMBER, "amount": "0.01"}));
        if answer.outcome() != "succeeded"
            || answer.data()["bizId"] != later.as_str()
            || simulator.net(&later) != 1
        {
            wrong.push(format!("after {asked}: {}", answer.text));
        }
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
    for (fault, number, _, expected) in EXPECTED {
        simulator.arm(fault, "quote", 1, &param(fault, *number));
        let answer = till.quote(&request);
        if answer.outcome() != *expected {
            wrong.push(format!("{fault} {number:?}: {}", answer.text));
        }
        simulator.admin("DELETE", "/faults", &Value::Null);
        let answer = till.quote(&request);
        if answer.outcome() != "succeeded" || answer.data()["coupon_discount"] != "5.00" {
            wrong.push(format!("after {fault} {number:?}: {}", answer.text));
        }
    }
    simulator.admin("POST", "/faults", &json!({"fault": "refused", "params": {"ms": 600_000}}));
    let answer = till.quote(&request).expect("not_sent", "ZV-CONNECT");
    assert_eq!(answer.json["next"], "retry");
    simulator.admin("DELETE", "/faults", &Value::Null);
    till.quote(&request).succeeded();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_closed_port_is_not_sent() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    // Once with no connection yet, once with one that was open and is reset while it lies idle.
    for biz_id in ["T1", "T2"] {
        simulator.admin("POST", "/faults", &json!({"fault": "refused", "params": {"ms": 600_000}}));
        let sale = json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"});
        till.consume(&sale).expect("not_sent", "ZV-CONNECT");
        assert_eq!(simulator.net(biz_id), 0);
        simulator.admin("DELETE", "/faults", &Value::Null);
        till.consume(&sale).succeeded();
        assert_eq!(simulator.net(biz_id), 1);
    }
}

/// The answer of a consume, cut at every single byte.
#[test]
fn a_body_cut_anywhere_is_unknown() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let sale = |biz_id: &str| json!({"bizId": biz_id, "customerId": MEMBER, "amount": "0.01"});
    till.consume(&sale("T")).succeeded();
    let whole = simulator.last_request()["answer"].to_string().len();
    assert!(whole > 200);
    for at in 0..whole {
        let biz_id = format!("T~cut_body:{at}");
        let answer = till.consume(&sale(&biz_id));
        assert_eq!((answer.outcome(), simulator.net(&biz_id)), ("unknown", 1), "{at}: {}", answer.text);
    }
}
