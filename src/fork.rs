//! A forked child inherits the descriptor of the lock file that proves its parent alive. The lock is held while any
//! copy is open, so a dead parent would be taken for alive. Every child therefore closes its copy at once, even if it
//! never calls the library. And it does not use its parent's state: a page that the kernel wipes in a child shows in one
//! read, without a system call, whether the process is still the one that marked it.

use std::fs::File;

/// From now on a forked child closes its copy of this lock file; `None` for no lock.
pub(crate) fn guard(file: Option<&File>) {
    unix::guard(file);
}

/// Whether this process, and not a parent of it, has called [`mark`]. `false` where the kernel cannot tell.
pub(crate) fn is_marked() -> bool {
    page::is_marked()
}

/// Marks this process, so that a child that it forks is not marked.
pub(crate) fn mark() {
    page::mark();
}

#[cfg(target_os = "linux")]
mod page {
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

    const LENGTH: usize = size_of::<AtomicU32>();

    /// A mapping that is wiped in a child however that is forked; null until there is one.
    static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

    pub(super) fn is_marked() -> bool {
        // SAFETY: the mapping is never unmapped.
        unsafe { PAGE.load(Ordering::Acquire).as_ref() }.is_some_and(|mark| mark.load(Ordering::Acquire) != 0)
    }

    pub(super) fn mark() {
        if PAGE.load(Ordering::Acquire).is_null() {
            let Some(page) = mapped() else { return };
            if PAGE.compare_exchange(ptr::null_mut(), page, Ordering::AcqRel, Ordering::Acquire).is_err() {
                unmap(page);
            }
        }
        // SAFETY: as above.
        if let Some(mark) = unsafe { PAGE.load(Ordering::Acquire).as_ref() } {
            mark.store(1, Ordering::Release);
        }
    }

    /// A new mapping; `None` if it would not be wiped.
    fn mapped() -> Option<*mut AtomicU32> {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: asks for memory of its own.
        let page = unsafe { libc::mmap(ptr::null_mut(), LENGTH, access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // An emulator that ignores the advice accepts one that does not exist, too.
        // SAFETY: the memory is not in use yet.
        let is_wiped = unsafe {
            libc::madvise(page, LENGTH, -1) != 0 && libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) == 0
        };
        if is_wiped {
            return Some(page.cast());
        }
        unmap(page.cast());
        None
    }

    fn unmap(page: *mut AtomicU32) {
        // SAFETY: the mapping is this module's own, and nobody else has its address.
        unsafe { libc::munmap(page.cast(), LENGTH) };
    }
}

#[cfg(not(target_os = "linux"))]
mod page {
    pub(super) fn is_marked() -> bool {
        false
    }

    pub(super) fn mark() {}
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
    /// Device and inode of the lock file: a host may have closed it and got the number for another file.
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
            // If there is no memory to register it, a child keeps the lock, as after any fork that bypasses libc.
            unsafe { libc::pthread_atfork(None, None, Some(close_in_child)) };
        });
    }

    /// Runs in the child inside `fork`, where only async-signal-safe functions may be called.
    unsafe extern "C" fn close_in_child() {
        let descriptor = DESCRIPTOR.swap(NONE, Ordering::SeqCst);
        let mut found = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: a closed descriptor returns an error, and then `found` is not read.
        if descriptor == NONE || unsafe { libc::fstat(descriptor, found.as_mut_ptr()) } != 0 {
            return;
        }
        // SAFETY: initialised by the successful call.
        let found = unsafe { found.assume_init() };
        #[allow(clippy::useless_conversion, reason = "on 32-bit systems they are narrower")]
        let (device, inode) = (u64::from(found.st_dev), u64::from(found.st_ino));
        if device == DEVICE.load(Ordering::SeqCst) && inode == INODE.load(Ordering::SeqCst) {
            // SAFETY: it is this library's own file, and nothing in the child uses it.
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
