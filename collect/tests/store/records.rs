//! Records and batches as tills ship them.

use zvpos_collect::report::day_report;
use zvpos_collect::store::{Kept, Store, Till};
use zvpos_collect::wire::{Batch, Record};

use super::support::NOON;
use super::support::tills::DAYS;

/// Opens the same store again each time.
pub type Open<'o> = &'o dyn Fn() -> Store;

/// Three days later, by the collector's clock.
pub const WHEN: (i64, i64) = (NOON + 3 * 86_400_000, 600_000);

pub fn record(biz_id: &str, revision: u64, stage: &str, fen: i64) -> Record {
    let sold = stage == "succeeded";
    Record {
        number: revision,
        open_id: "o".to_owned(),
        environment: "production".to_owned(),
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

pub fn batch(journal: &str, (after, last): (u64, u64), records: Vec<Record>) -> Batch {
    let entries = records.len() as u64;
    Batch {
        version: 2,
        journal: journal.to_owned(),
        round: format!("{after}-{last}"),
        part: 0,
        day: DAYS.day_of(WHEN.0),
        after,
        last,
        entries,
        complete: true,
        restored: false,
        records,
    }
}

pub fn till(store: &mut Store, chain: &str, name: &str) -> Till {
    let token = store.enroll(chain, name, "S01", 1).unwrap();
    store.till_of(&token).unwrap().unwrap()
}

pub fn kept(shipped: u64) -> Kept {
    Kept::Yes { shipped }
}

pub fn report(store: &mut Store) -> zvpos_collect::report::DayReport {
    day_report(store, "c", DAYS.day_of(NOON), WHEN).unwrap()
}
