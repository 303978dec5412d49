//! What all connections of a collector share: one store for the tills, one for people, so that a report
//! delays no till.

use std::sync::{Mutex, PoisonError};

use crate::store::{Location, Store, StoreError};

pub(super) struct Shared {
    writing: Mutex<Store>,
    reading: Mutex<Store>,
    pub(super) collector: String,
    pub(super) silent_after_ms: i64,
    now_ms: fn() -> i64,
}

impl Shared {
    pub(super) fn open(
        location: &Location,
        silent_after_ms: i64,
        now_ms: fn() -> i64,
    ) -> Result<Shared, StoreError> {
        let mut writing = Store::open(location)?;
        let collector = writing.collector()?;
        let reading = Mutex::new(Store::open(location)?);
        Ok(Shared { writing: Mutex::new(writing), reading, collector, silent_after_ms, now_ms })
    }

    /// The collector's own time, by which everything here is judged.
    pub(super) fn now_ms(&self) -> i64 {
        (self.now_ms)()
    }

    /// Uses the store of the tills, in turn.
    pub(super) fn writing<T>(&self, what: impl FnOnce(&mut Store) -> T) -> T {
        what(&mut self.writing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses the store of people, in turn.
    pub(super) fn reading<T>(&self, what: impl FnOnce(&mut Store) -> T) -> T {
        what(&mut self.reading.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The hash of the token for people.
    pub(super) fn admin(&self) -> Result<Option<String>, StoreError> {
        self.reading(|store| store.setting("admin"))
    }
}
