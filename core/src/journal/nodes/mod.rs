//! The journal of several nodes over one database. Money rests on the revisions alone: a record is written by one
//! statement over exactly the revision before it. A lease decides only when a node gives up on another one. A statement
//! whose answer is lost is repeated with the same number and never judged by a read, because a read may come before it.

mod database;
mod lease;
mod left;
#[cfg(feature = "database")]
mod locks;
mod names;
mod record;
#[cfg(any(test, feature = "conformance"))]
pub mod tables;
mod tending;
mod witness;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use database::{Database, EARLIER_KEPT, Failure, List, Membership, Node, Role, Standing, Token, Write};
pub use lease::LeaseSettings;
#[cfg(feature = "database")]
pub use locks::NodeLocks;

use super::liveness::Liveness;
use super::{Guard, InFlight, JournalError, Page, Recorded, Store, filed};
use crate::outcome::codes;
use crate::payment::{Entry, Key, Owner, Stage};
use lease::{Lease, Observer};
use left::Left;
use names::Names;
use witness::Witness;

/// How long a read waits for the database.
const READ: Duration = Duration::from_secs(5);

/// What a node is started with.
pub struct NodeSettings {
    /// How the nodes judge each other.
    pub lease: LeaseSettings,
    /// How long a call of this node may last.
    pub total: Duration,
    /// For how many days with sales the details of settled entries are kept.
    pub retention_days: i64,
    /// The machine's wall clock in Unix milliseconds; it decides only what is old.
    pub unix_ms: fn() -> i64,
    /// Draws a name for this node from a random number.
    pub name: Box<dyn Fn(u64) -> Owner + Send + Sync>,
}

/// The journal of one node. All methods may be called from any thread; [`Nodes::beat`] must be called every
/// [`LeaseSettings::beat`].
pub struct Nodes<D> {
    database: D,
    settings: NodeSettings,
    names: Names,
    present: Mutex<Present>,
    /// One thread beats at a time.
    beating: Mutex<Observer>,
    witness: Mutex<Witness>,
    /// What could not be recorded in time.
    left: Mutex<Vec<Left>>,
    /// The successes that the till has read and that are not written down yet.
    acknowledged: Mutex<Vec<Key>>,
    settles: AtomicBool,
    /// A thread records what is left.
    finishing: AtomicBool,
    /// When old details were dropped last, in milliseconds of uptime.
    retired_ms: AtomicU64,
    in_flight: InFlight,
    /// Why nothing is written any more: the database has lost what it had acknowledged.
    stopped: OnceLock<JournalError>,
}

/// The state of the present name.
#[derive(Default)]
struct Present {
    lease: Lease,
    /// The last try of a beat. No number is used for two: one that a failover has lost may have been seen by others, who
    /// would take its like for the same.
    tried: u64,
    /// The last beat that was answered.
    beat: u64,
}

