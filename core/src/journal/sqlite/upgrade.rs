//! Brings a journal of the first format to the present one, in one transaction: after it no table has the name of an old
//! one, so that a process with an earlier version that still runs fails instead of writing.

use super::transaction::Transaction;
use super::{Failure, format_1, tables};
use crate::journal::events::Feeding;

/// Every row is verified, written as a state, and the old tables are dropped. The numbers go on: the upgrade counts as a
/// change, so that a copy from before it is behind the mark.
pub(super) fn from_format_1(transaction: &Transaction<'_>) -> Result<(), Failure> {
    let number = format_1::sequence(transaction)? + 1;
    // Made by versions before this one when they were first needed; `about` keeps the journal's identity.
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID; \
         ALTER TABLE about RENAME TO about_1; DROP TABLE IF EXISTS filed;",
    )?;
    tables::create(transaction, number)?;
    format_1::each(transaction, |entry| transaction.put_state(number, None, &entry))?;
    Ok(transaction.execute_batch(
        "INSERT INTO about SELECT name, value FROM about_1; DROP TABLE about_1; DROP TABLE entry; DROP TABLE journal;",
    )?)
}
