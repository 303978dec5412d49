//! What is known about an attempt that a till has stored.

use std::time::{Duration, Instant};

use super::{Client, Shared};
use crate::gateway::JOURNAL_ID;
use crate::journal::{Guard, Journal, JournalError, Recorded};
use crate::json::{Object, Value};
use crate::log::Level;
use crate::money::BizId;
use crate::payment::consume::abandoned;
use crate::payment::restart::{self, Attempt, Known};
use crate::payment::{Entry, Key, Stage, made_biz_id};

/// How long a start or a look-up waits at most to record abandoned attempts. An attempt that is not recorded then is
/// recorded by the recovery, or at the next look-up.
const MARKING: Duration = Duration::from_millis(250);

impl Client {
    /// With which journal the till says that it made its attempt, or its bizId says it.
    pub fn attempt(&self, biz_id: &BizId, given: &Object<'_>) -> Result<Attempt, JournalError> {
        let stored = given.given(JOURNAL_ID.name).and_then(Value::scalar);
        if stored.is_none() && !made_biz_id::is_made(biz_id) {
            return Ok(Attempt::NotSaid);
        }
        Ok(Attempt::of(stored, biz_id, &self.shared.journal.id()?))
    }

    /// What is known about a bizId, given the identity of the journal that the till has stored with its attempt.
    pub fn known(&self, biz_id: &BizId, given: &Object<'_>) -> Result<Known, JournalError> {
        let key = self.key(biz_id);
        let journal = &self.shared.journal;
        let standing = match journal.find(&key)? {
            Some(entry) if self.shared.is_left_behind(&entry) => {
                match self.shared.mark_abandoned(&entry, self.shared.world.now() + MARKING) {
                    Ok(entry) => Some(entry),
                    Err(_) => return Ok(Known::LeftBehind(entry)),
                }
            }
            standing => standing,
        };
        let elsewhere = standing.is_none() && journal.stands_elsewhere(&key)?;
        // Read after the record: if the identity changes meanwhile, the record is another journal's.
        Ok(restart::known(standing, self.attempt(biz_id, given)?, elsewhere))
    }
}

impl Shared {
    /// Whether the entry is an intent whose attempt no call carries out any more.
    pub fn is_left_behind(&self, entry: &Entry) -> bool {
        entry.stage() == Stage::Sending && !self.journal.may_be_running(entry)
    }

    /// Tries again to open a journal that was locked, full or read-only at the start, and then does the work of a
    /// start.
    pub fn open_again(&self, until: Instant) {
        if !self.journal.open_again(until) {
            return;
        }
        self.log.line(Level::Info, || "the journal was opened after the start".to_owned());
        if let Err(error) = self.mark_all_abandoned() {
            self.log.line(Level::Error, || format!("what was left behind: {} {error}", error.code.text));
        }
    }

    /// The record of a bizId; an abandoned intent is recorded as abandoned first.
    pub fn standing(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        match self.journal.find(key)? {
            Some(entry) if self.is_left_behind(&entry) => {
                self.mark_abandoned(&entry, self.world.now() + MARKING).map(Some)
            }
            standing => Ok(standing),
        }
    }

    /// Records every abandoned intent as abandoned, a page in one transaction, without the network.
    pub fn mark_all_abandoned(&self) -> Result<(), JournalError> {
        let until = self.world.now() + MARKING;
        let mut after = None;
        loop {
            let page = self.journal.due(after.as_ref())?;
            let left = page.iter().filter(|entry| self.is_left_behind(entry));
            let records: Vec<Entry> = left.take_while(|_| self.world.now() < until).map(abandoned).collect();
            for record in &records {
                self.log.line(Level::Warn, || format!("{}: found after a crash", record.key().biz_id));
            }
            self.journal.record_all(&records, until).into_iter().try_for_each(|told| told.map(drop))?;
            if Journal::is_last(&page) || self.world.now() >= until {
                return Ok(());
            }
            after = page.into_iter().next_back();
        }
    }

    /// Records that no call carries out the attempt of an intent any more: the consume may have happened. Returns the
    /// record after that.
    pub fn mark_abandoned(&self, entry: &Entry, until: Instant) -> Result<Entry, JournalError> {
        let record = abandoned(entry);
        self.log.line(Level::Warn, || format!("{}: found after a crash", record.key().biz_id));
        Ok(match self.journal.record(&record, Guard::Off, until)? {
            Recorded::Done(_) => record,
            Recorded::Existing(entry) | Recorded::InDoubt(entry) | Recorded::Superseded(entry) => entry,
        })
    }
}

#[cfg(test)]
mod tests;
