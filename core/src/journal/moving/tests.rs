//! Moves from file to file, whatever else happens to the files meanwhile.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::*;
use crate::gateway::Identity;
use crate::journal::test_folder::Folder;
use crate::journal::{
    Guard, Liveness, Page, Recorded, Sqlite, Store, arriving, inspect, leaving, owners_folder,
};
use crate::money::BizId;
use crate::outcome::codes::Code;
use crate::payment::{Detail, OnUnknown, Owner};

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(100)
}

fn sale(biz_id: &str, stage: Stage) -> Entry {
    let key =
        Key { open_id: "o".into(), environment: "production".into(), biz_id: BizId::new(biz_id).unwrap() };
    let identity = Identity { customer_id: Some(format!("of {biz_id}")), ..Identity::default() };
    let owner = Owner("1-gone".into());
    Entry::restore(key, identity, stage, 1, 1, owner, OnUnknown::Reverse, 20_000, Detail::default())
}

fn filled(path: &Path, count: usize) {
    let journal = Sqlite::open(path).unwrap();
    for number in 0..count {
        let recorded = journal.record(&sale(&format!("B{number}"), Stage::Unknown), Guard::Off, soon());
        assert!(matches!(recorded, Ok(Recorded::Done(()))), "{recorded:?}");
    }
}

fn moved(
    from: &Path,
    to: &Path,
    step: &mut dyn FnMut(Step) -> Result<(), JournalError>,
) -> Result<Moved, JournalError> {
    carry(leaving(from)?, |coming| arriving(to, coming), step)
}

#[track_caller]
fn refused<T>(result: Result<T, JournalError>, code: &Code, words: &str) {
    let error = result.err().unwrap();
    assert!(error.code.text == code.text && error.message.contains(words), "{}: {error}", error.code.text);
}

#[test]
fn a_file_moves_with_all_that_is_in_it() {
    let folder = Folder::new("moving");
    let (from, to) = (folder.journal(), folder.0.join("deep/there.db"));
    filled(&from, 600);
    let id = Sqlite::open(&from).unwrap().id().unwrap();
    let mut steps = Vec::new();
    let done = moved(&from, &to, &mut |step| {
        steps.push(step);
        Ok(())
    });
    let done = done.unwrap();
    let elsewhere = folder.0.join("elsewhere.db");
    refused(moved(&from, &elsewhere, &mut |_| Ok(())), &codes::JOURNAL_MOVED, "deep/there.db");
    assert!(!elsewhere.exists());
    assert_eq!((done.source.entries(), &done.source), (600, &done.target));
    let copied = |entries| Step::Copied { entries, before: 0 };
    assert_eq!(
        steps,
        [
            Step::Closed { entries: 600 },
            Step::Begun,
            copied(256),
            copied(512),
            copied(600),
            Step::Compared,
            Step::Sealed,
            Step::Finished
        ]
    );
    let there = Sqlite::open(&to).unwrap();
    assert_eq!(there.id().unwrap(), id);
    assert_eq!(there.unsettled(Page { after: None, limit: 1000 }).unwrap().len(), 600);
    let next = sale("new", Stage::Succeeded);
    assert!(matches!(there.record(&next, Guard::Off, soon()), Ok(Recorded::Done(()))));
    drop(there);
    assert_eq!(inspect(&to, Duration::ZERO).unwrap().entries, 601);

    // The source says where it is, to a till and to the doctor, and still shows its sales to a person.
    refused(Sqlite::open(&from), &codes::JOURNAL_MOVED, "deep/there.db");
    refused(inspect(&from, Duration::ZERO), &codes::JOURNAL_MOVED, "deep/there.db");
    let shell = Connection::open(&from).unwrap();
    let shown: i64 = shell.query_row("SELECT count(*) FROM sale", [], |row| row.get(0)).unwrap();
    // Versions before this one refuse what is above their own format.
    let format: i64 = shell.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!((shown, format), (600, i64::from(MOVED)));
}

#[test]
fn an_empty_journal_moves_too() {
    let folder = Folder::new("moving-empty");
    let to = folder.0.join("there.db");
    filled(&folder.journal(), 0);
    let id = Sqlite::open(&folder.journal()).unwrap().id().unwrap();
    assert_eq!(moved(&folder.journal(), &to, &mut |_| Ok(())).unwrap().source.entries(), 0);
    assert_eq!(Sqlite::open(&to).unwrap().id().unwrap(), id);
}

