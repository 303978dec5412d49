//! Who is alive: each process that uses a journal holds a lock, released by the kernel, on a file of its own
//! beside it. An intent whose owner's lock can be taken was left behind by a crash.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::liveness::{MissingOwners, Presence, owner_name};
use crate::payment::{Entry, Owner};
use crate::rights;

/// For which process a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// How long a call of it may last.
    pub total: Duration,
    /// How long the opening may wait for others.
    pub patience: Duration,
}

impl Default for Opening {
    fn default() -> Opening {
        Opening { total: Duration::from_secs(10), patience: Duration::MAX }
    }
}

/// Who closes the lock's file in a forked child.
static GUARD: OnceLock<fn(&File)> = OnceLock::new();

/// Each file whose lock says that this process lives is shown to `guard`: a forked child must close its copy, or the
/// lock outlives the parent.
pub fn guard_lock_by(guard: fn(&File)) {
    let _ = GUARD.set(guard);
}

fn guard(file: &File) {
    if let Some(guard) = GUARD.get() {
        guard(file);
    }
}

/// This process's lock; released when it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct ProcessLock {
    owner: Owner,
    opening: Opening,
    folder: PathBuf,
    file: Mutex<File>,
    missing: Mutex<MissingOwners>,
}

impl ProcessLock {
    /// Takes a lock under a new name in `<journal>.owners/`. The name says how long a call of this process may last.
    pub fn take(journal: &Path, opening: &Opening) -> io::Result<ProcessLock> {
        let folder = folder(journal);
        rights::make_folder(&folder)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let (process, number) = (std::process::id(), u64::from_le_bytes(random));
        let owner = owner_name(process, number, opening.total);
        let file = Mutex::new(lock_under(&folder, &owner)?);
        Ok(ProcessLock { owner, opening: *opening, folder, file, missing: Mutex::default() })
    }

    /// The name under which intents are recorded.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Has the lock closed in forked children.
    pub fn guard(&self) {
        guard(&self.file());
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes this process's file again where somebody has deleted or replaced it. The lock is held before the name is
    /// there, so that nobody can take it for a dead one's.
    pub fn keep_name(&self) {
        let mut file = self.file();
        if rights::stands(&file, &self.folder.join(&self.owner.0)) {
            return;
        }
        let again = rights::make_folder(&self.folder).and_then(|()| lock_under(&self.folder, &self.owner));
        // Where it cannot be made now it is tried again.
        if let Ok(again) = again {
            guard(&again);
            *file = again;
        }
    }

    /// What the lock of the process of that name says.
    pub fn presence(&self, other: &Owner) -> Presence {
        if *other == self.owner {
            return Presence::Lives;
        }
        // Only a lock that was taken proves a death. What cannot be opened or tried may be held: better too long alive
        // than twice sent.
        match File::open(self.folder.join(&other.0)) {
            Ok(file) if matches!(file.try_lock_shared(), Ok(())) => Presence::Dead,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Where ours is gone too, the whole folder is away.
                let is_there = self.folder.join(&self.owner.0).exists();
                if is_there { Presence::Missing } else { Presence::Lives }
            }
            Ok(_) | Err(_) => Presence::Lives,
        }
    }

    /// Whether the process that recorded this intent may still be carrying it out.
    pub fn may_carry_out(&self, entry: &Entry) -> bool {
        let presence = self.presence(entry.owner());
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.may_carry_out(entry, presence, self.opening.total, Instant::now())
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

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // A file that stays is swept by the next process.
        let _ = fs::remove_file(self.folder.join(&self.owner.0));
    }
}

/// A new locked file under the name of that owner.
fn lock_under(folder: &Path, owner: &Owner) -> io::Result<File> {
    let (made, path) = (folder.join(format!("{}.new", owner.0)), folder.join(&owner.0));
    // Between the making and the locking of the file another process may sweep it away.
    for _ in 0..16 {
        let _ = fs::remove_file(&made);
        let mut options = OpenOptions::new();
        let file = rights::open(&made, options.create_new(true).read(true).write(true))?;
        match file.try_lock() {
            Ok(()) if fs::rename(&made, &path).is_ok() => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
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

    fn lives(me: &ProcessLock, other: &Owner) -> bool {
        me.presence(other) == Presence::Lives
    }

    #[test]
    fn a_dropped_lock_is_a_dead_owner() {
        let path = std::env::temp_dir().join(format!("zvpos-owner-{}.db", std::process::id()));
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
        let other = ProcessLock::take(&path, &Opening::default()).unwrap();
        let name = other.owner().clone();
        assert!(lives(&me, &name) && lives(&me, me.owner()));
        drop(other);
        assert!(!lives(&me, &name));
        assert!(!lives(&me, &Owner("nobody".into())));
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
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
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
                let others: Vec<_> =
                    (0..20).map(|_| ProcessLock::take(&path, &Opening::default()).unwrap()).collect();
                others.into_iter().filter(|other| !lives(&me, other.owner())).collect::<Vec<_>>()
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
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
        let dead = Owner("1-dead".into());
        fs::write(folder(&path).join(&dead.0), "").unwrap();
        let wrong: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..2).map(|_| scope.spawn(|| (0..20_000).filter(|_| lives(&me, &dead)).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        drop(me);
        fs::remove_dir_all(folder(&path)).unwrap();
        assert_eq!(wrong, 0, "of 40000 times a dead one was said to live");
    }
}
