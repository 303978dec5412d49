//! The journal in SQLite: WAL, `synchronous=FULL`, so that a commit returns when it is on stable storage. Several
//! processes share the file; every change is an event that is added in one short transaction. What a payment need not wait
//! for, [`Store::care`] does outside of calls: feeding, checkpoints, room for the WAL.

mod arriving;
mod ballast;
mod base;
mod changes;
mod damage;
mod file_identity;
mod filed_days;
mod format_1;
mod group_commit;
mod identity;
mod inspect;
mod lease;
mod leaving;
mod proof;
mod record;
mod row;
mod schema;
mod states;
mod summary;
mod tables;
mod transaction;
mod upgrade;
mod verify;
mod wal;
mod watermark;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use rusqlite::{Connection, ErrorCode, ffi};

use super::events::{Broken, Feeding, SharedIndex, View, feed, is_due};
use super::liveness::{Liveness, Presence, may_be_running};
use super::store::sort_by_time;
use super::{
    Guard, InFlight, JournalError, Opening, Page, ProcessLock, Recorded, Shipped, Store, filed, location,
};
use crate::clock::machine_unix_ms;
use crate::outcome::{codes, codes::Code};
use crate::payment::{Entry, Key, Owner};
use crate::rights;
use ballast::Ballast;
use base::{Base, Stamp};
use file_identity::FileIdentity;
use group_commit::GroupCommit;
use lease::{Lease, SharedConnection, Waited};
use proof::{Proof, Proven};
use states::Old;
use summary::List;
use transaction::Transaction;
use watermark::Watermark;

pub use arriving::arriving;
pub use changes::{Changed, Changes, Look, StateScan};
pub use inspect::{Inspection, inspect};
pub use leaving::leaving;

/// How long another process may hold the file if no call's deadline limits it. A commit takes milliseconds.
const BUSY: Duration = Duration::from_secs(3);

/// The minimum wait of a record for other processes, even if its call's time is over: an outcome must be written.
const LEAST: Duration = Duration::from_millis(250);

/// So many events are left to gather before they are fed: of some 85 sales, and a little less than the WAL has room for. Each
/// checkpoint flushes both files.
const GATHERED: u64 = 256;

/// With so many pages the WAL is long for a process that begins: what is in it by then counts against its room, also what
/// had been moved to the database.
const LONG_AT_START: i64 = 64;

/// With so many events a call feeds them itself, after its outcome is durable: no background thread does.
const TOO_MANY: u64 = 2048;

/// How long a checkpoint that keeps others from writing waits for those that read.
const CHECKPOINT: Duration = Duration::from_millis(100);

/// How often a writing process checks that its own files still have their names.
const LOOK_AFTER_NAMES: Duration = Duration::from_secs(2);

/// The store in one SQLite file.
pub struct Sqlite {
    path: PathBuf,
    writing: SharedConnection,
    /// Reads do not wait for writes, and a long list does not delay a sale.
    reading: SharedConnection,
    /// For what is fed and checkpointed outside of calls.
    feeding: OnceCell<SharedConnection>,
    index: SharedIndex,
    files: FileIdentity,
    base: Base,
    proof: Proof,
    /// Whether what opening left for later has been done.
    is_tended: AtomicBool,
    retention_days: i64,
    /// Records that wait for the thread that writes.
    together: GroupCommit,
    mark: Watermark,
    ballast: Ballast,
    lock: ProcessLock,
    names_seen: Mutex<Instant>,
    /// The successes that the till has read since the last record.
    acknowledged: Mutex<Vec<Key>>,
    in_flight: InFlight,
    /// Why nothing is written any more: the content of the file is not known until it is opened again.
    stopped: OnceLock<JournalError>,
}

/// Why something was not read or not committed.
#[derive(Debug)]
enum Failure {
    Sqlite(rusqlite::Error),
    /// The log holds less than had been committed, or something else.
    Broken(Broken),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Failure {
        Failure::Broken(broken)
    }
}

