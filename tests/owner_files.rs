//! The files next to the journal: the ones that prove a till alive, and their permissions.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    Driver, MEMBER, Simulator, beside, lose_owner_files, own_folder, owner_files, reversing, system, until,
};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "0.01"})
}

/// The folder is cleaned up while a till waits for the gateway: the till is not presumed dead.
#[test]
fn a_till_whose_owner_file_is_deleted_is_not_presumed_dead() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 4000}}));
    let mut observer = Driver::started(&config);
    let mut till = Driver::started(&config);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T1~late_answer:2500")));
    until("the consume runs", || simulator.requests() > before);
    lose_owner_files(&config["journal"], till.pid());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        observer.recover().succeeded();
        let listed = observer.pending(None);
        assert_eq!(listed.data()["entries"][0]["next"], "running", "{}", listed.text);
    }
    till.finish().succeeded();
    assert_eq!(simulator.net("T1~late_answer:2500"), 1);
}

/// Without its file a dead till cannot be told from a live one until its call's time must be over.
#[test]
fn a_dead_till_without_its_owner_file_is_presumed_dead_after_its_time_limit() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 1500}}));
    let mut dead = Driver::started(&config);
    let before = simulator.requests();
    dead.begin(&format!("consume {}", sale("T1~hang")));
    until("the consume runs", || simulator.requests() > before);
    let pid = dead.pid();
    dead.kill();
    lose_owner_files(&config["journal"], pid);
    // By its own call's time, not by that of the till that checks.
    let hasty = reversing(&simulator.v2(), json!({"journal": config["journal"]}));
    let mut till = Driver::started(&hasty);
    let begun = Instant::now();
    until("it is undone", || till.look_up("T1~hang").outcome() == "reversed");
    assert!(begun.elapsed() >= Duration::from_millis(2300), "{:?}", begun.elapsed());
}

#[test]
fn a_till_recreates_its_owner_file() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let mut till = Driver::started(&config);
    let pid = till.pid();
    for whole in [false, true] {
        lose_owner_files(&config["journal"], pid);
        if whole {
            fs::remove_dir_all(beside(&config["journal"], ".owners")).unwrap();
        }
        thread::sleep(Duration::from_millis(2100));
        till.consume(&sale("T1")).succeeded();
        let again = owner_files(&config["journal"], pid);
        assert_eq!(again.len(), 1);
        let lock = fs::File::open(&again[0]).unwrap();
        assert!(lock.try_lock_shared().is_err(), "it is there and not locked");
    }
}

/// Every file and folder below that one, with its permissions.
fn rights(folder: &Path) -> BTreeMap<String, u32> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        let is_folder = metadata.is_dir();
        let name = entry.file_name().into_string().unwrap();
        let name =
            if name.starts_with(|first: char| first.is_ascii_digit()) { "owner".to_owned() } else { name };
        found.insert(name, metadata.permissions().mode() & 0o7777);
        if is_folder {
            found.extend(rights(&entry.path()));
        }
    }
    found
}

#[test]
fn written_files_are_private_whatever_the_umask() {
    let simulator = Simulator::start();
    for umask in ["000", "077", "277"] {
        for of_a_group in [false, true] {
            let folder = own_folder();
            let place = if of_a_group { folder.join("group") } else { folder.join("a/b") };
            if of_a_group {
                fs::create_dir(&place).unwrap();
                system("chmod", &["2770", place.to_str().unwrap()]);
            }
            let (journal, log) = (place.join("journal.db"), json!({"path": place.join("till.log")}));
            let config = reversing(&simulator.v2(), json!({"journal": journal, "log": log}));
            // The library does not create the log's folder.
            fs::create_dir_all(&place).unwrap();
            let script = format!("umask {umask}; exec \"$@\"");
            let mut till = Driver::wrapped(&["sh", "-c", &script, "sh"], &[]);
            till.init(&config).succeeded();
            till.consume(&sale(&format!("T{umask}{of_a_group}"))).succeeded();
            let (file, owners) = if of_a_group { (0o660, 0o2770) } else { (0o600, 0o700) };
            let found = rights(&place);
            let all =
                ["journal.db", "journal.db-wal", "journal.db-shm", "journal.db.mark", "journal.db.ballast"];
            for name in all.into_iter().chain(["owner", "till.log"]) {
                assert_eq!(
                    found.get(name).map(|mode| format!("{mode:o}")),
                    Some(format!("{file:o}")),
                    "{umask} {name}"
                );
            }
            assert_eq!(found.len(), 8, "{found:?}");
            assert_eq!(found["journal.db.owners"], owners, "{umask}");
        }
    }
}

#[test]
fn a_folder_that_the_library_creates_is_private() {
    let simulator = Simulator::start();
    let folder = own_folder();
    let config = reversing(&simulator.v2(), json!({"journal": folder.join("a/b/journal.db")}));
    let mut till = Driver::wrapped(&["sh", "-c", "umask 000; exec \"$@\"", "sh"], &[]);
    till.init(&config).succeeded();
    let found = rights(&folder);
    assert_eq!((found["a"], found["b"]), (0o700, 0o700));
}
