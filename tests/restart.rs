//! A till that restarts: the answer about a stored attempt depends on the identity of the journal with which the
//! attempt was made. Each answer is compared with the gateway's ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, POOR_MEMBER, Simulator, reversing, until};

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

/// Removes the file, as a new installation would.
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
fn accepting_a_loss_gives_the_journal_a_new_identity() {
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
    // An older copy under the newer watermark: records are lost. (Over an older copy alone the WAL would write them again.)
    fs::copy(beside(&config, ".old"), journal(&config)).unwrap();
    for what in ["-wal", "-shm"] {
        fs::remove_file(beside(&config, what)).unwrap();
    }
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert!(answer.warns("ZV-W-JOURNAL") && answer.data()["journal_id"].is_null(), "{}", answer.text);
    till.consume(&sale("T1-3")).expect("internal", "ZV-JOURNAL-BEHIND");
    look_up(&mut till, "T1-2", &id).expect("internal", "ZV-JOURNAL-BEHIND");
    drop(till);
    fs::remove_file(beside(&config, ".mark")).unwrap();

    let (mut till, now) = started(&config);
    assert_ne!(now, id, "what it said of the lost ones was said by another");
    // Taken, and its record is lost.
    let answer = look_up(&mut till, "T1-2", &id).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(answer.json["next"], "wait", "{}", answer.text);
    till.consume(&with(sale("T1-2"), "journal_id", &id)).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(simulator.net("T1-2"), 1);
    // A recorded sale may have been given back by a lost record; a bizId that was never attempted continues.
    let answer = look_up(&mut till, "T1-1", &id).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(answer.json["recorded"]["stage"], "succeeded", "{}", answer.text);
    look_up(&mut till, "T1-1", &now).succeeded();
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
    assert_eq!((&answer.json["next"], &answer.json["retry_after_ms"]), (&json!("retry"), &json!(0)));
    assert!(answer.json["cashier"].as_str().unwrap().contains("未扣款"), "{}", answer.text);
    till.consume(&with(sale("T1-1"), "journal_id", &id)).succeeded();
    look_up(&mut till, "T1-1", &id).succeeded();
    assert_eq!(simulator.net("T1-1"), 1);
}

#[test]
fn another_journal_sends_nothing_and_claims_nothing_unknown() {
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
    // That call recorded nothing either: the right identity is still accepted.
    till.consume(&with(sale("T1-2"), "journal_id", &now)).succeeded();
    let answer = look_up(&mut till, "T1-2", &id).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(answer.json["recorded"]["stage"], "succeeded", "{}", answer.text);
    // The recorded sale is given back all the same.
    till.reverse(&json!({"bizId": "T1-2", "journal_id": id})).expect("reversed", "ZV-REVERSED");
    assert_eq!(simulator.net("T1-2"), 0);
}

#[test]
fn without_the_identity_the_answer_names_the_missing_field() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, _) = started(&config);
    let answer = till.look_up("T1-1").expect("invalid", "ZV-NOT-FOUND");
    assert_eq!(answer.errors(), ["journal_id"]);
    for wrong in [json!({"bizId": "T1-1", "journal_id": 5}), json!({"bizId": "T1-1", "journal_id": {}})] {
        let answer = till.ask(&format!("lookup {wrong}"));
        assert_ne!(answer.outcome(), "not_sent", "{}", answer.text);
    }
    // An empty journal_id counts as not given, and is not sent to the gateway.
    let answer = till.consume(&with(sale("T1-2"), "journal_id", "")).succeeded();
    assert!(!answer.text.contains("journal_id"), "{}", answer.text);
}

/// A bizId that this journal has under another endpoint may have been taken there.
#[test]
fn a_biz_id_of_another_account_is_not_reported_as_never_sent() {
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

/// A version before identities existed left a file without one.
#[test]
fn an_older_journal_gets_an_identity_and_keeps_it() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    fs::copy(support::root().join("tests/fixtures/journal-v1.db"), journal(&config)).unwrap();
    let (till, id) = started(&config);
    drop(till);
    assert_eq!(started(&config).1, id);
}

/// The till dies while its sale is on its way to a gateway that takes it.
fn dies_while_sending(simulator: &Simulator, config: &Value, biz_id: &str) {
    let mut till = Driver::started(config);
    till.begin(&format!("consume {}", sale(biz_id)));
    until("it is taken", || simulator.net(biz_id) == 1);
    till.kill();
}

