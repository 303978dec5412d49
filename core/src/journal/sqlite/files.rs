//! The files that SQLite has open, by name. One that was deleted or replaced takes every write as before, and the next
//! start finds none of it: what is not under its name any more is no stable storage.

#[cfg(unix)]
pub(super) use unix::Files;

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};
    use std::{fs, io};

    /// A file's device and number.
    type Identity = (u64, u64);

    /// See the module's words.
    pub(in super::super) struct Files {
        open: [(PathBuf, Identity); 3],
    }

    impl Files {
        /// The database that is open at `path`, its WAL and the index of that, on which all processes hold their locks:
        /// whoever opens the journal without it makes another, and both write over each other.
        pub(in super::super) fn of(path: &Path) -> io::Result<Files> {
            let known = |behind: &str| {
                let mut name = OsString::from(path);
                name.push(behind);
                identity(Path::new(&name)).map(|identity| (PathBuf::from(name), identity))
            };
            Ok(Files { open: [known("")?, known("-wal")?, known("-shm")?] })
        }

        /// Whether each still stands under its name.
        pub(in super::super) fn stand(&self) -> bool {
            self.open.iter().all(|(path, known)| identity(path).is_ok_and(|found| found == *known))
        }
    }

    fn identity(path: &Path) -> io::Result<Identity> {
        fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
    }
}

/// Elsewhere a file that SQLite has open can be neither deleted nor replaced.
#[cfg(not(unix))]
pub(super) struct Files;

#[cfg(not(unix))]
impl Files {
    pub(super) fn of(_: &std::path::Path) -> std::io::Result<Files> {
        Ok(Files)
    }

    pub(super) fn stand(&self) -> bool {
        true
    }
}
