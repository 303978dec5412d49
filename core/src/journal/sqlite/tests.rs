//! The store on a real file: races, guards, damage, formats.

use super::*;
use crate::gateway::Identity;
use crate::journal::conformance::CASES;
use crate::journal::test_folder::Folder;
use crate::money::BizId;
use crate::payment::{Detail, OnUnknown, Stage};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

const EVERYTHING: Page<'_> = Page { after: None, limit: usize::MAX };

fn entry(journal: &Sqlite, biz_id: &str, customer: &str, stage: Stage, revision: u64) -> Entry {
    Entry::restore(
        Key { open_id: "o".into(), environment: "http://e".into(), biz_id: BizId::new(biz_id).unwrap() },
        Identity { customer_id: Some(customer.into()), coupons: vec!["7".into()], ..Identity::default() },
        stage,
        revision,
        1,
        journal.owner().clone(),
        OnUnknown::Reverse,
        17,
        Detail { returned_biz_id: Some("R".into()), ..Detail::default() },
    )
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(3)
}

fn done(recorded: &Recorded) {
    assert!(matches!(recorded, Recorded::Done(())), "{recorded:?}");
}

#[test]
fn it_does_what_every_store_does() {
    for (name, case) in CASES {
        for is_fed in [false, true] {
            let folder = Folder::new(&format!("{name}-{is_fed}"));
            let journal = Sqlite::open(&folder.journal()).unwrap();
            // Closing feeds everything; the journal may be used on.
            case(&journal, &|| {
                if is_fed {
                    journal.close();
                }
            });
        }
    }
}

#[test]
fn an_entry_comes_back_as_it_was_also_in_another_process() {
    let folder = Folder::new("back");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let first = entry(&journal, "B1", "1", Stage::Sending, 1);
    done(&journal.record(&first, Guard::Member, soon()).unwrap());
    let other = Sqlite::open(&folder.journal()).unwrap();
    assert_eq!(other.find(first.key()).unwrap(), Some(first.clone()));
    assert!(other.is_alive(first.owner()));
    assert!(other.has_other_biz_ids(first.key()).unwrap());
    drop(journal);
    assert!(!other.is_alive(first.owner()));
    assert_eq!(other.unsettled(EVERYTHING).unwrap().len(), 1);
}

#[test]
fn pages_hold_every_unsettled_entry_once_and_due_ones_leave_out_the_refused() {
    let folder = Folder::new("pages");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let stages = [Stage::Sending, Stage::Unknown, Stage::Refused, Stage::Reversing, Stage::Succeeded];
    for number in 0..25 {
        let stage = stages[number % stages.len()];
        done_soon(&journal, &entry(&journal, &format!("B{number}"), "1", stage, 1));
    }
    let biz_ids = |entries: Vec<Entry>| -> Vec<String> {
        entries.iter().map(|entry| entry.key().biz_id.to_string()).collect()
    };
    let in_one = biz_ids(journal.unsettled(EVERYTHING).unwrap());
    assert_eq!(in_one.len(), 20);
    for limit in [1, 3, 4, 20, 21] {
        let in_pages = biz_ids(Page::all(limit, |page| journal.unsettled(page)).unwrap());
        assert_eq!(in_pages, in_one, "{limit} a page");
        let due = biz_ids(Page::all(limit, |page| journal.due(page)).unwrap());
        assert_eq!(due.len(), 15, "{limit} a page");
        // As a list in memory is cut.
        let all: Vec<Entry> = journal.unsettled(EVERYTHING).unwrap();
        assert_eq!(biz_ids(Page::all(limit, |page| Ok(page.of(all.iter()))).unwrap()), in_one);
    }
    assert!(!biz_ids(journal.due(EVERYTHING).unwrap()).contains(&"B2".to_owned()));
}

#[test]
fn what_holds_a_record_back_is_found_without_writing() {
    let folder = Folder::new("held-back");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Unknown, 1));
    let next = entry(&journal, "B2", "1", Stage::Sending, 1);
    assert!(!journal.seems_free(&next, Guard::Member));
    assert!(journal.seems_free(&next, Guard::Off));
    assert!(!journal.seems_free(&entry(&journal, "B1", "2", Stage::Sending, 1), Guard::Off));
    // A sale does not wait for a long list.
    let listing = journal.to_read().unwrap();
    assert!(!journal.seems_free(&next, Guard::Off));
    drop(listing);
    assert!(journal.seems_free(&next, Guard::Off));
    assert!(journal.find(next.key()).unwrap().is_none());
}

#[test]
fn whoever_loses_a_race_reads_what_stands() {
    let folder = Folder::new("race");
    let one = Sqlite::open(&folder.journal()).unwrap();
    let two = Sqlite::open(&folder.journal()).unwrap();
    done(&one.record(&entry(&one, "B1", "1", Stage::Sending, 1), Guard::Off, soon()).unwrap());
    assert!(
        matches!(two.record(&entry(&two, "B1", "1", Stage::Sending, 1), Guard::Off, soon()).unwrap(), Recorded::Existing(found) if found.owner() == one.owner())
    );
    done(&two.record(&entry(&two, "B1", "1", Stage::Reversing, 2), Guard::Off, soon()).unwrap());
    assert!(
        matches!(one.record(&entry(&one, "B1", "1", Stage::Succeeded, 2), Guard::Off, soon()).unwrap(), Recorded::Existing(found) if found.stage() == Stage::Reversing)
    );
}

/// Has every entry recorded by a thread of its own while the journal is held, and then lets go of it.
fn recorded_together(journal: &Sqlite, entries: &[Entry]) -> Vec<Result<Recorded, JournalError>> {
    let held = journal.to_write(soon()).unwrap();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for entry in entries {
            threads.push(scope.spawn(|| {
                let told = journal.record(entry, Guard::Member, soon());
                // Nobody is told before it is there for all to see.
                assert!(told.is_err() || journal.find(entry.key()).unwrap().is_some());
                told
            }));
            // In this order.
            while journal.together.waiting() < threads.len() {
                std::thread::yield_now();
            }
        }
        drop(held);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn what_waits_is_written_together_as_if_one_after_the_other() {
    let folder = Folder::new("together");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let mut entries: Vec<Entry> = (0..8)
        .map(|number| {
            let entry = entry(&journal, &format!("B{number}"), &number.to_string(), Stage::Sending, 1);
            let identity = Identity { coupons: Vec::new(), ..entry.identity().clone() };
            Entry::restore(
                entry.key().clone(),
                identity,
                Stage::Sending,
                1,
                1,
                journal.owner().clone(),
                OnUnknown::Reverse,
                17,
                Detail::default(),
            )
        })
        .collect();
    entries.push(entries[3].clone());
    let mark = Watermark::beside(&folder.journal());
    let before = mark.read().unwrap();
    let recorded = recorded_together(&journal, &entries);
    let done = recorded.iter().filter(|told| matches!(told, Ok(Recorded::Done(())))).count();
    let stand = |told: &Result<Recorded, JournalError>| matches!(told, Ok(Recorded::Existing(found)) if *found == entries[3]);
    assert_eq!((done, recorded.iter().filter(|told| stand(told)).count()), (8, 1), "{recorded:?}");
    assert_eq!(mark.read().unwrap(), before + 8);
    for entry in &entries {
        assert_eq!(Sqlite::open(&folder.journal()).unwrap().find(entry.key()).unwrap().as_ref(), Some(entry));
    }
}

#[test]
fn what_is_written_together_is_all_there_or_none_of_it() {
    let folder = Folder::new("none");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    // A later record of what is not there: a damaged journal.
    let entries = [("B1", 1), ("B2", 2), ("B3", 1)]
        .map(|(biz_id, revision)| entry(&journal, biz_id, biz_id, Stage::Sending, revision));
    let recorded = recorded_together(&journal, &entries);
    // The first thread met B2, or wrote it; later threads find that the journal has stopped.
    assert!(recorded.iter().all(Result::is_err), "{recorded:?}");
    assert!(journal.unsettled(EVERYTHING).unwrap().is_empty());
}

#[test]
fn what_waited_too_long_is_not_written_later() {
    let folder = Folder::new("late");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let late = entry(&journal, "B1", "1", Stage::Sending, 1);
    let held = journal.to_write(soon()).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| journal.record(&late, Guard::Off, Instant::now()));
        assert_eq!(thread.join().unwrap().unwrap_err().code.text, "ZV-JOURNAL-LOCKED");
    });
    drop(held);
    done(&journal.record(&entry(&journal, "B2", "2", Stage::Sending, 1), Guard::Off, soon()).unwrap());
    assert_eq!(journal.find(late.key()).unwrap(), None);
}

