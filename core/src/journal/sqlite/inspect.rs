//! A journal looked at from outside, beside the tills that use it: nothing is written, no lock is taken that
//! keeps anybody from writing, and nothing is brought to another format.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::base::Base;
use super::transaction::Transaction;
use super::watermark::Watermark;
use super::{Failure, explain, format_1, schema, states, verify};
use crate::journal::events::{Index, View};
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
    // One view of it all, though a till writes meanwhile.
    let found = Transaction::to_read(&connection).map_err(Failure::from).and_then(|view| {
        if format == format_1::VERSION { in_format_1(&view) } else { in_this_format(&view) }
    });
    let found = found.map_err(|failure| failure.explain(path))?;
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

fn in_this_format(view: &Transaction<'_>) -> Result<Inspection, Failure> {
    let mut index = Index::default();
    index.catch_up(view)?;
    verify::all(view)?;
    let unsettled = index.entries().filter(|entry| entry.stage().is_unsettled());
    let unsettled = Page { after: None, limit: usize::MAX }.of(unsettled);
    let mut entries = states::count(view)?;
    for entry in index.entries() {
        entries += u64::from(view.state(entry.key())?.is_none());
    }
    Ok(Inspection { format: schema::VERSION, sequence: index.seen(), entries, unsettled })
}

/// Before a till has brought it to the present format.
fn in_format_1(view: &Transaction<'_>) -> Result<Inspection, Failure> {
    verify::pages(view)?;
    let (mut entries, mut unsettled) = (0, Vec::new());
    format_1::each(view, |entry| {
        entries += 1;
        if entry.stage().is_unsettled() {
            unsettled.push(entry);
        }
        Ok(())
    })?;
    let unsettled = Page { after: None, limit: usize::MAX }.of(unsettled.iter());
    let sequence = format_1::sequence(view)?;
    Ok(Inspection { format: format_1::VERSION, sequence, entries, unsettled })
}
