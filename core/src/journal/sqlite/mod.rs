//! The journal in SQLite: WAL, `synchronous=FULL`, so that a commit returns when it is on stable storage. Several
//! processes share the file; every change is one conditional statement in one short transaction.

mod ballast;
mod base;
mod file_identity;
mod filed;
mod group_commit;
mod identity;
mod inspect;
mod lease;
mod record;
mod row;
mod schema;
mod verify;
mod watermark;
mod write_transaction;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, ffi};

use super::liveness::{Liveness, Presence, may_be_running};
use super::{Guard, InFlight, JournalError, Opening, Page, ProcessLock, Recorded, Store, location};
use crate::clock::machine_unix_ms;
use crate::outcome::{codes, codes::Code};
use crate::payment::{Entry, Key, Owner};
use crate::rights;
use ballast::Ballast;
use base::{Base, Stamp};
use file_identity::FileIdentity;
use group_commit::GroupCommit;
use lease::{Lease, SharedConnection, Waited};
use record::write_acknowledged;
use watermark::Watermark;
use write_transaction::WriteTransaction;

pub use inspect::{Inspection, inspect};

/// How long another process may hold the file if no call's deadline limits it. A commit takes milliseconds.
const BUSY: Duration = Duration::from_secs(3);

/// The minimum wait of a record for other processes, even if its call's time is over: an outcome must be written.
const LEAST: Duration = Duration::from_millis(250);

/// How often a writing process checks that its own files still have their names.
const LOOK_AFTER_NAMES: Duration = Duration::from_secs(2);

/// The store in one SQLite file.
pub struct Sqlite {
    path: PathBuf,
    writing: SharedConnection,
    /// Reads do not wait for writes, and a long list does not delay a sale.
    reading: SharedConnection,
    files: FileIdentity,
    base: Base,
    /// Records that wait for the thread that writes.
    together: GroupCommit,
    mark: Watermark,
    /// The highest sequence that this process has seen: a journal does not go backwards while it lives.
    highest: AtomicU64,
    ballast: Ballast,
    lock: ProcessLock,
    names_seen: Mutex<Instant>,
    /// The successes that the till has read since the last record.
    acknowledged: Mutex<Vec<Key>>,
    in_flight: InFlight,
    /// Why nothing is written any more: the content of the file is not known until it is opened again.
    stopped: OnceLock<JournalError>,
}

/// Why a change was not committed.
enum WriteFailure {
    Sqlite(rusqlite::Error),
    /// The file holds less than had been committed.
    Behind {
        sequence: u64,
        known: u64,
    },
}

impl From<rusqlite::Error> for WriteFailure {
    fn from(error: rusqlite::Error) -> WriteFailure {
        WriteFailure::Sqlite(error)
    }
}

impl Sqlite {
    /// Opens or makes the journal at `path`. Several processes may do so at once: where SQLite does not wait for
    /// another by itself (the change to WAL, a recovery), it is tried again for as long as a commit would wait.
    pub fn open(path: &Path) -> Result<Sqlite, JournalError> {
        Sqlite::open_as(path, &Opening::default())
    }

    /// The same for calls and a process of this kind.
    pub fn open_as(path: &Path, opening: &Opening) -> Result<Sqlite, JournalError> {
        let (started, patience) = (Instant::now(), opening.patience.min(BUSY));
        loop {
            match Sqlite::open_once(path, opening, patience) {
                Err(error)
                    if error.code.text == codes::JOURNAL_LOCKED.text && started.elapsed() < patience =>
                {
                    std::thread::sleep(Duration::from_millis(20));
                }
                opened => return opened,
            }
        }
    }

