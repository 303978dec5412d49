//! Many threads, and the memory and size of a till and of the library.

use std::process::Command;
use std::time::Duration;

use crate::Location;
use crate::contestant::{Contestant, fine, linked};
use crate::report::{Parallel, Report, Till, memory_kib};
use crate::server::Server;

const SLOW_GATEWAY: Duration = Duration::from_millis(30);

pub(crate) fn run(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    let program = linked(place, "threads", &["-pthread"])?;
    let seconds = if place.quick { "2" } else { "8" };
    server.take(SLOW_GATEWAY);
    for what in ["quote", "consume"] {
        for threads in [1_u32, 8, 64] {
            let config = place.config(server, &format!("threads-{what}-{threads}"))?;
            let mut command = Command::new(&program);
            let said = fine(command.arg(config).args([&threads.to_string(), seconds, what]))?;
            let figures: Vec<f64> =
                said.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
            let [calls, took, p50, p99, resident_kib, peak_kib, descriptors] = figures[..] else {
                return Err(format!("threads {threads} {what} said {said:?}"));
            };
            let most = f64::from(threads) / SLOW_GATEWAY.as_secs_f64();
            report.threads.push(Parallel {
                what: what.to_owned(),
                threads,
                calls_a_second: calls / took,
                share: calls / took / most,
                p50_ms: p50 / 1e6,
                p99_ms: p99 / 1e6,
                resident_kib,
                peak_kib,
                descriptors,
            });
        }
    }
    server.take(Duration::ZERO);
    for what in ["quote", "consume"] {
        report.tills.push(till(place, server, what)?);
    }
    report.library_bytes = std::fs::metadata(&place.library).map_err(|error| format!("{error}"))?.len();
    Ok(())
}

/// A separate till, so that its memory is due to its first 1,000 calls alone.
fn till(place: &Location, server: &Server, what: &'static str) -> Result<Till, String> {
    let config = place.config(server, &format!("till-{what}"))?;
    let mut till = Contestant::start(what, Command::new(place.program("zvpos")).arg(what).arg(config))?;
    let memory = |pid: u32| memory_kib(pid).ok_or_else(|| format!("no memory of {what}"));
    till.calls(1)?;
    let [idle_kib, _] = memory(till.pid())?;
    till.calls(999)?;
    let [used_kib, peak_kib] = memory(till.pid())?;
    Ok(Till { what: what.to_owned(), idle_kib, used_kib, peak_kib })
}
