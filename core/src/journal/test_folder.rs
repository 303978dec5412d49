//! A folder for one test.

use std::fs;
use std::path::PathBuf;

/// An empty folder, which is removed when the test has ended.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// The name must be another for each test.
    pub(super) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("zvpos-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Where a journal would be.
    pub(super) fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
