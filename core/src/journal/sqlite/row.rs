//! One entry as one row, with a checksum over all of it: a row that was changed by anything but this program is
//! refused, never believed.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha1::{Digest, Sha1};

use crate::journal::Page;
use crate::money::BizId;
use crate::payment::{Entry, Key, OnUnknown, Owner, Stage};

/// A statement over all columns: the texts before and after their list.
macro_rules! over_columns {
    ($before:literal, $behind:literal) => {
        concat!(
            $before,
            "open_id, endpoint, biz_id, stage, revision, attempt, owner, on_unknown, created_unix_ms, identity, \
             detail, other_biz_id, unfinished, retired, checksum",
            $behind
        )
    };
}

/// The columns as text and numbers.
struct Columns<'r> {
    open_id: &'r str,
    endpoint: &'r str,
    biz_id: &'r str,
    stage: &'r str,
    revision: i64,
    attempt: i64,
    owner: &'r str,
    on_unknown: &'r str,
    created_unix_ms: i64,
    identity: &'r str,
    detail: &'r str,
    other_biz_id: bool,
    unfinished: bool,
    retired: bool,
}

/// A row that cannot have been written by this program.
#[derive(Debug, thiserror::Error)]
#[error("the row of bizId {biz_id} is damaged: {what}")]
struct Damaged {
    biz_id: String,
    what: &'static str,
}

pub(super) fn write(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let (identity, detail) = (json(entry.identity())?, json(entry.detail())?);
    let columns = Columns::of(entry, &identity, &detail);
    // An entry's key and the time of its intent never change, so their indexes are left alone.
    connection
        .prepare_cached(over_columns!(
            "INSERT INTO entry (",
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT (open_id, endpoint, biz_id) DO UPDATE SET stage = ?4, revision = ?5, attempt = ?6, owner = ?7, \
             on_unknown = ?8, identity = ?10, detail = ?11, other_biz_id = ?12, unfinished = ?13, retired = ?14, \
             checksum = ?15"
        ))?
        .execute(params![
            columns.open_id,
            columns.endpoint,
            columns.biz_id,
            columns.stage,
            columns.revision,
            columns.attempt,
            columns.owner,
            columns.on_unknown,
            columns.created_unix_ms,
            columns.identity,
            columns.detail,
            columns.other_biz_id,
            columns.unfinished,
            columns.retired,
            columns.checksum(),
        ])
        .map(drop)
}

/// Writes the record of [`Entry::acknowledged`] over the one that it was made from. Its stage is the same, so that
/// SQLite need not ask of every index over stages whether it has the row.
pub(super) fn write_acknowledged(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let (identity, detail) = (json(entry.identity())?, json(entry.detail())?);
    let columns = Columns::of(entry, &identity, &detail);
    connection
        .prepare_cached(
            "UPDATE entry SET revision = ?4, detail = ?5, unfinished = ?6, checksum = ?7 \
             WHERE open_id = ?1 AND endpoint = ?2 AND biz_id = ?3",
        )?
        .execute(params![
            columns.open_id,
            columns.endpoint,
            columns.biz_id,
            columns.revision,
            columns.detail,
            columns.unfinished,
            columns.checksum(),
        ])
        .map(drop)
}

pub(super) fn find(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached(over_columns!(
            "SELECT ",
            " FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND biz_id = ?3"
        ))?
        .query_row(params![key.open_id, key.endpoint, key.biz_id.as_str()], read)
        .optional()
}

const UNSETTLED: &str = over_columns!(
    "SELECT ",
    " FROM entry WHERE stage IN ('sending', 'unknown', 'reversing', 'refused', 'unproven') ORDER BY created_unix_ms"
);

