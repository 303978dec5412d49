//! Locks by which the processes of one machine learn at once that a node among them has ended. A lease says that only after
//! its time, and a kernel lock says nothing of another machine: where the file of a name is not in the folder, the lease
//! decides.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::Presence;
use crate::journal::process_lock::{guard, lock_under, presence_in, remove_if_free};
use crate::payment::Owner;
use crate::rights;

/// After so long the file of a process that has ended proves nothing that its lease has not: no lease is longer.
const KEPT: Duration = Duration::from_hours(48);

/// The locks of the nodes of this machine, each a file with the node's name. All methods may be called from any thread.
#[derive(Debug)]
pub struct NodeLocks {
    folder: PathBuf,
    /// The lock of this node's present name.
    held: Mutex<Option<File>>,
}

impl NodeLocks {
    /// The locks in that folder, which is made. It must be of this machine and of one user: on a file system that several
    /// machines share a lock may be one machine's own.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn at(folder: PathBuf) -> io::Result<NodeLocks> {
        rights::make_folder(&folder)?;
        let is_old = |entry: &fs::DirEntry| {
            let made = entry.metadata().and_then(|found| found.modified()).ok();
            made.and_then(|made| made.elapsed().ok()).is_some_and(|age| age > KEPT)
        };
        for entry in fs::read_dir(&folder)?.flatten().filter(is_old) {
            remove_if_free(&entry.path());
        }
        Ok(NodeLocks { folder, held: Mutex::default() })
    }

    /// Holds the lock of that name until the process ends or has another name.
    ///
    /// # Errors
    /// If the file cannot be made. Then other processes wait for the lease.
    pub fn hold(&self, owner: &Owner) -> io::Result<()> {
        let file = lock_under(&self.folder, owner)?;
        // In a forked child the parent's lock would go on.
        guard(&file);
        *self.held() = Some(file);
        Ok(())
    }

    /// Whether the process of that name was one of this machine and has ended.
    pub fn has_ended(&self, owner: &Owner) -> bool {
        presence_in(&self.folder, owner) == Presence::Dead
    }

    /// The name is no longer used: removes its file, unless another process holds it.
    pub fn remove(&self, owner: &Owner) {
        remove_if_free(&self.folder.join(&owner.0));
    }

    /// This node leaves under that name.
    pub fn leave(&self, owner: &Owner) {
        *self.held() = None;
        self.remove(owner);
    }

    fn held(&self) -> MutexGuard<'_, Option<File>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_folder::Folder;

    fn name(name: &str) -> Owner {
        Owner(name.to_owned())
    }

    #[test]
    fn only_a_lock_that_could_be_taken_proves_an_end() {
        let folder = Folder::new("node-locks");
        let place = folder.0.join("locks");
        let (mine, others) = (NodeLocks::at(place.clone()).unwrap(), NodeLocks::at(place.clone()).unwrap());
        others.hold(&name("2-lives")).unwrap();
        mine.hold(&name("1-me")).unwrap();
        assert!(!mine.has_ended(&name("2-lives")));
        assert!(!mine.has_ended(&name("3-elsewhere")), "it has no file here");
        mine.remove(&name("2-lives"));
        assert!(place.join("2-lives").exists(), "it is held");
        // Another name of the same process: nobody waits for the one before.
        others.hold(&name("2-again")).unwrap();
        assert!(mine.has_ended(&name("2-lives")) && !mine.has_ended(&name("2-again")));
        mine.remove(&name("2-lives"));
        assert!(!place.join("2-lives").exists());
        others.leave(&name("2-again"));
        assert!(!place.join("2-again").exists() && !mine.has_ended(&name("2-again")));
    }

    #[test]
    fn a_file_that_nobody_asked_about_for_days_is_removed_at_a_start() {
        let folder = Folder::new("node-locks-old");
        let (old, new) = (folder.0.join("1-old"), folder.0.join("2-new"));
        for path in [&old, &new] {
            fs::write(path, "").unwrap();
        }
        let before = std::time::SystemTime::now() - KEPT - Duration::from_secs(1);
        File::options().write(true).open(&old).unwrap().set_modified(before).unwrap();
        let locks = NodeLocks::at(folder.0.clone()).unwrap();
        assert!(!old.exists() && locks.has_ended(&name("2-new")));
    }
}
