//! The first format: one row an entry, which every change rewrote, and a row with the number of changes. It is read to be
//! brought to the present format, and by an inspection, which changes nothing.

use rusqlite::{Connection, Row};
use sha1::{Digest, Sha1};

use super::row::damaged;
use crate::money::BizId;
use crate::payment::{Entry, Key, OnUnknown, Owner, Stage};

/// Its number.
pub(super) const VERSION: i64 = 1;

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

const ROWS: &str = "SELECT open_id, endpoint, biz_id, stage, revision, attempt, owner, on_unknown, created_unix_ms, \
                    identity, detail, other_biz_id, unfinished, retired, checksum FROM entry";

/// How many changes were committed.
pub(super) fn sequence(connection: &Connection) -> rusqlite::Result<u64> {
    let sequence: i64 =
        connection.query_row("SELECT sequence FROM journal WHERE one = 1", [], |row| row.get(0))?;
    Ok(u64::try_from(sequence).unwrap_or_default())
}

/// Every entry, each of which is what its checksum says.
pub(super) fn each(
    connection: &Connection,
    mut what: impl FnMut(Entry) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(ROWS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let columns = Columns::read(row)?;
        if row.get_ref(14)?.as_str()? != columns.checksum() {
            return Err(damaged(columns.biz_id, "its checksum is wrong"));
        }
        what(columns.entry()?)?;
    }
    Ok(())
}

impl<'r> Columns<'r> {
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

    fn entry(&self) -> rusqlite::Result<Entry> {
        let what = |what: &'static str| damaged(self.biz_id, what);
        let key = Key {
            biz_id: BizId::new(self.biz_id).map_err(|_| what("biz_id"))?,
            open_id: self.open_id.to_owned(),
            endpoint: self.endpoint.to_owned(),
        };
        Ok(Entry::restore(
            key,
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