#[test]
fn a_till_that_starts_during_the_move_ends_it_or_can_write_nothing() {
    let folder = Folder::new("moving-late");
    let (from, to) = (folder.journal(), folder.0.join("there.db"));
    filled(&from, 1);
    let mut late = None;
    let result = moved(&from, &to, &mut |step| {
        if step == Step::Compared {
            let journal = Sqlite::open(&from).unwrap();
            refused(
                journal.record(&sale("late", Stage::Sending), Guard::Off, soon()),
                &codes::JOURNAL_LOCKED,
                "",
            );
            late = Some(journal);
        }
        Ok(())
    });
    refused(result, &codes::JOURNAL_LOCKED, "in use by the processes");
    let journal = late.unwrap();
    let recorded = journal.record(&sale("late", Stage::Succeeded), Guard::Off, soon());
    assert!(matches!(recorded, Ok(Recorded::Done(()))), "{recorded:?}");
    drop(journal);
    refused(Sqlite::open(&to), &codes::JOURNAL_UNFINISHED, "there.db");

    // Somebody has deleted its lock file, so that nobody knows of it.
    let unseen = Sqlite::open(&from).unwrap();
    fs::remove_file(owners_folder(&from).join(&unseen.owner().0)).unwrap();
    let done = moved(&from, &to, &mut |_| Ok(())).unwrap();
    assert_eq!((done.source.entries(), done.before), (2, 1));
    assert!(unseen.record(&sale("lost", Stage::Sending), Guard::Off, soon()).is_err());
    assert!(unseen.find(sale("B0", Stage::Sending).key()).is_err());
    unseen.close();
    drop(unseen);
    refused(Sqlite::open(&from), &codes::JOURNAL_MOVED, "there.db");
    assert_eq!(inspect(&to, Duration::ZERO).unwrap().entries, 2);
}

#[test]
fn what_is_there_is_never_written_over() {
    let folder = Folder::new("moving-there");
    let (from, to) = (folder.journal(), folder.0.join("there.db"));
    filled(&from, 2);
    let refused = |words: &str, code: &Code| refused(moved(&from, &to, &mut |_| Ok(())), code, words);
    fs::write(folder.0.join("there.db.mark"), "00000000000000000009\n").unwrap();
    refused("the mark of a journal that was there", &codes::JOURNAL_BEHIND);
    assert!(!to.exists());
    fs::remove_file(folder.0.join("there.db.mark")).unwrap();
    filled(&to, 0);
    refused("is another journal", &codes::JOURNAL_PLACE);
    fs::remove_file(&to).unwrap();
    let foreign = Connection::open(&to).unwrap();
    foreign.execute_batch("CREATE TABLE t (x)").unwrap();
    refused("another program's", &codes::JOURNAL_PLACE);
    let mode: String = foreign.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    drop(foreign);
    // A copy of the source: two journals with one identity.
    fs::remove_file(&to).unwrap();
    Sqlite::open(&from).unwrap().close();
    Connection::open(&from).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    fs::copy(&from, &to).unwrap();
    refused("one is a copy", &codes::JOURNAL_PLACE);
    assert_eq!(Sqlite::open(&from).map(drop).map_err(|error| error.message), Ok(()));
}

#[test]
fn a_target_without_a_mark_is_not_finished() {
    let folder = Folder::new("moving-mark");
    let (from, to) = (folder.journal(), folder.0.join("there.db"));
    filled(&from, 1);
    let mark = folder.0.join("there.db.mark");
    let result = moved(&from, &to, &mut |step| {
        if step == Step::Sealed {
            // Nothing can be written there.
            fs::create_dir(&mark).unwrap();
        }
        Ok(())
    });
    refused(result, &codes::JOURNAL_READ_ONLY, "the mark");
    refused(Sqlite::open(&to), &codes::JOURNAL_UNFINISHED, "");
    fs::remove_dir(&mark).unwrap();
    moved(&from, &to, &mut |_| Ok(())).unwrap();
    let id = Sqlite::open(&to).unwrap().id().unwrap();
    assert_eq!(Sqlite::open(&to).unwrap().id().unwrap(), id);
}

#[test]
fn the_checksum_depends_on_every_entry_and_not_on_their_order() {
    let entries = [sale("A", Stage::Unknown), sale("B", Stage::Kept), sale("C", Stage::Kept)];
    let total = |order: &[usize]| {
        let mut total = Total::default();
        for place in order {
            total.add(&entries[*place]).unwrap();
        }
        total
    };
    assert_eq!(total(&[0, 1, 2]), total(&[2, 0, 1]));
    assert_ne!(total(&[0, 1]).checksum, total(&[0, 2]).checksum);
    let changed = Entry::restore(
        entries[0].key().clone(),
        entries[0].identity().clone(),
        Stage::Unknown,
        2,
        1,
        entries[0].owner().clone(),
        OnUnknown::Reverse,
        20_000,
        Detail::default(),
    );
    assert_ne!(hash(&changed).unwrap(), hash(&entries[0]).unwrap());
    let seal = Seal { to: "there".into(), total: total(&[0, 1, 2]) };
    assert_eq!(Seal::read(&seal.to_text()), Some(seal));
    assert_eq!(Seal::read("there"), None);
}

#[test]
fn a_target_that_is_gone_is_not_made_again() {
    let folder = Folder::new("moving-gone");
    let (from, to) = (folder.journal(), folder.0.join("there.db"));
    filled(&from, 1);
    moved(&from, &to, &mut |_| Ok(())).unwrap();
    fs::remove_file(&to).unwrap();
    refused(moved(&from, &to, &mut |_| Ok(())), &codes::JOURNAL_BEHIND, "nothing is there any more");
    assert!(!to.exists());
}
