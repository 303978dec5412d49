//! A journal looked at from outside, beside the tills that use it: nothing is written, no lock is taken that
//! keeps anybody from writing, and nothing is brought to another format.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::base::Base;
use super::watermark::Watermark;
use super::{explain, row, schema, verify};
use crate::journal::{JournalError, Page};
use crate::payment::Entry;

/// What stands in a journal.
#[derive(Debug)]
pub struct Inspection {
    /// The format of the file.
    pub format: i64,
    /// How many changes were committed to it.
    pub sequence: u64,
    /// How many entries it has.
    pub entries: u64,
    /// Those that are unsettled, oldest first.
    pub unsettled: Vec<Entry>,
}

/// Reads the journal at `path`, which must exist. Every page and every row is checked, so a large journal takes
/// a while; `busy` bounds only the wait for another process.
pub fn inspect(path: &Path, busy: Duration) -> Result<Inspection, JournalError> {
    let failed = |error: &rusqlite::Error| explain(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
    let marked = Watermark::beside(path).read();
    let marked_base = Watermark::beside(path).read_base();
    let format = schema::look(&connection, busy).map_err(|error| error.explain(path))?;
    if format == 0 {
        // Made a moment ago; its tables are not there yet.
        return Ok(Inspection { format, sequence: 0, entries: 0, unsettled: Vec::new() });
    }
    let found = (|| {
        // One view of it all, though a till writes meanwhile.
        let view = connection.unchecked_transaction()?;
        let sequence = schema::sequence(&view)?;
        verify::all(&view)?;
        let unsettled = row::unsettled(&view, Page { after: None, limit: usize::MAX })?;
        let entries: i64 = view.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
        Ok(Inspection { format, sequence, entries: u64::try_from(entries).unwrap_or_default(), unsettled })
    })()
    .map_err(|error| failed(&error))?;
    let base = Base::of(path, &connection).map_err(|error| failed(&error))?;
    if let (Some(sequence), Some(marked)) = (base.sequence(), marked_base)
        && sequence < marked
    {
        return Err(super::behind(path, sequence, marked));
    }
    match marked.filter(|marked| *marked > found.sequence) {
        Some(marked) => Err(super::behind(path, found.sequence, marked)),
        None => Ok(found),
    }
}
