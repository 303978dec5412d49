//! What one thread writes when it has the journal: its own record and those of all that wait for it.

use std::sync::atomic::Ordering;

use super::commit::Commit;
use super::together::Told;
use super::turn::Turn;
use super::{Sqlite, row, schema};
use crate::journal::{Guard, Journal, JournalError, Receipt, Recorded};
use crate::outcome::codes;
use crate::transaction::{Entry, Key, Stage};

impl Sqlite {
    /// Writes a record and all that wait, in one transaction with one flush: all of them or none. The others are told
    /// before the turn ends. What could not even be begun leaves them waiting, each with its own patience.
    pub(super) fn write_together(&self, turn: &Turn<'_>, entry: &Entry, guard: Guard) -> Told {
        if self.failed.load(Ordering::Acquire) {
            return Err(JournalError::new(
                &codes::JOURNAL,
                "a write to the journal failed before; money calls stop until the library is started anew",
            ));
        }
        if !self.files.stand() {
            self.failed.store(true, Ordering::Release);
            let message = format!("{} was deleted or replaced while it was in use", self.path().display());
            return Err(JournalError::new(&codes::JOURNAL, message));
        }
        let heard = std::mem::take(&mut *self.heard());
        let mut others = None;
        let written = (|| {
            let transaction = Commit::begin(turn)?;
            let mut stood = vec![self.put(&transaction, entry, guard)?];
            for ask in others.insert(self.together.take()).asks() {
                stood.push(self.put(&transaction, &ask.entry, ask.guard)?);
            }
            if stood.iter().all(Option::is_some) {
                return Ok((stood, None));
            }
            write_heard(&transaction, &heard)?;
            let sequence = schema::advance(&transaction)?;
            transaction.commit()?;
            Ok((stood, Some(sequence)))
        })()
        .map_err(|error| self.failed(&error));
        match &written {
            Ok((_, Some(sequence))) => self.mark.write(*sequence),
            Ok((_, None)) | Err(_) => self.heard().extend(heard),
        }
        // In the order of the records: what stood in the way, or else the receipt, which only now is due.
        let mut stood = written.map(|(stood, _)| stood.into_iter());
        let mut told = |entry: &Entry| match stood.as_mut().map(Iterator::next) {
            Ok(Some(None)) => Ok(Recorded::Done(Receipt::of(entry))),
            Ok(Some(Some(other))) => Ok(other),
            Ok(None) => Err(JournalError::new(&codes::JOURNAL, "a record was not looked at")),
            Err(error) => Err(error.clone()),
        };
        let own = told(entry);
        if let Some(others) = others {
            others.tell(|ask| told(&ask.entry));
        }
        own
    }

    /// Puts one record into the transaction; what keeps it out, if something does.
    fn put(
        &self,
        transaction: &Commit<'_>,
        entry: &Entry,
        guard: Guard,
    ) -> rusqlite::Result<Option<Recorded>> {
        let standing = row::find(transaction, entry.key())?;
        let fits = match &standing {
            None => entry.revision() == 1,
            Some(found) => found.revision() + 1 == entry.revision(),
        };
        match standing {
            Some(found) if !fits => return Ok(Some(Recorded::Stands(found))),
            None if !fits => return Err(row::vanished(entry.key())),
            _ => {}
        }
        // Only what would be written is held back: what stands for this bizId is told as it is.
        if let Some(found) = self.held_back(transaction, entry, guard)? {
            return Ok(Some(Recorded::InDoubt(found)));
        }
        row::write(transaction, entry)?;
        Ok(None)
    }

    /// The unsettled entry that holds this one back. A consume that is only running is not in doubt; one whose
    /// process died is.
    fn held_back(
        &self,
        transaction: &Commit<'_>,
        entry: &Entry,
        guard: Guard,
    ) -> rusqlite::Result<Option<Entry>> {
        if guard == Guard::Off {
            return Ok(None);
        }
        let in_doubt = row::in_doubt(transaction, self.owner(), |key| self.flights.contain(key))?;
        Ok(in_doubt.into_iter().find(|other| {
            other.key() != entry.key()
                && other.key().open_id == entry.key().open_id
                && other.key().endpoint == entry.key().endpoint
                && guard.holds_back(other, entry.identity())
                && (other.stage() != Stage::Sending || !self.may_be_running(other))
        }))
    }
}

/// Writes down which successes the till has read.
pub(super) fn write_heard(transaction: &Commit<'_>, keys: &[Key]) -> rusqlite::Result<()> {
    for key in keys {
        if let Some(heard) = row::find(transaction, key)?.and_then(|entry| entry.heard()) {
            row::write_heard(transaction, &heard)?;
        }
    }
    Ok(())
}
