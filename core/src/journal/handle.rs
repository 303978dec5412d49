//! The journal as the runtime uses it. A journal that was locked, full or read-only at the start is opened later; until
//! then every use returns the reason, and quotes go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};
use std::time::Instant;

use super::{Backend, Guard, InFlight, JournalError, Location, Page, Receipt, Recorded};
use crate::outcome::codes;
use crate::payment::{Entry, Key, Owner};

/// Opens the store, waiting for others until then.
pub type Open = Box<dyn Fn(Instant) -> Result<(Arc<dyn Backend>, Location), JournalError> + Send + Sync>;

/// How many entries are read from the store at a time.
const PAGE: usize = 256;

/// The journal of a library: its store, as soon as that is open. All methods may be called from any thread.
pub struct Journal {
    opened: OnceLock<(Arc<dyn Backend>, Location)>,
    open: Open,
    /// Why it is not open.
    error: Mutex<JournalError>,
    /// One thread opens at a time.
    opening: Mutex<()>,
    /// It was opened after the start, and its unsettled entries have not been listed since.
    unseen: AtomicBool,
    nobody: Owner,
    none_in_flight: InFlight,
}

/// The owner of entries that are made while the journal is not open. No process and no record has this name.
const NOBODY: &str = "(nobody)";

impl Journal {
    /// Opens it now or, if that may help, later.
    pub fn open(
        open: impl Fn(Instant) -> Result<(Arc<dyn Backend>, Location), JournalError> + Send + Sync + 'static,
        until: Instant,
    ) -> Journal {
        let reason = JournalError::new(&codes::JOURNAL, "it has not been opened");
        let journal = Journal::not_open(reason, Box::new(open));
        journal.open_now(until);
        journal
    }

    /// A journal that cannot be used, for this reason.
    pub fn never(reason: JournalError) -> Journal {
        let again = reason.clone();
        Journal::not_open(reason, Box::new(move |_| Err(again.clone())))
    }

    fn not_open(error: JournalError, open: Open) -> Journal {
        Journal {
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
    pub fn location(&self) -> Result<&Location, JournalError> {
        self.opened.get().map(|(_, location)| location).ok_or_else(|| self.error())
    }

    /// Whether it was opened after the start and its unsettled entries have not been listed since: `zv_init` could not
    /// list them.
    pub fn is_unseen(&self) -> bool {
        self.unseen.load(Ordering::Acquire)
    }

    /// Notes that all its unsettled entries were listed.
    pub fn seen(&self) {
        self.unseen.store(false, Ordering::Release);
    }

    /// Tries again to open a journal that was locked, full or read-only. True if that has opened it.
    pub fn open_again(&self, until: Instant) -> bool {
        let passes = [
            codes::JOURNAL_LOCKED.text,
            codes::JOURNAL_FULL.text,
            codes::JOURNAL_READ_ONLY.text,
            codes::JOURNAL_AWAY.text,
        ];
        if self.opened.get().is_some() || !passes.contains(&self.error().code.text) {
            return false;
        }
        // If another thread is opening it, this one need not.
        let turn = match self.opening.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if self.opened.get().is_some() {
            return false;
        }
        // Before the journal can be used, so that every answer from then on says so.
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

    fn backend(&self) -> Result<&dyn Backend, JournalError> {
        self.opened.get().map(|(backend, _)| backend.as_ref()).ok_or_else(|| self.error())
    }
}

/// Records, and the proof that they are durable.
impl Journal {
    /// Records an entry; see [`Store::record`](super::Store::record). A record that begins an attempt or a bizId must be
    /// in the name of this process.
    pub fn record(
        &self,
        entry: &Entry,
        guard: Guard,
        until: Instant,
    ) -> Result<Recorded<Receipt>, JournalError> {
        let backend = self.backend()?;
        if entry.is_intent() || entry.revision() == 1 {
            backend.may_begin(entry)?;
        }
        Ok(backend.record(entry, guard, until)?.map(|()| Receipt::of(entry)))
    }

    /// Records several entries over the revisions before them, in one transaction: the results in their order.
    pub fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>> {
        match self.backend() {
            Ok(backend) => backend.record_all(entries, until),
            Err(error) => entries.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// The receipt of a record that was durable before, if it is still the record of its bizId; otherwise the record that
    /// is, if any.
    pub fn receipt_of(&self, durable: &Entry) -> Result<Result<Receipt, Option<Entry>>, JournalError> {
        let found = self.find(durable.key())?;
        let receipt = found.as_ref().map(Receipt::of).filter(|receipt| receipt.is_of(durable));
        Ok(receipt.ok_or(found))
    }
}

/// Questions about the records; see [`Store`](super::Store).
impl Journal {
    /// The identity of this journal.
    pub fn id(&self) -> Result<String, JournalError> {
        self.backend()?.id()
    }

    /// The record of a bizId.
    pub fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        self.backend()?.find(key)
    }

    /// Guesses, without waiting, whether an entry of revision 1 would be recorded.
    pub fn seems_free(&self, record: &Entry, guard: Guard) -> bool {
        self.backend().is_ok_and(|backend| backend.seems_free(record, guard))
    }

    /// The entries that the library itself may still settle, oldest first: those behind `after`, at most a page of them.
    pub fn due(&self, after: Option<&Entry>) -> Result<Vec<Entry>, JournalError> {
        self.backend()?.due(Page { after, limit: PAGE })
    }

    /// Whether a list of [`Journal::due`] is the last one.
    pub fn is_last(page: &[Entry]) -> bool {
        page.len() < PAGE
    }

    /// Every unsettled entry, oldest first.
    pub fn unsettled(&self) -> Result<Vec<Entry>, JournalError> {
        let backend = self.backend()?;
        Page::all(PAGE, |page| backend.unsettled(page))
    }

    /// Every sale that is valid because its refund was refused.
    pub fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        self.backend()?.refused_refunds()
    }

    /// Every success that the till has not read, or not confirmed though it must, oldest first.
    pub fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        self.backend()?.unfinished()
    }

    /// Every entry that may be filed under that business day, and others near it, oldest first.
    pub fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError> {
        self.backend()?.near_day(day)
    }

    /// Whether this account has ever answered with a bizId other than the one that was sent.
    pub fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        self.backend()?.has_other_biz_ids(key)
    }

    /// Whether the bizId has a record under another account.
    pub fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        self.backend()?.stands_elsewhere(key)
    }

