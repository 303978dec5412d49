//! The mark: the last committed sequence in a small file beside the database. SQLite drops a damaged end of its
//! WAL without a word; a journal that ends before its mark has lost records. The mark is written after the
//! commit and, but for its first number, not flushed, so it can only be behind, never ahead of what was on stable
//! storage. It never goes down.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::rights;

/// One number of one fixed length and a line end: never half of a number is written. A second line behind it says the
/// same of the database without its WAL.
const LENGTH: usize = 21;

#[derive(Debug)]
pub(super) struct Watermark {
    path: PathBuf,
    /// Open from the first commit on.
    file: Mutex<Option<File>>,
}

/// The mark during one commit. Where another process is writing it, it is read and left alone.
pub(super) struct Held<'m> {
    path: &'m Path,
    file: MutexGuard<'m, Option<File>>,
    locked: bool,
    known: Option<u64>,
    known_base: Option<u64>,
}

impl Watermark {
    pub(super) fn beside(journal: &Path) -> Watermark {
        let mut name = journal.file_name().unwrap_or_default().to_owned();
        name.push(".mark");
        Watermark { path: journal.with_file_name(name), file: Mutex::default() }
    }

    /// The sequence; `None` where there is no mark or it cannot be read.
    pub(super) fn read(&self) -> Option<u64> {
        numbers(&fs::read(&self.path).ok()?)[0]
    }

    /// The same without opening a file, where that can be: one that was taken away is looked for by its name at intervals.
    pub(super) fn look(&self) -> Option<u64> {
        // During a commit its thread has the file.
        let open = self.file.try_lock().ok();
        let Some(file) = open.as_ref().and_then(|file| file.as_ref()) else { return self.read() };
        let mut bytes = [0; LENGTH];
        let count = read_at(file, &mut bytes, 0).ok()?;
        numbers(bytes.get(..count)?)[0]
    }

    /// Whether it is there and holds no number: emptied or overwritten, and not removed by a person. One that is just being
    /// made has its number in a moment.
    pub(super) fn is_damaged(&self) -> bool {
        self.holds_none_after(|| std::thread::sleep(Duration::from_millis(20)))
    }

    /// Whether it is there and holds no number, also after a few moments; `wait` lets one pass.
    fn holds_none_after(&self, mut wait: impl FnMut()) -> bool {
        const MOMENTS: u32 = 4;
        let holds_none = || fs::read(&self.path).is_ok_and(|bytes| numbers(&bytes)[0].is_none());
        holds_none()
            && (0..MOMENTS).all(|_| {
                wait();
                holds_none()
            })
    }

    /// The sequence that the database was seen to have without its WAL.
    pub(super) fn read_base(&self) -> Option<u64> {
        numbers(&fs::read(&self.path).ok()?)[1]
    }

    /// For one commit, which no other thread or process makes at the same time.
    pub(super) fn hold(&self) -> Held<'_> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            // A mark that cannot be written makes the check weaker, never the journal wrong.
            *file = open(&self.path).ok();
        }
        let mut held = Held { path: &self.path, file, locked: false, known: None, known_base: None };
        held.look();
        held
    }

    /// Whether the open file still stands under its name; if not, the next commit makes another.
    pub(super) fn keep_name(&self) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_ref().is_some_and(|file| !rights::stands(file, &self.path)) {
            *file = None;
        }
    }
}

impl Held<'_> {
    /// The last sequence that any process has committed, as far as the mark knows.
    pub(super) fn known(&self) -> u64 {
        self.known.unwrap_or_default()
    }

    /// This sequence is committed. A lower one than another process has written meanwhile is not written.
    pub(super) fn raise(mut self, sequence: u64) {
        if self.file.is_none() {
            *self.file = make(self.path, sequence).and_then(|()| open(self.path)).ok();
        }
        if !self.locked {
            self.look();
        }
        let is_lower = self.known.is_none_or(|known| known < sequence);
        if let Some(file) = self.file.as_ref().filter(|_| self.locked && is_lower) {
            let written = write_at(file, &line(sequence), 0);
            // A mark without a number is being made where files have no second name: see `make`.
            if self.known.is_none() && written.and_then(|()| file.sync_all()).is_err() {
                let _ = fs::remove_file(self.path);
            }
        }
    }

    /// The database was seen to have this sequence without its WAL. Only beside a mark.
    pub(super) fn raise_base(self, sequence: u64) {
        let is_lower = self.known_base.is_none_or(|known| known < sequence);
        if let Some(file) = self.file.as_ref().filter(|_| self.locked && self.known.is_some() && is_lower) {
            let _ = write_at(file, &line(sequence), LENGTH as u64);
        }
    }

    fn look(&mut self) {
        let Some(file) = self.file.as_ref() else { return };
        self.locked = lock(file);
        let mut bytes = [0; 2 * LENGTH];
        let count = read_at(file, &mut bytes, 0).unwrap_or_default();
        let [found, base] = numbers(bytes.get(..count).unwrap_or_default());
        (self.known, self.known_base) = (found.or(self.known), base.or(self.known_base));
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.locked) {
            unlock(file);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    rights::open(path, OpenOptions::new().read(true).write(true))
}