    fn open_once(path: &Path, opening: &Opening, patience: Duration) -> Result<Sqlite, JournalError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            rights::make_folder(folder).map_err(|e| not_made(folder, &e))?;
        }
        // One file is one journal, by whatever name: the lock and the mark lie beside the file itself.
        let path = &location::real(path);
        location::refuse_network(path)?;
        let lock =
            ProcessLock::take(path, opening).map_err(|e| not_made(&path.with_extension("owners"), &e))?;
        // SQLite gives its own files the rights of the database.
        rights::make(path).map_err(|e| not_made(path, &e))?;
        location::refuse_second_name(path)?;
        let mark = Watermark::beside(path);
        let mut connection = Connection::open(path).map_err(|e| explain(path, &e))?;
        schema::prepare(&mut connection, patience).map_err(|error| error.explain(path))?;
        let used = schema::sequence(&connection).map_err(|e| explain(path, &e))? > 0;
        if used && mark.is_damaged() {
            return Err(JournalError::new(
                &codes::JOURNAL_BEHIND,
                format!(
                    "the mark beside {} holds no number: it is not known whether records are lost",
                    path.display()
                ),
            ));
        }
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
        mark.hold().raise(sequence);
        // Where there is no room for it, no intent is recorded until there is; what is unsettled can be settled.
        let ballast = Ballast::beside(path);
        let _ = ballast.ensure();
        let base = Base::of(path, &connection).map_err(|e| explain(path, &e))?;
        let files = FileIdentity::of(path)
            .map_err(|e| JournalError::new(&codes::JOURNAL, format!("{}: {e}", path.display())))?;
        let journal = Sqlite {
            path: path.to_owned(),
            writing: SharedConnection::new(connection),
            reading: SharedConnection::new(reading),
            files,
            base,
            together: GroupCommit::default(),
            mark,
            highest: AtomicU64::new(sequence),
            ballast,
            lock,
            names_seen: Mutex::new(Instant::now()),
            acknowledged: Mutex::default(),
            in_flight: InFlight::default(),
            stopped: OnceLock::new(),
        };
        if let Some(stamp) = journal.files.stand() {
            journal.not_overwritten(stamp).map_err(|failure| journal.stopped_by(failure))?;
        }
        let needed = journal.read(row::unsettled_owners)?;
        journal.lock.sweep(&needed);
        journal.lock.guard();
        Ok(journal)
    }

    /// Drops the details of what was settled long ago, a few thousand at a time. A clock that jumps must drop
    /// nothing, so it is not enough that they look old: as many days with sales must have followed.
    pub fn retire(&self, days: i64, until: Instant) -> Result<usize, JournalError> {
        const MOST: i64 = 5000;
        let connection = self.to_write(until)?;
        let retired = (|| {
            let transaction = self.begin(&connection)?;
            let Some(newest) = row::newest(&transaction)? else { return Ok(0) };
            // A sale from a time when the clock was ahead makes no other one old.
            let newest = newest.min(machine_unix_ms());
            let before = newest.saturating_sub(days.saturating_mul(86_400_000));
            // A till that is closed on some days has fewer.
            if row::days_since(&transaction, before)? < days / 2 {
                return Ok(0);
            }
            let old = row::settled_before(&transaction, before, MOST)?;
            let records: Vec<Entry> =
                old.iter().filter(|entry| entry.is_old(before)).filter_map(Entry::retired).collect();
            for record in &records {
                filed::write(&transaction, record)?;
            }
            if records.is_empty() {
                return Ok(0);
            }
            self.commit(transaction)?;
            Ok(records.len())
        })();
        retired.map_err(|failure| self.stopped_by(failure))
    }

    /// A transaction over what this process knows, or something newer.
    fn begin<'c>(&self, connection: &'c Connection) -> Result<WriteTransaction<'c>, WriteFailure> {
        let transaction = WriteTransaction::begin(connection)?;
        not_behind(transaction.sequence(), self.highest.load(Ordering::Acquire))?;
        Ok(transaction)
    }

    /// Commits, unless a later change had been committed before by this process or, as the mark says, by another.
    fn commit(&self, transaction: WriteTransaction<'_>) -> Result<(), WriteFailure> {
        let before = transaction.sequence();
        let mark = self.mark.hold();
        not_behind(before, mark.known())?;
        schema::advance(&transaction)?;
        transaction.commit()?;
        self.highest.fetch_max(before + 1, Ordering::AcqRel);
        mark.raise(before + 1);
        Ok(())
    }

    /// Where the database was written since the last look: it holds without its WAL at least what it held.
    fn not_overwritten(&self, stamp: Stamp) -> Result<(), WriteFailure> {
        let mut seen = self.base.seen();
        if seen.stamp == Some(stamp) {
            return Ok(());
        }
        if let Some(sequence) = self.base.sequence() {
            not_behind(sequence, seen.sequence.max(self.mark.read_base().unwrap_or_default()))?;
            seen.sequence = sequence;
            self.mark.hold().raise_base(sequence);
        }
        seen.stamp = Some(stamp);
        Ok(())
    }

    /// Reads from a file that holds everything that was committed. If it does not, the result is an error, so nothing is
    /// reported or sent because of it.
    fn read<T>(&self, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        if let Some(error) = self.stopped.get().filter(|error| error.code.text == codes::JOURNAL_BEHIND.text)
        {
            return Err(error.clone());
        }
        let connection = self.to_read()?;
        // Before the reading: others commit meanwhile.
        let known = self.highest.load(Ordering::Acquire).max(self.mark.read().unwrap_or_default());
        let found = what(&connection).map_err(|error| self.failed(&error))?;
        let sequence = schema::sequence(&connection).map_err(|error| self.failed(&error))?;
        // Where it was taken away, what was open was read.
        let overwritten = self.files.stand().map_or(Ok(()), |stamp| self.not_overwritten(stamp));
        overwritten.and_then(|()| not_behind(sequence, known)).map_err(|failure| self.stopped_by(failure))?;
        self.highest.fetch_max(sequence, Ordering::AcqRel);
        Ok(found)
    }

    /// The mark and the lock that says that this process lives: made again where somebody has deleted them.
    fn look_after_names(&self, every: Duration) {
        let mut seen = self.names_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.elapsed() >= every {
            *seen = Instant::now();
            drop(seen);
            self.mark.keep_name();
            self.lock.keep_name();
        }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn acknowledged(&self) -> MutexGuard<'_, Vec<Key>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_write(&self, until: Instant) -> Result<Lease<'_>, JournalError> {
        self.turn(&self.writing, until)
    }

    fn to_read(&self) -> Result<Lease<'_>, JournalError> {
        self.turn(&self.reading, Instant::now() + BUSY)
    }

    fn turn<'s>(&self, shared: &'s SharedConnection, until: Instant) -> Result<Lease<'s>, JournalError> {
        match shared.turn(until, || None).map_err(|error| self.failed(&error))? {
            Waited::Lease(turn) | Waited::Done(turn) => Ok(turn),
            Waited::TooLate => Err(self.held()),
        }
    }

    fn held(&self) -> JournalError {
        let message = format!("{}: other calls of this process hold it", self.path.display());
        JournalError::new(&codes::JOURNAL_LOCKED, message)
    }

    /// Explains an error, and stops all writing if the file can no longer be trusted. Reading goes on:
    /// a reversal that is on disk is still sent.
    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        let explained = explain(&self.path, error);
        let transient = [codes::JOURNAL_LOCKED.text, codes::JOURNAL_FULL.text];
        if !transient.contains(&explained.code.text) {
            self.stop(&explained);
        }
        explained
    }

    fn stopped_by(&self, failure: WriteFailure) -> JournalError {
        match failure {
            WriteFailure::Sqlite(error) => self.failed(&error),
            WriteFailure::Behind { sequence, known } => {
                let error = behind(&self.path, sequence, known);
                self.stop(&error);
                error
            }
        }
    }

    /// From now on nothing is written, for this reason.
    fn stop(&self, reason: &JournalError) {
        // The first one is the cause of those that follow.
        let _ = self.stopped.set(reason.clone());
    }
}

