//! The tables, and the log's own statements.

use rusqlite::Connection;

use super::row::{columns, event};
use super::summary::{self, Summary};
use crate::journal::events::{Ends, Event};

fn number(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn value(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Makes the tables of the present format, with a log that begins behind that number.
pub(super) fn create(connection: &Connection, fed: u64) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.execute("INSERT INTO fed VALUES (1, ?1)", [value(fed)])?;
    summary::write(connection, &Summary::default())
}

/// The ends of the log. Where every event was fed, the last one is known from that.
pub(super) fn ends(connection: &Connection) -> rusqlite::Result<Ends> {
    connection
        .prepare_cached(
            "SELECT number, (SELECT number FROM event ORDER BY number LIMIT 1), \
             (SELECT number FROM event ORDER BY number DESC LIMIT 1) FROM fed WHERE one = 1",
        )?
        .query_row([], |row| {
            let (fed, first, last): (i64, Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Ends {
                fed: number(fed),
                first: first.map(number),
                last: number(last.unwrap_or(fed).max(fed)),
            })
        })
}

pub(super) fn events_behind(
    connection: &Connection,
    number: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Event>> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            " FROM event WHERE number > ?1 ORDER BY number LIMIT ?2"
        ))?
        .query_map((value(number), i64::try_from(limit).unwrap_or(i64::MAX)), event)?
        .collect()
}

/// Notes which event was fed last, and deletes those up to it.
pub(super) fn set_fed(connection: &Connection, number: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE fed SET number = ?1 WHERE one = 1")?.execute([value(number)])?;
    connection.prepare_cached("DELETE FROM event WHERE number <= ?1")?.execute([value(number)]).map(drop)
}

/// Writes, and changes nothing. SQLite writes no page for a row that is the same after one statement.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("UPDATE fed SET number = number + 1; UPDATE fed SET number = number - 1")
}
