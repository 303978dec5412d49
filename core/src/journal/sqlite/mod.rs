//! The journal in SQLite: WAL, `synchronous=FULL`, so that a commit returns when it is on stable storage. Several
//! processes share the file; every change is one conditional statement in one short transaction.

mod commit;
mod files;
mod identity;
mod inspect;
mod mark;
mod record;
mod row;
mod schema;
mod together;
mod turn;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::{Flights, Guard, Journal, JournalError, OwnerLock, Recorded, place};
use crate::outcome::{codes, codes::Code};
use crate::transaction::{Entry, Key, Owner};
use commit::Commit;
use files::Files;
use mark::Mark;
use record::write_heard;
use together::Together;
use turn::{Shared, Turn, Waited};

pub use inspect::{Inspection, inspect};

/// How long another process may hold the file where no call's deadline says it. A commit takes milliseconds.
const BUSY: Duration = Duration::from_secs(3);

/// How long a record waits for others at least, though its call's time is up: what has happened must be written.
const LEAST: Duration = Duration::from_millis(250);

/// See the module's words.
pub struct Sqlite {
    path: PathBuf,
    writing: Shared,
    /// Reads wait for no write, and a long list keeps no sale waiting.
    reading: Shared,
    files: Files,
    /// Records that wait for the thread that writes.
    together: Together,
    mark: Mark,
    lock: OwnerLock,
    /// What the till has read since the last record.
    heard: Mutex<Vec<Key>>,
    flights: Flights,
    /// A flush has failed: what the file holds is not known any more until it is opened anew.
    failed: AtomicBool,
}

impl Sqlite {
    /// Opens or makes the journal at `path`. Several processes may do so at once: where SQLite does not wait for
    /// another by itself (the change to WAL, a recovery), it is tried again for as long as a commit would wait.
    pub fn open(path: &Path) -> Result<Sqlite, JournalError> {
        let started = Instant::now();
        loop {
            match Sqlite::open_once(path) {
                Err(error) if error.code.text == codes::JOURNAL_LOCKED.text && started.elapsed() < BUSY => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                opened => return opened,
            }
        }
    }

