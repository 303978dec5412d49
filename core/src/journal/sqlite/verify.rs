//! Every page and every row of a journal is looked at, however large it is: a damaged key or page would make a sale look
//! as if it had never been. What may be believed before that is in `proof.rs`.

use std::thread;

use rusqlite::Connection;

use super::damage::broken;
use super::summary::{self, Summary};
use super::transaction::Transaction;
use super::{filed_days, row};

/// Every page and index is whole and every row is what was written.
pub(super) fn all(view: &Transaction<'_>) -> rusqlite::Result<()> {
    pages(view)?;
    rows(view)
}

/// The same on two connections at once, so that a start waits only for the longer of the two.
pub(super) fn all_at_once(one: &mut Connection, other: &Connection) -> rusqlite::Result<()> {
    thread::scope(|scope| {
        let beside = thread::Builder::new().spawn_scoped(scope, move || pages(one));
        let rows = Transaction::to_read(other).and_then(|view| rows(&view));
        match beside {
            Ok(beside) => beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            // No thread can be had: then one after the other.
            Err(_) => pages(other)?,
        }
        rows
    })
}

/// Every row is what was written, and none is missing.
fn rows(view: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut found = Summary::default();
    row::verify_states(view, &mut found)?;
    filed_days::add_all(view, &mut found)?;
    if found != summary::read(view)? {
        return Err(broken("the states are not what was written"));
    }
    summary::used(view)?;
    row::verify_events(view)
}

pub(super) fn pages(connection: &Connection) -> rusqlite::Result<()> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(corrupt, Some(found)))
}
