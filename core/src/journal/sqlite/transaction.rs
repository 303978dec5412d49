//! Transactions by statements that are prepared once: those that read, and those that may write. What is not committed
//! is rolled back.

use std::cell::RefCell;
use std::ops::Deref;

use rusqlite::Connection;

use super::summary::{Changed, List};
use super::{Failure, filed_days, row, states, tables};
use crate::journal::events::{Ends, Event, Feeding, View};
use crate::payment::{Entry, Key};

/// An open transaction.
pub(super) struct Transaction<'c> {
    connection: &'c Connection,
    open: bool,
    /// The summary of the states, as soon as it changes.
    summary: RefCell<Option<Changed>>,
}

impl<'c> Transaction<'c> {
    /// Begins to read: the first statement fixes what all see.
    pub(super) fn to_read(connection: &'c Connection) -> rusqlite::Result<Transaction<'c>> {
        Transaction::begun(connection, "BEGIN")
    }

    /// Begins to write; no other process writes until it ends.
    pub(super) fn to_write(connection: &'c Connection) -> rusqlite::Result<Transaction<'c>> {
        Transaction::begun(connection, "BEGIN IMMEDIATE")
    }

    fn begun(connection: &'c Connection, statement: &str) -> rusqlite::Result<Transaction<'c>> {
        run(connection, statement)?;
        Ok(Transaction { connection, open: true, summary: RefCell::new(None) })
    }

    /// Commits; after `FULL` synchronisation the changes are on stable storage when this returns.
    pub(super) fn commit(mut self) -> rusqlite::Result<()> {
        if let Some(summary) = self.summary.take() {
            summary.write(self.connection)?;
        }
        run(self.connection, "COMMIT")?;
        self.open = false;
        Ok(())
    }

    /// Changes the summary of the states, which is written with the commit.
    fn summarise(&self, change: impl FnOnce(&mut Changed)) -> rusqlite::Result<()> {
        let mut summary = self.summary.borrow_mut();
        change(match summary.as_mut() {
            Some(summary) => summary,
            None => summary.insert(Changed::from(self.connection)?),
        });
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open && !self.connection.is_autocommit() {
            // If even that fails, SQLite rolls back when the file is closed or opened again.
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

impl View for Transaction<'_> {
    type Error = Failure;

    fn ends(&self) -> Result<Ends, Failure> {
        Ok(tables::ends(self)?)
    }

    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Failure> {
        Ok(tables::events_behind(self, number, limit)?)
    }

    fn state(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        Ok(states::find(self, key)?)
    }

    fn unsettled_states(&self) -> Result<Vec<Entry>, Failure> {
        Ok(states::listed(self, List::Unsettled)?)
    }
}

/// On a connection of its own, which does not flush.
impl Feeding for Transaction<'_> {
    fn put_state(&self, number: u64, before: Option<&Entry>, entry: &Entry) -> Result<(), Failure> {
        row::put_state(self, number, entry)?;
        self.summarise(|summary| summary.put(before, entry))?;
        let key = entry.key();
        let key = [&*key.open_id, &*key.environment, key.biz_id.as_str()];
        Ok(filed_days::write(self, entry, |day| self.summarise(|summary| summary.file(day, key)))?)
    }

    fn set_fed(&self, number: u64) -> Result<(), Failure> {
        // Which names the last fed event, so it is written again.
        self.summarise(|_| ())?;
        Ok(tables::set_fed(self, number)?)
    }

    fn commit(self) -> Result<(), Failure> {
        Ok(Transaction::commit(self)?)
    }
}
