//! The files that SQLite has open, by name. One that was deleted or replaced takes every write as before, and the next
//! start finds none of it: what is not under its name any more is no stable storage.

#[cfg(unix)]
pub(super) use unix::FileIdentity;

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};
    use std::{fs, io};

    use super::super::base::{Stamp, stamp};

    /// A file's device and number.
    type Identity = (u64, u64);

    /// The identities of the open files.
    pub(in super::super) struct FileIdentity {
        open: [(PathBuf, Identity); 3],
    }

    impl FileIdentity {
        /// The database that is open at `path`, its WAL and the index of that, on which all processes hold their locks:
        /// a process that opens the journal without it creates another, and both overwrite each other's pages.
        pub(in super::super) fn of(path: &Path) -> io::Result<FileIdentity> {
            let known = |behind: &str| {
                let mut name = OsString::from(path);
                name.push(behind);
                identity(Path::new(&name)).map(|identity| (PathBuf::from(name), identity))
            };
            Ok(FileIdentity { open: [known("")?, known("-wal")?, known("-shm")?] })
        }

        /// When the database was written, if each still stands under its name.
        pub(in super::super) fn stand(&self) -> Option<Stamp> {
            let [database, beside @ ..] = &self.open;
            if !beside.iter().all(|(path, known)| identity(path).is_ok_and(|found| found == *known)) {
                return None;
            }
            let (path, known) = database;
            fs::metadata(path).ok().filter(|found| of(found) == *known).map(|found| stamp(&found))
        }
    }

    fn identity(path: &Path) -> io::Result<Identity> {
        fs::metadata(path).map(|found| of(&found))
    }

    fn of(found: &fs::Metadata) -> Identity {
        (found.dev(), found.ino())
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::journal::test_folder::Folder;

        #[test]
        fn files_stand_until_one_of_them_is_replaced_or_deleted() {
            let folder = Folder::new("identity");
            let (path, new) = (folder.journal(), folder.0.join("new"));
            let names = ["journal.db", "journal.db-wal", "journal.db-shm"].map(|name| folder.0.join(name));
            for name in &names {
                assert!(FileIdentity::of(&path).is_err());
                fs::write(name, "four").unwrap();
            }
            for name in &names {
                let known = FileIdentity::of(&path).unwrap();
                assert_eq!(known.stand(), Some(stamp(&fs::metadata(&path).unwrap())));
                // What SQLite writes into them does not replace them.
                fs::write(name, "other").unwrap();
                assert_eq!(known.stand(), Some(stamp(&fs::metadata(&path).unwrap())));
                // The same content in another file.
                fs::write(&new, "other").unwrap();
                fs::rename(&new, name).unwrap();
                assert_eq!(known.stand(), None, "{} was replaced", name.display());
                let known = FileIdentity::of(&path).unwrap();
                fs::rename(name, &new).unwrap();
                assert_eq!(known.stand(), None, "{} is gone", name.display());
                fs::rename(&new, name).unwrap();
                assert!(known.stand().is_some());
            }
        }
    }
}

/// On other systems an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
pub(super) struct FileIdentity(std::path::PathBuf);

#[cfg(not(unix))]
impl FileIdentity {
    pub(super) fn of(path: &std::path::Path) -> std::io::Result<FileIdentity> {
        Ok(FileIdentity(path.to_owned()))
    }

    pub(super) fn stand(&self) -> Option<super::base::Stamp> {
        std::fs::metadata(&self.0).ok().map(|found| super::base::stamp(&found))
    }
}
