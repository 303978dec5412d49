//! One transaction that may write, by statements that are prepared once. What is not committed is rolled back.

use std::ops::Deref;

use rusqlite::Connection;

use super::schema;

/// An open write transaction.
pub(super) struct WriteTransaction<'c> {
    connection: &'c Connection,
    open: bool,
    /// How many changes had been committed when it began.
    sequence: u64,
}

impl<'c> WriteTransaction<'c> {
    /// Begins the transaction; no other process writes until it ends.
    pub(super) fn begin(connection: &'c Connection) -> rusqlite::Result<WriteTransaction<'c>> {
        run(connection, "BEGIN IMMEDIATE")?;
        let mut begun = WriteTransaction { connection, open: true, sequence: 0 };
        begun.sequence = schema::sequence(connection)?;
        Ok(begun)
    }

    /// How many changes had been committed when it began.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Commits; the changes are on stable storage when this returns.
    pub(super) fn commit(mut self) -> rusqlite::Result<()> {
        run(self.connection, "COMMIT")?;
        self.open = false;
        Ok(())
    }
}

impl Drop for WriteTransaction<'_> {
    fn drop(&mut self) {
        if self.open && !self.connection.is_autocommit() {
            // If even that fails, SQLite rolls back when the file is closed or opened again.
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

impl Deref for WriteTransaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}