    /// Another sale of this account that a reversal by that bizId would undo.
    pub fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        self.backend()?.other_sale_of(key, returned)
    }

    /// Whether another sale of this account names that coupon.
    pub fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        self.backend()?.names_coupon_elsewhere(key, coupon)
    }
}

/// What the till has read.
impl Journal {
    /// The till has read that this succeeded. It is written with the next record, or by
    /// [`Journal::flush_acknowledged`].
    pub fn acknowledge(&self, key: Key) {
        if let Ok(backend) = self.backend() {
            backend.acknowledge(key);
        }
    }

    /// Writes what [`Journal::acknowledge`] has gathered.
    pub fn flush_acknowledged(&self) {
        if let Ok(backend) = self.backend() {
            backend.flush_acknowledged();
        }
    }

    /// The same, and what the next start need then not do; the journal may be used on.
    pub fn close(&self) {
        if let Ok(backend) = self.backend() {
            backend.close();
        }
    }
}

/// What no call waits for.
impl Journal {
    /// Whether [`Journal::care`] has something to do.
    pub fn needs_care(&self) -> bool {
        self.backend().is_ok_and(super::Store::needs_care)
    }

    /// Keeps the journal small and the next call fast.
    pub fn care(&self, until: Instant) -> Result<(), JournalError> {
        self.backend()?.care(until)
    }
}

/// The liveness of processes; see [`Liveness`](super::Liveness).
impl Journal {
    /// This process; while the journal is not open, a name in which nothing can be begun.
    pub fn owner(&self) -> &Owner {
        self.backend().map_or(&self.nobody, |backend| backend.owner())
    }

    /// The consumes that this process is carrying out.
    pub fn in_flight(&self) -> &InFlight {
        self.backend().map_or(&self.none_in_flight, |backend| backend.in_flight())
    }

    /// Whether a request may leave in the name of that process.
    pub fn may_send(&self, owner: &Owner) -> Result<(), JournalError> {
        self.backend()?.may_send(owner)
    }

    /// Whether this process settles in the background what others have left.
    pub fn settles_for_others(&self) -> bool {
        self.backend().is_ok_and(super::Liveness::settles_for_others)
    }

    /// This process carries out nothing any more.
    pub fn leave(&self) {
        if let Ok(backend) = self.backend() {
            backend.leave();
        }
    }

    /// Whether the process of that name still lives, as far as its lock says.
    pub fn is_alive(&self, owner: &Owner) -> bool {
        self.backend().map_or(true, |backend| backend.is_alive(owner))
    }

    /// Whether the attempt of an intent may still be running.
    pub fn may_be_running(&self, entry: &Entry) -> bool {
        self.backend().map_or(true, |backend| backend.may_be_running(entry))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;
    use crate::gateway::Identity;
    use crate::journal::test_folder::Folder;
    use crate::journal::{Opening, Sqlite};
    use crate::money::BizId;
    use crate::outcome::codes::Code;
    use crate::payment::{Detail, OnUnknown, Stage};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(3)
    }

