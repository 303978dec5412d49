//! Certifies a till: starts an integrator's own program, leads it through a fixed set of scenarios against a simulator
//! of the gateway, and says for each what the till did, what the member's money looks like, and what to mend.
//!
//! What is tested is the till's logic, not the library: does it complete a sale if and only if the money is taken,
//! does it keep one bizId for one sale, does it come back after `kill -9`, does it show what waits. The till and this
//! crate talk in lines of JSON over the till's standard input and output; `docs/certify.md` describes them.
#![forbid(unsafe_code)]

mod audit;
mod gateway;
mod judge;
mod play;
mod protocol;
mod report;
mod scenario;
mod text;
mod till;
mod yuan;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub use judge::{Finding, Rule};
pub use protocol::{Line, Said, SaleLine};
pub use report::{Event, Member, Record, Report, SaleReport, ScenarioReport, Seen};
pub use scenario::{Group, Summary, scenarios};
pub use text::Text;

/// What is certified, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The till: a program and its arguments. It is started anew for every scenario and after every crash.
    pub till: Vec<OsString>,
    /// Variables for the till's environment, beside those of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// Where each scenario gets a folder of its own: the journal, the till's files, what it wrote to stderr.
    pub folder: PathBuf,
    /// Only scenarios whose id begins with one of these; empty is all.
    pub only: Vec<String>,
    /// How many scenarios run at once.
    pub parallel: usize,
    /// How long a till may take for one line of the certifier's.
    pub time_limit: Duration,
}

impl Options {
    /// All scenarios, eight at a time, half a minute for a line.
    pub fn new(till: Vec<OsString>, folder: PathBuf) -> Options {
        Options {
            till,
            environment: Vec::new(),
            folder,
            only: Vec::new(),
            parallel: 8,
            time_limit: Duration::from_secs(30),
        }
    }
}

/// How far a run has come; told from the threads that run the scenarios.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The scenario that has just ended.
    pub ended: &'a ScenarioReport,
    /// How many have ended, this one included.
    pub done: usize,
    /// How many there are.
    pub of: usize,
}

/// Leads the till through the scenarios. Nothing that a till does is an error: it stands in the report.
///
/// # Errors
/// In words: there is no such scenario, no folder to work in, or no program to start.
pub fn run(options: &Options, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Report, String> {
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
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ended = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..options.parallel.clamp(1, chosen.len()) {
            scope.spawn(|| {
                while let Some((place, scenario)) = take(&next, &chosen) {
                    let report = play::play(scenario, options);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress(Progress { ended: &report, done, of: chosen.len() });
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