/// Makes a mark with its first number in it and on the disk, so that no kill and no power cut leaves one without a number.
/// One that another process has made meanwhile stays.
fn make(path: &Path, sequence: u64) -> io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let new = path.with_extension(format!("mark-{:016x}", u64::from_le_bytes(random)));
    let written = rights::open(&new, OpenOptions::new().create_new(true).write(true))
        .and_then(|file| write_at(&file, &line(sequence), 0).and_then(|()| file.sync_all()));
    let made = written.and_then(|()| name(path, fs::hard_link(&new, path)));
    let _ = fs::remove_file(&new);
    made
}

/// Sees to it that there is a mark under its name, which the link to a new one has or has not made.
fn name(path: &Path, linked: io::Result<()>) -> io::Result<()> {
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A file system that knows one name for a file: the number comes a moment after the file.
        Err(_) => rights::open(path, OpenOptions::new().create(true).truncate(false).write(true)).map(drop),
        Ok(()) => Ok(()),
    }
}

/// False where another process is writing it.
#[cfg(unix)]
fn lock(file: &File) -> bool {
    // A file system without locks is none on which a journal can be; then it is written as if it were locked.
    !matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock))
}

#[cfg(unix)]
fn unlock(file: &File) {
    let _ = file.unlock();
}

/// On Windows a locked file cannot be read, and a mark that cannot be read looks like one that a person has removed.
#[cfg(windows)]
fn lock(_: &File) -> bool {
    true
}

#[cfg(windows)]
fn unlock(_: &File) {}

#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, at)
}

#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut at = at;
    let mut left = bytes;
    while !left.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_write(file, left, at)?;
        at += count as u64;
        left = left.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// A number as one line; without `format!`, whose padding takes ten times as long: two are written for each sale.
