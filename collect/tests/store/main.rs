//! The copy, over SQLite and PostgreSQL alike: one table of cases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

#[cfg(all(feature = "postgres", unix))]
#[path = "../../journal-postgres/tests/cluster/server/mod.rs"]
mod cluster;
mod support;

use support::tills::DAYS;
use support::{Folder, NOON};
use zvpos_collect::report::{NotClosed, close, day_report, resolve_day};
use zvpos_collect::store::{Kept, Location, Store, Till, gap_kinds};
use zvpos_collect::wire::{Back, Batch, Record};

/// Opens the same store again each time.
type Open<'o> = &'o dyn Fn() -> Store;

/// What a case does, and the case.
type Case = (&'static str, fn(Open<'_>));

const CASES: [Case; 9] = [
    ("a later revision wins, whenever it comes", a_later_revision_wins),
    ("batches come twice, late and behind a gap", batches_come_in_any_order),
    ("what is dropped takes no details away", dropped_details),
    ("one of several journals counts", one_journal_counts),
    ("sums and hours", sums_and_hours),
    ("what is open, by age", open_by_age),
    ("chains are apart", chains_are_apart),
    ("a day is closed and what comes later differs", a_day_is_closed),
    ("texts of every kind", texts),
];

fn record(biz_id: &str, revision: u64, stage: &str, fen: i64) -> Record {
    let sold = stage == "succeeded";
    Record {
        number: revision,
        open_id: "o".to_owned(),
        environment: "https://g".to_owned(),
        biz_id: biz_id.to_owned(),
        revision,
        stage: stage.to_owned(),
        retired: false,
        attempt: 1,
        created_unix_ms: NOON,
        at_unix_ms: NOON,
        member: Some("h:1".to_owned()),
        coupons: vec!["h:2".to_owned(), "h:3".to_owned()],
        amount: Some(fen),
        device: None,
        shop: None,
        operator: None,
        code: None,
        other_biz_id: None,
        unfinished: false,
        by_person: false,
        sold,
        day: DAYS.day_of(NOON),
        hour: 12,
        back: None,
        sum: sold.then_some(fen),
        recharge: sold.then_some(fen),
        gift: sold.then_some(0),
        points: 0,
        coupons_taken: 0,
    }
}

fn batch(journal: &str, (after, last): (u64, u64), records: Vec<Record>) -> Batch {
    let entries = records.len() as u64;
    Batch {
        version: 1,
        journal: journal.to_owned(),
        after,
        last,
        entries,
        complete: true,
        restored: false,
        records,
    }
}

fn till(store: &mut Store, chain: &str, name: &str) -> Till {
    let token = store.enroll(chain, name, "S01", 1).unwrap();
    store.till_of(&token).unwrap().unwrap()
}

fn kept(shipped: u64) -> Kept {
    Kept::Yes { shipped }
}

const WHEN: (i64, i64) = (NOON + 3 * 86_400_000, 600_000);

fn report(store: &mut Store) -> zvpos_collect::report::DayReport {
    day_report(store, "c", DAYS.day_of(NOON), WHEN).unwrap()
}

