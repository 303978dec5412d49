//! What becomes of batches in the copy.

use zvpos_collect::report::day_report;
use zvpos_collect::store::{Kept, gap_kinds};
use zvpos_collect::wire::{Back, Batch, Record};

use super::records::{Open, WHEN, batch, kept, record, report, till};
use super::support::NOON;
use super::support::tills::DAYS;

pub fn a_later_revision_wins(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    // The newest of one batch, an older one later, the same again.
    let records = vec![
        record("B1", 1, "sending", 100),
        record("B1", 3, "succeeded", 100),
        record("B1", 2, "unknown", 100),
    ];
    assert_eq!(store.accept(&till, &batch("j1", (0, 3), records), WHEN.0).unwrap(), kept(3));
    assert_eq!(
        store.accept(&till, &batch("j1", (0, 3), vec![record("B1", 2, "declined", 100)]), WHEN.0).unwrap(),
        kept(3)
    );
    assert_eq!(store.tally("c").unwrap(), (1, 3));
    let later = vec![record("B1", 4, "reversed", 100)];
    assert_eq!(store.accept(&till, &batch("j1", (3, 4), later), WHEN.0).unwrap(), kept(4));
    drop(store);
    let mut store = open();
    assert_eq!((store.tally("c").unwrap(), report(&mut store).total.sales.count), ((1, 4), 0));
}

pub fn batches_come_in_any_order(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let one = |biz_id: &str| vec![record(biz_id, 1, "succeeded", 100)];
    // Something before it is missing: nothing is taken, and that is a gap until it is filled.
    assert_eq!(
        store.accept(&till, &batch("j1", (5, 6), one("B6")), WHEN.0).unwrap(),
        Kept::Missing { held: 0 }
    );
    assert_eq!(store.tally("c").unwrap().0, 0);
    let gaps = store.gaps("c").unwrap();
    assert_eq!(
        (gaps.len(), gaps[0].kind.as_str(), gaps[0].first, gaps[0].last),
        (1, gap_kinds::MISSING, 1, 5)
    );
    let part = Batch { complete: false, ..batch("j1", (0, 6), one("B1")) };
    assert_eq!(store.accept(&till, &part, WHEN.0).unwrap(), kept(0));
    assert_eq!(store.gaps("c").unwrap().len(), 1, "not complete yet");
    assert_eq!(store.accept(&till, &batch("j1", (0, 6), one("B6")), WHEN.0).unwrap(), kept(6));
    assert_eq!(store.gaps("c").unwrap(), []);
    assert_eq!(store.accept(&till, &batch("j1", (6, 9), one("B9")), WHEN.0).unwrap(), kept(9));
    // A batch that was under way for long is no sign of an older copy.
    assert_eq!(
        store.accept(&till, &batch("j1", (0, 6), one("B6")), WHEN.0).unwrap(),
        Kept::Missing { held: 9 }
    );
    assert_eq!((store.gaps("c").unwrap(), store.tally("c").unwrap().0), (vec![], 3));
    let journals = store.journals("c").unwrap();
    assert_eq!((journals[0].shipped, journals[0].held), (9, 3));
    // The till knows that its journal is an older copy.
    let restored = Batch { restored: true, ..batch("j1", (0, 4), one("B1")) };
    assert_eq!(store.accept(&till, &restored, WHEN.0).unwrap(), kept(4));
    let gaps = store.gaps("c").unwrap();
    assert_eq!(
        (gaps[0].kind.as_str(), gaps[0].first, gaps[0].last, gaps[0].entries),
        (gap_kinds::RESTORED, 5, 9, 5)
    );
}