/// An outcome is recorded though its call's time is over, if the journal is free a moment later.
#[test]
fn a_record_waits_for_a_moment_though_its_time_is_over() {
    let folder = Folder::new("moment");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    // On a busy machine the moment may be over once.
    let is_recorded = (0..10).any(|number| {
        let outcome = entry(&journal, &format!("B{number}"), "1", Stage::Succeeded, 1);
        let held = journal.to_write(soon()).unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| journal.record(&outcome, Guard::Off, Instant::now()));
            while journal.together.waiting() == 0 && !thread.is_finished() {
                std::thread::yield_now();
            }
            // Longer than a connection is waited for at all.
            std::thread::sleep(Duration::from_millis(60));
            drop(held);
            thread.join().unwrap().is_ok()
        })
    });
    assert!(is_recorded);
}

/// Those behind the first one are taken back with it.
#[test]
fn several_records_that_waited_too_long_are_not_written_later() {
    let folder = Folder::new("several-late");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let late = ["B1", "B2"].map(|biz_id| entry(&journal, biz_id, biz_id, Stage::Sending, 1));
    let held = journal.to_write(soon()).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| journal.record_all(&late, Instant::now()));
        let told = thread.join().unwrap();
        assert!(told.len() == 2 && told.iter().all(Result::is_err), "{told:?}");
    });
    drop(held);
    done_soon(&journal, &entry(&journal, "B3", "3", Stage::Sending, 1));
    assert!(late.iter().all(|entry| journal.find(entry.key()).unwrap().is_none()));
}

#[test]
fn a_lock_whose_file_is_gone_is_made_again_after_a_while() {
    let folder = Folder::new("names");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let lock = crate::journal::owners_folder(&folder.journal()).join(&journal.owner().0);
    fs::remove_file(&lock).unwrap();
    journal.look_after_names(Duration::from_hours(1));
    assert!(!lock.exists());
    journal.look_after_names(Duration::ZERO);
    assert!(lock.exists());
}

#[test]
fn an_unsettled_sale_holds_back_the_same_member_and_coupon() {
    let folder = Folder::new("guard");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done(&journal.record(&entry(&journal, "B1", "1", Stage::Reversing, 1), Guard::Off, soon()).unwrap());
    let same_member = entry(&journal, "B2", "1", Stage::Sending, 1);
    let same_coupon = entry(&journal, "B3", "2", Stage::Sending, 1);
    assert!(matches!(journal.record(&same_member, Guard::Member, soon()).unwrap(), Recorded::InDoubt(_)));
    assert!(matches!(journal.record(&same_coupon, Guard::Coupon, soon()).unwrap(), Recorded::InDoubt(_)));
    done(&journal.record(&same_member, Guard::Off, soon()).unwrap());
    // What stands already is told as it is, whatever else is in doubt.
    assert!(matches!(journal.record(&same_member, Guard::Member, soon()).unwrap(), Recorded::Existing(_)));
}

/// An earlier version recorded ids as they came.
#[test]
fn an_old_row_holds_back_its_member_and_its_coupon_in_every_spelling() {
    let folder = Folder::new("spelling");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let of = |biz_id: &str, customer: &str, coupon: &str, stage| {
        let entry = entry(&journal, biz_id, customer, stage, 1);
        let identity = Identity {
            coupons: vec![coupon.to_owned()],
            customer_id: Some(customer.into()),
            kind: Some(1),
            ..Identity::default()
        };
        Entry::restore(
            entry.key().clone(),
            identity,
            stage,
            1,
            1,
            entry.owner().clone(),
            OnUnknown::Reverse,
            17,
            Detail::default(),
        )
    };
    done(&journal.record(&of("OLD", "383 ", "\u{feff}QR1", Stage::Reversing), Guard::Off, soon()).unwrap());
    done(&journal.record(&of("NOBODY", "0", "QR9", Stage::Reversing), Guard::Off, soon()).unwrap());
    for (customer, coupon, guard, held) in [
        ("383", "QR2", Guard::Member, true),
        ("384", "QR1", Guard::Coupon, true),
        ("383", "QR2", Guard::Coupon, false),
        ("0383", "QR3", Guard::Member, false),
        ("0", "QR4", Guard::Member, false),
    ] {
        let new = of(&format!("N-{customer}-{coupon}"), customer, coupon, Stage::Sending);
        let recorded = journal.record(&new, guard, soon()).unwrap();
        assert_eq!(matches!(recorded, Recorded::InDoubt(_)), held, "{customer} {coupon}: {recorded:?}");
        if !held {
            // So that it holds back none of the next.
            done(
                &journal
                    .record(
                        &entry(&journal, new.key().biz_id.as_str(), customer, Stage::Succeeded, 2),
                        Guard::Off,
                        soon(),
                    )
                    .unwrap(),
            );
        }
    }
}

#[test]
fn a_changed_row_is_refused_and_stops_the_journal() {
    let folder = Folder::new("checksum");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let first = entry(&journal, "B1", "1", Stage::Reversing, 1);
    done(&journal.record(&first, Guard::Off, soon()).unwrap());
    let second = entry(&journal, "B2", "2", Stage::Succeeded, 1);
    done(&journal.record(&second, Guard::Off, soon()).unwrap());
    journal.feed_and_checkpoint(soon()).unwrap();
    let hand = Connection::open(folder.journal()).unwrap();
    hand.execute("UPDATE state SET stage = 'reversed' WHERE biz_id = 'B2'", []).unwrap();
    let error = journal.find(second.key()).unwrap_err();
    assert_eq!(error.code.text, "ZV-JOURNAL-DAMAGED");
    assert!(journal.record(&entry(&journal, "B9", "9", Stage::Sending, 1), Guard::Off, soon()).is_err());
}

/// A process takes its own events over from memory; what another one reads from the log, and what is fed, is verified.
#[test]
fn a_log_that_somebody_has_changed_is_refused() {
    let events = [
        ("a changed event", "UPDATE event SET owner = 'x' WHERE number = 2", true),
        ("a gap", "DELETE FROM event WHERE number = 2", true),
        ("an event under another number", "UPDATE event SET number = 4 WHERE number = 3", true),
        ("a fed event that was not fed", "UPDATE fed SET number = 2", true),
        ("a log without its end", "DELETE FROM event WHERE number >= 2", false),
    ];
    for (name, script, at_feeding) in events {
        let folder = Folder::new("log");
        let (journal, other) =
            (Sqlite::open(&folder.journal()).unwrap(), Sqlite::open(&folder.journal()).unwrap());
        for (number, biz_id) in ["B1", "B2", "B3"].into_iter().enumerate() {
            let by = if number == 0 { &other } else { &journal };
            done(&by.record(&entry(by, biz_id, biz_id, Stage::Succeeded, 1), Guard::Off, soon()).unwrap());
        }
        Connection::open(folder.journal()).unwrap().execute_batch(script).unwrap();
        let key = entry(&other, "B2", "2", Stage::Sending, 1).key().clone();
        let read = other.find(&key).map(drop);
        let written = journal.feed_and_checkpoint(soon());
        for (how, result) in [("read", read), ("fed", written)] {
            let refused = result.err().map(|error| error.code.text);
            let expected = if at_feeding || how == "read" { codes::JOURNAL_DAMAGED.text } else { "" };
            let behind = codes::JOURNAL_BEHIND.text;
            assert!(
                refused.is_none_or(|code| code == expected || code == behind),
                "{name}: {how}: {refused:?}"
            );
            assert!(refused.is_some() || !at_feeding, "{name}: {how}");
        }
        let again = journal.record(&entry(&journal, "B9", "9", Stage::Succeeded, 1), Guard::Off, soon());
        assert!(again.is_err(), "{name}");
    }
}

