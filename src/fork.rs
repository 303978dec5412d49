//! A forked child inherits the descriptor of the file whose lock says that its parent lives; as long as one copy
//! is open, the lock is held. So the child's first call closes its copy.

use std::fs::File;
use std::sync::{Mutex, PoisonError};

/// The parent's lock, as its child finds it.
#[derive(Default)]
pub(crate) struct InheritedLock {
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix forks"))]
    known: Mutex<Option<Known>>,
}

/// A descriptor, and which file it was opened on: a child may have closed it and got the number for another.
#[derive(Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code, reason = "only Unix forks"))]
struct Known {
    descriptor: i32,
    device: u64,
    inode: u64,
}

impl InheritedLock {
    /// Called in the parent when it has taken its lock.
    pub(crate) fn remember(&self, file: Option<&File>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = file.and_then(known);
    }

    /// Called in the child, before it has threads.
    pub(crate) fn close(&self) {
        // The lock may have been held by another thread of the parent at the moment of the fork.
        if let Some(known) = self.known.try_lock().ok().and_then(|mut known| known.take()) {
            close(known);
        }
    }
}

#[cfg(unix)]
fn known(file: &File) -> Option<Known> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().ok()?;
    Some(Known { descriptor: file.as_raw_fd(), device: metadata.dev(), inode: metadata.ino() })
}

#[cfg(not(unix))]
fn known(_: &File) -> Option<Known> {
    None
}

#[cfg(unix)]
fn close(known: Known) {
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd;
    use std::os::unix::fs::MetadataExt;
    // SAFETY: only looked at, and not closed by being dropped; a number that is not open gives an error.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(known.descriptor) });
    let same =
        file.metadata().is_ok_and(|metadata| metadata.dev() == known.device && metadata.ino() == known.inode);
    if same {
        drop(ManuallyDrop::into_inner(file));
    }
}

#[cfg(not(unix))]
fn close(_: Known) {}