pub fn dropped_details(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let dropped = |biz_id: &str, revision| Record {
        retired: true,
        member: None,
        ..record(biz_id, revision, "succeeded", 100)
    };
    store.accept(&till, &batch("j1", (0, 1), vec![record("B1", 2, "succeeded", 100)]), WHEN.0).unwrap();
    // The next revision has only lost the details.
    store.accept(&till, &batch("j1", (1, 2), vec![dropped("B1", 3)]), WHEN.0).unwrap();
    assert_eq!((store.tally("c").unwrap(), store.gaps("c").unwrap()), ((1, 2), vec![]));
    // A sale whose details are gone at the till is given back: the copy follows, and keeps what it has.
    let returned = Record {
        stage: "reversed".to_owned(),
        coupons: vec![],
        amount: None,
        sold: true,
        sum: Some(100),
        back: Some(Back { day: DAYS.day_of(NOON) + 1, hour: 9, elsewhere: false }),
        ..dropped("B0", 5)
    };
    let returning = Record { revision: 4, stage: "reversing".to_owned(), back: None, ..returned.clone() };
    let full = Record {
        device: Some("POS-1".to_owned()),
        shop: Some("M1".to_owned()),
        operator: Some("王".to_owned()),
        ..record("B0", 2, "succeeded", 100)
    };
    let before = store.tally("c").unwrap();
    store.accept(&till, &batch("j1", (2, 2), vec![full]), WHEN.0).unwrap();
    // The sale went to revision 3 without its details, of which the copy has seen nothing.
    store.accept(&till, &batch("j1", (2, 2), vec![returning]), WHEN.0).unwrap();
    let open = store.open_entries("c", DAYS.day_of(NOON)).unwrap();
    assert_eq!((open.len(), open[0].stage.as_str(), open[0].amount), (1, "reversing", Some(100)));
    store.accept(&till, &batch("j1", (2, 2), vec![returned]), WHEN.0).unwrap();
    assert_eq!(store.open_entries("c", DAYS.day_of(NOON)).unwrap(), []);
    assert_eq!((store.tally("c").unwrap(), store.gaps("c").unwrap()), ((before.0 + 1, before.1 + 5), vec![]));
    let next = day_report(&mut store, "c", DAYS.day_of(NOON) + 1, WHEN).unwrap();
    assert_eq!((next.total.refunds.count, next.total.refunds.sum.as_str()), (1, "-1.00"));
    // Here the outcome is in a revision that never came.
    store.accept(&till, &batch("j1", (2, 3), vec![record("B2", 1, "sending", 100)]), WHEN.0).unwrap();
    store.accept(&till, &batch("j1", (3, 4), vec![dropped("B2", 3)]), WHEN.0).unwrap();
    assert_eq!(store.tally("c").unwrap(), (3, 2 + 5 + 3));
    let gap = &store.gaps("c").unwrap()[0];
    assert_eq!((gap.kind.as_str(), gap.entries), (gap_kinds::RETENTION, 1));
    assert_eq!(report(&mut store).total.sales.count, 3);
}

pub fn one_journal_counts(open: Open<'_>) {
    let mut store = open();
    let (one, other) = (till(&mut store, "c", "T1"), till(&mut store, "c", "T2"));
    store
        .accept(
            &one,
            &batch("j1", (0, 1), vec![record("B1", 2, "succeeded", 100), record("B2", 2, "unknown", 70)]),
            WHEN.0,
        )
        .unwrap();
    // The same sale in a new journal of the same till, further on.
    store
        .accept(
            &one,
            &batch("j2", (0, 1), vec![record("B1", 2, "succeeded", 100), record("B2", 3, "succeeded", 70)]),
            WHEN.0,
        )
        .unwrap();
    // And another till with the same bizId.
    store.accept(&other, &batch("j3", (0, 1), vec![record("B1", 1, "declined", 100)]), WHEN.0).unwrap();
    let found = report(&mut store);
    assert_eq!(
        (found.total.sales.count, found.total.sales.sum.as_str(), found.unsettled_count()),
        (2, "1.70", 0)
    );
    let twins = store.twins("c", DAYS.day_of(NOON)).unwrap();
    assert_eq!(
        twins.iter().map(|twin| (twin.key[2].as_str(), twin.journal.as_str())).collect::<Vec<_>>(),
        [("B1", "j1"), ("B1", "j2"), ("B1", "j3"), ("B2", "j1"), ("B2", "j2")]
    );
    let same: Vec<_> = found.differences.iter().map(|difference| difference.kind.as_str()).collect();
    assert_eq!(same, ["same_biz_id", "same_biz_id"]);
    assert_eq!(found.gaps[0].kind, gap_kinds::NEW_JOURNAL);
}

