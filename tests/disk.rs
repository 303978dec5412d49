//! Disks that fail: full, read-only, locked, damaged, deleted, restored, and without power. Money calls stop in words,
//! quotes go on, and nothing is ever believed wrongly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    reason = "a test may panic"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::{
    Answer, Driver, FIVE_OFF, MEMBER, POOR_MEMBER, Simulator, own_folder, preload, reversing, until,
};

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "0.01"})
}

fn quotes_go_on(till: &mut Driver) {
    let request = json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9.00"}]});
    till.quote(&request).succeeded();
}

/// The journal was refused with this code: the start says so, money calls stop and send nothing, quotes go on.
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

/// Runs a program of the system.
fn system(program: &str, arguments: &[&str]) {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said} (mounting needs root)");
}

/// A small file system of its own; gone when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn small(size: &str) -> Mounted {
        let folder = own_folder();
        let options = format!("size={size}");
        system("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", folder.to_str().unwrap()]);
        Mounted(folder)
    }

    /// Takes all that is left.
    fn fill(&self) {
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn config(&self, simulator: &Simulator, more: Value) -> Value {
        let mut config = reversing(&simulator.v2(), more);
        config["journal"] = json!(self.0.join("journal.db"));
        config
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
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
        // There may be room in what is allocated already.
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

#[test]
fn a_disk_that_fills_up_while_the_consume_runs_does_not_keep_it_from_being_undone() {
    let simulator = Simulator::start();
    let disk = Mounted::small("400k");
    let mut till = Driver::started(&disk.config(&simulator, json!({})));
    till.consume(&sale("T1")).succeeded();
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T2~late_answer:400")));
    until("the consume runs", || simulator.requests() > before);
    // Nor is there room held for it.
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

/// Another program, such as a backup, that takes the journal's lock and holds it until it is told to let go.
struct Holder {
    program: Child,
    said: BufReader<ChildStdout>,
}

impl Holder {
    /// Started, and without the lock as yet: a start may take longer than what it is to come in between of.
    fn ready(journal: &Value) -> Holder {
        let script = "import sqlite3, sys\n\
            c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            print('ready', flush=True)\nsys.stdin.readline()\n\
            c.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.readline()\nc.execute('ROLLBACK')\n";
        let mut program = Command::new("python3")
            .args(["-c", script, journal.as_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is missing: apt-get install python3");
        let said = BufReader::new(program.stdout.take().unwrap());
        let mut holder = Holder { program, said };
        holder.says("ready\n");
        holder
    }

    fn take(journal: &Value) -> Holder {
        let mut holder = Holder::ready(journal);
        holder.hold();
        holder
    }

    fn hold(&mut self) {
        self.program.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        self.says("held\n");
    }

    fn says(&mut self, expected: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert_eq!(line, expected);
    }

    fn let_go(mut self) {
        drop(self.program.stdin.take());
        assert!(self.program.wait().unwrap().success());
    }
}

#[test]
fn a_journal_that_another_program_holds_stops_money_until_it_lets_go() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    let holder = Holder::take(&config["journal"]);
    let before = simulator.requests();
    till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-LOCKED");
    assert_eq!(simulator.requests(), before);
    // Nothing is written for these.
    till.look_up("T1").succeeded();
    quotes_go_on(&mut till);
    holder.let_go();
    till.consume(&sale("T2")).succeeded();
    assert_eq!(simulator.net("T2"), 1);
}

/// Many calls wait for it together, and each ends when its own time is up, not one after the other.
#[test]
fn a_journal_that_another_program_holds_keeps_no_call_beyond_its_deadline() {
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

/// What dead tills have left waits for it together, within one call's time.
#[test]
fn a_journal_that_another_program_holds_keeps_no_recovery_beyond_its_deadline() {
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

/// Its outcome could not be recorded: it is in doubt, though its process lives, and holds back the same member's next.
#[test]
fn a_sale_whose_end_could_not_be_recorded_holds_back_the_next() {
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
fn a_journal_that_another_program_takes_while_the_consume_runs_does_not_keep_it_from_being_undone() {
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

fn beside(journal: &Value, what: &str) -> PathBuf {
    PathBuf::from(format!("{}{what}", journal.as_str().unwrap()))
}

#[test]
fn a_journal_that_is_gone_or_yesterdays_is_refused() {
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

/// What is written to a file that nobody can find is not kept, though the system says that it is written.
#[test]
fn a_journal_that_is_taken_away_while_it_is_used_stops_money() {
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

/// The gateway has acted when it is taken away: no success may be told that no journal keeps.
#[test]
fn a_journal_that_is_taken_away_while_the_consume_runs_keeps_the_till_from_being_told() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 5000}}));
    let mut till = Driver::started(&config);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T1~late_answer:1000")));
    until("the consume runs", || simulator.requests() > before);
    fs::remove_file(beside(&config["journal"], "")).unwrap();
    till.finish().expect("unknown", "ZV-JOURNAL");
}

fn python(script: &str, journal: &Value) {
    system("python3", &["-c", script, journal.as_str().unwrap()]);
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
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
    version(1);
    Driver::started(&config).look_up("T1").succeeded();
}

#[test]
fn another_programs_database_and_garbage_are_refused_and_left_as_they_are() {
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

/// As a restoring program does it that keeps the files: their bytes are older, their names and numbers the same.
fn overwrite(journal: &Value, files: &[(&str, Vec<u8>)]) {
    for (what, bytes) in files {
        let mut file = fs::OpenOptions::new().write(true).open(beside(journal, what)).unwrap();
        file.write_all(bytes).unwrap();
        // The till has the index in its memory: what it maps must not vanish.
        if *what != "-shm" {
            file.set_len(bytes.len() as u64).unwrap();
        }
    }
}

fn mark(journal: &Value) -> u64 {
    fs::read_to_string(beside(journal, ".mark")).unwrap().lines().next().unwrap().parse().unwrap()
}

/// A till's process remembers how far the journal had come, and so does the mark.
#[test]
fn a_journal_overwritten_by_an_older_copy_stops_money_in_every_till() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let journal = &config["journal"];
    let mut till = Driver::started(&config);
    till.consume(&sale("T0")).succeeded();
    // This one has seen nothing of what follows.
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

/// What a payment of this process left behind stands in the older copy as it was before: nothing may be told from it.
#[test]
fn an_older_copy_tells_no_refunded_sale_as_paid() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T0")).succeeded();
    let older = files_of(&config["journal"]);
    assert_eq!(till.reverse(&json!({"bizId": "T0"})).outcome(), "reversed");
    overwrite(&config["journal"], &older);
    till.consume(&sale("T0")).expect("internal", "ZV-JOURNAL-BEHIND");
}

/// Takes all that the WAL holds over into the database, as SQLite does by itself after a thousand pages.
fn checkpoint(journal: &Value) {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\
        print(c.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall())\nc.close()";
    python(script, journal);
}

/// The newest sale lies in the WAL, and what came before it was written over: its sequence alone says nothing.
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
    checkpoint(journal);
    till.consume(&sale("M40")).succeeded();
    let older = fs::read(beside(journal, "")).unwrap();
    // In another page than all that follows.
    till.consume(&sale("A1")).succeeded();
    // That it was heard rides on this one.
    till.consume(&sale("Z0")).succeeded();
    checkpoint(journal);
    till.consume(&sale("Z1")).succeeded();
    till.consume(&sale("Z2")).succeeded();
    overwrite(journal, &[("", older)]);
    for till in [&mut idle, &mut till] {
        till.consume(&sale("A1")).expect("internal", "ZV-JOURNAL-BEHIND");
        till.look_up("A1").expect("internal", "ZV-JOURNAL-BEHIND");
    }
    let mut fresh = Driver::new();
    assert!(fresh.init(&config).succeeded().warns("ZV-W-JOURNAL"));
    // Behind, or damaged: pages of both lie beside each other.
    assert_eq!(fresh.consume(&sale("A1")).outcome(), "internal");
    assert_eq!(simulator.net("A1"), 1);
}

fn owner_files(journal: &Value, pid: u32) -> Vec<PathBuf> {
    let prefix = format!("{pid}-");
    let entries = fs::read_dir(beside(journal, ".owners")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix)).collect()
}

fn lose_owner_files(journal: &Value, pid: u32) {
    let files = owner_files(journal, pid);
    assert!(!files.is_empty());
    for file in files {
        fs::remove_file(file).unwrap();
    }
}

/// Somebody tidies up the folder while a till waits for the gateway: that is no death.
#[test]
fn a_till_whose_owner_file_is_deleted_is_not_taken_for_dead() {
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

/// Without its file a dead till cannot be told from one that lives, until its call's time must be over.
#[test]
fn a_dead_till_whose_owner_file_is_gone_is_buried_when_its_time_is_over() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 300, "total": 1500}}));
    let mut dead = Driver::started(&config);
    let before = simulator.requests();
    dead.begin(&format!("consume {}", sale("T1~hang")));
    until("the consume runs", || simulator.requests() > before);
    let pid = dead.pid();
    dead.kill();
    lose_owner_files(&config["journal"], pid);
    // By its own call's time, not by that of whoever looks.
    let hasty = reversing(&simulator.v2(), json!({"journal": config["journal"]}));
    let mut till = Driver::started(&hasty);
    let begun = Instant::now();
    until("it is undone", || till.look_up("T1~hang").outcome() == "reversed");
    assert!(begun.elapsed() >= Duration::from_millis(2300), "{:?}", begun.elapsed());
}

