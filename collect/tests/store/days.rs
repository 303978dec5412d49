//! The sums of a day, and its closing.

use zvpos_collect::report::{NotClosed, close, day_report, resolve_day};
use zvpos_collect::wire::{Back, Batch, Record};

use super::records::{Open, WHEN, batch, record, report, till};
use super::support::NOON;
use super::support::tills::DAYS;

pub fn sums_and_hours(open: Open<'_>) {
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

pub fn open_by_age(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let now = NOON;
    let ages = [0, 299_000, 300_000, 3_599_000, 3_600_000, 86_400_000, 604_800_000, -60_000];
    let records = ages.iter().enumerate().map(|(at, age)| {
        let stage = ["sending", "unknown", "reversing", "refused", "unproven"][at % 5];
        Record { at_unix_ms: now - age, ..record(&format!("B{at}"), 1, stage, 1) }
    });
    store.accept(&till, &batch("j1", (0, 9), records.collect()), now).unwrap();
    let counts: Vec<_> =
        store.open_by_age("c", DAYS.day_of(NOON), now).unwrap().iter().map(|age| age.count).collect();
    assert_eq!(counts, [3, 2, 1, 1, 1]);
    let oldest: Vec<_> =
        store.open_entries("c", DAYS.day_of(NOON)).unwrap().iter().map(|open| open.biz_id.clone()).collect();
    assert_eq!((oldest[0].as_str(), oldest.len()), ("B6", 8));
}

pub fn chains_are_apart(open: Open<'_>) {
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

pub fn a_day_is_closed(open: Open<'_>) {
    let mut store = open();
    let one = till(&mut store, "c", "T1");
    till(&mut store, "c", "T2");
    let day = DAYS.day_of(NOON);
    let batch_of =
        |after, last, records: Vec<Record>, entries| Batch { entries, ..batch("j1", (after, last), records) };
    store.accept(&one, &batch_of(0, 2, vec![record("B1", 1, "succeeded", 100)], 1), WHEN.0).unwrap();
    // T2 was never heard of.
    let Err(NotClosed::NotClean(found)) = close(&mut store, "c", day, ("王店长", None), WHEN) else {
        panic!("it was closed")
    };
    assert_eq!((found.silent.len(), found.behind.len(), found.reasons.len()), (1, 1, 1));
    assert_eq!(store.closing("c", day).unwrap(), None);
    let closed = close(&mut store, "c", day, ("王店长", Some(&found.mark)), WHEN).unwrap();
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
    assert!(close(&mut store, "c", day, ("王店长", None), WHEN).unwrap().clean);
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

pub fn other_environments_are_apart(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let day = DAYS.day_of(NOON);
    let test = |record: Record| Record { environment: "127.0.0.1:8080".to_owned(), ..record };
    let back = Some(Back { day, hour: 13, elsewhere: false });
    let records = vec![
        record("B1", 2, "succeeded", 100),
        test(record("X1", 2, "succeeded", 2300)),
        test(Record { sold: true, sum: Some(300), back, ..record("X2", 3, "reversed", 300) }),
        test(record("X3", 1, "unknown", 1)),
        test(Record {
            unfinished: true,
            other_biz_id: Some("R".to_owned()),
            ..record("X4", 2, "succeeded", 5)
        }),
    ];
    store.accept(&till, &batch("j1", (0, 9), records), WHEN.0).unwrap();
    let found = report(&mut store);
    assert!(found.clean, "{:?}", found.reasons);
    assert_eq!((found.total.sales.count, found.total.net.as_str(), found.unsettled.len()), (1, "1.00", 0));
    assert_eq!(store.hours("c", day).unwrap().iter().map(|hour| hour.sales + hour.refunds).sum::<i64>(), 1);
    let [apart] = &found.other_environments[..] else { panic!("{:?}", found.other_environments) };
    let sums = (apart.sales.count, apart.sales.sum.as_str(), apart.refunds.sum.as_str(), apart.net.as_str());
    assert_eq!((apart.environment.as_str(), sums), ("127.0.0.1:8080", (3, "26.05", "-3.00", "23.05")));
}

/// While a till ships, no report shows a sale in one of its numbers and not in the others.
pub fn a_report_is_of_one_moment(open: Open<'_>) {
    let (mut tills, mut people) = (open(), open());
    let own = till(&mut tills, "c", "T1");
    std::thread::scope(|scope| {
        let shipping = scope.spawn(|| {
            for number in 1..=150 {
                let sale = Record { number, ..record(&format!("B{number}"), 2, "succeeded", 100) };
                let round = Batch { entries: number, ..batch("j1", (number - 1, number), vec![sale]) };
                tills.accept(&own, &round, WHEN.0).unwrap();
            }
        });
        let mut seen = Vec::new();
        while !shipping.is_finished() {
            let (sales, held) = people
                .snapshot(|store| {
                    let sales = store.sales("c", DAYS.day_of(NOON))?;
                    let later = store.journals("c")?;
                    Ok((
                        sales.first().map_or(0, |(_, sums)| sums.count),
                        later.first().map_or(0, |journal| journal.held),
                    ))
                })
                .unwrap();
            assert_eq!(sales, held);
            let found = report(&mut people);
            assert_eq!(found.differences, []);
            seen.push(sales);
        }
        shipping.join().unwrap();
        assert!(seen.len() > 1, "{seen:?}");
    });
    assert_eq!(report(&mut people).total.sales.count, 150);
}

pub fn a_day_is_complete_when_the_till_says_so(open: Open<'_>) {
    let mut store = open();
    let own = till(&mut store, "c", "T1");
    let day = DAYS.day_of(NOON);
    let (_, end) = DAYS.span(day);
    let ship = |stated, arrives, after, store: &mut zvpos_collect::store::Store| {
        let round = Batch {
            day: stated,
            entries: 1,
            ..batch("j1", (after, after + 1), vec![record("B1", 1, "succeeded", 100)])
        };
        store.accept(&own, &round, arrives).unwrap();
        report(store).behind.len()
    };
    // Looked at on the day, and under way until after its end: there may be more.
    assert_eq!(ship(day, end + 1, 0, &mut store), 1);
    let words = report(&mut store).behind[0].words.en.clone();
    assert!(words.contains("is still in the business day 2026-11-22"), "{words}");
    // A clock that is ahead states a day that has not begun.
    assert_eq!(ship(day + 1, end - 1, 1, &mut store), 1);
    assert_eq!(ship(day + 1, end + 1, 2, &mut store), 0);
    // A till that has not sold yet has shipped everything, too; once it has sold, that says nothing any more.
    let fresh = till(&mut store, "c", "T2");
    assert_eq!(report(&mut store).behind.len(), 1);
    store.is_empty(&fresh, day + 1, end + 1).unwrap();
    let found = report(&mut store);
    assert!(found.clean, "{:?}", found.reasons);
    let early = Batch { day, ..batch("j2", (0, 1), vec![record("B2", 1, "succeeded", 100)]) };
    store.accept(&fresh, &early, end - 1).unwrap();
    store.is_empty(&fresh, day + 2, end + 2).unwrap();
    assert_eq!(report(&mut store).behind.len(), 1);
}
