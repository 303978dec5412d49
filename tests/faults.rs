//! Every fault of the simulator, by name: what a till is told, and whether that is true by the gateway's ledger.
//! `cargo test --test faults -- --nocapture` prints the tables.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "faults/asking.rs"]
mod asking;
#[path = "faults/consume.rs"]
mod consume;
#[path = "faults/reversal.rs"]
mod reversal;
mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Driver, MEMBER, Simulator, config};
use zvpos_sandbox::faults::{Chosen, Fault, Named};

/// A till with short timeouts that leaves unknown outcomes unresolved.
fn till(simulator: &Simulator) -> Driver {
    impatient(&simulator.v2(), &json!({}))
}

fn impatient(endpoint: &str, more: &Value) -> Driver {
    let mut config = config(endpoint, json!({"timeouts_ms": {"connect": 300, "total": 800}}));
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Driver::started(&config)
}

fn sale(biz_id: &str, amount: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": amount})
}

/// `name` or `name:number`, as the admin API takes it.
fn named(asked: &str) -> Chosen {
    Named::read(asked).unwrap().chosen()
}

/// Arms a fault for the next requests of an operation.
fn arm(simulator: &Simulator, asked: &str, operation: &str, times: Option<u32>) {
    let order = json!({"fault": asked, "operation": operation, "times": times});
    let answer = simulator.admin("POST", "/faults", &order);
    assert!(answer["error"].is_null(), "{order}: {answer}");
}

fn disarm(simulator: &Simulator) {
    simulator.admin("DELETE", "/faults", &Value::Null);
}

/// No fault is left out.
#[test]
fn every_fault_is_in_a_table() {
    let known: BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.row().name).collect();
    let sales = consume::EXPECTED.iter().map(|case| case.asked);
    let reversals = reversal::EXPECTED.iter().map(|case| case.asked);
    let tested = sales.chain(reversals).chain(asking::HANDSHAKES.iter().map(|(asked, _)| *asked));
    assert_eq!(known, tested.map(|asked| named(asked).fault.row().name).collect());
}
