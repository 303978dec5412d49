//! A journal that cannot be written: its disk is full or read-only, or another program locks it, from the start or
//! while a consume runs. Money calls stop with a clear answer, quotes continue, and everything continues once it can
//! be written again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Driver, Holder, MEMBER, Mounted, Simulator, beside, quotes_go_on, reversing, system, until};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "0.01"})
}

#[test]
fn on_a_full_disk_nothing_is_sent_until_there_is_room() {
    let simulator = Simulator::start();
    let disk = Mounted::small("400k");
    let mut till = Driver::started(&disk.config(&simulator, json!({})));
    till.consume(&sale("T1")).succeeded();
    disk.fill();
    let before = simulator.requests();
    let mut full = 0;
    for number in 0..20 {
        let biz_id = format!("F{number}");
        let answer = till.consume(&sale(&biz_id));
        // There may be room in pages that are already allocated.
        if answer.outcome() == "internal" {
            answer.expect("internal", "ZV-JOURNAL-FULL");
            assert_eq!(simulator.net(&biz_id), 0);
            full += 1;
        } else {
            assert!(matches!(answer.outcome(), "succeeded" | "unknown"), "{}", answer.text);
        }
    }
    assert!(full > 0);
    assert_eq!(simulator.requests(), before + 20 - full);
    quotes_go_on(&mut till);
    disk.free();
    till.consume(&sale("T2")).succeeded();
    till.consume(&sale("F19")).succeeded();
    assert_eq!((simulator.net("T2"), simulator.net("F19")), (1, 1));
}

/// Sells until the WAL has used the room that it had; then each record needs more of the disk.
fn use_up_the_wal(till: &mut Driver, config: &Value) {
    let length = || fs::metadata(beside(&config["journal"], "-wal")).unwrap().len();
    let before = length();
    let mut sales = 0..;
    while length() == before {
        till.consume(&sale(&format!("U{}", sales.next().unwrap()))).succeeded();
    }
}

#[test]
fn a_disk_that_fills_up_during_a_consume_does_not_prevent_its_reversal() {
    let simulator = Simulator::start();
    let disk = Mounted::small("600k");
    let config = disk.config(&simulator, json!({}));
    let mut till = Driver::started(&config);
    use_up_the_wal(&mut till, &config);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T2~late_answer:400")));
    until("the consume runs", || simulator.requests() > before);
    // Removes the reserved room, too.
    fs::remove_file(disk.0.join("journal.db.ballast")).unwrap();
    disk.fill();
    let answer = till.finish();
    assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    quotes_go_on(&mut till);
    disk.free();
    until("it is undone", || simulator.net("T2~late_answer:400") == 0);
    until("the journal says so", || till.look_up("T2~late_answer:400").outcome() == "reversed");
}

#[test]
fn on_a_disk_that_is_full_at_the_start_money_calls_stop() {
    let simulator = Simulator::start();
    let disk = Mounted::small("400k");
    disk.fill();
    let mut till = Driver::new();
    let answer = till.init(&disk.config(&simulator, json!({}))).succeeded();
    assert!(answer.warns("ZV-W-JOURNAL"), "{}", answer.text);
    till.consume(&sale("T1")).expect("internal", "ZV-JOURNAL-FULL");
    assert_eq!(simulator.requests(), 0);
    quotes_go_on(&mut till);
}

