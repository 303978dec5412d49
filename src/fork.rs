//! A forked child inherits the descriptor of the file whose lock says that its parent lives; as long as one copy is
//! open, the lock is held, and a dead parent would be taken for alive. So every child closes its copy at once, also
//! one that never calls the library.

use std::fs::File;

/// From now on a child of this process does not keep this lock; `None`: there is none (any more).
pub(crate) fn guard(file: Option<&File>) {
    unix::guard(file);
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    use std::sync::Once;
    use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

    const NONE: i32 = -1;

    static DESCRIPTOR: AtomicI32 = AtomicI32::new(NONE);
    /// Which file it was opened on: a host may have closed it and got the number for another.
    static DEVICE: AtomicU64 = AtomicU64::new(0);
    static INODE: AtomicU64 = AtomicU64::new(0);

    pub(super) fn guard(file: Option<&File>) {
        static HANDLER: Once = Once::new();
        let known = file.and_then(|file| Some((file.as_raw_fd(), file.metadata().ok()?)));
        DESCRIPTOR.store(NONE, Ordering::SeqCst);
        let Some((descriptor, metadata)) = known else { return };
        DEVICE.store(metadata.dev(), Ordering::SeqCst);
        INODE.store(metadata.ino(), Ordering::SeqCst);
        DESCRIPTOR.store(descriptor, Ordering::SeqCst);
        HANDLER.call_once(|| {
            // SAFETY: the handler lives as long as the process, since the library is never unloaded (`-z nodelete`).
            // Without memory for it a child keeps the lock, as after any fork that is not libc's.
            unsafe { libc::pthread_atfork(None, None, Some(close_in_child)) };
        });
    }

    /// Runs in the child inside `fork`, where only async-signal-safe functions may be called.
    unsafe extern "C" fn close_in_child() {
        let descriptor = DESCRIPTOR.swap(NONE, Ordering::SeqCst);
        let mut found = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: a number that is not open gives an error, and nothing was written then.
        if descriptor == NONE || unsafe { libc::fstat(descriptor, found.as_mut_ptr()) } != 0 {
            return;
        }
        // SAFETY: written by the call that succeeded.
        let found = unsafe { found.assume_init() };
        #[allow(clippy::useless_conversion, reason = "on 32-bit systems they are narrower")]
        let (device, inode) = (u64::from(found.st_dev), u64::from(found.st_ino));
        if device == DEVICE.load(Ordering::SeqCst) && inode == INODE.load(Ordering::SeqCst) {
            // SAFETY: it is this library's own file, and in this process nobody uses it any more.
            unsafe { libc::close(descriptor) };
        }
    }
}

#[cfg(not(unix))]
mod unix {
    use std::fs::File;

    /// Only Unix forks.
    pub(super) fn guard(_: Option<&File>) {}
}
