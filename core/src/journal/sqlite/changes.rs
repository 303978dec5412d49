//! The entries that changed behind an event, read beside the tills that use the journal. Nothing is written, and nothing
//! is locked between two calls: each reads in one short transaction of its own, so that neither a payment nor a checkpoint
//! waits for whatever the caller does meanwhile.
//!
//! A look takes the ends of the log and every event that is still in it. The states are read after that in parts. An entry
//! that changes between two parts has a new event behind the look's last one, which the next look finds.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::transaction::Transaction;
use super::{Failure, explain, identity, schema, states, summary};
use crate::journal::JournalError;
use crate::journal::events::{Index, View};
use crate::outcome::codes;
use crate::payment::{Entry, Key};

/// So many rows of the states one transaction looks at.
const LOOKED_AT: usize = 2000;

/// A journal that is read beside its tills.
pub struct Changes {
    connection: Connection,
    path: std::path::PathBuf,
}

/// An entry and the number of its last event.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The number of the event.
    pub number: u64,
    /// The entry after it.
    pub entry: Entry,
}

/// What one look finds.
#[derive(Debug)]
pub struct Look {
    /// The identity of the journal.
    pub journal: String,
    /// The last event.
    pub last: u64,
    /// How many entries the journal has.
    pub entries: u64,
    /// The entries whose last event is behind the given one and still in the log, in the order of these events.
    pub logged: Vec<Changed>,
    /// The states that have to be read, if some of them may have changed.
    pub states: Option<StateScan>,
}

/// How far the states have been read.
#[derive(Clone, Debug)]
pub struct StateScan {
    numbers: std::ops::RangeInclusive<u64>,
    /// The last key that was looked at.
    key: [String; 3],
}

impl Changes {
    /// Opens the journal at `path`, which must exist and have the present format. `busy` bounds the wait for another process.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path, busy: Duration) -> Result<Changes, JournalError> {
        let failed = |error: &rusqlite::Error| explain(path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| failed(&error))?;
        let format = schema::look(&connection, busy).map_err(|error| error.explain(path))?;
        if format != schema::VERSION {
            let message = format!(
                "{} has format {format}; it can be read here once a till has brought it to format {}",
                path.display(),
                schema::VERSION
            );
            return Err(JournalError::new(&codes::JOURNAL, message));
        }
        Ok(Changes { connection, path: path.to_owned() })
    }

    /// The ends of the journal, and what is still in the log behind that number.
    ///
    /// # Errors
    /// The journal cannot be read, or is damaged.
    pub fn look(&self, after: u64) -> Result<Look, JournalError> {
        self.read(|view| {
            let journal = identity::read(view)?;
            let ends = view.ends()?;
            let mut index = Index::default();
            index.catch_up(view)?;
            let mut entries = summary::count(view)?;
            for (_, entry) in index.logged_behind(0) {
                entries += u64::from(states::find(view, entry.key())?.is_none());
            }
            let mut logged: Vec<Changed> = index
                .logged_behind(after)
                .map(|(number, entry)| Changed { number, entry: entry.clone() })
                .collect();
            logged.sort_by_key(|changed| changed.number);
            let states = (ends.fed > after)
                .then(|| StateScan { numbers: after + 1..=ends.fed, key: [const { String::new() }; 3] });
            Ok(journal.map(|journal| Look { journal, last: ends.last, entries, logged, states }))
        })?
        .ok_or_else(|| JournalError::new(&codes::JOURNAL, "the journal has no identity yet"))
    }

    /// The next entries of a scan, at most so many; it is at its end when it is `None` afterwards.
    ///
    /// # Errors
    /// The journal cannot be read, or is damaged. The scan is where it was.
    pub fn states(&self, scan: &mut Option<StateScan>, most: usize) -> Result<Vec<Changed>, JournalError> {
        let Some(StateScan { numbers, key }) = scan.as_ref() else { return Ok(Vec::new()) };
        let part =
            self.read(|view| Ok(states::numbered_behind(view, key, numbers, (LOOKED_AT, most.max(1)))?))?;
        *scan = part.last.map(|key| StateScan { numbers: numbers.clone(), key });
        Ok(part.found.into_iter().map(|(number, entry)| Changed { number, entry }).collect())
    }

    /// The revision of a bizId's record, if it has one.
    ///
    /// # Errors
    /// The journal cannot be read, or is damaged.
    pub fn revision(&self, key: &Key) -> Result<Option<u64>, JournalError> {
        self.read(|view| {
            let mut index = Index::default();
            index.catch_up(view)?;
            let found = match index.get(key) {
                Some(entry) => Some(entry.revision()),
                None => states::find(view, key)?.map(|entry| entry.revision()),
            };
            Ok(found)
        })
    }

    fn read<T>(&self, what: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, JournalError> {
        Transaction::to_read(&self.connection)
            .map_err(Failure::from)
            .and_then(|view| what(&view))
            .map_err(|failure| failure.explain(&self.path))
    }
}