/// What was fed and deleted before another process has seen it stands in the states.
#[test]
fn what_was_fed_is_found_by_every_process() {
    let folder = Folder::new("fed");
    let (one, two) = (Sqlite::open(&folder.journal()).unwrap(), Sqlite::open(&folder.journal()).unwrap());
    let stages = [Stage::Succeeded, Stage::Unknown, Stage::Declined];
    for number in 0..300 {
        let biz_id = format!("B{number}");
        done_soon(&one, &entry(&one, &biz_id, &biz_id, stages[number % 3], 1));
        if number == 0 {
            one.acknowledge(entry(&one, "B0", "1", Stage::Succeeded, 1).key().clone());
        }
    }
    assert!(one.needs_care());
    one.care(soon()).unwrap();
    assert!(!one.needs_care());
    let count = |journal: &Sqlite, table: &str| -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        journal.to_read().unwrap().query_row(&query, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count(&one, "event"), count(&one, "state")), (0, 300));
    for journal in [&one, &two, &Sqlite::open(&folder.journal()).unwrap()] {
        let found = journal.find(entry(&one, "B299", "1", Stage::Sending, 1).key()).unwrap().unwrap();
        assert_eq!((found.stage(), found.revision()), (Stage::Declined, 1));
        let first = journal.find(entry(&one, "B0", "1", Stage::Sending, 1).key()).unwrap().unwrap();
        assert_eq!((first.detail().acknowledged, first.revision()), (true, 2));
        assert_eq!(journal.unsettled(EVERYTHING).unwrap().len(), 100);
        assert_eq!(journal.unfinished().unwrap().len(), 99);
    }
    // The numbers go on behind what was deleted.
    done_soon(&two, &entry(&two, "B1", "1", Stage::Reversing, 2));
    assert_eq!(one.index.lock().seen(), 301);
    assert_eq!(one.find(entry(&one, "B1", "1", Stage::Sending, 1).key()).unwrap().unwrap().revision(), 2);
    assert_eq!(one.index.lock().seen(), 302);
    assert!(!wal::is_short(&folder.journal()));
}

/// A process that commits while another one extends the WAL loses nothing.
#[test]
fn the_room_of_the_wal_is_written_only_where_nobody_else_writes() {
    let folder = Folder::new("wal");
    let (one, two) = (Sqlite::open(&folder.journal()).unwrap(), Sqlite::open(&folder.journal()).unwrap());
    let path = wal::path(&folder.journal());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..150 {
                let biz_id = format!("B{number}");
                done_soon(&two, &entry(&two, &biz_id, &biz_id, Stage::Succeeded, 1));
            }
        });
        while !writer.is_finished() {
            {
                // Under the write lock there is nothing behind the end but room.
                let turn = one.to_feed(soon()).unwrap();
                let Ok(transaction) = Transaction::to_write(&turn) else { continue };
                wal::extend(&folder.journal());
                drop(transaction);
            }
            std::thread::yield_now();
        }
    });
    assert!(fs::metadata(&path).unwrap().len() >= 1024 * 1024);
    drop((one, two));
    let journal = Sqlite::open(&folder.journal()).unwrap();
    for number in 0..150 {
        let key = entry(&journal, &format!("B{number}"), "1", Stage::Sending, 1).key().clone();
        assert!(journal.find(&key).unwrap().is_some(), "B{number}");
    }
}

/// Each of the checks of a start finds what the others cannot see.
#[test]
fn a_changed_row_and_an_index_without_its_row_are_each_refused_at_the_start() {
    let refused = |name: &str, damage: &[&str]| {
        let folder = Folder::new(name);
        let journal = Sqlite::open(&folder.journal()).unwrap();
        let first = entry(&journal, "B1", "1", Stage::Succeeded, 1);
        done(&journal.record(&first, Guard::Member, soon()).unwrap());
        journal.feed_and_checkpoint(soon()).unwrap();
        done(&journal.record(&entry(&journal, "B2", "2", Stage::Succeeded, 1), Guard::Off, soon()).unwrap());
        drop(journal);
        for script in damage {
            // A connection each, so that the next one reads the schema that was written.
            Connection::open(folder.journal()).unwrap().execute_batch(script).unwrap();
        }
        Sqlite::open(&folder.journal()).err().map(|error| error.code.text)
    };
    let index = |unfinished: u8| {
        format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX state_unfinished ON state \
             (created_unix_ms) WHERE unfinished = {unfinished}' WHERE name = 'state_unfinished'"
        )
    };
    assert_eq!(refused("whole", &[&index(1), "REINDEX state_unfinished"]), None);
    let without = [&index(7), "REINDEX state_unfinished", &index(1)];
    let damaged = Some(codes::JOURNAL_DAMAGED.text);
    assert_eq!(refused("index", &without), damaged);
    assert_eq!(refused("row", &["UPDATE state SET detail = replace(detail, 'R', 'S')"]), damaged);
    assert_eq!(refused("unmarked", &["UPDATE state SET unfinished = 0"]), damaged);
    assert_eq!(refused("event", &["UPDATE event SET customer_id = '3'"]), damaged);
}

/// A start that leaves the reading of the whole journal for later.
const LATER: fn() -> Opening = || Opening { later: true, ..Opening::default() };

/// What has a state in `complete`, and another file of the same journal from before, both without a WAL.
fn journal_of_many(folder: &Folder, count: usize) -> (Vec<u8>, Vec<u8>) {
    let path = folder.journal();
    // Few that a start lists, so that not every damage is found by that.
    let listed = [Stage::Succeeded, Stage::Unknown, Stage::Kept];
    let stage = |number: usize| if number % 100 < 3 { listed[number % 100] } else { Stage::Declined };
    let mut files = Vec::new();
    for half in 0..2 {
        let journal = Sqlite::open(&path).unwrap();
        for number in half * count / 2..(half + 1) * count / 2 {
            let biz_id = format!("B{number}");
            done_soon(&journal, &entry(&journal, &biz_id, &biz_id, stage(number), 1));
        }
        journal.feed_and_checkpoint(soon()).unwrap();
        drop(journal);
        files.push(fs::read(&path).unwrap());
    }
    fs::remove_file(wal::path(&path)).unwrap();
    (files.remove(0), files.remove(0))
}

