//! The log file: one line per event, UTC times, a new file each UTC day, old days deleted. Several programs may write
//! to one log, and a clock may be wrong: no file is ever overwritten, and none is deleted for its date alone.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Level, Sink};
use crate::calendar::{self, date, timestamp};
use crate::clock::machine_unix_ms;
use crate::payment::EARLIEST_MS;
use crate::rights;

/// The first day that a clock can show without having been reset.
const EARLIEST_DAY: i64 = EARLIEST_MS / 86_400_000;

/// The maximum number of files of one day, which a number after the date tells apart.
const MOST_OF_A_DAY: u32 = 1000;

/// Appends to `<path>`; at the first line of a new day it renames the file to `<path>.<yyyy-mm-dd>`, the day of the
/// file's own first line.
pub(crate) struct FileSink {
    path: PathBuf,
    level: Level,
    keep_days: u64,
    current: Mutex<Current>,
}

struct Current {
    file: File,
    /// The day on which rotation was last checked.
    day: i64,
}

impl FileSink {
    /// Opens the file.
    pub(crate) fn open(path: &Path, level: Level, keep_days: u64) -> io::Result<FileSink> {
        let file = append(path)?;
        let day = begun(path).unwrap_or_else(today);
        Ok(FileSink { path: path.to_owned(), level, keep_days, current: Mutex::new(Current { file, day }) })
    }

    /// Makes the file one of this day. If another program has already rotated it, the new file is only opened.
    fn turn(&self, current: &mut Current, today: i64) {
        current.day = today;
        // A clock that was reset does not start a day; its lines are written among the others.
        if today < EARLIEST_DAY {
            return;
        }
        // Of two programs that arrive at once the second waits, and then finds the new file. On Windows such a lock
        // would block the other program's writes.
        #[cfg(unix)]
        let _ = current.file.lock();
        match begun(&self.path) {
            // A clock that goes back over midnight does not rotate again. A file that cannot be renamed stays in use.
            Some(begun) if begun != today && begun != today + 1 && self.put_away(begun).is_ok() => {
                self.drop_old(today);
            }
            _ => {}
        }
        if let Ok(file) = append(&self.path) {
            // Closing the old file releases its lock.
            current.file = file;
        }
    }