fn a_later_revision_wins(open: Open<'_>) {
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

fn batches_come_in_any_order(open: Open<'_>) {
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

fn dropped_details(open: Open<'_>) {
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
    let open = store.open_entries("c").unwrap();
    assert_eq!((open.len(), open[0].stage.as_str(), open[0].amount), (1, "reversing", Some(100)));
    store.accept(&till, &batch("j1", (2, 2), vec![returned]), WHEN.0).unwrap();
    assert_eq!(store.open_entries("c").unwrap(), []);
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

fn one_journal_counts(open: Open<'_>) {
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

fn sums_and_hours(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let day = DAYS.day_of(NOON);
    let back = |elsewhere| Some(Back { day: day + 1, hour: 9, elsewhere });
    let records = vec![
        Record {
            gift: Some(30),
            recharge: Some(70),
            points: 5,
            coupons_taken: 2,
            ..record("B1", 2, "succeeded", 100)
        },
        Record { recharge: None, gift: None, hour: 13, ..record("B2", 2, "succeeded", 250) },
        Record {
            sold: true,
            sum: Some(40),
            recharge: Some(40),
            gift: Some(0),
            back: back(false),
            ..record("B3", 3, "reversed", 40)
        },
        Record {
            sold: true,
            sum: Some(7),
            recharge: Some(7),
            gift: Some(0),
            back: back(true),
            ..record("B4", 3, "reversed", 7)
        },
        record("B5", 2, "declined", 999),
    ];
    store.accept(&till, &batch("j1", (0, 9), records), WHEN.0).unwrap();
    let sales = store.sales("c", day).unwrap();
    let sums = sales[0].1;
    assert_eq!(
        (
            sales.len(),
            sums.count,
            sums.sum,
            sums.recharge,
            sums.gift,
            sums.points,
            sums.coupons,
            sums.without_split
        ),
        (1, 4, 397, 117, 30, 5, 2, 1)
    );
    assert_eq!(store.refunds("c", day).unwrap(), []);
    let refunds = store.refunds("c", day + 1).unwrap();
    assert_eq!((refunds[0].1.count, refunds[0].1.sum), (1, 40));
    let hours: Vec<_> =
        store.hours("c", day).unwrap().iter().map(|hour| (hour.hour, hour.sales, hour.sum)).collect();
    assert_eq!(hours, [(12, 3, 147), (13, 1, 250)]);
    let next = &store.hours("c", day + 1).unwrap()[0];
    assert_eq!((next.hour, next.sales, next.refunds, next.refunded), (9, 0, 1, 40));
}

fn open_by_age(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let now = NOON;
    let ages = [0, 299_000, 300_000, 3_599_000, 3_600_000, 86_400_000, 604_800_000, -60_000];
    let records = ages.iter().enumerate().map(|(at, age)| {
        let stage = ["sending", "unknown", "reversing", "refused", "unproven"][at % 5];
        Record { at_unix_ms: now - age, ..record(&format!("B{at}"), 1, stage, 1) }
    });
    store.accept(&till, &batch("j1", (0, 9), records.collect()), now).unwrap();
    let counts: Vec<_> = store.open_by_age("c", now).unwrap().iter().map(|age| age.count).collect();
    assert_eq!(counts, [3, 2, 1, 1, 1]);
    let oldest: Vec<_> = store.open_entries("c").unwrap().iter().map(|open| open.biz_id.clone()).collect();
    assert_eq!((oldest[0].as_str(), oldest.len()), ("B6", 8));
}

fn chains_are_apart(open: Open<'_>) {
    let mut store = open();
    let (one, other) = (till(&mut store, "c", "T1"), till(&mut store, "d", "T1"));
    assert_ne!(one.till, other.till);
    store.accept(&one, &batch("j1", (0, 1), vec![record("B1", 1, "succeeded", 1)]), WHEN.0).unwrap();
    store
        .accept(
            &other,
            &batch("j2", (0, 1), vec![record("B2", 1, "succeeded", 2), record("B3", 1, "unknown", 2)]),
            WHEN.0,
        )
        .unwrap();
    assert_eq!(
        (store.chains().unwrap(), store.tally("c").unwrap().0),
        (vec!["c".to_owned(), "d".to_owned()], 1)
    );
    let found = report(&mut store);
    assert_eq!((found.enrolled, found.total.sales.sum.as_str(), found.unsettled.len()), (1, "0.01", 0));
    assert!(found.clean, "{found:?}");
}

fn a_day_is_closed(open: Open<'_>) {
    let mut store = open();
    let one = till(&mut store, "c", "T1");
    till(&mut store, "c", "T2");
    let day = DAYS.day_of(NOON);
    let batch_of =
        |after, last, records: Vec<Record>, entries| Batch { entries, ..batch("j1", (after, last), records) };
    store.accept(&one, &batch_of(0, 2, vec![record("B1", 1, "succeeded", 100)], 1), WHEN.0).unwrap();
    // T2 was never heard of.
    let Err(NotClosed::NotClean(found)) = close(&mut store, "c", day, ("王店长", false), WHEN) else {
        panic!("it was closed")
    };
    assert_eq!((found.silent.len(), found.behind.len(), found.reasons.len()), (1, 1, 1));
    assert_eq!(store.closing("c", day).unwrap(), None);
    let closed = close(&mut store, "c", day, ("王店长", true), WHEN).unwrap();
    assert_eq!(closed.closed.map(|closed| (closed.by, closed.clean)), Some(("王店长".to_owned(), false)));
    let other = till(&mut store, "c", "T2");
    store.accept(&other, &Batch { entries: 0, ..batch("j2", (0, 0), vec![]) }, WHEN.0).unwrap();
    // The same again changes nothing; a sale that comes late does.
    let again = report(&mut store);
    assert!(again.clean && again.closed.is_some(), "{again:?}");
    store.accept(&one, &batch_of(2, 4, vec![record("B2", 1, "succeeded", 50)], 2), WHEN.0).unwrap();
    let late = report(&mut store);
    assert_eq!((late.clean, late.differences[0].kind.as_str()), (false, "after_closing"));
    assert!(
        late.differences[0].words.en.contains("1 sales 1.00")
            && late.differences[0].words.en.contains("2 sales 1.50")
    );
    assert!(close(&mut store, "c", day, ("王店长", false), WHEN).unwrap().clean);
    assert!(report(&mut store).clean);
    // A till that says it has more than is here; a day that is not over; sales that were not confirmed.
    store.accept(&one, &batch_of(4, 5, vec![], 3), WHEN.0).unwrap();
    let differs = report(&mut store);
    assert!(
        differs.differences[0].words.en.contains("the till has 3 entries, the collector 2"),
        "{differs:?}"
    );
    let today = day_report(&mut store, "c", DAYS.day_of(WHEN.0), WHEN).unwrap();
    assert!(!today.over && !today.clean && today.behind.is_empty());
    let unfinished =
        Record { unfinished: true, other_biz_id: Some("R1".to_owned()), ..record("B3", 1, "succeeded", 1) };
    store.accept(&one, &batch_of(5, 6, vec![unfinished], 3), WHEN.0).unwrap();
    let kinds: Vec<_> =
        report(&mut store).differences.into_iter().map(|difference| difference.kind).collect();
    assert_eq!(kinds, ["not_confirmed", "other_biz_id", "after_closing"]);
    assert_eq!(resolve_day("yesterday", DAYS, NOON), Some(day - 1));
    assert_eq!(resolve_day("2026-13-01", DAYS, NOON), None);
}

fn texts(open: Open<'_>) {
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
    let mut codes: Vec<_> =
        store.open_entries(&one.chain).unwrap().into_iter().filter_map(|open| open.code).collect();
    codes.sort_unstable();
    let mut wanted = texts.map(str::to_owned).to_vec();
    wanted.sort_unstable();
    assert_eq!((codes, store.tills(&one.chain).unwrap()[0].name.as_str()), (wanted, "一号机 $1 ?1"));
}

#[test]
fn sqlite_does_what_every_store_does() {
    for (name, case) in CASES {
        let folder = Folder::new("store");
        println!("{name}");
        case(&|| Store::open(&folder.store()).unwrap());
    }
}

#[cfg(all(feature = "postgres", unix))]
#[test]
fn postgres_does_what_every_store_does() {
    use cluster::{Cluster, PASSWORD};
    use zvpos_core::transport::Roots;
    let certificates = support::certificates();
    let cluster = Cluster::with_tls(&certificates.join("host.pem"), &certificates.join("host.key"));
    let admin = cluster.admin();
    let database = |name: &str, over_tls: bool| {
        admin.batch(&format!("CREATE DATABASE {name} OWNER zv"));
        let (port, folder) = (cluster.port, cluster.folder().display());
        if over_tls {
            format!("postgres://zv@localhost:{port}/{name}?sslmode=require&hostaddr=127.0.0.1")
        } else {
            format!("postgres://zv@/{name}?host={folder}&port={port}")
        }
    };
    let roots = Roots::PemFile(certificates.join("ca.pem").display().to_string());
    let at = |url: &str, password: &str, roots: &Roots| {
        Location::of(url, Some(password.to_owned()), roots.clone())
    };
    for (number, (name, case)) in CASES.into_iter().enumerate() {
        println!("{name}");
        let url = database(&format!("case{number}"), number % 2 == 0);
        case(&|| Store::open(&at(&url, PASSWORD, &roots)).unwrap());
    }
    let url = database("other", true);
    let error = |location: &Location| Store::open(location).err().unwrap().to_string();
    assert!(error(&at(&url, "wrong", &roots)).contains("password authentication failed"));
    let untrusted = error(&at(&url, PASSWORD, &Roots::Bundled));
    assert!(untrusted.contains("certificate"), "{untrusted}");
    assert!(!untrusted.contains(PASSWORD));
    // A server that is restarted costs the batch under way, and the next one finds it again.
    let mut store = Store::open(&at(&url, PASSWORD, &roots)).unwrap();
    let one = till(&mut store, "c", "T1");
    cluster.server_stop_at_once();
    cluster.server_start();
    let ship = |store: &mut Store| {
        store.accept(&one, &batch("j1", (0, 1), vec![record("B1", 1, "succeeded", 1)]), WHEN.0)
    };
    let mut tries = 0;
    while let Err(error) = ship(&mut store) {
        tries += 1;
        assert!(tries < 5, "{error}");
    }
    assert_eq!(store.tally("c").unwrap().0, 1);
}

#[test]
fn a_store_of_a_later_version_and_a_file_of_another_program_are_refused() {
    let folder = Folder::new("formats");
    let path = folder.0.join("collect.db");
    drop(Store::open(&folder.store()).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("UPDATE setting SET value = '2' WHERE name = 'format'", [])
        .unwrap();
    assert!(Store::open(&folder.store()).err().unwrap().to_string().contains("another format"));
    std::fs::write(folder.0.join("text"), "no database, but long enough to be one ".repeat(100)).unwrap();
    assert!(Store::open(&Location::Sqlite(folder.0.join("text"))).is_err());
}
