//! A journal moves between a file and a database, both ways: nothing is lost or changed, a program that dies at any step
//! leaves at most one journal that works, and the same call finishes the move.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cluster::drafts::{Draft, NOON, key, open, write};
use cluster::{Cluster, own_folder, settings_at, soon};
use serde_json::json;
use zvpos_core::gateway::Origin;
use zvpos_core::journal::moving::{Coming, Leaving, Moved, Source, Step, carry};
use zvpos_core::journal::nodes::Database;
use zvpos_core::journal::{Guard, JournalError, Recorded, Sqlite, Store, arriving, leaving};
use zvpos_core::money::Amount;
use zvpos_core::payment::{Detail, Entry, Stage};
use zvpos_journal_postgres::{Postgres, Settings};

const STAGES: [Stage; 11] = [
    Stage::Succeeded,
    Stage::Declined,
    Stage::NotSent,
    Stage::Unknown,
    Stage::Reversing,
    Stage::Reversed,
    Stage::Refused,
    Stage::Unproven,
    Stage::Kept,
    Stage::Undone,
    Stage::Succeeded,
];

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// One end of a move.
#[derive(Clone)]
enum End {
    File(PathBuf),
    Schema(Settings),
}

impl End {
    fn file(folder: &Path, name: &str) -> End {
        End::File(folder.join(name))
    }

    fn leaving(&self) -> Result<Leaving, JournalError> {
        match self {
            End::File(path) => leaving(path),
            End::Schema(settings) => zvpos_journal_postgres::leaving(settings),
        }
    }

    /// Whether a till or node can use it, or the code of the error.
    fn opens(&self) -> Result<String, &'static str> {
        let opened = match self {
            End::File(path) if !path.exists() => return Err("nothing is there"),
            End::File(path) => Sqlite::open(path).and_then(|journal| journal.id()),
            End::Schema(settings) => Postgres::open(settings, soon()).map(|opened| opened.database.id()),
        };
        opened.map_err(|error| error.code.text)
    }
}

fn to_end(
    from: &End,
    to: &End,
    step: &mut dyn FnMut(Step) -> Result<(), JournalError>,
) -> Result<Moved, JournalError> {
    carry(
        from.leaving()?,
        |coming| match to {
            End::File(path) => arriving(path, coming),
            End::Schema(settings) => zvpos_journal_postgres::arriving(settings, coming),
        },
        step,
    )
}

fn moved(from: &End, to: &End) -> Result<Moved, JournalError> {
    to_end(from, to, &mut |_| Ok(()))
}

#[track_caller]
fn refused(from: &End, to: &End, code: &str, words: &[&str]) {
    let error = moved(from, to).err().unwrap();
    assert_eq!(error.code.text, code, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{word}: {error}");
    }
}

/// Sales of every stage but the first, with everything that an entry can hold, on more than two pages.
fn sales(count: usize) -> Vec<Entry> {
    let sale = |number: usize| {
        let stage = STAGES[number % STAGES.len()];
        let (member, coupon) = (format!("会员 {number}"), format!("coupon {number}"));
        let mut draft = Draft::new(&format!("B{number:05}"), stage).of(&member, &[&coupon, " 2 "]);
        draft.identity.amount = Some(Amount::parse("12.30").unwrap());
        draft.identity.points = Some(7);
        draft.identity.kind = Some(2);
        draft.created = NOON + i64::try_from(number).unwrap();
        draft.detail = Detail {
            acknowledged: number.is_multiple_of(3),
            data: Some("{\"balance\":\"1.20\"}".into()),
            doubt: number.is_multiple_of(5).then(|| "ZV-TIMEOUT".into()),
            returned_biz_id: number.is_multiple_of(7).then(|| format!("R{number}")),
            origin: Origin { device_sn: Some("till 1".into()), ..Origin::default() },
            ..Detail::default()
        };
        if number.is_multiple_of(9) {
            // Filed far from the day of its intent.
            let at = json!({"machine_unix_ms": NOON, "gateway_unix_ms": null});
            let times = json!({"ended": {"at": at, "day": 19_000}});
            draft.detail.times = serde_json::from_value(times).unwrap();
        }
        draft.account(if number.is_multiple_of(2) { "o" } else { "other" }).entry()
    };
    (0..count).map(sale).collect()
}

/// A journal file with these sales, of which old ones have lost their details.
fn filled(path: &Path, count: usize) {
    let journal = Sqlite::open(path).unwrap();
    for entry in sales(count) {
        record(&journal, &entry);
        if let Some(retired) = entry.retired().filter(|_| count.is_multiple_of(4)) {
            record(&journal, &retired);
        }
    }
    journal.close();
}

