//! The consumes that this process is carrying out. An intent of this process that is not among them was left behind
//! by a call whose end could not be recorded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::payment::Key;

/// The running consumes of this process, by key. Copies share the same set.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashMap<Key, u32>>>);

/// Marks one consume as running until the value is dropped.
#[derive(Debug)]
pub struct InFlightCall {
    all: InFlight,
    key: Key,
}

impl InFlight {
    fn counts(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a consume as running.
    pub fn begin(&self, key: &Key) -> InFlightCall {
        *self.counts().entry(key.clone()).or_insert(0) += 1;
        InFlightCall { all: self.clone(), key: key.clone() }
    }

    /// Whether a consume is running in this process.
    pub fn contain(&self, key: &Key) -> bool {
        self.counts().contains_key(key)
    }
}

impl Drop for InFlightCall {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}
