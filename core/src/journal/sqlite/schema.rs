//! The format of the file: its settings, its tables, its versions.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::journal::JournalError;
use crate::outcome::codes;

/// The format that this version writes.
pub(super) const VERSION: i64 = 1;

/// "zvpJ": tells a journal from any other database.
const APPLICATION_ID: i64 = 0x7a76_704a;

/// Why a file cannot be the journal.
pub(super) enum Unusable {
    Sqlite(rusqlite::Error),
    Foreign,
    Newer(i64),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Unusable::Sqlite(error)
    }
}

impl Unusable {
    /// In words.
    pub(super) fn explain(self, path: &Path) -> JournalError {
        match self {
            Unusable::Sqlite(error) => super::explain(path, &error),
            Unusable::Foreign => JournalError::new(
                &codes::JOURNAL_PLACE,
                format!("{} is another program's database", path.display()),
            ),
            Unusable::Newer(version) => JournalError::new(
                &codes::JOURNAL_NEWER,
                format!(
                    "{} has format {version}; this version knows up to {VERSION}; nothing was changed",
                    path.display()
                ),
            ),
        }
    }
}

/// Which format the file has, if this version knows it. Nothing is changed.
pub(super) fn look(connection: &Connection, busy: Duration) -> Result<i64, Unusable> {
    connection.busy_timeout(busy)?;
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))?;
    if tables > 0 && pragma("application_id")? != APPLICATION_ID {
        return Err(Unusable::Foreign);
    }
    let version = pragma("user_version")?;
    if version > VERSION { Err(Unusable::Newer(version)) } else { Ok(version) }
}

/// Sets the connection up and brings the file to [`VERSION`]. A newer file is left as it is.
pub(super) fn prepare(connection: &mut Connection, busy: Duration) -> Result<(), Unusable> {
    let version = look(connection, busy)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")?;
    connection.set_prepared_statement_cache_capacity(32);
    if version < VERSION {
        create(connection)?;
    }
    Ok(())
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        ))?;
    }
    transaction.commit()
}

/// A second connection to a file that [`prepare`] has brought up, which cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// How many changes were committed to this file.
pub(super) fn sequence(connection: &Connection) -> rusqlite::Result<u64> {
    let sequence: i64 = connection
        .prepare_cached("SELECT sequence FROM journal WHERE one = 1")?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(sequence).unwrap_or_default())
}

/// Counts one more change.
pub(super) fn advance(transaction: &Connection) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE journal SET sequence = sequence + 1 WHERE one = 1")?
        .execute([])
        .map(drop)
}
