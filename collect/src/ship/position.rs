//! The position file beside the journal, as the shipping program writes it: whole or not at all.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use zvpos_core::journal::Shipped;
use zvpos_core::rights;

/// Says what stands in the place of the position file, if it is no file: a pipe would be waited for.
pub(super) fn check(journal: &Path) -> Result<(), String> {
    let path = Shipped::beside(journal);
    match fs::metadata(&path) {
        Ok(found) if !found.is_file() => Err(format!("{} is no file; remove it", path.display())),
        _ => Ok(()),
    }
}

/// Keeps the position to this program for as long as the file is open; `None` if another program has it.
pub(super) fn lock(journal: &Path) -> io::Result<Option<File>> {
    let mut path = Shipped::beside(journal).into_os_string();
    path.push(".lock");
    let path = Path::new(&path);
    rights::make(path)?;
    let file = File::options().read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Writes the position so that it survives a power cut, in the place of the one before it.
pub(super) fn write(journal: &Path, shipped: &Shipped) -> io::Result<()> {
    let path = Shipped::beside(journal);
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}", std::process::id()));
    let text = serde_json::to_string(shipped)?;
    let written = (|| {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // The library, which may run as another user, reads whether old details may go.
        if let Ok(rights) = fs::metadata(journal) {
            let _ = fs::set_permissions(&beside, rights.permissions());
        }
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    flush_folder(&path);
    Ok(())
}

/// The new name of a file is on stable storage once its folder is. Windows opens no folders.
fn flush_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = File::open(folder)
    {
        // A position that is lost is found again: the collector knows what it has.
        let _ = folder.sync_all();
    }
}
