//! Who is alive: each process that uses a journal holds a lock, released by the kernel, on a file of its own
//! beside it. An intent whose owner's lock can be taken was left behind by a crash.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::liveness::{MissingOwners, Presence, owner_name};
use crate::payment::{Entry, Owner};
use crate::rights;

/// The process for which a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// How long a call of the process may last.
    pub total: Duration,
    /// How long opening may wait for other processes.
    pub patience: Duration,
    /// After so many days details are dropped.
    pub retention_days: i64,
    /// Whether somebody will call `care`, to which opening may leave what no payment needs.
    pub later: bool,
}

impl Default for Opening {
    fn default() -> Opening {
        Opening {
            total: Duration::from_secs(10),
            patience: Duration::MAX,
            retention_days: i64::MAX,
            later: false,
        }
    }
}

/// The function that closes the lock file in a forked child.
static GUARD: OnceLock<fn(&File)> = OnceLock::new();

/// Registers `guard`, which receives each lock file of this process: a forked child must close its copy, or the lock
/// outlives the parent.
pub fn guard_lock_by(guard: fn(&File)) {
    let _ = GUARD.set(guard);
}

pub(super) fn guard(file: &File) {
    if let Some(guard) = GUARD.get() {
        guard(file);
    }
}

/// The lock of this process, released when it is dropped or when the process ends in any way.
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

    /// The owner name of this process's intents.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Registers the lock file to be closed in forked children.
    pub fn guard(&self) {
        guard(&self.file());
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates this process's file again if somebody has deleted or replaced it. The lock is taken before the file has its
    /// name, so no other process can take it for the file of a dead process.
    pub fn keep_name(&self) {
        let mut file = self.file();
        if rights::stands(&file, &self.folder.join(&self.owner.0)) {
            return;
        }
        let again = rights::make_folder(&self.folder).and_then(|()| lock_under(&self.folder, &self.owner));
        // If that fails now, it is tried again later.
        if let Ok(again) = again {
            guard(&again);
            *file = again;
        }
    }

    /// The state of the lock of the process of that name.
    pub fn presence(&self, other: &Owner) -> Presence {
        if *other == self.owner {
            return Presence::Lives;
        }
        match presence_in(&self.folder, other) {
            // If this process's file is gone too, the whole folder is missing.
            Presence::Missing if !self.folder.join(&self.owner.0).exists() => Presence::Lives,
            presence => presence,
        }
    }

    /// Whether the process that recorded this intent may still be carrying it out.
    pub fn may_carry_out(&self, entry: &Entry) -> bool {
        let presence = self.presence(entry.owner());
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.may_carry_out(entry, presence, self.opening.total, Instant::now())
    }

    /// Whether a process with a version of the library that knows only the first format lives, or may live.
    pub fn is_shared_with_earlier(&self) -> bool {
        let Ok(entries) = fs::read_dir(&self.folder) else { return true };
        entries.flatten().any(|entry| {
            // The lengths of the files differ. The content of a locked one cannot be read on every system.
            let is_earlier = entry.metadata().is_ok_and(|found| found.len() == 0);
            let is_free = || File::open(entry.path()).is_ok_and(|file| file.try_lock_shared().is_ok());
            is_earlier && !is_free()
        })
    }

    /// The other processes that live, or may live: whose lock cannot be taken.
    pub fn others_alive(&self) -> Vec<Owner> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let names = entries.flatten().map(|entry| Owner(entry.file_name().to_string_lossy().into_owned()));
        names.filter(|owner| *owner != self.owner && self.presence(owner) == Presence::Lives).collect()
    }

    /// Removes the files of dead processes whose names are not in `needed`.
    pub fn sweep(&self, needed: &[Owner]) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let owner = Owner(entry.file_name().to_string_lossy().into_owned());
            if owner == self.owner || needed.contains(&owner) {
                continue;
            }
            remove_if_free(&entry.path());
        }
    }
}

/// The state of the lock of the process of that name in a folder. Only a lock that could be taken proves a death: a file
/// that cannot be opened or tried may be locked, so the process counts as alive.
pub(super) fn presence_in(folder: &Path, owner: &Owner) -> Presence {
    match File::open(folder.join(&owner.0)) {
        Ok(file) if matches!(file.try_lock_shared(), Ok(())) => Presence::Dead,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Presence::Missing,
        Ok(_) | Err(_) => Presence::Lives,
    }
}

/// Removes a lock file that no process holds. The lock is held until the file is gone: a process that has just created the
/// file and is about to lock it fails, or sees that the file is gone, and creates another.
pub(super) fn remove_if_free(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    if file.try_lock().is_ok() {
        // Another process may do the same.
        let _ = fs::remove_file(path);
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // The next process sweeps a file that remains.
        let _ = fs::remove_file(self.folder.join(&self.owner.0));
    }
}

