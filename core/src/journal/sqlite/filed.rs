//! Which entries are filed under a business day far from the one on which the machine's clock recorded their intent: a
//! refund of an old sale, a sale of a till whose clock stood at 1970. All others are found by the time of their intent.
//! It is a table of its own, which versions without it leave alone, and is made when it is first needed.

use rusqlite::{Connection, OptionalExtension, params};

use super::row;
use crate::payment::Entry;

const DAY_MS: i64 = 86_400_000;

/// So many days around its intent's an entry is found by that: more than any business day is off a day of UTC.
const NEAR: i64 = 2;

/// Writes an entry, and the days under which it is not found by the time of its intent.
pub(super) fn write(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    row::write(connection, entry)?;
    let times = &entry.detail().times;
    let (from, to) = (
        entry.created_unix_ms().div_euclid(DAY_MS) - NEAR,
        entry.created_unix_ms().div_euclid(DAY_MS) + NEAR,
    );
    let far =
        [times.ended, times.returned].into_iter().flatten().filter(|filed| !(from..=to).contains(&filed.day));
    for filed in far {
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS filed (day INTEGER NOT NULL, open_id TEXT NOT NULL, endpoint TEXT NOT NULL, \
             biz_id TEXT NOT NULL, PRIMARY KEY (day, open_id, endpoint, biz_id)) WITHOUT ROWID",
        )?;
        let key = entry.key();
        connection
            .prepare_cached("INSERT OR IGNORE INTO filed VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![filed.day, key.open_id, key.endpoint, key.biz_id.as_str()])?;
    }
    Ok(())
}

/// The entries near a day, and those that were filed under it from afar.
pub(super) fn near(connection: &Connection, day: i64) -> rusqlite::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    if has_table(connection)? {
        entries = row::filed_under(connection, day)?;
    }
    let span = |days: i64| day.saturating_add(days).saturating_mul(DAY_MS);
    for entry in row::created_between(connection, span(-NEAR), span(NEAR + 1))? {
        if entries.iter().all(|known| known.key() != entry.key()) {
            entries.push(entry);
        }
    }
    entries.sort_by_key(|entry| {
        let times = &entry.detail().times;
        times.ended.or(times.sent).map_or(entry.created_unix_ms(), |filed| filed.at.best_unix_ms())
    });
    Ok(entries)
}

fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'filed'")?
        .query_row([], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}