/// The recovery thread is not started, so that only the start itself can have done it.
#[test]
fn a_start_reports_the_sales_of_a_dead_process() {
    let simulator = Simulator::start();
    for (on_unknown, next) in [("reverse", "other_tender"), ("hold", "wait")] {
        let config = reversing(&simulator.v2(), json!({"background": false, "on_unknown": on_unknown}));
        let ids = [1, 2, 3].map(|number| format!("T1-{on_unknown}-{number}~hang_after"));
        for id in &ids {
            dies_while_sending(&simulator, &config, id);
        }
        let before = simulator.requests();
        let mut till = Driver::new();
        let answer = till.init(&config).succeeded();
        assert!(answer.took < Duration::from_secs(3), "{:?}", answer.took);
        assert_eq!(simulator.requests(), before, "without the network");
        let pending = till.pending(None);
        for entry in pending.data()["entries"].as_array().unwrap() {
            assert_ne!(entry["entry"]["stage"], "sending", "{}", pending.text);
            // All of them by one change each.
            assert_ne!(entry["next"], "running", "{}", pending.text);
        }
        for id in &ids {
            let answer = till.look_up(id).expect("unknown", "ZV-ABANDONED");
            assert_eq!(answer.json["next"], next, "{}", answer.text);
            assert!(!answer.text.contains("still running"), "{}", answer.text);
        }
    }
}

/// A running process also notices the death of another one at once.
#[test]
fn a_look_up_reports_the_sales_of_another_process() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false, "on_unknown": "hold"}));
    let mut till = Driver::started(&config);
    for (number, then) in ["lookup", "settle", "reverse", "confirm"].into_iter().enumerate() {
        let id = format!("T1-{number}~hang_after");
        dies_while_sending(&simulator, &config, &id);
        match then {
            "lookup" => drop(till.look_up(&id).expect("unknown", "ZV-ABANDONED")),
            "settle" => {
                let settled = json!({"bizId": id, "as": "kept", "by": "Li", "reason": "paid"});
                till.settle(&settled).succeeded();
            }
            "reverse" => drop(till.reverse(&json!({"bizId": id})).outcome().to_owned()),
            _ => drop(till.confirm(&id).expect("invalid", "ZV-NOT-CONFIRMED")),
        }
        let answer = till.look_up(&id);
        assert_ne!(answer.code(), "ZV-BUSY", "{then}: {}", answer.text);
    }
}

/// Another program keeps the journal locked for as long as it runs.
fn holds_the_journal(config: &Value) -> std::process::Child {
    let script = "import sqlite3, sys, time\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        c.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\ntime.sleep(60)";
    let mut child = Command::new("python3")
        .args(["-c", script, config["journal"].as_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    assert_eq!(line.trim(), "held");
    child
}

#[test]
fn an_outcome_that_could_not_be_recorded_is_not_reported_as_running() {
    let simulator = Simulator::start();
    let timeouts = json!({"connect": 300, "total": 4000});
    let config = reversing(&simulator.v2(), json!({"background": false, "timeouts_ms": timeouts}));
    let mut till = Driver::started(&config);
    let id = "T1-1~hang_after";
    till.begin(&format!("consume {}", sale(id)));
    until("it is taken", || simulator.net(id) == 1);
    let mut holder = holds_the_journal(&config);
    let answer = till.finish();
    assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    let answer = till.look_up(id);
    assert_eq!((answer.outcome(), answer.code()), ("unknown", "ZV-ABANDONED"), "{}", answer.text);
    assert_eq!(answer.json["next"], "wait", "no reversal of it is on disk: {}", answer.text);
    assert!(!answer.text.contains("running"), "{}", answer.text);
    holder.kill().unwrap();
    holder.wait().unwrap();
    let answer = till.look_up(id).expect("unknown", "ZV-ABANDONED");
    assert_eq!(answer.json["next"], "other_tender", "now it is: {}", answer.text);
    until("it is reversed", || {
        till.recover().outcome() == "succeeded" && till.look_up(id).outcome() == "reversed"
    });
    assert_eq!(simulator.net(id), 0);
}

#[test]
fn after_declined_another_sum_goes_under_a_new_biz_id() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator));
    let poor =
        |biz_id: &str, amount: &str| json!({"bizId": biz_id, "customerId": POOR_MEMBER, "amount": amount});
    till.consume(&poor("T1-1", "500.00")).expect("declined", "910001");
    let before = simulator.requests();
    for other in [
        poor("T1-1", "0.50"),
        sale("T1-1"),
        json!({"bizId": "T1-1", "customerId": POOR_MEMBER, "amount": "x"}),
    ] {
        let answer = till.consume(&other).expect("conflict", "ZV-NEW-BIZID");
        assert_eq!(answer.json["next"], "new_bizid");
        assert_eq!(answer.json["cashier"], "未扣款，请用新单号重新收款");
        assert_eq!(answer.json["recorded"]["request"]["amount"], "500.00");
    }
    assert_eq!(simulator.requests(), before, "nothing was sent");
    // The same request may be sent again, under the same bizId.
    till.consume(&poor("T1-1", "500.00")).expect("declined", "910001");
    till.consume(&poor("T1-2", "0.50")).succeeded();
    // A sale that was taken is different.
    let answer = till.consume(&poor("T1-2", "0.40")).expect("conflict", "ZV-CONFLICT");
    assert_eq!(answer.json["next"], "lookup");
}

