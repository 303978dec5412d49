//! A journal that differs from what the tills wrote: missing, restored, overwritten, of another format, damaged. None
//! of it is ever believed wrongly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use serde_json::{Value, json};
use support::{
    Driver, MEMBER, POOR_MEMBER, Random, Simulator, beside, python, quotes_go_on, reversing, seed, until,
};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "0.01"})
}

/// Checks that the journal is refused with this code: the start reports it, money calls stop and send nothing, quotes
/// continue.
fn refused(simulator: &Simulator, config: &Value, code: &str) {
    let mut till = Driver::new();
    let answer = till.init(config).succeeded();
    assert!(answer.warns("ZV-W-JOURNAL") && answer.text.contains(code), "{}", answer.text);
    assert!(answer.data()["journal"].is_null(), "{}", answer.text);
    let before = simulator.requests();
    let answer = till.consume(&sale("R1")).expect("internal", code);
    assert_eq!(answer.json["next"], "stop");
    till.reverse(&json!({"bizId": "R1"})).expect("internal", code);
    till.look_up("R1").expect("internal", code);
    till.pending(None).expect("internal", code);
    till.recover().expect("internal", code);
    assert_eq!((simulator.requests(), simulator.net("R1")), (before, 0));
    quotes_go_on(&mut till);
}

#[test]
fn a_missing_or_restored_journal_is_refused() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let journal = &config["journal"];
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    till.kill();
    let yesterday: Vec<_> =
        ["", "-wal"].map(|what| (what, fs::read(beside(journal, what)).unwrap())).into_iter().collect();
    let mut till = Driver::started(&config);
    till.consume(&sale("T2")).succeeded();
    till.shutdown().succeeded();
    drop(till);
    let today = fs::read(beside(journal, "")).unwrap();

    for (what, bytes) in &yesterday {
        fs::write(beside(journal, what), bytes).unwrap();
    }
    refused(&simulator, &config, "ZV-JOURNAL-BEHIND");
    for what in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(journal, what));
    }
    refused(&simulator, &config, "ZV-JOURNAL-BEHIND");
    for what in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(journal, what));
    }
    fs::write(beside(journal, ""), &today).unwrap();
    let mut till = Driver::started(&config);
    till.look_up("T1").succeeded();
    till.look_up("T2").succeeded();
}

/// A record in a file that can no longer be found is lost, although the system reports it as written.
#[test]
fn a_journal_that_is_removed_in_use_stops_money() {
    let simulator = Simulator::start();
    for what in ["", "-wal"] {
        for replaced in [false, true] {
            let config = reversing(&simulator.v2(), json!({}));
            let mut till = Driver::started(&config);
            till.consume(&sale(&format!("T1{what}{replaced}"))).succeeded();
            let (file, away) = (beside(&config["journal"], what), beside(&config["journal"], ".away"));
            fs::rename(&file, &away).unwrap();
            if replaced {
                fs::copy(&away, &file).unwrap();
            }
            let before = simulator.requests();
            till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL");
            till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL");
            assert_eq!((simulator.requests(), simulator.net("T2")), (before, 0), "{what:?} {replaced}");
            quotes_go_on(&mut till);
        }
    }
}

/// The gateway has acted when the file is removed: a success that no journal keeps may not be reported.
#[test]
fn a_journal_that_is_removed_during_a_consume_prevents_a_success() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 5000}}));
    let mut till = Driver::started(&config);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T1~late_answer:1000")));
    until("the consume runs", || simulator.requests() > before);
    fs::remove_file(beside(&config["journal"], "")).unwrap();
    till.finish().expect("unknown", "ZV-JOURNAL");
}

