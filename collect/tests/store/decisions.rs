//! What people decide: that a till is gone, that a gap was looked at, that a day is closed with what is open.

use zvpos_collect::report::{NotClosed, close, day_report};
use zvpos_collect::store::{Accepted, Kept, NotRetired, gap_kinds};
use zvpos_collect::wire::{Batch, Record};

use super::records::{Open, WHEN, batch, kept, record, report, till};
use super::support::NOON;
use super::support::tills::DAYS;

const DAY_MS: i64 = 86_400_000;

pub fn a_till_is_retired_and_comes_back(open: Open<'_>) {
    let mut store = open();
    let (one, gone) = (till(&mut store, "c", "T1"), till(&mut store, "c", "T2"));
    let day = DAYS.day_of(NOON);
    let sold = vec![record("B1", 2, "succeeded", 100), record("B2", 2, "unknown", 50)];
    store.accept(&gone, &Batch { day, ..batch("j2", (0, 2), sold) }, NOON).unwrap();
    store.accept(&one, &batch("j1", (0, 1), vec![record("B3", 2, "succeeded", 10)]), WHEN.0).unwrap();
    let next = |store: &mut _, later| day_report(store, "c", day + later, WHEN).unwrap();
    assert_eq!(next(&mut store, 1).reasons.len(), 2, "it is behind, and something is unsettled");
    let token = store.enroll("c", "T3", "S01", 1).unwrap();
    let third = store.till_of(&token).unwrap().unwrap();
    assert_eq!(store.retire("c", "T9", day, ("王", "x", WHEN.0)).unwrap(), Err(NotRetired::Unknown));
    assert_eq!(store.retire("c", "T3", day, ("王", "从未使用", WHEN.0)).unwrap(), Ok(()));
    assert_eq!(store.till_of(&token).unwrap(), None, "its token");
    assert_eq!(store.retire("c", "T2", day + 1, ("王店长", "报废", WHEN.0)).unwrap(), Ok(()));
    assert_eq!(store.retire("c", "T2", day, ("x", "x", WHEN.0)).unwrap(), Err(NotRetired::Already));
    // Its past stays, on the day itself it is awaited, and later it is not.
    let found = report(&mut store);
    assert_eq!((found.total.sales.count, found.behind.len(), found.unsettled_count()), (2, 1, 1));
    let later = next(&mut store, 1);
    assert!(later.clean, "{:?}", later.reasons);
    assert_eq!((later.silent.len(), later.set_aside, later.enrolled), (0, 1, 1));
    let lines: Vec<_> =
        later.retired.iter().map(|one| (one.till.as_str(), one.by.as_str(), one.reason.as_str())).collect();
    assert_eq!(lines, [("T2", "王店长", "报废"), ("T3", "王", "从未使用")]);
    assert_eq!(later.retired[0].unix_ms, WHEN.0);
    // Under its new name the same journal goes on, and counts once.
    let renamed = till(&mut store, "c", "T8");
    let more = Batch { entries: 3, ..batch("j2", (2, 4), vec![record("B4", 2, "succeeded", 7)]) };
    assert_eq!(store.accept(&renamed, &more, WHEN.0).unwrap(), kept(4));
    assert_eq!(store.accept(&third, &more, WHEN.0).unwrap(), Kept::Foreign { till: "T8".to_owned() });
    let found = report(&mut store);
    assert_eq!((found.total.sales.sum.as_str(), found.differences, found.gaps), ("1.17", vec![], vec![]));
    assert_eq!(found.unsettled.iter().map(|open| open.till.as_str()).collect::<Vec<_>>(), ["T8"]);
    // Enrolled again, it is awaited from that day on, and not for the days between.
    store.enroll("c", "T3", "S01", WHEN.0).unwrap();
    let behind = |found: zvpos_collect::report::DayReport| {
        found.behind.into_iter().map(|till| till.till).collect::<Vec<_>>()
    };
    assert_eq!(behind(next(&mut store, 2)), [""; 0]);
    let today = (WHEN.0 + 2 * DAY_MS, WHEN.1);
    let now = day_report(&mut store, "c", day + 3, today).unwrap();
    assert!(behind(now).contains(&"T3".to_owned()));
}

