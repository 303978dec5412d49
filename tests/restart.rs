//! A till that starts again: what it is told of an attempt that it has stored hangs on the identity of the journal with
//! which it made the attempt. Each word is held against the gateway's ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, Simulator, reversing};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

fn with(mut request: Value, name: &str, value: &str) -> Value {
    request[name] = json!(value);
    request
}

fn look_up(till: &mut Driver, biz_id: &str, journal_id: &str) -> Answer {
    till.ask(&format!("lookup {}", json!({"bizId": biz_id, "journal_id": journal_id})))
}

fn config(simulator: &Simulator) -> Value {
    reversing(&simulator.v2(), json!({}))
}

fn journal(config: &Value) -> PathBuf {
    PathBuf::from(config["journal"].as_str().unwrap())
}

fn beside(config: &Value, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", journal(config).display()))
}

/// A till that has started, and the identity of its journal.
fn started(config: &Value) -> (Driver, String) {
    let mut till = Driver::new();
    let answer = till.init(config).succeeded();
    let id = answer.data()["journal_id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    (till, id)
}

/// The file is gone, as after a new installation.
fn remove_journal(config: &Value) {
    for end in ["", "-wal", "-shm", ".mark"] {
        let _ = fs::remove_file(beside(config, end));
    }
}

#[test]
fn the_identity_is_the_files_own_and_stays() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, id) = started(&config);
    assert!(id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(till.init(&config).data()["journal_id"], json!(id), "already started");
    assert_eq!(till.pending(None).data()["journal_id"], json!(id));
    till.consume(&sale("T1-1")).succeeded();
    let (_other, same) = started(&config);
    assert_eq!(same, id, "another process of the same journal");
    till.kill();
    assert_eq!(started(&config).1, id, "after a crash");
    assert_ne!(started(&self::config(&simulator)).1, id, "another journal");
    remove_journal(&config);
    assert_ne!(started(&config).1, id, "the file is new");
}

#[test]
fn a_loss_that_a_person_accepts_makes_another_journal_of_it() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, id) = started(&config);
    till.consume(&sale("T1-1")).succeeded();
    till.shutdown().succeeded();
    drop(till);
    fs::copy(journal(&config), beside(&config, ".old")).unwrap();
    let (mut till, same) = started(&config);
    assert_eq!(same, id);
    till.consume(&sale("T1-2")).succeeded();
    till.shutdown().succeeded();
    drop(till);
    // An older copy under the newer mark: records are lost.
    fs::copy(beside(&config, ".old"), journal(&config)).unwrap();
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert!(answer.warns("ZV-W-JOURNAL") && answer.data()["journal_id"].is_null(), "{}", answer.text);
    till.consume(&sale("T1-3")).expect("internal", "ZV-JOURNAL-BEHIND");
    look_up(&mut till, "T1-2", &id).expect("internal", "ZV-JOURNAL-BEHIND");
    drop(till);
    fs::remove_file(beside(&config, ".mark")).unwrap();

    let (mut till, now) = started(&config);
    assert_ne!(now, id, "what it said of the lost ones was said by another");
    // Taken, and the record of it is lost.
    let answer = look_up(&mut till, "T1-2", &id).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(answer.json["next"], "wait", "{}", answer.text);
    till.consume(&with(sale("T1-2"), "journal_id", &id)).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(simulator.net("T1-2"), 1);
    // What stands is still told, and what was never attempted before goes on.
    look_up(&mut till, "T1-1", &id).succeeded();
    till.consume(&with(sale("T1-4"), "journal_id", &now)).succeeded();
    drop(till);
    assert_eq!(started(&config).1, now, "accepted once");
}

#[test]
fn between_storing_and_sending() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (till, id) = started(&config);
    till.kill();
    let (mut till, _) = started(&config);
    let answer = look_up(&mut till, "T1-1", &id).expect("not_sent", "ZV-NEVER-SENT");
    assert_eq!(answer.json["next"], "retry");
    assert!(answer.json["cashier"].as_str().unwrap().contains("未扣款"), "{}", answer.text);
    till.consume(&with(sale("T1-1"), "journal_id", &id)).succeeded();
    look_up(&mut till, "T1-1", &id).succeeded();
    assert_eq!(simulator.net("T1-1"), 1);
}

#[test]
fn another_journal_sends_nothing_and_says_nothing_that_it_cannot_know() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, id) = started(&config);
    till.consume(&sale("T1-1")).succeeded();
    drop(till);
    remove_journal(&config);
    let (mut till, now) = started(&config);
    let before = simulator.requests();
    for answer in [look_up(&mut till, "T1-1", &id), till.consume(&with(sale("T1-1"), "journal_id", &id))] {
        let answer = answer.expect("unknown", "ZV-OTHER-JOURNAL");
        assert_eq!(answer.json["next"], "wait");
        let cashier = answer.json["cashier"].as_str().unwrap();
        assert!(!cashier.contains("未扣款") && cashier.contains("店长"), "{cashier}");
    }
    assert_eq!((simulator.requests(), simulator.net("T1-1")), (before, 1), "nothing was sent");
    // Nothing was recorded by it either: the right identity still goes.
    till.consume(&with(sale("T1-2"), "journal_id", &now)).succeeded();
    assert_eq!(look_up(&mut till, "T1-2", &id).succeeded().json["recorded"]["stage"], "succeeded");
}

#[test]
fn without_the_identity_nothing_is_said_and_the_field_is_named() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, _) = started(&config);
    let answer = till.look_up("T1-1").expect("invalid", "ZV-NOT-FOUND");
    assert_eq!(answer.errors(), ["journal_id"]);
    for wrong in [json!({"bizId": "T1-1", "journal_id": 5}), json!({"bizId": "T1-1", "journal_id": {}})] {
        let answer = till.ask(&format!("lookup {wrong}"));
        assert_ne!(answer.outcome(), "not_sent", "{}", answer.text);
    }
    // What is not sent is not sent to the gateway either.
    let answer = till.consume(&with(sale("T1-2"), "journal_id", "")).succeeded();
    assert!(!answer.text.contains("journal_id"), "{}", answer.text);
}

/// A bizId that stands in this journal under another endpoint may have been taken there.
#[test]
fn what_stands_under_another_account_was_not_never_sent() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, id) = started(&config);
    till.consume(&sale("T1-1")).succeeded();
    drop(till);
    let mut other = reversing(&simulator.v2(), json!({"openId": "another-open-id-for-test-only-02"}));
    other["journal"] = config["journal"].clone();
    let (mut till, same) = started(&other);
    assert_eq!(same, id);
    let answer = look_up(&mut till, "T1-1", &id).expect("unknown", "ZV-OTHER-JOURNAL");
    assert!(answer.json["message"].as_str().unwrap().contains("account"), "{}", answer.text);
    look_up(&mut till, "T1-2", &id).expect("not_sent", "ZV-NEVER-SENT");
}

/// A version before the identity has left the file without one.
#[test]
fn a_journal_from_before_gets_one_and_keeps_it() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    fs::copy(support::root().join("tests/fixtures/journal-v1.db"), journal(&config)).unwrap();
    let (till, id) = started(&config);
    drop(till);
    assert_eq!(started(&config).1, id);
}
