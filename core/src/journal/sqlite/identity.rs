//! The identity of the journal: a random id that is new with the file, and new when a person accepts that records are
//! lost. Only under the same identity does "there is no record" mean "nothing was ever sent".

use rusqlite::{Connection, OptionalExtension};

use super::transaction::Transaction;
use super::{Failure, tables};
use crate::journal::events::{Feeding, feed};

/// The identity; `None` where an earlier version has made the file and none with identities has opened it yet.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM about WHERE name = 'journal_id'")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// Gives the journal an identity where it has none, and a new one where a person has accepted a loss. `accepted` is
/// asked while no other process can write.
pub(super) fn settle(connection: &Connection, accepted: impl Fn(u64) -> bool) -> Result<(), Failure> {
    let fits = |connection: &Connection| {
        Ok::<_, rusqlite::Error>(read(connection)?.is_some() && !accepted(tables::ends(connection)?.last))
    };
    while !fits(connection)? {
        // The new identity counts as a change, though it is none of an entry: the log is fed before, and goes on behind it.
        while feed(Transaction::to_write(connection)?)? {}
        let transaction = Transaction::to_write(connection)?;
        let ends = tables::ends(&transaction)?;
        // Another process may have written, or been faster.
        if ends.fed != ends.last {
            continue;
        }
        if fits(&transaction)? {
            return Ok(());
        }
        transaction
            .prepare_cached("INSERT OR REPLACE INTO about VALUES ('journal_id', ?1)")?
            .execute([random()?])?;
        // Counted like every change, so that a journal that has lost it is behind its mark; but a journal that has just been
        // made stays unused until its first record, since it has no mark yet.
        if ends.last > 0 {
            transaction.set_fed(ends.last + 1)?;
        }
        transaction.commit()?;
        return Ok(());
    }
    Ok(())
}

/// 128 random bits as 32 digits.
fn random() -> rusqlite::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        rusqlite::Error::ToSqlConversionFailure(Box::new(std::io::Error::other(error.to_string())))
    })?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}
