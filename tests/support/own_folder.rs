//! A folder of a test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder inside `parent` that no other test uses. The first one of a process removes what ended processes left
/// there, so that a run of all tests takes no more of the disk than one of its programs does.
pub fn own_folder(parent: &Path) -> PathBuf {
    static SWEEP: Once = Once::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let work = parent.join("work");
    SWEEP.call_once(|| {
        for left in fs::read_dir(&work).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(left.file_name()).exists() {
                // Another process may sweep at the same time.
                let _ = fs::remove_dir_all(left.path());
            }
        }
        // An earlier process had the same process id.
        let _ = fs::remove_dir_all(work.join(std::process::id().to_string()));
    });
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = work.join(std::process::id().to_string()).join(number.to_string());
    fs::create_dir_all(&folder).unwrap();
    folder
}
