//! Whether a flush reaches stable storage. A disk needs time for that: a few hundred microseconds for flash,
//! milliseconds for a spinning disk. A disk that answers at once has stored nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{beside, folder_of};
use crate::report::Line;
use crate::run::Run;
use crate::words::words;

/// The size of a small database record.
const BYTES: [u8; 512] = [0x5a; 512];
/// Enough for a median.
const ROUNDS: usize = 64;
/// A slow disk has fewer rounds.
const BUDGET: Duration = Duration::from_secs(2);
/// No disk that really flushes is faster.
const HONEST_MIN: Duration = Duration::from_micros(50);
/// A payment flushes two or three times, and the cashier waits for each.
const SLOW: Duration = Duration::from_millis(100);

pub(super) fn examine(run: &mut Run<'_>, journal: &Path) {
    let about = folder_of(journal).display().to_string();
    let scratch = Scratch(beside(journal, &format!(".flush-{}", std::process::id())));
    match run.within(BUDGET + Duration::from_secs(4), move || measure(&scratch)) {
        None => run.out_of_time("journal.flush", &about),
        Some(Ok(middle)) => {
            let microseconds = u64::try_from(middle.as_micros()).unwrap_or(u64::MAX);
            run.say(judge(&about, middle).with("p50_us", microseconds));
        }
        Some(Err(error)) => run.say(Line::failed(
            "journal.flush",
            about,
            words!("落盘失败：{error}", "a flush fails: {error}"),
            words!(
                "检查磁盘是否写满或损坏；修复之前不能扣款",
                "look whether the disk is full or broken: until then nothing can be paid"
            ),
        )),
    }
}

/// A file that is removed on drop.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that remains is 32 KiB and unused.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The median duration of flushes after small appends, as a database makes them.
fn measure(scratch: &Scratch) -> io::Result<Duration> {
    let mut file: File = OpenOptions::new().create(true).truncate(true).write(true).open(&scratch.0)?;
    let begun = Instant::now();
    let mut times = Vec::with_capacity(ROUNDS);
    while times.len() < ROUNDS && (times.len() < 3 || begun.elapsed() < BUDGET) {
        file.write_all(&BYTES)?;
        let started = Instant::now();
        file.sync_data()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn judge(about: &str, middle: Duration) -> Line {
    let shown = format!("{:.2}", middle.as_secs_f64() * 1000.0);
    let found = words!("落盘一次的中位时间 {shown} 毫秒", "a flush takes {shown} ms (median)");
    if middle < HONEST_MIN {
        return Line::warning(
            "journal.flush",
            about,
            found.and(&words!(
                "，快得不真实：磁盘、虚拟机或还原软件很可能没有真正写入",
                "which is too fast to be true: the disk, the hypervisor or a write filter most likely keeps the bytes in memory"
            )),
            words!(
                "关闭磁盘的易失写缓存或换用有断电保护的盘；虚拟机把磁盘缓存设为 none 或 writethrough；有还原卡、写保护的，把 journal 设到不受保护的分区",
                "switch the disk's volatile write cache off or use one with power-loss protection; in a virtual machine set the disk's cache to none or writethrough; with a write filter set journal to an unprotected drive"
            ),
        );
    }
    if middle > SLOW {
        return Line::warning(
            "journal.flush",
            about,
            found.and(&words!("，磁盘很慢，每笔付款都要等待", "which is slow: each payment waits for it")),
            words!(
                "换固态硬盘，或检查磁盘是否将坏、是否有杀毒软件在扫描该文件夹",
                "use a solid-state disk; look whether this one is failing, or a virus scanner watches the folder"
            ),
        );
    }
    Line::ok("journal.flush", about, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    #[test]
    fn a_flush_must_be_neither_too_fast_nor_too_slow() {
        let status = |microseconds| judge("/j", Duration::from_micros(microseconds)).status;
        assert_eq!(status(3), Status::Warning);
        assert_eq!(status(49), Status::Warning);
        assert_eq!(status(50), Status::Ok);
        assert_eq!(status(100_000), Status::Ok);
        assert_eq!(status(100_001), Status::Warning);
        assert!(judge("/j", Duration::ZERO).found.en.contains("too fast to be true"));
    }
}
