//! What a program that ships entries reads beside a till, and how long old details wait for it.

use super::*;
use crate::journal::{Changed, Changes, Shipped, StateScan};

fn changes(folder: &Folder) -> Changes {
    Changes::open(&folder.journal(), Duration::from_secs(1)).unwrap()
}

/// Everything behind a number, by two looks into the log and parts of the states, newest revision first.
fn behind(changes: &Changes, after: u64, most: usize) -> (u64, Vec<(String, u64, u64)>) {
    let look = changes.look(after).unwrap();
    let mut found = look.logged;
    let mut scan = look.states;
    while scan.is_some() {
        let part = changes.states(&mut scan, most).unwrap();
        assert!(part.len() <= most);
        found.extend(part);
    }
    let mut found: Vec<_> = found
        .iter()
        .map(|Changed { number, entry }| (entry.key().biz_id.to_string(), *number, entry.revision()))
        .collect();
    found.sort();
    (look.last, found)
}

fn feed_now(journal: &Sqlite) {
    journal.feed_and_checkpoint(soon()).unwrap();
}

#[test]
fn every_change_is_found_once_wherever_it_lies() {
    let folder = Folder::new("changes");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let changes = changes(&folder);
    assert_eq!(behind(&changes, 0, 9), (0, vec![]));
    let record = |biz_id: &str, stage, revision| {
        done_soon(&journal, &entry(&journal, biz_id, biz_id, stage, revision));
    };
    for number in 1..=5 {
        record(&format!("B{number}"), Stage::Sending, 1);
    }
    feed_now(&journal);
    record("B2", Stage::Declined, 2);
    record("B4", Stage::Unknown, 2);
    record("B4", Stage::Unknown, 3);
    let row = |biz_id: &str, number, revision| (biz_id.to_owned(), number, revision);
    let in_log = [row("B2", 6, 2), row("B4", 8, 3)];
    // B2 and B4 are in both tables; the log has them in their newest revision.
    for most in [1, 2, 9] {
        let (last, found) = behind(&changes, 0, most);
        assert_eq!(last, 8);
        let states = [row("B1", 1, 1), row("B2", 2, 1), row("B3", 3, 1), row("B4", 4, 1), row("B5", 5, 1)];
        let mut wanted: Vec<_> = states.into_iter().chain(in_log.clone()).collect();
        wanted.sort();
        assert_eq!(found, wanted, "{most} at once");
    }
    assert_eq!(
        behind(&changes, 3, 9).1,
        [row("B2", 6, 2), row("B4", 4, 1), row("B4", 8, 3), row("B5", 5, 1)]
    );
    assert_eq!(behind(&changes, 5, 9).1, in_log);
    assert_eq!(behind(&changes, 7, 9).1, [row("B4", 8, 3)]);
    assert_eq!(behind(&changes, 8, 9).1, []);
    feed_now(&journal);
    assert_eq!(behind(&changes, 5, 9).1, in_log);
    assert_eq!(behind(&changes, 6, 9).1, [row("B4", 8, 3)]);
    let look = changes.look(0).unwrap();
    assert_eq!((look.entries, look.journal), (5, journal.id().unwrap()));
}

#[test]
fn entries_are_counted_in_both_tables() {
    let folder = Folder::new("counted");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let record = |biz_id: &str, revision| {
        done_soon(&journal, &entry(&journal, biz_id, biz_id, Stage::Declined, revision));
    };
    record("B1", 1);
    record("B2", 1);
    feed_now(&journal);
    record("B2", 2);
    record("B3", 1);
    record("B3", 2);
    let changes = changes(&folder);
    assert_eq!(changes.look(0).unwrap().entries, 3);
    assert_eq!(changes.look(5).unwrap().entries, 3);
    let revision =
        |biz_id: &str| changes.revision(entry(&journal, biz_id, "", Stage::Declined, 1).key()).unwrap();
    assert_eq!(
        (revision("B1"), revision("B2"), revision("B3"), revision("B4")),
        (Some(1), Some(2), Some(2), None)
    );
}

/// An acknowledgement is an event without the record.
#[test]
fn what_a_till_has_read_is_a_change() {
    let folder = Folder::new("acknowledged-change");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let sale = entry(&journal, "B1", "1", Stage::Succeeded, 1);
    done_soon(&journal, &sale);
    feed_now(&journal);
    journal.acknowledge(sale.key().clone());
    done_soon(&journal, &entry(&journal, "B2", "2", Stage::Declined, 1));
    let look = changes(&folder).look(1).unwrap();
    let found: Vec<_> = look.logged.iter().map(|changed| &changed.entry).collect();
    let known = found.iter().find(|entry| entry.key() == sale.key()).unwrap();
    assert!(known.detail().acknowledged && known.revision() == 2, "{found:?}");
    assert!(look.states.is_none(), "nothing among the states is behind event 1");
}

