//! The contents of the journal, and the processes that use it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zvpos_core::journal::{Inspection, JournalError, inspect, owners_folder};
use zvpos_core::outcome::codes;

use crate::options::Options;
use crate::report::Line;
use crate::run::Run;
use crate::words::{Words, words};

/// Reading a large journal completely from a slow disk takes a while.
const LIMIT: Duration = Duration::from_secs(6);
const BUSY: Duration = Duration::from_secs(2);

/// The number of changes that the journal has seen; `None` if it cannot be determined.
pub(super) fn examine(run: &mut Run<'_>, options: &Options, journal: &Path) -> Option<u64> {
    owners(run, journal);
    let about = journal.display().to_string();
    if !journal.exists() {
        run.say(Line::ok(
            "journal.contents",
            about,
            words!("还没有交易日志，首次启动时建立", "is not there yet; the first start makes it"),
        ));
        return None;
    }
    let path = journal.to_owned();
    let limit = if options.journal { run.left() } else { LIMIT };
    match run.within(limit, move || inspect(&path, BUSY)) {
        None => {
            run.out_of_time("journal.contents", &about);
            None
        }
        Some(Err(error)) => {
            run.say(unusable(&about, &error));
            None
        }
        Some(Ok(inspection)) => {
            let Inspection { format, entries, unsettled, sequence } = inspection;
            let line = Line::ok(
                "journal.contents",
                about.clone(),
                words!(
                    "格式 {format}，共 {entries} 笔，内容完整",
                    "format {format}, {entries} entries, every one whole"
                ),
            );
            run.say(line.with("format", format).with("entries", entries).with("sequence", sequence));
            run.say(open_sales(&about, unsettled.len()).with("unsettled", unsettled.len()));
            Some(sequence)
        }
    }
}

fn open_sales(about: &str, count: usize) -> Line {
    if count == 0 {
        return Line::ok("journal.unsettled", about, words!("没有未决的交易", "nothing is unsettled"));
    }
    Line::warning(
        "journal.unsettled",
        about,
        words!("有 {count} 笔交易未决", "sales that are not settled: {count}"),
        words!(
            "让收银程序保持运行，它会自动处理；`zv pending` 列出每一笔，无法自动处理的由人工用 `zv settle` 决定",
            "let the till run: it settles by itself; `zv pending` lists them, and a person settles the others with `zv settle`"
        ),
    )
}

/// A journal that `zv_init` would refuse.
fn unusable(about: &str, error: &JournalError) -> Line {
    let why = &error.message;
    let code = error.code.text;
    let remedy = if let Some(remedy) = remedy_of_move(code) {
        remedy
    } else if code == codes::JOURNAL_NEWER.text {
        words!(
            "装回写入它的较新版本，不要删除文件",
            "install the newer version again that wrote it; do not delete the file"
        )
    } else if code == codes::JOURNAL_BEHIND.text {
        words!(
            "有已提交的记录丢失：先与企迈后台的记录核对，确认后删除旁边的 .mark 文件",
            "committed records are lost: compare with the platform's records first, then remove the .mark file beside it"
        )
    } else if code == codes::JOURNAL_DAMAGED.text {
        words!(
            "连同 -wal 文件一起备份，联系技术支持；不要删除，里面有未决的交易",
            "keep a copy together with its -wal file and call support; do not delete it, open sales stand in it"
        )
    } else if code == codes::JOURNAL_LOCKED.text {
        words!(
            "关闭正在打开该文件的程序（备份、数据库浏览器）",
            "close the program that has the file open (a backup, a database browser)"
        )
    } else {
        let remedy = error.code.remedy;
        words!("检查文件位置与权限，或修改 journal", "{remedy}")
    };
    Line::failed("journal.contents", about, journal_words(code, why), remedy).with("code", code)
}

/// What to do about a journal that was moved, or is being moved.
pub(crate) fn remedy_of_move(code: &str) -> Option<Words> {
    if code == codes::JOURNAL_MOVED.text {
        Some(words!(
            "把每台收银机和每个节点的 journal 改为新的位置",
            "set journal to the new place on every till and node"
        ))
    } else if code == codes::JOURNAL_UNFINISHED.text {
        Some(words!(
            "再次运行同一条 zv journal move 命令，它会接着完成；若源还可用，也可以删除这个目标，继续使用源",
            "run the same zv journal move again, it goes on; where the source still works, this target can be removed instead"
        ))
    } else {
        None
    }
}

fn journal_words(code: &str, why: &str) -> Words {
    words!("不能使用（{code}）：{why}", "cannot be used ({code}): {why}")
}

/// The processes that use the journal. Each holds a lock on its own file. The lock is only looked up where the system
/// lists its locks, and never tried, since a till that finds the lock held would take its owner for alive.
fn owners(run: &mut Run<'_>, journal: &Path) {
    let folder = owners_folder(journal);
    let Ok(files) = std::fs::read_dir(&folder) else { return };
    let files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    let alive: Vec<String> =
        files.iter().filter(|file| is_held(file)).filter_map(|file| number(file)).collect();
    let (count, rest) = (alive.len(), files.len() - alive.len());
    let numbers = if alive.is_empty() { String::new() } else { format!(" ({})", alive.join(", ")) };
    run.say(
        Line::ok(
            "journal.owners",
            folder.display().to_string(),
            words!(
                "{count} 个进程正在使用{numbers}；另有 {rest} 个已结束（或看不到）的进程留下的文件",
                "processes that use it: {count}{numbers}; files of processes that have ended or cannot be seen from here: {rest}"
            ),
        )
        .with("alive", alive),
    );
}

/// The process's number, with which the file's name begins.
fn number(file: &Path) -> Option<String> {
    file.file_name()?.to_str()?.split('-').next().map(str::to_owned)
}

#[cfg(target_os = "linux")]
fn is_held(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(data), Ok(locks)) = (file.metadata(), std::fs::read_to_string("/proc/locks")) else {
        return false;
    };
    // `1: FLOCK  ADVISORY  WRITE 1234 08:01:131 0 EOF`; the device is not compared, since some file systems report a
    // different one there.
    let inode = format!(":{}", data.ino());
    locks.lines().any(|line| {
        line.contains("FLOCK")
            && line.split_whitespace().any(|word| word.matches(':').count() == 2 && word.ends_with(&inode))
    })
}

/// A lock keeps others from reading the file: ERROR_LOCK_VIOLATION.
#[cfg(windows)]
fn is_held(file: &Path) -> bool {
    std::fs::read(file).is_err_and(|error| error.raw_os_error() == Some(33))
}

#[cfg(not(any(target_os = "linux", windows)))]
fn is_held(_: &Path) -> bool {
    false
}