#[test]
fn on_a_read_only_disk_money_calls_stop() {
    let simulator = Simulator::start();
    let disk = Mounted::small("2m");
    let config = disk.config(&simulator, json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    drop(till);
    system("mount", &["-o", "remount,ro", disk.0.to_str().unwrap()]);
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert!(answer.warns("ZV-W-JOURNAL"), "{}", answer.text);
    let before = simulator.requests();
    till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-READ-ONLY");
    assert_eq!(simulator.requests(), before);
    quotes_go_on(&mut till);
    drop(till);
    system("mount", &["-o", "remount,rw", disk.0.to_str().unwrap()]);
    Driver::started(&config).look_up("T1").succeeded();
}

const BALLAST: u64 = 64 * 1024;

/// The gateway has confirmed when the disk is full: the till is told, since room was reserved for that.
#[test]
fn a_disk_that_fills_up_during_a_consume_has_room_for_its_outcome() {
    let simulator = Simulator::start();
    let disk = Mounted::small("600k");
    let config = disk.config(&simulator, json!({}));
    let ballast = beside(&config["journal"], ".ballast");
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    use_up_the_wal(&mut till, &config);
    assert_eq!(fs::metadata(&ballast).unwrap().len(), BALLAST);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T2~late_answer:400")));
    until("the consume runs", || simulator.requests() > before);
    disk.fill();
    till.finish().succeeded();
    till.look_up("T2~late_answer:400").succeeded();
    assert!(!ballast.exists(), "where did the room come from?");
    // The rest of the reserve is for outcomes, not for a new intent.
    let before = simulator.requests();
    till.consume(&sale("T3")).expect("internal", "ZV-JOURNAL-FULL");
    let mut other = Driver::started(&config);
    other.consume(&sale("T3")).expect("internal", "ZV-JOURNAL-FULL");
    assert_eq!(simulator.requests(), before);
    // A recorded sale is still reported.
    assert_eq!(till.consume(&sale("T1")).succeeded().json["replayed"], true);
    disk.free();
    till.consume(&sale("T3")).succeeded();
    assert_eq!(fs::metadata(&ballast).unwrap().len(), BALLAST);
    assert_eq!((simulator.net("T2~late_answer:400"), simulator.net("T3")), (1, 1));
}

/// A running till recreates the ballast that another one has used, before it sends.
#[test]
fn without_its_ballast_no_intent_is_recorded() {
    let simulator = Simulator::start();
    let disk = Mounted::small("600k");
    let config = disk.config(&simulator, json!({}));
    let ballast = beside(&config["journal"], ".ballast");
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    use_up_the_wal(&mut till, &config);
    fs::remove_file(&ballast).unwrap();
    till.consume(&sale("T2")).succeeded();
    assert_eq!(fs::metadata(&ballast).unwrap().len(), BALLAST);
    // Room for half of it.
    disk.fill();
    fs::File::options().write(true).open(&ballast).unwrap().set_len(BALLAST / 2).unwrap();
    let before = simulator.requests();
    till.consume(&sale("T3")).expect("internal", "ZV-JOURNAL-FULL");
    assert_eq!(simulator.requests(), before);
}

#[test]
fn a_journal_locked_by_another_program_stops_money_until_it_is_released() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    let holder = Holder::take(&config["journal"]);
    let before = simulator.requests();
    till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-LOCKED");
    assert_eq!(simulator.requests(), before);
    // These calls write nothing.
    till.look_up("T1").succeeded();
    quotes_go_on(&mut till);
    holder.let_go();
    till.consume(&sale("T2")).succeeded();
    assert_eq!(simulator.net("T2"), 1);
}

/// Many calls wait for the journal together, and each ends at its own deadline, not one after the other.
#[test]
fn a_locked_journal_delays_no_call_beyond_its_deadline() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 700}}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    let holder = Holder::take(&config["journal"]);
    let begun = Instant::now();
    for answer in till.together(8, &format!("consume {}", sale("T2"))) {
        answer.expect("internal", "ZV-JOURNAL-LOCKED");
    }
    // Eight that wait in turn would need 5.6 s.
    assert!(begun.elapsed() < Duration::from_millis(3500), "{:?}", begun.elapsed());
    holder.let_go();
}

/// The records of dead tills wait for the journal together, within one call's time.
#[test]
fn a_locked_journal_delays_no_recovery_beyond_its_deadline() {
    let simulator = Simulator::start();
    let more = json!({"timeouts_ms": {"connect": 300, "total": 1000}, "background": false});
    let config = reversing(&simulator.v2(), more);
    for number in 0..6 {
        let mut dead = Driver::started(&config);
        let before = simulator.requests();
        dead.begin(&format!("consume {}", sale(&format!("T{number}~hang"))));
        until("the consume runs", || simulator.requests() > before);
        dead.kill();
    }
    let mut till = Driver::started(&config);
    let holder = Holder::take(&config["journal"]);
    // Six that wait in turn would need 6 s.
    let answer = till.recover();
    assert!(answer.took < Duration::from_millis(3500), "{:?} {}", answer.took, answer.text);
    holder.let_go();
    until("they are undone", || till.recover().data()["count"] == 0);
}

/// The outcome of a sale could not be recorded: it is in doubt, although its process runs, and blocks the same
/// member's next one.
#[test]
fn a_sale_whose_outcome_could_not_be_recorded_blocks_the_next() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false, "guard": "member"}));
    let mut till = Driver::started(&config);
    let mut holder = Holder::ready(&config["journal"]);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T1~late_answer:1500")));
    until("the consume runs", || simulator.requests() > before);
    holder.hold();
    let answer = till.finish().expect("unknown", "ZV-JOURNAL");
    assert!(answer.json["cashier"].as_str().unwrap().contains("结果未知"), "{}", answer.text);
    holder.let_go();
    till.consume(&sale("T2")).expect("not_sent", "ZV-IN-DOUBT");
    assert_eq!(simulator.net("T2"), 0);
    until("it is undone", || {
        till.recover().succeeded();
        till.look_up("T1~late_answer:1500").outcome() == "reversed"
    });
    till.consume(&sale("T2")).succeeded();
    assert_eq!((simulator.net("T1~late_answer:1500"), simulator.net("T2")), (0, 1));
}

#[test]
fn a_journal_locked_during_a_consume_does_not_prevent_its_reversal() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    let mut holder = Holder::ready(&config["journal"]);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T2~late_answer:1500")));
    until("the consume runs", || simulator.requests() > before);
    holder.hold();
    let answer = till.finish();
    assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    holder.let_go();
    until("it is undone", || simulator.net("T2~late_answer:1500") == 0);
    until("the journal says so", || till.look_up("T2~late_answer:1500").outcome() == "reversed");
}