    /// Renames the file to its day. The new name is created only if it is free, on every system.
    fn put_away(&self, day: i64) -> io::Result<()> {
        for number in 0..MOST_OF_A_DAY {
            let ending = if number == 0 { String::new() } else { format!(".{number}") };
            let name = self.path.with_file_name(format!("{}.{}{ending}", self.name(), date(day)));
            match fs::hard_link(&self.path, &name) {
                Ok(()) => return fs::remove_file(&self.path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // A file system without hard links.
                Err(_) if name.exists() => {}
                Err(_) => return fs::rename(&self.path, &name),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Deletes files of days that are too old, but never one of the newest `keep_days`: a clock that is a year ahead
    /// makes all of them look old. Days before this library existed come from a reset clock and are counted
    /// separately.
    fn drop_old(&self, today: i64) {
        let keep = i64::try_from(self.keep_days).unwrap_or(i64::MAX);
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let Ok(folder) = fs::read_dir(folder.unwrap_or(Path::new("."))) else { return };
        let name = self.name();
        let files: Vec<(i64, PathBuf)> = folder
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let other = entry.file_name().to_string_lossy().into_owned();
                Some((day_of(other.strip_prefix(&name)?)?, entry.path()))
            })
            .collect();
        for reset in [false, true] {
            let of_class = || files.iter().filter(|(day, _)| (*day < EARLIEST_DAY) == reset);
            let days: BTreeSet<i64> = of_class().map(|(day, _)| *day).collect();
            let kept: BTreeSet<i64> =
                days.into_iter().rev().take(usize::try_from(keep).unwrap_or(usize::MAX)).collect();
            for (day, path) in of_class() {
                if !kept.contains(day) && *day < today.saturating_sub(keep) {
                    let _ = fs::remove_file(path);
                }
            }
        }
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Sink for FileSink {
    fn max_level(&self) -> Level {
        self.level
    }

    /// A log that cannot be written must not stop a sale, so errors are ignored.
    fn write(&self, level: Level, line: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = machine_unix_ms();
        let today = now.div_euclid(86_400_000);
        if today != current.day {
            self.turn(&mut current, today);
        }
        let text = format!("{} {:5} {line}\n", timestamp(now), level.as_str());
        let _ = current.file.write_all(text.as_bytes());
    }
}

fn append(path: &Path) -> io::Result<File> {
    rights::open(path, OpenOptions::new().create(true).append(true))
}

fn today() -> i64 {
    machine_unix_ms().div_euclid(86_400_000)
}

/// The day of a file's first line, or of its last change if another program wrote it. `None` for an empty file.
fn begun(path: &Path) -> Option<i64> {
    let mut file = File::open(path).ok()?;
    let mut first = [0; 11];
    let changed = file.metadata().and_then(|about| about.modified()).ok();
    match file.read_exact(&mut first) {
        Ok(()) => {}
        Err(_) if file.metadata().is_ok_and(|about| about.len() == 0) => return None,
        Err(_) => first = [0; 11],
    }
    let written = std::str::from_utf8(&first).ok().and_then(|text| calendar::day(text.strip_suffix('T')?));
    written.or_else(|| {
        let since = changed.unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs() / 86_400).ok()
    })
}

/// The day in `.2026-11-22` or `.2026-11-22.1`.
fn day_of(ending: &str) -> Option<i64> {
    let rest = ending.strip_prefix('.')?;
    let (written, number) = rest.split_once('.').unwrap_or((rest, "0"));
    number.bytes().all(|b| b.is_ascii_digit()).then(|| calendar::day(written))?
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("zvpos-log-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        fn sink(&self, keep_days: u64) -> FileSink {
            FileSink::open(&self.0.join("till.log"), Level::Info, keep_days).unwrap()
        }

        fn put(&self, name: &str, text: &str) {
            fs::write(self.0.join(name), text).unwrap();
        }

        /// Each file's name and number of lines.
        fn files(&self) -> Vec<(String, usize)> {
            let mut files: Vec<(String, usize)> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| {
                    let entry = entry.unwrap();
                    let lines = fs::read_to_string(entry.path()).unwrap().lines().count();
                    (entry.file_name().into_string().unwrap(), lines)
                })
                .collect();
            files.sort();
            files
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn line(day: i64) -> String {
        format!("{}T10:00:00.000Z info  a line\n", date(day))
    }

    fn file(name: &str, lines: usize) -> (String, usize) {
        (name.to_owned(), lines)
    }

    #[test]
    fn a_new_day_starts_a_new_file_and_old_days_are_deleted() {
        let folder = Folder::new("days");
        for day in 20_000..20_009 {
            folder.put(&format!("till.log.{}", date(day)), &line(day));
        }
        folder.put("till.log.notes", "not ours");
        folder.put("till.log", &line(today() - 1));
        let sink = folder.sink(7);
        sink.write(Level::Warn, "second");
        let yesterday = format!("till.log.{}", date(today() - 1));
        let files = folder.files();
        assert!(files.contains(&file(&yesterday, 1)) && files.contains(&file("till.log", 1)), "{files:?}");
        assert!(files.contains(&file("till.log.notes", 1)), "{files:?}");
        assert_eq!(files.iter().filter(|(name, _)| name.starts_with("till.log.2")).count(), 7, "{files:?}");
        assert!(!folder.0.join(format!("till.log.{}", date(20_002))).exists());
    }

    #[test]
    fn two_programs_write_one_log_over_midnight_and_no_line_is_lost() {
        let folder = Folder::new("two");
        folder.put("till.log", &line(today() - 1));
        let (one, two) = (folder.sink(7), folder.sink(7));
        one.write(Level::Info, "one");
        two.write(Level::Info, "two");
        one.write(Level::Info, "one");
        let yesterday = format!("till.log.{}", date(today() - 1));
        assert_eq!(folder.files(), [file("till.log", 3), file(&yesterday, 1)]);
        // A file of that day exists already: from another run, before the clock was set back.
        folder.put("till.log", &line(today() - 1));
        folder.sink(7).write(Level::Info, "three");
        let second = format!("{yesterday}.1");
        assert_eq!(folder.files(), [file("till.log", 1), file(&yesterday, 1), file(&second, 1)]);
    }

    #[test]
    fn a_wrong_clock_neither_deletes_nor_stops() {
        let folder = Folder::new("clock");
        for day in [20_400, 20_401] {
            folder.put(&format!("till.log.{}", date(day)), &line(day));
        }
        folder.put("till.log", &line(today() + 365));
        // The clock is set back from a year ahead, and the two days before it look old.
        let sink = folder.sink(7);
        sink.write(Level::Info, "one");
        let ahead = format!("till.log.{}", date(today() + 365));
        let (first, second) = (format!("till.log.{}", date(20_400)), format!("till.log.{}", date(20_401)));
        let all = [file("till.log", 1), file(&first, 1), file(&second, 1), file(&ahead, 1)];
        assert_eq!(folder.files(), all);
        // At 1970 lines are appended to the same file, and nothing is renamed.
        sink.turn(&mut sink.current.lock().unwrap(), 0);
        sink.write(Level::Info, "two");
        assert_eq!(folder.files().first(), Some(&file("till.log", 2)));
        // A file that was written in 1970 is not deleted for its date.
        folder.put("till.log", &line(0));
        folder.sink(1).write(Level::Info, "three");
        assert!(folder.files().contains(&file("till.log.1970-01-01", 1)), "{:?}", folder.files());
    }
}
