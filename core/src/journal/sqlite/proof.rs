//! What may be believed of the states before every page and row has been read, and the reading of all of them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use once_cell::sync::OnceCell;
use rusqlite::Connection;

use super::transaction::Transaction;
use super::{Failure, schema, summary, verify};
use crate::journal::events::{Ends, Event, View};
use crate::payment::{Entry, Key};

/// The proof that nothing is missing.
pub(super) struct Proof {
    path: PathBuf,
    /// The hashes of the bizIds that had a state at the start, until everything has been read.
    used: Mutex<Option<Vec<u64>>>,
    read: OnceCell<()>,
}

impl Proof {
    /// Reads which bizIds have a state.
    pub(super) fn of(path: &Path, connection: &Connection) -> rusqlite::Result<Proof> {
        let view = Transaction::to_read(connection)?;
        let used = Mutex::new(Some(summary::used(&view)?));
        Ok(Proof { path: path.to_owned(), used, read: OnceCell::new() })
    }

    /// Whether every page and row has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.read.get().is_some()
    }

    /// Reads every page and row, once; others wait for it meanwhile.
    pub(super) fn complete(&self) -> rusqlite::Result<()> {
        self.read.get_or_try_init(|| {
            let mut one = schema::reader(&self.path)?;
            verify::all_at_once(&mut one, &schema::reader(&self.path)?)?;
            *self.used() = None;
            Ok::<_, rusqlite::Error>(())
        })?;
        Ok(())
    }

    /// Returns when it is proven that a bizId has no state that is not found.
    pub(super) fn absent(&self, key: &Key) -> rusqlite::Result<()> {
        let hash = summary::hash_of(key.biz_id.as_str());
        match self.used().as_ref() {
            Some(used) if used.contains(&hash) => {}
            _ => return Ok(()),
        }
        self.complete()
    }

    fn used(&self) -> MutexGuard<'_, Option<Vec<u64>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A view in which a state that is found is the last one, and one that is not found is not there.
pub(super) struct Proven<'c> {
    pub(super) transaction: Transaction<'c>,
    pub(super) proof: &'c Proof,
}

impl View for Proven<'_> {
    type Error = Failure;

    fn ends(&self) -> Result<Ends, Failure> {
        self.transaction.ends()
    }

    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Failure> {
        self.transaction.events_behind(number, limit)
    }

    fn state(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        let found = self.transaction.state(key)?;
        match &found {
            None => self.proof.absent(key)?,
            // A row from an earlier time has the checksum of that time: a refusal that became a success, a success that was
            // given back.
            Some(_) => self.proof.complete()?,
        }
        Ok(found)
    }

    fn unsettled_states(&self) -> Result<Vec<Entry>, Failure> {
        self.transaction.unsettled_states()
    }
}
