//! Where the journal is: one file a machine, so that a service and a cashier share it; never on a network.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::JournalError;
use crate::outcome::codes;
use crate::rights;

/// The location of the journal, and what the till should know about it.
#[derive(Clone, Debug)]
pub struct Location {
    /// The database file.
    pub path: PathBuf,
    /// It belongs to this user and not to the machine.
    pub per_user: bool,
    /// This user's journal from before the machine had one: its sales are not seen here.
    pub unused: Option<PathBuf>,
    /// It is a database with replicas of which none is synchronous: a failover may lose what was acknowledged.
    pub is_async: bool,
}

impl Location {
    /// A journal at that place.
    pub fn at(path: PathBuf) -> Location {
        Location { path, per_user: false, unused: None, is_async: false }
    }
}

/// The machine's journal, or this user's if the machine has none and its folder cannot be written.
pub fn default_location() -> Result<Location, JournalError> {
    choose(&machine_folder(), user_folder().as_deref())
}

/// The journal that exists in one of these places, without making anything; `None` before a till has made one.
pub fn existing_location() -> Option<Location> {
    existing(&machine_folder(), user_folder().as_deref())
}

/// An existing journal is never ignored silently: with an empty journal beside it, a till would send again what the other
/// journal has recorded.
fn choose(machine: &Path, user: Option<&Path>) -> Result<Location, JournalError> {
    if let Some(found) = existing(machine, user) {
        return Ok(found);
    }
    if usable(machine) {
        return Ok(Location::at(machine.join(FILE)));
    }
    match user.filter(|folder| usable(folder)) {
        Some(folder) => Ok(Location { per_user: true, ..Location::at(folder.join(FILE)) }),
        None => Err(JournalError::new(
            &codes::JOURNAL_PLACE,
            format!("neither {} nor a folder of this user can be written; set `journal`", machine.display()),
        )),
    }
}

fn existing(machine: &Path, user: Option<&Path>) -> Option<Location> {
    let own = user.map(|folder| folder.join(FILE)).filter(|path| path.exists());
    // A path that cannot be read may exist: opening it says why it cannot be used.
    let may_exist = match machine.join(FILE).try_exists() {
        Ok(exists) => exists,
        Err(error) => error.kind() != io::ErrorKind::NotADirectory,
    };
    if may_exist {
        return Some(Location { unused: own, ..Location::at(machine.join(FILE)) });
    }
    own.map(|path| Location { per_user: true, ..Location::at(path) })
}

/// The name of the database file in its folder.
pub const FILE: &str = "journal.db";

/// The folder of this user.
pub fn user_folder() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".zvpos"))
}

/// The folder of the machine.
#[cfg(windows)]
pub fn machine_folder() -> PathBuf {
    std::env::var_os("ProgramData")
        .map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from)
        .join("zvpos")
}

/// The folder of the machine.
#[cfg(not(windows))]
pub fn machine_folder() -> PathBuf {
    PathBuf::from("/var/lib/zvpos")
}

/// Whether a file can be created in the folder, which is created first.
fn usable(folder: &Path) -> bool {
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    rights::make_folder(folder).is_ok() && fs::write(&probe, "").is_ok() && fs::remove_file(&probe).is_ok()
}

/// The path without links, as far as it exists.
pub(super) fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Refuses file systems on which locks and flushes cannot be trusted.
pub(super) fn refuse_network(path: &Path) -> Result<(), JournalError> {
    if let Some(kind) = network_kind(path) {
        return Err(JournalError::new(
            &codes::JOURNAL_PLACE,
            format!("{} lies on {kind}; the journal must be on a disk of the till", path.display()),
        ));
    }
    Ok(())
}

/// Refuses a file with several names (hard links): each name would have its own WAL, mark and owners folder, and a till
/// that uses one name would not see what another till records under the other.
#[cfg(unix)]
pub(super) fn refuse_second_name(path: &Path) -> Result<(), JournalError> {
    let names = fs::metadata(path).map_or(1, |found| std::os::unix::fs::MetadataExt::nlink(&found));
    if names > 1 {
        return Err(JournalError::new(
            &codes::JOURNAL_PLACE,
            format!(
                "{} has {names} names (hard links), and each would be a journal of its own: remove the others",
                path.display()
            ),
        ));
    }
    Ok(())
}

/// The standard library does not count the names of a file on this system.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on the other systems")]
pub(super) fn refuse_second_name(_: &Path) -> Result<(), JournalError> {
    Ok(())
}

/// The kind of network file system that holds the file; `None` for a local disk.
#[cfg(target_os = "linux")]
pub fn network_kind(path: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(path.parent()?).ok()?;
    // Of 32 bits with a sign, or of 64, as the processor has it.
    #[allow(clippy::useless_conversion, reason = "not everywhere")]
    kind_of(i64::from(found.f_type))
}

