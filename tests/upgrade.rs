//! A journal of the first format, written by the version that used it, with every kind of unsettled entry: every
//! later version opens it, reads it, and settles it.
//!
//! `cargo test -p zvpos --test upgrade -- --ignored` writes it again. That is for a new format, in a separate file:
//! the old files stay unchanged.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::{Driver, MEMBER, POOR_MEMBER, Simulator, own_folder, reversing, root, until};

/// The endpoint is part of the journal's key, so it never changes; outside the ports that a system assigns.
const ADDRESS: &str = "127.0.0.1:18987";

const SENDING: &str = "F-sending~hang_after";
const REVERSING: &str = "F-reversing~reset_after";

fn fixture() -> PathBuf {
    root().join("tests/fixtures/journal-v1.db")
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

fn biz_id(biz_id: &str) -> Value {
    json!({"bizId": biz_id})
}

#[test]
fn a_journal_of_the_first_format_is_known_and_settled() {
    let simulator = Simulator::at(ADDRESS);
    // The gateway's deductions when the journal was left.
    let mut past = Driver::started(&reversing(&simulator.v2(), json!({"background": false})));
    for biz_id in ["F-done", "F-refused", "F-kept", "F-unheard", SENDING, REVERSING] {
        past.consume(&sale(biz_id));
        assert_eq!(simulator.net(biz_id), 1, "{biz_id}");
    }
    drop(past);
    let before = simulator.requests();

    let mut config = reversing(&simulator.v2(), json!({}));
    let journal = own_folder().join("journal.db");
    fs::copy(fixture(), &journal).unwrap();
    config["journal"] = json!(journal);
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert_eq!(answer.data()["journal"], config["journal"], "{}", answer.text);
    assert_eq!(answer.data()["unacknowledged"], json!(["F-unheard"]));
    assert_eq!(answer.data()["unsettled"], 3);

    for (id, outcome, code) in [
        ("F-done", "succeeded", "0"),
        ("F-declined", "declined", "910001"),
        ("F-reversed", "reversed", "ZV-REVERSED"),
        ("F-refused", "unknown", "ZV-REFUSED"),
        ("F-kept", "succeeded", "ZV-SETTLED"),
        ("F-unheard", "succeeded", "0"),
    ] {
        till.look_up(id).expect(outcome, code);
    }
    let again = till.consume(&sale("F-done")).succeeded();
    assert_eq!(
        (&again.json["replayed"], &again.data()["change_recharge_amount"]),
        (&json!(true), &json!("1.00"))
    );
    till.consume(&json!({"bizId": "F-done", "customerId": MEMBER, "amount": "2.00"}))
        .expect("conflict", "ZV-CONFLICT");
    assert_eq!(till.look_up("F-kept").json["recorded"]["settlement"]["by"], "Li");

    for biz_id in [SENDING, REVERSING] {
        until(&format!("{biz_id} is reversed"), || till.look_up(biz_id).outcome() == "reversed");
        assert_eq!(simulator.net(biz_id), 0);
    }
    till.reverse(&biz_id("F-refused")).expect("reversed", "ZV-REVERSED");
    assert_eq!(simulator.net("F-refused"), 0);
    assert_eq!((simulator.net("F-done"), simulator.net("F-kept"), simulator.net("F-unheard")), (1, 1, 1));
    assert_eq!(till.pending(None).succeeded().data()["count"], 0);
    assert!(simulator.requests() > before);
}

#[test]
#[ignore = "writes the fixture of the format that is current"]
fn write_the_fixture() {
    let simulator = Simulator::at(ADDRESS);
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("F-done")).succeeded();
    till.consume(&json!({"bizId": "F-declined", "customerId": POOR_MEMBER, "amount": "500.00"}))
        .expect("declined", "910001");
    till.consume(&sale("F-reversed")).succeeded();
    till.reverse(&biz_id("F-reversed")).expect("reversed", "ZV-REVERSED");
    till.consume(&sale("F-refused")).succeeded();
    till.consume(&sale("F-kept")).succeeded();
    simulator.admin("PUT", "/policy", &json!({"refuse_reversals": true}));
    till.reverse(&biz_id("F-refused")).expect("conflict", "ZV-REFUSED");
    till.reverse(&biz_id("F-kept")).expect("conflict", "ZV-REFUSED");
    simulator.admin("PUT", "/policy", &json!({}));
    till.settle(&json!({"bizId": "F-kept", "as": "kept", "by": "Li", "reason": "paid"})).succeeded();
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    till.consume(&sale(REVERSING)).expect("unknown", "ZV-LOST");
    till.consume(&sale("F-unheard")).succeeded();
    let mut other = Driver::started(&config);
    let before = simulator.requests();
    other.begin(&format!("consume {}", sale(SENDING)));
    until("it is sent", || simulator.net(SENDING) == 1 && simulator.requests() > before);
    other.kill();
    till.kill();
    let journal = config["journal"].as_str().unwrap();
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\
        c.execute('PRAGMA wal_checkpoint(TRUNCATE)')\nc.close()";
    assert!(Command::new("python3").args(["-c", script, journal]).status().unwrap().success());
    fs::create_dir_all(fixture().parent().unwrap()).unwrap();
    fs::copy(journal, fixture()).unwrap();
}