/// Creates a locked file with the name of that owner.
pub(super) fn lock_under(folder: &Path, owner: &Owner) -> io::Result<File> {
    let (made, path) = (folder.join(format!("{}.new", owner.0)), folder.join(&owner.0));
    // Another process may sweep the file between its creation and its locking.
    for _ in 0..16 {
        let _ = fs::remove_file(&made);
        let mut options = OpenOptions::new();
        let file = rights::open(&made, options.create_new(true).read(true).write(true))?;
        match file.try_lock() {
            Ok(()) if fs::rename(&made, &path).is_ok() => {
                // On a full disk it stays empty, and an upgrade waits for this process, too.
                let _ = (&file).write_all(VERSION);
                return Ok(file);
            }
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// What a lock file holds; those of versions that know only the first format are empty.
const VERSION: &[u8] = b"2\n";

/// The folder of the lock files of the processes that use this journal; each name begins with the process id.
pub fn folder(journal: &Path) -> PathBuf {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push(".owners");
    journal.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::money::BizId;
    use crate::payment::{Key, OnUnknown};

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

    /// Processes start and end concurrently; a process whose file was swept would be taken for dead.
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

    #[test]
    fn a_process_without_its_file_is_missing_and_one_that_ends_takes_its_file_along() {
        let path = std::env::temp_dir().join(format!("zvpos-missing-{}.db", std::process::id()));
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
        let other = ProcessLock::take(&path, &Opening::default()).unwrap();
        let name = other.owner().clone();
        drop(other);
        assert!(!folder(&path).join(&name.0).exists());
        assert_eq!(me.presence(&name), Presence::Missing);
        // A file that cannot be opened may be locked.
        assert_eq!(me.presence(&Owner("1-long".repeat(1000))), Presence::Lives);
        // If the whole folder is gone, that says nothing of anybody.
        fs::remove_dir_all(folder(&path)).unwrap();
        assert_eq!(me.presence(&name), Presence::Lives);
    }

    #[test]
    fn an_attempt_may_run_as_long_as_its_process_may_live() {
        let path = std::env::temp_dir().join(format!("zvpos-may-run-{}.db", std::process::id()));
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
        let other = ProcessLock::take(&path, &Opening::default()).unwrap();
        let dead = Owner("1-dead".into());
        fs::write(folder(&path).join(&dead.0), "").unwrap();
        assert!(me.may_carry_out(&intent(other.owner().clone())));
        assert!(!me.may_carry_out(&intent(dead)));
        // Somebody may have deleted the file of a process whose calls last a day.
        let day = Duration::from_hours(24);
        assert!(me.may_carry_out(&intent(owner_name(1, 7, day))));
        drop((me, other));
        fs::remove_dir_all(folder(&path)).unwrap();
    }

    fn intent(owner: Owner) -> Entry {
        let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
        Entry::intent(key, Identity::default(), owner, OnUnknown::Reverse, 0)
    }

    /// Elsewhere a file that is open keeps its name.
    #[cfg(unix)]
    #[test]
    fn a_process_whose_file_was_taken_away_makes_it_again_under_its_lock() {
        let path = std::env::temp_dir().join(format!("zvpos-again-{}.db", std::process::id()));
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
        let other = ProcessLock::take(&path, &Opening::default()).unwrap();
        let mine = folder(&path).join(&me.owner().0);
        fs::remove_file(&mine).unwrap();
        assert_eq!(other.presence(me.owner()), Presence::Missing);
        me.keep_name();
        assert_eq!(other.presence(me.owner()), Presence::Lives);
        // One that stands is left alone.
        let known = identity(&fs::metadata(&mine).unwrap());
        me.keep_name();
        assert_eq!(identity(&fs::metadata(&mine).unwrap()), known);
        // Another file under its name, which nobody has locked.
        fs::write(folder(&path).join("new"), "").unwrap();
        fs::rename(folder(&path).join("new"), &mine).unwrap();
        assert_eq!(other.presence(me.owner()), Presence::Dead);
        me.keep_name();
        assert_eq!(other.presence(me.owner()), Presence::Lives);
        // Without its folder.
        fs::remove_dir_all(folder(&path)).unwrap();
        me.keep_name();
        other.keep_name();
        assert!(mine.exists());
        assert_eq!(other.presence(me.owner()), Presence::Lives);
        drop((me, other));
        fs::remove_dir_all(folder(&path)).unwrap();
    }

    #[cfg(unix)]
    fn identity(found: &fs::Metadata) -> (u64, u64) {
        use std::os::unix::fs::MetadataExt;
        (found.dev(), found.ino())
    }

    /// Also the file that is made later under the same name.
    #[cfg(unix)]
    #[test]
    fn every_lock_file_is_handed_to_who_closes_it_in_a_forked_child() {
        static GUARDED: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());
        // The files of other tests come along.
        guard_lock_by(|file| GUARDED.lock().unwrap().push(identity(&file.metadata().unwrap())));
        let path = std::env::temp_dir().join(format!("zvpos-guarded-{}.db", std::process::id()));
        let me = ProcessLock::take(&path, &Opening::default()).unwrap();
        let mine = folder(&path).join(&me.owner().0);
        let is_guarded = || GUARDED.lock().unwrap().contains(&identity(&fs::metadata(&mine).unwrap()));
        me.guard();
        assert!(is_guarded());
        fs::remove_file(&mine).unwrap();
        me.keep_name();
        assert!(is_guarded());
        drop(me);
        fs::remove_dir_all(folder(&path)).unwrap();
    }
}