#[test]
fn two_tills_that_compete_for_the_file_both_succeed() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    thread::scope(|scope| {
        for name in ["A", "B", "C"] {
            let config = &config;
            scope.spawn(move || {
                let mut till = Driver::started(config);
                for number in 0..20 {
                    till.consume(&sale(&format!("{name}{number}"))).succeeded();
                }
            });
        }
    });
    assert_eq!(simulator.requests(), 60);
}

const LATE: &str = "ZV-W-JOURNAL-LATE";

/// A till that died after its sale T1 succeeded, without recording that it was told.
fn unacknowledged(simulator: &Simulator, config: &Value) {
    let mut dead = Driver::started(config);
    dead.consume(&sale("T1")).succeeded();
    dead.kill();
    assert_eq!(simulator.net("T1"), 1);
}

/// After the journal opens, every answer warns until the sales that the start could not list are listed.
fn opened_late(till: &mut Driver, config: &Value) {
    let answer = till.look_up("T1").succeeded();
    assert!(answer.warns(LATE), "{}", answer.text);
    let answer = till.consume(&sale("T2")).succeeded();
    assert!(answer.warns(LATE), "{}", answer.text);
    // A list of one day leaves out the others.
    assert!(till.pending(Some(&json!({"day": "2026-01-01"}))).succeeded().warns(LATE));
    let again = till.init(config).succeeded();
    assert_eq!((&again.json["already"], &again.data()["journal"]), (&json!(true), &config["journal"]));
    assert!(!again.warns("ZV-W-JOURNAL") && again.warns(LATE), "{}", again.text);
    for answer in [till.pending(None), till.look_up("T2"), till.consume(&sale("T3"))] {
        assert!(!answer.warns(LATE), "{}", answer.text);
    }
}

#[test]
fn a_journal_that_was_locked_at_the_start_is_opened_by_itself() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    unacknowledged(&simulator, &config);
    let holder = Holder::take_alone(&config["journal"]);
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert!(answer.warns("ZV-W-JOURNAL") && answer.text.contains("ZV-JOURNAL-LOCKED"), "{}", answer.text);
    let before = simulator.requests();
    till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-LOCKED");
    assert_eq!(simulator.requests(), before);
    holder.let_go();
    until("it is open", || till.pending(Some(&json!({"day": "2026-01-01"}))).outcome() == "succeeded");
    let answer = till.look_up("T1").succeeded();
    assert!(answer.warns(LATE), "{}", answer.text);
    opened_late(&mut till, &config);
}

/// The list delivers the sale: it names it.
#[test]
fn what_was_unacknowledged_at_a_late_opening_is_listed() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    unacknowledged(&simulator, &config);
    let holder = Holder::take_alone(&config["journal"]);
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert_eq!(answer.data()["unacknowledged"], json!([]));
    till.recover().expect("internal", "ZV-JOURNAL-LOCKED");
    holder.let_go();
    till.recover().succeeded();
    let listed = till.pending(None).succeeded();
    assert_eq!(listed.data()["entries"][0]["entry"]["bizId"], "T1", "{}", listed.text);
    assert_eq!(listed.data()["entries"][0]["next"], "unacknowledged", "{}", listed.text);
}

/// Without a background thread the library tries at each money call, within that call's time.
#[test]
fn a_journal_that_was_locked_at_the_start_is_opened_by_a_money_call() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    unacknowledged(&simulator, &config);
    let holder = Holder::take_alone(&config["journal"]);
    let mut till = Driver::new();
    till.init(&config).succeeded();
    let answer = till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-LOCKED");
    assert!(answer.took < Duration::from_millis(2500), "{:?}", answer.took);
    holder.let_go();
    let answer = till.consume(&sale("T4")).succeeded();
    assert!(answer.warns(LATE), "{}", answer.text);
    opened_late(&mut till, &config);
}

#[test]
fn a_journal_on_a_disk_that_was_full_at_the_start_is_opened_by_itself() {
    let simulator = Simulator::start();
    let disk = Mounted::small("600k");
    disk.fill();
    let config = disk.config(&simulator, json!({}));
    let mut till = Driver::new();
    till.init(&config).succeeded();
    till.consume(&sale("T1")).expect("internal", "ZV-JOURNAL-FULL");
    disk.free();
    until("it is open", || till.consume(&sale("T1")).outcome() == "succeeded");
    opened_late(&mut till, &config);
}

#[test]
fn a_journal_on_a_disk_that_was_read_only_at_the_start_is_opened_by_itself() {
    let simulator = Simulator::start();
    let disk = Mounted::small("2m");
    let config = disk.config(&simulator, json!({}));
    unacknowledged(&simulator, &config);
    system("mount", &["-o", "remount,ro", disk.0.to_str().unwrap()]);
    let mut till = Driver::new();
    till.init(&config).succeeded();
    till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-READ-ONLY");
    system("mount", &["-o", "remount,rw", disk.0.to_str().unwrap()]);
    until("it is open", || till.look_up("T1").outcome() == "succeeded");
    opened_late(&mut till, &config);
}
