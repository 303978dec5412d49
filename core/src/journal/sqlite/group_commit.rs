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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::money::BizId;
    use crate::payment::{Key, OnUnknown, Owner};

    fn intent(biz_id: &str) -> Entry {
        let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new(biz_id).unwrap() };
        Entry::intent(key, Identity::default(), Owner("me".into()), OnUnknown::Hold, 0)
    }

    #[test]
    fn each_is_told_its_own_result_also_where_the_writer_fails() {
        let queue = GroupCommit::default();
        let [first, second, third] =
            ["B1", "B2", "B3"].map(|biz_id| queue.ask(intent(biz_id), Guard::Member));
        assert!(third.withdraw() && !third.withdraw());
        let batch = queue.take();
        assert_eq!((batch.asks().len(), queue.waiting()), (2, 0));
        assert!(!first.withdraw() && first.told().is_none());
        batch.tell(|ask| Ok(Recorded::Existing(ask.entry.clone())));
        assert!(
            matches!(second.told(), Some(Ok(Recorded::Existing(entry))) if entry.key().biz_id.as_str() == "B2")
        );
        assert!(matches!(first.wait(), Ok(Recorded::Existing(entry)) if entry.key().biz_id.as_str() == "B1"));
        assert!(first.told().is_none() && second.told().is_none(), "a result is told once");
        let last = queue.ask(intent("B4"), Guard::Off);
        drop(queue.take());
        assert!(last.wait().is_err());
    }
}
