//! The lists and questions of the database over a real server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::sync::OnceLock;

use cluster::drafts::{Draft, NOON, biz_ids, key, open, standing, try_write, write};
use cluster::{Cluster, soon};
use serde_json::json;
use zvpos_core::calendar::DAY_MS;
use zvpos_core::journal::Page;
use zvpos_core::journal::nodes::{Database, List};
use zvpos_core::payment::{Confirmation, Detail, Entry, Reversal, Stage};
use zvpos_journal_postgres::Postgres;

/// One server for all tests here; it ends with the process.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

fn opened(schema: &str) -> Postgres {
    open(&cluster().settings(schema))
}

const ALL: Page<'_> = Page { after: None, limit: usize::MAX };

#[test]
fn what_the_till_has_read_is_noted_over_the_same_revision_only() {
    let database = opened("acknowledge");
    let one = write(&database, Draft::new("B1", Stage::Succeeded), 1);
    let awaited = Detail { confirmation: Confirmation::Awaited, ..Detail::default() };
    let two = write(&database, Draft::new("B2", Stage::Succeeded).with(awaited), 2);
    let three = write(&database, Draft::new("B3", Stage::Succeeded), 3);
    let changed = write(&database, Draft::new("B3", Stage::Reversing).revision(2), 33);
    let next = |entry: &Entry| entry.acknowledged().unwrap();
    let records = [(next(&three), 30), (next(&two), 20), (next(&one), 10)];
    database.acknowledge(&records, soon()).unwrap();
    let found = standing(&database, "B1").unwrap();
    assert_eq!((&found.entry, found.token, &found.earlier[..]), (&records[2].0, 10, &[1][..]));
    assert_eq!(standing(&database, "B2").unwrap().entry, records[1].0);
    let found = standing(&database, "B3").unwrap();
    assert_eq!((found.entry, found.token), (changed, 33));
    assert_eq!(biz_ids(&database.list(List::Unfinished, ALL, soon()).unwrap()), ["B2"]);
    database.acknowledge(&records, soon()).unwrap();
    assert_eq!(standing(&database, "B1").unwrap().token, 10);
    database.acknowledge(&[], soon()).unwrap();
}

#[test]
fn lists_hold_what_they_name_page_by_page() {
    let database = opened("lists");
    for (number, stage) in Stage::ALL.into_iter().enumerate() {
        // The later one is the older, and two are of one moment.
        let created = NOON - i64::try_from(number / 2).unwrap();
        write(&database, Draft::new(stage.as_str(), stage).at(created), 1);
    }
    let refund =
        || Detail { reversal: Reversal { refund: true, ..Reversal::default() }, ..Detail::default() };
    write(&database, Draft::new("refused-refund", Stage::Kept).with(refund()), 1);
    write(&database, Draft::new("refund", Stage::Reversing).with(refund()), 1);
    let retired = Detail { retired: true, ..refund() };
    write(&database, Draft::new("old-refused-refund", Stage::Kept).with(retired), 1);
    let awaited = Detail { acknowledged: true, confirmation: Confirmation::Awaited, ..Detail::default() };
    write(&database, Draft::new("to-confirm", Stage::Succeeded).with(awaited), 1);
    let read = Detail { acknowledged: true, ..Detail::default() };
    write(&database, Draft::new("read", Stage::Succeeded).with(read), 1);
    // One of before 1970.
    write(&database, Draft::new("Before", Stage::Unknown).at(-5), 1);
    for (list, expected) in [
        (
            List::Unsettled,
            &["Before", "refused", "unproven", "reversing", "unknown", "refund", "sending"][..],
        ),
        (List::Due, &["Before", "unproven", "reversing", "unknown", "refund", "sending"]),
        (List::RefusedRefunds, &["refused-refund"]),
        (List::Unfinished, &["succeeded", "to-confirm"]),
    ] {
        let all = database.list(list, ALL, soon()).unwrap();
        let mut in_order: Vec<&Entry> = all.iter().collect();
        in_order.sort_by_key(|entry| (entry.created_unix_ms(), entry.key().biz_id.as_str().to_owned()));
        assert!(all.iter().eq(in_order), "{list:?}");
        let (mut found, mut named) = (biz_ids(&all), expected.to_vec());
        found.sort_unstable();
        named.sort_unstable();
        assert_eq!(found, named, "{list:?}");
        for limit in 1..8 {
            let pages = Page::all(limit, |page| Ok(database.list(list, page, soon()).unwrap())).unwrap();
            assert_eq!(pages, all, "{list:?}, {limit} a page");
        }
    }
}

