//! The ballast: room on the disk that is held for outcomes. A sale that was sent must be recorded though the disk has
//! run full since its intent; so a file of random bytes, really written and flushed, lies beside the journal and is
//! given back when an outcome finds no room. Without it no intent is recorded, so that nothing is sent.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::rights;

/// Enough for the pages of a few commits.
const LENGTH: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    pub(super) fn beside(journal: &Path) -> Ballast {
        let mut name = journal.file_name().unwrap_or_default().to_owned();
        name.push(".ballast");
        Ballast { path: journal.with_file_name(name) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the file unless it exists.
    pub(super) fn ensure(&self) -> io::Result<()> {
        if self.stands() {
            return Ok(());
        }
        self.make().inspect_err(|_| {
            self.give_back();
        })
    }

    /// Releases the room. False if there was none.
    pub(super) fn give_back(&self) -> bool {
        // Truncated first: a file that another process has open keeps its room after it is deleted.
        let cut = OpenOptions::new().write(true).open(&self.path).and_then(|file| {
            let had = file.metadata()?.len() > 0;
            file.set_len(0)?;
            Ok(had)
        });
        let _ = fs::remove_file(&self.path);
        cut.unwrap_or(false)
    }

    fn stands(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.len() == LENGTH as u64)
    }

    fn make(&self) -> io::Result<()> {
        // Bytes that the file system cannot compress or share.
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let mut options = OpenOptions::new();
        let mut file = rights::open(&self.path, options.create(true).truncate(true).write(true))?;
        file.write_all(&bytes)?;
        // Many file systems allocate the room only at this point.
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_folder::Folder;
    use std::fs::File;

    /// In a folder of its own.
    fn ballast(name: &str) -> (Folder, Ballast) {
        let folder = Folder::new(&format!("ballast-{name}"));
        let ballast = Ballast::beside(&folder.journal());
        (folder, ballast)
    }

    #[test]
    fn the_room_is_held_in_full_and_written_once() {
        let (_folder, ballast) = ballast("held");
        ballast.ensure().unwrap();
        let written = fs::read(ballast.path()).unwrap();
        assert_eq!(written.len(), LENGTH);
        ballast.ensure().unwrap();
        assert!(fs::read(ballast.path()).unwrap() == written, "it was written again");
        // A process was killed while it wrote it, or somebody has emptied it.
        for left in [LENGTH / 2, 0] {
            fs::write(ballast.path(), &written[..left]).unwrap();
            ballast.ensure().unwrap();
            assert_eq!(fs::metadata(ballast.path()).unwrap().len(), LENGTH as u64);
        }
    }

    #[test]
    fn room_is_given_back_once_and_only_where_there_was_some() {
        let (_folder, ballast) = ballast("back");
        assert!(!ballast.give_back());
        ballast.ensure().unwrap();
        let elsewhere = File::open(ballast.path()).unwrap();
        assert!(ballast.give_back());
        // Though another process has it open.
        assert_eq!(elsewhere.metadata().unwrap().len(), 0);
        assert!(!ballast.path().exists());
        assert!(!ballast.give_back());
        fs::write(ballast.path(), "").unwrap();
        assert!(!ballast.give_back());
        assert!(!ballast.path().exists());
    }

    #[test]
    fn room_that_cannot_be_held_is_an_error() {
        let (folder, ballast) = ballast("none");
        drop(folder);
        assert!(ballast.ensure().is_err());
    }
}
