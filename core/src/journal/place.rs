//! Where the journal is: one file a machine, so that a service and a cashier share it; never on a network.

use std::fs;
use std::path::{Path, PathBuf};

use super::JournalError;
use crate::outcome::codes;
use crate::rights;

/// Where the journal is, and what the till should know about it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database file.
    pub path: PathBuf,
    /// It is not the machine's but this user's.
    pub per_user: bool,
}

/// The machine's journal, or this user's where the machine's folder cannot be written.
pub fn default_place() -> Result<Place, JournalError> {
    let machine = machine_folder();
    if usable(&machine) {
        return Ok(Place { path: machine.join(FILE), per_user: false });
    }
    match user_folder().filter(|folder| usable(folder)) {
        Some(folder) => Ok(Place { path: folder.join(FILE), per_user: true }),
        None => Err(JournalError::new(
            &codes::JOURNAL_PLACE,
            format!("neither {} nor a folder of this user can be written; set `journal`", machine.display()),
        )),
    }
}

/// Its name there.
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

/// Whether a file can be made in the folder, which is made first.
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

/// What kind of network the file lies on; `None` for a disk of the machine.
#[cfg(target_os = "linux")]
pub fn network_kind(path: &Path) -> Option<&'static str> {
    // The magic numbers of statfs(2).
    const NETWORK: [(u64, &str); 8] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x5346_414f, "AFS"),
        (0x0bd0_0bd0, "Lustre"),
        (0x00c3_6400, "Ceph"),
    ];
    let folder = path.parent()?;
    let found = rustix::fs::statfs(folder).ok()?;
    let magic = u64::try_from(found.f_type).ok()? & 0xffff_ffff;
    NETWORK.into_iter().find(|(number, _)| *number == magic).map(|(_, name)| name)
}

/// What kind of network the file lies on; `None` for a disk of the machine.
#[cfg(not(target_os = "linux"))]
pub fn network_kind(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    (text.starts_with(r"\\") && !text.starts_with(r"\\?\") && !text.starts_with(r"\\.\"))
        .then_some("a network share")
}