    fn open_once(path: &Path) -> Result<Sqlite, JournalError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| {
                JournalError::new(&codes::JOURNAL_PLACE, format!("{}: {e}", folder.display()))
            })?;
        }
        // One file is one journal, by whatever name: the lock and the mark lie beside the file itself.
        let path = &place::real(path);
        place::refuse_network(path)?;
        let lock = OwnerLock::take(path).map_err(|e| {
            let code = match e.kind() {
                std::io::ErrorKind::ReadOnlyFilesystem => &codes::JOURNAL_READ_ONLY,
                std::io::ErrorKind::StorageFull => &codes::JOURNAL_FULL,
                _ => &codes::JOURNAL_PLACE,
            };
            JournalError::new(code, format!("no lock beside {}: {e}", path.display()))
        })?;
        let mark = Mark::beside(path);
        let mut connection = Connection::open(path).map_err(|e| explain(path, &e))?;
        schema::prepare(&mut connection, BUSY).map_err(|error| error.explain(path))?;
        // Where there is no mark beside a journal that has been used, a person has removed it to accept a loss, or the
        // file came here without it: what it does not know may have been sent.
        identity::settle(&connection, |sequence| sequence > 0 && mark.read().is_none())
            .map_err(|e| explain(path, &e))?;
        // The mark first: another process may commit between the two.
        let marked = mark.read().unwrap_or_default();
        let sequence = schema::sequence(&connection).map_err(|e| explain(path, &e))?;
        if marked > sequence {
            return Err(behind(path, sequence, marked));
        }
        let mut reading = schema::reader(path).map_err(|e| explain(path, &e))?;
        verify::all_at_once(&mut reading, &connection).map_err(|e| explain(path, &e))?;
        mark.write(sequence);
        let files = Files::of(path)
            .map_err(|e| JournalError::new(&codes::JOURNAL, format!("{}: {e}", path.display())))?;
        let journal = Sqlite {
            path: path.to_owned(),
            writing: Shared::new(connection),
            reading: Shared::new(reading),
            files,
            together: Together::default(),
            mark,
            lock,
            heard: Mutex::default(),
            flights: Flights::default(),
            failed: AtomicBool::new(false),
        };
        let needed: Vec<Owner> = journal.unsettled()?.iter().map(|entry| entry.owner().clone()).collect();
        journal.lock.sweep(&needed);
        Ok(journal)
    }

    /// Drops the details of what was settled long ago, a few thousand at a time. A clock that jumps must drop
    /// nothing, so it is not enough that they look old: as many days with sales must have followed.
    pub fn retire(&self, days: i64) -> Result<usize, JournalError> {
        const MOST: i64 = 5000;
        let connection = self.to_write(Instant::now() + BUSY)?;
        let retired = (|| {
            let transaction = Commit::begin(&connection)?;
            let Some(newest) = row::newest(&transaction)? else { return Ok((0, None)) };
            let before = newest.saturating_sub(days.saturating_mul(86_400_000));
            // A till that is closed on some days has fewer.
            if row::days_since(&transaction, before)? < days / 2 {
                return Ok((0, None));
            }
            let old = row::settled_before(&transaction, before, MOST)?;
            let records: Vec<Entry> = old.iter().filter_map(Entry::retired).collect();
            for record in &records {
                row::write(&transaction, record)?;
            }
            if records.is_empty() {
                return Ok((0, None));
            }
            let sequence = schema::advance(&transaction)?;
            transaction.commit()?;
            Ok((records.len(), Some(sequence)))
        })();
        let (count, sequence) = retired.map_err(|error| self.failed(&error))?;
        if let Some(sequence) = sequence {
            self.mark.write(sequence);
        }
        Ok(count)
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn heard(&self) -> MutexGuard<'_, Vec<Key>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_write(&self, until: Instant) -> Result<Turn<'_>, JournalError> {
        self.turn(&self.writing, until)
    }

    fn to_read(&self) -> Result<Turn<'_>, JournalError> {
        self.turn(&self.reading, Instant::now() + BUSY)
    }

    fn turn<'s>(&self, shared: &'s Shared, until: Instant) -> Result<Turn<'s>, JournalError> {
        match shared.turn(until, || None).map_err(|error| self.failed(&error))? {
            Waited::Turn(turn) | Waited::Done(turn) => Ok(turn),
            Waited::TooLate => Err(self.held()),
        }
    }

    fn held(&self) -> JournalError {
        let message = format!("{}: other calls of this process hold it", self.path.display());
        JournalError::new(&codes::JOURNAL_LOCKED, message)
    }

    /// Says what an error means, and stops all writing where the file can no longer be trusted. Reading goes on:
    /// a reversal that is on disk is still sent.
    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        let explained = explain(&self.path, error);
        let transient = [codes::JOURNAL_LOCKED.text, codes::JOURNAL_FULL.text];
        if !transient.contains(&explained.code.text) {
            self.failed.store(true, Ordering::Release);
        }
        explained
    }
}

