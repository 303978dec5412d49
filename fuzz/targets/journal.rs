//! The journal's files with some bytes changed: the database, its WAL, and the mark. The journal is refused, or each record
//! is found as it was written: a damaged file never makes a sale look as if it had not been.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use zvpos_core::gateway::Identity;
use zvpos_core::journal::{Guard, Opening, Page, Recorded, Sqlite, Store, inspect};
use zvpos_core::money::BizId;
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Owner, Stage};

/// What is changed, by its ending, and what stands in it.
struct Whole {
    folder: PathBuf,
    files: [(&'static str, Vec<u8>); 3],
    entries: Vec<Entry>,
}

fuzz_target!(|input: &[u8]| {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    let whole = WHOLE.get_or_init(whole);
    let path = whole.folder.join("changed.db");
    let mut changed = whole.files.clone();
    // Of one file: a mark that is lowered and a WAL that is cut short to it cannot be told from a journal that ends there.
    let Some((file, changes)) = input.split_first() else { return };
    let Some((_, content)) = changed.get_mut(usize::from(file % 3)) else { return };
    // A change is a place and up to eight bytes.
    for change in changes.chunks(11) {
        let [low, middle, count, bytes @ ..] = change else { continue };
        let at = (usize::from(*low) << 8 | usize::from(*middle)) * 7 % content.len().max(1);
        for (place, byte) in content.iter_mut().skip(at).zip(bytes.iter().take(usize::from(count % 9))) {
            *place = *byte;
        }
        // A file may also end early.
        if *count == 255 {
            content.truncate(at);
        }
    }
    let _ = fs::remove_file(beside(&path, "-shm"));
    for (ending, content) in &changed {
        fs::write(beside(&path, ending), content).unwrap();
    }
    let _ = inspect(&path, Duration::from_millis(50));
    let later = file & 128 != 0;
    let opening = Opening { patience: Duration::from_millis(50), later, ..Opening::default() };
    let Ok(journal) = Sqlite::open_as(&path, &opening) else { return };
    for entry in &whole.entries {
        if let Ok(found) = journal.find(entry.key()) {
            assert_eq!(found.as_ref(), Some(entry));
        }
    }
    if let Ok(unsettled) = journal.unsettled(Page { after: None, limit: usize::MAX }) {
        let expected = whole.entries.iter().filter(|entry| entry.stage().is_unsettled()).count();
        assert_eq!(unsettled.len(), expected);
    }
});

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A journal with states and with events that are not fed, as a killed process leaves it.
fn whole() -> Whole {
    let folder = std::env::temp_dir().join(format!("zvpos-fuzz-journal-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("whole.db");
    let journal = Sqlite::open(&path).unwrap();
    let mut entries = Vec::new();
    for number in 0..40 {
        let stage = if number % 5 == 0 { Stage::Unknown } else { Stage::Succeeded };
        let entry = entry(number, stage);
        let written = journal.record(&entry, Guard::Off, Instant::now() + Duration::from_secs(3));
        assert!(matches!(written, Ok(Recorded::Done(()))));
        entries.push(entry);
        if number == 25 {
            // Closing feeds the log; the journal may be used on.
            journal.close();
        }
    }
    let files = ["", "-wal", ".mark"].map(|ending| (ending, fs::read(beside(&path, ending)).unwrap()));
    // The room behind the WAL's end is left out: changes there say nothing.
    let files = files.map(|(ending, mut content)| {
        while ending == "-wal" && content.last() == Some(&0) {
            content.pop();
        }
        (ending, content)
    });
    Whole { folder, files, entries }
}

fn entry(number: u32, stage: Stage) -> Entry {
    let biz_id = BizId::new(&format!("B{number}")).unwrap();
    Entry::restore(
        Key { open_id: "o".to_owned(), environment: "http://e".to_owned(), biz_id },
        Identity { customer_id: Some(number.to_string()), ..Identity::default() },
        stage,
        1,
        1,
        Owner("1-dead".to_owned()),
        OnUnknown::Hold,
        i64::from(number),
        Detail { data: Some("{\"change_gift_amount\":\"1.00\"}".to_owned()), ..Detail::default() },
    )
}
