//! What was restored, made new or dropped is seen: of a collector, of a till, of a sale.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;

use support::chain::{copied, enrolled, kinds, report, shipper};
use support::tills::{DAYS, Sale, Till};
use support::{Folder, NOON, collector, now_ms, store};
use zvpos_collect::report::day_report;
use zvpos_collect::serve::Server;
use zvpos_collect::ship::Settings;
use zvpos_core::journal::Shipped;
use zvpos_core::payment::Stage;

#[test]
fn a_collector_that_was_restored_is_filled_again() {
    let folder = Folder::new("refilled");
    let (till, backup) = (Till::new(&folder.0, "T1"), folder.0.join("backup.db"));
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    drop(server);
    fs::copy(folder.0.join("collect.db"), &backup).unwrap();
    let server = collector(&folder);
    let here = |server: &Server| Settings {
        url: format!("https://localhost:{}", server.address.port()),
        ..settings.clone()
    };
    till.sell("T1-2", Stage::Succeeded, 100, NOON);
    till.sell("T1-3", Stage::Unknown, 100, NOON);
    shipper(&till, &here(&server)).round().unwrap();
    drop(server);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.0.join(format!("collect.db{end}")));
    }
    fs::copy(&backup, folder.0.join("collect.db")).unwrap();
    let server = collector(&folder);
    till.sell("T1-4", Stage::Succeeded, 100, NOON);
    assert_eq!(shipper(&till, &here(&server)).round().unwrap().shipped, 8);
    assert_eq!(store(&folder).tally("chain").unwrap().0, 4);
    assert_eq!(kinds(&report(&folder)), (vec![], vec![]), "the gap was filled");
    // A collector with an empty store gets everything, too.
    drop(server);
    let empty = Folder::new("empty");
    let server = collector(&empty);
    let other = enrolled(&empty, &server, "T1");
    assert_eq!(shipper(&till, &other).round().unwrap().records, 4);
    assert_eq!(store(&empty).tally("chain").unwrap().0, 4);
}

/// The journal of a till is put back as it was, with everything beside it that the library looks at.
#[test]
fn a_restored_journal_is_seen_with_and_without_new_sales() {
    for (sold_since, keeps_position) in [(0, true), (0, false), (9, true)] {
        let folder = Folder::new("restored");
        let server = collector(&folder);
        let till = Till::new(&folder.0, "T1");
        let settings = enrolled(&folder, &server, "T1");
        till.sell("T1-1", Stage::Succeeded, 100, NOON);
        let (backup, path) = (folder.0.join("backup"), till.path.clone());
        copied(&till, &backup);
        for number in 2..=4 {
            till.sell(&format!("T1-{number}"), Stage::Succeeded, 100, NOON);
        }
        assert_eq!(shipper(&till, &settings).round().unwrap().shipped, 8);
        drop(till);
        for file in fs::read_dir(path.parent().unwrap()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file()
                && (!keeps_position || file.path().extension().is_none_or(|end| end != "shipped"))
            {
                fs::remove_file(file.path()).unwrap();
            }
        }
        for file in fs::read_dir(&backup).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), path.parent().unwrap().join(file.file_name())).unwrap();
        }
        let till = Till::new(&folder.0, "T1");
        for number in 0..sold_since {
            till.sell(&format!("NEW-{number}"), Stage::Succeeded, 100, NOON);
        }
        let case = format!("{sold_since} sales since, position {keeps_position}");
        let round = shipper(&till, &settings).round().unwrap();
        assert!(round.restored, "{case}");
        let found = report(&folder);
        let (gaps, differences) = kinds(&found);
        // What the journal has lost is still in the copy, which has more than the till says.
        assert_eq!((gaps, differences), (vec!["restored"], vec!["count"]), "{case}");
        assert_eq!(found.total.sales.count, 4 + sold_since, "{case}");
        // From now on everything is as usual.
        till.sell("LAST", Stage::Succeeded, 100, NOON);
        let round = shipper(&till, &settings).round().unwrap();
        assert_eq!((round.restored, round.records), (false, 1), "{case}");
    }
}

/// The whole folder is put back, with the position, and by the next shipping the till has sold past the old numbers: as many
/// entries as before, under the same bizIds, two of them with other amounts.
#[test]
fn a_folder_that_was_put_back_is_seen_though_its_numbers_are_past_the_old_ones() {
    let folder = Folder::new("put-back");
    let server = collector(&folder);
    let till = Till::new(&folder.0, "T1");
    let settings = enrolled(&folder, &server, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    let (backup, path) = (folder.0.join("backup"), till.path.clone());
    copied(&till, &backup);
    fs::copy(Shipped::beside(&path), backup.join("journal.db.shipped")).unwrap();
    for number in 2..=4 {
        till.sell(&format!("T1-{number}"), Stage::Succeeded, 100, NOON);
    }
    assert_eq!(shipper(&till, &settings).round().unwrap().shipped, 8);
    drop(till);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    fs::rename(&backup, path.parent().unwrap()).unwrap();
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-2", Stage::Succeeded, 70, NOON);
    till.sell("T1-3", Stage::Succeeded, 100, NOON);
    till.sell("T1-4", Stage::Succeeded, 250, NOON);
    till.sell("T1-5", Stage::Succeeded, 100, NOON);
    let round = shipper(&till, &settings).round().unwrap();
    assert_eq!((round.restored, round.shipped), (false, 10), "the position and the journal fit together");
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec![], vec!["other_content", "other_content"]));
    let of: Vec<_> = found.differences.iter().filter_map(|found| found.biz_id.as_deref()).collect();
    assert_eq!(of, ["T1-2", "T1-4"]);
    // Once more, and what it sells now has other bizIds.
    let before = folder.0.join("before");
    copied(&till, &before);
    fs::copy(Shipped::beside(&path), before.join("journal.db.shipped")).unwrap();
    till.sell("T1-6", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    drop(till);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    fs::rename(&before, path.parent().unwrap()).unwrap();
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-7", Stage::Succeeded, 100, NOON);
    till.sell("T1-8", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).with_batches_of(1).round().unwrap();
    let found = report(&folder);
    assert_eq!(kinds(&found).0, ["restored"]);
    assert!(found.gaps[0].words.en.contains("1 changes (12 to 12)"), "{:?}", found.gaps);
}

