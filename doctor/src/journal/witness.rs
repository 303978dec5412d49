//! A witness of data that a restart loses. Each run writes a number, one higher than before, next to the journal and
//! in a second place, and flushes both. A disk that restores its old content at a restart (a write filter, 还原卡), or a
//! folder that was restored from a copy, shows a lower number than the second place or the person who noted it.
//!
//! This cannot detect that both places are restored to the same moment while no person knows the number.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zvpos_core::journal::user_folder;

use super::{beside, folder_of};
use crate::machine::system::boot;
use crate::options::Options;
use crate::report::Line;
use crate::run::Run;
use crate::words::{Words, words};

/// The record that one run leaves for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Witness {
    /// Incremented by each run.
    number: u64,
    /// Distinguishes two runs with the same number.
    value: u64,
    /// Identifies the machine's boot; empty if the system does not report it.
    boot: String,
    /// The number of changes that the journal had seen.
    sequence: u64,
}

/// The conclusion from both witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    First,
    SameBoot,
    Outlived,
    /// The journal's folder was reset, as the second place shows.
    Forgot,
    /// The journal's folder was reset, as the noted number shows.
    BelowNoted,
    /// The folder has kept the witness, but the journal is an older one.
    OlderJournal,
    /// The second place was reset.
    SecondForgot,
}

pub(super) fn examine(run: &mut Run<'_>, options: &Options, journal: &Path, sequence: Option<u64>) {
    let first = beside(journal, ".witness");
    let second = options.witness.clone().or_else(user_folder).map(|folder| folder.join(name(journal)));
    let noted = options.witness_was;
    let about = first.display().to_string();
    let done = run.within(Duration::from_secs(10), move || {
        let (here, there) = (Witness::read(&first), second.as_deref().and_then(Witness::read));
        let boot = boot().unwrap_or_default();
        let verdict = judge(here.as_ref(), there.as_ref(), noted, sequence, &boot);
        let newest = [here.map(|w| w.number), there.map(|w| w.number), noted].into_iter().flatten().max();
        let number = newest.unwrap_or(0).saturating_add(1);
        let value = getrandom::u64().unwrap_or_default();
        let witness = Witness { number, value, boot, sequence: sequence.unwrap_or_default() };
        witness.write(&first)?;
        // Without a second place, the number that a person notes is the only other record.
        let kept_twice = second.as_deref().is_some_and(|second| witness.write(second).is_ok());
        // Checked now, since the second's folder may only just have been created.
        let one_drive = second.as_deref().is_some_and(|second| same_drive(&first, second));
        Ok::<_, io::Error>((verdict, number, kept_twice && !one_drive))
    });
    match done {
        None => run.out_of_time("journal.witness", &about),
        Some(Err(error)) => run.say(Line::failed(
            "journal.witness",
            about,
            words!("不能写入并落盘：{error}", "cannot be written and flushed: {error}"),
            words!("检查磁盘是否写满、只读或损坏", "look whether the disk is full, read-only or broken"),
        )),
        Some(Ok((verdict, number, two_drives))) => {
            let known = verdict.line(about).with("number", number).with("verdict", verdict.word());
            let hint = next_time(number, two_drives);
            run.say(Line { found: known.found.clone().and(&hint), ..known });
        }
    }
}

/// The name of the second witness, different for each journal. FNV-1a gives the same name on every machine.
fn name(journal: &Path) -> String {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = journal.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold);
    format!("witness-{hash:016x}")
}

#[cfg(unix)]
fn same_drive(first: &Path, second: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let drive = |file: &Path| folder_of(file).metadata().ok().map(|data| data.dev());
    drive(first).is_some() && drive(first) == drive(second)
}

#[cfg(not(unix))]
fn same_drive(first: &Path, second: &Path) -> bool {
    first.components().next() == second.components().next()
}

impl Witness {
    /// `None` if the file is missing or incomplete.
    fn read(file: &Path) -> Option<Witness> {
        let text = fs::read_to_string(file).ok()?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        Some(Witness {
            number: field("number")?.parse().ok()?,
            value: u64::from_str_radix(field("value")?, 16).ok()?,
            boot: field("boot")?.to_owned(),
            sequence: field("sequence")?.parse().ok()?,
        })
    }

    /// On stable storage on return, as far as the disk tells the truth.
    fn write(&self, file: &Path) -> io::Result<()> {
        let Witness { number, value, boot, sequence } = self;
        fs::create_dir_all(folder_of(file))?;
        let new: PathBuf = beside(file, ".new");
        let mut written = File::create(&new)?;
        write!(written, "number={number}\nvalue={value:016x}\nboot={boot}\nsequence={sequence}\n")?;
        written.sync_all()?;
        fs::rename(&new, file)?;
        // The name must be flushed, too; only Unix can flush a folder.
        #[cfg(unix)]
        File::open(folder_of(file))?.sync_all()?;
        Ok(())
    }
}