pub fn a_gap_is_accepted_and_a_later_one_is_another(open: Open<'_>) {
    let mut store = open();
    let till = till(&mut store, "c", "T1");
    let numbered = |number, biz_id: &str, stage| Record { number, ..record(biz_id, 2, stage, 100) };
    let all =
        vec![numbered(2, "B1", "succeeded"), numbered(4, "B2", "unknown"), numbered(6, "B3", "succeeded")];
    store.accept(&till, &batch("j1", (0, 6), all.clone()), WHEN.0).unwrap();
    let older = Batch { restored: true, ..batch("j1", (0, 2), vec![all[0].clone()]) };
    store.accept(&till, &older, WHEN.0).unwrap();
    let found = report(&mut store);
    assert_eq!(
        (found.gaps.len(), found.gaps[0].kind.as_str(), found.differences[0].kind.as_str()),
        (1, "restored", "count")
    );
    assert_eq!(found.unsettled_count(), 1);
    let accepted =
        Accepted {
            by: "王店长".to_owned(), ms: WHEN.0 + 5, reason: "换了硬盘，已逐笔核对".to_owned()
        };
    let gap = found.gaps[0].gap;
    assert!(
        !store.accept_gap("d", gap, &accepted).unwrap()
            && !store.accept_gap("c", gap + 1, &accepted).unwrap()
    );
    assert!(store.accept_gap("c", gap, &accepted).unwrap());
    assert!(!store.accept_gap("c", gap, &accepted).unwrap(), "only once");
    drop(store);
    let mut store = open();
    let found = report(&mut store);
    assert!(found.clean, "what the journal has lost is known: {:?}", found.reasons);
    assert_eq!((found.total.sales.count, found.set_aside), (2, 1));
    let looked = found.accepted_gaps[0].accepted.clone().unwrap();
    assert_eq!((looked.by, looked.unix_ms, looked.reason), (accepted.by, accepted.ms, accepted.reason));
    // The same happens again: that is another gap.
    store
        .accept(
            &till,
            &Batch {
                entries: 2,
                ..batch("j1", (2, 6), vec![numbered(5, "B5", "succeeded"), numbered(6, "B6", "succeeded")])
            },
            WHEN.0,
        )
        .unwrap();
    store.accept(&till, &Batch { round: "again".to_owned(), ..older.clone() }, WHEN.0).unwrap();
    let found = report(&mut store);
    assert_eq!((found.gaps.len(), found.accepted_gaps.len()), (1, 1));
    assert!(found.gaps[0].gap > gap && !found.clean);
    // What was lost has come back after all.
    store
        .accept(
            &till,
            &Batch {
                entries: 5,
                ..batch("j1", (2, 8), vec![Record { revision: 3, ..numbered(8, "B2", "unknown") }])
            },
            WHEN.0,
        )
        .unwrap();
    assert_eq!(report(&mut store).unsettled_count(), 1);
    // A till with another journal: of the earlier one nothing more comes.
    let token = store.enroll("c", "T1", "S01", 1).unwrap();
    let own = store.till_of(&token).unwrap().unwrap();
    store.accept(&own, &batch("j2", (0, 1), vec![record("B9", 1, "succeeded", 1)]), WHEN.0).unwrap();
    let gap = store.gaps("c").unwrap().into_iter().find(|gap| gap.kind == gap_kinds::NEW_JOURNAL).unwrap();
    assert!(
        store
            .accept_gap("c", gap.gap, &Accepted { by: "王".to_owned(), ms: 1, reason: "新机".to_owned() })
            .unwrap()
    );
    assert_eq!(report(&mut store).unsettled_count(), 0);
}

pub fn an_acceptance_names_what_was_seen(open: Open<'_>) {
    let mut store = open();
    let one = till(&mut store, "c", "T1");
    let day = DAYS.day_of(NOON);
    let open_sale = |biz_id: &str| record(biz_id, 1, "unknown", 100);
    store.accept(&one, &batch("j1", (0, 1), vec![open_sale("B1")]), WHEN.0).unwrap();
    let seen = report(&mut store);
    assert_eq!((seen.questions.as_slice(), seen.mark.len()), (&["unsettled T1 B1".to_owned()][..], 8));
    // Before it is accepted, the question has become another one, though it reads the same.
    let next = |biz_id: &str, done: &str, after| {
        let settled = Record { revision: 2, ..record(done, 2, "declined", 100) };
        Batch { entries: after + 1, ..batch("j1", (after, after + 1), vec![settled, open_sale(biz_id)]) }
    };
    store.accept(&one, &next("B2", "B1", 1), WHEN.0).unwrap();
    let closed = close(&mut store, "c", day, ("王店长", Some(&seen.mark)), WHEN);
    let Err(NotClosed::Changed(now)) = closed else { panic!("{closed:?}") };
    assert_eq!((now.reasons == seen.reasons, now.mark == seen.mark), (true, false));
    assert_eq!(store.closing("c", day).unwrap(), None);
    let closed = close(&mut store, "c", day, ("王店长", Some(&now.mark)), WHEN).unwrap();
    assert!(!closed.clean && closed.closed.unwrap().holds);
    let later = report(&mut store);
    assert!(
        later.closed.as_ref().unwrap().holds && later.since_closing.is_empty(),
        "{:?}",
        later.since_closing
    );
    // One more: the day's question is open again, for that one only.
    store.accept(&one, &Batch { entries: 3, ..batch("j1", (2, 3), vec![open_sale("B3")]) }, WHEN.0).unwrap();
    let later = report(&mut store);
    assert!(!later.closed.as_ref().unwrap().holds);
    let words: Vec<_> = later.since_closing.iter().map(|words| words.en.as_str()).collect();
    assert_eq!(words, ["1 entries are unsettled"]);
    assert_eq!(later.reasons[0].en, "2 entries are unsettled");
}
