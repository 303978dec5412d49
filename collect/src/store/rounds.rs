//! A till that ships again from an earlier event ships every entry that has changed since. An entry that the copy has from
//! there, and that such a round does not bring, is one that the journal has lost: it was restored from an older copy.

use super::{Columns, Store, StoreError, Till, Value, gap_kinds};
use crate::wire::Batch;

/// A journal as the transaction finds it.
pub(super) struct Journal {
    /// Its number in the store.
    pub(super) number: i64,
    pub(super) shipped: u64,
    /// How many rounds have shipped it.
    pub(super) rounds: i64,
    pub(super) is_new: bool,
}

/// The part of a round that a batch is.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The number of the round, and its last part.
    pub(super) round: i64,
    /// Every part before it has come. One that was under way for long belongs to no round.
    pub(super) is_next: bool,
    /// It ships again what the copy should have.
    pub(super) again: bool,
}

impl Store {
    pub(super) fn begin_part(&mut self, journal: &Journal, batch: &Batch) -> Result<Part, StoreError> {
        const BEGIN: &str = "UPDATE journal SET round = $2, part = 0, rounds = rounds + 1 WHERE journal = $1";
        const NEXT: &str = "UPDATE journal SET part = $3 WHERE journal = $1 AND round = $2 AND part IN ($3, $3 - CAST(1 AS BIGINT))";
        let part = i64::from(batch.part);
        let own = vec![journal.number.into(), batch.round.as_str().into()];
        let again = batch.after < journal.shipped;
        if part == 0 {
            self.execute(BEGIN, own)?;
            return Ok(Part { round: journal.rounds + 1, is_next: true, again });
        }
        let own = [own, vec![part.into()]].concat();
        let is_next = self.execute(NEXT, own)? > 0;
        Ok(Part { round: journal.rounds, is_next, again })
    }

    /// Notes which entries a round has brought.
    pub(super) fn mark(&mut self, part: Part, keys: &[Vec<Value>]) -> Result<(), StoreError> {
        const MARK: &str = "UPDATE entry SET round = $5, lost = 0, excused = 0 WHERE journal = $1 AND open_id = $2 \
             AND environment = $3 AND biz_id = $4";
        if !part.is_next || !part.again {
            return Ok(());
        }
        let keys: Vec<_> = keys.iter().map(|key| [key.clone(), vec![part.round.into()]].concat()).collect();
        self.engine.execute_each(MARK, &keys).map(drop)
    }

    /// At the end of a round: what it should have brought and has not is lost to the journal.
    pub(super) fn find_lost(
        &mut self,
        (till, journal): (&Till, &Journal),
        part: Part,
        batch: &Batch,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const WHICH: &str = "journal = $1 AND round <> $2 AND lost = 0 AND number > $3 AND number <= $4";
        if !part.is_next || !part.again {
            return Ok(());
        }
        // A copy that is known to be one has lost whatever a whole round does not bring.
        let last = if batch.restored { i64::MAX.into() } else { batch.last.into() };
        let parameters = vec![journal.number.into(), part.round.into(), batch.after.into(), last];
        let ends = format!(
            "SELECT COUNT(*), COALESCE(MIN(number), 0), COALESCE(MAX(number), 0) FROM entry WHERE {WHICH}"
        );
        let read = |row: &mut Columns| Ok((row.count()?, row.count()?, row.count()?));
        let found = self.rows(&ends, &parameters, read)?;
        let Some((count @ 1.., first, last)) = found.into_iter().next() else { return Ok(()) };
        if !batch.restored {
            let place = (till.till, journal.number);
            self.note_gap(place, gap_kinds::RESTORED, (first, last), count, now_ms)?;
        }
        self.execute(&format!("UPDATE entry SET lost = 1 WHERE {WHICH}"), parameters).map(drop)
    }
}
