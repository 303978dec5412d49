//! Eight threads of one till, quotes and consumes mixed: each answer belongs to its request, and each is true.
//! `tests/tsan.sh` runs the same program under `ThreadSanitizer`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::HashMap;

use serde_json::Value;
use support::{Checked, Flavour, Simulator, run};

#[test]
fn each_answer_belongs_to_its_request() {
    let simulator = Simulator::start();
    let output = run("threads", Flavour::Plain, Checked::Leaks, &[&simulator.v2(), "300"]);
    assert!(output.code == Some(0) && output.stderr.is_empty(), "{:?} {}", output.code, output.stderr);
    let ledger = simulator.admin("GET", "/ledger", &Value::Null);
    let net: HashMap<&str, i64> = ledger
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["bizId"].as_str().unwrap(), entry["net"].as_i64().unwrap()))
        .collect();
    let (mut succeeded, mut unknown) = (0, 0);
    for line in output.stdout.lines() {
        let (biz_id, outcome) = line.split_once(' ').unwrap();
        match outcome {
            "0" => succeeded += 1,
            "4" if biz_id.ends_with("~reset_after") => unknown += 1,
            _ => panic!("{line}"),
        }
        assert_eq!(net.get(biz_id), Some(&1), "{line}");
    }
    assert_eq!((succeeded + unknown, net.len()), (1200, 1200));
    assert!(unknown > 0);
}

#[test]
fn no_memory_error_among_threads() {
    for flavour in [Flavour::Sanitized, Flavour::Valgrind] {
        let simulator = Simulator::start();
        let output = run("threads", flavour, Checked::Leaks, &[&simulator.v2(), "20"]);
        assert!(
            output.code == Some(0) && output.stderr.is_empty(),
            "{flavour:?} {:?} {}",
            output.code,
            output.stderr
        );
    }
}
