//! What is known of the journals, and what is missing of them.

use super::answers::{Gap, JournalState};
use super::{Store, StoreError};

impl Store {
    /// The journals of a chain's tills, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn journals(&mut self, chain: &str) -> Result<Vec<JournalState>, StoreError> {
        const STATEMENT: &str = "SELECT j.till, j.journal, j.id, j.seen_ms, j.complete_ms, j.shipped, j.entries, j.held \
             FROM journal AS j JOIN till AS t ON t.till = j.till WHERE t.chain = $1 ORDER BY j.journal";
        self.rows(STATEMENT, &[chain.into()], |row| {
            Ok(JournalState {
                till: row.number()?,
                journal: row.number()?,
                id: row.text()?,
                seen_ms: row.number()?,
                complete_ms: row.may_be_number()?,
                shipped: row.number()?,
                entries: row.number()?,
                held: row.number()?,
            })
        })
    }

    /// The gaps of a chain that were not filled, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn gaps(&mut self, chain: &str) -> Result<Vec<Gap>, StoreError> {
        const STATEMENT: &str = "SELECT t.name, t.shop, j.id, g.kind, g.first, g.last, g.entries, g.noticed_ms \
             FROM gap AS g JOIN till AS t ON t.till = g.till JOIN journal AS j ON j.journal = g.journal \
             WHERE t.chain = $1 AND g.filled_ms IS NULL ORDER BY g.gap";
        self.rows(STATEMENT, &[chain.into()], |row| {
            Ok(Gap {
                till: row.text()?,
                shop: row.text()?,
                journal: row.text()?,
                kind: row.text()?,
                first: row.number()?,
                last: row.number()?,
                entries: row.number()?,
                noticed_ms: row.number()?,
            })
        })
    }
}