fn record(journal: &Sqlite, entry: &Entry) {
    let recorded = journal.record(entry, Guard::Off, soon()).unwrap();
    assert!(matches!(recorded, Recorded::Done(())), "{recorded:?}");
}

fn all(source: &mut dyn Source) -> BTreeMap<String, Entry> {
    let (mut found, mut after) = (BTreeMap::new(), None);
    loop {
        let page = source.page(after.as_ref(), 100).unwrap();
        let Some(last) = page.last() else { return found };
        after = Some(last.key().clone());
        found.extend(page.into_iter().map(|entry| (format!("{:?}", entry.key()), entry)));
    }
}

/// Every entry and the identity of a journal that works, which is left as it is.
fn content(end: &End) -> (String, BTreeMap<String, Entry>) {
    match end.leaving().unwrap() {
        Leaving::Closed(mut source) => (source.coming().id, all(&mut *source)),
        Leaving::Moved { .. } => panic!("it was moved"),
    }
}

#[test]
fn a_journal_moves_to_a_database_and_back_and_loses_nothing() {
    let folder = own_folder("moving-both");
    let (file, back) = (End::file(&folder, "a.db"), End::file(&folder, "b.db"));
    let schema = End::Schema(cluster().settings("both"));
    filled(&folder.join("a.db"), 700);
    let before = content(&file);
    assert_eq!(before.1.len(), 700);

    let there = moved(&file, &schema).unwrap();
    assert_eq!((there.source.clone(), there.source.entries(), there.before), (there.target, 700, 0));
    assert_eq!(there.source.stages["succeeded"], 127);
    assert_eq!(content(&schema), before);
    assert_eq!(file.opens(), Err("ZV-JOURNAL-MOVED"));
    assert_eq!(schema.opens().as_ref(), Ok(&before.0));
    // What is found by tables of their own came along.
    let End::Schema(settings) = &schema else { unreachable!() };
    let database = open(settings);
    assert!(database.names_coupon_elsewhere(&key("none"), "coupon 6", soon()).unwrap());
    assert!(database.has_other_biz_ids(&key("none"), soon()).unwrap());
    let old = database.near_day(19_000, soon()).unwrap();
    assert_eq!(old.len(), 78);
    drop(database);

    let again = moved(&schema, &back).unwrap();
    assert_eq!(again.source, there.source);
    assert_eq!(content(&back), before);
    assert_eq!(schema.opens(), Err("ZV-JOURNAL-MOVED"));
    assert_eq!(back.opens(), Ok(before.0));
    // What was said once is said again, and nothing is done.
    assert_eq!(moved(&schema, &back).unwrap().target, again.source);
    std::fs::remove_dir_all(folder).unwrap();
}

const SCENE: &str = "ZVPOS_TEST_MOVE";

/// Not a test of its own: the process that dies in the middle of a move, as `a_move_that_dies…` starts it.
#[test]
fn the_one_that_dies() {
    let Ok(scene) = env::var(SCENE) else { return };
    let parts: Vec<&str> = scene.split('|').collect();
    let [from, to, fatal] = parts[..] else { panic!("{scene}") };
    let end = |text: &str| match text.split_once('#') {
        Some((url, schema)) => End::Schema(settings_at(url, schema)),
        None => End::File(text.into()),
    };
    let result = to_end(&end(from), &end(to), &mut |step| {
        if name(step) == fatal {
            std::process::abort();
        }
        Ok(())
    });
    panic!("it lives on: {result:?}");
}

fn name(step: Step) -> String {
    match step {
        Step::Closed { .. } => "closed".to_owned(),
        Step::Copied { entries, .. } => format!("copied {entries}"),
        step => format!("{step:?}").to_lowercase(),
    }
}

