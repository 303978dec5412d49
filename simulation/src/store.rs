//! The shared journal as one process sees it: the library's own rules of admission and liveness over [`SimJournal`], and
//! what can befall a write.
//!
//! [`SimJournal`]: crate::journal::SimJournal

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use zvpos_core::journal::events::is_due;
use zvpos_core::journal::{
    Guard, InFlight, JournalError, Liveness, MissingOwners, Page, Presence, Recorded, Store as Records,
    may_be_running,
};
use zvpos_core::payment::{Entry, Key, Owner};

use crate::clock::instant;
use crate::process::Locks;
use crate::scheduler::Life;

/// The shared journal as one life of a process sees it.
pub struct Store {
    life: Life,
    owner: Owner,
    total: Duration,
    in_flight: InFlight,
    missing: Mutex<MissingOwners>,
}

impl Store {
    /// The journal of one life of a process.
    pub fn new(life: Life, owner: Owner, total_ms: u64) -> Store {
        let total = Duration::from_millis(total_ms);
        Store { life, owner, total, in_flight: InFlight::default(), missing: Mutex::default() }
    }

    /// Notes what the gateway had done, and what stands, when the calling thread asked.
    fn asked(&self, key: &Key, standing: Option<&Entry>) {
        let biz_id = key.biz_id.as_str();
        let then = self.life.world().oracle.deeds(biz_id).clone();
        self.life.call(|call| {
            if call.biz_id == biz_id {
                call.then = then;
                call.seen = standing.cloned();
            }
        });
    }

    fn put(&self, entry: &Entry, guard: Guard) -> Result<Recorded, JournalError> {
        let recorded =
            self.life.world().record(&self.life, entry, guard, |locks, other| self.lives(locks, other));
        // The process may have died of it.
        drop(self.life.world());
        let standing = match &recorded {
            Ok(Recorded::Done(())) => Some(entry),
            Ok(Recorded::Existing(found) | Recorded::Superseded(found)) => Some(found),
            Ok(Recorded::InDoubt(_)) | Err(_) => None,
        };
        if let Some(standing) = standing {
            self.asked(entry.key(), Some(standing));
        }
        recorded
    }

    /// Whether the attempt of an intent may still be running, as this process sees it.
    fn lives(&self, locks: &Locks<'_>, entry: &Entry) -> bool {
        may_be_running(entry, &self.owner, &self.in_flight, || {
            let presence = locks.presence(&self.owner, entry.owner());
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.may_carry_out(entry, presence, self.total, instant(locks.now))
        })
    }

    /// Every entry of that kind, oldest first.
    fn entries(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.life.pause();
        let mut found: Vec<Entry> =
            self.life.world().journal.all().filter(|entry| wanted(entry)).cloned().collect();
        // By the till's clock, which may be wrong.
        found.sort_by_key(Entry::created_unix_ms);
        found
    }

    fn page(&self, page: Page<'_>, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.life.pause();
        let world = self.life.world();
        page.of(world.journal.all().filter(|entry| wanted(entry)))
    }

    /// Another thread may come in between, now and then.
    fn may_pause(&self) {
        if self.life.world().random.per_mille(100) {
            self.life.pause();
        }
    }
}

impl Records for Store {
    fn record(&self, entry: &Entry, guard: Guard, _: Instant) -> Result<Recorded, JournalError> {
        self.life.pause();
        self.put(entry, guard)
    }

    fn record_all(&self, entries: &[Entry], _: Instant) -> Vec<Result<Recorded, JournalError>> {
        self.life.pause();
        entries.iter().map(|entry| self.put(entry, Guard::Off)).collect()
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        self.life.pause();
        let found = self.life.world().journal.find(key.biz_id.as_str()).cloned();
        self.asked(key, found.as_ref());
        Ok(found)
    }

    fn seems_free(&self, record: &Entry, guard: Guard) -> bool {
        self.life.pause();
        if self.life.world().journal.find(record.key().biz_id.as_str()).is_some() {
            return false;
        }
        self.may_pause();
        let world = self.life.world();
        let locks = world.locks();
        let keeps_out = |other: &Entry| guard.keeps_out(record, other, |other| self.lives(&locks, other));
        !world.journal.all().any(keeps_out)
    }

    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        self.life.world().keep_owner_file(self.life.process);
        Ok(self.page(page, is_due))
    }

    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        Ok(self.page(page, |entry| entry.stage().is_unsettled()))
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.entries(Entry::is_refused_refund))
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.entries(Entry::is_unfinished))
    }

    fn near_day(&self, _: i64) -> Result<Vec<Entry>, JournalError> {
        Ok(self.entries(|_| true))
    }

    fn acknowledge(&self, key: Key) {
        let mut world = self.life.world();
        if let Some(process) = world.processes.get_mut(self.life.process) {
            process.acknowledged.push(key.biz_id.to_string());
        }
    }

    fn flush_acknowledged(&self) {
        self.life.world().flush_acknowledged(self.life.process);
    }

    fn close(&self) {
        self.flush_acknowledged();
    }

    fn needs_care(&self) -> bool {
        false
    }

    fn care(&self, _: Instant) -> Result<(), JournalError> {
        Ok(())
    }

    fn has_other_biz_ids(&self, _: &Key) -> Result<bool, JournalError> {
        self.may_pause();
        let known = self.life.world().journal.has_other_biz_ids();
        self.life.call(|call| call.knew_other_biz_ids = known);
        Ok(known)
    }

    fn id(&self) -> Result<String, JournalError> {
        Ok(self.life.world().journal_id.to_string())
    }

    fn stands_elsewhere(&self, _: &Key) -> Result<bool, JournalError> {
        Ok(false)
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        self.may_pause();
        Ok(self.life.world().journal.other_sale_of(key.biz_id.as_str(), returned).cloned())
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        self.may_pause();
        let world = self.life.world();
        let mut others = world.journal.all().filter(|entry| entry.key() != key);
        Ok(others.any(|entry| entry.identity().coupons.iter().any(|named| named == coupon)))
    }
}

impl Liveness for Store {
    fn is_alive(&self, owner: &Owner) -> bool {
        self.life.world().locks().presence(&self.owner, owner) == Presence::Lives
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    fn may_be_running(&self, entry: &Entry) -> bool {
        self.lives(&self.life.world().locks(), entry)
    }
}
