//! Entries to write.

use zvpos_core::gateway::Identity;
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, Failure, Standing, Token, Write};
use zvpos_core::money::BizId;
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Owner, Stage};
use zvpos_journal_postgres::{Postgres, Settings};

use super::soon;

/// Noon of day 20,000.
pub const DAY_MS: i64 = 86_400_000;
pub const NOON: i64 = 20_000 * DAY_MS + DAY_MS / 2;

pub fn key(biz_id: &str) -> Key {
    Key { open_id: "o".into(), environment: "production".into(), biz_id: BizId::new(biz_id).unwrap() }
}

pub fn owner(name: &str) -> Owner {
    Owner(name.to_owned())
}

#[derive(Clone)]
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
    /// The first record of a member of its own.
    pub fn new(biz_id: &str, stage: Stage) -> Draft {
        Draft {
            key: key(biz_id),
            identity: Identity { customer_id: Some(format!("member of {biz_id}")), ..Identity::default() },
            stage,
            revision: 1,
            owner: owner("n1"),
            created: NOON,
            detail: Detail::default(),
        }
    }

    pub fn of(mut self, member: &str, coupons: &[&str]) -> Draft {
        self.identity.customer_id = Some(member.to_owned());
        self.identity.coupons = coupons.iter().map(|&coupon| coupon.to_owned()).collect();
        self
    }

    pub fn account(mut self, open_id: &str) -> Draft {
        open_id.clone_into(&mut self.key.open_id);
        self
    }

    pub fn revision(mut self, revision: u64) -> Draft {
        self.revision = revision;
        self
    }

    pub fn by(mut self, name: &str) -> Draft {
        self.owner = owner(name);
        self
    }

    pub fn with(mut self, detail: Detail) -> Draft {
        self.detail = detail;
        self
    }

    pub fn at(mut self, created: i64) -> Draft {
        self.created = created;
        self
    }

    pub fn entry(self) -> Entry {
        let Draft { key, identity, stage, revision, owner, created, detail } = self;
        Entry::restore(key, identity, stage, revision, 1, owner, OnUnknown::Reverse, created, detail)
    }
}

pub fn open(settings: &Settings) -> Postgres {
    Postgres::open(settings, soon()).unwrap_or_else(|error| panic!("{error}")).database
}

pub fn try_write(database: &Postgres, entry: &Entry, token: Token) -> Result<bool, Failure> {
    database.write(&Write { entry, token, guard: Guard::Off, by: None }, soon())
}

/// Writes without a guard, which must succeed.
#[track_caller]
pub fn write(database: &Postgres, draft: Draft, token: Token) -> Entry {
    let entry = draft.entry();
    assert!(try_write(database, &entry, token).unwrap(), "{entry:?}");
    entry
}

pub fn standing(database: &Postgres, biz_id: &str) -> Option<Standing> {
    let mut found = database.standing(&[key(biz_id)], soon()).unwrap();
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

pub fn biz_ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.key().biz_id.as_str()).collect()
}

/// Whether a record is written, which must fit what is said to keep it out.
pub fn guarded(database: &Postgres, draft: Draft, guard: Guard) -> bool {
    let entry = draft.entry();
    let write = Write { entry: &entry, token: 5, guard, by: None };
    let kept_out = database.keeping_out(&write, soon()).unwrap();
    let written = database.write(&write, soon()).unwrap();
    assert_eq!(written, kept_out.is_none(), "{entry:?} {kept_out:?}");
    written
}
