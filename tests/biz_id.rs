//! BizIds that the library makes, through the C ABI: no two agree, and each names the journal of its attempt.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Driver, MEMBER, Simulator, reversing};

fn made(till: &mut Driver) -> String {
    till.biz_id().succeeded().json["bizId"].as_str().unwrap().to_owned()
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

#[test]
fn no_two_agree_over_tills_and_restarts_and_those_of_a_till_sort_by_time() {
    let simulator = Simulator::start();
    let shared = reversing(&simulator.v2(), json!({}));
    let mut tills = [&shared, &shared, &reversing(&simulator.v2(), json!({}))].map(Driver::started);
    let mut all = BTreeSet::new();
    for restarted in [true, false] {
        for till in &mut tills {
            let of_this: Vec<String> = (0..300).map(|_| made(till)).collect();
            assert!(of_this.is_sorted(), "{of_this:?}");
            all.extend(of_this);
            if restarted {
                till.shutdown().succeeded();
            }
        }
        if restarted {
            tills[0].init(&shared).succeeded();
            tills[1].init(&shared).succeeded();
            tills[2].init(&reversing(&simulator.v2(), json!({}))).succeeded();
        }
    }
    assert_eq!(all.len(), 2 * 3 * 300);
}

/// What a till does after a restart, with the bizId alone.
#[test]
fn a_look_up_needs_nothing_else() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    let (paid, stored_only, never_sent) = (made(&mut till), made(&mut till), made(&mut till));
    let answer = till.consume(&sale(&paid)).succeeded();
    assert_eq!(answer.json["bizId"], json!(paid));
    till.shutdown().succeeded();
    till.init(&config).succeeded();
    till.look_up(&paid).succeeded();
    let answer = till.look_up(&stored_only).expect("not_sent", "ZV-NEVER-SENT");
    assert_eq!(answer.json["next"], "retry");
    till.consume(&sale(&stored_only)).succeeded();
    // One that was never sent is voided by the bizId alone, and can no longer be taken.
    till.reverse(&json!({"bizId": never_sent})).expect("reversed", "ZV-VOIDED");
    assert_eq!(till.consume(&sale(&never_sent)).outcome(), "conflict");
    // A mistyped one is none that was never sent.
    let mistyped = format!("{}{}", &paid[..20], if &paid[20..21] == "0" { "1" } else { "0" }) + &paid[21..];
    till.look_up(&mistyped).expect("invalid", "ZV-NOT-FOUND");
    assert_eq!(simulator.net(&paid), 1);
    assert_eq!(simulator.net(&never_sent), 0);
}

#[test]
fn another_journal_proves_nothing_about_it_and_sends_nothing() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    let mut other = Driver::started(&reversing(&simulator.v2(), json!({})));
    let biz_id = made(&mut till);
    other.look_up(&biz_id).expect("unknown", "ZV-OTHER-JOURNAL");
    other.consume(&sale(&biz_id)).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(simulator.net(&biz_id), 0);
    till.consume(&sale(&biz_id)).succeeded();
    assert_eq!(simulator.net(&biz_id), 1);
}

#[test]
fn none_is_made_without_a_journal_or_a_library() {
    let simulator = Simulator::start();
    let mut till = Driver::new();
    till.biz_id().expect("invalid", "ZV-NOT-INIT");
    let mut config = reversing(&simulator.v2(), json!({}));
    config["journal"] = json!("/dev/null/journal.db");
    till.init(&config).succeeded();
    assert_eq!(till.biz_id().expect("internal", "ZV-JOURNAL-PLACE").json["bizId"], Value::Null);
}
