//! Room for the WAL ahead of time. A write behind the end of a file changes the file's size, which costs the file system
//! flushes of its own; a write over zeros does not. Nothing relies on the zeros.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::watermark::write_at;

/// How long the WAL is at least, if there is room.
const LENGTH: u64 = 2 * 1024 * 1024;

/// How much is written at a time.
const STEP: usize = 256 * 1024;

/// The WAL of a journal.
pub(super) fn path(journal: &Path) -> PathBuf {
    let mut name = OsString::from(journal);
    name.push("-wal");
    PathBuf::from(name)
}

/// How many pages a process that begins would find in it.
pub(super) fn pages(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))
}

/// Whether it is shorter than it is to be.
pub(super) fn is_short(journal: &Path) -> bool {
    fs::metadata(path(journal)).is_ok_and(|found| found.len() < LENGTH)
}

/// Extends it by zeros. Only with the write lock, under which no other process writes: behind the end, there is nothing.
/// What fails is cut off again, and no reason to stop.
pub(super) fn extend(journal: &Path) {
    let Ok(file) = OpenOptions::new().write(true).open(path(journal)) else { return };
    let Ok(found) = file.metadata() else { return };
    let extended = || -> io::Result<()> {
        let zeros = vec![0; STEP];
        let mut end = found.len();
        while end < LENGTH {
            let count = usize::try_from(LENGTH - end).map_or(STEP, |left| left.min(STEP));
            write_at(&file, zeros.get(..count).unwrap_or_default(), end)?;
            end += count as u64;
        }
        file.sync_all()
    };
    if extended().is_err() {
        let _ = file.set_len(found.len());
    }
}