/// A process moves the journal and dies once that step is done.
fn dies(from: &End, to: &End, step: &str) {
    let text = |end: &End| match end {
        End::File(path) => path.display().to_string(),
        End::Schema(settings) => format!("{}#{}", settings.url, settings.schema),
    };
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_one_that_dies", "--nocapture"])
        .env(SCENE, format!("{}|{}|{step}", text(from), text(to)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(6), "{step}: {said}");
}

fn every_death(from: &End, to: &End) {
    let before = content(from);
    for step in ["closed", "begun", "copied 256", "copied 512", "compared"] {
        dies(from, to, step);
        assert_eq!(from.opens().as_ref(), Ok(&before.0), "{step}");
        if step != "closed" {
            assert_eq!(to.opens(), Err("ZV-JOURNAL-UNFINISHED"), "{step}");
        }
    }
    assert_eq!(content(from), before);
    dies(from, to, "sealed");
    assert_eq!((from.opens(), to.opens()), (Err("ZV-JOURNAL-MOVED"), Err("ZV-JOURNAL-UNFINISHED")));
    let finished = moved(from, to).unwrap();
    assert_eq!((finished.source.entries(), &finished.source), (before.1.len() as u64, &finished.target));
    assert_eq!((from.opens(), to.opens().as_ref()), (Err("ZV-JOURNAL-MOVED"), Ok(&before.0)));
    assert_eq!(content(to), before);
}

#[test]
fn a_move_that_dies_at_any_step_to_a_database_goes_on() {
    let folder = own_folder("moving-dies");
    let (file, schema) = (End::file(&folder, "a.db"), End::Schema(cluster().settings("dies")));
    filled(&folder.join("a.db"), 600);
    every_death(&file, &schema);
    let back = End::file(&folder, "b.db");
    every_death(&schema, &back);
    dies(&back, &End::Schema(cluster().settings("dies_last")), "finished");
    assert_eq!(back.opens(), Err("ZV-JOURNAL-MOVED"));
    End::Schema(cluster().settings("dies_last")).opens().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_changes_between_two_runs_comes_along() {
    let folder = own_folder("moving-changes");
    let (file, schema) = (End::file(&folder, "a.db"), End::Schema(cluster().settings("changes")));
    filled(&folder.join("a.db"), 300);
    dies(&file, &schema, "compared");
    let journal = Sqlite::open(&folder.join("a.db")).unwrap();
    record(&journal, &Draft::new("new", Stage::Succeeded).entry());
    let known = sales(1).remove(0);
    record(
        &journal,
        &Draft {
            detail: known.detail().clone(),
            ..Draft::new("B00000", Stage::Kept).revision(known.retired().unwrap().revision() + 1)
        }
        .entry(),
    );
    drop(journal);
    let before = content(&file);
    let moved = moved(&file, &schema).unwrap();
    assert_eq!((moved.source.entries(), moved.before), (301, 299));
    assert_eq!(content(&schema), before);
    std::fs::remove_dir_all(folder).unwrap();
}

/// What an earlier run had sent when it ended may arrive at any time, also behind what a later run has written.
#[test]
fn what_an_earlier_run_has_sent_overwrites_nothing_later() {
    let settings = cluster().settings("stale");
    let coming = Coming { id: "0123".into(), from: "a.db".into(), only: None };
    let target = || zvpos_journal_postgres::arriving(&settings, &coming).unwrap();
    let (mut earlier, mut later) = (target(), target());
    let sale =
        |revision, coupon| Draft::new("B1", Stage::Succeeded).of("1", &[coupon]).revision(revision).entry();
    let other = Draft::new("B2", Stage::Succeeded).entry();
    later.put(&[sale(2, "new"), other.clone()]).unwrap();
    let late = earlier.put(&[sale(1, "old"), other.clone()]).unwrap_err();
    assert!(late.message.contains("holds later records than a.db"), "{late}");
    assert_eq!(later.page(None, 9).unwrap(), [sale(2, "new"), other.clone()]);
    let coupons = cluster().admin_of("zv").texts("SELECT coupon FROM stale.zv_coupon");
    assert_eq!(coupons, ["new"]);
    // What was sent twice is the same.
    earlier.put(&[sale(2, "new"), other.clone()]).unwrap();
    later.put(&[sale(3, "newer"), other]).unwrap();
    later.finish().unwrap();
    let late = earlier.put(&[sale(4, "newest")]).unwrap_err();
    assert!(late.message.contains("no longer the target"), "{late}");
}

#[test]
fn nothing_moves_while_a_sale_is_in_flight() {
    let folder = own_folder("moving-flight");
    let (file, schema) = (End::file(&folder, "a.db"), End::Schema(cluster().settings("flight")));
    let journal = Sqlite::open(&folder.join("a.db")).unwrap();
    record(&journal, &Draft::new("F1", Stage::Sending).entry());
    record(&journal, &Draft::new("F2", Stage::Sending).entry());
    record(&journal, &Draft::new("F3", Stage::Unknown).entry());
    drop(journal);
    refused(&file, &schema, "ZV-JOURNAL-LOCKED", &["2 sales in flight: F1, F2;", "zv recover"]);
    file.opens().unwrap();

    let settings = cluster().settings("flight_there");
    let database = open(&settings);
    write(&database, Draft::new("F4", Stage::Sending), 1);
    let there = End::Schema(settings);
    let back = End::file(&folder, "b.db");
    refused(&there, &back, "ZV-JOURNAL-LOCKED", &["1 sales in flight: F4;"]);
    there.opens().unwrap();
    assert_eq!(back.opens(), Err("nothing is there"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nothing_moves_while_a_process_or_a_node_lives() {
    let folder = own_folder("moving-lives");
    let (file, schema) = (End::file(&folder, "a.db"), End::Schema(cluster().settings("lives")));
    let journal = Sqlite::open(&folder.join("a.db")).unwrap();
    record(&journal, &Draft::new("B1", Stage::Succeeded).entry());
    let number = std::process::id().to_string();
    refused(&file, &schema, "ZV-JOURNAL-LOCKED", &["processes", &number]);
    drop(journal);
    moved(&file, &schema).unwrap();

    let End::Schema(settings) = &schema else { unreachable!() };
    let database = open(&Settings { host: "shop-7".into(), ..settings.clone() });
    let node = cluster::drafts::owner("n1");
    database.join(&node, soon()).unwrap();
    let back = End::file(&folder, "b.db");
    refused(&schema, &back, "ZV-JOURNAL-LOCKED", &["n1 on shop-7", "zv_shutdown"]);
    database.bury(&node, None, soon()).unwrap();

    // While it moves nobody joins or writes, and afterwards a node that is still connected cannot.
    let late = |database: &Postgres| {
        let until = std::time::Instant::now() + std::time::Duration::from_millis(300);
        let entry = Draft::new("late", Stage::Succeeded).entry();
        let write =
            zvpos_core::journal::nodes::Write { entry: &entry, token: 1, guard: Guard::Off, by: None };
        (database.join(&cluster::drafts::owner("n2"), until).is_err(), database.write(&write, until).is_err())
    };
    let patient =
        open(&Settings { statement_patience: std::time::Duration::from_millis(300), ..settings.clone() });
    let mut tried = 0;
    let mut at_each = |step: Step| {
        if matches!(step, Step::Closed { .. } | Step::Compared | Step::Sealed) {
            assert_eq!(late(&patient), (true, true), "{step:?}");
            tried += 1;
        }
        Ok(())
    };
    let moved = to_end(&schema, &back, &mut at_each).unwrap();
    assert_eq!((moved.source.entries(), tried), (1, 3));
    assert_eq!(late(&database), (true, true));
    assert_eq!(content(&back).1.len(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_target_that_holds_something_else_is_refused() {
    let folder = own_folder("moving-wrong");
    let file = End::file(&folder, "a.db");
    filled(&folder.join("a.db"), 3);
    let taken = End::Schema(cluster().settings("taken"));
    taken.opens().unwrap();
    refused(&file, &taken, "ZV-JOURNAL-PLACE", &["is another journal", "journal_db.schema"]);

    // The unfinished target of one journal is none for another.
    let (other, begun) = (End::file(&folder, "other.db"), End::Schema(cluster().settings("begun")));
    filled(&folder.join("other.db"), 3);
    dies(&other, &begun, "begun");
    refused(&file, &begun, "ZV-JOURNAL-UNFINISHED", &["of another journal"]);

    // Somebody wrote to the target.
    dies(&file, &End::Schema(cluster().settings("touched")), "begun");
    let admin = cluster().admin_of("zv");
    let column = "open_id, environment, biz_id, revision, token, earlier, stage, attempt, owner, on_unknown, created_unix_ms, detail, unsettled, holds_back, due, unfinished, retired, other_biz_id, refused_refund, checksum";
    admin.batch(&format!(
        "INSERT INTO touched.zv_entry ({column}) VALUES ('x', 'e', 'X1', 1, 1, '{{}}', 'declined', 1, '', 'hold', 1, '{{}}', false, false, false, false, false, false, false, '\\x00')"
    ));
    refused(&file, &End::Schema(cluster().settings("touched")), "ZV-JOURNAL-DAMAGED", &["X1"]);

    // What was moved is moved to one place.
    let there = End::Schema(cluster().settings("wrong"));
    moved(&file, &there).unwrap();
    let elsewhere = End::Schema(cluster().settings("wrong2"));
    refused(&file, &elsewhere, "ZV-JOURNAL-MOVED", &["(schema wrong)"]);
    refused(&elsewhere, &End::file(&folder, "c.db"), "ZV-JOURNAL-PLACE", &["no journal"]);
    let back = End::file(&folder, "b.db");
    moved(&there, &back).unwrap();
    refused(&back, &there, "ZV-JOURNAL-MOVED", &["b.db"]);
    assert_eq!(back.opens().map(drop), Ok(()));
    refused(&End::file(&folder, "none.db"), &there, "ZV-JOURNAL-PLACE", &["no journal"]);
    refused(&End::Schema(cluster().settings("none")), &back, "ZV-JOURNAL-PLACE", &["no journal"]);
    std::fs::remove_dir_all(folder).unwrap();
}
