//! What is known of the journals.

use super::answers::JournalState;
use super::{Store, StoreError};

impl Store {
    /// The journals of a chain's tills; the one that was heard of last is the last one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn journals(&mut self, chain: &str) -> Result<Vec<JournalState>, StoreError> {
        const STATEMENT: &str = "SELECT j.till, j.journal, j.id, j.seen_ms, j.complete_ms, j.complete_day, j.shipped, \
             j.entries, j.held, (SELECT COUNT(*) FROM entry AS e WHERE e.journal = j.journal AND e.lost = 1 AND e.excused = 1) \
             FROM journal AS j JOIN till AS t ON t.till = j.till WHERE t.chain = $1 ORDER BY j.seen_ms, j.journal";
        self.rows(STATEMENT, &[chain.into()], |row| {
            Ok(JournalState {
                till: row.number()?,
                journal: row.number()?,
                id: row.text()?,
                seen_ms: row.number()?,
                complete_ms: row.may_be_number()?,
                complete_day: row.may_be_number()?,
                shipped: row.number()?,
                entries: row.number()?,
                held: row.number()?,
                excused: row.number()?,
            })
        })
    }
}