/// A page of a query whose parameters 1 to 5 are the place of the entry before the page, and the limit.
fn page(connection: &Connection, query: &str, page: Page<'_>) -> rusqlite::Result<Vec<Entry>> {
    let (created, key) =
        page.after.map_or((i64::MIN, None), |after| (after.created_unix_ms(), Some(after.key())));
    let [open_id, endpoint, biz_id] =
        key.map_or([""; 3], |key| [&key.open_id, &key.endpoint, key.biz_id.as_str()]);
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(query)?
        .query_map(params![created, open_id, endpoint, biz_id, limit], read)?
        .collect()
}

pub(super) fn unsettled(connection: &Connection, of: Page<'_>) -> rusqlite::Result<Vec<Entry>> {
    const QUERY: &str = over_columns!(
        "SELECT ",
        " FROM entry WHERE stage IN ('sending', 'unknown', 'reversing', 'refused', 'unproven') \
         AND (created_unix_ms, open_id, endpoint, biz_id) > (?1, ?2, ?3, ?4) \
         ORDER BY created_unix_ms, open_id, endpoint, biz_id LIMIT ?5"
    );
    page(connection, QUERY, of)
}

pub(super) fn due(connection: &Connection, of: Page<'_>) -> rusqlite::Result<Vec<Entry>> {
    const QUERY: &str = over_columns!(
        "SELECT ",
        " FROM entry WHERE stage IN ('sending', 'unknown', 'reversing', 'refused', 'unproven') \
         AND stage <> 'refused' AND (created_unix_ms, open_id, endpoint, biz_id) > (?1, ?2, ?3, ?4) \
         ORDER BY created_unix_ms, open_id, endpoint, biz_id LIMIT ?5"
    );
    page(connection, QUERY, of)
}

/// The owners of the unsettled entries.
pub(super) fn unsettled_owners(connection: &Connection) -> rusqlite::Result<Vec<Owner>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT owner FROM entry \
             WHERE stage IN ('sending', 'unknown', 'reversing', 'refused', 'unproven')",
        )?
        .query_map([], |row| row.get(0).map(Owner))?
        .collect()
}

/// Those of the unsettled entries that may be in doubt: not the intents of this owner whose attempts are running. With
/// many sales at once these are nearly all, and none of them is read further than that.
pub(super) fn in_doubt(
    connection: &Connection,
    owner: &Owner,
    is_running: impl Fn(&Key) -> bool,
) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(UNSETTLED)?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = Columns::read(row)?;
        let is_own_intent = columns.stage == Stage::Sending.as_str() && columns.owner == owner.0;
        if !(is_own_intent && is_running(&columns.key()?)) {
            entries.push(read(row)?);
        }
    }
    Ok(entries)
}

pub(super) fn refused_refunds(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let kept: Vec<Entry> = connection
        .prepare_cached(over_columns!("SELECT ", " FROM entry WHERE retired = 0 AND stage = 'kept'"))?
        .query_map([], read)?
        .collect::<Result<_, _>>()?;
    Ok(kept.into_iter().filter(Entry::is_refused_refund).collect())
}

pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(over_columns!(
            "SELECT ",
            " FROM entry WHERE unfinished = 1 ORDER BY created_unix_ms"
        ))?
        .query_map([], read)?
        .collect()
}

/// The entries that were filed under a day far from their intent's, also those whose details were dropped.
pub(super) fn filed_under(connection: &Connection, day: i64) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(over_columns!(
            "SELECT ",
            " FROM entry WHERE (open_id, endpoint, biz_id) IN (SELECT open_id, endpoint, biz_id FROM filed WHERE day = ?1)"
        ))?
        .query_map([day], read)?
        .collect()
}

pub(super) fn created_between(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(over_columns!(
            "SELECT ",
            " FROM entry WHERE retired = 0 AND created_unix_ms >= ?1 AND created_unix_ms < ?2 \
             ORDER BY created_unix_ms"
        ))?
        .query_map((from, to), read)?
        .collect()
}

