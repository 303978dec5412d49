//! Entries to write.

use zvpos_core::journal::Guard;
use zvpos_core::journal::conformance;
pub use zvpos_core::journal::conformance::{Draft, NOON};
use zvpos_core::journal::nodes::{Database, Failure, Standing, Token, Write};
use zvpos_core::payment::{Entry, Key, Owner};
use zvpos_journal_postgres::{Postgres, Settings};

use super::soon;

pub fn key(biz_id: &str) -> Key {
    conformance::key("o", biz_id)
}

pub fn owner(name: &str) -> Owner {
    Owner(name.to_owned())
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