#[test]
fn a_new_journal_is_a_gap_and_the_same_biz_id_in_both_counts_once() {
    let folder = Folder::new("new-journal");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    till.sell("T1-2", Stage::Unknown, 250, NOON);
    shipper(&till, &settings).round().unwrap();
    // Somebody deletes the journal; the position file stays.
    let shipped = fs::read(Shipped::beside(&till.path)).unwrap();
    let path = till.path.clone();
    drop(till);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let till = Till::new(&folder.0, "T1");
    fs::write(Shipped::beside(&path), shipped).unwrap();
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    till.sell("T1-2", Stage::Succeeded, 250, NOON);
    let round = shipper(&till, &settings).round().unwrap();
    assert_eq!((round.records, round.restored), (2, false));
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec!["new_journal"], vec!["same_biz_id", "same_biz_id"]));
    let of = |biz_id: &str| {
        let found = found.differences.iter().find(|found| found.biz_id.as_deref() == Some(biz_id));
        found.unwrap().words.en.clone()
    };
    assert!(of("T1-1").contains("counts once"), "{}", of("T1-1"));
    assert!(of("T1-2").contains("different content"), "{}", of("T1-2"));
    assert_eq!(
        (found.total.sales.count, found.total.sales.sum.as_str(), found.unsettled_count()),
        (2, "3.50", 0)
    );
}

#[test]
fn the_same_biz_id_at_two_tills_is_a_difference() {
    let folder = Folder::new("same");
    let server = collector(&folder);
    for name in ["T1", "T2"] {
        let till = Till::new(&folder.0, name);
        till.sell("SAME-1", Stage::Succeeded, 100, NOON);
        till.sell(&format!("{name}-2"), Stage::Succeeded, 100, NOON);
        shipper(&till, &enrolled(&folder, &server, name)).round().unwrap();
    }
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec![], vec!["same_biz_id"]));
    assert_eq!((found.total.sales.count, found.total.sales.sum.as_str()), (3, "3.00"));
}

/// Details that were dropped are nothing to ship; but what was dropped before it was shipped is told.
#[test]
fn dropped_details_take_nothing_from_the_copy() {
    let folder = Folder::new("retired");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    till.record(&Sale { retired: true, ..Sale::new("T1-1", Stage::Succeeded, 3, 100, NOON) });
    till.sell("T1-2", Stage::Succeeded, 100, NOON);
    till.record(&Sale { retired: true, ..Sale::new("T1-2", Stage::Succeeded, 3, 100, NOON) });
    shipper(&till, &settings).round().unwrap();
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec!["retention"], vec![]));
    assert!(found.gaps[0].words.en.contains("the details of 1 entries"), "{:?}", found.gaps);
    assert_eq!(
        store(&folder).tally("chain").unwrap(),
        (2, 2 + 3),
        "the copy keeps revision 2 with its details"
    );
    // Everything once more: nothing is counted again.
    shipper(&till, &settings).start_over().unwrap();
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 2);
    assert_eq!(report(&folder).gaps, found.gaps);
}

/// A sale of long ago is given back: the copy has its details, and nothing was dropped that it has not seen.
#[test]
fn the_refund_of_a_sale_without_details_is_no_gap() {
    let folder = Folder::new("old-refund");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    let old = Sale { retired: true, ..Sale::new("T1-1", Stage::Succeeded, 3, 100, NOON) };
    till.record(&old);
    let refund = Sale { stage: Stage::Reversed, returned: Some(NOON + 86_400_000), ..old };
    till.record(&Sale { revision: 4, stage: Stage::Reversing, ..refund.clone() });
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 1);
    till.record(&Sale { revision: 5, ..refund });
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 1);
    assert_eq!(store(&folder).tally("chain").unwrap(), (1, 5));
    let found = report(&folder);
    assert_eq!((kinds(&found), found.unsettled_count()), ((vec![], vec![]), 0));
    let next = day_report(&mut store(&folder), "chain", DAYS.day_of(NOON) + 1, (now_ms(), 1)).unwrap();
    assert_eq!(next.total.refunds.sum, "-1.00");
}