/// Whatever a page holds, "there is none" and a list are said only where that is true.
#[test]
fn a_damaged_page_hides_no_sale_though_it_is_read_later() {
    const PAGE: usize = 4096;
    const MANY: usize = 800;
    let folder = Folder::new("pages-damaged");
    let (before, whole) = journal_of_many(&folder, MANY);
    let mark = folder.0.join("journal.db.mark");
    let (pages, mut random) = (whole.len() / PAGE, 1_u64);
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let (mut opened, mut found, mut told) = (0, 0, 0);
    for round in 0..120 {
        let mut damaged = whole.clone();
        let (one, other) = (1 + below(pages - 1), 1 + below(pages - 1));
        match round % 4 {
            0 => damaged[below(whole.len())] ^= 1 << below(8),
            1 => damaged.truncate(one * PAGE),
            2 => (0..PAGE).for_each(|byte| damaged.swap(one * PAGE + byte, other * PAGE + byte)),
            _ => {
                let old = 1 + below(before.len() / PAGE - 1);
                damaged[old * PAGE..(old + 1) * PAGE].copy_from_slice(&before[old * PAGE..(old + 1) * PAGE]);
            }
        }
        let folder = Folder::new("page-damaged");
        let path = folder.journal();
        fs::copy(&mark, folder.0.join("journal.db.mark")).unwrap();
        fs::write(&path, &damaged).unwrap();
        let Ok(journal) = Sqlite::open_as(&path, &LATER()) else { continue };
        opened += 1;
        for (list, count) in [(journal.unsettled(EVERYTHING), MANY / 100), (journal.unfinished(), MANY / 100)]
        {
            assert!(list.is_err() || list.is_ok_and(|list| list.len() == count), "{round}");
        }
        for _ in 0..20 {
            let biz_id = format!("B{}", below(MANY));
            let key = entry(&journal, &biz_id, &biz_id, Stage::Sending, 1).key().clone();
            let sale = journal.find(&key);
            assert!(!matches!(sale, Ok(None)), "{round}: {biz_id} is hidden");
            let again = entry(&journal, &biz_id, &biz_id, Stage::Sending, 1);
            let recorded = journal.record(&again, Guard::Off, soon());
            assert!(!matches!(recorded, Ok(Recorded::Done(()))), "{round}: {biz_id} is sent again");
            found += usize::from(sale.is_ok());
        }
        told += usize::from(journal.care(soon()).is_err() || journal.stopped.get().is_some());
    }
    assert!(opened > 30 && found > 400 && told > 10, "{opened} opened, {found} found, {told} told");
}

/// A page that was put back holds a row with a checksum that fits: the refusal that stood there before the success.
#[test]
fn a_row_from_an_earlier_time_is_neither_told_nor_sent_again() {
    const PAGE: usize = 4096;
    let histories = [
        (Stage::Declined, Stage::Succeeded),
        (Stage::NotSent, Stage::Succeeded),
        (Stage::Succeeded, Stage::Reversed),
    ];
    for (stage, last) in histories {
        let folder = Folder::new("row-earlier");
        let path = folder.journal();
        let journal = Sqlite::open(&path).unwrap();
        done_soon(&journal, &entry(&journal, "B1", "1", stage, 1));
        journal.feed_and_checkpoint(soon()).unwrap();
        let before = fs::read(&path).unwrap();
        done_soon(&journal, &entry(&journal, "B1", "1", Stage::Sending, 2));
        let last = entry(&journal, "B1", "1", last, 3);
        done_soon(&journal, &last);
        journal.acknowledge(last.key().clone());
        journal.close();
        journal.feed_and_checkpoint(soon()).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'state'";
        let root: u32 = journal.to_read().unwrap().query_row(root, [], |row| row.get(0)).unwrap();
        let root = root as usize;
        drop(journal);
        let mut mixed = fs::read(&path).unwrap();
        let page = (root - 1) * PAGE..root * PAGE;
        mixed[page.clone()].copy_from_slice(&before[page]);
        fs::remove_file(wal::path(&path)).unwrap();
        fs::write(&path, mixed).unwrap();
        let journal = Sqlite::open_as(&path, &LATER()).unwrap();
        assert!(journal.find(last.key()).is_err(), "{stage:?} is told");
        let again = entry(&journal, "B1", "1", Stage::Sending, 2);
        let recorded = journal.record(&again, Guard::Off, soon());
        assert!(recorded.is_err(), "{recorded:?}");
        drop(journal);
        let error = Sqlite::open(&path).err().unwrap();
        assert_eq!(error.code.text, "ZV-JOURNAL-DAMAGED");
    }
}