fn declared_dead() -> Failure {
    Failure::Away("this node was declared dead; ask again".to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<D: Database> Nodes<D> {
    /// Joins the nodes of a database.
    ///
    /// # Errors
    /// If the lease is too short for a call, or the database does not answer.
    pub fn start(database: D, settings: NodeSettings, until: Instant) -> Result<Nodes<D>, JournalError> {
        if !settings.lease.covers(settings.total) {
            return Err(JournalError::new(
                &codes::JOURNAL_PLACE,
                "journal_db: lease_s must be at least timeouts_ms.total and 3 × beat_s and 2 s more",
            ));
        }
        let first = (settings.name)(database.token());
        let nodes = Nodes {
            database,
            settings,
            names: Names::new(first),
            present: Mutex::default(),
            beating: Mutex::default(),
            witness: Mutex::default(),
            left: Mutex::default(),
            acknowledged: Mutex::default(),
            settles: AtomicBool::new(false),
            finishing: AtomicBool::new(false),
            retired_ms: AtomicU64::new(0),
            in_flight: InFlight::default(),
            stopped: OnceLock::new(),
        };
        let joined = nodes.repeated(until, |until| nodes.database.join(nodes.names.present(), until));
        joined.map_err(|failure| nodes.explain(failure))?;
        nodes.beat()?;
        Ok(nodes)
    }

    /// The error for a failure.
    fn explain(&self, failure: Failure) -> JournalError {
        match failure {
            Failure::Refused(error) => error,
            Failure::Away(why) | Failure::Ambiguous(why) => {
                JournalError::new(&codes::JOURNAL_AWAY, format!("{}: {why}", self.database.place()))
            }
        }
    }

    /// From now on nothing is written: the database holds less than it had acknowledged.
    fn behind(&self, what: &str) -> JournalError {
        let message = format!("{}: {what}: records that were acknowledged are lost", self.database.place());
        let error = JournalError::new(&codes::JOURNAL_BEHIND, message);
        // The first one is the cause of those that follow.
        let _ = self.stopped.set(error.clone());
        error
    }

    fn not_stopped(&self) -> Result<(), JournalError> {
        match self.stopped.get() {
            None => Ok(()),
            Some(reason) => Err(JournalError::new(
                reason.code,
                format!("{reason}; money calls stop until the library is started again"),
            )),
        }
    }

    fn read<T>(&self, read: impl Fn(Instant) -> Result<T, Failure>) -> Result<T, JournalError> {
        // A journal that goes backwards is told nothing from.
        self.not_stopped()?;
        self.repeated(self.database.now() + READ, read).map_err(|failure| self.explain(failure))
    }

    /// Repeats a statement whose repetition changes nothing, until it is answered or the time is over.
    fn repeated<T>(
        &self,
        until: Instant,
        statement: impl Fn(Instant) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            match statement(until) {
                Err(Failure::Ambiguous(_)) if self.database.now() + pause < until => {
                    self.database.sleep(pause);
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                answered => return answered,
            }
        }
    }

    /// Whether what stands cannot be lost any more. What was read may be on one server only: its node was not told that it
    /// is durable, or that server has been replaced and others have gone on. Writing it over itself waits for that, and for
    /// all that was written before it. `false`: it has changed meanwhile.
    fn is_durable(&self, standing: &Standing, until: Instant) -> Result<bool, Failure> {
        // From an intent nothing is told.
        Ok(standing.entry.stage() == Stage::Sending || self.database.confirm(standing, until)?)
    }

    /// The record of a bizId, durable.
    fn durable(&self, key: &Key, until: Instant) -> Result<Option<Standing>, Failure> {
        loop {
            let Some(standing) = self.one(key, until)? else {
                // A server that has been replaced does not have what others have recorded since.
                return match self.database.beat(self.names.present(), 0, until)? {
                    Some(_) => Ok(None),
                    None => Err(declared_dead()),
                };
            };
            if self.is_durable(&standing, until)? {
                return Ok(Some(standing));
            }
        }
    }

    /// Waits until all that was read before is durable: something is written after it.
    fn after_a_beat<T>(&self, read: T) -> Result<T, JournalError> {
        let until = self.database.now() + READ;
        match self.repeated(until, |until| self.database.beat(self.names.present(), 0, until)) {
            Ok(Some(_)) => Ok(read),
            Ok(None) => Err(self.explain(declared_dead())),
            Err(failure) => Err(self.explain(failure)),
        }
    }

    /// The present name, and a number that no beat in this name has had.
    fn next_beat(&self) -> (&Owner, u64) {
        let mut present = lock(&self.present);
        present.tried += 1;
        (self.names.present(), present.tried)
    }

    fn one(&self, key: &Key, until: Instant) -> Result<Option<Standing>, Failure> {
        Ok(self.database.standing(std::slice::from_ref(key), until)?.into_iter().next())
    }
}

/// The first and the longest pause before a statement is repeated.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_millis(200);

impl<D: Database> Store for Nodes<D> {
    fn id(&self) -> Result<String, JournalError> {
        Ok(self.database.id())
    }

    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError> {
        self.record_one(entry, guard, until)
    }

    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>> {
        entries.iter().map(|entry| self.record_one(entry, Guard::Off, until)).collect()
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        self.read(|until| Ok(self.durable(key, until)?.map(|standing| standing.entry)))
    }

    fn seems_free(&self, record: &Entry, guard: Guard) -> bool {
        let until = self.database.now() + READ;
        let write = Write { entry: record, token: 0, guard, by: None };
        matches!(self.one(record.key(), until), Ok(None))
            && matches!(self.database.keeping_out(&write, until), Ok(None))
    }

    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        if self.settles_for_others() {
            return self.read(|until| self.database.list(List::Due, page, until));
        }
        let own: Vec<Owner> = self.names.every().cloned().collect();
        let entries = self.read(|until| self.database.sending_of(&own, until))?;
        Ok(page.of(entries.iter()))
    }

    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        let entries = self.read(|until| self.database.list(List::Unsettled, page, until))?;
        self.after_a_beat(entries)
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        self.whole(List::RefusedRefunds)
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        self.whole(List::Unfinished)
    }

    fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError> {
        let entries = self.read(|until| self.database.near_day(day, until))?;
        let mut entries = self.after_a_beat(entries)?;
        filed::sort(&mut entries);
        // What was acknowledged and is not written down yet.
        let acknowledged = lock(&self.acknowledged);
        for entry in entries.iter_mut().filter(|entry| acknowledged.contains(entry.key())) {
            if let Some(known) = entry.acknowledged() {
                *entry = known;
            }
        }
        Ok(entries)
    }

    fn acknowledge(&self, key: Key) {
        lock(&self.acknowledged).push(key);
    }

    fn flush_acknowledged(&self) {
        // What cannot be written is shown as unacknowledged, which is true.
        let _ = self.write_acknowledged(self.database.now() + READ);
    }

    fn close(&self) {
        self.flush_acknowledged();
    }

    fn needs_care(&self) -> bool {
        self.is_retirement_due()
    }

    fn care(&self, until: Instant) -> Result<(), JournalError> {
        if self.is_retirement_due() { self.retire(until) } else { Ok(()) }
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        self.read(|until| self.database.has_other_biz_ids(key, until))
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        self.read(|until| self.database.stands_elsewhere(key, until))
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        self.read(|until| self.database.other_sale_of(key, returned, until))
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        self.read(|until| self.database.names_coupon_elsewhere(key, coupon, until))
    }
}

