//! Brings a journal of the first format to the present one, in one transaction: after it no table has the name of an old
//! one, so that a process with an earlier version that still runs fails instead of writing.

use rusqlite::Connection;

use super::{filed, format_1, row, tables};

/// Every row is verified, written as a state, and the old tables are dropped. The numbers go on: the upgrade counts as a
/// change, so that a copy from before it is behind the mark.
pub(super) fn from_format_1(connection: &Connection) -> rusqlite::Result<()> {
    let number = format_1::sequence(connection)? + 1;
    // Made by versions before this one when they were first needed; `about` keeps the journal's identity.
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID; \
         ALTER TABLE about RENAME TO about_1; DROP TABLE IF EXISTS filed;",
    )?;
    tables::create(connection, number)?;
    format_1::each(connection, |entry| {
        row::put_state(connection, number, &entry)?;
        filed::write(connection, &entry)
    })?;
    connection.execute_batch(
        "INSERT INTO about SELECT name, value FROM about_1; DROP TABLE about_1; DROP TABLE entry; DROP TABLE journal;",
    )
}
