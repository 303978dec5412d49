//! What a call could not record before its time was over, because the database did not answer. The node that made the
//! attempt records its end as soon as the database answers again: while it lives, no other node does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::database::{Database, Token, Write};
use super::{FIRST_PAUSE, Nodes, lock};
use crate::journal::{Guard, JournalError, Recorded};
use crate::outcome::codes;
use crate::payment::Entry;
use crate::payment::consume::{ended_unrecorded, never_left};

/// A record of an attempt of this node of which it is not known whether it was written.
#[derive(Clone, Debug)]
pub(super) struct Left {
    /// The record: an intent, whose request was then not sent, or the end of an attempt.
    pub(super) record: Entry,
    /// The number that was drawn for it.
    pub(super) token: Token,
}

/// Held by the thread that records what is left.
struct Turn<'n>(&'n AtomicBool);

impl<'n> Turn<'n> {
    fn take(taken: &'n AtomicBool) -> Option<Turn<'n>> {
        (!taken.swap(true, Ordering::AcqRel)).then(|| Turn(taken))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<D: Database> Nodes<D> {
    /// Records the ends of what is left, as far as its calls have ended.
    pub(super) fn finish_left(&self, until: Instant) -> Result<(), JournalError> {
        // One thread at a time: what another one has recorded meanwhile is not ended twice.
        let mut turn = Turn::take(&self.finishing);
        while turn.is_none() {
            if self.database.now() >= until {
                let message =
                    format!("{}: what earlier calls have left is being recorded", self.database.place());
                return Err(JournalError::new(&codes::JOURNAL_AWAY, message));
            }
            self.database.sleep(FIRST_PAUSE);
            turn = Turn::take(&self.finishing);
        }
        let left: Vec<Left> = lock(&self.left).clone();
        for one in left.iter().filter(|one| !self.in_flight.contain(one.record.key())) {
            if one.record.is_intent() {
                self.finish_intent(one, until)?;
            } else {
                self.finish_outcome(one, until)?;
            }
            lock(&self.left).retain(|other| other.token != one.token);
        }
        Ok(())
    }

    /// The request of the intent was not sent. Recording that in the intent's own place also keeps the intent from being
    /// written yet.
    fn finish_intent(&self, left: &Left, until: Instant) -> Result<(), JournalError> {
        match self.put(&never_left(&left.record), until)? {
            Recorded::Done(()) | Recorded::InDoubt(_) => return Ok(()),
            Recorded::Existing(_) | Recorded::Superseded(_) => {}
        }
        let standing = self.standing_of(&left.record, until)?;
        if let Some(standing) = standing.filter(|standing| standing.has_written(left.token))
            && let Some(record) = ended_unrecorded(&never_left(&left.record), &standing.entry)
        {
            self.put(&record, until)?;
        }
        Ok(())
    }

    /// The attempt was sent, or not; its call has told what `left` says, or that its outcome is unknown.
    fn finish_outcome(&self, left: &Left, until: Instant) -> Result<(), JournalError> {
        loop {
            let Some(standing) = self.standing_of(&left.record, until)? else {
                return Err(self.behind("a record is gone"));
            };
            if standing.has_written(left.token) {
                let kept = self.repeated(until, |until| self.is_durable(&standing, until));
                if kept.map_err(|failure| self.explain(failure))? {
                    return Ok(());
                }
                continue;
            }
            let Some(record) = ended_unrecorded(&left.record, &standing.entry) else { return Ok(()) };
            if let Recorded::Done(()) | Recorded::InDoubt(_) = self.put(&record, until)? {
                return Ok(());
            }
        }
    }

    fn put(&self, record: &Entry, until: Instant) -> Result<Recorded, JournalError> {
        let token = self.database.token();
        let write = Write { entry: record, token, guard: Guard::Off, by: None };
        let recorded = self.write_until(&write, &mut false, until)?;
        if let Recorded::Done(()) = recorded {
            self.acknowledged_to_us(record, token);
        }
        Ok(recorded)
    }

    fn standing_of(&self, record: &Entry, until: Instant) -> Result<Option<super::Standing>, JournalError> {
        self.repeated(until, |until| self.one(record.key(), until)).map_err(|failure| self.explain(failure))
    }
}