impl Failure {
    /// In words.
    fn explain(&self, path: &Path) -> JournalError {
        match self {
            Failure::Sqlite(error) => explain(path, error),
            Failure::Broken(Broken::Behind { last, known }) => behind(path, *last, *known),
            Failure::Broken(broken) => {
                JournalError::new(&codes::JOURNAL_DAMAGED, format!("{}: {broken}", path.display()))
            }
        }
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
        schema::prepare(&mut connection, patience, &lock).map_err(|error| error.explain(path))?;
        let last = || tables::ends(&connection).map(|ends| ends.last).map_err(|e| explain(path, &e));
        let used = last()? > 0;
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
        identity::settle(&connection, |last| last > 0 && mark.read().is_none())
            .map_err(|failure| failure.explain(path))?;
        // The mark first: another process may commit between the two.
        let marked = mark.read().unwrap_or_default();
        let sequence = last()?;
        if marked > sequence {
            return Err(behind(path, sequence, marked));
        }
        let reading = schema::reader(path).map_err(|e| explain(path, &e))?;
        let proof = Proof::of(path, &connection).map_err(|e| explain(path, &e))?;
        mark.hold().raise(sequence);
        // Where there is no room for it, no intent is recorded until there is; what is unsettled can be settled.
        let ballast = Ballast::beside(path);
        let _ = ballast.ensure();
        let index = SharedIndex::default();
        drop(index.view(|| view(&connection)).map_err(|failure| failure.explain(path))?);
        let base = Base::of(path, &connection).map_err(|e| explain(path, &e))?;
        let files = FileIdentity::of(path)
            .map_err(|e| JournalError::new(&codes::JOURNAL, format!("{}: {e}", path.display())))?;
        let journal = Sqlite {
            path: path.to_owned(),
            writing: SharedConnection::new(connection),
            reading: SharedConnection::new(reading),
            feeding: OnceCell::new(),
            index,
            files,
            base,
            proof,
            is_tended: AtomicBool::new(false),
            retention_days: opening.retention_days,
            together: GroupCommit::default(),
            mark,
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
        let unsettled = journal.unsettled(Page { after: None, limit: usize::MAX })?;
        let needed: Vec<Owner> = unsettled.iter().map(|entry| entry.owner().clone()).collect();
        journal.lock.sweep(&needed);
        journal.lock.guard();
        // Nothing depends on the room, so what fails here is no error.
        if wal::is_short(path)
            && let Ok(turn) = journal.to_write(Instant::now() + patience)
            && let Ok(transaction) = Transaction::to_write(&turn)
        {
            wal::extend(path);
            drop(transaction);
        }
        if !opening.later {
            journal.tend(Instant::now() + patience)?;
        }
        Ok(journal)
    }

    /// What a start may leave for later: every page and row is read, old details are dropped, the log is fed if it is long.
    fn tend(&self, until: Instant) -> Result<(), JournalError> {
        self.proof.complete().map_err(|error| self.failed(&error))?;
        // Nothing depends on the removal of old records, and what cannot be fed now is fed later.
        for done in [self.retire(self.retention_days, until).map(drop), self.feed_if_long_at_start(until)] {
            done.or_else(|error| {
                let is_hindered =
                    [codes::JOURNAL_FULL.text, codes::JOURNAL_LOCKED.text].contains(&error.code.text);
                if is_hindered { Ok(()) } else { Err(error) }
            })?;
        }
        self.is_tended.store(true, Ordering::Release);
        Ok(())
    }

    fn feed_if_long(&self, until: Instant) -> Result<(), JournalError> {
        if self.is_long() { self.feed_and_checkpoint(until) } else { Ok(()) }
    }

    fn feed_if_long_at_start(&self, until: Instant) -> Result<(), JournalError> {
        let connection = self.to_feed(until)?;
        let is_long = wal::pages(&connection).map_err(|error| self.failed(&error))? >= LONG_AT_START;
        drop(connection);
        if is_long { self.feed_and_checkpoint(until) } else { self.feed_if_long(until) }
    }

    /// Feeds the log and moves the WAL to the database, which then holds everything by itself. The WAL begins again with the
    /// next write; before that the next process would go on behind its end.
    fn feed_and_leave(&self, until: Instant) -> Result<(), JournalError> {
        self.feed_and_checkpoint(until)?;
        let connection = self.to_feed(until)?;
        let begun = (|| -> Result<(), Failure> {
            if let Some(turn) = self.writing_turn(until)? {
                let transaction = Transaction::to_write(&connection)?;
                tables::touch(&transaction)?;
                transaction.commit()?;
                drop(turn);
            }
            Ok(())
        })();
        begun.map_err(|failure| self.stopped_by(failure))
    }

    fn is_long(&self) -> bool {
        self.index.lock().waiting() >= GATHERED
    }

    /// Drops the details of what was settled long ago, a few thousand at a time. A clock that jumps must drop
    /// nothing, so it is not enough that they look old: as many days with sales must have followed. What was not shipped to a
    /// collector waits for that as long again.
    fn retire(&self, days: i64, until: Instant) -> Result<usize, JournalError> {
        const MOST: i64 = 5000;
        let old = self.read(|connection| {
            let view = &self.index.view(|| view(connection))?;
            let Some(newest) = states::newest(view)? else { return Ok(None) };
            // A sale from a time when the clock was ahead makes no other one old.
            let newest = newest.min(machine_unix_ms());
            let kept = days.saturating_mul(86_400_000);
            let before = newest.saturating_sub(kept);
            let shipped = match identity::read(view)? {
                Some(id) => Shipped::waited_for(&self.path, &id),
                None => u64::MAX,
            };
            let old = Old { before, before_unshipped: before.saturating_sub(kept), shipped };
            // A till that is closed on some days has fewer. The days are counted where there is something to drop.
            let found = !states::settled_before(view, &old, 1)?.is_empty()
                && states::days_since(view, before)? >= days / 2;
            Ok(found.then_some(old))
        })?;
        let Some(old) = old else { return Ok(0) };
        let connection = self.to_feed(until)?;
        let retired = (|| {
            self.feed_all(&connection, until)?;
            let transaction = Transaction::to_write(&connection)?;
            let ends = transaction.ends()?;
            if ends.fed != ends.last {
                // Another process has written meanwhile: at the next start.
                return Ok(0);
            }
            let mut retired = 0;
            for (number, entry) in states::settled_before(&transaction, &old, MOST)? {
                if let Some(record) = entry.retired().filter(|_| old.covers(number, &entry)) {
                    transaction.put_state(number, Some(&entry), &record)?;
                    retired += 1;
                }
            }
            if retired != 0 {
                transaction.commit()?;
            }
            Ok(retired)
        })();
        retired.map_err(|failure| self.stopped_by(failure))
    }

    /// Feeds the log to the states, as far as the time allows.
    fn feed_all(&self, connection: &Connection, until: Instant) -> Result<(), Failure> {
        let mut more = true;
        while more && Instant::now() < until {
            // In turn with this process's calls: SQLite's own waiting is too patient beside many of them.
            let Some(turn) = self.writing_turn(until)? else { break };
            more = feed(Transaction::to_write(connection)?)?;
            drop(turn);
        }
        Ok(())
    }

    /// Feeds the log to the states, moves the WAL to the database and extends it.
    fn feed_and_checkpoint(&self, until: Instant) -> Result<(), JournalError> {
        self.proof.complete().map_err(|error| self.failed(&error))?;
        let connection = self.to_feed(until)?;
        let fed = (|| -> Result<(), Failure> {
            self.feed_all(&connection, until)?;
            drop(self.index.view(|| view(&connection))?);
            self.checkpoint(&connection, until)?;
            if wal::is_short(&self.path)
                && let Some(turn) = self.writing_turn(until)?
            {
                let transaction = Transaction::to_write(&connection)?;
                wal::extend(&self.path);
                drop(transaction);
                drop(turn);
            }
            Ok(())
        })();
        fed.map_err(|failure| self.stopped_by(failure))
    }

    /// Moves the WAL to the database, beside all that read and write; then the little that others have written meanwhile,
    /// while they wait: otherwise the WAL would go on behind its end, beside a till that makes no pause.
    fn checkpoint(&self, connection: &Connection, until: Instant) -> rusqlite::Result<()> {
        let run = |statement: &str| connection.query_row(statement, [], |_| Ok(()));
        run("PRAGMA wal_checkpoint(PASSIVE)")?;
        let Some(turn) = self.writing_turn(until)? else { return Ok(()) };
        // A reader that has stopped must not keep payments waiting.
        connection.busy_timeout(CHECKPOINT)?;
        run("PRAGMA wal_checkpoint(RESTART)")?;
        drop(turn);
        Ok(())
    }

    /// The turn of this process's writing calls; `None` if it does not come in time.
    fn writing_turn(&self, until: Instant) -> rusqlite::Result<Option<Lease<'_>>> {
        Ok(match self.writing.turn(until, || None)? {
            Waited::Lease(turn) | Waited::Done(turn) => Some(turn),
            Waited::TooLate => None,
        })
    }