/// The refund of an old sale is found by its row in `filed` alone.
#[test]
fn a_day_is_not_told_without_the_refund_of_an_old_sale() {
    const PAGE: usize = 4096;
    const DAY: i64 = 900;
    let folder = Folder::new("filed-earlier");
    let path = folder.journal();
    let journal = Sqlite::open(&path).unwrap();
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Succeeded, 1));
    journal.feed_and_checkpoint(soon()).unwrap();
    let before = fs::read(&path).unwrap();
    let made = entry(&journal, "B1", "1", Stage::Reversed, 2);
    let at = r#"{"at":{"machine_unix_ms":77760000000,"gateway_unix_ms":null},"day":900}"#;
    let times = serde_json::from_str(&format!(r#"{{"succeeded":true,"returned":{at}}}"#)).unwrap();
    let refund = Entry::restore(
        made.key().clone(),
        made.identity().clone(),
        Stage::Reversed,
        2,
        1,
        journal.owner().clone(),
        OnUnknown::Reverse,
        made.created_unix_ms(),
        Detail { times, ..made.detail().clone() },
    );
    done_soon(&journal, &refund);
    journal.feed_and_checkpoint(soon()).unwrap();
    assert_eq!(journal.near_day(DAY).unwrap().len(), 1);
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'filed'";
    let root: u32 = journal.to_read().unwrap().query_row(root, [], |row| row.get(0)).unwrap();
    let root = root as usize;
    drop(journal);
    fs::remove_file(wal::path(&path)).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut mixed = whole.clone();
    let page = (root - 1) * PAGE..root * PAGE;
    mixed[page.clone()].copy_from_slice(&before[page]);
    for (bytes, is_whole) in [(whole, true), (mixed, false)] {
        fs::write(&path, bytes).unwrap();
        let journal = Sqlite::open_as(&path, &LATER()).unwrap();
        let told = journal.near_day(DAY).map(|entries| entries.len());
        assert_eq!(told.ok(), is_whole.then_some(1));
        assert_eq!(journal.stopped.get().is_none(), is_whole);
    }
}

/// A till that is switched off every night, and one that loses its power.
#[test]
fn the_wal_does_not_grow_from_start_to_start() {
    let folder = Folder::new("wal-starts");
    let path = folder.journal();
    let mut sales = 0..;
    let mut day = |is_closed: bool| {
        let journal = Sqlite::open(&path).unwrap();
        for sale in sales.by_ref().take(22) {
            let biz_id = format!("B{sale}");
            done_soon(&journal, &entry(&journal, &biz_id, &biz_id, Stage::Sending, 1));
            done_soon(&journal, &entry(&journal, &biz_id, &biz_id, Stage::Declined, 2));
        }
        if is_closed {
            journal.close();
        }
        fs::metadata(wal::path(&path)).unwrap().len()
    };
    let room = day(true);
    for is_closed in [true, false] {
        let longest = (0..20).map(|_| day(is_closed)).max();
        assert_eq!(longest, Some(room), "closed: {is_closed}");
    }
}

/// A new sale needs no reading of the whole journal; one that has a state, and one that should have, are waited for.
#[test]
fn only_a_look_up_that_should_find_something_waits_for_the_whole_journal() {
    let folder = Folder::new("later");
    drop(journal_of_many(&folder, 40));
    let journal = Sqlite::open_as(&folder.journal(), &LATER()).unwrap();
    let key = |biz_id: &str| entry(&journal, biz_id, "1", Stage::Sending, 1).key().clone();
    assert!(journal.find(&key("C1")).unwrap().is_none() && !journal.stands_elsewhere(&key("C1")).unwrap());
    done_soon(&journal, &entry(&journal, "C2", "C2", Stage::Succeeded, 1));
    assert!(journal.find(&key("C2")).unwrap().is_some() && journal.unsettled(EVERYTHING).is_ok());
    assert!(!journal.proof.is_complete() && journal.needs_care());
    // That a bizId has a record under one account does not say that it has none under another one.
    let other = Sqlite::open_as(&folder.journal(), &LATER()).unwrap();
    assert!(!other.proof.is_complete() && !other.stands_elsewhere(&key("B7")).unwrap());
    assert!(other.proof.is_complete());
    // Of another account.
    let elsewhere = Key { open_id: "o2".into(), ..key("B7") };
    assert!(journal.find(&elsewhere).unwrap().is_none() && journal.proof.is_complete());
    assert!(journal.stands_elsewhere(&elsewhere).unwrap());
    journal.care(soon()).unwrap();
    assert!(!journal.needs_care());
}

#[test]
fn a_row_that_vanished_is_damage() {
    let folder = Folder::new("vanished");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let error =
        journal.record(&entry(&journal, "B1", "1", Stage::Succeeded, 2), Guard::Off, soon()).unwrap_err();
    assert_eq!(error.code.text, "ZV-JOURNAL-DAMAGED");
}

#[test]
fn old_details_go_and_what_was_used_stays() {
    let folder = Folder::new("retire");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let at = |biz_id: &str, day: i64, stage: Stage| {
        let made = entry(&journal, biz_id, biz_id, stage, 1);
        let data = r#"{"bizId":"OLD","change_gift_amount":"1.00","total_amount":"9.00","change_recharge_amount":"2.00"}"#;
        let detail = Detail { acknowledged: true, data: Some(data.to_owned()), ..made.detail().clone() };
        let created = day * 86_400_000;
        Entry::restore(
            made.key().clone(),
            made.identity().clone(),
            stage,
            1,
            1,
            journal.owner().clone(),
            OnUnknown::Hold,
            created,
            detail,
        )
    };
    done(&journal.record(&at("OLD", 0, Stage::Succeeded), Guard::Off, soon()).unwrap());
    done(&journal.record(&at("GONE", 0, Stage::Declined), Guard::Off, soon()).unwrap());
    done(&journal.record(&at("OPEN", 0, Stage::Refused), Guard::Off, soon()).unwrap());
    journal.feed_and_checkpoint(soon()).unwrap();
    // A clock that has jumped ahead once is no reason.
    done(&journal.record(&at("JUMP", 1000, Stage::Succeeded), Guard::Off, soon()).unwrap());
    assert_eq!(journal.retire(90, soon()).unwrap(), 0);
    for day in 920..1000 {
        done(&journal.record(&at(&format!("D{day}"), day, Stage::Succeeded), Guard::Off, soon()).unwrap());
    }
    journal.feed_and_checkpoint(soon()).unwrap();
    assert_eq!(journal.retire(90, soon()).unwrap(), 2);
    let key = |biz_id: &str| Key {
        open_id: "o".into(),
        environment: "http://e".into(),
        biz_id: BizId::new(biz_id).unwrap(),
    };
    let old = journal.find(&key("OLD")).unwrap().unwrap();
    // A success may still be undone, which needs whose it was; what cannot is known by its bizId alone.
    assert_eq!(
        (old.stage(), old.identity().customer_id.as_deref(), old.detail().retired),
        (Stage::Succeeded, Some("OLD"), true)
    );
    let data = r#"{"bizId":"OLD","change_gift_amount":"1.00","change_recharge_amount":"2.00"}"#;
    assert_eq!(old.detail().data.as_deref(), Some(data));
    let gone = journal.find(&key("GONE")).unwrap().unwrap();
    assert_eq!((gone.stage(), gone.identity().customer_id.clone()), (Stage::Declined, None));
    let open = journal.find(&key("OPEN")).unwrap().unwrap();
    assert_eq!(open.identity().customer_id.as_deref(), Some("OPEN"));
    assert_eq!(journal.retire(90, soon()).unwrap(), 0);
}

#[test]
fn formats_and_places_are_refused_in_words() {
    let folder = Folder::new("formats");
    drop(Sqlite::open(&folder.journal()).unwrap());
    Connection::open(folder.journal()).unwrap().execute_batch("PRAGMA user_version = 3").unwrap();
    assert_eq!(Sqlite::open(&folder.journal()).err().unwrap().code.text, "ZV-JOURNAL-NEWER");
    let foreign = folder.0.join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert_eq!(Sqlite::open(&foreign).err().unwrap().code.text, "ZV-JOURNAL-PLACE");
    let garbage = folder.0.join("garbage.db");
    fs::write(&garbage, vec![b'x'; 5000]).unwrap();
    assert_eq!(Sqlite::open(&garbage).err().unwrap().code.text, "ZV-JOURNAL-DAMAGED");
}

#[test]
fn a_journal_behind_its_mark_is_refused() {
    let folder = Folder::new("mark");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done(&journal.record(&entry(&journal, "B1", "1", Stage::Sending, 1), Guard::Off, soon()).unwrap());
    drop(journal);
    let early = fs::read(folder.journal()).unwrap();
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done(&journal.record(&entry(&journal, "B2", "2", Stage::Sending, 1), Guard::Off, soon()).unwrap());
    drop(journal);
    fs::write(folder.journal(), early).unwrap();
    let _ = fs::remove_file(folder.0.join("journal.db-wal"));
    assert_eq!(Sqlite::open(&folder.journal()).err().unwrap().code.text, "ZV-JOURNAL-BEHIND");
    fs::remove_file(folder.journal()).unwrap();
    assert_eq!(Sqlite::open(&folder.journal()).err().unwrap().code.text, "ZV-JOURNAL-BEHIND");
}

#[test]
fn a_journal_that_others_write_to_is_never_taken_for_one_that_lost_records() {
    let folder = Folder::new("busy");
    let writer = Sqlite::open(&folder.journal()).unwrap();
    let opening = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                let entry = entry(&writer, &format!("B{number}"), "1", Stage::Succeeded, 1);
                done(&writer.record(&entry, Guard::Off, soon()).unwrap());
                // A till has pauses, too.
                std::thread::sleep(Duration::from_millis(1));
                if !opening.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..100 {
            let opened = Sqlite::open(&folder.journal()).map(drop);
            opening.store(opened.is_ok(), Ordering::Relaxed);
            opened.unwrap();
        }
        opening.store(false, Ordering::Relaxed);
    });
}

#[test]
fn proof_a_journal_without_its_index_is_stopped() {
    let folder = Folder::new("shm");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done(&journal.record(&entry(&journal, "B1", "1", Stage::Sending, 1), Guard::Off, soon()).unwrap());
    let mut shm = folder.journal().into_os_string();
    shm.push("-shm");
    std::fs::remove_file(shm).unwrap();
    assert!(journal.record(&entry(&journal, "B2", "2", Stage::Sending, 1), Guard::Off, soon()).is_err());
}