#[test]
fn only_a_biz_id_under_which_no_byte_left_is_free() {
    let simulator = Simulator::start();
    let poor = |amount: &str| json!({"bizId": "T1-1", "customerId": POOR_MEMBER, "amount": amount});
    // Nothing listens at this address, and the journal's key is the one that the till will have there later.
    let closed = Simulator::start();
    let config = reversing(&closed.v2(), json!({}));
    let mut till = Driver::started(&config);
    drop(closed);
    assert_eq!(till.consume(&poor("500.00")).outcome(), "not_sent");
    assert_eq!(till.consume(&poor("600.00")).outcome(), "not_sent", "no byte of the first one left");
    let answer = till.consume(&poor("1.5.5")).expect("invalid", "ZV-REQUEST");
    assert_eq!(answer.errors(), ["amount"], "it is repaired and sent");
    drop(till);

    // Sent and refused, then not sent.
    let address = simulator.v2();
    let mut till = Driver::started(&reversing(&address, json!({})));
    till.consume(&poor("500.00")).expect("declined", "910001");
    drop(simulator);
    assert_eq!(till.consume(&poor("500.00")).outcome(), "not_sent");
    till.consume(&poor("1.00")).expect("conflict", "ZV-NEW-BIZID");
}

/// The till has stored its attempt and died before sending it; the cashier cancels the sale instead of retrying.
#[test]
fn an_attempt_that_was_never_sent_can_be_voided() {
    let simulator = Simulator::start();
    let config = config(&simulator);
    let (mut till, id) = started(&config);
    let void = |biz_id: &str, id: &str| json!({"bizId": biz_id, "journal_id": id});
    let before = simulator.requests();
    for answer in [till.reverse(&void("T1-1", &id)), look_up(&mut till, "T1-1", &id), till.look_up("T1-1")] {
        let answer = answer.expect("reversed", "ZV-VOIDED");
        assert_eq!(answer.json["cashier"], "该单未扣款，已作废");
        assert_eq!(answer.json["recorded"]["reversal"]["voided"], "not_sent", "{}", answer.text);
        assert!(!answer.json["message"].as_str().unwrap().contains(';'), "{}", answer.text);
    }
    till.consume(&with(sale("T1-1"), "journal_id", &id)).expect("conflict", "ZV-CONFLICT");
    assert_eq!((simulator.requests(), simulator.net("T1-1")), (before, 0));
    // It is not a sale, and nothing is open.
    let listed = till.pending(Some(&json!({"day": "today"}))).succeeded();
    assert_eq!(listed.data()["entries"][0]["kinds"], json!(["nothing"]), "{}", listed.text);
    assert_eq!(till.pending(None).data()["count"], 0);
    // Another identity proves nothing, and without one the answer names the missing fields.
    let other = "0123456789abcdef0123456789abcdef";
    let unknown = till.reverse(&void("T1-2", other)).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(unknown.json["next"], "wait");
    let missing = till.reverse(&json!({"bizId": "T1-2"})).expect("invalid", "ZV-REQUEST");
    assert_eq!(missing.errors(), ["returnedBizId"]);
    assert!(missing.json["message"].as_str().unwrap().contains("journal_id"), "{}", missing.text);
    look_up(&mut till, "T1-2", &id).expect("not_sent", "ZV-NEVER-SENT");
    // A later attempt of a refused sale may be in the other journal.
    let poor = json!({"bizId": "T1-3", "customerId": POOR_MEMBER, "amount": "500.00"});
    till.consume(&poor).expect("declined", "910001");
    till.reverse(&void("T1-3", other)).expect("unknown", "ZV-OTHER-JOURNAL");
    till.reverse(&void("T1-3", &id)).expect("reversed", "ZV-VOIDED");
    // With the bizId from its answer, it was sent: whatever the identity, it is another till's sale.
    till.consume(&sale("T1-4")).succeeded();
    let mut another = started(&self::config(&simulator)).0;
    let given = json!({"bizId": "T1-4", "returnedBizId": "T1-4", "customerId": MEMBER, "journal_id": id});
    another.reverse(&given).expect("reversed", "ZV-REVERSED");
    assert_eq!(simulator.net("T1-4"), 0);
}

#[test]
fn a_void_needs_no_reverse_route() {
    let simulator = Simulator::start();
    let (mut till, id) = started(&support::config(&simulator.v2(), json!({})));
    till.reverse(&json!({"bizId": "T1-1", "journal_id": id})).expect("reversed", "ZV-VOIDED");
    till.consume(&sale("T1-2")).succeeded();
    let none = till.reverse(&json!({"bizId": "T1-2"})).expect("invalid", "ZV-NO-REVERSE");
    assert_eq!(none.json["cashier"], "本店未开通退款，请联系店长");
}
