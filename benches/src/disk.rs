//! Where the journals of a measurement are: in memory, or on a file system of their own on a loop device, whose writes
//! and cache flushes the kernel counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contestant::fine;

/// A folder in memory, where a flush costs nothing; removed on drop.
pub(crate) struct InMemory(pub(crate) PathBuf);

impl InMemory {
    pub(crate) fn new(name: &str) -> Result<InMemory, String> {
        let folder = PathBuf::from(format!("/dev/shm/zvpos-benches-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(InMemory(folder))
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a device was asked for so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) flushes: u64,
    pub(crate) kib: f64,
}

impl Traffic {
    /// Cache flushes and KB for each of `count` calls since `before`.
    #[allow(clippy::cast_precision_loss, reason = "figures to be printed with few digits")]
    pub(crate) fn each(self, before: Traffic, count: usize) -> [f64; 2] {
        let flushes = self.flushes.saturating_sub(before.flushes) as f64;
        [flushes, (self.kib - before.kib) * 1024.0 / 1000.0].map(|figure| figure / count as f64)
    }
}

/// A mounted ext4, as a till's own disk has it; unmounted on drop. Needs root.
pub(crate) struct Disk {
    pub(crate) folder: PathBuf,
}

impl Disk {
    /// The size of a disk in memory.
    pub(crate) const BYTES: u64 = 96 << 20;

    /// Makes a file system in the image and mounts it at the folder. No table of it is written later.
    pub(crate) fn mount(image: &Path, folder: PathBuf) -> Result<Disk, String> {
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let whole = "lazy_itable_init=0,lazy_journal_init=0";
        fine(Command::new("mkfs.ext4").args(["-q", "-F", "-b", "4096", "-E", whole]).arg(image))?;
        // It commits only when it is asked to, not every few seconds, so that the traffic does not depend on the time.
        fine(Command::new("mount").args(["-o", "loop,noatime,commit=300"]).args([image, &folder]))?;
        Ok(Disk { folder })
    }

    /// A disk in memory: as fast as it can be, and without anybody else's writes.
    pub(crate) fn in_memory(name: &str, folder: PathBuf) -> Result<Disk, String> {
        // The mount keeps the file.
        let memory = InMemory::new(name)?;
        let image = memory.0.join("image");
        let made = fs::File::create(&image).and_then(|file| file.set_len(Disk::BYTES));
        made.map_err(|error| format!("{}: {error}", image.display()))?;
        Disk::mount(&image, folder)
    }

    /// What the device was asked for since it was mounted.
    pub(crate) fn traffic(&self) -> Result<Traffic, String> {
        let folder = fs::canonicalize(&self.folder).map_err(|error| format!("{error}"))?;
        let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        let mounts = read("/proc/self/mountinfo")?;
        // Mount, parent, device, root, mount point. The last mount at a place is the one that is seen.
        let device = mounts.lines().rev().find_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            (Path::new(fields.get(4)?) == folder).then_some(*fields.get(2)?)
        });
        let device = device.ok_or_else(|| format!("{} is not mounted", folder.display()))?;
        let stat = read(&format!("/sys/dev/block/{device}/stat"))?;
        let field = |index| stat.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok());
        // The kernel's Documentation/block/stat.rst: write sectors of 512 bytes, flush I/Os.
        let [Some(sectors), Some(flushes)] = [6, 15].map(field) else {
            return Err(format!("{device} counts no flushes: {stat}"));
        };
        #[allow(clippy::cast_precision_loss, reason = "a figure to be printed with few digits")]
        Ok(Traffic { flushes, kib: sectors as f64 / 2.0 })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The loop device is freed with its mount.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
