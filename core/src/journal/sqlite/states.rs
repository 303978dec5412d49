//! Questions about the table of states: what has been fed. What is behind it is in the index.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::row::{columns, entry, state_columns};
use super::summary::{self, List};
use crate::payment::{Entry, Key};

pub(super) fn find(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            state_columns!(),
            " FROM state WHERE open_id = ?1 AND environment = ?2 AND biz_id = ?3"
        ))?
        .query_row(params![key.open_id, key.environment, key.biz_id.as_str()], entry)
        .optional()
}

fn entries(
    connection: &Connection,
    query: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Entry>> {
    connection.prepare_cached(query)?.query_map(parameters, entry)?.collect()
}

/// One of the lists, compared with the summary.
pub(super) fn listed(connection: &Connection, list: List) -> rusqlite::Result<Vec<Entry>> {
    let query = match list {
        List::Unsettled => concat!("SELECT ", state_columns!(), " FROM state WHERE unsettled = 1"),
        List::Unfinished => concat!("SELECT ", state_columns!(), " FROM state WHERE unfinished = 1"),
        List::Kept => {
            concat!("SELECT ", state_columns!(), " FROM state WHERE retired = 0 AND stage = 'kept'")
        }
    };
    summary::whole(connection, list, entries(connection, query, [])?)
}

pub(super) fn created_between(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<Entry>> {
    const QUERY: &str = concat!(
        "SELECT ",
        state_columns!(),
        " FROM state WHERE retired = 0 AND created_unix_ms >= ?1 AND created_unix_ms < ?2"
    );
    entries(connection, QUERY, (from, to))
}

/// The entries that were filed under a day far from their intent's, also those whose details were dropped.
pub(super) fn filed_under(connection: &Connection, day: i64) -> rusqlite::Result<Vec<Entry>> {
    const QUERY: &str = concat!(
        "SELECT ",
        state_columns!(),
        " FROM state WHERE (open_id, environment, biz_id) IN (SELECT open_id, environment, biz_id FROM filed WHERE day = ?1)"
    );
    entries(connection, QUERY, [day])
}

pub(super) fn has_other_biz_ids(connection: &Connection, key: &Key) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM state WHERE open_id = ?1 AND environment = ?2 AND other_biz_id = 1")?
        .exists((&key.open_id, &key.environment))
}

/// The entries of the same account that were sent with that bizId, or whose answer carried another one than was sent.
pub(super) fn carrying(connection: &Connection, key: &Key, returned: &str) -> rusqlite::Result<Vec<Entry>> {
    const QUERY: &str = concat!(
        "SELECT ",
        state_columns!(),
        " FROM state WHERE open_id = ?1 AND environment = ?2 AND biz_id = ?3 UNION ALL SELECT ",
        state_columns!(),
        " FROM state WHERE open_id = ?1 AND environment = ?2 AND other_biz_id = 1 AND instr(detail, ?4)"
    );
    // In JSON notation.
    let quoted = serde_json::Value::from(returned).to_string();
    entries(connection, QUERY, params![key.open_id, key.environment, returned, quoted])
}

/// Whether the bizId stands under another account. There are few of these, and each is found by the key's
/// index: a consume asks.
pub(super) fn under_another_account(connection: &Connection, key: &Key) -> rusqlite::Result<bool> {
    let mut next = connection.prepare_cached(
        "SELECT open_id, environment FROM state WHERE (open_id, environment) > (?1, ?2) ORDER BY open_id, environment LIMIT 1",
    )?;
    let mut stands = connection
        .prepare_cached("SELECT 1 FROM state WHERE open_id = ?1 AND environment = ?2 AND biz_id = ?3")?;
    let mut account = (String::new(), String::new());
    while let Some(found) =
        next.query_row((&account.0, &account.1), |row| Ok((row.get(0)?, row.get(1)?))).optional()?
    {
        account = found;
        let is_other = account.0 != key.open_id || account.1 != key.environment;
        if is_other && stands.exists(params![account.0, account.1, key.biz_id.as_str()])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The entries of the same account that name that coupon.
pub(super) fn naming_coupon(
    connection: &Connection,
    key: &Key,
    coupon: &str,
) -> rusqlite::Result<Vec<Entry>> {
    const QUERY: &str = concat!(
        "SELECT ",
        state_columns!(),
        " FROM state WHERE open_id = ?1 AND environment = ?2 AND biz_id <> ?3 AND instr(coupons, ?4) LIMIT 2"
    );
    // In JSON notation, as in a list of texts.
    let quoted = serde_json::Value::from(coupon).to_string();
    entries(connection, QUERY, params![key.open_id, key.environment, key.biz_id.as_str(), quoted])
}

/// The newest entry's time, by the till's clock.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT max(created_unix_ms) FROM state WHERE retired = 0", [], |row| row.get(0))
}

/// On how many days there was a sale since then.
pub(super) fn days_since(connection: &Connection, unix_ms: i64) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT count(DISTINCT created_unix_ms / 86400000) FROM state WHERE retired = 0 AND created_unix_ms >= ?1",
        [unix_ms],
        |row| row.get(0),
    )
}

