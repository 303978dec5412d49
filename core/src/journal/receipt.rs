//! The proof that a record is on stable storage.

use crate::payment::{Entry, Key};

/// Proof that one revision of one entry is durable. A request that takes or gives back money is posted only with a receipt
/// of its own record, and posting consumes it. Only [`Journal`](super::Journal) makes receipts.
#[derive(Debug)]
pub struct Receipt {
    key: Key,
    revision: u64,
}

impl Receipt {
    /// The receipt of a record that the store has written or read.
    pub(super) fn of(durable: &Entry) -> Receipt {
        Receipt { key: durable.key().clone(), revision: durable.revision() }
    }

    /// Whether this is the receipt of that record.
    pub fn is_of(&self, record: &Entry) -> bool {
        self.key == *record.key() && self.revision == record.revision()
    }
}