#[test]
fn a_newer_format_is_refused_and_left_unchanged() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let journal = &config["journal"];
    Driver::started(&config).consume(&sale("T1")).succeeded();
    let version = |number: u32| {
        let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute('PRAGMA user_version = N')\nc.close()";
        python(&script.replace('N', &number.to_string()), journal);
    };
    version(9);
    let before = fs::read(beside(journal, "")).unwrap();
    refused(&simulator, &config, "ZV-JOURNAL-NEWER");
    assert!(before == fs::read(beside(journal, "")).unwrap(), "the file was changed");
    assert!(fs::metadata(beside(journal, "-wal")).map_or(0, |wal| wal.len()) == 0);
    version(2);
    Driver::started(&config).look_up("T1").succeeded();
}

#[test]
fn foreign_databases_and_garbage_are_refused_and_left_unchanged() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let journal = &config["journal"];
    python(
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute('CREATE TABLE t (x)')\nc.close()",
        journal,
    );
    let before = fs::read(beside(journal, "")).unwrap();
    refused(&simulator, &config, "ZV-JOURNAL-PLACE");
    assert!(before == fs::read(beside(journal, "")).unwrap(), "the file was changed");
    let garbage = vec![b'x'; 9000];
    fs::write(beside(journal, ""), &garbage).unwrap();
    refused(&simulator, &config, "ZV-JOURNAL-DAMAGED");
    assert!(garbage == fs::read(beside(journal, "")).unwrap(), "the file was changed");
    fs::remove_file(beside(journal, "")).unwrap();
    fs::create_dir(beside(journal, "")).unwrap();
    refused(&simulator, &config, "ZV-JOURNAL-PLACE");
}

fn files_of(journal: &Value) -> Vec<(&'static str, Vec<u8>)> {
    ["", "-wal", "-shm"].map(|what| (what, fs::read(beside(journal, what)).unwrap())).into()
}

/// Like a restore that keeps the files: their bytes are older, their names and inodes unchanged.
fn overwrite(journal: &Value, files: &[(&str, Vec<u8>)]) {
    for (what, bytes) in files {
        let mut file = fs::OpenOptions::new().write(true).open(beside(journal, what)).unwrap();
        file.write_all(bytes).unwrap();
        // The till maps the index into its memory: the mapping must not vanish.
        if *what != "-shm" {
            file.set_len(bytes.len() as u64).unwrap();
        }
    }
}

fn mark(journal: &Value) -> u64 {
    fs::read_to_string(beside(journal, ".mark")).unwrap().lines().next().unwrap().parse().unwrap()
}

/// A till's process remembers the journal's highest sequence, and so does the watermark.
#[test]
fn a_journal_overwritten_by_an_older_copy_stops_money_in_every_till() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let journal = &config["journal"];
    let mut till = Driver::started(&config);
    till.consume(&sale("T0")).succeeded();
    // This till has seen none of the following changes.
    let mut idle = Driver::started(&config);
    let older = files_of(journal);
    till.consume(&sale("T1")).succeeded();
    let marked = mark(journal);
    overwrite(journal, &older);
    let before = simulator.requests();
    for till in [&mut till, &mut idle] {
        till.look_up("T1").expect("internal", "ZV-JOURNAL-BEHIND");
        till.consume(&sale("T1")).expect("internal", "ZV-JOURNAL-BEHIND");
        till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-BEHIND");
        till.consume(&sale("T0")).expect("internal", "ZV-JOURNAL-BEHIND");
        till.reverse(&json!({"bizId": "T0"})).expect("internal", "ZV-JOURNAL-BEHIND");
        till.pending(None).expect("internal", "ZV-JOURNAL-BEHIND");
        till.recover().expect("internal", "ZV-JOURNAL-BEHIND");
        quotes_go_on(till);
    }
    assert_eq!((simulator.net("T1"), simulator.net("T2")), (1, 0));
    assert_eq!(simulator.requests(), before + 2, "the quotes");
    assert_eq!(mark(journal), marked);
    till.shutdown().succeeded();
    assert_eq!(mark(journal), marked);
    drop(till);
    refused(&simulator, &config, "ZV-JOURNAL-BEHIND");
}

