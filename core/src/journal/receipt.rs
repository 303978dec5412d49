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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::money::BizId;
    use crate::payment::{Detail, OnUnknown, Owner, Stage};

    #[test]
    fn a_receipt_is_of_one_revision_of_one_entry() {
        let entry = |biz_id: &str, revision| {
            let key =
                Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new(biz_id).unwrap() };
            let (identity, detail) = (Identity::default(), Detail::default());
            let owner = Owner("me".into());
            Entry::restore(key, identity, Stage::Sending, revision, 1, owner, OnUnknown::Hold, 0, detail)
        };
        let receipt = Receipt::of(&entry("B1", 3));
        assert!(receipt.is_of(&entry("B1", 3)));
        assert!(!receipt.is_of(&entry("B1", 2)) && !receipt.is_of(&entry("B2", 3)));
    }
}
