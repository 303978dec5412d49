//! A file that is moved away: for as long as that takes, this process holds the right to write to it. The mark takes the
//! names of the tables away, so that a process that has opened the file meanwhile fails instead of writing.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::row::{columns, entry, state_columns};
use super::transaction::Transaction;
use super::{Failure, Sqlite, explain, identity, schema, tables};
use crate::journal::events::feed;
use crate::journal::moving::{Coming, Leaving, MOVED, Seal, Source};
use crate::journal::{JournalError, Opening, location};
use crate::outcome::codes;
use crate::payment::{Entry, Key};

/// A file to which nobody else can write.
struct ClosedFile {
    /// As a till opens it: others see that a process lives.
    journal: Sqlite,
    /// In a transaction that writes.
    connection: Connection,
    coming: Coming,
}

/// Closes the journal at `path` to everybody else.
///
/// # Errors
/// If there is none, it cannot be opened as a till opens it, or a process that uses it lives.
pub fn leaving(path: &Path) -> Result<Leaving, JournalError> {
    let path = &location::real(path);
    if !path.exists() {
        return Err(JournalError::new(
            &codes::JOURNAL_PLACE,
            format!("there is no journal at {}", path.display()),
        ));
    }
    let failed = |error: &rusqlite::Error| explain(path, error);
    if let Some(moved) = moved(path)? {
        return Ok(moved);
    }
    let journal = Sqlite::open_as(path, &Opening::default())?;
    let connection = Connection::open(path).map_err(|error| failed(&error))?;
    schema::set_up_writer(&connection).map_err(|error| failed(&error))?;
    connection.busy_timeout(super::BUSY).map_err(|error| failed(&error))?;
    begin(&connection).map_err(|failure| failure.explain(path))?;
    nobody_lives(&journal)?;
    let id = identity::read(&connection).map_err(|error| failed(&error))?;
    let id = id.ok_or_else(|| JournalError::new(&codes::JOURNAL, "the journal has no identity"))?;
    let coming = Coming { id, from: path.display().to_string(), only: None };
    Ok(Leaving::Closed(Box::new(ClosedFile { journal, connection, coming })))
}

/// What the file says if it was moved away before. Nothing is changed.
fn moved(path: &Path) -> Result<Option<Leaving>, JournalError> {
    let failed = |error: &rusqlite::Error| explain(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
    match schema::look(&connection, super::BUSY) {
        Err(schema::Unusable::Moved(seal)) => {
            let seal = Seal::read(&seal).ok_or_else(|| schema::Unusable::Moved(seal).explain(path))?;
            let id = identity::read(&connection).map_err(|error| failed(&error))?.unwrap_or_default();
            let coming = Coming { id, from: path.display().to_string(), only: Some(seal.to.clone()) };
            Ok(Some(Leaving::Moved { coming, seal }))
        }
        Err(unusable) => Err(unusable.explain(path)),
        Ok(0) => {
            let message = format!("{} holds no journal", path.display());
            Err(JournalError::new(&codes::JOURNAL_PLACE, message))
        }
        Ok(_) => Ok(None),
    }
}

/// Feeds every event and begins to write, so that the table of states is everything and stays so.
fn begin(connection: &Connection) -> Result<(), Failure> {
    loop {
        while feed(Transaction::to_write(connection)?)? {}
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let ends = tables::ends(connection)?;
        if ends.fed == ends.last {
            return Ok(());
        }
        // Another process was faster.
        connection.execute_batch("ROLLBACK")?;
    }
}

fn nobody_lives(journal: &Sqlite) -> Result<(), JournalError> {
    let alive = journal.lock.others_alive();
    if alive.is_empty() {
        return Ok(());
    }
    let numbers: Vec<&str> = alive.iter().filter_map(|owner| owner.0.split('-').next()).collect();
    Err(JournalError::new(
        &codes::JOURNAL_LOCKED,
        format!(
            "{} is in use by the processes {}; stop every till and every `zv` with this journal first",
            journal.path().display(),
            numbers.join(", ")
        ),
    ))
}

impl Source for ClosedFile {
    fn coming(&self) -> Coming {
        self.coming.clone()
    }

    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError> {
        page(&self.connection, after, limit).map_err(|error| explain(self.journal.path(), &error))
    }

    fn seal(self: Box<Self>, seal: &Seal) -> Result<(), JournalError> {
        nobody_lives(&self.journal)?;
        let sealed = (|| -> rusqlite::Result<()> {
            self.connection.execute("INSERT OR REPLACE INTO about VALUES ('moved', ?1)", [seal.to_text()])?;
            self.connection.execute_batch(&format!(
                "ALTER TABLE event RENAME TO moved_event; ALTER TABLE state RENAME TO moved_state; \
                 PRAGMA user_version = {MOVED}; COMMIT"
            ))
        })();
        sealed.map_err(|error| explain(self.journal.path(), &error))
    }
}

/// The states behind that key.
pub(super) fn page(
    connection: &Connection,
    after: Option<&Key>,
    limit: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let (open_id, environment, biz_id) =
        after.map_or(("", "", ""), |key| (&key.open_id, &key.environment, key.biz_id.as_str()));
    connection
        .prepare_cached(concat!(
            "SELECT ",
            state_columns!(),
            " FROM state WHERE (open_id, environment, biz_id) > (?1, ?2, ?3) \
             ORDER BY open_id, environment, biz_id LIMIT ?4"
        ))?
        .query_map(params![open_id, environment, biz_id, i64::try_from(limit).unwrap_or(i64::MAX)], entry)?
        .collect()
}
