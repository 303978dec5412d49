//! The log file: one line an event, UTC times, a new file each UTC day, old days deleted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Level, Sink};
use crate::calendar::{date, timestamp};
use crate::rights;

/// Appends to `<path>`; at the first line of a new day the file becomes `<path>.<yyyy-mm-dd>` of its own day.
pub struct FileSink {
    path: PathBuf,
    level: Level,
    keep_days: u64,
    current: Mutex<Current>,
}

struct Current {
    file: File,
    day: u64,
}

impl FileSink {
    /// Opens the file, or says why it cannot be.
    pub fn open(path: &Path, level: Level, keep_days: u64) -> io::Result<FileSink> {
        let file = append(path)?;
        let day = file.metadata()?.modified().map_or(0, |time| seconds(time) / 86_400);
        Ok(FileSink { path: path.to_owned(), level, keep_days, current: Mutex::new(Current { file, day }) })
    }

    fn rotate(&self, current: &mut Current, today: u64) -> io::Result<()> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let dated = |day: u64| self.path.with_file_name(format!("{name}.{}", date(day_number(day))));
        if current.file.metadata()?.len() > 0 {
            fs::rename(&self.path, dated(current.day))?;
            current.file = append(&self.path)?;
        }
        current.day = today;
        let oldest = format!("{name}.{}", date(day_number(today.saturating_sub(self.keep_days))));
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
            let entry = entry?;
            let other = entry.file_name().to_string_lossy().into_owned();
            let is_ours =
                other.len() == oldest.len() && other.strip_prefix(&name).is_some_and(is_date_suffix);
            // Dates written so sort as text.
            if is_ours && other < oldest {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Sink for FileSink {
    fn max_level(&self) -> Level {
        self.level
    }

    /// A log that cannot be written must not stop a sale, so errors end here.
    fn write(&self, level: Level, line: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let today = seconds(now) / 86_400;
        if today > current.day {
            let _ = self.rotate(&mut current, today);
        }
        let text = format!("{} {:5} {line}\n", timestamp(milliseconds(now)), level.as_str());
        let _ = current.file.write_all(text.as_bytes());
    }
}

fn append(path: &Path) -> io::Result<File> {
    rights::open(path, OpenOptions::new().create(true).append(true))
}

fn milliseconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn day_number(day: u64) -> i64 {
    i64::try_from(day).unwrap_or(i64::MAX)
}

fn is_date_suffix(suffix: &str) -> bool {
    suffix.bytes().zip(".0000-00-00".bytes()).all(|(byte, pattern)| match pattern {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_day_begins_a_new_file_and_old_days_go() {
        let folder = std::env::temp_dir().join(format!("zvpos-log-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("till.log");
        fs::write(folder.join("till.log.2020-01-01"), "old").unwrap();
        fs::write(folder.join("till.log.notes"), "not ours").unwrap();
        let sink = FileSink::open(&path, Level::Info, 7).unwrap();
        sink.write(Level::Info, "first");
        let today = sink.current.lock().unwrap().day;
        sink.current.lock().unwrap().day = today - 1;
        sink.write(Level::Warn, "second");
        let yesterday =
            fs::read_to_string(folder.join(format!("till.log.{}", date(day_number(today - 1))))).unwrap();
        assert!(yesterday.ends_with(" info  first\n"), "{yesterday}");
        assert!(fs::read_to_string(&path).unwrap().ends_with(" warn  second\n"));
        assert!(!folder.join("till.log.2020-01-01").exists());
        assert!(folder.join("till.log.notes").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
