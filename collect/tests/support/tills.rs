//! A till: a real journal, written by the library's own store.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use zvpos_core::calendar::BusinessDays;
use zvpos_core::gateway::{Identity, Origin, PRODUCTION};
use zvpos_core::journal::{Guard, Recorded, Sqlite, Store};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Owner, Stage};

pub const DAYS: BusinessDays = BusinessDays { start_minutes: 240, offset_minutes: 480 };

pub const MEMBER: &str = "383933091455959041";

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

pub fn key(biz_id: &str) -> Key {
    Key {
        biz_id: BizId::new(biz_id).unwrap(),
        open_id: "fake-open-id".to_owned(),
        environment: PRODUCTION.to_owned(),
    }
}

/// A sale as it is recorded: its stage, its revision, its amount, and when.
#[derive(Clone)]
pub struct Sale {
    pub biz_id: String,
    pub stage: Stage,
    pub revision: u64,
    pub fen: u64,
    pub at: i64,
    pub returned: Option<i64>,
    pub acknowledged: bool,
    pub retired: bool,
}

impl Sale {
    pub fn new(biz_id: &str, stage: Stage, revision: u64, fen: u64, at: i64) -> Sale {
        let biz_id = biz_id.to_owned();
        Sale { biz_id, stage, revision, fen, at, returned: None, acknowledged: true, retired: false }
    }

    pub fn entry(&self) -> Entry {
        let amount = format!("{}.{:02}", self.fen / 100, self.fen % 100);
        let filed =
            |at: i64| json!({"at": {"machine_unix_ms": at, "gateway_unix_ms": null}, "day": DAYS.day_of(at)});
        let mut times = json!({"sent": filed(self.at)});
        if self.stage != Stage::Sending {
            times["ended"] = filed(self.at);
        }
        let succeeded = self.stage == Stage::Succeeded || self.returned.is_some();
        times["succeeded"] = json!(succeeded);
        if let Some(returned) = self.returned {
            times["returned"] = filed(returned);
        }
        let data = json!({"change_recharge_amount": amount, "change_gift_amount": "0.00"}).to_string();
        let detail = Detail {
            times: serde_json::from_value(times).unwrap(),
            data: succeeded.then_some(data),
            acknowledged: self.acknowledged,
            retired: self.retired,
            origin: Origin { device_sn: Some("POS-1".to_owned()), ..Origin::default() },
            ..Detail::default()
        };
        let identity = Identity {
            customer_id: Some(MEMBER.to_owned()),
            kind: None,
            amount: Some(Amount::parse(&amount).unwrap()),
            coupons: Vec::new(),
            points: None,
        };
        let owner = Owner("owner".to_owned());
        Entry::restore(
            key(&self.biz_id),
            identity,
            self.stage,
            self.revision,
            1,
            owner,
            OnUnknown::Hold,
            self.at,
            detail,
        )
    }
}

pub struct Till {
    pub journal: Sqlite,
    pub path: PathBuf,
}

impl Till {
    pub fn new(folder: &Path, name: &str) -> Till {
        let path = folder.join(name).join("journal.db");
        Till { journal: Sqlite::open(&path).unwrap(), path }
    }

    pub fn record(&self, sale: &Sale) {
        let recorded = self.journal.record(&sale.entry(), Guard::Off, soon()).unwrap();
        assert!(matches!(recorded, Recorded::Done(())), "{recorded:?}");
    }

    /// A sale from its intent to its end.
    pub fn sell(&self, biz_id: &str, stage: Stage, fen: u64, at: i64) {
        self.record(&Sale::new(biz_id, Stage::Sending, 1, fen, at));
        if stage != Stage::Sending {
            self.record(&Sale::new(biz_id, stage, 2, fen, at));
        }
    }

    /// Events go to the states, as they do outside of calls.
    pub fn feed(&self) {
        self.journal.close();
    }
}