fn line(mut number: u64) -> [u8; LENGTH] {
    let mut line = [b'\n'; LENGTH];
    for digit in line.iter_mut().rev().skip(1) {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    line
}

/// The numbers of both lines.
fn numbers(bytes: &[u8]) -> [Option<u64>; 2] {
    let mut lines = std::str::from_utf8(bytes).unwrap_or_default().lines();
    [(); 2].map(|()| lines.next()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_folder::Folder;

    /// The mark of a journal, as one process has it.
    fn mark_in(folder: &Folder) -> Watermark {
        Watermark::beside(&folder.journal())
    }

    fn names(folder: &Folder) -> Vec<String> {
        let entries = fs::read_dir(&folder.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_line_has_one_length_whatever_its_number() {
        for number in [0, 7, 10, 1_234_567_890, u64::MAX] {
            assert_eq!(line(number), format!("{number:020}\n").as_bytes());
        }
    }

    #[test]
    fn a_mark_is_made_with_its_first_number_and_never_goes_down() {
        let folder = Folder::new("mark-up");
        let mark = mark_in(&folder);
        assert_eq!((mark.read(), mark.look(), mark.hold().known()), (None, None, 0));
        for (raised, known) in [(7, 7), (5, 7), (7, 7), (12, 12)] {
            mark.hold().raise(raised);
            assert_eq!((mark.read(), mark.look(), mark.hold().known()), (Some(known), Some(known), known));
            // Another process has not opened it yet.
            assert_eq!(mark_in(&folder).look(), Some(known));
        }
        assert_eq!(names(&folder), ["journal.db.mark"]);
    }

    #[test]
    fn the_base_has_a_line_of_its_own_and_never_goes_down() {
        let folder = Folder::new("mark-base");
        let mark = mark_in(&folder);
        mark.hold().raise_base(3);
        assert_eq!(names(&folder), Vec::<String>::new());
        mark.hold().raise(70);
        assert_eq!(mark.read_base(), None);
        for (raised, known) in [(50, 50), (30, 50), (50, 50), (60, 60)] {
            mark.hold().raise_base(raised);
            assert_eq!((mark.read(), mark.read_base()), (Some(70), Some(known)));
        }
        mark.hold().raise(80);
        assert_eq!((mark.read(), mark.read_base()), (Some(80), Some(60)));
    }

    #[test]
    fn a_base_is_written_beside_a_number_only() {
        let folder = Folder::new("mark-no-number");
        let mark = mark_in(&folder);
        fs::write(&mark.path, "").unwrap();
        mark.hold().raise_base(3);
        assert_eq!(fs::read(&mark.path).unwrap(), b"");
        // The number that is missing comes with the next commit.
        mark.hold().raise(4);
        assert_eq!(mark.read(), Some(4));
        mark.hold().raise_base(3);
        assert_eq!(mark.read_base(), Some(3));
    }

    /// On Windows the mark is not locked.
    #[cfg(unix)]
    #[test]
    fn a_mark_that_another_process_writes_is_left_alone_until_that_is_done() {
        let folder = Folder::new("mark-two");
        let (mark, other) = (mark_in(&folder), mark_in(&folder));
        mark.hold().raise(7);

        let theirs = other.hold();
        mark.hold().raise(9);
        mark.hold().raise_base(7);
        assert_eq!((mark.read(), mark.read_base(), mark.hold().known()), (Some(7), None, 7));
        drop(theirs);

        // They are done between the beginning and the end of a commit.
        let theirs = other.hold();
        let ours = mark.hold();
        theirs.raise(8);
        ours.raise(10);
        assert_eq!(mark.read(), Some(10));
        let theirs = other.hold();
        let ours = mark.hold();
        theirs.raise(12);
        ours.raise(11);
        assert_eq!(mark.read(), Some(12));
    }

    /// Elsewhere a file that is open keeps its name.
    #[cfg(unix)]
    #[test]
    fn a_mark_that_was_taken_away_is_known_until_its_name_is_looked_for_and_then_made_again() {
        let folder = Folder::new("mark-gone");
        let mark = mark_in(&folder);
        mark.hold().raise(7);
        mark.keep_name();
        fs::remove_file(&mark.path).unwrap();
        assert_eq!((mark.read(), mark.look()), (None, Some(7)));
        mark.keep_name();
        assert_eq!(mark.look(), None);
        mark.hold().raise(8);
        assert_eq!((mark.read(), mark.look()), (Some(8), Some(8)));
    }

    #[test]
    fn a_mark_is_damaged_if_its_number_does_not_come() {
        let folder = Folder::new("mark-damaged");
        let mark = mark_in(&folder);
        // Whether it is damaged, and how many moments that took; the number comes in that moment.
        let asked = |comes_in: u32| {
            let mut moments = 0;
            let is_damaged = mark.holds_none_after(|| {
                moments += 1;
                if moments == comes_in {
                    fs::write(&mark.path, format!("{:020}\n", 7)).unwrap();
                }
            });
            (is_damaged, moments)
        };
        assert_eq!(asked(9), (false, 0), "it was removed");
        for content in ["", "\0\0\0", "seven\n"] {
            fs::write(&mark.path, content).unwrap();
            assert_eq!(asked(9), (true, 4), "{content:?}");
        }
        assert_eq!(asked(3), (false, 3));
        assert_eq!(asked(9), (false, 0), "it has its number");
    }

    #[test]
    fn a_mark_gets_its_number_where_a_file_has_one_name_only() {
        let folder = Folder::new("mark-one-name");
        let mark = mark_in(&folder);
        // Another process has made it meanwhile: there is nothing to do.
        name(&mark.path, Err(io::ErrorKind::AlreadyExists.into())).unwrap();
        assert_eq!(names(&folder), Vec::<String>::new());
        name(&mark.path, Err(io::ErrorKind::Unsupported.into())).unwrap();
        assert_eq!(names(&folder).len(), 1);
        assert_eq!(mark.read(), None);
        mark.hold().raise(7);
        assert_eq!(mark.read(), Some(7));
        // One that is there is not emptied.
        name(&mark.path, Err(io::ErrorKind::Unsupported.into())).unwrap();
        assert_eq!(mark.read(), Some(7));
    }
}