/// Another entry of the same account that was sent with that bizId, or whose answer carried it.
pub(super) fn other_sale_of(
    connection: &Connection,
    key: &Key,
    returned: &str,
) -> rusqlite::Result<Option<Entry>> {
    // In JSON notation.
    let quoted = serde_json::Value::from(returned).to_string();
    let mut statement = connection.prepare_cached(concat!(
        over_columns!(
            "SELECT ",
            " FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND biz_id <> ?3 AND biz_id = ?4 UNION ALL "
        ),
        over_columns!(
            "SELECT ",
            " FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND biz_id <> ?3 AND other_biz_id = 1 \
             AND instr(detail, ?5)"
        )
    ))?;
    let rows = statement
        .query_map(params![key.open_id, key.endpoint, key.biz_id.as_str(), returned, quoted], read)?;
    for entry in rows {
        let entry = entry?;
        // Another field may contain the same text.
        let carried = entry.detail().returned_biz_id.as_deref() == Some(returned);
        if carried || entry.key().biz_id.as_str() == returned {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Whether the bizId stands under another account or endpoint. There are few of these, and each is found by the key's
/// index: a consume asks.
pub(super) fn under_another_account(connection: &Connection, key: &Key) -> rusqlite::Result<bool> {
    let mut next = connection.prepare_cached(
        "SELECT open_id, endpoint FROM entry WHERE (open_id, endpoint) > (?1, ?2) ORDER BY open_id, endpoint LIMIT 1",
    )?;
    let mut stands = connection
        .prepare_cached("SELECT 1 FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND biz_id = ?3")?;
    let mut account = (String::new(), String::new());
    while let Some(found) =
        next.query_row((&account.0, &account.1), |row| Ok((row.get(0)?, row.get(1)?))).optional()?
    {
        account = found;
        let is_other = account.0 != key.open_id || account.1 != key.endpoint;
        if is_other && stands.exists(params![account.0, account.1, key.biz_id.as_str()])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether another entry of the same account names that coupon.
pub(super) fn naming_coupon(connection: &Connection, key: &Key, coupon: &str) -> rusqlite::Result<bool> {
    // In JSON notation, as in a list of texts.
    let quoted = serde_json::Value::from(coupon).to_string();
    connection
        .prepare_cached(
            "SELECT 1 FROM entry WHERE open_id = ?1 AND endpoint = ?2 AND biz_id <> ?3 AND instr(identity, ?4) LIMIT 1",
        )?
        .query_row(params![key.open_id, key.endpoint, key.biz_id.as_str(), quoted], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

/// The newest entry's time, by the till's clock.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT max(created_unix_ms) FROM entry WHERE retired = 0", [], |row| row.get(0))
}

/// On how many days there was a sale since then.
pub(super) fn days_since(connection: &Connection, unix_ms: i64) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT count(DISTINCT created_unix_ms / 86400000) FROM entry WHERE retired = 0 AND created_unix_ms >= ?1",
        [unix_ms],
        |row| row.get(0),
    )
}

/// Settled and finished entries from before that time, oldest first, at most so many.
pub(super) fn settled_before(
    connection: &Connection,
    unix_ms: i64,
    most: i64,
) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(over_columns!(
            "SELECT ",
            " FROM entry WHERE retired = 0 AND created_unix_ms < ?1 AND unfinished = 0 \
             AND stage NOT IN ('sending', 'unknown', 'reversing', 'refused', 'unproven') \
             ORDER BY created_unix_ms LIMIT ?2"
        ))?
        .query_map((unix_ms, most), read)?
        .collect()
}

/// Every row is what was written: all that its checksum covers, and that is each of its columns.
pub(super) fn verify_all(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(over_columns!("SELECT ", " FROM entry"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        checked(row)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    checked(row)?.entry()
}

/// The columns, which fit their checksum.
fn checked<'r>(row: &'r Row<'_>) -> rusqlite::Result<Columns<'r>> {
    let columns = Columns::read(row)?;
    if row.get_ref(14)?.as_str()? == columns.checksum() {
        Ok(columns)
    } else {
        Err(damaged(columns.biz_id, "its checksum is wrong"))
    }
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

impl<'r> Columns<'r> {
    fn of(entry: &'r Entry, identity: &'r str, detail: &'r str) -> Columns<'r> {
        let key = entry.key();
        let returned = entry.detail().returned_biz_id.as_deref();
        Columns {
            open_id: &key.open_id,
            endpoint: &key.endpoint,
            biz_id: key.biz_id.as_str(),
            stage: entry.stage().as_str(),
            revision: i64::try_from(entry.revision()).unwrap_or(i64::MAX),
            attempt: i64::from(entry.attempt()),
            owner: &entry.owner().0,
            on_unknown: match entry.on_unknown() {
                OnUnknown::Reverse => "reverse",
                OnUnknown::Hold => "hold",
            },
            created_unix_ms: entry.created_unix_ms(),
            identity,
            detail,
            other_biz_id: returned.is_some_and(|returned| returned != key.biz_id.as_str()),
            unfinished: entry.is_unfinished(),
            retired: entry.detail().retired,
        }
    }

    /// Reads the columns without checking the checksum.
    fn read(row: &'r Row<'_>) -> rusqlite::Result<Columns<'r>> {
        let text = |index: usize| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str()?);
        Ok(Columns {
            open_id: text(0)?,
            endpoint: text(1)?,
            biz_id: text(2)?,
            stage: text(3)?,
            revision: row.get(4)?,
            attempt: row.get(5)?,
            owner: text(6)?,
            on_unknown: text(7)?,
            created_unix_ms: row.get(8)?,
            identity: text(9)?,
            detail: text(10)?,
            other_biz_id: row.get(11)?,
            unfinished: row.get(12)?,
            retired: row.get(13)?,
        })
    }

    fn key(&self) -> rusqlite::Result<Key> {
        Ok(Key {
            biz_id: BizId::new(self.biz_id).map_err(|_| damaged(self.biz_id, "biz_id"))?,
            open_id: self.open_id.to_owned(),
            endpoint: self.endpoint.to_owned(),
        })
    }

    fn entry(&self) -> rusqlite::Result<Entry> {
        let what = |what: &'static str| damaged(self.biz_id, what);
        Ok(Entry::restore(
            self.key()?,
            serde_json::from_str(self.identity).map_err(|_| what("identity"))?,
            Stage::from_word(self.stage).ok_or_else(|| what("stage"))?,
            u64::try_from(self.revision).map_err(|_| what("revision"))?,
            u32::try_from(self.attempt).map_err(|_| what("attempt"))?,
            Owner(self.owner.to_owned()),
            match self.on_unknown {
                "reverse" => OnUnknown::Reverse,
                "hold" => OnUnknown::Hold,
                _ => return Err(what("on_unknown")),
            },
            self.created_unix_ms,
            serde_json::from_str(self.detail).map_err(|_| what("detail"))?,
        ))
    }

    /// SHA-1 over the columns, each with its length, so that nothing can move from one to the next.
    fn checksum(&self) -> String {
        let mut digest = Sha1::new();
        for text in [
            self.open_id,
            self.endpoint,
            self.biz_id,
            self.stage,
            self.owner,
            self.on_unknown,
            self.identity,
            self.detail,
        ] {
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(text);
        }
        for number in [
            self.revision,
            self.attempt,
            self.created_unix_ms,
            i64::from(self.other_biz_id),
            i64::from(self.unfinished),
            i64::from(self.retired),
        ] {
            digest.update(number.to_le_bytes());
        }
        let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
        let mut hex = String::with_capacity(40);
        for byte in digest.finalize() {
            hex.push(digit(byte >> 4));
            hex.push(digit(byte & 15));
        }
        hex
    }
}

/// A later revision of an entry that is not there: its row was deleted by somebody else.
pub(super) fn vanished(key: &Key) -> rusqlite::Error {
    damaged(key.biz_id.as_str(), "it is gone")
}

fn damaged(biz_id: &str, what: &'static str) -> rusqlite::Error {
    let error = Damaged { biz_id: biz_id.to_owned(), what };
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