fn judge(
    here: Option<&Witness>,
    there: Option<&Witness>,
    noted: Option<u64>,
    sequence: Option<u64>,
    boot: &str,
) -> Verdict {
    let number = here.map_or(0, |here| here.number);
    if noted.is_some_and(|noted| noted > number) {
        return Verdict::BelowNoted;
    }
    if let Some(there) = there {
        let other_run = number == there.number && here.is_some_and(|here| here.value != there.value);
        if there.number > number || other_run {
            return Verdict::Forgot;
        }
    }
    let Some(here) = here else { return Verdict::First };
    if sequence.is_some_and(|sequence| sequence < here.sequence) {
        return Verdict::OlderJournal;
    }
    if there.is_some_and(|there| there.number < here.number) {
        return Verdict::SecondForgot;
    }
    if here.boot == boot { Verdict::SameBoot } else { Verdict::Outlived }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::First => "first",
            Verdict::SameBoot => "same_boot",
            Verdict::Outlived => "outlived",
            Verdict::Forgot => "forgot",
            Verdict::BelowNoted => "below_noted",
            Verdict::OlderJournal => "older_journal",
            Verdict::SecondForgot => "second_forgot",
        }
    }

    fn line(self, about: String) -> Line {
        const CHECK: &str = "journal.witness";
        let remedy = words!(
            "把 journal 设到不受还原卡、写保护（EWF、FBWF、UWF）影响的分区，并与企迈后台核对最近的扣款；若是人为恢复了旧文件夹，也要核对",
            "set journal to a drive that no write filter (EWF, FBWF, UWF, 还原卡) protects, and compare the last payments with the platform; compare also if somebody put back an old copy"
        );
        match self {
            Verdict::First => {
                Line::ok(CHECK, about, words!("第一次写下见证", "the first witness is written"))
            }
            Verdict::SameBoot => Line::ok(
                CHECK,
                about,
                words!(
                    "见证还在；上次检查之后没有重启过",
                    "the witness is there; no restart since the last run"
                ),
            ),
            Verdict::Outlived => {
                Line::ok(CHECK, about, words!("见证在重启之后还在", "the witness has outlived a restart"))
            }
            Verdict::Forgot => Line::failed(
                CHECK,
                about,
                words!(
                    "见证丢失或变旧：落盘的内容在重启后消失了，或文件夹被恢复成旧的",
                    "the witness is gone or older than the second one: what was flushed is forgotten at a restart, or the folder was put back from a copy"
                ),
                remedy,
            ),
            Verdict::BelowNoted => Line::failed(
                CHECK,
                about,
                words!(
                    "见证的编号小于记下的编号：落盘的内容消失了",
                    "the witness is older than the number that was noted: what was flushed is forgotten"
                ),
                remedy,
            ),
            Verdict::OlderJournal => Line::failed(
                CHECK,
                about,
                words!(
                    "交易日志比上次检查时还旧：文件被换成了旧的",
                    "the journal is older than at the last run: an old copy was put in its place"
                ),
                remedy,
            ),
            Verdict::SecondForgot => Line::warning(
                CHECK,
                about,
                words!(
                    "第二处的见证变旧了，那里的内容会被还原",
                    "the second witness is older: its place forgets"
                ),
                words!(
                    "把第二处（--witness）设到另一个不会还原的位置",
                    "give another place for the second one (--witness)"
                ),
            ),
        }
    }
}

/// The advice that lets the next run detect more.
fn next_time(number: u64, two_drives: bool) -> Words {
    if two_drives {
        return words!("。编号 {number}", "(number {number})");
    }
    words!(
        "。编号 {number}：两处在同一磁盘，整盘还原看不出来，请记下编号，重启后以 --witness-was {number} 再检查",
        "(number {number}); both witnesses are on one drive and cannot detect a reset of all of it: note the number, and after a restart check with --witness-was {number}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(number: u64, value: u64) -> Witness {
        Witness { number, value, boot: "a".into(), sequence: 10 }
    }

    #[test]
    fn what_two_witnesses_say() {
        let w = witness(7, 1);
        let older = witness(6, 2);
        for (here, there, noted, sequence, boot, verdict) in [
            (None, None, None, Some(10), "a", Verdict::First),
            (Some(&w), Some(&w), None, Some(10), "a", Verdict::SameBoot),
            (Some(&w), Some(&w), Some(7), Some(12), "b", Verdict::Outlived),
            (None, Some(&w), None, Some(10), "b", Verdict::Forgot),
            (Some(&older), Some(&w), None, Some(10), "b", Verdict::Forgot),
            (Some(&witness(7, 9)), Some(&w), None, Some(10), "a", Verdict::Forgot),
            (Some(&older), Some(&older), Some(7), Some(10), "b", Verdict::BelowNoted),
            (None, None, Some(1), None, "b", Verdict::BelowNoted),
            (Some(&w), Some(&w), None, Some(9), "a", Verdict::OlderJournal),
            (Some(&w), Some(&older), None, Some(10), "b", Verdict::SecondForgot),
            (Some(&w), None, None, None, "b", Verdict::Outlived),
        ] {
            assert_eq!(judge(here, there, noted, sequence, boot), verdict, "{here:?} {there:?} {noted:?}");
        }
    }
}