#[test]
fn a_day_finds_what_is_filed_under_it() {
    let database = opened("days");
    let moment =
        |day: i64| json!({"at": {"machine_unix_ms": day * DAY_MS, "gateway_unix_ms": null}, "day": day});
    let filed = |ended: i64, returned: Option<i64>| {
        let times = json!({"ended": moment(ended), "returned": returned.map(moment)});
        Detail { times: serde_json::from_value(times).unwrap(), ..Detail::default() }
    };
    let sale = |biz_id: &str, days: i64| Draft::new(biz_id, Stage::Succeeded).at(NOON + days * DAY_MS);
    write(&database, sale("today", 0).with(filed(20_000, None)), 1);
    write(&database, sale("two-days-ago", -2), 1);
    write(&database, sale("long-ago", -9).with(filed(19_991, None)), 1);
    write(&database, Draft::new("given-back", Stage::Sending).at(NOON - 20 * DAY_MS), 1);
    let given_back = Draft::new("given-back", Stage::Reversed).at(NOON - 20 * DAY_MS);
    write(&database, given_back.revision(2).with(filed(19_980, Some(20_000))), 1);
    write(&database, sale("ahead", 9).with(filed(20_000, None)), 1);
    let retired = Detail { retired: true, ..filed(19_000, Some(20_000)) };
    write(&database, sale("retired", -1_000).with(retired), 1);
    write(&database, sale("retired-today", 0).with(Detail { retired: true, ..Detail::default() }), 1);
    let of = |day: i64| {
        let found = database.near_day(day, soon()).unwrap();
        let mut found: Vec<String> = biz_ids(&found).into_iter().map(str::to_owned).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(of(20_000), ["ahead", "given-back", "retired", "today", "two-days-ago"]);
    assert_eq!(of(19_998), ["today", "two-days-ago"]);
    assert_eq!(of(19_980), ["given-back"]);
    assert_eq!(of(20_003), [""; 0]);
    assert_eq!(of(20_011), ["ahead"]);
    assert_eq!(of(i64::MAX), [""; 0]);
}

#[test]
fn old_settled_entries_are_found_once_enough_days_have_followed() {
    let database = opened("retention");
    let read = || Detail { acknowledged: true, ..Detail::default() };
    let at = |biz_id: &str, stage, days: i64| Draft::new(biz_id, stage).at(NOON - days * DAY_MS);
    assert_eq!(database.newest_unix_ms(soon()).unwrap(), None);
    write(&database, at("old-1", Stage::Succeeded, 100).with(read()), 1);
    write(&database, at("old-2", Stage::Declined, 101), 1);
    write(&database, at("old-unread", Stage::Succeeded, 102), 1);
    write(&database, at("old-unknown", Stage::Unknown, 103), 1);
    write(
        &database,
        at("old-retired", Stage::Declined, 104).with(Detail { retired: true, ..Detail::default() }),
        1,
    );
    for days in [0, 0, 1, 5] {
        write(&database, at(&format!("new-{}", standing_count(&database)), Stage::Declined, days), 1);
    }
    assert_eq!(database.newest_unix_ms(soon()).unwrap(), Some(NOON));
    let found = |before: i64, days, limit| {
        let found = database.settled_before(NOON - before * DAY_MS, days, limit, soon()).unwrap();
        biz_ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(90, 3, 10), ["old-2", "old-1"]);
    assert_eq!(found(90, 3, 1), ["old-2"]);
    assert_eq!(found(90, 4, 10), [""; 0]);
    assert_eq!(found(90, 0, 10), ["old-2", "old-1"]);
    assert_eq!(found(101, 3, 10), [""; 0]);
    assert_eq!(found(100, 5, 10), [""; 0]);
    // Noon of the day itself does not count as before.
    assert_eq!(found(100, 4, 10), ["old-2"]);
}

fn standing_count(database: &Postgres) -> usize {
    database.settled_before(i64::MAX, 0, usize::MAX, soon()).unwrap().len()
}

#[test]
fn another_biz_id_in_an_answer_is_known() {
    let database = opened("returned");
    let carrying =
        |returned: &str| Detail { returned_biz_id: Some(returned.to_owned()), ..Detail::default() };
    write(&database, Draft::new("B1", Stage::Succeeded).with(carrying("B1")), 1);
    assert!(!database.has_other_biz_ids(&key("B9"), soon()).unwrap());
    write(&database, Draft::new("B2", Stage::Succeeded).with(carrying("B\"2")), 1);
    write(&database, Draft::new("B3", Stage::Succeeded).account("q").with(carrying("R3")), 1);
    let of =
        |open_id: &str, biz_id: &str| zvpos_core::payment::Key { open_id: open_id.into(), ..key(biz_id) };
    for (open_id, so) in [("o", true), ("q", true), ("p", false)] {
        assert_eq!(database.has_other_biz_ids(&of(open_id, "B9"), soon()).unwrap(), so, "{open_id}");
    }
    for (asked, returned, expected) in [
        (of("o", "B9"), "B\"2", Some("B2")),
        (of("o", "B2"), "B\"2", None),
        (of("o", "B9"), "B1", Some("B1")),
        (of("o", "B1"), "B1", None),
        (of("o", "B9"), "R3", None),
        (of("q", "B9"), "R3", Some("B3")),
        (of("q", "B9"), "B1", None),
    ] {
        let found = database.other_sale_of(&asked, returned, soon()).unwrap();
        let found = found.as_ref().map(|entry| entry.key().biz_id.as_str());
        assert_eq!(found, expected, "{asked:?} {returned}");
    }
}

#[test]
fn a_biz_id_under_another_account_is_known() {
    let database = opened("elsewhere");
    write(&database, Draft::new("B1", Stage::Succeeded), 1);
    write(&database, Draft::new("B2", Stage::Succeeded).account("p"), 1);
    let mut in_test = Draft::new("B3", Stage::Succeeded);
    in_test.key.environment = "127.0.0.1:8080".into();
    write(&database, in_test, 1);
    for (open_id, biz_id, so) in [
        ("o", "B1", false),
        ("p", "B1", true),
        ("o", "B2", true),
        ("p", "B2", false),
        ("o", "B3", true),
        ("o", "B4", false),
    ] {
        let asked = zvpos_core::payment::Key { open_id: open_id.into(), ..key(biz_id) };
        assert_eq!(database.stands_elsewhere(&asked, soon()).unwrap(), so, "{open_id} {biz_id}");
    }
}

#[test]
fn a_coupon_of_another_sale_is_known_while_details_are_kept() {
    let database = opened("coupons");
    let sale = write(&database, Draft::new("B1", Stage::Declined).of("1", &["7", "17", "9 "]), 1);
    write(&database, Draft::new("B2", Stage::Declined).of("2", &["8\""]).account("p"), 1);
    let named = |open_id: &str, biz_id: &str, coupon: &str| {
        let asked = zvpos_core::payment::Key { open_id: open_id.into(), ..key(biz_id) };
        database.names_coupon_elsewhere(&asked, coupon, soon()).unwrap()
    };
    for (open_id, biz_id, coupon, so) in [
        ("o", "B9", "7", true),
        ("o", "B9", "17", true),
        ("o", "B9", "1", false),
        ("o", "B9", "9 ", true),
        ("o", "B9", "9", false),
        ("o", "B1", "7", false),
        ("o", "B9", "8\"", false),
        ("p", "B9", "8\"", true),
    ] {
        assert_eq!(named(open_id, biz_id, coupon), so, "{open_id} {biz_id} {coupon}");
    }
    let retired = sale.retired().unwrap();
    assert!(try_write(&database, &retired, 2).unwrap());
    assert!(!named("o", "B9", "7"));
}
