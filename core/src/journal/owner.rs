//! Who is alive: each process that uses a journal holds a lock, released by the kernel, on a file of its own
//! beside it. An intent whose owner's lock can be taken was left behind by a crash.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::transaction::Owner;

/// This process's lock; released when it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct OwnerLock {
    owner: Owner,
    folder: PathBuf,
    file: File,
}

impl OwnerLock {
    /// Takes a lock under a new name in `<journal>.owners/`.
    pub fn take(journal: &Path) -> io::Result<OwnerLock> {
        let folder = folder(journal);
        fs::create_dir_all(&folder)?;
        // Between the making and the locking of the file another process may sweep it away.
        for _ in 0..16 {
            let mut random = [0; 8];
            getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
            let name = format!("{}-{:016x}", std::process::id(), u64::from_le_bytes(random));
            let path = folder.join(&name);
            let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) if path.exists() => return Ok(OwnerLock { owner: Owner(name), folder, file }),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// The name under which intents are recorded.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The locked file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether the process of that name still lives.
    pub fn is_alive(&self, other: &Owner) -> bool {
        if *other == self.owner {
            return true;
        }
        // Only a lock that was taken proves a death, or a file that is gone where ours still is. What cannot be
        // opened or tried may be held: better too long alive than twice sent.
        match File::open(self.folder.join(&other.0)) {
            Ok(file) => !matches!(file.try_lock_shared(), Ok(())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                !self.folder.join(&self.owner.0).exists()
            }
            Err(_) => true,
        }
    }

    /// Removes the files of the dead whose names are not among `needed`.
    pub fn sweep(&self, needed: &[Owner]) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let owner = Owner(entry.file_name().to_string_lossy().into_owned());
            if owner == self.owner || needed.contains(&owner) {
                continue;
            }
            let Ok(file) = File::open(entry.path()) else { continue };
            // Held until the file is gone: whoever has made it just now and is about to lock it sees that he cannot, or
            // that it is gone, and makes another.
            if file.try_lock().is_ok() {
                // Another process may do the same at the same time.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for OwnerLock {
    fn drop(&mut self) {
        // A file that stays is swept by the next process.
        let _ = fs::remove_file(self.folder.join(&self.owner.0));
    }
}

/// Where the processes that use this journal have their files; each name begins with the process's number.
pub fn folder(journal: &Path) -> PathBuf {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push(".owners");
    journal.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_lock_is_a_dead_owner() {
        let path = std::env::temp_dir().join(format!("zvpos-owner-{}.db", std::process::id()));
        let me = OwnerLock::take(&path).unwrap();
        let other = OwnerLock::take(&path).unwrap();
        let name = other.owner().clone();
        assert!(me.is_alive(&name) && me.is_alive(me.owner()));
        drop(other);
        assert!(!me.is_alive(&name));
        assert!(!me.is_alive(&Owner("nobody".into())));
        let left = folder(&path);
        fs::write(left.join("1-dead"), "").unwrap();
        me.sweep(&[Owner("1-dead".into())]);
        assert!(left.join("1-dead").exists());
        me.sweep(&[]);
        assert!(!left.join("1-dead").exists());
        drop(me);
        fs::remove_dir_all(left).unwrap();
    }

    /// Processes start and end beside each other; one whose file was swept away would be taken for dead.
    #[test]
    fn nobody_who_lives_is_swept_away() {
        let path = std::env::temp_dir().join(format!("zvpos-sweep-{}.db", std::process::id()));
        let me = OwnerLock::take(&path).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        me.sweep(&[]);
                    }
                });
            }
            let lost = (0..300).flat_map(|_| {
                let others: Vec<_> = (0..20).map(|_| OwnerLock::take(&path).unwrap()).collect();
                others.into_iter().filter(|other| !me.is_alive(other.owner())).collect::<Vec<_>>()
            });
            let lost = lost.count();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(lost, 0, "they have their locks and no files");
        });
        drop(me);
        fs::remove_dir_all(folder(&path)).unwrap();
    }

    #[test]
    fn who_asks_at_the_same_time_hears_the_same() {
        let path = std::env::temp_dir().join(format!("zvpos-probe-{}.db", std::process::id()));
        let me = OwnerLock::take(&path).unwrap();
        let dead = Owner("1-dead".into());
        fs::write(folder(&path).join(&dead.0), "").unwrap();
        let wrong: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..2).map(|_| scope.spawn(|| (0..20_000).filter(|_| me.is_alive(&dead)).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        drop(me);
        fs::remove_dir_all(folder(&path)).unwrap();
        assert_eq!(wrong, 0, "of 40000 times a dead one was said to live");
    }
}
