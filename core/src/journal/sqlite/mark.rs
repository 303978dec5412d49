//! The mark: the last committed sequence in a small file beside the database. SQLite drops a damaged end of its
//! WAL without a word; a journal that ends before its mark has lost records. The mark is written after the
//! commit and not flushed, so it can only be behind, never ahead of what was on stable storage.

use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
}

impl Mark {
    pub(super) fn beside(journal: &Path) -> Mark {
        let mut name = journal.file_name().unwrap_or_default().to_owned();
        name.push(".mark");
        Mark { path: journal.with_file_name(name) }
    }

    /// The sequence; `None` where there is no mark or it cannot be read.
    pub(super) fn read(&self) -> Option<u64> {
        fs::read_to_string(&self.path).ok()?.trim().parse().ok()
    }

    /// A mark that cannot be written makes the check weaker, never the journal wrong.
    pub(super) fn write(&self, sequence: u64) {
        // One write of one fixed length: never half of a number.
        let _ = write_at_start(&self.path, format!("{sequence:020}\n").as_bytes());
    }
}

fn write_at_start(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?.write_all(bytes)
}