/// The older copy holds an earlier state of a sale of this process: no answer may come from it.
#[test]
fn an_older_copy_reports_no_refunded_sale_as_paid() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T0")).succeeded();
    let older = files_of(&config["journal"]);
    assert_eq!(till.reverse(&json!({"bizId": "T0"})).outcome(), "reversed");
    overwrite(&config["journal"], &older);
    till.consume(&sale("T0")).expect("internal", "ZV-JOURNAL-BEHIND");
}

/// Writes the WAL back into the database, as a program with an SQLite shell may.
fn checkpoint(journal: &Value) {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\
        print(c.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall())\nc.close()";
    python(script, journal);
}

/// A process that ends feeds the log, and writes the WAL back into the database.
fn feed(config: &Value) {
    Driver::started(config).shutdown().succeeded();
}

/// The newest sale is in the WAL, and the database under it was overwritten: the newest number alone proves nothing.
#[test]
fn a_database_overwritten_under_its_wal_stops_money_in_every_till() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let journal = &config["journal"];
    let mut till = Driver::started(&config);
    let mut idle = Driver::started(&config);
    for number in 0..40 {
        till.consume(&sale(&format!("M{number}"))).succeeded();
    }
    feed(&config);
    till.consume(&sale("M40")).succeeded();
    let older = fs::read(beside(journal, "")).unwrap();
    // In another page than all the following ones.
    till.consume(&sale("A1")).succeeded();
    till.consume(&sale("Z0")).succeeded();
    feed(&config);
    till.consume(&sale("Z1")).succeeded();
    till.consume(&sale("Z2")).succeeded();
    overwrite(journal, &[("", older)]);
    for till in [&mut idle, &mut till] {
        let answer = till.consume(&sale("A1"));
        assert_eq!(answer.outcome(), "internal", "{}", answer.text);
        assert_eq!(till.look_up("A1").outcome(), "internal");
    }
    let mut fresh = Driver::new();
    assert!(fresh.init(&config).succeeded().warns("ZV-W-JOURNAL"));
    // Behind, or damaged: pages of both are mixed.
    assert_eq!(fresh.consume(&sale("A1")).outcome(), "internal");
    assert_eq!(simulator.net("A1"), 1);
}

/// The same with sales that no process has fed: those that have seen them know them, and the others miss them in the log.
#[test]
fn a_log_overwritten_under_its_wal_takes_nothing_twice() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let journal = &config["journal"];
    let mut till = Driver::started(&config);
    let mut idle = Driver::started(&config);
    for number in 0..10 {
        till.consume(&sale(&format!("M{number}"))).succeeded();
    }
    checkpoint(journal);
    let older = fs::read(beside(journal, "")).unwrap();
    for number in 0..10 {
        till.consume(&sale(&format!("A{number}"))).succeeded();
    }
    checkpoint(journal);
    till.consume(&sale("Z1")).succeeded();
    overwrite(journal, &[("", older)]);
    let mut fresh = Driver::new();
    assert!(fresh.init(&config).succeeded().warns("ZV-W-JOURNAL"));
    for till in [&mut idle, &mut till, &mut fresh] {
        for number in 0..10 {
            let answer = till.consume(&sale(&format!("A{number}")));
            let is_known = answer.outcome() == "succeeded" && answer.json["replayed"] == true;
            assert!(is_known || answer.outcome() == "internal", "{}", answer.text);
        }
    }
    assert_eq!(fresh.consume(&sale("N1")).outcome(), "internal");
    for number in 0..10 {
        assert_eq!(simulator.net(&format!("A{number}")), 1);
    }
}

/// Runs a till's sales and returns the outcome of each bizId that it was told.
fn busy_day(till: &mut Driver) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for number in 0..24 {
        let (biz_id, member) = match number % 6 {
            3 => (format!("D{number}"), POOR_MEMBER),
            4 => (format!("D{number}~reset_after"), MEMBER),
            _ => (format!("D{number}"), MEMBER),
        };
        let amount = if member == POOR_MEMBER { "500.00" } else { "1.00" };
        let answer = till.consume(&json!({"bizId": biz_id, "customerId": member, "amount": amount}));
        told.insert(biz_id.clone(), answer.outcome().to_owned());
        if number % 6 == 5 {
            told.insert(biz_id.clone(), till.reverse(&json!({"bizId": biz_id})).outcome().to_owned());
        }
    }
    told
}