#[test]
fn a_till_makes_its_owner_file_again() {
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

const BALLAST: u64 = 64 * 1024;

/// The gateway has said yes when the disk is full: the till is told, since room was held for that.
#[test]
fn a_disk_that_fills_up_while_the_consume_runs_has_room_for_its_outcome() {
    let simulator = Simulator::start();
    let disk = Mounted::small("600k");
    let config = disk.config(&simulator, json!({}));
    let ballast = beside(&config["journal"], ".ballast");
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    assert_eq!(fs::metadata(&ballast).unwrap().len(), BALLAST);
    let before = simulator.requests();
    till.begin(&format!("consume {}", sale("T2~late_answer:400")));
    until("the consume runs", || simulator.requests() > before);
    disk.fill();
    till.finish().succeeded();
    till.look_up("T2~late_answer:400").succeeded();
    assert!(!ballast.exists(), "where did the room come from?");
    // Whatever is left of it is for outcomes: no new intent.
    let before = simulator.requests();
    till.consume(&sale("T3")).expect("internal", "ZV-JOURNAL-FULL");
    let mut other = Driver::started(&config);
    other.consume(&sale("T3")).expect("internal", "ZV-JOURNAL-FULL");
    assert_eq!(simulator.requests(), before);
    // What stands is told.
    assert_eq!(till.consume(&sale("T1")).succeeded().json["replayed"], true);
    disk.free();
    till.consume(&sale("T3")).succeeded();
    assert_eq!(fs::metadata(&ballast).unwrap().len(), BALLAST);
    assert_eq!((simulator.net("T2~late_answer:400"), simulator.net("T3")), (1, 1));
}

/// A till that lives has a ballast that another one has given back made again before it sends.
#[test]
fn without_its_ballast_no_intent_is_recorded() {
    let simulator = Simulator::start();
    let disk = Mounted::small("600k");
    let config = disk.config(&simulator, json!({}));
    let ballast = beside(&config["journal"], ".ballast");
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
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

const LATE: &str = "ZV-W-JOURNAL-LATE";

/// A till that died when it had been told of T1, which nobody has written down.
fn unheard(simulator: &Simulator, config: &Value) {
    let mut dead = Driver::started(config);
    dead.consume(&sale("T1")).succeeded();
    dead.kill();
    assert_eq!(simulator.net("T1"), 1);
}

/// From its opening on every answer says so until somebody has asked for what the start could not list.
fn opened_late(till: &mut Driver, config: &Value) {
    let answer = till.look_up("T1").succeeded();
    assert!(answer.warns(LATE), "{}", answer.text);
    let answer = till.consume(&sale("T2")).succeeded();
    assert!(answer.warns(LATE), "{}", answer.text);
    // What is listed of one day leaves out the others.
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
    unheard(&simulator, &config);
    let holder = Holder::take(&config["journal"]);
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

/// The list is what was to be heard: it names the sale.
#[test]
fn what_was_unheard_at_a_late_opening_is_listed() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    unheard(&simulator, &config);
    let holder = Holder::take(&config["journal"]);
    let mut till = Driver::new();
    let answer = till.init(&config).succeeded();
    assert_eq!(answer.data()["unheard"], json!([]));
    till.recover().expect("internal", "ZV-JOURNAL-LOCKED");
    holder.let_go();
    till.recover().succeeded();
    let listed = till.pending(None).succeeded();
    assert_eq!(listed.data()["entries"][0]["entry"]["bizId"], "T1", "{}", listed.text);
    assert_eq!(listed.data()["entries"][0]["next"], "unheard", "{}", listed.text);
}

/// Without a thread of its own the library tries at each money call, within that call's time.
#[test]
fn a_journal_that_was_locked_at_the_start_is_opened_by_a_money_call() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    unheard(&simulator, &config);
    let holder = Holder::take(&config["journal"]);
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
    unheard(&simulator, &config);
    system("mount", &["-o", "remount,ro", disk.0.to_str().unwrap()]);
    let mut till = Driver::new();
    till.init(&config).succeeded();
    till.consume(&sale("T2")).expect("internal", "ZV-JOURNAL-READ-ONLY");
    system("mount", &["-o", "remount,rw", disk.0.to_str().unwrap()]);
    until("it is open", || till.look_up("T1").outcome() == "succeeded");
    opened_late(&mut till, &config);
}

/// Every file and folder below that one, with its rights.
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
fn nobody_else_may_read_what_the_library_writes_whatever_the_umask_says() {
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
            // The log's folder is not made by the library.
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
fn a_folder_that_the_library_makes_is_its_users_own() {
    let simulator = Simulator::start();
    let folder = own_folder();
    let config = reversing(&simulator.v2(), json!({"journal": folder.join("a/b/journal.db")}));
    let mut till = Driver::wrapped(&["sh", "-c", "umask 000; exec \"$@\"", "sh"], &[]);
    till.init(&config).succeeded();
    let found = rights(&folder);
    assert_eq!((found["a"], found["b"]), (0o700, 0o700));
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound.max(1)
    }
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("ZVPOS_SEED")
        .map_or(u64::from(now.subsec_nanos()), |seed| seed.parse().expect("ZVPOS_SEED"));
    println!("ZVPOS_SEED={seed}");
    (seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What a till did and was told: the outcome of each bizId.
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

/// Whatever an opened journal says of a bizId must be what the till was told; that it cannot say is no lie.
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

/// A line of the shim's log.
#[derive(Debug)]
struct Change {
    operation: String,
    file: String,
    offset: usize,
    bytes: Vec<u8>,
}

fn read_changes(path: &Path) -> Vec<Change> {
    let log = fs::read(path).unwrap();
    let mut rest = &log[..];
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        let length: usize = words[3].parse().unwrap();
        let bytes = rest[end + 1..=end + length].to_vec();
        assert_eq!(rest[end + 1 + length], b'\n', "{head}");
        rest = &rest[end + length + 2..];
        let (operation, file) = (words[0].to_owned(), words[1].to_owned());
        changes.push(Change { operation, file, offset: words[2].parse().unwrap(), bytes });
    }
    changes
}

/// A file on the disk: what is there for certain, and what has been asked for since its last flush.
#[derive(Clone, Default)]
struct Disk<'c> {
    flushed: Option<Vec<u8>>,
    pending: Vec<&'c Change>,
}

fn apply(content: &mut Option<Vec<u8>>, change: &Change, length: usize) {
    if change.operation == "unlink" {
        *content = None;
        return;
    }
    let bytes = content.get_or_insert_default();
    match change.operation.as_str() {
        "write" => {
            let end = change.offset + length;
            bytes.resize(bytes.len().max(end), 0);
            bytes[change.offset..end].copy_from_slice(&change.bytes[..length]);
        }
        "truncate" => bytes.resize(change.offset, 0),
        _ => {}
    }
}

impl Disk<'_> {
    fn flush(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.flushed, change, change.bytes.len());
        }
    }

    /// The folder was flushed: that the file is there, or is not, is certain.
    fn flush_name(&mut self) {
        if let Some(last) = self.pending.iter().rposition(|change| change.operation == "unlink") {
            self.pending.drain(..=last);
            self.flushed = None;
        }
        if self.pending.iter().any(|change| change.operation == "create") {
            self.flushed.get_or_insert_default();
        }
    }

    /// What may be left when the power goes now.
    fn after_power_cut(&self, random: &mut Random) -> Option<Vec<u8>> {
        let mut content = self.flushed.clone();
        let (all, until) = (random.below(2) == 0, random.below(self.pending.len() + 1));
        for (index, change) in self.pending.iter().enumerate() {
            // In their order up to some one, or any of them.
            let kept = if all { index < until } else { random.below(2) == 0 };
            if kept {
                // The last one may be torn between two sectors.
                let torn = change.bytes.len() > 512 && random.below(4) == 0;
                let length =
                    if torn { random.below(change.bytes.len() / 512) * 512 } else { change.bytes.len() };
                apply(&mut content, change, length);
            }
        }
        content
    }
}

