//! The consumes that this process is carrying out. An intent of this process that is not among them was left behind
//! by a call whose end could not be recorded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::payment::Key;

/// The keys of the running consumes of this process, which are few. Copies share the same list.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<Vec<Arc<Key>>>>);

/// Marks one consume as running until the value is dropped.
#[derive(Debug)]
pub struct InFlightCall {
    all: InFlight,
    key: Arc<Key>,
}

impl InFlight {
    fn keys(&self) -> MutexGuard<'_, Vec<Arc<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a consume as running.
    pub fn begin(&self, key: &Key) -> InFlightCall {
        let key = Arc::new(key.clone());
        self.keys().push(Arc::clone(&key));
        InFlightCall { all: self.clone(), key }
    }

    /// Whether a consume is running in this process.
    pub fn contain(&self, key: &Key) -> bool {
        self.keys().iter().any(|running| **running == *key)
    }
}

impl Drop for InFlightCall {
    fn drop(&mut self) {
        let mut keys = self.all.keys();
        if let Some(at) = keys.iter().position(|key| Arc::ptr_eq(key, &self.key)) {
            keys.swap_remove(at);
        }
    }
}
