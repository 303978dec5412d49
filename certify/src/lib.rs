//! Certifies a till: starts an integrator's own program, runs it through a fixed set of scenarios against a simulator
//! of the gateway, and reports for each what the till did, what happened to the member's money, and how to fix it.
//!
//! The subject is the till's logic, not the library: does it complete a sale if and only if the money is taken, use one
//! bizId for one sale, recover after `kill -9`, and show pending sales. The till and this crate exchange lines of JSON
//! over the till's standard input and output; `docs/certify.md` describes them.
#![forbid(unsafe_code)]

mod attribution;
mod audit;
mod gateway;
mod judge;
mod money;
mod options;
mod protocol;
mod report;
mod rule;
mod sale;
mod scenario;
mod session;
mod text;
mod till;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub use gateway::{Record, Seen};
pub use options::Options;
pub use protocol::{Line, SaleLine};
pub use report::{Event, Member, Report, SaleReport, ScenarioReport};
pub use rule::{Finding, Rule};
pub use sale::SaleState;
pub use scenario::{Group, Summary, scenarios};
pub use text::Text;

/// The progress of a run, reported at its start, and from the thread of each scenario that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The number of ended scenarios.
    pub done: usize,
    /// The number of all scenarios.
    pub of: usize,
}

/// Runs the till through the scenarios. A till's misbehaviour is not an error; the report describes it.
///
/// # Errors
/// A text: no such scenario, no folder to work in, or no program to start.
pub fn run(options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report, String> {
    let wanted = |id: &str| {
        options.only.is_empty() || options.only.iter().any(|beginning| id.starts_with(beginning.as_str()))
    };
    let chosen: Vec<_> = scenario::all().into_iter().filter(|scenario| wanted(scenario.id)).collect();
    if chosen.is_empty() {
        return Err(format!("no scenario begins with {}", options.only.join(" or ")));
    }
    std::fs::create_dir_all(&options.folder)
        .map_err(|error| format!("{}: {error}", options.folder.display()))?;
    till::check(options)?;
    let of = chosen.len();
    progress(Progress { done: 0, of });
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ended = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..options.parallel.clamp(1, of) {
            scope.spawn(|| {
                while let Some((place, scenario)) = take(&next, &chosen) {
                    let report = session::run(scenario, options).map_or_else(
                        |why| judge::unplayed(scenario, why),
                        |session| judge::judge(scenario, session),
                    );
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress(Progress { done, of });
                    ended.lock().unwrap_or_else(PoisonError::into_inner).push((place, report));
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(place, _)| *place);
    Ok(Report::new(options, ended.into_iter().map(|(_, report)| report).collect()))
}

fn take<'s, T>(next: &AtomicUsize, all: &'s [T]) -> Option<(usize, &'s T)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    all.get(place).map(|one| (place, one))
}
