//! Group commit: the thread that gets the connection next commits every queued record with one flush, and each caller
//! gets its result after that flush. A single thread never waits here.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::journal::{Guard, JournalError, Recorded};
use crate::outcome::codes;
use crate::payment::Entry;

/// The result of one record.
pub(super) type Written = Result<Recorded, JournalError>;

/// The queue of records that wait for the connection.
#[derive(Default)]
pub(super) struct GroupCommit {
    state: Mutex<Queue>,
    told: Condvar,
}

#[derive(Default)]
struct Queue {
    next: u64,
    waiting: Vec<Ask>,
    told: HashMap<u64, Written>,
}

/// One queued record.
pub(super) struct Ask {
    number: u64,
    pub(super) entry: Entry,
    pub(super) guard: Guard,
}

impl GroupCommit {
    fn state(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a record for the thread that gets the connection next.
    pub(super) fn ask(&self, entry: Entry, guard: Guard) -> Asked<'_> {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.waiting.push(Ask { number, entry, guard });
        Asked { together: self, number }
    }

    /// How many records are queued.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Takes all queued records. Only for the thread that has the connection; it must report a result for each.
    pub(super) fn take(&self) -> Batch<'_> {
        Batch { together: self, asks: std::mem::take(&mut self.state().waiting) }
    }
}

/// The place of one record in the queue.
pub(super) struct Asked<'t> {
    together: &'t GroupCommit,
    number: u64,
}

impl Asked<'_> {
    /// The result, if another thread has written the record.
    pub(super) fn told(&self) -> Option<Written> {
        self.together.state().told.remove(&self.number)
    }

    /// Removes the record from the queue. False if another thread has taken it.
    pub(super) fn withdraw(&self) -> bool {
        let mut state = self.together.state();
        let place = state.waiting.iter().position(|ask| ask.number == self.number);
        place.map(|place| state.waiting.swap_remove(place)).is_some()
    }

    /// Waits for the thread that has taken the record, as long as its flush takes.
    pub(super) fn wait(&self) -> Written {
        let mut state = self.together.state();
        loop {
            if let Some(told) = state.told.remove(&self.number) {
                return told;
            }
            state = self.together.told.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The records that one thread has taken. Each gets a result even if the thread panics.
pub(super) struct Batch<'t> {
    together: &'t GroupCommit,
    asks: Vec<Ask>,
}

impl Batch<'_> {
    /// The records, in the order in which they are to be written.
    pub(super) fn asks(&self) -> &[Ask] {
        &self.asks
    }

    /// Tells each what came of it: after the flush, or when there will be none.
    pub(super) fn tell(mut self, mut what: impl FnMut(&Ask) -> Written) {
        // A single thread pays for no wake-up of others.
        if self.asks.is_empty() {
            return;
        }
        let told: Vec<(u64, Written)> = self.asks.iter().map(|ask| (ask.number, what(ask))).collect();
        self.asks.clear();
        self.together.state().told.extend(told);
        self.together.told.notify_all();
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.asks.is_empty() {
            return;
        }
        let numbers = self.asks.drain(..).map(|ask| ask.number);
        let mut state = self.together.state();
        for number in numbers {
            let error =
                JournalError::new(&codes::JOURNAL, "the thread that was writing the journal has failed");
            state.told.insert(number, Err(error));
        }
        drop(state);
        self.together.told.notify_all();
    }
}