/// An entry that changes between two parts is found by the next look, whichever table it lies in by then.
#[test]
fn a_change_between_two_parts_is_found_by_the_next_look() {
    let folder = Folder::new("between");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let record = |biz_id: &str, stage, revision| {
        done_soon(&journal, &entry(&journal, biz_id, biz_id, stage, revision));
    };
    for number in 0..8 {
        record(&format!("B{number}"), Stage::Sending, 1);
    }
    feed_now(&journal);
    let changes = changes(&folder);
    let look = changes.look(0).unwrap();
    let mut scan = look.states;
    let mut seen: Vec<(String, u64)> = Vec::new();
    let mut take = |scan: &mut Option<StateScan>| {
        let part = changes.states(scan, 3).unwrap();
        seen.extend(part.iter().map(|one| (one.entry.key().biz_id.to_string(), one.entry.revision())));
    };
    take(&mut scan);
    // One that was looked at, and one that was not.
    record("B0", Stage::Declined, 2);
    record("B7", Stage::Declined, 2);
    feed_now(&journal);
    while scan.is_some() {
        take(&mut scan);
    }
    let (_, later) = behind(&changes, look.last, 9);
    seen.extend(later.into_iter().map(|(biz_id, _, revision)| (biz_id, revision)));
    for number in 0..8 {
        let biz_id = format!("B{number}");
        let wanted = if [0, 7].contains(&number) { 2 } else { 1 };
        let newest = seen.iter().filter(|(own, _)| *own == biz_id).map(|(_, revision)| *revision).max();
        assert_eq!(newest, Some(wanted), "{biz_id}");
    }
}

/// A reader between two parts keeps nobody from writing, feeding or moving the WAL.
#[test]
fn a_reader_disturbs_nobody() {
    let folder = Folder::new("undisturbed");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    for number in 0..600 {
        done_soon(&journal, &entry(&journal, &format!("B{number}"), "1", Stage::Declined, 1));
    }
    feed_now(&journal);
    let changes = changes(&folder);
    let look = changes.look(0).unwrap();
    let mut scan = look.states;
    changes.states(&mut scan, 10).unwrap();
    assert!(scan.is_some());
    done_soon(&journal, &entry(&journal, "LATE", "1", Stage::Declined, 1));
    feed_now(&journal);
    let connection = journal.to_feed(soon()).unwrap();
    let (busy, left): (i64, i64) = connection
        .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(busy, 0, "a reader held the WAL ({left} pages)");
}

#[test]
fn a_journal_of_another_format_is_not_read() {
    let folder = Folder::new("changes-format");
    assert!(Changes::open(&folder.journal(), Duration::ZERO).is_err(), "there is none");
    drop(Sqlite::open(&folder.journal()).unwrap());
    Connection::open(folder.journal()).unwrap().execute_batch("PRAGMA user_version = 1").unwrap();
    let error = Changes::open(&folder.journal(), Duration::ZERO).err().unwrap();
    assert!(error.message.contains("has format 1"), "{error}");
}

#[test]
fn a_damaged_row_is_not_shipped() {
    let folder = Folder::new("changes-damage");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Declined, 1));
    Connection::open(folder.journal()).unwrap().execute("UPDATE event SET biz_id = 'B2'", []).unwrap();
    assert_eq!(changes(&folder).look(0).unwrap_err().code.text, "ZV-JOURNAL-DAMAGED");
}

/// With how far was shipped in the first column: what is dropped of two old entries, the second of which is very old.
#[test]
fn old_details_wait_for_shipping_as_long_again() {
    const KEPT: i64 = 10;
    let newest = 1000;
    for (position, wanted) in [
        // Nothing is shipped from here.
        (None, [true, true]),
        (Some(("own", 0)), [false, true]),
        (Some(("own", 1)), [true, true]),
        (Some(("own", 2)), [true, true]),
        (Some(("another", 2)), [false, true]),
        (Some(("damaged", 2)), [false, true]),
    ] {
        let folder = Folder::new("waits");
        let journal = Sqlite::open(&folder.journal()).unwrap();
        let sale = |biz_id: &str, day: i64| {
            let made = entry(&journal, biz_id, biz_id, Stage::Succeeded, 1);
            let detail = Detail { acknowledged: true, ..Detail::default() };
            let (key, identity, owner) =
                (made.key().clone(), made.identity().clone(), journal.owner().clone());
            let created = day * 86_400_000;
            Entry::restore(key, identity, Stage::Succeeded, 1, 1, owner, OnUnknown::Hold, created, detail)
        };
        let old = [sale("OLD", newest - KEPT - 1), sale("VERY", newest - 2 * KEPT - 1)];
        for entry in &old {
            done_soon(&journal, entry);
        }
        for day in 0..KEPT {
            done_soon(&journal, &sale(&format!("D{day}"), newest - day));
        }
        feed_now(&journal);
        if let Some((whose, number)) = position {
            let id = if whose == "own" { journal.id().unwrap() } else { whose.to_owned() };
            let shipped = Shipped { journal: id, number, collector: "c".to_owned(), witness: None };
            let text =
                if whose == "damaged" { "{".to_owned() } else { serde_json::to_string(&shipped).unwrap() };
            fs::write(Shipped::beside(&folder.journal()), text).unwrap();
        }
        let count = wanted.iter().filter(|dropped| **dropped).count();
        assert_eq!(journal.retire(KEPT, soon()).unwrap(), count, "{position:?}");
        for (entry, dropped) in old.iter().zip(wanted) {
            let found = journal.find(entry.key()).unwrap().unwrap();
            assert_eq!(found.detail().retired, dropped, "{position:?} {}", entry.key().biz_id);
        }
        // A row whose details were dropped keeps its number, so that this alone is no change.
        let scanned = behind(&changes(&folder), 2, 100).1;
        assert_eq!(scanned.len(), usize::try_from(KEPT).unwrap(), "{position:?}");
    }
}
