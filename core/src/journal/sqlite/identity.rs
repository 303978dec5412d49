//! The identity of the journal: a random id that is new with the file, and new when a person accepts that records are
//! lost. Only under the same identity does "there is no record" mean "nothing was ever sent". It stands in a table of
//! its own, which versions without it leave alone.

use rusqlite::{Connection, OptionalExtension};

use super::{schema, write_transaction::WriteTransaction};

/// The identity; `None` where a version without it has made the file and none with it has opened it yet.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<String>> {
    if !has_table(connection)? {
        return Ok(None);
    }
    connection
        .prepare_cached("SELECT value FROM about WHERE name = 'journal_id'")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// Gives the journal an identity where it has none, and a new one where a person has accepted a loss. `accepted` is
/// asked while no other process can write.
pub(super) fn settle(connection: &Connection, accepted: impl Fn(u64) -> bool) -> rusqlite::Result<()> {
    let fits = |connection: &Connection| {
        Ok::<_, rusqlite::Error>(read(connection)?.is_some() && !accepted(schema::sequence(connection)?))
    };
    if fits(connection)? {
        return Ok(());
    }
    let transaction = WriteTransaction::begin(connection)?;
    // Another process may have been faster.
    if fits(&transaction)? {
        return Ok(());
    }
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    )?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO about VALUES ('journal_id', ?1)")?
        .execute([random()?])?;
    // Counted like every change, so that a journal that has lost it is behind its mark; but a journal that has just been
    // made stays unused until its first record, since it has no mark yet.
    if schema::sequence(&transaction)? > 0 {
        schema::advance(&transaction)?;
    }
    transaction.commit()
}

fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'about'")?
        .query_row([], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

/// 128 random bits as 32 digits.
fn random() -> rusqlite::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        rusqlite::Error::ToSqlConversionFailure(Box::new(std::io::Error::other(error.to_string())))
    })?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}