/// Every statement of an opened journal about a bizId must match what the till was told; no statement is not a lie.
fn lies(till: &mut Driver, told: &BTreeMap<String, String>) -> Vec<String> {
    let mut lies = Vec::new();
    for (biz_id, outcome) in told {
        let answer = till.look_up(biz_id);
        if answer.outcome() != outcome && answer.outcome() != "internal" {
            lies.push(format!("{biz_id} was {outcome}, now {} {}", answer.outcome(), answer.code()));
        }
    }
    let answer = till.pending(None);
    if answer.outcome() != "internal" {
        for (biz_id, _) in told.iter().filter(|(_, outcome)| *outcome == "unknown") {
            if !answer.text.contains(&format!("\"{biz_id}\"")) {
                lies.push(format!("{biz_id} is not listed as unsettled"));
            }
        }
    }
    lies
}

#[test]
fn a_journal_damaged_anywhere_is_never_believed_wrongly() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let journal = &config["journal"];
    let mut till = Driver::started(&config);
    let told = busy_day(&mut till);
    assert_eq!(lies(&mut till, &told), [""; 0]);
    till.kill();
    let read = |what: &str| fs::read(beside(journal, what)).unwrap();
    let with_wal = [("", read("")), ("-wal", read("-wal")), (".mark", read(".mark"))];
    let mut till = Driver::started(&config);
    assert_eq!(lies(&mut till, &told), [""; 0]);
    till.shutdown();
    drop(till);
    let closed = [("", read("")), ("-wal", Vec::new()), (".mark", read(".mark"))];

    let mut random = Random(seed());
    let (mut refusals, mut partly, mut whole) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut till = Driver::new();
    for case in 0..400 {
        let mut files = if random.below(2) == 0 { with_wal.clone() } else { closed.clone() };
        let target = if files[1].1.is_empty() { 0 } else { random.below(2) };
        let bytes = &mut files[target].1;
        let at = random.below(bytes.len());
        let what = match random.below(4) {
            0 => {
                bytes[at] ^= 1 << random.below(8);
                "a bit flipped"
            }
            1 => {
                bytes.truncate(at);
                "cut"
            }
            2 => {
                let end = (at + 512).min(bytes.len());
                bytes[at..end].fill(0);
                "zeroed"
            }
            _ => {
                let end = (at + 1 + random.below(64)).min(bytes.len());
                for byte in &mut bytes[at..end] {
                    *byte = u8::try_from(random.below(256)).unwrap();
                }
                "overwritten"
            }
        };
        let _ = fs::remove_file(beside(journal, "-shm"));
        for (name, bytes) in &files {
            fs::write(beside(journal, name), bytes).unwrap();
        }
        let answer = till.init(&config).succeeded();
        if answer.data()["journal"].is_null() {
            assert!(answer.text.contains("ZV-JOURNAL"), "{}", answer.text);
            let code = till.consume(&sale("NEW")).code().to_owned();
            assert!(code.starts_with("ZV-JOURNAL"), "{code}");
            if case % 20 == 0 {
                quotes_go_on(&mut till);
            }
            refusals += 1;
        } else {
            let found = lies(&mut till, &told);
            if till.pending(None).outcome() == "internal" {
                partly += 1;
            } else {
                whole += 1;
            }
            if !found.is_empty() {
                let name = files[target].0;
                wrong.push(format!(
                    "case {case}, {what} at {at} of {}{name}: {}",
                    "journal.db",
                    found.join("; ")
                ));
            }
        }
        till.shutdown();
    }
    println!(
        "400 damaged journals: {refusals} refused, {partly} stopped when the damage was met, {whole} read as they were"
    );
    assert!(refusals > 0);
    assert!(wrong.is_empty(), "{} believed wrongly:\n{}", wrong.len(), wrong.join("\n"));
}
