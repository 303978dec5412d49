//! The journal's folder, disk and contents, in states that real tills and disks produce.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{MEMBER, config, line, options, own_folder, remedy, report, run, simulator, till, url};
use zvpos_doctor::{Options, Status};
use zvpos_sandbox::rules::Policy;

/// An endpoint that refuses at once, because these tests are about the disk.
const NOWHERE: &str = "http://127.0.0.1:1/api/v2";

fn system(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said} (mounting needs root)");
}

/// A separate file system in memory.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(size: &str) -> Mounted {
        let folder = own_folder();
        system("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", folder.to_str().unwrap()]);
        Mounted(folder)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn journal_at(folder: &Path) -> (Value, PathBuf) {
    let config = config(NOWHERE, folder, json!({}));
    drop(till(&config));
    let journal = folder.join("journal.db");
    // All of it in one file: what lies in the WAL hides the pages under it.
    let connection = rusqlite::Connection::open(&journal).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    (config, journal)
}

#[test]
fn memory_is_no_disk_and_a_small_one_is_full() {
    let disk = Mounted::tmpfs("1m");
    let elsewhere = own_folder();
    let report = report(&config(NOWHERE, &disk.0, json!({})), &elsewhere);
    let kind = line(&report, "journal.disk");
    assert_eq!((kind.status, &kind.facts["file_system"]), (Status::Failed, &json!("tmpfs")));
    assert!(remedy(kind).contains("set journal to a disk"));
    assert_eq!(line(&report, "journal.space").status, Status::Failed);
    assert!(report.lines.iter().all(|line| line.check != "journal.flush"), "memory has no flush to measure");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let disk = Mounted::tmpfs("1m");
    let elsewhere = own_folder();
    system("mount", &["-o", "remount,ro", disk.0.to_str().unwrap()]);
    let read_only = report(&config(NOWHERE, &disk.0, json!({})), &elsewhere);
    let folder = line(&read_only, "journal.folder");
    assert_eq!(folder.status, Status::Failed);
    assert!(folder.found.en.contains("cannot be written"), "{folder:?}");
    let missing = report(&config(NOWHERE, &disk.0.join("not-there"), json!({})), &elsewhere);
    let folder = line(&missing, "journal.folder");
    assert_eq!(folder.status, Status::Failed);
    assert!(folder.found.en.contains("is not there"), "{folder:?}");
}

/// A missing folder is no failure, because the library creates it.
#[test]
fn a_folder_that_a_new_till_has_not_made_yet_is_no_failure() {
    let elsewhere = own_folder();
    let place = elsewhere.join("not/there");
    let fresh = report(&config(NOWHERE, &place, json!({})), &elsewhere);
    let folder = line(&fresh, "journal.folder");
    assert_eq!(folder.status, Status::Ok);
    assert!(folder.found.en.contains("zv_init makes it"), "{folder:?}");
    assert!(!elsewhere.join("not").exists(), "the doctor makes nothing");
    drop(till(&config(NOWHERE, &place, json!({}))));
    assert!(place.join("journal.db").exists());
}

#[test]
fn a_damaged_journal_is_named() {
    let folder = own_folder();
    let (config, journal) = journal_at(&folder);
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&journal, &bytes).unwrap();
    let report = report(&config, &folder);
    let contents = line(&report, "journal.contents");
    assert_eq!((contents.status, &contents.facts["code"]), (Status::Failed, &json!("ZV-JOURNAL-DAMAGED")));
    assert!(remedy(contents).contains("-wal"));
    assert_eq!(fs::read(&journal).unwrap(), bytes, "it was changed");
}

#[test]
fn a_newer_a_foreign_and_a_shortened_journal_are_told_apart() {
    for (change, code) in [
        ("PRAGMA user_version = 99", "ZV-JOURNAL-NEWER"),
        ("PRAGMA application_id = 7", "ZV-JOURNAL-PLACE"),
        ("UPDATE fed SET number = 0", "ZV-JOURNAL-BEHIND"),
    ] {
        let folder = own_folder();
        let (config, journal) = journal_at(&folder);
        fs::write(folder.join("journal.db.mark"), "00000000000000000001\n").unwrap();
        rusqlite::Connection::open(&journal).unwrap().execute_batch(change).unwrap();
        let before = fs::read(&journal).unwrap();
        let report = report(&config, &folder);
        let contents = line(&report, "journal.contents");
        assert_eq!(
            (contents.status, &contents.facts["code"]),
            (Status::Failed, &json!(code)),
            "{contents:?}"
        );
        assert_eq!(fs::read(&journal).unwrap(), before, "it was changed");
    }
}

