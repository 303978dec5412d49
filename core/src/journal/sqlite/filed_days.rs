//! Which entries are filed under a business day far from the one on which the machine's clock recorded their intent: a
//! refund of an old sale, a sale of a till whose clock stood at 1970. All others are found by the time of their intent.

use rusqlite::{Connection, params};

use super::states;
use super::summary::Summary;
use crate::journal::filed::{far_days, span};
use crate::payment::Entry;

/// Writes the days under which an entry is not found by the time of its intent, and tells of each that is new.
pub(super) fn write(
    connection: &Connection,
    entry: &Entry,
    mut new: impl FnMut(i64) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    for day in far_days(entry) {
        let key = entry.key();
        let added = connection
            .prepare_cached("INSERT OR IGNORE INTO filed VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![day, key.open_id, key.environment, key.biz_id.as_str()])?;
        if added > 0 {
            new(day)?;
        }
    }
    Ok(())
}

/// Adds every row to a summary.
pub(super) fn add_all(connection: &Connection, summary: &mut Summary) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT day, open_id, environment, biz_id FROM filed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |index: usize| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str()?);
        summary.add_filed(row.get(0)?, [text(1)?, text(2)?, text(3)?]);
    }
    Ok(())
}

/// The states near a day, and those that were filed under it from afar; some twice.
pub(super) fn near(connection: &Connection, day: i64) -> rusqlite::Result<Vec<Entry>> {
    let (from, to) = span(day);
    let mut entries = states::filed_under(connection, day)?;
    for entry in states::created_between(connection, from, to)? {
        if entries.iter().all(|known| known.key() != entry.key()) {
            entries.push(entry);
        }
    }
    Ok(entries)
}
