//! What every store does, case by case. The tests of each store run them on an empty journal of its own, also with a pause
//! between writing and asking in which the store may put in order what it holds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::time::{Duration, Instant};

use super::{Backend, Guard, Page, Recorded};
use crate::calendar::DAY_MS;
use crate::gateway::{GatewayStatus, Identity, Origin};
use crate::money::{Amount, BizId};
use crate::payment::{Confirmation, Detail, Entry, Key, OnUnknown, Owner, Reversal, Stage, Times};

/// A case: its name, and what is done on an empty journal. The second argument is the pause.
pub type Case = (&'static str, fn(&dyn Backend, &dyn Fn()));

/// Every case.
pub const CASES: [Case; 12] = [
    ("every_column_comes_back", every_column_comes_back),
    ("a_record_needs_the_revision_before_it", a_record_needs_the_revision_before_it),
    ("an_unsettled_sale_holds_others_back", an_unsettled_sale_holds_others_back),
    ("an_account_is_held_back_by_its_own_sales_only", an_account_is_held_back_by_its_own_sales_only),
    ("several_records_are_answered_in_their_order", several_records_are_answered_in_their_order),
    ("lists_hold_what_they_name", lists_hold_what_they_name),
    ("lists_are_in_order", lists_are_in_order),
    (
        "a_success_is_unfinished_until_the_till_has_read_it",
        a_success_is_unfinished_until_the_till_has_read_it,
    ),
    ("a_day_finds_what_is_filed_under_it", a_day_finds_what_is_filed_under_it),
    ("another_biz_id_in_an_answer_is_known", another_biz_id_in_an_answer_is_known),
    ("a_biz_id_under_another_account_is_known", a_biz_id_under_another_account_is_known),
    ("a_coupon_of_another_sale_is_known", a_coupon_of_another_sale_is_known),
];

const EVERYTHING: Page<'_> = Page { after: None, limit: usize::MAX };

/// A time at which a sale is not implausible: noon of day 20,000.
pub const NOON: i64 = 20_000 * DAY_MS + DAY_MS / 2;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// The key of a bizId of that account.
///
/// # Panics
/// If it is no bizId.
pub fn key(open_id: &str, biz_id: &str) -> Key {
    Key { open_id: open_id.into(), environment: "production".into(), biz_id: BizId::new(biz_id).unwrap() }
}

/// An entry to build on.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are an entry's")]
pub struct Draft {
    pub key: Key,
    pub identity: Identity,
    pub stage: Stage,
    pub revision: u64,
    pub owner: Owner,
    pub created: i64,
    pub detail: Detail,
}

impl Draft {
    /// The first record of a sale of the account `o` with a member of its own, by `n1`.
    pub fn new(biz_id: &str, stage: Stage) -> Draft {
        Draft {
            key: key("o", biz_id),
            identity: Identity { customer_id: Some(format!("member of {biz_id}")), ..Identity::default() },
            stage,
            revision: 1,
            owner: Owner("n1".to_owned()),
            created: NOON,
            detail: Detail::default(),
        }
    }

    /// With that member and these coupons.
    pub fn of(mut self, member: &str, coupons: &[&str]) -> Draft {
        self.identity.customer_id = Some(member.to_owned());
        self.identity.coupons = coupons.iter().map(|&coupon| coupon.to_owned()).collect();
        self
    }

    /// Of another account.
    pub fn account(mut self, open_id: &str) -> Draft {
        open_id.clone_into(&mut self.key.open_id);
        self
    }

    /// Of that revision.
    pub fn revision(mut self, revision: u64) -> Draft {
        self.revision = revision;
        self
    }

    /// Written by another owner.
    pub fn by(mut self, owner: &str) -> Draft {
        self.owner = Owner(owner.to_owned());
        self
    }

    /// With these details.
    pub fn with(mut self, detail: Detail) -> Draft {
        self.detail = detail;
        self
    }

    /// Begun at that time.
    pub fn at(mut self, created: i64) -> Draft {
        self.created = created;
        self
    }

    /// The entry.
    pub fn entry(self) -> Entry {
        let Draft { key, identity, stage, revision, owner, created, detail } = self;
        Entry::restore(key, identity, stage, revision, 1, owner, OnUnknown::Reverse, created, detail)
    }

    /// One of every stage; every other one has something in each column.
    ///
    /// # Panics
    /// Never: the bizIds and the amount are written here.
    pub fn of_every_stage() -> Vec<Draft> {
        let status = |code: &str| GatewayStatus {
            code: code.to_owned(),
            message: "说明 \u{1f4b0} \"x\" \\ '".to_owned(),
        };
        let full = |number: usize, draft: Draft| Draft {
            identity: Identity {
                customer_id: Some(" 会员 1 ".into()),
                kind: Some(2),
                amount: Some(Amount::parse("12.30").unwrap()),
                coupons: vec!["7".into(), "券, \"8\"".into()],
                points: Some(-5),
            },
            detail: Detail {
                words: Some(status("0")),
                doubt: Some("ZV-DOUBT".into()),
                data: Some(r#"{"bizId":"B","amount":1.10}"#.into()),
                warnings: vec![status("ZV-W-X")],
                returned_biz_id: Some(format!("R{number}")),
                answered: true,
                confirmation: Confirmation::Awaited,
                reversal: Reversal { asked: true, tries: 3, last: Some(status("9")), ..Reversal::default() },
                origin: Origin {
                    device_sn: Some("till".into()),
                    operator_id: Some("operator".into()),
                    operator_name: Some("店员".into()),
                    multi_mark: Some("store".into()),
                },
                reopened: 2,
                ..Detail::default()
            },
            ..draft
        };
        let of_stage = |(number, stage)| {
            let draft = Draft::new(&format!("B{number}"), stage);
            if number % 2 == 0 { full(number, draft) } else { draft }
        };
        Stage::ALL.into_iter().enumerate().map(of_stage).collect()
    }
}

/// The first record of a sale by the store's own process.
fn draft(store: &dyn Backend, biz_id: &str, stage: Stage) -> Draft {
    Draft::new(biz_id, stage).by(&store.owner().0)
}

#[track_caller]
fn record(store: &dyn Backend, draft: Draft) -> Entry {
    let entry = draft.entry();
    let recorded = store.record(&entry, Guard::Off, soon()).unwrap();
    assert!(matches!(recorded, Recorded::Done(())), "{recorded:?}");
    entry
}

fn biz_ids(entries: &[Entry]) -> Vec<&str> {
    let mut biz_ids: Vec<&str> = entries.iter().map(|entry| entry.key().biz_id.as_str()).collect();
    biz_ids.sort_unstable();
    biz_ids
}

fn every_column_comes_back(store: &dyn Backend, pause: &dyn Fn()) {
    let drafts = Draft::of_every_stage().into_iter();
    let entries: Vec<Entry> = drafts.map(|draft| record(store, draft.by(&store.owner().0))).collect();
    pause();
    for entry in &entries {
        assert_eq!(store.find(entry.key()).unwrap().as_ref(), Some(entry));
    }
    assert_eq!(store.find(&key("o", "nobodys")).unwrap(), None);
    assert_eq!(store.find(&key("p", "B0")).unwrap(), None);
}

fn a_record_needs_the_revision_before_it(store: &dyn Backend, pause: &dyn Fn()) {
    let first = record(store, draft(store, "B1", Stage::Sending));
    let second = record(store, draft(store, "B1", Stage::Unknown).revision(2));
    pause();
    for (revision, stands) in [(1, &second), (2, &second), (4, &second)] {
        let entry = draft(store, "B1", Stage::Succeeded).revision(revision).entry();
        match store.record(&entry, Guard::Off, soon()).unwrap() {
            Recorded::Existing(found) => assert_eq!(found, *stands, "{revision}"),
            recorded => panic!("{revision}: {recorded:?}"),
        }
    }
    let third = record(store, draft(store, "B1", Stage::Succeeded).revision(3));
    assert_eq!(store.find(first.key()).unwrap(), Some(third));
}

fn an_unsettled_sale_holds_others_back(store: &dyn Backend, pause: &dyn Fn()) {
    let doubt = record(store, draft(store, "B1", Stage::Unknown).of("1", &["7", "8"]));
    record(store, draft(store, "B2", Stage::Succeeded).of("2", &["9"]));
    // Money that goes back takes nothing from anybody.
    let refund = Detail { reversal: Reversal { refund: true, ..Reversal::default() }, ..Detail::default() };
    record(store, draft(store, "B0", Stage::Reversing).of("5", &["5"]).with(refund));
    // A call of this process carries it out.
    let running = draft(store, "B3", Stage::Sending).of("3", &[]).entry();
    let _call = store.in_flight().begin(running.key());
    assert!(matches!(store.record(&running, Guard::Member, soon()), Ok(Recorded::Done(()))));
    pause();
    let asked = |biz_id: &str, member: &str, coupons: &[&str], guard| {
        let entry = draft(store, biz_id, Stage::Sending).of(member, coupons).entry();
        store.record(&entry, guard, soon()).unwrap()
    };
    for (member, coupons, guard) in
        [("1", &[][..], Guard::Member), ("4", &["6", "8"], Guard::Member), ("4", &["8"], Guard::Coupon)]
    {
        match asked("B4", member, coupons, guard) {
            Recorded::InDoubt(found) => assert_eq!(found, doubt),
            recorded => panic!("{member} {coupons:?} {guard:?}: {recorded:?}"),
        }
        assert_eq!(store.find(&key("o", "B4")).unwrap(), None);
    }
    // The record of the same bizId comes before the guard.
    assert!(
        matches!(asked("B1", "1", &["7", "8"], Guard::Member), Recorded::Existing(found) if found == doubt)
    );
    for (biz_id, member, coupons, guard) in [
        ("B5", "1", &["6"][..], Guard::Coupon),
        ("B6", "2", &["9"], Guard::Member),
        ("B7", "3", &[], Guard::Member),
        ("B9", "5", &["5"], Guard::Member),
        ("B8", "1", &["7"], Guard::Off),
    ] {
        let recorded = asked(biz_id, member, coupons, guard);
        assert!(matches!(recorded, Recorded::Done(())), "{biz_id}: {recorded:?}");
    }
}

fn an_account_is_held_back_by_its_own_sales_only(store: &dyn Backend, pause: &dyn Fn()) {
    record(store, draft(store, "B1", Stage::Unknown).of("1", &["7"]));
    let mut elsewhere = draft(store, "B2", Stage::Sending).of("1", &["7"]);
    elsewhere.key.environment = "127.0.0.1:8080".into();
    pause();
    for entry in [draft(store, "B2", Stage::Sending).of("1", &["7"]).account("p").entry(), elsewhere.entry()]
    {
        let recorded = store.record(&entry, Guard::Member, soon()).unwrap();
        assert!(matches!(recorded, Recorded::Done(())), "{recorded:?}");
    }
}

fn several_records_are_answered_in_their_order(store: &dyn Backend, pause: &dyn Fn()) {
    for number in 0..3 {
        record(store, draft(store, &format!("B{number}"), Stage::Sending));
    }
    pause();
    let next = |biz_id: &str, revision| draft(store, biz_id, Stage::Unknown).revision(revision).entry();
    let entries = [next("B0", 2), next("B1", 1), next("B2", 2)];
    let recorded = store.record_all(&entries, soon());
    assert!(
        matches!(
            &recorded[..],
            [Ok(Recorded::Done(())), Ok(Recorded::Existing(found)), Ok(Recorded::Done(()))]
                if found.key().biz_id.as_str() == "B1"
        ),
        "{recorded:?}"
    );
    assert_eq!(store.find(&key("o", "B2")).unwrap().as_ref(), Some(&entries[2]));
    assert!(store.record_all(&[], soon()).is_empty());
}

fn lists_hold_what_they_name(store: &dyn Backend, pause: &dyn Fn()) {
    for (number, stage) in Stage::ALL.into_iter().enumerate() {
        // The later one is the older.
        let created = NOON - i64::try_from(number).unwrap();
        record(store, draft(store, stage.as_str(), stage).at(created));
    }
    let refund =
        || Detail { reversal: Reversal { refund: true, ..Reversal::default() }, ..Detail::default() };
    record(store, draft(store, "refused-refund", Stage::Kept).with(refund()));
    record(store, draft(store, "refund", Stage::Reversing).with(refund()));
    let retired = Detail { retired: true, ..refund() };
    record(store, draft(store, "old-refused-refund", Stage::Kept).with(retired));
    pause();
    let unsettled = store.unsettled(EVERYTHING).unwrap();
    assert_eq!(biz_ids(&unsettled), ["refund", "refused", "reversing", "sending", "unknown", "unproven"]);
    assert!(unsettled.is_sorted_by_key(Entry::created_unix_ms), "{unsettled:?}");
    let due = store.due(EVERYTHING).unwrap();
    assert_eq!(biz_ids(&due), ["refund", "reversing", "sending", "unknown", "unproven"]);
    for limit in 1..8 {
        assert_eq!(Page::all(limit, |page| store.due(page)).unwrap(), due, "{limit} a page");
        assert_eq!(Page::all(limit, |page| store.unsettled(page)).unwrap(), unsettled, "{limit} a page");
    }
    assert_eq!(biz_ids(&store.refused_refunds().unwrap()), ["refused-refund"]);
    assert_eq!(biz_ids(&store.unfinished().unwrap()), ["succeeded"]);
}

/// Sales of one millisecond too are listed in an order that never changes: that of their bizIds.
fn lists_are_in_order(store: &dyn Backend, pause: &dyn Fn()) {
    let refund =
        || Detail { reversal: Reversal { refund: true, ..Reversal::default() }, ..Detail::default() };
    let numbers: Vec<String> = (10..30).map(|number| number.to_string()).collect();
    for (at, number) in numbers.iter().enumerate() {
        record(store, draft(store, &format!("paid-{number}"), Stage::Succeeded));
        record(store, draft(store, &format!("refused-{number}"), Stage::Kept).with(refund()));
        if at == numbers.len() / 2 {
            // What was moved to a table and what was not are one list.
            pause();
        }
    }
    let of = |kinds: &[&str]| -> Vec<String> {
        kinds.iter().flat_map(|kind| numbers.iter().map(move |number| format!("{kind}-{number}"))).collect()
    };
    let told = |entries: Vec<Entry>| {
        entries.iter().map(|entry| entry.key().biz_id.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(store.unfinished().unwrap()), of(&["paid"]));
    assert_eq!(told(store.refused_refunds().unwrap()), of(&["refused"]));
    assert_eq!(told(store.near_day(NOON.div_euclid(DAY_MS)).unwrap()), of(&["paid", "refused"]));
}

fn a_success_is_unfinished_until_the_till_has_read_it(store: &dyn Backend, pause: &dyn Fn()) {
    let read = Detail { acknowledged: true, ..Detail::default() };
    let awaited = Detail { acknowledged: true, confirmation: Confirmation::Awaited, ..Detail::default() };
    record(store, draft(store, "read", Stage::Succeeded).with(read));
    record(store, draft(store, "to-confirm", Stage::Succeeded).with(awaited).at(NOON + 1));
    let first = record(store, draft(store, "unread", Stage::Succeeded).at(NOON + 2));
    record(store, draft(store, "older", Stage::Succeeded));
    pause();
    let unfinished = store.unfinished().unwrap();
    let in_order: Vec<&str> = unfinished.iter().map(|entry| entry.key().biz_id.as_str()).collect();
    assert_eq!(in_order, ["older", "to-confirm", "unread"]);
    store.acknowledge(first.key().clone());
    // A record that is not written takes nothing of that along.
    let existing = store.record(&draft(store, "read", Stage::Unknown).entry(), Guard::Off, soon());
    assert!(matches!(existing, Ok(Recorded::Existing(_))), "{existing:?}");
    // A day's report knows it at once.
    let of_day = store.near_day(20_000).unwrap();
    assert!(of_day.iter().any(|entry| entry.key() == first.key() && entry.detail().acknowledged));
    store.flush_acknowledged();
    assert_eq!(biz_ids(&store.unfinished().unwrap()), ["older", "to-confirm"]);
    let found = store.find(first.key()).unwrap().unwrap();
    assert_eq!(Some(&found), first.acknowledged().as_ref());
}

fn a_day_finds_what_is_filed_under_it(store: &dyn Backend, pause: &dyn Fn()) {
    let filed = |ended: i64, returned: Option<i64>| Detail {
        times: Times::filed(ended * DAY_MS, returned.map(|day| day * DAY_MS)),
        ..Detail::default()
    };
    record(store, draft(store, "today", Stage::Succeeded).with(filed(20_000, None)));
    record(store, draft(store, "two-days-ago", Stage::Succeeded).at(NOON - 2 * DAY_MS));
    record(store, draft(store, "long-ago", Stage::Succeeded).at(NOON - 9 * DAY_MS).with(filed(19_991, None)));
    let given_back = filed(19_980, Some(20_000));
    record(store, draft(store, "given-back-today", Stage::Reversed).at(NOON - 20 * DAY_MS).with(given_back));
    // A till whose clock stood at 1970, and one whose clock was ahead.
    record(store, draft(store, "of-1970", Stage::Succeeded).at(5).with(filed(20_000, None)));
    record(store, draft(store, "ahead", Stage::Succeeded).at(NOON + 9 * DAY_MS).with(filed(20_000, None)));
    let retired = Detail { retired: true, ..filed(19_000, Some(20_000)) };
    record(store, draft(store, "retired", Stage::Reversed).at(NOON - 1_000 * DAY_MS).with(retired));
    let retired = Detail { retired: true, ..Detail::default() };
    record(store, draft(store, "retired-today", Stage::Declined).with(retired));
    pause();
    let of = |day: i64| store.near_day(day).unwrap();
    let found = of(20_000);
    let moments: Vec<i64> = found
        .iter()
        .map(|entry| entry.detail().times.ended_unix_ms().unwrap_or(entry.created_unix_ms()))
        .collect();
    assert!(moments.is_sorted() && moments.first() != moments.last(), "{moments:?}");
    assert_eq!(biz_ids(&found), ["ahead", "given-back-today", "of-1970", "retired", "today", "two-days-ago"]);
    assert_eq!(biz_ids(&of(19_998)), ["today", "two-days-ago"]);
    assert_eq!(biz_ids(&of(19_996)), ["two-days-ago"]);
    assert_eq!(biz_ids(&of(20_003)), [""; 0]);
    assert_eq!(biz_ids(&of(19_991)), ["long-ago"]);
    assert_eq!(biz_ids(&of(19_980)), ["given-back-today"]);
    assert_eq!(biz_ids(&of(20_011)), ["ahead"]);
}

fn another_biz_id_in_an_answer_is_known(store: &dyn Backend, pause: &dyn Fn()) {
    let carrying =
        |returned: &str| Detail { returned_biz_id: Some(returned.to_owned()), ..Detail::default() };
    record(store, draft(store, "B1", Stage::Succeeded).with(carrying("B1")));
    pause();
    assert!(!store.has_other_biz_ids(&key("o", "B9")).unwrap());
    record(store, draft(store, "B2", Stage::Succeeded).with(carrying("B\"2")));
    record(store, draft(store, "B3", Stage::Succeeded).account("q").with(carrying("R3")));
    pause();
    for (open_id, so) in [("o", true), ("q", true), ("p", false)] {
        assert_eq!(store.has_other_biz_ids(&key(open_id, "B9")).unwrap(), so, "{open_id}");
    }
    for (asked, returned, expected) in [
        (key("o", "B9"), "B\"2", Some("B2")),
        (key("o", "B2"), "B\"2", None),
        (key("o", "B9"), "B1", Some("B1")),
        (key("o", "B1"), "B1", None),
        (key("o", "B9"), "R3", None),
        (key("q", "B9"), "R3", Some("B3")),
        (key("q", "B9"), "B1", None),
    ] {
        let found = store.other_sale_of(&asked, returned).unwrap();
        let found = found.as_ref().map(|entry| entry.key().biz_id.as_str());
        assert_eq!(found, expected, "{asked:?} {returned}");
    }
}

fn a_biz_id_under_another_account_is_known(store: &dyn Backend, pause: &dyn Fn()) {
    record(store, draft(store, "B1", Stage::Succeeded));
    record(store, draft(store, "B2", Stage::Succeeded).account("p"));
    let mut in_test = draft(store, "B3", Stage::Succeeded);
    in_test.key.environment = "127.0.0.1:8080".into();
    record(store, in_test);
    pause();
    for (open_id, biz_id, so) in [
        ("o", "B1", false),
        ("p", "B1", true),
        ("q", "B1", true),
        ("o", "B2", true),
        ("p", "B2", false),
        ("o", "B3", true),
        ("o", "B4", false),
    ] {
        assert_eq!(store.stands_elsewhere(&key(open_id, biz_id)).unwrap(), so, "{open_id} {biz_id}");
    }
}

fn a_coupon_of_another_sale_is_known(store: &dyn Backend, pause: &dyn Fn()) {
    record(store, draft(store, "B1", Stage::Succeeded).of("1", &["7", "17"]));
    record(store, draft(store, "B2", Stage::Declined).of("2", &["8\""]).account("p"));
    pause();
    for (asked, coupon, so) in [
        (key("o", "B9"), "7", true),
        (key("o", "B9"), "17", true),
        (key("o", "B9"), "1", false),
        (key("o", "B1"), "7", false),
        (key("o", "B9"), "8\"", false),
        (key("p", "B9"), "8\"", true),
        (key("p", "B9"), "7", false),
    ] {
        assert_eq!(store.names_coupon_elsewhere(&asked, coupon).unwrap(), so, "{asked:?} {coupon}");
    }
}
