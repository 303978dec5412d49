//! The first format: one row an entry, which every change rewrote, and a row with the number of changes. It is read to be
//! brought to the present format, and by an inspection, which changes nothing. Its keys name the URL where the present one
//! has the environment.

use std::collections::HashMap;

use rusqlite::{Connection, Row};
use sha1::{Digest, Sha1};

use super::Failure;
use super::damage::damaged;
use crate::gateway::environment_of;
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
    mut what: impl FnMut(Entry) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let accounts = Accounts::read(connection)?;
    let mut statement = connection.prepare(ROWS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let columns = Columns::read(row)?;
        if row.get_ref(14)?.as_str().map_err(rusqlite::Error::from)? != columns.checksum() {
            return Err(damaged(columns.biz_id, "its checksum is wrong").into());
        }
        what(columns.entry(&accounts)?)?;
    }
    Ok(())
}

/// Where several URLs of one environment have a record of the same bizId: which of them is the account's.
struct Accounts(HashMap<(String, String, String), String>);

impl Accounts {
    /// What may have taken something stands before what has not, what closes the bizId before what may be sent again, and
    /// the later before the earlier.
    fn read(connection: &Connection) -> rusqlite::Result<Accounts> {
        let mut several = connection.prepare(
            "SELECT open_id, biz_id, endpoint FROM entry WHERE (open_id, biz_id) IN \
             (SELECT open_id, biz_id FROM entry GROUP BY open_id, biz_id HAVING count(*) > 1) \
             ORDER BY CASE WHEN stage IN ('declined', 'not_sent') THEN 3 WHEN stage IN ('reversed', 'undone') THEN 2 \
             WHEN stage IN ('succeeded', 'kept') THEN 1 ELSE 0 END, created_unix_ms DESC",
        )?;
        let mut rows = several.query([])?;
        let mut first = HashMap::new();
        while let Some(row) = rows.next()? {
            let (open_id, biz_id, endpoint): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            first.entry((open_id, biz_id, environment_of(&endpoint))).or_insert(endpoint);
        }
        Ok(Accounts(first))
    }

    /// The others keep their URL, so that none takes the place of another.
    fn environment(&self, open_id: &str, endpoint: &str, biz_id: &str) -> String {
        let environment = environment_of(endpoint);
        match self.0.get(&(open_id.to_owned(), biz_id.to_owned(), environment.clone())) {
            Some(first) if first != endpoint => endpoint.to_owned(),
            _ => environment,
        }
    }
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

    fn entry(&self, accounts: &Accounts) -> rusqlite::Result<Entry> {
        let what = |what: &'static str| damaged(self.biz_id, what);
        let key = Key {
            biz_id: BizId::new(self.biz_id).map_err(|_| what("biz_id"))?,
            open_id: self.open_id.to_owned(),
            environment: accounts.environment(self.open_id, self.endpoint, self.biz_id),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_folder::Folder;

    const ENVIRONMENT: &str = "127.0.0.1:18987";

    /// Another record of every bizId of the fixture, under this URL and in this stage.
    fn doubled(connection: &Connection, endpoint: &str, stage: &str) {
        let mut rows = connection.prepare(ROWS).unwrap();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let columns = Columns { endpoint, stage, ..Columns::read(row).unwrap() };
            connection
                .execute(
                    "INSERT OR IGNORE INTO entry SELECT open_id, ?1, biz_id, ?2, revision, attempt, owner, on_unknown, \
                     created_unix_ms, identity, detail, other_biz_id, unfinished, retired, ?3 FROM entry WHERE biz_id = ?4",
                    (endpoint, stage, columns.checksum(), columns.biz_id),
                )
                .unwrap();
        }
    }

    /// A copy of the file that a program of the first format has left.
    fn fixture(folder: &Folder) -> Connection {
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/journal-v1.db");
        std::fs::copy(fixture, folder.journal()).unwrap();
        Connection::open(folder.journal()).unwrap()
    }

    /// Every entry's environment, bizId and stage.
    fn entries(connection: &Connection) -> Vec<(String, String, Stage)> {
        let mut found = Vec::new();
        each(connection, |entry| {
            let key = entry.key();
            found.push((key.environment.clone(), key.biz_id.as_str().to_owned(), entry.stage()));
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn what_closes_a_biz_id_stands_before_a_refusal_and_behind_a_success() {
        let folder = Folder::new("format-1-closed");
        let connection = fixture(&folder);
        for (other, biz_id, stands) in [
            ("reversed", "F-declined", Stage::Reversed),
            ("undone", "F-declined", Stage::Undone),
            ("undone", "F-done", Stage::Succeeded),
        ] {
            let changes = connection.unchecked_transaction().unwrap();
            doubled(&changes, "https://127.0.0.1:18987/api/v2", other);
            let account = (ENVIRONMENT.to_owned(), biz_id.to_owned(), stands);
            let found = entries(&changes);
            assert!(found.contains(&account), "{other}: {found:?}");
        }
    }

    #[test]
    fn of_two_urls_with_one_biz_id_none_takes_the_place_of_the_other() {
        let folder = Folder::new("format-1");
        let connection = fixture(&folder);
        let before = entries(&connection);
        assert!(before.iter().any(|(_, _, stage)| !stage.is_unsettled()));
        doubled(&connection, "https://127.0.0.1:18987/api/v2", "unknown");
        let after = entries(&connection);
        for (environment, biz_id, _) in &before {
            assert_eq!(environment, ENVIRONMENT);
            let of_it: Vec<_> = after.iter().filter(|(_, other, _)| other == biz_id).collect();
            let (account, url): (Vec<_>, Vec<_>) =
                of_it.iter().copied().partition(|(of, _, _)| of == environment);
            // What may have taken something is the account's.
            assert!(matches!(account[..], [(_, _, stage)] if stage.is_unsettled()), "{of_it:?}");
            assert!(matches!(url[..], [(url, _, _)] if url.starts_with("http")), "{of_it:?}");
        }
    }

    #[test]
    fn what_becomes_of_an_unknown_outcome_comes_along() {
        let folder = Folder::new("format-1-hold");
        let connection = fixture(&folder);
        let mut statement = connection.prepare(ROWS).unwrap();
        let mut rows = statement.query([]).unwrap();
        let row = rows.next().unwrap().unwrap();
        let read = |on_unknown: &'static str| {
            let columns = Columns { on_unknown, ..Columns::read(row).unwrap() };
            columns.entry(&Accounts::read(&connection).unwrap()).map(|entry| entry.on_unknown())
        };
        assert_eq!(read("hold").unwrap(), OnUnknown::Hold);
        assert_eq!(read("reverse").unwrap(), OnUnknown::Reverse);
        assert!(read("neither").is_err());
        drop(rows);
        drop(statement);
    }
}
