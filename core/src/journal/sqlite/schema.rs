//! The format of the file: its settings, its tables, its versions.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::transaction::Transaction;
use super::{Failure, format_1, tables, upgrade, verify};
use crate::journal::{JournalError, ProcessLock, moving};
use crate::outcome::codes;

/// The format that this version writes.
pub(super) const VERSION: i64 = 2;

/// "zvpJ": tells a journal from any other database.
pub(super) const APPLICATION_ID: i64 = 0x7a76_704a;

/// Why a file cannot be the journal.
pub(super) enum Unusable {
    Failed(Failure),
    Foreign,
    Newer(i64),
    /// It was moved away: what it keeps about that.
    Moved(String),
    /// It is the target of a move that is not finished: where it comes from.
    Unfinished(String),
    /// A process with a version that knows only the format before is using the file.
    InUse,
}

impl<E: Into<Failure>> From<E> for Unusable {
    fn from(error: E) -> Self {
        Unusable::Failed(error.into())
    }
}

impl Unusable {
    /// In words.
    pub(super) fn explain(self, path: &Path) -> JournalError {
        match self {
            Unusable::Failed(failure) => failure.explain(path),
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
            Unusable::Moved(seal) => moving::moved_away(&path.display().to_string(), &seal),
            Unusable::Unfinished(from) => moving::unfinished(&path.display().to_string(), &from),
            Unusable::InUse => JournalError::new(
                &codes::JOURNAL_LOCKED,
                format!(
                    "{} has an earlier format and is in use by a program with an earlier version of the library; it is \
                     brought to format {VERSION} once that program has ended",
                    path.display()
                ),
            ),
        }
    }
}

/// Which format the file has, if this version knows it. Nothing is changed.
pub(super) fn look(connection: &Connection, busy: Duration) -> Result<i64, Unusable> {
    connection.busy_timeout(busy)?;
    let tables: i64 =
        connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))?;
    if tables > 0 && pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(Unusable::Foreign);
    }
    let version = pragma(connection, "user_version")?;
    if version == i64::from(moving::MOVED) {
        return Err(Unusable::Moved(about(connection, "moved")?));
    }
    if version == i64::from(moving::UNFINISHED) {
        return Err(Unusable::Unfinished(about(connection, "moved_from")?));
    }
    if version > VERSION { Err(Unusable::Newer(version)) } else { Ok(version) }
}

/// What a file keeps about a move.
fn about(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    connection.query_row("SELECT value FROM about WHERE name = ?1", [name], |row| row.get(0))
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// Sets the connection up and brings the file to [`VERSION`]. A newer file is left as it is.
pub(super) fn prepare(
    connection: &mut Connection,
    busy: Duration,
    lock: &ProcessLock,
) -> Result<(), Unusable> {
    let version = look(connection, busy)?;
    set_up_writer(connection)?;
    if version < VERSION {
        bring_up(connection, lock)?;
    }
    Ok(())
}

fn bring_up(connection: &Connection, lock: &ProcessLock) -> Result<(), Unusable> {
    let transaction = Transaction::to_write(connection)?;
    // Another process may have been faster.
    let version = pragma(&transaction, "user_version")?;
    if version == VERSION {
        return Ok(());
    }
    if version == format_1::VERSION {
        if lock.is_shared_with_earlier() {
            return Err(Unusable::InUse);
        }
        verify::pages(&transaction)?;
        upgrade::from_format_1(&transaction)?;
    } else {
        tables::create(&transaction, 0)?;
    }
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
    ))?;
    Ok(transaction.commit()?)
}

/// What holds for each connection. Pages are moved from the WAL to the database outside of calls, and the WAL stays when
/// the last connection is closed: it keeps the room that it has.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF;")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A plan that may depend on bound values makes SQLite compile a statement with a limit again for each value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Sets a connection up that writes durably.
pub(super) fn set_up_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL;")?;
    set_up(connection)
}

/// A second connection to a file that [`prepare`] has brought up, which cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    set_up(&connection)?;
    Ok(connection)
}

/// A connection whose commits are not flushed: what it writes is still in the log.
pub(super) fn feeder(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = NORMAL;")?;
    set_up(&connection)?;
    Ok(connection)
}