/// What was said until some moment: the bizIds that left for the gateway, and the outcomes that a till was told.
#[derive(Clone, Default)]
struct Said {
    answers: usize,
    sent: BTreeSet<String>,
    told: BTreeMap<String, String>,
}

impl Said {
    fn hear(&mut self, answers: &[Answer]) {
        let answer = &answers[self.answers];
        self.answers += 1;
        if let Some(biz_id) = answer.json["bizId"].as_str() {
            self.told.insert(biz_id.to_owned(), answer.outcome().to_owned());
        }
    }

    fn send(&mut self, bytes: &[u8], known: &[String]) {
        let text = String::from_utf8_lossy(bytes);
        self.sent.extend(known.iter().filter(|biz_id| text.contains(&format!("{biz_id}."))).cloned());
    }
}

/// The stages that a journal may show for what a till was told; later ones when a reversal was under way.
fn fits(told: &str, stage: &str, to_be_reversed: bool) -> bool {
    match (told, stage) {
        ("succeeded" | "declined" | "unknown", "reversing" | "reversed") if to_be_reversed => true,
        ("unknown", "reversing" | "reversed") => true,
        _ => stage == told,
    }
}

#[test]
fn what_the_till_was_told_outlives_every_power_cut() {
    let simulator = Simulator::start();
    let folder = own_folder();
    let log = own_folder().join("changes");
    let mut config = reversing(&simulator.v2(), json!({"background": false}));
    config["journal"] = json!(folder.join("journal.db"));
    let shim = preload("powercut");
    let environment = [
        ("LD_PRELOAD", shim.to_str().unwrap()),
        ("ZVPOS_CUT_DIR", folder.to_str().unwrap()),
        ("ZVPOS_CUT_LOG", log.to_str().unwrap()),
    ];
    // Two lives: one ends in order, so that the WAL is written back and removed; one does not.
    let (mut known, mut answers) = (Vec::new(), Vec::new());
    let mut to_be_reversed = BTreeSet::new();
    for life in 0..2 {
        let mut till = Driver::in_environment(&environment);
        answers.push(till.init(&config).succeeded());
        for number in 0..60 {
            let fault = if number % 7 == 6 { "~reset_after" } else { "" };
            let biz_id = format!("P-{life}-{number}.{fault}");
            known.push(biz_id.trim_end_matches(fault).trim_end_matches('.').to_owned());
            let (member, amount) = if number % 5 == 4 { (POOR_MEMBER, "500.00") } else { (MEMBER, "0.01") };
            answers.push(till.consume(&json!({"bizId": biz_id, "customerId": member, "amount": amount})));
            if number % 6 == 5 {
                to_be_reversed.insert(biz_id.clone());
                answers.push(till.reverse(&json!({"bizId": biz_id})));
            }
        }
        if life == 0 {
            answers.push(till.recover().succeeded());
            answers.push(till.shutdown().succeeded());
        } else {
            till.kill();
        }
    }

    let changes = read_changes(&log);
    let is_write = |change: &Change| change.file != "stdout" && change.file != "gateway";
    let count = |operation: &str| changes.iter().filter(|c| is_write(c) && c.operation == operation).count();
    let (writes, flushes) = (count("write"), count("flush"));
    assert!(flushes > 200 && writes > flushes, "the shim saw {writes} writes and {flushes} flushes");
    let wanted = 1100.min(changes.len());
    let mut random = Random(seed());
    let mut points: BTreeSet<usize> = BTreeSet::new();
    while points.len() < wanted {
        points.insert(random.below(changes.len()));
    }

    let cut_folder = own_folder();
    let mut cut_config = config.clone();
    cut_config["journal"] = json!(cut_folder.join("journal.db"));
    let mut disk: BTreeMap<&str, Disk> = BTreeMap::new();
    let mut said = Said::default();
    let (mut wrong, mut cuts, mut checked) = (Vec::new(), 0, 0);
    let mut till = Driver::new();
    for (index, change) in changes.iter().enumerate() {
        match (change.file.as_str(), change.operation.as_str()) {
            ("stdout", _) => said.hear(&answers),
            ("gateway", _) => said.send(&change.bytes, &known),
            (".", "flush") => disk.values_mut().for_each(Disk::flush_name),
            (".", _) => {}
            (file, "flush") => disk.entry(file).or_default().flush(),
            (file, _) => disk.entry(file).or_default().pending.push(change),
        }
        if !points.contains(&index) {
            continue;
        }
        cuts += 1;
        for file in fs::read_dir(&cut_folder).unwrap().filter(|file| file.as_ref().unwrap().path().is_file())
        {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        for (file, on_disk) in &disk {
            if let Some(content) = on_disk.after_power_cut(&mut random) {
                fs::write(cut_folder.join(file), content).unwrap();
            }
        }
        let answer = till.init(&cut_config).succeeded();
        if answer.data()["journal"].is_null() {
            wrong.push(format!("cut {index}: the journal is refused: {}", answer.text));
        } else {
            checked += said.told.len();
            wrong.extend(
                lost(&mut till, &said, &to_be_reversed).into_iter().map(|w| format!("cut {index}: {w}")),
            );
        }
        till.shutdown();
    }
    println!(
        "{cuts} power cuts among {writes} writes and {flushes} flushes; {checked} answers held against the journal; \
         violations {}",
        wrong.len()
    );
    assert!(said.told.len() == 120 && checked > 10_000);
    assert!(cuts >= 1000 || cuts == changes.len());
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(20)].join("\n"));
}

