//! The journal: where it is, whether written data persists, and what it contains. The database itself is only read;
//! the files that are written here are next to it and have their own names.

pub(crate) mod contents;
mod disk;
mod flush;
mod witness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use zvpos_core::config::Config;
use zvpos_core::journal::{DEFAULT_FILE, machine_folder, user_folder};

use crate::options::Options;
use crate::report::Line;
use crate::run::Run;
use crate::words::words;

pub(crate) fn examine(run: &mut Run<'_>, options: &Options, config: Option<&Config>) {
    let Some(journal) = place(options, config) else {
        return run.say(Line::warning(
            "journal.folder",
            "",
            words!("还没有交易日志文件", "there is no journal yet"),
            words!(
                "先启动一次收银程序（zv_init 会建立文件），再运行检查",
                "start the till once (zv_init makes the file), then run the doctor again"
            ),
        ));
    };
    if !folder(run, &journal) {
        return;
    }
    owner(run, &journal);
    if disk::examine(run, &journal) {
        flush::examine(run, &journal);
    }
    let sequence = contents::examine(run, options, &journal);
    witness::examine(run, options, &journal, sequence);
}

/// The file that `zv_init` would use; nothing is created.
pub(crate) fn place(options: &Options, config: Option<&Config>) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    if config.is_some_and(|config| config.database.is_some()) {
        return None;
    }
    let configured = if let Some(config) = config {
        config.journal.clone()
    } else {
        // A configuration with other mistakes may still name its journal.
        let value = serde_json::from_str::<Value>(&options.config).ok();
        let named = value.as_ref().and_then(|config| config.get("journal"));
        let named = named.and_then(Value::as_str).map(PathBuf::from);
        // A path that depends on this program's working folder is ignored.
        if named.as_deref().is_some_and(Path::is_relative) {
            return None;
        }
        named
    };
    let journal = configured.or_else(|| {
        let folders = [Some(machine_folder()), user_folder()];
        folders.into_iter().flatten().map(|folder| folder.join(DEFAULT_FILE)).find(|file| file.exists())
    })?;
    // Its lock and its watermark are next to the file itself, not next to a link to it.
    Some(journal.canonicalize().unwrap_or(journal))
}

/// The folder of a file.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file next to the journal whose name begins with the journal's.
fn beside(journal: &Path, ending: &str) -> PathBuf {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    journal.with_file_name(name)
}

/// Whether the folder exists and is writable.
fn folder(run: &mut Run<'_>, journal: &Path) -> bool {
    let folder = folder_of(journal).to_owned();
    let about = folder.display().to_string();
    if !folder.exists() && to_be_made(run, &folder) {
        run.say(Line::ok(
            "journal.folder",
            about,
            words!(
                "尚不存在，可以建立：首次启动收银程序时由 zv_init 建立，之后请再检查一次",
                "is not there yet and can be made: zv_init makes it at the till's first start; run the doctor again then"
            ),
        ));
        return false;
    }
    let probe = beside(journal, &format!(".doctor-{}", std::process::id()));
    let tried = run.within(Duration::from_secs(3), move || {
        std::fs::write(&probe, "")?;
        std::fs::remove_file(&probe)
    });
    let line = match tried {
        None => {
            run.out_of_time("journal.folder", &about);
            return false;
        }
        Some(Ok(())) => {
            Line::ok("journal.folder", about, words!("存在且可写", "is there and can be written"))
        }
        Some(Err(error)) if !folder.exists() => Line::failed(
            "journal.folder",
            about,
            words!("文件夹不存在：{error}", "is not there: {error}"),
            words!(
                "建立该文件夹并允许收银程序的用户写入，或修改 journal",
                "make the folder and let the till's user write it, or change journal"
            ),
        ),
        Some(Err(error)) => Line::failed(
            "journal.folder",
            about,
            words!("不能写入：{error}", "cannot be written: {error}"),
            words!(
                "给运行收银程序的用户该文件夹的写权限；只读挂载的分区改为可写；否则不能扣款",
                "give the till's user the right to write the folder, or mount it writable: until then nothing can be paid"
            ),
        ),
    };
    let usable = line.remedy.is_none();
    run.say(line);
    usable
}

/// Whether a folder can be created in the nearest existing parent.
fn to_be_made(run: &mut Run<'_>, folder: &Path) -> bool {
    let Some(above) = folder.ancestors().find(|above| above.exists()) else { return false };
    let probe = above.join(format!(".doctor-{}", std::process::id()));
    let tried = run.within(Duration::from_secs(3), move || {
        std::fs::create_dir(&probe)?;
        std::fs::remove_dir(&probe)
    });
    matches!(tried, Some(Ok(())))
}

/// The owner of the file, read from the folder: opening and closing the database may drop SQLite's locks of this
/// process.
#[cfg(unix)]
fn owner(run: &mut Run<'_>, journal: &Path) {
    use std::os::unix::fs::MetadataExt;
    let Ok(data) = std::fs::metadata(journal) else { return };
    let about = journal.display().to_string();
    let (uid, mode, me) = (data.uid(), data.mode() & 0o777, rustix::process::geteuid().as_raw());
    let writable = rustix::fs::access(journal, rustix::fs::Access::WRITE_OK).is_ok();
    let found = words!(
        "属于用户 {uid}，权限 {mode:03o}；本次检查以用户 {me} 运行",
        "belongs to user {uid}, mode {mode:03o}; the doctor runs as user {me}"
    );
    run.say(if writable {
        Line::ok("journal.owner", about, found)
    } else {
        Line::failed(
            "journal.owner",
            about,
            found.and(&words!("，不能写入", "and cannot write it")),
            words!(
                "以收银程序的用户运行检查；若收银程序也是此用户，则给它该文件的写权限",
                "run the doctor as the till's user; if that is this one, let it write the file"
            ),
        )
    });
}

#[cfg(not(unix))]
fn owner(run: &mut Run<'_>, journal: &Path) {
    let Ok(data) = std::fs::metadata(journal) else { return };
    if data.permissions().readonly() {
        run.say(Line::failed(
            "journal.owner",
            journal.display().to_string(),
            words!("文件是只读的", "the file is read-only"),
            words!("去掉文件的只读属性", "take the read-only attribute away"),
        ));
    }
}