impl Journal for Sqlite {
    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError> {
        let until = until.max(Instant::now() + LEAST);
        if let Some(turn) = self.writing.turn_now(until).map_err(|error| self.failed(&error))? {
            return self.write_together(&turn, entry, guard);
        }
        let asked = self.together.ask(entry.clone(), guard);
        match self.writing.turn(until, || asked.told()) {
            Ok(Waited::Done(told)) => told,
            // From here on it is this thread's alone, or already written by another.
            waited if !asked.withdraw() => {
                drop(waited);
                asked.wait()
            }
            Ok(Waited::Turn(turn)) => self.write_together(&turn, entry, guard),
            Ok(Waited::TooLate) => Err(self.held()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        row::find(&*self.to_read()?, key).map_err(|error| self.failed(&error))
    }

    fn unsettled(&self) -> Result<Vec<Entry>, JournalError> {
        row::unsettled(&*self.to_read()?).map_err(|error| self.failed(&error))
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        row::unfinished(&*self.to_read()?).map_err(|error| self.failed(&error))
    }

    fn created_between(&self, from_unix_ms: i64, to_unix_ms: i64) -> Result<Vec<Entry>, JournalError> {
        let mut entries = row::created_between(&*self.to_read()?, from_unix_ms, to_unix_ms)
            .map_err(|error| self.failed(&error))?;
        // What was heard and is not written down yet.
        let heard = self.heard();
        for entry in entries.iter_mut().filter(|entry| heard.contains(entry.key())) {
            if let Some(known) = entry.heard() {
                *entry = known;
            }
        }
        Ok(entries)
    }

    fn hear(&self, key: Key) {
        self.heard().push(key);
    }

    fn close(&self) {
        let Ok(connection) = self.to_write(Instant::now() + BUSY) else { return };
        let heard = std::mem::take(&mut *self.heard());
        if heard.is_empty() || self.failed.load(Ordering::Acquire) {
            return;
        }
        let written = (|| {
            let transaction = Commit::begin(&connection)?;
            write_heard(&transaction, &heard)?;
            let sequence = schema::advance(&transaction)?;
            transaction.commit()?;
            Ok(sequence)
        })();
        match written {
            Ok(sequence) => self.mark.write(sequence),
            // It is shown as unheard at the next start, which is true.
            Err(error) => drop(self.failed(&error)),
        }
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        let connection = self.to_read()?;
        connection
            .prepare_cached(
                "SELECT 1 FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND other_biz_id = 1 LIMIT 1",
            )
            .and_then(|mut statement| {
                statement.query_row((&key.open_id, &key.endpoint), |_| Ok(())).optional()
            })
            .map(|found| found.is_some())
            .map_err(|error| self.failed(&error))
    }

    fn id(&self) -> Result<String, JournalError> {
        // From the file each time: another process may have found that a loss was accepted.
        let found = identity::read(&*self.to_read()?).map_err(|error| self.failed(&error))?;
        found.ok_or_else(|| JournalError::new(&codes::JOURNAL, "the journal has no identity"))
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        row::under_another_account(&*self.to_read()?, key).map_err(|error| self.failed(&error))
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        row::other_sale_of(&*self.to_read()?, key, returned).map_err(|error| self.failed(&error))
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        let connection = self.to_read()?;
        row::naming_coupon(&connection, key, coupon).map_err(|error| self.failed(&error))
    }

    fn is_alive(&self, owner: &Owner) -> bool {
        self.lock.is_alive(owner)
    }

    fn owner(&self) -> &Owner {
        self.lock.owner()
    }

    fn flights(&self) -> &Flights {
        &self.flights
    }

    fn lock_file(&self) -> Option<&File> {
        Some(self.lock.file())
    }
}

/// The file ends before its mark.
fn behind(path: &Path, sequence: u64, marked: u64) -> JournalError {
    let message =
        format!("{} ends at {sequence}, but {marked} had been committed: records are lost", path.display());
    JournalError::new(&codes::JOURNAL_BEHIND, message)
}

/// What an error of SQLite means to the till's owner.
fn explain(path: &Path, error: &rusqlite::Error) -> JournalError {
    let code: &'static Code = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => &codes::JOURNAL_FULL,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => &codes::JOURNAL_READ_ONLY,
        Some(ErrorCode::CannotOpen) => &codes::JOURNAL_PLACE,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => &codes::JOURNAL_LOCKED,
        // None is no error of SQLite's: a row that cannot be what was written.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => &codes::JOURNAL_DAMAGED,
        Some(_) => &codes::JOURNAL,
    };
    JournalError::new(code, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