/// What the till was told, or what left for the gateway, and the journal no longer knows.
fn lost(till: &mut Driver, said: &Said, to_be_reversed: &BTreeSet<String>) -> Vec<String> {
    let mut stages = BTreeMap::new();
    for day in days() {
        let answer: Answer = till.pending(Some(&json!({"day": day}))).succeeded();
        for listed in answer.data()["entries"].as_array().unwrap() {
            let text = |name: &str| listed["entry"][name].as_str().unwrap().to_owned();
            stages.insert(text("bizId"), text("stage"));
        }
    }
    let mut wrong = Vec::new();
    for (biz_id, outcome) in &said.told {
        let stage = stages.get(biz_id).map_or("nothing", String::as_str);
        if !fits(outcome, stage, to_be_reversed.contains(biz_id)) {
            wrong.push(format!("{biz_id} was told {outcome}, the journal says {stage}"));
        }
    }
    for biz_id in &said.sent {
        if !stages.keys().any(|known| known.starts_with(&format!("{biz_id}."))) {
            wrong.push(format!("{biz_id} was sent, the journal does not know it"));
        }
    }
    wrong
}

/// Yesterday, today and tomorrow: the sales are of one of them, wherever the day begins.
fn days() -> Vec<String> {
    let output = |day: &str| {
        let output = Command::new("date").args(["-u", "-d", day, "+%F"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    static DAYS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    DAYS.get_or_init(|| ["yesterday", "today", "tomorrow"].map(output).to_vec()).clone()
}

#[test]
fn two_tills_that_wait_for_each_other_at_the_file_are_both_served() {
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
