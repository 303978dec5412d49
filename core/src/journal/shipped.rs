//! How far the entries of a journal were shipped to a collector: a file beside the journal, which the shipping program
//! writes. The library reads it in one place, before it drops old details. The library's payments do not depend on it.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::location;

/// What is added to the journal's name.
const SUFFIX: &str = ".shipped";

/// No file of this kind is longer.
const LONGEST: u64 = 64 * 1024;

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    /// The identity of the journal.
    pub journal: String,
    /// Every entry whose last event has this number or a lower one was accepted by the collector.
    pub number: u64,
    /// The identity of the collector.
    pub collector: String,
    /// One of the entries that were shipped last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
}

/// An entry that was shipped. A journal in which it is missing or has an earlier revision is an older copy of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The account.
    pub open_id: String,
    /// The gateway of the account.
    pub environment: String,
    /// The till's id of the sale.
    pub biz_id: String,
    /// The revision that was shipped.
    pub revision: u64,
}

impl Shipped {
    /// The path of the file beside that journal, by whatever link the journal is named.
    pub fn beside(journal: &Path) -> PathBuf {
        let mut name = OsString::from(location::real(journal));
        name.push(SUFFIX);
        PathBuf::from(name)
    }

    /// The content of the file beside that journal; `None` if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(journal: &Path) -> io::Result<Option<Shipped>> {
        let path = Shipped::beside(journal);
        let length = match fs::metadata(&path) {
            // A pipe would be waited for.
            Ok(found) if !found.is_file() => {
                return Err(io::Error::new(ErrorKind::InvalidData, "it is no file"));
            }
            Ok(found) => found.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if length > LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is too long"));
        }
        let text = fs::read_to_string(path)?;
        // From a text, as everywhere in the library: a reader of bytes would be a second one.
        serde_json::from_str(&text).map(Some).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    /// Up to which event old details need not wait for shipping: all of them where nothing is shipped from here. A file that
    /// cannot be read, or that belongs to an earlier journal, proves that something is shipped and nothing about how far.
    pub(super) fn waited_for(journal: &Path, id: &str) -> u64 {
        match Shipped::read(journal) {
            Ok(None) => u64::MAX,
            Ok(Some(shipped)) if shipped.journal == id => shipped.number,
            Ok(Some(_)) | Err(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_folder::Folder;

    #[test]
    fn only_the_own_position_is_one() {
        let folder = Folder::new("shipped");
        let journal = folder.journal();
        let path = Shipped::beside(&journal);
        assert_eq!(path.file_name().unwrap(), "journal.db.shipped");
        assert_eq!(Shipped::read(&journal).unwrap(), None);
        assert_eq!(Shipped::waited_for(&journal, "j1"), u64::MAX);
        let shipped =
            Shipped { journal: "j1".to_owned(), number: 7, collector: "c".to_owned(), witness: None };
        fs::write(&path, serde_json::to_string(&shipped).unwrap()).unwrap();
        assert_eq!(Shipped::read(&journal).unwrap(), Some(shipped));
        assert_eq!(Shipped::waited_for(&journal, "j1"), 7);
        assert_eq!(Shipped::waited_for(&journal, "j2"), 0);
        for damaged in ["", "{}", "[7]", "{\"journal\": \"j1\", \"number\": -7, \"collector\": \"c\"}"] {
            fs::write(&path, damaged).unwrap();
            assert!(Shipped::read(&journal).is_err(), "{damaged}");
            assert_eq!(Shipped::waited_for(&journal, "j1"), 0, "{damaged}");
        }
        fs::write(&path, " ".repeat(70_000)).unwrap();
        assert!(Shipped::read(&journal).unwrap_err().to_string().contains("too long"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = Folder::new("shipped-pipe");
        let path = Shipped::beside(&folder.journal());
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(Shipped::read(&folder.journal()).unwrap_err().to_string().contains("no file"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(Shipped::read(&folder.journal()).unwrap_err().to_string().contains("no file"));
        assert_eq!(Shipped::waited_for(&folder.journal(), "j1"), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_journal_has_no_position_of_its_own() {
        let folder = Folder::new("shipped-link");
        let journal = folder.journal();
        fs::write(&journal, "").unwrap();
        let link = journal.with_file_name("link.db");
        std::os::unix::fs::symlink(&journal, &link).unwrap();
        assert_eq!(Shipped::beside(&link), Shipped::beside(&journal));
        assert_eq!(Shipped::beside(&link).file_name().unwrap(), "journal.db.shipped");
    }
}
