//! A journal in memory: the rules of the library's own, and nothing that is flushed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zvpos_core::journal::events::is_due;
use zvpos_core::journal::{Admission, Guard, InFlight, JournalError, Liveness, Page, Recorded, Store, admit};
use zvpos_core::outcome::codes;
use zvpos_core::payment::{Entry, Key, Owner, Stage};

/// A journal that lives as long as the input that it is made for.
#[derive(Clone)]
pub struct Memory {
    entries: Arc<Mutex<HashMap<Key, Entry>>>,
    owner: Owner,
    in_flight: InFlight,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { entries: Arc::default(), owner: Owner("1-fuzz".to_owned()), in_flight: InFlight::default() }
    }
}

impl Memory {
    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands, oldest first.
    pub fn all(&self) -> Vec<Entry> {
        let mut found: Vec<Entry> = self.entries().values().cloned().collect();
        found.sort_by_key(Entry::created_unix_ms);
        found
    }

    fn those(&self, is: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut found = self.all();
        found.retain(is);
        found
    }
}

fn is_of_account(entry: &Entry, key: &Key) -> bool {
    entry.key().open_id == key.open_id && entry.key().environment == key.environment
}

fn other_biz_id(entry: &Entry) -> Option<&str> {
    entry.detail().returned_biz_id.as_deref().filter(|returned| *returned != entry.key().biz_id.as_str())
}

impl Store for Memory {
    fn record(&self, entry: &Entry, guard: Guard, _: Instant) -> Result<Recorded, JournalError> {
        let mut entries = self.entries();
        let standing = entries.get(entry.key());
        let held_back = || {
            let keeps_out =
                |other: &&Entry| guard.keeps_out(entry, other, |other| self.may_be_running(other));
            Ok::<_, JournalError>(entries.values().find(keeps_out).cloned())
        };
        match admit(standing, entry, held_back)? {
            Admission::KeptOut(recorded) => Ok(*recorded),
            Admission::Vanished => {
                Err(JournalError::new(&codes::JOURNAL_DAMAGED, "the revision before is gone"))
            }
            Admission::Write => {
                entries.insert(entry.key().clone(), entry.clone());
                Ok(Recorded::Done(()))
            }
        }
    }

    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>> {
        entries.iter().map(|entry| self.record(entry, Guard::Off, until)).collect()
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        Ok(self.entries().get(key).cloned())
    }

    fn seems_free(&self, record: &Entry, guard: Guard) -> bool {
        let keeps_out = |other: &Entry| guard.keeps_out(record, other, |other| self.may_be_running(other));
        let entries = self.entries();
        !entries.contains_key(record.key()) && !entries.values().any(keeps_out)
    }

    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        Ok(page.of(self.entries().values().filter(|entry| is_due(entry))))
    }

    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        Ok(page.of(self.entries().values().filter(|entry| entry.stage().is_unsettled())))
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.those(|entry| entry.stage() == Stage::Kept && entry.is_refused_refund()))
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.those(Entry::is_unfinished))
    }

    fn near_day(&self, _: i64) -> Result<Vec<Entry>, JournalError> {
        Ok(self.all())
    }

    fn acknowledge(&self, key: Key) {
        let mut entries = self.entries();
        let acknowledged = entries.get(&key).and_then(Entry::acknowledged);
        if let Some(acknowledged) = acknowledged {
            entries.insert(key, acknowledged);
        }
    }

    fn flush_acknowledged(&self) {}

    fn close(&self) {}

    fn needs_care(&self) -> bool {
        false
    }

    fn care(&self, _: Instant) -> Result<(), JournalError> {
        Ok(())
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        Ok(self.entries().values().any(|entry| is_of_account(entry, key) && other_biz_id(entry).is_some()))
    }

    fn id(&self) -> Result<String, JournalError> {
        Ok("J1".to_owned())
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        Ok(self
            .entries()
            .values()
            .any(|entry| entry.key().biz_id == key.biz_id && !is_of_account(entry, key)))
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        let is_other = |entry: &&Entry| {
            is_of_account(entry, key)
                && entry.key() != key
                && (entry.key().biz_id.as_str() == returned || other_biz_id(entry) == Some(returned))
        };
        Ok(self.entries().values().find(is_other).cloned())
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError> {
        let names = |entry: &Entry| entry.identity().coupons.iter().any(|named| named == coupon);
        Ok(self
            .entries()
            .values()
            .any(|entry| is_of_account(entry, key) && entry.key() != key && names(entry)))
    }
}

impl Liveness for Memory {
    fn is_alive(&self, owner: &Owner) -> bool {
        *owner == self.owner
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    fn may_be_running(&self, entry: &Entry) -> bool {
        entry.stage() == Stage::Sending && self.in_flight.contain(entry.key())
    }
}
