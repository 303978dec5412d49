//! Writing one record.

use std::time::Instant;

use super::database::{Database, Failure, Standing, Token, Write};
use super::left::Left;
use super::witness::Acknowledged;
use super::{FIRST_PAUSE, LAST_PAUSE, Nodes, lock};
use crate::journal::{Guard, JournalError, Recorded};
use crate::outcome::codes;
use crate::payment::Entry;

impl<D: Database> Nodes<D> {
    /// Records an entry, repeating the same statement for as long as the time allows.
    pub(super) fn record_one(
        &self,
        entry: &Entry,
        guard: Guard,
        until: Instant,
    ) -> Result<Recorded, JournalError> {
        self.not_stopped()?;
        if entry.is_intent() && !lock(&self.left).is_empty() {
            // What a call of this node has left may keep this sale out, and the database does not know it yet.
            self.finish_left(until)?;
        }
        let token = self.database.token();
        let by = entry.is_intent().then_some(entry.owner());
        let write = Write { entry, token, guard, by };
        let mut is_ambiguous = false;
        let recorded = self.write_until(&write, &mut is_ambiguous, until);
        match &recorded {
            Ok(Recorded::Done(())) => self.acknowledged_to_us(entry, token),
            // An earlier try may be carried out yet, once nothing keeps it out any more.
            Ok(Recorded::InDoubt(_)) if is_ambiguous => {
                lock(&self.left).push(Left { record: entry.clone(), token });
            }
            Err(_) if self.stopped.get().is_none() && self.in_flight.contain(entry.key()) => {
                lock(&self.left).push(Left { record: entry.clone(), token });
            }
            _ => {}
        }
        recorded
    }

    pub(super) fn acknowledged_to_us(&self, entry: &Entry, token: Token) {
        lock(&self.witness).acknowledged(entry.key(), Acknowledged { revision: entry.revision(), token });
    }

    /// Writes, and repeats the same statement while it is not known what became of it. `is_ambiguous` says whether that was
    /// so for any try.
    pub(super) fn write_until(
        &self,
        write: &Write<'_>,
        is_ambiguous: &mut bool,
        until: Instant,
    ) -> Result<Recorded, JournalError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = match self.database.write(write, until) {
                Ok(true) => return Ok(Recorded::Done(())),
                Ok(false) => match self.kept_out(write, *is_ambiguous, until) {
                    Ok(Some(told)) => return told,
                    // Nothing kept it out any more.
                    Ok(None) => None,
                    Err(failure) => Some(failure),
                },
                Err(failure) => {
                    *is_ambiguous |= matches!(failure, Failure::Ambiguous(_));
                    Some(failure)
                }
            };
            // An intent of which it is known that it was not written can be told so at once.
            let can_wait = *is_ambiguous || !write.entry.is_intent();
            let is_over = self.database.now() + pause >= until;
            match tried {
                Some(Failure::Refused(error)) => return Err(error),
                Some(failure @ (Failure::Away(_) | Failure::Ambiguous(_))) if is_over || !can_wait => {
                    return Err(self.explain(failure));
                }
                None if is_over => {
                    let message = format!("{}: others hold the record", self.database.place());
                    return Err(JournalError::new(&codes::JOURNAL_AWAY, message));
                }
                _ => {}
            }
            self.database.sleep(pause);
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// What kept a record out; `None` if that is over. An earlier try of the same record may have been carried out.
    fn kept_out(
        &self,
        write: &Write<'_>,
        is_ambiguous: bool,
        until: Instant,
    ) -> Result<Option<Result<Recorded, JournalError>>, Failure> {
        let entry = write.entry;
        let standing = self.one(entry.key(), until)?;
        let before = entry.revision() - 1;
        match standing {
            Some(standing) if is_ambiguous && standing.token == write.token => {
                self.confirmed(&standing, until)
            }
            Some(standing) if is_ambiguous && standing.has_written(write.token) => {
                let is_durable = self.is_durable(&standing, until)?;
                Ok(is_durable.then_some(Ok(Recorded::Superseded(standing.entry))))
            }
            Some(standing) if standing.entry.revision() != before => {
                let is_durable = self.is_durable(&standing, until)?;
                Ok(is_durable.then_some(Ok(Recorded::Existing(standing.entry))))
            }
            None if before > 0 => Ok(Some(Err(self.behind("a record is gone")))),
            _ => {
                if let Some(other) = self.database.keeping_out(write, until)? {
                    return Ok(Some(Ok(Recorded::InDoubt(other))));
                }
                let Some(by) = write.by else { return Ok(None) };
                let is_alive = self.database.node(by, until)?.is_some_and(|node| !node.dead);
                Ok((!is_alive).then(|| {
                    let message =
                        format!("{}: this node was declared dead; ask again", self.database.place());
                    Err(JournalError::new(&codes::JOURNAL_AWAY, message))
                }))
            }
        }
    }

    /// The record was written by an earlier try of it, whose commit may not be durable yet: writing it over itself waits for
    /// that.
    fn confirmed(
        &self,
        standing: &Standing,
        until: Instant,
    ) -> Result<Option<Result<Recorded, JournalError>>, Failure> {
        let is_ours = self.database.confirm(standing, until)?;
        Ok(is_ours.then_some(Ok(Recorded::Done(()))))
    }
}