impl Store for Sqlite {
    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError> {
        let until = until.max(Instant::now() + LEAST);
        if let Some(turn) = self.writing.turn_now(until).map_err(|error| self.failed(&error))? {
            return self.write_together(&turn, entry, guard);
        }
        let asked = self.together.ask(entry.clone(), guard);
        match self.writing.turn(until, || asked.told()) {
            Ok(Waited::Done(told)) => told,
            // Now the record belongs to this thread alone, or another thread has written it.
            waited if !asked.withdraw() => {
                drop(waited);
                asked.wait()
            }
            Ok(Waited::Lease(turn)) => self.write_together(&turn, entry, guard),
            Ok(Waited::TooLate) => Err(self.held()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>> {
        let Some((first, rest)) = entries.split_first() else { return Vec::new() };
        // The thread that gets the connection next writes all queued records with one flush; here that is the first record.
        let asked: Vec<_> = rest.iter().map(|entry| self.together.ask(entry.clone(), Guard::Off)).collect();
        let mut told = vec![self.record(first, Guard::Off, until)];
        told.extend(asked.iter().map(|asked| match asked.told() {
            Some(told) => told,
            None if asked.withdraw() => Err(self.held()),
            None => asked.wait(),
        }));
        told
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        self.read(|connection| row::find(connection, key))
    }

    fn seems_free(&self, record: &Entry, guard: Guard) -> bool {
        // A long list would take longer than a sale may.
        let Ok(Some(reading)) = self.reading.turn_now(Instant::now()) else { return false };
        let is_new = row::find(&reading, record.key()).is_ok_and(|found| found.is_none());
        is_new && self.find_held_back(&reading, record, guard).is_ok_and(|found| found.is_none())
    }

    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        self.look_after_names(LOOK_AFTER_NAMES);
        self.read(|connection| row::due(connection, page))
    }

    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        self.read(|connection| row::unsettled(connection, page))
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        self.read(row::refused_refunds)
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        self.read(row::unfinished)
    }

    fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError> {
        let mut entries = self.read(|connection| filed::near(connection, day))?;
        // What was acknowledged and is not written down yet.
        let acknowledged = self.acknowledged();
        for entry in entries.iter_mut().filter(|entry| acknowledged.contains(entry.key())) {
            if let Some(known) = entry.acknowledged() {
                *entry = known;
            }
        }
        Ok(entries)
    }

    fn acknowledge(&self, key: Key) {
        self.acknowledged().push(key);
    }

    fn close(&self) {
        let Ok(connection) = self.to_write(Instant::now() + BUSY) else { return };
        let acknowledged = std::mem::take(&mut *self.acknowledged());
        if acknowledged.is_empty() || self.stopped.get().is_some() {
            return;
        }
        let written = (|| {
            let transaction = self.begin(&connection)?;
            write_acknowledged(&transaction, &acknowledged)?;
            self.commit(transaction)
        })();
        // What could not be written is shown as unacknowledged at the next start, which is true.
        drop(written.map_err(|failure| self.stopped_by(failure)));
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT 1 FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND other_biz_id = 1 LIMIT 1",
                )
                .and_then(|mut statement| {
                    statement.query_row((&key.open_id, &key.endpoint), |_| Ok(())).optional()
                })
                .map(|found| found.is_some())
        })
    }

    fn id(&self) -> Result<String, JournalError> {
        // From the file each time: another process may have found that a loss was accepted.
        self.read(identity::read)?
            .ok_or_else(|| JournalError::new(&codes::JOURNAL, "the journal has no identity"))
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        self.read(|connection| row::under_another_account(connection, key))
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        self.read(|connection| row::other_sale_of(connection, key, returned))
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        self.read(|connection| row::naming_coupon(connection, key, coupon))
    }
}

