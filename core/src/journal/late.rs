//! The journal that a library has, or has not yet: one that was only locked, full or read-only at the start is opened
//! later. Until then every use says why, and quotes go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};
use std::time::Instant;

use super::{Guard, InFlight, Journal, JournalError, Location, Recorded};
use crate::outcome::codes;
use crate::payment::{Entry, Key, Owner};

/// Opens the journal, waiting for others until then.
type Open = Box<dyn Fn(Instant) -> Result<(Box<dyn Journal>, Location), JournalError> + Send + Sync>;

/// See the module's words.
pub struct Late {
    opened: OnceLock<(Box<dyn Journal>, Location)>,
    open: Open,
    /// Why it is not open.
    error: Mutex<JournalError>,
    /// One at a time.
    opening: Mutex<()>,
    /// It was opened after the start, and nobody has asked since then what it holds.
    unseen: AtomicBool,
    nobody: Owner,
    none_in_flight: InFlight,
}

/// The owner's name in what is made while the journal is not open. No process and no record has it.
const NOBODY: &str = "(nobody)";

impl Late {
    /// Opens it now or, where that may help, later.
    pub fn open(
        open: impl Fn(Instant) -> Result<(Box<dyn Journal>, Location), JournalError> + Send + Sync + 'static,
        until: Instant,
    ) -> Late {
        let late =
            Late::not_open(JournalError::new(&codes::JOURNAL, "it has not been opened"), Box::new(open));
        late.open_now(until);
        late
    }

    /// A journal that cannot be used, for this reason.
    pub fn never(reason: JournalError) -> Late {
        let again = reason.clone();
        Late::not_open(reason, Box::new(move |_| Err(again.clone())))
    }

    fn not_open(error: JournalError, open: Open) -> Late {
        Late {
            opened: OnceLock::new(),
            open,
            error: Mutex::new(error),
            opening: Mutex::default(),
            unseen: AtomicBool::new(false),
            nobody: Owner(NOBODY.to_owned()),
            none_in_flight: InFlight::default(),
        }
    }

    /// Where it is, or why it cannot be used.
    pub fn place(&self) -> Result<&Location, JournalError> {
        self.opened.get().map(|(_, place)| place).ok_or_else(|| self.error())
    }

    /// Whether it was opened after the start and nobody has asked since then what it holds: what `zv_init` lists was
    /// not listed.
    pub fn is_unseen(&self) -> bool {
        self.unseen.load(Ordering::Acquire)
    }

    /// Somebody has been told all that it holds.
    pub fn seen(&self) {
        self.unseen.store(false, Ordering::Release);
    }

    /// Tries again to open what was locked, full or read-only. True where that has opened it.
    pub fn open_again(&self, until: Instant) -> bool {
        let passes = [codes::JOURNAL_LOCKED.text, codes::JOURNAL_FULL.text, codes::JOURNAL_READ_ONLY.text];
        if self.opened.get().is_some() || !passes.contains(&self.error().code.text) {
            return false;
        }
        // What another thread is at need not be done twice.
        let turn = match self.opening.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if self.opened.get().is_some() {
            return false;
        }
        // Before anybody can use it, so that no answer comes in between without saying so.
        self.unseen.store(true, Ordering::Release);
        let opened = self.open_now(until);
        if !opened {
            self.unseen.store(false, Ordering::Release);
        }
        drop(turn);
        opened
    }

    fn open_now(&self, until: Instant) -> bool {
        match (self.open)(until) {
            Ok(opened) => self.opened.set(opened).is_ok(),
            Err(error) => {
                *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
                false
            }
        }
    }

    fn error(&self) -> JournalError {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn journal(&self) -> Result<&dyn Journal, JournalError> {
        self.opened.get().map(|(journal, _)| journal.as_ref()).ok_or_else(|| self.error())
    }
}

impl Journal for Late {
    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError> {
        let journal = self.journal()?;
        // It was opened while the call was under way: a record without its owner's name would look like a dead one's.
        if *entry.owner() == self.nobody {
            return Err(JournalError::new(
                &codes::JOURNAL_LOCKED,
                "the journal was opened just now; ask again",
            ));
        }
        journal.record(entry, guard, until)
    }

    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>> {
        match self.journal() {
            Ok(journal) => journal.record_all(entries, until),
            Err(error) => entries.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        self.journal()?.find(key)
    }

    fn unsettled(&self) -> Result<Vec<Entry>, JournalError> {
        self.journal()?.unsettled()
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        self.journal()?.refused_refunds()
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        self.journal()?.unfinished()
    }

    fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError> {
        self.journal()?.near_day(day)
    }

    fn acknowledge(&self, key: Key) {
        if let Ok(journal) = self.journal() {
            journal.acknowledge(key);
        }
    }

    fn close(&self) {
        if let Ok(journal) = self.journal() {
            journal.close();
        }
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        self.journal()?.has_other_biz_ids(key)
    }

    fn id(&self) -> Result<String, JournalError> {
        self.journal()?.id()
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        self.journal()?.stands_elsewhere(key)
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        self.journal()?.other_sale_of(key, returned)
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        self.journal()?.names_coupon_elsewhere(key, coupon)
    }

    fn is_alive(&self, owner: &Owner) -> bool {
        self.journal().map_or(true, |journal| journal.is_alive(owner))
    }

    fn may_be_running(&self, entry: &Entry) -> bool {
        self.journal().map_or(true, |journal| journal.may_be_running(entry))
    }

    fn owner(&self) -> &Owner {
        self.journal().map_or(&self.nobody, |journal| journal.owner())
    }

    fn in_flight(&self) -> &InFlight {
        self.journal().map_or(&self.none_in_flight, |journal| journal.in_flight())
    }
}
