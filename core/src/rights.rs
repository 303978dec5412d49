//! The permissions of the files that the library writes: only the till's user may read them, and the group of a setgid
//! folder, whatever the umask. On Windows the access list of the folder applies.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file. A file that this creates gets the permissions of the folder's files.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    sys::open(path, options)
}

/// Creates the folder and its parents. A folder that exists is not changed.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above)?;
    }
    match sys::make_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Creates an empty file unless the file exists, so that the next program that opens it finds its permissions set.
pub fn make(path: &Path) -> io::Result<()> {
    match open(path, OpenOptions::new().create_new(true).write(true)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Whether the path still names that open file.
pub fn stands(file: &File, path: &Path) -> bool {
    sys::stands(file, path)
}

#[cfg(unix)]
mod sys {
    use super::{File, OpenOptions, Path, fs, io};
    use std::fs::Permissions;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

    /// The bits of a folder for a group: its members may write, and new files in it belong to the group.
    const OF_A_GROUP: u32 = 0o2020;

    fn is_of_a_group(path: &Path) -> bool {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::metadata(folder).is_ok_and(|found| found.mode() & OF_A_GROUP == OF_A_GROUP)
    }

    pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        let mode = if is_of_a_group(path) { 0o660 } else { 0o600 };
        let file = options.mode(mode).open(path)?;
        let found = file.metadata()?;
        // The file was just created, and the umask removed permissions. An older file keeps those that its owner set.
        if found.len() == 0 && found.mode() & 0o777 & !mode == 0 && found.mode() & 0o777 != mode {
            let _ = file.set_permissions(Permissions::from_mode(mode));
        }
        Ok(file)
    }

    pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
        let mode = if is_of_a_group(folder) { 0o2770 } else { 0o700 };
        fs::DirBuilder::new().mode(mode).create(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(mode))
    }

    pub(super) fn stands(file: &File, path: &Path) -> bool {
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        let open = file.metadata().map(identity);
        fs::metadata(path).map(identity).is_ok_and(|named| open.is_ok_and(|open| open == named))
    }
}

#[cfg(not(unix))]
mod sys {
    use super::{File, OpenOptions, Path, fs, io};

    pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        options.open(path)
    }

    pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)
    }

    pub(super) fn stands(_: &File, path: &Path) -> bool {
        path.exists()
    }
}