impl Liveness for Sqlite {
    fn is_alive(&self, owner: &Owner) -> bool {
        self.lock.presence(owner) == Presence::Lives
    }

    fn may_be_running(&self, entry: &Entry) -> bool {
        may_be_running(entry, self.owner(), &self.in_flight, || self.lock.may_carry_out(entry))
    }

    fn owner(&self) -> &Owner {
        self.lock.owner()
    }

    fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }
}

/// Checks that no commit that is known is missing.
fn not_behind(sequence: u64, known: u64) -> Result<(), WriteFailure> {
    if sequence < known { Err(WriteFailure::Behind { sequence, known }) } else { Ok(()) }
}

/// The file ends before its mark.
fn behind(path: &Path, sequence: u64, marked: u64) -> JournalError {
    let message =
        format!("{} ends at {sequence}, but {marked} had been committed: records are lost", path.display());
    JournalError::new(&codes::JOURNAL_BEHIND, message)
}

/// The error for a file or folder of the journal that cannot be created.
fn not_made(path: &Path, error: &std::io::Error) -> JournalError {
    let code = match error.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem => &codes::JOURNAL_READ_ONLY,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => &codes::JOURNAL_FULL,
        _ => &codes::JOURNAL_PLACE,
    };
    JournalError::new(code, format!("{} cannot be made: {error}", path.display()))
}

/// The meaning of an SQLite error for the till's owner.
fn explain(path: &Path, error: &rusqlite::Error) -> JournalError {
    let code: &'static Code = match error.sqlite_error_code() {
        // No room for the index of the WAL.
        Some(_) if error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_IOERR_SHMSIZE) => {
            &codes::JOURNAL_FULL
        }
        Some(ErrorCode::DiskFull) => &codes::JOURNAL_FULL,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => &codes::JOURNAL_READ_ONLY,
        Some(ErrorCode::CannotOpen) => &codes::JOURNAL_PLACE,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => &codes::JOURNAL_LOCKED,
        // `None` is not an SQLite error: a row that this program cannot have written.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => &codes::JOURNAL_DAMAGED,
        Some(_) => &codes::JOURNAL,
    };
    JournalError::new(code, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
