//! A file to which a journal is moved. It has a number that no format has until everything in it was compared.

#[cfg(unix)]
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::leaving::page;
use super::schema::{APPLICATION_ID, VERSION};
use super::transaction::Transaction;
use super::watermark::Watermark;
use super::{Failure, explain, identity, not_made, schema, states, tables, verify};
use crate::journal::events::{Feeding, View};
use crate::journal::moving::{Coming, Target, UNFINISHED};
use crate::journal::{JournalError, location};
use crate::outcome::codes;
use crate::payment::{Entry, Key};
use crate::rights;

/// The target.
struct ArrivingFile {
    path: PathBuf,
    connection: Connection,
    works: bool,
}

/// Makes the target at `path`, or opens the one that an earlier run has begun for the same journal.
///
/// # Errors
/// If something else is there, or it cannot be made.
pub fn arriving(path: &Path, coming: &Coming) -> Result<Box<dyn Target>, JournalError> {
    let real = &location::real(path);
    coming.fits(&real.display().to_string(), real.exists())?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        rights::make_folder(folder).map_err(|error| not_made(folder, &error))?;
    }
    let path = &location::real(path);
    location::refuse_network(path)?;
    if !path.exists() {
        refuse_mark(path)?;
    }
    rights::make(path).map_err(|error| not_made(path, &error))?;
    location::refuse_second_name(path)?;
    let failed = |error: &rusqlite::Error| explain(path, error);
    let connection = Connection::open(path).map_err(|error| failed(&error))?;
    let state = schema::look(&connection, super::BUSY);
    if matches!(state, Ok(0) | Err(schema::Unusable::Unfinished(_))) {
        schema::set_up_writer(&connection).map_err(|error| failed(&error))?;
    }
    let works = match state {
        Ok(0) => {
            refuse_mark(path)?;
            begin(&connection, coming).map_err(|failure| failure.explain(path))?;
            // The source must not be marked before a power cut can no longer take the file away, with its folder.
            for made in path.ancestors().skip(1).take(2) {
                flush(made).map_err(|error| not_made(made, &error))?;
            }
            false
        }
        Ok(VERSION) => true,
        Ok(_) => return Err(taken(path)),
        Err(schema::Unusable::Unfinished(_)) => false,
        Err(unusable) => return Err(unusable.explain(path)),
    };
    let id = identity::read(&connection).map_err(|error| failed(&error))?;
    if id.as_deref() == Some(&coming.id) {
        return Ok(Box::new(ArrivingFile { path: path.clone(), connection, works }));
    }
    Err(if works {
        taken(path)
    } else {
        let message = format!("{} is the unfinished target of another journal; remove it", path.display());
        JournalError::new(&codes::JOURNAL_UNFINISHED, message)
    })
}

fn taken(path: &Path) -> JournalError {
    let message = format!("{} is another journal; name a file that does not exist", path.display());
    JournalError::new(&codes::JOURNAL_PLACE, message)
}

/// A mark beside a file without a journal belongs to one that was there before.
fn refuse_mark(path: &Path) -> Result<(), JournalError> {
    let mark = Watermark::beside(path);
    if mark.read().is_none() && !mark.is_damaged() {
        return Ok(());
    }
    Err(JournalError::new(
        &codes::JOURNAL_BEHIND,
        format!("beside {} is the mark of a journal that was there; name another file", path.display()),
    ))
}

/// Makes the tables. It must not be taken for a journal from the first moment on.
fn begin(connection: &Connection, coming: &Coming) -> Result<(), Failure> {
    let transaction = Transaction::to_write(connection)?;
    tables::create(&transaction, 0)?;
    transaction.execute(
        "INSERT INTO about VALUES ('journal_id', ?1), ('moved_from', ?2)",
        [&coming.id, &coming.from],
    )?;
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {UNFINISHED};"
    ))?;
    Ok(transaction.commit()?)
}

impl ArrivingFile {
    fn done<T>(&self, what: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, JournalError> {
        what(&self.connection).map_err(|failure| failure.explain(&self.path))
    }
}

impl Target for ArrivingFile {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn works(&self) -> bool {
        self.works
    }

    fn standing(&mut self, keys: &[Key]) -> Result<Vec<Entry>, JournalError> {
        self.done(|connection| {
            let found = keys.iter().filter_map(|key| states::find(connection, key).transpose());
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn put(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        self.done(|connection| {
            let transaction = Transaction::to_write(connection)?;
            let mut number = transaction.ends()?.last;
            for entry in entries {
                number += 1;
                let before = transaction.state(entry.key())?;
                transaction.put_state(number, before.as_ref(), entry)?;
            }
            transaction.set_fed(number)?;
            Feeding::commit(transaction)
        })
    }

    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.done(|connection| Ok(page(connection, after, limit)?))
    }

    fn finish(self: Box<Self>) -> Result<(), JournalError> {
        let last = self.done(|connection| {
            verify::all(&Transaction::to_read(connection)?)?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(tables::ends(connection)?.last)
        })?;
        // Without its mark the journal would be taken for one whose loss a person has accepted.
        let mark = Watermark::beside(&self.path);
        if last > 0 {
            mark.hold().raise(last);
            if mark.read() != Some(last) {
                let message = format!("the mark beside {} cannot be written", self.path.display());
                return Err(JournalError::new(&codes::JOURNAL_READ_ONLY, message));
            }
        }
        if let Some(folder) = self.path.parent() {
            flush(folder).map_err(|error| not_made(folder, &error))?;
        }
        self.done(|connection| {
            let transaction = Transaction::to_write(connection)?;
            transaction.execute("DELETE FROM about WHERE name = 'moved_from'", [])?;
            transaction.execute_batch(&format!("PRAGMA user_version = {VERSION};"))?;
            Ok(transaction.commit()?)
        })
    }
}

/// The names in a folder are on the disk, too; only Unix can flush a folder.
#[cfg(unix)]
fn flush(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn flush(_: &Path) -> io::Result<()> {
    Ok(())
}
