//! What lies under the WAL: the database file alone, as the last checkpoint has left it. While the WAL holds the newest
//! change, an older copy written over the database is not seen through SQLite: the sequence is the newest one, and the
//! sales that lay in other pages are gone. So where the file has changed, the sequence is read from its bytes, and it
//! must not be lower than it was.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rusqlite::Connection;

use super::watermark::read_at;

/// When the database was last written, and how long it is: they change with every checkpoint.
pub(super) type Stamp = (Option<SystemTime>, u64);

/// The database file without its WAL.
pub(super) struct Base {
    file: &'static File,
    /// Where the table with the sequence has its only page.
    page: u64,
    length: usize,
    seen: Mutex<LastLook>,
}

/// What was found last.
#[derive(Default)]
pub(super) struct LastLook {
    pub(super) stamp: Option<Stamp>,
    pub(super) sequence: u64,
}

impl Base {
    /// Of the file at that path, which the connection has open.
    pub(super) fn of(path: &Path, connection: &Connection) -> rusqlite::Result<Base> {
        let length: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let root: i64 = connection.query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name IN ('fed', 'journal')",
            [],
            |row| row.get(0),
        )?;
        let page = u64::try_from((root - 1) * length).unwrap_or_default();
        let file = opened(path).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Base { file, page, length: usize::try_from(length).unwrap_or_default(), seen: Mutex::default() })
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, LastLook> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sequence in the file's own bytes; `None` before the first checkpoint, and where they cannot be read as that.
    pub(super) fn sequence(&self) -> Option<u64> {
        let mut before = self.bytes()?;
        // Another process may be writing the page: only a value that is read twice is believed.
        for _ in 0..8 {
            let page = self.bytes()?;
            if page == before {
                return only_number(&page);
            }
            before = page;
        }
        None
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let mut page = vec![0; self.length];
        let count = read_at(self.file, &mut page, self.page).ok()?;
        (count == self.length).then_some(page)
    }
}

/// The number in the only row of a table `(one INTEGER PRIMARY KEY, sequence INTEGER)`, by SQLite's file format.
fn only_number(page: &[u8]) -> Option<u64> {
    const LEAF_OF_A_TABLE: u8 = 13;
    // Its kind, three bytes of free room, how many cells, and from the ninth byte on where each is.
    if *page.first()? != LEAF_OF_A_TABLE || page.get(3..5)? != [0, 1] {
        return None;
    }
    let at = u16::from_be_bytes(page.get(8..10)?.try_into().ok()?);
    // The length of the record, the row's number, the length of the head, and the kinds of both values; each is small,
    // so that it has one byte. The first value is the row's number, which is left out.
    let cell = page.get(usize::from(at)..)?;
    let (head, kind) = (cell.get(2..4)?, *cell.get(4)?);
    if head != [3, 0] {
        return None;
    }
    let length = match kind {
        8 | 9 => return Some(u64::from(kind - 8)),
        1..=4 => usize::from(kind),
        5 => 6,
        6 => 8,
        _ => return None,
    };
    let bytes = cell.get(5..5 + length)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The file for reading. It is never closed: closing any copy would take away SQLite's own locks on it, which are the
/// process's. There is one for each journal that this process has used.
fn opened(path: &Path) -> io::Result<&'static File> {
    static OPEN: Mutex<Vec<&'static File>> = Mutex::new(Vec::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = open.iter().find(|file| crate::rights::stands(file, path)) {
        return Ok(known);
    }
    let file: &'static File = Box::leak(Box::new(File::open(path)?));
    open.push(file);
    Ok(file)
}

/// When the file at that path was last written.
pub(super) fn stamp(found: &fs::Metadata) -> Stamp {
    (found.modified().ok(), found.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_files_own_bytes_say_what_sqlite_says() {
        let path = std::env::temp_dir().join(format!("zvpos-base-{}.db", std::process::id()));
        let _ = fs::remove_file(&path);
        let connection = Connection::open(&path).unwrap();
        let script = "CREATE TABLE journal (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL); \
                      INSERT INTO journal VALUES (1, 0)";
        connection.execute_batch(script).unwrap();
        let base = Base::of(&path, &connection).unwrap();
        for number in [0_i64, 1, 2, 127, 128, 40_000, 9_000_000, 3_000_000_000, 1 << 45, 1 << 60] {
            connection.execute("UPDATE journal SET sequence = ?1", [number]).unwrap();
            assert_eq!(base.sequence(), u64::try_from(number).ok());
        }
        connection.execute_batch("DELETE FROM journal").unwrap();
        assert_eq!(base.sequence(), None);
        assert_eq!(only_number(b""), None);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_stamp_differs_where_the_time_or_the_length_does() {
        let path = std::env::temp_dir().join(format!("zvpos-stamp-{}", std::process::id()));
        fs::write(&path, "four").unwrap();
        let of = |path: &Path| stamp(&fs::metadata(path).unwrap());
        let written = |at: SystemTime| File::options().write(true).open(&path).unwrap().set_modified(at);
        let (earlier, later) =
            (SystemTime::UNIX_EPOCH + SECOND * 1_000, SystemTime::UNIX_EPOCH + SECOND * 2_000);
        written(earlier).unwrap();
        assert_eq!(of(&path), (Some(earlier), 4));
        written(later).unwrap();
        assert_eq!(of(&path), (Some(later), 4));
        fs::write(&path, "other").unwrap();
        written(later).unwrap();
        assert_eq!(of(&path), (Some(later), 5));
        fs::remove_file(path).unwrap();
    }
}