    /// Where the database was written since the last look: it holds without its WAL at least what it held.
    fn not_overwritten(&self, stamp: Stamp) -> Result<(), Failure> {
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
    fn read<T>(&self, what: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, JournalError> {
        if let Some(error) = self.stopped.get().filter(|error| error.code.text == codes::JOURNAL_BEHIND.text)
        {
            return Err(error.clone());
        }
        let connection = self.to_read()?;
        // Before the reading: others commit meanwhile.
        let known = self.mark.look().unwrap_or_default();
        let found = what(&connection).map_err(|failure| self.stopped_by(failure))?;
        // Where it was taken away, what was open was read.
        let overwritten = self.files.stand().map_or(Ok(()), |stamp| self.not_overwritten(stamp));
        let last = self.index.lock().seen();
        overwritten.and_then(|()| not_behind(last, known)).map_err(|failure| self.stopped_by(failure))?;
        Ok(found)
    }

    /// The entries that `wanted` picks, oldest first, of which `states` gives at least those that were fed.
    fn listed(
        &self,
        wanted: impl Fn(&Entry) -> bool,
        states: impl FnOnce(&Connection) -> rusqlite::Result<Vec<Entry>>,
    ) -> Result<Vec<Entry>, JournalError> {
        self.read(|connection| {
            let states = |view: &Proven<'_>| Ok(states(&view.transaction)?);
            let mut entries = self.index.merged(|| self.view(connection), wanted, states)?;
            sort_by_time(&mut entries, Entry::created_unix_ms);
            Ok(entries)
        })
    }

    /// The same where only the whole table says what is not among the states.
    fn listed_of_all(
        &self,
        wanted: impl Fn(&Entry) -> bool,
        states: impl FnOnce(&Connection) -> rusqlite::Result<Vec<Entry>>,
    ) -> Result<Vec<Entry>, JournalError> {
        self.proof.complete().map_err(|error| self.failed(&error))?;
        self.listed(wanted, states)
    }

    /// Begins to read.
    fn view<'c>(&'c self, connection: &'c Connection) -> Result<Proven<'c>, Failure> {
        Ok(Proven { transaction: view(connection)?, proof: &self.proof })
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

    /// The connection for what is done outside of calls, opened when it is first needed.
    fn to_feed(&self, until: Instant) -> Result<Lease<'_>, JournalError> {
        let open = || schema::feeder(&self.path).map(SharedConnection::new);
        let feeding = self.feeding.get_or_try_init(open).map_err(|error| self.failed(&error))?;
        self.turn(feeding, until)
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

    fn stopped_by(&self, failure: Failure) -> JournalError {
        match failure {
            Failure::Sqlite(error) => self.failed(&error),
            Failure::Broken(_) => {
                let error = failure.explain(&self.path);
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

impl Sqlite {
    fn record_in_turn(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError> {
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
}

impl Store for Sqlite {
    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError> {
        let recorded = self.record_in_turn(entry, guard, until);
        if recorded.is_ok() && !entry.is_intent() && self.index.lock().waiting() >= TOO_MANY {
            // The outcome is durable. What fails here is said by the next use.
            let _ = self.feed_and_checkpoint(Instant::now() + LEAST);
        }
        recorded
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
        self.read(|connection| self.index.find(|| self.view(connection), key))
    }

    fn seems_free(&self, record: &Entry, guard: Guard) -> bool {
        // A long list would take longer than a sale may.
        let Ok(Some(reading)) = self.reading.turn_now(Instant::now()) else { return false };
        let may_be_running = |other: &Entry| self.may_be_running(other);
        self.index.is_free(|| self.view(&reading), record, guard, may_be_running).unwrap_or(false)
    }

    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        self.look_after_names(LOOK_AFTER_NAMES);
        self.read(|connection| self.index.unsettled(|| self.view(connection), page, is_due))
    }

    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        self.read(|connection| self.index.unsettled(|| self.view(connection), page, |_| true))
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        let is_one = |entry: &Entry| entry.is_refused_refund() && !entry.detail().retired;
        self.listed(is_one, |states| states::listed(states, List::Kept))
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        self.listed(Entry::is_unfinished, |states| states::listed(states, List::Unfinished))
    }

    fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError> {
        let is_near = |entry: &Entry| filed::is_near(entry, day);
        let mut entries = self.listed_of_all(is_near, |states| filed_days::near(states, day))?;
        filed::sort(&mut entries);
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

    fn flush_acknowledged(&self) {
        self.write_acknowledged(Instant::now() + BUSY);
    }

    fn close(&self) {
        let until = Instant::now() + BUSY;
        self.write_acknowledged(until);
        if self.stopped.get().is_none() && self.proof.is_complete() {
            // What was not fed is still in the log.
            let _ = self.feed_and_leave(until);
        }
    }

    fn needs_care(&self) -> bool {
        (!self.is_tended.load(Ordering::Acquire) || self.is_long()) && self.stopped.get().is_none()
    }

    fn care(&self, until: Instant) -> Result<(), JournalError> {
        if self.stopped.get().is_some() {
            return Ok(());
        }
        if self.is_tended.load(Ordering::Acquire) { self.feed_if_long(until) } else { self.tend(until) }
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        self.proof.complete().map_err(|error| self.failed(&error))?;
        let is_one = |entry: &Entry| entry.has_other_biz_id() && entry.key().is_of_same_account(key);
        self.read(|connection| {
            let among_states = |view: &Proven<'_>| Ok(states::has_other_biz_ids(&view.transaction, key)?);
            self.index.any(|| self.view(connection), is_one, among_states)
        })
    }

    fn id(&self) -> Result<String, JournalError> {
        // From the file each time: another process may have found that a loss was accepted.
        let read = |connection: &Connection| {
            let view = self.index.view(|| view(connection))?;
            Ok(identity::read(&view)?)
        };
        self.read(read)?.ok_or_else(|| JournalError::new(&codes::JOURNAL, "the journal has no identity"))
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        let is_one = |entry: &Entry| entry.key().biz_id == key.biz_id && !entry.key().is_of_same_account(key);
        self.read(|connection| {
            let among_states = |view: &Proven<'_>| {
                let found = states::under_another_account(&view.transaction, key)?;
                if !found {
                    self.proof.absent(key)?;
                }
                Ok(found)
            };
            self.index.any(|| self.view(connection), is_one, among_states)
        })
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        let is_one = |entry: &Entry| {
            let carried = entry.detail().returned_biz_id.as_deref() == Some(returned);
            let is_named = carried || entry.key().biz_id.as_str() == returned;
            is_named && entry.key() != key && entry.key().is_of_same_account(key)
        };
        let found = self.listed_of_all(is_one, |states| states::carrying(states, key, returned))?;
        Ok(found.into_iter().next())
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        let is_one = |entry: &Entry| {
            let names = entry.identity().coupons.iter().any(|named| named == coupon);
            names && entry.key() != key && entry.key().is_of_same_account(key)
        };
        let found = self.listed_of_all(is_one, |states| states::naming_coupon(states, key, coupon))?;
        Ok(!found.is_empty())
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

/// Begins to read.
fn view(connection: &Connection) -> Result<Transaction<'_>, Failure> {
    Ok(Transaction::to_read(connection)?)
}

/// Checks that no commit that is known is missing.
fn not_behind(last: u64, known: u64) -> Result<(), Failure> {
    if last < known { Err(Broken::Behind { last, known }.into()) } else { Ok(()) }
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