pub fn texts(open: Open<'_>) {
    let mut store = open();
    let one = till(&mut store, "连锁'; DROP TABLE entry; --", "一号机 $1 ?1");
    let texts = ["'", "\"", "中文 😀", "$1 ?1 {ID}", "<script>alert(1)</script>", "%_\\"];
    let records = texts.iter().enumerate().map(|(at, text)| Record {
        operator: Some((*text).to_owned()),
        device: Some((*text).to_owned()),
        code: Some((*text).to_owned()),
        ..record(&format!("B{at}"), 1, "unknown", 1)
    });
    store.accept(&one, &batch("j1", (0, 9), records.collect()), WHEN.0).unwrap();
    let mut codes: Vec<_> = store
        .open_entries(&one.chain, DAYS.day_of(NOON))
        .unwrap()
        .into_iter()
        .filter_map(|open| open.code)
        .collect();
    codes.sort_unstable();
    let mut wanted = texts.map(str::to_owned).to_vec();
    wanted.sort_unstable();
    assert_eq!((codes, store.tills(&one.chain).unwrap()[0].name.as_str()), (wanted, "一号机 $1 ?1"));
}

/// The till's folder was put back as it was, with its position; since then it has sold past the old numbers.
pub fn what_a_round_does_not_bring_is_lost(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let numbered = |number, biz_id: &str, fen| Record { number, ..record(biz_id, 2, "succeeded", fen) };
    let first = vec![numbered(2, "B1", 100), numbered(4, "B2", 100), numbered(6, "B3", 100)];
    store.accept(&till, &batch("j1", (0, 6), first), WHEN.0).unwrap();
    // The answer was lost, and everything behind 2 comes again, in two parts: nothing is lost.
    let part = |round: &str, part, complete, records| Batch {
        round: round.to_owned(),
        part,
        complete,
        entries: 3,
        ..batch("j1", (2, 6), records)
    };
    store.accept(&till, &part("r1", 0, false, vec![numbered(4, "B2", 100)]), WHEN.0).unwrap();
    store.accept(&till, &part("r1", 1, true, vec![numbered(6, "B3", 100)]), WHEN.0).unwrap();
    assert_eq!((store.gaps("c").unwrap(), report(&mut store).differences), (vec![], vec![]));
    // The end of a round whose beginning never came proves nothing.
    store.accept(&till, &part("r2", 1, true, vec![numbered(6, "B3", 100)]), WHEN.0).unwrap();
    assert_eq!(store.gaps("c").unwrap(), []);
    // B2 was sold again for another amount, B3 is gone, B4 is new.
    let other = Batch {
        round: "r3".to_owned(),
        entries: 3,
        ..batch("j1", (2, 8), vec![numbered(5, "B2", 70), numbered(8, "B4", 100)])
    };
    assert_eq!(store.accept(&till, &other, WHEN.0).unwrap(), kept(8));
    let gaps = store.gaps("c").unwrap();
    assert_eq!(
        gaps.iter().map(|gap| (gap.kind.as_str(), gap.first, gap.last, gap.entries)).collect::<Vec<_>>(),
        [(gap_kinds::RESTORED, 6, 6, 1)]
    );
    let found = report(&mut store).differences;
    let kinds: Vec<_> = found.iter().map(|found| (found.kind.as_str(), found.biz_id.as_deref())).collect();
    assert_eq!(kinds, [("count", None), ("other_content", Some("B2"))]);
    assert!(
        found[1].words.en.contains("same revision with other content") && found[1].words.en.contains("1.00")
    );
    // The same again is nothing new.
    let again = Batch { round: "r4".to_owned(), ..other };
    store.accept(&till, &Batch { last: 8, ..again }, WHEN.0).unwrap();
    assert_eq!(store.gaps("c").unwrap(), gaps);
}