/// The kind of a file system with that type, by the magic numbers of statfs(2); `None` for a local one.
#[cfg(target_os = "linux")]
fn kind_of(type_number: i64) -> Option<&'static str> {
    const NETWORK: [(i64, &str); 8] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x5346_414f, "AFS"),
        (0x0bd0_0bd0, "Lustre"),
        (0x00c3_6400, "Ceph"),
    ];
    // They have 32 bits.
    let magic = type_number & 0xffff_ffff;
    NETWORK.into_iter().find(|(number, _)| *number == magic).map(|(_, name)| name)
}

/// The kind of network file system that holds the file; `None` for a local disk.
#[cfg(not(target_os = "linux"))]
pub fn network_kind(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    (text.starts_with(r"\\") && !text.starts_with(r"\\?\") && !text.starts_with(r"\\.\"))
        .then_some("a network share")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_exists_is_never_passed_over_without_a_word() {
        let folder = std::env::temp_dir().join(format!("zvpos-place-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let (machine, user, nowhere) = (folder.join("machine"), folder.join("user"), folder.join("file"));
        fs::create_dir_all(&folder).unwrap();
        // A folder that cannot be created.
        fs::write(&nowhere, "").unwrap();
        assert!(existing(&machine, Some(&user)).is_none() && !machine.exists() && !user.exists());
        let chosen = |machine: &Path| choose(machine, Some(&user)).map(|place| (place.path, place.per_user));

        assert_eq!(chosen(&machine).unwrap(), (machine.join(FILE), false));
        assert_eq!(chosen(&nowhere.join("machine")).unwrap(), (user.join(FILE), true));
        // The user has a journal now, and creating the machine's folder later does not orphan it.
        fs::write(user.join(FILE), "").unwrap();
        assert_eq!(chosen(&machine).unwrap(), (user.join(FILE), true));
        // The machine's journal once it exists, whether or not it can be used; the user's is reported.
        fs::write(machine.join(FILE), "").unwrap();
        let place = choose(&machine, Some(&user)).unwrap();
        assert_eq!((place.path, place.per_user), (machine.join(FILE), false));
        assert_eq!(place.unused, Some(user.join(FILE)));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_folders_are_those_that_the_documentation_names() {
        assert_eq!(user_folder(), std::env::home_dir().map(|home| home.join(".zvpos")));
        #[cfg(not(windows))]
        assert_eq!(machine_folder(), Path::new("/var/lib/zvpos"));
        #[cfg(windows)]
        assert!(machine_folder().is_absolute() && machine_folder().ends_with("zvpos"));
    }

    #[test]
    fn a_folder_is_usable_if_a_file_can_be_made_in_it() {
        let folder = std::env::temp_dir().join(format!("zvpos-usable-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        assert!(usable(&folder.join("below")));
        assert_eq!(fs::read_dir(folder.join("below")).unwrap().count(), 0, "the probe is left");
        fs::write(folder.join("file"), "").unwrap();
        assert!(!usable(&folder.join("file")));
        // Where the probe would be, nothing can be written, not even by root.
        let probe = folder.join(format!(".probe-{}", std::process::id()));
        fs::create_dir(&probe).unwrap();
        assert!(!usable(&folder));
        #[cfg(unix)]
        {
            fs::remove_dir(&probe).unwrap();
            std::os::unix::fs::symlink(folder.join("missing").join("file"), &probe).unwrap();
            assert!(!usable(&folder));
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_has_one_real_path_before_and_after_it_is_made() {
        let folder = std::env::temp_dir().join(format!("zvpos-real-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("there")).unwrap();
        let there = folder.join("there").canonicalize().unwrap();
        std::os::unix::fs::symlink(&there, folder.join("link")).unwrap();
        let through = folder.join("link").join(FILE);
        assert_eq!(real(&through), there.join(FILE));
        fs::write(&through, "").unwrap();
        assert_eq!(real(&through), there.join(FILE));
        // Without its folder it stays what it is, and without a folder it is in the current one.
        assert_eq!(real(&folder.join("none").join(FILE)), folder.join("none").join(FILE));
        let name = format!("zvpos-none-{}", std::process::id());
        assert_eq!(
            real(Path::new(&name)),
            std::env::current_dir().unwrap().canonicalize().unwrap().join(name)
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_network_file_system_is_known_by_the_32_bits_of_its_type() {
        let kinds = [(0x6969, "NFS"), (0x517b, "SMB"), (0xff53_4d42, "CIFS"), (0x0102_1997, "9P")];
        for (number, name) in kinds {
            assert_eq!(kind_of(number), Some(name));
            // A number of 32 bits with a sign.
            assert_eq!(kind_of(number | !0xffff_ffff), Some(name));
        }
        // ext2 to ext4, tmpfs, XFS, Btrfs.
        for number in [0, 0xef53, 0x0102_1994, 0x5846_5342, 0x9123_683e] {
            assert_eq!(kind_of(number), None);
        }
    }
}