/// While a till is selling: the doctor finds the till, changes none of its files, and does not stop it.
#[test]
fn a_till_goes_on_selling() {
    let server = simulator(Policy::default());
    let folder = own_folder();
    let config = config(&url(&server), &folder, json!({"guard": "off"}));
    let till = till(&config);
    let sell = |biz_id: &str| {
        let sale = json!({"bizId": biz_id, "customerId": MEMBER, "amount": "0.01"}).to_string();
        serde_json::from_str::<Value>(&till.consume(&sale).to_json()).unwrap()["outcome"].clone()
    };
    assert_eq!(sell("T1"), "succeeded");
    assert_eq!(sell("T2~reset_after"), "unknown");
    let files = || -> Vec<Vec<u8>> {
        ["journal.db", "journal.db-wal", "journal.db.mark"]
            .map(|name| fs::read(folder.join(name)).unwrap())
            .to_vec()
    };
    let before = files();
    let report = report(&config, &folder);
    assert_eq!(files(), before);
    assert_eq!(line(&report, "journal.contents").facts["entries"], 2);
    let unsettled = line(&report, "journal.unsettled");
    assert_eq!((unsettled.status, &unsettled.facts["unsettled"]), (Status::Warning, &json!(1)));
    let me = std::process::id().to_string();
    assert_eq!(line(&report, "journal.owners").facts["alive"], json!([me]));
    assert_eq!(sell("T3"), "succeeded");
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".flush-")), "{left:?}");
}

/// An invalid configuration still names its journal, and every problem has a line.
#[test]
fn a_wrong_configuration_is_said_and_the_journal_looked_at_all_the_same() {
    let folder = own_folder();
    let (mut config, _) = journal_at(&folder);
    config["api"] = json!("v9");
    config["openkey"] = json!("mistyped");
    let report = report(&config, &folder);
    let about: Vec<&str> =
        report.lines.iter().filter(|line| line.check == "config").map(|line| line.about.as_str()).collect();
    assert_eq!(about, ["api", "openkey"]);
    assert_eq!(line(&report, "journal.contents").status, Status::Ok);
    let none = run(&Options::new("{"));
    assert!(line(&none, "config").found.en.contains("no JSON"));
}

/// Keys that are ordinary words, which a user types to try the program.
#[test]
fn short_keys_tear_no_word() {
    let folder = own_folder();
    for endpoint in ["http://127.0.0.1:1/x", "no url"] {
        let keys = json!({"openId": "a", "grantCode": "o", "openKey": "is", "endpoint": endpoint});
        let config = config(endpoint, &folder, keys);
        for line in report(&config, &folder).lines {
            let words = format!("{} {:?} {:?}", line.about, line.found, line.remedy);
            assert!(!words.contains("***"), "{words}");
        }
    }
}

#[test]
fn a_key_with_a_blank_is_named() {
    let folder = own_folder();
    let report = report(&config(NOWHERE, &folder, json!({"openKey": "fake-key "})), &folder);
    let keys = line(&report, "config.keys");
    assert_eq!((keys.about.as_str(), keys.status), ("openKey", Status::Failed));
}

#[test]
fn a_folder_put_back_from_a_copy_is_seen() {
    let folder = own_folder();
    let (config, journal) = journal_at(&folder);
    let witness = folder.join("journal.db.witness");
    let options = options(&config, &folder);
    let verdict = |options: &Options| {
        let report = run(options);
        let line = line(&report, "journal.witness");
        (line.facts["verdict"].as_str().unwrap().to_owned(), line.status)
    };
    assert_eq!(verdict(&options), ("first".to_owned(), Status::Ok));
    let copy = fs::read(&witness).unwrap();
    assert_eq!(verdict(&options), ("same_boot".to_owned(), Status::Ok));
    fs::write(&witness, &copy).unwrap();
    assert_eq!(verdict(&options), ("forgot".to_owned(), Status::Failed));
    // A drive that loses the file completely.
    fs::remove_file(&witness).unwrap();
    assert_eq!(verdict(&options), ("forgot".to_owned(), Status::Failed));
    // The machine restarts, and both places keep the witness.
    for file in
        fs::read_dir(folder.join("second")).unwrap().map(|file| file.unwrap().path()).chain([witness.clone()])
    {
        let text = fs::read_to_string(&file).unwrap();
        let boot = text.lines().find(|line| line.starts_with("boot=")).unwrap();
        fs::write(&file, text.replace(boot, "boot=yesterday")).unwrap();
    }
    assert_eq!(verdict(&options), ("outlived".to_owned(), Status::Ok));
    // Both places are restored to an older state: only the noted number shows it.
    fs::remove_file(&witness).unwrap();
    fs::remove_dir_all(folder.join("second")).unwrap();
    assert_eq!(
        verdict(&Options { witness_was: Some(6), ..options.clone() }),
        ("below_noted".to_owned(), Status::Failed)
    );
    // The witness is current, the journal is yesterday's.
    let now = fs::read_to_string(&witness).unwrap();
    let grown = now.replace("sequence=0", "sequence=5");
    assert_ne!(now, grown);
    fs::write(&witness, grown).unwrap();
    assert_eq!(verdict(&options), ("older_journal".to_owned(), Status::Failed));
    assert!(journal.exists());
}
