//! A disk whose cache flush takes a given time: a loop device on a file of `benches/peers/slow_disk.c`. All contestants
//! on it pay for every flush that their file system asks for, and nobody else writes to it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Location;
use crate::contestant::compile;
use crate::disk::Disk;

/// As on a hard disk or a cheap flash card.
pub(crate) const SLOW_MS: f64 = 5.0;
/// As on a good solid-state disk.
pub(crate) const FAST_MS: f64 = 0.2;

/// The disk's name in the results.
pub(crate) fn name(flush_ms: f64) -> String {
    format!("a disk with {flush_ms} ms a flush")
}

/// The mounted disk and the program behind it, both of which end on drop.
pub(crate) struct SlowDisk {
    disk: Option<Disk>,
    under: PathBuf,
    program: Child,
}

impl SlowDisk {
    pub(crate) fn start(place: &Location, flush_ms: f64) -> Result<SlowDisk, String> {
        let program = compile(place, "slow_disk", &["-I/usr/include/fuse3", "-lfuse3"])?;
        let under = place.folder.join("under-slow-disk");
        std::fs::create_dir_all(&under).map_err(|error| format!("{}: {error}", under.display()))?;
        let mut command = Command::new(program);
        command
            .arg(&under)
            .args([Disk::BYTES.to_string(), format!("{:.0}", flush_ms * 1000.0)])
            .stdin(Stdio::null());
        let program = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut slow = SlowDisk { disk: None, under, program };
        let image = slow.under.join("disk");
        let started = Instant::now();
        while !image.exists() {
            if started.elapsed() > Duration::from_secs(10) {
                return Err("slow_disk shows no disk".to_owned());
            }
            thread::sleep(Duration::from_millis(10));
        }
        slow.disk = Some(Disk::mount(&image, place.folder.join("slow-disk"))?);
        Ok(slow)
    }

    /// The same run with its journals on this disk.
    pub(crate) fn place(&self, place: &Location) -> Location {
        let folder = self.disk.as_ref().map_or(&place.folder, |disk| &disk.folder);
        place.with_folder(folder.clone())
    }
}

impl Drop for SlowDisk {
    fn drop(&mut self) {
        drop(self.disk.take());
        // The program ends with its mount.
        let _ = Command::new("umount").arg(&self.under).status();
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