/// Which entries are old enough for their details to be dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Old {
    /// Entries from before that time, as far as they were shipped.
    pub(super) before: i64,
    /// Entries from before that time, though they were not shipped.
    pub(super) before_unshipped: i64,
    /// The last event that was shipped to a collector.
    pub(super) shipped: u64,
}

impl Old {
    /// Whether that entry, whose state has that number, is old enough by all its times.
    pub(super) fn covers(&self, number: u64, entry: &Entry) -> bool {
        entry.is_old(if number <= self.shipped { self.before } else { self.before_unshipped })
    }
}

/// Settled and finished entries that are old enough by the time of their intent, oldest first, at most so many, each with
/// the number of its row.
pub(super) fn settled_before(
    connection: &Connection,
    old: &Old,
    most: i64,
) -> rusqlite::Result<Vec<(u64, Entry)>> {
    let shipped = i64::try_from(old.shipped).unwrap_or(i64::MAX);
    connection
        .prepare_cached(concat!(
            "SELECT ",
            state_columns!(),
            " FROM state WHERE retired = 0 AND created_unix_ms < ?1 AND (number <= ?2 OR created_unix_ms < ?3) \
             AND unfinished = 0 AND unsettled = 0 ORDER BY created_unix_ms LIMIT ?4"
        ))?
        .query_map((old.before, shipped, old.before_unshipped, most), numbered)?
        .collect()
}

fn numbered(row: &Row<'_>) -> rusqlite::Result<(u64, Entry)> {
    Ok((number(row)?, entry(row)?))
}

fn number(row: &Row<'_>) -> rusqlite::Result<u64> {
    let number: i64 = row.get(0)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// A part of the table in the order of its keys.
pub(super) struct Part {
    /// The entries whose last event has one of the wanted numbers, each with it.
    pub(super) found: Vec<(u64, Entry)>,
    /// The last key that was looked at; `None` at the end of the table.
    pub(super) last: Option<[String; 3]>,
}

/// The entries behind that key whose last event has one of these numbers. Looks at so many rows, and finds so many entries at
/// most.
pub(super) fn numbered_behind(
    connection: &Connection,
    key: &[String; 3],
    numbers: &RangeInclusive<u64>,
    most: (usize, usize),
) -> rusqlite::Result<Part> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        state_columns!(),
        " FROM state WHERE (open_id, environment, biz_id) > (?1, ?2, ?3) ORDER BY open_id, environment, biz_id"
    ))?;
    let mut rows = statement.query([&key[0], &key[1], &key[2]])?;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if numbers.contains(&number(row)?) {
            found.push(numbered(row)?);
        }
        if looked_at == most.0 || found.len() == most.1 {
            return Ok(Part { found, last: Some([row.get(1)?, row.get(2)?, row.get(3)?]) });
        }
    }
    Ok(Part { found, last: None })
}

/// How many entries there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let count: i64 = connection.query_row("SELECT count(*) FROM state", [], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}