/// Only its removal is a person's acceptance that records are lost.
#[test]
fn a_mark_without_its_number_is_refused() {
    let folder = Folder::new("mark-empty");
    let mark = folder.0.join("journal.db.mark");
    let identity = {
        let journal = Sqlite::open(&folder.journal()).unwrap();
        done(&journal.record(&entry(&journal, "B1", "1", Stage::Sending, 1), Guard::Off, soon()).unwrap());
        journal.id().unwrap()
    };
    let number = fs::read(&mark).unwrap();
    for damaged in ["", "\n", "\0\0\0\0", "x"] {
        fs::write(&mark, damaged).unwrap();
        let error = Sqlite::open(&folder.journal()).err().unwrap();
        assert_eq!(error.code.text, "ZV-JOURNAL-BEHIND", "{damaged:?}");
    }
    fs::write(&mark, number).unwrap();
    assert_eq!(Sqlite::open(&folder.journal()).unwrap().id().unwrap(), identity);
    fs::remove_file(&mark).unwrap();
    assert_ne!(Sqlite::open(&folder.journal()).unwrap().id().unwrap(), identity);
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_is_no_journal() {
    let folder = Folder::new("names");
    drop(Sqlite::open(&folder.journal()).unwrap());
    let other = folder.0.join("other.db");
    fs::hard_link(folder.journal(), &other).unwrap();
    for name in [&folder.journal(), &other] {
        let error = Sqlite::open(name).err().unwrap();
        assert_eq!(error.code.text, "ZV-JOURNAL-PLACE");
        assert!(error.message.contains("2 names"), "{}", error.message);
    }
    fs::remove_file(&other).unwrap();
    assert!(Sqlite::open(&folder.journal()).is_ok());
}

#[test]
fn the_mark_never_goes_down() {
    let folder = Folder::new("mark-up");
    let (mine, others) = (Watermark::beside(&folder.journal()), Watermark::beside(&folder.journal()));
    mine.hold().raise(7);
    // Between a commit and its mark another process has committed.
    let held = mine.hold();
    assert_eq!(held.known(), 7);
    let late = others.hold();
    drop(held);
    mine.hold().raise(9);
    late.raise(8);
    assert_eq!(mine.read(), Some(9));
    // A caller without patience leaves the file alone.
    let held = mine.hold();
    others.hold().raise(10);
    assert_eq!((mine.read(), held.known()), (Some(9), 9));
    drop(held);
    others.hold().raise(11);
    fs::remove_file(folder.0.join("journal.db.mark")).unwrap();
    mine.keep_name();
    mine.hold().raise(12);
    assert_eq!(mine.read(), Some(12));
}

/// Two processes commit and write the mark beside each other; a third one watches it.
#[test]
fn the_mark_only_rises_while_two_commit() {
    let folder = Folder::new("mark-race");
    let journals = [0, 1].map(|_| Sqlite::open(&folder.journal()).unwrap());
    let watcher = Watermark::beside(&folder.journal());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = journals
            .iter()
            .enumerate()
            .map(|(till, journal)| {
                scope.spawn(move || {
                    for number in 0..200 {
                        let biz_id = format!("B{till}-{number}");
                        let entry = entry(journal, &biz_id, &biz_id, Stage::Succeeded, 1);
                        done_soon(journal, &entry);
                    }
                })
            })
            .collect();
        let watching = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let mark = watcher.read().unwrap_or(last);
                assert!(mark >= last, "{mark} after {last}");
                last = mark;
            }
        });
        for thread in threads {
            thread.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        watching.join().unwrap();
    });
}

fn done_soon(journal: &Sqlite, entry: &Entry) {
    done(&journal.record(entry, Guard::Off, soon()).unwrap());
}

fn first_format(folder: &Folder) -> PathBuf {
    let path = folder.journal();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/journal-v1.db"), &path).unwrap();
    path
}

/// A program with an earlier version may write until it ends; then it finds no table that it knows.
#[test]
fn an_earlier_format_is_left_alone_while_an_earlier_version_uses_it() {
    let folder = Folder::new("earlier");
    let path = first_format(&folder);
    let owners = crate::journal::owners_folder(&path);
    fs::create_dir_all(&owners).unwrap();
    let earlier = fs::File::create(owners.join("7-00-10000")).unwrap();
    earlier.lock().unwrap();
    let patience = Duration::from_millis(50);
    let opening = Opening { patience, ..Opening::default() };
    let error = Sqlite::open_as(&path, &opening).err().unwrap();
    assert_eq!(error.code.text, codes::JOURNAL_LOCKED.text);
    assert!(error.message.contains("earlier version"), "{}", error.message);
    let hand = Connection::open(&path).unwrap();
    let count = |table: &str| hand.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    let rows: i64 = count("entry").unwrap();
    assert_eq!(inspect(&path, patience).unwrap().entries, u64::try_from(rows).unwrap());
    drop(earlier);
    let journal = Sqlite::open_as(&path, &opening).unwrap();
    assert_eq!(count("state").unwrap(), rows);
    for written in ["UPDATE entry SET revision = 9", "UPDATE journal SET sequence = 9"] {
        assert!(hand.execute(written, []).unwrap_err().to_string().contains("no such table"), "{written}");
    }
    // Two programs of this version do not wait for each other.
    assert!(Sqlite::open_as(&path, &opening).is_ok());
    assert_eq!(inspect(&path, patience).unwrap().unsettled, journal.unsettled(EVERYTHING).unwrap());
}

#[test]
fn an_upgrade_that_is_cut_off_leaves_the_first_format_whole() {
    let folder = Folder::new("cut-off");
    let path = first_format(&folder);
    let connection = Connection::open(&path).unwrap();
    let version = || connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let mut before = Vec::new();
    format_1::each(&connection, |entry| {
        before.push(entry);
        Ok(())
    })
    .unwrap();
    let transaction = Transaction::to_write(&connection).unwrap();
    upgrade::from_format_1(&transaction).unwrap();
    drop(transaction);
    assert_eq!(version(), 1);
    let journal = Sqlite::open(&path).unwrap();
    assert_eq!(version(), 2);
    for entry in before {
        assert_eq!(journal.find(entry.key()).unwrap(), Some(entry));
    }
}

/// The row is not believed, and nothing is changed.
#[test]
fn a_damaged_row_of_the_first_format_is_not_taken_over() {
    let folder = Folder::new("damaged-1");
    let path = first_format(&folder);
    Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE entry SET stage = 'declined' WHERE biz_id = 'F-done'")
        .unwrap();
    assert_eq!(Sqlite::open(&path).err().unwrap().code.text, codes::JOURNAL_DAMAGED.text);
    let version: i64 =
        Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}

/// What a killed process was doing: records, feeds and checkpoints without a pause. Each line that it prints is a record
/// that it was told of.
#[test]
#[ignore = "runs as a process of the test below"]
fn a_process_that_is_killed() {
    let Some(path) = std::env::var_os("ZVPOS_TEST_JOURNAL") else { return };
    let journal = Sqlite::open(Path::new(&path)).unwrap();
    println!("\nopen");
    for number in 0.. {
        let biz_id = format!("K{}-{number}", std::process::id());
        for (revision, stage) in [(1, Stage::Sending), (2, Stage::Succeeded)] {
            done(
                &journal
                    .record(&entry(&journal, &biz_id, &biz_id, stage, revision), Guard::Off, soon())
                    .unwrap(),
            );
            println!("{biz_id} {revision}");
        }
        journal.acknowledge(entry(&journal, &biz_id, &biz_id, Stage::Sending, 1).key().clone());
        if number % 8 == 7 {
            journal.feed_and_checkpoint(soon()).unwrap();
        }
    }
}

