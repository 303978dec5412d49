//! The writes of the thread that has the connection: its own record and all queued records.

use rusqlite::ErrorCode;

use std::cell::Cell;
use std::time::Instant;

use super::group_commit::{Batch, Written};
use super::lease::Lease;
use super::proof::Proven;
use super::transaction::Transaction;
use super::{Failure, LOOK_AFTER_NAMES, Sqlite, damage, not_behind, not_made, row};
use crate::journal::events::{Draft, Ends, Event, Put, View, Writing};
use crate::journal::{Guard, JournalError, Liveness, Recorded};
use crate::outcome::codes;
use crate::payment::{Entry, Key};

impl Sqlite {
    /// Writes a record and all that wait, in one transaction with one flush: all of them or none. The others are told
    /// before the turn ends. What could not even be begun leaves them waiting, each with its own patience.
    pub(super) fn write_together(&self, turn: &Lease<'_>, entry: &Entry, guard: Guard) -> Written {
        if let Some(reason) = self.stopped.get() {
            let message = format!("{reason}; money calls stop until the library is started again");
            return Err(JournalError::new(reason.code, message));
        }
        let Some(stamp) = self.files.stand() else {
            let message = format!("{} was deleted or replaced while it was in use", self.path().display());
            let error = JournalError::new(&codes::JOURNAL, message);
            self.stop(&error);
            return Err(error);
        };
        self.not_overwritten(stamp).map_err(|failure| self.stopped_by(failure))?;
        self.look_after_names(LOOK_AFTER_NAMES);
        let acknowledged = std::mem::take(&mut *self.acknowledged());
        let mut others = None;
        let mut put = self.put_together(turn, entry, guard, &mut others, &acknowledged, Room::Held);
        let is_full = matches!(&put, Err(Failure::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DiskFull));
        let asks = others.iter().flat_map(Batch::asks).map(|ask| &ask.entry);
        let has_outcome = std::iter::once(entry).chain(asks).any(|entry| !entry.is_intent());
        // An outcome must be written, so the room that is reserved for outcomes is used.
        if is_full && has_outcome && self.ballast.give_back() {
            put = self.put_together(turn, entry, guard, &mut others, &acknowledged, Room::GivenBack);
        }
        let put = put.map_err(|failure| self.stopped_by(failure));
        let written = put.as_ref().is_ok_and(|put| put.iter().any(|put| matches!(put, Put::Written)));
        if !written {
            self.acknowledged().extend(acknowledged);
        }
        // In the order of the records, and only after the flush.
        let mut put = put.map(Vec::into_iter);
        let mut told = || match put.as_mut().map(Iterator::next) {
            Ok(Some(Put::Written)) => Ok(Recorded::Done(())),
            Ok(Some(Put::KeptOut(other))) => Ok(*other),
            Ok(Some(Put::Refused(error))) => Err(error),
            Ok(Some(Put::Vanished) | None) => {
                Err(JournalError::new(&codes::JOURNAL, "a record was not looked at"))
            }
            Err(error) => Err(error.clone()),
        };
        let own = told();
        if let Some(others) = others {
            others.tell(|_| told());
        }
        own
    }

    /// One transaction with the record and all that wait, or nothing of it where nothing may be written.
    fn put_together<'s>(
        &'s self,
        turn: &Lease<'_>,
        entry: &Entry,
        guard: Guard,
        others: &mut Option<Batch<'s>>,
        acknowledged: &[Key],
        mut room: Room,
    ) -> Result<Vec<Put>, Failure> {
        self.index.write(
            || Append::begin(self, turn),
            |draft| {
                let mut put = vec![self.put(draft, entry, guard, &mut room)?];
                for ask in others.get_or_insert_with(|| self.together.take()).asks() {
                    put.push(self.put(draft, &ask.entry, ask.guard, &mut room)?);
                }
                if !draft.is_empty() {
                    acknowledged.iter().try_for_each(|key| draft.acknowledge(key))?;
                }
                Ok(put)
            },
        )
    }

    /// Puts one record into the transaction, unless something keeps it out.
    fn put(
        &self,
        draft: &mut Draft<'_, Append<'_>>,
        entry: &Entry,
        guard: Guard,
        room: &mut Room,
    ) -> Result<Put, Failure> {
        // A send is allowed only where there is room for its outcome.
        let may_write = || if entry.is_intent() { self.room_for_outcome(room) } else { Ok(()) };
        match draft.put(entry, guard, |other| self.may_be_running(other), may_write)? {
            Put::Vanished => Err(damage::vanished(entry.key()).into()),
            put => Ok(put),
        }
    }

    /// Writes which successes the till has read. What cannot be written is shown as unacknowledged at the next start,
    /// which is true.
    pub(super) fn write_acknowledged(&self, until: Instant) {
        let Ok(connection) = self.to_write(until) else { return };
        let acknowledged = std::mem::take(&mut *self.acknowledged());
        if acknowledged.is_empty() || self.stopped.get().is_some() {
            return;
        }
        let written = self.index.write(
            || Append::begin(self, &connection),
            |draft| acknowledged.iter().try_for_each(|key| draft.acknowledge(key)),
        );
        drop(written.map_err(|failure| self.stopped_by(failure)));
    }

    fn room_for_outcome(&self, room: &mut Room) -> Result<(), JournalError> {
        let full = "the room that is held for outcomes was used";
        match room {
            Room::Seen => Ok(()),
            Room::GivenBack => Err(JournalError::new(&codes::JOURNAL_FULL, full)),
            Room::Held => {
                self.ballast.ensure().map_err(|error| not_made(self.ballast.path(), &error))?;
                *room = Room::Seen;
                Ok(())
            }
        }
    }
}

/// The state of the room that is reserved for outcomes.
enum Room {
    /// Not checked yet.
    Held,
    /// Checked: it exists.
    Seen,
    /// It was released in this transaction.
    GivenBack,
}

/// Adds events to the log, over what this process knows or something newer.
struct Append<'c> {
    journal: &'c Sqlite,
    view: Proven<'c>,
    count: Cell<u64>,
}

impl<'c> Append<'c> {
    fn begin(journal: &'c Sqlite, connection: &'c Lease<'_>) -> Result<Append<'c>, Failure> {
        let view = Proven { transaction: Transaction::to_write(connection)?, proof: &journal.proof };
        Ok(Append { journal, view, count: Cell::new(0) })
    }
}

impl View for Append<'_> {
    type Error = Failure;

    fn ends(&self) -> Result<Ends, Failure> {
        self.view.ends()
    }

    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Failure> {
        self.view.events_behind(number, limit)
    }

    fn state(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        self.view.state(key)
    }

    fn unsettled_states(&self) -> Result<Vec<Entry>, Failure> {
        self.view.unsettled_states()
    }
}

impl Writing for Append<'_> {
    fn append(&self, event: &Event) -> Result<(), Failure> {
        self.count.set(self.count.get() + 1);
        Ok(row::append(&self.view.transaction, event)?)
    }

    /// Commits, unless a later change had been committed before, as the mark says, by another process.
    fn commit(self, last: u64) -> Result<(), Failure> {
        let mark = self.journal.mark.hold();
        not_behind(last - self.count.get(), mark.known())?;
        self.view.transaction.commit()?;
        mark.raise(last);
        Ok(())
    }
}
