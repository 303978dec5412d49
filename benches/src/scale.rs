//! Many threads, a large journal, the start, and what the library weighs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Place;
use crate::contestant::{Contestant, compile};
use crate::fill::fill;
use crate::report::Report;
use crate::server::Server;

const SLOW_GATEWAY: Duration = Duration::from_millis(30);
const MILLION: usize = 1_000_000;

pub(crate) fn run(place: &Place, server: &Server, report: &mut Report) -> Result<(), String> {
    threads(place, server, report)?;
    let zvpos = place.root.join("target/benches/zvpos");
    let large = place.config(server, "large")?;
    let entries = place.calls(MILLION);
    let endpoint = format!("http://{}/api/v2", server.address);
    fill(&place.folder.join("large.db"), u32::try_from(entries).unwrap_or(u32::MAX), &endpoint)?;
    starts(place, server, &large, entries, report)?;
    large_journal(place, server, &zvpos, &large, entries, report)?;
    report.library(std::fs::metadata(&place.library).map_err(|error| format!("{error}"))?.len());
    Ok(())
}

fn threads(place: &Place, server: &Server, report: &mut Report) -> Result<(), String> {
    let folder = place.library.parent().unwrap_or(&place.root).display().to_string();
    let link = [format!("-L{folder}"), format!("-Wl,-rpath,{folder}")];
    let program = compile(&place.root, "threads", &["-pthread", &link[0], &link[1], "-lzvpos"])?;
    server.take(SLOW_GATEWAY);
    for what in ["quote", "consume"] {
        for threads in [1_u32, 8, 64] {
            let config = place.config(server, &format!("threads-{what}-{threads}"))?;
            let seconds = if place.quick { "2" } else { "8" };
            let output = Command::new(&program)
                .arg(config)
                .args([&threads.to_string(), seconds, what])
                .stderr(Stdio::inherit())
                .output()
                .map_err(|error| format!("{error}"))?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let figures: Vec<f64> =
                said.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
            let [calls, took, p50, p99, resident, peak, descriptors] = figures[..] else {
                return Err(format!("threads {threads} {what} said {said:?}"));
            };
            let most = f64::from(threads) / SLOW_GATEWAY.as_secs_f64();
            report.threads(what, threads, calls / took, most, [p50, p99, resident, peak, descriptors]);
        }
    }
    server.take(Duration::ZERO);
    Ok(())
}

/// From the start of a process to the answer of `zv_init`.
fn starts(
    place: &Place,
    server: &Server,
    large: &Path,
    entries: usize,
    report: &mut Report,
) -> Result<(), String> {
    let zvpos = place.root.join("target/benches/zvpos");
    let start = |config: &Path| -> Result<Duration, String> {
        let begun = Instant::now();
        Contestant::start("a start", Command::new(&zvpos).arg("quote").arg(config))?.calls(1)?;
        Ok(begun.elapsed())
    };
    let median = |config: &Path, count: usize| -> Result<Duration, String> {
        let mut took = (0..count).map(|_| start(config)).collect::<Result<Vec<_>, _>>()?;
        took.sort();
        took.get(took.len() / 2).copied().ok_or_else(|| "none".to_owned())
    };
    let empty = place.config(server, "start")?;
    let first = start(&empty)?;
    report.start("first, makes the journal", first);
    report.start("warm", median(&empty, 9)?);
    if drop_caches() {
        report.start("cold (page cache dropped)", start(&empty)?);
    }
    report.start(&format!("warm, {entries} entries"), median(large, 3)?);
    if drop_caches() {
        report.start(&format!("cold, {entries} entries"), start(large)?);
    }
    Ok(())
}

/// Needs root; a start that is not cold is not called so.
fn drop_caches() -> bool {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .open("/proc/sys/vm/drop_caches")
        .and_then(|mut file| file.write_all(b"3\n"));
    written.is_ok()
}

/// The same consume with an empty journal and with a large one, in turn.
fn large_journal(
    place: &Place,
    server: &Server,
    zvpos: &Path,
    large: &Path,
    entries: usize,
    report: &mut Report,
) -> Result<(), String> {
    let empty = place.config(server, "empty")?;
    let mut pair = [
        Contestant::start("consume, empty journal", Command::new(zvpos).arg("consume").arg(empty))?,
        Contestant::start("consume, large journal", Command::new(zvpos).arg("consume").arg(large))?,
    ];
    for contestant in &mut pair {
        contestant.calls(place.calls(500))?;
    }
    for _ in 0..20 {
        for contestant in &mut pair {
            let took = contestant.calls(place.calls(250))?;
            contestant.took.extend(took);
        }
    }
    let [small, large] = &mut pair;
    report.large(entries, &mut small.took, &mut large.took);
    Ok(())
}
