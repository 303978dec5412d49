//! The duration of a start: `zv_init` alone, and from the start of a process to its answer.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Location;
use crate::contestant::fine;
use crate::report::Report;

/// `zv_init` alone, and the process up to its answer.
type Took = [Duration; 2];

/// With a journal that does not exist yet, and with a large one.
pub(crate) fn run(
    place: &Location,
    empty: &Path,
    large: &Path,
    entries: usize,
    report: &mut Report,
) -> Result<(), String> {
    report.start("the first ever, which makes the journal", start(place, empty)?);
    report.start("warm", median(place, empty, 9, false)?);
    report.start(&format!("warm, {entries} entries"), median(place, large, 3, false)?);
    if drop_caches() {
        report.start("cold", median(place, empty, 5, true)?);
        report.start(&format!("cold, {entries} entries"), median(place, large, 1, true)?);
    } else {
        report.missing("a cold start", "only root empties the page cache", "make bench, as root");
    }
    Ok(())
}

fn start(place: &Location, config: &Path) -> Result<Took, String> {
    let begun = Instant::now();
    let said = fine(Command::new(place.program("zvpos")).arg("start").arg(config))?;
    let ended = begun.elapsed();
    let ns = said.split_whitespace().map(|ns| ns.parse().map(Duration::from_nanos));
    let [init, after] = ns.collect::<Result<Vec<_>, _>>().map_err(|error| format!("{said:?}: {error}"))?[..]
    else {
        return Err(format!("a start said {said:?}"));
    };
    // Time after the answer is not part of the start.
    Ok([init, ended.saturating_sub(after)])
}

fn median(place: &Location, config: &Path, count: usize, cold: bool) -> Result<Took, String> {
    let mut all = Vec::new();
    for _ in 0..count {
        if cold && !drop_caches() {
            return Err("the page cache cannot be emptied any more".to_owned());
        }
        all.push(start(place, config)?);
    }
    all.sort_unstable();
    all.get(all.len() / 2).copied().ok_or_else(|| "no start".to_owned())
}

/// Needs root; without it no start is reported as cold. Pages that are not on disk yet cannot be dropped.
fn drop_caches() -> bool {
    let flushed = Command::new("sync").status().is_ok_and(|status| status.success());
    let opened = std::fs::OpenOptions::new().write(true).open("/proc/sys/vm/drop_caches");
    flushed && opened.and_then(|mut file| file.write_all(b"3\n")).is_ok()
}