/// Killed in the middle of an upgrade, of the room for the WAL, of a record, a feed or a checkpoint: what was told is
/// there, and the next process goes on.
#[test]
fn a_journal_survives_a_kill_at_every_step() {
    use std::io::BufRead;
    let rounds: u64 =
        std::env::var("ZVPOS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(60).min(2000);
    let folder = Folder::new("killed");
    let mut told: Vec<(String, u64)> = Vec::new();
    let (mut fixture, mut upgrades, mut opened) = (Vec::new(), 0, 0);
    for round in 0..rounds {
        let path = folder.journal();
        if round % 10 == 0 {
            // It begins again, with a journal of the first format.
            let _ = fs::remove_dir_all(&folder.0);
            fs::create_dir_all(&folder.0).unwrap();
            first_format(&folder);
            told.clear();
            fixture.clear();
            let connection = Connection::open(&path).unwrap();
            format_1::each(&connection, |entry| {
                fixture.push(entry);
                Ok(())
            })
            .unwrap();
        } else if round % 3 == 0 {
            // The room of the WAL is made again by the next process.
            Connection::open(&path)
                .unwrap()
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::sqlite::tests::a_process_that_is_killed", "--ignored", "--nocapture"])
            .env("ZVPOS_TEST_JOURNAL", &path)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // A few milliseconds are an opening and an upgrade, more are records.
        let pause = Duration::from_micros((round * 7919) % if round % 2 == 0 { 30_000 } else { 150_000 });
        std::thread::sleep(pause);
        child.kill().unwrap();
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        for line in output.lines().map_while(Result::ok) {
            opened += u64::from(line == "open");
            if let Some((biz_id, revision)) = line.split_once(' ').filter(|(id, _)| id.starts_with('K'))
                && let Ok(revision) = revision.parse()
            {
                told.push((biz_id.to_owned(), revision));
            }
        }
        child.wait().unwrap();
        let version =
            || Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0));
        upgrades += u64::from(version().is_ok_and(|version: i64| version == 1));
        let journal = Sqlite::open(&path).unwrap();
        assert_eq!(version(), Ok(2));
        for entry in &fixture {
            assert_eq!(journal.find(entry.key()).unwrap().as_ref(), Some(entry), "round {round}");
        }
        for (biz_id, revision) in &told {
            let found = journal.find(entry(&journal, biz_id, biz_id, Stage::Sending, 1).key()).unwrap();
            assert!(
                found.is_some_and(|found| found.revision() >= *revision),
                "round {round}: {biz_id} {revision}"
            );
        }
        verify::all(&Transaction::to_read(&journal.to_read().unwrap()).unwrap()).unwrap();
    }
    println!(
        "{rounds} kills, {opened} after the opening, {upgrades} before the end of an upgrade, {} records told",
        told.len()
    );
}

#[test]
fn a_journal_makes_its_folder_and_what_is_unused_keeps_its_identity() {
    let folder = Folder::new("nested");
    let path = folder.0.join("a/b/journal.db");
    let journal = Sqlite::open(&path).unwrap();
    let id = journal.id().unwrap();
    drop(journal);
    // A mark that was cut off before the first record says nothing about records.
    fs::write(folder.0.join("a/b/journal.db.mark"), "x").unwrap();
    assert_eq!(Sqlite::open(&path).unwrap().id().unwrap(), id);
    assert_eq!(fs::metadata(wal::path(&path)).unwrap().len(), 2 * 1024 * 1024);
}

/// The new identity counts as a change, so that a copy from before it is behind.
#[test]
fn an_accepted_loss_gives_a_new_identity_under_a_number_of_its_own() {
    let folder = Folder::new("accepted");
    let path = folder.journal();
    let journal = Sqlite::open(&path).unwrap();
    for biz_id in ["B1", "B2", "B3"] {
        done_soon(&journal, &entry(&journal, biz_id, biz_id, Stage::Succeeded, 1));
    }
    let id = journal.id().unwrap();
    drop(journal);
    fs::remove_file(folder.0.join("journal.db.mark")).unwrap();
    let journal = Sqlite::open(&path).unwrap();
    assert_ne!(journal.id().unwrap(), id);
    let inspection = inspect(&path, BUSY).unwrap();
    assert_eq!((inspection.sequence, inspection.entries), (4, 3));
    done_soon(&journal, &entry(&journal, "B4", "B4", Stage::Succeeded, 1));
}

#[test]
fn an_upgrade_counts_as_a_change() {
    let folder = Folder::new("counted");
    let path = first_format(&folder);
    let before = inspect(&path, BUSY).unwrap();
    let journal = Sqlite::open(&path).unwrap();
    let after = inspect(&path, BUSY).unwrap();
    assert_eq!((before.format, after.format), (1, 2));
    assert!(before.sequence > 1 && before.entries > 1);
    // The file came without its mark, so that a new identity is the second change.
    assert_eq!(after.sequence, before.sequence + 2);
    assert_eq!(after.entries, before.entries);
    assert_eq!(after.unsettled, before.unsettled);
    drop(journal);
}

#[test]
fn an_inspection_reads_the_log_and_the_states_and_checks_both() {
    let folder = Folder::new("inspection");
    let path = folder.journal();
    let journal = Sqlite::open(&path).unwrap();
    assert_eq!(inspect(&path, BUSY).unwrap().entries, 0);
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Unknown, 1));
    done_soon(&journal, &entry(&journal, "B2", "2", Stage::Succeeded, 1));
    journal.feed_and_checkpoint(soon()).unwrap();
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Reversing, 2));
    done_soon(&journal, &entry(&journal, "B3", "3", Stage::Succeeded, 1));
    let found = inspect(&path, BUSY).unwrap();
    assert_eq!((found.format, found.sequence, found.entries), (2, 4, 3));
    assert_eq!(found.unsettled, journal.unsettled(EVERYTHING).unwrap());
    let hand = Connection::open(&path).unwrap();
    for (change, back) in [
        // A settled entry's, which no list reads.
        (
            "UPDATE state SET owner = 'x' || owner WHERE biz_id = 'B2'",
            "UPDATE state SET owner = substr(owner, 2) WHERE biz_id = 'B2'",
        ),
        ("UPDATE event SET owner = 'x' || owner", "UPDATE event SET owner = substr(owner, 2)"),
    ] {
        hand.execute_batch(change).unwrap();
        assert_eq!(inspect(&path, BUSY).unwrap_err().code.text, codes::JOURNAL_DAMAGED.text, "{change}");
        hand.execute_batch(back).unwrap();
        assert!(inspect(&path, BUSY).is_ok(), "{back}");
    }
    let mark = Watermark::beside(&path);
    let base = mark.read_base().unwrap();
    assert!(base > 0);
    mark.hold().raise_base(base + 1);
    assert_eq!(inspect(&path, BUSY).unwrap_err().code.text, codes::JOURNAL_BEHIND.text);
    fs::remove_file(folder.0.join("journal.db.mark")).unwrap();
    assert!(inspect(&path, BUSY).is_ok());
    Watermark::beside(&path).hold().raise(5);
    assert_eq!(inspect(&path, BUSY).unwrap_err().code.text, codes::JOURNAL_BEHIND.text);
}

/// A mark that another process has raised meanwhile, by one change that this file does not have.
#[test]
fn a_record_is_refused_beside_a_mark_that_knows_a_later_change() {
    let folder = Folder::new("raised");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Succeeded, 1));
    Watermark::beside(&folder.journal()).hold().raise(2);
    let error =
        journal.record(&entry(&journal, "B2", "2", Stage::Succeeded, 1), Guard::Off, soon()).unwrap_err();
    assert_eq!(error.code.text, codes::JOURNAL_BEHIND.text);
    assert!(journal.record(&entry(&journal, "B3", "3", Stage::Succeeded, 1), Guard::Off, soon()).is_err());
}

/// A process whose first use of the journal is a record, after another one has fed all of the log.
#[test]
fn a_record_is_held_back_by_what_only_the_states_know() {
    let folder = Folder::new("states-only");
    let (one, two) = (Sqlite::open(&folder.journal()).unwrap(), Sqlite::open(&folder.journal()).unwrap());
    done_soon(&one, &entry(&one, "B1", "1", Stage::Unknown, 1));
    one.feed_and_checkpoint(soon()).unwrap();
    let recorded = two.record(&entry(&two, "B2", "1", Stage::Sending, 1), Guard::Member, soon()).unwrap();
    assert!(matches!(recorded, Recorded::InDoubt(_)), "{recorded:?}");
}

