//! The writes of the thread that has the connection: its own record and all queued records.

use rusqlite::ErrorCode;

use super::group_commit::{Batch, Written};
use super::lease::Lease;
use super::write_transaction::WriteTransaction;
use super::{LOOK_AFTER_NAMES, Sqlite, WriteFailure, filed, not_made, row};
use rusqlite::Connection;

use crate::journal::{Admission, Guard, JournalError, Liveness, Recorded, admit};
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
        let is_full = matches!(&put, Err(WriteFailure::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DiskFull));
        let mut asks = others.iter().flat_map(Batch::asks).map(|ask| &ask.entry);
        let has_outcome = !entry.is_intent() || asks.any(|entry| !entry.is_intent());
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
            Ok(Some(Put::NoRoom(error))) => Err(error),
            Ok(None) => Err(JournalError::new(&codes::JOURNAL, "a record was not looked at")),
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
    ) -> Result<Vec<Put>, WriteFailure> {
        let transaction = self.begin(turn)?;
        let mut put = vec![self.put(&transaction, entry, guard, &mut room)?];
        for ask in others.get_or_insert_with(|| self.together.take()).asks() {
            put.push(self.put(&transaction, &ask.entry, ask.guard, &mut room)?);
        }
        if put.iter().any(|put| matches!(put, Put::Written)) {
            write_acknowledged(&transaction, acknowledged)?;
            self.commit(transaction)?;
        }
        Ok(put)
    }

    /// Puts one record into the transaction, unless something keeps it out.
    fn put(
        &self,
        transaction: &WriteTransaction<'_>,
        entry: &Entry,
        guard: Guard,
        room: &mut Room,
    ) -> rusqlite::Result<Put> {
        let standing = row::find(transaction, entry.key())?;
        match admit(standing, entry, || self.find_held_back(transaction, entry, guard))? {
            Admission::Write => {}
            Admission::KeptOut(told) => return Ok(Put::KeptOut(told)),
            Admission::Vanished => return Err(row::vanished(entry.key())),
        }
        // A send is allowed only where there is room for its outcome.
        if entry.is_intent()
            && let Err(error) = self.room_for_outcome(room)
        {
            return Ok(Put::NoRoom(error));
        }
        filed::write(transaction, entry)?;
        Ok(Put::Written)
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

    /// The unsettled entry that holds this one back.
    pub(super) fn find_held_back(
        &self,
        connection: &Connection,
        entry: &Entry,
        guard: Guard,
    ) -> rusqlite::Result<Option<Entry>> {
        if guard == Guard::Off {
            return Ok(None);
        }
        let in_doubt = row::in_doubt(connection, self.owner(), |key| self.in_flight.contain(key))?;
        Ok(in_doubt
            .into_iter()
            .find(|other| guard.keeps_out(entry, other, |other| self.may_be_running(other))))
    }
}

/// The result of one record within a transaction.
enum Put {
    Written,
    KeptOut(Box<Recorded>),
    NoRoom(JournalError),
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

/// Records which successes the till has read.
pub(super) fn write_acknowledged(transaction: &WriteTransaction<'_>, keys: &[Key]) -> rusqlite::Result<()> {
    for key in keys {
        if let Some(acknowledged) = row::find(transaction, key)?.and_then(|entry| entry.acknowledged()) {
            row::write_acknowledged(transaction, &acknowledged)?;
        }
    }
    Ok(())
}
