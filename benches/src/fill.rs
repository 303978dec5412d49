//! Fills a journal like that of a busy till after some years, with `entries` settled sales.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zvpos_core::gateway::{GatewayStatus, Identity, environment_of};
use zvpos_core::journal::{Guard, Liveness, Sqlite, Store};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Stage};

/// Writes the journal in memory, where a commit needs no disk, and then copies it to `path`.
pub(crate) fn fill(path: &Path, entries: u32, endpoint: &str) -> Result<(), String> {
    let memory = PathBuf::from(format!("/dev/shm/zvpos-bench-{}.db", std::process::id()));
    let filled = write(&memory, entries, endpoint)
        .and_then(|()| copy(&memory, path).map_err(|error| format!("{}: {error}", path.display())));
    for what in ["", "-wal", "-shm", ".mark"] {
        // After a success these files do not exist.
        let _ = std::fs::remove_file(format!("{}{what}", memory.display()));
    }
    let _ = std::fs::remove_dir_all(format!("{}.owners", memory.display()));
    filled
}

/// Flushed to disk on return, so that none of it is still being written during a measurement.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    std::fs::File::open(to)?.sync_all()
}

fn write(path: &Path, entries: u32, endpoint: &str) -> Result<(), String> {
    let journal = Sqlite::open(path).map_err(|error| format!("{error}"))?;
    let amount = Amount::parse("12.50").map_err(|error| format!("{error}"))?;
    for number in 0..entries {
        let biz_id = BizId::new(&format!("POS0001-20260101-{number:07}")).map_err(str::to_owned)?;
        let entry = Entry::restore(
            Key {
                open_id: "fake-open-id-for-test-only-0001".into(),
                environment: environment_of(endpoint),
                biz_id,
            },
            Identity {
                customer_id: Some("383933091455959041".into()),
                amount: Some(amount),
                coupons: vec!["390962138708451328".into()],
                ..Identity::default()
            },
            Stage::Succeeded,
            1,
            1,
            journal.owner().clone(),
            OnUnknown::Reverse,
            1_767_225_600_000 + i64::from(number) * 60_000,
            Detail {
                acknowledged: true,
                words: Some(GatewayStatus { code: "0".into(), message: "操作成功".into() }),
                ..Detail::default()
            },
        );
        journal
            .record(&entry, Guard::Off, Instant::now() + Duration::from_secs(3))
            .map_err(|error| format!("{error}"))?;
    }
    Ok(())
}