/// Where no thread feeds the log, a call does once its own outcome is durable; an intent is not kept waiting.
#[test]
fn a_call_feeds_a_log_that_has_become_too_long() {
    let folder = Folder::new("too-long");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let intents: Vec<Entry> = (0..TOO_MANY)
        .map(|number| entry(&journal, &format!("B{number}"), &format!("{number}"), Stage::Sending, 1))
        .collect();
    assert!(journal.record_all(&intents, soon()).iter().all(Result::is_ok));
    done_soon(&journal, &entry(&journal, "LAST", "x", Stage::Sending, 1));
    assert_eq!(journal.index.lock().waiting(), TOO_MANY + 1);
    done_soon(&journal, &entry(&journal, "LAST", "x", Stage::Succeeded, 2));
    assert!(journal.index.lock().waiting() < TOO_MANY);
}

/// A copy of the database alone is whole after a close, and the WAL begins again.
#[test]
fn what_was_closed_stands_in_the_database_alone() {
    let folder = Folder::new("alone");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    for number in 0..40 {
        let biz_id = format!("B{number}");
        done_soon(&journal, &entry(&journal, &biz_id, &biz_id, Stage::Succeeded, 1));
    }
    let other = Connection::open(folder.journal()).unwrap();
    assert!(wal::pages(&other).unwrap() > 40);
    journal.close();
    assert_eq!(wal::pages(&other).unwrap(), 1);
    let copy = folder.0.join("copy.db");
    fs::copy(folder.journal(), &copy).unwrap();
    assert_eq!(inspect(&copy, BUSY).unwrap().entries, 40);
}

/// So many days with sales must have followed; half of what is kept, for a till is closed on some.
#[test]
fn details_are_kept_until_enough_days_have_followed() {
    for (days, followed, dropped) in [(4, 1, 0), (4, 2, 1), (5, 2, 1), (6, 2, 0)] {
        let folder = Folder::new("followed");
        let journal = Sqlite::open(&folder.journal()).unwrap();
        let sale = |day: i64| {
            let made = entry(&journal, &format!("D{day}"), &format!("{day}"), Stage::Succeeded, 1);
            let detail = Detail { acknowledged: true, ..Detail::default() };
            Entry::restore(
                made.key().clone(),
                made.identity().clone(),
                Stage::Succeeded,
                1,
                1,
                journal.owner().clone(),
                OnUnknown::Hold,
                day * 86_400_000,
                detail,
            )
        };
        done_soon(&journal, &sale(0));
        for day in 0..followed {
            done_soon(&journal, &sale(100 - day));
        }
        journal.feed_and_checkpoint(soon()).unwrap();
        assert_eq!(journal.retire(days, soon()).unwrap(), dropped, "{days} days kept, {followed} followed");
        // A second time there is nothing left to do, and what was dropped stays dropped.
        assert_eq!(journal.retire(days, soon()).unwrap(), 0);
        let first = sale(0);
        drop(journal);
        let again = Sqlite::open(&folder.journal()).unwrap();
        let found = again.find(first.key()).unwrap().unwrap();
        assert_eq!(found.detail().retired, dropped == 1);
    }
}

/// Filed twice under the same far day, and counted once.
#[test]
fn an_entry_is_filed_under_a_far_day_once() {
    let folder = Folder::new("filed-twice");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    for revision in [1, 2] {
        let made = entry(&journal, "B1", "1", Stage::Reversed, revision);
        let times = crate::payment::Times::filed(20_000 * 86_400_000, Some(20_030 * 86_400_000));
        let detail = Detail { times, ..Detail::default() };
        let (key, identity) = (made.key().clone(), made.identity().clone());
        let owner = journal.owner().clone();
        let entry = Entry::restore(
            key,
            identity,
            Stage::Reversed,
            revision,
            1,
            owner,
            OnUnknown::Hold,
            20_000 * 86_400_000,
            detail,
        );
        done_soon(&journal, &entry);
        journal.feed_and_checkpoint(soon()).unwrap();
    }
    drop(journal);
    let again = Sqlite::open(&folder.journal()).unwrap();
    assert_eq!(again.near_day(20_030).unwrap().len(), 1);
}

#[test]
fn what_cannot_be_written_is_explained_by_its_cause() {
    use std::io::{Error, ErrorKind};
    let path = Path::new("journal.db");
    for (kind, code) in [
        (ErrorKind::ReadOnlyFilesystem, &codes::JOURNAL_READ_ONLY),
        (ErrorKind::StorageFull, &codes::JOURNAL_FULL),
        (ErrorKind::QuotaExceeded, &codes::JOURNAL_FULL),
        (ErrorKind::PermissionDenied, &codes::JOURNAL_PLACE),
    ] {
        assert_eq!(not_made(path, &Error::from(kind)).code.text, code.text, "{kind}");
    }
    for (number, code) in [
        (ffi::SQLITE_IOERR_SHMSIZE, &codes::JOURNAL_FULL),
        (ffi::SQLITE_FULL, &codes::JOURNAL_FULL),
        (ffi::SQLITE_READONLY, &codes::JOURNAL_READ_ONLY),
        (ffi::SQLITE_PERM, &codes::JOURNAL_READ_ONLY),
        (ffi::SQLITE_CANTOPEN, &codes::JOURNAL_PLACE),
        (ffi::SQLITE_BUSY, &codes::JOURNAL_LOCKED),
        (ffi::SQLITE_LOCKED, &codes::JOURNAL_LOCKED),
        (ffi::SQLITE_CORRUPT, &codes::JOURNAL_DAMAGED),
        (ffi::SQLITE_NOTADB, &codes::JOURNAL_DAMAGED),
        (ffi::SQLITE_IOERR_FSYNC, &codes::JOURNAL),
    ] {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(number), None);
        assert_eq!(explain(path, &error).code.text, code.text, "{number}");
    }
    assert_eq!(explain(path, &damage::damaged("B1", "stage")).code.text, codes::JOURNAL_DAMAGED.text);
}

/// What a list reads waits for another thread's reading, and not longer.
#[test]
fn a_reading_waits_for_another_one() {
    let folder = Folder::new("reading");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    done_soon(&journal, &entry(&journal, "B1", "1", Stage::Unknown, 1));
    let reading = journal.to_read().unwrap();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| journal.unsettled(EVERYTHING));
        std::thread::sleep(Duration::from_millis(50));
        drop(reading);
        assert_eq!(other.join().unwrap().unwrap().len(), 1);
    });
}

#[test]
fn a_journal_that_has_stopped_writes_nothing_when_it_is_closed() {
    let folder = Folder::new("stopped");
    let journal = Sqlite::open(&folder.journal()).unwrap();
    let entry = entry(&journal, "B1", "1", Stage::Succeeded, 1);
    done_soon(&journal, &entry);
    journal.acknowledge(entry.key().clone());
    journal.stop(&JournalError::new(&codes::JOURNAL, "a flush failed"));
    journal.close();
    let hand = Connection::open(folder.journal()).unwrap();
    let count: i64 = hand.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1, "neither the acknowledgement nor a feed");
}

/// A file that another program is about to change is waited for, as long as a start may wait.
#[test]
fn a_start_waits_for_another_program() {
    let folder = Folder::new("held-at-start");
    let hand = Connection::open(folder.journal()).unwrap();
    hand.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").unwrap();
    let patience = Duration::from_millis(50);
    let refused = Sqlite::open_as(&folder.journal(), &Opening { patience, ..Opening::default() });
    assert_eq!(refused.err().unwrap().code.text, codes::JOURNAL_LOCKED.text);
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| Sqlite::open(&folder.journal()).map(drop));
        std::thread::sleep(Duration::from_millis(300));
        hand.execute_batch("ROLLBACK").unwrap();
        assert!(opened.join().unwrap().is_ok());
    });
}

mod shipping;