    /// A journal whose first openings fail with these codes, and how often it was tried.
    fn failing(folder: &Folder, codes: Vec<&'static Code>) -> (Journal, Arc<AtomicUsize>) {
        let path = folder.journal();
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let open = move |_| {
            let code = codes.get(counted.fetch_add(1, Ordering::SeqCst)).copied();
            if let Some(code) = code {
                return Err(JournalError::new(code, "not yet"));
            }
            let location = Location::at(path.clone());
            let opening = Opening { later: true, ..Opening::default() };
            Ok((Arc::new(Sqlite::open_as(&path, &opening)?) as Arc<dyn Backend>, location))
        };
        (Journal::open(open, soon()), tries)
    }

    #[test]
    fn what_passes_is_tried_again_and_its_entries_are_then_unseen() {
        let passing = vec![&codes::JOURNAL_LOCKED, &codes::JOURNAL_FULL, &codes::JOURNAL_READ_ONLY];
        let folder = Folder::new("handle-passing");
        let (journal, tries) = failing(&folder, passing);
        for tried in [1, 2] {
            assert_eq!(tries.load(Ordering::SeqCst), tried);
            assert!(journal.location().is_err() && !journal.open_again(soon()) && !journal.is_unseen());
        }
        // Until it is open nothing can be begun or asked.
        assert_eq!(journal.owner(), &Owner(NOBODY.to_owned()));
        assert!(journal.is_alive(journal.owner()) && journal.id().is_err() && !journal.needs_care());
        assert!(journal.open_again(soon()) && journal.is_unseen() && journal.location().is_ok());
        assert!(!journal.open_again(soon()));
        journal.seen();
        assert!(!journal.is_unseen());
        assert_ne!(journal.owner(), &Owner(NOBODY.to_owned()));
        assert!(!journal.is_alive(&Owner(NOBODY.to_owned())));
    }

    #[test]
    fn it_asks_and_tells_its_store() {
        let folder = Folder::new("handle-open");
        let (journal, _) = failing(&folder, Vec::new());
        let key = |biz_id: &str| Key {
            open_id: "o".into(),
            environment: "e".into(),
            biz_id: BizId::new(biz_id).unwrap(),
        };
        assert!(journal.needs_care());
        journal.care(soon()).unwrap();
        assert!(!journal.needs_care());
        let intent = |biz_id: &str| {
            let owner = journal.owner().clone();
            Entry::intent(key(biz_id), Identity::default(), owner, OnUnknown::Hold, 0)
        };
        assert!(journal.seems_free(&intent("B1"), Guard::Member));
        let recorded = journal.record(&intent("B1"), Guard::Member, soon());
        assert!(matches!(recorded, Ok(Recorded::Done(_))), "{recorded:?}");
        assert!(!journal.seems_free(&intent("B1"), Guard::Member));
        let success = Entry::restore(
            key("B1"),
            Identity::default(),
            Stage::Succeeded,
            2,
            1,
            journal.owner().clone(),
            OnUnknown::Hold,
            0,
            Detail::default(),
        );
        assert!(matches!(journal.record(&success, Guard::Off, soon()), Ok(Recorded::Done(_))));
        assert_eq!(journal.unfinished().unwrap().len(), 1);
        journal.acknowledge(key("B1"));
        journal.close();
        assert_eq!(journal.unfinished().unwrap(), []);
        let foreign = |revision, stage| {
            let owner = Owner("another process".into());
            let (identity, detail) = (Identity::default(), Detail::default());
            Entry::restore(key("B9"), identity, stage, revision, 1, owner, OnUnknown::Hold, 0, detail)
        };
        for (revision, stage) in [(1, Stage::Reversed), (2, Stage::Sending)] {
            assert!(journal.record(&foreign(revision, stage), Guard::Off, soon()).is_err(), "{revision}");
        }
        assert!(journal.receipt_of(&success).unwrap().is_err(), "the till has read a later revision");
    }

    #[test]
    fn what_does_not_pass_is_not_tried_again() {
        let folder = Folder::new("handle-for-ever");
        let (journal, tries) = failing(&folder, vec![&codes::JOURNAL_DAMAGED]);
        assert!(!journal.open_again(soon()) && journal.location().is_err());
        assert_eq!(tries.load(Ordering::SeqCst), 1);
        let never = Journal::never(JournalError::new(&codes::FORKED, "a child"));
        assert!(!never.open_again(soon()) && never.location().is_err());
    }
}
