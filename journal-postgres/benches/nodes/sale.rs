//! The sale that everybody records: a payment from a member's balance, of a member of its own.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use zvpos_core::gateway::{GatewayStatus, Identity, Origin};
use zvpos_core::journal::nodes::{LeaseSettings, NodeSettings, Nodes};
use zvpos_core::journal::{Guard, Liveness, Recorded, Store, owner_name};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Owner, Stage};
use zvpos_journal_postgres::{Postgres, Settings};

use crate::cluster::soon;

/// What the gateway answers.
const DATA: &str = r#"{"customerId":"383933091455959041","couponsCardList":[],"gift_amount":"10.00","recharge_amount":"90.00","total_amount":"100.00","change_gift_amount":"0.00","change_recharge_amount":"1.00"}"#;

const LEASE: LeaseSettings = LeaseSettings {
    lease: Duration::from_secs(20),
    beat: Duration::from_secs(2),
    margin: Duration::from_secs(2),
};

const TOTAL: Duration = Duration::from_secs(10);

/// One day in 2026; nothing is decided by it.
fn unix_ms() -> i64 {
    1_767_225_600_000
}

/// A node over its own pool, which beats as the library's does.
pub(crate) fn node(settings: &Settings) -> Arc<Nodes<Postgres>> {
    let database = Postgres::open(settings, soon()).unwrap_or_else(|error| panic!("{error}")).database;
    let settings = NodeSettings {
        lease: LEASE,
        total: TOTAL,
        retention_days: 90,
        unix_ms,
        name: Box::new(|random| owner_name(std::process::id(), random, TOTAL)),
    };
    let node = Arc::new(Nodes::start(database, settings, soon()).unwrap());
    let beating: Weak<Nodes<Postgres>> = Arc::downgrade(&node);
    thread::spawn(move || {
        while let Some(node) = beating.upgrade() {
            // What fails is done by the next beat.
            let _ = node.beat();
            drop(node);
            thread::sleep(LEASE.beat);
        }
    });
    node
}

/// A bizId and a member that nobody else has.
pub(crate) fn number() -> String {
    (getrandom::u64().unwrap() >> 1).to_string()
}

/// The intent of the sale with that number.
pub(crate) fn intent(owner: &Owner, number: &str) -> Entry {
    let identity = Identity {
        customer_id: Some(number.to_owned()),
        kind: Some(1),
        amount: Some(Amount::parse("12.50").unwrap()),
        ..Identity::default()
    };
    record(owner, number, identity, Stage::Sending, 1, Detail::default())
}

/// What became of it.
pub(crate) fn outcome(owner: &Owner, number: &str, stage: Stage) -> Entry {
    let before = intent(owner, number);
    let detail = Detail {
        words: Some(GatewayStatus { code: "0".into(), message: "操作成功".into() }),
        data: Some(DATA.to_owned()),
        returned_biz_id: Some(number.to_owned()),
        answered: true,
        ..Detail::default()
    };
    record(owner, number, before.identity().clone(), stage, 2, detail)
}

fn record(
    owner: &Owner,
    number: &str,
    identity: Identity,
    stage: Stage,
    revision: u64,
    detail: Detail,
) -> Entry {
    let key = Key {
        open_id: "fake-open-id-for-test-only-0001".into(),
        environment: "production".into(),
        biz_id: BizId::new(number).unwrap(),
    };
    let origin = Origin {
        device_sn: Some("POS0001".into()),
        operator_id: Some("1001".into()),
        operator_name: Some("王芳".into()),
        multi_mark: Some("S001".into()),
    };
    let detail = Detail { origin, ..detail };
    Entry::restore(key, identity, stage, revision, 1, owner.clone(), OnUnknown::Reverse, unix_ms(), detail)
}

/// Records both, as a consume does, and returns how long the two took. What is recorded is made before.
pub(crate) fn sell(node: &Nodes<Postgres>, number: &str, stage: Stage) -> Duration {
    let (intent, outcome) = (intent(node.owner(), number), outcome(node.owner(), number, stage));
    let until = soon();
    let began = Instant::now();
    let recorded = [(&intent, Guard::Member), (&outcome, Guard::Off)]
        .map(|(entry, guard)| node.record(entry, guard, until).unwrap());
    let took = began.elapsed();
    assert!(recorded.iter().all(|recorded| matches!(recorded, Recorded::Done(()))), "{recorded:?}");
    took
}