impl<D: Database> Nodes<D> {
    fn whole(&self, list: List) -> Result<Vec<Entry>, JournalError> {
        let entries = Page::all(PAGE, |page| self.read(|until| self.database.list(list, page, until)))?;
        self.after_a_beat(entries)
    }
}

/// How many entries of a list are read at a time.
const PAGE: usize = 256;

impl<D: Database> Liveness for Nodes<D> {
    fn owner(&self) -> &Owner {
        self.names.present()
    }

    fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    fn may_begin(&self, intent: &Entry) -> Result<(), JournalError> {
        self.not_stopped()?;
        self.leased(intent.owner(), self.settings.total)
    }

    fn may_send(&self, owner: &Owner) -> Result<(), JournalError> {
        self.leased(owner, Duration::ZERO)
    }

    fn is_alive(&self, owner: &Owner) -> bool {
        if self.names.has(owner) {
            return self.names.present() == owner;
        }
        // A node that the last reading did not know may have joined since.
        let known = self.beating.try_lock().ok().and_then(|observer| observer.is_dead(owner));
        known.map_or_else(|| self.is_alive_in_database(owner), |is_dead| !is_dead)
    }

    fn may_be_running(&self, entry: &Entry) -> bool {
        if self.names.has(entry.owner()) {
            // What a call has left is ended by `finish_left`, which knows more of it.
            let is_left = || lock(&self.left).iter().any(|left| left.record.key() == entry.key());
            return self.in_flight.contain(entry.key()) || is_left();
        }
        self.is_alive(entry.owner())
    }

    fn settles_for_others(&self) -> bool {
        let may_settle = self.settles.load(Ordering::Acquire) && self.stopped.get().is_none();
        may_settle && self.leased(self.names.present(), Duration::ZERO).is_ok()
    }

    fn leave(&self) {
        let until = self.database.now() + READ;
        // Otherwise the others wait until the lease is over.
        let _ = self.repeated(until, |until| self.database.bury(self.names.present(), None, until));
    }
}

impl<D: Database> Nodes<D> {
    /// Whether a call in that name that lasts so long from now on ends while no other node may declare this one dead.
    fn leased(&self, owner: &Owner, call: Duration) -> Result<(), JournalError> {
        let present = lock(&self.present);
        let message = if self.names.present() != owner {
            "this node was declared dead during the call and has another name; ask again"
        } else if !present.lease.covers(self.database.uptime(), call, &self.settings.lease) {
            "the database has not answered this node for so long that others may take it for dead"
        } else {
            return Ok(());
        };
        Err(JournalError::new(&codes::JOURNAL_AWAY, format!("{}: {message}", self.database.place())))
    }

    fn is_alive_in_database(&self, owner: &Owner) -> bool {
        match self.read(|until| self.database.node(owner, until)) {
            Ok(Some(node)) => !node.dead,
            // A node is there before its first record, and is forgotten only when it is dead.
            Ok(None) => false,
            // In doubt it lives.
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests;
