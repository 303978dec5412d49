//! Locks by which the processes of one machine learn at once that a node among them has ended. A lease says that only after
//! its time, and a kernel lock says nothing of another machine: where the file of a name is not in the folder, or was not
//! made since this machine was started, the lease decides.

use std::fs::{self, File};
use std::io::{self, Write};
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
    /// What the system has drawn for this run of it: a file that was copied from another machine has another one.
    boot: String,
    /// The lock of this node's present name.
    held: Mutex<Option<File>>,
}

impl NodeLocks {
    /// The locks in that folder, which is made. It must be of this machine and of one user: on a file system that several
    /// machines share a lock may be one machine's own.
    ///
    /// # Errors
    /// If the folder cannot be made or read, or the system does not say which run of it this is.
    pub fn at(folder: PathBuf) -> io::Result<NodeLocks> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        rights::make_folder(&folder)?;
        let is_old = |entry: &fs::DirEntry| {
            let made = entry.metadata().and_then(|found| found.modified()).ok();
            made.and_then(|made| made.elapsed().ok()).is_some_and(|age| age > KEPT)
        };
        for entry in fs::read_dir(&folder)?.flatten().filter(is_old) {
            remove_if_free(&entry.path());
        }
        Ok(NodeLocks { folder, boot, held: Mutex::default() })
    }

    /// Holds the lock of that name until the process ends or has another name. Called again and again, it makes a file again
    /// that somebody has deleted or replaced.
    ///
    /// # Errors
    /// If the file cannot be made. Then other processes wait for the lease.
    pub fn hold(&self, owner: &Owner) -> io::Result<()> {
        let mut held = self.held();
        if held.as_ref().is_some_and(|file| rights::stands(file, &self.folder.join(&owner.0))) {
            return Ok(());
        }
        let mut file = lock_under(&self.folder, owner)?;
        file.write_all(self.boot.as_bytes())?;
        // In a forked child the parent's lock would go on.
        guard(&file);
        *held = Some(file);
        Ok(())
    }

    /// Whether the process of that name was one of this machine and has ended.
    pub fn has_ended(&self, owner: &Owner) -> bool {
        let is_of_this_run =
            || fs::read_to_string(self.folder.join(&owner.0)).is_ok_and(|found| found.ends_with(&self.boot));
        presence_in(&self.folder, owner) == Presence::Dead && is_of_this_run()
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

    /// A folder that is restored or copied has files that nobody holds.
    #[test]
    fn a_file_of_another_run_of_a_system_proves_nothing() {
        let folder = Folder::new("node-locks-copied");
        let locks = NodeLocks::at(folder.0.clone()).unwrap();
        for content in ["2\n", "2\n3f0e7c1a-0000-0000-0000-000000000000\n"] {
            fs::write(folder.0.join("2-copied"), content).unwrap();
            assert!(!locks.has_ended(&name("2-copied")), "{content}");
        }
        fs::write(folder.0.join("2-copied"), format!("2\n{}", locks.boot)).unwrap();
        assert!(locks.has_ended(&name("2-copied")));
    }

    #[test]
    fn a_file_that_was_taken_away_is_made_again() {
        let folder = Folder::new("node-locks-again");
        let (mine, other) =
            (NodeLocks::at(folder.0.clone()).unwrap(), NodeLocks::at(folder.0.clone()).unwrap());
        mine.hold(&name("1-me")).unwrap();
        fs::write(folder.0.join("new"), format!("2\n{}", mine.boot)).unwrap();
        fs::rename(folder.0.join("new"), folder.0.join("1-me")).unwrap();
        assert!(other.has_ended(&name("1-me")));
        mine.hold(&name("1-me")).unwrap();
        assert!(!other.has_ended(&name("1-me")));
    }

    #[test]
    fn a_file_that_nobody_asked_about_for_days_is_removed_at_a_start() {
        let folder = Folder::new("node-locks-old");
        let (old, new) = (folder.0.join("1-old"), folder.0.join("2-new"));
        for path in [&old, &new] {
            fs::write(path, fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap()).unwrap();
        }
        let before = std::time::SystemTime::now() - KEPT - Duration::from_secs(1);
        File::options().write(true).open(&old).unwrap().set_modified(before).unwrap();
        let locks = NodeLocks::at(folder.0.clone()).unwrap();
        assert!(!old.exists() && locks.has_ended(&name("2-new")));
    }
}
